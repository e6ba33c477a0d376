// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: what user space opens as /dev/vfio/N, puts into a container or onto an
 * iommufd, and takes devices from. One opener at a time, and none while a device of
 * the group is bound by its own file.
 */
#include "core/vfio/vfio_priv.h"

#include "sim/kapi/printk.h"

#include <fcntl.h>
#include <string.h>

/* --- life --- */

static void group_free(struct kref *kref)
{
	struct vfio_group *group = container_of(kref, struct vfio_group, kref);

	WARN_ON(group->iommu_group || group->cdev_device_open_cnt);
	mutex_destroy(&group->device_lock);
	mutex_destroy(&group->group_lock);
	kfree(group);
}

static void group_put(struct vfio_group *group)
{
	kref_put(&group->kref, group_free);
}

/* The caller's reference on iommu_group moves. */
static struct vfio_group *new_group(struct iommu_group *iommu_group, enum vfio_group_type type)
{
	struct vfio_group *group = kzalloc(sizeof(*group), GFP_KERNEL);

	lockdep_assert_held(&vfio_here()->group_lock);
	if (!group)
		return ERR_PTR(-ENOMEM);
	kref_init(&group->kref);
	refcount_set(&group->drivers, 1);
	mutex_init(&group->group_lock);
	mutex_init(&group->device_lock);
	INIT_LIST_HEAD(&group->devices);
	group->iommu_group = iommu_group;
	group->type = type;
	group->id = iommu_group_id(iommu_group);
	list_add(&group->entry, &vfio_here()->groups);
	return group;
}

/* A group of its own for a device that no IOMMU serves. */
static struct vfio_group *fake_group(struct device *dev, enum vfio_group_type type)
{
	struct iommu_group *iommu_group = iommu_group_alloc();
	struct vfio_group *group;
	int ret;

	if (IS_ERR(iommu_group))
		return ERR_CAST(iommu_group);
	ret = iommu_group_add_device(iommu_group, dev);
	if (ret) {
		iommu_group_put(iommu_group);
		return ERR_PTR(ret);
	}
	mutex_lock(&vfio_here()->group_lock);
	group = new_group(iommu_group, type);
	mutex_unlock(&vfio_here()->group_lock);
	if (IS_ERR(group)) {
		iommu_group_remove_device(dev);
		iommu_group_put(iommu_group);
	}
	return group;
}

static struct vfio_group *find_group(const struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	list_for_each_entry(group, &vfio_here()->groups, entry) {
		if (group->iommu_group == iommu_group)
			return group;
	}
	return NULL;
}

static bool group_has(struct vfio_group *group, const struct device *dev)
{
	struct vfio_device *vdev;
	bool found = false;

	mutex_lock(&group->device_lock);
	list_for_each_entry(vdev, &group->devices, group_next)
		found |= vdev->dev == dev;
	mutex_unlock(&group->device_lock);
	return found;
}

static struct vfio_group *noiommu_group(struct device *dev)
{
	struct vfio_group *group = fake_group(dev, VFIO_NO_IOMMU);

	if (!IS_ERR(group))
		dev_warn(dev, "Adding kernel taint for vfio-noiommu group on device\n");
	return group;
}

/* dup: -EINVAL: no IOMMU serves the device, and that is not allowed. */
static struct vfio_group *find_or_make(struct device *dev)
{
	struct iommu_group *iommu_group = iommu_group_get(dev);
	struct vfio_group *group;

	if (!iommu_group && READ_ONCE(vfio_here()->noiommu))
		return noiommu_group(dev);
	if (!iommu_group)
		return ERR_PTR(-EINVAL);
	mutex_lock(&vfio_here()->group_lock);
	group = find_group(iommu_group);
	if (!group) {
		group = new_group(iommu_group, VFIO_IOMMU);
		if (!IS_ERR(group))
			iommu_group = NULL;
	} else if (WARN_ON(group_has(group, dev))) {
		group = ERR_PTR(-EINVAL);
	} else {
		refcount_inc(&group->drivers);
	}
	mutex_unlock(&vfio_here()->group_lock);
	if (iommu_group)
		iommu_group_put(iommu_group);
	return group;
}

int vfio_device_set_group(struct vfio_device *vdev, enum vfio_group_type type)
{
	struct vfio_group *group = type == VFIO_IOMMU ? find_or_make(vdev->dev) :
							fake_group(vdev->dev, type);

	if (IS_ERR(group))
		return (int)PTR_ERR(group);
	vdev->group = group;
	return 0;
}

/* The last device takes the group's container and name with it. */
void vfio_device_remove_group(struct vfio_device *vdev)
{
	struct vfio_state *v = vfio_here();
	struct vfio_group *group = vdev->group;
	struct iommu_group *iommu_group;

	if (group->type != VFIO_IOMMU)
		iommu_group_remove_device(vdev->dev);
	mutex_lock(&v->group_lock);
	if (!refcount_dec_and_test(&group->drivers)) {
		mutex_unlock(&v->group_lock);
		return;
	}
	list_del(&group->entry);
	mutex_lock(&group->group_lock);
	WARN_ON(!list_empty(&group->devices));
	if (group->container)
		vfio_group_detach_container(group);
	iommu_group = group->iommu_group;
	group->iommu_group = NULL;
	mutex_unlock(&group->group_lock);
	mutex_unlock(&v->group_lock);
	iommu_group_put(iommu_group);
	group_put(group);
}

/* --- a device bound by its own file keeps the group closed --- */

int vfio_device_block_group(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;
	int ret = 0;

	mutex_lock(&group->group_lock);
	if (group->opened_file)
		ret = -EBUSY;
	else
		group->cdev_device_open_cnt++;
	mutex_unlock(&group->group_lock);
	return ret;
}

void vfio_device_unblock_group(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;

	mutex_lock(&group->group_lock);
	group->cdev_device_open_cnt--;
	mutex_unlock(&group->group_lock);
}

/* --- open and close --- */

/* noiommu: of a name that says so. */
static struct vfio_group *group_get(unsigned long id, bool noiommu)
{
	struct vfio_group *group, *found = NULL;

	mutex_lock(&vfio_here()->group_lock);
	list_for_each_entry(group, &vfio_here()->groups, entry) {
		if (group->id == id && (group->type == VFIO_NO_IOMMU) == noiommu)
			found = group;
	}
	if (found)
		kref_get(&found->kref);
	mutex_unlock(&vfio_here()->group_lock);
	return found;
}

/* file->private_data: the number in the name. */
static int group_open(struct file *file, bool noiommu)
{
	struct vfio_group *group = group_get((unsigned long)file->private_data, noiommu);
	int ret = 0;

	if (!group)
		return -ENOENT;
	mutex_lock(&group->group_lock);
	if (!refcount_read(&group->drivers))
		ret = -ENODEV;
	else if (noiommu && !capable(CAP_SYS_RAWIO))
		ret = -EPERM;
	else if (group->cdev_device_open_cnt || group->opened_file)
		ret = -EBUSY;
	else
		group->opened_file = file;
	mutex_unlock(&group->group_lock);
	if (ret)
		group_put(group);
	else
		file->private_data = group;
	return ret;
}

int vfio_group_open(struct file *file)
{
	return group_open(file, false);
}

int vfio_noiommu_group_open(struct file *file)
{
	return group_open(file, true);
}

static void put_iommufd(struct vfio_group *group)
{
	if (!group->iommufd)
		return;
	iommufd_ctx_put(group->iommufd);
	group->iommufd = NULL;
}

/* Devices that were opened through it hold the file: none is open any more. */
static void group_release(struct file *file)
{
	struct vfio_group *group = file->private_data;

	mutex_lock(&group->group_lock);
	if (group->container)
		vfio_group_detach_container(group);
	put_iommufd(group);
	group->opened_file = NULL;
	mutex_unlock(&group->group_lock);
	group_put(group);
}

struct vfio_group *vfio_group_from_file(struct file *file)
{
	return file->op == &vfio_group_fops ? file->private_data : NULL;
}

/* --- container or iommufd --- */

static bool has_iommu(const struct vfio_group *group)
{
	WARN_ON(!group->container != !group->container_users);
	return group->container || group->iommufd;
}

static int set_container(struct vfio_group *group, struct file *file)
{
	struct vfio_container *container = vfio_container_from_file(file);
	struct iommufd_ctx *iommufd;
	int ret;

	if (has_iommu(group))
		return -EINVAL;
	if (!group->iommu_group)
		return -ENODEV;
	if (container)
		return vfio_container_attach_group(container, group);
	iommufd = iommufd_ctx_from_file(file);
	if (IS_ERR(iommufd))
		return -EBADFD;
	ret = group->type == VFIO_NO_IOMMU ? iommufd_vfio_compat_set_no_iommu(iommufd)
					   : iommufd_vfio_compat_ioas_create(iommufd);
	if (ret && bug_on(BUG_VFIO_GROUP_IOMMUFD_UNINIT))
		READ_ONCE(*(const u64 *)(const void *)group->iommufd); /* what its put does */
	if (ret)
		iommufd_ctx_put(iommufd);
	else
		group->iommufd = iommufd;
	return ret;
}

static long ioctl_set_container(struct vfio_group *group, u64 arg)
{
	struct file *file;
	s32 fd;
	long ret;

	if (copy_from_user(&fd, vfio_ptr(arg), sizeof(fd)))
		return -EFAULT;
	file = fget((u32)fd);
	if (!file)
		return -EBADF;
	mutex_lock(&group->group_lock);
	ret = set_container(group, file);
	mutex_unlock(&group->group_lock);
	fput(file);
	return ret;
}

static long ioctl_unset_container(struct vfio_group *group)
{
	long ret = 0;

	mutex_lock(&group->group_lock);
	if (!has_iommu(group))
		ret = -EINVAL;
	else if (group->container && group->container_users != 1)
		ret = -EBUSY;
	else if (group->container)
		vfio_group_detach_container(group);
	if (!ret)
		put_iommufd(group);
	mutex_unlock(&group->group_lock);
	return ret;
}

static long ioctl_get_status(struct vfio_group *group, u64 arg)
{
	struct vfio_group_status status;

	if (copy_from_user(&status, vfio_ptr(arg), sizeof(status)))
		return -EFAULT;
	if (status.argsz < sizeof(status))
		return -EINVAL;
	status.flags = 0;
	mutex_lock(&group->group_lock);
	if (!group->iommu_group) {
		mutex_unlock(&group->group_lock);
		return -ENODEV;
	}
	/* On an iommufd nobody has asked yet: a device may still be refused. */
	if (has_iommu(group))
		status.flags = VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
	else if (!iommu_group_dma_owner_claimed(group->iommu_group))
		status.flags = VFIO_GROUP_FLAGS_VIABLE;
	mutex_unlock(&group->group_lock);
	return copy_to_user(vfio_ptr(arg), &status, sizeof(status)) ? -EFAULT : 0;
}

/* --- devices --- */

/*
 * dup: -EPERM: who has a space behind the VFIO interface thinks that addresses are translated.
 */
static int may_go_without(struct vfio_device_file *df)
{
	u32 ioas_id;

	if (!vfio_device_is_noiommu(df->device))
		return 0;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return iommufd_vfio_compat_ioas_get_id(df->iommufd, &ioas_id) ? 0 : -EPERM;
}

/* group_lock and dev_set->lock held. */
static int open_locked(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;
	u32 ioas_id;
	int ret;

	df->iommufd = vdev->group->iommufd;
	ret = df->iommufd && !vdev->open_count ? may_go_without(df) : 0;
	if (!ret)
		ret = vfio_df_open(df);
	if (ret)
		goto err_forget;
	if (df->iommufd && vdev->open_count == 1 && !vfio_device_is_noiommu(vdev)) {
		ret = iommufd_vfio_compat_ioas_get_id(df->iommufd, &ioas_id);
		if (!ret)
			ret = vfio_iommufd_attach(vdev, &ioas_id);
	}
	if (ret) {
		vfio_df_close(df);
		goto err_forget;
	}
	smp_store_release(&df->access_granted, true);
	return 0;

err_forget:
	df->iommufd = NULL;
	return ret;
}

static int df_group_open(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;
	struct vfio_group *group = vdev->group;
	int ret = -EINVAL;

	mutex_lock(&group->group_lock);
	if (has_iommu(group)) {
		mutex_lock(&vdev->dev_set->lock);
		ret = open_locked(df);
		mutex_unlock(&vdev->dev_set->lock);
	}
	mutex_unlock(&group->group_lock);
	return ret;
}

/*
 * In a container a device holds its group's file, which may go with it: not under
 * group_lock, which its release takes (Linux: on the way back to user space). On an
 * iommufd it does not: the group may have been closed, and opened by another.
 */
void vfio_df_group_close(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;
	struct vfio_group *group = vdev->group;
	struct file *file;

	mutex_lock(&group->group_lock);
	file = group->container ? group->opened_file : NULL;
	if (file)
		get_file(file);
	mutex_lock(&vdev->dev_set->lock);
	vfio_df_close(df);
	df->iommufd = NULL;
	mutex_unlock(&vdev->dev_set->lock);
	mutex_unlock(&group->group_lock);
	if (file)
		fput(file);
}

static struct file *open_file(struct vfio_device *vdev)
{
	struct vfio_device_file *df = vfio_allocate_device_file(vdev);
	struct file *file;
	int ret;

	if (IS_ERR(df))
		return ERR_CAST(df);
	df->group = vdev->group;
	ret = df_group_open(df);
	if (ret) {
		kfree(df);
		return ERR_PTR(ret);
	}
	file = anon_inode_getfile(&vfio_device_fops, df, O_RDWR);
	if (IS_ERR(file)) {
		vfio_df_group_close(df);
		kfree(df);
	} else {
		file->mapping = vdev;
		if (vfio_device_is_noiommu(vdev))
			dev_warn(vdev->dev, "vfio-noiommu device opened by user\n");
	}
	return file;
}

/* With a registration; -ENODEV. */
static struct vfio_device *find_device(struct vfio_group *group, const char *name)
{
	struct vfio_device *vdev, *found = ERR_PTR(-ENODEV);

	mutex_lock(&group->device_lock);
	list_for_each_entry(vdev, &group->devices, group_next) {
		int ret = vdev->ops->match ? vdev->ops->match(vdev, name) :
					     !strcmp(dev_name(vdev->dev), name);

		if (ret < 0) {
			found = ERR_PTR(ret);
			break;
		}
		if (ret && vfio_device_try_get_registration(vdev)) {
			found = vdev;
			break;
		}
	}
	mutex_unlock(&group->device_lock);
	return found;
}

/* A string of the user's, at most a page with its end: kmalloc()ed, -EFAULT, -EINVAL. */
static char *get_string(u64 arg)
{
	char *text = kzalloc(PAGE_SIZE, GFP_KERNEL);
	int ret = -EINVAL;

	if (!text)
		return ERR_PTR(-ENOMEM);
	for (u32 i = 0; i < PAGE_SIZE; i++) {
		if (copy_from_user(text + i, vfio_ptr(arg + i), 1)) {
			ret = -EFAULT;
			break;
		}
		if (!text[i])
			return text;
	}
	kfree(text);
	return ERR_PTR(ret);
}

static struct vfio_device *named_device(struct vfio_group *group, u64 arg)
{
	char *name = get_string(arg);
	struct vfio_device *vdev;

	if (IS_ERR(name))
		return ERR_CAST(name);
	vdev = find_device(group, name);
	kfree(name);
	return vdev;
}

static long ioctl_get_device_fd(struct vfio_group *group, u64 arg)
{
	struct vfio_device *vdev = named_device(group, arg);
	struct file *file;
	int fd;

	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		vfio_device_put_registration(vdev);
		return fd;
	}
	file = open_file(vdev);
	if (IS_ERR(file)) {
		put_unused_fd((u32)fd);
		vfio_device_put_registration(vdev);
		return PTR_ERR(file);
	}
	fd_install((u32)fd, file);
	return fd;
}

static long group_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct vfio_group *group = file->private_data;

	switch (cmd) {
	case VFIO_GROUP_GET_DEVICE_FD:
		return ioctl_get_device_fd(group, arg);
	case VFIO_GROUP_GET_STATUS:
		return ioctl_get_status(group, arg);
	case VFIO_GROUP_SET_CONTAINER:
		return ioctl_set_container(group, arg);
	case VFIO_GROUP_UNSET_CONTAINER:
		return ioctl_unset_container(group);
	default:
		return -ENOTTY;
	}
}

const struct file_operations vfio_group_fops = {
	.name = "vfio",
	.ioctl = group_ioctl,
	.release = group_release,
	.mode = 0020600,
	.seekable = true,
};
