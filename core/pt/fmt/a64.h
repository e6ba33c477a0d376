/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AArch64 (DDI 0487 section D8.3), one header for both stages and all granules.
 * Whoever includes it has defined A64_STAGE (1, 2) and A64_GRANULE_LG2 (12, 14,
 * 16). Output addresses up to 48 bits; with 64K, bits 51:48 are in 15:12.
 *
 * Memory types: index 0 of MAIR is non-cacheable, 1 write-back, 2 device, as
 * io-pgtable-arm.c sets it up.
 */
#pragma once

#include "core/pt/pt.h"

#ifndef A64_STAGE
#define A64_STAGE 1
#define A64_GRANULE_LG2 12
#endif

#define A64_GLUE_(stage, granule) a64s##stage##_##granule
#define A64_GLUE(stage, granule) A64_GLUE_(stage, granule)

#if A64_GRANULE_LG2 == 12
#define A64_GRANULE_NAME 4k
#define F_LEAF_LEVEL_MAX 3
#define F_LEVELS_MAX 4
#define F_OA_MAX 48
#define A64_OA_SPLIT 0
#elif A64_GRANULE_LG2 == 14
#define A64_GRANULE_NAME 16k
#define F_LEAF_LEVEL_MAX 2
#define F_LEVELS_MAX 4
#define F_OA_MAX 48
#define A64_OA_SPLIT 0
#else
#define A64_GRANULE_NAME 64k
#define F_LEAF_LEVEL_MAX 2
#define F_LEVELS_MAX 3
#define F_OA_MAX 52
#define A64_OA_SPLIT 1
#endif

#define F_NAME A64_GLUE(A64_STAGE, A64_GRANULE_NAME)
#define F_PG_LG2 A64_GRANULE_LG2
#define F_BITS (A64_GRANULE_LG2 - 3)
#define F_IA_MAX (A64_GRANULE_LG2 == 16 ? 52 : 48)
#define F_LEVELS_MIN 2
#define F_LOWER_HALF 0
#define F_CONCAT_LG2_MAX (A64_STAGE == 2 ? 4 : 0)
#define F_FEATURES                                                                         \
	(PT_SPLIT | PT_DIRTY | PT_CONTIG | PT_BREAK | (A64_STAGE == 1 ? PT_GLOBAL : 0))

#define A64_VALID BIT_ULL(0)
#define A64_TABLE BIT_ULL(1) /* at level 1 of ours, the last: a page */
#define A64_ATTR(n) ((u64)(n) << 2)
#define A64_S2_MEMATTR(n) ((u64)(n) << 2)
#define A64_AP_UNPRIV BIT_ULL(6)
#define A64_AP_RDONLY BIT_ULL(7)
#define A64_S2AP_R BIT_ULL(6)
#define A64_S2AP_W BIT_ULL(7)
#define A64_SH_OS (2ULL << 8)
#define A64_SH_IS (3ULL << 8)
#define A64_AF BIT_ULL(10)
#define A64_NG BIT_ULL(11)
#define A64_DBM BIT_ULL(51)
#define A64_CONT BIT_ULL(52)
#define A64_PXN BIT_ULL(53)
#define A64_XN BIT_ULL(54) /* UXN; stage 2: XN[1] */
#define A64_SW BIT_ULL(55) /* ignored by hardware */
#define A64_ADDR_48 (0x0000ffffffffffffULL & (~0ULL << F_PG_LG2))

#define F_PRESENT A64_VALID
/* Above level 1, of a leaf without a hint: one of the first set, none of the second. */
#define F_LEAF_SET A64_VALID
#define F_LEAF_CLEAR (A64_TABLE | A64_CONT)
#define F_SW_SYNC A64_SW
#define F_CONTIG_BIT A64_CONT

static inline u64 a64_addr(u64 pa)
{
	return A64_OA_SPLIT ? (pa & A64_ADDR_48) | (pa >> 36 & 0xf000) : pa;
}

static inline u64 a64_pa(u64 e)
{
	return (e & A64_ADDR_48) | (A64_OA_SPLIT ? (e & 0xf000) << 36 : 0);
}

static inline bool f_leaf(u64 e, u32 level)
{
	return level == 1 || !(e & A64_TABLE);
}

static inline u64 f_pa(u64 e, u32 level)
{
	return a64_pa(e) & (~0ULL << (F_PG_LG2 + (level - 1) * F_BITS));
}

static inline u64 f_table_pa(u64 e)
{
	return a64_pa(e);
}

static inline u64 f_make_table(u64 pa)
{
	return a64_addr(pa) | A64_VALID | A64_TABLE;
}

#if A64_STAGE == 1
/* dup: io-pgtable-arm.c's choice of bits for a stage 1 leaf. */
static inline u64 a64_prot(u32 prot, u32 features)
{
	u64 e = A64_AF | (features & PT_GLOBAL ? 0 : A64_NG);

	if (!(prot & PT_WRITE))
		e |= A64_AP_RDONLY;
	else if (features & PT_DIRTY)
		e |= A64_AP_RDONLY | A64_DBM;
	e |= prot & PT_PRIV ? 0 : A64_AP_UNPRIV;
	e |= prot & PT_MMIO ? A64_ATTR(2) : prot & PT_CACHE ? A64_ATTR(1) : A64_ATTR(0);
	e |= prot & PT_CACHE ? A64_SH_IS : A64_SH_OS;
	return e | (prot & PT_NOEXEC ? A64_XN | A64_PXN : 0);
}

static inline bool f_dirty(u64 e)
{
	return (e & (A64_DBM | A64_AP_RDONLY)) == A64_DBM;
}

static inline u64 f_make_clean(u64 e)
{
	return e | A64_AP_RDONLY;
}

static inline u64 f_make_dirty(u64 e)
{
	return e & ~A64_AP_RDONLY;
}
#else
/* dup: likewise, stage 2. */
static inline u64 a64_prot(u32 prot, u32 features)
{
	u64 e = A64_AF | (prot & PT_READ ? A64_S2AP_R : 0);

	if (prot & PT_WRITE)
		e |= features & PT_DIRTY ? A64_DBM : A64_S2AP_W;
	e |= prot & PT_MMIO ? A64_S2_MEMATTR(1) :
	     prot & PT_CACHE ? A64_S2_MEMATTR(15) : A64_S2_MEMATTR(5);
	e |= prot & PT_CACHE ? A64_SH_IS : A64_SH_OS;
	return e | (prot & PT_NOEXEC ? A64_XN : 0);
}

static inline bool f_dirty(u64 e)
{
	return (e & (A64_DBM | A64_S2AP_W)) == (A64_DBM | A64_S2AP_W);
}

static inline u64 f_make_clean(u64 e)
{
	return e & ~A64_S2AP_W;
}

static inline u64 f_make_dirty(u64 e)
{
	return e | A64_S2AP_W;
}
#endif

static inline u64 f_make_leaf(u64 pa, u32 level, u32 prot, u32 features)
{
	return a64_addr(pa) | A64_VALID | (level == 1 ? A64_TABLE : 0) | a64_prot(prot, features);
}

/* The first entry of the next level's table for the same range, access and state. */
static inline u64 f_smaller(u64 e, u32 level)
{
	return level == 2 ? e | A64_TABLE : e;
}

static inline u64 f_step(u32 level)
{
	return 1ULL << (F_PG_LG2 + (level - 1) * F_BITS);
}

/* Entries of a run under the contiguous hint, D8.6.1; 0: no such runs. */
static inline u32 f_contig_lg2(u32 level)
{
	if (level > F_LEAF_LEVEL_MAX)
		return 0;
	if (F_PG_LG2 == 14)
		return level == 1 ? 7 : 5;
	return F_PG_LG2 == 12 ? 4 : 5;
}
