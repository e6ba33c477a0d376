// SPDX-License-Identifier: GPL-2.0-only
#include "hw/iommu/arena.h"
#include "sim/base/types.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

#define SIZE (4UL << 30)
#define TABLE (96UL << 20)

static long page_faults(void)
{
	struct rusage now;

	cr_assert_eq(getrusage(RUSAGE_SELF, &now), 0);
	return now.ru_minflt;
}

/* What was written comes back, what was never touched is zero and costs nothing to keep. */
Test(arena, a_snapshot_keeps_what_was_touched)
{
	struct hw_arena *a = hw_arena_create(SIZE), *was = hw_arena_use(a);
	long faults = page_faults();
	u8 *table = hw_calloc(1, TABLE), *later;

	cr_assert(table);
	table[0] = 1;
	table[TABLE / 2] = 2;
	hw_arena_snapshot(a);
	cr_assert_lt(page_faults() - faults, 1000, "the whole table was touched");
	for (int run = 0; run < 3; run++) {
		cr_assert_eq(table[0], 1);
		cr_assert_eq(table[TABLE / 2], 2);
		cr_assert_eq(table[TABLE / 4], 0);
		table[0] = table[TABLE / 2] = table[TABLE / 4] = 9;
		later = hw_calloc(1, 1 << 20);
		cr_assert(later && !later[77]);
		later[77] = 9;
		hw_free(later);
		later = hw_calloc(1, 1 << 20);
		cr_assert(later && !later[77]);
		later[77] = 9;
		hw_arena_restore(a);
	}
	hw_arena_use(was);
	hw_arena_destroy(a);
}
