/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The drivers of core/drv: one IOMMU driver per model of hardware, found by
 * the model's name, and the drivers of endpoints.
 */
#pragma once

#include "core/iommu/iommu.h"

/*
 * An IOMMU driver. One of its instances stands for one of the machine's IOMMUs,
 * from boot on; core->instance[] holds it.
 */
struct iommu_driver {
	const char *model; /* machine_iommu.model */
	/* At boot; may not fail. It belongs to the snapshot and is never undone. */
	void *(*create)(struct iommu_core *core, u32 index);
	int (*bind)(void *instance);
	void (*unbind)(void *instance);
	/* As on reboot: translation stops, nothing is undone; true: it is unbound now. */
	bool (*shutdown)(void *instance);
	/* The device reads a byte at iova. False: the access was blocked. */
	bool (*dma)(void *instance, struct device *dev, u64 iova, u64 *pa);
};

/* --- drv.c --- */
/* Makes an instance for each of the machine's IOMMUs; called at boot. */
void drv_init(struct iommu_core *core);
/* The instance's driver is bound. -EBUSY: it is already; or the driver's error. */
int drv_register(u32 iommu);
/* ... unbound. -ENODEV: it is not bound. */
int drv_unregister(u32 iommu);
/* ... shut down. -ENODEV: it is not bound. */
int drv_shutdown(u32 iommu);
/* The device reads a byte at iova. False: the access was blocked. */
bool drv_dma(struct device *dev, u64 iova);

/* What drivers share: taken from the machine's description. */
void drv_get_resv_regions(struct device *dev, struct list_head *list);
int drv_def_domain_type(struct device *dev);
bool drv_is_attach_deferred(struct device *dev);

/* --- endpoint.c --- */
/* A driver for each of KERNEL_DRIVERS on the bus; at boot. */
int endpoint_drivers_register(struct bus_type *bus, struct device_driver *drv);
