// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs, and the devices that have a number on them.
 *
 * A vdevice holds its device's short-term reference for as long as it lives, so a
 * device that is unbound takes it away first and leaves a tombstone in the table:
 * the id is used again by nobody. device->vdev and vdevice: the group's lock;
 * viommu->vdevs: its own.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

#define IOMMU_VIOMMU_TYPE_DEFAULT 0u

void iommufd_viommu_destroy(struct iommufd_object *obj)
{
	struct iommufd_viommu *viommu = container_of(obj, struct iommufd_viommu, obj);

	WARN_ON(!xa_empty(&viommu->vdevs) || !list_empty(&viommu->veventqs));
	if (viommu->ops && viommu->ops->destroy)
		viommu->ops->destroy(viommu);
	xa_destroy(&viommu->vdevs);
	refcount_dec(&viommu->hwpt->common.obj.users);
}

static const struct iommu_ops *viommu_ops(const struct iommufd_device *idev)
{
	const struct iommu_device *iommu = iommufd_device_iommu(idev);

	return iommu ? iommu->ops : &iommufd_noiommu_ops;
}

/* Published, or undone. */
static int build_viommu(struct iommufd_ucmd *ucmd, struct iommufd_device *idev,
			struct iommufd_hwpt_paging *hwpt, size_t size)
{
	struct iommu_viommu_alloc *cmd = ucmd->cmd;
	const struct iommu_user_data data = {cmd->type, cmd->data_len, cmd->data_uptr};
	struct iommufd_viommu *viommu =
		(void *)_iommufd_object_alloc(ucmd->ictx, size, IOMMUFD_OBJ_VIOMMU);
	int rc;

	if (IS_ERR(viommu))
		return (int)PTR_ERR(viommu);
	xa_init(&viommu->vdevs);
	INIT_LIST_HEAD(&viommu->veventqs);
	init_rwsem(&viommu->veventqs_rwsem);
	viommu->ictx = ucmd->ictx;
	viommu->hwpt = hwpt;
	refcount_inc(&hwpt->common.obj.users);
	viommu->iommu_dev = iommufd_device_iommu(idev);
	rc = viommu_ops(idev)->viommu_init(viommu, hwpt->common.domain,
					   data.len ? &data : NULL);
	if (!rc) {
		cmd->out_viommu_id = viommu->obj.id;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (rc)
		iommufd_object_abort_and_destroy(ucmd->ictx, &viommu->obj);
	else
		iommufd_object_finalize(ucmd->ictx, &viommu->obj);
	return rc;
}

int iommufd_viommu_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	const struct iommu_viommu_alloc *cmd = ucmd->cmd;
	struct iommufd_hwpt_paging *hwpt;
	struct iommufd_device *idev;
	size_t size = 0;
	int rc = -EOPNOTSUPP;

	if (cmd->flags || cmd->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	idev = (void *)iommufd_get_object(ucmd->ictx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	if (viommu_ops(idev)->get_viommu_size)
		size = viommu_ops(idev)->get_viommu_size(idev->dev, cmd->type);
	if (!size)
		goto out_put_idev;
	hwpt = (void *)iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(hwpt)) {
		rc = (int)PTR_ERR(hwpt);
		goto out_put_idev;
	}
	rc = hwpt->nest_parent ? build_viommu(ucmd, idev, hwpt, size) : -EINVAL;
	iommufd_put_object(ucmd->ictx, &hwpt->common.obj);
out_put_idev:
	iommufd_put_object(ucmd->ictx, &idev->obj);
	return rc;
}

struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu, unsigned long virt_id)
{
	struct iommufd_vdevice *vdev = xa_load(&viommu->vdevs, virt_id);

	return vdev ? vdev->idev->dev : NULL;
}

/* -ENOENT: dev has no number there. */
int iommufd_viommu_get_vdev_id(struct iommufd_viommu *viommu, const struct device *dev,
			       unsigned long *id)
{
	struct iommufd_vdevice *vdev;
	unsigned long index;
	int rc = -ENOENT;

	xa_lock(&viommu->vdevs);
	xa_for_each(&viommu->vdevs, index, vdev) {
		if (vdev->idev->dev != dev)
			continue;
		*id = index;
		rc = 0;
		break;
	}
	xa_unlock(&viommu->vdevs);
	return rc;
}

/* --- vdevices --- */

/* With the group's lock. */
void iommufd_vdevice_abort(struct iommufd_object *obj)
{
	struct iommufd_vdevice *vdev = container_of(obj, struct iommufd_vdevice, obj);
	struct iommufd_device *idev = vdev->idev;

	lockdep_assert_held(&idev->igroup->lock);
	xa_cmpxchg(&vdev->viommu->vdevs, vdev->virt_id, vdev, NULL, GFP_KERNEL);
	refcount_dec(&vdev->viommu->obj.users);
	idev->vdev = NULL;
}

void iommufd_vdevice_destroy(struct iommufd_object *obj)
{
	struct iommufd_vdevice *vdev = container_of(obj, struct iommufd_vdevice, obj);
	struct iommufd_device *idev = vdev->idev;

	mutex_lock(&idev->igroup->lock);
	iommufd_vdevice_abort(obj);
	mutex_unlock(&idev->igroup->lock);
	/* Since the allocation. */
	iommufd_put_object(idev->ictx, &idev->obj);
}

/* Takes the vdevice of a device that goes; new ones are refused from now on. */
void iommufd_device_pre_destroy(struct iommufd_device *idev)
{
	struct iommufd_vdevice *vdev = NULL;

	mutex_lock(&idev->igroup->lock);
	idev->destroying = true;
	if (idev->vdev)
		vdev = (void *)iommufd_find_object(idev->ictx, idev->vdev->obj.id,
						   IOMMUFD_OBJ_VDEVICE);
	if (!IS_ERR_OR_NULL(vdev)) {
		/* A lasting reference instead: user space cannot destroy it any more. */
		refcount_inc(&vdev->obj.users);
		iommufd_put_object(idev->ictx, &vdev->obj);
	}
	mutex_unlock(&idev->igroup->lock);
	if (!IS_ERR_OR_NULL(vdev))
		iommufd_object_tombstone_user(idev->ictx, &vdev->obj);
}

/* dup: the number is taken before the driver is asked, and nobody's until it has agreed. */
static int claim_number(struct iommufd_viommu *viommu, struct iommufd_vdevice *vdev)
{
	bool ask = viommu->ops->vdevice_init;
	int rc = xa_insert(&viommu->vdevs, vdev->virt_id, ask ? NULL : vdev, GFP_KERNEL);

	if (rc)
		return rc == -EBUSY ? -EEXIST : rc;
	if (!ask)
		return 0;
	rc = viommu->ops->vdevice_init(viommu, vdev->idev->dev);
	if (rc)
		xa_release(&viommu->vdevs, vdev->virt_id);
	else
		xa_store(&viommu->vdevs, vdev->virt_id, vdev, GFP_KERNEL);
	return rc;
}

/* With the group's lock. */
static int build_vdevice(struct iommufd_ucmd *ucmd, struct iommufd_viommu *viommu,
			 struct iommufd_device *idev)
{
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	struct iommufd_vdevice *vdev;
	int rc;

	if (idev->destroying)
		return -ENOENT;
	if (idev->vdev)
		return -EEXIST;
	vdev = iommufd_object_alloc(ucmd->ictx, vdev, IOMMUFD_OBJ_VDEVICE);
	if (IS_ERR(vdev))
		return (int)PTR_ERR(vdev);
	vdev->virt_id = cmd->virt_id;
	vdev->viommu = viommu;
	refcount_inc(&viommu->obj.users);
	vdev->idev = idev;
	idev->vdev = vdev;
	rc = claim_number(viommu, vdev);
	if (!rc) {
		cmd->out_vdevice_id = vdev->obj.id;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (rc)
		iommufd_object_abort_and_destroy(ucmd->ictx, &vdev->obj);
	else
		iommufd_object_finalize(ucmd->ictx, &vdev->obj);
	return rc;
}

int iommufd_vdevice_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	const struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	struct iommufd_viommu *viommu =
		(void *)iommufd_get_object(ucmd->ictx, cmd->viommu_id, IOMMUFD_OBJ_VIOMMU);
	struct iommufd_device *idev;
	int rc = -EINVAL;

	if (IS_ERR(viommu))
		return (int)PTR_ERR(viommu);
	idev = (void *)iommufd_get_object(ucmd->ictx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev)) {
		rc = (int)PTR_ERR(idev);
		goto out_put_viommu;
	}
	if (viommu->iommu_dev == iommufd_device_iommu(idev)) {
		mutex_lock(&idev->igroup->lock);
		rc = build_vdevice(ucmd, viommu, idev);
		mutex_unlock(&idev->igroup->lock);
	}
	if (rc)
		iommufd_put_object(ucmd->ictx, &idev->obj);
out_put_viommu:
	iommufd_put_object(ucmd->ictx, &viommu->obj);
	return rc;
}
