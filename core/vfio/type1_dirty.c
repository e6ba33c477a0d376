// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty bits of a container: a bit per page of the smallest size, per mapping. A group
 * that does not pin first may write anywhere: then all that is mapped is dirty.
 */
#include "core/vfio/type1.h"

#define PAGES_MAX 0x7fffffffULL
#define BYTES(n) (ALIGN((u64)(n), 64) / 8)

void vfio_bitmap_set(struct vfio_dma *dma, u64 first, u64 n)
{
	for (u64 i = first; i < first + n; i++)
		dma->bitmap[i / 64] |= BIT(i % 64);
}

/* What is pinned may be written. */
static void populate(struct vfio_dma *dma, u64 pgsize)
{
	struct interval_tree_node *node = interval_tree_iter_first(&dma->pfns, 0, ~0UL);

	for (; node; node = interval_tree_iter_next(node, 0, ~0UL))
		vfio_bitmap_set(dma, (node->start - dma->iova) >> bit_lowest(pgsize), 1);
}

int vfio_bitmap_alloc(struct vfio_dma *dma, u64 pgsize)
{
	u64 n = dma->size / pgsize;

	if (n > PAGES_MAX)
		return -EINVAL;
	/* A word more: bits are shifted on their way to the user. */
	dma->bitmap = kvzalloc(BYTES(n) + sizeof(u64), GFP_KERNEL);
	return dma->bitmap ? 0 : -ENOMEM;
}

static void free_all(struct vfio_iommu *iommu)
{
	struct vfio_dma *dma;

	for_each_dma(dma, iommu) {
		kvfree(dma->bitmap);
		dma->bitmap = NULL;
	}
}

void vfio_bitmap_fill_all(struct vfio_iommu *iommu)
{
	u32 shift = bit_lowest(iommu->pgsize_bitmap);
	struct vfio_dma *dma;

	for_each_dma(dma, iommu)
		vfio_bitmap_set(dma, 0, dma->size >> shift);
}

static void shift_left(u64 *word, u64 n_words, u32 shift)
{
	for (u64 i = n_words; i--;)
		word[i] = word[i] << shift | (i ? word[i - 1] >> (64 - shift) : 0);
}

/*
 * dup: the mapping's bits to their place in a bitmap that begins at base; its first
 * word may hold bits of the mapping before. Shifted in place.
 */
int vfio_bitmap_to_user(const struct vfio_bitmap *to, struct vfio_iommu *iommu,
			struct vfio_dma *dma, u64 base)
{
	u32 pgshift = bit_lowest(to->pgsize), shift;
	u64 n = dma->size >> pgshift, offset = (dma->iova - base) >> pgshift, before;
	u64 at = to->data + offset / 64 * sizeof(u64);

	if (iommu->num_non_pinned_groups && dma->iommu_mapped)
		vfio_bitmap_set(dma, 0, n);
	shift = offset % 64;
	if (shift) {
		shift_left(dma->bitmap, BYTES(n + shift) / sizeof(u64), shift);
		if (copy_from_user(&before, vfio_ptr(at), sizeof(before)))
			return -EFAULT;
		dma->bitmap[0] |= before & (BIT(shift) - 1);
	}
	return copy_to_user(vfio_ptr(at), dma->bitmap, BYTES(n + shift)) ? -EFAULT : 0;
}

/* dup: room for a bit of each page. */
int vfio_bitmap_verify(u64 npages, u64 bytes)
{
	return !npages || !bytes || bytes > BYTES(PAGES_MAX) || bytes < BYTES(npages) ? -EINVAL : 0;
}

/* --- DIRTY_PAGES --- */

static long start(struct vfio_iommu *iommu)
{
	u64 pgsize = vfio_pgsize(iommu);
	struct vfio_dma *dma;
	long ret = 0;

	if (iommu->dirty_page_tracking)
		return 0;
	for_each_dma(dma, iommu) {
		ret = vfio_bitmap_alloc(dma, pgsize);
		if (ret) {
			free_all(iommu);
			return ret;
		}
		populate(dma, pgsize);
	}
	iommu->dirty_page_tracking = true;
	return 0;
}

static long stop(struct vfio_iommu *iommu)
{
	if (iommu->dirty_page_tracking)
		free_all(iommu);
	iommu->dirty_page_tracking = false;
	return 0;
}

/* Neither end of the range lies within a mapping. */
static long report(struct vfio_iommu *iommu, const struct vfio_iommu_type1_dirty_bitmap_get *get)
{
	u64 pgsize = get->bitmap.pgsize, last = get->iova + get->size - 1;
	struct vfio_dma *dma = vfio_find_dma(iommu, get->iova, get->iova);

	if (dma && dma->iova != get->iova)
		return -EINVAL;
	dma = vfio_find_dma(iommu, last, last);
	if (dma && dma->node.last != last)
		return -EINVAL;
	for_each_dma(dma, iommu) {
		u64 words = BYTES(dma->size / pgsize) / sizeof(u64);
		int ret;

		if (dma->iova < get->iova || dma->iova > last)
			continue;
		ret = vfio_bitmap_to_user(&get->bitmap, iommu, dma, get->iova);
		if (ret)
			return ret;
		for (u64 i = 0; i <= words; i++)
			dma->bitmap[i] = 0;
		populate(dma, pgsize);
	}
	return 0;
}

static long report_locked(struct vfio_iommu *iommu,
			  const struct vfio_iommu_type1_dirty_bitmap_get *get)
{
	u64 pgsize = vfio_pgsize(iommu);

	if (get->bitmap.pgsize != pgsize || (get->iova | get->size) & (pgsize - 1) ||
	    !get->size || !iommu->dirty_page_tracking)
		return -EINVAL;
	return report(iommu, get);
}

static long get_bitmap(struct vfio_iommu *iommu, u32 argsz, u64 arg)
{
	u64 at = arg + sizeof(struct vfio_iommu_type1_dirty_bitmap);
	struct vfio_iommu_type1_dirty_bitmap_get get;
	long ret;

	if (argsz - sizeof(struct vfio_iommu_type1_dirty_bitmap) < sizeof(get))
		return -EINVAL;
	if (copy_from_user(&get, vfio_ptr(at), sizeof(get)))
		return -EFAULT;
	if (!get.size || get.iova + get.size - 1 < get.iova)
		return get.size && iommu_since(SINCE_VFIO_OVERFLOW) ? -EOVERFLOW : -EINVAL;
	/* dup: until then the last address of all was too far. */
	if (get.iova + get.size < get.iova && !iommu_since(SINCE_VFIO_OVERFLOW))
		return -EINVAL;
	/* custom: Linux looks for the lowest bit of 0. */
	if (!get.bitmap.pgsize ||
	    !access_ok(vfio_ptr(get.bitmap.data), get.bitmap.size))
		return -EINVAL;
	ret = vfio_bitmap_verify(get.size >> bit_lowest(get.bitmap.pgsize), get.bitmap.size);
	if (ret)
		return ret;
	mutex_lock(&iommu->lock);
	ret = report_locked(iommu, &get);
	mutex_unlock(&iommu->lock);
	return ret;
}

/* dup: -EACCES: version 1; -EINVAL: not exactly one flag. */
long vfio_type1_dirty_pages(struct vfio_iommu *iommu, u64 arg)
{
	struct vfio_iommu_type1_dirty_bitmap dirty;
	long ret;

	if (!iommu->v2)
		return -EACCES;
	if (copy_from_user(&dirty, vfio_ptr(arg), sizeof(dirty)))
		return -EFAULT;
	if (dirty.argsz < sizeof(dirty))
		return -EINVAL;
	switch (dirty.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		mutex_lock(&iommu->lock);
		ret = dirty.flags & VFIO_IOMMU_DIRTY_PAGES_FLAG_START ? start(iommu) : stop(iommu);
		mutex_unlock(&iommu->lock);
		return ret;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return get_bitmap(iommu, dirty.argsz, arg);
	default:
		return -EINVAL;
	}
}
