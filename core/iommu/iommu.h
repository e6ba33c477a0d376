/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IOMMU core: groups, domains, ownership, probing, fwspec, reserved
 * regions, mapping and a small DMA API, under Linux's names.
 *
 * Everything hangs from struct iommu_core, which is the first member of what
 * this_world()->kernel points to (core/boot puts it there).
 *
 * Locks, outer to inner:
 *	an instance's own lock (core/drv) -> device_lock(dev) -> the user's
 *	record (core/boot) -> core->probe_lock -> group->mutex -> the driver's
 *	stream lock (spin)
 *	core->list_lock (spin), cookie->lock (spin): leaves
 *
 * dev->iommu and dev->iommu_group are written with core->probe_lock held.
 * custom: once a device can be bound also with device_lock(dev), so that the
 * driver core may read them with that alone. Linux's bus walk does not take
 * device_lock; see probe.c.
 *
 * Synchronisation of the public functions:
 *	iommu_device_register/unregister   sleeps; no lock of ours held
 *	iommu_device_use_default_domain    device_lock held (driver core)
 *	claim, release, attach, detach     sleeps; takes group->mutex
 *	iommu_map, iommu_unmap             sleeps; callers keep the domain alive
 */
#pragma once

#include "core/kernel/kernel.h"
#include "sim/kapi/atomic.h"
#include "sim/kapi/device.h"
#include "sim/kapi/idr.h"
#include "sim/kapi/list.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/workqueue.h"
#include "sim/kapi/xarray.h"
#include "sim/sched/sched.h"

struct iommu_group;
struct iommu_domain;
struct iommu_ops;

#define __IOMMU_DOMAIN_PAGING 1u   /* has map and unmap */
#define __IOMMU_DOMAIN_DMA_API 2u  /* used by the DMA API */
#define __IOMMU_DOMAIN_DMA_FQ 4u
#define __IOMMU_DOMAIN_PT 8u       /* identity */

#define __IOMMU_DOMAIN_NESTED 16u  /* user space's table on a parent domain */
#define __IOMMU_DOMAIN_SVA 32u     /* a process's memory */

#define IOMMU_DOMAIN_BLOCKED 0u
#define IOMMU_DOMAIN_IDENTITY __IOMMU_DOMAIN_PT
#define IOMMU_DOMAIN_UNMANAGED __IOMMU_DOMAIN_PAGING
#define IOMMU_DOMAIN_NESTED __IOMMU_DOMAIN_NESTED
#define IOMMU_DOMAIN_SVA (__IOMMU_DOMAIN_PAGING | __IOMMU_DOMAIN_SVA)
#define IOMMU_DOMAIN_DMA (__IOMMU_DOMAIN_PAGING | __IOMMU_DOMAIN_DMA_API)
#define IOMMU_DOMAIN_DMA_FQ (IOMMU_DOMAIN_DMA | __IOMMU_DOMAIN_DMA_FQ)

enum iommu_resv_type {
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_DIRECT_RELAXABLE,
	IOMMU_RESV_RESERVED,
	IOMMU_RESV_MSI,
	IOMMU_RESV_SW_MSI,
};

/* Owned by the list it is on. */
struct iommu_resv_region {
	struct list_head list;
	u64 start, length; /* bytes */
	enum iommu_resv_type type;
};

/* Permissions of a mapping. */
#define IOMMU_READ 1
#define IOMMU_WRITE 2
#define IOMMU_CACHE 4
#define IOMMU_NOEXEC 8
#define IOMMU_MMIO 16
#define IOMMU_PRIV 32

/*
 * What unmaps leave to be invalidated, and tables that may be given back only
 * then. Owned by the caller of iommu_unmap_fast(); iommu_iotlb_sync() empties it.
 */
struct iommu_iotlb_gather {
	u64 start, end; /* inclusive; empty while start > end */
	u64 pgsize;     /* the smallest page unmapped, 0 = none */
	u64 n_tables;   /* tables unlinked */
	u64 freelist;   /* the driver's */
	bool queued;    /* a flush of everything comes later: do not flush for reuse */
};

/* Driver data of user space: a type, a length, an address. */
struct iommu_user_data {
	u32 type, len;
	u64 uptr;
};

/* Entries of one length; entry_num: in, out how many were done. */
struct iommu_user_data_array {
	u32 type, entry_len, entry_num;
	u64 uptr;
};

enum iommu_cap {
	IOMMU_CAP_CACHE_COHERENCY,
	IOMMU_CAP_ENFORCE_CACHE_COHERENCY,
	IOMMU_CAP_DIRTY_TRACKING,
	IOMMU_CAP_PCI_ATS_SUPPORTED,
};

/* Who is told of dirty pages; NULL fn: nobody, they are only cleared. */
struct iommu_dirty_bitmap {
	void (*record)(struct iommu_dirty_bitmap *dirty, u64 iova, u64 length);
};
#define IOMMU_DIRTY_NO_CLEAR 1u
/* Flag of domain_alloc_user(), the value that user space knows. */
#define IOMMU_ALLOC_DIRTY_TRACKING 2u
/* The domain may be attached to PASIDs. */
#define IOMMU_ALLOC_PASID 8u

struct iommu_dirty_ops {
	int (*set_dirty_tracking)(struct iommu_domain *domain, bool enable);
	int (*read_and_clear_dirty)(struct iommu_domain *domain, u64 iova, u64 size, u32 flags,
				    struct iommu_dirty_bitmap *dirty);
};

/* What an attachment is known by, for faults. Owned by who attaches. */
struct iommu_attach_handle {
	struct iommu_domain *domain;
};

struct iopf_group;
struct iommufd_viommu;

struct iommu_domain_ops {
	/* Must not fail for a domain that the device had before. */
	int (*attach_dev)(struct iommu_domain *domain, struct device *dev);
	/*
	 * One PASID of the device; old: the domain it was in, or NULL. Of a blocking
	 * domain: the PASID is taken away, which must not fail. NULL: no PASIDs.
	 */
	int (*set_dev_pasid)(struct iommu_domain *domain, struct device *dev, u32 pasid,
			     struct iommu_domain *old);
	int (*map_pages)(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
			 size_t pgcount, int prot, size_t *mapped);
	/* Adds to the gather what iotlb_sync() is to invalidate. */
	size_t (*unmap_pages)(struct iommu_domain *domain, u64 iova, size_t pgsize,
			      size_t pgcount, struct iommu_iotlb_gather *gather);
	/* NULL, all three: the driver's hardware keeps nothing. */
	void (*iotlb_sync)(struct iommu_domain *domain, struct iommu_iotlb_gather *gather);
	void (*flush_iotlb_all)(struct iommu_domain *domain);
	/* Non-present entries may be kept: what was mapped must be invalidated, too. */
	int (*iotlb_sync_map)(struct iommu_domain *domain, u64 iova, size_t size);
	u64 (*iova_to_phys)(struct iommu_domain *domain, u64 iova);
	/* Of nested domains. */
	int (*cache_invalidate_user)(struct iommu_domain *domain,
				     struct iommu_user_data_array *array);
	bool (*enforce_cache_coherency)(struct iommu_domain *domain);
	void (*free)(struct iommu_domain *domain); /* NULL: static */
};

/*
 * Made by a driver, owned by the group (default, blocking) or by whoever
 * asked for it. Constant after its allocation, but for type (group->mutex,
 * DMA to DMA-FQ) and debug_bytes (atomic).
 */
struct iommu_domain {
	unsigned type;
	const struct iommu_domain_ops *ops;
	const struct iommu_ops *owner;
	u64 pgsize_bitmap; /* bytes, one bit per size */
	struct iommu_dma_cookie *iova_cookie;
	struct iommu_msi_cookie *msi_cookie; /* set once, by who attaches a user's domain first */
	struct {
		u64 aperture_start, aperture_end; /* both inclusive */
	} geometry;
	const struct iommu_dirty_ops *dirty_ops; /* NULL: no dirty tracking */
	int (*iopf_handler)(struct iopf_group *group);
	void *fault_data;
	atomic64_t debug_bytes; /* recorded as mapped, as under IOMMU_DEBUG_PAGEALLOC */
	u32 id;                 /* for facts */
};

/* The devices of an instance whose page requests are handled (core/fault). */
struct iopf_queue {
	struct mutex lock;
	struct list_head devices; /* iommu_fault_param.node; lock */
};

/* An instance. Owned by its driver. list and ready: core->list_lock. */
struct iommu_device {
	struct list_head list;
	bool ready;
	const struct iommu_ops *ops;
	const struct fwnode_handle *fwnode;
	u32 index; /* machine index, for facts */
	u32 max_pasids; /* 0: none */
	struct iopf_queue iopf; /* of drivers that answer page requests */
};

struct iommu_ops {
	struct iommu_device *(*probe_device)(struct device *dev);
	void (*probe_finalize)(struct device *dev);
	void (*release_device)(struct device *dev);
	struct iommu_group *(*device_group)(struct device *dev);
	int (*of_xlate)(struct device *dev, u32 id);
	void (*get_resv_regions)(struct device *dev, struct list_head *list);
	bool (*is_attach_deferred)(struct device *dev);
	/* 0: no wish */
	int (*def_domain_type)(struct device *dev);
	struct iommu_domain *(*domain_alloc_paging)(struct device *dev);
	/* A paging domain for a process; NULL: one like any other. ERR_PTR: -EOPNOTSUPP. */
	struct iommu_domain *(*domain_alloc_sva)(struct device *dev);
	/*
	 * custom: Linux keeps these two as static objects; a world's state may
	 * not be static, so the driver hands out the ones of the instance.
	 * NULL: not offered.
	 */
	struct iommu_domain *(*identity_domain)(struct device *dev);
	/* What iommufd asks for; each may be NULL. */
	bool (*capable)(struct device *dev, enum iommu_cap cap);
	/* kmalloc()ed data of *length bytes, or ERR_PTR. *type: the one wanted, 0: any; out. */
	void *(*hw_info)(struct device *dev, u32 *length, u32 *type);
	struct iommu_domain *(*domain_alloc_user)(struct device *dev, u32 flags,
						  struct iommu_domain *parent,
						  const struct iommu_user_data *data);
	void (*page_response)(struct device *dev, const struct iopf_group *group, u32 code);
	bool user_pasid_table;
	/* Size of the driver's struct iommufd_viommu, 0: not this type; and what fills it in. */
	size_t (*get_viommu_size)(struct device *dev, u32 type);
	int (*viommu_init)(struct iommufd_viommu *viommu, struct iommu_domain *parent,
			   const struct iommu_user_data *data);
	struct iommu_domain *(*blocked_domain)(struct device *dev);
};

/* What firmware said about a device. Owned by dev->iommu; moves when it grows. */
struct iommu_fwspec {
	const struct fwnode_handle *iommu_fwnode;
	unsigned long num_ids; /* stored after the ids it counts */
	u32 ids[];
};

/* dev->iommu. Owned by the device while it has one. */
struct dev_iommu {
	struct iommu_fwspec *fwspec;
	struct iommu_device *iommu_dev;
	void *priv; /* the driver's */
	bool attach_deferred; /* group->mutex */
	bool require_direct;  /* constant once in a group */
	bool no_pasids;       /* the driver's, before max_pasids is set */
	u32 max_pasids;       /* of device and IOMMU; 0: none. Constant once in a group */
	struct iommu_fault_param *fault_param; /* RCU, iopf_queue.lock; NULL: faults are off */
};

/* Which of the historic orders of probing is in force; all false is today's. */
struct iommu_era {
	bool parse_at_bind;  /* firmware is read when a driver binds, not in the bus walk */
	bool parse_unlocked; /* ... and without core->probe_lock */
	bool walk_unlocked;  /* the walk does not take device_lock */
};

/* Which Linux user space is answered as. */
enum iommu_linux { LINUX_6_12, LINUX_7_3 };

struct iommu_driver;

/* One of the machine's IOMMUs and who drives it (core/drv). bound: bind_lock. */
struct iommu_instance {
	const struct iommu_driver *driver;
	void *data; /* the driver's; NULL: nobody drives this model */
	struct mutex bind_lock;
	bool bound;
};

#define ENQCMD_VMS 4 /* virtual machines with a table of ENQCMD's PASIDs */

struct iommu_core {
	const struct machine *machine;
	enum iommu_linux as;      /* constant */
	struct mutex probe_lock;  /* iommu_probe_device_lock */
	spinlock_t list_lock;     /* iommu_device_lock: instances */
	struct list_head instances;
	struct ida group_ida, pasid_ida;
	struct mutex sva_lock;    /* -> group->mutex, and mm->mmap_lock */
	struct list_head sva_mms; /* processes that have a PASID; sva_lock */
	struct mutex enq_mutex;   /* of ENQCMD's tables; -> enq_lock */
	spinlock_t enq_lock;      /* a descriptor's look at them */
	struct xarray enq_table[ENQCMD_VMS]; /* by the guest's PASID (core/fault) */
	struct mutex report_lock; /* over a driver's report of a page request */
	atomic_t domain_ids;
	struct iommu_era era;
	struct bus_type *bus[2];  /* pci, platform */
	/* By probe_lock. */
	struct device *grouped[MACHINE_DEVICES_MAX];
	u64 grouped_mask;
	u64 missed;               /* devices whose proper probe failed half way */
	u64 unserialised;         /* historic: devices in the middle of a probe */
	/* Constant: devices that isolation or aliases put in one group. */
	u64 peers[MACHINE_DEVICES_MAX];
	u32 requester[MACHINE_DEVICES_MAX]; /* id on the bus, behind all aliases */
	struct iommu_instance instance[MACHINE_IOMMUS_MAX]; /* core/drv's own */
	spinlock_t drv_lock;                /* drv_bound */
	struct list_head drv_bound;         /* instances whose binding is complete */
	struct iommu_resv_region *shared_resv; /* historic: one object for all lists */
	struct mock_state *mock;            /* core/drv's own */
	struct iommufd_state *iommufd;      /* core/iommufd's own */
	struct vfio_state *vfio;            /* core/vfio's own */
	struct vdpa_state *vdpa;            /* core/vdpa's own */
	/*
	 * Ends what user space has going through dev, which is about to lose
	 * its IOMMU, and keeps it from coming back until user_close_end():
	 * VFIO's remove() asks the user to close and waits.
	 */
	void (*user_close_begin)(struct device *dev);
	void (*user_close_end)(struct device *dev);
	unsigned long unasked;    /* historic: bound with nobody asking the group; owner.c */
	unsigned long disk_tried; /* endpoint.c */
	atomic64_t next_frame;    /* physical memory handed out, bytes */
};

static inline struct iommu_core *iommu_core(void)
{
	return this_world()->kernel;
}

/* Where answers differ between versions; every row in since.def. */
enum iommu_since {
#define SINCE(sym, version, calls, doc) SINCE_##sym,
#include "core/iommu/since.def"
#undef SINCE
};

/* Whether the Linux that we answer as has it. */
static inline bool iommu_since(enum iommu_since what)
{
	static const enum iommu_linux since[] = {
#define SINCE(sym, version, calls, doc) [SINCE_##sym] = (version),
#include "core/iommu/since.def"
#undef SINCE
	};

	return iommu_core()->as >= since[what];
}

/* Of a device that is in a group without an IOMMU, as an emulated one of VFIO is: nothing works. */
extern const struct iommu_ops iommu_no_ops;

static inline const struct iommu_ops *dev_iommu_ops(struct device *dev)
{
	const struct dev_iommu *param = dev->iommu;
	const struct iommu_device *iommu = param ? param->iommu_dev : NULL;

	return iommu ? iommu->ops : &iommu_no_ops;
}

static inline const struct machine_device *dev_fw(const struct device *dev)
{
	return &iommu_core()->machine->device[dev->index];
}

static inline u32 stream_count(const struct machine_device *fw)
{
	return fw->n_ids ? fw->n_ids : 1;
}

/* The i-th id that firmware gives the device; without any, that on its bus. */
static inline u32 stream_id(const struct iommu_core *core, u32 device, u32 i)
{
	const struct machine_device *fw = &core->machine->device[device];

	return fw->n_ids ? fw->ids[min(i, fw->n_ids - 1)] : core->requester[device];
}

static inline bool dev_is_pci(const struct device *dev)
{
	return iommu_core()->machine->bus[dev_fw(dev)->bus].kind == MACHINE_BUS_PCI;
}

static inline const struct fwnode_handle *iommu_fwnode(const struct iommu_core *core, u32 iommu)
{
	return (const struct fwnode_handle *)&core->machine->iommu[iommu];
}

static inline void *dev_iommu_priv_get(struct device *dev)
{
	return dev->iommu->priv;
}

static inline void dev_iommu_priv_set(struct device *dev, void *priv)
{
	dev->iommu->priv = priv;
}

static inline bool iommu_is_dma_domain(const struct iommu_domain *domain)
{
	return READ_ONCE(domain->type) & __IOMMU_DOMAIN_DMA_API;
}

/* --- life of the core: boot.c of core/boot --- */
/* core is zeroed memory of the world's. */
void iommu_core_init(struct iommu_core *core, const struct machine *m);
void iommu_core_fini(struct iommu_core *core);
/* The bus's device notifier and firmware hooks; bus 0 is pci, 1 platform. */
struct notifier_block;
int iommu_bus_notifier(struct notifier_block *nb, unsigned long action, void *data);
int iommu_dma_configure(struct device *dev);
void iommu_dma_cleanup(struct device *dev);

/* --- register.c --- */
int iommu_device_register(struct iommu_device *iommu, const struct iommu_ops *ops);
void iommu_device_unregister(struct iommu_device *iommu);
void iommu_device_unregister_live(struct iommu_device *iommu);
struct iommu_device *iommu_from_fwnode(const struct fwnode_handle *fwnode);

/* --- probe.c --- */
int iommu_probe_device(struct device *dev);
void iommu_release_device(struct device *dev);

/* --- fwspec.c --- */
struct iommu_fwspec *dev_iommu_fwspec_get(struct device *dev);
int iommu_fwspec_init(struct device *dev, const struct fwnode_handle *fwnode, bool probing);
int iommu_fwspec_add_ids(struct device *dev, const u32 *ids, u32 num_ids);
void iommu_fwspec_free(struct device *dev);

/* --- group.c --- */
struct iommu_group *iommu_group_alloc(void);
/* A reference; NULL if the device is in no group, or still on its way in. Sleeps. */
struct iommu_group *iommu_group_get(struct device *dev);
struct iommu_group *iommu_group_ref_get(struct iommu_group *group);
void iommu_group_put(struct iommu_group *group);
u32 iommu_group_id(const struct iommu_group *group);
/* A device that no IOMMU serves joins a group, or leaves it: -ENOMEM. The group has no domain. */
int iommu_group_add_device(struct iommu_group *group, struct device *dev);
void iommu_group_remove_device(struct device *dev);
/* fn for each device until it gives something else than 0, which is returned. */
int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*fn)(struct device *dev, void *data));
/* For drivers' device_group(); probe_lock held. ERR_PTR on failure. */
struct iommu_group *pci_device_group(struct device *dev);
struct iommu_group *generic_device_group(struct device *dev);
void iommu_grouping_init(struct iommu_core *core);

/* --- owner.c --- */
int iommu_device_use_default_domain(struct device *dev);
void iommu_device_unuse_default_domain(struct device *dev);
int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner);
int iommu_group_release_dma_owner(struct iommu_group *group);
bool iommu_group_dma_owner_claimed(struct iommu_group *group);
int iommu_device_claim_dma_owner(struct device *dev, void *owner);
int iommu_device_release_dma_owner(struct device *dev);

/* --- domain.c --- */
void iommu_domain_init(struct iommu_domain *domain, unsigned type, const struct iommu_ops *owner,
		       const struct iommu_domain_ops *ops, u64 pgsize_bitmap);
struct iommu_domain *iommu_paging_domain_alloc(struct device *dev);
struct iommu_domain *iommu_tracking_domain_alloc(struct device *dev);
void iommu_domain_free(struct iommu_domain *domain);

/* --- attach.c --- */
int iommu_attach_device(struct iommu_domain *domain, struct device *dev);
int iommu_detach_device(struct iommu_domain *domain, struct device *dev);
int iommu_attach_group(struct iommu_domain *domain, struct iommu_group *group);
void iommu_detach_group(struct iommu_domain *domain, struct iommu_group *group);
int iommu_group_replace_domain(struct iommu_group *group, struct iommu_domain *domain);
int iommu_deferred_attach(struct device *dev, struct iommu_domain *domain);

/* --- handle.c --- */
/* As the functions without handle; the group keeps the handle while it is attached. */
int iommu_attach_group_handle(struct iommu_domain *domain, struct iommu_group *group,
			      struct iommu_attach_handle *handle);
void iommu_detach_group_handle(struct iommu_domain *domain, struct iommu_group *group);
int iommu_replace_group_handle(struct iommu_group *group, struct iommu_domain *domain,
			       struct iommu_attach_handle *handle);
/* NULL: attached without one, or not at all. pasid: IOMMU_NO_PASID, or one. */
struct iommu_attach_handle *iommu_attach_handle_get(struct iommu_group *group, u32 pasid);
bool device_iommu_capable(struct device *dev, enum iommu_cap cap);
/*
 * custom: a device of a bus that the machine does not describe (iommufd's
 * selftest): in a group of its own, in `def`. Its index is beyond the machine's.
 */
int iommu_add_lone_device(struct device *dev, struct iommu_device *iommu,
			  struct iommu_domain *def);
void iommu_remove_lone_device(struct device *dev);

/* --- pasid.c --- */
#define IOMMU_NO_PASID 0u
#define IOMMU_FIRST_GLOBAL_PASID 1u
/*
 * The devices of dev's group that have PASIDs use domain for this one. handle may be
 * NULL. -EOPNOTSUPP: the driver has none; -EINVAL: the domain is another driver's, the
 * PASID is 0 or beyond what a device has; -EBUSY: it is attached. The caller has a
 * claim on the group, or a driver bound.
 */
int iommu_attach_device_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
			      struct iommu_attach_handle *handle);
/* -EINVAL: it is not attached; a handle is needed. On failure nothing has changed. */
int iommu_replace_device_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
			       struct iommu_attach_handle *handle);
void iommu_detach_device_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid);
/* Where the PASID leads (NULL: nowhere), and it stays so until the unlock, due in any case. */
struct iommu_domain *iommu_pasid_domain_lock(struct iommu_group *group, u32 pasid);
void iommu_pasid_domain_unlock(struct iommu_group *group);
/* A PASID that no device and no process has; or -errno. */
int iommu_alloc_global_pasid(struct device *dev, u32 *pasid);
void iommu_free_global_pasid(u32 pasid);

/* --- map.c --- */
/* prot: IOMMU_READ and so on. */
int iommu_map(struct iommu_domain *domain, u64 iova, u64 paddr, size_t size, int prot);
size_t iommu_unmap(struct iommu_domain *domain, u64 iova, size_t size);
/* Leaves the invalidation, and the memory of tables, to the gather's end. */
size_t iommu_unmap_fast(struct iommu_domain *domain, u64 iova, size_t size,
			struct iommu_iotlb_gather *gather);
void iommu_iotlb_gather_init(struct iommu_iotlb_gather *gather);
void iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather);
void iommu_flush_iotlb_all(struct iommu_domain *domain);
u64 iommu_iova_to_phys(struct iommu_domain *domain, u64 iova);

/* --- resv.c --- */
/* Start of the device's window for messages; 0: its IOMMU does not translate them. */
u64 iommu_sw_msi_base(struct device *dev);
/* dup: -EINVAL: no user's domain; -EBUSY: it has one; -ENOMEM. Goes with the domain. */
int iommu_get_msi_cookie(struct iommu_domain *domain, u64 base);
/* The doorbell as the device has to address it, in the domain that it is attached to now. */
int iommu_dma_prepare_msi(struct device *dev, u64 *address);
struct iommu_resv_region *iommu_alloc_resv_region(u64 start, u64 length,
						  enum iommu_resv_type type);
void iommu_get_resv_regions(struct device *dev, struct list_head *list);
void iommu_put_resv_regions(struct list_head *list);
/* Adds a copy of new to the sorted list, merging regions of its type that touch. */
int iommu_insert_resv_region(const struct iommu_resv_region *new, struct list_head *regions);
int iommu_get_group_resv_regions(struct iommu_group *group, struct list_head *head);

/* --- sysfs.c --- */
/* Write to iommu_groups/N/type; type is an IOMMU_DOMAIN_*, UNMANAGED is refused. */
int iommu_group_store_type(struct iommu_group *group, unsigned type);
/* Read of iommu_groups/N/reserved_regions: the number of regions shown. */
int iommu_group_show_resv_regions(struct iommu_group *group);

/* --- dma_ops.c --- */
/* Owned by a DMA domain. lock protects used. */
struct iommu_dma_cookie {
	spinlock_t lock;
	u64 used; /* bit per IOVA slot, see dma_ops.c */
	/* What core/dma has for the domain: made under dma_lock; ends with the domain. */
	struct mutex dma_lock;
	void *dma;
	void (*dma_free)(void *dma);
};
/* Addresses that dma_map_phys() gives out. */
#define IOMMU_DMA_SLOTS_BASE 0xf0000000ULL
#define IOMMU_DMA_SLOTS_SIZE 0x400000ULL
/*
 * The domain that DMA of dev goes through while a driver is bound that uses the
 * DMA API; NULL: direct. A deferred attach is made; ERR_PTR: it failed.
 */
struct iommu_domain *iommu_dma_domain(struct device *dev);
#define DMA_MAPPING_ERROR (~0ULL)
#define DMA_RING_SIZE 0x2000UL
/* Device address for [phys, phys + size), or DMA_MAPPING_ERROR. A driver is bound. */
u64 dma_map_phys(struct device *dev, u64 phys, size_t size);
void dma_unmap_phys(struct device *dev, u64 addr, size_t size);
