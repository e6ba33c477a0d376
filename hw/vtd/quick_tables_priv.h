/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way where tables are kept, but no pages (iotlb=0): text for the two files that
 * compile quick_priv.h. A request is a walk each time.
 */
#pragma once

#include "hw/vtd/quick_priv.h"

/* False: the long way. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(by_tables)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp)
{
	const struct hw_env *e = v->h.env;
	struct answer a;
	u64 said;
	u32 meta;

	if (req->addr >= l->limit || req->addr >> 20 == VTD_INTERRUPT_BASE >> 20 || e->point ||
	    e->read_flushed || e->ram_size < 8 ||
	    !(l->mode == VTD_MODE_NESTED ? QUICK(last_nested)(v, l, req->addr, req->access, &a) :
	      QUICK(last)(v, l, l->mode == VTD_MODE_SS, req->addr, &a)) ||
	    a.page >> 20 == VTD_INTERRUPT_BASE >> 20)
		return false;
	meta = QUICK(meta_of)[a.flags & 127];
	if (QUICK(denied)(req->access, meta))
		return false;
	said = (meta & 0xffff) | (u64)a.reads << 40;
	resp->pa = a.page | (req->addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	if (l->mode == VTD_MODE_NESTED)
		QUICK(nest_make)(v, l, req->addr);
	return true;
}

/* What is answered of a page without an entry. */
CACHE_TARGET static inline void QUICK(say)(struct hw_resp *resp, u64 pa, u32 meta)
{
	u64 said = (meta & 0xffff) | 3ULL << 40;

	resp->pa = pa;
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
}

/* By the nest of addr, in a lane. False: nothing has changed. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(by_nest)(struct vtd *v, const struct vtd_lane *l, const struct hw_req *req,
	       struct hw_resp *resp)
{
	struct nested a;

	if (unlikely(!QUICK(in_nest)(v, l, req, &a)))
		return false;
	QUICK(say)(resp, a.page | (req->addr & 0xfff), a.meta);
	QUICK(nest_use)(v, l->nests, req->addr, a.nest, a.below);
	return true;
}

/* Another lane than the last time, or its nest is not good. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(nestless)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	const struct hw_env *e = v->h.env;
	struct vtd_lane *l;
	u32 how;

	v->again.range = ~0ULL;
	memcpy(&how, &req->access, sizeof(how));
	if (req->sid >= VTD_DEVICES || (how & ~3u)) {
		vtd_translate_slow(v, req, resp);
		return;
	}
	l = vtd_lane_of(v, req->sid);
	if (l->who == vtd_who(v, req) || QUICK(lane_make)(v, l, req)) {
		QUICK(lane_fresh)(v, l);
		v->hot = l->nests ? l : &v->nobody;
		if (l->nests && !e->point && !e->read_flushed) {
			QUICK(nest_meaning)(v, l, req->addr);
			if (QUICK(by_nest)(v, l, req, resp))
				return;
		}
		hw_nests_settle(v->nests);
		if (QUICK(by_tables)(v, l, req, resp))
			return;
	}
	vtd_translate_slow(v, req, resp);
}

/* Another nest than the last time, in the same lane, where nobody watches. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(other_nest)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	v->again.range = ~0ULL;
	if (unlikely(!QUICK(by_nest)(v, v->hot, req, resp)))
		QUICK(nestless)(v, req, resp);
}

/* Nested, again where the last one was. False: nothing has changed. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(as_last)(const struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct nested a;

	if (unlikely(!QUICK(in_last)(v, req, &a)))
		return false;
	QUICK(say)(resp, a.page | (req->addr & 0xfff), a.meta);
	return true;
}

/* In as few instructions as may be. */
CACHE_TARGET void QUICK(vtd_tables)(struct hw_iommu *h, const struct hw_req *req,
				    struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);
	const struct hw_env *e = h->env;
	u64 other = v->hot->who ^ vtd_who(v, req);

	if (unlikely(other | req->sid >> 16 | (uintptr_t)e->point | (uintptr_t)e->read_flushed))
		QUICK(nestless)(v, req, resp);
	else if (v->again.range != req->addr >> 21)
		QUICK(other_nest)(v, req, resp);
	else if (unlikely(!QUICK(as_last)(v, req, resp)))
		QUICK(nestless)(v, req, resp);
}
