// SPDX-License-Identifier: GPL-2.0-only
/*
 * No argument values make an operation fail hard.
 */
#include "tests/core/iommu/core_test.h"

static const u64 odd[] = {0,  1,      2,          31,         32,        63,
			    64, 0x1000, 0xffffffff, 1ULL << 63, ~0xfffULL, ~0ULL};

static void every_operation_with_odd_arguments(void)
{
	for (u32 round = 0; round < 2000; round++) {
		struct op op;
		u64 r = choice_below(this_world()->choice, CHOICE_DATA, 1 << 30);

		op.code = (u16)(r % (OP_CODES + 1));
		r /= OP_CODES + 1;
		for (u32 i = 0; i < OP_ARGS_MAX; i++, r /= 12)
			op.arg[i] = odd[r % 12];
		kernel_model.op(this_world(), &op);
	}
}

Test(ops, any_arguments_give_a_result)
{
	machine_small(false, 0);
	for (u32 i = 0; i < 3; i++)
		add_device(0, 8 * i);
	m.n_iommus = 2;
	machine_iommu_init(&m.iommu[1]);
	run_core(NULL, 0, every_operation_with_odd_arguments);
}

Test(ops, a_machine_without_anything_boots_and_shuts_down)
{
	memset(&m, 0, sizeof(m));
	run_core(NULL, 0, every_operation_with_odd_arguments);
}

Test(ops, each_row_has_a_name_that_is_found)
{
	for (int i = 0; i < OP_CODES; i++)
		cr_assert_eq(op_find(op_rows[i].name), i);
	cr_assert_eq(op_find("no_such"), -1);
}
