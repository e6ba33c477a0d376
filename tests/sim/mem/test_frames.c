// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mem/frames.h"
#include "tests/kit/program.h"

#include <stdlib.h>

static u64 kept, given_back;

static void boot(void)
{
	kept = frame_alloc(w, 1, FRAME_ZERO);
	given_back = frame_alloc(w, 0, 0);
	strcpy((char *)frame_ptr(w, kept) + 4100, "as booted");
	frame_free(w, given_back, 0);
}

static struct world_run in_world(void (*fn)(void *), u64 seed)
{
	load(.oracles = "none", .boot = boot, .task = {fn});
	return run_with(.seed = seed);
}

#define BLOCKS 600
static u64 block[BLOCKS];
static u32 order_of[BLOCKS];

static bool is_filled(u64 pa, u64 size, u8 with)
{
	const u8 *p = frame_ptr(w, pa);

	return p[0] == with && !memcmp(p, p + 1, size - 1);
}

static void many(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < BLOCKS; i++) {
		u32 order = i % 41 ? i % 4 : i % (FRAME_ORDER_MAX + 1), flags = i & 1;
		u64 size = FRAME_SIZE << order;

		block[i] = frame_alloc(w, order, flags);
		order_of[i] = order;
		cr_assert(block[i] && frames_contains(block[i], size));
		cr_assert_eq(block[i] % size, 0);
		cr_assert(is_filled(block[i], size, flags & FRAME_ZERO ? 0 : w->frames->poison));
		memset(frame_ptr(w, block[i]), 0x77, size);
		if (i % 3 == 2)
			frame_free(w, block[i - 1], order_of[i - 1]);
	}
	for (u32 i = 0; i < BLOCKS; i++) {
		bool freed = i % 3 == 1;

		for (u32 k = 0; k < i && !freed; k++) {
			if (k % 3 == 1)
				continue;
			cr_assert(block[k] >= block[i] + (FRAME_SIZE << order_of[i]) ||
				  block[i] >= block[k] + (FRAME_SIZE << order_of[k]));
		}
	}
}

Test(frames, blocks_are_aligned_apart_and_filled)
{
	cr_assert_eq(in_world(many, 1).end, SCHED_AT_REST);
	cr_assert_eq(run_with(.seed = 2).end, SCHED_AT_REST);
}

static void few(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 40; i++)
		block[i] = frame_alloc(w, i & 1, i & 2 ? FRAME_SPAN : 0);
}

Test(frames, addresses_depend_on_the_seed_alone)
{
	u64 first[40], other[40];

	in_world(few, 7);
	memcpy(first, block, sizeof(first));
	run_with(.seed = 8);
	memcpy(other, block, sizeof(other));
	run_with(.seed = 7);
	cr_assert_arr_eq(first, block, sizeof(first));
	cr_assert_arr_neq(first, other, sizeof(first));
}

static void spoil(void *arg)
{
	(void)arg;
	cr_assert_str_eq((char *)frame_ptr(w, kept) + 4100, "as booted");
	cr_assert_eq(*(u64 *)frame_ptr(w, 5 << 20), 0);
	memset(frame_ptr(w, kept), 1, 8192);
	frame_free(w, kept, 1);
	cr_assert_eq(frame_alloc(w, 1, 0), kept, "the latest freed first");
	frame_free(w, kept, 1);
	block[0] = frame_alloc(w, 0, 0);
	cr_assert_eq(block[0], given_back);
	frame_note_write(w, (5 << 20) - 1, 2);
	((u64 *)frame_ptr(w, 5 << 20))[0] = 9;
	((u64 *)frame_ptr(w, 5 << 20))[-1] = 9;
}

Test(frames, a_reset_gives_back_what_was_booted)
{
	in_world(spoil, 1);
	for (u64 seed = 2; seed < 5; seed++)
		cr_assert_eq(run_with(.seed = seed).end, SCHED_AT_REST);
	world_reset(w);
	cr_assert_eq(((u64 *)frame_ptr(w, 5 << 20))[-1], 0);
	cr_assert(is_filled(given_back, FRAME_SIZE, 0));
	cr_assert_eq(frames_live_count(w->frames), 2);
}

static void table(void *arg)
{
	u64 pa = frame_alloc(w, 0, FRAME_SPAN);
	u64 *words = frame_ptr(w, pa);

	(void)arg;
	cr_assert(is_filled(pa, FRAME_SIZE, 0));
	frame_span(frame_info(w, pa), 7, 9);
	words[7] = words[8] = 1;
	frame_free(w, pa, 0);
	cr_assert_eq(frame_alloc(w, 0, FRAME_SPAN), pa);
	cr_assert(is_filled(pa, FRAME_SIZE, 0));
	frame_span(frame_info(w, pa), 511, 512);
	words[511] = 1;
	frame_span(frame_info(w, pa), 0, 1);
	words[0] = 1;
	block[0] = pa;
}

Test(frames, a_span_is_what_gets_cleared)
{
	in_world(table, 1);
	world_reset(w);
	cr_assert(is_filled(block[0], FRAME_SIZE, 0));
}

static void all_of_it(void *arg)
{
	u64 n = 0, pa, last = 0;

	(void)arg;
	while ((pa = frame_alloc(w, FRAME_ORDER_MAX, FRAME_SPAN))) {
		cr_assert(pa + (FRAME_SIZE << FRAME_ORDER_MAX) <= FRAME_LOOSE_BASE);
		last = pa;
		n++;
	}
	/* But for the block of frame 0 and the one that boot has begun. */
	cr_assert_eq(n, FRAME_LOOSE_BASE / (FRAME_SIZE << FRAME_ORDER_MAX) - 2);
	while (frame_alloc(w, 3, FRAME_SPAN))
		;
	frame_free(w, last, FRAME_ORDER_MAX);
	for (u32 i = 0; i < 1u << FRAME_ORDER_MAX; i++)
		cr_assert_neq(frame_alloc(w, 0, FRAME_SPAN), 0, "a block is split");
	cr_assert_eq(frame_alloc(w, FRAME_ORDER_MAX + 1, 0), 0);
}

Test(frames, exhaustion_gives_0_and_splits_blocks)
{
	cr_assert_eq(in_world(all_of_it, 3).end, SCHED_AT_REST);
}

static void failing(void *arg)
{
	(void)arg;
	block[0] = frame_alloc(w, 0, 0);
	block[1] = frame_alloc(w, 0, FRAME_NOFAIL);
	block[2] = frame_alloc(w, 0, 0);
}

Test(frames, an_injected_failure_fires)
{
	load(.oracles = "none", .boot = boot, .task = {failing});
	run_with(.seed = 1, .fault_nth = 2);
	cr_assert(block[0] && block[1] && !block[2]);
}

static void twice(void *arg)
{
	u64 pa = frame_alloc(w, 0, 0);

	(void)arg;
	frame_free(w, pa, 0);
	frame_free(w, pa, 0);
}

static void inside(void *arg)
{
	u64 pa = frame_alloc(w, 1, 0);

	(void)arg;
	frame_free(w, pa + FRAME_SIZE, 0);
}

static void nothing_freed(void *arg)
{
	(void)arg;
	frame_alloc(w, 2, 0);
}

Test(frames, wrong_frees_and_leaks_are_found)
{
	load(.boot = boot, .task = {twice});
	assert_title(run_with(.seed = 1).finding, "double-free of a frame");
	load(.boot = boot, .task = {inside});
	assert_title(run_with(.seed = 1).finding, "invalid-free of a frame");
	load(.boot = boot, .task = {nothing_freed});
	assert_title(run_with(.seed = 1).finding, "memory leak of frames");
}
