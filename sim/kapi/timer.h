/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timers on virtual time. Callbacks run in soft interrupt context, one at a
 * time, in the scheduler's clock task.
 */
#pragma once

#include "sim/clock/clock.h"
#include "sim/kapi/jiffies.h"
#include "sim/kapi/lockdep.h"

struct timer_list {
	struct clock_timer clock; /* first: where the clock finds us */
	void (*function)(struct timer_list *t);
	struct lockdep_map dep; /* callback against del_timer_sync() */
	struct world *world;
};

void kapi_timer_setup(struct timer_list *t, void (*fn)(struct timer_list *), const char *name,
		      const struct lock_class_key *key);
#define timer_setup(t, fn, flags) kapi_timer_setup(t, fn, #t, KAPI_LOCK_KEY(#t))
#define from_timer(var, t, field) container_of(t, __typeof__(*var), field)

/* `expires` in jiffies. True if it was pending. */
bool mod_timer(struct timer_list *t, unsigned long expires);
bool del_timer(struct timer_list *t);
/* Also waits for a callback that runs. Not from the callback itself. */
bool del_timer_sync(struct timer_list *t);
bool timer_pending(const struct timer_list *t);
#define timer_delete(t) del_timer(t)
#define timer_delete_sync(t) del_timer_sync(t)
