// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vectors as text: tokens with their columns, parameters put in, numbers.
 */
#include "tests/kit/vectors_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vec_error(struct vec *v, u32 column, const char *fmt, ...)
{
	struct vectors_report *r = v->r;
	char what[400];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (v->dry)
		r->bad = true;
	v->failed = true;
	n = snprintf(r->text + r->text_len, sizeof(r->text) - r->text_len, "%s:%u:%u: %s%s%s%s\n",
		     v->file, v->number, column, v->title[0] ? "\"" : "", v->title,
		     v->title[0] ? "\": " : "", what);
	if (n > 0 && (size_t)n < sizeof(r->text) - r->text_len)
		r->text_len += (u32)n;
	else
		r->text[r->text_len] = 0;
	return false;
}

static bool add(struct vec *v, struct vec_line *l, const char *text, size_t len,
		const struct vec_token *like)
{
	struct vec_token *t = &l->token[l->n];

	if (l->n == VEC_TOKENS)
		return vec_error(v, like->column, "more than %u words in a line", VEC_TOKENS);
	if (l->used + len + 1 > sizeof(l->room))
		return vec_error(v, like->column, "a line longer than %zu", sizeof(l->room));
	t->text = l->room + l->used;
	memcpy(t->text, text, len);
	t->text[len] = 0;
	t->column = like->column;
	t->quoted = like->quoted;
	l->used += (u32)len + 1;
	l->n++;
	return true;
}

bool vec_tokens(struct vec *v, struct vec_line *l, u32 number, const char *text, size_t len)
{
	size_t at = 0;

	l->n = 0;
	l->used = 0;
	l->number = number;
	while (at < len) {
		struct vec_token like = {.column = (u32)at + 1};
		size_t from = at;

		if (isspace((unsigned char)text[at])) {
			at++;
			continue;
		}
		if (text[at] == '#')
			break;
		if (!isprint((unsigned char)text[at]) || text[at] & 0x80)
			return vec_error(v, like.column, "byte 0x%02x: expected printable ASCII",
					 (u8)text[at]);
		if (text[at] == '"') {
			const char *end = memchr(text + at + 1, '"', len - at - 1);

			if (!end)
				return vec_error(v, like.column, "the quote does not end");
			like.quoted = true;
			from = at + 1;
			at = (size_t)(end - text) + 1;
			if (!add(v, l, text + from, at - 1 - from, &like))
				return false;
			continue;
		}
		while (at < len && !isspace((unsigned char)text[at]) && text[at] != '#' &&
		       text[at] != '"')
			at++;
		if (!add(v, l, text + from, at - from, &like))
			return false;
	}
	return true;
}

static const char *lookup(const struct vec_scope *s, const char *name, size_t len)
{
	for (; s; s = s->outer) {
		for (u32 i = 0; i < s->n; i++) {
			if (strlen(s->name[i]) == len && !strncmp(s->name[i], name, len))
				return s->value[i];
		}
	}
	return NULL;
}

static bool expand(struct vec *v, const struct vec_token *t, const struct vec_scope *scope,
		   char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = t->text; *p;) {
		size_t len = 0;
		const char *value;

		if (*p != '$') {
			if (n + 1 >= size)
				return vec_error(v, t->column, "too long");
			out[n++] = *p++;
			continue;
		}
		p++;
		while (isalnum((unsigned char)p[len]) || p[len] == '_')
			len++;
		value = lookup(scope, p, len);
		if (!value)
			return vec_error(v, t->column, "no parameter '$%.*s'", (int)len, p);
		if (n + strlen(value) + 1 >= size)
			return vec_error(v, t->column, "too long");
		memcpy(out + n, value, strlen(value));
		n += strlen(value);
		p += len;
	}
	out[n] = 0;
	return true;
}

/* A word whose value has blanks becomes several, unless it was quoted. */
bool vec_substitute(struct vec *v, struct vec_line *to, const struct vec_line *from,
		    const struct vec_scope *scope)
{
	to->n = 0;
	to->used = 0;
	to->number = from->number;
	for (u32 i = 0; i < from->n; i++) {
		const struct vec_token *t = &from->token[i];
		char text[1024], *p = text;

		if (!expand(v, t, scope, text, sizeof(text)))
			return false;
		if (t->quoted || (*text && !strchr(text, ' '))) {
			if (!add(v, to, text, strlen(text), t))
				return false;
			continue;
		}
		for (p = text; *p;) {
			size_t len = strcspn(p, " ");

			if (len && !add(v, to, p, len, t))
				return false;
			p += len + (p[len] == ' ');
		}
	}
	return true;
}

/* --- numbers: terms with + and |, each a number or a name, shifted perhaps --- */

static bool term(struct vec *v, const struct vec_token *t, const char **p, u64 *value)
{
	char *end;

	if (isdigit((unsigned char)**p)) {
		u32 unit = 0;

		errno = 0;
		*value = strtoull(*p, &end, 0);
		if (*end == 'K' || *end == 'M')
			unit = *end++ == 'K' ? 10 : 20;
		if (errno || *value << unit >> unit != *value)
			return vec_error(v, t->column, "'%s': a number of more than 64 bits",
					 t->text);
		*value <<= unit;
		*p = end;
		return true;
	}
	for (size_t len = 0;; len++) {
		if (isalnum((unsigned char)(*p)[len]) || (*p)[len] == '_')
			continue;
		for (u32 i = 0; i < v->n_names; i++) {
			if (strlen(v->name[i].name) != len || strncmp(v->name[i].name, *p, len))
				continue;
			*value = v->name[i].value;
			*p += len;
			return true;
		}
		return vec_error(v, t->column, "'%s': expected a number or a const", t->text);
	}
}

bool vec_number(struct vec *v, const struct vec_token *t, const char *text, u64 *value)
{
	const char *p = text;
	u64 sum = 0;

	for (char op = '+';; op = *p++) {
		u64 x, shift;

		if (!term(v, t, &p, &x))
			return false;
		while (p[0] == '<' && p[1] == '<') {
			p += 2;
			if (!term(v, t, &p, &shift))
				return false;
			if (shift > 63)
				return vec_error(v, t->column, "a shift by more than 63");
			x <<= shift;
		}
		sum = op == '|' ? sum | x : sum + x;
		if (!*p)
			break;
		if (*p != '+' && *p != '|')
			return vec_error(v, t->column, "'%s': expected a number", t->text);
	}
	*value = sum;
	return true;
}
