// SPDX-License-Identifier: GPL-2.0-only
/*
 * Happens-before: what tasks learn of each other through locations.
 *
 * A release ends an epoch of its task; the location keeps that epoch and, by
 * reference, the vector that the task had by then. Whoever knows of an epoch
 * that has ended knows all that its task knew at its end, since epochs are
 * learnt of only so; an acquire is then one comparison. Three things see to
 * it: a parent's epoch ends when it spawns, all end when task 0 takes over, and
 * where a slot gets another task, the clocks of the one before become merged
 * ones, which are always looked at entry by entry.
 */
#include "sim/access/access_priv.h"

#include "sim/base/assert.h"

#include <string.h>

/* Vectors that no clock refers to any more become free. */
static void sweep(struct access *a)
{
	const struct sched *s = a->world->sched;
	u64 used[ACCESS_VECTORS_MAX / 64 + 1];

	memset(used, 0, sizeof(used));
	used[0] = BIT_ULL(0);
	for (u32 i = 1; i < a->n_clocks; i++) {
		u32 v = a->clock[i].vector;

		used[v / 64] |= BIT_ULL(v % 64);
	}
	for (u32 i = 0; i < s->n_slots; i++)
		used[s->task[i].vector / 64] |= BIT_ULL(s->task[i].vector % 64);
	for (u32 i = a->n_vectors - 1; i > 0; i--) {
		if (used[i / 64] >> (i % 64) & 1)
			continue;
		a->vector[i].known = a->free_vector;
		a->free_vector = i;
	}
}

static u32 new_vector(struct access *a)
{
	u32 i;

	if (!a->free_vector && a->n_vectors < ACCESS_VECTORS_MAX)
		return a->n_vectors++;
	if (!a->free_vector)
		sweep(a);
	i = a->free_vector;
	sim_assert(i);
	a->free_vector = a->vector[i].known;
	return i;
}

static void copy(struct access_vector *to, const u32 *epoch, u32 n)
{
	to->n = n;
	to->known = 0;
	for (u32 i = 0; i < n; i += 8)
		memcpy(to->epoch + i, epoch + i, 8 * sizeof(*epoch));
}

static u32 entries(const struct task *t)
{
	return ALIGN(t->world->sched->n_slots, 8U);
}

void access_take(struct task *t, const struct access_clock *k)
{
	struct access_vector *v = &t->world->access->vector[k->vector];
	bool merged = k->epoch == ACCESS_MERGED;
	u32 news = !merged;

	if (merged && v->known == t->life)
		return;
	for (u32 i = 0; i < v->n; i += 8) {
		for (u32 j = i; j < i + 8; j++) {
			u32 most = max(t->vc[j], v->epoch[j]);

			news |= most ^ t->vc[j];
			t->vc[j] = most;
		}
	}
	if (merged)
		v->known = t->life;
	else
		t->vc[k->epoch >> 26] = max(t->vc[k->epoch >> 26], k->epoch);
	if (news)
		t->vector = 0;
}

/* Its own vector, which nobody else refers to. */
static struct access_vector *make_merged(struct access *a, struct access_clock *k)
{
	u32 i = new_vector(a);
	struct access_vector *v = &a->vector[i];

	copy(v, a->vector[k->vector].epoch, a->vector[k->vector].n);
	v->epoch[k->epoch >> 26] = k->epoch;
	k->vector = i;
	k->epoch = ACCESS_MERGED;
	return v;
}

/* t releases what it has not taken over; false: it has, after all. */
static bool merge(struct task *t, struct access_clock *k)
{
	struct access *a = t->world->access;
	struct access_vector *v = &a->vector[k->vector];
	u32 n = entries(t);

	if (k->epoch != ACCESS_MERGED)
		v = make_merged(a, k);
	else if (v->known == t->life)
		return false;
	for (u32 i = v->n; i < n; i++)
		v->epoch[i] = 0;
	v->n = max(v->n, n);
	for (u32 i = 0; i < n; i += 8) {
		for (u32 j = i; j < i + 8; j++)
			v->epoch[j] = max(v->epoch[j], t->vc[j]);
	}
	v->known = 0;
	return true;
}

void access_give_slow(struct task *t, struct access_clock *k)
{
	struct access *a = t->world->access;

	if (!access_knows(t, k) && merge(t, k))
		return;
	if (!t->vector) {
		t->vector = new_vector(a);
		copy(&a->vector[t->vector], t->vc, entries(t));
	}
	k->epoch = t->epoch;
	k->vector = t->vector;
}

void access_new_life(struct task *t)
{
	struct access *a = t->world->access;

	/* Task 0 of a run's end comes after everything. */
	for (u32 i = 1; t->id && t->epoch && i < a->n_clocks; i++) {
		struct access_clock *k = &a->clock[i];

		if (k->epoch && k->epoch != ACCESS_MERGED && k->epoch >> 26 == t->id)
			make_merged(a, k);
	}
}

/* --- clocks of locations --- */

static u32 new_clock(struct access *a)
{
	sim_assert(a->n_clocks < ACCESS_CLOCKS_MAX);
	a->clock[a->n_clocks] = (struct access_clock){0, 0};
	return a->n_clocks++;
}

struct access_clock *access_off_heap_clock(struct access *a, u64 addr, bool make)
{
	const u32 last = (1 << ACCESS_OFF_HEAP_LG2) - 1;
	u64 hash = access_off_heap_hash(addr);
	u32 i = access_off_heap_place(addr), index;

	/* Mostly there is none. */
	if (!make && !(a->off_heap_seen >> (hash >> 40 & 63) & 1))
		return NULL;
	a->off_heap_seen |= BIT_ULL(hash >> 40 & 63);
	for (; a->off_heap[i].gen == a->gen; i = (i + 1) & last) {
		if (a->off_heap[i].addr == addr)
			return &a->clock[a->off_heap[i].clock];
	}
	if (!make || a->n_off_heap == last / 2 || a->n_clocks == ACCESS_CLOCKS_MAX)
		return NULL;
	index = new_clock(a);
	a->off_heap[i] = (struct access_off_heap){addr, index, a->gen};
	a->n_off_heap++;
	return &a->clock[index];
}

/* NULL: loses an edge, only in runs with 16k such locations. */
struct access_clock *access_new_clock(struct task *t, struct cell *c)
{
	struct access *a = t->world->access;

	if (a->n_clocks == ACCESS_CLOCKS_MAX)
		return NULL;
	c->sync = (u16)new_clock(a);
	return &a->clock[c->sync];
}

static __attribute__((noinline)) struct access_clock *clock_elsewhere(struct task *t, u64 addr,
								      bool make)
{
	struct access *a = t->world->access;
	struct cell *c;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES) {
		/* What a table's words lead to is in frames, where nobody looks for races. */
		if (access_is_frame(addr) && !t->world->floor)
			return NULL;
		return access_off_heap_clock(a, addr, make);
	}
	c = access_cell_at(addr);
	if (unlikely(c->gen != t->gen))
		access_refresh(c, addr);
	if (c->sync)
		return &a->clock[c->sync];
	return make ? access_new_clock(t, c) : NULL;
}

static inline struct access_clock *clock_of(struct task *t, const void *p, bool make)
{
	u64 addr = (u64)(uintptr_t)p;

	if (likely(addr - HEAP_BASE < ACCESS_HEAP_BYTES)) {
		const struct cell *c = access_cell_at(addr);

		if (c->gen == t->gen && c->sync)
			return (struct access_clock *)t->clocks + c->sync;
	}
	return clock_elsewhere(t, addr, make);
}

void access_acquire_checked(const void *addr)
{
	struct task *t = current_task;
	const struct access_clock *k = clock_of(t, addr, false);

	if (k && !access_knows(t, k))
		access_take(t, k);
}

void access_release_checked(const void *addr)
{
	struct task *t = current_task;
	struct access_clock *k = clock_of(t, addr, true);

	if (k)
		access_give(t, k);
	else
		access_next_epoch(t);
}

static void join(u32 *into, const u32 *from)
{
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++)
		into[i] = max(into[i], from[i]);
}

void access_fork(struct task *parent, struct task *child)
{
	join(child->vc, parent->vc);
	child->vector = 0;
	access_next_epoch(parent);
}

void access_join(struct task *waiter, const struct task *ended)
{
	join(waiter->vc, ended->vc);
	waiter->vector = 0;
}
