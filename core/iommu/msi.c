// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt messages of devices whose IOMMU translates them, too. A user's domain
 * has a window of addresses for them (IOMMU_RESV_SW_MSI), in which the doorbell is
 * mapped when the first message is programmed; Linux has this in dma-iommu.c and
 * its interrupt controllers' drivers.
 */
#include "core/iommu/iommu_priv.h"

#include "sim/kapi/mutex.h"

/* Of one doorbell: the machine has no more. */
struct iommu_msi_cookie {
	struct mutex lock;
	u64 base;     /* of the window */
	u64 doorbell; /* page that is mapped there, 0: none yet; lock */
};

u64 iommu_sw_msi_base(struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(list);
	u64 base = 0;

	iommu_get_resv_regions(dev, &list);
	list_for_each_entry(region, &list, list) {
		if (region->type == IOMMU_RESV_SW_MSI)
			base = region->start;
	}
	iommu_put_resv_regions(&list);
	return base;
}

int iommu_get_msi_cookie(struct iommu_domain *domain, u64 base)
{
	struct iommu_msi_cookie *cookie;

	if (READ_ONCE(domain->type) != IOMMU_DOMAIN_UNMANAGED)
		return -EINVAL;
	if (domain->msi_cookie)
		return -EBUSY;
	cookie = kzalloc(sizeof(*cookie), GFP_KERNEL);
	if (!cookie)
		return -ENOMEM;
	mutex_init(&cookie->lock);
	cookie->base = base;
	domain->msi_cookie = cookie;
	return 0;
}

void iommu_put_msi_cookie(struct iommu_domain *domain)
{
	if (domain->msi_cookie)
		mutex_destroy(&domain->msi_cookie->lock);
	kfree(domain->msi_cookie);
	domain->msi_cookie = NULL;
}

int iommu_dma_prepare_msi(struct device *dev, u64 *address)
{
	struct iommu_group *group = iommu_group_get(dev);
	u64 page = *address & ~0xfffULL;
	struct iommu_msi_cookie *cookie;
	struct iommu_domain *domain;
	int ret = 0;

	if (!group)
		return 0;
	/* The domain stays attached meanwhile. */
	mutex_lock(&group->mutex);
	domain = group->domain;
	cookie = domain ? domain->msi_cookie : NULL;
	if (cookie) {
		mutex_lock(&cookie->lock);
		if (!cookie->doorbell)
			ret = iommu_map(domain, cookie->base, page, 0x1000,
					IOMMU_WRITE | IOMMU_MMIO);
		if (!ret) {
			cookie->doorbell = page;
			*address = cookie->base + (*address & 0xfff);
		}
		mutex_unlock(&cookie->lock);
	}
	mutex_unlock(&group->mutex);
	iommu_group_put(group);
	return ret;
}
