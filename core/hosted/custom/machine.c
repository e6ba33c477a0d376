// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the scenario's machine as firmware would have found it: platform
 * devices and PCI functions that wait for a driver.
 *
 * Which driver may have a device is the program's to say (bind, probe): until
 * then an override keeps every driver away.
 */
#include "core/hosted/custom/machine.h"

#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

struct hosted_machine hosted_machine;

struct hosted_device *hosted_device_of(struct device *dev)
{
	if (!dev)
		return NULL;
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		if (hosted_machine.device[i].dev == dev)
			return &hosted_machine.device[i];
	}
	return NULL;
}

static bool is_pci(const struct hosted_device *hd)
{
	return hosted_machine.bus[hd->d.bus].pci;
}

int hosted_override(struct device *dev, const char *driver)
{
#if HOSTED_HAS_DEVICE_DRIVER_OVERRIDE
	return device_set_driver_override(dev, driver);
#else
	if (dev_is_pci(dev))
		return driver_set_override(dev, &to_pci_dev(dev)->driver_override, driver,
					   strlen(driver));
	return driver_set_override(dev, &to_platform_device(dev)->driver_override, driver,
				   strlen(driver));
#endif
}

int hosted_device_override(struct hosted_device *hd, const char *driver)
{
	return hd->dev ? hosted_override(hd->dev, driver ? driver : "none") : -ENODEV;
}

/* --- platform devices --- */

static bool behind_smmuv3(const struct hosted_device *hd)
{
	return hd->d.iommu < hosted_machine.n_iommus &&
	       hosted_machine.iommu[hd->d.iommu].d.model == FLOOR_MODEL_SMMUV3;
}

static int platform_add(struct hosted_device *hd)
{
	struct platform_device *pdev = platform_device_alloc(hd->d.name, PLATFORM_DEVID_NONE);
	int ret;

	if (!pdev)
		return -ENOMEM;
	hd->dev = &pdev->dev;
	ret = hosted_device_override(hd, NULL);
	if (!ret && behind_smmuv3(hd))
		ret = hosted_smmuv3_endpoint(&pdev->dev);
	if (!ret) {
		hosted_irq_isolate(&pdev->dev);
		hosted_iommu_describe(hd);
		ret = platform_device_add(pdev);
	}
	if (!ret)
		hosted_iommu_link(&pdev->dev);
	if (ret) {
		hd->dev = NULL;
		platform_device_put(pdev);
	}
	return ret;
}

static int platform_remove(struct hosted_device *hd)
{
	struct platform_device *pdev = to_platform_device(hd->dev);

	platform_device_del(pdev);
	hd->dev = NULL;
	platform_device_put(pdev);
	return 0;
}

int hosted_device_add(struct hosted_device *hd)
{
	if (hd->dev)
		return -EEXIST;
	return is_pci(hd) ? hosted_pci_add(hd) : platform_add(hd);
}

/* What is being unplugged is described no more: nobody would take that back. */
static void set_going(struct hosted_device *hd, bool going)
{
	mutex_lock(&iommu_probe_device_lock);
	hd->going = going;
	mutex_unlock(&iommu_probe_device_lock);
}

int hosted_device_remove(struct hosted_device *hd)
{
	int ret;

	if (!hd->dev)
		return -ENODEV;
	set_going(hd, true);
	ret = is_pci(hd) ? hosted_pci_remove(hd) : platform_remove(hd);
	set_going(hd, false);
	return ret;
}

/* The driver that the machine names for it; as after device_initial_probe(). */
int hosted_device_probe(struct hosted_device *hd)
{
	int ret = hosted_device_override(hd, *hd->d.driver ? hd->d.driver : NULL);

	if (ret)
		return ret;
	ret = device_attach(hd->dev);
	return ret < 0 ? ret : 0;
}

/* --- boot --- */

/* What there is when nobody says: two functions that share a group, one alone, one emulated. */
static const struct floor_iommu default_iommu[] = {
	{.name = "iommu0", .pgsize_bitmap = 0x40201000, .aperture_lg2 = 48, .at_boot = true},
};
static const struct floor_bus default_bus[] = {
	{.name = "pci0", .pci = true, .parent = FLOOR_NONE, .acs = true},
	{.name = "soc", .parent = FLOOR_NONE, .acs = true},
};
static const struct floor_device default_device[] = {
	{.name = "pci1", .driver = "vfio-pci", .bdf = 8, .alias_of = FLOOR_NONE, .bound = true},
	{.name = "pci2", .driver = "vfio-pci", .bdf = 16, .alias_of = FLOOR_NONE, .bound = true},
	{.name = "dma0", .driver = "vfio-test", .bus = 1, .ids = {7}, .n_ids = 1,
	 .alias_of = FLOOR_NONE, .bound = true},
	{.name = "dma1", .driver = "vfio-test", .bus = 1, .bdf = 1, .ids = {7}, .n_ids = 1,
	 .alias_of = FLOOR_NONE, .bound = true},
	{.name = "mdev0", .driver = "vfio-emulated", .bus = 1, .bdf = 2, .iommu = FLOOR_NONE,
	 .alias_of = FLOOR_NONE, .bound = true},
};
static const struct floor_machine default_machine = {
	.n_iommus = ARRAY_SIZE(default_iommu),
	.n_buses = ARRAY_SIZE(default_bus),
	.n_devices = ARRAY_SIZE(default_device),
	.iommu = default_iommu,
	.bus = default_bus,
	.device = default_device,
};

/* Strings of a given machine do not outlive the boot. */
static const char *keep(const char *s)
{
	return kstrdup(s, GFP_KERNEL | __GFP_NOFAIL);
}

static void take(const struct floor_machine *m)
{
	struct hosted_machine *to = &hosted_machine;

	to->n_iommus = min(m->n_iommus, (unsigned int)HOSTED_IOMMUS_MAX);
	to->n_buses = min(m->n_buses, (unsigned int)HOSTED_BUSES_MAX);
	to->n_devices = min(m->n_devices, (unsigned int)HOSTED_DEVICES_MAX);
	to->n_resv = min(m->n_resv, (unsigned int)HOSTED_RESV_MAX);
	for (int i = 0; i < to->n_iommus; i++) {
		to->iommu[i].d = m->iommu[i];
		to->iommu[i].d.name = keep(m->iommu[i].name);
	}
	for (int i = 0; i < to->n_buses; i++) {
		to->bus[i] = m->bus[i];
		to->bus[i].name = keep(m->bus[i].name);
	}
	for (int i = 0; i < to->n_devices; i++) {
		to->device[i].d = m->device[i];
		to->device[i].d.name = keep(m->device[i].name);
		to->device[i].d.driver = keep(m->device[i].driver);
	}
	to->driver = m->driver;
	to->n_drivers = m->n_drivers;
	memcpy(to->resv, m->resv, to->n_resv * sizeof(*m->resv));
}

static void complain(const char *what, const char *name, int ret)
{
	if (ret)
		pr_err("machine: %s %s gave %d\n", what, name, ret);
}

/* --- without the tree's own IOMMU drivers: core/hosted/drivers has better ones --- */

int __weak hosted_registers_boot(void)
{
	for (int i = 0; i < hosted_machine.n_iommus; i++) {
		const struct floor_iommu *d = &hosted_machine.iommu[i].d;

		if (d->model != FLOOR_MODEL_MOCK)
			hosted_finding(HOSTED_CALLER, "BUG: an IOMMU without a driver",
				       "%s needs an object of `kernel build --drivers`", d->name);
	}
	return 0;
}

int __weak hosted_smmuv3_add(struct hosted_iommu *u)
{
	return -EOPNOTSUPP;
}

int __weak hosted_smmuv3_describe(struct hosted_iommu *u, struct hosted_device *hd)
{
	return -EOPNOTSUPP;
}

int __weak hosted_smmuv3_endpoint(struct device *dev)
{
	return -EOPNOTSUPP;
}

int __weak hosted_vtd_boot(void)
{
	return -EOPNOTSUPP;
}

/* --- what is found when --- */

static void find_iommus(void)
{
	complain("IOMMUs", "", hosted_iommu_boot());
	for (int i = 0; i < hosted_machine.n_iommus; i++) {
		struct hosted_iommu *u = &hosted_machine.iommu[i];

		if (u->d.at_boot && u->d.model != FLOOR_MODEL_VTD)
			complain("IOMMU", u->d.name, hosted_iommu_register(u));
	}
}

static void find_devices(void)
{
	complain("the bus", "PCI", hosted_pci_boot());
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (!hd->d.absent)
			complain("device", hd->d.name, hosted_device_add(hd));
	}
}

static bool hosted_found_early;

/*
 * Drivers of IOMMUs that firmware does not tie to a device take every device,
 * and the first of them wins: on a real machine that is VT-d's, which is up
 * before iommufd's mock.
 */
void hosted_machine_early(const struct floor_machine *m)
{
	int ret;

	for (int i = 0; m && m->n_devices && i < m->n_iommus; i++)
		hosted_found_early |= m->iommu[i].model == FLOOR_MODEL_VTD;
	if (!hosted_found_early)
		return;
	take(m);
	find_iommus();
	find_devices();
	ret = hosted_vtd_boot();
	complain("IOMMU", "VT-d", ret);
	for (int i = 0; i < hosted_machine.n_iommus; i++)
		hosted_machine.iommu[i].registered |=
			!ret && hosted_machine.iommu[i].d.model == FLOOR_MODEL_VTD;
}

/*
 * The map of groups' numbers grows when more than 62 are in use at once, and stays so while
 * one is: the memory would seem to be left behind by who made that many. So it grows now.
 */
#define GROUPS_AT_ONCE 64

static void make_room_for_groups(void)
{
	struct iommu_group *group[GROUPS_AT_ONCE];

	for (int i = 0; i < GROUPS_AT_ONCE; i++)
		group[i] = iommu_group_alloc();
	for (int i = GROUPS_AT_ONCE; i--;) {
		if (!IS_ERR(group[i]))
			iommu_group_put(group[i]);
	}
}

void hosted_machine_boot(const struct floor_machine *m)
{
	if (!hosted_found_early)
		take(m && m->n_devices ? m : &default_machine);
	complain("drivers of", "VFIO", hosted_vfio_boot());
	complain("drivers of", "the demo", hosted_demo_boot());
	if (!hosted_found_early) {
		find_iommus();
		find_devices();
	}
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (hd->dev && hd->d.bound)
			complain("driver of", hd->d.name, hosted_device_probe(hd));
	}
	/* The name would seem to be left behind by the program that registers one. */
	for (int i = 0; i < hosted_machine.n_iommus; i++)
		complain("IOMMU", hosted_machine.iommu[i].d.name,
			 hosted_iommu_ready(&hosted_machine.iommu[i]));
	make_room_for_groups();
}
