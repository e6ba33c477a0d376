/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-d second stage (VT-d 4.1 section 9.8): 3, 4 or 5 levels of 512 entries.
 * An entry is present when any of R, W is set.
 */
#pragma once

#include "core/pt/pt.h"

#define F_NAME vtdss
#define F_PG_LG2 12
#define F_BITS 9
#define F_IA_MAX 57
#define F_LEVELS_MIN 3
#define F_LEVELS_MAX 5
#define F_LEAF_LEVEL_MAX 3
#define F_OA_MAX 52
#define F_LOWER_HALF 0
#define F_CONCAT_LG2_MAX 0
#define F_FEATURES (PT_SPLIT | PT_DIRTY | PT_SNOOP)

#define VTDSS_R BIT_ULL(0)
#define VTDSS_W BIT_ULL(1)
#define VTDSS_PS BIT_ULL(7)
#define VTDSS_A BIT_ULL(8)
#define VTDSS_D BIT_ULL(9)
#define VTDSS_SNP BIT_ULL(11)
#define VTDSS_SW BIT_ULL(52) /* ignored by hardware */
#define VTDSS_ADDR 0x000ffffffffff000ULL

#define F_PRESENT (VTDSS_R | VTDSS_W)
/* Above level 1, of a leaf without a hint: one of the first set, none of the second. */
#define F_LEAF_SET VTDSS_PS
#define F_LEAF_CLEAR 0ULL
#define F_SW_SYNC VTDSS_SW
#define F_CONTIG_BIT 0ULL

static inline bool f_leaf(u64 e, u32 level)
{
	return level == 1 || e & VTDSS_PS;
}

static inline u64 f_pa(u64 e, u32 level)
{
	return e & VTDSS_ADDR & (~0ULL << (F_PG_LG2 + (level - 1) * F_BITS));
}

static inline u64 f_table_pa(u64 e)
{
	return e & VTDSS_ADDR;
}

static inline u64 f_make_table(u64 pa)
{
	return pa | VTDSS_R | VTDSS_W;
}

static inline u64 f_make_leaf(u64 pa, u32 level, u32 prot, u32 features)
{
	u64 e = pa | (prot & (PT_READ | PT_WRITE)) | (level > 1 ? VTDSS_PS : 0);

	return e | (features & PT_SNOOP ? VTDSS_SNP : 0);
}

/* The first entry of the next level's table for the same range, access and state. */
static inline u64 f_smaller(u64 e, u32 level)
{
	return level == 2 ? e & ~VTDSS_PS : e;
}

static inline u64 f_step(u32 level)
{
	return 1ULL << (F_PG_LG2 + (level - 1) * F_BITS);
}

static inline u32 f_contig_lg2(u32 level)
{
	(void)level;
	return 0;
}

static inline bool f_dirty(u64 e)
{
	return e & VTDSS_D;
}

static inline u64 f_make_clean(u64 e)
{
	return e & ~VTDSS_D;
}

static inline u64 f_make_dirty(u64 e)
{
	return e | VTDSS_D;
}
