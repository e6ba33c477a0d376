// SPDX-License-Identifier: GPL-2.0-only
/*
 * UNMAP_DMA. Version 1 unmaps whole mappings that a range touches at their start,
 * version 2 refuses to cut one.
 */
#include "core/vfio/type1.h"

#define RETRIES_MAX 10

/*
 * Devices that pin are asked to give the range back. lock is dropped meanwhile: they
 * take it. custom: device_list_lock is taken without it, so that there is one order.
 */
static void notify(struct vfio_iommu *iommu, const struct vfio_dma *dma)
{
	u64 iova = dma->iova, size = dma->size;
	struct vfio_device *vdev;

	if (list_empty(&iommu->devices))
		return;
	mutex_unlock(&iommu->lock);
	mutex_lock(&iommu->device_list_lock);
	list_for_each_entry(vdev, &iommu->devices, iommu_entry)
		vdev->ops->dma_unmap(vdev, iova, size);
	mutex_unlock(&iommu->device_list_lock);
	mutex_lock(&iommu->lock);
}

/* Whether [iova, last] would cut a mapping at one of its ends. */
static bool cuts(struct vfio_iommu *iommu, u64 iova, u64 last)
{
	struct vfio_dma *dma = vfio_find_dma(iommu, iova, iova);

	if (dma && dma->iova != iova)
		return true;
	dma = vfio_find_dma(iommu, last, last);
	return dma && dma->node.last != last;
}

/* All of the range's mappings lose their address; one that has lost it: none does. */
static int invalidate(struct vfio_iommu *iommu, u64 iova, u64 last, u64 *unmapped)
{
	struct vfio_dma *dma, *first = vfio_find_dma(iommu, iova, last);

	for (dma = first; dma && dma->iova <= last;
	     dma = vfio_dma_from(interval_tree_iter_next(&dma->node, iova, last))) {
		if (!iommu->v2 && iova > dma->iova)
			break;
		if (dma->vaddr_invalid)
			goto err_undo;
		dma->vaddr_invalid = true;
		iommu->vaddr_invalid_count++;
		*unmapped += dma->size;
	}
	return 0;

err_undo:
	for (; first != dma;
	     first = vfio_dma_from(interval_tree_iter_next(&first->node, iova, last))) {
		first->vaddr_invalid = false;
		iommu->vaddr_invalid_count--;
	}
	*unmapped = 0;
	return -EINVAL;
}

/* One mapping goes; 1: a device had to be asked, look again. */
static int remove_one(struct vfio_iommu *iommu, struct vfio_dma *dma,
		      const struct vfio_iommu_type1_dma_unmap *unmap,
		      const struct vfio_bitmap *bitmap)
{
	if (!interval_tree_empty(&dma->pfns)) {
		notify(iommu, dma);
		return 1;
	}
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
		int ret = vfio_bitmap_to_user(bitmap, iommu, dma, unmap->iova);

		if (ret)
			return ret;
	}
	vfio_remove_dma(iommu, dma);
	return 0;
}

static int remove_range(struct vfio_iommu *iommu, struct vfio_iommu_type1_dma_unmap *unmap,
			const struct vfio_bitmap *bitmap, u64 last, u64 *unmapped)
{
	bool all = unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL;
	u64 asked_at = ~0ULL;
	u32 retries = 0;

	for (;;) {
		struct vfio_dma *dma;
		u64 iova, size;
		int ret;

		if (iommu->v2 && !all && cuts(iommu, unmap->iova, last))
			return -EINVAL;
		dma = vfio_find_dma(iommu, unmap->iova, last);
		if (!dma || (!iommu->v2 && unmap->iova > dma->iova))
			return 0;
		iova = dma->iova;
		size = dma->size;
		ret = remove_one(iommu, dma, unmap, bitmap);
		if (ret < 0)
			return ret;
		if (!ret) {
			*unmapped += size;
			continue;
		}
		retries = iova == asked_at ? retries + 1 : 0;
		asked_at = iova;
		BUG_ON(retries > RETRIES_MAX);
	}
}

static int check(struct vfio_iommu *iommu, const struct vfio_iommu_type1_dma_unmap *unmap,
		 const struct vfio_bitmap *bitmap)
{
	u64 pgsize = vfio_pgsize(iommu);

	/* An emulated device might need the address before the next one is there. */
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_VADDR && !list_empty(&iommu->emulated_groups) &&
	    !bug_on(BUG_VFIO_VADDR_WAIT_FOREVER))
		return -EBUSY;
	if (unmap->iova & (pgsize - 1))
		return -EINVAL;
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL)
		return unmap->iova || unmap->size ? -EINVAL : 0;
	if (!unmap->size || unmap->size & (pgsize - 1))
		return -EINVAL;
	if (unmap->iova + unmap->size - 1 < unmap->iova)
		return iommu_since(SINCE_VFIO_OVERFLOW) ? -EOVERFLOW : -EINVAL;
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP &&
	    (!iommu->dirty_page_tracking || bitmap->pgsize != pgsize))
		return -EINVAL;
	return 0;
}

/* dup: unmap->size: how much was, also beside an error. */
int vfio_dma_unmap(struct vfio_iommu *iommu, struct vfio_iommu_type1_dma_unmap *unmap,
		   const struct vfio_bitmap *bitmap)
{
	u64 last, unmapped = 0;
	int ret = check(iommu, unmap, bitmap);

	if (ret)
		goto out;
	last = unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL ? ~0ULL : unmap->iova + unmap->size - 1;
	if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_VADDR))
		ret = remove_range(iommu, unmap, bitmap, last, &unmapped);
	else if (iommu->v2 && !(unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) &&
		 cuts(iommu, unmap->iova, last))
		ret = -EINVAL;
	else
		ret = invalidate(iommu, unmap->iova, last, &unmapped);
out:
	unmap->size = unmapped;
	return ret;
}
