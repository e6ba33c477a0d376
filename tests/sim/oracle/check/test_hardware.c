// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracles of hardware: iotlb, dmamem, isolation, hwqueue. The facts are
 * published by hand: an oracle's whole world is what it hears.
 */
#include "sim/kapi/jiffies.h"
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define DEV 3
#define D 7
#define E 8
#define IOVA 0x10000ULL
#define PA 0x5000ULL
#define PAGE 0x1000ULL
#define PAGING 1
#define IDENTITY 8
#define OK 1
#define WRITTEN 3
#define TABLE 4 /* frame_flags: a page table */

/* They only watch worlds with hardware; whose it is they do not ask. */
static void hardware(void)
{
	w->hw = (struct fabric *)w;
}

#define load_hw(name, ...) load_oracle(name, .boot = hardware, .task = {__VA_ARGS__})

static void attach(u32 domain, u32 type)
{
	fact(ATTACH_BEGIN, 0, DEV, domain);
	fact(ATTACH, 0, DEV, domain, type);
	fact(ATTACH_END, 0, DEV, 0);
}

static void map(u32 domain, u64 iova, u64 pa, u64 size)
{
	fact(MAP_BEGIN, domain, iova, size);
	fact(PTE_MAP, domain, iova, pa, size);
	fact(MAP_END, domain, 0);
}

static void mapped(void *arg)
{
	(void)arg;
	attach(D, PAGING);
	map(D, IOVA, PA, 4 * PAGE);
	fact(HW_DMA, DEV, IOVA + PAGE + 8, PA + PAGE + 8, OK);
	fact(PTE_UNMAP, D, IOVA + PAGE, PAGE);
	/* Its invalidation has not returned. */
	fact(HW_DMA, DEV, IOVA + PAGE + 8, PA + PAGE + 8, OK);
	fact(HW_DMA, DEV, IOVA + 3 * PAGE, PA + 3 * PAGE, OK);
}

static void mapped_elsewhere(void *arg)
{
	mapped(arg);
	fact(HW_DMA, DEV, IOVA, PA + PAGE, OK);
}

static void stale(void *arg)
{
	mapped(arg);
	fact(IOTLB_SYNC, D, IOVA + PAGE, IOVA + 2 * PAGE - 1);
	fact(HW_DMA, DEV, IOVA + PAGE, PA + PAGE, OK);
}

static void synced_beside(void *arg)
{
	mapped(arg);
	fact(IOTLB_SYNC, D, IOVA, IOVA + PAGE - 1);
	fact(IOTLB_SYNC, E, 0, ~0ULL);
	fact(HW_DMA, DEV, IOVA + PAGE, PA + PAGE, OK);
}

static void mapped_again(void *arg)
{
	mapped(arg);
	fact(IOTLB_SYNC, D, 0, ~0ULL);
	map(D, IOVA + PAGE, PA + PAGE, PAGE);
	fact(HW_DMA, DEV, IOVA + PAGE, PA + PAGE, OK);
}

static void left_behind(void *arg)
{
	mapped(arg);
	map(E, IOVA, PA + 8 * PAGE, PAGE);
	attach(E, PAGING);
	fact(HW_DMA, DEV, IOVA, PA, OK);
}

static void in_the_middle(void *arg)
{
	mapped(arg);
	fact(ATTACH_BEGIN, 0, DEV, E);
	fact(HW_DMA, DEV, IOVA, PA, OK);
	fact(ATTACH_END, 0, DEV, (u64)-22);
	fact(HW_DMA, DEV, IOVA, PA, OK);
}

static void identity(void *arg)
{
	(void)arg;
	attach(D, IDENTITY);
	fact(HW_DMA, DEV, PA, PA, OK);
}

static void not_itself(void *arg)
{
	identity(arg);
	fact(HW_DMA, DEV, PA, PA + 8, OK);
}

static void blocked(void *arg)
{
	(void)arg;
	attach(D, 0);
	fact(HW_DMA, DEV, PA, PA, OK);
}

static void shut_down(void *arg)
{
	static const char name[] = "shutdown_iommu", other[] = "register_iommu";

	(void)arg;
	attach(D, PAGING);
	fact(OP_BEGIN, (u64)(uintptr_t)name, 0, 0, FACT_SHUTS_DOWN);
	fact(HW_DMA, DEV, IOVA, IOVA, OK);
	fact(OP_BEGIN, (u64)(uintptr_t)other, 0, 0, FACT_MAY_CHANGE);
	fact(HW_DMA, DEV, IOVA, IOVA, OK);
}

static void not_shut_down(void *arg)
{
	static const char name[] = "register_iommu";

	(void)arg;
	fact(OP_BEGIN, (u64)(uintptr_t)name, 0, 0, FACT_MAY_CHANGE);
	attach(D, PAGING);
	fact(HW_DMA, DEV, IOVA, IOVA, OK);
}

Test(iotlb, after_a_shutdown_nothing_translates)
{
	load_hw("iotlb", shut_down);
	silent();
	load_hw("iotlb", not_shut_down);
	fires("BUG: DMA through wrong IOMMU translation in %F");
}

Test(iotlb, mapped_or_not_yet_invalidated_is_silent)
{
	load_hw("iotlb", mapped);
	silent();
}

Test(iotlb, an_address_that_leads_elsewhere)
{
	load_hw("iotlb", mapped_elsewhere);
	fires("BUG: DMA through wrong IOMMU translation in %F");
}

Test(iotlb, an_entry_that_outlived_its_invalidation)
{
	load_hw("iotlb", stale);
	fires("BUG: DMA through stale IOMMU translation in %F");
}

Test(iotlb, an_invalidation_of_something_else_ends_nothing)
{
	load_hw("iotlb", synced_beside);
	silent();
}

Test(iotlb, what_is_mapped_again_is_not_stale)
{
	load_hw("iotlb", mapped_again);
	silent();
}

Test(iotlb, the_domain_that_the_device_left)
{
	load_hw("iotlb", left_behind);
	fires("BUG: DMA through another domain's IOMMU translation in %F");
}

Test(iotlb, in_the_middle_of_an_attach_is_no_concern)
{
	load_hw("iotlb", in_the_middle);
	silent();
}

Test(iotlb, identity)
{
	load_hw("iotlb", identity);
	silent();
	load_hw("iotlb", not_itself);
	fires("BUG: DMA through wrong IOMMU translation in %F");
}

Test(iotlb, a_blocking_domain_lets_nothing_through)
{
	load_hw("iotlb", blocked);
	fires("BUG: DMA through wrong IOMMU translation in %F");
}

/* --- dmamem --- */

static void live_memory(void *arg)
{
	(void)arg;
	fact(FRAME_ALLOC, PA, 1, 0);
	fact(HW_DMA, DEV, IOVA, PA + PAGE, WRITTEN);
	fact(FRAME_FREE, PA, 1);
	fact(FRAME_ALLOC, PA + PAGE, 0, TABLE);
	fact(HW_DMA, DEV, IOVA, PA + PAGE, OK);
	fact(HW_WALK, 0, PA + PAGE + 8, 0);
}

static void freed_memory(void *arg)
{
	live_memory(arg);
	fact(HW_DMA, DEV, IOVA, PA + PAGE, OK);
	fact(FRAME_FREE, PA + PAGE, 0);
	fact(HW_DMA, DEV, IOVA, PA + PAGE, OK);
}

static void table_written(void *arg)
{
	live_memory(arg);
	fact(HW_DMA, DEV, IOVA, PA + PAGE + 16, WRITTEN);
}

static void freed_table(void *arg)
{
	live_memory(arg);
	fact(FRAME_FREE, PA + PAGE, 0);
	fact(HW_WALK, 0, PA + PAGE + 8, 0);
}

Test(dmamem, live_memory_is_silent)
{
	load_hw("dmamem", live_memory);
	silent();
}

Test(dmamem, freed_memory)
{
	load_hw("dmamem", freed_memory);
	fires("BUG: DMA to freed memory in %F");
}

Test(dmamem, a_write_into_a_table)
{
	load_hw("dmamem", table_written);
	fires("BUG: DMA write into a page table in %F");
}

Test(dmamem, a_walk_of_a_freed_table)
{
	load_hw("dmamem", freed_table);
	fires("BUG: IOMMU reads a freed table in %F");
}

/* --- isolation, hwqueue --- */

static void one_group(void *arg)
{
	(void)arg;
	fact(GROUP_ADD, 1, DEV);
	fact(GROUP_ADD, 1, DEV + 1);
	fact(HW_P2P, DEV, IOVA, DEV + 1, OK);
}

static void two_groups(void *arg)
{
	one_group(arg);
	fact(GROUP_REMOVE, 1, DEV + 1);
	fact(GROUP_ADD, 2, DEV + 1);
	fact(HW_P2P, DEV, IOVA, DEV + 1, OK);
}

Test(isolation, peers_of_one_group_are_silent)
{
	load_hw("isolation", one_group);
	silent();
}

Test(isolation, peers_of_two_groups)
{
	load_hw("isolation", two_groups);
	fires("BUG: peer-to-peer DMA between groups in %F");
}

#define LENT (~1ULL)

static void lent(void *arg)
{
	(void)arg;
	fact(HW_P2P, LENT, PA, 2 * PAGE, 1);
	fact(HW_DMA, DEV, IOVA, PA + PAGE, OK);
	fact(HW_P2P, LENT, PA, 2 * PAGE, 0);
	fact(HW_DMA, DEV, IOVA, PA + 2 * PAGE, OK);
	fact(HW_DMA, DEV, IOVA, PA, 0);
}

static void lent_again(void *arg)
{
	lent(arg);
	/* Another range of the same registers. */
	fact(HW_P2P, LENT, PA, PAGE, 1);
	fact(HW_DMA, DEV, IOVA, PA, OK);
}

static void taken_back(void *arg)
{
	lent_again(arg);
	fact(HW_P2P, LENT, PA, PAGE, 0);
	fact(HW_DMA, DEV, IOVA, PA + 8, OK);
}

Test(isolation, registers_that_are_lent_are_silent)
{
	load_hw("isolation", lent);
	silent();
	load_hw("isolation", lent_again);
	silent();
}

Test(isolation, registers_that_were_taken_back)
{
	load_hw("isolation", taken_back);
	fires("BUG: DMA to registers that were taken back in %F");
}

static void illegal(void *arg)
{
	(void)arg;
	fact(HW_PROTOCOL, 0, (u64)(uintptr_t)"no such command", 0xff, 0x12345);
}

Test(hwqueue, an_illegal_command)
{
	load_hw("hwqueue", illegal);
	cr_assert(strstr(fires("BUG: IOMMU was handed an illegal command in %F")->text,
			 "IOMMU 0: no such command: 0xff 0x12345.\n"));
}

/* --- the window of deferred invalidation --- */

static void late_dma(void *arg)
{
	(void)arg;
	attach(D, PAGING);
	map(D, IOVA, PA, PAGE);
	fact(PTE_UNMAP, D, IOVA, PAGE);
	usleep_range(3000, 3000);
	fact(HW_DMA, DEV, IOVA, PA, OK);
	fact(HW_DMA, DEV, IOVA + 8, PA + 8, OK);
	fact(IOTLB_SYNC, D, 0, ~0ULL);
}

static void no_late_dma(void *arg)
{
	(void)arg;
	attach(D, PAGING);
	map(D, IOVA, PA, PAGE);
	fact(HW_DMA, DEV, IOVA, PA, OK);
	fact(PTE_UNMAP, D, IOVA, PAGE);
	fact(IOTLB_SYNC, D, 0, ~0ULL);
}

static struct oracle_window window_of(void (*task)(void *))
{
	struct oracle_window win = {.accesses = 99, .longest_ns = 99};
	struct world_run r;

	load_hw("iotlb", task);
	r = run(1);
	assert_clean(&r);
	cr_assert(oracle_iotlb_window(w->oracles, &win));
	return win;
}

Test(hardware, window_is_measured)
{
	struct oracle_window win = window_of(late_dma);

	cr_assert_eq(win.accesses, 2);
	cr_assert_geq(win.longest_ns, 3 * NSEC_PER_MSEC);
	cr_assert_eq(win.deferred, 1);
	cr_assert_geq(win.open_ns_max, 3 * NSEC_PER_MSEC);
	cr_assert_eq(win.open_ns, win.open_ns_max);
	cr_assert_geq(win.open_steps, 1);
	win = window_of(no_late_dma);
	cr_assert_eq(win.accesses, 0);
	cr_assert_eq(win.longest_ns, 0);
}

static void a_mixture(void *arg)
{
	(void)arg;
	fact(HW_WALK, 0, PA, 1);
	fact(HW_TORN, 0, PA, 8);
}

Test(torn, a_mixture_of_old_and_new)
{
	load_hw("torn", a_mixture);
	fires("BUG: torn configuration entry in %F");
}

Test(torn, what_is_whole)
{
	load_hw("torn", mapped);
	silent();
}
