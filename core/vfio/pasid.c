// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of a device file: each attached to a page table of its own, replaced by a
 * second attach, gone with the file.
 */
#include "core/vfio/vfio_priv.h"

#include "core/iommufd/iommufd.h"
#include "sim/kapi/bug.h"

/* With dev_set->lock. dup: -ENOSPC: no PASID has this number. */
int vfio_iommufd_attach_pasid(struct vfio_device *vdev, u32 pasid, u32 *pt_id)
{
	int ret;

	lockdep_assert_held(&vdev->dev_set->lock);
	if (WARN_ON(!vdev->iommufd_device))
		return -EINVAL;
	if (xa_load(&vdev->pasids, pasid))
		return iommufd_device_replace(vdev->iommufd_device, pasid, pt_id);
	if (pasid > 0x7fffffffu)
		return -ENOSPC;
	ret = xa_insert(&vdev->pasids, pasid, vdev, GFP_KERNEL);
	if (ret)
		return ret;
	ret = iommufd_device_attach(vdev->iommufd_device, pasid, pt_id);
	if (ret)
		xa_erase(&vdev->pasids, pasid);
	return ret;
}

void vfio_iommufd_detach_pasid(struct vfio_device *vdev, u32 pasid)
{
	lockdep_assert_held(&vdev->dev_set->lock);
	if (!vdev->iommufd_device || !xa_erase(&vdev->pasids, pasid))
		return;
	iommufd_device_detach(vdev->iommufd_device, pasid);
}

void vfio_iommufd_detach_pasids(struct vfio_device *vdev)
{
	unsigned long pasid;
	void *entry;

	xa_for_each(&vdev->pasids, pasid, entry)
		vfio_iommufd_detach_pasid(vdev, (u32)pasid);
}
