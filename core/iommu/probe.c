// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a device gets its IOMMU and loses it; the life of dev->iommu.
 *
 * A device is probed from three places: the bus walk of an instance that
 * registers, the bus notifier when it appears, and, when these have missed
 * it, the replay from a driver's binding. All hold core->probe_lock, so that
 * instances that register in parallel and replays do not meet on one device.
 *
 * custom: the walk also holds device_lock(dev), as a binding does. Linux's
 * does not, which leaves it three gaps: a walk that meets a device in the
 * middle of a binding that is about to be deferred skips it for good; a binding
 * that comes while the walk has dropped probe_lock to parse firmware goes on
 * with direct DMA; a walk may probe a device that has just been deleted.
 *
 * A replay for a device that a walk has yet to reach would put groups in the
 * wrong order and is warned about, as in Linux. custom: no warning if the
 * device's proper probe was tried and failed for lack of memory or the like
 * (core->missed): then the replay is its only chance.
 */
#include "core/iommu/iommu_priv.h"

/*
 * dup: dev->iommu, made if need be. The exchange (custom) is for the historic
 * orders in which the lock is not held.
 */
struct dev_iommu *dev_iommu_get(struct device *dev)
{
	struct dev_iommu *param = smp_load_acquire(&dev->iommu), *old = NULL;

	if (param)
		return param;
	param = kzalloc(sizeof(*param), GFP_KERNEL);
	if (!param)
		return NULL;
	if (!try_cmpxchg(&dev->iommu, &old, param)) {
		kfree(param);
		return old;
	}
	return param;
}

/* dup: ends dev->iommu with all that hangs from it. */
void dev_iommu_free(struct device *dev)
{
	struct dev_iommu *param = smp_load_acquire(&dev->iommu);

	if (bug_on(BUG_CORE_DEVFREE_VS_FWSPEC)) {
		kfree(smp_load_acquire(&param->fwspec));
		kfree(param);
		smp_store_release(&dev->iommu, NULL);
	} else {
		smp_store_release(&dev->iommu, NULL);
		kfree(smp_load_acquire(&param->fwspec));
		kfree(param);
	}
}

/* Asks the driver for the group that the device belongs to. */
static struct iommu_group *call_device_group(const struct iommu_ops *ops, struct device *dev)
{
	struct iommu_core *core = iommu_core();
	struct iommu_group *group;

	if (bug_on(BUG_CORE_GROUP_CREATE_RACE)) {
		/* Nothing serialised the callback, and drivers did not either. */
		core->unserialised |= BIT(dev->index);
		mutex_unlock(&core->probe_lock);
		group = ops->device_group(dev);
		mutex_lock(&core->probe_lock);
		core->unserialised &= ~BIT(dev->index);
	} else {
		lockdep_assert_held(&core->probe_lock);
		group = ops->device_group(dev);
	}
	return WARN_ON(!group) ? ERR_PTR(-EINVAL) : group;
}

/* Reads the firmware, unless a driver's binding does or did. */
static int parse_in_probe(struct device *dev)
{
	struct iommu_core *core = iommu_core();

	if (core->era.parse_at_bind || dev_iommu_fwspec_get(dev) || READ_ONCE(dev->driver))
		return 0;
	mutex_unlock(&core->probe_lock);
	dev->bus->dma_configure(dev);
	mutex_lock(&core->probe_lock);
	/* Another instance's walk may have done it all in between ... */
	if (READ_ONCE(dev->iommu_group) || core->unserialised & BIT(dev->index))
		return -ENODEV;
	/* ... or have begun earlier, found nothing and taken dev->iommu away. */
	return dev->iommu ? 0 : -EAGAIN;
}

/* dup: dev->iommu, the driver's part, and the group. Nothing is left on failure. */
static int iommu_init_device(struct device *dev)
{
	struct iommu_device *iommu_dev;
	const struct iommu_ops *ops;
	struct iommu_group *group;
	int ret;

	/*
	 * custom: tries again where Linux gives up, or the walk would miss a
	 * device whose notifier ran just before the instance was listed.
	 */
	do {
		if (!dev_iommu_get(dev))
			return -ENOMEM;
		ret = parse_in_probe(dev);
	} while (ret == -EAGAIN);
	if (ret)
		return ret;
	ops = iommu_fwspec_ops(dev_iommu_fwspec_get(dev));
	if (!ops) {
		ret = -ENODEV;
		goto err_free;
	}
	iommu_dev = ops->probe_device(dev);
	if (IS_ERR(iommu_dev)) {
		ret = (int)PTR_ERR(iommu_dev);
		goto err_free;
	}
	dev->iommu->iommu_dev = iommu_dev;
	if (dev_fw(dev)->pasid && !dev->iommu->no_pasids)
		dev->iommu->max_pasids = min(DEV_MAX_PASIDS, iommu_dev->max_pasids);
	group = call_device_group(ops, dev);
	if (IS_ERR(group)) {
		ret = (int)PTR_ERR(group);
		goto err_release;
	}
	WRITE_ONCE(dev->iommu_group, group);
	if (ops->is_attach_deferred)
		dev->iommu->attach_deferred = ops->is_attach_deferred(dev);
	return 0;

err_release:
	ops->release_device(dev);
err_free:
	dev_iommu_free(dev);
	return ret;
}

/* Undoes iommu_init_device(), but for the group's reference. */
static void iommu_deinit_device(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;
	const struct iommu_ops *ops = dev_iommu_ops(dev);

	lockdep_assert_held(&group->mutex);
	if (list_empty(&group->devices) && group->owner)
		iommu_group_revoke(group);
	ops->release_device(dev);
	if (list_empty(&group->devices)) {
		struct iommu_domain *dom = group->default_domain;

		WRITE_ONCE(group->default_domain, NULL);
		WRITE_ONCE(group->domain, NULL);
		if (dom)
			iommu_domain_free(dom);
		if (group->blocking_domain && group->blocking_domain != dom)
			iommu_domain_free(group->blocking_domain);
		group->blocking_domain = NULL;
	}
	WRITE_ONCE(dev->iommu_group, NULL);
	dev_iommu_free(dev);
}

/* The new member follows the group, or is the reason to set it up. */
static int join_group(struct iommu_group *group, struct device *dev, struct list_head *group_list)
{
	struct group_device *first = list_first_entry(&group->devices, struct group_device, list);

	/* custom: Linux finds out at the attach and, for the first one, warns. */
	if (dev->iommu->iommu_dev != first->dev->iommu->iommu_dev)
		return -EINVAL;
	dev->iommu->require_direct = iommu_needs_direct(dev);
	if (group_default_domain(group))
		iommu_create_device_direct_mappings(group_default_domain(group), dev);
	/* custom: it could not be put into blocking when the owner leaves a domain. */
	if (group->owner && dev->iommu->require_direct)
		return -EINVAL;
	if (group->domain)
		return __iommu_device_set_domain(group, dev, group->domain, 0);
	if (group_default_domain(group))
		return 0;
	if (!group_list)
		return iommu_setup_default_domain(group, IOMMU_TYPE_AUTO);
	/* The walk sets groups up at its end, once it has seen all members. */
	if (list_empty(&group->entry)) {
		iommu_group_ref_get(group);
		list_add_tail(&group->entry, group_list);
	}
	return 0;
}

static void remember_group(struct device *dev, bool in_group)
{
	struct iommu_core *core = iommu_core();

	core->grouped[dev->index] = in_group ? dev : NULL;
	if (in_group) {
		core->grouped_mask |= BIT(dev->index);
		core->missed &= ~BIT(dev->index);
	} else {
		core->grouped_mask &= ~BIT(dev->index);
	}
}

/*
 * dup: probes dev if it is in no group yet. With group_list, a group that has
 * no default domain is put on it (with a reference) instead of being set up.
 */
int __iommu_probe_device(struct device *dev, struct list_head *group_list)
{
	struct iommu_core *core = iommu_core();
	struct iommu_group *group;
	struct group_device *gdev;
	int ret;

	lockdep_assert_held(&core->probe_lock);
	if (READ_ONCE(dev->iommu_group))
		return 0;
	if (core->unserialised & BIT(dev->index))
		return -ENODEV;
	ret = iommu_init_device(dev);
	if (ret) {
		if (ret != -ENODEV)
			core->missed |= BIT(dev->index);
		return ret;
	}
	WARN(READ_ONCE(dev->driver) && !core->era.parse_at_bind && !core->era.walk_unlocked &&
		     !(core->missed & BIT(dev->index)),
	     "late IOMMU probe at driver bind of device %u", dev->index);

	group = dev->iommu_group;
	gdev = kzalloc(sizeof(*gdev), GFP_KERNEL);
	mutex_lock(&group->mutex);
	if (!gdev) {
		ret = -ENOMEM;
		goto err_put_group;
	}
	gdev->dev = dev;
	list_add_tail(&gdev->list, &group->devices);
	fact(GROUP_ADD, group->id, dev->index);
	ret = join_group(group, dev, group_list);
	if (ret)
		goto err_remove_gdev;
	if (group_default_domain(group))
		iommu_setup_group_dma_ops(group);
	mutex_unlock(&group->mutex);
	remember_group(dev, true);
	return 0;

err_remove_gdev:
	list_del(&gdev->list);
	fact(GROUP_REMOVE, group->id, dev->index);
	kfree(gdev);
err_put_group:
	iommu_deinit_device(dev);
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	core->missed |= BIT(dev->index);
	return ret;
}

/* 5.11's hot-plug: the group first, its default domain then, under no lock. */
static int probe_default_domain_unlocked(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;
	struct iommu_domain *dom;
	int ret = 0;

	if (!READ_ONCE(group->default_domain)) {
		dom = iommu_alloc_default_domain(dev, IOMMU_DOMAIN_DMA);
		if (IS_ERR(dom))
			return (int)PTR_ERR(dom);
		smp_store_release(&group->default_domain, dom);
	}
	mutex_lock(&group->mutex);
	if (!group->domain)
		ret = __iommu_group_set_domain_internal(group, group_default_domain(group), 0);
	mutex_unlock(&group->mutex);
	return ret;
}

/* 5.12's: allocation under the lock; the look at it, and the attach, outside. */
static int probe_attach_unlocked(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;
	struct iommu_domain *dom = group_default_domain(group);

	return dom ? __iommu_device_set_domain(group, dev, dom, 0) : 0;
}

static void call_probe_finalize(struct device *dev)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	struct iommu_group *group = dev->iommu_group;

	if (!ops->probe_finalize)
		return;
	if (bug_on(BUG_CORE_PROBE_FINALIZE_DEADLOCK)) {
		mutex_lock(&group->mutex);
		ops->probe_finalize(dev);
		mutex_unlock(&group->mutex);
	} else {
		ops->probe_finalize(dev);
	}
}

/* Historic: joins the group only, as the walk does, and forgets its list. */
static int probe_and_join(struct device *dev)
{
	LIST_HEAD(unused);
	int ret = __iommu_probe_device(dev, &unused);

	while (!list_empty(&unused)) {
		struct iommu_group *group = list_first_entry(&unused, struct iommu_group, entry);

		list_del_init(&group->entry);
		iommu_group_put(group);
	}
	return ret;
}

/*
 * dup: probes one device outside a walk: it has appeared and cannot be bound
 * yet, or its driver's binding replays, with device_lock held. -ENODEV: it has
 * no IOMMU. custom: probe_finalize() with probe_lock held, that the device stay.
 */
int iommu_probe_device(struct device *dev)
{
	struct iommu_core *core = iommu_core();
	int ret;

	mutex_lock(&core->probe_lock);
	if (bug_on(BUG_CORE_DEFAULT_DOMAIN_ALLOC_RACE)) {
		ret = probe_and_join(dev);
		mutex_unlock(&core->probe_lock);
		return ret ? ret : probe_default_domain_unlocked(dev);
	}
	ret = __iommu_probe_device(dev, NULL);
	if (!ret)
		call_probe_finalize(dev);
	mutex_unlock(&core->probe_lock);
	if (!ret && bug_on(BUG_CORE_PROBE_MUTEX_SCOPE))
		ret = probe_attach_unlocked(dev);
	return ret;
}

static void __iommu_group_remove_device(struct iommu_group *group, struct device *dev)
{
	struct group_device *gdev, *tmp;

	mutex_lock(&group->mutex);
	list_for_each_entry_safe(gdev, tmp, &group->devices, list) {
		if (gdev->dev != dev)
			continue;
		list_del(&gdev->list);
		fact(GROUP_REMOVE, group->id, dev->index);
		kfree(gdev);
		iommu_deinit_device(dev);
		break;
	}
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
}

/* The device leaves its group and loses dev->iommu; probe_lock held. */
void __iommu_release_device(struct device *dev)
{
	struct iommu_core *core = iommu_core();

	lockdep_assert_held(&core->probe_lock);
	if (dev->iommu_group) {
		remember_group(dev, false);
		__iommu_group_remove_device(dev->iommu_group, dev);
	}
	/* A fwspec that no driver ever took up. */
	if (dev->iommu)
		dev_iommu_free(dev);
	core->missed &= ~BIT(dev->index);
}

/* dup: the device has gone, or (with device_lock held) its instance goes. */
void iommu_release_device(struct device *dev)
{
	struct iommu_core *core = iommu_core();

	mutex_lock(&core->probe_lock);
	__iommu_release_device(dev);
	mutex_unlock(&core->probe_lock);
}
