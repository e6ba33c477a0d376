// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE.
 */
#include "core/vfio/vfio_priv.h"

int vfio_check_feature(u32 flags, size_t argsz, u32 supported, size_t minsz)
{
	if (flags & (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET) & ~supported)
		return -EINVAL;
	if (flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	/* Without PROBE one of the two has to be asked for. */
	if (!(flags & (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET)) || argsz < minsz)
		return -EINVAL;
	return 1;
}

long vfio_ioctl_feature(struct vfio_device *vdev, u64 arg)
{
	const u32 known = VFIO_DEVICE_FEATURE_MASK | VFIO_DEVICE_FEATURE_GET |
			  VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE;
	struct vfio_device_feature feature;

	if (copy_from_user(&feature, vfio_ptr(arg), sizeof(feature)))
		return -EFAULT;
	if (feature.argsz < sizeof(feature) || feature.flags & ~known)
		return -EINVAL;
	if (!(feature.flags & VFIO_DEVICE_FEATURE_PROBE) &&
	    feature.flags & VFIO_DEVICE_FEATURE_SET && feature.flags & VFIO_DEVICE_FEATURE_GET)
		return -EINVAL;
	if (!vdev->ops->device_feature)
		return -ENOTTY;
	return vdev->ops->device_feature(vdev, feature.flags, arg + sizeof(feature),
					 feature.argsz - sizeof(feature));
}
