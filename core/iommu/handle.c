// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching with a handle, by which faults find who attached; and devices that
 * the machine does not describe.
 */
#include "core/iommu/iommu_priv.h"

/* dup: -EBUSY: somebody has attached with a handle. */
int iommu_attach_group_handle(struct iommu_domain *domain, struct iommu_group *group,
			      struct iommu_attach_handle *handle)
{
	int ret = -EBUSY;

	handle->domain = domain;
	mutex_lock(&group->mutex);
	if (!group->handle) {
		ret = __iommu_attach_group(domain, group);
		if (!ret)
			smp_store_release(&group->handle, handle);
	}
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup */
void iommu_detach_group_handle(struct iommu_domain *domain, struct iommu_group *group)
{
	(void)domain;
	mutex_lock(&group->mutex);
	__iommu_detach_group(group);
	WRITE_ONCE(group->handle, NULL);
	mutex_unlock(&group->mutex);
}

/* dup */
int iommu_replace_group_handle(struct iommu_group *group, struct iommu_domain *domain,
			       struct iommu_attach_handle *handle)
{
	int ret;

	handle->domain = domain;
	mutex_lock(&group->mutex);
	ret = __iommu_group_replace_domain(group, domain);
	if (!ret)
		smp_store_release(&group->handle, handle);
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup: without any reference; what keeps it is the order of detaching. */
struct iommu_attach_handle *iommu_attach_handle_get(struct iommu_group *group, u32 pasid)
{
	return pasid ? iommu_pasid_handle(group, pasid) : smp_load_acquire(&group->handle);
}

/* dup */
bool device_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	const struct iommu_ops *ops;

	if (!dev->iommu || !dev->iommu->iommu_dev)
		return false;
	ops = dev_iommu_ops(dev);
	return ops->capable && ops->capable(dev, cap);
}

int iommu_add_lone_device(struct device *dev, struct iommu_device *iommu,
			  struct iommu_domain *def)
{
	struct group_device *gdev = kzalloc(sizeof(*gdev), GFP_KERNEL);
	struct dev_iommu *param = kzalloc(sizeof(*param), GFP_KERNEL);
	struct iommu_group *group = iommu_group_alloc();
	int ret = -ENOMEM;

	if (!gdev || !param || IS_ERR(group))
		goto err_free;
	param->iommu_dev = iommu;
	gdev->dev = dev;
	dev->iommu = param;
	mutex_lock(&group->mutex);
	list_add_tail(&gdev->list, &group->devices);
	fact(GROUP_ADD, group->id, dev->index);
	group->default_domain = def;
	ret = __iommu_group_set_domain_internal(group, def, IOMMU_SET_DOMAIN_MUST_SUCCEED);
	mutex_unlock(&group->mutex);
	WARN_ON(ret);
	dev->iommu_group = group;
	return 0;

err_free:
	if (!IS_ERR(group))
		iommu_group_put(group);
	kfree(param);
	kfree(gdev);
	return ret;
}

void iommu_remove_lone_device(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;
	struct group_device *gdev;

	mutex_lock(&group->mutex);
	gdev = list_first_entry(&group->devices, struct group_device, list);
	WARN_ON(gdev->dev != dev || group->owner || group->domain != group->default_domain);
	list_del(&gdev->list);
	fact(GROUP_REMOVE, group->id, dev->index);
	kfree(gdev);
	mutex_unlock(&group->mutex);
	dev->iommu_group = NULL;
	kfree(dev->iommu);
	dev->iommu = NULL;
	iommu_group_put(group);
}
