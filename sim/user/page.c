// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages: frames with counts. The records lie in the heap, one object per block.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/bug.h"
#include "sim/kapi/slab.h"
#include "sim/mem/frames.h"

struct page *alloc_pages(u32 order, bool zero)
{
	u32 n = 1U << order;
	struct page *page = kcalloc(n, sizeof(*page), GFP_KERNEL);
	u64 pa;

	if (!page)
		return NULL;
	pa = frame_alloc(this_world(), order, zero ? FRAME_ZERO : 0);
	if (!pa) {
		kfree(page);
		return NULL;
	}
	for (u32 i = 0; i < n; i++)
		page[i] = (struct page){.head = page, .pfn = (u32)(pa >> PAGE_SHIFT) + i};
	page->order = order;
	page->refs = 1;
	return page;
}

void get_page(struct page *page)
{
	page->head->refs++;
}

static void put_refs(struct page *head, int refs)
{
	head->refs -= refs;
	if (head->refs)
		return;
	frame_free(this_world(), page_to_phys(head), head->order);
	kfree(head);
}

void put_page(struct page *page)
{
	put_refs(page->head, 1);
}

void pin_page(struct page *page)
{
	struct page *head = page->head;

	head->pins++;
	head->refs += head->order ? 1 : GUP_PIN_COUNTING_BIAS;
}

void unpin_user_page(struct page *page)
{
	struct page *head = page->head;

	if (WARN(head->pins <= 0, "unpinned a page that is not pinned: pfn %#x", page->pfn))
		return;
	head->pins--;
	put_refs(head, head->order ? 1 : GUP_PIN_COUNTING_BIAS);
}

void *page_address(const struct page *page)
{
	return frame_ptr(this_world(), page_to_phys(page));
}
