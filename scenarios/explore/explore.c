// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a campaign's hits to findings that can be shown: each is replayed as a
 * list of switches, shrunk, replayed again to see that it holds, and recorded.
 */
#include "scenarios/explore/explore.h"

#include "scenarios/explore/explore_priv.h"
#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "sim/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAYS 10
#define RECORD_MAX 65536

/* --- one finding --- */

static bool shows(struct explorer *e, const struct explore_signature *sig)
{
	struct explore_signature now;

	if (!e->run.finding)
		return false;
	explore_signature_of(e->run.finding, &now);
	return explore_signature_same(&now, sig);
}

static u32 ops_left(const struct scenario *s, const u64 *drop)
{
	u32 n = 0;

	for (u32 i = 0; i < s->n_ops; i++)
		n += !(drop[i / 64] >> (i % 64) & 1);
	return n;
}

static void count_points(const struct explorer *e, u32 *switches, u32 *chances)
{
	*chances = 0;
	for (u32 i = 0; i < e->n_points; i++)
		*chances += e->points[i].why == WHY_CHANCE;
	*switches = e->n_points - *chances;
}

/* Recipe k of seq as a list of the switches that it made; false: that does not show it. */
static bool to_list(struct explorer *e, struct recipe *seq, u32 n, u32 k,
		    const struct explore_signature *sig)
{
	struct recipe *old = malloc(sizeof(*old));
	bool ok;

	sim_assert(old);
	*old = seq[k];
	explorer_play(e, seq, n, k);
	ok = shows(e, sig) &&
	     recipe_points_print(e->points, e->n_points, seq[k].arg, sizeof(seq[k].arg));
	if (ok) {
		strcpy(seq[k].policy, "list");
		explorer_play(e, seq, n, k);
		ok = shows(e, sig);
	}
	if (!ok)
		seq[k] = *old;
	free(old);
	return ok;
}

static void record(struct explorer *e, const struct recipe *seq, u32 n, struct explore_finding *f)
{
	struct recipe last = seq[n - 1];

	/* The earlier ones are not of interest: only their edges are. */
	if (n > 1)
		explorer_play(e, seq, n - 1, 0);
	else
		explorer_forget(e);
	explorer_drop(e, last.drop);
	e->run.policy = policy_find(last.policy, strlen(last.policy));
	e->run.policy_arg = last.arg;
	e->run.seed = last.seed;
	e->run.fault_nth = last.nth;
	e->run.poison = last.poison;
	oracles_set_run(e->w->oracles, n);
	f->record = trace_record_start(e->w, RECORD_MAX);
	explorer_run(e);
	trace_record_stop(f->record);
	if (e->run.finding)
		f->finding = *e->run.finding;
	report_resolve_title(&f->finding, f->record);
	f->rets = malloc((e->s->n_ops + 1) * sizeof(*f->rets));
	sim_assert(f->rets);
	memcpy(f->rets, e->rets, e->s->n_ops * sizeof(*f->rets));
	f->values = e->s->program ? call_results_of(&e->sp.calls) : NULL;
}

static void shrink_all(struct explorer *e, struct recipe *seq, u32 n, struct explore_finding *f,
		       enum explore_finish how)
{
	struct explore_signature sig;
	u64 start;

	explore_signature_of(&f->finding, &sig);
	for (u32 k = n; k-- > 0;) {
		if (!to_list(e, seq, n, k, &sig))
			continue;
		if (k == n - 1)
			count_points(e, &f->switches_before, &f->chances_before);
		if (how != FINISH_SHRUNK)
			continue;
		start = host_now_us();
		f->shrink_runs += shrink_recipe(e, seq, n, k, &sig);
		f->shrink_us += host_now_us() - start;
	}
}

void explore_finish(struct explorer *e, const struct explore_hit *hit, enum explore_finish how,
		    struct explore_finding *f)
{
	u32 n = hit->n_earlier + 1;
	struct recipe *seq = calloc(n, sizeof(*seq));

	sim_assert(seq);
	memset(f, 0, sizeof(*f));
	f->finding = hit->finding;
	f->found = hit->found;
	f->run = hit->run;
	f->found_us = hit->at_us;
	memcpy(seq, hit->earlier, hit->n_earlier * sizeof(*seq));
	seq[n - 1] = hit->found;
	f->ops_before = ops_left(e->s, hit->found.drop);
	if (how != FINISH_AS_IS)
		shrink_all(e, seq, n, f, how);
	explorer_play(e, seq, n, n - 1);
	f->hash = e->run.hash;
	count_points(e, &f->switches, &f->chances);
	f->ops = ops_left(e->s, seq[n - 1].drop);
	for (f->replays = 0; f->replays < REPLAYS; f->replays++) {
		explorer_play(e, seq, n, n - 1);
		f->replays_same += e->run.hash == f->hash;
	}
	record(e, seq, n, f);
	e->differs_at = 0;
	f->recipe = seq[n - 1];
	f->n_earlier = hit->n_earlier;
	if (f->n_earlier) {
		f->earlier = malloc(f->n_earlier * sizeof(*seq));
		sim_assert(f->earlier);
		memcpy(f->earlier, seq, f->n_earlier * sizeof(*seq));
	}
	free(seq);
}

void explore_finding_free(struct explore_finding *f)
{
	trace_record_free(f->record);
	free(f->earlier);
	free(f->rets);
	free(f->values);
	memset(f, 0, sizeof(*f));
}

/* --- campaigns --- */

bool explore_check(const struct scenario *s, const struct explore_options *o, char *err,
		   size_t err_size)
{
	struct explore_campaign c;
	struct world *w;
	bool ok;

	if (!explore_policy_check(o->policy ? o->policy : s->policy[0] ? s->policy : "mix", err,
				  err_size) ||
	    !explore_campaign_init(&c, s, o, err, err_size))
		return false;
	if (!explore_story_check(s, &o->bugs, o->kernel, err, err_size))
		return false;
	if (!o->oracles)
		return explore_answers_check(s, o, err, err_size);
	w = world_create(WORLD_SLOTS - 1);
	ok = strlen(o->oracles) < sizeof(s->oracles) && world_set_oracles(w, o->oracles);
	world_destroy(w);
	if (!ok)
		snprintf(err, err_size, "unknown oracle in '%.100s', expected a comma list from "
			 "`iommulab list oracles`", o->oracles);
	return ok && explore_answers_check(s, o, err, err_size);
}

static void add_finding(struct explore_finding **list, u32 *n, struct explore_finding *f)
{
	for (u32 i = 0; i < *n; i++) {
		if (strcmp((*list)[i].finding.title, f->finding.title) == 0) {
			explore_finding_free(f);
			return;
		}
	}
	*list = realloc(*list, (*n + 1) * sizeof(**list));
	sim_assert(*list);
	(*list)[(*n)++] = *f;
}

/* One that is expected is not known. */
static bool is_known(const struct explore_options *o, const struct finding *f)
{
	return explore_known_title(o->known, f->title) && !(o->want && explore_wanted(f, o->want));
}

static void finish_hit(struct explorer *e, const struct explore_options *o,
		       const struct explore_hit *hit, struct explore_result *result)
{
	struct explore_finding *f = malloc(sizeof(*f));

	sim_assert(f);
	if (explore_known_maybe(o->known, &hit->finding)) {
		explore_finish(e, hit, FINISH_AS_IS, f);
		if (is_known(o, &f->finding)) {
			add_finding(&result->known, &result->n_known, f);
			free(f);
			return;
		}
		explore_finding_free(f);
	}
	explore_finish(e, hit, o->no_shrink ? FINISH_LIST : FINISH_SHRUNK, f);
	/* What is shown must not be what was to be left out: another end of the same defect. */
	if (is_known(o, &f->finding)) {
		explore_finding_free(f);
		explore_finish(e, hit, FINISH_AS_IS, f);
	}
	explore_confirm(e, f);
	add_finding(&result->findings, &result->n_findings, f);
	free(f);
}

void explore_run(const struct scenario *s, const struct explore_options *o,
		 struct explore_result *result)
{
	struct explore_hit *hit = calloc(EXPLORE_HITS_MAX, sizeof(*hit));
	struct explore_campaign c;
	struct explorer *e = malloc(sizeof(*e));
	char err[256];
	u32 n;

	sim_assert(hit && e);
	memset(result, 0, sizeof(*result));
	if (!explore_campaign_init(&c, s, o, err, sizeof(err)) ||
	    !explorer_open(e, s, o->kernel, &o->bugs, o->oracles))
		sim_fatal("a campaign that explore_check() did not agree to");
	c.e = e;
	n = explore_campaign_run(&c, hit, result);
	for (u32 i = 0; i < n; i++)
		finish_hit(e, o, &hit[i], result);
	explorer_close(e);
	free(e);
	free(hit);
}

void explore_result_free(struct explore_result *r)
{
	for (u32 i = 0; i < r->n_findings; i++)
		explore_finding_free(&r->findings[i]);
	for (u32 i = 0; i < r->n_known; i++)
		explore_finding_free(&r->known[i]);
	free(r->findings);
	free(r->known);
	memset(r, 0, sizeof(*r));
}

/* --- replay --- */

static void play_times(struct explorer *e, const struct explore_replay *how,
		       struct explore_result *result)
{
	for (u32 i = 0; i < how->times; i++) {
		explorer_play(e, how->recipe, how->n, how->n - 1);
		if (!i) {
			result->hash = e->run.hash;
			policy_list_missed(e->w->sched, result->missed, sizeof(result->missed));
		}
		result->same += e->run.hash == result->hash;
		result->steps += e->run.steps;
		result->runs++;
	}
}

static void play_traced(struct explorer *e, const struct explore_replay *how)
{
	struct trace_printer *p;

	p = trace_print_to(e->w, how->trace, how->trace_json ? TRACE_JSON : TRACE_TEXT);
	explorer_play(e, how->recipe, how->n, how->n - 1);
	trace_print_end(p);
}

void explore_replay(const struct scenario *s, const struct explore_replay *how,
		    struct explore_result *result)
{
	const struct recipe *last = &how->recipe[how->n - 1];
	struct explorer *e = malloc(sizeof(*e));
	struct explore_hit *hit = calloc(1, sizeof(*hit));
	struct explore_finding *f = malloc(sizeof(*f));
	u64 start = host_now_us();

	sim_assert(e && hit && f && how->n && how->n <= RECIPES_MAX);
	memset(result, 0, sizeof(*result));
	if (!explorer_open(e, s, how->kernel, &last->bugs, last->oracles))
		sim_fatal("a recipe with an unknown oracle was let through");
	play_times(e, how, result);
	if (e->run.finding) {
		hit->run = 0; /* of no campaign */
		hit->finding = *e->run.finding;
		hit->found = *last;
		hit->n_earlier = how->n - 1;
		memcpy(hit->earlier, how->recipe, hit->n_earlier * sizeof(*hit->earlier));
		explore_finish(e, hit, how->shrink ? FINISH_SHRUNK : FINISH_AS_IS, f);
		explore_confirm(e, f);
		add_finding(&result->findings, &result->n_findings, f);
	}
	if (how->trace)
		play_traced(e, how);
	explorer_close(e);
	result->elapsed_us = host_now_us() - start;
	free(f);
	free(hit);
	free(e);
}

/* --- the default order --- */

/* An explorer, to be closed by close_default(), that has played it; told of in trace, if given. */
static struct explorer *play_default(const struct scenario *s, const struct explore_options *o,
				     FILE *trace)
{
	struct explorer *e = malloc(sizeof(*e));
	struct recipe *r = calloc(1, sizeof(*r));
	struct trace_printer *p = NULL;

	sim_assert(e && r);
	if (!explorer_open(e, s, o->kernel, &o->bugs, o->oracles))
		sim_fatal("a campaign that explore_check() did not agree to");
	strcpy(r->policy, "list");
	r->seed = o->seed;
	e->sp.any_ret = true;
	if (trace)
		p = trace_print_to(e->w, trace, TRACE_TEXT);
	explorer_play(e, r, 1, 0);
	if (p)
		trace_print_end(p);
	free(r);
	return e;
}

static void close_default(struct explorer *e)
{
	explorer_close(e);
	free(e);
}

long *explore_default_rets(const struct scenario *s, const struct explore_options *o,
			   struct call_results **values)
{
	long *rets = malloc((s->n_ops + 1) * sizeof(*rets));
	struct explorer *e = play_default(s, o, NULL);

	sim_assert(rets);
	memcpy(rets, e->rets, s->n_ops * sizeof(*rets));
	*values = s->program ? call_results_of(&e->sp.calls) : NULL;
	close_default(e);
	return rets;
}

void explore_default_trace(const struct scenario *s, const struct explore_options *o, FILE *trace)
{
	close_default(play_default(s, o, trace));
}
