// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two counters of readers and an index that says which one newcomers use. A
 * grace period flips the index and waits for the other counter; the next one
 * cannot begin before, so a counter that becomes current again is at zero.
 */
#include "sim/kapi/srcu.h"

#include "sim/kapi/kapi_priv.h"

static void run_callbacks(struct work_struct *work);

int kapi_srcu_init(struct srcu_struct *s, const char *name, const struct lock_class_key *key)
{
	kapi_own(s, sizeof(*s));
	*s = (struct srcu_struct){.cb_tail = NULL};
	INIT_LIST_HEAD(&s->waiters);
	s->cb_tail = &s->cb_head;
	lockdep_init_map(&s->dep, name, key, LOCK_MAP);
	INIT_WORK(&s->work, run_callbacks);
	return 0;
}

void cleanup_srcu_struct(struct srcu_struct *s)
{
	access_service(s, OP_WRITE);
	if (s->readers[0] || s->readers[1])
		kapi_finding(KAPI_CALLER, "WARNING: cleanup_srcu_struct with readers in %%F");
	flush_work(&s->work);
	if (s->n_done != s->n_queued || s->gp)
		kapi_finding(KAPI_CALLER, "WARNING: cleanup_srcu_struct while in use in %%F");
}

int srcu_read_lock(struct srcu_struct *s)
{
	int index;

	access_service(s, OP_WRITE);
	kapi_lock_check(&s->dep, KAPI_CALLER);
	index = (int)s->index;
	s->readers[index]++;
	fact(RCU_LOCK, kapi_addr(s), s->readers[index]);
	lock_map_acquire_read(&s->dep);
	return index;
}

void srcu_read_unlock(struct srcu_struct *s, int index)
{
	access_service(s, OP_WRITE);
	if (index < 0 || index > 1 || !s->readers[index]) {
		kapi_finding(KAPI_CALLER, "WARNING: bad unlock balance in %%F");
		return;
	}
	if (!kapi_lock_release(&s->dep, KAPI_CALLER))
		return;
	s->readers[index]--;
	fact(RCU_UNLOCK, kapi_addr(s), s->readers[index]);
	access_release(&s->waiters);
	if (!s->readers[index])
		kapi_wake_all(&s->waiters);
}

bool srcu_read_lock_held(const struct srcu_struct *s)
{
	return kapi_is_held(&s->dep, KAPI_HELD_ANY);
}

void synchronize_srcu(struct srcu_struct *s)
{
	u32 old;

	kapi_sleeps("synchronize_srcu");
	access_service(s, OP_WRITE);
	kapi_lock_check(&s->dep, KAPI_CALLER);
	lock_map_acquire(&s->dep);
	lock_map_release(&s->dep);
	while (s->gp)
		kapi_wait_turn(&s->waiters, "synchronize_srcu", s, -1);
	s->gp = true;
	old = s->index;
	s->index = !old;
	while (s->readers[old])
		kapi_wait_turn(&s->waiters, "synchronize_srcu", s, -1);
	s->gp = false;
	access_acquire(&s->waiters);
	kapi_wake_all(&s->waiters);
	access_service(s, OP_WRITE);
}

static void run_callbacks(struct work_struct *work)
{
	struct srcu_struct *s = container_of(work, struct srcu_struct, work);
	struct rcu_head *head = s->cb_head;

	s->cb_head = NULL;
	s->cb_tail = &s->cb_head;
	synchronize_srcu(s);
	while (head) {
		struct rcu_head *next = head->next;

		access_service(head, OP_WRITE);
		access_acquire(head);
		fact(RCU_RUN, kapi_addr(head));
		kapi_softirq_enter();
		head->func(head);
		kapi_softirq_exit();
		s->n_done++;
		head = next;
	}
}

void call_srcu(struct srcu_struct *s, struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	access_service(s, OP_WRITE);
	kapi_own(head, sizeof(*head));
	head->next = NULL;
	head->func = func;
	*s->cb_tail = head;
	s->cb_tail = &head->next;
	s->n_queued++;
	access_release(head);
	fact(RCU_QUEUE, kapi_addr(head));
	if (current_task->observed)
		mem_stamp_aux(this_world()->mem, head);
	queue_work(system_wq, &s->work);
}

void srcu_barrier(struct srcu_struct *s)
{
	kapi_sleeps("srcu_barrier");
	flush_work(&s->work);
}
