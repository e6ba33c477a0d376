// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets that user space asks for: of the function, and of all functions of a bus that
 * cannot be reset one by one, which takes the ownership of each.
 */
#include "core/vfio/pci.h"

/* dup: -EINVAL: it cannot; -EAGAIN: somebody has the device locked. */
long vfio_pci_ioctl_reset(struct vfio_pci *p)
{
	long ret;

	if (!p->reset_works)
		return -EINVAL;
	vfio_pci_zap_and_lock(p);
	vfio_pci_power_up(p);
	vfio_pci_dma_buf_revoke(p);
	ret = vfio_pci_try_reset(p);
	if (bug_on(BUG_VFIO_PM_SAVE_LEAK))
		p->pm_save = NULL; /* it has power again */
	vfio_pci_dma_buf_permit(p);
	up_write(&p->memory_lock);
	return ret;
}

/* --- the functions of a bus --- */

/* A host bridge's own bus cannot be reset. */
static bool resettable(const struct vfio_pci *p)
{
	const struct machine *m = iommu_core()->machine;

	return m->bus[dev_fw(p->vdev.dev)->bus].parent != MACHINE_NONE;
}

struct walk {
	u32 bus, count, max;
	struct vfio_device **vdev; /* of each, NULL: it has none in the set */
	struct device **dev;
	struct vfio_device_set *set;
};

static struct vfio_device *in_set(const struct vfio_device_set *set, const struct device *dev)
{
	struct vfio_device *vdev;

	list_for_each_entry(vdev, &set->devices, dev_set_list) {
		if (vdev->dev == dev)
			return vdev;
	}
	return NULL;
}

static int visit(struct device *dev, void *data)
{
	struct walk *w = data;

	if (dev_fw(dev)->bus != w->bus)
		return 0;
	if (w->dev && w->count < w->max) {
		w->dev[w->count] = dev;
		w->vdev[w->count] = in_set(w->set, dev);
	}
	w->count++;
	return 0;
}

/* Historic: what is counted begins with what was there. */
static u32 anything(void)
{
	u32 *count = kmalloc(sizeof(*count), GFP_KERNEL), n = 0;

	if (count)
		n = *count;
	kfree(count);
	return n;
}

static u32 count_functions(struct vfio_pci *p)
{
	struct walk w = {.bus = dev_fw(p->vdev.dev)->bus};

	if (bug_on(BUG_VFIO_HOTRESET_UNINIT_COUNT))
		w.count = anything();
	bus_for_each_dev(p->vdev.dev->bus, NULL, &w, visit);
	return w.count;
}

/* --- GET_PCI_HOT_RESET_INFO --- */

static int device_id(struct vfio_device *of, struct vfio_device *vdev, const struct device *dev)
{
	struct iommu_group *group;
	int id = VFIO_PCI_DEVID_NOT_OWNED;

	(void)dev;
	if (!vdev || !of->iommufd_device)
		return id;
	if (vdev->iommufd_device &&
	    iommufd_device_to_ictx(vdev->iommufd_device) ==
		    iommufd_device_to_ictx(of->iommufd_device))
		return (int)iommufd_device_id(vdev->iommufd_device);
	group = iommu_group_get(vdev->dev);
	if (!group)
		return id;
	if (iommufd_ctx_has_group(iommufd_device_to_ictx(of->iommufd_device), group))
		id = VFIO_PCI_DEVID_OWNED;
	iommu_group_put(group);
	return id;
}

static int fill_one(struct vfio_pci *p, struct vfio_pci_hot_reset_info *hdr, struct device *dev,
		    struct vfio_device *vdev, struct vfio_pci_dependent_device *to)
{
	u32 address = vfio_pci_address(dev);
	struct iommu_group *group;

	*to = (struct vfio_pci_dependent_device){.bus = (u8)(address >> 8), .devfn = (u8)address};
	if (hdr->flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID) {
		to->id = (u32)device_id(&p->vdev, vdev, dev);
		if ((int)to->id == VFIO_PCI_DEVID_NOT_OWNED)
			hdr->flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
		return 0;
	}
	group = iommu_group_get(dev);
	if (!group)
		return -EPERM;
	to->id = iommu_group_id(group);
	iommu_group_put(group);
	return 0;
}

static long fill_info(struct vfio_pci *p, struct vfio_pci_hot_reset_info *hdr, u32 n, u64 arg)
{
	struct vfio_pci_dependent_device one;
	struct device *dev[MACHINE_DEVICES_MAX];
	struct vfio_device *vdev[MACHINE_DEVICES_MAX];
	struct walk w = {dev_fw(p->vdev.dev)->bus, 0, min(n, (u32)MACHINE_DEVICES_MAX), vdev, dev,
			 p->vdev.dev_set};

	bus_for_each_dev(p->vdev.dev->bus, NULL, &w, visit);
	hdr->count = min(w.count, w.max);
	for (u32 i = 0; i < hdr->count; i++) {
		int ret = fill_one(p, hdr, dev[i], vdev[i], &one);

		if (ret)
			return ret;
		if (copy_to_user(vfio_ptr(arg + sizeof(*hdr) + i * sizeof(one)), &one,
				 sizeof(one)))
			return -EFAULT;
	}
	return 0;
}

/* dup: -ENODEV: no such reset; -ENOSPC, with the number that it takes. */
long vfio_pci_hot_reset_info(struct vfio_pci *p, u64 arg)
{
	struct vfio_pci_hot_reset_info hdr;
	long ret;
	u32 n;

	if (copy_from_user(&hdr, vfio_ptr(arg), sizeof(hdr)))
		return -EFAULT;
	if (hdr.argsz < sizeof(hdr))
		return -EINVAL;
	hdr.flags = 0;
	if (!resettable(p))
		return -ENODEV;
	n = count_functions(p);
	if (n > (hdr.argsz - sizeof(hdr)) / sizeof(struct vfio_pci_dependent_device)) {
		hdr.count = n;
		return copy_to_user(vfio_ptr(arg), &hdr, sizeof(hdr)) ? -EFAULT : -ENOSPC;
	}
	if (p->vdev.cdev_opened)
		hdr.flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	mutex_lock(&p->vdev.dev_set->lock);
	ret = fill_info(p, &hdr, n, arg);
	mutex_unlock(&p->vdev.dev_set->lock);
	if (!ret && copy_to_user(vfio_ptr(arg), &hdr, sizeof(hdr)))
		ret = -EFAULT;
	return ret;
}

/* --- PCI_HOT_RESET --- */

struct groups {
	u32 n;
	struct file *file[MACHINE_DEVICES_MAX];
};

static bool owned(struct vfio_pci *p, struct vfio_device *vdev, const struct groups *groups)
{
	if (!groups)
		return device_id(&p->vdev, vdev, vdev->dev) != VFIO_PCI_DEVID_NOT_OWNED;
	for (u32 i = 0; i < groups->n; i++) {
		if (vfio_group_from_file(groups->file[i]) == vdev->group)
			return true;
	}
	return false;
}

/* Every function of the bus is a device of the set. */
static bool all_in_set(struct vfio_pci *p)
{
	struct device *dev[MACHINE_DEVICES_MAX];
	struct vfio_device *vdev[MACHINE_DEVICES_MAX];
	struct walk w = {dev_fw(p->vdev.dev)->bus, 0, MACHINE_DEVICES_MAX, vdev, dev,
			 p->vdev.dev_set};

	bus_for_each_dev(p->vdev.dev->bus, NULL, &w, visit);
	for (u32 i = 0; i < min(w.count, w.max); i++) {
		if (!vdev[i])
			return false;
	}
	return true;
}

/* Devices are tried, not waited for: whoever unbinds one has it and waits for us. */
static long reset_set(struct vfio_device_set *set)
{
	struct vfio_device *vdev, *other;
	long ret = 0;

	list_for_each_entry(vdev, &set->devices, dev_set_list) {
		if (!device_trylock(vdev->dev)) {
			ret = -EAGAIN;
			break;
		}
	}
	list_for_each_entry(other, &set->devices, dev_set_list) {
		if (ret && other == vdev)
			break;
		if (!ret && to_pci(other)->reset_works)
			vfio_pci_reset_locked(to_pci(other));
		device_unlock(other->dev);
	}
	return ret;
}

/* dup: dev_set->lock held. -EINVAL: not all is the user's; -EBUSY: registers are being used. */
static long hot_reset_locked(struct vfio_pci *p, const struct groups *groups)
{
	struct vfio_device_set *set = p->vdev.dev_set;
	struct vfio_device *vdev, *other;
	long ret = 0;

	if (!all_in_set(p))
		return -EINVAL;
	list_for_each_entry(vdev, &set->devices, dev_set_list) {
		if (!owned(p, vdev, groups))
			ret = -EINVAL;
		else if (!down_write_trylock(&to_pci(vdev)->memory_lock))
			ret = -EBUSY;
		if (ret)
			break;
		vfio_pci_dma_buf_revoke(to_pci(vdev));
		unmap_mapping_range(vdev, 0,
				    (u64)VFIO_PCI_ROM_REGION_INDEX << VFIO_PCI_OFFSET_SHIFT);
		vfio_pci_power_up(to_pci(vdev));
	}
	if (!ret) {
		ret = reset_set(set);
		vdev = NULL;
	}
	list_for_each_entry(other, &set->devices, dev_set_list) {
		if (other == vdev)
			break;
		if (other->open_count)
			vfio_pci_dma_buf_permit(to_pci(other));
		up_write(&to_pci(other)->memory_lock);
	}
	return ret;
}

/* All functions that are reset need their power. */
static void wake_all(struct vfio_device_set *set, void (*fn)(struct vfio_pci *p))
{
	struct vfio_device *vdev;

	list_for_each_entry(vdev, &set->devices, dev_set_list)
		fn(to_pci(vdev));
}

static long get_groups(struct groups *g, u32 n, u64 arg)
{
	for (u32 i = 0; i < n; i++) {
		u64 at = arg + sizeof(struct vfio_pci_hot_reset) + i * sizeof(s32);
		struct file *file;
		s32 fd;

		if (copy_from_user(&fd, vfio_ptr(at), sizeof(fd)))
			return -EFAULT;
		file = fget((u32)fd);
		if (!file)
			return -EBADF;
		if (!vfio_group_from_file(file)) {
			fput(file);
			return -EINVAL;
		}
		g->file[g->n++] = file;
	}
	return 0;
}

long vfio_pci_hot_reset(struct vfio_pci *p, u64 arg)
{
	struct groups groups = {.n = 0};
	struct vfio_pci_hot_reset hdr;
	long ret = 0;

	if (copy_from_user(&hdr, vfio_ptr(arg), sizeof(hdr)))
		return -EFAULT;
	/* Without groups it is an iommufd that owns the devices. */
	if (hdr.argsz < sizeof(hdr) || hdr.flags || !!hdr.count == p->vdev.cdev_opened)
		return -EINVAL;
	if (!resettable(p))
		return -ENODEV;
	if (hdr.count > min(count_functions(p), (u32)MACHINE_DEVICES_MAX))
		return -EINVAL;
	ret = get_groups(&groups, hdr.count, arg);
	if (!ret) {
		mutex_lock(&p->vdev.dev_set->lock);
		wake_all(p->vdev.dev_set, vfio_pci_pm_get);
		ret = hot_reset_locked(p, hdr.count ? &groups : NULL);
		wake_all(p->vdev.dev_set, vfio_pci_pm_put);
		mutex_unlock(&p->vdev.dev_set->lock);
	}
	while (groups.n)
		fput(groups.file[--groups.n]);
	return ret;
}
