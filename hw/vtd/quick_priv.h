/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way of a request, as text that two files compile: quick_avx2.c with
 * CACHE_AVX2, quick_scalar.c without.
 *
 * It is for reads and writes that nobody watches, of a device whose configuration
 * is known, in pages of 4 KiB that are mapped, permitted and have the accessed and
 * dirty bits that they need. Whenever something is not so it says false: then it
 * has had no effect but that entries it found are the youngest of their sets, and
 * the long way finds them first as well. What it answers, what it reads and what
 * it fills is what the long way would; tests/hw/vtd holds the two equal.
 */
#pragma once

#include "hw/vtd/quick_base_priv.h"
#include "hw/vtd/quick_nest_priv.h"

/* The answer, and the front's, of a page with this meta. lg2: bytes that are alike. */
CACHE_TARGET static inline __attribute__((always_inline)) void
QUICK(answer)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
	      const struct answer *a, u32 meta, u32 lg2)
{
	struct vtd_front *f = vtd_front_of(v, req);
	u64 addr = req->addr, pa = a->page + (addr & ((1ULL << lg2) - 1)), said;

	f->page = addr & ~0xfffULL;
	f->who = vtd_who(v, req);
	f->pa = pa & ~0xfffULL;
	if (lg2 != 12)
		meta = (meta & ~0xffu) | lg2;
	memcpy(&f->lg2, &meta, sizeof(meta));
	f->entry = a->entry;
	said = (meta & 0xffff) | (u64)a->reads << 40;
	resp->pa = pa;
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = a->entry;
}

CACHE_TARGET static __attribute__((noinline)) u32
QUICK(fill_slow)(struct hw_cache *c, u32 space, u64 addr, u64 value)
{
	struct hw_cache_entry new = {.value = value, .addr = addr, .space = space, .lg2 = 12};
	u32 id = cache_quick_fill(c, space, addr, 12, value, 0);

	return id ? id : hw_cache_fill(c, &new, NULL, 0);
}

/* The entry of addr in the last table that was asked for, of one stage. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(in_table)(const struct vtd *v, const struct vtd_lane *l, const struct hw_req *req,
		struct nested *a)
{
	const struct vtd_single *t = &l->last_table;
	u64 addr = req->addr, e;
	u32 how;

	if (unlikely(v->youngest != l))
		return false;
	if (unlikely(t->range != addr >> 21))
		return false;
	memcpy(&e, v->h.env->ram + t->table + (addr >> 9 & 0xff8), 8);
	memcpy(&how, &req->access, sizeof(how));
	a->page = e & v->addr_mask;
	a->flags = t->flags;
	a->meta = t->meta;
	return likely((e ^ t->attrs) == a->page && !QUICK(denied)(how, a->meta) &&
		      a->page >> 20 != VTD_INTERRUPT_BASE >> 20);
}

/* What has just answered; interrupts share 2 MiB with pages. */
CACHE_TARGET static inline void QUICK(table_used)(struct vtd *v, struct vtd_lane *l, u64 addr,
						  u32 flags, u32 meta)
{
	const struct vtd_cursor *k = &l->last[VTD_OWN][addr >> 21 & (VTD_CURSORS - 1)];

	if (unlikely(addr >> 21 == VTD_INTERRUPT_BASE >> 21))
		return;
	v->youngest = l;
	l->last_table = (struct vtd_single){
		.range = addr >> 21, .table = k->value & ~VTD_F_MASK, .attrs = k->attrs,
		.flags = flags, .meta = meta};
}

/* A page that the IOTLB does not have: its tables. at: where it is to be filled. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(miss)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp,
	    const struct cache_place at, enum vtd_mode mode)
{
	struct hw_cache *c = v->iotlb;
	const struct hw_env *e = v->h.env;
	struct answer a;
	u32 meta;

	/* Its cursors are looked for and used at once. */
	hw_nests_settle(v->nests);
	if (unlikely(e->point || e->read_flushed || e->ram_size < 8 ||
		     !(mode == VTD_MODE_NESTED ?
			       QUICK(last_nested)(v, l, req->addr, req->access, &a) :
			       QUICK(last)(v, l, mode == VTD_MODE_SS, req->addr, &a)) ||
		     a.page >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	meta = QUICK(meta_of)[a.flags & 127];
	if (unlikely(QUICK(denied)(req->access, meta)))
		return false;
	a.entry = 0;
	if (likely(l->view.key >> 24 == 12 && req->addr < l->view.exact))
		a.entry = cache_view_fill(c, &l->view, &at, a.page | a.flags, NULL);
	if (unlikely(!a.entry))
		a.entry = QUICK(fill_slow)(c, l->view.key & SLOT_SPACE, req->addr & ~0xfffULL,
					   a.page | a.flags);
	QUICK(answer)(v, req, resp, &a, meta, 12);
	if (mode == VTD_MODE_NESTED)
		QUICK(nest_make)(v, l, req->addr);
	else
		QUICK(table_used)(v, l, req->addr, a.flags, meta);
	return true;
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(miss_ss)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp,
	       const struct cache_place at)
{
	return QUICK(miss)(v, l, req, resp, at, VTD_MODE_SS);
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(miss_fs)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp,
	       const struct cache_place at)
{
	return QUICK(miss)(v, l, req, resp, at, VTD_MODE_FS);
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(miss_nested)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req,
		   struct hw_resp *resp, const struct cache_place at)
{
	return QUICK(miss)(v, l, req, resp, at, VTD_MODE_NESTED);
}

/* An entry of the IOTLB answers, if it permits it. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(hit)(struct vtd *v, u32 slot, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_cache *c = v->iotlb;
	const struct cache_slot *e = &c->slot[slot];
	const struct answer a = {e->value & ~VTD_F_MASK, (u32)(e->value & VTD_F_MASK), 0, e->id};

	u32 meta = QUICK(meta_of)[a.flags & 127];

	if (unlikely(QUICK(denied)(req->access, meta)))
		return false;
	cache_quick_touch(c, slot);
	QUICK(answer)(v, req, resp, &a, meta, e->key >> 24);
	return true;
}

/* The lane of a binding, made anew. False: its space has got another tag. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(lane_make)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req)
{
	struct vtd_binding *b = &v->dev[req->sid].bind;
	const struct vtd_cfg *c = &b->cfg;

	l->who = 0;
	v->youngest = NULL;
	if (b->quick_gen != v->cfg_gen || b->pasid != req->pasid || v->h.env->fact)
		return false;
	*l = (struct vtd_lane){.who = vtd_who(v, req), .bind = b, .mode = c->mode,
			       .made = vtd_lane_number(v), .psc_serial = v->psc->serial};
	if (c->mode == VTD_MODE_NESTED)
		l->nests = v->nests;
	else
		l->other = c->mode == VTD_MODE_SS ? VTD_F_RW | VTD_F_US : VTD_F_SSR | VTD_F_SSW;
	/* Of the first stage, the lower half; the upper one goes the long way. */
	l->limit = c->mode == VTD_MODE_SS ? 1ULL << (12 + 9 * c->ss_levels) :
					    1ULL << (11 + 9 * c->fs_levels);
	l->ss_limit = 1ULL << (12 + 9 * c->ss_levels);
	return true;
}

/* False: the space has pages of several sizes, or another tag now. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(view_make)(struct vtd *v, struct vtd_lane *l)
{
	const struct vtd_binding *b = l->bind;

	l->view.version = 0;
	return v->iotlb->space[b->space].tag == b->cfg.tag &&
	       cache_view_make(v->iotlb, b->space, &l->view);
}

/* Where there is no view of the space. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(search)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp)
{
	const struct vtd_binding *b = l->bind;
	u32 slot;

	if (v->iotlb->space[b->space].tag != b->cfg.tag)
		return false;
	slot = cache_quick_find(v->iotlb, b->space, req->addr);
	return slot < CACHE_ASK && QUICK(hit)(v, slot, req, resp);
}

/* A page that the IOTLB does not have, in a lane. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(missed)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp,
	      const struct cache_place at)
{
	bool ok = false;
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	if (unlikely((how & ~3u) || req->addr >> 20 == VTD_INTERRUPT_BASE >> 20))
		ok = false;
	else if (l->mode == VTD_MODE_SS)
		ok = QUICK(miss_ss)(v, l, req, resp, at);
	else if (l->mode == VTD_MODE_FS)
		ok = QUICK(miss_fs)(v, l, req, resp, at);
	else
		ok = QUICK(miss_nested)(v, l, req, resp, at);
	if (unlikely(!ok))
		vtd_translate_slow(v, req, resp);
}

/* Where a page that was not found belongs. */
struct hole {
	struct vtd_front *front;
	struct cache_place at;
};

/* A page is filled and answered that a view of pages of 4 KiB in sets has not. False: not so. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(fill_found)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
		  const struct hole hole, const struct nested *a, u64 reads)
{
	const struct vtd_lane *l = v->hot;
	struct vtd_front *f = hole.front;
	u64 addr = req->addr, said = (a->meta & 0xffff) | reads << 40;
	u32 id;

	/* Now: then it need not be kept meanwhile. Who else answers does so anew. */
	resp->pa = a->page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	id = cache_view_fill(v->iotlb, &l->view, &hole.at, a->page | a->flags, NULL);
	if (unlikely(!id))
		return false;
	f->page = addr & ~0xfffULL;
	f->who = l->who;
	f->pa = a->page;
	memcpy(&f->lg2, &a->meta, sizeof(a->meta));
	f->entry = id;
	resp->entry = id;
	return true;
}

CACHE_TARGET static inline bool QUICK(watched)(const struct vtd *v)
{
	const struct hw_env *e = v->h.env;

	return (uintptr_t)e->point | (uintptr_t)e->read_flushed;
}

/* Another nest than the last time; or bits of a last entry are others. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(other_nested)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
		    struct vtd_front *f, const struct cache_place at)
{
	struct vtd_lane *l = v->hot;
	struct nested a;

	v->again.range = ~0ULL;
	if (likely(!QUICK(watched)(v))) {
		bool found = QUICK(in_nest)(v, l, req, &a);

		if (unlikely(!found)) {
			QUICK(nest_meaning)(v, l, req->addr);
			found = QUICK(in_nest)(v, l, req, &a);
		}
		if (likely(found) &&
		    likely(QUICK(fill_found)(v, req, resp, (struct hole){f, at}, &a, 3))) {
			QUICK(nest_use)(v, l->nests, req->addr, a.nest, a.below);
			return;
		}
	}
	QUICK(missed)(v, l, req, resp, at);
}

/* Where all is as it was the last time. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(again_nested)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
		    struct vtd_front *f, const struct cache_place at)
{
	struct nested a;

	if (unlikely(v->again.range != req->addr >> 21 || QUICK(watched)(v)) ||
	    unlikely(!QUICK(in_last)(v, req, &a)) ||
	    unlikely(!QUICK(fill_found)(v, req, resp, (struct hole){f, at}, &a, 3)))
		QUICK(other_nested)(v, req, resp, f, at);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(again_single)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
		    struct vtd_front *f, const struct cache_place at)
{
	struct vtd_lane *l = v->hot;
	struct nested a;

	if (likely(!QUICK(watched)(v) && QUICK(in_table)(v, l, req, &a)) &&
	    likely(QUICK(fill_found)(v, req, resp, (struct hole){f, at}, &a, 1)))
		return;
	/* Another table: its line is under way while all else is looked at. */
	if (v->youngest == l && l->last_table.range != req->addr >> 21)
		QUICK(fetch_last)(v, &l->bind->cfg, req->addr);
	QUICK(missed)(v, l, req, resp, at);
}

CACHE_TARGET static inline __attribute__((always_inline)) void
QUICK(again)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp, struct vtd_front *f,
	     const struct cache_place at)
{
	if (v->hot->nests)
		QUICK(again_nested)(v, req, resp, f, at);
	else
		QUICK(again_single)(v, req, resp, f, at);
}

/* A view of the IOTLB that is new, empty, or not of pages of 4 KiB in sets. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(in_lane)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_cache *c = v->iotlb;
	struct cache_place at = {0, 0};
	u32 slot;

	if (req->addr >= l->limit || req->addr >> 20 == VTD_INTERRUPT_BASE >> 20)
		return false;
	if (l->view.version != c->version) {
		l->usual = 0;
		if (!QUICK(view_make)(v, l))
			return QUICK(search)(v, l, req, resp);
		if (l->view.key >> 24 == 12 && !c->shift && c->keeps_age)
			l->usual = c->version;
		l->exact = min(l->limit, l->view.exact);
	}
	slot = cache_view_find(c, &l->view, req->addr, &at);
	if (slot < CACHE_ASK)
		return QUICK(hit)(v, slot, req, resp);
	if (unlikely(slot == CACHE_ASK))
		return false;
	if (l->usual == c->version && req->addr < l->exact)
		QUICK(again)(v, req, resp, vtd_front_of(v, req), at);
	else
		QUICK(missed)(v, l, req, resp, at);
	return true;
}

/*
 * No page is known and no table, of nobody; and that of this request is not there. False: it
 * is not so simple, nothing has changed.
 */
CACHE_TARGET static inline bool QUICK(absent)(struct vtd *v, const struct hw_req *req, u32 how,
					      struct hw_resp *resp)
{
	const struct vtd_binding *b = &v->dev[req->sid].bind;
	const struct hw_env *e = v->h.env;
	u64 watched = (uintptr_t)e->point | (uintptr_t)e->fact | (uintptr_t)e->read_flushed;
	u32 n;

	/* Its spaces are made already: they would be now. */
	if (((b->gen ^ v->cfg_gen) | (b->pasid ^ req->pasid) | watched | (how & ~3u)) ||
	    v->k.policy.negative || req->addr >= b->absent_limit ||
	    req->addr >> 20 == VTD_INTERRUPT_BASE >> 20 || !b->space || !b->psc_space ||
	    v->iotlb->space[b->space].tag != b->cfg.tag ||
	    v->psc->space[b->psc_space].tag != b->cfg.tag)
		return false;
	n = vtd_ss_absent(v, req->addr, b->cfg.ss_root, b->cfg.ss_levels);
	if (!n)
		return false;
	hw_nests_settle(v->nests);
	v->youngest = NULL;
	vtd_absent_answer(v, &b->cfg, req, n, resp);
	return true;
}

/* Nothing is known that could answer: neither a page nor a way to it. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(unknown)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd_lane *l = vtd_lane_of(v, req->sid);
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	if (QUICK(absent)(v, req, how, resp))
		return;
	if (l->who == vtd_who(v, req))
		QUICK(lane_fresh)(v, l);
	v->hot = l;
	v->again.range = ~0ULL;
	vtd_translate_slow(v, req, resp);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(unusual)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd_lane *l = vtd_lane_of(v, req->sid);
	u32 how;

	if (!v->iotlb->live && !v->psc->live) {
		QUICK(unknown)(v, req, resp);
		return;
	}
	memcpy(&how, &req->access, sizeof(how));
	if (l->who == vtd_who(v, req))
		QUICK(lane_fresh)(v, l);
	/* Nests that are used do not say that a table of another lane's is the youngest no more. */
	if (v->hot != l)
		v->youngest = NULL;
	v->hot = l;
	v->again.range = ~0ULL;
	/* No more than read and write of an untranslated request. */
	if ((how & ~3u) || (l->who != vtd_who(v, req) && !QUICK(lane_make)(v, l, req)) ||
	    !QUICK(in_lane)(v, l, req, resp))
		vtd_translate_slow(v, req, resp);
}

/* An entry with the tag of a page of 4 KiB. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(entry)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp, struct vtd_front *f,
	     u64 who, u64 slot)
{
	const struct vtd_lane *l = v->hot;
	struct hw_cache *c = v->iotlb;
	const struct cache_slot e = c->slot[slot];
	u64 addr = req->addr, said, page = e.value & ~VTD_F_MASK;
	u32 how, meta = QUICK(meta_of)[e.value & 127];

	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(e.key != l->view.key || e.id <= l->view.floor || QUICK(denied)(how, meta))) {
		QUICK(unusual)(v, req, resp);
		return;
	}
	cache_touch(c, (u32)slot);
	f->page = addr & ~0xfffULL;
	f->who = who;
	f->pa = page;
	memcpy(&f->lg2, &meta, sizeof(meta));
	f->entry = e.id;
	said = meta & 0xffff;
	resp->pa = page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = e.id;
}

/*
 * A page of 4 KiB that the IOTLB has, or not: in as few instructions as may be. What comes
 * next is a function of its own, so that this one has no registers to save.
 */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(cached)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
	      struct vtd_front *f, u64 who)
{
	const struct vtd_lane *l = v->hot;
	const struct hw_cache *c = v->iotlb;
	u64 addr = req->addr;
	struct cache_place at;
	u32 m;

	if (unlikely(l->who != who || l->usual != c->version || addr >= l->exact)) {
		QUICK(unusual)(v, req, resp);
		return;
	}
	at = cache_place_of(c, addr >> 12 ^ l->view.fixed);
	m = cache_match8(c->set[at.set].tag, (u32)at.tag);
	if (m)
		QUICK(entry)(v, req, resp, f, who, at.set * WAYS + (u32)__builtin_ctz(m));
	else
		QUICK(again)(v, req, resp, f, at);
}

CACHE_TARGET void QUICK(vtd_translate)(struct hw_iommu *h, const struct hw_req *req,
				       struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);
	struct vtd_front *f;
	u64 who;

	if (unlikely(req->sid >= VTD_DEVICES)) {
		vtd_translate_slow(v, req, resp);
		return;
	}
	f = vtd_front_of(v, req);
	who = vtd_who(v, req);
	if (likely(vtd_front_hit(f, who, req, resp)))
		return;
	QUICK(cached)(v, req, resp, f, who);
}
