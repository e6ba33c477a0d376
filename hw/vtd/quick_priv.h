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
 *
 * Faults are not looked for at each entry: bits are gathered on the way, in `all`
 * what every entry has, in `any` what some entry has, and judged once.
 */
#pragma once

#include "hw/iommu/cache_quick.h"
#include "hw/vtd/vtd_priv.h"

#ifdef CACHE_AVX2
#define QUICK(name) name##_avx2
#else
#define QUICK(name) name##_scalar
#endif

/* What is gathered on the way. */
struct bits {
	u64 all, any;
};

/* Memory and masks, in registers. */
struct sight {
	const u8 *ram;
	u64 limit;  /* the last address of a word */
	u64 mask;   /* of addresses in entries */
};

struct answer {
	u64 page;
	u32 flags, reads, entry;
};

/* The word at pa; false: there is no such memory. */
CACHE_TARGET static inline bool QUICK(word)(const struct sight *s, u64 pa, u64 *value)
{
	if (unlikely(pa > s->limit))
		return false;
	memcpy(value, s->ram + pa, 8);
	return true;
}

/* Down from the first of `levels` tables to the last entry, of any stage. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(down)(const struct sight *s, u64 table, u32 levels, u64 addr, u64 *leaf, struct bits *b)
{
	u64 e;

#pragma GCC unroll 5
	for (u32 level = levels; level > 1; level--) {
		if (!QUICK(word)(s, table + (addr >> (9 * level) & 0xff8), &e))
			return false;
		b->all &= e;
		b->any |= e;
		table = e & s->mask;
	}
	return QUICK(word)(s, table + (addr >> 9 & 0xff8), leaf);
}

/* --- what the entries say --- */

/* Bits that no entry above the leaf may have here: PS lies at the same place in both stages. */
CACHE_TARGET static inline u64 QUICK(upper_bad)(const struct vtd *v)
{
	return v->ss_reserved[1][0] | VTD_SS_PS;
}

/* Of the upper entries (b) and the leaf: VTD_F_*, or 0: look closer. */
CACHE_TARGET static inline u32 QUICK(ss_flags)(const struct vtd *v, const struct vtd_cfg *c,
					       const struct bits *b, u64 leaf)
{
	u64 all = b->all & leaf, need = VTD_SS_R | (c->ssade ? VTD_SS_A : 0);
	u32 flags = (u32)(all & (VTD_SS_R | VTD_SS_W)) * VTD_F_SSR;

	if (unlikely((all & need) != need || (b->any & QUICK(upper_bad)(v)) ||
		     (leaf & v->ss_reserved[1][1])))
		return 0;
	flags |= (u32)(leaf / VTD_SS_SNP & 1) * VTD_F_SNP;
	return flags | (u32)((leaf / VTD_SS_D | !c->ssade) & 1) * VTD_F_DIRTY;
}

CACHE_TARGET static inline u32 QUICK(fs_flags)(const struct vtd *v, const struct vtd_cfg *c,
					       const struct bits *b, u64 leaf)
{
	u64 need = VTD_FS_P | VTD_FS_US | VTD_FS_A | (c->eafe ? VTD_FS_EA : 0);
	u64 all = b->all & leaf, any = b->any | leaf;

	if (unlikely((all & need) != need || (b->any & QUICK(upper_bad)(v)) ||
		     (leaf & v->fs_reserved[1][1]) || (!c->nxe && (any & VTD_FS_XD))))
		return 0;
	return (u32)(all >> 1 & (VTD_F_RW | VTD_F_US)) | (u32)(any >> 63) * VTD_F_XD |
	       (u32)(leaf / VTD_FS_D & 1) * VTD_F_DIRTY;
}

/* --- root to leaf, without caches --- */

/* Configuration is read anew; if each word is what it was then, so is what it means. */
CACHE_TARGET static inline bool QUICK(same_config)(const struct sight *s, const struct vtd_memo *m)
{
	u64 differ = 0, e;

#pragma GCC unroll 2
	for (u32 i = 0; i < m->n; i++) {
		memcpy(&e, s->ram + m->word[i].pa, 8);
		differ |= e ^ m->word[i].value;
	}
	return !differ;
}

/* A word, for the trail as well. */
CACHE_TARGET static inline bool QUICK(step)(const struct sight *s, struct vtd_trail *t, u64 pa,
					    u64 *value)
{
	if (!QUICK(word)(s, pa, value))
		return false;
	t->pa[t->n] = pa;
	t->value[t->n++] = *value;
	return true;
}

/* Down to the last table of the second stage. */
CACHE_TARGET static inline bool QUICK(trail_ss)(const struct sight *s, struct vtd_trail *t,
						const struct vtd_cfg *c, u64 gpa, struct bits *b)
{
	u64 e;

	t->ss_table = c->ss_root;
	for (u32 level = 4; level > 1; level--) {
		if (!QUICK(step)(s, t, t->ss_table + (gpa >> (9 * level) & 0xff8), &e))
			return false;
		b->all &= e;
		b->any |= e;
		t->ss_table = e & s->mask;
	}
	return true;
}

/* The trail of addr: to the last tables of both stages. False: something is out of order. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(trail_make)(const struct vtd *v, const struct sight *s, const struct vtd_memo *m,
		  u64 addr, struct vtd_trail *t)
{
	const struct vtd_cfg *c = &m->cfg;
	const u64 bad = v->ss_reserved[1][0] | v->ss_reserved[1][1];
	struct bits fs = {~0ULL, 0}, tables = {~0ULL, 0}, ss = {~0ULL, 0};
	u64 gpa = c->fs_root, leaf, e, wide = 0;

	t->gen = 0;
	t->n = m->n;
	for (u32 i = 0; i < m->n; i++) {
		t->pa[i] = m->word[i].pa;
		t->value[i] = m->word[i].value;
	}
	for (u32 level = 4; level; level--) {
		u64 at;

		wide |= gpa;
		if (!QUICK(trail_ss)(s, t, c, gpa, &tables) ||
		    !QUICK(step)(s, t, t->ss_table + (gpa >> 9 & 0xff8), &leaf) || (leaf & bad))
			return false;
		tables.all &= leaf;
		at = leaf & s->mask;
		if (level == 1) {
			t->fs_table = at;
			break;
		}
		if (!QUICK(step)(s, t, at + (addr >> (9 * level) & 0xff8), &e))
			return false;
		gpa = e & s->mask;
		fs.all &= e;
		fs.any |= e;
	}
	/* The page of addr, for the tables of the second stage that it lies in. */
	if (!QUICK(word)(s, t->fs_table + (addr >> 9 & 0xff8), &e))
		return false;
	gpa = e & s->mask;
	if (!QUICK(trail_ss)(s, t, c, gpa, &ss) || ((wide | gpa) >> 48) ||
	    !(tables.all & VTD_SS_R) || (c->ssade && !(tables.all & VTD_SS_A)))
		return false;
	t->gpa_range = gpa >> 21;
	t->range = addr >> 21;
	t->fs[0] = fs.all;
	t->fs[1] = fs.any;
	/* Of the tables' translations only that they may be read counts. */
	t->ss[0] = ss.all;
	t->ss[1] = ss.any | tables.any;
	t->gen = m->gen;
	t->sid = m->sid;
	t->pasid = m->pasid;
	return true;
}

/* Whether each word of it still is what it was. */
CACHE_TARGET static inline bool QUICK(trail_good)(const struct sight *s, const struct vtd_trail *t)
{
	u64 differ = 0, e;

#ifdef __clang__ /* gathers would take longer */
#pragma clang loop vectorize(disable) unroll_count(4)
#endif
	for (u32 i = 0; i < t->n; i++) {
		memcpy(&e, s->ram + t->pa[i], 8);
		differ |= e ^ t->value[i];
	}
	return !differ;
}

/* The leaves of addr at the end of its trail. */
CACHE_TARGET static inline bool QUICK(trail_end)(const struct vtd *v, const struct sight *s,
						 const struct vtd_trail *t,
						 const struct vtd_cfg *c, u64 addr,
						 struct answer *a)
{
	const struct bits fs = {t->fs[0], t->fs[1]}, ss = {t->ss[0], t->ss[1]};
	u64 e, leaf;
	u32 flags;

	if (!QUICK(word)(s, t->fs_table + (addr >> 9 & 0xff8), &e) ||
	    (e & s->mask) >> 21 != t->gpa_range ||
	    !QUICK(word)(s, t->ss_table + (e >> 9 & 0xff8), &leaf))
		return false;
	flags = QUICK(fs_flags)(v, c, &fs, e);
	a->flags = QUICK(ss_flags)(v, c, &ss, leaf);
	if (unlikely(!a->flags || !flags))
		return false;
	a->flags = (a->flags & (flags | ~(u32)VTD_F_DIRTY)) | (flags & ~(u32)VTD_F_DIRTY);
	a->page = leaf & s->mask;
	a->reads = t->n + 2;
	return true;
}

CACHE_TARGET static inline bool QUICK(bare_nested)(const struct vtd *v, const struct sight *s,
						   const struct vtd_memo *m, u64 addr,
						   struct answer *a)
{
	struct vtd_trail *t = &v->trail[(addr >> 21 ^ m->sid) % VTD_TRAILS];

	if (likely(t->gen == m->gen && t->range == addr >> 21 && t->sid == m->sid &&
		   t->pasid == m->pasid && QUICK(trail_good)(s, t) &&
		   QUICK(trail_end)(v, s, t, &m->cfg, addr, a)))
		return true;
	return QUICK(same_config)(s, m) && QUICK(trail_make)(v, s, m, addr, t) &&
	       QUICK(trail_end)(v, s, t, &m->cfg, addr, a);
}

CACHE_TARGET static inline bool QUICK(bare)(const struct vtd *v, const struct sight *s,
					    const struct vtd_memo *m, u64 addr, struct answer *a)
{
	const struct vtd_cfg *c = &m->cfg;
	struct bits b = {~0ULL, 0};
	u32 levels = c->mode == VTD_MODE_SS ? c->ss_levels : c->fs_levels;
	u64 table = c->mode == VTD_MODE_SS ? c->ss_root : c->fs_root, leaf;

	if (c->mode == VTD_MODE_NESTED)
		return c->fs_levels == 4 && c->ss_levels == 4 &&
		       QUICK(bare_nested)(v, s, m, addr, a);
	if (!QUICK(same_config)(s, m))
		return false;
	if (likely(levels == 4)) {
		if (!QUICK(down)(s, table, 4, addr, &leaf, &b))
			return false;
	} else if (!QUICK(down)(s, table, levels, addr, &leaf, &b)) {
		return false;
	}
	if (c->mode == VTD_MODE_SS) {
		a->flags = QUICK(ss_flags)(v, c, &b, leaf);
		if (!a->flags)
			return false;
		a->flags |= VTD_F_RW | VTD_F_US;
	} else {
		a->flags = QUICK(fs_flags)(v, c, &b, leaf);
		if (!a->flags)
			return false;
		a->flags |= VTD_F_SSR | VTD_F_SSW;
	}
	a->page = leaf & s->mask;
	a->reads += levels;
	return true;
}

/* --- the last table known --- */

/* Searched for in the paging-structure cache. ss: of the second stage of nested tables. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(table_find)(struct vtd *v, struct vtd_binding *b, bool ss, u64 addr)
{
	struct vtd_cursor *k = &b->last[ss][addr >> 21 & (VTD_CURSORS - 1)];
	struct hw_cache *c = v->psc;
	u32 space = ss ? b->ss_space : b->psc_space, slot;
	u64 tag = ss ? vtd_tag(b->cfg.did, 0, VTD_MODE_SS) : b->cfg.tag;

	if (!space || c->space[space].tag != tag)
		return false;
	slot = cache_quick_find(c, space, addr);
	if (slot >= CACHE_ASK || c->slot[slot].key >> 24 != 21)
		return false;
	*k = (struct vtd_cursor){addr >> 21, c->slot[slot].value, slot, c->serial};
	return true;
}

/* The last table of addr, and in the low bits what is permitted down to it. 0: none known. */
CACHE_TARGET static inline u64 QUICK(table)(struct vtd *v, struct vtd_binding *b, bool ss,
					    u64 addr)
{
	struct vtd_cursor *k = &b->last[ss][addr >> 21 & (VTD_CURSORS - 1)];

	if (unlikely(k->range != addr >> 21 || k->serial != v->psc->serial || !k->value) &&
	    !QUICK(table_find)(v, b, ss, addr))
		return 0;
	cache_quick_touch(v->psc, k->slot);
	return k->value;
}

/* The entry of addr in the last table of the second stage. 0: look closer. */
CACHE_TARGET static inline u32 QUICK(ss_last)(struct vtd *v, const struct sight *s,
					      struct vtd_binding *b, bool nested, u64 addr,
					      u64 *leaf)
{
	u64 table = QUICK(table)(v, b, nested, addr);
	struct bits bits = {table / VTD_F_SSR | ~(u64)(VTD_SS_R | VTD_SS_W), 0};

	if (unlikely(!table) ||
	    !QUICK(word)(s, (table & ~VTD_F_MASK) + (addr >> 9 & 0xff8), leaf))
		return 0;
	return QUICK(ss_flags)(v, &b->cfg, &bits, *leaf);
}

CACHE_TARGET static inline bool QUICK(last)(struct vtd *v, const struct sight *s,
					    struct vtd_binding *b, u64 addr, struct answer *a)
{
	const struct vtd_cfg *c = &b->cfg;
	struct bits bits = {~0ULL, 0};
	u64 table, leaf, pte, at;
	u32 flags;

	if (c->mode == VTD_MODE_SS) {
		a->flags = QUICK(ss_last)(v, s, b, false, addr, &leaf);
		a->page = leaf & s->mask;
		a->reads = 1;
		if (unlikely(!a->flags))
			return false;
		a->flags |= VTD_F_RW | VTD_F_US;
		return true;
	}
	table = QUICK(table)(v, b, false, addr);
	if (unlikely(!table))
		return false;
	flags = (u32)(table & VTD_F_MASK);
	at = (table & ~VTD_F_MASK) + (addr >> 9 & 0xff8);
	if (c->mode == VTD_MODE_NESTED) {
		if (unlikely(at >> (12 + 9 * c->ss_levels)) ||
		    unlikely(!QUICK(ss_last)(v, s, b, true, at, &leaf)))
			return false;
		at = (leaf & s->mask) | (at & 0xfff);
	}
	if (!QUICK(word)(s, at, &pte))
		return false;
	bits.all = (u64)(flags & (VTD_F_RW | VTD_F_US)) << 1 | ~(u64)(VTD_FS_RW | VTD_FS_US);
	bits.any = flags & VTD_F_XD ? VTD_FS_XD : 0;
	flags = QUICK(fs_flags)(v, c, &bits, pte);
	if (unlikely(!flags))
		return false;
	a->page = pte & s->mask;
	a->flags = flags | VTD_F_SSR | VTD_F_SSW;
	a->reads = 1;
	if (c->mode != VTD_MODE_NESTED)
		return true;
	if (unlikely(a->page >> (12 + 9 * c->ss_levels)))
		return false;
	a->flags = QUICK(ss_last)(v, s, b, true, a->page, &leaf);
	if (unlikely(!a->flags))
		return false;
	a->flags = (a->flags & (flags | ~(u32)VTD_F_DIRTY)) | (flags & ~(u32)VTD_F_DIRTY);
	a->page = leaf & s->mask;
	a->reads = 3;
	return true;
}

/* --- all of it --- */

/* Whether tables have this address at all (3.6, 3.7). */
CACHE_TARGET static inline bool QUICK(covered)(const struct vtd_cfg *c, u64 addr)
{
	u32 unused = 64 - (12 + 9 * c->fs_levels);

	if (c->mode == VTD_MODE_SS)
		return !(addr >> (12 + 9 * c->ss_levels));
	return (u64)((s64)(addr << unused) >> unused) == addr;
}

/* Whether flags let the device do it, and no dirty bit is due. access: read, write. */
CACHE_TARGET static inline bool QUICK(permitted)(u32 access, u32 flags)
{
	static const u8 want[4] = {
		VTD_F_US, VTD_F_US | VTD_F_SSR, VTD_F_US | VTD_F_SSW | VTD_F_RW | VTD_F_DIRTY,
		VTD_F_US | VTD_F_SSR | VTD_F_SSW | VTD_F_RW | VTD_F_DIRTY};

	return (flags & (want[access] | VTD_F_NEGATIVE)) == want[access];
}

/* Bytes lg2 to tag of a response, by the flags RW, US, XD, SSR, SSW; without lg2. */
#define WRITES (VTD_F_SSW | VTD_F_RW)
#define META(f) (u16)(((f) & VTD_F_SSR ? HW_READ << 8 : 0) | \
		      (((f) & WRITES) == WRITES ? HW_WRITE << 8 : 0))
#define META8(f) META(f), META((f) + 1), META((f) + 2), META((f) + 3), META((f) + 4), \
		 META((f) + 5), META((f) + 6), META((f) + 7)
static const u16 QUICK(meta_of)[32] = {META8(0), META8(8), META8(16), META8(24)};

CACHE_TARGET static inline void QUICK(front)(struct vtd *v, const struct hw_req *req, u64 pa,
					     u32 flags, u32 meta, u32 id)
{
	struct vtd_front *f = &v->dev[req->sid].front[req->addr >> 12 & (VTD_FRONT - 1)];

	f->key = (req->addr & ~0xfffULL) | v->front_gen;
	f->pa = pa & ~0xfffULL;
	f->meta = meta;
	f->deny = ~(meta >> 8) | (flags & VTD_F_DIRTY ? 0 : HW_WRITE);
	f->pasid = req->pasid;
	f->entry = id;
}

/* A page that the IOTLB does not have. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(miss)(struct vtd *v, struct vtd_binding *b, const struct hw_req *req, struct hw_resp *resp)
{
	const struct hw_env *e = v->h.env;
	const struct sight s = {e->ram, e->ram_size - 8, v->addr_mask};
	struct answer a;
	u64 meta;
	u32 id;

	if (unlikely(e->point || e->read_flushed || e->ram_size < 8 ||
		     !QUICK(covered)(&b->cfg, req->addr) || !QUICK(last)(v, &s, b, req->addr, &a) ||
		     !QUICK(permitted)(req->access, a.flags) ||
		     a.page >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	id = cache_quick_fill(v->iotlb, b->space, req->addr & ~0xfffULL, 12,
			      a.page | a.flags, 0);
	if (unlikely(!id)) {
		struct hw_cache_entry new = {.value = a.page | a.flags, .addr = req->addr,
					     .space = b->space, .lg2 = 12};

		id = hw_cache_fill(v->iotlb, &new, NULL, 0);
	}
	meta = QUICK(meta_of)[a.flags & 31] | 12;
	resp->pa = a.page | (req->addr & 0xfff);
	resp->entry = id;
	QUICK(front)(v, req, resp->pa, a.flags, (u32)meta, id);
	meta |= (u64)a.reads << 40;
	memcpy(&resp->lg2, &meta, sizeof(meta));
	return true;
}

CACHE_TARGET static __attribute__((noinline)) bool
QUICK(uncached)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	const struct vtd_memo *m = &v->memo[req->sid % VTD_MEMOS];
	const struct hw_env *e = v->h.env;
	const struct sight s = {e->ram, e->ram_size - 8, v->addr_mask};
	struct answer a = {.reads = m->n};
	u64 meta;

	if (unlikely(e->point || e->read_flushed || m->gen != v->cfg_gen || m->sid != req->sid ||
		     req->addr >> 20 == VTD_INTERRUPT_BASE >> 20 ||
		     m->pasid != req->pasid || !QUICK(covered)(&m->cfg, req->addr) ||
		     !QUICK(bare)(v, &s, m, req->addr, &a) ||
		     !QUICK(permitted)(req->access, a.flags) ||
		     a.page >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	meta = QUICK(meta_of)[a.flags & 31] | 12 | (u64)a.reads << 40;
	resp->pa = a.page | (req->addr & 0xfff);
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = 0;
	return true;
}

/* Of more than one size of pages, or one that lies further on. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(search)(struct vtd *v, struct vtd_binding *b, const struct hw_req *req,
	      struct hw_resp *resp)
{
	struct hw_cache *c = v->iotlb;
	u32 slot = cache_quick_find(c, b->space, req->addr), flags;
	const struct cache_slot *e;
	u64 meta;

	if (slot == NO_SLOT)
		return QUICK(miss)(v, b, req, resp);
	if (slot == CACHE_ASK)
		return false;
	e = &c->slot[slot];
	flags = (u32)(e->value & VTD_F_MASK);
	if (!QUICK(permitted)(req->access, flags))
		return false;
	cache_quick_touch(c, slot);
	meta = QUICK(meta_of)[flags & 31] | e->key >> 24;
	resp->pa = (e->value & ~VTD_F_MASK) + (req->addr & ((1ULL << (e->key >> 24)) - 1));
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = e->id;
	QUICK(front)(v, req, resp->pa, flags, (u32)meta, e->id);
	return true;
}

/* The IOTLB has it, in the usual place, of the one size that there is. Else: search. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(hit)(struct vtd *v, struct vtd_binding *b, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_cache *c = v->iotlb;
	const struct cache_space *s = &c->space[b->space];
	u64 addr = req->addr, sizes = s->sizes, key, meta, pa;
	u32 lg2 = (u32)__builtin_ctzll(sizes | 1ULL << 63), set, m, slot, flags;
	const struct cache_slot *e;

	if (unlikely(b->pasid != req->pasid || s->tag != b->cfg.tag || s->epoch != c->epoch ||
		     addr >> 20 == VTD_INTERRUPT_BASE >> 20))
		return false;
	key = cache_key(s, addr >> lg2, lg2);
	set = cache_set(c, key);
	m = cache_match8(c->tags + (size_t)set * WAYS, key | TAG_USED);
	if (!m)
		return sizes & (sizes - 1) || c->grows ? QUICK(search)(v, b, req, resp) :
							 QUICK(miss)(v, b, req, resp);
	slot = set * WAYS + (u32)__builtin_ctz(m);
	e = &c->slot[slot];
	flags = (u32)(e->value & VTD_F_MASK);
	if (unlikely(e->key != (b->space | lg2 << 24) || e->id <= s->floor))
		return QUICK(search)(v, b, req, resp);
	if (unlikely(!QUICK(permitted)(req->access, flags)))
		return false;
	cache_quick_touch(c, slot);
	meta = QUICK(meta_of)[flags & 31] | lg2;
	pa = (e->value & ~VTD_F_MASK) + (addr & ((1ULL << lg2) - 1));
	resp->pa = pa;
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = e->id;
	QUICK(front)(v, req, pa, flags, (u32)meta, e->id);
	return true;
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(cached)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	if (unlikely(!QUICK(hit)(v, &v->dev[req->sid].bind, req, resp)))
		vtd_translate_slow(v, req, resp);
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(rest)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	if (!v->memo || v->h.env->fact || !QUICK(uncached)(v, req, resp))
		vtd_translate_slow(v, req, resp);
}

CACHE_TARGET void QUICK(vtd_translate)(struct hw_iommu *h, const struct hw_req *req,
				       struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);
	u32 how;

	if (unlikely(req->sid >= VTD_DEVICES || h->env->fact)) {
		vtd_translate_slow(v, req, resp);
		return;
	}
	if (likely(vtd_front_hit(v, req, resp)))
		return;
	/* No more than read and write of an untranslated request. */
	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(how & ~3u))
		vtd_translate_slow(v, req, resp);
	else if (likely(v->dev[req->sid].bind.quick_gen == v->cfg_gen))
		QUICK(cached)(v, req, resp);
	else
		QUICK(rest)(v, req, resp);
}
