// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run is a row of segments, each one task from where it got the CPU to where
 * it lost it. ddmin cannot take a long alternation of two tasks apart, since
 * without one switch of it the others find nobody at their place. So: take two
 * neighbouring segments of one task and run them in one go, either where the
 * first was or where the second was. What stays of the finding is kept.
 */
#include "scenarios/explore/shrink_priv.h"

#include "sim/base/assert.h"

#include <stdlib.h>

/* Entry i of the best run's trail ends segment i; the last segment has no end. */
static u32 n_segments(const struct shrinker *sh)
{
	return sh->n_trail ? sh->n_trail + 1 : 0;
}

static u32 segment_task(const struct shrinker *sh, u32 i)
{
	return i < sh->n_trail ? sh->trail[i].task : sh->trail[i - 1].to;
}

/* Adds a segment to the row being written; one of the same task goes on. */
static u32 append(const struct shrinker *sh, u32 *row, u32 n, u32 segment)
{
	if (n && segment_task(sh, row[n - 1]) == segment_task(sh, segment))
		row[n - 1] = segment;
	else
		row[n++] = segment;
	return n;
}

/* The row with two segments of a task in one, where the first or where the second was. */
static u32 row_of(const struct shrinker *sh, u32 first, u32 second, bool early, u32 *row)
{
	u32 n = 0;

	for (u32 i = 0; i < n_segments(sh); i++) {
		if (i == first && early) {
			n = append(sh, row, n, first);
			n = append(sh, row, n, second);
		} else if (i == second && !early) {
			n = append(sh, row, n, first);
			n = append(sh, row, n, second);
		} else if (i != first && i != second) {
			n = append(sh, row, n, i);
		}
	}
	return n;
}

/* Every change of the row as a switch; those that the default makes itself do no harm. */
static u32 points_of(struct shrinker *sh, const u32 *row, u32 n)
{
	u32 at = 0;

	sh->next[at++] = (struct switch_point){.to = segment_task(sh, row[0]), .why = WHY_BLOCK};
	for (u32 i = 0; i + 1 < n && row[i] < sh->n_trail; i++) {
		sh->next[at] = sh->trail[row[i]];
		sh->next[at++].to = segment_task(sh, row[i + 1]);
	}
	/* What else the run had stays: chances are counted apart. */
	for (u32 i = 0; i < sh->n_best; i++) {
		if (sh->best[i].why == WHY_CHANCE)
			sh->next[at++] = sh->best[i];
	}
	return at;
}

static u32 next_of_task(const struct shrinker *sh, u32 i)
{
	u32 next = i + 1;

	while (next < n_segments(sh) && segment_task(sh, next) != segment_task(sh, i))
		next++;
	return next;
}

static bool merge_two(struct shrinker *sh, u32 first, u32 second, u32 *row)
{
	for (u32 early = 0; early < 2; early++) {
		u32 n = points_of(sh, row, row_of(sh, first, second, early, row));

		if (shrink_try(sh, sh->next, n, sh->drop, sh->n_best))
			return true;
	}
	return false;
}

/* Merges what can be merged once; whether anything was. */
static bool merge_pass(struct shrinker *sh)
{
	u32 *row = malloc(n_segments(sh) * sizeof(*row));
	bool merged = false;

	sim_assert(row);
	for (u32 i = 0; i < n_segments(sh) && sh->n_trail && sh->tries < sh->tries_max;) {
		u32 second = next_of_task(sh, i);

		sh->trail_limit = sh->n_trail - 1;
		if (second < n_segments(sh) && merge_two(sh, i, second, row))
			merged = true;
		else
			i++;
	}
	sh->trail_limit = ~0U;
	free(row);
	return merged;
}

void shrink_merge(struct shrinker *sh)
{
	while (sh->n_best > 1 && sh->n_trail && merge_pass(sh))
		shrink_points(sh);
}
