// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker. What varies is one recipe's list of switches and its set of
 * operations left out; what must stay is the finding's signature.
 *
 *  1. ddmin over the switches.
 *  2. Leave out operations: whole tasks, then single ones from the last to the
 *     first. Leaving one out moves the count of what follows it in its task, so
 *     the task's later switches move along; after a success ddmin runs again.
 *  3. A directed search for a schedule with fewer switches, with one or two
 *     preemptions, from each order of starting, around the operations that the
 *     finding names or that the run so far was preempted at, then at those that
 *     touch what another task touches. When more than SWITCHES_GOAL are left,
 *     the same title will do: the line within the function may be another.
 *
 * A try is a run; there are at most TRIES_MAX of them. The clock decides nothing.
 */
#include "scenarios/explore/explore_priv.h"

#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 6000
#define SEARCH_TRIES_MAX 4000
#define SWITCHES_GOAL 3
#define CANDIDATES_MAX 320
#define PAIRED_MAX 40U /* candidates that are tried two at a time */
#define WINDOW 6      /* operations around a near one: counts shift when blocking changes */
#define PAIRS_POINTS_MAX 16
#define SEEN_MAX 16384

struct shrinker {
	struct explorer *e;
	struct recipe *seq;
	u32 n, k; /* seq[k] is being shrunk */
	struct explore_signature sig;
	char title[FINDING_TITLE_MAX]; /* with functions: equal is enough while searching */
	bool searching;
	u32 tries, tries_max;
	/* the best so far: what its run did, not what it was asked to */
	struct switch_point *best;
	u32 n_best, best_max;
	u64 drop[SCENARIO_OPS_MAX / 64];
	u64 begin[SCENARIO_OPS_MAX], end[SCENARIO_OPS_MAX];
	/* room for what is tried next */
	struct switch_point *next;
};

/* Keeps the run that has just shown the finding. */
static void keep_best(struct shrinker *sh, const u64 *drop)
{
	const struct explorer *e = sh->e;

	sim_assert(e->n_points <= sh->best_max);
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

/* Whether the run that has ended shows the finding. */
static bool shows(struct shrinker *sh)
{
	const struct finding *f = sh->e->run.finding;
	struct explore_signature now;
	char title[FINDING_TITLE_MAX];

	if (!f)
		return false;
	explore_signature_of(f, &now);
	if (explore_signature_same(&now, &sh->sig))
		return true;
	if (!sh->searching || now.oracle != sh->sig.oracle || strcmp(now.title, sh->sig.title) != 0)
		return false;
	resolved_title(f, title);
	if (strcmp(title, sh->title) != 0)
		return false;
	sh->sig = now;
	return true;
}

/* Runs with these points; whether the finding is still there (then it is the best). */
static bool try_points(struct shrinker *sh, const struct switch_point *p, u32 n, const u64 *drop,
		       u32 limit)
{
	struct recipe *r = &sh->seq[sh->k];

	if (sh->tries >= sh->tries_max || !recipe_points_print(p, n, r->arg, sizeof(r->arg)))
		return false;
	sh->tries++;
	memcpy(r->drop, drop, sizeof(r->drop));
	explorer_play(sh->e, sh->seq, sh->n, sh->k);
	if (sh->e->n_points > limit || !shows(sh))
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
static void shrink_points(struct shrinker *sh)
{
	u32 chunk = max(sh->n_best / 2, 1U);

	while (sh->n_best) {
		bool smaller = false;

		for (u32 at = 0; at < sh->n_best;) {
			u32 n = without(sh, at, min(at + chunk, sh->n_best));

			if (try_points(sh, sh->next, n, sh->drop, sh->n_best - 1))
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
			if (try_points(sh, sh->next, n, sh->drop, sh->n_best - 2))
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

		if (try_points(sh, sh->next, n, drop, sh->n_best))
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

		if (sh->best[i].task != id && sh->best[i].to != id)
			sh->next[n++] = sh->best[i];
	}
	return try_points(sh, sh->next, n, drop, sh->n_best);
}

static void shrink_ops(struct shrinker *sh)
{
	const struct scenario *s = sh->e->s;
	bool smaller = true;

	while (smaller && sh->tries < sh->tries_max) {
		smaller = false;
		for (u32 t = s->n_tasks; t-- > 0;)
			smaller |= try_without_task(sh, t);
		for (u32 i = s->n_ops; i-- > 0;)
			smaller |= try_without_op(sh, i);
		if (smaller)
			shrink_points(sh);
	}
	shrink_pairs(sh);
}

/* --- the directed search --- */

struct candidate {
	u32 task;
	u64 op;
};

/* Who touched what, from one observed run. */
struct touch {
	u64 granule;
	u64 op;
	u32 task, flags;
};

struct search {
	struct shrinker *sh;
	struct touch *touch;
	u32 n_touches;
	struct candidate cand[CANDIDATES_MAX];
	u32 n;
};

static void see_access(void *self, const struct access_event *a)
{
	struct search *se = self;

	if (se->n_touches < SEEN_MAX && a->task >= SCHED_FIRST_TASK)
		se->touch[se->n_touches++] = (struct touch){
			.granule = a->addr >> GRANULE_LG2,
			.op = a->op,
			.task = a->task,
			.flags = a->flags,
		};
}

static void see_lock(void *self, const struct fact *f)
{
	struct search *se = self;

	if (se->n_touches < SEEN_MAX && f->task >= SCHED_FIRST_TASK)
		se->touch[se->n_touches++] = (struct touch){
			.granule = f->arg[0] >> GRANULE_LG2,
			.op = f->op,
			.task = f->task,
			.flags = OP_WRITE,
		};
}

static void add_candidate(struct search *se, u32 task, u64 op)
{
	for (u32 i = 0; i < se->n; i++) {
		if (se->cand[i].task == task && se->cand[i].op == op)
			return;
	}
	if (se->n < CANDIDATES_MAX)
		se->cand[se->n++] = (struct candidate){task, op};
}

/* Operation op of task and, outwards, its neighbours. */
static void add_window(struct search *se, u32 task, u64 op)
{
	add_candidate(se, task, op);
	for (u64 d = 1; d <= WINDOW; d++) {
		if (op > d)
			add_candidate(se, task, op - d);
		add_candidate(se, task, op + d);
	}
}

static int by_granule(const void *a, const void *b)
{
	const struct touch *x = a, *y = b;

	if (x->granule != y->granule)
		return x->granule < y->granule ? -1 : 1;
	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return x->op < y->op ? -1 : x->op > y->op;
}

/* Operations on what several tasks touch and one of them writes. */
static void add_conflicts(struct search *se)
{
	struct touch *t = se->touch;

	qsort(t, se->n_touches, sizeof(*t), by_granule);
	for (u32 i = 0, end; i < se->n_touches; i = end) {
		bool shared = false, written = false;

		for (end = i; end < se->n_touches && t[end].granule == t[i].granule; end++) {
			shared |= t[end].task != t[i].task;
			written |= t[end].flags & OP_WRITE;
		}
		for (u32 j = i; shared && written && j < end; j++)
			add_candidate(se, t[j].task, t[j].op);
	}
}

/* False: the best run could not be played again. */
static bool collect_candidates(struct search *se)
{
	struct shrinker *sh = se->sh;
	struct explorer *e = sh->e;
	struct recipe *r = &sh->seq[sh->k];

	if (!recipe_points_print(sh->best, sh->n_best, r->arg, sizeof(r->arg)))
		return false;
	memcpy(r->drop, sh->drop, sizeof(r->drop));
	se->touch = malloc(SEEN_MAX * sizeof(*se->touch));
	sim_assert(se->touch);
	access_observe(e->w->access, see_access, se);
	fact_subscribe(e->w->fact, FACT_BIT(LOCK_ACQUIRE), see_lock, se);
	explorer_play(e, sh->seq, sh->n, sh->k);
	fact_unsubscribe(e->w->fact, see_lock, se);
	access_observe(e->w->access, NULL, NULL);
	for (u32 i = 0; e->run.finding && i < e->run.finding->n_spots; i++) {
		const struct finding_spot *spot = &e->run.finding->spot[i];

		if (spot->op && spot->task >= SCHED_FIRST_TASK)
			add_window(se, spot->task, spot->op);
	}
	for (u32 i = sh->n_best; i-- > 0;) {
		if (sh->best[i].why == WHY_PREEMPT)
			add_window(se, sh->best[i].task, sh->best[i].op);
	}
	add_conflicts(se);
	free(se->touch);
	return e->run.finding != NULL;
}

/* Tries the points, and the same from each other start. */
static bool try_starts(struct shrinker *sh, struct switch_point *p, u32 n, u32 limit)
{
	u32 n_tasks = sh->e->s->n_tasks;

	for (u32 t = 0; t < n_tasks; t++) {
		p[0] = (struct switch_point){.to = SCHED_FIRST_TASK + t, .why = WHY_BLOCK};
		if (t ? try_points(sh, p, n + 1, sh->drop, limit) :
			try_points(sh, p + 1, n, sh->drop, limit))
			return true;
	}
	return false;
}

static bool search_two(struct search *se, const struct candidate *a, u32 to, u32 limit)
{
	struct switch_point p[3];

	p[1] = (struct switch_point){.task = a->task, .op = a->op, .to = to, .why = WHY_PREEMPT};
	for (u32 i = 0; i < se->n; i++) {
		const struct candidate *b = &se->cand[i];

		if (b->task != to || i >= PAIRED_MAX)
			continue;
		p[2] = (struct switch_point){
			.task = to, .op = b->op, .to = a->task, .why = WHY_PREEMPT};
		if (try_starts(se->sh, p, 2, limit))
			return true;
	}
	return false;
}

/* One preemption, then two, at the candidates; true if fewer switches do. */
static bool search_few(struct search *se, u32 limit)
{
	struct shrinker *sh = se->sh;
	u32 first = SCHED_FIRST_TASK, end = first + sh->e->s->n_tasks;
	struct switch_point p[3];

	if (try_starts(sh, p, 0, limit))
		return true;
	for (u32 depth = 1; depth <= min(limit, 2U); depth++) {
		for (u32 i = 0; i < (depth == 1 ? se->n : min(se->n, PAIRED_MAX)); i++) {
			const struct candidate *a = &se->cand[i];

			for (u32 to = first; to < end; to++) {
				if (to == a->task)
					continue;
				p[1] = (struct switch_point){.task = a->task, .op = a->op, .to = to,
							     .why = WHY_PREEMPT};
				if (depth == 1 ? try_starts(sh, p, 1, limit) :
						 search_two(se, a, to, limit))
					return true;
			}
		}
	}
	return false;
}

static void search_switches(struct shrinker *sh)
{
	struct search *se;

	if (!sh->n_best)
		return;
	se = calloc(1, sizeof(*se));
	sim_assert(se);
	se->sh = sh;
	if (!collect_candidates(se)) {
		free(se);
		return;
	}
	resolved_title(sh->e->run.finding, sh->title);
	sh->searching = sh->n_best > SWITCHES_GOAL;
	sh->tries_max = sh->tries + SEARCH_TRIES_MAX;
	if (search_few(se, min(sh->n_best - 1, (u32)SWITCHES_GOAL)))
		shrink_ops(sh);
	sh->searching = false;
	free(se);
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
	sh->tries_max = TRIES_MAX;
	sh->best_max = e->n_points + 64;
	sh->best = calloc(sh->best_max, sizeof(*sh->best));
	sh->next = calloc(sh->best_max, sizeof(*sh->next));
	sim_assert(sh->best && sh->next);
	/* The caller has just played it: that run is the best so far. */
	keep_best(sh, seq[k].drop);
	shrink_points(sh);
	shrink_ops(sh);
	search_switches(sh);
	recipe_points_print(sh->best, sh->n_best, seq[k].arg, sizeof(seq[k].arg));
	memcpy(seq[k].drop, sh->drop, sizeof(sh->drop));
	free(sh->best);
	free(sh->next);
	n = sh->tries;
	free(sh);
	return n;
}
