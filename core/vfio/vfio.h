/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO: devices in the hands of user space. Groups and containers with type1, a
 * device's own file on an iommufd, and drivers: vfio-pci and its variants, vfio-test (a
 * platform device with DMA), vfio-emulated (one that pins pages instead).
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/user/user.h"

/* At boot, once the core is initialised; and at shutdown, when no device is left bound. */
void vfio_init(struct iommu_core *core);
void vfio_fini(struct iommu_core *core);
/* Fills in those of a bus's drivers, by kernel_driver, that are VFIO's. */
void vfio_drivers_init(struct device_driver *drv);

/*
 * N of vfioN, or -1: no driver of VFIO's has it. *noiommu: names say so; *cdev: it is a file
 * below /dev/vfio/devices.
 */
long vfio_index_of(const struct device *dev, bool *noiommu, bool *cdev);
/* "0000:00:03.0" */
void vfio_pci_name(const struct device *dev, char name[16]);

/*
 * /dev/vfio/vfio, /dev/vfio/N and /dev/vfio/noiommu-N (of an iommu_group), and
 * /dev/vfio/devices/vfioN or, of 7.3, noiommu-vfioN
 */
extern const struct file_operations vfio_container_fops, vfio_group_fops, vfio_device_fops;
/* Parameters of modules: each open() stands for one. */
extern const struct file_operations vfio_param_fops, vfio_flag_fops;
int vfio_param_open_entry_limit(struct file *file);
int vfio_param_open_idle_d3(struct file *file);
int vfio_param_open_noiommu(struct file *file);
int vfio_container_open(struct file *file);
int vfio_group_open(struct file *file);
int vfio_noiommu_group_open(struct file *file);
int vfio_cdev_open(struct file *file);
int vfio_noiommu_cdev_open(struct file *file);
