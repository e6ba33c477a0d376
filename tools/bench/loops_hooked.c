// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loop whose accesses are hooked; its plain twin is in engine.c. One
 * read and one write of different words each time round.
 */
#include "tools/bench/bench.h"

u64 bench_hooked_loop(u64 *words, u64 n_words, u64 times)
{
	u64 sum = 0;

	for (u64 i = 0; i < times; i++) {
		u64 v = words[i & (n_words - 1)];

		words[(i + n_words / 2) & (n_words - 1)] = v + 1;
		sum += v;
	}
	return sum;
}
