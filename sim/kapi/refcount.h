/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reference counts that notice misuse: "refcount_t: addition on 0;
 * use-after-free.", "underflow; use-after-free.", "saturated; leaking memory."
 * and "decrement hit 0; leaking memory." are findings. The last put orders
 * after all earlier ones.
 */
#pragma once

#include "sim/base/types.h"

typedef struct refcount_struct {
	int refs;
} refcount_t;

#define REFCOUNT_INIT(n)                                                                           \
	{                                                                                          \
		.refs = (n)                                                                        \
	}
#define REFCOUNT_SATURATED (-0x40000000)

struct mutex;
struct spinlock;

void refcount_set(refcount_t *r, int n);
unsigned refcount_read(const refcount_t *r);
void refcount_inc(refcount_t *r);
void refcount_add(int i, refcount_t *r);
bool refcount_inc_not_zero(refcount_t *r);
/* True if the count went to zero: the caller owns the object now. */
bool refcount_dec_and_test(refcount_t *r);
bool refcount_sub_and_test(int i, refcount_t *r);
void refcount_dec(refcount_t *r);
bool refcount_dec_if_one(refcount_t *r);
/* As dec_and_test, with the lock held when it returns true. */
bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *m);
