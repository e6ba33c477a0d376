// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/uaccess.h"

#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/string.h"
#include "tests/kit/program.h"

static struct {
	u8 *kernel, *user;
	u64 nth;
} t;

static void boot(void)
{
	t.kernel = kzalloc(32, GFP_KERNEL);
	t.user = kmalloc(32, GFP_KERNEL);
}

static struct world_run run_fn(void (*fn)(void *), u64 nth)
{
	t.nth = nth;
	load(.boot = boot, .task = {fn});
	return run_with(.seed = 1, .fault_nth = nth);
}

static void copies(void *arg)
{
	u32 value = 7;

	(void)arg;
	memset(t.kernel, 0x5a, 32);
	cr_assert_eq(copy_to_user(t.user, t.kernel, 32), t.nth == 1 ? 32 : 0);
	memset(t.kernel, 0, 32);
	cr_assert_eq(copy_from_user(t.kernel, t.user, 16), t.nth == 2 ? 16 : 0);
	cr_assert_eq(t.kernel[15], t.nth == 1 || t.nth == 2 ? t.kernel[15] : 0x5a);
	cr_assert_eq(t.kernel[16], 0);
	cr_assert_eq(put_user(value, (u32 *)t.user), t.nth == 3 ? -EFAULT : 0);
	value = 0;
	cr_assert_eq(get_user(value, (u32 *)t.user), t.nth == 4 ? -EFAULT : 0);
	cr_assert_eq(value, t.nth == 4 ? 0 : t.nth == 3 ? value : 7);
}

Test(uaccess, every_copy_is_a_failure_point_and_the_sweep_ends)
{
	struct world_run r = {.fault_fired = true};

	for (u64 nth = 1; nth <= 4; nth++) {
		r = run_fn(copies, nth);
		assert_clean(&r);
		cr_assert(r.fault_fired);
	}
	r = run_fn(copies, 5);
	cr_assert_not(r.fault_fired);
	cr_assert_eq(r.fault_asked, 4);
}

static void from_nowhere(void *arg)
{
	(void)arg;
	cr_assert_eq(copy_from_user(t.kernel, NULL, 8), 8);
	cr_assert_eq(copy_from_user(t.kernel, (void *)~0UL, 8), 8);
	cr_assert_eq(copy_from_user(t.kernel, t.user, 32), 0);
	/* The last 8 bytes are behind the end of the user's object. */
	cr_assert_eq(copy_from_user(t.kernel, t.user + 8, 32), 8);
	cr_assert_eq(t.kernel[31], 0);
}

Test(uaccess, an_address_the_user_does_not_have_faults)
{
	struct world_run r = run_fn(from_nowhere, 0);

	assert_clean(&r);
}

static void leak_bytes(void *arg)
{
	u8 *fresh = kmalloc(16, GFP_KERNEL);

	(void)arg;
	memset(fresh, 0, 12);
	copy_to_user(t.user, fresh, 16);
	kfree(fresh);
}

Test(uaccess, copying_out_bytes_that_were_never_written_is_a_finding)
{
	struct world_run r = run_fn(leak_bytes, 0);

	assert_title(r.finding, "uninit");
}

static void struct_sizes(void *arg)
{
	u8 small[4] = {1, 2, 3, 4}, large[40] = {1, 2, 3, 4};

	(void)arg;
	cr_assert_eq(copy_struct_from_user(t.kernel, 32, small, 4), 0);
	cr_assert_eq(t.kernel[3], 4);
	cr_assert_eq(t.kernel[31], 0);
	cr_assert_eq(copy_struct_from_user(t.kernel, 32, large, 40), 0);
	large[39] = 1;
	cr_assert_eq(copy_struct_from_user(t.kernel, 32, large, 40), -E2BIG);
}

Test(uaccess, a_struct_of_another_size_is_padded_or_refused)
{
	struct world_run r = run_fn(struct_sizes, 0);

	assert_clean(&r);
}
