/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hot path, inlined into each __tsan_* function.
 */
#pragma once

#include "sim/access/access.h"

struct access_clock {
	u32 epoch[SCHED_TASKS_MAX];
};

/* Several tasks have read since the last write: the last read of each. */
struct access_readers {
	u32 epoch[SCHED_TASKS_MAX];
	u32 op[SCHED_TASKS_MAX];
	u8 flags[SCHED_TASKS_MAX];
	u8 mask[SCHED_TASKS_MAX];
};

#define ACCESS_CLOCKS_MAX 16384
#define ACCESS_READERS_MAX 16384
#define ACCESS_OFF_HEAP_MAX 512

struct access {
	struct world *world;
	u32 gen;
	u32 checks;
	u32 n_clocks, n_readers;
	struct access_clock *clock;     /* [0] unused */
	struct access_readers *readers; /* [0] unused */
	struct {
		u64 addr;
		u32 clock;
	} off_heap[ACCESS_OFF_HEAP_MAX]; /* sync locations on stacks */
	u32 n_off_heap;
	u64 snapshot_end;
	struct cell *snapshot;
	void (*finding)(struct world *w, const struct access_finding *f);
	void (*observer)(void *self, const struct access_event *e);
	void *observer_self;
};

#define ACCESS_HEAP_BYTES (WORLD_SLOTS * HEAP_SLOT)

static inline struct cell *access_cell_at(u64 addr)
{
	return (struct cell *)SHADOW_BASE + ((addr - HEAP_BASE) >> GRANULE_LG2);
}

void access_refresh(struct cell *c, u64 addr);
void access_stop(struct task *t, u64 addr, u32 size, u32 flags, u64 pc);
void access_outside(u64 addr, u32 size, u32 flags, u64 pc);
void access_rest_read(u64 addr, u32 size, u32 flags, u64 pc);
void access_rest_write(u64 addr, u32 size, u32 flags, u64 pc);

#define ACCESS_SHARED 0xff /* owner of a cell that several tasks have touched */

/*
 * What follows the count of an operation: the cell is made current and its
 * owner kept; a shared one brings the next stop nearer.
 */
static inline __attribute__((always_inline)) void access_own(struct task *t, struct cell *c,
							     u64 addr)
{
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->owner != t->id + 1)
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
	if (c->owner == ACCESS_SHARED)
		t->stop_at -= t->weight_shared;
}

/* A preemption may come in here, before the access. */
static inline __attribute__((always_inline)) void access_announce(struct task *t,
								  const struct cell *c, u64 addr,
								  u32 size, u32 flags, u64 pc)
{
	if (c->owner == ACCESS_SHARED)
		flags |= OP_SHARED;
	if (unlikely(sched_due(t) || t->observed))
		access_stop(t, addr, size, flags, pc);
}

/* Whether the same task did the same since its last release: nothing new to learn. */
static inline __attribute__((always_inline)) bool access_known(const struct task *t,
							       const struct cell *c, u32 mask,
							       u32 flags)
{
	if (flags & OP_WRITE)
		return c->w_epoch == t->epoch && !c->r_epoch && !(mask & ~(c->w_mask & c->open)) &&
		       !((c->w_flags ^ flags) & OP_MARKED);
	return c->r_epoch == t->epoch && !(mask & ~(c->r_mask & c->open)) &&
	       !((c->r_flags ^ flags) & OP_MARKED);
}

static inline __attribute__((always_inline)) void access_again(const struct task *t,
							       struct cell *c, u32 flags)
{
	if (flags & OP_WRITE)
		c->w_op = (u32)t->ops;
	else
		c->r_op = (u32)t->ops;
}

/*
 * One access that lies within one granule. The common case, a repeated access
 * with no stop due, is decided here with no call; the rest is a tail call.
 */
static inline __attribute__((always_inline)) void access_granule(u64 addr, u32 size, u32 flags,
								 u64 pc)
{
	struct task *t = current_task;
	struct cell *c;
	u32 mask;

	if (unlikely(addr - HEAP_BASE >= ACCESS_HEAP_BYTES)) {
		access_outside(addr, size, flags, pc);
		return;
	}
	if (unlikely(!t))
		return;
	c = access_cell_at(addr);
	mask = size == 8 ? 0xff : ((1u << size) - 1) << (addr & 7);
	t->ops++;
	access_own(t, c, addr);
	if (likely(!sched_due(t) && !t->observed && access_known(t, c, mask, flags))) {
		access_again(t, c, flags);
		return;
	}
	if (flags & OP_WRITE)
		access_rest_write(addr, size, flags, pc);
	else
		access_rest_read(addr, size, flags, pc);
}
