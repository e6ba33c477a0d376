// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads that race: one maps into an IOAS, the other destroys it. Begun and
 * waited for by libc's own means; what comes before and after them is ordered.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

struct alloc {
	uint32_t size, flags, id;
};

struct map {
	uint32_t size, flags, ioas, reserved;
	uint64_t user, length, iova;
};

struct destroy {
	uint32_t size, id;
};

static int fd;
static struct alloc a = {sizeof(a)};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void ends(void)
{
	pthread_mutex_lock(&lock);
	done++;
	pthread_mutex_unlock(&lock);
}

static void *mapper(void *memory)
{
	struct map m = {sizeof(m), 7, a.id, 0, (uintptr_t)memory, 0x4000, 0x1000000};

	ioctl(fd, 0x3b85, &m);
	ends();
	return NULL;
}

static void *destroyer(void *arg)
{
	struct destroy d = {sizeof(d), a.id};

	(void)arg;
	ioctl(fd, 0x3b80, &d);
	ends();
	return NULL;
}

int main(void)
{
	void *memory = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	struct timespec before, after;
	pthread_t t[2];

	fd = open("/dev/iommu", O_RDWR);
	if (fd < 0 || ioctl(fd, 0x3b81, &a))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &before);
	pthread_create(&t[0], NULL, mapper, memory);
	pthread_create(&t[1], NULL, destroyer, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	sleep(100);
	clock_gettime(CLOCK_MONOTONIC, &after);
	close(fd);
	printf("%d threads, %s s\n", done,
	       after.tv_sec - before.tv_sec == 100 ? "100" : "not 100");
	return 0;
}
