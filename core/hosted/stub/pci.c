// SPDX-License-Identifier: GPL-2.0-only
/*
 * stub: what the tree's PCI, interrupt and resource code asks of the rest of
 * the kernel and does not need here: /proc, port I/O, threads of interrupts'
 * entropy, link power management of the platform.
 */
#include "core/hosted/runtime.h"

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/logic_pio.h>
#include <linux/pci.h>
#include <linux/property.h>
#include <linux/random.h>
#include <linux/slab.h>

void register_irq_proc(unsigned int irq, struct irq_desc *desc);
void register_handler_proc(unsigned int irq, struct irqaction *action);
void unregister_handler_proc(unsigned int irq, struct irqaction *action);
int pci_proc_attach_device(struct pci_dev *dev);
int pci_proc_detach_device(struct pci_dev *dev);
int pci_proc_detach_bus(struct pci_bus *bus);

void register_irq_proc(unsigned int irq, struct irq_desc *desc)
{
}

void register_handler_proc(unsigned int irq, struct irqaction *action)
{
}

void unregister_handler_proc(unsigned int irq, struct irqaction *action)
{
}

int pci_proc_attach_device(struct pci_dev *dev)
{
	return 0;
}

int pci_proc_detach_device(struct pci_dev *dev)
{
	return 0;
}

int pci_proc_detach_bus(struct pci_bus *bus)
{
	return 0;
}

void add_interrupt_randomness(int irq)
{
}

int __init arch_early_irq_init(void)
{
	return 0;
}

unsigned int arch_dynirq_lower_bound(unsigned int from)
{
	return from;
}

bool file_ns_capable(const struct file *file, struct user_namespace *ns, int cap)
{
	return true;
}

/* --- there are no ports --- */

int logic_pio_register_range(struct logic_pio_hwaddr *range)
{
	return -EOPNOTSUPP;
}

resource_size_t logic_pio_to_hwaddr(unsigned long pio)
{
	return (resource_size_t)~0;
}

unsigned long logic_pio_trans_cpuaddr(resource_size_t addr)
{
	return ~0UL;
}

/*
 * In the place of the tree's (the link wraps it), which asks of what slab made
 * whether it is a page of slab's: here it is no page at all.
 */
void __wrap___release_region(struct resource *parent, resource_size_t start, resource_size_t n);

void __wrap___release_region(struct resource *parent, resource_size_t start, resource_size_t n)
{
	resource_size_t end = start + n - 1;
	struct resource *res = parent->child;

	while (res && (res->start > start || res->end < end || !(res->flags & IORESOURCE_BUSY)))
		res = res->start <= start && res->end >= end ? res->child : res->sibling;
	if (!res || res->start != start || res->end != end) {
		pr_warn("Trying to free nonexistent resource <%pa-%pa>\n", &start, &end);
		return;
	}
	release_resource(res);
	kfree(res);
}

/* --- short waits take time only when nothing else happens --- */

void __const_udelay(unsigned long xloops)
{
	hosted_floor->relax();
}

void usleep_range_state(unsigned long min, unsigned long max, unsigned int state)
{
	set_current_state(state);
	schedule_timeout(usecs_to_jiffies(max) + 1);
}
