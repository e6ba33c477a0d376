// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker's directed search; shrink.c says when and why.
 *
 * Candidates are operations before which to preempt. Those of the best run are
 * known by their count, which holds as long as the tasks do much the same. When
 * operations of the scenario are left out, they do not: then the program that
 * is left is watched in each order of starting, and what it does at the same
 * places of the code (the anchors) comes first.
 */
#include "scenarios/explore/shrink_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_TRIES_MAX 6000
#define CANDIDATES_MAX 320
#define PAIRED_MAX 100U /* candidates that are tried two at a time */
#define WINDOW 6       /* operations around a near one: counts shift when blocking changes */
#define SEEN_MAX 16384
#define SECOND_MAX 48
#define ANCHORS_MAX 64
#define ANCHOR_OPS 2 /* so near is an access to a point that its place is an anchor */

struct candidate {
	u32 task;
	u64 op;
};

/* Who touched what, from one observed run. */
struct touch {
	u64 granule;
	u64 op;
	u64 pc; /* 0: a lock */
	u32 task, flags;
};

struct search {
	struct shrinker *sh;
	struct touch *touch;
	u32 n_touches;
	struct candidate cand[CANDIDATES_MAX];
	u32 n;
	u64 anchor[ANCHORS_MAX];
	u32 n_anchors;
	u64 involved; /* bit per task that the finding names */
	u64 targets;  /* whom the best run's preemptions led to: hardware's tasks, too; as bits */
	u64 needed[SCENARIO_OPS_MAX / 64]; /* operations that it names */
	u64 drop[SCENARIO_OPS_MAX / 64];
	u32 limit;    /* switches that a success may have */
};

static void see_access(void *self, const struct access_event *a)
{
	struct search *se = self;

	if (se->n_touches < SEEN_MAX && a->task >= SCHED_FIRST_TASK)
		se->touch[se->n_touches++] = (struct touch){
			.granule = a->addr >> GRANULE_LG2,
			.op = a->op,
			.pc = a->pc,
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

/* The operation of the scenario that the task was in. */
static void need_op(struct search *se, u32 task, u64 op)
{
	const struct shrinker *sh = se->sh;
	const struct scenario *s = sh->e->s;
	u32 t = task - SCHED_FIRST_TASK;

	if (t >= s->n_tasks)
		return;
	for (u32 i = s->task[t].first; i < s->task[t].first + s->task[t].n; i++) {
		if (sh->begin[i] <= op && op <= sh->end[i])
			se->needed[i / 64] |= 1ULL << (i % 64);
	}
}

static bool is_anchor(const struct search *se, u64 pc)
{
	for (u32 i = 0; i < se->n_anchors; i++) {
		if (se->anchor[i] == pc)
			return true;
	}
	return false;
}

static void add_anchors(struct search *se, u32 task, u64 op)
{
	for (u32 i = 0; i < se->n_touches; i++) {
		const struct touch *t = &se->touch[i];

		if (t->task == task && t->pc && t->op + ANCHOR_OPS >= op &&
		    t->op <= op + ANCHOR_OPS && se->n_anchors < ANCHORS_MAX &&
		    !is_anchor(se, t->pc))
			se->anchor[se->n_anchors++] = t->pc;
	}
}

static bool has_op(const u64 *set, u32 i)
{
	return set[i / 64] >> (i % 64) & 1;
}

/* The best run's chance, where its task comes to it without the operations that `drop` has more. */
static struct switch_point moved_chance(const struct shrinker *sh, struct switch_point p,
					const u64 *drop)
{
	const struct scenario_task *t;
	u64 op = p.op;

	if (p.task < SCHED_FIRST_TASK || p.task - SCHED_FIRST_TASK >= sh->e->s->n_tasks)
		return p;
	t = &sh->e->s->task[p.task - SCHED_FIRST_TASK];
	for (u32 i = t->first; i < t->first + t->n; i++) {
		if (has_op(drop, i) && !has_op(sh->drop, i) && sh->end[i] < op)
			p.op -= sh->end[i] - sh->begin[i];
	}
	return p;
}

/* These switches, in sh->next, with the chances of the best run; how many points. */
static u32 with_chances(struct shrinker *sh, const struct switch_point *p, u32 n, const u64 *drop)
{
	memmove(sh->next, p, n * sizeof(*p));
	for (u32 i = 0; i < sh->n_best; i++) {
		if (sh->best[i].why == WHY_CHANCE)
			sh->next[n++] = moved_chance(sh, sh->best[i], drop);
	}
	return n;
}

static bool try_switches(struct search *se, const struct switch_point *p, u32 n)
{
	n = with_chances(se->sh, p, n, se->drop);
	return shrink_try(se->sh, se->sh->next, n, se->drop, se->limit);
}

/* Plays these switches and sees what is touched; false: they cannot be written down. */
static bool observe(struct search *se, const struct switch_point *p, u32 n, const u64 *drop)
{
	struct shrinker *sh = se->sh;
	u32 n_all = p == sh->best ? n : with_chances(sh, p, n, drop);
	struct world *w = sh->e->w;
	struct recipe *r = &sh->seq[sh->k];

	se->n_touches = 0;
	if (!recipe_points_print(p == sh->best ? p : sh->next, n_all, r->arg, sizeof(r->arg)))
		return false;
	memcpy(r->drop, drop, sizeof(r->drop));
	access_observe(w->access, see_access, se);
	fact_subscribe(w->fact, FACT_BIT(LOCK_ACQUIRE), see_lock, se);
	explorer_play(sh->e, sh->seq, sh->n, sh->k);
	fact_unsubscribe(w->fact, see_lock, se);
	access_observe(w->access, NULL, NULL);
	return true;
}

/* False: the best run could not be played again. */
static bool collect_candidates(struct search *se)
{
	struct shrinker *sh = se->sh;
	const struct finding *f;

	if (!observe(se, sh->best, sh->n_best, sh->drop) || !sh->e->run.finding)
		return false;
	f = sh->e->run.finding;
	for (u32 i = 0; i < f->n_spots; i++) {
		const struct finding_spot *spot = &f->spot[i];

		if (!spot->op || spot->task < SCHED_FIRST_TASK)
			continue;
		se->involved |= 1ULL << spot->task;
		need_op(se, spot->task, spot->op);
		add_window(se, spot->task, spot->op);
		add_anchors(se, spot->task, spot->op);
	}
	for (u32 i = sh->n_best; i-- > 0;) {
		if (sh->best[i].why != WHY_PREEMPT)
			continue;
		se->targets |= 1ULL << sh->best[i].to;
		add_window(se, sh->best[i].task, sh->best[i].op);
		add_anchors(se, sh->best[i].task, sh->best[i].op);
	}
	add_conflicts(se);
	return true;
}

/* What the program that is left does at the anchors: before it, and before what follows. */
static void collect_anchored(struct search *se)
{
	struct candidate *old = malloc(sizeof(se->cand));
	u32 n_old = se->n;

	sim_assert(old);
	memcpy(old, se->cand, sizeof(se->cand));
	se->n = 0;
	for (u32 t = 0; t < se->sh->e->s->n_tasks; t++) {
		struct switch_point p = {.to = SCHED_FIRST_TASK + t, .why = WHY_BLOCK};

		if (!(se->involved >> p.to & 1) || !observe(se, &p, 1, se->drop))
			continue;
		for (u32 i = 0; i < se->n_touches && se->n < CANDIDATES_MAX / 2; i++) {
			if (!is_anchor(se, se->touch[i].pc))
				continue;
			add_candidate(se, se->touch[i].task, se->touch[i].op);
			add_candidate(se, se->touch[i].task, se->touch[i].op + 1);
		}
	}
	for (u32 i = 0; i < n_old; i++)
		add_candidate(se, old[i].task, old[i].op);
	free(old);
}

/* No preemption at all: each task in turn comes first. */
static bool search_none(struct search *se)
{
	struct switch_point p = {.why = WHY_BLOCK};

	for (u32 t = 0; t < se->sh->e->s->n_tasks; t++) {
		p.to = SCHED_FIRST_TASK + t;
		if (try_switches(se, &p, t ? 1 : 0))
			return true;
	}
	return false;
}

/*
 * A second preemption, back from the task that the first one went to: where
 * that task, in the run with the first alone, comes by an anchor.
 */
static bool search_second(struct search *se, const struct switch_point *first, u32 n)
{
	struct switch_point p[3];
	u64 ops[SECOND_MAX];
	u32 n_ops = 0, to = first[n - 1].to;

	memcpy(p, first, n * sizeof(*p));
	if (se->sh->tries >= se->sh->tries_max || !observe(se, p, n, se->drop))
		return false;
	for (u32 i = 0; i < se->n_touches && n_ops < SECOND_MAX; i++) {
		const struct touch *t = &se->touch[i];

		if (t->task == to && is_anchor(se, t->pc) && (!n_ops || ops[n_ops - 1] != t->op))
			ops[n_ops++] = t->op;
	}
	/* No memory there: by count, then. */
	for (u32 i = 0; !se->n_anchors && i < se->n && n_ops < SECOND_MAX; i++) {
		if (se->cand[i].task == to)
			ops[n_ops++] = se->cand[i].op;
	}
	for (u32 i = 0; i < 2 * n_ops; i++) {
		p[n] = (struct switch_point){.task = to,
					     .op = ops[i / 2] + i % 2,
					     .to = first[n - 1].task,
					     .why = WHY_PREEMPT};
		if (try_switches(se, p, n + 1))
			return true;
	}
	return false;
}

/* A first preemption at candidate a, towards each task; with `second` another one behind it. */
static bool search_first(struct search *se, const struct candidate *a, bool second)
{
	u64 all = (1ULL << se->sh->e->s->n_tasks) - 1;
	u64 targets = se->targets | all << SCHED_FIRST_TASK;
	struct switch_point p[2];

	for (u32 to = SCHED_FIRST_TASK; to < 64; to++) {
		if (to == a->task || !(targets >> to & 1) || (second && !(se->involved >> to & 1)))
			continue;
		p[0] = (struct switch_point){.to = a->task, .why = WHY_BLOCK};
		p[1] = (struct switch_point){
			.task = a->task, .op = a->op, .to = to, .why = WHY_PREEMPT};
		if (second ? search_second(se, p + 1, 1) :
			     try_switches(se, p + 1, 1))
			return true;
		/* The same with its task started first. */
		if (a->task == SCHED_FIRST_TASK || se->limit < 2)
			continue;
		if (second ? search_second(se, p, 2) :
			     try_switches(se, p, 2))
			return true;
	}
	return false;
}

static bool search_few(struct search *se)
{
	if (search_none(se))
		return true;
	for (u32 i = 0; i < se->n; i++) {
		if (search_first(se, &se->cand[i], false))
			return true;
	}
	for (u32 i = 0; se->limit > 1 && i < min(se->n, PAIRED_MAX); i++) {
		if (search_first(se, &se->cand[i], true))
			return true;
	}
	return false;
}

/* Leaves operation i out, too, and moves the candidates behind it. */
static void leave_out(struct search *se, u32 task, u32 i)
{
	u64 begin = se->sh->begin[i], end = se->sh->end[i];

	se->drop[i / 64] |= 1ULL << (i % 64);
	for (u32 k = 0; end != ~0ULL && k < se->n; k++) {
		if (se->cand[k].task == task && se->cand[k].op > end)
			se->cand[k].op -= end - begin;
	}
}

/*
 * Leaves out all that the finding does not name: other operations, or only what
 * other tasks do. False: there is nothing of that kind.
 */
static bool drop_unnamed(struct search *se, bool whole_tasks)
{
	const struct scenario *s = se->sh->e->s;
	bool any = false;

	for (u32 t = s->n_tasks; t-- > 0;) {
		u32 id = SCHED_FIRST_TASK + t;

		/* From the last, so that the counts of those before still hold. */
		for (u32 i = s->task[t].first + s->task[t].n; i-- > s->task[t].first;) {
			bool named = whole_tasks ? se->involved >> id & 1 : has_op(se->needed, i);

			if (named || has_op(se->drop, i))
				continue;
			leave_out(se, id, i);
			any = true;
		}
	}
	return any;
}

/* One round of the search; what = 0: only operations named, 1: only tasks named, 2: all. */
static bool search_round(struct shrinker *sh, u32 what)
{
	struct search *se = calloc(1, sizeof(*se));
	bool found = false;

	sim_assert(se);
	se->sh = sh;
	se->touch = malloc(SEEN_MAX * sizeof(*se->touch));
	sim_assert(se->touch);
	if (collect_candidates(se)) {
		if (sh->n_best > SWITCHES_GOAL)
			shrink_relax(sh);
		se->limit = min(sh->n_best - 1, (u32)SWITCHES_GOAL);
		sh->tries_max = sh->tries + SEARCH_TRIES_MAX;
		memcpy(se->drop, sh->drop, sizeof(se->drop));
		/* With fewer preemptions tasks may wait longer, and count otherwise, too. */
		if (what == 2 || drop_unnamed(se, what)) {
			collect_anchored(se);
			found = search_few(se);
		}
	}
	free(se->touch);
	free(se);
	return found;
}

void shrink_search(struct shrinker *sh)
{
	for (u32 what = 0; what < 3 && sh->n_best; what++) {
		if (!search_round(sh, what))
			continue;
		shrink_ops(sh);
		break;
	}
	sh->searching = false;
}
