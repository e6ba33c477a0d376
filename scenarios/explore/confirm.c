// SPDX-License-Identifier: GPL-2.0-only
/*
 * Confirming a data race. The oracle convicts by happens-before, in a run in
 * which the two accesses may lie far apart. Here both tasks are brought to the
 * point right before their accesses, as KCSAN's watchpoint does; from there
 * each order of the two is run, with nothing in between, and the bytes are read
 * before the first and before the second access.
 *
 * A director looks for that moment: it follows the finding's switches until
 * the earlier task is about to make its access, holds it there, and lets the
 * others run until the later task is about to make its own. A lock of the first
 * may be in the way, so it is then held at operations before that; once the
 * later task has come to its access, that one is held and the earlier one
 * goes on. The director's run is then played as a list of switches: only what
 * that replay shows counts as evidence. The race oracle is off meanwhile, since
 * it would end each run before the second access.
 *
 * Two accesses that never stand side by side (something other than the orders
 * that the oracle knows keeps them apart, or one is an interrupt that has to
 * end first) stay unconfirmed.
 */
#include "scenarios/explore/explore_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 200
#define STEPS_MAX 1000000 /* of all runs together: some 25 ms */
#define NEAR_OPS 24 /* that far back every operation is tried, then ever fewer */

enum phase { FOLLOW, HOLD, FIRST, SECOND, OVER, FAILED };

/* One access of the two; [0] of a pair is the one that came earlier in the finding's run. */
struct side {
	u32 task, size, flags;
	u64 op, addr, pc;
};

struct director {
	char arg[1]; /* the policy's argument: its place leads back here */
	const char *list; /* the finding's switches, as they are printed and parsed */
	const struct switch_point *points;
	u32 n_points, at;
	struct side side[2];
	u64 hold_op;   /* the earlier task is held before this operation */
	bool straight; /* whoever is wanted runs whenever possible */
	u32 first;     /* which side goes first */
	enum phase phase;
	bool ready[2]; /* announced and not yet made */
	u64 op[2];     /* the operations that were ready */
};

/* --- the director's policy --- */

static struct director *director_of(const struct sched *s)
{
	return *(struct director **)s->policy_state;
}

static bool director_parse(struct sched *s, const char *arg)
{
	*(const struct director **)s->policy_state =
		(const struct director *)(arg - offsetof(struct director, arg));
	return true;
}

static void director_begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	(void)carry;
}

static bool overlap(u64 a, u32 a_size, u64 b, u32 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Whether the task has announced the access of this side. */
static bool announced(const struct director *d, const struct task *t, u32 side)
{
	const struct side *mine = &d->side[side], *other = &d->side[!side];

	return t->id == mine->task && t->pending.pc == mine->pc &&
	       !((t->pending.flags ^ mine->flags) & OP_WRITE) &&
	       overlap((u64)(uintptr_t)t->pending.addr, t->pending.size, other->addr, other->size);
}

/* What the task that has announced something means for the plan. */
static void look(struct director *d, const struct task *cur)
{
	if (d->phase == FOLLOW && cur->id == d->side[0].task && sched_ops(cur) >= d->hold_op)
		d->phase = HOLD;
	if (d->phase != HOLD)
		return;
	for (u32 i = 0; i < 2; i++) {
		if (d->ready[i] || !announced(d, cur, i))
			continue;
		d->ready[i] = true;
		d->op[i] = sched_ops(cur);
	}
	if (d->ready[0] && d->ready[1])
		d->phase = FIRST;
}

/* The finding's own switch at this moment, or NULL. */
static struct task *deviation(struct sched *s, struct task *cur, enum sched_why why)
{
	struct director *d = director_of(s);
	u32 task = cur ? cur->id : 0;
	u64 op = cur ? sched_ops(cur) : 0;

	for (u32 i = d->at; i < d->n_points && i < d->at + 16; i++) {
		const struct switch_point *p = &d->points[i];

		if (p->task != task || p->op != op || p->why == WHY_CHANCE ||
		    (p->why == WHY_PREEMPT) != (why == WHY_PREEMPT))
			continue;
		d->at = i + 1;
		return s->runnable >> p->to & 1 ? &s->task[p->to] : NULL;
	}
	return NULL;
}

/* Who goes on while the held one may not. */
static struct task *others(struct sched *s, struct task *cur, enum sched_why why)
{
	struct director *d = director_of(s);
	u32 wanted = d->ready[1] ? 0 : 1;
	struct task *next = NULL;
	u64 held = 0, runnable = s->runnable;

	if (d->phase == HOLD)
		held = 1ULL << d->side[!wanted].task;
	if (d->phase == HOLD && d->straight && runnable >> d->side[wanted].task & 1)
		return &s->task[d->side[wanted].task];
	if (!(runnable & ~held)) {
		d->phase = FAILED;
		return policy_default_pick(s, cur, why);
	}
	next = deviation(s, cur, why);
	if (next && !(held >> next->id & 1))
		return next;
	s->runnable &= ~held;
	next = policy_default_pick(s, cur, why);
	s->runnable = runnable;
	return next;
}

static struct task *let(struct task *t, u64 ops)
{
	sched_set_stop(t, ops == ~0ULL ? ops : sched_ops(t) + ops);
	t->weight_shared = 0;
	return t;
}

static struct task *director_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct director *d = director_of(s);
	u32 task;

	if (cur && why == WHY_PREEMPT)
		look(d, cur);
	if (d->phase < FIRST)
		return let(others(s, cur, why), d->phase == FAILED ? ~0ULL : 1);
	if (d->phase >= OVER)
		return let(policy_default_pick(s, cur, why), ~0ULL);
	task = d->side[d->phase == FIRST ? d->first : !d->first].task;
	if (!(s->runnable >> task & 1)) {
		d->phase = FAILED;
		return let(policy_default_pick(s, cur, why), ~0ULL);
	}
	d->phase++;
	return let(&s->task[task], 1);
}

/* As in the finding's run. */
static bool director_chance(struct sched *s, const struct switch_point *asked)
{
	const struct director *d = director_of(s);

	for (u32 i = 0; i < d->n_points; i++) {
		const struct switch_point *p = &d->points[i];

		if (p->why == WHY_CHANCE && p->task == asked->task && p->op == asked->op &&
		    p->to == asked->to)
			return true;
	}
	return false;
}

/* For whoever finds the recipe of a crash: the run that was being confirmed. */
static void director_resolve(const struct sched *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s", director_of(s)->list);
}

static const struct policy director_policy = {
	.name = "list",
	.help = "brings two accesses side by side",
	.state_size = sizeof(struct director *),
	.parse = director_parse,
	.begin = director_begin,
	.pick = director_pick,
	.chance = director_chance,
	.resolve = director_resolve,
};

/* --- the runs --- */

struct confirm {
	struct explorer *e;
	const struct explore_finding *f;
	struct director d;
	struct explore_confirm *result;
	struct recipe base, list; /* the finding's run, and a directed one, as switches */
	/* of the run at hand */
	u64 seen, seen_at[2], value[2];
	struct side last[2]; /* the earlier task's last access of the address: any, and a write */
	u64 steps, steps_all; /* of the finding's run; of all */
};

static void play(struct confirm *c, const struct policy *policy, const char *arg)
{
	struct world_run *r = &c->e->run;

	r->policy = policy;
	r->policy_arg = arg;
	r->seed = c->f->recipe.seed;
	r->fault_nth = c->f->recipe.nth;
	r->poison = c->f->recipe.poison;
	r->steps_max = c->steps ? 4 * c->steps + 1000 : 0;
	explorer_run(c->e);
	c->result->runs++;
	c->steps_all += r->steps;
}

static struct side side_of(const struct access_event *a)
{
	return (struct side){.task = a->task, .size = a->size, .flags = a->flags, .op = a->op,
			     .addr = a->addr, .pc = a->pc};
}

/* In the finding's own run: what exactly the two accesses are. */
static void see_sides(void *self, const struct access_event *a)
{
	struct confirm *c = self;
	const struct finding *f = &c->f->finding;

	if (c->d.side[1].task || !overlap(a->addr, a->size, f->addr, 1))
		return;
	if (a->task == f->spot[0].task && a->op == f->spot[0].op) {
		c->d.side[1] = side_of(a);
	} else if (a->task == f->spot[1].task && (u32)a->op <= (u32)f->spot[1].op) {
		c->last[0] = side_of(a);
		if (a->flags & OP_WRITE)
			c->last[1] = side_of(a);
	}
}

static bool find_sides(struct confirm *c)
{
	struct access *access = c->e->w->access;

	access_observe(access, see_sides, c);
	play(c, policy_find("list", 4), c->d.list);
	access_observe(access, NULL, NULL);
	c->steps = c->e->run.steps;
	c->d.side[0] = c->last[c->d.side[1].flags & OP_WRITE ? 0 : 1];
	return c->d.side[0].task && c->d.side[1].task;
}

/* True: both tasks stood before their accesses, and made them in the order asked for. */
static bool direct(struct confirm *c, u64 hold_op, bool straight, u32 first)
{
	struct director *d = &c->d;

	d->hold_op = hold_op;
	d->straight = straight;
	d->first = first;
	d->phase = hold_op ? FOLLOW : HOLD;
	d->at = 0;
	memset(d->ready, 0, sizeof(d->ready));
	play(c, &director_policy, d->arg);
	return d->phase == OVER;
}

static u64 bytes_at(u64 addr, u32 size)
{
	u64 value = 0;

	memcpy(&value, (const void *)(uintptr_t)addr, min(size, 8U));
	return value;
}

static void see_values(void *self, const struct access_event *a)
{
	struct confirm *c = self;

	c->seen++;
	for (u32 i = 0; i < 2; i++) {
		const struct side *s = &c->d.side[i];

		if (a->task != s->task || a->op != c->d.op[i] || a->pc != s->pc)
			continue;
		c->seen_at[i] = c->seen;
		c->value[i] = bytes_at(c->result->addr, c->result->size);
	}
}

/* The run that has just been directed, as a list of switches: what it shows. */
static bool evidence(struct confirm *c, u32 first)
{
	struct access *access = c->e->w->access;
	struct explore_confirm *result = c->result;
	bool writes = c->d.side[first].flags & OP_WRITE;

	c->seen = c->seen_at[0] = c->seen_at[1] = 0;
	if (!recipe_points_print(c->e->run.points, c->e->run.n_points, c->list.arg,
				 sizeof(c->list.arg)))
		return false;
	access_observe(access, see_values, c);
	play(c, policy_find("list", 4), c->list.arg);
	access_observe(access, NULL, NULL);
	if (!c->seen_at[first] || c->seen_at[!first] != c->seen_at[first] + 1)
		return false;
	if (writes && (!result->valued || result->before == result->after)) {
		result->before = c->value[first];
		result->after = c->value[!first];
		result->valued = true;
	}
	return true;
}

/* Holds the earlier task at its access, then ever further before it. */
static bool both_orders(struct confirm *c)
{
	struct explore_confirm *result = c->result;
	u64 op = c->d.side[0].op, back = 0;

	while (result->runs < RUNS_MAX - 8 && c->steps_all < STEPS_MAX) {
		for (u32 straight = 2; straight-- > 0;) {
			u64 hold_op = op - min(back, op);

			/* The order that was not met, first. */
			if (!direct(c, hold_op, straight, 1) || !evidence(c, 1))
				continue;
			result->reversed = true;
			if (direct(c, hold_op, straight, 0) && evidence(c, 0))
				result->as_found = true;
			if (result->as_found)
				return true;
		}
		if (back >= op)
			return false;
		back += back < NEAR_OPS ? 1 : back / 4;
	}
	return false;
}

static void confirm_race(struct confirm *c)
{
	struct explore_confirm *result = c->result;
	struct side *s = c->d.side;

	if (!find_sides(c)) {
		snprintf(result->why, sizeof(result->why), "its run does not show both accesses");
		return;
	}
	result->addr = max(s[0].addr, s[1].addr);
	result->size = (u32)(min(s[0].addr + s[0].size, s[1].addr + s[1].size) - result->addr);
	result->confirmed = both_orders(c);
	if (!result->confirmed)
		snprintf(result->why, sizeof(result->why),
			 "in %u directed runs T%u and T%u never stood before both accesses%s",
			 result->runs, s[0].task, s[1].task,
			 result->reversed ? " in both orders" : "");
}

/* The finding's own switches; of a recipe with another policy, those that its run makes. */
static bool read_points(struct confirm *c)
{
	const struct recipe *r = &c->f->recipe;
	struct switch_point *points;
	size_t bad;
	int n;

	c->base = *r;
	if (strcmp(r->policy, "list") != 0) {
		explorer_forget(c->e);
		play(c, policy_find(r->policy, strlen(r->policy)), r->arg);
		if (!recipe_points_print(c->e->run.points, c->e->run.n_points, c->base.arg,
					 sizeof(c->base.arg)))
			return false;
	}
	c->d.list = c->base.arg;
	n = recipe_points_parse(c->d.list, strlen(c->d.list), NULL, ~0U, &bad);
	if (n < 0)
		return false;
	points = calloc((u32)n + 1, sizeof(*points));
	sim_assert(points);
	recipe_points_parse(c->d.list, strlen(c->d.list), points, (u32)n, &bad);
	c->d.points = points;
	c->d.n_points = (u32)n;
	return true;
}

void explore_confirm(struct explorer *e, struct explore_finding *f)
{
	u32 checks = e->w->sched->access_checks;
	struct confirm *c;

	if (strcmp(f->finding.oracle, "race") != 0 || f->finding.n_spots < 2 || f->n_earlier)
		return;
	c = calloc(1, sizeof(*c));
	sim_assert(c);
	c->e = e;
	c->f = f;
	c->result = &f->confirm;
	c->result->tried = true;
	explorer_drop(e, f->recipe.drop);
	if (read_points(c)) {
		access_enable(e->w->access, checks & ~ACCESS_CHECK_RACE);
		confirm_race(c);
		access_enable(e->w->access, checks);
	} else {
		snprintf(c->result->why, sizeof(c->result->why), "its switches are too many");
	}
	e->run.steps_max = 0;
	free((void *)c->d.points);
	free(c);
}
