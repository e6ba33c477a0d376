// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the core and of whole campaigns: a story's runs per second, resets,
 * replays of the historic bugs, memory.
 */
#include "scenarios/explore/explore.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "tools/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct scenario *story(struct bench *b, const char *name)
{
	struct scenario_error err;
	char path[HOST_PATH_MAX];
	struct scenario *s = NULL;

	if (scenario_find(name, "", path, sizeof(path)))
		s = scenario_read(path, &err);
	if (!s)
		b->scenarios_missing = name;
	return s;
}

/* --- the story --- */

struct told {
	struct world *world;
	struct scenario_program program;
	const struct policy *policy;
	u64 runs, steps, findings;
};

static void told_load(struct told *t, u32 slot, const struct scenario *s, const char *oracles)
{
	struct world_program p;

	t->world = world_create(slot);
	t->program = (struct scenario_program){.scenario = s, .kernel = &kernel_model};
	t->policy = policy_find("mix", 3);
	sim_assert(world_set_oracles(t->world, oracles));
	world_set_bugs(t->world, &s->bugs);
	scenario_program_init(&p, &t->program);
	world_load(t->world, &p);
}

static void told_seed(struct told *t, u64 seed)
{
	struct world_run r = {.seed = seed, .policy = t->policy};

	world_run(t->world, &r);
	t->findings += r.finding != NULL;
	t->steps += r.steps;
	t->runs++;
}

static void told_run(void *arg, u64 n)
{
	while (n--) {
		for (u64 seed = 1; seed <= BENCH_SCHEDULES; seed++)
			told_seed(arg, seed);
	}
}

static void bench_story(struct bench *b)
{
	struct scenario *s = story(b, "core-3x10");
	struct told all = {.runs = 0}, none = {.runs = 0};
	struct bench_loop ours = {told_run, &all}, base = {told_run, &none};
	struct bench_sample m[2];

	if (!s)
		return;
	told_load(&all, 0, s, "all");
	told_load(&none, 1, s, "none");
	bench_measure(b, &ours, &base, m);
	sim_assert(!all.findings);
	bench_add(b, &(struct bench_row){
			     .name = "core-3x10, all oracles", .unit = "runs/s",
			     .against = "no oracles; ratio: times slower",
			     .value = 1e9 * BENCH_SCHEDULES / m[0].median, .spread = m[0].spread,
			     .baseline = 1e9 * BENCH_SCHEDULES / m[1].median,
			     .ratio = m[0].median / m[1].median, .kind = BENCH_AT_LEAST,
			     .limit = 30000});
	bench_add(b, &(struct bench_row){.name = "core-3x10, operations of a run",
					 .unit = "operations",
					 .value = (double)all.steps / (double)all.runs});
	world_destroy(all.world);
	world_destroy(none.world);
	scenario_free(s);
}

/* --- resets --- */

#define RESET_OPS 50

/* A scenario of RESET_OPS operations in two tasks. */
static struct scenario *fifty_ops(void)
{
	static const char head[] =
		"machine:\n"
		"  iommus: {smmu0: {model: mock}}\n"
		"  buses: {pci0: {kind: pci, iommu: smmu0}}\n"
		"  devices:\n"
		"    nic0: {bus: pci0, bdf: \"00:01.0\", driver: demo-nic}\n"
		"    nic1: {bus: pci0, bdf: \"00:02.0\", driver: demo-nic}\n"
		"tasks:\n";
	struct scenario_error err;
	struct scenario *s;
	char text[4096];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s", head);

	for (int task = 0; task < 2; task++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "  t%d:\n    - {register_iommu: smmu0}\n", task);
		for (int i = 1; i < RESET_OPS / 2; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "    - {%s: nic%d}\n",
					       i & 1 ? "probe" : "unbind", task);
	}
	s = scenario_parse("fifty", text, at, &err);
	sim_assert(s);
	return s;
}

static u64 cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* The median of each sample's resets after a run, in nanoseconds. */
static struct bench_sample resets_after_runs(const struct bench *b, struct told *t)
{
	double sample[BENCH_SAMPLES], ns = 1 / bench_ticks_per_ns();
	u32 runs = b->quick ? 50 : 1000;

	for (u32 i = 0; i < BENCH_SAMPLES; i++) {
		u64 sum = 0;

		for (u32 k = 0; k < runs; k++) {
			u64 start;

			told_seed(t, 1 + k % BENCH_SCHEDULES);
			start = cycles();
			world_reset(t->world);
			sum += cycles() - start;
		}
		sample[i] = (double)sum * ns / runs;
	}
	return bench_median(sample, BENCH_SAMPLES);
}

static void fork_run(void *arg, u64 n)
{
	(void)arg;
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		sim_assert(pid > 0 && waitpid(pid, NULL, 0) == pid);
	}
}

static void untouched_run(void *arg, u64 n)
{
	while (n--)
		world_reset(((struct told *)arg)->world);
}

static void bench_resets(struct bench *b)
{
	struct scenario *s = fifty_ops();
	struct told t = {.runs = 0};
	struct bench_loop untouched = {untouched_run, &t}, forks = {fork_run, NULL};
	struct bench_sample m[2], after;

	told_load(&t, 0, s, "all");
	after = resets_after_runs(b, &t);
	bench_measure(b, &untouched, &forks, m);
	bench_add(b, &(struct bench_row){.name = "world reset after 50 operations", .unit = "ns",
					 .against = "fork, exit, wait", .value = after.median,
					 .spread = after.spread, .baseline = m[1].median,
					 .kind = BENCH_AT_MOST, .limit = 3000});
	bench_add(b, &(struct bench_row){.name = "world reset, untouched", .unit = "ns",
					 .against = "fork, exit, wait", .value = m[0].median,
					 .spread = m[0].spread, .baseline = m[1].median,
					 .kind = BENCH_AT_MOST, .limit = 200});
	world_destroy(t.world);
	scenario_free(s);
}

/* --- findings --- */

struct findings {
	struct bench *b;
	u32 witnesses, found, deep;
	u64 replays, same;
	double shrink_ms[64];
	u32 switches[64];
};

static void hunt_one(void *arg, const char *path)
{
	struct findings *f = arg;
	struct scenario_error err;
	struct scenario *s;
	struct explore_options o = {.seed = 1, .kernel = &kernel_model, .jobs = 1};
	struct explore_result r;

	if (f->witnesses == ARRAY_SIZE(f->shrink_ms) || (f->b->quick && f->witnesses == 2))
		return;
	s = scenario_read(path, &err);
	if (!s)
		return;
	f->witnesses++;
	explore_run(s, &o, &r);
	if (r.n_findings) {
		const struct explore_finding *x = &r.findings[0];

		f->replays += x->replays;
		f->same += x->replays_same;
		f->shrink_ms[f->found] = (double)x->shrink_us / 1000;
		f->switches[f->found++] = x->switches;
	}
	explore_result_free(&r);
	scenario_free(s);
}

static void bench_findings(struct bench *b)
{
	struct findings *f = calloc(1, sizeof(*f));
	double most = 0;
	u32 switches = 0;

	sim_assert(f);
	f->b = b;
	scenario_each("historic", hunt_one, f);
	if (!f->witnesses)
		b->scenarios_missing = "historic";
	for (u32 i = 0; i < f->found; i++) {
		most = max(most, f->shrink_ms[i]);
		switches = max(switches, f->switches[i]);
	}
	bench_add(b, &(struct bench_row){.name = "historic bugs found", .unit = "witnesses",
					 .against = "all witnesses", .value = f->found,
					 .baseline = f->witnesses, .kind = BENCH_AT_LEAST,
					 .limit = f->witnesses});
	bench_add(b, &(struct bench_row){.name = "replays with the same hash", .unit = "of 100",
					 .value = f->replays ? 100.0 * (double)f->same /
								       (double)f->replays : 0,
					 .kind = BENCH_AT_LEAST, .limit = 100});
	bench_add(b, &(struct bench_row){.name = "shrinking, the longest", .unit = "ms",
					 .value = most, .kind = BENCH_AT_MOST, .limit = 1000});
	bench_add(b, &(struct bench_row){.name = "switches after shrinking, most",
					 .unit = "switches", .value = switches,
					 .kind = BENCH_AT_MOST, .limit = 3});
	free(f);
}

/* --- memory --- */

static u64 peak_kib(void)
{
	char *text, err[128], *line;
	size_t size;
	u64 kib = 0;

	if (!host_file_read("/proc/self/status", 65536, &text, &size, err, sizeof(err)))
		return 0;
	line = strstr(text, "VmHWM:");
	if (line)
		kib = strtoull(line + 6, NULL, 10);
	free(text);
	return kib;
}

int bench_memory_child(void)
{
	struct bench none = {.quick = true};
	struct scenario *s = story(&none, "demo");
	struct explore_options o = {.seed = 1, .kernel = &kernel_model, .jobs = 1};
	struct explore_result r;

	if (!s)
		return cli_fail("bench: scenario 'demo' not found");
	explore_run(s, &o, &r);
	printf("%llu\n", (unsigned long long)peak_kib());
	explore_result_free(&r);
	scenario_free(s);
	return CLI_OK;
}

/* A process of its own: the peak of this one says nothing of the demo. */
static u64 demo_kib(void)
{
	char *argv[] = {"iommulab", "bench", "--memory-of-demo", NULL};
	char text[32] = "";
	int fd[2], status;
	pid_t pid;

	sim_assert(!pipe(fd));
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		host_exec(host_program_path(), argv);
		_exit(CLI_USAGE);
	}
	close(fd[1]);
	if (read(fd[0], text, sizeof(text) - 1) < 1)
		text[0] = '\0';
	close(fd[0]);
	sim_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	return strtoull(text, NULL, 10);
}

static void bench_memory(struct bench *b)
{
	u64 kib = demo_kib();

	if (!kib)
		b->scenarios_missing = "demo";
	bench_add(b, &(struct bench_row){.name = "resident memory of the demo, peak", .unit = "MiB",
					 .value = (double)kib / 1024, .kind = BENCH_AT_MOST,
					 .limit = 64});
}

const struct bench_entry bench_core_entries[] = {
	{"memory", "resident memory of the demo", false, bench_memory},
	{"story", "runs per second of core-3x10 with all oracles", true, bench_story},
	{"resets", "a world's reset", false, bench_resets},
	{"findings", "historic bugs: found, replayed, shrunk", true, bench_findings},
	{NULL, NULL, false, NULL},
};
