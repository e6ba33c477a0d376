// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA ownership: the kernel or one user, never both.
 *
 * Keeps its own table of groups and devices from the facts, and checks: that no
 * user claims a group while a driver has taken its default domain or a driver
 * that does its own DMA is bound in it; that no such driver comes to a group
 * that a user owns; that no driver maps memory for DMA in a user's group.
 * Drivers that manage DMA themselves (vfio-pci, pci-stub, bridges) do not count
 * as kernel control.
 *
 * Does not check: devices without a group (no IOMMU); a driver that was bound
 * before its device got an IOMMU, which nobody could ask; what the hardware
 * translates (the domain that is attached); more than 64 devices or 128 groups.
 */
#include "sim/oracle/oracle_priv.h"

#include <stdio.h>

extern const struct oracle oracle_ownership;

#define DEVICES_MAX 64
#define GROUPS_MAX 128

/* Who did it, and when. */
struct by {
	u32 task;
	u64 op;
};

struct device {
	u32 group;    /* + 1; 0 = in none */
	bool kernel;  /* holds the group's default domain */
	bool bound;   /* to a driver that does its own DMA, while in the group */
	struct by by;
};

struct group {
	bool claimed;
	u64 owner;
	struct by by;
};

struct state {
	struct device device[DEVICES_MAX];
	struct group group[GROUPS_MAX];
	u32 n_devices; /* highest seen + 1 */
};

static struct finding *begin(struct world *w, const struct fact *fact, const char *what)
{
	struct finding *f =
		oracle_finding(w, oracle_ownership.name, "BUG: DMA ownership violated in %%F");

	if (f)
		finding_here(f, what, fact->pc);
	return f;
}

/* A kernel driver does `what` in a group that a user owns. */
static void against_user(struct world *w, const struct state *st, const struct fact *fact,
			 u32 device, const char *what)
{
	u32 group = st->device[device].group - 1;
	const struct group *g = &st->group[group];
	struct finding *f = begin(w, fact, what);

	if (!f)
		return;
	finding_at(f, "The user's claim", g->by.task, g->by.op);
	finding_printf(f, "Device %u comes under kernel control in group %u, which user 0x%llx "
			  "owns.\n",
		       device, group, (unsigned long long)g->owner);
	oracle_report(w, f);
}

static void claim(struct world *w, struct state *st, const struct fact *fact, u32 group)
{
	struct group *g = &st->group[group];
	struct finding *f;

	g->claimed = true;
	g->owner = fact->arg[1];
	g->by = (struct by){fact->task, fact->op};
	for (u32 i = 0; i < st->n_devices; i++) {
		const struct device *d = &st->device[i];

		if (d->group != group + 1 || !(d->kernel || d->bound))
			continue;
		f = begin(w, fact, "User claims the group");
		if (!f)
			return;
		finding_at(f, d->bound ? "Driver bound" : "Driver takes the default domain",
			   d->by.task, d->by.op);
		finding_printf(f, "User 0x%llx claims group %u while its device %u is under "
				  "kernel control.\n",
			       (unsigned long long)g->owner, group, i);
		oracle_report(w, f);
	}
}

static void see_device(struct world *w, struct state *st, const struct fact *f, u32 device)
{
	struct device *d = &st->device[device];
	bool claimed = d->group && st->group[d->group - 1].claimed;

	switch (f->kind) {
	case FACT_DEVICE_BOUND:
		if (f->arg[2] || !d->group)
			break;
		d->bound = true;
		d->by = (struct by){f->task, f->op};
		if (claimed)
			against_user(w, st, f, device, "Driver bound");
		break;
	case FACT_DEVICE_UNBOUND:
		d->bound = false;
		break;
	default:
		if (claimed)
			against_user(w, st, f, device, "Driver maps memory for DMA");
	}
}

static void see_membership(struct world *w, struct state *st, const struct fact *f, u32 group,
			   u32 device)
{
	struct device *d = &st->device[device];

	switch (f->kind) {
	case FACT_GROUP_ADD:
		*d = (struct device){.group = group + 1};
		break;
	case FACT_GROUP_REMOVE:
		*d = (struct device){.group = 0};
		break;
	case FACT_GROUP_UNUSE:
		d->kernel = false;
		break;
	default:
		d->group = group + 1;
		d->kernel = true;
		d->by = (struct by){f->task, f->op};
		if (st->group[group].claimed)
			against_user(w, st, f, device, "Driver takes the default domain");
	}
}

#define BY_DEVICE (FACT_BIT(DEVICE_BOUND) | FACT_BIT(DEVICE_UNBOUND) | FACT_BIT(DMA_MAP))
#define BY_GROUP (FACT_BIT(GROUP_CLAIM) | FACT_BIT(GROUP_RELEASE))
#define BY_BOTH \
	(FACT_BIT(GROUP_ADD) | FACT_BIT(GROUP_REMOVE) | FACT_BIT(GROUP_KERNEL) | \
	 FACT_BIT(GROUP_UNUSE))

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	bool by_device = BY_DEVICE >> f->kind & 1;
	u64 device = by_device ? f->arg[0] : f->arg[1];
	u64 group = f->arg[0];

	(void)carry;
	if ((!by_device && group >= GROUPS_MAX) ||
	    (!(BY_GROUP >> f->kind & 1) && device >= DEVICES_MAX))
		return;
	if (f->kind == FACT_GROUP_CLAIM) {
		claim(w, st, f, (u32)group);
	} else if (f->kind == FACT_GROUP_RELEASE) {
		st->group[group].claimed = false;
	} else {
		if (st->n_devices <= device)
			st->n_devices = (u32)device + 1;
		if (by_device)
			see_device(w, st, f, (u32)device);
		else
			see_membership(w, st, f, (u32)group, (u32)device);
	}
}

const struct oracle oracle_ownership = {
	.name = "ownership",
	.help = "no device under kernel control while a user owns its group, and the reverse",
	.size = sizeof(struct state),
	.facts = BY_DEVICE | BY_GROUP | BY_BOTH,
	.see = see,
};
