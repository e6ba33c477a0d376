/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/vfio: vfio-pci.
 */
#pragma once

#include "core/vfio/vfio_priv.h"

struct vfio_pci {
	struct vfio_device vdev;
};

static inline struct vfio_pci *to_pci(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfio_pci, vdev);
}

/* --- pci.c --- */
/* bus << 8 | devfn, as in the function's name. */
u32 vfio_pci_address(const struct device *dev);
int vfio_pci_probe(struct device *dev);
void vfio_pci_remove(struct device *dev);
