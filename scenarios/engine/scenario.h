/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario: a machine, tasks of operations, what is expected. Read from
 * YAML (docs/scenarios.md), checked to the last key, run on any kernel; or
 * made of a program of system calls, for kernels that have them.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "scenarios/call/program.h"
#include "sim/bug/bug.h"
#include "sim/world/world.h"

#define SCENARIO_TASKS_MAX 32
#define SCENARIO_OPS_MAX 1024 /* all tasks together */
#define SCENARIO_ORACLES_MAX 512 /* letters of a list of all of them */
#define SCENARIO_FILE_MAX (1UL << 20)

struct scenario_op {
	struct op op;
	const struct call *call; /* instead of op: one of the scenario's program */
	u32 first_edge, n_edges; /* edges[]: the operations that wait for its end */
	u32 line, column;     /* in the file */
	bool has_ret;
	long ret;             /* `ret: EBUSY` -> -EBUSY; checked when has_ret */
};

struct scenario_task {
	char name[TASK_NAME_LEN];
	u32 first, n;         /* ops[first .. first + n) */
};

/* Operation `after` does not begin before the end of the one that has this edge. */
struct scenario_edge {
	u32 after;
};

struct scenario {
	char name[64];        /* file name without folder and .yaml or .syz */
	char *path;           /* as the user gave it */
	char *about;
	char *yaml;           /* the lines beside its tasks; NULL: they do not stand alone */
	u64 content_hash;     /* of the file's bytes, and of its machine file's */
	struct machine machine;
	struct scenario_task task[SCENARIO_TASKS_MAX];
	u32 n_tasks;
	struct scenario_op *ops;
	u32 n_ops;
	struct scenario_edge *edges;
	u32 n_edges;
	struct call_program *program; /* of its calls; NULL: it has none */
	bool is_story;        /* written in YAML */
	bool threads_all;     /* each call is a task of its own */
	struct bug_set bugs;
	/* expect: */
	bool expect_finding;
	char *expect_title;   /* substring of the finding's title, or NULL: any */
	/* explore: defaults for what the command line leaves out */
	u64 runs;             /* 0 = not given */
	u64 steps;            /* of a run, at most; 0 = not given */
	char policy[64];      /* "" = not given */
	char domain_names[OP_DOMAINS_MAX][MACHINE_NAME_LEN]; /* slot -> name in the file */
	u32 n_domains;
	char owner_names[OP_OWNERS_MAX][MACHINE_NAME_LEN]; /* owner number - 1 -> name */
	u32 n_owners;
	char oracles[SCENARIO_ORACLES_MAX]; /* which oracles watch, "" = all */
};

/* Where and what is wrong with an input; line and column count from 1, 0 = none. */
struct scenario_error {
	char file[256];
	u32 line, column;
	char text[512]; /* "what is wrong, expected what" */
};

/* How a file is to be read; all zero: as it is. */
struct scenario_how {
	/*
	 * Each call is a task of its own, which waits for those whose results it
	 * uses: a sequential program is hunted for races.
	 */
	bool threads_all;
	bool strict; /* unknown calls of a .syz file are errors */
	/* Told of each thing in a .syz file that was skipped or repaired; may be NULL. */
	void (*note)(void *self, const char *file, u32 line, const char *text);
	void *self;
};

/*
 * The file as a scenario: a syzkaller program if it is called *.syz, or on
 * standard input looks like one; else YAML.
 */
struct scenario *scenario_read_how(const char *path, const struct scenario_how *how,
				   struct scenario_error *err);
/* A scenario of the text of a .syz file. */
struct scenario *scenario_parse_syz(const char *name, const char *text, size_t size,
				    const struct scenario_how *how, struct scenario_error *err);
/*
 * A scenario of a program, which becomes its own, also on errors (NULL): task
 * `main` performs the calls in order, each async call is a task that begins
 * when main has come to it. More tasks than there may be share.
 */
struct scenario *scenario_of_calls(const char *path, struct call_program *p, bool threads_all,
				   struct scenario_error *err);

/* NULL and *err filled on bad input; never aborts, whatever the bytes. */
struct scenario *scenario_read(const char *path, struct scenario_error *err);
struct scenario *scenario_parse(const char *name, const char *text, size_t size,
				struct scenario_error *err);
void scenario_free(struct scenario *s);
/* The error as its one line: "FILE:LINE:COL: what is wrong, expected what". */
void scenario_error_print(const struct scenario_error *err, char *buf, size_t size);

/*
 * The file that a user means: the path itself, else NAME or NAME.yaml in
 * scenarios/{.,story,historic,hosted} below the working directory, beside the
 * program, or in the installed share. `kind` is "" for these, "machine" for
 * scenarios/machine. False: nothing found; path is then the name itself.
 */
bool scenario_find(const char *name, const char *kind, char *path, size_t size);
/* Calls fn for each *.yaml of scenarios/<folder> in the first place that has the folder. */
void scenario_each(const char *folder, void (*fn)(void *arg, const char *path), void *arg);

/* Continues hash h over the bytes; independent of the host. */
u64 scenario_hash(u64 h, const char *data, size_t size);
/* -16 -> "EBUSY"; NULL for anything that is no error number. */
const char *scenario_errno_name(long ret);
/* A result as reports show it: "-EBUSY", or a number. */
void scenario_ret_print(long ret, char *buf, size_t size);

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
	bool any_ret;  /* `ret:` is not looked at */
	/* Called behind each call, in its task; may be NULL. */
	void (*performed)(void *self, const struct call *c, long ret);
	void *performed_self;
	/* private: the calls' results, each task's argument and how many ops it awaits */
	struct call_run calls;
	struct scenario_start {
		struct scenario_program *program;
		struct task *spawned;
		u32 task, next;
		bool waits;
	} start[SCENARIO_TASKS_MAX];
	u32 missing[SCENARIO_OPS_MAX]; /* ops that this one still waits for */
};
void scenario_program_init(struct world_program *p, struct scenario_program *sp);
void scenario_program_fini(struct scenario_program *sp);
/* Between runs: another program of calls on what has booted; s's machine is not looked at. */
void scenario_program_change(struct scenario_program *sp, const struct scenario *s);

/* In the current task, by whoever it is for: the kernel or the board. As kernel.op(). */
long scenario_op_perform(const struct kernel *k, const struct op *op);
/* The name of one op: "claim", "ioctl$IOMMU_DESTROY". */
const char *scenario_op_name(const struct scenario *s, u32 op);
/* Text of one op as in the YAML: "claim: {device: nic0, owner: vm1}"; of a call as in C. */
void scenario_op_print(const struct scenario *s, u32 op, char *buf, size_t size);
