// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of system calls as scenarios: which task performs what, and when.
 */
#include "scenarios/explore/explore.h"

#include "sim/base/bits.h"
#include "tests/kit/fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CONST(v) {.value = (v), .result = CALL_NO_RESULT}
#define SLOT(r, def) {.value = (def), .result = (r)}
#define OUT_OF(slot) {FAKE_BASE + 8 * (slot), 4, (slot)}

/* A program of the heap, as parsers give it; calls are copied with what they fetch. */
static struct call_program *program_of(const struct call *call, u32 n)
{
	struct call_program *p = calloc(1, sizeof(*p));

	p->call = calloc(n, sizeof(*p->call));
	p->n = n;
	p->n_results = 8;
	for (u32 i = 0; i < n; i++) {
		p->call[i] = call[i];
		p->call[i].line = i + 1;
		if (!call[i].n_out)
			continue;
		p->call[i].out = malloc(sizeof(struct call_out));
		*p->call[i].out = *call[i].out;
	}
	return p;
}

static struct scenario *scenario_with(const struct call *call, u32 n, bool threads_all)
{
	struct scenario_error err;
	struct scenario *s = scenario_of_calls("test.syz", program_of(call, n), threads_all, &err);

	cr_assert(s, "%s", err.text);
	cr_assert_str_eq(s->name, "test");
	return s;
}

/* Runs it so many times under a policy; *worst gets the first finding's title, "" = none. */
static void explore(const struct scenario *s, const char *policy, u64 runs, char *title)
{
	struct explore_options o = {.seed = 1, .runs = runs, .policy = policy,
				    .kernel = &kernel_fake, .no_shrink = true, .jobs = 1,
				    .verify = 10};
	struct explore_result r;
	char err[256];

	fake_reset();
	cr_assert(explore_check(s, &o, err, sizeof(err)), "%s", err);
	explore_run(s, &o, &r);
	cr_assert(!r.diverged, "%s", r.divergence);
	strcpy(title, r.n_findings ? r.findings[0].finding.title : "");
	explore_result_free(&r);
}

static struct call_out outs[8] = {OUT_OF(0), OUT_OF(1), OUT_OF(2), OUT_OF(3)};

#define ALLOC(slot) {.nr = FAKE_ALLOC, .name = NULL, .arg = {CONST(FAKE_BASE + 8 * (slot))}, \
		     .n_args = 1, .out = &outs[slot], .n_out = 1, .result = CALL_NO_RESULT}
#define USE(slot) {.nr = FAKE_ECHO, .arg = {SLOT(slot, 99)}, .n_args = 1, .result = CALL_NO_RESULT}

Test(calls, async_calls_begin_when_main_has_come_to_them)
{
	static struct call call[] = {
		ALLOC(0), {.nr = FAKE_WAIT, .async = true, .result = CALL_NO_RESULT}, USE(0),
		{.nr = FAKE_WAKE, .result = CALL_NO_RESULT},
		{.nr = FAKE_ECHO, .async = true, .arg = {SLOT(0, 99)}, .n_args = 1,
		 .result = CALL_NO_RESULT},
	};
	struct scenario *s = scenario_with(call, ARRAY_SIZE(call), false);
	char title[FINDING_TITLE_MAX];

	cr_expect_eq(s->n_tasks, 3);
	cr_expect_str_eq(s->task[0].name, "main");
	cr_expect_eq(s->task[0].n, 3);
	cr_expect_eq(s->n_edges, 2);
	/* What main must do first is done in each schedule: the echo is never the default. */
	for (u32 i = 0; i < s->n_ops; i++) {
		if (s->ops[i].call->nr != FAKE_ECHO)
			continue;
		s->ops[i].has_ret = true;
		s->ops[i].ret = 1;
	}
	explore(s, "rw", 1, title);
	cr_expect_str_empty(title);
	scenario_free(s);
}

Test(calls, all_threads_wait_for_what_they_need)
{
	static struct call call[] = {ALLOC(0), USE(0), ALLOC(1), USE(1), USE(0)};
	struct scenario *s = scenario_with(call, ARRAY_SIZE(call), true);
	struct explore_options o = {.seed = 3, .kernel = &kernel_fake};
	struct call_results *values;
	char title[FINDING_TITLE_MAX];
	long *rets;

	cr_expect_eq(s->n_tasks, 5);
	cr_expect_eq(s->n_edges, 3);
	cr_expect_eq(s->ops[0].n_edges, 2);
	cr_expect(s->threads_all);
	explore(s, "rw", 200, title);
	cr_expect_str_empty(title);
	fake_reset();
	rets = explore_default_rets(s, &o, &values);
	cr_expect(rets[1] != 99 && rets[3] != 99 && rets[4] != 99);
	cr_expect(values->is_set[0] && values->is_set[1] && !values->is_set[2]);
	cr_expect_neq(values->value[0], values->value[1]);
	free(rets);
	free(values);
	scenario_free(s);
}

Test(calls, a_dropped_giver_lets_its_users_go_on)
{
	static struct call call[] = {ALLOC(0), USE(0)};
	struct scenario *s = scenario_with(call, ARRAY_SIZE(call), true);
	struct recipe *r = calloc(1, sizeof(*r));
	struct explore_replay how = {.recipe = r, .n = 1, .times = 2, .kernel = &kernel_fake};
	struct explore_result result;

	s->ops[1].has_ret = true;
	s->ops[1].ret = 99;
	strcpy(r->policy, "list");
	r->drop[0] = 1;
	fake_reset();
	explore_replay(s, &how, &result);
	cr_expect_eq(result.n_findings, 0);
	cr_expect_eq(result.same, 2, "and its task, which does nothing, is no part of the run");
	explore_result_free(&result);
	free(r);
	scenario_free(s);
}

Test(calls, more_calls_than_tasks_share_them)
{
	struct call call[100];
	char title[FINDING_TITLE_MAX];
	struct scenario *s;

	for (u32 i = 0; i < 100; i++) {
		call[i] = i % 2 ? (struct call)USE(0) : (struct call)ALLOC(0);
		call[i].async = i % 3 == 0;
	}
	for (u32 all = 0; all < 2; all++) {
		s = scenario_with(call, 100, all);
		cr_expect_eq(s->n_tasks, SCENARIO_TASKS_MAX);
		cr_expect_eq(s->n_ops, 100);
		explore(s, "rw", 20, title);
		cr_expect_str_empty(title);
		scenario_free(s);
	}
}

Test(calls, a_finding_shrinks_to_the_calls_it_needs)
{
	static struct call call[] = {
		ALLOC(0), USE(0), ALLOC(1), USE(1),
		{.nr = FAKE_WAIT, .result = CALL_NO_RESULT}, USE(1),
	};
	struct scenario *s = scenario_with(call, ARRAY_SIZE(call), false);
	struct explore_options o = {.seed = 1, .runs = 10, .kernel = &kernel_fake, .jobs = 1};
	struct explore_result r;

	fake_reset();
	explore_run(s, &o, &r);
	cr_assert_eq(r.n_findings, 1);
	cr_expect(strstr(r.findings[0].finding.title, "hung") ||
		  strstr(r.findings[0].finding.title, "deadlock"), "%s",
		  r.findings[0].finding.title);
	cr_expect_eq(r.findings[0].ops, 1, "%u ops are left", r.findings[0].ops);
	cr_expect_eq(r.findings[0].replays_same, r.findings[0].replays);
	explore_result_free(&r);
	scenario_free(s);
}

Test(calls, who_waits_for_a_slow_call_is_not_hung)
{
	static struct call call[] = {
		{.nr = FAKE_SLEEP, .result = CALL_NO_RESULT}, {.nr = FAKE_SLEEP, .result = 0},
		USE(0), {.nr = FAKE_SLEEP, .async = true, .result = CALL_NO_RESULT},
	};
	char title[FINDING_TITLE_MAX];

	for (u32 all = 0; all < 2; all++) {
		struct scenario *s = scenario_with(call, ARRAY_SIZE(call), all);

		explore(s, "rw", 20, title);
		cr_expect_str_empty(title);
		scenario_free(s);
	}
}

Test(calls, what_cannot_be_run_is_said)
{
	static struct call call[] = {USE(0)};
	const struct kernel none = {.name = "none", .boot = kernel_model.boot,
				    .op = kernel_model.op, .shutdown = kernel_model.shutdown};
	struct explore_options o = {.kernel = &none};
	struct scenario *s = scenario_with(call, 1, false);
	struct scenario_error err;
	char why[256];

	cr_expect(!explore_check(s, &o, why, sizeof(why)));
	cr_expect(strstr(why, "no system calls"), "%s", why);
	scenario_free(s);
	cr_expect(!scenario_of_calls("x", program_of(call, 0), false, &err));
	cr_expect(strstr(err.text, "no call"));
}
