/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lock classes, and assertions on what the current task holds.
 *
 * Every lock begins with a struct lockdep_map. Its class is the site of its
 * initialisation: a constant key per use of an init macro, whose number is a
 * hash of its text and thus equal in every process. Subclasses 0..7 are
 * added in the low bits. Facts and task->held[] carry class and mode
 * (sim/base/lockmode.h).
 */
#pragma once

#include "sim/base/lockmode.h"
#include "sim/kapi/bug.h"

struct lock_class_key {
	const char *name, *file;
	u32 line;
};

/* First member of every lock. Owned by the lock. */
struct lockdep_map {
	u64 class_key;
	const char *name;
	u32 kind;  /* LOCK_MUTEX ... */
	u32 magic; /* LOCKDEP_MAGIC once initialised */
};

#define LOCKDEP_MAGIC 0x4c6f636bu

#define KAPI_LOCK_KEY(nm)                                                                          \
	({                                                                                         \
		static const struct lock_class_key key_ = {                                        \
			.name = (nm), .file = __FILE__, .line = __LINE__};                         \
		&key_;                                                                             \
	})

u64 lockdep_key_class(const struct lock_class_key *key);
void lockdep_init_map(struct lockdep_map *map, const char *name, const struct lock_class_key *key,
		      u32 kind);

/* Moves a lock that nobody holds to another class (or keeps its name). */
void kapi_lockdep_set_class(struct lockdep_map *map, const char *name,
			    const struct lock_class_key *key);
#define lockdep_set_class(lock, key) kapi_lockdep_set_class(&(lock)->dep, NULL, key)
#define lockdep_set_class_and_name(lock, key, nm) kapi_lockdep_set_class(&(lock)->dep, nm, key)

/* A name for a class of its own, for locks that one site initialises in several roles. */
#define LOCK_CLASS_KEY(var, nm)                                                                    \
	const struct lock_class_key var = {.name = (nm), .file = __FILE__, .line = __LINE__}

/* Orders without a lock: lock_map_acquire() as lockdep's users know it. */
void lock_map_acquire(struct lockdep_map *map);
void lock_map_acquire_read(struct lockdep_map *map);
void lock_map_release(struct lockdep_map *map);

enum { KAPI_HELD_ANY, KAPI_HELD_READ, KAPI_HELD_WRITE };
bool kapi_is_held(const struct lockdep_map *map, int how);

#define lockdep_is_held(lock) kapi_is_held(&(lock)->dep, KAPI_HELD_ANY)
#define lockdep_assert_held(lock) ((void)WARN_ON(!kapi_is_held(&(lock)->dep, KAPI_HELD_ANY)))
#define lockdep_assert_held_read(lock) ((void)WARN_ON(!kapi_is_held(&(lock)->dep, KAPI_HELD_READ)))
#define lockdep_assert_held_write(lock)                                                            \
	((void)WARN_ON(!kapi_is_held(&(lock)->dep, KAPI_HELD_WRITE)))
#define lockdep_assert_not_held(lock) ((void)WARN_ON(kapi_is_held(&(lock)->dep, KAPI_HELD_ANY)))

#define SINGLE_DEPTH_NESTING 1

/* What follows may sleep: a finding in atomic context. `what` outlives the run. */
void kapi_might_sleep(const char *what);
#define might_sleep() kapi_might_sleep(__func__)
/* The path may take the lock, though not in this run. */
void kapi_might_lock(struct lockdep_map *map);
#define might_lock(lock) kapi_might_lock(&(lock)->dep)
