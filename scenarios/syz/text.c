// SPDX-License-Identifier: GPL-2.0-only
/*
 * A line of program text as a tree of values. It is read from left to right,
 * once; depth and number of values are bounded.
 */
#include "scenarios/syz/syz_priv.h"
#include "sim/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void syz_fail(struct syz *s, u32 at, const char *format, ...)
{
	va_list args;

	if (s->failed)
		return;
	s->failed = true;
	s->err->line = s->line;
	s->err->column = at - s->line_at + 1;
	va_start(args, format);
	vsnprintf(s->err->text, sizeof(s->err->text), format, args);
	va_end(args);
}

void syz_note(struct syz *s, u32 at, const char *format, ...)
{
	struct syz_note n = {.line = s->line};
	va_list args;

	if (s->failed)
		return;
	va_start(args, format);
	vsnprintf(n.text, sizeof(n.text), format, args);
	va_end(args);
	if (s->o->strict)
		syz_fail(s, at, "%s", n.text);
	else if (s->o->note)
		s->o->note(s->o->self, &n);
}

void *syz_grow(void *array, u32 n, u32 *max, size_t size)
{
	if (n < *max)
		return array;
	*max = *max ? *max * 2 : 16;
	array = realloc(array, *max * size);
	sim_assert(array);
	return array;
}

/* --- characters --- */

static char peek(const struct syz *s)
{
	return s->at < s->end ? s->text[s->at] : '\0';
}

static void blanks(struct syz *s)
{
	while (s->at < s->end && (s->text[s->at] == ' ' || s->text[s->at] == '\t'))
		s->at++;
}

static bool take(struct syz *s, char c)
{
	if (s->at >= s->end || s->text[s->at] != c)
		return false;
	s->at++;
	blanks(s);
	return true;
}

/* What stands at the place, for messages. */
static const char *here(const struct syz *s, char buf[16])
{
	char c = peek(s);

	if (s->at >= s->end)
		return "the end of the line";
	snprintf(buf, 16, c >= ' ' && c < 127 ? "'%c'" : "byte 0x%02x", (u8)c);
	return buf;
}

static bool need(struct syz *s, char c)
{
	char buf[16];

	if (s->failed)
		return false;
	if (take(s, c))
		return true;
	syz_fail(s, s->at, "%s, expected '%c'", here(s, buf), c);
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$';
}

static bool word(struct syz *s, u32 *at, u32 *n)
{
	char buf[16];

	*at = s->at;
	while (s->at < s->end && is_word(s->text[s->at]))
		s->at++;
	*n = s->at - *at;
	if (!*n)
		syz_fail(s, s->at, "%s, expected a name", here(s, buf));
	else if (*n > SYZ_NAME_MAX)
		syz_fail(s, *at, "a name of %u characters, expected at most %d", *n, SYZ_NAME_MAX);
	blanks(s);
	return !s->failed;
}

static bool is(const struct syz *s, u32 at, u32 n, const char *name)
{
	return strlen(name) == n && !memcmp(s->text + at, name, n);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* As C has it: 0x.., 0.., decimal; of 64 bits. */
static u64 number(struct syz *s)
{
	u32 at, n, i = 0;
	int base = 10;
	u64 value = 0;

	if (!word(s, &at, &n))
		return 0;
	if (s->text[at] == '0' && n > 1) {
		base = (s->text[at + 1] | 0x20) == 'x' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	if (i == n)
		syz_fail(s, at, "'%.*s', expected a number", (int)n, s->text + at);
	for (; i < n; i++) {
		int d = digit(s->text[at + i]);

		if (d >= base) {
			syz_fail(s, at, "'%.*s', expected a number", (int)n, s->text + at);
			return 0;
		}
		if (__builtin_mul_overflow(value, (u64)base, &value) ||
		    __builtin_add_overflow(value, (u64)d, &value)) {
			syz_fail(s, at, "'%.*s' does not fit in 64 bits", (int)n, s->text + at);
			return 0;
		}
	}
	return value;
}

/* --- values --- */

static u32 value(struct syz *s);

static u32 new_node(struct syz *s, enum node_kind kind)
{
	if (s->n_nodes >= SYZ_VALUES_MAX) {
		syz_fail(s, s->at, "more than %d values in one call", SYZ_VALUES_MAX);
		return 0;
	}
	s->node = syz_grow(s->node, s->n_nodes, &s->max_nodes, sizeof(*s->node));
	s->node[s->n_nodes] = (struct node){.kind = (u8)kind, .at = s->at};
	return s->n_nodes++;
}

/* Values between `open`, already taken, and `close`. */
static void list(struct syz *s, u32 parent, char close)
{
	u32 last = 0;
	char buf[16];

	while (!s->failed && !take(s, close)) {
		u32 child = value(s);

		if (!child)
			return;
		if (last)
			s->node[last].next = child;
		else
			s->node[parent].child = child;
		s->node[parent].n++;
		last = child;
		if (!take(s, ',') && peek(s) != close)
			syz_fail(s, s->at, "%s, expected ',' or '%c'", here(s, buf), close);
	}
}

static u32 group(struct syz *s, enum node_kind kind, char close)
{
	u32 n = new_node(s, kind);

	s->at++;
	blanks(s);
	if (n)
		list(s, n, close);
	return n;
}

static u32 pointer(struct syz *s)
{
	u32 n = new_node(s, NODE_PTR), at, length, child;

	s->at++;
	blanks(s);
	if (!n)
		return 0;
	if (peek(s) == 'A') {
		if (!word(s, &at, &length) || !is(s, at, length, "AUTO")) {
			syz_fail(s, at, "'%.*s', expected AUTO or '('", (int)length, s->text + at);
			return 0;
		}
		s->node[n].anywhere = true;
	} else {
		if (!need(s, '('))
			return 0;
		s->node[n].value = number(s);
		if (take(s, '/')) {
			s->node[n].sized = true;
			s->node[n].size = number(s);
		}
		need(s, ')');
	}
	if (!take(s, '='))
		return n;
	if (s->end - s->at > 4 && !memcmp(s->text + s->at, "ANY=", 4)) {
		s->at += 4;
		blanks(s);
		s->node[n].any = true;
	}
	child = value(s);
	s->node[n].child = child;
	return n;
}

static u32 data(struct syz *s)
{
	u32 n = new_node(s, NODE_DATA), at;
	char quote = peek(s);

	s->at++;
	if (!n)
		return 0;
	s->node[n].data = quote == '\'' ? DATA_ASCII : DATA_HEX;
	if (quote == '"' && peek(s) == '$') {
		s->node[n].data = DATA_BASE64;
		s->at++;
	}
	at = s->at;
	while (s->at < s->end && s->text[s->at] != quote)
		s->at += quote == '\'' && s->text[s->at] == '\\' && s->at + 1 < s->end ? 2 : 1;
	if (s->at >= s->end) {
		syz_fail(s, at - 1, "data without an end, expected %c", quote);
		return 0;
	}
	s->node[n].text = at;
	s->node[n].text_n = s->at - at;
	s->at++;
	blanks(s);
	if (s->node[n].data != DATA_BASE64 && take(s, '/')) {
		s->node[n].sized = true;
		s->node[n].size = number(s);
	}
	return n;
}

static u32 choice_of_union(struct syz *s)
{
	u32 n = new_node(s, NODE_UNION), child = 0, at, length;

	s->at++;
	blanks(s);
	if (!n || !word(s, &at, &length))
		return 0;
	s->node[n].text = at;
	s->node[n].text_n = length;
	if (take(s, '='))
		child = value(s);
	s->node[n].child = child;
	return n;
}

/* nil, AUTO or a result. */
static u32 named(struct syz *s)
{
	u32 n = new_node(s, NODE_RESULT), at, length;

	if (!n || !word(s, &at, &length))
		return 0;
	if (is(s, at, length, "nil")) {
		s->node[n].kind = NODE_NIL;
		return n;
	}
	if (is(s, at, length, "AUTO")) {
		s->node[n].kind = NODE_AUTO;
		return n;
	}
	s->node[n].text = at;
	s->node[n].text_n = length;
	if (take(s, '/')) {
		s->node[n].value = number(s);
		if (!s->failed && !s->node[n].value)
			syz_fail(s, at, "division by 0");
	}
	if (take(s, '+'))
		s->node[n].add = number(s);
	return n;
}

static u32 plain(struct syz *s)
{
	char c = peek(s), buf[16];
	u64 v;
	u32 n;

	switch (c) {
	case '{':
		return group(s, NODE_STRUCT, '}');
	case '[':
		return group(s, NODE_ARRAY, ']');
	case '&':
		return pointer(s);
	case '"':
	case '\'':
		return data(s);
	case '@':
		return choice_of_union(s);
	}
	if (c >= '0' && c <= '9') {
		n = new_node(s, NODE_INT);
		v = number(s);
		s->node[n].value = v;
		return n;
	}
	if (is_word(c))
		return named(s);
	syz_fail(s, s->at, "%s, expected a value", here(s, buf));
	return 0;
}

static u32 value(struct syz *s)
{
	u32 def = 0, def_n = 0, n;

	if (s->failed)
		return 0;
	if (++s->depth > SYZ_DEPTH_MAX) {
		syz_fail(s, s->at, "more than %d values in each other", SYZ_DEPTH_MAX);
		return 0;
	}
	if (take(s, '<')) {
		if (!word(s, &def, &def_n) || !need(s, '=') || !need(s, '>'))
			return 0;
	}
	n = plain(s);
	s->depth--;
	if (s->failed)
		return 0;
	s->node[n].def = def;
	s->node[n].def_n = def_n;
	return n;
}

/* --- a line --- */

static void property(struct syz *s, struct syz_line *l)
{
	u32 at, n;
	u64 v = 0;
	bool has = false;

	if (!word(s, &at, &n))
		return;
	if (take(s, ':')) {
		has = true;
		v = number(s);
	}
	if (v > 0xffffffffU)
		syz_fail(s, at, "'%.*s: %llu', expected at most 4294967295", (int)n, s->text + at,
			 (unsigned long long)v);
	else if (is(s, at, n, "async"))
		l->async = true;
	else if (is(s, at, n, "fail_nth") && has)
		l->fail_nth = (u32)v;
	else if (is(s, at, n, "rerun") && has)
		l->rerun = (u32)v;
	else
		syz_note(s, at, "unknown property '%.*s', expected async, fail_nth: N or rerun: N",
			 (int)n, s->text + at);
}

static void properties(struct syz *s, struct syz_line *l)
{
	char buf[16];

	while (!s->failed && !take(s, ')')) {
		property(s, l);
		if (!take(s, ',') && peek(s) != ')')
			syz_fail(s, s->at, "%s, expected ',' or ')'", here(s, buf));
	}
}

/* [var =] name(...) [(props)] [# comment]; false on error, which is set. */
bool syz_read_line(struct syz *s, struct syz_line *l)
{
	char buf[16];
	u32 root;

	*l = (struct syz_line){.at = s->at};
	s->n_nodes = 0;
	s->depth = 0;
	new_node(s, NODE_NIL);
	root = new_node(s, NODE_STRUCT);
	blanks(s);
	if (!word(s, &l->name, &l->name_n))
		return false;
	if (take(s, '=')) {
		l->var = l->name;
		l->var_n = l->name_n;
		if (!word(s, &l->name, &l->name_n))
			return false;
	}
	if (!need(s, '('))
		return false;
	list(s, root, ')');
	if (take(s, '('))
		properties(s, l);
	if (!s->failed && s->at < s->end && peek(s) != '#' && peek(s) != '\r')
		syz_fail(s, s->at, "%s after the call, expected the end of the line", here(s, buf));
	l->arg = s->node[root].child;
	l->n_args = s->node[root].n;
	return !s->failed;
}
