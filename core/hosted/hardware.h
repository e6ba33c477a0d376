/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware of a hosted world: its IOMMUs (hardware.c) and what is behind
 * them (endpoint.c). Of core/hosted alone.
 */
#pragma once

#include "core/hosted/hosted_priv.h"

#include "hw/iommu/hw.h"
#include "hw/machine/machine.h"

#define HOSTED_MSI_FIRST 0xfee00000UL
#define HOSTED_MSI_LAST 0xfeefffffUL
#define HOSTED_STALLS_MAX 64
#define HOSTED_GROUPS_MAX 64
#define HOSTED_ATC_MAX 64
#define HOSTED_ATC_INV_MAX 64

struct unit {
	struct hw_env env; /* first */
	struct hosted_hardware *all;
	struct hw_iommu *h;
	struct task *worker;
	void *door; /* in the world's heap: what sim/ orders accesses to the hardware by */
	u32 index;
	u32 in_flight; /* accesses that are translated and not made yet */
};

struct stall {
	struct unit *unit; /* NULL: free */
	u16 tag;
	bool over, retry;
	struct task *task;
};

/* A page request group, from its first request to the response. */
struct page_group {
	struct unit *unit; /* NULL: free */
	u32 sid;
	bool over;
	u8 code;           /* enum hw_prg_code */
	struct task *task;
};

/* What an endpoint keeps of the answers to its translation requests. */
struct atc_entry {
	const struct unit *unit; /* NULL: free */
	u32 sid, pasid, epoch;
	u64 addr, pa;
	u8 lg2, access;
};

struct hosted_hardware {
	struct world *world;
	const struct hosted_kernel *kernel;
	struct hw_arena *arena;
	u32 n;
	struct unit *unit[MACHINE_IOMMUS_MAX];
	u32 boot_gen, gen; /* sim/sched's number of the boot, and of the run that was last here */
	u64 progress;      /* steps of all models in this run */
	u64 poll_progress, poll_ns;
	u32 polls;         /* without progress */
	u64 read_at, read_value; /* the last register that was read, what it was, */
	u32 reader, reads;       /* by whom, and how often again */
	int busy;          /* operations of software under way */
	struct stall stall[HOSTED_STALLS_MAX];
	struct page_group group[HOSTED_GROUPS_MAX];
	struct atc_entry atc[HOSTED_ATC_MAX];
	u32 atc_next;
};

/* hardware.c: the unit, for an operation on it; NULL: there is none of that number. */
struct unit *hosted_unit_enter(unsigned index);
void hosted_unit_leave(void);
/* The same after others may have used hardware. */
void hosted_unit_back(struct unit *u);
/* Something may be pending now. */
void hosted_unit_kick(struct unit *u);

/* endpoint.c: hw_env's send() and resume(). */
void hosted_endpoint_send(struct hw_env *e, const struct hw_msg *m);
void hosted_endpoint_resume(struct hw_env *e, u16 tag, bool retry);
/* At the start of a run: nothing is under way. */
void hosted_endpoint_reset(struct hosted_hardware *hw);
