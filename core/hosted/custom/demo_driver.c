// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the drivers that a machine may name beside vfio-pci: bound to what the
 * program says, on both buses.
 *
 * False: demo-nic and demo-disk do no DMA; demo-disk's first probe of a device
 * is deferred, as in our own core.
 */
#include "core/hosted/custom/machine.h"

#include <linux/pci.h>
#include <linux/platform_device.h>

static bool hosted_deferred[HOSTED_DEVICES_MAX];

static int probe_disk(struct device *dev)
{
	struct hosted_device *hd = hosted_device_of(dev);
	bool *deferred = hd ? &hosted_deferred[hd - hosted_machine.device] : NULL;

	if (!deferred || *deferred)
		return 0;
	*deferred = true;
	return -EPROBE_DEFER;
}

static int probe_pci(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static int probe_pci_disk(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return probe_disk(&pdev->dev);
}

static int probe_platform(struct platform_device *pdev)
{
	return 0;
}

static int probe_platform_disk(struct platform_device *pdev)
{
	return probe_disk(&pdev->dev);
}

static struct pci_driver pci_drivers[] = {
	{.name = "demo-nic", .probe = probe_pci},
	{.name = "demo-disk", .probe = probe_pci_disk},
	{.name = "pci-stub", .probe = probe_pci, .driver_managed_dma = true},
	{.name = "pcieport", .probe = probe_pci, .driver_managed_dma = true},
};

static struct platform_driver platform_drivers[] = {
	{.driver.name = "demo-nic", .probe = probe_platform},
	{.driver.name = "demo-disk", .probe = probe_platform_disk},
	{.driver.name = "pci-stub", .probe = probe_platform, .driver_managed_dma = true},
	{.driver.name = "vfio-pci", .probe = probe_platform, .driver_managed_dma = true},
};

int hosted_demo_boot(void)
{
	int ret = 0;

	for (int i = 0; i < ARRAY_SIZE(pci_drivers) && !ret; i++)
		ret = pci_register_driver(&pci_drivers[i]);
	for (int i = 0; i < ARRAY_SIZE(platform_drivers) && !ret; i++)
		ret = platform_driver_register(&platform_drivers[i]);
	return ret;
}
