// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread whose turn it is for longer than others are patient: it stands still in the host,
 * as on a machine that has much to do besides. With an argument it works all that time, for
 * what another does after its call.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ALLOC 0x3b81

static int fd;
static volatile int called;

static uint32_t alloc_ioas(void)
{
	uint32_t arg[3] = {sizeof(arg)};

	return ioctl(fd, ALLOC, arg) ? 0 : arg[2];
}

/* By no function of libc, which would let a sleeper's time pass at once. */
static void host_sleep(struct timespec t)
{
	long ret = SYS_nanosleep;

	__asm__ volatile("syscall" : "+a"(ret) : "D"(&t), "S"(NULL) : "rcx", "r11", "memory");
}

/* Who has made it stands still until it ends. */
static int stand(void *arg)
{
	host_sleep(*(struct timespec *)arg);
	return 0;
}

static void *calls(void *arg)
{
	alloc_ioas();
	called = 1;
	return arg;
}

int main(int argc, char **argv)
{
	static struct timespec t = {.tv_sec = 6};
	static char stack[65536] __attribute__((aligned(16)));
	pthread_t thread;

	(void)argv;
	fd = open("/dev/iommu", O_RDWR);
	if (fd < 0)
		return 1;
	if (argc > 1) {
		pthread_create(&thread, NULL, calls, NULL);
		while (!called)
			;
	} else if (clone(stand, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, &t) < 0) {
		return 1;
	}
	printf("went on: %u\n", alloc_ioas());
	return 0;
}
