/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested requests by what is known of 2 MiB (hw/iommu/nest.h): text for the two files that
 * compile quick_priv.h. Three entries are read anew: the second stage's of the last table
 * of the first, that table's, and the second stage's of the page.
 */
#pragma once

#include "hw/vtd/quick_base_priv.h"

/* A page, and what may be done with it. */
struct nested {
	u64 page;
	u32 flags, meta;
	const struct hw_nest *nest;
	const struct hw_below *below;
};

/*
 * What a stage's flags are kept as: 1 forbids, and what is the other stage's is 0. So what
 * both forbid is the one or the other.
 */
#define FIRST_ALLOWS (VTD_F_RW | VTD_F_US)
#define SECOND_ALLOWS (VTD_F_SSR | VTD_F_SSW)
#define BOTH_ALLOW (FIRST_ALLOWS | SECOND_ALLOWS | VTD_F_DIRTY)

CACHE_TARGET static inline u64 QUICK(kept)(u32 flags, u32 others)
{
	return (flags ^ BOTH_ALLOW) & ~others;
}

/* What the walk of addr has just gone by, for others in these 2 MiB. Nothing is due. */
CACHE_TARGET static __attribute__((noinline, unused)) void
QUICK(nest_make)(struct vtd *v, struct vtd_lane *l, u64 addr)
{
	const struct vtd_cursor *own, *table, *page;
	const struct hw_env *env = v->h.env;
	u64 at, first, second, first_at, mask = v->addr_mask;
	struct hw_nest n;

	own = &l->last[VTD_OWN][addr >> 21 & (VTD_CURSORS - 1)];
	at = QUICK(place)(own, addr);
	table = &l->last[VTD_SS_TABLE][at >> 21 & (VTD_CURSORS - 1)];
	n = (struct hw_nest){.key = addr >> 21 | l->made, .at = QUICK(place)(table, at),
			     .slot = {own->slot, table->slot},
			     .first = QUICK(kept)(own->flags, SECOND_ALLOWS)};
	memcpy(&n.word, env->ram + n.at, 8);
	n.table = n.word & mask;
	/* Interrupts share 2 MiB with pages. */
	if (addr >> 21 == VTD_INTERRUPT_BASE >> 21 || n.table + 4096 > env->ram_size)
		return;
	first_at = n.table + (at & 0xfff);
	memcpy(&first, env->ram + first_at, 8);
	n.attrs = first & ~mask;
	at = first & mask;
	page = &l->last[VTD_SS_PAGE][at >> 21 & (VTD_CURSORS - 1)];
	memcpy(&second, env->ram + QUICK(place)(page, at), 8);
	if (!v->nests)
		v->nests = hw_nests_create(v->psc);
	l->nests = v->nests;
	*hw_nest_of(v->nests, addr) = n;
	*hw_below_of(v->nests, at >> 21) = (struct hw_below){
		.key = at >> 21 | l->made, .attrs = second & ~mask, .slot = page->slot,
		.value = (page->value & ~VTD_F_MASK) | QUICK(kept)(page->flags, FIRST_ALLOWS)};
}

/* Last entries with other bits than before, in tables that are known. False: look closer. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(nest_meaning)(const struct vtd *v, const struct vtd_lane *l, struct hw_nest *n,
		    struct hw_below *b, u64 first, u64 second)
{
	const struct vtd_cfg *c = &l->bind->cfg;
	const struct cache_slot *slot = v->psc->slot;
	u32 flags[2];

	n->attrs = first & ~v->addr_mask;
	b->attrs = second & ~v->addr_mask;
	flags[0] = QUICK(fs_meaning)(v, c, slot[n->slot[0]].value, n->attrs);
	flags[1] = QUICK(ss_meaning)(v, c, slot[b->slot].value, b->attrs);
	n->first = QUICK(kept)(flags[0], SECOND_ALLOWS);
	b->value = (b->value & ~VTD_F_MASK) | QUICK(kept)(flags[1], FIRST_ALLOWS);
	if (!flags[0] || !flags[1])
		b->key = 0;
	return b->key;
}

/* False: no page has been used, nor have tables. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(in_nest)(struct vtd *v, const struct vtd_lane *l, const struct hw_req *req,
	       struct nested *a)
{
	struct hw_nest *n = hw_nest_of(l->nests, req->addr);
	const u8 *ram = v->h.env->ram;
	struct hw_below *b;
	u64 addr = req->addr, mask = v->addr_mask, e, first, second, range;
	u32 how;

	if (unlikely(n->key != (addr >> 21 | l->made)))
		return false;
	memcpy(&e, ram + n->at, 8);
	if (unlikely(e != n->word))
		return false;
	memcpy(&first, ram + n->table + (addr >> 9 & 0xff8), 8);
	range = (first & mask) >> 21;
	b = hw_below_of(l->nests, range);
	if (unlikely(b->key != (range | l->made)))
		return false;
	memcpy(&second, ram + (b->value & ~VTD_F_MASK) + (first >> 9 & 0xff8), 8);
	if (unlikely(((first ^ n->attrs) | (second ^ b->attrs)) & ~mask) &&
	    !QUICK(nest_meaning)(v, l, n, b, first, second))
		return false;
	a->page = second & mask;
	a->flags = ((u32)(n->first | b->value) & (u32)VTD_F_MASK) ^ BOTH_ALLOW;
	a->meta = QUICK(meta_of)[a->flags & 127];
	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(QUICK(denied)(how, a->meta) || a->page >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	hw_nest_used(l->nests, n, b);
	v->youngest = NULL;
	a->nest = n;
	a->below = b;
	return true;
}

/* Nests are void once something was filled in the cache of tables; see vtd_psc_space(). */
CACHE_TARGET static inline void QUICK(lane_fresh)(struct vtd *v, struct vtd_lane *l)
{
	const struct hw_cache *c = v->psc;

	if (likely(l->psc_serial == c->serial))
		return;
	l->psc_serial = c->serial;
	l->made = vtd_lane_number(v);
}
