// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merging of reserved regions against a twin that paints pages one by one.
 */
#include "tests/core/iommu/core_test.h"

#define PAGES 64u
#define TYPES 3u
#define ROUNDS 400

static const char *wrong;

static u32 draw(u32 n)
{
	return (u32)choice_below(this_world()->choice, CHOICE_DATA, n);
}

/* The list must be sorted, cover exactly what is painted, and be merged. */
static const char *differs(struct list_head *regions, u8 painted[TYPES][PAGES + 1])
{
	u8 seen[TYPES][PAGES + 1] = {{0}};
	struct iommu_resv_region *r, *before = NULL;
	u32 runs = 0, n = 0;

	list_for_each_entry(r, regions, list) {
		if (before && (before->start > r->start ||
			       (before->start == r->start && before->type > r->type)))
			return "not sorted";
		for (u64 p = r->start; p < r->start + r->length; p++)
			if (seen[r->type][p]++)
				return "overlap within a type";
		before = r;
		n++;
	}
	for (u32 t = 0; t < TYPES; t++) {
		for (u32 p = 0; p < PAGES; p++) {
			if (seen[t][p] != painted[t][p])
				return "not what was inserted";
			runs += painted[t][p] && !(p && painted[t][p - 1]);
		}
	}
	return n == runs ? NULL : "not merged";
}

static void against_the_painter(void)
{
	for (u32 round = 0; round < ROUNDS && !wrong; round++) {
		u8 painted[TYPES][PAGES + 1] = {{0}};
		LIST_HEAD(regions);

		for (u32 n = draw(9); n && !wrong; n--) {
			u32 start = draw(PAGES), length = 1 + draw(min(PAGES - start, 12u));
			struct iommu_resv_region new = {
				.start = start, .length = length, .type = draw(TYPES)};

			if (iommu_insert_resv_region(&new, &regions))
				wrong = "insert failed";
			memset(&painted[new.type][start], 1, length);
			if (!wrong)
				wrong = differs(&regions, painted);
		}
		iommu_put_resv_regions(&regions);
	}
}

Test(resv, merging_agrees_with_painting_pages)
{
	machine_small(true, 0);
	run_core(NULL, 0, against_the_painter);
	cr_assert_null(wrong, "%s", wrong);
}

Test(resv, a_device_that_must_stay_mapped_is_not_blocked_by_default)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_dma, {0, 0x10000}, 0},
		{OP_dma, {0, 0x20000}, -EFAULT},
		{OP_dma, {1, 0x10000}, -EFAULT}, /* its neighbour needs nothing */
		{OP_set_type, {0, OP_DOMTYPE_IDENTITY}, 0},
		{OP_set_type, {0, OP_DOMTYPE_DMA}, 0},
		{OP_dma, {0, 0x10000}, 0},
		{OP_claim, {0, 1}, -EINVAL},
		{OP_claim, {1, 1}, 0},
	};

	machine_small(true, 2);
	m.iommu[0].default_domain = MACHINE_DOMAIN_BLOCKED;
	add_resv(0, 0x10000, 0x1000, MACHINE_RESV_DIRECT);
	RUN_STEPS(t);
}

Test(resv, a_device_that_must_stay_mapped_does_not_join_a_blocked_group)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_add, {1}, 0},
		{OP_resv, {1}, -ENODEV},
		{OP_dma, {0, 0x10000}, -EFAULT},
	};

	machine_small(false, 2);
	m.iommu[0].default_domain = MACHINE_DOMAIN_BLOCKED;
	m.device[1].absent = true;
	add_resv(1, 0x10000, 0x1000, MACHINE_RESV_DIRECT);
	RUN_STEPS(t);
}

static void at_the_top(void)
{
	struct iommu_resv_region top = {.start = ~0xfffULL, .length = 0x1000},
				 below = {.start = ~0x1fffULL, .length = 0x1000},
				 all = {.start = 1, .length = ~0ULL};
	LIST_HEAD(regions);

	iommu_insert_resv_region(&top, &regions);
	iommu_insert_resv_region(&top, &regions);
	iommu_insert_resv_region(&below, &regions);
	if (list_count_nodes(&regions) != 1)
		wrong = "the top of the address space is not merged";
	iommu_insert_resv_region(&all, &regions);
	if (list_count_nodes(&regions) != 1)
		wrong = "a region up to the top does not take the others in";
	iommu_put_resv_regions(&regions);
}

Test(resv, the_last_byte_of_the_address_space)
{
	machine_small(true, 0);
	run_core(NULL, 0, at_the_top);
	cr_assert_null(wrong, "%s", wrong);
}

Test(resv, a_groups_list_is_the_union_of_its_devices)
{
	static const struct step t[] = {
		{OP_resv, {0}, -ENODEV},
		{OP_register_iommu, {0}, 0},
		{OP_resv, {0}, 3},
		{OP_remove, {1}, 0},
		{OP_resv, {0}, 2},
	};

	machine_small(false, 2);
	add_resv(0, 0x1000, 0x1000, MACHINE_RESV_DIRECT);
	add_resv(1, 0x2000, 0x1000, MACHINE_RESV_DIRECT);
	add_resv(0, 0xfee00000, 0x100000, MACHINE_RESV_MSI);
	add_resv(1, 0x9000, 0x1000, MACHINE_RESV_RESERVED);
	RUN_STEPS(t);
}

Test(resv, overlapping_direct_regions_of_siblings_are_all_mapped)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_dma, {0, 0x1000}, 0},
		{OP_dma, {0, 0x2fff}, 0},
		{OP_dma, {1, 0x4fff}, 0},
		{OP_dma, {1, 0x5000}, -EFAULT},
		{OP_bind, {0, KERNEL_DRIVER_demo_nic}, 0},
		{OP_dma, {0, 0xf0000000}, -EFAULT}, /* reserved: the ring lies above it */
		{OP_dma, {0, 0xf0010000}, 0},
	};

	machine_small(false, 2);
	add_resv(0, 0x1000, 0x3000, MACHINE_RESV_DIRECT);
	add_resv(1, 0x2000, 0x3000, MACHINE_RESV_DIRECT_RELAXABLE);
	add_resv(1, 0xf0000800, 0x100, MACHINE_RESV_RESERVED);
	RUN_STEPS(t);
}
