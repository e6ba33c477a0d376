/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes as programs, for every fuzzer.
 *
 * Decoding is total: every byte string is a machine, tasks of operations and
 * a schedule, all within bounds. Encoding gives bytes that decode to the same,
 * so scenarios are seeds; and a decoded program prints as a scenario, so a
 * crash is a file for `iommulab run`.
 *
 *	head      FUZZOP_HEAD bytes, see enum fuzzop_head
 *	machine   n bytes; fields of one byte each at fixed places, missing ones 0
 *	ops       n records of FUZZOP_RECORD bytes: task, opcode, four arguments
 *	schedule  n bytes: the stream CHOICE_SCHED; under policy list, records of
 *	          FUZZOP_POINT bytes: task, operation (2), target
 *	data      the rest: 8 bytes for each value that the tables cannot say
 *
 * The streams' lengths stand in the head, so a byte changed in one shifts no
 * other; a length beyond the input's end is cut.
 */
#pragma once

#include "scenarios/engine/scenario.h"
#include "sim/world/world.h"

#define FUZZOP_IOMMUS_MAX 3
#define FUZZOP_BUSES_MAX 4
#define FUZZOP_DEVICES_MAX 8
#define FUZZOP_RESV_MAX 6
#define FUZZOP_TASKS_MAX 8 /* one head byte in two gives at most 4 */
#define FUZZOP_OPS_MAX 64
#define FUZZOP_POINTS_MAX 64
#define FUZZOP_DOMAINS 8
#define FUZZOP_OWNERS 4
#define FUZZOP_RECORD (2 + OP_ARGS_MAX)
#define FUZZOP_POINT 4
#define FUZZOP_BYTES_MAX 8192 /* what an encoded scenario fits in */
#define FUZZOP_YAML_MAX 32768

enum fuzzop_head {
	FUZZOP_HEAD_MACHINE,   /* bytes of the machine */
	FUZZOP_HEAD_OPS,       /* records, up to FUZZOP_OPS_MAX */
	FUZZOP_HEAD_SCHED_LOW, /* bytes of the schedule */
	FUZZOP_HEAD_SCHED_HIGH,
	FUZZOP_HEAD_TASKS,     /* how many, by a table */
	FUZZOP_HEAD_POLICY,    /* row of fuzzop_policies[] */
	FUZZOP_HEAD_FAULT,     /* which failure point fails, 0 = none */
	FUZZOP_HEAD_POISON,    /* fresh memory's content, 0 = drawn from the seed */
	FUZZOP_HEAD_SEED,      /* 4 bytes: what goes on when the schedule's bytes end */
	FUZZOP_HEAD = FUZZOP_HEAD_SEED + 4,
};

/* Exploration strategies a head byte can name: "" is the default order. */
struct fuzzop_policy {
	const char *name, *arg;
};
#define FUZZOP_POLICIES 14
extern const struct fuzzop_policy fuzzop_policies[FUZZOP_POLICIES];

/*
 * A decoded program. Filled in place and without pointers of its own to free;
 * `run` points into it and into the bytes, so neither may move before the run.
 */
struct fuzzop {
	struct scenario scenario;
	struct world_run run;
	u32 policy; /* row of fuzzop_policies[] */
	struct scenario_op ops[FUZZOP_OPS_MAX];
	char arg[WORLD_ARG_MAX]; /* the list, under policy list */
};

/* Where the streams of some bytes lie. */
struct fuzzop_layout {
	size_t machine, ops, sched, data; /* offsets, ascending */
	size_t size;
};

/* Never fails; every part of p is set. */
void fuzzop_decode(struct fuzzop *p, const u8 *bytes, size_t size);
void fuzzop_layout(struct fuzzop_layout *l, const u8 *bytes, size_t size);

/* What a scenario leaves open; all zero: default order, no failure. */
struct fuzzop_choice {
	u32 policy;  /* row of fuzzop_policies[] */
	u8 fault_nth, poison;
	u32 seed;
	const u8 *sched;
	size_t n_sched;
};

/*
 * Bytes that decode to this machine and these operations (names, expected
 * results and bugs are not said). Returns their number, or 0 with the reason
 * in *why when the scenario has something that no bytes say.
 */
size_t fuzzop_encode(const struct scenario *s, const struct fuzzop_choice *c, u8 *bytes,
		     size_t max, const char **why);

/*
 * The program as a scenario file. `title` (may be NULL) becomes its
 * expectation; the scenario's bugs are named. False: it did not fit.
 */
bool fuzzop_print(const struct fuzzop *p, const char *title, char *buf, size_t size);

/*
 * Changes bytes in place as fuzzers do, knowing where records begin: adds,
 * drops, copies and changes operations, the machine, the schedule. Returns the
 * new size, at most max. Same arguments, same result.
 */
size_t fuzzop_mutate(u8 *bytes, size_t size, size_t max, u32 seed);

/*
 * One input, run with all oracles in a world that is kept from call to call.
 * What a run does depends on its bytes alone: nothing is learned across runs.
 */
struct fuzzop_runner;
struct fuzzop_runner *fuzzop_runner_create(const char *bug);
/* NULL: clean. The program and its finding live until the next call. */
const struct finding *fuzzop_run(struct fuzzop_runner *r, const u8 *bytes, size_t size);
const struct fuzzop *fuzzop_program(const struct fuzzop_runner *r);
/* Result of op i in the last run; LONG_MIN when it was not reached. */
long fuzzop_result(const struct fuzzop_runner *r, u32 i);
/*
 * Prints the last run's finding to standard error: title, scenario (also written
 * to <prefix>finding-<hash>.yaml), then the report of its replay. Ends the
 * runner's world: nothing can be run afterwards.
 */
void fuzzop_report(struct fuzzop_runner *r, const char *prefix);
