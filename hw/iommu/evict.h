/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a cache has written a line back by itself when a walk comes to it: hw/bus and hosted
 * trees ask the same way.
 */
#pragma once

#include "sim/sched/sched.h"

/* The line that was asked for last: which task's walk, in which operation. */
struct hw_evict {
	u64 line, op;
	u32 task;
};

static inline void hw_evict_reset(struct hw_evict *e)
{
	e->line = ~0ULL;
}

/*
 * Whether the task reads on in a line, of which it was said that it was not written back: an
 * entry of several words is not half old.
 */
static inline bool hw_evict_reads_on(struct hw_evict *e, u64 line)
{
	const struct task *t = current_task;
	bool on = e->line == line && e->task == t->id && sched_ops(t) <= e->op + 1;

	*e = (struct hw_evict){.line = line, .op = sched_ops(t), .task = t->id};
	return on;
}

/* Asks of a line that is not in memory as software has stored it; one_in: 0 is never. */
static inline bool hw_evict_happened(struct hw_evict *e, struct sched *s, u8 one_in, u64 line)
{
	return one_in && !hw_evict_reads_on(e, line) && sched_chance(s, one_in);
}
