// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/slab.h"

#include "sim/kapi/errno.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/string.h"
#include "tests/kit/program.h"

static void load_fn(void (*fn)(void *))
{
	load(.task = {fn});
}

static void everything(void *arg)
{
	struct kmem_cache *cache = kmem_cache_create("things", 40);
	u8 *p = kcalloc(4, 8, GFP_KERNEL), *q;
	char *s = kstrdup("hello", GFP_KERNEL), *f = kasprintf(GFP_KERNEL, "dev%d", 12);
	char small[4];

	(void)arg;
	for (int i = 0; i < 32; i++)
		cr_assert_eq(p[i], 0);
	memset(p, 7, 32);
	q = krealloc(p, 64, GFP_KERNEL);
	cr_assert_eq(q[31], 7);
	cr_assert_null(kcalloc(1UL << 33, 1UL << 33, GFP_KERNEL));
	cr_assert_eq(strcmp(s, "hello"), 0);
	cr_assert_eq(strcmp(f, "dev12"), 0);
	cr_assert_eq(strscpy(small, s, sizeof(small)), -E2BIG);
	cr_assert_eq(strcmp(small, "hel"), 0);
	cr_assert_eq(strscpy(small, "ab", sizeof(small)), 2);
	p = kmem_cache_zalloc(cache, GFP_KERNEL);
	cr_assert_str_eq(mem_find(this_world()->mem, (u64)(uintptr_t)p)->cache, "things");
	kmem_cache_free(cache, p);
	kmem_cache_destroy(cache);
	kfree(q);
	kfree(s);
	kfree(f);
	kfree(NULL);
}

Test(slab, all_allocators_work_and_leak_nothing)
{
	load_fn(everything);
	run_clean(3);
}

static void ignored(void *arg)
{
	void *p;

	(void)arg;
	p = kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);
	cr_assert(p);
	kfree(p);
	p = kmalloc(8, GFP_KERNEL);
	cr_assert_null(p);
}

Test(slab, the_injected_failure_spares_what_may_not_fail)
{
	struct world_run r;

	load_fn(ignored);
	r = run_with(.seed = 1, .fault_nth = 1);
	assert_clean(&r);
	cr_assert(r.fault_fired);
}

static void overrun(void *arg)
{
	char *p = kzalloc(8, GFP_KERNEL);

	(void)arg;
	memcpy(p, "123456789", 10);
}

Test(slab, a_memcpy_beyond_the_object_is_found)
{
	load_fn(overrun);
	run_finds_text(1, "slab-out-of-bounds");
}

static void unterminated(void *arg)
{
	char *p = kzalloc(8, GFP_KERNEL);

	(void)arg;
	memset(p, 'x', 8);
	strlen(p);
}

Test(slab, a_string_without_its_end_is_found)
{
	load_fn(unterminated);
	run_finds_text(1, "KASAN");
}
