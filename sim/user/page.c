// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages: frames with counts. The records lie in the heap, one object per block.
 */
#include "sim/user/client.h"
#include "sim/user/user_priv.h"

#include "sim/kapi/bug.h"
#include "sim/kapi/slab.h"
#include "sim/mem/frames.h"


/*
 * Whoever writes to a process's memory says so, but for hardware that walks tables there, and
 * clients who see it themselves.
 */
static bool is_told(void)
{
	return !this_world()->hw && !user_client();
}

struct page *alloc_pages(u32 order, bool zero)
{
	u32 n = 1U << order;
	struct page *page = kcalloc(n, sizeof(*page), GFP_KERNEL);
	u64 pa;

	if (!page)
		return NULL;
	pa = frame_alloc(this_world(), order, !zero ? 0 : is_told() ? FRAME_SPAN : FRAME_ZERO);
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
	struct world *w = this_world();

	frame_span(frame_info(w, page_to_phys(page->head)), 0,
		   (u32)((FRAME_SIZE << page->head->order) / sizeof(u64)));
	return frame_ptr(w, page_to_phys(page));
}
