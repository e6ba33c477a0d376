// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: lockdep's entry points, told to the floor, whose lock-order oracle
 * learns from them. A class is the address of its key (the object lies at a
 * fixed address); a lock without one is its own class.
 *
 * False: a lock counts as held from the moment it is asked for; no check of
 * wait types; pins and cross-task locks are not followed.
 */
#include "core/hosted/runtime.h"

#include <linux/lockdep.h>
#include <linux/rcupdate.h>

int debug_locks = 1;
int debug_locks_silent;

/* Whether the tree's own lockdep is there to be asked. */
#define HAS_OWN IS_ENABLED(CONFIG_PROVE_LOCKING)

#ifdef CONFIG_DEBUG_LOCK_ALLOC /* not in flavour bench */
#ifndef IOMMULAB_X86
struct lock_class_key __lockdep_no_validate__;
int lock_stat;
#endif

static struct lock_class_key hosted_rcu_keys[4];
#define RCU_MAP(i, text) {.name = text, .key = &hosted_rcu_keys[i]}
struct lockdep_map rcu_lock_map = RCU_MAP(0, "rcu_read_lock");
struct lockdep_map rcu_bh_lock_map = RCU_MAP(1, "rcu_read_lock_bh");
struct lockdep_map rcu_sched_lock_map = RCU_MAP(2, "rcu_read_lock_sched");
struct lockdep_map rcu_callback_map = RCU_MAP(3, "rcu_callback");

static bool is_rcu(const struct lockdep_map *map)
{
	return map->key >= hosted_rcu_keys &&
	       map->key < hosted_rcu_keys + ARRAY_SIZE(hosted_rcu_keys);
}

/* A map of RCU's, or one that asks not to be followed. */
static bool is_ignored(const struct lockdep_map *map)
{
	return is_rcu(map) || map->key == &__lockdep_no_validate__;
}

static unsigned long class_of(const struct lockdep_map *map)
{
	return (unsigned long)(map->key ? (const void *)map->key : map) & ~7UL;
}

/* signature given */
void lockdep_init_map_type(struct lockdep_map *map, const char *name, struct lock_class_key *key,
			   int subclass, u8 inner, u8 outer, u8 type)
{
	if (!HAS_OWN || !hosted_tree_init(map, name, key, subclass, inner, outer, type)) {
		memset(map, 0, sizeof(*map));
		map->name = name;
		map->key = key;
		map->wait_type_inner = inner;
		map->wait_type_outer = outer;
		map->lock_type = type;
	}
	hosted_written(map, sizeof(*map));
	hosted_floor->lock_init(map, class_of(map), name);
}

static unsigned int kind_of(const struct lockdep_map *map)
{
	if (map->wait_type_inner == LD_WAIT_SLEEP)
		return FLOOR_LOCK_MUTEX;
	return map->wait_type_inner == LD_WAIT_INV ? FLOOR_LOCK_MAP : FLOOR_LOCK_SPIN;
}

/* A lock inside what a NULL pointer points at; nobody else looks before we do. */
static void check_map(const struct lockdep_map *map, unsigned long pc)
{
	if (unlikely((unsigned long)map < FLOOR_LOW))
		hosted_floor->access(map, sizeof(map->key), FLOOR_READ, pc);
}

/* Initialised by the compiler: told at first use. */
static noinline void init_late(struct lockdep_map *map)
{
	map->key = (struct lock_class_key *)map;
	hosted_floor->lock_init(map, class_of(map), map->name);
}

/* signature given */
static __always_inline void acquire(unsigned int kind, struct lockdep_map *map,
				    unsigned int subclass, int trylock, int read,
				    struct lockdep_map *nest, unsigned long ip)
{
	unsigned int mode = kind;

	if (is_ignored(map))
		return;
	if (unlikely(!map->key))
		init_late(map);
	mode |= read ? FLOOR_LOCK_READ : 0;
	mode |= read == 2 ? FLOOR_LOCK_RECURSE : 0;
	mode |= trylock ? FLOOR_LOCK_TRY : 0;
	mode |= subclass || nest ? FLOOR_LOCK_NEST : 0;
	mode |= hosted_task_of(current)->irq_on ? 0 : FLOOR_LOCK_IRQ_OFF;
	hosted_floor->lock_acquire(map, class_of(map), subclass, mode, ip);
}

/* signature given */
void lock_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read,
		  int check, struct lockdep_map *nest, unsigned long ip)
{
	check_map(map, ip);
	if (HAS_OWN)
		hosted_tree_acquire(map, subclass, trylock, read, check, nest, ip);
	acquire(kind_of(map), map, subclass, trylock, read, nest, ip);
}

/* signature given */
void hosted_rwsem_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read,
			  int check, struct lockdep_map *nest, unsigned long ip)
{
	check_map(map, ip);
	if (HAS_OWN)
		hosted_tree_acquire(map, subclass, trylock, read, check, nest, ip);
	acquire(FLOOR_LOCK_RWSEM, map, subclass, trylock, read, nest, ip);
}

void lock_release(struct lockdep_map *map, unsigned long ip)
{
	check_map(map, ip);
	if (HAS_OWN)
		hosted_tree_release(map, ip);
	if (!is_ignored(map))
		hosted_floor->lock_release(map, ip);
}

void lock_sync(struct lockdep_map *map, unsigned int subclass, int read, int check,
	       struct lockdep_map *nest, unsigned long ip)
{
}

int lock_is_held_type(const struct lockdep_map *map, int read)
{
	int held;

	check_map(map, HOSTED_CALLER);
	if (map == &rcu_lock_map)
		return current->rcu_read_lock_nesting > 0;
	if (is_ignored(map))
		return 1;
	held = hosted_floor->lock_held(map);
	return read < 0 ? held != 0 : held == (read ? 2 : 1);
}

static void downgrade(unsigned int kind, struct lockdep_map *map, unsigned long ip)
{
	if (HAS_OWN)
		hosted_tree_downgrade(map, ip);
	hosted_floor->lock_release(map, ip);
	hosted_floor->lock_acquire(map, class_of(map), 0, kind | FLOOR_LOCK_READ | FLOOR_LOCK_TRY,
				   ip);
}

void lock_downgrade(struct lockdep_map *map, unsigned long ip)
{
	downgrade(kind_of(map), map, ip);
}

void hosted_rwsem_downgrade(struct lockdep_map *map, unsigned long ip)
{
	downgrade(FLOOR_LOCK_RWSEM, map, ip);
}

void lock_set_class(struct lockdep_map *map, const char *name, struct lock_class_key *key,
		    unsigned int subclass, unsigned long ip)
{
	if (HAS_OWN)
		hosted_tree_set_class(map, name, key, subclass, ip);
	map->key = key;
	map->name = name;
}

#ifndef IOMMULAB_X86

/* Newer trees: how often a held lock was taken; all bits: not known, no check. */
u32 lock_sequence(struct lockdep_map *map)
{
	return ~0u;
}

void lockdep_register_key(struct lock_class_key *key)
{
}

void lockdep_unregister_key(struct lock_class_key *key)
{
}

void debug_show_held_locks(struct task_struct *task)
{
}
#endif

void debug_check_no_locks_freed(const void *from, unsigned long len)
{
}

int debug_lockdep_rcu_enabled(void)
{
	return 1;
}

int rcu_read_lock_held(void)
{
	return current->rcu_read_lock_nesting > 0;
}

int rcu_read_lock_bh_held(void)
{
	return 1;
}

int rcu_read_lock_sched_held(void)
{
	return 1;
}

int rcu_read_lock_any_held(void)
{
	return 1;
}

void lockdep_rcu_suspicious(const char *file, const int line, const char *s)
{
	hosted_finding(HOSTED_CALLER, "WARNING: suspicious RCU usage in %F", "at %s:%d: %s", file,
		       line, s);
}

#endif

/* Only the tree's own lockdep gives up. */
int debug_locks_off(void)
{
	return HAS_OWN && xchg(&debug_locks, 0);
}
