// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the page table of a process: four levels of 512 entries, kept in
 * frames below mm->pgd; the lowest holds PTE_* of mm.h. A present entry holds
 * a reference to its frame's folio unless it is SPECIAL. A huge page is 512
 * entries. Which entries of a table were ever asked for is kept as a range with
 * its page: a walk sees no others.
 *
 * False: tables are freed with the mm only; their frames are accounted to
 * nobody; entries change in one step, without a lock.
 */
#include "core/hosted/custom/mm.h"

#define LEVEL_BITS 9
#define LEVEL_N (1UL << LEVEL_BITS)
#define TOP 3

/* The range: first entry and the one after the last. */
#define USED(first, end) ((first) | (end) << 16)
#define USED_FIRST(v) ((v) & 0xffff)
#define USED_END(v) ((v) >> 16)

static unsigned long *new_table(void)
{
	struct page *page = hosted_page_alloc(0, true);

	if (!page)
		return NULL;
	set_page_private(page, USED(LEVEL_N, 0));
	return page_address(page);
}

static unsigned long used_of(const unsigned long *table)
{
	return page_private(virt_to_page(table));
}

static void note_used(unsigned long *table, unsigned long i)
{
	unsigned long v = used_of(table);

	if (unlikely(i < USED_FIRST(v) || i >= USED_END(v)))
		set_page_private(virt_to_page(table),
				 USED(min(i, USED_FIRST(v)), max(i + 1, USED_END(v))));
}

static unsigned long *root(struct mm_struct *mm, bool make)
{
	if (!mm->pgd && make)
		mm->pgd = (pgd_t *)new_table();
	return (unsigned long *)mm->pgd;
}

static unsigned long *below(unsigned long entry)
{
	return page_address(pfn_to_page(entry >> PAGE_SHIFT));
}

static unsigned long size_of_entry(int level)
{
	return PAGE_SIZE << level * LEVEL_BITS;
}

static unsigned long index_of(unsigned long addr, int level)
{
	return addr >> (PAGE_SHIFT + level * LEVEL_BITS) & (LEVEL_N - 1);
}

unsigned long *hosted_pte(struct mm_struct *mm, unsigned long addr, bool make)
{
	unsigned long *table = addr < TASK_END ? root(mm, make) : NULL;

	for (int level = TOP; table; level--) {
		unsigned long i = index_of(addr, level);
		unsigned long *entry = &table[i];

		if (make)
			note_used(table, i);
		if (!level)
			return entry;
		if (!*entry && make) {
			unsigned long *new = new_table();

			if (!new)
				return NULL;
			*entry = page_to_pfn(virt_to_page(new)) << PAGE_SHIFT | PTE_MAPPED;
		}
		table = *entry ? below(*entry) : NULL;
	}
	return NULL;
}

/* The first entry from i on that is set, or LEVEL_N. */
static unsigned long next_used(const unsigned long *table, unsigned long i)
{
	unsigned long v = used_of(table);

	for (i = max(i, USED_FIRST(v)); i < USED_END(v); i++) {
		if (table[i])
			return i;
	}
	return LEVEL_N;
}

unsigned long *hosted_pte_next(struct mm_struct *mm, unsigned long *addr, unsigned long end)
{
	end = min(end, TASK_END);
	while (root(mm, false) && *addr < end) {
		unsigned long *table = root(mm, false);

		for (int level = TOP;; level--) {
			unsigned long i = index_of(*addr, level);
			unsigned long next = next_used(table, i);

			if (next != i)
				*addr = ALIGN_DOWN(*addr, size_of_entry(level)) +
					(next - i) * size_of_entry(level);
			if (next == LEVEL_N || *addr >= end)
				break;
			if (!level)
				return &table[next];
			table = below(table[next]);
		}
	}
	return NULL;
}

void hosted_pte_set(unsigned long *pte, struct page *page, unsigned long bits)
{
	*pte = page_to_pfn(page) << PAGE_SHIFT | PTE_MAPPED | bits;
}

void hosted_zap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long *pte;

	for (unsigned long at = start; (pte = hosted_pte_next(mm, &at, end)); at += PAGE_SIZE) {
		unsigned long old = *pte;

		*pte = 0;
		if (!(old & PTE_SPECIAL))
			put_page(pfn_to_page(old >> PAGE_SHIFT));
	}
}

static void free_table(unsigned long *table, int level)
{
	for (unsigned long i = 0; level && (i = next_used(table, i)) < LEVEL_N; i++)
		free_table(below(table[i]), level - 1);
	hosted_page_free(virt_to_page(table));
}

void hosted_table_free(struct mm_struct *mm)
{
	if (mm->pgd)
		free_table((unsigned long *)mm->pgd, TOP);
	mm->pgd = NULL;
}
