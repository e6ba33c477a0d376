// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: page frames: 4 GiB outside the heap, a struct page each, touched
 * only when used. A frame number is drawn, so neighbours in an address space
 * are no neighbours in memory; only a higher order is contiguous. Draws come
 * from a window that grows as it fills: a small program touches little.
 *
 * Frames are not part of the snapshot that runs start from. An allocation is
 * valid for one epoch (a run, or boot); frames from boot are kept aside when
 * the first run begins and written back at the start of each.
 *
 * False: contents of frames are announced to nobody (accesses to them are no
 * scheduling points and are not checked); a freed frame may be drawn again at
 * once; no zones, no reclaim.
 */
#include "core/hosted/runtime.h"

#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#include <mm/internal.h> /* of the tree, not of its include folder */

#define WINDOW_FIRST 256UL
#define BOOT_FRAMES_MAX 64
#define TRIES 16
#define USED 0x80UL
#define ORDER_MASK 0x7fUL
#define EPOCH_SHIFT 8
#define STALE 0xa5 /* in frames that nobody cleared */

/* Of the floor's book: never restored, whoever used the frames before. */
static struct book {
	u64 epoch;
	u64 stamp[]; /* of a used frame: epoch << EPOCH_SHIFT | USED | order */
} *hosted_book;

static unsigned long hosted_n_frames, hosted_window, hosted_n_used;
static u64 hosted_draw; /* state of this run's draws, 0: not begun */
static unsigned long hosted_boot_frame[BOOT_FRAMES_MAX];
static unsigned int hosted_n_boot;

/* What boot left in its frames. */
static struct {
	bool taken;
	u64 stamp[BOOT_FRAMES_MAX];
	struct page page[BOOT_FRAMES_MAX];
	u8 data[BOOT_FRAMES_MAX][PAGE_SIZE];
} hosted_kept __hosted_keep;

/* Whether anybody is told of allocations: during boot, and where walkers do not snoop. */
static bool hosted_page_told __hosted_keep;

struct page *mem_map;
#ifdef IOMMULAB_X86
unsigned long page_offset_base;
#define uml_physmem page_offset_base
#else
unsigned long uml_physmem;
#endif
unsigned long max_mapnr;
unsigned long max_low_pfn;
unsigned long min_low_pfn;
atomic_long_t _totalram_pages;
atomic_long_t vm_zone_stat[NR_VM_ZONE_STAT_ITEMS];
atomic_long_t vm_node_stat[NR_VM_NODE_STAT_ITEMS];
struct pglist_data contig_page_data;

void hosted_page_boot(void)
{
	BUILD_BUG_ON(sizeof(struct page) + sizeof(u64) > FLOOR_BOOK - 8);
	hosted_n_frames = hosted_floor->n_frames;
	mem_map = hosted_floor->book;
	hosted_book = (struct book *)(mem_map + hosted_n_frames);
	hosted_book->epoch++;
	hosted_window = WINDOW_FIRST;
	hosted_kept.taken = false;
	hosted_page_told = true;
	uml_physmem = (unsigned long)hosted_floor->frames;
	max_mapnr = hosted_n_frames;
	atomic_long_set(&_totalram_pages, hosted_n_frames);
}

static bool used(unsigned long pfn)
{
	/* Nothing has physical address 0. */
	return !pfn || hosted_book->stamp[pfn] >> EPOCH_SHIFT == hosted_book->epoch;
}

bool hosted_frame_used(unsigned long pfn)
{
	return pfn < hosted_n_frames && used(pfn);
}

static u64 stamp(unsigned int order)
{
	return hosted_book->epoch << EPOCH_SHIFT | USED | order;
}

bool hosted_page_in_run(void)
{
	return hosted_kept.taken;
}

/* The state was restored, the frames were not. */
void hosted_page_new_run(void)
{
	u64 old = hosted_book->epoch++;

	for (unsigned int i = 0; i < hosted_n_boot; i++) {
		unsigned long pfn = hosted_boot_frame[i];

		if (!hosted_kept.taken) {
			hosted_kept.stamp[i] = hosted_book->stamp[pfn];
			hosted_kept.page[i] = mem_map[pfn];
			memcpy(hosted_kept.data[i], page_address(mem_map + pfn), PAGE_SIZE);
			/* Freed again before boot ended? */
			if (hosted_kept.stamp[i] >> EPOCH_SHIFT != old)
				hosted_kept.stamp[i] = 0;
		}
		if (!hosted_kept.stamp[i])
			continue;
		mem_map[pfn] = hosted_kept.page[i];
		memcpy(page_address(mem_map + pfn), hosted_kept.data[i], PAGE_SIZE);
		hosted_book->stamp[pfn] = stamp(hosted_kept.stamp[i] & ORDER_MASK);
	}
	if (!hosted_kept.taken)
		hosted_page_told = hosted_floor->memory(0, 0, FLOOR_MEMORY_SEEN);
	hosted_kept.taken = true;
	hosted_draw = 0;
}

static unsigned long draw(void)
{
	u64 z;

	if (!hosted_draw)
		hosted_draw = hosted_floor->random() | 1;
	hosted_draw += 0x9e3779b97f4a7c15UL;
	z = (hosted_draw ^ hosted_draw >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

static bool all_free(unsigned long pfn, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		if (used(pfn + i))
			return false;
	}
	return true;
}

/* An aligned free block in the window, or 0. */
static unsigned long find_block(unsigned int order)
{
	unsigned long blocks = hosted_window >> order, start = 0;

	for (int i = 0; blocks && i < TRIES; i++) {
		start = draw() % blocks;
		if (all_free(start << order, 1UL << order))
			return start << order;
	}
	for (unsigned long i = 0; i < blocks; i++) {
		unsigned long pfn = (start + i) % blocks << order;

		if (all_free(pfn, 1UL << order))
			return pfn;
	}
	return 0;
}

static void init_page(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		memset(page + i, 0, sizeof(*page));
		atomic_set(&page[i]._mapcount, -1);
		INIT_LIST_HEAD(&page[i].lru);
		hosted_book->stamp[page - mem_map + i] = stamp(order);
	}
	atomic_set(&page->_refcount, 1);
}

static void note_boot(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		BUG_ON(hosted_n_boot == BOOT_FRAMES_MAX);
		hosted_boot_frame[hosted_n_boot++] = page - mem_map + i;
	}
}

/* Apart: mostly nobody wants to know. */
static noinline void tell(struct page *page, unsigned int order, unsigned int flags)
{
	if (!hosted_kept.taken)
		note_boot(page, order);
	hosted_floor->memory(page - mem_map, 1UL << order,
			     flags & HOSTED_CACHED ? FLOOR_MEMORY_CACHED : FLOOR_MEMORY_SEEN);
}

struct page *hosted_page_alloc(unsigned int order, unsigned int flags)
{
	unsigned long n = 1UL << order, pfn = 0;
	struct page *page;

	while (hosted_n_used + n > hosted_window / 2 && hosted_window < hosted_n_frames)
		hosted_window = min(hosted_window * 2, hosted_n_frames);
	while (!(pfn = find_block(order))) {
		if (hosted_window >= hosted_n_frames)
			return NULL;
		hosted_window = min(hosted_window * 2, hosted_n_frames);
	}
	hosted_n_used += n;
	page = mem_map + pfn;
	init_page(page, order);
	if (unlikely(hosted_page_told))
		tell(page, order, flags);
	memset(page_address(page), flags & HOSTED_ZERO ? 0 : STALE, n << PAGE_SHIFT);
	return page;
}

struct page *hosted_page_alloc_compound(unsigned int order, unsigned int flags)
{
	struct page *page = hosted_page_alloc(order, flags);

	if (!page || !order)
		return page;
	__SetPageHead(page);
	for (unsigned int i = 1; i < 1U << order; i++) {
#if HOSTED_HAS_COMPOUND_TAIL_ORDER
		prep_compound_tail(page + i, page, order);
#else
		prep_compound_tail(page, i);
#endif
	}
	prep_compound_head(page, order);
	return page;
}

void hosted_page_free(struct page *page)
{
	unsigned long pfn = page - mem_map;
	unsigned long n = 1UL << (hosted_book->stamp[pfn] & ORDER_MASK);

	if (!used(pfn)) {
		hosted_finding(HOSTED_CALLER, "BUG: Bad page state in %F", "pfn %#lx freed twice",
			       pfn);
		return;
	}
	for (unsigned long i = 0; i < n; i++)
		hosted_book->stamp[pfn + i] = 0;
	hosted_n_used -= n;
}

struct page *hosted_alloc_pages(gfp_t gfp, unsigned int order, unsigned long pc)
{
	unsigned int flags;

	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	if (!(gfp & __GFP_NOFAIL) && hosted_floor->fails(FLOOR_FAULT_ALLOC, pc))
		return NULL;
	flags = HOSTED_CACHED | (gfp & __GFP_ZERO ? HOSTED_ZERO : 0);
	if (gfp & __GFP_COMP)
		return hosted_page_alloc_compound(order, flags);
	return hosted_page_alloc(order, flags);
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

/* A block that is no compound becomes single frames, each with its own reference. */
void split_page(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (i)
			set_page_count(page + i, 1);
		hosted_book->stamp[page - mem_map + i] = stamp(0);
	}
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
