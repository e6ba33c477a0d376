// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the fabric of a machine, and is the environment of its IOMMUs.
 */
#include "hw/bus/bus_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/choice/choice.h"
#include "sim/kapi/irq.h"
#include "sim/mem/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITS_SIZE 4096

/* --- the environment of a model --- */

static struct fabric_iommu *im_of(struct hw_env *e)
{
	return e->owner;
}

bool bus_can_wait(const struct fabric *f)
{
	return current_task && !f->world->sched->setup && !(current_task->flags & TASK_IRQ) &&
	       !current_task->preempt_count && !current_task->irq_off;
}

u32 bus_choose(struct fabric *f, u32 n)
{
	return choice_below(f->world->choice, CHOICE_HW, n);
}

static void env_point(struct hw_env *e, const char *why)
{
	(void)why;
	if (current_task)
		sched_point(e, 1, OP_SYNC);
}

static u32 env_choose(struct hw_env *e, u32 n)
{
	return n > 1 ? bus_choose(im_of(e)->f, n) : 0;
}

/* Its own messages go where any write goes: a doorbell, or memory (SMMUv3's CMD_SYNC). */
static void env_msi(struct hw_env *e, u64 addr, u32 data)
{
	if ((addr & 4095) <= 4092)
		io_phys_write(im_of(e)->f->world, addr, &data, sizeof(data));
}

static void env_wire(struct hw_env *e, u32 n, bool level)
{
	struct fabric_iommu *im = im_of(e);
	bool was;

	if (n >= BUS_WIRES)
		return;
	was = im->up >> n & 1;
	im->up = (im->up & ~(1u << n)) | (u32)level << n;
	if (level && !was && im->irq[n] != IO_NONE && current_task)
		irq_raise(im->irq[n]);
}

static void env_send(struct hw_env *e, const struct hw_msg *m)
{
	bus_receive(im_of(e), m);
}

static void env_resume(struct hw_env *e, u16 tag, bool retry)
{
	bus_resume(im_of(e), tag, retry);
}

#define APIC_BASE 0xfee00000ULL

static void env_deliver(struct hw_env *e, u32 dest, u32 vector)
{
	io_message(im_of(e)->f->world, APIC_BASE | (u64)(dest & 0xff) << 12, vector);
}

static u32 device_of(const struct fabric *f, const struct fabric_iommu *im, u32 sid)
{
	for (u32 i = 0; i < f->machine->n_devices; i++) {
		if (f->fn[i].iommu == im && f->fn[i].sid == sid)
			return i;
	}
	return MACHINE_NONE;
}

/* What the fabric itself makes something of. */
#define FACTS_TAKEN                                                                            \
	(1u << HW_FACT_FAULT | 1u << HW_FACT_WALK_WORD | 1u << HW_FACT_PROTOCOL | \
	 1u << HW_FACT_TORN)

static void env_fact(struct hw_env *e, enum hw_fact kind, const u64 arg[4])
{
	struct fabric_iommu *im = im_of(e);

	if (!current_task)
		return;
	if (kind == HW_FACT_WALK_WORD)
		fact(HW_WALK, im->index, arg[0], arg[1]);
	else if (kind == HW_FACT_FAULT)
		fact(HW_FAULT, device_of(im->f, im, (u32)arg[0]), arg[1], arg[2]);
	else if (kind == HW_FACT_PROTOCOL)
		fact(HW_PROTOCOL, im->index, arg[0], arg[1], arg[2]);
	else if (kind == HW_FACT_TORN)
		fact(HW_TORN, im->index, arg[0], arg[1]);
}

static void env_wrote(struct hw_env *e, u64 pa, u64 len)
{
	if (!len || !frames_contains(pa, len))
		return;
	frame_note_write(im_of(e)->f->world, pa, len);
	bus_lines_writes(im_of(e)->f, pa, len);
}

static u64 env_read_flushed(struct hw_env *e, u64 pa)
{
	struct fabric *f = im_of(e)->f;
	u64 value;

	if (f->lines)
		return bus_lines_read(f, pa, im_of(e)->asks_twin ? 0 : im_of(e)->h->evict);
	memcpy(&value, e->ram + pa, sizeof(value));
	return value;
}

/* --- an IOMMU as a piece of hardware --- */

static u64 mmio_read(void *arg, u64 off, u32 size)
{
	struct fabric_iommu *im = arg;

	return im->ops->mmio_read(im->h, off, size);
}

static void mmio_write(void *arg, u64 off, u32 size, u64 value)
{
	struct fabric_iommu *im = arg;

	im->ops->mmio_write(im->h, off, size, value);
}

static const struct io_ops mmio_ops = {mmio_read, mmio_write};

static bool iommu_step(void *arg)
{
	struct fabric_iommu *im = arg;

	return im->ops->work(im->h);
}

static bool iommu_pending(void *arg)
{
	struct fabric_iommu *im = arg;

	return !im->ops->pending || im->ops->pending(im->h);
}

static void too_late(struct clock_timer *t)
{
	struct fabric_iommu *im = container_of(t, struct fabric_iommu, late);

	im->ops->timeout(im->h);
	io_kick(im->f->world, im->worker);
}

static void iommu_reset(void *arg)
{
	struct fabric_iommu *im = arg;

	im->ops->reset(im->h);
	im->up = 0;
	clock_timer_init(&im->late, too_late);
	bus_lines_reset(im->f);
}

static u64 its_read(void *arg, u64 off, u32 size)
{
	(void)arg;
	(void)off;
	(void)size;
	return 0;
}

static void its_write(void *arg, u64 off, u32 size, u64 value)
{
	struct fabric *f = arg;

	if (off == BUS_ITS_DOORBELL - BUS_ITS_BASE && size == 4)
		io_message(f->world, BUS_ITS_DOORBELL, (u32)value);
}

static const struct io_ops its_ops = {its_read, its_write};

static void env_init(struct fabric_iommu *im)
{
	im->env = (struct hw_env){
		.ram = frame_ptr(im->f->world, 0),
		.ram_size = FRAME_MSI_BASE,
		.owner = im,
		.point = env_point,
		.choose = env_choose,
		.msi = env_msi,
		.wire = env_wire,
		.send = env_send,
		.resume = env_resume,
		.deliver = env_deliver,
		.fact = env_fact,
		.deaf = ~FACTS_TAKEN,
		.wrote = env_wrote,
		.provenance = true,
	};
}

bool bus_iommu_add(struct fabric *f, u32 i, const struct hw_iommu_ops *ops, const char *options,
		   char *err, size_t err_size)
{
	struct fabric_iommu *im = &f->iommu[i];
	u64 size = (ops->mmio_size + 0xffff) & ~0xffffULL;
	struct io_region r = {f->next_mmio, ops->mmio_size, &mmio_ops, im,
			      f->machine->iommu[i].name, 0};

	sim_assert(i < f->machine->n_iommus && !im->ops);
	env_init(im);
	im->h = ops->create(&im->env, options && options[0] ? options : NULL, err, err_size);
	if (!im->h)
		return false;
	if (im->h->incoherent)
		im->env.read_flushed = env_read_flushed;
	/* Stories that flush by hand say what is seen before. */
	if (im->h->evict == HW_EVICT_UNSAID)
		im->h->evict = 0;
	im->ops = ops;
	im->base = f->next_mmio;
	im->worker = io_worker_add(f->world, &(struct io_worker){
						     .name = f->machine->iommu[i].name,
						     .step = iommu_step,
						     .pending = iommu_pending,
						     .reset = iommu_reset,
						     .arg = im});
	r.worker = im->worker;
	if (im->worker == IO_NONE || !io_region_add(f->world, &r)) {
		snprintf(err, err_size, "no room for its registers");
		return false;
	}
	f->next_mmio += size;
	clock_timer_init(&im->late, too_late);
	for (u32 k = 0; k < f->machine->n_devices; k++) {
		const struct machine_device *d = &f->machine->device[k];

		if (d->n_iommus && d->iommus[0] == i) {
			f->fn[k].iommu = im;
			f->fn[k].untranslatable = false;
		}
	}
	return true;
}

struct hw_iommu *bus_iommu(struct fabric *f, u32 i)
{
	return i < f->machine->n_iommus ? f->iommu[i].h : NULL;
}

u64 bus_iommu_base(const struct fabric *f, u32 i)
{
	return f->iommu[i].base;
}

void bus_wire(struct fabric *f, u32 i, u32 n, u32 irq)
{
	sim_assert(n < BUS_WIRES);
	f->iommu[i].irq[n] = irq;
}

/* --- functions --- */

/* The bus of the highest conventional bridge above (or at) bus. */
static u32 conventional_bus(const struct machine *m, u32 bus)
{
	u32 top = MACHINE_NONE;

	for (u32 n = 0; n < m->n_buses && bus != MACHINE_NONE; n++, bus = m->bus[bus].parent) {
		if (m->bus[bus].alias)
			top = bus;
	}
	return top;
}

/* A device's own id if firmware gives one; else behind bridges that of the first device there. */
static u32 requester_of(const struct machine *m, u32 i)
{
	u32 top;

	for (u32 n = 0; n < m->n_devices && m->device[i].alias_of != MACHINE_NONE; n++)
		i = m->device[i].alias_of;
	if (m->device[i].n_ids)
		return m->device[i].ids[0];
	top = conventional_bus(m, m->device[i].bus);
	if (top == MACHINE_NONE)
		return m->device[i].bdf;
	for (u32 k = 0; k < m->n_devices; k++) {
		if (conventional_bus(m, m->device[k].bus) == top)
			return m->device[k].bdf;
	}
	return m->device[i].bdf;
}

u32 bus_requester(const struct fabric *f, u32 fn)
{
	return f->fn[fn].sid;
}

static void fn_reset(void *arg)
{
	struct bus_fn *n = arg;

	n->n_posted = 0;
	n->post_errors = 0;
	n->delivering = false;
	memset(n->atc, 0, sizeof(n->atc));
	memset(n->group, 0, sizeof(n->group));
	n->atc_next = 0;
	n->in_flight = 0;
	n->n_inbox = 0;
	n->next_group = 0;
	n->msi_on = false;
	n->intx = IO_NONE;
	bus_config_reset(n);
	if (!n->index)
		memset(n->f->stall, 0, sizeof(n->f->stall));
}

static void fn_init(struct fabric *f, u32 i)
{
	const struct machine_device *d = &f->machine->device[i];
	struct bus_fn *n = &f->fn[i];

	n->f = f;
	n->index = i;
	n->pci = f->machine->bus[d->bus].kind == MACHINE_BUS_PCI;
	n->class = 0x00ff00;
	n->sid = requester_of(f->machine, i);
	n->untranslatable = d->n_iommus > 0;
	n->link = io_worker_add(f->world, &(struct io_worker){.name = d->name,
							      .step = bus_link_step,
							      .reset = fn_reset,
							      .arg = n});
	n->atc_worker = io_worker_add(f->world, &(struct io_worker){.name = d->name,
								    .step = bus_atc_step,
								    .arg = n});
	bus_config_make(n);
	fn_reset(n);
}

static void fabric_gone(void *arg)
{
	struct fabric *f = arg;

	for (u32 i = 0; i < f->n_owned; i++)
		f->owned[i].fn(f->owned[i].arg);
	for (u32 i = 0; i < f->n_iommus; i++) {
		if (f->iommu[i].h)
			f->iommu[i].ops->destroy(f->iommu[i].h);
	}
	bus_lines_free(f);
	f->world->hw = NULL;
	hw_free(f);
}

struct fabric *bus_create(struct world *w, const struct machine *m)
{
	struct fabric *f = hw_calloc(1, sizeof(*f));
	struct io_region its = {BUS_ITS_BASE, ITS_SIZE, &its_ops, f, "its", IO_NONE};

	sim_assert(f && !w->hw);
	f->world = w;
	f->machine = m;
	f->n_iommus = m->n_iommus;
	f->next_mmio = BUS_MMIO_BASE;
	f->next_bar = BUS_BAR_BASE;
	for (u32 i = 0; i < m->n_iommus; i++) {
		f->iommu[i].f = f;
		f->iommu[i].index = i;
		for (u32 n = 0; n < BUS_WIRES; n++)
			f->iommu[i].irq[n] = IO_NONE;
	}
	for (u32 i = 0; i < m->n_devices; i++)
		fn_init(f, i);
	sim_assert(io_region_add(w, &its));
	io_config_set(w, &bus_config_ops, f);
	io_on_forget(w, fabric_gone, f);
	w->hw = f;
	return f;
}

struct fabric *bus_of(const struct world *w)
{
	return w->hw;
}

struct world *bus_world(const struct fabric *f)
{
	return f->world;
}

bool bus_has(const struct fabric *f, u32 fn)
{
	return fn < f->machine->n_devices;
}

const struct machine_device *bus_device(const struct fabric *f, u32 fn)
{
	return &f->machine->device[fn];
}

void bus_owns(struct fabric *f, void (*fn)(void *arg), void *arg)
{
	sim_assert(f->n_owned < BUS_OWNED_MAX);
	f->owned[f->n_owned].fn = fn;
	f->owned[f->n_owned++].arg = arg;
}

void bus_class(struct fabric *f, u32 fn, u32 class)
{
	f->fn[fn].class = class;
	bus_config_make(&f->fn[fn]);
}

bool bus_bar_add(struct fabric *f, u32 fn, u32 bar, struct bus_bar *b)
{
	struct bus_fn *n = &f->fn[fn];
	struct io_region r;

	sim_assert(bar < BUS_BARS && !n->bar[bar].size && b->size >= 4096 &&
		   !(b->size & (b->size - 1)));
	b->pa = (f->next_bar + b->size - 1) & ~(b->size - 1);
	r = (struct io_region){b->pa, b->size, b->ops, b->arg, f->machine->device[fn].name,
			       b->worker};
	if (!io_region_add(f->world, &r))
		return false;
	f->next_bar = b->pa + b->size;
	n->bar[bar] = *b;
	bus_config_make(n);
	return true;
}

u64 bus_bar_pa(const struct fabric *f, u32 fn, u32 bar)
{
	return f->fn[fn].bar[bar].size ? f->fn[fn].bar[bar].pa : 0;
}

void bus_breathe(struct fabric *f, struct fabric_iommu *im)
{
	if (!bus_can_wait(f)) {
		if (im)
			im->ops->work(im->h);
		return;
	}
	if (im)
		io_kick(f->world, im->worker);
	sched_yield_now();
}
