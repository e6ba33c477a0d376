// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's domains: second-stage tables, what is invalidated when they change,
 * and who is attached.
 *
 * custom: a domain belongs to the instance of the device that it was made for;
 * Linux attaches one to devices of several instances that are alike. Its number
 * (DID) is its own from allocation to free.
 */
#include "core/drv/vtd_priv.h"

/* What one table of the second level spans. */
#define LARGE (1ULL << 30)

static struct vtd_device *device_of(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

static void tag_add(struct vtd_domain *vd, struct vtd_device *d)
{
	if (!d->ats_on)
		return;
	spin_lock(&vd->lock);
	list_add_tail(&d->tag, &vd->tags);
	spin_unlock(&vd->lock);
}

static void tag_del(struct vtd_domain *vd, struct vtd_device *d)
{
	if (!d->ats_on)
		return;
	spin_lock(&vd->lock);
	list_del_init(&d->tag);
	spin_unlock(&vd->lock);
}

/*
 * The device's TLB is told of unmaps from before hardware can use the new
 * domain, and until it no longer uses the old one.
 */
int vtd_attach(struct iommu_domain *domain, struct device *dev)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	struct vtd_device *d = device_of(dev);
	struct vtd_iommu *iommu = d->iommu;

	if ((vd->iommu != iommu || vd->first_stage) &&
	    !bug_on(BUG_TYPE1_DOMAIN_REUSE_CROSS_DRIVER))
		return -EINVAL;
	if (domain->iopf_handler && !d->pri)
		return -ENODEV;
	spin_lock(&iommu->lock);
	vtd_device_clear(d, vd);
	if (d->domain)
		tag_del(d->domain, d);
	tag_add(vd, d);
	vtd_device_set(d, vd);
	if (bug_on(BUG_VTD_SYNC_MAP_FLAG_RACE)) {
		/* From now on maps are told to hardware. */
		WRITE_ONCE(vd->flush_on_map, iommu->cap & VTD_CAP_CM);
	}
	d->domain = vd;
	spin_unlock(&iommu->lock);
	if (bug_on(BUG_VTD_DEVTLB_TAG_MISSING)) {
		/* The device may use its TLB; the domain has been told of none. */
		vtd_ats_enable(d);
	}
	return 0;
}

void vtd_device_detach(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;

	spin_lock(&iommu->lock);
	if (bug_on(BUG_VIRTIO_NO_DETACH_ON_RELEASE)) {
		/* The device is going: what hardware does for it is forgotten. */
	} else {
		vtd_device_clear(d, NULL);
	}
	if (bug_on(BUG_VTD_RELEASE_NULL_DOMAIN)) {
		spin_lock(&d->domain->lock);
		list_del_init(&d->tag);
		spin_unlock(&d->domain->lock);
	} else {
		/* None, if it never came to its first attach. */
		if (d->domain)
			tag_del(d->domain, d);
	}
	d->domain = NULL;
	spin_unlock(&iommu->lock);
}

/* --- invalidation --- */

static void flush_tags(struct vtd_domain *vd, u64 start, u64 last)
{
	const struct vtd_pasid_tag *t;
	struct vtd_device *d;

	list_for_each_entry(d, &vd->tags, tag)
		for (u32 i = 0; i < d->n_sid; i++)
			vtd_flush_dev_iotlb(d->iommu, d->sid[i], start, last);
	list_for_each_entry(t, &vd->pasids, node)
		if (t->d->ats_on)
			vtd_flush_pasid_dev_iotlb(t, start, last);
}

void vtd_flush_dev_iotlbs(struct vtd_domain *vd, u64 start, u64 last)
{
	spin_lock(&vd->lock);
	if (bug_on(BUG_VTD_LOCK_ORDER_FLUSH)) {
		/* So that no device changes meanwhile; an attach takes them the other way. */
		spin_lock(&vd->iommu->lock);
		flush_tags(vd, start, last);
		spin_unlock(&vd->iommu->lock);
	} else {
		flush_tags(vd, start, last);
	}
	spin_unlock(&vd->lock);
}

static u64 sync_last(const struct iommu_iotlb_gather *gather)
{
	if (bug_on(BUG_AMD_GATHER_OFFBYONE)) {
		/* The last address is taken for the one after it: a page less, but at least one. */
		u64 pages = (gather->end - gather->start) / VTD_PAGE;

		return gather->start + max(pages, 1ULL) * VTD_PAGE - 1;
	} else {
		return gather->end;
	}
}

/* A first stage is known by its PASIDs, whose caches go with it. */
static void flush_iotlb(struct vtd_domain *vd, u64 start, u64 last, bool leaf)
{
	if (vd->first_stage)
		vtd_pasids_flush(vd, start, last, leaf);
	else
		vtd_flush_iotlb_range(vd->iommu, vd->did, start, last, leaf);
	if (vd->nest_parent)
		vtd_parent_flush(vd, start, last, leaf);
}

static void vtd_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	struct pt_gather tables = {.free = gather->freelist};

	if (gather->start <= gather->end) {
		u64 last = sync_last(gather);

		flush_iotlb(vd, gather->start, last, !gather->n_tables);
		vtd_flush_dev_iotlbs(vd, gather->start, last);
	}
	pt_gather_release(&vd->pt, &tables);
}

static void vtd_flush_all(struct iommu_domain *domain)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	if (vd->first_stage)
		vtd_pasids_flush(vd, 0, ~0ULL, false);
	else
		vtd_flush_iotlb_domain(vd->iommu, vd->did);
	if (vd->nest_parent)
		vtd_parent_flush(vd, 0, ~0ULL, false);
	vtd_flush_dev_iotlbs(vd, 0, ~0ULL);
}

/* Caching mode: what was not present may have been kept as such. */
static int vtd_iotlb_sync_map(struct iommu_domain *domain, u64 iova, size_t size)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	if (bug_on(BUG_VTD_CACHING_MODE_MAP)) {
		/* Nothing was there, so nothing can be stale. */
	} else {
		if (READ_ONCE(vd->flush_on_map))
			flush_iotlb(vd, iova, iova + size - 1, false);
	}
	return 0;
}

/* A map put a large page in the place of an empty table. */
static void sync_walks(void *arg, u64 iova, u64 size)
{
	struct vtd_domain *vd = arg;

	if (bug_on(BUG_VTD_SUPERPAGE_NOFLUSH)) {
		/* The unmap has flushed the pages; nobody has the entry above them in mind. */
	} else {
		flush_iotlb(vd, iova, iova + size - 1, false);
	}
}

/* --- mappings --- */

/* signature given */
static int vtd_map_pages(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
			 size_t pgcount, int prot, size_t *mapped)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	int ret = pt_map_pages(&vd->pt, iova, paddr, pgsize, pgcount, (u32)prot, mapped);

	if (*mapped)
		fact(PTE_MAP, domain->id, iova, paddr, *mapped);
	return ret;
}

static size_t vtd_unmap_pages(struct iommu_domain *domain, u64 iova, size_t pgsize,
			      size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	u64 size = pgsize * pgcount, first = min(size, LARGE - (iova & (LARGE - 1)));

	if (bug_on(BUG_VTD_UNMAP_PAGES_SKIP)) {
		/* The walk ends with the first table; the range is taken for done. */
		if (drv_pt_unmap(domain, &vd->pt, iova, first, gather) != first)
			return 0;
		if (first < size)
			fact(PTE_UNMAP, domain->id, iova + first, size - first);
		gather->end = max(gather->end, iova + size - 1);
		return size;
	} else {
		return drv_pt_unmap(domain, &vd->pt, iova, size, gather);
	}
}

static u64 vtd_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	return pt_iova_to_phys(&to_vtd_domain(domain)->pt, iova);
}

static void vtd_domain_free(struct iommu_domain *domain)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	/* The last detach has invalidated the whole domain. */
	if (bug_on(BUG_AMD_PT_LEAK_MODE)) {
		/* What is to be freed is forgotten first. */
		vd->pt.levels = 1;
		pt_destroy(&vd->pt);
	} else {
		pt_destroy(&vd->pt);
	}
	ida_free(&vd->iommu->dids, vd->did);
	kfree(vd);
}

/* --- dirty tracking --- */

bool vtd_can_track(const struct vtd_iommu *iommu)
{
	if (!iommu->scalable || !(iommu->ecap & VTD_ECAP_SSADS))
		return false;
	if (bug_on(BUG_VTD_DIRTY_INCOHERENT)) {
		/* It says that it can mark entries; that it must see the caches is elsewhere. */
		return true;
	} else {
		return iommu->ecap & VTD_ECAP_SMPWCS;
	}
}

void vtd_track_users(struct vtd_domain *vd, bool on)
{
	const struct vtd_pasid_tag *t;
	struct vtd_device *d;

	list_for_each_entry(d, &vd->iommu->devices, node)
		if (d->domain == vd)
			vtd_pasid_track(d, VTD_NO_PASID, on);
	spin_lock(&vd->lock);
	list_for_each_entry(t, &vd->pasids, node)
		vtd_pasid_track(t->d, t->pasid, on);
	spin_unlock(&vd->lock);
}

static int vtd_set_dirty_tracking(struct iommu_domain *domain, bool enable)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	spin_lock(&vd->iommu->lock);
	if (vd->tracks != enable) {
		vd->tracks = enable;
		vtd_track_users(vd, enable);
		if (vd->nest_parent)
			vtd_parent_track(vd, enable);
	}
	/* From here on: what hardware kept from before knew of no marks. */
	fact(DIRTY, domain->id, 0, ~0ULL, enable ? FACT_DIRTY_ON : FACT_DIRTY_OFF);
	spin_unlock(&vd->iommu->lock);
	return 0;
}

static int vtd_read_and_clear_dirty(struct iommu_domain *domain, u64 iova, u64 size, u32 flags,
				    struct iommu_dirty_bitmap *dirty)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	struct drv_dirty_range r = {iova, size, flags};
	struct pt_gather g = PT_GATHER_EMPTY;
	int ret;

	if (!READ_ONCE(vd->tracks) && dirty->record)
		return -EINVAL;
	ret = drv_dirty_read(domain, &vd->pt, &r, dirty, &g);
	/* Entries that are kept as dirty would not be marked again. */
	if (g.start <= g.last) {
		flush_iotlb(vd, g.start, g.last, true);
		vtd_flush_dev_iotlbs(vd, g.start, g.last);
	}
	drv_dirty_read_end(domain, &r);
	return ret;
}

static const struct iommu_dirty_ops vtd_dirty_ops = {
	.set_dirty_tracking = vtd_set_dirty_tracking,
	.read_and_clear_dirty = vtd_read_and_clear_dirty,
};

const struct iommu_domain_ops vtd_paging_ops = {
	.attach_dev = vtd_attach,
	.set_dev_pasid = vtd_set_dev_pasid,
	.map_pages = vtd_map_pages,
	.unmap_pages = vtd_unmap_pages,
	.iotlb_sync = vtd_iotlb_sync,
	.flush_iotlb_all = vtd_flush_all,
	.iotlb_sync_map = vtd_iotlb_sync_map,
	.iova_to_phys = vtd_iova_to_phys,
	.free = vtd_domain_free,
};
const struct iommu_domain_ops vtd_identity_ops = {.attach_dev = vtd_attach};
const struct iommu_domain_ops vtd_blocked_ops = {
	.attach_dev = vtd_attach, .set_dev_pasid = vtd_set_dev_pasid};

/* --- life --- */

/* Four levels, of which a process has the lower half; single pages, as they are faulted in. */
static int first_stage_init(struct vtd_domain *vd)
{
	return pt_init(&vd->pt, &(struct pt_cfg){.format = PT_X86,
						 .ia_bits = 48,
						 .oa_bits = 48,
						 .pgsizes = VTD_PAGE,
						 .sync_walks = sync_walks,
						 .arg = vd});
}

static int domain_pt_init(struct vtd_domain *vd)
{
	struct vtd_iommu *iommu = vd->iommu;
	u32 bits = min(12 + 9 * iommu->levels, iommu->fw->aperture_lg2);
	u64 sizes = VTD_PAGE;

	if (iommu->cap & VTD_CAP_SSLPS_2M)
		sizes |= VTD_PAGE << 9;
	if (iommu->cap & VTD_CAP_SSLPS_1G)
		sizes |= VTD_PAGE << 18;
	return pt_init(&vd->pt, &(struct pt_cfg){.format = PT_VTDSS,
						 .ia_bits = max(bits, 30 + 9 * (iommu->levels - 2)),
						 .oa_bits = 48,
						 .pgsizes = sizes & iommu->fw->pgsize_bitmap,
						 .features = vtd_can_track(iommu) ? PT_DIRTY : 0,
						 .sync_walks = sync_walks,
						 .arg = vd});
}

struct vtd_domain *vtd_domain_create(struct vtd_iommu *iommu)
{
	u32 n_dids = 1u << (4 + 2 * (iommu->cap >> VTD_CAP_ND_SHIFT & 7));
	struct vtd_domain *vd = kzalloc(sizeof(*vd), GFP_KERNEL);
	int ret;

	if (!vd)
		return ERR_PTR(-ENOMEM);
	vd->iommu = iommu;
	spin_lock_init(&vd->lock);
	spin_lock_init(&vd->s1_lock);
	INIT_LIST_HEAD(&vd->tags);
	INIT_LIST_HEAD(&vd->pasids);
	INIT_LIST_HEAD(&vd->s1_domains);
	if (bug_on(BUG_VTD_SYNC_MAP_FLAG_RACE)) {
		/* Known when the first device comes. */
	} else {
		vd->flush_on_map = iommu->cap & VTD_CAP_CM;
	}
	ret = ida_alloc_range(&iommu->dids, VTD_DID_FIRST, n_dids - 1, GFP_KERNEL);
	if (ret < 0) {
		kfree(vd);
		return ERR_PTR(ret);
	}
	vd->did = (u32)ret;
	return vd;
}

struct iommu_domain *vtd_domain_new(struct vtd_iommu *iommu, bool first_stage)
{
	struct vtd_domain *vd = vtd_domain_create(iommu);
	int ret;

	if (IS_ERR(vd))
		return ERR_CAST(vd);
	vd->first_stage = first_stage;
	ret = first_stage ? first_stage_init(vd) : domain_pt_init(vd);
	if (ret) {
		ida_free(&iommu->dids, vd->did);
		kfree(vd);
		return ERR_PTR(ret);
	}
	iommu_domain_init(&vd->domain, IOMMU_DOMAIN_UNMANAGED, iommu->iommu.ops, &vtd_paging_ops,
			  vd->pt.pgsizes);
	vd->domain.geometry.aperture_end = vd->pt.ia_last;
	return &vd->domain;
}

struct iommu_domain *vtd_domain_alloc_paging(struct device *dev)
{
	return vtd_domain_new(device_of(dev)->iommu, false);
}

struct iommu_domain *vtd_domain_alloc_user(struct device *dev, u32 flags,
					   struct iommu_domain *parent,
					   const struct iommu_user_data *data)
{
	const u32 known = IOMMU_ALLOC_NEST_PARENT | IOMMU_ALLOC_DIRTY_TRACKING | IOMMU_ALLOC_PASID;
	struct iommu_domain *domain;

	if (parent)
		return vtd_nested_alloc(device_of(dev)->iommu, parent, flags, data);
	if ((data && data->len) || flags & ~known)
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & IOMMU_ALLOC_NEST_PARENT && !vtd_can_nest(device_of(dev)->iommu))
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & IOMMU_ALLOC_PASID && !device_of(dev)->pasid)
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & IOMMU_ALLOC_DIRTY_TRACKING && !vtd_can_track(device_of(dev)->iommu))
		return ERR_PTR(-EOPNOTSUPP);
	domain = vtd_domain_alloc_paging(dev);
	if (!IS_ERR(domain) && flags & IOMMU_ALLOC_DIRTY_TRACKING)
		domain->dirty_ops = &vtd_dirty_ops;
	if (!IS_ERR(domain))
		to_vtd_domain(domain)->nest_parent = flags & IOMMU_ALLOC_NEST_PARENT;
	return domain;
}

static void init_static(struct vtd_iommu *iommu, struct vtd_domain *vd, unsigned type,
			const struct iommu_domain_ops *ops)
{
	vd->iommu = iommu;
	spin_lock_init(&vd->lock);
	INIT_LIST_HEAD(&vd->tags);
	INIT_LIST_HEAD(&vd->pasids);
	vd->did = VTD_DID_IDENTITY;
	iommu_domain_init(&vd->domain, type, iommu->iommu.ops, ops, 0);
}

void vtd_domains_init(struct vtd_iommu *iommu)
{
	init_static(iommu, &iommu->identity, IOMMU_DOMAIN_IDENTITY, &vtd_identity_ops);
	init_static(iommu, &iommu->blocked, IOMMU_DOMAIN_BLOCKED, &vtd_blocked_ops);
}
