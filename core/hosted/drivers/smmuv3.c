// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware says of an SMMUv3: a platform device with registers, wired
 * interrupts and an IORT node, and the stream ids of the devices behind it.
 */
#include "core/hosted/custom/machine.h"

#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>

struct iort {
	struct acpi_iort_node node;
	struct acpi_iort_smmu_v3 smmu;
} __packed;

/* What the unit's first register says of its walks. */
#define IDR0_COHACC BIT(4)
#define IDR0_HTTU GENMASK(7, 6)

/* Since 6.13, where guests may have a stage of their own. */
#ifdef IOMMU_FWSPEC_PCI_RC_CANWBS
#define COHERENT IOMMU_FWSPEC_PCI_RC_CANWBS
#else
#define COHERENT 0
#endif

static const char *const lines[] = {"eventq", "priq", "gerror"};

/* The node's flags: the driver takes them before the registers. */
static u32 iort_flags(const struct hosted_iommu *u)
{
	u32 idr0 = hosted_floor->mmio_read(u - hosted_machine.iommu, 0, sizeof(idr0));

	return (idr0 & IDR0_COHACC ? ACPI_IORT_SMMU_V3_COHACC_OVERRIDE : 0) |
	       FIELD_PREP(ACPI_IORT_SMMU_V3_HTTU_OVERRIDE, FIELD_GET(IDR0_HTTU, idr0));
}

int hosted_smmuv3_add(struct hosted_iommu *u)
{
	struct platform_device *pdev =
		platform_device_alloc("arm-smmu-v3", u - hosted_machine.iommu);
	struct iort *node = kzalloc(sizeof(*node), GFP_KERNEL);
	struct resource res[1 + ARRAY_SIZE(lines)] = {
		DEFINE_RES_MEM(u->d.mmio, u->d.mmio_size)};
	int ret = -ENOMEM;

	if (!pdev || !node)
		return -ENOMEM;
	for (int i = 0; i < ARRAY_SIZE(lines); i++)
		res[1 + i] = (struct resource)DEFINE_RES_IRQ_NAMED(
			hosted_irq_wire(u - hosted_machine.iommu, i), lines[i]);
	node->node.type = ACPI_IORT_NODE_SMMU_V3;
	node->node.length = sizeof(*node);
	node->smmu.base_address = u->d.mmio;
	node->smmu.flags = iort_flags(u);
	pdev->dev.fwnode = &u->fwnode;
	u->hw = pdev;
	ret = platform_device_add_resources(pdev, res, ARRAY_SIZE(res));
	if (!ret)
		ret = platform_device_add_data(pdev, &node, sizeof(node));
	if (!ret)
		ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(48));
	if (ret)
		return ret;
	hosted_irq_isolate(&pdev->dev);
	ret = hosted_override(&pdev->dev, "none");
	return ret ? ret : platform_device_add(pdev);
}

/* What firmware says of endpoints that are not PCI's: they wait for pages, and have PASIDs. */
static const struct property_entry endpoint_properties[] = {
	PROPERTY_ENTRY_BOOL("dma-can-stall"),
	PROPERTY_ENTRY_U32("pasid-num-bits", 8),
	{},
};

int hosted_smmuv3_endpoint(struct device *dev)
{
	return device_create_managed_software_node(dev, endpoint_properties, NULL);
}

int hosted_smmuv3_describe(struct hosted_iommu *u, struct hosted_device *hd)
{
	int ret = iommu_fwspec_init(hd->dev, &u->fwnode);
	u32 id = hosted_requester(hd);

	if (ret)
		return ret;
	/* As IORT says of a root complex: with ATS, and nothing makes its writes incoherent. */
	if (dev_is_pci(hd->dev))
		dev_iommu_fwspec_get(hd->dev)->flags |= IOMMU_FWSPEC_PCI_RC_ATS | COHERENT;
	if (!hd->d.n_ids)
		return iommu_fwspec_add_ids(hd->dev, &id, 1);
	return iommu_fwspec_add_ids(hd->dev, hd->d.ids, hd->d.n_ids);
}
