// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: cached memory that a device reads where it is, as io-pgtable's tables:
 * handed over, it is written back.
 *
 * False: nothing is taken back from a device, lines are never dropped.
 */
#include "core/hosted/runtime.h"

#include <linux/dma-mapping.h>
#include <linux/mm.h>

/* signature given */
dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	hosted_floor->flush(page_to_phys(page) + offset, size);
	return page_to_phys(page) + offset;
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
}

void __dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				  enum dma_data_direction dir)
{
	hosted_floor->flush(addr, size);
}
