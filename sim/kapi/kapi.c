// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/kapi.h"

#include "sim/kapi/kapi_priv.h"

#include <stdlib.h>
#include <string.h>

static void state_init(struct kapi_state *s)
{
	memset(s, 0, sizeof(*s));
	kapi_rcu_init(&s->rcu);
	kapi_system_wq_init(&s->shared_wq);
	kapi_deferred_init(&s->deferred);
	INIT_LIST_HEAD(&s->timer_waiters);
	for (u32 i = 0; i < IRQ_LINES_MAX; i++)
		INIT_LIST_HEAD(&s->irq[i].waiters);
}

struct kapi *kapi_create(struct world *w)
{
	struct kapi *k = calloc(1, sizeof(*k));

	sim_assert(k);
	k->world = w;
	state_init(&k->s);
	return k;
}

void kapi_destroy(struct kapi *k)
{
	free(k);
}

void kapi_reset(struct kapi *k)
{
	if (k->kept_valid)
		k->s = k->kept;
	else
		state_init(&k->s);
}

void kapi_snapshot(struct kapi *k)
{
	sim_assert(list_empty(&k->s.rcu.gps));
	sim_assert(!k->s.timer_running);
	k->kept = k->s;
	k->kept_valid = true;
}

void kapi_forget(struct kapi *k)
{
	k->kept_valid = false;
}

u64 kapi_addr_slow(const void *p)
{
	u64 a = (u64)(uintptr_t)p;
	u64 k = (u64)(uintptr_t)this_world()->kapi;

	if (a - STACK_BASE < WORLD_SLOTS * STACK_SLOT)
		return a;
	return a - k < sizeof(struct kapi) ? a - k : 0;
}

void kapi_own(const void *p, size_t size)
{
	if (!access_is_unseen())
		access_set_init(p, size);
}

void kapi_link(struct list_head *node, struct list_head *waiters)
{
	list_add_tail(node, waiters);
}

void kapi_wake_all(struct list_head *waiters)
{
	struct kapi_waiter *w;

	list_for_each_entry(w, waiters, node)
		sched_wake(w->task);
}

void kapi_wake_first(struct list_head *waiters)
{
	if (!list_empty(waiters))
		sched_wake(list_first_entry(waiters, struct kapi_waiter, node)->task);
}

void kapi_wait_turn(struct list_head *waiters, const char *what, const void *object, int owner)
{
	struct kapi_waiter w = {.task = current_task};

	kapi_link(&w.node, waiters);
	sched_block(what, (const void *)(uintptr_t)kapi_addr(object), owner, 0);
	list_del(&w.node);
}

/* --- the ends of tasks --- */

void kapi_check_balance(const char *who, u32 n_held, u64 pc)
{
	struct task *t = current_task;

	if (t->n_held > n_held) {
		kapi_finding(t->held[t->n_held - 1].pc, "BUG: lock held when returning to %s!",
			     who);
		t->n_held = n_held;
	}
	if (t->rcu_depth) {
		kapi_finding(pc, "WARNING: RCU read lock held when returning to %s!", who);
		t->rcu_depth = 0;
	}
	if (t->preempt_count || t->irq_off) {
		kapi_finding(pc, "BUG: scheduling while atomic when returning to %s!", who);
		t->preempt_count = 0;
		t->irq_off = 0;
	}
}

void kapi_task_exit_check(void)
{
	kapi_check_balance("user space", 0, KAPI_CALLER);
	rcu_quiescent(current_task);
}

static void kthread_body(void *unused)
{
	struct task *t = current_task;
	void (*fn)(void *) = (void (*)(void *))(uintptr_t)t->kapi_private[0];

	(void)unused;
	fn((void *)(uintptr_t)t->kapi_private[1]);
	kapi_task_exit_check();
}

struct task *kthread_run(void (*fn)(void *), void *arg, u32 flags, const char *name)
{
	struct task *t = sched_spawn(this_world()->sched, name, kthread_body, NULL, flags);

	t->kapi_private[0] = (u64)(uintptr_t)fn;
	t->kapi_private[1] = (u64)(uintptr_t)arg;
	return t;
}
