// SPDX-License-Identifier: GPL-2.0-only
/*
 * One struct holds the rooms' states that are plain data; the rest each room
 * makes itself. A run is: reset, seed, resolve the policy, start the tasks,
 * run them to rest, shut the kernel down as task 0, let the oracles sweep.
 */
#include "sim/world/world.h"

#include "sim/base/assert.h"
#include "sim/io/io.h"
#include "sim/kapi/kapi.h"
#include "sim/mem/frames.h"

#include <stdlib.h>
#include <string.h>

struct world_state {
	struct world w;
	struct choice choice;
	struct fact_bus fact;
	struct bug_set bug;
	struct fault fault;
	struct clock clock;
	struct world_program program;
	struct policy_carry *carry;
	char resolved[WORLD_ARG_MAX];
	u64 steps_max; /* of a run that does not say; 0: WORLD_STEPS_MAX */
	bool touched; /* something ran since the last reset */
	bool booted;
};

static struct world_state *state_of(struct world *w)
{
	return container_of(w, struct world_state, w);
}

struct world *world_create(u32 slot)
{
	struct world_state *ws = calloc(1, sizeof(*ws));
	struct world *w;

	sim_assert(ws && slot < WORLD_SLOTS);
	w = &ws->w;
	w->slot = slot;
	w->choice = &ws->choice;
	w->fact = &ws->fact;
	w->bug = &ws->bug;
	w->fault = &ws->fault;
	w->clock = &ws->clock;
	ws->carry = calloc(1, sizeof(*ws->carry));
	sim_assert(ws->carry);
	clock_reset(w->clock);
	choice_seed(w->choice, 0);
	fact_bus_reset(w->fact);
	w->sched = sched_create(w);
	w->access = access_create(w);
	w->mem = mem_create(w);
	w->frames = frames_create(w);
	w->oracles = oracles_create(w);
	w->kapi = kapi_create(w);
	w->io = io_create(w);
	return w;
}

void world_destroy(struct world *w)
{
	struct world_state *ws;

	if (!w)
		return;
	ws = state_of(w);
	io_destroy(w->io);
	kapi_destroy(w->kapi);
	oracles_destroy(w->oracles);
	frames_destroy(w->frames);
	mem_destroy(w->mem);
	access_destroy(w->access);
	sched_destroy(w->sched);
	free(ws->carry);
	free(ws);
}

void world_set_bugs(struct world *w, const struct bug_set *bugs)
{
	*w->bug = *bugs;
}

void world_set_steps(struct world *w, u64 steps)
{
	state_of(w)->steps_max = steps;
}

bool world_set_oracles(struct world *w, const char *names)
{
	return oracles_select(w->oracles, names);
}

struct policy_carry *world_carry(struct world *w)
{
	return state_of(w)->carry;
}

void world_reset(struct world *w)
{
	struct world_state *ws = state_of(w);

	if (!ws->touched)
		return;
	clock_reset(w->clock);
	fault_reset(w->fault, 0);
	sched_reset(w->sched);
	access_reset(w->access);
	mem_reset(w->mem);
	frames_reset(w->frames);
	kapi_reset(w->kapi);
	io_reset(w->io);
	ws->touched = false;
}

static void boot(void *arg)
{
	struct world_state *ws = arg;

	ws->program.boot(&ws->w, ws->program.self);
}

void world_load(struct world *w, const struct world_program *p)
{
	struct world_state *ws = state_of(w);
	const struct finding *f;
	enum sched_end end;

	sim_assert(!current_task);
	ws->touched = true;
	ws->program = *p;
	kapi_forget(w->kapi);
	io_forget(w->io);
	mem_forget(w->mem);
	frames_forget(w->frames);
	w->kernel = NULL;
	w->user = NULL;
	w->user_copy = NULL;
	w->floor = NULL;
	w->sched->far_ns = 0;
	w->sched->told = &w->sched->told_nobody;
	world_reset(w);
	memset(ws->carry, 0, sizeof(*ws->carry));
	sched_set_policy(w->sched, NULL);
	w->sched->steps_max = WORLD_STEPS_MAX;
	oracles_begin(w->oracles);
	if (p->boot) {
		end = sched_setup(w->sched, boot, ws);
		f = oracles_finding(w->oracles);
		if (f)
			sim_exhausted("the kernel does not boot on this machine: %s: %.*s", f->title,
				      (int)strcspn(f->text, "\n"), f->text);
		if (end == SCHED_STEPS)
			sim_exhausted("the kernel does not boot on this machine: it is not done "
				      "after %llu steps", WORLD_STEPS_MAX);
		sim_assert(end == SCHED_AT_REST);
	}
	kapi_snapshot(w->kapi);
	mem_snapshot(w->mem);
	frames_snapshot(w->frames);
	ws->touched = true;
	ws->booted = true;
	world_reset(w);
}

static void shut_down(void *arg)
{
	struct world_state *ws = arg;

	ws->program.shutdown(&ws->w, ws->program.self);
}

static void prepare(struct world_state *ws, struct world_run *r)
{
	struct world *w = &ws->w;
	struct sched *s = w->sched;
	u8 poison;

	world_reset(w);
	ws->touched = true;
	choice_seed(w->choice, r->seed);
	for (u32 i = 0; i < CHOICE_N; i++) {
		if (r->bytes[i])
			choice_give(w->choice, i, r->bytes[i], r->n_bytes[i]);
	}
	fault_reset(w->fault, r->fault_nth);
	/* Drawn even when it is given, so that the stream goes on alike. */
	poison = (u8)(1 + choice_below(w->choice, CHOICE_DATA, 255));
	r->poison = r->poison ? r->poison : poison;
	mem_set_poison(w->mem, r->poison);
	frames_set_poison(w->frames, r->poison);
	s->steps_max = r->steps_max ? r->steps_max : ws->steps_max;
	s->steps_max = s->steps_max ? s->steps_max : WORLD_STEPS_MAX;
	s->check_every = r->check_every;
	sched_set_policy(s, r->policy);
	r->resolved = "";
	if (!r->policy)
		return;
	memset(s->policy_state, 0,
	       r->policy->state_size ? r->policy->state_size : POLICY_STATE_MAX);
	if (!r->policy->parse(s, r->policy_arg ? r->policy_arg : ""))
		sim_fatal("policy %s does not take '%s'", r->policy->name, r->policy_arg);
	r->policy->begin(s, ws->carry);
}

/* Text is only made for those who ask: it would cost as much as a short run. */
static void resolve(struct world_state *ws, struct world_run *r)
{
	if (!r->policy || !r->policy->resolve)
		return;
	r->policy->resolve(ws->w.sched, ws->resolved, sizeof(ws->resolved));
	r->resolved = ws->resolved;
}

static void learn(struct world_state *ws, const struct world_run *r)
{
	struct policy_carry *c = ws->carry;

	c->runs++;
	c->steps_max = max(c->steps_max, r->steps);
	c->steps_mean += c->runs == 1 ? r->steps : 0;
	c->steps_mean = (c->steps_mean * 15 + r->steps) / 16;
	if (r->policy && r->policy->end)
		r->policy->end(ws->w.sched, c);
}

static void collect(struct world *w, struct world_run *r)
{
	const struct sched *s = w->sched;

	r->finding = oracles_finding(w->oracles);
	r->hash = s->hash;
	r->steps = s->steps;
	r->time_ns = w->clock->now_ns;
	r->n_switches = s->n_switches;
	r->n_preempts = s->n_preempts;
	r->points = s->points;
	r->n_points = s->n_points;
	r->checks = s->checks;
	r->n_checks = s->n_checks;
	r->fault_asked = w->fault->asked;
	r->fault_fired = w->fault->fired;
}

void world_run(struct world *w, struct world_run *r)
{
	struct world_state *ws = state_of(w);

	sim_assert(ws->booted && !current_task);
	prepare(ws, r);
	oracles_begin(w->oracles);
	if (r->began) {
		resolve(ws, r);
		r->began(r->began_self, r);
	}
	ws->program.start(w, ws->program.self);
	w->fault->armed = true;
	r->end = sched_run(w->sched);
	w->fault->armed = false;
	if (r->end == SCHED_AT_REST && ws->program.shutdown && !oracles_finding(w->oracles)) {
		w->sched->steps_max = w->sched->steps + WORLD_STEPS_MAX;
		r->end = sched_setup(w->sched, shut_down, ws);
	}
	oracles_end(w->oracles, r->end);
	collect(w, r);
	if (r->finding && !r->began)
		resolve(ws, r);
	learn(ws, r);
}
