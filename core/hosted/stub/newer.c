// SPDX-License-Identifier: GPL-2.0-only
/*
 * stub: what only newer trees ask for. No header of the tree is read here, so
 * that the prototypes, where a tree has them, cannot conflict.
 */
#define EINVAL 22
#define EOPNOTSUPP 95

struct irq_desc;

/* No file is a dma-buf. */
void *dma_buf_get(int fd);
void *dma_buf_get(int fd)
{
	(void)fd;
	return (void *)(long)-EINVAL;
}

void *dma_buf_export(const void *info);
void *dma_buf_export(const void *info)
{
	(void)info;
	return (void *)(long)-EOPNOTSUPP;
}

/* Interrupts are not shown in /proc. */
void irq_proc_calc_prec(void);
void irq_proc_calc_prec(void)
{
}

void irq_proc_update_valid(struct irq_desc *desc);
void irq_proc_update_valid(struct irq_desc *desc)
{
	(void)desc;
}

void irq_proc_update_chip(const void *chip);
void irq_proc_update_chip(const void *chip)
{
	(void)chip;
}

void unregister_irq_proc(unsigned int irq, struct irq_desc *desc);
void unregister_irq_proc(unsigned int irq, struct irq_desc *desc)
{
	(void)irq;
	(void)desc;
}

int arch_probe_nr_irqs(void);
int arch_probe_nr_irqs(void)
{
	return 0;
}
