// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay: the default order with the deviations that ARG lists.
 *
 *	T2@17>T1   before operation 17 of task 2, go to task 1
 *	T3%4>T2    where task 3 blocks, yields or ends in its operation 4, task 2 goes on
 *
 * Points of one task come in the order of its operations. A point that cannot
 * be applied (the task is elsewhere, the target cannot run) is passed over, so
 * that a shrunk or slightly outdated list still says something; the first such
 * point is remembered (policy_list_missed()).
 */
#include "sim/sched/policy_priv.h"

#include <stdio.h>

#define POINTS_MAX 6000

struct point {
	u32 task, to;
	u32 op, next; /* next point of the same task, 0 = none */
	bool preempt;
};

struct list_state {
	u32 n; /* points are [1 .. n] */
	u32 first[SCHED_TASKS_MAX], last[SCHED_TASKS_MAX];
	u32 missed; /* the first point that did not apply, 0 = none */
	u64 missed_step;
	const char *missed_why;
	struct point point[POINTS_MAX + 1];
};
_Static_assert(sizeof(struct list_state) <= POLICY_STATE_MAX, "the list fits");

static bool parse_task(const char **arg, u32 *id)
{
	if (**arg != 'T')
		return false;
	(*arg)++;
	return policy_number(arg, id) && *id < SCHED_TASKS_MAX;
}

static bool parse_point(const char **arg, struct point *p)
{
	if (!parse_task(arg, &p->task) || (**arg != '@' && **arg != '%'))
		return false;
	p->preempt = **arg == '@';
	(*arg)++;
	if (!policy_number(arg, &p->op) || **arg != '>')
		return false;
	(*arg)++;
	return parse_task(arg, &p->to);
}

static bool list_parse(struct sched *s, const char *arg)
{
	struct list_state *st = s->policy_state;

	st->n = 0;
	st->missed = 0;
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++)
		st->first[i] = st->last[i] = 0;
	while (*arg) {
		struct point *p;

		if (st->n == POINTS_MAX)
			return false;
		p = &st->point[++st->n];
		p->next = 0;
		if (!parse_point(&arg, p))
			return false;
		if (st->last[p->task])
			st->point[st->last[p->task]].next = st->n;
		else
			st->first[p->task] = st->n;
		st->last[p->task] = st->n;
		if (*arg == ',' && arg[1])
			arg++;
		else if (*arg)
			return false;
	}
	return true;
}

static void list_begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	carry->exhausted = true;
}

static void miss(struct sched *s, struct list_state *st, u32 point, const char *why)
{
	if (st->missed)
		return;
	st->missed = point;
	st->missed_step = s->steps;
	st->missed_why = why;
}

/* Takes the point that names this moment off its task's list; 0 = none. */
static u32 take_point(struct sched *s, struct list_state *st, u32 task, u64 op, bool preempt)
{
	u32 i;

	while ((i = st->first[task])) {
		const struct point *p = &st->point[i];

		if (p->op > op)
			return 0;
		if (p->op == op && p->preempt == preempt) {
			st->first[task] = p->next;
			return i;
		}
		if (p->op == op && preempt)
			return 0; /* its block or end in this operation is still to come */
		miss(s, st, i, "the task did not come by there");
		st->first[task] = p->next;
	}
	return 0;
}

/* How far t may go unasked: to its next preemption. */
static u64 next_stop(const struct list_state *st, const struct task *t)
{
	for (u32 i = st->first[t->id]; i; i = st->point[i].next) {
		if (st->point[i].preempt && st->point[i].op > t->ops)
			return st->point[i].op;
	}
	return ~0ULL;
}

static struct task *list_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct list_state *st = s->policy_state;
	struct task *t = policy_default_pick(s, cur, why);
	u32 i = take_point(s, st, cur ? cur->id : 0, cur ? cur->ops : 0, why == WHY_PREEMPT);

	if (i) {
		u32 to = st->point[i].to;

		if (s->runnable >> to & 1)
			t = &s->task[to];
		else
			miss(s, st, i, "the task to go to cannot run");
	}
	t->weight_shared = 0;
	t->stop_at = next_stop(st, t);
	return t;
}

static void list_resolve(const struct sched *s, char *buf, size_t size)
{
	const struct list_state *st = s->policy_state;
	size_t at = 0;

	buf[0] = '\0';
	for (u32 i = 1; i <= st->n && at < size; i++) {
		const struct point *p = &st->point[i];

		at += (size_t)snprintf(buf + at, size - at, "%sT%u%c%u>T%u", i > 1 ? "," : "", p->task,
				       p->preempt ? '@' : '%', p->op, p->to);
	}
}

bool policy_list_missed(const struct sched *s, char *buf, size_t size)
{
	const struct list_state *st = s->policy_state;
	const struct point *p;

	if (s->policy != &policy_list || !st->missed)
		return false;
	p = &st->point[st->missed];
	snprintf(buf, size, "step %lu: T%u%c%u>T%u does not apply: %s",
		 (unsigned long)st->missed_step, p->task, p->preempt ? '@' : '%', p->op, p->to,
		 st->missed_why);
	return true;
}

const struct policy policy_list = {
	.name = "list",
	.help = "replay; ARG: switch points T2@17>T1,T3%4>T2",
	.state_size = 8, /* parse() clears what it uses */
	.parse = list_parse,
	.begin = list_begin,
	.pick = list_pick,
	.resolve = list_resolve,
};
