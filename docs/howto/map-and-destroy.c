// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of map-and-destroy.syz, one after the other, as syzkaller's C
 * reproducers make them.
 */
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t r[2] = {0xffffffffffffffff, 0x0};

int main(void)
{
	intptr_t res;

	syscall(__NR_mmap, 0x20000000ul, 0x1000000ul, 7ul, 0x32ul, -1, 0ul);
	memcpy((void *)0x20000000, "/dev/iommu\000", 11);
	res = syscall(__NR_openat, 0xffffffffffffff9cul, 0x20000000ul, 2ul, 0ul);
	if (res != -1)
		r[0] = res;
	*(uint32_t *)0x20000040 = 0xc;
	*(uint32_t *)0x20000044 = 0;
	res = syscall(__NR_ioctl, r[0], 0x3b81, 0x20000040ul);
	if (res != -1)
		r[1] = *(uint32_t *)0x20000048;
	*(uint32_t *)0x20000080 = 0x28;
	*(uint32_t *)0x20000084 = 7;
	*(uint32_t *)0x20000088 = r[1];
	*(uint32_t *)0x2000008c = 0;
	*(uint64_t *)0x20000090 = 0x20800000;
	*(uint64_t *)0x20000098 = 0x4000;
	*(uint64_t *)0x200000a0 = 0x1000000;
	syscall(__NR_ioctl, r[0], 0x3b85, 0x20000080ul);
	*(uint32_t *)0x200000c0 = 8;
	*(uint32_t *)0x200000c4 = r[1];
	syscall(__NR_ioctl, r[0], 0x3b80, 0x200000c0ul);
	return 0;
}
