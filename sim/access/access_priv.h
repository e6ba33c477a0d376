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
void access_read(struct task *t, struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc);
void access_write(struct task *t, struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc);
void access_low(u64 addr, u32 size, u32 flags, u64 pc);

/* Counts the operation; a preemption may come in here, before the access. */
static inline __attribute__((always_inline)) void access_count(struct task *t, struct cell *c,
							       u64 addr, u32 size, u32 flags,
							       u64 pc)
{
	u32 me = t->id + 1;

	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	t->ops++;
	if (c->owner != me) {
		if (c->owner) {
			c->owner = 0xff;
			flags |= OP_SHARED;
			t->stop_at -= min((u64)t->weight_shared, t->stop_at);
		} else {
			c->owner = (u8)me;
		}
	}
	if (unlikely(t->ops >= t->stop_at || t->observed))
		access_stop(t, addr, size, flags, pc);
}

/* One access that lies within one granule. */
static inline __attribute__((always_inline)) void access_granule(u64 addr, u32 size, u32 flags,
								 u64 pc)
{
	struct task *t = current_task;
	struct cell *c;
	u32 mask;

	if (unlikely(addr - HEAP_BASE >= ACCESS_HEAP_BYTES)) {
		if (unlikely(addr < 0x10000))
			access_low(addr, size, flags, pc);
		return;
	}
	if (unlikely(!t))
		return;
	c = access_cell_at(addr);
	access_count(t, c, addr, size, flags, pc);
	if (!t->checks)
		return;
	mask = ((1u << size) - 1) << (addr & 7);
	/* The same task again, since its last release: nothing new to learn. */
	if (flags & OP_WRITE) {
		if (c->w_epoch == t->epoch && !c->r_epoch && !(mask & ~(c->w_mask & c->open)) &&
		    !((c->w_flags ^ flags) & OP_MARKED)) {
			c->w_op = (u32)t->ops;
			return;
		}
		access_write(t, c, mask, flags, addr, pc);
	} else {
		if (c->r_epoch == t->epoch && !(mask & ~(c->r_mask & c->open)) &&
		    !((c->r_flags ^ flags) & OP_MARKED)) {
			c->r_op = (u32)t->ops;
			return;
		}
		access_read(t, c, mask, flags, addr, pc);
	}
}
