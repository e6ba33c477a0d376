/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files and descriptors of processes, under Linux's names.
 *
 * A file lives while somebody holds it; its last fput() calls release() at once,
 * in the caller (Linux: on the way back to user space). So fput() is not called
 * with a lock that release() takes.
 */
#pragma once

#include "sim/base/list.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/wait.h"

#define POLLIN 0x001
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define POLLRDNORM 0x040

struct file;
struct poll_table;
struct vm_area_struct;

/* All but release may be NULL. Results as their system calls'. */
struct file_operations {
	const char *name;
	s64 (*read)(struct file *file, u64 buf, u64 count, s64 *pos);
	s64 (*write)(struct file *file, u64 buf, u64 count, s64 *pos);
	long (*ioctl)(struct file *file, u32 cmd, u64 arg);
	u32 (*poll)(struct file *file, struct poll_table *wait);
	s64 (*llseek)(struct file *file, s64 offset, int whence);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	void (*release)(struct file *file);
	u32 mode;      /* of fstat(2) */
	bool seekable; /* pread and pwrite, too */
};

/* count, flags, pos: by a step each; pos between read and write of one file by pos_lock. */
struct file {
	int count;
	const struct file_operations *op;
	void *private_data;
	u32 flags;     /* O_* */
	struct mutex pos_lock;
	s64 pos;
	const void *mapping; /* what its mappings are found by; NULL: not at all */
};

/*
 * Files that have a name: open(2) looks them up in order. The table is constant. A
 * path that ends in # stands for all numbers there; open() finds it in private_data.
 */
struct user_node {
	const char *path;
	const struct file_operations *op;
	int (*open)(struct file *file);
};

/* --- file.c --- */
/* With one reference; ERR_PTR(-ENOMEM). The file's release() is not owed what failed here. */
struct file *file_alloc(const struct file_operations *op, void *private_data, u32 flags);
static inline struct file *anon_inode_getfile(const struct file_operations *op, void *data,
					      u32 flags)
{
	return file_alloc(op, data, flags);
}

void get_file(struct file *file);
/* False: its last reference has gone; what release() takes apart may still be there. */
bool get_file_active(struct file *file);
void fput(struct file *file);
/* Drops a file whose release() must not be called: its opening failed. */
void file_discard(struct file *file);

/* Of the process that the task acts for. NULL: no such descriptor. */
struct file *fget(u32 fd);
/* A free number, kept; -EMFILE. */
int get_unused_fd_flags(u32 flags);
void put_unused_fd(u32 fd);
/* The reference moves into the table. */
void fd_install(u32 fd, struct file *file);

/* --- poll.c --- */
/* For op->poll: the caller will be woken by q. */
void poll_wait(struct file *file, wait_queue_head_t *q, struct poll_table *p);

/* Blocks until cond, or gives -EINTR: interrupted, or nobody else can do anything. */
#define user_wait_event(q, cond)                                                       \
	(wait_event_timeout(q, (cond) || user_interrupted(), USER_PATIENCE) &&             \
	 !user_interrupted() ? 0 : -EINTR)
#define USER_PATIENCE (100 * HZ)
bool user_interrupted(void);

/* --- eventfd.c --- */
struct eventfd;

/* Told of signals: with the counter's lock, interrupts off. */
struct eventfd_watch {
	struct list_head entry;
	/* hangup: its file has gone, and with it the watch. */
	void (*fn)(struct eventfd_watch *watch, bool hangup);
};

/* With a reference: -EBADF: no such file; -EINVAL: another kind. */
struct eventfd *eventfd_ctx_fdget(int fd);
void eventfd_ctx_put(struct eventfd *e);
/* From any context. */
void eventfd_signal(struct eventfd *e);
/*
 * Whether it had been signalled, which others still see: signals from now on are taken by
 * watches.
 */
bool eventfd_watch(struct eventfd *e, struct eventfd_watch *watch);
/* fn is not running any more, and is not called again. */
void eventfd_unwatch(struct eventfd *e, struct eventfd_watch *watch);
