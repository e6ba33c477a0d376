// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs that go on without getting on: in steps and virtual time, never in wall
 * clock.
 *
 * Checks: that no RCU reader section lasts longer than RCU_STALL_OPS of its
 * task's own operations while a grace period waits (stall); that no task is
 * blocked for more than HUNG_NS of virtual time while timers fire (hung); that
 * the run ends within its step limit (soft lockup: the task that made most of
 * the steps is named).
 *
 * Does not check: SRCU readers; a loop that makes no announced operation at all
 * (it never gives the CPU back: the host's watchdog sees that one); waits with
 * a time-out, which end by themselves.
 */
#include "sim/oracle/oracle_priv.h"
#include "sim/oracle/waits_priv.h"

#include <string.h>

extern const struct oracle oracle_hang;

#define RCU_STALL_OPS 20000ULL
#define HUNG_NS 120000000000ULL
#define HUNG_CHECK_NS 1000000000ULL

struct state {
	u64 next_check_ns;
};

/* Someone waits for a grace period of plain RCU. */
static const struct task *grace_period_waiter(const struct world *w)
{
	const struct sched *s = w->sched;

	for (u32 i = 0; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];

		if (t->state != TASK_BLOCKED || !t->wait.what)
			continue;
		if (!strcmp(t->wait.what, "synchronize_rcu") ||
		    !strcmp(t->wait.what, "rcu grace period"))
			return t;
	}
	return NULL;
}

static struct finding *begin_stall(struct world *w, const struct task *reader)
{
	const struct task *waiter = grace_period_waiter(w);
	struct finding *f;

	if (!waiter)
		return NULL;
	f = oracle_finding(w, oracle_hang.name, "INFO: rcu detected stall in %%F");
	if (f)
		finding_printf(f, "%s/T%u has been in its reader section for %llu operations, "
				  "while %s/T%u waits in %s.\n",
			       reader->name, reader->id,
			       (unsigned long long)(sched_ops(reader) - reader->rcu_since_op),
			       waiter->name, waiter->id, waiter->wait.what);
	return f;
}

static void end_stall(struct world *w, struct finding *f, const struct task *reader)
{
	const struct task *waiter = grace_period_waiter(w);

	finding_at(f, "Reader section entered", reader->id, reader->rcu_since_op);
	finding_task(f, "Waiting for the grace period", waiter);
	oracle_report(w, f);
}

static void reader_left(struct world *w, const struct fact *fact)
{
	const struct task *t = current_task;
	struct finding *f;

	/* arg[0] is the SRCU domain, arg[1] the depth that is left. */
	if (likely(sched_ops(t) - t->rcu_since_op < RCU_STALL_OPS) || fact->arg[0] || fact->arg[1])
		return;
	f = begin_stall(w, t);
	if (!f)
		return;
	finding_here(f, "Reader section left", fact->pc);
	end_stall(w, f, t);
}

static bool hung(const struct world *w, const struct task *t)
{
	return t->state == TASK_BLOCKED && !(t->flags & (TASK_DAEMON | TASK_OUTSIDE)) &&
	       !t->wait.bounded && w->clock->now_ns - t->wait.since_ns > HUNG_NS;
}

static void check_hung(struct world *w)
{
	const struct sched *s = w->sched;
	struct finding *f;

	for (u32 i = 0; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];

		if (!hung(w, t))
			continue;
		f = oracle_finding(w, oracle_hang.name, "INFO: task hung in %%F");
		if (!f)
			return;
		oracle_describe_wait(w, f, t);
		f->addr = (u64)(uintptr_t)t->wait.object;
		oracle_report(w, f);
		return;
	}
}

static void see(struct world *w, void *state, void *carry, const struct fact *f)
{
	struct state *st = state;

	(void)carry;
	if (f->kind == FACT_RCU_UNLOCK) {
		reader_left(w, f);
		return;
	}
	if (w->clock->now_ns < st->next_check_ns)
		return;
	st->next_check_ns = w->clock->now_ns + HUNG_CHECK_NS;
	check_hung(w);
}

static bool check_stalls(struct world *w)
{
	const struct sched *s = w->sched;

	for (u32 i = 0; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];
		struct finding *f;

		if (!(s->live >> i & 1) || !t->rcu_depth ||
		    sched_ops(t) - t->rcu_since_op < RCU_STALL_OPS)
			continue;
		f = begin_stall(w, t);
		if (!f)
			continue;
		finding_task(f, "In its reader section", t);
		end_stall(w, f, t);
		return true;
	}
	return false;
}

static const struct task *busiest(const struct sched *s)
{
	const struct task *best = NULL;

	for (u32 i = 0; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];

		if (t->state != TASK_READY || i == SCHED_CLOCK_TASK)
			continue;
		if (!best || sched_ops(t) > sched_ops(best))
			best = t;
	}
	return best;
}

static void stuck(struct world *w, void *state, void *carry, enum sched_end end)
{
	const struct sched *s = w->sched;
	const struct task *t = busiest(s);
	struct finding *f;

	(void)state;
	(void)carry;
	if (end != SCHED_STEPS || check_stalls(w))
		return;
	check_hung(w);
	f = oracle_finding(w, oracle_hang.name, "BUG: soft lockup in %%F");
	if (!f)
		return;
	f->anywhere = true; /* the limit says where */
	finding_printf(f, "The run did not end within %llu steps.\n",
		       (unsigned long long)s->steps_max);
	if (t) {
		finding_task(f, "Running", t);
		finding_printf(f, "%s/T%u made %llu of them.\n", t->name, t->id,
			       (unsigned long long)sched_ops(t));
	}
	for (u32 i = 0; i < s->n_slots; i++) {
		if (oracle_is_stuck(&s->task[i]) && !(s->task[i].flags & TASK_DAEMON))
			oracle_describe_wait(w, f, &s->task[i]);
	}
	oracle_report(w, f);
}

const struct oracle oracle_hang = {
	.name = "hang",
	.help = "RCU stalls, hung tasks and livelock, in steps and virtual time",
	.size = sizeof(struct state),
	.facts = FACT_BIT(RCU_UNLOCK) | FACT_BIT(TIMER),
	.see = see,
	.stuck = stuck,
};
