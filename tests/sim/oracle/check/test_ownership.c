// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facts are published by hand: this oracle's whole world is what it hears.
 */
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define GROUP 5
#define NIC 1
#define DISK 2
#define USER 0x77

static void group_of_two(void)
{
	fact(GROUP_ADD, GROUP, NIC);
	fact(GROUP_ADD, GROUP, DISK);
}

static void driver_comes(u64 device, bool managed)
{
	if (!managed)
		fact(GROUP_KERNEL, GROUP, device);
	fact(DEVICE_BOUND, device, (u64)(uintptr_t) "driver", managed);
}

static void driver_goes(u64 device, bool managed)
{
	fact(DEVICE_UNBOUND, device, (u64)(uintptr_t) "driver", managed);
	if (!managed)
		fact(GROUP_UNUSE, GROUP, device);
}

static void claim_while_bound(void *arg)
{
	(void)arg;
	group_of_two();
	driver_comes(DISK, false);
	fact(GROUP_CLAIM, GROUP, USER);
}

static void bind_while_claimed(void *arg)
{
	(void)arg;
	group_of_two();
	fact(GROUP_CLAIM, GROUP, USER);
	fact(DEVICE_BOUND, NIC, (u64)(uintptr_t) "driver", false);
}

static void default_domain_while_claimed(void *arg)
{
	(void)arg;
	group_of_two();
	fact(GROUP_CLAIM, GROUP, USER);
	fact(GROUP_KERNEL, GROUP, NIC);
}

static void dma_while_claimed(void *arg)
{
	(void)arg;
	group_of_two();
	fact(GROUP_CLAIM, GROUP, USER);
	fact(DMA_MAP, NIC, 0x1000, 0x1000, 0);
}

static void in_turns(void *arg)
{
	(void)arg;
	group_of_two();
	driver_comes(NIC, false);
	fact(DMA_MAP, NIC, 0x1000, 0x1000, 0);
	driver_goes(NIC, false);
	fact(GROUP_CLAIM, GROUP, USER);
	fact(GROUP_RELEASE, GROUP, USER);
	driver_comes(DISK, false);
	driver_goes(DISK, false);
	fact(GROUP_CLAIM, GROUP, USER);
}

static void managed_drivers(void *arg)
{
	(void)arg;
	group_of_two();
	driver_comes(DISK, true);
	fact(GROUP_CLAIM, GROUP, USER);
	driver_comes(NIC, true);
	driver_goes(NIC, true);
}

static void another_group(void *arg)
{
	(void)arg;
	group_of_two();
	fact(GROUP_ADD, GROUP + 1, 3);
	fact(GROUP_CLAIM, GROUP + 1, USER);
	driver_comes(NIC, false);
	driver_goes(NIC, false);
	fact(GROUP_REMOVE, GROUP, NIC);
	fact(GROUP_CLAIM, GROUP, USER);
	fact(DEVICE_BOUND, NIC, (u64)(uintptr_t) "driver", false);
}

Test(ownership, a_claim_while_a_driver_is_bound)
{
	const struct finding *f;

	load_oracle("ownership", .task = {claim_while_bound});
	f = fires("BUG: DMA ownership violated in %F");
	cr_assert(strstr(f->text, "User 0x77 claims group 5 while its device 2"), "%s", f->text);
	cr_assert_str_eq(f->spot[0].what, "User claims the group");
	cr_assert_str_eq(f->spot[1].what, "Driver bound");
}

Test(ownership, a_driver_bound_while_a_user_owns_the_group)
{
	load_oracle("ownership", .task = {bind_while_claimed});
	cr_assert_str_eq(fires("DMA ownership violated")->spot[1].what, "The user's claim");
}

Test(ownership, the_default_domain_taken_while_a_user_owns_the_group)
{
	load_oracle("ownership", .task = {default_domain_while_claimed});
	fires("DMA ownership violated");
}

Test(ownership, memory_mapped_for_dma_while_a_user_owns_the_group)
{
	load_oracle("ownership", .task = {dma_while_claimed});
	fires("DMA ownership violated");
}

Test(ownership, one_after_the_other_is_silent)
{
	load_oracle("ownership", .task = {in_turns});
	silent();
}

Test(ownership, drivers_that_manage_dma_are_no_kernel_control)
{
	load_oracle("ownership", .task = {managed_drivers});
	silent();
}

Test(ownership, another_group_is_no_concern)
{
	load_oracle("ownership", .task = {another_group});
	silent();
}
