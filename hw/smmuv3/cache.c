// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the SMMU keeps (16.2): translations by VMID, ASID, StreamWorld and
 * granule, global ones apart; stage 2 by itself; tables of the walk; entries of
 * the stream table, CDs, and the first levels of both.
 */
#include "hw/smmuv3/smmu_priv.h"

#include "sim/base/assert.h"

#include <stdlib.h>

#define POOL_MAX 65536u
#define SPACES_CAREFUL 60000u

u64 smmu_tag(u32 world, u32 stage2, u32 global, u32 tg, u32 asid, u32 vmid)
{
	return world | (stage2 ? TAG_S2 : 0) | (global ? TAG_GLOBAL : 0) | (u64)tg << TAG_TG |
	       (u64)vmid << TAG_VMID | (u64)asid << TAG_ASID | 1ull << 63;
}

/* --- records of decoded structures; a cache holds their numbers --- */

static void pool_create(struct smmu_pool *p, size_t size)
{
	p->size = size;
	p->max = 16;
	p->rec = hw_calloc(p->max, size);
	p->key = hw_calloc(p->max, sizeof(*p->key));
	p->free = hw_calloc(p->max, sizeof(*p->free));
	sim_assert(p->rec && p->key && p->free);
}

static void pool_destroy(struct smmu_pool *p)
{
	hw_free(p->rec);
	hw_free(p->key);
	hw_free(p->free);
}

/* Those whose number no cache entry holds any more. */
static void pool_sweep(struct smmu_pool *p, struct hw_cache *c, u32 space)
{
	p->n_free = 0;
	for (u32 i = p->n; i--;) {
		const struct hw_cache_entry *e = hw_cache_find(c, space, p->key[i]);

		if (!e || e->value != i)
			p->free[p->n_free++] = i;
	}
}

static u32 pool_take(struct smmu_pool *p, struct hw_cache *c, u32 space)
{
	if (!p->n_free && p->n == p->max)
		pool_sweep(p, c, space);
	if (p->n_free)
		return p->free[--p->n_free];
	if (p->n == POOL_MAX) {
		hw_cache_drop_all(c);
		p->n = 0;
	}
	if (p->n == p->max) {
		p->max *= 2;
		p->rec = hw_realloc(p->rec, p->max * p->size);
		p->key = hw_realloc(p->key, p->max * sizeof(*p->key));
		p->free = hw_realloc(p->free, p->max * sizeof(*p->free));
		sim_assert(p->rec && p->key && p->free);
	}
	return p->n++;
}

/* The record is written by who asks. NULL: nothing is kept. */
static void *keep(struct smmu_walk *w, u32 cache, u64 key)
{
	struct hw_smmuv3 *h = w->h;
	bool ste = cache == CACHE_STE;
	struct smmu_pool *p = ste ? &h->ste_pool : &h->cd_pool;
	u32 space = ste ? h->ste_space : h->cd_space, n;
	struct hw_cache_entry e;

	if (!h->config_cache || w->gen != h->gen)
		return NULL;
	n = pool_take(p, h->cache[cache], space);
	p->key[n] = key;
	e = (struct hw_cache_entry){.value = n, .addr = key, .space = space, .lg2 = 0};
	e.id = hw_cache_fill(h->cache[cache], &e, w->prov, w->n_prov);
	smmu_fact(h, HW_FACT_FILL, cache, e.id, key, 0);
	return (u8 *)p->rec + n * p->size;
}

static const void *kept(struct hw_smmuv3 *h, u32 cache, u32 space, u64 key)
{
	const struct hw_cache_entry *e = hw_cache_find(h->cache[cache], space, key);
	const struct smmu_pool *p = cache == CACHE_STE ? &h->ste_pool : &h->cd_pool;

	return e ? (const u8 *)p->rec + e->value * p->size : NULL;
}

void smmu_ste_keep(struct smmu_walk *w, const struct smmu_ctx *ctx)
{
	struct smmu_ste_kept *k = keep(w, CACHE_STE, w->sid);

	if (!k)
		return;
	k->of = ctx->ste_of;
	k->ste = ctx->ste;
}

const struct smmu_ste_kept *smmu_ste_cached(struct hw_smmuv3 *h, u32 sid)
{
	return kept(h, CACHE_STE, h->ste_space, sid);
}

void smmu_cd_keep(struct smmu_walk *w, u32 ssid, const struct smmu_ctx *ctx)
{
	struct smmu_cd_kept *k = keep(w, CACHE_CD, (u64)w->sid << SMMU_SSID_BITS | ssid);

	if (!k)
		return;
	k->of = ctx->cd_of;
	k->cd = ctx->cd;
}

const struct smmu_cd_kept *smmu_cd_cached(struct hw_smmuv3 *h, u32 sid, u32 ssid)
{
	return kept(h, CACHE_CD, h->cd_space, (u64)sid << SMMU_SSID_BITS | ssid);
}

/* --- translations --- */

/* A number that was given to another tag must not be used through an old context. */
static __attribute__((noinline)) u32 careful_space(struct hw_smmuv3 *h, struct hw_cache *c,
						    u64 tag)
{
	u32 space = hw_space_find(c, tag);

	if (space)
		return space;
	space = hw_space(c, tag);
	if (space >= SPACES_CAREFUL)
		smmu_contexts_void(h);
	return space;
}

static inline u32 space_of(struct hw_smmuv3 *h, struct hw_cache *c, u64 tag)
{
	h->tg_seen |= (u8)(1u << (tag >> TAG_TG & 3));
	return c->n_spaces < SPACES_CAREFUL - 1 ? hw_space(c, tag) : careful_space(h, c, tag);
}

void smmu_spaces(struct hw_smmuv3 *h, struct smmu_ctx *ctx)
{
	struct hw_cache *tlb = h->cache[CACHE_TLB], *walk = h->cache[CACHE_WALK];
	struct smmu_tt *s2 = &ctx->ste.s2;
	u32 vmid = ctx->ste.vmid;

	if (ctx->s2) {
		u64 tag = smmu_tag(WORLD_EL1, 1, 0, s2->tg, 0, vmid);

		s2->space = space_of(h, tlb, tag);
		s2->walk = space_of(h, walk, tag);
	}
	for (u32 n = 0; ctx->s1 && n < 2; n++) {
		struct smmu_tt *tt = &ctx->cd.tt[n];
		u64 tag = smmu_tag(ctx->ste.world, 0, 0, tt->tg, ctx->cd.asid, vmid);

		if (tt->off)
			continue;
		tt->space = space_of(h, tlb, tag);
		tt->walk = space_of(h, walk, tag);
		if (tt->one)
			continue;
		tag = smmu_tag(ctx->ste.world, 0, 1, tt->tg, 0, vmid);
		tt->global = space_of(h, tlb, tag);
	}
}

/* What was used last is not known any more. */
static void last_used_void(struct hw_smmuv3 *h)
{
	h->again.range = ~0ull;
	h->young[0] = h->young[1] = NULL;
}

static void fill_now(struct hw_smmuv3 *h, struct hw_cache_entry *e,
		     const struct hw_cache_word *prov, u32 n)
{
	last_used_void(h);
	e->id = hw_cache_fill(h->cache[CACHE_TLB], e, prov, n);
	smmu_fact(h, HW_FACT_FILL, CACHE_TLB, e->id, e->addr, e->value);
}

/* A fill may be slow: it is then done by work(), and invalidations wait for it. */
bool smmu_retire_inflight(struct hw_smmuv3 *h, bool all)
{
	if (!h->n_inflight)
		return false;
	do {
		struct smmu_inflight *f = &h->inflight[0];

		fill_now(h, &f->e, f->prov, f->n);
		h->n_inflight--;
		memmove(f, f + 1, h->n_inflight * sizeof(*f));
	} while (all && h->n_inflight);
	return true;
}

void smmu_tlb_fill(struct smmu_walk *w, u32 space, u64 addr, u32 lg2, u64 value, u64 extra)
{
	struct hw_smmuv3 *h = w->h;
	struct hw_env *env = h->base.env;
	struct hw_cache_entry e = {.value = value, .addr = addr, .extra = extra, .space = space,
				   .lg2 = (u8)lg2};

	if (!h->caching || w->truth || w->gen != h->gen)
		return;
	if (h->cap.inflight && env->choose && env->choose(env, 2)) {
		struct smmu_inflight *f;

		if (h->n_inflight == INFLIGHT_MAX)
			smmu_retire_inflight(h, false);
		f = &h->inflight[h->n_inflight++];
		f->e = e;
		f->n = w->n_prov;
		memcpy(f->prov, w->prov, w->n_prov * sizeof(w->prov[0]));
		return;
	}
	fill_now(h, &e, w->prov, w->n_prov);
}

void smmu_walk_fill(struct smmu_walk *w, u32 space, u64 addr, u32 lg2, u64 value)
{
	struct hw_smmuv3 *h = w->h;
	struct hw_cache_entry e = {.value = value, .addr = addr, .space = space, .lg2 = (u8)lg2};

	if (!h->walks || w->truth || w->gen != h->gen)
		return;
	hw_cache_fill(h->cache[CACHE_WALK], &e, w->prov, w->n_prov);
}

void smmu_walks_settle(struct hw_smmuv3 *h)
{
	hw_nests_settle(h->nests);
	last_used_void(h);
}

void smmu_front_drop(struct hw_smmuv3 *h)
{
	h->gen++;
	last_used_void(h);
	h->front_gen = (h->front_gen + 1) & 0xfff;
	if (h->front_gen)
		return;
	memset(h->front, 0, sizeof(*h->front) * FRONT_PAGES * FRONT_STREAMS);
	h->front_gen = 1;
}

/* What ctx[] and the lanes know. */
void smmu_contexts_void(struct hw_smmuv3 *h)
{
	h->cfg_gen++;
	h->hot = &h->nobody;
}

/* Of all lanes since numbers were given anew; where keys have it. */
u64 smmu_lane_number(struct hw_smmuv3 *h)
{
	if (unlikely(h->lanes_made == HW_NEST_OWNERS - 1)) {
		hw_nests_forget(h->nests);
		for (u32 i = 0; h->nest && i < SMMU_NESTS; i++)
			h->nest[i].made = 0;
		for (u32 i = 0; i < CTX_SLOTS; i++)
			h->lane[i].made = 0;
		h->lanes_made = 0;
	}
	return ++h->lanes_made << HW_NEST_RANGE_BITS;
}

/* What a lane remembers of the context that it had. */
static void lane_forget(struct smmu_lane *l)
{
	l->gen = 0;
	l->usual = l->plain = l->made = 0;
	l->walk_gen = l->walk_serial = 0;
	for (u32 i = 0; i < 2; i++)
		l->own[i].version = l->global[i].version = 0;
	l->s2.version = 0;
	if (!l->trails)
		return;
	l->trails = false;
	for (u32 i = 0; i < SMMU_TRAILS; i++) {
		l->s1_trail[i].gen = 0;
		l->s2_trail[i].gen = 0;
	}
}

/* Another context has moved in. */
void smmu_lane_make(struct hw_smmuv3 *h, const struct smmu_ctx *slot)
{
	struct smmu_lane *l = &h->lane[slot - h->ctx];
	const struct smmu_tt *tt = &slot->cd.tt[0];

	last_used_void(h);
	lane_forget(l);
	if (!h->quick || !slot->quick) {
		l->who = 0;
		return;
	}
	l->h = h;
	l->ctx = slot;
	l->who = slot->who;
	l->gen = slot->gen;
	l->made = smmu_lane_number(h);
	l->nested = slot->s2;
	l->output = 0x0000fffffffff000ull & ((1ull << min((u32)tt->oa, 48u)) - 1);
	l->s2_output = 0x0000fffffffff000ull & ((1ull << min((u32)slot->ste.s2.oa, 48u)) - 1);
	l->s2_limit = 1ull << min((u32)slot->ste.s2.ia, 12u + TAG_BITS);
	if ((h->base.env->ram_size >= 8) & !tt->off & !tt->tbi & (tt->lg2g == 12) &
	    (!slot->s2 | (slot->ste.s2.lg2g == 12)))
		l->usual = 1ull << min((u32)tt->ia, 12u + TAG_BITS);
}

/* --- all of them --- */

static const char *const names[CACHES] = {"tlb", "walk", "ste", "cd", "l1std", "l1cd"};

bool smmu_cache_create(struct hw_smmuv3 *h)
{
	h->front = hw_block_alloc(FRONT_PAGES * FRONT_STREAMS * sizeof(*h->front));
	h->ctx = hw_calloc(CTX_SLOTS, sizeof(*h->ctx));
	h->lane = hw_calloc(CTX_SLOTS, sizeof(*h->lane));
	sim_assert(h->front && h->ctx && h->lane);
	for (u32 i = 0; i < CACHES; i++)
		h->cache[i] = hw_cache_create(h->base.env, names[i], &h->policy);
	smmu_permissions_make(h);
	pool_create(&h->ste_pool, sizeof(struct smmu_ste_kept));
	pool_create(&h->cd_pool, sizeof(struct smmu_cd_kept));
	h->caching = h->policy.kind != HW_CACHE_NONE && h->cap.tlb;
	h->walks = h->policy.kind != HW_CACHE_NONE && h->cap.walkcache;
	h->config_cache = h->cap.config;
	/* A small cache has to forget; the front would remember for it. */
	h->front_on = h->caching && (h->policy.kind == HW_CACHE_INFINITE ||
				     h->policy.kind == HW_CACHE_SETS);
	h->quick = h->cap.quick && !h->policy.prefetch && !h->policy.speculate &&
		   !h->policy.provenance && !h->cap.inflight && h->cap.oas != 52;
	if (h->quick && !h->caching && h->walks) {
		h->nests = hw_nests_create(h->cache[CACHE_WALK]);
	} else if (h->quick && !h->caching) {
		h->nest = hw_calloc(SMMU_NESTS, sizeof(*h->nest));
		sim_assert(h->nest);
	}
	smmu_cache_reset(h);
	return true;
}

void smmu_cache_reset(struct hw_smmuv3 *h)
{
	smmu_walks_settle(h);
	for (u32 i = 0; i < CACHES; i++)
		hw_cache_reset(h->cache[i]);
	h->ste_space = hw_space(h->cache[CACHE_STE], 1);
	h->cd_space = hw_space(h->cache[CACHE_CD], 1);
	h->l1std_space = hw_space(h->cache[CACHE_L1STD], 1);
	h->l1cd_space = hw_space(h->cache[CACHE_L1CD], 1);
	h->tg_seen = 0;
	h->substreams = false;
	h->ste_pool.n = h->ste_pool.n_free = 0;
	h->cd_pool.n = h->cd_pool.n_free = 0;
	smmu_contexts_void(h);
	smmu_front_drop(h);
	h->n_inflight = 0;
}

void smmu_cache_destroy(struct hw_smmuv3 *h)
{
	for (u32 i = 0; i < CACHES; i++)
		hw_cache_destroy(h->cache[i]);
	pool_destroy(&h->ste_pool);
	pool_destroy(&h->cd_pool);
	hw_free(h->front);
	hw_free(h->ctx);
	hw_free(h->lane);
	hw_free(h->nest);
	hw_nests_destroy(h->nests);
}
