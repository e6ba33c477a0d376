/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario: a machine, tasks of operations, what is expected. Read from
 * YAML (docs/scenarios.md), checked to the last key, run on any kernel.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "sim/bug/bug.h"
#include "sim/world/world.h"

#define SCENARIO_TASKS_MAX 32
#define SCENARIO_OPS_MAX 1024 /* all tasks together */
#define SCENARIO_FILE_MAX (1UL << 20)

struct scenario_op {
	struct op op;
	u32 line, column;     /* in the file */
	bool has_ret;
	long ret;             /* `ret: EBUSY` -> -EBUSY; checked when has_ret */
};

struct scenario_task {
	char name[TASK_NAME_LEN];
	u32 first, n;         /* ops[first .. first + n) */
};

struct scenario {
	char name[64];        /* file name without folder and .yaml */
	char *path;           /* as the user gave it */
	char *about;
	u64 content_hash;     /* of the file's bytes, and of its machine file's */
	struct machine machine;
	struct scenario_task task[SCENARIO_TASKS_MAX];
	u32 n_tasks;
	struct scenario_op *ops;
	u32 n_ops;
	struct bug_set bugs;
	/* expect: */
	bool expect_finding;
	char *expect_title;   /* substring of the finding's title, or NULL: any */
	/* explore: defaults for what the command line leaves out */
	u64 runs;             /* 0 = not given */
	char policy[64];      /* "" = not given */
	char domain_names[OP_DOMAINS_MAX][MACHINE_NAME_LEN]; /* slot -> name in the file */
	u32 n_domains;
	char owner_names[OP_OWNERS_MAX][MACHINE_NAME_LEN]; /* owner number - 1 -> name */
	u32 n_owners;
	char oracles[128];    /* which oracles watch, "" = all */
};

/* Where and what is wrong with an input; line and column count from 1, 0 = none. */
struct scenario_error {
	char file[256];
	u32 line, column;
	char text[512]; /* "what is wrong, expected what" */
};

/* NULL and *err filled on bad input; never aborts, whatever the bytes. */
struct scenario *scenario_read(const char *path, struct scenario_error *err);
struct scenario *scenario_parse(const char *name, const char *text, size_t size,
				struct scenario_error *err);
void scenario_free(struct scenario *s);
/* The error as its one line: "FILE:LINE:COL: what is wrong, expected what". */
void scenario_error_print(const struct scenario_error *err, char *buf, size_t size);

/*
 * The file that a user means: the path itself, else NAME or NAME.yaml in
 * scenarios/{.,story,historic} below the working directory, beside the
 * program, or in the installed share. `kind` is "" for these, "machine" for
 * scenarios/machine. False: nothing found; path is then the name itself.
 */
bool scenario_find(const char *name, const char *kind, char *path, size_t size);
/* Calls fn for each *.yaml of scenarios/<folder> in the first place that has the folder. */
void scenario_each(const char *folder, void (*fn)(void *arg, const char *path), void *arg);

/* Continues hash h over the bytes; independent of the host. */
u64 scenario_hash(u64 h, const char *data, size_t size);
/* "EBUSY" -> 16; 0 if there is no such error. */
int scenario_errno(const char *name);
/* -16 -> "EBUSY"; NULL for anything that is no error number. */
const char *scenario_errno_name(long ret);

/* The name (out of n) that the word was probably meant to be, or NULL. */
const char *scenario_did_you_mean(const char *word, const char *const *names, size_t n);

/*
 * The scenario as a program for sim/world, on a kernel. `drop` (may be NULL):
 * bit per op, operations left out (the shrinker's). `rets` (may be NULL): one
 * result per op is stored there, LONG_MIN where it was not reached.
 */
struct scenario_program {
	const struct scenario *scenario;
	const struct kernel *kernel;
	const u64 *drop;
	long *rets;
	/* private: each task's argument */
	struct scenario_start {
		struct scenario_program *program;
		u32 task;
	} start[SCENARIO_TASKS_MAX];
};
void scenario_program_init(struct world_program *p, struct scenario_program *sp);

/* Text of one op as in the YAML: "claim: {device: nic0, owner: vm1}". */
void scenario_op_print(const struct scenario *s, u32 op, char *buf, size_t size);
