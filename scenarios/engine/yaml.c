// SPDX-License-Identifier: GPL-2.0-only
/*
 * From bytes to a bounded tree.
 *
 * The bytes are checked before libyaml sees them (NUL, control characters,
 * UTF-8), since its own message for these has no line. Then each event
 * becomes a node. A stack of open containers replaces recursion, so no
 * input is deep enough to hurt.
 */
#include "scenarios/engine/yaml_priv.h"

#include "sim/base/assert.h"
#include "sim/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

bool scenario_error_at(struct scenario_error *err, u32 line, u32 column, const char *fmt, ...)
{
	va_list ap;

	if (err->text[0])
		return false;
	err->line = line;
	err->column = column;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

struct yaml_quote scenario_quote(const char *text, size_t len)
{
	struct yaml_quote q;
	size_t max = sizeof(q.text) - 3, n = len < max ? len : max;

	/* Never half of a UTF-8 sequence. */
	while (n < len && n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	strcpy(q.text + sim_text_plain(q.text, max, text, n), n < len ? "..." : "");
	return q;
}

/* --- memory: one chain of chunks a tree --- */

struct yaml_chunk {
	struct yaml_chunk *next;
	size_t used, size;
	char bytes[];
};

static void *doc_alloc(struct yaml_doc *d, size_t size)
{
	struct yaml_chunk *c = d->chunks;
	void *p;

	size = (size + 15) & ~15UL;
	if (!c || c->size - c->used < size) {
		size_t room = size > 65536 ? size : 65536;

		c = malloc(sizeof(*c) + room);
		sim_assert(c);
		c->next = d->chunks;
		c->used = 0;
		c->size = room;
		d->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	memset(p, 0, size);
	return p;
}

void scenario_yaml_free(struct yaml_doc *d)
{
	while (d->chunks) {
		struct yaml_chunk *c = d->chunks;

		d->chunks = c->next;
		free(c);
	}
	d->root = NULL;
}

/* --- bytes --- */

/* Length of the UTF-8 sequence at p, 0 if it is none. */
static u32 utf8_len(const unsigned char *p, size_t left)
{
	static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
	u32 n = p[0] < 0x80	  ? 1
		: p[0] >> 5 == 6  ? 2
		: p[0] >> 4 == 14 ? 3
		: p[0] >> 3 == 30 ? 4
				  : 0;
	u32 value = n > 1 ? p[0] & (0x7fU >> n) : p[0];

	if (!n || n > left)
		return 0;
	for (u32 i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	return n;
}

static bool bytes_check(const char *text, size_t size, struct scenario_error *err)
{
	const unsigned char *p = (const unsigned char *)text;
	u32 line = 1, column = 1;

	for (size_t i = 0; i < size;) {
		u32 n = utf8_len(p + i, size - i);

		if (!n)
			return scenario_error_at(err, line, column,
						 "byte 0x%02x is not UTF-8, expected UTF-8 text", p[i]);
		if (p[i] == 0)
			return scenario_error_at(err, line, column, "NUL byte, expected text");
		if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] == 0x7f)
			return scenario_error_at(err, line, column,
						 "control character 0x%02x, expected text", p[i]);
		column++;
		if (p[i] == '\n') {
			line++;
			column = 1;
		}
		i += n;
	}
	return true;
}

/* --- events --- */

struct builder {
	struct yaml_doc *d;
	yaml_parser_t parser;
	u32 depth;
	struct yaml_node *stack[YAML_DEPTH_MAX];
	struct yaml_node *key; /* of the entry being read in the top container */
	struct yaml_node *keys[YAML_DEPTH_MAX]; /* those of the containers below */
	u32 documents;
};

static bool fail(struct builder *b, const yaml_event_t *e, const char *what)
{
	return scenario_error_at(b->d->err, (u32)e->start_mark.line + 1,
				 (u32)e->start_mark.column + 1, "%s", what);
}

static struct yaml_node *node_new(struct builder *b, const yaml_event_t *e, enum yaml_kind kind)
{
	struct yaml_node *n;

	if (++b->d->n_nodes > YAML_NODES_MAX) {
		fail(b, e, "more than 65536 nodes, expected a smaller file");
		return NULL;
	}
	n = doc_alloc(b->d, sizeof(*n));
	n->kind = kind;
	n->line = (u32)e->start_mark.line + 1;
	n->column = (u32)e->start_mark.column + 1;
	n->weight = 1;
	return n;
}

static bool same_text(const struct yaml_node *a, const struct yaml_node *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool key_is_new(struct builder *b, const yaml_event_t *e, struct yaml_node *map,
		       struct yaml_node *key)
{
	if (key->kind != YAML_TEXT)
		return fail(b, e, "a list or mapping as key, expected a name");
	for (struct yaml_link *l = map->first; l; l = l->next) {
		if (same_text(l->key, key))
			return scenario_error_at(b->d->err, key->line, key->column,
						 "'%s' is here twice, expected it once (first in line %u)",
						 scenario_quote(key->text, key->len).text,
						 l->key->line);
	}
	return true;
}

/* Puts a finished or opened node where it belongs. */
static bool node_place(struct builder *b, const yaml_event_t *e, struct yaml_node *n)
{
	struct yaml_node *top = b->depth ? b->stack[b->depth - 1] : NULL;
	struct yaml_link *l;

	if (!top) {
		b->d->root = n;
		return true;
	}
	if (top->kind == YAML_MAP && !b->key) {
		if (!key_is_new(b, e, top, n))
			return false;
		b->key = n;
		return true;
	}
	if (++top->n > YAML_ENTRIES_MAX)
		return fail(b, e, "more than 1024 entries, expected fewer");
	l = doc_alloc(b->d, sizeof(*l));
	l->key = b->key;
	l->value = n;
	if (top->last)
		top->last->next = l;
	else
		top->first = l;
	top->last = l;
	b->key = NULL;
	return true;
}

static bool anchor_add(struct builder *b, const yaml_event_t *e, const yaml_char_t *name,
		       struct yaml_node *n)
{
	struct yaml_doc *d = b->d;
	size_t len;
	char *copy;

	if (!name)
		return true;
	if (d->n_anchors == YAML_ANCHORS_MAX)
		return fail(b, e, "more than 64 anchors, expected fewer");
	len = strlen((const char *)name);
	copy = doc_alloc(d, len + 1);
	memcpy(copy, name, len);
	d->anchor[d->n_anchors].name = copy;
	d->anchor[d->n_anchors].node = n;
	d->n_anchors++;
	return true;
}

/* An ended node counts in the container that holds it; aliases count as copies. */
static bool weight_add(struct builder *b, const yaml_event_t *e, const struct yaml_node *n)
{
	struct yaml_node *top = b->depth ? b->stack[b->depth - 1] : NULL;

	if (!top)
		return true;
	top->weight += n->weight;
	if (top->weight > YAML_WEIGHT_MAX)
		return fail(b, e, "aliases stand for more than 65536 nodes, expected fewer");
	return true;
}

static bool on_alias(struct builder *b, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct yaml_doc *d = b->d;

	for (u32 i = d->n_anchors; i-- > 0;) {
		if (strcmp(d->anchor[i].name, name) != 0)
			continue;
		if (d->anchor[i].node->open)
			return fail(b, e, "alias inside its own anchor, expected no cycle");
		return weight_add(b, e, d->anchor[i].node) && node_place(b, e, d->anchor[i].node);
	}
	return scenario_error_at(d->err, (u32)e->start_mark.line + 1, (u32)e->start_mark.column + 1,
				 "alias '*%s' has no anchor, expected '&%s' before it",
				 scenario_quote(name, strlen(name)).text,
				 scenario_quote(name, strlen(name)).text);
}

static bool on_text(struct builder *b, const yaml_event_t *e)
{
	struct yaml_node *n = node_new(b, e, YAML_TEXT);
	size_t len = e->data.scalar.length;
	char *text;

	if (!n)
		return false;
	/* "\0" in quotes. */
	if (memchr(e->data.scalar.value, 0, len))
		return fail(b, e, "NUL in a string, expected text");
	if (e->data.scalar.tag)
		return fail(b, e, "a tag, expected plain YAML");
	text = doc_alloc(b->d, len + 1);
	memcpy(text, e->data.scalar.value, len);
	n->text = text;
	n->len = (u32)len;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return anchor_add(b, e, e->data.scalar.anchor, n) && weight_add(b, e, n) &&
	       node_place(b, e, n);
}

static bool on_open(struct builder *b, const yaml_event_t *e)
{
	bool map = e->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor = map ? e->data.mapping_start.anchor
					: e->data.sequence_start.anchor;
	const yaml_char_t *tag = map ? e->data.mapping_start.tag : e->data.sequence_start.tag;
	struct yaml_node *n = node_new(b, e, map ? YAML_MAP : YAML_LIST);

	if (!n)
		return false;
	if (tag)
		return fail(b, e, "a tag, expected plain YAML");
	if (b->depth == YAML_DEPTH_MAX)
		return fail(b, e, "nested more than 16 deep, expected less");
	if (!node_place(b, e, n) || !anchor_add(b, e, anchor, n))
		return false;
	n->open = true;
	b->keys[b->depth] = b->key;
	b->stack[b->depth++] = n;
	b->key = NULL;
	return true;
}

static bool on_close(struct builder *b, const yaml_event_t *e)
{
	struct yaml_node *n = b->stack[--b->depth];

	b->key = b->keys[b->depth];
	n->open = false;
	return weight_add(b, e, n);
}

static bool on_document(struct builder *b, const yaml_event_t *e)
{
	if (b->documents++)
		return fail(b, e, "a second document, expected one");
	return true;
}

static bool on_nothing(struct builder *b, const yaml_event_t *e)
{
	(void)b;
	(void)e;
	return true;
}

static bool (*const on_event[])(struct builder *b, const yaml_event_t *e) = {
	[YAML_NO_EVENT] = on_nothing,
	[YAML_STREAM_START_EVENT] = on_nothing,
	[YAML_STREAM_END_EVENT] = on_nothing,
	[YAML_DOCUMENT_START_EVENT] = on_document,
	[YAML_DOCUMENT_END_EVENT] = on_nothing,
	[YAML_ALIAS_EVENT] = on_alias,
	[YAML_SCALAR_EVENT] = on_text,
	[YAML_SEQUENCE_START_EVENT] = on_open,
	[YAML_SEQUENCE_END_EVENT] = on_close,
	[YAML_MAPPING_START_EVENT] = on_open,
	[YAML_MAPPING_END_EVENT] = on_close,
};

static bool syntax_error(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *context = p->context;

	return scenario_error_at(b->d->err, (u32)p->problem_mark.line + 1,
				 (u32)p->problem_mark.column + 1, "not YAML: %s%s%s",
				 p->problem ? p->problem : "the parser gave up",
				 context ? " " : "", context ? context : "");
}

static bool build(struct builder *b)
{
	yaml_event_t e;
	bool ok = true, end = false;

	while (ok && !end) {
		if (!yaml_parser_parse(&b->parser, &e))
			return syntax_error(b);
		end = e.type == YAML_STREAM_END_EVENT;
		ok = on_event[e.type](b, &e);
		yaml_event_delete(&e);
	}
	return ok;
}

bool scenario_yaml_read(struct yaml_doc *d, const char *text, size_t size,
			struct scenario_error *err)
{
	struct builder b = {.d = d};
	bool ok;

	memset(d, 0, sizeof(*d));
	d->err = err;
	if (!bytes_check(text, size, err))
		return false;
	sim_assert(yaml_parser_initialize(&b.parser));
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, size);
	ok = build(&b);
	yaml_parser_delete(&b.parser);
	if (ok && !d->root)
		return scenario_error_at(err, 1, 1, "empty, expected a scenario");
	return ok;
}
