// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's PASIDs besides that of plain requests, in scalable mode: second-stage
 * domains of user space, and first-stage ones for processes.
 *
 * A domain has a tag for each device and PASID that leads to it, from before hardware
 * can use the entry until hardware has forgotten it.
 */
#include "core/drv/vtd_priv.h"

static struct vtd_device *device_of(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/* With vd->lock. */
static struct vtd_pasid_tag *find_tag(struct vtd_domain *vd, const struct vtd_device *d, u32 pasid)
{
	struct vtd_pasid_tag *t;

	list_for_each_entry(t, &vd->pasids, node) {
		if (t->d == d && t->pasid == pasid)
			return t;
	}
	return NULL;
}

static void tag_add(struct vtd_domain *vd, struct vtd_pasid_tag *t)
{
	spin_lock(&vd->lock);
	list_add_tail(&t->node, &vd->pasids);
	spin_unlock(&vd->lock);
}

/* To be freed by the caller. */
static struct vtd_pasid_tag *tag_take(struct vtd_domain *vd, const struct vtd_device *d, u32 pasid)
{
	struct vtd_pasid_tag *t;

	spin_lock(&vd->lock);
	t = find_tag(vd, d, pasid);
	if (t)
		list_del(&t->node);
	spin_unlock(&vd->lock);
	return t;
}

void vtd_pasids_flush(struct vtd_domain *vd, u64 start, u64 last, bool leaf)
{
	const struct vtd_pasid_tag *t, *before = NULL;

	spin_lock(&vd->lock);
	list_for_each_entry(t, &vd->pasids, node) {
		/* A process has one PASID on all devices: hardware is told once. */
		if (!before || before->pasid != t->pasid)
			vtd_flush_piotlb(vd->iommu, t, vd->did, start, last, leaf);
		before = t;
	}
	spin_unlock(&vd->lock);
}

/*
 * A blocking domain takes the PASID away. One domain after another: between the two
 * the PASID leads nowhere, and what the device asked for in it has reached its handler.
 */
int vtd_set_dev_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
		      struct iommu_domain *old)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	struct vtd_device *d = device_of(dev);
	bool off = domain->type == IOMMU_DOMAIN_BLOCKED;
	struct vtd_pasid_tag *t = NULL, *left;

	int ret = vd->s2 ? vtd_nested_check(vd, d->iommu) : 0;

	if (vd->iommu != d->iommu)
		return -EINVAL;
	if (!d->pasid)
		return -EOPNOTSUPP;
	if (domain->iopf_handler && !d->pri)
		return vd->first_stage ? -EOPNOTSUPP : -ENODEV;
	if (ret)
		return ret;
	if (!off) {
		t = kzalloc(sizeof(*t), GFP_KERNEL);
		if (!t)
			return -ENOMEM;
		t->d = d;
		t->pasid = pasid;
	}
	if (old) {
		spin_lock(&d->iommu->lock);
		vtd_pasid_clear(d, pasid);
		spin_unlock(&d->iommu->lock);
		vtd_prq_drain(d, pasid);
		left = tag_take(to_vtd_domain(old), d, pasid);
		WARN_ON(!left);
		kfree(left);
	}
	if (off)
		return 0;
	tag_add(vd, t);
	spin_lock(&d->iommu->lock);
	vtd_pasid_set(d, pasid, vd);
	spin_unlock(&d->iommu->lock);
	return 0;
}

struct iommu_domain *vtd_domain_alloc_sva(struct device *dev)
{
	struct vtd_device *d = device_of(dev);

	if (!d->pri || !(d->iommu->ecap & VTD_ECAP_FSTS))
		return ERR_PTR(-EOPNOTSUPP);
	return vtd_domain_new(d->iommu, true);
}
