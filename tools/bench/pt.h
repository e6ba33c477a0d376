/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps and unmaps to be measured, and who is measured: our page tables, what was
 * written to be compared with them, and those of a hosted tree.
 */
#pragma once

#include "tools/bench/bench.h"

/* One thing that is measured: n calls of timed(), put right again by undo(). */
struct contender {
	void (*timed)(void *self);
	void (*undo)(void *self); /* may be NULL */
	void *self;
	u64 calls;
	/* Instead of bench_best_chunk(), to which these are the arguments; or NULL. */
	double (*chunk)(const struct contender *c, u32 tries);
	double sample[BENCH_SAMPLES];
};

/* Nanoseconds of a call in the best of some chunks in which nothing disturbed the machine. */
double bench_best_chunk(const struct contender *c, u32 tries);

/* count pages of pgsize at each step; steps are `stride` apart. */
struct work {
	const char *name;
	u64 pgsize, count, stride, calls;
	bool unmap;         /* the unmap is timed, else the map */
	bool keep;          /* undo page by page: tables stay */
	double must;        /* ns, 0 = none */
};

#define BENCH_PT_BASE (1ULL << 30)

/* Apart from iova by a page: nothing gets larger. */
static inline u64 bench_pt_pa(const struct work *w, u64 iova)
{
	u64 pa = w->pgsize == 4096 ? BENCH_PT_BASE + 4096 : 2 * BENCH_PT_BASE;

	return pa + (iova - BENCH_PT_BASE);
}

/* --- a hosted tree's own, each call in a task of a world of its own --- */

#define BENCH_TREE_TABLES 2
/* Boots the kernel that was named, if one was and it is a hosted one without hooks. */
void bench_tree_open(struct bench *b);
void bench_tree_close(void);
/* Fills in a contender for each; how many. */
u32 bench_tree_contend(const struct work *w, struct contender c[BENCH_TREE_TABLES]);
/* What the tree calls them; `against` says of which tree. */
const char *bench_tree_name(u32 i, char *against, size_t size);
