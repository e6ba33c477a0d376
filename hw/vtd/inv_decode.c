// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation descriptors: which exist, what they may hold, what they do to our
 * own caches (6.5.2); and the two registers that do the same (6.5.1).
 */
#include "hw/vtd/vtd_priv.h"

#define TYPE_BITS 0xe0fULL

struct descriptor {
	u64 fields[2];     /* bits that are not reserved, besides the type's */
	bool scalable;     /* only in scalable mode, only 256 bits wide */
	bool wide;         /* words 2 and 3 are used */
	u16 needs;         /* offset in struct vtd_knobs of what has to be there; 0: nothing */
};

#define DID 0xffff0000ULL
#define PASID (0xfffffULL << 32)
#define SID (0xffffULL << 32)
#define ADDR (~0xfffULL)
#define G (3ULL << 4)
#define NEEDS(knob) offsetof(struct vtd_knobs, knob)

static const struct descriptor table[] = {
	[VTD_INV_CONTEXT] = {{G | DID | SID | 3ULL << 48, 0}, false, false, 0},
	[VTD_INV_IOTLB] = {{G | 0xc0 | DID, ADDR | 0x7f}, false, false, 0},
	[VTD_INV_DEVTLB] = {{0x1fULL << 16 | SID, ADDR | 1}, false, false, NEEDS(ats)},
	[VTD_INV_IEC] = {{1 << 4 | 0x1fULL << 27 | SID, 0}, false, false, NEEDS(ir)},
	[VTD_INV_WAIT] = {{0xf0 | ~0ULL << 32, ~3ULL}, false, false, 0},
	[VTD_INV_PASID_IOTLB] = {{G | DID | PASID, ADDR | 0x7f}, true, false, NEEDS(scalable)},
	[VTD_INV_PASID_CACHE] = {{G | DID | PASID, 0}, true, false, NEEDS(scalable)},
	[VTD_INV_PASID_DEVTLB] = {{0x1f0 | DID | PASID, ADDR | 0x801}, true, false, NEEDS(ats)},
	[VTD_INV_PAGE_RESPONSE] = {{1 << 4 | 0xf000 | DID | PASID, 0xffc}, true, true, NEEDS(prs)},
};

static u32 granularity(const struct vtd_cmd *c)
{
	return (u32)vtd_bits(c->d[0], 4, 2);
}

/* Which types there are, a bit each: what the options decide. */
u32 vtd_inv_types(const struct vtd_knobs *k)
{
	u32 types = 0, value;

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		memcpy(&value, (const char *)k + table[i].needs, sizeof(value));
		if (table[i].fields[0] && (!table[i].needs || value))
			types |= 1u << i;
	}
	return types;
}

/* Granularities that do not exist, masks that are too large, and what a capability allows. */
static inline bool fields_good(const struct vtd *v, const struct vtd_cmd *c)
{
	u32 g = granularity(c);
	bool range;

	switch (c->type) {
	case VTD_INV_CONTEXT:
		return g != 0;
	case VTD_INV_IOTLB:
		range = g == 3 && v->k.psi;
		return g != 0 && !(range && (c->d[1] & VTD_IVA_AM) > v->k.mamv);
	case VTD_INV_PASID_IOTLB:
		return g >= 2; /* PSI and MAMV say nothing of these (11.4.2 MAMV) */
	case VTD_INV_PASID_CACHE:
		return g != 2;
	case VTD_INV_IEC:
		return !(c->d[0] & 1 << 4) || vtd_bits(c->d[0], 27, 5) <= v->k.mhmv;
	case VTD_INV_WAIT:
		return v->k.pds || !(c->d[0] & VTD_WAIT_PD);
	}
	return true;
}

u32 vtd_inv_check(const struct vtd *v, const struct vtd_cmd *c)
{
	bool wide = vtd_get64(v, VTD_IQA) & VTD_IQA_DW;
	const struct descriptor *d;

	static_assert(ARRAY_SIZE(table) <= 32, "a bit for each type");

	if (c->type >= ARRAY_SIZE(table) || !(v->inv_types >> c->type & 1))
		return VTD_IQEI_TYPE;
	d = &table[c->type];
	if (d->scalable && !v->k.scalable)
		return VTD_IQEI_TYPE;
	if (d->scalable && !wide)
		return VTD_IQEI_WIDTH;
	if (d->scalable && v->ttm != VTD_TTM_SCALABLE)
		return VTD_IQEI_TTM;
	if ((c->d[0] & ~(d->fields[0] | TYPE_BITS)) || (c->d[1] & ~d->fields[1]) ||
	    (!d->wide && (c->d[2] | c->d[3])))
		return VTD_IQEI_RESERVED;
	return fields_good(v, c) ? 0 : VTD_IQEI_RESERVED;
}

/* Pages [addr, *last] of an address with its mask: low bits of the address do not count. */
static u64 range_of(u64 word, u64 *last)
{
	u32 lg2 = 12 + (u32)(word & VTD_IVA_AM);
	u64 size = lg2 < 64 ? 1ULL << lg2 : 0, addr = lg2 < 64 ? word & ~(size - 1) : 0;

	*last = addr + size - 1;
	return addr;
}

static void iotlb(struct vtd *v, u32 g, u16 did, u64 word)
{
	u64 addr, last;

	if (g == 3 && !v->k.psi)
		g = 2;
	addr = range_of(word, &last);
	vtd_drop_iotlb(v, g, did, addr, last, word & VTD_IVA_IH);
}

static void pasid_iotlb(struct vtd *v, const struct vtd_cmd *c)
{
	u64 tag = vtd_bits(c->d[0], 16, 16) | vtd_bits(c->d[0], 32, 20) << 16, addr = 1, last = 0;

	if (granularity(c) == 3)
		addr = range_of(c->d[1], &last);
	vtd_drop_piotlb(v, tag, addr, last, c->d[1] & VTD_IVA_IH);
}

void vtd_inv_effect(struct vtd *v, const struct vtd_cmd *c)
{
	u64 d0 = c->d[0];
	u16 did = (u16)vtd_bits(d0, 16, 16);

	switch (c->type) {
	case VTD_INV_CONTEXT:
		vtd_drop_context(v, granularity(c), did, (u16)vtd_bits(d0, 32, 16),
				 (u32)vtd_bits(d0, 48, 2));
		break;
	case VTD_INV_IOTLB:
		iotlb(v, granularity(c), did, c->d[1]);
		break;
	case VTD_INV_PASID_IOTLB:
		pasid_iotlb(v, c);
		break;
	case VTD_INV_PASID_CACHE:
		vtd_drop_pasid(v, granularity(c), did, (u32)vtd_bits(d0, 32, 20));
		break;
	case VTD_INV_IEC:
		vtd_drop_iec(v, !(d0 & 1 << 4), (u32)vtd_bits(d0, 32, 16),
			     (u32)vtd_bits(d0, 27, 5));
		break;
	case VTD_INV_PAGE_RESPONSE:
		vtd_page_response(v, c);
		break;
	}
}

/* --- by register (11.4.6) --- */

void vtd_ccmd(struct vtd *v)
{
	u64 word = vtd_get64(v, VTD_CCMD), done = 0;
	u32 g = (u32)vtd_bits(word, VTD_CCMD_CIRG_SHIFT, 2);

	/* CAIG 0: refused. While the queue is on, it is the only way in (6.5). */
	if (g && !(vtd_get(v, VTD_GSTS) & VTD_G_QIE)) {
		vtd_drop_context(v, g, (u16)word, (u16)vtd_bits(word, VTD_CCMD_SID_SHIFT, 16),
				 (u32)vtd_bits(word, VTD_CCMD_FM_SHIFT, 2));
		done = g;
	} else {
		vtd_protocol(v, "CCMD: no granularity, or the invalidation queue is on", word, 0);
	}
	word &= ~(VTD_CCMD_ICC | 3ULL << VTD_CCMD_CAIG_SHIFT);
	vtd_set64(v, VTD_CCMD, word | done << VTD_CCMD_CAIG_SHIFT);
}

void vtd_iotlb_command(struct vtd *v)
{
	u64 word = vtd_get64(v, VTD_IOTLB), iva = vtd_get64(v, VTD_IVA), done = 0;
	u32 g = (u32)vtd_bits(word, VTD_IOTLB_IIRG_SHIFT, 2);

	if (g == 3 && v->k.psi && (iva & VTD_IVA_AM) > v->k.mamv)
		g = 0;
	if (g && !(vtd_get(v, VTD_GSTS) & VTD_G_QIE)) {
		iotlb(v, g, (u16)vtd_bits(word, VTD_IOTLB_DID_SHIFT, 16), iva);
		done = g == 3 && !v->k.psi ? 2 : g;
	} else {
		vtd_protocol(v, "IOTLB: no granularity, or the invalidation queue is on", word,
			     iva);
	}
	word &= ~(VTD_IOTLB_IVT | 3ULL << VTD_IOTLB_IAIG_SHIFT);
	vtd_set64(v, VTD_IOTLB, word | done << VTD_IOTLB_IAIG_SHIFT);
}
