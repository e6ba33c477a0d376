// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of system calls as scenarios.
 *
 * What runs when is said by edges: an async call waits for the end of the call
 * of main before it; with all calls in tasks of their own, each waits for those
 * that give the values it uses, and for its process. In a recording of threads
 * each thread is a task, and calls wait, besides, for what woke their thread.
 * An edge always leads from
 * an earlier call of the program to a later one, and tasks perform theirs in
 * the program's order, so nothing can wait for ever by itself.
 */
#include "scenarios/engine/scenario.h"

#include "scenarios/engine/read_priv.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE (~0U)

/* --- edges --- */

struct edges {
	struct {
		u32 before, after;
	} *edge;
	u32 n, room;
};

static void edge_add(struct edges *e, u32 before, u32 after)
{
	for (u32 i = e->n; i-- > 0 && e->edge[i].after == after;) {
		if (e->edge[i].before == before)
			return;
	}
	if (e->n == e->room) {
		e->room = e->room ? 2 * e->room : 64;
		e->edge = realloc(e->edge, e->room * sizeof(*e->edge));
		sim_assert(e->edge);
	}
	e->edge[e->n].before = before;
	e->edge[e->n++].after = after;
}

/* Into the scenario, sorted by their beginnings; frees e's. */
static void edges_keep(struct edges *e, struct scenario *s)
{
	u32 at = 0;

	free(s->edges);
	s->edges = calloc(e->n + 1, sizeof(*s->edges));
	sim_assert(s->edges);
	s->n_edges = e->n;
	for (u32 i = 0; i < s->n_ops; i++)
		s->ops[i].n_edges = 0;
	for (u32 i = 0; i < e->n; i++)
		s->ops[e->edge[i].before].n_edges++;
	for (u32 i = 0; i < s->n_ops; i++) {
		s->ops[i].first_edge = at;
		at += s->ops[i].n_edges;
		s->ops[i].n_edges = 0;
	}
	for (u32 i = 0; i < e->n; i++) {
		struct scenario_op *op = &s->ops[e->edge[i].before];

		s->edges[op->first_edge + op->n_edges++].after = e->edge[i].after;
	}
	free(e->edge);
}

/* --- tasks --- */

/* "7-IOMMU_IOAS_MAP": the call's number and what it is. */
static void name_task(struct scenario_task *t, u32 number, const struct call *c)
{
	const char *name = c->name ? c->name : "call", *variant = strchr(name, '$');

	snprintf(t->name, sizeof(t->name), "%u-%s", number, variant ? variant + 1 : name);
}

/*
 * Task of each call (task[i]) becomes tasks and ops of the scenario, op[i] the
 * place of call i.
 */
static void lay_out(struct scenario *s, const u32 *task, u32 *op, const struct scenario_op *as)
{
	const struct call_program *p = s->program;

	s->n_ops = 0;
	for (u32 t = 0; t < s->n_tasks; t++) {
		s->task[t].first = s->n_ops;
		for (u32 i = 0; i < p->n; i++) {
			if (task[i] != t)
				continue;
			op[i] = s->n_ops;
			s->ops[s->n_ops++] = as[i];
		}
		s->task[t].n = s->n_ops - s->task[t].first;
	}
}

/* Who gives a slot its value: the last call so far, by slot. */
static void note_results(const struct call_program *p, u32 i, u32 *giver)
{
	const struct call *c = &p->call[i];

	if (c->result < p->n_results)
		giver[c->result] = i;
	for (u32 k = 0; k < c->n_out; k++) {
		if (c->out[k].result < p->n_results)
			giver[c->out[k].result] = i;
	}
}

static void need_value(const struct call_program *p, const struct call_value *v, const u32 *giver,
		       u8 *needs)
{
	if (v->result < p->n_results && giver[v->result] != NONE)
		needs[giver[v->result]] = 1;
}

/* Marks in needs[] the calls before i that it cannot do without. */
static void note_needs(const struct call_program *p, u32 i, const u32 *giver, u8 *needs)
{
	const struct call *c = &p->call[i];

	for (u32 k = 0; k < c->n_args; k++)
		need_value(p, &c->arg[k], giver, needs);
	for (u32 k = 0; k < c->n_in; k++) {
		if (c->in[k].kind != CALL_IN_DATA)
			need_value(p, &c->in[k].value, giver, needs);
	}
	for (u32 k = i; c->process && k-- > 0;) {
		const struct call *o = &p->call[k];

		if ((o->nr == CALL_NR_FORK || o->nr == CALL_NR_VFORK || o->nr == CALL_NR_CLONE) &&
		    o->arg[0].value == c->process) {
			needs[k] = 1;
			break;
		}
	}
}

static void need_after(const struct call_program *p, u32 i, u8 *needs)
{
	const struct call *c = &p->call[i];

	for (u32 k = 0; k < c->n_after; k++) {
		for (u32 j = 0; j < i; j++)
			needs[j] |= p->call[j].id == c->after[k];
	}
}

static void all_edges(struct scenario *s, const u32 *op)
{
	const struct call_program *p = s->program;
	u32 *giver = malloc((p->n_results + 1) * sizeof(*giver));
	u8 *needs = malloc(p->n + 1);
	struct edges e = {0};

	sim_assert(giver && needs);
	memset(giver, 0xff, (p->n_results + 1) * sizeof(*giver));
	for (u32 i = 0; i < p->n; i++) {
		memset(needs, 0, p->n);
		note_needs(p, i, giver, needs);
		if (!s->threads_all)
			need_after(p, i, needs);
		for (u32 k = 0; k < i; k++) {
			if (needs[k])
				edge_add(&e, op[k], op[i]);
		}
		note_results(p, i, giver);
	}
	free(giver);
	free(needs);
	edges_keep(&e, s);
}

static void async_edges(struct scenario *s, const u32 *op)
{
	const struct call_program *p = s->program;
	struct edges e = {0};
	u32 main_op = NONE;

	for (u32 i = 0; i < p->n; i++) {
		if (!p->call[i].async)
			main_op = op[i];
		else if (main_op != NONE)
			edge_add(&e, main_op, op[i]);
	}
	edges_keep(&e, s);
}

/* Which task performs each call, and how these are called; calls beyond the last task share. */
static void deal(struct scenario *s, bool all, u32 *task)
{
	const struct call_program *p = s->program;
	u32 first = 0, more = 0;

	for (u32 i = 0; i < p->n && !all; i++)
		first |= !p->call[i].async;
	if (first)
		strcpy(s->task[0].name, "main");
	for (u32 i = 0; i < p->n; i++) {
		if (!all && !p->call[i].async) {
			task[i] = 0;
			continue;
		}
		task[i] = first + more % (SCENARIO_TASKS_MAX - first);
		if (more < SCENARIO_TASKS_MAX - first)
			name_task(&s->task[task[i]], i + 1, &p->call[i]);
		more++;
	}
	s->n_tasks = first + min(more, SCENARIO_TASKS_MAX - first);
}

static bool has_threads(const struct call_program *p)
{
	for (u32 i = 0; i < p->n; i++) {
		if (p->call[i].thread)
			return true;
	}
	return false;
}

/* Tasks of a recording: its threads in the order of their first calls; the last ones share. */
static void deal_threads(struct scenario *s, u32 *task)
{
	const struct call_program *p = s->program;
	u32 thread[SCENARIO_TASKS_MAX], n = 0;

	for (u32 i = 0; i < p->n; i++) {
		u32 t = 0;

		while (t < n && thread[t] != p->call[i].thread)
			t++;
		if (t == n && n < SCENARIO_TASKS_MAX) {
			snprintf(s->task[n].name, sizeof(s->task[n].name), "thread%u",
				 p->call[i].thread);
			thread[n++] = p->call[i].thread;
		}
		task[i] = t < n ? t : p->call[i].thread % n;
	}
	s->n_tasks = n;
}

/* The program's calls (as[i] for call i) as the scenario's tasks. */
static void make_tasks(struct scenario *s, const struct scenario_op *as)
{
	bool threads = !s->threads_all && has_threads(s->program);
	u32 n = s->program->n;
	u32 *task = calloc(n + 1, sizeof(*task)), *op = calloc(n + 1, sizeof(*op));

	sim_assert(task && op);
	if (threads)
		deal_threads(s, task);
	else
		deal(s, s->threads_all, task);
	lay_out(s, task, op, as);
	if (s->threads_all || threads)
		all_edges(s, op);
	else
		async_edges(s, op);
	free(task);
	free(op);
}

/* --- scenarios --- */

bool read_threads_all(struct scenario *s, struct scenario_error *err)
{
	struct scenario_op *as = calloc(s->n_ops + 1, sizeof(*as));

	sim_assert(as);
	for (u32 i = 0; i < s->n_ops; i++) {
		const struct call *c = s->ops[i].call;

		if (!c) {
			free(as);
			return scenario_error_at(err, s->ops[i].line, s->ops[i].column,
						 "'%s' is no system call, expected only those "
						 "with --threads all", scenario_op_name(s, i));
		}
		as[c - s->program->call] = s->ops[i];
	}
	s->threads_all = true;
	make_tasks(s, as);
	free(as);
	return true;
}

struct scenario *scenario_of_calls(const char *path, struct call_program *p, bool threads_all,
				   struct scenario_error *err)
{
	struct scenario *s = calloc(1, sizeof(*s));
	struct scenario_op *as;

	sim_assert(s);
	s->program = p;
	s->yaml = calloc(1, 1); /* none, and none is missing */
	sim_assert(s->yaml);
	s->threads_all = threads_all;
	scenario_set_path(s, path, err);
	if (!p->n)
		scenario_error_at(err, 1, 1, "no call, expected at least one");
	else if (p->n > SCENARIO_OPS_MAX)
		scenario_error_at(err, 0, 0, "%u calls, expected at most %d", p->n,
				  SCENARIO_OPS_MAX);
	if (err->text[0]) {
		scenario_free(s);
		return NULL;
	}
	as = calloc(p->n, sizeof(*as));
	s->ops = calloc(p->n, sizeof(*s->ops));
	sim_assert(as && s->ops);
	for (u32 i = 0; i < p->n; i++)
		as[i] = (struct scenario_op){.call = &p->call[i], .line = p->call[i].line,
					     .column = p->call[i].column,
					     .has_ret = p->call[i].has_ret,
					     .ret = p->call[i].ret};
	make_tasks(s, as);
	free(as);
	return s;
}

/* What the reader of the text hands on. */
struct noting {
	const struct scenario_how *how;
	const char *file;
	struct yaml_of_syz yaml;
};

static void pass_note(void *self, const struct syz_note *n)
{
	const struct noting *to = self;

	to->how->note(to->how->self, to->file, n->line, n->text);
}

static void pass_yaml(void *self, size_t at, size_t size)
{
	struct noting *to = self;

	scenario_yaml_of_syz_add(&to->yaml, at, size);
}

/* The calls with the YAML beside them; takes p. */
static struct scenario *of_syz(const char *name, struct call_program *p, struct noting *noting,
			       struct scenario_error *err)
{
	struct scenario *s = scenario_of_calls(name, p, noting->how->threads_all, err);

	if (!s || scenario_read_yaml_of_syz(s, &noting->yaml, err))
		return s;
	scenario_free(s);
	return NULL;
}

struct scenario *scenario_parse_syz(const char *name, const char *text, size_t size,
				    const struct scenario_how *how, struct scenario_error *err)
{
	struct noting noting = {how, name, {.text = text, .size = size}};
	struct syz_options o = {.strict = how->strict, .note = how->note ? pass_note : NULL,
				.yaml = pass_yaml, .self = &noting};
	struct syz_error bad = {0};
	struct call_program *p = syz_parse(text, size, &o, &bad);
	struct scenario *s = NULL;

	memset(err, 0, sizeof(*err));
	snprintf(err->file, sizeof(err->file), "%.255s", name);
	if (p)
		s = of_syz(name, p, &noting, err);
	else
		scenario_error_at(err, bad.line, bad.column, "%s", bad.text);
	if (s)
		s->content_hash = scenario_hash(0, text, size);
	scenario_yaml_of_syz_free(&noting.yaml);
	return s;
}
