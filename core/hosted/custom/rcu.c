// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: RCU is the floor's, which takes sections without preemption or interrupts for
 * readers, too; SRCU counts the readers of each domain under two indices and waits for those
 * of the one it has just turned away from.
 *
 * False: a section without preemption or interrupts that ends before a grace period begins
 * orders nothing.
 */
#include "core/hosted/runtime.h"

#include <linux/completion.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>


/*
 * The floor knows of the outermost section only. Where no access is announced it looks at the
 * count itself (custom/task.c), and at its end asks for nothing unless a grace period waits.
 */
void __rcu_read_lock(void)
{
	struct task_struct *t = current;

	if (!IS_ENABLED(IOMMULAB_HOOKS))
		t->rcu_read_lock_nesting++;
	else if (!t->rcu_read_lock_nesting++ && !hosted_in_lockdep())
		hosted_floor->rcu_lock();
}

void __rcu_read_unlock(void)
{
	struct task_struct *t = current;
	bool last = --t->rcu_read_lock_nesting <= 0;

	if (!IS_ENABLED(IOMMULAB_HOOKS)) {
		if (unlikely(last && tif_need_resched()))
			hosted_floor->quiescent();
	} else if (last && !hosted_in_lockdep()) {
		hosted_floor->rcu_unlock();
	}
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	hosted_floor->rcu_call(head, (void (*)(void *))func);
}

void synchronize_rcu(void)
{
	might_sleep();
	hosted_floor->rcu_wait();
}

void synchronize_rcu_expedited(void)
{
	synchronize_rcu();
}

struct barrier {
	struct rcu_head head;
	struct completion done;
};

static void barrier_reached(void *head)
{
	complete(&container_of(head, struct barrier, head)->done);
}

/* Callbacks run in order: all that were queued before ours have run when it does. */
void rcu_barrier(void)
{
	struct barrier b;

	might_sleep();
	init_completion(&b.done);
	hosted_floor->rcu_call(&b.head, barrier_reached);
	wait_for_completion(&b.done);
}

/* The floor takes a small "function" for the offset of the head in what it frees. */
void hosted_kvfree_rcu(void *head, void *ptr) HOSTED_NAMED(kvfree_call_rcu);

void hosted_kvfree_rcu(void *head, void *ptr)
{
	if (head) {
		hosted_floor->rcu_call(head, (void (*)(void *))((char *)head - (char *)ptr));
		return;
	}
	synchronize_rcu();
	kvfree(ptr);
}

int hosted_init_srcu(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
	HOSTED_NAMED(__init_srcu_struct);
int hosted_init_srcu_lockdep(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
	HOSTED_NAMED(init_srcu_struct_lockdep) __attribute__((alias("__init_srcu_struct")));
/* Where no lock is followed. */
int hosted_init_srcu_plain(struct srcu_struct *ssp) HOSTED_NAMED(init_srcu_struct);

/*
 * The state of a domain is in the word that leads to per-CPU data, which every tree
 * has; a domain that the compiler initialised has a pointer there at first.
 */
static unsigned long *state(struct srcu_struct *ssp)
{
	unsigned long *n = (unsigned long *)&ssp->sda;

	if (unlikely(*n >> 32)) {
		*n = 0;
		hosted_written(n, sizeof(*n));
	}
	return n;
}

int hosted_init_srcu(struct srcu_struct *ssp, const char *name, struct lock_class_key *key)
{
	memset(ssp, 0, sizeof(*ssp));
	lockdep_init_map(&ssp->dep_map, name, key, 0);
	hosted_written(ssp, sizeof(*ssp));
	return 0;
}

int hosted_init_srcu_plain(struct srcu_struct *ssp)
{
	return hosted_init_srcu(ssp, NULL, NULL);
}

/*
 * The state is: the index that new readers take, how many readers each
 * index has, and whether a grace period is under way.
 */
#define SRCU_BITS 15
#define SRCU_INDEX(v) ((v) >> 31 & 1)
#define SRCU_BUSY (1UL << 30)
#define SRCU_ONE(i) (1UL << (i) * SRCU_BITS)
#define SRCU_READERS(v, i) ((v) >> (i) * SRCU_BITS & ((1UL << SRCU_BITS) - 1))

/* Who waits for a domain; a task waits for one at a time. */
static struct srcu_waiter {
	struct srcu_struct *ssp;
	void *task;
} hosted_srcu_waiters[HOSTED_TASKS_MAX];

static void srcu_wait(struct srcu_struct *ssp)
{
	struct srcu_waiter *w = hosted_srcu_waiters;

	while (w->ssp)
		w++;
	*w = (struct srcu_waiter){ssp, hosted_task_of(current)->task};
	hosted_floor->block("synchronize_srcu", ssp, -1, 0);
	w->ssp = NULL;
}

static void srcu_wake(struct srcu_struct *ssp)
{
	for (int i = 0; i < HOSTED_TASKS_MAX; i++) {
		if (hosted_srcu_waiters[i].ssp == ssp)
			hosted_floor->wake(hosted_srcu_waiters[i].task);
	}
}

int __srcu_read_lock(struct srcu_struct *ssp)
{
	int i;

	hosted_sync(ssp, FLOOR_WRITE);
	i = SRCU_INDEX(*state(ssp));
	*state(ssp) += SRCU_ONE(i);
	return i;
}

void __srcu_read_unlock(struct srcu_struct *ssp, int i)
{
	hosted_sync(ssp, FLOOR_WRITE);
	hosted_floor->release(ssp);
	*state(ssp) -= SRCU_ONE(i);
	if (unlikely(*state(ssp) & SRCU_BUSY) && !SRCU_READERS(*state(ssp), i))
		srcu_wake(ssp);
}

/* Waits for the readers that are there now; later ones have the other index. */
void synchronize_srcu(struct srcu_struct *ssp)
{
	int old;

	might_sleep();
	hosted_sync(ssp, FLOOR_WRITE);
	while (READ_ONCE(*state(ssp)) & SRCU_BUSY)
		srcu_wait(ssp);
	old = SRCU_INDEX(*state(ssp));
	*state(ssp) = (*state(ssp) ^ 1UL << 31) | SRCU_BUSY;
	while (SRCU_READERS(READ_ONCE(*state(ssp)), old))
		srcu_wait(ssp);
	*state(ssp) &= ~SRCU_BUSY;
	srcu_wake(ssp);
	hosted_floor->acquire(ssp);
}

void synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	synchronize_srcu(ssp);
}

/* Callbacks of a domain, called by a worker after a grace period of that domain. */
#define DOMAINS_MAX 16

static struct domain {
	struct srcu_struct *ssp;
	struct rcu_head *first, **last;
	struct work_struct work;
} hosted_domains[DOMAINS_MAX];

static void call_back(struct work_struct *work)
{
	struct domain *d = container_of(work, struct domain, work);

	while (d->first) {
		struct rcu_head *head = d->first, *next;

		d->first = NULL;
		d->last = &d->first;
		synchronize_srcu(d->ssp);
		for (; head; head = next) {
			next = head->next;
			hosted_floor->acquire(head);
			preempt_count_add(SOFTIRQ_OFFSET);
			head->func(head);
			preempt_count_sub(SOFTIRQ_OFFSET);
			hosted_preempt_check();
		}
	}
}

static struct domain *domain_of(struct srcu_struct *ssp, bool make)
{
	struct domain *d, *unused = NULL;

	for (d = hosted_domains; d < hosted_domains + DOMAINS_MAX; d++) {
		if (d->ssp == ssp)
			return d;
		if (!d->ssp && !unused)
			unused = d;
	}
	if (!make)
		return NULL;
	BUG_ON(!unused);
	unused->ssp = ssp;
	unused->last = &unused->first;
	INIT_WORK(&unused->work, call_back);
	return unused;
}

void call_srcu(struct srcu_struct *ssp, struct rcu_head *head, rcu_callback_t func)
{
	struct domain *d = domain_of(ssp, true);

	hosted_floor->release(head);
	head->next = NULL;
	head->func = func;
	*d->last = head;
	d->last = &head->next;
	queue_work(system_unbound_wq, &d->work);
}

void srcu_barrier(struct srcu_struct *ssp)
{
	struct domain *d = domain_of(ssp, false);

	if (d)
		flush_work(&d->work);
}

void cleanup_srcu_struct(struct srcu_struct *ssp)
{
	struct domain *d = domain_of(ssp, false);

	srcu_barrier(ssp);
	if (d)
		d->ssp = NULL;
	if (SRCU_READERS(*state(ssp), 0) || SRCU_READERS(*state(ssp), 1))
		hosted_finding(HOSTED_CALLER, "WARNING: cleanup_srcu_struct with readers in %F",
			       "%#lx", *state(ssp));
}
