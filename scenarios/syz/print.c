// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program as text, call by call. What no argument points at is printed first,
 * in lines of its own.
 */
#include "scenarios/syz/print_priv.h"

#include "scenarios/call/program.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

static int by_place(const void *a, const void *b)
{
	const struct call_out *i = *(const struct call_out *const *)a;
	const struct call_out *k = *(const struct call_out *const *)b;

	if (i->addr != k->addr)
		return i->addr < k->addr ? -1 : 1;
	if (i->size != k->size)
		return i->size < k->size ? -1 : 1;
	return i < k ? -1 : i > k;
}

static void begin_call(struct printer *r, const struct call *c)
{
	syz_image(&r->m, c);
	r->taken = calloc(c->n_out + 1, sizeof(const struct call_out *));
	r->taken_used = calloc(c->n_out + 1, sizeof(bool));
	r->renamed = calloc(c->n_out + 1, sizeof(*r->renamed));
	r->n_renamed = 0;
	sim_assert(r->taken && r->taken_used && r->renamed);
	for (u32 i = 0; i < c->n_out; i++)
		r->taken[i] = &c->out[i];
	r->n_taken = c->n_out;
	qsort(r->taken, r->n_taken, sizeof(const struct call_out *), by_place);
	r->line.n = 0;
	r->recorded = !c->line;
}

static void end_call(struct printer *r)
{
	for (u32 i = 0; i < r->n_renamed; i++)
		r->name[r->renamed[i].slot] = r->renamed[i].name;
	syz_image_free(&r->m);
	free(r->renamed);
	free(r->taken);
	free(r->taken_used);
}

static const struct uapi_call *row_of(const struct printer *r, const struct call *c)
{
	const struct uapi_call *row;
	u64 cmd = c->n_args > 1 ? c->arg[1].value : 0, size = 0;
	u8 bytes[256];

	if (c->row)
		return c->row;
	row = uapi_call_of(c->nr, cmd, NULL, 0);
	for (u32 i = 0; row && i < row->n_args && i < c->n_args; i++) {
		if (row->arg[i].type.kind != UAPI_PTR || c->arg[i].result != CALL_NO_RESULT)
			continue;
		size = syz_run(r, c->arg[i].value, sizeof(bytes));
		syz_bytes(r, c->arg[i].value, size, bytes);
		return uapi_call_of(c->nr, cmd, bytes, size);
	}
	return row;
}

static u64 length_of(const struct uapi_call *row, const struct call *c, u32 i)
{
	for (u32 k = 0; k < row->n_args && k < c->n_args; k++) {
		const struct uapi_type *t = &row->arg[k].type, *to = row->arg[i].type.to;

		if (t->kind != UAPI_LEN || !t->of || strcmp(t->of, row->arg[i].name) != 0 ||
		    c->arg[k].result != CALL_NO_RESULT)
			continue;
		if (t->in_bytes && to && to->kind == UAPI_ARRAY && to->to->size)
			return c->arg[k].value / to->to->size;
		return c->arg[k].value;
	}
	return 0;
}

static void properties(struct printer *r, const struct call *c)
{
	const char *comma = " (";

	if (c->fail_nth) {
		syz_add(&r->line, "%sfail_nth: %u", comma, c->fail_nth);
		comma = ", ";
	}
	if (c->async) {
		syz_add(&r->line, "%sasync", comma);
		comma = ", ";
	}
	if (c->rerun) {
		syz_add(&r->line, "%srerun: %u", comma, c->rerun);
		comma = ", ";
	}
	if (*comma == ',')
		syz_add(&r->line, ")");
}

static void append(struct text *t, const char *text, size_t n)
{
	while (n) {
		size_t part = n < 200 ? n : 200;

		syz_add(t, "%.*s", (int)part, text);
		text += part;
		n -= part;
	}
}

/* Stores and fetches that no argument leads to. */
static void rest(struct printer *r)
{
	struct text call = r->line;

	for (u32 i = 0; i < r->m.n; i++) {
		struct cell *c = &r->m.cell[i];
		u64 from = 0, to;

		if (c->result ? c->used || c->result->kind == CALL_IN_BITS : false)
			continue;
		while (from < c->size) {
			while (!c->result && from < c->size && r->m.used[c->data + from])
				from++;
			to = from;
			while (to < c->size && (c->result || !r->m.used[c->data + to]))
				to++;
			if (to == from)
				break;
			r->line = (struct text){0};
			syz_add(&r->line, "syz_store(&(0x%llx)=",
				(unsigned long long)syz_text_address(c->addr + from));
			syz_print_any(r, c->addr + from, to - from);
			syz_add(&r->line, ")\n");
			append(&r->out, r->line.at, r->line.n);
			free(r->line.at);
			from = to;
		}
	}
	for (u32 i = 0; i < r->n_taken; i++) {
		const struct call_out *o = r->taken[i];

		if (r->taken_used[i])
			continue;
		r->line = (struct text){0};
		syz_add(&r->line, "syz_fetch(&(0x%llx)=<",
			(unsigned long long)syz_text_address(o->addr));
		syz_add(&r->line, "r%u", syz_new_name(r, o->result));
		syz_add(&r->line, "=>0x%llx, 0x%x)\n",
			(unsigned long long)r->p->result_default[o->result], o->size);
		append(&r->out, r->line.at, r->line.n);
		free(r->line.at);
	}
	r->line = call;
}

/* Calls by the numbers that they have in the text; those that are left out of it are nobody's. */
static void print_thread(struct printer *r, const struct call *c)
{
	const char *before = ", after";

	if (!c->thread && !c->n_after)
		return;
	syz_add(&r->out, SYZ_THREAD "%u", c->thread);
	for (u32 i = 0; i < c->n_after; i++) {
		u32 number = c->after[i] < r->n_numbers ? r->number[c->after[i]] : 0;

		if (!number)
			continue;
		syz_add(&r->out, "%s %u", before, number);
		before = "";
	}
	syz_add(&r->out, "\n");
}

static bool is_process(const struct call *c)
{
	return c->nr == CALL_NR_FORK || c->nr == CALL_NR_VFORK || c->nr == CALL_NR_CLONE ||
	       c->nr == CALL_NR_EXIT || c->nr == CALL_NR_EXIT_GROUP;
}

/* What syzkaller's text cannot say; true: that is all of the call. */
static bool print_process(struct printer *r, const struct call *c)
{
	switch (c->nr) {
	case CALL_NR_FORK:
	case CALL_NR_VFORK:
	case CALL_NR_CLONE:
		syz_add(&r->out, SYZ_PROCESS "%llu begins, a copy of %u\n",
			(unsigned long long)c->arg[0].value, c->process);
		return true;
	case CALL_NR_EXIT:
	case CALL_NR_EXIT_GROUP:
		syz_add(&r->out, SYZ_PROCESS "%u ends\n", c->process);
		return true;
	default:
		if (c->process)
			syz_add(&r->out, SYZ_PROCESS "%u\n", c->process);
		return false;
	}
}

static void print_call(struct printer *r, const struct call *c)
{
	const struct uapi_call *row;

	row = row_of(r, c);
	if (!row && !is_process(c)) {
		syz_add(&r->out, "# a call of number %ld, which is in no row\n", c->nr);
		return;
	}
	print_thread(r, c);
	r->number[c->id] = ++r->n_printed;
	if (c->has_ret)
		syz_add(&r->out, SYZ_RET "%ld\n", c->ret);
	if (print_process(r, c))
		return;
	if (c->result != CALL_NO_RESULT)
		syz_add(&r->line, "r%u = ", syz_new_name(r, c->result));
	syz_add(&r->line, "%s(", row->name);
	for (u32 i = 0; i < row->n_args && i < c->n_args; i++) {
		const struct uapi_type *t = &row->arg[i].type;

		syz_add(&r->line, i ? ", " : "");
		if (t->kind == UAPI_PTR || t->kind == UAPI_VMA)
			syz_print_pointer(r, t, &c->arg[i], length_of(row, c, i));
		else
			syz_add_value(r, &c->arg[i]);
	}
	syz_add(&r->line, ")");
	properties(r, c);
	syz_add(&r->line, "\n");
	rest(r);
	append(&r->out, r->line.at, r->line.n);
}

/* Of recordings only: a text's own region needs no words. */
static void print_areas(struct printer *r)
{
	const struct call_program *p = r->p;

	for (u32 i = 0; i < p->n_areas; i++) {
		const struct call_area *a = &p->area[i];
		u64 size = a->size;

		if (a->addr == SYZ_BASE || a->addr == SYZ_BASE_OLD)
			continue;
		for (; i + 1 < p->n_areas && p->area[i + 1].addr == a->addr + size &&
		       size + p->area[i + 1].size <= SYZ_REGION; i++)
			size += p->area[i + 1].size;
		syz_add(&r->out, SYZ_MEMORY "0x%llx 0x%llx\n", (unsigned long long)a->addr,
			(unsigned long long)size);
	}
}

char *syz_print(const struct call_program *p)
{
	struct printer r = {.p = p, .name = malloc((p->n_results + 1) * sizeof(u32))};

	sim_assert(r.name);
	memset(r.name, 0xff, (p->n_results + 1) * sizeof(u32));
	syz_add(&r.out, "%s", "");
	for (u32 i = 0; i < p->n; i++)
		r.n_numbers = max(r.n_numbers, p->call[i].id + 1);
	r.number = calloc(r.n_numbers + 1, sizeof(u32));
	sim_assert(r.number);
	print_areas(&r);
	for (u32 i = 0; i < p->n; i++) {
		begin_call(&r, &p->call[i]);
		print_call(&r, &p->call[i]);
		end_call(&r);
	}
	free(r.line.at);
	free(r.name);
	free(r.number);
	return r.out.at;
}
