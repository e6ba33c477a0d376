// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function is bytes of configuration space, a mask of what may be written, and the
 * registers of two BARs. What it does it does in whoever writes to it.
 */
#include "hw/function/function_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/kapi/irq.h"
#include "sim/sched/sched.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS = 0x06, BAR0 = 0x10, CAP_MSI = 0x40, CAP_MSIX = 0x58, CAP_EXP = 0x70 };
enum { EXT_ATS = 0x100, EXT_PRI = 0x110, EXT_PASID = 0x130, EXT_ACS = 0x150 };
enum { COMMAND_MEMORY = 2, COMMAND_MASTER = 4, COMMAND_INTX_OFF = 0x400 };
enum { STATUS_INTX = 8, STATUS_CAPS = 16 };
enum { DEVCTL = CAP_EXP + 8, FLR = 0x8000 };

/* --- configuration space --- */

static u32 get(const u8 *at, u32 size)
{
	u32 value = 0;

	memcpy(&value, at, size);
	return value;
}

static u32 config16(const struct function *f, u32 off)
{
	return get(f->config + off, 2);
}

static void set(struct function *f, u32 off, u32 size, u32 value, u32 writable)
{
	memcpy(f->config + off, &value, size);
	memcpy(f->writable + off, &writable, size);
}

static void assert_line(struct function *f)
{
	if (config16(f, STATUS) & STATUS_INTX && !(config16(f, 4) & COMMAND_INTX_OFF) &&
	    f->wire != IO_NONE && function_has_power(f) && current_task)
		irq_raise(f->wire);
}

void function_reset(struct function *f)
{
	memcpy(f->config, f->fresh, sizeof(f->config));
	if (!f->bar_is_new)
		memset(f->bar, 0, sizeof(f->bar));
	f->bar_is_new = true;
	if (f->mig)
		function_mig_reset(f);
}

static struct function *function_of(struct functions *all, u32 rid)
{
	for (u32 i = 0; i < all->n; i++) {
		struct function *f = &all->fn[i];

		if (all->m->device[f->index].bdf == rid)
			return f;
	}
	return NULL;
}

static u32 config_read(void *arg, u32 rid, u32 off, u32 size)
{
	const struct function *f = function_of(arg, rid);

	if (!f)
		return 0xffffffffu;
	return off + size <= CONFIG_BYTES ? get(f->config + off, size) : 0;
}

static bool covers(u32 off, u32 size, u32 byte)
{
	return off <= byte && byte < off + size;
}

static void config_write(void *arg, u32 rid, u32 off, u32 size, u32 value)
{
	struct function *f = function_of(arg, rid);
	u32 power;

	if (!f || off + size > CONFIG_BYTES)
		return;
	power = function_power(f);
	for (u32 i = 0; i < size; i++) {
		u8 mask = f->writable[off + i];

		f->config[off + i] = (f->config[off + i] & ~mask) | (value >> 8 * i & mask);
	}
	if (get(f->config + CAP_EXP, 1) && covers(off, size, DEVCTL + 1) &&
	    value >> 8 * (DEVCTL + 1 - off) & FLR >> 8)
		function_reset(f);
	if (covers(off, size, 5))
		assert_line(f);
	function_caps_written(f, off, size, value, power);
}

static const struct io_config_ops config_ops = {config_read, config_write};

/* --- interrupts --- */

/* A posted write of the function's: hardware of its own carries it out. */
static void message(struct function *f, u64 addr, u32 data)
{
	if (current_task)
		io_message(f->all->w, addr, data);
}

static void send(struct function *f, u32 n)
{
	const u8 *entry = f->bar[1] + 16 * (n % FUNCTION_VECTORS);
	u32 msi = config16(f, CAP_MSI + 2), msix = config16(f, CAP_MSIX + 2);

	if (!(config16(f, 4) & COMMAND_MASTER) || !function_has_power(f))
		return;
	if (msix & 0x8000) {
		if (n < FUNCTION_VECTORS && !(msix & 0x4000) && !(entry[12] & 1))
			message(f, get(entry, 4), get(entry + 8, 4));
	} else if (n < 1u << (msi >> 4 & 7) && !(get(f->config + CAP_MSI + 16, 4) & 1u << n)) {
		message(f, get(f->config + CAP_MSI + 4, 4), config16(f, CAP_MSI + 12) + n);
	}
}

void function_interrupt(struct function *f, u32 n)
{
	if (config16(f, CAP_MSIX + 2) & 0x8000 || config16(f, CAP_MSI + 2) & 1) {
		send(f, n);
		return;
	}
	f->config[STATUS] |= STATUS_INTX;
	assert_line(f);
}

/* --- registers --- */

void function_dma(struct function *f, bool write)
{
	struct functions *all = f->all;
	u8 *reg = f->bar[0];
	u64 iova = get(reg + REG_DMA_LOW, 4) | (u64)get(reg + REG_DMA_LOW + 4, 4) << 32, pa = 0;
	bool ok = config16(f, 4) & COMMAND_MASTER && iova % 4096 <= 4092 && current_task &&
		  all->translate(all->w, f->index, iova, write, &pa);
	u32 status;

	if (ok)
		ok = write ? io_phys_write(all->w, pa, reg + REG_DATA, 4)
			   : io_phys_read(all->w, pa, reg + REG_DATA, 4);
	if (ok && write && f->mig)
		function_mig_log(f, iova);
	status = !ok;
	f->bar_is_new = false;
	memcpy(reg + REG_STATUS, &status, sizeof(status));
}

bool function_decodes(const struct function *f)
{
	return config16(f, 4) & COMMAND_MEMORY && function_has_power(f);
}

static u64 bar_read(void *arg, u64 off, u32 size)
{
	const struct bar *b = arg;
	u64 value = 0;

	if (!function_decodes(b->f))
		return ~0ULL;
	memcpy(&value, b->f->bar[b->index] + off, size);
	return value;
}

static void bar_write(void *arg, u64 off, u32 size, u64 value)
{
	const struct bar *b = arg;
	struct function *f = b->f;

	if (!function_decodes(f) || function_mig_still(f))
		return;
	f->bar_is_new = false;
	memcpy(f->bar[b->index] + off, &value, size);
	if (b->index || function_mig_defers(f, off, (u32)value))
		return;
	if (off == REG_INTERRUPT)
		function_interrupt(f, (u32)value);
	else if (off == REG_CLEAR)
		f->config[STATUS] &= (u8)~STATUS_INTX;
	else if (off == REG_DMA)
		function_dma(f, value != 1);
}

static const struct io_ops bar_ops = {bar_read, bar_write};

/* --- memory of its own --- */

static u64 memory_read(void *arg, u64 off, u32 size)
{
	const struct function *f = arg;
	u64 value = 0;

	memcpy(&value, f->memory + off, size);
	return value;
}

static void memory_write(void *arg, u64 off, u32 size, u64 value)
{
	struct function *f = arg;

	f->memory_is_new = false;
	memcpy(f->memory + off, &value, size);
}

static const struct io_ops memory_ops = {memory_read, memory_write};

/* --- building --- */

static void add_express(struct function *f, const struct machine_bus *b)
{
	bool root = b->parent == MACHINE_NONE;
	u32 last;

	set(f, CAP_EXP, 2, 0x10, 0);
	set(f, CAP_EXP + 2, 2, 2 | (root ? 9u : 0u) << 4, 0);
	set(f, CAP_EXP + 4, 4, 0x8000 | 0x10000000, 0);
	set(f, DEVCTL, 2, 0, 0x7fff);
	set(f, CAP_EXP + 0x24, 4, 0x200000, 0);
	set(f, EXT_ATS, 4, 0x0f | 1 << 16 | EXT_PRI << 20, 0);
	set(f, EXT_ATS + 4, 2, 0x20, 0);
	set(f, EXT_ATS + 6, 2, 0, 0x801f);
	set(f, EXT_PRI, 4, 0x13 | 1 << 16 | EXT_PASID << 20, 0);
	set(f, EXT_PRI + 4, 2, 0, 1);
	set(f, EXT_PRI + 6, 2, 0x8100, 0);
	set(f, EXT_PRI + 8, 4, 32, 0);
	set(f, EXT_PRI + 12, 4, 0, ~0u);
	last = function_ext_fill(f, 0);
	set(f, EXT_PASID, 4, 0x1b | 1u << 16 | (b->acs ? (u32)EXT_ACS : last) << 20, 0);
	set(f, EXT_PASID + 4, 2, 16 << 8, 0);
	set(f, EXT_PASID + 6, 2, 0, 1);
	if (!b->acs)
		return;
	set(f, EXT_ACS, 4, 0x0d | 1 << 16 | last << 20, 0);
	set(f, EXT_ACS + 4, 2, 0x1f, 0);
	set(f, EXT_ACS + 6, 2, 0x1d, 0x1f); /* as PCI's core leaves it */
}

/* Of several functions in the slot, each says so. */
static u32 header_type(const struct machine *m, u32 index)
{
	const struct machine_device *d = &m->device[index];

	for (u32 i = 0; i < m->n_devices; i++) {
		if (i != index && m->device[i].bus == d->bus &&
		    (m->device[i].bdf & 0xf8) == (d->bdf & 0xf8))
			return 0x80;
	}
	return 0;
}

static void fill(struct function *f, const struct machine *m, u64 pa)
{
	const struct machine_device *d = &m->device[f->index];
	const struct machine_bus *b = &m->bus[d->bus];

	set(f, 0x00, 4, 0x01001de1, 0);
	set(f, 0x04, 2, 0, 0x547);
	set(f, STATUS, 2, STATUS_CAPS, 0);
	set(f, 0x08, 4, (d->bridge ? 0x088000u : 0x020000u) << 8 | 1, 0);
	set(f, 0x0c, 1, 0, 0xff);
	set(f, 0x0e, 1, header_type(m, f->index), 0);
	for (u32 i = 0; i < FUNCTION_BARS; i++)
		set(f, BAR0 + 4 * i, 4, (u32)pa + i * FUNCTION_BAR_SIZE, ~(FUNCTION_BAR_SIZE - 1));
	if (f->mig)
		set(f, BAR0 + 4 * FUNCTION_MIGRATION_BAR, 4,
		    (u32)pa + FUNCTION_MIGRATION_BAR * FUNCTION_BAR_SIZE,
		    ~(2 * FUNCTION_CONTROL - 1));
	set(f, 0x34, 1, function_caps_fill(f, CAP_MSI), 0);
	set(f, 0x3c, 1, 16 + (d->bdf >> 3 & 0xf), 0xff);
	set(f, 0x3d, 1, 1, 0);
	set(f, CAP_MSI, 2, 0x05 | CAP_MSIX << 8, 0);
	set(f, CAP_MSI + 2, 2, 0x184, 0x71);
	set(f, CAP_MSI + 4, 4, 0, ~3u);
	set(f, CAP_MSI + 8, 4, 0, ~0u);
	set(f, CAP_MSI + 12, 2, 0, 0xffff);
	set(f, CAP_MSI + 16, 4, 0, (1u << FUNCTION_VECTORS) - 1);
	set(f, CAP_MSIX, 2, 0x11 | (b->alias ? 0 : CAP_EXP << 8), 0);
	set(f, CAP_MSIX + 2, 2, FUNCTION_VECTORS - 1, 0xc000);
	set(f, CAP_MSIX + 4, 4, 1, 0);
	set(f, CAP_MSIX + 8, 4, 1 | FUNCTION_BAR_SIZE / 2, 0);
	if (!b->alias)
		add_express(f, b);
	memcpy(f->fresh, f->config, sizeof(f->config));
}

static void power_on(void *arg)
{
	struct functions *all = arg;

	for (u32 i = 0; i < all->n; i++) {
		function_reset(&all->fn[i]);
		all->fn[i].wire = IO_NONE;
		function_caps_power_on(&all->fn[i]);
		if (all->fn[i].memory && !all->fn[i].memory_is_new)
			memset(all->fn[i].memory, 0, FUNCTION_MEMORY_SIZE);
		all->fn[i].memory_is_new = true;
	}
}

static bool no_work(void *arg)
{
	(void)arg;
	return false;
}

static void gone(void *arg)
{
	struct functions *all = arg;

	all->w->functions = NULL;
	for (u32 i = 0; i < all->n; i++) {
		free(all->fn[i].mig);
		free(all->fn[i].memory);
		free(all->fn[i].vpd);
		free(all->fn[i].rom);
	}
	free(all);
}

static bool is_function(const struct machine *m, u32 i)
{
	return m->bus[m->device[i].bus].kind == MACHINE_BUS_PCI;
}

static void add_region(struct world *w, u64 pa, u64 size, const struct io_ops *ops, void *arg)
{
	struct io_region r = {.pa = pa, .size = size, .ops = ops, .arg = arg, .name = "function",
			      .worker = IO_NONE};

	sim_assert(io_region_add(w, &r));
}

/* What only some functions have; before fill(). */
static void add_more(struct world *w, struct function *f, u64 pa)
{
	const struct machine_device *d = &f->all->m->device[f->index];

	function_caps_new(f, d);
	if (f->rom)
		add_region(w, function_rom_pa(f->index), FUNCTION_ROM_SIZE, &function_rom_ops, f);
	if (d->migration) {
		f->mig = function_mig_new();
		add_region(w, pa + FUNCTION_MIGRATION_BAR * FUNCTION_BAR_SIZE,
			   2ULL * FUNCTION_CONTROL, &function_mig_ops, f);
	}
	if (d->memory) {
		f->memory = calloc(1, FUNCTION_MEMORY_SIZE);
		sim_assert(f->memory);
		add_region(w, FUNCTION_MEMORY + (u64)f->index * FUNCTION_MEMORY_SIZE,
			   FUNCTION_MEMORY_SIZE, &memory_ops, f);
	}
}

static void add_bars(struct world *w, struct function *f, u64 pa)
{
	for (u32 i = 0; i < FUNCTION_BARS; i++) {
		f->bars[i] = (struct bar){f, i};
		add_region(w, pa + i * FUNCTION_BAR_SIZE, FUNCTION_BAR_SIZE, &bar_ops,
			   &f->bars[i]);
	}
}

void function_build(struct world *w, const struct machine *m, function_translate_fn translate)
{
	struct functions *all;
	u32 n = 0;

	for (u32 i = 0; i < m->n_devices; i++)
		n += is_function(m, i);
	if (!n)
		return;
	all = calloc(1, sizeof(*all) + n * sizeof(all->fn[0]));
	sim_assert(all);
	*all = (struct functions){.w = w, .m = m, .translate = translate};
	for (u32 i = 0; i < m->n_devices; i++) {
		u64 pa = FUNCTION_MEM + i * FUNCTION_MEM_STEP;
		struct function *f = &all->fn[all->n];

		if (!is_function(m, i))
			continue;
		all->n++;
		f->all = all;
		f->index = i;
		add_more(w, f, pa);
		fill(f, m, pa);
		add_bars(w, f, pa);
	}
	io_config_set(w, &config_ops, all);
	io_worker_add(w, &(struct io_worker){.name = "functions", .step = no_work,
					     .reset = power_on, .arg = all});
	io_on_forget(w, gone, all);
	power_on(all);
	w->functions = all;
}

void function_wire(struct world *w, u32 fn, u32 irq)
{
	struct functions *all = w->functions;

	for (u32 i = 0; all && i < all->n; i++) {
		if (all->fn[i].index == fn)
			all->fn[i].wire = irq;
	}
}

bool function_rid(const struct world *w, u64 fn, u32 *rid)
{
	const struct functions *all = w->functions;

	for (u32 i = 0; all && i < all->n; i++) {
		if (all->fn[i].index != fn)
			continue;
		*rid = all->m->device[fn].bdf;
		return true;
	}
	return false;
}

void function_wire_pme(struct world *w, u32 fn, u32 irq)
{
	struct functions *all = w->functions;

	for (u32 i = 0; all && i < all->n; i++) {
		if (all->fn[i].index == fn)
			all->fn[i].pme_wire = irq;
	}
}

void function_reached(struct world *w, u32 fn, u64 pa, bool write)
{
	u64 control = FUNCTION_MEM + fn * FUNCTION_MEM_STEP +
		      FUNCTION_MIGRATION_BAR * FUNCTION_BAR_SIZE + FUNCTION_CONTROL;
	struct functions *all = w->functions;

	for (u32 i = 0; all && i < all->n; i++) {
		const struct function *f = &all->fn[i];

		if (f->index == fn && f->mig && pa >= control && pa - control < FUNCTION_CONTROL)
			fact(HW_P2P, ~0ULL, pa, fn, write);
	}
}
