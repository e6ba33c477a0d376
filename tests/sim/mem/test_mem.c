// SPDX-License-Identifier: GPL-2.0-only
#include "sim/host/host.h"
#include "sim/mem/mem.h"
#include "tests/kit/program.h"

static char *kept;

static void boot(void)
{
	kept = mem_alloc(w->mem, 64, MEM_ZERO, "kept", 0);
	strcpy(kept, "as booted");
}

static void in_world(void (*fn)(void *))
{
	load(.oracles = "none", .boot = boot, .task = {fn});
	cr_assert_eq(run_with(.seed = 1).end, SCHED_AT_REST);
}

static void open_bytes(void *arg)
{
	char *p = mem_alloc(w->mem, 13, 0, "x", 0);

	(void)arg;
	cr_assert_eq((uintptr_t)p & 15, 0);
	for (int i = 0; i < 13; i++)
		cr_assert(access_cell(p + i)->open & 1 << (i & 7));
	cr_assert_not(access_cell(p + 13)->open & 1 << 5, "the byte behind 13 is not open");
	cr_assert_eq(access_cell(p + 16)->open, 0, "the next header is a redzone");
	cr_assert_eq(access_cell(p - 1)->open, 0);
	cr_assert_eq(mem_size(w->mem, p), 13);
	cr_assert_eq(mem_size(w->mem, p + 1), 0);
	mem_free(w->mem, p, 0);
	cr_assert_eq(access_cell(p)->state, CELL_FREED);
	cr_assert_eq(mem_size(w->mem, p), 0);
}

Test(mem, just_the_bytes_of_a_live_object_are_open)
{
	in_world(open_bytes);
}

static u64 first_addr[2];
static int which;

static void addresses(void *arg)
{
	(void)arg;
	first_addr[which] = 0;
	for (size_t i = 1; i < 200; i++) {
		void *p = mem_alloc(w->mem, i * 3, i & 1 ? MEM_ZERO : 0, "x", 0);

		first_addr[which] = first_addr[which] * 31 + (u64)(uintptr_t)p;
		if (i % 3)
			mem_free(w->mem, p, 0);
	}
}

Test(mem, addresses_depend_only_on_the_calls)
{
	which = 0;
	in_world(addresses);
	which = 1;
	in_world(addresses);
	cr_assert_eq(first_addr[0], first_addr[1]);
	cr_assert_neq(first_addr[0], 0);
}

static void no_reuse(void *arg)
{
	char *p = mem_alloc(w->mem, 64, 0, "x", 0);

	(void)arg;
	mem_free(w->mem, p, 0);
	for (int i = 0; i < 1000; i++)
		cr_assert_neq(mem_alloc(w->mem, 64, 0, "x", 0), p);
	cr_assert(mem_find(w->mem, (u64)(uintptr_t)p)->freed);
}

Test(mem, a_freed_object_rests_in_quarantine)
{
	in_world(no_reuse);
}

static void reuse(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200000; i++) {
		void *p = mem_alloc(w->mem, 4000, 0, "x", 0);

		cr_assert(p);
		mem_free(w->mem, p, 0);
	}
	cr_assert_lt(mem_bytes_used(w->mem), 8UL << 20);
}

Test(mem, a_long_run_reuses_its_quarantine)
{
	in_world(reuse);
}

#define WAITING 3000

/* More than there are records at first, of three sizes of which two are one class. */
static void first_freed_first(void *arg)
{
	static void *freed[WAITING];
	u32 next = 0;

	(void)arg;
	for (u32 i = 0; i < WAITING; i++)
		freed[i] = mem_alloc(w->mem, i % 3 == 1 ? 200 : 100 + i % 3, 0, "x", 0);
	for (u32 i = 0; i < WAITING; i++)
		mem_free(w->mem, freed[i], 0);
	while (mem_bytes_used(w->mem) <= 4UL << 20)
		cr_assert(mem_alloc(w->mem, 4096 * 4, 0, "x", 0));
	while (next < WAITING) {
		void *p = mem_alloc(w->mem, 112, 0, "x", 0);

		next += next % 3 == 1;
		cr_assert_eq(p, freed[next], "number %u of those that were freed", next);
		mem_free(w->mem, p, 0);
		cr_assert(mem_alloc(w->mem, 200, 0, "x", 0));
		next++;
	}
}

Test(mem, of_a_size_the_longest_freed_is_used_first)
{
	in_world(first_freed_first);
}

static void spoil(void *arg)
{
	(void)arg;
	strcpy(kept, "spoilt");
	mem_free(w->mem, kept, 0);
	mem_alloc(w->mem, 100, 0, "x", 0);
}

Test(mem, reset_brings_back_what_was_booted)
{
	u64 used;

	in_world(spoil);
	used = mem_bytes_used(w->mem);

	world_reset(w);
	cr_assert_str_eq(kept, "as booted");
	cr_assert_lt(mem_bytes_used(w->mem), used);
	cr_assert_not(mem_find(w->mem, (u64)(uintptr_t)kept)->freed);
}

#define BIG (64UL << 10)

static char *big;

static void boot_big(void)
{
	big = mem_alloc(w->mem, BIG, MEM_ZERO, "big", 0);
	for (u64 i = 0; i < BIG; i++)
		big[i] = (char)(i >> 8);
}

/* Another place in each run, by code without hooks; the last run's is clean again. */
static void spoil_some(void *arg)
{
	u32 *run = arg;

	for (u64 i = 0; i < BIG; i++)
		cr_assert_eq(big[i], (char)(i >> 8), "run %u, byte %lu", *run, (unsigned long)i);
	big[(*run)++ * 4099UL % BIG] ^= 0x55;
	memset(big + 8190, 0x77, 4);
}

Test(mem, reset_brings_back_pages_that_nobody_announced)
{
	static u32 run;

	host_signals_init();
	load(.oracles = "none", .boot = boot_big, .task = {spoil_some}, .arg = {&run});
	for (u32 i = 0; i < 100; i++)
		cr_assert_eq(run_with(.seed = i).end, SCHED_AT_REST);
	cr_assert_eq(run, 100);
	/* Another program in the same world: nothing is left of the guard. */
	run = 0;
	load(.oracles = "none", .boot = boot_big, .task = {spoil_some}, .arg = {&run});
	cr_assert_eq(run_with(.seed = 1).end, SCHED_AT_REST);
	world_destroy(w);
}

static u64 bad_addr;

static void on_bad(struct world *world, u64 addr, const struct mem_object *o, u64 pc)
{
	(void)world;
	(void)pc;
	cr_assert(!o || o->freed);
	bad_addr = addr;
}

static void bad_frees(void *arg)
{
	char *p = mem_alloc(w->mem, 64, 0, "x", 0);

	(void)arg;
	mem_on_bad_free(w->mem, on_bad);
	mem_free(w->mem, NULL, 0);
	cr_assert_eq(bad_addr, 0);
	mem_free(w->mem, p + 16, 0);
	cr_assert_eq(bad_addr, (u64)(uintptr_t)(p + 16));
	mem_free(w->mem, p, 0);
	bad_addr = 0;
	mem_free(w->mem, p, 0);
	cr_assert_eq(bad_addr, (u64)(uintptr_t)p);
}

Test(mem, double_and_wild_frees_are_reported)
{
	in_world(bad_frees);
}

static void huge(void *arg)
{
	(void)arg;
	cr_assert_null(mem_alloc(w->mem, HEAP_SLOT, 0, "x", 0));
	cr_assert_null(mem_alloc(w->mem, ~0UL, 0, "x", 0));
	cr_assert(mem_alloc(w->mem, 0, 0, "x", 0));
}

Test(mem, an_absurd_size_fails_and_zero_does_not)
{
	in_world(huge);
}
