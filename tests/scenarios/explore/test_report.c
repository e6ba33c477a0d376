// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape of reports: a finding is made in a small world, replayed as a list
 * of switches with the recorder on, and printed.
 */
#include "scenarios/explore/report_priv.h"

#include "sim/kapi/slab.h"
#include "tests/scenarios/explore/report_hooked.h"

#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct world *w;
	struct owner *owner;
	void (*body[2])(struct owner *o);
	struct explore_finding f;
} t;

static void boot(struct world *w, void *self)
{
	(void)w;
	(void)self;
	t.owner = kzalloc(sizeof(*t.owner), GFP_KERNEL);
	planted_init(t.owner);
}

static void user(void *arg)
{
	(void)arg;
	t.body[0](t.owner);
}

static void detacher(void *arg)
{
	(void)arg;
	t.body[1](t.owner);
}

static void use(struct owner *o)
{
	planted_use(o);
}

static void start(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "user", user, NULL, 0);
	sched_spawn(w->sched, "detacher", detacher, NULL, 0);
}

/* The switches of a run as the argument of policy list. */
static void list_points(const struct world_run *r, char *buf, size_t size)
{
	size_t at = 0;

	for (u32 i = 0; i < r->n_points; i++) {
		const struct switch_point *p = &r->points[i];

		at += (size_t)snprintf(buf + at, size - at, "%sT%u%c%llu>T%u", i ? "," : "",
				       p->task, p->why == WHY_PREEMPT ? '@' : '%',
				       (unsigned long long)p->op, p->to);
	}
}

static struct world_run find(void)
{
	for (u64 seed = 1; seed < 1000; seed++) {
		struct world_run r = {.seed = seed, .policy = policy_find("rw", 2)};

		world_run(t.w, &r);
		if (r.finding)
			return r;
	}
	cr_assert_fail("no finding");
	abort();
}

static void explain(void)
{
	struct world_program p = {.boot = boot, .start = start};
	struct explore_finding *f = &t.f;
	struct world_run found, r = {.seed = 1, .policy = policy_find("list", 4)};

	if (!IOMMULAB_HOOKS || IOMMULAB_ASAN)
		cr_skip_test("this build has no race hooks");
	t.w = world_create(0);
	world_load(t.w, &p);
	found = find();
	snprintf(f->recipe.policy, sizeof(f->recipe.policy), "list");
	list_points(&found, f->recipe.arg, sizeof(f->recipe.arg));
	f->recipe.seed = 1;
	f->found = f->recipe;
	r.policy_arg = f->recipe.arg;
	f->record = trace_record_start(t.w, 10000);
	world_run(t.w, &r);
	trace_record_stop(f->record);
	cr_assert_not_null(r.finding, "the list of switches gives the finding again");
	f->finding = *r.finding;
	f->hash = r.hash;
	f->switches = r.n_points;
	f->run = 1;
	f->replays = f->replays_same = 100;
	report_resolve_title(&f->finding, f->record);
}

static char *printed(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	report_print(out, &t.f, NULL);
	fclose(out);
	return text;
}

static void explain_use_after_free(void)
{
	t.body[0] = use;
	t.body[1] = planted_detach;
	explain();
}

static void explain_race(void)
{
	t.body[0] = planted_count;
	t.body[1] = planted_count;
	explain();
}

/* Each of the texts, one behind the other. */
static void has_in_order(const char *text, const char *const *parts)
{
	const char *at = text;

	for (; *parts; parts++) {
		at = strstr(at, *parts);
		cr_assert_not_null(at, "'%s' is missing or out of order in\n%s", *parts, text);
	}
}

Test(report, a_use_after_free_from_title_to_replay_line)
{
	static const char *const parts[] = {
		"==================================================================\n",
		"BUG: KASAN: slab-use-after-free in planted_use\n",
		"Read of size 8 at addr 0x40000",
		" by task user/T2\n",
		"PID: T2 Comm: user  step ",
		" planted_use                          tests/scenarios/explore/report_hooked.c:",
		"\nAllocated by task main/T0 (before the run):\n planted_init",
		"\nFreed by task detacher/T3 (step ",
		" planted_detach ",
		"\nLocks held:",
		"\nThe buggy address belongs to",
		"\nInterleaving (2 switches, ",
		"  step | T2 user",
		" | T3 detacher\n",
		"~~ switch 1: preempted before report_hooked.c:",
		"mutex_lock(&o->lock)",
		"kfree(heap+0x",
		"<== free",
		"BAD read (marked) report_hooked.c:",
		"\nReproduce: 100 of 100 replays",
		"\nreplay: iommulab replay 'iommulab1:",
		NULL,
	};
	char *text;

	explain_use_after_free();
	text = printed();
	has_in_order(text, parts);
	cr_assert_eq(strncmp(text, parts[0], strlen(parts[0])), 0);
	cr_assert_null(strchr(text, '\033'), "no colours");
	cr_assert_null(strstr(text, "%F"));
	cr_assert_eq(text[strlen(text) - 2], '\'', "the replay line is the last");
	free(text);
}

Test(report, stacks_begin_outside_of_the_simulator)
{
	char *text;

	explain_use_after_free();
	text = printed();
	cr_assert_null(strstr(text, " sim/"), "%s", text);
	free(text);
}

Test(report, a_race_has_two_stacks_and_sorted_names)
{
	static const char *const parts[] = {
		"BUG: KCSAN: data-race in planted_count / planted_count\n",
		"of size 8 (plain)",
		" planted_count ",
		"of size 8 (plain) by task ",
		" planted_count ",
		"\nRacing accesses: T",
		"  ||  T",
		"no happens-before",
		NULL,
	};
	char *text;

	explain_race();
	text = printed();
	has_in_order(text, parts);
	free(text);
}

Test(report, the_two_names_of_a_race_are_in_alphabetical_order)
{
	struct finding f = {.title = "BUG: KCSAN: data-race in %F / %G", .n_spots = 2};

	f.spot[0].n = f.spot[1].n = 1;
	f.spot[0].pc[0] = (u64)(uintptr_t)planted_use + 1;
	f.spot[1].pc[0] = (u64)(uintptr_t)planted_detach + 1;
	report_resolve_title(&f, NULL);
	cr_assert_str_eq(f.title, "BUG: KCSAN: data-race in planted_detach / planted_use");
}

Test(report, an_unknown_function_is_a_question_mark)
{
	struct finding f = {.title = "WARNING in %F"};

	report_resolve_title(&f, NULL);
	cr_assert_str_eq(f.title, "WARNING in ?");
}

Test(report, the_table_is_at_most_sixty_rows)
{
	struct report_row *rows;
	u32 n;

	explain_use_after_free();
	rows = report_rows(&t.f, NULL, &n);
	cr_assert(n >= 5 && n <= REPORT_ROWS_MAX, "%u rows", n);
	for (u32 i = 1; i < n; i++)
		cr_assert_geq(rows[i].step, rows[i - 1].step);
	free(rows);
}

Test(report, a_finding_on_earlier_runs_joins_their_recipes)
{
	struct explore_finding f = {.n_earlier = 1};
	char *text;

	f.earlier = calloc(1, sizeof(*f.earlier));
	snprintf(f.recipe.policy, sizeof(f.recipe.policy), "rw");
	snprintf(f.earlier[0].policy, sizeof(f.earlier[0].policy), "pos");
	text = report_recipe(&f);
	cr_assert(strstr(text, ":pos"), "%s", text);
	cr_assert(strstr(text, " + iommulab1:"), "%s", text);
	cr_assert(strstr(strstr(text, " + "), ":rw"), "%s", text);
	free(text);
	free(f.earlier);
}

static const char *string_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	cr_assert(json_object_object_get_ex(o, name, &v), "no member %s", name);
	return json_object_get_string(v);
}

Test(report, json_says_the_same)
{
	struct json_object *o, *spots, *stack, *rows;

	explain_use_after_free();
	o = report_json(&t.f, NULL);
	cr_assert_str_eq(string_of(o, "oracle"), "kasan");
	cr_assert_str_eq(string_of(o, "title"), "BUG: KASAN: slab-use-after-free in planted_use");
	cr_assert_eq(strncmp(string_of(o, "recipe"), "iommulab1:", 10), 0);
	cr_assert_eq(strlen(string_of(o, "trace_hash")), 16);
	cr_assert(json_object_object_get_ex(o, "spots", &spots));
	cr_assert_eq(json_object_array_length(spots), t.f.finding.n_spots);
	cr_assert(json_object_object_get_ex(json_object_array_get_idx(spots, 0), "stack", &stack));
	cr_assert_str_eq(string_of(json_object_array_get_idx(stack, 0), "function"), "planted_use");
	cr_assert(json_object_object_get_ex(o, "interleaving", &rows));
	cr_assert_geq(json_object_array_length(rows), 5);
	json_object_put(o);
}
