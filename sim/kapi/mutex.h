/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mutexes: sleeping, owned, first waiter woken first; a running task may take
 * a free mutex before the woken waiter gets there, as in the kernel.
 */
#pragma once

#include "sim/base/list.h"
#include "sim/kapi/lockdep.h"

struct task;

struct mutex {
	struct lockdep_map dep;
	struct task *owner;
	struct list_head waiters;
};

void kapi_mutex_init(struct mutex *m, const char *name, const struct lock_class_key *key);
#define mutex_init(m) kapi_mutex_init(m, #m, KAPI_LOCK_KEY(#m))
#define __mutex_init(m, name, key) kapi_mutex_init(m, name, key)
void mutex_destroy(struct mutex *m);

void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m, unsigned subclass);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_locked(struct mutex *m);

/* guard_mutex(&m): held until the end of the block. */
static inline void kapi_guard_mutex_end(struct mutex **m)
{
	mutex_unlock(*m);
}

static inline struct mutex *kapi_guard_mutex(struct mutex *m)
{
	mutex_lock(m);
	return m;
}

#define KAPI_GUARD_NAME2(line) guard_##line##_
#define KAPI_GUARD_NAME(line) KAPI_GUARD_NAME2(line)
#define guard_mutex(m)                                                                             \
	struct mutex *KAPI_GUARD_NAME(__LINE__)                                                    \
		__attribute__((cleanup(kapi_guard_mutex_end), unused)) = kapi_guard_mutex(m)
