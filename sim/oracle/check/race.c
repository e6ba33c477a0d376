// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data races: KCSAN's part, by happens-before instead of by watchpoints.
 *
 * Checks, at each hooked access to the heap: that no conflicting access of
 * another task (one of the two writes) is unordered with it, unless both are
 * marked (READ_ONCE, WRITE_ONCE, atomics). Order comes from locks, release and
 * acquire, wake-ups, completions, work items, timers, RCU grace periods, and
 * from starting and ending tasks. So one run convicts accesses that did not
 * interleave in it.
 *
 * Does not check: stacks and static data; the services' own objects (locks,
 * counters), which are marked by nature; which value would have been lost; a
 * race with an access before the last write of another task (a cell keeps one
 * write, and of each task the last read).
 *
 * The earlier access is known by (task, operation) only; its stack comes from
 * the replay's record.
 */
#include "sim/oracle/oracle_priv.h"

#include <stdio.h>

extern const struct oracle oracle_race;

static void describe(char *buf, size_t size, u32 flags, u32 bytes)
{
	snprintf(buf, size, "%s of size %u (%s)", flags & OP_WRITE ? "Write" : "Read", bytes,
		 flags & OP_ATOMIC ? "atomic" : flags & OP_MARKED ? "marked" : "plain");
}

void oracle_race_access(struct world *w, const struct access_finding *a)
{
	struct finding *f =
		oracle_finding(w, oracle_race.name, "BUG: KCSAN: data-race in %%F / %%G");
	const struct mem_object *o = mem_find(w->mem, a->addr);
	char what[FINDING_WHAT_MAX];

	if (!f)
		return;
	f->addr = a->addr;
	describe(what, sizeof(what), a->flags, a->size);
	finding_here(f, what, a->pc);
	describe(what, sizeof(what), a->other_flags, a->size);
	finding_at(f, what, a->other_task, a->other_op);
	if (o) {
		f->object = o->addr;
		f->object_size = o->size;
		finding_printf(f, "The address is %llu bytes inside the %u-byte object at 0x%llx\n"
				  " of the cache %s; nothing orders the two accesses.\n",
			       (unsigned long long)(a->addr - o->addr), o->size,
			       (unsigned long long)o->addr, o->cache);
		finding_stack(f, "Allocated", &o->alloc);
	}
	oracle_report(w, f);
}

const struct oracle oracle_race = {
	.name = "race",
	.help = "data races: unordered conflicting accesses, one of them plain",
	.checks = ACCESS_CHECK_RACE,
};
