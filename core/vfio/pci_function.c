// SPDX-License-Identifier: GPL-2.0-only
/*
 * What PCI's core does with a function: finding its parts, saving, resetting and
 * restoring it, INTx.
 */
#include "core/vfio/pci.h"

#define DEVCAP_FLR 0x10000000u
#define DEVCTL_FLR 0x8000u
#define CAPS_MAX 48
#define EXT_ATS 0x0fu
#define EXT_PRI 0x13u
#define EXT_PASID 0x1bu

u32 pci_read(const struct vfio_pci *p, u32 off, u32 size)
{
	return io_config_read(this_world(), p->rid, off, size);
}

void pci_write(const struct vfio_pci *p, u32 off, u32 size, u32 value)
{
	io_config_write(this_world(), p->rid, off, size, value);
}

static void find_caps(struct vfio_pci *p)
{
	u32 at = pci_read(p, PCI_CAPABILITY_LIST, 1) & 0xfc;

	for (u32 n = 0; at && n < CAPS_MAX; n++) {
		u32 id = pci_read(p, at, 1);

		if (id == PCI_CAP_ID_MSI)
			p->msi_cap = (u8)at;
		else if (id == PCI_CAP_ID_MSIX)
			p->msix_cap = (u8)at;
		else if (id == PCI_CAP_ID_EXP)
			p->exp_cap = (u8)at;
		else if (id == PCI_CAP_ID_PM)
			p->pm_cap = (u8)at;
		else if (id == PCI_CAP_ID_VPD)
			p->vpd_cap = (u8)at;
		at = pci_read(p, at + 1, 1) & 0xfc;
	}
}

static void find_ext(struct vfio_pci *p)
{
	u32 at = 0x100;

	for (u32 n = 0; at && n < CAPS_MAX; n++) {
		u32 head = pci_read(p, at, 4);

		if ((head & 0xffff) == EXT_ATS)
			p->ats_cap = (u16)at;
		else if ((head & 0xffff) == EXT_PRI)
			p->pri_cap = (u16)at;
		else if ((head & 0xffff) == EXT_PASID)
			p->pasid_cap = (u16)at;
		at = head >> 20;
	}
}

/* Which bits an address register has; decoding is off meanwhile. */
static void find_bars(struct vfio_pci *p)
{
	u32 command = pci_read(p, PCI_COMMAND, 2);

	pci_write(p, PCI_COMMAND, 2, command & ~(u32)PCI_COMMAND_MEMORY);
	for (u32 i = 0; i < PCI_BARS; i++) {
		u32 reg = PCI_BASE_ADDRESS_0 + 4 * i, old = pci_read(p, reg, 4), mask;

		pci_write(p, reg, 4, ~0u);
		mask = pci_read(p, reg, 4) & ~0xfu;
		pci_write(p, reg, 4, old);
		p->bar_pa[i] = old & ~0xfu;
		p->bar_size[i] = p->region_size[i] = mask ? (u64)~mask + 1 : 0;
	}
	p->rom_pa = pci_read(p, PCI_ROM_ADDRESS, 4) & ~0x7ffu;
	pci_write(p, PCI_ROM_ADDRESS, 4, ~0x7ffu);
	p->rom_size = pci_read(p, PCI_ROM_ADDRESS, 4) & ~0x7ffu;
	p->rom_size = p->rom_size ? (u64) ~(u32)p->rom_size + 1 : 0;
	pci_write(p, PCI_ROM_ADDRESS, 4, (u32)p->rom_pa);
	pci_write(p, PCI_COMMAND, 2, command);
}

static void find_msix(struct vfio_pci *p)
{
	u32 table;

	p->msix_bar = ~0u;
	if (!p->msix_cap)
		return;
	table = pci_read(p, p->msix_cap + 4u, 4);
	p->msix_bar = table & 7;
	p->msix_offset = table & ~7u;
	p->msix_size = ((pci_read(p, p->msix_cap + 2u, 2) & 0x7ff) + 1) * 16;
}

void vfio_pci_find(struct vfio_pci *p)
{
	find_caps(p);
	find_bars(p);
	find_msix(p);
	p->vpd_len = p->vpd_cap ? vfio_pci_vpd_len(p) : 0;
	p->cfg_size = p->exp_cap ? PCI_CONFIG_ALL : PCI_CONFIG_STD;
	if (p->exp_cap)
		find_ext(p);
	p->reset_works = p->exp_cap && pci_read(p, p->exp_cap + 4u, 4) & DEVCAP_FLR;
}

/* --- reset --- */

/* What an IOMMU's driver has turned on: PASIDs before ATS, requests with their allotment. */
struct ext_reg {
	u16 cap, off;
	u8 size;
};

static void ext_regs(const struct vfio_pci *p, struct ext_reg reg[PCI_SAVED_EXT])
{
	reg[0] = (struct ext_reg){p->pasid_cap, 6, 2};
	reg[1] = (struct ext_reg){p->pri_cap, 12, 4};
	reg[2] = (struct ext_reg){p->pri_cap, 4, 2};
	reg[3] = (struct ext_reg){p->ats_cap, 6, 2};
}

void vfio_pci_save(struct vfio_pci *p)
{
	struct ext_reg reg[PCI_SAVED_EXT];

	for (u32 i = 0; i < ARRAY_SIZE(p->saved); i++)
		p->saved[i] = pci_read(p, 4 * i, 4);
	if (p->exp_cap)
		p->saved_devctl = (u16)pci_read(p, p->exp_cap + 8u, 2);
	ext_regs(p, reg);
	for (u32 i = 0; i < PCI_SAVED_EXT; i++) {
		if (reg[i].cap)
			p->saved_ext[i] = pci_read(p, (u32)reg[i].cap + reg[i].off, reg[i].size);
	}
}

/* Addresses first, what decodes them last. */
void vfio_pci_restore(struct vfio_pci *p)
{
	struct ext_reg reg[PCI_SAVED_EXT];

	if (p->exp_cap)
		pci_write(p, p->exp_cap + 8u, 2, p->saved_devctl);
	ext_regs(p, reg);
	for (u32 i = 0; i < PCI_SAVED_EXT; i++) {
		if (reg[i].cap)
			pci_write(p, (u32)reg[i].cap + reg[i].off, reg[i].size, p->saved_ext[i]);
	}
	for (u32 i = ARRAY_SIZE(p->saved); i--;) {
		u32 value = p->saved[i];

		/* Status bits are cleared by writing them. */
		pci_write(p, 4 * i, 4, i == PCI_COMMAND / 4 ? value & 0xffff : value);
	}
	vfio_pci_irqs_restore(p);
}

/* The device is locked. What it was stays, what it did does not. */
void vfio_pci_reset_locked(struct vfio_pci *p)
{
	vfio_pci_save(p);
	pci_write(p, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	pci_write(p, p->exp_cap + 8u, 2, pci_read(p, p->exp_cap + 8u, 2) | DEVCTL_FLR);
	vfio_pci_restore(p);
	if (p->variant && p->variant->was_reset)
		p->variant->was_reset(p);
}

int vfio_pci_try_reset(struct vfio_pci *p)
{
	struct device *dev = p->vdev.dev;

	if (!p->reset_works)
		return -ENOTTY;
	if (bug_on(BUG_VFIO_REMOVE_VS_RESET)) {
		device_lock(dev);
	} else if (!device_trylock(dev)) {
		/* Whoever unbinds it has it, and waits for the user. */
		return -EAGAIN;
	}
	vfio_pci_reset_locked(p);
	device_unlock(dev);
	return 0;
}

/* --- INTx --- */

void pci_intx(struct vfio_pci *p, bool on)
{
	u32 command = pci_read(p, PCI_COMMAND, 2), now = command;

	if (on)
		now &= ~(u32)PCI_COMMAND_INTX_DISABLE;
	else
		now |= PCI_COMMAND_INTX_DISABLE;
	if (now != command)
		pci_write(p, PCI_COMMAND, 2, now);
}

bool pci_check_and_mask_intx(struct vfio_pci *p)
{
	if (!(pci_read(p, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT))
		return false;
	pci_intx(p, false);
	return true;
}

bool pci_check_and_unmask_intx(struct vfio_pci *p)
{
	if (pci_read(p, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT)
		return false;
	pci_intx(p, true);
	return true;
}
