// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: pinning of user pages, counted in the folio as the kernel counts
 * them (a pin of a small folio is many references, of a large one a count of
 * its own), and the accounting of locked memory.
 *
 * False: pinned pages are never migrated or marked; FOLL_FORCE is not known;
 * mmap_lock is never dropped in between.
 */
#include "core/hosted/custom/mm.h"

#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include <mm/internal.h> /* of the tree, not of its include folder */

static void grab(struct page *page, unsigned int flags)
{
	struct folio *folio = page_folio(page);

	if (!(flags & FOLL_PIN)) {
		folio_ref_inc(folio);
	} else if (folio_test_large(folio)) {
		folio_ref_inc(folio);
		atomic_inc(&folio->_pincount);
	} else {
		folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
	}
}

static void ungrab(struct folio *folio, unsigned long n, unsigned long pc)
{
	unsigned long refs = folio_test_large(folio) ? n : n * GUP_PIN_COUNTING_BIAS;

	if (folio_test_large(folio) ? atomic_read(&folio->_pincount) < n :
				      folio_ref_count(folio) < refs) {
		hosted_finding(pc, "BUG: Bad page state in %F",
			       "unpinned a page that is not pinned: refcount %d",
			       folio_ref_count(folio));
		return;
	}
	if (folio_test_large(folio))
		atomic_sub(n, &folio->_pincount);
	folio_put_refs(folio, refs);
}

/* What an entry gives without a fault; NULL: one is needed. */
static struct page *entry_page(struct mm_struct *mm, unsigned long addr, unsigned int flags,
			       bool shared)
{
	unsigned long need = PTE_PRESENT | (flags & FOLL_WRITE ? PTE_WRITE : 0);
	unsigned long *pte = hosted_pte(mm, addr, false);
	struct page *page;

	if (!pte || (*pte & (need | PTE_SPECIAL)) != need)
		return NULL;
	page = pfn_to_page(hosted_pte_pfn(*pte));
	/* A file's page may be replaced by a private copy: not for pins. */
	if (flags & FOLL_PIN && !(*pte & PTE_WRITE) && hosted_mapping(page) && !shared)
		return NULL;
	return page;
}

static struct page *fault_page(struct mm_struct *mm, unsigned long addr, unsigned int flags)
{
	unsigned int how = flags & FOLL_WRITE ? FAULT_FLAG_WRITE :
			   flags & FOLL_PIN ? FAULT_FLAG_UNSHARE : 0;
	struct vm_area_struct *vma = find_vma(mm, addr);
	bool shared;

	if (!vma || vma->vm_start > addr) {
		if (!entry_page(mm, addr, flags, false))
			hosted_adopt(mm, addr, flags & FOLL_WRITE);
		return entry_page(mm, addr, flags, false);
	}
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return NULL;
	if (!(vma->vm_flags & (flags & FOLL_WRITE ? VM_WRITE : VM_READ)))
		return NULL;
	shared = vma->vm_flags & VM_MAYSHARE;
	if (shared)
		how &= ~FAULT_FLAG_UNSHARE;
	if (!entry_page(mm, addr, flags, shared) &&
	    hosted_fault(vma, addr, how) & VM_FAULT_ERROR)
		return NULL;
	return entry_page(mm, addr, flags, shared);
}

/* With mmap_lock held; pages from `done` on. */
static long gup_locked(struct mm_struct *mm, unsigned long start, long done, long n,
		       unsigned int flags, struct page **pages)
{
	for (; done < n; done++) {
		struct page *page = fault_page(mm, start + done * PAGE_SIZE, flags);

		if (!page)
			break;
		grab(page, flags);
		if (pages)
			pages[done] = page;
	}
	if (pages)
		hosted_written(pages, done * sizeof(*pages));
	return done || !n ? done : -EFAULT;
}

/* Without mmap_lock as far as entries are there. */
static long gup_fast(unsigned long start, long n, unsigned int flags, struct page **pages,
		     unsigned long pc)
{
	struct mm_struct *mm = current->mm;
	long done = 0;

	might_sleep();
	if (!mm)
		return -EFAULT;
	/* As on Linux, a page that is there is got without any failure point. */
	if (flags & FOLL_PIN && hosted_floor->fails(FLOOR_FAULT_ALLOC, pc))
		return -ENOMEM;
	for (start &= PAGE_MASK; done < n; done++) {
		struct page *page = entry_page(mm, start + done * PAGE_SIZE, flags, false);

		if (!page)
			break;
		grab(page, flags);
		pages[done] = page;
	}
	if (done < n && !(flags & FOLL_FAST_ONLY)) {
		mmap_read_lock(mm);
		done = gup_locked(mm, start, done, n, flags, pages);
		mmap_read_unlock(mm);
	}
	if (done > 0)
		hosted_written(pages, done * sizeof(*pages));
	return done;
}

int get_user_pages_fast(unsigned long start, int n, unsigned int flags, struct page **pages)
{
	return gup_fast(start, n, flags & ~FOLL_PIN, pages, HOSTED_CALLER);
}

int pin_user_pages_fast(unsigned long start, int n, unsigned int flags, struct page **pages)
{
	return gup_fast(start, n, flags | FOLL_PIN, pages, HOSTED_CALLER);
}

/* signature given */
static long gup_remote(struct mm_struct *mm, unsigned long start, unsigned long n,
		       unsigned int flags, struct page **pages, unsigned long pc)
{
	might_sleep();
	mmap_assert_locked(mm);
	if (hosted_floor->fails(FLOOR_FAULT_ALLOC, pc))
		return -ENOMEM;
	return gup_locked(mm, start & PAGE_MASK, 0, n, flags, pages);
}

/* signature given */
long pin_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long n,
			   unsigned int flags, struct page **pages, int *locked)
{
	return gup_remote(mm, start, n, flags | FOLL_PIN, pages, HOSTED_CALLER);
}

/* signature given */
long get_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long n,
			   unsigned int flags, struct page **pages, int *locked)
{
	return gup_remote(mm, start, n, flags & ~FOLL_PIN, pages, HOSTED_CALLER);
}

long pin_user_pages(unsigned long start, unsigned long n, unsigned int flags, struct page **pages)
{
	return gup_remote(current->mm, start, n, flags | FOLL_PIN, pages, HOSTED_CALLER);
}

void unpin_user_page(struct page *page)
{
	ungrab(page_folio(page), 1, HOSTED_CALLER);
}

void unpin_user_pages(struct page **pages, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		ungrab(page_folio(pages[i]), 1, HOSTED_CALLER);
}

int set_page_dirty_lock(struct page *page)
{
	return !TestSetPageDirty(page);
}

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long n, bool dirty)
{
	for (unsigned long i = 0; i < n; i++) {
		if (dirty)
			set_page_dirty_lock(compound_head(pages[i]));
		ungrab(page_folio(pages[i]), 1, HOSTED_CALLER);
	}
}

void unpin_user_page_range_dirty_lock(struct page *page, unsigned long n, bool dirty)
{
	for (unsigned long i = 0; i < n; i++) {
		if (dirty)
			set_page_dirty_lock(compound_head(page + i));
		ungrab(page_folio(page + i), 1, HOSTED_CALLER);
	}
}

void unpin_folio(struct folio *folio)
{
	ungrab(folio, 1, HOSTED_CALLER);
}

void unpin_folios(struct folio **folios, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		ungrab(folios[i], 1, HOSTED_CALLER);
}

void unpin_user_folio(struct folio *folio, unsigned long n)
{
	ungrab(folio, n, HOSTED_CALLER);
}

/* --- entries without pages --- */

int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct mm_struct *mm = args->vma->vm_mm;
	unsigned long *pte;

	mmap_assert_locked(mm);
	if (args->address < args->vma->vm_start || args->address >= args->vma->vm_end ||
	    !(args->vma->vm_flags & (VM_IO | VM_PFNMAP)))
		return -EINVAL;
	pte = hosted_pte(mm, args->address, false);
	if (!pte || !(*pte & PTE_PRESENT))
		return -EINVAL;
	args->pfn = hosted_pte_pfn(*pte);
	args->writable = *pte & PTE_WRITE;
	args->special = *pte & PTE_SPECIAL;
	args->pgprot = args->vma->vm_page_prot;
	return 0;
}

void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
}

static vm_fault_t insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	unsigned long *pte = hosted_pte(vma->vm_mm, addr, true);

	if (addr < vma->vm_start || addr >= vma->vm_end)
		return VM_FAULT_SIGBUS;
	if (!pte)
		return VM_FAULT_OOM;
	if (!*pte)
		hosted_pte_set_pfn(pte, pfn,
				   PTE_SPECIAL | PTE_PRESENT |
					   (vma->vm_flags & VM_WRITE ? PTE_WRITE : 0));
	return VM_FAULT_NOPAGE;
}

vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	return insert_pfn(vma, addr, pfn);
}

vm_fault_t vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
			       pgprot_t prot)
{
	return insert_pfn(vma, addr, pfn);
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	for (unsigned long at = 0; at < size; at += PAGE_SIZE) {
		if (insert_pfn(vma, addr + at, pfn + (at >> PAGE_SHIFT)) & VM_FAULT_ERROR)
			return -ENOMEM;
	}
	return 0;
}

static void unmap_part(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	hosted_zap_shared(vma->vm_mm, start, end);
	mmu_notifier_invalidate_range_end(&range);
}

void zap_vma_ptes(struct vm_area_struct *vma, unsigned long addr, unsigned long size)
{
	if (addr >= vma->vm_start && addr + size <= vma->vm_end && vma->vm_flags & VM_PFNMAP)
		unmap_part(vma, addr, addr + size);
}

struct hole {
	struct address_space *mapping;
	pgoff_t first, last;
};

static void unmap_hole(struct mm_struct *mm, void *arg)
{
	const struct hole *hole = arg;
	struct vm_area_struct *vma;

	for_each_hosted_vma(vma, mm, 0, TASK_END) {
		pgoff_t first = max(hole->first, vma->vm_pgoff);
		pgoff_t last = min(hole->last, vma->vm_pgoff + vma_pages(vma) - 1);

		if (vma->vm_file && vma->vm_file->f_mapping == hole->mapping && first <= last)
			unmap_part(vma, vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT),
				   vma->vm_start + ((last - vma->vm_pgoff + 1) << PAGE_SHIFT));
	}
}

/*
 * False: private copies go, too, whatever even_cows says; mmap_lock is not needed and not taken,
 * so that looking through the address spaces is no race of anybody's.
 */
void unmap_mapping_range(struct address_space *mapping, loff_t start, loff_t size, int even_cows)
{
	struct hole hole = {mapping, start >> PAGE_SHIFT, ULONG_MAX};

	if (size)
		hole.last = (start + size - 1) >> PAGE_SHIFT;
	kcsan_disable_current();
	hosted_each_mm(unmap_hole, &hole);
	kcsan_enable_current();
}

/* --- locked memory --- */

/* Newer trees promise not to change the task. */
int hosted_account(struct mm_struct *mm, unsigned long pages, bool inc,
		   const struct task_struct *task, bool bypass_rlim)
	HOSTED_NAMED(__account_locked_vm);

int hosted_account(struct mm_struct *mm, unsigned long pages, bool inc,
		   const struct task_struct *task, bool bypass_rlim)
{
	unsigned long limit = task_rlimit(task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	mmap_assert_write_locked(mm);
	if (inc && mm->locked_vm + pages > limit && !bypass_rlim)
		return -ENOMEM;
	if (!inc && WARN_ON_ONCE(pages > mm->locked_vm))
		pages = mm->locked_vm;
	mm->locked_vm += inc ? pages : -pages;
	return 0;
}

int account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc)
{
	int ret;

	if (!pages || !mm)
		return 0;
	mmap_write_lock(mm);
	ret = hosted_account(mm, pages, inc, current, capable(CAP_IPC_LOCK));
	mmap_write_unlock(mm);
	return ret;
}
