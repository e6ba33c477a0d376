// SPDX-License-Identifier: GPL-2.0-only
#include "sim/clock/clock.h"

#include <criterion/criterion.h>

static void nothing(struct clock_timer *t)
{
	(void)t;
}

Test(clock, timers_fire_by_deadline_and_then_by_arming)
{
	struct clock c;
	struct clock_timer t[4];

	clock_reset(&c);
	for (int i = 0; i < 4; i++)
		clock_timer_init(&t[i], nothing);
	clock_timer_arm(&c, &t[0], 30);
	clock_timer_arm(&c, &t[1], 10);
	clock_timer_arm(&c, &t[2], 30);
	clock_timer_arm(&c, &t[3], 20);
	cr_assert_eq(clock_advance(&c), &t[1]);
	cr_assert_eq(clock_advance(&c), &t[3]);
	cr_assert_eq(c.now_ns, 20);
	cr_assert_eq(clock_advance(&c), &t[0]);
	cr_assert_eq(clock_advance(&c), &t[2]);
	cr_assert_null(clock_next(&c));
}

Test(clock, rearming_moves_a_timer_and_cancelling_forgets_it)
{
	struct clock c;
	struct clock_timer a, b;

	clock_reset(&c);
	clock_timer_init(&a, nothing);
	clock_timer_init(&b, nothing);
	clock_timer_arm(&c, &a, 10);
	clock_timer_arm(&c, &b, 20);
	clock_timer_arm(&c, &a, 30);
	cr_assert_eq(clock_next(&c), &b);
	cr_assert(clock_timer_cancel(&b));
	cr_assert_not(clock_timer_cancel(&b));
	cr_assert_eq(clock_next(&c), &a);
	cr_assert(clock_timer_pending(&a));
}

Test(clock, a_deadline_beyond_the_end_of_time_stays_last)
{
	struct clock c;
	struct clock_timer a, b;

	clock_reset(&c);
	clock_timer_init(&a, nothing);
	clock_timer_init(&b, nothing);
	c.now_ns = 100;
	clock_timer_arm(&c, &a, ~0ULL);
	clock_timer_arm(&c, &b, 5);
	cr_assert_eq(clock_advance(&c), &b);
	cr_assert_eq(clock_advance(&c), &a);
	cr_assert_eq(c.now_ns, ~0ULL);
}
