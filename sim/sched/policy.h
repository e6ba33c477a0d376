/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An exploration strategy: one file in sim/sched/policy/, found by name.
 *
 * The policy is asked when the running task reaches its stop_at, blocks,
 * yields or ends. It answers with a runnable task and, through the task's
 * stop_at, how many further operations that one may do unasked. All its
 * decisions come from stream CHOICE_SCHED; its state is POLICY_STATE_MAX
 * zeroed bytes. `carry` survives from run to run of a campaign (exhaustive
 * search, adaptive distances); what it led to in one run must be said by
 * resolve(), since a recipe holds resolved parameters only.
 */
#pragma once

#include "sim/sched/sched.h"

#define POLICY_STATE_MAX 4096
#define POLICY_CARRY_MAX 65536

/* What earlier runs of the campaign taught: input to begin(). */
struct policy_carry {
	u64 runs;
	u64 steps_max;           /* most operations any run had */
	u64 steps_mean;
	bool exhausted;          /* set by an exhaustive policy: nothing left to try */
	_Alignas(8) u8 bytes[POLICY_CARRY_MAX]; /* the policy's own */
};

struct policy {
	const char *name;
	const char *help;  /* one line; says what ARG means */
	bool twice;        /* the explorer makes each run again and compares */
	bool weighs;       /* parse() may say otherwise: see struct sched */
	bool sequential;   /* each run builds on the one before: never split among jobs */
	size_t state_size; /* bytes of s->policy_state zeroed before parse(); 0: all of it */
	/*
	 * Parses the text behind the colon of --policy NAME:ARG ("" if none)
	 * into the state; false if it is not understood. After a resolve()d
	 * text it must lead to exactly the same run with the same seed.
	 */
	bool (*parse)(struct sched *s, const char *arg);
	void (*begin)(struct sched *s, struct policy_carry *carry);
	struct task *(*pick)(struct sched *s, struct task *cur, enum sched_why why);
	/*
	 * Whether it is yes to this question of sched_chance(). Optional: the run's seed answers,
	 * by stream CHOICE_CHANCE.
	 */
	bool (*chance)(struct sched *s, const struct switch_point *p);
	/* A task was spawned (optional). */
	void (*spawned)(struct sched *s, struct task *t);
	/* A blocked task may run again (optional). */
	void (*woken)(struct sched *s, struct task *t);
	/* The resolved argument of the run that has begun. */
	void (*resolve)(const struct sched *s, char *buf, size_t size);
	/* The run is over: learn (optional). */
	void (*end)(struct sched *s, struct policy_carry *carry);
	/*
	 * What a user should know of the run that has ended, or of the campaign:
	 * "step 214: expected T3, T3 is not runnable", "bound 2 exhausted, 431
	 * runs" (optional; "" = nothing).
	 */
	void (*note)(const struct sched *s, const struct policy_carry *carry, char *buf,
		     size_t size);
};

/* Generated from the files in sim/sched/policy/, sorted by name, NULL at the end. */
extern const struct policy *const policy_table[];
const struct policy *policy_find(const char *name, size_t len);
/*
 * What users write, NAME or NAME:ARG, or what reports and recipes say, NAME(ARG):
 * how long the name is, and where the argument stands and how long it is.
 */
size_t policy_split(const char *text, const char **arg, size_t *arg_len);

/* The default order: cur if it may go on, else the lowest runnable task id, the clock last. */
struct task *policy_default_pick(struct sched *s, struct task *cur, enum sched_why why);

/* For policies of which a run has no chances: no. */
bool policy_no_chance(struct sched *s, const struct switch_point *p);

/* The switch list of a recipe; and, after its run, its first point that did not apply, if any. */
extern const struct policy policy_list;
bool policy_list_missed(const struct sched *s, char *buf, size_t size);

/* --- what the strategies share --- */

/* Reads a decimal number and moves *text behind it; false if there is none or it is absurd. */
bool policy_number(const char **text, u64 *value);
/*
 * From now on this run is that of the policy in text, NAME or NAME:ARG: the
 * scheduler asks it directly, and the caller's own state is lost. False if the
 * text is not understood.
 */
bool policy_hand_over(struct sched *s, const char *text);
/* NAME or NAME:ARG, resolved, of the policy the run was handed to. */
void policy_resolve_other(const struct sched *s, char *buf, size_t size);
