// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of files as a process gives them: wherever they lie, and where they do not end.
 */
#include "tests/core/iommu/core_test.h"

#include <errno.h>

#define AREA 0x50000000UL
#define SIZE 4096UL
#define OPEN 2
#define CLOSE 3
#define MMAP 9
#define NAME_MAX_LEN 256

static long call(long nr, u64 a, u64 b, u64 c, u64 d)
{
	u64 arg[6] = {a, b, c, d, ~0ULL, 0};

	return kernel_model.syscall(this_world(), 0, nr, arg);
}

static void put(u64 at, const void *bytes, u64 size)
{
	cr_assert_eq(kernel_model.poke(this_world(), 0, at, bytes, size), 0);
}

/* What open() gives for the bytes at `at`; what it opens is closed. */
static long open_at(u64 at, const char *bytes, u64 size)
{
	long fd;

	put(at, bytes, size);
	fd = call(OPEN, at, 2, 0, 0);
	if (fd >= 0)
		cr_expect_eq(call(CLOSE, (u64)fd, 0, 0, 0), 0);
	return fd;
}

/* Two pages; behind them there is nothing. */
static void names(void)
{
	static const char name[] = "/dev/iommu";
	char text[NAME_MAX_LEN];

	cr_assert_eq(call(MMAP, AREA, 2 * SIZE, 3, 0x32), (long)AREA);
	for (u64 at = AREA; at < AREA + 16; at++)
		cr_expect_geq(open_at(at, name, sizeof(name)), 0, "at %#lx", (unsigned long)at);
	for (u64 at = AREA + SIZE - 16; at < AREA + SIZE + 1; at++)
		cr_expect_geq(open_at(at, name, sizeof(name)), 0, "at %#lx", (unsigned long)at);
	cr_expect_geq(open_at(AREA + 2 * SIZE - sizeof(name), name, sizeof(name)), 0);
	cr_expect_eq(open_at(AREA + 2 * SIZE - sizeof(name) + 1, name, sizeof(name) - 1), -EFAULT);
	cr_expect_eq(call(OPEN, AREA + 2 * SIZE, 2, 0, 0), -EFAULT);
	memset(text, 'a', sizeof(text));
	for (u64 at = AREA; at < AREA + 8; at++)
		cr_expect_eq(open_at(at, text, sizeof(text)), -ENAMETOOLONG);
	text[sizeof(text) - 1] = '\0';
	for (u64 at = AREA; at < AREA + 8; at++)
		cr_expect_eq(open_at(at, text, sizeof(text)), -ENOENT);
	cr_expect_eq(open_at(AREA, "", 1), -ENOENT);
}

Test(names, of_files_lie_anywhere_and_end_within_what_is_there)
{
	memset(&m, 0, sizeof(m));
	run_core(NULL, 0, names);
}
