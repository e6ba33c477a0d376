// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stream table: where the entry of a stream lies, how it is fetched word by
 * word, and which entries are illegal (5.1, 5.2, 7.3.3).
 */
#include "hw/smmuv3/smmu_priv.h"

u8 smmu_size_bits(u32 encoded)
{
	static const u8 bits[8] = {32, 36, 40, 42, 44, 48, 52, 52};

	return bits[encoded & 7];
}

bool smmu_granule(const struct hw_smmuv3 *h, u32 lg2g)
{
	static const u8 flag[] = {[12] = TG_4K, [14] = TG_16K, [16] = TG_64K};

	return lg2g < ARRAY_SIZE(flag) && (h->cap.gran & flag[lg2g]);
}

/* S2TG and TG0: 4K, 64K, 16K, reserved. */
static const u8 granule_of[4] = {12, 16, 14, 0};

/* Level of the first table of stage 2 by granule and S2SL0; 9: reserved. */
static u32 first_level(u32 lg2g, u32 sl0)
{
	if (lg2g == 12)
		return sl0 == 3 ? 9 : 2 - sl0;
	return sl0 == 3 ? 9 : 3 - sl0;
}

/* S2T0SZ, S2SL0 and S2TG must suit each other: up to 16 tables side by side at the first level. */
static bool s2_consistent(const struct hw_smmuv3 *h, u32 lg2g, u32 level, u32 ia)
{
	u32 stride = lg2g - 3, shift, most;

	if (level > 3)
		return false;
	/* The first level of the greatest reach is there for addresses that need it. */
	if (lg2g == 12 && level == 0 && h->oa_bits < 44)
		return false;
	if (lg2g == 14 && level == 1 && h->oa_bits < 42)
		return false;
	if (lg2g == 16 && level == 1 && h->oa_bits < 44)
		return false;
	shift = lg2g + (3 - level) * stride;
	most = lg2g == 12 && level == 0 ? stride : stride + 4;
	return ia > shift && ia - shift <= most;
}

static bool s2_legal(struct hw_smmuv3 *h, const u64 w[8], struct smmu_ste *ste)
{
	u32 t0sz = FIELD(w[2], STE2_S2T0SZ, 6), lg2g = granule_of[FIELD(w[2], STE2_S2TG, 2)];
	u32 least, ia = 64 - t0sz, bits, entries;
	bool ha = FLAG(w[2], STE2_S2HA), hd = FLAG(w[2], STE2_S2HD);
	struct smmu_tt *tt = &ste->s2;

	if ((h->cap.stall == 1 && ste->s2s) || (h->cap.stall == 2 && !ste->s2s))
		return false;
	if (!FLAG(w[2], STE2_S2AA64) || FLAG(w[2], STE2_S2ENDI))
		return false;
	if (((ha || hd) && !h->cap.httu) || (hd && h->cap.httu < 2))
		return false;
	if (!smmu_granule(h, lg2g))
		return false;
	least = 64u - h->oa_bits;
	least = max(least, lg2g == 16 ? 12u : 16u);
	if (t0sz < least || t0sz > 39)
		return false;
	tt->level = (u8)first_level(lg2g, FIELD(w[2], STE2_S2SL0, 2));
	if (!s2_consistent(h, lg2g, tt->level, ia))
		return false;
	tt->oa = min(smmu_size_bits(FIELD(w[2], STE2_S2PS, 3)), h->oa_bits);
	tt->ttb = w[3] & 0x000ffffffffffff0ull;
	bits = lg2g == 16 ? tt->oa : min(tt->oa, (u8)48);
	if (tt->ttb >> bits)
		return false;
	entries = ia - (lg2g + (3u - tt->level) * (lg2g - 3));
	tt->ttb &= ~((8ull << entries) - 1);
	tt->lg2g = (u8)lg2g;
	tt->tg = (u8)((lg2g - 10) / 2);
	tt->ia = (u8)ia;
	tt->ha = ha;
	tt->hd = hd && ha;
	tt->affd = FLAG(w[2], STE2_S2AFFD);
	return true;
}

static bool ats_legal(const struct hw_smmuv3 *h, const struct smmu_ste *ste)
{
	if (!h->cap.ats || !(ste->config & 3))
		return true;
	if (ste->eats == 2)
		return ste->config == 7 && !ste->s2s && !h->cap.ns1ats;
	return !(ste->eats == 1 && ste->s2s && (ste->config & 2));
}

static bool s1_legal(struct hw_smmuv3 *h, struct smmu_ste *ste)
{
	if (ste->s1stalld && h->cap.stall != 0)
		return false;
	if (!h->cap.ssid)
		ste->s1cdmax = 0;
	if (ste->s1cdmax > h->cap.ssid)
		return false;
	if (!ste->s1cdmax || ste->s1fmt == 3)
		ste->s1fmt = 0;
	if (ste->s1fmt && !h->cap.cd2l)
		return false;
	/* 3.4.3, note 1 and choice a of note 2. */
	return !(ste->s1ctx & ~h->oa_mask);
}

static bool legal(struct hw_smmuv3 *h, const u64 w[8], struct smmu_ste *ste)
{
	u32 strw = FIELD(w[1], STE1_STRW, 2);
	bool strw_used = h->cap.s1p && h->cap.hyp && ste->config == 5;

	if (!(ste->config & 4))
		return true;
	if (((ste->config & 1) && !h->cap.s1p) || ((ste->config & 2) && !h->cap.s2p))
		return false;
	if (!ats_legal(h, ste))
		return false;
	if (strw_used && (strw & 1))
		return false;
	ste->world = WORLD_EL1;
	if (strw_used && strw == 2)
		ste->world = h->reg[R_CR2] & CR2_E2H ? WORLD_E2H : WORLD_EL2;
	if ((ste->config & 1) && !s1_legal(h, ste))
		return false;
	if ((ste->config & 2) && !s2_legal(h, w, ste))
		return false;
	if (!h->cap.s2p || ste->config == 4 || ste->world != WORLD_EL1)
		ste->vmid = 0;
	return h->cap.vmid16 || ste->vmid < 256;
}

void smmu_decode_ste(struct hw_smmuv3 *h, const u64 w[8], struct smmu_ste *ste)
{
	memset(ste, 0, sizeof(*ste));
	ste->config = (u8)FIELD(w[0], STE0_CONFIG, 3);
	ste->s1fmt = (u8)FIELD(w[0], STE0_S1FMT, 2);
	ste->s1ctx = w[0] & 0x00ffffffffffffc0ull;
	ste->s1cdmax = (u8)FIELD(w[0], STE0_S1CDMAX, 5);
	ste->s1dss = (u8)FIELD(w[1], STE1_S1DSS, 2);
	ste->ppar = FLAG(w[1], STE1_PPAR);
	ste->mev = FLAG(w[1], STE1_MEV);
	ste->s1stalld = FLAG(w[1], STE1_S1STALLD);
	ste->eats = (u8)FIELD(w[1], STE1_EATS, 2);
	ste->shcfg = (u8)FIELD(w[1], STE1_SHCFG, 2);
	ste->mtcfg = FLAG(w[1], STE1_MTCFG);
	ste->memattr = (u8)FIELD(w[1], STE1_MEMATTR, 4);
	if (h->cap.ovr) {
		ste->privcfg = (u8)FIELD(w[1], STE1_PRIVCFG, 2);
		ste->instcfg = (u8)FIELD(w[1], STE1_INSTCFG, 2);
	}
	ste->vmid = (u16)FIELD(w[2], STE2_S2VMID, 16);
	ste->s2s = FLAG(w[2], STE2_S2S);
	ste->s2r = FLAG(w[2], STE2_S2R);
	ste->s2ptw = FLAG(w[2], STE2_S2PTW);
	if (!FLAG(w[0], STE0_V) || !legal(h, w, ste))
		ste->bad = C_BAD_STE;
}

/* It may be what the slot of this stream has, of another time. */
static void meaning_of(struct smmu_walk *w, const u64 word[8], struct smmu_ctx *ctx)
{
	struct hw_smmuv3 *h = w->h;
	const struct smmu_ctx *slot = smmu_ctx_slot(h, w->sid, w->pasid);
	u32 how = 1 | (u32)(h->reg[R_CR2] & CR2_E2H) << 1;

	if (h->cap.quick && slot->ste_of.how == how &&
	    smmu_same_words(slot->ste_of.word, word, SMMU_STE_WORDS)) {
		if (slot == ctx)
			return;
		ctx->ste = slot->ste;
	} else {
		smmu_decode_ste(h, word, &ctx->ste);
	}
	ctx->ste_of.how = how;
	memcpy(ctx->ste_of.word, word, sizeof(ctx->ste_of.word));
}

/* --- where it lies --- */

static u8 fetch_failed(struct smmu_walk *w, u64 pa)
{
	w->f.event = F_STE_FETCH;
	w->f.fetch = pa;
	return F_STE_FETCH;
}

static u8 level1(struct smmu_walk *w, u32 split, u64 *std)
{
	struct hw_smmuv3 *h = w->h;
	const struct hw_cache_entry *e = NULL;
	struct hw_cache_entry fill;
	u64 pa = h->reg[R_STRTAB_BASE] & 0x000fffffffffffc0ull;
	u32 lg2 = FIELD(h->reg[R_STRTAB_BASE_CFG], 0, 6), l1;

	l1 = min(lg2, (u32)h->cap.sid);
	l1 = l1 > split ? l1 - split : 0;
	if (l1 + 3 > 6)
		pa &= ~((8ull << l1) - 1);
	pa += (u64)(w->sid >> split) * 8;
	if (h->config_cache && !w->truth)
		e = hw_cache_find(h->cache[CACHE_L1STD], h->l1std_space, w->sid);
	if (e) {
		*std = e->value;
		return 0;
	}
	if (!smmu_read(w, pa, std))
		return fetch_failed(w, pa);
	if (!h->config_cache || w->truth || w->gen != h->gen)
		return 0;
	fill = (struct hw_cache_entry){.value = *std, .addr = w->sid, .space = h->l1std_space,
				       .lg2 = (u8)split};
	hw_cache_fill(h->cache[CACHE_L1STD], &fill, w->prov, 0);
	return 0;
}

static u8 bad_streamid(struct smmu_walk *w)
{
	w->f.event = C_BAD_STREAMID;
	return C_BAD_STREAMID;
}

static u8 locate(struct smmu_walk *w, u64 *pa)
{
	struct hw_smmuv3 *h = w->h;
	u64 cfg = h->reg[R_STRTAB_BASE_CFG], std, base;
	u32 lg2 = min(FIELD(cfg, 0, 6), (u32)h->cap.sid), split = FIELD(cfg, STRTAB_CFG_SPLIT, 5);
	u32 span;
	u8 event;

	if (lg2 < 32 && w->sid >> lg2)
		return bad_streamid(w);
	base = h->reg[R_STRTAB_BASE] & 0x000fffffffffffc0ull;
	if (!h->cap.st2 || FIELD(cfg, STRTAB_CFG_FMT, 2) != 1) {
		*pa = (base & ~((64ull << lg2) - 1)) + (u64)w->sid * 64;
		return 0;
	}
	if (split != 8 && split != 10)
		split = 6;
	event = level1(w, split, &std);
	if (event)
		return event;
	span = FIELD(std, L1STD_SPAN, 5);
	if (!span || span > split + 1 || (w->sid & ((1u << split) - 1)) >> (span - 1))
		return bad_streamid(w);
	base = std & 0x00ffffffffffffc0ull & h->oa_mask;
	base &= ~((64ull << (span - 1)) - 1);
	*pa = base + (u64)(w->sid & ((1u << (span - 1)) - 1)) * 64;
	return 0;
}

/* Gives 0 or the event; the entry is then in ctx->ste. A bad one is an entry too. */
u8 smmu_fetch_ste(struct smmu_walk *w, struct smmu_ctx *ctx)
{
	u64 word[8], pa;
	u8 event = locate(w, &pa);

	if (event)
		return event;
	if (!smmu_read_at_once(w, pa, word)) {
		for (u32 i = 0; i < 8; i++) {
			if (!smmu_read(w, pa + 8 * i, &word[i]))
				return fetch_failed(w, pa);
		}
	}
	meaning_of(w, word, ctx);
	if (!w->truth)
		smmu_ste_keep(w, ctx);
	return 0;
}
