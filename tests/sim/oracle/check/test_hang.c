// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kapi/completion.h"
#include "sim/kapi/jiffies.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/slab.h"
#include "tests/kit/oracle.h"

static struct {
	struct completion *done;
	u64 turns;
	bool stop;
} t;

static void boot(void)
{
	t.done = kzalloc(sizeof(*t.done), GFP_KERNEL);
	init_completion(t.done);
}

static void begin(void)
{
	t.stop = false;
}

static void load_tasks(void (*first)(void *), void (*second)(void *))
{
	load_oracle("hang", .boot = boot, .begin = begin, .task = {first, second});
}

static const struct finding *run_steps(u64 steps)
{
	return run_with(.seed = 1, .policy = policy_find("rw", 2), .steps_max = steps).finding;
}

/* --- soft lockup --- */

static void spins(void *arg)
{
	(void)arg;
	while (!t.stop)
		cpu_relax();
}

static void stops(void *arg)
{
	(void)arg;
	sched_point(NULL, 0, OP_SYNC);
	t.stop = true;
}

Test(hang, a_loop_that_nobody_ends_is_a_soft_lockup)
{
	const struct finding *f;

	load_tasks(spins, NULL);
	f = run_steps(10000);
	cr_assert_not_null(f);
	cr_assert_str_eq(f->title, "BUG: soft lockup in %F");
	cr_assert(strstr(f->text, "within 10000 steps"), "%s", f->text);
	cr_assert_eq(f->spot[0].task, 2);
	cr_assert_gt(f->spot[0].n, 0);
}

Test(hang, a_loop_that_another_task_ends_is_silent)
{
	load_tasks(spins, stops);
	silent();
}

/* --- RCU stall --- */

static void reads_long(void *arg)
{
	(void)arg;
	rcu_read_lock();
	for (u64 i = 0; i < t.turns; i++)
		sched_point(NULL, 0, OP_SYNC);
	rcu_read_unlock();
}

static void waits_for_readers(void *arg)
{
	(void)arg;
	synchronize_rcu();
}

Test(hang, a_reader_that_keeps_a_grace_period_waiting_stalls_it)
{
	const struct finding *f;

	t.turns = 30000;
	load_tasks(reads_long, waits_for_readers);
	f = fires("INFO: rcu detected stall in %F");
	cr_assert(strstr(f->text, "waits in synchronize_rcu"), "%s", f->text);
	cr_assert_eq(f->n_spots, 3);
}

Test(hang, a_reader_that_never_leaves_stalls_it)
{
	t.turns = ~0ULL;
	load_tasks(reads_long, waits_for_readers);
	assert_title(run_steps(100000), "rcu detected stall");
}

Test(hang, a_long_reader_that_nobody_waits_for_is_silent)
{
	t.turns = 30000;
	load_tasks(reads_long, NULL);
	silent();
}

Test(hang, a_short_reader_is_silent)
{
	t.turns = 50;
	load_tasks(reads_long, waits_for_readers);
	silent();
}

/* --- virtual time --- */

static void waits(void *arg)
{
	(void)arg;
	wait_for_completion(t.done);
}

static void polls(void *arg)
{
	(void)arg;
	for (u64 i = 0; i < t.turns; i++)
		msleep(1000);
	complete(t.done);
}

Test(hang, two_minutes_of_virtual_time_are_too_long)
{
	const struct finding *f;

	t.turns = 200;
	load_tasks(waits, polls);
	f = fires("INFO: task hung in %F");
	cr_assert_eq(f->spot[0].task, 2);
	cr_assert(f->time_ns > 120000000000ULL && f->time_ns < 125000000000ULL);
}

Test(hang, one_minute_is_not)
{
	t.turns = 60;
	load_tasks(waits, polls);
	silent();
}
