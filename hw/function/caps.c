// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only some functions have: power management (3.2 of PCI Power Management 1.2), vital
 * product data (PCI Local Bus 3.0, appendix I), advanced error reporting, an expansion ROM.
 *
 * In D3hot a function has nothing but its configuration space; from there back to D0 it is
 * as after a reset, but for what power management itself holds. Data is read and written at
 * once. No errors are reported: their registers have masks and nothing to mask.
 */
#include "hw/function/function_priv.h"

#include "sim/kapi/irq.h"
#include "sim/sched/sched.h"

#include <stdlib.h>
#include <string.h>

enum { CAP_PM = 0xa8, CAP_VPD = 0xb0, EXT_AER = 0x160, ROM_ADDRESS = 0x30 };
enum { PMC = CAP_PM + 2, PMCSR = CAP_PM + 4, VPD_ADDR = CAP_VPD + 2, VPD_DATA = CAP_VPD + 4 };
enum { PM_STATE = 3, PM_PME_ENABLE = 0x100, PM_PME_STATUS = 0x8000 };

#define VPD_DONE 0x8000u
#define ROM_ENABLE 1u

static u32 get(const struct function *f, u32 off, u32 size)
{
	u32 value = 0;

	memcpy(&value, f->config + off, size);
	return value;
}

static void put(struct function *f, u32 off, u32 size, u32 value)
{
	memcpy(f->config + off, &value, size);
}

static void set(struct function *f, u32 off, u32 size, u32 value, u32 writable)
{
	memcpy(f->config + off, &value, size);
	memcpy(f->writable + off, &writable, size);
}

/* --- power --- */

bool function_has_power(const struct function *f)
{
	return !(f->has_pm && get(f, PMCSR, 2) & PM_STATE);
}

/* What it was told by power management stays. */
static void soft_reset(struct function *f)
{
	u32 control = get(f, PMCSR, 2);

	function_reset(f);
	put(f, PMCSR, 2, control);
}

static void power_written(struct function *f, u32 old, u32 value)
{
	u32 now = get(f, PMCSR, 2);

	/* Its status is cleared by writing 1. */
	put(f, PMCSR, 2, value & PM_PME_STATUS ? now & ~(u32)PM_PME_STATUS : now);
	if ((old & PM_STATE) == PM_STATE && !(now & PM_STATE))
		soft_reset(f);
}

/* Something comes from outside: it asks for power, if it may. */
static void wake(struct function *f)
{
	u32 control = get(f, PMCSR, 2);

	if (function_has_power(f) || !(control & PM_PME_ENABLE))
		return;
	put(f, PMCSR, 2, control | PM_PME_STATUS);
	if (f->pme_wire != IO_NONE && current_task)
		irq_raise(f->pme_wire);
}

/* --- vital product data --- */

/* A name, a read-only part with its checksum, a part that can be written, the end. */
static void fresh_vpd(u8 *v)
{
	static const u8 head[] = {0x82, 8, 0, 'i', 'o', 'm', 'm', 'u', 'l', 'a', 'b',
				  0x90, 11, 0, 'P', 'N', 4, 'f', 'n', '-', '1', 'R', 'V', 1};
	static const u8 tail[] = {0x91, 11, 0, 'R', 'W', 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x78};
	u8 sum = 0;

	memset(v, 0, FUNCTION_VPD_SIZE);
	memcpy(v, head, sizeof(head));
	for (u32 i = 0; i < sizeof(head); i++)
		sum += v[i];
	v[sizeof(head)] = (u8)-sum;
	memcpy(v + sizeof(head) + 1, tail, sizeof(tail));
}

static void vpd_written(struct function *f)
{
	u32 addr = get(f, VPD_ADDR, 2), at = addr & ~VPD_DONE & ~3u, data = 0;

	if (addr & VPD_DONE && at < FUNCTION_VPD_SIZE)
		memcpy(f->vpd + at, f->config + VPD_DATA, 4);
	if (!(addr & VPD_DONE) && at < FUNCTION_VPD_SIZE)
		memcpy(&data, f->vpd + at, 4);
	if (!(addr & VPD_DONE))
		put(f, VPD_DATA, 4, data);
	put(f, VPD_ADDR, 2, addr ^ VPD_DONE);
}

/* --- the ROM --- */

static u64 rom_read(void *arg, u64 off, u32 size)
{
	const struct function *f = arg;
	u64 value = 0;

	if (!(get(f, ROM_ADDRESS, 4) & ROM_ENABLE) || !function_decodes(f))
		return ~0ULL;
	memcpy(&value, f->rom + off, size);
	return value;
}

static void rom_write(void *arg, u64 off, u32 size, u64 value)
{
	(void)arg;
	(void)off;
	(void)size;
	(void)value;
}

const struct io_ops function_rom_ops = {rom_read, rom_write};

/* One image of 1 KiB, which is the last: its header and that of its data. */
static void fill_rom(u8 *rom)
{
	static const u8 data[] = {'P', 'C', 'I', 'R', 0xe1, 0x1d, 0, 1, 0, 0, 24, 0, 3, 0, 0, 2,
				  2, 0, 1, 0, 3, 0x80};

	rom[0] = 0x55;
	rom[1] = 0xaa;
	rom[0x18] = 0x40;
	memcpy(rom + 0x40, data, sizeof(data));
	for (u32 i = 0x80; i < 1024; i++)
		rom[i] = (u8)i;
}

/* --- configuration space --- */

static bool covers(u32 off, u32 size, u32 byte)
{
	return off <= byte && byte < off + size;
}

void function_caps_written(struct function *f, u32 off, u32 size, u32 value, u32 old_power)
{
	if (f->has_pm && (covers(off, size, PMCSR) || covers(off, size, PMCSR + 1)))
		power_written(f, old_power, off > PMCSR ? value << 8 : value);
	if (f->vpd && covers(off, size, VPD_ADDR + 1))
		vpd_written(f);
	if (f->has_pm && covers(off, size, FUNCTION_WAKE))
		wake(f);
}

u32 function_power(const struct function *f)
{
	return f->has_pm ? get(f, PMCSR, 2) : 0;
}

u32 function_caps_fill(struct function *f, u32 next)
{
	if (f->vpd) {
		set(f, CAP_VPD, 2, 0x03 | next << 8, 0);
		set(f, VPD_ADDR, 2, 0, 0xffff);
		set(f, VPD_DATA, 4, 0, ~0u);
		next = CAP_VPD;
	}
	if (f->has_pm) {
		set(f, CAP_PM, 2, 0x01 | next << 8, 0);
		set(f, PMC, 2, 0x4803, 0); /* version 3; wakes from D0 and D3hot */
		set(f, PMCSR, 4, 0, PM_STATE | PM_PME_ENABLE);
		set(f, FUNCTION_WAKE, 1, 0, 0);
		next = CAP_PM;
	}
	if (f->rom)
		set(f, ROM_ADDRESS, 4, (u32)function_rom_pa(f->index),
		    ~(FUNCTION_ROM_SIZE - 1) | ROM_ENABLE);
	return next;
}

u32 function_ext_fill(struct function *f, u32 next)
{
	if (!f->has_aer)
		return next;
	set(f, EXT_AER, 4, 0x01 | 2u << 16 | next << 20, 0);
	set(f, EXT_AER + 0x04, 4, 0, 0);           /* uncorrectable: status, mask, severity */
	set(f, EXT_AER + 0x08, 4, 0, 0x03fff031);
	set(f, EXT_AER + 0x0c, 4, 0x00462030, 0x03fff031);
	set(f, EXT_AER + 0x10, 4, 0, 0);           /* correctable: status, mask */
	set(f, EXT_AER + 0x14, 4, 0x2000, 0xf1c1);
	set(f, EXT_AER + 0x18, 4, 0xa0, 0x140);    /* can make and check ECRC */
	return EXT_AER;
}

void function_caps_new(struct function *f, const struct machine_device *d)
{
	f->has_pm = d->pm;
	f->has_aer = d->aer;
	if (d->vpd)
		f->vpd = calloc(1, FUNCTION_VPD_SIZE);
	if (d->rom)
		f->rom = calloc(1, FUNCTION_ROM_SIZE);
	if (f->rom)
		fill_rom(f->rom);
}

void function_caps_power_on(struct function *f)
{
	f->pme_wire = IO_NONE;
	if (f->vpd)
		fresh_vpd(f->vpd);
}
