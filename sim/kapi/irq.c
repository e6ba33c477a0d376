// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line that is raised becomes a task; the scheduler lets it take the CPU of
 * a running task with interrupts on. Everything under a line's flags changes
 * in atomic steps: no lock is needed.
 */
#include "sim/kapi/irq.h"

#include "sim/kapi/kapi_priv.h"
#include "sim/kapi/slab.h"

struct irqaction {
	struct irqaction *next;
	irq_handler_t handler, thread_fn;
	void *dev;
	unsigned long flags;
	u32 n_wakes; /* of the thread, not served yet */
	u32 gen;     /* the run in which `thread` lives */
	bool thread_runs;
	bool dying;
	struct task *thread;
};

static struct irq_line *line_of(unsigned irq)
{
	return irq < IRQ_LINES_MAX ? &kapi_state()->irq[irq] : NULL;
}

/* --- the thread of a threaded handler --- */

static void thread_body(void *arg)
{
	struct irqaction *a = arg;
	struct irq_line *line;
	u64 irq = current_task->kapi_private[0];

	line = line_of((unsigned)irq);
	while (!a->dying) {
		if (!a->n_wakes) {
			sched_block("irq thread", NULL, -1, 0);
			continue;
		}
		a->n_wakes = 0;
		a->thread_runs = true;
		kapi_serving(true);
		access_acquire(a);
		a->thread_fn((int)irq, a->dev);
		kapi_check_balance("irq thread", 0, (u64)(uintptr_t)a->thread_fn);
		a->thread_runs = false;
		kapi_serving(false);
		access_release(line);
		kapi_wake_all(&line->waiters);
	}
	a->thread = NULL;
	kapi_wake_all(&line->waiters);
}

static void wake_thread(struct irqaction *a, unsigned irq)
{
	access_release(a);
	a->n_wakes++;
	if (a->thread && a->gen == current_task->gen) {
		sched_wake(a->thread);
		return;
	}
	a->gen = current_task->gen;
	a->thread = sched_spawn(this_world()->sched, "irq thread", thread_body, a, TASK_DAEMON);
	a->thread->kapi_private[0] = irq;
}

/* --- the interrupt itself --- */

static void run_handlers(struct irq_line *line, unsigned irq)
{
	for (struct irqaction *a = line->actions; a; a = a->next) {
		irqreturn_t ret = IRQ_WAKE_THREAD;

		access_service(a, OP_READ);
		if (a->handler)
			ret = a->handler((int)irq, a->dev);
		if (ret == IRQ_WAKE_THREAD && a->thread_fn)
			wake_thread(a, irq);
	}
}

static void irq_body(void *arg)
{
	unsigned irq = (unsigned)(uintptr_t)arg;
	struct irq_line *line = line_of(irq);
	struct task *t = current_task;
	u64 victim = t->victim ? t->victim->id : 0;

	t->preempt_count += HARDIRQ_ONE;
	t->irq_off = 1;
	fact(IRQ_ENTER, irq, victim);
	line->running = true;
	do {
		line->pending = false;
		access_acquire(line);
		run_handlers(line, irq);
	} while (line->pending && !line->disabled);
	line->running = false;
	line->raised = false;
	access_release(line);
	kapi_wake_all(&line->waiters);
	fact(IRQ_EXIT, irq, victim);
	t->preempt_count -= HARDIRQ_ONE;
	t->irq_off = 0;
	kapi_check_balance("interrupt", 0, (u64)(uintptr_t)irq_raise);
	rcu_quiescent(t);
}

void irq_raise(unsigned irq)
{
	struct irq_line *line = line_of(irq);
	char name[] = "irq/00";

	sim_assert(line);
	access_service(line, OP_WRITE);
	access_release(line);
	if (line->disabled || line->raised) {
		line->pending = true;
		return;
	}
	line->raised = true;
	name[4] = (char)('0' + irq / 10);
	name[5] = (char)('0' + irq % 10);
	sched_spawn(this_world()->sched, name, irq_body, (void *)(uintptr_t)irq, TASK_IRQ);
}

/* --- drivers' side --- */

int request_threaded_irq(unsigned irq, irq_handler_t handler, irq_handler_t thread_fn,
			 unsigned long flags, const char *name, void *dev)
{
	struct irq_line *line = line_of(irq);
	struct irqaction *a, **at;

	(void)name;
	if (!line || (!handler && !thread_fn))
		return -EINVAL;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->handler = handler;
	a->thread_fn = thread_fn;
	a->dev = dev;
	a->flags = flags;
	access_service(line, OP_WRITE);
	access_release(line);
	if (line->actions && !(line->actions->flags & flags & IRQF_SHARED)) {
		kfree(a);
		return -EBUSY;
	}
	for (at = &line->actions; *at; at = &(*at)->next)
		;
	*at = a;
	return 0;
}

int request_irq(unsigned irq, irq_handler_t handler, unsigned long flags, const char *name,
		void *dev)
{
	return request_threaded_irq(irq, handler, NULL, flags, name, dev);
}

static bool thread_busy(const struct irq_line *line)
{
	for (const struct irqaction *a = line->actions; a; a = a->next) {
		if (a->gen == current_task->gen && (a->thread_runs || a->n_wakes))
			return true;
	}
	return false;
}

void synchronize_irq(unsigned irq)
{
	struct irq_line *line = line_of(irq);

	kapi_sleeps("synchronize_irq");
	sim_assert(line);
	access_service(line, OP_WRITE);
	while (line->running || thread_busy(line))
		kapi_wait_turn(&line->waiters, "synchronize_irq", NULL, -1);
	access_acquire(line);
}

void free_irq(unsigned irq, void *dev)
{
	struct irq_line *line = line_of(irq);
	struct irqaction **at, *a;

	kapi_sleeps("free_irq");
	sim_assert(line);
	access_service(line, OP_WRITE);
	for (at = &line->actions; *at && (*at)->dev != dev; at = &(*at)->next)
		;
	a = *at;
	if (!a) {
		kapi_finding(KAPI_CALLER, "WARNING: Trying to free already-free IRQ %u", irq);
		return;
	}
	*at = a->next;
	while (line->running)
		kapi_wait_turn(&line->waiters, "free_irq", NULL, -1);
	while (a->thread && a->gen == current_task->gen) {
		a->dying = a->n_wakes == 0 && !a->thread_runs;
		sched_wake(a->thread);
		kapi_wait_turn(&line->waiters, "free_irq", NULL, (int)a->thread->id);
	}
	access_acquire(line);
	kfree(a);
}

void disable_irq_nosync(unsigned irq)
{
	struct irq_line *line = line_of(irq);

	sim_assert(line);
	access_service(line, OP_WRITE);
	line->disabled++;
}

void disable_irq(unsigned irq)
{
	disable_irq_nosync(irq);
	synchronize_irq(irq);
}

void enable_irq(unsigned irq)
{
	struct irq_line *line = line_of(irq);

	sim_assert(line);
	access_service(line, OP_WRITE);
	if (!line->disabled) {
		kapi_finding(KAPI_CALLER, "WARNING: Unbalanced enable for IRQ %u", irq);
		return;
	}
	line->disabled--;
	if (line->disabled || !line->pending || line->raised)
		return;
	line->pending = false;
	irq_raise(irq);
}
