// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data that the tree refers to and the runtime lacks lies in pages that nobody may touch. The
 * fault becomes what the call of an absent function is: a finding that names it. An access near
 * NULL that no hook announced (a quiet task's is only counted) becomes one, too.
 */
#include "core/hosted/floor.h"
#include "core/hosted/hosted_priv.h"

#include "sim/access/access.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"
#include "sim/oracle/oracle.h"
#include "sim/sched/sched.h"

#include <stdio.h>

static const struct hosted_absent *absent_at(u64 addr)
{
	const struct world *w = current_task ? current_task->world : NULL;
	const struct hosted_image *image = w ? hosted_image_of(w) : NULL;
	const struct hosted_kernel *k = image ? hosted_table(image, w) : NULL;

	for (const struct hosted_absent *a = k ? k->absent : NULL; k && a < k->absent_end; a++) {
		if (addr - (u64)(uintptr_t)a->addr < a->size)
			return a;
	}
	return NULL;
}

/* Called in the place of the faulting instruction, in its task. */
static void absent_touched(u64 addr)
{
	const struct hosted_absent *a = absent_at(addr);
	struct world *w = current_task->world;
	u64 pc = (u64)(uintptr_t)__builtin_return_address(0);
	struct finding *f = oracle_finding(w, "warn", "hosted kernel: %s is absent", a->name);

	if (f) {
		finding_printf(f, "The tree reads or writes %s, which the runtime does not have.\n",
			       a->name);
		finding_here(f, "touched", pc);
		oracle_report(w, f);
	}
	sim_fatal("hosted kernel: %s is absent, and was touched", a->name);
}

/* If no oracle watches the heap, it is what a processor would say: the run cannot go on. */
static void null_touched(u64 addr)
{
	u64 pc = (u64)(uintptr_t)__builtin_return_address(0);
	struct world *w = current_task->world;
	struct finding *f;

	access_wild(addr, 1, OP_READ, pc);
	f = oracle_finding(w, "oops", "BUG: unable to handle kernel NULL pointer dereference in %%F");
	sim_assert(f);
	f->addr = addr;
	finding_here(f, "touched", pc);
	oracle_report(w, f);
}

static void (*who(u64 addr))(u64 addr)
{
	if (addr < FLOOR_LOW)
		return current_task && current_task->world->floor ? null_touched : NULL;
	return absent_at(addr) ? absent_touched : NULL;
}

void hosted_trap_set(void)
{
	host_on_fault(who);
}
