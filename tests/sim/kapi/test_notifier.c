// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/notifier.h"

#include "sim/kapi/err.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

struct chains {
	struct blocking_notifier_head blocking;
	struct atomic_notifier_head atomic;
	struct notifier_block nb[3];
};

static struct {
	struct chains *c;
	int order[8], n, stop_at;
} t;

static int called(struct notifier_block *nb, unsigned long action, void *data)
{
	cr_assert_eq(action, 42);
	cr_assert_eq(data, t.c);
	t.order[t.n++] = nb->priority;
	step();
	return nb->priority == t.stop_at ? NOTIFY_BAD : NOTIFY_OK;
}

static void boot(void)
{
	t.c = kzalloc(sizeof(*t.c), GFP_KERNEL);
	BLOCKING_INIT_NOTIFIER_HEAD(&t.c->blocking);
	ATOMIC_INIT_NOTIFIER_HEAD(&t.c->atomic);
	for (int i = 0; i < 3; i++)
		t.c->nb[i] = (struct notifier_block){.notifier_call = called, .priority = i};
}

static void begin(void)
{
	t.n = 0;
}

static void load_fn(void (*fn)(void *))
{
	load(.boot = boot, .begin = begin, .task = {fn});
}

static void chain(void *arg)
{
	struct blocking_notifier_head *h = &t.c->blocking;

	(void)arg;
	cr_assert_eq(blocking_notifier_call_chain(h, 42, t.c), NOTIFY_DONE);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(blocking_notifier_chain_register(h, &t.c->nb[i]), 0);
	cr_assert_eq(blocking_notifier_chain_register(h, &t.c->nb[1]), -EEXIST);
	t.stop_at = 1;
	cr_assert_eq(blocking_notifier_call_chain(h, 42, t.c), NOTIFY_BAD);
	cr_assert_eq(t.n, 2);
	cr_assert_eq(t.order[0], 2);
	cr_assert_eq(t.order[1], 1);
	cr_assert_eq(blocking_notifier_chain_unregister(h, &t.c->nb[1]), 0);
	cr_assert_eq(blocking_notifier_chain_unregister(h, &t.c->nb[1]), -ENOENT);
	cr_assert_eq(blocking_notifier_call_chain(h, 42, t.c), NOTIFY_OK);
	cr_assert_eq(t.n, 4);
}

Test(notifier, a_chain_is_called_by_priority_until_someone_stops_it)
{
	load_fn(chain);
	run_clean(1);
}

static void caller(void *arg)
{
	(void)arg;
	atomic_notifier_call_chain(&t.c->atomic, 42, t.c);
}

static void unregister_and_free(void *arg)
{
	struct notifier_block *nb = kzalloc(sizeof(*nb), GFP_KERNEL);

	(void)arg;
	nb->notifier_call = called;
	atomic_notifier_chain_register(&t.c->atomic, nb);
	spawn("caller", caller, NULL);
	step();
	atomic_notifier_chain_unregister(&t.c->atomic, nb);
	kfree(nb);
}

Test(notifier, unregistering_from_an_atomic_chain_waits_for_calls_that_run)
{
	load_fn(unregister_and_free);
	run_clean(300);
}
