// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/preempt.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/spinlock.h"
#include "tests/kit/oracle.h"

static struct {
	struct mutex *m;
	spinlock_t *spin;
} t;

static void boot(void)
{
	t.m = kzalloc(sizeof(*t.m), GFP_KERNEL);
	t.spin = kzalloc(sizeof(*t.spin), GFP_KERNEL);
	mutex_init(t.m);
	spin_lock_init(t.spin);
}

static void load_task(void (*body)(void *))
{
	load_oracle("atomic", .boot = boot, .task = {body, body});
}

static void mutex_under_spinlock(void *arg)
{
	(void)arg;
	spin_lock(t.spin);
	mutex_lock(t.m);
	mutex_unlock(t.m);
	spin_unlock(t.spin);
}

static void spinlock_under_mutex(void *arg)
{
	(void)arg;
	mutex_lock(t.m);
	spin_lock(t.spin);
	kfree(kmalloc(8, GFP_ATOMIC));
	spin_unlock(t.spin);
	mutex_unlock(t.m);
}

static void allocates_in_reader_section(void *arg)
{
	(void)arg;
	rcu_read_lock();
	kfree(kmalloc(8, GFP_KERNEL));
	rcu_read_unlock();
}

static void blocks_unannounced(void *arg)
{
	(void)arg;
	preempt_disable();
	sched_block("a thing", NULL, -1, 1000);
	preempt_enable();
}

static void blocks_allowed(void *arg)
{
	(void)arg;
	sched_block("a thing", NULL, -1, 1000);
}

static void keeps_lock(void *arg)
{
	(void)arg;
	if (mutex_trylock(t.m) && arg)
		mutex_unlock(t.m);
}

static void keeps_reader_section(void *arg)
{
	(void)arg;
	rcu_read_lock();
}

static void keeps_interrupts_off(void *arg)
{
	(void)arg;
	local_irq_disable();
}

Test(atomic, a_mutex_under_a_spinlock)
{
	const struct finding *f;

	load_task(mutex_under_spinlock);
	f = fires("BUG: sleeping function called from invalid context in %F");
	cr_assert_str_eq(f->spot[0].what, "mutex_lock() may sleep");
	cr_assert_str_eq(f->spot[1].what, "Last lock taken");
	cr_assert(strstr(f->text, "in_atomic(): 1"));
}

Test(atomic, a_sleeping_allocation_in_a_reader_section)
{
	load_task(allocates_in_reader_section);
	cr_assert(strstr(fires("BUG: sleeping function called from invalid context")->text,
			 "RCU nest depth: 1"));
}

Test(atomic, a_spinlock_under_a_mutex_is_silent)
{
	load_task(spinlock_under_mutex);
	silent();
}

Test(atomic, blocking_in_atomic_context)
{
	load_task(blocks_unannounced);
	fires("BUG: scheduling while atomic in %F");
}

Test(atomic, blocking_elsewhere_is_silent)
{
	load_task(blocks_allowed);
	silent();
}

Test(atomic, a_lock_held_at_the_end)
{
	load_task(keeps_lock);
	cr_assert_str_eq(fires("WARNING: lock held at task exit, taken in %F")->spot[0].what,
			 "Last lock taken");
}

Test(atomic, a_reader_section_open_at_the_end)
{
	load_task(keeps_reader_section);
	fires("WARNING: RCU reader section open at task exit");
}

Test(atomic, interrupts_off_at_the_end)
{
	load_task(keeps_interrupts_off);
	fires("BUG: task exits in atomic context");
}
