/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a lock is taken: the `mode` of the FACT_LOCK_* facts and of
 * task_held.mode, and the `kind` of FACT_LOCK_INIT (the first four only).
 * Written by sim/kapi, read by the lock-order oracle and by reports.
 *
 * The class of a lock is a hash of its initialisation site with the low three
 * bits clear; a nested acquisition adds its subclass (0..7) there.
 */
#pragma once

enum lock_mode {
	LOCK_MUTEX = 1,
	LOCK_SPIN = 2,
	LOCK_RWSEM = 4,
	LOCK_MAP = 8,      /* no lock but an ordering: work item, workqueue, srcu, completion */
	LOCK_READ = 16,    /* shared; a fair lock's reader waits behind a waiting writer */
	LOCK_RECURSE = 32, /* shared and never waits for a waiting writer (srcu, maps) */
	LOCK_TRY = 64,     /* cannot wait: no edge towards this lock */
	LOCK_NEST = 128,   /* taken with an explicit subclass or an outer nest lock */
	LOCK_IRQ_OFF = 256, /* interrupts were off while it was taken */
	LOCK_IN_IRQ = 512, /* taken in interrupt context */
};

#define LOCK_SUBCLASS_MASK 7UL
