// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client's call: made in the hosted kernel, then answered, with what changed
 * in the client's memory first.
 *
 * Huge pages are frames that follow one another; the host need not have any.
 */
#include "tools/exec/exec.h"
#include "tools/exec/record.h"

#include "sim/base/bits.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void exec_answer(struct exec_thread *t, long ret, bool took_fd)
{
	struct exec_reply r = {.kind = EXEC_RESULT, .took_fd = took_fd, .ret = ret};

	if (t->sock >= 0)
		send(t->sock, &r, EXEC_REPLY_HEAD, MSG_NOSIGNAL);
}

/* The thread computes on, at once or when it is its turn. */
static void answer(struct exec_thread *t, long ret, bool took_fd)
{
	struct exec_session *s = t->process->session;

	if (s->free_threads) {
		t->state = EXEC_USER;
		exec_answer(t, ret, took_fd);
		return;
	}
	t->state = EXEC_ANSWERED;
	t->arrival = ++s->arrivals;
	t->ret = ret;
	t->took_fd = took_fd;
}

static long kernel_call(struct exec_worker *w, long nr, const u64 arg[6])
{
	struct exec_session *s = w->session;

	return s->kernel->syscall(s->world, w->thread->process->number, nr, arg);
}

/* --- memory --- */

static u64 page_end(u64 addr, u64 size)
{
	return ALIGN(addr + size, EXEC_PAGE);
}

static void after_mmap(struct exec_worker *w, const u64 *arg, long ret)
{
	struct exec_process *p = w->thread->process;
	u64 end = page_end((u64)ret, arg[1]);

	exec_area_cut(p, (u64)ret, end);
	exec_area_add(p, (struct exec_area){(u64)ret, end, (u32)arg[2],
					    (arg[3] & MAP_TYPE) != MAP_PRIVATE});
	exec_send_runs(w->thread, (u64)ret, end, false);
}

static void after_munmap(struct exec_worker *w, const u64 *arg, long ret)
{
	(void)ret;
	exec_area_cut(w->thread->process, arg[0], page_end(arg[0], arg[1]));
}

/* Pieces of areas change their protection; pages that were out of reach get their frames. */
static void after_mprotect(struct exec_worker *w, const u64 *arg, long ret)
{
	struct exec_process *p = w->thread->process;
	u64 end = page_end(arg[0], arg[1]);

	(void)ret;
	for (u32 i = 0; i < p->n_areas; i++) {
		struct exec_area a = p->area[i];

		a.addr = max(a.addr, arg[0]);
		a.end = min(a.end, end);
		if (a.addr >= a.end || a.prot == (u32)arg[2])
			continue;
		a.prot = (u32)arg[2];
		exec_area_cut(p, a.addr, a.end);
		exec_area_add(p, a);
		i = 0;
	}
	exec_send_runs(w->thread, arg[0], end, false);
}

static void after_madvise(struct exec_worker *w, const u64 *arg, long ret)
{
	(void)ret;
	exec_send_runs(w->thread, arg[0], page_end(arg[0], arg[1]), false);
}

static void after_mremap(struct exec_worker *w, const u64 *arg, long ret)
{
	struct exec_process *p = w->thread->process;
	struct exec_area a = {.prot = PROT_READ | PROT_WRITE};

	for (u32 i = 0; i < p->n_areas; i++) {
		if (p->area[i].addr <= arg[0] && arg[0] < p->area[i].end)
			a = p->area[i];
	}
	exec_area_cut(p, arg[0], page_end(arg[0], arg[1]));
	a.addr = (u64)ret;
	a.end = page_end((u64)ret, arg[2]);
	exec_area_cut(p, a.addr, a.end);
	exec_area_add(p, a);
	exec_send_runs(w->thread, a.addr, a.end, false);
}

static const struct {
	long nr;
	void (*after)(struct exec_worker *w, const u64 *arg, long ret);
} memory_calls[] = {
	{SYS_mmap, after_mmap},
	{SYS_munmap, after_munmap},
	{SYS_mprotect, after_mprotect},
	{SYS_madvise, after_madvise},
	{SYS_mremap, after_mremap},
};

/* --- calls that are ours --- */

static long do_fork(struct exec_worker *w, const u64 *arg)
{
	struct exec_session *s = w->session;
	struct exec_process *parent = w->thread->process;
	long number;

	(void)arg;
	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &s->process[i];

		if (p->used)
			continue;
		*p = (struct exec_process){.session = s, .used = true, .life = -1, .pidfd = -1};
		number = s->kernel->fork(s->world, parent->number);
		p->number = (u32)number;
		if (number < 0)
			p->used = false;
		else
			exec_area_copy(p, parent);
		exec_record_fork(w, number);
		return number;
	}
	return -EAGAIN;
}

static long do_fork_failed(struct exec_worker *w, const u64 *arg)
{
	struct exec_session *s = w->session;

	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &s->process[i];

		if (p->used && !p->here && p->number == arg[0])
			p->dying = true;
	}
	return 0;
}

/* Known before its hello, which it may not live to say. */
static long do_fork_made(struct exec_worker *w, const u64 *arg)
{
	struct exec_session *s = w->session;

	for (u32 i = 0; i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &s->process[i];

		if (!p->used || p->here || p->dying || p->number != arg[0])
			continue;
		p->pid = (pid_t)arg[1];
		p->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)arg[1], 0);
		p->dying = p->pidfd < 0;
	}
	return 0;
}

static long do_forked(struct exec_worker *w, const u64 *arg)
{
	(void)arg;
	exec_send_runs(w->thread, 0, ~0ULL, true);
	return 0;
}

/* Only points of the call itself count. */
static long do_fail_nth(struct exec_worker *w, const u64 *arg)
{
	u64 left = w->thread->fail_nth;

	if (arg[0] != ~0ULL)
		w->thread->fail_nth = arg[0];
	return (long)left;
}

static const struct {
	long nr;
	long (*make)(struct exec_worker *w, const u64 *arg);
} own_calls[] = {
	{EXEC_NR_FORK, do_fork},
	{EXEC_NR_FORK_FAILED, do_fork_failed},
	{EXEC_NR_FORK_MADE, do_fork_made},
	{EXEC_NR_FORKED, do_forked},
	{EXEC_NR_FAIL_NTH, do_fail_nth},
	{EXEC_NR_MMIO, exec_mmio},
	{EXEC_NR_SYSFS, exec_sysfs_write},
};

/* --- any call --- */

/* Whether the kernel has opened fd in the call. */
static bool took(struct exec_worker *w, int fd)
{
	return fd >= 0 && kernel_call(w, SYS_fcntl, (u64[6]){(u64)fd, F_GETFD}) >= 0;
}

static void make_linux_call(struct exec_worker *w)
{
	struct exec_session *s = w->session;
	struct exec_thread *t = w->thread;
	const struct exec_call *c = &t->call;
	u64 arg[6];
	bool opened;
	long ret;

	for (u32 i = 0; i < 6; i++)
		arg[i] = c->arg[i];
	if (c->fd >= 0)
		s->kernel->next_fd(s->world, t->process->number, c->fd);
	exec_record_begin(w);
	current_task->fail_nth = t->fail_nth;
	ret = kernel_call(w, c->nr, arg);
	t->fail_nth = current_task->fail_nth;
	current_task->fail_nth = 0;
	exec_record_end(w, ret);
	opened = took(w, c->fd);
	for (u32 i = 0; ret >= 0 && i < ARRAY_SIZE(memory_calls); i++) {
		if (memory_calls[i].nr == c->nr)
			memory_calls[i].after(w, arg, ret);
	}
	answer(t, ret, opened);
}

void exec_make_call(struct exec_worker *w)
{
	struct exec_thread *t = w->thread;
	bool own = false;

	for (u32 i = 0; i < ARRAY_SIZE(own_calls); i++) {
		if (own_calls[i].nr != t->call.nr)
			continue;
		own = true;
		answer(t, own_calls[i].make(w, t->call.arg), false);
	}
	if (!own)
		make_linux_call(w);
	t->process->calls--;
	if (t->sock < 0)
		t->used = false;
}
