// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thread calls without end while the other sleeps: as in reproducers that
 * race for some seconds and then give up. With an argument the first thread ends
 * before the other has called.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct alloc {
	uint32_t size, flags, id;
};

struct destroy {
	uint32_t size, id;
};

static int fd;

static void *calls(void *arg)
{
	for (;;) {
		struct alloc a = {sizeof(a), 0, 0};
		struct destroy d = {sizeof(d), 0};

		ioctl(fd, 0x3b81, &a);
		d.id = a.id;
		ioctl(fd, 0x3b80, &d);
	}
	return arg;
}

static void *calls_once(void *arg)
{
	struct alloc a = {sizeof(a), 0, 0};

	usleep(20000);
	printf("alone: %d\n", ioctl(fd, 0x3b81, &a));
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	fd = open("/dev/iommu", O_RDWR);
	if (fd < 0 || pthread_create(&thread, NULL, argc > 1 ? calls_once : calls, argv))
		return 1;
	if (argc > 1)
		pthread_exit(NULL);
	for (int i = 0; i < 3; i++)
		usleep(20000);
	printf("slept three times\n");
	fflush(stdout);
	_exit(0);
}
