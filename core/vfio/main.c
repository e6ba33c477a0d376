// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: their life, sets of them, and the files that they are opened by.
 *
 * A registered device has one reference for its driver and one per open file. The
 * driver's unbinding gives up the first and waits for the others.
 */
#include "core/vfio/vfio_priv.h"

#include "sim/kapi/jiffies.h"
#include "sim/kapi/printk.h"

void vfio_init(struct iommu_core *core)
{
	struct vfio_state *v = kzalloc(sizeof(*v), GFP_KERNEL | __GFP_NOFAIL);

	core->vfio = v;
	v->dma_entry_limit = VFIO_DMA_ENTRY_LIMIT;
	mutex_init(&v->group_lock);
	mutex_init(&v->sets_lock);
	mutex_init(&v->drivers_lock);
	mutex_init(&v->lines_lock);
	mutex_init(&v->sriov_lock);
	INIT_LIST_HEAD(&v->groups);
	INIT_LIST_HEAD(&v->sets);
	xa_init(&v->devices);
	ida_init(&v->device_ida);
}

void vfio_fini(struct iommu_core *core)
{
	struct vfio_state *v = core->vfio;

	xa_destroy(&v->devices);
	ida_destroy(&v->device_ida);
}

/* --- sets --- */

static struct vfio_device_set *find_set(struct vfio_state *v, const void *set_id)
{
	struct vfio_device_set *set;

	list_for_each_entry(set, &v->sets, entry) {
		if (set->set_id == set_id)
			return set;
	}
	return NULL;
}

int vfio_assign_device_set(struct vfio_device *vdev, const void *set_id)
{
	struct vfio_state *v = vfio_here();
	struct vfio_device_set *set;

	mutex_lock(&v->sets_lock);
	set = find_set(v, set_id);
	if (!set) {
		set = kzalloc(sizeof(*set), GFP_KERNEL);
		if (!set) {
			mutex_unlock(&v->sets_lock);
			return -ENOMEM;
		}
		mutex_init(&set->lock);
		INIT_LIST_HEAD(&set->devices);
		set->set_id = set_id;
		list_add_tail(&set->entry, &v->sets);
	}
	set->device_count++;
	mutex_unlock(&v->sets_lock);
	mutex_lock(&set->lock);
	vdev->dev_set = set;
	list_add_tail(&vdev->dev_set_list, &set->devices);
	mutex_unlock(&set->lock);
	return 0;
}

static void release_set(struct vfio_device *vdev)
{
	struct vfio_state *v = vfio_here();
	struct vfio_device_set *set = vdev->dev_set;

	if (!set)
		return;
	mutex_lock(&set->lock);
	list_del(&vdev->dev_set_list);
	mutex_unlock(&set->lock);
	mutex_lock(&v->sets_lock);
	if (!--set->device_count) {
		list_del(&set->entry);
		mutex_destroy(&set->lock);
		kfree(set);
	}
	mutex_unlock(&v->sets_lock);
}

/* --- life --- */

struct vfio_device *vfio_alloc_device(size_t size, struct device *dev,
				      const struct vfio_device_ops *ops)
{
	struct vfio_device *vdev = kzalloc(size, GFP_KERNEL);
	int ret;

	if (!vdev)
		return ERR_PTR(-ENOMEM);
	ret = ida_alloc(&vfio_here()->device_ida, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	vdev->index = (u32)ret;
	init_completion(&vdev->comp);
	xa_init(&vdev->pasids);
	vdev->dev = dev;
	vdev->ops = ops;
	ret = ops->init ? ops->init(vdev) : 0;
	if (!ret)
		return vdev;
	release_set(vdev);
	ida_free(&vfio_here()->device_ida, vdev->index);
err_free:
	kfree(vdev);
	return ERR_PTR(ret);
}

void vfio_put_device(struct vfio_device *vdev)
{
	release_set(vdev);
	ida_free(&vfio_here()->device_ida, vdev->index);
	if (vdev->ops->release)
		vdev->ops->release(vdev);
	xa_destroy(&vdev->pasids);
	kfree(vdev);
}

/* Whether there is a file of its own, of a name that says noiommu or does not. */
static bool has_cdev(const struct vfio_device *vdev, bool noiommu)
{
	return vdev->noiommu == noiommu &&
	       (iommu_since(SINCE_NOIOMMU_CDEV) || !vfio_device_is_noiommu(vdev));
}

long vfio_index_of(const struct device *dev, bool *noiommu, bool *cdev)
{
	struct vfio_device *vdev;
	unsigned long index;
	long found = -1;

	xa_for_each(&vfio_here()->devices, index, vdev) {
		if (vdev->dev != dev)
			continue;
		found = (long)index;
		*noiommu = vfio_device_is_noiommu(vdev);
		*cdev = has_cdev(vdev, vdev->noiommu);
	}
	return found;
}

bool vfio_device_try_get_registration(struct vfio_device *vdev)
{
	return refcount_inc_not_zero(&vdev->refcount);
}

void vfio_device_put_registration(struct vfio_device *vdev)
{
	if (refcount_dec_and_test(&vdev->refcount))
		complete(&vdev->comp);
}

/* Under the number of its index, from which open(2) comes. */
static int publish(struct vfio_device *vdev)
{
	return xa_err(xa_store(&vfio_here()->devices, vdev->index, vdev, GFP_KERNEL));
}

/*
 * dup: -EINVAL: no group, or an IOMMU that does not see processors' caches. custom:
 * the file's name and the count begin under one lock; Linux's cdev may be opened
 * before the count does, and gives ENODEV then.
 */
int vfio_register_dev(struct vfio_device *vdev, enum vfio_group_type type)
{
	struct vfio_group *group;
	int ret;

	if (!vdev->dev_set) {
		ret = vfio_assign_device_set(vdev, vdev);
		if (ret)
			return ret;
	}
	vdev->noiommu = iommu_since(SINCE_NOIOMMU_CDEV) && type == VFIO_IOMMU &&
			!vdev->dev->iommu && READ_ONCE(vfio_here()->noiommu);
	ret = vfio_device_set_group(vdev, type);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (type == VFIO_IOMMU && !vfio_device_is_noiommu(vdev) &&
	    !device_iommu_capable(vdev->dev, IOMMU_CAP_CACHE_COHERENCY))
		goto err_group;
	ret = publish(vdev);
	if (ret)
		goto err_group;
	refcount_set(&vdev->refcount, 1);
	group = vdev->group;
	mutex_lock(&group->device_lock);
	list_add(&vdev->group_next, &group->devices);
	mutex_unlock(&group->device_lock);
	return 0;

err_group:
	vfio_device_remove_group(vdev);
	return ret;
}

#define PATIENCE (10 * HZ)

void vfio_unregister_dev(struct vfio_device *vdev)
{
	struct vfio_group *group = vdev->group;
	bool done;

	mutex_lock(&group->device_lock);
	list_del(&vdev->group_next);
	mutex_unlock(&group->device_lock);
	xa_erase(&vfio_here()->devices, vdev->index);
	vfio_device_put_registration(vdev);
	done = try_wait_for_completion(&vdev->comp);
	if (!done && vdev->ops->request)
		vdev->ops->request(vdev, 0);
	if (!done && !wait_for_completion_timeout(&vdev->comp, PATIENCE)) {
		/* custom: asked twice, not every 10 s: a user that never closes is a hang. */
		pr_warn("vfio: a device is in use, its driver's unbinding waits\n");
		if (vdev->ops->request)
			vdev->ops->request(vdev, 1);
		wait_for_completion(&vdev->comp);
	}
	vfio_device_remove_group(vdev);
}

/* --- open and close; dev_set->lock held --- */

struct vfio_device_file *vfio_allocate_device_file(struct vfio_device *vdev)
{
	struct vfio_device_file *df = kzalloc(sizeof(*df), GFP_KERNEL_ACCOUNT);

	if (!df)
		return ERR_PTR(-ENOMEM);
	df->device = vdev;
	return df;
}

static void leave_iommu(struct vfio_device_file *df)
{
	if (df->iommufd)
		vfio_df_iommufd_unbind(df);
	else
		vfio_device_unuse_container(df->device);
}

static int first_open(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;
	int ret;

	lockdep_assert_held(&vdev->dev_set->lock);
	ret = df->iommufd ? vfio_df_iommufd_bind(df) : vfio_device_use_container(vdev);
	if (ret)
		return ret;
	if (vdev->ops->open_device)
		ret = vdev->ops->open_device(vdev);
	if (ret)
		leave_iommu(df);
	return ret;
}

int vfio_df_open(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;
	int ret = 0;

	/* Only a group may open its device again. */
	if (vdev->open_count && !df->group)
		return -EINVAL;
	vdev->open_count++;
	if (vdev->open_count == 1)
		ret = first_open(df);
	if (ret)
		vdev->open_count--;
	return ret;
}

void vfio_df_close(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;

	if (WARN_ON(!vdev->open_count))
		return;
	if (vdev->open_count == 1) {
		if (vdev->ops->close_device)
			vdev->ops->close_device(vdev);
		leave_iommu(df);
	}
	vdev->open_count--;
}

/* --- files --- */

/* file->private_data: the number in the name. */
static int cdev_open(struct file *file, bool noiommu)
{
	struct vfio_state *v = vfio_here();
	struct vfio_device *vdev;
	struct vfio_device_file *df;

	xa_lock(&v->devices);
	vdev = xa_load(&v->devices, (unsigned long)file->private_data);
	if (vdev && !has_cdev(vdev, noiommu))
		vdev = NULL;
	if (vdev && !vfio_device_try_get_registration(vdev))
		vdev = ERR_PTR(-ENODEV);
	xa_unlock(&v->devices);
	if (IS_ERR_OR_NULL(vdev))
		return vdev ? (int)PTR_ERR(vdev) : -ENOENT;
	df = ERR_PTR(-EPERM);
	if (!vfio_device_is_noiommu(vdev) || capable(CAP_SYS_RAWIO))
		df = vfio_allocate_device_file(vdev);
	if (IS_ERR(df)) {
		vfio_device_put_registration(vdev);
		return (int)PTR_ERR(df);
	}
	file->private_data = df;
	file->mapping = vdev;
	return 0;
}

int vfio_cdev_open(struct file *file)
{
	return cdev_open(file, false);
}

int vfio_noiommu_cdev_open(struct file *file)
{
	return cdev_open(file, true);
}

static void device_release_file(struct file *file)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->device;

	if (df->group)
		vfio_df_group_close(df);
	else
		vfio_df_unbind_iommufd(df);
	vfio_device_put_registration(vdev);
	kfree(df);
}

static bool granted(const struct vfio_device_file *df)
{
	return smp_load_acquire(&df->access_granted);
}

static long device_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->device;

	if (cmd == VFIO_DEVICE_BIND_IOMMUFD)
		return vfio_df_ioctl_bind_iommufd(df, arg);
	if (!granted(df))
		return -EINVAL;
	if (!df->group && cmd == VFIO_DEVICE_ATTACH_IOMMUFD_PT)
		return vfio_df_ioctl_attach_pt(df, arg);
	if (!df->group && cmd == VFIO_DEVICE_DETACH_IOMMUFD_PT)
		return vfio_df_ioctl_detach_pt(df, arg);
	if (cmd == VFIO_DEVICE_FEATURE)
		return vfio_ioctl_feature(vdev, arg);
	return vdev->ops->ioctl ? vdev->ops->ioctl(vdev, cmd, arg) : -EINVAL;
}

static s64 device_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->device;

	if (!granted(df) || !vdev->ops->read)
		return -EINVAL;
	return vdev->ops->read(vdev, buf, count, pos);
}

static s64 device_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->device;

	if (!granted(df) || !vdev->ops->write)
		return -EINVAL;
	return vdev->ops->write(vdev, buf, count, pos);
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *vdev = df->device;

	if (!granted(df) || !vdev->ops->mmap)
		return -EINVAL;
	return vdev->ops->mmap(vdev, vma);
}

const struct file_operations vfio_device_fops = {
	.name = "[vfio-device]",
	.read = device_read,
	.write = device_write,
	.ioctl = device_ioctl,
	.mmap = device_mmap,
	.release = device_release_file,
	.mode = 0020600,
	.seekable = true,
};
