// SPDX-License-Identifier: GPL-2.0-only
/*
 * What invalidation commands drop (4.3, 4.4): exactly their scope. The persona
 * maxinv is the other extreme that is legal: everything.
 */
#include "hw/smmuv3/smmu_priv.h"

struct scope {
	struct hw_smmuv3 *h;
	u64 mask, match; /* of tags */
	u64 first, last; /* addresses */
	u32 level;       /* 4: any */
};

#define LEVEL_ANY 4u

static bool in_scope(void *arg, const struct hw_cache_entry *e, u64 tag)
{
	const struct scope *s = arg;
	u64 end = e->addr + ((1ull << e->lg2) - 1);

	if ((tag & s->mask) != s->match || e->addr > s->last || end < s->first)
		return false;
	return s->level == LEVEL_ANY || (e->value >> V_LEVEL & 3) == s->level;
}

static bool walk_in_scope(void *arg, const struct hw_cache_entry *e, u64 tag)
{
	const struct scope *s = arg;
	u64 end = e->addr + ((1ull << e->lg2) - 1);

	if ((tag & s->mask) != s->match || e->addr > s->last || end < s->first)
		return false;
	/* A table at or above the leaf's level lies on the way to it. */
	return s->level == LEVEL_ANY || (e->value & 7) <= s->level;
}

/* --- by tag --- */

static u64 vmid_mask(const struct hw_smmuv3 *h)
{
	u32 vmw = FIELD(h->reg[R_CR0ACK], CR0_VMW, 3);

	return (0xffffull & ~((1ull << (vmw <= 4 ? vmw : 0)) - 1)) << TAG_VMID;
}

static void drop_tags(struct hw_smmuv3 *h, u64 mask, u64 match)
{
	match &= mask;
	hw_cache_drop_tags(h->cache[CACHE_TLB], mask, match);
	hw_cache_drop_tags(h->cache[CACHE_WALK], mask, match);
}

/* --- by address --- */

/* The spaces of one address: of each granule, of the ASID and global. */
static void drop_spaces(const struct scope *s, struct hw_cache *c, u64 tag, u32 tg)
{
	if (!hw_cache_count(c))
		return;
	for (u32 g = 1; g <= 3; g++) {
		u32 space;

		if ((tg && g != tg) || !(s->h->tg_seen >> g & 1))
			continue;
		space = hw_space_find(c, tag | (u64)g << TAG_TG);
		if (space)
			hw_cache_drop_range(c, space, s->first, s->last);
	}
}

static void range_of(const struct hw_smmuv3 *h, const u64 w[2], struct scope *s)
{
	u32 tg = h->cap.ril ? FIELD(w[1], CMD1_TG, 2) : 0, ttl = FIELD(w[1], CMD1_TTL, 2);
	u64 pages;

	s->first = w[1] & ~0xfffull;
	s->last = s->first;
	s->level = LEVEL_ANY;
	if (!tg)
		return;
	pages = (u64)(FIELD(w[0], CMD0_NUM, 5) + 1) << FIELD(w[0], CMD0_SCALE, 5);
	s->last = s->first + (pages << (10 + 2 * tg)) - 1;
	if (s->last < s->first)
		s->last = ~0ull;
	if (ttl && !(tg == 2 && ttl == 1))
		s->level = ttl;
}

static void drop_address(struct hw_smmuv3 *h, const u64 w[2], u64 mask, u64 match)
{
	struct scope s = {.h = h};
	bool leaf = FLAG(w[1], CMD1_LEAF);
	u32 tg = h->cap.ril ? FIELD(w[1], CMD1_TG, 2) : 0;
	const u64 whole = TAG_WORLD | TAG_S2 | 0xffffffffull << TAG_VMID | 1ull << 63;
	u64 any = 3ull << TAG_TG, global = match & TAG_S2 ? 0 : TAG_GLOBAL;

	range_of(h, w, &s);
	/* Not a whole tag, or only some levels: look at each entry. */
	if (s.level != LEVEL_ANY || (mask & whole) != whole) {
		s.mask = mask | (tg ? any : 0);
		s.match = (match | (u64)tg << TAG_TG) & s.mask;
		hw_cache_drop_if(h->cache[CACHE_TLB], in_scope, &s);
		/* Global translations of the address, whatever the ASID. */
		if (global && (mask & 0xffffull << TAG_ASID)) {
			s.mask &= ~(0xffffull << TAG_ASID);
			s.mask |= TAG_GLOBAL;
			s.match = (s.match & s.mask) | TAG_GLOBAL;
			hw_cache_drop_if(h->cache[CACHE_TLB], in_scope, &s);
		}
		if (leaf)
			return;
		s.mask = mask | (tg ? any : 0);
		s.match = (match | (u64)tg << TAG_TG) & s.mask;
		hw_cache_drop_if(h->cache[CACHE_WALK], walk_in_scope, &s);
		return;
	}
	drop_spaces(&s, h->cache[CACHE_TLB], match, tg);
	if (global)
		drop_spaces(&s, h->cache[CACHE_TLB],
			    (match & ~(0xffffull << TAG_ASID)) | TAG_GLOBAL, tg);
	if (!leaf)
		drop_spaces(&s, h->cache[CACHE_WALK], match, tg);
}

/* --- structures --- */

static void drop_streams(struct hw_smmuv3 *h, u64 first, u64 last, bool l1)
{
	u64 low = first << SMMU_SSID_BITS, high = (last << SMMU_SSID_BITS) | 0xfffff;

	hw_cache_drop_range(h->cache[CACHE_STE], h->ste_space, first, last);
	hw_cache_drop_range(h->cache[CACHE_CD], h->cd_space, low, high);
	hw_cache_drop_range(h->cache[CACHE_L1CD], h->l1cd_space, low, high);
	if (l1)
		hw_cache_drop_range(h->cache[CACHE_L1STD], h->l1std_space, first, last);
}

/* The context of a stream and substream is void. */
static void forget(struct hw_smmuv3 *h, u32 sid, u32 pasid)
{
	u32 i = smmu_ctx_index(sid, pasid);

	if (h->ctx[i].who != ((u64)pasid << 32 | sid))
		return;
	h->ctx[i].gen = h->lane[i].gen = 0;
	h->hot = &h->nobody;
}

/* Contexts that an STE or a CD was part of; others are as good as before. */
static void forget_contexts(struct hw_smmuv3 *h, const u64 w[2])
{
	u32 sid = (u32)(w[0] >> CMD0_SID), ssid = FIELD(w[0], CMD0_SSID, 20);

	if ((w[0] & 0xff) == CMD_CFGI_CD) {
		forget(h, sid, ssid);
		/* What has no SubstreamID may use the first CD. */
		if (!ssid)
			forget(h, sid, HW_NO_PASID);
	} else if ((w[0] & 0xff) == CMD_CFGI_STE && !h->substreams) {
		forget(h, sid, HW_NO_PASID);
	} else {
		smmu_contexts_void(h);
	}
}

static void drop_config(struct hw_smmuv3 *h, const u64 w[2])
{
	u64 sid = w[0] >> CMD0_SID, span = (2ull << FIELD(w[1], CMD1_RANGE, 5)) - 1;
	u64 cd = sid << SMMU_SSID_BITS | FIELD(w[0], CMD0_SSID, 20);

	forget_contexts(h, w);
	switch (w[0] & 0xff) {
	case CMD_CFGI_STE:
		drop_streams(h, sid, sid, !FLAG(w[1], CMD1_LEAF));
		break;
	case CMD_CFGI_STE_RANGE:
		drop_streams(h, sid & ~span, sid | span, true);
		break;
	case CMD_CFGI_CD:
		hw_cache_drop_range(h->cache[CACHE_CD], h->cd_space, cd, cd);
		if (!FLAG(w[1], CMD1_LEAF))
			hw_cache_drop_range(h->cache[CACHE_L1CD], h->l1cd_space, cd, cd);
		break;
	default:
		cd = sid << SMMU_SSID_BITS;
		hw_cache_drop_range(h->cache[CACHE_CD], h->cd_space, cd, cd | 0xfffff);
		hw_cache_drop_range(h->cache[CACHE_L1CD], h->l1cd_space, cd, cd | 0xfffff);
	}
}

static void drop_all(struct hw_smmuv3 *h)
{
	smmu_contexts_void(h);
	for (u32 i = 0; i < CACHES; i++)
		hw_cache_drop_all(h->cache[i]);
}

/* Of translations. */
static void drop_translations(struct hw_smmuv3 *h, const u64 w[2])
{
	const u64 world = TAG_WORLD | TAG_S2, asid_mask = 0xffffull << TAG_ASID;
	const u64 e2h = h->reg[R_CR2] & CR2_E2H ? WORLD_E2H : WORLD_EL2;
	u64 vm = vmid_mask(h), top = 1ull << 63, all = world | vm | top;
	u64 vmid = h->cap.s2p ? (u64)FIELD(w[0], CMD0_VMID, 16) << TAG_VMID : 0;
	u64 asid = (u64)FIELD(w[0], CMD0_ASID, 16) << TAG_ASID;
	u64 vmid_full = 0xffffull << TAG_VMID;

	vmid &= vm;
	switch (w[0] & 0xff) {
	case CMD_TLBI_NH_ALL:
		drop_tags(h, all, vmid | top);
		break;
	case CMD_TLBI_NH_ASID:
		drop_tags(h, all | TAG_GLOBAL | asid_mask, vmid | asid | top);
		break;
	case CMD_TLBI_NH_VA:
		drop_address(h, w, all | asid_mask, vmid | asid | top);
		break;
	case CMD_TLBI_NH_VAA:
		drop_address(h, w, all, vmid | top);
		break;
	case CMD_TLBI_EL2_ALL:
		drop_tags(h, TAG_WORLD, WORLD_EL2);
		drop_tags(h, TAG_WORLD, WORLD_E2H);
		break;
	case CMD_TLBI_EL2_ASID:
		drop_tags(h, TAG_WORLD | TAG_GLOBAL | asid_mask, WORLD_E2H | asid);
		break;
	case CMD_TLBI_EL2_VA:
		if (e2h == WORLD_EL2)
			asid = 0;
		drop_address(h, w, world | vmid_full | asid_mask | top, e2h | asid | top);
		break;
	case CMD_TLBI_EL2_VAA:
		drop_address(h, w, world | top, e2h | top);
		break;
	case CMD_TLBI_S12_VMALL:
		drop_tags(h, TAG_WORLD | vm | top, vmid | top);
		break;
	case CMD_TLBI_S2_IPA:
		drop_address(h, w, world | vm | asid_mask | top, TAG_S2 | vmid | top);
		break;
	case CMD_TLBI_NSNH_ALL:
		drop_tags(h, TAG_WORLD, WORLD_EL1);
		break;
	}
}

/* A command takes effect. */
void smmu_invalidate(struct hw_smmuv3 *h, const u64 w[2])
{
	u32 op = w[0] & 0xff;

	if (h->cap.persona == PERSONA_MAXINV)
		drop_all(h);
	else if (op >= CMD_TLBI_NH_ALL)
		drop_translations(h, w);
	else
		drop_config(h, w);
}
