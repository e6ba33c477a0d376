/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recipe: one line that gives a run again.
 *
 *   iommulab1:<build>:<scenario>@<hash>:<policy>:<seed>:<memory>:<options>
 *
 * build     first 8 digits of the program's build id
 * scenario  path as given ('%', ':', '@', '+' and blanks percent-encoded), then the
 *           first 8 digits of the hash of its content
 * policy    NAME or NAME(ARG), the argument resolved. For a list of switches:
 *           list(T2@17>T1,T3%4>T2): before operation 17 of task 2 go to task 1;
 *           at the block, yield or end of task 3 in its operation 4 go to task 2
 * seed      hexadecimal
 * memory    sc
 * options   comma list, may be empty: bug=ID, nth=N, drop=I (operation left
 *           out, counted over all tasks), poison=N
 *
 * Several recipes joined by " + " are run in order with what the oracles carry
 * kept (a lock-order finding has one for each edge).
 */
#pragma once

#include "scenarios/engine/scenario.h"

#define RECIPE_TEXT_MAX 80000

struct recipe {
	char build[17];
	char path[256];
	u64 content_hash;
	char policy[32];
	char arg[WORLD_ARG_MAX];
	u64 seed;
	struct bug_set bugs; /* those added to the scenario's own */
	u64 nth;
	u64 drop[SCENARIO_OPS_MAX / 64];
	u8 poison;
};

void recipe_print(const struct recipe *r, char *buf, size_t size);
/* False and a text in err ("column 12: unknown policy 'foo', expected ...") on bad input. */
bool recipe_parse(const char *text, size_t len, struct recipe *r, char *err, size_t err_size);
