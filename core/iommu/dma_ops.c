// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small DMA API: direct, or through the group's default domain.
 *
 * custom: IOVAs come from 64 slots of DMA_SLOT_SIZE each, a bit per slot in
 * the domain's cookie; slots that touch a reserved region are never used. What
 * matters here is who maps where and when; drivers that want the real thing have
 * core/dma, whose addresses lie beside the slots.
 *
 * While a driver is bound its device's ops do not change, and its group's
 * default domain stays: the driver has taken it. So neither is locked here.
 */
#include "core/iommu/iommu_priv.h"

#define DMA_SLOT_BASE IOMMU_DMA_SLOTS_BASE
#define DMA_SLOT_SIZE 0x10000ULL
#define DMA_SLOTS 64u

_Static_assert(DMA_SLOTS * DMA_SLOT_SIZE == IOMMU_DMA_SLOTS_SIZE, "core/dma leaves them out");

int iommu_get_dma_cookie(struct iommu_domain *domain)
{
	struct iommu_dma_cookie *cookie = kzalloc(sizeof(*cookie), GFP_KERNEL);

	if (!cookie)
		return -ENOMEM;
	spin_lock_init(&cookie->lock);
	mutex_init(&cookie->dma_lock);
	domain->iova_cookie = cookie;
	return 0;
}

void iommu_put_dma_cookie(struct iommu_domain *domain)
{
	struct iommu_dma_cookie *cookie = domain->iova_cookie;

	if (cookie && cookie->dma)
		cookie->dma_free(cookie->dma);
	kfree(cookie);
}

static u64 slots_in(const struct iommu_resv_region *region)
{
	u64 last = region->start + (region->length - 1), mask = 0;

	if (!region->length)
		return 0;
	for (u32 i = 0; i < DMA_SLOTS; i++) {
		u64 start = DMA_SLOT_BASE + i * DMA_SLOT_SIZE;

		if (region->start < start + DMA_SLOT_SIZE && last >= start)
			mask |= BIT_ULL(i);
	}
	return mask;
}

static void reserve_slots(struct iommu_dma_cookie *cookie, struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(list);
	u64 mask = 0;

	iommu_get_resv_regions(dev, &list);
	list_for_each_entry(region, &list, list)
		mask |= slots_in(region);
	iommu_put_resv_regions(&list);
	if (!mask)
		return;
	spin_lock(&cookie->lock);
	cookie->used |= mask;
	spin_unlock(&cookie->lock);
}

static void set_dma_ops(struct device *dev, bool iommu)
{
	if (READ_ONCE(dev->dma_iommu) == iommu)
		return;
	fact(DMA_OPS, dev->index, iommu);
	WRITE_ONCE(dev->dma_iommu, iommu);
}

/* dup: direct unless the group's default domain is for the DMA API. */
static void iommu_setup_dma_ops(struct iommu_group *group, struct device *dev)
{
	struct iommu_domain *domain = group_default_domain(group);
	bool iommu = iommu_is_dma_domain(domain);

	lockdep_assert_held(&group->mutex);
	if (iommu)
		reserve_slots(domain->iova_cookie, dev);
	set_dma_ops(dev, iommu);
}

/*
 * custom: for all members, as soon as there is a default domain. In Linux a
 * device that joins a group before the bus walk has set it up sets up the
 * domain for all but its own ops only; a driver that then binds to a sibling
 * starts with direct DMA and has its ops changed when the walk gets there.
 */
void iommu_setup_group_dma_ops(struct iommu_group *group)
{
	struct group_device *gdev;

	for_each_group_device(group, gdev)
		iommu_setup_dma_ops(group, gdev->dev);
}

/* The device has lost its IOMMU and no driver is bound. */
void iommu_clear_dma_ops(struct device *dev)
{
	set_dma_ops(dev, false);
}

static u64 slot_alloc(struct iommu_dma_cookie *cookie)
{
	u64 slot = DMA_MAPPING_ERROR;

	spin_lock(&cookie->lock);
	if (cookie->used != ~0ULL) {
		u32 i = bit_lowest(~cookie->used);

		cookie->used |= BIT_ULL(i);
		slot = DMA_SLOT_BASE + i * DMA_SLOT_SIZE;
	}
	spin_unlock(&cookie->lock);
	return slot;
}

static void slot_free(struct iommu_dma_cookie *cookie, u64 addr)
{
	spin_lock(&cookie->lock);
	cookie->used &= ~BIT_ULL((addr - DMA_SLOT_BASE) / DMA_SLOT_SIZE);
	spin_unlock(&cookie->lock);
}

static struct iommu_domain *iommu_get_dma_domain(struct device *dev)
{
	struct iommu_group *group = READ_ONCE(dev->iommu_group);

	return group_default_domain(group);
}

struct iommu_domain *iommu_dma_domain(struct device *dev)
{
	struct iommu_domain *domain;
	int ret = 0;

	if (!READ_ONCE(dev->dma_iommu))
		return NULL;
	domain = iommu_get_dma_domain(dev);
	if (READ_ONCE(READ_ONCE(dev->iommu)->attach_deferred))
		ret = iommu_deferred_attach(dev, domain);
	return ret ? ERR_PTR(ret) : domain;
}

static u64 iommu_dma_map(struct device *dev, u64 phys, size_t size)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);
	u64 iova;

	if (IS_ERR(domain))
		return DMA_MAPPING_ERROR;
	iova = slot_alloc(domain->iova_cookie);
	if (iova == DMA_MAPPING_ERROR)
		return iova;
	if (!iommu_map(domain, iova, phys, size, IOMMU_READ | IOMMU_WRITE))
		return iova;
	slot_free(domain->iova_cookie, iova);
	return DMA_MAPPING_ERROR;
}

u64 dma_map_phys(struct device *dev, u64 phys, size_t size)
{
	bool iommu = READ_ONCE(dev->dma_iommu);
	u64 addr = phys;

	if (size > DMA_SLOT_SIZE)
		return DMA_MAPPING_ERROR;
	if (iommu)
		addr = iommu_dma_map(dev, phys, size);
	if (addr != DMA_MAPPING_ERROR)
		fact(DMA_MAP, dev->index, addr, size, !iommu);
	return addr;
}

void dma_unmap_phys(struct device *dev, u64 addr, size_t size)
{
	bool iommu = READ_ONCE(dev->dma_iommu);

	fact(DMA_UNMAP, dev->index, addr, size, !iommu);
	if (iommu) {
		struct iommu_domain *domain = iommu_get_dma_domain(dev);

		WARN_ON(iommu_unmap(domain, addr, size) != size);
		slot_free(domain->iova_cookie, addr);
	}
}
