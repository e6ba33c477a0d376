// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices on an iommufd: bound to it by their own file or by their group, and
 * attached to its IOASes and page tables. A physical device is an iommufd device,
 * an emulated one an access. All with dev_set->lock held.
 */
#include "core/vfio/vfio_priv.h"

static void emulated_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct vfio_device *vdev = data;

	if (vdev->ops->dma_unmap)
		vdev->ops->dma_unmap(vdev, iova, length);
}

static const struct iommufd_access_ops access_ops = {
	.needs_pin_pages = true,
	.unmap = emulated_unmap,
};

/* By its group a device without an IOMMU is open and nothing more. */
static bool bound_by_nobody(const struct vfio_device_file *df)
{
	return df->group && vfio_device_is_noiommu(df->device);
}

int vfio_df_iommufd_bind(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;
	struct iommufd_access *access;
	struct iommufd_device *idev;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (bound_by_nobody(df))
		return 0;
	if (vdev->ops->emulated) {
		access = iommufd_access_create(df->iommufd, &access_ops, vdev);
		if (IS_ERR(access))
			return (int)PTR_ERR(access);
		vdev->iommufd_access = access;
		df->devid = iommufd_access_id(access);
		return 0;
	}
	idev = iommufd_device_bind(df->iommufd, vdev->dev, false);
	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	vdev->iommufd_device = idev;
	df->devid = iommufd_device_id(idev);
	return 0;
}

void vfio_df_iommufd_unbind(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (bound_by_nobody(df))
		return;
	if (vdev->ops->emulated) {
		if (vdev->iommufd_access)
			iommufd_access_destroy(vdev->iommufd_access);
		vdev->iommufd_attached = false;
		vdev->iommufd_access = NULL;
		return;
	}
	vfio_iommufd_detach(vdev);
	vfio_iommufd_detach_pasids(vdev);
	iommufd_device_unbind(vdev->iommufd_device);
	vdev->iommufd_device = NULL;
}

static int change_device(struct vfio_device *vdev, u32 *pt_id)
{
	if (WARN_ON(!vdev->iommufd_device))
		return -EINVAL;
	if (vdev->iommufd_attached)
		return iommufd_device_replace(vdev->iommufd_device, IOMMU_NO_PASID, pt_id);
	return iommufd_device_attach(vdev->iommufd_device, IOMMU_NO_PASID, pt_id);
}

static int change_access(struct vfio_device *vdev, u32 ioas_id)
{
	if (vdev->iommufd_attached)
		return iommufd_access_replace(vdev->iommufd_access, ioas_id);
	return iommufd_access_attach(vdev->iommufd_access, ioas_id);
}

int vfio_iommufd_attach(struct vfio_device *vdev, u32 *pt_id)
{
	int ret;

	lockdep_assert_held(&vdev->dev_set->lock);
	ret = vdev->ops->emulated ? change_access(vdev, *pt_id) : change_device(vdev, pt_id);
	if (!ret)
		vdev->iommufd_attached = true;
	return ret;
}

void vfio_iommufd_detach(struct vfio_device *vdev)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	if (!vdev->iommufd_attached)
		return;
	if (vdev->ops->emulated)
		iommufd_access_detach(vdev->iommufd_access);
	else
		iommufd_device_detach(vdev->iommufd_device, IOMMU_NO_PASID);
	vdev->iommufd_attached = false;
}

/* --- a device's own file --- */

/*
 * A struct that is min bytes long in 6.12 and size in 7.3, where programs may pass more or
 * less. dup: -E2BIG: more, and not zeroes.
 */
static int copy_struct(void *to, u64 arg, size_t min, size_t size)
{
	u32 argsz;
	u8 byte;

	if (!iommu_since(SINCE_VFIO_BIND_TOKEN))
		return copy_from_user(to, vfio_ptr(arg), min) ? -EFAULT :
		       *(const u32 *)to < min ? -EINVAL : 0;
	if (copy_from_user(&argsz, vfio_ptr(arg), sizeof(argsz)))
		return -EFAULT;
	if (argsz < min)
		return -EINVAL;
	for (u64 i = size; i < argsz; i++) {
		if (copy_from_user(&byte, vfio_ptr(arg + i), 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(to, vfio_ptr(arg), min((size_t)argsz, size)) ? -EFAULT : 0;
}

/* Of 7.3: whose functions belong together shows it with a token. */
static int check_token(struct vfio_device *vdev, const struct vfio_device_bind_iommufd *bind)
{
	bool token = bind->flags & VFIO_DEVICE_BIND_FLAG_TOKEN;
	u8 uuid[16];

	if (!iommu_since(SINCE_VFIO_BIND_TOKEN))
		return 0;
	if (!vdev->ops->match_token)
		return token ? -EINVAL : 0;
	if (token && copy_from_user(uuid, vfio_ptr(bind->token_uuid_ptr), sizeof(uuid)))
		return -EFAULT;
	return vdev->ops->match_token(vdev, token ? uuid : NULL);
}

/* dev_set->lock held; df->iommufd is referenced then. */
static int bind_locked(struct vfio_device_file *df, const struct vfio_device_bind_iommufd *bind,
		       u64 arg)
{
	u64 at = arg + offsetof(struct vfio_device_bind_iommufd, out_devid);
	struct vfio_device *vdev = df->device;
	int ret;

	if (df->access_granted)
		return -EINVAL;
	ret = check_token(vdev, bind);
	if (ret)
		return ret;
	df->iommufd = iommufd_ctx_from_fd(bind->iommufd);
	if (IS_ERR(df->iommufd)) {
		ret = (int)PTR_ERR(df->iommufd);
		df->iommufd = NULL;
		return ret;
	}
	ret = vfio_df_open(df);
	if (ret)
		goto err_put;
	ret = copy_to_user(vfio_ptr(at), &df->devid, sizeof(df->devid)) ? -EFAULT : 0;
	if (ret)
		goto err_close;
	vdev->cdev_opened = true;
	smp_store_release(&df->access_granted, true);
	return 0;

err_close:
	vfio_df_close(df);
err_put:
	iommufd_ctx_put(df->iommufd);
	df->iommufd = NULL;
	return ret;
}

/* dup: -EBUSY: the group is open; as bind_locked(), and iommufd's own errors. */
long vfio_df_ioctl_bind_iommufd(struct vfio_device_file *df, u64 arg)
{
	const u32 known = iommu_since(SINCE_VFIO_BIND_TOKEN) ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0;
	struct vfio_device *vdev = df->device;
	struct vfio_device_bind_iommufd bind = {.flags = 0};
	int ret = copy_struct(&bind, arg, vfio_end_of(struct vfio_device_bind_iommufd, out_devid),
			      sizeof(bind));

	if (ret)
		return ret;
	if (bind.flags & ~known || bind.iommufd < 0 || df->group)
		return -EINVAL;
	ret = vfio_device_block_group(vdev);
	if (ret)
		return ret;
	mutex_lock(&vdev->dev_set->lock);
	ret = bind_locked(df, &bind, arg);
	mutex_unlock(&vdev->dev_set->lock);
	if (ret)
		vfio_device_unblock_group(vdev);
	return ret;
}

/* At the file's end: nobody else uses it. */
void vfio_df_unbind_iommufd(struct vfio_device_file *df)
{
	struct vfio_device *vdev = df->device;

	if (!df->access_granted)
		return;
	mutex_lock(&vdev->dev_set->lock);
	vfio_df_close(df);
	iommufd_ctx_put(df->iommufd);
	vdev->cdev_opened = false;
	mutex_unlock(&vdev->dev_set->lock);
	vfio_device_unblock_group(vdev);
}

/* What both calls begin with. */
struct pt_args {
	u32 argsz, flags;
};

/* dup: as much as every version has, then the PASID behind it, if flags say so. */
static int read_args(const struct vfio_device *vdev, u64 arg, void *args, size_t known)
{
	const u32 flags = iommu_since(SINCE_VFIO_PASID) ? VFIO_DEVICE_ATTACH_PASID : 0;
	const struct pt_args *head = args;

	if (copy_from_user(args, vfio_ptr(arg), known))
		return -EFAULT;
	if (head->argsz < known || head->flags & ~flags)
		return -EINVAL;
	if (!head->flags)
		return 0;
	if (vdev->ops->emulated)
		return -EOPNOTSUPP;
	if (head->argsz < known + sizeof(u32))
		return -EINVAL;
	if (copy_from_user((char *)args + known, vfio_ptr(arg + known), sizeof(u32)))
		return -EFAULT;
	return 0;
}

/* dup: a device that was moved and whose user cannot be told is detached, not put back. */
long vfio_df_ioctl_attach_pt(struct vfio_device_file *df, u64 arg)
{
	u64 at = arg + offsetof(struct vfio_device_attach_iommufd_pt, pt_id);
	struct vfio_device *vdev = df->device;
	struct vfio_device_attach_iommufd_pt attach;
	int ret;

	ret = read_args(vdev, arg, &attach, offsetof(struct vfio_device_attach_iommufd_pt, pasid));
	if (ret)
		return ret;
	mutex_lock(&vdev->dev_set->lock);
	if (attach.flags)
		ret = vfio_iommufd_attach_pasid(vdev, attach.pasid, &attach.pt_id);
	else
		ret = vfio_iommufd_attach(vdev, &attach.pt_id);
	if (!ret && copy_to_user(vfio_ptr(at), &attach.pt_id, sizeof(attach.pt_id))) {
		if (attach.flags)
			vfio_iommufd_detach_pasid(vdev, attach.pasid);
		else
			vfio_iommufd_detach(vdev);
		ret = -EFAULT;
	}
	mutex_unlock(&vdev->dev_set->lock);
	return ret;
}

long vfio_df_ioctl_detach_pt(struct vfio_device_file *df, u64 arg)
{
	struct vfio_device *vdev = df->device;
	struct vfio_device_detach_iommufd_pt detach;
	int ret;

	ret = read_args(vdev, arg, &detach, offsetof(struct vfio_device_detach_iommufd_pt, pasid));
	if (ret)
		return ret;
	mutex_lock(&vdev->dev_set->lock);
	if (detach.flags)
		vfio_iommufd_detach_pasid(vdev, detach.pasid);
	else
		vfio_iommufd_detach(vdev);
	mutex_unlock(&vdev->dev_set->lock);
	return 0;
}
