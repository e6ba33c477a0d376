// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache against a twin that is a plain list: after each step both hold the
 * same entries, but for those that a bounded cache may evict to make room.
 */
#include "hw/iommu/cache_quick.h"

#include "sim/base/bits.h"
#include "sim/choice/choice.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define TWIN_MAX 4096

struct twin_entry {
	struct hw_cache_entry e;
	u64 tag;
	bool seen;
};

struct twin {
	struct hw_cache *c;
	struct choice choice;
	struct twin_entry entry[TWIN_MAX];
	u32 n;
	u32 evicted;
};

static struct hw_env no_env;

static struct hw_cache_policy policy(enum hw_cache_kind kind, u32 entries)
{
	return (struct hw_cache_policy){.kind = kind, .entries = entries, .provenance = true};
}

static u32 below(struct twin *t, u32 n)
{
	return choice_below(&t->choice, CHOICE_DATA, n);
}

/* Few tags and pages, so that things meet; now and then far away ones. */
static u64 some_tag(struct twin *t)
{
	return below(t, 20) ? below(t, 5) : 1ULL << 40 | below(t, 3) << 16;
}

static u64 some_addr(struct twin *t)
{
	u64 page = below(t, 8) ? below(t, 96) : choice_word(&t->choice, CHOICE_DATA) >> 12;

	return page << 12 | below(t, 4096);
}

static u32 some_lg2(struct twin *t)
{
	static const u8 lg2[] = {12, 12, 12, 21, 14, 30, 0, 63};

	return lg2[below(t, ARRAY_SIZE(lg2))];
}

static bool listed(void *arg, const struct hw_cache_entry *e, u64 tag)
{
	struct twin *t = arg;

	for (u32 i = 0; i < t->n; i++) {
		struct twin_entry *k = &t->entry[i];

		if (k->e.id != e->id)
			continue;
		cr_assert(k->tag == tag && k->e.addr == e->addr && k->e.lg2 == e->lg2 &&
			  k->e.value == e->value && k->e.extra == e->extra && !k->seen);
		k->seen = true;
		return false;
	}
	cr_assert_fail("entry %u of tag %#lx at %#lx is not in the twin", e->id,
		  (unsigned long)tag, (unsigned long)e->addr);
	return false;
}

/* Both hold the same; of the twin's, up to `spare` may be gone, and are taken from it. */
static void agree(struct twin *t, u32 spare, const char *after)
{
	u32 n = 0;

	for (u32 i = 0; i < t->n; i++)
		t->entry[i].seen = false;
	hw_cache_drop_if(t->c, listed, t);
	for (u32 i = 0; i < t->n; i++) {
		if (t->entry[i].seen)
			t->entry[n++] = t->entry[i];
		else
			cr_assert(spare-- > 0, "after %s: entry %u is gone", after, t->entry[i].e.id);
	}
	t->evicted += t->n - n;
	t->n = n;
	cr_assert_eq(hw_cache_count(t->c), n);
}

static void drop_listed(struct twin *t, u64 mask, u64 match, u64 addr, u64 last)
{
	u32 n = 0;

	for (u32 i = 0; i < t->n; i++) {
		const struct twin_entry *k = &t->entry[i];
		u64 end = k->e.addr + ((1ULL << k->e.lg2) - 1);

		if ((k->tag & mask) != match || k->e.addr > last || end < addr)
			t->entry[n++] = *k;
	}
	t->n = n;
}

static void do_fill(struct twin *t)
{
	struct hw_cache_entry e = {.value = choice_word(&t->choice, CHOICE_DATA),
				   .extra = choice_word(&t->choice, CHOICE_DATA),
				   .addr = some_addr(t), .lg2 = some_lg2(t)};
	struct hw_cache_word word[HW_PROV_MAX], back[HW_PROV_MAX];
	u64 tag = some_tag(t), start = e.addr >> e.lg2 << e.lg2;
	u32 n = below(t, HW_PROV_MAX + 1);
	bool bounded = t->c->policy.kind != HW_CACHE_INFINITE;

	for (u32 i = 0; i < n; i++)
		word[i] = (struct hw_cache_word){choice_word(&t->choice, CHOICE_DATA), i};
	e.space = hw_space(t->c, tag);
	cr_assert_eq(hw_space_tag(t->c, e.space), tag);
	for (u32 i = 0; i < t->n; i++) {
		const struct twin_entry *k = &t->entry[i];

		if (k->tag == tag && k->e.addr == start && k->e.lg2 == e.lg2)
			t->entry[i--] = t->entry[--t->n];
	}
	e.id = hw_cache_fill(t->c, &e, word, n);
	e.addr = start;
	if (t->c->policy.kind != HW_CACHE_NONE) {
		cr_assert_lt(t->n, TWIN_MAX);
		t->entry[t->n++] = (struct twin_entry){.e = e, .tag = tag};
		cr_assert_eq(hw_cache_provenance(t->c, e.id, back), n);
		cr_assert_arr_eq(back, word, n * sizeof(*word));
	}
	agree(t, bounded, "a fill");
}

static void do_find(struct twin *t)
{
	u64 tag = some_tag(t), addr = some_addr(t);
	u32 space = hw_space_find(t->c, tag);
	const struct hw_cache_entry *e = space ? hw_cache_find(t->c, space, addr) : NULL;
	const struct twin_entry *best = NULL;

	for (u32 i = 0; i < t->n; i++) {
		const struct twin_entry *k = &t->entry[i];

		if (k->tag == tag && addr >> k->e.lg2 == k->e.addr >> k->e.lg2 &&
		    (!best || k->e.lg2 < best->e.lg2))
			best = k;
	}
	cr_assert_eq(!e, !best);
	if (e)
		cr_assert_eq(e->id, best->e.id);
}

static void do_drop_range(struct twin *t)
{
	u64 tag = some_tag(t), addr = some_addr(t), last;
	u32 space = hw_space(t->c, tag);

	switch (below(t, 4)) {
	case 0:
		last = addr;
		break;
	case 1:
		last = addr + (below(t, 16) << 12);
		break;
	case 2:
		last = addr + ((u64)below(t, 1 << 20) << 12);
		break;
	default:
		last = choice_word(&t->choice, CHOICE_DATA);
	}
	last = max(last, addr);
	hw_cache_drop_range(t->c, space, addr, last);
	drop_listed(t, ~0ULL, tag, addr, last);
	agree(t, 0, "a drop of a range");
}

static bool odd_page(void *arg, const struct hw_cache_entry *e, u64 tag)
{
	u64 *last_id = arg;

	cr_assert_gt(e->id, *last_id, "not in order of fill");
	*last_id = e->id;
	return (e->addr >> 12 & 1) && tag < 3;
}

static void do_drop_if(struct twin *t)
{
	u64 last_id = 0, any = 0;
	u32 n = 0;

	hw_cache_drop_if(t->c, odd_page, &last_id);
	for (u32 i = 0; i < t->n; i++) {
		any = 0;
		if (!odd_page(&any, &t->entry[i].e, t->entry[i].tag))
			t->entry[n++] = t->entry[i];
	}
	t->n = n;
	agree(t, 0, "a drop by rule");
}

static void step(struct twin *t)
{
	u64 tag, mask;

	switch (below(t, 40)) {
	case 0:
		tag = some_tag(t);
		hw_cache_drop_space(t->c, hw_space(t->c, tag));
		drop_listed(t, ~0ULL, tag, 0, ~0ULL);
		agree(t, 0, "a drop of a space");
		break;
	case 1:
		mask = 1ULL << 40 | 1;
		tag = some_tag(t) & mask;
		hw_cache_drop_tags(t->c, mask, tag);
		drop_listed(t, mask, tag, 0, ~0ULL);
		agree(t, 0, "a drop by tag");
		break;
	case 2:
		if (below(t, 8))
			break;
		hw_cache_drop_all(t->c);
		t->n = 0;
		agree(t, 0, "a drop of all");
		break;
	case 3:
		do_drop_if(t);
		break;
	case 4 ... 7:
		do_drop_range(t);
		break;
	case 8 ... 19:
		do_find(t);
		break;
	default:
		do_fill(t);
	}
}

static void against_twin(const struct hw_cache_policy *p, bool scalar, u32 serial, u32 epoch)
{
	struct twin *t = calloc(1, sizeof(*t));

	for (u32 seed = 1; seed <= 3; seed++) {
		t->c = hw_cache_create(&no_env, "twin", p);
		if (scalar)
			hw_cache_scalar(t->c);
		hw_cache_wind(t->c, serial, epoch);
		choice_seed(&t->choice, seed);
		t->n = 0;
		t->evicted = 0;
		for (u32 i = 0; i < 4000; i++)
			step(t);
		if (p->kind == HW_CACHE_TINY)
			cr_assert_gt(t->evicted, 100);
		hw_cache_destroy(t->c);
	}
	free(t);
}

Test(cache, every_policy_agrees_with_a_plain_list)
{
	const struct hw_cache_policy p[] = {policy(HW_CACHE_INFINITE, 0), policy(HW_CACHE_SETS, 64),
					    policy(HW_CACHE_SETS, 4096), policy(HW_CACHE_TINY, 0),
					    policy(HW_CACHE_NONE, 0)};

	for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
		against_twin(&p[i], false, 0, 1);
		against_twin(&p[i], true, 0, 1);
	}
}

Test(cache, ids_and_epochs_that_wrap_lose_and_revive_nothing)
{
	struct hw_cache_policy p = policy(HW_CACHE_INFINITE, 0);

	/* The twin follows ids, so it sees the wrap of epochs only. */
	against_twin(&p, false, 0, 0xfffffffdu);
	p = policy(HW_CACHE_SETS, 64);
	against_twin(&p, false, 0, 0xfffffffdu);
}

static u32 fill_page(struct hw_cache *c, u64 tag, u64 page, u64 value)
{
	struct hw_cache_entry e = {.value = value, .addr = page << 12, .lg2 = 12,
				   .space = hw_space(c, tag)};
	struct hw_cache_word w = {.pa = page, .value = value};

	return hw_cache_fill(c, &e, &w, 1);
}

static const struct hw_cache_entry *find_page(struct hw_cache *c, u64 tag, u64 page)
{
	u32 space = hw_space_find(c, tag);

	return space ? hw_cache_find(c, space, page << 12) : NULL;
}

static void wrap_of_ids(const struct hw_cache_policy *p)
{
	struct hw_cache *c = hw_cache_create(&no_env, "wrap", p);
	struct hw_cache_word w[HW_PROV_MAX];

	hw_cache_wind(c, 0xffffffffu - 6, 1);
	fill_page(c, 1, 1, 11);
	fill_page(c, 2, 2, 22);
	hw_cache_drop_space(c, hw_space(c, 1));
	fill_page(c, 1, 3, 33);
	fill_page(c, 3, 4, 44);
	hw_cache_drop_range(c, hw_space(c, 3), 4 << 12, 4 << 12);
	fill_page(c, 2, 5, 55);
	cr_assert_eq(fill_page(c, 2, 6, 66), 0xffffffffu);
	cr_assert_eq(fill_page(c, 2, 7, 77), 5);
	cr_assert_null(find_page(c, 1, 1));
	cr_assert_null(find_page(c, 3, 4));
	cr_assert_eq(find_page(c, 2, 2)->id, 1);
	cr_assert_eq(find_page(c, 1, 3)->id, 2);
	cr_assert_eq(find_page(c, 2, 6)->id, 4);
	cr_assert_eq(hw_cache_count(c), 5);
	cr_assert_eq(hw_cache_provenance(c, 2, w), 1);
	cr_assert_eq(w[0].value, 33);
	cr_assert_eq(hw_cache_provenance(c, 5, w), 1);
	cr_assert_eq(w[0].value, 77);
	hw_cache_destroy(c);
}

Test(cache, when_ids_are_used_up_the_living_are_numbered_anew)
{
	struct hw_cache_policy infinite = policy(HW_CACHE_INFINITE, 0);
	struct hw_cache_policy sets = policy(HW_CACHE_SETS, 64);

	wrap_of_ids(&infinite);
	wrap_of_ids(&sets);
}

Test(cache, an_epoch_that_comes_again_revives_nothing)
{
	struct hw_cache_policy p = policy(HW_CACHE_INFINITE, 0);
	struct hw_cache *c = hw_cache_create(&no_env, "epoch", &p);

	fill_page(c, 1, 1, 11);
	hw_cache_drop_all(c);
	hw_cache_wind(c, 1, 0xffffffffu);
	hw_cache_drop_all(c);
	cr_assert_null(find_page(c, 1, 1));
	cr_assert_eq(hw_cache_count(c), 0);
	fill_page(c, 1, 2, 22);
	cr_assert_null(find_page(c, 1, 1));
	cr_assert_eq(find_page(c, 1, 2)->value, 22);
	hw_cache_destroy(c);
}

/* Short ranges are probed, long ones scanned: both to the byte. */
Test(cache, a_range_ends_where_it_ends)
{
	const u64 lengths[] = {1, 4096, 1ULL << 40};
	struct hw_cache_policy p = policy(HW_CACHE_SETS, 64);

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct hw_cache *c = hw_cache_create(&no_env, "range", &p);
		u32 space = hw_space(c, 1);
		u64 first = (5ULL << 12) + 4095, last = first + lengths[i] - 1;
		u64 behind = (last >> 12) + 1;

		fill_page(c, 1, 4, 4);
		fill_page(c, 1, 5, 5);
		fill_page(c, 1, last >> 12, 6);
		fill_page(c, 1, behind, 7);
		hw_cache_drop_range(c, space, first, last);
		cr_assert(find_page(c, 1, 4) && find_page(c, 1, behind));
		cr_assert_null(find_page(c, 1, 5));
		cr_assert_null(find_page(c, 1, last >> 12));
		/* A range that begins and ends within a page, from either side. */
		hw_cache_drop_range(c, space, (4ULL << 12) + 7, (4ULL << 12) + 7);
		cr_assert_null(find_page(c, 1, 4));
		cr_assert(find_page(c, 1, behind));
		hw_cache_drop_range(c, space, 0, (behind << 12) - 1);
		cr_assert(find_page(c, 1, behind));
		hw_cache_drop_range(c, space, 0, behind << 12);
		cr_assert_null(find_page(c, 1, behind));
		hw_cache_destroy(c);
	}
}

Test(cache, vector_and_scalar_compares_are_equal)
{
	struct hw_cache_policy p = policy(HW_CACHE_SETS, 64);
	struct choice ch;

	if (!__builtin_cpu_supports("avx2"))
		cr_skip_test("no AVX2 here");
	choice_seed(&ch, 1);
	for (u32 round = 0; round < 2000; round++) {
		_Alignas(64) u32 tags[WAYS];

		for (u32 i = 0; i < WAYS; i++)
			tags[i] = choice_below(&ch, CHOICE_DATA, 3) * 0x80010001u;
		for (u32 k = 0; k < 3; k++)
			cr_assert_eq(cache_probe_avx2.match(tags, k * 0x80010001u),
				     cache_probe_scalar.match(tags, k * 0x80010001u));
	}
	/* And the whole of a cache: the same steps leave the same slots. */
	for (u32 seed = 1; seed < 5; seed++) {
		struct twin *t[2];

		for (u32 i = 0; i < 2; i++) {
			t[i] = calloc(1, sizeof(**t));
			t[i]->c = hw_cache_create(&no_env, "pair", &p);
			if (i)
				hw_cache_scalar(t[i]->c);
			choice_seed(&t[i]->choice, seed);
			for (u32 k = 0; k < 2000; k++)
				step(t[i]);
		}
		cr_assert_arr_eq(t[0]->c->set, t[1]->c->set, 8 * sizeof(struct cache_set));
		for (u32 i = 0; i < 2; i++) {
			hw_cache_destroy(t[i]->c);
			free(t[i]);
		}
	}
}

Test(cache, the_least_recently_used_way_goes)
{
	struct hw_cache_policy p = policy(HW_CACHE_TINY, 0);
	struct hw_cache *c = hw_cache_create(&no_env, "lru", &p);

	for (u64 page = 0; page < 4; page++)
		fill_page(c, 1, page, page);
	cr_assert(find_page(c, 1, 0));
	cr_assert(find_page(c, 1, 2));
	fill_page(c, 1, 9, 9);
	cr_assert_null(find_page(c, 1, 1));
	fill_page(c, 1, 10, 10);
	cr_assert_null(find_page(c, 1, 3));
	cr_assert(find_page(c, 1, 0) && find_page(c, 1, 2) && find_page(c, 1, 9));
	hw_cache_destroy(c);
}

static u32 chosen;

static u32 choose_three(struct hw_env *e, u32 n)
{
	(void)e;
	chosen++;
	return min(3u, n - 1);
}

Test(cache, random_replacement_asks_its_environment)
{
	struct hw_env env = {.choose = choose_three};
	struct hw_cache_policy p = policy(HW_CACHE_TINY, 0);
	struct hw_cache *c;

	p.replace = HW_REPLACE_RANDOM;
	c = hw_cache_create(&env, "random", &p);
	for (u64 page = 0; page < 4; page++)
		fill_page(c, 1, page, page);
	cr_assert_eq(chosen, 0);
	fill_page(c, 1, 9, 9);
	cr_assert_eq(chosen, 1);
	cr_assert_null(find_page(c, 1, 3));
	cr_assert(find_page(c, 1, 0) && find_page(c, 1, 1) && find_page(c, 1, 2));
	hw_cache_destroy(c);
}

Test(cache, spaces_are_recycled_and_keep_apart)
{
	struct hw_cache_policy p = policy(HW_CACHE_INFINITE, 0);
	struct hw_cache *c = hw_cache_create(&no_env, "spaces", &p);
	u32 kept = fill_page(c, 7, 1, 1), gone;

	for (u64 tag = 1000; tag < 1000 + 3 * HW_SPACES_MAX; tag++)
		cr_assert_neq(hw_space(c, tag), 0);
	cr_assert_eq(find_page(c, 7, 1)->id, kept);
	cr_assert_eq(hw_space_find(c, 1000), 0);
	/* All are in use: one of them goes, the rest stay. */
	hw_cache_reset(c);
	for (u64 tag = 0; tag < HW_SPACES_MAX; tag++)
		fill_page(c, tag, 1, tag);
	cr_assert_eq(hw_cache_count(c), HW_SPACES_MAX);
	fill_page(c, 1ULL << 60, 1, 1);
	cr_assert_eq(hw_cache_count(c), HW_SPACES_MAX);
	gone = 0;
	for (u64 tag = 0; tag < HW_SPACES_MAX; tag++) {
		const struct hw_cache_entry *e = find_page(c, tag, 1);

		gone += !e;
		if (e)
			cr_assert_eq(e->value, tag);
	}
	cr_assert_eq(gone, 1);
	/* The next one that comes takes another's place. */
	fill_page(c, 1ULL << 61, 1, 2);
	cr_assert_eq(find_page(c, 1ULL << 60, 1)->value, 1);
	cr_assert_eq(find_page(c, 1ULL << 61, 1)->value, 2);
	cr_assert_eq(hw_cache_count(c), HW_SPACES_MAX);
	hw_cache_destroy(c);
}

Test(cache, growth_keeps_everything_and_reset_forgets_it)
{
	struct hw_cache_policy p = policy(HW_CACHE_INFINITE, 0);
	struct hw_cache *c = hw_cache_create(&no_env, "growth", &p);

	for (u32 round = 0; round < 2; round++) {
		for (u64 page = 0; page < 50000; page++)
			cr_assert_eq(fill_page(c, page & 3, page * 513, page), page + 1);
		for (u64 page = 0; page < 50000; page++)
			cr_assert_eq(find_page(c, page & 3, page * 513)->value, page);
		hw_cache_reset(c);
		cr_assert_eq(hw_cache_count(c), 0);
		cr_assert_eq(hw_space_find(c, 1), 0);
		cr_assert_null(hw_cache_find(c, hw_space(c, 1), 513ULL << 12));
		hw_cache_reset(c);
	}
	hw_cache_destroy(c);
}

Test(cache, drops_do_not_let_the_dead_pile_up)
{
	struct hw_cache_policy p = policy(HW_CACHE_INFINITE, 0);
	struct hw_cache *c = hw_cache_create(&no_env, "dead", &p);

	for (u64 i = 0; i < 300000; i++) {
		fill_page(c, 1, i, i);
		if (i % 16 == 0)
			hw_cache_drop_space(c, hw_space(c, 1));
	}
	cr_assert_leq(c->n_slots, 1024);
	cr_assert_leq(c->log.recs_max, 8192);
	hw_cache_destroy(c);
}

/* Where all ways are in use, and views fill: no slot keeps the second word of another. */
Test(cache, fills_by_a_view_mind_second_words)
{
	const struct hw_cache_policy p = {.kind = HW_CACHE_SETS, .entries = 64};
	struct hw_cache *c = hw_cache_create(&no_env, "test", &p);
	u32 space = hw_space(c, 1);
	const u64 new = 64 << 12, seven = 7;
	struct cache_place at;
	struct cache_view v;

	for (u64 i = 0; i < 64; i++)
		hw_cache_fill(c, &(struct hw_cache_entry){.addr = i << 12, .space = space,
							  .lg2 = 12}, NULL, 0);
	cr_assert(cache_view_make(c, space, &v));
	cr_assert_eq(cache_view_find(c, &v, new, &at), NO_SLOT);
	cr_assert_eq(cache_view_fill(c, &v, &at, 1, &seven), 0);
	cr_assert_neq(cache_view_fill(c, &v, &at, 1, NULL), 0);
	/* Each has one now. */
	for (u64 i = 0; i < 64; i++)
		hw_cache_fill(c, &(struct hw_cache_entry){.addr = i << 12, .space = space,
							  .lg2 = 12, .extra = 9}, NULL, 0);
	cr_assert_eq(cache_view_find(c, &v, 2 * new, &at), NO_SLOT);
	cr_assert_eq(cache_view_fill(c, &v, &at, 1, NULL), 0);
	cr_assert_neq(cache_view_fill(c, &v, &at, 1, &seven), 0);
	cr_assert_eq(hw_cache_find(c, space, 2 * new)->extra, 7);
	/* None has, again. */
	hw_cache_reset(c);
	space = hw_space(c, 1);
	for (u64 i = 0; i < 64; i++)
		hw_cache_fill(c, &(struct hw_cache_entry){.addr = i << 12, .space = space,
							  .lg2 = 12}, NULL, 0);
	cr_assert(cache_view_make(c, space, &v));
	cr_assert_eq(cache_view_find(c, &v, new, &at), NO_SLOT);
	cr_assert_eq(cache_view_fill(c, &v, &at, 1, &seven), 0);
	cr_assert_neq(cache_view_fill(c, &v, &at, 1, NULL), 0);
	hw_cache_destroy(c);
}

/* Slots that are in use, what spaces have, and all that counts. */
static void same_cache(const struct hw_cache *a, const struct hw_cache *b)
{
	cr_assert(a->serial == b->serial && a->live == b->live && a->used == b->used &&
		  a->version == b->version && a->n_touched == b->n_touched &&
		  a->n_slots == b->n_slots && a->n_spaces == b->n_spaces);
	cr_assert_arr_eq(a->set, b->set, (a->set_mask + 1) * sizeof(*a->set));
	for (u32 i = 1; i <= a->n_spaces; i++)
		cr_assert_arr_eq(&a->space[i], &b->space[i], sizeof(a->space[i]));
	for (u32 i = 0; i < a->n_slots; i++) {
		if (*cache_tag(a, i) <= TAG_GONE)
			continue;
		cr_assert_arr_eq(&a->slot[i], &b->slot[i], sizeof(a->slot[i]));
		cr_assert_eq(a->column[i], b->column[i]);
		cr_assert_eq(cache_addr_of(a, i), cache_addr_of(b, i));
	}
}

/* Several sizes around an address, that are not there: at once, and one after the other. */
static void fill_around(struct hw_cache *const c[2], struct choice *ch)
{
	u32 space = 1 + choice_below(ch, CHOICE_DATA, 3);
	u64 addr = choice_word(ch, CHOICE_DATA) >> (choice_below(ch, CHOICE_DATA, 4) ? 24 : 0);
	u8 lg2[3];
	u64 value[3];
	u32 n = 0;

	for (u32 size = 39; size >= 21; size -= 9) {
		if (c[0]->probe->exact(c[0], space, addr >> size, size) != NO_SLOT)
			continue;
		lg2[n] = (u8)size;
		value[n++] = addr ^ size;
	}
	hw_cache_fill_around(c[0], space, addr, n, lg2, value);
	for (u32 i = 0; i < n; i++)
		hw_cache_fill(c[1], &(struct hw_cache_entry){.value = value[i], .addr = addr,
							     .space = space, .lg2 = lg2[i]},
			      NULL, 0);
}

Test(cache, sizes_around_an_address_are_fills_one_after_the_other)
{
	static const struct hw_cache_policy kinds[] = {
		{.kind = HW_CACHE_SETS, .entries = 64}, {.kind = HW_CACHE_SETS, .entries = 4096},
		{.kind = HW_CACHE_SETS, .entries = 64, .replace = HW_REPLACE_RANDOM},
		{.kind = HW_CACHE_INFINITE}, {.kind = HW_CACHE_TINY}, {.kind = HW_CACHE_NONE},
	};

	for (u32 k = 0; k < 2 * ARRAY_SIZE(kinds); k++) {
		struct hw_cache *c[2];
		struct choice ch;

		choice_seed(&ch, k);
		for (u32 i = 0; i < 2; i++) {
			c[i] = hw_cache_create(&no_env, "pair", &kinds[k / 2]);
			if (k % 2)
				hw_cache_scalar(c[i]);
			for (u64 tag = 1; tag < 4; tag++)
				hw_space(c[i], tag);
		}
		for (u32 i = 0; i < 2000; i++) {
			u32 drop = choice_below(&ch, CHOICE_DATA, 40);

			fill_around(c, &ch);
			for (u32 j = 0; j < 2 && drop < 3; j++)
				drop ? hw_cache_drop_tags(c[j], 3, drop) : hw_cache_drop_all(c[j]);
			same_cache(c[0], c[1]);
		}
		hw_cache_destroy(c[0]);
		hw_cache_destroy(c[1]);
	}
}

/* As many spaces as a word has bits, and more: those that match, and no other. */
Test(cache, tags_of_many_spaces_are_dropped_by_their_mask)
{
	const struct hw_cache_policy p = {.kind = HW_CACHE_INFINITE};
	struct hw_cache *c = hw_cache_create(&no_env, "test", &p);

	for (u64 tag = 0; tag < 150; tag++)
		hw_cache_fill(c, &(struct hw_cache_entry){.addr = 0x1000, .lg2 = 12,
							  .space = hw_space(c, tag << 8 | tag % 7)},
			      NULL, 0);
	hw_cache_drop_tags(c, 0xff, 3);
	for (u64 tag = 0; tag < 150; tag++)
		cr_assert_eq(!hw_cache_find(c, hw_space_find(c, tag << 8 | tag % 7), 0x1000),
			     tag % 7 == 3, "%llu", (unsigned long long)tag);
	hw_cache_destroy(c);
}

Test(cache, options_are_read_or_refused)
{
	struct hw_cache_policy p = {.kind = HW_CACHE_INFINITE};

	cr_assert_eq(hw_cache_option(&p, "cache", "sets"), 1);
	cr_assert_eq(hw_cache_option(&p, "entries", "4096"), 1);
	cr_assert_eq(hw_cache_option(&p, "replace", "random"), 1);
	cr_assert_eq(hw_cache_option(&p, "negative", "1"), 1);
	cr_assert(p.kind == HW_CACHE_SETS && p.entries == 4096 && p.negative &&
		  p.replace == HW_REPLACE_RANDOM && !p.prefetch);
	cr_assert_eq(hw_cache_option(&p, "entries", "100"), -1);
	cr_assert_eq(hw_cache_option(&p, "entries", "32"), -1);
	cr_assert_eq(hw_cache_option(&p, "entries", "64k"), -1);
	cr_assert_eq(hw_cache_option(&p, "cache", "big"), -1);
	cr_assert_eq(hw_cache_option(&p, "prefetch", "yes"), -1);
	cr_assert_eq(hw_cache_option(&p, "granule", "4k"), 0);
	cr_assert(p.kind == HW_CACHE_SETS && p.entries == 4096);
}
