/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two makers of programs share: one takes a fuzzer's bytes (callgen.c),
 * the other random numbers and what it knows of the calls (deepgen.c).
 */
#pragma once

#include "core/uapi/uapi.h"
#include "fuzz/op/callgen.h"
#include "scenarios/syz/syz.h"

#define CALLGEN_SLOTS 192
#define CALLGEN_PAGES SYZ_BASE    /* what is mapped: 256 pages */
#define CALLGEN_IOVA 0x1000000ULL /* where a mock page table begins */

struct gen;

/* Where values come from that are not the bytes' own. */
struct gen_how {
	struct call_value (*resource)(struct gen *g, const struct uapi_resource *res);
	u64 (*number)(struct gen *g, const struct uapi_type *t, const char *name);
	const char *(*string)(struct gen *g, const char *def);
};

struct gen {
	struct call_program *p;
	struct call *c;
	const u8 *record, *data;
	size_t n_data;
	u32 at;
	u64 next; /* address of the call's next room */
	const struct uapi_resource *slot[CALLGEN_SLOTS];
	const struct gen_how *how; /* NULL: record and data */
	u64 random;
	u64 have; /* resources that results [0, looked_at) may stand for, by their place */
	u32 looked_at;
};

/* A byte. */
u32 callgen_pick(struct gen *g);
/* Appends a call of this row; the program must have room. */
void callgen_add(struct gen *g, const struct uapi_call *row);
struct call_program *callgen_program(u32 calls);
/* Rows that make sense on what is there: no mapping of memory, nothing that only says yes. */
const struct uapi_call *const *callgen_rows(u32 *n);
