/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation of a program, and the rows of ops.def.
 */
#pragma once

#include "sim/fact/fact.h"

#define OP_ARGS_MAX 4
#define OP_NONE 0xffffffffffffffffULL

enum op_code {
#define OP(name, doc, ...) OP_##name,
#define ARG(type, name)
#include "core/uapi/ops.def"
#undef OP
#undef ARG
	OP_CODES,
};

/* Rows from here on are system calls, which only a hosted kernel has. */
#define OP_CORE_CODES OP_iommufd_open
/* And from here on operations of hardware models, which hw/board performs. */
#define OP_BOARD_FIRST OP_dma_read

enum op_arg_type {
	OPARG_NONE,
	OPARG_IOMMU,   /* machine index */
	OPARG_DEVICE,  /* machine index */
	OPARG_DOMAIN,  /* program-wide slot, < OP_DOMAINS_MAX */
	OPARG_OWNER,   /* program-wide owner number, >= 1 */
	OPARG_DRIVER,  /* index into kernel_drivers[] (core/kernel) */
	OPARG_NUM,
	OPARG_NUM_OPT,
	OPARG_SIZE,
	OPARG_DOMTYPE, /* enum op_domtype */
};

enum op_domtype {
	OP_DOMTYPE_DMA,
	OP_DOMTYPE_DMA_FQ,
	OP_DOMTYPE_IDENTITY,
	OP_DOMTYPE_BLOCKED,
	OP_DOMTYPE_UNMANAGED,
	OP_DOMTYPES,
};
extern const char *const op_domtype_names[OP_DOMTYPES];

#define OP_DOMAINS_MAX 32
#define OP_OWNERS_MAX 32

struct op_row {
	const char *name, *doc;
	struct {
		enum op_arg_type type;
		const char *name;
	} arg[OP_ARGS_MAX];
};
extern const struct op_row op_rows[OP_CODES];

struct op {
	u16 code;
	u64 arg[OP_ARGS_MAX];
};

/* What oracles are told of it. */
enum fact_effect op_effect(u16 code);

/* The row's code, or -1. */
int op_find(const char *name);
