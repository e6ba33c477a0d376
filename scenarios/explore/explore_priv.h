/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the explorer share: a loaded world that plays recipes.
 */
#pragma once

#include "scenarios/explore/explore.h"

/* Of findings that count as the same one while a run is changed. */
struct explore_signature {
	const char *oracle;
	char title[FINDING_TITLE_MAX];
	u64 pc[2];
};
void explore_signature_of(const struct finding *f, struct explore_signature *sig);
bool explore_signature_same(const struct explore_signature *a, const struct explore_signature *b);

/* One scenario, loaded into a world, with one set of bugs and oracles. */
struct explorer {
	const struct scenario *s;
	struct bug_set bugs; /* the scenario's and the command line's */
	const struct kernel *kernel;
	struct world *w;
	struct world_program program;
	struct scenario_program sp;
	u64 drop[SCENARIO_OPS_MAX / 64];
	long rets[SCENARIO_OPS_MAX];
	struct recipe base;  /* what all runs share: build, path, hash, bugs, oracles */
	struct world_run run; /* the last one */
	u64 runs;
	char *map;           /* where the recipe of the run at hand stands */
	char head[1024], tail[4096], line[RECIPE_TEXT_MAX];
	/* of a run under two heap poisons */
	u64 differs_at;      /* its first note of its own, from 1; 0: there is none */
	u64 fact_before;     /* the last note before that that is a fact */
	u8 against;          /* the other poison */
	bool comparing;
	/* of the run that was to be kept */
	bool keeping;
	u64 op_begin[SCENARIO_OPS_MAX]; /* its task's count then, ~0 = not yet */
	u64 op_end[SCENARIO_OPS_MAX];
	struct switch_point *points; /* where it left the default order */
	u32 n_points;
	struct switch_point *trail;  /* every switch */
	u32 n_trail, trail_max;
};

/* oracles: a comma list, NULL = all. False: unknown oracle. */
bool explorer_open(struct explorer *e, const struct scenario *s, const struct kernel *kernel,
		   const struct bug_set *bugs, const char *oracles);
bool explorer_open_in(struct explorer *e, const struct scenario *s, const struct kernel *kernel,
		      const struct bug_set *bugs, const char *oracles, u32 slot);
void explorer_close(struct explorer *e);
/* Another program of calls, with the same memory, in what was booted for the first. */
void explorer_change(struct explorer *e, const struct scenario *s);
/* Forgets what earlier runs taught: policies and oracles begin anew. */
void explorer_forget(struct explorer *e);
/* Which operations are left out from now on. */
void explorer_drop(struct explorer *e, const u64 *drop);
/* Runs e->run, whose "in" members are set; writes its recipe to the map first. */
void explorer_run(struct explorer *e);

/*
 * Makes e->run with the one heap poison and with the other. True: they differ;
 * each explorer_run() then ends with a finding there, until the next comparison.
 */
bool explorer_compare(struct explorer *e, u8 poison, u8 against);
/* explorer_run()'s part of that. */
void explorer_run_to_difference(struct explorer *e);

/* The historic bugs of all runs from now on: those asked for, or none. */
void explorer_set_bugs(struct explorer *e, bool on);
bool explorer_has_bugs(const struct explorer *e);
/*
 * Plays seq[0 .. n) on an empty lock graph and keeps the points of seq[keep].
 * The result is e->run, of the last.
 */
void explorer_play(struct explorer *e, const struct recipe *seq, u32 n, u32 keep);

/* A finding of the campaign, before it is explained. */
#define HIT_EARLIER_MAX (RECIPES_MAX - 1)
struct explore_hit {
	u64 run; /* from 1 */
	u64 at_us;
	struct explore_signature sig;
	struct finding finding;
	u32 n_earlier;
	struct recipe found;
	struct recipe earlier[HIT_EARLIER_MAX];
};
/* Converts or shrinks a hit as asked, then replays and records it. */
enum explore_finish { FINISH_AS_IS, FINISH_LIST, FINISH_SHRUNK };
void explore_finish(struct explorer *e, const struct explore_hit *hit, enum explore_finish how,
		    struct explore_finding *f);
void explore_finding_free(struct explore_finding *f);
/* Tries to confirm a data race by directed replays (f->confirm); leaves others alone. */
void explore_confirm(struct explorer *e, struct explore_finding *f);

/*
 * Fewer switches and operations for recipe k of seq with the same finding.
 * seq[k] is of policy list. Returns the number of runs it took.
 */
u32 shrink_recipe(struct explorer *e, struct recipe *seq, u32 n, u32 k,
		  const struct explore_signature *sig);

/* The campaign itself: hits (at most max), one per signature, in the order of runs. */
#define EXPLORE_HITS_MAX 32
struct explore_campaign {
	const struct scenario *s;
	const struct explore_options *o;
	const struct policy *policy;
	char policy_arg[WORLD_ARG_MAX];
	u64 runs_max;
	struct explorer *e;
};
u32 explore_campaign_run(const struct explore_campaign *c, struct explore_hit *hit,
			 struct explore_result *result);
/* Whether the finding has this in its title (NULL: any has). */
bool explore_wanted(const struct finding *f, const char *want);
/* explore_check()'s part: whether the default order meets what the kernel does not have. */
bool explore_answers_check(const struct scenario *s, const struct explore_options *o, char *err,
			   size_t err_size);
/* The policy and the number of runs that o and s ask for; false: err says what is wrong. */
bool explore_campaign_init(struct explore_campaign *c, const struct scenario *s,
			   const struct explore_options *o, char *err, size_t err_size);
