// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of containers whose groups have no IOMMU: nothing is mapped, and nothing
 * keeps a device from any memory. Only for who may reach the machine's registers anyway,
 * and only where the module's parameter allows it.
 */
#include "core/vfio/vfio_priv.h"

/* dup: it has no state: NULL is success. */
static struct vfio_iommu *noiommu_open(u64 type)
{
	if (type != VFIO_NOIOMMU_IOMMU)
		return ERR_PTR(-EINVAL);
	return capable(CAP_SYS_RAWIO) ? NULL : ERR_PTR(-EPERM);
}

static void noiommu_release(struct vfio_iommu *iommu)
{
	WARN_ON(iommu);
}

static long noiommu_check_extension(struct vfio_iommu *iommu, u64 arg)
{
	(void)iommu;
	return arg == VFIO_NOIOMMU_IOMMU && READ_ONCE(vfio_here()->noiommu);
}

static long noiommu_ioctl(struct vfio_iommu *iommu, u32 cmd, u64 arg)
{
	(void)iommu;
	(void)cmd;
	(void)arg;
	return -ENOTTY;
}

static int noiommu_attach_group(struct vfio_iommu *iommu, struct iommu_group *group,
				enum vfio_group_type type)
{
	(void)iommu;
	(void)group;
	WARN_ON(type != VFIO_NO_IOMMU);
	return 0;
}

static void noiommu_detach_group(struct vfio_iommu *iommu, struct iommu_group *group)
{
	(void)iommu;
	(void)group;
}

const struct vfio_iommu_driver vfio_noiommu_driver = {
	.open = noiommu_open,
	.release = noiommu_release,
	.check_extension = noiommu_check_extension,
	.ioctl = noiommu_ioctl,
	.attach_group = noiommu_attach_group,
	.detach_group = noiommu_detach_group,
};
