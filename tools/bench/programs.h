/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The yardstick of exploration strategies: small programs with a concurrency
 * bug each, written after the descriptions of the well-known benchmark
 * collections, with what a strategy is known to need to find it.
 *
 * The programs' code is hooked (programs_hooked.c); this is how it
 * spawns, joins and fails, and how a search is run.
 */
#pragma once

#include "sim/kapi/mutex.h"
#include "sim/world/world.h"

#define CLI_PROGRAM_STATE_MAX 1024

struct bench_program {
	const char *name;
	/* Runs as the first task: sets the state up, spawns the others, joins them. */
	void (*fn)(void *state);
	void (*init)(void *state); /* locks; before the first run */
	bool deadlock;             /* the bug is one */
	/* Mean schedules to the bug, in tenths, as published; 0 = not found by it. */
	u32 rw, pct3, pos;
};

/* The last has no name. */
extern const struct bench_program bench_program_table[];
const struct bench_program *bench_program_find(const char *name);

/* --- for the programs --- */
struct task *bench_program_spawn(void (*fn)(void *state), void *state);
void bench_program_join(struct task *t);
/* The bug: ends the run. */
void bench_program_fail(void);

/* --- for those who run them --- */
struct bench_search {
	struct world *world;
	const struct bench_program *program;
	bool failed; /* the last run met the bug */
};
/* Loads the program into w; oracles as world_set_oracles() was told. */
void bench_search_load(struct bench_search *s, struct world *w, const struct bench_program *p);
/* One run; true: it met the bug. */
bool bench_search_run(struct bench_search *s, struct world_run *r);
/* Runs from this seed on until the bug is met; 0: not in `cap` runs. */
u64 bench_search_first(struct bench_search *s, const struct policy *policy, const char *arg,
		       u64 seed, u64 cap);
