// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/rcu.h"

#include "sim/kapi/kapi.h"
#include "sim/kapi/preempt.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/srcu.h"
#include "tests/kit/program.h"

struct thing {
	u64 value;
	struct rcu_head rcu;
};

static struct {
	struct thing **slot; /* the published pointer */
	struct srcu_struct *srcu;
	int readers, n_called, order[4];
	bool overlap, no_grace_period, queue_twice, barrier, sleepable;
	bool saw_old;
} t;

static void boot(void)
{
	t.slot = kzalloc(sizeof(*t.slot), GFP_KERNEL);
	t.srcu = kzalloc(sizeof(*t.srcu), GFP_KERNEL);
	init_srcu_struct(t.srcu);
	*t.slot = kzalloc(sizeof(**t.slot), GFP_KERNEL);
}

static struct thing *fetch(void)
{
	access_range(t.slot, 8, OP_READ | OP_MARKED, 1);
	access_acquire(t.slot);
	return *t.slot;
}

static struct thing *replace(struct thing *by)
{
	struct thing *old = *t.slot;

	access_range(t.slot, 8, OP_WRITE | OP_MARKED, 1);
	access_release(t.slot);
	*t.slot = by;
	return old;
}

static void reader(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		struct thing *p;
		int index = 0;

		if (t.sleepable)
			index = srcu_read_lock(t.srcu);
		else
			rcu_read_lock();
		t.readers++;
		p = fetch();
		step();
		if (p)
			access_range(&p->value, 8, OP_READ, 1);
		t.saw_old |= p && p != *t.slot;
		t.readers--;
		if (t.sleepable)
			srcu_read_unlock(t.srcu, index);
		else
			rcu_read_unlock();
	}
}

static void updater(void *arg)
{
	struct thing *old = replace(NULL);

	(void)arg;
	if (!t.no_grace_period && t.sleepable)
		synchronize_srcu(t.srcu);
	else if (!t.no_grace_period)
		synchronize_rcu();
	kfree(old);
}

static void begin(void)
{
	t.readers = 0;
}

Test(rcu, a_grace_period_waits_for_the_readers_that_began_before_it)
{
	load(.boot = boot, .begin = begin, .task = {reader, reader, updater});
	run_clean(1000);
	cr_assert(t.saw_old);
}

Test(rcu, freeing_without_a_grace_period_is_found)
{
	t.no_grace_period = true;
	load(.oracles = "kasan", .boot = boot, .begin = begin, .task = {reader, reader, updater});
	run_finds_text(200, "use-after-free");
}

Test(srcu, a_grace_period_waits_for_the_readers_that_began_before_it)
{
	t.sleepable = true;
	load(.boot = boot, .begin = begin, .task = {reader, reader, updater});
	run_clean(1000);
	cr_assert(t.saw_old);
}

Test(srcu, freeing_without_a_grace_period_is_found)
{
	t.sleepable = true;
	t.no_grace_period = true;
	load(.oracles = "kasan", .boot = boot, .begin = begin, .task = {reader, reader, updater});
	run_finds_text(200, "use-after-free");
}

static void kfree_updater(void *arg)
{
	struct thing *old = replace(NULL);

	(void)arg;
	kfree_rcu(old, rcu);
	if (t.queue_twice)
		kfree_rcu(old, rcu);
}

Test(rcu, kfree_rcu_frees_after_the_last_reader_and_leaks_nothing)
{
	load(.boot = boot, .task = {reader, kfree_updater});
	for (u64 seed = 1; seed <= 500; seed++) {
		struct world_run r = run(seed);
		u64 live = mem_live_count(w->mem);

		assert_clean(&r);
		cr_assert_eq(live, 2); /* slot and srcu; the thing is gone */
	}
}

Test(rcu, queueing_a_head_twice_is_a_finding)
{
	t.queue_twice = true;
	load(.boot = boot, .task = {reader, kfree_updater});
	run_finds_text(200, "ODEBUG");
}

/* --- callbacks --- */

static void callback(struct rcu_head *head)
{
	struct thing *p = container_of(head, struct thing, rcu);

	cr_assert(in_softirq());
	t.overlap |= t.readers > 0;
	t.order[t.n_called++] = (int)p->value;
	kfree(p);
}

static void caller(void *arg)
{
	(void)arg;
	t.n_called = 0;
	for (u64 i = 1; i <= 3; i++) {
		struct thing *p = kzalloc(sizeof(*p), GFP_KERNEL);

		p->value = i;
		call_rcu(&p->rcu, callback);
	}
	if (!t.barrier)
		return;
	rcu_barrier();
	cr_assert_eq(t.n_called, 3);
}

Test(rcu, callbacks_run_once_in_order_and_rcu_barrier_waits_for_them)
{
	t.barrier = true;
	load(.boot = boot, .task = {caller, reader});
	for (u64 seed = 1; seed <= 300; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
		cr_assert_eq(t.n_called, 3);
		for (int i = 0; i < 3; i++)
			cr_assert_eq(t.order[i], i + 1);
	}
}

static void srcu_caller(void *arg)
{
	struct thing *p = kzalloc(sizeof(*p), GFP_KERNEL);

	(void)arg;
	t.n_called = 0;
	call_srcu(t.srcu, &p->rcu, callback);
	srcu_barrier(t.srcu);
	cr_assert_eq(t.n_called, 1);
}

Test(srcu, callbacks_run_before_srcu_barrier_returns)
{
	t.sleepable = true;
	load(.boot = boot, .task = {srcu_caller, reader});
	run_clean(300);
}

/* --- misuse --- */

static void unbalanced(void *arg)
{
	(void)arg;
	rcu_read_lock();
	kapi_task_exit_check();
}

static void over_unlocked(void *arg)
{
	(void)arg;
	rcu_read_unlock();
}

static void self_deadlock(void *arg)
{
	int index = srcu_read_lock(t.srcu);

	(void)arg;
	synchronize_srcu(t.srcu);
	srcu_read_unlock(t.srcu, index);
}

static struct world_run run_alone(void (*fn)(void *), const char *oracles)
{
	load(.oracles = oracles, .boot = boot, .task = {fn});
	return run(1);
}

Test(rcu, an_open_section_at_the_end_of_a_task_is_a_finding)
{
	assert_title(run_alone(unbalanced, "warn").finding, "RCU read lock held");
}

Test(rcu, unlocking_what_is_not_locked_is_a_finding)
{
	assert_title(run_alone(over_unlocked, "warn").finding, "bad unlock balance");
}

Test(srcu, synchronising_inside_a_reader_deadlocks)
{
	cr_assert_eq(run_alone(self_deadlock, "none").end, SCHED_DEADLOCK);
}
