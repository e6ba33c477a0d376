// SPDX-License-Identifier: GPL-2.0-only
#include "sim/world/world.h"

#include <criterion/criterion.h>

static void worker(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 10; i++) {
		char *p = mem_alloc(w->mem, 32 + (size_t)i, 0, "x", 0);

		access_range(p, 8, OP_WRITE, 1);
		if (i & 1)
			mem_free(w->mem, p, 0);
	}
}

static void start(struct world *w, void *self)
{
	(void)self;
	for (int i = 0; i < 3; i++)
		sched_spawn(w->sched, "worker", worker, w, 0);
}

static u64 hash_of(struct world *w, u64 seed)
{
	struct world_run r = {.seed = seed, .policy = policy_find("rw", 2), .policy_arg = "4"};

	cr_assert(r.policy);
	world_run(w, &r);
	cr_assert_eq(r.end, SCHED_AT_REST);
	return r.hash;
}

Test(world, a_seed_gives_the_same_hash_whatever_ran_before)
{
	struct world_program p = {.start = start};
	struct world *w = world_create(0);
	u64 fresh;

	world_set_oracles(w, "none");
	world_load(w, &p);
	fresh = hash_of(w, 5);
	for (u64 seed = 100; seed < 200; seed++)
		hash_of(w, seed);
	cr_assert_eq(hash_of(w, 5), fresh);
	cr_assert_neq(hash_of(w, 6), fresh);
	world_destroy(w);
}

Test(world, two_worlds_in_one_process_do_not_disturb_each_other)
{
	struct world_program p = {.start = start};
	struct world *a = world_create(0), *b = world_create(1);
	u64 alone;

	world_set_oracles(a, "none");
	world_set_oracles(b, "none");
	world_load(a, &p);
	alone = hash_of(a, 9);
	world_load(b, &p);
	hash_of(b, 3);
	cr_assert_eq(hash_of(a, 9), alone);
	world_destroy(a);
	world_destroy(b);
}

Test(world, an_injected_failure_hits_just_the_nth_point)
{
	struct world_program p = {.start = start};
	struct world *w = world_create(0);
	struct world_run r = {.seed = 1};

	world_set_oracles(w, "none");
	world_load(w, &p);
	world_run(w, &r);
	cr_assert_eq(r.fault_asked, 30);
	cr_assert_not(r.fault_fired);
	r = (struct world_run){.seed = 1, .fault_nth = 31};
	world_run(w, &r);
	cr_assert_not(r.fault_fired);
	world_destroy(w);
}
