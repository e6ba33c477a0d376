// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which IOVAs may be used: reserved ranges (a domain's aperture, a device's
 * regions), ranges that user space was promised (allowed), and the choice of a
 * free one.
 */
#include "core/iommufd/iommufd_priv.h"

static struct interval_tree_node *reserved_first(struct io_pagetable *iopt, unsigned long start,
						 unsigned long last)
{
	return interval_tree_iter_first(&iopt->reserved_itree, start, last);
}

/* --- choosing --- */

/* How an IOVA must lie. */
struct fit {
	unsigned long length, alignment, page_offset;
};

/* Moves *start up to where the length fits, as Linux counts: the last byte is not enough. */
static bool fits(const struct fit *f, unsigned long *start, unsigned long last)
{
	unsigned long at;

	if (__builtin_add_overflow(*start, f->alignment - 1, &at) &&
	    !bug_on(BUG_IOMMUFD_ALIGN_OVERFLOW_END))
		return false;
	at = (at & ~(f->alignment - 1)) | f->page_offset;
	if (at >= last || last - at < f->length - 1)
		return false;
	*start = at;
	return true;
}

/* The first run of [start, last] that is neither reserved nor an area. */
static bool next_hole(struct io_pagetable *iopt, unsigned long start, unsigned long last,
		      unsigned long *hole, unsigned long *hole_last)
{
	unsigned long first, end;

	while (interval_tree_hole(&iopt->reserved_itree, start, last, &first, &end)) {
		if (interval_tree_hole(&iopt->area_itree, first, end, hole, hole_last))
			return true;
		if (end >= last)
			return false;
		start = end + 1;
	}
	return false;
}

static bool find_in(struct io_pagetable *iopt, const struct fit *f, unsigned long start,
		    unsigned long last, unsigned long *iova)
{
	unsigned long hole, end;

	while (next_hole(iopt, start, last, &hole, &end)) {
		if (fits(f, &hole, end)) {
			*iova = hole;
			return true;
		}
		if (end >= last)
			return false;
		start = end + 1;
	}
	return false;
}

/* A run of allowed ranges that touch; no list at all allows everything. */
static bool next_allowed(struct io_pagetable *iopt, unsigned long start, unsigned long last,
			 unsigned long *first, unsigned long *end)
{
	struct interval_tree_node *n;

	*first = start;
	*end = last;
	if (interval_tree_empty(&iopt->allowed_itree))
		return true;
	n = interval_tree_iter_first(&iopt->allowed_itree, start, last);
	if (!n)
		return false;
	*first = max(start, n->start);
	while (n && n->last < last) {
		unsigned long next = n->last + 1;

		*end = n->last;
		n = interval_tree_iter_first(&iopt->allowed_itree, next, next);
	}
	*end = n ? min(n->last, last) : *end;
	return true;
}

static unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << (bit_highest(n - 1) + 1);
}

/* As a kernel with transparent huge pages. */
#define MAX_AUTO_ALIGNMENT HPAGE_SIZE

/* dup: keeps the offset in the page of what is mapped; never gives 0. */
int iopt_alloc_iova(struct io_pagetable *iopt, unsigned long *iova, u64 uptr,
		    unsigned long length)
{
	const unsigned long highest = ~0UL - PAGE_SIZE;
	struct fit f = {.length = length, .page_offset = uptr % PAGE_SIZE};
	unsigned long start = PAGE_SIZE, first, last;

	if (!length || length >= ~0UL / 2)
		return -EOVERFLOW;
	f.alignment = roundup_pow_of_two(length);
	if (uptr)
		f.alignment = min(f.alignment, BIT(bit_lowest(uptr)));
	f.alignment = min(f.alignment, MAX_AUTO_ALIGNMENT);
	if (f.alignment < iopt->iova_alignment)
		return -EINVAL;
	while (start <= highest && next_allowed(iopt, start, highest, &first, &last)) {
		if (fits(&f, &first, last) && find_in(iopt, &f, first, last, iova))
			return 0;
		if (last >= highest)
			break;
		start = last + 1;
	}
	return -ENOSPC;
}

/* dup: whether an IOVA that user space has chosen is free. */
int iopt_check_iova(struct io_pagetable *iopt, unsigned long iova, unsigned long length)
{
	unsigned long last;

	if (iova & (iopt->iova_alignment - 1))
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (reserved_first(iopt, iova, last))
		return -EINVAL;
	return iopt_area_iter_first(iopt, iova, last) ? -EEXIST : 0;
}

/* --- reserving, allowing --- */

/* dup: with iova_rwsem for writing. */
int iopt_reserve_iova(struct io_pagetable *iopt, unsigned long start, unsigned long last,
		      void *owner)
{
	struct iopt_reserved *r;

	lockdep_assert_held_write(&iopt->iova_rwsem);
	if (iopt_area_iter_first(iopt, start, last) ||
	    interval_tree_iter_first(&iopt->allowed_itree, start, last))
		return -EADDRINUSE;
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	r->node.start = start;
	r->node.last = last;
	r->owner = owner;
	interval_tree_insert(&r->node, &iopt->reserved_itree);
	return 0;
}

void __iopt_remove_reserved_iova(struct io_pagetable *iopt, void *owner)
{
	struct interval_tree_node *n, *next;

	lockdep_assert_held_write(&iopt->iova_rwsem);
	for (n = reserved_first(iopt, 0, ~0UL); n; n = next) {
		struct iopt_reserved *r = container_of(n, struct iopt_reserved, node);

		next = interval_tree_iter_next(n, 0, ~0UL);
		if (r->owner != owner)
			continue;
		interval_tree_remove(n, &iopt->reserved_itree);
		kfree(r);
	}
}

void iopt_remove_reserved_iova(struct io_pagetable *iopt, void *owner)
{
	down_write(&iopt->iova_rwsem);
	__iopt_remove_reserved_iova(iopt, owner);
	up_write(&iopt->iova_rwsem);
}

static bool hits_reserved(struct io_pagetable *iopt, struct interval_tree_root *allowed)
{
	struct interval_tree_node *n = interval_tree_iter_first(allowed, 0, ~0UL);

	for (; n; n = interval_tree_iter_next(n, 0, ~0UL)) {
		if (reserved_first(iopt, n->start, n->last))
			return true;
	}
	return false;
}

int iopt_set_allow_iova(struct io_pagetable *iopt, struct interval_tree_root *allowed)
{
	struct interval_tree_root old;
	int rc = -EADDRINUSE;

	down_write(&iopt->iova_rwsem);
	if (!hits_reserved(iopt, allowed)) {
		old = iopt->allowed_itree;
		iopt->allowed_itree = *allowed;
		*allowed = old;
		rc = 0;
	}
	up_write(&iopt->iova_rwsem);
	return rc;
}

void iopt_free_allowed(struct interval_tree_root *allowed)
{
	struct interval_tree_node *n;

	while ((n = interval_tree_iter_first(allowed, 0, ~0UL))) {
		interval_tree_remove(n, allowed);
		kfree(container_of(n, struct iopt_allowed, node));
	}
}

/* dup: a device's regions, owned by it; all or none. */
int iopt_table_enforce_dev_resv_regions(struct io_pagetable *iopt, struct device *dev)
{
	struct iommu_resv_region *resv;
	LIST_HEAD(regions);
	int rc = 0;

	if (iommufd_should_fail())
		return -EINVAL;
	down_write(&iopt->iova_rwsem);
	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(resv, &regions, list) {
		if (resv->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		rc = iopt_reserve_iova(iopt, resv->start, resv->start + (resv->length - 1), dev);
		if (rc) {
			__iopt_remove_reserved_iova(iopt, dev);
			break;
		}
	}
	iommu_put_resv_regions(&regions);
	up_write(&iopt->iova_rwsem);
	return rc;
}
