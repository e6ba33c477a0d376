/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way where no pages are kept (tlb=0, or cache=none with configuration): a part
 * of quick_priv.h. A transaction is a walk each time; where both stages are on, all that it
 * went by in 2 MiB is remembered (struct smmu_nest). It reads three descriptors anew: stage
 * 2's of the last table of stage 1, that table's, and stage 2's of the page. What lies
 * above them is looked at again, or is in the walk cache.
 */
#pragma once

#include "hw/smmuv3/quick_base_priv.h"

/* Another word that has to be the same the next time; no word twice. */
CACHE_TARGET static inline bool QUICK(nest_word)(const struct sight *s, struct smmu_nest *n,
						 u64 pa, u64 *value)
{
	if (!QUICK(word)(s, pa, value))
		return false;
	for (u32 i = 0; i < n->n; i++) {
		if (n->at[i] == pa)
			return true;
	}
	if (n->n == SMMU_NEST_WORDS)
		return false;
	n->at[n->n] = pa;
	n->word[n->n++] = *value;
	return true;
}

/* An entry of the walk cache for a last table without restrictions; role: see slot[]. */
CACHE_TARGET static inline bool QUICK(nest_known)(const struct sight *s, struct smmu_nest *n,
						  u32 space, u64 in, u32 role, u64 *table)
{
	struct hw_cache *c = s->h->cache[CACHE_WALK];
	u32 slot = cache_quick_find(c, space, in);

	if (slot >= CACHE_ASK || c->slot[slot].key >> 24 != 21)
		return false;
	*table = c->slot[slot].value;
	if ((*table & 7) != 3 || (*table & T_ALL))
		return false;
	*table &= ADDR_MASK;
	n->slot[role] = slot;
	return true;
}

/* The last table of stage 2 of an intermediate address. */
CACHE_TARGET static bool QUICK(nest_s2)(const struct sight *s, struct smmu_nest *n, u64 ipa,
					u32 role, u64 *table)
{
	const struct smmu_tt *tt = &s->ctx->ste.s2;
	u32 shift = 39 - 9 * tt->level;
	u64 at = tt->ttb + (ipa >> shift) * 8, desc;

	if (ipa >> tt->ia || tt->level > 2)
		return false;
	if (s->h->walks) {
		if (!QUICK(nest_known)(s, n, tt->walk, ipa, role, table))
			return false;
	} else {
		for (; shift > 12; at = *table + (ipa >> shift & 511) * 8) {
			if (!QUICK(nest_word)(s, n, at, &desc) || (desc & 3) != 3 ||
			    (desc & OUTPUT) >> tt->oa)
				return false;
			*table = desc & OUTPUT;
			shift -= 9;
		}
	}
	return *table + 4088 <= s->limit;
}

/* Where a word of a table of stage 1 lies, by a page that is to stay what it is. */
CACHE_TARGET static bool QUICK(nest_through)(const struct smmu_lane *l, const struct sight *s,
					     struct smmu_nest *n, u64 ipa, u64 *pa)
{
	const struct smmu_tt *tt = &s->ctx->ste.s2;
	u64 table, desc;

	if (!QUICK(nest_s2)(s, n, ipa, NEST_TABLE, &table) ||
	    !QUICK(nest_word)(s, n, table + (ipa >> 9 & 0xff8), &desc) ||
	    !(QUICK(s2_value)(l, tt, desc, 3) & PR) || (desc & OUTPUT) >> tt->oa)
		return false;
	*pa = (desc & OUTPUT) | (ipa & 0xfff);
	return true;
}

/* The intermediate address of the last table of stage 1. */
CACHE_TARGET static bool QUICK(nest_s1)(const struct smmu_lane *l, const struct sight *s,
					struct smmu_nest *n, u64 addr, u64 *table)
{
	const struct smmu_tt *tt = &s->ctx->cd.tt[0];
	u32 shift = 39 - 9 * tt->level;
	u64 at = tt->ttb + (addr >> shift) * 8, pa, desc;

	if (s->h->walks)
		return QUICK(nest_known)(s, n, tt->walk, addr, NEST_OWN, table);
	if (tt->level > 2)
		return false;
	for (; shift > 12; at = *table + (addr >> shift & 511) * 8) {
		if (!QUICK(nest_through)(l, s, n, at, &pa) ||
		    !QUICK(nest_word)(s, n, pa, &desc) || (desc & 3) != 3 || (desc & T_ALL) ||
		    (desc & OUTPUT) >> tt->oa)
			return false;
		*table = desc & OUTPUT;
		shift -= 9;
	}
	return true;
}

/* What both stages permit, as of the front. */
CACHE_TARGET static inline u32 QUICK(nest_meta)(u64 s1, u64 s2)
{
	return smmu_front_meta[(s1 & s2 & PERM_ALL) >> 3];
}

/* The three last descriptors as they are now. False: look closer. */
CACHE_TARGET static bool QUICK(nest_leaves)(const struct smmu_lane *l, const struct sight *s,
					    struct smmu_nest *n, u64 addr)
{
	const struct smmu_tt *s1 = &s->ctx->cd.tt[0], *s2 = &s->ctx->ste.s2;
	u64 at, e[3], v[3];

	if (!QUICK(nest_s1)(l, s, n, addr, &at))
		return false;
	at |= addr >> 9 & 0xff8;
	if (!QUICK(nest_s2)(s, n, at, NEST_TABLE, &n->s1_at))
		return false;
	n->s1_at += at >> 9 & 0xff8;
	if (!QUICK(word)(s, n->s1_at, &e[0]) ||
	    !QUICK(word)(s, (e[0] & n->output) | (at & 0xfff), &e[1]))
		return false;
	n->ipa_range = (e[1] & l->output) >> 21;
	if (!QUICK(nest_s2)(s, n, e[1] & l->output, NEST_PAGE, &n->s2_table) ||
	    !QUICK(word)(s, n->s2_table + (e[1] >> 9 & 0xff8), &e[2]))
		return false;
	n->attrs[0] = e[0] & ~n->output;
	n->attrs[1] = e[1] & ~l->output;
	n->attrs[2] = e[2] & ~n->output;
	v[0] = QUICK(s2_value)(l, s2, n->attrs[0], 3);
	v[1] = QUICK(s1_value)(l, s1, n->attrs[1], 3);
	v[2] = QUICK(s2_value)(l, s2, n->attrs[2], 3);
	/* Bits of an address that is out of range are among the others. */
	if (!(v[0] & PR) || !v[1] || !v[2] || (n->attrs[0] & OUTPUT) || (n->attrs[1] & OUTPUT) ||
	    (n->attrs[2] & OUTPUT))
		return false;
	n->s1_value = v[1];
	n->s2_value = v[2];
	n->meta = QUICK(nest_meta)(v[1], v[2]);
	return true;
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(nest_make)(const struct smmu_lane *l, struct smmu_nest *n, u64 addr)
{
	const struct sight sight = QUICK(sight_of)(l);
	const struct smmu_ste *ste = &l->ctx->ste;
	const struct smmu_tt *s1 = &l->ctx->cd.tt[0];
	struct hw_smmuv3 *h = l->h;
	u32 s2_reads = 4u - ste->s2.level, reads;

	n->made = 0;
	n->n = 0;
	n->output = OUTPUT & ((1ull << min((u32)ste->s2.oa, 48u)) - 1);
	if (ste->s2ptw || !QUICK(nest_leaves)(l, &sight, n, addr))
		return false;
	reads = h->walks ? 3 : (4u - s1->level) * (s2_reads + 1) + s2_reads;
	n->reads = (u64)reads << 40;
	n->range = addr >> 21;
	n->made = l->made;
	if (h->walks)
		*smmu_below_of(h, n->ipa_range) = (struct smmu_below){
			.made = n->made, .range = n->ipa_range, .table = n->s2_table,
			.attrs = n->attrs[2], .value = n->s2_value,
			.slot = n->slot[NEST_PAGE]};
	return true;
}

/* Nests are void once anything was invalidated, or the walk cache has changed. */
CACHE_TARGET static inline void QUICK(lane_fresh)(struct smmu_lane *l)
{
	struct hw_smmuv3 *h = l->h;
	const struct hw_cache *c = h->cache[CACHE_WALK];

	/* Where spaces run out, contexts are void as well: see smmu_spaces(). */
	if (likely(!((l->walk_gen ^ h->gen) | (l->walk_serial ^ c->serial))))
		return;
	l->walk_gen = h->gen;
	l->walk_serial = c->serial;
	l->made = ++h->lanes_made;
}

/* Whether the words above the last descriptors are what they were. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(nest_same)(const u8 *ram, const struct smmu_nest *n)
{
	u64 differ = 0, e;

#ifdef __clang__ /* gathers would take longer */
#pragma clang loop vectorize(disable) unroll_count(4)
#endif
	for (u32 i = 0; i < n->n; i++) {
		memcpy(&e, ram + n->at[i], 8);
		differ |= e ^ n->word[i];
	}
	return !differ;
}

/* Of a nest that is good. False: nothing has changed. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(nest_answer)(const struct hw_smmuv3 *h, const struct smmu_lane *l, const struct smmu_nest *n,
		   const struct hw_req *req, struct hw_resp *resp)
{
	const struct hw_env *env = h->base.env;
	u64 addr = req->addr, s1 = l->output, s2 = n->output, e[3], at, differ, meta;
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	memcpy(&e[0], env->ram + n->s1_at, 8);
	at = (e[0] & s2) | (addr >> 9 & 0xff8);
	if (unlikely(QUICK(denied)(how, n->meta) || at > env->ram_size - 8))
		return false;
	memcpy(&e[1], env->ram + at, 8);
	memcpy(&e[2], env->ram + n->s2_table + (e[1] >> 9 & 0xff8), 8);
	differ = (((e[0] ^ n->attrs[0]) | (e[2] ^ n->attrs[2])) & ~s2) |
		 ((e[1] ^ n->attrs[1]) & ~s1) | ((e[1] & s1) >> 21 ^ n->ipa_range);
	if (unlikely(differ))
		return false;
	meta = (n->meta & 0xffff) | n->reads;
	resp->pa = (e[2] & s2) | (addr & 0xfff);
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = 0;
	return true;
}

/* The tables of the walk cache are the youngest of their sets, as if looked for. */
CACHE_TARGET static inline void QUICK(nest_age)(struct hw_smmuv3 *h, const struct smmu_nest *n)
{
	struct hw_cache *c = h->cache[CACHE_WALK];

	for (u32 i = 0; c->keeps_age && i < NEST_ROLES; i++)
		cache_touch(c, n->slot[i]);
	h->aged = n;
}

/*
 * By the walk cache, in another nest than the last time, or in other intermediate 2 MiB.
 * False: nothing has changed.
 */
CACHE_TARGET static inline bool QUICK(in_nest)(struct hw_smmuv3 *h, const struct smmu_lane *l,
					       struct smmu_nest *n, const struct hw_req *req,
					       struct hw_resp *resp)
{
	const struct hw_env *env = h->base.env;
	const struct smmu_below *b;
	u64 addr = req->addr, s1 = l->output, s2 = n->output, e[3], at, range, differ, said;
	u32 meta;

	memcpy(&e[0], env->ram + n->s1_at, 8);
	at = (e[0] & s2) | (addr >> 9 & 0xff8);
	if (unlikely(at > env->ram_size - 8))
		return false;
	memcpy(&e[1], env->ram + at, 8);
	range = (e[1] & s1) >> 21;
	b = smmu_below_of(h, range);
	if (unlikely((b->made ^ l->made) | (b->range ^ range)))
		return false;
	memcpy(&e[2], env->ram + b->table + (e[1] >> 9 & 0xff8), 8);
	differ = (((e[0] ^ n->attrs[0]) | (e[2] ^ b->attrs)) & ~s2) |
		 ((e[1] ^ n->attrs[1]) & ~s1);
	meta = QUICK(nest_meta)(n->s1_value, b->value);
	if (unlikely(differ || QUICK(denied)(req->access, meta)))
		return false;
	n->ipa_range = range;
	n->s2_table = b->table;
	n->attrs[2] = b->attrs;
	n->slot[NEST_PAGE] = b->slot;
	n->meta = meta;
	QUICK(nest_age)(h, n);
	said = (meta & 0xffff) | n->reads;
	resp->pa = (e[2] & s2) | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	return true;
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(nest_anew)(struct smmu_lane *l, struct smmu_nest *n, const struct hw_req *req,
		 struct hw_resp *resp)
{
	if (!QUICK(nest_make)(l, n, req->addr) || !QUICK(nest_answer)(l->h, l, n, req, resp))
		return false;
	if (l->h->walks)
		QUICK(nest_age)(l->h, n);
	return true;
}

/* Both stages; the nest is made anew if it is not good. */
CACHE_TARGET static inline bool QUICK(nest)(struct smmu_lane *l, const struct hw_req *req,
					    struct hw_resp *resp)
{
	struct hw_smmuv3 *h = l->h;
	struct smmu_nest *n = smmu_nest_of(h, req->addr);

	if (req->addr >= l->usual)
		return false;
	QUICK(lane_fresh)(l);
	if (unlikely((n->made ^ l->made) | (n->range ^ req->addr >> 21)))
		return QUICK(nest_anew)(l, n, req, resp);
	if (h->walks) {
		if (likely(QUICK(in_nest)(h, l, n, req, resp)))
			return true;
	} else if (QUICK(nest_same)(h->base.env->ram, n) &&
		   QUICK(nest_answer)(h, l, n, req, resp)) {
		/* Words above the descriptors are to be looked at each time: it is not `aged`. */
		return true;
	}
	return QUICK(nest_anew)(l, n, req, resp);
}

/* Stage 1 alone: its last table is as it was the last time. False: nothing but ages changed. */
CACHE_TARGET static inline bool QUICK(bare_page)(struct smmu_lane *l, const struct hw_req *req,
						 struct hw_resp *resp)
{
	struct hw_smmuv3 *h = l->h;
	u64 addr = req->addr, desc, meta;
	const struct smmu_trail *t = &l->s1_trail[addr >> 21 & (SMMU_TRAILS - 1)];

	if (unlikely(!QUICK(trail_good)(h, t, addr >> 21, false)))
		return false;
	memcpy(&desc, h->base.env->ram + t->table + (addr >> 9 & 0xff8), 8);
	if (unlikely((desc & ~l->output) != t->attrs || ((u64)req->access << 3 & ~t->value)))
		return false;
	meta = 12 | (t->value >> 3 & 7) << 8 | (u64)t->reads << 40;
	resp->pa = (desc & l->output) | (addr & 0xfff);
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = 0;
	return true;
}
