// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching domains to single PASIDs, and the PASIDs that the kernel gives out.
 *
 * A group's array says what each PASID is attached to. While a driver works on an
 * attachment its place is only reserved: a fault finds a handle no earlier than
 * the attachment is complete.
 */
#include "core/iommu/iommu_priv.h"

/* What the array holds: a handle, or a domain without one, told apart by this bit. */
#define ENTRY_DOMAIN 2UL

static void *make_entry(struct iommu_domain *domain, struct iommu_attach_handle *handle)
{
	if (!handle)
		return (void *)((uintptr_t)domain | ENTRY_DOMAIN);
	handle->domain = domain;
	return handle;
}

static struct iommu_domain *entry_domain(void *entry)
{
	if ((uintptr_t)entry & ENTRY_DOMAIN)
		return (void *)((uintptr_t)entry & ~ENTRY_DOMAIN);
	return ((struct iommu_attach_handle *)entry)->domain;
}

struct iommu_attach_handle *iommu_pasid_handle(struct iommu_group *group, u32 pasid)
{
	void *entry = xa_load(&group->pasid_array, pasid);

	return (uintptr_t)entry & ENTRY_DOMAIN ? NULL : entry;
}

struct iommu_domain *iommu_pasid_domain_lock(struct iommu_group *group, u32 pasid)
{
	void *entry;

	mutex_lock(&group->mutex);
	entry = pasid ? xa_load(&group->pasid_array, pasid) : NULL;
	return entry ? entry_domain(entry) : NULL;
}

void iommu_pasid_domain_unlock(struct iommu_group *group)
{
	mutex_unlock(&group->mutex);
}

static struct iommu_domain *blocked_of(struct device *dev)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	struct iommu_domain *blocked = ops->blocked_domain ? ops->blocked_domain(dev) : NULL;

	return blocked && blocked->ops->set_dev_pasid ? blocked : NULL;
}

static void remove_dev_pasid(struct device *dev, u32 pasid, struct iommu_domain *domain)
{
	struct iommu_domain *blocked = blocked_of(dev);

	WARN_ON(blocked->ops->set_dev_pasid(blocked, dev, pasid, domain));
}

/* The devices before `last` go back to old, or out of the PASID. Historic: all of them. */
static void revert_group_pasid(struct iommu_group *group, const struct group_device *last,
			       u32 pasid, struct iommu_domain *domain, struct iommu_domain *old)
{
	struct group_device *gdev;

	for_each_group_device(group, gdev) {
		if (gdev == last && !bug_on(BUG_CORE_PASID_PARTIAL_UNDO))
			break;
		if (!gdev->dev->iommu->max_pasids)
			continue;
		if (!old || WARN_ON(old->ops->set_dev_pasid(old, gdev->dev, pasid, domain)))
			remove_dev_pasid(gdev->dev, pasid, domain);
	}
}

static int set_group_pasid(struct iommu_domain *domain, struct iommu_group *group, u32 pasid,
			   struct iommu_domain *old)
{
	struct group_device *gdev;
	int ret;

	for_each_group_device(group, gdev) {
		if (!gdev->dev->iommu->max_pasids)
			continue;
		ret = domain->ops->set_dev_pasid(domain, gdev->dev, pasid, old);
		if (!ret)
			continue;
		revert_group_pasid(group, gdev, pasid, domain, old);
		return ret;
	}
	return 0;
}

/* Whether every device of the group that has PASIDs has this one. */
static bool pasid_in_range(struct iommu_group *group, u32 pasid)
{
	struct group_device *gdev;

	for_each_group_device(group, gdev) {
		u32 max = gdev->dev->iommu->max_pasids;

		if (max && pasid >= max)
			return false;
	}
	return true;
}

static int attach_locked(struct iommu_group *group, struct iommu_domain *domain, u32 pasid,
			 void *entry)
{
	int ret;

	if (!pasid_in_range(group, pasid))
		return -EINVAL;
	ret = xa_insert(&group->pasid_array, pasid, XA_ZERO_ENTRY, GFP_KERNEL);
	if (ret)
		return ret;
	ret = set_group_pasid(domain, group, pasid, NULL);
	if (ret)
		xa_release(&group->pasid_array, pasid);
	else
		WARN_ON(xa_is_err(xa_store(&group->pasid_array, pasid, entry, GFP_KERNEL)));
	return ret;
}

/* dup */
int iommu_attach_device_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
			      struct iommu_attach_handle *handle)
{
	struct iommu_group *group = dev->iommu_group;
	int ret;

	if (!group)
		return -ENODEV;
	if (!domain->ops->set_dev_pasid || !blocked_of(dev))
		return -EOPNOTSUPP;
	if (dev_iommu_ops(dev) != domain->owner || pasid == IOMMU_NO_PASID)
		return -EINVAL;
	mutex_lock(&group->mutex);
	ret = attach_locked(group, domain, pasid, make_entry(domain, handle));
	mutex_unlock(&group->mutex);
	return ret;
}

static int replace_locked(struct iommu_group *group, struct iommu_domain *domain, u32 pasid,
			  void *entry)
{
	void *curr = xa_load(&group->pasid_array, pasid);
	int ret = 0;

	if (!curr || WARN_ON(curr == entry))
		return -EINVAL;
	if (entry_domain(curr) != domain)
		ret = set_group_pasid(domain, group, pasid, entry_domain(curr));
	if (!ret)
		WARN_ON(xa_is_err(xa_store(&group->pasid_array, pasid, entry, GFP_KERNEL)));
	return ret;
}

/* dup */
int iommu_replace_device_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
			       struct iommu_attach_handle *handle)
{
	struct iommu_group *group = dev->iommu_group;
	int ret;

	if (!group)
		return -ENODEV;
	if (!domain->ops->set_dev_pasid)
		return -EOPNOTSUPP;
	if (dev_iommu_ops(dev) != domain->owner || pasid == IOMMU_NO_PASID || !handle)
		return -EINVAL;
	mutex_lock(&group->mutex);
	ret = replace_locked(group, domain, pasid, make_entry(domain, handle));
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup */
void iommu_detach_device_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid)
{
	struct iommu_group *group = dev->iommu_group;
	struct group_device *gdev;

	mutex_lock(&group->mutex);
	for_each_group_device(group, gdev) {
		if (gdev->dev->iommu->max_pasids)
			remove_dev_pasid(gdev->dev, pasid, domain);
	}
	xa_erase(&group->pasid_array, pasid);
	mutex_unlock(&group->mutex);
}

/* dup: the lowest free one that the device has. */
int iommu_alloc_global_pasid(struct device *dev, u32 *pasid)
{
	int ret;

	if (!dev->iommu->max_pasids)
		return -EOPNOTSUPP;
	ret = ida_alloc_range(&iommu_core()->pasid_ida, IOMMU_FIRST_GLOBAL_PASID,
			      dev->iommu->max_pasids - 1, GFP_KERNEL);
	if (ret < 0)
		return ret;
	*pasid = (u32)ret;
	return 0;
}

/* dup */
void iommu_free_global_pasid(u32 pasid)
{
	if (!WARN_ON(pasid == IOMMU_NO_PASID))
		ida_free(&iommu_core()->pasid_ida, (int)pasid);
}
