// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/kapi.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/slab.h"
#include "tests/kit/oracle.h"
#include "tests/sim/oracle/check/kasan_hooked.h"

static struct {
	struct planted *object;
	int distance;
	u64 sum;
	bool hooks;
} t = {.hooks = IOMMULAB_HOOKS};

static void need_hooks(void)
{
	if (!t.hooks)
		cr_skip_test("this build has no access hooks");
}

static void boot(void)
{
	t.object = kzalloc(sizeof(*t.object), GFP_KERNEL);
}

/* --- use after free --- */

static void reader(void *arg)
{
	(void)arg;
	t.sum = kasan_read(t.object);
}

static void freer(void *arg)
{
	(void)arg;
	kfree(t.object);
}

Test(kasan, use_after_free_has_both_stacks)
{
	const struct finding *f;

	need_hooks();
	load_oracle("kasan", .boot = boot, .task = {reader, freer});
	f = fires("BUG: KASAN: slab-use-after-free in %F");
	cr_assert_str_eq(f->oracle, "kasan");
	cr_assert_str_eq(f->spot[0].what, "Read of size 8");
	cr_assert_eq(f->addr, (u64)(uintptr_t)&t.object->second);
	cr_assert_eq(f->object, (u64)(uintptr_t)t.object);
	cr_assert_str_eq(f->spot[1].what, "Allocated");
	cr_assert_eq(f->spot[1].task, 0);
	cr_assert_str_eq(f->spot[2].what, "Freed");
	cr_assert_neq(f->spot[2].task, f->spot[0].task);
	cr_assert_gt(f->spot[2].n, 0);
}

Test(kasan, reading_a_live_object_is_silent)
{
	load_oracle("kasan", .boot = boot, .task = {reader});
	silent();
}

/* --- out of bounds --- */

static void writer(void *arg)
{
	struct planted *p = kmalloc(sizeof(*p), GFP_KERNEL);

	(void)arg;
	kasan_write_behind(p, t.distance);
	kfree(p);
}

Test(kasan, a_write_into_the_redzone_is_out_of_bounds)
{
	need_hooks();
	load_oracle("kasan", .task = {writer});
	t.distance = 8;
	cr_assert(strstr(fires("KASAN: slab-out-of-bounds in %F")->text, "to the right"));
}

Test(kasan, the_first_byte_behind_an_object_is_out_of_bounds)
{
	need_hooks();
	load_oracle("kasan", .task = {writer});
	t.distance = 0;
	fires("KASAN: slab-out-of-bounds in %F");
	/* Padding inside of the struct is the object's own. */
	t.distance = -4;
	silent();
}

/* --- null, wild --- */

static void null_reader(void *arg)
{
	(void)arg;
	t.sum = kasan_read(NULL);
}

static void wild_reader(void *arg)
{
	(void)arg;
	t.sum = kasan_read((const struct planted *)(HEAP_BASE + HEAP_SLOT / 2));
}

Test(kasan, a_null_pointer_is_named)
{
	need_hooks();
	if (IOMMULAB_ASAN)
		cr_skip_test("UBSan stops at a null pointer before we do");
	load_oracle("kasan", .task = {null_reader});
	cr_assert_eq(fires("KASAN: null-ptr-deref in %F")->addr, offsetof(struct planted, second));
}

Test(kasan, heap_that_was_never_allocated_is_wild)
{
	need_hooks();
	load_oracle("kasan", .task = {wild_reader});
	cr_assert_eq(fires("KASAN: wild-memory-access in %F")->n_spots, 1);
}

/* --- uninitialised --- */

static void adder(void *arg)
{
	struct planted *p = arg ? kzalloc(sizeof(*p), GFP_KERNEL) : kmalloc(sizeof(*p), GFP_KERNEL);

	t.sum = kasan_add(p);
	kfree(p);
}

Test(kasan, what_nobody_wrote_is_uninitialised)
{
	need_hooks();
	load_oracle("kasan", .task = {adder});
	cr_assert_str_eq(fires("BUG: KMSAN: uninit-value in %F")->spot[1].what, "Allocated");
}

Test(kasan, zeroed_memory_is_silent)
{
	load_oracle("kasan", .task = {adder}, .arg = {&t});
	silent();
}

/* --- kfree --- */

static void twice(void *arg)
{
	void *p = kmalloc(32, GFP_KERNEL);

	(void)arg;
	kfree(p);
	kfree(p);
}

static void inside(void *arg)
{
	char *p = kmalloc(32, GFP_KERNEL);

	(void)arg;
	kfree(p + 16);
}

static void once(void *arg)
{
	(void)arg;
	kfree(kmalloc(32, GFP_KERNEL));
	kfree(NULL);
}

Test(kasan, freeing_twice_is_a_double_free)
{
	const struct finding *f;

	load_oracle("kasan", .task = {twice});
	f = fires("KASAN: double-free in %F");
	cr_assert_str_eq(f->spot[2].what, "Freed");
}

Test(kasan, freeing_the_middle_is_an_invalid_free)
{
	load_oracle("kasan", .task = {inside});
	cr_assert(strstr(fires("KASAN: invalid-free in %F")->text, "16 bytes inside of"));
}

Test(kasan, freeing_once_is_silent)
{
	load_oracle("kasan", .task = {once});
	silent();
}

/* --- services --- */

struct locked {
	struct mutex lock;
	struct rcu_head rcu;
};

static void locker(void *arg)
{
	struct locked *l = kzalloc(sizeof(*l), GFP_KERNEL);

	(void)arg;
	mutex_init(&l->lock);
	kfree(l);
	mutex_lock(&l->lock);
}

Test(kasan, a_service_on_a_freed_lock_is_a_use_after_free)
{
	load_oracle("kasan", .task = {locker});
	fires("KASAN: slab-use-after-free in %F");
}

Test(kasan, unselected_it_is_silent)
{
	load_oracle("race", .task = {twice});
	silent();
}
