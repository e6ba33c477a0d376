// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker's directed search; shrink.c says when and why.
 */
#include "scenarios/explore/shrink_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_TRIES_MAX 4000
#define CANDIDATES_MAX 320
#define PAIRED_MAX 40U /* candidates that are tried two at a time */
#define WINDOW 6       /* operations around a near one: counts shift when blocking changes */
#define SEEN_MAX 16384

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
		if (t ? shrink_try(sh, p, n + 1, sh->drop, limit) :
			shrink_try(sh, p + 1, n, sh->drop, limit))
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

void shrink_search(struct shrinker *sh)
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
	if (sh->n_best > SWITCHES_GOAL)
		shrink_relax(sh);
	sh->tries_max = sh->tries + SEARCH_TRIES_MAX;
	if (search_few(se, min(sh->n_best - 1, (u32)SWITCHES_GOAL)))
		shrink_ops(sh);
	sh->searching = false;
	free(se);
}
