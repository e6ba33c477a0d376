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
	    !QUICK(word)(s, (e[0] & l->s2_output) | (at & 0xfff), &e[1]))
		return false;
	n->ipa_range = (e[1] & l->output) >> 21;
	if (!QUICK(nest_s2)(s, n, e[1] & l->output, NEST_PAGE, &n->s2_table) ||
	    !QUICK(word)(s, n->s2_table + (e[1] >> 9 & 0xff8), &e[2]))
		return false;
	n->attrs[0] = e[0] & ~l->s2_output;
	n->attrs[1] = e[1] & ~l->output;
	n->attrs[2] = e[2] & ~l->s2_output;
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
	if (ste->s2ptw || !QUICK(nest_leaves)(l, &sight, n, addr))
		return false;
	reads = h->walks ? 3 : (4u - s1->level) * (s2_reads + 1) + s2_reads;
	n->reads = (u64)reads << 40;
	n->range = addr >> 21;
	n->made = l->made;
	return true;
}

/* Nests are void once anything was invalidated, or the walk cache has changed. */
CACHE_TARGET static inline void QUICK(lane_fresh)(struct smmu_lane *l)
{
	struct hw_smmuv3 *h = l->h;
	const struct hw_cache *c = h->cache[CACHE_WALK];

	/* Where spaces run out, contexts are void as well: see smmu_spaces(). */
	if (likely(!((l->walk_gen ^ h->gen) | (l->walk_serial ^ c->serial)) && l->made))
		return;
	l->walk_gen = h->gen;
	l->walk_serial = c->serial;
	l->made = smmu_lane_number(h);
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
	u64 addr = req->addr, s1 = l->output, s2 = l->s2_output, e[3], at, differ, meta;
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

/* What is answered of a page without an entry, by three descriptors. */
CACHE_TARGET static inline void QUICK(say)(struct hw_resp *resp, u64 pa, u32 meta)
{
	u64 said = (meta & 0xffff) | 3ull << 40;

	resp->pa = pa;
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
}

/* What both stages permit, by a nest and a below. */
CACHE_TARGET static inline u32 QUICK(nest_permits)(const struct hw_nest *n,
						   const struct hw_below *b)
{
	return QUICK(nest_meta)(n->attrs >> HW_NEST_FIRST, b->value);
}

/* A nest that was used the last time as well. */
CACHE_TARGET static void QUICK(remember)(struct hw_smmuv3 *h, const struct smmu_lane *l, u64 addr,
					 const struct hw_nest *n, const struct hw_below *b)
{
	h->again = (struct smmu_again){
		.range = addr >> 21, .at = n->at * 8ull, .word = n->word,
		.table = n->word & l->s2_output, .s2_table = b->value & ADDR_MASK,
		.attrs = b->attrs, .meta = QUICK(nest_permits)(n, b)};
	memcpy(&h->again.first, h->base.env->ram + h->again.table + (addr >> 9 & 0xff8), 8);
}

/* For the first time since all was settled, or again: then the next one may be there, too. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(nest_used)(struct hw_smmuv3 *h, const struct smmu_lane *l, u64 addr, struct hw_nest *n,
		 struct hw_below *b)
{
	hw_nest_used(h->nests, n, b);
	QUICK(remember)(h, l, addr, n, b);
}

/* By the walk cache, in a nest of it. False: no page has been used, nor have tables. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(in_nest)(struct hw_smmuv3 *h, const struct smmu_lane *l, const struct hw_req *req,
	       struct hw_resp *resp)
{
	struct hw_nests *all = h->nests;
	struct hw_nest *n = hw_nest_of(all, req->addr);
	const u8 *ram = h->base.env->ram;
	u64 addr = req->addr, s1 = l->output, s2 = l->s2_output, e, first, second, range;
	struct hw_below *b;
	u32 meta, how, use;

	if (unlikely(n->key != (addr >> 21 | l->made)))
		return false;
	memcpy(&e, ram + n->at * 8ull, 8);
	memcpy(&first, ram + (n->word & s2) + (addr >> 9 & 0xff8), 8);
	range = (first & s1) >> 21;
	b = hw_below_of(all, first >> 21);
	if (unlikely(b->key != (range | l->made)))
		return false;
	memcpy(&second, ram + (b->value & ADDR_MASK) + (first >> 9 & 0xff8), 8);
	memcpy(&how, &req->access, sizeof(how));
	meta = QUICK(nest_permits)(n, b);
	/* All at once, at the end: until then none of the words has to have come. */
	if (unlikely((e ^ n->word) | ((first ^ n->attrs) & ~s1) | ((second ^ b->attrs) & ~s2)) ||
	    unlikely(QUICK(denied)(how, meta)))
		return false;
	QUICK(say)(resp, (second & s2) | (addr & 0xfff), meta);
	use = all->uses + 1;
	if (unlikely(!use || !n->stamp || !b->stamp || hw_nest_again(all, n, b))) {
		QUICK(nest_used)(h, l, addr, n, b);
		return true;
	}
	all->uses = n->stamp = b->stamp = use;
	return true;
}

/* A nest of the walk cache, made anew; and used, if nothing speaks against it. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(nest_known_anew)(struct smmu_lane *l, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_smmuv3 *h = l->h;
	struct smmu_nest made;
	struct hw_nest n = {.key = req->addr >> 21 | l->made};
	u32 *slot = hw_nest_slots(h->nests, req->addr);

	smmu_walks_settle(h);
	if (!QUICK(nest_make)(l, &made, req->addr))
		return false;
	memcpy(&n.word, h->base.env->ram + made.s1_at, 8);
	if (made.s1_at >> 35 || (n.word & l->s2_output) + 4096 > h->base.env->ram_size)
		return false;
	n.at = (u32)(made.s1_at / 8);
	n.attrs = made.attrs[1] | (made.s1_value & PERM_ALL) << HW_NEST_FIRST;
	*hw_nest_of(h->nests, req->addr) = n;
	slot[0] = made.slot[NEST_OWN];
	slot[1] = made.slot[NEST_TABLE];
	*hw_below_of(h->nests, made.ipa_range) = (struct hw_below){
		.key = made.ipa_range | l->made, .value = made.s2_table | made.s2_value,
		.attrs = made.attrs[2], .slot = made.slot[NEST_PAGE]};
	return QUICK(in_nest)(h, l, req, resp);
}

/* Both stages, each time by words above the last descriptors. */
CACHE_TARGET static inline bool QUICK(nest_by_words)(struct smmu_lane *l, const struct hw_req *req,
						     struct hw_resp *resp)
{
	struct hw_smmuv3 *h = l->h;
	struct smmu_nest *n = smmu_nest_of(h, req->addr);

	if (likely(!((n->made ^ l->made) | (n->range ^ req->addr >> 21)) &&
		   QUICK(nest_same)(h->base.env->ram, n) &&
		   QUICK(nest_answer)(h, l, n, req, resp)))
		return true;
	return QUICK(nest_make)(l, n, req->addr) && QUICK(nest_answer)(h, l, n, req, resp);
}

/* Both stages; a nest is made anew if it is not good. */
CACHE_TARGET static inline bool QUICK(nest)(struct smmu_lane *l, const struct hw_req *req,
					    struct hw_resp *resp)
{
	struct hw_smmuv3 *h = l->h;

	if (req->addr >= l->usual)
		return false;
	QUICK(lane_fresh)(l);
	if (!h->walks)
		return QUICK(nest_by_words)(l, req, resp);
	return QUICK(in_nest)(h, l, req, resp) || QUICK(nest_known_anew)(l, req, resp);
}

/*
 * Nested, again where the last one was. False: nothing has changed. Of a descriptor of
 * stage 1 only where its page lies within 2 MiB may be another.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(as_last)(const struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp)
{
	const struct smmu_again *g = &h->again;
	const u8 *ram = h->base.env->ram;
	u64 addr = req->addr, s2 = h->hot->s2_output, e, first, second;
	u32 how;

	memcpy(&e, ram + g->at, 8);
	memcpy(&first, ram + g->table + (addr >> 9 & 0xff8), 8);
	memcpy(&second, ram + g->s2_table + (first >> 9 & 0xff8), 8);
	memcpy(&how, &req->access, sizeof(how));
	if (unlikely((e ^ g->word) | ((first ^ g->first) & ~SMMU_IN_2M) |
		     ((second ^ g->attrs) & ~s2)) ||
	    unlikely(QUICK(denied)(how, (u32)g->meta)))
		return false;
	QUICK(say)(resp, (second & s2) | (addr & 0xfff), (u32)g->meta);
	return true;
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
