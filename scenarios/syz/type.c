// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values beside types: what a call stores, takes and passes. A value that its
 * type does not allow is replaced by the type's default, with a note.
 */
#include "scenarios/syz/syz_priv.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096ULL
/* &AUTO: above what programs usually name, below the pages at the end. */
#define AUTO_FIRST 0x100000ULL
#define AUTO_END 0xf00000ULL

static void content(struct syz *s, u32 n, const struct uapi_type *t, u64 addr, bool out);
static u64 bytes(struct syz *s, u32 n, const struct uapi_type *t);

/* Small negative numbers stand for these where a pointer is asked. */
static const u64 special[] = {
	0, 0xffffffffffffffff, 0x9999999999999999, 0xffffffff81000000, 0xffffffffff600000,
};

/* --- results --- */

static struct syz_var *var_find(struct syz *s, u32 text, u32 n)
{
	u32 hash = 5381;

	for (u32 i = 0; i < n; i++)
		hash = hash * 33 + (u8)s->text[text + i];
	for (u32 v = s->bucket[hash % 1024]; v; v = s->var[v - 1].next)
		if (s->var[v - 1].n == n &&
		    !memcmp(s->text + s->var[v - 1].text, s->text + text, n))
			return &s->var[v - 1];
	s->var = syz_grow(s->var, s->n_vars, &s->max_vars, sizeof(*s->var));
	s->var[s->n_vars] =
		(struct syz_var){.n = 0, .slot = CALL_NO_RESULT, .next = s->bucket[hash % 1024]};
	s->bucket[hash % 1024] = ++s->n_vars;
	return &s->var[s->n_vars - 1];
}

/* A name for a slot of its own; not real: it will have its default. Returns the slot. */
u32 syz_define(struct syz *s, u32 text, u32 n, u64 def, bool real)
{
	struct call_program *p = s->p;
	struct syz_var *v;
	u32 max;

	if (p->n_results >= SYZ_RESULTS_MAX || s->n_vars >= SYZ_RESULTS_MAX) {
		syz_fail(s, text, "more than %d results", SYZ_RESULTS_MAX);
		return CALL_NO_RESULT;
	}
	v = var_find(s, text, n);
	v->text = text;
	v->n = n;
	v->slot = CALL_NO_RESULT;
	if (!real)
		return CALL_NO_RESULT;
	max = s->max_results;
	p->result_name = syz_grow(p->result_name, p->n_results, &max, sizeof(*p->result_name));
	p->result_default = syz_grow(p->result_default, p->n_results, &s->max_results,
				     sizeof(*p->result_default));
	p->result_name[p->n_results] = strndup(s->text + text, n);
	p->result_default[p->n_results] = def;
	v->slot = p->n_results++;
	return v->slot;
}

static struct call_value constant(u64 v)
{
	return (struct call_value){.value = v, .result = CALL_NO_RESULT, .div = 1};
}

static u64 default_of(const struct uapi_type *t)
{
	if (t->kind == UAPI_RES)
		return t->resource->def;
	return t->def;
}

static struct call_value use(struct syz *s, const struct node *d, const struct uapi_type *t)
{
	struct syz_var *v;
	u64 def = t ? default_of(t) : 0;

	v = s->n_vars < SYZ_RESULTS_MAX ? var_find(s, d->text, d->text_n) : NULL;
	if (!v || !v->n)
		syz_note(s, d->at, "'%.*s' is given by no call before this",
			 (int)(d->text_n < 64 ? d->text_n : 64), s->text + d->text);
	if (!v || !v->n || v->slot == CALL_NO_RESULT || v->slot >= s->own_results)
		return constant(def);
	return (struct call_value){.value = s->p->result_default[v->slot],
				   .result = v->slot,
				   .div = d->value ? d->value : 1,
				   .add = d->add};
}

/* --- stores --- */

static struct call_in *store(struct syz *s, enum call_in_kind kind, u64 addr, u64 size)
{
	struct call *c = s->call;

	s->stored += size;
	if (s->stored > SYZ_DATA_MAX)
		syz_fail(s, s->line_at, "the program stores more than %lu MiB", SYZ_DATA_MAX >> 20);
	if (s->failed)
		return NULL;
	c->in = syz_grow(c->in, c->n_in, &s->max_in, sizeof(*c->in));
	c->in[c->n_in] = (struct call_in){.kind = kind, .addr = addr, .size = size};
	return &c->in[c->n_in++];
}

static void store_value(struct syz *s, u64 addr, u32 size, struct call_value v)
{
	struct call_in *in = store(s, CALL_IN_VALUE, addr, size);

	if (in && size < 8 && v.result == CALL_NO_RESULT)
		v.value &= (1ULL << size * 8) - 1;
	if (in)
		in->value = v;
}

/* Takes over data; size 0 stores nothing. */
static void store_data(struct syz *s, u64 addr, u64 size, u8 *data)
{
	struct call_in *in = size ? store(s, CALL_IN_DATA, addr, size) : NULL;

	if (in)
		in->data = data;
	else
		free(data);
}

static void take_out(struct syz *s, const struct node *d, u64 addr, u32 size, u64 def)
{
	struct call *c = s->call;
	u32 slot = syz_define(s, d->def, d->def_n, def, true);

	if (slot == CALL_NO_RESULT)
		return;
	c->out = syz_grow(c->out, c->n_out, &s->max_out, sizeof(*c->out));
	c->out[c->n_out++] = (struct call_out){.addr = addr, .size = size, .result = slot};
}

/* --- sizes --- */

/* What stands between the type and the content: @option=. */
static u32 inner(const struct syz *s, u32 n)
{
	while (n && s->node[n].kind == NODE_UNION)
		n = s->node[n].child;
	return n;
}

static u64 data_size(struct syz *s, const struct node *d, const struct uapi_type *t)
{
	u64 n;

	if (t->size)
		return t->size;
	if (d->sized)
		return d->size;
	free(syz_decode(s, d, &n));
	return n;
}

static u64 text_size(const struct uapi_type *t)
{
	return t->kind == UAPI_STRING && t->def_data ? strlen(t->def_data) + 1 : 0;
}

static u64 any_size(struct syz *s, u32 n)
{
	static const struct uapi_type blob = {.kind = UAPI_BUFFER};
	static const struct {
		const char *name;
		u32 size;
	} pieces[] = {{"ANYRES8", 1},	 {"ANYRES16", 2},   {"ANYRES32", 4},
		      {"ANYRES64", 8},	 {"ANYRESDEC", 20}, {"ANYRESHEX", 18},
		      {"ANYRESOCT", 23}, {"ANYPTR64", 8},   {"ANYPTR", 8}};
	const struct node *d = &s->node[n];
	u64 size = 0;

	if (d->kind == NODE_ARRAY) {
		for (u32 i = d->child; i && !s->failed; i = s->node[i].next)
			size += any_size(s, i);
		return size;
	}
	for (size_t i = 0; d->kind == NODE_UNION && i < sizeof(pieces) / sizeof(pieces[0]); i++)
		if (strlen(pieces[i].name) == d->text_n &&
		    !memcmp(pieces[i].name, s->text + d->text, d->text_n))
			return pieces[i].size;
	n = inner(s, n);
	return n && s->node[n].kind == NODE_DATA ? data_size(s, &s->node[n], &blob) : 0;
}

static u64 struct_bytes(struct syz *s, u32 n, const struct uapi_struct *l)
{
	u32 child = n && s->node[n].kind == NODE_STRUCT ? s->node[n].child : 0;
	u64 size = l->field[0].extra ? 0 : l->size;

	for (u32 i = 0; i < l->n; i++) {
		const struct uapi_field *f = &l->field[i];
		u64 end = f->offset;

		if (f->type.kind == UAPI_PAD)
			continue;
		if (f->extra && !child) /* only these count, and what is before them */
			return f->offset;
		end += f->type.size ? f->type.size : bytes(s, child, &f->type);
		size = end > size ? end : size;
		child = child ? s->node[child].next : 0;
	}
	return size;
}

/* That the value takes in memory. */
static u64 bytes(struct syz *s, u32 n, const struct uapi_type *t)
{
	u64 size = 0;

	n = inner(s, n);
	if (t->kind == UAPI_STRUCT)
		return struct_bytes(s, n, t->layout);
	if (t->kind == UAPI_ARRAY && !t->n) {
		for (u32 i = n && s->node[n].kind == NODE_ARRAY ? s->node[n].child : 0;
		     i && !s->failed; i = s->node[i].next)
			size += bytes(s, i, t->to);
		return size;
	}
	if ((t->kind == UAPI_BUFFER || t->kind == UAPI_STRING) && n && s->node[n].kind == NODE_DATA)
		return data_size(s, &s->node[n], t);
	return t->size ? t->size : text_size(t);
}

/* What a LEN of this field says. */
static u64 length(struct syz *s, u32 n, const struct uapi_type *t, bool in_bytes)
{
	const struct node *d = &s->node[n];

	if (t->kind == UAPI_VMA)
		return n && d->kind == NODE_PTR && d->sized ? (d->size + PAGE - 1) & ~(PAGE - 1)
							    : 0;
	if (t->kind == UAPI_PTR) {
		if (!n || d->kind != NODE_PTR)
			return 0;
		if (d->any)
			return any_size(s, d->child);
		if (d->sized)
			return d->size;
		return length(s, d->child, t->to, in_bytes);
	}
	n = inner(s, n);
	if (t->kind == UAPI_ARRAY && !in_bytes)
		return n && s->node[n].kind == NODE_ARRAY ? s->node[n].n : t->n;
	return bytes(s, n, t);
}

static u64 auto_length(struct syz *s, const struct uapi_type *t, const struct uapi_field *field,
		       u32 n_fields, u32 child)
{
	for (u32 i = 0; i < n_fields; i++) {
		if (field[i].type.kind == UAPI_PAD)
			continue;
		if (!strcmp(field[i].name, t->of))
			return length(s, child, &field[i].type, t->in_bytes);
		child = child ? s->node[child].next : 0;
	}
	return 0;
}

/* --- scalars and pointers --- */

static void wrong(struct syz *s, u32 n, const char *wanted)
{
	static const char *const names[] = {
		[NODE_INT] = "a number",  [NODE_RESULT] = "a result", [NODE_PTR] = "a pointer",
		[NODE_DATA] = "data",	  [NODE_STRUCT] = "a struct", [NODE_ARRAY] = "an array",
		[NODE_UNION] = "a union", [NODE_NIL] = "nil",	      [NODE_AUTO] = "AUTO",
	};

	syz_note(s, s->node[n].at, "%s, expected %s", names[s->node[n].kind], wanted);
}

static struct call_value scalar(struct syz *s, u32 n, const struct uapi_type *t)
{
	n = inner(s, n);
	if (!n || s->node[n].kind == NODE_AUTO)
		return constant(default_of(t));
	if (s->node[n].kind == NODE_INT)
		return constant(s->node[n].value);
	if (s->node[n].kind == NODE_RESULT)
		return use(s, &s->node[n], t);
	wrong(s, n, "a number or a result");
	return constant(default_of(t));
}

static u64 somewhere(struct syz *s, u64 size)
{
	u64 at = s->auto_at;

	size = (size + 63) & ~63ULL;
	if (size > AUTO_END - AUTO_FIRST)
		size = AUTO_END - AUTO_FIRST;
	if (at + size > AUTO_END)
		at = AUTO_FIRST;
	s->auto_at = at + (size ? size : 64);
	s->used_base = true;
	return SYZ_BASE + at;
}

static u64 address(struct syz *s, u64 text)
{
	if (text - SYZ_BASE_TEXT < SYZ_REGION) {
		s->used_base = true;
		return text - SYZ_BASE_TEXT + SYZ_BASE;
	}
	s->used_base |= text - SYZ_BASE < SYZ_REGION;
	s->used_old |= text - SYZ_BASE_OLD < SYZ_REGION;
	return text;
}

static void any(struct syz *s, u32 n, u64 addr);

static struct call_value pointer(struct syz *s, u32 n, const struct uapi_type *t)
{
	static const struct uapi_type raw = {.kind = UAPI_INT};
	struct node d;
	u64 addr;

	n = inner(s, n);
	if (!n && (t->optional || t->kind == UAPI_VMA))
		return constant(0);
	d = n ? s->node[n] : (struct node){.kind = NODE_PTR, .value = SYZ_BASE_TEXT};
	if (d.kind == NODE_INT)
		return constant(-d.value < ARRAY_SIZE(special) ? special[-d.value] : d.value);
	if (d.kind == NODE_RESULT)
		return use(s, &d, &raw);
	if (d.kind == NODE_NIL)
		return constant(0);
	if (d.kind == NODE_AUTO)
		d = (struct node){.kind = NODE_PTR, .anywhere = true};
	if (d.kind != NODE_PTR) {
		wrong(s, n, "a pointer");
		return constant(0);
	}
	if (!d.anywhere)
		addr = address(s, d.value);
	else if (t->kind == UAPI_VMA)
		addr = SYZ_BASE + AUTO_END;
	else
		addr = somewhere(s, d.any ? any_size(s, d.child) : bytes(s, d.child, t->to));
	if (d.sized)
		addr &= ~(PAGE - 1);
	if (d.any)
		any(s, d.child, addr);
	else if (d.child && s->node[d.child].kind == NODE_NIL)
		return constant(addr);
	else if (t->kind != UAPI_VMA && !d.sized)
		content(s, d.child, t->to, addr, false);
	else if (d.child && s->node[d.child].kind == NODE_DATA)
		content(s, d.child, &(struct uapi_type){.kind = UAPI_BUFFER}, addr, false);
	return constant(addr);
}

/* --- content --- */

static void buffer(struct syz *s, u32 n, const struct uapi_type *t, u64 addr)
{
	u64 size = 0, wanted;
	u8 *data = NULL;

	if (n && s->node[n].kind != NODE_DATA) {
		wrong(s, n, "data");
		n = 0;
	}
	if (n) {
		data = syz_decode(s, &s->node[n], &size);
		wanted = t->size ? t->size : s->node[n].sized ? s->node[n].size : size;
	} else {
		wanted = t->size ? t->size : text_size(t);
		if (t->def_data) {
			data = (u8 *)strdup(t->def_data);
			size = wanted;
		}
	}
	if (wanted > SYZ_REGION) {
		syz_note(s, s->node[n].at, "data of %llu bytes, expected at most 16 MiB",
			 (unsigned long long)wanted);
		wanted = size;
	}
	if (wanted > size && !s->failed) {
		data = realloc(data, wanted);
		sim_assert(data);
		memset(data + size, 0, wanted - size);
	}
	if (s->failed)
		free(data);
	else
		store_data(s, addr, wanted, data);
}

/* Definitions in what only the kernel writes, and what it is read into. */
static void field(struct syz *s, u32 n, const struct uapi_type *t, u64 addr, bool out)
{
	struct call_value v;

	out |= t->dir == UAPI_OUT;
	if (n && s->node[n].def_n && t->size && t->size <= 8)
		take_out(s, &s->node[n], addr, t->size, t->kind == UAPI_RES ? t->resource->def : 0);
	if (t->kind == UAPI_PTR || t->kind == UAPI_VMA) {
		v = pointer(s, n, t);
		if (!out)
			store_value(s, addr, 8, v);
		return;
	}
	if (t->kind >= UAPI_STRING) {
		content(s, n, t, addr, out);
		return;
	}
	if (out)
		return;
	store_value(s, addr, t->size, scalar(s, n, t));
}

static void fields(struct syz *s, u32 n, const struct uapi_struct *l, u64 addr, bool out)
{
	u32 first = n && s->node[n].kind == NODE_STRUCT ? s->node[n].child : 0, child = first;

	if (n && s->node[n].kind != NODE_STRUCT && s->node[n].kind != NODE_AUTO)
		wrong(s, n, "a struct");
	for (u32 i = 0; i < l->n && !s->failed; i++) {
		const struct uapi_field *f = &l->field[i];

		if (f->type.kind == UAPI_PAD)
			continue;
		if (f->extra && !child)
			break;
		if (f->type.kind == UAPI_LEN && child && s->node[child].kind == NODE_AUTO) {
			u64 v = f->type.of ? auto_length(s, &f->type, l->field, l->n, first)
					   : struct_bytes(s, n, l);

			store_value(s, addr + f->offset, f->type.size, constant(v));
		} else {
			field(s, child, &f->type, addr + f->offset, out);
		}
		child = child ? s->node[child].next : 0;
	}
	if (child)
		syz_note(s, s->node[child].at, "more fields than struct %s has", l->name);
}

static void elements(struct syz *s, u32 n, const struct uapi_type *t, u64 addr, bool out)
{
	u32 child = n && s->node[n].kind == NODE_ARRAY ? s->node[n].child : 0;

	if (n && s->node[n].kind != NODE_ARRAY)
		wrong(s, n, "an array");
	for (u32 i = 0; (t->n ? i < t->n : child != 0) && !s->failed; i++) {
		field(s, child, t->to, addr, out);
		addr += t->to->size ? t->to->size : bytes(s, child, t->to);
		child = child ? s->node[child].next : 0;
	}
}

static void content(struct syz *s, u32 n, const struct uapi_type *t, u64 addr, bool out)
{
	if (s->failed)
		return;
	out |= t->dir == UAPI_OUT;
	n = inner(s, n);
	if (t->kind == UAPI_STRUCT)
		fields(s, n, t->layout, addr, out);
	else if (t->kind == UAPI_ARRAY)
		elements(s, n, t, addr, out);
	else if (t->kind < UAPI_STRING)
		field(s, n, t, addr, out);
	else if (!out)
		buffer(s, n, t, addr);
}

/* --- ANY: bytes with values in them --- */

static u64 any_piece(struct syz *s, u32 n, u64 addr)
{
	static const struct {
		const char *name;
		enum call_in_kind kind;
		u32 size;
	} pieces[] = {
		{"ANYRES8", CALL_IN_VALUE, 1},	{"ANYRES16", CALL_IN_VALUE, 2},
		{"ANYRES32", CALL_IN_VALUE, 4}, {"ANYRES64", CALL_IN_VALUE, 8},
		{"ANYRESDEC", CALL_IN_DEC, 20}, {"ANYRESHEX", CALL_IN_HEX, 18},
		{"ANYRESOCT", CALL_IN_OCT, 23},
	};
	static const struct uapi_type number = {.kind = UAPI_INT, .size = 8};
	u64 before = s->stored;
	const struct node *d = &s->node[n];
	struct call_in *in;

	if (d->kind != NODE_UNION || d->text_n < 5 || memcmp(s->text + d->text, "ANY", 3) != 0) {
		wrong(s, n, "@ANYBLOB, @ANYRES... or @ANYPTR64");
		return 0;
	}
	if (d->text_n >= 6 && !memcmp(s->text + d->text, "ANYPTR", 6)) {
		static const struct uapi_type blob = {.kind = UAPI_BUFFER};

		store_value(
			s, addr, 8,
			pointer(s, d->child, &(struct uapi_type){.kind = UAPI_PTR, .to = &blob}));
		return 8;
	}
	for (u32 i = 0; i < ARRAY_SIZE(pieces); i++) {
		if (strlen(pieces[i].name) != d->text_n ||
		    memcmp(pieces[i].name, s->text + d->text, d->text_n) != 0)
			continue;
		n = inner(s, n);
		if (n && s->node[n].def_n && pieces[i].size <= 8)
			take_out(s, &s->node[n], addr, pieces[i].size, 0);
		in = store(s, pieces[i].kind, addr, pieces[i].size);
		if (in)
			in->value = scalar(s, n, &number);
		return pieces[i].size;
	}
	content(s, d->child, &(struct uapi_type){.kind = UAPI_BUFFER}, addr, false);
	return s->stored - before;
}

static void any(struct syz *s, u32 n, u64 addr)
{
	if (!n || s->node[n].kind != NODE_ARRAY) {
		if (n)
			wrong(s, n, "[@ANYBLOB=...]");
		return;
	}
	for (u32 i = s->node[n].child; i && !s->failed; i = s->node[i].next)
		addr += any_piece(s, i, addr);
}

/* --- calls --- */

static struct call_value argument(struct syz *s, const struct uapi_call *row, u32 i, u32 n,
				  u32 first)
{
	const struct uapi_type *t = &row->arg[i].type;

	if (t->kind == UAPI_LEN && n && s->node[n].kind == NODE_AUTO)
		return constant(auto_length(s, t, row->arg, row->n_args, first));
	if (t->kind == UAPI_PTR || t->kind == UAPI_VMA)
		return pointer(s, n, t);
	if (n && s->node[n].kind == NODE_PTR) /* of a flag, by a newer description */
		return pointer(s, n,
			       &(struct uapi_type){.kind = UAPI_PTR,
						   .to = &(struct uapi_type){.kind = UAPI_BUFFER}});
	return scalar(s, n, t);
}

void syz_type_call(struct syz *s, const struct syz_line *l, const struct uapi_call *row)
{
	struct call *c = s->call;
	u32 n = l->arg;

	if (l->n_args < row->n_args && row->nr >= 0)
		syz_note(s, l->name, "%u arguments, expected %u of %s", l->n_args, row->n_args,
			 row->name);
	if (l->n_args > row->n_args)
		syz_note(s, l->name, "%u arguments, expected %u of %s", l->n_args, row->n_args,
			 row->name);
	for (u32 i = 0; i < row->n_args && !s->failed; i++) {
		struct call_value v = argument(s, row, i, n, l->arg);

		c->arg[i] = v;
		c->n_args = i + 1;
		n = n ? s->node[n].next : 0;
	}
	/* A call's own results are there after it only. */
	if (l->var_n && !s->failed)
		c->result = syz_define(s, l->var, l->var_n, row->ret ? row->ret->def : 0, true);
}

/* syz_fetch(&(addr)=<r1=>default, size) */
void syz_type_fetch(struct syz *s, const struct syz_line *l)
{
	u32 ptr = l->arg, size = ptr ? s->node[ptr].next : 0, child;

	child = ptr && s->node[ptr].kind == NODE_PTR ? s->node[ptr].child : 0;
	if (!child || !s->node[child].def_n || !size || s->node[size].kind != NODE_INT ||
	    (s->node[size].value != 1 && s->node[size].value != 2 && s->node[size].value != 4 &&
	     s->node[size].value != 8)) {
		syz_fail(s, l->name, "expected syz_fetch(&(ADDRESS)=<NAME=>0x0, 1, 2, 4 or 8)");
		return;
	}
	take_out(s, &s->node[child], address(s, s->node[ptr].value), (u32)s->node[size].value,
		 s->node[child].value);
}
