/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The extensible array: indices to pointers. Kept as an array of (index,
 * entry) sorted by index; lookups take no lock and are atomic steps, changes
 * take xa_lock.
 *
 * Entries are pointers or values (xa_mk_value). NULL means absent; a reserved
 * index (xa_reserve, xa_alloc with NULL) is occupied but loads as NULL.
 */
#pragma once

#include "sim/kapi/err.h"
#include "sim/kapi/slab_flags.h"
#include "sim/kapi/spinlock.h"

/* Occupied, but loads as NULL. */
#define XA_ZERO_ENTRY ((void *)1030UL)

struct xa_slot {
	unsigned long index;
	void *entry; /* XA_ZERO_ENTRY = reserved */
};

/* Embedded by its owner. xa_lock protects slot, n and room. */
struct xarray {
	spinlock_t xa_lock;
	u32 flags;
	u32 n, room;
	u32 next; /* xa_alloc_cyclic starts here */
	struct xa_slot *slot;
};

enum xa_flags { XA_FLAGS_ALLOC = 1, XA_FLAGS_ALLOC1 = 2, XA_FLAGS_LOCK_IRQ = 4 };

struct xa_limit {
	u32 max, min;
};
#define XA_LIMIT(lo, hi) ((struct xa_limit){.min = (lo), .max = (hi)})
#define xa_limit_32b XA_LIMIT(0, 0xffffffffu)
#define xa_limit_31b XA_LIMIT(0, 0x7fffffff)
#define xa_limit_16b XA_LIMIT(0, 0xffff)

void kapi_xa_init(struct xarray *xa, u32 flags, const char *name, const struct lock_class_key *key);
#define xa_init_flags(xa, fl) kapi_xa_init(xa, fl, #xa, KAPI_LOCK_KEY(#xa))
#define xa_init(xa) xa_init_flags(xa, 0)
/* Frees the array's own memory, not what entries point to. */
void xa_destroy(struct xarray *xa);
bool xa_empty(const struct xarray *xa);

#define xa_lock(xa) spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa) spin_unlock(&(xa)->xa_lock)
#define xa_lock_irqsave(xa, flags) spin_lock_irqsave(&(xa)->xa_lock, flags)
#define xa_unlock_irqrestore(xa, flags) spin_unlock_irqrestore(&(xa)->xa_lock, flags)

void *xa_load(struct xarray *xa, unsigned long index);
/* The old entry, or xa_err(): -ENOMEM. The __ forms need xa_lock held. */
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void *__xa_erase(struct xarray *xa, unsigned long index);
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp);
void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp);
/* -EBUSY if the index is occupied. */
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long index);
/* Lowest free index in limit; entry NULL reserves it. -EBUSY: none; -ENOMEM. */
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp);
/* The next free index at or after *next, wrapping (returns 1 then). */
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, u32 *next,
		    gfp_t gfp);
/* First present entry with index in [*index, max]; sets *index. NULL: none. */
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max);
/* The same with index in (*index, max]. */
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max);

#define xa_for_each_range(xa, index, entry, start, last)                                           \
	for (index = (start), entry = xa_find(xa, &(index), last); entry;                          \
	     entry = xa_find_after(xa, &(index), last))
#define xa_for_each_start(xa, index, entry, start) xa_for_each_range(xa, index, entry, start, ~0UL)
#define xa_for_each(xa, index, entry) xa_for_each_start(xa, index, entry, 0)

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)(v << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

static inline bool xa_is_err(const void *entry)
{
	return IS_ERR(entry);
}

static inline int xa_err(void *entry)
{
	return IS_ERR(entry) ? (int)PTR_ERR(entry) : 0;
}
