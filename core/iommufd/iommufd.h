/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOASID objects: /dev/iommu of our own kernel, with the selftest driver that its
 * programs use.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/user/user.h"

/* At boot, once the core is initialised; and at shutdown, when no file is left. */
void iommufd_init(struct iommu_core *core);
void iommufd_fini(struct iommu_core *core);
/* /dev/iommu */
extern const struct file_operations iommufd_fops;
int iommufd_open(struct file *file);

/* --- for drivers that hand devices to user space --- */
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_access;
struct page;

/* With a reference on the context's file: -EBADFD: no iommufd; of a number: or -EBADF. */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);
void iommufd_ctx_get(struct iommufd_ctx *ictx);
void iommufd_ctx_put(struct iommufd_ctx *ictx);
/* Makes the IOAS behind the VFIO interface if there is none; its id, or -ENODEV. */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx);
/* dup: only VFIO_NOIOMMU_IOMMU from now on; -EINVAL: there is such an IOAS. */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx);
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *id);

/*
 * dup: -EINVAL without cache coherency; -EPERM, -EBUSY as claiming the group.
 * lone: a selftest's, which is destroyed with the context instead of holding it.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev, bool lone);
void iommufd_device_unbind(struct iommufd_device *idev);
u32 iommufd_device_id(const struct iommufd_device *idev);
struct iommufd_ctx *iommufd_device_to_ictx(const struct iommufd_device *idev);
/*
 * pasid: IOMMU_NO_PASID, or one of the device's. *pt_id: an IOAS or a page table; out:
 * the page table. -EBUSY: attached already; -EINVAL: the page table and PASIDs do not
 * go together, or (replace) nothing is attached.
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 pasid, u32 *pt_id);
int iommufd_device_replace(struct iommufd_device *idev, u32 pasid, u32 *pt_id);
/* Nothing attached: nothing done. */
void iommufd_device_detach(struct iommufd_device *idev, u32 pasid);
/* Whether a device of the group is bound to the context. */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group);

struct iommufd_access_ops {
	bool needs_pin_pages;
	/* Whatever is pinned in the range is unpinned when it returns. */
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
};

#define IOMMUFD_ACCESS_RW_WRITE 1u
#define IOMMUFD_ACCESS_RW_SLOW_PATH 4u
struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops, void *data);
void iommufd_access_destroy(struct iommufd_access *access);
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id);
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id);
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages, u32 flags);
void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length);
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t length, u32 flags);
u32 iommufd_access_id(const struct iommufd_access *access);
void iommufd_access_detach(struct iommufd_access *access);
