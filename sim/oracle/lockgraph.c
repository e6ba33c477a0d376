// SPDX-License-Identifier: GPL-2.0-only
#include "sim/oracle/lockgraph_priv.h"

#include <string.h>

#define CLASS_SLOTS (2 * LOCK_CLASSES_MAX)

void oracle_graph_learn_chain(struct lock_graph *g, u64 chain)
{
	u32 i = (u32)chain & (LOCK_CHAINS_MAX - 1);

	if (g->n_chains >= LOCK_CHAINS_MAX / 4 * 3)
		return;
	while (g->chain[i] && g->chain[i] != chain)
		i = (i + 1) & (LOCK_CHAINS_MAX - 1);
	g->n_chains += !g->chain[i];
	g->chain[i] = chain;
}

struct lock_class *oracle_graph_class(struct lock_graph *g, u64 key)
{
	u32 i = (u32)(hash_mix(0, key) % CLASS_SLOTS);

	while (g->class_hash[i]) {
		struct lock_class *c = &g->class[g->class_hash[i] - 1];

		if (c->key == key)
			return c;
		i = (i + 1) % CLASS_SLOTS;
	}
	if (g->n_classes == LOCK_CLASSES_MAX)
		return NULL;
	g->class[g->n_classes].key = key;
	g->class_hash[i] = (u16)++g->n_classes;
	return &g->class[g->n_classes - 1];
}

bool oracle_graph_add(struct lock_graph *g, const struct lock_class *from,
		      const struct lock_class *to, u32 type, const struct lock_place *place)
{
	struct lock_class *c = &g->class[from - g->class];
	u16 bit = (u16)(1u << type), target = (u16)(to - g->class);
	struct lock_edge *e;

	for (u16 i = c->first; i; i = g->edge[i - 1].next) {
		e = &g->edge[i - 1];
		if (e->to != target)
			continue;
		if (e->types & bit)
			return false;
		e->types |= bit;
		return true;
	}
	if (g->n_edges == LOCK_EDGES_MAX)
		return false;
	e = &g->edge[g->n_edges++];
	e->from = (u16)(from - g->class);
	e->to = target;
	e->types = bit;
	e->place = *place;
	e->next = c->first;
	c->first = (u16)g->n_edges;
	return true;
}

/* A state of the search: a class, and whether it was entered by a recursive reader. */
struct search {
	u16 queue[2 * LOCK_CLASSES_MAX];
	u16 by[2 * LOCK_CLASSES_MAX];   /* edge index + 1 that led to a state */
	u16 from[2 * LOCK_CLASSES_MAX]; /* the state before it */
	bool seen[2 * LOCK_CLASSES_MAX];
	u32 n;
};

static void push(struct search *s, u16 state, u16 from, u16 edge)
{
	if (s->seen[state])
		return;
	s->seen[state] = true;
	s->from[state] = from;
	s->by[state] = edge;
	s->queue[s->n++] = state;
}

static void expand(const struct lock_graph *g, struct search *s, u16 state)
{
	bool recursive = state & 1;

	for (u16 i = g->class[state >> 1].first; i; i = g->edge[i - 1].next) {
		const struct lock_edge *e = &g->edge[i - 1];

		for (u32 type = 0; type < 4; type++) {
			if (!(e->types >> type & 1) || (recursive && type & LOCK_EDGE_SHARED))
				continue;
			push(s, (u16)(e->to << 1 | (type & LOCK_EDGE_RECURSIVE)), state, i);
		}
	}
}

static u32 trace_back(const struct search *s, u16 state, u16 *path)
{
	u16 reversed[LOCK_PATH_MAX];
	u32 n = 0;

	while (s->by[state] && n < LOCK_PATH_MAX) {
		reversed[n++] = (u16)(s->by[state] - 1);
		state = s->from[state];
	}
	for (u32 i = 0; i < n; i++)
		path[i] = reversed[n - 1 - i];
	return n;
}

u32 oracle_graph_path(const struct lock_graph *g, const struct lock_class *start,
		      const struct lock_class *end, u32 type, u16 *path)
{
	struct search s;
	u16 goal = (u16)(end - g->class);

	s.n = 0;
	memset(s.seen, 0, sizeof(s.seen));
	push(&s, (u16)((start - g->class) << 1 | (type & LOCK_EDGE_RECURSIVE)), 0, 0);
	for (u32 i = 0; i < s.n; i++) {
		u16 state = s.queue[i];

		if (state >> 1 == goal && s.by[state] &&
		    !(state & 1 && type & LOCK_EDGE_SHARED))
			return trace_back(&s, state, path);
		expand(g, &s, state);
	}
	return 0;
}
