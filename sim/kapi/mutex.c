// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/mutex.h"

#include "sim/kapi/kapi_priv.h"

void kapi_mutex_init(struct mutex *m, const char *name, const struct lock_class_key *key)
{
	kapi_own(m, sizeof(*m));
	m->owner = NULL;
	INIT_LIST_HEAD(&m->waiters);
	lockdep_init_map(&m->dep, name, key, LOCK_MUTEX);
}

void mutex_destroy(struct mutex *m)
{
	access_service(m, OP_WRITE);
	kapi_lock_check(&m->dep, KAPI_CALLER);
	if (m->owner)
		kapi_finding(KAPI_CALLER, "WARNING: destroying a held mutex in %%F");
	m->dep.magic = 0;
}

static __attribute__((noinline)) void wait_for_owner(struct mutex *m)
{
	struct kapi_waiter w = {.task = current_task};

	kapi_link(&w.node, &m->waiters);
	while (m->owner) {
		sched_block("mutex_lock", m, (int)m->owner->id, 0);
		access_service(m, OP_WRITE);
	}
	list_del(&w.node);
}

static __attribute__((noinline)) void lock_watched(struct mutex *m, unsigned subclass, u32 mode,
						   u64 pc)
{
	kapi_sleeps("mutex_lock");
	access_service(m, OP_WRITE);
	kapi_lock_check(&m->dep, pc);
	kapi_lock_acquire(&m->dep, subclass, mode);
	if (unlikely(m->owner))
		wait_for_owner(m);
	m->owner = current_task;
	kapi_lock_acquired(&m->dep, subclass, mode, pc);
}

static inline __attribute__((always_inline)) void lock(struct mutex *m, unsigned subclass,
						       u32 mode, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_take_asleep(t, &m->dep) || m->owner)) {
		lock_watched(m, subclass, mode, pc);
		return;
	}
	m->owner = t;
	kapi_take(t, &m->dep, subclass, mode, pc);
}

void mutex_lock(struct mutex *m)
{
	lock(m, 0, LOCK_MUTEX, KAPI_CALLER);
}

void mutex_lock_nested(struct mutex *m, unsigned subclass)
{
	lock(m, subclass, LOCK_MUTEX | LOCK_NEST, KAPI_CALLER);
}

bool mutex_trylock(struct mutex *m)
{
	access_service(m, OP_WRITE);
	kapi_lock_check(&m->dep, KAPI_CALLER);
	if (in_interrupt())
		kapi_finding(KAPI_CALLER, "WARNING: mutex_trylock in interrupt context in %%F");
	if (m->owner)
		return false;
	kapi_lock_acquire(&m->dep, 0, LOCK_MUTEX | LOCK_TRY);
	m->owner = current_task;
	kapi_lock_acquired(&m->dep, 0, LOCK_MUTEX | LOCK_TRY, KAPI_CALLER);
	return true;
}

static __attribute__((noinline)) void unlock_watched(struct mutex *m, u64 pc)
{
	access_service(m, OP_WRITE);
	if (!kapi_lock_release(&m->dep, pc))
		return;
	m->owner = NULL;
	if (unlikely(!list_empty(&m->waiters)))
		kapi_wake_first(&m->waiters);
}

void mutex_unlock(struct mutex *m)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_drop(t, &m->dep) || !list_empty(&m->waiters))) {
		unlock_watched(m, KAPI_CALLER);
		return;
	}
	kapi_drop(t);
	m->owner = NULL;
}

bool mutex_is_locked(struct mutex *m)
{
	access_service(m, OP_READ);
	return m->owner;
}
