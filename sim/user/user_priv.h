/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to sim/user: the state of a world's processes.
 */
#pragma once

#include "sim/user/user.h"

#include "sim/kapi/err.h"
#include "sim/kapi/refcount.h"

#define PROCESSES_MAX 64
#define FDS_MAX 1024
#define FDS_FIRST 16

struct rlimit {
	u64 cur, max;
};

struct fd_slot {
	struct file *file; /* FD_RESERVED: kept by get_unused_fd_flags() */
	bool cloexec;
};
#define FD_RESERVED ((struct file *)1)

/* One step a change; announced as a write to `slot`. */
struct fd_table {
	struct fd_slot *slot;
	u32 room, next; /* next: no free number below */
};

struct process {
	refcount_t count;
	u32 id, active; /* system calls under way */
	bool ends;
	struct mm_struct *mm;
	struct fd_table files;
	struct rlimit rlim[RLIM_NLIMITS];
	u64 cap_effective, cap_permitted;
	u32 uid;
};

/* What a task does for whom, in its words of the kernel above: a new task's are zero. */
enum { TASK_WORD_PROCESS = 2, TASK_WORD_INTERRUPTED = 3 };

static inline struct process *task_process(const struct task *t)
{
	return (struct process *)(uintptr_t)t->kapi_private[TASK_WORD_PROCESS];
}

static inline void task_act_for(struct task *t, struct process *p)
{
	t->kapi_private[TASK_WORD_PROCESS] = (u64)(uintptr_t)p;
}

struct user {
	const struct user_node *nodes;
	struct process *process[PROCESSES_MAX];
	u32 n_numbers; /* no process has had one from here on */
	struct user_struct user;
};

static inline struct user *user_of(struct world *w)
{
	return w->user;
}

static inline struct user *user_here(void)
{
	return this_world()->user;
}

/* file.c */
int files_copy(struct fd_table *to, struct fd_table *from);
void files_close(struct fd_table *files);

/* What reads and writes of files move; -EFAULT if not all was. */
int user_copy_in(void *to, u64 from, u64 n);
int user_copy_out(u64 to, const void *from, u64 n);

/* mm_fault.c: for copy_from_user() and copy_to_user(); bytes not copied. */
u64 user_copy_current(void *buf, u64 addr, u64 size, bool to_user);

/* System calls, arguments as they are: by number in syscall.c. */
#define USER_CALLS(X)                                                                  \
	X(0, read) X(1, write) X(2, open) X(3, close) X(5, fstat) X(7, poll) X(8, lseek)  \
	X(9, mmap) X(10, mprotect) X(11, munmap) X(13, zero) X(14, zero) X(16, ioctl)     \
	X(17, pread) X(18, pwrite) X(24, yield) X(25, mremap) X(28, madvise) X(32, dup)   \
	X(33, dup2) X(39, getpid) X(72, fcntl) X(77, ftruncate) X(97, getrlimit)          \
	X(102, getuid) X(104, zero) X(105, setuid) X(107, getuid) X(108, zero)            \
	X(125, capget) X(126, capset) X(149, zero) X(150, zero) X(160, setrlimit)         \
	X(186, gettid) X(257, openat) X(271, ppoll) X(284, eventfd) X(290, eventfd2)      \
	X(292, dup3) X(302, prlimit) X(319, memfd_create) X(325, zero)                    \
	X(436, close_range)

#define X(nr, name) long user_sys_##name(const u64 *arg);
USER_CALLS(X)
#undef X
