// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(2): waits on the queues that the files name, in virtual time. No signal
 * mask; a poll without end is interrupted when nobody else can do anything.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/slab.h"

#include <limits.h>

#define POLL_FDS_MAX 256

struct pollfd {
	int fd;
	s16 events, revents;
};

struct waiter {
	struct wait_queue_entry entry;
	wait_queue_head_t *head;
	struct file *file;
};

struct poll_table {
	bool asks; /* poll_wait() is to enqueue */
	u32 n, max;
	struct waiter waiter[];
};

void poll_wait(struct file *file, wait_queue_head_t *q, struct poll_table *p)
{
	struct waiter *w;

	if (!p || !p->asks || p->n == p->max)
		return;
	w = &p->waiter[p->n++];
	get_file(file);
	w->file = file;
	w->head = q;
	prepare_to_wait(q, &w->entry, false);
}

static bool ask(struct pollfd *fd, struct poll_table *table)
{
	struct file *file;
	u32 mask = POLLIN | POLLOUT | POLLRDNORM | 0x100 /* POLLWRNORM */;

	fd->revents = 0;
	if (fd->fd < 0)
		return false;
	file = fget((u32)fd->fd);
	if (!file) {
		fd->revents = POLLNVAL;
		return true;
	}
	if (file->op->poll)
		mask = file->op->poll(file, table);
	fd->revents = (s16)(mask & ((u16)fd->events | POLLERR | POLLHUP));
	fput(file);
	return fd->revents != 0;
}

/* Entries that a wake-up took off their queues go back on. */
static void enqueue_again(struct poll_table *table)
{
	for (u32 i = 0; i < table->n; i++)
		prepare_to_wait(table->waiter[i].head, &table->waiter[i].entry, false);
}

static long wait_for(struct poll_table *table, struct pollfd *fds, u32 n, long timeout)
{
	bool forever = timeout == MAX_SCHEDULE_TIMEOUT;
	wait_queue_head_t none;

	init_waitqueue_head(&none);
	if (forever)
		timeout = USER_PATIENCE;
	table->asks = timeout;
	for (;;) {
		long found = 0;

		for (u32 i = 0; i < n; i++)
			found += ask(&fds[i], table);
		table->asks = false;
		if (found || !timeout)
			return found ? found : forever ? -EINTR : 0;
		if (user_interrupted())
			return -EINTR;
		timeout = kapi_wait_schedule(table->n ? table->waiter[0].head : &none, timeout);
		enqueue_again(table);
	}
}

static long poll_fds(u64 addr, u32 n, long timeout)
{
	struct poll_table *table;
	struct pollfd *fds;
	long ret = -ENOMEM;

	if (n > POLL_FDS_MAX)
		return -EINVAL;
	fds = kcalloc(n ? n : 1, sizeof(*fds), GFP_KERNEL);
	table = kzalloc(struct_size(table, waiter, n), GFP_KERNEL);
	if (!fds || !table)
		goto out;
	table->max = n;
	ret = -EFAULT;
	if (user_copy_in(fds, addr, n * sizeof(*fds)))
		goto out;
	ret = wait_for(table, fds, n, timeout);
	for (u32 i = 0; i < table->n; i++) {
		finish_wait(table->waiter[i].head, &table->waiter[i].entry);
		fput(table->waiter[i].file);
	}
	for (u32 i = 0; ret >= 0 && i < n; i++) {
		u64 at = addr + i * sizeof(*fds) + offsetof(struct pollfd, revents);

		if (user_copy_out(at, &fds[i].revents, sizeof(fds[i].revents)))
			ret = -EFAULT;
	}
out:
	kfree(table);
	kfree(fds);
	return ret;
}

long user_sys_poll(const u64 *arg)
{
	int ms = (int)arg[2];

	return poll_fds(arg[0], (u32)arg[1], ms < 0 ? MAX_SCHEDULE_TIMEOUT : ms);
}

long user_sys_ppoll(const u64 *arg)
{
	struct { s64 sec, nsec; } ts;
	long timeout = MAX_SCHEDULE_TIMEOUT;

	if (arg[2]) {
		if (user_copy_in(&ts, arg[2], sizeof(ts)))
			return -EFAULT;
		if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= NSEC_PER_SEC)
			return -EINVAL;
		timeout = min(ts.sec, (s64)1000000) * HZ +
			  (ts.nsec + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	}
	return poll_fds(arg[0], (u32)arg[1], timeout);
}
