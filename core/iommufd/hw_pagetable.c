// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables as objects: paging ones, which map an IOAS, and nested ones, which
 * user space fills and which stand on a paging parent.
 */
#include "core/iommufd/iommufd_priv.h"

#include "core/iommu/iommu.h"
#include "sim/kapi/bug.h"

static const struct iommu_ops *ops_of(const struct iommufd_device *idev)
{
	const struct iommu_device *iommu = iommufd_device_iommu(idev);

	return iommu ? iommu->ops : &iommufd_noiommu_ops;
}

static void hwpt_free(struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->domain)
		iommu_domain_free(hwpt->domain);
	if (hwpt->fault)
		refcount_dec(&hwpt->fault->obj.users);
}

static struct iommufd_hwpt_paging *paging_of(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt_paging, common.obj);
}

void iommufd_hwpt_paging_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt_paging *hwpt = paging_of(obj);

	if (hwpt->listed) {
		mutex_lock(&hwpt->ioas->mutex);
		list_del(&hwpt->hwpt_item);
		mutex_unlock(&hwpt->ioas->mutex);
		iopt_table_remove_domain(&hwpt->ioas->iopt, hwpt->common.domain);
	}
	hwpt_free(&hwpt->common);
	refcount_dec(&hwpt->ioas->obj.users);
}

void iommufd_hwpt_paging_abort(struct iommufd_object *obj)
{
	struct iommufd_hwpt_paging *hwpt = paging_of(obj);

	lockdep_assert_held(&hwpt->ioas->mutex);
	if (hwpt->listed) {
		list_del(&hwpt->hwpt_item);
		iopt_table_remove_domain(&hwpt->ioas->iopt, hwpt->common.domain);
	}
	hwpt_free(&hwpt->common);
	refcount_dec(&hwpt->ioas->obj.users);
}

void iommufd_hwpt_nested_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt_nested *hwpt =
		container_of(obj, struct iommufd_hwpt_nested, common.obj);

	hwpt_free(&hwpt->common);
	if (hwpt->viommu)
		refcount_dec(&hwpt->viommu->obj.users);
	else
		refcount_dec(&hwpt->parent->common.obj.users);
}

/* dup: an automatic domain goes with the last device that used it. */
void iommufd_hw_pagetable_put(struct iommufd_ctx *ictx, struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_PAGING) {
		struct iommufd_hwpt_paging *paging = to_hwpt_paging(hwpt);

		lockdep_assert_not_held(&paging->ioas->mutex);
		/* custom: marked, see auto_new(). */
		if (READ_ONCE(paging->auto_domain)) {
			iommufd_object_put_and_try_destroy(ictx, &hwpt->obj);
			return;
		}
	}
	refcount_dec(&hwpt->obj.users);
}

/* --- allocation --- */

static int paging_flags_ok(const struct iommufd_device *idev, u32 flags, bool has_data)
{
	u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING;

	if (iommu_since(SINCE_HWPT_PASID))
		known |= IOMMU_HWPT_ALLOC_PASID;
	if (iommu_since(SINCE_HWPT_PAGING_FAULT))
		known |= IOMMU_HWPT_FAULT_ID_VALID;
	if ((flags || has_data) && !ops_of(idev)->domain_alloc_user)
		return -EOPNOTSUPP;
	if (flags & ~known)
		return -EOPNOTSUPP;
	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING &&
	    !device_iommu_capable(idev->dev, IOMMU_CAP_DIRTY_TRACKING))
		return -EOPNOTSUPP;
	if (flags & IOMMU_HWPT_FAULT_ID_VALID && flags & IOMMU_HWPT_ALLOC_NEST_PARENT)
		return -EOPNOTSUPP;
	return 0;
}

static bool nested_flags_ok(u32 flags)
{
	u32 known = IOMMU_HWPT_FAULT_ID_VALID;

	if (iommu_since(SINCE_HWPT_PASID))
		known |= IOMMU_HWPT_ALLOC_PASID;
	return !(flags & ~known);
}

/* ERR_PTR; the domain is user space's to be freed. */
static struct iommu_domain *alloc_domain(const struct iommufd_device *idev, u32 flags,
					 struct iommu_domain *parent,
					 const struct iommu_user_data *data)
{
	if (!ops_of(idev)->domain_alloc_user)
		return iommu_paging_domain_alloc(idev->dev);
	return ops_of(idev)->domain_alloc_user(idev->dev, flags, parent, data);
}

static bool enforce_coherency(struct iommufd_hwpt_paging *hwpt)
{
	struct iommu_domain *domain = hwpt->common.domain;

	if (!hwpt->enforce_cache_coherency && domain->ops->enforce_cache_coherency)
		hwpt->enforce_cache_coherency = domain->ops->enforce_cache_coherency(domain);
	return hwpt->enforce_cache_coherency;
}

/* The rest of a paging table's making; undone on failure, but for the object. */
static int paging_build(struct iommufd_hwpt_paging *hwpt, struct iommufd_device *idev,
			const struct iommufd_paging_wish *wish)
{
	struct iommufd_ioas *ioas = hwpt->ioas;
	struct iommu_domain *domain = alloc_domain(
		idev, wish->flags & ~IOMMU_HWPT_FAULT_ID_VALID, NULL, wish->data);
	int rc;

	if (IS_ERR(domain))
		return (int)PTR_ERR(domain);
	hwpt->common.domain = domain;
	/* Before anything is mapped: some tables keep it in each entry. */
	if (idev->enforce_cache_coherency && WARN_ON(!enforce_coherency(hwpt)))
		return -EINVAL;
	if (wish->attach) {
		rc = iommufd_hw_pagetable_attach(&hwpt->common, idev, wish->pasid);
		if (rc)
			return rc;
	}
	rc = iopt_table_add_domain(&ioas->iopt, domain);
	hwpt->listed = !rc;
	if (!rc)
		list_add_tail(&hwpt->hwpt_item, &ioas->hwpt_list);
	else if (wish->attach)
		refcount_dec(&iommufd_hw_pagetable_detach(idev, wish->pasid)->obj.users);
	return rc;
}

struct iommufd_hwpt_paging *iommufd_hwpt_paging_alloc(struct iommufd_ioas *ioas,
						      struct iommufd_device *idev,
						      const struct iommufd_paging_wish *wish)
{
	struct iommufd_hwpt_paging *hwpt;
	int rc = paging_flags_ok(idev, wish->flags, wish->data);

	lockdep_assert_held(&ioas->mutex);
	if (rc)
		return ERR_PTR(rc);
	hwpt = iommufd_object_alloc(idev->ictx, hwpt, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(hwpt))
		return hwpt;
	refcount_inc(&ioas->obj.users);
	hwpt->ioas = ioas;
	hwpt->nest_parent = wish->flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	hwpt->common.pasid_compat = wish->flags & IOMMU_HWPT_ALLOC_PASID;
	rc = paging_build(hwpt, idev, wish);
	if (!rc)
		return hwpt;
	iommufd_object_abort_and_destroy(idev->ictx, &hwpt->common.obj);
	return ERR_PTR(rc);
}

static struct iommufd_hwpt_nested *nested_alloc(struct iommufd_hwpt_paging *parent,
						struct iommufd_device *idev, u32 flags,
						const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = ops_of(idev);
	struct iommufd_hwpt_nested *hwpt;
	struct iommu_domain *domain;

	if (!nested_flags_ok(flags) || !data->len || !ops->domain_alloc_user ||
	    iommufd_device_is_noiommu(idev))
		return ERR_PTR(-EOPNOTSUPP);
	if (parent->auto_domain || !parent->nest_parent || parent->common.domain->owner != ops)
		return ERR_PTR(-EINVAL);
	hwpt = iommufd_object_alloc(idev->ictx, hwpt, IOMMUFD_OBJ_HWPT_NESTED);
	if (IS_ERR(hwpt))
		return hwpt;
	hwpt->common.pasid_compat = flags & IOMMU_HWPT_ALLOC_PASID;
	refcount_inc(&parent->common.obj.users);
	hwpt->parent = parent;
	domain = ops->domain_alloc_user(idev->dev, flags & ~IOMMU_HWPT_FAULT_ID_VALID,
					parent->common.domain, data);
	if (IS_ERR(domain)) {
		iommufd_object_abort_and_destroy(idev->ictx, &hwpt->common.obj);
		return ERR_CAST(domain);
	}
	hwpt->common.domain = domain;
	WARN_ON(domain->type != IOMMU_DOMAIN_NESTED);
	if (bug_on(BUG_IOMMUFD_INVALIDATE_NULL_OP))
		return hwpt;
	WARN_ON(!domain->ops->cache_invalidate_user);
	return hwpt;
}

/* As nested_alloc(), on the vIOMMU's parent and by its driver. */
static struct iommufd_hwpt_nested *nested_alloc_on(struct iommufd_viommu *viommu, u32 flags,
						   const struct iommu_user_data *data)
{
	struct iommufd_hwpt_nested *hwpt;
	struct iommu_domain *domain;

	if (!nested_flags_ok(flags))
		return ERR_PTR(-EOPNOTSUPP);
	if (!data->len || !viommu->ops->alloc_domain_nested)
		return ERR_PTR(-EOPNOTSUPP);
	hwpt = iommufd_object_alloc(viommu->ictx, hwpt, IOMMUFD_OBJ_HWPT_NESTED);
	if (IS_ERR(hwpt))
		return hwpt;
	hwpt->common.pasid_compat = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->viommu = viommu;
	refcount_inc(&viommu->obj.users);
	hwpt->parent = viommu->hwpt;
	domain = viommu->ops->alloc_domain_nested(viommu, flags & ~IOMMU_HWPT_FAULT_ID_VALID,
						  data);
	if (IS_ERR(domain)) {
		iommufd_object_abort_and_destroy(viommu->ictx, &hwpt->common.obj);
		return ERR_CAST(domain);
	}
	hwpt->common.domain = domain;
	return hwpt;
}

static int use_fault(struct iommufd_ucmd *ucmd, struct iommufd_hw_pagetable *hwpt)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_fault *fault;

	if (!(cmd->flags & IOMMU_HWPT_FAULT_ID_VALID))
		return 0;
	fault = (void *)iommufd_get_object(ucmd->ictx, cmd->fault_id, IOMMUFD_OBJ_FAULT);
	if (IS_ERR(fault))
		return (int)PTR_ERR(fault);
	hwpt->fault = fault;
	hwpt->domain->iopf_handler = iommufd_fault_iopf_handler;
	hwpt->domain->fault_data = hwpt;
	refcount_inc(&fault->obj.users);
	iommufd_put_object(ucmd->ictx, &fault->obj);
	return 0;
}

/* The table is published, or gone. */
static int publish(struct iommufd_ucmd *ucmd, struct iommufd_hw_pagetable *hwpt)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	int rc;

	if (IS_ERR(hwpt))
		return (int)PTR_ERR(hwpt);
	rc = use_fault(ucmd, hwpt);
	if (!rc) {
		cmd->out_hwpt_id = hwpt->obj.id;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (rc)
		iommufd_object_abort_and_destroy(ucmd->ictx, &hwpt->obj);
	else
		iommufd_object_finalize(ucmd->ictx, &hwpt->obj);
	return rc;
}

static int alloc_on(struct iommufd_ucmd *ucmd, struct iommufd_object *pt,
		    struct iommufd_device *idev)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	const struct iommu_user_data data = {cmd->data_type, cmd->data_len, cmd->data_uptr};
	const struct iommufd_paging_wish wish = {
		.flags = cmd->flags, .data = data.len ? &data : NULL,
	};
	struct iommufd_ioas *ioas;
	int rc;

	if (pt->type == IOMMUFD_OBJ_HWPT_PAGING)
		return publish(ucmd, (void *)nested_alloc(paging_of(pt), idev, cmd->flags, &data));
	if (pt->type == IOMMUFD_OBJ_VIOMMU) {
		struct iommufd_viommu *viommu = container_of(pt, struct iommufd_viommu, obj);

		if (viommu->iommu_dev != iommufd_device_iommu(idev))
			return -EINVAL;
		return publish(ucmd, (void *)nested_alloc_on(viommu, cmd->flags, &data));
	}
	if (pt->type != IOMMUFD_OBJ_IOAS)
		return -EINVAL;
	ioas = container_of(pt, struct iommufd_ioas, obj);
	mutex_lock(&ioas->mutex);
	rc = publish(ucmd, (void *)iommufd_hwpt_paging_alloc(ioas, idev, &wish));
	mutex_unlock(&ioas->mutex);
	return rc;
}

int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct iommufd_device *idev;
	struct iommufd_object *pt;
	int rc = -EINVAL;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if ((cmd->data_type == IOMMU_HWPT_DATA_NONE) != !cmd->data_len)
		return -EINVAL;
	idev = (void *)iommufd_get_object(ucmd->ictx, cmd->dev_id, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	pt = iommufd_get_object(ucmd->ictx, cmd->pt_id, IOMMUFD_OBJ_ANY);
	if (!IS_ERR(pt)) {
		rc = alloc_on(ucmd, pt, idev);
		iommufd_put_object(ucmd->ictx, pt);
	}
	iommufd_put_object(ucmd->ictx, &idev->obj);
	return rc;
}

/* --- dirty tracking, invalidation --- */

int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;
	struct iommufd_hwpt_paging *hwpt;
	int rc;

	if (cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	hwpt = (void *)iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(hwpt))
		return (int)PTR_ERR(hwpt);
	rc = iopt_set_dirty_tracking(&hwpt->ioas->iopt, hwpt->common.domain, cmd->flags);
	iommufd_put_object(ucmd->ictx, &hwpt->common.obj);
	return rc;
}

int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct iommufd_hwpt_paging *hwpt;
	int rc;

	if (cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR || cmd->__reserved)
		return -EOPNOTSUPP;
	hwpt = (void *)iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(hwpt))
		return (int)PTR_ERR(hwpt);
	rc = iopt_read_and_clear_dirty_data(&hwpt->ioas->iopt, hwpt->common.domain, cmd);
	iommufd_put_object(ucmd->ictx, &hwpt->common.obj);
	return rc;
}

#define ENTRY_NUM_MAX (1u << 19)

/* The driver has no such op. */
static int nothing_done(struct iommu_user_data_array *array)
{
	array->entry_num = 0;
	return -EOPNOTSUPP;
}

/* -ENOENT or -EINVAL: neither a nested page table nor a vIOMMU. */
static int invalidate_on(struct iommufd_object *pt, struct iommu_user_data_array *array)
{
	struct iommufd_hw_pagetable *hwpt;
	struct iommufd_viommu *viommu;

	if (pt->type == IOMMUFD_OBJ_HWPT_NESTED) {
		hwpt = container_of(pt, struct iommufd_hw_pagetable, obj);
		/* Calling what is not there, as the hardware would see it. */
		if (bug_on(BUG_IOMMUFD_INVALIDATE_NULL_OP))
			READ_ONCE(*(const char *)(uintptr_t)
				  hwpt->domain->ops->cache_invalidate_user);
		if (!hwpt->domain->ops->cache_invalidate_user)
			return nothing_done(array);
		return hwpt->domain->ops->cache_invalidate_user(hwpt->domain, array);
	}
	if (pt->type != IOMMUFD_OBJ_VIOMMU) {
		array->entry_num = 0;
		return iommu_since(SINCE_INVALIDATE_EINVAL) ? -EINVAL : -ENOENT;
	}
	viommu = container_of(pt, struct iommufd_viommu, obj);
	if (!viommu->ops->cache_invalidate)
		return nothing_done(array);
	return viommu->ops->cache_invalidate(viommu, array);
}

static int invalidate(struct iommufd_ucmd *ucmd, u32 *done)
{
	const struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	struct iommu_user_data_array array = {cmd->data_type, cmd->entry_len, cmd->entry_num,
					      cmd->data_uptr};
	struct iommufd_object *pt;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if (cmd->entry_num && (!cmd->data_uptr || !cmd->entry_len || cmd->entry_len > PAGE_SIZE ||
			       cmd->entry_num > ENTRY_NUM_MAX))
		return -EINVAL;
	pt = iommufd_get_object(ucmd->ictx, cmd->hwpt_id, IOMMUFD_OBJ_ANY);
	if (IS_ERR(pt))
		return (int)PTR_ERR(pt);
	rc = invalidate_on(pt, &array);
	*done = array.entry_num;
	iommufd_put_object(ucmd->ictx, pt);
	return rc;
}

/* dup: how many entries were done is told in any case. */
int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	u32 done = 0;
	int rc = invalidate(ucmd, &done);

	cmd->entry_num = done;
	return iommufd_ucmd_respond(ucmd, sizeof(*cmd)) ? -EFAULT : rc;
}
