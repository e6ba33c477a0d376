// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call as one line that a developer can read: the fields of the struct it
 * points at by their names, those that are zero or follow from others left out.
 */
#include "scenarios/call/program.h"

#include "core/uapi/uapi.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
	char *buf;
	size_t size, at;
	const struct call_program *p;
	const struct call *c;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->at >= l->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->at, l->size - l->at, fmt, ap);
	va_end(ap);
	l->at += n > 0 ? (size_t)n : 0;
}

static void add_value(struct line *l, const struct call_value *v)
{
	const char *name = v->result < l->p->n_results && l->p->result_name ?
			   l->p->result_name[v->result] : NULL;

	if (v->result == CALL_NO_RESULT)
		add(l, v->value < 4096 ? "%llu" : v->value > ~4096ULL ? "%lld" : "0x%llx",
		    (unsigned long long)v->value);
	else if (name)
		add(l, "%.32s", name);
	else
		add(l, "result%u", v->result);
	if (v->result != CALL_NO_RESULT && v->add)
		add(l, "+0x%llx", (unsigned long long)v->add);
}

/* What is at [addr, addr + size) before the call: the last store of exactly that, else bytes. */
static bool stored_value(const struct call *c, u64 addr, u64 size, struct call_value *v)
{
	bool found = false;

	for (u32 i = 0; i < c->n_in; i++) {
		const struct call_in *in = &c->in[i];

		if (in->kind == CALL_IN_VALUE && in->addr == addr && in->size == size) {
			*v = in->value;
			found = true;
		} else if (in->kind == CALL_IN_DATA && in->data && addr >= in->addr &&
			   in->size >= size && addr - in->addr <= in->size - size) {
			*v = (struct call_value){.result = CALL_NO_RESULT};
			memcpy(&v->value, in->data + (addr - in->addr), size);
			found = true;
		}
	}
	return found;
}

static const char *taken_into(const struct call_program *p, const struct call *c, u64 addr)
{
	for (u32 i = 0; i < c->n_out; i++) {
		if (c->out[i].addr == addr && c->out[i].result < p->n_results && p->result_name)
			return p->result_name[c->out[i].result];
	}
	return NULL;
}

static void add_struct(struct line *l, const struct uapi_struct *s, u64 addr)
{
	const char *comma = "";

	add(l, "{");
	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *f = &s->field[i];
		const char *out = taken_into(l->p, l->c, addr + f->offset);
		struct call_value v = {.result = CALL_NO_RESULT};

		if (f->type.kind == UAPI_PAD || (f->type.kind == UAPI_LEN && !f->type.of) ||
		    !f->type.size || f->type.size > 8)
			continue;
		if (!stored_value(l->c, addr + f->offset, f->type.size, &v) && !out)
			continue;
		if (v.result == CALL_NO_RESULT && !v.value && !out)
			continue;
		add(l, "%s%s=", comma, f->name);
		comma = ", ";
		if (out && v.result == CALL_NO_RESULT)
			add(l, ">%.32s", out);
		else
			add_value(l, &v);
	}
	add(l, "}");
}

static void add_string(struct line *l, u64 addr)
{
	for (u32 i = 0; i < l->c->n_in; i++) {
		const struct call_in *in = &l->c->in[i];

		if (in->kind != CALL_IN_DATA || in->addr != addr || !in->data)
			continue;
		add(l, "\"");
		for (u64 k = 0; k < in->size && k < 40 && in->data[k]; k++)
			add(l, "%c", in->data[k] >= ' ' && in->data[k] < 127 ? in->data[k] : '?');
		add(l, "\"");
		return;
	}
	add(l, "0x%llx", (unsigned long long)addr);
}

static void add_arg(struct line *l, u32 i)
{
	const struct uapi_call *row = l->c->row;
	const struct call_value *v = &l->c->arg[i];
	const struct uapi_type *t = row && i < row->n_args ? &row->arg[i].type : NULL;
	const struct uapi_type *to = t && t->kind == UAPI_PTR ? t->to : NULL;

	if (to && to->kind == UAPI_STRUCT && v->result == CALL_NO_RESULT && v->value)
		add_struct(l, to->layout, v->value);
	else if (to && to->kind == UAPI_STRING && v->result == CALL_NO_RESULT)
		add_string(l, v->value);
	else
		add_value(l, v);
}

void call_text(const struct call_program *p, const struct call *c, char *buf, size_t size)
{
	struct line l = {buf, size, 0, p, c};
	const char *comma = "";

	add(&l, "%s(", c->name ? c->name : "call");
	for (u32 i = 0; i < c->n_args && i < CALL_ARGS_MAX; i++) {
		const struct uapi_call *row = c->row;

		/* The number of an ioctl is its name. */
		if (row && i < row->n_args && row->cmd && row->arg[i].type.kind == UAPI_CONST)
			continue;
		add(&l, "%s", comma);
		comma = ", ";
		add_arg(&l, i);
	}
	add(&l, ")");
}
