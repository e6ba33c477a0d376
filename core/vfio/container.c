// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers: an address space that groups share, by way of the type1 driver. A group
 * that joins is claimed for its user; what cannot be told apart from here is the
 * driver's. And what drivers of emulated devices ask of either kind of container.
 */
#include "core/vfio/type1.h"

struct vfio_container {
	struct kref kref;
	struct rw_semaphore group_lock;
	struct list_head groups;  /* group_lock */
	struct vfio_iommu *iommu; /* group_lock; NULL: SET_IOMMU has not been called */
};

static void container_free(struct kref *kref)
{
	kfree(container_of(kref, struct vfio_container, kref));
}

int vfio_container_open(struct file *file)
{
	struct vfio_container *container = kzalloc(sizeof(*container), GFP_KERNEL_ACCOUNT);

	if (!container)
		return -ENOMEM;
	kref_init(&container->kref);
	init_rwsem(&container->group_lock);
	INIT_LIST_HEAD(&container->groups);
	file->private_data = container;
	return 0;
}

static void container_release(struct file *file)
{
	struct vfio_container *container = file->private_data;

	kref_put(&container->kref, container_free);
}

struct vfio_container *vfio_container_from_file(struct file *file)
{
	return file->op == &vfio_container_fops ? file->private_data : NULL;
}

/* --- groups --- */

static int attach_locked(struct vfio_container *container, struct vfio_group *group)
{
	int ret = 0;

	if (group->type == VFIO_IOMMU)
		ret = iommu_group_claim_dma_owner(group->iommu_group, group);
	if (ret || !container->iommu)
		return ret;
	ret = vfio_type1_attach_group(container->iommu, group->iommu_group, group->type);
	if (ret && group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);
	return ret;
}

/* dup: group->group_lock held. -EPERM, -EBUSY: as claiming it. */
int vfio_container_attach_group(struct vfio_container *container, struct vfio_group *group)
{
	int ret;

	lockdep_assert_held(&group->group_lock);
	down_write(&container->group_lock);
	ret = attach_locked(container, group);
	if (!ret) {
		group->container = container;
		group->container_users = 1;
		list_add(&group->container_next, &container->groups);
		kref_get(&container->kref);
	}
	up_write(&container->group_lock);
	return ret;
}

/* The last group takes the address space with it. */
void vfio_group_detach_container(struct vfio_group *group)
{
	struct vfio_container *container = group->container;

	lockdep_assert_held(&group->group_lock);
	WARN_ON(group->container_users != 1);
	down_write(&container->group_lock);
	if (container->iommu)
		vfio_type1_detach_group(container->iommu, group->iommu_group);
	if (group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);
	group->container = NULL;
	group->container_users = 0;
	list_del(&group->container_next);
	if (container->iommu && list_empty(&container->groups)) {
		vfio_type1_release(container->iommu);
		container->iommu = NULL;
	}
	up_write(&container->group_lock);
	kref_put(&container->kref, container_free);
}

/* dup: -EINVAL: SET_IOMMU is missing. The group's file stays while a device is open. */
int vfio_device_use_container(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;

	lockdep_assert_held(&group->group_lock);
	if (WARN_ON(!group->container) || !group->container->iommu)
		return -EINVAL;
	get_file(group->opened_file);
	group->container_users++;
	if (vdev->ops->dma_unmap)
		vfio_type1_register_device(group->container->iommu, vdev);
	return 0;
}

void vfio_device_unuse_container(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;

	lockdep_assert_held(&group->group_lock);
	if (WARN_ON(!group->container))
		return;
	if (vdev->ops->dma_unmap)
		vfio_type1_unregister_device(group->container->iommu, vdev);
	WARN_ON(group->container_users <= 1);
	group->container_users--;
	fput(group->opened_file);
}

/* --- calls --- */

static int attach_groups(struct vfio_container *container, struct vfio_iommu *iommu)
{
	struct vfio_group *group, *other;
	int ret = -ENODEV;

	list_for_each_entry(group, &container->groups, container_next) {
		ret = vfio_type1_attach_group(iommu, group->iommu_group, group->type);
		if (!ret)
			continue;
		list_for_each_entry(other, &container->groups, container_next) {
			if (other == group)
				break;
			vfio_type1_detach_group(iommu, other->iommu_group);
		}
		break;
	}
	return ret;
}

/* dup: -EINVAL: no group, or set already; -ENODEV: nobody has this kind. */
static long set_iommu(struct vfio_container *container, u64 type)
{
	struct vfio_iommu *iommu;
	long ret;

	if (list_empty(&container->groups) || container->iommu)
		return -EINVAL;
	if (vfio_type1_check_extension(NULL, type) <= 0)
		return -ENODEV;
	mutex_lock(&vfio_here()->drivers_lock);
	iommu = vfio_type1_open(type);
	ret = PTR_ERR_OR_ZERO(iommu);
	if (!ret)
		ret = attach_groups(container, iommu);
	if (!ret)
		container->iommu = iommu;
	else if (!IS_ERR(iommu))
		vfio_type1_release(iommu);
	mutex_unlock(&vfio_here()->drivers_lock);
	return ret;
}

static long check_extension(struct vfio_container *container, u64 arg)
{
	long ret;

	down_read(&container->group_lock);
	ret = vfio_type1_check_extension(container->iommu, arg);
	up_read(&container->group_lock);
	return ret;
}

/*
 * custom: what is the driver's is called with the container's lock for reading.
 * Linux reads container->iommu_driver and its data with none.
 */
static long driver_ioctl(struct vfio_container *container, u32 cmd, u64 arg)
{
	long ret = -EINVAL;

	down_read(&container->group_lock);
	if (container->iommu)
		ret = vfio_type1_ioctl(container->iommu, cmd, arg);
	up_read(&container->group_lock);
	return ret;
}

static long container_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct vfio_container *container = file->private_data;
	long ret;

	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return check_extension(container, arg);
	case VFIO_SET_IOMMU:
		down_write(&container->group_lock);
		ret = set_iommu(container, arg);
		up_write(&container->group_lock);
		return ret;
	default:
		return driver_ioctl(container, cmd, arg);
	}
}

const struct file_operations vfio_container_fops = {
	.name = "vfio",
	.ioctl = container_ioctl,
	.release = container_release,
	.mode = 0020666,
	.seekable = true,
};

/* --- for drivers --- */

/* dup: an open device's container does not change. */
int vfio_pin_pages(struct vfio_device *vdev, u64 iova, int npage, int prot, struct page **pages)
{
	struct vfio_group *group = vdev->group;
	int ret;

	if (!npage || WARN_ON(!READ_ONCE(vdev->open_count)) || !vdev->ops->dma_unmap)
		return -EINVAL;
	if (group->container) {
		if (npage > VFIO_PIN_PAGES_MAX_ENTRIES)
			return -E2BIG;
		return vfio_type1_pin_pages(group->container->iommu, group->iommu_group, iova,
					    npage, prot, pages);
	}
	if (!vdev->iommufd_access)
		return -EINVAL;
	ret = iommufd_access_pin_pages(vdev->iommufd_access, iova & PAGE_MASK,
				       (unsigned long)npage * PAGE_SIZE, pages,
				       prot & IOMMU_WRITE ? IOMMUFD_ACCESS_RW_WRITE : 0);
	return ret ? ret : npage;
}

void vfio_unpin_pages(struct vfio_device *vdev, u64 iova, int npage)
{
	struct vfio_group *group = vdev->group;

	if (WARN_ON(!READ_ONCE(vdev->open_count)))
		return;
	if (group->container)
		vfio_type1_unpin_pages(group->container->iommu, iova, npage);
	else if (vdev->iommufd_access)
		iommufd_access_unpin_pages(vdev->iommufd_access, iova & PAGE_MASK,
					   (unsigned long)npage * PAGE_SIZE);
}

int vfio_dma_rw(struct vfio_device *vdev, u64 iova, void *data, size_t len, bool write)
{
	struct vfio_group *group = vdev->group;

	if (!len || WARN_ON(!READ_ONCE(vdev->open_count)))
		return -EINVAL;
	if (group->container)
		return vfio_type1_dma_rw(group->container->iommu, iova, data, len, write);
	if (!vdev->iommufd_access)
		return -EINVAL;
	return iommufd_access_rw(vdev->iommufd_access, iova, data, len,
				 write ? IOMMUFD_ACCESS_RW_WRITE : 0);
}
