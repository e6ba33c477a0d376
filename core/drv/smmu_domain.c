// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's domains: stage 1 under an ASID where the instance has it, else stage
 * 2 under a VMID; and what is invalidated when their tables change.
 *
 * custom: a domain belongs to the instance of the device that it was made for,
 * as in Linux; its tag is its own from allocation to free.
 */
#include "core/drv/smmu_priv.h"

static int smmu_attach(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct smmu_master *m = dev_iommu_priv_get(dev);

	if (sd->iommu != m->iommu)
		return -EINVAL;
	spin_lock(&m->iommu->lock);
	smmu_master_set(m, sd);
	m->domain = sd;
	spin_unlock(&m->iommu->lock);
	return 0;
}

void smmu_master_detach(struct smmu_master *m)
{
	spin_lock(&m->iommu->lock);
	smmu_master_set(m, NULL);
	m->domain = NULL;
	spin_unlock(&m->iommu->lock);
}

static void smmu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct pt_gather tables = {.free = gather->freelist};

	if (gather->start <= gather->end)
		smmu_tlb_range(sd, gather->start, gather->end, gather->pgsize, !gather->n_tables);
	pt_gather_release(&sd->pt, &tables);
}

static void smmu_flush_all(struct iommu_domain *domain)
{
	smmu_tlb_domain(to_smmu_domain(domain));
}

/* A map put a large page in the place of an empty table. */
static void sync_walks(void *arg, u64 iova, u64 size)
{
	smmu_tlb_range(arg, iova, iova + size - 1, SMMU_PAGE, false);
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

static const struct iommu_domain_ops smmu_paging_ops = {
	.attach_dev = smmu_attach,
	.map_pages = smmu_map_pages,
	.unmap_pages = smmu_unmap_pages,
	.iotlb_sync = smmu_iotlb_sync,
	.flush_iotlb_all = smmu_flush_all,
	.iova_to_phys = smmu_iova_to_phys,
	.free = smmu_domain_free,
};
static const struct iommu_domain_ops smmu_identity_ops = {.attach_dev = smmu_attach};
static const struct iommu_domain_ops smmu_blocked_ops = {.attach_dev = smmu_attach};

static int domain_pt_init(struct smmu_domain *sd)
{
	const struct smmu_iommu *iommu = sd->iommu;
	u32 ia = sd->stage2 ? iommu->oas : 48;

	return pt_init(&sd->pt,
		       &(struct pt_cfg){.format = sd->stage2 ? PT_A64S2_4K : PT_A64S1_4K,
					.ia_bits = ia,
					.oa_bits = iommu->oas,
					.pgsizes = iommu->fw->pgsize_bitmap,
					.sync_walks = sync_walks,
					.arg = sd});
}

struct iommu_domain *smmu_domain_alloc_paging(struct device *dev)
{
	struct smmu_master *m = dev_iommu_priv_get(dev);
	struct smmu_iommu *iommu = m->iommu;
	struct smmu_domain *sd = kzalloc(sizeof(*sd), GFP_KERNEL);
	u32 bit, last;
	int ret;

	if (!sd)
		return ERR_PTR(-ENOMEM);
	sd->iommu = iommu;
	sd->stage2 = !(iommu->idr0 & BIT(IDR0_S1P));
	bit = sd->stage2 ? IDR0_VMID16 : IDR0_ASID16;
	last = iommu->idr0 & BIT(bit) ? 0xffff : 0xff;
	/* 0 is what is not ours, or bypass. */
	ret = ida_alloc_range(tags(sd), 1, last, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	sd->tag = (u16)ret;
	ret = domain_pt_init(sd);
	if (ret)
		goto err_tag;
	iommu_domain_init(&sd->domain, IOMMU_DOMAIN_UNMANAGED, iommu->iommu.ops, &smmu_paging_ops,
			  sd->pt.pgsizes);
	return &sd->domain;

err_tag:
	ida_free(tags(sd), sd->tag);
err_free:
	kfree(sd);
	return ERR_PTR(ret);
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
