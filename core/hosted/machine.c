// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario's machine, told to a hosted tree in plain C.
 */
#include "core/hosted/floor_machine.h"
#include "core/hosted/hosted_priv.h"

#include "hw/machine/machine.h"
#include "sim/base/assert.h"
#include "sim/mem/mem.h"

#define SAME(a, b) _Static_assert((int)(a) == (int)(b), "described alike on both sides")
SAME(FLOOR_NONE, MACHINE_NONE);
SAME(FLOOR_IDS_MAX, MACHINE_DEVICE_IDS_MAX);
SAME(FLOOR_DOMAIN_DMA, MACHINE_DOMAIN_DMA);
SAME(FLOOR_DOMAIN_IDENTITY, MACHINE_DOMAIN_IDENTITY);
SAME(FLOOR_DOMAIN_BLOCKED, MACHINE_DOMAIN_BLOCKED);
SAME(FLOOR_RESV_DIRECT, MACHINE_RESV_DIRECT);
SAME(FLOOR_RESV_DIRECT_RELAXABLE, MACHINE_RESV_DIRECT_RELAXABLE);
SAME(FLOOR_RESV_RESERVED, MACHINE_RESV_RESERVED);
SAME(FLOOR_RESV_MSI, MACHINE_RESV_MSI);
SAME(FLOOR_RESV_SW_MSI, MACHINE_RESV_SW_MSI);

/* Lies in the world's heap: the object may keep it. */
struct told {
	struct floor_machine m;
	struct floor_iommu iommu[MACHINE_IOMMUS_MAX];
	struct floor_bus bus[MACHINE_BUSES_MAX];
	struct floor_device device[MACHINE_DEVICES_MAX];
	struct floor_resv resv[MACHINE_RESV_MAX];
};

static struct floor_device tell_device(const struct machine_device *d)
{
	struct floor_device f = {
		.name = d->name, .driver = d->driver, .bus = d->bus, .bdf = d->bdf,
		.iommu = d->n_iommus ? d->iommus[0] : FLOOR_NONE, .n_ids = d->n_ids,
		.alias_of = d->alias_of, .bridge = d->bridge, .untrusted = d->untrusted,
		.absent = d->absent, .bound = d->bound,
	};

	for (u32 i = 0; i < d->n_ids; i++)
		f.ids[i] = d->ids[i];
	return f;
}

const struct floor_machine *hosted_tell_machine(struct world *w, const struct machine *m)
{
	struct told *told;

	if (!m)
		return NULL;
	told = mem_alloc(w->mem, sizeof(*told), MEM_ZERO | MEM_NOFAIL, "hosted machine",
			 (u64)__builtin_return_address(0));
	sim_assert(told);
	told->m = (struct floor_machine){
		.n_iommus = m->n_iommus, .n_buses = m->n_buses,
		.n_devices = m->n_devices, .n_resv = m->n_resv,
		.driver = kernel_driver_names, .n_drivers = KERNEL_DRIVERS_N,
		.iommu = told->iommu, .bus = told->bus, .device = told->device, .resv = told->resv,
	};
	for (u32 i = 0; i < m->n_iommus; i++) {
		const struct machine_iommu *u = &m->iommu[i];

		told->iommu[i] = (struct floor_iommu){
			.name = u->name, .pgsize_bitmap = u->pgsize_bitmap,
			.aperture_lg2 = u->aperture_lg2,
			.default_domain = (enum floor_domain)u->default_domain,
			.deferred_attach = u->deferred_attach, .no_blocking = u->no_blocking,
			.fail_probe = u->fail_probe, .at_boot = u->at_boot,
		};
		hosted_hardware_tell(w, i, &told->iommu[i]);
	}
	for (u32 i = 0; i < m->n_buses; i++) {
		const struct machine_bus *b = &m->bus[i];

		told->bus[i] = (struct floor_bus){
			.name = b->name, .pci = b->kind == MACHINE_BUS_PCI, .parent = b->parent,
			.acs = b->acs, .alias = b->alias,
		};
	}
	for (u32 i = 0; i < m->n_devices; i++)
		told->device[i] = tell_device(&m->device[i]);
	for (u32 i = 0; i < m->n_resv; i++) {
		const struct machine_resv *r = &m->resv[i];

		told->resv[i] = (struct floor_resv){.device = r->device, .start = r->start,
						   .length = r->length,
						   .type = (enum floor_resv_type)r->type};
	}
	return &told->m;
}
