/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AArch64 entries as DDI 0487, section D8.3 draws them, for TWIN_STAGE and
 * TWIN_GRANULE (the lg2), from the level that Arm counts: 3 is the last.
 */
#pragma once

#ifdef TWIN_STAGE /* else there is no format to test */

#define TWIN_PROT                                                                         \
	(PT_WRITE | PT_CACHE | PT_NOEXEC | PT_MMIO | (TWIN_STAGE == 1 ? PT_PRIV : PT_READ))
#define TWIN_FEATURES (PT_SPLIT | PT_DIRTY | PT_CONTIG)
#include "tests/core/pt/twin.h"

static u64 bits(u64 e, u32 high, u32 low)
{
	return e >> low & (~0ULL >> (63 - (high - low)));
}

static u64 a64_output(u64 e)
{
	u64 pa = bits(e, 47, TWIN_GRANULE) << TWIN_GRANULE;

	return TWIN_GRANULE == 16 ? pa | bits(e, 15, 12) << 48 : pa;
}

/* Which of the memory types of the twin's own choice: a page is MMIO, else cached, else not. */
static u32 a64_type(u64 e)
{
	u64 type = TWIN_STAGE == 1 ? bits(e, 4, 2) : bits(e, 5, 2);

	if (type == (TWIN_STAGE == 1 ? 2 : 1))
		return PT_MMIO;
	return type == (TWIN_STAGE == 1 ? 1 : 15) ? PT_CACHE : 0;
}

static u32 a64_access(u64 e)
{
	u32 prot = 0;

	if (TWIN_STAGE == 1) {
		prot |= bits(e, 51, 51) || !bits(e, 7, 7) ? PT_WRITE : 0;
		prot |= bits(e, 6, 6) ? 0 : PT_PRIV;
		prot |= bits(e, 54, 53) == 3 ? PT_NOEXEC : 0;
	} else {
		prot |= bits(e, 51, 51) || bits(e, 7, 7) ? PT_WRITE : 0;
		prot |= bits(e, 6, 6) ? PT_READ : 0;
		prot |= bits(e, 54, 53) == 2 ? PT_NOEXEC : 0;
	}
	/* Shareability: inner for what is cached, be it a device's or not. */
	return prot | (bits(e, 9, 8) == 3 ? PT_CACHE : 0) | a64_type(e);
}

static struct twin_entry twin_decode(u64 e, u32 level, u32 features)
{
	u32 arm_level = 4 - level;
	bool leaf = arm_level == 3 || !bits(e, 1, 1);
	struct twin_entry d = {.present = bits(e, 0, 0), .leaf = leaf, .pa = a64_output(e)};

	d.valid = arm_level < 3 || bits(e, 1, 1);
	if (!leaf) {
		d.valid &= !bits(e, 63, 56) && !bits(e, 54, 48) && !bits(e, 11, 2);
		return d;
	}
	d.contig = bits(e, 52, 52);
	d.valid &= bits(e, 10, 10) && bits(e, 11, 11) == (TWIN_STAGE == 1) &&
		   !bits(e, 63, 55) && !bits(e, 50, 48) && bits(e, 9, 8) >= 2 &&
		   (!d.contig || features & PT_CONTIG) &&
		   (!bits(e, 51, 51) || features & PT_DIRTY);
	d.prot = a64_access(e);
	return d;
}

static u64 twin_hw_write(u64 e)
{
	return TWIN_STAGE == 1 ? e & ~(1ULL << 7) : e | 1 << 7;
}

#endif
