// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: kernel threads: the threads of interrupts, of page requests. One
 * that was made at boot lives in every run: it is there once somebody wakes it,
 * and its function begins anew, as it does after each wait of such a loop.
 *
 * False: no parking, no CPU of its own, no name beyond 15 characters.
 */
#include "core/hosted/runtime.h"

#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

struct hosted_kthread {
	struct hosted_task h;
	int (*fn)(void *data);
	void *data;
	char name[TASK_COMM_LEN];
	bool began, should_stop, done;
	struct task_struct *stopper;
	int ret;
};

static struct hosted_kthread *kthread_of(struct task_struct *p)
{
	return container_of(hosted_task_of(p), struct hosted_kthread, h);
}

static void body(void *arg)
{
	struct hosted_kthread *k = arg;

	hosted_task_enter(&k->h);
	k->h.t.flags = PF_KTHREAD;
	k->h.t.task_works = NULL;
	if (k->should_stop && !k->began)
		k->ret = -EINTR;
	else
		k->ret = k->fn(k->data);
	hosted_syscall_exit();
	hosted_floor->release(k);
	WRITE_ONCE(k->done, true);
	if (k->stopper)
		wake_up_process(k->stopper);
	k->h.task = NULL;
	hosted_floor->preempt_at(NULL, NULL, NULL, 0);
	put_task_struct(&k->h.t);
}

static void start(struct hosted_kthread *k)
{
	k->h.generation = hosted_floor->generation();
	WRITE_ONCE(k->h.t.__state, TASK_RUNNING);
	k->h.task = hosted_spawn(k->name, body, k, false);
}

void hosted_kthread_free(struct task_struct *p)
{
	kfree(kthread_of(p));
}

bool hosted_kthread_wake(struct task_struct *p)
{
	struct hosted_kthread *k;

	if (!hosted_task_of(p)->kthread)
		return false;
	k = kthread_of(p);
	if (k->done || k->h.generation == hosted_floor->generation())
		return false;
	start(k);
	k->began = true;
	return true;
}

struct task_struct *kthread_create_on_node(int (*fn)(void *data), void *data, int node,
					   const char namefmt[], ...)
{
	struct hosted_kthread *k = kzalloc(sizeof(*k), GFP_KERNEL);
	va_list args;

	if (!k)
		return ERR_PTR(-ENOMEM);
	k->fn = fn;
	k->data = data;
	va_start(args, namefmt);
	vsnprintf(k->name, sizeof(k->name), namefmt, args);
	va_end(args);
	hosted_task_init(&k->h, k->name);
	k->h.kthread = true;
	k->h.t.__state = TASK_UNINTERRUPTIBLE;
	return &k->h.t;
}

bool kthread_should_stop(void)
{
	struct hosted_task *h = hosted_task_of(current);

	return h->kthread && READ_ONCE(kthread_of(current)->should_stop);
}

int kthread_stop(struct task_struct *p)
{
	struct hosted_kthread *k = kthread_of(p);

	WRITE_ONCE(k->should_stop, true);
	k->stopper = current;
	/* Not yet needed in this run: it begins, to find that it is to end. */
	if (k->h.generation != hosted_floor->generation())
		start(k);
	wake_up_process(p);
	while (!READ_ONCE(k->done)) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!READ_ONCE(k->done))
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	hosted_floor->acquire(k);
	return k->ret;
}

int kthread_stop_put(struct task_struct *p)
{
	int ret = kthread_stop(p);

	put_task_struct(p);
	return ret;
}

/* Of newer trees: their threads of interrupts. */
void kthread_bind_mask(struct task_struct *p, const struct cpumask *mask)
{
}

void sched_set_fifo_secondary(struct task_struct *p);

void sched_set_fifo_secondary(struct task_struct *p)
{
}

void sched_set_fifo(struct task_struct *p)
{
}
