// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventfd(2): a counter that is read, added to and waited for, by processes and by
 * drivers, also in interrupts.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/kref.h"
#include "sim/kapi/slab.h"

#include <fcntl.h>

#define EFD_SEMAPHORE_FLAG 1U
#define EFD_KNOWN (EFD_SEMAPHORE_FLAG | O_CLOEXEC | O_NONBLOCK)

struct eventfd {
	struct kref kref;
	wait_queue_head_t wait;
	spinlock_t lock;
	u64 count;                /* lock, as is the next */
	struct list_head watches; /* of eventfd_watch */
	bool semaphore;
};

static u64 value(struct eventfd *e)
{
	unsigned long flags;
	u64 count;

	spin_lock_irqsave(&e->lock, flags);
	count = e->count;
	spin_unlock_irqrestore(&e->lock, flags);
	return count;
}

/* What a read takes; 0: nothing is there. */
static u64 take(struct eventfd *e)
{
	unsigned long flags;
	u64 got;

	spin_lock_irqsave(&e->lock, flags);
	got = e->semaphore && e->count ? 1 : e->count;
	e->count -= got;
	spin_unlock_irqrestore(&e->lock, flags);
	return got;
}

/* Watches take it at once. */
static void tell(struct eventfd *e)
{
	struct eventfd_watch *watch;

	if (!e->count || list_empty(&e->watches))
		return;
	list_for_each_entry(watch, &e->watches, entry) {
		e->count -= e->semaphore && e->count ? 1 : e->count;
		watch->fn(watch, false);
	}
}

static bool give(struct eventfd *e, u64 n)
{
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&e->lock, flags);
	ok = ~0ULL - e->count > n;
	if (ok) {
		e->count += n;
		tell(e);
	}
	spin_unlock_irqrestore(&e->lock, flags);
	return ok;
}

static void eventfd_free(struct kref *kref)
{
	kfree(container_of(kref, struct eventfd, kref));
}

void eventfd_ctx_put(struct eventfd *e)
{
	kref_put(&e->kref, eventfd_free);
}

void eventfd_signal(struct eventfd *e)
{
	give(e, 1);
	wake_up(&e->wait);
}

bool eventfd_watch(struct eventfd *e, struct eventfd_watch *watch)
{
	unsigned long flags;
	bool signalled;

	spin_lock_irqsave(&e->lock, flags);
	signalled = e->count;
	list_add_tail(&watch->entry, &e->watches);
	spin_unlock_irqrestore(&e->lock, flags);
	return signalled;
}

void eventfd_unwatch(struct eventfd *e, struct eventfd_watch *watch)
{
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	if (!list_empty(&watch->entry))
		list_del_init(&watch->entry);
	spin_unlock_irqrestore(&e->lock, flags);
}

static s64 eventfd_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct eventfd *e = file->private_data;
	u64 got;

	(void)pos;
	if (count < sizeof(got))
		return -EINVAL;
	while (!(got = take(e))) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (user_wait_event(e->wait, value(e)))
			return -EINTR;
	}
	wake_up(&e->wait);
	return user_copy_out(buf, &got, sizeof(got)) ? -EFAULT : (s64)sizeof(got);
}

static s64 eventfd_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct eventfd *e = file->private_data;
	u64 n;

	(void)pos;
	if (count != sizeof(n))
		return -EINVAL;
	if (user_copy_in(&n, buf, sizeof(n)))
		return -EFAULT;
	if (n == ~0ULL)
		return -EINVAL;
	while (!give(e, n)) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (user_wait_event(e->wait, ~0ULL - value(e) > n))
			return -EINTR;
	}
	wake_up(&e->wait);
	return (s64)sizeof(n);
}

static u32 eventfd_poll(struct file *file, struct poll_table *wait)
{
	struct eventfd *e = file->private_data;
	u64 count;

	poll_wait(file, &e->wait, wait);
	count = value(e);
	return (count ? POLLIN : 0U) | (count == ~0ULL ? POLLERR : 0U) |
	       (~0ULL - 1 > count ? POLLOUT : 0U);
}

static void eventfd_release(struct file *file)
{
	struct eventfd *e = file->private_data;
	struct eventfd_watch *watch;
	unsigned long flags;

	wake_up(&e->wait);
	spin_lock_irqsave(&e->lock, flags);
	while (!list_empty(&e->watches)) {
		watch = list_first_entry(&e->watches, struct eventfd_watch, entry);
		list_del_init(&watch->entry);
		watch->fn(watch, true);
	}
	spin_unlock_irqrestore(&e->lock, flags);
	eventfd_ctx_put(e);
}

static const struct file_operations eventfd_ops = {
	.name = "[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.mode = 0600,
};

struct eventfd *eventfd_ctx_fdget(int fd)
{
	struct file *file = fget((u32)fd);
	struct eventfd *e;

	if (!file)
		return ERR_PTR(-EBADF);
	e = ERR_PTR(-EINVAL);
	if (file->op == &eventfd_ops) {
		e = file->private_data;
		kref_get(&e->kref);
	}
	fput(file);
	return e;
}

static long eventfd(u32 count, u32 flags)
{
	struct eventfd *e;
	struct file *file;
	int fd;

	if (flags & ~EFD_KNOWN)
		return -EINVAL;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	kref_init(&e->kref);
	INIT_LIST_HEAD(&e->watches);
	init_waitqueue_head(&e->wait);
	spin_lock_init(&e->lock);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE_FLAG;
	fd = get_unused_fd_flags(flags);
	if (fd < 0) {
		kfree(e);
		return fd;
	}
	file = anon_inode_getfile(&eventfd_ops, e, O_RDWR | (flags & O_NONBLOCK));
	if (IS_ERR(file)) {
		put_unused_fd((u32)fd);
		kfree(e);
		return PTR_ERR(file);
	}
	fd_install((u32)fd, file);
	return fd;
}

long user_sys_eventfd(const u64 *arg)
{
	return eventfd((u32)arg[0], 0);
}

long user_sys_eventfd2(const u64 *arg)
{
	return eventfd((u32)arg[0], (u32)arg[1]);
}
