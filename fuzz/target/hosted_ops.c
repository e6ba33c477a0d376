// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of system calls and schedules against a hosted tree: the object
 * that IOMMULAB_KERNEL names; or "model", our own core. Any finding aborts, but those
 * whose titles stand in the file that IOMMULAB_KNOWN names; the program is written as
 * syzkaller text beside the engine's artifacts, with the line that replays it.
 */
#include "core/hosted/hosted.h"
#include "fuzz/op/callgen.h"
#include "scenarios/explore/report.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTERS 4096
#define SKIPPED 77

__attribute__((section("__libfuzzer_extra_counters"))) static u8 counters[COUNTERS];

static char prefix[200] = "./";
static const struct kernel *kernel;
static struct explore_known *known;
static struct world *world;
static struct scenario_program sp;
static long rets[SCENARIO_OPS_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char flag[] = "-artifact_prefix=";
	const char *path = host_env("IOMMULAB_KERNEL"), *titles = host_env("IOMMULAB_KNOWN");
	char err[512];

	for (int i = 1; i < *argc; i++)
		if (!strncmp((*argv)[i], flag, sizeof(flag) - 1))
			snprintf(prefix, sizeof(prefix), "%s", (*argv)[i] + sizeof(flag) - 1);
	if (!path) {
		fputs("hosted_ops: skipped, expected IOMMULAB_KERNEL to name what `iommulab kernel "
		      "build --flavour " IOMMULAB_FLAVOUR "` made\n", stderr);
		exit(SKIPPED);
	}
	kernel = kernel_model_named(path);
	if (!kernel)
		kernel = hosted_open(path, err, sizeof(err));
	if (kernel && titles)
		known = explore_known_read(titles, err, sizeof(err));
	if (!kernel || (titles && !known)) {
		fprintf(stderr, "hosted_ops: %s\n", err);
		exit(2);
	}
	return 0;
}

/* The kernel boots once, with the program's data region mapped. */
static void load(const struct scenario *s)
{
	struct world_program program;

	sp.scenario = s;
	sp.kernel = kernel;
	sp.rets = rets;
	scenario_program_init(&program, &sp);
	world = world_create(0);
	world_load(world, &program);
}

static struct scenario *decode(const u8 *data, size_t size)
{
	struct scenario_error err;
	struct scenario *s = scenario_of_calls("fuzz.syz", fuzzop_calls(data, size), false, &err);

	sim_assert(s);
	return s;
}

static void count(u64 a, u64 b)
{
	counters[hash_mix(hash_mix(0x9e37, a), b) % COUNTERS] |= 1;
}

static void count_results(const struct scenario *s, const struct world_run *r)
{
	for (u32 i = 0; i < s->n_ops; i++)
		count((u64)(s->ops[i].call->row - uapi_calls), call_failed(rets[i]) ?
		      (u64)-rets[i] : 0);
	count(1000, bit_highest(r->n_switches + 1));
}

/* The run as a list of switches, which needs no fuzzer's bytes. */
static void make_recipe(struct recipe *recipe, const struct world_run *r, const struct scenario *s)
{
	memset(recipe, 0, sizeof(*recipe));
	snprintf(recipe->build, sizeof(recipe->build), "%s", recipe_build());
	snprintf(recipe->path, sizeof(recipe->path), "%s", s->path);
	recipe->content_hash = s->content_hash;
	snprintf(recipe->policy, sizeof(recipe->policy), "list");
	recipe_points_print(r->points, r->n_points, recipe->arg, sizeof(recipe->arg));
	recipe->seed = r->seed;
	recipe->nth = r->fault_nth;
	recipe->poison = r->poison;
	if (!kernel->path)
		return;
	snprintf(recipe->kernel, sizeof(recipe->kernel), "%s", kernel->path);
	snprintf(recipe->kernel_build, sizeof(recipe->kernel_build), "%s", kernel->build);
}

static void explain(const struct scenario *s, const struct recipe *recipe)
{
	struct explore_replay how = {
		.recipe = recipe, .n = 1, .times = 2, .shrink = true, .kernel = kernel,
	};
	struct explore_result result;

	explore_replay(s, &how, &result);
	if (result.n_findings)
		report_print(stderr, &result.findings[0], s);
	else
		fprintf(stderr, "not found again without the fuzzer: %s\n", result.missed);
	explore_result_free(&result);
}

/* The explorer wants the address slot of our world. */
static void unload(void)
{
	call_run_fini(&sp.calls);
	world_destroy(world);
	world = NULL;
}

/* Made again for its full title: of a race, one side has no name yet. */
static bool is_known(const struct scenario *s, const struct recipe *recipe,
		     const struct finding *f)
{
	struct explore_replay how = {.recipe = recipe, .n = 1, .times = 1, .kernel = kernel};
	struct explore_result result;
	bool yes;

	if (!explore_known_maybe(known, f))
		return false;
	explore_replay(s, &how, &result);
	yes = result.n_findings && explore_known_title(known, result.findings[0].finding.title);
	explore_result_free(&result);
	return yes;
}

static void report(const struct scenario *s, struct recipe *recipe, struct finding *finding)
{
	struct scenario_how how = {0};
	char *text = syz_print(s->program), path[256], err[256];
	struct scenario_error bad;
	struct scenario *back;

	sim_assert(text);
	report_resolve_title(finding, NULL);
	snprintf(path, sizeof(path), "%sfinding-%016llx.syz", prefix,
		 (unsigned long long)scenario_hash(0, text, strlen(text)));
	fprintf(stderr, "finding: %s\n%s", finding->title, text);
	if (host_file_write(path, text, strlen(text), err, sizeof(err)))
		fprintf(stderr, "program: %s\n", path);
	else
		fprintf(stderr, "program: cannot write %s: %s\n", path, err);
	back = scenario_parse_syz(path, text, strlen(text), &how, &bad);
	if (!back)
		sim_fatal("the program's own text %u:%u: %s", bad.line, bad.column, bad.text);
	snprintf(recipe->path, sizeof(recipe->path), "%s", path);
	recipe->content_hash = back->content_hash;
	explain(back, recipe);
}

/* A finding ends the process, unless it is known. */
static void found(const struct scenario *s, const struct world_run *r)
{
	static struct recipe recipe;
	static struct finding finding;

	finding = *r->finding;
	make_recipe(&recipe, r, s);
	unload();
	if (is_known(s, &recipe, &finding))
		return;
	report(s, &recipe, &finding);
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct scenario *s = decode(data, size);
	struct world_run run;

	if (!world) {
		/* Its machine stays the kernel's for good: a scenario of its own. */
		load(decode(data, size));
		call_run_fini(&sp.calls);
	}
	sp.scenario = s;
	call_run_init(&sp.calls, s->program, kernel);
	fuzzop_calls_run(&run, data, size);
	/* An input means the same in a campaign and alone. */
	oracles_forget(world->oracles);
	memset(world_carry(world), 0, offsetof(struct policy_carry, bytes));
	world_run(world, &run);
	if (run.finding) {
		found(s, &run);
	} else {
		count_results(s, &run);
		call_run_fini(&sp.calls);
	}
	scenario_free(s);
	return 0;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
	return fuzzop_mutate(data, size, max, seed);
}
