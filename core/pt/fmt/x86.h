/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-d first stage, which is x86-64's (VT-d 4.1 section 9.7, SDM volume 3
 * section 4.5): 4 or 5 levels. Only the lower half of the canonical addresses is
 * used. Accessed is set from the start, and dirty with it unless hardware tracks.
 */
#pragma once

#include "core/pt/pt.h"

#define F_NAME x86
#define F_PG_LG2 12
#define F_BITS 9
#define F_IA_MAX 57
#define F_LEVELS_MIN 4
#define F_LEVELS_MAX 5
#define F_LEAF_LEVEL_MAX 3
#define F_OA_MAX 52
#define F_LOWER_HALF 1
#define F_CONCAT_LG2_MAX 0
#define F_FEATURES (PT_SPLIT | PT_DIRTY | PT_GLOBAL)

#define X86_P BIT_ULL(0)
#define X86_RW BIT_ULL(1)
#define X86_US BIT_ULL(2)
#define X86_A BIT_ULL(5)
#define X86_D BIT_ULL(6)
#define X86_PS BIT_ULL(7)
#define X86_G BIT_ULL(8)
#define X86_SW BIT_ULL(11) /* ignored by hardware */
#define X86_XD BIT_ULL(63)
#define X86_ADDR 0x000ffffffffff000ULL

#define F_PRESENT X86_P
/* Above level 1, of a leaf without a hint: one of the first set, none of the second. */
#define F_LEAF_SET X86_PS
#define F_LEAF_CLEAR 0ULL
#define F_SW_SYNC X86_SW
#define F_CONTIG_BIT 0ULL

static inline bool f_leaf(u64 e, u32 level)
{
	return level == 1 || e & X86_PS;
}

static inline u64 f_pa(u64 e, u32 level)
{
	return e & X86_ADDR & (~0ULL << (F_PG_LG2 + (level - 1) * F_BITS));
}

static inline u64 f_table_pa(u64 e)
{
	return e & X86_ADDR;
}

static inline u64 f_make_table(u64 pa)
{
	return pa | X86_P | X86_RW | X86_US | X86_A;
}

static inline u64 f_make_leaf(u64 pa, u32 level, u32 prot, u32 features)
{
	u64 e = pa | X86_P | X86_A | (level > 1 ? X86_PS : 0);

	if (prot & PT_WRITE)
		e |= X86_RW | (features & PT_DIRTY ? 0 : X86_D);
	e |= prot & PT_PRIV ? 0 : X86_US;
	e |= prot & PT_NOEXEC ? X86_XD : 0;
	return e | (features & PT_GLOBAL ? X86_G : 0);
}

/* The first entry of the next level's table for the same range, access and state. */
static inline u64 f_smaller(u64 e, u32 level)
{
	return level == 2 ? e & ~X86_PS : e;
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
	return e & X86_D;
}

static inline u64 f_make_clean(u64 e)
{
	return e & ~X86_D;
}

static inline u64 f_make_dirty(u64 e)
{
	return e | X86_D;
}
