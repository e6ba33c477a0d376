/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hot path, inlined into each __tsan_* function.
 */
#pragma once

#include "sim/access/access.h"

#include <string.h>

struct access_clock {
	_Alignas(64) u32 n; /* entries there are: a multiple of 8; the others count as 0 */
	u32 known;          /* life of a task whose vector covers all of it; 0: nobody's */
	u32 releaser;       /* life of the last to release ... */
	u32 joins;          /* ... and its joins by then */
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
#define ACCESS_OFF_HEAP_LG2 10 /* places; half of them are used at most */

struct access {
	struct world *world;
	u32 gen;
	u32 checks;
	u32 n_clocks, n_readers;
	struct access_clock *clock;     /* [0] unused */
	struct access_readers *readers; /* [0] unused */
	struct access_off_heap {
		u64 addr;
		u32 clock, gen;
	} off_heap[1 << ACCESS_OFF_HEAP_LG2]; /* sync locations on stacks, hashed */
	u32 n_off_heap;
	u64 snapshot_end;
	bool booting; /* there is no snapshot yet */
	struct cell *snapshot;
	void (*finding)(struct world *w, const struct access_finding *f);
	void (*observer)(void *self, const struct access_event *e);
	void *observer_self;
};

#define ACCESS_LOW 0x10000
#define ACCESS_HEAP_BYTES (WORLD_SLOTS * HEAP_SLOT)

static inline struct cell *access_cell_at(u64 addr)
{
	return (struct cell *)SHADOW_BASE + ((addr - HEAP_BASE) >> GRANULE_LG2);
}

/* A marked access to a frame: a moment of choice for our own core, nothing more. */
void access_frame(u64 addr, u32 size, u32 flags, u64 pc);

static inline bool access_is_frame(u64 addr)
{
	return addr - FRAMES_BASE < WORLD_SLOTS * FRAMES_SLOT;
}

/*
 * For a quiet task of a hosted kernel nobody looks at cells: they need not be
 * kept (our own core's user memory is what is open there). Those of what a
 * world boots with are, since oracles and policies are chosen afterwards.
 */
static inline bool access_unseen(const struct task *t)
{
	return t->quiet && t->world->floor && !t->world->access->booting;
}

/* The same if nothing is checked, but it does matter who touches what: heads are kept. */
static inline bool access_heads_only(const struct task *t)
{
	const struct world *w = t->world;

	return w->floor && !w->access->booting && !w->sched->access_checks && !t->observed;
}

/* --- the rare parts --- */
void access_refresh(struct cell *c, u64 addr);
void access_stop(struct task *t, const struct cell *c, u64 addr, u32 size, u32 flags, u64 pc);
void access_wild(u64 addr, u32 size, u32 flags, u64 pc);
void access_bad_bytes(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc);
void access_races_with_write(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc);
void access_races_with_reads(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc);
void access_note_reader(struct task *t, struct cell *c, u32 mask, u32 plain);

void access_ready(struct task *t);

#define ACCESS_GEN_OWNER 0x00ff0000ffffffffULL /* of a head: whose the cell is, in which run */

static inline u64 access_head(const struct cell *c)
{
	return *(const u64 *)c;
}

#define ACCESS_SHARED 0xff /* owner of a cell that several tasks have touched */

/* Whether an earlier access at `epoch` is unordered with t's present. 0 never is. */
static inline bool access_unordered(const struct task *t, u32 epoch)
{
	return epoch > t->vc[epoch >> 26];
}

/* A quiet task's access, if nothing else is due: the same in a hosted kernel's hooks. */
static inline bool access_was_quiet(struct task *t)
{
	u64 ops = t->ops + 1;

	if (!t->quiet || (s64)(ops - t->stop_at) >= 0)
		return false;
	t->ops = ops;
	return true;
}

/* Nothing is checked, and others have touched the cell as well: if it is not due, it counts. */
static inline bool access_was_shared(struct task *t, u64 head, u64 ops)
{
	u64 stop = t->stop_at - t->weight_shared;

	if ((head & ACCESS_GEN_OWNER) != t->usual_shared || (s64)(ops - stop) >= 0)
		return false;
	t->stop_at = stop;
	t->ops = ops;
	return true;
}

/* The same for an access of any kind to its own cell or a shared one; elsewhere none counts. */
static inline __attribute__((always_inline)) bool access_was_counted(struct task *t, u64 addr,
								     u32 size)
{
	u64 ops = t->ops + 1, head;

	if (t->checks || t->quiet)
		return false;
	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES)
		return addr >= ACCESS_LOW && t->world->floor;
	if ((addr & 7) + size > 8)
		return false;
	head = access_head(access_cell_at(addr));
	if ((head & ACCESS_GEN_OWNER) != (t->usual & ACCESS_GEN_OWNER))
		return access_was_shared(t, head, ops);
	if ((s64)(ops - t->stop_at) >= 0)
		return false;
	t->ops = ops;
	return true;
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

/* --- happens-before --- */

/* Vectors are padded with zeroes to SCHED_TASKS_MAX; n is rounded up to a multiple of 8. */
static inline void access_join_vector(u32 *restrict into, const u32 *restrict from, u32 n)
{
	for (u32 i = 0; i < n; i += 8) {
		for (u32 j = i; j < i + 8; j++)
			into[j] = max(into[j], from[j]);
	}
}

/* t takes over what was released, unless its vector covers that already. */
static inline void access_take(struct task *t, struct access_clock *from)
{
	u32 news = 0;

	if (from->known == t->life)
		return;
	for (u32 i = 0; i < from->n; i += 8) {
		for (u32 j = i; j < i + 8; j++) {
			u32 most = max(t->vc[j], from->epoch[j]);

			news |= most ^ t->vc[j];
			t->vc[j] = most;
		}
	}
	t->joins += news != 0;
	from->known = t->life;
}

/* Into a clock that t has released before: nothing of t's vector but its own epoch is new. */
static inline void access_join_clock(struct access_clock *into, const struct task *t)
{
	u32 n = ALIGN(t->world->sched->n_slots, 8);

	if (into->releaser == t->life && into->joins == t->joins) {
		into->epoch[t->id] = t->epoch;
		into->known = into->known == t->life ? t->life : 0;
		return;
	}
	if (into->known == t->life) {
		memcpy(into->epoch, t->vc, n * sizeof(*t->vc));
	} else {
		access_join_vector(into->epoch, t->vc, into->n);
		for (u32 i = into->n; i < n; i += 8)
			memcpy(into->epoch + i, t->vc + i, 8 * sizeof(*t->vc));
		into->known = into->n ? 0 : t->life;
	}
	into->n = max(into->n, n);
	into->releaser = t->life;
	into->joins = t->joins;
}

static inline void access_next_epoch(struct task *t)
{
	t->epoch++;
	t->vc[t->id] = t->epoch;
}

/* --- the common parts --- */

/* The cell remembers this read; all earlier reads are ordered before it. */
static inline __attribute__((always_inline)) void access_keep_read(struct task *t, struct cell *c,
								   u32 mask, u32 plain, u32 op)
{
	if (c->r_epoch == t->epoch) {
		mask |= c->r_mask;
		plain |= c->r_plain;
	}
	c->r_epoch = t->epoch;
	c->r_op = op;
	c->r_mask = (u8)mask;
	c->r_plain = (u8)plain;
}

static inline __attribute__((always_inline)) void access_keep_write(struct task *t, struct cell *c,
								    u32 mask, u32 plain, u32 op)
{
	if (c->w_epoch == t->epoch) {
		mask |= c->w_mask;
		plain |= c->w_plain;
	}
	c->w_epoch = t->epoch;
	c->w_op = op;
	c->w_mask = (u8)mask;
	c->w_plain = (u8)plain;
	c->r_epoch = 0;
	c->r_mask = 0;
	c->readers = 0;
}

static inline u32 access_mask(u64 addr, u32 size)
{
	return size == 8 ? 0xff : ((1u << size) - 1) << (addr & 7);
}

/* One access of a task to one granule of the heap, whatever it meets. */
void access_slow(u64 addr, u32 size, u32 flags, u64 pc);
/* The same where what is out of the ordinary is only that the cell is new, or shared. */
void access_usual(u64 addr, u32 size, u32 flags, u64 pc);

/*
 * The same without a call where nothing is out of the ordinary, which is nearly
 * always: no preemption is due, nobody records, and the cell's head is as
 * access_ready() says.
 */
static inline __attribute__((always_inline)) void access_granule(u64 addr, u32 size, u32 flags,
								 u64 pc)
{
	struct task *t = current_task;
	u32 mask = access_mask(addr, size), plain = flags & OP_MARKED ? 0 : mask;
	struct cell *c;
	u64 ops, head;

	/* Stacks and constants are private by contract; the lowest pages are a NULL pointer's. */
	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES) {
		if (flags & OP_MARKED && unlikely(access_is_frame(addr)))
			access_frame(addr, size, flags, pc);
		else if (unlikely(addr < ACCESS_LOW))
			access_wild(addr, size, flags, pc);
		return;
	}
	if (unlikely(!t) || access_was_quiet(t))
		return;
	c = access_cell_at(addr);
	ops = t->ops + 1;
	head = access_head(c);
	if (unlikely((head ^ t->usual) & (flags & OP_WRITE ? t->usual_write : t->usual_read)) ||
	    unlikely((s64)(ops - t->stop_at) >= 0)) {
		if (access_was_shared(t, head, ops))
			return;
		return access_usual(addr, size, flags, pc);
	}
	t->ops = ops;
	if (!t->checks)
		return;
	if (flags & OP_WRITE) {
		c->init |= (u8)mask;
		access_keep_write(t, c, mask, plain, (u32)ops);
	} else {
		access_keep_read(t, c, mask, plain, (u32)ops);
	}
}
