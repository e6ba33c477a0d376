/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the quick ways have in common: words of memory, walks without caches and from the
 * last table that is known, what entries say, and what answers need of it.
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

/* Down from the first of `levels` tables to where the last entry lies, of any stage. */
CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(down_to)(const struct sight *s, u64 table, u32 levels, u64 addr, u64 *at, struct bits *b)
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
	*at = table + (addr >> 9 & 0xff8);
	return true;
}

CACHE_TARGET static inline __attribute__((always_inline)) bool
QUICK(down)(const struct sight *s, u64 table, u32 levels, u64 addr, u64 *leaf, struct bits *b)
{
	u64 at;

	return QUICK(down_to)(s, table, levels, addr, &at, b) && QUICK(word)(s, at, leaf);
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

/* The memory around pa has to be the same the next time: a piece of 32 bytes. */
CACHE_TARGET static inline bool QUICK(trail_piece)(const struct sight *s, struct vtd_trail *t,
						   u64 pa)
{
	u64 at = pa & ~31ULL;

	if (at + 24 > s->limit)
		return false;
	/* Walks of the second stage have their upper entries in common. */
	for (u32 i = 0; i < t->n; i++) {
		if (t->at[i] == at)
			return true;
	}
	t->at[t->n] = at;
	memcpy(t->was[t->n++], s->ram + at, 32);
	return true;
}

/* A word, for the trail as well. */
CACHE_TARGET static inline bool QUICK(step)(const struct sight *s, struct vtd_trail *t, u64 pa,
					    u64 *value)
{
	t->reads++;
	return QUICK(word)(s, pa, value) && QUICK(trail_piece)(s, t, pa);
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

/* Configuration is as the memo has it. */
CACHE_TARGET static inline bool QUICK(trail_config)(const struct sight *s, struct vtd_trail *t,
						    const struct vtd_memo *m)
{
	t->n = 0;
	for (u32 i = 0; i < m->n; i++) {
		if (!QUICK(trail_piece)(s, t, m->word[i].pa))
			return false;
	}
	return true;
}

/* Down to the last table of the first stage: b[0], by the second one: b[1]. */
CACHE_TARGET static inline bool
QUICK(trail_fs)(const struct sight *s, const struct vtd_cfg *c, u64 addr, u64 bad,
		struct vtd_trail *t, struct bits b[2])
{
	u64 gpa = c->fs_root, leaf, e;

	for (u32 level = 4;; level--) {
		if (gpa >> 48 || !QUICK(trail_ss)(s, t, c, gpa, &b[1]) ||
		    !QUICK(step)(s, t, t->ss_table + (gpa >> 9 & 0xff8), &leaf) || (leaf & bad))
			return false;
		b[1].all &= leaf;
		t->fs_table = leaf & s->mask;
		if (level == 1)
			return true;
		if (!QUICK(step)(s, t, t->fs_table + (addr >> (9 * level) & 0xff8), &e))
			return false;
		gpa = e & s->mask;
		b[0].all &= e;
		b[0].any |= e;
	}
}

/* The trail of addr: to the last tables of both stages. False: something is out of order. */
CACHE_TARGET static __attribute__((noinline)) bool
QUICK(trail_make)(const struct vtd *v, const struct sight *s, const struct vtd_memo *m,
		  u64 addr, struct vtd_trail *t)
{
	const struct vtd_cfg *c = &m->cfg;
	const u64 bad = v->ss_reserved[1][0] | v->ss_reserved[1][1];
	struct bits b[2] = {{~0ULL, 0}, {~0ULL, 0}}, ss = {~0ULL, 0};
	u64 gpa, e;

	t->gen = 0;
	t->reads = m->n + 2;
	/* Interrupts share 2 MiB with pages. */
	if (addr >> 21 == VTD_INTERRUPT_BASE >> 21 || !QUICK(trail_config)(s, t, m) ||
	    !QUICK(trail_fs)(s, c, addr, bad, t, b) || t->fs_table + 4088 > s->limit)
		return false;
	/* The page of addr, for the tables of the second stage that it lies in. */
	memcpy(&e, s->ram + t->fs_table + (addr >> 9 & 0xff8), 8);
	gpa = e & s->mask;
	if (gpa >> 48 || !QUICK(trail_ss)(s, t, c, gpa, &ss) || t->ss_table + 4088 > s->limit ||
	    !(b[1].all & VTD_SS_R) || (c->ssade && !(b[1].all & VTD_SS_A)))
		return false;
	/* They are looked at by fours. */
	for (; t->n % 4; t->n++) {
		t->at[t->n] = t->at[0];
		memcpy(t->was[t->n], t->was[0], 32);
	}
	t->gpa_range = gpa >> 21;
	t->range = addr >> 21;
	t->fs[0] = b[0].all;
	t->fs[1] = b[0].any;
	/* Of the tables' translations only that they may be read counts. */
	t->ss[0] = ss.all;
	t->ss[1] = ss.any | b[1].any;
	t->gen = m->gen;
	t->who = m->sid | (u64)m->pasid << 32;
	return true;
}

/* Whether each piece of it still is what it was. */
#ifdef CACHE_AVX2
CACHE_TARGET static inline __m256i QUICK(changed)(const u8 *is, const u64 *was)
{
	/* lddqu: of an ordinary load the compiler makes two halves. */
	return _mm256_xor_si256(_mm256_lddqu_si256((const __m256i *)is),
				_mm256_load_si256((const __m256i *)was));
}

CACHE_TARGET static inline bool QUICK(trail_good)(const u8 *ram, const struct vtd_trail *t)
{
	const u64 *at = t->at, *end = t->at + t->n, *was = t->was[0];
	__m256i differ = _mm256_setzero_si256();

	for (; at < end; at += 4, was += 16) {
		differ |= QUICK(changed)(ram + at[0], was);
		differ |= QUICK(changed)(ram + at[1], was + 4);
		differ |= QUICK(changed)(ram + at[2], was + 8);
		differ |= QUICK(changed)(ram + at[3], was + 12);
	}
	return _mm256_testz_si256(differ, differ);
}
#else
static inline bool QUICK(trail_good)(const u8 *ram, const struct vtd_trail *t)
{
	u64 differ = 0, is[4];

	for (u32 i = 0; i < t->n; i++) {
		memcpy(is, ram + t->at[i], 32);
		differ |= (is[0] ^ t->was[i][0]) | (is[1] ^ t->was[i][1]) |
			  (is[2] ^ t->was[i][2]) | (is[3] ^ t->was[i][3]);
	}
	return !differ;
}
#endif

/* What the leaves of both stages mean together: dirty is what is so in both. */
CACHE_TARGET static inline u32 QUICK(both)(u32 first, u32 second)
{
	return (second & (first | ~(u32)VTD_F_DIRTY)) | (first & ~(u32)VTD_F_DIRTY);
}

/* The leaves of addr at the end of its trail, and what they mean together. */
CACHE_TARGET static inline bool QUICK(trail_end)(const struct vtd *v, const struct sight *s,
						 struct vtd_trail *t,
						 const struct vtd_cfg *c, u64 addr,
						 struct answer *a)
{
	const struct bits fs = {t->fs[0], t->fs[1]}, ss = {t->ss[0], t->ss[1]};
	u32 first, second;
	u64 e, leaf;

	memcpy(&e, s->ram + t->fs_table + (addr >> 9 & 0xff8), 8);
	if ((e & s->mask) >> 21 != t->gpa_range)
		return false;
	memcpy(&leaf, s->ram + t->ss_table + (e >> 9 & 0xff8), 8);
	first = QUICK(fs_flags)(v, c, &fs, e);
	second = QUICK(ss_flags)(v, c, &ss, leaf);
	t->first = e & ~VTD_IN_2M;
	t->attrs = leaf & ~s->mask;
	a->flags = first && second ? QUICK(both)(first, second) : 0;
	t->meta = QUICK(meta_of)[a->flags & 127];
	a->page = leaf & s->mask;
	a->reads = t->reads;
	return a->flags;
}

CACHE_TARGET static inline u64 QUICK(asker)(const struct hw_req *req)
{
	u64 who;

	/* sid and pasid at once */
	memcpy(&who, &req->sid, sizeof(who));
	return who;
}

CACHE_TARGET static inline struct vtd_trail *QUICK(trail_of)(const struct vtd *v,
							     const struct hw_req *req)
{
	return &v->trail[(req->addr >> 21 ^ req->sid) % VTD_TRAILS];
}

/* Whose it is, and where; not whether memory still is as it was. */
CACHE_TARGET static inline u64 QUICK(trail_other)(const struct vtd *v, const struct vtd_trail *t,
						  const struct hw_req *req)
{
	return (t->gen ^ v->cfg_gen) | (t->who ^ QUICK(asker)(req)) | (t->range ^ req->addr >> 21);
}

CACHE_TARGET static inline bool QUICK(bare_nested)(const struct vtd *v, const struct sight *s,
						   const struct vtd_memo *m,
						   const struct hw_req *req, struct answer *a)
{
	struct vtd_trail *t = QUICK(trail_of)(v, req);

	if (!QUICK(trail_other)(v, t, req) && QUICK(trail_good)(s->ram, t) &&
	    QUICK(trail_end)(v, s, t, &m->cfg, req->addr, a))
		return true;
	return QUICK(same_config)(s, m) && QUICK(trail_make)(v, s, m, req->addr, t) &&
	       QUICK(trail_end)(v, s, t, &m->cfg, req->addr, a);
}

CACHE_TARGET static inline bool QUICK(bare)(const struct vtd *v, const struct sight *s,
					    const struct vtd_memo *m, const struct hw_req *req,
					    struct answer *a)
{
	const struct vtd_cfg *c = &m->cfg;
	struct bits b = {~0ULL, 0};
	u64 addr = req->addr;
	u32 levels = c->mode == VTD_MODE_SS ? c->ss_levels : c->fs_levels;
	u64 table = c->mode == VTD_MODE_SS ? c->ss_root : c->fs_root, leaf;

	if (c->mode == VTD_MODE_NESTED)
		return c->fs_levels == 4 && c->ss_levels == 4 &&
		       QUICK(bare_nested)(v, s, m, req, a);
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

/*
 * The last entry of addr may not be in any cache of the processor. What memory says above
 * it now is there sooner than what the paging-structure cache says: so its line comes while
 * that one is looked at. Nothing follows from it.
 */
CACHE_TARGET static inline void QUICK(fetch_last)(const struct vtd *v, const struct vtd_cfg *c,
						  u64 addr)
{
	const struct sight s = {v->h.env->ram, v->h.env->ram_size - 8, v->addr_mask};
	bool ss = c->mode == VTD_MODE_SS;
	struct bits b = {0, 0};
	u64 at;

	if (QUICK(down_to)(&s, ss ? c->ss_root : c->fs_root, ss ? c->ss_levels : c->fs_levels,
			   addr, &at, &b) && at <= s.limit)
		__builtin_prefetch(s.ram + at);
}

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
	if (b->cfg.mode != VTD_MODE_NESTED)
		QUICK(fetch_last)(v, &b->cfg, addr);
	slot = cache_quick_find(c, space, addr);
	if (slot >= CACHE_ASK || c->slot[slot].key >> 24 != 21)
		return false;
	value = c->slot[slot].value;
	/* A nested first stage has its tables where the second one says. */
	if ((ss || b->cfg.mode != VTD_MODE_NESTED) &&
	    (value & ~VTD_F_MASK) + 4088 > v->h.env->ram_size - 8)
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
	v->youngest = NULL;
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

/* --- answers --- */

/* Whether tables have this address at all (3.6, 3.7). */
CACHE_TARGET static inline bool QUICK(covered)(const struct vtd_cfg *c, u64 addr)
{
	u32 unused = 64 - (12 + 9 * c->fs_levels);

	if (c->mode == VTD_MODE_SS)
		return !(addr >> (12 + 9 * c->ss_levels));
	return (u64)((s64)(addr << unused) >> unused) == addr;
}

/* Whether a request of these access, kind and no_fault_report needs what meta denies. */
CACHE_TARGET static inline bool QUICK(denied)(u32 how, u32 meta)
{
	return (how | NEVER) & (u32)((s32)meta >> 16);
}
