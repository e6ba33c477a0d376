/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration and the log of DMA of vfio-emulated, on the tree's own framework; what our
 * core's does (core/vfio/migrator.c), to be held against it.
 */
#pragma once

#include <linux/vfio.h>

#define HOSTED_MIG_REGS 256

struct hosted_mig_file;

/* state, file: lock; runs, regs: regs_lock; the log: log_lock. */
struct hosted_migrator {
	struct vfio_device *vdev;
	struct mutex lock, regs_lock, log_lock;
	u32 state;
	struct hosted_mig_file *file;
	bool runs;
	u8 regs[HOSTED_MIG_REGS];
	unsigned long *bits; /* NULL: no log */
	unsigned long start, last, pgshift;
};

/* Of a vfio-emulated (vfio_device.c). */
struct hosted_migrator *hosted_migrator_of(struct vfio_device *vdev);
void hosted_migrator_init(struct hosted_migrator *m, struct vfio_device *vdev);
/* It may begin DMA. */
bool hosted_migrator_runs(struct hosted_migrator *m);
/* It has written there. */
void hosted_migrator_mark(struct hosted_migrator *m, unsigned long iova, unsigned long length);
void hosted_migrator_reset(struct hosted_migrator *m);
void hosted_migrator_close(struct hosted_migrator *m);
