// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client whose last call ends in a WARNING of the tree
 * (docs/findings/vfio-ioeventfd-negative-bar.md). With an argument, that comes after more calls
 * than a recording holds.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, data;
		int32_t fd;
		uint32_t reserved;
	} ioeventfd = {.argsz = 32, .flags = 4, .offset = ~0ULL, .data = 1};
	struct {
		uint32_t argsz, flags;
		int32_t iommufd;
		uint32_t out_devid;
	} bind = {.argsz = sizeof(bind)};
	int device;

	(void)argv;
	for (int i = 0; argc > 1 && i < 500; i++)
		close(eventfd(0, 0));
	bind.iommufd = open("/dev/iommu", O_RDWR);
	device = open("/dev/vfio/devices/vfio1", O_RDWR);
	if (ioctl(device, 0x3b76, &bind))
		perror("bind");
	/* No row of the table describes this call: its file is a number in the recording. */
	ioeventfd.fd = dup2(eventfd(1, 0), 50);
	ioctl(device, 0x3b74, &ioeventfd);
	puts("not reached");
	return 0;
}
