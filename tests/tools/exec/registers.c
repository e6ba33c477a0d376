// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client's faults on mapped registers: the instructions that compilers and libc make of
 * accesses, registers that do not answer, and the client's own handlers beside.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>
#include <emmintrin.h>

#define ASQ 0x28
#define ACQ 0x30

static volatile uint8_t *regs;
static off_t config;
static int device;
static sigjmp_buf back;
static volatile sig_atomic_t signals;
static void *volatile where;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	signals = sig;
	where = info->si_addr;
	siglongjmp(back, 1);
}

static void open_device(void)
{
	int container = open("/dev/vfio/vfio", O_RDWR), group = open("/dev/vfio/0", O_RDWR);
	struct vfio_region_info bar = {.argsz = sizeof(bar)};
	struct vfio_region_info cfg = {.argsz = sizeof(cfg), .index = 7};

	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0");
	if (device < 0 || ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &cfg))
		die("device");
	config = (off_t)cfg.offset;
	regs = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
	if (regs == MAP_FAILED)
		die("mmap");
}

static void check(const char *what, uint64_t got, uint64_t want)
{
	printf("%s: %s\n", what, got == want ? "as written" : "WRONG");
}

static void instructions(void)
{
	volatile uint64_t *asq = (void *)(regs + ASQ);
	volatile uint32_t *mask = (void *)(regs + 0x0c);
	uint64_t pair[2] = {0x1111222233334000, 0x5555666677778000}, got[2] = {0}, n = 16, flags;
	void *to = (void *)(regs + ASQ);
	const void *from = pair;

	*asq = 0x0123456789abc000;
	check("mov 64", *asq, 0x0123456789abc000);
	*(volatile uint16_t *)(regs + ASQ + 2) = 0xbeef;
	check("mov 16", *asq, 0x01234567beefc000);
	check("movsx", (uint64_t)(int64_t)*(volatile int8_t *)(regs + ASQ + 3), ~0x41ULL);
	*mask |= 0x30; /* what is written as 1 is set */
	check("or", *mask, 0x30);
	__asm__ volatile("lock andl $0x10, %0\n\tpushf\n\tpop %1" : "+m"(*mask), "=r"(flags));
	check("lock and", *mask, 0x30);
	check("its flags", flags >> 6 & 1, 0);
	_mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)pair));
	_mm_storeu_si128((__m128i *)got, _mm_loadu_si128((const __m128i *)to));
	check("movdqu", got[0] ^ got[1], pair[0] ^ pair[1]);
	pair[0] = 0x9000;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	check("rep movsb", *asq, 0x9000);
	check("its count", n, 0);
	__asm__ volatile("xchg %0, %1" : "+r"(pair[1]), "+m"(*asq));
	check("xchg", pair[1], 0x9000);
}

/* Decoding off: a bus error at the register's address; the client goes on after it. */
static void silence(void)
{
	uint16_t off = 0, on = 6;

	if (pwrite(device, &off, 2, config + 4) != 2)
		die("command");
	if (!sigsetjmp(back, 1))
		printf("reads %x\n", regs[8]);
	printf("decoding off: %s at +%lx\n", signals == SIGBUS ? "SIGBUS" : "another signal",
	       (unsigned long)((uint8_t *)where - (uint8_t *)regs));
	if (pwrite(device, &on, 2, config + 4) != 2)
		die("command");
	printf("on again: version %x\n", *(volatile uint32_t *)(regs + 8));
}

static void own_faults(void)
{
	struct sigaction now;

	signals = 0;
	if (!sigsetjmp(back, 1))
		*(volatile int *)0x1000 = 1;
	printf("its own fault: %s at %lx\n", signals == SIGSEGV ? "SIGSEGV" : "another signal",
	       (unsigned long)where);
	sigaction(SIGSEGV, NULL, &now);
	printf("its handler: %s\n", now.sa_sigaction == on_signal ? "its own" : "another");
	munmap((void *)regs, 8192);
	signals = 0;
	if (!sigsetjmp(back, 1))
		printf("reads %x\n", regs[8]);
	printf("unmapped: %s\n", signals == SIGSEGV ? "SIGSEGV" : "another signal");
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_flags = SA_SIGINFO};

	setvbuf(stdout, NULL, _IOLBF, 0);
	act.sa_sigaction = on_signal;
	sigaction(SIGSEGV, &act, NULL);
	open_device();
	sigaction(SIGBUS, &act, NULL);
	if (argc > 1 && !strcmp(argv[1], "avx")) {
		signal(SIGSEGV, SIG_DFL);
		__asm__ volatile("vmovdqu %0, %%ymm0" : : "m"(*(const char(*)[32])regs) : "xmm0");
	}
	instructions();
	silence();
	own_faults();
	return 0;
}
