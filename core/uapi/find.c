// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-ups in the table.
 */
#include "core/uapi/uapi.h"

#include <string.h>

#define NR_IOCTL 16

const struct uapi_call *uapi_call_find(const char *name)
{
	for (u32 i = 0; i < uapi_calls_n; i++)
		if (!strcmp(uapi_calls[i].name, name))
			return &uapi_calls[i];
	return NULL;
}

const struct uapi_call *uapi_verb_find(const char *verb)
{
	for (u32 i = 0; i < uapi_calls_n; i++)
		if (uapi_calls[i].verb && !strcmp(uapi_calls[i].verb, verb))
			return &uapi_calls[i];
	return NULL;
}

const struct uapi_field *uapi_field_find(const struct uapi_struct *s, const char *name)
{
	for (u32 i = 0; i < s->n; i++)
		if (!strcmp(s->field[i].name, name))
			return &s->field[i];
	return NULL;
}

static const struct uapi_type *pointee(const struct uapi_call *c)
{
	for (u32 i = 0; i < c->n_args; i++)
		if (c->arg[i].type.kind == UAPI_PTR)
			return c->arg[i].type.to;
	return NULL;
}

const struct uapi_struct *uapi_call_layout(const struct uapi_call *c)
{
	const struct uapi_type *t = pointee(c);

	return t && t->kind == UAPI_STRUCT ? t->layout : NULL;
}

bool uapi_resource_fits(const struct uapi_resource *have, const struct uapi_resource *wanted)
{
	while (have != wanted) {
		const char *parent = have->parent;
		u32 i = 0;

		if (!parent)
			return false;
		while (strcmp(uapi_resources[i].name, parent) != 0)
			i++;
		have = &uapi_resources[i];
	}
	return true;
}

static u64 read_le(const u8 *at, u32 size)
{
	u64 value = 0;

	memcpy(&value, at, size);
	return value;
}

/* Constants of the row that the bytes have; -1: they have another. Reserved ones say nothing. */
static int constants(const struct uapi_call *c, const u8 *arg, u64 size)
{
	const struct uapi_type *to = pointee(c);
	int n = 0;

	if (!to || !arg)
		return 0;
	if (to->kind == UAPI_STRING && to->def_data) {
		u64 length = strlen(to->def_data) + 1;

		return size >= length && !memcmp(arg, to->def_data, length) ? 1 : -1;
	}
	for (u32 i = 0; to->kind == UAPI_STRUCT && i < to->layout->n; i++) {
		const struct uapi_field *f = &to->layout->field[i];

		if (f->type.kind != UAPI_CONST || f->offset + f->type.size > size ||
		    !strncmp(f->name, "__reserved", 10))
			continue;
		if (read_le(arg + f->offset, f->type.size) != f->type.def)
			return -1;
		n++;
	}
	return n;
}

static u32 dollars(const char *name)
{
	u32 n = 0;

	for (; *name; name++)
		n += *name == '$';
	return n;
}

const struct uapi_call *uapi_call_of(long nr, u64 cmd, const u8 *arg, u64 size)
{
	const struct uapi_call *best = NULL, *last = NULL;
	int most = -1;

	for (u32 i = 0; i < uapi_calls_n; i++) {
		const struct uapi_call *c = &uapi_calls[i];
		int n;

		if (c->nr != nr || (nr == NR_IOCTL && c->cmd != (u32)cmd))
			continue;
		last = c;
		n = constants(c, arg, size);
		if (n > most || (n >= 0 && n == most && dollars(c->name) < dollars(best->name))) {
			most = n;
			best = c;
		}
	}
	if (!best && !last && nr == NR_IOCTL)
		return uapi_call_find("ioctl");
	return best ? best : last;
}
