// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: page frames: an arena outside the heap, one struct page each. A
 * frame number is drawn, so neighbours in an address space are no neighbours
 * in memory.
 *
 * False: contents of frames are announced to nobody (accesses to them are no
 * scheduling points and are not checked); a freed frame may be used again at
 * once; no zones, no reclaim.
 */
#include "core/hosted/runtime.h"

#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#define FRAMES_MAX 8192
#define FRAME_USED 0x80

static struct page hosted_pages[FRAMES_MAX] __hosted_keep;
static u8 hosted_frames[FRAMES_MAX]; /* FRAME_USED | order, at its first frame */
static unsigned long hosted_n_frames;

struct page *mem_map = hosted_pages;
unsigned long uml_physmem;
unsigned long max_mapnr;
unsigned long max_low_pfn;
unsigned long min_low_pfn;
atomic_long_t _totalram_pages;
atomic_long_t vm_zone_stat[NR_VM_ZONE_STAT_ITEMS];
atomic_long_t vm_node_stat[NR_VM_NODE_STAT_ITEMS];
struct pglist_data contig_page_data;

void hosted_page_boot(void)
{
	hosted_n_frames = min(hosted_floor->n_frames, (unsigned long)FRAMES_MAX);
	uml_physmem = (unsigned long)hosted_floor->frames;
	max_mapnr = hosted_n_frames;
	atomic_long_set(&_totalram_pages, hosted_n_frames);
	hosted_frames[0] = FRAME_USED; /* nothing has physical address 0 */
}

static bool all_free(unsigned long pfn, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		if (hosted_frames[pfn + i])
			return false;
	}
	return true;
}

struct page *hosted_page_alloc(unsigned int order, bool zero)
{
	unsigned long n = 1UL << order, blocks = hosted_n_frames >> order, start;

	if (!blocks)
		return NULL;
	start = hosted_floor->random() % blocks;
	for (unsigned long i = 0; i < blocks; i++) {
		unsigned long pfn = (start + i) % blocks << order;
		struct page *page = hosted_pages + pfn;

		if (!all_free(pfn, n))
			continue;
		memset(page, 0, n * sizeof(*page));
		for (unsigned long k = 0; k < n; k++) {
			hosted_frames[pfn + k] = FRAME_USED | order;
			atomic_set(&page[k]._mapcount, -1);
			INIT_LIST_HEAD(&page[k].lru);
		}
		atomic_set(&page->_refcount, 1);
		if (zero)
			memset(page_address(page), 0, n << PAGE_SHIFT);
		return page;
	}
	return NULL;
}

void hosted_page_free(struct page *page)
{
	unsigned long pfn = page - hosted_pages;
	unsigned long n = 1UL << (hosted_frames[pfn] & ~FRAME_USED);

	if (!hosted_frames[pfn])
		hosted_finding(HOSTED_CALLER, "BUG: Bad page state in %F", "pfn %#lx freed twice",
			       pfn);
	memset(hosted_frames + pfn, 0, n);
}

struct page *hosted_alloc_pages(gfp_t gfp, unsigned int order, unsigned long pc)
{
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	if (!(gfp & __GFP_NOFAIL) && hosted_floor->fails(FLOOR_FAULT_ALLOC, pc))
		return NULL;
	return hosted_page_alloc(order, gfp & __GFP_ZERO);
}

struct page *__alloc_pages_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *mask)
{
	return hosted_alloc_pages(gfp, order, HOSTED_CALLER);
}

/* An inline in older trees. */
struct page *hosted_alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
	HOSTED_NAMED(alloc_pages_node_noprof);

struct page *hosted_alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	return hosted_alloc_pages(gfp, order, HOSTED_CALLER);
}

unsigned long get_free_pages_noprof(gfp_t gfp, unsigned int order)
{
	struct page *page = hosted_alloc_pages(gfp, order, HOSTED_CALLER);

	return page ? (unsigned long)page_address(page) : 0;
}

unsigned long get_zeroed_page_noprof(gfp_t gfp)
{
	return get_free_pages_noprof(gfp | __GFP_ZERO, 0);
}

void __free_pages(struct page *page, unsigned int order)
{
	if (put_page_testzero(page))
		hosted_page_free(page);
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

void __folio_put(struct folio *folio)
{
	hosted_page_free(&folio->page);
}

bool is_vmalloc_addr(const void *p)
{
	return false;
}

int is_vmalloc_or_module_addr(const void *p)
{
	return 0;
}

struct page *vmalloc_to_page(const void *p)
{
	return NULL;
}
