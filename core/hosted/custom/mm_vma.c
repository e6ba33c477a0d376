// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: VMAs: real ones in the mm's real maple tree, changed as Linux does:
 * mmap_lock held for writing, notifiers told before and after entries go.
 *
 * False: neighbours are not merged; the tree's nodes are freed without RCU;
 * no rmap, no anon_vma, no stack that grows.
 */
#include "core/hosted/custom/mm.h"

#include <linux/file.h>
#include <linux/maple_tree.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>

unsigned long hosted_vm_flags(unsigned long prot)
{
	unsigned long flags = 0;

	/* x86: what may be written or executed may be read. */
	if (prot & (PROT_READ | PROT_WRITE | PROT_EXEC))
		flags |= VM_READ;
	if (prot & PROT_WRITE)
		flags |= VM_WRITE;
	if (prot & PROT_EXEC)
		flags |= VM_EXEC;
	return flags;
}

struct vm_area_struct *hosted_vma_next(struct mm_struct *mm, unsigned long addr, unsigned long end)
{
	MA_STATE(mas, &mm->mm_mt, addr, addr);

	return addr < end ? mas_find(&mas, end - 1) : NULL;
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	mmap_assert_locked(mm);
	return hosted_vma_next(mm, addr, ULONG_MAX);
}

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end)
{
	mmap_assert_locked(mm);
	return hosted_vma_next(mm, start, end);
}

static int store(struct mm_struct *mm, unsigned long start, unsigned long end,
		 struct vm_area_struct *vma)
{
	MA_STATE(mas, &mm->mm_mt, start, end - 1);

	return mas_store_gfp(&mas, vma, GFP_KERNEL);
}

int hosted_vma_insert(struct vm_area_struct *vma)
{
	int ret = store(vma->vm_mm, vma->vm_start, vma->vm_end, vma);

	if (ret)
		return ret;
	vma->vm_mm->map_count++;
	vma->vm_mm->total_vm += vma_pages(vma);
	return 0;
}

struct vm_area_struct *hosted_vma_copy(struct vm_area_struct *from, struct mm_struct *mm)
{
	struct vm_area_struct *vma = kmalloc(sizeof(*vma), GFP_KERNEL);

	if (!vma)
		return NULL;
	memcpy(vma, from, sizeof(*vma));
	hosted_written(vma, sizeof(*vma));
	vma->vm_mm = mm;
	INIT_LIST_HEAD(&vma->anon_vma_chain);
	if (vma->vm_file)
		get_file(vma->vm_file);
	return vma;
}

void hosted_vma_free(struct vm_area_struct *vma)
{
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (vma->vm_file)
		fput(vma->vm_file);
	kfree(vma);
}

static int split(struct vm_area_struct *vma, unsigned long at)
{
	struct vm_area_struct *high;
	int ret = 0;

	if (vma->vm_flags & VM_HUGETLB && at & ~HUGE_MASK)
		return -EINVAL;
	if (vma->vm_ops && vma->vm_ops->may_split)
		ret = vma->vm_ops->may_split(vma, at);
	if (ret)
		return ret;
	high = hosted_vma_copy(vma, vma->vm_mm);
	if (!high)
		return -ENOMEM;
	high->vm_start = at;
	high->vm_pgoff += (at - vma->vm_start) >> PAGE_SHIFT;
	ret = store(vma->vm_mm, at, high->vm_end, high);
	if (ret) {
		if (high->vm_file)
			fput(high->vm_file);
		kfree(high);
		return ret;
	}
	vma->vm_end = at;
	vma->vm_mm->map_count++;
	if (high->vm_ops && high->vm_ops->open)
		high->vm_ops->open(high);
	return 0;
}

int hosted_vma_cut(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = hosted_vma_next(mm, start, end);
	int ret = 0;

	if (vma && vma->vm_start < start)
		ret = split(vma, start);
	vma = hosted_vma_next(mm, end - 1, end);
	if (!ret && vma && vma->vm_end > end)
		ret = split(vma, end);
	return ret;
}

int hosted_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range;
	struct vm_area_struct *vma;
	int ret;

	if (!hosted_vma_next(mm, start, end)) {
		hosted_zap(mm, start, end); /* what was adopted */
		return 0;
	}
	ret = hosted_vma_cut(mm, start, end);
	if (ret)
		return ret;
	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	hosted_zap_shared(mm, start, end);
	mmu_notifier_invalidate_range_end(&range);
	while ((vma = hosted_vma_next(mm, start, end))) {
		ret = store(mm, vma->vm_start, vma->vm_end, NULL);
		if (ret)
			return ret;
		mm->map_count--;
		mm->total_vm -= vma_pages(vma);
		hosted_vma_free(vma);
	}
	return 0;
}
