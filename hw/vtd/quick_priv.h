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
	u32 flags, reads, entry; /* of a cache */
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
	t->reads++;
	/* Walks of the second stage have their upper entries in common. */
	for (u32 i = 0; i < t->n; i++) {
		if (t->pa[i] == pa)
			return true;
	}
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

/* Entries of configuration are long: four words of one at once. */
CACHE_TARGET static inline void QUICK(trail_config)(struct vtd_trail *t, const struct vtd_memo *m)
{
	t->n = t->n_quads = 0;
	for (u32 i = 0; i < m->n;) {
		const struct hw_cache_word *w = &m->word[i];
		struct vtd_quad *q = &t->quad[t->n_quads];

		if (i + 4 > m->n || w[1].pa != w->pa + 8 || w[2].pa != w->pa + 16 ||
		    w[3].pa != w->pa + 24) {
			t->pa[t->n] = w->pa;
			t->value[t->n++] = w->value;
			i++;
			continue;
		}
		*q = (struct vtd_quad){w->pa, {w->value, w[1].value, w[2].value, w[3].value}};
		t->n_quads++;
		i += 4;
	}
}

#ifdef CACHE_AVX2
CACHE_TARGET static inline bool QUICK(quads_good)(const struct sight *s, const struct vtd_trail *t)
{
	__m256i differ = _mm256_setzero_si256();

	for (u32 i = 0; i < t->n_quads; i++) {
		const struct vtd_quad *q = &t->quad[i];
		__m256i is = _mm256_loadu_si256((const __m256i *)(s->ram + q->pa));
		__m256i was = _mm256_loadu_si256((const __m256i *)q->value);

		differ = _mm256_or_si256(differ, _mm256_xor_si256(is, was));
	}
	return _mm256_testz_si256(differ, differ);
}
#else
static inline bool QUICK(quads_good)(const struct sight *s, const struct vtd_trail *t)
{
	bool good = true;

	for (u32 i = 0; i < t->n_quads; i++)
		good &= !memcmp(s->ram + t->quad[i].pa, t->quad[i].value, 32);
	return good;
}
#endif

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
	t->reads = m->n;
	t->flags = 0;
	t->attrs[0] = t->attrs[1] = 0;
	QUICK(trail_config)(t, m);
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
	return !differ && QUICK(quads_good)(s, t);
}

/* What the leaves of both stages mean together: dirty is what is so in both. */
CACHE_TARGET static inline u32 QUICK(both)(u32 first, u32 second)
{
	return (second & (first | ~(u32)VTD_F_DIRTY)) | (first & ~(u32)VTD_F_DIRTY);
}

/* What the two leaves of a page mean together; 0: look closer. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(trail_meaning)(const struct vtd *v, struct vtd_trail *t, const struct vtd_cfg *c, u64 first,
		     u64 second)
{
	const struct bits fs = {t->fs[0], t->fs[1]}, ss = {t->ss[0], t->ss[1]};
	u32 flags = QUICK(fs_flags)(v, c, &fs, first), below = QUICK(ss_flags)(v, c, &ss, second);

	t->attrs[0] = first;
	t->attrs[1] = second;
	t->flags = 0;
	if (flags && below)
		t->flags = QUICK(both)(flags, below);
}

/* The leaves of addr at the end of its trail. */
CACHE_TARGET static inline bool QUICK(trail_end)(const struct vtd *v, const struct sight *s,
						 struct vtd_trail *t,
						 const struct vtd_cfg *c, u64 addr,
						 struct answer *a)
{
	u64 e, leaf;

	if (!QUICK(word)(s, t->fs_table + (addr >> 9 & 0xff8), &e) ||
	    (e & s->mask) >> 21 != t->gpa_range ||
	    !QUICK(word)(s, t->ss_table + (e >> 9 & 0xff8), &leaf))
		return false;
	if (unlikely((e & ~s->mask) != t->attrs[0] || (leaf & ~s->mask) != t->attrs[1]))
		QUICK(trail_meaning)(v, t, c, e & ~s->mask, leaf & ~s->mask);
	a->flags = t->flags;
	a->page = leaf & s->mask;
	a->reads = t->reads + 2;
	return likely(a->flags);
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

/* Searched for in the paging-structure cache. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(table_find)(struct vtd *v, const struct vtd_binding *b, bool ss, u64 addr,
		  struct vtd_cursor *k)
{
	struct hw_cache *c = v->psc;
	u32 space = ss ? b->ss_space : b->psc_space, slot;
	u64 tag = ss ? vtd_tag(b->cfg.did, 0, VTD_MODE_SS) : b->cfg.tag, value;

	k->value = 0;
	if (!space || c->space[space].tag != tag)
		return false;
	slot = cache_quick_find(c, space, addr);
	if (slot >= CACHE_ASK || c->slot[slot].key >> 24 != 21)
		return false;
	value = c->slot[slot].value;
	if ((value & ~VTD_F_MASK) + 4088 > v->h.env->ram_size - 8)
		return false;
	*k = (struct vtd_cursor){.range = addr >> 21, .value = value, .slot = slot,
				 .serial = c->serial};
	return true;
}

/* The cursor of the last table of addr; NULL: none is known. */
CACHE_TARGET static inline __attribute__((always_inline)) struct vtd_cursor *
QUICK(table)(struct vtd *v, struct vtd_lane *l, u32 role, bool ss, u64 addr)
{
	struct vtd_cursor *k = &l->last[role][addr >> 21 & (VTD_CURSORS - 1)];

	/* Of an address, or not its own: of intermediate tables where they lie. */
	if (unlikely(k->range != addr >> 21 || k->serial != v->psc->serial || !k->value) &&
	    !QUICK(table_find)(v, l->bind, ss, addr, k))
		return NULL;
	cache_quick_touch(v->psc, k->slot);
	return k;
}

/* What a leaf of the second stage means, below a table; 0: look closer. */
CACHE_TARGET static __attribute__((noinline)) u32
QUICK(ss_meaning)(const struct vtd *v, const struct vtd_cfg *c, u64 table, u64 leaf)
{
	const struct bits bits = {table / VTD_F_SSR | ~(u64)(VTD_SS_R | VTD_SS_W), 0};

	return QUICK(ss_flags)(v, c, &bits, leaf);
}

CACHE_TARGET static __attribute__((noinline)) u32
QUICK(fs_meaning)(const struct vtd *v, const struct vtd_cfg *c, u64 table, u64 leaf)
{
	const struct bits bits = {
		(table & (VTD_F_RW | VTD_F_US)) << 1 | ~(u64)(VTD_FS_RW | VTD_FS_US),
		table & VTD_F_XD ? VTD_FS_XD : 0};

	return QUICK(fs_flags)(v, c, &bits, leaf);
}

/* The entry of addr in a last table: the page, and what its other bits mean. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(leaf)(const struct vtd *v, struct vtd_lane *l, struct vtd_cursor *k, u64 at, bool ss,
	    struct answer *a)
{
	u64 e, attrs;

	memcpy(&e, v->h.env->ram + at, 8);
	a->page = e & v->addr_mask;
	attrs = e & ~v->addr_mask;
	if (unlikely(attrs != k->attrs)) {
		k->attrs = attrs;
		k->flags = ss ? QUICK(ss_meaning)(v, &l->bind->cfg, k->value, attrs) :
				QUICK(fs_meaning)(v, &l->bind->cfg, k->value, attrs);
	}
	a->flags = k->flags;
	return likely(a->flags);
}

CACHE_TARGET static inline u64 QUICK(place)(const struct vtd_cursor *k, u64 addr)
{
	return (k->value & ~VTD_F_MASK) + (addr >> 9 & 0xff8);
}

/* One stage. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(last)(struct vtd *v, struct vtd_lane *l, bool ss, u64 addr, struct answer *a)
{
	struct vtd_cursor *k = QUICK(table)(v, l, VTD_OWN, false, addr);

	if (unlikely(!k || !QUICK(leaf)(v, l, k, QUICK(place)(k, addr), ss, a)))
		return false;
	a->flags |= ss ? VTD_F_RW | VTD_F_US : VTD_F_SSR | VTD_F_SSW;
	a->reads = 1;
	return true;
}

/* An address of the second stage that is nested on. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(last_ss)(struct vtd *v, struct vtd_lane *l, u32 role, u64 addr, struct answer *a)
{
	struct vtd_cursor *k;

	if (unlikely(addr >= l->ss_limit))
		return false;
	k = QUICK(table)(v, l, role, true, addr);
	return likely(k) && QUICK(leaf)(v, l, k, QUICK(place)(k, addr), true, a);
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(last_nested)(struct vtd *v, struct vtd_lane *l, u64 addr, u32 access,
		   struct answer *a)
{
	struct vtd_cursor *k = QUICK(table)(v, l, VTD_OWN, false, addr);
	struct answer first, table;
	u64 at;

	if (unlikely(!k))
		return false;
	at = QUICK(place)(k, addr);
	if (unlikely(!QUICK(last_ss)(v, l, VTD_SS_TABLE, at, &table)))
		return false;
	at = table.page | (at & 0xfff);
	/* What the first stage does not permit does not come to the second. */
	if (unlikely(at > v->h.env->ram_size - 8 || !QUICK(leaf)(v, l, k, at, false, &first) ||
		     ((access & HW_WRITE) && !(first.flags & VTD_F_RW)) ||
		     !QUICK(last_ss)(v, l, VTD_SS_PAGE, first.page, a)))
		return false;
	a->flags = QUICK(both)(first.flags, a->flags);
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

/*
 * By the flags RW, US, XD, SSR, SSW, DIRTY, CLOSER: lg2 of 4 KiB, access and deny of
 * struct vtd_front. Where the quick way has to look closer it denies one bit more, which
 * no request has.
 */
#define NEVER 0x4000u
#define WRITES (VTD_F_SSW | VTD_F_RW)
#define ACCESS(f) (((f) & VTD_F_SSR ? HW_READ : 0u) | (((f) & WRITES) == WRITES ? HW_WRITE : 0u))
#define DENY(f) (((f) & (VTD_F_US | VTD_F_CLOSER)) != VTD_F_US ? 0xffffu : \
		 (~ACCESS(f) | ((f) & VTD_F_DIRTY ? 0 : HW_WRITE)) & 0xffff & ~NEVER)
#define META(f) (12 | ACCESS(f) << 8 | DENY(f) << 16)
#define META8(f) META(f), META((f) + 1), META((f) + 2), META((f) + 3), META((f) + 4), \
		 META((f) + 5), META((f) + 6), META((f) + 7)
#define META64(f) META8(f), META8((f) + 8), META8((f) + 16), META8((f) + 24), META8((f) + 32), \
		  META8((f) + 40), META8((f) + 48), META8((f) + 56)
static const u32 QUICK(meta_of)[128] = {META64(0), META64(64)};
static_assert(offsetof(struct vtd_front, deny) == offsetof(struct vtd_front, lg2) + 2,
	      "three fields of the front are written at once");

/* Whether a request of these access, kind and no_fault_report needs what meta denies. */
CACHE_TARGET static inline bool QUICK(denied)(u32 how, u32 meta)
{
	return (how | NEVER) & (u32)((s32)meta >> 16);
}

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

/* A page that the IOTLB does not have: its tables. at: where it is to be filled. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(miss)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req, struct hw_resp *resp,
	    const struct cache_place at, enum vtd_mode mode)
{
	struct hw_cache *c = v->iotlb;
	const struct hw_env *e = v->h.env;
	struct answer a;
	u32 meta;

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
		a.entry = cache_view_fill(c, &l->view, &at, req->addr & ~0xfffULL,
					  a.page | a.flags, 0);
	if (unlikely(!a.entry))
		a.entry = QUICK(fill_slow)(c, l->view.key & SLOT_SPACE, req->addr & ~0xfffULL,
					   a.page | a.flags);
	QUICK(answer)(v, req, resp, &a, meta, 12);
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
		     !QUICK(bare)(v, &s, m, req->addr, &a) ||
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

/* The lane of a binding, made anew. False: its space has got another tag. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(lane_make)(struct vtd *v, struct vtd_lane *l, const struct hw_req *req)
{
	struct vtd_binding *b = &v->dev[req->sid].bind;
	const struct vtd_cfg *c = &b->cfg;

	l->who = 0;
	if (b->quick_gen != v->cfg_gen || b->pasid != req->pasid || v->h.env->fact)
		return false;
	*l = (struct vtd_lane){.who = vtd_who(v, req), .bind = b, .mode = c->mode,
			       .made = ++v->lanes_made};
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
	QUICK(missed)(v, l, req, resp, at);
	return true;
}

CACHE_TARGET static __attribute__((noinline)) void
QUICK(unusual)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd_lane *l = vtd_lane_of(v, req->sid);
	u32 how;

	memcpy(&how, &req->access, sizeof(how));
	v->hot = l;
	/* Nothing is known that could answer: neither a page nor a way to it. */
	if (!v->iotlb->live && !v->psc->live) {
		vtd_translate_slow(v, req, resp);
		return;
	}
	/* No more than read and write of an untranslated request. */
	if ((how & ~3u) || (l->who != vtd_who(v, req) && !QUICK(lane_make)(v, l, req)) ||
	    !QUICK(in_lane)(v, l, req, resp))
		vtd_translate_slow(v, req, resp);
}

/* A page of 4 KiB that the IOTLB has, or not: in as few instructions as may be. */
CACHE_TARGET static __attribute__((noinline)) void
QUICK(cached)(struct vtd *v, const struct hw_req *req, struct hw_resp *resp,
	      struct vtd_front *f, u64 who)
{
	struct vtd_lane *l = v->hot;
	struct hw_cache *c = v->iotlb;
	u64 addr = req->addr, said, page;
	struct cache_place at;
	struct cache_slot e;
	u32 how, m, way, meta;

	if (unlikely(l->who != who || l->usual != c->version || addr >= l->exact)) {
		QUICK(unusual)(v, req, resp);
		return;
	}
	at.key = addr >> 12 ^ l->view.fixed;
	at.set = (u32)at.key & c->set_mask;
	m = cache_match8(c->set[at.set].tag, cache_tag_of(at.key));
	if (!m) {
		QUICK(missed)(v, l, req, resp, at);
		return;
	}
	way = (u32)__builtin_ctz(m);
	e = c->slot[(size_t)at.set * WAYS + way];
	meta = QUICK(meta_of)[e.value & 127];
	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(e.key != l->view.key || e.id <= l->view.floor || QUICK(denied)(how, meta))) {
		QUICK(unusual)(v, req, resp);
		return;
	}
	cache_touch_in(c, at.set, way);
	page = e.value & ~VTD_F_MASK;
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
	if (likely(v->lane))
		QUICK(cached)(v, req, resp, f, who);
	else
		QUICK(uncached)(v, req, resp);
}
