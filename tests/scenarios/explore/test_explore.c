// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer on a kernel made for the purpose: its operations change one word
 * of heap, and one order of the steps of two tasks is a finding.
 */
#include "scenarios/explore/explore.h"

#include "scenarios/explore/report.h"
#include "sim/kapi/errno.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct toy {
	u64 phase;
	u64 locked_by; /* first operation of the run that took both locks */
	struct mutex a, b;
};

static u64 stray; /* what a deterministic kernel must not have */
static bool use_stray;

static struct toy *toy_of(struct world *w)
{
	return w->kernel;
}

static void toy_boot(struct world *w, const struct machine *m)
{
	struct toy *t = kzalloc(sizeof(*t), GFP_KERNEL);

	(void)m;
	mutex_init(&t->a);
	mutex_init(&t->b);
	w->kernel = t;
}

static void step(struct toy *t)
{
	sched_point(t, sizeof(*t), OP_SYNC | OP_WRITE);
}

/* claim: 0 -> 1, and 2 -> finding. release: 1 -> 2 -> 3. So it takes two switches. */
static void toy_claim(struct world *w, struct toy *t)
{
	step(t);
	if (t->phase == 0)
		t->phase = 1;
	step(t);
	step(t);
	if (t->phase == 2) {
		struct finding *f = oracle_finding(w, "toy", "BUG: toy order");

		if (f) {
			finding_here(f, "Seen", 0);
			oracle_report(w, f);
		}
	}
	if (t->phase == 1)
		t->phase = 0;
}

static void toy_release(struct toy *t)
{
	if (t->phase == 1)
		t->phase = 2;
	step(t);
	if (t->phase == 2)
		t->phase = 3;
}

/* Both locks, but only by the first in a run: no run has both orders. */
static void toy_lock(struct toy *t, struct mutex *first, struct mutex *second)
{
	step(t);
	if (t->locked_by)
		return;
	t->locked_by = 1;
	mutex_lock(first);
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

static long toy_op(struct world *w, const struct op *op)
{
	struct toy *t = toy_of(w);

	if (op->code == OP_claim)
		toy_claim(w, t);
	else if (op->code == OP_release)
		toy_release(t);
	else if (op->code == OP_add)
		toy_lock(t, &t->a, &t->b);
	else if (op->code == OP_remove)
		toy_lock(t, &t->b, &t->a);
	else if (op->code == OP_probe)
		for (u32 i = 0; i < 5; i++)
			step(t);
	else if (op->code == OP_deferred && use_stray && stray++ % 2)
		step(t);
	step(t);
	if (op->code == OP_claim)
		return -EBUSY;
	return 0;
}

static void toy_shutdown(struct world *w)
{
	(void)w;
}

static const struct kernel toy_kernel = {
	.name = "toy", .boot = toy_boot, .op = toy_op, .shutdown = toy_shutdown,
};

#define MACHINE                                    \
	"machine:\n"                               \
	"  buses: {p: {kind: pci}}\n"              \
	"  devices: {n: {bus: p, bdf: \"00:01.0\"}}\n"

static const char two_switches[] =
	MACHINE
	"tasks:\n"
	"  noise: [{probe: n}, {probe: n}]\n"
	"  one: [{probe: n}, {claim: {device: n, owner: v}}, {probe: n}]\n"
	"  two: [{probe: n}, {release: n}, {probe: n}]\n";

static struct scenario *read_text(const char *text)
{
	struct scenario_error err;
	struct scenario *s = scenario_parse("toy.yaml", text, strlen(text), &err);

	cr_assert(s, "%u:%u: %s", err.line, err.column, err.text);
	return s;
}

static struct explore_options options(void)
{
	return (struct explore_options){.seed = 1, .runs = 2000, .kernel = &toy_kernel, .jobs = 1};
}

Test(explore, a_finding_that_needs_two_switches_shrinks_to_two)
{
	struct scenario *s = read_text(two_switches);
	struct explore_options o = options();
	struct explore_result r;

	explore_run(s, &o, &r);
	cr_assert_eq(r.n_findings, 1);
	cr_expect_str_eq(r.findings[0].finding.title, "BUG: toy order");
	cr_expect_eq(r.findings[0].switches, 2, "%s", r.findings[0].recipe.arg);
	cr_expect_eq(r.findings[0].ops, 2, "only claim and release are left");
	cr_expect_eq(r.findings[0].ops_before, 8);
	cr_expect_eq(r.findings[0].replays_same, r.findings[0].replays);
	cr_expect_eq(r.runs, r.findings[0].run);
	explore_result_free(&r);
	scenario_free(s);
}

Test(explore, a_recipe_replays_identically_a_hundred_times)
{
	struct scenario *s = read_text(two_switches);
	struct explore_options o = options();
	struct explore_result r, played;

	explore_run(s, &o, &r);
	cr_assert_eq(r.n_findings, 1);
	for (u32 k = 0; k < 2; k++) {
		struct explore_replay how = {
			.recipe = k ? &r.findings[0].found : &r.findings[0].recipe,
			.n = 1, .times = 100, .kernel = &toy_kernel,
		};

		explore_replay(s, &how, &played);
		cr_expect_eq(played.same, 100);
		cr_expect_eq(played.n_findings, 1);
		cr_expect(k || played.hash == r.findings[0].hash);
		explore_result_free(&played);
	}
	explore_result_free(&r);
	scenario_free(s);
}

Test(explore, a_printed_recipe_gives_the_run_again)
{
	struct scenario *s = read_text(two_switches);
	struct explore_options o = options();
	struct explore_result r, played;
	struct recipe *again = calloc(1, sizeof(*again));
	char *text = malloc(RECIPE_TEXT_MAX), err[256];
	struct explore_replay how = {.recipe = again, .n = 1, .times = 1, .kernel = &toy_kernel};

	cr_assert(again && text);
	explore_run(s, &o, &r);
	cr_assert_eq(r.n_findings, 1);
	recipe_print(&r.findings[0].recipe, text, RECIPE_TEXT_MAX);
	cr_assert(recipe_parse(text, strlen(text), again, err, sizeof(err)), "%s", err);
	explore_replay(s, &how, &played);
	cr_expect_eq(played.hash, r.findings[0].hash);
	cr_expect_eq(played.missed[0], '\0', "%s", played.missed);
	explore_result_free(&played);
	explore_result_free(&r);
	free(text);
	free(again);
	scenario_free(s);
}

static void same_findings(const struct explore_result *a, const struct explore_result *b)
{
	char *x = report_recipe(&a->findings[0]), *y = report_recipe(&b->findings[0]);

	cr_expect_eq(a->n_findings, b->n_findings);
	cr_expect_eq(a->runs, b->runs);
	cr_expect_eq(a->findings[0].run, b->findings[0].run);
	cr_expect_str_eq(x, y);
	free(x);
	free(y);
}

Test(explore, the_number_of_jobs_changes_nothing)
{
	struct scenario *s = read_text(two_switches);
	struct explore_options o = options();
	struct explore_result one, three;

	/* A policy that seldom finds it, so that several batches are needed. */
	o.policy = "pct:3";
	o.runs = 20000;
	for (o.seed = 1; o.seed < 4; o.seed++) {
		o.jobs = 1;
		explore_run(s, &o, &one);
		o.jobs = 3;
		explore_run(s, &o, &three);
		cr_assert_eq(one.n_findings, 1);
		same_findings(&one, &three);
		explore_result_free(&one);
		explore_result_free(&three);
	}
	scenario_free(s);
}

Test(explore, a_run_made_twice_betrays_nondeterminism)
{
	struct scenario *s = read_text(MACHINE "tasks: {a: [{probe: n}, deferred, {probe: n}]}\n");
	struct explore_options o = options();
	struct explore_result r;

	o.runs = 100;
	o.verify = 10;
	explore_run(s, &o, &r);
	cr_expect(!r.diverged, "%s", r.divergence);
	explore_result_free(&r);
	use_stray = true;
	explore_run(s, &o, &r);
	cr_expect(r.diverged);
	cr_expect(strstr(r.divergence, "run 10 (seed a), made twice, differs from note"), "%s",
		  r.divergence);
	cr_expect(strstr(r.divergence, "of T2 at its operation"), "%s", r.divergence);
	explore_result_free(&r);
	scenario_free(s);
}

Test(explore, a_wrong_result_is_a_finding)
{
	struct scenario *s = read_text(MACHINE
		"tasks: {a: [{claim: {device: n, owner: v, ret: EBUSY}}, {probe: n, ret: ENODEV}]}\n");
	struct explore_options o = options();
	struct explore_result r;

	o.no_shrink = true;
	explore_run(s, &o, &r);
	cr_assert_eq(r.n_findings, 1);
	cr_expect_str_eq(r.findings[0].finding.title,
			 "expectation failed: probe: n gave 0, expected -ENODEV");
	cr_expect_eq(r.findings[0].rets[0], -EBUSY);
	cr_expect_eq(r.findings[0].switches, 0);
	explore_result_free(&r);
	scenario_free(s);
}

Test(explore, what_a_user_asks_for_is_checked)
{
	struct scenario *s = read_text(two_switches);
	struct explore_options o = options();
	char err[256];

	cr_expect(explore_check(s, &o, err, sizeof(err)));
	o.policy = "rwx";
	cr_expect(!explore_check(s, &o, err, sizeof(err)));
	cr_expect(strstr(err, "unknown policy 'rwx'") && strstr(err, "did you mean 'rw'"), "%s", err);
	o.policy = "rw:abc";
	cr_expect(!explore_check(s, &o, err, sizeof(err)));
	cr_expect(strstr(err, "policy rw does not take 'abc'"), "%s", err);
	o.policy = NULL;
	o.oracles = "kasan,foo";
	cr_expect(!explore_check(s, &o, err, sizeof(err)));
	cr_expect(strstr(err, "unknown oracle"), "%s", err);
	scenario_free(s);
}

Test(explore, an_exhaustive_policy_ends_by_itself)
{
	struct scenario *s = read_text(MACHINE "tasks: {a: [{probe: n}], b: [{probe: n}]}\n");
	struct explore_options o = options();
	struct explore_result r;

	o.policy = "delay:1";
	o.runs = 100000;
	o.jobs = 2;
	explore_run(s, &o, &r);
	cr_expect(r.exhausted);
	cr_expect(r.runs > 5 && r.runs < 1000, "%llu runs", (unsigned long long)r.runs);
	cr_expect_eq(r.n_findings, 0);
	explore_result_free(&r);
	scenario_free(s);
}

Test(explore, a_lock_order_that_no_run_has_alone_carries_the_runs_it_rests_on)
{
	struct scenario *s = read_text(MACHINE
		"tasks: {a: [{probe: n}, {add: n}], b: [{probe: n}, {remove: n}]}\n");
	struct explore_options o = options();
	struct explore_result r, played;
	struct recipe *again = calloc(RECIPES_MAX, sizeof(*again));
	struct explore_replay how = {.recipe = again, .times = 100, .kernel = &toy_kernel};
	char err[256], *text;

	cr_assert(again);
	explore_run(s, &o, &r);
	cr_assert_eq(r.n_findings, 1);
	cr_expect(strstr(r.findings[0].finding.title, "circular locking"), "%s",
		  r.findings[0].finding.title);
	cr_expect_eq(r.findings[0].n_earlier, 1);
	cr_expect_eq(r.findings[0].replays_same, r.findings[0].replays);
	text = report_recipe(&r.findings[0]);
	how.n = recipe_parse_all(text, strlen(text), again, err, sizeof(err));
	cr_assert_eq(how.n, 2, "%s", err);
	explore_replay(s, &how, &played);
	cr_expect_eq(played.n_findings, 1, "both recipes, on an empty graph, give it again");
	cr_expect_eq(played.same, 100);
	explore_result_free(&played);
	how.recipe = again + 1;
	how.n = 1;
	explore_replay(s, &how, &played);
	cr_expect_eq(played.n_findings, 0, "one alone does not");
	explore_result_free(&played);
	explore_result_free(&r);
	free(text);
	free(again);
	scenario_free(s);
}
