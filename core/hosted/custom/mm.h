/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of processes: struct mm_struct with a maple tree of real VMAs, and a
 * page table of our own below mm->pgd.
 */
#pragma once

#include "core/hosted/floor_machine.h"
#include "core/hosted/runtime.h"

#include <linux/mm.h>

/*
 * An entry of the page table is what a processor of the machine's IOMMUs has
 * (mm_table.c): bits of its own, a frame number, and these of ours, of which the
 * first is every processor's and the others are no processor's.
 */
#define PTE_PRESENT 1UL         /* may be read */
#define PTE_SPECIAL (1UL << 55) /* no reference to a struct page is held */
#define PTE_MAPPED (1UL << 56)  /* there is a frame, whether PRESENT or not */
#define PTE_WRITE (1UL << 57)
#define PTE_FRAME 0xfffffffff000UL

#define HUGE_ORDER 9
#define HUGE_SIZE (PAGE_SIZE << HUGE_ORDER)
#define HUGE_SHIFT (PAGE_SHIFT + HUGE_ORDER)
#define HUGE_MASK (~(HUGE_SIZE - 1))
#define TASK_END 0x7ffffffff000UL
#define MMAP_LOWEST 0x10000UL

/* The file whose page it is, NULL: a process's own. */
static inline struct address_space *hosted_mapping(struct page *page)
{
	return page_folio(page)->mapping;
}

/* Behind an mm: the lowest tables that were asked for last, and which part of memory is theirs. */
#define HOSTED_LEAVES 4
struct hosted_leaf {
	unsigned long number, *table; /* NULL: none */
};

/* struct mm_struct ends with a mask of processors. */
#define HOSTED_MM_SIZE ALIGN(sizeof(struct mm_struct) + sizeof(long), 16)

static inline struct hosted_leaf *hosted_leaf_of(struct mm_struct *mm, unsigned long addr)
{
	return (struct hosted_leaf *)((char *)mm + HOSTED_MM_SIZE) +
	       (addr >> HUGE_SHIFT) % HOSTED_LEAVES;
}

/* mm_table.c: entries; NULL: none (make: no memory). */
unsigned long *hosted_pte(struct mm_struct *mm, unsigned long addr, bool make);
/* The same of a table that was asked for lately, or NULL. */
static inline unsigned long *hosted_pte_near(struct mm_struct *mm, unsigned long addr)
{
	const struct hosted_leaf *leaf = hosted_leaf_of(mm, addr);

	return leaf->table && leaf->number == addr >> HUGE_SHIFT ?
		       leaf->table + (addr >> PAGE_SHIFT) % (HUGE_SIZE >> PAGE_SHIFT) : NULL;
}
/* The next entry with a frame at or after *addr and before end, *addr moved to it; or NULL. */
unsigned long *hosted_pte_next(struct mm_struct *mm, unsigned long *addr, unsigned long end);
void hosted_pte_set(unsigned long *pte, struct page *page, unsigned long bits);
/* The same for a frame that may have no struct page. */
void hosted_pte_set_pfn(unsigned long *pte, unsigned long pfn, unsigned long bits);
/* Other bits for what it holds: those of `lose` go, those of `get` come. */
void hosted_pte_change(unsigned long *pte, unsigned long lose, unsigned long get);
static inline unsigned long hosted_pte_pfn(unsigned long pte)
{
	return (pte & PTE_FRAME) >> PAGE_SHIFT;
}

/* Before any entry is made: whose format; x86-64's unless an SMMU is to read it. */
void hosted_table_boot(const struct floor_machine *m);
/* The table is there, for devices that are to share it; false: no memory. */
bool hosted_table_make(struct mm_struct *mm);
/* Takes entries away, drops what they held; telling notifiers is the caller's business. */
void hosted_zap(struct mm_struct *mm, unsigned long start, unsigned long end);
/* The same; what entries held is dropped when who shares the table has been told. */
void hosted_zap_shared(struct mm_struct *mm, unsigned long start, unsigned long end);
void hosted_table_free(struct mm_struct *mm);

/* mm_life.c */
struct mm_struct *hosted_mm_alloc(void);
/* A copy as fork(2) makes it, or NULL. */
struct mm_struct *hosted_mm_copy(struct mm_struct *from);

/* mm_vma.c: with mmap_lock held for writing. */
unsigned long hosted_vm_flags(unsigned long prot);
struct vm_area_struct *hosted_vma_copy(struct vm_area_struct *from, struct mm_struct *mm);
int hosted_vma_insert(struct vm_area_struct *vma);
void hosted_vma_free(struct vm_area_struct *vma);
/* Cuts VMAs so that none crosses start or end. */
int hosted_vma_cut(struct mm_struct *mm, unsigned long start, unsigned long end);
int hosted_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);
struct vm_area_struct *hosted_vma_next(struct mm_struct *mm, unsigned long addr, unsigned long end);
#define for_each_hosted_vma(vma, mm, start, end)                         \
	for ((vma) = hosted_vma_next(mm, start, end); (vma);             \
	     (vma) = hosted_vma_next(mm, (vma)->vm_end, end))

/* mm_fault.c: with mmap_lock held; VM_FAULT_*. */
vm_fault_t hosted_fault(struct vm_area_struct *vma, unsigned long addr, unsigned int flags);
/* Copies page by page, as the process of mm; what could not be copied. */
unsigned long hosted_mm_access(struct mm_struct *mm, void *buf, unsigned long addr,
			       unsigned long size, bool to_user);

/* A page that only the host has, of a client of `exec`: with mmap_lock held. */
bool hosted_adopt(struct mm_struct *mm, unsigned long addr, bool write);

/* memfd.c: files of pages, and what MAP_SHARED | MAP_ANONYMOUS maps. */
struct file *hosted_memfd(const char *name, loff_t size, unsigned int order);
bool hosted_is_memfd(const struct file *file);
unsigned int hosted_memfd_order(const struct file *file);
/* The page at an index, made if need be, no reference taken; NULL, or ERR_PTR beyond the end. */
struct page *hosted_memfd_page(struct file *file, pgoff_t index);

/* process.c */
unsigned int hosted_mm_process(const struct mm_struct *mm);
void hosted_each_mm(void (*fn)(struct mm_struct *mm, void *arg), void *arg);
