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

#define SRCU_READERS_MAX 100000

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
void hosted_kvfree_rcu(void *head, void *ptr) HOSTED_NAMED(kvfree_call_rcu);

void hosted_kvfree_rcu(void *head, void *ptr)
{
	if (head) {
		hosted_floor->rcu_call(head, (void (*)(void *))((char *)head - (char *)ptr));
		return;
	}
	synchronize_rcu();
	kvfree(ptr);
}

int hosted_init_srcu(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
	HOSTED_NAMED(__init_srcu_struct);
int hosted_init_srcu_lockdep(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
	HOSTED_NAMED(init_srcu_struct_lockdep) __attribute__((alias("__init_srcu_struct")));

/*
 * Readers are counted in the word that leads to per-CPU data, which every tree
 * has; a domain that the compiler initialised has a pointer there at first.
 */
static unsigned long *readers(struct srcu_struct *ssp)
{
	unsigned long *n = (unsigned long *)&ssp->sda;

	if (unlikely(*n > SRCU_READERS_MAX)) {
		*n = 0;
		hosted_floor->mark_written(n, sizeof(*n));
	}
	return n;
}

int hosted_init_srcu(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
{
	memset(ssp, 0, sizeof(*ssp));
	lockdep_init_map(&ssp->dep_map, name, key, 0);
	hosted_floor->mark_written(ssp, sizeof(*ssp));
	return 0;
}

void cleanup_srcu_struct(struct srcu_struct *ssp)
{
	if (*readers(ssp))
		hosted_finding(HOSTED_CALLER, "WARNING: cleanup_srcu_struct with readers in %F",
			       "%lu readers", *readers(ssp));
}

int __srcu_read_lock(struct srcu_struct *ssp)
{
	hosted_floor->sync(ssp, FLOOR_WRITE);
	++*readers(ssp);
	return 0;
}

void __srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
	hosted_floor->sync(ssp, FLOOR_WRITE);
	hosted_floor->release(ssp);
	--*readers(ssp);
}

void synchronize_srcu(struct srcu_struct *ssp)
{
	might_sleep();
	hosted_floor->sync(ssp, FLOOR_WRITE);
	while (READ_ONCE(*readers(ssp)))
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
