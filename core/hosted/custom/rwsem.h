/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included after force.h by kernel/locking/rwsem.c. A lockdep map does not say whether its lock is
 * a mutex or an rwsem; who tells it to lockdep.c does. Headers whose functions take locks of other
 * kinds are read first.
 */
#pragma once

#include <linux/lockdep.h>
#include <linux/percpu-rwsem.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
/* Behind the others: it does not include what it needs. */
#include <linux/local_lock.h>

/* As lock_acquire() and lock_downgrade(). signature given */
void hosted_rwsem_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read,
			  int check, struct lockdep_map *nest, unsigned long ip);
void hosted_rwsem_downgrade(struct lockdep_map *map, unsigned long ip);

#ifdef CONFIG_DEBUG_LOCK_ALLOC /* not in flavour bench */
#define lock_acquire hosted_rwsem_acquire
#define lock_downgrade hosted_rwsem_downgrade
#endif
