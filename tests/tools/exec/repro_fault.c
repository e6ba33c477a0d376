// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reproducer of the shape that syzkaller writes for injected failures: the
 * nth failure point of one call, by way of /proc/thread-self/fail-nth.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool write_file(const char *file, const char *what, ...)
{
	char buf[1024];
	va_list args;
	int fd, len;

	va_start(args, what);
	vsnprintf(buf, sizeof(buf), what, args);
	va_end(args);
	len = strlen(buf);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (write(fd, buf, len) != len) {
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

static int inject_fault(int nth)
{
	char buf[16];
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);

	if (fd == -1)
		exit(1);
	sprintf(buf, "%d", nth);
	if (write(fd, buf, strlen(buf)) != (ssize_t)strlen(buf))
		exit(1);
	return fd;
}

static void setup_fault(void)
{
	static struct {
		const char *file, *val;
		bool fatal;
	} files[] = {
		{"/sys/kernel/debug/failslab/ignore-gfp-wait", "N", true},
		{"/sys/kernel/debug/fail_futex/ignore-private", "N", false},
		{"/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N", false},
		{"/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N", false},
		{"/sys/kernel/debug/fail_page_alloc/min-order", "0", false},
	};

	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!write_file(files[i].file, files[i].val) && files[i].fatal)
			printf("failed to write %s\n", files[i].file);
	}
}

static uint64_t r[1] = {0xffffffffffffffff};

int main(void)
{
	int failed = 0, nth;

	syscall(__NR_mmap, 0x1ffff000ul, 0x1000ul, 0ul, 0x32ul, -1, 0ul);
	syscall(__NR_mmap, 0x20000000ul, 0x1000000ul, 7ul, 0x32ul, -1, 0ul);
	syscall(__NR_mmap, 0x21000000ul, 0x1000ul, 0ul, 0x32ul, -1, 0ul);
	setup_fault();
	memcpy((void *)0x20000000, "/dev/iommu\000", 11);
	r[0] = syscall(__NR_openat, 0xffffffffffffff9cul, 0x20000000ul, 0ul, 0ul);
	for (nth = 1; nth < 100; nth++) {
		char left[16] = "";
		int fd = inject_fault(nth);
		long res;

		*(uint32_t *)0x20000080 = 0xc;
		*(uint32_t *)0x20000084 = 0;
		*(uint32_t *)0x20000088 = 0;
		res = syscall(__NR_ioctl, r[0], 0x3b81, 0x20000080ul);
		if (res == -1)
			failed++;
		if (pread(fd, left, sizeof(left), 0) < 2)
			exit(1);
		if (pwrite(fd, "0", 1, 0) != 1)
			exit(1);
		close(fd);
		if (strcmp(left, "0\n") != 0)
			break;
	}
	printf("%s points failed, then none: %s\n", failed >= 3 ? "some" : "too few",
	       nth < 100 ? "yes" : "no");
	return 0;
}
