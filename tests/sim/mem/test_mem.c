// SPDX-License-Identifier: GPL-2.0-only
#include "sim/mem/mem.h"
#include "sim/world/world.h"

#include <criterion/criterion.h>
#include <string.h>

static void (*body)(struct world *w);
static char *kept;

static void run_body(void *arg)
{
	body(arg);
}

static void boot(struct world *w, void *self)
{
	(void)self;
	kept = mem_alloc(w->mem, 64, MEM_ZERO, "kept", 0);
	strcpy(kept, "as booted");
}

static void start(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "t", run_body, w, 0);
}

static struct world *in_world(void (*fn)(struct world *w))
{
	struct world *w = world_create(0);
	struct world_program p = {.boot = boot, .start = start};
	struct world_run r = {.seed = 1};

	body = fn;
	world_set_oracles(w, "none");
	world_load(w, &p);
	world_run(w, &r);
	cr_assert_eq(r.end, SCHED_AT_REST);
	return w;
}

static void open_bytes(struct world *w)
{
	char *p = mem_alloc(w->mem, 13, 0, "x", 0);

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
	world_destroy(in_world(open_bytes));
}

static u64 first_addr[2];
static int which;

static void addresses(struct world *w)
{
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
	world_destroy(in_world(addresses));
	which = 1;
	world_destroy(in_world(addresses));
	cr_assert_eq(first_addr[0], first_addr[1]);
	cr_assert_neq(first_addr[0], 0);
}

static void no_reuse(struct world *w)
{
	char *p = mem_alloc(w->mem, 64, 0, "x", 0);

	mem_free(w->mem, p, 0);
	for (int i = 0; i < 1000; i++)
		cr_assert_neq(mem_alloc(w->mem, 64, 0, "x", 0), p);
	cr_assert(mem_find(w->mem, (u64)(uintptr_t)p)->freed);
}

Test(mem, a_freed_object_rests_in_quarantine)
{
	world_destroy(in_world(no_reuse));
}

static void reuse(struct world *w)
{
	for (int i = 0; i < 200000; i++) {
		void *p = mem_alloc(w->mem, 4000, 0, "x", 0);

		cr_assert(p);
		mem_free(w->mem, p, 0);
	}
	cr_assert_lt(mem_bytes_used(w->mem), 8UL << 20);
}

Test(mem, a_long_run_reuses_its_quarantine)
{
	world_destroy(in_world(reuse));
}

static void spoil(struct world *w)
{
	strcpy(kept, "spoilt");
	mem_free(w->mem, kept, 0);
	mem_alloc(w->mem, 100, 0, "x", 0);
}

Test(mem, reset_brings_back_what_was_booted)
{
	struct world *w = in_world(spoil);
	u64 used = mem_bytes_used(w->mem);

	world_reset(w);
	cr_assert_str_eq(kept, "as booted");
	cr_assert_lt(mem_bytes_used(w->mem), used);
	cr_assert_not(mem_find(w->mem, (u64)(uintptr_t)kept)->freed);
	world_destroy(w);
}

static u64 bad_addr;

static void on_bad(struct world *w, u64 addr, const struct mem_object *o, u64 pc)
{
	(void)w;
	(void)pc;
	cr_assert(!o || o->freed);
	bad_addr = addr;
}

static void bad_frees(struct world *w)
{
	char *p = mem_alloc(w->mem, 64, 0, "x", 0);

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
	world_destroy(in_world(bad_frees));
}

static void huge(struct world *w)
{
	cr_assert_null(mem_alloc(w->mem, HEAP_SLOT, 0, "x", 0));
	cr_assert_null(mem_alloc(w->mem, ~0UL, 0, "x", 0));
	cr_assert(mem_alloc(w->mem, 0, 0, "x", 0));
}

Test(mem, an_absurd_size_fails_and_zero_does_not)
{
	world_destroy(in_world(huge));
}
