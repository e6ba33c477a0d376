// SPDX-License-Identifier: GPL-2.0-only
/*
 * The doors between the tree's IOMMU drivers and the models of their hardware:
 * registers behind ioremap(), interrupts, caches, polling. What firmware says
 * of the machine is in firmware.c.
 *
 * False: of the processors' caches there is nothing but what a walker sees that does
 * not snoop them (core/hosted/lines.c): what software reads is always what was written last.
 */
#include "core/hosted/custom/machine.h"

#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/logic_iomem.h>

void hosted_relax(void);
u64 hosted_cycles(void);
void clflush_cache_range(void *addr, unsigned int size);

/* --- registers --- */

static struct resource windows[HOSTED_IOMMUS_MAX];

static unsigned long reg_read(void *priv, unsigned int offset, int size)
{
	return hosted_floor->mmio_read((struct hosted_iommu *)priv - hosted_machine.iommu, offset,
				       size);
}

static void reg_write(void *priv, unsigned int offset, int size, unsigned long val)
{
	hosted_floor->mmio_write((struct hosted_iommu *)priv - hosted_machine.iommu, offset, size,
				 val);
}

static const struct logic_iomem_ops register_ops = {.read = reg_read, .write = reg_write};

static long map_registers(unsigned long offset, size_t size, const struct logic_iomem_ops **ops,
			  void **priv)
{
	unsigned long at = windows[0].start + offset;

	for (int i = 0; i < hosted_machine.n_iommus; i++) {
		struct hosted_iommu *u = &hosted_machine.iommu[i];

		if (u->d.model == FLOOR_MODEL_MOCK || at < u->d.mmio ||
		    at - u->d.mmio >= u->d.mmio_size)
			continue;
		*ops = &register_ops;
		*priv = u;
		return at - u->d.mmio;
	}
	return -ENXIO;
}

static const struct logic_iomem_region_ops region_ops = {.map = map_registers};

int hosted_registers_boot(void)
{
	struct resource *window = &windows[0];

	window->name = "IOMMU registers";
	window->start = -1;
	window->flags = IORESOURCE_MEM;
	for (int i = 0; i < hosted_machine.n_iommus; i++) {
		const struct floor_iommu *d = &hosted_machine.iommu[i].d;

		if (d->model == FLOOR_MODEL_MOCK)
			continue;
		window->start = min_t(u64, window->start, d->mmio);
		window->end = max_t(u64, window->end, d->mmio + d->mmio_size - 1);
	}
	return window->end ? logic_iomem_add_region(window, &region_ops) : 0;
}

/* --- waiting for the hardware --- */

void hosted_relax(void)
{
	hosted_floor->relax();
}

void __udelay(unsigned long us)
{
	hosted_floor->relax();
}

u64 hosted_cycles(void)
{
	return hosted_floor->now_ns();
}

void clflush_cache_range(void *addr, unsigned int size)
{
	mb();
	hosted_floor->flush(virt_to_phys(addr), size);
}
