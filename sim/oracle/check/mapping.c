// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping: the tables do what iommu_map() was asked for.
 *
 * Checks, while a task is inside iommu_map(): that whatever the driver enters
 * into the domain's table lies in the range asked for; at its end, that it has
 * entered (and not taken back) all of the range if the call succeeded, and
 * nothing if it failed.
 *
 * Does not check: which physical address is entered (the tests' reference
 * model does); unmapping outside a map; what hardware has cached; more than
 * one map at a time in a task, or more than 64 tasks.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_mapping;

struct request {
	bool open;
	u64 domain, iova, size;
	u64 entered; /* bytes, net */
	u64 op;
};

struct state {
	struct request of[SCHED_TASKS_MAX];
};

static void report(struct world *w, const struct fact *fact, const struct request *r,
		   const char *title, const char *what)
{
	struct finding *f = oracle_finding(w, oracle_mapping.name, "%s", title);

	if (!f)
		return;
	finding_here(f, what, fact->pc);
	finding_at(f, "Map begun", fact->task, r->op);
	finding_printf(f, "Domain %llu, asked for 0x%llx + 0x%llx, entered 0x%llx bytes before.\n",
		       (unsigned long long)r->domain, (unsigned long long)r->iova,
		       (unsigned long long)r->size, (unsigned long long)r->entered);
	oracle_report(w, f);
}

static void enter(struct world *w, struct request *r, const struct fact *f)
{
	u64 iova = f->arg[1], size = f->arg[3];

	if (f->arg[0] != r->domain)
		return;
	if (iova < r->iova || size > r->size || iova - r->iova > r->size - size)
		report(w, f, r, "BUG: IOMMU map outside the requested range in %F", "Entered");
	r->entered += size;
}

static void end(struct world *w, struct request *r, const struct fact *f)
{
	r->open = false;
	if (r->entered == (f->arg[1] ? 0 : r->size))
		return;
	report(w, f, r, f->arg[1] ? "BUG: failed IOMMU map left entries in %F" :
				    "BUG: IOMMU map left a hole in %F", "Map ends");
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct request *r = &((struct state *)state)->of[f->task % SCHED_TASKS_MAX];

	(void)carry;
	switch (f->kind) {
	case FACT_MAP_BEGIN:
		*r = (struct request){.open = true, .domain = f->arg[0], .iova = f->arg[1],
				      .size = f->arg[2], .op = f->op};
		break;
	case FACT_PTE_MAP:
		if (r->open)
			enter(w, r, f);
		break;
	case FACT_PTE_UNMAP:
		if (r->open && f->arg[0] == r->domain)
			r->entered -= f->arg[2];
		break;
	default:
		if (r->open)
			end(w, r, f);
	}
}

const struct oracle oracle_mapping = {
	.name = "mapping",
	.help = "a map enters its range, all or nothing, and nothing else",
	.size = sizeof(struct state),
	.facts = FACT_BIT(MAP_BEGIN) | FACT_BIT(MAP_END) | FACT_BIT(PTE_MAP) | FACT_BIT(PTE_UNMAP),
	.see = see,
};
