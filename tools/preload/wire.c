// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets. A thread's connection is made at its first call and closed at
 * its end. All signals are blocked while a call is under way, so that no
 * handler can come between question and answer, by longjmp() or by a call of
 * its own; a thread that dies in between takes its connection with it.
 */
#include "tools/preload/preload_priv.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OURS_MAX 256
#define FD_HIGH 940 /* below the usual limit of 1,024, above what programs close in loops */
#define SIGSET_SIZE 8
#define SERVER_GONE 125 /* exit code of a client whose session has ended */

static int control = -1, frames = -1, anchor = -1;
static bool turns;
static uint32_t process_number;
static int ours[OURS_MAX]; /* descriptor + 1; 0 is free */
static pthread_key_t thread_end;
static __thread int thread_socket __attribute__((tls_model("initial-exec"))) = -1;
static __thread unsigned int named __attribute__((tls_model("initial-exec")));
static __thread struct exec_reply reply __attribute__((tls_model("initial-exec")));

bool preload_active(void)
{
	return control >= 0;
}

bool preload_turns(void)
{
	return control >= 0 && turns;
}

/* --- our own descriptors --- */

static void ours_add(int fd)
{
	for (int i = 0; i < OURS_MAX; i++) {
		int none = 0;

		if (__atomic_compare_exchange_n(&ours[i], &none, fd + 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return;
	}
}

static void ours_remove(int fd)
{
	for (int i = 0; i < OURS_MAX; i++) {
		if (ours[i] == fd + 1)
			ours[i] = 0;
	}
}

bool preload_is_ours(int fd)
{
	if (fd == control || fd == frames || fd == anchor)
		return preload_active();
	for (int i = 0; i < OURS_MAX; i++) {
		if (ours[i] == fd + 1)
			return true;
	}
	return false;
}

static int raise_fd(int fd)
{
	struct rlimit limit = {FD_HIGH + 64, 0};
	long high;

	preload_raw(SYS_getrlimit, RLIMIT_NOFILE, (long)&limit, 0, 0, 0, 0);
	high = limit.rlim_cur >= FD_HIGH + 64 ? FD_HIGH : limit.rlim_cur * 3 / 4;
	high = preload_raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, high, 0, 0, 0);
	if (high < 0)
		return fd;
	preload_raw(SYS_close, fd, 0, 0, 0, 0, 0);
	return (int)high;
}

static void close_ours(int fd)
{
	ours_remove(fd);
	preload_raw(SYS_close, fd, 0, 0, 0, 0, 0);
}

long preload_reserve(bool cloexec)
{
	if (anchor < 0) {
		long fd = preload_raw(SYS_eventfd2, 0, O_CLOEXEC, 0, 0, 0, 0);

		if (fd < 0)
			return fd;
		anchor = raise_fd((int)fd);
	}
	return preload_raw(SYS_fcntl, anchor, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0, 0, 0, 0);
}

/* --- hello --- */

static bool send_hello(enum exec_hello_kind kind, uint32_t process, int far)
{
	struct exec_hello hello = {
		.magic = EXEC_MAGIC,
		.kind = kind,
		.pid = (int)preload_raw(SYS_getpid, 0, 0, 0, 0, 0, 0),
		.tid = (int)preload_raw(SYS_gettid, 0, 0, 0, 0, 0, 0),
		.process = process,
	};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} more = {{0}};
	struct iovec iov = {&hello, sizeof(hello)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &more,
			   .msg_controllen = sizeof(more)};

	more.head.cmsg_len = CMSG_LEN(sizeof(int));
	more.head.cmsg_level = SOL_SOCKET;
	more.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&more.head), &far, sizeof(far));
	return preload_raw(SYS_sendmsg, control, (long)&m, MSG_NOSIGNAL, 0, 0, 0) ==
	       (long)sizeof(hello);
}

/* A new socket whose far end is the server's, or -1. */
static int connect_server(enum exec_hello_kind kind, uint32_t process)
{
	int pair[2];
	bool ok;

	if (preload_raw(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (long)pair, 0,
			0) < 0)
		return -1;
	ok = send_hello(kind, process, pair[1]);
	preload_raw(SYS_close, pair[1], 0, 0, 0, 0, 0);
	if (!ok) {
		preload_raw(SYS_close, pair[0], 0, 0, 0, 0, 0);
		return -1;
	}
	pair[0] = raise_fd(pair[0]);
	ours_add(pair[0]);
	return pair[0];
}

void preload_hello(uint32_t process)
{
	process_number = process;
	if (connect_server(EXEC_PROCESS, process) < 0)
		control = -1;
}

void preload_forget(void)
{
	for (int i = 0; i < OURS_MAX; i++) {
		if (ours[i])
			close_ours(ours[i] - 1);
	}
	thread_socket = -1;
}

static void thread_ended(void *value)
{
	(void)value;
	if (thread_socket >= 0)
		close_ours(thread_socket);
	thread_socket = -1;
}

static bool connected(void)
{
	if (thread_socket < 0) {
		thread_socket = connect_server(EXEC_THREAD, process_number);
		pthread_setspecific(thread_end, &thread_end);
	}
	return thread_socket >= 0;
}

/* --- memory that the server names --- */

static long map_run(const struct exec_run *r)
{
	return preload_raw(SYS_mmap, (long)r->addr, (long)(r->n * EXEC_PAGE), r->prot,
			   MAP_SHARED | MAP_FIXED, frames, (long)(r->frame * EXEC_PAGE));
}

/*
 * The page becomes the frame, with what it holds. It may be this very stack:
 * nothing may be written between the copy and the mapping.
 */
static long adopt(const struct exec_run *r)
{
	long to = preload_raw(SYS_mmap, 0, EXEC_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, frames,
			      (long)(r->frame * EXEC_PAGE));
	register long r10 __asm__("r10") = MAP_SHARED | MAP_FIXED;
	register long r8 __asm__("r8") = frames;
	register long r9 __asm__("r9") = (long)(r->frame * EXEC_PAGE);
	long ret = SYS_mmap, from = (long)r->addr, di = to, count = EXEC_PAGE / 8, prot = r->prot;

	if (to < 0 && to > -4096)
		return to;
	__asm__ volatile("rep movsq\n\t"
			 "mov %[addr], %%rdi\n\t"
			 "mov $4096, %%esi\n\t"
			 "syscall"
			 : "+a"(ret), "+S"(from), "+D"(di), "+c"(count)
			 : [addr] "b"(from), "d"(prot), "r"(r10), "r"(r8), "r"(r9)
			 : "r11", "memory");
	preload_raw(SYS_munmap, to, EXEC_PAGE, 0, 0, 0, 0);
	return ret < 0 && ret > -4096 ? ret : 0;
}

/* --- a call --- */

static bool say(const struct exec_call *c)
{
	return preload_raw(SYS_sendto, thread_socket, (long)c, sizeof(*c), MSG_NOSIGNAL, 0, 0) ==
	       (long)sizeof(*c);
}

/* A client does not outlive its session. */
static void end_with_server(void)
{
	struct pollfd p = {control, POLLOUT, 0};

	if (preload_raw(SYS_poll, (long)&p, 1, 0, 0, 0, 0) > 0 && p.revents & (POLLHUP | POLLERR))
		preload_raw(SYS_exit_group, SERVER_GONE, 0, 0, 0, 0, 0);
}

static bool hear(void)
{
	long n = preload_raw(SYS_recvfrom, thread_socket, (long)&reply, sizeof(reply), 0, 0, 0);

	if (n <= 0)
		end_with_server();
	return n >= (long)EXEC_REPLY_HEAD;
}

static long exchange(const struct exec_call *call)
{
	struct exec_call adopted = {.kind = EXEC_ADOPTED, .fd = -1};

	named = 0;
	if (!connected() || !say(call))
		return -EIO;
	for (;;) {
		if (!hear())
			return -EIO;
		if (reply.kind == EXEC_RESULT)
			return reply.ret;
		if (reply.kind == EXEC_ADOPT) {
			adopted.nr = adopt(&reply.run[0]);
			if (!say(&adopted))
				return -EIO;
			continue;
		}
		for (uint32_t i = 0; i < reply.n_runs; i++)
			map_run(&reply.run[i]);
		named += reply.n_runs;
	}
}

long preload_ask(long nr, const preload_args a, int fd, bool *took)
{
	struct exec_call call = {.kind = EXEC_CALL, .fd = fd, .nr = nr};
	unsigned long all = ~0UL, old;
	long ret;

	memcpy(call.arg, a, sizeof(call.arg));
	preload_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, SIGSET_SIZE, 0, 0);
	ret = exchange(&call);
	if (took)
		*took = ret != -EIO && reply.took_fd;
	preload_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, SIGSET_SIZE, 0, 0);
	return ret;
}

unsigned int preload_named(void)
{
	return named;
}

long preload_ask1(long nr, long a)
{
	return preload_ask(nr, (preload_args){a}, -1, NULL);
}

/*
 * libc shall not give memory back behind our back: a page of its heap that was
 * pinned is a frame from then on.
 */
static void keep_heap(void)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, -1);
	mallopt(M_ARENA_MAX, 1);
}

static __attribute__((constructor)) void begin(void)
{
	const char *text = getenv(EXEC_ENV);
	char *end;
	long fds[4];

	for (int i = 0; text && i < 4; i++) {
		fds[i] = strtol(text, &end, 10);
		if (end == text)
			return;
		text = end;
	}
	if (!text || fds[2] != EXEC_MAGIC || pthread_key_create(&thread_end, thread_ended))
		return;
	keep_heap();
	control = (int)fds[0];
	frames = (int)fds[1];
	turns = fds[3];
	preload_sysfs_begin(*text == ' ' ? text + 1 : text);
	preload_hello(EXEC_NEW_PROCESS);
}
