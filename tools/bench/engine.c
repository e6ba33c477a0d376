// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's rows: switching fibers, hooked accesses, exploring small
 * programs.
 */
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/sched/fiber_priv.h"
#include "tools/bench/bench.h"
#include "tools/bench/programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* --- fibers --- */

#define FIBERS_MAX 64
#define FIBER_STACK (32UL << 10)

/* A ring of fibers, each of which goes on to the next; [n] is the host. */
struct ring {
	u32 n;
	u64 left;
	void *sp[FIBERS_MAX + 1];
	ucontext_t context[FIBERS_MAX + 1];
	char *stacks;
};

/* What a fiber's entry needs; entries take no argument. */
static struct ring *the_ring;
static u32 next_index;

static void ring_fiber(void)
{
	struct ring *r = the_ring;
	u32 me = next_index++;
	u32 next = (me + 1) % r->n;

	for (;;) {
		if (!r->left--)
			sched_fiber_switch(&r->sp[me], r->sp[r->n]);
		sched_fiber_switch(&r->sp[me], r->sp[next]);
	}
}

static void ring_run(void *arg, u64 n)
{
	struct ring *r = arg;

	for (u32 i = 0; i < r->n; i++)
		r->sp[i] =
			sched_fiber_prepare(r->stacks + i * FIBER_STACK, FIBER_STACK, ring_fiber);
	r->left = n;
	the_ring = r;
	next_index = 0;
	sched_fiber_switch(&r->sp[r->n], r->sp[0]);
}

static void context_fiber(void)
{
	struct ring *r = the_ring;
	u32 me = next_index++;
	u32 next = (me + 1) % r->n;

	for (;;) {
		if (!r->left--)
			swapcontext(&r->context[me], &r->context[r->n]);
		swapcontext(&r->context[me], &r->context[next]);
	}
}

static void context_run(void *arg, u64 n)
{
	struct ring *r = arg;

	for (u32 i = 0; i < r->n; i++) {
		getcontext(&r->context[i]);
		r->context[i].uc_stack.ss_sp = r->stacks + i * FIBER_STACK;
		r->context[i].uc_stack.ss_size = FIBER_STACK;
		r->context[i].uc_link = &r->context[r->n];
		makecontext(&r->context[i], context_fiber, 0);
	}
	r->left = n;
	the_ring = r;
	next_index = 0;
	swapcontext(&r->context[r->n], &r->context[0]);
}

static void fibers(struct bench *b, u32 n, const char *name, double limit)
{
	struct ring *r = calloc(1, sizeof(*r));
	struct bench_loop ours = {ring_run, r}, base = {context_run, r};
	struct bench_sample s[2];

	sim_assert(r);
	r->n = n;
	r->stacks = aligned_alloc(4096, FIBERS_MAX * FIBER_STACK);
	sim_assert(r->stacks);
	bench_measure(b, &ours, &base, s);
	bench_add(b, &(struct bench_row){
			     .name = name, .unit = "ns", .against = "swapcontext", .value = s[0].median,
			     .spread = s[0].spread, .baseline = s[1].median, .kind = BENCH_AT_MOST,
			     .limit = limit});
	free(r->stacks);
	free(r);
}

static void bench_fibers(struct bench *b)
{
	fibers(b, 2, "fiber switch, 2 fibers", 10);
	fibers(b, 64, "fiber switch, 64 fibers", 20);
}

/* --- hooked accesses --- */

u64 bench_plain_loop(volatile u64 *words, u64 n_words, u64 times)
{
	u64 sum = 0;

	for (u64 i = 0; i < times; i++) {
		u64 v = words[i & (n_words - 1)];

		words[(i + n_words / 2) & (n_words - 1)] = v + 1;
		sum += v;
	}
	return sum;
}

struct accesses {
	struct world *world;
	u64 n_words, times, sum;
	u64 *words;
	u64 steps;
};

static void access_boot(struct world *w, void *self)
{
	struct accesses *a = self;

	a->words = mem_alloc(w->mem, a->n_words * sizeof(u64), MEM_ZERO | MEM_NOFAIL, "words", 0);
}

static void access_task(void *arg)
{
	struct accesses *a = arg;

	a->sum += bench_hooked_loop(a->words, a->n_words, a->times);
}

static void access_start(struct world *w, void *self)
{
	sched_spawn(w->sched, "loop", access_task, self, 0);
}

/* n accesses, two each time round. */
static void access_run(void *arg, u64 n)
{
	struct accesses *a = arg;
	struct world_run r = {.seed = 1, .steps_max = ~0ULL >> 2};

	a->times = n / 2;
	world_run(a->world, &r);
	sim_assert(!r.finding && r.end == SCHED_AT_REST);
	a->steps = r.steps;
}

static void plain_run(void *arg, u64 n)
{
	struct accesses *a = arg;

	a->sum += bench_plain_loop(a->words, a->n_words, n / 2);
}

static void accesses(struct bench *b, u64 n_words, const char *name, double limit)
{
	struct accesses a = {.world = world_create(0), .n_words = n_words}, plain = a;
	struct world_program p = {.boot = access_boot, .start = access_start, .self = &a};
	struct bench_loop ours = {access_run, &a}, base = {plain_run, &plain};
	struct bench_sample s[2];

	plain.words = calloc(n_words, sizeof(u64));
	sim_assert(plain.words && world_set_oracles(a.world, "all"));
	world_load(a.world, &p);
	bench_measure(b, &ours, &base, s);
	/* Each access was announced: or else the hooks are off and the row means nothing. */
	sim_assert(a.steps >= a.times * 2);
	bench_add(b, &(struct bench_row){
			     .name = name, .unit = "ns", .against = "the same loop unhooked",
			     .value = s[0].median, .spread = s[0].spread, .baseline = s[1].median,
			     .kind = limit > 0 ? BENCH_AT_MOST : BENCH_FREE, .limit = limit});
	free(plain.words);
	world_destroy(a.world);
}

static void bench_accesses(struct bench *b)
{
	accesses(b, 512, "hooked access, all oracles, 4 KiB", 12);
	accesses(b, 131072, "hooked access, all oracles, 1 MiB", 0);
}

/* --- schedules per second --- */

struct explored {
	struct bench_search search;
	const struct policy *policy;
	const char *arg;
	u64 seed;
};

static void explored_run(void *arg, u64 n)
{
	struct explored *e = arg;

	while (n--) {
		struct world_run r = {
			.seed = e->seed++, .policy = e->policy, .policy_arg = e->arg};

		bench_search_run(&e->search, &r);
		sim_assert(!r.finding);
	}
}

/* World k with reorder_3 under these oracles. */
static void explored_load(struct explored *e, u32 k, const char *policy, const char *oracles)
{
	struct world *w = world_create(k);

	e->policy = policy_find(policy, strlen(policy));
	e->arg = "1";
	sim_assert(e->policy && world_set_oracles(w, oracles));
	bench_search_load(&e->search, w, bench_program_find("reorder_3"));
}

static void schedules(struct bench *b, const char *policy)
{
	struct explored none = {.seed = 1}, all = {.seed = 1};
	struct bench_loop ours = {explored_run, &none}, base = {explored_run, &all};
	struct bench_sample s[2];
	char name[64];

	explored_load(&none, 0, policy, "none");
	explored_load(&all, 1, policy, "all");
	bench_measure(b, &ours, &base, s);
	snprintf(name, sizeof(name), "reorder_3, %s, no oracles", policy);
	bench_add(b, &(struct bench_row){.name = name, .unit = "runs/s",
					 .value = 1e9 / s[0].median, .spread = s[0].spread,
					 .kind = BENCH_AT_LEAST, .limit = 1e6});
	snprintf(name, sizeof(name), "reorder_3, %s, all oracles", policy);
	bench_add(b, &(struct bench_row){.name = name, .unit = "runs/s",
					 .against = "no oracles; ratio: times slower",
					 .value = 1e9 / s[1].median, .spread = s[1].spread,
					 .baseline = 1e9 / s[0].median,
					 .ratio = s[1].median / s[0].median,
					 .kind = BENCH_RATIO_AT_MOST, .limit = 4});
	world_destroy(none.search.world);
	world_destroy(all.search.world);
}

static void bench_schedules(struct bench *b)
{
	schedules(b, "rw");
	schedules(b, "pos");
}

/* --- known programs --- */

#define TRIALS 100
#define CAP 10000

static double mean_schedules(struct bench *b, struct bench_search *s, const char *policy,
			     const char *arg)
{
	u32 trials = b->quick ? 5 : TRIALS;
	u64 sum = 0;

	for (u64 trial = 0; trial < trials; trial++) {
		u64 n = bench_search_first(s, policy_find(policy, strlen(policy)), arg, trial * CAP,
					 CAP);

		sum += n ? n : CAP;
	}
	return (double)sum / trials;
}

static void bench_programs(struct bench *b)
{
	static const struct {
		const char *policy, *arg;
	} how[] = {{"rw", "1"}, {"pct", "3"}, {"pos", "1"}, {"mix", ""}};
	struct bench_search s;
	struct world *w = world_create(0);
	char name[64];

	sim_assert(world_set_oracles(w, "none"));
	for (const struct bench_program *p = bench_program_table; p->name; p++) {
		const u32 published[] = {p->rw, p->pct3, p->pos, 0};

		bench_search_load(&s, w, p);
		for (u32 i = 0; i < ARRAY_SIZE(how); i++) {
			snprintf(name, sizeof(name), "to find %s, %s", p->name, how[i].policy);
			bench_add(b,
				  &(struct bench_row){
					  .name = name,
					  .unit = "schedules",
					  .against = published[i] ? "published mean" : "",
					  .value = mean_schedules(b, &s, how[i].policy, how[i].arg),
					  .baseline = published[i] / 10.0});
		}
	}
	world_destroy(w);
}

const struct bench_entry bench_engine_entries[] = {
	{"fibers", "a switch between fibers", false, bench_fibers},
	{"accesses", "a hooked access with all oracles", true, bench_accesses},
	{"schedules", "schedules of a small program per second", true, bench_schedules},
	{"programs", "mean schedules to the bugs of known programs", true, bench_programs},
	{NULL, NULL, false, NULL},
};
