// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs against our own kernel under all oracles; any finding aborts.
 *
 * Beside the compiler's edges, an engine is told which operation gave which
 * result, and which ran under which policy: a cheap measure of how far a
 * program came.
 */
#ifndef FUZZ_BUG
#define FUZZ_BUG NULL /* a historic defect: canary.c */
#endif

#include "fuzz/op/fuzzop.h"
#include "sim/base/bits.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTERS 4096

__attribute__((section("__libfuzzer_extra_counters"))) static u8 counters[COUNTERS];

static char prefix[200] = "./";

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed);

/* Scenarios of findings go where the engine puts its artifacts. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char flag[] = "-artifact_prefix=";

	for (int i = 1; i < *argc; i++)
		if (!strncmp((*argv)[i], flag, sizeof(flag) - 1))
			snprintf(prefix, sizeof(prefix), "%s", (*argv)[i] + sizeof(flag) - 1);
	return 0;
}

static void count(u64 a, u64 b)
{
	u8 *c = &counters[hash_mix(hash_mix(0x9e37, a), b) % COUNTERS];

	*c |= 1;
}

static void count_results(const struct fuzzop_runner *r)
{
	const struct fuzzop *p = fuzzop_program(r);

	for (u32 i = 0; i < p->scenario.n_ops; i++)
		count(p->ops[i].op.code, (u64)fuzzop_result(r, i));
	count(1000 + p->policy, bit_highest(p->run.n_switches + 1));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct fuzzop_runner *runner;

	if (!runner)
		runner = fuzzop_runner_create(FUZZ_BUG);
	if (fuzzop_run(runner, data, size)) {
		fuzzop_report(runner, prefix);
		abort();
	}
	count_results(runner);
	return 0;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
	return fuzzop_mutate(data, size, max, seed);
}
