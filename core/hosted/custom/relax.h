/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included after force.h by kernel/irq/manage.c, which spins until a handler is
 * over, whose task has to run meanwhile, and looks at what handlers change. The
 * headers that wait in functions of their own are read first: those spin as before.
 */
#pragma once

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irqdomain.h>
#include <linux/seqlock.h>
#include <linux/bit_spinlock.h>
#include <asm/barrier.h>
#include <asm/processor.h>

void hosted_cpu_relax(void);

#undef cpu_relax
#define cpu_relax() hosted_cpu_relax()

/*
 * Plain looks without the lock, by design: at a bit that does not change any more, in a word whose
 * others do, and at a state that is looked at again under the lock. No races to report.
 */
struct irq_desc;
struct irqaction;
static void __attribute__((no_sanitize("thread"))) irq_finalize_oneshot(struct irq_desc *desc,
									 struct irqaction *action);
static void __attribute__((no_sanitize("thread"))) __synchronize_hardirq(struct irq_desc *desc,
									 _Bool sync_chip);
