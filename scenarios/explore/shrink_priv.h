/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the shrinker share: the best run so far, and a try.
 */
#pragma once

#include "scenarios/explore/explore_priv.h"

#define FREED_PCS 2
#define SWITCHES_GOAL 3

struct shrinker {
	struct explorer *e;
	struct recipe *seq;
	u32 n, k; /* seq[k] is being shrunk */
	struct explore_signature sig;
	char title[FINDING_TITLE_MAX]; /* with functions: equal is enough while searching */
	u64 freed[FREED_PCS];          /* so is the same release, 0 = none */
	u32 task;                      /* where it was seen */
	bool searching;
	/*
	 * A result that was not expected: what one operation is to give is so behind
	 * all before it. They all stay, unless there is a kernel without the defect.
	 */
	bool by_result;
	bool has_bugs; /* it is this one with the historic bugs off */
	u32 tries, tries_max;
	/* the best so far: what its run did, not what it was asked to */
	struct switch_point *best;
	u32 n_best, best_max;
	struct switch_point *trail; /* every switch of that run */
	u32 n_trail, trail_max;
	u32 trail_limit; /* a try with more switches in all does not count */
	u64 drop[SCENARIO_OPS_MAX / 64];
	u64 begin[SCENARIO_OPS_MAX], end[SCENARIO_OPS_MAX];
	/* room for what is tried next */
	struct switch_point *next;
	u32 next_max;
};

/* Runs with these points; whether the finding is still there (then it is the best). */
bool shrink_try(struct shrinker *sh, const struct switch_point *p, u32 n, const u64 *drop,
		u32 limit);
/* ddmin over the points. */
void shrink_points(struct shrinker *sh);
/* Leaves out operations, as long as the finding stays. */
void shrink_ops(struct shrinker *sh);
/* Runs parts of a task that were apart in one go. */
void shrink_merge(struct shrinker *sh);
/* Looks for a schedule of few switches. */
void shrink_search(struct shrinker *sh);
/* From now on findings that are alike will do. */
void shrink_relax(struct shrinker *sh);
