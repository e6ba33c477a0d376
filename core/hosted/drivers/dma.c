// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that an IOMMU itself reads and writes: whole frames, at their physical
 * address. False: no masks narrower than memory, no pools, no swiotlb.
 */
#include "core/hosted/custom/machine.h"

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/slab.h>

void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		      unsigned long attrs)
{
	unsigned int order = get_order(size);
	struct page *page = order > MAX_PAGE_ORDER ? NULL : alloc_pages(gfp | __GFP_ZERO, order);

	if (!page)
		return NULL;
	/* Of a device that snoops it is cached; that one sees each store, too. */
	hosted_floor->memory(page_to_pfn(page), 1UL << order, FLOOR_MEMORY_SEEN);
	*handle = page_to_phys(page);
	return page_address(page);
}

void dma_free_attrs(struct device *dev, size_t size, void *p, dma_addr_t handle,
		    unsigned long attrs)
{
	free_pages((unsigned long)p, get_order(size));
}

void *hosted_array(size_t n, size_t size, gfp_t gfp);
void hosted_array_free(const void *p);

void *hosted_array(size_t n, size_t size, gfp_t gfp)
{
	if (size && n > PAGE_SIZE / size)
		return NULL;
	return (void *)get_zeroed_page(gfp);
}

void hosted_array_free(const void *p)
{
	if (p && virt_addr_valid(p))
		free_page((unsigned long)p);
	else
		kfree(p);
}

struct coherent {
	void *p;
	size_t size;
	dma_addr_t handle;
};

static void release(struct device *dev, void *res)
{
	struct coherent *c = res;

	dma_free_attrs(dev, c->size, c->p, c->handle, 0);
}

void *dmam_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
		       unsigned long attrs)
{
	struct coherent *c = devres_alloc(release, sizeof(*c), gfp);

	if (!c)
		return NULL;
	c->size = size;
	c->p = dma_alloc_attrs(dev, size, handle, gfp, attrs);
	if (!c->p) {
		devres_free(c);
		return NULL;
	}
	c->handle = *handle;
	devres_add(dev, c);
	return c->p;
}

int dma_set_mask(struct device *dev, u64 mask)
{
	if (!dev->dma_mask)
		return -EIO;
	*dev->dma_mask = mask;
	return 0;
}

int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	dev->coherent_dma_mask = mask;
	return 0;
}

void *memremap(resource_size_t at, size_t size, unsigned long flags)
{
	return phys_to_virt(at);
}

void memunmap(void *p)
{
}
