/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DMA API: what a driver gives a device instead of physical addresses.
 *
 * A space is the DMA side of one paging domain: its free addresses and how
 * unmaps are invalidated. Strict: before the call returns. Deferred: the address
 * waits in the flush queue, and until its flush the device still reaches the old
 * page; that window is by design, as in Linux. All devices of a group share the
 * space of their domain. A device without a space is direct: addresses are
 * physical.
 *
 * A device that is not trusted gets no byte that it was not given: what a buffer
 * leaves of its first and last page is in pages of a pool, zero but for the
 * buffer's bytes, which are copied in when it is mapped (whatever the direction:
 * a device that writes less than it was asked must not hand out what the page had)
 * and out when it is unmapped or synced. It is always strict.
 *
 * custom: Linux bounces a buffer as a whole when it is mapped by
 * dma_map_page(), and its ends when it is linked into a larger address range; here
 * it is always the ends, so there is no largest buffer. Addresses are tried below
 * 4 GiB first until that fails once, then up to the mask.
 *
 * Buffers are in frames (sim/mem/frames.h). Maps and unmaps of their own run in
 * parallel; sync and unmap of one mapping are its owner's to order. No lock of a
 * caller is taken; nothing sleeps but dma_space_create/destroy.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "core/iova/iova.h"

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

#define DMA_POOL_MAX 64 /* pages of a pool */

/* Pages for the ends of buffers. Owned by whoever made it; lock: used, slot. */
struct dma_pool {
	spinlock_t lock;
	u64 pa;          /* of the first page */
	u32 order;
	u32 n;           /* pages */
	u64 used;        /* bit per page */
	struct {
		u64 phys;  /* the buffer's bytes in it: where they are in memory */
		u32 offset, size;
	} slot[DMA_POOL_MAX];
};

struct dma_space {
	struct iommu_domain *domain;
	struct iova_domain iovad;
	bool deferred;
	bool beyond_32;  /* an allocation below 4 GiB failed: no longer tried. Marked accesses */
};

struct dma_device_cfg {
	struct dma_space *space;  /* NULL: direct */
	u64 mask;                 /* the highest address that it can say; 0: all of 64 bits */
	bool untrusted;
	struct dma_pool *pool;    /* of one that is untrusted */
	u32 max_segment;          /* bytes, 0: 64 KiB */
	u64 boundary;             /* a segment does not cross multiples of boundary + 1; 0: any */
};

/* Constant. Owned by the driver. */
struct dma_device {
	struct dma_device_cfg cfg;
};

struct dma_sg {
	u64 phys;
	u32 length;
	/* phys is a register of another function, which the device reaches past the IOMMU. */
	bool peer;
	/* out, of the first entries: as many as dma_map_sg() says */
	u64 dma_address;
	u32 dma_length;
};

/* -ENOMEM. n_lg2: pages, at most DMA_POOL_MAX of them. */
int dma_pool_init(struct dma_pool *pool, u32 n_lg2);
void dma_pool_fini(struct dma_pool *pool);

/*
 * ERR_PTR: -EINVAL no paging domain, -ENOMEM. Reserved regions are added with
 * iova_reserve(&space->iovad, ...) before anything is mapped.
 */
struct dma_space *dma_space_create(struct iommu_domain *domain, bool deferred);
/* Nothing is mapped any more. */
void dma_space_destroy(struct dma_space *space);

/*
 * For a bound driver, its device_lock held: the space of the default domain, which
 * the first such device of the group makes (deferred if the domain's type says so,
 * without what its firmware reserves) and which ends with the domain. Errors of
 * dma_space_create(), iova_reserve(), a deferred attach.
 */
int dma_setup(struct device *dev, struct dma_device *d);

/* -EINVAL: untrusted without a space or a pool, or a boundary that is no mask of low bits. */
int dma_device_init(struct dma_device *d, const struct dma_device_cfg *cfg);

/* The device's address of [phys, phys + size), or DMA_MAPPING_ERROR. */
u64 dma_map_page(struct dma_device *d, u64 phys, size_t size, enum dma_data_direction dir);
/* With the size of the map. */
void dma_unmap_page(struct dma_device *d, u64 addr, size_t size, enum dma_data_direction dir);

/* Before the processor looks at, or after it has written to, [addr, addr + size) of a mapping. */
void dma_sync_for_cpu(struct dma_device *d, u64 addr, size_t size, enum dma_data_direction dir);
void dma_sync_for_device(struct dma_device *d, u64 addr, size_t size, enum dma_data_direction dir);

/*
 * One address range for all entries, neighbours joined as far as the device's
 * limits allow: the number of segments (dma_address, dma_length of the first
 * entries; a peer's is one by itself, at its own address); -EINVAL: no entry, one is
 * empty, or a peer's for a device that is not trusted; -EIO: no address or no memory, and
 * nothing is mapped.
 */
int dma_map_sg(struct dma_device *d, struct dma_sg *sg, u32 n, enum dma_data_direction dir);
/* With n as it was given to the map. */
void dma_unmap_sg(struct dma_device *d, struct dma_sg *sg, u32 n, enum dma_data_direction dir);

/* Zeroed memory that both see: its physical address, *addr for the device; 0 = none. */
u64 dma_alloc_coherent(struct dma_device *d, size_t size, u64 *addr);
void dma_free_coherent(struct dma_device *d, size_t size, u64 phys, u64 addr);
