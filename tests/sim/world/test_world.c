// SPDX-License-Identifier: GPL-2.0-only
#include "sim/world/world.h"

#include "tests/kit/program.h"

#include <stdlib.h>

static void worker(void *arg)
{
	struct mem *mem = this_world()->mem;

	(void)arg;
	for (int i = 0; i < 10; i++) {
		char *p = mem_alloc(mem, 32 + (size_t)i, 0, "x", 0);

		access_range(p, 8, OP_WRITE, 1);
		if (i & 1)
			mem_free(mem, p, 0);
	}
}

static u64 hash_of(struct world *world, u64 seed)
{
	struct world_run r = {.seed = seed, .policy = policy_find("rw", 2), .policy_arg = "4"};

	cr_assert(r.policy);
	world_run(world, &r);
	cr_assert_eq(r.end, SCHED_AT_REST);
	return r.hash;
}

Test(world, a_seed_gives_the_same_hash_whatever_ran_before)
{
	u64 fresh;

	load(.oracles = "none", .task = {worker, worker, worker});
	fresh = hash_of(w, 5);
	for (u64 seed = 100; seed < 200; seed++)
		hash_of(w, seed);
	cr_assert_eq(hash_of(w, 5), fresh);
	cr_assert_neq(hash_of(w, 6), fresh);
}

static void start(struct world *world, void *self)
{
	(void)self;
	for (int i = 0; i < 3; i++)
		sched_spawn(world->sched, "worker", worker, NULL, 0);
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
	struct world_run r;

	load(.oracles = "none", .task = {worker, worker, worker});
	r = run_with(.seed = 1);
	cr_assert_eq(r.fault_asked, 30);
	cr_assert_not(r.fault_fired);
	cr_assert_not(run_with(.seed = 1, .fault_nth = 31).fault_fired);
}

static u32 distance; /* between moments of choice, as the run begins */

static void note_distance(void *self, const struct world_run *r)
{
	(void)self;
	distance = (u32)strtoul(r->resolved, NULL, 10);
}

/* A random walk without an argument: an eighth of the steps that runs take, after the first. */
Test(world, a_walk_learns_from_the_first_run_on)
{
	const struct policy *rw = policy_find("rw", 2);
	u64 mean;

	load(.oracles = "none", .task = {worker, worker, worker});
	mean = run_with(.seed = 1, .policy = rw, .began = note_distance).steps;
	cr_assert_gt(mean, 16);
	for (u64 seed = 2; seed < 10; seed++) {
		u64 steps = run_with(.seed = seed, .policy = rw, .began = note_distance).steps;

		cr_assert_eq(distance, mean / 8, "run %u: %u", (u32)seed, distance);
		mean = (mean * 15 + steps) / 16;
	}
}
