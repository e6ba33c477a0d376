// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grace periods by looking: who waits notes, as a bit each, the tasks that are
 * in a reader section at that moment; each of them takes its bit off when it
 * leaves its outermost one. Later readers are not waited for. That is the
 * shortest grace period the rules allow, hence the most likely to show a bug;
 * longer ones come from the schedule.
 *
 * Happens-before: every end of a section releases through the rcu state, every
 * end of a grace period acquires from it; call_rcu() releases through the
 * head, the callback acquires from it.
 */
#include "sim/kapi/rcu.h"

#include "sim/kapi/kapi_priv.h"

/* On the stack of a task that waits for a grace period. */
struct kapi_gp {
	struct list_head node;
	struct task *task;
	u64 readers;
};

#define KFREE_RCU_OFFSET_MAX 4096

void kapi_rcu_init(struct kapi_rcu *r)
{
	INIT_LIST_HEAD(&r->gps);
	INIT_LIST_HEAD(&r->barriers);
	r->tail = &r->head;
}

void rcu_read_lock(void)
{
	struct task *t = current_task;

	if (!t->rcu_depth++) {
		access_service(&kapi_state()->rcu, OP_READ);
		t->rcu_since_op = sched_ops(t);
	}
	fact(RCU_LOCK, 0, (u64)t->rcu_depth);
}

static inline bool may_leave(const struct task *t, u64 pc)
{
	if (likely(t->rcu_depth > 0))
		return true;
	kapi_finding(pc, "WARNING: bad unlock balance in %%F");
	return false;
}

void rcu_read_unlock(void)
{
	struct task *t = current_task;

	if (t->rcu_depth == 1)
		access_service(&kapi_state()->rcu, OP_READ);
	if (!may_leave(t, KAPI_CALLER))
		return;
	t->rcu_depth--;
	fact(RCU_UNLOCK, 0, (u64)t->rcu_depth);
	if (t->rcu_depth)
		return;
	access_release(&kapi_state()->rcu);
	rcu_quiescent(t);
}

/*
 * What a preemption right before either could do, one at the task's next access does as
 * well: nobody sees a section that has not begun to read, or has no more to read, differ from
 * none, but who waits for its end. So they are no operations, and the run's hash has none.
 */
void kapi_rcu_enter(void)
{
	struct task *t = current_task;

	if (!t->rcu_depth++)
		t->rcu_since_op = sched_ops(t);
	if (unlikely(fact_wanted(t->world->fact, FACT_RCU_LOCK)))
		fact_send(FACT_RCU_LOCK, (u64[4]){0, (u64)t->rcu_depth});
}

void kapi_rcu_leave(void)
{
	struct task *t = current_task;

	if (!may_leave(t, KAPI_CALLER))
		return;
	t->rcu_depth--;
	if (unlikely(fact_wanted(t->world->fact, FACT_RCU_UNLOCK)))
		fact_send(FACT_RCU_UNLOCK, (u64[4]){0, (u64)t->rcu_depth});
	if (t->rcu_depth)
		return;
	access_release(&kapi_state()->rcu);
	rcu_quiescent(t);
}

bool rcu_read_lock_held(void)
{
	return current_task->rcu_depth > 0;
}

void rcu_quiescent_slow(struct task *t)
{
	struct kapi_gp *gp;

	if (t->foreign_count)
		*t->foreign_flags &= ~t->foreign_ask;
	access_release(&kapi_state()->rcu);
	list_for_each_entry(gp, &kapi_state()->rcu.gps, node) {
		if (!(gp->readers & BIT(t->id)))
			continue;
		gp->readers &= ~BIT(t->id);
		if (!gp->readers)
			sched_wake(gp->task);
	}
}

void kapi_rcu_quiescent(void)
{
	rcu_quiescent(current_task);
}

static u64 readers_now(void)
{
	struct sched *s = this_world()->sched;
	u64 live = s->live & ~BIT(current_task->id), readers = 0;

	while (live) {
		u32 i = bit_lowest(live);
		struct task *t = &s->task[i];

		live &= live - 1;
		if (!kapi_atomic(t))
			continue;
		readers |= BIT(i);
		if (t->foreign_count)
			*t->foreign_flags |= t->foreign_ask;
	}
	return readers;
}

static void wait_grace_period(const char *what)
{
	struct kapi_rcu *r = &kapi_state()->rcu;
	struct kapi_gp gp = {.task = current_task, .readers = readers_now()};

	kapi_link(&gp.node, &r->gps);
	while (gp.readers)
		sched_block(what, NULL, (int)bit_lowest(gp.readers), 0);
	list_del(&gp.node);
	access_acquire(r);
}

void synchronize_rcu(void)
{
	kapi_sleeps("synchronize_rcu");
	if (current_task->rcu_depth)
		kapi_finding(KAPI_CALLER,
			     "WARNING: illegal synchronize_rcu() in reader section in %%F");
	access_service(&kapi_state()->rcu, OP_WRITE);
	wait_grace_period("synchronize_rcu");
	access_service(&kapi_state()->rcu, OP_WRITE);
}

/* --- callbacks --- */

static void run_callback(struct rcu_head *head)
{
	void (*func)(struct rcu_head *) = head->func;
	u64 offset = (u64)(uintptr_t)func;

	access_service(head, OP_WRITE);
	access_acquire(head);
	fact(RCU_RUN, kapi_addr(head));
	kapi_softirq_enter();
	if (offset < KFREE_RCU_OFFSET_MAX)
		mem_free(this_world()->mem, (char *)head - offset, (u64)(uintptr_t)kapi_kfree_rcu);
	else
		func(head);
	kapi_softirq_exit();
}

/* Serves all callbacks of the world, in order, a batch per grace period. */
static void rcu_daemon(void *arg)
{
	struct kapi_rcu *r = &kapi_state()->rcu;

	(void)arg;
	for (;;) {
		struct rcu_head *head = r->head;

		if (!head) {
			sched_block("rcu callbacks", NULL, -1, 0);
			continue;
		}
		r->head = NULL;
		r->tail = &r->head;
		kapi_serving(true);
		wait_grace_period("rcu grace period");
		while (head) {
			struct rcu_head *next = head->next;

			run_callback(head);
			r->n_done++;
			head = next;
		}
		kapi_serving(false);
		access_release(&r->barriers);
		kapi_wake_all(&r->barriers);
	}
}

static void wake_daemon(struct kapi_rcu *r)
{
	if (r->gen != current_task->gen || !r->task) {
		r->gen = current_task->gen;
		r->task = sched_spawn(this_world()->sched, "rcu", rcu_daemon, NULL, TASK_DAEMON);
		return;
	}
	sched_wake(r->task);
}

static void queue(struct rcu_head *head, void (*func)(struct rcu_head *), u64 pc)
{
	struct kapi_rcu *r = &kapi_state()->rcu;

	access_service(head, OP_WRITE);
	for (struct rcu_head *h = r->head; h; h = h->next) {
		if (h != head)
			continue;
		kapi_finding(pc, "WARNING: ODEBUG bug in %%F\nrcu_head is queued already");
		return;
	}
	kapi_own(head, sizeof(*head));
	head->next = NULL;
	head->func = func;
	*r->tail = head;
	r->tail = &head->next;
	r->n_queued++;
	access_release(head);
	fact(RCU_QUEUE, kapi_addr(head));
	if (current_task->observed)
		mem_stamp_aux(this_world()->mem, head);
	wake_daemon(r);
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	queue(head, func, KAPI_CALLER);
}

void kapi_kfree_rcu(struct rcu_head *head, size_t offset)
{
	sim_assert(offset < KFREE_RCU_OFFSET_MAX);
	queue(head, (void (*)(struct rcu_head *))(uintptr_t)offset, KAPI_CALLER);
}

void rcu_barrier(void)
{
	struct kapi_rcu *r = &kapi_state()->rcu;
	u64 target;

	kapi_sleeps("rcu_barrier");
	access_service(r, OP_WRITE);
	target = r->n_queued;
	while (r->n_done < target) {
		kapi_wait_turn(&r->barriers, "rcu_barrier", NULL, r->task ? (int)r->task->id : -1);
	}
	access_acquire(&r->barriers);
}
