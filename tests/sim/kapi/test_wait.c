// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/wait.h"

#include "sim/kapi/completion.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

struct shared {
	wait_queue_head_t q;
	struct completion done;
	u64 flag;
};

static struct {
	struct shared *s;
	int n_through;
	long left;
	bool wake_first;
} t;

static void boot(void)
{
	t.s = kzalloc(sizeof(*t.s), GFP_KERNEL);
	init_waitqueue_head(&t.s->q);
	init_completion(&t.s->done);
}

static bool flag_set(void)
{
	access_range(&t.s->flag, 8, OP_READ | OP_MARKED, 1);
	return t.s->flag;
}

static void set_flag(void)
{
	access_range(&t.s->flag, 8, OP_WRITE | OP_MARKED, 1);
	t.s->flag = 1;
}

static void waiter(void *arg)
{
	(void)arg;
	wait_event(t.s->q, flag_set());
	t.n_through++;
}

static void waker(void *arg)
{
	(void)arg;
	if (t.wake_first)
		wake_up(&t.s->q);
	set_flag();
	if (!t.wake_first)
		wake_up(&t.s->q);
}

static void begin(void)
{
	t.n_through = 0;
}

Test(wait, no_wake_up_is_lost_under_any_schedule)
{
	load(.boot = boot, .begin = begin, .task = {waiter, waiter, waker});
	for (u64 seed = 1; seed <= 1000; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
		cr_assert_eq(t.n_through, 2);
	}
}

Test(wait, waking_before_setting_the_condition_hangs_in_some_schedule)
{
	u64 hangs;

	t.wake_first = true;
	load(.oracles = "none", .boot = boot, .begin = begin, .task = {waiter, waiter, waker});
	hangs = run_count(200, SCHED_DEADLOCK);
	cr_assert_gt(hangs, 0);
	cr_assert_lt(hangs, 200);
}

static void exclusive_waiter(void *arg)
{
	(void)arg;
	wait_event_exclusive(t.s->q, flag_set());
	t.n_through++;
}

Test(wait, wake_up_lets_one_exclusive_waiter_through)
{
	load(.oracles = "none", .boot = boot, .begin = begin,
	     .task = {exclusive_waiter, exclusive_waiter, waker});
	cr_assert_eq(run_with(.seed = 1).end, SCHED_DEADLOCK);
	cr_assert_eq(t.n_through, 1);
}

static void timed(void *arg)
{
	(void)arg;
	t.left = wait_event_timeout(t.s->q, flag_set(), 10);
}

static void late_waker(void *arg)
{
	(void)arg;
	msleep(4);
	set_flag();
	wake_up(&t.s->q);
}

Test(wait, a_timeout_passes_in_virtual_time_and_returns_zero)
{
	struct world_run r;

	load(.boot = boot, .task = {timed});
	r = run(1);
	cr_assert_eq(r.end, SCHED_AT_REST);
	cr_assert_eq(t.left, 0);
	cr_assert_eq(r.time_ns, 10 * NSEC_PER_MSEC);
}

Test(wait, a_wake_up_in_time_returns_what_is_left)
{
	struct world_run r;

	load(.boot = boot, .task = {timed, late_waker});
	r = run_with(.seed = 1);
	assert_clean(&r);
	cr_assert_eq(t.left, 6);
}

/* --- completions --- */

static void completer(void *arg)
{
	(void)arg;
	access_range(&t.s->flag, 8, OP_WRITE, 1);
	complete(&t.s->done);
	complete(&t.s->done);
}

static void completion_waiter(void *arg)
{
	(void)arg;
	wait_for_completion(&t.s->done);
	access_range(&t.s->flag, 8, OP_READ, 1);
	t.n_through++;
}

Test(completion, each_complete_lets_one_waiter_through_and_orders_it)
{
	load(.boot = boot, .begin = begin,
	     .task = {completion_waiter, completion_waiter, completer});
	run_clean(500);
	cr_assert_eq(t.n_through, 2);
}

Test(completion, two_completes_do_not_satisfy_three_waiters)
{
	load(.oracles = "none", .boot = boot, .begin = begin,
	     .task = {completion_waiter, completion_waiter, completion_waiter, completer});
	cr_assert_eq(run(1).end, SCHED_DEADLOCK);
	cr_assert_eq(t.n_through, 2);
}

static void all_completer(void *arg)
{
	(void)arg;
	complete_all(&t.s->done);
	cr_assert(completion_done(&t.s->done));
	cr_assert(try_wait_for_completion(&t.s->done));
	reinit_completion(&t.s->done);
	cr_assert_not(try_wait_for_completion(&t.s->done));
	cr_assert_eq(wait_for_completion_timeout(&t.s->done, 5), 0);
	t.left = (long)(ktime_get() / NSEC_PER_MSEC);
}

Test(completion, complete_all_lasts_until_it_is_reinitialised)
{
	load(.boot = boot, .task = {all_completer});
	run_clean(1);
	cr_assert_eq(t.left, 5);
}
