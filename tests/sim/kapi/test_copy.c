// SPDX-License-Identifier: GPL-2.0-only
#include "sim/access/access.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/string.h"
#include "tests/kit/program.h"

static u8 *half_written_copy(void)
{
	u8 *p = kmalloc(16, GFP_KERNEL);

	memset(p, 7, 12);
	return krealloc(p, 32, GFP_KERNEL);
}

static void copies(void *arg)
{
	u8 *p = half_written_copy();

	(void)arg;
	access_range(p, 12, OP_READ, 0);
	cr_assert_eq(p[11], 7);
	kfree(p);
}

Test(copy, bytes_that_nobody_wrote_may_be_copied)
{
	load(.task = {copies});
	run_clean(3);
}

static void uses(void *arg)
{
	u8 *p = half_written_copy();

	(void)arg;
	access_range(p + 12, 1, OP_READ, 0);
	kfree(p);
}

Test(copy, their_copy_still_counts_as_unwritten)
{
	load(.task = {uses});
	run_finds(1, "uninit-value");
}
