// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a driver that user space maps through /dev/iommu: an offset names each piece,
 * which is mapped as a whole or not at all. A mapping is a user of the object that the
 * pages belong to. custom: a list by offset, where Linux has a tree.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/user/mm.h"

#include <string.h>

/* By offset, in ictx->mmaps; mmaps_lock. */
struct iommufd_mmap {
	struct list_head node;
	struct iommufd_object *owner;
	struct page *page;
	u64 offset, length;
};

/* Not the first page: who has an offset can tell it from none. */
int iommufd_mmap_add(struct iommufd_ctx *ictx, struct iommufd_object *owner, struct page *page,
		     u64 length, u64 *offset)
{
	struct iommufd_mmap *m = kzalloc(sizeof(*m), GFP_KERNEL), *next;
	u64 at = PAGE_SIZE;

	if (!m)
		return -ENOMEM;
	mutex_lock(&ictx->mmaps_lock);
	list_for_each_entry(next, &ictx->mmaps, node) {
		if (next->offset - at >= length)
			break;
		at = next->offset + next->length;
	}
	m->owner = owner;
	m->page = page;
	m->offset = at;
	m->length = length;
	list_add_tail(&m->node, &next->node);
	mutex_unlock(&ictx->mmaps_lock);
	*offset = at;
	return 0;
}

static struct iommufd_mmap *find(struct iommufd_ctx *ictx, u64 offset)
{
	struct iommufd_mmap *m;

	lockdep_assert_held(&ictx->mmaps_lock);
	list_for_each_entry(m, &ictx->mmaps, node) {
		if (m->offset == offset)
			return m;
	}
	return NULL;
}

void iommufd_mmap_remove(struct iommufd_ctx *ictx, u64 offset)
{
	struct iommufd_mmap *m;

	mutex_lock(&ictx->mmaps_lock);
	m = find(ictx, offset);
	if (!WARN_ON(!m))
		list_del(&m->node);
	mutex_unlock(&ictx->mmaps_lock);
	kfree(m);
}

static u64 place(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->pgoff << PAGE_SHIFT) + (addr - vma->node.start);
}

static bool fault(struct vm_area_struct *vma, unsigned long addr)
{
	const struct iommufd_mmap *m = vma->vm_private_data;

	return !vmf_insert_pfn(vma, addr,
			       page_to_pfn(m->page) + (place(vma, addr) >> PAGE_SHIFT));
}

static bool load_or_store(struct vm_area_struct *vma, unsigned long addr, void *buf, u64 size,
			  bool write)
{
	const struct iommufd_mmap *m = vma->vm_private_data;
	u8 *at = (u8 *)page_address(m->page) + place(vma, addr);

	if (write)
		memcpy(at, buf, size);
	else
		memcpy(buf, at, size);
	return true;
}

static void opened(struct vm_area_struct *vma)
{
	const struct iommufd_mmap *m = vma->vm_private_data;

	refcount_inc(&m->owner->users);
}

static void closed(struct vm_area_struct *vma)
{
	const struct iommufd_mmap *m = vma->vm_private_data;

	refcount_dec(&m->owner->users);
}

static const struct vm_operations_struct mmap_ops = {
	.fault = fault, .access = load_or_store, .open = opened, .close = closed};

/* The piece at an offset, its owner in use; NULL: none. Historic: in use too late. */
static struct iommufd_mmap *find_and_use(struct iommufd_ctx *ictx, u64 offset, u64 length)
{
	struct iommufd_mmap *m;

	mutex_lock(&ictx->mmaps_lock);
	m = find(ictx, offset);
	if (m && m->length != length)
		m = NULL;
	if (bug_on(BUG_IOMMUFD_MMAP_REF_RACE)) {
		mutex_unlock(&ictx->mmaps_lock);
		if (m)
			refcount_inc(&m->owner->users);
		return m;
	}
	if (m && !refcount_inc_not_zero(&m->owner->users))
		m = NULL;
	mutex_unlock(&ictx->mmaps_lock);
	return m;
}

/* dup: -EINVAL: not shared; -EPERM: to be executed; -ENXIO: no such piece, or a part of one. */
int iommufd_mmap(struct file *file, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->pgoff << PAGE_SHIFT, length = vma->node.last + 1 - vma->node.start;
	struct iommufd_mmap *m;

	if (!(vma->flags & VM_SHARED))
		return -EINVAL;
	if (vma->flags & VM_EXEC)
		return -EPERM;
	m = find_and_use(file->private_data, offset, length);
	if (!m)
		return -ENXIO;
	vma->pgoff = 0;
	vma->flags |= VM_PFNMAP | VM_DONTEXPAND;
	vma->vm_private_data = m;
	vma->vm_ops = &mmap_ops;
	return 0;
}
