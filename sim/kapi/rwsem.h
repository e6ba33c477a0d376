/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reader-writer semaphores. Fair: a reader that comes after a waiting writer
 * waits behind it, so a recursive down_read() can deadlock, as in the kernel.
 */
#pragma once

#include "sim/base/list.h"
#include "sim/kapi/lockdep.h"

struct task;

struct rw_semaphore {
	struct lockdep_map dep;
	struct task *writer;
	u32 n_readers;
	int last_reader; /* task id, for deadlock reports; -1 = none yet */
	struct list_head waiters;
};

void kapi_rwsem_init(struct rw_semaphore *s, const char *name, const struct lock_class_key *key);
#define init_rwsem(s) kapi_rwsem_init(s, #s, KAPI_LOCK_KEY(#s))

void down_read(struct rw_semaphore *s);
bool down_read_trylock(struct rw_semaphore *s);
void up_read(struct rw_semaphore *s);
void down_write(struct rw_semaphore *s);
void down_write_nested(struct rw_semaphore *s, unsigned subclass);
/*
 * Any number of locks of a class, in any order: whoever takes several has `outer`, as a writer.
 * Those that a task has are remembered by their number: lockdep_is_held() says so of each lock
 * of the class.
 */
void kapi_down_write_nest(struct rw_semaphore *s, const struct lockdep_map *outer);
#define down_write_nest_lock(s, outer) kapi_down_write_nest(s, &(outer)->dep)
bool down_write_trylock(struct rw_semaphore *s);
void up_write(struct rw_semaphore *s);
/* A writer becomes a reader without letting another writer in. */
void downgrade_write(struct rw_semaphore *s);
