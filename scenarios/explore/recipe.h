/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recipe: one line that gives a run again.
 *
 *   iommulab1:<build>:<scenario>@<hash>:<policy>:<seed>:<memory>:<options>
 *
 * build     first 8 digits of recipe_build()
 * scenario  path as given ('%', ':', '@', '+' and blanks percent-encoded), then the
 *           first 8 digits of the hash of its content
 * policy    NAME or NAME(ARG), the argument resolved. For a list of switches:
 *           list(T2@17>T1,T3%4>T2): before operation 17 of task 2 go to task 1;
 *           at the block, yield or end of task 3 in its operation 4 go to task 2;
 *           T3!9.0: in operation 9 of task 3, yes to the first chance of hardware's
 * seed      hexadecimal
 * memory    sc
 * options   comma list, may be empty: bug=ID, nth=N, drop=I or drop=I-J (operations
 *           left out, counted from 0 over all tasks), poison=N, against=N (make it
 *           with that heap poison, too: a difference is the finding),
 *           oracle=NAME (only the named ones watch), kernel=BUILD@PATH (of a hosted
 *           kernel's object and the first digits of its build id; else our own core),
 *           threads=all (each call is a task of its own)
 *
 * Several recipes joined by " + " are run in order with what the oracles carry
 * kept (a lock-order finding has one for each edge).
 */
#pragma once

#include "scenarios/engine/scenario.h"

#define RECIPE_TEXT_MAX 80000

/*
 * What a recipe of this program is bound to, 16 hexadecimal digits: a hash of
 * the sources that decide a run and of how they are compiled. Equal in the lab
 * and fuzz flavours, which compile them alike.
 */
const char *recipe_build(void);

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
	u8 poison, against;
	char oracles[SCENARIO_ORACLES_MAX]; /* comma list, "" = the scenario's, else all */
	char kernel[256], kernel_build[9]; /* "" = our own */
	bool threads_all; /* each call is a task of its own */
};

void recipe_print(const struct recipe *r, char *buf, size_t size);
/* Its parts before the policy and behind "sc:", which a campaign's runs share. */
void recipe_head_print(const struct recipe *r, char *buf, size_t size);
void recipe_tail_print(const struct recipe *r, char *buf, size_t size);
/* False and a text in err ("column 12: unknown policy 'foo', expected ...") on bad input. */
bool recipe_parse(const char *text, size_t len, struct recipe *r, char *err, size_t err_size);

#define RECIPES_MAX 8

/*
 * All recipes of a line "A + B + C", blanks around it ignored. Returns how
 * many, or 0 and a text in err.
 */
u32 recipe_parse_all(const char *text, size_t len, struct recipe r[RECIPES_MAX], char *err,
		     size_t err_size);

/* Appends the arg of policy `list` that gives these points; false if it does not fit. */
bool recipe_points_print(const struct switch_point *p, u32 n, char *buf, size_t size);
/* The reverse; the number of points, at most max, or -1 and *bad is where it stopped. */
int recipe_points_parse(const char *text, size_t len, struct switch_point *p, u32 max,
			size_t *bad);
