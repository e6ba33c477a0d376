// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID directory and PASID table (9.5, 9.6), and the cache over them.
 *
 * A cached entry is two words: ss = SSPTPTR with word 0's low bits, PWSNP and
 * PGSNP in bits 10 and 11, the low 12 bits of the domain on top; fs = FSPTPTR
 * with word 2's low byte, the domain's other 4 bits in 55:52.
 */
#include "hw/vtd/vtd_priv.h"

#define PACK_PWSNP VTD_BIT(10)
#define PACK_PGSNP VTD_BIT(11)

static bool fail(struct vtd_walk *w, u8 reason)
{
	w->reason = reason;
	return false;
}

/* 9.6: what a present entry may hold, as far as the PGTT tells. */
static bool programmed_well(const struct vtd *v, const u64 pe[8])
{
	u32 pgtt = (u32)vtd_bits(pe[0], VTD_PE0_PGTT_SHIFT, 3);
	u32 aw = (u32)vtd_bits(pe[0], VTD_PE0_AW_SHIFT, 3);
	u32 mode = (u32)vtd_bits(pe[2], VTD_PE2_FSPM_SHIFT, 2);
	bool fs = pgtt == VTD_PGTT_FS || pgtt == VTD_PGTT_NESTED;
	bool ss = pgtt == VTD_PGTT_SS || pgtt == VTD_PGTT_NESTED;

	if (!fs && !ss && pgtt != VTD_PGTT_PASS)
		return false;
	if ((fs && !v->k.fs) || (ss && !v->k.ss) || (pgtt == VTD_PGTT_NESTED && !v->k.nest) ||
	    (pgtt == VTD_PGTT_PASS && !v->k.pt))
		return false;
	if (ss && (aw < 1 || aw > 3 || 30 + 9 * aw > v->k.sagaw))
		return false;
	if (fs && (mode > 1 || (mode == 1 && !v->k.fl5)))
		return false;
	return !((pe[1] & VTD_PE1_DID) >> (4 + 2 * v->k.nd));
}

static bool reserved_clear(const struct vtd *v, const u64 pe[8])
{
	u64 high = ~v->addr_mask & ~0xfffULL, bad;

	bad = pe[0] & (0xc00 | VTD_BIT(5) | high);
	bad |= pe[1] & ~(VTD_PE1_DID | VTD_PE1_PWSNP | VTD_PE1_PGSNP);
	bad |= pe[2] & (0xf00 | high);
	bad |= pe[3] | pe[4] | pe[5] | pe[6] | pe[7];
	bad |= v->k.ssads ? 0 : pe[0] & VTD_PE0_SSADE;
	bad |= v->k.smpwc ? 0 : pe[1] & VTD_PE1_PWSNP;
	bad |= v->k.sc ? 0 : pe[1] & VTD_PE1_PGSNP;
	bad |= v->k.srs ? 0 : pe[2] & (VTD_PE2_SRE | VTD_PE2_SMEP);
	bad |= v->k.ers ? 0 : pe[2] & (VTD_PE2_ERE | VTD_PE2_NXE | VTD_PE2_SMEP);
	bad |= v->k.eafs ? 0 : pe[2] & VTD_PE2_EAFE;
	return !bad;
}

static bool fetch(struct vtd_walk *w, u64 dir, u32 pasid, u64 packed[2])
{
	const struct vtd *v = w->v;
	bool snoop = v->k.coherent;
	u64 de, pe[8];

	if (!vtd_read(w, dir + (u64)(pasid >> 6) * 8, snoop, &de))
		return fail(w, VTD_FR_S_DIR_ACCESS);
	w->fpd |= !!(de & VTD_FPD);
	if (!(de & VTD_P))
		return fail(w, VTD_FR_S_DIR_P);
	if ((de & 0xffc) || (de & ~v->addr_mask & ~0xfffULL))
		return fail(w, VTD_FR_S_DIR_RESERVED);
	if (!vtd_read_words(w, (de & v->addr_mask) + (pasid & 63) * 64, pe, 8))
		return fail(w, VTD_FR_S_PE_ACCESS);
	w->fpd |= !!(pe[0] & VTD_FPD);
	if (!(pe[0] & VTD_P))
		return fail(w, VTD_FR_S_PE_P);
	if (!reserved_clear(v, pe))
		return fail(w, VTD_FR_S_PE_RESERVED);
	if (!programmed_well(v, pe))
		return fail(w, VTD_FR_S_PE_INVALID);
	packed[0] = (pe[0] & (v->addr_mask | 0x3ff)) | (pe[1] & 0xfff) << 52;
	packed[0] |= pe[1] & VTD_PE1_PWSNP ? PACK_PWSNP : 0;
	packed[0] |= pe[1] & VTD_PE1_PGSNP ? PACK_PGSNP : 0;
	packed[1] = (pe[2] & (v->addr_mask | 0xff)) | (pe[1] >> 12 & 0xf) << 52;
	return true;
}

static void unpack(struct vtd_walk *w, const u64 p[2], u32 pasid)
{
	static const u8 modes[] = {[VTD_PGTT_FS] = VTD_MODE_FS,
				   [VTD_PGTT_SS] = VTD_MODE_SS,
				   [VTD_PGTT_NESTED] = VTD_MODE_NESTED,
				   [VTD_PGTT_PASS] = VTD_MODE_PASS};
	struct vtd_cfg *c = &w->cfg;

	*c = (struct vtd_cfg){.pasid = pasid, .fpd = w->fpd};
	c->mode = modes[vtd_bits(p[0], VTD_PE0_PGTT_SHIFT, 3) % ARRAY_SIZE(modes)];
	w->v->nested |= c->mode == VTD_MODE_NESTED;
	c->did = (u16)(p[0] >> 52 | (p[1] >> 52 & 0xf) << 12);
	c->ss_root = p[0] & w->v->addr_mask;
	c->fs_root = p[1] & w->v->addr_mask;
	c->ss_levels = (u8)(vtd_bits(p[0], VTD_PE0_AW_SHIFT, 3) + 2);
	c->fs_levels = p[1] & (1 << VTD_PE2_FSPM_SHIFT) ? 5 : 4;
	c->ssade = p[0] & VTD_PE0_SSADE;
	c->pwsnp = p[0] & PACK_PWSNP;
	c->pgsnp = p[0] & PACK_PGSNP;
	c->sre = p[1] & VTD_PE2_SRE;
	c->ere = p[1] & VTD_PE2_ERE;
	c->wpe = p[1] & VTD_PE2_WPE;
	c->nxe = p[1] & VTD_PE2_NXE;
	c->smep = p[1] & VTD_PE2_SMEP;
	c->eafe = p[1] & VTD_PE2_EAFE;
	c->tag = vtd_tag(c->did, pasid, c->mode);
}

static void fill(struct vtd_walk *w, const u64 packed[2], u32 pasid)
{
	struct vtd *v = w->v;
	struct hw_cache_entry e = {.addr = pasid, .value = packed[0], .extra = packed[1]};

	if (!vtd_may_fill(w) || !v->keeps)
		return;
	if (w->reason) {
		if (!v->k.policy.negative)
			return;
		e.value = w->fpd ? VTD_FPD : 0;
		e.extra = w->reason;
	}
	e.space = hw_space(v->pasid, w->req->sid);
	vtd_fill(w, v->pasid, &e);
}

bool vtd_pasid_config(struct vtd_walk *w, const u64 ctx[2], u32 pasid)
{
	struct vtd *v = w->v;
	const struct hw_cache_entry *e = NULL;
	u64 packed[2] = {0, 0};

	if (!w->pure && v->keeps)
		e = hw_cache_find(v->pasid, hw_space_find(v->pasid, w->req->sid), pasid);
	if (e) {
		packed[0] = e->value;
		packed[1] = e->extra;
		w->fpd |= !!(packed[0] & VTD_FPD);
		if (!(packed[0] & VTD_P))
			return fail(w, (u8)packed[1]);
	} else {
		bool ok = fetch(w, ctx[0] & v->addr_mask, pasid, packed);

		fill(w, packed, pasid);
		if (!ok)
			return false;
	}
	unpack(w, packed, pasid);
	return true;
}
