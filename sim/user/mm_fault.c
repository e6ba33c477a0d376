// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults, the user copies that cause them, and pins. There is no shared zero
 * page and no copy on write: a read of anonymous memory makes its page.
 */
#include "sim/user/client.h"
#include "sim/user/file.h"
#include "sim/user/user_priv.h"

#include "sim/access/access.h"
#include "sim/base/copy.h"
#include "sim/kapi/slab.h"
#include "sim/mem/frames.h"

#include <string.h>

static u64 bits_of(const struct vm_area_struct *vma)
{
	return (vma->flags & (VM_READ | VM_WRITE) ? PTE_PRESENT : 0) |
	       (vma->flags & VM_WRITE ? PTE_WRITE : 0);
}

/* Maps a block whole; the caller's reference becomes the first entry's. */
static bool map_block(struct mm_struct *mm, unsigned long addr, struct page *head, u64 bits)
{
	u32 n = 1U << head->order;

	addr &= ~((unsigned long)n * PAGE_SIZE - 1);
	for (u32 i = 0; i < n; i++) {
		u64 *pte = mm_pte(mm, addr + i * PAGE_SIZE, true);

		if (!pte) {
			if (!i)
				put_page(head);
			return false;
		}
		if (i)
			get_page(head);
		*pte = (u64)(uintptr_t)(head + i) | bits;
	}
	return true;
}

/* A private copy in the place of a file's page. */
static bool unshare(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	struct page *head = page->head, *copy = alloc_pages(head->order, false);
	unsigned long size = PAGE_SIZE << head->order, start = addr & ~(size - 1);

	if (!copy)
		return false;
	memcpy(page_address(copy), page_address(head), size);
	mm_zap(vma->mm, start, start + size);
	return map_block(vma->mm, addr, copy, bits_of(vma));
}

static bool fault_memfd(struct vm_area_struct *vma, unsigned long addr, u32 flags)
{
	unsigned long index = vma->pgoff + ((addr - vma->node.start) >> PAGE_SHIFT);
	bool shared = vma->flags & VM_SHARED;
	struct page *page = memfd_page(vma->file, index);

	if (IS_ERR_OR_NULL(page))
		return false;
	if (!shared && flags)
		return unshare(vma, addr, page);
	get_page(page->head);
	return map_block(vma->mm, addr, page->head, bits_of(vma) & ~(shared ? 0ULL : PTE_WRITE));
}

static bool fault_present(struct vm_area_struct *vma, unsigned long addr, u64 *pte, u32 flags)
{
	struct page *page = pte_page(*pte);

	if (page->head->memfd && !(vma->flags & VM_SHARED)) {
		if (flags)
			return unshare(vma, addr, page);
		*pte |= bits_of(vma) & PTE_PRESENT;
		return true;
	}
	*pte |= bits_of(vma);
	return true;
}

static bool fault(struct vm_area_struct *vma, unsigned long addr, u32 flags)
{
	unsigned long need = flags & FOLL_WRITE ? VM_WRITE : VM_ACCESS_FLAGS;
	u64 *pte = vma->flags & need ? mm_pte(vma->mm, addr, true) : NULL;
	struct page *page;

	if (!pte || vma->flags & VM_PFNMAP)
		return false;
	if (*pte)
		return fault_present(vma, addr, pte, flags);
	if (vma->file)
		return fault_memfd(vma, addr, flags);
	page = alloc_pages(vma->flags & VM_HUGETLB ? HPAGE_ORDER : 0, true);
	return page && map_block(vma->mm, addr, page, bits_of(vma));
}

/* What an entry gives without a fault. A file's page may yet be replaced: not for pins. */
static struct page *ready_in(const u64 *pte, u32 flags, bool shared)
{
	u64 need = PTE_PRESENT | (flags & FOLL_WRITE ? PTE_WRITE : 0);

	if (!pte || (*pte & (need | PTE_SPECIAL)) != need)
		return NULL;
	if (flags & FOLL_PIN && !(*pte & PTE_WRITE) && pte_page(*pte)->head->memfd && !shared)
		return NULL;
	return pte_page(*pte);
}

static struct page *ready(struct mm_struct *mm, unsigned long addr, u32 flags, bool shared)
{
	return ready_in(mm_pte(mm, addr, false), flags, shared);
}

/* A page that only the host has becomes a page without a mapping. */
static struct page *adopt(struct mm_struct *mm, unsigned long addr, u32 flags)
{
	const struct user_client *c = user_client();
	bool write = flags & FOLL_WRITE;
	struct page *page;
	u64 *pte;

	if (!c || mm->process == ~0U)
		return NULL;
	pte = mm_pte(mm, addr, true);
	if (!pte || *pte)
		return NULL;
	page = alloc_pages(0, true);
	if (!page)
		return NULL;
	if (c->adopt(mm->process, addr, page->pfn, write)) {
		put_page(page);
		return NULL;
	}
	*pte = (u64)(uintptr_t)page | PTE_PRESENT | (write ? PTE_WRITE : 0);
	return page;
}

struct page *mm_fault(struct mm_struct *mm, unsigned long addr, u32 flags)
{
	struct vm_area_struct *vma;
	struct page *page;
	bool shared;

	addr &= PAGE_MASK;
	vma = addr < TASK_SIZE ? vma_lookup(mm, addr) : NULL;
	if (!vma) {
		page = addr < TASK_SIZE ? ready(mm, addr, flags, false) : NULL;
		return page || addr >= TASK_SIZE ? page : adopt(mm, addr, flags);
	}
	if (!(vma->flags & (flags & FOLL_WRITE ? VM_WRITE : VM_READ)))
		return NULL;
	shared = vma->flags & VM_SHARED;
	page = ready(mm, addr, flags, shared);
	if (!page && fault(vma, addr, shared ? flags & FOLL_WRITE : flags))
		page = ready(mm, addr, flags, shared);
	return page;
}

/* --- user copies --- */

static struct page *copy_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	u32 flags = write ? FOLL_WRITE : 0;
	struct page *page = ready(mm, addr, flags, false);
	struct vm_area_struct *vma;

	if (page || addr >= TASK_SIZE)
		return page;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && fault(vma, addr, flags))
		page = ready(mm, addr, flags, false);
	mmap_read_unlock(mm);
	return page;
}

/*
 * Where no mapping says what is there the host may have something; where a device's
 * does, the device: bytes not copied.
 */
static u64 copy_foreign(struct mm_struct *mm, void *buf, u64 addr, u64 size, bool to_user)
{
	const struct user_client *c = user_client();
	struct vm_area_struct *vma;
	bool done = false;

	if (addr >= TASK_SIZE || mm->process == ~0U)
		return size;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && vma->flags & VM_PFNMAP)
		done = mm_pfn_access(vma, addr, buf, size, to_user);
	mmap_read_unlock(mm);
	if (vma)
		return done ? 0 : size;
	return c ? c->copy(mm->process, buf, addr, size, to_user) : size;
}

/* Which way a copy goes is decided when it is compiled. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* n bytes within a page, to it from buf or (not to_user) the other way. */
static ALWAYS_INLINE void copy_within(struct page *page, u64 offset, void *buf, u64 n, bool to_user)
{
	struct world *w = this_world();
	char *there = (char *)frame_ptr(w, page_to_phys(page)) + offset;
	u64 at = page_to_phys(page) - page_to_phys(page->head) + offset;

	if (to_user)
		frame_span(frame_info(w, page_to_phys(page->head)), (u32)(at / sizeof(u64)),
			   (u32)((at + n + sizeof(u64) - 1) / sizeof(u64)));
	copy_small(to_user ? there : buf, to_user ? buf : there, n);
}

static __attribute__((noinline)) u64 access_pages(struct mm_struct *mm, void *buf, u64 addr,
						  u64 size, bool to_user)
{
	while (mm && size) {
		u64 n = min(size, PAGE_SIZE - offset_in_page(addr));
		struct page *page = copy_page(mm, addr, to_user);

		if (!page && copy_foreign(mm, buf, addr, n, to_user))
			break;
		if (page)
			copy_within(page, offset_in_page(addr), buf, n, to_user);
		buf = (char *)buf + n;
		addr += n;
		size -= n;
	}
	return size;
}

/* Within a page that is there is the usual case. */
static ALWAYS_INLINE u64 access(struct mm_struct *mm, void *buf, u64 addr, u64 size, bool to_user)
{
	struct page *page = NULL;

	if (mm && offset_in_page(addr) + size <= PAGE_SIZE)
		page = ready_in(mm_pte_last(mm, addr), to_user ? FOLL_WRITE : 0, false);
	if (unlikely(!page))
		return access_pages(mm, buf, addr, size, to_user);
	copy_within(page, offset_in_page(addr), buf, size, to_user);
	return 0;
}

__attribute__((noinline)) u64 mm_access(struct mm_struct *mm, void *buf, u64 addr, u64 size,
					bool to_user)
{
	return to_user ? access(mm, buf, addr, size, true) : access(mm, buf, addr, size, false);
}

static __attribute__((noinline)) u64 copy_seen(const struct user_client *c, void *buf, u64 addr,
					       u64 size, bool to_user)
{
	const struct process *p = current_process();
	u64 left = mm_access(p ? p->mm : NULL, buf, addr, size, to_user);

	if (!to_user && c->seen && p)
		c->seen(p->id, addr, buf, size - left);
	return left;
}

u64 user_copy_current(void *buf, u64 addr, u64 size, bool to_user)
{
	const struct user_client *c = user_client();
	const struct process *p = task_process(current_task);
	struct mm_struct *mm = p ? p->mm : NULL;

	if (unlikely(c))
		return copy_seen(c, buf, addr, size, to_user);
	return to_user ? access(mm, buf, addr, size, true) : access(mm, buf, addr, size, false);
}

long mm_frame(struct mm_struct *mm, unsigned long addr, bool write)
{
	struct page *page;

	mmap_read_lock(mm);
	page = mm_fault(mm, addr, write ? FOLL_WRITE : 0);
	mmap_read_unlock(mm);
	return page ? (long)page->pfn : -EFAULT;
}

/* --- pins --- */

/* Where the last page of a run was. */
struct walk {
	struct vm_area_struct *vma; /* NULL: nothing is known */
	u64 *pte;
};

/* mm_fault() for one page after the other: most lie in one area, and in one table. */
static struct page *walk_fault(struct mm_struct *mm, struct walk *w, unsigned long addr, u32 flags)
{
	struct page *page = NULL;

	if (w->vma && addr <= w->vma->node.last) {
		w->pte = mm_pte_beside(mm, w->pte, addr);
		page = ready_in(w->pte, flags, w->vma->flags & VM_SHARED);
	}
	if (page)
		return page;
	page = mm_fault(mm, addr, flags);
	w->vma = page ? vma_lookup(mm, addr) : NULL;
	if (w->vma && !(w->vma->flags & (flags & FOLL_WRITE ? VM_WRITE : VM_READ)))
		w->vma = NULL;
	w->pte = NULL;
	return page;
}

/* As get_user_pages(): without FOLL_PIN a reference. */
long pin_user_pages(struct mm_struct *mm, unsigned long start, unsigned long n, u32 flags,
		    struct page **pages)
{
	unsigned long done = 0;
	struct walk w = {NULL, NULL};

	might_sleep();
	/* As on Linux, a page that is only looked at is got without any failure point. */
	if (flags & FOLL_PIN &&
	    sched_fails(this_world(), FAULT_ALLOC, (u64)(uintptr_t)__builtin_return_address(0)))
		return -ENOMEM;
	mmap_read_lock(mm);
	for (start &= PAGE_MASK; done < n; done++, start += PAGE_SIZE) {
		struct page *page = walk_fault(mm, &w, start, flags);

		if (!page)
			break;
		if (flags & FOLL_PIN)
			pin_page(page);
		else
			get_page(page);
		pages[done] = page;
	}
	mmap_read_unlock(mm);
	access_range(pages, done * sizeof(*pages), OP_WRITE,
		     (u64)(uintptr_t)__builtin_return_address(0));
	return done ? (long)done : -EFAULT;
}
