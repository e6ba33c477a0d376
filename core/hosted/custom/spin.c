// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: raw spinlocks as the floor's blocking: who finds one taken waits, so
 * that a deadlock is seen at once. Uses what DEBUG_SPINLOCK gives a lock:
 * magic and owner. Of an rwlock, owner_cpu counts the readers.
 *
 * False: no fairness; who waits for an rwlock yields; soft interrupts are never
 * off for anybody else.
 */
#include "core/hosted/runtime.h"

#include <linux/spinlock.h>

static struct hosted_task *hosted_spinners[HOSTED_TASKS_MAX] __hosted_keep;
static unsigned int hosted_spinners_generation __hosted_keep;
static int hosted_n_spinners __hosted_keep;

/* Where no access is announced, nobody asks what is ordered. */
static inline void acquired(const void *l)
{
	if (IS_ENABLED(IOMMULAB_HOOKS))
		hosted_floor->acquire(l);
}

static inline void released(const void *l)
{
	if (IS_ENABLED(IOMMULAB_HOOKS))
		hosted_floor->release(l);
}

void __raw_spin_lock_init(raw_spinlock_t *l, const char *name, struct lock_class_key *key,
			  short inner)
{
	lockdep_init_map_wait(&l->dep_map, name, key, 0, inner);
	l->raw_lock = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
	l->magic = SPINLOCK_MAGIC;
	l->owner = SPINLOCK_OWNER_INIT;
	l->owner_cpu = -1;
	hosted_written(l, sizeof(*l));
}

/* What spin_is_locked() looks at. */
static void show(raw_spinlock_t *l, bool locked)
{
#ifndef IOMMULAB_X86
	l->raw_lock.slock = !locked;
#endif
}

static bool taken(const raw_spinlock_t *l)
{
	return l->owner != SPINLOCK_OWNER_INIT;
}

static noinline void wait_for(raw_spinlock_t *l)
{
	struct hosted_task *me = hosted_task_of(current);

	if (hosted_spinners_generation != hosted_floor->generation()) {
		hosted_spinners_generation = hosted_floor->generation();
		hosted_n_spinners = 0;
	}
	me->spins_on = l;
	hosted_spinners[hosted_n_spinners++] = me;
	while (taken(l)) {
		struct task_struct *owner = l->owner;

		hosted_floor->block("spin_lock", l, owner->pid - 1, 0);
	}
	for (int i = 0; i < hosted_n_spinners; i++) {
		if (hosted_spinners[i] == me)
			hosted_spinners[i] = hosted_spinners[--hosted_n_spinners];
	}
	me->spins_on = NULL;
}

/*
 * Where no access is announced, what nobody holds is taken, and given back, without a call.
 * Such builds have no point to switch at where a lock is released.
 */
static __always_inline bool taken_at_once(raw_spinlock_t *l)
{
	if (IS_ENABLED(IOMMULAB_HOOKS) || unlikely(l->magic != SPINLOCK_MAGIC || taken(l)) ||
	    unlikely(!hosted_own(FLOOR_TASK_WORD) || !hosted_own(FLOOR_THREAD_WORD)) ||
	    unlikely(!hosted_sync_counted(l, FLOOR_WRITE)))
		return false;
	preempt_disable();
	l->owner = current;
	show(l, true);
	return true;
}

static __always_inline bool released_at_once(raw_spinlock_t *l)
{
	if (IS_ENABLED(IOMMULAB_HOOKS) || unlikely(hosted_n_spinners) ||
	    unlikely(!hosted_own(FLOOR_TASK_WORD) || !hosted_own(FLOOR_THREAD_WORD)) ||
	    unlikely(l->owner != current))
		return false;
	l->owner = SPINLOCK_OWNER_INIT;
	show(l, false);
	preempt_enable();
	return true;
}

static noinline void take(raw_spinlock_t *l, int subclass, unsigned long pc)
{
	preempt_disable();
	hosted_sync(l, FLOOR_WRITE);
	if (unlikely(l->magic != SPINLOCK_MAGIC))
		hosted_finding(pc, "BUG: spinlock bad magic in %F", "magic %#x", l->magic);
	if (unlikely(taken(l) && l->owner == current))
		hosted_finding(pc, "BUG: spinlock recursion in %F", "%s", current->comm);
	lock_acquire(&l->dep_map, subclass, 0, 0, 1, NULL, pc);
	if (unlikely(taken(l)))
		wait_for(l);
	l->owner = current;
	show(l, true);
	acquired(l);
}

static __always_inline void lock(raw_spinlock_t *l, int subclass, unsigned long pc)
{
	if (!taken_at_once(l))
		take(l, subclass, pc);
}

static noinline void give_back(raw_spinlock_t *l, unsigned long pc)
{
	if (IS_ENABLED(IOMMULAB_HOOKS))
		hosted_sync(l, FLOOR_WRITE);
	if (unlikely(l->owner != current))
		hosted_finding(pc, "BUG: spinlock wrong owner in %F", "%s", current->comm);
	lock_release(&l->dep_map, pc);
	released(l);
	l->owner = SPINLOCK_OWNER_INIT;
	show(l, false);
	if (unlikely(hosted_n_spinners &&
		     hosted_spinners_generation == hosted_floor->generation())) {
		for (int i = 0; i < hosted_n_spinners; i++) {
			if (hosted_spinners[i]->spins_on == l)
				hosted_floor->wake(hosted_spinners[i]->task);
		}
	}
	preempt_enable();
}

static __always_inline void unlock(raw_spinlock_t *l, unsigned long pc)
{
	if (!released_at_once(l))
		give_back(l, pc);
}

void _raw_spin_lock(raw_spinlock_t *l)
{
	lock(l, 0, HOSTED_CALLER);
}

void _raw_spin_lock_nested(raw_spinlock_t *l, int subclass)
{
	lock(l, subclass, HOSTED_CALLER);
}

void _raw_spin_lock_nest_lock(raw_spinlock_t *l, struct lockdep_map *map)
{
	lock(l, 0, HOSTED_CALLER);
}

void _raw_spin_lock_bh(raw_spinlock_t *l)
{
	lock(l, 0, HOSTED_CALLER);
}

void _raw_spin_lock_irq(raw_spinlock_t *l)
{
	hosted_irq_set(0);
	lock(l, 0, HOSTED_CALLER);
}

unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *l)
{
	unsigned long flags = *hosted_irq_flag();

	hosted_irq_set(0);
	lock(l, 0, HOSTED_CALLER);
	return flags;
}

unsigned long _raw_spin_lock_irqsave_nested(raw_spinlock_t *l, int subclass)
{
	unsigned long flags = *hosted_irq_flag();

	hosted_irq_set(0);
	lock(l, subclass, HOSTED_CALLER);
	return flags;
}

int _raw_spin_trylock(raw_spinlock_t *l)
{
	hosted_sync(l, FLOOR_WRITE);
	if (taken(l))
		return 0;
	preempt_disable();
	lock_acquire(&l->dep_map, 0, 1, 0, 1, NULL, HOSTED_CALLER);
	l->owner = current;
	show(l, true);
	acquired(l);
	return 1;
}

int _raw_spin_trylock_bh(raw_spinlock_t *l)
{
	return _raw_spin_trylock(l);
}

void _raw_spin_unlock(raw_spinlock_t *l)
{
	unlock(l, HOSTED_CALLER);
}

void _raw_spin_unlock_bh(raw_spinlock_t *l)
{
	unlock(l, HOSTED_CALLER);
}

void _raw_spin_unlock_irq(raw_spinlock_t *l)
{
	unlock(l, HOSTED_CALLER);
	hosted_irq_set(1);
}

void _raw_spin_unlock_irqrestore(raw_spinlock_t *l, unsigned long flags)
{
	unlock(l, HOSTED_CALLER);
	hosted_irq_set(flags);
}

/* --- rwlocks --- */

void __rwlock_init(rwlock_t *l, const char *name, struct lock_class_key *key)
{
	lockdep_init_map_wait(&l->dep_map, name, key, 0, LD_WAIT_CONFIG);
	l->magic = RWLOCK_MAGIC;
	l->owner = SPINLOCK_OWNER_INIT;
	l->owner_cpu = -1;
	hosted_written(l, sizeof(*l));
}

void _raw_read_lock(rwlock_t *l)
{
	preempt_disable();
	lock_acquire(&l->dep_map, 0, 0, 2, 1, NULL, HOSTED_CALLER);
	do {
		hosted_sync(l, FLOOR_WRITE);
		if (l->owner == SPINLOCK_OWNER_INIT)
			break;
		hosted_floor->yield();
	} while (true);
	l->owner_cpu++;
	acquired(l);
}

void _raw_read_unlock(rwlock_t *l)
{
	hosted_sync(l, FLOOR_WRITE);
	lock_release(&l->dep_map, HOSTED_CALLER);
	released(l);
	l->owner_cpu--;
	preempt_enable();
}

void _raw_write_lock(rwlock_t *l)
{
	preempt_disable();
	lock_acquire(&l->dep_map, 0, 0, 0, 1, NULL, HOSTED_CALLER);
	do {
		hosted_sync(l, FLOOR_WRITE);
		if (l->owner == SPINLOCK_OWNER_INIT && l->owner_cpu == (unsigned int)-1)
			break;
		hosted_floor->yield();
	} while (true);
	l->owner = current;
	acquired(l);
}

void _raw_write_unlock(rwlock_t *l)
{
	hosted_sync(l, FLOOR_WRITE);
	lock_release(&l->dep_map, HOSTED_CALLER);
	released(l);
	l->owner = SPINLOCK_OWNER_INIT;
	preempt_enable();
}

unsigned long _raw_read_lock_irqsave(rwlock_t *l)
{
	unsigned long flags = *hosted_irq_flag();

	hosted_irq_set(0);
	_raw_read_lock(l);
	return flags;
}

void _raw_read_unlock_irqrestore(rwlock_t *l, unsigned long flags)
{
	_raw_read_unlock(l);
	hosted_irq_set(flags);
}

unsigned long _raw_write_lock_irqsave(rwlock_t *l)
{
	unsigned long flags = *hosted_irq_flag();

	hosted_irq_set(0);
	_raw_write_lock(l);
	return flags;
}

void _raw_write_unlock_irqrestore(rwlock_t *l, unsigned long flags)
{
	_raw_write_unlock(l);
	hosted_irq_set(flags);
}
