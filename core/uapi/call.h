/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A system call as it is executed: bytes that are stored into the process's
 * memory before it, its arguments, and what is fetched from memory after it.
 *
 * It is what each way in (syzkaller text, YAML, a recorded client) is turned
 * into, so that there is one interpreter, one recorder and one shrinker. Values
 * that an earlier call gave are named by result slot, as in syzkaller's own
 * executable form.
 */
#pragma once

#include "sim/base/types.h"

#define CALL_ARGS_MAX 6
#define CALL_NO_RESULT 0xffffffffU

struct uapi_call;

/* A constant, or (result / div) + add; `value` stands for a result that is not there. */
struct call_value {
	u64 value;
	u32 result;  /* slot, or CALL_NO_RESULT: a constant */
	u64 div, add; /* div 0 counts as 1 */
};

enum call_in_kind {
	CALL_IN_DATA,  /* `data`, `size` bytes */
	CALL_IN_VALUE, /* `value`, little-endian, `size` 1, 2, 4 or 8 */
	CALL_IN_BITS,  /* `bits` bits at `shift` of the word of `size` that is there */
	CALL_IN_DEC,   /* `value` as text of `size` characters, as syzkaller's @ANYRESDEC */
	CALL_IN_HEX,
	CALL_IN_OCT,
};

struct call_in {
	enum call_in_kind kind;
	u64 addr;
	u64 size;
	u8 shift, bits;
	struct call_value value;
	const u8 *data;
};

/* After a call that did not fail: `size` (1, 2, 4, 8) bytes at addr into a slot. */
struct call_out {
	u64 addr;
	u32 size, result;
};

struct call {
	long nr;          /* x86-64's number; below 0: accepted, answered with 0, see calls.def */
	const struct uapi_call *row; /* what it is, NULL: unknown */
	const char *name; /* as written: "ioctl$IOMMU_IOAS_ALLOC" */
	u32 process;      /* 0 is there from the start */
	u32 thread;       /* in a recording: calls of one thread follow one another */
	u32 id;           /* its number in the program that was read or recorded */
	u32 *after;       /* ids of the calls of other threads that come first */
	u32 n_after;
	u32 line, column; /* in the file, 0 = none */
	struct call_value arg[CALL_ARGS_MAX];
	u32 n_args;
	struct call_in *in; /* in order */
	u32 n_in;
	struct call_out *out;
	u32 n_out;
	u32 result;       /* slot of the return value, or CALL_NO_RESULT */
	bool async;       /* in a task of its own */
	bool has_ret;     /* the result is to be `ret` */
	long ret;
	u32 fail_nth;     /* 1: the first failure point of the call fails; 0: none */
	u32 rerun;        /* so many times more, results ignored */
};

/* A program: calls in the order of the file. All memory is its own (scenarios/call frees it). */
struct call_program {
	struct call *call;
	u32 n;
	u32 n_results;
	char **result_name;     /* "r0" by slot; entries may be NULL */
	u64 *result_default;    /* what a use before the definition gets: 0, or ~0 for an fd */
	/* Memory that is there before the first call, zeroed and writable. */
	struct call_area {
		u64 addr, size;
	} *area;
	u32 n_areas;
};
