// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kapi/completion.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/workqueue.h"
#include "tests/kit/locks.h"
#include "tests/kit/oracle.h"

static struct {
	struct completion *done;
} t;

static void boot(void)
{
	locks_boot();
	t.done = kzalloc(sizeof(*t.done), GFP_KERNEL);
	init_completion(t.done);
}

static void load_tasks(void (*first)(void *), void (*second)(void *))
{
	load_oracle("deadlock", .boot = boot, .task = {first, second});
}

static void waits(void *arg)
{
	(void)arg;
	wait_for_completion(t.done);
}

static void completes(void *arg)
{
	(void)arg;
	complete(t.done);
}

Test(deadlock, two_mutexes_in_both_orders_are_a_cycle)
{
	const struct finding *f;

	load_tasks(a_then_b, b_then_a);
	f = fires("INFO: task hung in %F");
	cr_assert(strstr(f->text, "a cycle of 2"), "%s", f->text);
	cr_assert(strstr(f->text, "on locks.b, which second/T3 must release"), "%s", f->text);
	cr_assert_eq(f->n_spots, 2);
	cr_assert_str_eq(f->spot[0].what, "Blocked in mutex_lock");
	cr_assert_eq(f->spot[0].task, 2);
	cr_assert_gt(f->spot[0].n, 0);
	cr_assert_gt(f->spot[1].n, 0);
	cr_assert_eq(f->n_held, 2);
}

Test(deadlock, one_order_is_silent)
{
	load_tasks(a_then_b, a_then_b);
	silent();
}

Test(deadlock, a_completion_that_nobody_completes)
{
	const struct finding *f;

	load_tasks(waits, NULL);
	f = fires("INFO: task hung in %F");
	cr_assert(strstr(f->text, "nobody is bound to wake it"), "%s", f->text);
}

Test(deadlock, a_completion_that_is_completed_is_silent)
{
	load_tasks(waits, completes);
	silent();
}

/* --- a daemon that holds a lock for ever --- */

static struct work_struct *work;

static void work_fn(struct work_struct *unused)
{
	(void)unused;
	mutex_lock(locks.a);
	wait_for_completion(t.done);
	mutex_unlock(locks.a);
}

static void queues(void *arg)
{
	(void)arg;
	work = kzalloc(sizeof(*work), GFP_KERNEL);
	INIT_WORK(work, work_fn);
	schedule_work(work);
}

Test(deadlock, a_work_item_that_never_ends)
{
	load_tasks(queues, NULL);
	fires("task hung");
}

static void daemon_body(void *arg)
{
	(void)arg;
	mutex_lock(locks.a);
	wait_for_completion(t.done);
	mutex_unlock(locks.a);
	wait_for_completion(t.done);
}

static void makes_daemon(void *arg)
{
	(void)arg;
	sched_spawn(w->sched, "daemon", daemon_body, NULL, TASK_DAEMON);
}

Test(deadlock, a_daemon_that_holds_a_lock_for_ever)
{
	load_tasks(makes_daemon, NULL);
	cr_assert(strstr(fires("task hung")->text, "All others have ended"));
}

Test(deadlock, a_daemon_that_waits_for_work_is_silent)
{
	load_tasks(makes_daemon, completes);
	silent();
}

Test(deadlock, a_worker_that_ends_is_silent)
{
	load_tasks(queues, completes);
	silent();
}
