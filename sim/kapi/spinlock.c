// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/spinlock.h"

#include "sim/kapi/kapi_priv.h"

void kapi_spin_init(spinlock_t *l, const char *name, const struct lock_class_key *key)
{
	kapi_own(l, sizeof(*l));
	l->owner = NULL;
	INIT_LIST_HEAD(&l->waiters);
	lockdep_init_map(&l->dep, name, key, LOCK_SPIN);
}

static __attribute__((noinline)) void wait_for_owner(spinlock_t *l)
{
	struct kapi_waiter w = {.task = current_task};

	kapi_link(&w.node, &l->waiters);
	while (l->owner) {
		sched_block("spin_lock", l, (int)l->owner->id, 0);
		access_service(l, OP_WRITE);
	}
	list_del(&w.node);
}

static __attribute__((noinline)) void lock_watched(spinlock_t *l, unsigned subclass, u32 mode,
						   u64 pc)
{
	access_service(l, OP_WRITE);
	kapi_lock_check(&l->dep, pc);
	kapi_lock_acquire(&l->dep, subclass, mode);
	if (unlikely(l->owner))
		wait_for_owner(l);
	l->owner = current_task;
	kapi_lock_acquired(&l->dep, subclass, mode, pc);
}

/* The caller has made the context atomic already. */
static inline __attribute__((always_inline)) void lock(spinlock_t *l, unsigned subclass, u32 mode,
						       u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_take(t, &l->dep) || l->owner)) {
		lock_watched(l, subclass, mode, pc);
		return;
	}
	l->owner = t;
	kapi_take(t, &l->dep, subclass, mode, pc);
}

static __attribute__((noinline)) bool unlock_watched(spinlock_t *l, u64 pc)
{
	access_service(l, OP_WRITE);
	if (!kapi_lock_release(&l->dep, pc))
		return false;
	l->owner = NULL;
	if (unlikely(!list_empty(&l->waiters)))
		kapi_wake_first(&l->waiters);
	return true;
}

static inline bool unlock(spinlock_t *l, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_drop(t, &l->dep) || !list_empty(&l->waiters)))
		return unlock_watched(l, pc);
	kapi_drop(t);
	l->owner = NULL;
	return true;
}

void spin_lock(spinlock_t *l)
{
	kapi_preempt_disable();
	lock(l, 0, LOCK_SPIN, KAPI_CALLER);
}

void spin_lock_nested(spinlock_t *l, unsigned subclass)
{
	preempt_disable();
	lock(l, subclass, LOCK_SPIN | LOCK_NEST, KAPI_CALLER);
}

bool spin_trylock(spinlock_t *l)
{
	access_service(l, OP_WRITE);
	kapi_lock_check(&l->dep, KAPI_CALLER);
	if (l->owner)
		return false;
	preempt_disable();
	kapi_lock_acquire(&l->dep, 0, LOCK_SPIN | LOCK_TRY);
	l->owner = current_task;
	kapi_lock_acquired(&l->dep, 0, LOCK_SPIN | LOCK_TRY, KAPI_CALLER);
	return true;
}

static __attribute__((noinline)) void unlock_enable(spinlock_t *l, u64 pc)
{
	if (unlock(l, pc))
		kapi_preempt_enable(pc);
}

void spin_unlock(spinlock_t *l)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_drop(t, &l->dep) || !list_empty(&l->waiters) ||
		     t->preempt_count < PREEMPT_ONE || rcu_is_waited_for(t))) {
		unlock_enable(l, KAPI_CALLER);
		return;
	}
	kapi_drop(t);
	l->owner = NULL;
	t->preempt_count -= PREEMPT_ONE;
}

void spin_lock_irq(spinlock_t *l)
{
	local_irq_disable();
	preempt_disable();
	lock(l, 0, LOCK_SPIN, KAPI_CALLER);
}

void spin_unlock_irq(spinlock_t *l)
{
	if (!unlock(l, KAPI_CALLER))
		return;
	preempt_enable();
	local_irq_enable();
}

unsigned long kapi_spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags = kapi_irq_save();

	preempt_disable();
	lock(l, 0, LOCK_SPIN, KAPI_CALLER);
	return flags;
}

void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	if (!unlock(l, KAPI_CALLER))
		return;
	preempt_enable();
	kapi_irq_restore(flags);
}
