// SPDX-License-Identifier: GPL-2.0-only
/*
 * Isolation: devices that can reach each other past the IOMMU are in one group.
 *
 * Checks each request that was turned round below the root (peer to peer): the
 * two devices must be in one group, else the owner of one has the other. And each
 * access of a process to registers that are the host's alone: who has the guest's part
 * of a device must not reach what saves and restores it. And each access that went
 * through an IOMMU into registers which were given away as a dma-buf: not while they are
 * taken back.
 *
 * Does not check: devices without a group; what else goes through the IOMMU into
 * another device's registers, which a domain may map on purpose; beyond LENT_MAX ranges.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_isolation;

#define DEVICES_MAX 64
#define LENT_MAX 64

/* Registers of a dma-buf. */
struct lent {
	u64 pa, size;
	bool back; /* taken back, since then: */
	u32 task;
	u64 op;
};

struct state {
	struct lent lent[LENT_MAX];
	u32 n_lent;
	u32 group[DEVICES_MAX]; /* + 1; 0 = in none */
	u32 task[DEVICES_MAX];
	u64 op[DEVICES_MAX];
};

/* A device's own registers, and a process that has them. */
static void host_only(struct world *w, const struct fact *fact)
{
	struct finding *f = oracle_finding(w, oracle_isolation.name,
					   "BUG: a process reaches a device's host in %%F");

	if (!f)
		return;
	finding_here(f, fact->arg[3] ? "Write" : "Read", fact->pc);
	finding_printf(f, "0x%llx of device %llu controls the device's migration: it is its host's.\n",
		       (unsigned long long)fact->arg[1], (unsigned long long)fact->arg[2]);
	oracle_report(w, f);
}

static void p2p(struct world *w, const struct state *st, const struct fact *fact)
{
	u64 a = fact->arg[0], b = fact->arg[2];
	struct finding *f;

	if (a >= DEVICES_MAX || b >= DEVICES_MAX || !st->group[a] || !st->group[b] ||
	    st->group[a] == st->group[b])
		return;
	f = oracle_finding(w, oracle_isolation.name, "BUG: peer-to-peer DMA between groups in %%F");
	if (!f)
		return;
	finding_here(f, "DMA", fact->pc);
	finding_at(f, "Device joined its group", st->task[a], st->op[a]);
	finding_at(f, "Peer joined its group", st->task[b], st->op[b]);
	finding_printf(f, "Device %llu of group %u reached 0x%llx of device %llu, group %u.\n",
		       (unsigned long long)a, st->group[a] - 1, (unsigned long long)fact->arg[1],
		       (unsigned long long)b, st->group[b] - 1);
	oracle_report(w, f);
}

/* --- dma-bufs --- */

/* A device's are taken back, and given away again, together: ranges may overlap. */
static void lend(struct state *st, const struct fact *fact)
{
	struct lent *l = st->lent, *end = st->lent + st->n_lent;

	for (u32 i = 0; i < st->n_lent && fact->arg[3]; i++) {
		u64 last = l[i].pa + l[i].size - 1;

		if (fact->arg[1] <= last && fact->arg[1] + fact->arg[2] > l[i].pa)
			l[i].back = false;
	}
	while (l < end && (l->pa != fact->arg[1] || l->size != fact->arg[2]))
		l++;
	if (l == st->lent + LENT_MAX)
		return;
	if (l == end)
		st->n_lent++;
	*l = (struct lent){fact->arg[1], fact->arg[2], !fact->arg[3], fact->task, fact->op};
}

static void dma(struct world *w, const struct state *st, const struct fact *fact)
{
	u64 pa = fact->arg[2];
	struct finding *f;

	for (u32 i = 0; i < st->n_lent; i++) {
		const struct lent *l = &st->lent[i];

		if (!l->back || pa - l->pa >= l->size)
			continue;
		f = oracle_finding(w, oracle_isolation.name,
				   "BUG: DMA to registers that were taken back in %%F");
		if (!f)
			return;
		finding_here(f, "DMA", fact->pc);
		finding_at(f, "Taken back", l->task, l->op);
		finding_printf(f, "Device %llu reached 0x%llx of a dma-buf by 0x%llx.\n",
			       (unsigned long long)fact->arg[0], (unsigned long long)pa,
			       (unsigned long long)fact->arg[1]);
		oracle_report(w, f);
		return;
	}
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	u64 device = f->arg[1];

	(void)carry;
	if (f->kind == FACT_HW_DMA) {
		if (st->n_lent && f->arg[3] & 1)
			dma(w, st, f);
	} else if (f->kind == FACT_HW_P2P && f->arg[0] == ~1ULL) {
		lend(st, f);
	} else if (f->kind == FACT_HW_P2P && f->arg[0] == ~0ULL) {
		host_only(w, f);
	} else if (f->kind == FACT_HW_P2P) {
		p2p(w, st, f);
	} else if (device < DEVICES_MAX) {
		st->group[device] = f->kind == FACT_GROUP_ADD ? (u32)f->arg[0] + 1 : 0;
		st->task[device] = f->task;
		st->op[device] = f->op;
	}
}

const struct oracle oracle_isolation = {
	.name = "isolation",
	.help = "peer-to-peer DMA stays within a group, a device's control with its host, "
		"registers taken back from others",
	.size = sizeof(struct state),
	.facts = FACT_BIT(HW_P2P) | FACT_BIT(HW_DMA) | FACT_BIT(GROUP_ADD) |
		 FACT_BIT(GROUP_REMOVE),
	.see = see,
};
