/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the strategies share, inlined: it runs at every moment of choice.
 */
#pragma once

#include "sim/choice/choice.h"
#include "sim/sched/policy.h"

#define POLICY_CLOCK_BIT (1ULL << SCHED_CLOCK_TASK)
#define POLICY_NEVER (~0ULL)
/* As task->weight_shared: each shared access is a moment of choice. */
#define POLICY_EVERY_SHARED 0xffffffffu

/* Picks t and lets it do ops further operations, or up to its next shared access by weight. */
static inline struct task *policy_let(struct task *t, u64 ops, u32 weight_shared)
{
	sched_set_stop(t, ops == POLICY_NEVER ? POLICY_NEVER : sched_ops(t) + ops);
	sched_set_weight(t, weight_shared);
	return t;
}

/*
 * How far a task may go that has nobody to give way to: a strategy that uses it
 * needs spawned() and woken(), and hears of timers at its end.
 */
#define POLICY_ALONE 64

static inline bool policy_alone(const struct sched *s)
{
	return !(s->runnable & (s->runnable - 1));
}

/* In spawned() and woken(): whether the running task was alone until now. */
static inline bool policy_was_alone(const struct sched *s)
{
	u64 others = s->runnable & (s->runnable - 1);

	return others && !(others & (others - 1));
}

/* The runnable task of the highest priority, by task id; the lowest id among equals. */
static inline struct task *policy_highest(struct sched *s, const u32 *prio)
{
	u64 set = s->runnable;
	u32 best = bit_lowest(set);

	for (set &= set - 1; set; set &= set - 1) {
		u32 id = bit_lowest(set);

		if (prio[id] > prio[best])
			best = id;
	}
	return &s->task[best];
}

/* The running task is asked again before its next operation: someone new may have to go first. */
static inline void policy_ask_soon(const struct sched *s)
{
	struct task *cur = current_task;

	if (cur && cur->world->sched == s && cur->stop_at > sched_ops(cur) + 1)
		sched_set_stop(cur, sched_ops(cur) + 1);
}
