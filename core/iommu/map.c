// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and unmapping in a paging domain.
 *
 * A range is cut into runs of one page size: the largest that the domain has,
 * that iova and physical address are aligned to and that fits, up to where the
 * next larger size can take over. The driver may do less than it was asked.
 *
 * The caller keeps the domain alive and does not map and unmap one range at a
 * time; ranges of their own may be handled in parallel (the driver locks).
 */
#include "core/iommu/iommu_priv.h"

/* The page size for the next run of [iova, iova + size), and how many pages. */
static u64 iommu_pgsize(const struct iommu_domain *domain, u64 iova, u64 paddr, u64 size,
			size_t *count)
{
	u64 addr = iova | paddr, sizes = domain->pgsize_bitmap, pgsize, next, offset, end;

	sizes &= ~0ULL >> (63 - bit_highest(size));
	if (addr)
		sizes &= ~0ULL >> (63 - bit_lowest(addr));
	pgsize = BIT_ULL(bit_highest(sizes));
	next = domain->pgsize_bitmap & ~(pgsize | (pgsize - 1));
	if (next) {
		next = BIT_ULL(bit_lowest(next));
		offset = next - (addr & (next - 1));
		if ((iova ^ paddr) & (next - 1)) {
			/* The two never are aligned to it together. */
		} else if (bug_on(BUG_CORE_PGSIZE_OVERFLOW)) {
			if (offset + next <= size)
				size = offset;
		} else {
			if (!__builtin_add_overflow(offset, next, &end) && end <= size)
				size = offset;
		}
	}
	*count = size / pgsize;
	return pgsize;
}

static u64 min_pgsize(const struct iommu_domain *domain)
{
	return BIT_ULL(bit_lowest(domain->pgsize_bitmap));
}

static void debug_map(struct iommu_domain *domain, size_t size)
{
	atomic64_add((s64)size, &domain->debug_bytes);
}

static void debug_unmap(struct iommu_domain *domain, size_t size)
{
	WARN_ON(atomic64_sub_return((s64)size, &domain->debug_bytes) < 0);
}

static size_t __iommu_unmap(struct iommu_domain *domain, u64 iova, size_t size,
			    struct iommu_iotlb_gather *gather)
{
	size_t unmapped = 0;

	while (unmapped < size) {
		size_t count, done;
		u64 pgsize = iommu_pgsize(domain, iova, iova, size - unmapped, &count);

		done = domain->ops->unmap_pages(domain, iova, pgsize, count, gather);
		if (!done)
			break;
		iova += done;
		unmapped += done;
	}
	return unmapped;
}

void iommu_iotlb_gather_init(struct iommu_iotlb_gather *gather)
{
	*gather = (struct iommu_iotlb_gather){.start = ~0ULL};
}

void iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	u64 start = gather->start, last = gather->end;

	if (domain->ops->iotlb_sync)
		domain->ops->iotlb_sync(domain, gather);
	if (start <= last)
		fact(IOTLB_SYNC, domain->id, start, last);
	iommu_iotlb_gather_init(gather);
}

void iommu_flush_iotlb_all(struct iommu_domain *domain)
{
	if (domain->ops->flush_iotlb_all)
		domain->ops->flush_iotlb_all(domain);
	fact(IOTLB_SYNC, domain->id, 0, ~0ULL);
}

static size_t unmap_and_sync(struct iommu_domain *domain, u64 iova, size_t size)
{
	struct iommu_iotlb_gather gather;
	size_t unmapped;

	iommu_iotlb_gather_init(&gather);
	unmapped = __iommu_unmap(domain, iova, size, &gather);
	iommu_iotlb_sync(domain, &gather);
	/* Whatever the driver has gathered: all that was unmapped is promised to be gone. */
	if (unmapped)
		fact(IOTLB_SYNC, domain->id, iova, iova + unmapped - 1);
	return unmapped;
}

/* Takes back what a failed map has done so far. */
static void map_undo(struct iommu_domain *domain, u64 iova, size_t mapped)
{
	size_t undone;

	if (!mapped)
		return;
	undone = unmap_and_sync(domain, iova, mapped);
	if (bug_on(BUG_CORE_DEBUG_UNMAP_UNBALANCED)) {
		/* The map was never recorded. */
		debug_unmap(domain, undone);
	} else {
		WARN_ON(undone != mapped);
	}
}

/*
 * dup: maps [iova, iova + size) to paddr. All or nothing. -EINVAL: not a
 * paging domain, or not aligned to its smallest page; driver errors: -EEXIST
 * mapped already, -ERANGE outside its reach, -ENOMEM.
 */
int iommu_map(struct iommu_domain *domain, u64 iova, u64 paddr, size_t size, int prot)
{
	u64 at = iova, left = size;
	int ret = 0;

	if (!(READ_ONCE(domain->type) & __IOMMU_DOMAIN_PAGING))
		return -EINVAL;
	if (!IS_ALIGNED(iova | paddr | size, min_pgsize(domain)))
		return -EINVAL;
	fact(MAP_BEGIN, domain->id, iova, size);
	while (left && !ret) {
		size_t count, mapped = 0;
		u64 pgsize = iommu_pgsize(domain, at, paddr, left, &count);

		ret = domain->ops->map_pages(domain, at, paddr, pgsize, count, prot, &mapped);
		left -= mapped;
		at += mapped;
		paddr += mapped;
	}
	if (!ret && domain->ops->iotlb_sync_map)
		ret = domain->ops->iotlb_sync_map(domain, iova, size);
	if (ret)
		map_undo(domain, iova, size - left);
	else
		debug_map(domain, size);
	fact(MAP_END, domain->id, (u64)(s64)ret);
	return ret;
}

static bool can_unmap(const struct iommu_domain *domain, u64 iova, size_t size)
{
	return READ_ONCE(domain->type) & __IOMMU_DOMAIN_PAGING &&
	       IS_ALIGNED(iova | size, min_pgsize(domain));
}

/* dup: bytes unmapped, up to the first hole; 0 if misaligned. */
size_t iommu_unmap_fast(struct iommu_domain *domain, u64 iova, size_t size,
			struct iommu_iotlb_gather *gather)
{
	size_t unmapped;

	if (!can_unmap(domain, iova, size))
		return 0;
	unmapped = __iommu_unmap(domain, iova, size, gather);
	debug_unmap(domain, unmapped);
	return unmapped;
}

size_t iommu_unmap(struct iommu_domain *domain, u64 iova, size_t size)
{
	size_t unmapped;

	if (!can_unmap(domain, iova, size))
		return 0;
	unmapped = unmap_and_sync(domain, iova, size);
	debug_unmap(domain, unmapped);
	return unmapped;
}

/* dup: 0 if nothing is mapped there. */
u64 iommu_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	if (domain->type == IOMMU_DOMAIN_IDENTITY)
		return iova;
	return domain->ops->iova_to_phys ? domain->ops->iova_to_phys(domain, iova) : 0;
}
