// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the interrupt controller under the tree's interrupt core: 16 level
 * lines for INTx, 64 edges of IOMMUs' own and 64 message vectors. What a device raises becomes an
 * interrupt of the floor, which takes the CPU of whoever has interrupts on.
 *
 * False: messages are delivered whatever address they carry; `current` of a
 * handler is the interrupt's own task, not the one it interrupted.
 */
#include "core/hosted/custom/machine.h"

#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/preempt.h>

#define VECTORS 64
#define MSI_ADDRESS 0xfee00000UL
#define LINE_FIRST 16
#define LINES 16
#define WIRE_FIRST (LINE_FIRST + LINES)
#define WIRES_PER_IOMMU 4
#define WIRES (HOSTED_IOMMUS_MAX * WIRES_PER_IOMMU)

void hosted_cpu_relax(void);

void hosted_cpu_relax(void)
{
	hosted_floor->relax();
}

static struct fwnode_handle *hosted_msi_fwnode;
static struct irq_domain *hosted_vectors;
static DECLARE_BITMAP(hosted_vector_used, VECTORS);

/* --- message vectors --- */

static void compose(struct irq_data *d, struct msi_msg *msg)
{
	msg->address_hi = 0;
	msg->address_lo = MSI_ADDRESS;
	msg->data = d->hwirq;
}

static void nothing(struct irq_data *d)
{
}

static struct irq_chip vector_chip = {
	.name = "vector",
	.irq_compose_msi_msg = compose,
	.irq_ack = nothing,
	.irq_mask = nothing,
	.irq_unmask = nothing,
};

static int vector_alloc(struct irq_domain *domain, unsigned int virq, unsigned int n, void *arg)
{
	unsigned long first = bitmap_find_next_zero_area(hosted_vector_used, VECTORS, 0, n, n - 1);

	if (first >= VECTORS)
		return -ENOSPC;
	bitmap_set(hosted_vector_used, first, n);
	for (unsigned int i = 0; i < n; i++)
		irq_domain_set_info(domain, virq + i, first + i, &vector_chip, NULL,
				    handle_edge_irq, NULL, NULL);
	return 0;
}

static void vector_free(struct irq_domain *domain, unsigned int virq, unsigned int n)
{
	struct irq_data *d = irq_domain_get_irq_data(domain, virq);

	if (d)
		bitmap_clear(hosted_vector_used, d->hwirq, n);
}

static const struct irq_domain_ops vector_ops = {.alloc = vector_alloc, .free = vector_free};

#define MSI_ALWAYS (MSI_FLAG_USE_DEF_DOM_OPS | MSI_FLAG_USE_DEF_CHIP_OPS)

/* The tree makes a domain for each device that asks; what it can do is cut to what is here. */
static bool msi_child(struct device *dev, struct irq_domain *domain, struct irq_domain *parent,
		      struct msi_domain_info *info)
{
	info->flags &= parent->msi_parent_ops->supported_flags;
	info->flags |= MSI_ALWAYS;
	if (info->bus_token == DOMAIN_BUS_DEVICE_MSI)
		info->flags |= MSI_FLAG_ALLOC_SIMPLE_MSI_DESCS | MSI_FLAG_FREE_MSI_DESCS;
	info->chip->irq_ack = irq_chip_ack_parent;
	return true;
}

static const struct msi_parent_ops msi_parent = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_MULTI_PCI_MSI | MSI_FLAG_PCI_MSIX,
	.required_flags = MSI_ALWAYS,
	.init_dev_msi_info = msi_child,
};

void *hosted_root_bus_fwnode(struct pci_bus *bus) HOSTED_NAMED(pci_root_bus_fwnode);

void *hosted_root_bus_fwnode(struct pci_bus *bus)
{
	return hosted_msi_fwnode;
}

void hosted_irq_isolate(struct device *dev)
{
	dev_set_msi_domain(dev, hosted_vectors);
}

/* --- lines --- */

static unsigned long hosted_line_masked;

static void line_mask(struct irq_data *d)
{
	hosted_line_masked |= BIT(d->irq - LINE_FIRST);
}

static void line_unmask(struct irq_data *d)
{
	hosted_line_masked &= ~BIT(d->irq - LINE_FIRST);
	if (hosted_pci_asserts(d->irq))
		hosted_irq_level(d->irq);
}

static struct irq_chip line_chip = {
	.name = "INTx",
	.irq_mask = line_mask,
	.irq_unmask = line_unmask,
	.irq_ack = nothing,
};

static struct irq_chip wire_chip = {
	.name = "wire",
	.irq_mask = nothing,
	.irq_unmask = nothing,
	.irq_ack = nothing,
};

unsigned int hosted_irq_wire(unsigned int iommu, unsigned int line)
{
	return WIRE_FIRST + iommu * WIRES_PER_IOMMU + line % WIRES_PER_IOMMU;
}

/* --- vectors of nobody's domain --- */

int hosted_irq_vector(struct irq_chip *chip, void *data)
{
	int irq = irq_domain_alloc_irqs(hosted_vectors, 1, NUMA_NO_NODE, NULL);

	if (irq <= 0)
		return irq;
	irq_set_handler_data(irq, data);
	irq_set_chip(irq, chip);
	return irq;
}

void hosted_irq_vector_free(int irq)
{
	irq_set_handler_data(irq, NULL);
	irq_domain_free_irqs(irq, 1);
}

unsigned int hosted_irq_line(unsigned int slot)
{
	return LINE_FIRST + slot % LINES;
}

/* --- delivery --- */

static struct {
	bool in_service, again;
} hosted_service[VECTORS + WIRE_FIRST + WIRES];

static void handle(unsigned long what)
{
	if (what < VECTORS)
		generic_handle_domain_irq(hosted_vectors, what);
	else
		generic_handle_irq(what - VECTORS);
}

/*
 * arg: a message's vector, or VECTORS and a line's number. Each has a processor
 * of its own, which takes it again when it has done with it.
 */
static void deliver(void *arg)
{
	unsigned long what = (unsigned long)arg;
	int was_on = *hosted_irq_flag();

	if (what >= ARRAY_SIZE(hosted_service))
		return;
	if (hosted_service[what].in_service) {
		hosted_service[what].again = true;
		return;
	}
	hosted_service[what].in_service = true;
	hosted_floor->acquire(&hosted_service[what]);
	preempt_count_add(HARDIRQ_OFFSET);
	um_set_signals(0);
	do {
		hosted_service[what].again = false;
		handle(what);
	} while (hosted_service[what].again);
	um_set_signals(was_on);
	preempt_count_sub(HARDIRQ_OFFSET);
	hosted_floor->release(&hosted_service[what]);
	hosted_service[what].in_service = false;
	hosted_preempt_check();
}

void hosted_irq_message(unsigned int vector)
{
	if (vector < VECTORS)
		hosted_floor->irq(deliver, (void *)(unsigned long)vector);
}

void hosted_irq_level(unsigned int line)
{
	if (!(hosted_line_masked & BIT(line - LINE_FIRST)))
		hosted_floor->irq(deliver, (void *)(unsigned long)(line + VECTORS));
}

void hosted_irq_sent(unsigned long addr, unsigned int data)
{
	if (addr == MSI_ADDRESS)
		hosted_irq_message(data);
}

void hosted_irq_wired(unsigned int iommu, unsigned int line, bool level)
{
	unsigned int irq = hosted_irq_wire(iommu, line);

	if (level)
		hosted_floor->irq(deliver, (void *)(unsigned long)(irq + VECTORS));
}

int hosted_irq_boot(void)
{
	early_irq_init();
	if (IS_ENABLED(CONFIG_SPARSE_IRQ) &&
	    irq_alloc_descs(LINE_FIRST, LINE_FIRST, LINES + WIRES, 0) != LINE_FIRST)
		return -ENOMEM;
	for (unsigned int i = 0; i < WIRES; i++)
		irq_set_chip_and_handler(WIRE_FIRST + i, &wire_chip, handle_edge_irq);
	for (unsigned int i = 0; i < LINES; i++)
		irq_set_chip_and_handler(LINE_FIRST + i, &line_chip, handle_level_irq);
	hosted_msi_fwnode = irq_domain_alloc_named_fwnode("vectors");
	if (!hosted_msi_fwnode)
		return -ENOMEM;
	hosted_vectors = irq_domain_create_linear(hosted_msi_fwnode, VECTORS, &vector_ops, NULL);
	if (!hosted_vectors)
		return -ENOMEM;
	hosted_vectors->flags |= IRQ_DOMAIN_FLAG_ISOLATED_MSI | IRQ_DOMAIN_FLAG_MSI_PARENT;
	hosted_vectors->msi_parent_ops = &msi_parent;
	irq_domain_update_bus_token(hosted_vectors, DOMAIN_BUS_PCI_MSI);
	return 0;
}
