/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The explorer: runs a scenario under many schedules, keeps findings, shrinks
 * and replays them.
 */
#pragma once

#include "scenarios/engine/scenario.h"
#include "scenarios/explore/known.h"
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
	const char *policy;   /* NAME, NAME:ARG or NAME(ARG); NULL = the scenario's, else "mix" */
	struct bug_set bugs;  /* added to the scenario's */
	const struct kernel *kernel;
	const char *oracles;  /* NULL = all */
	bool keep_going;      /* do not stop at the first finding */
	const char *want;     /* only a finding with this in its title stops; NULL = any does */
	const struct explore_known *known; /* findings that are no result; NULL: none */
	bool fail_nth;        /* per seed: fail the first, second ... point until none is left */
	bool no_shrink;
	u32 jobs;
	u32 verify;           /* each verify-th run is executed twice and compared; default 1,000 */
	bool one_poison;      /* and not twice more with different heap poisons */
	void (*progress)(void *self, const struct explore_progress *p);
	void *progress_self;
};

/*
 * What directed replays said of a data race, with each of the two tasks held
 * right before its access. Confirmed: both orders were run.
 */
struct explore_confirm {
	bool tried, confirmed;
	bool as_found, reversed; /* which orders were run, one access right behind the other */
	bool valued;             /* the first of the two was a write: */
	u64 addr, before, after; /* what stood at addr before it and after it */
	u32 size;                /* of what both accesses touch */
	u32 runs;
	char why[128];           /* not confirmed: why not */
};

/* A finding with all that is needed to show and replay it. */
struct explore_finding {
	struct finding finding;    /* titles resolved: no %F left */
	struct recipe found;       /* as it was met: policy and seed */
	struct recipe recipe;      /* as a list of switches, shrunk unless no_shrink */
	struct recipe *earlier;    /* finding.needs_carry: the runs to be run before it, in order */
	u32 n_earlier;
	u64 run;                   /* which run met it, from 1; 0: a replay */
	u64 hash;                  /* trace hash of `recipe` */
	u32 replays_same, replays; /* how often `recipe` gave the same hash */
	u32 switches_before, switches; /* before and after shrinking */
	u32 chances_before, chances;   /* what hardware may do and usually does not, likewise */
	u32 ops_before, ops;
	u32 shrink_runs;
	u64 shrink_us;
	u64 found_us;              /* since the campaign's start */
	struct trace_record *record; /* of the replay of `recipe` */
	long *rets;                /* of that replay: one per operation, LONG_MIN = not reached */
	struct call_results *values; /* of that replay's system calls; NULL: it has none */
	struct explore_confirm confirm;
};

struct explore_result {
	u64 runs, steps, elapsed_us;
	struct oracle_window window; /* of all runs; zero where a finding ended the campaign */
	struct explore_finding *findings; /* one per title, in the order of their runs */
	u32 n_findings;
	struct explore_finding *known; /* likewise, of those that are known: as met, not shrunk */
	u32 n_known;
	u64 hash;                  /* of all runs together; of a replay: the last run played */
	u32 same;                  /* plays with that hash; replay only */
	char missed[160];          /* replay only: the first switch that did not apply, or "" */
	bool stopped;              /* by the clock or the user, before all runs were made */
	bool exhausted;            /* the policy has nothing left to try */
	char incomplete[160];      /* which workers were lost, or "" */
	bool diverged;             /* a run executed twice differed: our bug */
	char divergence[256];      /* names the first diverging step */
};

/* Whether o makes sense (policy, oracles): false and one line in err if not. */
bool explore_check(const struct scenario *s, const struct explore_options *o, char *err,
		   size_t err_size);
/* Whether the kernel has system calls, if s has: false and one line in err if not. */
bool explore_kernel_check(const struct scenario *s, const struct kernel *k, char *err,
			  size_t err_size);
/* And all else that s and these bugs ask for, as far as is known without a run. */
bool explore_story_check(const struct scenario *s, const struct bug_set *bugs,
			 const struct kernel *k, char *err, size_t err_size);
/* The same for a policy alone, as NAME, NAME:ARG or NAME(ARG). */
bool explore_policy_check(const char *text, char *err, size_t err_size);
/* Explores s; explore_check() has agreed. The result is the caller's: explore_result_free(). */
void explore_run(const struct scenario *s, const struct explore_options *o,
		 struct explore_result *result);
void explore_result_free(struct explore_result *r);

/*
 * Plays recipes (of one scenario, bug set and choice of oracles) in order,
 * `times` times; the last one's finding, if any, is result->findings[0].
 * With shrink, the finding is shrunk first.
 */
struct explore_replay {
	const struct recipe *recipe;
	u32 n;
	u32 times;
	bool shrink;
	const struct kernel *kernel;
	FILE *trace;      /* text of each fact and access of the last play, or NULL */
	bool trace_json;
};
void explore_replay(const struct scenario *s, const struct explore_replay *how,
		    struct explore_result *result);

/*
 * The results of the operations in the default order, LONG_MIN = not reached, and
 * what the calls gave (NULL: there are none); free() both.
 */
long *explore_default_rets(const struct scenario *s, const struct explore_options *o,
			   struct call_results **values);

/* Each fact and access of that run, as text. */
void explore_default_trace(const struct scenario *s, const struct explore_options *o, FILE *trace);

/* One line of the table of historic bugs. */
struct explore_hunt_row {
	const char *bug, *policy;
	bool found;          /* by more than half of the seeds */
	bool any_schedule;   /* by the default order, in its first run */
	u64 runs_median, us_median;
	u32 found_by, seeds;
	u32 switches;        /* after shrinking; ~0U = never found */
	u64 shrink_us;
	char error[320];     /* "" or why the bug could not be hunted */
};
struct explore_hunt {
	struct bug_set bugs; /* none: all of bugs.def */
	const char *policy;  /* NULL: mix, rw, pct, pos, delay */
	u32 seeds;           /* 20 */
	u64 runs;            /* at most, per seed; 0: the witness's own, else 10,000 */
	const struct kernel *kernel;
	void (*row)(void *self, const struct explore_hunt_row *row);
	void *self;
};
/* NULL, or the bug whose hunt the user interrupted: its rows are not all there. */
const char *explore_hunt(const struct explore_hunt *h);
