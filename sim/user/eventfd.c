// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventfd(2): a counter that is read, added to and waited for.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/slab.h"

#include <fcntl.h>

#define EFD_SEMAPHORE_FLAG 1U
#define EFD_KNOWN (EFD_SEMAPHORE_FLAG | O_CLOEXEC | O_NONBLOCK)

struct eventfd {
	wait_queue_head_t wait;
	spinlock_t lock;
	u64 count; /* lock */
	bool semaphore;
};

static u64 value(struct eventfd *e)
{
	u64 count;

	spin_lock(&e->lock);
	count = e->count;
	spin_unlock(&e->lock);
	return count;
}

/* What a read takes; 0: nothing is there. */
static u64 take(struct eventfd *e)
{
	u64 got;

	spin_lock(&e->lock);
	got = e->semaphore && e->count ? 1 : e->count;
	e->count -= got;
	spin_unlock(&e->lock);
	return got;
}

static bool give(struct eventfd *e, u64 n)
{
	bool ok;

	spin_lock(&e->lock);
	ok = ~0ULL - e->count > n;
	if (ok)
		e->count += n;
	spin_unlock(&e->lock);
	return ok;
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
	wake_up(&((struct eventfd *)file->private_data)->wait);
	kfree(file->private_data);
}

static const struct file_operations eventfd_ops = {
	.name = "[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.mode = 0600,
};

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
