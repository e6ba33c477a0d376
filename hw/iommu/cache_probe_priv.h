/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The look-ups and scans, as text that two files compile: cache_avx2.c with
 * CACHE_AVX2, cache_scalar.c without. Only the compare differs;
 * tests/hw/iommu holds the two equal. PROBE(name) names a function.
 */
#pragma once

#include "hw/iommu/cache_quick.h"

#ifdef CACHE_AVX2
#define PROBE(name) name##_avx2

CACHE_TARGET static inline u32 match16(const u16 *column, u16 space)
{
	__m256i eq = _mm256_cmpeq_epi16(_mm256_load_si256((const __m256i *)column),
					_mm256_set1_epi16((s16)space));

	if (_mm256_testz_si256(eq, eq))
		return 0;
	/* Two bits a word become one. */
	return (u32)_mm_movemask_epi8(_mm_packs_epi16(_mm256_castsi256_si128(eq),
						      _mm256_extracti128_si256(eq, 1)));
}

/* Whether one of 64 is it. */
CACHE_TARGET static inline bool any64(const u16 *column, u16 space)
{
	const __m256i *at = (const __m256i *)column, want = _mm256_set1_epi16((s16)space);
	__m256i a = _mm256_cmpeq_epi16(_mm256_load_si256(at), want);
	__m256i b = _mm256_cmpeq_epi16(_mm256_load_si256(at + 1), want);
	__m256i c = _mm256_cmpeq_epi16(_mm256_load_si256(at + 2), want);
	__m256i d = _mm256_cmpeq_epi16(_mm256_load_si256(at + 3), want);
	__m256i any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));

	return !_mm256_testz_si256(any, any);
}

#else
#define PROBE(name) name##_scalar

static inline u32 match16(const u16 *column, u16 space)
{
	u32 m = 0;

	for (u32 i = 0; i < 2 * WAYS; i++)
		m |= (u32)(column[i] == space) << i;
	return m;
}

static inline bool any64(const u16 *column, u16 space)
{
	bool any = false;

	for (u32 i = 0; i < 64; i++)
		any |= column[i] == space;
	return any;
}

#endif

CACHE_TARGET static inline u32 PROBE(slot_of)(const struct hw_cache *c,
					      const struct cache_space *s, u32 space, u64 vpn,
					      u32 lg2)
{
	u64 key = cache_key(s, vpn, lg2);
	u32 set = cache_set(c, key), id = cache_slot_key(c, space, vpn, lg2);

	for (;;) {
		const u32 *tags = c->set[set].tag;

		for (u32 m = cache_match8(tags, cache_tag_of(key)); m; m &= m - 1) {
			u32 slot = set * WAYS + (u32)__builtin_ctz(m);
			const struct cache_slot *e = &c->slot[slot];

			if (e->key == id && e->id > s->floor && cache_has_addr(c, slot, vpn << lg2))
				return slot;
		}
		if (!c->grows || cache_match8(tags, TAG_EMPTY))
			return NO_SLOT;
		set = (set + 1) & c->set_mask;
	}
}

CACHE_TARGET static u32 PROBE(exact)(const struct hw_cache *c, u32 space, u64 vpn, u32 lg2)
{
	const struct cache_space *s = &c->space[space];

	return s->epoch == c->epoch ? PROBE(slot_of)(c, s, space, vpn, lg2) : NO_SLOT;
}

CACHE_TARGET static inline const struct hw_cache_entry *PROBE(answer)(struct hw_cache *c, u32 slot,
								      u64 addr)
{
	struct hw_cache_entry *e = &c->found[c->turn++ % ARRAY_SIZE(c->found)];
	const struct cache_slot *s = &c->slot[slot];
	u32 lg2 = s->key >> 24;

	if (c->keeps_age)
		cache_touch(c, slot);
	e->value = s->value;
	e->addr = addr >> lg2 << lg2;
	e->extra = c->has_extra ? c->extra[slot] : 0;
	e->id = s->id;
	e->space = s->key & SLOT_SPACE;
	e->lg2 = lg2;
	return e;
}

CACHE_TARGET static __attribute__((noinline)) const struct hw_cache_entry *
PROBE(find_any)(struct hw_cache *c, u32 space, u64 addr)
{
	const struct cache_space *s = &c->space[space];

	for (u64 sizes = s->sizes; sizes; sizes &= sizes - 1) {
		u32 lg2 = (u32)__builtin_ctzll(sizes);
		u32 slot = PROBE(slot_of)(c, s, space, addr >> lg2, lg2);

		if (slot != NO_SLOT)
			return PROBE(answer)(c, slot, addr);
	}
	return NULL;
}

/* The usual, written out: the smallest size, the first tag that is equal, in its own set. */
CACHE_TARGET static const struct hw_cache_entry *PROBE(find)(struct hw_cache *c, u32 space,
							     u64 addr)
{
	const struct cache_space *s = &c->space[space];
	u32 lg2, set, m;
	u64 key;

	if (unlikely(s->epoch != c->epoch || !s->sizes))
		return NULL;
	lg2 = (u32)__builtin_ctzll(s->sizes);
	key = cache_key(s, addr >> lg2, lg2);
	set = cache_set(c, key);
	m = cache_match8(c->set[set].tag, cache_tag_of(key));
	if (likely(m)) {
		u32 slot = set * WAYS + (u32)__builtin_ctz(m);
		const struct cache_slot *e = &c->slot[slot];

		if (likely(e->key == cache_slot_key(c, space, addr >> lg2, lg2) &&
			   e->id > s->floor && cache_has_addr(c, slot, addr >> lg2 << lg2)))
			return PROBE(answer)(c, slot, addr);
	} else if (!c->grows && !(s->sizes & (s->sizes - 1))) {
		return NULL;
	}
	return PROBE(find_any)(c, space, addr);
}

CACHE_TARGET static __attribute__((noinline)) u32 PROBE(fill_any)(struct hw_cache *c,
								  const struct hw_cache_entry *e)
{
	const struct cache_space *s = &c->space[e->space];
	u64 vpn = e->addr >> e->lg2, key = cache_key(s, vpn, e->lg2);
	const u32 *tags = c->set[cache_set(c, key)].tag;

	/* It may be there; or further on. */
	if (unlikely(!c->usual || cache_match8(tags, cache_tag_of(key)) ||
		     (c->grows && !cache_match8(tags, TAG_EMPTY))))
		return 0;
	return cache_quick_put(c, e->space, vpn << e->lg2, e->lg2, e->value, e->extra);
}

/* The usual, written out: sets, and a way that is empty in that of the key. */
CACHE_TARGET static u32 PROBE(fill)(struct hw_cache *c, const struct hw_cache_entry *e)
{
	struct cache_space *s = &c->space[e->space];
	u32 lg2 = e->lg2, id = c->serial + 1, set, way, slot, m;
	u64 vpn = e->addr >> lg2, key = cache_key(s, vpn, lg2);
	struct cache_set *at;

	set = (u32)key & c->set_mask;
	at = &c->set[set];
	m = cache_match8(at->tag, TAG_EMPTY);
	if (unlikely(!m || !c->usual || c->grows || !id || s->epoch != c->epoch ||
		     (e->extra && !c->has_extra) || cache_match8(at->tag, cache_tag_of(key))))
		return PROBE(fill_any)(c, e);
	way = (u32)__builtin_ctz(m);
	slot = set * WAYS + way;
	cache_set_touched(c, set);
	cache_size_used(c, s, lg2);
	c->serial = id;
	c->used++;
	c->live++;
	s->live++;
	at->tag[way] = cache_tag_of(key);
	c->slot[slot] = (struct cache_slot){e->value, id, cache_slot_key(c, e->space, vpn, lg2)};
	cache_keep_addr(c, slot, vpn << lg2);
	c->column[slot] = (u16)e->space;
	if (c->has_extra)
		c->extra[slot] = e->extra;
	if (c->keeps_age)
		at->age = (at->age | cache_age[way].row) & cache_age[way].rest;
	return id;
}

CACHE_TARGET static u32 PROBE(around)(struct hw_cache *c, u32 space, u64 addr, u32 n,
				      const u8 *lg2, const u64 *value)
{
	struct cache_space *s = &c->space[space];
	struct cache_set *const sets = c->set;
	struct cache_slot *const slots = c->slot;
	u16 *const column = c->column;
	const u64 salt = s->salt, far = c->far, sizes = s->sizes;
	const u32 mask = c->set_mask, keeps_age = c->keeps_age;
	u32 id = c->serial, i;
	u64 used = 0;

	if (unlikely(!c->plain || c->grows || c->has_extra || s->epoch != c->epoch ||
		     id > 0xffffff00u))
		return 0;
	for (i = 0; i < n; i++) {
		u32 shift = lg2[i], set, way, slot, m;
		u64 vpn = addr >> shift, key = vpn ^ salt ^ (u64)shift * 0x9e3779b97f4a7c15ULL;
		struct cache_set *at;

		set = (u32)key & mask;
		at = &sets[set];
		m = cache_match8(at->tag, TAG_EMPTY);
		if (unlikely(!m))
			break;
		way = (u32)__builtin_ctz(m);
		slot = set * WAYS + way;
		cache_set_touched(c, set);
		used |= 1ULL << shift;
		at->tag[way] = cache_tag_of(key);
		if (unlikely(vpn >= far))
			c->addr[slot] = vpn << shift;
		slots[slot] = (struct cache_slot){
			value[i], ++id, space | shift << 24 | (vpn >= far ? SLOT_FAR : 0)};
		column[slot] = (u16)space;
		if (keeps_age)
			at->age = (at->age | cache_age[way].row) & cache_age[way].rest;
	}
	c->version += (u64)__builtin_popcountll(used & ~sizes);
	s->sizes = sizes | used;
	c->serial = id;
	c->used += i;
	c->live += i;
	s->live += i;
	return i;
}

CACHE_TARGET static void PROBE(scan_some)(struct hw_cache *c, u32 at, u32 space, u64 addr,
					  u64 last)
{
	const struct cache_space *s = &c->space[space];

	for (u32 m = match16(c->column + at, (u16)space); m; m &= m - 1) {
		u32 slot = at + (u32)__builtin_ctz(m);
		u64 start, end;

		if (*cache_tag(c, slot) <= TAG_GONE || c->slot[slot].id <= s->floor)
			continue;
		start = cache_addr_of(c, slot);
		end = start + ((1ULL << (c->slot[slot].key >> 24)) - 1);
		if (start <= last && end >= addr)
			cache_kill(c, slot);
	}
}

#define STRIDE (8 * WAYS)

CACHE_TARGET static void PROBE(scan)(struct hw_cache *c, u32 space, u64 addr, u64 last)
{
	u32 at = 0;

	for (; at + STRIDE <= c->n_slots; at += STRIDE) {
		if (likely(!any64(c->column + at, (u16)space)))
			continue;
		for (u32 i = 0; i < STRIDE; i += 2 * WAYS)
			PROBE(scan_some)(c, at + i, space, addr, last);
	}
	for (; at < c->n_slots; at += 2 * WAYS)
		PROBE(scan_some)(c, at, space, addr, last);
}

/* Page numbers first to last of one size. */
CACHE_TARGET static inline void PROBE(drop_size)(struct hw_cache *c, u32 space, u32 lg2, u64 first,
						 u64 last)
{
	const struct cache_space *s = &c->space[space];
	u64 fixed = cache_key(s, 0, lg2);
	bool one_set = !c->grows;
	u32 mask = c->set_mask;

	for (u64 vpn = first;; vpn++) {
		u64 key = vpn ^ fixed;
		u32 slot;

		/* Mostly it is not there: its own set says so, if it can lie nowhere else. */
		if (!one_set ||
		    cache_match8(c->set[(u32)key & mask].tag, cache_tag_of(key))) {
			slot = PROBE(slot_of)(c, s, space, vpn, lg2);
			if (slot != NO_SLOT)
				cache_kill(c, slot);
		}
		if (vpn == last)
			return;
	}
}

CACHE_TARGET static void PROBE(drop)(struct hw_cache *c, u32 space, u64 addr, u64 last)
{
	/* Beyond it a scan of the column is cheaper. */
	u64 limit = 64 + c->n_slots / 64;

	for (u64 sizes = c->space[space].sizes; sizes; sizes &= sizes - 1) {
		u32 lg2 = (u32)__builtin_ctzll(sizes);

		if ((last >> lg2) - (addr >> lg2) >= limit) {
			PROBE(scan)(c, space, addr, last);
			return;
		}
		PROBE(drop_size)(c, space, lg2, addr >> lg2, last >> lg2);
	}
}

CACHE_TARGET static u32 PROBE(match)(const u32 *tags, u32 tag)
{
	return cache_match8(tags, tag);
}

const struct cache_probe PROBE(cache_probe) = {
	.exact = PROBE(exact), .find = PROBE(find), .drop = PROBE(drop),
	.scan = PROBE(scan), .match = PROBE(match), .fill = PROBE(fill),
	.around = PROBE(around),
};
