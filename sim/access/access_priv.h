/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hot path, inlined into each __tsan_* function.
 */
#pragma once

#include "sim/access/access.h"

#include <string.h>

/*
 * What a location was released with: all that a task knew at the end of an
 * epoch. Tasks that let go of the same location without having taken it over
 * before make it a merged one, with a vector of its own.
 */
struct access_clock {
	u32 epoch;  /* 0: nobody has; ACCESS_MERGED: look at the vector */
	u32 vector; /* index; what that task had taken over from others */
};

#define ACCESS_MERGED 0xffffffffu /* is covered by nobody */

/* Shared by the clocks that a task releases until it takes over something again. */
struct access_vector {
	u32 n;     /* entries there are: a multiple of 8; the others count as 0 */
	u32 known; /* merged: life of a task that knows all of it, 0: nobody's; or the next free */
	u32 epoch[SCHED_TASKS_MAX];
};

/*
 * Several tasks have read since the last write: the last read of each. Of the
 * task that read last the cell itself tells; what is here of it may be older.
 */
struct access_readers {
	u32 n; /* there are; the others have not */
	struct access_read {
		u32 epoch, op, bytes;
	} of[SCHED_TASKS_MAX];
};

#define ACCESS_CLOCKS_MAX 16384
#define ACCESS_VECTORS_MAX (2 * ACCESS_CLOCKS_MAX + 2 * SCHED_TASKS_MAX)
#define ACCESS_READERS_MAX 16384
#define ACCESS_OFF_HEAP_LG2 10 /* places; half of them are used at most */

struct access {
	struct world *world;
	u32 gen;
	u32 checks;
	u32 n_clocks, n_readers, n_vectors;
	u32 free_vector; /* 0: none */
	struct access_clock *clock;     /* [0] unused */
	struct access_vector *vector;   /* likewise */
	struct access_readers *readers; /* [0] unused */
	struct access_off_heap {
		u64 addr;
		u32 clock, gen;
	} off_heap[1 << ACCESS_OFF_HEAP_LG2]; /* sync locations on stacks, hashed */
	u32 n_off_heap;
	u64 off_heap_seen; /* a bit per place that may have one, by 6 bits of its hash */
	u32 *owners;   /* a word per granule of the world's heap: see access_owner() */
	u32 owner_gen; /* 1 .. OWNER_GENS, in their upper 24 bits */
	u64 snapshot_end;
	bool booting; /* there is no snapshot yet */
	struct access_kept {
		u8 open, init, state; /* as in its cell; no more is left of it when a run begins */
	} *snapshot; /* a granule each */
	void (*finding)(struct world *w, const struct access_finding *f);
	void (*observer)(void *self, const struct access_event *e);
	void *observer_self;
};

#define ACCESS_FAST static inline __attribute__((always_inline))
#define ACCESS_LOW 0x10000
#define ACCESS_HEAP_BYTES (WORLD_SLOTS * HEAP_SLOT)

/* Of an address of the heap: SHADOW_BASE + its granule's number * sizeof(struct cell). */
static inline struct cell *access_cell_at(u64 addr)
{
	const u64 origin = SHADOW_BASE - (HEAP_BASE << (CELL_LG2 - GRANULE_LG2));

	addr = (ALIGN_DOWN(addr, 8UL) << (CELL_LG2 - GRANULE_LG2)) + origin;
	/* One register: compilers spread the origin over all that is done with it. */
	__asm__("" : "+r"(addr));
	return (struct cell *)addr;
}

/* A marked access to a frame: a moment of choice for our own core, nothing more. */
void access_frame(u64 addr, u32 size, u32 flags, u64 pc);

static inline bool access_is_frame(u64 addr)
{
	return addr - FRAMES_BASE < WORLD_SLOTS * FRAMES_SLOT;
}

/*
 * For a quiet task nobody looks at cells: they need not be kept, where user memory
 * is a process's (without processes it is what is open in them). Those of what a
 * world boots with are, since oracles and policies are chosen afterwards.
 */
static inline bool access_unseen(const struct task *t)
{
	const struct world *w = t->world;

	return t->mode == ACCESS_QUIET && !w->access->booting && (w->floor || w->user_copy);
}

/*
 * The same if nothing is checked, but it does matter who touches what. That is kept
 * apart from the cells, a word per granule: whose it is and, above that, in which
 * run. Any other run's, and 0, is nobody's.
 */
static inline bool access_light(const struct task *t)
{
	return t->mode == ACCESS_LIGHT;
}

#define OWNER_GENS 0xffffffu
#define OWNER_SHARED 0xffu

static inline u32 *access_owner(const struct task *t, u64 addr)
{
	return t->owners + ((addr - HEAP_BASE) >> GRANULE_LG2);
}

/* What a word becomes when t touches it. */
static inline u32 access_owned(u32 was, u32 own, u32 shared)
{
	return (was ^ own) >> 8 || was == own ? own : shared;
}

static inline u32 access_touch(struct task *t, u64 addr)
{
	u32 *owner = access_owner(t, addr);

	return *owner = access_owned(*owner, t->own, t->shared);
}

/* --- the rare parts --- */
void access_refresh(struct cell *c, u64 addr);
void access_stop(struct task *t, const struct cell *c, u64 addr, u32 size, u32 flags, u64 pc);
/* Of a light task, whatever it meets. */
void access_lightly(struct task *t, u64 addr, u32 size, u32 flags, u64 pc);
void access_bad_bytes(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr, u64 pc);
void access_races_with_write(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc);
void access_races_with_reads(struct task *t, const struct cell *c, u32 mask, u32 flags, u64 addr,
			     u64 pc);

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
	s64 due = t->due + 1;

	if (t->mode != ACCESS_QUIET || due >= 0)
		return false;
	t->due = due;
	return true;
}

/* How the head of a cell differs from that of an ordinary one; 0: not at all. */
ACCESS_FAST u64 access_unusual(const struct task *t, const struct cell *c, u32 flags)
{
	return (access_head(c) ^ t->usual) & (flags & OP_WRITE ? t->usual_write : t->usual_read);
}

/*
 * What follows the count of an operation: the cell is made current and its
 * owner kept; a shared one brings the next stop nearer. Then a preemption may
 * come in, before the access.
 */
ACCESS_FAST void access_announce(struct task *t, struct cell *c, u64 addr, u32 size, u32 flags,
				 u64 pc)
{
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->owner != t->id + 1) {
		c->owner = c->owner ? ACCESS_SHARED : (u8)(t->id + 1);
		if (c->owner == ACCESS_SHARED)
			sched_weigh(t, t->weight_shared);
	}
	if (unlikely(sched_due(t) || t->observed))
		access_stop(t, c, addr, size, flags, pc);
}

/* --- happens-before: clock.c --- */

/* Where in access->off_heap an address is looked for first. */
static inline u64 access_off_heap_hash(u64 addr)
{
	return (addr >> 2) * 0x9e3779b97f4a7c15ULL;
}

static inline u32 access_off_heap_place(u64 addr)
{
	return (u32)(access_off_heap_hash(addr) >> (64 - ACCESS_OFF_HEAP_LG2));
}

struct access_clock *access_off_heap_clock(struct access *a, u64 addr, bool make);
struct access_clock *access_new_clock(struct task *t, struct cell *c);
void access_take(struct task *t, const struct access_clock *k);
/* t releases k, which it does not know or has no copy of its vector for. */
void access_give_slow(struct task *t, struct access_clock *k);
/* A slot gets another task: what knows of its epochs does not know what the last one knew. */
void access_new_life(struct task *t);

static inline bool access_knows(const struct task *t, const struct access_clock *k)
{
	return !access_unordered(t, k->epoch);
}

static inline void access_next_epoch(struct task *t)
{
	t->epoch++;
	t->vc[t->id] = t->epoch;
}

/* t releases k, which it knows, and there is a copy of its vector: its epoch ends. */
static inline void access_give_known(struct task *t, struct access_clock *k)
{
	k->epoch = t->epoch;
	k->vector = t->vector;
	access_next_epoch(t);
}

static inline void access_give(struct task *t, struct access_clock *k)
{
	if (likely(access_knows(t, k) && t->vector))
		return access_give_known(t, k);
	access_give_slow(t, k);
	access_next_epoch(t);
}

/* --- the common parts --- */

/* A bit per byte of a granule that is touched; above it one per byte that is so plainly. */
static inline u32 access_bytes(u64 addr, u32 size, u32 flags)
{
	bool whole = __builtin_constant_p(size) && size == 8;
	u32 mask = whole ? 0xff : ((1u << size) - 1) << (addr & 7);

	return flags & OP_MARKED ? mask : mask | mask << 8;
}

/* The cell remembers this read; all earlier reads are ordered before it. */
ACCESS_FAST void access_keep_read(struct task *t, struct cell *c, u32 bytes, u32 op)
{
	if (bytes != 0xffff && c->r_epoch == t->epoch)
		bytes |= c->r_bytes;
	c->r_epoch = t->epoch;
	c->r_op = op;
	c->r_bytes = (u16)bytes;
}

ACCESS_FAST void access_keep_write(struct task *t, struct cell *c, u32 bytes, u32 op)
{
	c->init |= (u8)bytes;
	if (bytes != 0xffff && c->w_epoch == t->epoch)
		bytes |= c->w_bytes;
	c->w_epoch = t->epoch;
	c->w_op = op;
	c->w_bytes = (u16)bytes;
	c->r_epoch = 0;
	c->r_bytes = 0;
	c->readers = 0;
}

/*
 * An access within one granule in one word, so that one function sees to those of all sizes:
 * access_bytes(), above it the size, OP_* flags, and whether it also acquires.
 */
#define ACCESS_WHAT(bytes, size, flags, acquire) \
	((u16)(bytes) | (u32)(size) << 16 | (u32)(flags) << 20 | (u32)(acquire) << 28)

static inline u32 access_what_size(u32 what)
{
	return what >> 16 & 15;
}

static inline u32 access_what_flags(u32 what)
{
	return what >> 20 & 31;
}

static inline bool access_what_acquires(u32 what)
{
	return what >> 28;
}

/* One access of a task to one granule of the heap, whatever it meets. */
void access_slow(struct task *t, u64 addr, u32 what, u64 pc);
/* The same of one that is not ordinary, but may be nearly so. */
void access_other_read(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what);
void access_other_write(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what);

ACCESS_FAST void access_keep(struct task *t, struct cell *c, u32 bytes, u32 flags, u64 ops)
{
	if (flags & OP_WRITE)
		access_keep_write(t, c, bytes, (u32)ops);
	else
		access_keep_read(t, c, bytes, (u32)ops);
}

/*
 * The same without a call where nothing is out of the ordinary, which is nearly
 * always: no preemption is due, nobody records, and the cell's head is as
 * access_ready() says. False: nothing was done. `checked`: no head is ordinary
 * where nothing is checked.
 */
ACCESS_FAST bool access_was_ordinary(struct task *t, struct cell *c, u32 bytes, u32 flags,
				     bool checked)
{
	s64 due = t->due + 1;

	if (unlikely(access_unusual(t, c, flags)) || unlikely(due >= 0))
		return false;
	t->due = due;
	if (checked || t->checks)
		access_keep(t, c, bytes, flags, sched_ops(t));
	return true;
}

/* The last read that the cell itself remembers is t's. */
ACCESS_FAST bool access_is_reader(const struct task *t, const struct cell *c)
{
	return (c->r_epoch ^ t->epoch) >> 26 == 0;
}

#define ACCESS_OWNER_SHIFT (8 * offsetof(struct cell, owner))

typedef void (*access_fn)(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what);

/* A cell of an earlier run: `again` once it is this run's, if it can be nearly ordinary. */
void access_renewed(u64 addr, struct cell *c, u64 pc, struct task *t, u32 what, access_fn again);

/* What others have done to the cell is ordered before, or they have only read, as t does. */
ACCESS_FAST bool access_follows(const struct task *t, const struct cell *c, bool write)
{
	if (unlikely(access_unordered(t, c->w_epoch)))
		return false;
	return !write || likely(!c->readers && !access_unordered(t, c->r_epoch));
}

/*
 * t is going to read. The last read that the cell remembers is t's own, or ordered before,
 * or kept for those that write; false: for that there is no room yet.
 */
ACCESS_FAST bool access_kept_reader(const struct task *t, const struct cell *c)
{
	struct access_readers *r = (struct access_readers *)t->readers + c->readers;
	u32 id = c->r_epoch >> 26;

	if (access_is_reader(t, c))
		return true;
	if (!c->readers)
		return likely(!access_unordered(t, c->r_epoch));
	if (unlikely(r->n <= id))
		return false;
	r->of[id] = (struct access_read){c->r_epoch, c->r_op, c->r_bytes};
	return true;
}

/* It counts as often as the policy says of cells that are shared, and the cell keeps it. */
ACCESS_FAST void access_weighed(struct task *t, struct cell *c, u32 bytes, bool write, u32 weight,
				u32 owner)
{
	t->due += 1 + weight;
	t->stop_at -= weight;
	access_keep(t, c, bytes, write ? OP_WRITE : OP_READ, sched_ops(t));
	c->owner = (u8)owner;
}

/*
 * An access to a cell of this run that is not ordinary: nobody has touched it, others have
 * as well, or some of its bytes are not open or not written, but not those at hand. What
 * others have touched counts as often as the policy says. False: something is due, to be
 * reported, or needs room; all of that access is yet to be made.
 */
ACCESS_FAST bool access_was_near(struct task *t, struct cell *c, u32 what, bool write)
{
	u32 owner = t->owner, weight = 0, bytes = (u16)what;

	if (unlikely((u8)bytes & ~(write ? c->open : c->open & c->init)))
		return false;
	if (c->owner != owner && likely(c->owner)) {
		if (unlikely(!access_follows(t, c, write)))
			return false;
		weight = t->weight_shared;
		owner = ACCESS_SHARED;
	}
	if (unlikely(t->due + 1 + weight >= 0))
		return false;
	if (!write && !access_kept_reader(t, c))
		return false;
	access_weighed(t, c, bytes, write, weight, owner);
	return true;
}

/*
 * The most common ones of those: all of the cell is open and written, and several tasks have
 * touched it, each after the other or only reading, or nobody has. False: nothing was done.
 */
ACCESS_FAST bool access_was_common(struct task *t, struct cell *c, u32 what, bool write)
{
	u64 other = (access_head(c) ^ t->usual) & (write ? t->usual_write : t->usual_read);
	u32 bytes = (u16)what, owner = t->owner, weight = 0;

	if (likely(other == t->usual_shared)) {
		if (unlikely(access_unordered(t, c->w_epoch)))
			return false;
		if ((write || !access_is_reader(t, c)) &&
		    unlikely(c->readers || access_unordered(t, c->r_epoch)))
			return false;
		weight = t->weight_shared;
		owner = ACCESS_SHARED;
	} else if (unlikely(other != t->usual_first)) {
		return false;
	}
	if (unlikely(t->due + 1 + weight >= 0))
		return false;
	access_weighed(t, c, bytes, write, weight, owner);
	return true;
}

/* An access within one granule of the heap, of a task that is not quiet or is due. */
ACCESS_FAST void access_heap(struct task *t, u64 addr, u32 size, u32 flags, u64 pc)
{
	struct cell *c = access_cell_at(addr);
	u32 bytes = access_bytes(addr, size, flags);

	if (likely(access_was_ordinary(t, c, bytes, flags, false)))
		return;
	if (flags & OP_WRITE)
		access_other_write(addr, c, pc, t, ACCESS_WHAT(bytes, size, flags, false));
	else
		access_other_read(addr, c, pc, t, ACCESS_WHAT(bytes, size, flags, false));
}

ACCESS_FAST void access_granule(u64 addr, u32 size, u32 flags, u64 pc)
{
	struct task *t = current_task;

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
	access_heap(t, addr, size, flags, pc);
}
