// SPDX-License-Identifier: GPL-2.0-only
/*
 * The group's files in sysfs: type and reserved_regions.
 */
#include "core/iommu/iommu_priv.h"

/*
 * dup: another type of default domain. -EPERM: a driver or an owner is on the
 * group; a DMA domain becomes DMA-FQ under its drivers, though.
 * stub: the flush queue itself; a DMA-FQ domain flushes at once here.
 */
int iommu_group_store_type(struct iommu_group *group, unsigned type)
{
	int ret;

	if (type != IOMMU_DOMAIN_IDENTITY && type != IOMMU_DOMAIN_DMA &&
	    type != IOMMU_DOMAIN_DMA_FQ)
		return -EINVAL;
	mutex_lock(&group->mutex);
	if (!group->default_domain) {
		ret = -EINVAL;
	} else if (type == IOMMU_DOMAIN_DMA_FQ &&
		   group->default_domain->type == IOMMU_DOMAIN_DMA) {
		WRITE_ONCE(group->default_domain->type, IOMMU_DOMAIN_DMA_FQ);
		ret = 0;
	} else if (list_empty(&group->devices) || group->owner_cnt) {
		ret = -EPERM;
	} else {
		ret = iommu_setup_default_domain(group, type);
	}
	if (!ret)
		iommu_setup_group_dma_ops(group);
	mutex_unlock(&group->mutex);
	return ret;
}

/* dup: how many lines the file has. */
int iommu_group_show_resv_regions(struct iommu_group *group)
{
	LIST_HEAD(regions);
	int ret = iommu_get_group_resv_regions(group, &regions);

	if (!ret)
		ret = (int)list_count_nodes(&regions);
	iommu_put_resv_regions(&regions);
	return ret;
}
