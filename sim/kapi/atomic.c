// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/atomic.h"

#include "sim/sched/sched.h"

void cpu_relax(void)
{
	sched_yield_now();
}

/* A moment of choice, so that a barrier is a place to stop at; it orders nothing. */
void kapi_barrier(enum kapi_barrier kind)
{
	(void)kind;
	sched_point(NULL, 0, OP_SYNC | OP_MARKED);
}
