// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of an address space. Neighbours are not merged.
 */
#include "sim/user/file.h"
#include "sim/user/mm.h"

#include "sim/kapi/slab.h"

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end)
{
	struct interval_tree_node *n;

	if (start >= end)
		return NULL;
	n = interval_tree_iter_first(&mm->vmas, start, end - 1);
	return n ? container_of(n, struct vm_area_struct, node) : NULL;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return find_vma_intersection(mm, addr, addr + 1);
}

void vma_insert(struct vm_area_struct *vma)
{
	interval_tree_insert(&vma->node, &vma->mm->vmas);
}

struct vm_area_struct *vma_copy(const struct vm_area_struct *from, struct mm_struct *mm)
{
	struct vm_area_struct *vma = kmemdup(from, sizeof(*from), GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->mm = mm;
	if (vma->file)
		get_file(vma->file);
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	return vma;
}

void vma_free(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->mm;

	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (!vma->file) {
		kfree(vma);
		return;
	}
	vma->next_gone = mm->gone;
	mm->gone = vma;
}

/* dup: files go when the lock has gone, for their end takes locks of any kind. */
void mm_unlock(struct mm_struct *mm)
{
	struct vm_area_struct *vma = mm->gone, *next;

	mm->gone = NULL;
	mmap_write_unlock(mm);
	for (; vma; vma = next) {
		next = vma->next_gone;
		fput(vma->file);
		kfree(vma);
	}
}

static int split(struct vm_area_struct *vma, unsigned long at)
{
	struct vm_area_struct *high;

	if (vma->flags & VM_HUGETLB && at & (HPAGE_SIZE - 1))
		return -EINVAL;
	high = vma_copy(vma, vma->mm);
	if (!high)
		return -ENOMEM;
	interval_tree_remove(&vma->node, &vma->mm->vmas);
	high->node.start = at;
	high->pgoff += (at - vma->node.start) >> PAGE_SHIFT;
	vma->node.last = at - 1;
	vma_insert(vma);
	vma_insert(high);
	return 0;
}

int vma_cut(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
	int ret = 0;

	if (vma && vma->node.start < start)
		ret = split(vma, start);
	vma = find_vma_intersection(mm, end - 1, end);
	if (!ret && vma && vma->node.last >= end)
		ret = split(vma, end);
	return ret;
}

int vma_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	int ret = vma_cut(mm, start, end);

	if (ret)
		return ret;
	mm_zap(mm, start, end);
	while ((vma = find_vma_intersection(mm, start, end))) {
		interval_tree_remove(&vma->node, &mm->vmas);
		vma_free(vma);
	}
	return 0;
}
