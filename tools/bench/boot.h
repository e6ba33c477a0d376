/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel, ours or a hosted one, booted for a benchmark: each run is one task
 * that does what it is told, from the state behind boot.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "sim/world/world.h"
#include "tools/bench/bench.h"

struct bench_boot {
	const struct kernel *kernel;
	struct world *world;
	/* private */
	struct scenario *scenario;
	struct scenario_program program;
	struct world_program inner;
	void (*task)(void *arg);
	void *arg;
};

/* With the machine of scenario `name`. False: it is not there (b->scenarios_missing is told). */
bool bench_boot_up(struct bench *b, struct bench_boot *to, const struct kernel *k, u32 slot,
		   const char *name);
void bench_boot_down(struct bench_boot *boot);
/* Runs task(arg) in a new run. False: that ended with a finding. */
bool bench_boot_run(struct bench_boot *boot, void (*task)(void *arg), void *arg);
