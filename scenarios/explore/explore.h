/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The explorer: runs a scenario under many schedules, keeps findings, shrinks
 * and replays them.
 */
#pragma once

#include "scenarios/engine/scenario.h"
#include "scenarios/explore/recipe.h"

#include <stdio.h>

struct explore_progress {
	u64 runs, runs_max, findings;
	u64 elapsed_ms;
};

struct explore_options {
	u64 seed;             /* first seed; run i has seed + i */
	u64 runs;             /* 0: the scenario's, else 1,000 */
	u64 time_ms;          /* wall clock only stops; 0 = no limit */
	const char *policy;   /* NAME or NAME:ARG; NULL = the scenario's, else "mix" */
	struct bug_set bugs;  /* added to the scenario's */
	const struct kernel *kernel;
	const char *oracles;  /* NULL = all */
	bool keep_going;      /* do not stop at the first finding */
	bool no_shrink;
	u32 jobs;
	u32 verify;           /* each verify-th run is executed twice and compared; default 1,000 */
	void (*progress)(void *self, const struct explore_progress *p);
	void *progress_self;
};

/* A finding with all that is needed to show and replay it. */
struct explore_finding {
	struct finding finding;    /* titles resolved: no %F left */
	struct recipe found;       /* as it was met: policy and seed */
	struct recipe recipe;      /* as a list of switches, shrunk unless no_shrink */
	struct recipe *earlier;    /* finding.needs_carry: the runs to be run before it, in order */
	u32 n_earlier;
	u64 run;                   /* which run met it, from 1 */
	u64 hash;                  /* trace hash of `recipe` */
	u32 replays_same, replays; /* how often `recipe` gave the same hash */
	u32 switches_before, switches; /* points before and after shrinking */
	u32 ops_before, ops;
	u32 shrink_runs;
	u64 shrink_us;
	u64 found_us;              /* since the campaign's start */
	struct trace_record *record; /* of the replay of `recipe` */
};

struct explore_result {
	u64 runs, steps, elapsed_us;
	struct explore_finding *findings; /* one per title */
	u32 n_findings;
	bool exhausted;            /* the policy has nothing left to try */
	bool diverged;             /* a run executed twice differed: our bug */
	char divergence[256];      /* names the first diverging step */
};

/* Explores s. The result is the caller's: explore_result_free(). */
void explore_run(const struct scenario *s, const struct explore_options *o,
		 struct explore_result *result);
void explore_result_free(struct explore_result *r);
