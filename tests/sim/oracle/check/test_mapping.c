// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facts are published by hand: this oracle's whole world is what it hears.
 */
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define DOMAIN 7
#define IOVA 0x10000
#define PAGE 0x1000ULL

static void beyond_the_end(void *arg)
{
	(void)arg;
	fact(MAP_BEGIN, DOMAIN, IOVA, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, IOVA, 0, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, IOVA + 2 * PAGE, 0, PAGE);
}

static void before_the_start(void *arg)
{
	(void)arg;
	fact(MAP_BEGIN, DOMAIN, IOVA, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, IOVA - PAGE, 0, 2 * PAGE);
}

static void half_mapped(void *arg)
{
	(void)arg;
	fact(MAP_BEGIN, DOMAIN, IOVA, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, IOVA, 0, PAGE);
	fact(MAP_END, DOMAIN, 0);
}

static void half_left(void *arg)
{
	(void)arg;
	fact(MAP_BEGIN, DOMAIN, IOVA, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, IOVA, 0, PAGE);
	fact(MAP_END, DOMAIN, (u64)-12);
}

static void all_or_nothing(void *arg)
{
	(void)arg;
	fact(MAP_BEGIN, DOMAIN, IOVA, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, IOVA, 0, PAGE);
	fact(PTE_MAP, DOMAIN, IOVA + PAGE, 0, PAGE);
	fact(MAP_END, DOMAIN, 0);
	fact(MAP_BEGIN, DOMAIN, 2 * IOVA, 2 * PAGE);
	fact(PTE_MAP, DOMAIN, 2 * IOVA, 0, PAGE);
	fact(PTE_UNMAP, DOMAIN, 2 * IOVA, PAGE);
	fact(MAP_END, DOMAIN, (u64)-12);
}

static void another_domain(void *arg)
{
	(void)arg;
	fact(MAP_BEGIN, DOMAIN, IOVA, PAGE);
	fact(PTE_MAP, DOMAIN + 1, 0, 0, PAGE);
	fact(PTE_MAP, DOMAIN, IOVA, 0, PAGE);
	fact(MAP_END, DOMAIN, 0);
	fact(PTE_MAP, DOMAIN, 0, 0, PAGE);
}

Test(mapping, an_entry_beyond_the_end)
{
	load_oracle("mapping", .task = {beyond_the_end});
	fires("BUG: IOMMU map outside the requested range in %F");
}

Test(mapping, an_entry_before_the_start)
{
	load_oracle("mapping", .task = {before_the_start});
	fires("BUG: IOMMU map outside the requested range in %F");
}

Test(mapping, a_map_that_leaves_a_hole)
{
	load_oracle("mapping", .task = {half_mapped});
	fires("BUG: IOMMU map left a hole in %F");
}

Test(mapping, a_failed_map_that_leaves_entries)
{
	load_oracle("mapping", .task = {half_left});
	fires("BUG: failed IOMMU map left entries in %F");
}

Test(mapping, all_or_nothing_is_silent)
{
	load_oracle("mapping", .task = {all_or_nothing});
	silent();
}

Test(mapping, another_domain_is_no_concern)
{
	load_oracle("mapping", .task = {another_domain});
	silent();
}
