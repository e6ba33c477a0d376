/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The drivers of core/drv: the mock IOMMU in its two models, and the drivers
 * of endpoints.
 */
#pragma once

#include "core/iommu/iommu.h"

/* --- mock.c: the IOMMU driver --- */
/* Makes an instance for each of the machine's IOMMUs; called at boot. */
void mock_init(struct iommu_core *core);
void mock_fini(struct iommu_core *core);
/* The instance's driver is bound. -EBUSY: it is already. */
int mock_register(u32 iommu);
/* ... unbound. -ENODEV: it is not bound. */
int mock_unregister(u32 iommu);
/* ... shut down, as on reboot: translation stops, nothing is undone. */
int mock_shutdown(u32 iommu);

/* --- mock_hw.c: its hardware --- */
/* The device reads a byte at iova. False: the access was blocked. */
bool mock_hw_dma(struct device *dev, u64 iova);

/* --- endpoint.c --- */
/* A driver for each of KERNEL_DRIVERS on the bus; at boot. */
int endpoint_drivers_register(struct bus_type *bus, struct device_driver *drv);
