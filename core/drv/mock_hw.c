// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU's hardware: one transaction at a time.
 *
 * A request is looked up in the stream table by its requester id and then in
 * the domain's page table, in one step (iommu->lock): real hardware is made to
 * forget a table before the driver frees it, and this one has no caches.
 *
 * An id that was never attached passes untranslated, so does everything while
 * the instance is off; an id whose last device was released is blocked, and so
 * is all after a shutdown.
 */
#include "core/drv/mock_priv.h"

static struct mock_ste *stream(struct mock_iommu *iommu, u32 sid)
{
	for (u32 i = 0; i < iommu->n_ste; i++)
		if (iommu->ste[i].sid == sid)
			return &iommu->ste[i];
	return NULL;
}

static bool translate(struct mock_iommu *iommu, u32 sid, u64 iova, int prot, u64 *pa)
{
	struct mock_ste *ste = stream(iommu, sid);
	struct mock_domain *md;

	*pa = iova;
	if (iommu->hw_down)
		return false;
	if (!iommu->hw_on || !ste)
		return true;
	md = ste->domain;
	if (!md)
		return !ste->released;
	if (md->domain.ops == &mock_blocked_ops)
		return false;
	return md->domain.ops == &mock_identity_ops || mock_pt_walk(md, iova, prot, pa);
}

static bool request(struct mock_iommu *iommu, u32 device, u64 iova, int prot, u64 *pa)
{
	u32 sid = stream_id(iommu_core(), device, 0);
	bool ok;

	spin_lock(&iommu->lock);
	ok = translate(iommu, sid, iova, prot, pa);
	fact(HW_DMA, device, iova, *pa, ok);
	spin_unlock(&iommu->lock);
	return ok;
}

bool mock_hw_dma(void *instance, struct device *dev, u64 iova, u64 *pa)
{
	return request(instance, dev->index, iova, 0, pa);
}

bool mock_hw_translate(void *instance, u32 device, u64 iova, bool write, u64 *pa)
{
	return request(instance, device, iova, write ? IOMMU_WRITE : IOMMU_READ, pa);
}
