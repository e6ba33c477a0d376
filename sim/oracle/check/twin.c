// SPDX-License-Identifier: GPL-2.0-only
/*
 * Twin: what an IOMMU answers, by whatever it keeps, is what a walk of the tables
 * as they are gives.
 *
 * The fabric makes that walk beside each access that a model translated, and marks
 * the fact where it leads elsewhere or is refused. That is a finding unless an
 * invalidation is due: the model or the function has one to do, an unmap's or an
 * attach's has not returned, an operation that may change tables is under way, or
 * another task that writes tables or registers by hand has not ended: between its
 * write and its invalidation the old entry is used by right.
 *
 * Does not check: programs without operations, of which nobody knows what they are in
 * the middle of (our tests' in C); accesses that were refused; accesses while other
 * tasks are in such operations; devices whose first stage is user space's (nested),
 * which may invalidate when it likes, and PASIDs while there is such a domain; devices
 * behind hosted kernels (core/hosted has a twin of its own).
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_twin;

#define UNMAPS_MAX 256
#define DEVICES_MAX 64
#define TASKS_MAX 64
#define TYPE_NESTED 16u

struct unmap {
	u32 domain;
	u64 iova, last;
};

struct state {
	bool blind, operated; /* operated: there was an operation */
	u64 by_hand;  /* tasks that write by themselves and live, a bit each */
	u32 busy;     /* attaches, and operations that may change tables */
	u32 n;
	u32 n_nested; /* domains */
	u64 nested;   /* devices in such, a bit each */
};

/* What lies beyond st->n is of earlier runs and never looked at. */
struct carry {
	struct unmap unmap[UNMAPS_MAX];
};

static void op_begins(struct state *st, const struct fact *f)
{
	st->operated = true;
	st->busy += f->arg[3] != FACT_CHANGES_NOTHING;
	if (f->arg[3] == FACT_BY_HAND && f->task < TASKS_MAX)
		st->by_hand |= 1ULL << f->task;
}

static void is_over(struct state *st)
{
	st->busy -= st->busy > 0;
}

/* Whoever asks for an access has done by hand what he wanted to do before it. */
static bool others_by_hand(const struct state *st, u32 task)
{
	return st->by_hand & ~(task < TASKS_MAX ? 1ULL << task : 0);
}

static void unmapped(struct state *st, struct carry *c, const struct fact *f)
{
	if (st->n == UNMAPS_MAX)
		st->blind = true;
	else
		c->unmap[st->n++] = (struct unmap){(u32)f->arg[0], f->arg[1],
						   f->arg[1] + f->arg[2] - 1};
}

/* Of a range a part is enough: the rest is in the hands of the same operation. */
static void settle(struct state *st, struct carry *c, u32 domain, u64 iova, u64 last)
{
	for (u32 i = 0; i < st->n;) {
		const struct unmap *u = &c->unmap[i];

		if (u->domain == domain && u->iova <= last && u->last >= iova)
			c->unmap[i] = c->unmap[--st->n];
		else
			i++;
	}
}

static void attached(struct state *st, const struct fact *f)
{
	if (f->arg[1] >= DEVICES_MAX)
		return;
	st->nested &= ~(1ULL << f->arg[1]);
	st->nested |= (u64)!!(f->arg[3] & TYPE_NESTED) << f->arg[1];
}

static bool is_users(const struct state *st, const struct fact *f)
{
	if (f->arg[3] & ORACLE_DMA_PASID)
		return st->n_nested;
	return f->arg[0] >= DEVICES_MAX || (st->nested >> f->arg[0] & 1);
}

static void judge(struct world *w, const struct state *st, const struct fact *fact)
{
	struct finding *f;

	if (!(fact->arg[3] & ORACLE_DMA_TWIN) || fact->arg[3] & ORACLE_DMA_PENDING || st->n ||
	    !st->operated || is_users(st, fact) || st->busy ||
	    others_by_hand(st, fact->task))
		return;
	f = oracle_finding(w, oracle_twin.name,
			   "BUG: DMA by a translation that the tables no longer have in %%F");
	if (!f)
		return;
	finding_here(f, "DMA", fact->pc);
	finding_printf(f, "Device %llu reached 0x%llx by address 0x%llx%s.\n",
		       (unsigned long long)fact->arg[0], (unsigned long long)fact->arg[2],
		       (unsigned long long)fact->arg[1],
		       fact->arg[3] & ORACLE_DMA_PASID ? " with a PASID" : "");
	oracle_truth_print(w, f);
	oracle_report(w, f);
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct carry *c = carry;

	if (st->blind)
		return;
	switch (f->kind) {
	case FACT_OP_BEGIN:
		op_begins(st, f);
		break;
	case FACT_TASK_EXIT:
		if (f->arg[0] < TASKS_MAX)
			st->by_hand &= ~(1ULL << f->arg[0]);
		break;
	case FACT_OP_END:
		if (f->arg[3] != FACT_CHANGES_NOTHING)
			is_over(st);
		break;
	case FACT_ATTACH_BEGIN:
		st->busy++;
		break;
	case FACT_ATTACH_END:
		is_over(st);
		break;
	case FACT_PTE_UNMAP:
		unmapped(st, c, f);
		break;
	case FACT_IOTLB_SYNC:
		settle(st, c, (u32)f->arg[0], f->arg[1], f->arg[2]);
		break;
	case FACT_ATTACH:
		attached(st, f);
		break;
	case FACT_DOMAIN_ALLOC:
		st->n_nested += !!(f->arg[1] & TYPE_NESTED);
		break;
	case FACT_DOMAIN_FREE:
		st->n_nested -= (f->arg[1] & TYPE_NESTED) && st->n_nested;
		settle(st, c, (u32)f->arg[0], 0, ~0ULL);
		break;
	default:
		judge(w, st, f);
	}
}

static void begin(struct world *w, void *state, void *carry)
{
	(void)carry;
	((struct state *)state)->blind = !w->hw;
}

const struct oracle oracle_twin = {
	.name = "twin",
	.help = "what an IOMMU answers is what the tables say, but for invalidations that are due",
	.size = sizeof(struct state),
	.carry = sizeof(struct carry),
	.facts = FACT_BIT(OP_BEGIN) | FACT_BIT(OP_END) | FACT_BIT(TASK_EXIT) |
		 FACT_BIT(ATTACH_BEGIN) | FACT_BIT(ATTACH_END) | FACT_BIT(ATTACH) |
		 FACT_BIT(PTE_UNMAP) | FACT_BIT(IOTLB_SYNC) | FACT_BIT(DOMAIN_ALLOC) |
		 FACT_BIT(DOMAIN_FREE) | FACT_BIT(HW_DMA),
	.begin = begin,
	.see = see,
};
