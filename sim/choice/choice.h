/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The single source of decisions.
 *
 * A run draws from separate streams, so that a change in one does not
 * shift the others. Each stream first consumes the bytes it was given (a
 * fuzzer's input), then goes on with a generator seeded from the run's seed.
 * Nothing else in the program may decide anything.
 */
#pragma once

#include "sim/base/assert.h"
#include "sim/base/bits.h"

enum choice_stream {
	CHOICE_SCHED,  /* which task runs next, where it is preempted */
	CHOICE_MEMORY, /* weak memory: what a load may see */
	CHOICE_FAULT,  /* which injected failure fires */
	CHOICE_DATA,   /* values: page frame numbers, poison, fuzzed operands */
	CHOICE_HW,     /* hardware: replacement, speculation, who answers late */
	CHOICE_CHANCE, /* what sched_chance() is asked */
	CHOICE_N,
};

struct choice_source {
	u64 state;
	const u8 *bytes; /* not owned; consumed before the generator */
	size_t n_bytes, at;
};

struct choice {
	u64 seed;
	struct choice_source stream[CHOICE_N];
};

/* Starts all streams anew from seed; given bytes are forgotten. */
void choice_seed(struct choice *c, u64 seed);

/* Makes stream s consume bytes[0..n) first. The bytes stay the caller's. */
void choice_give(struct choice *c, enum choice_stream s, const u8 *bytes, size_t n);

/* A 64-bit word (8 given bytes, little endian, or one generator step). */
u64 choice_word(struct choice *c, enum choice_stream s);

/* The generator's next number. */
static inline u64 choice_step(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Up to n given bytes, little endian; false when fewer than n are left. */
bool choice_take(struct choice_source *src, unsigned n, u64 *value);

/*
 * A number in [0, n), n >= 1. From given bytes it takes one byte for n <= 256
 * (index = byte * n >> 8, local under mutation), else four.
 */
static inline u32 choice_below(struct choice *c, enum choice_stream s, u32 n)
{
	struct choice_source *src = &c->stream[s];
	unsigned width = n <= 256 ? 1 : 4;
	u64 v;

	sim_assert(n > 0);
	if (n == 1)
		return 0;
	if (unlikely(src->at < src->n_bytes) && choice_take(src, width, &v))
		return (u32)((v * n) >> (8 * width));
	return (u32)(((choice_step(&src->state) >> 32) * n) >> 32);
}

/* A distance >= 1 with the given mean (geometric by table, no floating point). */
u32 choice_distance(struct choice *c, enum choice_stream s, u32 mean);
