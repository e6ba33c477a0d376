// SPDX-License-Identifier: GPL-2.0-only
#include "sim/choice/choice.h"

#include <criterion/criterion.h>

Test(choice, equal_seeds_give_equal_words)
{
	struct choice a, b;

	choice_seed(&a, 42);
	choice_seed(&b, 42);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(choice_word(&a, CHOICE_SCHED), choice_word(&b, CHOICE_SCHED));
	choice_seed(&b, 43);
	cr_assert_neq(choice_word(&a, CHOICE_SCHED), choice_word(&b, CHOICE_SCHED));
}

Test(choice, drawing_from_one_stream_does_not_shift_another)
{
	struct choice a, b;

	choice_seed(&a, 7);
	choice_seed(&b, 7);
	for (int i = 0; i < 100; i++)
		choice_word(&a, CHOICE_FAULT);
	cr_assert_eq(choice_word(&a, CHOICE_SCHED), choice_word(&b, CHOICE_SCHED));
}

Test(choice, given_bytes_come_first_and_then_the_generator)
{
	static const u8 bytes[] = {0, 128, 255};
	struct choice a, b;

	choice_seed(&a, 7);
	choice_seed(&b, 7);
	choice_give(&a, CHOICE_SCHED, bytes, sizeof(bytes));
	cr_assert_eq(choice_below(&a, CHOICE_SCHED, 4), 0);
	cr_assert_eq(choice_below(&a, CHOICE_SCHED, 4), 2);
	cr_assert_eq(choice_below(&a, CHOICE_SCHED, 4), 3);
	cr_assert_eq(choice_word(&a, CHOICE_SCHED), choice_word(&b, CHOICE_SCHED));
}

Test(choice, below_stays_below_and_reaches_everything)
{
	struct choice c;
	u32 seen[7] = {0};

	choice_seed(&c, 1);
	for (int i = 0; i < 7000; i++) {
		u32 v = choice_below(&c, CHOICE_DATA, 7);

		cr_assert_lt(v, 7);
		seen[v]++;
	}
	for (int i = 0; i < 7; i++)
		cr_assert(seen[i] > 800 && seen[i] < 1200, "value %d came %u times", i, seen[i]);
}

Test(choice, distances_have_the_mean_that_was_asked_for)
{
	static const u32 means[] = {1, 4, 20, 100, 1000};
	struct choice c;

	choice_seed(&c, 1);
	for (size_t m = 0; m < sizeof(means) / sizeof(means[0]); m++) {
		u64 sum = 0;

		for (int i = 0; i < 20000; i++) {
			u32 d = choice_distance(&c, CHOICE_SCHED, means[m]);

			cr_assert_geq(d, 1);
			sum += d;
		}
		cr_assert(sum / 20000 * 100 >= means[m] * 75ULL &&
				  sum / 20000 * 100 <= means[m] * 125ULL,
			  "mean %u came out as %lu", means[m], (unsigned long)(sum / 20000));
	}
}
