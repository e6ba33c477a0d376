// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core's own life, its place on the buses, and the historic orders of
 * probing that rows of bugs.def need.
 *
 * Until 2025 firmware was parsed when a client driver was bound, and what the
 * parser stored in dev->iommu was shared with the bus walk under no lock, then
 * under too narrow a lock. A row that lives in one of these orders selects it
 * here, once, at boot; its own defect is guarded where it is.
 */
#include "core/iommu/iommu_priv.h"

static const struct {
	enum bug_id bug;
	struct iommu_era era;
} eras[] = {
	{BUG_CORE_DEVFREE_VS_FWSPEC,
	 {.parse_at_bind = true, .parse_unlocked = true, .walk_unlocked = true}},
	{BUG_CORE_FWSPEC_FREE_VS_CREATE,
	 {.parse_at_bind = true, .parse_unlocked = true, .walk_unlocked = true}},
	{BUG_CORE_SMMU_REGISTERED_NOT_BOUND, {.parse_at_bind = true}},
	{BUG_CORE_DMA_CONFIGURE_DRV_TOCTOU, {.walk_unlocked = true}},
};

static void select_era(struct iommu_core *core)
{
	for (size_t i = 0; i < ARRAY_SIZE(eras); i++) {
		const struct iommu_era *era = &eras[i].era;

		if (!bug_on(eras[i].bug))
			continue;
		core->era.parse_at_bind |= era->parse_at_bind;
		core->era.parse_unlocked |= era->parse_unlocked;
		core->era.walk_unlocked |= era->walk_unlocked;
	}
}

void iommu_core_init(struct iommu_core *core, const struct machine *m)
{
	core->machine = m;
	mutex_init(&core->probe_lock);
	spin_lock_init(&core->list_lock);
	INIT_LIST_HEAD(&core->instances);
	ida_init(&core->group_ida);
	ida_init(&core->pasid_ida);
	mutex_init(&core->sva_lock);
	mutex_init(&core->report_lock);
	INIT_LIST_HEAD(&core->sva_mms);
	atomic_set(&core->domain_ids, 1);
	select_era(core);
	iommu_grouping_init(core);
}

void iommu_core_fini(struct iommu_core *core)
{
	ida_destroy(&core->group_ida);
	WARN_ON(!ida_is_empty(&core->pasid_ida) || !list_empty(&core->sva_mms));
	mutex_destroy(&core->sva_lock);
	mutex_destroy(&core->report_lock);
	ida_destroy(&core->pasid_ida);
	mutex_destroy(&core->probe_lock);
}

/*
 * dup: a device that appears is probed, one that has gone is released.
 * The chain's rwsem is held, so device_lock may not be taken here; a device
 * that appears is not bound yet, and one that has gone cannot be any more.
 */
int iommu_bus_notifier(struct notifier_block *nb, unsigned long action, void *data)
{
	struct iommu_core *core = iommu_core();
	struct device *dev = data;

	(void)nb;
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		iommu_probe_device(dev);
		return NOTIFY_OK;
	case BUS_NOTIFY_REMOVED_DEVICE:
		core->user_close_begin(dev);
		iommu_release_device(dev);
		core->user_close_end(dev);
		return NOTIFY_OK;
	case BUS_NOTIFY_BOUND_DRIVER:
		iommu_group_check_viable(dev);
		return NOTIFY_OK;
	default:
		return NOTIFY_DONE;
	}
}

/*
 * custom: bus->dma_configure() for pci and platform alike. Reads the
 * firmware; then, unless the driver manages DMA itself, takes the group's
 * default domain for it. Also called by the bus walk, with no driver.
 */
int iommu_dma_configure(struct device *dev)
{
	struct device_driver *drv = READ_ONCE(dev->driver);
	int ret = iommu_firmware_configure(dev);

	/* Errors other than deferral leave the device without an IOMMU. */
	if (ret == -EPROBE_DEFER)
		return ret;
	if (bug_on(BUG_CORE_DMA_CONFIGURE_DRV_TOCTOU)) {
		/* A driver that came meanwhile is believed to be the one read above. */
		if (READ_ONCE(dev->driver) && !drv->driver_managed_dma)
			return iommu_device_use_default_domain(dev);
	} else {
		if (drv && !drv->driver_managed_dma)
			return iommu_device_use_default_domain(dev);
	}
	return 0;
}

/* dup: gives back what iommu_dma_configure() took for the driver. */
void iommu_dma_cleanup(struct device *dev)
{
	if (!dev->driver->driver_managed_dma)
		iommu_device_unuse_default_domain(dev);
}
