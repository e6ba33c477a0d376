/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/iommufd: the selftest driver's parts.
 */
#pragma once

#include "core/iommufd/iommufd_priv.h"

/* Of the world. */
struct iommufd_state {
	struct iommu_device iommu;       /* the mock IOMMU */
	struct iommu_domain blocking;
	struct ida ids;                  /* of mock devices */
};

struct mock_dev {
	struct device dev;
	struct rw_semaphore iopf_rwsem; /* reports read, attaching writes */
	u32 flags, id;
	struct rw_semaphore viommu_rwsem;
	struct iommufd_viommu *viommu; /* viommu_rwsem, as is the next; NULL: on none */
	unsigned long vdev_id;
	u32 cache[MOCK_DEV_CACHE_NUM];
	bool fail_pasid; /* the next attachment of IOMMU_TEST_PASID_RESERVED; the group's mutex */
};

struct selftest_obj {
	struct iommufd_object obj;
	struct iommufd_device *idev;
	struct mock_dev *mdev;
};

static inline struct iommufd_state *iommufd_state(void)
{
	return iommu_core()->iommufd;
}

static inline struct mock_dev *to_mock_dev(struct device *dev)
{
	return container_of(dev, struct mock_dev, dev);
}

/* --- selftest_mock.c --- */
void mock_iommu_init(struct iommufd_state *s);
struct mock_dev *mock_dev_create(u32 flags);
void mock_dev_destroy(struct mock_dev *mdev);
struct mock_domain_table;
/* The table of a mock paging domain; NULL: it is none. */
struct mock_domain_table *mock_table_of(struct iommu_domain *domain);
/* Physical address that iova's half page maps to; false: nothing. */
bool mock_table_lookup(struct mock_domain_table *t, unsigned long iova, u64 *phys);
bool mock_table_tracks(const struct mock_domain_table *t);
/* index: of half pages. False: nothing is mapped there. */
bool mock_table_set_dirty(struct mock_domain_table *t, unsigned long index);
/* The IOTLB of a nested mock domain; NULL: it is none. */
const u32 *mock_iotlb_of(const struct iommu_domain *domain);
#define MOCK_IO_PAGE_SIZE (PAGE_SIZE / 2)
#define MOCK_HUGE_PAGE_SIZE (512 * MOCK_IO_PAGE_SIZE)

/* viommu: what it is made on, or NULL. */
struct iommu_domain *mock_alloc_nested(u32 flags, const struct iommu_domain *parent,
				       struct iommufd_viommu *viommu,
				       const struct iommu_user_data *data);

/* --- selftest_viommu.c --- */
size_t mock_viommu_size(struct device *dev, u32 type);
int mock_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent,
		     const struct iommu_user_data *data);

/* --- selftest_pasid.c --- */
int iommufd_test_pasid_attach(struct iommufd_ucmd *ucmd);
int iommufd_test_pasid_replace(struct iommufd_ucmd *ucmd);
int iommufd_test_pasid_detach(struct iommufd_ucmd *ucmd);
int iommufd_test_pasid_check_hwpt(struct iommufd_ucmd *ucmd);

/* --- selftest_dmabuf.c --- */
int iommufd_test_dmabuf_get(struct iommufd_ucmd *ucmd);
int iommufd_test_dmabuf_revoke(struct iommufd_ucmd *ucmd);

/* --- selftest_access.c --- */
int iommufd_test_create_access(struct iommufd_ucmd *ucmd);
int iommufd_test_access_replace_ioas(struct iommufd_ucmd *ucmd);
int iommufd_test_access_pages(struct iommufd_ucmd *ucmd);
int iommufd_test_destroy_access_pages(struct iommufd_ucmd *ucmd);
int iommufd_test_access_rw(struct iommufd_ucmd *ucmd);
/* The page behind an address of the caller, with a reference; or ERR_PTR. */
struct page *iommufd_test_page(u64 addr);
/* What { n-th area, offset } stands for; 0: there is no such area. */
unsigned long iommufd_test_conv_iova(struct io_pagetable *iopt, u64 syz);
#define IOMMUFD_TEST_LENGTH_MAX (16UL << 20)
