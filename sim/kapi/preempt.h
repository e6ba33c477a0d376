/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contexts: what the running task may do just now.
 *
 * A task is atomic while preemption or interrupts are off, or while it is an
 * interrupt, a soft interrupt or inside an RCU reader section (the rule of a
 * kernel without CONFIG_PREEMPT_RCU). Being atomic does not keep *other* tasks
 * from running: they are on other CPUs. With interrupts off no interrupt
 * takes this task as its victim.
 */
#pragma once

#include "sim/base/types.h"

void preempt_disable(void);
void preempt_enable(void);
unsigned long kapi_irq_save(void);
void kapi_irq_restore(unsigned long flags);
void local_irq_disable(void);
void local_irq_enable(void);
#define local_irq_save(flags) ((void)((flags) = kapi_irq_save()))
#define local_irq_restore(flags) kapi_irq_restore(flags)

bool irqs_disabled(void);
bool in_hardirq(void);
bool in_softirq(void);
bool in_interrupt(void);
bool in_task(void);
bool in_atomic(void);
