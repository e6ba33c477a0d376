/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work queues. A queue's workers are daemon tasks, made when there is work and
 * no worker is idle, up to max_active of them (at most WQ_WORKERS_MAX). A work
 * item never runs twice at the same time; its function may free it.
 */
#pragma once

#include "sim/kapi/timer.h"

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	struct list_head entry; /* in the queue; self-linked when not */
	work_func_t func;
	struct workqueue_struct *wq; /* last queued on */
	u64 seq;		     /* of its last queueing */
	bool pending;		     /* queued, or its timer runs */
	u32 canceling;		     /* cancel_work_sync() in progress: not queued again */
	struct lockdep_map dep;
};

struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct *wq;
};

enum wq_flags { WQ_UNBOUND = 2, WQ_MEM_RECLAIM = 8, WQ_HIGHPRI = 16, WQ_ORDERED = 32 };
#define WQ_WORKERS_MAX 4

void kapi_init_work(struct work_struct *w, work_func_t fn, const char *name,
		    const struct lock_class_key *key);
void kapi_init_delayed_work(struct delayed_work *d, work_func_t fn, const char *name,
			    const struct lock_class_key *key);
#define INIT_WORK(w, fn) kapi_init_work(w, fn, #w, KAPI_LOCK_KEY(#w))
#define INIT_DELAYED_WORK(d, fn) kapi_init_delayed_work(d, fn, #d, KAPI_LOCK_KEY(#d))

static inline struct delayed_work *to_delayed_work(struct work_struct *w)
{
	return container_of(w, struct delayed_work, work);
}

/* max_active 0 = the default. The name must outlive the queue. NULL: no memory. */
struct workqueue_struct *alloc_workqueue(const char *name, unsigned flags, int max_active);
#define alloc_ordered_workqueue(name, flags) alloc_workqueue(name, (flags) | WQ_ORDERED, 1)
/* Drains, then frees. */
void destroy_workqueue(struct workqueue_struct *wq);

/* False if the item was pending already. */
bool queue_work(struct workqueue_struct *wq, struct work_struct *w);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay);
#define schedule_work(w) queue_work(system_wq, w)
#define schedule_delayed_work(d, delay) queue_delayed_work(system_wq, d, delay)

/* Waits until the last queueing of w has run. True if it waited. */
bool flush_work(struct work_struct *w);
bool flush_delayed_work(struct delayed_work *d);
/* Afterwards w is neither pending nor running. True if it was pending. */
bool cancel_work_sync(struct work_struct *w);
bool cancel_work(struct work_struct *w);
bool cancel_delayed_work(struct delayed_work *d);
bool cancel_delayed_work_sync(struct delayed_work *d);
/* Waits for everything queued before the call. */
void flush_workqueue(struct workqueue_struct *wq);
void drain_workqueue(struct workqueue_struct *wq);
bool work_pending(const struct work_struct *w);
bool delayed_work_pending(const struct delayed_work *d);

/* The world's shared queue. */
struct workqueue_struct *kapi_system_wq(void);
#define system_wq kapi_system_wq()
#define system_unbound_wq kapi_system_wq()
