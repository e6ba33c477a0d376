// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space of a function: a header of type 0 with its BARs, MSI,
 * PCI Express, and, for devices that have them, ATS, PRI and PASID. It starts
 * as firmware leaves it: memory space and bus mastering on, BARs assigned.
 */
#include "hw/bus/bus_priv.h"

#include "sim/base/bits.h"
#include "sim/kapi/irq.h"

#include <string.h>

#define VENDOR 0x1af4u /* a number of virtual devices; drivers match by the machine's YAML */
#define DEVICE 0x1f00u
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define COMMAND_INTX_OFF 0x400u
#define CFG_STATUS 0x06
#define STATUS_INTX 8u
#define DEVCAP_FLR 0x10008000u /* and errors by role */
#define DEVCTL (CFG_PCIE + 8)
#define DEVCTL_FLR 0x8000u

static void put(struct bus_fn *n, u32 off, u32 size, u32 value)
{
	memcpy(n->config + off, &value, size);
	n->config_written = true;
}

u32 bus_config_get(const struct bus_fn *n, u32 off, u32 size)
{
	u32 value = 0;

	memcpy(&value, n->config + off, size);
	return value;
}

bool bus_master_on(const struct bus_fn *n)
{
	return !n->pci || bus_config_get(n, CFG_COMMAND, 2) & COMMAND_MASTER;
}

/* Extended capabilities that the device has, as one list. */
static void put_extended(struct bus_fn *n)
{
	const struct machine_device *d = &n->f->machine->device[n->index];
	const struct {
		bool has;
		u32 off, id;
	} cap[] = {{d->ats, CFG_ATS, 0x0f}, {d->pri, CFG_PRI, 0x13}, {d->pasid, CFG_PASID, 0x1b}};
	u32 next = 0;

	for (u32 i = ARRAY_SIZE(cap); i--;) {
		if (!cap[i].has)
			continue;
		put(n, cap[i].off, 4, cap[i].id | 1u << 16 | next << 20);
		next = cap[i].off;
	}
	/* The list begins at 0x100: an empty entry there leads on to the first. */
	if (next && next != CFG_ATS)
		put(n, 0x100, 4, next << 20);
	if (d->ats)
		put(n, CFG_ATS + 6, 2, 1u << 15);
	if (d->pri) {
		put(n, CFG_PRI + 4, 2, 1);
		put(n, CFG_PRI + 8, 4, BUS_PAGES_MAX);
		put(n, CFG_PRI + 12, 4, BUS_PAGES_MAX);
	}
	if (d->pasid) {
		put(n, CFG_PASID + 4, 2, 20u << 8 | 6);
		put(n, CFG_PASID + 6, 2, 7);
	}
}

void bus_config_make(struct bus_fn *n)
{
	memset(n->config, 0, sizeof(n->config));
	n->config_written = false;
	if (!n->pci)
		return;
	put(n, 0x00, 4, DEVICE << 16 | VENDOR);
	put(n, CFG_COMMAND, 4, COMMAND_MEMORY | COMMAND_MASTER | 0x10u << 16);
	put(n, 0x08, 4, n->class << 8);
	for (u32 i = 0; i < BUS_BARS; i++) {
		if (n->bar[i].size)
			put(n, CFG_BAR0 + 4 * i, 4, (u32)n->bar[i].pa);
	}
	put(n, 0x34, 1, CFG_MSI);
	put(n, 0x3c, 1, 16 + (n->f->machine->device[n->index].bdf >> 3 & 0xf));
	put(n, 0x3d, 1, 1);
	put(n, CFG_MSI, 4, 0x05u | CFG_PCIE << 8 | 0x80u << 16);
	put(n, CFG_PCIE, 4, 0x10u | 0x0002u << 16);
	put(n, CFG_PCIE + 4, 4, DEVCAP_FLR);
	put_extended(n);
	n->config_written = false;
}

void bus_config_reset(struct bus_fn *n)
{
	if (n->config_written)
		bus_config_make(n);
}

/* --- INTx --- */

bool bus_decodes(const struct fabric *f, u32 fn)
{
	return !f->fn[fn].pci || bus_config_get(&f->fn[fn], CFG_COMMAND, 2) & COMMAND_MEMORY;
}

/* INTx is asserted, or still is when software lets it through: its line is raised. */
static void intx_assert(struct bus_fn *n)
{
	if (bus_config_get(n, CFG_STATUS, 2) & STATUS_INTX &&
	    !(bus_config_get(n, CFG_COMMAND, 2) & COMMAND_INTX_OFF) && n->intx != IO_NONE &&
	    current_task)
		irq_raise(n->intx);
}

void bus_intx_send(struct bus_fn *n)
{
	if (!n->pci)
		return;
	put(n, CFG_STATUS, 2, bus_config_get(n, CFG_STATUS, 2) | STATUS_INTX);
	intx_assert(n);
}

void bus_intx_wire(struct fabric *f, u32 fn, u32 irq)
{
	f->fn[fn].intx = irq;
}

bool bus_intx_pending(const struct fabric *f, u32 fn)
{
	return bus_config_get(&f->fn[fn], CFG_STATUS, 2) & STATUS_INTX;
}

void bus_intx_clear(struct fabric *f, u32 fn)
{
	struct bus_fn *n = &f->fn[fn];

	if (bus_intx_pending(f, fn))
		put(n, CFG_STATUS, 2, bus_config_get(n, CFG_STATUS, 2) & ~STATUS_INTX);
}

/* --- a function level reset (PCI Express 6.0, 6.6.2) --- */

/*
 * What software has set goes, addresses and all: nothing is turned on. What the function
 * has sent stays on its way, and so do page requests: their responses still come.
 */
static void function_level_reset(struct bus_fn *n)
{
	bus_config_make(n);
	put(n, CFG_COMMAND, 2, 0);
	for (u32 i = 0; i < BUS_BARS; i++)
		put(n, CFG_BAR0 + 4 * i, 4, 0);
	if (n->f->machine->device[n->index].ats)
		put(n, CFG_ATS + 6, 2, 0);
	if (n->f->machine->device[n->index].pri) {
		put(n, CFG_PRI + 4, 2, 0);
		put(n, CFG_PRI + 12, 4, 0);
	}
	if (n->f->machine->device[n->index].pasid)
		put(n, CFG_PASID + 6, 2, 0);
	memset(n->atc, 0, sizeof(n->atc));
	for (u32 i = 0; i < BUS_BARS; i++) {
		if (n->bar[i].reset)
			n->bar[i].reset(n->bar[i].arg);
	}
}

/* Bits that software may change. */
static const struct {
	u32 off, mask;
} writable[] = {
	{CFG_COMMAND, 0x0406},     {0x3c, 0xff},
	{CFG_MSI, 0x0001u << 16},  {CFG_MSI + 4, 0xfffffffc},
	{CFG_MSI + 8, 0xffffffff}, {CFG_MSI + 12, 0xffff},
	{CFG_PCIE + 8, 0xffff},
};

static u32 mask_of(const struct bus_fn *n, u32 off)
{
	const struct machine_device *d = &n->f->machine->device[n->index];

	if (off >= CFG_BAR0 && off < CFG_BAR0 + 4 * BUS_BARS) {
		u64 size = n->bar[(off - CFG_BAR0) / 4].size;

		return size ? (u32) ~(size - 1) : 0;
	}
	if (d->ats && off == CFG_ATS + 4)
		return 0x801fu << 16;
	if (d->pri && off == CFG_PRI + 4)
		return 1;
	if (d->pri && off == CFG_PRI + 12)
		return ~0u;
	if (d->pasid && off == CFG_PASID + 4)
		return 7u << 16;
	for (u32 i = 0; i < ARRAY_SIZE(writable); i++) {
		if (writable[i].off == off)
			return writable[i].mask;
	}
	return 0;
}

static struct bus_fn *fn_of(struct fabric *f, u32 rid)
{
	for (u32 i = 0; i < f->machine->n_devices; i++) {
		if (f->fn[i].pci && f->machine->device[i].bdf == rid)
			return &f->fn[i];
	}
	return NULL;
}

static u32 config_read(void *arg, u32 rid, u32 off, u32 size)
{
	const struct bus_fn *n = fn_of(arg, rid);

	return n ? bus_config_get(n, off, size) : 0xffffffffu;
}

static void config_write(void *arg, u32 rid, u32 off, u32 size, u32 value)
{
	struct bus_fn *n = fn_of(arg, rid);
	u32 word = off & ~3u, shift = 8 * (off & 3), mask, old;

	if (!n)
		return;
	mask = mask_of(n, word);
	mask &= (size == 4 ? 0xffffffffu : (1u << (8 * size)) - 1) << shift;
	old = bus_config_get(n, word, 4);
	put(n, word, 4, (old & ~mask) | (value << shift & mask));
	if (word == DEVCTL && value << shift & mask & DEVCTL_FLR)
		function_level_reset(n);
	if (word == CFG_COMMAND)
		intx_assert(n);
	/* What is written as 1 is cleared. */
	if (n->f->machine->device[n->index].pri && word == CFG_PRI + 4 && off + size > word + 2)
		put(n, word + 2, 2,
		    bus_config_get(n, word + 2, 2) &
			    ~(value << shift >> 16 & (PRI_FAILED | PRI_UNEXPECTED)));
}

void bus_pri_status(struct bus_fn *n, u32 bits)
{
	if (n->pci && n->f->machine->device[n->index].pri)
		put(n, CFG_PRI + 6, 2, bus_config_get(n, CFG_PRI + 6, 2) | bits);
}

const struct io_config_ops bus_config_ops = {config_read, config_write};
