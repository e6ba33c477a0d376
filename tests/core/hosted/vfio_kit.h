/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO's calls on the default machine of a hosted kernel: a struct of each call
 * in the process's memory, numbers as in include/uapi/linux/vfio.h.
 */
#pragma once

#include "tests/core/hosted/hosted_kit.h"

#define BUFFER (SCRATCH + (1UL << 20)) /* what is mapped for DMA */
#define IOVA 0x1000000UL

enum { IOMMU_DESTROY = 0x3b80, IOAS_ALLOC, IOAS_MAP = 0x3b85, IOAS_UNMAP, VFIO_IOAS = 0x3b88,
       HWPT_ALLOC };
enum {
	VFIO_API = 0x3b64, VFIO_EXTENSION, VFIO_SET_IOMMU, GROUP_STATUS, GROUP_SET, GROUP_UNSET,
	GROUP_DEVICE, DEVICE_INFO, REGION_INFO, IRQ_INFO, SET_IRQS, DEVICE_RESET,
	TYPE1_INFO = 0x3b70, MAP_DMA, UNMAP_DMA, BIND = 0x3b76, ATTACH, DETACH,
};
enum { EMULATED_PIN = 0x3b64 + 240 - 100, EMULATED_UNPIN, EMULATED_PINNED };

/* Each task has a page of its own for arguments. */
static inline u64 args(void)
{
	return SCRATCH + current_task->id * PAGE;
}

static inline long call(int fd, u32 nr, void *arg, u64 size)
{
	u64 at = args();
	long ret;

	put(0, at, arg, size);
	ret = sys(0, NR_ioctl, (u64)fd, nr, at);
	if (ret >= 0)
		cr_assert_eq(hosted->peek(w, 0, arg, at, size), 0);
	return ret;
}

static inline int open_node(const char *path)
{
	put(0, args(), path, strlen(path) + 1);
	return (int)sys(0, NR_openat, (u64)-100, args(), 2);
}

static inline int group_device(int group, const char *name)
{
	put(0, args(), name, strlen(name) + 1);
	return (int)sys(0, NR_ioctl, (u64)group, GROUP_DEVICE, args());
}

static inline long map_dma(int container, u64 va, u64 iova, u64 size)
{
	struct { u32 argsz, flags; u64 va, iova, size; } a = {sizeof(a), 3, va, iova, size};

	return call(container, MAP_DMA, &a, sizeof(a));
}

/* Bytes unmapped, or -errno. */
static inline long unmap_dma(int container, u64 iova, u64 size)
{
	struct { u32 argsz, flags; u64 iova, size; } a = {sizeof(a), 0, iova, size};
	long ret = call(container, UNMAP_DMA, &a, sizeof(a));

	return ret ? ret : (long)a.size;
}

static inline long bind_iommufd(int device, int iommufd)
{
	struct { u32 argsz, flags; int fd; u32 id; } a = {sizeof(a), 0, iommufd, 0};
	long ret = call(device, BIND, &a, sizeof(a));

	return ret ? ret : (long)a.id;
}

static inline long attach(int device, u32 pt)
{
	struct { u32 argsz, flags, pt; } a = {sizeof(a), 0, pt};

	return call(device, ATTACH, &a, sizeof(a));
}

static inline long detach(int device)
{
	struct { u32 argsz, flags; } a = {sizeof(a), 0};

	return call(device, DETACH, &a, sizeof(a));
}

static inline long ioas_alloc(int iommufd)
{
	struct { u32 size, flags, id; } a = {.size = sizeof(a)};
	long ret = call(iommufd, IOAS_ALLOC, &a, sizeof(a));

	return ret ? ret : (long)a.id;
}

static inline long ioas_map(int iommufd, u32 ioas, u64 va, u64 iova, u64 size)
{
	struct { u32 size, flags, ioas, reserved; u64 va, length, iova; } a = {
		sizeof(a), 7, ioas, 0, va, size, iova};

	return call(iommufd, IOAS_MAP, &a, sizeof(a));
}

static inline long ioas_unmap(int iommufd, u32 ioas, u64 iova, u64 size)
{
	struct { u32 size, ioas; u64 iova, length; } a = {sizeof(a), ioas, iova, size};

	return call(iommufd, IOAS_UNMAP, &a, sizeof(a));
}

static inline long hwpt_alloc(int iommufd, u32 device, u32 pt)
{
	struct {
		u32 size, flags, device, pt, id, reserved, type, len;
		u64 data;
	} a = {.size = sizeof(a), .device = device, .pt = pt};
	long ret = call(iommufd, HWPT_ALLOC, &a, sizeof(a));

	return ret ? ret : (long)a.id;
}

static inline long destroy(int iommufd, u32 id)
{
	struct { u32 size, id; } a = {sizeof(a), id};

	return call(iommufd, IOMMU_DESTROY, &a, sizeof(a));
}
