/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of VMSAv8-64, and what becomes of a leaf's bits.
 */
#pragma once

#include "hw/smmuv3/smmu_priv.h"

#define D_TABLE 2ull
#define D_RO (1ull << 7)        /* stage 1 AP[2] */
#define D_USER (1ull << 6)      /* stage 1 AP[1] */
#define D_S2_READ (1ull << 6)
#define D_S2_WRITE (1ull << 7)
#define D_AF (1ull << 10)
#define D_NG (1ull << 11)
#define D_DBM (1ull << 51)
#define D_CONTIG (1ull << 52)
#define T_PXN (1ull << 59)
#define T_UXN (1ull << 60)
#define T_NO_USER (1ull << 61)
#define T_RO (1ull << 62)
#define T_ALL (T_PXN | T_UXN | T_NO_USER | T_RO)

#define PR HW_READ
#define PW HW_WRITE
#define PX HW_EXEC
#define UR (HW_READ << 3)
#define UW (HW_WRITE << 3)
#define UX (HW_EXEC << 3)

static inline u64 smmu_s2_perms(const struct hw_smmuv3 *h, u64 desc)
{
	u64 p = 0, xn = desc >> 53 & 3;

	if (desc & D_S2_READ)
		p |= PR | UR;
	if (desc & D_S2_WRITE)
		p |= PW | UW;
	/* XN[1:0]: all, unprivileged only, nobody, privileged only. */
	if (!h->cap.xnx)
		xn &= 2;
	if (xn == 0 || xn == 3)
		p |= PX;
	if (xn == 0 || xn == 1)
		p |= UX;
	return p;
}

static inline u64 smmu_s2_attr(u64 desc)
{
	u64 type = desc >> 2 & 0xf, sh = desc >> 8 & 3, attr;
	static const u8 device[4] = {0x00, 0x04, 0x08, 0x0c};
	static const u8 normal[4] = {0x0, 0x4, 0xb, 0xf};

	if (type >> 2)
		attr = (u64)normal[type >> 2] << 4 | normal[type & 3];
	else
		attr = device[type & 3];
	return attr << V_ATTR | (type >> 2 ? sh : 2) << V_SH | (type >> 2 ? 0 : V_DEVICE);
}

/* The value of an entry that went through both stages. */
static inline u64 smmu_combined(u64 s1, u64 s2)
{
	const u64 keep = 3ull << V_TG | 3ull << V_LEVEL | V_GLOBAL;
	bool device = (s2 & V_DEVICE) || !(s1 >> (V_ATTR + 4));
	u64 v = (s1 & s2 & PERM_ALL) | (s1 & keep) | ((s1 | s2) & V_DIRTY) | V_NESTED;

	/* The weaker of the memory types. */
	v |= ((s1 >> V_ATTR) < (s2 >> V_ATTR) ? s1 : s2) & 0xffull << V_ATTR;
	return v | (device ? 2ull << V_SH : (s1 | s2) & 3ull << V_SH);
}

/* ipa: of its first byte. */
static inline u64 smmu_combined_extra(u64 ipa, u64 s1, u64 s2)
{
	return (ipa & ADDR_MASK) | (s1 & PERM_ALL) << X_S1 | (s2 & PERM_ALL) << X_S2;
}
