// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values of a call's fields to bytes in memory and to arguments, by the types
 * of the table.
 *
 * Memory that a call points at is a room: an address in the program's area
 * and bytes that are stored before the call. Values that other calls give are
 * stored over them. Lengths come last, since they speak of other fields.
 */
#include "scenarios/engine/verbs_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096UL
#define ROOM_MAX (16UL << 20)
#define FIELDS_MAX 64
#define DEPTH_MAX 8

struct room {
	u64 addr;
	u8 *bytes;
	u64 size;
};

/* Where a value goes: a place in a room, or an argument. */
struct place {
	struct room *room;
	u64 offset;
	struct call_value *arg;
};

/* How much of what a field (or what it points at) has, for lengths. */
struct extent {
	u64 bytes, elements;
};

/* What a field without a value should have, from its length's value. */
struct wish {
	u64 bytes;
	u32 depth;
};

static struct extent encode(struct verb_call *e, const struct place *to, const struct uapi_type *t,
			    const struct yaml_node *v, struct wish wish);

static const struct yaml_node *child(const struct yaml_node *map, const char *name)
{
	if (!map || map->kind != YAML_MAP || !name)
		return NULL;
	for (const struct yaml_link *l = map->first; l; l = l->next) {
		if (strcmp(l->key->text, name) == 0)
			return l->value;
	}
	return NULL;
}

/* --- scalars --- */

static struct call_value constant(u64 n)
{
	return (struct call_value){.value = n, .result = CALL_NO_RESULT};
}

static void put(struct verb_call *e, const struct place *to, const struct uapi_type *t,
		struct call_value value)
{
	struct call *c = e->c;
	u64 n = t->big_endian ? __builtin_bswap64(value.value) >> (64 - 8 * t->size) : value.value;

	if (to->arg) {
		*to->arg = value;
		return;
	}
	if (to->offset + t->size > to->room->size || t->size > 8)
		return;
	memcpy(to->room->bytes + to->offset, &n, t->size);
	if (value.result == CALL_NO_RESULT)
		return;
	c->in = realloc(c->in, (c->n_in + 1) * sizeof(*c->in));
	sim_assert(c->in);
	c->in[c->n_in++] = (struct call_in){.kind = CALL_IN_VALUE, .size = t->size, .value = value,
					    .addr = to->room->addr + to->offset};
}

static void fetch(struct verb_call *e, const struct place *from, const struct uapi_type *t,
		  int slot)
{
	struct call *c = e->c;

	if (slot < 0 || from->arg)
		return;
	c->out = realloc(c->out, (c->n_out + 1) * sizeof(*c->out));
	sim_assert(c->out);
	c->out[c->n_out++] = (struct call_out){.addr = from->room->addr + from->offset,
					       .size = t->size, .result = (u32)slot};
	e->v->given[slot] = true;
}

/*
 * What the kernel writes where it has read. A handle that an entry above has given
 * stays what it is: who attaches an address space goes on to map in that, not in the
 * page table whose id ATTACH_IOMMUFD_PT leaves in its place.
 */
static void fetch_again(struct verb_call *e, const struct place *from, const struct uapi_type *t,
			int slot)
{
	if (t->kind != UAPI_RES || slot < 0 || !e->v->given[slot])
		fetch(e, from, t, slot);
}

static bool is_number(const struct yaml_node *v)
{
	const char *text = v->kind == YAML_TEXT ? v->text : "";

	return (text[0] >= '0' && text[0] <= '9') ||
	       (text[0] == '-' && text[1] >= '0' && text[1] <= '9');
}

/* A number, also a negative one. */
static u64 number(struct verb_call *e, const struct yaml_node *v)
{
	struct yaml_node positive = *v;
	bool minus = v->kind == YAML_TEXT && v->text[0] == '-';
	u64 n = 0;

	if (minus) {
		positive.text++;
		positive.len--;
	}
	read_number(e->r, &positive, 0, ~0ULL, &n);
	return minus ? -n : n;
}

static bool is_name(const struct verb_call *e, const struct yaml_node *v)
{
	for (u32 i = 0; v->kind == YAML_TEXT && i < e->v->p->n_results; i++) {
		if (strcmp(e->v->name[i], v->text) == 0)
			return true;
	}
	return false;
}

/* A number, or the name of what another call gives. */
static struct call_value value_of(struct verb_call *e, const struct yaml_node *v, u64 def)
{
	struct call_value value = constant(def);
	int slot;

	if (is_number(v)) {
		value.value = number(e, v);
		return value;
	}
	slot = verb_name(e, v);
	if (slot >= 0)
		value.result = (u32)slot;
	return value;
}

/* The value of one of the type's names; false: it has no such name. */
static bool named_value(const struct uapi_type *t, const struct yaml_node *v, u64 *value)
{
	for (u32 i = 0; t->flags && v->kind == YAML_TEXT && i < t->flags->n; i++) {
		if (strcmp(t->flags->value[i].name, v->text) == 0) {
			*value |= t->flags->value[i].value;
			return true;
		}
	}
	return false;
}

/* A list of flags: their names, or numbers. */
static u64 flags_of(struct verb_call *e, const struct uapi_type *t, const struct yaml_node *v)
{
	u64 all = 0;

	for (const struct yaml_link *l = v->first; l; l = l->next) {
		if (named_value(t, l->value, &all))
			continue;
		if (is_number(l->value))
			all |= number(e, l->value);
		else
			read_error(e->r, l->value, "unknown flag '%s', expected the name of one of "
				   "the header or a number",
				   scenario_quote(l->value->text ? l->value->text : "",
						  l->value->len).text);
	}
	return all;
}

static struct call_value typed_value(struct verb_call *e, const struct uapi_type *t,
				     const struct yaml_node *v, u64 def)
{
	struct call_value value = constant(0);

	if (v->kind == YAML_LIST)
		value.value = flags_of(e, t, v);
	else if (!named_value(t, v, &value.value))
		value = value_of(e, v, def);
	return value;
}

static struct extent encode_number(struct verb_call *e, const struct place *to,
				   const struct uapi_type *t, const struct yaml_node *v,
				   struct wish wish)
{
	u64 def = t->kind == UAPI_RES && t->resource ? t->resource->def : t->def;
	struct extent own = {t->size, 1};

	(void)wish;
	if (!v) {
		put(e, to, t, constant(def));
	} else if (t->dir == UAPI_OUT) {
		put(e, to, t, constant(0));
		fetch(e, to, t, verb_name(e, v));
	} else {
		put(e, to, t, typed_value(e, t, v, def));
		if (t->dir == UAPI_INOUT && !is_number(v))
			fetch_again(e, to, t, verb_name(e, v));
	}
	return own;
}

/* --- bytes --- */

/* {bytes: N} -> N, else -1. */
static s64 only_bytes(struct verb_call *e, const struct yaml_node *v)
{
	const struct yaml_node *n = child(v, "bytes");
	u64 bytes = 0;

	if (!n || v->n != 1)
		return -1;
	read_number(e->r, n, 0, ROOM_MAX, &bytes);
	return (s64)bytes;
}

static u64 measure(struct verb_call *e, const struct uapi_type *t, const struct yaml_node *v,
		   u32 depth);

static u64 measure_fields(struct verb_call *e, const struct uapi_struct *s,
			  const struct yaml_node *v, u32 depth)
{
	u64 size = s->size;

	/* What is of any length lies behind the struct's own bytes. */
	for (u32 i = 0; i < s->n; i++) {
		if (!s->size || !s->field[i].type.size)
			size = max(size, s->field[i].offset +
				   measure(e, &s->field[i].type, child(v, s->field[i].name),
					   depth + 1));
	}
	return size;
}

/* Bytes that a value of type t takes. */
static u64 measure(struct verb_call *e, const struct uapi_type *t, const struct yaml_node *v,
		   u32 depth)
{
	s64 bytes = v ? only_bytes(e, v) : -1;
	u64 size = 0;

	if (depth > DEPTH_MAX || (t->size && t->kind != UAPI_STRUCT))
		return t->size;
	if (bytes >= 0 && !t->size)
		return (u64)bytes;
	switch (t->kind) {
	case UAPI_STRUCT:
	case UAPI_UNION:
		return measure_fields(e, t->layout, v, depth);
	case UAPI_ARRAY:
		if (!v || v->kind != YAML_LIST)
			return t->n * measure(e, t->to, NULL, depth + 1);
		for (const struct yaml_link *l = v->first; l; l = l->next)
			size += measure(e, t->to, l->value, depth + 1);
		return size;
	case UAPI_STRING:
		return v && v->kind == YAML_TEXT ? v->len + 1 :
		       t->def_data ? strlen(t->def_data) + 1 : 1;
	default:
		return !v ? 0 : v->kind == YAML_TEXT ? v->len : v->n;
	}
}

static struct extent encode_bytes(struct verb_call *e, const struct place *to,
				  const struct uapi_type *t, const struct yaml_node *v,
				  struct wish wish)
{
	u64 size = measure(e, t, v, 0), at = to->offset;
	struct room *room = to->room;
	const char *text = v && v->kind == YAML_TEXT ? v->text :
			   t->kind == UAPI_STRING ? t->def_data : NULL;

	if (!room) {
		read_error(e->r, v ? v : e->at, "bytes as an argument, expected a number");
		return (struct extent){0};
	}
	if (!v && !t->size && t->kind == UAPI_BUFFER)
		size = max(size, wish.bytes);
	if (text)
		memcpy(room->bytes + at, text, min(min(strlen(text), size), room->size - at));
	for (const struct yaml_link *l = v && v->kind == YAML_LIST ? v->first : NULL; l;
	     l = l->next) {
		u64 byte = 0;

		read_number(e->r, l->value, 0, 255, &byte);
		if (at < room->size)
			room->bytes[at++] = (u8)byte;
	}
	return (struct extent){size, size};
}

/* --- memory pointed at --- */

static struct room new_room(struct verb_call *e, u64 size, u64 align)
{
	struct room room = {.size = size};
	struct call *c = e->c;

	e->v->next = ALIGN(e->v->next, align);
	room.addr = e->v->next;
	e->v->next += max(size, (u64)8);
	room.bytes = calloc(1, size + 1);
	c->in = realloc(c->in, (c->n_in + 1) * sizeof(*c->in));
	sim_assert(room.bytes && c->in);
	c->in[c->n_in++] = (struct call_in){.kind = CALL_IN_DATA, .addr = room.addr, .size = size,
					    .data = room.bytes};
	return room;
}

/* {at: NAME, offset: N}: an address within what mmap gave. */
static bool encode_at(struct verb_call *e, const struct place *to, const struct uapi_type *t,
		      const struct yaml_node *v)
{
	const struct yaml_node *at = child(v, "at"), *offset = child(v, "offset");
	struct call_value value;

	if (!at)
		return false;
	if (v->n != 1 + (offset ? 1 : 0))
		read_error(e->r, v, "more than 'at' and 'offset' in an address, expected these");
	value = value_of(e, at, 0);
	if (offset && value.result == CALL_NO_RESULT)
		value.value += number(e, offset);
	else if (offset)
		value.add = number(e, offset);
	put(e, to, t, value);
	return true;
}

/* Nothing is stored: the area is mapped and zero, and this much of it is the field's. */
static struct extent encode_zeroes(struct verb_call *e, const struct place *to,
				   const struct uapi_type *t, u64 size)
{
	u64 align = size >= PAGE || t->kind == UAPI_VMA ? PAGE : 16;

	if (size > ROOM_MAX) {
		read_error(e->r, e->at, "%llu bytes for a field, expected at most %lu",
			   (unsigned long long)size, ROOM_MAX);
		return (struct extent){0};
	}
	e->v->next = ALIGN(e->v->next, align);
	put(e, to, t, constant(e->v->next));
	e->v->next += ALIGN(max(size, (u64)8), align);
	return (struct extent){size, size};
}

static struct extent encode_vma(struct verb_call *e, const struct place *to,
				const struct uapi_type *t, const struct yaml_node *v,
				struct wish wish)
{
	s64 bytes = v ? only_bytes(e, v) : -1;
	u64 size = bytes >= 0 ? (u64)bytes : wish.bytes ? wish.bytes : PAGE;

	if (v && bytes < 0) {
		if (!encode_at(e, to, t, v))
			put(e, to, t, value_of(e, v, 0));
		return (struct extent){size, size};
	}
	return encode_zeroes(e, to, t, size);
}

/* {value: X}: X is what the pointer points at, though it looks like an address. */
static const struct yaml_node *pointed_at(const struct yaml_node *v, const struct uapi_type *t)
{
	const struct yaml_node *value = v && v->kind == YAML_MAP ? child(v, "value") : NULL;

	return value && v->n == 1 && t->to->kind != UAPI_STRUCT ? value : NULL;
}

static struct extent encode_pointer(struct verb_call *e, const struct place *to,
				    const struct uapi_type *t, const struct yaml_node *v,
				    struct wish wish)
{
	const struct yaml_node *value = pointed_at(v, t);
	struct room room;
	struct place in = {.room = &room};
	struct extent ext;
	u64 size;
	/* A pointer in a struct is NULL, a buffer that is an argument has a page. */
	bool null = t->optional || (wish.depth && !t->to->size && t->to->kind != UAPI_STRING);

	if (!v && null && !wish.bytes) {
		put(e, to, t, constant(0));
		return (struct extent){0};
	}
	if (v && (is_number(v) || is_name(e, v)) && t->to->kind != UAPI_STRING) {
		put(e, to, t, value_of(e, v, 0));
		return (struct extent){wish.bytes, wish.bytes};
	}
	if (v && !value && encode_at(e, to, t, v))
		return (struct extent){wish.bytes, wish.bytes};
	v = value ? value : v;
	size = measure(e, t->to, v, 0);
	if (!v && !size)
		size = wish.bytes ? wish.bytes : t->to->kind == UAPI_BUFFER ? PAGE : 0;
	if (v ? only_bytes(e, v) >= 0 : t->to->kind == UAPI_BUFFER)
		return encode_zeroes(e, to, t, size);
	if (size > ROOM_MAX) {
		read_error(e->r, v ? v : e->at, "%llu bytes, expected at most %lu",
			   (unsigned long long)size, ROOM_MAX);
		return (struct extent){0};
	}
	room = new_room(e, size, 16);
	put(e, to, t, constant(room.addr));
	ext = encode(e, &in, t->to, v, (struct wish){size, wish.depth + 1});
	return t->to->kind == UAPI_ARRAY ? ext : (struct extent){size, size};
}

/* --- parts --- */

static struct extent encode_array(struct verb_call *e, const struct place *to,
				  const struct uapi_type *t, const struct yaml_node *v,
				  struct wish wish)
{
	s64 bytes = v ? only_bytes(e, v) : -1;
	struct extent ext = {0};

	if (!v)
		return (struct extent){t->size, t->n};
	if (bytes >= 0)
		return (struct extent){(u64)bytes, t->to->size ? (u64)bytes / t->to->size : 0};
	if (!read_kind(e->r, v, YAML_LIST, "a list"))
		return ext;
	if (t->n && v->n > t->n)
		read_error(e->r, v, "%u elements, expected at most %u", v->n, t->n);
	for (const struct yaml_link *l = v->first; l && !e->r->err->text[0]; l = l->next) {
		struct place in = {.room = to->room, .offset = to->offset + ext.bytes};
		u64 size = measure(e, t->to, l->value, 0);

		encode(e, &in, t->to, l->value, (struct wish){0, wish.depth + 1});
		ext.bytes += size;
		ext.elements++;
	}
	return ext;
}

static const struct uapi_field *find(const struct uapi_field *field, u32 n, const char *name)
{
	for (u32 i = 0; i < n; i++) {
		if (field[i].name && field[i].type.kind != UAPI_PAD &&
		    strcmp(field[i].name, name) == 0)
			return &field[i];
	}
	return NULL;
}

static void unknown_key(struct verb_call *e, const struct yaml_node *key,
			const struct uapi_field *field, u32 n)
{
	const char *names[FIELDS_MAX], *near;
	u32 count = 0;

	for (u32 i = 0; i < n && count < FIELDS_MAX; i++) {
		if (field[i].name && field[i].type.kind != UAPI_PAD)
			names[count++] = field[i].name;
	}
	near = scenario_did_you_mean(key->text, names, count);
	read_error(e->r, key, "unknown field '%s' of %s%s%s%s",
		   scenario_quote(key->text, key->len).text, e->row->verb,
		   near ? ", expected one it has (did you mean '" : ", expected one it has",
		   near ? near : "", near ? "'?)" : "");
}

/* Bytes that the length of field `name` asks for, if a value is given for it. */
static u64 wished(struct verb_call *e, const struct uapi_field *field, u32 n, u32 i,
		  const struct yaml_node *v)
{
	const struct uapi_type *to = field[i].type.to;

	for (u32 k = 0; k < n; k++) {
		const struct yaml_node *len = child(v, field[k].name);

		if (field[k].type.kind != UAPI_LEN || !field[k].type.of || !len ||
		    strcmp(field[k].type.of, field[i].name) != 0 || !is_number(len))
			continue;
		return number(e, len) *
		       (to && to->kind == UAPI_ARRAY && to->to->size ? to->to->size : 1);
	}
	return 0;
}

static u64 length(const struct uapi_field *field, u32 n, const struct extent *ext,
		  const struct uapi_type *len)
{
	const struct uapi_field *f = find(field, n, len->of);
	const struct uapi_type *t;

	if (!f)
		return 0;
	t = f->type.kind == UAPI_PTR ? f->type.to : &f->type;
	if (!len->in_bytes && t->kind == UAPI_ARRAY)
		return ext[f - field].elements;
	return ext[f - field].bytes;
}

/* Bytes of a struct up to the last field that counts. */
static u64 given_size(const struct uapi_struct *s, const struct yaml_node *v, u64 all)
{
	u64 size = 0;
	bool cut = false;

	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *f = &s->field[i];

		if (f->extra && !child(v, f->name))
			cut = true;
		else
			size = max(size, (u64)f->offset + f->type.size);
	}
	return cut ? size : all;
}

static struct extent encode_struct(struct verb_call *e, const struct place *to,
				   const struct uapi_type *t, const struct yaml_node *v,
				   struct wish wish)
{
	const struct uapi_struct *s = t->layout;
	struct extent ext[FIELDS_MAX] = {0}, own = {measure_fields(e, s, v, 0), 1};

	if (!to->room || s->n > FIELDS_MAX || wish.depth > DEPTH_MAX)
		return own;
	if (v && !read_kind(e->r, v, YAML_MAP, "a mapping of fields"))
		return own;
	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *f = &s->field[i];
		struct place in = {.room = to->room, .offset = to->offset + f->offset};

		if (f->extra && !child(v, f->name))
			continue;
		if (f->type.kind != UAPI_PAD && f->type.kind != UAPI_LEN)
			ext[i] = encode(e, &in, &f->type, child(v, f->name),
					(struct wish){wished(e, s->field, s->n, i, v),
						      wish.depth + 1});
	}
	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *f = &s->field[i];
		struct place in = {.room = to->room, .offset = to->offset + f->offset};
		const struct yaml_node *len = child(v, f->name);

		if (f->type.kind == UAPI_LEN)
			put(e, &in, &f->type, len ? value_of(e, len, 0) :
			    constant(f->type.of ? length(s->field, s->n, ext, &f->type) :
				     given_size(s, v, own.bytes)));
	}
	return own;
}

static void check_keys(struct verb_call *e, const struct uapi_struct *s, const struct yaml_node *v)
{
	if (!v || v->kind != YAML_MAP)
		return;
	for (const struct yaml_link *l = v->first; l; l = l->next) {
		if (!find(s->field, s->n, l->key->text))
			unknown_key(e, l->key, s->field, s->n);
	}
}

static struct extent encode_group(struct verb_call *e, const struct place *to,
				  const struct uapi_type *t, const struct yaml_node *v,
				  struct wish wish)
{
	const struct uapi_field *f;

	check_keys(e, t->layout, v);
	if (t->kind == UAPI_STRUCT)
		return encode_struct(e, to, t, v, wish);
	if (!v || !read_kind(e->r, v, YAML_MAP, "a mapping with one member"))
		return (struct extent){t->size, 1};
	if (v->n != 1)
		read_error(e->r, v, "%u members of a union, expected one", v->n);
	f = find(t->layout->field, t->layout->n, v->first->key->text);
	return f ? encode(e, to, &f->type, v->first->value, wish) : (struct extent){t->size, 1};
}

static struct extent encode(struct verb_call *e, const struct place *to, const struct uapi_type *t,
			    const struct yaml_node *v, struct wish wish)
{
	static struct extent (*const kinds[])(struct verb_call *, const struct place *,
					      const struct uapi_type *, const struct yaml_node *,
					      struct wish) = {
		[UAPI_INT] = encode_number, [UAPI_CONST] = encode_number,
		[UAPI_FLAGS] = encode_number, [UAPI_LEN] = encode_number,
		[UAPI_RES] = encode_number, [UAPI_PTR] = encode_pointer,
		[UAPI_VMA] = encode_vma, [UAPI_STRING] = encode_bytes,
		[UAPI_BUFFER] = encode_bytes, [UAPI_ARRAY] = encode_array,
		[UAPI_STRUCT] = encode_group, [UAPI_UNION] = encode_group,
		[UAPI_PAD] = encode_bytes,
	};

	if (e->r->err->text[0] || wish.depth > DEPTH_MAX)
		return (struct extent){0};
	return kinds[t->kind](e, to, t, v, wish);
}

/* --- the call --- */

/* The argument whose struct's fields may stand beside the arguments, or NULL. */
static const struct uapi_field *flat_arg(const struct uapi_call *row)
{
	for (u32 i = 0; i < row->n_args; i++) {
		if (row->arg[i].type.kind == UAPI_PTR && row->arg[i].type.to->kind == UAPI_STRUCT)
			return &row->arg[i];
	}
	return NULL;
}

/* Keys that stand beside a call's own. */
static bool is_own_key(const char *key)
{
	return strcmp(key, "ret") == 0 || strcmp(key, "as") == 0;
}

static void check_args(struct verb_call *e, const struct yaml_node *v)
{
	const struct uapi_field *flat = flat_arg(e->row);
	const struct uapi_struct *s = flat ? flat->type.to->layout : NULL;

	for (const struct yaml_link *l = v->first; l; l = l->next) {
		if (is_own_key(l->key->text) ||
		    find(e->row->arg, e->row->n_args, l->key->text) ||
		    (s && find(s->field, s->n, l->key->text)))
			continue;
		unknown_key(e, l->key, s ? s->field : e->row->arg, s ? s->n : e->row->n_args);
	}
}

/* An argument's value: by its name, or (its struct) among the others. */
static struct extent encode_arg(struct verb_call *e, u32 i, const struct yaml_node *v, u64 bytes)
{
	const struct uapi_field *f = &e->row->arg[i];
	struct place to = {.arg = &e->c->arg[i]};
	const struct yaml_node *own = child(v, f->name);
	struct room room;
	struct place in = {.room = &room};

	if (own || f != flat_arg(e->row) || !v || v->kind != YAML_MAP)
		return encode(e, &to, &f->type, own, (struct wish){bytes, 0});
	room = new_room(e, measure(e, f->type.to, v, 0), 16);
	put(e, &to, &f->type, constant(room.addr));
	return encode_struct(e, &in, f->type.to, v, (struct wish){0, 1});
}

static void encode_args(struct verb_call *e, const struct yaml_node *v)
{
	const struct uapi_call *row = e->row;
	struct extent ext[CALL_ARGS_MAX] = {0};

	for (u32 i = 0; i < row->n_args; i++) {
		const struct uapi_type *t = &row->arg[i].type;

		if (t->kind == UAPI_RES && !t->optional && !child(v, row->arg[i].name))
			read_error(e->r, e->at, "no '%s' for %s, expected one", row->arg[i].name,
				   row->verb);
		if (t->kind != UAPI_LEN)
			ext[i] = encode_arg(e, i, v, wished(e, row->arg, row->n_args, i, v));
	}
	for (u32 i = 0; i < row->n_args; i++) {
		const struct uapi_type *t = &row->arg[i].type;
		const struct yaml_node *len = child(v, row->arg[i].name);

		if (t->kind == UAPI_LEN)
			e->c->arg[i] = len ? value_of(e, len, 0) :
				       constant(length(row->arg, row->n_args, ext, t));
	}
}

/* The argument that may be written alone: the first that is not the table's. */
static const char *first_name(const struct uapi_call *row)
{
	for (u32 i = 0; i < row->n_args; i++) {
		if (row->arg[i].type.kind != UAPI_CONST)
			return row->arg[i].name;
	}
	return NULL;
}

void verb_encode(struct verb_call *e, const struct yaml_node *v)
{
	struct yaml_node map = {.kind = YAML_MAP, .n = 1}, key = {.kind = YAML_TEXT};
	struct yaml_link link = {.key = &key, .value = (struct yaml_node *)(uintptr_t)v};

	e->c->n_args = min(e->row->n_args, (u32)CALL_ARGS_MAX);
	if (v && v->kind == YAML_TEXT && !read_is_null(v) && first_name(e->row)) {
		key.text = first_name(e->row);
		key.len = (u32)strlen(key.text);
		map.first = map.last = &link;
		v = &map;
	} else if (v && v->kind == YAML_MAP) {
		check_args(e, v);
	} else if (v && !read_is_null(v)) {
		read_error(e->r, v, "a list, expected the fields of %s", e->row->verb);
	} else {
		v = NULL;
	}
	if (!e->r->err->text[0])
		encode_args(e, v);
}
