// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the kernel itself uses: pinned for it, or read and written through.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

#include <string.h>

/* Pins of one exact range; users counts who asked for it. In pages->access_itree. */
struct iopt_pages_access {
	struct interval_tree_node node;
	u32 users;
};

static struct iopt_pages_access *find_access(struct iopt_pages *pages, unsigned long first,
					     unsigned long last)
{
	struct interval_tree_node *n = interval_tree_iter_first(&pages->access_itree, first, last);

	for (; n; n = interval_tree_iter_next(n, first, last)) {
		if (n->start == first && n->last == last)
			return container_of(n, struct iopt_pages_access, node);
	}
	return NULL;
}

static struct iopt_pages_access *new_access(struct iopt_pages *pages, unsigned long first,
					    unsigned long last)
{
	struct iopt_pages_access *access = kzalloc(sizeof(*access), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!access)
		return ERR_PTR(-ENOMEM);
	rc = iopt_pages_pin(pages, first, last);
	if (rc) {
		kfree(access);
		return ERR_PTR(rc);
	}
	access->node.start = first;
	access->node.last = last;
	interval_tree_insert(&access->node, &pages->access_itree);
	return access;
}

int iopt_area_add_access(struct iopt_area *area, unsigned long first, unsigned long last,
			 struct page **out_pages, u32 flags)
{
	struct iopt_pages *pages = area->pages;
	struct iopt_pages_access *access;
	int rc = 0;

	if (flags & IOMMUFD_ACCESS_RW_WRITE && !pages->writable)
		return -EPERM;
	if (pages->dmabuf)
		return -EINVAL;
	mutex_lock(&pages->mutex);
	access = find_access(pages, first, last);
	if (!access)
		access = new_access(pages, first, last);
	if (IS_ERR(access)) {
		rc = (int)PTR_ERR(access);
	} else {
		access->users++;
		area->num_accesses++;
		area->num_locks += !!(flags & IOPT_ACCESS_LOCK);
		iopt_pages_list(pages, first, last, out_pages);
	}
	mutex_unlock(&pages->mutex);
	return rc;
}

void iopt_area_remove_access(struct iopt_area *area, unsigned long first, unsigned long last,
			     bool locked)
{
	struct iopt_pages *pages = area->pages;
	struct iopt_pages_access *access;

	mutex_lock(&pages->mutex);
	access = find_access(pages, first, last);
	if (!WARN_ON(!access || !area->num_accesses)) {
		area->num_accesses--;
		area->num_locks -= locked;
		if (!--access->users) {
			interval_tree_remove(&access->node, &pages->access_itree);
			iopt_pages_unpin(pages, first, last);
			kfree(access);
		}
	}
	mutex_unlock(&pages->mutex);
}

/* --- reading and writing --- */

static void copy_page(const struct page *page, unsigned long offset, void *data,
		      unsigned long length, u32 flags)
{
	char *at = (char *)page_address(page) + offset;

	if (flags & IOMMUFD_ACCESS_RW_WRITE)
		memcpy(at, data, length);
	else
		memcpy(data, at, length);
}

/* By the pages that are pinned, or pinned for the moment. */
static int rw_slow(struct iopt_pages *pages, unsigned long start, void *data,
		   unsigned long length, u32 flags)
{
	int rc = 0;

	mutex_lock(&pages->mutex);
	while (length) {
		unsigned long offset = start % PAGE_SIZE, n = min(PAGE_SIZE - offset, length);
		struct page *page = iopt_pages_page(pages, start / PAGE_SIZE), *pinned = NULL;
		long got;

		if (!page) {
			got = iopt_pages_pin_raw(pages, start / PAGE_SIZE, 1, &pinned);
			if (got < 0) {
				rc = (int)got;
				break;
			}
			page = pinned;
		}
		copy_page(page, offset, data, n, flags);
		if (pinned)
			unpin_user_page(pinned);
		data = (char *)data + n;
		start += n;
		length -= n;
	}
	mutex_unlock(&pages->mutex);
	return rc;
}

/* One page of another process, as it is there now, whatever is pinned. */
static int rw_page(struct iopt_pages *pages, unsigned long start, void *data,
		   unsigned long length, u32 flags)
{
	u32 gup = FOLL_PIN | (flags & IOMMUFD_ACCESS_RW_WRITE ? FOLL_WRITE : 0);
	struct page *page;
	long got;

	if (pages->file || !mmget_not_zero(pages->source_mm))
		return rw_slow(pages, start, data, length, flags);
	got = iommufd_should_fail() ? -EINVAL :
	      pin_user_pages(pages->source_mm, pages->uptr + start, 1, gup, &page);
	if (got == 1) {
		copy_page(page, start % PAGE_SIZE, data, length, flags);
		unpin_user_page(page);
	}
	mmput(pages->source_mm);
	return got == 1 ? 0 : (int)got;
}

int iopt_pages_rw_access(struct iopt_pages *pages, unsigned long start_byte, void *data,
			 unsigned long length, u32 flags)
{
	bool foreign = pages->file || current_mm() != pages->source_mm ||
		       flags & IOMMUFD_ACCESS_RW_SLOW_PATH;
	unsigned long last = start_byte + length - 1;
	void *uptr = u64_to_user_ptr(pages->uptr + start_byte);
	unsigned long left;

	if (flags & IOMMUFD_ACCESS_RW_WRITE && !pages->writable)
		return -EPERM;
	if (pages->dmabuf)
		return -EINVAL;
	if (foreign && start_byte / PAGE_SIZE == last / PAGE_SIZE)
		return rw_page(pages, start_byte, data, length, flags);
	if (foreign)
		return rw_slow(pages, start_byte, data, length, flags);
	if (flags & IOMMUFD_ACCESS_RW_WRITE)
		left = copy_to_user(uptr, data, length);
	else
		left = copy_from_user(data, uptr, length);
	return left ? -EFAULT : 0;
}
