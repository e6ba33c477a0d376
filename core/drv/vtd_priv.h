/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the VT-d driver (vtd*.c).
 *
 * Locks: iommu->lock -> a parent's s1_lock -> domain->lock -> qi.lock. All are spinlocks. The fault
 * handler takes none: it is the only one that touches the recording registers. The
 * page requests' thread takes core->report_lock, and iommu->lock inside.
 */
#pragma once

#include "core/drv/drv.h"
#include "core/fault/fault.h"
#include "core/iommufd/driver.h"
#include "core/pt/pt.h"
#include "hw/vtd/vtd_regs.h"
#include "sim/io/io.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/irq.h"
#include "sim/kapi/wait.h"

#define VTD_PAGE 4096ULL
#define VTD_QI_ENTRIES 256u
#define VTD_QI_ORDER 1 /* frames of the queue: 256 of 32 bytes */
/* Domain 0 tags what is not present under caching mode, 1 identity. */
#define VTD_DID_IDENTITY 1
#define VTD_DID_FIRST 2
/* The PASID of requests without one. */
#define VTD_NO_PASID 0
/* As many as a table of the PASID directory has: one frame. */
#define VTD_PASIDS 64u

/* An invalidation descriptor; words 2 and 3 only in scalable mode. */
struct vtd_desc {
	u64 w[4];
};

/* ABORT: hardware has given it up; SILENT: since this one's device did not answer. */
enum vtd_qi_state { VTD_QI_FREE, VTD_QI_IN_USE, VTD_QI_DONE, VTD_QI_ABORT, VTD_QI_SILENT };

/* The queue, a ring: [tail, head) belongs to hardware or was just done. All by lock. */
struct vtd_qi {
	spinlock_t lock;
	u64 pa, status; /* the ring; a frame with a word for each entry */
	u32 head, tail, free;
	u32 lg2;        /* of an entry's size */
	u8 state[VTD_QI_ENTRIES];
	bool closed;    /* the instance is off, or about to be: nothing is submitted */
};

/* The ring of page requests; 0: no instance of hardware has it. wait: requests were reported. */
struct vtd_prq {
	u64 pa;
	wait_queue_head_t wait;
};

struct vtd_device;

/* A device's PASID that leads to a domain. On its list while hardware may use it. */
struct vtd_pasid_tag {
	struct list_head node;
	struct vtd_device *d;
	u32 pasid;
};

struct vtd_domain {
	struct iommu_domain domain;
	struct vtd_iommu *iommu;
	struct pt pt;
	u32 did;
	u32 levels;
	bool first_stage;         /* of a process: a table in x86's format. Constant */
	spinlock_t lock;          /* tags, pasids */
	struct list_head tags;    /* vtd_device.tag: who has a device TLB to be told */
	struct list_head pasids;  /* of vtd_pasid_tag */
	bool tracks;              /* hardware marks what is written. iommu->lock */
	bool flush_on_map;        /* non-present entries may be kept. Constant, but for a bug */
	/* Nested, without a table of its own: what it stands on, user space's table. Constant */
	struct vtd_domain *s2;
	struct iommu_hwpt_vtd_s1 s1;
	struct list_head s2_link; /* s2->s1_domains; s2->s1_lock */
	/* Of a parent: what stands on it. */
	bool nest_parent;
	spinlock_t s1_lock;
	struct list_head s1_domains;
};

/* An instance, for as long as the machine lives. Constant once bound, but for what lock covers. */
struct vtd_iommu {
	struct iommu_device iommu;
	const struct machine_iommu *fw;
	u32 index;
	u64 mmio, cap, ecap;
	bool scalable;
	u32 levels;      /* of second-stage tables */
	u32 n_records;
	u64 root;        /* pa of the root table, 0 = not bound */
	spinlock_t lock; /* root, context and PASID tables, devices */
	struct list_head devices; /* vtd_device.node */
	struct ida dids;
	u64 tried;       /* bit per device: fail_probe has had its turn. core->probe_lock */
	u32 saved[4];    /* while the machine sleeps */
	struct vtd_qi qi;
	struct vtd_prq prq;
	struct vtd_domain identity, blocked;
};

/*
 * Scalable mode: a directory and its first table, one frame each, of all
 * devices behind one requester id. users: iommu->lock.
 */
struct vtd_pasids {
	u64 dir, table;
	u32 users;
};

/* A device that was probed. domain: iommu->lock. */
struct vtd_device {
	struct vtd_iommu *iommu;
	struct device *dev;
	struct vtd_domain *domain;
	struct list_head node;
	struct list_head tag; /* vtd_domain.tags, while ats_on */
	bool ats;             /* it could have a device TLB */
	bool ats_on;
	bool pasid, pri;      /* it, and nobody behind its id, may use PASIDs; ask for pages */
	struct vtd_pasids *pasids;
	u32 n_sid;
	u32 sid[MACHINE_DEVICE_IDS_MAX];
};

static inline struct vtd_domain *to_vtd_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct vtd_domain, domain);
}

/* A word of memory that hardware reads or writes. */
static inline u64 *vtd_word(u64 pa, u32 i)
{
	return (u64 *)frame_ptr(this_world(), pa) + i;
}

static inline u64 vtd_read64(struct vtd_iommu *iommu, u32 reg)
{
	return io_read(this_world(), iommu->mmio + reg, 8);
}

static inline u32 vtd_read32(struct vtd_iommu *iommu, u32 reg)
{
	return (u32)io_read(this_world(), iommu->mmio + reg, 4);
}

static inline void vtd_write64(struct vtd_iommu *iommu, u32 reg, u64 v)
{
	io_write(this_world(), iommu->mmio + reg, 8, v);
}

static inline void vtd_write32(struct vtd_iommu *iommu, u32 reg, u32 v)
{
	io_write(this_world(), iommu->mmio + reg, 4, v);
}

/* --- vtd.c --- */
void vtd_ats_enable(struct vtd_device *d);

/* --- vtd_qi.c --- */
/*
 * One bit of GCMD; returns when hardware says so. The register is written
 * without the bits that are commands and not switches: one command at a time.
 */
void vtd_command(struct vtd_iommu *iommu, u64 bit, bool on);
/* -ENOMEM; the queue is on after it. */
int vtd_qi_enable(struct vtd_iommu *iommu);
void vtd_qi_disable(struct vtd_iommu *iommu);
/*
 * n descriptors and a wait: returns when hardware has done them. -EINVAL: it
 * refused one of them (the queue goes on without it). -ETIMEDOUT: a device has
 * not answered an invalidation among them. n = 0: what was submitted before is
 * over. n < VTD_QI_ENTRIES - 2.
 */
int vtd_qi_submit(struct vtd_iommu *iommu, const struct vtd_desc *desc, u32 n);
void vtd_flush_context_all(struct vtd_iommu *iommu);
void vtd_flush_context(struct vtd_iommu *iommu, u32 did, u32 sid);
void vtd_flush_pasid(struct vtd_iommu *iommu, u32 did, u32 pasid);
/* An entry that named this domain is no longer present: what was made of it goes. */
void vtd_flush_entry(struct vtd_iommu *iommu, u32 did, u32 sid);
void vtd_flush_iotlb_all(struct vtd_iommu *iommu);
void vtd_flush_iotlb_domain(struct vtd_iommu *iommu, u32 did);
/* [start, last]; leaf: only entries of pages changed, none of tables. */
void vtd_flush_iotlb_range(struct vtd_iommu *iommu, u32 did, u64 start, u64 last, bool leaf);
/* The device's own TLB, all of it or [start, last]. */
void vtd_flush_dev_iotlb(struct vtd_iommu *iommu, u32 sid, u64 start, u64 last);
/* First-stage entries of a PASID: [start, last], or all if last is ~0. */
void vtd_flush_piotlb(struct vtd_iommu *iommu, const struct vtd_pasid_tag *t, u32 did, u64 start,
		      u64 last, bool leaf);
/* What the device's own TLB has of the PASID. */
void vtd_flush_pasid_dev_iotlb(const struct vtd_pasid_tag *t, u64 start, u64 last);
/* Returns when page requests that have come are in their ring, or answered. */
void vtd_qi_drain_pages(struct vtd_iommu *iommu);

/* --- vtd_table.c: root, context and PASID tables --- */
int vtd_tables_create(struct vtd_iommu *iommu);
void vtd_tables_destroy(struct vtd_iommu *iommu);
/* What the device's entries need, so that no later step needs memory. */
int vtd_tables_prepare(struct vtd_device *d);
void vtd_tables_release(struct vtd_device *d);
/*
 * iommu->lock held. The device's entries become not present, unless they lead to
 * vd (NULL: nowhere) already, for another device behind the same id.
 */
void vtd_device_clear(struct vtd_device *d, struct vtd_domain *vd);
/* iommu->lock held. The device's entries, which are not present or lead to vd, lead to vd. */
void vtd_device_set(struct vtd_device *d, struct vtd_domain *vd);

/* iommu->lock held. The device's PASID leads to vd; it led nowhere. */
void vtd_pasid_set(struct vtd_device *d, u32 pasid, struct vtd_domain *vd);
/* iommu->lock held. It leads nowhere; nothing is kept of where it led. */
void vtd_pasid_clear(struct vtd_device *d, u32 pasid);

/* iommu->lock held. Hardware marks, or no longer marks, what the device writes by the PASID. */
void vtd_pasid_track(struct vtd_device *d, u32 pasid, bool on);

/* --- vtd_fault.c --- */
int vtd_faults_enable(struct vtd_iommu *iommu);
void vtd_faults_disable(struct vtd_iommu *iommu);

/* --- vtd_prq.c --- */
int vtd_prq_enable(struct vtd_iommu *iommu);
void vtd_prq_disable(struct vtd_iommu *iommu);
/* What the device has asked for in the PASID has reached its handler. Sleeps. */
void vtd_prq_drain(struct vtd_device *d, u32 pasid);
void vtd_answer_pages(struct device *dev, const struct iopf_group *group, u32 code);

/* --- vtd_pasid.c --- */
int vtd_set_dev_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
		      struct iommu_domain *old);
struct iommu_domain *vtd_domain_alloc_sva(struct device *dev);
/* What the IOTLB has of [start, last] of a first stage; leaf as for others. Takes vd->lock. */
void vtd_pasids_flush(struct vtd_domain *vd, u64 start, u64 last, bool leaf);

/* --- vtd_nested.c --- */
/* ERR_PTR: -EOPNOTSUPP, -EINVAL: not of this type, or on this parent. */
struct iommu_domain *vtd_nested_alloc(struct vtd_iommu *iommu, struct iommu_domain *parent,
				      u32 flags, const struct iommu_user_data *data);
bool vtd_can_nest(const struct vtd_iommu *iommu);
/* -EINVAL: what user space says of its table is not for this hardware. */
int vtd_nested_check(const struct vtd_domain *vd, const struct vtd_iommu *iommu);
/* What is kept of [start, last] of a parent by way of the domains that stand on it. */
void vtd_parent_flush(struct vtd_domain *parent, u64 start, u64 last, bool leaf);
/* iommu->lock held. As vtd_track_users(), for what stands on a parent. */
void vtd_parent_track(struct vtd_domain *parent, bool on);

/* --- vtd_domain.c --- */
/* iommu->lock held. As vtd_pasid_track(), for all who use it. */
void vtd_track_users(struct vtd_domain *vd, bool on);
/* Without a table, and with a number; ERR_PTR. */
struct vtd_domain *vtd_domain_create(struct vtd_iommu *iommu);
int vtd_attach(struct iommu_domain *domain, struct device *dev);
/* What devices' own TLBs have of [start, last]. Takes vd->lock. */
void vtd_flush_dev_iotlbs(struct vtd_domain *vd, u64 start, u64 last);
/* A domain of the format that format's table is of; ERR_PTR. */
struct iommu_domain *vtd_domain_new(struct vtd_iommu *iommu, bool first_stage);
extern const struct iommu_domain_ops vtd_paging_ops, vtd_identity_ops, vtd_blocked_ops;
struct iommu_domain *vtd_domain_alloc_paging(struct device *dev);
struct iommu_domain *vtd_domain_alloc_user(struct device *dev, u32 flags,
					   struct iommu_domain *parent,
					   const struct iommu_user_data *data);
/* Whether second-stage tables can tell what was written. */
bool vtd_can_track(const struct vtd_iommu *iommu);
void vtd_domains_init(struct vtd_iommu *iommu);
void vtd_device_detach(struct vtd_device *d);
