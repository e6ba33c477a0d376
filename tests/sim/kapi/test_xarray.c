// SPDX-License-Identifier: GPL-2.0-only
/*
 * Against a twin: an array of all indices that exist.
 */
#include "sim/kapi/xarray.h"

#include "sim/kapi/idr.h"
#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

#define TWIN_N 64

static struct {
	struct xarray *xa;
	struct ida *ida;
	struct idr *idr;
	void *twin[TWIN_N];
	u64 live_before;
} t;

static void boot(void)
{
	t.xa = kzalloc(sizeof(*t.xa), GFP_KERNEL);
	t.ida = kzalloc(sizeof(*t.ida), GFP_KERNEL);
	t.idr = kzalloc(sizeof(*t.idr), GFP_KERNEL);
	xa_init_flags(t.xa, XA_FLAGS_ALLOC);
	ida_init(t.ida);
	idr_init(t.idr);
}

static void begin(void)
{
	memset(t.twin, 0, sizeof(t.twin));
}

static void load_fn(void (*fn)(void *))
{
	load(.boot = boot, .begin = begin, .task = {fn});
}

static u32 below(u32 n)
{
	return choice_below(this_world()->choice, CHOICE_DATA, n);
}

static u32 twin_free(u32 min_index, u32 max_index)
{
	u32 i = min_index;

	while (i < TWIN_N && t.twin[i])
		i++;
	return i <= max_index ? i : TWIN_N;
}

static void compare(void)
{
	unsigned long index, at = 0;
	void *entry;

	xa_for_each(t.xa, index, entry) {
		for (; at < index; at++)
			cr_assert_null(t.twin[at]);
		cr_assert_eq(entry, t.twin[index]);
		at = index + 1;
	}
	for (; at < TWIN_N; at++)
		cr_assert_null(t.twin[at]);
}

static void one_change(void)
{
	u32 i = below(TWIN_N), lo = below(TWIN_N / 2), hi = lo + below(TWIN_N / 2), id, want;
	void *entry = xa_mk_value(1 + below(1000)), *old = t.twin[i];
	int err;

	switch (below(5)) {
	case 0:
		cr_assert_eq(xa_store(t.xa, i, entry, GFP_KERNEL), old);
		t.twin[i] = entry;
		break;
	case 1:
		cr_assert_eq(xa_erase(t.xa, i), old);
		t.twin[i] = NULL;
		break;
	case 2:
		err = xa_insert(t.xa, i, entry, GFP_KERNEL);
		cr_assert_eq(err, old ? -EBUSY : 0);
		if (!old)
			t.twin[i] = entry;
		break;
	case 3:
		want = twin_free(lo, hi);
		err = xa_alloc(t.xa, &id, entry, XA_LIMIT(lo, hi), GFP_KERNEL);
		cr_assert_eq(err, want == TWIN_N ? -EBUSY : 0);
		if (err)
			break;
		cr_assert_eq(id, want);
		t.twin[id] = entry;
		break;
	default:
		cr_assert_eq(xa_cmpxchg(t.xa, i, lo & 1 ? old : entry, NULL, GFP_KERNEL), old);
		if (lo & 1 || old == entry)
			t.twin[i] = NULL;
	}
	cr_assert_eq(xa_load(t.xa, i), t.twin[i]);
}

static void random_changes(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++)
		one_change();
	compare();
	for (u32 i = 0; i < TWIN_N; i++)
		xa_erase(t.xa, i);
	cr_assert(xa_empty(t.xa));
}

Test(xarray, it_does_what_a_plain_array_does_and_owns_nothing_when_empty)
{
	load_fn(random_changes);
	run_clean(50);
}

static void reserve(void *arg)
{
	u32 id;

	(void)arg;
	cr_assert_eq(xa_alloc(t.xa, &id, NULL, xa_limit_32b, GFP_KERNEL), 0);
	cr_assert_eq(id, 0);
	cr_assert_null(xa_load(t.xa, 0));
	cr_assert_not(xa_empty(t.xa));
	cr_assert_eq(xa_insert(t.xa, 0, xa_mk_value(1), GFP_KERNEL), -EBUSY);
	cr_assert_null(xa_store(t.xa, 0, xa_mk_value(9), GFP_KERNEL));
	cr_assert_eq(xa_to_value(xa_load(t.xa, 0)), 9);
	xa_release(t.xa, 0);
	cr_assert_eq(xa_to_value(xa_erase(t.xa, 0)), 9);
	cr_assert_eq(xa_reserve(t.xa, 5, GFP_KERNEL), 0);
	xa_release(t.xa, 5);
	cr_assert(xa_empty(t.xa));
}

Test(xarray, a_reserved_index_is_occupied_but_loads_as_nothing)
{
	load_fn(reserve);
	run_clean(1);
}

static void cyclic(void *arg)
{
	struct xa_limit limit = XA_LIMIT(1, 3);
	u32 next = 0, id;

	(void)arg;
	for (u32 i = 0; i < 3; i++) {
		cr_assert_eq(xa_alloc_cyclic(t.xa, &id, t.xa, limit, &next, GFP_KERNEL), 0);
		cr_assert_eq(id, i + 1);
	}
	cr_assert_eq(xa_alloc_cyclic(t.xa, &id, t.xa, limit, &next, GFP_KERNEL), -EBUSY);
	xa_erase(t.xa, 2);
	cr_assert_eq(xa_alloc_cyclic(t.xa, &id, t.xa, limit, &next, GFP_KERNEL), 1);
	cr_assert_eq(id, 2);
	xa_destroy(t.xa);
}

Test(xarray, cyclic_allocation_goes_on_and_wraps)
{
	load_fn(cyclic);
	run_clean(1);
}

static void storer(void *arg)
{
	u32 id;

	(void)arg;
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(xa_alloc(t.xa, &id, xa_mk_value(1), xa_limit_32b, GFP_KERNEL), 0);
		cr_assert_lt(id, TWIN_N);
		cr_assert_null(t.twin[id]);
		t.twin[id] = t.xa;
	}
}

static void empty(void)
{
	for (u32 i = 0; i < 12; i++)
		cr_assert(t.twin[i]);
	xa_destroy(t.xa);
}

static void each_update(void *arg)
{
	u32 id, next = 0;

	(void)arg;
	for (unsigned long i = 0; i < 20; i++)
		cr_assert(!xa_store(t.xa, i * 3, t.xa, GFP_KERNEL));
	cr_assert(!xa_insert(t.xa, 1, t.xa, GFP_ATOMIC));
	cr_assert_eq(xa_insert(t.xa, 1, t.xa, GFP_KERNEL), -EBUSY);
	cr_assert(!xa_alloc(t.xa, &id, t.xa, xa_limit_31b, GFP_KERNEL));
	cr_assert(!xa_alloc_cyclic(t.xa, &id, t.xa, xa_limit_31b, &next, GFP_KERNEL));
	cr_assert(!xa_reserve(t.xa, 1000, GFP_KERNEL));
	xa_release(t.xa, 1000);
	cr_assert_eq(xa_cmpxchg(t.xa, 3, t.xa, t.ida, GFP_KERNEL), t.xa);
	cr_assert_eq(xa_erase(t.xa, 3), t.ida);
	cr_assert(!xa_erase(t.xa, 3));
	xa_destroy(t.xa);
}

/* In a build without hooks, what nobody looks at goes a shorter way. */
Test(xarray, an_update_is_as_many_operations_whether_anybody_looks_or_not)
{
	u64 steps[2];

	load(.boot = boot, .begin = begin, .task = {each_update});
	steps[0] = run_with(.seed = 1).steps;
	load(.boot = boot, .begin = begin, .task = {each_update}, .oracles = "none");
	steps[1] = run_with(.seed = 1).steps;
	cr_assert_eq(steps[0], steps[1]);
	cr_assert_gt(steps[0], 60);
}

static u32 waited;

static void hold(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		u32 n;

		xa_lock(t.xa);
		n = t.xa->n;
		for (int k = 0; k < 8; k++)
			access_service(&t.xa->flags, OP_READ);
		cr_assert_eq(t.xa->n, n, "an update beside the holder of the lock");
		waited += !list_empty(&t.xa->xa_lock.waiters);
		xa_unlock(t.xa);
	}
}

static void update(void *arg)
{
	(void)arg;
	for (unsigned long i = 0; i < 10; i++)
		cr_assert(!xa_store(t.xa, i, t.xa, GFP_KERNEL));
	for (unsigned long i = 0; i < 10; i++)
		cr_assert_eq(xa_erase(t.xa, i), t.xa);
}

Test(xarray, an_update_waits_for_who_holds_the_lock)
{
	load(.boot = boot, .begin = begin, .task = {hold, update}, .oracles = "none");
	for (u64 seed = 1; seed <= 300; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
	}
	cr_assert_gt(waited, 100);
}

Test(xarray, concurrent_allocations_never_give_a_number_twice)
{
	load(.boot = boot, .begin = begin, .task = {storer, storer, storer}, .shutdown = empty);
	run_clean(300);
}

static void failing(void *arg)
{
	void *old = xa_store(t.xa, 3, t.xa, GFP_KERNEL);

	(void)arg;
	cr_assert(xa_is_err(old));
	cr_assert_eq(xa_err(old), -ENOMEM);
	cr_assert(xa_empty(t.xa));
	cr_assert_null(xa_store(t.xa, 3, t.xa, GFP_KERNEL));
	xa_destroy(t.xa);
}

Test(xarray, a_store_without_memory_changes_nothing)
{
	struct world_run r;

	load_fn(failing);
	r = run_with(.seed = 1, .fault_nth = 1);
	assert_clean(&r);
	cr_assert(r.fault_fired);
}

static void numbers(void *arg)
{
	void *entry;
	int id;

	(void)arg;
	for (int i = 0; i < 10; i++)
		cr_assert_eq(ida_alloc(t.ida, GFP_KERNEL), i);
	ida_free(t.ida, 4);
	cr_assert_eq(ida_alloc_min(t.ida, 3, GFP_KERNEL), 4);
	cr_assert_eq(ida_alloc_range(t.ida, 2, 5, GFP_KERNEL), -ENOSPC);
	cr_assert_eq(ida_alloc_max(t.ida, 9, GFP_KERNEL), -ENOSPC);
	for (u32 i = 0; i < 10; i++)
		ida_free(t.ida, i);
	cr_assert(ida_is_empty(t.ida));
	cr_assert_eq(idr_alloc(t.idr, &id, 3, 5, GFP_KERNEL), 3);
	cr_assert_eq(idr_alloc(t.idr, t.idr, 3, 5, GFP_KERNEL), 4);
	cr_assert_eq(idr_alloc(t.idr, t.idr, 3, 5, GFP_KERNEL), -ENOSPC);
	cr_assert_eq(idr_find(t.idr, 3), &id);
	cr_assert_eq(idr_replace(t.idr, t.ida, 3), &id);
	cr_assert_eq(PTR_ERR(idr_replace(t.idr, t.ida, 9)), -ENOENT);
	idr_for_each_entry(t.idr, entry, id)
		cr_assert_eq(entry, id == 3 ? (void *)t.ida : (void *)t.idr);
	cr_assert_eq(idr_remove(t.idr, 3), t.ida);
	cr_assert_eq(idr_remove(t.idr, 4), t.idr);
	cr_assert(idr_is_empty(t.idr));
}

Test(idr, ida_and_idr_hand_out_the_lowest_free_number)
{
	load_fn(numbers);
	run_clean(1);
}

static void free_unallocated(void *arg)
{
	(void)arg;
	ida_free(t.ida, 3);
}

Test(idr, freeing_a_number_that_is_not_allocated_is_a_finding)
{
	load_fn(free_unallocated);
	run_finds_text(1, "ida_free called for id=3");
}
