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
	t->stop_at = ops == POLICY_NEVER ? POLICY_NEVER : t->ops + ops;
	t->weight_shared = weight_shared;
	return t;
}

/* The first runnable task behind id in the circle; the clock has its place in it. */
static inline struct task *policy_next_in_circle(struct sched *s, u32 id)
{
	u64 above = id < 63 ? s->runnable & (~0ULL << (id + 1)) : 0;

	return &s->task[bit_lowest(above ? above : s->runnable)];
}
