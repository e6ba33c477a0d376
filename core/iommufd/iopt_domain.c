// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which domains and accesses an IOVA space serves, and the alignment that
 * follows from them; cutting areas; dirty bits.
 *
 * Removing a domain must not fail and needs no memory.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

static unsigned long min_page(const struct iommu_domain *domain)
{
	return BIT(bit_lowest(domain->pgsize_bitmap));
}

/* Whether what is mapped would lie right. */
static int check_alignment(struct io_pagetable *iopt, unsigned long alignment)
{
	unsigned long mask = alignment - 1;
	struct iopt_area *area;

	for_each_area(area, iopt) {
		if ((iopt_area_iova(area) | iopt_area_length(area) | area->page_offset) & mask)
			return -EADDRINUSE;
	}
	return 0;
}

static int calculate_alignment(struct io_pagetable *iopt)
{
	unsigned long index, alignment = iopt->disable_large_pages ? PAGE_SIZE : 1;
	struct iommufd_access *access;
	struct iommu_domain *domain;
	int rc;

	xa_for_each(&iopt->domains, index, domain)
		alignment = max(alignment, min_page(domain));
	xa_for_each(&iopt->access_list, index, access)
		alignment = max(alignment, access->iova_alignment);
	if (alignment > iopt->iova_alignment) {
		rc = check_alignment(iopt, alignment);
		if (rc)
			return rc;
	}
	iopt->iova_alignment = alignment;
	return 0;
}

static void lock_both(struct io_pagetable *iopt)
{
	down_write(&iopt->domains_rwsem);
	down_write(&iopt->iova_rwsem);
}

static void unlock_both(struct io_pagetable *iopt)
{
	up_write(&iopt->iova_rwsem);
	up_write(&iopt->domains_rwsem);
}

/* --- domains --- */

static void unfill_domain(struct io_pagetable *iopt, struct iommu_domain *domain,
			  const struct iopt_area *end, bool last)
{
	struct iopt_area *area;

	for_each_area(area, iopt) {
		if (area == end)
			break;
		if (area->pages)
			iopt_area_unfill_domain(area, domain, last);
	}
}

static int fill_domain(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	struct iopt_area *area;
	int rc;

	for_each_area(area, iopt) {
		if (!area->pages)
			continue;
		rc = iopt_area_fill_domain(area, domain);
		if (rc) {
			unfill_domain(iopt, domain, area, !iopt->next_domain_id);
			return rc;
		}
	}
	return 0;
}

/* What the domain cannot translate is reserved in its name. */
static int reserve_aperture(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	int rc = 0;

	if (domain->geometry.aperture_start)
		rc = iopt_reserve_iova(iopt, 0, domain->geometry.aperture_start - 1, domain);
	if (!rc && domain->geometry.aperture_end != ~0UL)
		rc = iopt_reserve_iova(iopt, domain->geometry.aperture_end + 1, ~0UL, domain);
	return rc;
}

static int add_domain(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	unsigned long alignment = max(min_page(domain), iopt->iova_alignment);
	int rc;

	if (alignment > PAGE_SIZE)
		return -EINVAL;
	if (alignment != iopt->iova_alignment) {
		rc = check_alignment(iopt, alignment);
		if (rc)
			return rc;
	}
	rc = reserve_aperture(iopt, domain);
	if (rc)
		goto err_reserved;
	rc = xa_reserve(&iopt->domains, iopt->next_domain_id, GFP_KERNEL);
	if (rc)
		goto err_reserved;
	rc = fill_domain(iopt, domain);
	if (rc)
		goto err_release;
	iopt->iova_alignment = alignment;
	xa_store(&iopt->domains, iopt->next_domain_id, domain, GFP_KERNEL);
	iopt->next_domain_id++;
	return 0;

err_release:
	xa_release(&iopt->domains, iopt->next_domain_id);
err_reserved:
	__iopt_remove_reserved_iova(iopt, domain);
	return rc;
}

/* dup: the domain maps whatever the space maps from now on, or nothing has changed. */
int iopt_table_add_domain(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	int rc;

	lock_both(iopt);
	rc = add_domain(iopt, domain);
	unlock_both(iopt);
	return rc;
}

/* dup: the last one takes the place of the one that goes. */
void iopt_table_remove_domain(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	struct iommu_domain *at = NULL, *tail;
	unsigned long index;

	lock_both(iopt);
	xa_for_each(&iopt->domains, index, at) {
		if (at == domain)
			break;
	}
	if (!WARN_ON(at != domain)) {
		iopt->next_domain_id--;
		tail = xa_erase(&iopt->domains, iopt->next_domain_id);
		if (index != iopt->next_domain_id)
			xa_store(&iopt->domains, index, tail, GFP_KERNEL);
		unfill_domain(iopt, domain, NULL, !iopt->next_domain_id);
		__iopt_remove_reserved_iova(iopt, domain);
		WARN_ON(calculate_alignment(iopt));
	}
	unlock_both(iopt);
}

/* --- accesses, large pages --- */

int iopt_add_access(struct io_pagetable *iopt, struct iommufd_access *access)
{
	u32 id;
	int rc;

	lock_both(iopt);
	rc = xa_alloc(&iopt->access_list, &id, access, xa_limit_16b, GFP_KERNEL_ACCOUNT);
	if (!rc) {
		if (bug_on(BUG_IOMMUFD_ACCESS_ID_OVERWRITE))
			access->iopt_access_list_id = id;
		rc = calculate_alignment(iopt);
		if (rc)
			xa_erase(&iopt->access_list, id);
		else
			access->iopt_access_list_id = id;
	}
	unlock_both(iopt);
	return rc;
}

void iopt_remove_access(struct io_pagetable *iopt, struct iommufd_access *access, u32 id)
{
	lock_both(iopt);
	WARN_ON(xa_erase(&iopt->access_list, id) != access);
	WARN_ON(calculate_alignment(iopt));
	unlock_both(iopt);
}

void iopt_enable_large_pages(struct io_pagetable *iopt)
{
	lock_both(iopt);
	WRITE_ONCE(iopt->disable_large_pages, false);
	WARN_ON(calculate_alignment(iopt));
	unlock_both(iopt);
}

/* dup: -EINVAL once something may be mapped with large pages. */
int iopt_disable_large_pages(struct io_pagetable *iopt)
{
	int rc = 0;

	lock_both(iopt);
	if (iopt->disable_large_pages)
		goto out;
	if (!xa_empty(&iopt->domains) && !interval_tree_empty(&iopt->area_itree)) {
		rc = -EINVAL;
		goto out;
	}
	WRITE_ONCE(iopt->disable_large_pages, true);
	rc = calculate_alignment(iopt);
	if (rc)
		WRITE_ONCE(iopt->disable_large_pages, false);
out:
	unlock_both(iopt);
	return rc;
}

/* --- cutting --- */

/* Two areas in the place of one; both are memory that is there. With pages->mutex. */
static void replace_by_two(struct iopt_area *area, struct iopt_area *lhs, struct iopt_area *rhs,
			   unsigned long new_start)
{
	struct io_pagetable *iopt = area->iopt;
	struct iopt_pages_list slice = {.pages = area->pages,
					.start_byte = iopt_area_start_byte(area, area->node.start),
					.length = new_start - area->node.start};

	interval_tree_remove(&area->node, &iopt->area_itree);
	WARN_ON(iopt_insert_area(iopt, lhs, &slice, area->node.start, area->iommu_prot));
	slice.start_byte += slice.length;
	slice.length = area->node.last - new_start + 1;
	WARN_ON(iopt_insert_area(iopt, rhs, &slice, new_start, area->iommu_prot));
	lhs->filled = area->filled;
	rhs->filled = area->filled && !bug_on(BUG_IOMMUFD_SPLIT_ITREE);
	lhs->pages = rhs->pages = area->pages;
	kref_get(&rhs->pages->kref);
}

/* dup: refused where accesses or large pages may cross the cut. */
static int split_area(struct iopt_area *area, unsigned long last)
{
	const struct io_pagetable *iopt = area->iopt;
	unsigned long new_start = last + 1, mask = iopt->iova_alignment - 1;
	struct iopt_area *lhs, *rhs;
	struct iopt_pages *pages = area->pages;
	int rc = -EINVAL;

	if (last == iopt_area_iova(area) || last == iopt_area_last_iova(area))
		return 0;
	if (!pages || area->prevent_access)
		return -EBUSY;
	/* dup: what is to be taken back is not cut. */
	if (pages->dmabuf)
		return -EOPNOTSUPP;
	if ((new_start | iopt_area_start_byte(area, new_start)) & mask)
		return -EINVAL;
	lhs = iopt_area_alloc();
	rhs = lhs ? iopt_area_alloc() : NULL;
	if (!rhs) {
		kfree(lhs);
		return -ENOMEM;
	}
	mutex_lock(&pages->mutex);
	if (!area->num_accesses && (!area->filled || iopt->disable_large_pages)) {
		replace_by_two(area, lhs, rhs, new_start);
		rc = 0;
	}
	mutex_unlock(&pages->mutex);
	if (rc) {
		kfree(lhs);
		kfree(rhs);
	} else {
		kfree(area);
	}
	return rc;
}

int iopt_cut_iova(struct io_pagetable *iopt, const unsigned long *iovas, u32 n)
{
	int rc = 0;

	down_write(&iopt->iova_rwsem);
	for (u32 i = 0; i < n && !rc; i++) {
		struct iopt_area *area = iopt_area_iter_first(iopt, iovas[i], iovas[i]);

		if (area)
			rc = split_area(area, iovas[i]);
	}
	up_write(&iopt->iova_rwsem);
	return rc;
}

/* --- dirty bits --- */

/* A user's bitmap that is written while a domain is read. */
struct user_bitmap {
	struct iommu_dirty_bitmap dirty; /* first */
	u64 iova, data, n_bytes;
	u32 pgshift;
};

static bool set_byte(u64 at, u8 bits)
{
	u8 byte;

	if (mm_access(current_mm(), &byte, at, 1, false))
		return false;
	byte |= bits;
	return !mm_access(current_mm(), &byte, at, 1, true);
}

/*
 * dup: bits beyond the bitmap's last byte are set, too, up to the end of its page,
 * when they belong to a page that began within; what cannot be written is silent.
 */
static void record_dirty(struct iommu_dirty_bitmap *dirty, u64 iova, u64 length)
{
	const struct user_bitmap *b = container_of(dirty, struct user_bitmap, dirty);
	u64 bit = (iova - b->iova) >> b->pgshift;
	u64 last = (iova + length - 1 - b->iova) >> b->pgshift;
	u64 end = PAGE_ALIGN(b->data + b->n_bytes) - b->data;

	if (iova < b->iova || bit / 8 >= b->n_bytes)
		return;
	while (bit <= last && bit / 8 < end) {
		u32 from = bit % 8, to = bit / 8 == last / 8 ? last % 8 : 7;

		if (!set_byte(b->data + bit / 8, (u8)(0xff << from & 0xff >> (7 - to))))
			return;
		bit += to - from + 1;
	}
}

static int check_range(const struct io_pagetable *iopt,
		       const struct iommu_hwpt_get_dirty_bitmap *bitmap)
{
	u64 mask = iopt->iova_alignment - 1, last;

	if (!bitmap->length)
		return -EINVAL;
	if (__builtin_add_overflow(bitmap->iova, bitmap->length - 1, &last))
		return -EOVERFLOW;
	if ((bitmap->iova | (last + 1)) & mask)
		return -EINVAL;
	if (!bitmap->page_size)
		return -EINVAL;
	mask = bitmap->page_size - 1;
	return (bitmap->iova | (last + 1)) & mask ? -EINVAL : 0;
}

/* dup: the walk's own errors (holes, a bitmap that cannot be written) are dropped. */
int iopt_read_and_clear_dirty_data(struct io_pagetable *iopt, struct iommu_domain *domain,
				   const struct iommu_hwpt_get_dirty_bitmap *bitmap)
{
	struct user_bitmap b = {.dirty = {record_dirty}, .iova = bitmap->iova,
				.data = bitmap->data};
	unsigned long last = bitmap->iova + bitmap->length - 1;
	struct iopt_area *area;
	struct iopt_contig c;
	int rc = check_range(iopt, bitmap);

	if (rc)
		return rc;
	b.pgshift = bit_lowest(bitmap->page_size);
	b.n_bytes = (((bitmap->length - 1) >> b.pgshift) / 8) + 1;
	if (bug_on(BUG_IOMMUFD_BITMAP_SHIFT)) {
		/* 1 << pgshift as an int: what UBSAN says of it, and what processors make of it. */
		WARN(b.pgshift >= 32, "shift-out-of-bounds");
		b.pgshift &= 31;
	}
	if (bug_on(BUG_IOMMUFD_BITMAP_DIV0)) {
		/* What a page of the bitmap stands for divides the length. */
		BUG_ON(bitmap->page_size * 8 * PAGE_SIZE == 0);
	}
	down_read(&iopt->iova_rwsem);
	if (!domain->dirty_ops) {
		up_read(&iopt->iova_rwsem);
		return -EOPNOTSUPP;
	}
	iopt_for_each_contig_area(&c, area, iopt, bitmap->iova, last) {
		unsigned long end = min(last, iopt_area_last_iova(area));

		if (domain->dirty_ops->read_and_clear_dirty(domain, c.cur_iova,
							    end - c.cur_iova + 1, bitmap->flags,
							    &b.dirty))
			break;
	}
	up_read(&iopt->iova_rwsem);
	return 0;
}

static int clear_all(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	struct iommu_dirty_bitmap nobody = {.record = NULL};
	struct iopt_area *area;
	int rc;

	for_each_area(area, iopt) {
		if (!area->pages)
			continue;
		rc = domain->dirty_ops->read_and_clear_dirty(domain, iopt_area_iova(area),
							     iopt_area_length(area), 0, &nobody);
		if (rc)
			return rc;
	}
	return 0;
}

/* dup: what was dirty before tracking began is not reported. */
int iopt_set_dirty_tracking(struct io_pagetable *iopt, struct iommu_domain *domain, bool enable)
{
	int rc = 0;

	if (!domain->dirty_ops)
		return -EOPNOTSUPP;
	down_read(&iopt->iova_rwsem);
	if (enable)
		rc = clear_all(iopt, domain);
	if (!rc)
		rc = domain->dirty_ops->set_dirty_tracking(domain, enable);
	up_read(&iopt->iova_rwsem);
	return rc;
}
