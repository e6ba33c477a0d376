// SPDX-License-Identifier: GPL-2.0-only
#include "tools/bench/boot.h"

#include "sim/base/assert.h"
#include "sim/host/host.h"

#include <string.h>

static void boot(struct world *w, void *self)
{
	struct bench_boot *b = self;

	b->inner.boot(w, b->inner.self);
}

static void task(void *arg)
{
	struct bench_boot *b = arg;

	b->task(b->arg);
}

static void start(struct world *w, void *self)
{
	sched_spawn(w->sched, "bench", task, self, 0);
}

bool bench_boot_up(struct bench *b, struct bench_boot *to, const struct kernel *k, u32 slot,
		   const char *name)
{
	struct world_program p = {.boot = boot, .start = start, .self = to};
	struct scenario_error err;
	char path[HOST_PATH_MAX];

	memset(to, 0, sizeof(*to));
	scenario_find(name, "", path, sizeof(path));
	to->scenario = scenario_read(path, &err);
	if (!to->scenario) {
		b->scenarios_missing = name;
		return false;
	}
	to->kernel = k;
	to->world = world_create(slot);
	to->program = (struct scenario_program){.scenario = to->scenario, .kernel = k};
	sim_assert(world_set_oracles(to->world, "none"));
	scenario_program_init(&to->inner, &to->program);
	world_load(to->world, &p);
	return true;
}

void bench_boot_down(struct bench_boot *boot)
{
	world_destroy(boot->world);
	scenario_program_fini(&boot->program);
	scenario_free(boot->scenario);
}

bool bench_boot_run(struct bench_boot *boot, void (*fn)(void *arg), void *arg)
{
	struct world_run r = {.seed = 1, .steps_max = ~0ULL >> 2};

	boot->task = fn;
	boot->arg = arg;
	world_run(boot->world, &r);
	return !r.finding;
}
