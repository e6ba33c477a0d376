// SPDX-License-Identifier: GPL-2.0-only
#include "tests/kit/locks.h"

#include "sim/kapi/slab.h"

struct locks locks;

void locks_boot(void)
{
	locks.a = kzalloc(sizeof(*locks.a), GFP_KERNEL);
	locks.b = kzalloc(sizeof(*locks.b), GFP_KERNEL);
	mutex_init(locks.a);
	mutex_init(locks.b);
}

void lock_pair(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

void a_then_b(void *arg)
{
	(void)arg;
	lock_pair(locks.a, locks.b);
}

void b_then_a(void *arg)
{
	(void)arg;
	lock_pair(locks.b, locks.a);
}
