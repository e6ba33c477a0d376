// SPDX-License-Identifier: GPL-2.0-only
#include "tools/bench/bench.h"

#include "sim/base/bits.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

Test(bench, the_median_is_the_middle_and_the_spread_is_in_percent_of_it)
{
	double v[] = {30, 10, 50, 20, 40};
	struct bench_sample s = bench_median(v, 5);

	cr_assert_eq(s.median, 30);
	cr_assert(s.spread > 133 && s.spread < 134, "%f", s.spread);
}

static void spin(void *arg, u64 n)
{
	volatile u64 x = 0;

	for (n *= *(u64 *)arg; n--;)
		x++;
}

Test(bench, ten_times_the_work_takes_about_ten_times_as_long)
{
	struct bench b = {.quick = true};
	u64 once = 100, ten = 1000;
	struct bench_loop ours = {spin, &ten}, base = {spin, &once};
	struct bench_sample s[2];

	bench_measure(&b, &ours, &base, s);
	cr_assert(s[0].median > 4 * s[1].median && s[0].median < 25 * s[1].median, "%f and %f",
		  s[0].median, s[1].median);
}

static u32 missed(enum bench_limit kind, double limit)
{
	struct bench b = {.quick = true};

	bench_add(&b, &(struct bench_row){.name = "x", .unit = "ns", .value = 20, .baseline = 10,
					  .kind = kind, .limit = limit});
	return b.n_missed;
}

Test(bench, a_row_that_misses_what_it_must_is_counted)
{
	cr_redirect_stdout();
	cr_assert_eq(missed(BENCH_FREE, 0), 0);
	cr_assert_eq(missed(BENCH_AT_MOST, 20), 0);
	cr_assert_eq(missed(BENCH_AT_MOST, 19), 1);
	cr_assert_eq(missed(BENCH_AT_LEAST, 20), 0);
	cr_assert_eq(missed(BENCH_AT_LEAST, 21), 1);
	cr_assert_eq(missed(BENCH_RATIO_AT_MOST, 2), 0);
	cr_assert_eq(missed(BENCH_RATIO_AT_MOST, 1.9), 1);
}

Test(bench, an_unknown_row_is_bad_usage)
{
	char *argv[] = {"bench", "no-such-row", NULL};

	cr_redirect_stderr();
	cr_assert_eq(bench_main(2, argv), CLI_USAGE);
}

/* A gate is never faster than the best of all, and two of them that are as fast are quiet. */
Test(bench, gates_and_the_clock_are_measured)
{
	const struct bench_machine *m = bench_machine();
	u64 best = ~0ULL, chunks = m->chunks;

	for (u32 i = 0; i < 100; i++)
		best = min(best, bench_gate());
	cr_assert(!bench_gates_quiet(best, best * 2));
	cr_assert_eq(m->chunks, chunks + 1);
	cr_assert_eq(m->disturbed, m->chunks);
	cr_assert(m->ghz > 0.1 && m->ghz < 10 && m->ghz_best >= m->ghz, "%f", m->ghz);
}
