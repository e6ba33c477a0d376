/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/iommufd: objects and their context.
 *
 * Two counts. users: 1 for the table, 1 per lasting link, 1 per short lock;
 * destroying needs exactly 1. shortterm_users: biased by 1 while the object is in
 * the table, 1 more while a call works on it; who removes an object in the
 * kernel's name waits for it.
 *
 * Locks, outer to inner: ioas->mutex -> igroup->lock -> the core's group lock;
 * ioas->mutex -> domains_rwsem -> iova_rwsem -> pages->mutex -> mmap_lock;
 * access->ioas_lock -> domains_rwsem; ioas_creation_lock -> every iova_rwsem of the
 * context, in the order of ids; the table's xa_lock is a leaf.
 */
#pragma once

#include "core/fault/fault.h"
#include "core/iommufd/driver.h"
#include "core/iommufd/io_pagetable.h"
#include "core/iommufd/iommufd.h"
#include "core/iommufd/uapi.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/uaccess.h"

/* Owned by its file. objects, vfio_ioas, account_mode: objects.xa_lock. */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects, groups;
	wait_queue_head_t destroy_wait;
	u8 account_mode;
	bool no_iommu_mode;
	struct iommufd_ioas *vfio_ioas;
	struct rw_semaphore ioas_creation_lock; /* writer: no IOAS comes, and all are locked */
	struct mutex mmaps_lock;
	struct list_head mmaps; /* mmap.c */
};

/* One ioctl. cmd: the kernel's copy. */
struct iommufd_ucmd {
	struct iommufd_ctx *ictx;
	u64 ubuffer;
	u32 user_size;
	void *cmd;
};

/* What later kernels call the response: as much of cmd as the user has room for. */
static inline int iommufd_ucmd_respond(struct iommufd_ucmd *ucmd, size_t size)
{
	size = min(size, (size_t)ucmd->user_size);
	return copy_to_user(u64_to_user_ptr(ucmd->ubuffer), ucmd->cmd, size) ? -EFAULT : 0;
}

/* The kernel's own injection points, at the places where it has them. */
static inline bool iommufd_should_fail(void)
{
	return sched_fails(this_world(), FAULT_CALL,
			   (u64)(uintptr_t)__builtin_return_address(0));
}

/* --- main.c --- */
struct iommufd_object *_iommufd_object_alloc(struct iommufd_ctx *ictx, size_t size,
					     enum iommufd_object_type type);
#define iommufd_object_alloc(ictx, ptr, type)                                              \
	((__typeof__(ptr))(void *)_iommufd_object_alloc(ictx, sizeof(*(ptr)), type))
void iommufd_object_finalize(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj);
void iommufd_object_abort_and_destroy(struct iommufd_ctx *ictx, struct iommufd_object *obj);
/* -ENOENT: no such id, another type, or on its way out. To be put. */
struct iommufd_object *iommufd_get_object(struct iommufd_ctx *ictx, u32 id,
					  enum iommufd_object_type type);
/* The same, where a failure that is only injected could not be survived. */
struct iommufd_object *iommufd_find_object(struct iommufd_ctx *ictx, u32 id,
					   enum iommufd_object_type type);
bool iommufd_lock_obj(struct iommufd_object *obj);
void iommufd_put_object(struct iommufd_ctx *ictx, struct iommufd_object *obj);
/* The caller's lasting reference goes with the object, after a wait for short ones. */
void iommufd_object_destroy_user(struct iommufd_ctx *ictx, struct iommufd_object *obj);
/* As destroy_user; the id is nobody's any more. */
void iommufd_object_tombstone_user(struct iommufd_ctx *ictx, struct iommufd_object *obj);
/* Destroys it if nobody else uses it; the caller's reference goes in any case. */
void iommufd_object_put_and_try_destroy(struct iommufd_ctx *ictx, struct iommufd_object *obj);

/* --- ioas.c --- */
struct iommufd_ioas {
	struct iommufd_object obj; /* first, in every type */
	struct io_pagetable iopt;
	struct mutex mutex;
	struct list_head hwpt_list; /* mutex */
};

static inline struct iommufd_ioas *iommufd_get_ioas(struct iommufd_ctx *ictx, u32 id)
{
	return (void *)iommufd_get_object(ictx, id, IOMMUFD_OBJ_IOAS);
}

struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx);
void iommufd_ioas_destroy(struct iommufd_object *obj);
/* What is mapped: the caller's memory from an address on, or one of these from an offset on. */
struct iommufd_source {
	struct file *file;      /* a memfd */
	struct dma_buf *dmabuf;
	u64 start, length;
};

/* flags: IOMMU_IOAS_MAP_*; *iova: in unless one is to be found, out. */
int iommufd_map(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas,
		const struct iommufd_source *from, unsigned long *iova, u32 flags);
int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd);
int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd);
int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map(struct iommufd_ucmd *ucmd);
int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd);
int iommufd_ioas_copy(struct iommufd_ucmd *ucmd);
int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd);
int iommufd_ioas_change_process(struct iommufd_ucmd *ucmd);
int iommufd_option(struct iommufd_ucmd *ucmd);

/* --- noiommu.c --- */
/* Of page tables of devices without an IOMMU. */
extern const struct iommu_ops iommufd_noiommu_ops;
int iommufd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd);

/* --- vfio_compat.c --- */
int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd);
long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, u32 cmd, u64 arg);

/* --- hw_pagetable.c --- */
struct iommufd_hw_pagetable {
	struct iommufd_object obj;
	struct iommu_domain *domain;
	struct iommufd_fault *fault; /* used, or NULL */
	bool pasid_compat; /* may be attached beside, and to, PASIDs */
};

struct iommufd_hwpt_paging {
	struct iommufd_hw_pagetable common;
	struct iommufd_ioas *ioas; /* used */
	struct list_head hwpt_item; /* in ioas->hwpt_list; ioas->mutex */
	bool auto_domain, nest_parent, enforce_cache_coherency;
	bool listed; /* in ioas->hwpt_list, and domain in its iopt; constant once published */
};

struct iommufd_hwpt_nested {
	struct iommufd_hw_pagetable common;
	struct iommufd_hwpt_paging *parent; /* used, or */
	struct iommufd_viommu *viommu;      /* used: what it was made on, else NULL */
};

static inline struct iommufd_hwpt_paging *to_hwpt_paging(struct iommufd_hw_pagetable *hwpt)
{
	return container_of(hwpt, struct iommufd_hwpt_paging, common);
}

/* The table that maps an IOAS: the page table itself, or a nested one's parent. */
static inline struct iommufd_hwpt_paging *find_hwpt_paging(struct iommufd_hw_pagetable *hwpt)
{
	if (hwpt->obj.type == IOMMUFD_OBJ_HWPT_NESTED)
		return container_of(hwpt, struct iommufd_hwpt_nested, common)->parent;
	return to_hwpt_paging(hwpt);
}

struct iommufd_device;
/* attach: the device's PASID (or RID) is attached, too. data: the driver's, or NULL. */
struct iommufd_paging_wish {
	u32 flags, pasid;
	bool attach;
	const struct iommu_user_data *data;
};

/* With ioas->mutex held until finalized or aborted. */
struct iommufd_hwpt_paging *iommufd_hwpt_paging_alloc(struct iommufd_ioas *ioas,
						      struct iommufd_device *idev,
						      const struct iommufd_paging_wish *wish);
void iommufd_hwpt_paging_destroy(struct iommufd_object *obj);
void iommufd_hwpt_paging_abort(struct iommufd_object *obj);
void iommufd_hwpt_nested_destroy(struct iommufd_object *obj);
/* Gives back what a device held; the last device's goes with an automatic domain. */
void iommufd_hw_pagetable_put(struct iommufd_ctx *ictx, struct iommufd_hw_pagetable *hwpt);
int iommufd_hwpt_alloc(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_set_dirty_tracking(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_ucmd *ucmd);
int iommufd_hwpt_invalidate(struct iommufd_ucmd *ucmd);

/* --- device.c --- */
/* What a PASID of a group is attached to, and for which of its devices. Owned by the group. */
struct iommufd_attach {
	struct iommufd_hw_pagetable *hwpt; /* used once per device */
	struct xarray devices;             /* by object id */
};

/* Per context and iommu_group, shared by its devices. hwpt to pasids: lock. */
struct iommufd_group {
	struct kref ref;
	struct mutex lock;
	struct iommufd_ctx *ictx;
	struct iommu_group *group; /* referenced; NULL: of one device without an IOMMU */
	struct iommufd_hw_pagetable *hwpt;
	struct list_head device_list;
	struct xarray pasids; /* of iommufd_attach; without the RID's, which is above */
};

struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct iommufd_group *igroup;
	struct list_head group_item; /* igroup->device_list */
	struct device *dev;
	bool enforce_cache_coherency, lone; /* lone: a selftest's, without a reference to ictx */
	struct mutex iopf_lock;
	u32 iopf_enabled; /* iopf_lock */
	struct iommufd_vdevice *vdev; /* igroup->lock, as is the next */
	bool destroying;
};

/* Of 7.3: nobody translates for it, and nobody keeps it from any memory. */
static inline bool iommufd_device_is_noiommu(const struct iommufd_device *idev)
{
	return !idev->igroup->group;
}

/* NULL: it has no IOMMU. */
static inline struct iommu_device *iommufd_device_iommu(const struct iommufd_device *idev)
{
	return iommufd_device_is_noiommu(idev) ? NULL : idev->dev->iommu->iommu_dev;
}

struct iommufd_attach_handle {
	struct iommu_attach_handle handle;
	struct iommufd_device *idev;
};

static inline struct iommufd_attach_handle *to_iommufd_handle(struct iommu_attach_handle *h)
{
	return container_of(h, struct iommufd_attach_handle, handle);
}

int iommufd_hw_pagetable_attach(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev,
				u32 pasid);
/* The page table, whose user the caller has to give back; NULL: none was attached. */
struct iommufd_hw_pagetable *iommufd_hw_pagetable_detach(struct iommufd_device *idev, u32 pasid);
void iommufd_device_destroy(struct iommufd_object *obj);

/* --- pasid.c: with igroup->lock --- */
/* -EINVAL: hwpt may not be attached to pasid, or (RID) not beside the PASIDs attached. */
int iommufd_pasid_compat(struct iommufd_group *igroup, struct iommufd_hw_pagetable *hwpt,
			 u32 pasid);
int iommufd_pasid_attach(struct iommufd_hw_pagetable *hwpt, struct iommufd_device *idev,
			 u32 pasid);
struct iommufd_hw_pagetable *iommufd_pasid_detach(struct iommufd_device *idev, u32 pasid);
/* The old page table with a user to give back, NULL: hwpt is attached, or ERR_PTR. */
struct iommufd_hw_pagetable *iommufd_pasid_replace(struct iommufd_device *idev, u32 pasid,
						   struct iommufd_hw_pagetable *hwpt);

/* --- hw_info.c --- */
int iommufd_get_hw_info(struct iommufd_ucmd *ucmd);

/* --- access.c --- */
struct iommufd_access {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct iommufd_ioas *ioas, *ioas_unpin; /* used; ioas_lock */
	struct mutex ioas_lock;
	const struct iommufd_access_ops *ops;
	void *data;
	unsigned long iova_alignment;
	u32 iopt_access_list_id;
	bool internal; /* of the context itself, and locks what it pins */
};

void iommufd_access_notify_unmap(struct io_pagetable *iopt, unsigned long iova,
				 unsigned long length);
void iommufd_access_destroy_object(struct iommufd_object *obj);
/*
 * Attached to ioas, which the caller keeps; nothing may be pinned any more when it is destroyed.
 * dup: user space sees its id go, and may not destroy it.
 */
struct iommufd_access *iommufd_access_create_internal(struct iommufd_ctx *ictx,
						      struct iommufd_ioas *ioas);

/* --- fault.c --- */
/* deliver: lock; response: mutex. Its file holds a user. */
struct iommufd_fault {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct file *filep;
	struct mutex mutex;
	spinlock_t lock;
	struct list_head deliver;
	struct xarray response;
	wait_queue_head_t wait_queue;
};

int iommufd_fault_alloc(struct iommufd_ucmd *ucmd);
void iommufd_fault_destroy(struct iommufd_object *obj);
int iommufd_fault_iopf_handler(struct iopf_group *group);
int iommufd_fault_iopf_enable(struct iommufd_device *idev);
void iommufd_fault_iopf_disable(struct iommufd_device *idev);
/* For an attachment; with its page faults on, if iopf. An ERR_PTR: neither. */
struct iommufd_attach_handle *iommufd_handle_new(struct iommufd_device *idev, bool iopf);
void iommufd_handle_free(struct iommufd_attach_handle *handle, bool iopf);
/* Of the attachment that is there, or NULL. */
struct iommufd_attach_handle *iommufd_handle_of(struct iommufd_device *idev, u32 pasid);
/* Everything delivered to or taken from hwpt's queue through handle is answered INVALID. */
void iommufd_auto_response_faults(struct iommufd_hw_pagetable *hwpt,
				  struct iommufd_attach_handle *handle);

/* --- viommu.c, veventq.c --- */
struct iommufd_hw_queue {
	struct iommufd_object obj;
	struct iommufd_viommu *viommu; /* used */
	struct iommufd_access *access;
	u64 base_addr, length;
	void (*destroy)(struct iommufd_hw_queue *queue); /* NULL: the driver has not begun */
};

struct iommufd_vdevice {
	struct iommufd_object obj;
	struct iommufd_viommu *viommu; /* used */
	struct iommufd_device *idev;   /* got, until it is destroyed */
	unsigned long virt_id;
};

/* deliver, lost's place, num_events, sequence: lock. Its file holds a user. */
struct iommufd_veventq {
	struct iommufd_object obj;
	struct iommufd_viommu *viommu; /* used */
	struct list_head node;         /* viommu->veventqs */
	struct file *filep;
	struct mutex mutex;
	spinlock_t lock;
	struct list_head deliver;
	struct vevent *lost;
	u32 type, depth, num_events, sequence;
	wait_queue_head_t wait_queue;
};

int iommufd_viommu_alloc_ioctl(struct iommufd_ucmd *ucmd);
void iommufd_viommu_destroy(struct iommufd_object *obj);
int iommufd_vdevice_alloc_ioctl(struct iommufd_ucmd *ucmd);
void iommufd_vdevice_destroy(struct iommufd_object *obj);
void iommufd_vdevice_abort(struct iommufd_object *obj);
void iommufd_device_pre_destroy(struct iommufd_device *idev);
int iommufd_veventq_alloc(struct iommufd_ucmd *ucmd);
void iommufd_veventq_destroy(struct iommufd_object *obj);
void iommufd_veventq_abort(struct iommufd_object *obj);

/* --- hw_queue.c --- */
int iommufd_hw_queue_alloc(struct iommufd_ucmd *ucmd);
void iommufd_hw_queue_destroy(struct iommufd_object *obj);

/* --- mmap.c --- */
/* length bytes of pages, by the offset that it finds; -ENOMEM. */
int iommufd_mmap_add(struct iommufd_ctx *ictx, struct iommufd_object *owner, struct page *page,
		     u64 length, u64 *offset);
void iommufd_mmap_remove(struct iommufd_ctx *ictx, u64 offset);
int iommufd_mmap(struct file *file, struct vm_area_struct *vma);

/* --- selftest.c --- */
struct iommufd_state;
int iommufd_test(struct iommufd_ucmd *ucmd);
void iommufd_selftest_destroy(struct iommufd_object *obj);
/* flags has MOCK_FLAGS_ACCESS_SYZ: *iova is { the n-th area, an offset } and becomes an IOVA. */
void iommufd_test_syz_conv_iova_id(struct iommufd_ucmd *ucmd, u32 ioas_id, u64 *iova, u32 *flags);
