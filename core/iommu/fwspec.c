// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware's description of who translates a device: of_iommu, the ACPI
 * tables, and the fwspec they are stored in.
 *
 * The parser runs from two places: from the probe path (dev->iommu exists,
 * empty, and an instance counts once it is on the list) and from a driver's
 * binding (dev->iommu is NULL unless the device was probed; an instance counts
 * once its walk is over, `ready`). If it finds everything in the second case,
 * the probe path has missed the device and is replayed.
 *
 * Traps: a fwspec moves when it grows, so nobody keeps a pointer over
 * iommu_fwspec_add_ids(); and dev->iommu goes away when a probe fails, so both
 * are touched with core->probe_lock held only.
 *
 * Pointers are stored with release and read with acquire, though the lock
 * makes that needless: the historic variants below read them without it, and
 * are meant to show lifetime bugs, not the plain data race before these.
 */
#include "core/iommu/iommu_priv.h"

struct iommu_fwspec *dev_iommu_fwspec_get(struct device *dev)
{
	struct dev_iommu *param = smp_load_acquire(&dev->iommu);

	return param ? smp_load_acquire(&param->fwspec) : NULL;
}

/* dup: the driver of the instance that the fwspec names; NULL if it is gone. */
const struct iommu_ops *iommu_fwspec_ops(struct iommu_fwspec *fwspec)
{
	struct iommu_device *iommu = fwspec ? iommu_from_fwnode(fwspec->iommu_fwnode) : NULL;

	return iommu ? iommu->ops : NULL;
}

/* Whether a device that is not yet probed may use the instance now. */
static bool instance_usable(struct device *dev, struct iommu_device *iommu, bool probing)
{
	if (probing)
		return true;
	if (bug_on(BUG_CORE_REGISTER_REPLAY_RACE))
		return true; /* on the list is good enough: may overtake the walk */
	if (READ_ONCE(iommu->ready))
		return true;
	if (bug_on(BUG_CORE_MULTI_IOMMU_READY_GAP))
		return dev->iommu; /* taken for the probe path; the first instance made it */
	return false;
}

/*
 * dup: prepares dev for ids of the instance at fwnode. -EPROBE_DEFER: not
 * there yet; -EINVAL: another driver's than the ids before.
 * custom: `probing` is passed in, Linux infers it from dev->iommu.
 */
int iommu_fwspec_init(struct device *dev, const struct fwnode_handle *fwnode, bool probing)
{
	struct iommu_device *iommu = iommu_from_fwnode(fwnode);
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct dev_iommu *param;

	if (!iommu || !instance_usable(dev, iommu, probing))
		return -EPROBE_DEFER;
	if (fwspec)
		return iommu->ops == iommu_fwspec_ops(fwspec) ? 0 : -EINVAL;
	param = dev_iommu_get(dev);
	if (!param)
		return -ENOMEM;
	fwspec = kzalloc(struct_size(fwspec, ids, 1), GFP_KERNEL);
	if (!fwspec)
		return -ENOMEM;
	fwspec->iommu_fwnode = fwnode;
	smp_store_release(&param->fwspec, fwspec);
	return 0;
}

/* dup: appends; the second id and every later one moves the fwspec. */
int iommu_fwspec_add_ids(struct device *dev, const u32 *ids, u32 num_ids)
{
	struct dev_iommu *param = smp_load_acquire(&dev->iommu);
	struct iommu_fwspec *fwspec = param ? smp_load_acquire(&param->fwspec) : NULL;
	unsigned long n;

	if (!fwspec)
		return -EINVAL;
	n = fwspec->num_ids + num_ids;
	if (n > 1) {
		fwspec = krealloc(fwspec, struct_size(fwspec, ids, n), GFP_KERNEL);
		if (!fwspec)
			return -ENOMEM;
		smp_store_release(&param->fwspec, fwspec);
	}
	for (u32 i = 0; i < num_ids; i++)
		fwspec->ids[fwspec->num_ids + i] = ids[i];
	smp_store_release(&fwspec->num_ids, n);
	return 0;
}

void iommu_fwspec_free(struct device *dev)
{
	struct dev_iommu *param = smp_load_acquire(&dev->iommu);
	struct iommu_fwspec *fwspec = smp_load_acquire(&param->fwspec);

	if (fwspec) {
		smp_store_release(&param->fwspec, NULL);
		kfree(fwspec);
	}
}

/* The i-th entry of the device's `iommus` property, or of its ACPI node. */
static void firmware_entry(struct device *dev, u32 i, u32 *iommu, u32 *id)
{
	const struct machine_device *fw = dev_fw(dev);

	*iommu = fw->iommus[min(i, fw->n_iommus - 1)];
	*id = stream_id(iommu_core(), dev->index, i);
}

/* dup: as of_iommu_xlate(): the driver's own interpretation of the entry. */
static int of_iommu_xlate(struct device *dev, const struct fwnode_handle *fwnode, u32 id,
			  bool probing)
{
	struct iommu_fwspec *fwspec;
	const struct iommu_ops *ops;
	int ret = iommu_fwspec_init(dev, fwnode, probing);

	if (ret)
		return ret;
	fwspec = dev_iommu_fwspec_get(dev);
	ops = iommu_fwspec_ops(fwspec);
	return ops ? ops->of_xlate(dev, id) : -ENODEV;
}

/* dup: as acpi_iommu_fwspec_init(): ids go in unseen by the driver. */
static int acpi_iommu_xlate(struct device *dev, const struct fwnode_handle *fwnode, u32 id,
			    bool probing)
{
	int ret = iommu_fwspec_init(dev, fwnode, probing);

	return ret ? ret : iommu_fwspec_add_ids(dev, &id, 1);
}

static int firmware_parse(struct device *dev, bool probing)
{
	struct iommu_core *core = iommu_core();
	const struct machine_device *fw = dev_fw(dev);
	bool acpi = core->machine->bus[fw->bus].firmware == MACHINE_FW_ACPI;
	u32 n = max(fw->n_iommus, fw->n_ids);

	for (u32 i = 0; i < n; i++) {
		const struct fwnode_handle *fwnode;
		u32 iommu, id;
		int ret;

		firmware_entry(dev, i, &iommu, &id);
		fwnode = iommu_fwnode(core, iommu);
		ret = acpi ? acpi_iommu_xlate(dev, fwnode, id, probing)
			   : of_iommu_xlate(dev, fwnode, id, probing);
		if (ret)
			return ret;
	}
	return 0;
}

static void firmware_parse_undo(struct device *dev, bool had_param)
{
	if (had_param)
		iommu_fwspec_free(dev);
	else if (dev->iommu)
		dev_iommu_free(dev);
}

/*
 * The order until 2023: reads and fills dev->iommu with no lock, and leaves
 * what it made behind on failure.
 */
static int firmware_configure_unlocked(struct device *dev)
{
	if (dev_iommu_fwspec_get(dev))
		return 0;
	return firmware_parse(dev, true);
}

/*
 * Whether the bus walk is calling: then dev->iommu exists, without fwspec.
 * custom: Linux tells by dev->iommu alone.
 */
static int firmware_configure_locked(struct device *dev, bool *replay)
{
	struct iommu_core *core = iommu_core();
	bool had_param;
	int ret = 0;

	*replay = false;
	mutex_lock(&core->probe_lock);
	had_param = dev->iommu;
	if (!dev_iommu_fwspec_get(dev)) {
		ret = firmware_parse(dev, had_param || core->era.parse_at_bind);
		if (ret)
			firmware_parse_undo(dev, had_param);
		if (ret == -ENOMEM)
			core->missed |= BIT(dev->index);
		*replay = !ret && !had_param;
	}
	mutex_unlock(&core->probe_lock);
	return ret;
}

/*
 * dup: of_iommu_configure() and acpi_iommu_configure_id(). 0 if the device
 * has an IOMMU now, -ENODEV if firmware names none, -EPROBE_DEFER if one is
 * not there yet.
 */
int iommu_firmware_configure(struct device *dev)
{
	struct iommu_core *core = iommu_core();
	bool replay;
	int ret;

	if (!dev_fw(dev)->n_iommus)
		return -ENODEV;
	if (core->era.parse_unlocked) {
		ret = firmware_configure_unlocked(dev);
		replay = !ret;
	} else {
		ret = firmware_configure_locked(dev, &replay);
	}
	return replay ? iommu_probe_device(dev) : ret;
}
