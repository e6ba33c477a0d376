// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of VFIO: a group in a container of type 1, the same in an iommufd, and a device's own
 * file bound to one. The emulated device reads memory of ours through what is mapped for it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define IOVA 0x1000000UL

enum {
	VFIO_SET_IOMMU = 0x3b66, GROUP_SET = 0x3b68, GROUP_DEVICE = 0x3b6a, MAP_DMA = 0x3b71,
	UNMAP_DMA, BIND = 0x3b76, ATTACH, DETACH, IOAS_ALLOC = 0x3b81, IOAS_MAP = 0x3b85,
};

static uint64_t *memory;

/* What the device finds at an IOVA, through its own DMA. */
static uint64_t seen(int device, uint64_t iova)
{
	uint64_t word = 0;

	return pread(device, &word, sizeof(word), (off_t)iova) == sizeof(word) ? word : 0;
}

static int group_in(const char *path)
{
	struct {
		uint32_t argsz, flags;
		uint64_t va, iova, size;
	} map = {sizeof(map), 3, (uintptr_t)memory, IOVA, 4 * PAGE};
	struct {
		uint32_t argsz, flags;
		uint64_t iova, size;
	} range = {sizeof(range), 0, IOVA, 4 * PAGE};
	int container = open(path, O_RDWR), group = open("/dev/vfio/3", O_RDWR), device, ret;
	char name[] = "mdev0";

	if (ioctl(group, GROUP_SET, &container) || ioctl(container, VFIO_SET_IOMMU, 3))
		return 1;
	device = ioctl(group, GROUP_DEVICE, name);
	memory[PAGE / 8] = 0x1122334455667788;
	ret = ioctl(container, MAP_DMA, &map);
	printf("%s: map %d, the device sees %llx", path, ret,
	       (unsigned long long)seen(device, IOVA + PAGE));
	ret = ioctl(container, UNMAP_DMA, &range);
	printf(", unmap %d of %llu, then %llx\n", ret, (unsigned long long)range.size / PAGE,
	       (unsigned long long)seen(device, IOVA + PAGE));
	return close(device) || close(group) || close(container);
}

static int cdev(void)
{
	struct {
		uint32_t argsz, flags;
		int fd;
		uint32_t id;
	} bind = {sizeof(bind), 0, open("/dev/iommu", O_RDWR), 0};
	struct {
		uint32_t size, flags, id;
	} ioas = {.size = sizeof(ioas)};
	struct {
		uint32_t argsz, flags, pt;
	} attach = {sizeof(attach), 0, 0};
	int device = open("/dev/vfio/devices/vfio2", O_RDWR);

	if (device < 0 || ioctl(device, BIND, &bind) || ioctl(bind.fd, IOAS_ALLOC, &ioas))
		return 1;
	attach.pt = ioas.id;
	printf("cdev: attach %d", ioctl(device, ATTACH, &attach));
	printf(", again %d", ioctl(device, ATTACH, &attach));
	attach.argsz = 8;
	printf(", detach %d\n", ioctl(device, DETACH, &attach));
	return close(device) || close(bind.fd);
}

int main(void)
{
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return group_in("/dev/vfio/vfio") || group_in("/dev/iommu") || cdev();
}
