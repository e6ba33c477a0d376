// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do DMA through a group: kernel drivers or one user.
 *
 * The driver core takes the default domain before it probes a driver, unless
 * that driver manages DMA itself: drivers that hand the device to user space
 * (vfio-pci), do no DMA at all (pci-stub) or drive a bridge (pcieport). A user
 * claims the group: it must be in its default domain with no kernel driver on
 * it, and is put into blocking before the owner is set.
 */
#include "core/iommu/iommu_priv.h"

/*
 * dup: called by the driver core before it probes a driver that does not
 * manage DMA. -EPROBE_DEFER: a bus walk has not finished the group; -EBUSY:
 * user space owns it.
 */
int iommu_device_use_default_domain(struct device *dev)
{
	struct iommu_group *group = READ_ONCE(dev->iommu_group);
	int ret = 0;

	if (!group)
		return 0;
	if (bug_on(BUG_CORE_VFIO_GROUP_NOTIFIER_BUGON)) {
		/* Before 5.19: nothing is asked here, the notifier looks afterwards. */
		set_bit(dev->index, &iommu_core()->unasked);
		return 0;
	}
	mutex_lock(&group->mutex);
	if (!group->default_domain && !bug_on(BUG_CORE_DEFAULT_DOMAIN_LATE))
		ret = -EPROBE_DEFER;
	else if (group->owner_cnt && (group->domain != group->default_domain || group->owner ||
				      !xa_empty(&group->pasid_array)))
		ret = -EBUSY;
	else
		group->owner_cnt++;
	if (!ret)
		fact(GROUP_KERNEL, group->id, dev->index);
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup */
void iommu_device_unuse_default_domain(struct device *dev)
{
	struct iommu_group *group = READ_ONCE(dev->iommu_group);

	if (!group || test_and_clear_bit(dev->index, &iommu_core()->unasked))
		return;
	mutex_lock(&group->mutex);
	if (!WARN_ON(!group->owner_cnt)) {
		group->owner_cnt--;
		fact(GROUP_UNUSE, group->id, dev->index);
	}
	mutex_unlock(&group->mutex);
}

/* Before 5.19: the group's notifier meets a fact that it cannot undo. */
void iommu_group_check_viable(struct device *dev)
{
	if (test_bit(dev->index, &iommu_core()->unasked))
		BUG_ON(READ_ONCE(dev->iommu_group->owner));
}

static int __iommu_take_dma_ownership(struct iommu_group *group, void *owner)
{
	int ret;

	/* custom: Linux lets a claim through before the default domain exists. */
	if (!group->default_domain || group->domain != group->default_domain ||
	    !xa_empty(&group->pasid_array))
		return -EBUSY;
	ret = __iommu_group_alloc_blocking_domain(group);
	if (ret)
		return ret;
	ret = __iommu_group_set_domain(group, group->blocking_domain);
	if (ret)
		return ret;
	group->owner = owner;
	group->owner_cnt++;
	fact(GROUP_CLAIM, group->id, (u64)(uintptr_t)owner);
	return 0;
}

static void __iommu_release_dma_ownership(struct iommu_group *group)
{
	fact(GROUP_RELEASE, group->id, (u64)(uintptr_t)group->owner);
	group->owner_cnt = 0;
	group->owner = NULL;
	if (!list_empty(&group->devices))
		__iommu_group_set_domain_nofail(group, group->default_domain);
}

/*
 * custom: the last device has left an owned group, or leaves its IOMMU. Linux
 * warns: VFIO keeps a device until its user has gone.
 */
void iommu_group_revoke(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);
	__iommu_release_dma_ownership(group);
}

/* dup: exclusive. -EPERM: drivers or another owner; -EBUSY: not in its default domain. */
int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner)
{
	int ret;

	if (!owner)
		return -EINVAL;
	mutex_lock(&group->mutex);
	if (group->owner_cnt)
		ret = -EPERM;
	else
		ret = __iommu_take_dma_ownership(group, owner);
	mutex_unlock(&group->mutex);
	return ret;
}

/*
 * dup; custom: -EINVAL where Linux warns, nobody owning the group; and other
 * claims by the same owner stay in force.
 */
int iommu_group_release_dma_owner(struct iommu_group *group)
{
	int ret = 0;

	mutex_lock(&group->mutex);
	if (!group->owner)
		ret = -EINVAL;
	else if (group->owner_cnt > 1)
		group->owner_cnt--;
	else
		__iommu_release_dma_ownership(group);
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup */
bool iommu_group_dma_owner_claimed(struct iommu_group *group)
{
	bool claimed;

	mutex_lock(&group->mutex);
	claimed = group->owner_cnt;
	mutex_unlock(&group->mutex);
	return claimed;
}

/* dup: by device; the same owner may claim several devices of a group. */
int iommu_device_claim_dma_owner(struct device *dev, void *owner)
{
	struct iommu_group *group;
	int ret = 0;

	if (!owner)
		return -EINVAL;
	group = iommu_group_get(dev);
	if (!group)
		return -ENODEV;
	mutex_lock(&group->mutex);
	if (!group->owner_cnt)
		ret = __iommu_take_dma_ownership(group, owner);
	else if (group->owner != owner)
		ret = -EPERM;
	else
		group->owner_cnt++;
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	return ret;
}

/* dup: the last of the owner's devices gives the group back. */
int iommu_device_release_dma_owner(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int ret;

	if (!group)
		return -ENODEV;
	ret = iommu_group_release_dma_owner(group);
	iommu_group_put(group);
	return ret;
}
