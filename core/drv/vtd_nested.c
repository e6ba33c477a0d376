// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's nested domains: user space's first stage, whose addresses are those of a
 * parent's second stage. Follows Linux's intel/nested.c and cache tags.
 *
 * A nested domain has a number of its own, under which hardware keeps what both
 * stages gave. So what a parent unmaps is invalidated under the numbers of all that
 * stand on it, too; and since a device's TLB knows addresses of the first stage
 * only, all of it goes.
 *
 * custom: of a table that does not fit, the attach fails with the device where it
 * was; Linux has blocked it by then. A parent of another instance is refused when the
 * domain is made.
 */
#include "core/drv/vtd_priv.h"

bool vtd_can_nest(const struct vtd_iommu *iommu)
{
	return iommu->scalable && iommu->ecap & VTD_ECAP_NEST;
}

int vtd_nested_check(const struct vtd_domain *vd, const struct vtd_iommu *iommu)
{
	const struct iommu_hwpt_vtd_s1 *s1 = &vd->s1;

	if (s1->addr_width != 48 && (s1->addr_width != 57 || !(iommu->cap & VTD_CAP_FS5LP)))
		return -EINVAL;
	if (s1->flags & IOMMU_VTD_S1_SRE && !(iommu->ecap & VTD_ECAP_SRS))
		return -EINVAL;
	if (s1->flags & IOMMU_VTD_S1_EAFE && !(iommu->ecap & VTD_ECAP_EAFS))
		return -EINVAL;
	return 0;
}

static int nested_attach(struct iommu_domain *domain, struct device *dev)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	struct vtd_device *d = dev_iommu_priv_get(dev);
	int ret;

	if (vd->iommu != d->iommu)
		return -EINVAL;
	if (domain->iopf_handler && !d->pri)
		return -ENODEV;
	ret = vtd_nested_check(vd, d->iommu);
	return ret ? ret : vtd_attach(domain, dev);
}

static void nested_free(struct iommu_domain *domain)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	spin_lock(&vd->s2->s1_lock);
	list_del(&vd->s2_link);
	spin_unlock(&vd->s2->s1_lock);
	ida_free(&vd->iommu->dids, vd->did);
	kfree(vd);
}

/* --- invalidation --- */

void vtd_parent_flush(struct vtd_domain *parent, u64 start, u64 last, bool leaf)
{
	struct vtd_domain *vd;

	if (bug_on(BUG_VTD_NESTED_PARENT_NOFLUSH))
		return;
	spin_lock(&parent->s1_lock);
	list_for_each_entry(vd, &parent->s1_domains, s2_link) {
		vtd_flush_iotlb_range(vd->iommu, vd->did, start, last, leaf);
		vtd_flush_dev_iotlbs(vd, 0, ~0ULL);
	}
	spin_unlock(&parent->s1_lock);
}

/* [start, last] of the first stage: by the PASID of requests without one, and the others. */
static void flush_range(struct vtd_domain *vd, u64 start, u64 last, bool leaf)
{
	const struct vtd_pasid_tag rid = {.pasid = VTD_NO_PASID};

	vtd_flush_piotlb(vd->iommu, &rid, vd->did, start, last, leaf);
	vtd_pasids_flush(vd, start, last, leaf);
	vtd_flush_dev_iotlbs(vd, start, last);
}

/* dup: no pages are one. */
static int invalidate_one(struct vtd_domain *vd, const struct iommu_hwpt_vtd_s1_invalidate *inv)
{
	u64 pages = max(inv->npages, 1ULL), last;

	if (inv->flags & ~IOMMU_VTD_INV_FLAGS_LEAF || inv->__reserved)
		return -EOPNOTSUPP;
	if (inv->addr % VTD_PAGE || (inv->npages == ~0ULL && inv->addr))
		return -EINVAL;
	last = inv->addr + pages * VTD_PAGE - 1;
	/* More than there are. */
	if (pages >= 1ULL << 52 || last < inv->addr)
		last = ~0ULL;
	flush_range(vd, inv->addr, last, inv->flags & IOMMU_VTD_INV_FLAGS_LEAF);
	return 0;
}

static int cache_invalidate(struct iommu_domain *domain, struct iommu_user_data_array *array)
{
	u32 n = array->entry_num, done = 0;
	int ret = array->type == IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 ? 0 : -EINVAL;

	while (!ret && done < n) {
		struct iommu_hwpt_vtd_s1_invalidate inv;

		ret = iommu_copy_user_entry(&inv, sizeof(inv), array, array->type, done);
		if (!ret)
			ret = invalidate_one(to_vtd_domain(domain), &inv);
		done += !ret;
	}
	array->entry_num = done;
	return ret;
}

/* --- dirty tracking --- */

void vtd_parent_track(struct vtd_domain *parent, bool on)
{
	struct vtd_domain *vd;

	spin_lock(&parent->s1_lock);
	list_for_each_entry(vd, &parent->s1_domains, s2_link)
		vtd_track_users(vd, on);
	spin_unlock(&parent->s1_lock);
}

/* --- life --- */

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = nested_attach,
	.set_dev_pasid = vtd_set_dev_pasid,
	.cache_invalidate_user = cache_invalidate,
	.free = nested_free,
};

struct iommu_domain *vtd_nested_alloc(struct vtd_iommu *iommu, struct iommu_domain *parent,
				      u32 flags, const struct iommu_user_data *data)
{
	struct vtd_domain *s2 = to_vtd_domain(parent), *vd;
	struct iommu_hwpt_vtd_s1 s1;
	int ret;

	if (!vtd_can_nest(iommu) || flags & ~IOMMU_ALLOC_PASID ||
	    data->type != IOMMU_HWPT_DATA_VTD_S1)
		return ERR_PTR(-EOPNOTSUPP);
	if (parent->ops != &vtd_paging_ops || !s2->nest_parent || s2->iommu != iommu)
		return ERR_PTR(-EINVAL);
	ret = iommu_copy_user_data(&s1, sizeof(s1), data, IOMMU_HWPT_DATA_VTD_S1);
	if (ret)
		return ERR_PTR(ret);
	vd = vtd_domain_create(iommu);
	if (IS_ERR(vd))
		return ERR_CAST(vd);
	vd->s2 = s2;
	vd->s1 = s1;
	iommu_domain_init(&vd->domain, IOMMU_DOMAIN_NESTED, iommu->iommu.ops, &nested_ops, 0);
	spin_lock(&s2->s1_lock);
	list_add_tail(&vd->s2_link, &s2->s1_domains);
	spin_unlock(&s2->s1_lock);
	return &vd->domain;
}
