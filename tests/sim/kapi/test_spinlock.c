// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/spinlock.h"

#include "sim/kapi/irq.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "tests/sim/kapi/kapi_test.h"

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

static void boot(struct world *world, void *self)
{
	(void)world;
	(void)self;
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

static void start(struct world *world, void *self)
{
	(void)self;
	t.inside = 0;
	sched_spawn(world->sched, "task", with_lock, NULL, 0);
	sched_spawn(world->sched, "device", raiser, NULL, 0);
}

Test(spinlock, irqsave_keeps_the_interrupt_out_on_the_own_cpu)
{
	t.save_flags = true;
	load_booted(boot, start);
	run_clean(1000);
	cr_assert_eq(t.inside_max, 1);
	cr_assert_geq(t.n_irqs, 1000);
}

Test(spinlock, without_irqsave_the_interrupt_of_the_holder_deadlocks)
{
	u32 deadlocks = 0;

	world_set_oracles(w = world_create(0), "none");
	world_load(w, &(struct world_program){.boot = boot, .start = start});
	for (u64 seed = 1; seed <= 200; seed++)
		deadlocks += run(seed).end == SCHED_DEADLOCK;
	cr_assert_gt(deadlocks, 0);
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

static void start_sleeper(struct world *world, void *self)
{
	(void)self;
	fact_subscribe(world->fact, FACT_BIT(MIGHT_SLEEP), see_atomic, NULL);
	sched_spawn(world->sched, "task", sleeper, NULL, 0);
}

Test(spinlock, taking_a_mutex_under_it_is_announced_as_sleeping_in_atomic_context)
{
	struct world_run r = {.seed = 1};

	world_set_oracles(w = world_create(0), "none");
	world_load(w, &(struct world_program){.boot = boot, .start = start_sleeper});
	world_run(w, &r);
	cr_assert_eq(t.n_atomic, 1);
}

static void allocator(void *arg)
{
	(void)arg;
	spin_lock(t.l);
	kfree(kmalloc(8, GFP_ATOMIC));
	spin_unlock(t.l);
}

static void start_allocator(struct world *world, void *self)
{
	(void)self;
	sched_spawn(world->sched, "task", allocator, NULL, 0);
}

Test(spinlock, an_atomic_allocation_under_it_is_fine)
{
	load_booted(boot, start_allocator);
	run_clean(1);
}

static void unbalanced(void *arg)
{
	(void)arg;
	preempt_disable();
	kapi_task_exit_check();
}

static void start_unbalanced(struct world *world, void *self)
{
	(void)self;
	sched_spawn(world->sched, "task", unbalanced, NULL, 0);
}

Test(spinlock, ending_a_task_with_preemption_off_is_a_finding)
{
	load_booted(boot, start_unbalanced);
	runs_until_finding(1, "scheduling while atomic");
}
