/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way where nothing is kept (cache=none): text for the two files that compile
 * quick_priv.h. A request reads all tables, from the root to the leaf.
 */
#pragma once

#include "hw/vtd/quick_tables_priv.h"

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(in_memo)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	const struct vtd_memo *m = &v->memo[req->sid % VTD_MEMOS];
	const struct hw_env *e = v->h.env;
	const struct sight s = {e->ram, e->ram_size - 8, v->addr_mask};
	struct answer a = {.reads = m->n};
	u64 said;
	u32 meta;

	if (unlikely(e->point || e->read_flushed || m->gen != v->cfg_gen || m->sid != req->sid ||
		     req->addr >> 20 == VTD_INTERRUPT_BASE >> 20 ||
		     m->pasid != req->pasid || !QUICK(covered)(&m->cfg, req->addr) ||
		     !QUICK(bare)(v, &s, m, req, &a) ||
		     a.page >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	meta = QUICK(meta_of)[a.flags & 127];
	if (unlikely(QUICK(denied)(req->access, meta)))
		return false;
	said = (meta & 0xffff) | (u64)a.reads << 40;
	resp->pa = a.page | (req->addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	return true;
}

/* Without caches. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(uncached)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	/* No more than read and write of an untranslated request. */
	if (unlikely((how & ~3u) || v->h.env->fact || !QUICK(in_memo)(v, req, resp)))
		vtd_translate_slow(v, req, resp);
}

/* Nested: all words above the leaves lie in memory as they did the last time. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(by_trail)(const struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	const struct vtd_trail *t = QUICK(trail_of)(v, req);
	const struct hw_env *env = v->h.env;
	const u8 *ram = env->ram;
	u64 addr = req->addr, mask = v->addr_mask, e, leaf, page, said;
	u32 how;

	if (unlikely(QUICK(trail_other)(v, t, req) | (uintptr_t)env->point |
		     (uintptr_t)env->read_flushed | (uintptr_t)env->fact) ||
	    unlikely(!QUICK(trail_good)(ram, t)))
		return false;
	memcpy(&e, ram + t->fs_table + (addr >> 9 & 0xff8), 8);
	memcpy(&leaf, ram + t->ss_table + (e >> 9 & 0xff8), 8);
	memcpy(&how, &req->access, sizeof(how));
	page = leaf & mask;
	if (unlikely(((e ^ t->first) & ~VTD_IN_2M) | ((leaf ^ t->attrs) & ~mask)) ||
	    unlikely(QUICK(denied)(how, t->meta) || page >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	said = (t->meta & 0xffff) | (u64)t->reads << 40;
	resp->pa = page | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	return true;
}

CACHE_TARGET void QUICK(vtd_bare)(struct hw_iommu *h, const struct hw_req *req,
				  struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);

	if (unlikely(!QUICK(by_trail)(v, req, resp)))
		QUICK(uncached)(v, req, resp);
}
