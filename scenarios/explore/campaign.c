// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many runs, by one worker or several, with one result.
 *
 * Run i has seed + i. Runs are made in batches of BATCH: what policies and the
 * lock graph learn is forgotten between batches, so that a run depends on its
 * batch alone and not on who made the others. A worker takes every jobs-th
 * batch. The lowest run that ends the campaign wins, and whoever is beyond it
 * stops; so findings, their order and their recipes do not depend on the number
 * of workers. A sequential policy (exhaustive search) has one worker.
 */
#include "scenarios/explore/explore_priv.h"
#include "scenarios/explore/report.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256
#define JOBS_MAX 64
#define RUNS_DEFAULT 1000
#define FAIL_SEEDS 5
#define NTH_MAX 4096
#define CHECK_EVERY 32

struct worker {
	u64 runs, steps;
	struct oracle_window window; /* of its runs together */
	u64 hash;         /* sum over its runs: whoever made which does not show */
	u64 exhausted_at; /* run, 0 = not */
	u64 diverged_at;
	char divergence[256];
	u32 n_hits;
	bool stopped;
	struct explore_hit hit[EXPLORE_HITS_MAX];
};

/* Between workers: who may go how far. */
struct shared {
	u64 stop_at; /* no run beyond this one is needed */
	bool stop;
	struct worker worker[];
};

/* One run of a batch, as far as a lock-order finding may need it again. */
struct logged {
	u64 seed, nth;
	u8 poison, against; /* of a run that differs under another poison */
	char *arg;
};

struct campaign {
	const struct explore_campaign *c;
	struct shared *sh;
	u32 jobs;
	u64 start_us, deadline_us, told_us;
	u64 steps_told;
	/* each worker's own */
	struct worker *me;
	struct policy_carry *carry; /* saved before a verified run */
	struct logged log[BATCH];
	u64 batch_first;
	bool nth_over; /* the last run had no failure left to inject */
};

static void lower(u64 *to, u64 value)
{
	u64 old = __atomic_load_n(to, __ATOMIC_RELAXED);

	while (value < old &&
	       !__atomic_compare_exchange_n(to, &old, value, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

/* --- running twice --- */

struct last_fact {
	const struct sched *sched;
	u64 before; /* notes */
	struct fact fact;
	bool any;
};

static void see_last(void *self, const struct fact *f)
{
	struct last_fact *last = self;

	if (last->sched->notes > last->before + 1)
		return;
	last->fact = *f;
	last->any = true;
}

/* Names the first note in which two plays of e->run differ. */
static void locate(struct campaign *k, struct explorer *e, u64 run)
{
	struct world_run *r = &e->run;
	struct last_fact last = {.sched = e->w->sched};
	struct worker *me = k->me;
	u64 *first, n, at = 0;
	char where[128] = "";

	r->check_every = 1;
	*world_carry(e->w) = *k->carry;
	explorer_run(e);
	n = r->n_checks;
	first = calloc(n + 1, sizeof(*first));
	sim_assert(first);
	memcpy(first, r->checks, n * sizeof(*first));
	*world_carry(e->w) = *k->carry;
	explorer_run(e);
	while (at < n && at < r->n_checks && first[at] == r->checks[at])
		at++;
	last.before = at;
	fact_subscribe(e->w->fact, FACT_ALL, see_last, &last);
	*world_carry(e->w) = *k->carry;
	explorer_run(e);
	fact_unsubscribe(e->w->fact, see_last, &last);
	if (last.any)
		snprintf(where, sizeof(where), ", by '%s' of T%u at its operation %llu",
			 fact_rows[last.fact.kind].text, last.fact.task,
			 (unsigned long long)last.fact.op);
	snprintf(me->divergence, sizeof(me->divergence),
		 "run %llu (seed %llx), made twice, differs from note %llu of %llu on%s",
		 (unsigned long long)run, (unsigned long long)r->seed, (unsigned long long)at + 1,
		 (unsigned long long)n, where);
	free(first);
}

/* Makes e->run again and compares. */
static void verify(struct campaign *k, struct explorer *e, u64 run)
{
	struct world_run *r = &e->run;
	u64 hash = r->hash, n = r->n_checks;
	u64 *checks = malloc((n + 1) * sizeof(*checks));
	struct policy_carry *after = malloc(sizeof(*after));

	sim_assert(checks && after);
	if (n)
		memcpy(checks, r->checks, n * sizeof(*checks));
	*after = *world_carry(e->w);
	*world_carry(e->w) = *k->carry;
	explorer_run(e);
	if (r->hash != hash || r->n_checks != n ||
	    (n && memcmp(checks, r->checks, n * sizeof(*checks)) != 0)) {
		k->me->diverged_at = run;
		locate(k, e, run);
		lower(&k->sh->stop_at, run);
	}
	*world_carry(e->w) = *after;
	free(after);
	free(checks);
}

/* --- one run --- */

static void found_recipe(struct explorer *e, const struct campaign *k, const struct logged *l,
			 struct recipe *r)
{
	*r = e->base;
	snprintf(r->policy, sizeof(r->policy), "%s", k->c->policy->name);
	snprintf(r->arg, sizeof(r->arg), "%s", l->arg ? l->arg : "");
	r->seed = l->seed;
	r->nth = l->nth;
	r->poison = l->poison;
	r->against = l->against;
}

static void log_run(struct campaign *k, struct explorer *e, u64 i)
{
	struct logged *l = &k->log[(i - k->batch_first) % BATCH];

	l->seed = e->run.seed;
	l->nth = e->run.fault_nth;
	l->poison = l->against = 0;
	free(l->arg);
	l->arg = strdup(e->run.resolved);
	sim_assert(l->arg);
}

bool explore_wanted(const struct finding *f, const char *want)
{
	struct finding copy;

	if (!want || strstr(f->title, want))
		return true;
	copy = *f;
	report_resolve_title(&copy, NULL);
	return strstr(copy.title, want);
}

/* What is expected does, known or not. */
static bool ends_campaign(const struct explore_options *o, const struct finding *f)
{
	return !o->keep_going && explore_wanted(f, o->want) &&
	       (o->want || !explore_known_maybe(o->known, f));
}

static void add_hit(struct campaign *k, struct explorer *e, u64 i)
{
	struct worker *me = k->me;
	struct explore_hit *h = &me->hit[me->n_hits];
	u64 edges[HIT_EARLIER_MAX];
	u32 n = 0;

	explore_signature_of(e->run.finding, &h->sig);
	for (u32 k2 = 0; k2 < me->n_hits; k2++) {
		if (explore_signature_same(&me->hit[k2].sig, &h->sig))
			return;
	}
	h->run = i + 1;
	h->at_us = host_now_us() - k->start_us;
	h->finding = *e->run.finding;
	found_recipe(e, k, &k->log[(i - k->batch_first) % BATCH], &h->found);
	if (h->finding.needs_carry)
		n = min(oracle_lockorder_edges(e->w->oracles, edges, HIT_EARLIER_MAX),
			(u32)HIT_EARLIER_MAX);
	h->n_earlier = 0;
	for (u32 j = 0; j < n; j++) {
		u64 at = edges[j] - 1;

		if (at >= k->batch_first && at < i)
			found_recipe(e, k, &k->log[at - k->batch_first],
				     &h->earlier[h->n_earlier++]);
	}
	if (me->n_hits + 1 < EXPLORE_HITS_MAX)
		me->n_hits++;
	if (ends_campaign(k->c->o, &h->finding))
		lower(&k->sh->stop_at, i);
}

static bool over_time(struct campaign *k)
{
	if (__atomic_load_n(&k->sh->stop, __ATOMIC_RELAXED) || host_stop_asked() ||
	    (k->deadline_us && host_now_us() >= k->deadline_us)) {
		k->me->stopped = true;
		return true;
	}
	return false;
}

static void tell(struct campaign *k)
{
	const struct explore_options *o = k->c->o;
	struct explore_progress p = {.runs_max = k->c->runs_max};
	u64 now;

	if (!o->progress)
		return;
	now = host_now_us();
	if (now - k->told_us < 200000)
		return;
	k->told_us = now;
	for (u32 i = 0; i < k->jobs; i++) {
		p.runs += __atomic_load_n(&k->sh->worker[i].runs, __ATOMIC_RELAXED);
		p.findings += k->sh->worker[i].n_hits;
	}
	p.elapsed_ms = (now - k->start_us) / 1000;
	o->progress(o->progress_self, &p);
}

/* Makes the run that has been logged under two heap poisons: a difference is a finding. */
static void verify_poison(struct campaign *k, struct explorer *e, u64 i)
{
	struct logged *l = &k->log[(i - k->batch_first) % BATCH];
	struct policy_carry *after = malloc(sizeof(*after));
	u8 poison = e->run.poison, against = poison == 0xff ? 1 : (u8)~poison;

	sim_assert(after);
	*after = *world_carry(e->w);
	/* Resolved, it gives the run again whatever the carry holds. */
	e->run.policy_arg = l->arg;
	if (explorer_compare(e, poison, against)) {
		l->poison = poison;
		l->against = against;
		explorer_run(e);
		if (e->run.finding)
			add_hit(k, e, i);
		e->differs_at = 0;
	}
	*world_carry(e->w) = *after;
	free(after);
}

/* What devices could still reach after an unmap, in the run that was just made. */
static void add_window(struct explorer *e, struct oracle_window *to)
{
	struct oracle_window now;

	if (e->w->hw && oracle_iotlb_window(e->w->oracles, &now))
		oracle_window_add(to, &now);
}

/* Run i (from 0). False: the worker ends. */
static bool one_run(struct campaign *k, struct explorer *e, u64 i, u64 seed, u64 nth)
{
	const struct explore_options *o = k->c->o;
	u32 every = k->c->policy->twice ? 1 : o->verify ? o->verify : 1000;
	bool twice = (i + 1) % every == 0;
	struct world_run *r = &e->run;

	if (i > __atomic_load_n(&k->sh->stop_at, __ATOMIC_RELAXED))
		return false;
	if ((i & 15) == 0) {
		if (over_time(k))
			return false;
		if (k->jobs == 1)
			tell(k);
	}
	if (twice)
		*k->carry = *world_carry(e->w);
	r->policy = k->c->policy;
	r->policy_arg = k->c->policy_arg;
	r->seed = seed;
	r->fault_nth = nth;
	r->poison = 0;
	r->check_every = twice ? CHECK_EVERY : 0;
	oracles_set_run(e->w->oracles, i + 1);
	explorer_run(e);
	k->me->steps += r->steps;
	k->me->hash += hash_mix(i, r->hash);
	add_window(e, &k->me->window);
	__atomic_store_n(&k->me->runs, k->me->runs + 1, __ATOMIC_RELAXED);
	k->nth_over = nth && !r->fault_fired;
	log_run(k, e, i);
	if (r->finding)
		add_hit(k, e, i);
	else if (twice)
		verify(k, e, i + 1);
	if (twice && !k->c->policy->twice && !r->finding && !k->me->diverged_at &&
	    !o->one_poison)
		verify_poison(k, e, i);
	if (!nth && world_carry(e->w)->exhausted) {
		k->me->exhausted_at = i + 1;
		lower(&k->sh->stop_at, i);
	}
	return true;
}

/* --- a worker --- */

static void batch_begin(struct campaign *k, struct explorer *e, u64 i)
{
	k->batch_first = i;
	if (k->c->policy->sequential)
		oracles_forget(e->w->oracles);
	else
		explorer_forget(e);
}

static void sweep_seeds(struct campaign *k, struct explorer *e, u32 self)
{
	u64 runs_max = k->c->runs_max;

	for (u64 b = self; b * BATCH < runs_max; b += k->jobs) {
		u64 end = min((b + 1) * BATCH, runs_max);

		batch_begin(k, e, b * BATCH);
		for (u64 i = b * BATCH; i < end; i++) {
			if (!one_run(k, e, i, k->c->o->seed + i, 0))
				return;
		}
	}
}

/*
 * --fail-nth: for each seed every failure point that is passed, and last the run without
 * any. A schedule is a seed's, so there are as many runs as otherwise, to the end of a
 * sweep, but no fewer than a few sweeps; where --runs or --time say how many, just that.
 */
static void sweep_failures(struct campaign *k, struct explorer *e)
{
	const struct explore_options *o = k->c->o;
	u64 i = 0, enough = o->runs ? o->runs : k->c->s->runs ? k->c->s->runs : RUNS_DEFAULT;

	for (u64 s = 0; (s < FAIL_SEEDS || i < enough) && i < k->c->runs_max; s++) {
		k->nth_over = false;
		for (u64 nth = 1; nth <= NTH_MAX && !k->nth_over && i < k->c->runs_max; nth++) {
			if (nth == 1 || i - k->batch_first == BATCH)
				batch_begin(k, e, i);
			/* The run without any counts, too: there may be no failure point at all. */
			if (!one_run(k, e, i++, k->c->o->seed + s, nth))
				return;
		}
	}
}

static void work(void *arg, u32 self)
{
	struct campaign *k = arg;
	struct explorer *e = k->c->e;

	k->me = &k->sh->worker[self];
	k->carry = malloc(sizeof(*k->carry));
	sim_assert(k->carry);
	/* A forked worker writes its recipes to a file of its own. */
	e->map = host_recipe_map(RECIPE_TEXT_MAX);
	if (k->c->o->fail_nth)
		sweep_failures(k, e);
	else
		sweep_seeds(k, e, self);
	for (u32 i = 0; i < BATCH; i++)
		free(k->log[i].arg);
	free(k->carry);
}

static void tick(void *arg)
{
	struct campaign *k = arg;

	if (host_stop_asked())
		__atomic_store_n(&k->sh->stop, true, __ATOMIC_RELAXED);
	tell(k);
}

/* --- merging --- */

static int by_run(const void *a, const void *b)
{
	const struct explore_hit *const *x = a, *const *y = b;

	return (*x)->run < (*y)->run ? -1 : (*x)->run > (*y)->run;
}

static u32 merge_hits(const struct campaign *k, struct explore_hit *hit)
{
	struct explore_hit **all = calloc(k->jobs * EXPLORE_HITS_MAX, sizeof(*all));
	u32 n = 0, kept = 0;

	sim_assert(all);
	for (u32 i = 0; i < k->jobs; i++) {
		struct worker *w = &k->sh->worker[i];

		for (u32 j = 0; j < w->n_hits; j++)
			all[n++] = &w->hit[j];
	}
	qsort(all, n, sizeof(*all), by_run);
	for (u32 i = 0; i < n && kept < EXPLORE_HITS_MAX; i++) {
		bool known = all[i]->run > k->sh->stop_at + 1 && k->sh->stop_at != ~0ULL;

		for (u32 j = 0; j < kept; j++)
			known |= explore_signature_same(&hit[j].sig, &all[i]->sig);
		if (!known)
			hit[kept++] = *all[i];
	}
	free(all);
	return kept;
}

static void merge(const struct campaign *k, struct explore_result *result, u32 n_hits)
{
	u64 first = ~0ULL;

	for (u32 i = 0; i < k->jobs; i++) {
		const struct worker *w = &k->sh->worker[i];

		result->runs += w->runs;
		result->steps += w->steps;
		result->hash += w->hash;
		oracle_window_add(&result->window, &w->window);
		result->stopped |= w->stopped;
		result->exhausted |= w->exhausted_at != 0;
		if (w->diverged_at && w->diverged_at < first) {
			first = w->diverged_at;
			result->diverged = true;
			memcpy(result->divergence, w->divergence, sizeof(w->divergence));
		}
	}
	/* Beyond the run that ended it, how far others came is chance. */
	if (k->sh->stop_at != ~0ULL && n_hits && !k->c->o->keep_going) {
		result->runs = k->sh->stop_at + 1;
		memset(&result->window, 0, sizeof(result->window));
	}
}

u32 explore_campaign_run(const struct explore_campaign *c, struct explore_hit *hit,
			 struct explore_result *result)
{
	bool alone = c->policy->sequential || c->o->fail_nth || c->o->jobs <= 1;
	u32 n, failed = 0, jobs = alone ? 1 : min(c->o->jobs, (u32)JOBS_MAX);
	size_t size = sizeof(struct shared) + jobs * sizeof(struct worker);
	struct campaign *k = calloc(1, sizeof(*k));
	struct host_workers workers = {work, tick, k, ""};

	sim_assert(k);
	jobs = (u32)min((u64)jobs, (c->runs_max - 1) / BATCH + 1);
	k->c = c;
	k->jobs = jobs;
	k->sh = host_shared_alloc(size);
	k->sh->stop_at = ~0ULL;
	k->start_us = k->told_us = host_now_us();
	k->deadline_us = c->o->time_ms ? k->start_us + 1000 * c->o->time_ms : 0;
	if (jobs == 1)
		work(k, 0);
	else
		failed = host_workers_run(jobs, &workers);
	n = merge_hits(k, hit);
	merge(k, result, n);
	result->elapsed_us = host_now_us() - k->start_us;
	if (failed) {
		snprintf(result->incomplete, sizeof(result->incomplete),
			 "%u of %u workers did not finish (%s); a crash printed its replay line",
			 failed, jobs, workers.why);
	}
	host_shared_free(k->sh, size);
	free(k);
	return n;
}

/* --- what is asked for --- */

static bool policy_takes(const struct policy *p, const char *arg, size_t arg_len)
{
	struct world *w = world_create(WORLD_SLOTS - 1);
	char *text = strndup(arg, arg_len);
	bool ok;

	sim_assert(text);
	ok = p->parse(w->sched, text);
	free(text);
	world_destroy(w);
	return ok;
}

static bool unknown_policy(const char *text, size_t len, char *err, size_t err_size)
{
	const char *names[64], *near;
	char head[32];
	size_t n = 0;

	for (const struct policy *const *p = policy_table; *p && n < ARRAY_SIZE(names); p++)
		names[n++] = (*p)->name;
	snprintf(head, sizeof(head), "%.*s", (int)len, text);
	near = scenario_did_you_mean(head, names, n);
	snprintf(err, err_size, "unknown policy '%s', expected one of `iommulab list policies`%s%s%s",
		 head, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	return false;
}

bool explore_policy_check(const char *text, char *err, size_t err_size)
{
	const char *arg;
	size_t arg_len, len = policy_split(text, &arg, &arg_len);
	const struct policy *p = policy_find(text, len);

	if (!p)
		return unknown_policy(text, len, err, err_size);
	if (policy_takes(p, arg, arg_len))
		return true;
	snprintf(err, err_size, "policy %s does not take '%.*s', expected: %s", p->name,
		 (int)min(arg_len, (size_t)64), arg, p->help);
	return false;
}

bool explore_campaign_init(struct explore_campaign *c, const struct scenario *s,
			   const struct explore_options *o, char *err, size_t err_size)
{
	const char *text = o->policy ? o->policy : s->policy[0] ? s->policy : "mix";
	const char *arg;
	size_t arg_len, len = policy_split(text, &arg, &arg_len);

	memset(c, 0, sizeof(*c));
	c->s = s;
	c->o = o;
	c->policy = policy_find(text, len);
	if (!c->policy)
		return unknown_policy(text, len, err, err_size);
	if (arg_len >= sizeof(c->policy_arg)) {
		snprintf(err, err_size, "argument of policy %s, expected at most %zu letters",
			 c->policy->name, sizeof(c->policy_arg) - 1);
		return false;
	}
	memcpy(c->policy_arg, arg, arg_len);
	c->runs_max = o->runs ? o->runs : s->runs ? s->runs : RUNS_DEFAULT;
	if (o->fail_nth && !o->runs)
		c->runs_max = ~0ULL;
	return true;
}
