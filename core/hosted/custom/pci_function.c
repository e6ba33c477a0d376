// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: a PCI function: configuration space, two BARs, interrupts, DMA.
 *
 * Configuration space is bytes and a mask of what may be written. BAR 0 has
 * registers (enum reg below), BAR 1 the MSI-X table. Endpoints have MSI, MSI-X,
 * INTx, function level reset, ATS, PRI, PASID and, where the bus has it, ACS;
 * behind a conventional bridge they have none of PCIe's.
 *
 * False: no power management, no ROM, no VPD; a reset is over at once; what ATS,
 * PRI and PASID do when they are enabled is the floor's endpoint (endpoint.c).
 */
#include "core/hosted/custom/pci.h"

#include <linux/iommu.h>
#include <linux/logic_iomem.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#define CONFIG_BYTES 512
#define BAR_BYTES 4096U
#define BARS 2
#define VECTORS 4

enum { CAP_MSI = 0x40, CAP_MSIX = 0x58, CAP_EXP = 0x70 };
enum { EXT_ATS = 0x100, EXT_PRI = 0x110, EXT_PASID = 0x130, EXT_ACS = 0x150 };

/* Of BAR 0, 4 bytes each. */
enum reg {
	REG_INTERRUPT = 0x00, /* write n: message n, or INTx when no messages are enabled */
	REG_CLEAR = 0x04,     /* write: INTx is no longer asserted */
	REG_DMA_LOW = 0x08,
	REG_DMA_HIGH = 0x0c,
	REG_DMA = 0x10,       /* write 1: REG_DATA from there, 2: REG_DATA to there */
	REG_DATA = 0x14,
	REG_STATUS = 0x18,    /* of the last DMA: 0, or 1: a fault */
};

struct hosted_function {
	struct hosted_device *hd; /* NULL: a bridge */
	u8 config[CONFIG_BYTES], writable[CONFIG_BYTES], fresh[CONFIG_BYTES];
	u8 bar[BARS][BAR_BYTES];
	unsigned int ats_epoch;
};

static unsigned int hosted_ats_epochs;

/* --- configuration space --- */

static u16 get16(const struct hosted_function *f, unsigned int at)
{
	return get_unaligned_le16(f->config + at);
}

static u32 get32(const struct hosted_function *f, unsigned int at)
{
	return get_unaligned_le32(f->config + at);
}

static void set16(struct hosted_function *f, unsigned int at, u16 val, u16 writable)
{
	put_unaligned_le16(val, f->config + at);
	put_unaligned_le16(writable, f->writable + at);
}

static void set32(struct hosted_function *f, unsigned int at, u32 val, u32 writable)
{
	put_unaligned_le32(val, f->config + at);
	put_unaligned_le32(writable, f->writable + at);
}

u32 hosted_function_read(struct hosted_function *f, unsigned int where, unsigned int size)
{
	u32 val = 0;

	for (unsigned int i = 0; i < size && where + i < CONFIG_BYTES; i++)
		val |= (u32)f->config[where + i] << 8 * i;
	return val;
}

static void assert_line(struct hosted_function *f)
{
	u16 command = get16(f, PCI_COMMAND), status = get16(f, PCI_STATUS);

	if (status & PCI_STATUS_INTERRUPT && !(command & PCI_COMMAND_INTX_DISABLE))
		hosted_irq_level(hosted_irq_line(PCI_SLOT(f->hd->d.bdf)));
}

void hosted_function_reset(struct hosted_function *f)
{
	memcpy(f->config, f->fresh, sizeof(f->config));
	memset(f->bar, 0, sizeof(f->bar));
}

static bool covers(unsigned int where, unsigned int size, unsigned int reg)
{
	return where <= reg && reg < where + size;
}

void hosted_function_write(struct hosted_function *f, unsigned int where, unsigned int size,
			   u32 val)
{
	for (unsigned int i = 0; i < size && where + i < CONFIG_BYTES; i++) {
		u8 mask = f->writable[where + i];

		f->config[where + i] = (f->config[where + i] & ~mask) | (val >> 8 * i & mask);
	}
	if (!f->hd)
		return;
	if (get32(f, CAP_EXP) && covers(where, size, CAP_EXP + PCI_EXP_DEVCTL + 1) &&
	    val >> 8 * (CAP_EXP + PCI_EXP_DEVCTL + 1 - where) & PCI_EXP_DEVCTL_BCR_FLR >> 8)
		hosted_function_reset(f);
	if (covers(where, size, PCI_COMMAND + 1))
		assert_line(f);
	if (covers(where, size, EXT_ATS + PCI_ATS_CTRL + 1) && get32(f, EXT_ATS) &&
	    get16(f, EXT_ATS + PCI_ATS_CTRL) & PCI_ATS_CTRL_ENABLE)
		f->ats_epoch = ++hosted_ats_epochs;
}

/* --- interrupts --- */

static void send(struct hosted_function *f, u32 n)
{
	u16 msi = get16(f, CAP_MSI + PCI_MSI_FLAGS), msix = get16(f, CAP_MSIX + PCI_MSIX_FLAGS);
	const u8 *entry = f->bar[1] + n * PCI_MSIX_ENTRY_SIZE;

	if (!(get16(f, PCI_COMMAND) & PCI_COMMAND_MASTER))
		return;
	if (msix & PCI_MSIX_FLAGS_ENABLE) {
		if (n < VECTORS && !(msix & PCI_MSIX_FLAGS_MASKALL) &&
		    !(entry[PCI_MSIX_ENTRY_VECTOR_CTRL] & PCI_MSIX_ENTRY_CTRL_MASKBIT))
			hosted_irq_message(get_unaligned_le32(entry + PCI_MSIX_ENTRY_DATA));
	} else if (n < 1U << ((msi & PCI_MSI_FLAGS_QSIZE) >> 4) &&
		   !(get32(f, CAP_MSI + PCI_MSI_MASK_64) & 1U << n)) {
		hosted_irq_message(get16(f, CAP_MSI + PCI_MSI_DATA_64) + n);
	}
}

int hosted_pci_interrupt(struct hosted_device *hd, unsigned int n)
{
	struct hosted_function *f = hd->function;

	if (!f)
		return -ENODEV;
	if (get16(f, CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE ||
	    get16(f, CAP_MSI + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE) {
		send(f, n);
		return 0;
	}
	f->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	assert_line(f);
	return 0;
}

unsigned int hosted_pci_endpoint(const struct hosted_device *hd, unsigned int *epoch)
{
	const struct hosted_function *f = hd->function;
	unsigned int on = 0;

	if (!hosted_machine.bus[hd->d.bus].pci)
		return FLOOR_ENDPOINT_PASID;
	if (!f || !get32(f, EXT_ATS))
		return 0;
	if (get16(f, EXT_ATS + PCI_ATS_CTRL) & PCI_ATS_CTRL_ENABLE)
		on |= FLOOR_ENDPOINT_ATS;
	*epoch = f->ats_epoch;
	if (get16(f, EXT_PRI + PCI_PRI_CTRL) & PCI_PRI_CTRL_ENABLE)
		on |= FLOOR_ENDPOINT_PRI;
	if (get16(f, EXT_PASID + PCI_PASID_CTRL) & PCI_PASID_CTRL_ENABLE)
		on |= FLOOR_ENDPOINT_PASID;
	return on;
}

bool hosted_pci_asserts(unsigned int line)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_function *f = hosted_machine.device[i].function;

		if (f && hosted_irq_line(PCI_SLOT(f->hd->d.bdf)) == line &&
		    get16(f, PCI_STATUS) & PCI_STATUS_INTERRUPT &&
		    !(get16(f, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE))
			return true;
	}
	return false;
}

/* --- registers --- */

static void do_dma(struct hosted_function *f, u32 how)
{
	u8 *reg = f->bar[0];
	u64 iova = get_unaligned_le64(reg + REG_DMA_LOW);
	u32 data = get_unaligned_le32(reg + REG_DATA);
	int ret = -EFAULT;

	if (get16(f, PCI_COMMAND) & PCI_COMMAND_MASTER)
		ret = hosted_dma(f->hd, &(struct hosted_access){
			.iova = iova, .pasid = FLOOR_NONE, .buf = &data, .size = sizeof(data),
			.write = how != 1});
	put_unaligned_le32(ret != 0, reg + REG_STATUS);
	put_unaligned_le32(data, reg + REG_DATA);
}

static unsigned long memory_read(void *priv, unsigned int offset, int size)
{
	struct hosted_function *f = priv;
	unsigned long val = 0;

	if (offset + size > sizeof(f->bar) || !(get16(f, PCI_COMMAND) & PCI_COMMAND_MEMORY))
		return ~0UL;
	memcpy(&val, (u8 *)f->bar + offset, size);
	return val;
}

static void memory_write(void *priv, unsigned int offset, int size, unsigned long val)
{
	struct hosted_function *f = priv;

	if (offset + size > sizeof(f->bar) || !(get16(f, PCI_COMMAND) & PCI_COMMAND_MEMORY))
		return;
	memcpy((u8 *)f->bar + offset, &val, size);
	if (offset == REG_INTERRUPT)
		hosted_pci_interrupt(f->hd, val);
	else if (offset == REG_CLEAR)
		f->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	else if (offset == REG_DMA)
		do_dma(f, val);
}

static const struct logic_iomem_ops bar_ops = {.read = memory_read, .write = memory_write};

long hosted_function_bar(struct hosted_function *f, unsigned long addr,
			 const struct logic_iomem_ops **ops)
{
	for (int i = 0; i < BARS; i++) {
		u32 at = get32(f, PCI_BASE_ADDRESS_0 + 4 * i) & PCI_BASE_ADDRESS_MEM_MASK;

		if (addr < at || addr - at >= BAR_BYTES)
			continue;
		*ops = &bar_ops;
		return i * BAR_BYTES + (addr - at);
	}
	return -1;
}

/* --- what a function is made of --- */

static void add_header(struct hosted_function *f, u16 device, u32 class, u8 type)
{
	set16(f, PCI_VENDOR_ID, 0x1de1, 0);
	set16(f, PCI_DEVICE_ID, device, 0);
	set16(f, PCI_COMMAND, 0,
	      PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
		      PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	set16(f, PCI_STATUS, PCI_STATUS_CAP_LIST, 0);
	set32(f, PCI_CLASS_REVISION, class << 8 | 1, 0);
	f->config[PCI_HEADER_TYPE] = type;
	f->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	f->writable[PCI_INTERRUPT_LINE] = 0xff;
}

static void add_pcie(struct hosted_function *f, u16 type)
{
	f->config[CAP_EXP] = PCI_CAP_ID_EXP;
	set16(f, CAP_EXP + PCI_EXP_FLAGS, 2 | type << 4, 0);
	set32(f, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | (f->hd ? PCI_EXP_DEVCAP_FLR : 0),
	      0);
	set16(f, CAP_EXP + PCI_EXP_DEVCTL, 0, 0x7fff);
	set32(f, CAP_EXP + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_EE_PREFIX, 0);
}

static void add_ext(struct hosted_function *f, unsigned int at, u16 id, unsigned int next)
{
	set32(f, at, id | 1 << 16 | next << 20, 0);
}

static void add_acs(struct hosted_function *f, unsigned int at)
{
	u16 all = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF | PCI_ACS_TB;

	add_ext(f, at, PCI_EXT_CAP_ID_ACS, 0);
	set16(f, at + PCI_ACS_CAP, all, 0);
	set16(f, at + PCI_ACS_CTRL, 0, all);
}

static void add_msi(struct hosted_function *f, unsigned int next)
{
	f->config[CAP_MSI] = PCI_CAP_ID_MSI;
	f->config[CAP_MSI + 1] = CAP_MSIX;
	set16(f, CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 2 << 1,
	      PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	set32(f, CAP_MSI + PCI_MSI_ADDRESS_LO, 0, ~3U);
	set32(f, CAP_MSI + PCI_MSI_ADDRESS_HI, 0, ~0U);
	set16(f, CAP_MSI + PCI_MSI_DATA_64, 0, 0xffff);
	set32(f, CAP_MSI + PCI_MSI_MASK_64, 0, (1U << VECTORS) - 1);
	f->config[CAP_MSIX] = PCI_CAP_ID_MSIX;
	f->config[CAP_MSIX + 1] = next;
	set16(f, CAP_MSIX + PCI_MSIX_FLAGS, VECTORS - 1,
	      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	set32(f, CAP_MSIX + PCI_MSIX_TABLE, 1, 0);
	set32(f, CAP_MSIX + PCI_MSIX_PBA, 1 | BAR_BYTES / 2, 0);
}

static void add_express(struct hosted_function *f, const struct floor_bus *b)
{
	add_pcie(f, b->parent == FLOOR_NONE ? PCI_EXP_TYPE_RC_END : PCI_EXP_TYPE_ENDPOINT);
	add_ext(f, EXT_ATS, PCI_EXT_CAP_ID_ATS, EXT_PRI);
	set16(f, EXT_ATS + PCI_ATS_CAP, PCI_ATS_CAP_PAGE_ALIGNED, 0);
	set16(f, EXT_ATS + PCI_ATS_CTRL, 0, PCI_ATS_CTRL_ENABLE | 0x1f);
	add_ext(f, EXT_PRI, PCI_EXT_CAP_ID_PRI, EXT_PASID);
	set16(f, EXT_PRI + PCI_PRI_CTRL, 0, PCI_PRI_CTRL_ENABLE);
	set16(f, EXT_PRI + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID, 0);
	set32(f, EXT_PRI + PCI_PRI_MAX_REQ, 32, 0);
	set32(f, EXT_PRI + PCI_PRI_ALLOC_REQ, 0, ~0U);
	add_ext(f, EXT_PASID, PCI_EXT_CAP_ID_PASID, b->acs ? EXT_ACS : 0);
	set16(f, EXT_PASID + PCI_PASID_CAP, 16 << 8, 0);
	set16(f, EXT_PASID + PCI_PASID_CTRL, 0, PCI_PASID_CTRL_ENABLE);
	if (b->acs)
		add_acs(f, EXT_ACS);
}

/* Of several functions in the slot, each says so. */
static u8 header_type(const struct hosted_device *hd)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		const struct hosted_device *other = &hosted_machine.device[i];

		if (other != hd && other->d.bus == hd->d.bus &&
		    PCI_SLOT(other->d.bdf) == PCI_SLOT(hd->d.bdf))
			return PCI_HEADER_TYPE_NORMAL | PCI_HEADER_TYPE_MFD;
	}
	return PCI_HEADER_TYPE_NORMAL;
}

struct hosted_function *hosted_function_new(struct hosted_device *hd)
{
	struct hosted_function *f = kzalloc(sizeof(*f), GFP_KERNEL);
	const struct floor_bus *b = &hosted_machine.bus[hd->d.bus];
	u32 at = HOSTED_PCI_MEM + hd->d.bus * HOSTED_PCI_MEM_BUS +
		 (hd - hosted_machine.device) * HOSTED_PCI_MEM_DEVICE;

	if (!f)
		return NULL;
	f->hd = hd;
	add_header(f, 0x100, hd->d.bridge ? 0x088000 : 0x020000, header_type(hd));
	for (int i = 0; i < BARS; i++)
		set32(f, PCI_BASE_ADDRESS_0 + 4 * i, at + i * BAR_BYTES, ~(BAR_BYTES - 1));
	f->config[PCI_CAPABILITY_LIST] = CAP_MSI;
	f->config[PCI_INTERRUPT_PIN] = 1;
	add_msi(f, b->alias ? 0 : CAP_EXP);
	if (!b->alias)
		add_express(f, b);
	memcpy(f->fresh, f->config, sizeof(f->config));
	return f;
}

struct hosted_function *hosted_bridge_new(unsigned int bus, unsigned int primary,
					  unsigned int secondary)
{
	struct hosted_function *f = kzalloc(sizeof(*f), GFP_KERNEL);
	u32 at = HOSTED_PCI_MEM + bus * HOSTED_PCI_MEM_BUS;
	u32 last = at + HOSTED_PCI_MEM_BUS - 1;
	const struct floor_bus *b = &hosted_machine.bus[bus];

	if (!f)
		return NULL;
	add_header(f, 0x200, PCI_CLASS_BRIDGE_PCI_NORMAL, PCI_HEADER_TYPE_BRIDGE);
	f->config[PCI_CAPABILITY_LIST] = CAP_EXP;
	set32(f, PCI_PRIMARY_BUS, primary | secondary << 8 | secondary << 16, 0xffffff);
	set32(f, PCI_MEMORY_BASE, (at >> 16 & 0xfff0) | (last & 0xfff00000), 0xfff0fff0);
	set32(f, PCI_PREF_MEMORY_BASE, 0xfff0, 0);
	set16(f, PCI_BRIDGE_CONTROL, 0, 0xffff);
	add_pcie(f, b->alias ? PCI_EXP_TYPE_PCI_BRIDGE : PCI_EXP_TYPE_ROOT_PORT);
	if (b->acs && !b->alias)
		add_acs(f, EXT_ATS);
	memcpy(f->fresh, f->config, sizeof(f->config));
	return f;
}
