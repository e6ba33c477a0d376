// SPDX-License-Identifier: GPL-2.0-only
/*
 * One queue in order of arrival. A writer at its head waits for everybody, a
 * reader at its head for the writer only; a newcomer that finds the queue
 * occupied joins it. So nobody overtakes a waiting writer.
 *
 * Happens-before: a writer releases through `dep`, a reader through `waiters`;
 * writers acquire both, readers only the former, so that two readers stay
 * unordered.
 */
#include "sim/kapi/rwsem.h"

#include "sim/kapi/kapi_priv.h"

/* Reader or writer: what differs is decided when it is compiled. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

void kapi_rwsem_init(struct rw_semaphore *s, const char *name, const struct lock_class_key *key)
{
	kapi_own(s, sizeof(*s));
	s->writer = NULL;
	s->n_readers = 0;
	s->last_reader = -1;
	INIT_LIST_HEAD(&s->waiters);
	lockdep_init_map(&s->dep, name, key, LOCK_RWSEM);
}

static inline bool free_for(const struct rw_semaphore *s, bool write)
{
	return !s->writer && (!write || !s->n_readers);
}

/* Whoever must act first, for deadlock reports. */
static int blocker(const struct rw_semaphore *s, const struct kapi_waiter *w)
{
	if (s->writer)
		return (int)s->writer->id;
	if (s->n_readers)
		return s->last_reader;
	if (s->waiters.next != &w->node)
		return (int)list_first_entry(&s->waiters, struct kapi_waiter, node)->task->id;
	return -1;
}

static __attribute__((noinline)) void wait_turn(struct rw_semaphore *s, bool write)
{
	struct kapi_waiter w = {.task = current_task, .write = write};

	kapi_link(&w.node, &s->waiters);
	while (s->waiters.next != &w.node || !free_for(s, write)) {
		sched_block(write ? "down_write" : "down_read", s, blocker(s, &w), 0);
		access_service(s, OP_WRITE);
	}
	list_del(&w.node);
	/* The next in the queue may be a reader that can come along. */
	if (!write)
		kapi_wake_first(&s->waiters);
}

static inline void take(struct rw_semaphore *s, bool write)
{
	if (write) {
		s->writer = current_task;
		access_acquire(&s->waiters);
	} else {
		s->n_readers++;
		s->last_reader = (int)current_task->id;
	}
}

static u32 mode_of(bool write)
{
	return write ? LOCK_RWSEM : LOCK_RWSEM | LOCK_READ;
}

static __attribute__((noinline)) void down_watched(struct rw_semaphore *s, bool write,
						   unsigned subclass, u64 pc)
{
	u32 mode = mode_of(write) | (subclass ? LOCK_NEST : 0);

	kapi_sleeps(write ? "down_write" : "down_read");
	access_service(s, OP_WRITE);
	kapi_lock_check(&s->dep, pc);
	kapi_lock_acquire(&s->dep, subclass, mode);
	if (unlikely(!list_empty(&s->waiters) || !free_for(s, write)))
		wait_turn(s, write);
	take(s, write);
	kapi_lock_acquired(&s->dep, subclass, mode, pc);
}

static bool try_down(struct rw_semaphore *s, bool write, u64 pc)
{
	u32 mode = mode_of(write) | LOCK_TRY;

	access_service(s, OP_WRITE);
	kapi_lock_check(&s->dep, pc);
	if (!list_empty(&s->waiters) || !free_for(s, write))
		return false;
	kapi_lock_acquire(&s->dep, 0, mode);
	take(s, write);
	kapi_lock_acquired(&s->dep, 0, mode, pc);
	return true;
}

/* As most are: the last lock that the task has taken. */
static inline bool is_last_held(const struct rw_semaphore *s, bool write)
{
	const struct task *t = current_task;
	const struct task_held *h = &t->held[t->n_held - 1];

	return t->n_held && h->lock == s && !(h->mode & LOCK_READ) == write;
}

static __attribute__((noinline)) void up_watched(struct rw_semaphore *s, bool write, u64 pc)
{
	access_service(s, OP_WRITE);
	if (!is_last_held(s, write) &&
	    !kapi_is_held(&s->dep, write ? KAPI_HELD_WRITE : KAPI_HELD_READ)) {
		kapi_finding(pc, "WARNING: bad unlock balance in %%F");
		return;
	}
	kapi_lock_release(&s->dep, pc);
	if (write) {
		s->writer = NULL;
	} else {
		s->n_readers--;
		access_release(&s->waiters);
	}
	if (!list_empty(&s->waiters))
		kapi_wake_first(&s->waiters);
}

/* The usual case of each; whatever else there may be is the other's. */
static ALWAYS_INLINE void down(struct rw_semaphore *s, bool write, unsigned subclass, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_take_asleep(t, &s->dep) || !list_empty(&s->waiters) ||
		     !free_for(s, write))) {
		down_watched(s, write, subclass, pc);
		return;
	}
	/* As take() does, but for the edge that nobody looks for. */
	if (write) {
		s->writer = t;
	} else {
		s->n_readers++;
		s->last_reader = (int)t->id;
	}
	kapi_take(t, &s->dep, subclass, mode_of(write) | (subclass ? LOCK_NEST : 0), pc);
}

static ALWAYS_INLINE void up(struct rw_semaphore *s, bool write, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!kapi_may_drop_as(t, &s->dep, write) || !list_empty(&s->waiters))) {
		up_watched(s, write, pc);
		return;
	}
	kapi_drop(t);
	if (write)
		s->writer = NULL;
	else
		s->n_readers--;
}

void down_read(struct rw_semaphore *s)
{
	down(s, false, 0, KAPI_CALLER);
}

bool down_read_trylock(struct rw_semaphore *s)
{
	return try_down(s, false, KAPI_CALLER);
}

void up_read(struct rw_semaphore *s)
{
	up(s, false, KAPI_CALLER);
}

void down_write(struct rw_semaphore *s)
{
	down(s, true, 0, KAPI_CALLER);
}

void down_write_nested(struct rw_semaphore *s, unsigned subclass)
{
	down(s, true, subclass, KAPI_CALLER);
}

void kapi_down_write_nest(struct rw_semaphore *s, const struct lockdep_map *outer)
{
	const u32 mode = LOCK_RWSEM | LOCK_NEST;
	u64 pc = KAPI_CALLER;

	WARN_ON(!kapi_is_held(outer, KAPI_HELD_WRITE));
	kapi_sleeps("down_write");
	access_service(s, OP_WRITE);
	kapi_lock_check(&s->dep, pc);
	kapi_lock_acquire(&s->dep, 0, mode);
	if (!list_empty(&s->waiters) || !free_for(s, true))
		wait_turn(s, true);
	take(s, true);
	kapi_lock_nested(&s->dep, mode, pc);
}

bool down_write_trylock(struct rw_semaphore *s)
{
	return try_down(s, true, KAPI_CALLER);
}

void up_write(struct rw_semaphore *s)
{
	up(s, true, KAPI_CALLER);
}

void downgrade_write(struct rw_semaphore *s)
{
	up(s, true, KAPI_CALLER);
	/* No announcement in between: nobody else can have come in. */
	take(s, false);
	kapi_lock_acquire(&s->dep, 0, LOCK_RWSEM | LOCK_READ | LOCK_TRY);
	kapi_lock_acquired(&s->dep, 0, LOCK_RWSEM | LOCK_READ | LOCK_TRY, KAPI_CALLER);
}
