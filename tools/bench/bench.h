/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmarks: what a row is and how it is measured.
 *
 * Ours and the comparator are measured in the same process, in turns, so that
 * what disturbs the machine disturbs both; each is the median of BENCH_SAMPLES
 * samples, and the spread (largest - smallest over the median) is printed
 * beside it. A sample is the best of some undisturbed chunks (measure.c).
 * Tests gate on ratios only; absolute figures stand beside what they should be.
 */
#pragma once

#include "tools/output/output.h"

/* Rates and times are asked for of a machine with this clock. */
#define BENCH_REFERENCE_GHZ 4.2
#define BENCH_SAMPLES 5
#define BENCH_SAMPLES_MAX 9

struct bench {
	bool quick;          /* short samples: shows that it works, gates nothing */
	bool table;          /* rows are printed as they come */
	struct json_object *rows;
	u32 n_rows, n_missed;
	const char *scenarios_missing; /* the first scenario that was not found, or NULL */
};

/* Does the thing n times. */
struct bench_loop {
	void (*run)(void *arg, u64 n);
	void *arg;
};
/* Of these a loop of schedules makes one thing, the same each time: they differ in length. */
#define BENCH_SCHEDULES 128

struct bench_sample {
	double median; /* nanoseconds for one */
	double spread; /* in percent of the median */
};

/* Measures two loops in turns. base may be NULL. */
void bench_measure(const struct bench *b, const struct bench_loop *ours,
		   const struct bench_loop *base, struct bench_sample out[2]);
/* Of the time-stamp counter, in a nanosecond. */
double bench_ticks_per_ns(void);
/* The median and spread of n values. */
struct bench_sample bench_median(double *value, u32 n);

/* What the machine was like while this process measured. */
struct bench_machine {
	double ghz, ghz_best;  /* of its clock: now, and at best */
	u64 chunks, disturbed; /* that were measured; of them, that did not count */
};
const struct bench_machine *bench_machine(void);
/* Ticks of a loop that is always the same, and whether two of them were as fast as it ever was. */
u64 bench_gate(void);
bool bench_gates_quiet(u64 before, u64 after);

enum bench_limit { BENCH_FREE, BENCH_AT_MOST, BENCH_AT_LEAST, BENCH_RATIO_AT_MOST };

struct bench_row {
	const char *name, *unit;
	const char *against;   /* what the baseline is, "" = none */
	double value, spread;
	double baseline;       /* 0: none */
	double ratio;          /* 0: value / baseline */
	enum bench_limit kind;
	double limit;
	const char *series;    /* rows that differ in how many there are already; NULL: none */
	u64 among;             /* of a series: how many */
};
void bench_add(struct bench *b, const struct bench_row *row);

/* One benchmark: a name that the user may ask for, and its rows. */
struct bench_entry {
	const char *name, *help;
	bool hooks; /* says nothing without access hooks: left out of such builds */
	void (*run)(struct bench *b);
};
/* The last has no name. */
extern const struct bench_entry bench_engine_entries[], bench_core_entries[],
	bench_hosted_entries[], bench_pt_entries[], bench_hw_entries[], bench_model_entries[],
	bench_model_inv_entries[], bench_model_exec_entries[], bench_ioas_entries[];
/* The object that the rows of a hosted tree run; else IOMMULAB_KERNEL names it. */
void bench_hosted_kernel(const char *path);
/* An object that is named but cannot be used is one line, before anything is measured. */
int bench_hosted_check(void);
/* That kernel, for hosted_close(), or NULL: none was named, or our own. */
struct kernel;
const struct kernel *bench_hosted_find(void);

/* Hooked and plain twins of one loop over n words; returns what it read. */
u64 bench_hooked_loop(u64 *words, u64 n_words, u64 times);
u64 bench_plain_loop(volatile u64 *words, u64 n_words, u64 times);

/* `iommulab bench`. */
int bench_main(int argc, char **argv);
/* In a process of its own: explores the demo and prints its peak memory in KiB. */
int bench_memory_child(void);
