// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deadlock, exactly: nobody can run.
 *
 * Checks, when a run has stopped with no task runnable and no timer armed: who
 * waits for whom (owner of a mutex, spinlock or semaphore, holder of the object
 * waited for, interrupt on top of a task). The finding is the cycle, or, where
 * there is none, the tasks that wait for an event that no one will make (a lost
 * wake-up, a completion that nobody completes). At rest: that no daemon
 * (worker, RCU) is blocked while it holds a lock.
 *
 * Does not check: deadlocks that this schedule just missed (that is lockorder's
 * part); tasks that wait with a time-out, or that poll (hang's part); a daemon
 * that waits for ever while it holds nothing.
 */
#include "sim/oracle/oracle_priv.h"
#include "sim/oracle/waits_priv.h"

extern const struct oracle oracle_deadlock;

/* A task of the cycle that t's waiting leads into, or NULL. */
static const struct task *cycle_from(const struct world *w, const struct task *t)
{
	const struct task *slow = t, *fast = t;

	for (;;) {
		slow = oracle_waits_for(w, slow);
		for (int i = 0; i < 2; i++) {
			fast = oracle_waits_for(w, fast);
			if (!fast)
				return NULL;
		}
		if (slow == fast)
			return slow;
	}
}

static const struct task *find_cycle(const struct world *w)
{
	const struct sched *s = w->sched;
	const struct task *t;

	for (u32 i = 0; i < s->n_slots; i++) {
		t = oracle_is_stuck(&s->task[i]) ? cycle_from(w, &s->task[i]) : NULL;
		if (t)
			return t;
	}
	return NULL;
}

/* Describes the cycle from its lowest task on; returns its tasks as bits. */
static u64 describe_cycle(struct world *w, struct finding *f, const struct task *t)
{
	const struct task *first = t, *at = t;
	u64 members = 0;

	do {
		if (at->id < first->id)
			first = at;
		at = oracle_waits_for(w, at);
	} while (at != t);
	f->addr = (u64)(uintptr_t)first->wait.object;
	at = first;
	do {
		oracle_describe_wait(w, f, at);
		members |= 1ULL << at->id;
		at = oracle_waits_for(w, at);
	} while (at != first);
	finding_printf(f, "That is a cycle of %d: no schedule leads out of it.\n",
		       __builtin_popcountll(members));
	return members;
}

static void stuck(struct world *w, void *state, void *carry, enum sched_end end)
{
	const struct sched *s = w->sched;
	const struct task *cycle;
	struct finding *f;
	u64 told = 0;

	(void)state;
	(void)carry;
	if (end != SCHED_DEADLOCK)
		return;
	f = oracle_finding(w, oracle_deadlock.name, "INFO: task hung in %%F");
	if (!f)
		return;
	cycle = find_cycle(w);
	if (cycle)
		told = describe_cycle(w, f, cycle);
	for (u32 i = 0; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];

		if (oracle_is_stuck(t) && !(told >> i & 1) && !(t->flags & TASK_DAEMON))
			oracle_describe_wait(w, f, t);
	}
	oracle_report(w, f);
}

static void rest(struct world *w, void *state, void *carry)
{
	const struct sched *s = w->sched;
	struct finding *f;

	(void)state;
	(void)carry;
	for (u32 i = SCHED_FIRST_TASK; i < s->n_slots; i++) {
		const struct task *t = &s->task[i];

		if (t->state != TASK_BLOCKED || !t->n_held)
			continue;
		f = oracle_finding(w, oracle_deadlock.name, "INFO: task hung in %%F");
		if (!f)
			return;
		oracle_describe_wait(w, f, t);
		finding_printf(f, "All others have ended, and it holds %u lock%s.\n", t->n_held,
			       t->n_held == 1 ? "" : "s");
		oracle_report(w, f);
		return;
	}
}

const struct oracle oracle_deadlock = {
	.name = "deadlock",
	.help = "nobody can run: the cycle of waiting tasks, or the wake-up that never comes",
	.rest = rest,
	.stuck = stuck,
};
