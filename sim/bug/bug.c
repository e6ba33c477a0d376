// SPDX-License-Identifier: GPL-2.0-only
#include "sim/bug/bug.h"

#include "sim/base/assert.h"

#include <string.h>

const struct bug_row bug_rows[BUG_N] = {
#define BUG(sym, id, fix, year, room, oracle, depth, sentence) \
	{id, fix, year, room, oracle, depth, sentence},
#include "sim/bug/bugs.def"
#undef BUG
};

int bug_find(const char *id)
{
	for (unsigned i = 0; i < BUG_N; i++) {
		if (!strcmp(bug_rows[i].id, id))
			return (int)i;
	}
	return -1;
}

void bug_set_clear(struct bug_set *set)
{
	memset(set, 0, sizeof(*set));
}

void bug_set_add(struct bug_set *set, unsigned bug)
{
	sim_assert(bug < BUG_N);
	set->word[bug / 64] |= 1ULL << (bug % 64);
}
