// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts: who may sleep, and what a task may leave behind.
 *
 * Checks: that nothing that may sleep is called, and no task blocks, while the
 * task has preemption or interrupts off, is an interrupt, or is inside an RCU
 * reader section (the rules of a kernel without PREEMPT_RCU); that a task ends
 * with no lock held, no reader section open and nothing turned off.
 *
 * Does not check: SRCU readers, which may sleep; waiting for a spinlock or polling
 * hardware, which is blocking here but spinning in the kernel; waits for a condition that a
 * service forgot to announce with might_sleep() and that held already.
 */
#include "sim/oracle/oracle_priv.h"

#include <stdio.h>
#include <string.h>

extern const struct oracle oracle_atomic;

static bool is_atomic(const struct task *t)
{
	return t->preempt_count || t->irq_off || t->rcu_depth || t->flags & TASK_IRQ;
}

static void describe_context(struct finding *f, const struct task *t)
{
	finding_printf(f, "in_atomic(): %d, irqs_disabled(): %d, RCU nest depth: %d, %s: %s/T%u\n",
		       t->preempt_count != 0, t->irq_off != 0, t->rcu_depth,
		       t->flags & TASK_IRQ ? "interrupt" : "task", t->name, t->id);
}

/* What made the task atomic, as far as it is on record: its last lock. */
static void spot_cause(struct finding *f, const struct task *t)
{
	struct finding_spot *s;

	if (t->rcu_depth)
		finding_at(f, "RCU reader section entered", t->id, t->rcu_since_op);
	if (!t->n_held)
		return;
	s = finding_at(f, "Last lock taken", t->id, t->held[t->n_held - 1].op);
	s->pc[s->n++] = t->held[t->n_held - 1].pc;
}

static void sleeping(struct world *w, const struct fact *fact)
{
	const struct task *t = current_task;
	struct finding *f;
	char what[FINDING_WHAT_MAX];

	if (!is_atomic(t))
		return;
	f = oracle_finding(w, oracle_atomic.name,
			   "BUG: sleeping function called from invalid context in %%F");
	if (!f)
		return;
	snprintf(what, sizeof(what), "%.60s() may sleep",
		 (const char *)(uintptr_t)fact->arg[0]);
	finding_here(f, what, fact->pc);
	spot_cause(f, t);
	describe_context(f, t);
	oracle_report(w, f);
}

static bool spins(const char *service)
{
	return !strcmp(service, "spin_lock") || !strcmp(service, "poll");
}

static void blocking(struct world *w, const struct fact *fact)
{
	const char *service = (const char *)(uintptr_t)fact->arg[0];
	const struct task *t = current_task;
	struct finding *f;
	char what[FINDING_WHAT_MAX];

	if (likely(!is_atomic(t)) || spins(service))
		return;
	f = oracle_finding(w, oracle_atomic.name, "BUG: scheduling while atomic in %%F");
	if (!f)
		return;
	f->addr = fact->arg[1];
	snprintf(what, sizeof(what), "Blocking in %.60s", service);
	finding_here(f, what, fact->pc);
	spot_cause(f, t);
	describe_context(f, t);
	oracle_report(w, f);
}

static void report_exit(struct world *w, const struct task *t, const char *title)
{
	struct finding *f = oracle_finding(w, oracle_atomic.name, "%s", title);

	if (!f)
		return;
	spot_cause(f, t);
	finding_here(f, "Ended", 0);
	describe_context(f, t);
	oracle_report(w, f);
}

static void exiting(struct world *w)
{
	const struct task *t = current_task;

	if (t->n_held)
		report_exit(w, t, "WARNING: lock held at task exit, taken in %F");
	if (t->rcu_depth)
		report_exit(w, t, "WARNING: RCU reader section open at task exit");
	if (t->preempt_count || t->irq_off)
		report_exit(w, t, "BUG: task exits in atomic context");
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	(void)state;
	(void)carry;
	if (f->kind == FACT_BLOCK)
		blocking(w, f);
	else if (f->kind == FACT_MIGHT_SLEEP)
		sleeping(w, f);
	else
		exiting(w);
}

const struct oracle oracle_atomic = {
	.name = "atomic",
	.help = "sleeping in atomic context; locks, RCU sections left open at a task's end",
	.facts = FACT_BIT(BLOCK) | FACT_BIT(MIGHT_SLEEP) | FACT_BIT(TASK_EXIT),
	.see = see,
};
