// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every strategy must keep, and what each is for: the published mean
 * numbers of schedules to a bug, within a factor.
 */
#include "sim/sched/policy.h"
#include "tools/bench/programs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct bench_search search;

static void load(const char *program)
{
	const struct bench_program *p = bench_program_find(program);

	cr_assert(p, "%s", program);
	if (!search.world)
		search.world = world_create(0);
	world_set_oracles(search.world, "none");
	bench_search_load(&search, search.world, p);
}

static const struct policy *find(const char *name)
{
	const struct policy *p = policy_find(name, strlen(name));

	cr_assert(p, "%s", name);
	return p;
}

static void remember(void *self, const struct world_run *r)
{
	snprintf(self, WORLD_ARG_MAX, "%s", r->resolved);
}

/* --- conformance: every strategy --- */

/* Programs that between them have locks, deadlocks and many tasks. */
static const char *const samples[] = {"reorder_5", "deadlock01", "circular_buffer", "token_ring"};

static void same_seed_same_run(const struct policy *p, u64 seed)
{
	static char resolved[WORLD_ARG_MAX];
	struct world_run a = {
		.seed = seed, .policy = p, .began = remember, .began_self = resolved};
	struct world_run b = {.seed = seed, .policy = p, .policy_arg = resolved};
	u64 hash;

	bench_search_run(&search, &a);
	hash = a.hash;
	bench_search_run(&search, &b);
	cr_assert_eq(hash, b.hash, "%s, seed %lu, '%s'", p->name, (unsigned long)seed, resolved);
	bench_search_run(&search, &b);
	cr_assert_eq(hash, b.hash, "%s, again", p->name);
}

Test(policies, the_resolved_argument_gives_the_same_run_whatever_was_learned)
{
	for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
		load(samples[i]);
		for (const struct policy *const *p = policy_table; *p; p++) {
			memset(world_carry(search.world), 0, sizeof(struct policy_carry));
			for (u64 seed = 1; seed <= 200; seed++)
				same_seed_same_run(*p, seed);
		}
	}
}

static void print_points(const struct world_run *r, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < r->n_points; i++) {
		const struct switch_point *p = &r->points[i];

		at += (size_t)snprintf(buf + at, size - at, "%sT%u%c%lu>T%u", i ? "," : "", p->task,
				       p->why == WHY_PREEMPT ? '@' : '%', (unsigned long)p->op,
				       p->to);
	}
}

static void list_gives_it_again(const struct policy *p, const char *arg, u64 seed)
{
	static char points[65536], missed[256];
	struct world_run a = {.seed = seed, .policy = p, .policy_arg = arg};
	struct world_run b = {.seed = seed, .policy = &policy_list, .policy_arg = points};
	u64 hash;

	bench_search_run(&search, &a);
	hash = a.hash;
	print_points(&a, points, sizeof(points));
	bench_search_run(&search, &b);
	cr_assert_eq(hash, b.hash, "%s:%s seed %lu: %s", p->name, arg, (unsigned long)seed, points);
	if (b.end == SCHED_AT_REST)
		cr_assert_not(policy_list_missed(search.world->sched, missed, sizeof(missed)), "%s",
			      missed);
}

Test(policies, the_points_of_any_run_replay_it_as_a_list)
{
	for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
		load(samples[i]);
		for (u64 seed = 1; seed <= 100; seed++) {
			list_gives_it_again(find("rw"), "1", seed);
			list_gives_it_again(find("rw"), "7", seed);
			list_gives_it_again(find("rw"), "7,0", seed);
			list_gives_it_again(find("rw"), "7,20", seed);
			list_gives_it_again(find("pos"), "", seed);
			list_gives_it_again(find("pct"), "4,60", seed);
			list_gives_it_again(find("delay"), "3", seed);
			list_gives_it_again(find("mix"), "", seed);
		}
	}
}

Test(policies, an_argument_that_means_nothing_is_refused)
{
	static const struct {
		const char *policy, *arg;
	} bad[] = {
		{"rw", "0"},         {"rw", "x"},          {"rw", "3 "},       {"rw", "-1"},
		{"pct", "0"},        {"pct", "3,"},        {"pct", "3,0"},     {"pct", "65"},
		{"pos", "0"},        {"pos", "1,2"},       {"delay", "7"},     {"delay", "2@5,3"},
		{"delay", "1@2,3"},  {"delay", "1@2,"},    {"list", "T2@17"},  {"list", "T64@1>T2"},
		{"list", "T2@1>T3,"}, {"list", "T2#1>T3"}, {"list", "T2@>T3"}, {"list", ",T2@1>T3"},
		{"default", "1"},    {"mix", "rw:0"},      {"mix", "mix"},     {"mix", "nothing:1"},
		{"compare", "compare:rw"}, {"rw", "99999999999999999999"}, {"rw", "3,"},
		{"rw", "3,1001"},    {"rw", "3,1,"},
	};

	load("reorder_3");
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct sched *s = search.world->sched;
		const struct policy *p = find(bad[i].policy);

		memset(s->policy_state, 0, POLICY_STATE_MAX);
		sched_set_policy(s, p);
		cr_assert_not(p->parse(s, bad[i].arg), "%s:%s", bad[i].policy, bad[i].arg);
	}
}

/* --- list --- */

static const char *missed_by(const char *points)
{
	static char text[256];
	struct world_run r = {.seed = 1, .policy = &policy_list, .policy_arg = points};

	bench_search_run(&search, &r);
	return policy_list_missed(search.world->sched, text, sizeof(text)) ? text : "";
}

Test(policies, a_list_names_its_first_point_that_does_not_apply)
{
	load("reorder_3");
	cr_assert_str_eq(missed_by(""), "");
	cr_assert_str_eq(missed_by("T2@4>T3"), "");
	/* Task 5 is spawned by a later operation of task 2. */
	cr_assert_str_eq(missed_by("T2@4>T5,T2@5>T3"),
			 "step 4: expected T5, T5 is not runnable (point T2@4>T5)");
	cr_assert_str_eq(missed_by("T2@5000>T3"), "the run ended before point T2@5000>T3");
}

Test(policies, a_list_with_points_left_out_still_runs)
{
	static char points[65536], *comma;

	load("circular_buffer");
	for (u64 seed = 1; seed < 50; seed++) {
		struct world_run a = {.seed = seed, .policy = find("rw"), .policy_arg = "2"};

		bench_search_run(&search, &a);
		print_points(&a, points, sizeof(points));
		for (const char *p = points; (comma = strchr(p, ',')); p = comma + 1) {
			struct world_run b = {.policy = &policy_list, .policy_arg = comma + 1};

			bench_search_run(&search, &b);
			cr_assert_neq(b.end, SCHED_STEPS);
		}
	}
}

/* --- delay: exhaustive --- */

/* All schedules of reorder_3 within b delays, by placing them blindly. */
static u64 brute_force(u32 bound, u64 *distinct_failures)
{
	char arg[64];
	u64 n = 0, hashes[4096], n_hashes = 0;
	u32 at[2];

	*distinct_failures = 0;
	for (at[0] = 0; at[0] < 60; at[0]++) {
		for (at[1] = at[0]; at[1] < (bound == 2 ? 60 : at[0] + 1); at[1]++) {
			struct world_run r = {.policy = find("delay"), .policy_arg = arg};
			u64 i;

			snprintf(arg, sizeof(arg), bound == 2 ? "2@%u,%u" : "1@%u", at[0], at[1]);
			n++;
			if (!bench_search_run(&search, &r))
				continue;
			for (i = 0; i < n_hashes && hashes[i] != r.hash; i++)
				;
			if (i == n_hashes && n_hashes < ARRAY_SIZE(hashes))
				hashes[n_hashes++] = r.hash;
		}
	}
	*distinct_failures = n_hashes;
	return n;
}

struct exhaustion {
	u64 runs, failures, level_runs, distinct;
	char note[128];
};

static struct exhaustion exhaust(const char *bound)
{
	struct exhaustion e = {0};
	const struct policy *delay = find("delay");
	static u64 hashes[65536];

	memset(world_carry(search.world), 0, sizeof(struct policy_carry));
	while (!world_carry(search.world)->exhausted) {
		struct world_run r = {.seed = 1, .policy = delay, .policy_arg = bound};
		bool failed = bench_search_run(&search, &r);
		u64 i;

		e.runs++;
		for (i = 0; i < e.distinct && hashes[i] != r.hash; i++)
			;
		if (i == e.distinct) {
			hashes[e.distinct++] = r.hash;
			e.failures += failed;
		}
		cr_assert_lt(e.runs, 60000);
	}
	delay->note(search.world->sched, world_carry(search.world), e.note, sizeof(e.note));
	return e;
}

Test(policies, an_exhausted_bound_has_seen_every_failing_schedule_within_it)
{
	u64 failures;

	load("reorder_3");
	brute_force(1, &failures);
	cr_assert_eq(exhaust("1").failures, failures);
	brute_force(2, &failures);
	cr_assert_gt(failures, 0);
	cr_assert_eq(exhaust("2").failures, failures);
}

Test(policies, a_level_of_the_search_runs_each_schedule_once)
{
	struct exhaustion zero, one;
	char want[128];

	load("reorder_3");
	zero = exhaust("0");
	cr_assert_eq(zero.runs, 1);
	cr_assert_str_eq(zero.note, "bound 0 exhausted, 1 schedules");
	one = exhaust("1");
	/* Level 0 is run first, and again as the root of level 1. */
	cr_assert_eq(one.runs, one.distinct + 1);
	snprintf(want, sizeof(want), "bound 1 exhausted, %lu schedules", (unsigned long)one.distinct);
	cr_assert_str_eq(one.note, want);
}

/* --- pct: its guarantee --- */

Test(policies, pct_finds_a_bug_of_depth_d_as_often_as_it_promises)
{
	/* deadlock01 has depth 2, 3 tasks, less than 25 operations: 1 run in 75. */
	const u64 runs = 7500;
	u64 found = 0;

	load("deadlock01");
	for (u64 seed = 1; seed <= runs; seed++) {
		struct world_run r = {.seed = seed, .policy = find("pct"), .policy_arg = "2,25"};

		found += bench_search_run(&search, &r);
	}
	cr_assert_gt(found, runs / 75, "%lu of %lu", (unsigned long)found, (unsigned long)runs);
}

/* --- polling and time --- */

static bool flag;

static void poller(void *arg)
{
	(void)arg;
	while (!flag)
		sched_yield_now();
}

static void raiser(void *arg)
{
	(void)arg;
	sched_block("time", NULL, -1, 1000);
	flag = true;
}

static void start_pollers(struct world *w, void *self)
{
	(void)self;
	flag = false;
	sched_spawn(w->sched, "poller", poller, NULL, 0);
	sched_spawn(w->sched, "poller", poller, NULL, 0);
	sched_spawn(w->sched, "raiser", raiser, NULL, 0);
	sched_spawn(w->sched, "poller", poller, NULL, 0);
}

Test(policies, none_starves_those_that_a_polling_loop_waits_for)
{
	struct world_program p = {.start = start_pollers};
	struct world *w = world_create(0);

	world_set_oracles(w, "none");
	world_load(w, &p);
	for (const struct policy *const *policy = policy_table; *policy; policy++) {
		for (u64 seed = 1; seed <= 100; seed++) {
			struct world_run r = {.seed = seed, .policy = *policy, .steps_max = 3000};

			world_run(w, &r);
			cr_assert_eq(r.end, SCHED_AT_REST, "%s, seed %lu", (*policy)->name,
				     (unsigned long)seed);
		}
	}
}

/* A loop that does not even yield, as of a processor that spins on a lock's owner. */
static void spinner(void *arg)
{
	(void)arg;
	while (!flag)
		sched_point(&flag, 1, 0);
}

static void setter(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 50; i++)
		sched_point(&flag, 1, 0);
	flag = true;
}

static void start_spinners(struct world *w, void *self)
{
	(void)self;
	flag = false;
	sched_spawn(w->sched, "spinner", spinner, NULL, 0);
	sched_spawn(w->sched, "spinner", spinner, NULL, 0);
	sched_spawn(w->sched, "setter", setter, NULL, 0);
}

Test(policies, pct_lets_others_run_after_a_stretch_without_end)
{
	struct world_program p = {.start = start_spinners};
	struct world *w = world_create(0);

	world_set_oracles(w, "none");
	world_load(w, &p);
	for (u64 seed = 1; seed <= 100; seed++) {
		struct world_run r = {.seed = seed, .policy = find("pct"), .policy_arg = "10,2048",
				      .steps_max = 20000};

		world_run(w, &r);
		cr_assert_eq(r.end, SCHED_AT_REST, "seed %lu", (unsigned long)seed);
	}
}

/* --- the published figures --- */

#define TRIALS 100
#define CAP 10000

/* Mean schedules to the bug in tenths; a trial without counts as the cap. */
static u64 mean_tenths(const char *policy, const char *arg)
{
	u64 sum = 0;

	for (u64 trial = 0; trial < TRIALS; trial++) {
		u64 n = bench_search_first(&search, find(policy), arg, trial * CAP, CAP);

		sum += n ? n : CAP;
	}
	return sum * 10 / TRIALS;
}

static void compare(const struct bench_program *p, const char *policy, const char *arg,
		    u64 published)
{
	u64 mean;

	if (!published)
		return;
	load(p->name);
	mean = mean_tenths(policy, arg);
	fprintf(stderr, "%-16s %-4s %5lu.%lu (published %lu.%lu)\n", p->name, policy, mean / 10,
		mean % 10, published / 10, published % 10);
	cr_expect_leq(mean, 3 * published + 20, "%s under %s: %lu tenths, published %lu", p->name,
		      policy, (unsigned long)mean, (unsigned long)published);
}

Test(policies, each_finds_the_known_bugs_within_three_times_the_published_means)
{
	for (const struct bench_program *p = bench_program_table; p->name; p++) {
		compare(p, "rw", "1", p->rw);
		compare(p, "pct", "3", p->pct3);
		if (strcmp(p->name, "reorder_10"))
			compare(p, "pos", "", p->pos);
	}
}

Test(policies, the_default_mix_finds_every_known_bug)
{
	for (const struct bench_program *p = bench_program_table; p->name; p++) {
		load(p->name);
		cr_expect(bench_search_first(&search, find("mix"), "", 1, 20000), "%s", p->name);
	}
}
