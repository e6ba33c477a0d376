/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wait queues. wait_event() tests the condition; if it is false it puts the
 * task on the queue, tests again, and blocks: the order is what makes a wake-up
 * between test and block count.
 * Signals are not modelled: the interruptible forms always succeed.
 */
#pragma once

#include "sim/kapi/jiffies.h"
#include "sim/kapi/spinlock.h"

struct wait_queue_head {
	struct lockdep_map dep;
	struct list_head head; /* of wait_queue_entry.entry */
};
typedef struct wait_queue_head wait_queue_head_t;

/* On the waiting task's stack. Owned by wait_event(). */
struct wait_queue_entry {
	struct list_head entry; /* self-linked when off the queue */
	struct task *task;
	bool exclusive;
};

void kapi_waitqueue_init(wait_queue_head_t *q, const char *name, const struct lock_class_key *key);
#define init_waitqueue_head(q) kapi_waitqueue_init(q, #q, KAPI_LOCK_KEY(#q))

void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, bool exclusive);
void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e);
/* Blocks until woken; returns what is left of timeout (jiffies), 0 = it ran out. */
long kapi_wait_schedule(wait_queue_head_t *q, long timeout);

/* All non-exclusive waiters and one (or all) exclusive ones. Never sleeps. */
void wake_up(wait_queue_head_t *q);
void wake_up_all(wait_queue_head_t *q);
#define wake_up_interruptible(q) wake_up(q)
#define wake_up_interruptible_all(q) wake_up_all(q)

#define KAPI_WAIT_EVENT(q, cond, exclusive, timeout)                                               \
	({                                                                                         \
		struct wait_queue_entry wait_e_ = {.task = NULL};                                  \
		long wait_left_ = (timeout);                                                       \
		bool wait_done_;                                                                   \
		kapi_might_sleep("wait_event");                                                    \
		wait_done_ = !!(cond);                                                             \
		while (!wait_done_ && wait_left_) {                                                \
			prepare_to_wait(q, &wait_e_, exclusive);                                   \
			wait_done_ = !!(cond);                                                     \
			if (!wait_done_)                                                           \
				wait_left_ = kapi_wait_schedule(q, wait_left_);                    \
			if (!wait_left_)                                                           \
				wait_done_ = !!(cond);                                             \
		}                                                                                  \
		finish_wait(q, &wait_e_);                                                          \
		wait_done_ ? (wait_left_ ? wait_left_ : 1) : 0;                                    \
	})

#define wait_event(q, cond) ((void)KAPI_WAIT_EVENT(&(q), cond, false, MAX_SCHEDULE_TIMEOUT))
#define wait_event_exclusive(q, cond)                                                              \
	((void)KAPI_WAIT_EVENT(&(q), cond, true, MAX_SCHEDULE_TIMEOUT))
#define wait_event_interruptible(q, cond)                                                          \
	((void)KAPI_WAIT_EVENT(&(q), cond, false, MAX_SCHEDULE_TIMEOUT), 0)
/* 0 if the time ran out and the condition is still false, else at least 1. */
#define wait_event_timeout(q, cond, timeout) KAPI_WAIT_EVENT(&(q), cond, false, timeout)
#define wait_event_interruptible_timeout(q, cond, timeout)                                         \
	KAPI_WAIT_EVENT(&(q), cond, false, timeout)
