/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct world: one run's whole universe, as one pointer per room.
 *
 * Everything hangs from a world; the only global of the process is the task
 * that runs now (sim/sched). The rooms' states are opaque here, so that a low
 * room can hand its caller's world on without seeing the rooms above it.
 * sim/world creates, wires and resets them. A process may hold several worlds;
 * world k lives in address slot k (sim/base/region.h).
 */
#pragma once

#include "sim/base/types.h"

struct world {
	struct choice *choice;   /* sim/choice: every decision */
	struct fact_bus *fact;   /* sim/fact: every event */
	struct bug_set *bug;     /* sim/bug: which historic defects are on */
	struct fault *fault;     /* sim/fault: injected failures */
	struct clock *clock;     /* sim/clock: virtual time, timers */
	struct sched *sched;     /* sim/sched: tasks */
	struct access *access;   /* sim/access: shadow of memory, race clocks */
	struct mem *mem;         /* sim/mem: the checked heap */
	struct frames *frames;   /* sim/mem: physical memory */
	struct io *io;           /* sim/io: registers, interrupts, hardware's tasks */
	struct kapi *kapi;       /* sim/kapi: per-world kernel services */
	struct oracles *oracles; /* sim/oracle: watchers and the finding */
	struct user *user;       /* sim/user: processes, of kernels that stand on it */
	/* How a user's memory is reached: bytes not copied. NULL: as the host's. */
	u64 (*user_copy)(void *buf, u64 addr, u64 size, bool to_user);
	void *kernel;            /* whatever the kernel under test hangs here */
	void *hw;                /* hw/bus: the fabric of the machine, its devices */
	void *functions;         /* hw/function: plain PCI functions, without a fabric */
	void *floor;             /* core/hosted: what a hosted kernel stands on */
	u32 slot;
};
