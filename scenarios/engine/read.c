// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values: words, names, numbers, references. Nothing is guessed: `yes`, 010,
 * -1 and 4k are errors that say what to write instead.
 */
#include "scenarios/engine/read_priv.h"

#include "sim/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void read_error(struct reader *r, const struct yaml_node *at, const char *fmt, ...)
{
	char text[sizeof(r->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	scenario_error_at(r->err, at->line, at->column, "%s", text);
}

/* "a, b or c"; cut with "..." when there are too many. */
static void join_words(char *buf, size_t size, const char *const *word, size_t n)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const char *glue = !i ? "" : i + 1 == n ? " or " : ", ";

		if (at + strlen(glue) + strlen(word[i]) + 5 > size) {
			strcpy(buf + at, " ...");
			return;
		}
		at += (size_t)snprintf(buf + at, size - at, "%s%s", glue, word[i]);
	}
}

/* "unknown <what> 'x'<where>, expected ..." */
static void word_error(struct reader *r, const struct yaml_node *v, const char *what,
		       const char *where, const struct words *w)
{
	const char *const *word = w->word;
	size_t n = w->n;
	const char *near = scenario_did_you_mean(v->text, word, n);
	char list[300];

	join_words(list, sizeof(list), word, n);
	read_error(r, v, "unknown %s '%s'%s, expected %s%s%s%s", what,
		   scenario_quote(v->text, v->len).text, where, n ? list : "none",
		   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static const char *kind_name(const struct yaml_node *v)
{
	if (read_is_null(v))
		return "nothing";
	return v->kind == YAML_TEXT ? "a value" : v->kind == YAML_LIST ? "a list" : "a mapping";
}

bool read_is_null(const struct yaml_node *v)
{
	return v->kind == YAML_TEXT && v->plain &&
	       (v->len == 0 || strcmp(v->text, "~") == 0 || strcmp(v->text, "null") == 0);
}

bool read_kind(struct reader *r, const struct yaml_node *v, enum yaml_kind kind,
	       const char *expected)
{
	if (v->kind == kind && !(kind == YAML_TEXT && (read_is_null(v) || !v->len)))
		return true;
	read_error(r, v, "%s, expected %s",
		   v->kind == YAML_TEXT && !v->len ? "nothing" : kind_name(v), expected);
	return false;
}

static const struct field *field_find(const struct field *field, u32 n, const char *name)
{
	for (u32 i = 0; i < n; i++) {
		if (strcmp(field[i].name, name) == 0)
			return &field[i];
	}
	return NULL;
}

static bool has_key(const struct yaml_node *map, const char *name)
{
	for (const struct yaml_link *l = map->first; l; l = l->next) {
		if (strcmp(l->key->text, name) == 0)
			return true;
	}
	return false;
}

void read_fields(struct reader *r, const struct yaml_node *map, const struct field *field, u32 n,
		 void *object, const char *what)
{
	const char *names[32];
	struct words keys = {names, n};
	char where[64];

	sim_assert(n <= 32);
	snprintf(where, sizeof(where), " in %s", what);
	if (!read_kind(r, map, YAML_MAP, "a mapping"))
		return;
	for (u32 i = 0; i < n; i++)
		names[i] = field[i].name;
	for (const struct yaml_link *l = map->first; l; l = l->next) {
		if (!field_find(field, n, l->key->text))
			word_error(r, l->key, "key", where, &keys);
	}
	for (u32 i = 0; i < n; i++) {
		if (field[i].required && !has_key(map, field[i].name))
			read_error(r, map, "no '%s' in %s, expected one", field[i].name, what);
	}
	/* In the table's order, which is the order of dependence. */
	for (u32 i = 0; i < n; i++) {
		for (const struct yaml_link *l = map->first; l; l = l->next) {
			if (strcmp(l->key->text, field[i].name) == 0)
				field[i].read(r, l->value,
					      object ? (char *)object + field[i].offset : NULL,
					      field[i].aux);
		}
	}
}

static bool name_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

bool read_name(struct reader *r, const struct yaml_node *v, const char *expected,
	       char name[MACHINE_NAME_LEN])
{
	if (!read_kind(r, v, YAML_TEXT, expected))
		return false;
	for (u32 i = 0; i < v->len; i++) {
		if (name_char(v->text[i], i == 0))
			continue;
		read_error(r, v, "'%s' is no name, expected letters, digits, '_', '-', '.'",
			   scenario_quote(v->text, v->len).text);
		return false;
	}
	if (v->len >= MACHINE_NAME_LEN) {
		read_error(r, v, "name of %u letters, expected at most %d", v->len,
			   MACHINE_NAME_LEN - 1);
		return false;
	}
	memcpy(name, v->text, v->len + 1);
	return true;
}

/* Digits of the text as a number; false on anything else or beyond 64 bits. */
static bool parse_number(const char *text, u64 *value)
{
	static const char suffixes[] = "KMGT";
	bool hex = text[0] == '0' && text[1] == 'x';
	const char *p = text + (hex ? 2 : 0), *suffix;
	u64 n = 0;

	if (!*p || (!hex && p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p; p++) {
		u32 digit = *p >= '0' && *p <= '9' ? (u32)(*p - '0') :
			    hex && *p >= 'a' && *p <= 'f' ? (u32)(*p - 'a') + 10 :
			    hex && *p >= 'A' && *p <= 'F' ? (u32)(*p - 'A') + 10 : 99;

		if (digit == 99)
			break;
		if (__builtin_mul_overflow(n, hex ? 16 : 10, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	suffix = *p && p > text ? strchr(suffixes, *p) : NULL;
	if (suffix) {
		u32 shift = 10 * ((u32)(suffix - suffixes) + 1);

		if (n >> (64 - shift))
			return false;
		n <<= shift;
		p++;
	}
	*value = n;
	return !*p;
}

bool read_number(struct reader *r, const struct yaml_node *v, u64 min, u64 max, u64 *value)
{
	if (!read_kind(r, v, YAML_TEXT, "a number"))
		return false;
	if (!parse_number(v->text, value)) {
		read_error(r, v, "'%s' is no number, expected decimal or 0x..., K, M, G or T behind it",
			   scenario_quote(v->text, v->len).text);
		return false;
	}
	if (*value >= min && *value <= max)
		return true;
	read_error(r, v, "%s is out of range, expected %llu to %llu",
		   scenario_quote(v->text, v->len).text, (unsigned long long)min,
		   (unsigned long long)max);
	return false;
}

int read_word(struct reader *r, const struct yaml_node *v, const struct words *w,
	      const char *what)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "the name of one %s", what);
	if (!read_kind(r, v, YAML_TEXT, expected))
		return -1;
	for (u32 i = 0; i < w->n; i++) {
		if (strcmp(v->text, w->word[i]) == 0)
			return (int)i;
	}
	word_error(r, v, what, "", w);
	return -1;
}

void read_bool(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	static const char *const words[] = {"false", "true"};
	static const struct words w = {words, 2};
	int i = read_word(r, v, &w, "truth value");

	(void)aux;
	if (i >= 0)
		*(bool *)member = i;
}

void read_string(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	char **string = member;

	(void)aux;
	if (!read_kind(r, v, YAML_TEXT, "a text"))
		return;
	free(*string);
	*string = strdup(v->text);
	sim_assert(*string);
}

void read_enum(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	int i = read_word(r, v, aux, "word");

	if (i >= 0)
		*(u32 *)member = (u32)i;
}

/* --- references --- */

static u32 read_ref(struct reader *r, const struct yaml_node *v, const char *what,
		    const char *const *names, u32 n)
{
	struct words w = {names, n};
	int i = read_word(r, v, &w, what);

	return i < 0 ? MACHINE_NONE : (u32)i;
}

u32 read_iommu_ref(struct reader *r, const struct yaml_node *v)
{
	const struct machine *m = &r->s->machine;
	const char *names[MACHINE_IOMMUS_MAX];

	for (u32 i = 0; i < m->n_iommus; i++)
		names[i] = m->iommu[i].name;
	return read_ref(r, v, "IOMMU", names, m->n_iommus);
}

u32 read_bus_ref(struct reader *r, const struct yaml_node *v)
{
	const struct machine *m = &r->s->machine;
	const char *names[MACHINE_BUSES_MAX];

	for (u32 i = 0; i < m->n_buses; i++)
		names[i] = m->bus[i].name;
	return read_ref(r, v, "bus", names, m->n_buses);
}

u32 read_device_ref(struct reader *r, const struct yaml_node *v)
{
	const struct machine *m = &r->s->machine;
	const char *names[MACHINE_DEVICES_MAX];

	for (u32 i = 0; i < m->n_devices; i++)
		names[i] = m->device[i].name;
	return read_ref(r, v, "device", names, m->n_devices);
}
