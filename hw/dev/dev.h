/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Endpoints that issue DMA. Each is a model: registers in BAR 0 (of a platform
 * device: its only region), a state, and work of its own, which is a task of
 * hardware (sim/io). They reach memory only through hw/bus. docs/hardware.md
 * has their registers and descriptors.
 *
 * At DEV_INTX all have the same register: 1 while INTx is asserted; writing 1 ends that.
 *
 * Registers, descriptors and firmware are untrusted: whatever they say has a
 * modelled outcome; each step is bounded.
 */
#pragma once

#include "hw/bus/bus.h"

#define DEV_INTX 0xff8u

/* First member of each model's state. */
struct dev {
	const struct dev_model *model;
	struct fabric *fabric;
	u32 fn, worker;
	bool stepping, reset_due; /* a reset waits for the end of the step that is under way */
};

struct dev_model {
	const char *name;   /* in YAML */
	u32 class;          /* PCI class code; 0: none in particular */
	u64 bar_size;
	size_t state_size;  /* zeroed at creation; begins with struct dev */
	/* Further than that; NULL: nothing. False: err says why, in one line. */
	bool (*create)(struct dev *d, const struct machine_device *m, char *err, size_t err_size);
	void (*destroy)(struct dev *d);
	void (*reset)(struct dev *d); /* power-on; the struct dev stays */
	u64 (*read)(struct dev *d, u64 off, u32 size);
	void (*write)(struct dev *d, u64 off, u32 size, u64 value);
	bool (*step)(struct dev *d);  /* one step; false: nothing to do */
};

extern const struct dev_model dev_copy_engine, dev_ring_nic, dev_queue_storage, dev_firmware;

/*
 * Whether the file can be loaded; *hash goes on over what is loaded. False: err
 * says why, in one line.
 */
bool dev_firmware_check(const struct machine_device *m, u64 *hash, char *err, size_t err_size);

/* NULL: no such model. */
const struct dev_model *dev_find(const char *name);
/* Name of the i-th model, or NULL. */
const char *dev_model_name(u32 i);

/* Gives the machine's device fn this model; it lives as long as the fabric's world is loaded. */
struct dev *dev_create(struct fabric *f, u32 fn, const struct dev_model *model, char *err,
		       size_t err_size);

/* --- for the models --- */

/* pasid: a register's value: bit 31: with a PASID, bits 0 to 19: which. */
enum hw_status dev_read(struct dev *d, u64 addr, u32 pasid, void *to, u64 len);
/* Posted. */
void dev_post(struct dev *d, u64 addr, u32 pasid, const void *from, u64 len);
enum hw_status dev_write(struct dev *d, u64 addr, u32 pasid, const void *from, u64 len);

/* A register file of 64-bit words, written in parts of any size. */
u64 dev_reg_get(u64 reg, u64 off, u32 size);
u64 dev_reg_set(u64 reg, u64 off, u32 size, u64 value);
