// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a benchmark program runs in a world: its state is one object of the
 * boot-time heap, its first task spawns and joins the others, each spawn and
 * join being a moment of choice, as in the event set the published figures
 * rest on (shared accesses, locks, spawn, join, and nothing else).
 */
#include "tools/bench/programs.h"

#include "sim/base/assert.h"

#include <string.h>

const struct bench_program *bench_program_find(const char *name)
{
	for (const struct bench_program *p = bench_program_table; p->name; p++) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* --- for the programs --- */

/* What a task's end tells the one that joins it; lies in the joiner's reach. */
struct end {
	void (*fn)(void *state);
	void *state;
	struct task *joiner;
};

#define ENDS_MAX SCHED_TASKS_MAX

/* The world's own part of the state: bookkeeping that is no access of the program. */
struct root {
	struct bench_search *search;
	void *state;
	struct end end[ENDS_MAX];
};

static struct root *root_of(struct world *w)
{
	return w->kernel;
}

static void task_body(void *arg)
{
	struct end *end = arg;

	end->fn(end->state);
	if (end->joiner)
		sched_wake(end->joiner);
}

struct task *bench_program_spawn(void (*fn)(void *state), void *state)
{
	struct world *w = this_world();
	struct root *root = root_of(w);
	struct task *t;
	struct end *end;

	sched_point(root, 8, OP_SYNC);
	end = &root->end[w->sched->n_slots];
	sim_assert(w->sched->n_slots < ENDS_MAX);
	*end = (struct end){.fn = fn, .state = state};
	t = sched_spawn(w->sched, "task", task_body, end, 0);
	return t;
}

void bench_program_join(struct task *t)
{
	struct end *end = &root_of(t->world)->end[t->id];

	sched_point(end, 8, OP_SYNC);
	while (t->state != TASK_DEAD) {
		end->joiner = current_task;
		sched_block("join", end, (int)t->id, 0);
	}
	access_join(current_task, t);
}

void bench_program_fail(void)
{
	struct world *w = this_world();

	root_of(w)->search->failed = true;
	sched_stop(w->sched);
}

/* --- runs --- */

static void boot(struct world *w, void *self)
{
	struct bench_search *s = self;
	struct root *root = mem_alloc(w->mem, sizeof(*root), MEM_ZERO | MEM_NOFAIL, "root", 0);

	root->search = s;
	root->state = mem_alloc(w->mem, CLI_PROGRAM_STATE_MAX, MEM_ZERO | MEM_NOFAIL, "state", 0);
	w->kernel = root;
	if (s->program->init)
		s->program->init(root->state);
}

static void start(struct world *w, void *self)
{
	struct bench_search *s = self;

	sched_spawn(w->sched, "main", s->program->fn, root_of(w)->state, 0);
}

void bench_search_load(struct bench_search *s, struct world *w, const struct bench_program *p)
{
	struct world_program program = {.boot = boot, .start = start, .self = s};

	s->world = w;
	s->program = p;
	world_load(w, &program);
}

bool bench_search_run(struct bench_search *s, struct world_run *r)
{
	s->failed = false;
	world_run(s->world, r);
	return s->failed || (s->program->deadlock && r->end == SCHED_DEADLOCK);
}

u64 bench_search_first(struct bench_search *s, const struct policy *policy, const char *arg,
		       u64 seed, u64 cap)
{
	memset(world_carry(s->world), 0, sizeof(struct policy_carry));
	for (u64 i = 1; i <= cap; i++) {
		struct world_run r = {.seed = seed + i, .policy = policy, .policy_arg = arg};

		if (bench_search_run(s, &r))
			return i;
		if (world_carry(s->world)->exhausted)
			return 0;
	}
	return 0;
}
