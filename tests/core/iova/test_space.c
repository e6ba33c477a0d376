// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bitmaps against plain bytes, and what is handed out.
 */
#include "core/iova/iova.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void *zeroed(size_t size)
{
	return calloc(1, size);
}

static void freed(const void *p)
{
	free((void *)(uintptr_t)p);
}

static const struct iova_memory memory = {zeroed, freed};

static u64 state = 1;

static u64 below(u64 n)
{
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return ((z ^ (z >> 27)) >> 20) % n;
}

#define PFNS (1ULL << 20)
#define LIVE 20000

static u8 taken[PFNS]; /* 1 in use, 2 reserved */
static struct {
	u64 pfn, size;
} live[LIVE];

static u64 some_size(void)
{
	switch (below(16)) {
	case 0:
		return 1 + below(64);
	case 1:
		return below(4) ? 1 + below(32) : 1 + below(5000);
	case 2:
		return below(200) ? 1 : 1 + below(1 << 18);
	default:
		return 1ULL << below(6);
	}
}

/* What an allocation of that size takes, and how it is aligned. */
static u64 taken_by(u64 size, u64 *align)
{
	u64 two = 1;

	while (two < size)
		two *= 2;
	*align = two;
	if (size <= 64)
		return two;
	return size <= 4096 ? (size + 63) / 64 * 64 : (size + 4095) / 4096 * 4096;
}

static bool is_free(u64 pfn, u64 n)
{
	for (u64 i = pfn; i < pfn + n; i++) {
		if (taken[i])
			return false;
	}
	return true;
}

/* Whether an aligned run is there: asked when the space says there is none. */
static bool fits(u64 size, u64 limit)
{
	u64 align, n = taken_by(size, &align), unit = max(align, 1ULL);

	for (u64 pfn = 0; pfn + n <= PFNS && pfn + n - 1 <= limit; pfn += unit) {
		/* A run of words or arenas does not cross into the next unit. */
		if (is_free(pfn, size <= 64 ? n : unit))
			return true;
	}
	return false;
}

static void take(struct iova_space *s, u64 i)
{
	u64 size = some_size(), align, n = taken_by(size, &align);
	u64 limit = below(3) ? PFNS - 1 : below(PFNS), pfn = iova_space_alloc(s, size, limit);

	live[i].size = 0;
	if (pfn == IOVA_NONE) {
		cr_assert(!fits(size, limit), "%lu pfns up to %#lx are free", (long)size,
			  (long)limit);
		return;
	}
	cr_assert(pfn % align == 0 && pfn + size - 1 <= limit && pfn + n <= PFNS);
	cr_assert(is_free(pfn, n), "%#lx is in use or reserved", (long)pfn);
	memset(&taken[pfn], 1, n);
	live[i].pfn = pfn;
	live[i].size = size;
}

static void give(struct iova_space *s, u64 i)
{
	u64 align, n = taken_by(live[i].size, &align);

	cr_assert(iova_space_free(s, live[i].pfn, live[i].size));
	memset(&taken[live[i].pfn], 0, n);
	live[i].size = 0;
	if (n <= 64)
		cr_assert_not(iova_space_free(s, live[i].pfn, n), "twice");
}

Test(space, does_what_plain_bytes_do)
{
	const char *asked = getenv("IOMMULAB_PT_OPS");
	u64 n_ops = asked ? strtoull(asked, NULL, 10) : 200000, used = 0, align;
	struct iova_space s;

	iova_space_init(&s, 1, &memory);
	taken[0] = 2;
	cr_assert_eq(iova_space_reserve(&s, 0xfee00, 0xfeeff), 0);
	memset(&taken[0xfee00], 2, 0x100);
	for (u64 i = 0; i < n_ops; i++) {
		/* Sometimes mostly full, sometimes mostly empty. */
		u64 k = below(i / 10000 % 2 ? LIVE : 50);

		if (live[k].size)
			give(&s, k);
		else
			take(&s, k);
		if (i == n_ops / 2) {
			for (u64 r = 0x80000; r < 0x80100; r++)
				used += taken[r] == 1;
			cr_assert_eq(iova_space_reserve(&s, 0x80000, 0x800ff),
				     used ? -28 : 0);
			if (!used)
				memset(&taken[0x80000], 2, 0x100);
		}
	}
	used = 0;
	for (u64 i = 0; i < LIVE; i++)
		used += live[i].size ? taken_by(live[i].size, &align) : 0;
	cr_assert_eq(s.in_use, used);
	for (u64 i = 0; i < LIVE; i++) {
		if (live[i].size)
			give(&s, i);
	}
	cr_assert_eq(s.in_use, 0);
	iova_space_fini(&s);
}

Test(space, the_highest_comes_first_and_limits_hold)
{
	struct iova_space s;

	iova_space_init(&s, 1, &memory);
	cr_assert_eq(iova_space_alloc(&s, 1, 0xfffff), 0xfffff);
	cr_assert_eq(iova_space_alloc(&s, 3, 0xfffff), 0xffff8);
	cr_assert_eq(iova_space_alloc(&s, 1, 0xfffff), 0xffffe);
	cr_assert_eq(iova_space_alloc(&s, 1, 5), 5);
	cr_assert_eq(iova_space_alloc(&s, 4, 6), IOVA_NONE, "7 is beyond the limit, 0 not ours");
	cr_assert_eq(iova_space_alloc(&s, 1, 0), IOVA_NONE);
	cr_assert_eq(iova_space_alloc(&s, (1 << 18) + 1, ~0ULL >> 12), IOVA_NONE);
	cr_assert_eq(iova_space_alloc(&s, 1 << 18, (1ULL << 36) - 1), (1ULL << 36) - (1 << 18));
	cr_assert_eq(iova_space_alloc(&s, 1, (1ULL << 36) - 1), 0xffffd, "where records are");
	cr_assert_eq(iova_space_alloc(&s, 1 << 17, (1ULL << 36) - 1),
		     (1ULL << 36) - (1 << 18) - (1 << 17));
	cr_assert_not(iova_space_free(&s, 0x12345, 1));
	cr_assert_not(iova_space_free(&s, 5, 2), "not how it was handed out");
	cr_assert(iova_space_free(&s, 5, 1));
	iova_space_fini(&s);
}
