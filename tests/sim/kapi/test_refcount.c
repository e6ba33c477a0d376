// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/refcount.h"

#include "sim/kapi/kref.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "tests/sim/kapi/kapi_test.h"

struct object {
	struct kref kref;
	struct mutex m;
	u64 value;
};

static struct {
	struct object *o;
	int released;
} t;

static void boot(struct world *world, void *self)
{
	(void)world;
	(void)self;
	t.o = kzalloc(sizeof(*t.o), GFP_KERNEL);
	kref_init(&t.o->kref);
	mutex_init(&t.o->m);
	refcount_add(2, &t.o->kref.refcount);
}

static void release(struct kref *k)
{
	struct object *o = container_of(k, struct object, kref);

	access_range(&o->value, 8, OP_READ, 1);
	t.released++;
	kfree(o);
}

/* The write before the put is ordered before the release of the last one. */
static void putter(void *arg)
{
	kref_get(&t.o->kref);
	kref_put(&t.o->kref, release);
	if (arg)
		access_range(&t.o->value, 8, OP_WRITE, 1);
	kref_put(&t.o->kref, release);
}

static void start(struct world *world, void *self)
{
	(void)self;
	t.released = 0;
	sched_spawn(world->sched, "a", putter, t.o, 0);
	sched_spawn(world->sched, "b", putter, NULL, 0);
	sched_spawn(world->sched, "c", putter, NULL, 0);
}

Test(kref, the_last_put_releases_once_and_after_all_that_went_before)
{
	load_booted(boot, start);
	for (u64 seed = 1; seed <= 500; seed++) {
		struct world_run r = run(seed);

		cr_assert_null(r.finding, "%s", r.finding->title);
		cr_assert_eq(t.released, 1);
	}
}

static void put_mutex(void *arg)
{
	(void)arg;
	if (!refcount_dec_and_mutex_lock(&t.o->kref.refcount, &t.o->m))
		return;
	cr_assert(mutex_is_locked(&t.o->m));
	mutex_unlock(&t.o->m);
	release(&t.o->kref);
}

static void start_put_mutex(struct world *world, void *self)
{
	(void)self;
	t.released = 0;
	for (int i = 0; i < 3; i++)
		sched_spawn(world->sched, "put", put_mutex, NULL, 0);
}

Test(refcount, dec_and_mutex_lock_gives_the_lock_to_exactly_one)
{
	load_booted(boot, start_put_mutex);
	for (u64 seed = 1; seed <= 300; seed++) {
		struct world_run r = run(seed);

		cr_assert_null(r.finding, "%s", r.finding->title);
		cr_assert_eq(t.released, 1);
	}
}

/* --- misuse --- */

static void inc_on_zero(void *arg)
{
	(void)arg;
	refcount_set(&t.o->kref.refcount, 0);
	refcount_inc(&t.o->kref.refcount);
}

static void underflow(void *arg)
{
	(void)arg;
	refcount_set(&t.o->kref.refcount, 0);
	refcount_dec_and_test(&t.o->kref.refcount);
}

static void saturate(void *arg)
{
	(void)arg;
	refcount_set(&t.o->kref.refcount, 0x7fffffff);
	refcount_inc(&t.o->kref.refcount);
}

static void dec_to_zero(void *arg)
{
	(void)arg;
	refcount_set(&t.o->kref.refcount, 1);
	refcount_dec(&t.o->kref.refcount);
}

static void not_zero(void *arg)
{
	(void)arg;
	refcount_set(&t.o->kref.refcount, 0);
	cr_assert_not(refcount_inc_not_zero(&t.o->kref.refcount));
	refcount_set(&t.o->kref.refcount, 1);
	cr_assert(refcount_inc_not_zero(&t.o->kref.refcount));
	cr_assert_not(refcount_dec_if_one(&t.o->kref.refcount));
	cr_assert_eq(refcount_read(&t.o->kref.refcount), 2);
}

static void start_fn(struct world *world, void *self)
{
	sched_spawn(world->sched, "task", (void (*)(void *))self, NULL, 0);
}

static void expect(void (*fn)(void *), const char *text)
{
	struct world_program p = {.boot = boot, .start = start_fn, .self = (void *)fn};
	struct world_run r;

	w = world_create(0);
	world_load(w, &p);
	r = run(1);
	if (!text) {
		cr_assert_null(r.finding);
		return;
	}
	cr_assert(r.finding);
	cr_assert(strstr(r.finding->title, "refcount bug"), "%s", r.finding->title);
	cr_assert(strstr(r.finding->text, text), "%s", r.finding->text);
}

Test(refcount, addition_on_zero_is_a_finding)
{
	expect(inc_on_zero, "addition on 0; use-after-free");
}

Test(refcount, underflow_is_a_finding)
{
	expect(underflow, "underflow; use-after-free");
}

Test(refcount, overflow_is_a_finding)
{
	expect(saturate, "saturated; leaking memory");
}

Test(refcount, a_dec_that_hits_zero_is_a_finding)
{
	expect(dec_to_zero, "decrement hit 0");
}

Test(refcount, inc_not_zero_refuses_zero_and_counts_otherwise)
{
	expect(not_zero, NULL);
}
