// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facts are published by hand: this oracle's whole world is what it hears.
 */
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define NIC 1
#define DIRECT 1
#define TRANSLATED 0
#define DRIVER ((u64)(uintptr_t) "driver")

static void change_under_driver(void *arg)
{
	(void)arg;
	fact(DEVICE_BOUND, NIC, DRIVER, false);
	fact(DMA_OPS, NIC, true);
}

static void change_under_mapping(void *arg)
{
	(void)arg;
	fact(DMA_MAP, NIC, 0x1000, 0x1000, DIRECT);
	fact(DMA_OPS, NIC, true);
}

static void unmap_the_other_way(void *arg)
{
	(void)arg;
	fact(DMA_MAP, NIC, 0x1000, 0x1000, DIRECT);
	fact(DMA_UNMAP, NIC, 0x1000, 0x1000, TRANSLATED);
}

static void change_between_drivers(void *arg)
{
	(void)arg;
	fact(DEVICE_BOUND, NIC, DRIVER, false);
	fact(DMA_MAP, NIC, 0x1000, 0x1000, DIRECT);
	fact(DMA_UNMAP, NIC, 0x1000, 0x1000, DIRECT);
	fact(DEVICE_UNBOUND, NIC, DRIVER, false);
	fact(DMA_OPS, NIC, true);
	fact(DEVICE_BOUND, NIC, DRIVER, false);
	fact(DMA_MAP, NIC, 0x1000, 0x1000, TRANSLATED);
	fact(DMA_UNMAP, NIC, 0x1000, 0x1000, TRANSLATED);
}

static void change_under_managed_driver(void *arg)
{
	(void)arg;
	fact(DEVICE_BOUND, NIC, DRIVER, true);
	fact(DMA_OPS, NIC, true);
}

Test(dmaops, ops_change_while_a_driver_is_bound)
{
	load_oracle("dmaops", .task = {change_under_driver});
	fires("BUG: DMA ops changed under a driver in %F");
}

Test(dmaops, ops_change_while_memory_is_mapped)
{
	load_oracle("dmaops", .task = {change_under_mapping});
	fires("BUG: DMA ops changed under a driver in %F");
}

Test(dmaops, memory_is_unmapped_with_other_ops)
{
	load_oracle("dmaops", .task = {unmap_the_other_way});
	fires("BUG: DMA mapping taken back with other ops in %F");
}

Test(dmaops, between_two_drivers_ops_may_change)
{
	load_oracle("dmaops", .task = {change_between_drivers});
	silent();
}

Test(dmaops, a_driver_that_manages_dma_does_not_mind)
{
	load_oracle("dmaops", .task = {change_under_managed_driver});
	silent();
}
