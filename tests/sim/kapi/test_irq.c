// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/irq.h"

#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

static struct {
	struct mutex *m;
	u64 *dev;
	int n_hard, n_thread, n_atomic, n_victims;
	int n_waited;
	bool inside;
} t;

static irqreturn_t hard(int irq, void *dev)
{
	(void)irq;
	access_range(dev, 8, OP_READ | OP_MARKED, 1);
	t.n_hard++;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t threaded(int irq, void *dev)
{
	(void)irq;
	cr_assert(in_task());
	mutex_lock(t.m);
	access_range(dev, 8, OP_READ | OP_MARKED, 1);
	mutex_unlock(t.m);
	t.n_thread++;
	return IRQ_HANDLED;
}

static irqreturn_t sleeping(int irq, void *dev)
{
	(void)irq;
	(void)dev;
	mutex_lock(t.m);
	mutex_unlock(t.m);
	return IRQ_HANDLED;
}

static void boot(void)
{
	t.m = kzalloc(sizeof(*t.m), GFP_KERNEL);
	mutex_init(t.m);
	t.dev = kzalloc(sizeof(*t.dev), GFP_KERNEL);
}

static void begin(void)
{
	t.n_hard = 0;
	t.n_thread = 0;
}

static void load_fn(void (*fn)(void *), const char *oracles)
{
	load(.oracles = oracles, .boot = boot, .begin = begin, .task = {fn});
}

static void raiser(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		irq_raise(7);
}

static void use_device(void *arg)
{
	void *dev = kzalloc(8, GFP_KERNEL);

	(void)arg;
	cr_assert_eq(request_threaded_irq(7, hard, threaded, 0, "dev", dev), 0);
	cr_assert_eq(request_irq(7, hard, 0, "dev", t.dev), -EBUSY);
	spawn("raiser", raiser, NULL);
	step();
	step();
	free_irq(7, dev);
	kfree(dev);
}

Test(irq, after_free_irq_no_handler_runs)
{
	int hard_total = 0, thread_total = 0;

	load_fn(use_device, "all");
	for (u64 seed = 1; seed <= 500; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
		hard_total += t.n_hard;
		thread_total += t.n_thread;
		cr_assert(!t.n_hard || t.n_thread);
	}
	cr_assert_gt(hard_total, 100);
	cr_assert_gt(thread_total, 100);
}

static void see_irq(void *self, const struct fact *f)
{
	(void)self;
	if (f->arg[1]) {
		t.n_victims++;
		cr_assert_eq(this_world()->sched->task[f->arg[1]].irq_off, 0);
	}
}

static void masked(void *arg)
{
	unsigned long flags;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		local_irq_save(flags);
		step();
		step();
		local_irq_restore(flags);
		step();
	}
}

static void irqs_on_busy_cpus(void *arg)
{
	(void)arg;
	fact_subscribe(this_world()->fact, FACT_BIT(IRQ_ENTER), see_irq, NULL);
	cr_assert_eq(request_irq(7, hard, 0, "dev", t.dev), 0);
	spawn("masked", masked, NULL);
	raiser(NULL);
}

Test(irq, it_only_takes_the_cpu_of_a_task_with_interrupts_on)
{
	load_fn(irqs_on_busy_cpus, "none");
	for (u64 seed = 1; seed <= 300; seed++) {
		run(seed);
		fact_unsubscribe(w->fact, see_irq, NULL);
	}
	cr_assert_gt(t.n_victims, 50);
}

static void see_sleep(void *self, const struct fact *f)
{
	(void)self;
	(void)f;
	t.n_atomic++;
}

static void raise_sleeping(void *arg)
{
	(void)arg;
	fact_subscribe(this_world()->fact, FACT_BIT(MIGHT_SLEEP), see_sleep, NULL);
	cr_assert_eq(request_irq(7, sleeping, 0, "dev", t.dev), 0);
	irq_raise(7);
}

Test(irq, a_handler_that_may_sleep_is_announced)
{
	load_fn(raise_sleeping, "none");
	run(1);
	cr_assert_eq(t.n_atomic, 1);
}

static void disabled(void *arg)
{
	(void)arg;
	request_irq(7, hard, 0, "dev", t.dev);
	disable_irq(7);
	irq_raise(7);
	step();
	cr_assert_eq(t.n_hard, 0);
	enable_irq(7);
}

Test(irq, a_line_raised_while_disabled_fires_when_enabled)
{
	load_fn(disabled, "none");
	for (u64 seed = 1; seed <= 100; seed++) {
		run(seed);
		cr_assert_eq(t.n_hard, 1);
	}
}

static void free_twice(void *arg)
{
	(void)arg;
	request_irq(7, sleeping, 0, "dev", t.dev);
	free_irq(7, t.dev);
	free_irq(7, t.dev);
}

Test(irq, freeing_a_line_twice_is_a_finding)
{
	load_fn(free_twice, "all");
	run_finds_text(1, "already-free IRQ");
}

/* An interrupt is a reader that a grace period waits for. */
static irqreturn_t reading(int irq, void *dev)
{
	(void)irq;
	(void)dev;
	t.inside = true;
	step();
	step();
	t.inside = false;
	t.n_hard++;
	return IRQ_HANDLED;
}

static void wait_for_handlers(void *arg)
{
	bool was_inside;

	(void)arg;
	request_irq(7, reading, 0, "dev", t.dev);
	/* Not to be its victim. */
	local_irq_disable();
	irq_raise(7);
	step();
	step();
	was_inside = t.inside;
	local_irq_enable();
	synchronize_rcu();
	if (was_inside) {
		cr_assert_not(t.inside);
		t.n_waited++;
	}
}

Test(irq, synchronize_rcu_waits_for_running_handlers)
{
	load_fn(wait_for_handlers, "none");
	for (u64 seed = 1; seed <= 300; seed++) {
		t.inside = false;
		cr_assert_eq(run(seed).end, SCHED_AT_REST);
	}
	cr_assert_gt(t.n_waited, 0);
}
