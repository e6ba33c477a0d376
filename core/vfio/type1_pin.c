// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices without DMA of their own ask of a container: pages pinned, pages given
 * back, memory read and written.
 */
#include "core/vfio/type1.h"

static struct vfio_dma *dma_at(struct vfio_iommu *iommu, u64 iova)
{
	return vfio_find_dma(iommu, iova, iova + PAGE_SIZE - 1);
}

/* As the process that mapped it would find it. */
static int pin_external(struct vfio_dma *dma, u64 iova, struct page **page, bool account)
{
	u64 vaddr = dma->vaddr + (iova - dma->iova);
	u32 flags = FOLL_PIN | (dma->prot & IOMMU_WRITE ? FOLL_WRITE : 0);
	long got;
	int ret = 0;

	if (!mmget_not_zero(dma->mm))
		return -ENODEV;
	got = pin_user_pages(dma->mm, vaddr, 1, flags, page);
	if (got != 1)
		ret = (int)got;
	else if (account)
		ret = vfio_lock_acct(dma, 1, false);
	if (got == 1 && ret)
		unpin_user_page(*page);
	mmput(dma->mm);
	return ret;
}

static int pin_new(struct vfio_dma *dma, u64 iova, struct page **page, bool account)
{
	struct vfio_pfn *pfn;
	int ret = pin_external(dma, iova, page, account);

	if (ret)
		return ret;
	pfn = kzalloc(sizeof(*pfn), GFP_KERNEL);
	if (!pfn) {
		unpin_user_page(*page);
		if (account)
			vfio_lock_acct(dma, -1, true);
		return -ENOMEM;
	}
	pfn->node.start = pfn->node.last = iova;
	pfn->page = *page;
	pfn->ref_count = 1;
	interval_tree_insert(&pfn->node, &dma->pfns);
	return 0;
}

static int pin_one(struct vfio_iommu *iommu, u64 iova, int prot, struct page **page)
{
	bool account = list_empty(&iommu->domains);
	struct vfio_dma *dma = dma_at(iommu, iova);
	struct vfio_pfn *pfn;
	int ret;

	if (!dma)
		return -EINVAL;
	if ((dma->prot & prot) != prot)
		return -EPERM;
	/* By its page: that is what is pinned. */
	iova &= PAGE_MASK;
	pfn = vfio_find_pfn(dma, iova);
	if (pfn) {
		pfn->ref_count++;
		*page = pfn->page;
		return 0;
	}
	ret = pin_new(dma, iova, page, account);
	if (!ret && iommu->dirty_page_tracking)
		vfio_bitmap_set(dma, (iova - dma->iova) >> bit_lowest(iommu->pgsize_bitmap), 1);
	return ret;
}

static void unpin_one(struct vfio_iommu *iommu, struct vfio_dma *dma, u64 iova)
{
	struct vfio_pfn *pfn = vfio_find_pfn(dma, iova & PAGE_MASK);

	if (!pfn || --pfn->ref_count)
		return;
	unpin_user_page(pfn->page);
	interval_tree_remove(&pfn->node, &dma->pfns);
	kfree(pfn);
	if (list_empty(&iommu->domains))
		vfio_lock_acct(dma, -1, true);
}

static int pin_all(struct vfio_iommu *iommu, u64 iova, int npage, int prot, struct page **pages)
{
	for (int i = 0; i < npage; i++) {
		int ret = pin_one(iommu, iova + PAGE_SIZE * (u64)i, prot, &pages[i]);

		if (!ret)
			continue;
		pages[i] = NULL;
		while (i--) {
			u64 at = iova + PAGE_SIZE * (u64)i;

			unpin_one(iommu, dma_at(iommu, at), at);
			pages[i] = NULL;
		}
		return ret;
	}
	return npage;
}

/* Historic: until user space has said where all memory is now. */
static void wait_for_vaddr(struct vfio_iommu *iommu)
{
	while (iommu->vaddr_invalid_count) {
		mutex_unlock(&iommu->lock);
		wait_event(iommu->vaddr_wait, !READ_ONCE(iommu->vaddr_invalid_count));
		mutex_lock(&iommu->lock);
	}
}

/*
 * dup: -EACCES: version 1; -EBUSY: addresses are being changed; -EINVAL: not mapped, or
 * nobody would be told of unmaps; -EPERM. A group that pins is known by its pins.
 */
int vfio_type1_pin_pages(struct vfio_iommu *iommu, struct iommu_group *group, u64 iova, int npage,
			 int prot, struct page **pages)
{
	struct vfio_iommu_group *g;
	int ret;

	if (!iommu->v2)
		return -EACCES;
	mutex_lock(&iommu->lock);
	if (bug_on(BUG_VFIO_VADDR_WAIT_FOREVER))
		wait_for_vaddr(iommu);
	if (WARN_ON(iommu->vaddr_invalid_count))
		ret = -EBUSY;
	else if (list_empty(&iommu->devices))
		ret = -EINVAL;
	else
		ret = pin_all(iommu, iova, npage, prot, pages);
	g = ret > 0 ? vfio_find_iommu_group(iommu, group) : NULL;
	if (g && !g->pinned_page_dirty_scope) {
		g->pinned_page_dirty_scope = true;
		iommu->num_non_pinned_groups--;
	}
	mutex_unlock(&iommu->lock);
	return ret;
}

void vfio_type1_unpin_pages(struct vfio_iommu *iommu, u64 iova, int npage)
{
	int i;

	if (WARN_ON(!iommu->v2))
		return;
	mutex_lock(&iommu->lock);
	for (i = 0; i < npage; i++) {
		u64 at = iova + PAGE_SIZE * (u64)i;
		struct vfio_dma *dma = dma_at(iommu, at);

		if (!dma)
			break;
		unpin_one(iommu, dma, at);
	}
	mutex_unlock(&iommu->lock);
	WARN_ON(i != npage);
}

static int rw_chunk(struct vfio_iommu *iommu, u64 iova, void *data, size_t *count, bool write)
{
	u32 shift = bit_lowest(iommu->pgsize_bitmap);
	struct vfio_dma *dma = vfio_find_dma(iommu, iova, iova);
	u64 offset, left;

	if (!dma)
		return -EINVAL;
	if ((write && !(dma->prot & IOMMU_WRITE)) || !(dma->prot & IOMMU_READ))
		return -EPERM;
	if (!mmget_not_zero(dma->mm))
		return -EPERM;
	offset = iova - dma->iova;
	*count = min(*count, (size_t)(dma->size - offset));
	left = current_mm() == dma->mm ?
		       mm_access(dma->mm, data, dma->vaddr + offset, *count, write) : *count;
	if (!left && write && iommu->dirty_page_tracking)
		vfio_bitmap_set(dma, offset >> shift,
				((offset + *count - 1) >> shift) - (offset >> shift) + 1);
	mmput(dma->mm);
	return left ? -EFAULT : 0;
}

int vfio_type1_dma_rw(struct vfio_iommu *iommu, u64 iova, void *data, size_t count, bool write)
{
	int ret = 0;

	mutex_lock(&iommu->lock);
	if (WARN_ON(iommu->vaddr_invalid_count))
		ret = -EBUSY;
	while (count && !ret) {
		size_t n = count;

		ret = rw_chunk(iommu, iova, data, &n, write);
		data = (char *)data + n;
		iova += n;
		count -= n;
	}
	mutex_unlock(&iommu->lock);
	return ret;
}
