/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fibers: a stack and the six callee-saved registers on top of it.
 *
 * sched_fiber_switch() is the whole mechanism; nothing changes floating-point
 * control words here, so they are not saved. Under AddressSanitizer each switch
 * tells it which stack is current (sched.c wraps that around the switch).
 */
#pragma once

#include "sim/base/types.h"

/*
 * Saves the running context's stack pointer to *save and goes on in the one
 * that `to` was saved from (or prepared by sched_fiber_prepare()).
 */
void sched_fiber_switch(void **save, void *to);

/* A stack pointer that, when switched to, calls entry() with a terminated frame chain. */
void *sched_fiber_prepare(void *stack, size_t size, void (*entry)(void));

/* Where, in words from a saved stack pointer, the frame pointer and return address lie. */
#define FIBER_SAVED_FRAME 5
#define FIBER_SAVED_RETURN 6
#define FIBER_SAVED_WORDS 7
