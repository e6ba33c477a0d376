// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits in the host for a child's end calls before a thread that sleeps beside it,
 * however long the child's files take to go away, before its sockets or after them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK (1UL << 20)
#define BLOCKS 32
#define ROUNDS 3
#define ALLOC 0x3b81

static int fd;
static volatile int done;

static uint32_t alloc_ioas(void)
{
	uint32_t arg[3] = {sizeof(arg)};

	return ioctl(fd, ALLOC, arg) ? 0 : arg[2];
}

static void *sleeper(void *arg)
{
	(void)arg;
	while (!done) {
		usleep(100000);
		printf("sleeper %u\n", alloc_ioas());
	}
	return NULL;
}

/* It goes with its last descriptor. */
static int large_file(void)
{
	static char block[BLOCK];
	char name[] = "waits-XXXXXX";
	int file = mkstemp(name);

	unlink(name);
	for (int i = 0; i < BLOCKS; i++)
		write(file, block, BLOCK);
	return file;
}

static void child(void)
{
	int file = large_file();

	dup2(file, 0);
	close(file);
	large_file();
	_exit(alloc_ioas() ? 0 : 1);
}

int main(void)
{
	pthread_t thread;

	fd = open("/dev/iommu", O_RDWR);
	pthread_create(&thread, NULL, sleeper, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child();
		waitpid(pid, NULL, 0);
		printf("parent %u\n", alloc_ioas());
	}
	done = 1;
	pthread_join(thread, NULL);
	return 0;
}
