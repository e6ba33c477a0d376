// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's domains: stage 1 under an ASID where the instance has it, else stage
 * 2 under a VMID; and what is invalidated when their tables change.
 *
 * custom: a domain belongs to the instance of the device that it was made for,
 * as in Linux; its tag is its own from allocation to free.
 */
#include "core/drv/smmu_priv.h"

/* A guest's stage 1 has it if the guest says so: it is to invalidate what devices keep. */
static bool ats_in(const struct smmu_master *m, const struct smmu_domain *sd)
{
	if (!m->ats || !sd)
		return false;
	if (!sd->vsmmu)
		return sd->domain.type & __IOMMU_DOMAIN_PAGING;
	return smmu_ste_config(sd) == SMMU_CFG_BYPASS ||
	       (smmu_ste_config(sd) == SMMU_CFG_S1 && sd->ste_ats);
}

static void ats_add(struct smmu_domain *sd, struct smmu_ats *a)
{
	spin_lock(&sd->ats_lock);
	list_add_tail(&a->node, &sd->ats_masters);
	atomic_inc(&sd->n_ats);
	spin_unlock(&sd->ats_lock);
}

static void ats_del(struct smmu_domain *sd, struct smmu_ats *a)
{
	spin_lock(&sd->ats_lock);
	list_del(&a->node);
	atomic_dec(&sd->n_ats);
	spin_unlock(&sd->ats_lock);
}

/*
 * iommu->lock held; sd NULL: abort. A device with ATS is on the new domain's list
 * before it can ask for a translation there, and leaves the old one's only when
 * its cache has nothing of it any more.
 */
static void master_move(struct smmu_master *m, struct smmu_domain *sd)
{
	struct smmu_domain *old = m->domain;
	bool on = ats_in(m, sd), was = ats_in(m, old);
	struct smmu_ats *a = &m->ats_link[m->ats_at];

	if (was && !on)
		drv_ats_set(m->dev, false);
	if (on) {
		m->ats_at ^= 1;
		m->ats_link[m->ats_at].all = sd->vsmmu;
		ats_add(smmu_table_of(sd), &m->ats_link[m->ats_at]);
	}
	smmu_master_set(m, sd);
	if (was) {
		if (bug_on(BUG_SMMU_DETACH_ATC_STALE)) {
			/* Turning ATS off is thought to empty the cache. */
		} else {
			smmu_atc_master(m);
		}
		ats_del(smmu_table_of(old), a);
	}
	if (on && !was)
		drv_ats_set(m->dev, true);
	m->domain = sd;
}

static int smmu_attach(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct smmu_master *m = dev_iommu_priv_get(dev);

	if (sd->iommu != m->iommu)
		return -EINVAL;
	if (domain->iopf_handler && !smmu_can_fault(m))
		return -EOPNOTSUPP;
	/* Stage 2 alone has no context descriptors. */
	if (sd->stage2 && m->n_pasids)
		return -EBUSY;
	smmu_master_attach(m, sd);
	smmu_master_tell(m, NULL, 0);
	return 0;
}

void smmu_master_attach(struct smmu_master *m, struct smmu_domain *sd)
{
	spin_lock(&m->iommu->lock);
	master_move(m, sd);
	spin_unlock(&m->iommu->lock);
}

/* A blocking domain takes the PASID away; what the TLB has of it goes with its tag. */
static int smmu_set_dev_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
			      struct iommu_domain *old)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct smmu_master *m = dev_iommu_priv_get(dev);
	bool off = domain->type == IOMMU_DOMAIN_BLOCKED;

	if (sd->iommu != m->iommu)
		return -EINVAL;
	if (domain->iopf_handler && !smmu_can_fault(m))
		return -EOPNOTSUPP;
	/* The descriptors are a guest's, or there are none. */
	if (!off && m->domain && (m->domain->vsmmu || m->domain->stage2))
		return -EINVAL;
	spin_lock(&m->iommu->lock);
	m->n_pasids += !off && !old;
	m->n_pasids -= off && old;
	smmu_master_set_pasid(m, pasid, off ? NULL : sd);
	spin_unlock(&m->iommu->lock);
	if (old)
		smmu_tlb_domain(to_smmu_domain(old));
	return 0;
}

void smmu_master_detach(struct smmu_master *m)
{
	smmu_master_attach(m, NULL);
}

/*
 * The TLB first: devices fill their caches from it. Then it is seen which devices
 * may have done so; one that is attached later finds the TLB clean.
 */
static void invalidate(struct smmu_domain *sd, const struct iommu_iotlb_gather *g)
{
	u64 size = ALIGN(g->end - g->start + 1, SMMU_PAGE);

	if (bug_on(BUG_SMMU_ATC_BEFORE_TLBI)) {
		smmu_atc_domain(sd, g->start, g->end);
		smmu_tlb_range(sd, g->start, size, g->pgsize, !g->n_tables);
	} else if (bug_on(BUG_SMMU_NR_ATS_MASTERS_RACE)) {
		/* As if the load were done early: nothing keeps it behind the invalidation. */
		bool any = atomic_read(&sd->n_ats);

		smmu_tlb_range(sd, g->start, size, g->pgsize, !g->n_tables);
		if (any)
			smmu_atc_domain(sd, g->start, g->end);
	} else {
		smmu_tlb_range(sd, g->start, size, g->pgsize, !g->n_tables);
		smp_mb();
		if (atomic_read(&sd->n_ats))
			smmu_atc_domain(sd, g->start, g->end);
	}
}

static void smmu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct pt_gather tables = {.free = gather->freelist};

	if (bug_on(BUG_SMMU_EMPTY_GATHER_SYNC)) {
		invalidate(sd, gather);
	} else {
		/* Nothing was unmapped: start is behind the end. */
		if (gather->start <= gather->end)
			invalidate(sd, gather);
	}
	pt_gather_release(&sd->pt, &tables);
}

static void smmu_flush_all(struct iommu_domain *domain)
{
	struct smmu_domain *sd = to_smmu_domain(domain);

	smmu_tlb_domain(sd);
	smp_mb();
	if (atomic_read(&sd->n_ats))
		smmu_atc_domain(sd, 0, ~0ULL);
}

/* A map put a large page in the place of an empty table. */
static void sync_walks(void *arg, u64 iova, u64 size)
{
	if (bug_on(BUG_SMMU_MM_INVAL_SIZE)) {
		u64 last = iova + size;

		smmu_tlb_range(arg, iova, last - iova + 1, SMMU_PAGE, false);
	} else {
		smmu_tlb_range(arg, iova, size, SMMU_PAGE, false);
	}
}

/* signature given */
static int smmu_map_pages(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
			  size_t pgcount, int prot, size_t *mapped)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	int ret = pt_map_pages(&sd->pt, iova, paddr, pgsize, pgcount, (u32)prot, mapped);

	if (*mapped)
		fact(PTE_MAP, domain->id, iova, paddr, *mapped);
	return ret;
}

static size_t smmu_unmap_pages(struct iommu_domain *domain, u64 iova, size_t pgsize,
			       size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct smmu_domain *sd = to_smmu_domain(domain);

	return drv_pt_unmap(domain, &sd->pt, iova, pgsize * pgcount, gather);
}

static u64 smmu_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	return pt_iova_to_phys(&to_smmu_domain(domain)->pt, iova);
}

static struct ida *tags(struct smmu_domain *sd)
{
	return sd->stage2 ? &sd->iommu->vmids : &sd->iommu->asids;
}

static void smmu_domain_free(struct iommu_domain *domain)
{
	struct smmu_domain *sd = to_smmu_domain(domain);

	/* Whoever gets the tag next must not meet what is left under it. */
	smmu_tlb_domain(sd);
	pt_destroy(&sd->pt);
	ida_free(tags(sd), sd->tag);
	kfree(sd);
}

/* --- dirty tracking --- */

bool smmu_can_track(const struct smmu_iommu *iommu)
{
	return (iommu->idr0 >> IDR0_HTTU & 3) >= 2;
}

/* dup: hardware marks from the beginning on; who asks clears first. */
static int smmu_set_dirty_tracking(struct iommu_domain *domain, bool enable)
{
	fact(DIRTY, domain->id, 0, ~0ULL, enable ? FACT_DIRTY_ON : FACT_DIRTY_OFF);
	return 0;
}

static int smmu_read_and_clear_dirty(struct iommu_domain *domain, u64 iova, u64 size, u32 flags,
				     struct iommu_dirty_bitmap *dirty)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct drv_dirty_range r = {iova, size, flags};
	struct pt_gather g = PT_GATHER_EMPTY;
	int ret = drv_dirty_read(domain, &sd->pt, &r, dirty, &g);

	/* Entries that are kept as writable would not be marked again. */
	if (g.start <= g.last)
		invalidate(sd, &(struct iommu_iotlb_gather){.start = g.start, .end = g.last,
							     .pgsize = g.pgsize});
	drv_dirty_read_end(domain, &r);
	return ret;
}

static const struct iommu_dirty_ops smmu_dirty_ops = {
	.set_dirty_tracking = smmu_set_dirty_tracking,
	.read_and_clear_dirty = smmu_read_and_clear_dirty,
};

static const struct iommu_domain_ops smmu_paging_ops = {
	.attach_dev = smmu_attach,
	.set_dev_pasid = smmu_set_dev_pasid,
	.map_pages = smmu_map_pages,
	.unmap_pages = smmu_unmap_pages,
	.iotlb_sync = smmu_iotlb_sync,
	.flush_iotlb_all = smmu_flush_all,
	.iova_to_phys = smmu_iova_to_phys,
	.free = smmu_domain_free,
};
static const struct iommu_domain_ops smmu_identity_ops = {.attach_dev = smmu_attach};
static const struct iommu_domain_ops smmu_blocked_ops = {
	.attach_dev = smmu_attach, .set_dev_pasid = smmu_set_dev_pasid};

static int domain_pt_init(struct smmu_domain *sd, bool tracks)
{
	const struct smmu_iommu *iommu = sd->iommu;
	u32 ia = sd->stage2 ? iommu->oas : 48;

	return pt_init(&sd->pt,
		       &(struct pt_cfg){.format = sd->stage2 ? PT_A64S2_4K : PT_A64S1_4K,
					.ia_bits = ia,
					.oa_bits = iommu->oas,
					.pgsizes = iommu->fw->pgsize_bitmap,
					.features = tracks ? PT_DIRTY : 0,
					.sync_walks = sync_walks,
					.arg = sd});
}

static struct iommu_domain *alloc_paging(struct device *dev, u32 flags)
{
	bool tracks = flags & IOMMU_ALLOC_DIRTY_TRACKING;
	struct smmu_master *m = dev_iommu_priv_get(dev);
	struct smmu_iommu *iommu = m->iommu;
	struct smmu_domain *sd = kzalloc(sizeof(*sd), GFP_KERNEL);
	u32 bit, last;
	int ret;

	if (!sd)
		return ERR_PTR(-ENOMEM);
	sd->iommu = iommu;
	spin_lock_init(&sd->ats_lock);
	INIT_LIST_HEAD(&sd->ats_masters);
	sd->nest_parent = flags & IOMMU_ALLOC_NEST_PARENT;
	sd->stage2 = sd->nest_parent || !(iommu->idr0 & BIT(IDR0_S1P));
	bit = sd->stage2 ? IDR0_VMID16 : IDR0_ASID16;
	last = iommu->idr0 & BIT(bit) ? 0xffff : 0xff;
	/* 0 is what is not ours, or bypass. */
	ret = ida_alloc_range(tags(sd), 1, last, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	sd->tag = (u16)ret;
	ret = domain_pt_init(sd, tracks);
	if (ret)
		goto err_tag;
	iommu_domain_init(&sd->domain, IOMMU_DOMAIN_UNMANAGED, iommu->iommu.ops, &smmu_paging_ops,
			  sd->pt.pgsizes);
	sd->domain.geometry.aperture_end = sd->pt.ia_last;
	return &sd->domain;

err_tag:
	ida_free(tags(sd), sd->tag);
err_free:
	kfree(sd);
	return ERR_PTR(ret);
}

struct iommu_domain *smmu_domain_alloc_paging(struct device *dev)
{
	return alloc_paging(dev, 0);
}

struct iommu_domain *smmu_domain_alloc_user(struct device *dev, u32 flags,
					    struct iommu_domain *parent,
					    const struct iommu_user_data *data)
{
	struct smmu_master *m = dev_iommu_priv_get(dev);
	struct iommu_domain *domain;

	const u32 known = IOMMU_ALLOC_DIRTY_TRACKING | IOMMU_ALLOC_PASID | IOMMU_ALLOC_NEST_PARENT;

	/* Nested ones are made on a vIOMMU. */
	if (parent || (data && data->len) || flags & ~known)
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & IOMMU_ALLOC_NEST_PARENT &&
	    (flags != IOMMU_ALLOC_NEST_PARENT || !smmu_can_nest(m->iommu)))
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & IOMMU_ALLOC_PASID && !m->ssid_bits)
		return ERR_PTR(-EOPNOTSUPP);
	if (flags & IOMMU_ALLOC_DIRTY_TRACKING && !smmu_can_track(m->iommu))
		return ERR_PTR(-EOPNOTSUPP);
	domain = alloc_paging(dev, flags);
	if (!IS_ERR(domain) && flags & IOMMU_ALLOC_DIRTY_TRACKING)
		domain->dirty_ops = &smmu_dirty_ops;
	return domain;
}

static void init_static(struct smmu_iommu *iommu, struct smmu_domain *sd, unsigned type,
			const struct iommu_domain_ops *ops)
{
	sd->iommu = iommu;
	iommu_domain_init(&sd->domain, type, iommu->iommu.ops, ops, 0);
}

void smmu_domains_init(struct smmu_iommu *iommu)
{
	init_static(iommu, &iommu->identity, IOMMU_DOMAIN_IDENTITY, &smmu_identity_ops);
	init_static(iommu, &iommu->blocked, IOMMU_DOMAIN_BLOCKED, &smmu_blocked_ops);
}
