// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci's own ioctls: what the function has, its interrupts, reset.
 */
#include "core/vfio/pci.h"
#include "core/vfio/type1.h"

static long get_info(struct vfio_pci *p, u64 arg)
{
	size_t size = vfio_end_of(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {.argsz = 0};

	if (copy_from_user(&info, vfio_ptr(arg), size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	size = min((size_t)info.argsz, sizeof(info));
	info.flags = VFIO_DEVICE_FLAGS_PCI | (p->reset_works ? VFIO_DEVICE_FLAGS_RESET : 0);
	info.num_regions = VFIO_PCI_NUM_REGIONS +
			   (p->variant && p->variant->region_info ? 1 : 0);
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(vfio_ptr(arg), &info, size) ? -EFAULT : 0;
}

/* --- regions --- */

/* A mapping of the vectors' BAR may show the table: a capability says so. */
static long add_msix_cap(struct vfio_region_info *info, u64 arg)
{
	struct vfio_info_cap_header cap = {VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 1, 0};

	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < sizeof(*info) + sizeof(cap)) {
		info->argsz = sizeof(*info) + sizeof(cap);
		info->cap_offset = 0;
		return 0;
	}
	info->cap_offset = sizeof(*info);
	return copy_to_user(vfio_ptr(arg + sizeof(*info)), &cap, sizeof(cap)) ? -EFAULT : 0;
}

static long get_region_info(struct vfio_pci *p, u64 arg)
{
	const u32 rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	struct vfio_region_info info;
	long ret = 0;

	if (copy_from_user(&info, vfio_ptr(arg), sizeof(info)))
		return -EFAULT;
	if (info.argsz >= sizeof(info) && info.index == VFIO_PCI_NUM_REGIONS && p->variant &&
	    p->variant->region_info)
		return p->variant->region_info(p, &info, arg);
	/* No function here is a VGA device. */
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_VGA_REGION_INDEX)
		return -EINVAL;
	info.offset = (u64)info.index << VFIO_PCI_OFFSET_SHIFT;
	info.flags = 0;
	info.size = 0;
	if (info.index == VFIO_PCI_CONFIG_REGION_INDEX) {
		info.size = p->cfg_size;
		info.flags = rw;
	} else if (info.index < PCI_BARS && p->region_size[info.index]) {
		info.size = p->region_size[info.index];
		info.flags = rw;
		if (info.size >= PAGE_SIZE)
			info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
		if (info.size >= PAGE_SIZE && info.index == p->msix_bar)
			ret = add_msix_cap(&info, arg);
	}
	if (info.index == VFIO_PCI_ROM_REGION_INDEX && p->rom_size) {
		u32 command = vfio_pci_memory_lock_and_enable(p);

		info.size = vfio_pci_rom_region(p, &info.flags);
		vfio_pci_memory_unlock_and_restore(p, command);
	}
	if (ret)
		return ret;
	return copy_to_user(vfio_ptr(arg), &info, sizeof(info)) ? -EFAULT : 0;
}

/* --- interrupts --- */

u32 vfio_pci_irq_count(const struct vfio_pci *p, u32 index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return p->vconfig[PCI_INTERRUPT_PIN] ? 1 : 0;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return p->msi_cap ? 1u << (pci_read(p, p->msi_cap + 2u, 2) >> 1 & 7) : 0;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return p->msix_cap ? (pci_read(p, p->msix_cap + 2u, 2) & 0x7ff) + 1 : 0;
	case VFIO_PCI_ERR_IRQ_INDEX:
		return p->exp_cap || iommu_since(SINCE_VFIO_PCI_ERR_IRQ) ? 1 : 0;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

static long get_irq_info(struct vfio_pci *p, u64 arg)
{
	struct vfio_irq_info info;

	if (copy_from_user(&info, vfio_ptr(arg), sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS ||
	    (info.index == VFIO_PCI_ERR_IRQ_INDEX && !vfio_pci_irq_count(p, info.index)))
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = vfio_pci_irq_count(p, info.index);
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	return copy_to_user(vfio_ptr(arg), &info, sizeof(info)) ? -EFAULT : 0;
}

/* dup: bytes of data that go with the call, or -EINVAL. */
static long irq_data_size(const struct vfio_irq_set *set, u32 max)
{
	const u32 known = VFIO_IRQ_SET_DATA_TYPES | VFIO_IRQ_SET_ACTION_TYPES;
	u64 size;

	if (set->argsz < sizeof(*set) || set->index >= VFIO_PCI_NUM_IRQS ||
	    set->count >= ~0u - set->start || set->flags & ~known)
		return -EINVAL;
	if (set->start >= max || set->start + set->count > max)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_NONE && bug_on(BUG_VFIO_SETIRQS_OVERFLOW))
		return 0; /* whatever other type is asked for as well */
	switch (set->flags & VFIO_IRQ_SET_DATA_TYPES) {
	case VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		size = set->count;
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		size = set->count * sizeof(s32);
		break;
	default:
		return -EINVAL;
	}
	return set->argsz - sizeof(*set) < size ? -EINVAL : (long)size;
}

static long set_irqs(struct vfio_pci *p, u64 arg)
{
	struct vfio_irq_set set;
	void *data = NULL;
	long size, ret;

	if (copy_from_user(&set, vfio_ptr(arg), sizeof(set)))
		return -EFAULT;
	size = irq_data_size(&set, vfio_pci_irq_count(p, set.index));
	if (size < 0)
		return size;
	if (size) {
		data = kmalloc((size_t)size, GFP_KERNEL_ACCOUNT);
		if (!data)
			return -ENOMEM;
		if (copy_from_user(data, vfio_ptr(arg + sizeof(set)), (size_t)size)) {
			kfree(data);
			return -EFAULT;
		}
	}
	if (bug_on(BUG_VFIO_CDX_SETIRQS_RACE)) {
		ret = vfio_pci_set_irqs(p, &set, data);
	} else {
		mutex_lock(&p->igate);
		ret = vfio_pci_set_irqs(p, &set, data);
		mutex_unlock(&p->igate);
	}
	kfree(data);
	return ret;
}

static long ioctl_awake(struct vfio_pci *p, u32 cmd, u64 arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(p, arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(p, arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(p, arg);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(p, arg);
	case VFIO_DEVICE_RESET:
		return vfio_pci_ioctl_reset(p);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return vfio_pci_hot_reset_info(p, arg);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return vfio_pci_hot_reset(p, arg);
	case VFIO_DEVICE_IOEVENTFD:
		return vfio_pci_ioctl_ioeventfd(p, arg);
	default:
		return -ENOTTY;
	}
}

long vfio_pci_ioctl(struct vfio_device *vdev, u32 cmd, u64 arg)
{
	struct vfio_pci *p = to_pci(vdev);
	long ret;

	vfio_pci_pm_get(p);
	ret = ioctl_awake(p, cmd, arg);
	vfio_pci_pm_put(p);
	return ret;
}
