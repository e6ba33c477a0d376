/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts the hardware of a machine together: IOMMU models, endpoints, the fabric
 * between them. And what a story can do with them: the rows of ops.def from
 * OP_BOARD_FIRST on. A machine without models of hardware has no fabric, and
 * costs nothing.
 */
#pragma once

#include "core/uapi/op.h"
#include "hw/bus/bus.h"

#define BOARD_ERR_SIZE 512
#define BOARD_COPY_MAX (1u << 20) /* bytes of one dma_copy */

/*
 * Whether the options and firmware of a machine can be used, without a world.
 * What is wrong, and of which entry: iommu or device is its index, else MACHINE_NONE.
 */
struct board_check {
	u32 iommu, device;
	u64 hash; /* of all firmware; 0: there is none */
	char text[BOARD_ERR_SIZE];
};
bool board_check(const struct machine *m, struct board_check *c);
/* Whether it has a model of an IOMMU or of a device; then its functions are those of a fabric. */
bool board_has_hardware(const struct machine *m);

/* As task 0, before the kernel boots. False: err, one line. */
bool board_build(struct world *w, const struct machine *m, char *err, size_t err_size);

/*
 * Of a kernel that drives no IOMMU whose walker does not snoop (stories do): its stores are
 * held in caches until mem_flush.
 */
void board_hold_stores(struct world *w);

/* Whether a story can mean this: false: text (one line) and which argument. */
bool board_check_op(const struct machine *m, const struct op *op, u32 *arg, char *text,
		    size_t size);
/* Bytes of registers of that model of an IOMMU; 0: it has none. */
u64 board_registers(const char *model);
/* Whether it waits, so that its time-out is a result that its user does not want. */
bool board_waits(u32 code);
/* Whether `attributes` of dma_request are some. */
bool board_attributes(u64 attributes);

/* Performs one operation in the current task: 0 or more, or -errno. */
long board_op(struct world *w, const struct op *op);
