/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical memory of a world: 4 GiB at a fixed address, reset in O(touched).
 *
 * A physical address is an offset in the slot's region; frame_ptr() adds the
 * base and checks nothing. What our own core and the hardware models use comes
 * from frame_alloc(); a hosted kernel hands out the same region by itself and
 * leaves frame_alloc() alone.
 *
 * Numbers are drawn from the run (CHOICE_DATA, one word at the first frame of a
 * run): which 4 MiB a run's frames come from, and where in them they begin.
 * Blocks that were freed come first, the latest first. Frame 0 and the window
 * of message signalled interrupts are never handed out.
 *
 * Each block has an out-of-band record. For page tables it holds the number of
 * entries in use and the words that may differ from zero, so that clearing,
 * at reuse or at reset, costs what was touched. Everybody else need not care:
 * without FRAME_SPAN the whole block counts as touched.
 *
 * In hooked code a marked access (READ_ONCE, WRITE_ONCE, an atomic) to a frame
 * is a moment of choice, in worlds of our own core. Frames have no shadow:
 * neither races nor bytes nobody has written are found there.
 */
#pragma once

#include "sim/base/region.h"
#include "sim/sched/sched.h"

#define FRAME_ORDER_MAX 10        /* 4 MiB */
/* From here up to FRAME_MSI_BASE: memory that frame_alloc() never hands out. */
#define FRAME_LOOSE_BASE 0xc0000000UL
#define FRAME_MSI_BASE 0xfe000000UL /* up to 4 GiB: doorbells and firmware */

enum frame_flags {
	FRAME_ZERO = 1,   /* else poison */
	FRAME_NOFAIL = 2,
	FRAME_SPAN = 4,   /* zero; whoever writes tells frame_span() */
	FRAME_DIRTY = 8,  /* as it is: whoever takes it writes all of it */
};

/* Of a block, at its first frame's number. Words are of 8 bytes. */
struct frame_info {
	u32 lo, hi;     /* words [lo, hi) may differ from zero */
	u16 live;       /* free for the block's owner; 0 at allocation */
	u8 order;
	u8 state;       /* enum frame_state | FRAME_TOUCHED */
	u32 next;       /* free: in its order's list; in use: the owner's. 0 = last */
	u64 pc;         /* who allocated or freed it */
};

enum frame_state { FRAME_FRESH, FRAME_USED, FRAME_FREED, FRAME_TOUCHED = 0x80 };

/* Words [lo, hi) of a frame that somebody who owns no block there has written; hi 0: none. */
struct stray_span {
	u16 lo, hi;
};

struct frames {
	struct world *world;
	struct frame_info *info; /* FRAMES_N of them */
	/* the rest belongs to frames.c */
	u32 free[FRAME_ORDER_MAX + 1];
	u32 bump, bump_end;      /* fresh frames of the chunk in use */
	u32 n_chunks, mul, off;  /* chunks taken; the run's order of them */
	bool drawn;
	u64 taken[16];           /* bit per chunk */
	u64 live;                /* frames */
	u8 poison;
	u32 *touched;            /* first frames of blocks that have a record */
	u32 n_touched, max_touched;
	u32 *stray;              /* frames that frame_note_write() told of */
	u32 n_stray, max_stray;
	struct stray_span *stray_span; /* FRAMES_N of them */
	struct frames_snapshot *snap; /* NULL: none, the world is booting */
	void (*bad_free)(struct world *w, u64 pa, const struct frame_info *f, u64 pc);
};

/* Maps the slot's region unless it is; fd >= 0: shared, from this file. For the process's life. */
void frames_map(u32 slot, int fd);

struct frames *frames_create(struct world *w);
void frames_destroy(struct frames *f);
/* Back to the snapshot, or to empty. */
void frames_reset(struct frames *f);
/* Keep the present blocks and what is in them as what frames_reset() goes back to. */
void frames_snapshot(struct frames *f);
/* Forgets the snapshot and all blocks. */
void frames_forget(struct frames *f);
void frames_set_poison(struct frames *f, u8 poison);

static inline void *frame_ptr(const struct world *w, u64 pa)
{
	return (void *)(FRAMES_BASE + w->slot * FRAMES_SLOT + pa);
}

/* The physical address of what frame_ptr() gave. */
static inline u64 frame_pa(const struct world *w, const void *p)
{
	return (u64)(uintptr_t)p - FRAMES_BASE - w->slot * FRAMES_SLOT;
}

/* Whether [pa, pa + len) is memory: within the region, outside the MSI window. len > 0. */
static inline bool frames_contains(u64 pa, u64 len)
{
	return pa < FRAME_MSI_BASE && len <= FRAME_MSI_BASE - pa;
}

static inline struct frame_info *frame_info(const struct world *w, u64 pa)
{
	return &w->frames->info[pa >> FRAME_LG2];
}

/* Words [lo, hi) of the block have been, or are about to be, written. */
static inline void frame_span(struct frame_info *f, u32 lo, u32 hi)
{
	if (f->hi == 0 || lo < f->lo)
		f->lo = lo;
	if (hi > f->hi)
		f->hi = hi;
}

/*
 * Somebody who owns no block there writes to [pa, pa + len) (a device): the reset
 * clears these bytes as well. The range is memory. Cheap when told before.
 */
void frame_note_range(struct world *w, u64 pa, u64 len);
static inline void frame_note_write(struct world *w, u64 pa, u64 len)
{
	const struct stray_span *s = &w->frames->stray_span[pa >> FRAME_LG2];
	u64 first = pa % FRAME_SIZE;

	if (unlikely(first < s->lo * sizeof(u64) || first + len > s->hi * sizeof(u64)))
		frame_note_range(w, pa, len);
}

/*
 * A block of 2^order frames, aligned to its size: its physical address, or 0 if
 * the injected failure fires (fault FAULT_ALLOC), memory is used up or order is
 * above FRAME_ORDER_MAX. Publishes FRAME_ALLOC when a task runs.
 */
u64 frame_alloc(struct world *w, u32 order, u32 flags);
/* A wild, double or misfit free is reported (frames_on_bad_free) and otherwise ignored. */
void frame_free(struct world *w, u64 pa, u32 order);

/* Frames in use; those that were at the snapshot included. */
u64 frames_live_count(const struct frames *f);
/* Calls fn for each block that was allocated since the snapshot. */
void frames_each_live(struct frames *f, void (*fn)(void *arg, u64 pa, const struct frame_info *i),
		      void *arg);
void frames_on_bad_free(struct frames *f,
			void (*fn)(struct world *w, u64 pa, const struct frame_info *i, u64 pc));
