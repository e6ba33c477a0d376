// SPDX-License-Identifier: GPL-2.0-only
/* Memory of processes: mapping, permissions, fork, exit, pinning and its limits. */
#include "tests/core/hosted/hosted_kit.h"

#define READ 1UL
#define RW 3UL
#define SHARED_ANONYMOUS 0x21UL
#define PRIVATE_ANONYMOUS 0x22UL
#define FIXED 0x10UL
#define NORESERVE 0x4000UL
#define POPULATE 0x8000UL
#define HUGETLB 0x40000UL
#define NOREPLACE 0x100000UL
#define HUGE (2UL << 20)
#define GIB (1UL << 30)
#define AREA 0x200000000000UL
#define NO_FD ~0UL

static u64 map(u32 process, u64 addr, u64 size, u64 prot, u64 flags)
{
	long at = sys(process, NR_mmap, addr, size, prot, flags, NO_FD, 0);

	cr_assert_geq(at, 0, "mmap gave %ld", at);
	return (u64)at;
}

static long frame(u32 process, u64 addr)
{
	const struct hosted_kernel *k = *(const struct hosted_kernel **)w->kernel;

	return k->frame(process, addr, false);
}

static void laziness(void *arg)
{
	u64 big = map(0, 0, 512 * GIB, RW, PRIVATE_ANONYMOUS | NORESERVE);

	(void)arg;
	map(0, AREA, 16UL << 20, RW, PRIVATE_ANONYMOUS | FIXED);
	for (u64 i = 0; i < 512; i += 37) {
		cr_assert_eq(get(0, big + i * GIB + 8), 0);
		set(0, big + i * GIB + 8, i + 1);
	}
	for (u64 i = 0; i < 512; i += 37)
		cr_assert_eq(get(0, big + i * GIB + 8), i + 1);
	expect_sys(0, 0, NR_munmap, big + 37 * GIB, 37 * GIB);
	cr_assert_not(readable(0, big + 37 * GIB));
	cr_assert_eq(get(0, big + 74 * GIB + 8), 75);
	expect_sys(0, 0, NR_munmap, big, 512 * GIB);
	cr_assert_not(readable(0, big));
}

static void permissions(void *arg)
{
	u64 at = map(0, 0, 4 * PAGE, RW, PRIVATE_ANONYMOUS), other;

	(void)arg;
	set(0, at + PAGE, 7);
	expect_sys(0, 0, NR_mprotect, at + PAGE, PAGE, READ);
	cr_assert_not(writable(0, at + PAGE));
	cr_assert(writable(0, at) && writable(0, at + 2 * PAGE));
	expect_sys(0, 0, NR_mprotect, at + PAGE, PAGE, 0);
	cr_assert_not(readable(0, at + PAGE));
	expect_sys(0, 0, NR_mprotect, at, 4 * PAGE, RW);
	cr_assert_eq(get(0, at + PAGE), 7, "what was there stays");
	expect_sys(-EEXIST, 0, NR_mmap, at, PAGE, RW, PRIVATE_ANONYMOUS | NOREPLACE, NO_FD, 0);
	cr_assert_eq(get(0, at + PAGE), 7);
	map(0, at + PAGE, PAGE, RW, PRIVATE_ANONYMOUS | FIXED);
	cr_assert_eq(get(0, at + PAGE), 0, "MAP_FIXED replaces");
	set(0, at, 9);
	expect_sys(0, 0, NR_madvise, at, PAGE, 4);
	cr_assert_eq(get(0, at), 0, "MADV_DONTNEED drops");
	at = map(0, 0, 4 * PAGE, RW, PRIVATE_ANONYMOUS);
	set(0, at, 5);
	other = (u64)sys(0, NR_mremap, at, 4 * PAGE, 8 * PAGE, 1);
	cr_assert_neq(other, at);
	cr_assert_eq(get(0, other), 5);
	cr_assert_not(readable(0, at));
	expect_sys(-EINVAL, 0, NR_munmap, other + 1, PAGE);
	expect_sys(-EINVAL, 0, NR_munmap, other, 0);
	expect_sys(-EINVAL, 0, NR_munmap, ~0UL << 12, 2 * PAGE);
	expect_sys(-ENOMEM, 0, NR_mprotect, 0x1000, PAGE, RW);
	expect_sys(-EINVAL, 0, NR_mmap, 0, 0, RW, PRIVATE_ANONYMOUS, NO_FD, 0);
	expect_sys(-EINVAL, 0, NR_mmap, 0, PAGE, RW, 0x20, NO_FD, 0);
	expect_sys(-ENOMEM, 0, NR_mmap, 0, ~0UL, RW, PRIVATE_ANONYMOUS, NO_FD, 0);
	expect_sys(-EBADF, 0, NR_mmap, 0, PAGE, RW, 2, NO_FD, 0);
}

static void forking(void *arg)
{
	u64 private = map(0, 0, 2 * PAGE, RW, PRIVATE_ANONYMOUS);
	u64 shared = map(0, 0, 2 * PAGE, RW, SHARED_ANONYMOUS);
	int before = (int)sys(0, NR_eventfd2, 5, 0);
	long child;

	(void)arg;
	set(0, private, 1);
	set(0, shared, 2);
	child = hosted->fork(w, 0);
	cr_assert_eq(child, 1);
	cr_assert_neq(sys(1, NR_getpid, 0), sys(0, NR_getpid, 0));
	set(1, private, 11);
	set(1, shared, 12);
	set(1, shared + PAGE, 13);
	cr_assert_eq(get(0, private), 1, "private memory of the parent");
	cr_assert_eq(get(1, private), 11);
	cr_assert_eq(get(0, shared), 12, "shared memory");
	cr_assert_eq(get(0, shared + PAGE), 13, "shared memory that neither had touched");
	cr_assert_neq(frame(0, private), frame(1, private));
	cr_assert_eq(frame(0, shared), frame(1, shared));
	/* One file behind two tables. */
	expect_sys(8, 1, NR_read, (u64)before, SCRATCH, 8);
	cr_assert_eq(get(1, SCRATCH), 5);
	expect_sys(0, 1, NR_close, (u64)before);
	set(0, SCRATCH, 3);
	expect_sys(8, 0, NR_write, (u64)before, SCRATCH, 8);
	expect_sys(-EBADF, 1, NR_close, (u64)before);
	hosted->exit(w, 1);
	expect_sys(-ESRCH, 1, NR_getpid, 0);
	cr_assert_not(readable(1, private));
	cr_assert_eq(get(0, shared), 12);
	cr_assert_eq(hosted->fork(w, 0), 2, "the number comes again late");
	cr_assert_eq(hosted->fork(w, 2), 3);
	cr_assert_eq(get(3, private), 1);
	cr_assert_eq(hosted->fork(w, 9), -ESRCH);
	for (long n = 4; n < 64; n++) {
		cr_assert_eq(hosted->fork(w, 0), n);
		hosted->exit(w, (u32)n);
	}
	cr_assert_eq(hosted->fork(w, 0), 1, "when all have been given");
}

static void memfds(void *arg)
{
	int fd = (int)sys(0, NR_memfd, SCRATCH, 0);
	u64 a, b, c;

	(void)arg;
	cr_assert_geq(fd, 0);
	expect_sys(0, 0, NR_ftruncate, (u64)fd, 2 * PAGE + 1);
	a = (u64)sys(0, NR_mmap, 0, 4 * PAGE, RW, 1, (u64)fd, 0);
	b = (u64)sys(0, NR_mmap, 0, PAGE, RW, 1, (u64)fd, PAGE);
	c = (u64)sys(0, NR_mmap, 0, PAGE, RW, 2, (u64)fd, PAGE);
	set(0, a + PAGE, 21);
	cr_assert_eq(get(0, b), 21);
	cr_assert_eq(get(0, c), 21, "private, not written yet: the file's page");
	set(0, c, 22);
	set(0, b, 23);
	cr_assert_eq(get(0, c), 22);
	cr_assert_eq(get(0, a + PAGE), 23);
	cr_assert(readable(0, a + 2 * PAGE));
	cr_assert_not(readable(0, a + 3 * PAGE), "beyond the end of the file");
	expect_sys(8, 0, NR_pread, (u64)fd, SCRATCH, 8, PAGE);
	cr_assert_eq(get(0, SCRATCH), 23);
	expect_sys(0, 0, NR_ftruncate, (u64)fd, PAGE);
	cr_assert_not(readable(0, b));
	expect_sys(0, 0, NR_close, (u64)fd);
	set(0, a, 24);
	cr_assert_eq(get(0, a), 24, "a mapping keeps the file");
	expect_sys(-EINVAL, 0, NR_ftruncate, (u64)sys(0, NR_eventfd2, 0, 0), PAGE);
}

static void frames(void *arg)
{
	u64 small = map(0, 0, 64 * PAGE, RW, PRIVATE_ANONYMOUS | POPULATE), near = 0;
	u64 huge = map(0, 0, 2 * HUGE, RW, SHARED_ANONYMOUS | HUGETLB | POPULATE);

	(void)arg;
	for (u64 i = 1; i < 64; i++)
		near += frame(0, small + i * PAGE) == frame(0, small + (i - 1) * PAGE) + 1;
	cr_assert_lt(near, 4, "%lu of 63 neighbours are neighbours in memory", near);
	cr_assert_eq(huge % HUGE, 0);
	cr_assert_eq(frame(0, huge) % 512, 0);
	for (u64 i = 1; i < 512; i++)
		cr_assert_eq(frame(0, huge + i * PAGE), frame(0, huge) + (long)i);
	expect_sys(-EINVAL, 0, NR_munmap, huge, PAGE);
	expect_sys(0, 0, NR_munmap, huge, HUGE);
	cr_assert_not(readable(0, huge));
	set(0, huge + HUGE, 1);
	expect_sys(-EINVAL, 0, NR_mmap, huge + PAGE, HUGE, RW,
		   PRIVATE_ANONYMOUS | HUGETLB | FIXED, NO_FD, 0);
}

/* --- with iommufd --- */

#define MOCK_IOVA 0x1000000UL

static u32 domain; /* of the mock device */

struct test_cmd { u32 size, op, id, reserved; u64 word[6]; u32 last, pad; };

static long iommufd(u32 process, int fd, u32 nr, void *p, u32 size)
{
	long ret;

	put(process, SCRATCH, p, size);
	ret = sys(process, NR_ioctl, (u64)fd, 0x3b00U | nr, SCRATCH);
	cr_assert_eq(hosted->peek(w, process, p, SCRATCH, size), 0);
	return ret;
}

static u32 ioas_of(int fd)
{
	struct { u32 size, flags, id; } a = {.size = sizeof(a)};
	struct test_cmd t = {.size = sizeof(t) - 4, .op = 2};

	cr_assert_eq(iommufd(0, fd, 0x81, &a, sizeof(a)), 0);
	t.id = a.id;
	cr_assert_eq(iommufd(0, fd, 0xa0, &t, sizeof(t) - 4), 0);
	domain = (u32)(t.word[0] >> 32);
	return a.id;
}

static long ioas_map(u32 process, int fd, u32 ioas, u64 va, u64 size)
{
	struct { u32 size, flags, ioas, reserved; u64 va, length, iova; } a = {
		.size = sizeof(a), .flags = 7, .ioas = ioas, .va = va, .length = size,
		.iova = MOCK_IOVA};

	return iommufd(process, fd, 0x85, &a, sizeof(a));
}

static long ioas_unmap(int fd, u32 ioas, u64 size)
{
	struct { u32 size, ioas; u64 iova, length; } a = {sizeof(a), ioas, MOCK_IOVA, size};

	return iommufd(0, fd, 0x86, &a, sizeof(a));
}

/* The domain has the frames that the process has there now. */
static long same_frames(int fd, u64 va, u64 size)
{
	struct test_cmd t = {.size = sizeof(t) - 4, .op = 3, .id = domain,
			     .word = {MOCK_IOVA, size, va}};

	return iommufd(0, fd, 0xa0, &t, sizeof(t) - 4);
}

static long pinned(int fd, u64 va, u64 size, u32 times)
{
	struct test_cmd t = {.size = sizeof(t) - 4, .op = 4, .word = {size, va, times}};

	return iommufd(0, fd, 0xa0, &t, sizeof(t) - 4);
}

static void pins(void *arg)
{
	u64 at = map(0, 0, 4 * PAGE, RW, PRIVATE_ANONYMOUS);
	int fd = open_at(0, "/dev/iommu");
	u32 ioas = ioas_of(fd);
	long old;

	(void)arg;
	set(0, at, 77);
	old = frame(0, at);
	cr_assert_eq(ioas_map(0, fd, ioas, at, 4 * PAGE), 0);
	cr_assert_eq(same_frames(fd, at, 4 * PAGE), 0);
	cr_assert_eq(pinned(fd, at, 4 * PAGE, 1), 0);
	/* The child gets a copy; what is pinned stays with the parent. */
	cr_assert_eq(hosted->fork(w, 0), 1);
	cr_assert_eq(frame(0, at), old);
	cr_assert_neq(frame(1, at), old);
	cr_assert_eq(same_frames(fd, at, 4 * PAGE), 0);
	hosted->exit(w, 1);
	/* Gone from the process, still the domain's: nobody else gets the frames. */
	expect_sys(0, 0, NR_munmap, at, 4 * PAGE);
	map(0, at, 4 * PAGE, RW, PRIVATE_ANONYMOUS | FIXED | POPULATE);
	cr_assert_neq(frame(0, at), old);
	cr_assert_eq(same_frames(fd, at, PAGE), -EINVAL);
	cr_assert_eq(ioas_unmap(fd, ioas, 4 * PAGE), 0);
	cr_assert_eq(pinned(fd, at, 4 * PAGE, 0), 0);
	expect_sys(0, 0, NR_mprotect, at, PAGE, READ);
	cr_assert_eq(ioas_map(0, fd, ioas, at, PAGE), -EFAULT, "a write pin of a read-only page");
	expect_sys(0, 0, NR_close, (u64)fd);
}

static void limits(void *arg)
{
	struct { u32 version; int pid; } h = {0x20080522, 0};
	u64 at = map(0, 0, 32 * PAGE, RW, PRIVATE_ANONYMOUS), none[3] = {0};
	u64 limit[2] = {16 * PAGE, 16 * PAGE};
	int fd = open_at(0, "/dev/iommu");
	u32 ioas = ioas_of(fd);

	(void)arg;
	put(0, SCRATCH + PAGE, limit, sizeof(limit));
	expect_sys(0, 0, NR_setrlimit, 8, SCRATCH + PAGE);
	cr_assert_eq(ioas_map(0, fd, ioas, at, 32 * PAGE), 0, "CAP_IPC_LOCK knows no limit");
	cr_assert_eq(ioas_unmap(fd, ioas, 32 * PAGE), 0);
	put(0, SCRATCH + PAGE, &h, sizeof(h));
	put(0, SCRATCH + PAGE + 64, none, sizeof(none));
	expect_sys(0, 0, NR_capset, SCRATCH + PAGE, SCRATCH + PAGE + 64);
	cr_assert_eq(ioas_map(0, fd, ioas, at, 32 * PAGE), -ENOMEM);
	cr_assert_eq(ioas_map(0, fd, ioas, at, 16 * PAGE), 0);
	cr_assert_eq(ioas_unmap(fd, ioas, 16 * PAGE), 0);
	cr_assert_eq(ioas_map(0, fd, ioas, at, 16 * PAGE), 0, "what was given back is free");
	limit[0] = limit[1] = 64 * PAGE;
	put(0, SCRATCH + PAGE, limit, sizeof(limit));
	expect_sys(-EPERM, 0, NR_setrlimit, 8, SCRATCH + PAGE);
	expect_sys(0, 0, NR_close, (u64)fd);
}

/* The parent's exit ends its memory; what a child's descriptor keeps open works on. */
static void owner_gone(void *arg)
{
	int fd = open_at(0, "/dev/iommu");
	u32 ioas = ioas_of(fd);
	u64 at;

	(void)arg;
	cr_assert_eq(hosted->fork(w, 0), 1);
	at = map(1, 0, 4 * PAGE, RW, PRIVATE_ANONYMOUS);
	cr_assert_eq(ioas_map(1, fd, ioas, at, 4 * PAGE), 0);
	hosted->exit(w, 1);
	cr_assert_eq(ioas_unmap(fd, ioas, 4 * PAGE), 0);
	expect_sys(0, 0, NR_close, (u64)fd);
}

#define CASE(name, fn)                    \
	Test(memory, name)                \
	{                                 \
		hosted_load(fn, NULL);    \
		run_clean(3);             \
	}

CASE(reservations_cost_nothing_until_they_are_touched, laziness)
CASE(permissions_and_replacement, permissions)
CASE(a_child_has_copies_of_private_memory_and_shares_the_rest, forking)
CASE(memfd_pages_are_the_files, memfds)
CASE(frames_are_scattered_huge_ones_are_contiguous, frames)
CASE(a_pin_outlives_the_mapping_and_stays_with_the_parent, pins)
CASE(memlock_limits_who_has_no_capability, limits)
CASE(pins_of_a_process_that_is_gone_are_dropped, owner_gone)

Test(memory, runs_start_from_the_same_state)
{
	u64 first = 0;

	/* One CPU's count of open files is read without a lock: no race on many. */
	hosted_oracles = "atomic,deadlock,hang,kasan,leak,lockorder,warn";
	hosted_load(pins, frames);
	for (u32 i = 0; i < 1000; i++) {
		struct world_run r = run(7);

		assert_clean(&r);
		first = i ? first : r.hash;
		cr_assert_eq(r.hash, first, "run %u differs", i);
	}
	hosted_load(pins, frames);
	cr_assert_eq(run(7).hash, first, "another world differs");
}
