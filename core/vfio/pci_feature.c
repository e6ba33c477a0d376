// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci's features.
 */
#include "core/vfio/pci.h"

static int (*const features[VFIO_DEVICE_FEATURES])(struct vfio_pci *p, u32 flags, u64 arg,
						   size_t argsz) = {
	[VFIO_DEVICE_FEATURE_PCI_VF_TOKEN] = vfio_pci_feature_token,
	[VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY] = vfio_pci_low_power_entry,
	[VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP] = vfio_pci_low_power_entry_with_wakeup,
	[VFIO_DEVICE_FEATURE_LOW_POWER_EXIT] = vfio_pci_low_power_exit,
	[VFIO_DEVICE_FEATURE_DMA_BUF] = vfio_pci_feature_dma_buf,
};

int vfio_pci_feature(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	u32 feature = flags & VFIO_DEVICE_FEATURE_MASK;
	int ret;

	if (feature >= VFIO_DEVICE_FEATURES || !features[feature])
		return -ENOTTY;
	vfio_pci_pm_get(to_pci(vdev));
	ret = features[feature](to_pci(vdev), flags, arg, argsz);
	vfio_pci_pm_put(to_pci(vdev));
	return ret;
}
