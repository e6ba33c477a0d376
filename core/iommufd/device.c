// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: bound to a context, attached to page tables.
 *
 * All devices of a group follow one page table: the first attaches the group, the
 * last detaches it. Each device reserves its own regions in the IOAS.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

static void group_release(struct kref *kref)
{
	struct iommufd_group *igroup = container_of(kref, struct iommufd_group, ref);

	WARN_ON(igroup->hwpt || !list_empty(&igroup->device_list) || !xa_empty(&igroup->pasids));
	xa_destroy(&igroup->pasids);
	if (igroup->group) {
		xa_cmpxchg(&igroup->ictx->groups, iommu_group_id(igroup->group), igroup, NULL,
			   GFP_KERNEL);
		iommu_group_put(igroup->group);
	}
	mutex_destroy(&igroup->lock);
	kfree(igroup);
}

static void put_igroup(struct iommufd_group *igroup)
{
	kref_put(&igroup->ref, group_release);
}

static struct iommufd_group *new_igroup(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_group *igroup = kzalloc(sizeof(*igroup), GFP_KERNEL);

	if (!igroup)
		return NULL;
	kref_init(&igroup->ref);
	mutex_init(&igroup->lock);
	INIT_LIST_HEAD(&igroup->device_list);
	xa_init(&igroup->pasids);
	igroup->group = group;
	igroup->ictx = ictx;
	return igroup;
}

/* NULL: none, or one on its way out. */
static struct iommufd_group *existing_igroup(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_group *igroup;

	xa_lock(&ictx->groups);
	igroup = xa_load(&ictx->groups, iommu_group_id(group));
	if (igroup && !kref_get_unless_zero(&igroup->ref))
		igroup = NULL;
	xa_unlock(&ictx->groups);
	return igroup;
}

/*
 * The context's record of dev's group, made if need be. One that is on its way out
 * may still be in the table: its place is taken.
 */
static struct iommufd_group *get_igroup(struct iommufd_ctx *ictx, struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommufd_group *igroup, *fresh, *old;
	u32 id;

	if (!group)
		return ERR_PTR(-ENODEV);
	id = iommu_group_id(group);
	igroup = existing_igroup(ictx, group);
	if (igroup) {
		iommu_group_put(group);
		return igroup;
	}
	fresh = new_igroup(ictx, group);
	if (!fresh) {
		iommu_group_put(group);
		return ERR_PTR(-ENOMEM);
	}
	xa_lock(&ictx->groups);
	igroup = xa_load(&ictx->groups, id);
	if (!igroup || WARN_ON(igroup->group != group) || !kref_get_unless_zero(&igroup->ref)) {
		old = __xa_cmpxchg(&ictx->groups, id, igroup, fresh, GFP_ATOMIC);
		igroup = xa_is_err(old) ? old : fresh;
	}
	xa_unlock(&ictx->groups);
	if (igroup != fresh)
		put_igroup(fresh);
	return igroup;
}

/* --- binding --- */

void iommufd_device_destroy(struct iommufd_object *obj)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);

	if (!iommufd_device_is_noiommu(idev))
		iommu_device_release_dma_owner(idev->dev);
	put_igroup(idev->igroup);
	mutex_destroy(&idev->iopf_lock);
	if (!idev->lone)
		iommufd_ctx_put(idev->ictx);
}

static struct iommufd_device *bind_in(struct iommufd_ctx *ictx, struct device *dev,
				      struct iommufd_group *igroup, bool lone)
{
	struct iommufd_device *idev;
	int rc = igroup->group ? iommu_device_claim_dma_owner(dev, ictx) : 0;

	if (rc)
		return ERR_PTR(rc);
	idev = iommufd_object_alloc(ictx, idev, IOMMUFD_OBJ_DEVICE);
	if (IS_ERR(idev)) {
		if (igroup->group)
			iommu_device_release_dma_owner(dev);
		return idev;
	}
	idev->ictx = ictx;
	idev->lone = lone;
	if (!lone)
		iommufd_ctx_get(ictx);
	idev->dev = dev;
	idev->enforce_cache_coherency =
		device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	/* The driver's, until it unbinds. */
	refcount_inc(&idev->obj.users);
	idev->igroup = igroup;
	mutex_init(&idev->iopf_lock);
	iommufd_object_finalize(ictx, &idev->obj);
	return idev;
}

struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev, bool lone)
{
	bool noiommu = iommu_since(SINCE_NOIOMMU_CDEV) && !dev->iommu;
	struct iommufd_device *idev;
	struct iommufd_group *igroup;

	if (!noiommu && !device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-EINVAL);
	igroup = noiommu ? new_igroup(ictx, NULL) : get_igroup(ictx, dev);
	if (!igroup)
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(igroup))
		return ERR_CAST(igroup);
	idev = bind_in(ictx, dev, igroup, lone);
	if (IS_ERR(idev))
		put_igroup(igroup);
	return idev;
}

void iommufd_device_unbind(struct iommufd_device *idev)
{
	/* Historic: its vdevice is user space's to destroy, and holds it until then. */
	if (!bug_on(BUG_IOMMUFD_UNBIND_WAIT))
		iommufd_device_pre_destroy(idev);
	iommufd_object_destroy_user(idev->ictx, &idev->obj);
}

u32 iommufd_device_id(const struct iommufd_device *idev)
{
	return idev->obj.id;
}

struct iommufd_ctx *iommufd_device_to_ictx(const struct iommufd_device *idev)
{
	return idev->ictx;
}

bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_object *obj;
	unsigned long index;
	bool found = false;

	xa_lock(&ictx->objects);
	xa_for_each(&ictx->objects, index, obj) {
		if (obj->type == IOMMUFD_OBJ_DEVICE &&
		    container_of(obj, struct iommufd_device, obj)->igroup->group == group)
			found = true;
	}
	xa_unlock(&ictx->objects);
	return found;
}

/* --- the group's attachment; igroup->lock held --- */

/* dup: once a paging domain, for as long as it lives. */
static int setup_msi(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev)
{
	struct iommu_domain *domain = find_hwpt_paging(hwpt)->common.domain;
	u64 base = domain->msi_cookie ? 0 : iommu_sw_msi_base(idev->dev);
	int rc = base ? iommu_get_msi_cookie(domain, base) : 0;

	return rc == -EBUSY ? 0 : rc; /* by another group, meanwhile */
}

static int attach_group(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev)
{
	struct iommufd_attach_handle *handle;
	int rc = iommufd_pasid_compat(idev->igroup, hwpt, IOMMU_NO_PASID);

	if (rc || iommufd_device_is_noiommu(idev))
		return rc;
	handle = iommufd_handle_new(idev, hwpt->fault);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	rc = setup_msi(hwpt, idev);
	if (!rc)
		rc = iommu_attach_group_handle(hwpt->domain, idev->igroup->group, &handle->handle);
	if (rc)
		iommufd_handle_free(handle, hwpt->fault);
	return rc;
}

static void detach_group(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev)
{
	struct iommufd_attach_handle *handle;

	if (iommufd_device_is_noiommu(idev))
		return;
	handle = iommufd_handle_of(idev, IOMMU_NO_PASID);
	iommu_detach_group_handle(hwpt->domain, idev->igroup->group);
	if (hwpt->fault) {
		if (bug_on(BUG_IOMMUFD_IOPF_GROUP_DOUBLE_OWNER)) {
			/* The device's queue answers what is pending, and frees it. */
			iommufd_fault_iopf_disable(idev);
			iommufd_auto_response_faults(hwpt, handle);
		} else {
			iommufd_auto_response_faults(hwpt, handle);
			iommufd_fault_iopf_disable(idev);
		}
	}
	kfree(handle);
}

static int replace_group(struct iommufd_device *idev, struct iommufd_hw_pagetable *hwpt,
			 struct iommufd_hw_pagetable *old)
{
	struct iommufd_attach_handle *handle, *old_handle;
	bool turn_on = hwpt->fault && !old->fault;
	int rc = iommufd_pasid_compat(idev->igroup, hwpt, IOMMU_NO_PASID);

	if (rc || iommufd_device_is_noiommu(idev))
		return rc;
	old_handle = iommufd_handle_of(idev, IOMMU_NO_PASID);
	handle = iommufd_handle_new(idev, turn_on);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	rc = setup_msi(hwpt, idev);
	if (!rc)
		rc = iommu_replace_group_handle(idev->igroup->group, hwpt->domain, &handle->handle);
	if (rc) {
		iommufd_handle_free(handle, turn_on);
		return rc;
	}
	if (old->fault)
		iommufd_auto_response_faults(old, old_handle);
	if (old->fault && !hwpt->fault)
		iommufd_fault_iopf_disable(idev);
	kfree(old_handle);
	return 0;
}

/* --- attaching a device --- */

static bool is_attached(const struct iommufd_device *idev)
{
	const struct iommufd_device *other;

	list_for_each_entry(other, &idev->igroup->device_list, group_item) {
		if (other == idev)
			return true;
	}
	return false;
}

static int reserve_for(struct iommufd_device *idev, struct iommufd_hwpt_paging *paging)
{
	if (iommufd_device_is_noiommu(idev))
		return 0;
	return iopt_table_enforce_dev_resv_regions(&paging->ioas->iopt, idev->dev);
}

static int attach_locked(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev)
{
	struct iommufd_hwpt_paging *paging = find_hwpt_paging(hwpt);
	struct iommufd_group *igroup = idev->igroup;
	int rc;

	if (is_attached(idev))
		return -EBUSY;
	if (igroup->hwpt && igroup->hwpt != hwpt)
		return -EINVAL;
	rc = reserve_for(idev, paging);
	if (rc)
		return rc;
	if (list_empty(&igroup->device_list)) {
		rc = attach_group(hwpt, idev);
		if (rc) {
			iopt_remove_reserved_iova(&paging->ioas->iopt, idev->dev);
			return rc;
		}
		igroup->hwpt = hwpt;
		if (bug_on(BUG_IOMMUFD_HWPT_LISTED_TWICE) && paging->listed)
			list_add_tail(&paging->hwpt_item, &paging->ioas->hwpt_list);
	}
	refcount_inc(&hwpt->obj.users);
	list_add_tail(&idev->group_item, &igroup->device_list);
	return 0;
}

int iommufd_hw_pagetable_attach(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev,
				u32 pasid)
{
	int rc;

	mutex_lock(&idev->igroup->lock);
	rc = pasid ? iommufd_pasid_attach(hwpt, idev, pasid) : attach_locked(hwpt, idev);
	mutex_unlock(&idev->igroup->lock);
	return rc;
}

static struct iommufd_hw_pagetable *detach_locked(struct iommufd_device *idev,
						  struct iommufd_hw_pagetable *before)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hw_pagetable *hwpt = igroup->hwpt;

	if (bug_on(BUG_IOMMUFD_DETACH_STALE_HWPT))
		hwpt = before; /* which another device of the group may have left since */

	if (!is_attached(idev))
		return NULL;
	list_del(&idev->group_item);
	if (list_empty(&igroup->device_list)) {
		detach_group(hwpt, idev);
		igroup->hwpt = NULL;
	}
	iopt_remove_reserved_iova(&find_hwpt_paging(hwpt)->ioas->iopt, idev->dev);
	return hwpt;
}

struct iommufd_hw_pagetable *iommufd_hw_pagetable_detach(struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_hw_pagetable *hwpt, *before = NULL;

	if (bug_on(BUG_IOMMUFD_DETACH_STALE_HWPT))
		before = READ_ONCE(idev->igroup->hwpt);
	mutex_lock(&idev->igroup->lock);
	hwpt = pasid ? iommufd_pasid_detach(idev, pasid) : detach_locked(idev, before);
	mutex_unlock(&idev->igroup->lock);
	return hwpt;
}

/* A page table is attached, or put in the place of another: NULL, the old one, or ERR_PTR. */
typedef struct iommufd_hw_pagetable *(*attach_fn)(struct iommufd_device *idev, u32 pasid,
						  struct iommufd_hw_pagetable *hwpt);

static struct iommufd_hw_pagetable *do_attach(struct iommufd_device *idev, u32 pasid,
					      struct iommufd_hw_pagetable *hwpt)
{
	return ERR_PTR(iommufd_hw_pagetable_attach(hwpt, idev, pasid));
}

static void unreserve_all(struct iommufd_group *igroup, struct iommufd_hwpt_paging *paging)
{
	struct iommufd_device *idev;

	list_for_each_entry(idev, &igroup->device_list, group_item)
		iopt_remove_reserved_iova(&paging->ioas->iopt, idev->dev);
}

static int reserve_all(struct iommufd_group *igroup, struct iommufd_hwpt_paging *paging)
{
	struct iommufd_device *idev;
	int rc;

	list_for_each_entry(idev, &igroup->device_list, group_item) {
		rc = reserve_for(idev, paging);
		if (rc) {
			unreserve_all(igroup, paging);
			return rc;
		}
	}
	return 0;
}

/* The users that the group's devices have move; the caller's one of old stays. */
static void move_users(struct iommufd_group *igroup, struct iommufd_hw_pagetable *hwpt,
		       struct iommufd_hw_pagetable *old)
{
	const struct iommufd_device *idev;
	int n = 0;

	list_for_each_entry(idev, &igroup->device_list, group_item)
		n++;
	refcount_add(n, &hwpt->obj.users);
	if (n > 1)
		WARN_ON(refcount_sub_and_test(n - 1, &old->obj.users));
}

static struct iommufd_hw_pagetable *replace_locked(struct iommufd_device *idev,
						   struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hw_pagetable *old = igroup->hwpt;
	struct iommufd_hwpt_paging *paging = find_hwpt_paging(hwpt), *old_paging;
	bool other_ioas;
	int rc = 0;

	if (!old || !is_attached(idev))
		return ERR_PTR(-EINVAL);
	if (old == hwpt)
		return NULL;
	old_paging = find_hwpt_paging(old);
	other_ioas = old_paging->ioas != paging->ioas;
	if (other_ioas)
		rc = reserve_all(igroup, paging);
	if (rc)
		return ERR_PTR(rc);
	rc = replace_group(idev, hwpt, old);
	if (rc) {
		if (other_ioas)
			unreserve_all(igroup, paging);
		return ERR_PTR(rc);
	}
	if (other_ioas)
		unreserve_all(igroup, old_paging);
	igroup->hwpt = hwpt;
	move_users(igroup, hwpt, old);
	return old;
}

static struct iommufd_hw_pagetable *do_replace(struct iommufd_device *idev, u32 pasid,
					       struct iommufd_hw_pagetable *hwpt)
{
	struct iommufd_hw_pagetable *old;

	mutex_lock(&idev->igroup->lock);
	old = pasid ? iommufd_pasid_replace(idev, pasid, hwpt) : replace_locked(idev, hwpt);
	mutex_unlock(&idev->igroup->lock);
	return old;
}

/* What an IOAS is attached to. */
struct place {
	struct iommufd_device *idev;
	u32 pasid, *pt_id;
	attach_fn fn;
};

/* An automatic page table of the IOAS that takes the device; -ENOENT: there is none. */
static struct iommufd_hw_pagetable *auto_existing(const struct place *at,
						  struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt_paging *paging;

	list_for_each_entry(paging, &ioas->hwpt_list, hwpt_item) {
		struct iommufd_hw_pagetable *old;

		if (!paging->auto_domain || !iommufd_lock_obj(&paging->common.obj))
			continue;
		old = at->fn(at->idev, at->pasid, &paging->common);
		if (!IS_ERR(old))
			*at->pt_id = paging->common.obj.id;
		iommufd_put_object(at->idev->ictx, &paging->common.obj);
		/* -EINVAL: the two do not fit. */
		if (PTR_ERR(old) != -EINVAL)
			return old;
	}
	return ERR_PTR(-ENOENT);
}

/* A new one. custom: made and attached in this order, so no driver sees half a table. */
static struct iommufd_hw_pagetable *auto_new(const struct place *at, struct iommufd_ioas *ioas)
{
	const struct iommufd_paging_wish wish = {.pasid = at->pasid, .attach = at->fn == do_attach};
	struct iommufd_hwpt_paging *paging = iommufd_hwpt_paging_alloc(ioas, at->idev, &wish);
	struct iommufd_hw_pagetable *old = NULL;

	if (IS_ERR(paging))
		return ERR_CAST(paging);
	if (!wish.attach)
		old = at->fn(at->idev, at->pasid, &paging->common);
	if (IS_ERR(old)) {
		iommufd_object_abort_and_destroy(at->idev->ictx, &paging->common.obj);
		return old;
	}
	/*
	 * custom: marked. It is attached by now, and another device of the group may be leaving it;
	 * who sees the flag too late only gives back its reference, which is not the last.
	 */
	WRITE_ONCE(paging->auto_domain, true);
	*at->pt_id = paging->common.obj.id;
	iommufd_object_finalize(at->idev->ictx, &paging->common.obj);
	return old;
}

static struct iommufd_hw_pagetable *auto_get(const struct place *at, struct iommufd_ioas *ioas)
{
	struct iommufd_hw_pagetable *old;

	mutex_lock(&ioas->mutex);
	old = auto_existing(at, ioas);
	if (PTR_ERR(old) == -ENOENT)
		old = auto_new(at, ioas);
	mutex_unlock(&ioas->mutex);
	return old;
}

static int change_pt(const struct place *at)
{
	struct iommufd_ctx *ictx = at->idev->ictx;
	struct iommufd_hw_pagetable *old = ERR_PTR(-EINVAL);
	struct iommufd_object *pt = iommufd_get_object(ictx, *at->pt_id, IOMMUFD_OBJ_ANY);

	if (IS_ERR(pt))
		return (int)PTR_ERR(pt);
	if (pt->type == IOMMUFD_OBJ_IOAS)
		old = auto_get(at, container_of(pt, struct iommufd_ioas, obj));
	else if (pt->type == IOMMUFD_OBJ_HWPT_PAGING || pt->type == IOMMUFD_OBJ_HWPT_NESTED)
		old = at->fn(at->idev, at->pasid,
			     container_of(pt, struct iommufd_hw_pagetable, obj));
	iommufd_put_object(ictx, pt);
	if (IS_ERR(old))
		return (int)PTR_ERR(old);
	if (old)
		iommufd_hw_pagetable_put(ictx, old);
	return 0;
}

int iommufd_device_attach(struct iommufd_device *idev, u32 pasid, u32 *pt_id)
{
	int rc = change_pt(&(struct place){idev, pasid, pt_id, do_attach});

	/* Given back by the detach: a device is not destroyed while attached. */
	if (!rc)
		refcount_inc(&idev->obj.users);
	return rc;
}

int iommufd_device_replace(struct iommufd_device *idev, u32 pasid, u32 *pt_id)
{
	return change_pt(&(struct place){idev, pasid, pt_id, do_replace});
}

void iommufd_device_detach(struct iommufd_device *idev, u32 pasid)
{
	struct iommufd_hw_pagetable *hwpt = iommufd_hw_pagetable_detach(idev, pasid);

	if (!hwpt)
		return;
	iommufd_hw_pagetable_put(idev->ictx, hwpt);
	refcount_dec(&idev->obj.users);
}
