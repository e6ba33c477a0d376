// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function's expansion ROM: a region that can be read, as far as there are images in it,
 * and its vital product data. As PCI's core finds their ends.
 */
#include "core/vfio/pci.h"

#define ROM_ENABLE 1u
#define VPD_DONE 0x8000u
#define VPD_MAX 0x8000u
#define VPD_END 0x0fu

/* --- the ROM --- */

static u32 rom_get(const struct vfio_pci *p, u64 off, u32 size)
{
	return off + size <= p->rom_size ? (u32)io_read(this_world(), p->rom_pa + off, size) : 0;
}

/* Its address is decoded meanwhile. */
static void rom_enable(const struct vfio_pci *p, bool on)
{
	u32 value = pci_read(p, PCI_ROM_ADDRESS, 4);

	pci_write(p, PCI_ROM_ADDRESS, 4, on ? value | ROM_ENABLE : value & ~ROM_ENABLE);
}

/* dup: bytes of its images; each says how long it is, and whether it is the last. */
static u64 images(const struct vfio_pci *p)
{
	u64 at = 0;

	while (at < p->rom_size) {
		u64 data = at + rom_get(p, at + 0x18, 2);
		u32 length;

		if (rom_get(p, at, 2) != 0xaa55 || rom_get(p, data, 4) != 0x52494350)
			break;
		length = rom_get(p, data + 16, 2);
		at += (u64)length * 512;
		if (!length || rom_get(p, data + 21, 1) & 0x80)
			break;
	}
	return min(at, p->rom_size);
}

/* dup: the size is the address register's, whatever is in it. */
u64 vfio_pci_rom_region(struct vfio_pci *p, u32 *flags)
{
	if (p->rom_size)
		*flags = VFIO_REGION_INFO_FLAG_READ;
	return p->rom_size;
}

/* Behind the images there are ones, and all of it if nobody decodes it. dup: -EIO, -EINVAL. */
s64 vfio_pci_rom_read(struct vfio_pci *p, u64 buf, u64 count, s64 *pos)
{
	u64 off = (u64)*pos & VFIO_PCI_OFFSET_MASK, end;
	static const u8 ones = 0xff;
	s64 done = 0;
	int ret = 0;

	if (off >= p->rom_size)
		return -EINVAL;
	count = min(count, p->rom_size - off);
	rom_enable(p, true);
	end = images(p);
	while (count && !ret) {
		u32 n = 1;

		if (off < end) {
			n = min(vfio_pci_piece(off, min(count, end - off)), 4u);
			ret = vfio_pci_access_user(p, p->rom_pa + off, buf, n);
		} else if (copy_to_user(vfio_ptr(buf), &ones, 1)) {
			ret = -EFAULT;
		}
		off += n;
		buf += n;
		count -= n;
		done += n;
	}
	rom_enable(p, false);
	if (ret)
		return ret;
	*pos += done;
	return done;
}

/* --- vital product data: four bytes at an address, by an address and a data register --- */

static u32 vpd_word(const struct vfio_pci *p, u32 addr)
{
	pci_write(p, p->vpd_cap + 2u, 2, addr);
	/* It is there at once; else its driver would wait. */
	if (!(pci_read(p, p->vpd_cap + 2u, 2) & VPD_DONE))
		return 0;
	return pci_read(p, p->vpd_cap + 4u, 4);
}

static u32 vpd_byte(const struct vfio_pci *p, u32 addr)
{
	return vpd_word(p, addr & ~3u) >> 8 * (addr & 3) & 0xff;
}

/* dup: its tags say how long it is; 0: there is none that is sound. */
u32 vfio_pci_vpd_len(const struct vfio_pci *p)
{
	u32 at = 0;

	while (at < VPD_MAX) {
		u32 tag = vpd_byte(p, at), size = tag & 7, head = 1;

		if (!at && (tag == 0 || tag == 0xff))
			return 0;
		if (tag & 0x80) {
			size = vpd_byte(p, at + 1) | vpd_byte(p, at + 2) << 8;
			head = 3;
		}
		if (at + size > VPD_MAX)
			return at;
		at += head + size;
		if (!(tag & 0x80) && tag >> 3 == VPD_END)
			return at;
	}
	return at;
}

/* dup: false: it cannot be, and the user waits for an answer that does not come. */
bool vfio_pci_vpd(struct vfio_pci *p, u32 addr, u32 *data)
{
	u32 at = addr & ~VPD_DONE;
	bool ok = true;

	if (!p->vpd_len)
		return false;
	mutex_lock(&p->vpd_lock);
	if (!(addr & VPD_DONE)) {
		*data = 0;
		for (u32 i = 0; i < 4 && at + i < p->vpd_len; i++)
			*data |= vpd_byte(p, at + i) << 8 * i;
	} else if (at & 3 || at + 4 > p->vpd_len) {
		ok = false;
	} else {
		pci_write(p, p->vpd_cap + 4u, 4, *data);
		pci_write(p, p->vpd_cap + 2u, 2, at | VPD_DONE);
	}
	mutex_unlock(&p->vpd_lock);
	return ok;
}
