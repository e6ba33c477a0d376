// SPDX-License-Identifier: GPL-2.0-only
/*
 * `signal: NAME` and `wait: NAME`: a task waits until each operation of the file
 * that signals the name is over (or was left out by the shrinker). It blocks: an
 * order that a story needs costs no switch and no polling.
 *
 * All is known when the file is read, so these are edges between operations; that
 * nobody waits for himself, also by way of others, is an error of the file.
 */
#include "scenarios/engine/read_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>

static bool is_op(const struct scenario *s, u32 i, u16 code)
{
	return !s->ops[i].call && s->ops[i].op.code == code;
}

/* Edges from op i to all that wait for it. */
static u32 add_edges(struct scenario *s, u32 i, struct scenario_edge *to)
{
	u32 n = 0;

	if (!is_op(s, i, OP_signal))
		return 0;
	for (u32 k = 0; k < s->n_ops; k++) {
		if (!is_op(s, k, OP_wait) || s->ops[k].op.arg[0] != s->ops[i].op.arg[0])
			continue;
		if (to)
			to[n].after = k;
		n++;
	}
	return n;
}

static void count_reasons(const struct scenario *s, u32 *reasons)
{
	for (u32 t = 0; t < s->n_tasks; t++)
		for (u32 i = 1; i < s->task[t].n; i++)
			reasons[s->task[t].first + i]++;
	for (u32 i = 0; i < s->n_edges; i++)
		reasons[s->edges[i].after]++;
}

/* Whether op i is the last of its task. */
static bool is_last(const struct scenario *s, u32 i)
{
	for (u32 t = 0; t < s->n_tasks; t++)
		if (i + 1 == s->task[t].first + s->task[t].n)
			return true;
	return false;
}

/* Op i has ended: what may begin now, from ready[n] on. */
static u32 end_op(const struct scenario *s, u32 i, u32 *reasons, u32 *ready, u32 n)
{
	if (!is_last(s, i) && !--reasons[i + 1])
		ready[n++] = i + 1;
	for (u32 e = s->ops[i].first_edge; e < s->ops[i].first_edge + s->ops[i].n_edges; e++)
		if (!--reasons[s->edges[e].after])
			ready[n++] = s->edges[e].after;
	return n;
}

/* Performs the operations in any order that the edges allow: which one never comes? */
static u32 never_begins(const struct scenario *s)
{
	u32 *reasons = calloc(s->n_ops, sizeof(*reasons)), n = 0, stuck = s->n_ops;
	u32 *ready = calloc(s->n_ops, sizeof(*ready));

	sim_assert(reasons && ready);
	count_reasons(s, reasons);
	for (u32 i = 0; i < s->n_ops; i++)
		if (!reasons[i])
			ready[n++] = i;
	for (u32 i = 0; i < n; i++)
		n = end_op(s, ready[i], reasons, ready, n);
	for (u32 i = 0; i < s->n_ops && stuck == s->n_ops; i++)
		if (reasons[i] && is_op(s, i, OP_wait))
			stuck = i;
	free(reasons);
	free(ready);
	return stuck;
}

static void wrong(struct reader *r, u32 op, const char *what)
{
	const struct scenario *s = r->s;
	const struct yaml_node at = {.line = s->ops[op].line, .column = s->ops[op].column};

	read_error(r, &at, "'wait: %s' %s", s->domain_names[s->ops[op].op.arg[0]], what);
}

static bool is_signalled(const struct scenario *s, u32 op)
{
	for (u32 i = 0; i < s->n_ops; i++)
		if (is_op(s, i, OP_signal) && s->ops[i].op.arg[0] == s->ops[op].op.arg[0])
			return true;
	return false;
}

void read_signals(struct reader *r)
{
	struct scenario *s = r->s;
	u32 n = 0, stuck;

	for (u32 i = 0; i < s->n_ops; i++) {
		if (is_op(s, i, OP_wait) && !is_signalled(s, i)) {
			wrong(r, i, "of what nobody signals, expected a 'signal' of that name");
			return;
		}
		n += add_edges(s, i, NULL);
	}
	if (!n)
		return;
	s->edges = calloc(n, sizeof(*s->edges));
	sim_assert(s->edges);
	for (u32 i = 0; i < s->n_ops; i++) {
		s->ops[i].first_edge = s->n_edges;
		s->ops[i].n_edges = add_edges(s, i, s->edges + s->n_edges);
		s->n_edges += s->ops[i].n_edges;
	}
	stuck = never_begins(s);
	if (stuck < s->n_ops)
		wrong(r, stuck, "never ends: its signal comes after it, expected it before");
}
