// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probabilistic concurrency testing: random priorities, the highest runnable
 * task runs; at d - 1 random operations of the run the running task falls
 * below all others. Finds a bug of depth d with probability at least
 * 1 / (n * k^(d-1)) a run, for n tasks and k operations.
 *
 * Priorities, from high to low: tasks as spawned; the clock; tasks that met a
 * change point (the i-th drawn, not the i-th met, decides among them); tasks
 * that yielded or ran for a stretch without end, latest lowest, the clock
 * among them once it has fired: a polling loop lets others and time go on.
 * One run in CLOCK_ONE_IN the clock starts with a priority like a task's.
 */
#include "sim/sched/policy/policy_priv.h"

#include <stdio.h>

#define DEPTH_MAX 64
#define DEPTH_DEFAULT 3
#define K_FIRST 128
#define K_MAX (1ULL << 31)
#define STRETCH_MIN 500
#define CLOCK_ONE_IN 16

#define PRIO_TASK (1u << 24)
#define PRIO_CLOCK (PRIO_TASK - 1)
#define PRIO_CHANGED (1u << 20)
#define PRIO_YIELDED (PRIO_CHANGED - 1)

struct pct {
	u32 depth, n_changes, met, yielded;
	u64 k;
	u64 stretch;
	const struct task *running; /* since its operation `since` */
	u64 since;
	u32 prio[SCHED_TASKS_MAX];
	struct {
		u32 step, prio;
	} change[DEPTH_MAX];
};

static bool parse(struct sched *s, const char *arg)
{
	struct pct *pct = s->policy_state;
	u64 v = DEPTH_DEFAULT;

	if (*arg && (!policy_number(&arg, &v) || v < 1 || v > DEPTH_MAX))
		return false;
	pct->depth = (u32)v;
	if (!*arg)
		return true;
	if (*arg++ != ',' || !policy_number(&arg, &v) || *arg || v < 1 || v > K_MAX)
		return false;
	pct->k = v;
	return true;
}

static void add_change(struct pct *pct, u32 step)
{
	u32 i = pct->n_changes++;

	while (i && pct->change[i - 1].step > step) {
		pct->change[i] = pct->change[i - 1];
		i--;
	}
	pct->change[i].step = step;
	pct->change[i].prio = PRIO_CHANGED + pct->n_changes;
}

static u32 draw_priority(struct sched *s)
{
	return PRIO_TASK + choice_below(s->world->choice, CHOICE_SCHED, 1u << 24);
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	struct pct *pct = s->policy_state;
	struct choice *c = s->world->choice;

	if (!pct->k)
		pct->k = carry->steps_max ? min(carry->steps_max, K_MAX) : K_FIRST;
	pct->stretch = max(pct->k, (u64)STRETCH_MIN);
	for (u32 i = 1; i < pct->depth; i++)
		add_change(pct, 1 + choice_below(c, CHOICE_SCHED, (u32)pct->k));
	pct->prio[SCHED_CLOCK_TASK] = PRIO_CLOCK;
	if (!choice_below(c, CHOICE_SCHED, CLOCK_ONE_IN))
		pct->prio[SCHED_CLOCK_TASK] = draw_priority(s);
}

static void spawned(struct sched *s, struct task *t)
{
	struct pct *pct = s->policy_state;

	pct->prio[t->id] = draw_priority(s);
	policy_ask_soon(s);
}

static void woken(struct sched *s, struct task *t)
{
	const struct pct *pct = s->policy_state;

	if (current_task && pct->prio[t->id] > pct->prio[current_task->id])
		policy_ask_soon(s);
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct pct *pct = s->policy_state;
	struct task *next;
	u64 left;

	while (pct->met < pct->n_changes && pct->change[pct->met].step <= s->steps) {
		if (cur)
			pct->prio[cur->id] = pct->change[pct->met].prio;
		pct->met++;
	}
	if (why == WHY_YIELD || (cur && cur->id == SCHED_CLOCK_TASK) ||
	    (why == WHY_PREEMPT && cur == pct->running &&
	     sched_ops(cur) - pct->since >= pct->stretch))
		pct->prio[cur->id] = PRIO_YIELDED - min(++pct->yielded, PRIO_YIELDED);
	next = policy_highest(s, pct->prio);
	if (next != pct->running || next != cur)
		pct->since = sched_ops(next);
	pct->running = next;
	left = pct->stretch;
	if (pct->met < pct->n_changes)
		left = min(left, pct->change[pct->met].step - s->steps);
	return policy_let(next, left, 0);
}

static void resolve(const struct sched *s, char *buf, size_t size)
{
	const struct pct *pct = s->policy_state;

	snprintf(buf, size, "%u,%lu", pct->depth, (unsigned long)pct->k);
}

const struct policy policy_pct = {
	.name = "pct",
	.help = "random priorities; ARG: depth d (default 3) and run length k, as 3,1200",
	.sequential = true, /* without k */
	.state_size = sizeof(struct pct),
	.parse = parse,
	.begin = begin,
	.pick = pick,
	.spawned = spawned,
	.woken = woken,
	.resolve = resolve,
};
_Static_assert(sizeof(struct pct) <= POLICY_STATE_MAX, "the state fits");
