/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No hardware's format: frame numbers at the bottom, everything else at the top,
 * pages of any power of two as runs of 8 entries. It is there so that nothing in
 * the algorithm may depend on where the others happen to agree.
 */
#pragma once

#include "core/pt/pt.h"

#define F_NAME mock
#define F_PG_LG2 12
#define F_BITS 9
#define F_IA_MAX 48
#define F_LEVELS_MIN 2
#define F_LEVELS_MAX 4
#define F_LEAF_LEVEL_MAX 2
#define F_OA_MAX 52
#define F_LOWER_HALF 0
#define F_CONCAT_LG2_MAX 0
#define F_FEATURES (PT_SPLIT | PT_DIRTY | PT_CONTIG)

#define MOCK_PTE_PRESENT BIT_ULL(63)
#define MOCK_PTE_LEAF BIT_ULL(62)
#define MOCK_PTE_W BIT_ULL(61)
#define MOCK_PTE_R BIT_ULL(60)
#define MOCK_PTE_DIRTY BIT_ULL(59)
#define MOCK_PTE_SW BIT_ULL(58)
#define MOCK_PTE_RUN BIT_ULL(57)
#define MOCK_PTE_FRAME 0x000000ffffffffffULL

#define F_PRESENT MOCK_PTE_PRESENT
/* Above level 1, of a leaf without a hint: one of the first set, none of the second. */
#define F_LEAF_SET MOCK_PTE_LEAF
#define F_LEAF_CLEAR MOCK_PTE_RUN
#define F_SW_SYNC MOCK_PTE_SW
#define F_CONTIG_BIT MOCK_PTE_RUN

static inline bool f_leaf(u64 e, u32 level)
{
	(void)level;
	return e & MOCK_PTE_LEAF;
}

static inline u64 f_pa(u64 e, u32 level)
{
	(void)level;
	return (e & MOCK_PTE_FRAME) << F_PG_LG2;
}

static inline u64 f_table_pa(u64 e)
{
	return (e & MOCK_PTE_FRAME) << F_PG_LG2;
}

static inline u64 f_make_table(u64 pa)
{
	return pa >> F_PG_LG2 | MOCK_PTE_PRESENT;
}

static inline u64 f_make_leaf(u64 pa, u32 level, u32 prot, u32 features)
{
	u64 e = pa >> F_PG_LG2 | MOCK_PTE_PRESENT | MOCK_PTE_LEAF;

	(void)level;
	(void)features;
	e |= prot & PT_READ ? MOCK_PTE_R : 0;
	return e | (prot & PT_WRITE ? MOCK_PTE_W : 0);
}

/* The first entry of the next level's table for the same range, access and state. */
static inline u64 f_smaller(u64 e, u32 level)
{
	(void)level;
	return e;
}

static inline u64 f_step(u32 level)
{
	return 1ULL << (level - 1) * F_BITS;
}

static inline u32 f_contig_lg2(u32 level)
{
	return level <= F_LEAF_LEVEL_MAX ? 3 : 0;
}

static inline bool f_dirty(u64 e)
{
	return e & MOCK_PTE_DIRTY;
}

static inline u64 f_make_clean(u64 e)
{
	return e & ~MOCK_PTE_DIRTY;
}

static inline u64 f_make_dirty(u64 e)
{
	return e | MOCK_PTE_DIRTY;
}
