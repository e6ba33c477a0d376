/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the quick ways of the models know of nested walks that caches of tables answered,
 * by 2 MiB of input: where the second stage has the first one's last table (struct
 * hw_nest); and by 2 MiB of what the first stage makes of it, where the second stage's
 * last table lies (struct hw_below). The entries of these tables are read anew each time;
 * one compare says whether a nest is good: its key has the number of who made it, of
 * which there is a new one whenever a cache of tables has changed, or anything was dropped.
 *
 * Who answers by a nest has used three entries of a cache, which thereby are the youngest
 * of their sets. That is made so later, by hw_nests_settle(), which comes before anything
 * else that this cache is asked for: until then a nest and a below know when they were
 * used last, and of an entry only its last use counts.
 */
#pragma once

#include "hw/iommu/cache_layout.h"

#include <assert.h>

#define HW_NESTS 4096u
#define HW_NEST_RANGE_BITS 43
#define HW_NEST_OWNERS (1u << (64 - HW_NEST_RANGE_BITS))

/*
 * Keys: the range of 2 MiB, and the number of who made it from HW_NEST_RANGE_BITS; 0: none.
 * Both are small: those of 128 tables, and the lines of these tables that are asked for,
 * have to share the processor's first cache.
 */
struct hw_nest {
	u64 key;
	u64 word;       /* the second stage's entry of the first one's last table */
	/*
	 * Of the last entry that was seen there its bits beside the address; from
	 * HW_NEST_FIRST, where addresses are, what they mean, as its model says.
	 */
	u64 attrs;
	u32 at;         /* where word lies, in words */
	u32 stamp;      /* of its last use; 0: nothing is due */
};
#define HW_NEST_FIRST 12

struct hw_below {
	u64 key;
	u64 value;      /* the last table, and what attrs mean, as its model says */
	u64 attrs;      /* of the last entry that was seen there */
	u32 stamp, slot;
};
static_assert(sizeof(struct hw_nest) == 32 && sizeof(struct hw_below) == 32,
	      "two of them are a line");

struct hw_nests {
	struct hw_nest nest[HW_NESTS];
	struct hw_below below[HW_NESTS];
	/* Of the cache: the first stage's table; the second's, of that table. */
	u32 slot[HW_NESTS][2];
	struct hw_cache *c;     /* of tables */
	u32 uses, n_due, n_due_below;
	u16 due[HW_NESTS], due_below[HW_NESTS]; /* those that have a stamp */
	void *block;
} __attribute__((aligned(64)));

struct hw_nests *hw_nests_create(struct hw_cache *c);
void hw_nests_destroy(struct hw_nests *n);
/* n may be NULL: there are none so far. */
void hw_nests_settle(struct hw_nests *n);
/* Nothing is known any more: numbers are given anew. */
void hw_nests_forget(struct hw_nests *n);
/* The first use of one of them since all was settled; or the last one that has a number. */
void hw_nests_due(struct hw_nests *n, struct hw_nest *nest, struct hw_below *below);

/* Whether uses are due. */
static inline bool hw_nests_pending(const struct hw_nests *n)
{
	return n && n->n_due;
}

static inline struct hw_nest *hw_nest_of(struct hw_nests *n, u64 addr)
{
	return &n->nest[addr >> 21 & (HW_NESTS - 1)];
}

static inline struct hw_below *hw_below_of(struct hw_nests *n, u64 range)
{
	return &n->below[range & (HW_NESTS - 1)];
}

static inline u32 *hw_nest_slots(struct hw_nests *n, u64 addr)
{
	return n->slot[addr >> 21 & (HW_NESTS - 1)];
}

/* Whether both are those of the last use. */
static inline bool hw_nest_again(const struct hw_nests *n, const struct hw_nest *nest,
				 const struct hw_below *below)
{
	return nest->stamp == n->uses && below->stamp == n->uses;
}

static inline void hw_nest_used(struct hw_nests *n, struct hw_nest *nest, struct hw_below *below)
{
	u32 use = ++n->uses;

	if (unlikely(!use || !nest->stamp || !below->stamp)) {
		hw_nests_due(n, nest, below);
		return;
	}
	nest->stamp = use;
	below->stamp = use;
}
