/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOASID objects: /dev/iommu of our own kernel, with the selftest driver that its
 * programs use.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/user/user.h"

/* At boot, once the core is initialised; and at shutdown, when no file is left. */
void iommufd_init(struct iommu_core *core);
void iommufd_fini(struct iommu_core *core);
/* /dev/iommu, and /dev/vfio/vfio as its compatible container. */
extern const struct file_operations iommufd_fops;
int iommufd_open(struct file *file);
int iommufd_open_vfio(struct file *file);
