/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds a run, drives it to rest, tears it down, fails on anything left over.
 *
 *	struct world *w = world_create(0);
 *	world_load(w, &program);         boot once, keep the snapshot
 *	for (...) {
 *		struct world_run r = {.seed = i, .policy = pos};
 *		world_run(w, &r);        reset, start, run, shutdown, sweep
 *		if (r.finding) ...
 *	}
 *	world_destroy(w);
 */
#pragma once

#include "sim/bug/bug.h"
#include "sim/choice/choice.h"
#include "sim/fault/fault.h"
#include "sim/oracle/oracle.h"
#include "sim/sched/policy.h"

/* What runs in a world: a scenario, a fuzzer's program, a benchmark. */
struct world_program {
	/* As task 0, before the snapshot; optional. */
	void (*boot)(struct world *w, void *self);
	/* Spawns tasks; must not allocate or run kernel code. */
	void (*start)(struct world *w, void *self);
	void (*shutdown)(struct world *w, void *self); /* as task 0, at rest; optional */
	void *self;
};

#define WORLD_ARG_MAX 65536

struct world_run {
	/* in */
	u64 seed;
	const struct policy *policy; /* NULL: the default order, no preemption */
	const char *policy_arg;      /* "" or NULL: the policy's own defaults */
	u64 fault_nth;
	u8 poison;                   /* 0: drawn from the seed */
	u64 steps_max;               /* 0: WORLD_STEPS_MAX */
	u32 check_every;             /* hash checkpoints each this many notes, 0 = none */
	const u8 *bytes[CHOICE_N];   /* fuzzer input per stream, or NULL */
	size_t n_bytes[CHOICE_N];
	void (*began)(void *self, const struct world_run *r); /* parameters resolved, not yet run */
	void *began_self;
	/* out */
	enum sched_end end;
	const struct finding *finding; /* lives until the next run; NULL = clean */
	u64 hash, steps, time_ns;
	u32 n_switches, n_preempts;
	const struct switch_point *points; /* lives until the next run */
	u32 n_points;
	const u64 *checks;
	u32 n_checks;
	u64 fault_asked;
	bool fault_fired;
	/*
	 * The policy's argument that gives this run again; filled in when began
	 * is given or there is a finding. Lives until the next run.
	 */
	const char *resolved;
};

#define WORLD_STEPS_MAX 2000000ULL

struct world *world_create(u32 slot);
void world_destroy(struct world *w);

/* Which historic defects are on, for boot and runs. Call before world_load(). */
void world_set_bugs(struct world *w, const struct bug_set *bugs);
/* How many steps a run may make that does not say; 0: WORLD_STEPS_MAX. */
void world_set_steps(struct world *w, u64 steps);
/* As oracles_select(). Call before world_load(). Default: all. */
bool world_set_oracles(struct world *w, const char *names);

/* Empties w, boots the program in it and keeps the snapshot. */
void world_load(struct world *w, const struct world_program *p);
void world_run(struct world *w, struct world_run *r);
/* Back to the snapshot, as world_run() does at its start. */
void world_reset(struct world *w);
/* What policies carry from run to run; zeroed by world_load(). */
struct policy_carry *world_carry(struct world *w);
