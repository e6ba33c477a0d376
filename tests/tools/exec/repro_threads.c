// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reproducer of the shape that syzkaller writes for threaded programs: a pool
 * of threads that wait on futexes, a call each, 50 ms patience per call.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef struct {
	int state;
} event_t;

static void event_init(event_t *ev)
{
	ev->state = 0;
}

static void event_reset(event_t *ev)
{
	ev->state = 0;
}

static void event_set(event_t *ev)
{
	if (ev->state)
		exit(1);
	__atomic_store_n(&ev->state, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &ev->state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1000000);
}

static void event_wait(event_t *ev)
{
	while (!__atomic_load_n(&ev->state, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &ev->state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0);
}

static int event_isset(event_t *ev)
{
	return __atomic_load_n(&ev->state, __ATOMIC_ACQUIRE);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts))
		exit(1);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int event_timedwait(event_t *ev, uint64_t timeout)
{
	uint64_t start = now_ms(), now = start;

	for (;;) {
		uint64_t remain = timeout - (now - start);
		struct timespec ts = {remain / 1000, (long)(remain % 1000 * 1000 * 1000)};

		syscall(SYS_futex, &ev->state, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts);
		if (__atomic_load_n(&ev->state, __ATOMIC_ACQUIRE))
			return 1;
		now = now_ms();
		if (now - start > timeout)
			return 0;
	}
}

struct thread_t {
	int created, call;
	event_t ready, done;
};

static struct thread_t threads[16];
static void execute_call(int call);
static int running;

static void *thr(void *arg)
{
	struct thread_t *th = arg;

	for (;;) {
		event_wait(&th->ready);
		event_reset(&th->ready);
		execute_call(th->call);
		__atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
		event_set(&th->done);
	}
	return 0;
}

static void thread_start(struct thread_t *th)
{
	pthread_t id;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	if (pthread_create(&id, &attr, thr, th))
		exit(1);
	pthread_attr_destroy(&attr);
}

static void execute_one(void)
{
	for (int call = 0; call < 7; call++) {
		for (int thread = 0; thread < 16; thread++) {
			struct thread_t *th = &threads[thread];

			if (!th->created) {
				th->created = 1;
				event_init(&th->ready);
				event_init(&th->done);
				event_set(&th->done);
				thread_start(th);
			}
			if (!event_isset(&th->done))
				continue;
			event_reset(&th->done);
			th->call = call;
			__atomic_fetch_add(&running, 1, __ATOMIC_RELAXED);
			event_set(&th->ready);
			event_timedwait(&th->done, 50);
			break;
		}
	}
	for (int i = 0; i < 100 && __atomic_load_n(&running, __ATOMIC_RELAXED); i++)
		usleep(1000);
}

static uint64_t r[3] = {0xffffffffffffffff, 0x0, 0xffffffffffffffff};
static int results[7];

static void execute_call(int call)
{
	intptr_t res = 0;

	switch (call) {
	case 0:
		memcpy((void *)0x20000040, "/dev/iommu\000", 11);
		res = syscall(__NR_openat, 0xffffffffffffff9cul, 0x20000040ul, 2ul, 0ul);
		if (res != -1)
			r[0] = res;
		break;
	case 1:
		*(uint32_t *)0x20000080 = 0xc;
		*(uint32_t *)0x20000084 = 0;
		*(uint32_t *)0x20000088 = 0;
		res = syscall(__NR_ioctl, r[0], 0x3b81, 0x20000080ul);
		if (res != -1)
			r[1] = *(uint32_t *)0x20000088;
		break;
	case 2:
		res = syscall(__NR_eventfd2, 0ul, 0ul);
		if (res != -1)
			r[2] = res;
		break;
	case 3: /* blocks until call 5 */
		res = syscall(__NR_read, r[2], 0x20000300ul, 8ul);
		break;
	case 4:
		*(uint32_t *)0x20000100 = 0x28;
		*(uint32_t *)0x20000104 = 7;
		*(uint32_t *)0x20000108 = r[1];
		*(uint32_t *)0x2000010c = 0;
		*(uint64_t *)0x20000110 = 0x20ffc000;
		*(uint64_t *)0x20000118 = 0x4000;
		*(uint64_t *)0x20000120 = 0x10000;
		res = syscall(__NR_ioctl, r[0], 0x3b85, 0x20000100ul);
		break;
	case 5:
		*(uint64_t *)0x20000380 = 5;
		res = syscall(__NR_write, r[2], 0x20000380ul, 8ul);
		break;
	case 6:
		res = syscall(__NR_close, r[0]);
		break;
	}
	results[call] = (int)(res == -1 ? -errno : res);
}

int main(void)
{
	syscall(__NR_mmap, 0x1ffff000ul, 0x1000ul, 0ul, 0x32ul, -1, 0ul);
	syscall(__NR_mmap, 0x20000000ul, 0x1000000ul, 7ul, 0x32ul, -1, 0ul);
	syscall(__NR_mmap, 0x21000000ul, 0x1000ul, 0ul, 0x32ul, -1, 0ul);
	execute_one();
	usleep(20000);
	printf("alloc %d, read %d of %llu, map %d, write %d, close %d\n", results[1], results[3],
	       *(unsigned long long *)0x20000300, results[4], results[5], results[6]);
	return 0;
}
