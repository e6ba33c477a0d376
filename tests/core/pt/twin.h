/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A format against its twin: two windows of input addresses as plain arrays, one
 * record per smallest page. The format's test has included its header, and says
 * by itself what the bits of an entry mean:
 *
 *	TWIN_FORMAT     enum pt_format
 *	TWIN_IA         input bits of the runs below
 *	TWIN_PROT       what of enum pt_prot the format keeps
 *	TWIN_FEATURES   what it has, PT_SPLIT and PT_DIRTY included
 *	TWIN_BARE       optional: the code of builds without hooks
 *	twin_decode()   an entry of a level, without the format's own functions
 *	twin_hw_write() the entry after hardware has written through it
 *
 * IOMMULAB_PT_OPS is the number of operations (1,000,000), over all variants.
 */
#pragma once

#ifdef TWIN_FORMAT /* else there is no format to test */

#include "sim/world/world.h"

#ifdef TWIN_BARE
#undef IOMMULAB_HOOKS
#define IOMMULAB_HOOKS 0
#endif
#define ALGO_FMT pt_fmt_twin
#include "core/pt/fmt/algo.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct twin_entry {
	bool present, leaf, contig, dirty, valid;
	u64 pa;
	u32 prot;
};

static struct twin_entry twin_decode(u64 e, u32 level, u32 features);
static u64 twin_hw_write(u64 e);

#define PAGE (1ULL << F_PG_LG2)
#define WINDOW_LG2 18
#define WINDOW (1u << WINDOW_LG2) /* pages of a window; there are two */
#define WINDOWS 2

struct twin_page {
	u64 pa;
	u8 lg2; /* of the page it is part of; 0: none */
	u8 prot;
	bool dirty, told;
};

struct twin {
	struct world *w;
	struct pt pt;
	u64 state;
	u32 features;
	char *shadow; /* what a walker sees that is not coherent */
	struct twin_page page[WINDOWS * WINDOW];
	u64 spot[16];
	struct twin_page last; /* of dirty reads */
	u64 n_maps, n_unmaps, n_exist, n_nomem, n_dirty, n_split, n_replaced;
};

static struct twin *t;

static u64 any(void)
{
	u64 z = t->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static u64 below(u64 n)
{
	return any() % n;
}

/* The first window is at the bottom, the second ends with the input addresses. */
static u64 iova_of(u64 page)
{
	if (page < WINDOW)
		return page * PAGE;
	return t->pt.ia_last + 1 - (WINDOWS * WINDOW - page) * PAGE;
}

static u64 page_of(u64 iova)
{
	return iova < WINDOW * PAGE ? iova / PAGE :
	       WINDOWS * WINDOW - (t->pt.ia_last + 1 - iova) / PAGE;
}

static void shadow_flush(void *arg, const void *p, size_t size)
{
	(void)arg;
	memcpy(t->shadow + ((const char *)p - t->pt.frames), p, size);
}

static void walks_synced(void *arg, u64 iova, u64 size)
{
	(void)arg;
	cr_assert_eq(iova % size, 0);
	t->n_replaced++;
}

/* --- decoding everything --- */

static void check_leaf(u64 iova, u32 level, struct twin_entry e)
{
	u64 n = 1ULL << (SHIFT(level) - F_PG_LG2), size = 1ULL << SHIFT(level);
	u32 lg2 = SHIFT(level) + (e.contig ? f_contig_lg2(level) : 0);

	cr_assert(e.valid, "reserved bits at %#lx", (long)iova);
	cr_assert_eq(e.pa % size, 0);
	for (u64 i = 0; i < n; i++) {
		const struct twin_page *p = &t->page[page_of(iova) + i];

		cr_assert_eq(p->lg2, lg2, "page size at %#lx: %u, expected %u",
			     (long)(iova + i * PAGE), lg2, p->lg2);
		cr_assert_eq(p->pa, e.pa + i * PAGE);
		cr_assert_eq(p->prot & TWIN_PROT, e.prot);
	}
}

/* The number of small pages found. */
static u64 check_table(const char *base, u64 pa, u32 level, u64 iova)
{
	const u64 *table = (const u64 *)(base + pa);
	u32 n = level == t->pt.levels ? (u32)t->pt.root_entries : ENTRIES, live = 0;
	const struct frame_info *info = frame_info(t->w, pa);
	u64 found = 0;

	for (u32 i = 0; i < n; i++) {
		struct twin_entry e;
		u64 at = iova + ((u64)i << SHIFT(level));

		if (!table[i])
			continue;
		cr_assert(i >= info->lo && i < info->hi, "entry %u outside of its span", i);
		e = twin_decode(table[i], level, t->features);
		cr_assert(e.present, "entry %#lx", (long)table[i]);
		live++;
		if (e.leaf) {
			check_leaf(at, level, e);
			found += 1ULL << (SHIFT(level) - F_PG_LG2);
		} else {
			cr_assert(level > 1 && e.valid);
			found += check_table(base, e.pa, level - 1, at);
		}
	}
	cr_assert_eq(info->live, live);
	return found;
}

static void check_all(void)
{
	const char *base = t->shadow ? t->shadow : t->pt.frames;
	u64 mapped = 0;

	for (u32 i = 0; i < WINDOWS * WINDOW; i++)
		mapped += t->page[i].lg2 != 0;
	cr_assert_eq(check_table(base, t->pt.root, (u32)t->pt.levels, 0), mapped);
}

static void check_page(u64 page)
{
	u64 offset = below(PAGE), pa = 1;
	bool there = pt_lookup(&t->pt, iova_of(page) + offset, &pa);

	cr_assert_eq(there, t->page[page].lg2 != 0);
	if (there)
		cr_assert_eq(pa, t->page[page].pa + offset);
}

/* --- operations --- */

static u64 some_pgsize(void)
{
	u64 sizes = t->pt.pgsizes & ((PAGE << (WINDOW_LG2 - 1)) - 1);
	u32 n = (u32)__builtin_popcountll(sizes), i = 0;

	if (below(3) == 0)
		i = (u32)below(n);
	/* The largest cost most. */
	if (i == n - 1 && below(4))
		i = 0;
	return BIT_ULL(bit_nth(sizes, i));
}

/* A page aligned to pgsize, near one of a few places, and room for count of them. */
static u64 some_page(u64 pgsize, u64 *count)
{
	u64 per = pgsize / PAGE, page = t->spot[below(ARRAY_SIZE(t->spot))];
	u64 window = page / WINDOW * WINDOW, room;

	page += below(64) - 32 + (below(8) ? 0 : below(3) * ENTRIES - ENTRIES);
	page = page % WINDOW & ~(per - 1);
	room = (WINDOW - page) / per;
	*count = below(4) ? 1 + below(4) : below(16) ? 1 + below(40) : 1 + below(2 * ENTRIES);
	*count = min(*count, max(1ULL << 14, per) / per);
	*count = min(*count, room);
	return window + page;
}

/* What map_pages may have done when it failed: whole tables' worth. */
static u64 map_expected(u64 page, u64 pgsize, u64 count)
{
	u32 level = 1 + (bit_lowest(pgsize) - F_PG_LG2) / F_BITS;
	u64 per_table = (u64)ENTRIES << (SHIFT(level) - F_PG_LG2), n = pgsize / PAGE * count;
	u64 from = iova_of(page) / PAGE, done = 0;

	if (level == t->pt.levels)
		per_table *= t->pt.root_entries / ENTRIES;
	while (done < n) {
		u64 run = min(n - done, per_table - (from + done) % per_table);

		for (u64 i = 0; i < run; i++) {
			if (t->page[page + done + i].lg2)
				return done;
		}
		done += run;
	}
	return n;
}

static void op_map(void)
{
	u64 pgsize = some_pgsize(), count, page = some_page(pgsize, &count);
	u64 pa = below(t->pt.oa_last / pgsize / 2) * pgsize;
	u32 prot = (u32)(1 + below(3)) | (u32)(below(16) << 2);
	u64 expected = map_expected(page, pgsize, count);
	size_t mapped = 77;
	int ret;

	if (below(8) == 0)
		fault_reset(t->w->fault, 1 + below(3)), t->w->fault->armed = true;
	ret = pt_map_pages(&t->pt, iova_of(page), pa, pgsize, count, prot, &mapped);
	t->w->fault->armed = false;
	if (ret == -ENOMEM) {
		cr_assert(t->w->fault->fired);
		cr_assert_leq(mapped, expected * PAGE);
		t->n_nomem++;
	} else {
		cr_assert_eq(mapped, expected * PAGE, "mapped %zu of %lu, ret %d", mapped,
			     (long)(expected * PAGE), ret);
		cr_assert_eq(ret, expected * PAGE == pgsize * count ? 0 : -EEXIST);
		t->n_exist += ret != 0;
	}
	for (u64 i = 0; i < mapped / PAGE; i++)
		t->page[page + i] = (struct twin_page){.pa = pa + i * PAGE,
						       .lg2 = (u8)bit_lowest(pgsize),
						       .prot = (u8)prot};
	t->n_maps++;
	check_page(page);
	check_page(page + pgsize / PAGE * count - 1);
}

/* The size that a page of 2^lg2 is split into. */
static u32 smaller(u32 lg2)
{
	u32 over = (lg2 - F_PG_LG2) % F_BITS;

	return over ? lg2 - over : lg2 - F_BITS;
}

static void twin_split(u64 page)
{
	u64 n = 1ULL << (t->page[page].lg2 - F_PG_LG2), first = page & ~(n - 1);
	u32 to = smaller(t->page[page].lg2);

	for (u64 i = first; i < first + n; i++)
		t->page[i].lg2 = (u8)to;
	t->n_split++;
}

/* Removes what an unmap of n pages removes; how many. */
static u64 unmap_expected(u64 page, u64 n, u64 *smallest)
{
	u64 done = 0;

	*smallest = ~0ULL;
	while (done < n && t->page[page + done].lg2) {
		u64 size = 1ULL << (t->page[page + done].lg2 - F_PG_LG2);
		bool middle = (page + done) % size;

		if (t->features & PT_SPLIT && (middle || n - done < size)) {
			twin_split(page + done);
			continue;
		}
		if (middle)
			break;
		*smallest = min(*smallest, size * PAGE);
		memset(&t->page[page + done], 0, size * sizeof(t->page[0]));
		done += size;
	}
	return done;
}

static u64 unmap_checked(u64 page, u64 pgsize, u64 count)
{
	u64 n = pgsize / PAGE * count, done, expected, smallest;
	struct pt_gather g = PT_GATHER_EMPTY;

	expected = unmap_expected(page, n, &smallest);
	done = pt_unmap_pages(&t->pt, iova_of(page), pgsize, count, &g);
	cr_assert_eq(done, expected * PAGE, "unmapped %lu of %lu, expected %lu", (long)done,
		     (long)(n * PAGE), (long)(expected * PAGE));
	if (done) {
		cr_assert_leq(g.start, iova_of(page));
		cr_assert_geq(g.last, iova_of(page) + done - 1);
		cr_assert_leq(g.pgsize, smallest);
		cr_assert(t->features & PT_SPLIT || (g.start == iova_of(page) &&
						     g.last == iova_of(page) + done - 1 &&
						     (g.pgsize == smallest ||
						      t->features & PT_CONTIG)));
	} else if (!(t->features & PT_SPLIT)) {
		cr_assert(g.start > g.last && !g.n_tables);
	}
	pt_gather_release(&t->pt, &g);
	cr_assert(g.start > g.last && !g.free && !g.n_tables && !g.pgsize);
	t->n_unmaps++;
	check_page(page);
	check_page(page + max(n, expected) - 1);
	return expected;
}

static void op_unmap(void)
{
	u64 pgsize = some_pgsize(), count, page = some_page(pgsize, &count);

	if (below(4) == 0)
		unmap_checked(page, PAGE, pgsize / PAGE * count);
	else
		unmap_checked(page, pgsize, count);
}

/* Everything in a table's range, hole by hole: the table stays and is empty. */
static void op_sweep(void)
{
	u64 count, page = some_page(PAGE, &count) & ~(u64)(ENTRIES - 1), end = page + ENTRIES;

	while (page < end) {
		u64 size = t->page[page].lg2 ? 1ULL << (t->page[page].lg2 - F_PG_LG2) : 1;

		if (t->page[page].lg2)
			unmap_checked(page & ~(size - 1), size * PAGE, 1);
		page = (page & ~(size - 1)) + size;
	}
}

/* --- dirty pages --- */

static void op_hw_write(void)
{
	struct pt_step step[PT_LEVELS_MAX];
	u64 count, page = some_page(PAGE, &count), size, first;
	u32 n = pt_walk(&t->pt, iova_of(page), step);
	u64 *entry;

	cr_assert(n && step[n - 1].leaf == (t->page[page].lg2 != 0));
	if (!t->page[page].lg2 || !(t->page[page].prot & PT_WRITE))
		return;
	entry = frame_ptr(t->w, step[n - 1].entry_pa);
	*entry = twin_hw_write(*entry);
	if (t->shadow)
		shadow_flush(NULL, entry, sizeof(*entry));
	size = 1ULL << (t->page[page].lg2 - F_PG_LG2);
	first = page & ~(size - 1);
	for (u64 i = first; i < first + size; i++)
		t->page[i].dirty = true;
}

static void told(void *arg, u64 iova, u64 size)
{
	(void)arg;
	cr_assert(!(iova % PAGE) && !(size % PAGE));
	for (u64 i = page_of(iova); i < page_of(iova) + size / PAGE; i++) {
		cr_assert(!t->page[i].told, "told twice");
		t->page[i].told = true;
	}
}

static void op_dirty(void)
{
	u64 count, page = some_page(PAGE, &count);
	struct pt_gather g = PT_GATHER_EMPTY;
	struct pt_dirty how = {.record = told, .keep = below(2), .g = &g};

	cr_assert_eq(pt_dirty_read(&t->pt, iova_of(page), count * PAGE, &how), 0);
	for (u64 i = page; i < page + count; i++) {
		cr_assert_eq(t->page[i].told, t->page[i].dirty);
		t->n_dirty += t->page[i].told;
		t->page[i].told = false;
	}
	for (u64 i = page; i < page + count && !how.keep; i++) {
		u64 size = t->page[i].dirty ? 1ULL << (t->page[i].lg2 - F_PG_LG2) : 0;
		u64 first = i & ~(size - 1);

		for (u64 k = first; k < first + size; k++) {
			t->page[k].dirty = false;
			cr_assert(g.start <= iova_of(k) && g.last >= iova_of(k) + PAGE - 1);
		}
	}
	cr_assert(!how.keep || g.start > g.last);
}

static void op(void)
{
	u64 what = below(100), count;

	if (t->features & PT_DIRTY && what < 20)
		what < 12 ? op_hw_write() : op_dirty();
	else if (what < 55)
		op_map();
	else if (what < 95)
		op_unmap();
	else if (what < 97)
		op_sweep();
	else
		check_page(some_page(PAGE, &count));
}

/* --- runs --- */

static u64 n_ops(void)
{
	const char *asked = getenv("IOMMULAB_PT_OPS");

	return asked ? strtoull(asked, NULL, 10) : 1000000;
}

static void twin_begin(u32 features, bool coherent, u64 seed)
{
	struct pt_cfg cfg = {.format = TWIN_FORMAT, .ia_bits = TWIN_IA, .features = features,
			     .flush = coherent ? NULL : shadow_flush,
			     .sync_walks = walks_synced};

	t = calloc(1, sizeof(*t));
	cr_assert(t);
	t->w = world_create(0);
	t->state = seed;
	t->features = features;
	if (!coherent)
		t->shadow = mmap(NULL, FRAMES_SLOT, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cr_assert_neq(t->shadow, MAP_FAILED);
	cr_assert_eq(pt_init_as(&t->pt, &cfg, &pt_fmt_twin, t->w), 0);
	for (u32 i = 0; i < ARRAY_SIZE(t->spot); i++)
		t->spot[i] = below(WINDOWS * WINDOW);
	t->spot[0] = 32;
	t->spot[1] = WINDOWS * WINDOW - 32;
	t->spot[2] = WINDOW - 32;
}

static void twin_end(void)
{
	check_all();
	pt_destroy(&t->pt);
	cr_assert_eq(frames_live_count(t->w->frames), 0);
	world_destroy(t->w);
	if (t->shadow)
		munmap(t->shadow, FRAMES_SLOT);
	free(t);
}

static void twin_run(u32 features, bool coherent, u32 share)
{
	u64 n = n_ops() / share;

	twin_begin(features, coherent, 1 + features);
	for (u64 i = 0; i < n; i++) {
		op();
		if (i % 4000 == 3999)
			check_all();
		/* Crowded or empty spots would answer everything alike. */
		if (i % 500 == 499)
			t->spot[3 + below(13)] = below(WINDOWS * WINDOW);
	}
	cr_assert(t->n_maps > n / 4 && t->n_unmaps > n / 4);
	cr_assert(t->n_exist > n / 200 && (t->n_nomem > 0 || ENTRIES > 512));
	cr_assert(!(features & PT_DIRTY) || t->n_dirty > n / 1000);
	cr_assert(!(features & PT_SPLIT) || t->n_split > n / 10000);
	cr_assert(t->n_replaced || ENTRIES > 512, "no empty table was ever replaced");
	twin_end();
}

/* A table of level 2 leaves the tree; the next map into its range must not find it. */
static void twin_upper_leaves(void)
{
	u64 size = 1ULL << SHIFT(2), span = 1ULL << SHIFT(3), base = 2 * span;
	struct pt_gather g = PT_GATHER_EMPTY;
	size_t mapped;

	twin_begin(0, true, 1);
	for (u32 i = 0; i < 3; i++) {
		cr_assert_eq(pt_map_pages(&t->pt, base, 0, size, ENTRIES, TWIN_PROT, &mapped), 0);
		cr_assert_eq(pt_unmap_pages(&t->pt, base, PAGE, span >> F_PG_LG2, &g), span);
		pt_gather_release(&t->pt, &g);
		cr_assert_eq(pt_map_pages(&t->pt, base, size, size, 1, TWIN_PROT, &mapped), 0);
		cr_assert_eq(pt_iova_to_phys(&t->pt, base + PAGE), size + PAGE);
		cr_assert_eq(pt_unmap_pages(&t->pt, base, size, 1, &g), size);
		cr_assert_eq(pt_iova_to_phys(&t->pt, base), 0);
	}
	twin_end();
}

#define TWIN_TESTS(name)                                                                 \
	Test(name, plain)                                                                \
	{                                                                                \
		twin_run(0, true, 4);                                                    \
	}                                                                                \
	Test(name, every_feature)                                                        \
	{                                                                                \
		twin_run(TWIN_FEATURES, true, 4);                                        \
	}                                                                                \
	Test(name, without_split)                                                        \
	{                                                                                \
		twin_run(TWIN_FEATURES & ~PT_SPLIT, true, 4);                            \
	}                                                                                \
	Test(name, a_cursor_forgets_a_table_of_level_2_that_leaves)                      \
	{                                                                                \
		twin_upper_leaves();                                                     \
	}                                                                                \
	Test(name, a_walker_that_is_not_coherent_sees_the_same)                          \
	{                                                                                \
		twin_run(TWIN_FEATURES, false, 4);                                       \
	}

#endif
