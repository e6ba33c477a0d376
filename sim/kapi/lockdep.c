// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/lockdep.h"

#include "sim/kapi/kapi_priv.h"
#include "sim/oracle/oracle.h"

#include <string.h>

static u64 hash_text(u64 h, const char *text)
{
	size_t left = strlen(text);
	u64 word;

	for (; left >= sizeof(word); left -= sizeof(word), text += sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = hash_mix(h, word);
	}
	word = 0;
	memcpy(&word, text, left);
	return hash_mix(h, word ^ (u64)left << 56);
}

/* The low bits are left to subclasses; 0 is no class. */
u64 lockdep_key_class(const struct lock_class_key *key)
{
	u64 h = hash_text(hash_text(key->line, key->file), key->name);

	return (h | (LOCK_SUBCLASS_MASK + 1)) & ~(u64)LOCK_SUBCLASS_MASK;
}

static __attribute__((noinline)) void learn_class(struct kapi_class *c, const char *name,
						  const struct lock_class_key *key)
{
	*c = (struct kapi_class){key, lockdep_key_class(key)};
	oracle_name_class(this_world()->oracles, c->class, name);
}

/* Keys are constants of the program, so that one lies where no other ever will. */
static inline u64 class_of(const struct lock_class_key *key, const char *name)
{
	u64 place = hash_mix(0, (u64)(uintptr_t)key) & (KAPI_CLASSES - 1);
	struct kapi_class *c = &this_world()->kapi->class[place];

	if (unlikely(c->key != key))
		learn_class(c, name, key);
	return c->class;
}

void lockdep_init_map(struct lockdep_map *map, const char *name, const struct lock_class_key *key,
		      u32 kind)
{
	map->class_key = class_of(key, name);
	map->name = name;
	map->kind = kind;
	map->magic = LOCKDEP_MAGIC;
	fact(LOCK_INIT, kapi_addr(map), map->class_key, (u64)(uintptr_t)name, kind);
}

void kapi_lockdep_set_class(struct lockdep_map *map, const char *name,
			    const struct lock_class_key *key)
{
	lockdep_init_map(map, name ? name : key->name, key, map->kind);
}

void kapi_lock_unknown(u64 pc)
{
	kapi_finding(pc, "INFO: trying to register non-static key in %%F");
}

void kapi_tell_acquire(const struct lockdep_map *map, unsigned subclass, u32 mode)
{
	u64 class = map->class_key | (subclass & LOCK_SUBCLASS_MASK);

	mode |= kapi_context_bits(current_task);
	if (oracle_wants_lock(this_world(), class, mode))
		fact(LOCK_ACQUIRE, kapi_addr(map), class, mode, subclass);
}

void kapi_tell_acquired(const struct lockdep_map *map, unsigned subclass, u32 mode, u64 pc)
{
	struct task *t = current_task;
	u64 class = map->class_key | (subclass & LOCK_SUBCLASS_MASK);
	u64 addr = kapi_addr(map);

	mode |= kapi_context_bits(t);
	access_acquire(map);
	if (kapi_wanted(t, FACT_LOCK_ACQUIRED))
		fact(LOCK_ACQUIRED, addr, class, mode);
	if (unlikely(t->n_held == TASK_HELD_MAX)) {
		kapi_finding(pc, "BUG: MAX_LOCK_DEPTH too low in %%F");
		return;
	}
	kapi_hold(t, addr, class, mode, pc);
}

/* Those of map's class that are held under a nest lock; NULL: none. */
static struct task_held *nested_of(struct task *t, const struct lockdep_map *map)
{
	for (u32 i = 0; i < t->n_held; i++) {
		if (!t->held[i].lock && t->held[i].class_key == map->class_key)
			return &t->held[i];
	}
	return NULL;
}

void kapi_lock_nested(const struct lockdep_map *map, u32 mode, u64 pc)
{
	struct task *t = current_task;
	struct task_held *h = nested_of(t, map);
	u32 n = t->n_held;

	if (!h) {
		kapi_tell_acquired(map, 0, mode, pc);
		if (t->n_held == n)
			return; /* there was no room, which is a finding */
		h = &t->held[n];
		h->lock = NULL;
		h->n_nested = 0;
	} else {
		access_acquire(map);
		if (kapi_wanted(t, FACT_LOCK_ACQUIRED))
			fact(LOCK_ACQUIRED, kapi_addr(map), map->class_key, h->mode);
	}
	h->n_nested++;
}

/* Where the task has it among those that it holds, from 1; 0: nowhere. */
static u32 place_of(struct task *t, const struct lockdep_map *map)
{
	u64 addr = kapi_addr(map);
	u32 i = t->n_held;
	struct task_held *h;

	while (i && t->held[i - 1].lock != (const void *)(uintptr_t)addr)
		i--;
	h = i ? NULL : nested_of(t, map);
	return h ? (u32)(h - t->held) + 1 : i;
}

bool kapi_tell_release(const struct lockdep_map *map, u64 pc)
{
	struct task *t = current_task;
	u64 addr = kapi_addr(map);
	u32 i = place_of(t, map);

	if (unlikely(!i)) {
		kapi_lock_check(map, pc);
		kapi_finding(pc, "WARNING: bad unlock balance in %%F");
		return false;
	}
	if (kapi_wanted(t, FACT_LOCK_RELEASE))
		fact(LOCK_RELEASE, addr, t->held[i - 1].class_key, t->held[i - 1].mode);
	/* What readers release is for writers only: the lock's own business. */
	if (!(t->held[i - 1].mode & LOCK_READ))
		access_release(map);
	if (!t->held[i - 1].lock && --t->held[i - 1].n_nested)
		return true;
	t->n_held--;
	for (; i <= t->n_held; i++)
		t->held[i - 1] = t->held[i];
	return true;
}

static void map_acquire(struct lockdep_map *map, u32 mode, u64 pc)
{
	if (map->magic != LOCKDEP_MAGIC)
		return;
	kapi_lock_acquire(map, 0, mode);
	kapi_lock_acquired(map, 0, mode, pc);
}

void lock_map_acquire(struct lockdep_map *map)
{
	map_acquire(map, LOCK_MAP, KAPI_CALLER);
}

void lock_map_acquire_read(struct lockdep_map *map)
{
	map_acquire(map, LOCK_MAP | LOCK_READ | LOCK_RECURSE, KAPI_CALLER);
}

void lock_map_release(struct lockdep_map *map)
{
	if (map->magic == LOCKDEP_MAGIC)
		kapi_lock_release(map, KAPI_CALLER);
}

bool kapi_is_held(const struct lockdep_map *map, int how)
{
	struct task *t = current_task;
	u64 addr = kapi_addr(map);

	for (u32 i = 0; i < t->n_held; i++) {
		bool read = t->held[i].mode & LOCK_READ;

		if (t->held[i].lock != (const void *)(uintptr_t)addr)
			continue;
		if (how == KAPI_HELD_ANY || read == (how == KAPI_HELD_READ))
			return true;
	}
	return how != KAPI_HELD_READ && nested_of(t, map);
}

void kapi_might_sleep(const char *what)
{
	struct task *t = current_task;

	if (unlikely(kapi_atomic(t)))
		fact(MIGHT_SLEEP, (u64)(uintptr_t)what);
}

void kapi_might_lock(struct lockdep_map *map)
{
	kapi_lock_check(map, KAPI_CALLER);
	kapi_lock_acquire(map, 0, map->kind);
}
