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
	/* The machine sleeps and wakes up, interrupts off. NULL: nothing to do, or not built. */
	void (*suspend)(void *instance);
	/*
	 * The device reads a byte at iova. False: the access was blocked. NULL: the
	 * model is one of hardware, and the device reaches it over the fabric.
	 */
	bool (*dma)(void *instance, struct device *dev, u64 iova, u64 *pa);
	/* As the device's hardware asks, of models that are not hardware of their own. */
	bool (*translate)(void *instance, u32 device, u64 iova, bool write, u64 *pa);
};

extern const struct iommu_driver mock_driver, mock_smmu_driver, vtd_driver, smmuv3_driver;

/* --- drv.c --- */
/* Makes an instance for each of the machine's IOMMUs; called at boot. */
void drv_init(struct iommu_core *core);
/* The instance's driver is bound. -EBUSY: it is already; or the driver's error. */
int drv_register(u32 iommu);
/* ... unbound. -ENODEV: it is not bound. */
int drv_unregister(u32 iommu);
/* ... shut down. -ENODEV: it is not bound. */
int drv_shutdown(u32 iommu);
/* ... sleeps and wakes up. -ENODEV: it is not bound; -EOPNOTSUPP: its driver cannot. */
int drv_suspend(u32 iommu);
/* The device reads a byte at iova. False: the access was blocked. */
bool drv_dma(struct device *dev, u64 iova);

/* Where the device's access to iova would go: for functions without a fabric. */
bool drv_translate(struct world *w, u32 device, u64 iova, bool write, u64 *pa);

/* What drivers share: taken from the machine's description. */
void drv_get_resv_regions(struct device *dev, struct list_head *list);
int drv_def_domain_type(struct device *dev);
bool drv_is_attach_deferred(struct device *dev);
/* Accesses see processors' caches, whatever they ask for; no dirty tracking. */
bool drv_capable(struct device *dev, enum iommu_cap cap);

/* --- where firmware says hardware is --- */
/* Whether the machine has any modelled hardware. */
bool drv_hardware(void);
/* Physical address of an IOMMU's registers; 0: it has none. */
u64 drv_mmio(u32 iommu);
/* Where a 32-bit write is a message for those who do not have the x86 range. */
u64 drv_doorbell(void);
/* Wired interrupt n of the IOMMU raises this line; IO_NONE: none. */
void drv_wire(u32 iommu, u32 n, u32 line);

/* The enable bit of the device's ATS capability, if it has one. PCI only. */
void drv_ats_set(struct device *dev, bool on);
/* Where the first registers of a PCI function are; 0: it has none. */
u64 drv_bar(const struct machine_device *fw);
/* The device reads, or writes, 4 bytes. -EFAULT: aborted; -EOPNOTSUPP: no hardware. */
int drv_bus_access(struct device *dev, u64 iova, u32 *value, bool write);
/* As drv_dma(), for devices of a machine with models of hardware. */
bool drv_bus_dma(struct device *dev, u64 iova);

/*
 * For domains with a page table of core/pt: unmaps [iova, iova + size) as
 * iommu_domain_ops.unmap_pages() does, publishes it.
 */
struct pt;
size_t drv_pt_unmap(struct iommu_domain *domain, struct pt *pt, u64 iova, u64 size,
		    struct iommu_iotlb_gather *gather);

/*
 * The same for iommu_dirty_ops.read_and_clear_dirty(): what is to be invalidated is
 * then in g, and drv_dirty_read_end() follows when it has been.
 */
struct pt_gather;
struct drv_dirty_range {
	u64 iova, size;
	u32 flags; /* IOMMU_DIRTY_NO_CLEAR */
};
int drv_dirty_read(struct iommu_domain *domain, struct pt *pt, struct drv_dirty_range *r,
		   struct iommu_dirty_bitmap *dirty, struct pt_gather *g);
void drv_dirty_read_end(struct iommu_domain *domain, const struct drv_dirty_range *r);

/* --- endpoint.c --- */
/* A driver for each of KERNEL_DRIVERS on the bus; at boot. */
int endpoint_drivers_register(struct bus_type *bus, struct device_driver *drv);
