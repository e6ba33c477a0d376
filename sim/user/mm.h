/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of processes: address spaces of mappings, their page tables, and pages,
 * which are frames of sim/mem. A page comes with its first use.
 *
 * What our own core needs of Linux's mm/, under its names; what of it is code
 * under test lies in core/. No function here is instrumented: a page table entry
 * changes in one step, a copy of one page is one step.
 *
 * Locks: mm->mmap_lock. vmas: mmap_lock; entries: one step, whoever holds
 * mmap_lock in any mode adds them, only its writer takes them away.
 */
#pragma once

#include "sim/base/bits.h"
#include "sim/kapi/atomic.h"
#include "sim/kapi/interval_tree.h"
#include "sim/kapi/rwsem.h"
#include "sim/kapi/err.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define offset_in_page(x) ((unsigned long)(x) & ~PAGE_MASK)
#define HPAGE_ORDER 9
#define HPAGE_SIZE (PAGE_SIZE << HPAGE_ORDER)
#define TASK_SIZE 0x7ffffffff000UL
#define MMAP_LOWEST 0x10000UL
#define GUP_PIN_COUNTING_BIAS 1024

struct file;
struct memfd;
struct user;

/*
 * One frame's record. Those of a compound page share the head's counts. refs: 1
 * per entry of a page table, per file it belongs to, and as Linux counts them
 * for pins: GUP_PIN_COUNTING_BIAS each, in a compound page 1 each.
 */
struct page {
	struct page *head;
	struct memfd *memfd; /* whose page it is; of the head */
	int refs, pins;      /* of the head */
	u32 pfn, order;
};

enum vm_flags {
	VM_READ = 1,
	VM_WRITE = 2,
	VM_EXEC = 4,
	VM_SHARED = 8,
	VM_MAYREAD = 0x10, /* VM_READ << 4 and so on */
	VM_MAYWRITE = 0x20,
	VM_MAYEXEC = 0x40,
	VM_DONTCOPY = 0x100,
	VM_WIPEONFORK = 0x200,
	VM_HUGETLB = 0x400,
	VM_DONTEXPAND = 0x800,
	VM_PFNMAP = 0x1000, /* of a device: vm_ops, no pages */
};
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)

/* Owned by its mm. */
struct vm_area_struct {
	struct interval_tree_node node; /* first and last byte */
	struct mm_struct *mm;
	unsigned long flags, pgoff;
	struct file *file;              /* referenced; NULL: anonymous */
	const struct vm_operations_struct *vm_ops; /* of VM_PFNMAP */
	void *vm_private_data;
	struct vm_area_struct *next_gone; /* unmapped, its file is to be given up; mmap_lock */
};

/* What stands behind a mapping of a device. mmap_lock is held, for reading at least. */
struct vm_operations_struct {
	/* Calls vmf_insert_pfn() for what is to be there; false: nothing may be (SIGBUS). */
	bool (*fault)(struct vm_area_struct *vma, unsigned long addr);
	/* The process's load or store within a page, whose entry is there. False: it cannot. */
	bool (*access)(struct vm_area_struct *vma, unsigned long addr, void *buf, u64 size,
		       bool write);
	/* A copy of vma has come to be, as mmap() has made the first; vma goes. NULL: nothing. */
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
};

/* Entries of a range of the size of a table; see mm_table.c. */
#define MM_TABLE_ORDER 6
#define MM_TABLE_SHIFT (PAGE_SHIFT + MM_TABLE_ORDER)
#define MM_TABLE_N (1UL << MM_TABLE_ORDER)
struct mm_table {
	unsigned long index;
	u64 *entry;
};

/*
 * Who is told of what an address space loses; each may be NULL. Owned by who registers it;
 * its place in the list: mmap_lock.
 */
struct mm_notifier {
	struct list_head node;
	/* Before entries of [start, end) go, or lose rights; mmap_lock is held for writing. */
	void (*invalidate)(struct mm_notifier *n, unsigned long start, unsigned long end);
	/* The last reference of all has gone: n is on no list any more. */
	void (*free)(struct mm_notifier *n);
};

struct mm_struct {
	atomic_t mm_users, mm_count;
	struct list_head notifiers;
	struct rw_semaphore mmap_lock;
	struct interval_tree_root vmas;
	struct vm_area_struct *gone; /* by next_gone; mmap_lock, empty without it */
	struct mm_table *table; /* by index, n_tables of them; one step a change */
	u32 n_tables, tables_max;
	struct mm_table last; /* that was looked for; no entry: none */
	unsigned long locked_vm; /* pages; mmap_lock */
	atomic64_t pinned_vm;
	u32 process;          /* whose it is; ~0: nobody's any more */
};

/*
 * An entry of a page table: the address of a struct page, and these bits; 0: none.
 * PTE_SPECIAL: a page number, from bit 12 on, in the place of the address.
 */
enum pte_bits { PTE_PRESENT = 1, PTE_WRITE = 2, PTE_SPECIAL = 4, PTE_BITS = 7 };

static inline struct page *pte_page(u64 pte)
{
	return (struct page *)(uintptr_t)(pte & ~(u64)PTE_BITS);
}

/* --- page.c --- */
/* With one reference; NULL: no memory. */
struct page *alloc_pages(u32 order, bool zero);
void get_page(struct page *page);
void put_page(struct page *page);
void pin_page(struct page *page);
/* Undoes pin_page(); a page that is not pinned is a finding. */
void unpin_user_page(struct page *page);
static inline unsigned long page_to_pfn(const struct page *page)
{
	return page->pfn;
}

static inline u64 page_to_phys(const struct page *page)
{
	return (u64)page->pfn << PAGE_SHIFT;
}

/* Whoever asks may write anywhere in it. */
void *page_address(const struct page *page);

/* --- mm_table.c --- */
/* In the table that was looked for last; NULL: it is in another, if there is one. */
static inline u64 *mm_pte_last(const struct mm_struct *mm, unsigned long addr)
{
	return mm->last.entry && mm->last.index == addr >> MM_TABLE_SHIFT ?
		       mm->last.entry + (addr >> PAGE_SHIFT & (MM_TABLE_N - 1)) :
		       NULL;
}

/* NULL: none (make: no memory). */
u64 *mm_pte(struct mm_struct *mm, unsigned long addr, bool make);
/* That of addr; before: that of the page below it, or NULL. */
u64 *mm_pte_beside(struct mm_struct *mm, u64 *before, unsigned long addr);
/* The next entry at or after *addr and before end; *addr moves to it. */
u64 *mm_pte_next(struct mm_struct *mm, unsigned long *addr, unsigned long end);
void mm_zap(struct mm_struct *mm, unsigned long start, unsigned long end);
void mm_tables_free(struct mm_struct *mm);

/* --- mm_life.c --- */
struct mm_struct *mm_alloc(u32 process);
/* As fork(2) copies; NULL: no memory. */
struct mm_struct *mm_copy(struct mm_struct *from, u32 process);
bool mmget_not_zero(struct mm_struct *mm);
void mmput(struct mm_struct *mm);
void mmgrab(struct mm_struct *mm);
/* Takes mmap_lock; n stays until it is freed with mm. */
void mm_notifier_register(struct mm_struct *mm, struct mm_notifier *n);
void mm_notify(struct mm_struct *mm, unsigned long start, unsigned long end);
void mmdrop(struct mm_struct *mm);
static inline void mmap_read_lock(struct mm_struct *mm)
{
	down_read(&mm->mmap_lock);
}

static inline void mmap_read_unlock(struct mm_struct *mm)
{
	up_read(&mm->mmap_lock);
}

static inline void mmap_write_lock(struct mm_struct *mm)
{
	down_write(&mm->mmap_lock);
}

static inline void mmap_write_unlock(struct mm_struct *mm)
{
	up_write(&mm->mmap_lock);
}

/* --- mm_vma.c: with mmap_lock held --- */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end);
struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr);
struct vm_area_struct *vma_copy(const struct vm_area_struct *from, struct mm_struct *mm);
void vma_insert(struct vm_area_struct *vma);
/* Its file is given up by mm_unlock(). */
void vma_free(struct vm_area_struct *vma);
/* mmap_write_unlock(), and the files of mappings that have gone meanwhile. */
void mm_unlock(struct mm_struct *mm);
/* Cuts so that none crosses start or end: 0, -EINVAL within a huge page, -ENOMEM. */
int vma_cut(struct mm_struct *mm, unsigned long start, unsigned long end);
int vma_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);
#define for_each_vma_range(vma, mm, from, to)                                               \
	for ((vma) = find_vma_intersection(mm, from, to); (vma);                              \
	     (vma) = find_vma_intersection(mm, (vma)->node.last + 1, to))

/* --- mm_fault.c --- */
enum gup_flags { FOLL_WRITE = 1, FOLL_PIN = 2 };
/* The page behind an address, faulted in; with mmap_lock held. NULL: none, or not allowed. */
struct page *mm_fault(struct mm_struct *mm, unsigned long addr, u32 flags);
/*
 * Copies page by page as the process would; bytes not copied. The host's memory of
 * a client (sim/user/client.h) is reached where there is no mapping.
 */
u64 mm_access(struct mm_struct *mm, void *buf, u64 addr, u64 size, bool to_user);
/* Number of pages got, at least 1; -EFAULT, or -ENOMEM where a failure is injected. */
long pin_user_pages(struct mm_struct *mm, unsigned long start, unsigned long n, u32 flags,
		    struct page **pages);
/* The frame behind addr as the process would see it: its number, or -EFAULT. */
long mm_frame(struct mm_struct *mm, unsigned long addr, bool write);

/* --- mm_pfn.c --- */
/* In fault(): the entry of addr. An entry that is there stays; -EFAULT: outside, -ENOMEM. */
int vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn);
/* Whether the entry of addr is there. */
bool mm_pfn_present(struct vm_area_struct *vma, unsigned long addr);
/* The process faults and, if size, loads or stores; whether it could. */
bool mm_pfn_access(struct vm_area_struct *vma, unsigned long addr, void *buf, u64 size, bool write);
/* Entries of all mappings of files of this mapping go: offsets in bytes; size 0: to the end. */
void unmap_mapping_range(const void *mapping, u64 start, u64 size);
/*
 * The number of the page that a device's mapping has at addr, faulted in if need be. It
 * says nothing about how long it stays. -EFAULT: no such mapping, or not allowed.
 */
int mm_follow_pfn(struct mm_struct *mm, unsigned long addr, bool write, unsigned long *pfn);

/* --- memfd.c --- */
struct file *memfd_file(u64 size, u32 order);
bool is_memfd(const struct file *file);
u32 memfd_order(const struct file *file);
/* Made if need be, no reference taken; NULL: no memory, ERR_PTR(-EINVAL): beyond the end. */
struct page *memfd_page(const struct file *file, unsigned long index);
/* Pins [start, end] of the file, end included: pages, one for each index; 0 or -errno. */
int memfd_pin_pages(struct file *file, u64 start, u64 end, struct page **pages);
