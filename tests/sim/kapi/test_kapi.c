// SPDX-License-Identifier: GPL-2.0-only
/*
 * The per-world state: what is made in one run is gone in the next, what was
 * made at boot is there, and equal seeds make equal runs.
 */
#include "sim/kapi/kapi.h"

#include "sim/kapi/irq.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/spinlock.h"
#include "sim/kapi/workqueue.h"
#include "tests/kit/program.h"

struct shared {
	struct rcu_head rcu;
	struct work_struct work;
	struct delayed_work later;
	spinlock_t lock;
	struct workqueue_struct *wq;
};

static struct {
	struct shared *s;
	int n_rcu, n_work, n_irq;
} t;

static void called(struct rcu_head *head)
{
	(void)head;
	t.n_rcu++;
}

static void worked(struct work_struct *work)
{
	(void)work;
	t.n_work++;
}

static irqreturn_t handled(int irq, void *dev)
{
	struct shared *s = dev;

	(void)irq;
	spin_lock(&s->lock);
	t.n_irq++;
	spin_unlock(&s->lock);
	return IRQ_HANDLED;
}

/* Boot uses every daemon once, so that they exist then. */
static void boot(void)
{
	struct shared *s = kzalloc(sizeof(*s), GFP_KERNEL);

	t.s = s;
	s->wq = alloc_workqueue("boot", 0, 0);
	spin_lock_init(&s->lock);
	INIT_WORK(&s->work, worked);
	INIT_DELAYED_WORK(&s->later, worked);
	call_rcu(&s->rcu, called);
	rcu_barrier();
	queue_work(s->wq, &s->work);
	flush_work(&s->work);
	request_irq(3, handled, 0, "boot", s);
}

static void user(void *arg)
{
	unsigned long flags;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		spin_lock_irqsave(&t.s->lock, flags);
		step();
		spin_unlock_irqrestore(&t.s->lock, flags);
		rcu_read_lock();
		step();
		rcu_read_unlock();
		queue_work(t.s->wq, &t.s->work);
		queue_work(system_wq, &t.s->later.work);
	}
}

static void other(void *arg)
{
	(void)arg;
	call_rcu(&t.s->rcu, called);
	irq_raise(3);
	synchronize_rcu();
	rcu_barrier();
	flush_workqueue(t.s->wq);
	flush_workqueue(system_wq);
	cr_assert_eq(t.n_rcu, 1);
}

static void begin(void)
{
	t.n_rcu = 0;
	t.n_work = 0;
	t.n_irq = 0;
}

Test(kapi, services_that_were_used_at_boot_work_in_every_run)
{
	load(.boot = boot, .begin = begin, .task = {user, other});
	for (u64 seed = 1; seed <= 300; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
		cr_assert_eq(t.n_irq, 1);
		cr_assert_geq(t.n_work, 2);
	}
}

Test(kapi, equal_seeds_make_equal_runs_whatever_ran_before)
{
	u64 hash[20], differ = 0;

	load(.boot = boot, .begin = begin, .task = {user, other});
	for (u64 seed = 0; seed < 20; seed++)
		hash[seed] = run(seed + 1).hash;
	for (u64 seed = 20; seed-- > 0;)
		cr_assert_eq(run(seed + 1).hash, hash[seed]);
	for (u64 seed = 1; seed < 20; seed++)
		differ += hash[seed] != hash[0];
	cr_assert_gt(differ, 15);
}

static void thread(void *arg)
{
	*(int *)arg += 1;
}

static void parent(void *arg)
{
	(void)arg;
	kthread_run(thread, &t.n_work, 0, "thread");
}

static void begin_parent(void)
{
	t.n_work = 0;
}

Test(kapi, a_kernel_thread_runs_its_function)
{
	load(.begin = begin_parent, .task = {parent});
	run_clean(1);
	cr_assert_eq(t.n_work, 1);
}
