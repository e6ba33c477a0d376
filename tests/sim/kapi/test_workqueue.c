// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/workqueue.h"

#include "sim/kapi/completion.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

struct job {
	struct work_struct work;
	struct delayed_work later;
	struct timer_list timer[3];
	struct completion may_end;
	u64 data;
};

static struct {
	struct job *j;
	struct workqueue_struct *wq;
	int n_run, inside, inside_max, order[4], n_fired;
	u64 at_ns[4];
	bool requeue, free_self;
} t;

static void work(struct work_struct *w)
{
	struct job *j = container_of(w, struct job, work);

	t.inside_max = max(t.inside_max, ++t.inside);
	step();
	access_range(&j->data, 8, OP_WRITE, 1);
	t.inside--;
	t.n_run++;
	if (t.requeue && t.n_run < 3)
		queue_work(t.wq, w);
}

static void delayed(struct work_struct *w)
{
	(void)w;
	t.at_ns[t.n_run++] = (u64)ktime_get();
}

static void fired(struct timer_list *timer)
{
	cr_assert_eq((int)(timer - t.j->timer), t.order[t.n_fired]);
	t.at_ns[t.n_fired++] = (u64)ktime_get();
}

static void boot(void)
{
	t.wq = alloc_workqueue("test", 0, 0);
	t.j = kzalloc(sizeof(*t.j), GFP_KERNEL);
	INIT_WORK(&t.j->work, work);
	INIT_DELAYED_WORK(&t.j->later, delayed);
	init_completion(&t.j->may_end);
	for (int i = 0; i < 3; i++)
		timer_setup(&t.j->timer[i], fired, 0);
}

static void begin(void)
{
	t.n_run = 0;
	t.inside = 0;
	t.n_fired = 0;
}

static void load_fn(void (*fn)(void *), const char *oracles)
{
	load(.oracles = oracles, .boot = boot, .begin = begin, .task = {fn});
}

static void queue_and_flush(void *arg)
{
	(void)arg;
	access_range(&t.j->data, 8, OP_WRITE, 1);
	queue_work(t.wq, &t.j->work);
	flush_work(&t.j->work);
	cr_assert_geq(t.n_run, 1);
	access_range(&t.j->data, 8, OP_READ, 1);
}

Test(workqueue, flush_work_returns_after_the_work_and_orders_it)
{
	load_fn(queue_and_flush, "all");
	run_clean(500);
	cr_assert_eq(t.n_run, 1);
}

static void queue_many(void *arg)
{
	int queued = 0;

	(void)arg;
	for (int i = 0; i < 6; i++)
		queued += queue_work(t.wq, &t.j->work);
	flush_workqueue(t.wq);
	cr_assert_eq(t.n_run, queued);
	cr_assert_not(work_pending(&t.j->work));
}

Test(workqueue, a_work_item_never_meets_itself_and_runs_once_per_queueing)
{
	load_fn(queue_many, "all");
	run_clean(500);
	cr_assert_eq(t.inside_max, 1);
}

static void cancel(void *arg)
{
	bool pending;
	int before;

	(void)arg;
	queue_work(t.wq, &t.j->work);
	step();
	pending = cancel_work_sync(&t.j->work);
	before = t.n_run;
	cr_assert(pending || before > 0);
	cr_assert_eq(t.inside, 0);
	access_range(&t.j->data, 8, OP_WRITE, 1);
	step();
	cr_assert_eq(t.n_run, before);
}

Test(workqueue, after_cancel_work_sync_it_is_neither_pending_nor_running)
{
	t.requeue = true;
	load_fn(cancel, "all");
	run_clean(500);
}

static void destroy(void *arg)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("own", 0);

	(void)arg;
	queue_work(wq, &t.j->work);
	destroy_workqueue(wq);
	cr_assert_eq(t.n_run, 1);
}

Test(workqueue, destroying_a_queue_drains_it_and_leaks_nothing)
{
	load_fn(destroy, "all");
	run_clean(300);
}

static void freeing_work(struct work_struct *w)
{
	t.n_run++;
	kfree(w);
}

static void queue_freeing(void *arg)
{
	struct work_struct *w = kzalloc(sizeof(*w), GFP_KERNEL);

	(void)arg;
	INIT_WORK(w, freeing_work);
	queue_work(system_wq, w);
	flush_workqueue(system_wq);
	cr_assert_eq(t.n_run, 1);
}

Test(workqueue, a_work_item_may_free_itself)
{
	load_fn(queue_freeing, "all");
	run_clean(200);
}

static void free_pending(void *arg)
{
	struct work_struct *w = kzalloc(sizeof(*w), GFP_KERNEL);

	(void)arg;
	INIT_WORK(w, freeing_work);
	queue_work(system_wq, w);
	kfree(w);
}

Test(workqueue, freeing_a_pending_item_is_a_finding)
{
	load_fn(free_pending, "kasan");
	run_finds_text(100, "KASAN");
}

static void flush_self(struct work_struct *w)
{
	flush_work(w);
}

static void start_flush_self(void *arg)
{
	struct work_struct *w = kzalloc(sizeof(*w), GFP_KERNEL);

	(void)arg;
	INIT_WORK(w, flush_self);
	queue_work(system_wq, w);
	flush_work(w);
}

Test(workqueue, a_work_item_that_flushes_itself_deadlocks)
{
	load_fn(start_flush_self, "none");
	cr_assert_eq(run(1).end, SCHED_DEADLOCK);
}

static void leaking_work(struct work_struct *w)
{
	(void)w;
	preempt_disable();
}

static void queue_leaking(void *arg)
{
	struct work_struct *w = kzalloc(sizeof(*w), GFP_KERNEL);

	(void)arg;
	INIT_WORK(w, leaking_work);
	queue_work(system_wq, w);
	flush_work(w);
}

Test(workqueue, a_work_function_that_returns_atomic_is_a_finding)
{
	load_fn(queue_leaking, "warn");
	run_finds_text(1, "scheduling while atomic");
}

static void stuck_work(struct work_struct *w)
{
	(void)w;
	wait_for_completion(&t.j->may_end);
}

static void queue_stuck(void *arg)
{
	(void)arg;
	INIT_WORK(&t.j->work, stuck_work);
	queue_work(system_wq, &t.j->work);
}

Test(workqueue, a_work_item_that_never_ends_is_a_deadlock_though_nobody_waits_for_it)
{
	load_fn(queue_stuck, "none");
	cr_assert_eq(run(1).end, SCHED_DEADLOCK);
}

/* --- time --- */

static void delay(void *arg)
{
	(void)arg;
	cr_assert(queue_delayed_work(t.wq, &t.j->later, 7));
	cr_assert_not(queue_delayed_work(t.wq, &t.j->later, 1));
	cr_assert(delayed_work_pending(&t.j->later));
	msleep(20);
	cr_assert_eq(t.n_run, 1);
	queue_delayed_work(t.wq, &t.j->later, 50);
	cr_assert(cancel_delayed_work_sync(&t.j->later));
	queue_delayed_work(t.wq, &t.j->later, 50);
	flush_delayed_work(&t.j->later);
	cr_assert_eq(t.n_run, 2);
}

Test(workqueue, delayed_work_runs_when_its_time_has_come_or_when_flushed)
{
	struct world_run r;

	load_fn(delay, "all");
	r = run_with(.seed = 1);
	assert_clean(&r);
	cr_assert_eq(t.n_run, 2);
	cr_assert_eq(t.at_ns[0], 7 * NSEC_PER_MSEC);
	cr_assert_eq(t.at_ns[1], 20 * NSEC_PER_MSEC);
}

static void arm(void *arg)
{
	(void)arg;
	t.order[0] = 1;
	t.order[1] = 0;
	t.order[2] = 2;
	mod_timer(&t.j->timer[0], jiffies + 5);
	mod_timer(&t.j->timer[1], jiffies + 3);
	mod_timer(&t.j->timer[2], jiffies + 1);
	cr_assert(mod_timer(&t.j->timer[2], jiffies + 5));
	msleep(10);
}

Test(timer, timers_fire_in_order_of_their_deadlines_then_of_arming)
{
	load_fn(arm, "all");
	for (u64 seed = 1; seed <= 50; seed++) {
		struct world_run r = run_with(.seed = seed);

		assert_clean(&r);
		cr_assert_eq(t.n_fired, 3);
		cr_assert_eq(t.at_ns[0], 3 * NSEC_PER_MSEC);
		cr_assert_eq(t.at_ns[2], 5 * NSEC_PER_MSEC);
	}
}

static void arm_and_delete(void *arg)
{
	bool pending;

	(void)arg;
	t.order[0] = 0;
	mod_timer(&t.j->timer[0], jiffies);
	step();
	pending = del_timer_sync(&t.j->timer[0]);
	cr_assert_eq(t.n_fired, !pending);
	cr_assert_not(timer_pending(&t.j->timer[0]));
}

Test(timer, after_del_timer_sync_it_has_fired_or_never_will)
{
	load_fn(arm_and_delete, "all");
	run_clean(300);
}

static void sleepy(struct timer_list *timer)
{
	(void)timer;
	msleep(1);
}

static void see_sleep(void *self, const struct fact *f)
{
	(void)self;
	(void)f;
	t.n_fired++;
}

static void arm_sleepy(void *arg)
{
	(void)arg;
	fact_subscribe(this_world()->fact, FACT_BIT(MIGHT_SLEEP), see_sleep, NULL);
	timer_setup(&t.j->timer[0], sleepy, 0);
	mod_timer(&t.j->timer[0], jiffies + 5);
	msleep(10);
}

Test(timer, a_timer_function_that_sleeps_is_announced_as_atomic)
{
	load_fn(arm_sleepy, "none");
	run(1);
	cr_assert_eq(t.n_fired, 1);
}
