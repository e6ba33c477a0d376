/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fabric between devices, IOMMUs and memory: PCI functions with requester
 * ids, bridges that alias them, access control (ACS) or its absence, posted
 * writes and their order, ATS, PRI and PASID; platform devices with stream ids.
 *
 * A function reaches memory only here. bus_dma() is one request and its
 * completion; bus_post() is a posted write, which is delivered later, in order
 * with the function's other writes and before its next read's completion
 * (relaxed ones may overtake). Where a transaction stalls, or a page request
 * waits for its response, the calling task blocks; outside of tasks, and in
 * setup and teardown, HW_STALLED is the answer.
 *
 * Facts: HW_DMA for each piece of at most a page, HW_ABORT, HW_STALL, HW_P2P,
 * HW_PAGE_REQUEST, HW_ATC_INV; HW_FAULT by the models.
 *
 * Sources: PCI Express Base Specification 6.0, 2.2.8 (messages), 2.4 (ordering),
 * 6.12 (ACS), 6.20 (PASID), 10 (ATS and PRI).
 */
#pragma once

#include "hw/iommu/hw.h"
#include "hw/machine/machine.h"
#include "sim/io/io.h"

#define BUS_BARS 2
#define BUS_PAYLOAD 64      /* bytes of a posted write; longer ones are cut */
#define BUS_POSTED_MAX 64   /* of a function; beyond, the oldest is delivered at once */
#define BUS_ATC_ENTRIES 32
#define BUS_MMIO_BASE 0xff000000ULL /* IOMMUs' registers */
#define BUS_BAR_BASE 0xfe100000ULL
#define BUS_ITS_BASE 0xfe010000ULL  /* a doorbell for SMMUs: writes at +0x40 are messages */
#define BUS_ITS_DOORBELL (BUS_ITS_BASE + 0x40)

struct fabric;

struct bus_req {
	u64 addr;
	u32 pasid;     /* or HW_NO_PASID */
	u16 access;    /* enum hw_access: READ or WRITE, and PRIV, EXEC, INSTR */
	bool relaxed;  /* may overtake posted writes before it */
	bool no_ats;   /* untranslated, whatever the function could do */
};

/* What hardware offers in a function's BAR (or a platform device's registers). */
struct bus_bar {
	u64 size;      /* power of two, at least 4096; 0: none */
	const struct io_ops *ops;
	void *arg;
	u32 worker;    /* kicked by writes, or IO_NONE */
	void (*reset)(void *arg); /* at a function level reset; NULL: nothing */
	u64 pa;        /* out */
};

/* Empty, in world w; the machine must live as long. It goes at the world's next load. */
struct fabric *bus_create(struct world *w, const struct machine *m);
/* The world's, or NULL. */
struct fabric *bus_of(const struct world *w);
struct world *bus_world(const struct fabric *f);
/* Whether the machine has such a function. */
bool bus_has(const struct fabric *f, u32 fn);
const struct machine_device *bus_device(const struct fabric *f, u32 fn);
/* fn(arg) is called when the fabric goes. At most BUS_OWNED_MAX. */
#define BUS_OWNED_MAX MACHINE_DEVICES_MAX
void bus_owns(struct fabric *f, void (*fn)(void *arg), void *arg);

/*
 * Instance i of the machine gets this model. False: the options are malformed, or
 * there is no room for its registers; err says so.
 */
bool bus_iommu_add(struct fabric *f, u32 i, const struct hw_iommu_ops *ops, const char *options,
		   char *err, size_t err_size);
/*
 * From now on walkers that do not snoop see what software stores only once it has flushed
 * the lines, and power-on's zeroes until then; what devices and IOMMUs write is seen at once.
 * For kernels that flush, or drive no such IOMMU. Before the first run.
 */
void bus_hold_stores(struct fabric *f);
/* Software flushes the lines of [pa, pa + len). False: it is not memory. */
bool bus_flush_lines(struct fabric *f, u64 pa, u64 len);
/* NULL if the instance has no model of hardware. */
struct hw_iommu *bus_iommu(struct fabric *f, u32 i);
u64 bus_iommu_base(const struct fabric *f, u32 i);
/* Wired interrupt n (0 to 7) of the instance raises this line; IO_NONE: none. */
void bus_wire(struct fabric *f, u32 i, u32 n, u32 irq);

/* --- functions; fn is the machine's index of the device --- */

/* Once per function and BAR. False: no room. */
/* PCI class code of the function, 24 bits (unclassified, 0x00ff00, where none is given). */
void bus_class(struct fabric *f, u32 fn, u32 class);
bool bus_bar_add(struct fabric *f, u32 fn, u32 bar, struct bus_bar *b);
u64 bus_bar_pa(const struct fabric *f, u32 fn, u32 bar);
/* Its id as its IOMMU sees it, behind all aliases. */
u32 bus_requester(const struct fabric *f, u32 fn);

/* One request. data: len bytes to write, or room for what is read (all ones on an abort). */
enum hw_status bus_dma(struct fabric *f, u32 fn, const struct bus_req *r, void *data, u64 len);
/* A posted write: whoever sent it does not learn how it ended. */
void bus_post(struct fabric *f, u32 fn, const struct bus_req *r, const void *data, u64 len);
/* Delivers what the function has posted. */
void bus_flush(struct fabric *f, u32 fn);
/* How many of the function's posted writes were aborted in this run. */
u32 bus_post_errors(const struct fabric *f, u32 fn);

/*
 * The function's interrupt: as configured in its MSI capability (PCI) or by
 * bus_msi_set(); a posted write behind all others. A PCI function without messages asserts
 * INTx, which stays until bus_intx_clear().
 */
void bus_interrupt(struct fabric *f, u32 fn);
/* INTx of the function raises this line; IO_NONE: none. For the run. */
void bus_intx_wire(struct fabric *f, u32 fn, u32 irq);
bool bus_intx_pending(const struct fabric *f, u32 fn);
void bus_intx_clear(struct fabric *f, u32 fn);
/* Whether its registers answer: of a PCI function, while memory decoding is on. */
bool bus_decodes(const struct fabric *f, u32 fn);
void bus_msi_set(struct fabric *f, u32 fn, u64 addr, u32 data);

/* An ATS translation request; what it gives is kept in the function's ATC. */
enum hw_status bus_ats(struct fabric *f, u32 fn, const struct bus_req *r, struct hw_resp *resp);
/* Entries of the function's ATC that are valid. */
u32 bus_atc_count(const struct fabric *f, u32 fn);
/*
 * A group of page requests, n pages at r's addresses, the last of which ends it; waits
 * for the response. HW_OK: *code is it (enum hw_prg_code). HW_ABORT: PRI is off, or so many
 * pages may not be outstanding (BUS_PAGES_MAX, or what software allows in the PRI capability).
 * While others are outstanding, it waits until there is room.
 */
#define BUS_PAGES_MAX 64
enum hw_status bus_page_group(struct fabric *f, u32 fn, const struct bus_req *r, u32 n, u8 *code);
