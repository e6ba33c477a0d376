// SPDX-License-Identifier: GPL-2.0-only
#include "sim/oracle/waits_priv.h"

#include <stdio.h>

static const struct task *holder_of(const struct world *w, const void *object,
				    const struct task_held **held)
{
	const struct sched *s = w->sched;

	for (u32 i = 0; object && i < s->n_slots; i++) {
		for (u32 j = 0; j < s->task[i].n_held; j++) {
			*held = &s->task[i].held[j];
			if ((*held)->lock == object)
				return &s->task[i];
		}
	}
	*held = NULL;
	return NULL;
}

bool oracle_is_stuck(const struct task *t)
{
	return t->state == TASK_BLOCKED || (t->state == TASK_READY && t->stopped_by);
}

const struct task *oracle_waits_for(const struct world *w, const struct task *t)
{
	const struct task_held *held;

	if (t->state == TASK_READY)
		return t->stopped_by;
	if (t->state != TASK_BLOCKED)
		return NULL;
	if (t->wait.owner >= 0)
		return &w->sched->task[t->wait.owner];
	return holder_of(w, t->wait.object, &held);
}

void oracle_describe_wait(struct world *w, struct finding *f, const struct task *t)
{
	const struct task *other = oracle_waits_for(w, t);
	const char *service = t->wait.what ? t->wait.what : "nothing";
	const struct task_held *held;
	char what[FINDING_WHAT_MAX];

	if (t->state == TASK_READY) {
		finding_printf(f, "%s/T%u is stopped by the interrupt %s/T%u.\n", t->name, t->id,
			       other->name, other->id);
		finding_task(f, "Interrupted", t);
		return;
	}
	snprintf(what, sizeof(what), "Blocked in %.60s", service);
	finding_task(f, what, t);
	holder_of(w, t->wait.object, &held);
	finding_printf(f, "%s/T%u is blocked in %s", t->name, t->id, service);
	if (held)
		finding_printf(f, " on %s", oracle_class_name(w->oracles, held->class_key));
	if (other)
		finding_printf(f, ", which %s/T%u must release", other->name, other->id);
	else
		finding_printf(f, ", and nobody is bound to wake it");
	finding_printf(f, " (for %llu ns of virtual time).\n",
		       (unsigned long long)(w->clock->now_ns - t->wait.since_ns));
}
