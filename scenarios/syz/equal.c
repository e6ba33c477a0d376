// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether two programs do the same.
 */
#include "scenarios/syz/syz_priv.h"
#include "sim/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct compare {
	const struct call_program *a, *b;
	u32 *b_of; /* slot of b by slot of a */
	char *why;
};

static bool same_slot(struct compare *c, u32 a, u32 b)
{
	if (a == CALL_NO_RESULT || b == CALL_NO_RESULT)
		return a == b;
	if (c->b_of[a] == CALL_NO_RESULT)
		c->b_of[a] = b;
	return c->b_of[a] == b;
}

static bool same_value(struct compare *c, const struct call_value *a, const struct call_value *b)
{
	if (!same_slot(c, a->result, b->result))
		return false;
	if (a->result == CALL_NO_RESULT)
		return a->value == b->value;
	return (a->div ? a->div : 1) == (b->div ? b->div : 1) && a->add == b->add;
}

static int by_place(const void *a, const void *b)
{
	const struct call_out *i = a, *k = b;

	if (i->addr != k->addr)
		return i->addr < k->addr ? -1 : 1;
	return i->size < k->size ? -1 : i->size > k->size;
}

static bool same_outs(struct compare *c, const struct call *a, const struct call *b)
{
	struct call_out *x = calloc(a->n_out + 1, sizeof(*x)),
			*y = calloc(b->n_out + 1, sizeof(*y));
	bool same = a->n_out == b->n_out;

	sim_assert(x && y);
	if (same && a->n_out) {
		memcpy(x, a->out, a->n_out * sizeof(*x));
		memcpy(y, b->out, b->n_out * sizeof(*y));
		qsort(x, a->n_out, sizeof(*x), by_place);
		qsort(y, b->n_out, sizeof(*y), by_place);
	}
	for (u32 i = 0; same && i < a->n_out; i++)
		same = x[i].addr == y[i].addr && x[i].size == y[i].size &&
		       same_slot(c, x[i].result, y[i].result);
	free(x);
	free(y);
	return same;
}

/* Bytes that lie side by side count as one piece, however they were stored. */
static void merge(struct image *m)
{
	u32 n = 0;

	for (u32 i = 0; i < m->n; i++) {
		struct cell *last = n ? &m->cell[n - 1] : NULL;

		if (last && !last->result && !m->cell[i].result &&
		    last->addr + last->size == m->cell[i].addr)
			last->size += m->cell[i].size;
		else
			m->cell[n++] = m->cell[i];
	}
	m->n = n;
}

static bool same_cell(struct compare *c, const struct image *x, const struct image *y, u32 i)
{
	const struct cell *a = &x->cell[i], *b = &y->cell[i];

	if (a->addr != b->addr || a->size != b->size || !a->result != !b->result)
		return false;
	if (a->result)
		return a->result->kind == b->result->kind && a->result->shift == b->result->shift &&
		       a->result->bits == b->result->bits &&
		       same_value(c, &a->result->value, &b->result->value);
	return !memcmp(x->data + a->data, y->data + b->data, a->size);
}

static bool same_memory(struct compare *c, const struct call *a, const struct call *b)
{
	struct image x, y;
	bool same;

	syz_image(&x, a);
	syz_image(&y, b);
	merge(&x);
	merge(&y);
	same = x.n == y.n;
	for (u32 i = 0; same && i < x.n; i++)
		same = same_cell(c, &x, &y, i);
	syz_image_free(&x);
	syz_image_free(&y);
	return same;
}

static bool same_after(const struct call *a, const struct call *b)
{
	return a->n_after == b->n_after &&
	       (!a->n_after || !memcmp(a->after, b->after, a->n_after * sizeof(*a->after)));
}

static bool same_call(struct compare *c, u32 i)
{
	const struct call *a = &c->a->call[i], *b = &c->b->call[i];
	const char *what = NULL;

	if (a->nr != b->nr || a->process != b->process || a->n_args != b->n_args)
		what = "number, process or number of arguments";
	else if (a->async != b->async || a->fail_nth != b->fail_nth || a->rerun != b->rerun)
		what = "properties";
	else if (a->has_ret != b->has_ret || (a->has_ret && a->ret != b->ret))
		what = "expected result";
	else if (a->thread != b->thread || !same_after(a, b))
		what = "thread, or calls that come first";
	else if (!same_slot(c, a->result, b->result))
		what = "result";
	else if (!same_outs(c, a, b))
		what = "values taken after it";
	else if (!same_memory(c, a, b))
		what = "bytes stored before it";
	for (u32 k = 0; !what && k < a->n_args; k++)
		if (!same_value(c, &a->arg[k], &b->arg[k]))
			what = "arguments";
	if (what)
		snprintf(c->why, 128, "call %u: %s", i + 1, what);
	return !what;
}

bool syz_equal(const struct call_program *a, const struct call_program *b, char why[128])
{
	struct compare c = {
		.a = a, .b = b, .why = why, .b_of = malloc((a->n_results + 1) * sizeof(u32))};
	bool same = a->n == b->n;

	sim_assert(c.b_of);
	why[0] = '\0';
	if (!same)
		snprintf(why, 128, "%u calls and %u", a->n, b->n);
	memset(c.b_of, 0xff, (a->n_results + 1) * sizeof(u32));
	for (u32 i = 0; same && i < a->n; i++)
		same = same_call(&c, i);
	for (u32 i = 0; same && i < a->n_results; i++) {
		if (c.b_of[i] != CALL_NO_RESULT &&
		    a->result_default[i] != b->result_default[c.b_of[i]]) {
			snprintf(why, 128, "the default of result %u", i);
			same = false;
		}
	}
	free(c.b_of);
	return same;
}
