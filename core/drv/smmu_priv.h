/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the SMMUv3 driver (smmu*.c).
 *
 * Locks: iommu->lock -> ats_lock of a domain, cmdq.lock. All are spinlocks. The event queue and
 * that of page requests belong to their interrupts' threads.
 */
#pragma once

#include "core/drv/drv.h"
#include "core/fault/fault.h"
#include "core/iommufd/driver.h"
#include "core/pt/pt.h"
#include "hw/smmuv3/smmuv3_regs.h"
#include "sim/io/io.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/irq.h"

#define SMMU_PAGE 4096ULL
#define SMMU_CMDQ_LG2 8u /* entries of 16 bytes: one frame */
#define SMMU_EVTQ_LG2 7u /* of 32 bytes: one frame */
#define SMMU_PRIQ_LG2 8u /* of 16 bytes: one frame */
#define SMMU_SPLIT 8u    /* stream ids of a second-level table */
#define SMMU_SID_BITS_MAX 18u
#define SMMU_SSID_BITS 6u /* a frame of context descriptors */

struct smmu_cmd {
	u64 w[2];
};

/* Counters never wrap; hardware's are their low bits. All by lock, but for next_sync. */
struct smmu_cmdq {
	spinlock_t lock;
	u64 pa, prod, cons;
	u32 lg2;
	u64 sync_pa;        /* the word that CMD_SYNCs write their numbers to; 0: CONS is polled */
	atomic_t next_sync; /* number of the next one */
	bool closed;        /* the instance is off, or about to be */
	atomic_t issuers;   /* who wait for hardware */
};

struct smmu_domain {
	struct iommu_domain domain;
	struct smmu_iommu *iommu;
	struct pt pt;
	bool stage2;
	u16 tag; /* ASID, or VMID */
	spinlock_t ats_lock; /* inside iommu->lock; ats_masters. */
	struct list_head ats_masters;
	atomic_t n_ats;      /* of them: what an unmap looks at first */
	bool nest_parent;    /* what stands on it is invalidated with it */
	/* Nested, without a table of its own: user space's words of a stream's entry. Constant */
	struct smmu_vsmmu *vsmmu;
	u64 ste[2];          /* without EATS */
	bool ste_ats;        /* it has full ATS there */
};

/* A guest's SMMU. */
struct smmu_vsmmu {
	struct iommufd_viommu core;
	struct smmu_iommu *iommu;
	struct smmu_domain *s2;
};

/* An instance, for as long as the machine lives. Constant once bound, but for what lock covers. */
struct smmu_iommu {
	struct iommu_device iommu;
	const struct machine_iommu *fw;
	u32 index;
	u64 mmio;
	u32 idr0, idr1, idr3, idr5;
	u32 oas;         /* bits */
	u32 sid_bits;
	bool two_level;
	u64 strtab;      /* 0 = not bound */
	u32 strtab_order;
	spinlock_t lock; /* stream table, context descriptors */
	struct smmu_cmdq cmdq;
	u64 evtq;
	u32 evtq_lg2, evtq_cons;
	u64 priq;        /* 0: hardware has no page requests */
	u32 priq_lg2, priq_cons;
	struct ida asids, vmids;
	struct list_head masters; /* core->report_lock */
	struct smmu_domain identity, blocked;
};

/* On a domain's list: a device that may keep translations of it. */
struct smmu_ats {
	struct list_head node;
	struct smmu_master *master;
	bool all; /* by addresses that are not the domain's: nested */
};

/* A device that was probed. domain: iommu->lock; vsmmu, vsid: core->report_lock. */
struct smmu_master {
	struct smmu_iommu *iommu;
	struct smmu_domain *domain;
	struct device *dev;
	bool ats;                  /* hardware and device have it */
	bool pri;                  /* ... and page requests; else transactions may stall */
	struct smmu_ats ats_link[2]; /* in lists of the domain, and of the one before */
	u32 ats_at;                /* the one in use */
	u64 cd; /* frame with its context descriptors: that of requests without PASID first */
	u32 ssid_bits;             /* PASIDs it may have; 0: none */
	u32 n_pasids;              /* attached; iommu->lock */
	struct smmu_vsmmu *vsmmu;  /* whose guest hears of its faults, by this id; NULL: none */
	unsigned long vsid;
	struct list_head node;     /* iommu->masters */
	u32 n_sid;
	u32 sid[MACHINE_DEVICE_IDS_MAX];
};

static inline struct smmu_domain *to_smmu_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct smmu_domain, domain);
}

/* The domain whose table is in use: a nested one's parent. */
static inline struct smmu_domain *smmu_table_of(struct smmu_domain *sd)
{
	return sd && sd->vsmmu ? sd->vsmmu->s2 : sd;
}

/* STE.Config of a nested domain: abort, bypass of stage 1, or stage 1. */
static inline u64 smmu_ste_config(const struct smmu_domain *sd)
{
	return sd->ste[0] >> STE0_CONFIG & 7;
}
#define SMMU_CFG_ABORT 0ULL
#define SMMU_CFG_BYPASS 4ULL
#define SMMU_CFG_S1 5ULL
#define SMMU_CFG_S2 6ULL
#define SMMU_CFG_NESTED 7ULL

/* A word of memory that hardware reads or writes. */
static inline u64 *smmu_word(u64 pa, u64 i)
{
	return (u64 *)frame_ptr(this_world(), pa) + i;
}

static inline u32 smmu_read(struct smmu_iommu *iommu, u32 reg)
{
	return (u32)io_read(this_world(), iommu->mmio + reg, 4);
}

static inline void smmu_write(struct smmu_iommu *iommu, u32 reg, u32 v)
{
	io_write(this_world(), iommu->mmio + reg, 4, v);
}

static inline void smmu_write64(struct smmu_iommu *iommu, u32 reg, u64 v)
{
	io_write(this_world(), iommu->mmio + reg, 8, v);
}

/* --- smmu_cmdq.c --- */
int smmu_cmdq_create(struct smmu_iommu *iommu);
void smmu_cmdq_destroy(struct smmu_iommu *iommu);
/* No more commands; returns when all that were issued are done. Before the queue is turned off. */
void smmu_cmdq_close(struct smmu_iommu *iommu);
/*
 * n commands and a CMD_SYNC: returns when hardware has done them, or at once if the queue
 * is closed. n < half of the queue.
 */
void smmu_cmdq_issue(struct smmu_iommu *iommu, const struct smmu_cmd *cmd, u32 n);
void smmu_sync_ste(struct smmu_iommu *iommu, u32 sid, u32 ssid);
/* A device may have asked before there was a table: that there is none is kept, too. */
void smmu_sync_l1(struct smmu_iommu *iommu, u32 sid);
void smmu_sync_cd(struct smmu_iommu *iommu, u32 sid, u32 ssid);
void smmu_flush_everything(struct smmu_iommu *iommu);
void smmu_tlb_domain(struct smmu_domain *sd);
/*
 * [start, start + size) in pages of pgsize (the smallest there; 0: it is not known);
 * leaf: only entries of pages changed.
 */
void smmu_tlb_range(struct smmu_domain *sd, u64 start, u64 size, u64 pgsize, bool leaf);
/* What the devices with ATS of the domain keep of [start, last]. */
void smmu_atc_domain(struct smmu_domain *sd, u64 start, u64 last);
/* ... what one of them keeps. */
void smmu_atc_master(struct smmu_master *m);

/* --- smmu_table.c: the stream table and context descriptors --- */
int smmu_strtab_create(struct smmu_iommu *iommu);
void smmu_strtab_destroy(struct smmu_iommu *iommu);
/* What the master's entries need, so that no later step needs memory. */
int smmu_master_prepare(struct smmu_master *m);
void smmu_master_release(struct smmu_master *m);
/* iommu->lock held. From whatever the master has to this; NULL: abort. */
void smmu_master_set(struct smmu_master *m, struct smmu_domain *sd);
/* The same for one PASID; NULL: none. m->n_pasids is what it will be. */
void smmu_master_set_pasid(struct smmu_master *m, u32 ssid, struct smmu_domain *sd);

/* --- smmu_evtq.c --- */
#define SMMU_WIRE_EVTQ 0 /* the model's number of the line */
int smmu_evtq_create(struct smmu_iommu *iommu);
int smmu_evtq_irq(struct smmu_iommu *iommu);
void smmu_evtq_destroy(struct smmu_iommu *iommu);
/* report_lock held. NULL: none, or several share the id. */
struct smmu_master *smmu_find_master(struct smmu_iommu *iommu, u32 sid);
/* Whether faults of the device can be told, and answered. */
bool smmu_can_fault(const struct smmu_master *m);
void smmu_page_response(struct device *dev, const struct iopf_group *group, u32 code);

/* --- smmu_priq.c --- */
#define SMMU_WIRE_PRIQ 1
bool smmu_has_priq(const struct smmu_iommu *iommu);
int smmu_priq_create(struct smmu_iommu *iommu);
int smmu_priq_irq(struct smmu_iommu *iommu);
void smmu_priq_destroy(struct smmu_iommu *iommu);
void smmu_pri_answer(struct smmu_master *m, const struct iopf_group *group, u32 code);

/* --- smmu_nested.c --- */
bool smmu_can_nest(const struct smmu_iommu *iommu);
size_t smmu_viommu_size(struct device *dev, u32 type);
int smmu_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent,
		     const struct iommu_user_data *data);
/* report_lock held. The guest hears of it: true. */
bool smmu_vsmmu_report(struct smmu_master *m, const u64 *record);
/* The device's faults are nobody's from now on, or those of vsmmu's guest. Sleeps. */
void smmu_master_tell(struct smmu_master *m, struct smmu_vsmmu *vsmmu, unsigned long vsid);
/* What a guest may say of its stage 1 goes into the entry of its parent. */
void smmu_make_nested_ste(const struct smmu_domain *sd, u64 w[8]);

/* --- smmu_domain.c --- */
/* The device's entries lead to sd, which is not refused by it. */
void smmu_master_attach(struct smmu_master *m, struct smmu_domain *sd);
struct iommu_domain *smmu_domain_alloc_paging(struct device *dev);
struct iommu_domain *smmu_domain_alloc_user(struct device *dev, u32 flags,
					    struct iommu_domain *parent,
					    const struct iommu_user_data *data);
/* Whether hardware can mark what is written. */
bool smmu_can_track(const struct smmu_iommu *iommu);
void smmu_domains_init(struct smmu_iommu *iommu);
void smmu_master_detach(struct smmu_master *m);
