// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/mutex.h"

#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/locks.h"
#include "tests/kit/program.h"

static struct {
	struct mutex *m;
	int inside, entered, inside_max;
	bool use_trylock, unlock_twice, leave_locked, broken;
} t;

static void boot(void)
{
	t.m = kzalloc(sizeof(*t.m), GFP_KERNEL);
	mutex_init(t.m);
}

static void worker(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (t.use_trylock && !mutex_trylock(t.m))
			continue;
		if (!t.use_trylock && !t.broken)
			mutex_lock(t.m);
		t.inside_max = max(t.inside_max, ++t.inside);
		step();
		step();
		t.inside--;
		t.entered++;
		if (!t.broken)
			mutex_unlock(t.m);
	}
	if (t.unlock_twice)
		mutex_unlock(t.m);
	if (t.leave_locked)
		mutex_lock(t.m);
}

/* kthread_run() is for tasks. */
static void three_workers(void *arg)
{
	(void)arg;
	t.inside = 0;
	for (int i = 0; i < 3; i++)
		kthread_run(worker, NULL, 0, "worker");
}

Test(mutex, only_one_task_is_inside_under_any_schedule)
{
	load(.boot = boot, .task = {three_workers});
	run_clean(1000);
	cr_assert_eq(t.inside_max, 1);
	cr_assert_eq(t.entered, 9000);
}

Test(mutex, without_the_lock_the_same_program_has_two_tasks_inside)
{
	t.broken = true;
	load(.boot = boot, .task = {three_workers});
	run_clean(50);
	cr_assert_gt(t.inside_max, 1);
}

Test(mutex, trylock_never_waits_and_never_lets_two_in)
{
	t.use_trylock = true;
	load(.boot = boot, .task = {three_workers});
	run_clean(500);
	cr_assert_eq(t.inside_max, 1);
	cr_assert_gt(t.entered, 500);
	cr_assert_lt(t.entered, 4500);
}

Test(mutex, unlocking_what_is_not_held_is_a_finding)
{
	t.unlock_twice = true;
	load(.boot = boot, .task = {three_workers});
	run_finds_text(1, "bad unlock balance");
}

Test(mutex, ending_a_task_with_a_lock_held_is_a_finding)
{
	t.leave_locked = true;
	load(.boot = boot, .task = {three_workers});
	run_finds_text(1, "lock held when returning");
}

static void uninitialised(void *arg)
{
	struct mutex *m = kzalloc(sizeof(*m), GFP_KERNEL);

	(void)arg;
	mutex_lock(m);
}

Test(mutex, a_lock_that_was_never_initialised_is_a_finding)
{
	load(.task = {uninitialised});
	run_finds_text(1, "non-static key");
}

static void freed(void *arg)
{
	struct mutex *m = kzalloc(sizeof(*m), GFP_KERNEL);

	(void)arg;
	mutex_init(m);
	kfree(m);
	mutex_lock(m);
}

Test(mutex, locking_freed_memory_is_a_finding)
{
	load(.task = {freed});
	run_finds_text(1, "use-after-free");
}

Test(mutex, an_abba_deadlock_is_reached_exactly_and_its_owners_are_named)
{
	bool deadlock = false;

	load(.oracles = "none", .boot = locks_boot, .task = {a_then_b, b_then_a});
	for (u64 seed = 1; seed <= 200; seed++) {
		struct world_run r = run(seed);

		if (r.end != SCHED_DEADLOCK)
			continue;
		deadlock = true;
		cr_assert_eq(w->sched->task[2].wait.object, locks.b);
		cr_assert_eq(w->sched->task[2].wait.owner, 3);
		cr_assert_eq(w->sched->task[3].wait.object, locks.a);
		cr_assert_eq(w->sched->task[3].wait.owner, 2);
	}
	cr_assert(deadlock);
}
