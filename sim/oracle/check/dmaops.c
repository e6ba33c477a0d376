// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA ops: direct or through the IOMMU, and for how long.
 *
 * Checks: that the way in which a device's DMA addresses are made does not
 * change while a driver that does its own DMA is bound to it, or while a
 * mapping that was made in the old way is still in use; that a mapping is
 * taken back in the way it was made.
 *
 * Does not check: drivers that manage DMA themselves; a change of the domain
 * behind the same ops (see domain.c); the addresses themselves; more than 64
 * devices.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_dmaops;

#define DEVICES_MAX 64

struct device {
	bool bound;
	u32 n_mapped;
	bool direct; /* how the live mappings were made */
	u32 task;    /* who bound or mapped last ... */
	u64 op;      /* ... and when */
};

struct state {
	struct device device[DEVICES_MAX];
};

static void report(struct world *w, const struct fact *fact, const struct device *d,
		   const char *title, const char *what)
{
	struct finding *f = oracle_finding(w, oracle_dmaops.name, "%s", title);

	if (!f)
		return;
	finding_here(f, what, fact->pc);
	finding_at(f, d->n_mapped ? "Mapped" : "Driver bound", d->task, d->op);
	finding_printf(f, "Device %llu: %u mappings in use, made %s.\n",
		       (unsigned long long)fact->arg[0], d->n_mapped,
		       d->direct ? "with direct ops" : "through the IOMMU");
	oracle_report(w, f);
}

static void stamp(struct device *d, const struct fact *f)
{
	d->task = f->task;
	d->op = f->op;
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct device *d;

	(void)carry;
	if (f->arg[0] >= DEVICES_MAX)
		return;
	d = &st->device[f->arg[0]];
	switch (f->kind) {
	case FACT_DEVICE_BOUND:
		d->bound = !f->arg[2];
		stamp(d, f);
		break;
	case FACT_DEVICE_UNBOUND:
		d->bound = false;
		break;
	case FACT_DMA_MAP:
		d->n_mapped++;
		d->direct = f->arg[3];
		stamp(d, f);
		break;
	case FACT_DMA_UNMAP:
		if (d->n_mapped && d->direct != (bool)f->arg[3])
			report(w, f, d, "BUG: DMA mapping taken back with other ops in %F",
			       "Unmapped");
		d->n_mapped -= d->n_mapped > 0;
		break;
	default:
		if (d->bound || d->n_mapped)
			report(w, f, d, "BUG: DMA ops changed under a driver in %F",
			       "Ops changed");
	}
}

const struct oracle oracle_dmaops = {
	.name = "dmaops",
	.help = "a device's DMA ops never change under its driver",
	.size = sizeof(struct state),
	.facts = FACT_BIT(DEVICE_BOUND) | FACT_BIT(DEVICE_UNBOUND) | FACT_BIT(DMA_MAP) |
		 FACT_BIT(DMA_UNMAP) | FACT_BIT(DMA_OPS),
	.see = see,
};
