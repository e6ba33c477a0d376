// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: poll(2): waits on the wait queues that the files name, in virtual
 * time. False: no signal mask; a poll without end is interrupted when nobody
 * else can run.
 */
#include "core/hosted/custom/syscall.h"

#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#define FDS_MAX 256
#define QUEUES_MAX 4 /* a file names one or two */

struct waiter {
	wait_queue_entry_t entry;
	wait_queue_head_t *head;
	struct file *file;
	struct poller *poller;
};

struct poller {
	poll_table table;
	struct task_struct *task;
	bool woken; /* files may sleep while they are asked */
	unsigned int n, max;
	struct waiter waiter[];
};

static int wake(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	struct poller *p = container_of(entry, struct waiter, entry)->poller;

	WRITE_ONCE(p->woken, true);
	return wake_up_state(p->task, TASK_INTERRUPTIBLE);
}

static void enqueue(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct poller *p = container_of(table, struct poller, table);
	struct waiter *w;

	if (p->n == p->max)
		return;
	w = &p->waiter[p->n++];
	w->file = get_file(file);
	w->head = head;
	w->poller = p;
	init_waitqueue_func_entry(&w->entry, wake);
	add_wait_queue(head, &w->entry);
}

static unsigned int ask(struct pollfd *fd, poll_table *table)
{
	struct fd f;

	fd->revents = 0;
	if (fd->fd < 0)
		return 0;
	f = fdget(fd->fd);
	if (!fd_file(f)) {
		fd->revents = POLLNVAL;
		return 1;
	}
	fd->revents = (__force __poll_t)vfs_poll(fd_file(f), table) &
		      ((unsigned short)fd->events | POLLERR | POLLHUP);
	fdput(f);
	return fd->revents != 0;
}

static long wait_for(struct poller *p, struct pollfd *fds, unsigned int n, long timeout)
{
	poll_table *table = timeout ? &p->table : NULL;
	unsigned int found;

	for (;;) {
		found = 0;
		p->woken = false;
		for (unsigned int i = 0; i < n; i++)
			found += ask(&fds[i], table);
		if (table)
			table->_qproc = NULL;
		if (found || !timeout)
			return found;
		if (signal_pending(current))
			return -EINTR;
		set_current_state(TASK_INTERRUPTIBLE);
		if (!READ_ONCE(p->woken))
			timeout = schedule_timeout(timeout);
		__set_current_state(TASK_RUNNING);
	}
}

static long poll_fds(unsigned long addr, unsigned int n, long timeout)
{
	struct pollfd *fds;
	struct poller *p;
	long ret = -ENOMEM;

	if (n > FDS_MAX)
		return -EINVAL;
	fds = kcalloc(n ?: 1, sizeof(*fds), GFP_KERNEL);
	p = kzalloc(struct_size(p, waiter, n * QUEUES_MAX), GFP_KERNEL);
	if (!fds || !p)
		goto out;
	p->max = n * QUEUES_MAX;
	p->task = current;
	init_poll_funcptr(&p->table, enqueue);
	ret = -EFAULT;
	if (hosted_user_copy(fds, addr, n * sizeof(*fds), false))
		goto out;
	ret = wait_for(p, fds, n, timeout);
	for (unsigned int i = 0; i < p->n; i++) {
		remove_wait_queue(p->waiter[i].head, &p->waiter[i].entry);
		fput(p->waiter[i].file);
	}
	for (unsigned int i = 0; ret >= 0 && i < n; i++) {
		unsigned long at = addr + i * sizeof(*fds) + offsetof(struct pollfd, revents);

		if (hosted_user_copy(&fds[i].revents, at, sizeof(fds[i].revents), true))
			ret = -EFAULT;
	}
out:
	kfree(p);
	kfree(fds);
	return ret;
}

long hosted_sys_poll(const unsigned long *arg)
{
	int ms = arg[2];

	return poll_fds(arg[0], arg[1], ms < 0 ? MAX_SCHEDULE_TIMEOUT : msecs_to_jiffies(ms));
}

long hosted_sys_ppoll(const unsigned long *arg)
{
	struct { s64 sec, nsec; } ts;
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (arg[2]) {
		if (hosted_user_copy(&ts, arg[2], sizeof(ts), false))
			return -EFAULT;
		if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= NSEC_PER_SEC)
			return -EINVAL;
		timeout = min(ts.sec, 1000000LL) * HZ +
			  DIV_ROUND_UP(ts.nsec, NSEC_PER_SEC / HZ);
	}
	return poll_fds(arg[0], arg[1], timeout);
}
