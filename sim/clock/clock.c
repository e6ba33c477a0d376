// SPDX-License-Identifier: GPL-2.0-only
#include "sim/clock/clock.h"

#include "sim/base/assert.h"

void clock_reset(struct clock *c)
{
	c->now_ns = 0;
	c->n_fired = 0;
	INIT_LIST_HEAD(&c->armed);
}

void clock_timer_init(struct clock_timer *t, void (*fn)(struct clock_timer *t))
{
	INIT_LIST_HEAD(&t->node);
	t->at_ns = 0;
	t->fn = fn;
}

bool clock_timer_pending(const struct clock_timer *t)
{
	return !list_empty(&t->node);
}

void clock_timer_arm(struct clock *c, struct clock_timer *t, u64 delay_ns)
{
	struct clock_timer *after;

	sim_assert(t->fn);
	if (clock_timer_pending(t))
		list_del_init(&t->node);
	t->at_ns = c->now_ns + delay_ns < c->now_ns ? ~0ULL : c->now_ns + delay_ns;
	list_for_each_entry_reverse(after, &c->armed, node) {
		if (after->at_ns <= t->at_ns)
			break;
	}
	list_add(&t->node, &after->node);
}

bool clock_timer_cancel(struct clock_timer *t)
{
	if (!clock_timer_pending(t))
		return false;
	list_del_init(&t->node);
	return true;
}

struct clock_timer *clock_advance(struct clock *c)
{
	struct clock_timer *t = clock_next(c);

	sim_assert(t);
	sim_assert(t->at_ns >= c->now_ns);
	c->now_ns = t->at_ns;
	c->n_fired++;
	list_del_init(&t->node);
	return t;
}
