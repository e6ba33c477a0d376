// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fill.h"
#include "core/pt/pt.h"
#include "sim/kapi/errno.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

#include <stdlib.h>

#define K4 0x1000ULL
#define M2 0x200000ULL
#define G1 0x40000000ULL
#define RW (PT_READ | PT_WRITE)

/* --- runs of entries: the wide code against the narrow --- */

Test(fill, wide_and_narrow_do_the_same)
{
	u64 a[64], b[64], state = 1;

	if (!pt_has_wide())
		cr_skip_test("no AVX2 here");
	for (u32 i = 0; i < 200000; i++) {
		u32 at = i % 7, n = i / 7 % 50, hole = i / 350 % 60;
		u64 first, step;

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		first = state;
		step = state >> 40;
		memset(a, 0x5a, sizeof(a));
		memset(b, 0x5a, sizeof(b));
		pt_fill(a + at, n, first, step, false);
		pt_fill(b + at, n, first, step, true);
		cr_assert(!memcmp(a, b, sizeof(a)));
		for (u32 k = 0; k < 64; k++)
			a[k] = b[k] = k == hole ? state & 2 : state | 1;
		if (state >> 60 == 3)
			a[hole] = b[hole] = 1 | 1ULL << 52;
		cr_assert_eq(pt_clear_run(a + at, n, 1, 1ULL << 52, false),
			     pt_clear_run(b + at, n, 1, 1ULL << 52, true));
		cr_assert(!memcmp(a, b, sizeof(a)));
		memset(a, 0, sizeof(a));
		a[hole] = state & 4;
		cr_assert_eq(pt_is_zero(a + at, n, false), pt_is_zero(a + at, n, true));
		cr_assert_eq(pt_is_zero(a + at, n, true),
			     !a[hole] || hole < at || hole >= at + n);
	}
}

/* --- one table, by a task --- */

static struct pt *pt;
static struct pt_gather g;
static struct pt_cfg cfg;

static void table_up(void)
{
	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	cr_assert_eq(pt_init(pt, &cfg), 0);
	g = (struct pt_gather)PT_GATHER_EMPTY;
}

static void table_down(void)
{
	pt_destroy(pt);
	kfree(pt);
}

static void in_task(void (*fn)(void *), enum pt_format format, u32 features)
{
	struct world_run r;

	cfg = (struct pt_cfg){.format = format, .ia_bits = 48, .features = features};
	load(.boot = table_up, .task = {fn}, .shutdown = table_down);
	r = run_with(.seed = 1);
	assert_clean(&r);
}

static void ranges(void *arg)
{
	size_t mapped = 5;

	(void)arg;
	cr_assert_eq(pt_map_pages(pt, 0, 0, 0x3000, 1, RW, &mapped), -EINVAL);
	cr_assert_eq(pt_map_pages(pt, 0, 0, M2 / 2, 1, RW, &mapped), -EINVAL);
	cr_assert_eq(pt_map_pages(pt, K4, 0, M2, 1, RW, &mapped), -EINVAL);
	cr_assert_eq(pt_map_pages(pt, 0, K4, M2, 1, RW, &mapped), -EINVAL);
	cr_assert_eq(pt_map_pages(pt, 0, 0, K4, 1, 0, &mapped), -EINVAL);
	cr_assert_eq(pt_map_pages(pt, 1ULL << 48, 0, K4, 1, RW, &mapped), -ERANGE);
	cr_assert_eq(pt_map_pages(pt, (1ULL << 48) - K4, 0, K4, 2, RW, &mapped), -ERANGE);
	cr_assert_eq(pt_map_pages(pt, 0, (1ULL << 52) - K4, K4, 2, RW, &mapped), -ERANGE);
	cr_assert_eq(pt_map_pages(pt, 0, 0, K4, ~0ULL / K4 + 2, RW, &mapped), -ERANGE);
	cr_assert_eq(mapped, 0);
	cr_assert_eq(pt_map_pages(pt, (1ULL << 48) - K4, 0, K4, 1, RW, &mapped), 0);
	cr_assert_eq(mapped, K4);
	cr_assert_eq(pt_unmap_pages(pt, 1ULL << 48, K4, 1, &g), 0);
	cr_assert_eq(pt_unmap_pages(pt, (1ULL << 48) - K4, K4, 2, &g), 0);
	cr_assert_eq(pt_unmap_pages(pt, (1ULL << 48) - K4 + 1, K4, 1, &g), 0);
	cr_assert_eq(pt_iova_to_phys(pt, 1ULL << 48), 0);
	cr_assert_eq(pt_unmap_pages(pt, (1ULL << 48) - K4, K4, 1, &g), K4);
	pt_gather_release(pt, &g);
}

Test(pt, what_is_out_of_range_is_refused)
{
	in_task(ranges, PT_VTDSS, 0);
}

static void refused(void *arg)
{
	static const struct pt_cfg bad[] = {
		{.format = PT_FORMATS, .ia_bits = 48},
		{.format = PT_VTDSS, .ia_bits = 58},
		{.format = PT_VTDSS, .ia_bits = 12},
		{.format = PT_X86, .ia_bits = 39},
		{.format = PT_X86, .ia_bits = 48, .features = PT_CONTIG},
		{.format = PT_A64S1_4K, .ia_bits = 49},
		{.format = PT_A64S1_4K, .ia_bits = 48, .oa_bits = 52},
		{.format = PT_A64S2_64K, .ia_bits = 52, .oa_bits = 53},
		{.format = PT_VTDSS, .ia_bits = 48, .oa_bits = 20},
		{.format = PT_VTDSS, .ia_bits = 48, .pgsizes = M2},
		{.format = PT_VTDSS, .ia_bits = 48, .pgsizes = K4 | 0x10000},
		{.format = PT_A64S1_16K, .ia_bits = 48, .pgsizes = K4},
		{.format = PT_VTDSS, .ia_bits = 48, .features = PT_GLOBAL},
	};

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pt p;

		cr_assert_eq(pt_init(&p, &bad[i]), -EINVAL, "row %u", i);
	}
}

Test(pt, what_no_format_has_is_refused)
{
	in_task(refused, PT_VTDSS, 0);
}

struct shape {
	enum pt_format format;
	u32 ia_bits;
	u64 levels, root_entries, pgsizes;
};

static void shapes(void *arg)
{
	static const struct shape shape[] = {
		{PT_VTDSS, 39, 3, 512, K4 | M2 | G1},
		{PT_VTDSS, 48, 4, 512, K4 | M2 | G1},
		{PT_VTDSS, 57, 5, 512, K4 | M2 | G1},
		{PT_X86, 57, 5, 512, K4 | M2 | G1},
		{PT_A64S1_4K, 39, 3, 512, K4 | M2 | G1},
		{PT_A64S1_16K, 47, 3, 2048, 1 << 14 | 1 << 25},
		{PT_A64S1_64K, 48, 3, 8192, 1 << 16 | 1 << 29},
		{PT_A64S2_4K, 40, 3, 1024, K4 | M2 | G1},
		{PT_A64S2_4K, 43, 3, 8192, K4 | M2 | G1},
		{PT_A64S2_4K, 44, 4, 512, K4 | M2 | G1},
		{PT_A64S2_16K, 40, 2, 16 * 2048, 1 << 14 | 1 << 25},
		{PT_A64S2_64K, 46, 2, 16 * 8192, 1 << 16 | 1 << 29},
	};

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(shape); i++) {
		struct pt_cfg c = {.format = shape[i].format, .ia_bits = shape[i].ia_bits};
		struct pt p;

		cr_assert_eq(pt_init(&p, &c), 0);
		cr_assert_eq(p.levels, shape[i].levels, "row %u: %lu levels", i, (long)p.levels);
		cr_assert_eq(p.root_entries, shape[i].root_entries);
		cr_assert_eq(p.pgsizes, shape[i].pgsizes);
		cr_assert_eq(p.root % (p.root_entries * 8), 0);
		pt_destroy(&p);
	}
}

Test(pt, levels_and_concatenation)
{
	in_task(shapes, PT_VTDSS, 0);
}

static void large_in_the_middle(void *arg)
{
	u64 pa = 0x40000000 - 3 * K4, iova = G1 - 3 * K4, size = 3 * K4 + M2 * 2 + K4;

	(void)arg;
	cr_assert_eq(pt_map(pt, iova, pa, size, RW, &g), 0);
	for (u64 at = 0; at < size; at += K4)
		cr_assert_eq(pt_iova_to_phys(pt, iova + at + 7), pa + at + 7);
	struct pt_step step[PT_LEVELS_MAX];
	cr_assert_eq(pt_walk(pt, G1, step), 3);
	cr_assert(step[2].leaf && step[2].level == 2);
	cr_assert_eq(pt_walk(pt, G1 - K4, step), 4);
	/* The hole of another mapping: everything is taken back but that. */
	cr_assert_eq(pt_map(pt, iova - 5 * K4, 0, 6 * K4, RW, &g), -EEXIST);
	cr_assert_eq(pt_iova_to_phys(pt, iova - K4), 0);
	cr_assert_eq(pt_iova_to_phys(pt, iova), pa);
	cr_assert_eq(pt_unmap(pt, iova, size, &g), size);
	cr_assert(g.start <= iova && g.last >= iova + size - 1);
	pt_gather_release(pt, &g);
}

Test(pt, a_range_gets_the_largest_pages)
{
	in_task(large_in_the_middle, PT_VTDSS, 0);
	in_task(large_in_the_middle, PT_A64S1_4K, 0);
	in_task(large_in_the_middle, PT_X86, 0);
}

static void part_of_a_large_page(void *arg)
{
	(void)arg;
	cr_assert_eq(pt_map(pt, M2, M2, M2, RW, &g), 0);
	cr_assert_eq(pt_unmap(pt, M2 + K4, K4, &g), 0, "begins in its middle");
	cr_assert_eq(pt_iova_to_phys(pt, M2 + K4), M2 + K4);
	cr_assert_eq(pt_unmap(pt, M2, K4, &g), M2, "goes as a whole");
	cr_assert_eq(g.start, M2);
	cr_assert_eq(g.last, 2 * M2 - 1);
	cr_assert_eq(pt_iova_to_phys(pt, M2 + K4), 0);
	pt_gather_release(pt, &g);
}

Test(pt, a_large_page_goes_as_a_whole)
{
	in_task(part_of_a_large_page, PT_VTDSS, 0);
}

static void part_is_split(void *arg)
{
	(void)arg;
	cr_assert_eq(pt_map(pt, M2, M2, M2, RW, &g), 0);
	cr_assert_eq(pt_unmap(pt, M2 + K4, K4, &g), K4);
	cr_assert(g.start == M2 && g.last == 2 * M2 - 1);
	cr_assert_eq(pt_iova_to_phys(pt, M2 + K4), 0);
	cr_assert_eq(pt_iova_to_phys(pt, M2 + 2 * K4), M2 + 2 * K4);
	pt_gather_release(pt, &g);
}

Test(pt, a_large_page_is_split_where_that_is_asked_for)
{
	in_task(part_is_split, PT_A64S1_4K, PT_SPLIT);
}

/* --- break before make --- */

static u32 n_breaks;

static void nothing_is_there(void *arg, u64 iova, u64 size)
{
	(void)arg;
	n_breaks++;
	for (u64 at = iova; at < iova + size; at += K4)
		cr_assert_eq(pt_iova_to_phys(pt, at), 0);
}

static void all_but(u64 start, u64 size, u64 hole)
{
	for (u64 at = start; at < start + size; at += K4)
		cr_assert_eq(pt_iova_to_phys(pt, at), at == hole ? 0 : at);
}

static void breaks_both(void *arg)
{
	struct pt_gather mine = PT_GATHER_EMPTY;

	(void)arg;
	cr_assert_eq(pt_map(pt, M2, M2, M2, RW, &mine), 0);
	cr_assert_eq(pt_unmap(pt, M2 + K4, K4, &mine), K4);
	cr_assert_eq(n_breaks, 1, "a large page");
	all_but(M2, M2, M2 + K4);
	cr_assert_eq(pt_map(pt, G1, G1, 16 * K4, RW, &mine), 0);
	cr_assert_eq(pt_unmap(pt, G1 + 5 * K4, K4, &mine), K4);
	cr_assert_eq(n_breaks, 2, "a run");
	all_but(G1, 16 * K4, G1 + 5 * K4);
	pt_gather_release(pt, &mine);
}

Test(pt, a_split_breaks_before_it_makes)
{
	cfg = (struct pt_cfg){.format = PT_A64S1_4K, .ia_bits = 48,
			      .features = PT_SPLIT | PT_CONTIG | PT_BREAK,
			      .sync_walks = nothing_is_there};
	n_breaks = 0;
	load(.boot = table_up, .task = {breaks_both}, .shutdown = table_down);
	run_clean(1);
}

static u64 frames_before;

static void tables_come_back(void *arg)
{
	(void)arg;
	frames_before = frames_live_count(w->frames);
	cr_assert_eq(pt_map(pt, G1, K4, G1, RW, &g), 0);
	cr_assert_gt(frames_live_count(w->frames), frames_before + 500);
	cr_assert_eq(pt_unmap(pt, G1, G1, &g), G1);
	cr_assert_eq(g.n_tables, 513);
	cr_assert_gt(frames_live_count(w->frames), frames_before + 500, "not before the flush");
	pt_gather_release(pt, &g);
	cr_assert_leq(frames_live_count(w->frames), frames_before + 1);
}

Test(pt, whole_tables_are_given_back_after_the_invalidation)
{
	in_task(tables_come_back, PT_VTDSS, 0);
}

/* --- races --- */

#define EACH 6

static void mapper(void *arg)
{
	u64 me = (u64)(uintptr_t)arg, size = me == 2 ? 8 * K4 : K4;
	struct pt_gather mine = PT_GATHER_EMPTY;

	for (u64 i = 0; i < EACH; i++) {
		u64 iova = G1 + (me * EACH + i) * 16 * K4;

		cr_assert_eq(pt_map(pt, iova, iova, size, RW, &mine), 0);
		cr_assert_eq(pt_iova_to_phys(pt, iova + 5), iova + 5);
	}
	for (u64 i = 0; i < EACH; i++) {
		u64 iova = G1 + (me * EACH + i) * 16 * K4;

		cr_assert_eq(pt_unmap(pt, iova, size, &mine), size);
	}
	pt_gather_release(pt, &mine);
}

static void whole_tables(void *arg)
{
	struct pt_gather mine = PT_GATHER_EMPTY;

	(void)arg;
	for (u64 i = 0; i < EACH; i++) {
		cr_assert_eq(pt_map(pt, M2 * (1 + i % 2), K4, M2, RW, &mine), 0);
		cr_assert_eq(pt_unmap(pt, M2 * (1 + i % 2), M2, &mine), M2);
		pt_gather_release(pt, &mine);
	}
}

static void raced(void)
{
	struct frame_info *root = frame_info(w, pt->root);

	cr_assert_eq(pt_iova_to_phys(pt, G1), 0);
	cr_assert_eq(root->live, 1);
	table_down();
}

Test(pt, disjoint_ranges_may_be_mapped_at_once)
{
	for (u32 format = 0; format < PT_FORMATS; format++) {
		if (format == PT_A64S1_16K || format == PT_A64S1_64K ||
		    format == PT_A64S2_16K || format == PT_A64S2_64K)
			continue; /* pages of 4K are wanted */
		cfg = (struct pt_cfg){.format = (enum pt_format)format,
				      .ia_bits = format == PT_A64S2_4K ? 44 : 48,
				      .features = 0};
		load(.boot = table_up, .task = {mapper, mapper, mapper, whole_tables},
		     .arg = {(void *)0, (void *)1, (void *)2}, .shutdown = raced);
		run_clean(150);
	}
}

/* Two tasks install a table at one place: one of them must lose. */
static void losing(void *arg)
{
	u64 iova = (1 + (u64)(uintptr_t)arg) * K4;
	struct pt_gather mine = PT_GATHER_EMPTY;

	cr_assert_eq(pt_map(pt, iova, K4, K4, RW, &mine), 0);
}

static u64 most_frames;

static void count_frames(void)
{
	most_frames = max(most_frames, w->frames->n_touched + 0ULL);
	cr_assert_eq(frames_live_count(w->frames), 4, "no table is left over");
	cr_assert_eq(pt_iova_to_phys(pt, K4), K4);
	cr_assert_eq(pt_iova_to_phys(pt, 2 * K4), K4);
	table_down();
}

Test(pt, the_loser_of_an_install_goes_on_with_the_winners_table)
{
	cfg = (struct pt_cfg){.format = PT_VTDSS, .ia_bits = 48};
	load(.boot = table_up, .task = {losing, losing}, .arg = {(void *)0, (void *)1},
	     .shutdown = count_frames);
	run_clean(300);
	cr_assert_gt(most_frames, 3, "nobody ever lost");
}

/* --- hardware marks a run while it is split --- */

#define A64_RUN (1ULL << 52)
#define A64_CLEAN (1ULL << 7)

static u64 wrote_through; /* the entry, 0: none yet */
static u32 n_through_run;

static void hardware_writes(void *arg)
{
	struct pt_step step[PT_LEVELS_MAX];
	u64 *entry;
	u32 n;

	(void)arg;
	do {
		n = pt_walk(pt, G1 + 5 * K4, step);
		entry = frame_ptr(w, step[n - 1].entry_pa);
		cr_assert(step[n - 1].leaf);
		wrote_through = step[n - 1].entry;
	} while (!__atomic_compare_exchange_n(entry, &step[n - 1].entry,
					      wrote_through & ~A64_CLEAN, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

static void splits(void *arg)
{
	struct pt_gather mine = PT_GATHER_EMPTY;

	(void)arg;
	cr_assert_eq(pt_unmap(pt, G1, K4, &mine), K4);
	cr_assert(mine.start == G1 && mine.last == G1 + 16 * K4 - 1);
	pt_gather_release(pt, &mine);
}

static void run_up(void)
{
	table_up();
	wrote_through = 0;
	cr_assert_eq(pt_map(pt, G1, G1, 16 * K4, RW, &g), 0);
}

static u32 dirty_pages;

static void mark(void *arg, u64 iova, u64 size)
{
	(void)arg;
	for (u64 at = iova; at < iova + size; at += K4)
		dirty_pages |= 1u << (at - G1) / K4;
}

static void marks_are_there(void)
{
	struct pt_gather mine = PT_GATHER_EMPTY;
	struct pt_dirty how = {.record = mark, .g = &mine};
	u32 expected = wrote_through & A64_RUN ? 0xfffe : 1 << 5;

	dirty_pages = 0;
	cr_assert_eq(pt_dirty_read(pt, G1, 16 * K4, &how), 0);
	cr_assert_eq(dirty_pages, expected, "%#x, expected %#x", dirty_pages, expected);
	n_through_run += wrote_through & A64_RUN ? 1 : 0;
	table_down();
}

Test(pt, a_run_that_is_split_keeps_what_hardware_marks_meanwhile)
{
	cfg = (struct pt_cfg){.format = PT_A64S1_4K, .ia_bits = 48,
			      .features = PT_SPLIT | PT_DIRTY | PT_CONTIG};
	load(.boot = run_up, .task = {splits, hardware_writes}, .shutdown = marks_are_there);
	run_clean(500);
	cr_assert_gt(n_through_run, 20);
}

/* --- no memory --- */

static int failed;

static void at_each_allocation(void *arg)
{
	struct pt_gather mine = PT_GATHER_EMPTY;

	(void)arg;
	failed = pt_map(pt, G1 - M2 - K4, 0, M2 + 2 * K4, RW, &mine);
	cr_assert(failed == 0 || failed == -ENOMEM);
	if (failed)
		for (u64 at = G1 - M2 - K4; at < G1 + K4; at += K4)
			cr_assert_eq(pt_iova_to_phys(pt, at), 0);
	else
		cr_assert_eq(pt_unmap(pt, G1 - M2 - K4, M2 + 2 * K4, &mine), M2 + 2 * K4);
	pt_gather_release(pt, &mine);
}

Test(pt, a_failed_map_leaves_nothing_mapped)
{
	struct world_run r;
	u32 n = 0, n_failed = 0;

	cfg = (struct pt_cfg){.format = PT_VTDSS, .ia_bits = 48};
	load(.boot = table_up, .task = {at_each_allocation}, .shutdown = table_down);
	do {
		r = run_with(.seed = 1, .fault_nth = ++n);
		assert_clean(&r);
		n_failed += failed != 0;
	} while (r.fault_fired && n < 50);
	cr_assert_geq(n_failed, 5, "four tables and more");
}
