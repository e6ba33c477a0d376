// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the tree's page tables by themselves, as a driver would call them.
 *
 * False: no hardware uses them, so that an invalidation is nothing.
 */
#include "core/hosted/custom/syscall.h"
#include "core/hosted/pgtable.h"

#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/slab.h>

static void nothing_to_flush(void *cookie)
{
}

static void no_walk_to_flush(unsigned long iova, size_t size, size_t granule, void *cookie)
{
}

static const struct iommu_flush_ops no_tlb = {
	.tlb_flush_all = nothing_to_flush,
	.tlb_flush_walk = no_walk_to_flush,
};

#define RW (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

static long arm_map(void *table, unsigned long iova, unsigned long pa, unsigned long pgsize,
		    unsigned long count)
{
	struct io_pgtable_ops *t = table;
	size_t mapped = 0;

	return t->map_pages(t, iova, pa, pgsize, count, RW, GFP_ATOMIC, &mapped);
}

static unsigned long arm_unmap(void *table, unsigned long iova, unsigned long pgsize,
			       unsigned long count)
{
	struct io_pgtable_ops *t = table;

	return t->unmap_pages(t, iova, pgsize, count, NULL);
}

static long arm_make(struct hosted_pgtable *p)
{
	struct io_pgtable_cfg cfg = {
		.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
		.ias = 48,
		.oas = 48,
		.coherent_walk = true,
		.tlb = &no_tlb,
	};

	*p = (struct hosted_pgtable){"io-pgtable-arm",
				     alloc_io_pgtable_ops(ARM_64_LPAE_S1, &cfg, NULL), arm_map,
				     arm_unmap};
	return p->table ? 0 : -ENOMEM;
}

/* Generic page tables, from the trees on that map by ranges. */
#if defined(CONFIG_IOMMU_PT_AMDV1) && HOSTED_HAS_PT_RANGES
#include <linux/generic_pt/iommu.h>

/* Of drivers/iommu, which keeps it to itself. */
void iommu_put_pages_list(struct iommu_pages_list *list);

static DEFINE_SPINLOCK(top_lock);

static void top_changed(struct pt_iommu *t, phys_addr_t top, unsigned int level)
{
}

static spinlock_t *lock_of_top(struct pt_iommu *t)
{
	return &top_lock;
}

static const struct pt_iommu_driver_ops driver_ops = {
	.change_top = top_changed,
	.get_top_lock = lock_of_top,
};

static long amd_map(void *table, unsigned long iova, unsigned long pa, unsigned long pgsize,
		    unsigned long count)
{
	struct pt_iommu *t = table;
	size_t mapped = 0;

	return t->ops->map_range(t, iova, pa, pgsize * count, RW, GFP_ATOMIC, &mapped);
}

static unsigned long amd_unmap(void *table, unsigned long iova, unsigned long pgsize,
			       unsigned long count)
{
	struct iommu_iotlb_gather gather;
	struct pt_iommu *t = table;
	unsigned long done;

	iommu_iotlb_gather_init(&gather);
	done = t->ops->unmap_range(t, iova, pgsize * count, &gather);
	if (!list_empty(&gather.freelist.pages))
		iommu_put_pages_list(&gather.freelist);
	return done;
}

static long amd_make(struct hosted_pgtable *p)
{
	struct pt_iommu_amdv1_cfg cfg = {
		/* As the tree's driver has them: without, there is no such table. */
		.common.features = BIT(PT_FEAT_DYNAMIC_TOP) | BIT(PT_FEAT_AMDV1_ENCRYPT_TABLES) |
				   BIT(PT_FEAT_AMDV1_FORCE_COHERENCE),
		.common.hw_max_vasz_lg2 = 48,
		.common.hw_max_oasz_lg2 = 48,
		.starting_level = 3,
	};
	struct pt_iommu_amdv1 *t = kzalloc(sizeof(*t), GFP_KERNEL);
	long ret;

	if (!t)
		return -ENOMEM;
	t->iommu.nid = NUMA_NO_NODE;
	t->iommu.driver_ops = &driver_ops;
	ret = pt_iommu_amdv1_init(t, &cfg, GFP_KERNEL);
	if (ret)
		return ret;
	*p = (struct hosted_pgtable){"generic_pt amdv1", &t->iommu, amd_map, amd_unmap};
	return 0;
}
#else
static long amd_make(struct hosted_pgtable *p)
{
	return -ENOENT;
}
#endif

long hosted_pgtable(const unsigned long *arg)
{
	static long (*const make[])(struct hosted_pgtable *p) = {arm_make, amd_make};

	return arg[0] < ARRAY_SIZE(make) ? make[arg[0]]((void *)arg[1]) : -ENOENT;
}
