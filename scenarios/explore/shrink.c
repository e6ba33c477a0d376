// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker. What varies is one recipe's list of switches and its set of
 * operations left out; what must stay is the finding's signature.
 *
 *  1. ddmin over the switches, and over the chances of hardware's that came.
 *     Then merging: parts of one task that were apart are run in one go.
 *  2. Leave out operations: whole tasks, then single ones from the last to the
 *     first. Leaving one out moves the count of what follows it in its task, so
 *     the task's later switches move along; after a success ddmin runs again.
 *  3. A directed search for a schedule with fewer switches, with one or two
 *     preemptions, from each order of starting, around the operations that the
 *     finding names or that the run so far was preempted at, then at those that
 *     touch what another task touches. When more than SWITCHES_GOAL are left,
 *     the same title will do (the line within the function may be another), and
 *     for a use after free the same release (who comes too late may be another).
 *
 * A try is a run; there are at most TRIES_MAX of them. The clock decides nothing.
 */
#include "scenarios/explore/shrink_priv.h"

#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 6000
#define PAIRS_POINTS_MAX 16

static void grow(struct switch_point **p, u32 *room, u32 n)
{
	if (n <= *room && *p)
		return;
	*room = n + 64;
	*p = realloc(*p, *room * sizeof(**p));
	sim_assert(*p);
}

/* Keeps the run that has just shown the finding. */
static void keep_best(struct shrinker *sh, const u64 *drop)
{
	const struct explorer *e = sh->e;

	grow(&sh->best, &sh->best_max, e->n_points);
	grow(&sh->next, &sh->next_max, e->n_points + e->n_trail + 4);
	grow(&sh->trail, &sh->trail_max, e->n_trail);
	sh->n_trail = e->n_trail;
	memcpy(sh->trail, e->trail, e->n_trail * sizeof(*sh->trail));
	sh->n_best = e->n_points;
	memcpy(sh->best, e->points, e->n_points * sizeof(*sh->best));
	memcpy(sh->drop, drop, sizeof(sh->drop));
	memcpy(sh->begin, e->op_begin, sizeof(sh->begin));
	memcpy(sh->end, e->op_end, sizeof(sh->end));
}

static void resolved_title(const struct finding *f, char title[FINDING_TITLE_MAX])
{
	struct finding *copy = malloc(sizeof(*copy));

	sim_assert(copy);
	*copy = *f;
	report_resolve_title(copy, NULL);
	memcpy(title, copy->title, FINDING_TITLE_MAX);
	free(copy);
}

/* Where the object of a use-after-free was released. */
static void freed_at(const struct finding *f, u64 pc[FREED_PCS])
{
	memset(pc, 0, FREED_PCS * sizeof(*pc));
	for (u32 i = 0; i < f->n_spots; i++) {
		if (strcmp(f->spot[i].what, "Freed") == 0)
			memcpy(pc, f->spot[i].pc, min(f->spot[i].n, (u32)FREED_PCS) * sizeof(*pc));
	}
}

/*
 * Near enough for the search: the same kind, in the same function or with the same release; or
 * of the same task, where the function is chance.
 */
static bool alike(const struct shrinker *sh, const struct finding *f)
{
	const char *want = sh->e->s->expect_title;
	char title[FINDING_TITLE_MAX];
	u64 freed[FREED_PCS];

	resolved_title(f, title);
	if (want && strstr(sh->title, want) && !strstr(title, want))
		return false;
	if (f->anywhere)
		return f->n_spots && f->spot[0].task == sh->task;
	freed_at(f, freed);
	return strcmp(title, sh->title) == 0 ||
	       (freed[0] && memcmp(freed, sh->freed, sizeof(freed)) == 0);
}

/* Whether the run that has ended shows the finding. */
static bool shows(struct shrinker *sh)
{
	const struct finding *f = sh->e->run.finding;
	struct explore_signature now;

	if (!f)
		return false;
	explore_signature_of(f, &now);
	if (explore_signature_same(&now, &sh->sig))
		return true;
	if (!sh->searching || now.oracle != sh->sig.oracle ||
	    strcmp(now.title, sh->sig.title) != 0 || !alike(sh, f))
		return false;
	sh->sig = now;
	return true;
}

/*
 * Whether the file's results are right without these operations, where the
 * historic bugs are off; only then is a wrong one the bugs' doing.
 */
static bool still_expected(struct shrinker *sh)
{
	const struct finding *f;

	if (!sh->has_bugs)
		return false;
	explorer_set_bugs(sh->e, false);
	explorer_play(sh->e, sh->seq, sh->n, sh->k);
	explorer_set_bugs(sh->e, true);
	f = sh->e->run.finding;
	return !f || strcmp(f->oracle, sh->sig.oracle) != 0;
}

bool shrink_try(struct shrinker *sh, const struct switch_point *p, u32 n, const u64 *drop,
		u32 limit)
{
	struct recipe *r = &sh->seq[sh->k];

	if (sh->tries >= sh->tries_max || !recipe_points_print(p, n, r->arg, sizeof(r->arg)))
		return false;
	sh->tries++;
	memcpy(r->drop, drop, sizeof(r->drop));
	if (sh->by_result && memcmp(drop, sh->drop, sizeof(sh->drop)) != 0 && !still_expected(sh))
		return false;
	explorer_play(sh->e, sh->seq, sh->n, sh->k);
	if (sh->e->n_points > limit || sh->e->n_trail > sh->trail_limit || !shows(sh))
		return false;
	keep_best(sh, drop);
	return true;
}

/* The points without [from, to). */
static u32 without(const struct shrinker *sh, u32 from, u32 to)
{
	u32 n = 0;

	for (u32 i = 0; i < sh->n_best; i++) {
		if (i < from || i >= to)
			sh->next[n++] = sh->best[i];
	}
	return n;
}

/* ddmin: drop halves, quarters ... single points, as long as the finding stays. */
void shrink_points(struct shrinker *sh)
{
	u32 chunk = max(sh->n_best / 2, 1U);

	while (sh->n_best) {
		bool smaller = false;

		for (u32 at = 0; at < sh->n_best;) {
			u32 n = without(sh, at, min(at + chunk, sh->n_best));

			if (shrink_try(sh, sh->next, n, sh->drop, sh->n_best - 1))
				smaller = true;
			else
				at += chunk;
		}
		if (chunk == 1 && !smaller)
			return;
		if (sh->tries >= sh->tries_max)
			return;
		chunk = max(min(chunk / 2, sh->n_best / 2), 1U);
	}
}

/* Two switches that undo each other can only go together. */
static void shrink_pairs(struct shrinker *sh)
{
	for (u32 i = 0; i + 1 < sh->n_best && sh->n_best <= PAIRS_POINTS_MAX; i++) {
		for (u32 j = i + 1; j < sh->n_best; j++) {
			u32 n = 0;

			for (u32 k = 0; k < sh->n_best; k++) {
				if (k != i && k != j)
					sh->next[n++] = sh->best[k];
			}
			if (shrink_try(sh, sh->next, n, sh->drop, sh->n_best - 2))
				j = i;
		}
	}
}

/* --- operations --- */

static u32 task_of_op(const struct scenario *s, u32 op)
{
	u32 t = 0;

	while (op >= s->task[t].first + s->task[t].n)
		t++;
	return SCHED_FIRST_TASK + t;
}

/*
 * The best's points as they would be without operation op: those inside it are
 * left out, or (keep_inside) put before whatever follows it.
 */
static u32 points_without_op(struct shrinker *sh, u32 op, bool keep_inside)
{
	u32 task = task_of_op(sh->e->s, op), n = 0;
	u64 begin = sh->begin[op], end = sh->end[op];

	for (u32 i = 0; i < sh->n_best; i++) {
		struct switch_point p = sh->best[i];
		bool mine = p.task == task && end > begin;

		if (mine && p.op > end)
			p.op -= end - begin;
		else if (mine && p.op > begin && keep_inside)
			p.op = begin + 1;
		else if (mine && p.op > begin)
			continue;
		sh->next[n++] = p;
	}
	return n;
}

static bool dropped(const u64 *drop, u32 op)
{
	return drop[op / 64] >> (op % 64) & 1;
}

static bool try_without_op(struct shrinker *sh, u32 op)
{
	u64 drop[SCENARIO_OPS_MAX / 64];

	if (dropped(sh->drop, op))
		return false;
	memcpy(drop, sh->drop, sizeof(drop));
	drop[op / 64] |= 1ULL << (op % 64);
	for (u32 keep = 0; keep < 2; keep++) {
		u32 n = points_without_op(sh, op, keep);

		if (shrink_try(sh, sh->next, n, drop, sh->n_best))
			return true;
	}
	return false;
}

static bool try_without_task(struct shrinker *sh, u32 t)
{
	const struct scenario_task *task = &sh->e->s->task[t];
	u64 drop[SCENARIO_OPS_MAX / 64];
	u32 n = 0, left = 0;

	memcpy(drop, sh->drop, sizeof(drop));
	for (u32 i = task->first; i < task->first + task->n; i++) {
		left += !dropped(drop, i);
		drop[i / 64] |= 1ULL << (i % 64);
	}
	if (!left)
		return false;
	for (u32 i = 0; i < sh->n_best; i++) {
		u32 id = SCHED_FIRST_TASK + t;
		bool leads = sh->best[i].why != WHY_CHANCE && sh->best[i].to == id;

		if (sh->best[i].task != id && !leads)
			sh->next[n++] = sh->best[i];
	}
	return shrink_try(sh, sh->next, n, drop, sh->n_best);
}

void shrink_ops(struct shrinker *sh)
{
	const struct scenario *s = sh->e->s;
	bool smaller = true;

	while (smaller && sh->tries < sh->tries_max) {
		smaller = false;
		for (u32 t = s->n_tasks; t-- > 0;)
			smaller |= try_without_task(sh, t);
		for (u32 i = s->n_ops; i-- > 0;)
			smaller |= try_without_op(sh, i);
		if (smaller) {
			shrink_points(sh);
			shrink_merge(sh);
		}
	}
	shrink_pairs(sh);
}

void shrink_relax(struct shrinker *sh)
{
	const struct finding *f = sh->e->run.finding;

	resolved_title(f, sh->title);
	freed_at(f, sh->freed);
	sh->task = f->n_spots ? f->spot[0].task : 0;
	sh->searching = true;
}

u32 shrink_recipe(struct explorer *e, struct recipe *seq, u32 n, u32 k,
		  const struct explore_signature *sig)
{
	struct shrinker *sh = calloc(1, sizeof(*sh));

	sim_assert(sh);
	sh->e = e;
	sh->seq = seq;
	sh->n = n;
	sh->k = k;
	sh->sig = *sig;
	sh->by_result = e->run.finding && strcmp(e->run.finding->oracle, "expectation") == 0;
	sh->has_bugs = explorer_has_bugs(e);
	sh->tries_max = TRIES_MAX;
	sh->trail_limit = ~0U;
	/* The caller has just played it: that run is the best so far. */
	keep_best(sh, seq[k].drop);
	if (e->run.finding && e->run.finding->anywhere)
		shrink_relax(sh);
	shrink_points(sh);
	shrink_merge(sh);
	shrink_ops(sh);
	shrink_merge(sh);
	shrink_search(sh);
	recipe_points_print(sh->best, sh->n_best, seq[k].arg, sizeof(seq[k].arg));
	memcpy(seq[k].drop, sh->drop, sizeof(sh->drop));
	free(sh->best);
	free(sh->next);
	free(sh->trail);
	n = sh->tries;
	free(sh);
	return n;
}
