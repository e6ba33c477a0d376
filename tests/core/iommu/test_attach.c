// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach, detach, replace: which are refused, and where DMA goes after each.
 */
#include "tests/core/iommu/core_test.h"

#define VM 1

Test(attach, the_per_device_call_wants_a_device_alone)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, VM}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_attach, {0, 0}, -EINVAL},
		{OP_attach_group, {0, 0}, 0},
		{OP_detach, {0, 0}, -EINVAL},
		{OP_detach_group, {0, 0}, 0},
		{OP_free_domain, {0}, 0},
	};

	machine_small(false, 2);
	RUN_STEPS(t);
}

Test(attach, what_the_program_layer_refuses)
{
	static const struct step t[] = {
		{OP_alloc_domain, {0, 0}, -ENODEV},
		{OP_register_iommu, {0}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_alloc_domain, {0, 0}, -EEXIST},
		{OP_alloc_domain, {OP_DOMAINS_MAX, 0}, -EINVAL},
		{OP_attach, {0, 0}, -EPERM},
		{OP_claim, {0, VM}, 0},
		{OP_attach, {0, 1}, -ENOENT},
		{OP_attach, {0, 99}, -ENOENT},
		{OP_detach, {0, 0}, -EINVAL},
		{OP_attach, {0, 0}, 0},
		{OP_attach, {0, 0}, -EBUSY},
		{OP_detach, {0, 1}, -EINVAL},
		{OP_release, {0}, -EBUSY},
		{OP_free_domain, {0}, -EBUSY},
		{OP_free_domain, {1}, -ENOENT},
		{OP_detach, {0, 0}, 0},
		{OP_free_domain, {0}, 0},
		{OP_free_domain, {0}, -ENOENT},
		{OP_map, {0, 0x1000, 0x1000, 0}, -ENOENT},
		{OP_unmap, {0, 0x1000, 0x1000}, -ENOENT},
		{OP_release, {0}, 0},
	};

	machine_small(true, 1);
	RUN_STEPS(t);
}

Test(attach, a_sibling_may_not_attach_over_a_domain)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_claim, {0, VM}, 0},
		{OP_claim, {1, VM}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_alloc_domain, {1, 1}, 0},
		{OP_attach_group, {0, 0}, 0},
		{OP_attach_group, {1, 1}, -EBUSY},
		{OP_replace, {1, 1}, 0},
		{OP_detach_group, {1, 1}, 0},
		{OP_free_domain, {1}, 0},
		{OP_free_domain, {0}, -EBUSY},
		{OP_detach_group, {0, 0}, 0},
	};

	machine_small(false, 2);
	RUN_STEPS(t);
}

Test(attach, dma_follows_the_domain)
{
	static const struct step t[] = {
		{OP_dma, {0, 0x5000}, 0},
		{OP_register_iommu, {0}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
		{OP_claim, {0, VM}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_alloc_domain, {1, 0}, 0},
		{OP_map, {0, 0x5000, 0x1000, 0}, 0},
		{OP_map, {1, 0x6000, 0x1000, 0}, 0},
		{OP_attach, {0, 0}, 0},
		{OP_dma, {0, 0x5000}, 0},
		{OP_dma, {0, 0x6000}, -EFAULT},
		{OP_replace, {0, 1}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
		{OP_dma, {0, 0x6fff}, 0},
		{OP_unmap, {1, 0x6000, 0x1000}, 0x1000},
		{OP_dma, {0, 0x6fff}, -EFAULT},
		{OP_detach, {0, 1}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
		{OP_release, {0}, 0},
		{OP_set_type, {0, OP_DOMTYPE_IDENTITY}, 0},
		{OP_dma, {0, 0x5000}, 0},
		{OP_shutdown_iommu, {0}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
	};

	machine_small(true, 1);
	RUN_STEPS(t);
}

Test(attach, another_drivers_or_instances_domain_is_refused)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_register_iommu, {1}, 0},
		{OP_register_iommu, {2}, 0},
		{OP_alloc_domain, {0, 0}, 0},
		{OP_alloc_domain, {1, 1}, 0},
		{OP_alloc_domain, {2, 2}, 0},
		{OP_claim, {0, VM}, 0},
		{OP_attach, {0, 1}, -EINVAL},
		{OP_attach_group, {0, 2}, -EINVAL},
		{OP_replace, {0, 2}, -EINVAL},
		{OP_attach, {0, 0}, 0},
		{OP_replace, {0, 1}, -EINVAL},
		{OP_map, {0, 0x1000, 0x1000, 0}, 0},
		{OP_dma, {0, 0x1000}, 0},
	};

	machine_small(true, 1);
	m.n_iommus = 3;
	m.n_buses = 3;
	for (u32 i = 1; i < 3; i++) {
		machine_iommu_init(&m.iommu[i]);
		machine_bus_init(&m.bus[i]);
		m.bus[i].iommu = i;
		add_device(i, 8);
	}
	strcpy(m.iommu[2].model, "mock-smmu");
	RUN_STEPS(t);
}

Test(attach, a_driver_without_a_blocking_domain_gets_an_empty_one)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_set_type, {0, OP_DOMTYPE_IDENTITY}, 0},
		{OP_dma, {0, 0x5000}, 0},
		{OP_claim, {0, VM}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
		{OP_release, {0}, 0},
		{OP_dma, {0, 0x5000}, 0},
	};

	machine_small(true, 1);
	m.iommu[0].no_blocking = true;
	RUN_STEPS(t);
}

Test(attach, a_deferred_attach_comes_with_the_first_mapping)
{
	static const struct step t[] = {
		{OP_register_iommu, {0}, 0},
		{OP_dma, {0, 0x5000}, 0}, /* nothing programmed: as the old kernel left it */
		{OP_bind, {0, KERNEL_DRIVER_demo_nic}, 0},
		{OP_dma, {0, 0x5000}, -EFAULT},
		{OP_dma, {0, 0xf0000000}, 0},
	};

	machine_small(true, 1);
	m.iommu[0].deferred_attach = true;
	RUN_STEPS(t);
}

Test(attach, the_type_changes_only_when_nobody_is_there)
{
	static const struct step t[] = {
		{OP_set_type, {0, OP_DOMTYPE_DMA}, -ENODEV},
		{OP_register_iommu, {0}, 0},
		{OP_set_type, {0, OP_DOMTYPE_BLOCKED}, -EINVAL},
		{OP_set_type, {0, OP_DOMTYPE_UNMANAGED}, -EINVAL},
		{OP_set_type, {0, 99}, -EINVAL},
		{OP_bind, {0, KERNEL_DRIVER_demo_nic}, 0},
		{OP_set_type, {0, OP_DOMTYPE_IDENTITY}, -EPERM},
		{OP_set_type, {0, OP_DOMTYPE_DMA_FQ}, 0},
		{OP_unbind, {0}, 0},
		{OP_set_type, {0, OP_DOMTYPE_IDENTITY}, 0},
		{OP_claim, {0, VM}, 0},
		{OP_set_type, {0, OP_DOMTYPE_DMA}, -EPERM},
	};

	machine_small(true, 1);
	RUN_STEPS(t);
}
