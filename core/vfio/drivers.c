// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's drivers among those that devices may be bound to.
 */
#include "core/vfio/pci.h"

static const struct {
	enum kernel_driver driver;
	int (*probe)(struct device *dev);
	void (*remove)(struct device *dev);
} drivers[] = {
	{KERNEL_DRIVER_vfio_pci, vfio_pci_probe, vfio_pci_remove},
	{KERNEL_DRIVER_vfio_migrate, vfio_migrate_probe, vfio_pci_remove},
	{KERNEL_DRIVER_vfio_shared, vfio_shared_probe, vfio_pci_remove},
	{KERNEL_DRIVER_vfio_memory, vfio_memory_probe, vfio_pci_remove},
	{KERNEL_DRIVER_vfio_test, vfio_test_probe, vfio_test_remove},
	{KERNEL_DRIVER_vfio_emulated, vfio_emulated_probe, vfio_test_remove},
};

void vfio_drivers_init(struct device_driver *drv)
{
	for (u32 i = 0; i < ARRAY_SIZE(drivers); i++) {
		drv[drivers[i].driver].probe = drivers[i].probe;
		drv[drivers[i].driver].remove = drivers[i].remove;
	}
}
