/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reference count with its release function at the put.
 */
#pragma once

#include "sim/kapi/refcount.h"

struct kref {
	refcount_t refcount;
};

void kref_init(struct kref *k);
void kref_get(struct kref *k);
bool kref_get_unless_zero(struct kref *k);
/* Returns true if release() was called. */
bool kref_put(struct kref *k, void (*release)(struct kref *k));
