// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: what a device is attached to, and when.
 *
 * Checks: that a device whose driver has put its attach off (DMA of an earlier
 * kernel goes on) is not put into a default domain before that is due; that a
 * domain is not attached after its end.
 *
 * Does not check: that an attach is programmed into the hardware; a domain that
 * is freed while a device is in it (kasan.c sees its next use); domains with a
 * number above 1023; more than 64 devices.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_domain;

#define DEVICES_MAX 64
#define DOMAINS_MAX 1024
#define TYPE_DMA_API 2u /* this bit of a type says: for the DMA API */
#define TYPE_IDENTITY 8u

struct device {
	bool deferred;
	u32 task;
	u64 op;
};

struct state {
	u64 freed[DOMAINS_MAX / 64];
	struct device device[DEVICES_MAX];
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
	if (d->task)
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
	d->task = f->task;
	d->op = f->op;
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct device *d = &st->device[f->arg[0] % DEVICES_MAX];

	(void)carry;
	switch (f->kind) {
	case FACT_DOMAIN_FREE:
		if (f->arg[0] < DOMAINS_MAX)
			st->freed[f->arg[0] / 64] |= 1ULL << f->arg[0] % 64;
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
		if (f->arg[1] < DEVICES_MAX)
			st->device[f->arg[1]] = (struct device){.deferred = false};
	}
}

const struct oracle oracle_domain = {
	.name = "domain",
	.help = "attach only live domains, and put off what must wait",
	.size = sizeof(struct state),
	.facts = FACT_BIT(DOMAIN_FREE) | FACT_BIT(ATTACH) |
		 FACT_BIT(ATTACH_DEFERRED) | FACT_BIT(GROUP_REMOVE),
	.see = see,
};
