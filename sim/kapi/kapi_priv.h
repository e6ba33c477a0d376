/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tools of this room share.
 *
 * No tool is instrumented: what it does between two announcements
 * (access_sync, access_range, sched_block) is one atomic step. The state of a
 * world is plain bytes with pointers only to itself, to the world's heap and
 * to tasks, so that a copy of it is a snapshot. Tasks named in it are valid
 * only in the generation in which they were made.
 */
#pragma once

#include "sim/base/assert.h"
#include "sim/mem/mem.h"
#include "sim/kapi/irq.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/lockdep.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/workqueue.h"

#define KAPI_CALLER ((u64)(uintptr_t)__builtin_return_address(0))

/* preempt_count's fields, as in the kernel. */
#define PREEMPT_ONE 1
#define SOFTIRQ_ONE (1 << 8)
#define HARDIRQ_ONE (1 << 16)
#define SOFTIRQ_BITS (0xff << 8)
#define HARDIRQ_BITS (0xf << 16)

/* A task that waits; on its own stack, linked while it waits. */
struct kapi_waiter {
	struct list_head node;
	struct task *task;
	bool write; /* rwsem */
};

struct kapi_rcu {
	struct list_head gps; /* struct kapi_gp of every wait in progress */
	struct rcu_head *head, **tail;
	u64 n_queued, n_done; /* callbacks */
	struct task *task;    /* the daemon, if gen is this run's */
	u32 gen;
	struct list_head barriers;
};

struct wq_worker {
	struct task *task;
	struct work_struct *running; /* may be freed memory: compared only */
	u64 seq;
	bool idle;
};

struct workqueue_struct {
	struct lockdep_map dep; /* no magic in the shared queue */
	const char *name;
	u32 max_active;
	u32 gen; /* the run in which its workers live */
	u64 seq; /* of the last item queued */
	struct list_head works;
	struct list_head waiters;
	u32 n_workers;
	bool dying;
	struct wq_worker worker[WQ_WORKERS_MAX];
};

struct irqaction;

struct irq_line {
	struct irqaction *actions;
	struct list_head waiters; /* synchronize_irq() */
	u32 disabled;
	bool raised;  /* a task for it exists and has not ended */
	bool running; /* its handlers run */
	bool pending; /* raised again meanwhile, or while disabled */
};

struct kapi_deferred {
	struct list_head pending, active; /* of device.deferred_node */
	u32 n_triggers;
	u32 n_probing;
	struct work_struct work;
	struct list_head waiters;
};

struct kapi_state {
	struct kapi_rcu rcu;
	struct workqueue_struct shared_wq; /* system_wq */
	struct kapi_deferred deferred;
	struct timer_list *timer_running;
	struct list_head timer_waiters;
	struct irq_line irq[IRQ_LINES_MAX];
};

struct kapi {
	struct world *world;
	bool kept_valid;
	struct kapi_state s, kept;
};

static inline struct kapi_state *kapi_state(void)
{
	return &this_world()->kapi->s;
}

/* --- addresses --- */

/* A stable number for p: itself in heap and stacks, an offset in struct kapi, else 0. */
u64 kapi_addr_slow(const void *p);

static inline u64 kapi_addr(const void *p)
{
	u64 a = (u64)(uintptr_t)p;

	if (likely(a - HEAP_BASE < HEAP_END - HEAP_BASE))
		return a;
	return kapi_addr_slow(p);
}

/* The bytes of a kapi object count as written. */
void kapi_own(const void *p, size_t size);

/* --- waiting --- */
/* To the tail. Out of line: compilers take a linked local for a dangling one. */
void kapi_link(struct list_head *node, struct list_head *waiters);
void kapi_wake_all(struct list_head *waiters);
void kapi_wake_first(struct list_head *waiters);
/* One turn of waiting: on the list, blocked, off the list. */
void kapi_wait_turn(struct list_head *waiters, const char *what, const void *object, int owner);

/*
 * A daemon task serves someone just now: the world is not at rest before it has
 * finished, and if it never does, that is a deadlock.
 */
static inline void kapi_serving(bool now)
{
	if (now)
		current_task->flags &= ~TASK_DAEMON;
	else
		current_task->flags |= TASK_DAEMON;
}

/* --- locks: the facts and the held list --- */
void kapi_lock_check(const struct lockdep_map *map, u64 pc);
void kapi_lock_acquire(const struct lockdep_map *map, unsigned subclass, u32 mode);
void kapi_lock_acquired(const struct lockdep_map *map, unsigned subclass, u32 mode, u64 pc);
/* False (and a finding) if the current task does not hold it. */
bool kapi_lock_release(const struct lockdep_map *map, u64 pc);

/* --- contexts --- */
/* The task may have left its last reader section. */
void rcu_quiescent_slow(struct task *t);

static inline bool kapi_atomic(const struct task *t)
{
	return t->preempt_count || t->irq_off || t->rcu_depth ||
	       (t->foreign_count && *t->foreign_count) ||
	       (t->foreign_readers && *t->foreign_readers);
}

static inline void rcu_quiescent(struct task *t)
{
	if (unlikely(!list_empty(&t->world->kapi->s.rcu.gps)) && !kapi_atomic(t))
		rcu_quiescent_slow(t);
}

void kapi_softirq_enter(void);
void kapi_softirq_exit(void);
/* An imbalance that the function at pc left behind; `who` in the title. */
void kapi_check_balance(const char *who, u32 n_held, u64 pc);

/* --- findings --- */
/* The title; what follows a newline is the text. %%F in it: the function at pc. */
void kapi_finding(u64 pc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- initial states --- */
void kapi_rcu_init(struct kapi_rcu *r);
void kapi_system_wq_init(struct workqueue_struct *wq);
void kapi_deferred_init(struct kapi_deferred *d);
