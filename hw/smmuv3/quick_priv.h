/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way of a transaction, as text that two files compile: quick_avx2.c
 * with CACHE_AVX2, quick_scalar.c without.
 *
 * It is for transactions that nobody watches, of a stream whose context is known
 * and has stage 1, or both stages, in pages that are mapped, permitted and marked.
 * How it came to a last table it remembers (struct smmu_trail): each descriptor is
 * read again, each cache entry looked at again, but nothing is decoded or searched
 * for twice while they are what they were.
 * Whenever something is not so it says false: then it has had no effect but that
 * entries it found are the youngest of their sets, and the long way finds them in
 * the same order. What it answers, reads and fills is what the long way would;
 * tests/hw/smmuv3 holds the two equal.
 */
#pragma once

#include "hw/smmuv3/quick_bare_priv.h"
#include "hw/smmuv3/quick_base_priv.h"

/* From the first table of stage 1 down to a leaf of any size, where stage 2 is off. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(s1_walk)(const struct smmu_lane *l, const struct smmu_tt *tt, u64 va, struct found *f)
{
	const struct sight sight = QUICK(sight_of)(l), *s = &sight;
	const u64 above = ~0ull << tt->oa;
	const u32 stride = tt->lg2g - 3u;
	u32 level = tt->level, shift = tt->lg2g + (3 - level) * stride;
	u64 at = tt->ttb + ((va & ((1ull << tt->ia) - 1)) >> shift) * 8, desc, all = 0;

	for (;; level++) {
		if (!QUICK(word)(s, at, &desc))
			return false;
		if (level == 3 || !(desc & D_TABLE))
			break;
		if (unlikely(!(desc & 1)))
			return false;
		all |= desc;
		shift -= stride;
		at = (desc & QUICK(address)(tt)) + (va >> shift & ((1ull << stride) - 1)) * 8;
	}
	f->page = desc & OUTPUT & (~0ull << shift);
	f->value = QUICK(s1_value)(l, tt, desc, level);
	f->lg2 = shift;
	f->reads = level - tt->level + 1;
	return f->value && !(all & T_ALL) && !((all & QUICK(address)(tt)) & above) &&
	       !(f->page & above);
}

/* --- all of it --- */

/* shift: to the permissions of who asks, in a value. */
CACHE_TARGET static inline void QUICK(answer)(struct hw_resp *resp, u64 pa, u32 shift,
					      const struct found *f)
{
	u64 meta = f->lg2 | (f->value >> shift & 7) << 8 | (u64)f->reads << 40;

	resp->pa = pa;
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = 0;
}

/* Where an address was looked for in the TLB, and is to be filled. */
struct hole {
	struct cache_view *view;
	struct cache_place at;
	u32 space;
};

CACHE_TARGET static __attribute__((noinline)) void
QUICK(fill_slow)(struct hw_cache *c, u32 space, u64 addr, u32 lg2, u64 value, u64 extra)
{
	struct hw_cache_entry e = {.value = value, .addr = addr, .extra = extra, .space = space,
				   .lg2 = lg2};

	if (!cache_quick_fill(c, space, addr, lg2, value, extra))
		hw_cache_fill(c, &e, NULL, 0);
}

CACHE_TARGET static inline __attribute__((always_inline)) void
QUICK(fill)(struct hw_cache *c, const struct hole *at, u64 addr, const struct found *f, u64 extra)
{
	u64 first = addr >> f->lg2 << f->lg2, value = f->page | f->value;

	if (unlikely(at->view->key >> 24 != f->lg2 || addr >= at->view->exact ||
		     !(c->has_extra ?
			       cache_view_fill(c, at->view, &at->at, value, &extra) :
			       !extra && cache_view_fill(c, at->view, &at->at, value, NULL))))
		QUICK(fill_slow)(c, at->space, first, f->lg2, value, extra);
}

/*
 * What is asked: by whom, what it needs, where its page was looked for among those
 * that are not global. lg2g: of tt, and of stage 2. Inlined, all of it lies in
 * registers.
 */
struct asked {
	struct smmu_lane *lane;
	const struct smmu_tt *tt;
	u32 need, shift, lg2g, lg2g_s2;
	struct hole own;
};

/* A page of the first stage, or of both. */
CACHE_TARGET static inline __attribute__((always_inline)) void
QUICK(fill_page)(const struct asked *q, u64 va, const struct found *f, u64 extra)
{
	struct hw_cache *tlb = q->lane->h->cache[CACHE_TLB];

	if (unlikely(f->value & V_GLOBAL))
		QUICK(fill_slow)(tlb, q->tt->global, va >> f->lg2 << f->lg2, f->lg2,
				 f->page | f->value, extra);
	else
		QUICK(fill)(tlb, &q->own, va, f, extra);
}

/* Looked up in one space. */
CACHE_TARGET static inline __attribute__((always_inline)) u32
QUICK(look)(struct hw_cache *c, u64 addr, struct hole *at)
{
	if (likely(cache_view_good(c, at->space, at->view)))
		return cache_view_find(c, at->view, addr, &at->at);
	at->at = (struct cache_place){0}; /* the view has no size: nothing is filled there */
	return cache_quick_find(c, at->space, addr);
}

/* ipa by stage 2. fresh: the TLB does not have it, and hole is where it belongs. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(second)(const struct asked *q, u64 ipa, struct found *f, struct hole *hole, bool *fresh)
{
	const struct smmu_tt *tt = &q->lane->ctx->ste.s2;
	struct hw_cache *tlb = q->lane->h->cache[CACHE_TLB];
	struct smmu_trail *t;
	u32 slot;

	hole->view = &q->lane->s2;
	hole->space = tt->space;
	slot = QUICK(look)(tlb, ipa, hole);
	*fresh = slot == NO_SLOT;
	if (slot < CACHE_ASK) {
		const struct cache_slot *e = &tlb->slot[slot];

		cache_quick_touch(tlb, slot);
		*f = (struct found){e->value & ADDR_MASK, e->value & ~ADDR_MASK, e->key >> 24, 0};
		return true;
	}
	if (unlikely(slot == CACHE_ASK))
		return false;
	t = QUICK(trail)(q->lane, q->lane->s2_trail, tt, q->lg2g_s2, ipa, false);
	f->lg2 = q->lg2g_s2;
	return t && QUICK(leaf)(q->lane, t, tt, ipa, QUICK(s2_value), f);
}

/* What both stages say together; the same two are asked for again and again. */
CACHE_TARGET static inline u64 QUICK(mixed)(struct smmu_lane *l, u64 s1, u64 s2, u64 *extra)
{
	if (unlikely(l->mix_s1 != s1 || l->mix_s2 != s2)) {
		l->mix_s1 = s1;
		l->mix_s2 = s2;
		l->mix = smmu_combined(s1, s2);
		l->mix_extra = smmu_combined_extra(0, s1, s2);
	}
	*extra = l->mix_extra;
	return l->mix;
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(miss_nested)(struct asked *q, const struct hw_req *req, struct hw_resp *resp)
{
	const u64 va = req->addr;
	const struct smmu_tt *tt = q->tt, *t2 = &q->lane->ctx->ste.s2;
	struct hw_cache *tlb = q->lane->h->cache[CACHE_TLB];
	struct smmu_trail *t = QUICK(trail)(q->lane, q->lane->s1_trail, tt, q->lg2g, va, true);
	struct found f1 = {.lg2 = q->lg2g}, f2;
	struct hole hole;
	u64 ipa, pa, extra;
	bool fresh;

	if (unlikely(!t || !QUICK(leaf)(q->lane, t, tt, va, QUICK(s1_value), &f1) ||
		     (q->need & ~f1.value)))
		return false;
	ipa = f1.page | (va & ((1ull << f1.lg2) - 1));
	if (unlikely(ipa >> t2->ia || !QUICK(second)(q, ipa, &f2, &hole, &fresh) ||
		     (q->need & ~f2.value) || (f2.value & V_DIRTY)))
		return false;
	if (fresh)
		QUICK(fill)(tlb, &hole, ipa, &f2, 0);
	pa = f2.page | (ipa & ((1ull << f2.lg2) - 1));
	f1.lg2 = min(f1.lg2, f2.lg2);
	f1.value = QUICK(mixed)(q->lane, f1.value, f2.value, &extra);
	f1.page = pa & ~((1ull << f1.lg2) - 1);
	/* Of stage 1 each table word was found through an entry: it is one read. */
	f1.reads += f2.reads;
	extra |= ipa & ~((1ull << f1.lg2) - 1);
	QUICK(fill_page)(q, va, &f1, extra);
	QUICK(answer)(resp, pa, q->shift, &f1);
	return true;
}

/* A page that the TLB does not have. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(miss)(struct asked *q, const struct hw_req *req, struct hw_resp *resp, bool caching)
{
	const u64 va = req->addr;
	struct smmu_lane *l = q->lane;
	struct smmu_trail *t = QUICK(trail)(l, l->s1_trail, q->tt, q->lg2g, va, false);
	struct found f = {.lg2 = q->lg2g};

	if (unlikely(!t || !QUICK(leaf)(l, t, q->tt, va, QUICK(s1_value), &f))) {
		struct found g;

		if (l->h->walks || !QUICK(s1_walk)(l, q->tt, va, &g))
			return false;
		f = g;
	}
	if (unlikely(q->need & ~f.value))
		return false;
	if (caching)
		QUICK(fill_page)(q, va, &f, 0);
	QUICK(answer)(resp, f.page | (va & ((1ull << f.lg2) - 1)), q->shift, &f);
	return true;
}

/* 1: it answers; 0: neither space has the page; -1: look closer. */
CACHE_TARGET static inline __attribute__((always_inline)) int
QUICK(hit)(struct smmu_lane *l, u32 n, const struct hw_req *req, struct hw_resp *resp,
	   struct cache_place *at)
{
	const struct smmu_tt *tt = &l->ctx->cd.tt[n];
	struct hw_cache *tlb = l->h->cache[CACHE_TLB];
	struct hole own = {.view = &l->own[n], .space = tt->space};
	struct hole global = {.view = &l->global[n], .space = tt->global};
	u32 need = smmu_need_of[req->access & 63], shift = req->access & HW_PRIV ? 0 : 3;
	u32 slot, lg2;
	const struct cache_slot *e;
	u64 pa, meta;

	slot = QUICK(look)(tlb, req->addr, &own);
	*at = own.at;
	if (slot == NO_SLOT)
		slot = QUICK(look)(tlb, req->addr, &global);
	if (slot >= CACHE_ASK)
		return slot == NO_SLOT ? 0 : -1;
	e = &tlb->slot[slot];
	/* A write to a page that is not marked has to mark it. */
	if (unlikely((need & ~e->value) || (e->value & V_DIRTY)))
		return -1;
	cache_quick_touch(tlb, slot);
	lg2 = e->key >> 24;
	pa = (e->value & ADDR_MASK) | (req->addr & ((1ull << lg2) - 1));
	meta = lg2 | (e->value >> shift & 7) << 8;
	resp->pa = pa;
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = e->id;
	if (l->h->front_on)
		smmu_front_fill(l->h, req, pa, e->value, lg2, e->id);
	return 1;
}

/* A plain access that nobody watches to a page that the TLB has not, nor the tables. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(absent)(struct hw_smmuv3 *h, const struct smmu_ctx *ctx, const struct hw_req *req,
	      struct hw_resp *resp)
{
	const struct hw_env *e = h->base.env;
	u32 how, n;

	memcpy(&how, &req->access, sizeof(how));
	if (how - 1 > 2 || e->fact || e->point || e->read_flushed)
		return false;
	n = smmu_absent(h, ctx, req);
	*resp = (struct hw_resp){.status = HW_ABORT, .reads = (u8)n};
	return n;
}

/* Whatever the quick way can do. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(known)(struct hw_smmuv3 *h, struct smmu_lane *lane, const struct hw_req *req,
	     struct hw_resp *resp)
{
	const struct smmu_ctx *ctx = lane->ctx;
	const struct hw_env *e = h->base.env;
	u64 va = req->addr;
	u32 n = (va >> 55 & 1) & !ctx->cd.tt[0].one;
	const struct smmu_tt *tt = &ctx->cd.tt[n];
	struct asked q = {.lane = lane, .tt = tt, .need = smmu_need_of[req->access & 63],
			  .shift = req->access & HW_PRIV ? 0 : 3,
			  .lg2g = tt->lg2g, .lg2g_s2 = ctx->ste.s2.lg2g,
			  .own = {.view = &lane->own[n], .space = tt->space}};
	int found = 0;

	if (unlikely(tt->off || tt->tbi || (n ? ~va : va) >> tt->ia))
		return false;
	if (h->caching)
		found = QUICK(hit)(lane, n, req, resp, &q.own.at);
	if (found)
		return found > 0;
	if (unlikely(e->ram_size < 8))
		return false;
	if (!ctx->s2) {
		u64 range = va >> QUICK(span)(q.lg2g);
		const struct smmu_trail *t = &lane->s1_trail[range % SMMU_TRAILS];

		/* Before a trail is made to what is not there. */
		if (h->caching && (t->gen != h->gen || t->range != range) &&
		    QUICK(absent)(h, ctx, req, resp))
			return true;
		return QUICK(miss)(&q, req, resp, h->caching);
	}
	return h->caching ? QUICK(miss_nested)(&q, req, resp) : QUICK(nest)(lane, req, resp);
}

/* The usual: pages of 4 KiB, addresses of the lower half, the TLB is on and has it not. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(usual)(struct smmu_lane *l, const struct hw_req *req, struct hw_resp *resp,
	     const struct cache_place at, bool nested)
{
	const struct smmu_tt *tt = &l->ctx->cd.tt[0];
	struct asked q = {.lane = l, .tt = tt, .need = (u32)req->access << 3, .shift = 3,
			  .lg2g = 12, .lg2g_s2 = 12,
			  .own = {.view = &l->own[0], .space = tt->space, .at = at}};

	return nested ? QUICK(miss_nested)(&q, req, resp) : QUICK(miss)(&q, req, resp, true);
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(one_stage)(struct smmu_lane *l, const struct hw_req *req, struct hw_resp *resp,
		 const struct cache_place at)
{
	return QUICK(usual)(l, req, resp, at, false);
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(two_stages)(struct smmu_lane *l, const struct hw_req *req, struct hw_resp *resp,
		  const struct cache_place at)
{
	return QUICK(usual)(l, req, resp, at, true);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(unusual)(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp)
{
	struct smmu_lane *l = &h->lane[smmu_ctx_index(req->sid, req->pasid)];
	const struct hw_env *e = h->base.env;

	if (unlikely(l->who != smmu_who(req) || l->gen != h->cfg_gen)) {
		smmu_translate_long(h, req, resp);
		return;
	}
	h->hot = l;
	h->again.range = ~0ull;
	hw_nests_settle(h->nests);
	if (!h->cache[CACHE_TLB]->live && h->caching && QUICK(absent)(h, l->ctx, req, resp))
		return;
	if (unlikely(req->kind != HW_UNTRANSLATED || !smmu_need_of[req->access & 63] || e->fact ||
		     e->point || e->read_flushed || !QUICK(known)(h, l, req, resp)))
		smmu_translate_long(h, req, resp);
}

/* A page of 4 KiB that the TLB does not have. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(missed)(struct smmu_lane *l, const struct hw_req *req, struct hw_resp *resp,
	      const struct cache_place at)
{
	const struct hw_env *e = l->h->base.env;
	u32 how;

	l->h->again.range = ~0ull;
	memcpy(&how, &req->access, sizeof(how));
	/* No more than read and write of an untranslated, unprivileged request. */
	if (unlikely(how - 1 > 2 || e->point || e->read_flushed ||
		     !(l->nested ? QUICK(two_stages)(l, req, resp, at) :
				   QUICK(one_stage)(l, req, resp, at))))
		QUICK(unusual)(l->h, req, resp);
}

/*
 * The same of one stage in as few instructions as may be: its last table, the leaf and
 * the set are as they were the last time. False: nothing has changed but ages.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(page_of_one)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		   struct hw_resp *resp, const struct cache_place at, bool known)
{
	const struct hw_env *e = h->base.env;
	u64 addr = req->addr, desc, page, said;
	const struct smmu_trail *t = &l->s1_trail[addr >> 21 & (SMMU_TRAILS - 1)];
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	/* First: of others it is not said that they use the walk cache. */
	if (unlikely(how - 1 > 2) ||
	    unlikely((uintptr_t)e->point | (uintptr_t)e->read_flushed) ||
	    unlikely(!QUICK(trail_again)(h, t, addr >> 21, known)))
		return false;
	memcpy(&desc, e->ram + t->table + (addr >> 9 & 0xff8), 8);
	page = desc & l->output;
	said = t->said;
	/* Equal: the output is in range, too. A value of 0 permits nothing. */
	if (unlikely((desc ^ page) != t->attrs) || unlikely((u64)how << 3 & ~t->plain))
		return false;
	/* Now: then it need not be kept meanwhile. Who else answers does so anew. */
	resp->pa = page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	return likely(cache_view_fill(h->cache[CACHE_TLB], &l->own[0], &at, page | t->plain,
				      NULL));
}

/* Stage 2 of a page. */
struct below {
	u64 page, value, reads;
	const struct smmu_trail *trail; /* NULL: the TLB has it */
	struct cache_place at;          /* else it belongs there */
};

/* ipa by stage 2: the TLB has it, or a last table that was used before. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(page_below)(struct hw_smmuv3 *h, struct smmu_lane *l, u64 ipa, u32 how, bool known,
		  struct below *b)
{
	struct hw_cache *c = h->cache[CACHE_TLB];
	const struct smmu_trail *t;
	u64 desc;
	u32 m;

	b->at = cache_place_of(c, ipa >> 12 ^ l->s2.fixed);
	m = cache_match8(c->set[b->at.set].tag, (u32)b->at.tag);
	b->trail = NULL;
	b->reads = 0;
	if (m) {
		u32 slot = (u32)b->at.set * WAYS + (u32)__builtin_ctz(m);
		const struct cache_slot *e = &c->slot[slot];

		/* It is alive, as all are that the full cache has. */
		if (unlikely(e->key != l->s2.key || ((u64)how << 3 & ~e->value) ||
			     (e->value & V_DIRTY)))
			return false;
		cache_touch(c, slot);
		b->page = e->value & ADDR_MASK;
		b->value = e->value & ~ADDR_MASK;
		return true;
	}
	t = &l->s2_trail[ipa >> 21 & (SMMU_TRAILS - 1)];
	if (unlikely(!QUICK(trail_same)(h, t, ipa >> 21, known)))
		return false;
	memcpy(&desc, h->base.env->ram + t->table + (ipa >> 9 & 0xff8), 8);
	b->page = desc & l->s2_output;
	b->value = t->value;
	b->reads = t->reads;
	b->trail = t;
	/* Of what has yet to become dirty a trail has no value. */
	return likely((desc ^ b->page) == t->attrs && !((u64)how << 3 & ~b->value));
}

/* Two trails that were used the last time as well. */
CACHE_TARGET static inline void QUICK(both_remember)(struct hw_smmuv3 *h, struct smmu_lane *l,
						     u64 addr, const struct smmu_trail *s1,
						     const struct smmu_trail *s2)
{
	struct smmu_again *g = &h->again;

	*g = (struct smmu_again){
		.range = addr >> 21, .table = s1->table, .s2_table = s2->table,
		.attrs = s2->attrs, .s2_value = s2->value, .s1 = s1, .s2 = s2,
		.meta = QUICK(nest_meta)(s1->plain, s2->value)};
	memcpy(&g->first, h->base.env->ram + g->table + (addr >> 9 & 0xff8), 8);
	g->mix = QUICK(mixed)(l, s1->plain, s2->value, &g->extra);
	g->said = 12 | (g->mix >> 3 & 7) << 8 | (u64)(s1->reads + s2->reads) << 40;
}

/*
 * Where the last one was: both trails as they were, stage 2's page not in the TLB. Nothing was
 * dropped, and nobody else has filled: all of the TLB is in use, and the pages of stage 1's
 * tables are there, as each time they are made younger than what gives way. Of a descriptor
 * of stage 1 only where its page lies within 2 MiB may be another. False: nothing has changed.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(both_again)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		  struct hw_resp *resp, const struct cache_place at, bool known)
{
	const struct smmu_again *g = &h->again;
	const struct hw_env *e = h->base.env;
	struct hw_cache *c = h->cache[CACHE_TLB];
	const u8 *ram = e->ram;
	u64 addr = req->addr, said = g->said, first, second, page, ipa, extra;
	const u64 none = 0;
	struct cache_place below;
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(g->range != addr >> 21) ||
	    unlikely((uintptr_t)e->point | (uintptr_t)e->read_flushed) ||
	    unlikely(c->serial >= 0xfffffff0u))
		return false;
	memcpy(&first, ram + g->table + (addr >> 9 & 0xff8), 8);
	memcpy(&second, ram + g->s2_table + (first >> 9 & 0xff8), 8);
	ipa = first & l->output;
	page = second & l->s2_output;
	below = cache_place_of(c, ipa >> 12 ^ l->s2.fixed);
	if (unlikely(((first ^ g->first) & ~SMMU_IN_2M) | (second ^ page ^ g->attrs) |
		     (l->s2.version ^ c->version)) ||
	    unlikely(QUICK(denied)(how, (u32)g->meta)) ||
	    unlikely(cache_match8(c->set[below.set].tag, (u32)below.tag)) ||
	    (!known && unlikely(!QUICK(trail_words)(ram, g->s1) ||
				!QUICK(trail_words)(ram, g->s2))))
		return false;
	QUICK(trail_pages_used)(c, g->s1, known);
	resp->pa = page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	cache_view_put(c, &l->s2, &below, page | g->s2_value, &none, true);
	extra = ipa | g->extra;
	cache_view_put(c, &l->own[0], &at, page | g->mix, &extra, true);
	return true;
}

/*
 * Likewise of both stages. The TLB has the pages of stage 1's tables, thus stage 2's view is
 * of 4 KiB; what it does not have is filled when nothing can be in the way any more: first
 * what stage 2 alone says.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(page_of_both)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		    struct hw_resp *resp, const struct cache_place at, bool known)
{
	const struct hw_env *e = h->base.env;
	struct hw_cache *c = h->cache[CACHE_TLB];
	u64 addr = req->addr, desc, page, ipa, mix, extra, said;
	const struct smmu_trail *t = &l->s1_trail[addr >> 21 & (SMMU_TRAILS - 1)], *t2;
	const u64 none = 0;
	struct below b;
	bool again;
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(how - 1 > 2 || ((uintptr_t)e->point | (uintptr_t)e->read_flushed)) ||
	    unlikely(l->s2.version != c->version) ||
	    unlikely(c->live != c->full_second || c->serial >= 0xfffffff0u) ||
	    unlikely(!QUICK(trail_same)(h, t, addr >> 21, known)))
		return false;
	memcpy(&desc, e->ram + t->table + (addr >> 9 & 0xff8), 8);
	page = desc & l->output;
	ipa = page | (addr & 0xfff);
	if (unlikely((desc ^ page) != t->attrs || ((u64)how << 3 & ~t->plain) ||
		     ipa >= l->s2_limit || !QUICK(trail_pages)(c, t, known) ||
		     !QUICK(page_below)(h, l, ipa, how, known, &b)))
		return false;
	t2 = b.trail;
	again = t2 ? h->young[0] == t && h->young[1] == t2 : h->young[1] == t;
	if (unlikely(!again)) {
		QUICK(trail_used)(h, t, known);
		if (t2)
			QUICK(trail_used)(h, t2, known);
	}
	if (t2)
		cache_view_put(c, &l->s2, &b.at, b.page | b.value, &none, true);
	mix = QUICK(mixed)(l, t->plain, b.value, &extra);
	said = 12 | (mix >> 3 & 7) << 8 | (t->reads + b.reads) << 40;
	resp->pa = b.page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	extra |= page;
	cache_view_put(c, &l->own[0], &at, b.page | mix, &extra, true);
	if (t2 && again)
		QUICK(both_remember)(h, l, addr, t, t2);
	return true;
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(one_by_walks)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		    struct hw_resp *resp, const struct cache_place at)
{
	u64 addr = req->addr;

	if (likely(QUICK(page_of_one)(h, l, req, resp, at, true)))
		return;
	/* Another table: its line is under way while all else is looked at. */
	if (l->s1_trail[addr >> 21 & (SMMU_TRAILS - 1)].range != addr >> 21) {
		const struct sight s = QUICK(sight_of)(l);

		QUICK(fetch_last)(&s, &l->ctx->cd.tt[0], addr);
	}
	QUICK(missed)(l, req, resp, at);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(one_by_words)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		    struct hw_resp *resp, const struct cache_place at)
{
	if (!QUICK(page_of_one)(h, l, req, resp, at, false))
		QUICK(missed)(l, req, resp, at);
}

/* Other trails than the last time; or the TLB has stage 2's page. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(both_other)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		  struct hw_resp *resp, const struct cache_place at)
{
	if (!(h->walks ? QUICK(page_of_both)(h, l, req, resp, at, true) :
			 QUICK(page_of_both)(h, l, req, resp, at, false)))
		QUICK(missed)(l, req, resp, at);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(both_by_walks)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		     struct hw_resp *resp, const struct cache_place at)
{
	if (unlikely(!QUICK(both_again)(h, l, req, resp, at, true)))
		QUICK(both_other)(h, l, req, resp, at);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(both_by_words)(struct hw_smmuv3 *h, struct smmu_lane *l, const struct hw_req *req,
		     struct hw_resp *resp, const struct cache_place at)
{
	if (unlikely(!QUICK(both_again)(h, l, req, resp, at, false)))
		QUICK(both_other)(h, l, req, resp, at);
}

/* Views that are new, or other ones than those of pages of 4 KiB, none of them global. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(usual_lane)(struct smmu_lane *l, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_cache *c = l->h->cache[CACHE_TLB];
	const struct hw_env *e = l->h->base.env;
	struct cache_place at = {0, 0};
	int found = -1;
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	if (likely(how - 1 <= 2 && !e->fact && !e->point && !e->read_flushed))
		found = QUICK(hit)(l, 0, req, resp, &at);
	l->plain = 0;
	if (l->own[0].version == c->version && l->global[0].version == c->version &&
	    l->own[0].key >> 24 == 12 && l->global[0].key >= CACHE_VIEW_EMPTY &&
	    l->own[0].exact >= l->usual && !c->shift &&
	    c->keeps_age && l->h->front_on && !e->fact)
		l->plain = c->version;
	if (!found)
		QUICK(missed)(l, req, resp, at);
	else if (found < 0)
		QUICK(unusual)(l->h, req, resp);
}

/* An entry with the tag of a page of 4 KiB. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(entry)(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp,
	     struct smmu_front *f, u64 who, u64 slot)
{
	struct smmu_lane *l = h->hot;
	struct hw_cache *c = h->cache[CACHE_TLB];
	const struct cache_slot e = c->slot[slot];
	u64 addr = req->addr, said, page = e.value & ADDR_MASK;
	u32 how, meta = smmu_front_meta[e.value >> 3 & 15];

	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(e.key != l->own[0].key || e.id <= l->own[0].floor ||
		     QUICK(denied)(how, meta))) {
		QUICK(usual_lane)(l, req, resp);
		return;
	}
	cache_touch(c, (u32)slot);
	f->key = (addr & ~0xfffull) | h->front_gen;
	f->who = who;
	f->pa = page;
	memcpy(&f->lg2, &meta, sizeof(meta));
	f->id = e.id;
	said = meta & 0xffff;
	resp->pa = page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = e.id;
}

/*
 * A page of 4 KiB that the TLB has, or not: in as few instructions as may be. What comes
 * next is a function of its own, so that this one has no registers to save.
 */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(cached)(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp,
	      struct smmu_front *f, u64 who)
{
	struct smmu_lane *l = h->hot;
	const struct hw_cache *c = h->cache[CACHE_TLB];
	u64 addr = req->addr;
	struct cache_place at;
	u32 m;

	if (unlikely(l->who != who || addr >= l->usual)) {
		QUICK(unusual)(h, req, resp);
		return;
	}
	if (unlikely(l->plain != c->version)) {
		QUICK(usual_lane)(l, req, resp);
		return;
	}
	at = cache_place_of(c, addr >> 12 ^ l->own[0].fixed);
	m = cache_match8(c->set[at.set].tag, (u32)at.tag);
	if (m)
		QUICK(entry)(h, req, resp, f, who, at.set * WAYS + (u32)__builtin_ctz(m));
	else if (l->nested)
		h->walks ? QUICK(both_by_walks)(h, l, req, resp, at) :
			   QUICK(both_by_words)(h, l, req, resp, at);
	else
		h->walks ? QUICK(one_by_walks)(h, l, req, resp, at) :
			   QUICK(one_by_words)(h, l, req, resp, at);
}

CACHE_TARGET void QUICK(smmu_translate)(struct hw_iommu *base, const struct hw_req *req,
					struct hw_resp *resp)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	struct smmu_front *f = smmu_front_of(h, req);
	u64 who = smmu_who(req);

	if (unlikely(!smmu_front_hit(h, f, who, req, resp)))
		QUICK(cached)(h, req, resp, f, who);
}

/* --- pages are not kept --- */

/*
 * One stage, or another lane than the last time, or its nest is not as it was. No use of a
 * nest is due where the lane has one stage: unusual() let it in, and settled them.
 */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(nestless)(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp)
{
	struct smmu_lane *l = h->hot;
	const struct hw_env *e = h->base.env;
	u32 how;

	h->again.range = ~0ull;
	memcpy(&how, &req->access, sizeof(how));
	/* No more than read and write of an untranslated, unprivileged request. */
	if (unlikely(l->who != smmu_who(req) || e->point || e->read_flushed || e->fact ||
		     req->addr >= l->usual || how - 1 > 2 ||
		     !(l->nested ? QUICK(nest)(l, req, resp) : QUICK(bare_page)(l, req, resp))))
		QUICK(unusual)(h, req, resp);
}

/* Another nest than the last time, in the same lane, where nobody watches. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(other_nest)(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp)
{
	const struct smmu_lane *l = h->hot;

	h->again.range = ~0ull;
	if (unlikely((l->walk_gen ^ h->gen) | (l->walk_serial ^ h->cache[CACHE_WALK]->serial)) ||
	    unlikely(!QUICK(in_nest)(h, l, req, resp)))
		QUICK(nestless)(h, req, resp);
}

/* In as few instructions as may be. */
CACHE_TARGET void QUICK(smmu_bare)(struct hw_iommu *base, const struct hw_req *req,
				   struct hw_resp *resp)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	const struct hw_env *e = base->env;
	const struct smmu_lane *l = h->hot;

	if (unlikely(!h->nests || !l->nested || l->who != smmu_who(req)) ||
	    unlikely((uintptr_t)e->point | (uintptr_t)e->read_flushed | (uintptr_t)e->fact))
		QUICK(nestless)(h, req, resp);
	else if (h->again.range != req->addr >> 21)
		QUICK(other_nest)(h, req, resp);
	else if (unlikely(!QUICK(as_last)(h, req, resp)))
		QUICK(nestless)(h, req, resp);
}
