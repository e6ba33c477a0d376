// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map and unmap against a reference model: one array cell per page.
 */
#include "tests/core/iommu/core_test.h"

#define PAGE 0x1000ULL
#define PAGES 2048u /* four large pages */
#define STEPS 600

static const char *wrong;
static u64 model[PAGES]; /* physical address, 0 = not mapped */
static struct iommu_domain *domain;

static u32 draw(u32 n)
{
	return (u32)choice_below(this_world()->choice, CHOICE_DATA, n);
}

static void try_map(void)
{
	u32 first = draw(8) ? draw(PAGES) : draw(4) * 512, n = 1 + draw(min(PAGES - first, 700u));
	u64 pa = 0x40000000 + (u64)(draw(2) ? first : draw(4096)) * PAGE;
	bool free = true;
	int ret;

	for (u32 i = 0; i < n; i++)
		free &= !model[first + i];
	ret = iommu_map(domain, first * PAGE, pa, n * PAGE, IOMMU_READ);
	if (ret != (free ? 0 : -EEXIST) && ret != -ENOMEM)
		wrong = "map gives something else";
	for (u32 i = 0; i < n && !ret; i++)
		model[first + i] = pa + i * PAGE;
}

/* Takes out what is mapped from first on; a large page only as a whole. */
static void try_unmap(void)
{
	u32 first = draw(PAGES), n = 1 + draw(min(PAGES - first, 700u)), run = 0;
	size_t done = iommu_unmap(domain, first * PAGE, n * PAGE);

	while (run < n && model[first + run])
		run++;
	if (done > run * PAGE || done % PAGE)
		wrong = "unmap gives more than was mapped";
	for (u32 i = 0; i < done / PAGE; i++)
		model[first + i] = 0;
}

static void compare(void)
{
	for (u32 i = 0; i < PAGES && !wrong; i++)
		if (iommu_iova_to_phys(domain, i * PAGE) != model[i])
			wrong = "a page differs from the model";
}

static void device_domain(void)
{
	domain = iommu_paging_domain_alloc(iommu_core()->grouped[0]);
	if (IS_ERR(domain))
		wrong = "no domain";
}

static void against_the_model(void)
{
	device_domain();
	for (u32 i = 0; i < STEPS && !wrong; i++) {
		if (draw(2))
			try_map();
		else
			try_unmap();
		if (i % 16 == 0)
			compare();
	}
	compare();
	iommu_domain_free(domain);
}

static const struct step registered[] = {{OP_register_iommu, {0}, 0}};

Test(map, random_maps_and_unmaps_agree_with_a_page_array)
{
	machine_small(true, 1);
	run_core(registered, 1, against_the_model);
	cr_assert_null(wrong, "%s", wrong);
}

static void whole_unmap_is_whole(void)
{
	device_domain();
	if (iommu_map(domain, 0x1fe000, 0x401fe000, 0x404000, IOMMU_READ))
		wrong = "map failed";
	if (iommu_unmap(domain, 0x1fe000, 0x404000) != 0x404000)
		wrong = "what one map made, one unmap does not take";
	if (iommu_map(domain, 0x200000, 0x40200000, 0x200000, IOMMU_READ))
		wrong = "map of a large page failed";
	if (iommu_unmap(domain, 0x200000, 0x1000))
		wrong = "a part of a large page was unmapped";
	iommu_domain_free(domain);
}

Test(map, page_sizes_are_mixed_and_taken_back)
{
	machine_small(true, 1);
	run_core(registered, 1, whole_unmap_is_whole);
	cr_assert_null(wrong, "%s", wrong);
}

Test(map, what_is_refused)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_map, {0, 0x1000, 0, 0}, -EINVAL},
		{OP_map, {0, 0x1001, 0x1000, 0}, -EINVAL},
		{OP_map, {0, 0x1000, 0x1001, 0}, -EINVAL},
		{OP_map, {0, 0x1000, 0x1000, 0x800}, -EINVAL},
		{OP_map, {0, 1ULL << 48, 0x1000, 0}, -ERANGE},
		{OP_map, {0, (1ULL << 48) - 0x1000, 0x2000, 0}, -ERANGE},
		{OP_map, {0, ~0xfffULL, 0x2000, 0}, -ERANGE},
		{OP_map, {0, (1ULL << 48) - 0x1000, 0x1000, 0}, 0},
		{OP_map, {0, 0x3000, 0x2000, 0}, 0},
		{OP_map, {0, 0x2000, 0x2000, 0}, -EEXIST},
		{OP_unmap, {0, 0x2000, 0x1000}, 0},
		{OP_unmap, {0, 0x3000, 0}, -EINVAL},
		{OP_unmap, {0, 0x3001, 0x1000}, 0},
		{OP_unmap, {0, 0x4000, 0x9000}, 0x1000},
		{OP_unmap, {0, 0x3000, 0x1000}, 0x1000},
		{OP_map, {0, 0, 1ULL << 47, 0}, -ENOMEM},
		{OP_map, {0, 0, 0x1000, 0}, 0},
	};

	machine_small(true, 1);
	RUN_STEPS(t);
}

Test(map, half_the_address_space_is_a_page_size)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_map, {0, 0, 0x1000, 1ULL << 63}, 0},
		{OP_unmap, {0, 0, 0x2000}, 0x1000},
		{OP_map, {0, 1ULL << 63, 1ULL << 63, 1ULL << 63}, 0},
		{OP_map, {0, ~0xfffULL, 0x1000, ~0xfffULL}, -EEXIST},
		{OP_unmap, {0, 1ULL << 63, 1ULL << 63}, 0},
		{OP_map, {0, ~0xfffULL, 0x1000, ~0xfffULL}, 0},
	};

	machine_small(true, 1);
	m.iommu[0].pgsize_bitmap = 1ULL << 63 | 1ULL << 12;
	m.iommu[0].aperture_lg2 = 64;
	RUN_STEPS(t);
}
