// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text as it grows, and what is in a call's memory.
 */
#include "scenarios/syz/print_priv.h"
#include "sim/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void room(struct text *t, size_t n)
{
	if (t->n + n + 1 <= t->max)
		return;
	t->max = (t->n + n + 1) * 2;
	t->at = realloc(t->at, t->max);
	sim_assert(t->at);
}

void syz_add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	room(t, 256);
	va_start(args, format);
	n = vsnprintf(t->at + t->n, 256, format, args);
	va_end(args);
	sim_assert(n >= 0 && n < 256);
	t->n += (size_t)n;
}

static bool readable(const u8 *data, u64 n)
{
	u64 plain = 0;

	for (u64 i = 0; i < n; i++)
		plain += data[i] >= ' ' && data[i] < 127;
	return plain * 8 >= n * 7;
}

/* '...' or "hex", zeroes at the end as /size. */
void syz_add_data(struct text *t, const u8 *data, u64 n, bool hex)
{
	static const char digits[] = "0123456789abcdef";
	u64 all = n;
	bool plain;

	while (n && !data[n - 1])
		n--;
	if (all - n < 16)
		n = all;
	plain = n && !hex && readable(data, n);
	room(t, n * 4 + 2);
	t->at[t->n++] = plain ? '\'' : '"';
	for (u64 i = 0; i < n; i++) {
		u8 c = data[i];

		if (plain && c >= ' ' && c < 127) {
			if (c == '\'' || c == '\\' || c == '"')
				t->at[t->n++] = '\\';
			t->at[t->n++] = (char)c;
			continue;
		}
		if (plain) {
			t->at[t->n++] = '\\';
			t->at[t->n++] = 'x';
		}
		t->at[t->n++] = digits[c >> 4];
		t->at[t->n++] = digits[c & 15];
	}
	t->at[t->n++] = plain ? '\'' : '"';
	if (n < all)
		syz_add(t, "/0x%llx", (unsigned long long)all);
}

static u32 named(struct printer *r, u32 slot)
{
	if (r->name[slot] == CALL_NO_RESULT)
		r->name[slot] = r->n_names++;
	return r->name[slot];
}

u32 syz_new_name(struct printer *r, u32 slot)
{
	if (r->name[slot] == CALL_NO_RESULT)
		return named(r, slot);
	r->renamed[r->n_renamed++] = (struct renamed){slot, r->n_names};
	return r->n_names++;
}

void syz_add_value(struct printer *r, const struct call_value *v)
{
	struct text *t = &r->line;

	if (v->result == CALL_NO_RESULT) {
		syz_add(t, "0x%llx", (unsigned long long)v->value);
		return;
	}
	syz_add(t, "r%u", named(r, v->result));
	if (v->div > 1)
		syz_add(t, "/0x%llx", (unsigned long long)v->div);
	if (v->add)
		syz_add(t, "+0x%llx", (unsigned long long)v->add);
}

u32 syz_taken_at(const struct printer *r, u64 addr)
{
	u32 low = 0, high = r->n_taken;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (r->taken[mid]->addr >= addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

void syz_add_taken(struct printer *r, u64 addr, u64 size, u64 def)
{
	for (u32 i = syz_taken_at(r, addr); i < r->n_taken && r->taken[i]->addr == addr; i++) {
		if (r->taken[i]->size != size || r->taken_used[i] ||
		    r->p->result_default[r->taken[i]->result] != def)
			continue;
		r->taken_used[i] = true;
		syz_add(&r->line, "<r%u=>", syz_new_name(r, r->taken[i]->result));
		return;
	}
}

enum found syz_find(const struct printer *r, u64 addr, u64 size, struct call_value *v)
{
	u32 i = syz_image_at(&r->m, addr);
	const struct cell *c = &r->m.cell[i];
	u8 bytes[8] = {0};

	*v = (struct call_value){.result = CALL_NO_RESULT, .div = 1};
	if (i == r->m.n || c->addr >= addr + size)
		return FOUND_NOTHING;
	if (c->result) {
		if (c->addr != addr || c->size != size || c->result->kind != CALL_IN_VALUE)
			return FOUND_OTHER;
		*v = c->result->value;
		return FOUND_RESULT;
	}
	if (syz_run(r, addr, size) < size)
		return FOUND_OTHER;
	if (size <= 8)
		memcpy(&v->value, syz_bytes(r, addr, size, bytes), size);
	return FOUND_BYTES;
}

u64 syz_run(const struct printer *r, u64 addr, u64 max)
{
	u64 at = addr, end = addr + max < addr ? ~0ULL : addr + max;

	for (u32 i = syz_image_at(&r->m, addr); i < r->m.n && at < end; i++) {
		const struct cell *c = &r->m.cell[i];

		if (c->result || c->addr > at)
			break;
		at = c->addr + c->size;
	}
	return at < end ? at - addr : end - addr;
}

const u8 *syz_bytes(const struct printer *r, u64 addr, u64 n, u8 *buf)
{
	u64 got = 0;

	for (u32 i = syz_image_at(&r->m, addr); i < r->m.n && got < n; i++) {
		const struct cell *c = &r->m.cell[i];
		u64 from = addr + got - c->addr, size = c->size - from;

		size = size < n - got ? size : n - got;
		memcpy(buf + got, r->m.data + c->data + from, size);
		got += size;
	}
	sim_assert(got == n);
	return buf;
}

void syz_use(struct printer *r, u64 addr, u64 size)
{
	u64 end = addr + size;

	for (u32 i = syz_image_at(&r->m, addr); i < r->m.n && r->m.cell[i].addr < end; i++) {
		struct cell *c = &r->m.cell[i];
		u64 from = c->addr < addr ? addr : c->addr;
		u64 to = c->addr + c->size < end ? c->addr + c->size : end;

		if (c->result)
			c->used = true;
		else
			memset(r->m.used + c->data + (from - c->addr), 1, to - from);
	}
}
