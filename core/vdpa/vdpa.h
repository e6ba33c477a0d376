/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Others than VFIO who give devices to user space, each with a domain of its own:
 * vhost-vdpa, whose user sends messages of what is to be mapped and which pins it; and
 * demo-odp, which pins nothing: a page is mapped when the device first asks for it, and
 * goes when the process loses it.
 *
 * Both claim the device as their open file's and attach a domain; the group must be the
 * device's alone.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/user/user.h"

/* At boot and at shutdown, when no device is left bound. */
void vdpa_init(struct iommu_core *core);
void vdpa_fini(struct iommu_core *core);
void vdpa_drivers_init(struct device_driver *drv);

/* /dev/vhost-vdpa-N and /dev/odp-N, of device N of the machine */
extern const struct file_operations vdpa_fops, odp_fops;
int vdpa_open(struct file *file);
int odp_open(struct file *file);
