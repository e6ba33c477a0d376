// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all endpoints share: how they hang in the fabric, how they issue DMA.
 */
#include "hw/dev/dev.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASID_ON (1u << 31)
#define PASID_MASK 0xfffffu

static const struct dev_model *const models[] = {&dev_copy_engine, &dev_firmware,
						 &dev_queue_storage, &dev_ring_nic};

const struct dev_model *dev_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(models); i++) {
		if (strcmp(models[i]->name, name) == 0)
			return models[i];
	}
	return NULL;
}

const char *dev_model_name(u32 i)
{
	return i < ARRAY_SIZE(models) ? models[i]->name : NULL;
}

static u64 bar_read(void *arg, u64 off, u32 size)
{
	struct dev *d = arg;

	if (!bus_decodes(d->fabric, d->fn))
		return ~0ULL;
	if (off / 8 == DEV_INTX / 8)
		return off == DEV_INTX && bus_intx_pending(d->fabric, d->fn);
	return d->model->read(d, off, size);
}

static void bar_write(void *arg, u64 off, u32 size, u64 value)
{
	struct dev *d = arg;

	if (!bus_decodes(d->fabric, d->fn))
		return;
	if (off == DEV_INTX && value & 1)
		bus_intx_clear(d->fabric, d->fn);
	if (off / 8 != DEV_INTX / 8)
		d->model->write(d, off, size, value);
}

static const struct io_ops bar_ops = {bar_read, bar_write};

static bool dev_step(void *arg)
{
	struct dev *d = arg;
	bool more;

	d->stepping = true;
	more = d->model->step(d);
	d->stepping = false;
	if (d->reset_due) {
		d->reset_due = false;
		d->model->reset(d);
	}
	return more;
}

static void dev_reset(void *arg)
{
	struct dev *d = arg;

	d->stepping = d->reset_due = false;
	d->model->reset(d);
}

/* Of the function alone, in the middle of a run. */
static void function_reset(void *arg)
{
	struct dev *d = arg;

	if (d->stepping)
		d->reset_due = true;
	else
		d->model->reset(d);
}

static void dev_gone(void *arg)
{
	struct dev *d = arg;

	if (d->model->destroy)
		d->model->destroy(d);
	hw_free(d);
}

struct dev *dev_create(struct fabric *f, u32 fn, const struct dev_model *model, char *err,
		       size_t err_size)
{
	const struct machine_device *m = bus_device(f, fn);
	struct io_worker k = {.name = m->name, .step = dev_step, .reset = dev_reset};
	struct bus_bar bar = {.size = model->bar_size, .ops = &bar_ops, .reset = function_reset};
	struct dev *d = hw_calloc(1, model->state_size);

	sim_assert(d && model->state_size >= sizeof(*d));
	d->model = model;
	d->fabric = f;
	d->fn = fn;
	if (model->class)
		bus_class(f, fn, model->class);
	if (model->create && !model->create(d, m, err, err_size)) {
		hw_free(d);
		return NULL;
	}
	k.arg = d;
	d->worker = io_worker_add(bus_world(f), &k);
	bar.arg = d;
	bar.worker = d->worker;
	if (d->worker == IO_NONE || !bus_bar_add(f, fn, 0, &bar)) {
		snprintf(err, err_size, "no room for its registers");
		dev_gone(d);
		return NULL;
	}
	bus_owns(f, dev_gone, d);
	model->reset(d);
	return d;
}

static struct bus_req request(u64 addr, u32 pasid, u16 access)
{
	return (struct bus_req){.addr = addr, .access = access,
				.pasid = pasid & PASID_ON ? pasid & PASID_MASK : HW_NO_PASID};
}

enum hw_status dev_read(struct dev *d, u64 addr, u32 pasid, void *to, u64 len)
{
	struct bus_req r = request(addr, pasid, HW_READ);

	return bus_dma(d->fabric, d->fn, &r, to, len);
}

void dev_post(struct dev *d, u64 addr, u32 pasid, const void *from, u64 len)
{
	struct bus_req r = request(addr, pasid, HW_WRITE);

	bus_post(d->fabric, d->fn, &r, from, len);
}

enum hw_status dev_write(struct dev *d, u64 addr, u32 pasid, const void *from, u64 len)
{
	struct bus_req r = request(addr, pasid, HW_WRITE);

	return bus_dma(d->fabric, d->fn, &r, (void *)(uintptr_t)from, len);
}

u64 dev_reg_get(u64 reg, u64 off, u32 size)
{
	(void)size;
	return reg >> (8 * (off & 7));
}

u64 dev_reg_set(u64 reg, u64 off, u32 size, u64 value)
{
	u64 mask = size >= 8 ? ~0ULL : ((1ULL << (8 * size)) - 1) << (8 * (off & 7));

	return (reg & ~mask) | (value << (8 * (off & 7)) & mask);
}
