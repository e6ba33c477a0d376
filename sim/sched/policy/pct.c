// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCT (probabilistic concurrency testing): random distinct priorities, the
 * highest runs; at d - 1 random moments of the run the running task falls below
 * all others. Finds a bug of depth d with probability at least 1 / (n k^(d-1))
 * for n tasks and k operations.
 *
 * ARG is D or D,K; K comes from the longest run so far. A task that yields
 * falls to the bottom, so that a poller cannot starve the one it waits for.
 */
#include "sim/base/assert.h"
#include "sim/choice/choice.h"
#include "sim/sched/policy_priv.h"

#include <stdio.h>

#define DEPTH_DEFAULT 3
#define DEPTH_MAX 64
#define LENGTH_UNKNOWN 200

struct pct_state {
	u32 depth, length;
	u32 n_changes, changed;
	u64 change[DEPTH_MAX]; /* ascending operation numbers of the run */
	s64 priority[SCHED_TASKS_MAX];
	s64 lowest; /* the priority that a yielding task gets next */
};

static bool pct_parse(struct sched *s, const char *arg)
{
	struct pct_state *st = s->policy_state;

	st->depth = DEPTH_DEFAULT;
	if (!*arg)
		return true;
	if (!policy_number(&arg, &st->depth) || !st->depth || st->depth > DEPTH_MAX)
		return false;
	if (*arg == ',') {
		arg++;
		if (!policy_number(&arg, &st->length) || !st->length)
			return false;
	}
	return !*arg;
}

static void insert_change(struct pct_state *st, u64 at)
{
	u32 i = st->n_changes++;

	for (; i && st->change[i - 1] > at; i--)
		st->change[i] = st->change[i - 1];
	st->change[i] = at;
}

static void pct_begin(struct sched *s, struct policy_carry *carry)
{
	struct pct_state *st = s->policy_state;

	if (!st->length)
		st->length = carry->steps_max ? (u32)min(carry->steps_max, POLICY_FAR) : LENGTH_UNKNOWN;
	for (u32 i = 1; i < st->depth; i++)
		insert_change(st, 1 + choice_below(s->world->choice, CHOICE_SCHED, st->length));
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++)
		st->priority[i] = 0;
	/* Time passes when nobody can run, but in one run of eight it is a task like others. */
	if (choice_below(s->world->choice, CHOICE_SCHED, 8))
		st->priority[SCHED_CLOCK_TASK] = -(1LL << 60);
}

static s64 priority_of(struct sched *s, struct pct_state *st, u32 id)
{
	if (!st->priority[id]) {
		u64 r = choice_word(s->world->choice, CHOICE_SCHED) >> 8;

		/* The id makes it distinct, the offset higher than any change. */
		st->priority[id] = (s64)((r & ~63ULL) | id) + (1LL << 32);
	}
	return st->priority[id];
}

static struct task *highest(struct sched *s, struct pct_state *st)
{
	struct task *best = NULL;

	for (u64 set = s->runnable; set; set &= set - 1) {
		struct task *t = &s->task[bit_lowest(set)];

		if (!best || priority_of(s, st, t->id) > priority_of(s, st, best->id))
			best = t;
	}
	return best;
}

static struct task *pct_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct pct_state *st = s->policy_state;
	struct task *t;

	while (st->changed < st->n_changes && s->steps >= st->change[st->changed]) {
		st->changed++;
		if (cur)
			st->priority[cur->id] = (s64)(DEPTH_MAX - st->changed) + 1;
	}
	if (why == WHY_YIELD)
		st->priority[cur->id] = --st->lowest;
	t = highest(s, st);
	sim_assert(t);
	t->weight_shared = 0;
	t->stop_at = ~0ULL;
	if (st->changed < st->n_changes)
		t->stop_at = t->ops + (st->change[st->changed] - s->steps);
	return t;
}

static void pct_resolve(const struct sched *s, char *buf, size_t size)
{
	const struct pct_state *st = s->policy_state;

	snprintf(buf, size, "%u,%u", st->depth, st->length);
}

const struct policy policy_pct = {
	.name = "pct",
	.help = "PCT; ARG: depth d (default 3), or d,k for runs of k operations",
	.state_size = sizeof(struct pct_state),
	.parse = pct_parse,
	.begin = pct_begin,
	.pick = pct_pick,
	.resolve = pct_resolve,
};
