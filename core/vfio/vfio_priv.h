/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/vfio.
 *
 * Locks, outer to inner: vfio->group_lock -> group->group_lock -> dev_set->lock ->
 * iommufd's; group->group_lock -> container->group_lock -> type1's lock -> the
 * core's group lock; group->device_lock and type1's device_list_lock: leaves, but
 * that a driver's dma_unmap() is called with the latter held.
 */
#pragma once

#include "core/iommufd/iommufd.h"
#include "core/vfio/uapi.h"
#include "core/vfio/vfio.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/completion.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/refcount.h"
#include "sim/kapi/uaccess.h"

#define ENOIOCTLCMD 515
#define VFIO_DMA_ENTRY_LIMIT 65535u /* of mappings of a container */

struct vfio_container;
struct vfio_device;

enum vfio_group_type { VFIO_IOMMU, VFIO_EMULATED_IOMMU, VFIO_NO_IOMMU };

/* Of a world. groups, devices: group_lock. */
struct vfio_state {
	struct mutex group_lock;
	struct list_head groups;
	struct xarray devices; /* by index; those that can be opened */
	struct ida device_ida;
	struct mutex sets_lock;
	struct list_head sets; /* sets_lock */
	struct mutex drivers_lock; /* while containers get their driver */
	struct mutex lines_lock;
	u64 irq_lines; /* that functions use, as bits; lines_lock */
	struct mutex sriov_lock;
	struct vfio_pci *pf[MACHINE_DEVICES_MAX]; /* that are bound; sriov_lock */
	u32 dma_entry_limit, disable_idle_d3, noiommu; /* parameters; marked */
};

/*
 * Devices that must be reset together. Found by set_id; lock serialises opening and
 * closing of its devices, and protects devices.
 */
struct vfio_device_set {
	struct list_head entry; /* vfio->sets */
	const void *set_id;
	struct mutex lock;
	struct list_head devices;
	u32 device_count; /* vfio->sets_lock */
};

/*
 * An iommu_group whose devices VFIO's drivers have. drivers: one for each. The rest
 * by group_lock, devices by device_lock. Referenced by open files and by its drivers.
 */
struct vfio_group {
	struct kref kref;
	refcount_t drivers;
	struct list_head entry; /* vfio->groups */
	struct mutex group_lock;
	struct iommu_group *iommu_group; /* referenced; NULL: all devices have left */
	enum vfio_group_type type;
	struct file *opened_file;
	struct vfio_container *container;
	u32 container_users;
	struct list_head container_next; /* container->group_lock */
	struct iommufd_ctx *iommufd;
	u32 cdev_device_open_cnt;
	struct mutex device_lock;
	struct list_head devices;
	u32 id;
};

/* All but ioctl's like may be NULL. */
struct vfio_device_ops {
	const char *name;
	int (*init)(struct vfio_device *vdev);
	void (*release)(struct vfio_device *vdev);
	bool emulated; /* on an iommufd: an access, not a device */
	int (*open_device)(struct vfio_device *vdev);
	void (*close_device)(struct vfio_device *vdev);
	s64 (*read)(struct vfio_device *vdev, u64 buf, u64 count, s64 *pos);
	s64 (*write)(struct vfio_device *vdev, u64 buf, u64 count, s64 *pos);
	long (*ioctl)(struct vfio_device *vdev, u32 cmd, u64 arg);
	int (*mmap)(struct vfio_device *vdev, struct vm_area_struct *vma);
	/* The device is about to go: its user should close it. */
	void (*request)(struct vfio_device *vdev, u32 count);
	/* 1: the name is this device's; 0: it is not; -errno: nobody may have it. */
	int (*match)(struct vfio_device *vdev, const char *name);
	/* As match(), of a token for a device's own file: 16 bytes; NULL: none. 0 or -errno. */
	int (*match_token)(struct vfio_device *vdev, const u8 *uuid);
	/* What is pinned in the range is unpinned when it returns. */
	void (*dma_unmap)(struct vfio_device *vdev, u64 iova, u64 length);
	int (*device_feature)(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
};

/* All three. state: enum vfio_device_mig_state, that of user space unchecked. */
struct vfio_migration_ops {
	/* A file that data moves through, referenced; NULL: none, or ERR_PTR. */
	struct file *(*set_state)(struct vfio_device *vdev, u32 state);
	int (*get_state)(struct vfio_device *vdev, u32 *state);
	int (*get_data_size)(struct vfio_device *vdev, u64 *length);
};

/* All three. */
struct vfio_log_ops {
	/* ranges: n intervals that do not overlap, the caller's. *page_size: in, out. */
	int (*start)(struct vfio_device *vdev, struct interval_tree_root *ranges, u32 n,
		     u64 *page_size);
	int (*stop)(struct vfio_device *vdev);
	/* Calls mark(arg, iova, length) for what was written, and forgets it. */
	int (*read_and_clear)(struct vfio_device *vdev, u64 iova, u64 length,
			      void (*mark)(void *arg, u64 iova, u64 length), void *arg);
};

/* Begins a driver's own. open_count, iommufd_*, cdev_opened: dev_set->lock. */
struct vfio_device {
	struct device *dev;
	const struct vfio_device_ops *ops;
	const struct vfio_migration_ops *mig_ops;
	const struct vfio_log_ops *log_ops;
	u32 migration_flags, index;
	bool precopy_info_v2; /* the user has asked for it; as in Linux, under no lock */
	struct vfio_group *group;
	struct vfio_device_set *dev_set;
	struct list_head dev_set_list, group_next, iommu_entry;
	refcount_t refcount; /* registration, and each open file */
	struct completion comp;
	u32 open_count;
	struct iommufd_device *iommufd_device;
	struct iommufd_access *iommufd_access;
	struct xarray pasids; /* attached ones: the device; dev_set->lock */
	bool iommufd_attached, cdev_opened;
	bool noiommu; /* of 7.3: has a file of its own, which says so; constant once registered */
};

/* One open file of a device. */
struct vfio_device_file {
	struct vfio_device *device;
	struct vfio_group *group;    /* of which it was opened; NULL: its own file */
	bool access_granted;         /* released once the device is open */
	u32 devid;
	struct iommufd_ctx *iommufd;
};

static inline struct vfio_state *vfio_here(void)
{
	return iommu_core()->vfio;
}

static inline void __user *vfio_ptr(u64 addr)
{
	return (void *)(uintptr_t)addr;
}

#define vfio_end_of(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

static inline bool vfio_device_is_noiommu(const struct vfio_device *vdev)
{
	return vdev->group->type == VFIO_NO_IOMMU || vdev->noiommu;
}

/* --- main.c --- */
/* Zeroed, of this size, with its number and index: ERR_PTR. To be put. */
struct vfio_device *vfio_alloc_device(size_t size, struct device *dev,
				      const struct vfio_device_ops *ops);
void vfio_put_device(struct vfio_device *vdev);
int vfio_assign_device_set(struct vfio_device *vdev, const void *set_id);
/* From now on it can be opened. */
int vfio_register_dev(struct vfio_device *vdev, enum vfio_group_type type);
/* Waits until nobody has it open any more. */
void vfio_unregister_dev(struct vfio_device *vdev);
bool vfio_device_try_get_registration(struct vfio_device *vdev);
void vfio_device_put_registration(struct vfio_device *vdev);
struct vfio_device_file *vfio_allocate_device_file(struct vfio_device *vdev);
int vfio_df_open(struct vfio_device_file *df);
void vfio_df_close(struct vfio_device_file *df);

/* --- group.c --- */
int vfio_device_set_group(struct vfio_device *vdev, enum vfio_group_type type);
void vfio_device_remove_group(struct vfio_device *vdev);
int vfio_device_block_group(struct vfio_device *vdev);
void vfio_device_unblock_group(struct vfio_device *vdev);
void vfio_df_group_close(struct vfio_device_file *df);
struct vfio_group *vfio_group_from_file(struct file *file);

/* --- iommufd.c --- */
int vfio_df_iommufd_bind(struct vfio_device_file *df);
void vfio_df_iommufd_unbind(struct vfio_device_file *df);
int vfio_iommufd_attach(struct vfio_device *vdev, u32 *pt_id);
void vfio_iommufd_detach(struct vfio_device *vdev);
/* The same for one PASID; attaching it again replaces. Of emulated devices: never. */
int vfio_iommufd_attach_pasid(struct vfio_device *vdev, u32 pasid, u32 *pt_id);
void vfio_iommufd_detach_pasid(struct vfio_device *vdev, u32 pasid);
void vfio_iommufd_detach_pasids(struct vfio_device *vdev);
long vfio_df_ioctl_bind_iommufd(struct vfio_device_file *df, u64 arg);
void vfio_df_unbind_iommufd(struct vfio_device_file *df);
long vfio_df_ioctl_attach_pt(struct vfio_device_file *df, u64 arg);
long vfio_df_ioctl_detach_pt(struct vfio_device_file *df, u64 arg);

/* --- container.c --- */
struct vfio_iommu;
/*
 * What containers get by SET_IOMMU. Of all but open() and release() iommu is NULL where the
 * driver has none, of check_extension() also where no container asks.
 */
struct vfio_iommu_driver {
	struct vfio_iommu *(*open)(u64 type);
	void (*release)(struct vfio_iommu *iommu);
	long (*check_extension)(struct vfio_iommu *iommu, u64 arg);
	long (*ioctl)(struct vfio_iommu *iommu, u32 cmd, u64 arg);
	int (*attach_group)(struct vfio_iommu *iommu, struct iommu_group *group,
			    enum vfio_group_type type);
	void (*detach_group)(struct vfio_iommu *iommu, struct iommu_group *group);
	/* Both or none. */
	void (*register_device)(struct vfio_iommu *iommu, struct vfio_device *vdev);
	void (*unregister_device)(struct vfio_iommu *iommu, struct vfio_device *vdev);
};

extern const struct vfio_iommu_driver vfio_type1_driver, vfio_noiommu_driver;
struct vfio_container *vfio_container_from_file(struct file *file);
int vfio_container_attach_group(struct vfio_container *container, struct vfio_group *group);
void vfio_group_detach_container(struct vfio_group *group);
int vfio_device_use_container(struct vfio_device *vdev);
void vfio_device_unuse_container(struct vfio_device *vdev);
/* For drivers of emulated devices: as Linux's, of an open device. */
#define VFIO_PIN_PAGES_MAX_ENTRIES 512
int vfio_pin_pages(struct vfio_device *vdev, u64 iova, int npage, int prot, struct page **pages);
void vfio_unpin_pages(struct vfio_device *vdev, u64 iova, int npage);
int vfio_dma_rw(struct vfio_device *vdev, u64 iova, void *data, size_t len, bool write);

/* --- feature.c --- */
long vfio_ioctl_feature(struct vfio_device *vdev, u64 arg);
/* 1: go on; 0: it was a probe; -EINVAL: another operation, or too short. */
int vfio_check_feature(u32 flags, size_t argsz, u32 supported, size_t minsz);

/* --- migration.c: features of mig_ops --- */
/* As Linux's vfio_mig_get_next_state(): one step of the way; -EINVAL: there is none. */
int vfio_mig_get_next_state(const struct vfio_device *vdev, u32 cur, u32 new, u32 *next);
int vfio_feature_migration(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
int vfio_feature_mig_state(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
int vfio_feature_mig_data_size(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
int vfio_feature_precopy_info_v2(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);

/* --- migrator.c: what drivers that migrate have in common --- */
enum vfio_mig_level {
	VFIO_MIG_STILL,   /* nothing changes any more, whoever asks */
	VFIO_MIG_QUIET,   /* it answers, and begins nothing: no DMA, no interrupts */
	VFIO_MIG_RUNNING,
};

/* Called with the migrator's lock. size: what the migrator was told. */
struct vfio_migrator_ops {
	int (*run)(struct vfio_device *vdev, enum vfio_mig_level level);
	int (*save)(struct vfio_device *vdev, void *to, u32 size);
	int (*load)(struct vfio_device *vdev, const void *from, u32 size);
};

struct vfio_mig_file;

/* Of a device. state, files: lock. */
struct vfio_migrator {
	struct mutex lock;
	struct vfio_device *vdev;
	const struct vfio_migrator_ops *ops;
	u32 size; /* bytes of a device's state, constant */
	u32 state;
	struct vfio_mig_file *file; /* of the session that is open; NULL: none */
};

#define VFIO_MIG_STATE_MAX 4096u
void vfio_migrator_init(struct vfio_migrator *m, struct vfio_device *vdev,
			const struct vfio_migrator_ops *ops, u32 size);
void vfio_migrator_destroy(struct vfio_migrator *m);
struct file *vfio_migrator_set_state(struct vfio_migrator *m, u32 state);
u32 vfio_migrator_state(struct vfio_migrator *m);
/* Bytes that a session of STOP_COPY gives. */
u64 vfio_migrator_data_size(const struct vfio_migrator *m);
/* The device was reset, or is opened or closed: RUNNING, no session. */
void vfio_migrator_reset(struct vfio_migrator *m);

/* --- dma_log.c: features of log_ops, and a log for drivers --- */
int vfio_feature_logging_start(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
int vfio_feature_logging_stop(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
int vfio_feature_logging_report(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz);
/* As Linux's: joins neighbours of the n ranges, the closest first, until `want` are left. */
void vfio_combine_iova_ranges(struct interval_tree_root *ranges, u32 n, u32 want);

/* A bit per page of one range. All by lock. */
struct vfio_dma_log {
	struct mutex lock;
	u64 *bits; /* NULL: off */
	u64 start, last;
	u32 pgshift;
};

#define VFIO_DMA_LOG_PAGES_MAX 65536u
void vfio_dma_log_init(struct vfio_dma_log *log);
/* Off. */
void vfio_dma_log_destroy(struct vfio_dma_log *log);
/* As vfio_log_ops. -EINVAL: it is on, or pages of another size; -ENOMEM: too many pages. */
int vfio_dma_log_start(struct vfio_dma_log *log, struct interval_tree_root *ranges, u32 n,
		       u64 page_size);
void vfio_dma_log_stop(struct vfio_dma_log *log);
void vfio_dma_log_mark(struct vfio_dma_log *log, u64 iova, u64 length);
int vfio_dma_log_take(struct vfio_dma_log *log, u64 iova, u64 length,
		      void (*mark)(void *arg, u64 iova, u64 length), void *arg);

/* --- test_device.c, pci.c --- */
int vfio_test_probe(struct device *dev);
int vfio_emulated_probe(struct device *dev);
void vfio_test_remove(struct device *dev);
