// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci's features: low power. custom: there is no runtime power management; what
 * low power does is that mappings of registers fault.
 */
#include "core/vfio/pci.h"

/* wake's reference moves, if all goes well. dup: -EINVAL: it is allowed already. */
static int pm_entry(struct vfio_pci *p, struct eventfd *wake)
{
	u32 *save = kmalloc(sizeof(p->saved), GFP_KERNEL_ACCOUNT);
	int ret = -EINVAL;

	if (!save)
		return -ENOMEM;
	vfio_pci_zap_and_lock(p);
	if (!p->pm_runtime_engaged) {
		p->pm_runtime_engaged = true;
		p->pm_wake = wake;
		for (u32 i = 0; i < ARRAY_SIZE(p->saved); i++)
			save[i] = pci_read(p, 4 * i, 4);
		p->pm_save = save;
		save = NULL;
		ret = 0;
	}
	up_write(&p->memory_lock);
	kfree(save);
	return ret;
}

void vfio_pci_pm_exit(struct vfio_pci *p)
{
	struct eventfd *wake;

	down_write(&p->memory_lock);
	p->pm_runtime_engaged = false;
	wake = p->pm_wake;
	p->pm_wake = NULL;
	kfree(p->pm_save);
	p->pm_save = NULL;
	up_write(&p->memory_lock);
	if (wake)
		eventfd_ctx_put(wake);
}

static int low_power_entry(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	(void)arg;
	return ret == 1 ? pm_entry(p, NULL) : ret;
}

static int low_power_entry_with_wakeup(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(entry));
	struct eventfd *wake;

	if (ret != 1)
		return ret;
	if (copy_from_user(&entry, vfio_ptr(arg), sizeof(entry)))
		return -EFAULT;
	if (entry.wakeup_eventfd < 0)
		return -EINVAL;
	wake = eventfd_ctx_fdget(entry.wakeup_eventfd);
	if (IS_ERR(wake))
		return (int)PTR_ERR(wake);
	ret = pm_entry(p, wake);
	if (ret)
		eventfd_ctx_put(wake);
	return ret;
}

static int low_power_exit(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	(void)arg;
	if (ret != 1)
		return ret;
	vfio_pci_pm_exit(p);
	return 0;
}

static int (*const features[VFIO_DEVICE_FEATURES])(struct vfio_pci *p, u32 flags, u64 arg,
						   size_t argsz) = {
	[VFIO_DEVICE_FEATURE_PCI_VF_TOKEN] = vfio_pci_feature_token,
	[VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY] = low_power_entry,
	[VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP] = low_power_entry_with_wakeup,
	[VFIO_DEVICE_FEATURE_LOW_POWER_EXIT] = low_power_exit,
};

int vfio_pci_feature(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	u32 feature = flags & VFIO_DEVICE_FEATURE_MASK;

	if (feature >= VFIO_DEVICE_FEATURES || !features[feature])
		return -ENOTTY;
	return features[feature](to_pci(vdev), flags, arg, argsz);
}
