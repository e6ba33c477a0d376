/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the quick ways of quick_priv.h and quick_bare_priv.h have in common: words, trails
 * to a last table, and what leaves say.
 */
#pragma once

#include "hw/iommu/cache_quick.h"
#include "hw/smmuv3/walk_priv.h"

#ifdef CACHE_AVX2
#define QUICK(name) name##_avx2
#else
#define QUICK(name) name##_scalar
#endif

#define OUTPUT 0x0000fffffffff000ull

/* Memory, and the context. */
struct sight {
	struct hw_smmuv3 *h;
	const struct smmu_ctx *ctx;
	const u8 *ram;
	u64 limit; /* the last address of a word */
};

/* A leaf, and what was read for it. */
struct found {
	u64 page;  /* output, of the first byte */
	u64 value; /* as in the TLB, without the address */
	u32 lg2, reads;
};

CACHE_TARGET static inline struct sight QUICK(sight_of)(const struct smmu_lane *l)
{
	const struct hw_env *e = l->h->base.env;

	return (struct sight){l->h, l->ctx, e->ram, e->ram_size - 8};
}

CACHE_TARGET static inline bool QUICK(word)(const struct sight *s, u64 pa, u64 *value)
{
	if (unlikely(pa > s->limit))
		return false;
	*value = __atomic_load_n((const u64 *)(s->ram + pa), __ATOMIC_RELAXED);
	return true;
}

/* Whether a request of these access, kind and no_fault_report needs what meta denies. */
CACHE_TARGET static inline bool QUICK(denied)(u32 how, u32 meta)
{
	return (how | FRONT_NEVER) & (u32)((s32)meta >> 16);
}

/* --- the way to the last table --- */

/* Bits of input that one last table is for. */
CACHE_TARGET static inline u32 QUICK(span)(u32 lg2g)
{
	return 2 * lg2g - 3;
}

CACHE_TARGET static inline u64 QUICK(address)(const struct smmu_tt *tt)
{
	return OUTPUT & (~0ull << tt->lg2g);
}

/*
 * A word of a table of stage 1: where stage 2 is on, at an intermediate address whose
 * page the TLB has to know. *pa: where it lies.
 */
CACHE_TARGET static inline bool QUICK(place)(const struct sight *s, struct smmu_trail *t, u64 at,
					     bool through, u64 *pa)
{
	const struct smmu_ste *ste = &s->ctx->ste;
	struct hw_cache *tlb = s->h->cache[CACHE_TLB];
	const struct cache_slot *e;
	u32 slot;

	*pa = at;
	if (!through)
		return true;
	if (unlikely(at >> ste->s2.ia || ste->s2ptw))
		return false;
	slot = cache_quick_find(tlb, ste->s2.space, at);
	if (slot >= CACHE_ASK)
		return false;
	e = &tlb->slot[slot];
	/* Of the smallest size that there is: no other can come before it. */
	if (!(e->value & PR) || e->key >> 24 != ste->s2.lg2g)
		return false;
	cache_quick_touch(tlb, slot);
	for (u32 i = t->n++; i <= SMMU_TRAIL_WORDS; i++) {
		t->way[i] = cache_way_of(tlb, slot);
		t->id[i] = e->id;
	}
	*pa = (e->value & ADDR_MASK) | (at & ((1ull << (e->key >> 24)) - 1));
	return true;
}

/*
 * The last descriptor of addr may not be in any cache of the processor: its line comes, by
 * what memory says above it now, while the walk cache is looked at. Nothing follows from it.
 */
CACHE_TARGET static inline void QUICK(fetch_last)(const struct sight *s, const struct smmu_tt *tt,
						  u64 addr)
{
	const u32 stride = tt->lg2g - 3u;
	u32 shift = tt->lg2g + (3 - tt->level) * stride;
	u64 at = tt->ttb + ((addr & ((1ull << tt->ia) - 1)) >> shift) * 8, desc;

	for (; shift > tt->lg2g; at = (desc & QUICK(address)(tt)) +
				      (addr >> shift & ((1ull << stride) - 1)) * 8) {
		if (!QUICK(word)(s, at, &desc))
			return;
		shift -= stride;
	}
	if (at <= s->limit)
		__builtin_prefetch(s->ram + at);
}

/* By the walk cache; false: it does not know the last table. */
CACHE_TARGET static inline bool QUICK(trail_known)(const struct sight *s, struct smmu_trail *t,
						   const struct smmu_tt *tt, u64 addr, u64 *table)
{
	struct hw_cache *c = s->h->cache[CACHE_WALK];
	u32 slot = cache_quick_find(c, tt->walk, addr);

	if (slot >= CACHE_ASK)
		return false;
	*table = c->slot[slot].value;
	if ((*table & 7) != 3 || (*table & T_ALL) ||
	    c->slot[slot].key >> 24 != QUICK(span)(tt->lg2g))
		return false;
	cache_quick_touch(c, slot);
	s->h->young[0] = s->h->young[1];
	s->h->young[1] = t;
	*table &= ADDR_MASK;
	t->walk = cache_way_of(c, slot);
	t->serial = c->serial;
	return true;
}

/* By the descriptors above it. */
CACHE_TARGET static inline bool
QUICK(trail_walk)(const struct sight *s, struct smmu_trail *t, const struct smmu_tt *tt, u64 addr,
		  bool through, u64 *table)
{
	const u64 above = ~0ull << tt->oa;
	const u32 stride = tt->lg2g - 3u;
	u32 level = tt->level, shift = tt->lg2g + (3 - level) * stride, n = 0;
	u64 at = tt->ttb + ((addr & ((1ull << tt->ia) - 1)) >> shift) * 8, desc;

	for (; level < 3; level++) {
		if (!QUICK(place)(s, t, at, through, &t->at[n]) ||
		    !QUICK(word)(s, t->at[n], &desc) || (desc & 3) != 3 ||
		    (tt != &s->ctx->ste.s2 && (desc & T_ALL)) ||
		    (desc & QUICK(address)(tt) & above))
			return false;
		t->word[n++] = desc;
		shift -= stride;
		*table = desc & QUICK(address)(tt);
		at = *table + (addr >> shift & ((1ull << stride) - 1)) * 8;
	}
	for (; n && n < SMMU_TRAIL_WORDS; n++) {
		t->at[n] = t->at[0];
		t->word[n] = t->word[0];
	}
	return n;
}

/* The trail of addr; false: something is not as usual. through: by stage 2. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(trail_make)(struct smmu_lane *l, struct smmu_trail *t, const struct smmu_tt *tt,
		  u64 addr, bool through)
{
	const struct sight sight = QUICK(sight_of)(l), *s = &sight;
	bool known = s->h->walks;
	u64 table = 0;

	l->trails = true;
	t->gen = 0;
	t->n = 0;
	t->attrs = t->value = t->plain = 0;
	if (known && !through)
		QUICK(fetch_last)(s, tt, addr);
	if (!(known ? QUICK(trail_known)(s, t, tt, addr, &table) :
		      QUICK(trail_walk)(s, t, tt, addr, through, &table)) ||
	    !QUICK(place)(s, t, table, through, &t->table))
		return false;
	/* All of it is memory; and on one page of stage 2. */
	if (t->table + (1ull << tt->lg2g) - 8 > s->limit ||
	    (through && s->ctx->ste.s2.lg2g < tt->lg2g))
		return false;
	t->range = addr >> QUICK(span)(tt->lg2g);
	t->reads = known ? 1 : 4u - tt->level;
	t->gen = s->h->gen;
	return true;
}

/* Whether the descriptors above it are what they were. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(trail_words)(const u8 *ram, const struct smmu_trail *t)
{
	u64 differ = 0, e;

#pragma GCC unroll 3
	for (u32 i = 0; i < SMMU_TRAIL_WORDS; i++) {
		memcpy(&e, ram + t->at[i], 8);
		differ |= e ^ t->word[i];
	}
	return !differ;
}

/*
 * Whether what it went by still is there; if so it is the youngest of its sets. known: by
 * the walk cache. What was used there last, in this order, need not be made younger.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(trail_same)(struct hw_smmuv3 *h, const struct smmu_trail *t, u64 range, bool known)
{
	u64 differ = (t->range ^ range) | (t->gen ^ h->gen);

	if (known)
		return !(differ | (t->serial ^ h->cache[CACHE_WALK]->serial));
	return likely(!differ) && QUICK(trail_words)(h->base.env->ram, t);
}

CACHE_TARGET static inline void QUICK(trail_used)(struct hw_smmuv3 *h, const struct smmu_trail *t,
						  bool known)
{
	h->again.range = ~0ull;
	if (known)
		cache_touch_way(h->cache[CACHE_WALK], &t->walk);
	h->young[0] = h->young[1];
	h->young[1] = t;
}

/* By the walk cache, what was used last is good without another look at it. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(trail_other)(struct hw_smmuv3 *h, const struct smmu_trail *t, u64 range)
{
	if (!QUICK(trail_same)(h, t, range, true))
		return false;
	QUICK(trail_used)(h, t, true);
	return true;
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(trail_again)(struct hw_smmuv3 *h, const struct smmu_trail *t, u64 range, bool known)
{
	if (!known)
		return QUICK(trail_same)(h, t, range, false);
	return (h->young[1] == t && t->range == range) || QUICK(trail_other)(h, t, range);
}

/* The pages that its tables lie in: their entries are the youngest of their sets. */
CACHE_TARGET static inline __attribute__((always_inline)) void
QUICK(trail_pages_used)(struct hw_cache *tlb, const struct smmu_trail *t, bool known)
{
	u32 n = known ? 0 : SMMU_TRAIL_WORDS;

#pragma GCC unroll 4
	for (u32 i = 0; i <= n; i++)
		cache_touch_way(tlb, &t->way[i]);
}

/* If the TLB still has them. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(trail_pages)(struct hw_cache *tlb, const struct smmu_trail *t, bool known)
{
	u32 n = known ? 0 : SMMU_TRAIL_WORDS, differ = 0;

#pragma GCC unroll 4
	for (u32 i = 0; i <= n; i++)
		differ |= t->id[i] ^ tlb->slot[t->way[i].slot].id;
	if (unlikely(differ))
		return false;
	QUICK(trail_pages_used)(tlb, t, known);
	return true;
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(trail_good)(struct hw_smmuv3 *h, const struct smmu_trail *t, u64 range, bool through)
{
	bool known = h->walks;

	if (unlikely(!(known ? QUICK(trail_same)(h, t, range, true) :
			       QUICK(trail_same)(h, t, range, false))))
		return false;
	if (known && h->young[1] != t)
		QUICK(trail_used)(h, t, true);
	if (!through)
		return true;
	return known ? QUICK(trail_pages)(h->cache[CACHE_TLB], t, true) :
		       QUICK(trail_pages)(h->cache[CACHE_TLB], t, false);
}

CACHE_TARGET static inline __attribute__((always_inline)) struct smmu_trail *
QUICK(trail)(struct smmu_lane *l, struct smmu_trail *trails, const struct smmu_tt *tt,
	     u32 lg2g, u64 addr, bool through)
{
	u64 range = addr >> QUICK(span)(lg2g);
	struct smmu_trail *t = &trails[range % SMMU_TRAILS];

	if (likely(QUICK(trail_good)(l->h, t, range, through)) ||
	    QUICK(trail_make)(l, t, tt, addr, through))
		return t;
	return NULL;
}

/* --- leaves --- */

/* What a leaf of stage 1 says; 0: look closer. */
CACHE_TARGET static inline u64 QUICK(s1_value)(const struct smmu_lane *l, const struct smmu_tt *tt,
					u64 desc, u32 level)
{
	u64 attr = l->ctx->cd.mair >> (8 * (desc >> 2 & 7)) & 0xff, v;

	if (unlikely((desc & (1 | D_AF | D_CONTIG)) != (1 | D_AF) ||
		     (level == 3) != !!(desc & D_TABLE) || level < 2 ||
		     (tt->hd && (desc & D_DBM))))
		return 0;
	v = tt->perm[(desc >> 6 & 3) | (desc >> 53 & 3) << 2];
	v |= (u64)tt->tg << V_TG | (u64)level << V_LEVEL | attr << V_ATTR;
	v |= (attr >> 4 ? desc >> 8 & 3 : 2) << V_SH;
	return v | (!(desc & D_NG) && !tt->one ? V_GLOBAL : 0);
}

/* What a leaf of stage 2 says; 0: look closer. */
CACHE_TARGET static inline u64 QUICK(s2_value)(const struct smmu_lane *l, const struct smmu_tt *tt,
					u64 desc, u32 level)
{
	if (unlikely((desc & (1 | D_TABLE | D_AF | D_CONTIG)) != (1 | D_TABLE | D_AF) ||
		     (tt->hd && (desc & D_DBM))))
		return 0;
	return smmu_s2_perms(l->h, desc) | smmu_s2_attr(desc) | (u64)tt->tg << V_TG |
	       (u64)level << V_LEVEL;
}

/* The leaf of addr at the end of its trail. f->lg2: of the granule. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(leaf)(const struct smmu_lane *l, struct smmu_trail *t, const struct smmu_tt *tt, u64 addr,
	    u64 (*value)(const struct smmu_lane *l, const struct smmu_tt *tt, u64 desc, u32 level),
	    struct found *f)
{
	const u64 address = OUTPUT & (~0ull << f->lg2);
	u64 desc, at = addr >> (f->lg2 - 3) & ((1ull << f->lg2) - 8);

	memcpy(&desc, l->h->base.env->ram + t->table + at, 8);
	f->page = desc & address;
	f->reads = t->reads;
	if (unlikely((desc & ~address) != t->attrs)) {
		t->attrs = desc & ~address;
		t->value = value(l, tt, desc, 3);
		t->plain = t->value & V_GLOBAL ? 0 : t->value;
		t->said = f->lg2 | (t->value >> 3 & 7) << 8 | (u64)t->reads << 40;
	}
	f->value = t->value;
	return likely(f->value) && !(f->page >> tt->oa);
}
