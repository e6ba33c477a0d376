// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sorted array, found by bisection. A lookup is one atomic step that
 * acquires what the stores released (the kernel's rcu_dereference), through
 * the address of `flags`; the lock orders the changes.
 *
 * The array grows by doubling, outside the lock as in the kernel when the
 * caller may sleep, and is freed when the last entry goes, so that an emptied
 * xarray owns nothing.
 */
#include "sim/kapi/xarray.h"

#include "sim/kapi/kapi_priv.h"

#include <string.h>

#define XA_ROOM_MIN 4

void kapi_xa_init(struct xarray *xa, u32 flags, const char *name, const struct lock_class_key *key)
{
	kapi_own(xa, sizeof(*xa));
	kapi_spin_init(&xa->xa_lock, name, key);
	xa->flags = flags;
	xa->n = 0;
	xa->room = 0;
	xa->next = 0;
	xa->slot = NULL;
}

/* First slot with an index of at least `index`, or n. */
static u32 position(const struct xarray *xa, unsigned long index)
{
	u32 lo = 0, hi = xa->n;
	unsigned long dense;

	/* Most that are new come last. */
	if (!hi || xa->slot[hi - 1].index < index)
		return hi;
	/* Where there is no hole below it: indexes are mostly given out in order. */
	dense = index - xa->slot[0].index;
	if (dense < hi && xa->slot[dense].index == index)
		return (u32)dense;
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (xa->slot[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct xa_slot *find(const struct xarray *xa, unsigned long index)
{
	u32 i = position(xa, index);

	return i < xa->n && xa->slot[i].index == index ? &xa->slot[i] : NULL;
}

static void *shown(void *entry)
{
	return entry == XA_ZERO_ENTRY ? NULL : entry;
}

/*
 * How many operations an update makes at most: it takes the lock, publishes and gives it back;
 * between these it may give it back and take it again for each doubling of a room, and find
 * that others have made room meanwhile, which here they do not.
 */
#define UPDATE_OPS 8

/*
 * Whether the running task can be seen neither to take the lock nor to hold it: nobody has it
 * or looks, and none of the update's operations is a moment at which others may run. Then that
 * it is taken and given back is counted, no more.
 */
static inline bool is_unshared(const struct xarray *xa)
{
	const struct task *t = current_task;

	return kapi_is_alone_for(t, UPDATE_OPS) && !xa->xa_lock.owner &&
	       xa->xa_lock.dep.magic == LOCKDEP_MAGIC && !rcu_is_waited_for(t) &&
	       t->n_held < TASK_HELD_MAX;
}

static __attribute__((noinline)) void lock_shared(struct xarray *xa)
{
	if (xa->flags & XA_FLAGS_LOCK_IRQ)
		spin_lock_irq(&xa->xa_lock);
	else
		spin_lock(&xa->xa_lock);
}

static __attribute__((noinline)) void unlock_shared(struct xarray *xa)
{
	if (xa->flags & XA_FLAGS_LOCK_IRQ)
		spin_unlock_irq(&xa->xa_lock);
	else
		spin_unlock(&xa->xa_lock);
}

/* Ends with unlock(), in the same task. */
static inline void lock(struct xarray *xa)
{
	if (likely(is_unshared(xa)))
		kapi_count(current_task);
	else
		lock_shared(xa);
}

/* Nobody has it: it was not taken. */
static inline void unlock(struct xarray *xa)
{
	if (likely(!xa->xa_lock.owner && kapi_is_alone(current_task)))
		kapi_count(current_task);
	else
		unlock_shared(xa);
}

/* Readers see changes from here on. */
static __attribute__((noinline)) void publish_watched(struct xarray *xa)
{
	access_service(&xa->flags, OP_WRITE);
	access_release(&xa->flags);
}

static inline void publish(struct xarray *xa)
{
	struct task *t = current_task;

	if (likely(kapi_is_alone(t)))
		kapi_count(t);
	else
		publish_watched(xa);
}

static __attribute__((noinline)) void look_watched(struct xarray *xa, u64 pc)
{
	access_service(&xa->flags, OP_READ);
	kapi_lock_check(&xa->xa_lock.dep, pc);
	access_acquire(&xa->flags);
}

static inline void look(struct xarray *xa, u64 pc)
{
	struct task *t = current_task;

	if (likely(kapi_is_alone(t) && xa->xa_lock.dep.magic == LOCKDEP_MAGIC))
		kapi_count(t);
	else
		look_watched(xa, pc);
}

static void free_slots(struct xarray *xa, u64 pc)
{
	mem_free(this_world()->mem, xa->slot, pc);
	xa->slot = NULL;
	xa->room = 0;
	xa->n = 0;
}

void xa_destroy(struct xarray *xa)
{
	lock(xa);
	publish(xa);
	free_slots(xa, KAPI_CALLER);
	unlock(xa);
}

bool xa_empty(const struct xarray *xa)
{
	look((struct xarray *)(uintptr_t)xa, KAPI_CALLER);
	return !xa->n;
}

/*
 * Makes room for one more entry. With xa_lock held, which is dropped around an
 * allocation that may sleep: then returns true, and the caller looks again.
 */
static __attribute__((noinline)) bool make_room(struct xarray *xa, gfp_t gfp, int *err, u64 pc)
{
	u32 room = xa->room ? 2 * xa->room : XA_ROOM_MIN;
	struct xa_slot *slot;

	if (gfp & __GFP_SLEEP)
		unlock(xa);
	if (gfp & __GFP_SLEEP)
		kapi_sleeps("xa_store");
	slot = mem_alloc(this_world()->mem, room * sizeof(*slot),
			 gfp & __GFP_NOFAIL ? MEM_NOFAIL : 0, "radix_tree_node", pc);
	if (gfp & __GFP_SLEEP)
		lock(xa);
	if (!slot) {
		*err = -ENOMEM;
		return false;
	}
	if (xa->room >= room) {
		mem_free(this_world()->mem, slot, pc);
	} else {
		if (xa->n)
			memcpy(slot, xa->slot, xa->n * sizeof(*slot));
		mem_free(this_world()->mem, xa->slot, pc);
		xa->slot = slot;
		xa->room = room;
	}
	return gfp & __GFP_SLEEP;
}

static inline bool reserve_room(struct xarray *xa, gfp_t gfp, int *err, u64 pc)
{
	*err = 0;
	return xa->n < xa->room ? false : make_room(xa, gfp, err, pc);
}

static void insert_at(struct xarray *xa, u32 i, unsigned long index, void *entry)
{
	sim_assert(xa->n < xa->room);
	if (i < xa->n)
		memmove(&xa->slot[i + 1], &xa->slot[i], (xa->n - i) * sizeof(xa->slot[0]));
	xa->slot[i] = (struct xa_slot){.index = index, .entry = entry};
	xa->n++;
}

static void remove_at(struct xarray *xa, u32 i, u64 pc)
{
	xa->n--;
	if (i < xa->n)
		memmove(&xa->slot[i], &xa->slot[i + 1], (xa->n - i) * sizeof(xa->slot[0]));
	if (!xa->n)
		free_slots(xa, pc);
}

/* With xa_lock held since the caller has seen that index is free and made room for it. */
static void put_new(struct xarray *xa, unsigned long index, void *entry)
{
	publish(xa);
	insert_at(xa, position(xa, index), index, entry ? entry : XA_ZERO_ENTRY);
}

/* Sets index to entry (NULL removes it) with xa_lock held; returns the old entry as stored. */
static void *set(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp, u64 pc)
{
	struct xa_slot *s;
	void *old;
	int err;

	publish(xa);
	do {
		s = find(xa, index);
		if (s || !entry)
			break;
	} while (reserve_room(xa, gfp, &err, pc));
	if (!s && !entry)
		return NULL;
	if (!s && err)
		return ERR_PTR(err);
	if (!s) {
		insert_at(xa, position(xa, index), index, entry);
		return NULL;
	}
	old = s->entry;
	if (entry)
		s->entry = entry;
	else
		remove_at(xa, (u32)(s - xa->slot), pc);
	return old;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_slot *s;

	look(xa, KAPI_CALLER);
	s = find(xa, index);
	return s ? shown(s->entry) : NULL;
}

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	lockdep_assert_held(&xa->xa_lock);
	return shown(set(xa, index, entry, gfp, KAPI_CALLER));
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old;

	lock(xa);
	old = set(xa, index, entry, gfp, KAPI_CALLER);
	unlock(xa);
	return shown(old);
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	lockdep_assert_held(&xa->xa_lock);
	return shown(set(xa, index, NULL, 0, KAPI_CALLER));
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	lock(xa);
	old = set(xa, index, NULL, 0, KAPI_CALLER);
	unlock(xa);
	return shown(old);
}

/* With xa_lock held; room may have to be made first, and the old entry looked at again. */
static void *exchange(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	struct xa_slot *s;
	void *now;
	int err = 0;

	do {
		s = find(xa, index);
		now = s ? s->entry : NULL;
		if (shown(now) != old || s || !entry)
			break;
	} while (reserve_room(xa, gfp, &err, KAPI_CALLER));
	if (err)
		return ERR_PTR(err);
	if (shown(now) == old)
		set(xa, index, entry, gfp, KAPI_CALLER);
	return shown(now);
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	lockdep_assert_held(&xa->xa_lock);
	return exchange(xa, index, old, entry, gfp);
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	void *now;

	lock(xa);
	now = exchange(xa, index, old, entry, gfp);
	unlock(xa);
	return now;
}

static int insert_new(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp, u64 pc)
{
	int err;

	do {
		if (find(xa, index))
			return -EBUSY;
	} while (reserve_room(xa, gfp, &err, pc));
	if (!err)
		put_new(xa, index, entry);
	return err;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	int err;

	lock(xa);
	err = insert_new(xa, index, entry, gfp, KAPI_CALLER);
	unlock(xa);
	return err;
}

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	int err = xa_insert(xa, index, NULL, gfp);

	return err == -EBUSY ? 0 : err;
}

void xa_release(struct xarray *xa, unsigned long index)
{
	struct xa_slot *s;

	lock(xa);
	s = find(xa, index);
	if (s && s->entry == XA_ZERO_ENTRY)
		set(xa, index, NULL, 0, KAPI_CALLER);
	unlock(xa);
}

/*
 * Lowest free index in [min, max]; false if there is none. Indexes are sorted and
 * differ, so that from the first hole on each is above where it would be without
 * holes: bisection finds it.
 */
static bool lowest_free(const struct xarray *xa, u32 min_index, u32 max_index, u32 *id)
{
	u32 first = position(xa, min_index), lo = first, hi = xa->n;
	u64 want;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (xa->slot[mid].index == (u64)min_index + (mid - first))
			lo = mid + 1;
		else
			hi = mid;
	}
	want = (u64)min_index + (lo - first);
	*id = (u32)want;
	return want <= max_index;
}

static int alloc_in(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	u32 lowest = max(limit.min, xa->flags & XA_FLAGS_ALLOC1 ? 1u : 0u);
	int err;

	do {
		if (!lowest_free(xa, lowest, limit.max, id))
			return -EBUSY;
	} while (reserve_room(xa, gfp, &err, KAPI_CALLER));
	if (!err)
		put_new(xa, *id, entry);
	return err;
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	int err;

	lock(xa);
	err = alloc_in(xa, id, entry, limit, gfp);
	unlock(xa);
	return err;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, u32 *next,
		    gfp_t gfp)
{
	struct xa_limit upper = {.min = max(*next, limit.min), .max = limit.max};
	int err;

	lock(xa);
	err = upper.min <= upper.max ? alloc_in(xa, id, entry, upper, gfp) : -EBUSY;
	if (err == -EBUSY && upper.min > limit.min) {
		err = alloc_in(xa, id, entry, limit, gfp);
		if (!err)
			err = 1;
	}
	if (err >= 0)
		*next = *id + 1;
	unlock(xa);
	return err;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max_index)
{
	look(xa, KAPI_CALLER);
	for (u32 i = position(xa, *index); i < xa->n && xa->slot[i].index <= max_index; i++) {
		if (!shown(xa->slot[i].entry))
			continue;
		*index = xa->slot[i].index;
		return xa->slot[i].entry;
	}
	return NULL;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max_index)
{
	unsigned long next = *index + 1;
	void *entry;

	if (!next)
		return NULL;
	entry = xa_find(xa, &next, max_index);
	if (entry)
		*index = next;
	return entry;
}
