// SPDX-License-Identifier: GPL-2.0-only
/*
 * Use of unwritten memory by code without hooks: this file has none, so only
 * the comparison of two heap poisons can tell.
 */
#include "scenarios/explore/explore.h"

#include "scenarios/explore/report.h"
#include "sim/kapi/slab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ONE_TASK                                         \
	"machine:\n"                                     \
	"  buses: {p: {kind: pci}}\n"                    \
	"  devices: {n: {bus: p, bdf: \"00:01.0\"}}\n" \
	"tasks:\n"                                       \
	"  one: [{probe: n}, {release: n}, {probe: n}]\n"

static gfp_t flags;

static void boot(struct world *w, const struct machine *m)
{
	(void)m;
	w->kernel = kzalloc(8, GFP_KERNEL);
}

/* release: an object's first byte decides whether one more step is made. */
static long op(struct world *w, const struct op *o)
{
	u8 *p;

	sched_point(w->kernel, 8, OP_SYNC);
	if (o->code != OP_release)
		return 0;
	p = kmalloc(16, flags);
	if (*p & 1)
		sched_point(w->kernel, 8, OP_SYNC);
	kfree(p);
	return 0;
}

static void shut_down(struct world *w)
{
	(void)w;
}

static const struct kernel careless = {
	.name = "careless", .boot = boot, .op = op, .shutdown = shut_down,
};

static struct {
	struct scenario *s;
	struct explore_result r;
	struct explore_options o;
} t;

static void explore(gfp_t how)
{
	struct scenario_error err;

	flags = how;
	t.s = scenario_parse("one.yaml", ONE_TASK, strlen(ONE_TASK), &err);
	cr_assert(t.s, "%u:%u: %s", err.line, err.column, err.text);
	t.o.seed = 1;
	t.o.runs = 200;
	t.o.jobs = 1;
	t.o.kernel = &careless;
	t.o.verify = 50;
	explore_run(t.s, &t.o, &t.r);
	cr_expect(!t.r.diverged, "%s", t.r.divergence);
}

static void done(void)
{
	explore_result_free(&t.r);
	scenario_free(t.s);
}

Test(poison, an_unwritten_byte_that_decides_the_run_is_a_finding)
{
	explore(GFP_KERNEL);
	cr_assert_eq(t.r.n_findings, 1);
	cr_expect_eq(strncmp(t.r.findings[0].finding.title,
			     "BUG: KMSAN: uninit-value use decides the run in ", 48), 0, "%s",
		     t.r.findings[0].finding.title);
	cr_expect_eq(t.r.findings[0].run, 50, "the first that is verified");
	cr_expect_eq(t.r.findings[0].finding.spot[0].task, SCHED_FIRST_TASK);
	cr_expect(strstr(t.r.findings[0].finding.text, "in fresh memory"), "%s",
		  t.r.findings[0].finding.text);
	cr_expect_eq(t.r.findings[0].switches, 0);
	cr_expect_eq(t.r.findings[0].ops, 1, "only the careless operation is left");
	done();
}

Test(poison, written_memory_decides_nothing)
{
	explore(GFP_KERNEL | __GFP_ZERO);
	cr_expect_eq(t.r.n_findings, 0);
	cr_expect_eq(t.r.runs, 200);
	done();
}

Test(poison, the_comparison_can_be_turned_off)
{
	t.o.one_poison = true;
	explore(GFP_KERNEL);
	cr_expect_eq(t.r.n_findings, 0);
	done();
}

Test(poison, its_recipe_as_printed_gives_the_finding_again)
{
	struct recipe *again = calloc(1, sizeof(*again));
	struct explore_replay how = {.recipe = again, .n = 1, .times = 20, .kernel = &careless};
	char *text, err[256];
	struct explore_result played;

	cr_assert(again);
	explore(GFP_KERNEL);
	cr_assert_eq(t.r.n_findings, 1);
	text = report_recipe(&t.r.findings[0]);
	cr_expect(strstr(text, "poison=") && strstr(text, ",against="), "%s", text);
	cr_assert(recipe_parse(text, strlen(text), again, err, sizeof(err)), "%s", err);
	explore_replay(t.s, &how, &played);
	cr_expect_eq(played.same, 20);
	cr_assert_eq(played.n_findings, 1);
	cr_expect_str_eq(played.findings[0].finding.title, t.r.findings[0].finding.title);
	cr_expect_eq(played.hash, t.r.findings[0].hash);
	explore_result_free(&played);
	/* Without the careless read the same recipe is clean. */
	flags |= __GFP_ZERO;
	explore_replay(t.s, &how, &played);
	cr_expect_eq(played.n_findings, 0);
	explore_result_free(&played);
	free(text);
	free(again);
	done();
}
