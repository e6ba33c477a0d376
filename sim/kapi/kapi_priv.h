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

/* What has been computed already, by where the keys lie: a matter of speed alone. */
#define KAPI_CLASSES 1024 /* a power of two */
struct kapi_class {
	const struct lock_class_key *key;
	u64 class;
};

struct kapi {
	struct world *world;
	bool kept_valid;
	struct kapi_class class[KAPI_CLASSES];
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

/* --- contexts --- */
/* The task may have left its last reader section. */
void rcu_quiescent_slow(struct task *t);

static inline bool kapi_atomic(const struct task *t)
{
	return t->preempt_count | t->irq_off | t->rcu_depth ||
	       (t->foreign_count && *t->foreign_count) ||
	       (t->foreign_readers && *t->foreign_readers);
}

/* kapi_might_sleep(), inlined. */
static inline void kapi_sleeps(const char *what)
{
	if (unlikely(kapi_atomic(current_task)))
		kapi_might_sleep(what);
}

static inline bool rcu_is_waited_for(const struct task *t)
{
	return !list_empty(&t->world->kapi->s.rcu.gps);
}

static inline void rcu_quiescent(struct task *t)
{
	if (unlikely(rcu_is_waited_for(t)) && !kapi_atomic(t))
		rcu_quiescent_slow(t);
}

void kapi_bad_enable(u64 pc);
static inline void kapi_count_down(struct task *t, int one, u64 pc)
{
	if (unlikely(t->preempt_count < one)) {
		kapi_bad_enable(pc);
		return;
	}
	t->preempt_count -= one;
	rcu_quiescent(t);
}

static inline void kapi_preempt_disable(void)
{
	current_task->preempt_count += PREEMPT_ONE;
}

static inline void kapi_preempt_enable(u64 pc)
{
	kapi_count_down(current_task, PREEMPT_ONE, pc);
}

void kapi_softirq_enter(void);
void kapi_softirq_exit(void);
/* An imbalance that the function at pc left behind; `who` in the title. */
void kapi_check_balance(const char *who, u32 n_held, u64 pc);

/* --- locks: the facts and the held list --- */
void kapi_lock_unknown(u64 pc);
void kapi_tell_acquire(const struct lockdep_map *map, unsigned subclass, u32 mode);
void kapi_tell_acquired(const struct lockdep_map *map, unsigned subclass, u32 mode, u64 pc);
bool kapi_tell_release(const struct lockdep_map *map, u64 pc);

static inline void kapi_lock_check(const struct lockdep_map *map, u64 pc)
{
	if (unlikely(map->magic != LOCKDEP_MAGIC))
		kapi_lock_unknown(pc);
}

/* What follows is told to those who want to know; mostly to nobody, or to all. */
static inline bool kapi_wanted(const struct task *t, enum fact_kind kind)
{
	return fact_wanted(t->world->fact, kind);
}

static inline u32 kapi_context_bits(const struct task *t)
{
	if (likely(!(t->irq_off | (t->preempt_count & HARDIRQ_BITS))))
		return 0;
	return (t->irq_off ? LOCK_IRQ_OFF : 0) |
	       (t->preempt_count & HARDIRQ_BITS ? LOCK_IN_IRQ : 0);
}

static inline void kapi_lock_acquire(const struct lockdep_map *map, unsigned subclass, u32 mode)
{
	if (unlikely(kapi_wanted(current_task, FACT_LOCK_ACQUIRE)))
		kapi_tell_acquire(map, subclass, mode);
}

/* A lock of the heap, of which nobody else is to know: all that is done is to remember it. */
static inline bool kapi_is_private(const struct task *t, const void *map, enum fact_kind kind)
{
	return !t->checks && !kapi_wanted(t, kind) &&
	       (u64)(uintptr_t)map - HEAP_BASE < HEAP_END - HEAP_BASE;
}

static inline void kapi_hold(struct task *t, u64 addr, u64 class, u32 mode, u64 pc)
{
	struct task_held *h = &t->held[t->n_held++];

	h->lock = (const void *)(uintptr_t)addr;
	h->class_key = class;
	h->mode = mode;
	h->op = sched_ops(t);
	h->pc = pc;
}

/* The same of one under a nest lock: with others of its class. */
void kapi_lock_nested(const struct lockdep_map *map, u32 mode, u64 pc);

static inline void kapi_lock_acquired(const struct lockdep_map *map, unsigned subclass, u32 mode,
				      u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_is_private(t, map, FACT_LOCK_ACQUIRED) || t->n_held == TASK_HELD_MAX))
		kapi_tell_acquired(map, subclass, mode, pc);
	else
		kapi_hold(t, (u64)(uintptr_t)map, map->class_key | (subclass & LOCK_SUBCLASS_MASK),
			  mode | kapi_context_bits(t), pc);
}

/* False (and a finding) if the current task does not hold it. */
static inline bool kapi_lock_release(const struct lockdep_map *map, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_is_private(t, map, FACT_LOCK_RELEASE) || !t->n_held ||
		     t->held[t->n_held - 1].lock != map))
		return kapi_tell_release(map, pc);
	t->n_held--;
	return true;
}

/* --- where nobody looks --- */
/*
 * In a build without hooks: nothing is checked or told of the task, and it is not due. Then
 * a service has nothing to say but that it was there. See access_service().
 */
static inline bool kapi_is_alone(const struct task *t)
{
	return !IOMMULAB_HOOKS && t->due < t->alone_below;
}

/* The same of its next `ops` operations, of services. */
static inline bool kapi_is_alone_for(const struct task *t, u32 ops)
{
	return !IOMMULAB_HOOKS && t->due + ops < t->alone_below;
}

/* An operation of a service, of a task that is alone: nothing weighs it. */
static inline void kapi_count(struct task *t)
{
	t->due++;
}

/* The same of a lock that is what it should be, and of the heap. */
static inline bool kapi_is_plain(const struct task *t, const struct lockdep_map *map)
{
	return kapi_is_alone(t) && (u64)(uintptr_t)map - HEAP_BASE < HEAP_END - HEAP_BASE &&
	       map->magic == LOCKDEP_MAGIC;
}

/* Nothing stands against taking such a lock, which nobody has. */
static inline bool kapi_may_take(const struct task *t, const struct lockdep_map *map)
{
	return kapi_is_plain(t, map) && t->n_held < TASK_HELD_MAX;
}

/* It may sleep; any doubt is for kapi_atomic(). */
static inline bool kapi_sleeps_plainly(const struct task *t)
{
	return !((u64)(u32)(t->preempt_count | t->irq_off | t->rcu_depth) |
		 (u64)(uintptr_t)t->foreign_count | (u64)(uintptr_t)t->foreign_readers);
}

/* The same of one that may be waited for. */
static inline bool kapi_may_take_asleep(const struct task *t, const struct lockdep_map *map)
{
	return kapi_may_take(t, map) && kapi_sleeps_plainly(t);
}

/*
 * Counted and remembered. The context in which it was taken is for those who watch locks: where
 * they do nobody is alone.
 */
static inline __attribute__((always_inline)) void kapi_take(struct task *t,
							    const struct lockdep_map *map,
							    unsigned subclass, u32 mode, u64 pc)
{
	struct task_held *h = &t->held[t->n_held++];

	h->lock = map;
	h->class_key = map->class_key | (subclass & LOCK_SUBCLASS_MASK);
	h->mode = mode;
	h->op = sched_ops(t) + 1;
	h->pc = pc;
	kapi_count(t);
}

/* It is the last that the task has taken, which has seen to it that the lock is one. */
static inline bool kapi_may_drop(const struct task *t, const struct lockdep_map *map)
{
	return kapi_is_alone(t) && t->n_held && t->held[t->n_held - 1].lock == map;
}

/* The same of a lock that readers share; `write`: not as one of them. */
static inline bool kapi_may_drop_as(const struct task *t, const struct lockdep_map *map, bool write)
{
	return kapi_may_drop(t, map) && !(t->held[t->n_held - 1].mode & LOCK_READ) == write;
}

static inline void kapi_drop(struct task *t)
{
	kapi_count(t);
	t->n_held--;
}

/* --- findings --- */
/* The title; what follows a newline is the text. %%F in it: the function at pc. */
void kapi_finding(u64 pc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- initial states --- */
void kapi_rcu_init(struct kapi_rcu *r);
void kapi_system_wq_init(struct workqueue_struct *wq);
void kapi_deferred_init(struct kapi_deferred *d);
