/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts. A raised interrupt is a task of its own (TASK_IRQ): when the
 * policy chooses it, it preempts a running task that has interrupts on, runs
 * the line's handlers, and may not sleep. A line does not nest: while its
 * handlers run or wait to run, further raises are remembered once.
 */
#pragma once

#include "sim/kapi/preempt.h"
#include "sim/kapi/err.h"

typedef enum { IRQ_NONE, IRQ_HANDLED, IRQ_WAKE_THREAD } irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *dev);

#define IRQ_LINES_MAX 64
#define IRQF_SHARED 0x80u
#define IRQF_ONESHOT 0x2000u

/* -EBUSY if the line is taken and not shared, -EINVAL for no such line. May sleep. */
int request_irq(unsigned irq, irq_handler_t handler, unsigned long flags, const char *name,
		void *dev);
/* thread_fn runs in a daemon task, and may sleep. */
int request_threaded_irq(unsigned irq, irq_handler_t handler, irq_handler_t thread_fn,
			 unsigned long flags, const char *name, void *dev);
/* Waits for running handlers. A line or dev that is not there is a WARN. */
void free_irq(unsigned irq, void *dev);
void synchronize_irq(unsigned irq);
void disable_irq(unsigned irq);
void disable_irq_nosync(unsigned irq);
void enable_irq(unsigned irq);

/* Hardware's side: the line goes up. From any context. */
void irq_raise(unsigned irq);
