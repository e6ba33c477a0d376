/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/dma.
 */
#pragma once

#include "core/dma/dma.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"
#include "sim/mem/frames.h"

/*
 * pool.c: a page with [phys, phys + size) at its offset in it, else zero, whatever
 * the device may do with it (prot); 0 = none is left.
 */
u64 dma_pool_get(struct dma_pool *pool, u64 phys, u32 size, int prot);
void dma_pool_put(struct dma_pool *pool, u64 page);
static inline bool dma_pool_has(const struct dma_pool *pool, u64 pa)
{
	return pool && pa - pool->pa < (u64)pool->n << FRAME_LG2;
}
/* Copies what of the page's bytes lies in [pa, pa + size) back, or again to the page. */
void dma_pool_copy(struct dma_pool *pool, u64 pa, u64 size, bool to_device);

/* map.c */
u64 dma_space_alloc(struct dma_space *s, u64 size, u64 mask);
/* Unmaps [iova, iova + size) and gives the range back, now or after the flush. */
void dma_space_unmap(struct dma_space *s, u64 iova, u64 size, bool strict);
static inline u64 dma_granule(const struct dma_space *s)
{
	return 1ULL << s->iovad.granule_lg2;
}
static inline int dma_prot(enum dma_data_direction dir)
{
	int prot = IOMMU_CACHE;

	prot |= dir != DMA_FROM_DEVICE ? IOMMU_READ : 0;
	return prot | (dir != DMA_TO_DEVICE ? IOMMU_WRITE : 0);
}
