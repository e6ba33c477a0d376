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
	u8 mask[SCHED_TASKS_MAX];
	u8 plain[SCHED_TASKS_MAX];
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

/* --- the rare parts --- */
void access_refresh(struct cell *c, u64 addr);
void access_stop(struct task *t, const struct cell *c, u64 addr, u32 size, u32 flags, u64 pc);
void access_outside(u64 addr, u32 size, u32 flags, u64 pc);
void access_bad_bytes(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc);
void access_races_with_write(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc);
void access_races_with_reads(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc);
void access_note_reader(struct task *t, struct cell *c, u32 mask, u32 plain);

#define ACCESS_SHARED 0xff /* owner of a cell that several tasks have touched */

/* Whether an earlier access at `epoch` is unordered with t's present. 0 never is. */
static inline bool access_unordered(const struct task *t, u32 epoch)
{
	return epoch > t->vc[epoch >> 26];
}

/*
 * What follows the count of an operation: the cell is made current and its
 * owner kept; a shared one brings the next stop nearer. Then a preemption may
 * come in, before the access.
 */
static inline __attribute__((always_inline)) void access_announce(struct task *t, struct cell *c,
								  u64 addr, u32 size, u32 flags,
								  u64 pc)
{
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->owner != t->id + 1) {
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
		if (c->owner == ACCESS_SHARED)
			t->stop_at -= t->weight_shared;
	}
	if (unlikely(sched_due(t) || t->observed))
		access_stop(t, c, addr, size, flags, pc);
}

static inline __attribute__((always_inline)) void access_read(struct task *t, struct cell *c,
							      u32 mask, u32 flags, u64 addr,
							      u64 pc)
{
	u32 plain;

	if (unlikely(mask & ~(c->open & c->init)))
		access_bad_bytes(t, c, mask, flags, addr, pc);
	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	if (c->w_mask & mask && unlikely(access_unordered(t, c->w_epoch)))
		access_races_with_write(t, c, mask, flags, addr, pc);
	plain = flags & OP_MARKED ? 0 : mask;
	if (c->r_epoch == t->epoch) {
		mask |= c->r_mask;
		plain |= c->r_plain;
	}
	if (unlikely(c->readers || access_unordered(t, c->r_epoch)))
		access_note_reader(t, c, mask, plain);
	c->r_epoch = t->epoch;
	c->r_op = (u32)t->ops;
	c->r_mask = (u8)mask;
	c->r_plain = (u8)plain;
}

static inline __attribute__((always_inline)) void access_write(struct task *t, struct cell *c,
							       u32 mask, u32 flags, u64 addr,
							       u64 pc)
{
	u32 plain;

	if (unlikely(mask & ~c->open))
		access_bad_bytes(t, c, mask, flags, addr, pc);
	c->init |= (u8)mask;
	if (!(t->checks & ACCESS_CHECK_RACE))
		return;
	if (c->w_mask & mask && unlikely(access_unordered(t, c->w_epoch)))
		access_races_with_write(t, c, mask, flags, addr, pc);
	if (unlikely(c->readers || access_unordered(t, c->r_epoch)))
		access_races_with_reads(t, c, mask, flags, addr, pc);
	plain = flags & OP_MARKED ? 0 : mask;
	if (c->w_epoch == t->epoch) {
		mask |= c->w_mask;
		plain |= c->w_plain;
	}
	c->w_epoch = t->epoch;
	c->w_op = (u32)t->ops;
	c->w_mask = (u8)mask;
	c->w_plain = (u8)plain;
	c->r_epoch = 0;
	c->r_mask = 0;
	c->readers = 0;
}

/* One access that lies within one granule. */
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
	access_announce(t, c, addr, size, flags, pc);
	if (!t->checks)
		return;
	if (flags & OP_WRITE)
		access_write(t, c, mask, flags, addr, pc);
	else
		access_read(t, c, mask, flags, addr, pc);
}
