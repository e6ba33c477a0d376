/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What IOMMU drivers offer to user space by way of iommufd: vIOMMUs, nested page
 * tables, and the data that calls bring for them (names, places and numbers of
 * linux/iommufd.h).
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/kapi/refcount.h"
#include "sim/kapi/rwsem.h"
#include "sim/kapi/uaccess.h"

enum iommufd_object_type {
	IOMMUFD_OBJ_NONE,
	IOMMUFD_OBJ_ANY = IOMMUFD_OBJ_NONE,
	IOMMUFD_OBJ_DEVICE,
	IOMMUFD_OBJ_HWPT_PAGING,
	IOMMUFD_OBJ_HWPT_NESTED,
	IOMMUFD_OBJ_IOAS,
	IOMMUFD_OBJ_ACCESS,
	IOMMUFD_OBJ_FAULT,
	IOMMUFD_OBJ_SELFTEST,
	IOMMUFD_OBJ_VIOMMU,
	IOMMUFD_OBJ_VDEVICE,
	IOMMUFD_OBJ_VEVENTQ,
	IOMMUFD_OBJ_HW_QUEUE,
	IOMMUFD_OBJ_TYPES,
};

struct iommufd_object {
	refcount_t shortterm_users, users;
	enum iommufd_object_type type;
	u32 id;
};

struct iommufd_viommu;
struct iommufd_hw_queue;
struct iommufd_viommu_ops {
	void (*destroy)(struct iommufd_viommu *viommu); /* or NULL, as the rest */
	struct iommu_domain *(*alloc_domain_nested)(struct iommufd_viommu *viommu, u32 flags,
						    const struct iommu_user_data *data);
	int (*cache_invalidate)(struct iommufd_viommu *viommu,
				struct iommu_user_data_array *array);
	/* Of the driver's struct, which begins with the queue; 0: no such type. */
	size_t (*hw_queue_size)(struct iommufd_viommu *viommu, u32 type);
	/* Its memory is pinned. */
	int (*hw_queue_init)(struct iommufd_hw_queue *queue, u32 index);
	/* Whether the device may have a number there; it has none yet. */
	int (*vdevice_init)(struct iommufd_viommu *viommu, struct device *dev);
};

/* Begins the driver's own struct. */
struct iommufd_viommu {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct iommu_device *iommu_dev;
	struct iommufd_hwpt_paging *hwpt; /* the nest parent, used */
	const struct iommufd_viommu_ops *ops;
	struct xarray vdevs;              /* by virtual id */
	struct list_head veventqs;        /* veventqs_rwsem */
	struct rw_semaphore veventqs_rwsem;
};

/* NULL: nobody has the number; with vdevs.xa_lock the device stays. */
struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu, unsigned long virt_id);
int iommufd_viommu_get_vdev_id(struct iommufd_viommu *viommu, const struct device *dev,
			       unsigned long *id);
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, u32 type, const void *data,
				u32 len);

/* --- data of calls --- */

static inline void __user *u64_to_user_ptr(u64 addr)
{
	return (void *)(uintptr_t)addr;
}

/* Flag of domain_alloc_user(): nested domains may stand on it. */
#define IOMMU_ALLOC_NEST_PARENT 1u

#define IOMMU_HW_INFO_TYPE_INTEL_VTD 1u
#define IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 1u
struct iommu_hw_info_vtd { u32 flags, __reserved; u64 cap_reg, ecap_reg; };
#define IOMMU_HW_INFO_TYPE_ARM_SMMUV3 2u
struct iommu_hw_info_arm_smmuv3 { u32 flags, __reserved, idr[6], iidr, aidr; };

#define IOMMU_HWPT_DATA_VTD_S1 1u
#define IOMMU_VTD_S1_SRE 1ULL
#define IOMMU_VTD_S1_EAFE 2ULL
#define IOMMU_VTD_S1_WPE 4ULL
struct iommu_hwpt_vtd_s1 { u64 flags, pgtbl_addr; u32 addr_width, __reserved; };
#define IOMMU_HWPT_DATA_ARM_SMMUV3 2u
struct iommu_hwpt_arm_smmuv3 { u64 ste[2]; };

#define IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 0u
#define IOMMU_VTD_INV_FLAGS_LEAF 1u
struct iommu_hwpt_vtd_s1_invalidate { u64 addr, npages; u32 flags, __reserved; };
#define IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 1u
struct iommu_viommu_arm_smmuv3_invalidate { u64 cmd[2]; };

#define IOMMU_VIOMMU_TYPE_ARM_SMMUV3 1u
#define IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 1u
struct iommu_vevent_arm_smmuv3 { u64 evt[4]; };

/* Data of this type and of size bytes: -EINVAL: another, or of another length; -EFAULT. */
static inline int iommu_copy_user_data(void *to, u32 size, const struct iommu_user_data *from,
				       u32 type)
{
	if (from->type != type || from->len != size)
		return -EINVAL;
	return copy_struct_from_user(to, size, u64_to_user_ptr(from->uptr), from->len);
}

/* Entry i of an array of this type; errors as above. */
static inline int iommu_copy_user_entry(void *to, u32 size,
					const struct iommu_user_data_array *from, u32 type, u32 i)
{
	if (from->type != type || i >= from->entry_num || from->entry_len != size)
		return -EINVAL;
	return copy_struct_from_user(to, size,
				     u64_to_user_ptr(from->uptr + (u64)i * from->entry_len),
				     from->entry_len);
}
