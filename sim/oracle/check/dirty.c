// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty: what a device has written is reported by the next read of dirty bits.
 *
 * Keeps, from the facts, which domains track, which domain each device is in, and
 * the pages that were written since they were last reported. When a read of a
 * range ends, each page of it that was written before the read began must have
 * been found: else its mark was overwritten by an update of the table that was
 * not atomic, went with a table that was rebuilt, or was never set, since hardware
 * still had the entry as dirty from before (no invalidation after the last read).
 *
 * A page that is unmapped is forgotten: whoever wants its state reads it before.
 * A write that lands while a read goes on is part of what that read has found
 * there, or of the next one's.
 *
 * Does not check: that what is reported was written (a large page is dirty as a
 * whole); accessed bits, which nobody reads; accesses with a PASID; more than 64
 * devices, 16 domains that track, 1024 pages or 8 reads at once, beyond which it
 * is silent.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_dirty;

#define DEVICES_MAX 64
#define DOMAINS_MAX 16
#define PAGES_MAX 1024
#define READS_MAX 8
#define FOUND_MAX 64
#define PAGE_LG2 12
#define TYPE_PAGING 1u
#define WRITTEN 3u /* HW_DMA: it went through, and was a write */

struct page {
	u32 domain; /* + 1; 0: free */
	u32 task;
	u64 number, op, when;
};

struct range {
	u64 first, last; /* page numbers */
};

struct read {
	u32 task, domain; /* domain + 1; 0: free */
	bool keep, full;
	struct range range;
	u64 when;
	u32 n_found;
};

struct state {
	bool blind;
	u32 n; /* pages in use */
	u64 now; /* facts so far */
	u32 tracks[DOMAINS_MAX]; /* domain + 1; 0: free */
	struct {
		u32 domain, changing; /* domain + 1; 0: none that translates */
	} device[DEVICES_MAX];
	struct read read[READS_MAX];
};

/* What lies beyond state.n or read.n_found is of earlier runs. */
struct carry {
	struct page page[PAGES_MAX];
	struct range found[READS_MAX][FOUND_MAX];
};

static u32 *tracking(struct state *st, u32 domain)
{
	for (u32 i = 0; i < DOMAINS_MAX; i++)
		if (st->tracks[i] == domain)
			return &st->tracks[i];
	return NULL;
}

static bool has(const struct range *r, u64 number)
{
	return number >= r->first && number <= r->last;
}

static void forget(struct state *st, struct carry *c, u32 domain, const struct range *r)
{
	for (u32 i = 0; i < st->n; i++)
		if (c->page[i].domain == domain && has(r, c->page[i].number))
			c->page[i].domain = 0;
}

/* Whether a read that goes on has this page already: the write is part of what it found. */
static bool being_read(const struct state *st, const struct carry *c, u32 domain, u64 number)
{
	for (u32 i = 0; i < READS_MAX; i++) {
		const struct read *r = &st->read[i];

		if (r->domain != domain || r->keep)
			continue;
		if (r->full && has(&r->range, number))
			return true;
		for (u32 k = 0; k < r->n_found; k++)
			if (has(&c->found[i][k], number))
				return true;
	}
	return false;
}

static void written(struct state *st, struct carry *c, const struct fact *f)
{
	u32 domain = st->device[f->arg[0]].domain;
	u64 number = f->arg[1] >> PAGE_LG2;
	struct page *free = NULL;

	if (f->arg[3] != WRITTEN || !domain || st->device[f->arg[0]].changing ||
	    !tracking(st, domain) || being_read(st, c, domain, number))
		return;
	for (u32 i = 0; i < st->n; i++) {
		struct page *p = &c->page[i];

		if (p->domain == domain && p->number == number)
			return;
		free = p->domain ? free : p;
	}
	if (!free && st->n == PAGES_MAX) {
		st->blind = true;
		return;
	}
	free = free ? free : &c->page[st->n++];
	*free = (struct page){domain, f->task, number, f->op, st->now};
}

static struct read *read_of(struct state *st, u32 task)
{
	for (u32 i = 0; i < READS_MAX; i++)
		if (st->read[i].domain && st->read[i].task == task)
			return &st->read[i];
	return NULL;
}

static struct range range_of(const struct fact *f)
{
	u64 last = f->arg[1] + f->arg[2] - 1;

	return (struct range){f->arg[1] >> PAGE_LG2, last >> PAGE_LG2};
}

static void read_begin(struct state *st, const struct fact *f)
{
	for (u32 i = 0; i < READS_MAX; i++) {
		if (st->read[i].domain)
			continue;
		st->read[i] = (struct read){.task = f->task, .domain = (u32)f->arg[0] + 1,
					    .keep = f->arg[3] == FACT_DIRTY_KEEP,
					    .range = range_of(f), .when = st->now};
		return;
	}
	st->blind = true;
}

static void found(struct state *st, struct carry *c, const struct fact *f)
{
	struct read *r = read_of(st, f->task);
	struct range range = range_of(f);

	if (!r)
		return;
	if (r->n_found < FOUND_MAX)
		c->found[r - st->read][r->n_found++] = range;
	else
		r->full = true;
	if (!r->keep)
		forget(st, c, r->domain, &range);
}

static void report(struct world *w, const struct fact *fact, const struct page *p)
{
	struct finding *f = oracle_finding(w, oracle_dirty.name, "BUG: dirty page lost in %%F");

	if (!f)
		return;
	finding_here(f, "Dirty bits read", fact->pc);
	finding_at(f, "Page written by a device", p->task, p->op);
	finding_printf(f, "Page 0x%llx of domain %u was written and is not reported as dirty.\n",
		       (unsigned long long)p->number << PAGE_LG2, p->domain - 1);
	oracle_report(w, f);
}

static bool was_found(const struct state *st, const struct carry *c, const struct read *r,
		      u64 number)
{
	for (u32 k = 0; k < r->n_found; k++)
		if (has(&c->found[r - st->read][k], number))
			return true;
	return r->full;
}

static void read_end(struct world *w, struct state *st, struct carry *c, const struct fact *f)
{
	struct read *r = read_of(st, f->task);
	u32 domain;

	if (!r)
		return;
	domain = r->domain;
	for (u32 i = 0; i < st->n; i++) {
		const struct page *p = &c->page[i];

		if (p->domain == domain && has(&r->range, p->number) && p->when < r->when &&
		    !was_found(st, c, r, p->number))
			report(w, f, p);
	}
	r->domain = 0;
}

/* Tracking of a domain goes on or off, or the domain goes. */
static void track(struct state *st, struct carry *c, u32 domain, bool on)
{
	const struct range all = {0, ~0ULL};
	u32 *t = tracking(st, domain);

	if (on && !t) {
		t = tracking(st, 0);
		if (!t)
			st->blind = true;
		else
			*t = domain;
	} else if (!on && t) {
		*t = 0;
		forget(st, c, domain, &all);
	}
}

static void dirty(struct world *w, struct state *st, struct carry *c, const struct fact *f)
{
	switch (f->arg[3]) {
	case FACT_DIRTY_READ:
	case FACT_DIRTY_KEEP:
		read_begin(st, f);
		break;
	case FACT_DIRTY_FOUND:
		found(st, c, f);
		break;
	case FACT_DIRTY_READ_END:
		read_end(w, st, c, f);
		break;
	default:
		track(st, c, (u32)f->arg[0] + 1, f->arg[3] == FACT_DIRTY_ON);
	}
}

static void attach(struct state *st, const struct fact *f)
{
	u64 device = f->arg[1];

	if (device >= DEVICES_MAX)
		return;
	if (f->kind == FACT_ATTACH_BEGIN)
		st->device[device].changing++;
	else if (f->kind == FACT_ATTACH_END)
		st->device[device].changing -= st->device[device].changing > 0;
	else if (f->kind == FACT_GROUP_REMOVE)
		st->device[device].domain = 0;
	else
		st->device[device].domain = f->arg[3] & TYPE_PAGING ? (u32)f->arg[2] + 1 : 0;
}

static void unmap(struct state *st, struct carry *c, const struct fact *f)
{
	struct range r = range_of(f);

	if (tracking(st, (u32)f->arg[0] + 1))
		forget(st, c, (u32)f->arg[0] + 1, &r);
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;

	st->now++;
	if (st->blind)
		return;
	switch (f->kind) {
	case FACT_HW_DMA:
		if (f->arg[0] < DEVICES_MAX)
			written(st, carry, f);
		break;
	case FACT_PTE_UNMAP:
		unmap(st, carry, f);
		break;
	case FACT_DOMAIN_FREE:
		track(st, carry, (u32)f->arg[0] + 1, false);
		break;
	case FACT_DIRTY:
		dirty(w, st, carry, f);
		break;
	default:
		attach(st, f);
	}
}

/* Only hardware marks anything. */
static void begin(struct world *w, void *state, void *carry)
{
	(void)carry;
	((struct state *)state)->blind = !w->hw;
}

const struct oracle oracle_dirty = {
	.name = "dirty",
	.help = "what a device has written is reported by the next read of dirty bits",
	.size = sizeof(struct state),
	.carry = sizeof(struct carry),
	.facts = FACT_BIT(HW_DMA) | FACT_BIT(PTE_UNMAP) | FACT_BIT(DOMAIN_FREE) |
		 FACT_BIT(DIRTY) | FACT_BIT(ATTACH) | FACT_BIT(ATTACH_BEGIN) |
		 FACT_BIT(ATTACH_END) | FACT_BIT(GROUP_REMOVE),
	.begin = begin,
	.see = see,
};
