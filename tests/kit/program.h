/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program given as C functions, in a world, under many schedules.
 *
 *	load(.boot = boot, .task = {reader, reader, writer});
 *	run_clean(1000);
 *
 * A test program has one world at a time: load() ends the one before. The
 * tasks are called "first", "second" ... and are tasks 2, 3 ... in that order.
 */
#pragma once

#include "sim/world/world.h"

#include <criterion/criterion.h>
#include <string.h>

#define PROGRAM_TASKS_MAX 8

struct program {
	const char *oracles;   /* which watch; NULL: all */
	const char *policy;    /* of run(); NULL: the walk below */
	void (*prepare)(void); /* the world is made, nothing has run in it yet */
	void (*boot)(void);    /* as task 0, before the snapshot */
	void (*begin)(void);   /* before each run: zeroes what its tasks count */
	void (*task[PROGRAM_TASKS_MAX])(void *arg); /* NULL: none at this place */
	void *arg[PROGRAM_TASKS_MAX];
	void (*shutdown)(void); /* as task 0, at rest */
};

/* The world of the test. */
extern struct world *w;

void program_load(const struct program *p);
#define load(...) program_load(&(struct program){__VA_ARGS__})

/* From the next run on, this task stands at place i; what the world has learned stays. */
void program_task(u32 i, void (*task)(void *arg));

/*
 * Under the program's policy. The default is a random walk of the tests' own,
 * which chooses anew at every second operation or so: dense enough for
 * programs of a few operations, whatever happens to the strategies.
 */
struct world_run run(u64 seed);

/* With these fields of struct world_run; no policy: the default order, no preemption. */
struct world_run program_run(struct world_run r);
#define run_with(...) program_run((struct world_run){__VA_ARGS__})

/* Fails the test unless the run came to rest without a finding. */
void assert_clean(const struct world_run *r);

/* Seeds 1 to n: all come to rest without a finding. */
void run_clean(u64 n);

/* How many of the seeds 1 to n end this way. */
u64 run_count(u64 n, enum sched_end end);

/* Fails the test unless f is there and has this in its title; returns f. */
const struct finding *assert_title(const struct finding *f, const char *title);

/*
 * Some seed from 1 to n has a finding with this in its title, and none before
 * it has another. The finding lives until the next run.
 */
const struct finding *run_finds(u64 n, const char *title);

/* The same, in its title or in its text. */
const struct finding *run_finds_text(u64 n, const char *text);

/* A further task, from begin() or from a task. */
static inline struct task *spawn(const char *name, void (*fn)(void *), void *arg)
{
	return sched_spawn(w->sched, name, fn, arg, 0);
}

/* Work between two moments of choice. */
static inline void step(void)
{
	sched_point(NULL, 0, OP_SYNC);
}
