// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the life of an address space: mm_users and mm_count as Linux keeps
 * them; its end unmaps everything after the notifiers have been released.
 *
 * False: fork copies private pages at once, so a pinned page stays with the
 * parent as it does on Linux, and no page is ever shared copy-on-write.
 */
#include "core/hosted/custom/mm.h"

#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/maple_tree.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

unsigned long task_size = TASK_END;
struct mm_struct init_mm = {
	.mm_users = ATOMIC_INIT(1000),
	.mm_count = ATOMIC_INIT(1000),
};

struct mm_struct *hosted_mm_alloc(void)
{
	struct mm_struct *mm = kzalloc(HOSTED_MM_SIZE + HOSTED_LEAVES * sizeof(struct hosted_leaf),
				       GFP_KERNEL);

	if (!mm)
		return NULL;
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	mt_init_flags(&mm->mm_mt, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&mm->mm_mt, &mm->mmap_lock);
	init_rwsem(&mm->mmap_lock);
	spin_lock_init(&mm->page_table_lock);
	spin_lock_init(&mm->arg_lock);
	seqcount_init(&mm->write_protect_seq);
	INIT_LIST_HEAD(&mm->mmlist);
	mm->task_size = TASK_END;
	mm->mmap_base = TASK_END;
	mmu_notifier_subscriptions_init(mm);
	mm_pasid_init(mm);
	return mm;
}

/* --- fork --- */

static struct page *copy_of(struct page *page)
{
	unsigned int order = compound_order(page);
	struct page *copy = hosted_page_alloc_compound(order, 0);

	if (copy)
		memcpy(page_address(copy), page_address(page), PAGE_SIZE << order);
	return copy;
}

/* Entries of a folio's pages come one after the other: one copy serves them. */
static int copy_pages(struct vm_area_struct *from, struct vm_area_struct *to)
{
	struct page *head = NULL, *copy = NULL;
	unsigned long *pte;

	for (unsigned long at = from->vm_start;
	     (pte = hosted_pte_next(from->vm_mm, &at, from->vm_end)); at += PAGE_SIZE) {
		unsigned long *new = hosted_pte(to->vm_mm, at, true);
		struct page *page = pfn_to_page(hosted_pte_pfn(*pte));

		if (!new)
			return -ENOMEM;
		if (*pte & PTE_SPECIAL || from->vm_flags & VM_MAYSHARE || hosted_mapping(page)) {
			if (!(*pte & PTE_SPECIAL))
				get_page(page);
			*new = *pte;
			continue;
		}
		if (!head || compound_head(page) != head) {
			head = compound_head(page);
			copy = copy_of(head);
			if (!copy)
				return -ENOMEM;
		} else {
			get_page(copy);
		}
		hosted_pte_set(new, copy + (page - head), *pte & (PTE_PRESENT | PTE_WRITE));
	}
	return 0;
}

static int copy_vma(struct vm_area_struct *from, struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int ret;

	if (from->vm_flags & VM_DONTCOPY)
		return 0;
	vma = hosted_vma_copy(from, mm);
	if (!vma)
		return -ENOMEM;
	ret = hosted_vma_insert(vma);
	if (ret) {
		if (vma->vm_file)
			fput(vma->vm_file);
		kfree(vma);
		return ret;
	}
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	return from->vm_flags & VM_WIPEONFORK ? 0 : copy_pages(from, vma);
}

/* Entries without a VMA (hosted_adopt()) are private pages. */
static int copy_adopted(struct mm_struct *from, struct mm_struct *mm)
{
	unsigned long *pte;

	for (unsigned long at = 0; (pte = hosted_pte_next(from, &at, TASK_END)); at += PAGE_SIZE) {
		struct vm_area_struct *vma = find_vma(from, at);
		unsigned long *new;
		struct page *copy;

		if (vma && vma->vm_start <= at) {
			at = vma->vm_end - PAGE_SIZE;
			continue;
		}
		new = hosted_pte(mm, at, true);
		copy = new ? copy_of(pfn_to_page(hosted_pte_pfn(*pte))) : NULL;
		if (!copy)
			return -ENOMEM;
		hosted_pte_set(new, copy, *pte & (PTE_PRESENT | PTE_WRITE));
	}
	return 0;
}

/* Linux write-protects the parent, which its notifiers are told. */
struct mm_struct *hosted_mm_copy(struct mm_struct *from)
{
	struct mm_struct *mm = hosted_mm_alloc();
	struct mmu_notifier_range range;
	struct vm_area_struct *vma;
	int ret = 0;

	if (!mm)
		return NULL;
	mmap_write_lock(from);
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	for_each_hosted_vma(vma, from, 0, TASK_END) {
		bool private = !(vma->vm_flags & VM_MAYSHARE);

		mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0, from, vma->vm_start,
					vma->vm_end);
		if (private)
			mmu_notifier_invalidate_range_start(&range);
		ret = copy_vma(vma, mm);
		if (private)
			mmu_notifier_invalidate_range_end(&range);
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

	mmu_notifier_release(mm);
	mmap_write_lock(mm);
	hosted_zap(mm, 0, TASK_END);
	for (unsigned long at = 0; (vma = hosted_vma_next(mm, at, TASK_END));) {
		at = vma->vm_end;
		hosted_vma_free(vma);
	}
	__mt_destroy(&mm->mm_mt);
	hosted_table_free(mm);
	mm->total_vm = 0;
	mm->map_count = 0;
	mmap_write_unlock(mm);
}

static void put(struct mm_struct *mm)
{
	unmap_all(mm);
	mmdrop(mm);
}

void mmput(struct mm_struct *mm)
{
	might_sleep();
	if (atomic_dec_and_test(&mm->mm_users))
		put(mm);
}

static void put_later(struct work_struct *work)
{
	put(container_of(work, struct mm_struct, async_put_work));
}

void mmput_async(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	INIT_WORK(&mm->async_put_work, put_later);
	queue_work(system_wq, &mm->async_put_work);
}

void __mmdrop(struct mm_struct *mm)
{
	mmu_notifier_subscriptions_destroy(mm);
	mm_pasid_drop(mm);
	kfree(mm);
}

struct mm_struct *get_task_mm(struct task_struct *task)
{
	struct mm_struct *mm = NULL;

	if (task->flags & PF_KTHREAD)
		return NULL;
	task_lock(task);
	if (task->mm && mmget_not_zero(task->mm))
		mm = task->mm;
	task_unlock(task);
	return mm;
}

void kthread_use_mm(struct mm_struct *mm)
{
	WARN_ON_ONCE(!(current->flags & PF_KTHREAD));
	WARN_ON_ONCE(current->mm);
	mmgrab(mm);
	current->mm = mm;
}

void kthread_unuse_mm(struct mm_struct *mm)
{
	WARN_ON_ONCE(current->mm != mm);
	current->mm = NULL;
	mmdrop(mm);
}

/* Whoever takes entries away holds mmap_lock, which the caller has for writing. */
int mm_take_all_locks(struct mm_struct *mm)
{
	mmap_assert_write_locked(mm);
	return 0;
}

void mm_drop_all_locks(struct mm_struct *mm)
{
}
