// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware's queues: software hands hardware nothing that it must refuse.
 *
 * Checks nothing by itself: the models say when a command, a descriptor or an
 * index breaks a rule of the architecture, functions when a response to page
 * requests is for none of theirs (HW_PROTOCOL), and that is a finding.
 * A story that means to break one switches this oracle off.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_hwqueue;

static void see(struct world *w, void *state, void *carry, const struct fact *fact)
{
	const char *what = (const char *)(uintptr_t)fact->arg[1];
	struct finding *f;

	(void)state;
	(void)carry;
	f = oracle_finding(w, oracle_hwqueue.name, "BUG: IOMMU was handed an illegal command in %%F");
	if (!f)
		return;
	finding_here(f, what, fact->pc);
	finding_printf(f, "IOMMU %llu: %s: 0x%llx 0x%llx.\n", (unsigned long long)fact->arg[0],
		       what, (unsigned long long)fact->arg[2], (unsigned long long)fact->arg[3]);
	finding_printf(f, "Hardware reads its queues late: who wrote it stands in the "
		       "interleaving, before this.\n");
	oracle_report(w, f);
}

const struct oracle oracle_hwqueue = {
	.name = "hwqueue",
	.help = "no command, descriptor or index that hardware must refuse",
	.size = 1,
	.facts = FACT_BIT(HW_PROTOCOL),
	.see = see,
};
