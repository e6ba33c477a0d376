// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which domain a group is in: attach, detach, replace, and how a change that
 * fails half way is undone.
 *
 * A change goes device by device and is not atomic; DMA may see either domain
 * until it is over, never a third. On an error the devices that have switched
 * go back (drivers must take back a domain that was attached). Changes that
 * must succeed (detach, release) try every device and fall back to blocking,
 * since their caller is about to free the domain that they leave.
 */
#include "core/iommu/iommu_priv.h"
#include "sim/fault/fault.h"

/* A driver may refuse a domain, unless the change must succeed. */
static bool attach_refused(unsigned flags)
{
	u64 pc = (u64)(uintptr_t)__builtin_return_address(0);

	return !(flags & IOMMU_SET_DOMAIN_MUST_SUCCEED) &&
	       fault_fires(this_world()->fault, FAULT_CALL, pc);
}

static int __iommu_attach_device(struct iommu_group *group, struct iommu_domain *domain,
				 struct device *dev)
{
	int ret;

	fact(ATTACH_BEGIN, group->id, dev->index, domain->id);
	ret = domain->ops->attach_dev(domain, dev);
	if (!ret)
		fact(ATTACH, group->id, dev->index, domain->id, READ_ONCE(domain->type));
	fact(ATTACH_END, group->id, dev->index, (u64)(s64)ret);
	return ret;
}

/*
 * dup: one device of the group to the domain. -EINVAL: firmware wants the
 * device mapped 1:1, which blocking is not; or the driver refuses the domain.
 */
int __iommu_device_set_domain(struct iommu_group *group, struct device *dev,
			      struct iommu_domain *domain, unsigned flags)
{
	struct dev_iommu *param = dev->iommu;
	int ret;

	if (param->require_direct &&
	    (domain->type == IOMMU_DOMAIN_BLOCKED || domain == group->blocking_domain))
		return -EINVAL;
	if (param->attach_deferred) {
		if (bug_on(BUG_CORE_DEFERRED_ATTACH_MISSED)) {
			/* Attached under the DMA that the old kernel left running. */
		} else if (domain == group->default_domain) {
			return 0;
		}
		if (domain != group->default_domain) {
			param->attach_deferred = false;
			fact(ATTACH_DEFERRED, dev->index, false);
		}
	}
	ret = __iommu_attach_device(group, domain, dev);
	if (ret && flags & IOMMU_SET_DOMAIN_MUST_SUCCEED && group->blocking_domain &&
	    group->blocking_domain != domain)
		__iommu_attach_device(group, group->blocking_domain, dev);
	return ret;
}

/* The devices before (and including) the one that failed go back. */
static void revert_domain(struct iommu_group *group, const struct group_device *last)
{
	struct group_device *gdev;

	if (!group->domain)
		return;
	for_each_group_device(group, gdev) {
		WARN_ON(__iommu_device_set_domain(group, gdev->dev, group->domain,
						  IOMMU_SET_DOMAIN_MUST_SUCCEED));
		if (gdev == last)
			break;
	}
}

int __iommu_group_set_domain_internal(struct iommu_group *group, struct iommu_domain *domain,
				      unsigned flags)
{
	struct group_device *gdev;
	int result = 0;

	lockdep_assert_held(&group->mutex);
	if (group->domain == domain)
		return 0;
	for_each_group_device(group, gdev) {
		int ret = attach_refused(flags) ? -EINVAL :
			  __iommu_device_set_domain(group, gdev->dev, domain, flags);

		if (!ret)
			continue;
		result = ret;
		if (flags & IOMMU_SET_DOMAIN_MUST_SUCCEED)
			continue;
		revert_domain(group, gdev);
		return ret;
	}
	WRITE_ONCE(group->domain, domain);
	return result;
}

int __iommu_group_set_domain(struct iommu_group *group, struct iommu_domain *domain)
{
	return __iommu_group_set_domain_internal(group, domain, 0);
}

void __iommu_group_set_domain_nofail(struct iommu_group *group, struct iommu_domain *domain)
{
	WARN_ON(__iommu_group_set_domain_internal(group, domain, IOMMU_SET_DOMAIN_MUST_SUCCEED));
}

/* Another driver's domain: -EINVAL, "try another domain". */
static int domain_fits(struct iommu_group *group, struct iommu_domain *domain)
{
	struct group_device *gdev;

	if (list_empty(&group->devices))
		return -ENODEV;
	gdev = list_first_entry(&group->devices, struct group_device, list);
	if (bug_on(BUG_TYPE1_DOMAIN_REUSE_CROSS_DRIVER))
		return 0; /* whoever attaches has seen to it */
	return dev_iommu_ops(gdev->dev) == domain->owner ? 0 : -EINVAL;
}

int __iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	int ret;

	if (group->domain && group->domain != group->default_domain &&
	    group->domain != group->blocking_domain)
		return -EBUSY;
	ret = domain_fits(group, domain);
	return ret ? ret : __iommu_group_set_domain(group, domain);
}

/* Back to what the group is in when nobody has attached anything. */
static void set_core_domain(struct iommu_group *group)
{
	struct group_device *gdev;

	for_each_group_device(group, gdev)
		fact(DETACH, group->id, gdev->dev->index, domain_id(group->domain));
	if (bug_on(BUG_CORE_CLAIM_OWNER_NO_DOMAIN) && group->owner) {
		/* No detach op: the devices go on translating through the old domain. */
		WRITE_ONCE(group->domain, NULL);
	} else {
		__iommu_group_set_domain_nofail(group, group->owner ? group->blocking_domain
								    : group->default_domain);
	}
}

/* dup: -EBUSY: another domain is attached; -EINVAL: wrong driver. */
int iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	int ret;

	mutex_lock(&group->mutex);
	ret = __iommu_attach_group(domain, group);
	mutex_unlock(&group->mutex);
	return ret;
}

void __iommu_detach_group(struct iommu_group *group)
{
	if (!list_empty(&group->devices))
		set_core_domain(group);
}

/* dup: to blocking if the group is owned by user space, else to the default. */
void iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group)
{
	(void)domain;
	mutex_lock(&group->mutex);
	__iommu_detach_group(group);
	mutex_unlock(&group->mutex);
}

int __iommu_group_replace_domain(struct iommu_group *group, struct iommu_domain *domain)
{
	int ret = domain_fits(group, domain);

	return ret ? ret : __iommu_group_set_domain(group, domain);
}

/* dup: from any domain to another, with no other in between. */
int iommu_group_replace_domain(struct iommu_group *group, struct iommu_domain *domain)
{
	int ret;

	if (!domain)
		return -EINVAL;
	mutex_lock(&group->mutex);
	ret = __iommu_group_replace_domain(group, domain);
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup: as iommu_attach_group(); -EINVAL unless the device is alone in its group. */
int iommu_attach_device(struct iommu_domain *domain, struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int ret = -EINVAL;

	if (!group)
		return -ENODEV;
	mutex_lock(&group->mutex);
	if (list_is_singular(&group->devices))
		ret = __iommu_attach_group(domain, group);
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	return ret;
}

/* dup; custom: where Linux warns about its caller, -EINVAL. */
int iommu_detach_device(struct iommu_domain *domain, struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int ret = -EINVAL;

	if (!group)
		return -ENODEV;
	mutex_lock(&group->mutex);
	if (group->domain == domain && list_is_singular(&group->devices)) {
		set_core_domain(group);
		ret = 0;
	}
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	return ret;
}

/* dup: before the first mapping of a device whose attach was put off. */
int iommu_deferred_attach(struct device *dev, struct iommu_domain *domain)
{
	struct iommu_group *group = dev->iommu_group;
	int ret = 0;

	mutex_lock(&group->mutex);
	if (dev->iommu->attach_deferred) {
		dev->iommu->attach_deferred = false;
		fact(ATTACH_DEFERRED, dev->index, false);
		ret = __iommu_attach_device(group, domain, dev);
	}
	mutex_unlock(&group->mutex);
	return ret;
}
