// SPDX-License-Identifier: GPL-2.0-only
/*
 * Context descriptors: which one a transaction uses, how it is fetched (through
 * stage 2 where that is on), which are illegal (5.3, 5.4), and the context that
 * an STE and a CD make together.
 */
#include "hw/smmuv3/smmu_priv.h"

static const u8 granule0[4] = {12, 16, 14, 0}, granule1[4] = {0, 14, 12, 16};

static bool table_legal(const struct hw_smmuv3 *h, u64 word0, u64 ttb, u32 n,
			struct smmu_tt *tt)
{
	u32 t = FIELD(word0, n ? CD0_T1SZ : CD0_T0SZ, 6), entries, shift, limit;
	u32 lg2g = n ? granule1[FIELD(word0, CD0_TG1, 2)] : granule0[FIELD(word0, CD0_TG0, 2)];
	u32 least = lg2g == 16 && h->cap.oas == 52 ? 12 : 16;

	if (!smmu_granule(h, lg2g) || t < least || t > 39)
		return false;
	tt->lg2g = (u8)lg2g;
	tt->tg = (u8)((lg2g - 10) / 2);
	tt->ia = (u8)(64 - t);
	tt->level = (u8)(3 - (tt->ia - 1 - lg2g) / (lg2g - 3));
	tt->ttb = ttb & 0x000ffffffffffff0ull;
	limit = lg2g == 16 ? tt->oa : min(tt->oa, (u8)48);
	if (tt->ttb >> limit)
		return false;
	shift = lg2g + (3u - tt->level) * (lg2g - 3);
	entries = tt->ia - shift;
	/* The table is aligned to its size; to 64 bytes where addresses have 52 bits. */
	tt->ttb &= ~((8ull << entries) - 1);
	if (tt->oa == 52)
		tt->ttb &= ~63ull;
	return true;
}

static bool faults_legal(const struct hw_smmuv3 *h, const struct smmu_ste *ste,
			 const struct smmu_cd *cd)
{
	if (ste->s1stalld && cd->s)
		return false;
	if (h->cap.term && !cd->a)
		return false;
	return !(h->cap.stall == 1 && cd->s) && !(h->cap.stall == 2 && !cd->s);
}

static bool legal(struct hw_smmuv3 *h, const struct smmu_ste *ste, const u64 w[8],
		  struct smmu_cd *cd)
{
	bool ha = FLAG(w[0], CD0_HA), hd = FLAG(w[0], CD0_HD);
	bool one = ste->world == WORLD_EL2;
	u8 oa = min(smmu_size_bits(FIELD(w[0], CD0_IPS, 3)), h->oa_bits);

	if (!faults_legal(h, ste, cd) || !FLAG(w[0], CD0_AA64))
		return false;
	if (((ha || hd) && !h->cap.httu) || (hd && h->cap.httu < 2))
		return false;
	for (u32 n = 0; n < 2; n++) {
		struct smmu_tt *tt = &cd->tt[n];

		tt->oa = oa;
		tt->one = one;
		tt->off = one ? n == 1 : FLAG(w[0], n ? CD0_EPD1 : CD0_EPD0);
		tt->tbi = FLAG(w[0], n && !one ? CD0_TBI1 : CD0_TBI0);
		tt->had = h->cap.had && FLAG(w[1 + n], CD1_HAD);
		tt->ha = ha;
		tt->hd = hd && ha;
		tt->affd = FLAG(w[0], CD0_AFFD);
		tt->wxn = FLAG(w[0], CD0_WXN);
		tt->pan = !one && FLAG(w[0], CD0_PAN);
		if (!tt->off && !table_legal(h, w[0], w[1 + n], n, tt))
			return false;
	}
	if (FLAG(w[0], CD0_ENDI) && !(cd->tt[0].off && cd->tt[1].off))
		return false;
	if (one)
		cd->asid = 0;
	return h->cap.asid16 || cd->asid < 256;
}

void smmu_decode_cd(struct hw_smmuv3 *h, const struct smmu_ste *ste, const u64 w[8],
		    struct smmu_cd *cd)
{
	memset(cd, 0, sizeof(*cd));
	cd->s = FLAG(w[0], CD0_S);
	cd->r = FLAG(w[0], CD0_R);
	cd->a = FLAG(w[0], CD0_A);
	cd->asid = (u16)FIELD(w[0], CD0_ASID, 16);
	cd->mair = w[3];
	if (!FLAG(w[0], CD0_V) || !legal(h, ste, w, cd))
		cd->bad = C_BAD_CD;
	for (u32 n = 0; !cd->bad && n < 2; n++)
		smmu_permissions(h, &cd->tt[n]);
}

/* It may be what the slot of this stream has, of another time. */
static void meaning_of(struct smmu_walk *w, const u64 word[8], struct smmu_ctx *ctx)
{
	const struct smmu_ctx *slot = smmu_ctx_slot(w->h, w->sid, w->pasid);
	u32 how = 1 | (u32)ctx->ste.world << 1 | (u32)ctx->ste.s1stalld << 8;

	if (w->h->cap.quick && slot->cd_of.how == how &&
	    smmu_same_words(slot->cd_of.word, word, SMMU_CD_WORDS)) {
		if (slot == ctx)
			return;
		ctx->cd = slot->cd;
	} else {
		smmu_decode_cd(w->h, &ctx->ste, word, &ctx->cd);
	}
	ctx->cd_of.how = how;
	memcpy(ctx->cd_of.word, word, sizeof(ctx->cd_of.word));
}

static u8 bad_substream(struct smmu_walk *w)
{
	w->f.event = C_BAD_SUBSTREAMID;
	return C_BAD_SUBSTREAMID;
}

/* One word of a CD table: an intermediate address where stage 2 is on. */
static u8 table_word(struct smmu_walk *w, const struct smmu_ste *ste, u64 at, u64 *value)
{
	u64 pa = at;

	if ((ste->config & 2) && !smmu_s2_word(w, ste, at, CLASS_CD, &pa))
		return w->f.event;
	if (smmu_read(w, pa, value))
		return 0;
	w->f.event = F_CD_FETCH;
	w->f.fetch = pa;
	return F_CD_FETCH;
}

static u8 leaf_of(struct smmu_walk *w, const struct smmu_ste *ste, u32 ssid, u64 *cd_at)
{
	struct hw_smmuv3 *h = w->h;
	u32 split = ste->s1fmt == 1 ? 6 : 10, l1 = ste->s1cdmax > split ? ste->s1cdmax - split : 0;
	u64 at = ste->s1ctx, l1cd, key = (u64)w->sid << SMMU_SSID_BITS | ssid;
	const struct hw_cache_entry *e = NULL;
	struct hw_cache_entry fill;
	u8 event;

	if (l1 > 3)
		at &= ~((8ull << l1) - 1);
	if (h->config_cache && !w->truth)
		e = hw_cache_find(h->cache[CACHE_L1CD], h->l1cd_space, key);
	if (e) {
		l1cd = e->value;
	} else {
		event = table_word(w, ste, at + (u64)(ssid >> split) * 8, &l1cd);
		if (event)
			return event;
		fill = (struct hw_cache_entry){.value = l1cd, .addr = key,
					       .space = h->l1cd_space, .lg2 = (u8)split};
		if (h->config_cache && !w->truth && w->gen == h->gen)
			hw_cache_fill(h->cache[CACHE_L1CD], &fill, w->prov, 0);
	}
	at = l1cd & 0x00fffffffffff000ull;
	if (!FLAG(l1cd, L1CD_V) || (at & ~h->oa_mask))
		return bad_substream(w);
	if (split == 10)
		at &= ~0xffffull;
	*cd_at = at + (u64)(ssid & ((1u << split) - 1)) * 64;
	return 0;
}

u8 smmu_fetch_cd(struct smmu_walk *w, u32 ssid, struct smmu_ctx *ctx)
{
	const struct smmu_ste *ste = &ctx->ste;
	u64 word[8], at = ste->s1ctx;
	u8 event;

	if (ste->s1fmt) {
		event = leaf_of(w, ste, ssid, &at);
		if (event)
			return event;
	} else if (ste->s1cdmax) {
		at = (at & ~((64ull << ste->s1cdmax) - 1)) + (u64)ssid * 64;
	}
	if ((ste->config & 2) || !smmu_read_at_once(w, at, word)) {
		for (u32 i = 0; i < 8; i++) {
			event = table_word(w, ste, at + 8 * i, &word[i]);
			if (event)
				return event;
		}
	}
	meaning_of(w, word, ctx);
	if (!w->truth)
		smmu_cd_keep(w, ssid, ctx);
	return 0;
}

/*
 * Which CD, if any (5.2, S1CDMax and S1DSS; 7.3.7, 7.3.9).
 * Gives 0 or the event; *s1: stage 1 translates.
 */
u8 smmu_config_of(struct smmu_walk *w, const struct smmu_ste *ste, bool *s1, u32 *ssid)
{
	*s1 = false;
	*ssid = 0;
	if (w->pasid != HW_NO_PASID) {
		if (!(ste->config & 1) || !ste->s1cdmax || w->pasid >> ste->s1cdmax)
			return bad_substream(w);
		if (ste->s1dss == 2 && w->pasid == 0) {
			w->f.event = F_STREAM_DISABLED;
			return F_STREAM_DISABLED;
		}
		*s1 = true;
		*ssid = w->pasid;
		return 0;
	}
	if (!(ste->config & 1))
		return 0;
	if (!ste->s1cdmax) {
		*s1 = true;
		return 0;
	}
	if (ste->s1dss == 0 || ste->s1dss == 3) {
		w->f.event = F_STREAM_DISABLED;
		return F_STREAM_DISABLED;
	}
	*s1 = ste->s1dss == 2;
	return 0;
}

/* What a cache holds becomes the context's, if it is not already. */
static void take_ste(struct smmu_ctx *ctx, const struct smmu_ste_kept *kept)
{
	if (ctx->ste_of.how == kept->of.how &&
	    smmu_same_words(ctx->ste_of.word, kept->of.word, SMMU_STE_WORDS))
		return;
	ctx->ste = kept->ste;
	ctx->ste_of = kept->of;
}

static void take_cd(struct smmu_ctx *ctx, const struct smmu_cd_kept *kept)
{
	if (ctx->cd_of.how == kept->of.how &&
	    smmu_same_words(ctx->cd_of.word, kept->of.word, SMMU_CD_WORDS))
		return;
	ctx->cd = kept->cd;
	ctx->cd_of = kept->of;
}

static u8 resolve_cd(struct smmu_walk *w, struct smmu_ctx *ctx)
{
	const struct smmu_cd_kept *kept = NULL;
	u32 ssid;
	u8 event = smmu_config_of(w, &ctx->ste, &ctx->s1, &ssid);

	if (event || !ctx->s1)
		return event;
	if (w->h->config_cache && !w->truth)
		kept = smmu_cd_cached(w->h, w->sid, ssid);
	if (kept)
		take_cd(ctx, kept);
	else
		event = smmu_fetch_cd(w, ssid, ctx);
	if (!event && ctx->cd.bad)
		event = w->f.event = ctx->cd.bad;
	return event;
}

static u8 resolve_ste(struct smmu_walk *w, struct smmu_ctx *ctx)
{
	const struct smmu_ste_kept *kept = NULL;
	u8 event = 0;

	if (w->h->config_cache && !w->truth)
		kept = smmu_ste_cached(w->h, w->sid);
	if (kept)
		take_ste(ctx, kept);
	else
		event = smmu_fetch_ste(w, ctx);
	if (event) {
		ctx->ste_of.how = 0;
		ctx->ste.bad = event;
		return event;
	}
	return w->f.event = ctx->ste.bad;
}

/*
 * Where the context is made: in its slot, which is void, or, where others could see or use
 * that meanwhile, apart from it.
 */
static struct smmu_ctx *place_of(struct smmu_walk *w, struct smmu_ctx *slot)
{
	struct smmu_ctx *ctx = &w->local;

	if (!w->truth && !w->points && slot->gen != w->h->cfg_gen)
		return slot;
	ctx->ste_of.how = ctx->cd_of.how = 0;
	return ctx;
}

/* Both entries, and what tags translations. Gives 0 or the event. */
static u8 make_context(struct smmu_walk *w, struct smmu_ctx *ctx)
{
	bool spaces = (w->h->caching || w->h->walks) && !w->truth;
	u8 event = resolve_ste(w, ctx);

	if (event)
		return event;
	ctx->s1 = ctx->quick = false;
	ctx->s2 = ctx->ste.config & 2;
	/* The caller decides first whether this stream translates at all. */
	if (!(ctx->ste.config & 4))
		return 0;
	if (spaces && ctx->s2)
		smmu_spaces(w->h, ctx); /* a CD may be fetched through it */
	event = resolve_cd(w, ctx);
	if (event || w->truth)
		return event;
	if (spaces)
		smmu_spaces(w->h, ctx);
	ctx->quick = ctx->s1 && !((ctx->ste.privcfg | ctx->ste.instcfg) & 2);
	return 0;
}

/* Leaves the context in w->ctx. Gives 0 or the event. */
u8 smmu_resolve(struct smmu_walk *w)
{
	struct hw_smmuv3 *h = w->h;
	u64 who = (u64)w->pasid << 32 | w->sid;
	struct smmu_ctx *slot = smmu_ctx_slot(h, w->sid, w->pasid), *ctx;
	u8 event;

	if (likely(!w->truth && slot->who == who && slot->gen == h->cfg_gen)) {
		w->ctx = slot;
		/* At a point the slot may get another owner. */
		if (w->points) {
			w->local = *slot;
			w->ctx = &w->local;
		}
		return 0;
	}
	w->ctx = ctx = place_of(w, slot);
	ctx->who = who;
	event = make_context(w, ctx);
	if (event || w->truth || !(ctx->ste.config & 4) || !h->config_cache || w->gen != h->gen)
		return event;
	if (ctx != slot)
		*slot = *ctx;
	slot->gen = h->cfg_gen;
	h->substreams |= w->pasid != HW_NO_PASID;
	smmu_lane_make(h, slot);
	if (!w->points)
		w->ctx = slot;
	return 0;
}
