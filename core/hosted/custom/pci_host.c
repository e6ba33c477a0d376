// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: host bridges and what hangs on them. Each root bus of the machine is
 * a host bridge of its own, 32 bus numbers apart; a bus with a parent is behind
 * a bridge function there. Functions are in pci_function.c.
 *
 * False: firmware has set up all windows and BARs; nothing is ever moved.
 */
#include "core/hosted/custom/pci.h"

#include <linux/logic_iomem.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define BUSES_PER_ROOT 32
#define BRIDGE_SLOT 16 /* of the bridge to machine bus 0 on its parent */

static struct resource hosted_window = {
	.name = "PCI memory",
	.start = HOSTED_PCI_MEM,
	.end = HOSTED_PCI_MEM + HOSTED_BUSES_MAX * HOSTED_PCI_MEM_BUS - 1,
	.flags = IORESOURCE_MEM,
};
static struct hosted_function *hosted_bridge[HOSTED_BUSES_MAX]; /* to this bus, on its parent */

/* --- numbers --- */

static unsigned int root_of(unsigned int bus)
{
	for (int i = 0; i < HOSTED_BUSES_MAX && hosted_machine.bus[bus].parent != FLOOR_NONE; i++)
		bus = hosted_machine.bus[bus].parent;
	return bus;
}

/* Relative to the root: what its devices' addresses say, 0 for a root. */
static unsigned int relative_number(unsigned int bus)
{
	if (hosted_machine.bus[bus].parent == FLOOR_NONE)
		return 0;
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		if (hosted_machine.device[i].d.bus == bus)
			return hosted_machine.device[i].d.bdf >> 8 & (BUSES_PER_ROOT - 1);
	}
	return 0;
}

static unsigned int root_number(unsigned int bus)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < root_of(bus); i++)
		n += hosted_machine.bus[i].pci && hosted_machine.bus[i].parent == FLOOR_NONE;
	return n * BUSES_PER_ROOT & 0xff;
}

static unsigned int number_of(unsigned int bus)
{
	return root_number(bus) + relative_number(bus);
}

static unsigned int devfn_of(const struct hosted_device *hd)
{
	return hd->d.bdf & 0xff;
}

unsigned int hosted_pci_address(const struct hosted_device *hd)
{
	return number_of(hd->d.bus) << 8 | devfn_of(hd);
}

unsigned int hosted_requester(const struct hosted_device *hd)
{
	if (hd->d.n_ids)
		return hd->d.ids[0];
	if (!hosted_machine.bus[hd->d.bus].pci)
		return hd->d.bdf;
	if (hosted_machine.bus[hd->d.bus].alias)
		return number_of(hd->d.bus) << 8;
	if (hd->d.alias_of < hosted_machine.n_devices)
		return hosted_pci_address(&hosted_machine.device[hd->d.alias_of]);
	return hosted_pci_address(hd);
}

struct hosted_device *hosted_pci_device_of(const struct pci_dev *pdev)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (hosted_machine.bus[hd->d.bus].pci && devfn_of(hd) == pdev->devfn &&
		    number_of(hd->d.bus) == pdev->bus->number)
			return hd;
	}
	return NULL;
}

/* --- configuration space --- */

static struct hosted_function *function_at(struct pci_bus *bus, unsigned int devfn)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (hd->function && devfn_of(hd) == devfn && number_of(hd->d.bus) == bus->number)
			return hd->function;
	}
	for (int i = 0; i < hosted_machine.n_buses; i++) {
		unsigned int parent = hosted_machine.bus[i].parent;

		if (hosted_bridge[i] && devfn == PCI_DEVFN(BRIDGE_SLOT + i, 0) &&
		    number_of(parent) == bus->number)
			return hosted_bridge[i];
	}
	return NULL;
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct hosted_function *f = function_at(bus, devfn);

	*val = ~0U;
	if (!f)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*val = hosted_function_read(f, where, size);
	return PCIBIOS_SUCCESSFUL;
}

/* The bridge is told to reset what is below it: each function there is as new. */
static void reset_below(const struct hosted_function *bridge)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (hd->function && hosted_bridge[hd->d.bus] == bridge)
			hosted_function_reset(hd->function);
	}
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct hosted_function *f = function_at(bus, devfn);

	if (!f)
		return PCIBIOS_DEVICE_NOT_FOUND;
	hosted_function_write(f, where, size, val);
	if (where == PCI_BRIDGE_CONTROL && val & PCI_BRIDGE_CTL_BUS_RESET)
		reset_below(f);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = {.read = config_read, .write = config_write};

static int map_irq(const struct pci_dev *dev, u8 slot, u8 pin)
{
	return hosted_irq_line(slot + pin - 1);
}

/* --- memory --- */

static long map_memory(unsigned long offset, size_t size, const struct logic_iomem_ops **ops,
		       void **priv)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_function *f = hosted_machine.device[i].function;
		long at = f ? hosted_function_bar(f, HOSTED_PCI_MEM + offset, ops) : -1;

		if (at < 0)
			continue;
		*priv = f;
		return at;
	}
	return -ENXIO;
}

bool hosted_pci_window(unsigned long pa)
{
	return pa >= hosted_window.start && pa <= hosted_window.end;
}

/* One access, of a power of two. */
static bool reach_one(unsigned long pa, void *buf, unsigned int size, bool write)
{
	const struct logic_iomem_ops *ops;
	unsigned long val = 0;
	void *priv;
	long at = map_memory(pa - HOSTED_PCI_MEM, size, &ops, &priv);

	if (at < 0)
		return false;
	if (write) {
		memcpy(&val, buf, size);
		ops->write(priv, at, size, val);
	} else {
		val = ops->read(priv, at, size);
		memcpy(buf, &val, size);
	}
	return true;
}

bool hosted_pci_reach(unsigned long pa, void *buf, unsigned long size, bool write)
{
	while (size) {
		unsigned int n = sizeof(unsigned long);

		while (n > size || pa % n)
			n /= 2;
		if (!reach_one(pa, buf, n, write))
			return false;
		pa += n;
		buf += n;
		size -= n;
	}
	return true;
}

static const struct logic_iomem_region_ops memory_ops = {.map = map_memory};

/* --- the tree's view --- */

/* Called for each function before the driver core hears of it. */
int pcibios_device_add(struct pci_dev *pdev)
{
	struct hosted_device *hd = hosted_pci_device_of(pdev);
	struct hosted_device *alias;

	if (!hd)
		return 0;
	hd->dev = &pdev->dev;
	pdev->untrusted |= hd->d.untrusted;
	hosted_iommu_describe(hd);
	hosted_iommu_link(&pdev->dev);
	if (hd->d.alias_of < hosted_machine.n_devices) {
		alias = &hosted_machine.device[hd->d.alias_of];
		if (alias->d.bus == hd->d.bus)
			pci_add_dma_alias(pdev, devfn_of(alias), 1);
	}
	return hosted_device_override(hd, NULL);
}

static void claim_bars(struct pci_dev *pdev)
{
	for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (pdev->resource[i].flags && !pdev->resource[i].parent)
			pci_claim_resource(pdev, i);
	}
}

int hosted_pci_add(struct hosted_device *hd)
{
	struct pci_bus *bus = pci_find_bus(0, number_of(hd->d.bus));
	struct pci_dev *pdev;

	if (!bus)
		return -ENODEV;
	hd->function = hosted_function_new(hd);
	if (!hd->function)
		return -ENOMEM;
	pci_lock_rescan_remove();
	pdev = pci_scan_single_device(bus, devfn_of(hd));
	if (pdev) {
		claim_bars(pdev);
		pci_bus_add_device(pdev);
	}
	pci_unlock_rescan_remove();
	if (pdev)
		return 0;
	hd->dev = NULL;
	kfree(hd->function);
	hd->function = NULL;
	return -ENODEV;
}

int hosted_pci_remove(struct hosted_device *hd)
{
	struct hosted_function *f = hd->function;

	pci_stop_and_remove_bus_device_locked(to_pci_dev(hd->dev));
	hd->dev = NULL;
	hd->function = NULL;
	kfree(f);
	return 0;
}

/*
 * As pci_host_probe(), but that windows of bridges are claimed as they are: functions come
 * later, and a bridge that has none yet would lose its window.
 */
static int probe_root(struct pci_host_bridge *bridge)
{
	int ret;

	pci_lock_rescan_remove();
	ret = pci_scan_root_bus_bridge(bridge);
	if (!ret) {
		pci_bus_claim_resources(bridge->bus);
		pci_bus_add_devices(bridge->bus);
	}
	pci_unlock_rescan_remove();
	return ret;
}

static int add_root(unsigned int bus)
{
	struct pci_host_bridge *bridge = pci_alloc_host_bridge(0);
	int ret;

	if (!bridge)
		return -ENOMEM;
	pci_add_resource(&bridge->windows, &hosted_window);
	bridge->busnr = number_of(bus);
	bridge->ops = &config_ops;
	bridge->map_irq = map_irq;
	bridge->swizzle_irq = pci_common_swizzle;
	ret = probe_root(bridge);
	if (ret)
		pci_free_host_bridge(bridge);
	return ret;
}

int hosted_pci_boot(void)
{
	bool any = false;
	int ret;

	for (int i = 0; i < hosted_machine.n_buses; i++) {
		const struct floor_bus *b = &hosted_machine.bus[i];

		any |= b->pci;
		if (!b->pci || b->parent == FLOOR_NONE)
			continue;
		hosted_bridge[i] = hosted_bridge_new(i, number_of(b->parent), number_of(i));
		if (!hosted_bridge[i])
			return -ENOMEM;
	}
	/* x86 reaches a device's memory by pointers: nothing of ours is asked. */
	if (!any || !IS_ENABLED(CONFIG_INDIRECT_IOMEM))
		return 0;
	ret = logic_iomem_add_region(&hosted_window, &memory_ops);
	if (ret)
		return ret;
	pci_request_acs();
	for (int i = 0; i < hosted_machine.n_buses && !ret; i++) {
		if (hosted_machine.bus[i].pci && hosted_machine.bus[i].parent == FLOOR_NONE)
			ret = add_root(i);
	}
	return ret;
}
