// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/preempt.h"

#include "sim/kapi/kapi_priv.h"

void preempt_disable(void)
{
	kapi_preempt_disable();
}

void kapi_bad_enable(u64 pc)
{
	kapi_finding(pc, "WARNING: preempt count underflow in %%F");
}

void preempt_enable(void)
{
	kapi_count_down(current_task, PREEMPT_ONE, KAPI_CALLER);
}

void kapi_softirq_enter(void)
{
	current_task->preempt_count += SOFTIRQ_ONE;
}

void kapi_softirq_exit(void)
{
	kapi_count_down(current_task, SOFTIRQ_ONE, KAPI_CALLER);
}

unsigned long kapi_irq_save(void)
{
	unsigned long flags = current_task->irq_off > 0;

	current_task->irq_off = 1;
	return flags;
}

void kapi_irq_restore(unsigned long flags)
{
	current_task->irq_off = flags ? 1 : 0;
	rcu_quiescent(current_task);
}

void local_irq_disable(void)
{
	current_task->irq_off = 1;
}

void local_irq_enable(void)
{
	kapi_irq_restore(0);
}

bool irqs_disabled(void)
{
	return current_task->irq_off;
}

bool in_hardirq(void)
{
	return current_task->preempt_count & HARDIRQ_BITS;
}

bool in_softirq(void)
{
	return current_task->preempt_count & SOFTIRQ_BITS;
}

bool in_interrupt(void)
{
	return current_task->preempt_count & (HARDIRQ_BITS | SOFTIRQ_BITS);
}

bool in_task(void)
{
	return !in_interrupt();
}

bool in_atomic(void)
{
	return current_task->preempt_count;
}
