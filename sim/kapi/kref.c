// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/kref.h"

void kref_init(struct kref *k)
{
	refcount_set(&k->refcount, 1);
}

void kref_get(struct kref *k)
{
	refcount_inc(&k->refcount);
}

bool kref_get_unless_zero(struct kref *k)
{
	return refcount_inc_not_zero(&k->refcount);
}

bool kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (!refcount_dec_and_test(&k->refcount))
		return false;
	release(k);
	return true;
}
