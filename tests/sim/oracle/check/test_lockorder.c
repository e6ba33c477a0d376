// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kapi/irq.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/rwsem.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/spinlock.h"
#include "tests/kit/locks.h"
#include "tests/kit/oracle.h"

static struct {
	struct mutex *c, *twin;
	struct rw_semaphore *s;
	spinlock_t *spin;
} t;

/* Two of one class. */
static struct mutex *make_twin(void)
{
	struct mutex *m = kzalloc(sizeof(*m), GFP_KERNEL);

	mutex_init(m);
	return m;
}

static void boot(void)
{
	locks_boot();
	t.s = kzalloc(sizeof(*t.s), GFP_KERNEL);
	t.spin = kzalloc(sizeof(*t.spin), GFP_KERNEL);
	init_rwsem(t.s);
	spin_lock_init(t.spin);
	t.c = make_twin();
	t.twin = make_twin();
}

static void load_tasks(void (*first)(void *), void (*second)(void *), void (*third)(void *))
{
	load_oracle("lockorder", .boot = boot, .task = {first, second, third});
}

static void b_then_c(void *arg)
{
	(void)arg;
	lock_pair(locks.b, t.c);
}

static void c_then_a(void *arg)
{
	(void)arg;
	lock_pair(t.c, locks.a);
}

Test(lockorder, two_orders_of_two_locks_are_circular)
{
	const struct finding *f;

	load_tasks(a_then_b, b_then_a, NULL);
	f = fires("WARNING: possible circular locking dependency detected");
	cr_assert(strstr(f->text, "CPU0"), "%s", f->text);
	cr_assert(strstr(f->text, "lock(locks.a)"), "%s", f->text);
	cr_assert(strstr(f->text, "*** DEADLOCK ***"));
	cr_assert(strstr(f->spot[0].what, "Acquiring locks."));
	cr_assert(strstr(f->spot[1].what, "Holding locks."));
	cr_assert(strstr(f->spot[2].what, "-> #1 locks."));
	cr_assert_geq(f->n_held, 1);
	cr_assert(strstr(f->held[0].name, "locks."));
}

Test(lockorder, three_orders_of_three_locks_are_circular)
{
	const struct finding *f;

	load_tasks(a_then_b, b_then_c, c_then_a);
	f = fires("possible circular locking");
	cr_assert(strstr(f->text, "CPU2"), "%s", f->text);
	cr_assert(strstr(f->spot[2].what, "-> #2"));
	cr_assert(strstr(f->spot[3].what, "-> #1"));
}

Test(lockorder, one_order_is_silent)
{
	load_tasks(a_then_b, a_then_b, b_then_c);
	silent();
	cr_assert_eq(oracle_lockorder_edges(w->oracles, NULL, 0), 0);
}

/* --- orders from several runs --- */

static u32 n_told;

static void count(void *self, const struct fact *f)
{
	(void)self;
	(void)f;
	n_told++;
}

/* Known orders are not told to the oracle; to others they are. */
Test(lockorder, who_else_listens_hears_of_locks_of_known_order)
{
	u32 first;

	load_tasks(a_then_b, a_then_b, NULL);
	fact_subscribe(w->fact, FACT_BIT(LOCK_ACQUIRE), count, NULL);
	n_told = 0;
	run(1);
	first = n_told;
	cr_assert_geq(first, 4);
	run(1);
	cr_assert_eq(n_told, 2 * first);
	fact_unsubscribe(w->fact, count, NULL);
}

Test(lockorder, orders_of_different_runs_make_a_cycle)
{
	const struct finding *f;
	u64 runs[4];

	load_tasks(a_then_b, NULL, NULL);
	oracles_set_run(w->oracles, 41);
	cr_assert_null(run(1).finding);
	program_task(0, b_then_c);
	oracles_set_run(w->oracles, 42);
	cr_assert_null(run(1).finding);
	cr_assert_null(run(2).finding);
	program_task(0, c_then_a);
	oracles_set_run(w->oracles, 50);
	f = run(1).finding;
	cr_assert_not_null(f);
	cr_assert(f->needs_carry);
	cr_assert_eq(oracle_lockorder_edges(w->oracles, runs, 4), 2);
	cr_assert_eq(runs[0], 41);
	cr_assert_eq(runs[1], 42);
	cr_assert_eq(f->spot[2].op, 0, "an operation of another run says nothing in this one");
	cr_assert_gt(f->spot[2].n, 0);
}

Test(lockorder, an_empty_graph_has_forgotten_them)
{
	load_tasks(a_then_b, NULL, NULL);
	cr_assert_null(run(1).finding);
	oracles_forget(w->oracles);
	program_task(0, b_then_a);
	cr_assert_null(run(1).finding);
	program_task(0, a_then_b);
	cr_assert_not_null(run(1).finding);
}

Test(lockorder, a_cycle_within_one_run_needs_no_other)
{
	load_tasks(a_then_b, b_then_a, NULL);
	cr_assert_not(fires("circular")->needs_carry);
	cr_assert_eq(oracle_lockorder_edges(w->oracles, NULL, 0), 0);
}

/* --- the same class twice --- */

static void twins(void *arg)
{
	(void)arg;
	lock_pair(t.c, t.twin);
}

static void twins_nested(void *arg)
{
	(void)arg;
	mutex_lock(t.c);
	mutex_lock_nested(t.twin, SINGLE_DEPTH_NESTING);
	mutex_unlock(t.twin);
	mutex_unlock(t.c);
}

static void itself(void *arg)
{
	(void)arg;
	mutex_lock(locks.a);
	mutex_lock(locks.a);
}

Test(lockorder, two_locks_of_a_class_are_recursive)
{
	load_tasks(twins, NULL, NULL);
	cr_assert(strstr(fires("WARNING: possible recursive locking detected")->text,
			 "another lock"));
}

Test(lockorder, a_lock_taken_twice_is_recursive)
{
	load_tasks(itself, NULL, NULL);
	cr_assert(strstr(fires("possible recursive locking")->text, "this very lock"));
}

Test(lockorder, a_subclass_is_a_class_of_its_own)
{
	load_tasks(twins_nested, twins_nested, NULL);
	silent();
}

/* --- readers and trylocks --- */

static void s_then_a(void *arg)
{
	(void)arg;
	down_read(t.s);
	mutex_lock(locks.a);
	mutex_unlock(locks.a);
	up_read(t.s);
}

static void a_then_s(void *arg)
{
	(void)arg;
	mutex_lock(locks.a);
	down_read(t.s);
	up_read(t.s);
	mutex_unlock(locks.a);
}

static void try_b_then_a(void *arg)
{
	(void)arg;
	mutex_lock(locks.b);
	if (mutex_trylock(locks.a))
		mutex_unlock(locks.a);
	mutex_unlock(locks.b);
}

Test(lockorder, fair_readers_are_part_of_cycles)
{
	load_tasks(s_then_a, a_then_s, NULL);
	fires("possible circular locking");
}

Test(lockorder, a_trylock_waits_for_nobody)
{
	load_tasks(a_then_b, try_b_then_a, NULL);
	silent();
}

/* --- interrupts --- */

static irqreturn_t handler(int irq, void *dev)
{
	(void)irq;
	(void)dev;
	spin_lock(t.spin);
	spin_unlock(t.spin);
	return IRQ_HANDLED;
}

static void interrupted(void *arg)
{
	(void)arg;
	request_irq(3, handler, 0, "test", t.spin);
	irq_raise(3);
	synchronize_irq(3);
	free_irq(3, t.spin);
}

static void with_interrupts_on(void *arg)
{
	(void)arg;
	spin_lock(t.spin);
	spin_unlock(t.spin);
}

static void with_interrupts_off(void *arg)
{
	(void)arg;
	spin_lock_irq(t.spin);
	spin_unlock_irq(t.spin);
}

Test(lockorder, a_lock_of_interrupts_taken_with_interrupts_on_is_inconsistent)
{
	load_tasks(interrupted, with_interrupts_on, NULL);
	cr_assert(strstr(fires("WARNING: inconsistent lock state")->text, "<Interrupt>"));
}

Test(lockorder, with_interrupts_off_it_is_consistent)
{
	load_tasks(interrupted, with_interrupts_off, NULL);
	silent();
}

/* --- held lock freed --- */

static void frees_what_it_holds(void *arg)
{
	struct mutex *m = make_twin();

	mutex_lock(m);
	if (arg)
		mutex_unlock(m);
	kfree(m);
}

static void frees_what_it_released(void *arg)
{
	(void)arg;
	frees_what_it_holds(&t);
}

Test(lockorder, a_lock_freed_while_it_is_held)
{
	const struct finding *f;

	load_tasks(frees_what_it_holds, NULL, NULL);
	f = fires("WARNING: held lock freed!");
	cr_assert(strstr(f->spot[1].what, "Holding m, acquired"));
}

Test(lockorder, a_lock_freed_after_its_release_is_silent)
{
	load_tasks(frees_what_it_released, NULL, NULL);
	silent();
}
