// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of devices: entries with a page's number and no page. They come by the
 * driver's fault handler and go when it says so, whoever has mapped them.
 */
#include "sim/user/user_priv.h"

#include "sim/access/access.h"

int vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	u64 *pte;

	if (addr < vma->node.start || addr > vma->node.last)
		return -EFAULT;
	pte = mm_pte(vma->mm, addr, true);
	if (!pte)
		return -ENOMEM;
	if (!*pte)
		*pte = pfn << PAGE_SHIFT | PTE_SPECIAL | PTE_PRESENT |
		       (vma->flags & VM_WRITE ? PTE_WRITE : 0);
	return 0;
}

static u64 entry(struct vm_area_struct *vma, unsigned long addr)
{
	const u64 *pte = mm_pte(vma->mm, addr, false);

	return pte ? *pte : 0;
}

bool mm_pfn_present(struct vm_area_struct *vma, unsigned long addr)
{
	return entry(vma, addr);
}

static bool there(struct vm_area_struct *vma, unsigned long addr)
{
	return entry(vma, addr) || (vma->vm_ops && vma->vm_ops->fault(vma, addr));
}

bool mm_pfn_access(struct vm_area_struct *vma, unsigned long addr, void *buf, u64 size, bool write)
{
	if (!(vma->flags & (write ? VM_WRITE : VM_READ)) || !there(vma, addr & PAGE_MASK))
		return false;
	return !size || (vma->vm_ops->access && vma->vm_ops->access(vma, addr, buf, size, write));
}

static void unmap_in(struct mm_struct *mm, const void *mapping, u64 start, u64 last)
{
	struct vm_area_struct *vma;

	for_each_vma_range(vma, mm, 0, TASK_SIZE) {
		u64 size = vma->node.last + 1 - vma->node.start;
		u64 first = (u64)vma->pgoff << PAGE_SHIFT, end = first + size - 1;

		if (!(vma->flags & VM_PFNMAP) || !vma->file || vma->file->mapping != mapping ||
		    first > last || end < start)
			continue;
		mm_zap(mm, vma->node.start + (max(first, start) - first),
		       vma->node.start + (min(end, last) - first) + 1);
	}
}

/*
 * Linux finds the mappings under their file's own lock; looking through whole address spaces
 * instead, without theirs, is our way and nobody's race.
 */
void unmap_mapping_range(const void *mapping, u64 start, u64 size)
{
	u64 last = size ? start + size - 1 : ~0ULL;
	struct task *t = current_task;
	u32 checks = t->checks;

	access_set_checks(t, checks & ~ACCESS_CHECK_RACE);
	for (u32 i = 0; i < PROCESSES_MAX; i++) {
		struct process *p = user_here()->process[i];

		if (p && p->mm)
			unmap_in(p->mm, mapping, start, last);
	}
	access_set_checks(t, checks);
}

int mm_follow_pfn(struct mm_struct *mm, unsigned long addr, bool write, unsigned long *pfn)
{
	struct vm_area_struct *vma;
	int ret = -EFAULT;

	mmap_read_lock(mm);
	vma = addr < TASK_SIZE ? vma_lookup(mm, addr) : NULL;
	if (vma && vma->flags & VM_PFNMAP && mm_pfn_access(vma, addr, NULL, 0, write)) {
		u64 pte = entry(vma, addr);

		if (pte && (!write || pte & PTE_WRITE)) {
			*pfn = pte >> PAGE_SHIFT;
			ret = 0;
		}
	}
	mmap_read_unlock(mm);
	return ret;
}
