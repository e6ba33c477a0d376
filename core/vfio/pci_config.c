// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space as the user of a function sees it. Each byte has a mask of what is
 * virtual (the user's own copy) and what may be written; what is not virtual is the
 * function's. Unknown bytes go through; capabilities without a table are read-only.
 */
#include "core/vfio/pci.h"

#include <string.h>

#define DEVCTL_FLR 0x8000u
#define EXT_SIZE_ERR 0x2c
#define EXT_SIZE_ATS 8
#define EXT_SIZE_PRI 16
#define EXT_SIZE_ACS 8

/* Masks of a run of bytes: two bytes each are enough. */
struct perm {
	u16 off, size;
	u32 virt, write;
};

static const struct perm basic_perms[] = {
	{0x00, 4, ~0u, 0},
	{PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE, 0xffff},
	{PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0},
	{0x0c, 1, 0, 0xff}, {0x0d, 1, 0, 0xff}, {0x0f, 1, 0, 0xff},
	{0x10, 4, ~0u, ~0u}, {0x14, 4, ~0u, ~0u}, {0x18, 4, ~0u, ~0u},
	{0x1c, 4, ~0u, ~0u}, {0x20, 4, ~0u, ~0u}, {0x24, 4, ~0u, ~0u},
	{PCI_ROM_ADDRESS, 4, ~0u, ~0u},
	{PCI_CAPABILITY_LIST, 1, 0xff, 0},
	{0x3c, 1, 0xff, 0xff}, {PCI_INTERRUPT_PIN, 1, 0xff, 0},
};

/* 64 bit with masks; a capability without them is shorter. */
static const struct perm msi_perms[] = {
	{1, 1, 0xff, 0},      {2, 1, 0xff, 0xff},   {4, 4, ~0u, ~0u},   {8, 4, ~0u, ~0u},
	{12, 2, 0xffff, 0xffff}, {16, 4, 0, ~0u},   {20, 4, 0, ~0u},
};

static const struct perm exp_perms[] = {
	{1, 1, 0xff, 0},
	{8, 2, DEVCTL_FLR | 0x00e0 | 0x7000, 0xfdff},
	{0x28, 2, 0, 0xffdf},
};

/* What wakes it up is the host's, and so is its state. */
static const struct perm pm_perms[] = {
	{1, 1, 0xff, 0}, {2, 2, 0xf800, 0}, {4, 4, 0x8100, ~0x8103u},
};

static const struct perm vpd_perms[] = {
	{1, 1, 0xff, 0}, {2, 2, 0xffff, 0xffff}, {4, 4, ~0u, ~0u},
};

/* Of errors: those that there are, in status, mask and severity. */
#define UNCORRECTABLE 0x03fff031u
#define CORRECTABLE 0xf1c1u
static const struct perm err_perms[] = {
	{0x00, 4, ~0u, 0},          {0x04, 4, 0, UNCORRECTABLE}, {0x08, 4, 0, UNCORRECTABLE},
	{0x0c, 4, 0, UNCORRECTABLE}, {0x10, 4, 0, CORRECTABLE},   {0x14, 4, 0, CORRECTABLE},
	{0x18, 4, 0, 0x140},
};

static const struct {
	const struct perm *perm;
	u32 n;
} perms[] = {
	[PCI_CFG_BASIC] = {basic_perms, ARRAY_SIZE(basic_perms)},
	[PCI_CFG_PM] = {pm_perms, ARRAY_SIZE(pm_perms)},
	[PCI_CFG_VPD] = {vpd_perms, ARRAY_SIZE(vpd_perms)},
	[PCI_CFG_ERR] = {err_perms, ARRAY_SIZE(err_perms)},
	[PCI_CFG_MSI] = {msi_perms, ARRAY_SIZE(msi_perms)},
	[PCI_CFG_EXP] = {exp_perms, ARRAY_SIZE(exp_perms)},
};

bool vfio_pci_memory_enabled(const struct vfio_pci *p)
{
	u16 command;

	memcpy(&command, p->vconfig + PCI_COMMAND, 2);
	return command & PCI_COMMAND_MEMORY && p->power < PCI_D3HOT;
}

static u32 virt_get(const struct vfio_pci *p, u32 off, u32 size)
{
	u32 value = 0;

	memcpy(&value, p->vconfig + off, size);
	return value;
}

static void virt_set(struct vfio_pci *p, u32 off, u32 size, u32 value)
{
	memcpy(p->vconfig + off, &value, size);
}

static void masks(enum pci_config_kind kind, u32 off, u32 size, u32 *virt, u32 *write)
{
	*virt = *write = 0;
	for (u32 i = 0; i < perms[kind].n; i++) {
		const struct perm *m = &perms[kind].perm[i];

		for (u32 k = 0; k < size; k++) {
			u32 byte = off + k - m->off;

			if (off + k < m->off || byte >= m->size)
				continue;
			*virt |= (m->virt >> 8 * byte & 0xff) << 8 * k;
			*write |= (m->write >> 8 * byte & 0xff) << 8 * k;
		}
	}
}

/* --- the default: by masks --- */

static u32 ones(u32 size)
{
	return size == 4 ? ~0u : (1u << 8 * size) - 1;
}

static u32 default_read(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size)
{
	u32 virt, write, value = virt_get(p, pos, size);

	masks(cap->kind, pos - cap->start, size, &virt, &write);
	if (virt == ones(size))
		return value;
	return (pci_read(p, pos, size) & ~virt) | (value & virt);
}

static void default_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
			  u32 value)
{
	u32 virt, write, own, old;

	masks(cap->kind, pos - cap->start, size, &virt, &write);
	own = write & virt;
	if (own)
		virt_set(p, pos, size, (virt_get(p, pos, size) & ~own) | (value & own));
	own = write & ~virt;
	if (!own)
		return;
	old = pci_read(p, pos, size);
	pci_write(p, pos, size, (old & ~own) | (value & own));
}

/* Straight from the function, but for what links capabilities. */
static u32 direct_read(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size)
{
	u32 off = pos - cap->start, links = cap->start >= PCI_CONFIG_STD ? 4 : 2;
	u32 value = pci_read(p, pos, size), mine;

	if (off >= links)
		return value;
	mine = ones(min(size, links - off));
	return (value & ~mine) | (virt_get(p, pos, size) & mine);
}

/* --- the header --- */

/* What a size probe of the user's finds. */
static void fix_bars(struct vfio_pci *p)
{
	u32 rom;

	if (!p->bardirty)
		return;
	for (u32 i = 0; i < PCI_BARS; i++) {
		u32 off = PCI_BASE_ADDRESS_0 + 4 * i, mask = (u32) ~(p->bar_size[i] - 1);

		virt_set(p, off, 4, p->bar_size[i] ? virt_get(p, off, 4) & mask : 0);
	}
	rom = p->rom_size ? (u32) ~(p->rom_size - 1) | 1 : 0;
	virt_set(p, PCI_ROM_ADDRESS, 4, virt_get(p, PCI_ROM_ADDRESS, 4) & rom);
	p->bardirty = false;
}

static bool is_bar(u32 off)
{
	return (off >= PCI_BASE_ADDRESS_0 && off < PCI_BASE_ADDRESS_0 + 4 * PCI_BARS) ||
	       (off >= PCI_ROM_ADDRESS && off < PCI_ROM_ADDRESS + 4);
}

/* A reset behind our back has taken the addresses. */
static void restore_bars(struct vfio_pci *p)
{
	for (u32 i = 0; i < PCI_BARS; i++)
		pci_write(p, PCI_BASE_ADDRESS_0 + 4 * i, 4, p->rbar[i]);
	pci_write(p, PCI_ROM_ADDRESS, 4, p->rbar[PCI_BARS]);
}

static bool bars_lost(const struct vfio_pci *p)
{
	for (u32 i = 0; i < PCI_BARS; i++) {
		if (p->rbar[i] && pci_read(p, PCI_BASE_ADDRESS_0 + 4 * i, 4) != p->rbar[i])
			return true;
	}
	return false;
}

/* Turning memory decoding off takes the mappings of registers first. */
static void write_command(struct vfio_pci *p, const struct pci_config_cap *cap, u32 size,
			  u32 value)
{
	const u32 own = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	u32 phys = pci_read(p, PCI_COMMAND, 2), virt = virt_get(p, PCI_COMMAND, 2);

	if (value & PCI_COMMAND_MEMORY)
		down_write(&p->memory_lock);
	else
		vfio_pci_zap_and_lock(p);
	if (!(value & PCI_COMMAND_MEMORY))
		vfio_pci_dma_buf_revoke(p);
	if ((value & virt & ~phys & own) || bars_lost(p))
		restore_bars(p);
	default_write(p, cap, PCI_COMMAND, size, value);
	virt = virt_get(p, PCI_COMMAND, 2);
	virt_set(p, PCI_COMMAND, 2, (virt & ~own) | (value & own));
	vfio_pci_dma_buf_permit(p);
	up_write(&p->memory_lock);
}

/* The user's own INTx disable bit masks as the ioctl does. */
static void update_intx(struct vfio_pci *p)
{
	bool off = virt_get(p, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;

	if (off == p->virq_disabled)
		return;
	p->virq_disabled = off;
	if (off)
		vfio_pci_intx_mask(p);
	else
		vfio_pci_intx_unmask(p);
}

static void basic_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
			u32 value)
{
	if (pos == PCI_COMMAND)
		write_command(p, cap, size, value);
	else
		default_write(p, cap, pos, size, value);
	if (pos == PCI_COMMAND || pos == PCI_COMMAND + 1)
		update_intx(p);
	if (is_bar(pos))
		p->bardirty = true;
}

/* --- capabilities --- */

/* Messages are enabled by an ioctl, no more of them than it asked for. */
static void msi_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
		      u32 value)
{
	u32 at = cap->start + 2u, flags;

	default_write(p, cap, pos, size, value);
	if (pos > at || pos + size < at)
		return;
	flags = virt_get(p, at, 2);
	if (p->irq_type != VFIO_PCI_MSI_IRQ_INDEX)
		flags &= ~1u;
	if ((flags & 0x70) >> 4 > p->msi_qmax)
		flags = (flags & ~0x70u) | p->msi_qmax << 4;
	virt_set(p, at, 2, flags);
	pci_write(p, at, 2, flags);
}

static void exp_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
		      u32 value)
{
	u32 at = cap->start + 8u, control;

	default_write(p, cap, pos, size, value);
	control = virt_get(p, at, 2);
	if (!(control & DEVCTL_FLR))
		return;
	virt_set(p, at, 2, control & ~DEVCTL_FLR);
	if (!p->reset_works)
		return;
	vfio_pci_zap_and_lock(p);
	vfio_pci_power_up(p);
	vfio_pci_dma_buf_revoke(p);
	vfio_pci_try_reset(p);
	vfio_pci_dma_buf_permit(p);
	up_write(&p->memory_lock);
}

/* The state is not written, but changed. */
static void pm_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
		     u32 value)
{
	default_write(p, cap, pos, size, value);
	if (pos == cap->start + 4u)
		vfio_pci_set_power(p, value & 3);
}

/* A write of the address's upper byte is a request; its bit is toggled when that is done. */
static void vpd_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
		      u32 value)
{
	u32 at = cap->start + 2u, addr, data;

	default_write(p, cap, pos, size, value);
	if (pos > at + 1 || pos + size <= at + 1)
		return;
	addr = virt_get(p, at, 2);
	data = virt_get(p, at + 2, 4);
	if (!vfio_pci_vpd(p, addr, &data))
		return;
	virt_set(p, at + 2, 4, data);
	virt_set(p, at, 2, addr ^ 0x8000);
}

static void raw_write(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
		      u32 value)
{
	(void)cap;
	pci_write(p, pos, size, value);
}

static u32 raw_read(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size)
{
	(void)cap;
	return pci_read(p, pos, size);
}

static u32 basic_read(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size)
{
	if (is_bar(pos))
		fix_bars(p);
	return default_read(p, cap, pos, size);
}

static const struct {
	u32 (*read)(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size);
	/* NULL: lost. */
	void (*write)(struct vfio_pci *p, const struct pci_config_cap *cap, u32 pos, u32 size,
		      u32 value);
} kinds[] = {
	[PCI_CFG_RAW] = {raw_read, raw_write},
	[PCI_CFG_BASIC] = {basic_read, basic_write},
	[PCI_CFG_PM] = {default_read, pm_write},
	[PCI_CFG_VPD] = {default_read, vpd_write},
	[PCI_CFG_ERR] = {default_read, default_write},
	[PCI_CFG_MSI] = {default_read, msi_write},
	[PCI_CFG_EXP] = {default_read, exp_write},
	[PCI_CFG_DIRECT] = {direct_read, NULL},
};

/* --- the map --- */

static void add_cap(struct vfio_pci *p, u32 start, u32 len, enum pci_config_kind kind)
{
	if (p->n_caps == PCI_CONFIG_CAPS_MAX || start + len > p->cfg_size)
		return;
	p->cap[p->n_caps++] = (struct pci_config_cap){(u16)start, (u16)len, kind};
	for (u32 i = 0; i < len; i += 4)
		virt_set(p, start + i, min(4u, len - i), pci_read(p, start + i, min(4u, len - i)));
}

static u32 std_len(const struct vfio_pci *p, u32 id, u32 at, enum pci_config_kind *kind)
{
	u32 flags = pci_read(p, at + 2, 2);

	*kind = PCI_CFG_DIRECT;
	switch (id) {
	case PCI_CAP_ID_MSI:
		*kind = PCI_CFG_MSI;
		return 10 + (flags & 0x80 ? 4 : 0) + (flags & 0x100 ? 10 : 0);
	case PCI_CAP_ID_EXP:
		*kind = PCI_CFG_EXP;
		return (flags >> 4 & 0xf) == 9 ? 0x2c : 0x34;
	case PCI_CAP_ID_MSIX:
		return 12;
	case PCI_CAP_ID_PM:
		*kind = PCI_CFG_PM;
		return 8;
	case PCI_CAP_ID_VPD:
		*kind = PCI_CFG_VPD;
		return 8;
	default:
		return 0;
	}
}

static void hide_wakeups(struct vfio_pci *p, u32 at, enum pci_config_kind kind)
{
	if (kind != PCI_CFG_PM)
		return;
	virt_set(p, at + 2, 2, virt_get(p, at + 2, 2) & 0x07ff);
	virt_set(p, at + 4, 2, virt_get(p, at + 4, 2) & ~0x8100u);
}

/* Those that are not known are left out of the chain. */
static void add_std(struct vfio_pci *p)
{
	u32 at = pci_read(p, PCI_CAPABILITY_LIST, 1), link = PCI_CAPABILITY_LIST;

	for (u32 n = 0; at && n < PCI_CONFIG_CAPS_MAX / 2; n++) {
		u32 next = pci_read(p, at + 1, 1);
		enum pci_config_kind kind;
		u32 len = std_len(p, pci_read(p, at, 1), at, &kind);

		if (len) {
			add_cap(p, at, len, kind);
			hide_wakeups(p, at, kind);
			link = at + 1;
		} else {
			virt_set(p, link, 1, next);
		}
		at = next;
	}
}

static u32 ext_len(u32 id)
{
	switch (id) {
	case 0x01:
		return EXT_SIZE_ERR;
	case 0x0d:
		return EXT_SIZE_ACS;
	case 0x0f:
		return EXT_SIZE_ATS;
	case 0x13:
		return EXT_SIZE_PRI;
	default:
		return 0;
	}
}

/* The first one stays as an anchor, whatever it is. */
static void add_ext(struct vfio_pci *p)
{
	u32 at = PCI_CONFIG_STD, prev = 0;

	if (p->cfg_size <= PCI_CONFIG_STD || !pci_read(p, at, 4))
		return;
	for (u32 n = 0; at >= PCI_CONFIG_STD && n < PCI_CONFIG_CAPS_MAX / 2; n++) {
		u32 header = pci_read(p, at, 4), next = header >> 20 & 0xffc;
		u32 len = ext_len(header & 0xffff);

		if (len || !prev) {
			add_cap(p, at, len ? len : 4,
				len == EXT_SIZE_ERR ? PCI_CFG_ERR : PCI_CFG_DIRECT);
			if (!len)
				virt_set(p, at, 4, header & 0xffc00000u);
			prev = at;
		} else {
			virt_set(p, prev, 4, (virt_get(p, prev, 4) & 0xfffff) | next << 20);
		}
		at = next;
	}
}

int vfio_pci_config_init(struct vfio_pci *p)
{
	p->vconfig = kzalloc(p->cfg_size, GFP_KERNEL_ACCOUNT);
	if (!p->vconfig)
		return -ENOMEM;
	p->n_caps = 0;
	add_cap(p, 0, PCI_STD_HEADER_SIZEOF, PCI_CFG_BASIC);
	p->bardirty = true;
	for (u32 i = 0; i < PCI_BARS; i++)
		p->rbar[i] = virt_get(p, PCI_BASE_ADDRESS_0 + 4 * i, 4);
	p->rbar[PCI_BARS] = virt_get(p, PCI_ROM_ADDRESS, 4);
	add_std(p);
	add_ext(p);
	return 0;
}

void vfio_pci_config_free(struct vfio_pci *p)
{
	kfree(p->vconfig);
	p->vconfig = NULL;
}

static struct pci_config_cap find(const struct vfio_pci *p, u32 pos)
{
	for (u32 i = 0; i < p->n_caps; i++) {
		if (pos >= p->cap[i].start && pos < p->cap[i].start + p->cap[i].len)
			return p->cap[i];
	}
	return (struct pci_config_cap){(u16)pos, 1, PCI_CFG_RAW};
}

static bool same(const struct pci_config_cap *a, const struct pci_config_cap *b)
{
	return a->kind == b->kind && (a->kind == PCI_CFG_RAW || a->start == b->start);
}

/* Of count bytes: those of one kind, within an aligned word. */
static u32 piece(const struct vfio_pci *p, u32 pos, u64 count)
{
	struct pci_config_cap first = find(p, pos);
	u32 n = 1;

	while (n < count && (pos + n) % 4) {
		struct pci_config_cap next = find(p, pos + n);

		if (!same(&first, &next))
			break;
		n++;
	}
	if (n >= 4 && !(pos % 4))
		return 4;
	return n >= 2 && !(pos % 2) ? 2 : 1;
}

s64 vfio_pci_config_rw(struct vfio_pci *p, u64 buf, u64 count, s64 *pos, bool write)
{
	u64 at = (u64)*pos & VFIO_PCI_OFFSET_MASK;
	s64 done = 0;

	while (count) {
		struct pci_config_cap cap;
		u32 n, value = 0;

		if (at >= p->cfg_size || at + count > p->cfg_size)
			return -EFAULT;
		cap = find(p, (u32)at);
		n = piece(p, (u32)at, count);
		if (write && kinds[cap.kind].write) {
			if (copy_from_user(&value, vfio_ptr(buf), n))
				return -EFAULT;
			kinds[cap.kind].write(p, &cap, (u32)at, n, value);
		} else if (!write) {
			value = kinds[cap.kind].read(p, &cap, (u32)at, n);
			if (copy_to_user(vfio_ptr(buf), &value, n))
				return -EFAULT;
		}
		count -= n;
		done += n;
		buf += n;
		at += n;
	}
	*pos += done;
	return done;
}
