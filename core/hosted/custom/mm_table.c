// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the page table of a process: four levels of 512 entries, kept in
 * frames below mm->pgd; the lowest holds PTE_* of mm.h. A present entry holds
 * a reference to its frame's folio unless it is SPECIAL. A huge page is 512
 * entries.
 *
 * False: tables are freed with the mm only; their frames are accounted to
 * nobody; entries change in one step, without a lock.
 */
#include "core/hosted/custom/mm.h"

#define LEVEL_BITS 9
#define LEVEL_N (1UL << LEVEL_BITS)
#define TOP 3

static unsigned long *root(struct mm_struct *mm, bool make)
{
	if (!mm->pgd && make) {
		struct page *page = hosted_page_alloc(0, true);

		mm->pgd = page ? page_address(page) : NULL;
	}
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

unsigned long *hosted_pte(struct mm_struct *mm, unsigned long addr, bool make)
{
	unsigned long *table = addr < TASK_END ? root(mm, make) : NULL;

	for (int level = TOP; table; level--) {
		unsigned long *entry = &table[addr / size_of_entry(level) % LEVEL_N];

		if (!level)
			return entry;
		if (!*entry && make) {
			struct page *page = hosted_page_alloc(0, true);

			if (!page)
				return NULL;
			*entry = page_to_pfn(page) << PAGE_SHIFT | PTE_MAPPED;
		}
		table = *entry ? below(*entry) : NULL;
	}
	return NULL;
}

unsigned long *hosted_pte_next(struct mm_struct *mm, unsigned long *addr, unsigned long end)
{
	end = min(end, TASK_END);
	while (root(mm, false) && *addr < end) {
		unsigned long *table = root(mm, false);
		int level = TOP;

		for (;; level--) {
			unsigned long *entry = &table[*addr / size_of_entry(level) % LEVEL_N];

			if (!*entry)
				break;
			if (!level)
				return entry;
			table = below(*entry);
		}
		*addr = ALIGN(*addr + 1, size_of_entry(level));
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
	for (unsigned long i = 0; level && i < LEVEL_N; i++) {
		if (table[i])
			free_table(below(table[i]), level - 1);
	}
	hosted_page_free(virt_to_page(table));
}

void hosted_table_free(struct mm_struct *mm)
{
	if (mm->pgd)
		free_table((unsigned long *)mm->pgd, TOP);
	mm->pgd = NULL;
}
