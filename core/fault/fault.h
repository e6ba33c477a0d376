/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault delivery: page requests and stalled transactions, from a driver's queue to
 * who attached what the device was asked to reach; and processes' memory as one of
 * those who do.
 *
 * Locks, outer to inner: core->sva_lock -> the group's mutex; core->report_lock ->
 * a device's record (iommu_fault_param.lock) -> the driver's command queue;
 * iopf_queue.lock -> the record's. A handler is called with report_lock held and
 * may take neither it nor a group's mutex.
 */
#pragma once

#include "core/iommu/iommu.h"

/* --- iopf.c --- */
#define IOMMU_FAULT_PAGE_REQUEST_PASID_VALID 1u
#define IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE 2u
/* Drivers' own business; user space sees it all the same. */
#define IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID 4u
/* iommu_fault_page_request.perm */
#define IOMMU_FAULT_PERM_READ 1u
#define IOMMU_FAULT_PERM_WRITE 2u
#define IOMMU_FAULT_PERM_EXEC 4u
#define IOMMU_FAULT_PERM_PRIV 8u
enum iommu_page_response_code {
	IOMMU_PAGE_RESP_SUCCESS,
	IOMMU_PAGE_RESP_INVALID,
	IOMMU_PAGE_RESP_FAILURE,
};

struct iommu_fault_page_request {
	u32 flags, pasid, grpid, perm;
	u64 addr;
};

struct iopf_fault {
	struct list_head list; /* partial faults of a device, then of a group */
	struct iommu_fault_page_request prm;
};

/*
 * Page requests that one answer ends. Owned by the handler that it was given to,
 * until iopf_free_group(); every group is answered once.
 */
struct iopf_group {
	struct list_head node;   /* the handler's */
	struct list_head faults; /* of iopf_fault, the last one embedded */
	struct iopf_fault last;
	u32 fault_count, cookie;
	struct iommu_attach_handle *attach_handle;
	struct device *dev;      /* referenced */
	struct iommu_fault_param *param; /* referenced; NULL: on a stack, nobody's */
	struct list_head pending; /* param->faults, until it is answered */
	bool answered, removed; /* removed: when its device left the queue */
	struct work_struct work; /* of handlers that are not to run in the reporter */
};

void iopf_queue_init(struct iopf_queue *queue);
/*
 * Page requests of dev are handled, as often as it was asked for: -ENODEV: its driver
 * cannot answer; -ENOMEM. With the last disable what is partial is lost, and who waits
 * for an answer gets INVALID, in the place of that of the handler. Sleeps.
 */
int iommu_dev_enable_iopf(struct device *dev);
void iommu_dev_disable_iopf(struct device *dev);
/* The device goes: off, whoever has turned it on. */
void iopf_release_device(struct device *dev);
/* Hardware has lost requests: no last one comes for what is partial. */
void iopf_queue_discard_partial(struct iopf_queue *queue);
/*
 * A page request arrived; drivers hold core->report_lock. One that nobody handles is
 * answered INVALID here, if it is the last of its group: the others have no answer.
 */
void iommu_report_device_fault(struct device *dev, const struct iommu_fault_page_request *prm);
/* Once for each group, before it is freed. */
void iopf_group_response(struct iopf_group *group, enum iommu_page_response_code code);
void iopf_free_group(struct iopf_group *group);
/* What was reported before this is with its handler. Sleeps. */
void iopf_sync(void);
/* ... and what handlers do in workers is done: after a detach nobody knows the handle. */
void iopf_drain(void);

/* --- sva.c --- */
struct iommu_sva;
struct mm_struct;
/*
 * The process's memory for requests of dev with its PASID, one per process. A second
 * binding gives the first one's handle; each is undone. -EOPNOTSUPP: no PASIDs, or
 * faults cannot be told; -EOVERFLOW: the process's PASID is not one of the device's.
 */
struct iommu_sva *iommu_sva_bind_device(struct device *dev, struct mm_struct *mm);
void iommu_sva_unbind_device(struct iommu_sva *handle);
u32 iommu_sva_get_pasid(const struct iommu_sva *handle);

/* --- enqcmd.c --- */
struct enqcmd_pasid;
/* At boot and its end: no table has an entry then. */
void enqcmd_init(struct iommu_core *core);
void enqcmd_fini(struct iommu_core *core);
/*
 * dev is to take ENQCMD of the VM under the guest's PASID: gives the host's, which the
 * caller attaches then. physical: the guest has the device's PASID table, so the two have
 * to be equal. -EBUSY: that one is taken, or the guest's has another already; -EINVAL: no
 * such VM, or PASID; -EOVERFLOW: the host's is beyond the device's; -EOPNOTSUPP: it has none.
 */
int enqcmd_join(u32 vm, u32 vpasid, struct device *dev, bool physical);
/*
 * Undoes one join; with the last the translation is gone at once. The caller detaches,
 * then puts what it is given.
 */
struct enqcmd_pasid *enqcmd_leave(u32 vm, u32 vpasid);
/* The processor's part of ENQCMD; NULL: an exit. To be put when the descriptor is done. */
struct enqcmd_pasid *enqcmd_submit(u32 vm, u32 vpasid);
u32 enqcmd_host_pasid(const struct enqcmd_pasid *p);
/* The last one gives the PASID back. */
void enqcmd_put(struct enqcmd_pasid *p);

/* --- copy.c --- */
struct iommu_pasid_access {
	u64 addr, len; /* bytes; any alignment */
	void *buf;
	u32 pasid;
	bool write;
};
/*
 * Between buf and what dev would reach by the PASID. -ENOENT: it leads nowhere; -ESRCH: to a
 * process that has ended; -EFAULT: not all is there, or not to be written. Sleeps.
 */
int iommu_pasid_access(struct device *dev, const struct iommu_pasid_access *a);
