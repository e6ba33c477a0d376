// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/refcount.h"

#include "sim/kapi/kapi.h"
#include "sim/kapi/kref.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

struct object {
	struct kref kref;
	struct mutex m;
	u64 value;
};

static struct {
	struct object *o;
	int released;
} t;

static void boot(void)
{
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

static void begin(void)
{
	t.released = 0;
}

Test(kref, the_last_put_releases_once_and_after_all_that_went_before)
{
	load(.boot = boot, .begin = begin, .task = {putter, putter, putter}, .arg = {&t});
	for (u64 seed = 1; seed <= 500; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
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

Test(refcount, dec_and_mutex_lock_gives_the_lock_to_exactly_one)
{
	load(.boot = boot, .begin = begin, .task = {put_mutex, put_mutex, put_mutex});
	for (u64 seed = 1; seed <= 300; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
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

static void expect(void (*fn)(void *), const char *text)
{
	const struct finding *f;

	load(.boot = boot, .task = {fn});
	f = run_finds(1, "refcount bug");
	cr_assert(strstr(f->text, text), "%s", f->text);
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
	load(.boot = boot, .task = {not_zero});
	run_clean(1);
}
