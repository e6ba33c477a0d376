// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of operations that no machine has: a story that gives them is wrong, whatever
 * it expects. What may be right on some machine is for the operation itself.
 */
#include "hw/board/board.h"

#include "hw/dev/dev.h"
#include "sim/base/bits.h"
#include "sim/mem/frames.h"

#include <stdio.h>

enum kind {
	WIDTH = 1,  /* of an access */
	WIDTH_PCI,  /* likewise, in configuration space */
	MEMORY,     /* an address of `bytes`; 0: as many as the argument `size` says */
	PAGES,
	PASID,
	COPY,
	ATTRIBUTES,
	REGISTER,   /* an offset in the IOMMU's registers; bytes as of MEMORY */
	REGISTER_DEV, /* in the device's */
	REGISTER_PCI, /* in configuration space */
};

static const struct {
	u16 code;
	u8 arg, kind;
	u8 size, bytes; /* of MEMORY and REGISTER: the argument that says how many, and without */
} rules[] = {
	{OP_mmio_read, 2, WIDTH, 0, 0},     {OP_mmio_write, 3, WIDTH, 0, 0},
	{OP_mem_read, 1, WIDTH, 0, 0},      {OP_mem_write, 2, WIDTH, 0, 0},
	{OP_dev_read, 2, WIDTH, 0, 0},      {OP_dev_write, 3, WIDTH, 0, 0},
	{OP_config_read, 2, WIDTH_PCI, 0, 0}, {OP_config_write, 3, WIDTH_PCI, 0, 0},
	{OP_mem_read, 0, MEMORY, 1, 4},     {OP_mem_write, 0, MEMORY, 2, 8},
	{OP_mem_wait, 0, MEMORY, 0, 4},     {OP_page_request, 3, PAGES, 0, 0},
	{OP_page_request, 2, PASID, 0, 0},  {OP_ats, 2, PASID, 0, 0},
	{OP_dma_read, 2, PASID, 0, 0},      {OP_dma_write, 3, PASID, 0, 0},
	{OP_dma_post, 3, PASID, 0, 0},      {OP_dma_request, 3, PASID, 0, 0},
	{OP_dma_request, 2, ATTRIBUTES, 0, 0}, {OP_dma_copy, 3, COPY, 0, 0},
	{OP_mmio_read, 1, REGISTER, 2, 4},  {OP_mmio_write, 1, REGISTER, 3, 4},
	{OP_mmio_wait, 1, REGISTER, 0, 4},  {OP_mmio_agree, 1, REGISTER, 0, 4},
	{OP_mmio_agree, 2, REGISTER, 0, 4}, {OP_dev_read, 1, REGISTER_DEV, 2, 8},
	{OP_dev_write, 1, REGISTER_DEV, 3, 8}, {OP_dev_wait, 1, REGISTER_DEV, 0, 4},
	{OP_config_read, 1, REGISTER_PCI, 2, 4}, {OP_config_write, 1, REGISTER_PCI, 3, 4},
};

#define CONFIG_BYTES 4096u

static bool is_power(u64 n, u64 most)
{
	return n && n <= most && !(n & (n - 1));
}

static bool is_left_out(const struct op *op, u32 arg)
{
	return op_rows[op->code].arg[arg].type == OPARG_NUM_OPT && op->arg[arg] == OP_NONE;
}

/* How many bytes of registers there are; 0: none, which the operation itself says. */
static u64 room_of(const struct machine *m, const struct op *op, u32 kind)
{
	const struct dev_model *dev;
	u64 of = op->arg[0];

	if (kind == REGISTER_PCI)
		return CONFIG_BYTES;
	if (kind == REGISTER)
		return of < m->n_iommus ? board_registers(m->iommu[of].model) : 0;
	dev = of < m->n_devices ? dev_find(m->device[of].model) : NULL;
	return dev ? dev->bar_size : 0;
}

static bool in_registers(const struct machine *m, const struct op *op, u32 kind, u64 at, u64 bytes)
{
	u64 room = room_of(m, op, kind);

	/* Of a width that is wrong its own rule speaks. */
	return !room || !bytes || (!(at % bytes) && at < room && bytes <= room - at);
}

/* What was expected; NULL: it is so. */
static const char *expected(const struct machine *m, const struct op *op, u32 rule)
{
	u64 value = op->arg[rules[rule].arg], bytes = rules[rule].bytes;

	if (rules[rule].size && !is_left_out(op, rules[rule].size))
		bytes = op->arg[rules[rule].size];
	switch ((enum kind)rules[rule].kind) {
	case WIDTH:
		return is_power(value, 8) ? NULL : "1, 2, 4 or 8";
	case WIDTH_PCI:
		return is_power(value, 4) ? NULL : "1, 2 or 4";
	case MEMORY:
		return value && bytes && !(value % bytes) && frames_contains(value, bytes) ? NULL :
		       "a multiple of the size, above 0 and below 0xfe000000";
	case PAGES:
		return value && value <= BUS_PAGES_MAX ? NULL : "1 to 64";
	case PASID:
		return value <= 0xfffff ? NULL : "at most 0xfffff";
	case COPY:
		return value && value <= BOARD_COPY_MAX ? NULL : "1 to 1M";
	case ATTRIBUTES:
		return board_attributes(value) ? NULL : "read or write, and what goes with it";
	case REGISTER:
	case REGISTER_DEV:
	case REGISTER_PCI:
		return in_registers(m, op, rules[rule].kind, value, bytes) ? NULL :
		       "a multiple of the size, within the registers";
	}
	return NULL;
}

bool board_check_op(const struct machine *m, const struct op *op, u32 *arg, char *text,
		    size_t size)
{
	for (u32 i = 0; i < ARRAY_SIZE(rules); i++) {
		const char *want;

		*arg = rules[i].arg;
		if (rules[i].code != op->code || is_left_out(op, *arg))
			continue;
		want = expected(m, op, i);
		if (!want)
			continue;
		snprintf(text, size, "'%s' is %#llx, expected %s", op_rows[op->code].arg[*arg].name,
			 (unsigned long long)op->arg[*arg], want);
		return false;
	}
	*arg = 0;
	if (op->code != OP_mem_flush || (op->arg[1] && frames_contains(op->arg[0], op->arg[1])))
		return true;
	snprintf(text, size, "%#llx bytes at %#llx, expected memory, below 0xfe000000",
		 (unsigned long long)op->arg[1], (unsigned long long)op->arg[0]);
	return false;
}
