/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failure points: what correct code must survive.
 *
 * Every allocation, user copy and declared call point asks fault_fires(). At
 * most one failure fires per run, the nth that was asked for (1-based; 0 =
 * none), so that `--fail-nth` sweeps n upwards until a run in which nothing
 * fired. Setup and teardown run with the points switched off.
 */
#pragma once

#include "sim/base/types.h"

enum fault_kind {
	FAULT_ALLOC, /* kmalloc and friends return NULL */
	FAULT_COPY,  /* copy_{from,to}_user returns bytes not copied */
	FAULT_CALL,  /* a named driver or core call returns an error */
	FAULT_N,
};

struct fault {
	bool armed;  /* only while the scenario's tasks run */
	u64 nth;     /* which point fails, 0 = none */
	u64 asked;   /* points passed so far in this run */
	bool fired;
	u64 fired_pc;
	enum fault_kind fired_kind;
};

void fault_reset(struct fault *f, u64 nth);

/* Whether this point fails now. pc is the caller's return address. */
static inline bool fault_fires(struct fault *f, enum fault_kind kind, u64 pc)
{
	if (!f->armed || ++f->asked != f->nth)
		return false;
	f->fired = true;
	f->fired_pc = pc;
	f->fired_kind = kind;
	return true;
}
