// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is said about a finding: its title as the kernel prints it, the program
 * as a scenario file, and how to have it again without the fuzzer.
 */
#include "fuzz/op/fuzzop_priv.h"

#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <string.h>

/* The run as a list of switches: it needs no fuzzer's bytes. */
static void make_recipe(struct recipe *recipe, const struct fuzzop *p, const char *path, u64 hash)
{
	const struct world_run *r = &p->run;

	memset(recipe, 0, sizeof(*recipe));
	snprintf(recipe->build, sizeof(recipe->build), "%s", recipe_build());
	snprintf(recipe->path, sizeof(recipe->path), "%s", path);
	recipe->content_hash = hash;
	snprintf(recipe->policy, sizeof(recipe->policy), "list");
	recipe_points_print(r->points, r->n_points, recipe->arg, sizeof(recipe->arg));
	recipe->seed = r->seed;
	recipe->nth = r->fault_nth;
	recipe->poison = r->poison;
}

/*
 * What the scenario expects: of a race's title only the kind, since which side
 * comes second changes with the schedule.
 */
static void cut_title(char *title)
{
	char *in = strstr(title, " in ");

	if (in && strstr(in, " / "))
		*in = '\0';
}

/* The file's own reader has to agree that it is one. */
static struct scenario *read_back(const char *path, const char *yaml)
{
	struct scenario_error err;
	struct scenario *s = scenario_parse(path, yaml, strlen(yaml), &err);

	if (!s)
		sim_fatal("exported scenario %u:%u: %s\n%s", err.line, err.column, err.text, yaml);
	return s;
}

static bool play(const struct scenario *s, const struct recipe *recipe,
		 struct explore_result *result)
{
	struct explore_replay how = {
		.recipe = recipe, .n = 1, .times = 2, .shrink = true, .kernel = &kernel_model,
	};

	explore_replay(s, &how, result);
	return result->n_findings;
}

/*
 * Plays the recipe, as a user will, shrinks it, and prints the full report. An
 * injected failure that is not needed goes first: a scenario file has none.
 */
static void explain(const struct scenario *s, struct recipe *recipe)
{
	u64 nth = recipe->nth;
	struct explore_result result;
	bool found;

	recipe->nth = 0;
	found = play(s, recipe, &result);
	if (!found && nth) {
		explore_result_free(&result);
		recipe->nth = nth;
		found = play(s, recipe, &result);
	}
	if (found)
		report_print(stderr, &result.findings[0], s);
	else
		fprintf(stderr, "not found again without the fuzzer: %s\n", result.missed);
	explore_result_free(&result);
}

static void write_scenario(const char *path, const char *yaml)
{
	char err[256];

	if (host_file_write(path, yaml, strlen(yaml), err, sizeof(err)))
		fprintf(stderr, "scenario: %s\n", path);
	else
		fprintf(stderr, "scenario: cannot write %s: %s\n", path, err);
}

void fuzzop_report(struct fuzzop_runner *runner, const char *prefix)
{
	static char yaml[FUZZOP_YAML_MAX];
	static struct recipe recipe;
	static struct finding finding;
	const struct fuzzop *p = fuzzop_program(runner);
	struct scenario *s;
	char path[256];

	finding = *p->run.finding;
	report_resolve_title(&finding, NULL);
	cut_title(finding.title);
	if (!fuzzop_print(p, finding.title, yaml, sizeof(yaml)))
		sim_fatal("the scenario is longer than %d bytes", FUZZOP_YAML_MAX);
	snprintf(path, sizeof(path), "%sfinding-%016llx.yaml", prefix,
		 (unsigned long long)scenario_hash(0, yaml, strlen(yaml)));
	s = read_back(path, yaml);
	make_recipe(&recipe, p, path, s->content_hash);
	fprintf(stderr, "finding: %s\n%s", finding.title, yaml);
	write_scenario(path, yaml);
	/* The explorer wants the address slot of the runner's world. */
	fuzzop_runner_stop(runner);
	explain(s, &recipe);
	scenario_free(s);
}
