/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doors between software and modelled hardware: registers in physical
 * address space, configuration space, message signalled interrupts, memory as a
 * device sees it after translation, and the tasks in which hardware works.
 *
 * Hardware registers what it has at boot (or before a run); that stays for the
 * life of the world's program. A run begins with every piece at power-on: its
 * reset() is called by io_reset().
 *
 * A worker is hardware with work of its own: a daemon task that is made when it
 * is first kicked in a run, calls step() until nothing is pending, and blocks.
 * Each step is announced, so that when it happens is the policy's choice. An
 * idle worker has no task and costs nothing.
 *
 * Software that polls a register (the same one, again and again, with nothing
 * between) gives way to others, so that what it waits for can happen.
 */
#pragma once

#include "sim/base/world.h"

#define IO_REGIONS_MAX 256
#define IO_WORKERS_MAX 256
#define IO_VECTORS_MAX 256
#define IO_MESSAGES_KEPT 64
#define IO_NONE 0xffffffffu

struct io_ops {
	/* size 1, 2, 4 or 8, off < the region's size and aligned to size. */
	u64 (*read)(void *arg, u64 off, u32 size);
	void (*write)(void *arg, u64 off, u32 size, u64 value);
};

struct io_region {
	u64 pa, size;
	const struct io_ops *ops;
	void *arg;
	const char *name; /* outlives the world */
	u32 worker;       /* kicked by each write, or IO_NONE */
};

struct io_worker {
	const char *name;            /* outlives the world */
	bool (*step)(void *arg);     /* one step; false: nothing was pending */
	bool (*pending)(void *arg);  /* NULL: step() knows */
	void (*reset)(void *arg);    /* power-on; NULL: nothing to do */
	void *arg;
};

struct io_config_ops {
	u32 (*read)(void *arg, u32 rid, u32 off, u32 size);
	void (*write)(void *arg, u32 rid, u32 off, u32 size, u32 value);
};

struct io_message {
	u64 addr;
	u32 data, irq; /* IO_NONE: no line is bound to it */
};

struct io *io_create(struct world *w);
void io_destroy(struct io *io);
/* Everything that is registered is at power-on; no worker has a task. */
void io_reset(struct io *io);
/* Nothing is registered any more (world_load). */
void io_forget(struct io *io);
/* Calls fn when that happens, or the world goes; the latest first. At most IO_OWNERS_MAX. */
#define IO_OWNERS_MAX 8
void io_on_forget(struct world *w, void (*fn)(void *arg), void *arg);

/*
 * False: no room, size 0, it wraps, lies in memory (below FRAME_MSI_BASE within the
 * slot's frames), or overlaps another. The worker must have been added before.
 */
bool io_region_add(struct world *w, const struct io_region *r);

/*
 * Software's accesses: announced as an operation of the current task. Where
 * nothing answers a read gives all ones, a write is lost; so too for other sizes
 * than 1, 2, 4, 8 and unaligned ones.
 */
u64 io_read(struct world *w, u64 pa, u32 size);
void io_write(struct world *w, u64 pa, u32 size, u64 value);

/* The one who answers for configuration space; NULL: nobody. rid: bus << 8 | devfn. */
void io_config_set(struct world *w, const struct io_config_ops *ops, void *arg);
u32 io_config_read(struct world *w, u32 rid, u32 off, u32 size);
void io_config_write(struct world *w, u32 rid, u32 off, u32 size, u32 value);

/* --- workers --- */

/* Its number, or IO_NONE when there are too many. */
u32 io_worker_add(struct world *w, const struct io_worker *k);
/* Something may be pending. From any task; outside of one it waits for the next kick. */
void io_kick(struct world *w, u32 worker);

/* --- interrupts --- */

/* A message (addr, data) raises this line from now on. -1: no room. */
int io_vector_bind(struct world *w, u64 addr, u32 data, u32 irq);
void io_vector_unbind(struct world *w, u64 addr, u32 data);
/* A message signalled interrupt arrives; it is kept, and raises the bound line in a task. */
void io_message(struct world *w, u64 addr, u32 data);
/* How many came in this run; the i-th latest, 0 the last, i < min(count, IO_MESSAGES_KEPT). */
u32 io_message_count(struct world *w);
struct io_message io_message_seen(struct world *w, u32 i);

/* --- memory as devices see it, after translation --- */

/*
 * A device's access to physical addresses within one 4 KiB page: memory, or a
 * region's registers (in accesses of the largest aligned size). A write of 4
 * bytes to 0xfeexxxxx that no region owns is a message. False: nothing there
 * (reads give all ones).
 */
bool io_phys_read(struct world *w, u64 pa, void *buf, u32 len);
bool io_phys_write(struct world *w, u64 pa, const void *buf, u32 len);
