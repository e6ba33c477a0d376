// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the syscall door: x86-64's numbers to functions, up to the way back
 * to user mode, where delayed work of the task (the last fput) is done.
 *
 * False: no signal is ever sent; a call that sleeps interruptibly while nobody
 * else can do anything is interrupted (-EINTR), as its user would do it.
 */
#include "core/hosted/custom/syscall.h"
#include "core/hosted/pgtable.h"

#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>

#include <asm/thread_info.h>

static long sys_zero(const unsigned long *arg)
{
	return 0;
}

static long sys_yield(const unsigned long *arg)
{
	hosted_floor->yield();
	return 0;
}

/* By x86-64's numbers, whatever the tree was configured for. */
static long (*const calls[])(const unsigned long *arg) = {
	[0] = hosted_sys_read,
	[1] = hosted_sys_write,
	[2] = hosted_sys_open,
	[3] = hosted_sys_close,
	[5] = hosted_sys_fstat,
	[7] = hosted_sys_poll,
	[8] = hosted_sys_lseek,
	[9] = hosted_sys_mmap,
	[10] = hosted_sys_mprotect,
	[11] = hosted_sys_munmap,
	[13] = sys_zero, /* rt_sigaction */
	[14] = sys_zero, /* rt_sigprocmask */
	[16] = hosted_sys_ioctl,
	[17] = hosted_sys_pread,
	[18] = hosted_sys_pwrite,
	[24] = sys_yield,
	[25] = hosted_sys_mremap,
	[28] = hosted_sys_madvise,
	[32] = hosted_sys_dup,
	[33] = hosted_sys_dup2,
	[39] = hosted_sys_getpid,
	[72] = hosted_sys_fcntl,
	[77] = hosted_sys_ftruncate,
	[97] = hosted_sys_getrlimit,
	[102] = hosted_sys_getuid,
	[104] = sys_zero, /* getgid */
	[105] = hosted_sys_setuid,
	[107] = hosted_sys_getuid, /* geteuid */
	[108] = sys_zero, /* getegid */
	[125] = hosted_sys_capget,
	[126] = hosted_sys_capset,
	[149] = sys_zero, /* mlock */
	[150] = sys_zero, /* munlock */
	[160] = hosted_sys_setrlimit,
	[186] = hosted_sys_gettid,
	[257] = hosted_sys_openat,
	[271] = hosted_sys_ppoll,
	[284] = hosted_sys_eventfd,
	[290] = hosted_sys_eventfd2,
	[292] = hosted_sys_dup3,
	[302] = hosted_sys_prlimit,
	[319] = hosted_sys_memfd_create,
	[325] = sys_zero, /* mlock2 */
	[436] = hosted_sys_close_range,
};

/* The kernel's own hint of where a free number may be. */
static long next_fd(const unsigned long *arg)
{
	spin_lock(&current->files->file_lock);
	current->files->next_fd = arg[0];
	spin_unlock(&current->files->file_lock);
	return 0;
}

static long (*call_of(long nr))(const unsigned long *arg)
{
	if (nr == FLOOR_NR_NEXT_FD)
		return next_fd;
	if (nr == FLOOR_NR_SELFTEST)
		return hosted_selftest;
	if (nr == HOSTED_NR_PGTABLE)
		return hosted_pgtable;
	return nr >= 0 && nr < ARRAY_SIZE(calls) ? calls[nr] : NULL;
}

/* What Linux restarts or its user would see as an interrupted call. */
static long user_result(long ret)
{
	bool restart = ret == -ERESTARTSYS || ret == -ERESTARTNOHAND || ret == -ERESTARTNOINTR ||
		       ret == -ERESTART_RESTARTBLOCK;

	if (ret == -ENOIOCTLCMD)
		return -ENOTTY;
	return restart ? -EINTR : ret;
}

long hosted_syscall(unsigned int process, long nr, const unsigned long arg[6])
{
	long (*call)(const unsigned long *arg);
	long ret;

	call = call_of(nr);
	if (!call)
		return -ENOSYS;
	if (!hosted_process_enter(process))
		return -ESRCH;
	hosted_time_update();
	ret = user_result(call(arg));
	hosted_syscall_exit();
	hosted_process_leave(process);
	return ret;
}
