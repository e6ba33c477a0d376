// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of a hosted tree: programs of ioctls, from the state's reset to the last
 * check. They need an object: --kernel FILE, or IOMMULAB_KERNEL. One is the same
 * program on our own core.
 */
#include "core/hosted/hosted.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"
#include "tools/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kernel_path;

void bench_hosted_kernel(const char *path)
{
	kernel_path = path;
}

static const char *object_path(void)
{
	return kernel_path ? kernel_path : host_env("IOMMULAB_KERNEL");
}

/* A hosted kernel, or our own by its name. */
static const struct kernel *open_path(const char *path, char *why, size_t size)
{
	const struct kernel *ours = kernel_model_named(path);

	return ours ? ours : hosted_open(path, why, size);
}

static void close_kernel(const struct kernel *k)
{
	if (!kernel_model_named(k->name))
		hosted_close(k);
}

int bench_hosted_check(void)
{
	const char *path = object_path();
	const struct kernel *k;
	char why[512];

	if (!path)
		return CLI_OK;
	k = open_path(path, why, sizeof(why));
	if (!k)
		return cli_fail("bench: %s", why);
	close_kernel(k);
	return CLI_OK;
}

const struct kernel *bench_hosted_find(void)
{
	const char *path = object_path();
	char why[512];

	/* One that cannot be opened was told of: bench_hosted_check(). */
	return path && strcmp(path, kernel_model.name) ? hosted_open(path, why, sizeof(why)) : NULL;
}

/* The object's kernel; NULL after a line that says why there are no rows. */
static const struct kernel *kernel_open(struct bench *b, const char *name)
{
	const char *path = object_path();
	const struct kernel *k;
	char why[512];

	if (!path) {
		fprintf(b->rows ? stderr : stdout, "%-34s skipped, expected --kernel FILE\n", name);
		return NULL;
	}
	k = open_path(path, why, sizeof(why));
	if (!k) {
		cli_fail("bench: %s", why);
		b->n_missed++;
	}
	return k;
}

struct loaded {
	struct world *world;
	struct scenario_program program;
	const struct policy *policy;
	const char *policy_arg;
	u64 runs, steps, switches, findings;
};

struct hosted_rows {
	const char *scenario, *plain, *hooked, *all, *reset, *switches;
	const char *policy, *policy_arg; /* NULL: tasks run one after the other */
	double must_plain, must_hooked, must_all; /* 0: nothing was asked for */
	bool own; /* of our own core, which needs no object */
};

static void load(struct loaded *l, const struct scenario *s, const struct kernel *k,
		 const struct hosted_rows *rows, const char *oracles)
{
	struct world_program p;

	memset(l, 0, sizeof(*l));
	l->world = world_create(0);
	l->program = (struct scenario_program){.scenario = s, .kernel = k};
	l->policy = rows->policy ? policy_find(rows->policy, strlen(rows->policy)) : NULL;
	l->policy_arg = rows->policy_arg;
	sim_assert(world_set_oracles(l->world, oracles));
	scenario_program_init(&p, &l->program);
	world_load(l->world, &p);
}

static void unload(struct loaded *l)
{
	world_destroy(l->world);
	scenario_program_fini(&l->program);
}

static void run_seed(struct loaded *l, u64 seed)
{
	struct world_run r = {.seed = seed, .policy = l->policy, .policy_arg = l->policy_arg};

	world_run(l->world, &r);
	l->findings += r.finding != NULL;
	l->steps += r.steps;
	l->switches += r.n_switches;
	l->runs++;
}

static void run(void *arg, u64 n)
{
	while (n--) {
		for (u64 seed = 1; seed <= BENCH_SCHEDULES; seed++)
			run_seed(arg, seed);
	}
}

/* The way back to the snapshot behind a run; microseconds of a clock add up over many. */
static double reset_ns(const struct bench *b, struct loaded *l)
{
	double value[BENCH_SAMPLES_MAX];
	u64 times = b->quick ? 20 : 400;

	for (u32 i = 0; i < BENCH_SAMPLES_MAX; i++) {
		u64 us = 0;

		for (u64 k = 0; k < times; k++) {
			u64 start;

			run_seed(l, 1 + k % BENCH_SCHEDULES);
			start = host_now_us();
			world_reset(l->world);
			us += host_now_us() - start;
		}
		value[i] = (double)us * 1000 / (double)times;
	}
	return bench_median(value, BENCH_SAMPLES_MAX).median;
}

static void speed_row(struct bench *b, struct loaded *l, const char *name, double must)
{
	struct bench_loop ours = {run, l};
	struct bench_sample m[2];

	bench_measure(b, &ours, NULL, m);
	if (l->findings)
		cli_fail("bench: %s: %llu findings", name, (unsigned long long)l->findings);
	b->n_missed += l->findings != 0;
	bench_add(b, &(struct bench_row){.name = name, .unit = "runs/s",
					 .value = 1e9 * BENCH_SCHEDULES / m[0].median,
					 .spread = m[0].spread,
					 .kind = must > 0 ? BENCH_AT_LEAST : BENCH_FREE,
					 .limit = must});
}

static void measure(struct bench *b, const struct hosted_rows *rows)
{
	const struct kernel *k = rows->own ? &kernel_model : kernel_open(b, rows->scenario);
	struct scenario_error err;
	struct scenario *s;
	char path[HOST_PATH_MAX];
	struct loaded l;

	if (!k)
		return;
	scenario_find(rows->scenario, "", path, sizeof(path));
	s = scenario_read(path, &err);
	if (!s) {
		b->scenarios_missing = rows->scenario;
		return;
	}
	load(&l, s, k, rows, "none");
	speed_row(b, &l, IOMMULAB_HOOKS ? rows->hooked : rows->plain,
		  IOMMULAB_HOOKS ? rows->must_hooked : rows->must_plain);
	if (rows->switches)
		bench_add(b, &(struct bench_row){.name = rows->switches, .unit = "a run",
						 .value = (double)l.switches / (double)l.runs});
	if (rows->reset)
		bench_add(b, &(struct bench_row){.name = rows->reset, .unit = "us",
						 .kind = rows->own ? BENCH_FREE : BENCH_AT_MOST,
						 .limit = 5,
						 .value = reset_ns(b, &l) / 1000});
	unload(&l);
	if (IOMMULAB_HOOKS) {
		load(&l, s, k, rows, "all");
		speed_row(b, &l, rows->all, rows->must_all);
		unload(&l);
	}
	scenario_free(s);
}

static void bench_20(struct bench *b)
{
	static const struct hosted_rows rows = {
		.scenario = "ioctl-20", .plain = "hosted, 20 ioctls, plain",
		.hooked = "hosted, 20 ioctls, no oracles", .all = "hosted, 20 ioctls, all oracles",
		.reset = "hosted, 20 ioctls, reset", .must_plain = 45000, .must_hooked = 15000,
		.must_all = 8000};

	measure(b, &rows);
}

/* The same program on our own core: faster than the tree's, in any build. */
static void bench_model_20(struct bench *b)
{
	static const struct hosted_rows rows = {
		.scenario = "ioctl-20", .own = true, .plain = "own core, 20 ioctls, plain",
		.hooked = "own core, 20 ioctls, no oracles",
		.all = "own core, 20 ioctls, all oracles", .reset = "own core, 20 ioctls, reset",
		.must_plain = 120000, .must_all = 20000};

	measure(b, &rows);
}

/*
 * What was asked for is the speed of a random walk that chooses each 100 operations on the
 * average, whatever they touch. `rw:100` chooses more often where memory is shared, and has to
 * know where; what `run` does unasked, policy mix, chooses several times as often.
 */
static void bench_3x10(struct bench *b)
{
	static const struct hosted_rows even = {
		.scenario = "ioctl-3x10", .policy = "rw", .policy_arg = "100,0",
		.plain = "hosted, 3x10, rw:100,0, plain",
		.hooked = "hosted, 3x10, rw:100,0, no oracles",
		.all = "hosted, 3x10, rw:100,0, all oracles",
		.switches = "hosted, 3x10, rw:100,0, switches",
		.reset = "hosted, 3x10 ioctls, reset", .must_plain = 15000, .must_hooked = 15000,
		.must_all = 8000};
	static const struct hosted_rows walk = {
		.scenario = "ioctl-3x10", .policy = "rw", .policy_arg = "100",
		.plain = "hosted, 3x10, rw:100, plain",
		.hooked = "hosted, 3x10, rw:100, no oracles",
		.all = "hosted, 3x10, rw:100, all oracles",
		.switches = "hosted, 3x10, rw:100, switches"};
	static const struct hosted_rows mix = {
		.scenario = "ioctl-3x10", .policy = "mix",
		.plain = "hosted, 3x10, mix, plain", .hooked = "hosted, 3x10, mix, no oracles",
		.all = "hosted, 3x10, mix, all oracles",
		.switches = "hosted, 3x10, mix, switches"};

	measure(b, &even);
	measure(b, &walk);
	measure(b, &mix);
}

const struct bench_entry bench_hosted_entries[] = {
	{"model-20", "runs per second of 20 ioctls on our own core", false, bench_model_20},
	{"hosted-20", "runs per second of 20 ioctls on a hosted tree", false, bench_20},
	{"hosted-3x10", "the same of three tasks of 10 ioctls, policies rw:100,0, rw:100 and mix", false, bench_3x10},
	{NULL, NULL, false, NULL},
};
