// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long something takes on a machine that others use, too.
 *
 * Work is cut into chunks of some milliseconds. Before and after each of them
 * runs the gate, a loop that is always the same: a chunk between two gates of
 * which one was slower than it can be (by 6 %) does not count, the machine was
 * disturbed. A sample is the best of some chunks, a row the median of its samples.
 */
#include "tools/bench/bench.h"

#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdlib.h>
#include <sys/resource.h>

#define CHUNK_US 3000
#define CHUNK_QUICK_US 1000
#define CHUNKS 6
#define CHUNKS_QUICK 2
#define TRIES 24 /* chunks that a sample may take; none of them need count */
#define GATE_PERCENT 6
#define GATE_TIMES 4000

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct bench_sample bench_median(double *value, u32 n)
{
	struct bench_sample s;

	qsort(value, n, sizeof(*value), by_value);
	s.median = value[n / 2];
	s.spread = s.median > 0 ? (value[n - 1] - value[0]) / s.median * 100 : 0;
	return s;
}

/* --- the machine --- */

static struct bench_machine machine;
static u64 best_gate = ~0ULL;

static inline u64 ticks(void)
{
	return __builtin_ia32_rdtsc();
}

double bench_ticks_per_ns(void)
{
	static double known;
	u64 us, start;

	if (known > 0)
		return known;
	for (us = host_now_us(); host_now_us() == us;)
		;
	us = host_now_us();
	start = ticks();
	while (host_now_us() - us < 20000)
		;
	known = (double)(ticks() - start) / ((double)(host_now_us() - us) * 1000);
	return known;
}

/*
 * Four chains of additions and multiplications that do not wait for each other: slower when
 * the processor's clock is, and when a neighbour shares the core.
 */
static u64 gate_once(void)
{
	static volatile u64 sink;
	u64 a = sink | 1, b = a + 2, c = a + 4, d = a + 6, start = ticks();

	for (u32 i = 0; i < GATE_TIMES; i++) {
		a = a * 5 + i;
		b = (b << 1 ^ i) + 3;
		c = (c + i) ^ 7;
		d = d * 9 + 1;
	}
	start = ticks() - start;
	sink = a + b + c + d;
	return start;
}

u64 bench_gate(void)
{
	u64 took;

	if (best_gate == ~0ULL) {
		for (u32 i = 0; i < 200; i++)
			best_gate = min(best_gate, gate_once());
	}
	took = gate_once();
	best_gate = min(best_gate, took);
	return took;
}

bool bench_gates_quiet(u64 before, u64 after)
{
	bool quiet = max(before, after) * 100 <= best_gate * (100 + GATE_PERCENT);

	machine.chunks++;
	machine.disturbed += !quiet;
	return quiet;
}

/* Cycles in a nanosecond, by additions that each wait for the last. */
static double clock_ghz(void)
{
	double best = 0;

	for (u32 i = 0; i < 200; i++) {
		u64 x = i, start = ticks(), took;

		for (u32 k = 0; k < 1000; k++)
			__asm__ volatile("add $1, %0; add $1, %0; add $1, %0; add $1, %0; "
					 "add $1, %0; add $1, %0; add $1, %0; add $1, %0; "
					 "add $1, %0; add $1, %0; add $1, %0; add $1, %0; "
					 "add $1, %0; add $1, %0; add $1, %0; add $1, %0"
					 : "+r"(x) : : "cc");
		took = ticks() - start;
		best = max(best, 16000 * bench_ticks_per_ns() / (double)took);
	}
	return best;
}

const struct bench_machine *bench_machine(void)
{
	machine.ghz = clock_ghz();
	machine.ghz_best = max(machine.ghz_best, machine.ghz);
	return &machine;
}

/* --- loops --- */

static u64 usage_us(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (u64)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       (u64)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Processor time, children included: what the loop costs, whoever else is at work. */
static u64 time_us(const struct bench_loop *loop, u64 n)
{
	u64 start = usage_us(RUSAGE_SELF) + usage_us(RUSAGE_CHILDREN);

	loop->run(loop->arg, n);
	return usage_us(RUSAGE_SELF) + usage_us(RUSAGE_CHILDREN) - start;
}

/* How many make a chunk. */
static u64 calibrate(const struct bench *b, const struct bench_loop *loop)
{
	u64 want = b->quick ? CHUNK_QUICK_US : CHUNK_US;
	u64 n = 1, us;

	for (;;) {
		us = time_us(loop, n);
		if (us >= want / 4)
			break;
		n *= us < want / 64 ? 8 : 2;
	}
	return max(n * want / max(us, (u64)1), (u64)1);
}

/* One of the two that are measured in turns. */
struct side {
	const struct bench_loop *loop;
	u64 n;      /* of a chunk */
	u64 best, any; /* microseconds: of chunks that count, of all */
	u32 good;
	double sample[BENCH_SAMPLES];
};

static void chunk(struct side *s)
{
	u64 before = bench_gate(), us = time_us(s->loop, s->n);

	s->any = min(s->any, us);
	if (!bench_gates_quiet(before, bench_gate()))
		return;
	s->best = min(s->best, us);
	s->good++;
}

static void sample(const struct bench *b, struct side *side, u32 sides, u32 number)
{
	u32 want = b->quick ? CHUNKS_QUICK : CHUNKS, tries = b->quick ? CHUNKS_QUICK : TRIES;

	for (u32 i = 0; i < sides; i++) {
		side[i].best = side[i].any = ~0ULL;
		side[i].good = 0;
	}
	for (u32 t = 0; t < tries && (side[0].good < want || side[sides - 1].good < want); t++) {
		for (u32 i = 0; i < sides; i++)
			chunk(&side[i]);
	}
	for (u32 i = 0; i < sides; i++) {
		/* A machine that never is quiet still gets a figure; its spread tells. */
		u64 us = side[i].good ? side[i].best : side[i].any;

		side[i].sample[number] = (double)us * 1000 / (double)side[i].n;
	}
}

void bench_measure(const struct bench *b, const struct bench_loop *ours,
		   const struct bench_loop *base, struct bench_sample out[2])
{
	struct side side[2] = {{.loop = ours}, {.loop = base}};
	u32 sides = base ? 2 : 1;

	for (u32 i = 0; i < sides; i++)
		side[i].n = calibrate(b, side[i].loop);
	for (u32 i = 0; i < BENCH_SAMPLES; i++)
		sample(b, side, sides, i);
	for (u32 i = 0; i < sides; i++)
		out[i] = bench_median(side[i].sample, BENCH_SAMPLES);
}
