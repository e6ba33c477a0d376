/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/iommu: the group and what its files share.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/printk.h"

/* A device's membership. Owned by the group, protected by group->mutex. */
struct group_device {
	struct list_head list;
	struct device *dev;
};

/*
 * The unit of isolation: all its devices follow one domain.
 *
 * Referenced by each member (dev->iommu_group), by walks that have still to
 * set it up, and by users. mutex protects all but kref and id; entry belongs
 * to the bus walk that put the group on its list.
 *
 * Invariants: domain is NULL only before the first attach; owner_cnt counts
 * bound kernel drivers when owner is NULL, else claims by that owner; a group
 * without members has neither domains nor owner and never gets members again.
 */
struct iommu_group {
	struct kref kref;
	u32 id;
	u32 owner_cnt;
	struct mutex mutex;
	struct list_head devices;
	struct list_head entry;
	struct iommu_domain *default_domain;
	struct iommu_domain *blocking_domain;
	struct iommu_domain *domain;
	void *owner;
	struct iommu_attach_handle *handle; /* of who attached domain */
	struct xarray pasid_array;          /* by PASID: what pasid.c makes of domain and handle */
};

/* Of every device that has PASIDs. */
#define DEV_MAX_PASIDS (1u << 20)

enum iommu_set_domain_flags { IOMMU_SET_DOMAIN_MUST_SUCCEED = 1 };

#define for_each_group_device(group, pos) list_for_each_entry(pos, &(group)->devices, list)

/*
 * Acquire, though group->mutex makes it needless: two historic orders set it,
 * or look at it, with no lock.
 */
static inline struct iommu_domain *group_default_domain(struct iommu_group *group)
{
	return smp_load_acquire(&group->default_domain);
}

static inline u32 domain_id(const struct iommu_domain *domain)
{
	return domain ? domain->id : 0;
}

/* probe.c */
int __iommu_probe_device(struct device *dev, struct list_head *group_list);
void __iommu_release_device(struct device *dev);
struct dev_iommu *dev_iommu_get(struct device *dev);
void dev_iommu_free(struct device *dev);

/* fwspec.c */
const struct iommu_ops *iommu_fwspec_ops(struct iommu_fwspec *fwspec);
int iommu_firmware_configure(struct device *dev);

/* owner.c */
void iommu_group_revoke(struct iommu_group *group);
void iommu_group_check_viable(struct device *dev);

/* domain.c */
int iommu_setup_default_domain(struct iommu_group *group, unsigned target_type);
struct iommu_domain *iommu_alloc_default_domain(struct device *dev, unsigned type);
int __iommu_group_alloc_blocking_domain(struct iommu_group *group);
#define IOMMU_TYPE_AUTO 0x100u

/* attach.c */
int __iommu_device_set_domain(struct iommu_group *group, struct device *dev,
			      struct iommu_domain *domain, unsigned flags);
int __iommu_group_set_domain_internal(struct iommu_group *group, struct iommu_domain *domain,
				      unsigned flags);
int __iommu_group_set_domain(struct iommu_group *group, struct iommu_domain *domain);
int __iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group);
int __iommu_group_replace_domain(struct iommu_group *group, struct iommu_domain *domain);
void __iommu_detach_group(struct iommu_group *group);
void __iommu_group_set_domain_nofail(struct iommu_group *group, struct iommu_domain *domain);

/* pasid.c */
struct iommu_attach_handle *iommu_pasid_handle(struct iommu_group *group, u32 pasid);

/* resv.c */
bool iommu_needs_direct(struct device *dev);
int iommu_create_device_direct_mappings(struct iommu_domain *domain, struct device *dev);

/* dma_ops.c */
int iommu_get_dma_cookie(struct iommu_domain *domain);
void iommu_put_dma_cookie(struct iommu_domain *domain);
void iommu_put_msi_cookie(struct iommu_domain *domain);
void iommu_setup_group_dma_ops(struct iommu_group *group);
void iommu_clear_dma_ops(struct device *dev);
