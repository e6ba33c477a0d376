// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grouping: one stream, one group.
 *
 * Checks: that devices whose requests arrive under one id of one IOMMU are in
 * one group, as far as the driver says which stream it has put into which
 * group (GROUP_STREAM); two groups would be isolated in name only.
 *
 * Does not check: devices that a missing ACS puts together; drivers that do
 * not publish their streams; more than 64 devices or 4 streams of one device.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_grouping;

#define DEVICES_MAX 64
#define STREAMS_MAX 4

struct device {
	u32 n;
	struct {
		u64 iommu, stream;
	} stream[STREAMS_MAX];
	u64 group;
	u32 task;
	u64 op;
};

struct state {
	u32 n_devices; /* highest seen + 1 */
	struct device device[DEVICES_MAX];
};

static bool has_stream(const struct device *d, u64 iommu, u64 stream)
{
	for (u32 i = 0; i < d->n; i++)
		if (d->stream[i].iommu == iommu && d->stream[i].stream == stream)
			return true;
	return false;
}

static void report(struct world *w, const struct fact *fact, const struct device *other, u32 index)
{
	struct finding *f = oracle_finding(w, oracle_grouping.name,
					   "BUG: two groups for one stream id in %%F");

	if (!f)
		return;
	finding_here(f, "Second group", fact->pc);
	finding_at(f, "First group", other->task, other->op);
	finding_printf(f, "Stream 0x%llx of IOMMU %llu: group %llu for device %u, group %llu for "
			  "device %llu.\n",
		       (unsigned long long)fact->arg[2], (unsigned long long)fact->arg[1],
		       (unsigned long long)other->group, index, (unsigned long long)fact->arg[0],
		       (unsigned long long)fact->arg[3]);
	oracle_report(w, f);
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct device *d;

	(void)carry;
	if (f->arg[3] >= DEVICES_MAX)
		return;
	d = &st->device[f->arg[3]];
	if (f->arg[0] == ~0ULL) {
		d->n = 0; /* its streams are nobody's */
		return;
	}
	for (u32 i = 0; i < st->n_devices; i++) {
		const struct device *other = &st->device[i];

		if (has_stream(other, f->arg[1], f->arg[2]) && other->group != f->arg[0])
			report(w, f, other, i);
	}
	st->n_devices = max(st->n_devices, (u32)f->arg[3] + 1);
	d->group = f->arg[0];
	d->task = f->task;
	d->op = f->op;
	if (d->n < STREAMS_MAX) {
		d->stream[d->n].iommu = f->arg[1];
		d->stream[d->n].stream = f->arg[2];
		d->n++;
	}
}

const struct oracle oracle_grouping = {
	.name = "grouping",
	.help = "devices that share a stream id share a group",
	.size = sizeof(struct state),
	.facts = FACT_BIT(GROUP_STREAM),
	.see = see,
};
