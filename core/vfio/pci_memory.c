// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-memory: vfio-pci of a function with memory of its own, which processors cache. The
 * user has it as a region of its own, behind the fixed ones. It is no BAR: neither the
 * command register nor a reset takes it away, and mappings of it stay.
 */
#include "core/vfio/pci.h"

#include "hw/function/function.h"

#define REGION_TYPE 0x80001de1u /* PCI's vendor */
#define REGION_SUBTYPE 1u

static u64 memory_at(const struct vfio_pci *p)
{
	return FUNCTION_MEMORY + (u64)p->vdev.dev->index * FUNCTION_MEMORY_SIZE;
}

/* dup: argsz is what it takes, where there is no room for the capability. */
static long region_info(struct vfio_pci *p, struct vfio_region_info *info, u64 arg)
{
	const struct vfio_region_info_cap_type cap = {
		{VFIO_REGION_INFO_CAP_TYPE, 1, 0}, REGION_TYPE, REGION_SUBTYPE};

	(void)p;
	info->offset = (u64)info->index << VFIO_PCI_OFFSET_SHIFT;
	info->size = FUNCTION_MEMORY_SIZE;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		      VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
	info->cap_offset = 0;
	if (info->argsz < sizeof(*info) + sizeof(cap)) {
		info->argsz = sizeof(*info) + sizeof(cap);
	} else {
		info->cap_offset = sizeof(*info);
		if (copy_to_user(vfio_ptr(arg + sizeof(*info)), &cap, sizeof(cap)))
			return -EFAULT;
	}
	return copy_to_user(vfio_ptr(arg), info, sizeof(*info)) ? -EFAULT : 0;
}

static int rw_piece(u64 pa, u64 buf, u32 size, bool write)
{
	u64 value = 0;

	if (write && copy_from_user(&value, vfio_ptr(buf), size))
		return -EFAULT;
	if (write)
		io_write(this_world(), pa, size, value);
	else
		value = io_read(this_world(), pa, size);
	return !write && copy_to_user(vfio_ptr(buf), &value, size) ? -EFAULT : 0;
}

static s64 rw(struct vfio_pci *p, u64 buf, u64 count, s64 *pos, bool write)
{
	u64 off = (u64)*pos & VFIO_PCI_OFFSET_MASK, done = 0;

	if (off >= FUNCTION_MEMORY_SIZE)
		return -EINVAL;
	count = min(count, FUNCTION_MEMORY_SIZE - off);
	while (done < count) {
		u32 n = vfio_pci_piece(off + done, count - done);
		int ret = rw_piece(memory_at(p) + off + done, buf + done, n, write);

		if (ret)
			return ret;
		done += n;
	}
	*pos += (s64)done;
	return (s64)done;
}

/* --- mmap --- */

static u64 pa_of(const struct vm_area_struct *vma, unsigned long addr)
{
	u64 off = ((u64)vma->pgoff << PAGE_SHIFT) + (addr - vma->node.start);

	return memory_at(vma->vm_private_data) + (off & VFIO_PCI_OFFSET_MASK);
}

static bool fault(struct vm_area_struct *vma, unsigned long addr)
{
	return !vmf_insert_pfn(vma, addr, pa_of(vma, addr) >> PAGE_SHIFT);
}

static bool load_or_store(struct vm_area_struct *vma, unsigned long addr, void *buf, u64 size,
			  bool write)
{
	u8 *at = buf;

	for (u64 i = 0; i < size; i++) {
		if (write)
			io_write(this_world(), pa_of(vma, addr + i), 1, at[i]);
		else
			at[i] = (u8)io_read(this_world(), pa_of(vma, addr + i), 1);
	}
	return true;
}

static const struct vm_operations_struct mmap_ops = {.fault = fault, .access = load_or_store};

static int memory_mmap(struct vfio_pci *p, struct vm_area_struct *vma)
{
	u64 size = vma->node.last + 1 - vma->node.start;
	u64 off = (u64)vma->pgoff << PAGE_SHIFT & VFIO_PCI_OFFSET_MASK;

	if (!(vma->flags & VM_SHARED) || off + size > FUNCTION_MEMORY_SIZE)
		return -EINVAL;
	vma->flags |= VM_PFNMAP | VM_DONTEXPAND;
	vma->vm_private_data = p;
	vma->vm_ops = &mmap_ops;
	return 0;
}

static int init(struct vfio_pci *p)
{
	return dev_fw(p->vdev.dev)->memory ? 0 : -ENODEV;
}

int vfio_memory_probe(struct device *dev)
{
	static const struct vfio_pci_variant variant = {
		.name = "vfio-memory", .init = init, .region_info = region_info, .rw = rw,
		.mmap = memory_mmap};

	return vfio_pci_probe_variant(dev, &variant);
}
