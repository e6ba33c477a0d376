/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every shared access of the code under test, announced before it happens.
 *
 * core/ (and a hosted kernel) is compiled with -fsanitize=thread against our
 * own __tsan_* functions (tsan.c). Each such call: counts the operation and
 * lets the policy preempt (sim/sched); checks the heap state of the bytes; and
 * checks for a happens-before race (FastTrack with the kernel's marking rules).
 * All three look at one 32-byte shadow cell per 8-byte granule of heap. Memory
 * outside the heap regions (stacks, constants) is not shared by contract and
 * costs one comparison. Frames (sim/mem/frames.h) are shared with hardware, and
 * checked by nobody: in worlds of our own core, marked accesses to them are
 * moments of choice.
 *
 * Reset is O(1): cells carry the world's generation; an old generation reads
 * as "never allocated".
 *
 * kapi's own objects (locks, counters) are announced by kapi through the
 * functions below, since sim/ is not instrumented.
 */
#pragma once

#include "sim/base/region.h"
#include "sim/sched/sched.h"

struct cell {
	/* These make one word, the head: see access_ready(). */
	u32 gen;
	u8 open;      /* bit per byte: may be touched */
	u8 init;      /* bit per byte: has been written */
	u8 owner;     /* 0 = untouched, task id + 1, or 0xff = several tasks */
	u8 state;     /* enum cell_state */
	u32 w_epoch;  /* task id << 26 | clock of the last write, 0 = none */
	u32 w_op;     /* low half of that task's ops at it */
	u32 r_epoch;  /* the same for the last read */
	u32 r_op;
	u16 sync;     /* index of the location's released clock, 0 = none */
	u16 readers;  /* index of a read vector when several tasks have read, 0 = none */
	u16 w_bytes;  /* of the last write: a bit per byte, above it one if it was plain */
	u16 r_bytes;  /* of the last read(s) */
};
_Static_assert(sizeof(struct cell) == 1 << CELL_LG2, "one cell, half a cache line");

enum cell_state { CELL_WILD, CELL_LIVE, CELL_REDZONE, CELL_FREED };

enum access_check {
	ACCESS_CHECK_HEAP = 1,
	ACCESS_CHECK_UNINIT = 2,
	ACCESS_CHECK_RACE = 4,
};

/* What an access check found; sim/oracle turns it into a finding. */
struct access_finding {
	enum { ACCESS_BAD_HEAP, ACCESS_BAD_UNINIT, ACCESS_BAD_RACE, ACCESS_BAD_WILD } kind;
	u64 addr;
	u32 size, flags;
	u64 pc;
	struct cell cell;      /* as it was */
	u32 other_task;        /* race: who made the earlier access ... */
	u32 other_op;          /* ... at which of its operations (low half) */
	u32 other_flags;
};

struct access *access_create(struct world *w);
void access_destroy(struct access *a);
void access_reset(struct access *a);
void access_enable(struct access *a, u32 checks);
/* As access_enable(), for one task; until it ends, or is told otherwise. */
void access_set_checks(struct task *t, u32 checks);
/* Who hears of findings; may not return for ACCESS_BAD_HEAP. */
void access_on_finding(struct access *a,
		       void (*fn)(struct world *w, const struct access_finding *f));

/*
 * Explaining a run (replay with recording): fn sees every hooked access right
 * before it is made. Off while exploring.
 */
struct access_event {
	u32 task, size, flags;
	u64 op, addr, pc;
};
void access_observe(struct access *a, void (*fn)(void *self, const struct access_event *e),
		    void *self);

/* Announce + check one access by the current task to [addr, addr + size). */
void access_range(const void *addr, size_t size, u32 flags, u64 pc);

/*
 * Announces a copy that is about to be made. Bytes that nobody has written are
 * no finding: what they are copied to counts as not written either.
 */
void access_copy(const void *to, const void *from, size_t size, u64 pc);

/*
 * An access that a hosted kernel announces, by its type. An atomic one is marked and
 * orders: it is announced, then acquires (it reads), then releases (it writes). The
 * kernel's READ_ONCE() and WRITE_ONCE() are such accesses, too; these are hooks, which
 * take the pc from their caller, as does access_typed_hook().
 */
enum access_type { ACCESS_TYPE_WRITE = 1, ACCESS_TYPE_COMPOUND = 2, ACCESS_TYPE_ATOMIC = 4 };
void access_typed(const void *addr, size_t size, int type, u64 pc);
void access_typed_hook(const void *addr, size_t size, int type);
void access_once_read1(void *p);
void access_once_read2(void *p);
void access_once_read4(void *p);
void access_once_read8(void *p);
void access_once_read16(void *p);
void access_once_write1(void *p);
void access_once_write2(void *p);
void access_once_write4(void *p);
void access_once_write8(void *p);
void access_once_write16(void *p);

/*
 * Hooks of a hosted kernel that has looked already: addr is of the heap, t is the running
 * task, and it is not quiet or is due.
 */
#define ACCESS_HEAP_HOOK(name) void access_heap_##name(u64 addr, u64 b, u64 c, struct task *t)
#define ACCESS_HEAP_HOOKS(size)               \
	ACCESS_HEAP_HOOK(read##size);         \
	ACCESS_HEAP_HOOK(write##size);        \
	ACCESS_HEAP_HOOK(once_read##size);    \
	ACCESS_HEAP_HOOK(once_write##size)
ACCESS_HEAP_HOOKS(1);
ACCESS_HEAP_HOOKS(2);
ACCESS_HEAP_HOOKS(4);
ACCESS_HEAP_HOOKS(8);

/* An access near NULL, which is a finding where oracles watch. pc is the code that made it. */
void access_wild(u64 addr, u32 size, u32 flags, u64 pc);

/* A service's operation on its own object: scheduling point, no race check. */
void access_sync(const void *addr, u32 flags);

/*
 * The same of our own kernel's services. In a build without hooks it is counted, and no word
 * of the run's hash: the facts that are have the count in them.
 */
void access_counted(const void *addr, u32 flags, u64 pc);
static inline __attribute__((always_inline)) void access_service(const void *addr, u32 flags)
{
	struct task *t = current_task;

	if (IOMMULAB_HOOKS) {
		access_sync(addr, flags);
		return;
	}
	t->due++;
	if (likely(t->due <= t->alone_below))
		return;
	sched_weigh(t, t->weight_shared);
	if (unlikely(t->mode != ACCESS_QUIET || sched_due(t)))
		access_counted(addr, flags, (u64)(uintptr_t)__builtin_return_address(0));
}

/* Happens-before through a location: lock/unlock, release/acquire. */
void access_acquire_checked(const void *addr);
void access_release_checked(const void *addr);
static inline void access_acquire(const void *addr)
{
	if (unlikely(current_task->checks & ACCESS_CHECK_RACE))
		access_acquire_checked(addr);
}

static inline void access_release(const void *addr)
{
	if (unlikely(current_task->checks & ACCESS_CHECK_RACE))
		access_release_checked(addr);
}

/* Edges between tasks: spawn (parent -> child), join. */
void access_fork(struct task *parent, struct task *child);
void access_join(struct task *waiter, const struct task *ended);

/* sim/mem tells the shadow what bytes exist. Granule-aligned start. */
void access_set_live(const void *addr, size_t size, bool initialised);
void access_set_state(const void *addr, size_t size, enum cell_state state);
/* NULL if addr is outside the heap or its cell is of another generation. */
struct cell *access_cell(const void *addr);
/* Marks bytes as initialised without an access (DMA, copies made by sim/). */
void access_set_init(const void *addr, size_t size);
/*
 * Whether nobody looks at the cells of what the running task allocates and changes:
 * access_set_live() and its like need not be called then.
 */
static inline bool access_is_unseen(void)
{
	return current_task->unseen;
}

/* First uninitialised byte in the range, or size. */
size_t access_first_uninit(const void *addr, size_t size);

/*
 * Keep the present shadow: access_reset() goes back to it. One snapshot a
 * world; covers the heap up to `end`.
 */
void access_snapshot(struct access *a, const void *end);
