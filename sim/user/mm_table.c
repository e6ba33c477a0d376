// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of processes: a table of 64 entries per 256 KiB. An entry holds a
 * reference to its page. Tables go with their mm only.
 */
#include "sim/user/mm.h"

#include "sim/access/access.h"
#include "sim/kapi/slab.h"

#include <string.h>

#define TABLES_FIRST 8

static unsigned long slot_of(unsigned long addr)
{
	return addr >> PAGE_SHIFT & (MM_TABLE_N - 1);
}

/* First table of at least `index`. */
static u32 position(const struct mm_struct *mm, unsigned long index)
{
	u32 lo = 0, hi = mm->n_tables;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (mm->table[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool make_room(struct mm_struct *mm)
{
	u32 n = mm->tables_max ? 2 * mm->tables_max : TABLES_FIRST;
	struct mm_table *table;

	if (mm->n_tables < mm->tables_max)
		return true;
	table = krealloc_array(mm->table, n, sizeof(*table), GFP_KERNEL);
	if (!table)
		return false;
	mm->table = table;
	mm->tables_max = n;
	return true;
}

static u64 *new_table(struct mm_struct *mm, unsigned long index)
{
	u64 *entry = kcalloc(MM_TABLE_N, sizeof(*entry), GFP_KERNEL);
	u32 i;

	/* Whoever faults adds tables: after those who did before. */
	access_acquire(&mm->table);
	if (!entry || !make_room(mm)) {
		kfree(entry);
		return NULL;
	}
	i = position(mm, index);
	memmove(&mm->table[i + 1], &mm->table[i], (mm->n_tables - i) * sizeof(mm->table[0]));
	mm->table[i] = (struct mm_table){index, entry};
	mm->n_tables++;
	access_release(&mm->table);
	return entry;
}

static __attribute__((noinline)) u64 *pte_elsewhere(struct mm_struct *mm, unsigned long addr,
						    bool make)
{
	unsigned long index = addr >> MM_TABLE_SHIFT;
	u32 i = position(mm, index);
	u64 *entry = NULL;

	if (i < mm->n_tables && mm->table[i].index == index)
		entry = mm->table[i].entry;
	else if (make)
		entry = new_table(mm, index);
	if (!entry)
		return NULL;
	mm->last = (struct mm_table){index, entry};
	return entry + slot_of(addr);
}

u64 *mm_pte(struct mm_struct *mm, unsigned long addr, bool make)
{
	u64 *pte = mm_pte_last(mm, addr);

	return likely(pte) ? pte : pte_elsewhere(mm, addr, make);
}

u64 *mm_pte_beside(struct mm_struct *mm, u64 *before, unsigned long addr)
{
	return before && slot_of(addr) ? before + 1 : mm_pte(mm, addr, false);
}

u64 *mm_pte_next(struct mm_struct *mm, unsigned long *addr, unsigned long end)
{
	for (u32 i = position(mm, *addr >> MM_TABLE_SHIFT); i < mm->n_tables; i++) {
		const struct mm_table *t = &mm->table[i];
		unsigned long at = max(*addr, t->index << MM_TABLE_SHIFT);

		u64 *e = t->entry + slot_of(at), *stop = t->entry + MM_TABLE_N;

		if (at >= end)
			break;
		while (e < stop && !*e)
			e++;
		at = (t->index << MM_TABLE_SHIFT) + (unsigned long)(e - t->entry) * PAGE_SIZE;
		if (e < stop && at < end) {
			*addr = at;
			return e;
		}
		if (at >= end)
			break;
	}
	return NULL;
}

void mm_zap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	u64 *pte;

	mm_notify(mm, start, end);
	for (; (pte = mm_pte_next(mm, &start, end)); start += PAGE_SIZE) {
		u64 old = *pte;

		*pte = 0;
		if (!(old & PTE_SPECIAL))
			put_page(pte_page(old));
	}
}

void mm_tables_free(struct mm_struct *mm)
{
	for (u32 i = 0; i < mm->n_tables; i++)
		kfree(mm->table[i].entry);
	kfree(mm->table);
	mm->table = NULL;
	mm->n_tables = mm->tables_max = 0;
	mm->last.entry = NULL;
}
