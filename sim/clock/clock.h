/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual time and timers.
 *
 * Time is a number of nanoseconds that only moves when sim/sched fires the
 * next timer: because no task can run, or because the policy chose to. Timers
 * with equal deadlines fire in the order they were armed.
 */
#pragma once

#include "sim/base/list.h"

struct clock_timer {
	struct list_head node; /* in clock.armed, by deadline; self-linked when idle */
	u64 at_ns;
	void (*fn)(struct clock_timer *t);
};

struct clock {
	u64 now_ns;
	struct list_head armed;
	u64 n_fired;
};

void clock_reset(struct clock *c);
void clock_timer_init(struct clock_timer *t, void (*fn)(struct clock_timer *t));
bool clock_timer_pending(const struct clock_timer *t);
/* (Re)arms t to fire delay_ns from now. */
void clock_timer_arm(struct clock *c, struct clock_timer *t, u64 delay_ns);
/* True if the timer was pending. */
bool clock_timer_cancel(struct clock_timer *t);
/* The timer that fires next, or NULL. Asked at every choice of the scheduler. */
static inline struct clock_timer *clock_next(struct clock *c)
{
	return list_first_entry_or_null(&c->armed, struct clock_timer, node);
}

/* Moves time to the next timer's deadline, takes it off the list, returns it. */
struct clock_timer *clock_advance(struct clock *c);
