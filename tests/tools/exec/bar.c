// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function's registers, mapped: what is stored is in the device, as its file shows; a
 * store makes it interrupt; with decoding off nobody answers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void on_bus_error(int sig)
{
	siglongjmp(back, sig);
}

static void command(int device, uint16_t value)
{
	if (pwrite(device, &value, 2, (7ull << 40) + 4) != 2)
		die("command");
}

static void trigger(int device, int event)
{
	char buf[sizeof(struct vfio_irq_set) + 4];
	struct vfio_irq_set *set = (void *)buf;

	*set = (struct vfio_irq_set){
		.argsz = sizeof(buf), .count = 1, .index = VFIO_PCI_INTX_IRQ_INDEX,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER};
	memcpy(set->data, &event, 4);
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, set))
		die("trigger");
}

int main(void)
{
	int c = open("/dev/vfio/vfio", O_RDWR), g = open("/dev/vfio/0", O_RDWR), event, device;
	struct vfio_region_info bar = {.argsz = sizeof(bar)};
	volatile uint32_t *r;
	uint64_t count = 0;
	uint32_t seen = 0;

	if (ioctl(g, VFIO_GROUP_SET_CONTAINER, &c) || ioctl(c, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	device = ioctl(g, VFIO_GROUP_GET_DEVICE_FD, "0000:00:01.0");
	if (device < 0 || ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar))
		die("device");
	command(device, 6);
	r = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
	if (r == MAP_FAILED)
		die("mmap");
	r[5] = 0x12345678;
	*(volatile uint64_t *)(r + 8) = 0x1122334455667788;
	if (pread(device, &seen, 4, (off_t)bar.offset + 20) != 4)
		die("pread");
	printf("stored %x, in the file %x, loaded %x\n", r[5], seen,
	       *((volatile uint16_t *)r + 19));
	seen = 0xabcd;
	if (pwrite(device, &seen, 4, (off_t)bar.offset + 20) != 4)
		die("pwrite");
	printf("written %x\n", r[5]);

	event = eventfd(0, 0);
	trigger(device, event);
	r[0] = 0; /* and INTx is asserted */
	if (read(event, &count, 8) != 8)
		die("event");
	r[1] = 0;
	printf("interrupt %llu\n", (unsigned long long)count);

	/* Registers are the source of a call's data. */
	if (pwrite(device, (void *)(r + 8), 4, (off_t)bar.offset + 20) != 4)
		die("pwrite from registers");
	printf("copied %x\n", r[5]);

	/* Registers do not grow; what mremap() leaves where it is stays theirs. */
	for (int i = 0; i < 2; i++) {
		void *more = mremap((void *)r, bar.size, 2 * bar.size, i ? MREMAP_MAYMOVE : 0);

		printf("longer: %s\n", more == MAP_FAILED ? strerrorname_np(errno) : "accepted");
	}
	printf("as long: %s, ", mremap((void *)r, bar.size, bar.size, 0) == r ? "yes" : "no");
	printf("loaded %x\n", r[5]);

	signal(SIGBUS, on_bus_error);
	command(device, 4);
	if (sigsetjmp(back, 1))
		printf("decoding off: SIGBUS\n");
	else
		printf("decoding off: %x\n", r[5]);
	command(device, 6);
	printf("on again: %x\n", r[5]);
	if (ioctl(device, VFIO_DEVICE_RESET))
		die("reset");
	printf("after a reset: %x\n", r[5]);
	return 0;
}
