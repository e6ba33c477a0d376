// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a correct client makes a kernel keep: a function's messages, turned on and off again,
 * and many groups at once. Everything is given back at the end.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MANY 100

static int set(int device, int index, int count, int eventfd)
{
	struct {
		struct vfio_irq_set s;
		int fd;
	} irq = {{sizeof(irq), VFIO_IRQ_SET_ACTION_TRIGGER, index, 0, count}, eventfd};

	irq.s.flags |= count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE;
	irq.s.argsz -= count ? 0 : sizeof(int);
	return ioctl(device, VFIO_DEVICE_SET_IRQS, &irq);
}

static void messages(void)
{
	int container = open("/dev/vfio/vfio", O_RDWR), group = open("/dev/vfio/0", O_RDWR);
	int device, fd = eventfd(0, 0), on, off;

	ioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
	ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:01.0");
	on = set(device, VFIO_PCI_MSI_IRQ_INDEX, 1, fd);
	off = set(device, VFIO_PCI_MSI_IRQ_INDEX, 0, fd);
	on |= set(device, VFIO_PCI_MSIX_IRQ_INDEX, 1, fd);
	printf("messages: on %d, off %d\n", on, off | set(device, VFIO_PCI_MSIX_IRQ_INDEX, 0, fd));
	close(device);
	close(group);
	close(container);
}

/* IOMMU_IOAS_ALLOC, and the selftest driver's devices: each has a group of its own. */
static void groups(void)
{
	uint32_t ioas[3] = {sizeof(ioas)}, mock[18];
	int fd = open("/dev/iommu", O_RDWR), made = 0;

	ioctl(fd, 0x3b81, ioas);
	for (int i = 0; i < MANY; i++) {
		memset(mock, 0, sizeof(mock));
		mock[0] = sizeof(mock);
		mock[1] = 2;
		mock[2] = ioas[2];
		made += !ioctl(fd, 0x3ba0, mock);
	}
	printf("groups: %d\n", made);
	close(fd);
}

int main(void)
{
	messages();
	groups();
	return 0;
}
