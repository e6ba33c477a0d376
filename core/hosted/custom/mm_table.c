// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the page table of a process: four levels of 512 entries, kept in
 * frames below mm->pgd, in the format of x86-64, or of AArch64 with 48 bits and
 * 4 KiB: an IOMMU walks them for devices that share them. A present entry holds
 * a reference to its frame's folio unless it is SPECIAL. A huge page is 512
 * entries. Which entries of a table were ever asked for is kept as a range: a
 * walk sees no others.
 *
 * Where no IOMMU could walk them, tables of a run lie outside of frames, where
 * nothing else writes: who takes one over clears what was asked for before.
 * Entries above the lowest are addresses then.
 *
 * False: tables are freed with the mm only; their frames are accounted to
 * nobody; entries change in one step, without a lock; accessed and dirty, which
 * an IOMMU may set, mean nothing; whatever may be read may be executed.
 */
#include "core/hosted/custom/mm.h"

#include <linux/mmu_notifier.h>

/* x86-64's. */
#define X86_TABLE 7UL /* present, writable, user */
#define X86_PAGE 4UL
#define X86_WRITE 2UL
/* AArch64's: accessed, not global, inner shareable, of user mode; memory type 0 of the MAIR. */
#define ARM_TABLE 3UL
#define ARM_PAGE 0xf42UL
#define ARM_READ_ONLY 0x80UL

#define LEVEL_BITS 9
#define LEVEL_N (1UL << LEVEL_BITS)
#define TOP 3

/* The range: first entry and the one after the last. */
#define USED(first, end) ((first) | (end) << 16)
#define USED_FIRST(v) ((v) & 0xffff)
#define USED_END(v) ((v) >> 16)

static bool hosted_table_arm, hosted_table_walked;

void hosted_table_boot(const struct floor_machine *m)
{
	bool arm = false, x86 = false;

	for (int i = 0; m && i < m->n_iommus; i++) {
		arm |= m->iommu[i].model == FLOOR_MODEL_SMMUV3;
		x86 |= m->iommu[i].model == FLOOR_MODEL_VTD;
	}
	hosted_table_arm = arm && !x86;
	hosted_table_walked = arm || x86;
}

/* The processor's bits that follow from ours. */
static unsigned long with_hardware(unsigned long bits)
{
	if (hosted_table_arm)
		return bits | ARM_PAGE | (bits & PTE_WRITE ? 0 : ARM_READ_ONLY);
	return bits | X86_PAGE | (bits & PTE_WRITE ? X86_WRITE : 0);
}

/* Not restored; which of them are taken is. */
#define POOL 64
static unsigned long hosted_table[POOL][LEVEL_N] __aligned(PAGE_SIZE) __hosted_keep;
static unsigned long hosted_table_used[POOL] __hosted_keep;
static unsigned long hosted_tables_taken;

static bool pooled(const unsigned long *table)
{
	return (unsigned long)table - (unsigned long)hosted_table < sizeof(hosted_table);
}

static unsigned long number_of(const unsigned long *table)
{
	return ((unsigned long)table - (unsigned long)hosted_table) / PAGE_SIZE;
}

static unsigned long used_of(const unsigned long *table)
{
	return pooled(table) ? hosted_table_used[number_of(table)] :
			       page_private(virt_to_page(table));
}

static void set_used(const unsigned long *table, unsigned long v)
{
	if (pooled(table))
		hosted_table_used[number_of(table)] = v;
	else
		set_page_private(virt_to_page(table), v);
}

static unsigned long *pool_take(void)
{
	unsigned long i = ffz(hosted_tables_taken), v = hosted_table_used[i];
	unsigned long *table = hosted_table[i];

	hosted_tables_taken |= 1UL << i;
	if (USED_FIRST(v) < USED_END(v))
		memset(table + USED_FIRST(v), 0,
		       (USED_END(v) - USED_FIRST(v)) * sizeof(*table));
	return table;
}

/* What boot makes is a frame, whose contents each run finds again. */
static unsigned long *new_table(void)
{
	unsigned long *table;
	struct page *page;

	if (!hosted_table_walked && hosted_page_in_run() && ~hosted_tables_taken) {
		table = pool_take();
	} else {
		page = hosted_page_alloc(0, HOSTED_ZERO);
		table = page ? page_address(page) : NULL;
	}
	if (table)
		set_used(table, USED(LEVEL_N, 0));
	return table;
}

static void drop_table(unsigned long *table)
{
	if (pooled(table))
		hosted_tables_taken &= ~(1UL << number_of(table));
	else
		hosted_page_free(virt_to_page(table));
}

static void note_used(unsigned long *table, unsigned long i)
{
	unsigned long v = used_of(table);

	if (unlikely(i < USED_FIRST(v) || i >= USED_END(v)))
		set_used(table, USED(min(i, USED_FIRST(v)), max(i + 1, USED_END(v))));
}

static unsigned long *root(struct mm_struct *mm, bool make)
{
	if (!mm->pgd && make)
		mm->pgd = (pgd_t *)new_table();
	return (unsigned long *)mm->pgd;
}

static unsigned long *below(unsigned long entry)
{
	if (!hosted_table_walked)
		return (unsigned long *)(entry & PAGE_MASK);
	return page_address(pfn_to_page(hosted_pte_pfn(entry)));
}

static unsigned long entry_of(const unsigned long *table)
{
	if (!hosted_table_walked)
		return (unsigned long)table | PTE_PRESENT;
	return page_to_pfn(virt_to_page(table)) << PAGE_SHIFT |
	       (hosted_table_arm ? ARM_TABLE : X86_TABLE);
}

static unsigned long size_of_entry(int level)
{
	return PAGE_SIZE << level * LEVEL_BITS;
}

static unsigned long index_of(unsigned long addr, int level)
{
	return addr >> (PAGE_SHIFT + level * LEVEL_BITS) & (LEVEL_N - 1);
}

static noinline unsigned long *walk(struct mm_struct *mm, unsigned long addr, bool make)
{
	unsigned long *table = addr < TASK_END ? root(mm, make) : NULL;

	for (int level = TOP; table; level--) {
		unsigned long i = index_of(addr, level);
		unsigned long *entry = &table[i];

		if (make)
			note_used(table, i);
		if (!level) {
			*hosted_leaf_of(mm, addr) = (struct hosted_leaf){addr >> HUGE_SHIFT, table};
			return entry;
		}
		if (!*entry && make) {
			unsigned long *new = new_table();

			if (!new)
				return NULL;
			*entry = entry_of(new);
		}
		table = *entry ? below(*entry) : NULL;
	}
	return NULL;
}

unsigned long *hosted_pte(struct mm_struct *mm, unsigned long addr, bool make)
{
	const struct hosted_leaf *leaf = hosted_leaf_of(mm, addr);
	unsigned long i = index_of(addr, 0);

	if (!leaf->table || leaf->number != addr >> HUGE_SHIFT)
		return walk(mm, addr, make);
	if (make)
		note_used(leaf->table, i);
	return &leaf->table[i];
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

void hosted_pte_set_pfn(unsigned long *pte, unsigned long pfn, unsigned long bits)
{
	*pte = (pfn << PAGE_SHIFT & PTE_FRAME) | with_hardware(bits | PTE_MAPPED);
}

void hosted_pte_set(unsigned long *pte, struct page *page, unsigned long bits)
{
	hosted_pte_set_pfn(pte, page_to_pfn(page), bits);
}

void hosted_pte_change(unsigned long *pte, unsigned long lose, unsigned long get)
{
	unsigned long ours = PTE_PRESENT | PTE_SPECIAL | PTE_MAPPED | PTE_WRITE;

	*pte = (*pte & PTE_FRAME) | with_hardware(((*pte & ours) | get) & ~lose);
}

bool hosted_table_make(struct mm_struct *mm)
{
	return root(mm, true);
}

void hosted_zap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long *pte;

	for (unsigned long at = start; (pte = hosted_pte_next(mm, &at, end)); at += PAGE_SIZE) {
		unsigned long old = *pte;

		*pte = 0;
		if (!(old & PTE_SPECIAL))
			put_page(pfn_to_page(hosted_pte_pfn(old)));
	}
}

#define HELD_MAX 64

/* As mmu_gather: a page is nobody's when no device can reach it any more. */
void hosted_zap_shared(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long *pte, from = start, at = start;
	struct page *held[HELD_MAX];

	if (!mm_has_notifiers(mm)) {
		hosted_zap(mm, start, end);
		return;
	}
	do {
		unsigned int n = 0;

		for (; n < HELD_MAX && (pte = hosted_pte_next(mm, &at, end)); at += PAGE_SIZE) {
			if (!(*pte & PTE_SPECIAL))
				held[n++] = pfn_to_page(hosted_pte_pfn(*pte));
			*pte = 0;
		}
		mmu_notifier_arch_invalidate_secondary_tlbs(mm, from, pte ? at : end);
		from = at;
		while (n)
			put_page(held[--n]);
	} while (pte);
}

static void free_table(unsigned long *table, int level)
{
	for (unsigned long i = 0; level && (i = next_used(table, i)) < LEVEL_N; i++)
		free_table(below(table[i]), level - 1);
	drop_table(table);
}

void hosted_table_free(struct mm_struct *mm)
{
	if (mm->pgd)
		free_table((unsigned long *)mm->pgd, TOP);
	mm->pgd = NULL;
	for (unsigned long i = 0; i < HOSTED_LEAVES; i++)
		hosted_leaf_of(mm, i << HUGE_SHIFT)->table = NULL;
}
