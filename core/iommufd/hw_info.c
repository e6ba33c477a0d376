// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_HW_INFO: what the driver tells about the IOMMU of a device.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/base/bits.h"
#include "sim/kapi/bug.h"

static int copy_info(const struct iommu_hw_info *cmd, const void *data, u32 len)
{
	u32 n = min(cmd->data_len, len);

	if (copy_to_user(u64_to_user_ptr(cmd->data_uptr), data, n))
		return -EFAULT;
	if (n < cmd->data_len &&
	    clear_user(u64_to_user_ptr(cmd->data_uptr + n), cmd->data_len - n))
		return -EFAULT;
	return 0;
}

static int check(struct iommu_hw_info *cmd)
{
	u32 known = iommu_since(SINCE_HW_INFO_INPUT) ? IOMMU_HW_INFO_FLAG_INPUT_TYPE : 0;

	if (cmd->flags & ~known || cmd->__reserved[0] || cmd->__reserved[1] || cmd->__reserved[2])
		return -EOPNOTSUPP;
	if (!(cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE))
		cmd->data_type = IOMMU_HW_INFO_TYPE_DEFAULT;
	return 0;
}

static void tell_capabilities(struct iommu_hw_info *cmd, struct device *dev)
{
	u32 pasids = iommu_since(SINCE_HW_INFO_PASID) ? dev->iommu->max_pasids : 0;

	cmd->out_capabilities = 0;
	if (device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING))
		cmd->out_capabilities |= IOMMU_HW_CAP_DIRTY_TRACKING;
	if (iommu_since(SINCE_HW_INFO_PASID) &&
	    !device_iommu_capable(dev, IOMMU_CAP_PCI_ATS_SUPPORTED))
		cmd->out_capabilities |= IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	/* The modelled functions have neither execute nor privileged PASIDs. */
	cmd->out_max_pasid_log2 = pasids ? (u8)bit_highest(pasids) : 0;
}

int iommufd_get_hw_info(struct iommufd_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	const struct iommu_ops *ops;
	struct iommufd_device *idev;
	void *data = NULL;
	u32 len = 0;
	int rc = check(cmd);

	if (rc)
		return rc;
	idev = (void *)iommufd_get_object(ucmd->ictx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	if (iommufd_device_is_noiommu(idev)) {
		iommufd_put_object(ucmd->ictx, &idev->obj);
		return -EOPNOTSUPP;
	}
	ops = idev->dev->iommu->iommu_dev->ops;
	if (ops->hw_info)
		data = ops->hw_info(idev->dev, &len, &cmd->data_type);
	else
		cmd->data_type = IOMMU_HW_INFO_TYPE_NONE;
	rc = IS_ERR(data) ? (int)PTR_ERR(data) : copy_info(cmd, data, len);
	if (!rc) {
		cmd->data_len = len;
		tell_capabilities(cmd, idev->dev);
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (!IS_ERR(data))
		kfree(data);
	iommufd_put_object(ucmd->ictx, &idev->obj);
	return rc;
}
