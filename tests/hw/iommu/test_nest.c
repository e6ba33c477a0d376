// SPDX-License-Identifier: GPL-2.0-only
/*
 * Uses of tables that are due: what is the oldest of a set is what it would be if each had
 * been told of at once; also where their count goes around.
 */
#include "hw/iommu/cache_quick.h"
#include "hw/iommu/nest.h"
#include "sim/base/bits.h"

#include <criterion/criterion.h>
#include <string.h>

#define OWNER (5ULL << HW_NEST_RANGE_BITS)
#define TABLES 64u

static u64 random_state;

static u32 below(u32 n)
{
	random_state = cache_mix(random_state);
	return (u32)(random_state % n);
}

static struct hw_cache *full_cache(const char *replace)
{
	struct hw_cache_policy policy = {.kind = HW_CACHE_SETS, .entries = TABLES};
	struct hw_cache *c;
	u32 space;

	cr_assert_eq(hw_cache_option(&policy, "replace", replace), 1);
	c = hw_cache_create(NULL, "tables", &policy);
	space = hw_space(c, 1);
	for (u64 i = 0; i < TABLES; i++) {
		struct hw_cache_entry e = {.addr = i << 21, .space = space, .lg2 = 21};

		hw_cache_fill(c, &e, NULL, 0);
	}
	cr_assert_eq(hw_cache_count(c), TABLES);
	return c;
}

/* Of some nests and belows: at first a few, later many. */
static void use(struct hw_nests *n, struct hw_cache *now)
{
	u64 range = below(1 + below(20)), to = below(1 + below(20));
	struct hw_nest *nest = hw_nest_of(n, range << 21);
	struct hw_below *below = hw_below_of(n, to);
	u32 slot[3] = {(u32)range, 20 + (u32)range % 3, 30 + (u32)to};

	nest->key = OWNER | range;
	memcpy(hw_nest_slots(n, range << 21), slot, sizeof(slot[0]) * 2);
	below->key = OWNER | to;
	below->slot = slot[2];
	hw_nest_used(n, nest, below);
	for (u32 i = 0; i < 3; i++)
		cache_quick_touch(now, slot[i]);
}

static void same_ages(const struct hw_cache *a, const struct hw_cache *b)
{
	for (u32 i = 0; i <= a->set_mask; i++)
		cr_assert_eq(a->set[i].age, b->set[i].age);
}

static void in_order(const char *replace, u32 first)
{
	struct hw_cache *late = full_cache(replace), *now = full_cache(replace);
	struct hw_nests *n = hw_nests_create(late);

	random_state = first;
	for (u32 round = 0; round < 2000; round++) {
		if (round % 100 == 0)
			n->uses = first;
		for (u32 i = below(40); i; i--)
			use(n, now);
		hw_nests_settle(n);
		same_ages(late, now);
	}
	hw_nests_destroy(n);
	hw_cache_destroy(late);
	hw_cache_destroy(now);
}

Test(nest, what_is_due_is_done_in_order)
{
	in_order("lru", 0);
}

Test(nest, it_is_so_where_uses_are_counted_anew)
{
	in_order("lru", 0xffffffff - 10);
}

Test(nest, a_cache_without_ages_has_none)
{
	in_order("random", 0);
}

Test(nest, nothing_is_known_any_more)
{
	struct hw_cache *late = full_cache("lru"), *now = full_cache("lru");
	struct hw_nests *n = hw_nests_create(late);

	for (u32 i = 0; i < 100; i++)
		use(n, now);
	hw_nests_forget(n);
	same_ages(late, now);
	for (u64 range = 0; range < 20; range++) {
		cr_assert_eq(hw_nest_of(n, range << 21)->key, 0);
		cr_assert_eq(hw_below_of(n, range)->key, 0);
	}
	hw_nests_settle(NULL);
	hw_nests_forget(NULL);
	hw_nests_destroy(NULL);
	hw_nests_destroy(n);
	hw_cache_destroy(late);
	hw_cache_destroy(now);
}
