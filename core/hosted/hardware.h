/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware of a hosted world: its IOMMUs (hardware.c) and what is behind
 * them (endpoint.c). Of core/hosted alone.
 */
#pragma once

#include "core/hosted/hosted_priv.h"

#include "hw/iommu/evict.h"
#include "hw/iommu/hw.h"
#include "hw/machine/machine.h"
#include "sim/clock/clock.h"

#define HOSTED_MSI_FIRST 0xfee00000UL
#define HOSTED_MSI_LAST 0xfeefffffUL
#define HOSTED_STALLS_MAX 64
#define HOSTED_GROUPS_MAX 64
#define HOSTED_ATC_MAX 64
#define HOSTED_INBOX_MAX 64
#define HOSTED_HELD_MAX 16

struct unit {
	struct hw_env env; /* first */
	struct hosted_hardware *all;
	struct hw_iommu *h;
	struct task *worker;
	void *door; /* in the world's heap: what sim/ orders accesses to the hardware by */
	u32 index;
	u32 in_flight; /* accesses that are translated and not made yet */
	struct clock_timer too_late; /* for who never answers */
	bool gives_up;               /* it has fired */
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

/* A device that answers invalidations late, or never. */
struct late_device {
	struct unit *unit;
	u32 sid[MACHINE_DEVICE_IDS_MAX], n_sids;
	bool never;
	char name[MACHINE_NAME_LEN];
	struct task *task;
	struct hw_msg inbox[HOSTED_INBOX_MAX]; /* not answered yet */
	u32 n_inbox, given_up; /* so many of the first */
};

/* What walks see: what was written back; memory as it is; the first, noting where they differ. */
enum lines_look { LINES_WALK, LINES_MEMORY, LINES_HELD };

/* A word of a table whose line is not written back. */
struct held_word {
	u64 pa, memory, back;
};

/* A word that a walk met in a line that was written back before its flush. */
struct early_line {
	u64 pa, value, step;
	u32 task;
};

struct line_frame;
struct finding;

struct hosted_hardware {
	struct world *world;
	const struct hosted_kernel *kernel;
	struct hw_arena *arena;
	u32 n;
	struct unit *unit[MACHINE_IOMMUS_MAX];
	u32 boot_gen, gen; /* sim/sched's number of the boot, and of the run that was last here */
	u64 progress;      /* steps of all models in this run */
	u64 poll_progress;
	u32 polls;         /* without progress */
	u64 read_at, read_value; /* the last register that was read, what it was, */
	u32 reader, reads;       /* by whom, and how often again */
	int busy;          /* operations of software under way */
	struct stall stall[HOSTED_STALLS_MAX];
	struct page_group group[HOSTED_GROUPS_MAX];
	struct atc_entry atc[HOSTED_ATC_MAX];
	u32 atc_next;
	struct late_device late[MACHINE_DEVICES_MAX];
	u32 n_late;
	/* lines.c: by frame; NULL: every walker snoops. */
	struct line_frame *line;
	enum lines_look look;
	u64 wrote_pa, wrote_len; /* by an IOMMU, and not written back yet */
	u64 never;               /* a walk read this, which was never written back; 0: none did */
	struct held_word held[HOSTED_HELD_MAX];
	u32 n_held;
	struct early_line early[HOSTED_HELD_MAX]; /* of this run, the first ones */
	u32 n_early;
	struct hw_evict evict;
};

/* hardware.c: the unit, for an operation on it; NULL: there is none of that number. */
struct unit *hosted_unit_enter(unsigned index);
void hosted_unit_leave(void);
/* The same after others may have used hardware. */
void hosted_unit_back(struct unit *u);
/* Something may be pending now. */
void hosted_unit_kick(struct unit *u);
/* It is to look, whatever is pending. */
void hosted_unit_wake(struct unit *u);

/* lines.c: before the unit is used, with the arena in use. */
void hosted_lines_make(struct unit *u);
void hosted_lines_reset(struct hosted_hardware *hw);
/* A device has written to memory. */
void hosted_lines_wrote(struct hosted_hardware *hw, u64 pa, u64 len);
/* Whether a walk for this request meets words whose lines are not written back: these. */
bool hosted_lines_held(struct unit *u, const struct hw_req *req);
/* Those, and what was written back early. */
void hosted_lines_print(const struct hosted_hardware *hw, struct finding *f);

/* endpoint.c: hw_env's send() and resume(). */
void hosted_endpoint_send(struct hw_env *e, const struct hw_msg *m);
void hosted_endpoint_resume(struct hw_env *e, u16 tag, bool retry);
/* At the start of a run: nothing is under way. */
void hosted_endpoint_reset(struct hosted_hardware *hw);
/* What this invalidation names is kept no longer. */
void hosted_endpoint_drop(struct unit *u, const struct hw_msg *m);

/* late.c: those of the machine, whose units are made. */
void hosted_late_make(struct hosted_hardware *hw, const struct machine *m);
void hosted_late_reset(struct hosted_hardware *hw);
/* False: whom the invalidation is for answers at once. */
bool hosted_late_send(struct unit *u, const struct hw_msg *m);
/* Whether somebody has not answered, and the unit has not given up. */
bool hosted_late_waits(const struct unit *u);
/* In the unit's task, with the arena in use: gives_up. */
void hosted_late_give_up(struct unit *u);
