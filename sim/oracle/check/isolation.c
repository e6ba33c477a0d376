// SPDX-License-Identifier: GPL-2.0-only
/*
 * Isolation: devices that can reach each other past the IOMMU are in one group.
 *
 * Checks each request that was turned round below the root (peer to peer): the
 * two devices must be in one group, else the owner of one has the other. And each
 * access of a process to registers that are the host's alone: who has the guest's part
 * of a device must not reach what saves and restores it.
 *
 * Does not check: devices without a group; what goes through the IOMMU into
 * another device's registers, which a domain may map on purpose.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_isolation;

#define DEVICES_MAX 64

struct state {
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

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;
	u64 device = f->arg[1];

	(void)carry;
	if (f->kind == FACT_HW_P2P && f->arg[0] == ~0ULL) {
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
	.help = "peer-to-peer DMA stays within a group, a device's control with its host",
	.size = sizeof(struct state),
	.facts = FACT_BIT(HW_P2P) | FACT_BIT(GROUP_ADD) | FACT_BIT(GROUP_REMOVE),
	.see = see,
};
