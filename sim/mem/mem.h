/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checked heap of a world, at a fixed address, reset in O(touched).
 *
 * Objects are carved from the slot's heap in order, each followed by a redzone
 * and described by an out-of-band record with the stacks of its allocation and
 * release. Freed memory rests in a quarantine and is used again only when the
 * heap's fresh part is used up. Addresses depend on nothing but the sequence
 * of calls. Contents of a fresh object are a poison drawn from the run
 * (mem_poison), so that two runs with different poison tell uninitialised use.
 */
#pragma once

#include "sim/access/access.h"

#define MEM_STACK_MAX 10
#define MEM_REDZONE 16

struct mem_stack {
	u32 task, n;
	u64 op;
	u64 pc[MEM_STACK_MAX];
};

struct mem_object {
	u64 addr;
	u32 size;
	bool freed;
	bool snapshot;     /* existed when the run began: not a leak */
	const char *cache; /* "kmalloc-128" or the cache's name */
	struct mem_stack alloc, free, aux; /* aux: last call_rcu / queue_work on it */
};

/* MEM_ALIGN_256: 256-byte aligned, and never memory of an object that was freed in this run. */
enum mem_flags { MEM_ZERO = 1, MEM_NOFAIL = 2, MEM_ALIGN_256 = 4 };

struct mem *mem_create(struct world *w);
void mem_destroy(struct mem *m);

/*
 * Reset in O(touched): once a snapshot has been gone back to a few times, its
 * pages are made read-only; one that is written to nevertheless becomes one of
 * those that a reset copies, and writable for good. Whoever calls
 * mem_guard_allow() passes write faults on (sim/host does). System calls of the
 * host must not write into a snapshot's objects.
 */
void mem_guard_allow(void);
/* A fault at addr; true: it was the guard's, the access may be made again. */
bool mem_guard_fault(u64 addr);

/* Back to the snapshot (or to empty): live objects are forgotten, not freed. */
void mem_reset(struct mem *m);
/* Keep the present heap as what mem_reset() goes back to. */
void mem_snapshot(struct mem *m);

/* Forgets the snapshot and all objects: an empty heap. */
void mem_forget(struct mem *m);

/* 16-byte aligned unless told otherwise; NULL: the injected failure fires, or the heap is full. */
void *mem_alloc(struct mem *m, size_t size, u32 flags, const char *cache, u64 pc);
/*
 * NULL is ignored. A double or wild free is reported through `bad` (never
 * returns then if the oracle stops the run).
 */
void mem_free(struct mem *m, const void *p, u64 pc);
/* Bytes asked for at allocation; 0 if p is no live object's start. */
size_t mem_size(struct mem *m, const void *p);
/*
 * The record that covers addr (live, freed or redzone), or NULL; a redzone is its lower
 * neighbour's. Logarithmic in the number of objects.
 */
const struct mem_object *mem_find(struct mem *m, u64 addr);
/* Stamps the object that contains p with the current stack (call_rcu, queue_work). */
void mem_stamp_aux(struct mem *m, const void *p);
/* Calls fn for each live object that was allocated since the snapshot. */
void mem_each_live(struct mem *m, void (*fn)(void *arg, const struct mem_object *o), void *arg);
/* Calls fn for each object of the snapshot that was freed since, and whose place is still empty. */
void mem_each_gone(struct mem *m, void (*fn)(void *arg, const struct mem_object *o), void *arg);
u64 mem_live_count(const struct mem *m);
u64 mem_bytes_used(const struct mem *m);
void mem_set_poison(struct mem *m, u8 poison);
/* Whether objects remember who made and freed them (they do at first): nobody may ask. */
void mem_keep_stacks(struct mem *m, bool on);
void mem_on_bad_free(struct mem *m,
		     void (*fn)(struct world *w, u64 addr, const struct mem_object *o, u64 pc));
