/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/vdpa: a device that is given to one open file at a time.
 */
#pragma once

#include "core/vdpa/vdpa.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/completion.h"
#include "sim/kapi/uaccess.h"

/* A bound device. opened, gone: state's lock. */
struct vdpa_device {
	struct device *dev;
	bool odp; /* demo-odp has it, else vhost-vdpa */
	bool opened;
	struct completion closed; /* for who unbinds it */
};

struct vdpa_state {
	struct mutex lock;
	struct vdpa_device *device[MACHINE_DEVICES_MAX];
};

/* The device of this number, open from now on: ERR_PTR(-ENOENT), (-EBUSY). */
struct vdpa_device *vdpa_device_get(unsigned long index, bool odp);
void vdpa_device_put(struct vdpa_device *v);
/* Claims the device and gives it a new domain: ERR_PTR. */
struct iommu_domain *vdpa_domain_new(struct vdpa_device *v);
void vdpa_domain_free(struct vdpa_device *v, struct iommu_domain *domain);

static inline void __user *vdpa_ptr(u64 addr)
{
	return (void *)(uintptr_t)addr;
}
