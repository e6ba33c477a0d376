/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "hw/bus/bus.h"
#include "hw/iommu/evict.h"
#include "sim/sched/sched.h"

#define BUS_STALLS_MAX 64
#define BUS_INBOX_MAX 64
#define BUS_GROUPS_MAX 16
#define BUS_WIRES 8
#define CONFIG_SIZE 4096

/* Where the capabilities of every function lie. */
#define CFG_COMMAND 0x04
#define CFG_BAR0 0x10
#define CFG_MSI 0x50
#define CFG_PCIE 0x70
#define CFG_ATS 0x100
#define CFG_PRI 0x110
#define CFG_PASID 0x120

struct fabric_iommu {
	struct fabric *f;
	const struct hw_iommu_ops *ops;
	struct hw_iommu *h;
	struct hw_env env;
	u64 base;
	u32 index, worker;
	u32 irq[BUS_WIRES], up;
	struct clock_timer late;  /* no answer to an invalidation */
	bool asks_twin;           /* a walk for comparison, without any effect */
};

struct bus_posted {
	u64 addr;
	u32 pasid;
	u16 access;
	u8 len;
	bool relaxed, no_ats;
	u8 data[BUS_PAYLOAD];
};

struct bus_atc_entry {
	u64 addr, pa;
	u32 pasid;
	u8 lg2, access;
	bool valid, global;
};

enum bus_wait { WAIT_FREE, WAIT_OPEN, WAIT_RETRY, WAIT_ABORT, WAIT_ANSWERED };

struct bus_stall {
	u32 iommu;
	u16 tag;
	u8 state;  /* enum bus_wait */
	struct task *task;
};

struct bus_group {
	u16 group, pages;
	u8 state, code;
	struct task *task;
};

struct bus_fn {
	struct fabric *f;
	u32 index, sid, link, atc_worker;
	struct fabric_iommu *iommu;  /* NULL: none; memory is reached as it is */
	bool untranslatable;         /* behind an IOMMU that is no model of hardware */
	bool pci;
	u32 class; /* PCI class code, 24 bits */
	struct bus_bar bar[BUS_BARS];
	u8 config[CONFIG_SIZE];
	bool config_written;         /* since it was made */
	u64 msi_addr;
	u32 msi_data;
	bool msi_on;
	u32 intx;                    /* the line that INTx raises, or IO_NONE */
	/* posted writes: a ring */
	struct bus_posted posted[BUS_POSTED_MAX];
	u32 n_posted, post_errors;
	bool delivering;
	struct bus_atc_entry atc[BUS_ATC_ENTRIES];
	u32 atc_next, in_flight;
	struct hw_msg inbox[BUS_INBOX_MAX];
	u32 n_inbox;
	struct bus_group group[BUS_GROUPS_MAX];
	u16 next_group;
};

struct fabric {
	struct world *world;
	const struct machine *machine;
	struct fabric_iommu iommu[MACHINE_IOMMUS_MAX];
	struct bus_fn fn[MACHINE_DEVICES_MAX];
	struct bus_stall stall[BUS_STALLS_MAX];
	u64 next_mmio, next_bar;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} owned[BUS_OWNED_MAX];
	u32 n_owned, n_iommus;
	/* Memory as it was written back; NULL: no walker but snoops. */
	u8 *lines;
	bool lines_touched;
	u64 wrote_pa, wrote_len; /* by an IOMMU, and not yet in lines */
	struct hw_evict evict;
};

/* Whether the running task may block. */
bool bus_can_wait(const struct fabric *f);
/* Lets hardware and others go on for a moment. */
void bus_breathe(struct fabric *f, struct fabric_iommu *im);
u32 bus_choose(struct fabric *f, u32 n);

/* dma.c */
enum hw_status bus_translate(struct bus_fn *n, struct hw_req *q, struct hw_resp *resp);
bool bus_link_step(void *arg);
void bus_resume(struct fabric_iommu *im, u16 tag, bool retry);

/* ats.c */
bool bus_ats_on(const struct bus_fn *n);
/* The translated address of a page through the ATC; asks for pages if it can. */
enum hw_status bus_atc_translate(struct bus_fn *n, const struct bus_req *r, struct hw_resp *resp);
/* A request of several pages: those that are not there are asked for together. */
void bus_atc_prepare(struct bus_fn *n, const struct bus_req *r, u64 len);
bool bus_atc_step(void *arg);
void bus_receive(struct fabric_iommu *im, const struct hw_msg *m);

/* lines.c */
/* evict: struct hw_iommu's, of a walk that has effects. */
u64 bus_lines_read(struct fabric *f, u64 pa, u8 evict);
/* [pa, pa + len) of memory was written past the processor's caches; about to be. */
void bus_lines_wrote(struct fabric *f, u64 pa, u64 len);
void bus_lines_writes(struct fabric *f, u64 pa, u64 len);
void bus_lines_reset(struct fabric *f);
void bus_lines_free(struct fabric *f);

/* config.c */
void bus_config_make(struct bus_fn *n);
/* As it was made. */
void bus_config_reset(struct bus_fn *n);
u32 bus_config_get(const struct bus_fn *n, u32 off, u32 size);
/* Bits of the PRI status register. */
#define PRI_FAILED 1u     /* a response was a failure */
#define PRI_UNEXPECTED 2u /* a response for a group that is not outstanding */
void bus_pri_status(struct bus_fn *n, u32 bits);
/* The function asserts it, if it has one. */
void bus_intx_send(struct bus_fn *n);
extern const struct io_config_ops bus_config_ops;
bool bus_master_on(const struct bus_fn *n);
