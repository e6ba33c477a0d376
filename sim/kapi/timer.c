// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/timer.h"

#include "sim/kapi/kapi_priv.h"

_Static_assert(offsetof(struct timer_list, clock) == 0, "the clock finds the timer");

/* In the clock task. The function may free the timer. */
static void fire(struct clock_timer *clock)
{
	struct timer_list *t = container_of(clock, struct timer_list, clock);
	struct kapi_state *s = kapi_state();
	struct lockdep_map dep;

	/* Before anybody else may run: it is not armed any more. */
	s->timer_running = t;
	kapi_serving(true);
	access_service(t, OP_WRITE);
	access_acquire(t);
	dep = t->dep;
	kapi_softirq_enter();
	lock_map_acquire(&dep);
	t->function(t);
	lock_map_release(&dep);
	kapi_softirq_exit();
	kapi_serving(false);
	s->timer_running = NULL;
	access_release(&s->timer_running);
	kapi_wake_all(&s->timer_waiters);
}

void kapi_timer_setup(struct timer_list *t, void (*fn)(struct timer_list *), const char *name,
		      const struct lock_class_key *key)
{
	kapi_own(t, sizeof(*t));
	clock_timer_init(&t->clock, fire);
	t->function = fn;
	t->world = this_world();
	lockdep_init_map(&t->dep, name, key, LOCK_MAP);
}

static void check(struct timer_list *t, u64 pc)
{
	access_service(t, OP_WRITE);
	kapi_lock_check(&t->dep, pc);
}

bool mod_timer(struct timer_list *t, unsigned long expires)
{
	struct clock *c = this_world()->clock;
	u64 at = (u64)expires * NSEC_PER_MSEC;
	bool pending;

	check(t, KAPI_CALLER);
	pending = clock_timer_pending(&t->clock);
	access_release(t);
	clock_timer_arm(c, &t->clock, at > c->now_ns ? at - c->now_ns : 0);
	return pending;
}

bool del_timer(struct timer_list *t)
{
	check(t, KAPI_CALLER);
	return clock_timer_cancel(&t->clock);
}

bool del_timer_sync(struct timer_list *t)
{
	struct kapi_state *s = kapi_state();
	bool pending;

	check(t, KAPI_CALLER);
	lock_map_acquire(&t->dep);
	lock_map_release(&t->dep);
	if (in_hardirq())
		kapi_finding(KAPI_CALLER, "WARNING: del_timer_sync in interrupt context in %%F");
	pending = clock_timer_cancel(&t->clock);
	while (s->timer_running == t) {
		kapi_wait_turn(&s->timer_waiters, "del_timer_sync", t, SCHED_CLOCK_TASK);
		/* The function may have armed it again. */
		pending |= clock_timer_cancel(&t->clock);
	}
	access_acquire(&s->timer_running);
	return pending;
}

bool timer_pending(const struct timer_list *t)
{
	access_service(t, OP_READ);
	return clock_timer_pending(&t->clock);
}
