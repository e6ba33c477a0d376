// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: page faults, and the user copies that cause them. A page is there
 * from its first use on; a read of anonymous memory makes it, too.
 *
 * False: there is no shared zero page, nothing is ever swapped out or moved;
 * dirty and accessed bits are not kept. A copy may be taken as a fault where
 * exploration asks for failures.
 */
#include "core/hosted/custom/mm.h"
#include "core/hosted/custom/pci.h"

#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

static unsigned long bits_of(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_READ | VM_WRITE) ? PTE_PRESENT : 0) |
	       (vma->vm_flags & VM_WRITE ? PTE_WRITE : 0);
}

/* Maps a folio whole; the caller's one reference becomes the first entry's. */
static vm_fault_t map_folio(struct vm_area_struct *vma, unsigned long addr, struct page *head,
			    unsigned long bits)
{
	unsigned long n = compound_nr(head);

	addr &= ~(n * PAGE_SIZE - 1);
	for (unsigned long i = 0; i < n; i++) {
		unsigned long *pte = hosted_pte(vma->vm_mm, addr + i * PAGE_SIZE, true);

		if (!pte) {
			if (!i)
				put_page(head);
			return VM_FAULT_OOM;
		}
		if (i)
			get_page(head);
		hosted_pte_set(pte, head + i, bits);
	}
	return 0;
}

static vm_fault_t fault_anonymous(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned int order = vma->vm_flags & VM_HUGETLB ? HUGE_ORDER : 0;
	struct page *page = hosted_page_alloc_compound(order, HOSTED_ZERO);

	return page ? map_folio(vma, addr, page, bits_of(vma)) : VM_FAULT_OOM;
}

/* A private page of its own in the place of a file's. */
static vm_fault_t copy_page_of(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	struct page *head = compound_head(page), *copy;
	unsigned long size = page_size(head), start = addr & ~(size - 1);
	struct mmu_notifier_range range;
	vm_fault_t ret;

	copy = hosted_page_alloc_compound(compound_order(head), 0);
	if (!copy)
		return VM_FAULT_OOM;
	memcpy(page_address(copy), page_address(head), size);
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, start, start + size);
	mmu_notifier_invalidate_range_start(&range);
	hosted_zap_shared(vma->vm_mm, start, start + size);
	ret = map_folio(vma, addr, copy, bits_of(vma));
	mmu_notifier_invalidate_range_end(&range);
	return ret;
}

static vm_fault_t fault_memfd(struct vm_area_struct *vma, unsigned long addr, unsigned int flags)
{
	bool shared = vma->vm_flags & VM_MAYSHARE;
	struct page *page = hosted_memfd_page(vma->vm_file, linear_page_index(vma, addr));

	if (IS_ERR(page))
		return VM_FAULT_SIGBUS;
	if (!page)
		return VM_FAULT_OOM;
	if (!shared && flags & (FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE))
		return copy_page_of(vma, addr, page);
	page = compound_head(page);
	get_page(page);
	return map_folio(vma, addr, page, bits_of(vma) & ~(shared ? 0 : PTE_WRITE));
}

/* Memory of a driver: its own handler makes the entry, or gives a page. */
static vm_fault_t fault_driver(struct vm_area_struct *vma, unsigned long addr, unsigned int flags)
{
	struct vm_fault vmf = {
		.vma = vma,
		.gfp_mask = GFP_KERNEL,
		.pgoff = linear_page_index(vma, addr & PAGE_MASK),
		.address = addr & PAGE_MASK,
		.real_address = addr,
		.flags = flags,
	};
	vm_fault_t ret;

	if (!vma->vm_ops || !vma->vm_ops->fault)
		return VM_FAULT_SIGBUS;
	ret = vma->vm_ops->fault(&vmf);
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return ret;
	return map_folio(vma, addr, vmf.page, bits_of(vma)) ?: ret;
}

static vm_fault_t fault_present(struct vm_area_struct *vma, unsigned long addr,
				unsigned long *pte, unsigned int flags)
{
	struct page *page = pfn_to_page(hosted_pte_pfn(*pte));
	bool write = flags & FAULT_FLAG_WRITE;

	if (*pte & PTE_SPECIAL) {
		hosted_pte_change(pte, 0, bits_of(vma));
		return 0;
	}
	if (hosted_mapping(page) && !(vma->vm_flags & VM_MAYSHARE)) {
		if (write || flags & FAULT_FLAG_UNSHARE)
			return copy_page_of(vma, addr, page);
		hosted_pte_change(pte, 0, bits_of(vma) & PTE_PRESENT);
		return 0;
	}
	hosted_pte_change(pte, 0, bits_of(vma));
	return 0;
}

vm_fault_t hosted_fault(struct vm_area_struct *vma, unsigned long addr, unsigned int flags)
{
	unsigned long need = flags & FAULT_FLAG_WRITE ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC;
	unsigned long *pte;

	if (!(vma->vm_flags & need))
		return VM_FAULT_SIGSEGV;
	pte = hosted_pte(vma->vm_mm, addr, true);
	if (!pte)
		return VM_FAULT_OOM;
	if (*pte)
		return fault_present(vma, addr, pte, flags);
	if (!vma->vm_file)
		return fault_anonymous(vma, addr);
	if (hosted_is_memfd(vma->vm_file))
		return fault_memfd(vma, addr, flags);
	return fault_driver(vma, addr, flags);
}

vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
			   struct pt_regs *regs)
{
	mmap_assert_locked(vma->vm_mm);
	return hosted_fault(vma, addr, flags);
}

int fixup_user_fault(struct mm_struct *mm, unsigned long addr, unsigned int flags, bool *unlocked)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	if (!vma || vma->vm_start > addr)
		return -EFAULT;
	return vm_fault_to_errno(hosted_fault(vma, addr, flags), 0);
}

/* --- user copies --- */

/* Whether the entry is of a bus address, which only an entry without a page can be. */
static bool is_registers(unsigned long pte)
{
	unsigned long pa = PFN_PHYS(hosted_pte_pfn(pte));

	return pte & PTE_SPECIAL && hosted_pci_window(pa);
}

static struct page *ready_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	unsigned long need = PTE_PRESENT | (write ? PTE_WRITE : 0);
	unsigned long *pte = hosted_pte(mm, addr, false);

	if (!pte || (*pte & need) != need || is_registers(*pte) ||
	    !pfn_valid(hosted_pte_pfn(*pte)))
		return NULL;
	return pfn_to_page(hosted_pte_pfn(*pte));
}

struct page *hosted_user_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	struct page *page = ready_page(mm, addr, write);
	struct vm_area_struct *vma;
	bool ok;

	while (!page && addr < TASK_END && !faulthandler_disabled()) {
		mmap_read_lock(mm);
		vma = find_vma(mm, addr);
		ok = vma && vma->vm_start <= addr &&
		     !(hosted_fault(vma, addr, write ? FAULT_FLAG_WRITE : 0) & VM_FAULT_ERROR);
		page = ok ? ready_page(mm, addr, write) : NULL;
		ok = ok && !(vma->vm_flags & (VM_PFNMAP | VM_IO));
		mmap_read_unlock(mm);
		if (!ok)
			break;
	}
	return page;
}

/* Whether no VMA says what is there: the host may have something. */
static bool foreign(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	if (addr >= TASK_END || faulthandler_disabled())
		return false;
	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	mmap_read_unlock(mm);
	return !vma || vma->vm_start > addr;
}

/* Such a page, which is pinned, becomes a frame without a VMA: its entry is all there is. */
bool hosted_adopt(struct mm_struct *mm, unsigned long addr, bool write)
{
	struct page *page;
	unsigned long *pte;

	addr &= PAGE_MASK;
	if (addr >= TASK_END)
		return false;
	pte = hosted_pte(mm, addr, true);
	if (!pte || *pte)
		return false;
	page = hosted_page_alloc_compound(0, HOSTED_ZERO);
	if (!page)
		return false;
	if (hosted_floor->foreign_page(hosted_mm_process(mm), addr, page_to_pfn(page), write)) {
		put_page(page);
		return false;
	}
	hosted_pte_set(pte, page, PTE_PRESENT | (write ? PTE_WRITE : 0));
	return true;
}

/*
 * What an entry without a page leads to, after hosted_user_page(): a device's registers,
 * which are reached as the processor would. False: there is nothing.
 */
static bool reach_registers(struct mm_struct *mm, void *buf, unsigned long addr,
			    unsigned long size, bool write)
{
	unsigned long need = PTE_PRESENT | (write ? PTE_WRITE : 0);
	unsigned long *pte = addr < TASK_END ? hosted_pte(mm, addr, false) : NULL;

	if (!pte || (*pte & need) != need || !is_registers(*pte))
		return false;
	return hosted_pci_reach(PFN_PHYS(hosted_pte_pfn(*pte)) + offset_in_page(addr), buf, size,
				write);
}

unsigned long hosted_mm_access(struct mm_struct *mm, void *buf, unsigned long addr,
			       unsigned long size, bool to_user)
{
	while (mm && size) {
		unsigned long n = min(size, PAGE_SIZE - offset_in_page(addr));
		struct page *page = hosted_user_page(mm, addr, to_user);
		void *p;

		if (!page && !reach_registers(mm, buf, addr, n, to_user) &&
		    (!foreign(mm, addr) ||
		     hosted_floor->foreign_copy(hosted_mm_process(mm), buf, addr, n, to_user)))
			break;
		if (!page) {
			buf += n;
			addr += n;
			size -= n;
			continue;
		}
		p = page_address(page) + offset_in_page(addr);
		if (to_user)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		buf += n;
		addr += n;
		size -= n;
	}
	return size;
}

/* Where a copy within one page goes whose entry permits it, or NULL: the long way tells. */
static __always_inline void *near_page(struct mm_struct *mm, unsigned long addr,
				       unsigned long size, unsigned long need)
{
	const unsigned long *pte = mm ? hosted_pte_near(mm, addr) : NULL;

	if (!pte || (*pte & (need | PTE_SPECIAL)) != need ||
	    size > PAGE_SIZE - offset_in_page(addr) || !pfn_valid(hosted_pte_pfn(*pte)))
		return NULL;
	return __va(PFN_PHYS(hosted_pte_pfn(*pte))) + offset_in_page(addr);
}

unsigned long hosted_user_copy(void *buf, unsigned long addr, unsigned long size, bool to_user)
{
	struct hosted_task *h = hosted_task_of(current);
	void *p = near_page(h->t.mm, addr, size, PTE_PRESENT | (to_user ? PTE_WRITE : 0));
	unsigned long left = 0;

	if (unlikely(!p))
		left = hosted_mm_access(h->t.mm, buf, addr, size, to_user);
	else if (to_user)
		memcpy(p, buf, size);
	else
		memcpy(buf, p, size);
	if (!to_user && unlikely(*hosted_floor->clients))
		hosted_floor->user_read(h->process, addr, buf, size - left);
	return left;
}

/* What is no pointer into the heap, and not near NULL either, is nobody's concern. */
static __always_inline void announce(const void *p, unsigned long n, unsigned int flags,
				     unsigned long pc)
{
	unsigned long addr = (unsigned long)p;

	if (addr >> FLOOR_HEAP_SHIFT == FLOOR_HEAP_TAG || addr < FLOOR_LOW)
		hosted_floor->access(p, n, flags, pc);
}

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	if (hosted_floor->fails(FLOOR_FAULT_COPY, HOSTED_CALLER))
		return n;
	announce(to, n, FLOOR_WRITE, HOSTED_CALLER);
	return hosted_user_copy(to, (unsigned long)from, n, false);
}

unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	if (hosted_floor->fails(FLOOR_FAULT_COPY, HOSTED_CALLER))
		return n;
	announce(from, n, FLOOR_READ, HOSTED_CALLER);
	return hosted_user_copy((void *)from, (unsigned long)to, n, true);
}

unsigned long __clear_user(void __user *to, unsigned long n)
{
	static const char zeroes[64];

	while (n) {
		unsigned long part = min(n, sizeof(zeroes));

		if (hosted_user_copy((void *)zeroes, (unsigned long)to, part, true))
			break;
		to += part;
		n -= part;
	}
	return n;
}

int check_zeroed_user(const void __user *from, size_t n)
{
	u8 part[256];

	/* In pieces: a struct that claims to have 4 GiB is looked at up to the first other byte. */
	while (n) {
		size_t size = min(n, sizeof(part));
		size_t left = hosted_user_copy(part, (unsigned long)from, size, false);

		if (memchr_inv(part, 0, size - left))
			return 0;
		if (left)
			return -EFAULT;
		from += size;
		n -= size;
	}
	return 1;
}
