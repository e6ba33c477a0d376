// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of single PASIDs of a device.
 *
 * The first device of a group attaches a PASID for all of them, the last detaches
 * it. Reserved regions belong to the RID's attachment alone. Whether the two kinds
 * go together is said when a page table is made: IOMMU_HWPT_ALLOC_PASID.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

/* dup */
int iommufd_pasid_compat(struct iommufd_group *igroup, struct iommufd_hw_pagetable *hwpt,
			 u32 pasid)
{
	lockdep_assert_held(&igroup->lock);
	if (hwpt->pasid_compat)
		return pasid && igroup->hwpt && !igroup->hwpt->pasid_compat ? -EINVAL : 0;
	return pasid || !xa_empty(&igroup->pasids) ? -EINVAL : 0;
}

static int attach_device(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev,
			 u32 pasid)
{
	struct iommufd_attach_handle *handle;
	int rc = iommufd_pasid_compat(idev->igroup, hwpt, pasid);

	if (rc || iommufd_device_is_noiommu(idev))
		return rc;
	handle = iommufd_handle_new(idev, hwpt->fault);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	rc = iommu_attach_device_pasid(hwpt->domain, idev->dev, pasid, &handle->handle);
	if (rc)
		iommufd_handle_free(handle, hwpt->fault);
	return rc;
}

static void detach_device(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev,
			  u32 pasid)
{
	struct iommufd_attach_handle *handle;

	if (iommufd_device_is_noiommu(idev))
		return;
	handle = iommufd_handle_of(idev, pasid);
	iommu_detach_device_pasid(hwpt->domain, idev->dev, pasid);
	if (hwpt->fault) {
		iommufd_auto_response_faults(hwpt, handle);
		iommufd_fault_iopf_disable(idev);
	}
	kfree(handle);
}

static int replace_device(struct iommufd_device *idev, u32 pasid,
			  struct iommufd_hw_pagetable *hwpt, struct iommufd_hw_pagetable *old)
{
	struct iommufd_attach_handle *handle, *old_handle;
	int rc = iommufd_pasid_compat(idev->igroup, hwpt, pasid);

	if (rc || iommufd_device_is_noiommu(idev))
		return rc;
	old_handle = iommufd_handle_of(idev, pasid);
	handle = iommufd_handle_new(idev, hwpt->fault);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	rc = iommu_replace_device_pasid(hwpt->domain, idev->dev, pasid, &handle->handle);
	if (rc) {
		iommufd_handle_free(handle, hwpt->fault);
		return rc;
	}
	if (old->fault) {
		iommufd_auto_response_faults(old, old_handle);
		iommufd_fault_iopf_disable(idev);
	}
	kfree(old_handle);
	return 0;
}

static int first_attach(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_attach *attach = kzalloc(sizeof(*attach), GFP_KERNEL);
	struct xarray *pasids = &idev->igroup->pasids;
	int rc = xa_insert(pasids, pasid, XA_ZERO_ENTRY, GFP_KERNEL);

	if (!attach || rc)
		goto err_free;
	xa_init(&attach->devices);
	attach->hwpt = hwpt;
	rc = xa_insert(&attach->devices, idev->obj.id, idev, GFP_KERNEL);
	if (!rc)
		rc = attach_device(hwpt, idev, pasid);
	if (!rc) {
		WARN_ON(xa_is_err(xa_store(pasids, pasid, attach, GFP_KERNEL)));
		return 0;
	}
	xa_destroy(&attach->devices);
err_free:
	xa_release(pasids, pasid);
	kfree(attach);
	return rc ? rc : -ENOMEM;
}

int iommufd_pasid_attach(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev,
			 u32 pasid)
{
	struct iommufd_attach *attach = xa_load(&idev->igroup->pasids, pasid);
	int rc;

	lockdep_assert_held(&idev->igroup->lock);
	if (!attach)
		rc = first_attach(hwpt, idev, pasid);
	else if (xa_load(&attach->devices, idev->obj.id))
		rc = -EBUSY;
	else if (attach->hwpt != hwpt)
		rc = -EINVAL;
	else
		rc = xa_insert(&attach->devices, idev->obj.id, idev, GFP_KERNEL);
	if (!rc)
		refcount_inc(&hwpt->obj.users);
	return rc;
}

struct iommufd_hw_pagetable *iommufd_pasid_detach(struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_attach *attach = xa_load(&idev->igroup->pasids, pasid);
	struct iommufd_hw_pagetable *hwpt;

	lockdep_assert_held(&idev->igroup->lock);
	if (!attach || !xa_erase(&attach->devices, idev->obj.id))
		return NULL;
	hwpt = attach->hwpt;
	if (xa_empty(&attach->devices)) {
		detach_device(hwpt, idev, pasid);
		xa_erase(&idev->igroup->pasids, pasid);
		xa_destroy(&attach->devices);
		kfree(attach);
	}
	return hwpt;
}

static int count_devices(struct iommufd_attach *attach)
{
	struct iommufd_device *idev;
	unsigned long index;
	int n = 0;

	xa_for_each(&attach->devices, index, idev)
		n++;
	return n;
}

struct iommufd_hw_pagetable *iommufd_pasid_replace(struct iommufd_device *idev, u32 pasid,
						   struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_attach *attach = xa_load(&idev->igroup->pasids, pasid);
	struct iommufd_hw_pagetable *old;
	int rc, n;

	lockdep_assert_held(&idev->igroup->lock);
	if (!attach || !xa_load(&attach->devices, idev->obj.id))
		return ERR_PTR(-EINVAL);
	old = attach->hwpt;
	if (old == hwpt)
		return NULL;
	rc = replace_device(idev, pasid, hwpt, old);
	if (rc)
		return ERR_PTR(rc);
	attach->hwpt = hwpt;
	n = count_devices(attach);
	refcount_add(n, &hwpt->obj.users);
	if (n > 1)
		WARN_ON(refcount_sub_and_test(n - 1, &old->obj.users));
	return old;
}
