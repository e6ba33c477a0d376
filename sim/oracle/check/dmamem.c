// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA memory: where devices may write and read.
 *
 * Checks each access that went through, by its physical address: it must not
 * lie in frames that were freed in this run and not handed out again, nor may
 * a device write to frames that hold a page table. And each word that an IOMMU
 * reads for a translation or as configuration: not of freed frames either.
 *
 * Does not check: frames that nobody allocated (a story's loose memory, a
 * hosted kernel's own); who a frame belongs to beyond that; more than 512 blocks
 * freed or in use as tables at a time, of which the oldest is forgotten.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_dmamem;

#define BLOCKS_MAX 512
#define FLAG_SPAN 4u /* enum frame_flags: a page table */

struct block {
	u64 pa, last;
	u32 task;
	u64 op;
};

struct set {
	u32 n, next;
};

struct state {
	bool off;
	struct set freed, table;
};

/* What lies beyond the sets' n is of earlier runs and never looked at. */
struct carry {
	struct block freed[BLOCKS_MAX], table[BLOCKS_MAX];
};

static void put(struct set *s, struct block *b, const struct fact *f)
{
	u32 at = s->n < BLOCKS_MAX ? s->n++ : s->next++ % BLOCKS_MAX;

	b[at] = (struct block){f->arg[0], f->arg[0] + (4096ULL << f->arg[1]) - 1, f->task, f->op};
}

static void take(struct set *s, struct block *b, const struct fact *f)
{
	u64 pa = f->arg[0], last = pa + (4096ULL << f->arg[1]) - 1;

	for (u32 i = 0; i < s->n;) {
		if (b[i].pa <= last && b[i].last >= pa)
			b[i] = b[--s->n];
		else
			i++;
	}
}

static const struct block *find(const struct set *s, const struct block *b, u64 pa)
{
	for (u32 i = 0; i < s->n; i++)
		if (pa >= b[i].pa && pa <= b[i].last)
			return &b[i];
	return NULL;
}

static void report(struct world *w, const struct fact *fact, const struct block *b,
		   const char *title, const char *then)
{
	struct finding *f = oracle_finding(w, oracle_dmamem.name, "%s", title);

	if (!f)
		return;
	finding_here(f, "DMA", fact->pc);
	finding_at(f, then, b->task, b->op);
	finding_printf(f, "Device %llu, address 0x%llx, physical 0x%llx in [0x%llx-0x%llx].\n",
		       (unsigned long long)fact->arg[0], (unsigned long long)fact->arg[1],
		       (unsigned long long)fact->arg[2], (unsigned long long)b->pa,
		       (unsigned long long)b->last);
	oracle_report(w, f);
}

#define DMA_WRITE 2u

static void dma(struct world *w, const struct state *st, const struct carry *c,
		const struct fact *f)
{
	const struct block *b;

	if (!f->arg[3])
		return;
	b = find(&st->freed, c->freed, f->arg[2]);
	if (b)
		report(w, f, b, "BUG: DMA to freed memory in %F", "Freed");
	b = f->arg[3] & DMA_WRITE ? find(&st->table, c->table, f->arg[2]) : NULL;
	if (b)
		report(w, f, b, "BUG: DMA write into a page table in %F", "Table allocated");
}

static void walk(struct world *w, const struct state *st, const struct carry *c,
		 const struct fact *fact)
{
	const struct block *b = find(&st->freed, c->freed, fact->arg[1]);
	struct finding *f;

	if (!b)
		return;
	f = oracle_finding(w, oracle_dmamem.name, "BUG: IOMMU reads a freed table in %%F");
	if (!f)
		return;
	finding_here(f, "Walk", fact->pc);
	finding_at(f, "Freed", b->task, b->op);
	finding_printf(f, "IOMMU %llu read 0x%llx in [0x%llx-0x%llx].\n",
		       (unsigned long long)fact->arg[0], (unsigned long long)fact->arg[1],
		       (unsigned long long)b->pa, (unsigned long long)b->last);
	oracle_report(w, f);
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	struct carry *c = carry;

	if (st->off)
		return;
	switch (f->kind) {
	case FACT_FRAME_ALLOC:
		take(&st->freed, c->freed, f);
		if (f->arg[2] & FLAG_SPAN)
			put(&st->table, c->table, f);
		break;
	case FACT_FRAME_FREE:
		take(&st->table, c->table, f);
		put(&st->freed, c->freed, f);
		break;
	case FACT_HW_WALK:
		walk(w, st, c, f);
		break;
	default:
		dma(w, st, c, f);
	}
}

/* Only hardware reaches memory by itself. */
static void begin(struct world *w, void *state, void *carry)
{
	(void)carry;
	((struct state *)state)->off = !w->hw;
}

const struct oracle oracle_dmamem = {
	.name = "dmamem",
	.help = "DMA reaches neither freed memory nor, writing, a page table",
	.size = sizeof(struct state),
	.carry = sizeof(struct carry),
	.facts = FACT_BIT(FRAME_ALLOC) | FACT_BIT(FRAME_FREE) | FACT_BIT(HW_DMA) |
		 FACT_BIT(HW_WALK),
	.begin = begin,
	.see = see,
};
