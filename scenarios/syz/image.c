// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as a call's stores leave it: later ones win. A result of which
 * something was stored over is gone whole.
 */
#include "scenarios/syz/syz_priv.h"
#include "sim/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heap {
	u32 *at; /* indices of stores, the latest on top */
	u32 n;
};

static void push(struct heap *h, u32 v)
{
	u32 i = h->n++;

	for (; i && h->at[(i - 1) / 2] < v; i = (i - 1) / 2)
		h->at[i] = h->at[(i - 1) / 2];
	h->at[i] = v;
}

static void pop(struct heap *h)
{
	u32 v = h->at[--h->n], i = 0, child;

	while ((child = i * 2 + 1) < h->n) {
		if (child + 1 < h->n && h->at[child + 1] > h->at[child])
			child++;
		if (h->at[child] < v)
			break;
		h->at[i] = h->at[child];
		i = child;
	}
	h->at[i] = v;
}

static u64 end_of(const struct call_in *in)
{
	return in->addr + in->size < in->addr ? ~0ULL : in->addr + in->size;
}

static int by_address(const void *a, const void *b, void *in)
{
	const struct call_in *stores = in;
	u32 i = *(const u32 *)a, k = *(const u32 *)b;

	if (stores[i].addr != stores[k].addr)
		return stores[i].addr < stores[k].addr ? -1 : 1;
	return i < k ? -1 : i > k;
}

/* The bytes of a store that names no result. */
static void constant_bytes(const struct call_in *in, u64 from, u64 n, u8 *to)
{
	static const char *const formats[] = {
		[CALL_IN_DEC] = "%020llu", [CALL_IN_HEX] = "0x%016llx", [CALL_IN_OCT] = "%023llo"};
	char text[32] = "";

	if (in->kind == CALL_IN_DATA) {
		memcpy(to, in->data + from, n);
		return;
	}
	if (in->kind == CALL_IN_VALUE)
		memcpy(text, &in->value.value, 8);
	else
		snprintf(text, sizeof(text), formats[in->kind],
			 (unsigned long long)in->value.value);
	memcpy(to, text + from, n);
}

static bool is_result(const struct call_in *in)
{
	return in->kind == CALL_IN_BITS ||
	       (in->kind != CALL_IN_DATA && in->value.result != CALL_NO_RESULT);
}

static void add_cell(struct image *m, const struct call_in *in, u64 from, u64 to)
{
	struct cell *last = m->n ? &m->cell[m->n - 1] : NULL;
	u64 size = to - from;

	if (is_result(in)) {
		if (size == in->size)
			m->cell[m->n++] = (struct cell){from, size, in, 0, false};
		return;
	}
	constant_bytes(in, from - in->addr, size, m->data + m->n_data);
	/* One store, with a boundary where another began that it hides. */
	if (last && !last->result && last->addr + last->size == from && from != in->addr)
		last->size += size;
	else
		m->cell[m->n++] = (struct cell){from, size, NULL, m->n_data, false};
	m->n_data += size;
}

void syz_image(struct image *m, const struct call *c)
{
	u32 *order = calloc(c->n_in + 1, sizeof(*order)), next = 0, n = 0;
	struct heap h = {.at = calloc(c->n_in + 1, sizeof(u32))};
	u64 total = 1, at = 0;

	for (u32 i = 0; i < c->n_in; i++) {
		if (!c->in[i].size || (c->in[i].kind == CALL_IN_DATA && !c->in[i].data))
			continue;
		total += c->in[i].size;
		order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), by_address, c->in);
	*m = (struct image){.cell = calloc((size_t)n * 2 + 1, sizeof(*m->cell)),
			    .data = malloc(total),
			    .used = calloc(total, 1)};
	sim_assert(order && h.at && m->cell && m->data && m->used);
	while (next < n || h.n) {
		const struct call_in *top;
		u64 end, first;

		if (!h.n)
			at = c->in[order[next]].addr;
		while (next < n && c->in[order[next]].addr == at)
			push(&h, order[next++]);
		while (h.n && end_of(&c->in[h.at[0]]) <= at)
			pop(&h);
		if (!h.n)
			continue;
		/* The top holds until its end, or until a later store begins. */
		top = &c->in[h.at[0]];
		end = end_of(top);
		first = at;
		while (next < n && c->in[order[next]].addr < end && order[next] < h.at[0])
			push(&h, order[next++]);
		if (next < n && c->in[order[next]].addr < end)
			end = c->in[order[next]].addr;
		add_cell(m, top, first, end);
		at = end;
	}
	free(order);
	free(h.at);
}

void syz_image_free(struct image *m)
{
	free(m->cell);
	free(m->data);
	free(m->used);
}

u32 syz_image_at(const struct image *m, u64 addr)
{
	u32 low = 0, high = m->n;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (m->cell[mid].addr + m->cell[mid].size > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}
