/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of system calls on a hosted kernel, as C functions. The object is
 * named by HOSTED_KERNEL (tests/core/hosted/processes.sh sets it); without it
 * every case here is skipped.
 */
#pragma once

#include "core/hosted/hosted.h"
#include "tests/kit/program.h"

#include <errno.h>
#include <stdlib.h>

/* x86-64's. */
enum {
	NR_read = 0, NR_write = 1, NR_open = 2, NR_close = 3, NR_fstat = 5, NR_poll = 7,
	NR_lseek = 8,
	NR_mmap = 9, NR_mprotect = 10, NR_munmap = 11, NR_ioctl = 16, NR_pread = 17, NR_mremap = 25,
	NR_madvise = 28, NR_dup = 32, NR_dup2 = 33, NR_getpid = 39, NR_fcntl = 72,
	NR_ftruncate = 77, NR_capset = 126, NR_setrlimit = 160, NR_openat = 257, NR_eventfd2 = 290,
	NR_dup3 = 292, NR_prlimit = 302, NR_memfd = 319,
};

#define PAGE 4096UL
/* Where the programs here keep what they pass; mapped by hosted_load(). */
#define SCRATCH 0x20000000UL
#define SCRATCH_SIZE (16UL << 20)

static const struct kernel *hosted;
static const char *hosted_oracles = "all";

#define sys(process, nr, ...) hosted->syscall(w, process, nr, (u64[6]){__VA_ARGS__})
#define expect_sys(want, process, nr, ...)                                                  \
	do {                                                                                \
		long ret_ = sys(process, nr, __VA_ARGS__);                                  \
		cr_assert_eq(ret_, (long)(want), #nr "(" #__VA_ARGS__ ") gave %ld, expected " \
			     #want, ret_);                                                  \
	} while (0)

static void hosted_kit_boot(void)
{
	w->kernel = (void *)(uintptr_t)hosted;
	hosted->boot(w, NULL);
	expect_sys(SCRATCH, 0, NR_mmap, SCRATCH, SCRATCH_SIZE, 3, 0x32, ~0UL, 0);
}

static void hosted_kit_shutdown(void)
{
	hosted->shutdown(w);
}

static inline void hosted_load(void (*first)(void *), void (*second)(void *))
{
	const char *path = getenv("HOSTED_KERNEL");
	char err[512];

	if (!path)
		cr_skip_test("HOSTED_KERNEL names no hosted kernel");
	hosted = hosted_open(path, err, sizeof(err));
	cr_assert(hosted, "%s", err);
	load(.boot = hosted_kit_boot, .task = {first, second}, .shutdown = hosted_kit_shutdown,
	     .oracles = hosted_oracles);
}

static inline void put(u32 process, u64 addr, const void *p, u64 size)
{
	u64 left = hosted->poke(w, process, addr, p, size);

	cr_assert_eq(left, 0, "poke of %#lx+%#lx: %lu left", addr, size, left);
}

static inline u64 get(u32 process, u64 addr)
{
	u64 v = 0, left = hosted->peek(w, process, &v, addr, sizeof(v));

	cr_assert_eq(left, 0, "peek of %#lx: %lu left", addr, left);
	return v;
}

static inline void set(u32 process, u64 addr, u64 v)
{
	put(process, addr, &v, sizeof(v));
}

static inline bool readable(u32 process, u64 addr)
{
	u8 c;

	return !hosted->peek(w, process, &c, addr, 1);
}

static inline bool writable(u32 process, u64 addr)
{
	u8 c = 0;

	return !hosted->poke(w, process, addr, &c, 1);
}

static inline int open_at(u32 process, const char *path)
{
	put(process, SCRATCH, path, strlen(path) + 1);
	return (int)sys(process, NR_openat, (u64)-100, SCRATCH, 2);
}
