// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/op/callgen_priv.h"

#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 48
#define ROOM_STEP 1024  /* addresses of a call's memory */
#define ROOMS_BASE (SYZ_BASE + 0x100000)
#define DEPTH_MAX 4
#define TAIL_BYTES 8 /* behind a struct, of what may follow it */
#define PROLOGUE 3

struct room {
	u64 addr;
	u8 *bytes;
	u64 size;
};

/* Where a value goes: into a room, or (room NULL) an argument. */
struct spot {
	struct room *room;
	u64 offset;
	struct call_value *arg;
};

u32 callgen_pick(struct gen *g)
{
	if (g->how) {
		g->random = hash_mix(g->random + 0x9e3779b97f4a7c15ULL, g->p->n);
		return (u8)(g->random >> 32);
	}
	if (g->at < FUZZOP_RECORD - 3)
		return g->record[2 + g->at++];
	if (!g->n_data)
		return 0;
	g->n_data--;
	return *g->data++;
}

static u32 pick(struct gen *g)
{
	return callgen_pick(g);
}

static u64 pick_word(struct gen *g)
{
	u64 n = 0;

	for (u32 i = 0; i < 8; i++)
		n |= (u64)pick(g) << 8 * i;
	return n;
}

static void *grow(void *array, u32 n, size_t size)
{
	/* To powers of two, which n itself tells. */
	if (n & (n - 1))
		return array;
	array = realloc(array, (n ? 2 * n : 1) * size);
	sim_assert(array);
	return array;
}

static void put(struct gen *g, const struct spot *to, u32 size, struct call_value v)
{
	struct call *c = g->c;

	if (to->arg) {
		*to->arg = v;
		return;
	}
	if (size > 8 || to->offset + size > to->room->size)
		return;
	memcpy(to->room->bytes + to->offset, &v.value, size);
	if (v.result == CALL_NO_RESULT || (size & (size - 1)))
		return;
	c->in = grow(c->in, c->n_in, sizeof(*c->in));
	c->in[c->n_in++] = (struct call_in){.kind = CALL_IN_VALUE, .size = size, .value = v,
					    .addr = to->room->addr + to->offset};
}

static struct call_value constant(u64 n)
{
	return (struct call_value){.value = n, .result = CALL_NO_RESULT};
}

/* --- values --- */

static int new_slot(struct gen *g, const struct uapi_resource *res)
{
	struct call_program *p = g->p;

	if (p->n_results == CALLGEN_SLOTS)
		return -1;
	g->slot[p->n_results] = res;
	p->result_default[p->n_results] = res->def;
	return (int)p->n_results++;
}

/* One of the results so far that fit, the newest first; now and then a number. */
static struct call_value resource(struct gen *g, const struct uapi_resource *res)
{
	u32 b, n = 0;

	if (g->how)
		return g->how->resource(g, res);
	b = pick(g);
	if (b == 255)
		return constant(pick(g));
	for (u32 i = 0; i < g->p->n_results; i++)
		n += uapi_resource_fits(g->slot[i], res);
	if (!n)
		return constant(res->def);
	b %= n;
	for (u32 i = g->p->n_results; i-- > 0;) {
		if (uapi_resource_fits(g->slot[i], res) && !b--)
			return (struct call_value){.result = i, .value = res->def};
	}
	return constant(res->def);
}

static void give(struct gen *g, const struct spot *from, const struct uapi_type *t)
{
	struct call *c = g->c;
	int slot;

	if (!from->room || (slot = new_slot(g, t->resource)) < 0)
		return;
	c->out = grow(c->out, c->n_out, sizeof(*c->out));
	c->out[c->n_out++] = (struct call_out){.addr = from->room->addr + from->offset,
					       .size = t->size, .result = (u32)slot};
}

static bool contains(const char *name, const char *part)
{
	return name && strstr(name, part);
}

/* Numbers by what the field is for: few different ones, so that calls meet. */
static u64 plain_number(struct gen *g, const char *name)
{
	static const u64 numbers[] = {0, 1, 2, 3, 4, 8, 16, 64, 4096, 65536, 0xffffffff, ~0ULL};
	u32 b = pick(g);

	if (b >= 248)
		return pick_word(g);
	if (contains(name, "iova") || contains(name, "start"))
		return CALLGEN_IOVA + (u64)(b >> 4 & 3) * 0x40000 + (u64)(b & 15) * 0x1000 +
		       (b & 64 ? 0x800 : 0);
	if (contains(name, "last"))
		return CALLGEN_IOVA + (u64)(b >> 4 & 3) * 0x40000 + (u64)(b & 15) * 0x1000 + 0xfff;
	if (contains(name, "length"))
		return b < 64 ? 0x1000ULL << (b & 7) : b;
	return numbers[b % ARRAY_SIZE(numbers)];
}

static u64 flags(struct gen *g, const struct uapi_flags *f, bool ored)
{
	u32 b = pick(g);
	u64 all = 0;

	if (b >= 248)
		return pick_word(g);
	if (!ored)
		return f->n ? f->value[b % f->n].value : b;
	/* None of the bits: all of them, which most calls want. */
	for (u32 i = 0; i < f->n && i < 8; i++) {
		if (!b || b >> i & 1)
			all |= f->value[i].value;
	}
	return all;
}

static void field(struct gen *g, const struct spot *to, const struct uapi_type *t,
		  const char *name, u32 depth);

static struct room new_room(struct gen *g, u64 size)
{
	struct room room = {.size = size, .addr = g->next};
	struct call *c = g->c;

	g->next += ALIGN(size + 1, 16);
	room.bytes = calloc(1, size + 1);
	sim_assert(room.bytes);
	c->in = grow(c->in, c->n_in, sizeof(*c->in));
	c->in[c->n_in++] = (struct call_in){.kind = CALL_IN_DATA, .addr = room.addr, .size = size,
					    .data = room.bytes};
	return room;
}

/* How long something of any length is made. */
static u64 size_of(struct gen *g, const struct uapi_type *t, u32 *n)
{
	*n = 1;
	if (t->size)
		return t->size;
	if (t->kind == UAPI_STRING)
		return t->def_data ? strlen(t->def_data) + 1 : 1;
	if (t->kind == UAPI_ARRAY) {
		*n = t->n ? t->n : pick(g) % 3;
		return *n * (t->to->size ? t->to->size : 8);
	}
	if (t->kind == UAPI_STRUCT)
		return t->layout->size ? t->layout->size : 64;
	return 8 * (1 + pick(g) % 8);
}

/* Whether descriptors follow the struct. */
static bool has_tail(const struct uapi_type *t)
{
	const struct uapi_type *last;

	if (t->kind != UAPI_STRUCT)
		return false;
	last = &t->layout->field[t->layout->n - 1].type;
	return last->kind == UAPI_ARRAY && !last->size && last->to->kind == UAPI_RES;
}

static u64 pointer(struct gen *g, const struct uapi_type *t, u32 depth, u64 *bytes)
{
	struct room room;
	struct spot in = {.room = &room};
	u32 n;
	u64 size;

	*bytes = 0;
	if (depth > DEPTH_MAX || (t->optional && pick(g) & 1))
		return 0;
	if (g->how && t->to->kind == UAPI_STRING) {
		const char *text = g->how->string(g, t->to->def_data);

		room = new_room(g, strlen(text) + 1);
		memcpy(room.bytes, text, room.size);
		return room.addr;
	}
	size = size_of(g, t->to, &n);
	room = new_room(g, size + (g->how && has_tail(t->to) ? TAIL_BYTES : 0));
	*bytes = size;
	if (t->to->kind == UAPI_ARRAY) {
		*bytes = n;
		for (u32 i = 0; i < n; i++) {
			in.offset = i * (t->to->to->size ? t->to->to->size : 8);
			field(g, &in, t->to->to, NULL, depth + 1);
		}
	} else if (t->to->kind == UAPI_STRING && t->to->def_data) {
		memcpy(room.bytes, t->to->def_data, size);
	} else {
		field(g, &in, t->to, NULL, depth + 1);
	}
	return room.addr;
}

/* Lengths are what they should be, seven times in eight. */
static u64 length(struct gen *g, u64 right)
{
	u32 b = pick(g);

	if (g->how && pick(g) & 7)
		return right;
	return b & 7 || !b ? right : right + (b >> 3) - 16;
}

static void tail(struct gen *g, const struct spot *to, const struct uapi_type *t)
{
	struct spot in = *to;

	for (; t->to->kind == UAPI_RES && in.offset + t->to->size <= to->room->size;
	     in.offset += t->to->size)
		put(g, &in, t->to->size, resource(g, t->to->resource));
}

static void fields(struct gen *g, const struct spot *to, const struct uapi_struct *s, u32 depth)
{
	u64 bytes[64] = {0};
	u32 n = min(s->n, 64u);

	for (u32 i = 0; i < n; i++) {
		const struct uapi_field *f = &s->field[i];
		struct spot in = {.room = to->room, .offset = to->offset + f->offset};

		if (f->type.kind == UAPI_PAD || f->type.kind == UAPI_LEN || f->extra)
			continue;
		if (g->how && f->type.kind == UAPI_ARRAY && !f->type.size && to->room)
			tail(g, &in, &f->type);
		else if (f->type.kind == UAPI_PTR)
			put(g, &in, 8, constant(pointer(g, &f->type, depth, &bytes[i])));
		else
			field(g, &in, &f->type, f->name, depth + 1);
	}
	for (u32 i = 0; i < n; i++) {
		const struct uapi_type *t = &s->field[i].type;
		struct spot in = {.room = to->room, .offset = to->offset + s->field[i].offset};
		u64 right = g->how && to->room ? to->room->size : s->size ? s->size : 64;

		for (u32 k = 0; t->kind == UAPI_LEN && t->of && k < n; k++) {
			if (strcmp(s->field[k].name, t->of) == 0)
				right = s->field[k].type.kind == UAPI_VMA ?
					(g->how ? 0x1000ULL << (pick(g) & 3) : 0x4000) :
					plain_number(g, "length") & 0xff000 ? 0x1000 : bytes[k];
		}
		if (t->kind == UAPI_LEN)
			put(g, &in, t->size, constant(length(g, right)));
	}
}

static u64 scalar(struct gen *g, const struct uapi_type *t, const char *name)
{
	if (g->how)
		return g->how->number(g, t, name);
	switch (t->kind) {
	case UAPI_CONST:
		return t->def;
	case UAPI_FLAGS:
		return t->flags ? flags(g, t->flags, true) : pick(g);
	case UAPI_VMA:
		return CALLGEN_PAGES + (pick(g) & 15) * 0x1000;
	default:
		return t->flags ? flags(g, t->flags, false) : plain_number(g, name);
	}
}

static void field(struct gen *g, const struct spot *to, const struct uapi_type *t,
		  const char *name, u32 depth)
{
	u64 ignored;

	if (depth > DEPTH_MAX || t->kind == UAPI_PAD)
		return;
	switch (t->kind) {
	case UAPI_RES:
		if (t->dir == UAPI_OUT)
			give(g, to, t);
		else
			put(g, to, t->size, resource(g, t->resource));
		return;
	case UAPI_PTR:
		put(g, to, 8, constant(pointer(g, t, depth, &ignored)));
		return;
	case UAPI_STRUCT:
		if (to->room)
			fields(g, to, t->layout, depth + 1);
		return;
	case UAPI_UNION:
		if (to->room && t->layout->n)
			field(g, to, &t->layout->field[pick(g) % t->layout->n].type, NULL,
			      depth + 1);
		return;
	case UAPI_BUFFER:
	case UAPI_STRING:
	case UAPI_ARRAY:
		for (u64 i = 0; to->room && t->dir != UAPI_OUT && i < min(t->size, 8u); i++)
			to->room->bytes[min(to->offset + i, to->room->size)] = (u8)pick(g);
		return;
	default:
		if (t->dir != UAPI_OUT)
			put(g, to, t->size, constant(scalar(g, t, name)));
	}
}

/* --- calls --- */

void callgen_add(struct gen *g, const struct uapi_call *row)
{
	struct call_program *p = g->p;
	struct call *c = &p->call[p->n];
	u64 bytes[CALL_ARGS_MAX] = {0};

	g->c = c;
	g->at = 0;
	g->next = ROOMS_BASE + (u64)p->n * ROOM_STEP * 4;
	*c = (struct call){.nr = row->nr, .row = row, .result = CALL_NO_RESULT};
	c->name = strdup(row->name);
	sim_assert(c->name);
	c->n_args = min(row->n_args, (u32)CALL_ARGS_MAX);
	for (u32 i = 0; i < c->n_args; i++) {
		const struct uapi_field *f = &row->arg[i];
		struct spot to = {.arg = &c->arg[i]};

		c->arg[i] = constant(0);
		if (f->type.kind == UAPI_PTR)
			c->arg[i].value = pointer(g, &f->type, 0, &bytes[i]);
		else if (f->type.kind != UAPI_LEN)
			field(g, &to, &f->type, f->name, 0);
	}
	for (u32 i = 0; i < c->n_args; i++) {
		for (u32 k = 0; row->arg[i].type.kind == UAPI_LEN && k < c->n_args; k++) {
			if (row->arg[i].type.of && !strcmp(row->arg[k].name, row->arg[i].type.of))
				c->arg[i].value = length(g, bytes[k] ? bytes[k] : 0x4000);
		}
	}
	if (row->ret) {
		int slot = new_slot(g, row->ret);

		c->result = slot < 0 ? CALL_NO_RESULT : (u32)slot;
	}
	p->n++;
}

/* What maps memory, and what a process takes away from itself (the rest of it would fail). */
static bool spoils(const struct uapi_call *c)
{
	static const long nr[] = {9, 10, 11, 97, 126, 160, 302};

	for (u32 i = 0; i < ARRAY_SIZE(nr); i++) {
		if (c->nr == nr[i])
			return true;
	}
	return false;
}

/* Rows that make sense on what is there: nothing that only says yes, either. */
const struct uapi_call *const *callgen_rows(u32 *n)
{
	static const struct uapi_call *row[256];
	static u32 n_rows;

	*n = 0;
	for (u32 i = 0; !n_rows && i < uapi_calls_n; i++) {
		const struct uapi_call *c = &uapi_calls[i];

		if (i + 1 == uapi_calls_n || c->nr < 0 || spoils(c))
			continue;
		row[*n] = c;
		if (++*n == ARRAY_SIZE(row))
			break;
	}
	if (!n_rows)
		n_rows = *n;
	*n = n_rows;
	return row;
}

struct call_program *callgen_program(u32 calls)
{
	struct call_program *p = calloc(1, sizeof(*p));

	sim_assert(p);
	p->call = calloc(calls, sizeof(*p->call));
	p->result_name = calloc(CALLGEN_SLOTS, sizeof(*p->result_name));
	p->result_default = calloc(CALLGEN_SLOTS, sizeof(*p->result_default));
	p->area = calloc(1, sizeof(*p->area));
	sim_assert(p->call && p->result_name && p->result_default && p->area);
	p->area[0].addr = SYZ_BASE;
	p->area[0].size = SYZ_REGION;
	p->n_areas = 1;
	return p;
}

struct call_program *fuzzop_calls(const u8 *bytes, size_t size)
{
	static const u8 nothing[FUZZOP_HEAD + FUZZOP_RECORD];
	static const char *const prologue[PROLOGUE] = {
		"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN"};
	struct gen g = {.p = callgen_program(CALLS_MAX + PROLOGUE), .record = nothing};
	const struct uapi_call *const *row;
	struct fuzzop_layout l;
	u32 n_rows = 0;

	if (size < FUZZOP_HEAD) {
		bytes = nothing;
		size = FUZZOP_HEAD;
	}
	fuzzop_layout(&l, bytes, size);
	row = callgen_rows(&n_rows);
	for (u32 i = 0; i < PROLOGUE; i++)
		callgen_add(&g, uapi_call_find(prologue[i]));
	g.data = bytes + l.data;
	g.n_data = l.size - l.data;
	for (size_t at = l.ops; at + FUZZOP_RECORD <= l.sched && g.p->n < CALLS_MAX;
	     at += FUZZOP_RECORD) {
		g.record = bytes + at;
		callgen_add(&g, row[(bytes[at + 1] + bytes[at + FUZZOP_RECORD - 1] * 31u) %
				    n_rows]);
		g.c->async = bytes[at] & 1;
	}
	return g.p;
}

void fuzzop_calls_run(struct world_run *run, const u8 *bytes, size_t size)
{
	static const u8 nothing[FUZZOP_HEAD];
	const struct fuzzop_policy *row;
	struct fuzzop_layout l;

	if (size < FUZZOP_HEAD) {
		bytes = nothing;
		size = FUZZOP_HEAD;
	}
	fuzzop_layout(&l, bytes, size);
	memset(run, 0, sizeof(*run));
	row = &fuzzop_policies[bytes[FUZZOP_HEAD_POLICY] % FUZZOP_POLICIES];
	for (u32 i = 0; i < 4; i++)
		run->seed |= (u64)bytes[FUZZOP_HEAD_SEED + i] << 8 * i;
	run->fault_nth = bytes[FUZZOP_HEAD_FAULT];
	run->poison = bytes[FUZZOP_HEAD_POISON];
	/* A list of switches belongs to one program: the default order instead. */
	if (!*row->name || !strcmp(row->name, "list"))
		return;
	run->policy = policy_find(row->name, strlen(row->name));
	run->policy_arg = row->arg;
	run->bytes[CHOICE_SCHED] = bytes + l.sched;
	run->n_bytes[CHOICE_SCHED] = l.data - l.sched;
}
