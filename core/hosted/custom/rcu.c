// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: RCU is the floor's; SRCU counts the readers of each domain and waits
 * until there is none.
 *
 * False: a section with preemption off is no RCU reader; SRCU waits for later
 * readers, too, so its grace periods are longer than need be.
 */
#include "core/hosted/runtime.h"

#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>

void __rcu_read_lock(void)
{
	current->rcu_read_lock_nesting++;
	hosted_floor->rcu_lock();
}

void __rcu_read_unlock(void)
{
	current->rcu_read_lock_nesting--;
	hosted_floor->rcu_unlock();
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	hosted_floor->rcu_call(head, (void (*)(void *))func);
}

void synchronize_rcu(void)
{
	might_sleep();
	hosted_floor->rcu_wait();
}

void synchronize_rcu_expedited(void)
{
	synchronize_rcu();
}

void rcu_barrier(void)
{
	synchronize_rcu();
}

/* The floor takes a small "function" for the offset of the head in what it frees. */
void kvfree_call_rcu(struct rcu_head *head, void *ptr)
{
	if (head) {
		hosted_floor->rcu_call(head, (void (*)(void *))((char *)head - (char *)ptr));
		return;
	}
	synchronize_rcu();
	kvfree(ptr);
}

int __init_srcu_struct(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
{
	memset(ssp, 0, sizeof(*ssp));
	lockdep_init_map(&ssp->dep_map, name, key, 0);
	hosted_floor->mark_written(ssp, sizeof(*ssp));
	return 0;
}

void cleanup_srcu_struct(struct srcu_struct *ssp)
{
	if (ssp->srcu_idx)
		hosted_finding(HOSTED_CALLER, "WARNING: cleanup_srcu_struct with readers in %F",
			       "%u readers", ssp->srcu_idx);
}

int __srcu_read_lock(struct srcu_struct *ssp)
{
	hosted_floor->sync(ssp, FLOOR_WRITE);
	ssp->srcu_idx++;
	return 0;
}

void __srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
	hosted_floor->sync(ssp, FLOOR_WRITE);
	hosted_floor->release(ssp);
	ssp->srcu_idx--;
}

void synchronize_srcu(struct srcu_struct *ssp)
{
	might_sleep();
	hosted_floor->sync(ssp, FLOOR_WRITE);
	while (READ_ONCE(ssp->srcu_idx))
		hosted_floor->yield();
	hosted_floor->acquire(ssp);
}

void synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	synchronize_srcu(ssp);
}

/* Callers allow that func runs at once when they may sleep; else after an RCU period. */
void call_srcu(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func)
{
	call_rcu(head, func);
}
