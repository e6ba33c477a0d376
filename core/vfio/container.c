// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers: an address space that groups share, by way of a driver: type1, or none at
 * all for groups without an IOMMU, which mix with no others. A group that joins is
 * claimed for its user; what cannot be told apart from here is the driver's. And what
 * drivers of emulated devices ask of either kind of container.
 */
#include "core/vfio/type1.h"

struct vfio_container {
	struct kref kref;
	struct rw_semaphore group_lock;
	struct list_head groups; /* group_lock, as is the rest */
	const struct vfio_iommu_driver *driver; /* NULL: SET_IOMMU has not been called */
	struct vfio_iommu *iommu; /* driver's */
	bool noiommu; /* groups are without an IOMMU; constant while there are any */
};

/* The one that is asked first comes first. */
static const struct vfio_iommu_driver *const drivers[] = {&vfio_type1_driver,
							   &vfio_noiommu_driver};

static bool driver_allowed(const struct vfio_container *container,
			   const struct vfio_iommu_driver *driver)
{
	return container->noiommu == (driver == &vfio_noiommu_driver);
}

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
	const struct vfio_iommu_driver *driver = container->driver;
	int ret = 0;

	if (!list_empty(&container->groups) &&
	    container->noiommu != (group->type == VFIO_NO_IOMMU))
		return -EPERM;
	if (group->type == VFIO_IOMMU)
		ret = iommu_group_claim_dma_owner(group->iommu_group, group);
	if (ret || !driver)
		return ret;
	ret = driver->attach_group(container->iommu, group->iommu_group, group->type);
	if (ret && group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);
	return ret;
}

/* dup: -EPERM: one without an IOMMU beside others, too; and as claiming it: -EBUSY. */
int vfio_container_attach_group(struct vfio_container *container, struct vfio_group *group)
{
	int ret;

	lockdep_assert_held(&group->group_lock);
	if (group->type == VFIO_NO_IOMMU && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	down_write(&container->group_lock);
	ret = attach_locked(container, group);
	if (!ret) {
		container->noiommu = group->type == VFIO_NO_IOMMU;
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
	if (container->driver)
		container->driver->detach_group(container->iommu, group->iommu_group);
	if (group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);
	group->container = NULL;
	group->container_users = 0;
	list_del(&group->container_next);
	if (container->driver && list_empty(&container->groups)) {
		container->driver->release(container->iommu);
		container->driver = NULL;
		container->iommu = NULL;
	}
	up_write(&container->group_lock);
	kref_put(&container->kref, container_free);
}

/*
 * dup: -EINVAL: SET_IOMMU is missing; -EPERM: without an IOMMU, to who may not. The
 * group's file stays while a device is open.
 */
int vfio_device_use_container(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;
	const struct vfio_iommu_driver *driver;

	lockdep_assert_held(&group->group_lock);
	if (WARN_ON(!group->container) || !group->container->driver)
		return -EINVAL;
	if (group->type == VFIO_NO_IOMMU && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	driver = group->container->driver;
	get_file(group->opened_file);
	group->container_users++;
	if (vdev->ops->dma_unmap && driver->register_device)
		driver->register_device(group->container->iommu, vdev);
	return 0;
}

void vfio_device_unuse_container(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;
	const struct vfio_iommu_driver *driver;

	lockdep_assert_held(&group->group_lock);
	if (WARN_ON(!group->container))
		return;
	driver = group->container->driver;
	if (vdev->ops->dma_unmap && driver->unregister_device)
		driver->unregister_device(group->container->iommu, vdev);
	WARN_ON(group->container_users <= 1);
	group->container_users--;
	fput(group->opened_file);
}

/* --- calls --- */

static int attach_groups(struct vfio_container *container,
			 const struct vfio_iommu_driver *driver, struct vfio_iommu *iommu)
{
	struct vfio_group *group, *other;
	int ret = -ENODEV;

	list_for_each_entry(group, &container->groups, container_next) {
		ret = driver->attach_group(iommu, group->iommu_group, group->type);
		if (!ret)
			continue;
		list_for_each_entry(other, &container->groups, container_next) {
			if (other == group)
				break;
			driver->detach_group(iommu, other->iommu_group);
		}
		break;
	}
	return ret;
}

static long use_driver(struct vfio_container *container, const struct vfio_iommu_driver *driver,
		       u64 type)
{
	struct vfio_iommu *iommu = driver->open(type);
	long ret;

	if (IS_ERR(iommu))
		return PTR_ERR(iommu);
	ret = attach_groups(container, driver, iommu);
	if (ret) {
		driver->release(iommu);
		return ret;
	}
	container->driver = driver;
	container->iommu = iommu;
	return 0;
}

/* dup: -EINVAL: no group, or set already; -ENODEV: nobody has this kind. */
static long set_iommu(struct vfio_container *container, u64 type)
{
	long ret = -ENODEV;

	if (list_empty(&container->groups) || container->driver)
		return -EINVAL;
	mutex_lock(&vfio_here()->drivers_lock);
	for (u32 i = 0; i < ARRAY_SIZE(drivers) && ret; i++) {
		if (driver_allowed(container, drivers[i]) &&
		    drivers[i]->check_extension(NULL, type) > 0)
			ret = use_driver(container, drivers[i], type);
	}
	mutex_unlock(&vfio_here()->drivers_lock);
	return ret;
}

/* dup: before there is a driver the first that knows it; with groups only theirs is asked. */
static long ask_drivers(const struct vfio_container *container, u64 arg)
{
	bool any = list_empty(&container->groups);
	long ret = 0;

	for (u32 i = 0; i < ARRAY_SIZE(drivers) && ret <= 0; i++) {
		if (any || driver_allowed(container, drivers[i]))
			ret = drivers[i]->check_extension(NULL, arg);
	}
	return ret;
}

static long check_extension(struct vfio_container *container, u64 arg)
{
	long ret;

	down_read(&container->group_lock);
	ret = container->driver ? container->driver->check_extension(container->iommu, arg)
				: ask_drivers(container, arg);
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
	if (container->driver)
		ret = container->driver->ioctl(container->iommu, cmd, arg);
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
