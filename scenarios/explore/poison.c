// SPDX-License-Identifier: GPL-2.0-only
/*
 * Use of unwritten memory, seen by its effect. A fresh object holds the run's
 * poison; nothing else depends on that. So two runs with the same choices and
 * different poison are equal step by step, unless someone has used what nobody
 * had written, be it in code without access hooks. Such a run is made a third
 * time, and ends with a finding at the first fact that only it has.
 *
 * A recipe asks for this by poison=A,against=B.
 */
#include "scenarios/explore/explore_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

static void see_difference(void *self, const struct fact *f)
{
	struct explorer *e = self;
	struct world *w = e->w;
	struct finding *finding;

	if (f->kind == FACT_SWITCH)
		return;
	if (w->sched->notes < e->differs_at) {
		e->fact_before = w->sched->notes;
		return;
	}
	finding = oracle_finding(w, "poison",
				 "BUG: KMSAN: uninit-value use decides the run in %%F");
	if (!finding)
		return;
	finding_here(finding, "First step that differs", 0);
	finding_printf(finding, "With the same choices, but 0x%02x instead of 0x%02x in fresh memory,\n"
				" the run is another from step %llu on: before it, or at it, a value was\n"
				" used that nobody had written.\n",
		       e->against, e->run.poison, (unsigned long long)finding->step);
	oracle_report(w, finding);
}

void explorer_run_to_difference(struct explorer *e)
{
	fact_subscribe(e->w->fact, FACT_ALL & ~FACT_BIT(SWITCH), see_difference, e);
	world_run(e->w, &e->run);
	fact_unsubscribe(e->w->fact, see_difference, e);
}

/* The first note (from 1) in which the run just made differs from another; 0: it does not. */
static u64 difference(const struct world_run *r, const u64 *checks, u64 n, bool finding)
{
	u64 at = 0, end = min(n, (u64)r->n_checks);

	while (at < end && checks[at] == r->checks[at])
		at++;
	if (at == n && at == r->n_checks && finding == (r->finding != NULL))
		return 0;
	/* Where the other goes on, this one's last note is the best there is. */
	return max(min(at + 1, (u64)r->n_checks), 1ULL);
}

bool explorer_compare(struct explorer *e, u8 poison, u8 against)
{
	struct world_run *r = &e->run;
	u64 n, *checks, at;
	bool finding;

	e->differs_at = 0;
	e->against = against;
	e->comparing = true;
	r->check_every = 1;
	r->poison = against;
	explorer_run(e);
	n = r->n_checks;
	finding = r->finding != NULL;
	checks = malloc((n + 1) * sizeof(*checks));
	sim_assert(checks);
	memcpy(checks, r->checks, n * sizeof(*checks));
	r->poison = poison;
	explorer_run(e);
	r->check_every = 0;
	at = difference(r, checks, n, finding);
	free(checks);
	if (at) {
		e->differs_at = at;
		e->fact_before = 1;
		explorer_run(e);
		/* No fact comes behind the difference: the last one before it, then. */
		if (!r->finding)
			e->differs_at = e->fact_before;
	}
	e->comparing = false;
	return at;
}
