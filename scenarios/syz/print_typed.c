// SPDX-License-Identifier: GPL-2.0-only
/*
 * Typed text of memory: first whether it fits, then as text.
 */
#include "scenarios/syz/print_priv.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096ULL
#define ELEMENTS_MAX 65536

static bool is_scalar(const struct uapi_type *t)
{
	return t->kind < UAPI_STRING;
}

static bool taken_within(const struct printer *r, u64 addr, u64 size)
{
	u32 i = syz_taken_at(r, addr);

	return i < r->n_taken && r->taken[i]->addr < addr + size;
}

/* Nothing; of a call that is from no text also zeroes, which text does not say. */
static bool nothing(const struct printer *r, u64 addr, u64 size)
{
	struct call_value v;

	for (u64 i = 0; i < size; i++) {
		enum found f = syz_find(r, addr + i, 1, &v);

		if (f != FOUND_NOTHING && (f != FOUND_BYTES || v.value || !r->recorded))
			return false;
	}
	return true;
}

/* What the LEN of the i-th field says. */
static u64 len_of(const struct printer *r, const struct uapi_struct *l, u32 i, u64 addr)
{
	for (u32 k = 0; k < l->n; k++) {
		const struct uapi_type *t = &l->field[k].type;
		struct call_value v;

		if (t->kind != UAPI_LEN || !t->of || strcmp(t->of, l->field[i].name) != 0)
			continue;
		if (syz_find(r, addr + l->field[k].offset, t->size, &v) == FOUND_BYTES)
			return v.value;
	}
	return 0;
}

/* --- whether it fits --- */

static bool scalar_fits(const struct printer *r, const struct uapi_type *t, u64 addr, bool out)
{
	struct call_value v;
	enum found f;

	if (out || t->dir == UAPI_OUT)
		return nothing(r, addr, t->size);
	f = syz_find(r, addr, t->size, &v);
	return f == FOUND_BYTES || f == FOUND_RESULT;
}

static bool struct_fits(const struct printer *r, const struct uapi_struct *l, u64 addr, bool out)
{
	u64 at = 0;
	bool ended = false;

	for (u32 i = 0; i < l->n; i++) {
		const struct uapi_field *f = &l->field[i];
		u64 place = addr + f->offset;

		if (!nothing(r, addr + at, f->offset - at))
			return false;
		at = f->offset + f->type.size;
		if (f->type.kind == UAPI_PAD) {
			if (!nothing(r, place, f->type.size))
				return false;
			continue;
		}
		if (f->extra) {
			bool there = !nothing(r, place, f->type.size) ||
				     taken_within(r, place, f->type.size) ||
				     syz_run(r, place, f->type.size) == f->type.size;

			if (there && ended)
				return false;
			ended |= !there;
			if (!there)
				continue;
		}
		if (!syz_fits(r, &f->type, place, out))
			return false;
	}
	return nothing(r, addr + at, l->size > at ? l->size - at : 0);
}

bool syz_fits(const struct printer *r, const struct uapi_type *t, u64 addr, bool out)
{
	out |= t->dir == UAPI_OUT;
	if (is_scalar(t))
		return scalar_fits(r, t, addr, out);
	if (t->kind == UAPI_STRUCT)
		return struct_fits(r, t->layout, addr, out);
	if (t->kind == UAPI_ARRAY) {
		for (u32 i = 0; i < t->n; i++)
			if (!syz_fits(r, t->to, addr + i * t->to->size, out))
				return false;
		return true; /* a variable one has the elements that fit */
	}
	if (out)
		return t->size ? nothing(r, addr, t->size) : true;
	return !t->size || syz_run(r, addr, t->size) == t->size;
}

static bool something(const struct printer *r, u64 addr, u64 size)
{
	struct call_value v;

	return syz_find(r, addr, size, &v) != FOUND_NOTHING;
}

/* Elements of a variable array that are there, `count` at most if not 0. */
static u64 elements(const struct printer *r, const struct uapi_type *t, u64 addr, bool out,
		    u64 count)
{
	u64 size = t->to->size, n = 0, max = count ? count : ELEMENTS_MAX;

	out |= t->dir == UAPI_OUT || t->to->dir == UAPI_OUT;
	if (t->n || !size)
		return t->n;
	if (out) {
		u32 last = syz_taken_at(r, addr + size * ELEMENTS_MAX);

		n = count <= 64 ? count : 0;
		while (last && n < ELEMENTS_MAX && r->taken[last - 1]->addr >= addr + n * size)
			n = (r->taken[last - 1]->addr - addr) / size + 1;
		return n;
	}
	max = max < ELEMENTS_MAX ? max : ELEMENTS_MAX;
	while (n < max && something(r, addr + n * size, size) &&
	       syz_fits(r, t->to, addr + n * size, false))
		n++;
	return n;
}

/* --- as text --- */

static void print_scalar(struct printer *r, const struct uapi_type *t, u64 addr, bool out,
			 u64 count)
{
	struct call_value v;

	syz_add_taken(r, addr, t->size, t->kind == UAPI_RES ? t->resource->def : 0);
	out |= t->dir == UAPI_OUT;
	if (out)
		v = (struct call_value){.result = CALL_NO_RESULT};
	else
		syz_find(r, addr, t->size, &v);
	if (!out)
		syz_use(r, addr, t->size);
	if ((t->kind == UAPI_PTR || t->kind == UAPI_VMA) && !out)
		syz_print_pointer(r, t, &v, count);
	else
		syz_add_value(r, &v);
}

/* Left out, it would be the same. */
static bool is_default(const struct printer *r, const struct uapi_field *f, u64 addr, bool out)
{
	const struct uapi_type *t = &f->type;
	struct call_value v;

	out |= t->dir == UAPI_OUT;
	if (t->kind == UAPI_PAD)
		return true;
	if (taken_within(r, addr, t->size ? t->size : 1))
		return false;
	if (f->extra)
		return !something(r, addr, t->size);
	if (t->kind >= UAPI_STRING)
		return !t->size && !something(r, addr, 1);
	if (out)
		return true;
	if (t->kind == UAPI_PTR && !t->optional)
		return false;
	return syz_find(r, addr, t->size, &v) == FOUND_BYTES &&
	       v.value == (t->kind == UAPI_RES ? t->resource->def & (~0ULL >> (64 - t->size * 8))
					       : t->def);
}

static void print_struct(struct printer *r, const struct uapi_struct *l, u64 addr, bool out)
{
	u32 n = l->n;
	bool first = true;

	while (n && is_default(r, &l->field[n - 1], addr + l->field[n - 1].offset, out))
		n--;
	syz_add(&r->line, "{");
	for (u32 i = 0; i < n; i++) {
		const struct uapi_field *f = &l->field[i];

		if (f->type.kind == UAPI_PAD)
			continue;
		syz_add(&r->line, first ? "" : ", ");
		first = false;
		syz_print_typed(r, &f->type, addr + f->offset, out, len_of(r, l, i, addr));
	}
	syz_add(&r->line, "}");
	for (u32 i = n; i < l->n; i++)
		if (is_scalar(&l->field[i].type) && !out && l->field[i].type.dir != UAPI_OUT)
			syz_use(r, addr + l->field[i].offset, l->field[i].type.size);
	/* Padding and what the kernel writes: zeroes, if anything. */
	for (u64 at = 0; at < l->size; at++)
		if (nothing(r, addr + at, 1))
			syz_use(r, addr + at, 1);
}

static void print_array(struct printer *r, const struct uapi_type *t, u64 addr, bool out, u64 count)
{
	u64 n = elements(r, t, addr, out, count);

	syz_add(&r->line, "[");
	for (u64 i = 0; i < n; i++) {
		syz_add(&r->line, i ? ", " : "");
		syz_print_typed(r, t->to, addr + i * t->to->size, out, 0);
	}
	syz_add(&r->line, "]");
}

/* At least the store that begins here; more of its neighbours if a LEN says so. */
static u64 buffer_size(const struct printer *r, const struct uapi_type *t, u64 addr, u64 count)
{
	u32 i = syz_image_at(&r->m, addr);
	u64 first;

	if (t->size)
		return t->size;
	if (i == r->m.n || r->m.cell[i].addr > addr || r->m.cell[i].result)
		return 0;
	first = r->m.cell[i].addr + r->m.cell[i].size - addr;
	return count > first ? syz_run(r, addr, count) : first;
}

static void print_buffer(struct printer *r, const struct uapi_type *t, u64 addr, bool out,
			 u64 count)
{
	u64 n;
	u8 *bytes;

	if (out || t->dir == UAPI_OUT) {
		syz_add(&r->line, count && count <= SYZ_REGION ? "\"\"/0x%llx" : "\"\"",
			(unsigned long long)count);
		return;
	}
	n = buffer_size(r, t, addr, count);
	bytes = malloc(n + 1);
	sim_assert(bytes);
	syz_add_data(&r->line, syz_bytes(r, addr, n, bytes), n, false);
	syz_use(r, addr, n);
	free(bytes);
}

void syz_print_typed(struct printer *r, const struct uapi_type *t, u64 addr, bool out, u64 count)
{
	out |= t->dir == UAPI_OUT;
	if (is_scalar(t))
		print_scalar(r, t, addr, out, count);
	else if (t->kind == UAPI_STRUCT)
		print_struct(r, t->layout, addr, out);
	else if (t->kind == UAPI_ARRAY)
		print_array(r, t, addr, out, count);
	else
		print_buffer(r, t, addr, out, count);
}

/* --- pointers --- */

u64 syz_text_address(u64 addr)
{
	return addr - SYZ_BASE < SYZ_REGION ? addr - SYZ_BASE + SYZ_BASE_TEXT : addr;
}

static bool in_region(u64 addr)
{
	return addr - SYZ_BASE < SYZ_REGION || addr - SYZ_BASE_OLD < SYZ_REGION;
}

static void any_piece(struct printer *r, const struct cell *c)
{
	static const char *const names[] = {[1] = "8",	  [2] = "16",	[4] = "32",  [8] = "64",
					    [20] = "DEC", [18] = "HEX", [23] = "OCT"};

	syz_add(&r->line, "@ANYRES%s=", names[c->size]);
	if (c->size <= 8)
		syz_add_taken(r, c->addr, c->size, 0);
	syz_add_value(r, &c->result->value);
}

/* Bytes, up to what is taken in them; returns how many. */
static u64 any_blob(struct printer *r, u64 addr, u64 n)
{
	u32 i = syz_taken_at(r, addr);
	u64 size;
	u8 *bytes;

	while (i < r->n_taken && (r->taken_used[i] || r->p->result_default[r->taken[i]->result]))
		i++;
	if (i < r->n_taken && r->taken[i]->addr == addr && r->taken[i]->size <= n) {
		struct call_value v;

		size = r->taken[i]->size;
		syz_find(r, addr, size, &v);
		syz_add(&r->line, "@ANYRES%llu=", (unsigned long long)size * 8);
		syz_add_taken(r, addr, size, 0);
		syz_add_value(r, &v);
		return size;
	}
	if (i < r->n_taken && r->taken[i]->addr > addr && r->taken[i]->addr < addr + n)
		n = r->taken[i]->addr - addr;
	bytes = malloc(n + 1);
	sim_assert(bytes);
	syz_add(&r->line, "@ANYBLOB=");
	syz_add_data(&r->line, syz_bytes(r, addr, n, bytes), n, true);
	free(bytes);
	return n;
}

void syz_print_any(struct printer *r, u64 addr, u64 max)
{
	u64 end = addr + max < addr ? ~0ULL : addr + max;
	const char *comma = "";

	syz_add(&r->line, "ANY=[");
	while (addr < end) {
		const struct cell *c = &r->m.cell[syz_image_at(&r->m, addr)];
		u64 size, to;

		if (c == &r->m.cell[r->m.n] || c->addr > addr)
			break;
		size = c->addr + c->size - addr;
		to = addr;
		if (c->result && (c->addr < addr || c->result->kind == CALL_IN_BITS))
			break;
		syz_add(&r->line, "%s", comma);
		comma = ", ";
		if (c->result)
			any_piece(r, c);
		else
			size = any_blob(r, addr, size < end - addr ? size : end - addr);
		addr = to + size;
		syz_use(r, to, size);
	}
	syz_add(&r->line, "]");
}

static void print_vma(struct printer *r, u64 addr, u64 count)
{
	u64 text = syz_text_address(addr);

	if (addr % PAGE)
		syz_add(&r->line, "&(0x%llx)=nil", (unsigned long long)text);
	else
		syz_add(&r->line, "&(0x%llx/0x%llx)=nil", (unsigned long long)text,
			(unsigned long long)(count && count % PAGE == 0 ? count : PAGE));
}

static void print_pointee(struct printer *r, const struct uapi_type *t, u64 addr, u64 count)
{
	u32 i = syz_image_at(&r->m, addr);
	bool there = i < r->m.n && r->m.cell[i].addr <= addr, out = t->dir == UAPI_OUT;
	u64 max = ~0ULL;

	/*
	 * What another pointer said. Whether a piece begins here is no matter: what lies side by
	 * side is one piece or two by who wrote it.
	 */
	if (there && !r->m.cell[i].result &&
	    r->m.used[r->m.cell[i].data + (addr - r->m.cell[i].addr)] && t->kind >= UAPI_STRING &&
	    t->kind <= UAPI_BUFFER && !t->def_data)
		there = false;
	if (t->kind == UAPI_STRUCT || is_scalar(t)) {
		max = t->size;
		there |= elements(r, &(struct uapi_type){.kind = UAPI_ARRAY, .to = t}, addr,
				      out, 1) > 0;
		if (syz_fits(r, t, addr, out) && (there || out)) {
			syz_add(&r->line, "=");
			syz_print_typed(r, t, addr, out, 0);
			return;
		}
	} else if (t->kind == UAPI_ARRAY &&
		   (out || !there || elements(r, t, addr, out, count))) {
		syz_add(&r->line, "=");
		syz_print_typed(r, t, addr, out, count);
		return;
	} else if (out) {
		syz_add(&r->line, "=");
		print_buffer(r, t, addr, true, count);
		return;
	} else if (t->kind == UAPI_BUFFER || t->kind == UAPI_STRING) {
		u64 size = there ? buffer_size(r, t, addr, count) : 0;
		u32 next = syz_image_at(&r->m, addr + size);

		if (size && syz_run(r, addr, size) == size && !taken_within(r, addr, size) &&
		    (next == r->m.n || r->m.cell[next].addr != addr + size ||
		     !r->m.cell[next].result)) {
			syz_add(&r->line, "=");
			print_buffer(r, t, addr, false, count);
			return;
		}
	}
	if (!there && t->kind >= UAPI_STRING && t->kind <= UAPI_BUFFER && !t->size && !t->def_data)
		return; /* what it points at by default is nothing */
	syz_add(&r->line, there ? "=" : "=nil");
	if (there)
		syz_print_any(r, addr, max);
}

void syz_print_pointer(struct printer *r, const struct uapi_type *t, const struct call_value *v,
		       u64 count)
{
	static const u64 special[] = {0, 0xffffffffffffffff, 0x9999999999999999, 0xffffffff81000000,
				      0xffffffffff600000};
	u64 addr = v->value;

	if (v->result != CALL_NO_RESULT) {
		syz_add_value(r, v);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(special); i++) {
		if (special[i] == addr) {
			syz_add(&r->line, "0x%llx", -(unsigned long long)i);
			return;
		}
	}
	/* No memory is where text has its region: a pointer would lead into that. */
	if (addr - SYZ_BASE_TEXT < SYZ_REGION) {
		syz_add(&r->line, "0x%llx", (unsigned long long)addr);
		return;
	}
	if (t->kind == UAPI_VMA && in_region(addr)) {
		print_vma(r, addr, count);
		return;
	}
	syz_add(&r->line, "&(0x%llx)", (unsigned long long)syz_text_address(addr));
	if (t->kind == UAPI_VMA)
		syz_add(&r->line, "=nil");
	else
		print_pointee(r, t->to, addr, count);
}
