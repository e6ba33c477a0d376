// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci: PCI functions for user space. Binding, opening, and who may.
 */
#include "core/vfio/pci.h"

#include <stdio.h>
#include <string.h>

#define BUSES_PER_ROOT 32u
#define UUID_LEN 36

/* --- names --- */

static u32 root_of(const struct machine *m, u32 bus)
{
	while (m->bus[bus].parent != MACHINE_NONE)
		bus = m->bus[bus].parent;
	return bus;
}

/* Each root bus is a host bridge of its own, 32 numbers apart. */
static u32 bus_number(const struct machine *m, const struct machine_device *d)
{
	u32 root = root_of(m, d->bus), n = 0;

	for (u32 i = 0; i < root; i++)
		n += m->bus[i].kind == MACHINE_BUS_PCI && m->bus[i].parent == MACHINE_NONE;
	n *= BUSES_PER_ROOT;
	return (n + (m->bus[d->bus].parent == MACHINE_NONE ? 0 : d->bdf >> 8)) & 0xff;
}

u32 vfio_pci_address(const struct device *dev)
{
	const struct machine_device *d = dev_fw(dev);

	return bus_number(iommu_core()->machine, d) << 8 | (d->bdf & 0xff);
}

static void name_of(const struct device *dev, char name[16])
{
	u32 at = vfio_pci_address(dev);

	snprintf(name, 16, "0000:%02x:%02x.%x", at >> 8 & 0xff, at >> 3 & 0x1f, at & 7);
}

static bool is_uuid(const char *text)
{
	for (u32 i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]) || !text[i])
			return false;
	}
	return true;
}

/* What follows the name: 0, or -EINVAL; *token: one is given. */
static int read_options(const char *text, bool *token)
{
	static const char arg[] = "vf_token=";

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (*token || strncmp(text, arg, sizeof(arg) - 1) != 0)
			return -EINVAL;
		text += sizeof(arg) - 1;
		if (strlen(text) < UUID_LEN || !is_uuid(text))
			return -EINVAL;
		*token = true;
		text += UUID_LEN;
	}
	return 0;
}

/* dup: a token is for virtual functions, of which there are none here. */
static int pci_match(struct vfio_device *vdev, const char *text)
{
	bool token = false;
	char name[16];

	name_of(vdev->dev, name);
	if (strncmp(text, name, strlen(name)) != 0)
		return 0;
	text += strlen(name);
	if (*text && *text != ' ')
		return 0;
	if (read_options(text, &token) || token)
		return -EINVAL;
	return 1;
}

static const struct vfio_device_ops pci_ops = {
	.name = "vfio-pci",
	.match = pci_match,
};

/* --- binding --- */

int vfio_pci_probe(struct device *dev)
{
	struct vfio_device *vdev;
	int ret;

	/* dup: bridges have another header. */
	if (dev_fw(dev)->bridge || !dev_is_pci(dev))
		return -EINVAL;
	vdev = vfio_alloc_device(sizeof(struct vfio_pci), dev, &pci_ops);
	if (IS_ERR(vdev))
		return (int)PTR_ERR(vdev);
	ret = vfio_register_dev(vdev, VFIO_IOMMU);
	if (ret)
		vfio_put_device(vdev);
	else
		dev_set_drvdata(dev, vdev);
	return ret;
}

void vfio_pci_remove(struct device *dev)
{
	struct vfio_device *vdev = dev_get_drvdata(dev);

	vfio_unregister_dev(vdev);
	vfio_put_device(vdev);
}
