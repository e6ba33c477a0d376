// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario's calls as a .syz file that reads as the same scenario: what
 * syzkaller's text cannot say stands in comments (scenarios/syz/syz.h), and so
 * does the YAML beside `tasks`.
 */
#include "scenarios/explore/report.h"

#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const struct scenario *s;
	const u64 *drop;
	u32 order[SCENARIO_OPS_MAX]; /* ops in an order that their edges allow */
	u32 n_order;
	u32 task[SCENARIO_OPS_MAX];  /* by op */
	struct call *written[SCENARIO_OPS_MAX]; /* by op; NULL: no call, or left out */
	u32 *after;                  /* pool of the calls' lists */
	u32 n_after;
};

static bool is_kept(const struct writer *w, u32 op)
{
	return w->s->ops[op].call && !(w->drop && w->drop[op / 64] >> (op % 64) & 1);
}

/* --- order --- */

static void count_reasons(const struct scenario *s, u32 *reasons)
{
	for (u32 i = 0; i < s->n_edges; i++)
		reasons[s->edges[i].after]++;
}

/* Each task goes on until it waits; none waits for ever (signals.c). */
static void find_order(struct writer *w)
{
	const struct scenario *s = w->s;
	u32 next[SCENARIO_TASKS_MAX], *reasons = calloc(s->n_ops + 1, sizeof(*reasons));
	u32 before = ~0U;

	sim_assert(reasons);
	count_reasons(s, reasons);
	for (u32 t = 0; t < s->n_tasks; t++)
		next[t] = s->task[t].first;
	while (w->n_order != before) {
		before = w->n_order;
		for (u32 t = 0; t < s->n_tasks; t++) {
			u32 end = s->task[t].first + s->task[t].n;

			for (; next[t] < end && !reasons[next[t]]; next[t]++) {
				const struct scenario_op *op = &s->ops[next[t]];

				w->order[w->n_order++] = next[t];
				w->task[next[t]] = t;
				for (u32 e = 0; e < op->n_edges; e++)
					reasons[s->edges[op->first_edge + e].after]--;
			}
		}
	}
	free(reasons);
}

static int by_place(const void *a, const void *b)
{
	const struct scenario_op *x = *(const struct scenario_op *const *)a;
	const struct scenario_op *y = *(const struct scenario_op *const *)b;

	return x->call < y->call ? -1 : x->call > y->call;
}

/* As in the program: an `async` call begins where it stands. */
static void keep_order(struct writer *w)
{
	const struct scenario *s = w->s;
	const struct scenario_op *ops[SCENARIO_OPS_MAX];

	for (u32 i = 0; i < s->n_ops; i++)
		if (s->ops[i].call)
			ops[w->n_order++] = &s->ops[i];
	qsort(ops, w->n_order, sizeof(ops[0]), by_place);
	for (u32 i = 0; i < w->n_order; i++)
		w->order[i] = (u32)(ops[i] - s->ops);
}

/* --- what a call waits for --- */

/* Marks what comes before op i: the calls of its own task stop the search. */
static void mark_before(const struct writer *w, u32 i, bool *seen, bool *is_before)
{
	const struct scenario *s = w->s;
	u32 stack[SCENARIO_OPS_MAX], n = 0;

	stack[n++] = i;
	while (n) {
		u32 op = stack[--n];

		if (seen[op])
			continue;
		seen[op] = true;
		if (op != i && w->written[op]) {
			is_before[op] = true;
			continue;
		}
		if (op > s->task[w->task[op]].first && !seen[op - 1])
			stack[n++] = op - 1;
		for (u32 k = 0; k < s->n_ops && n + 1 < SCENARIO_OPS_MAX; k++) {
			const struct scenario_op *o = &s->ops[k];

			for (u32 e = 0; e < o->n_edges; e++)
				if (s->edges[o->first_edge + e].after == op && !seen[k])
					stack[n++] = k;
		}
	}
}

static void add_thread(struct writer *w, u32 op)
{
	bool seen[SCENARIO_OPS_MAX] = {0}, is_before[SCENARIO_OPS_MAX] = {0};
	struct call *c = w->written[op];

	c->thread = w->task[op];
	c->after = w->after + w->n_after;
	mark_before(w, op, seen, is_before);
	for (u32 i = 0; i < w->s->n_ops; i++)
		if (is_before[i] && w->task[i] != w->task[op])
			c->after[c->n_after++] = w->written[i]->id;
	w->n_after += c->n_after;
}

/* Whether tasks are the file's, not made of `async` calls or of a recording's threads. */
static bool has_tasks(const struct scenario *s)
{
	if (s->threads_all)
		return false;
	for (u32 i = 0; i < s->program->n; i++)
		if (s->program->call[i].async || s->program->call[i].thread)
			return false;
	return s->n_tasks > 1;
}

/* --- text --- */

/* Each line of text behind `begins`. */
static void put_lines(FILE *out, const char *begins, const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, "\n");

		fprintf(out, "%s%.*s\n", begins, n, text);
		text += n + (text[n] == '\n');
	}
}

/* Operations that no such file can hold. */
static void put_left_out(FILE *out, const struct writer *w)
{
	char text[256];

	for (u32 i = 0; i < w->s->n_ops; i++) {
		const struct scenario_op *op = &w->s->ops[i];

		if (op->call || op->op.code == OP_signal || op->op.code == OP_wait)
			continue;
		scenario_op_print(w->s, i, text, sizeof(text));
		fprintf(out, "# left out, for it is no system call: %s\n", text);
	}
}

/* yaml: as comments; without, that it is missing is said. */
static char *write_text(const struct writer *w, const char *program, bool yaml)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	sim_assert(out);
	if (yaml)
		put_lines(out, SYZ_YAML, w->s->yaml);
	else
		fputs("# left out: machine, bugs and what else the YAML file has beside its tasks, whose "
		      "lines do not stand alone\n", out);
	put_left_out(out, w);
	fputs(program, out);
	fclose(out);
	return text;
}

static bool reads_back(const char *text)
{
	struct scenario_error err;
	struct scenario *s = scenario_parse_syz("program.syz", text, strlen(text),
						&(struct scenario_how){0}, &err);

	scenario_free(s);
	return s;
}

/* With the YAML, if that says the same alone: it may refer to what the tasks have. */
static char *write_checked(const struct writer *w, const char *program)
{
	char *text = w->s->yaml ? write_text(w, program, true) : NULL;

	if (text && reads_back(text))
		return text;
	free(text);
	return write_text(w, program, false);
}

static void copy_calls(struct writer *w, struct call_program *part)
{
	const struct scenario *s = w->s;
	bool tasks = has_tasks(s);

	if (tasks)
		find_order(w);
	else
		keep_order(w);
	part->n = 0;
	for (u32 i = 0; i < w->n_order; i++) {
		u32 op = w->order[i];

		if (!is_kept(w, op))
			continue;
		w->written[op] = &part->call[part->n++];
		*w->written[op] = *s->ops[op].call;
		w->written[op]->has_ret = s->ops[op].has_ret;
		w->written[op]->ret = s->ops[op].ret;
		if (tasks)
			w->written[op]->id = part->n - 1;
	}
	for (u32 i = 0; tasks && i < s->n_ops; i++)
		if (w->written[i])
			add_thread(w, i);
}

char *report_program(const struct scenario *s, const u64 *drop)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct call_program part;
	char *program, *text;

	if (!s->program) {
		free(w);
		return NULL;
	}
	part = *s->program;
	part.call = calloc(s->n_ops + 1, sizeof(*part.call));
	sim_assert(w && part.call);
	w->s = s;
	w->drop = drop;
	w->after = calloc((size_t)s->n_ops * s->n_ops + 1, sizeof(*w->after));
	sim_assert(w->after);
	copy_calls(w, &part);
	program = syz_print(&part);
	text = write_checked(w, program);
	free(program);
	free(part.call);
	free(w->after);
	free(w);
	return text;
}
