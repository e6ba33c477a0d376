// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: what a device is attached to, and when.
 *
 * Checks: that a device whose driver has put its attach off (DMA of an earlier
 * kernel goes on) is not put into a default domain before that is due; that a
 * domain is attached only between its allocation and its end, and is not freed
 * while a device's last attach was to it.
 *
 * Does not check: that an attach is programmed into the hardware; static
 * domains, which have no beginning; domains with a number above 1023; more
 * than 64 devices.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_domain;

#define DEVICES_MAX 64
#define DOMAINS_MAX 1024
#define TYPE_DMA_API 2u /* this bit of a type says: for the DMA API */
#define TYPE_IDENTITY 8u

struct device {
	bool deferred;
	u64 domain; /* last attached, 0 = none */
	u32 task;
	u64 op;
};

struct state {
	u64 live[DOMAINS_MAX / 64], freed[DOMAINS_MAX / 64];
	struct device device[DEVICES_MAX];
	u32 n_devices;
};

static bool bit(const u64 *set, u64 i)
{
	return i < DOMAINS_MAX && set[i / 64] >> (i % 64) & 1;
}

static void report(struct world *w, const struct fact *fact, const struct device *d,
		   const char *title, const char *what)
{
	struct finding *f = oracle_finding(w, oracle_domain.name, "%s", title);

	if (!f)
		return;
	finding_here(f, what, fact->pc);
	if (d->op)
		finding_at(f, d->deferred ? "Attach put off" : "Attached", d->task, d->op);
	oracle_report(w, f);
}

static void attach(struct world *w, struct state *st, const struct fact *f)
{
	struct device *d = &st->device[f->arg[1]];

	if (d->deferred && f->arg[3] & (TYPE_DMA_API | TYPE_IDENTITY))
		report(w, f, d, "BUG: device attached before its first DMA in %F", "Attach");
	if (bit(st->freed, f->arg[2]))
		report(w, f, d, "BUG: freed domain attached in %F", "Attach");
	d->domain = f->arg[2];
	d->task = f->task;
	d->op = f->op;
	st->n_devices = max(st->n_devices, (u32)f->arg[1] + 1);
}

static void domain_free(struct world *w, struct state *st, const struct fact *f)
{
	u64 id = f->arg[0];

	if (!bit(st->live, id))
		return;
	for (u32 i = 0; i < st->n_devices; i++)
		if (st->device[i].domain == id)
			report(w, f, &st->device[i], "BUG: attached domain freed in %F", "Freed");
	st->live[id / 64] &= ~(1ULL << id % 64);
	st->freed[id / 64] |= 1ULL << id % 64;
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct device *d = &st->device[f->arg[0] % DEVICES_MAX];

	(void)carry;
	switch (f->kind) {
	case FACT_DOMAIN_ALLOC:
		if (f->arg[0] < DOMAINS_MAX)
			st->live[f->arg[0] / 64] |= 1ULL << f->arg[0] % 64;
		break;
	case FACT_DOMAIN_FREE:
		domain_free(w, st, f);
		break;
	case FACT_ATTACH:
		if (f->arg[1] < DEVICES_MAX)
			attach(w, st, f);
		break;
	case FACT_ATTACH_DEFERRED:
		d->deferred = f->arg[1];
		d->task = f->task;
		d->op = f->op;
		break;
	default:
		/* Released: the driver has let go of its domain. */
		if (f->arg[1] < DEVICES_MAX)
			st->device[f->arg[1]] = (struct device){.domain = 0};
	}
}

const struct oracle oracle_domain = {
	.name = "domain",
	.help = "attach only live domains, free only detached ones, defer what must wait",
	.size = sizeof(struct state),
	.facts = FACT_BIT(DOMAIN_ALLOC) | FACT_BIT(DOMAIN_FREE) | FACT_BIT(ATTACH) |
		 FACT_BIT(ATTACH_DEFERRED) | FACT_BIT(GROUP_REMOVE),
	.see = see,
};
