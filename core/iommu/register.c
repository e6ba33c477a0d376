// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances, and the walk over the buses that each of them makes.
 *
 * An instance counts for the probe path once it is on the list, for everybody
 * else once its walk is over (`ready`). Groups that the walk has filled get
 * their default domain at its end; until then drivers on them are deferred.
 *
 * custom: the walk keeps a reference to each group it has put off, so that a
 * group whose devices have left meanwhile does not vanish under it, and takes
 * the rest off its list when it gives up.
 */
#include "core/iommu/iommu_priv.h"

struct walk {
	struct iommu_device *iommu;
	struct list_head groups; /* of iommu_group.entry; on the walker's stack */
	bool deferred;           /* some device asked to be tried again */
};

struct iommu_device *iommu_from_fwnode(const struct fwnode_handle *fwnode)
{
	struct iommu_core *core = iommu_core();
	struct iommu_device *iommu, *found = NULL;

	spin_lock(&core->list_lock);
	list_for_each_entry(iommu, &core->instances, list) {
		if (iommu->fwnode == fwnode) {
			found = iommu;
			break;
		}
	}
	spin_unlock(&core->list_lock);
	return found;
}

/* dup: a device without an IOMMU is no error. */
static int probe_iommu_group(struct device *dev, void *data)
{
	struct iommu_core *core = iommu_core();
	struct walk *walk = data;
	int ret = 0;

	if (!core->era.walk_unlocked)
		device_lock(dev);
	mutex_lock(&core->probe_lock);
	if (!dev->dead)
		ret = __iommu_probe_device(dev, &walk->groups);
	mutex_unlock(&core->probe_lock);
	if (!core->era.walk_unlocked)
		device_unlock(dev);
	if (ret == -EPROBE_DEFER)
		walk->deferred = true;
	return ret == -ENODEV || ret == -EPROBE_DEFER ? 0 : ret;
}

static int setup_group(struct iommu_group *group)
{
	int ret = 0;

	mutex_lock(&group->mutex);
	list_del_init(&group->entry);
	if (!list_empty(&group->devices) && !group_default_domain(group))
		ret = iommu_setup_default_domain(group, IOMMU_TYPE_AUTO);
	if (!ret && group_default_domain(group))
		iommu_setup_group_dma_ops(group);
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	return ret;
}

static void drop_group(struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	list_del_init(&group->entry);
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
}

static int finalize_device(struct device *dev, void *data)
{
	struct iommu_core *core = iommu_core();
	struct iommu_device *iommu = data;

	mutex_lock(&core->probe_lock);
	if (dev->iommu_group && dev->iommu && dev->iommu->iommu_dev == iommu)
		iommu->ops->probe_finalize(dev);
	mutex_unlock(&core->probe_lock);
	return 0;
}

static int bus_iommu_probe(struct bus_type *bus, struct walk *walk)
{
	int ret = bus_for_each_dev(bus, NULL, walk, probe_iommu_group);

	while (!list_empty(&walk->groups)) {
		struct iommu_group *group =
			list_first_entry(&walk->groups, struct iommu_group, entry);

		if (ret)
			drop_group(group);
		else
			ret = setup_group(group);
	}
	if (!ret && walk->iommu->ops->probe_finalize)
		ret = bus_for_each_dev(bus, NULL, walk->iommu, finalize_device);
	return ret;
}

/*
 * dup: makes the instance known and probes the devices behind it. On failure
 * it is unregistered again. -EPROBE_DEFER (custom): a device's probe asked for
 * it; the others were tried, so that the next attempt gets further.
 */
int iommu_device_register(struct iommu_device *iommu, const struct iommu_ops *ops)
{
	struct iommu_core *core = iommu_core();
	struct walk walk = {.iommu = iommu};
	int ret = 0;

	INIT_LIST_HEAD(&walk.groups);
	iommu->ops = ops;
	WRITE_ONCE(iommu->ready, false);
	spin_lock(&core->list_lock);
	list_add_tail(&iommu->list, &core->instances);
	spin_unlock(&core->list_lock);
	for (size_t i = 0; i < ARRAY_SIZE(core->bus) && !ret; i++)
		ret = bus_iommu_probe(core->bus[i], &walk);
	if (!ret && walk.deferred)
		ret = -EPROBE_DEFER;
	if (ret)
		iommu_device_unregister(iommu);
	else
		WRITE_ONCE(iommu->ready, true);
	return ret;
}

/*
 * A device that the instance still serves, with a reference. custom: found by
 * membership; one that is being deleted is off its bus already.
 */
static struct device *client_get(struct iommu_device *iommu)
{
	struct iommu_core *core = iommu_core();
	struct device *dev = NULL;

	mutex_lock(&core->probe_lock);
	for (u64 left = core->grouped_mask; left && !dev; left &= left - 1) {
		dev = core->grouped[bit_lowest(left)];
		dev = dev->iommu->iommu_dev == iommu ? get_device(dev) : NULL;
	}
	mutex_unlock(&core->probe_lock);
	return dev;
}

/*
 * custom: the client is unbound and its user closed first, as device links do
 * it for the consumers of a supplier that goes; Linux's core assumes it done.
 */
static void remove_client(struct device *dev)
{
	struct iommu_core *core = iommu_core();

	device_lock(dev);
	while (dev->driver) {
		device_unlock(dev);
		device_release_driver(dev);
		device_lock(dev);
	}
	core->user_close_begin(dev);
	iommu_release_device(dev);
	iommu_clear_dma_ops(dev);
	core->user_close_end(dev);
	device_unlock(dev);
}

static void unlist(struct iommu_device *iommu)
{
	struct iommu_core *core = iommu_core();

	/* Under probe_lock: whoever has found the instance has also used it. */
	mutex_lock(&core->probe_lock);
	spin_lock(&core->list_lock);
	list_del(&iommu->list);
	WRITE_ONCE(iommu->ready, false);
	spin_unlock(&core->list_lock);
	mutex_unlock(&core->probe_lock);
}

/*
 * dup: the devices behind the instance lose it. custom: it is taken off the
 * list first, so that no device joins meanwhile.
 */
void iommu_device_unregister(struct iommu_device *iommu)
{
	struct device *dev;

	unlist(iommu);
	while ((dev = client_get(iommu))) {
		remove_client(dev);
		put_device(dev);
	}
}

static int remove_iommu_group_live(struct device *dev, void *data)
{
	struct iommu_core *core = iommu_core();
	struct dev_iommu *param;

	mutex_lock(&core->probe_lock);
	param = READ_ONCE(dev->iommu);
	if (param && dev->iommu_group && param->iommu_dev == data)
		__iommu_release_device(dev);
	mutex_unlock(&core->probe_lock);
	return 0;
}

/*
 * Historic: what drivers called from their shutdown hook, with the clients
 * still at work and nobody to stop them.
 */
void iommu_device_unregister_live(struct iommu_device *iommu)
{
	struct iommu_core *core = iommu_core();

	unlist(iommu);
	for (size_t i = 0; i < ARRAY_SIZE(core->bus); i++)
		bus_for_each_dev(core->bus[i], NULL, iommu, remove_iommu_group_live);
}
