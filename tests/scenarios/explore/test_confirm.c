// SPDX-License-Identifier: GPL-2.0-only
/*
 * Confirming races by directed replays, on a kernel whose operations are the
 * two sides of a planted race.
 */
#include "scenarios/explore/explore.h"

#include "scenarios/explore/report.h"
#include "sim/kapi/slab.h"
#include "tests/scenarios/explore/confirm_hooked.h"

#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define TWO_TASKS                                        \
	"machine:\n"                                     \
	"  buses: {p: {kind: pci}}\n"                    \
	"  devices: {n: {bus: p, bdf: \"00:01.0\"}}\n" \
	"tasks:\n"                                       \
	"  one: [{probe: n}]\n"                          \
	"  two: [{release: n}]\n"

typedef u64 (*side_fn)(struct shared_words *s);

static side_fn body[2]; /* probe, release */

static void boot(struct world *w, const struct machine *m)
{
	struct shared_words *s = kzalloc(sizeof(*s), GFP_KERNEL);

	(void)m;
	mutex_init(&s->lock);
	w->kernel = s;
}

static long op(struct world *w, const struct op *o)
{
	body[o->code == OP_release](w->kernel);
	return 0;
}

static void shut_down(struct world *w)
{
	(void)w;
}

static const struct kernel two_sides = {
	.name = "two-sides", .boot = boot, .op = op, .shutdown = shut_down,
};

static struct {
	struct scenario *s;
	struct explore_result r;
} t;

static u64 count(struct shared_words *s)
{
	racy_count(s);
	return 0;
}

static u64 store(struct shared_words *s)
{
	racy_store(s);
	return 0;
}

static u64 locked_store(struct shared_words *s)
{
	racy_locked_store(s);
	return 0;
}

static u64 announce(struct shared_words *s)
{
	racy_announce(s);
	return 0;
}

static void explore(side_fn one, side_fn two, u64 seed)
{
	struct explore_options o = {.seed = seed, .runs = 2000, .kernel = &two_sides, .jobs = 1};
	struct scenario_error err;

	if (!IOMMULAB_HOOKS || IOMMULAB_ASAN)
		cr_skip_test("this build has no race hooks");
	body[0] = one;
	body[1] = two;
	t.s = scenario_parse("two.yaml", TWO_TASKS, strlen(TWO_TASKS), &err);
	cr_assert(t.s, "%u:%u: %s", err.line, err.column, err.text);
	explore_run(t.s, &o, &t.r);
}

static const struct explore_confirm *race(void)
{
	cr_assert_eq(t.r.n_findings, 1, "%u findings", t.r.n_findings);
	cr_assert(strstr(t.r.findings[0].finding.title, "data-race"), "%s",
		  t.r.findings[0].finding.title);
	cr_assert(t.r.findings[0].confirm.tried);
	return &t.r.findings[0].confirm;
}

static void done(void)
{
	explore_result_free(&t.r);
	scenario_free(t.s);
}

static char *printed(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	report_print(out, &t.r.findings[0], t.s);
	fclose(out);
	return text;
}

Test(confirm, a_racy_counter_is_confirmed_with_the_value_that_changed)
{
	const struct explore_confirm *c;
	char *text;

	explore(count, count, 1);
	c = race();
	cr_expect(c->confirmed && c->as_found && c->reversed, "%s", c->why);
	cr_expect(c->valued);
	cr_expect_eq(c->before, 0);
	cr_expect_eq(c->after, 1);
	cr_expect_eq(c->size, 8);
	cr_expect(c->runs <= 200, "%u runs", c->runs);
	text = printed();
	cr_expect(strstr(text, "\nConfirmed: both orders were run; value changed: "
			       "0x0000000000000000 -> 0x0000000000000001\n"), "%s", text);
	free(text);
	done();
}

Test(confirm, a_load_and_a_store_are_confirmed_whichever_came_first)
{
	for (u64 seed = 1; seed < 20; seed++) {
		const struct explore_confirm *c;

		explore(seed & 1 ? racy_load : store, seed & 1 ? store : racy_load, seed);
		c = race();
		cr_expect(c->confirmed, "seed %llu: %s", (unsigned long long)seed, c->why);
		cr_expect(c->valued && c->before == 0 && c->after == 7 && c->size == 4);
		done();
	}
}

Test(confirm, a_lock_around_one_side_is_not_in_the_way)
{
	for (u64 seed = 1; seed < 20; seed++) {
		const struct explore_confirm *c;

		explore(locked_store, racy_late_load, seed);
		c = race();
		cr_expect(c->confirmed, "seed %llu: %s", (unsigned long long)seed, c->why);
		cr_expect_eq(c->after, 3);
		done();
	}
}

Test(confirm, accesses_that_a_flag_keeps_apart_stay_unconfirmed)
{
	const struct explore_confirm *c;
	struct json_object *o, *v;
	char *text;

	explore(announce, racy_announced, 1);
	c = race();
	cr_expect(!c->confirmed && !c->as_found && !c->reversed && !c->valued);
	cr_expect(c->runs > 1 && c->runs <= 200, "%u runs", c->runs);
	text = printed();
	cr_expect(strstr(text, "\nUnconfirmed (happens-before only): in "), "%s", text);
	free(text);
	o = report_json(&t.r.findings[0], t.s);
	cr_assert(json_object_object_get_ex(o, "confirmation", &v));
	cr_assert(json_object_object_get_ex(v, "confirmed", &v));
	cr_expect(!json_object_get_boolean(v));
	json_object_put(o);
	done();
}

Test(confirm, the_same_finding_is_confirmed_in_the_same_way)
{
	struct explore_confirm first;

	explore(count, store, 3);
	cr_expect_eq(t.r.n_findings, 0, "different words");
	done();
	explore(count, count, 3);
	first = *race();
	done();
	explore(count, count, 3);
	cr_expect_eq(memcmp(&first, race(), sizeof(first)), 0);
	done();
}

Test(confirm, a_replay_confirms_too_from_a_list_and_from_a_seed)
{
	struct explore_result played;

	explore(count, count, 1);
	race();
	for (u32 k = 0; k < 2; k++) {
		struct explore_replay how = {
			.recipe = k ? &t.r.findings[0].found : &t.r.findings[0].recipe,
			.n = 1, .times = 2, .kernel = &two_sides,
		};

		explore_replay(t.s, &how, &played);
		cr_assert_eq(played.n_findings, 1);
		cr_expect_eq(played.same, 2);
		cr_expect(played.findings[0].confirm.confirmed, "%s",
			  played.findings[0].confirm.why);
		explore_result_free(&played);
	}
	done();
}
