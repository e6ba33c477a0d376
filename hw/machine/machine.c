// SPDX-License-Identifier: GPL-2.0-only
#include "hw/machine/machine.h"

#include "sim/base/bits.h"

#include <string.h>

void machine_iommu_init(struct machine_iommu *i)
{
	memset(i, 0, sizeof(*i));
	strcpy(i->model, "mock");
	i->pgsize_bitmap = BIT(12) | BIT(21);
	i->aperture_lg2 = 48;
}

void machine_bus_init(struct machine_bus *b)
{
	memset(b, 0, sizeof(*b));
	b->iommu = MACHINE_NONE;
	b->parent = MACHINE_NONE;
	b->acs = true;
}

void machine_device_init(struct machine_device *d)
{
	memset(d, 0, sizeof(*d));
	d->bus = MACHINE_NONE;
	d->alias_of = MACHINE_NONE;
	d->physfn = MACHINE_NONE;
}
