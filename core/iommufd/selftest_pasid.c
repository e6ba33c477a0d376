// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_TEST_CMD: PASIDs of mock devices.
 */
#include "core/iommufd/selftest.h"

static struct selftest_obj *get_sobj(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;

	return (void *)iommufd_get_object(ucmd->ictx, cmd->id, IOMMUFD_OBJ_SELFTEST);
}

static void detach(struct selftest_obj *sobj, u32 pasid)
{
	down_write(&sobj->mdev->iopf_rwsem);
	iommufd_device_detach(sobj->idev, pasid);
	up_write(&sobj->mdev->iopf_rwsem);
}

int iommufd_test_pasid_attach(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_obj *sobj = get_sobj(ucmd);
	u32 pasid = cmd->pasid_attach.pasid;
	int rc;

	if (IS_ERR(sobj))
		return (int)PTR_ERR(sobj);
	down_write(&sobj->mdev->iopf_rwsem);
	rc = iommufd_device_attach(sobj->idev, pasid, &cmd->pasid_attach.pt_id);
	up_write(&sobj->mdev->iopf_rwsem);
	if (!rc) {
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
		if (rc)
			detach(sobj, pasid);
	}
	iommufd_put_object(ucmd->ictx, &sobj->obj);
	return rc;
}

int iommufd_test_pasid_replace(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_obj *sobj = get_sobj(ucmd);
	int rc;

	if (IS_ERR(sobj))
		return (int)PTR_ERR(sobj);
	down_write(&sobj->mdev->iopf_rwsem);
	rc = iommufd_device_replace(sobj->idev, cmd->pasid_attach.pasid,
				    &cmd->pasid_attach.pt_id);
	up_write(&sobj->mdev->iopf_rwsem);
	if (!rc)
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	iommufd_put_object(ucmd->ictx, &sobj->obj);
	return rc;
}

int iommufd_test_pasid_detach(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_obj *sobj = get_sobj(ucmd);

	if (IS_ERR(sobj))
		return (int)PTR_ERR(sobj);
	detach(sobj, cmd->pasid_detach.pasid);
	iommufd_put_object(ucmd->ictx, &sobj->obj);
	return 0;
}

/* Whether the page table called id, 0: none, is the one attached. */
static int check_hwpt(struct iommufd_ucmd *ucmd, const struct iommu_domain *attached, u32 id)
{
	struct iommufd_object *pt;
	int rc = -EINVAL;

	if (!id)
		return attached ? -EINVAL : 0;
	pt = iommufd_get_object(ucmd->ictx, id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(pt))
		return (int)PTR_ERR(pt);
	if ((pt->type == IOMMUFD_OBJ_HWPT_PAGING || pt->type == IOMMUFD_OBJ_HWPT_NESTED) &&
	    container_of(pt, struct iommufd_hw_pagetable, obj)->domain == attached)
		rc = 0;
	iommufd_put_object(ucmd->ictx, pt);
	return rc;
}

int iommufd_test_pasid_check_hwpt(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_obj *sobj = get_sobj(ucmd);
	struct iommu_attach_handle *handle;
	int rc;

	if (IS_ERR(sobj))
		return (int)PTR_ERR(sobj);
	/* custom: Linux looks at the handle without iopf_rwsem, while another call may free it. */
	down_read(&sobj->mdev->iopf_rwsem);
	handle = iommu_attach_handle_get(sobj->mdev->dev.iommu_group, cmd->pasid_check.pasid);
	rc = check_hwpt(ucmd, handle ? handle->domain : NULL, cmd->pasid_check.hwpt_id);
	up_read(&sobj->mdev->iopf_rwsem);
	iommufd_put_object(ucmd->ictx, &sobj->obj);
	return rc;
}
