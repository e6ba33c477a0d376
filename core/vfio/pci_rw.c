// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a function: read, written and mapped by user space, as long as memory
 * decoding is on. Whoever turns it off takes memory_lock and all mappings with it.
 */
#include "core/vfio/pci.h"

#include "hw/function/function.h"

/* All entries of mappings of BARs go; nobody may make any until memory_lock is given up. */
void vfio_pci_zap_and_lock(struct vfio_pci *p)
{
	down_write(&p->memory_lock);
	if (bug_on(BUG_VFIO_MMIO_WHILE_DISABLED))
		return; /* entries stay, whatever happens to the function */
	if (bug_on(BUG_VFIO_ZAP_LOCK_ORDER) && current_mm()) {
		/* A fault takes memory_lock with this held. */
		mmap_read_lock(current_mm());
		mmap_read_unlock(current_mm());
	}
	unmap_mapping_range(&p->vdev, 0, (u64)VFIO_PCI_ROM_REGION_INDEX << VFIO_PCI_OFFSET_SHIFT);
}

u32 vfio_pci_memory_lock_and_enable(struct vfio_pci *p)
{
	u32 command;

	down_write(&p->memory_lock);
	command = pci_read(p, PCI_COMMAND, 2);
	if (!(command & PCI_COMMAND_MEMORY))
		pci_write(p, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY);
	return command;
}

void vfio_pci_memory_unlock_and_restore(struct vfio_pci *p, u32 command)
{
	pci_write(p, PCI_COMMAND, 2, command);
	up_write(&p->memory_lock);
}

/* --- read and write --- */

u64 vfio_pci_user_read(const struct vfio_pci *p, u64 pa, u32 size)
{
	function_reached(this_world(), p->vdev.dev->index, pa, false);
	return io_read(this_world(), pa, size);
}

void vfio_pci_user_write(const struct vfio_pci *p, u64 pa, u32 size, u64 value)
{
	function_reached(this_world(), p->vdev.dev->index, pa, true);
	io_write(this_world(), pa, size, value);
}

/* One access of 1, 2, 4 or 8 bytes. No user memory is touched with memory_lock. */
static int access(struct vfio_pci *p, u64 pa, u64 *value, u32 size, bool write)
{
	down_read(&p->memory_lock);
	if (!vfio_pci_memory_enabled(p)) {
		up_read(&p->memory_lock);
		return -EIO;
	}
	if (write)
		vfio_pci_user_write(p, pa, size, *value);
	else
		*value = vfio_pci_user_read(p, pa, size);
	up_read(&p->memory_lock);
	return 0;
}

/* Historic: the copy is under memory_lock, too. */
static int access_user_locked(struct vfio_pci *p, u64 pa, u64 buf, u32 size)
{
	u64 value;
	int ret = -EIO;

	down_read(&p->memory_lock);
	if (vfio_pci_memory_enabled(p)) {
		value = io_read(this_world(), pa, size);
		ret = copy_to_user(vfio_ptr(buf), &value, size) ? -EFAULT : 0;
	}
	up_read(&p->memory_lock);
	return ret;
}

static int access_user(struct vfio_pci *p, u64 pa, u64 buf, u32 size, bool write)
{
	u64 value = 0;
	int ret;

	if (!write && bug_on(BUG_VFIO_MEMORY_LOCK_RECURSIVE))
		return access_user_locked(p, pa, buf, size);
	if (write && copy_from_user(&value, vfio_ptr(buf), size))
		return -EFAULT;
	ret = access(p, pa, &value, size, write);
	if (!ret && !write && copy_to_user(vfio_ptr(buf), &value, size))
		ret = -EFAULT;
	return ret;
}

int vfio_pci_access_user(struct vfio_pci *p, u64 pa, u64 buf, u32 size)
{
	return access_user(p, pa, buf, size, false);
}

/* The largest piece that is aligned and lies before the vectors' table, or behind it. */
u32 vfio_pci_piece(u64 off, u64 count)
{
	u32 size = 8;

	while (size > count || off % size)
		size /= 2;
	return size;
}

/* The vectors' table is not user space's: ones are read, writes lost. */
static int skip(u64 buf, u64 n, bool write)
{
	static const u8 ones = 0xff;

	for (u64 i = 0; i < n && !write; i++) {
		if (copy_to_user(vfio_ptr(buf + i), &ones, 1))
			return -EFAULT;
	}
	return 0;
}

/* dup: -EINVAL: no such register; -EIO: memory decoding is off; -EFAULT. */
s64 vfio_pci_bar_rw(struct vfio_pci *p, u64 buf, u64 count, s64 *pos, bool write)
{
	u64 off = (u64)*pos & VFIO_PCI_OFFSET_MASK, x_start = ~0ULL, x_end = ~0ULL, n;
	u32 bar = (u32)((u64)*pos >> VFIO_PCI_OFFSET_SHIFT);
	s64 done = 0;
	int ret;

	if (bar >= PCI_BARS || off >= p->region_size[bar])
		return -EINVAL;
	count = min(count, p->region_size[bar] - off);
	if (bar == p->msix_bar) {
		x_start = p->msix_offset;
		x_end = x_start + p->msix_size;
	}
	for (; count; count -= n, off += n, buf += n, done += (s64)n) {
		if (off >= x_start && off < x_end) {
			n = min(count, x_end - off);
			ret = skip(buf, n, write);
		} else {
			n = vfio_pci_piece(off, off < x_start ? min(count, x_start - off) :
							count);
			ret = access_user(p, p->bar_pa[bar] + off, buf, (u32)n, write);
		}
		if (ret)
			return ret;
	}
	*pos += done;
	return done;
}

/* --- mmap --- */

static u64 pa_of(const struct vm_area_struct *vma, unsigned long addr)
{
	const struct vfio_pci *p = vma->vm_private_data;
	u64 off = ((u64)vma->pgoff << PAGE_SHIFT) + (addr - vma->node.start);

	return p->bar_pa[off >> VFIO_PCI_OFFSET_SHIFT] + (off & VFIO_PCI_OFFSET_MASK);
}

/* Under memory_lock: decoding stays on until the entry is there, and who turns it off finds it. */
static bool fault(struct vm_area_struct *vma, unsigned long addr)
{
	struct vfio_pci *p = vma->vm_private_data;
	bool ok;

	down_read(&p->memory_lock);
	ok = !p->pm_runtime_engaged && vfio_pci_memory_enabled(p);
	if (ok && bug_on(BUG_VFIO_CONCURRENT_VMA_FAULT)) {
		/* A range is filled that must be empty. */
		BUG_ON(mm_pfn_present(vma, addr));
	}
	ok = ok && !vmf_insert_pfn(vma, addr, pa_of(vma, addr) >> PAGE_SHIFT);
	up_read(&p->memory_lock);
	return ok;
}

/* The processor's own access, through an entry that is there: nobody asks the kernel. */
static bool load_or_store(struct vm_area_struct *vma, unsigned long addr, void *buf, u64 size,
			  bool write)
{
	const struct vfio_pci *p = vma->vm_private_data;
	u8 *at = buf;

	/* On a machine that is strict about it this is a bus error. */
	WARN(!(pci_read(p, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY),
	     "a process reaches registers whose decoding is off");
	while (size) {
		u64 pa = pa_of(vma, addr), value = 0;
		u32 n = vfio_pci_piece(pa, size);

		for (u32 i = 0; write && i < n; i++)
			value |= (u64)at[i] << 8 * i;
		if (write)
			vfio_pci_user_write(p, pa, n, value);
		else
			value = vfio_pci_user_read(p, pa, n);
		for (u32 i = 0; !write && i < n; i++)
			at[i] = (u8)(value >> 8 * i);
		at += n;
		addr += n;
		size -= n;
	}
	return true;
}

static const struct vm_operations_struct mmap_ops = {.fault = fault, .access = load_or_store};

/* dup: -EINVAL: not shared, no BAR of whole pages, or beyond its end. */
int vfio_pci_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	u64 off = (u64)vma->pgoff << PAGE_SHIFT, size = vma->node.last + 1 - vma->node.start;
	struct vfio_pci *p = to_pci(vdev);
	u64 index = off >> VFIO_PCI_OFFSET_SHIFT;

	if (index == VFIO_PCI_NUM_REGIONS && p->variant && p->variant->mmap)
		return p->variant->mmap(p, vma);
	if (index >= PCI_BARS || !(vma->flags & VM_SHARED) || p->region_size[index] < PAGE_SIZE)
		return -EINVAL;
	if ((off & VFIO_PCI_OFFSET_MASK) + size > p->region_size[index])
		return -EINVAL;
	vma->flags |= VM_PFNMAP | VM_DONTEXPAND;
	vma->vm_private_data = p;
	vma->vm_ops = &mmap_ops;
	return 0;
}
