// SPDX-License-Identifier: GPL-2.0-only
/* The syscall door: descriptors, reading, polling, bad arguments. */
#include "tests/core/hosted/hosted_kit.h"

#define IOMMU_DESTROY 0x3b80U
#define IOAS_ALLOC 0x3b81U
#define EVENT_SEMAPHORE 1
#define NONBLOCK 04000
#define CLOEXEC 02000000

struct pollfd_of { int fd; u16 events, revents; };

static u16 poll_one(int fd, u16 events, int ms, long want)
{
	struct pollfd_of p = {fd, events, 0xdead};

	put(0, SCRATCH + PAGE, &p, sizeof(p));
	expect_sys(want, 0, NR_poll, SCRATCH + PAGE, 1, (u64)(s64)ms);
	return (u16)(get(0, SCRATCH + PAGE) >> 48);
}

static void descriptors(void *arg)
{
	struct { u32 size, flags, id; } a = {.size = sizeof(a)};
	int fd = open_at(0, "/dev/iommu"), copy;

	(void)arg;
	cr_assert_eq(fd, 0);
	copy = (int)sys(0, NR_dup, (u64)fd);
	cr_assert_eq(copy, 1);
	expect_sys(5, 0, NR_dup2, (u64)fd, 5);
	expect_sys(5, 0, NR_dup2, 5, 5);
	expect_sys(-EBADF, 0, NR_dup2, 9, 5);
	expect_sys(-EINVAL, 0, NR_dup3, 5, 5, 0);
	expect_sys(7, 0, NR_dup3, 5, 7, CLOEXEC);
	expect_sys(1, 0, NR_fcntl, 7, 1, 0);
	expect_sys(0, 0, NR_fcntl, 5, 1, 0);
	expect_sys(6, 0, NR_fcntl, 7, 0, 6);
	/* One file: what one descriptor made, the last one alive still knows. */
	put(0, SCRATCH, &a, sizeof(a));
	expect_sys(0, 0, NR_ioctl, (u64)fd, IOAS_ALLOC, SCRATCH);
	expect_sys(0, 0, NR_close, (u64)fd);
	expect_sys(-EBADF, 0, NR_close, (u64)fd);
	expect_sys(0, 0, NR_close, 1);
	expect_sys(0, 0, NR_close, 5);
	expect_sys(0, 0, NR_close, 6);
	put(0, SCRATCH + PAGE, &(u32[2]){8, (u32)get(0, SCRATCH + 8)}, 8);
	expect_sys(0, 0, NR_ioctl, 7, IOMMU_DESTROY, SCRATCH + PAGE);
	expect_sys(0, 0, NR_close, 7);
	expect_sys(-EBADF, 0, NR_ioctl, 7, IOAS_ALLOC, SCRATCH);
}

static void nonsense(void *arg)
{
	(void)arg;
	cr_assert_eq(open_at(0, "/dev/null"), -ENOENT);
	cr_assert_eq(open_at(0, "/dev/vfio"), -ENOENT);
	cr_assert_eq(open_at(0, ""), -ENOENT);
	expect_sys(-EFAULT, 0, NR_open, 0x1000, 2);
	expect_sys(-EFAULT, 0, NR_open, ~0UL, 2);
	expect_sys(-ENOSYS, 0, 100000, 0);
	expect_sys(-ENOSYS, 0, -1, 0);
	expect_sys(-ESRCH, 1, NR_getpid, 0);
	expect_sys(-ESRCH, ~0U, NR_getpid, 0);
	expect_sys(-EBADF, 0, NR_read, ~0UL, SCRATCH, 8);
	expect_sys(-EBADF, 0, NR_ioctl, 3, IOAS_ALLOC, SCRATCH);
	expect_sys(-EFAULT, 0, NR_poll, 0x1000, 1, 0);
	cr_assert_eq(poll_one(3, 1, -1, 1), 0x20);
}

static void events(void *arg)
{
	int fd = (int)sys(0, NR_eventfd2, 0, NONBLOCK);
	u64 before = w->clock->now_ns;

	(void)arg;
	cr_assert_geq(fd, 0);
	expect_sys(-EAGAIN, 0, NR_read, (u64)fd, SCRATCH, 8);
	cr_assert_eq(poll_one(fd, 1, 0, 0), 0);
	cr_assert_eq(poll_one(fd, 5, 0, 1), 4);
	cr_assert_eq(w->clock->now_ns, before, "asking takes no time");
	cr_assert_eq(poll_one(fd, 1, 50, 0), 0);
	cr_assert(w->clock->now_ns >= before + 50000000 && w->clock->now_ns < before + 100000000,
		  "a time-out of 50 ms took %lu ns", w->clock->now_ns - before);
	set(0, SCRATCH, 3);
	expect_sys(8, 0, NR_write, (u64)fd, SCRATCH, 8);
	expect_sys(8, 0, NR_write, (u64)fd, SCRATCH, 8);
	cr_assert_eq(poll_one(fd, 1, -1, 1), 1);
	expect_sys(8, 0, NR_read, (u64)fd, SCRATCH + 64, 8);
	cr_assert_eq(get(0, SCRATCH + 64), 6);
	expect_sys(-EINVAL, 0, NR_read, (u64)fd, SCRATCH, 4);
	expect_sys(-ESPIPE, 0, NR_pread, (u64)fd, SCRATCH, 8, 0);
	expect_sys(0, 0, NR_close, (u64)fd);
}

static int pair;

static void writer(void *arg)
{
	(void)arg;
	set(0, SCRATCH + 8 * PAGE, 1);
	while (pair < 0)
		sched_yield_now();
	expect_sys(8, 0, NR_write, (u64)pair, SCRATCH + 8 * PAGE, 8);
}

static void poller(void *arg)
{
	(void)arg;
	pair = (int)sys(0, NR_eventfd2, 0, EVENT_SEMAPHORE);
	cr_assert_eq(poll_one(pair, 1, -1, 1), 1);
	expect_sys(8, 0, NR_read, (u64)pair, SCRATCH + 64, 8);
	/* Nobody will write: its user interrupts it. */
	expect_sys(-EINTR, 0, NR_read, (u64)pair, SCRATCH + 64, 8);
	poll_one(pair, 1, -1, -EINTR);
	expect_sys(0, 0, NR_close, (u64)pair);
}

Test(door, descriptors_share_a_file_until_the_last_is_closed)
{
	hosted_load(descriptors, NULL);
	run_clean(3);
}

Test(door, nonsense_is_answered_with_an_error)
{
	hosted_load(nonsense, NULL);
	run_clean(3);
}

Test(door, eventfd_is_read_written_and_polled_in_virtual_time)
{
	hosted_load(events, NULL);
	run_clean(3);
}

static void forget_pair(void)
{
	pair = -1;
}

Test(door, a_poll_is_woken_by_another_task)
{
	/* eventfd_poll() reads the count, marked, while a writer adds to it, plain. */
	hosted_oracles = "atomic,deadlock,hang,kasan,leak,lockorder,warn";
	hosted_load(poller, writer);
	for (u64 seed = 1; seed <= 200; seed++) {
		struct world_run r;

		forget_pair();
		r = run(seed);
		assert_clean(&r);
	}
}
