// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torn: hardware uses configuration as software wrote it, old or new.
 *
 * Checks nothing by itself: a model that reads an entry in pieces compares what
 * it has put together with what stood there when it began and when it ended. A
 * present entry that is neither is a mixture that software never meant (HW_TORN).
 *
 * Does not check: models that say nothing of it (SMMUv3's hitless changes are
 * mixtures by design); words that hardware does not use.
 */
#include "sim/oracle/oracle_priv.h"

extern const struct oracle oracle_torn;

static void see(struct world *w, void *state, void *carry, const struct fact *fact)
{
	struct finding *f;

	(void)state;
	(void)carry;
	f = oracle_finding(w, oracle_torn.name, "BUG: torn configuration entry in %%F");
	if (!f)
		return;
	finding_here(f, "Last word read", fact->pc);
	finding_printf(f, "IOMMU %llu read %llu words at 0x%llx that never stood there together.\n",
		       (unsigned long long)fact->arg[0], (unsigned long long)fact->arg[2],
		       (unsigned long long)fact->arg[1]);
	oracle_report(w, f);
}

const struct oracle oracle_torn = {
	.name = "torn",
	.help = "no present configuration entry is read as a mixture of old and new",
	.size = 1,
	.facts = FACT_BIT(HW_TORN),
	.see = see,
};
