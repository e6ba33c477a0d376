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
	snprintf(recipe->build, sizeof(recipe->build), "%s", trace_build_id());
	snprintf(recipe->path, sizeof(recipe->path), "%s", path);
	recipe->content_hash = hash;
	snprintf(recipe->policy, sizeof(recipe->policy), "list");
	recipe_points_print(r->points, r->n_points, recipe->arg, sizeof(recipe->arg));
	recipe->seed = r->seed;
	recipe->nth = r->fault_nth;
	recipe->poison = r->poison;
}

/* The file's own reader has to agree that it is one. */
static u64 hash_of(const char *path, const char *yaml)
{
	struct scenario_error err;
	struct scenario *s = scenario_parse(path, yaml, strlen(yaml), &err);
	u64 hash;

	if (!s)
		sim_fatal("exported scenario %u:%u: %s\n%s", err.line, err.column, err.text, yaml);
	hash = s->content_hash;
	scenario_free(s);
	return hash;
}

void fuzzop_report(const struct fuzzop_runner *runner, const char *prefix)
{
	static char yaml[FUZZOP_YAML_MAX], line[RECIPE_TEXT_MAX];
	static struct recipe recipe;
	static struct finding finding;
	const struct fuzzop *p = fuzzop_program(runner);
	char path[256], err[256];
	u64 hash;

	finding = *p->run.finding;
	report_resolve_title(&finding, NULL);
	if (!fuzzop_print(p, finding.title, yaml, sizeof(yaml)))
		sim_fatal("the scenario is longer than %d bytes", FUZZOP_YAML_MAX);
	hash = hash_of("fuzz.yaml", yaml);
	snprintf(path, sizeof(path), "%sfinding-%016llx.yaml", prefix, (unsigned long long)hash);
	make_recipe(&recipe, p, path, hash);
	recipe_print(&recipe, line, sizeof(line));
	fprintf(stderr, "finding: %s\n%s\n%s", finding.title, finding.text, yaml);
	if (host_file_write(path, yaml, strlen(yaml), err, sizeof(err)))
		fprintf(stderr, "scenario: %s\n", path);
	else
		fprintf(stderr, "scenario: cannot write %s: %s\n", path, err);
	fprintf(stderr, "find again: iommulab run --policy 'list:%s' --seed %llu --runs 1 %s\n",
		recipe.arg, (unsigned long long)recipe.seed, path);
	fprintf(stderr, "replay: iommulab replay '%s'\n", line);
}
