// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue is a list in order of queueing, and a small table of workers. Every
 * queueing of an item has a number (seq): flush waits for numbers, since an
 * item may be queued again, or freed by its own function.
 *
 * A worker task runs until its queue is destroyed or the run ends. The table
 * belongs to one run (gen): in the next one it counts as empty.
 */
#include "sim/kapi/workqueue.h"

#include "sim/kapi/kapi_priv.h"
#include "sim/kapi/slab.h"

void kapi_init_work(struct work_struct *w, work_func_t fn, const char *name,
		    const struct lock_class_key *key)
{
	kapi_own(w, sizeof(*w));
	INIT_LIST_HEAD(&w->entry);
	w->func = fn;
	w->wq = NULL;
	w->pending = false;
	w->canceling = 0;
	w->seq = 0;
	lockdep_init_map(&w->dep, name, key, LOCK_MAP);
}

void kapi_system_wq_init(struct workqueue_struct *wq)
{
	wq->name = "events";
	wq->max_active = WQ_WORKERS_MAX;
	INIT_LIST_HEAD(&wq->works);
	INIT_LIST_HEAD(&wq->waiters);
}

struct workqueue_struct *kapi_system_wq(void)
{
	return &kapi_state()->shared_wq;
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned flags, int max_active)
{
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);

	if (!wq)
		return NULL;
	kapi_system_wq_init(wq);
	wq->name = name;
	if (max_active > 0)
		wq->max_active = min((u32)max_active, (u32)WQ_WORKERS_MAX);
	if (flags & WQ_ORDERED)
		wq->max_active = 1;
	lockdep_init_map(&wq->dep, name, KAPI_LOCK_KEY("workqueue"), LOCK_MAP);
	return wq;
}

/* --- workers --- */

static void fresh_workers(struct workqueue_struct *wq)
{
	if (wq->gen == current_task->gen)
		return;
	wq->gen = current_task->gen;
	wq->n_workers = 0;
}

static bool runs(const struct workqueue_struct *wq, const struct work_struct *w)
{
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].running == w)
			return true;
	}
	return false;
}

/* The first item that is not already running; an item never meets itself. */
static struct work_struct *next_work(struct workqueue_struct *wq)
{
	struct work_struct *w;

	list_for_each_entry(w, &wq->works, entry) {
		if (!runs(wq, w))
			return w;
	}
	return NULL;
}

static void run_work(struct workqueue_struct *wq, struct wq_worker *me, struct work_struct *w)
{
	work_func_t func = w->func;
	struct lockdep_map dep = w->dep;

	access_service(w, OP_WRITE);
	fact(WORK_RUN, kapi_addr(w));
	access_acquire(w);
	lock_map_acquire(&wq->dep);
	lock_map_acquire(&dep);
	func(w);
	lock_map_release(&dep);
	lock_map_release(&wq->dep);
	kapi_check_balance("worker thread", 0, (u64)(uintptr_t)func);
	me->running = NULL;
	access_release(w);
	access_release(&wq->waiters);
	kapi_wake_all(&wq->waiters);
}

static void worker_body(void *arg)
{
	struct workqueue_struct *wq = arg;
	struct wq_worker *me = NULL;

	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].task == current_task)
			me = &wq->worker[i];
	}
	sim_assert(me);
	while (!wq->dying) {
		struct work_struct *w = next_work(wq);

		if (!w) {
			me->idle = true;
			sched_block("work", NULL, -1, 0);
			me->idle = false;
			continue;
		}
		list_del_init(&w->entry);
		w->pending = false;
		me->running = w;
		me->seq = w->seq;
		kapi_serving(true);
		run_work(wq, me, w);
		kapi_serving(false);
	}
	me->task = NULL;
	kapi_wake_all(&wq->waiters);
}

static void add_worker(struct workqueue_struct *wq)
{
	struct wq_worker *me = &wq->worker[wq->n_workers];
	char name[TASK_NAME_LEN] = "kworker/0:";
	size_t at = 10;

	name[8] = (char)('0' + wq->n_workers);
	for (const char *c = wq->name; *c && at < TASK_NAME_LEN - 1; c++)
		name[at++] = *c;
	*me = (struct wq_worker){.task = NULL};
	wq->n_workers++;
	me->task = sched_spawn(this_world()->sched, name, worker_body, wq, TASK_DAEMON);
}

/* Work has come: wakes an idle worker, or makes one if all are busy. */
static void kick(struct workqueue_struct *wq)
{
	fresh_workers(wq);
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (!wq->worker[i].idle)
			continue;
		wq->worker[i].idle = false;
		sched_wake(wq->worker[i].task);
		return;
	}
	if (wq->n_workers < wq->max_active)
		add_worker(wq);
}

/* --- queueing --- */

static void insert(struct workqueue_struct *wq, struct work_struct *w)
{
	w->wq = wq;
	w->seq = ++wq->seq;
	w->pending = true;
	list_add_tail(&w->entry, &wq->works);
	access_release(w);
	fact(WORK_QUEUE, kapi_addr(w));
	if (current_task->observed)
		mem_stamp_aux(this_world()->mem, w);
	kick(wq);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *w)
{
	access_service(w, OP_WRITE);
	access_service(wq, OP_WRITE);
	kapi_lock_check(&w->dep, KAPI_CALLER);
	if (w->pending || w->canceling)
		return false;
	if (wq->dying)
		kapi_finding(KAPI_CALLER, "WARNING: queue_work on a dying workqueue in %%F");
	insert(wq, w);
	return true;
}

/* Whether the queueing with number seq has not finished yet. */
static bool alive(struct workqueue_struct *wq, u64 seq)
{
	const struct work_struct *w;

	list_for_each_entry(w, &wq->works, entry) {
		if (w->seq == seq)
			return true;
	}
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].running && wq->worker[i].seq == seq)
			return true;
	}
	return false;
}

/* The number of w's last queueing that has not finished, or 0. */
static u64 last_seq(struct workqueue_struct *wq, const struct work_struct *w)
{
	if (w->pending && !list_empty(&w->entry))
		return w->seq;
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].running == w)
			return wq->worker[i].seq;
	}
	return 0;
}

static int runner(const struct workqueue_struct *wq, u64 seq)
{
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].running && wq->worker[i].seq == seq)
			return (int)wq->worker[i].task->id;
	}
	return -1;
}

bool flush_work(struct work_struct *w)
{
	struct workqueue_struct *wq;
	u64 seq;

	kapi_sleeps("flush_work");
	access_service(w, OP_WRITE);
	kapi_lock_check(&w->dep, KAPI_CALLER);
	lock_map_acquire(&w->dep);
	lock_map_release(&w->dep);
	wq = w->wq;
	if (!wq)
		return false;
	fresh_workers(wq);
	seq = last_seq(wq, w);
	while (seq && alive(wq, seq))
		kapi_wait_turn(&wq->waiters, "flush_work", w, runner(wq, seq));
	access_acquire(w);
	return seq;
}

bool cancel_work(struct work_struct *w)
{
	bool pending;

	access_service(w, OP_WRITE);
	pending = w->pending && !list_empty(&w->entry);
	if (pending) {
		list_del_init(&w->entry);
		w->pending = false;
	}
	return pending;
}

bool cancel_work_sync(struct work_struct *w)
{
	struct workqueue_struct *wq;
	bool pending;

	kapi_sleeps("cancel_work_sync");
	pending = cancel_work(w);
	kapi_lock_check(&w->dep, KAPI_CALLER);
	lock_map_acquire(&w->dep);
	lock_map_release(&w->dep);
	wq = w->wq;
	if (!wq)
		return pending;
	fresh_workers(wq);
	w->canceling++;
	while (runs(wq, w))
		kapi_wait_turn(&wq->waiters, "cancel_work_sync", w, runner(wq, last_seq(wq, w)));
	w->canceling--;
	access_acquire(w);
	return pending;
}

bool work_pending(const struct work_struct *w)
{
	access_service(w, OP_READ);
	return w->pending;
}

/* --- delayed work: `pending` is set from the arming of the timer on --- */

static void delay_over(struct timer_list *t)
{
	struct delayed_work *d = container_of(t, struct delayed_work, timer);

	if (d->work.canceling)
		d->work.pending = false;
	else
		insert(d->wq, &d->work);
}

void kapi_init_delayed_work(struct delayed_work *d, work_func_t fn, const char *name,
			    const struct lock_class_key *key)
{
	kapi_own(d, sizeof(*d));
	kapi_init_work(&d->work, fn, name, key);
	timer_setup(&d->timer, delay_over, 0);
	d->wq = NULL;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	access_service(d, OP_WRITE);
	kapi_lock_check(&d->work.dep, KAPI_CALLER);
	if (d->work.pending || d->work.canceling)
		return false;
	d->wq = wq;
	if (!delay) {
		insert(wq, &d->work);
		return true;
	}
	d->work.pending = true;
	mod_timer(&d->timer, jiffies + delay);
	return true;
}

/* Takes a pending item back, from the timer or from the queue. */
static bool take_back(struct delayed_work *d)
{
	if (del_timer(&d->timer)) {
		d->work.pending = false;
		return true;
	}
	return cancel_work(&d->work);
}

bool flush_delayed_work(struct delayed_work *d)
{
	kapi_sleeps("flush_delayed_work");
	if (del_timer_sync(&d->timer))
		insert(d->wq, &d->work);
	return flush_work(&d->work);
}

bool cancel_delayed_work(struct delayed_work *d)
{
	return take_back(d);
}

bool cancel_delayed_work_sync(struct delayed_work *d)
{
	bool pending;

	kapi_sleeps("cancel_delayed_work_sync");
	d->work.canceling++;
	pending = del_timer_sync(&d->timer);
	if (pending)
		d->work.pending = false;
	pending |= cancel_work_sync(&d->work);
	d->work.canceling--;
	return pending;
}

bool delayed_work_pending(const struct delayed_work *d)
{
	return work_pending(&d->work);
}

/* --- whole queues --- */

static bool any_before(struct workqueue_struct *wq, u64 seq)
{
	const struct work_struct *w;

	list_for_each_entry(w, &wq->works, entry) {
		if (w->seq <= seq)
			return true;
	}
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].running && wq->worker[i].seq <= seq)
			return true;
	}
	return false;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	u64 seq;

	kapi_sleeps("flush_workqueue");
	access_service(wq, OP_WRITE);
	lock_map_acquire(&wq->dep);
	lock_map_release(&wq->dep);
	fresh_workers(wq);
	seq = wq->seq;
	while (any_before(wq, seq))
		kapi_wait_turn(&wq->waiters, "flush_workqueue", wq, -1);
	access_acquire(&wq->waiters);
}

void drain_workqueue(struct workqueue_struct *wq)
{
	fresh_workers(wq);
	do {
		flush_workqueue(wq);
	} while (any_before(wq, ~0ULL));
}

static bool any_worker(const struct workqueue_struct *wq)
{
	for (u32 i = 0; i < wq->n_workers; i++) {
		if (wq->worker[i].task)
			return true;
	}
	return false;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	drain_workqueue(wq);
	wq->dying = true;
	for (u32 i = 0; i < wq->n_workers; i++)
		sched_wake(wq->worker[i].task);
	while (any_worker(wq))
		kapi_wait_turn(&wq->waiters, "destroy_workqueue", wq, -1);
	kfree(wq);
}
