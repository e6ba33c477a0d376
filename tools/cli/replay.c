// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab replay and shrink: from a recipe, or a report that ends with one.
 */
#include "core/hosted/hosted.h"
#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "sim/trace/trace.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_MAX (8UL << 20)
#define MAGIC "iommulab1:"

/* --- the argument --- */

static bool starts_recipe(const char *text)
{
	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	return strncmp(text, MAGIC, strlen(MAGIC)) == 0;
}

static void add_text(struct cli_recipes *to, char *text)
{
	if (!text)
		return;
	to->text = realloc(to->text, (to->n + 1) * sizeof(*to->text));
	sim_assert(to->text);
	to->text[to->n++] = text;
}

/* The string member "recipe" of one result. */
static void add_result(struct cli_recipes *to, struct json_object *doc)
{
	struct json_object *recipe;

	if (json_object_object_get_ex(doc, "recipe", &recipe) &&
	    json_object_is_type(recipe, json_type_string))
		add_text(to, strdup(json_object_get_string(recipe)));
}

/* That of a JSON report, or those of its results: what `run` says of several files. */
static void add_json(struct cli_recipes *to, const char *text)
{
	struct json_object *doc = json_tokener_parse(text), *results;
	bool many = doc && json_object_object_get_ex(doc, "results", &results) &&
		    json_object_is_type(results, json_type_array);

	for (size_t i = 0; many && i < json_object_array_length(results); i++)
		add_result(to, json_object_array_get_idx(results, i));
	if (!many)
		add_result(to, doc);
	json_object_put(doc);
}

/* What stands in quotes behind the last "replay: iommulab replay" of a text report. */
static char *recipe_of_text(const char *text)
{
	static const char mark[] = "iommulab replay '" MAGIC;
	const char *at = NULL, *end;

	for (const char *p = text; (p = strstr(p, mark)); p++)
		at = p + sizeof(mark) - sizeof(MAGIC);
	if (!at)
		return NULL;
	end = strchr(at, '\'');
	return end ? strndup(at, (size_t)(end - at)) : NULL;
}

void cli_recipes_free(struct cli_recipes *t)
{
	for (u32 i = 0; i < t->n; i++)
		free(t->text[i]);
	free(t->text);
	*t = (struct cli_recipes){0};
}

int cli_find_recipes(const char *arg, struct cli_recipes *to)
{
	char err[160], *text;
	size_t size, blanks;

	*to = (struct cli_recipes){0};
	if (starts_recipe(arg)) {
		add_text(to, strdup(arg));
		return CLI_OK;
	}
	if (strcmp(arg, "-") != 0 && !strchr(arg, '/') && !host_file_exists(arg) &&
	    strchr(arg, ':'))
		return cli_fail("'%.60s': no recipe and no file, expected " MAGIC "... or a report",
				arg);
	if (!host_file_read(arg, REPORT_MAX, &text, &size, err, sizeof(err)))
		return cli_fail("%s: %s", arg, err);
	blanks = strspn(text, " \t\r\n");
	if (starts_recipe(text))
		add_text(to, strdup(text));
	else if (text[blanks] == '{')
		add_json(to, text);
	else
		add_text(to, recipe_of_text(text));
	free(text);
	return to->n ? CLI_OK : cli_fail("%s: no replay line, expected a whole report or a recipe",
					 strcmp(arg, "-") == 0 ? "standard input" : arg);
}

static bool same_campaign(const struct recipe *r, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		if (strcmp(r[i].path, r[0].path) != 0 || r[i].content_hash != r[0].content_hash ||
		    memcmp(&r[i].bugs, &r[0].bugs, sizeof(r->bugs)) != 0 ||
		    strcmp(r[i].oracles, r[0].oracles) != 0 ||
		    r[i].threads_all != r[0].threads_all)
			return false;
	}
	return true;
}

static bool policies_take(const struct recipe *r, u32 n)
{
	static char text[WORLD_ARG_MAX + 40];
	char err[256];

	for (u32 i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s:%s", r[i].policy, r[i].arg);
		if (!explore_policy_check(text, err, sizeof(err))) {
			cli_fail("recipe: %s", err);
			return false;
		}
	}
	return true;
}

static bool check_build(const struct recipe *r, bool force)
{
	const char *ours = recipe_build();

	if (strncmp(r->build, ours, strlen(r->build)) == 0)
		return true;
	if (force) {
		fprintf(stderr, "iommulab: recipe of build %s replayed on %.8s as asked\n", r->build,
			ours);
		return true;
	}
	cli_fail("recipe of build %s, expected %.8s: it may mean another run here (--force plays it)",
		 r->build, ours);
	return false;
}

static struct scenario *read_scenario(const struct recipe *r, bool force)
{
	struct scenario *s = cli_read_scenario(r->path, (struct scenario_how){
		.threads_all = r->threads_all});

	if (!s)
		return NULL;
	if ((u32)s->content_hash == (u32)r->content_hash)
		return s;
	if (force) {
		fprintf(stderr, "iommulab: %s has changed since the recipe, replayed as asked\n",
			r->path);
		return s;
	}
	cli_fail("%s has changed since the recipe: content %08x, expected %08x (--force plays it)",
		 r->path, (u32)s->content_hash, (u32)r->content_hash);
	scenario_free(s);
	return NULL;
}

u32 cli_read_recipe(const char *text, bool force, struct recipe *r, struct scenario **s)
{
	char err[512];
	u32 n = recipe_parse_all(text, strlen(text), r, err, sizeof(err));

	if (!n) {
		cli_fail("recipe: %s", err);
		return 0;
	}
	if (!same_campaign(r, n)) {
		cli_fail("recipe: joined recipes differ in scenario, bugs, oracles or threads, expected the same");
		return 0;
	}
	if (!policies_take(r, n) || !check_build(r, force))
		return 0;
	*s = read_scenario(r, force);
	return *s ? n : 0;
}

/* --- output --- */

static const char *outcome_of(const struct scenario *s, const struct explore_result *r)
{
	if (!r->n_findings)
		return s->expect_finding ? "missed" : "clean";
	if (!s->expect_finding)
		return "finding";
	return !s->expect_title || strstr(r->findings[0].finding.title, s->expect_title) ?
	       "expected-finding" : "finding";
}

static struct json_object *to_json(const struct cli *c, const struct scenario *s,
				   const struct explore_result *r, const char *recipe)
{
	struct json_object *doc = cli_json_new(c->command->name);
	char hash[24];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)r->hash);
	json_object_object_add(doc, "scenario", json_object_new_string(s->path));
	json_object_object_add(doc, "outcome", json_object_new_string(outcome_of(s, r)));
	json_object_object_add(doc, "runs", json_object_new_int64((int64_t)r->runs));
	json_object_object_add(doc, "same", json_object_new_int64(r->same));
	json_object_object_add(doc, "seconds",
			       cli_json_decimal(r->elapsed_us, 1000000));
	if (r->n_findings) {
		cli_json_add_finding(doc, &r->findings[0], s);
	} else {
		json_object_object_add(doc, "title", NULL);
		json_object_object_add(doc, "oracle", NULL);
		json_object_object_add(doc, "sites", json_object_new_array());
		json_object_object_add(doc, "recipe", json_object_new_string(recipe));
		json_object_object_add(doc, "trace_hash", json_object_new_string(hash));
	}
	return doc;
}

static int show(const struct cli *c, const struct scenario *s, const struct explore_result *r)
{
	bool quiet = c->o.json && strcmp(c->o.json, "-") == 0;
	int rc = CLI_OK;

	if (r->missed[0])
		fprintf(stderr, "iommulab: %s\n", r->missed);
	if (!quiet && r->n_findings)
		report_print(stdout, &r->findings[0], s);
	else if (!quiet)
		printf("%s: %s, no finding, hash %016llx\n", s->name, outcome_of(s, r),
		       (unsigned long long)r->hash);
	if (!quiet && r->runs > 1)
		printf("%u of %llu replays identical, hash %016llx\n", r->same,
		       (unsigned long long)r->runs, (unsigned long long)r->hash);
	if (c->o.out && r->n_findings)
		rc = cli_publish(&r->findings[0], s, c->o.out);
	if (rc)
		return rc;
	if (r->same != r->runs)
		return CLI_FINDING;
	return strcmp(outcome_of(s, r), "clean") == 0 ||
	       strcmp(outcome_of(s, r), "expected-finding") == 0 ? CLI_OK : CLI_FINDING;
}

static int play(struct cli *c, struct explore_replay *how, const struct scenario *s,
		struct json_object **doc)
{
	static char text[RECIPES_MAX * RECIPE_TEXT_MAX];
	struct explore_result r;
	bool to_stdout = c->o.trace && strcmp(c->o.trace, "-") == 0;
	int rc;

	text[0] = '\0';
	for (u32 i = 0; i < how->n; i++) {
		size_t at = strlen(text);

		if (i)
			strcpy(text + at, " + ");
		recipe_print(&how->recipe[i], text + strlen(text), RECIPE_TEXT_MAX);
	}
	if (c->o.trace) {
		how->trace = to_stdout ? stdout : fopen(c->o.trace, "w");
		if (!how->trace)
			return cli_fail("--trace: %s cannot be written", c->o.trace);
	}
	explore_replay(s, how, &r);
	rc = show(c, s, &r);
	if (c->o.json)
		*doc = to_json(c, s, &r, text);
	explore_result_free(&r);
	if (how->trace && !to_stdout && fclose(how->trace))
		return cli_fail("--trace: %s cannot be written", c->o.trace);
	return rc;
}

/* --- gdb --- */

/*
 * The same command in gdb, with a breakpoint where findings are reported. A
 * hosted kernel is placed by us, so gdb is told where: functions and lines of
 * the tree are in its backtrace, and its text, where the tree is known. Our own
 * text is beside a program that was not installed.
 */
static int in_gdb(struct cli *c, const char *recipe, const struct kernel *kernel)
{
	char symbols[HOST_PATH_MAX + 64] = "echo", sources[HOST_PATH_MAX + 64] = "echo";
	char own[HOST_PATH_MAX + 64] = "echo", name[HOST_PATH_MAX + 16], root[HOST_PATH_MAX];
	const char *tree = c->o.tree ? c->o.tree : kernel->path;
	char *const argv[] = {
		"gdb", "-q", "-ex", "set confirm off", "-ex", "set breakpoint pending on",
		"-ex", symbols, "-ex", own, "-ex", sources, "-ex", "break oracle_report",
		"-ex", "handle SIGSEGV stop print", "-ex", "run", "-ex", "backtrace", "--args",
		(char *)host_program_path(), "replay", "--force", (char *)(uintptr_t)recipe,
		c->o.kernel ? name : NULL, NULL,
	};

	if (kernel->path && !kernel_model_named(kernel->name))
		snprintf(symbols, sizeof(symbols), "add-symbol-file \"%s\" -o 0x%llx",
			 hosted_file(kernel), (unsigned long long)hosted_address());
	if (tree && host_is_folder(tree))
		snprintf(sources, sizeof(sources), "directory \"%s\"", tree);
	if (cli_hosted_root(root))
		snprintf(own, sizeof(own), "directory \"%s\"", root);
	snprintf(name, sizeof(name), "--kernel=%s", c->o.kernel ? c->o.kernel : "");

	host_exec("gdb", argv);
	return cli_fail("gdb cannot be started, expected it to be installed: "
			"sudo apt-get install gdb");
}

/* The kernel of a recipe, unless --kernel names another. */
static int recipe_kernel(const struct cli *c, const struct recipe *r, const struct kernel **kernel)
{
	if (!r->kernel[0] || c->o.kernel)
		return CLI_OK;
	if (cli_kernel_open(c->command->name, r->kernel, kernel))
		return CLI_USAGE;
	if (strcmp((*kernel)->build, r->kernel_build) == 0 || c->o.force)
		return CLI_OK;
	return cli_fail("%s: the recipe is of build %s of %s, which is now %s; --force plays it all "
			"the same", c->command->name, r->kernel_build, r->kernel, (*kernel)->build);
}

/* One recipe's text; doc: what is to be said of it in JSON. */
static int replay_one(struct cli *c, const char *text, struct explore_replay *how,
		      struct json_object **doc)
{
	struct recipe *r = calloc(RECIPES_MAX, sizeof(*r));
	struct explore_replay one = *how;
	struct scenario *s = NULL;
	char why[512];
	int rc;

	sim_assert(r);
	one.recipe = r;
	one.n = cli_read_recipe(text, c->o.force, r, &s);
	rc = one.n ? recipe_kernel(c, r, &one.kernel) : CLI_USAGE;
	if (!rc && !explore_story_check(s, &r->bugs, one.kernel, why, sizeof(why)))
		rc = cli_fail("%s", why);
	if (!rc)
		rc = c->o.gdb ? in_gdb(c, text, one.kernel) : play(c, &one, s, doc);
	if (s)
		scenario_free(s);
	free(r);
	return rc;
}

/* All of what a report names, in its order; the worst that any gave. */
static int replay_each(struct cli *c, const struct cli_recipes *t, struct explore_replay *how)
{
	struct json_object *all = NULL, *doc = NULL;
	int worst = CLI_OK;

	if (t->n > 1 && c->o.json)
		all = json_object_new_array();
	for (u32 i = 0; i < t->n && worst != CLI_USAGE && !host_stop_asked(); i++) {
		doc = NULL;
		worst = max(worst, replay_one(c, t->text[i], how, &doc));
		if (all && doc)
			json_object_array_add(all, doc);
	}
	if (all) {
		doc = cli_json_new(c->command->name);
		json_object_object_add(doc, "results", all);
	}
	return doc ? max(worst, cli_json_write(doc, c->o.json)) : worst;
}

static int replay_with(struct cli *c, bool shrink)
{
	struct explore_replay how = {.shrink = shrink};
	struct cli_recipes t;
	u64 times;
	int rc = cli_check_world(c, &how.kernel);

	if (rc)
		return rc;
	if (c->n_args != 1)
		return cli_fail("%s: %d arguments, expected one RECIPE or REPORT", c->command->name,
				c->n_args);
	if (!cli_number("times", c->o.times, 1, 1000000, 1, &times))
		return CLI_USAGE;
	if (c->o.tree && !host_is_folder(c->o.tree))
		return cli_fail("--tree: %s is no folder", c->o.tree);
	rc = cli_find_recipes(c->args[0], &t);
	how.times = shrink ? 1 : (u32)times;
	if (!rc && t.n > 1 && (c->o.gdb || c->o.trace))
		rc = cli_fail("%s: %u recipes in %s, --gdb and --trace expect one", c->command->name,
			      t.n, c->args[0]);
	if (!rc)
		rc = replay_each(c, &t, &how);
	cli_recipes_free(&t);
	return rc;
}

int cli_replay(struct cli *c)
{
	return replay_with(c, false);
}

int cli_shrink(struct cli *c)
{
	return replay_with(c, true);
}
