// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reproducer of the shape that syzkaller writes for repeated, sequential
 * programs: three areas at fixed addresses, a child per iteration with a
 * watchdog, everything through libc's syscall(), wild stores behind longjmp().
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static __thread int clone_ongoing;
static __thread int skip_segv;
static __thread jmp_buf segv_env;

static void segv_handler(int sig, siginfo_t *info, void *ctx)
{
	(void)info;
	(void)ctx;
	if (clone_ongoing)
		exit(sig);
	if (__atomic_load_n(&skip_segv, __ATOMIC_RELAXED))
		_longjmp(segv_env, 1);
	exit(sig);
}

static void install_segv_handler(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = segv_handler;
	sa.sa_flags = SA_NODEFER | SA_SIGINFO;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

#define NONFAILING(...)                                              \
	({                                                           \
		int ok = 1;                                          \
		__atomic_fetch_add(&skip_segv, 1, __ATOMIC_SEQ_CST); \
		if (_setjmp(segv_env) == 0) {                        \
			__VA_ARGS__;                                 \
		} else                                               \
			ok = 0;                                      \
		__atomic_fetch_sub(&skip_segv, 1, __ATOMIC_SEQ_CST); \
		ok;                                                  \
	})

static void sleep_ms(uint64_t ms)
{
	usleep(ms * 1000);
}

static uint64_t current_time_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts))
		exit(1);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void kill_and_wait(int pid, int *status)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(-1, status, __WALL) != pid)
		;
}

static uint64_t r[4] = {0xffffffffffffffff, 0x0, 0x0, 0xffffffffffffffff};
static int seen;

static void execute_one(void)
{
	intptr_t res = 0;

	NONFAILING(memcpy((void *)0x200000000000, "/dev/iommu\000", 11));
	res = syscall(__NR_openat, /*fd=*/0xffffffffffffff9cul, /*file=*/0x200000000000ul,
		      /*flags=*/2ul, /*mode=*/0ul);
	if (res != -1)
		r[0] = res;
	NONFAILING(*(uint32_t *)0x200000000080 = 0xc);
	NONFAILING(*(uint32_t *)0x200000000084 = 0);
	NONFAILING(*(uint32_t *)0x200000000088 = 0);
	/* not mapped: the store is skipped, the call gets what is there */
	NONFAILING(*(uint32_t *)0x1ffffff00000 = 1);
	res = syscall(__NR_ioctl, /*fd=*/r[0], /*cmd=*/0x3b81, /*arg=*/0x200000000080ul);
	if (res != -1)
		NONFAILING(r[1] = *(uint32_t *)0x200000000088);
	NONFAILING(*(uint32_t *)0x200000000100 = 0x28);
	NONFAILING(*(uint32_t *)0x200000000104 = 7);
	NONFAILING(*(uint32_t *)0x200000000108 = r[1]);
	NONFAILING(*(uint32_t *)0x20000000010c = 0);
	NONFAILING(*(uint64_t *)0x200000000110 = 0x200000ffc000);
	NONFAILING(*(uint64_t *)0x200000000118 = 0x4000);
	NONFAILING(*(uint64_t *)0x200000000120 = 0x10000);
	res = syscall(__NR_ioctl, /*fd=*/r[0], /*cmd=*/0x3b85, /*arg=*/0x200000000100ul);
	seen |= res == 0 ? 1 : 0;
	NONFAILING(*(uint32_t *)0x200000000200 = 8);
	NONFAILING(*(uint32_t *)0x200000000204 = r[1]);
	/* the area is mapped: busy or gone, as the kernel says */
	res = syscall(__NR_ioctl, /*fd=*/r[0], /*cmd=*/0x3b80, /*arg=*/0x200000000200ul);
	seen |= res == 0 ? 2 : 0;
	res = syscall(__NR_ioctl, /*fd=*/r[0], /*cmd=*/0x3b80, /*arg=*/0x1ffffff00000ul);
	seen |= res == -1 && errno == EFAULT ? 4 : 0;
	/* the last iteration hangs; the watchdog ends it */
	if (getenv("REPRO_HANG") && r[3] == 2)
		for (;;)
			pause();
}

static void loop(void)
{
	const char *iterations = getenv("REPRO_ITERATIONS"); /* 0: for ever, as syzkaller has it */
	long n = iterations ? strtol(iterations, NULL, 10) : 3;

	for (int iter = 0; !n || iter < n; iter++) {
		int pid = fork(), status = 0;
		uint64_t start;

		if (pid < 0)
			exit(1);
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			setpgrp();
			r[3] = iter;
			execute_one();
			_exit(seen);
		}
		start = current_time_ms();
		for (;;) {
			sleep_ms(10);
			if (waitpid(-1, &status, WNOHANG | __WALL) == pid)
				break;
			if (current_time_ms() - start < 500)
				continue;
			kill_and_wait(pid, &status);
			break;
		}
		printf("iteration %d: %s %d\n", iter, WIFSIGNALED(status) ? "killed" : "seen",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}

int main(void)
{
	syscall(__NR_mmap, /*addr=*/0x1ffffffff000ul, /*len=*/0x1000ul, /*prot=*/0ul,
		/*flags=MAP_FIXED|MAP_ANONYMOUS|MAP_PRIVATE*/ 0x32ul, /*fd=*/(intptr_t)-1,
		/*offset=*/0ul);
	syscall(__NR_mmap, /*addr=*/0x200000000000ul, /*len=*/0x1000000ul, /*prot=*/7ul,
		/*flags=*/0x32ul, /*fd=*/(intptr_t)-1, /*offset=*/0ul);
	syscall(__NR_mmap, /*addr=*/0x200001000000ul, /*len=*/0x1000ul, /*prot=*/0ul,
		/*flags=*/0x32ul, /*fd=*/(intptr_t)-1, /*offset=*/0ul);
	install_segv_handler();
	loop();
	return 0;
}
