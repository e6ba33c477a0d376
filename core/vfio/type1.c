// SPDX-License-Identifier: GPL-2.0-only
/*
 * Type1: its calls and its life.
 */
#include "core/vfio/type1.h"

static struct vfio_iommu *type1_open(u64 type)
{
	struct vfio_iommu *iommu = kzalloc(sizeof(*iommu), GFP_KERNEL);

	if (!iommu)
		return ERR_PTR(-ENOMEM);
	if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU &&
	    (type != VFIO_TYPE1_NESTING_IOMMU || iommu_since(SINCE_VFIO_NO_NESTING))) {
		kfree(iommu);
		return ERR_PTR(-EINVAL);
	}
	iommu->nesting = type == VFIO_TYPE1_NESTING_IOMMU;
	iommu->v2 = type != VFIO_TYPE1_IOMMU;
	INIT_LIST_HEAD(&iommu->domains);
	INIT_LIST_HEAD(&iommu->iovas);
	INIT_LIST_HEAD(&iommu->devices);
	INIT_LIST_HEAD(&iommu->emulated_groups);
	iommu->dma_avail = READ_ONCE(vfio_here()->dma_entry_limit);
	iommu->pgsize_bitmap = PAGE_MASK;
	mutex_init(&iommu->lock);
	mutex_init(&iommu->device_list_lock);
	init_waitqueue_head(&iommu->vaddr_wait);
	return iommu;
}

/* All groups have been detached, or never were all attached. */
static void type1_release(struct vfio_iommu *iommu)
{
	WARN_ON(!list_empty(&iommu->domains) || !list_empty(&iommu->emulated_groups));
	mutex_lock(&iommu->lock);
	vfio_remove_all(iommu);
	mutex_unlock(&iommu->lock);
	vfio_iovas_free(&iommu->iovas);
	mutex_destroy(&iommu->device_list_lock);
	mutex_destroy(&iommu->lock);
	kfree(iommu);
}

/* The list is read with either. Devices unpin with the first held, and take the second. */
static void lock_devices(struct vfio_iommu *iommu)
{
	if (bug_on(BUG_VFIO_DEVICE_LIST_ORDER)) {
		mutex_lock(&iommu->lock);
		mutex_lock(&iommu->device_list_lock);
	} else {
		mutex_lock(&iommu->device_list_lock);
		mutex_lock(&iommu->lock);
	}
}

static void unlock_devices(struct vfio_iommu *iommu)
{
	mutex_unlock(&iommu->lock);
	mutex_unlock(&iommu->device_list_lock);
}

static void type1_register_device(struct vfio_iommu *iommu, struct vfio_device *vdev)
{
	lock_devices(iommu);
	list_add(&vdev->iommu_entry, &iommu->devices);
	unlock_devices(iommu);
}

static void type1_unregister_device(struct vfio_iommu *iommu, struct vfio_device *vdev)
{
	lock_devices(iommu);
	list_del(&vdev->iommu_entry);
	unlock_devices(iommu);
}

/* --- extensions --- */

static long all_coherent(struct vfio_iommu *iommu)
{
	struct vfio_domain *domain;
	long ret = 1;

	mutex_lock(&iommu->lock);
	list_for_each_entry(domain, &iommu->domains, next) {
		if (!domain->enforce_cache_coherency)
			ret = 0;
	}
	mutex_unlock(&iommu->lock);
	return ret;
}

static bool has_emulated(struct vfio_iommu *iommu)
{
	bool ret;

	mutex_lock(&iommu->lock);
	ret = !list_empty(&iommu->emulated_groups);
	mutex_unlock(&iommu->lock);
	return ret;
}

static long type1_check_extension(struct vfio_iommu *iommu, u64 arg)
{
	switch (arg) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_TYPE1_NESTING_IOMMU:
		return !iommu_since(SINCE_VFIO_NO_NESTING);
	case VFIO_UPDATE_VADDR:
		/* Emulated devices cannot wait for an address that is to come. */
		return iommu && !has_emulated(iommu);
	case VFIO_DMA_CC_IOMMU:
		return iommu ? all_coherent(iommu) : 0;
	default:
		return 0;
	}
}

/* --- GET_INFO --- */

static bool cap_migration(struct vfio_iommu *iommu, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_cap_migration *cap =
		vfio_info_cap_add(caps, sizeof(*cap), VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, 1);

	if (!cap)
		return false;
	cap->pgsize_bitmap = vfio_pgsize(iommu);
	cap->max_dirty_bitmap_size = ALIGN((u64)0x7fffffff, 64) / 8;
	return true;
}

static bool cap_dma_avail(struct vfio_iommu *iommu, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_dma_avail *cap =
		vfio_info_cap_add(caps, sizeof(*cap), VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, 1);

	if (cap)
		cap->avail = iommu->dma_avail;
	return cap;
}

/* Nothing with emulated devices alone: all of it may be mapped. */
static bool cap_iova_range(struct vfio_iommu *iommu, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_iova *iova;
	u32 n = 0;

	list_for_each_entry(iova, &iommu->iovas, list)
		n++;
	if (!n)
		return true;
	cap = vfio_info_cap_add(caps, struct_size(cap, iova_ranges, n),
				VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1);
	if (!cap)
		return false;
	list_for_each_entry(iova, &iommu->iovas, list)
		cap->iova_ranges[cap->nr_iovas++] =
			(struct vfio_iova_range){iova->start, iova->end};
	return true;
}

static long get_info(struct vfio_iommu *iommu, u64 arg)
{
	struct vfio_iommu_type1_info info = {.argsz = 0};
	size_t size = vfio_end_of(struct vfio_iommu_type1_info, iova_pgsizes);
	struct vfio_info_cap caps = {.buf = NULL};
	bool ok;

	if (copy_from_user(&info, vfio_ptr(arg), size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	size = min((size_t)info.argsz, sizeof(info));
	mutex_lock(&iommu->lock);
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = iommu->pgsize_bitmap;
	ok = cap_migration(iommu, &caps) && cap_dma_avail(iommu, &caps) &&
	     cap_iova_range(iommu, &caps);
	mutex_unlock(&iommu->lock);
	if (!ok) {
		kfree(caps.buf);
		return -ENOMEM;
	}
	if (info.argsz < sizeof(info) + caps.size) {
		info.argsz = (u32)(sizeof(info) + caps.size);
	} else {
		vfio_info_cap_shift(&caps, sizeof(info));
		ok = !copy_to_user(vfio_ptr(arg + sizeof(info)), caps.buf, caps.size);
		info.cap_offset = sizeof(info);
	}
	kfree(caps.buf);
	return !ok || copy_to_user(vfio_ptr(arg), &info, size) ? -EFAULT : 0;
}

/* --- MAP_DMA, UNMAP_DMA --- */

static bool too_far(u64 start, u64 size)
{
	return size && start + size - 1 < start;
}

static long map_dma(struct vfio_iommu *iommu, u64 arg)
{
	const u32 known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE |
			  VFIO_DMA_MAP_FLAG_VADDR;
	struct vfio_iommu_type1_dma_map map;
	int ret;

	if (copy_from_user(&map, vfio_ptr(arg), sizeof(map)))
		return -EFAULT;
	if (map.argsz < sizeof(map) || map.flags & ~known)
		return -EINVAL;
	if (iommu_since(SINCE_VFIO_OVERFLOW) &&
	    (too_far(map.iova, map.size) || too_far(map.vaddr, map.size)))
		return -EOVERFLOW;
	/* Either what the device may do, or another address for what it has. */
	if (!(map.flags & ~VFIO_DMA_MAP_FLAG_VADDR) == !(map.flags & VFIO_DMA_MAP_FLAG_VADDR))
		return -EINVAL;
	mutex_lock(&iommu->lock);
	ret = vfio_dma_map(iommu, &map);
	mutex_unlock(&iommu->lock);
	return ret;
}

/* The struct that follows the call's own. */
static int get_bitmap(const struct vfio_iommu_type1_dma_unmap *unmap, u64 arg,
		      struct vfio_bitmap *bitmap)
{
	if (unmap->flags & (VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR) ||
	    unmap->argsz < sizeof(*unmap) + sizeof(*bitmap))
		return -EINVAL;
	if (copy_from_user(bitmap, vfio_ptr(arg + sizeof(*unmap)), sizeof(*bitmap)))
		return -EFAULT;
	/* custom: 6.12 looks for the lowest bit of 0. */
	if (!bitmap->pgsize || !access_ok(vfio_ptr(bitmap->data), bitmap->size))
		return -EINVAL;
	return vfio_bitmap_verify(unmap->size >> bit_lowest(bitmap->pgsize), bitmap->size);
}

static long unmap_dma(struct vfio_iommu *iommu, u64 arg)
{
	const u32 known = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_ALL |
			  VFIO_DMA_UNMAP_FLAG_VADDR;
	struct vfio_iommu_type1_dma_unmap unmap;
	struct vfio_bitmap bitmap = {.pgsize = 0};
	int ret = 0;

	if (copy_from_user(&unmap, vfio_ptr(arg), sizeof(unmap)))
		return -EFAULT;
	if (unmap.argsz < sizeof(unmap) || unmap.flags & ~known)
		return -EINVAL;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		ret = get_bitmap(&unmap, arg, &bitmap);
	if (ret)
		return ret;
	mutex_lock(&iommu->lock);
	ret = vfio_dma_unmap(iommu, &unmap, &bitmap);
	mutex_unlock(&iommu->lock);
	if (ret)
		return ret;
	return copy_to_user(vfio_ptr(arg), &unmap, sizeof(unmap)) ? -EFAULT : 0;
}

static long type1_ioctl(struct vfio_iommu *iommu, u32 cmd, u64 arg)
{
	switch (cmd) {
	case VFIO_IOMMU_GET_INFO:
		return get_info(iommu, arg);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(iommu, arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(iommu, arg);
	case VFIO_IOMMU_DIRTY_PAGES:
		return vfio_type1_dirty_pages(iommu, arg);
	default:
		return -ENOTTY;
	}
}

const struct vfio_iommu_driver vfio_type1_driver = {
	.open = type1_open,
	.release = type1_release,
	.check_extension = type1_check_extension,
	.ioctl = type1_ioctl,
	.attach_group = vfio_type1_attach_group,
	.detach_group = vfio_type1_detach_group,
	.register_device = type1_register_device,
	.unregister_device = type1_unregister_device,
};
