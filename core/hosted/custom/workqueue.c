// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: a workqueue is a list of items and up to WORKERS_MAX worker tasks,
 * made when there is more to do than workers to do it. An item runs in at most
 * one worker at a time; it may be freed or queued again while it runs.
 *
 * False: no CPU affinity, no rescuer, no draining; a delayed item's timer is
 * the floor's, timer_list of its own is not linked anywhere.
 */
#include "core/hosted/runtime.h"

#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#define WORKERS_MAX 4
#define QUEUES_MAX 32

struct worker {
	void *task;
	struct workqueue_struct *wq;
	struct work_struct *running; /* may be freed: compared only */
	bool idle;
};

struct workqueue_struct {
	bool used;
	char name[24];
	int max_active;
	unsigned int generation; /* in which its workers live */
	struct list_head items;
	int n_workers;
	struct worker worker[WORKERS_MAX];
};

static struct workqueue_struct hosted_queues[QUEUES_MAX];
static DEFINE_RAW_SPINLOCK(hosted_items_lock); /* as a pool's: lists of items, who runs which */
static DECLARE_WAIT_QUEUE_HEAD(hosted_work_done);

struct workqueue_struct *system_wq, *system_percpu_wq, *system_unbound_wq, *system_long_wq,
	*system_highpri_wq, *system_dfl_wq, *system_freezable_wq;

static struct workqueue_struct *make(int max_active, const char *fmt, va_list args)
{
	for (int i = 0; i < QUEUES_MAX; i++) {
		struct workqueue_struct *wq = &hosted_queues[i];

		if (wq->used)
			continue;
		memset(wq, 0, sizeof(*wq));
		wq->used = true;
		wq->max_active = max_active > 0 ? min(max_active, WORKERS_MAX) : WORKERS_MAX;
		vsnprintf(wq->name, sizeof(wq->name), fmt, args);
		INIT_LIST_HEAD(&wq->items);
		return wq;
	}
	return NULL;
}

/* Newer trees have a macro of the name, which counts allocations. */
#ifdef alloc_workqueue
#undef alloc_workqueue
#define alloc_workqueue alloc_workqueue_noprof
#endif

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq;
	va_list args;

	if (hosted_floor->fails(FLOOR_FAULT_ALLOC, HOSTED_CALLER))
		return NULL;
	va_start(args, max_active);
	wq = make(max_active, fmt, args);
	va_end(args);
	return wq;
}

void hosted_workqueue_boot(void)
{
	system_wq = alloc_workqueue("events", 0, 0);
	system_percpu_wq = system_wq;
	system_unbound_wq = alloc_workqueue("events_unbound", WQ_UNBOUND, 0);
	system_dfl_wq = system_unbound_wq;
	system_long_wq = system_wq;
	system_highpri_wq = system_wq;
	system_freezable_wq = system_wq;
}

static bool runs(struct workqueue_struct *wq, struct work_struct *work)
{
	if (wq->generation != hosted_floor->generation())
		return false;
	for (int i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].running == work)
			return true;
	}
	return false;
}

/* The next item that no other worker runs is this one's. */
static struct work_struct *take_item(struct worker *w)
{
	struct work_struct *work, *taken = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&hosted_items_lock, flags);
	list_for_each_entry(work, &w->wq->items, entry) {
		if (runs(w->wq, work))
			continue;
		taken = work;
		w->running = work;
		list_del_init(&work->entry);
		break;
	}
	raw_spin_unlock_irqrestore(&hosted_items_lock, flags);
	return taken;
}

static void run_item(struct worker *w, struct work_struct *work)
{
	work_func_t func = work->func;

	hosted_sync(work, FLOOR_WRITE);
	hosted_floor->acquire(work);
	clear_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work));
	func(work);
	if (preempt_count())
		hosted_finding((unsigned long)func, "BUG: workqueue leaked atomic in %F", "%#x",
			       preempt_count());
	w->running = NULL;
	hosted_syscall_exit();
	wake_up_all(&hosted_work_done);
}

static void worker_main(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		struct work_struct *work = take_item(w);

		if (work) {
			w->idle = false;
			hosted_floor->serving(true);
			run_item(w, work);
			hosted_floor->serving(false);
			continue;
		}
		w->idle = true;
		hosted_floor->block("worker", NULL, -1, 0);
	}
}

static void kick(struct workqueue_struct *wq)
{
	struct worker *w;

	if (wq->generation != hosted_floor->generation()) {
		wq->generation = hosted_floor->generation();
		wq->n_workers = 0;
	}
	for (int i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].idle) {
			wq->worker[i].idle = false;
			hosted_floor->wake(wq->worker[i].task);
			return;
		}
	}
	if (wq->n_workers == wq->max_active)
		return;
	w = &wq->worker[wq->n_workers++];
	memset(w, 0, sizeof(*w));
	w->wq = wq;
	w->task = hosted_spawn(wq->name, worker_main, w, true);
}

static void put_in(struct workqueue_struct *wq, struct work_struct *work)
{
	unsigned long flags;

	hosted_floor->release(work);
	raw_spin_lock_irqsave(&hosted_items_lock, flags);
	list_add_tail(&work->entry, &wq->items);
	raw_spin_unlock_irqrestore(&hosted_items_lock, flags);
	kick(wq);
}

bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)
{
	hosted_sync(work, FLOOR_WRITE);
	if (test_and_set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work)))
		return false;
	put_in(wq, work);
	return true;
}

bool queue_work_node(int node, struct workqueue_struct *wq, struct work_struct *work)
{
	return queue_work_on(0, wq, work);
}

/* --- delayed items --- */

static void timer_fired(void *key)
{
	struct delayed_work *d = key;

	hosted_time_update();
	put_in(d->wq, &d->work);
}

void delayed_work_timer_fn(struct timer_list *t)
{
	timer_fired(container_of(t, struct delayed_work, timer));
}

static void start(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	d->wq = wq;
	if (delay)
		hosted_floor->timer_arm(d, jiffies_to_nsecs(delay), timer_fired);
	else
		put_in(wq, &d->work);
}

bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *d,
			   unsigned long delay)
{
	hosted_sync(d, FLOOR_WRITE);
	if (test_and_set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(&d->work)))
		return false;
	start(wq, d, delay);
	return true;
}

static bool take_back(struct work_struct *work)
{
	unsigned long flags;

	if (!test_and_clear_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work)))
		return false;
	raw_spin_lock_irqsave(&hosted_items_lock, flags);
	if (!list_empty(&work->entry))
		list_del_init(&work->entry);
	raw_spin_unlock_irqrestore(&hosted_items_lock, flags);
	return true;
}

bool mod_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *d,
			 unsigned long delay)
{
	bool was;

	hosted_sync(d, FLOOR_WRITE);
	hosted_floor->timer_cancel(d);
	was = take_back(&d->work);
	set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(&d->work));
	start(wq, d, delay);
	return was;
}

/* --- waiting --- */

static bool runs_anywhere(struct work_struct *work)
{
	for (int i = 0; i < QUEUES_MAX; i++) {
		if (hosted_queues[i].used && runs(&hosted_queues[i], work))
			return true;
	}
	return false;
}

bool flush_work(struct work_struct *work)
{
	bool busy = runs_anywhere(work) || work_pending(work);

	might_sleep();
	wait_event(hosted_work_done, !runs_anywhere(work) && !work_pending(work));
	hosted_floor->acquire(work);
	return busy;
}

bool cancel_work(struct work_struct *work)
{
	hosted_sync(work, FLOOR_WRITE);
	return take_back(work);
}

bool cancel_work_sync(struct work_struct *work)
{
	bool was = cancel_work(work);

	might_sleep();
	wait_event(hosted_work_done, !runs_anywhere(work));
	return was;
}

bool cancel_delayed_work(struct delayed_work *d)
{
	hosted_floor->timer_cancel(d);
	return cancel_work(&d->work);
}

bool cancel_delayed_work_sync(struct delayed_work *d)
{
	hosted_floor->timer_cancel(d);
	return cancel_work_sync(&d->work);
}

bool flush_delayed_work(struct delayed_work *d)
{
	if (hosted_floor->timer_cancel(d))
		put_in(d->wq, &d->work);
	return flush_work(&d->work);
}

static bool idle(struct workqueue_struct *wq)
{
	if (!list_empty(&wq->items))
		return false;
	for (int i = 0; wq->generation == hosted_floor->generation() && i < wq->n_workers; i++) {
		if (wq->worker[i].running)
			return false;
	}
	return true;
}

void __flush_workqueue(struct workqueue_struct *wq)
{
	might_sleep();
	wait_event(hosted_work_done, idle(wq));
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	__flush_workqueue(wq);
	wq->used = false;
}

void workqueue_set_min_active(struct workqueue_struct *wq, int n)
{
}

/* signature given: older trees call it the one, newer the other. */
void hosted_timer_init(struct timer_list *timer, void (*func)(struct timer_list *),
		       unsigned int flags, const char *name, struct lock_class_key *key)
	HOSTED_NAMED(init_timer_key);
void hosted_timer_init_new(struct timer_list *timer, void (*func)(struct timer_list *),
			   unsigned int flags, const char *name, struct lock_class_key *key)
	HOSTED_NAMED(timer_init_key) __attribute__((alias("init_timer_key")));

void hosted_timer_init(struct timer_list *timer, void (*func)(struct timer_list *),
		       unsigned int flags, const char *name, struct lock_class_key *key)
{
	memset(timer, 0, sizeof(*timer));
	timer->function = func;
	timer->flags = flags;
	hosted_written(timer, sizeof(*timer));
}
