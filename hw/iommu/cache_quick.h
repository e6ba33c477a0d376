/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Look-ups and fills in line, for the quick ways of the models (and for the
 * cache itself). A file that includes this is compiled twice: with CACHE_AVX2
 * defined, only to be run where the processor has it, and without; what they
 * do is the same, and tests hold it so.
 *
 * These know the common case only. NO_SLOT and 0 say that it is another one;
 * then nothing has changed, and hw_cache_find() or hw_cache_fill() decides.
 */
#pragma once

#include "hw/iommu/cache_layout.h"
#include "sim/base/bits.h"

#include <immintrin.h>

#define CACHE_ASK 0xfffffffeu /* hw_cache_find() has to say */

#ifdef CACHE_AVX2
#define CACHE_TARGET __attribute__((target("avx2,bmi,bmi2")))

CACHE_TARGET static inline u32 cache_match8(const u32 *tags, u32 tag)
{
	__m256i equal = _mm256_cmpeq_epi32(_mm256_load_si256((const __m256i *)tags),
					   _mm256_set1_epi32((s32)tag));

	return (u32)_mm256_movemask_ps(_mm256_castsi256_ps(equal));
}

#else
#define CACHE_TARGET

static inline u32 cache_match8(const u32 *tags, u32 tag)
{
	u32 m = 0;

	for (u32 i = 0; i < WAYS; i++)
		m |= (u32)(tags[i] == tag) << i;
	return m;
}

#endif

/* All sizes, and all that lie in one set. */
CACHE_TARGET static __attribute__((noinline, unused)) u32
cache_quick_search(const struct hw_cache *c, u32 space, u64 addr)
{
	const struct cache_space *s = &c->space[space];

	for (u64 sizes = s->sizes; sizes; sizes &= sizes - 1) {
		u32 lg2 = (u32)__builtin_ctzll(sizes);
		u64 key = cache_key(s, addr >> lg2, lg2);
		u32 set = cache_set(c, key);
		const u32 *tags = c->set[set].tag;

		for (u32 m = cache_match8(tags, cache_tag_of(key)); m; m &= m - 1) {
			u32 slot = set * WAYS + (u32)__builtin_ctz(m);
			const struct cache_slot *e = &c->slot[slot];

			if (likely(e->key == cache_slot_key(c, space, addr >> lg2, lg2) &&
				   e->id > s->floor &&
				   cache_has_addr(c, slot, addr >> lg2 << lg2)))
				return slot;
		}
		/* It may lie further on. */
		if (c->grows && !cache_match8(tags, TAG_EMPTY))
			return CACHE_ASK;
	}
	return NO_SLOT;
}

/* The slot that covers addr, smallest size first; NO_SLOT: none; or CACHE_ASK. */
CACHE_TARGET static inline u32 cache_quick_find(const struct hw_cache *c, u32 space, u64 addr)
{
	const struct cache_space *s = &c->space[space];
	u64 sizes = s->sizes, key;
	u32 lg2, set, m;

	if (unlikely(s->epoch != c->epoch) || !sizes)
		return NO_SLOT;
	lg2 = (u32)__builtin_ctzll(sizes);
	key = cache_key(s, addr >> lg2, lg2);
	set = cache_set(c, key);
	/*
	 * One of the first half, as it mostly is: not only when the set has come. The other
	 * half is another line, and would drive out one that is needed.
	 */
	__builtin_prefetch(&c->slot[set * WAYS]);
	m = cache_match8(c->set[set].tag, cache_tag_of(key));
	if (m) {
		u32 slot = set * WAYS + (u32)__builtin_ctz(m);
		const struct cache_slot *e = &c->slot[slot];

		if (likely(e->key == cache_slot_key(c, space, addr >> lg2, lg2) &&
			   e->id > s->floor && cache_has_addr(c, slot, addr >> lg2 << lg2)))
			return slot;
	} else if (likely(!c->grows && !(sizes & (sizes - 1)))) {
		return NO_SLOT;
	}
	return cache_quick_search(c, space, addr);
}

static inline void cache_quick_touch(struct hw_cache *c, u32 slot)
{
	if (c->keeps_age)
		cache_touch(c, slot);
}

/* A free slot of a set; NO_SLOT: not so easily. */
CACHE_TARGET static inline u32
cache_quick_room(const struct hw_cache *c, u32 set)
{
	const u32 *tags = c->set[set].tag;
	u32 m = cache_match8(tags, TAG_EMPTY);

	if (c->grows)
		m |= cache_match8(tags, TAG_GONE);
	if (!m || (c->grows && (u64)(c->used + 1) * 4 > (u64)c->n_slots * 3))
		return NO_SLOT;
	return set * WAYS + (u32)__builtin_ctz(m);
}

/* The slot of the set that was used longest ago, if all of them are alive and in use. */
CACHE_TARGET static inline u32 cache_quick_oldest(const struct hw_cache *c, u32 set)
{
	u64 age = c->set[set].age;
	u64 empty_row = (age - 0x0101010101010101ULL) & ~age & 0x8080808080808080ULL;

	if (unlikely(c->live != c->n_slots || !c->keeps_age || !empty_row))
		return NO_SLOT;
	return set * WAYS + (u32)__builtin_ctzll(empty_row) / 8;
}

/* Fills a key that is not there, in a cache of 8 ways. 0: nothing was done. */
CACHE_TARGET static inline u32 cache_quick_put(struct hw_cache *c, u32 space, u64 addr, u32 lg2,
						u64 value, u64 extra)
{
	struct cache_space *s = &c->space[space];
	u64 key = cache_key(s, addr >> lg2, lg2);
	u32 set = cache_set(c, key), slot = NO_SLOT;

	if (unlikely(c->serial == 0xffffffffu || s->epoch != c->epoch || (extra && !c->has_extra)))
		return 0;
	if (c->live == c->n_slots)
		slot = cache_quick_oldest(c, set);
	if (slot != NO_SLOT) {
		c->space[cache_space_of(c, slot)].live--;
	} else {
		slot = cache_quick_room(c, set);
		if (slot == NO_SLOT)
			return 0;
		cache_set_touched(c, set);
		c->used += *cache_tag(c, slot) == TAG_EMPTY;
		c->live++;
	}
	*cache_tag(c, slot) = cache_tag_of(key);
	c->slot[slot] = (struct cache_slot){value, ++c->serial,
					       cache_slot_key(c, space, addr >> lg2, lg2)};
	cache_keep_addr(c, slot, addr);
	c->column[slot] = (u16)space;
	if (c->has_extra)
		c->extra[slot] = extra;
	cache_size_used(c, s, lg2);
	s->live++;
	cache_quick_touch(c, slot);
	return c->serial;
}

/*
 * Fills a key that cache_quick_find() has just not found. addr is aligned.
 * 0: nothing was done.
 */
CACHE_TARGET static inline u32 cache_quick_fill(struct hw_cache *c, u32 space, u64 addr, u32 lg2,
						u64 value, u64 extra)
{
	return likely(c->plain) ? cache_quick_put(c, space, addr, lg2, value, extra) : 0;
}

/* Where a key that was not found belongs: its tag, and its set. Two registers. */
struct cache_place {
	u64 tag, set;
};

CACHE_TARGET static inline struct cache_place cache_place_of(const struct hw_cache *c, u64 key)
{
	return (struct cache_place){cache_tag_of(key), (u32)key & c->set_mask};
}

CACHE_TARGET static __attribute__((noinline, unused)) bool
cache_view_make(const struct hw_cache *c, u32 space, struct cache_view *v)
{
	const struct cache_space *s = &c->space[space];
	u32 lg2;

	*v = (struct cache_view){.version = c->version, .key = space | CACHE_VIEW_EMPTY};
	if (s->epoch != c->epoch || !s->sizes)
		return true;
	lg2 = (u32)__builtin_ctzll(s->sizes);
	v->fixed = cache_key(s, 0, lg2);
	v->key = space | lg2 << 24;
	v->floor = s->floor;
	if (c->far)
		v->exact = 1ULL << min(TAG_BITS + lg2, 63u);
	if (lg2 && !(s->sizes & (s->sizes - 1)))
		return true;
	*v = (struct cache_view){.version = 0};
	return false;
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
cache_view_good(const struct hw_cache *c, u32 space, struct cache_view *v)
{
	return likely(v->version == c->version) || cache_view_make(c, space, v);
}

/* Out of line: a cache of sets does not need it. */
CACHE_TARGET static __attribute__((noinline, unused)) u32
cache_hashed_set(u64 key, u32 shift, u32 mask)
{
	return (u32)(key * 0x9e3779b97f4a7c15ULL >> shift) & mask;
}

/* As cache_quick_find(), of a good view. */
CACHE_TARGET static inline __attribute__((always_inline)) u32
cache_view_find(const struct hw_cache *c, const struct cache_view *v, u64 addr,
		struct cache_place *at)
{
	u64 key;
	u32 m;

	if (v->key >= CACHE_VIEW_EMPTY) {
		*at = (struct cache_place){0}; /* of no size: nothing is filled there */
		return NO_SLOT;
	}
	key = addr >> (v->key >> 24) ^ v->fixed;
	*at = cache_place_of(c, key);
	if (unlikely(c->shift))
		at->set = cache_hashed_set(key, c->shift, c->set_mask);
	m = cache_match8(c->set[at->set].tag, (u32)at->tag);
	if (likely(m)) {
		u32 slot = (u32)at->set * WAYS + (u32)__builtin_ctz(m);
		const struct cache_slot *e = &c->slot[slot];

		if (likely(e->key == v->key && e->id > v->floor && addr < v->exact))
			return slot;
	} else if (likely(!c->grows)) {
		return NO_SLOT;
	}
	return cache_quick_search(c, v->key & SLOT_SPACE, addr);
}

/*
 * Fills what cache_view_find() has just not found, where all ways are in use: an address
 * below v->exact, which `at` tells. second: its second word, where some entry has one; NULL
 * where none has. sure: all ways are in use, and there is another id. 0: nothing was done.
 */
CACHE_TARGET static inline __attribute__((always_inline)) u32
cache_view_put(struct hw_cache *c, const struct cache_view *v, const struct cache_place *at,
	       u64 value, const u64 *second, bool sure)
{
	struct cache_set *set = &c->set[at->set];
	u64 age = set->age, empty, way, at_slot;
	u32 key = v->key, old, id = c->serial + 1;
	struct cache_slot *slot;

	/* One after the other: each is a compare and a branch. */
	if (!sure && unlikely(!id))
		return 0;
	if (!sure && unlikely(c->live != (second ? c->full_second : c->full)))
		return 0;
	empty = (age - 0x0101010101010101ULL) & ~age & 0x8080808080808080ULL;
	if (unlikely(!empty))
		return 0;
	way = (u64)__builtin_ctzll(empty) / 8;
	at_slot = at->set * WAYS + way;
	slot = &c->slot[at_slot];
	old = (slot->key ^ key) & SLOT_SPACE;
	if (unlikely(old)) {
		c->column[at_slot] = (u16)key;
		c->space[old ^ (key & SLOT_SPACE)].live--;
		c->space[key & SLOT_SPACE].live++;
	}
	c->serial = id;
	set->tag[way] = (u32)at->tag;
	*slot = (struct cache_slot){value, id, key};
	if (second)
		c->extra[at_slot] = *second;
	set->age = (age | cache_age[way].row) & cache_age[way].rest;
	return id;
}

CACHE_TARGET static inline __attribute__((always_inline)) u32
cache_view_fill(struct hw_cache *c, const struct cache_view *v, const struct cache_place *at,
		u64 value, const u64 *second)
{
	return cache_view_put(c, v, at, value, second, false);
}
