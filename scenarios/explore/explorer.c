// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loaded world that plays recipes. Before each run its recipe is written
 * to the mapped file, so that a crash of the process cannot lose it.
 */
#include "scenarios/explore/explore_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "sim/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void explore_signature_of(const struct finding *f, struct explore_signature *sig)
{
	memset(sig, 0, sizeof(*sig));
	sig->oracle = f->oracle;
	memcpy(sig->title, f->title, sizeof(sig->title));
	for (u32 i = 0; i < 2 && i < f->n_spots; i++)
		sig->pc[i] = f->spot[i].n ? f->spot[i].pc[0] : 0;
	/* Only a race has two equal sides, in either order. */
	if (strstr(f->title, "data-race")) {
		u64 low = min(sig->pc[0], sig->pc[1]), high = max(sig->pc[0], sig->pc[1]);

		sig->pc[0] = low;
		sig->pc[1] = high;
	} else {
		sig->pc[1] = 0;
	}
}

bool explore_signature_same(const struct explore_signature *a, const struct explore_signature *b)
{
	return a->oracle == b->oracle && a->pc[0] == b->pc[0] && a->pc[1] == b->pc[1] &&
	       strcmp(a->title, b->title) == 0;
}

/* Where each operation begins and ends in its task's count. */
static void see_op(void *self, const struct fact *f)
{
	struct explorer *e = self;

	if (e->keeping && f->arg[1] < SCENARIO_OPS_MAX)
		(f->kind == FACT_OP_BEGIN ? e->op_begin : e->op_end)[f->arg[1]] = f->op;
}

static void see_switch(void *self, const struct fact *f)
{
	struct explorer *e = self;

	if (!e->keeping || e->w->sched->setup)
		return;
	if (e->n_trail == e->trail_max) {
		e->trail_max *= 2;
		e->trail = realloc(e->trail, e->trail_max * sizeof(*e->trail));
		sim_assert(e->trail);
	}
	e->trail[e->n_trail++] = (struct switch_point){
		.task = (u32)f->arg[0],
		.to = (u32)f->arg[1],
		.op = f->arg[2],
		.why = (u32)f->arg[3],
	};
}

void explorer_set_bugs(struct explorer *e, bool on)
{
	static const struct bug_set none;

	world_set_bugs(e->w, on ? &e->bugs : &none);
}

bool explorer_has_bugs(const struct explorer *e)
{
	u64 any = 0;

	for (size_t i = 0; i < ARRAY_SIZE(e->bugs.word); i++)
		any |= e->bugs.word[i];
	return any;
}

bool explorer_open(struct explorer *e, const struct scenario *s, const struct kernel *kernel,
		   const struct bug_set *bugs, const char *oracles)
{
	return explorer_open_in(e, s, kernel, bugs, oracles, 0);
}

bool explorer_open_in(struct explorer *e, const struct scenario *s, const struct kernel *kernel,
		      const struct bug_set *bugs, const char *oracles, u32 slot)
{
	memset(e, 0, sizeof(*e));
	e->s = s;
	e->kernel = kernel;
	e->w = world_create(slot);
	if (oracles && !*oracles)
		oracles = NULL;
	if (!world_set_oracles(e->w, oracles ? oracles : s->oracles[0] ? s->oracles : "all")) {
		world_destroy(e->w);
		e->w = NULL;
		return false;
	}
	e->bugs = s->bugs;
	for (size_t i = 0; i < ARRAY_SIZE(e->bugs.word); i++)
		e->bugs.word[i] |= bugs->word[i];
	explorer_set_bugs(e, true);
	world_set_steps(e->w, s->steps);
	e->sp.scenario = s;
	e->sp.kernel = kernel;
	e->sp.drop = e->drop;
	e->sp.rets = e->rets;
	scenario_program_init(&e->program, &e->sp);
	snprintf(e->base.build, sizeof(e->base.build), "%s", recipe_build());
	snprintf(e->base.path, sizeof(e->base.path), "%s", s->path);
	e->base.content_hash = s->content_hash;
	e->base.threads_all = s->threads_all;
	/* Those the scenario does not switch on itself. */
	for (size_t i = 0; i < ARRAY_SIZE(e->bugs.word); i++)
		e->base.bugs.word[i] = bugs->word[i] & ~s->bugs.word[i];
	if (oracles)
		snprintf(e->base.oracles, sizeof(e->base.oracles), "%s", oracles);
	if (kernel->path) {
		snprintf(e->base.kernel, sizeof(e->base.kernel), "%s", kernel->path);
		snprintf(e->base.kernel_build, sizeof(e->base.kernel_build), "%s", kernel->build);
	}
	e->trail_max = 1024;
	e->trail = malloc(e->trail_max * sizeof(*e->trail));
	sim_assert(e->trail);
	e->map = host_recipe_map(RECIPE_TEXT_MAX);
	recipe_head_print(&e->base, e->head, sizeof(e->head));
	recipe_tail_print(&e->base, e->tail, sizeof(e->tail));
	world_load(e->w, &e->program);
	fact_subscribe(e->w->fact, FACT_BIT(OP_BEGIN) | FACT_BIT(OP_END), see_op, e);
	fact_subscribe(e->w->fact, FACT_BIT(SWITCH), see_switch, e);
	return true;
}

void explorer_close(struct explorer *e)
{
	if (!e->w)
		return;
	fact_unsubscribe(e->w->fact, see_op, e);
	fact_unsubscribe(e->w->fact, see_switch, e);
	world_destroy(e->w);
	scenario_program_fini(&e->sp);
	free(e->points);
	free(e->trail);
	e->w = NULL;
}

void explorer_change(struct explorer *e, const struct scenario *s)
{
	e->s = s;
	scenario_program_change(&e->sp, s);
	e->base.content_hash = s->content_hash;
	snprintf(e->base.path, sizeof(e->base.path), "%s", s->path);
	recipe_head_print(&e->base, e->head, sizeof(e->head));
}

void explorer_forget(struct explorer *e)
{
	memset(world_carry(e->w), 0, sizeof(struct policy_carry));
	oracles_forget(e->w->oracles);
}

void explorer_drop(struct explorer *e, const u64 *drop)
{
	if (memcmp(e->drop, drop, sizeof(e->drop)) == 0)
		return;
	memcpy(e->drop, drop, sizeof(e->drop));
	memcpy(e->base.drop, drop, sizeof(e->drop));
	recipe_tail_print(&e->base, e->tail, sizeof(e->tail));
}

/* Called when the parameters are resolved and nothing has run yet. */
static void write_map(void *self, const struct world_run *r)
{
	struct explorer *e = self;
	bool arg = r->resolved[0];
	char extra[64] = "";
	int n = 0;

	if (r->fault_nth)
		n = snprintf(extra, sizeof(extra), "nth=%llu%s", (unsigned long long)r->fault_nth,
			     e->tail[0] || e->comparing ? "," : "");
	if (e->comparing)
		snprintf(extra + n, sizeof(extra) - (size_t)n, "poison=%u%s", r->poison,
			 e->tail[0] ? "," : "");
	n = snprintf(e->line, sizeof(e->line), "%s%s%s%s%s:%llx:sc:%s%s", e->head, r->policy->name,
		 arg ? "(" : "", r->resolved, arg ? ")" : "", (unsigned long long)r->seed, extra,
		 e->tail);
	/* In one go, so that whoever reads the file finds a whole recipe. */
	memcpy(e->map, e->line, min((size_t)n, sizeof(e->line) - 1) + 1);
}

void explorer_run(struct explorer *e)
{
	e->run.began = write_map;
	e->run.began_self = e;
	e->runs++;
	if (e->differs_at)
		explorer_run_to_difference(e);
	else
		world_run(e->w, &e->run);
}

static void keep_begin(struct explorer *e)
{
	size_t n = e->s->n_ops * sizeof(*e->op_begin);

	e->n_trail = 0;
	memset(e->op_begin, 0xff, n);
	memset(e->op_end, 0xff, n);
}

static void keep_points(struct explorer *e)
{
	e->n_points = e->run.n_points;
	e->points = realloc(e->points, (e->n_points + 1) * sizeof(*e->points));
	sim_assert(e->points);
	memcpy(e->points, e->run.points, e->n_points * sizeof(*e->points));
}

void explorer_play(struct explorer *e, const struct recipe *seq, u32 n, u32 keep)
{
	explorer_forget(e);
	for (u32 i = 0; i < n; i++) {
		struct world_run *r = &e->run;

		explorer_drop(e, seq[i].drop);
		r->policy = policy_find(seq[i].policy, strlen(seq[i].policy));
		sim_assert(r->policy);
		r->policy_arg = seq[i].arg;
		r->seed = seq[i].seed;
		r->fault_nth = seq[i].nth;
		r->poison = seq[i].poison;
		oracles_set_run(e->w->oracles, i + 1);
		e->differs_at = 0;
		if (seq[i].against)
			explorer_compare(e, seq[i].poison, seq[i].against);
		e->keeping = i == keep;
		if (e->keeping)
			keep_begin(e);
		explorer_run(e);
		if (e->keeping)
			keep_points(e);
		e->keeping = false;
	}
}
