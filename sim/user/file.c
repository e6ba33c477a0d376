// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and tables of descriptors. A table changes in one step, so it has no
 * lock; get_unused_fd_flags() keeps a number that no lookup sees.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/bug.h"
#include "sim/access/access.h"
#include "sim/kapi/slab.h"

#include <fcntl.h>
#include <string.h>

struct file *file_alloc(const struct file_operations *op, void *private_data, u32 flags)
{
	struct file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->count = 1;
	mutex_init(&file->pos_lock);
	file->op = op;
	file->private_data = private_data;
	file->flags = flags;
	return file;
}

void get_file(struct file *file)
{
	access_service(&file->count, OP_WRITE | OP_ATOMIC);
	WARN(file->count <= 0, "reference to a file that has gone");
	file->count++;
}

bool get_file_active(struct file *file)
{
	access_service(&file->count, OP_WRITE | OP_ATOMIC);
	if (file->count <= 0)
		return false;
	file->count++;
	return true;
}

void file_discard(struct file *file)
{
	mutex_destroy(&file->pos_lock);
	kfree(file);
}

void fput(struct file *file)
{
	access_service(&file->count, OP_WRITE | OP_ATOMIC);
	WARN(file->count <= 0, "file count underflow");
	access_release(file);
	if (--file->count)
		return;
	access_acquire(file);
	if (file->op->release)
		file->op->release(file);
	file_discard(file);
}

/* --- tables --- */

static struct fd_table *files_here(void)
{
	return &current_process()->files;
}

static void touch(struct fd_table *t, u32 flags)
{
	access_service(&t->slot, flags);
	access_acquire(&t->slot);
	if (flags & OP_WRITE)
		access_release(&t->slot);
}

struct file *fget(u32 fd)
{
	struct fd_table *t = files_here();
	struct file *file;

	touch(t, OP_READ);
	file = fd < t->room ? t->slot[fd].file : NULL;
	if (!file || file == FD_RESERVED)
		return NULL;
	access_acquire(file);
	file->count++; /* in the step of the lookup: the table's reference is there */
	return file;
}

static int grow(struct fd_table *t, u32 fd)
{
	u32 room = max(t->room * 2, (u32)FDS_FIRST);
	struct fd_slot *slot;

	while (room <= fd)
		room *= 2;
	slot = kcalloc(room, sizeof(*slot), GFP_KERNEL);
	if (!slot)
		return -ENOMEM;
	if (t->room >= room) { /* another did meanwhile */
		kfree(slot);
		return 0;
	}
	if (t->slot)
		memcpy(slot, t->slot, t->room * sizeof(*slot));
	kfree(t->slot);
	t->slot = slot;
	t->room = room;
	return 0;
}

static u32 fd_limit(void)
{
	return (u32)min(current_process()->rlim[RLIMIT_NOFILE].cur, (u64)FDS_MAX * 4);
}

/* The lowest free number from `from` on, kept. */
static int fd_alloc(u32 from, u32 flags)
{
	struct fd_table *t = files_here();
	int ret;

	touch(t, OP_WRITE);
	for (u32 fd = max(from, t->next); fd < fd_limit(); fd++) {
		if (fd >= t->room) {
			ret = grow(t, fd);
			if (ret)
				return ret;
		}
		if (t->slot[fd].file)
			continue;
		t->slot[fd] = (struct fd_slot){FD_RESERVED, flags & O_CLOEXEC};
		if (from <= t->next)
			t->next = fd + 1;
		return (int)fd;
	}
	return -EMFILE;
}

int get_unused_fd_flags(u32 flags)
{
	return fd_alloc(0, flags);
}

static struct file *fd_take(struct fd_table *t, u32 fd)
{
	struct file *file;

	touch(t, OP_WRITE);
	file = fd < t->room ? t->slot[fd].file : NULL;
	if (!file || file == FD_RESERVED)
		return NULL;
	t->slot[fd].file = NULL;
	t->next = min(t->next, fd);
	return file;
}

void put_unused_fd(u32 fd)
{
	struct fd_table *t = files_here();

	touch(t, OP_WRITE);
	if (WARN_ON(t->slot[fd].file != FD_RESERVED))
		return;
	t->slot[fd].file = NULL;
	t->next = min(t->next, fd);
}

void fd_install(u32 fd, struct file *file)
{
	struct fd_table *t = files_here();

	touch(t, OP_WRITE);
	access_release(file);
	if (!WARN_ON(t->slot[fd].file != FD_RESERVED))
		t->slot[fd].file = file;
}

int files_copy(struct fd_table *to, struct fd_table *from)
{
	struct fd_slot *slot;
	u32 room;

	/* The table may grow while memory is found for the copy. */
	for (room = from->room; room; room = from->room) {
		slot = kcalloc(room, sizeof(*slot), GFP_KERNEL);
		if (!slot)
			return -ENOMEM;
		touch(from, OP_READ);
		if (from->room <= room)
			break;
		kfree(slot);
	}
	if (!room)
		return 0;
	for (u32 i = 0; i < from->room; i++) {
		if (!from->slot[i].file || from->slot[i].file == FD_RESERVED)
			continue;
		slot[i] = from->slot[i];
		access_acquire(slot[i].file);
		slot[i].file->count++; /* in the step of the lookup, as fget() */
	}
	to->slot = slot;
	to->room = room;
	return 0;
}

void files_close(struct fd_table *t)
{
	/* Nobody else is left who could change it. */
	for (u32 fd = 0; fd < t->room; fd++) {
		struct file *file = t->slot[fd].file ? fd_take(t, fd) : NULL;

		if (file)
			fput(file);
	}
	kfree(t->slot);
	*t = (struct fd_table){.slot = NULL};
}

/* --- system calls on descriptors --- */

long user_sys_close(const u64 *arg)
{
	struct file *file = fd_take(files_here(), (u32)arg[0]);

	if (!file)
		return -EBADF;
	fput(file);
	return 0;
}

#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4

long user_sys_close_range(const u64 *arg)
{
	struct fd_table *t = files_here();
	u32 first = (u32)arg[0], last = (u32)arg[1], flags = (u32)arg[2];

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	for (u32 fd = first; fd <= last && fd < t->room; fd++) {
		struct file *file;

		if (flags & CLOSE_RANGE_CLOEXEC) {
			t->slot[fd].cloexec = true;
			continue;
		}
		file = fd_take(t, fd);
		if (file)
			fput(file);
	}
	return 0;
}

static long dup_from(struct file *file, u64 from, u32 flags)
{
	int fd;

	if (from >= fd_limit())
		return -EINVAL;
	fd = fd_alloc((u32)from, flags);
	if (fd < 0)
		return fd;
	get_file(file);
	fd_install((u32)fd, file);
	return fd;
}

long user_sys_dup(const u64 *arg)
{
	struct file *file = fget((u32)arg[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = dup_from(file, 0, 0);
	fput(file);
	return ret;
}

/* file's number becomes fd; what was there is closed. -EBUSY: somebody is opening it. */
static long replace_fd(struct file *file, u32 fd, u32 flags)
{
	struct fd_table *t = files_here();
	struct file *old;
	int ret;

	if (fd >= fd_limit())
		return -EBADF;
	if (fd >= t->room) {
		ret = grow(t, fd);
		if (ret)
			return ret;
	}
	touch(t, OP_WRITE);
	old = t->slot[fd].file;
	if (old == FD_RESERVED)
		return -EBUSY;
	get_file(file);
	t->slot[fd] = (struct fd_slot){file, flags & O_CLOEXEC};
	if (old)
		fput(old);
	return fd;
}

static long dup_to(u32 from, u32 to, u32 flags)
{
	struct file *file = fget(from);
	long ret;

	if (!file)
		return -EBADF;
	ret = from == to ? (long)to : replace_fd(file, to, flags);
	fput(file);
	return ret;
}

long user_sys_dup2(const u64 *arg)
{
	return dup_to((u32)arg[0], (u32)arg[1], 0);
}

long user_sys_dup3(const u64 *arg)
{
	if (arg[2] & ~(u64)O_CLOEXEC || (u32)arg[0] == (u32)arg[1])
		return -EINVAL;
	return dup_to((u32)arg[0], (u32)arg[1], (u32)arg[2]);
}

#define SETFL_FLAGS (O_APPEND | O_NONBLOCK | 040000 /* O_DIRECT */ | 01000000 /* O_NOATIME */)

static long fcntl_file(u32 fd, struct file *file, u32 cmd, u64 arg)
{
	struct fd_slot *slot = &files_here()->slot[fd];

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_from(file, arg, cmd == F_DUPFD ? 0 : O_CLOEXEC);
	case F_GETFD:
		return slot->cloexec ? FD_CLOEXEC : 0;
	case F_SETFD:
		slot->cloexec = arg & FD_CLOEXEC;
		return 0;
	case F_GETFL:
		return file->flags & ~(u32)O_CLOEXEC;
	case F_SETFL:
		file->flags = ((u32)arg & SETFL_FLAGS) | (file->flags & ~(u32)SETFL_FLAGS);
		return 0;
	default:
		return -EINVAL;
	}
}

long user_sys_fcntl(const u64 *arg)
{
	struct file *file = fget((u32)arg[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = fcntl_file((u32)arg[0], file, (u32)arg[1], arg[2]);
	fput(file);
	return ret;
}

/* FIOCLEX and FIONCLEX */
void fd_set_cloexec(u32 fd, bool on)
{
	struct fd_table *t = files_here();

	if (fd < t->room)
		t->slot[fd].cloexec = on;
}

void user_next_fd(struct world *w, u32 process, int fd)
{
	struct process *p = process < PROCESSES_MAX ? user_of(w)->process[process] : NULL;

	if (p && fd >= 0)
		p->files.next = (u32)fd;
}
