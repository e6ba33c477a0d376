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
	struct hw_nest *nest;
	struct hw_below *below;
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
	u64 at, word_at, first, second, first_at, mask = v->addr_mask;
	u32 *slot;
	struct hw_nest n;

	own = &l->last[VTD_OWN][addr >> 21 & (VTD_CURSORS - 1)];
	at = QUICK(place)(own, addr);
	table = &l->last[VTD_SS_TABLE][at >> 21 & (VTD_CURSORS - 1)];
	word_at = QUICK(place)(table, at);
	n = (struct hw_nest){.key = addr >> 21 | l->made, .at = (u32)(word_at / 8)};
	memcpy(&n.word, env->ram + word_at, 8);
	first_at = (n.word & mask) + (at & 0xfff);
	/* Interrupts share 2 MiB with pages. */
	if (addr >> 21 == VTD_INTERRUPT_BASE >> 21 || word_at >> 35 ||
	    (n.word & mask) + 4096 > env->ram_size)
		return;
	memcpy(&first, env->ram + first_at, 8);
	n.attrs = (first & ~mask) | QUICK(kept)(own->flags, SECOND_ALLOWS) << HW_NEST_FIRST;
	at = first & mask;
	page = &l->last[VTD_SS_PAGE][at >> 21 & (VTD_CURSORS - 1)];
	memcpy(&second, env->ram + QUICK(place)(page, at), 8);
	if (!v->nests)
		v->nests = hw_nests_create(v->psc);
	l->nests = v->nests;
	*hw_nest_of(v->nests, addr) = n;
	slot = hw_nest_slots(v->nests, addr);
	slot[0] = own->slot;
	slot[1] = table->slot;
	*hw_below_of(v->nests, at >> 21) = (struct hw_below){
		.key = at >> 21 | l->made, .attrs = second & ~mask, .slot = page->slot,
		.value = (page->value & ~VTD_F_MASK) | QUICK(kept)(page->flags, FIRST_ALLOWS)};
}

/*
 * The nest and the below of addr, if they still are good but for other bits of a last entry:
 * these it knows then, by tables that are known.
 */
CACHE_TARGET static __attribute__((noinline, unused)) void
QUICK(nest_meaning)(const struct vtd *v, const struct vtd_lane *l, u64 addr)
{
	const struct vtd_cfg *c = &l->bind->cfg;
	const struct cache_slot *slot = v->psc->slot;
	struct hw_nest *n = hw_nest_of(l->nests, addr);
	u64 mask = v->addr_mask, first, second, range;
	const u8 *ram = v->h.env->ram;
	struct hw_below *b;
	u32 flags[2];

	if (n->key != (addr >> 21 | l->made))
		return;
	memcpy(&first, ram + (n->word & mask) + (addr >> 9 & 0xff8), 8);
	range = (first & mask) >> 21;
	b = hw_below_of(l->nests, range);
	if (b->key != (range | l->made))
		return;
	memcpy(&second, ram + (b->value & ~VTD_F_MASK) + (first >> 9 & 0xff8), 8);
	flags[0] = QUICK(fs_meaning)(v, c, slot[hw_nest_slots(l->nests, addr)[0]].value,
				     first & ~mask);
	flags[1] = QUICK(ss_meaning)(v, c, slot[b->slot].value, second & ~mask);
	n->attrs = (first & ~mask) | QUICK(kept)(flags[0], SECOND_ALLOWS) << HW_NEST_FIRST;
	b->attrs = second & ~mask;
	b->value = (b->value & ~VTD_F_MASK) | QUICK(kept)(flags[1], FIRST_ALLOWS);
	if (!flags[0] || !flags[1])
		b->key = 0;
}

/* False: nothing has changed. Else who answers by it tells so: hw_nest_used(). */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(in_nest)(const struct vtd *v, const struct vtd_lane *l, const struct hw_req *req,
	       struct nested *a)
{
	struct hw_nest *n = hw_nest_of(l->nests, req->addr);
	const u8 *ram = v->h.env->ram;
	struct hw_below *b;
	u64 addr = req->addr, mask = v->addr_mask, e, first, second, range;
	u32 how;

	if (unlikely(n->key != (addr >> 21 | l->made)))
		return false;
	memcpy(&e, ram + n->at * 8ULL, 8);
	memcpy(&first, ram + (n->word & mask) + (addr >> 9 & 0xff8), 8);
	range = (first & mask) >> 21;
	b = hw_below_of(l->nests, first >> 21);
	if (unlikely(b->key != (range | l->made)))
		return false;
	memcpy(&second, ram + (b->value & ~VTD_F_MASK) + (first >> 9 & 0xff8), 8);
	a->page = second & mask;
	a->flags = ((u32)(n->attrs >> HW_NEST_FIRST | b->value) & (u32)VTD_F_MASK) ^ BOTH_ALLOW;
	a->meta = QUICK(meta_of)[a->flags & 127];
	a->nest = n;
	a->below = b;
	memcpy(&how, &req->access, sizeof(how));
	/* All at once, at the end: until then none of the words has to have come. */
	return likely(!((e ^ n->word) | (((first ^ n->attrs) | (second ^ b->attrs)) & ~mask))) &&
	       likely(!QUICK(denied)(how, a->meta) &&
		      a->page >> 20 != VTD_INTERRUPT_BASE >> 20);
}

/* A nest that was used the last time as well. */
CACHE_TARGET static inline void
QUICK(remember)(struct vtd *v, u64 addr, const struct hw_nest *n, const struct hw_below *b)
{
	const u8 *ram = v->h.env->ram;
	u32 flags = ((u32)(n->attrs >> HW_NEST_FIRST | b->value) & (u32)VTD_F_MASK) ^ BOTH_ALLOW;

	v->again = (struct vtd_again){
		.range = addr >> 21, .at = n->at * 8ULL, .word = n->word,
		.table = n->word & v->addr_mask, .ss_table = b->value & ~VTD_F_MASK,
		.attrs = b->attrs, .flags = flags, .meta = QUICK(meta_of)[flags & 127]};
	memcpy(&v->again.first, ram + v->again.table + (addr >> 9 & 0xff8), 8);
}

/* For the first time since all was settled, or again: then the next one may be there, too. */
CACHE_TARGET static __attribute__((noinline, unused)) void
QUICK(nest_used)(struct vtd *v, struct hw_nests *all, u64 addr, struct hw_nest *n,
		 struct hw_below *b)
{
	hw_nest_used(all, n, b);
	QUICK(remember)(v, addr, n, b);
}

/* The nest and the below of an answer have been used. The last thing that is done. */
CACHE_TARGET static inline __attribute__((always_inline)) void
QUICK(nest_use)(struct vtd *v, struct hw_nests *all, u64 addr, struct hw_nest *n,
		struct hw_below *b)
{
	u32 use = all->uses + 1;

	if (unlikely(!use || !n->stamp || !b->stamp || hw_nest_again(all, n, b)))
		QUICK(nest_used)(v, all, addr, n, b);
	else
		all->uses = n->stamp = b->stamp = use;
}

/*
 * Where the last one was, by v->again of this range. False: look closer. Of an entry of the
 * first stage only where its page lies within 2 MiB may be another.
 */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(in_last)(const struct vtd *v, const struct hw_req *req, struct nested *a)
{
	const struct vtd_again *g = &v->again;
	const u8 *ram = v->h.env->ram;
	u64 addr = req->addr, mask = v->addr_mask, e, first, second;
	u32 how;

	memcpy(&e, ram + g->at, 8);
	memcpy(&first, ram + g->table + (addr >> 9 & 0xff8), 8);
	memcpy(&second, ram + g->ss_table + (first >> 9 & 0xff8), 8);
	memcpy(&how, &req->access, sizeof(how));
	a->page = second & mask;
	a->flags = g->flags;
	a->meta = g->meta;
	return likely(!((e ^ g->word) | ((first ^ g->first) & ~VTD_IN_2M) |
			((second ^ g->attrs) & ~mask))) &&
	       likely(!QUICK(denied)(how, g->meta) &&
		      a->page >> 20 != VTD_INTERRUPT_BASE >> 20);
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
