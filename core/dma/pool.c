// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounce pages.
 */
#include "core/dma/dma_priv.h"

#include "sim/kapi/errno.h"

#include <string.h>

int dma_pool_init(struct dma_pool *pool, u32 n_lg2)
{
	memset(pool, 0, sizeof(*pool));
	spin_lock_init(&pool->lock);
	if (1u << n_lg2 > DMA_POOL_MAX)
		return -ENOMEM;
	pool->n = 1u << n_lg2;
	pool->order = n_lg2;
	pool->pa = frame_alloc(this_world(), n_lg2, 0);
	return pool->pa ? 0 : -ENOMEM;
}

void dma_pool_fini(struct dma_pool *pool)
{
	WARN_ON(pool->used);
	frame_free(this_world(), pool->pa, pool->order);
}

u64 dma_pool_get(struct dma_pool *pool, u64 phys, u32 size, int prot)
{
	u64 all = pool->n < 64 ? BIT_ULL(pool->n) - 1 : ~0ULL, page;
	u32 offset = (u32)(phys & (FRAME_SIZE - 1)), i;
	char *p;

	spin_lock(&pool->lock);
	if (!(~pool->used & all)) {
		spin_unlock(&pool->lock);
		return 0;
	}
	i = bit_lowest(~pool->used & all);
	pool->used |= BIT_ULL(i);
	pool->slot[i].phys = phys;
	pool->slot[i].offset = offset;
	pool->slot[i].size = size;
	spin_unlock(&pool->lock);
	page = pool->pa + ((u64)i << FRAME_LG2);
	p = frame_ptr(this_world(), page);
	if (bug_on(BUG_DMA_BOUNCE_PADDING)) {
		/* What the page held goes to the device around the buffer. */
	} else {
		memset(p, 0, offset);
		memset(p + offset + size, 0, FRAME_SIZE - offset - size);
	}
	if (bug_on(BUG_SWIOTLB_FROM_DEVICE_LEAK)) {
		if (prot & IOMMU_READ)
			memcpy(p + offset, frame_ptr(this_world(), phys), size);
	} else {
		/* Also for a device that only writes: it may write less than all. */
		memcpy(p + offset, frame_ptr(this_world(), phys), size);
	}
	return page;
}

void dma_pool_put(struct dma_pool *pool, u64 page)
{
	u32 i = (u32)((page - pool->pa) >> FRAME_LG2);

	spin_lock(&pool->lock);
	WARN_ON(!(pool->used >> i & 1));
	pool->used &= ~BIT_ULL(i);
	spin_unlock(&pool->lock);
}

void dma_pool_copy(struct dma_pool *pool, u64 pa, u64 size, bool to_device)
{
	u32 i = (u32)((pa - pool->pa) >> FRAME_LG2);
	u64 page = pool->pa + ((u64)i << FRAME_LG2), from, end, phys;

	spin_lock(&pool->lock);
	from = max(pa - page, (u64)pool->slot[i].offset);
	end = min(pa - page + size, (u64)pool->slot[i].offset + pool->slot[i].size);
	phys = pool->slot[i].phys - pool->slot[i].offset;
	spin_unlock(&pool->lock);
	if (from >= end)
		return;
	if (to_device)
		memcpy(frame_ptr(this_world(), page + from), frame_ptr(this_world(), phys + from),
		       end - from);
	else
		memcpy(frame_ptr(this_world(), phys + from), frame_ptr(this_world(), page + from),
		       end - from);
}
