/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way where tables are kept, but no pages (iotlb=0): text for the two files that
 * compile quick_priv.h. A request is a walk each time; a nested one remembers by 2 MiB how
 * it came to its last entries (struct vtd_nest, struct vtd_below), and reads those anew: the
 * second stage's of the last table of the first, that table's, and the second stage's of
 * the page.
 */
#pragma once

#include "hw/vtd/quick_priv.h"

/* What the walk of addr has just gone by, for others in these 2 MiB. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(nest_make)(struct vtd *v, const struct vtd_lane *l, u64 addr, u32 meta)
{
	struct vtd_nest *n = vtd_nest_of(v, addr);
	const struct vtd_cursor *own, *table, *page;
	const u8 *ram = v->h.env->ram;
	u64 at, e[3];

	own = &l->last[VTD_OWN][addr >> 21 & (VTD_CURSORS - 1)];
	at = QUICK(place)(own, addr);
	table = &l->last[VTD_SS_TABLE][at >> 21 & (VTD_CURSORS - 1)];
	n->fs_at = QUICK(place)(table, at);
	memcpy(&e[0], ram + n->fs_at, 8);
	memcpy(&e[1], ram + (e[0] & v->addr_mask) + (at & 0xfff), 8);
	n->gpa_range = (e[1] & v->addr_mask) >> 21;
	page = &l->last[VTD_SS_PAGE][n->gpa_range & (VTD_CURSORS - 1)];
	n->ss_table = page->value & ~VTD_F_MASK;
	memcpy(&e[2], ram + n->ss_table + (e[1] >> 9 & 0xff8), 8);
	for (u32 i = 0; i < 3; i++)
		n->attrs[i] = e[i] & ~v->addr_mask;
	n->slot[0] = own->slot;
	n->slot[1] = table->slot;
	n->slot[2] = page->slot;
	n->range = addr >> 21;
	n->made = l->made;
	n->first = own->flags;
	n->meta = meta;
	*vtd_below_of(v, n->gpa_range) = (struct vtd_below){
		.made = n->made, .range = n->gpa_range, .table = n->ss_table,
		.attrs = n->attrs[2], .flags = page->flags, .slot = page->slot};
}

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
	/* Interrupts share 2 MiB with pages. */
	if (l->mode == VTD_MODE_NESTED && req->addr >> 21 != VTD_INTERRUPT_BASE >> 21)
		QUICK(nest_make)(v, l, req->addr, meta);
	return true;
}

/*
 * The last table of the first stage, found through its entry of the second; its entry;
 * the page's entry of the second stage. False: nothing has changed.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(nest_answer)(const struct vtd *v, const struct vtd_nest *n, const struct hw_req *req,
		   struct hw_resp *resp)
{
	const struct hw_env *env = v->h.env;
	u64 addr = req->addr, mask = v->addr_mask, e[3], at, differ, said;
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	memcpy(&e[0], env->ram + n->fs_at, 8);
	at = (e[0] & mask) | (addr >> 9 & 0xff8);
	if (unlikely(QUICK(denied)(how, n->meta) || at > env->ram_size - 8))
		return false;
	memcpy(&e[1], env->ram + at, 8);
	memcpy(&e[2], env->ram + n->ss_table + (e[1] >> 9 & 0xff8), 8);
	differ = ((e[0] ^ n->attrs[0]) | (e[1] ^ n->attrs[1]) | (e[2] ^ n->attrs[2])) & ~mask;
	differ |= (e[1] & mask) >> 21 ^ n->gpa_range;
	if (unlikely(differ || (e[2] & mask) >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	said = (n->meta & 0xffff) | 3ULL << 40;
	resp->pa = (e[2] & mask) | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	return true;
}

/*
 * Another nest than the last time: its tables are the youngest of their sets then, as if
 * looked for. False: nothing has changed.
 */
CACHE_TARGET static inline bool QUICK(in_nest)(struct vtd *v, const struct vtd_lane *l,
					       const struct hw_req *req, struct hw_resp *resp)
{
	const struct hw_env *env = v->h.env;
	struct vtd_nest *n = vtd_nest_of(v, req->addr);
	const struct vtd_below *b;
	u64 addr = req->addr, mask = v->addr_mask, e[3], at, range, differ, said;
	u32 meta;

	if (unlikely((n->made ^ l->made) | (n->range ^ addr >> 21) | (uintptr_t)env->point |
		     (uintptr_t)env->read_flushed))
		return false;
	memcpy(&e[0], env->ram + n->fs_at, 8);
	at = (e[0] & mask) | (addr >> 9 & 0xff8);
	if (unlikely(at > env->ram_size - 8))
		return false;
	memcpy(&e[1], env->ram + at, 8);
	range = (e[1] & mask) >> 21;
	b = vtd_below_of(v, range);
	if (unlikely((b->made ^ l->made) | (b->range ^ range)))
		return false;
	memcpy(&e[2], env->ram + b->table + (e[1] >> 9 & 0xff8), 8);
	differ = ((e[0] ^ n->attrs[0]) | (e[1] ^ n->attrs[1]) | (e[2] ^ b->attrs)) & ~mask;
	meta = QUICK(meta_of)[QUICK(both)(n->first, b->flags) & 127];
	if (unlikely(differ || QUICK(denied)(req->access, meta) ||
		     (e[2] & mask) >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	n->gpa_range = range;
	n->ss_table = b->table;
	n->attrs[2] = b->attrs;
	n->slot[2] = b->slot;
	n->meta = meta;
	for (u32 i = 0; v->psc->keeps_age && i < 3; i++)
		cache_touch(v->psc, n->slot[i]);
	v->aged = n;
	said = (meta & 0xffff) | 3ULL << 40;
	resp->pa = (e[2] & mask) | (addr & 0xfff);
	memcpy(&resp->lg2, &said, sizeof(said));
	resp->entry = 0;
	return true;
}

/* Nests are void once something was filled in the cache of tables; see vtd_psc_space(). */
CACHE_TARGET static inline void QUICK(lane_fresh)(struct vtd *v, struct vtd_lane *l)
{
	const struct hw_cache *c = v->psc;

	if (likely(l->psc_serial == c->serial))
		return;
	l->psc_serial = c->serial;
	l->made = ++v->lanes_made;
}

/* Not the nest that was used last, or it is not as it was. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(nestless)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd_lane *l;
	u32 how;

	/* Whoever answers, he may look for tables. */
	v->aged = &v->no_nest;
	memcpy(&how, &req->access, sizeof(how));
	if (req->sid >= VTD_DEVICES || (how & ~3u)) {
		vtd_translate_slow(v, req, resp);
		return;
	}
	l = vtd_lane_of(v, req->sid);
	v->hot = l;
	if (l->who == vtd_who(v, req) || QUICK(lane_make)(v, l, req)) {
		QUICK(lane_fresh)(v, l);
		if (likely(QUICK(in_nest)(v, l, req, resp)) ||
		    QUICK(by_tables)(v, l, req, resp))
			return;
	}
	vtd_translate_slow(v, req, resp);
}

/*
 * Nested, again where the last one was, in as few instructions as may be. `aged`: no
 * other was asked for since, nothing of the cache was looked for, filled or dropped.
 */
CACHE_TARGET void QUICK(vtd_tables)(struct hw_iommu *h, const struct hw_req *req,
				    struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);
	const struct vtd_nest *n = v->aged;
	u64 differ = (v->hot->who ^ vtd_who(v, req)) | (n->range ^ req->addr >> 21) |
		     (uintptr_t)h->env->point | (uintptr_t)h->env->read_flushed | req->sid >> 16;

	if (unlikely(differ || !QUICK(nest_answer)(v, n, req, resp)))
		QUICK(nestless)(v, req, resp);
}
