// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translation tables in the formats of VMSAv8-64: stage 1, stage 2, and stage 1
 * through stage 2 (3.3, 3.13, 13.4; descriptors as in the A-profile architecture).
 */
#include "hw/smmuv3/walk_priv.h"

#define RETRIES 16
#define AGAIN 0xff

/* One walk of one stage. */
struct step {
	const struct smmu_tt *tt;
	const struct smmu_ste *via; /* stage 2 on the way, or NULL */
	u64 in;
	u64 table, hier, desc;
	u64 at, at_ipa;             /* of the descriptor */
	u32 level, shift;
	u32 class;
	bool s2;
};

static u8 fails(struct smmu_walk *w, const struct step *s, u8 event)
{
	return smmu_fault(w, event, s->s2, (u8)(s->s2 ? s->class : CLASS_IN), s->s2 ? s->in : 0);
}

static u8 eabt(struct smmu_walk *w, const struct step *s)
{
	w->f.fetch = s->at;
	return smmu_fault(w, F_WALK_EABT, s->s2, (u8)(s->s2 ? s->class : CLASS_TT), 0);
}

static inline u64 address_of(const struct smmu_walk *w, const struct step *s)
{
	u64 a = s->desc & 0x0000fffffffff000ull & ~((1ull << s->tt->lg2g) - 1);

	if (s->tt->lg2g == 16 && w->h->cap.oas == 52)
		a |= (s->desc >> 12 & 0xf) << 48;
	return a;
}

static inline bool block_allowed(const struct smmu_walk *w, const struct step *s)
{
	if (s->level == 2)
		return true;
	if (s->level != 1)
		return false;
	return s->tt->lg2g == 12 || (s->tt->lg2g == 16 && w->h->cap.oas == 52);
}

/* From s->table at s->level down to a leaf. */
static inline u8 descend(struct smmu_walk *w, struct step *s)
{
	const struct smmu_tt *tt = s->tt;
	const u32 stride = tt->lg2g - 3u;

	for (;; s->level++) {
		u32 bits = stride;

		s->shift = tt->lg2g + (3 - s->level) * stride;
		if (s->level == tt->level)
			bits = tt->ia - s->shift;
		s->at = s->table + ((s->in >> s->shift) & ((1ull << bits) - 1)) * 8;
		if (s->via) {
			s->at_ipa = s->at;
			if (!smmu_s2_word(w, s->via, s->at_ipa, CLASS_TT, &s->at))
				return w->f.event;
		}
		if (unlikely(!smmu_read(w, s->at, &s->desc)))
			return eabt(w, s);
		if (!(s->desc & 1))
			return fails(w, s, F_TRANSLATION);
		if (s->level == 3)
			return s->desc & D_TABLE ? 0 : fails(w, s, F_TRANSLATION);
		if (!(s->desc & D_TABLE))
			return block_allowed(w, s) ? 0 : fails(w, s, F_TRANSLATION);
		s->table = address_of(w, s);
		if (s->table >> tt->oa)
			return fails(w, s, F_ADDR_SIZE);
		if (!s->s2 && !tt->had)
			s->hier |= s->desc & T_ALL;
		smmu_walk_fill(w, tt->walk, s->in, s->shift,
			       s->table | (s->hier & T_ALL) | (s->level + 1));
	}
}

static inline void start(struct smmu_walk *w, struct step *s)
{
	const struct hw_cache_entry *e = NULL;

	s->table = s->tt->ttb;
	s->level = s->tt->level;
	s->hier = 0;
	if (w->h->walks && !w->truth) {
		smmu_walks_settle(w->h);
		e = hw_cache_find(w->h->cache[CACHE_WALK], s->tt->walk, s->in);
	}
	if (!e)
		return;
	s->table = e->value & ADDR_MASK;
	s->level = e->value & 7;
	s->hier = e->value & T_ALL;
}

static inline u32 leaf_lg2(const struct step *s)
{
	/* By granule and level: entries of a contiguous run, log2. */
	static const u8 run[4][4] = {{0}, {0, 4, 4, 4}, {0, 0, 5, 7}, {0, 0, 5, 5}};

	return s->shift + (s->desc & D_CONTIG ? run[s->tt->tg][s->level] : 0);
}

/* The descriptor gets its accessed and dirty bits: by compare-and-swap (3.13). */
static u8 update(struct smmu_walk *w, struct step *s, u64 desc)
{
	struct hw_env *e = w->h->base.env;
	u64 old = s->desc, at = s->at;

	if (w->truth)
		return 0;
	if (s->via) {
		struct smmu_leaf leaf;
		u8 need = w->need, event;

		w->need = PW;
		event = smmu_s2(w, s->via, s->at_ipa, CLASS_TT, &leaf);
		w->need = need;
		if (event) {
			w->f.ttrnw = false;
			return event;
		}
		at = leaf.pa;
		if (at > e->ram_size - 8)
			return eabt(w, s);
	}
	if (w->points) {
		hw_point(e, "smmu: update of a descriptor");
		if (smmu_overtaken(w))
			return eabt(w, s);
	}
	hw_wrote(e, at, 8);
	if (!__atomic_compare_exchange_n((u64 *)(e->ram + at), &old, desc, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return AGAIN;
	smmu_fact(w->h, HW_FACT_AD, at, s->desc, desc, 0);
	return 0;
}

/* --- stage 2 --- */

static u8 s2_denies(struct smmu_walk *w, const struct smmu_ste *ste, u64 ipa, u32 class, u64 value)
{
	w->f.ttrnw = !(w->need & (PW | UW)) || class != CLASS_TT;
	if (w->need & ~value)
		return smmu_fault(w, F_PERMISSION, true, (u8)class, ipa);
	if (class != CLASS_IN && ste->s2ptw && (value & V_DEVICE))
		return smmu_fault(w, F_PERMISSION, true, (u8)class, ipa);
	return 0;
}

/* Is a page that may be written about to be, and not marked so? */
static inline bool gets_dirty(const struct smmu_walk *w, u64 value)
{
	u64 writes = w->need & (PW | UW);

	if (w->atomic_dirty)
		writes |= w->access & HW_PRIV ? PW : UW;
	return (value & V_DIRTY) && (writes & value);
}

static u8 s2_finish(struct smmu_walk *w, const struct smmu_ste *ste, struct step *s,
		    struct smmu_leaf *leaf)
{
	const struct smmu_tt *tt = s->tt;
	u64 out = address_of(w, s) & ~((1ull << s->shift) - 1), desc = s->desc;
	u8 event;

	if (out >> tt->oa)
		return fails(w, s, F_ADDR_SIZE);
	if (!(desc & D_AF) && !tt->ha && !tt->affd)
		return fails(w, s, F_ACCESS);
	leaf->value = smmu_s2_perms(w->h, desc) | smmu_s2_attr(desc) | (u64)tt->tg << V_TG |
		      (u64)s->level << V_LEVEL;
	if (tt->hd && (desc & D_DBM) && !(desc & D_S2_WRITE))
		leaf->value |= PW | UW | V_DIRTY;
	event = s2_denies(w, ste, s->in, s->class, leaf->value);
	if (event)
		return event;
	if (tt->ha)
		desc |= D_AF;
	if (gets_dirty(w, leaf->value)) {
		desc |= D_S2_WRITE;
		leaf->value &= ~V_DIRTY;
	}
	if (desc != s->desc) {
		event = update(w, s, desc);
		if (event)
			return event;
	}
	leaf->lg2 = leaf_lg2(s);
	leaf->pa = out | (s->in & ((1ull << s->shift) - 1));
	smmu_tlb_fill(w, tt->space, s->in, leaf->lg2,
		      (leaf->pa & ~((1ull << leaf->lg2) - 1)) | leaf->value, 0);
	return 0;
}

/* Translates ipa for w->need at stage 2. Gives 0 or the event. */
u8 smmu_s2(struct smmu_walk *w, const struct smmu_ste *ste, u64 ipa, u32 class,
	   struct smmu_leaf *leaf)
{
	struct step s = {.tt = &ste->s2, .in = ipa, .class = class, .s2 = true};
	const struct hw_cache_entry *e = NULL;
	u8 event = AGAIN;

	if (ipa >> ste->s2.ia)
		return fails(w, &s, F_TRANSLATION);
	if (w->h->caching && !w->truth)
		e = hw_cache_find(w->h->cache[CACHE_TLB], ste->s2.space, ipa);
	if (e && !gets_dirty(w, e->value)) {
		if (class == CLASS_IN && !w->ctx->s1)
			w->entry = e->id;
		leaf->value = e->value & ~ADDR_MASK;
		leaf->lg2 = e->lg2;
		leaf->pa = (e->value & ADDR_MASK) | (ipa & ((1ull << e->lg2) - 1));
		return s2_denies(w, ste, ipa, class, e->value);
	}
	for (u32 i = 0; event == AGAIN && i < RETRIES; i++) {
		start(w, &s);
		event = descend(w, &s);
		if (!event)
			event = s2_finish(w, ste, &s, leaf);
	}
	return event == AGAIN ? eabt(w, &s) : event;
}

/* The physical address of a word of a table at an intermediate address. */
bool smmu_s2_word(struct smmu_walk *w, const struct smmu_ste *ste, u64 ipa, u8 class, u64 *pa)
{
	struct smmu_leaf leaf;
	u8 need = w->need;
	bool dirty = w->atomic_dirty;

	w->need = PR;
	w->atomic_dirty = false;
	if (!smmu_s2(w, ste, ipa, class, &leaf))
		*pa = leaf.pa;
	w->need = need;
	w->atomic_dirty = dirty;
	return !w->f.event;
}

/* --- stage 1 --- */

static u32 s1_perms(const struct smmu_tt *tt, bool user, bool writable, bool pxn, bool uxn)
{
	u32 p = PR;

	if (writable)
		p |= PW;
	if (tt->one) {
		if (!uxn && !(tt->wxn && writable))
			p |= PX;
		return p | p << 3;
	}
	/* What the unprivileged may write, the privileged may not execute. */
	if (!pxn && !(user && writable) && !(tt->wxn && writable))
		p |= PX;
	if (user)
		p |= UR;
	if (user && writable)
		p |= UW;
	if (!uxn && !(tt->wxn && user && writable))
		p |= UX;
	if (tt->pan && user)
		p &= ~(u32)(PR | PW);
	return p;
}

/* Of each kind of tables: bits one, WXN, PAN. */
void smmu_permissions_make(struct hw_smmuv3 *h)
{
	for (u32 kind = 0; kind < 8; kind++) {
		const struct smmu_tt tt = {.one = kind & 1, .wxn = kind & 2, .pan = kind & 4};

		for (u32 i = 0; i < 16; i++)
			h->perm[kind][i] = (u8)s1_perms(&tt, i & 1, !(i & 2), i & 4, i & 8);
	}
}

void smmu_permissions(const struct hw_smmuv3 *h, struct smmu_tt *tt)
{
	memcpy(tt->perm, h->perm[tt->one | tt->wxn << 1 | tt->pan << 2], sizeof(tt->perm));
}

static inline u64 s1_value(const struct smmu_walk *w, const struct step *s)
{
	const struct smmu_tt *tt = s->tt;
	bool below_ro = s->hier & T_RO, ro = s->desc & D_RO;
	bool clean = ro && !below_ro && tt->hd && (s->desc & D_DBM);
	bool user = (s->desc & D_USER) && !(s->hier & T_NO_USER);
	bool pxn = (s->desc >> 53 & 1) || (s->hier & T_PXN);
	bool uxn = (s->desc >> 54 & 1) || (s->hier & T_UXN);
	u64 v = s1_perms(tt, user, !below_ro && (!ro || clean), pxn, uxn);
	u64 attr = w->ctx->cd.mair >> (8 * (s->desc >> 2 & 7)) & 0xff;

	if (clean)
		v |= V_DIRTY;
	v |= (u64)tt->tg << V_TG | (u64)s->level << V_LEVEL | attr << V_ATTR;
	v |= (attr >> 4 ? s->desc >> 8 & 3 : 2) << V_SH;
	if (!(s->desc & D_NG) && !tt->one)
		v |= V_GLOBAL;
	return v;
}

static u8 s1_finish(struct smmu_walk *w, struct step *s, struct smmu_leaf *leaf)
{
	const struct smmu_tt *tt = s->tt;
	u64 out = address_of(w, s) & ~((1ull << s->shift) - 1), desc = s->desc;
	u8 event;

	if (out >> tt->oa)
		return fails(w, s, F_ADDR_SIZE);
	if (!(desc & D_AF) && !tt->ha && !tt->affd)
		return fails(w, s, F_ACCESS);
	leaf->value = s1_value(w, s);
	if (w->need & ~leaf->value)
		return fails(w, s, F_PERMISSION);
	if (tt->ha)
		desc |= D_AF;
	if (gets_dirty(w, leaf->value)) {
		desc &= ~D_RO;
		leaf->value &= ~V_DIRTY;
	}
	if (desc != s->desc) {
		event = update(w, s, desc);
		if (event)
			return event;
	}
	leaf->lg2 = leaf_lg2(s);
	leaf->pa = out | (s->in & ((1ull << s->shift) - 1));
	return 0;
}

static u8 s1_walk(struct smmu_walk *w, const struct smmu_tt *tt, u64 va, struct smmu_leaf *leaf)
{
	struct step s = {.tt = tt, .in = va, .via = w->ctx->s2 ? &w->ctx->ste : NULL};
	u8 event = AGAIN;

	for (u32 i = 0; event == AGAIN && i < RETRIES; i++) {
		start(w, &s);
		event = descend(w, &s);
		if (!event)
			event = s1_finish(w, &s, leaf);
	}
	return event == AGAIN ? eabt(w, &s) : event;
}

/* Which tables, and the address without a tag; NULL: no table covers it (3.4). */
static inline const struct smmu_tt *select_tables(const struct smmu_ctx *ctx, u64 *va)
{
	const struct smmu_cd *cd = &ctx->cd;
	bool high = *va >> 55 & 1;
	const struct smmu_tt *tt = &cd->tt[high && !cd->tt[0].one];
	u64 sign;

	if (tt->tbi)
		*va = high && !tt->one ? *va | 0xffull << 56 : *va & ~(0xffull << 56);
	if (tt->off)
		return NULL;
	sign = tt == &cd->tt[1] ? ~*va : *va;
	return sign >> tt->ia ? NULL : tt;
}

static void combine(struct smmu_walk *w, const struct smmu_leaf *s1, const struct smmu_leaf *s2)
{
	w->value = smmu_combined(s1->value, s2->value);
	w->pa = s2->pa;
	w->lg2 = (u8)min(s1->lg2, s2->lg2);
	w->extra = smmu_combined_extra(s1->pa & ~((1ull << w->lg2) - 1), s1->value, s2->value);
}

static void take_leaf(struct smmu_walk *w, const struct smmu_leaf *leaf)
{
	w->pa = leaf->pa;
	w->lg2 = (u8)leaf->lg2;
	w->value = leaf->value;
	w->extra = 0;
}

/* A hit: may the access do what it wants? A write to a clean page walks. */
static u8 use_entry(struct smmu_walk *w, const struct hw_cache_entry *e, u64 va)
{
	u64 offset = va & ((1ull << e->lg2) - 1);

	w->value = e->value & ~ADDR_MASK;
	w->extra = e->extra;
	w->lg2 = e->lg2;
	w->entry = e->id;
	w->pa = (e->value & ADDR_MASK) | offset;
	if (likely(!(w->need & ~e->value)))
		return 0;
	if (!(e->value & V_NESTED) || (w->need & ~(e->extra >> X_S1)))
		return smmu_fault(w, F_PERMISSION, false, CLASS_IN, 0);
	w->f.ttrnw = true;
	return smmu_fault(w, F_PERMISSION, true, CLASS_IN, (e->extra & ADDR_MASK) | offset);
}

/* What stage 1 gave goes through stage 2; not if it is of no use to an ATS request. */
static u8 through_s2(struct smmu_walk *w, const struct smmu_leaf *s1)
{
	struct smmu_leaf s2 = {.pa = 0, .value = 0, .lg2 = s1->lg2};
	u64 mine = w->access & HW_PRIV ? s1->value & 7 : s1->value >> 3 & 7;
	bool dirty = w->atomic_dirty;
	u8 event = 0;

	w->atomic_dirty = dirty && (mine & HW_WRITE);
	if (!w->ats || mine)
		event = smmu_s2(w, &w->ctx->ste, s1->pa, CLASS_IN, &s2);
	w->atomic_dirty = dirty;
	if (!event)
		combine(w, s1, &s2);
	return event;
}

static u8 translate_s1(struct smmu_walk *w)
{
	const struct smmu_ctx *ctx = w->ctx;
	struct hw_cache *tlb = w->h->cache[CACHE_TLB];
	u64 va = w->addr;
	const struct smmu_tt *tt = select_tables(ctx, &va);
	const struct hw_cache_entry *e = NULL;
	struct smmu_leaf s1;
	u32 space;
	u8 event;

	if (!tt)
		return smmu_fault(w, F_TRANSLATION, false, CLASS_IN, 0);
	if (w->h->caching && !w->truth && !w->stage1_only) {
		e = hw_cache_find(tlb, tt->space, va);
		if (!e)
			e = hw_cache_find(tlb, tt->global, va);
		if (e && !gets_dirty(w, e->value))
			return use_entry(w, e, va);
	}
	event = s1_walk(w, tt, va, &s1);
	if (event)
		return event;
	if (!ctx->s2 || w->stage1_only) {
		take_leaf(w, &s1);
	} else {
		event = through_s2(w, &s1);
		if (event)
			return event;
	}
	if (w->stage1_only || (w->ats && !(w->value & PERM_ALL)))
		return 0;
	space = w->value & V_GLOBAL ? tt->global : tt->space;
	smmu_tlb_fill(w, space, va, w->lg2, (w->pa & ~((1ull << w->lg2) - 1)) | w->value, w->extra);
	return 0;
}

/* Translates w->addr in w->ctx, some stage of which is on. Gives 0 or the event. */
u8 smmu_translate_walk(struct smmu_walk *w)
{
	const struct smmu_ctx *ctx = w->ctx;
	struct smmu_leaf leaf = {.pa = w->addr, .value = PERM_ALL, .lg2 = w->h->oa_bits};
	u8 event = 0;

	if (ctx->s1 && !w->stage2_only)
		return translate_s1(w);
	/* 3.4: what passes by stage 1 has to be an intermediate address. */
	if (w->addr & ~w->h->oa_mask)
		return smmu_fault(w, F_ADDR_SIZE, false, CLASS_IN, 0);
	if (ctx->s2 && !w->stage1_only)
		event = smmu_s2(w, &ctx->ste, w->addr, CLASS_IN, &leaf);
	take_leaf(w, &leaf);
	return event;
}

/* --- pages that are not there --- */

/* Tables on the way that the walk cache does not know yet. */
struct passed {
	u64 value[3];
	u8 lg2[3];
	u32 n;
};

/*
 * Down to a descriptor that is not valid, with nothing else of note on the way. Gives how many
 * were read; 0: it is otherwise.
 */
static inline u32 absent_below(const struct hw_smmuv3 *h, const struct smmu_tt *tt, u64 va,
			       const struct hw_cache_entry *known, struct passed *p)
{
	const struct hw_env *e = h->base.env;
	const u64 address = 0x0000fffffffff000ull & ~((1ull << tt->lg2g) - 1);
	const u64 above = ~0ull << tt->oa, limit = e->ram_size - 8, hiers = tt->had ? 0 : T_ALL;
	u64 table = known ? known->value & ADDR_MASK : tt->ttb;
	u64 hier = known ? known->value & T_ALL : 0, desc;
	u32 level = known ? known->value & 7 : tt->level, stride = tt->lg2g - 3u;
	u32 shift = tt->lg2g + (3 - level) * stride;
	u32 bits = level == tt->level ? tt->ia - shift : stride;

	p->n = 0;
	for (u32 n = 1;; n++, level++, shift -= stride, bits = stride) {
		u64 at = table + (va >> shift & ((1ull << bits) - 1)) * 8;

		if (at > limit)
			return 0;
		memcpy(&desc, e->ram + at, 8);
		if (!(desc & 1))
			return n;
		table = desc & address;
		if (level >= 3 || !(desc & D_TABLE) || (table & above))
			return 0;
		hier |= desc & hiers;
		p->lg2[p->n] = (u8)shift;
		p->value[p->n++] = table | hier | (level + 1);
	}
}

u32 smmu_absent(struct hw_smmuv3 *h, const struct smmu_ctx *ctx, const struct hw_req *req)
{
	u64 va = req->addr, rec[4];
	const struct smmu_tt *tt = select_tables(ctx, &va);
	const struct hw_cache_entry *known = NULL;
	struct passed p;
	u32 n;

	if (!ctx->quick || ctx->s2 || ctx->cd.s || !h->quick || !tt || tt->tbi ||
	    h->base.env->ram_size < 8)
		return 0;
	if (h->walks) {
		smmu_walks_settle(h);
		known = hw_cache_find(h->cache[CACHE_WALK], tt->walk, va);
	}
	n = absent_below(h, tt, va, known, &p);
	if (!n)
		return 0;
	if (p.n && h->walks)
		hw_cache_fill_around(h->cache[CACHE_WALK], tt->walk, va, p.n, p.lg2, p.value);
	if (!ctx->cd.r)
		return n;
	smmu_record_plain(req, F_TRANSLATION, rec);
	smmu_event(h, rec, ctx->ste.mev);
	return n;
}

u32 smmu_absent_truth(const struct hw_smmuv3 *h, const struct smmu_ctx *ctx, u64 va)
{
	const struct smmu_tt *tt = ctx->s1 ? select_tables(ctx, &va) : NULL;
	struct passed p;

	if (!tt || ctx->s2 || !h->cap.quick || h->cap.oas == 52 || h->base.env->ram_size < 8)
		return 0;
	return absent_below(h, tt, va, NULL, &p);
}
