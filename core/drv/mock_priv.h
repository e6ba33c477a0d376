/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the mock IOMMU: what driver and hardware share.
 */
#pragma once

#include "core/drv/drv.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"

#define MOCK_PAGES_MAX 64u   /* of one size in an extent */
#define MOCK_EXTENTS_MAX 512u /* in a domain; more is -ENOMEM */

/*
 * A run of pages of one size. Owned by its domain, on its list in no order;
 * mock_iommu.lock.
 */
struct mock_extent {
	struct list_head list;
	u64 iova, pa;
	u64 pgsize;
	u64 present; /* bit per page; an extent without any is freed */
	int prot;    /* IOMMU_READ, IOMMU_WRITE */
};

/* Owned as its iommu_domain is. extents, attached: iommu->lock. */
struct mock_domain {
	struct iommu_domain domain;
	struct mock_iommu *iommu;
	struct list_head extents;
	u32 n_extents;
	int attached; /* stream table entries that point here */
};

/* One requester id. domain NULL: never attached, or nobody's: see mock_hw.c. */
struct mock_ste {
	u32 sid;
	u32 users;                 /* devices that were probed with this id */
	bool released;             /* had users; now nobody may use it */
	struct mock_domain *domain;
	struct iommu_group *group; /* model mock-smmu: by core->probe_lock */
};

/* An instance, for as long as the machine lives. */
struct mock_iommu {
	struct iommu_device iommu;
	const struct machine_iommu *fw;
	bool smmu;              /* model mock-smmu */
	spinlock_t lock;        /* stream table, page tables, hw_* */
	bool hw_on, hw_down;
	u64 tried;              /* devices probed before; core->probe_lock */
	struct list_head bound; /* in core->drv_bound */
	struct mock_domain identity, blocked;
	u32 n_ste;
	struct mock_ste ste[];
};

/* The driver's data of a device. Owned by dev->iommu->priv. */
struct mock_master {
	struct mock_iommu *iommu;
	u32 n_ste;
	struct mock_ste *ste[MACHINE_DEVICE_IDS_MAX];
};

static inline struct mock_domain *to_mock_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

extern const struct iommu_domain_ops mock_paging_ops, mock_identity_ops, mock_blocked_ops;

/* mock_hw.c: as iommu_driver.dma */
bool mock_hw_dma(void *instance, struct device *dev, u64 iova, u64 *pa);
bool mock_hw_translate(void *instance, u32 device, u64 iova, bool write, u64 *pa);

/* mock_pt.c: the software page table */
struct mock_domain *mock_domain_create(struct mock_iommu *iommu);
/* iommu->lock held. False: nothing there, or not for this access (prot). */
bool mock_pt_walk(struct mock_domain *md, u64 iova, int prot, u64 *pa);

/* mock.c */
int mock_attach(struct iommu_domain *domain, struct device *dev);
