/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way of a transaction, as text that two files compile: quick_avx2.c
 * with CACHE_AVX2, quick_scalar.c without.
 *
 * It is for transactions that nobody watches, of a stream whose context is known
 * and has stage 1, or both stages, in pages that are mapped, permitted and marked.
 * Whenever something is not so it says false: then it has had no effect but that
 * entries it found are the youngest of their sets, and the long way finds them in
 * the same order. What it answers, reads and fills is what the long way would;
 * tests/hw/smmuv3 holds the two equal.
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

CACHE_TARGET static inline bool QUICK(word)(const struct sight *s, u64 pa, u64 *value)
{
	if (unlikely(pa > s->limit))
		return false;
	*value = __atomic_load_n((const u64 *)(s->ram + pa), __ATOMIC_RELAXED);
	return true;
}

/* An entry of a cache that is alive; NULL: there is none, or *ask: look closer. */
CACHE_TARGET static inline const struct cache_slot *QUICK(entry)(struct hw_cache *c, u32 space,
								 u64 addr, bool *ask)
{
	u32 slot = cache_quick_find(c, space, addr);

	if (slot >= CACHE_ASK) {
		*ask = slot == CACHE_ASK;
		return NULL;
	}
	cache_quick_touch(c, slot);
	*ask = false;
	return &c->slot[slot];
}

CACHE_TARGET static inline u32 QUICK(fill)(struct hw_cache *c, u32 space, u64 addr, u32 lg2,
					   u64 value, u64 extra)
{
	u64 first = addr >> lg2 << lg2;
	u32 id = cache_quick_fill(c, space, first, lg2, value, extra);

	if (unlikely(!id)) {
		struct hw_cache_entry e = {.value = value, .addr = first, .extra = extra,
					   .space = space, .lg2 = lg2};

		id = hw_cache_fill(c, &e, NULL, 0);
	}
	return id;
}

/* --- stage 1 --- */

/* What a leaf of stage 1 says; 0: look closer. */
CACHE_TARGET static inline u64 QUICK(s1_value)(const struct smmu_ctx *ctx,
					       const struct smmu_tt *tt, u64 desc, u32 level)
{
	u64 attr = ctx->cd.mair >> (8 * (desc >> 2 & 7)) & 0xff, v;

	if (unlikely((desc & (1 | D_AF | D_CONTIG)) != (1 | D_AF) ||
		     (level == 3) != !!(desc & D_TABLE) || level < 2 ||
		     (tt->hd && (desc & D_DBM))))
		return 0;
	v = tt->perm[(desc >> 6 & 3) | (desc >> 53 & 3) << 2];
	v |= (u64)tt->tg << V_TG | (u64)level << V_LEVEL | attr << V_ATTR;
	v |= (attr >> 4 ? desc >> 8 & 3 : 2) << V_SH;
	return v | (!(desc & D_NG) && !tt->one ? V_GLOBAL : 0);
}

/* From the first table down; where stage 2 is off. */
CACHE_TARGET static inline bool QUICK(s1_walk)(const struct sight *s, const struct smmu_tt *tt,
					       u64 va, struct found *f)
{
	const u64 address = OUTPUT & (~0ull << tt->lg2g), above = ~0ull << tt->oa;
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
		at = (desc & address) + (va >> shift & ((1ull << stride) - 1)) * 8;
	}
	f->page = desc & OUTPUT & (~0ull << shift);
	f->value = QUICK(s1_value)(s->ctx, tt, desc, level);
	f->lg2 = shift;
	f->reads = level - tt->level + 1;
	return f->value && !(all & T_ALL) && !((all & address) & above) && !(f->page & above);
}

/* The last table of va by the walk cache; 0: not known. */
CACHE_TARGET static inline u64 QUICK(last_table)(const struct sight *s, const struct smmu_tt *tt,
						 u64 va)
{
	const struct cache_slot *e;
	bool ask;

	e = QUICK(entry)(s->h->cache[CACHE_WALK], tt->walk, va, &ask);
	if (unlikely(!e || (e->value & 7) != 3 || (e->value & T_ALL)))
		return 0;
	return e->value & ADDR_MASK;
}

CACHE_TARGET static inline u64 QUICK(index)(const struct smmu_tt *tt, u64 addr)
{
	return (addr >> tt->lg2g & ((1ull << (tt->lg2g - 3)) - 1)) * 8;
}

/* --- stage 2 --- */

/* What a leaf of stage 2 says; 0: look closer. */
CACHE_TARGET static inline u64 QUICK(s2_value)(const struct hw_smmuv3 *h,
					       const struct smmu_tt *tt, u64 desc)
{
	if (unlikely((desc & (1 | D_TABLE | D_AF | D_CONTIG)) != (1 | D_TABLE | D_AF) ||
		     (tt->hd && (desc & D_DBM))))
		return 0;
	return smmu_s2_perms(h, desc) | smmu_s2_attr(desc) | (u64)tt->tg << V_TG |
	       3ull << V_LEVEL;
}

/* ipa by tables of stage 2, in pages of the granule. */
CACHE_TARGET static inline bool QUICK(s2_walk)(const struct sight *s, u64 ipa, struct found *f)
{
	const struct smmu_tt *tt = &s->ctx->ste.s2;
	const u64 address = OUTPUT & (~0ull << tt->lg2g), above = ~0ull << tt->oa;
	const u32 stride = tt->lg2g - 3u;
	u32 level = tt->level, shift = tt->lg2g + (3 - level) * stride;
	u64 at = tt->ttb + (ipa >> shift) * 8, desc, all = 0;

	if (s->h->cap.walkcache) {
		u64 table = QUICK(last_table)(s, tt, ipa);

		if (!table)
			return false;
		level = 3;
		at = table + QUICK(index)(tt, ipa);
	}
	f->reads = 4 - level;
	for (; level < 3; level++) {
		if (!QUICK(word)(s, at, &desc) || (desc & 3) != 3)
			return false;
		all |= desc & address;
		shift -= stride;
		at = (desc & address) + (ipa >> shift & ((1ull << stride) - 1)) * 8;
	}
	if (!QUICK(word)(s, at, &desc))
		return false;
	f->page = desc & address;
	f->value = QUICK(s2_value)(s->h, tt, desc);
	f->lg2 = tt->lg2g;
	return f->value && !((all | f->page) & above);
}

/* A word of a table of stage 1 at an intermediate address: the TLB has to know its page. */
CACHE_TARGET static inline bool QUICK(s1_word)(const struct sight *s, u64 ipa, u64 *desc)
{
	const struct smmu_ste *ste = &s->ctx->ste;
	const struct cache_slot *e;
	bool ask;

	if (unlikely(ipa >> ste->s2.ia || ste->s2ptw))
		return false;
	e = QUICK(entry)(s->h->cache[CACHE_TLB], ste->s2.space, ipa, &ask);
	if (unlikely(!e || !(e->value & PR)))
		return false;
	return QUICK(word)(s, (e->value & ADDR_MASK) | (ipa & ((1ull << (e->key >> 24)) - 1)),
			   desc);
}

/* Stage 1 whose tables lie at intermediate addresses. */
CACHE_TARGET static inline bool QUICK(s1_through)(const struct sight *s, const struct smmu_tt *tt,
						  u64 va, struct found *f)
{
	const u64 address = OUTPUT & (~0ull << tt->lg2g), above = ~0ull << tt->oa;
	const u32 stride = tt->lg2g - 3u;
	u32 level = tt->level, shift = tt->lg2g + (3 - level) * stride;
	u64 at = tt->ttb + ((va & ((1ull << tt->ia) - 1)) >> shift) * 8, desc, table;

	if (s->h->cap.walkcache) {
		table = QUICK(last_table)(s, tt, va);
		if (!table)
			return false;
		level = 3;
		at = table + QUICK(index)(tt, va);
	}
	f->reads = 4 - level;
	for (; level < 3; level++) {
		if (!QUICK(s1_word)(s, at, &desc) || (desc & 3) != 3 || (desc & T_ALL) ||
		    (desc & address & above))
			return false;
		shift -= stride;
		at = (desc & address) + (va >> shift & ((1ull << stride) - 1)) * 8;
	}
	if (!QUICK(s1_word)(s, at, &desc))
		return false;
	f->page = desc & address;
	f->value = QUICK(s1_value)(s->ctx, tt, desc, 3);
	f->lg2 = tt->lg2g;
	return f->value && !(f->page & above);
}

/* --- all of it --- */

CACHE_TARGET static inline void QUICK(answer)(const struct hw_req *req, struct hw_resp *resp,
					      u64 pa, u64 value, u32 lg2)
{
	u64 meta = lg2 | (value >> (req->access & HW_PRIV ? 0 : 3) & 7) << 8;

	resp->pa = pa;
	memcpy(&resp->lg2, &meta, sizeof(meta));
}

/* A page that the TLB does not have. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(miss_nested)(const struct sight *s, const struct smmu_tt *tt, const struct hw_req *req,
		   struct hw_resp *resp)
{
	const u64 va = req->addr;
	const u32 need = smmu_need_of[req->access & 63];
	const struct smmu_tt *t2 = &s->ctx->ste.s2;
	struct hw_cache *tlb = s->h->cache[CACHE_TLB];
	const struct cache_slot *e;
	struct found f1, f2 = {.reads = 0};
	u64 ipa, value, pa;
	bool ask, fresh;
	u32 lg2;

	if (!QUICK(s1_through)(s, tt, va, &f1) || (need & ~f1.value))
		return false;
	ipa = f1.page | (va & ((1ull << f1.lg2) - 1));
	if (unlikely(ipa >> t2->ia))
		return false;
	e = QUICK(entry)(tlb, t2->space, ipa, &ask);
	fresh = !e;
	if (e) {
		f2.value = e->value & ~ADDR_MASK;
		f2.lg2 = e->key >> 24;
		f2.page = e->value & ADDR_MASK;
	} else if (unlikely(ask || !QUICK(s2_walk)(s, ipa, &f2))) {
		return false;
	}
	if (unlikely((need & ~f2.value) || (f2.value & V_DIRTY)))
		return false;
	if (fresh)
		QUICK(fill)(tlb, t2->space, ipa, f2.lg2, f2.page | f2.value, 0);
	lg2 = min(f1.lg2, f2.lg2);
	pa = f2.page | (ipa & ((1ull << f2.lg2) - 1));
	value = smmu_combined(f1.value, f2.value);
	QUICK(fill)(tlb, value & V_GLOBAL ? tt->global : tt->space, va, lg2,
		    (pa & ~((1ull << lg2) - 1)) | value,
		    smmu_combined_extra(ipa & ~((1ull << lg2) - 1), f1.value, f2.value));
	QUICK(answer)(req, resp, pa, value, lg2);
	/* Of stage 1 each table word was found through an entry: it is one read. */
	resp->reads = (u8)(f1.reads + f2.reads);
	resp->entry = 0;
	return true;
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(miss)(const struct sight *s, const struct smmu_tt *tt, const struct hw_req *req,
	    struct hw_resp *resp)
{
	const u64 va = req->addr;
	struct hw_smmuv3 *h = s->h;
	struct found f = {.lg2 = tt->lg2g, .reads = 1};
	u64 table, desc, meta;

	if (h->caching && h->cap.walkcache) {
		table = QUICK(last_table)(s, tt, va);
		if (unlikely(!table) || !QUICK(word)(s, table + QUICK(index)(tt, va), &desc))
			return false;
		f.page = desc & OUTPUT & (~0ull << tt->lg2g);
		f.value = QUICK(s1_value)(s->ctx, tt, desc, 3);
		if (unlikely(!f.value || f.page >> tt->oa))
			return false;
	} else if (!QUICK(s1_walk)(s, tt, va, &f)) {
		return false;
	}
	if (unlikely(smmu_need_of[req->access & 63] & ~f.value))
		return false;
	if (h->caching)
		QUICK(fill)(h->cache[CACHE_TLB], f.value & V_GLOBAL ? tt->global : tt->space, va,
			    f.lg2, f.page | f.value, 0);
	meta = f.lg2 | (f.value >> (req->access & HW_PRIV ? 0 : 3) & 7) << 8;
	meta |= (u64)f.reads << 40;
	resp->pa = f.page | (va & ((1ull << f.lg2) - 1));
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = 0;
	return true;
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(hit)(struct hw_smmuv3 *h, const struct smmu_tt *tt, const struct hw_req *req,
	   struct hw_resp *resp, bool *none)
{
	struct hw_cache *tlb = h->cache[CACHE_TLB];
	u32 need = smmu_need_of[req->access & 63];
	u32 slot = cache_quick_find(tlb, tt->space, req->addr), lg2;
	const struct cache_slot *e;
	u64 pa;

	if (slot == NO_SLOT)
		slot = cache_quick_find(tlb, tt->global, req->addr);
	*none = slot == NO_SLOT;
	if (slot >= CACHE_ASK)
		return false;
	e = &tlb->slot[slot];
	/* A write to a page that is not marked has to mark it. */
	if (unlikely((need & ~e->value) || (e->value & V_DIRTY)))
		return false;
	cache_quick_touch(tlb, slot);
	lg2 = e->key >> 24;
	pa = (e->value & ADDR_MASK) | (req->addr & ((1ull << lg2) - 1));
	QUICK(answer)(req, resp, pa, e->value, lg2);
	resp->entry = e->id;
	if (h->front_on)
		smmu_front_fill(h, req, pa, e->value, lg2, e->id);
	return true;
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(known)(struct hw_smmuv3 *h, const struct smmu_ctx *ctx, const struct hw_req *req,
	     struct hw_resp *resp)
{
	const struct hw_env *e = h->base.env;
	u64 va = req->addr;
	const struct smmu_tt *tt = &ctx->cd.tt[(va >> 55 & 1) & !ctx->cd.tt[0].one];
	bool none = true;

	if (unlikely(tt->off || tt->tbi || (tt == &ctx->cd.tt[1] ? ~va : va) >> tt->ia ||
		     e->fact || e->point || e->read_flushed))
		return false;
	if (h->caching && QUICK(hit)(h, tt, req, resp, &none))
		return true;
	if (!none || e->ram_size < 8)
		return false;
	const struct sight s = {h, ctx, e->ram, e->ram_size - 8};

	if (!ctx->s2)
		return QUICK(miss)(&s, tt, req, resp);
	return h->caching && QUICK(miss_nested)(&s, tt, req, resp);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(rest)(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp)
{
	const struct smmu_ctx *ctx = smmu_ctx_slot(h, req->sid, req->pasid);

	if (unlikely(ctx->who != ((u64)req->pasid << 32 | req->sid) || ctx->gen != h->cfg_gen ||
		     !ctx->quick || req->kind != HW_UNTRANSLATED ||
		     !smmu_need_of[req->access & 63] || !QUICK(known)(h, ctx, req, resp)))
		smmu_translate_long(h, req, resp);
}

CACHE_TARGET void QUICK(smmu_translate)(struct hw_iommu *base, const struct hw_req *req,
					struct hw_resp *resp)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	if (likely(smmu_front_hit(h, req, resp)))
		return;
	QUICK(rest)(h, req, resp);
}
