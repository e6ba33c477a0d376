// SPDX-License-Identifier: GPL-2.0-only
#include "tests/scenarios/explore/report_hooked.h"

#include "sim/kapi/atomic.h"
#include "sim/kapi/slab.h"

void planted_init(struct owner *o)
{
	mutex_init(&o->lock);
	o->domain = kzalloc(sizeof(*o->domain), GFP_KERNEL);
}

/* The bug: reads the domain outside of the lock. */
u64 planted_use(struct owner *o)
{
	struct domain *d = READ_ONCE(o->domain);

	return d ? READ_ONCE(d->type) : 0;
}

void planted_detach(struct owner *o)
{
	struct domain *d;

	mutex_lock(&o->lock);
	d = READ_ONCE(o->domain);
	WRITE_ONCE(o->domain, NULL);
	kfree(d);
	mutex_unlock(&o->lock);
}

void planted_count(struct owner *o)
{
	o->domain->refs++;
}
