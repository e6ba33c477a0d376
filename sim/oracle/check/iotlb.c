// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB: hardware translates what the tables say, or said until an
 * invalidation that has ended.
 *
 * Keeps, from the facts, what each domain maps and which domain each device is
 * in, and checks each access that went through: its address must be mapped so in
 * the device's domain, or have been so until an unmap whose invalidation has not
 * returned yet; in an identity domain it is its own translation; in a blocking
 * one there is none; in a nested one, whose first stage is user space's, what it
 * reaches must be mapped by some domain. What a report calls stale is an entry that
 * outlived an invalidation, or the domain's end: the unmap that made it so is named.
 *
 * A story that shuts an IOMMU down, as for a reboot, turns its translation off: from
 * there on nothing is checked.
 *
 * Does not check: accesses in the middle of an attach of the device or of a map
 * of that range; permissions; accesses with a PASID (which domain that is in is
 * not published); devices whose domain nobody published; more than 64 devices or
 * 1024 pieces of mappings, beyond which it is silent.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_iotlb;

#define DEVICES_MAX 64
#define PIECES_MAX 1024
#define MAPS_MAX 32
#define TYPE_PAGING 1u
#define TYPE_IDENTITY 8u
#define TYPE_NESTED 16u
#define UNKNOWN 0xffffffffu

enum piece_state { FREE, LIVE, PENDING, RETIRED };

struct piece {
	u32 domain;
	u32 state;
	u64 iova, last, pa;
	u32 task; /* who unmapped it, when */
	u64 op, ns, steps;
};

struct device {
	u32 domain; /* + 1; 0 = nobody said */
	u32 type;
	u32 changing;
	u32 task;
	u64 op;
};

struct map {
	u32 task, domain;
	u64 iova, last;
};

struct state {
	u32 n, n_maps;
	bool blind;
	struct device device[DEVICES_MAX];
	struct map map[MAPS_MAX];
	struct oracle_window window;
};

/* What lies beyond st->n is of earlier runs and never looked at. */
struct carry {
	struct piece piece[PIECES_MAX];
};

static bool overlap(const struct piece *p, u32 domain, u64 iova, u64 last)
{
	return p->domain == domain && p->iova <= last && p->last >= iova;
}

static void add(struct state *st, struct carry *c, const struct piece *p)
{
	for (u32 i = 0; i < st->n; i++) {
		if (c->piece[i].state == FREE) {
			c->piece[i] = *p;
			return;
		}
	}
	if (st->n == PIECES_MAX)
		st->blind = true;
	else
		c->piece[st->n++] = *p;
}

/* A new mapping hides what was retired in its place. */
static void map(struct state *st, struct carry *c, const struct fact *f)
{
	u64 iova = f->arg[1], last = iova + f->arg[3] - 1;

	for (u32 i = 0; i < st->n; i++) {
		struct piece *p = &c->piece[i];

		if (p->state == RETIRED && overlap(p, (u32)f->arg[0], iova, last))
			p->state = FREE;
	}
	add(st, c, &(struct piece){.domain = (u32)f->arg[0], .state = LIVE, .iova = iova,
				   .last = last, .pa = f->arg[2]});
}

/* The part of a piece in [iova, last] gets another state; what is beside it stays. */
static void cut(struct state *st, struct carry *c, u32 i, u64 iova, u64 last)
{
	struct piece p = c->piece[i];

	if (p.iova < iova) {
		struct piece left = p;

		left.last = iova - 1;
		add(st, c, &left);
	}
	if (p.last > last) {
		struct piece right = p;

		right.iova = last + 1;
		right.pa = p.pa + (right.iova - p.iova);
		add(st, c, &right);
	}
	iova = iova > p.iova ? iova : p.iova;
	c->piece[i].pa = p.pa + (iova - p.iova);
	c->piece[i].iova = iova;
	c->piece[i].last = last < p.last ? last : p.last;
}

static void unmap(struct world *w, struct state *st, struct carry *c, const struct fact *f)
{
	u64 iova = f->arg[1], last = iova + f->arg[2] - 1;

	for (u32 i = 0, n = st->n; i < n; i++) {
		if (c->piece[i].state != LIVE ||
		    !overlap(&c->piece[i], (u32)f->arg[0], iova, last))
			continue;
		cut(st, c, i, iova, last);
		c->piece[i].state = PENDING;
		c->piece[i].task = f->task;
		c->piece[i].op = f->op;
		c->piece[i].ns = w->clock->now_ns;
		c->piece[i].steps = sched_steps(w->sched);
	}
}

/* An unmap of its own is invalidated at once; these have waited for a flush of all. */
static void flushed(const struct world *w, struct oracle_window *win, const struct piece *p)
{
	u64 ns = w->clock->now_ns - p->ns, steps = sched_steps(w->sched) - p->steps;

	win->deferred++;
	win->open_ns += ns;
	win->open_steps += steps;
	win->open_ns_max = ns > win->open_ns_max ? ns : win->open_ns_max;
	win->open_steps_max = steps > win->open_steps_max ? steps : win->open_steps_max;
}

static void synced(const struct world *w, struct state *st, struct carry *c,
		   const struct fact *f)
{
	bool all = !f->arg[1] && f->arg[2] == ~0ULL;

	for (u32 i = 0, n = st->n; i < n; i++) {
		if (c->piece[i].state != PENDING ||
		    !overlap(&c->piece[i], (u32)f->arg[0], f->arg[1], f->arg[2]))
			continue;
		cut(st, c, i, f->arg[1], f->arg[2]);
		c->piece[i].state = RETIRED;
		if (all)
			flushed(w, &st->window, &c->piece[i]);
	}
}

static void domain_gone(struct state *st, struct carry *c, const struct fact *f)
{
	for (u32 i = 0; i < st->n; i++) {
		struct piece *p = &c->piece[i];

		if (p->domain != (u32)f->arg[0] || (p->state != LIVE && p->state != PENDING))
			continue;
		if (p->state == LIVE) {
			p->task = f->task;
			p->op = f->op;
		}
		p->state = RETIRED;
	}
}

static bool in_open_map(const struct state *st, u32 domain, u64 iova)
{
	for (u32 i = 0; i < st->n_maps; i++)
		if (st->map[i].domain == domain && iova >= st->map[i].iova &&
		    iova <= st->map[i].last)
			return true;
	return false;
}

/* The piece that gives this translation: one that may, else one that no longer may. */
static const struct piece *justify(const struct state *st, const struct carry *c, u32 domain,
				   u64 iova, u64 pa)
{
	const struct piece *stale = NULL;

	for (u32 i = 0; i < st->n; i++) {
		const struct piece *p = &c->piece[i];

		if (p->state == FREE || iova < p->iova || iova > p->last ||
		    p->pa + (iova - p->iova) != pa)
			continue;
		if (p->domain == domain && p->state != RETIRED)
			return p;
		if (p->state == RETIRED || !stale)
			stale = p;
	}
	return stale;
}

static void report(struct world *w, const struct fact *fact, const struct device *d,
		   const struct piece *p)
{
	bool foreign = p && d->domain && p->domain != d->domain - 1 && !(d->type & TYPE_NESTED);
	const char *what = !p ? "wrong" : foreign ? "another domain's" : "stale";
	struct finding *f = oracle_finding(w, oracle_iotlb.name,
					   "BUG: DMA through %s IOMMU translation in %%F", what);

	if (!f)
		return;
	finding_here(f, "DMA", fact->pc);
	if (p && p->state == RETIRED)
		finding_at(f, "Unmapped, and its invalidation over", p->task, p->op);
	finding_at(f, "Device attached", d->task, d->op);
	finding_printf(f, "Device %llu reached 0x%llx by address 0x%llx in domain %u.\n",
		       (unsigned long long)fact->arg[0], (unsigned long long)fact->arg[2],
		       (unsigned long long)fact->arg[1], d->domain - 1);
	if (p)
		finding_printf(f, "That was [0x%llx-0x%llx] -> 0x%llx of domain %u.\n",
			       (unsigned long long)p->iova, (unsigned long long)p->last,
			       (unsigned long long)p->pa, p->domain);
	if (fact->arg[3] & ORACLE_DMA_TWIN)
		oracle_truth_print(w, f);
	oracle_report(w, f);
}

/* By design where unmaps are deferred: counted, not reported. */
static void in_window(struct state *st, const struct piece *p, u64 now)
{
	st->window.accesses++;
	if (now - p->ns > st->window.longest_ns)
		st->window.longest_ns = now - p->ns;
}

void oracle_window_add(struct oracle_window *to, const struct oracle_window *w)
{
	to->accesses += w->accesses;
	to->longest_ns = w->longest_ns > to->longest_ns ? w->longest_ns : to->longest_ns;
	to->deferred += w->deferred;
	to->open_ns += w->open_ns;
	to->open_steps += w->open_steps;
	to->open_ns_max = w->open_ns_max > to->open_ns_max ? w->open_ns_max : to->open_ns_max;
	if (w->open_steps_max > to->open_steps_max)
		to->open_steps_max = w->open_steps_max;
}

bool oracle_iotlb_window(struct oracles *o, struct oracle_window *window)
{
	const struct state *st = oracle_state(o, oracle_iotlb.name);

	if (st)
		*window = st->window;
	return st;
}

/* A domain on a parent: which one is not published, so that any that maps the memory will do. */
static void nested_dma(struct world *w, struct state *st, struct carry *c, const struct fact *f)
{
	const struct device *d = &st->device[f->arg[0]];
	const struct piece *stale = NULL, *pending = NULL;
	u64 pa = f->arg[2];

	for (u32 i = 0; i < st->n; i++) {
		const struct piece *p = &c->piece[i];

		if (p->state == FREE || pa < p->pa || pa - p->pa > p->last - p->iova)
			continue;
		if (p->state == LIVE)
			return;
		if (p->state == PENDING)
			pending = p;
		else
			stale = p;
	}
	if (pending)
		in_window(st, pending, w->clock->now_ns);
	else if (!st->n_maps)
		report(w, f, d, stale);
}

static void dma(struct world *w, struct state *st, struct carry *c, const struct fact *f)
{
	const struct device *d = &st->device[f->arg[0]];
	u32 domain = d->domain - 1;
	const struct piece *p;

	if (!f->arg[3] || !d->domain || d->changing)
		return;
	if (d->type & TYPE_IDENTITY) {
		if (f->arg[1] != f->arg[2])
			report(w, f, d, justify(st, c, domain, f->arg[1], f->arg[2]));
		return;
	}
	if (d->type & TYPE_NESTED) {
		nested_dma(w, st, c, f);
		return;
	}
	if (d->type & TYPE_PAGING && in_open_map(st, domain, f->arg[1]))
		return;
	p = justify(st, c, domain, f->arg[1], f->arg[2]);
	if (!p || p->state == RETIRED || p->domain != domain || !(d->type & TYPE_PAGING))
		report(w, f, d, p);
	else if (p->state == PENDING)
		in_window(st, p, w->clock->now_ns);
}

static void attach(struct state *st, const struct fact *f)
{
	struct device *d = &st->device[f->arg[1]];

	switch (f->kind) {
	case FACT_ATTACH_BEGIN:
		d->changing++;
		return;
	case FACT_ATTACH_END:
		d->changing -= d->changing > 0;
		return;
	default:
		d->domain = (u32)f->arg[2] + 1;
		d->type = (u32)f->arg[3];
		d->task = f->task;
		d->op = f->op;
	}
}

static void open_map(struct state *st, const struct fact *f)
{
	if (st->n_maps == MAPS_MAX)
		st->blind = true;
	else
		st->map[st->n_maps++] = (struct map){f->task, (u32)f->arg[0], f->arg[1],
						     f->arg[1] + f->arg[2] - 1};
}

static void close_map(struct state *st, const struct fact *f)
{
	for (u32 i = 0; i < st->n_maps; i++)
		if (st->map[i].task == f->task) {
			st->map[i] = st->map[--st->n_maps];
			return;
		}
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct carry *c = carry;

	if (st->blind)
		return;
	switch (f->kind) {
	case FACT_OP_BEGIN:
		st->blind |= f->arg[3] == FACT_SHUTS_DOWN;
		break;
	case FACT_MAP_BEGIN:
		open_map(st, f);
		break;
	case FACT_MAP_END:
		close_map(st, f);
		break;
	case FACT_PTE_MAP:
		map(st, c, f);
		break;
	case FACT_PTE_UNMAP:
		unmap(w, st, c, f);
		break;
	case FACT_IOTLB_SYNC:
		synced(w, st, c, f);
		break;
	case FACT_DOMAIN_FREE:
		domain_gone(st, c, f);
		break;
	case FACT_HW_DMA:
		if (f->arg[0] < DEVICES_MAX && !(f->arg[3] & ORACLE_DMA_PASID))
			dma(w, st, c, f);
		break;
	case FACT_GROUP_REMOVE:
		if (f->arg[1] < DEVICES_MAX)
			st->device[f->arg[1]].domain = 0;
		break;
	default:
		if (f->arg[1] < DEVICES_MAX)
			attach(st, f);
	}
}

/* Only hardware has anything to keep: without it nothing is looked at. */
static void begin(struct world *w, void *state, void *carry)
{
	(void)carry;
	((struct state *)state)->blind = !w->hw;
}

const struct oracle oracle_iotlb = {
	.name = "iotlb",
	.help = "DMA goes where the device's domain maps it, or did until its invalidation ended",
	.size = sizeof(struct state),
	.carry = sizeof(struct carry),
	.facts = FACT_BIT(OP_BEGIN) | FACT_BIT(MAP_BEGIN) | FACT_BIT(MAP_END) | FACT_BIT(PTE_MAP) |
		 FACT_BIT(PTE_UNMAP) | FACT_BIT(IOTLB_SYNC) | FACT_BIT(DOMAIN_FREE) |
		 FACT_BIT(HW_DMA) | FACT_BIT(GROUP_REMOVE) | FACT_BIT(ATTACH) |
		 FACT_BIT(ATTACH_BEGIN) | FACT_BIT(ATTACH_END),
	.begin = begin,
	.see = see,
};
