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

/* What is the same for all drivers; the others are the driver's. */
static int (*const features[VFIO_DEVICE_FEATURES])(struct vfio_device *vdev, u32 flags, u64 arg,
						   size_t argsz) = {
	[VFIO_DEVICE_FEATURE_MIGRATION] = vfio_feature_migration,
	[VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE] = vfio_feature_mig_state,
	[VFIO_DEVICE_FEATURE_MIG_DATA_SIZE] = vfio_feature_mig_data_size,
	[VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2] = vfio_feature_precopy_info_v2,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_START] = vfio_feature_logging_start,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP] = vfio_feature_logging_stop,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT] = vfio_feature_logging_report,
};

static bool is_generic(u32 feature)
{
	if (feature == VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2 &&
	    !iommu_since(SINCE_VFIO_PRECOPY_INFO_V2))
		return false;
	return feature < VFIO_DEVICE_FEATURES && features[feature];
}

/* dup: -ENOTTY: the driver does not know the feature. */
long vfio_ioctl_feature(struct vfio_device *vdev, u64 arg)
{
	const u32 known = VFIO_DEVICE_FEATURE_MASK | VFIO_DEVICE_FEATURE_GET |
			  VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE;
	struct vfio_device_feature feature;
	u64 data = arg + sizeof(feature);
	u32 index;

	if (copy_from_user(&feature, vfio_ptr(arg), sizeof(feature)))
		return -EFAULT;
	if (feature.argsz < sizeof(feature) || feature.flags & ~known)
		return -EINVAL;
	if (!(feature.flags & VFIO_DEVICE_FEATURE_PROBE) &&
	    feature.flags & VFIO_DEVICE_FEATURE_SET && feature.flags & VFIO_DEVICE_FEATURE_GET)
		return -EINVAL;
	feature.argsz -= (u32)sizeof(feature);
	index = feature.flags & VFIO_DEVICE_FEATURE_MASK;
	if (is_generic(index))
		return features[index](vdev, feature.flags, data, feature.argsz);
	if (!vdev->ops->device_feature)
		return -ENOTTY;
	return vdev->ops->device_feature(vdev, feature.flags, data, feature.argsz);
}
