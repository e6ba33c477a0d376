// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOVA spaces: mapping, unmapping, and what a range is made of.
 *
 * Mapping goes in three steps, so that no lock is held while pages are pinned for
 * long: with iova_rwsem an IOVA is chosen and an area without pages put there;
 * with domains_rwsem (for reading) its pages go into every domain; with
 * iova_rwsem again the area gets its pages. Unmapping goes the other way. So
 * whoever adds a domain finds every area either complete or not at all, and who
 * meets an area without pages is told -EBUSY.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

void iopt_init_table(struct io_pagetable *iopt)
{
	init_rwsem(&iopt->iova_rwsem);
	init_rwsem(&iopt->domains_rwsem);
	xa_init(&iopt->domains);
	xa_init_flags(&iopt->access_list, XA_FLAGS_ALLOC);
	iopt->iova_alignment = 1;
}

void iopt_destroy_table(struct io_pagetable *iopt)
{
	iopt_remove_reserved_iova(iopt, NULL);
	iopt_free_allowed(&iopt->allowed_itree);
	WARN_ON(!interval_tree_empty(&iopt->reserved_itree));
	WARN_ON(!xa_empty(&iopt->domains));
	WARN_ON(!xa_empty(&iopt->access_list));
	WARN_ON(!interval_tree_empty(&iopt->area_itree));
	xa_destroy(&iopt->domains);
	xa_destroy(&iopt->access_list);
}

/* --- areas that touch --- */

static struct iopt_area *contig_stop(struct iopt_contig *c)
{
	c->area = NULL;
	return NULL;
}

struct iopt_area *iopt_contig_first(struct iopt_contig *c, struct io_pagetable *iopt,
				    unsigned long iova, unsigned long last_iova)
{
	*c = (struct iopt_contig){.iopt = iopt, .cur_iova = iova, .last_iova = last_iova};
	c->area = iopt_area_iter_first(iopt, iova, iova);
	if (!c->area || !c->area->pages)
		return contig_stop(c);
	return c->area;
}

struct iopt_area *iopt_contig_next(struct iopt_contig *c)
{
	unsigned long last;

	if (!c->area)
		return NULL;
	last = iopt_area_last_iova(c->area);
	if (c->last_iova <= last)
		return NULL; /* done: c->area stays, see iopt_contig_done() */
	c->cur_iova = last + 1;
	c->area = iopt_area_iter_first(c->iopt, c->cur_iova, c->last_iova);
	if (!c->area || iopt_area_iova(c->area) != c->cur_iova || !c->area->pages)
		return contig_stop(c);
	return c->area;
}

/* --- mapping --- */

struct iopt_area *iopt_area_alloc(void)
{
	return kzalloc(sizeof(struct iopt_area), GFP_KERNEL_ACCOUNT);
}

/* Without pages: whoever calls it gives it some later, or takes it out again. */
int iopt_insert_area(struct io_pagetable *iopt, struct iopt_area *area,
		     const struct iopt_pages_list *slice, unsigned long iova, int iommu_prot)
{
	unsigned long last_byte;

	if (iommu_prot & IOMMU_WRITE && !slice->pages->writable)
		return -EPERM;
	area->iommu_prot = iommu_prot;
	area->page_offset = slice->start_byte % PAGE_SIZE;
	if (area->page_offset & (iopt->iova_alignment - 1))
		return -EINVAL;
	area->node.start = iova;
	if (__builtin_add_overflow(iova, slice->length - 1, &area->node.last) ||
	    __builtin_add_overflow(slice->start_byte, slice->length - 1, &last_byte))
		return -EOVERFLOW;
	area->first_index = slice->start_byte / PAGE_SIZE;
	area->last_index = last_byte / PAGE_SIZE;
	if (WARN_ON(area->last_index >= slice->pages->npages))
		return -EOVERFLOW;
	area->iopt = iopt;
	interval_tree_insert(&area->node, &iopt->area_itree);
	return 0;
}

static void abort_area(struct iopt_area *area)
{
	struct io_pagetable *iopt = area->iopt;

	WARN_ON(area->pages);
	if (iopt) {
		down_write(&iopt->iova_rwsem);
		interval_tree_remove(&area->node, &iopt->area_itree);
		up_write(&iopt->iova_rwsem);
	}
	kfree(area);
}

/* With iova_rwsem: where the slices go. */
static int choose_iova(struct io_pagetable *iopt, struct list_head *pages_list,
		       unsigned long length, unsigned long *iova, bool alloc_iova)
{
	struct iopt_pages_list *first;
	int rc;

	if (!length || length & (iopt->iova_alignment - 1))
		return -EINVAL;
	if (!alloc_iova)
		return iopt_check_iova(iopt, *iova, length);
	first = list_first_entry(pages_list, struct iopt_pages_list, next);
	rc = iopt_alloc_iova(iopt, iova, first->pages->uptr + first->start_byte, length);
	if (!rc && WARN_ON(iopt_check_iova(iopt, *iova, length)))
		rc = -EINVAL;
	return rc;
}

/* Areas without pages, one per slice. On failure those inserted stay with their slices. */
static int place_areas(struct io_pagetable *iopt, struct list_head *pages_list,
		       unsigned long length, unsigned long *dst_iova, int iommu_prot,
		       bool alloc_iova)
{
	struct iopt_pages_list *slice;
	unsigned long iova;
	int rc;

	list_for_each_entry(slice, pages_list, next) {
		slice->area = iopt_area_alloc();
		if (!slice->area)
			return -ENOMEM;
	}
	down_write(&iopt->iova_rwsem);
	rc = choose_iova(iopt, pages_list, length, dst_iova, alloc_iova);
	iova = *dst_iova;
	list_for_each_entry(slice, pages_list, next) {
		if (rc)
			break;
		rc = iopt_insert_area(iopt, slice->area, slice, iova, iommu_prot);
		iova += slice->length;
	}
	up_write(&iopt->iova_rwsem);
	return rc;
}

static int fill_areas(struct list_head *pages_list)
{
	struct iopt_pages_list *slice, *undo;
	int rc;

	list_for_each_entry(slice, pages_list, next) {
		rc = iopt_area_fill_domains(slice->area, slice->pages);
		if (!rc)
			continue;
		list_for_each_entry(undo, pages_list, next) {
			if (undo == slice)
				break;
			iopt_area_unfill_domains(undo->area, undo->pages);
		}
		return rc;
	}
	return 0;
}

int iopt_map_pages(struct io_pagetable *iopt, struct list_head *pages_list, unsigned long length,
		   unsigned long *dst_iova, int iommu_prot, bool alloc_iova)
{
	struct iopt_pages_list *slice;
	int rc = place_areas(iopt, pages_list, length, dst_iova, iommu_prot, alloc_iova);

	if (rc)
		return rc;
	down_read(&iopt->domains_rwsem);
	rc = fill_areas(pages_list);
	if (!rc) {
		down_write(&iopt->iova_rwsem);
		/* Still with domains_rwsem: a domain that is added next fills them. */
		list_for_each_entry(slice, pages_list, next) {
			slice->area->pages = slice->pages;
			slice->pages = NULL;
			slice->area = NULL;
		}
		up_write(&iopt->iova_rwsem);
	}
	up_read(&iopt->domains_rwsem);
	return rc;
}

static void drop_slice(struct iopt_pages_list *slice)
{
	if (slice->area)
		abort_area(slice->area);
	if (slice->pages)
		iopt_put_pages(slice->pages);
}

void iopt_free_pages_list(struct list_head *pages_list, const struct iopt_pages_list *own)
{
	while (!list_empty(pages_list)) {
		struct iopt_pages_list *slice =
			list_first_entry(pages_list, struct iopt_pages_list, next);

		drop_slice(slice);
		list_del(&slice->next);
		if (slice != own)
			kfree(slice);
	}
}

int iopt_map_slice(struct io_pagetable *iopt, struct iopt_pages_list *slice,
		   unsigned long *dst_iova, int iommu_prot, bool alloc_iova)
{
	LIST_HEAD(pages_list);
	int rc;

	list_add(&slice->next, &pages_list);
	rc = iopt_map_pages(iopt, &pages_list, slice->length, dst_iova, iommu_prot, alloc_iova);
	if (rc)
		drop_slice(slice);
	return rc;
}

/* The slices behind a range of IOVAs, whole areas or not; the first is *own. */
int iopt_get_pages(struct io_pagetable *iopt, unsigned long iova, unsigned long length,
		   struct iopt_pages_list *own, struct list_head *pages_list)
{
	struct iopt_pages_list *slice = own;
	unsigned long last_iova;
	struct iopt_area *area;
	struct iopt_contig c;
	int rc = 0;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last_iova))
		return -EOVERFLOW;
	down_read(&iopt->iova_rwsem);
	iopt_for_each_contig_area(&c, area, iopt, iova, last_iova) {
		if (!slice)
			slice = kzalloc(sizeof(*slice), GFP_KERNEL_ACCOUNT);
		if (!slice) {
			rc = -ENOMEM;
			break;
		}
		slice->start_byte = iopt_area_start_byte(area, c.cur_iova);
		slice->length = min(last_iova, iopt_area_last_iova(area)) - c.cur_iova + 1;
		slice->pages = area->pages;
		kref_get(&slice->pages->kref);
		list_add_tail(&slice->next, pages_list);
		slice = NULL;
	}
	if (!rc && !iopt_contig_done(&c))
		rc = -ENOENT;
	up_read(&iopt->iova_rwsem);
	if (rc)
		iopt_free_pages_list(pages_list, own);
	return rc;
}

/* --- unmapping --- */

#define UNMAP_TRIES 100

/* An area without accesses goes. With both locks, of which iova_rwsem is dropped meanwhile. */
static void tear_down(struct io_pagetable *iopt, struct iopt_area *area)
{
	struct iopt_pages *pages = area->pages;

	area->pages = NULL;
	up_write(&iopt->iova_rwsem);
	iopt_area_unfill_domains(area, pages);
	abort_area(area);
	iopt_put_pages(pages);
	down_write(&iopt->iova_rwsem);
}

/* What stands against tearing an area down: 0: nothing; 1: accesses; or -errno. */
static int unmap_check(const struct iopt_area *area, unsigned long start, unsigned long last)
{
	if (!area->pages || area->num_locks)
		return -EBUSY;
	if (iopt_area_iova(area) < start || iopt_area_last_iova(area) > last)
		return -ENOENT;
	return area->num_accesses ? 1 : 0;
}

/*
 * The part between two calls to accesses: takes areas down until there are none,
 * or one that an access has pinned: 1, and it is [*start, *acc_last].
 */
static int unmap_areas(struct io_pagetable *iopt, unsigned long *start, unsigned long last,
		       unsigned long *acc_last, unsigned long *unmapped)
{
	struct iopt_area *area;
	int rc = 0;

	down_read(&iopt->domains_rwsem);
	down_write(&iopt->iova_rwsem);
	while ((area = iopt_area_iter_first(iopt, *start, last))) {
		unsigned long first = iopt_area_iova(area), end = iopt_area_last_iova(area);

		rc = unmap_check(area, *start, last);
		if (rc == 1) {
			area->prevent_access = true;
			*start = first;
			*acc_last = end;
		}
		if (rc)
			break;
		tear_down(iopt, area);
		*unmapped += end - first + 1;
		/* New areas may already lie where this one was: on, never back. */
		if (end >= last)
			break;
		*start = end + 1;
	}
	up_write(&iopt->iova_rwsem);
	up_read(&iopt->domains_rwsem);
	return rc;
}

static int unmap_range(struct io_pagetable *iopt, unsigned long start, unsigned long last,
		       unsigned long *unmapped)
{
	unsigned long acc_last, asked = ~0UL;
	u32 tries = 0;
	int rc;

	*unmapped = 0;
	while ((rc = unmap_areas(iopt, &start, last, &acc_last, unmapped)) == 1) {
		tries = start == asked ? tries : 0;
		asked = start;
		iommufd_access_notify_unmap(iopt, start, acc_last - start + 1);
		if (WARN_ON(++tries > UNMAP_TRIES))
			return -EDEADLOCK;
	}
	return rc;
}

/* dup: whole areas only. */
int iopt_unmap_iova(struct io_pagetable *iopt, unsigned long iova, unsigned long length,
		    unsigned long *unmapped)
{
	unsigned long last;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	return unmap_range(iopt, iova, last, unmapped);
}

int iopt_unmap_all(struct io_pagetable *iopt, unsigned long *unmapped)
{
	return unmap_range(iopt, 0, ~0UL, unmapped);
}
