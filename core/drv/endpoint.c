// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoint drivers. demo-nic and demo-disk do DMA through the DMA API: a ring
 * that lives as long as the binding. demo-disk defers its first probe. demo-plain
 * leaves what it maps to the program (core/boot/buffer.c). The others manage DMA
 * themselves and do none.
 */
#include "core/drv/drv.h"

#include <string.h>

struct ring {
	u64 phys, addr;
};

static int demo_probe(struct device *dev)
{
	struct ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!ring)
		return ret;
	ring->phys = (u64)atomic64_fetch_add(DMA_RING_SIZE, &iommu_core()->next_frame);
	ring->addr = dma_map_phys(dev, ring->phys, DMA_RING_SIZE);
	if (ring->addr == DMA_MAPPING_ERROR)
		goto err_free;
	ret = -EIO;
	if (!drv_dma(dev, ring->addr))
		goto err_unmap;
	dev_set_drvdata(dev, ring);
	return 0;

err_unmap:
	dma_unmap_phys(dev, ring->addr, DMA_RING_SIZE);
err_free:
	kfree(ring);
	return ret;
}

static void demo_remove(struct device *dev)
{
	struct ring *ring = dev_get_drvdata(dev);

	dma_unmap_phys(dev, ring->addr, DMA_RING_SIZE);
	kfree(ring);
}

static int demo_disk_probe(struct device *dev)
{
	if (!test_and_set_bit(dev->index, &iommu_core()->disk_tried))
		return -EPROBE_DEFER;
	return demo_probe(dev);
}

static const struct {
	const char *name;
	int (*probe)(struct device *dev);
	void (*remove)(struct device *dev);
	bool managed;
} rows[KERNEL_DRIVERS_N] = {
	[KERNEL_DRIVER_demo_nic] = {"demo-nic", demo_probe, demo_remove, false},
	[KERNEL_DRIVER_demo_disk] = {"demo-disk", demo_disk_probe, demo_remove, false},
	[KERNEL_DRIVER_demo_plain] = {"demo-plain", NULL, NULL, false},
	[KERNEL_DRIVER_vfio_pci] = {"vfio-pci", NULL, NULL, true},
	[KERNEL_DRIVER_pci_stub] = {"pci-stub", NULL, NULL, true},
	[KERNEL_DRIVER_portdrv] = {"pcieport", NULL, NULL, true},
	[KERNEL_DRIVER_vfio_test] = {"vfio-test", NULL, NULL, true},
	[KERNEL_DRIVER_vfio_emulated] = {"vfio-emulated", NULL, NULL, true},
	[KERNEL_DRIVER_vfio_migrate] = {"vfio-migrate", NULL, NULL, true},
	[KERNEL_DRIVER_vfio_shared] = {"vfio-shared", NULL, NULL, true},
	[KERNEL_DRIVER_vfio_memory] = {"vfio-memory", NULL, NULL, true},
	[KERNEL_DRIVER_vhost_vdpa] = {"vhost-vdpa", NULL, NULL, true},
	[KERNEL_DRIVER_demo_odp] = {"demo-odp", NULL, NULL, true},
};

int endpoint_drivers_register(struct bus_type *bus, struct device_driver *drv)
{
	for (u32 i = 0; i < KERNEL_DRIVERS_N; i++) {
		int ret;

		drv[i].name = rows[i].name;
		drv[i].bus = bus;
		drv[i].probe = rows[i].probe;
		drv[i].remove = rows[i].remove;
		drv[i].driver_managed_dma = rows[i].managed;
		/* Devices are bound when the program says so. */
		drv[i].suppress_autobind = true;
		ret = driver_register(&drv[i]);
		if (ret)
			return ret;
	}
	return 0;
}
