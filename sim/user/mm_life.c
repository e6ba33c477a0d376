// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an address space: mm_users keep its contents, mm_count keeps the
 * structure. fork copies private pages at once, so that a pinned page stays with
 * the parent, as on Linux.
 */
#include "sim/user/file.h"
#include "sim/user/mm.h"

#include "sim/kapi/slab.h"

#include <string.h>

struct mm_struct *mm_alloc(u32 process)
{
	struct mm_struct *mm = kzalloc(sizeof(*mm), GFP_KERNEL);

	if (!mm)
		return NULL;
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	init_rwsem(&mm->mmap_lock);
	INIT_LIST_HEAD(&mm->notifiers);
	mm->process = process;
	return mm;
}

/* --- fork --- */

static int set_copy(struct mm_struct *mm, unsigned long at, struct page *page, u64 bits)
{
	u64 *pte = mm_pte(mm, at, true);

	if (!pte) {
		put_page(page);
		return -ENOMEM;
	}
	*pte = (u64)(uintptr_t)page | bits;
	return 0;
}

/* Entries of a compound page come one after the other: one copy serves them. */
static int copy_pages(struct mm_struct *from, struct mm_struct *mm,
		      const struct vm_area_struct *vma)
{
	struct page *head = NULL, *copy = NULL;
	unsigned long at = vma->node.start;
	u64 *pte;

	for (; (pte = mm_pte_next(from, &at, vma->node.last + 1)); at += PAGE_SIZE) {
		struct page *page = pte_page(*pte);

		if (vma->flags & VM_SHARED || page->head->memfd) {
			get_page(page);
			if (set_copy(mm, at, page, *pte & PTE_BITS))
				return -ENOMEM;
			continue;
		}
		if (page->head != head) {
			head = page->head;
			copy = alloc_pages(head->order, false);
			if (!copy)
				return -ENOMEM;
			memcpy(page_address(copy), page_address(head), PAGE_SIZE << head->order);
		} else {
			get_page(copy);
		}
		if (set_copy(mm, at, copy + (page - head), *pte & PTE_BITS))
			return -ENOMEM;
	}
	return 0;
}

static int copy_vma(struct vm_area_struct *from, struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	if (from->flags & VM_DONTCOPY)
		return 0;
	vma = vma_copy(from, mm);
	if (!vma)
		return -ENOMEM;
	vma_insert(vma);
	/* A device's are faulted in again. */
	return from->flags & (VM_WIPEONFORK | VM_PFNMAP) ? 0 : copy_pages(from->mm, mm, from);
}

/* Entries without a mapping are adopted pages (client.h): private. */
static int copy_adopted(struct mm_struct *from, struct mm_struct *mm)
{
	unsigned long at = 0;
	u64 *pte;

	for (; (pte = mm_pte_next(from, &at, TASK_SIZE)); at += PAGE_SIZE) {
		struct vm_area_struct *vma = vma_lookup(from, at);
		struct page *copy;

		if (vma) {
			at = vma->node.last & PAGE_MASK;
			continue;
		}
		copy = alloc_pages(0, false);
		if (!copy)
			return -ENOMEM;
		memcpy(page_address(copy), page_address(pte_page(*pte)), PAGE_SIZE);
		if (set_copy(mm, at, copy, *pte & PTE_BITS))
			return -ENOMEM;
	}
	return 0;
}

struct mm_struct *mm_copy(struct mm_struct *from, u32 process)
{
	struct mm_struct *mm = mm_alloc(process);
	struct vm_area_struct *vma;
	int ret = 0;

	if (!mm)
		return NULL;
	mmap_write_lock(from);
	down_write_nested(&mm->mmap_lock, 1);
	for_each_vma_range(vma, from, 0, TASK_SIZE) {
		ret = copy_vma(vma, mm);
		if (ret)
			break;
	}
	if (!ret)
		ret = copy_adopted(from, mm);
	mmap_write_unlock(mm);
	mmap_write_unlock(from);
	if (!ret)
		return mm;
	mmput(mm);
	return NULL;
}

/* --- the end --- */

static void unmap_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	mm->process = ~0U;
	mm_zap(mm, 0, TASK_SIZE);
	while ((vma = find_vma_intersection(mm, 0, TASK_SIZE))) {
		interval_tree_remove(&vma->node, &mm->vmas);
		vma_free(vma);
	}
	mm_tables_free(mm);
	mm_unlock(mm);
}

bool mmget_not_zero(struct mm_struct *mm)
{
	return atomic_inc_not_zero(&mm->mm_users);
}

void mmput(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	unmap_all(mm);
	mmdrop(mm);
}

void mmgrab(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_count);
}

void mm_notifier_register(struct mm_struct *mm, struct mm_notifier *n)
{
	mmap_write_lock(mm);
	list_add_tail(&n->node, &mm->notifiers);
	mmap_write_unlock(mm);
}

void mm_notify(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct mm_notifier *n;

	list_for_each_entry(n, &mm->notifiers, node) {
		if (n->invalidate)
			n->invalidate(n, start, end);
	}
}

void mmdrop(struct mm_struct *mm)
{
	struct mm_notifier *n, *next;

	if (!atomic_dec_and_test(&mm->mm_count))
		return;
	list_for_each_entry_safe(n, next, &mm->notifiers, node) {
		list_del(&n->node);
		if (n->free)
			n->free(n);
	}
	kfree(mm);
}
