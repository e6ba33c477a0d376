// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab bisect: the same scenario, or recipe, on two kernels. As expected is
 * what one looks for with it: the bad one shows a finding, the good one none.
 *
 * A recipe is played on both. Other code has other steps, so a list of switches
 * says little about a kernel it is not of: where it shows nothing, the recipe's
 * scenario is explored as well.
 */
#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_MAX (8UL << 20)

enum { GOOD, BAD, SIDES };
static const char *const side_names[] = {"good", "bad"};

struct side {
	const char *path;
	const struct kernel *kernel;
	struct explore_result r;
	bool played; /* its finding is the given recipe's */
};

struct bisect {
	struct cli *c;
	struct explore_options o;
	struct scenario *s;
	struct recipe *recipe; /* n_recipes of them; 0: a scenario was given */
	u32 n_recipes;
	struct side side[SIDES];
	bool quiet;
};

/* --- what was given --- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* A report of any name: the line that replays it is in no scenario. */
static bool is_report(const char *arg)
{
	char *text, err[160];
	size_t size;
	bool is;

	if (strcmp(arg, "-") == 0 ||
	    !host_file_read(arg, REPORT_MAX, &text, &size, err, sizeof(err)))
		return false;
	is = strstr(text, "\nreplay: iommulab replay '") != NULL;
	free(text);
	return is;
}

static bool is_recipe(const char *arg)
{
	return strncmp(arg, "iommulab1:", 10) == 0 || ends_with(arg, ".txt") ||
	       ends_with(arg, ".json") || ends_with(arg, ".recipe") || is_report(arg);
}

static int read_recipe(struct bisect *b, const char *arg)
{
	struct cli_recipes t;
	int rc = cli_find_recipes(arg, &t);

	if (!rc && t.n > 1)
		rc = cli_fail("bisect: %u recipes in %s, expected one", t.n, arg);
	if (!rc)
		b->n_recipes = cli_read_recipe(t.text[0], b->c->o.force, b->recipe, &b->s);
	cli_recipes_free(&t);
	return b->n_recipes ? CLI_OK : CLI_USAGE;
}

static int read_file(struct bisect *b)
{
	const char *arg = b->c->args[0];
	char why[512];

	if (is_recipe(arg)) {
		if (read_recipe(b, arg))
			return CLI_USAGE;
		for (u32 i = 0; i < BUG_N; i++) {
			if (bug_set_has(&b->recipe[0].bugs, i))
				bug_set_add(&b->o.bugs, i);
		}
	} else {
		b->s = cli_read_scenario(arg, (struct scenario_how){
			.threads_all = b->c->o.threads, .strict = b->c->o.strict});
		if (!b->s)
			return CLI_USAGE;
	}
	b->o.want = b->s->expect_title;
	for (u32 i = 0; i < SIDES; i++) {
		b->o.kernel = b->side[i].kernel;
		if (!explore_check(b->s, &b->o, why, sizeof(why)))
			return cli_fail("%s", why);
	}
	return CLI_OK;
}

/* --- the two runs --- */

/* The finding that counts: the expected one where the scenario names one. */
static const struct explore_finding *shown(const struct bisect *b, const struct side *side)
{
	for (u32 i = 0; i < side->r.n_findings; i++) {
		if (!b->o.want || strstr(side->r.findings[i].finding.title, b->o.want))
			return &side->r.findings[i];
	}
	return NULL;
}

static int try_side(struct bisect *b, struct side *side)
{
	struct explore_replay how = {.recipe = b->recipe, .n = b->n_recipes, .times = 1,
				     .kernel = side->kernel};

	if (b->n_recipes) {
		explore_replay(b->s, &how, &side->r);
		side->played = shown(b, side);
		if (side->played)
			return CLI_OK;
		explore_result_free(&side->r);
	}
	b->o.kernel = side->kernel;
	cli_progress_begin(&b->o);
	explore_run(b->s, &b->o, &side->r);
	cli_progress_end();
	if (side->r.diverged)
		fprintf(stderr, "iommulab: %s: not deterministic: %s\n", side->path,
			side->r.divergence);
	return side->r.incomplete[0] ? cli_fail("%s: %s", side->path, side->r.incomplete) : CLI_OK;
}

/* --- what is said --- */

static void print_side(const struct bisect *b, u32 i)
{
	const struct side *side = &b->side[i];
	const struct explore_finding *f = shown(b, side);
	char *recipe;

	if (f && i == BAD)
		report_print(stdout, f, b->s);
	printf("%s: %s (%s): ", side_names[i], side->path, side->kernel->name);
	if (!f) {
		printf("clean, %llu runs%s\n", (unsigned long long)side->r.runs,
		       side->r.stopped ? ", stopped" : "");
		return;
	}
	printf("%s, %s %llu\n", f->finding.title, side->played ? "replay" : "run",
	       (unsigned long long)(side->played ? 1 : f->run));
	if (i == BAD)
		return;
	recipe = report_recipe(f);
	printf("    replay: iommulab replay '%s'\n", recipe);
	free(recipe);
}

static struct json_object *side_json(const struct bisect *b, const struct side *side)
{
	struct json_object *doc = json_object_new_object();
	const struct explore_finding *f = shown(b, side);

	json_object_object_add(doc, "path", json_object_new_string(side->path));
	json_object_object_add(doc, "kernel", json_object_new_string(side->kernel->name));
	json_object_object_add(doc, "runs", json_object_new_int64((int64_t)side->r.runs));
	json_object_object_add(doc, "seconds", cli_json_decimal(side->r.elapsed_us, 1000000));
	json_object_object_add(doc, "stopped", json_object_new_boolean(side->r.stopped));
	json_object_object_add(doc, "played", json_object_new_boolean(side->played));
	json_object_object_add(doc, "finding", f ? report_json(f, b->s) : NULL);
	return doc;
}

static int tell(const struct bisect *b)
{
	static const char *const outcomes[] = {"none", "good", "bad", "both"};
	bool bad = shown(b, &b->side[BAD]), good = shown(b, &b->side[GOOD]);
	const char *outcome = outcomes[2 * bad + good];
	struct json_object *doc;
	int rc = bad && !good ? CLI_OK : CLI_FINDING;

	for (u32 i = SIDES; !b->quiet && i-- > 0;)
		print_side(b, i);
	fprintf(b->quiet ? stderr : stdout, "%s: shown by %s%s\n", b->s->name, outcome,
		rc ? ", expected by bad alone" : "");
	if (!b->c->o.json)
		return rc;
	doc = cli_json_new("bisect");
	json_object_object_add(doc, "scenario", json_object_new_string(b->s->path));
	json_object_object_add(doc, "outcome", json_object_new_string(outcome));
	for (u32 i = 0; i < SIDES; i++)
		json_object_object_add(doc, side_names[i], side_json(b, &b->side[i]));
	return cli_json_write(doc, b->c->o.json) ? CLI_USAGE : rc;
}

static int bisect(struct bisect *b)
{
	int rc = read_file(b);
	u32 n = 0;

	for (; n < SIDES && !rc; n++)
		rc = try_side(b, &b->side[n]);
	if (!rc)
		rc = tell(b);
	for (u32 i = 0; i < n; i++)
		explore_result_free(&b->side[i].r);
	if (b->s)
		scenario_free(b->s);
	return rc;
}

int cli_bisect(struct cli *c)
{
	struct bisect b = {.c = c, .quiet = c->o.json && strcmp(c->o.json, "-") == 0};
	int rc = cli_explore_options(c, &b.o);

	if (!rc && (!c->o.good || !c->o.bad))
		rc = cli_fail("bisect: --%s is missing, expected --good and --bad",
			      c->o.good ? "bad" : "good");
	if (!rc && c->n_args != 1)
		rc = cli_fail("bisect: %d files, expected one scenario, program, recipe or report",
			      c->n_args);
	b.side[GOOD].path = c->o.good;
	b.side[BAD].path = c->o.bad;
	if (!rc)
		rc = cli_kernel_open("--good", c->o.good, &b.side[GOOD].kernel);
	if (!rc)
		rc = cli_kernel_open("--bad", c->o.bad, &b.side[BAD].kernel);
	if (rc)
		return rc;
	b.recipe = calloc(RECIPES_MAX, sizeof(*b.recipe));
	sim_assert(b.recipe);
	rc = bisect(&b);
	free(b.recipe);
	return rc;
}
