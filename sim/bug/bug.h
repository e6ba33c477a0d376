/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Historic defects, each off unless a scenario or --bug switches it on.
 * A row of bugs.def, one guarded site `if (bug_on(BUG_x))` with both branches
 * shown, and one witness in scenarios/historic/<id>.yaml.
 */
#pragma once

#include "sim/base/types.h"

enum bug_id {
#define BUG(sym, id, fix, year, room, oracle, depth, sentence) BUG_##sym,
#include "sim/bug/bugs.def"
#undef BUG
	BUG_N,
};

struct bug_row {
	const char *id;       /* the name a user writes: core-devfree-vs-fwspec */
	const char *fix;      /* upstream commit(s) that fixed it */
	unsigned year;
	const char *room;     /* where its guarded site is */
	const char *oracle;   /* substring that the finding's title must have */
	unsigned depth;       /* ordering constraints; 1 = any schedule */
	const char *sentence; /* what goes wrong */
};
extern const struct bug_row bug_rows[BUG_N];

struct bug_set {
	u64 word[(BUG_N + 63) / 64 + 1];
};

/* Index of the row with this id, or -1. */
int bug_find(const char *id);
void bug_set_clear(struct bug_set *set);
void bug_set_add(struct bug_set *set, unsigned bug);

static inline bool bug_set_has(const struct bug_set *set, unsigned bug)
{
	return set->word[bug / 64] >> (bug % 64) & 1;
}
