// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder: keeps each fact and each hooked access of a run, in order,
 * with its call stack from the announcing frame outwards.
 *
 * The entries are a ring that grows up to `max` and then overwrites its oldest.
 * A fact may be published, and an access announced, many times at the same
 * (task, op); they stand in the order in which they happened.
 */
#include "sim/trace/trace.h"

#include "sim/base/assert.h"
#include "sim/oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

#define WALK_MAX 32
#define ENTRIES_FIRST 1024u

struct recorder {
	struct trace_record record; /* what others see */
	struct world *world;        /* NULL: stopped */
	u32 room;                   /* entries allocated, <= record.max */
};

static struct recorder *recorder_of(const struct trace_record *r)
{
	return container_of(r, struct recorder, record);
}

static void keep_stack(struct trace_entry *e, u64 pc)
{
	u64 pcs[WALK_MAX];
	u32 n = sched_stack(pcs, WALK_MAX), first = 0;

	while (first < n && pcs[first] != pc)
		first++;
	if (first == n)
		first = 0;
	e->n_pcs = 0;
	while (first < n && e->n_pcs < TRACE_STACK_MAX)
		e->pc[e->n_pcs++] = pcs[first++];
}

static struct trace_entry *new_entry(struct recorder *rec, u32 task, u64 op)
{
	struct trace_record *r = &rec->record;
	struct trace_entry *e;

	if (r->n == rec->room && rec->room < r->max) {
		rec->room = rec->room ? min(2 * rec->room, r->max) : min(ENTRIES_FIRST, r->max);
		r->entry = realloc(r->entry, rec->room * sizeof(*r->entry));
		sim_assert(r->entry);
	}
	e = &r->entry[r->seen++ % r->max];
	r->n += r->n < r->max;
	e->step = (u32)sched_steps(rec->world->sched);
	e->task = task;
	e->op = op;
	return e;
}

static void see_access(void *self, const struct access_event *a)
{
	struct trace_entry *e = new_entry(self, a->task, a->op);

	e->is_access = true;
	e->access = *a;
	keep_stack(e, a->pc);
}

static bool is_lock(enum fact_kind kind)
{
	return kind == FACT_LOCK_ACQUIRE || kind == FACT_LOCK_ACQUIRED || kind == FACT_LOCK_RELEASE;
}

static void see_fact(void *self, const struct fact *f)
{
	struct recorder *rec = self;
	struct trace_entry *e = new_entry(rec, f->task, f->op);

	e->is_access = false;
	e->fact = *f;
	e->lock_name = is_lock(f->kind) ? oracle_class_name(rec->world->oracles, f->arg[1]) : NULL;
	keep_stack(e, f->pc);
}

struct trace_record *trace_record_start(struct world *w, u32 max)
{
	struct recorder *rec = calloc(1, sizeof(*rec));

	sim_assert(rec && max);
	rec->world = w;
	rec->record.max = max;
	access_observe(w->access, see_access, rec);
	fact_subscribe(w->fact, FACT_ALL, see_fact, rec);
	return &rec->record;
}

void trace_record_stop(struct trace_record *r)
{
	struct recorder *rec = recorder_of(r);
	struct world *w = rec->world;

	if (!w)
		return;
	access_observe(w->access, NULL, NULL);
	fact_unsubscribe(w->fact, see_fact, rec);
	for (u32 i = 0; i < w->sched->n_slots; i++)
		memcpy(r->task_name[i], w->sched->task[i].name, TASK_NAME_LEN);
	rec->world = NULL;
}

void trace_record_free(struct trace_record *r)
{
	if (!r)
		return;
	trace_record_stop(r);
	free(r->entry);
	free(recorder_of(r));
}

const struct trace_entry *trace_record_entry(const struct trace_record *r, u32 i)
{
	u64 oldest = r->seen - r->n;

	sim_assert(i < r->n);
	return &r->entry[(oldest + i) % r->max];
}

const struct trace_entry *trace_record_at(const struct trace_record *r, u32 task, u32 op)
{
	for (u32 i = r->n; i--;) {
		const struct trace_entry *e = trace_record_entry(r, i);

		if (e->is_access && e->task == task && (u32)e->op == op)
			return e;
	}
	return NULL;
}

const struct trace_entry *trace_record_find(const struct trace_record *r, u32 task, u32 op)
{
	const struct trace_entry *found = trace_record_at(r, task, op);

	for (u32 i = r->n; i-- && !found;) {
		const struct trace_entry *e = trace_record_entry(r, i);

		if (e->task == task && (u32)e->op == op)
			found = e;
	}
	return found;
}
