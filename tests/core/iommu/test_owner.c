// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may have a group, errno by errno.
 */
#include "tests/core/iommu/core_test.h"

#define VM1 1
#define VM2 2
#define NIC KERNEL_DRIVER_demo_nic
#define STUB KERNEL_DRIVER_pci_stub
#define VFIO KERNEL_DRIVER_vfio_pci

static void two_in_a_group(void)
{
	machine_small(false, 2);
}

static void two_groups(void)
{
	machine_small(true, 2);
}

Test(owner, a_claim_needs_an_owner_and_a_group)
{
	static const struct step t[] = {
		{OP_claim, {0, VM1}, -ENODEV},
		{OP_claim_group, {0, VM1}, -ENODEV},
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, 0}, -EINVAL},
		{OP_claim_group, {0, 0}, -EINVAL},
		{OP_claim, {7, VM1}, -ENODEV},
		{OP_release, {0}, -EINVAL},
		{OP_release_group, {0}, -EINVAL},
		{OP_claim, {0, VM1}, 0},
		{OP_release_group, {0}, -EINVAL},
		{OP_release, {0}, 0},
		{OP_release, {0}, -EINVAL},
	};

	two_groups();
	RUN_STEPS(t);
}

Test(owner, devices_of_a_group_go_to_one_owner)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, VM1}, 0},
		{OP_claim, {1, VM1}, 0},
		{OP_claim, {1, VM2}, -EPERM},
		{OP_claim_group, {1, VM1}, -EPERM},
		{OP_release, {0}, 0},
		{OP_claim, {0, VM2}, -EPERM},
		{OP_release, {1}, 0},
		{OP_claim_group, {0, VM2}, 0},
		{OP_claim_group, {1, VM2}, -EPERM},
		{OP_claim, {1, VM1}, -EPERM},
		{OP_claim, {1, VM2}, 0},
		{OP_release_group, {0}, 0},
		{OP_claim_group, {0, VM1}, -EPERM},
		{OP_release, {1}, 0},
		{OP_claim_group, {0, VM1}, 0},
	};

	two_in_a_group();
	RUN_STEPS(t);
}

Test(owner, a_bound_driver_keeps_users_out_and_the_reverse)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_bind, {0, NIC}, 0},
		{OP_bind, {0, NIC}, -EBUSY},
		{OP_claim, {1, VM1}, -EPERM},
		{OP_claim_group, {0, VM1}, -EPERM},
		{OP_bind, {1, NIC}, 0},
		{OP_unbind, {0}, 0},
		{OP_claim, {0, VM1}, -EPERM},
		{OP_unbind, {1}, 0},
		{OP_claim, {0, VM1}, 0},
		{OP_bind, {0, NIC}, -EBUSY},
		{OP_bind, {1, NIC}, -EBUSY},
		{OP_release, {0}, 0},
		{OP_bind, {1, NIC}, 0},
	};

	two_in_a_group();
	RUN_STEPS(t);
}

Test(owner, drivers_that_manage_dma_go_with_any_owner)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_bind, {0, VFIO}, 0},
		{OP_claim, {0, VM1}, 0},
		{OP_bind, {1, STUB}, 0},
		{OP_unbind, {1}, 0},
		{OP_bind, {1, KERNEL_DRIVER_portdrv}, 0},
		{OP_bind, {1, NIC}, -EBUSY},
	};

	two_in_a_group();
	RUN_STEPS(t);
}

Test(owner, a_driver_waits_for_its_iommu)
{
	static const struct step t[] = {
		{OP_bind, {0, NIC}, -EAGAIN},
		{OP_probe, {0}, -EPROBE_DEFER},
		{OP_bind, {0, VFIO}, -EAGAIN},
		{OP_register_iommu, {0}, 0},
		{OP_register_iommu, {0}, -EBUSY},
		{OP_probe, {0}, 0},
		{OP_unregister_iommu, {0}, 0},
		{OP_unbind, {0}, -ENODEV},
		{OP_probe, {0}, -EPROBE_DEFER},
		{OP_unregister_iommu, {0}, -ENODEV},
		{OP_probe, {1}, -ENODEV},
	};

	two_groups();
	strcpy(m.device[0].driver, "demo-nic");
	RUN_STEPS(t);
}

Test(owner, a_device_that_must_stay_mapped_cannot_be_claimed)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, VM1}, -EINVAL},
		{OP_claim_group, {1, VM1}, -EINVAL},
		{OP_bind, {0, NIC}, 0},
		{OP_dma, {0, 0x10000}, 0},
		{OP_dma, {1, 0x10fff}, 0},
		{OP_dma, {0, 0x11000}, -EFAULT},
	};

	two_in_a_group();
	add_resv(0, 0x10000, 0x1000, MACHINE_RESV_DIRECT);
	RUN_STEPS(t);
}

Test(owner, unplugging_and_unregistering_end_a_claim)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, VM1}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_attach_group, {0, 0}, 0},
		{OP_free_domain, {0}, -EBUSY},
		{OP_remove, {0}, 0},
		{OP_remove, {0}, -ENODEV},
		{OP_free_domain, {0}, 0},
		{OP_release, {0}, -ENODEV},
		{OP_claim, {1, VM2}, 0},
		{OP_add, {1}, -EEXIST},
		{OP_unregister_iommu, {0}, 0},
		{OP_release, {1}, -EINVAL},
		{OP_claim, {1, VM2}, -ENODEV},
		{OP_add, {0}, 0},
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, VM2}, 0},
	};

	two_in_a_group();
	RUN_STEPS(t);
}
