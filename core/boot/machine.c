// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine that programs find which describe none: two functions with vfio-pci in
 * a group each, two platform devices with vfio-test in one, and a mediated device.
 * Hosted kernels have the same (core/hosted/custom/machine.c).
 */
#include "core/boot/boot_priv.h"

#define FUNCTION(id, devfn)                                                            \
	{.name = id, .driver = "vfio-pci", .bdf = devfn, .n_iommus = 1,                \
	 .alias_of = MACHINE_NONE, .physfn = MACHINE_NONE, .bound = true}
#define PLATFORM(id, sid)                                                              \
	{.name = id, .driver = "vfio-test", .bus = 1, .bdf = sid, .n_iommus = 1,       \
	 .ids = {7}, .n_ids = 1, .alias_of = MACHINE_NONE, .physfn = MACHINE_NONE, .bound = true}

/* As on x86. */
#define MSI_WINDOW(index)                                                              \
	{.device = index, .start = 0xfee00000, .length = 0x100000, .type = MACHINE_RESV_MSI}

const struct machine boot_default_machine = {
	.n_iommus = 1,
	.n_buses = 2,
	.n_devices = 5,
	.n_resv = 4,
	.iommu = {
		{.name = "iommu0", .model = "mock", .pgsize_bitmap = 0x40201000,
		 .aperture_lg2 = 48, .at_boot = true},
	},
	.bus = {
		{.name = "pci0", .kind = MACHINE_BUS_PCI, .iommu = MACHINE_NONE,
		 .parent = MACHINE_NONE, .acs = true},
		{.name = "soc", .kind = MACHINE_BUS_PLATFORM, .iommu = MACHINE_NONE,
		 .parent = MACHINE_NONE, .acs = true},
	},
	.device = {
		FUNCTION("pci1", 8),
		FUNCTION("pci2", 16),
		PLATFORM("dma0", 0),
		PLATFORM("dma1", 1),
		{.name = "mdev0", .driver = "vfio-emulated", .bus = 1, .bdf = 2,
		 .alias_of = MACHINE_NONE, .physfn = MACHINE_NONE, .bound = true},
	},
	.resv = {MSI_WINDOW(0), MSI_WINDOW(1), MSI_WINDOW(2), MSI_WINDOW(3)},
};
