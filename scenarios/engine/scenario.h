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
	u64 content_hash;     /* of the file's bytes */
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
};
void scenario_program_init(struct world_program *p, struct scenario_program *sp);

/* Text of one op as in the YAML: "claim: {device: nic0, owner: vm1}". */
void scenario_op_print(const struct scenario *s, u32 op, char *buf, size_t size);
