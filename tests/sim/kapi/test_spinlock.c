// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/spinlock.h"

#include "sim/kapi/irq.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

static struct {
	spinlock_t *l;
	struct mutex *m;
	int inside, inside_max, n_irqs, n_atomic;
	bool save_flags;
} t;

static irqreturn_t handler(int irq, void *dev)
{
	(void)irq;
	(void)dev;
	cr_assert(in_hardirq());
	cr_assert(irqs_disabled());
	spin_lock(t.l);
	t.inside_max = max(t.inside_max, ++t.inside);
	step();
	t.inside--;
	spin_unlock(t.l);
	t.n_irqs++;
	return IRQ_HANDLED;
}

static void boot(void)
{
	t.l = kzalloc(sizeof(*t.l), GFP_KERNEL);
	t.m = kzalloc(sizeof(*t.m), GFP_KERNEL);
	spin_lock_init(t.l);
	mutex_init(t.m);
	cr_assert_eq(request_irq(5, handler, 0, "test", t.l), 0);
}

static void with_lock(void *arg)
{
	unsigned long flags = 0;

	(void)arg;
	for (int i = 0; i < 2; i++) {
		if (t.save_flags)
			spin_lock_irqsave(t.l, flags);
		else
			spin_lock(t.l);
		cr_assert(in_atomic());
		t.inside_max = max(t.inside_max, ++t.inside);
		step();
		step();
		t.inside--;
		if (t.save_flags)
			spin_unlock_irqrestore(t.l, flags);
		else
			spin_unlock(t.l);
		cr_assert_not(in_atomic());
		cr_assert_not(irqs_disabled());
	}
}

static void raiser(void *arg)
{
	(void)arg;
	irq_raise(5);
	step();
	irq_raise(5);
}

static void begin(void)
{
	t.inside = 0;
}

Test(spinlock, irqsave_keeps_the_interrupt_out_on_the_own_cpu)
{
	t.save_flags = true;
	load(.boot = boot, .begin = begin, .task = {with_lock, raiser});
	run_clean(1000);
	cr_assert_eq(t.inside_max, 1);
	cr_assert_geq(t.n_irqs, 1000);
}

Test(spinlock, without_irqsave_the_interrupt_of_the_holder_deadlocks)
{
	load(.oracles = "none", .boot = boot, .begin = begin, .task = {with_lock, raiser});
	cr_assert_gt(run_count(200, SCHED_DEADLOCK), 0);
}

static void see_atomic(void *self, const struct fact *f)
{
	(void)self;
	cr_assert_str_eq((const char *)(uintptr_t)f->arg[0], "mutex_lock");
	t.n_atomic++;
}

static void sleeper(void *arg)
{
	(void)arg;
	spin_lock(t.l);
	mutex_lock(t.m);
	mutex_unlock(t.m);
	spin_unlock(t.l);
}

static void begin_sleeper(void)
{
	fact_subscribe(w->fact, FACT_BIT(MIGHT_SLEEP), see_atomic, NULL);
}

Test(spinlock, taking_a_mutex_under_it_is_announced_as_sleeping_in_atomic_context)
{
	load(.oracles = "none", .boot = boot, .begin = begin_sleeper, .task = {sleeper});
	run_with(.seed = 1);
	cr_assert_eq(t.n_atomic, 1);
}

static void allocator(void *arg)
{
	(void)arg;
	spin_lock(t.l);
	kfree(kmalloc(8, GFP_ATOMIC));
	spin_unlock(t.l);
}

Test(spinlock, an_atomic_allocation_under_it_is_fine)
{
	load(.boot = boot, .task = {allocator});
	run_clean(1);
}

static void unbalanced(void *arg)
{
	(void)arg;
	preempt_disable();
	kapi_task_exit_check();
}

Test(spinlock, ending_a_task_with_preemption_off_is_a_finding)
{
	load(.boot = boot, .task = {unbalanced});
	run_finds_text(1, "scheduling while atomic");
}
