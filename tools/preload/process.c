// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork: the hosted process is copied first, then the client; the child makes
 * sockets of its own and maps its copies of what is private before anyone sees
 * it. vfork() is fork(): a child that only executes does not notice.
 */
#include "tools/preload/preload_priv.h"

#include <dlfcn.h>
#include <linux/sched.h>
#include <sys/types.h>
#include <time.h>

static void in_child(long number)
{
	preload_forget();
	preload_hello((uint32_t)number);
	preload_ask1(EXEC_NR_FORKED, 0);
}

static long with_copy(long (*make)(const preload_args a), const preload_args a)
{
	long number, pid;

	number = preload_ask1(EXEC_NR_FORK, 0);
	if (number < 0)
		return -EAGAIN;
	pid = make(a);
	if (pid == 0)
		in_child(number);
	else if (pid < 0)
		preload_ask1(EXEC_NR_FORK_FAILED, number);
	else
		preload_ask(EXEC_NR_FORK_MADE, (long[6]){number, pid}, -1, NULL);
	return pid;
}

static long by_libc(const preload_args a)
{
	pid_t (*next)(void) = (pid_t (*)(void))dlsym(RTLD_NEXT, "fork");
	pid_t pid = next();

	(void)a;
	return pid < 0 ? -errno : pid;
}

static long by_clone(const preload_args a)
{
	return preload_host(SYS_clone, a);
}

long preload_fork(long nr, const preload_args a)
{
	(void)nr;
	return preload_active() ? with_copy(by_libc, a) : by_libc(a);
}

/* A clone that shares no memory is a fork; threads are made by libc, not here. */
long preload_clone(long nr, const preload_args a)
{
	bool vfork_like = (a[0] & CLONE_VM) && (a[0] & CLONE_VFORK);

	if (a[1] || (a[0] & CLONE_VM && !vfork_like))
		return preload_host(nr, a);
	return with_copy(vfork_like ? by_libc : by_clone, a);
}

