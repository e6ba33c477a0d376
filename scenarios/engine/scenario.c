// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario file from its bytes: the top level, and files themselves.
 *
 * Nothing that a file can hold may abort the program or pass unseen: each key
 * has a row in a table that names its reader, and a key without a row is an
 * error with its place.
 */
#include "scenarios/engine/scenario.h"

#include "scenarios/engine/read_priv.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "sim/sched/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

u64 scenario_hash(u64 h, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		h = hash_mix(h, (unsigned char)data[i] + 1);
	return h;
}

/* --- the small sections; member is the struct scenario --- */

static void read_bugs(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	struct scenario *s = member;
	const char *ids[BUG_N + 1];
	struct words w = {ids, BUG_N};

	(void)aux;
	for (int i = 0; i < BUG_N; i++)
		ids[i] = bug_rows[i].id;
	if (!read_kind(r, v, YAML_LIST, "a list of bugs"))
		return;
	for (const struct yaml_link *l = v->first; l && !r->err->text[0]; l = l->next) {
		int i = read_word(r, l->value, &w, "bug");

		if (i >= 0 && bug_set_has(&s->bugs, (unsigned)i))
			read_error(r, l->value, "'%s' is here twice, expected it once", ids[i]);
		else if (i >= 0)
			bug_set_add(&s->bugs, (unsigned)i);
	}
}

static void read_finding(struct reader *r, const struct yaml_node *v, void *member,
			 const void *aux)
{
	struct scenario *s = member;

	(void)aux;
	if (!read_kind(r, v, YAML_TEXT, "a part of the finding's title, 'any' or 'none'"))
		return;
	s->expect_finding = strcmp(v->text, "none") != 0;
	if (s->expect_finding && strcmp(v->text, "any") != 0)
		read_string(r, v, &s->expect_title, NULL);
}

static void read_expect(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	static const struct field fields[] = {
		{"finding", read_finding, 0, NULL, true},
	};

	(void)aux;
	read_fields(r, v, fields, ARRAY_SIZE(fields), member, "expect");
}

static void read_runs(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	(void)aux;
	read_number(r, v, 1, 1000000000000ULL, member);
}

static void read_policy(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	const char *names[64], *near, *arg;
	char head[32];
	size_t len, arg_len, n = 0;

	(void)aux;
	if (!read_kind(r, v, YAML_TEXT, "NAME or NAME:ARG"))
		return;
	len = policy_split(v->text, &arg, &arg_len);
	if (v->len >= sizeof(((struct scenario *)0)->policy) || len >= sizeof(head)) {
		read_error(r, v, "a policy of %u letters, expected at most 63", v->len);
		return;
	}
	if (policy_find(v->text, len)) {
		strcpy(member, v->text);
		return;
	}
	for (const struct policy *const *p = policy_table; *p && n < 64; p++)
		names[n++] = (*p)->name;
	snprintf(head, sizeof(head), "%.*s", (int)len, v->text);
	near = scenario_did_you_mean(head, names, n);
	read_error(r, v, "unknown policy '%s', expected one of `iommulab list policies`%s%s%s",
		   scenario_quote(head, len).text, near ? " (did you mean '" : "", near ? near : "",
		   near ? "'?)" : "");
}

static void read_oracles(struct reader *r, const struct yaml_node *v, void *member,
			 const void *aux)
{
	const char *names[64];
	struct words w = {names, 0};
	char *to = member;

	(void)aux;
	for (const struct oracle *const *o = oracle_table; *o && w.n < 64; o++)
		names[w.n++] = (*o)->name;
	if (!read_kind(r, v, YAML_LIST, "a list of oracles"))
		return;
	to[0] = '\0';
	for (const struct yaml_link *l = v->first; l && !r->err->text[0]; l = l->next) {
		int i = read_word(r, l->value, &w, "oracle");
		size_t at = strlen(to);

		if (i >= 0 && at + strlen(names[i]) + 2 > sizeof(r->s->oracles))
			read_error(r, l->value, "too many oracles, expected each once");
		else if (i >= 0)
			snprintf(to + at, sizeof(r->s->oracles) - at, "%s%s", at ? "," : "", names[i]);
	}
	if (!to[0])
		read_error(r, v, "no oracle, expected at least one");
}

static void read_explore(struct reader *r, const struct yaml_node *v, void *member,
			 const void *aux)
{
	static const struct field fields[] = {
		{"runs", read_runs, offsetof(struct scenario, runs), NULL, false},
		{"steps", read_runs, offsetof(struct scenario, steps), NULL, false},
		{"policy", read_policy, offsetof(struct scenario, policy), NULL, false},
		{"oracles", read_oracles, offsetof(struct scenario, oracles), NULL, false},
	};

	(void)aux;
	read_fields(r, v, fields, ARRAY_SIZE(fields), member, "explore");
}

/* System calls alone need no machine: the hosted tree has its own devices. */
static bool needs_machine(const struct scenario *s)
{
	for (u32 i = 0; i < s->n_ops; i++) {
		const struct op *op = &s->ops[i].op;

		if (!s->ops[i].call && op->code != OP_signal && op->code != OP_wait)
			return true;
	}
	return !s->n_ops;
}

static const struct field top_fields[] = {
	{"about", read_string, offsetof(struct scenario, about), NULL, false},
	{"machine", read_machine, 0, NULL, false},
	{"tasks", read_tasks, 0, NULL, true},
	{"bugs", read_bugs, 0, NULL, false},
	{"expect", read_expect, 0, NULL, false},
	{"explore", read_explore, 0, NULL, false},
};

static bool is_tasks(const char *key)
{
	return strcmp(key, "tasks") == 0;
}

/* What a .syz file may have of them. */
static void read_beside_tasks(struct reader *r, const struct yaml_node *root)
{
	struct field fields[ARRAY_SIZE(top_fields)];
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(top_fields); i++) {
		if (!is_tasks(top_fields[i].name))
			fields[n++] = top_fields[i];
	}
	read_fields(r, root, fields, n, r->s, "the YAML of a program");
}

static void read_top(struct reader *r, const struct yaml_node *root)
{
	if (root->kind != YAML_MAP) {
		read_error(r, root, "%s, expected a mapping with 'machine' and 'tasks'",
			   root->kind == YAML_LIST ? "a list" : "a value");
		return;
	}
	read_fields(r, root, top_fields, ARRAY_SIZE(top_fields), r->s, "a scenario");
	for (const struct yaml_link *l = root->first; l; l = l->next) {
		if (strcmp(l->key->text, "machine") == 0)
			return;
	}
	if (needs_machine(r->s))
		read_error(r, root, "no 'machine' in a scenario, expected one");
}

/* --- the text beside the tasks --- */

static size_t line_start(const char *text, size_t size, u32 line)
{
	size_t at = 0;

	while (--line && at < size) {
		const char *eol = memchr(text + at, '\n', size - at);

		at = eol ? (size_t)(eol - text) + 1 : size;
	}
	return at;
}

/* Whether the document ends with this line. */
static bool is_end(const char *line, size_t n)
{
	return n >= 3 && !memcmp(line, "...", 3) && (n == 3 || strchr(" \t\r\n", line[3]));
}

/* Adds text[from, to) up to the document's end. */
static size_t add_lines(char *lines, size_t n, const char *text, size_t from, size_t to)
{
	while (from < to) {
		const char *eol = memchr(text + from, '\n', to - from);
		size_t next = eol ? (size_t)(eol - text) + 1 : to;

		if (is_end(text + from, next - from))
			break;
		memcpy(lines + n, text + from, next - from);
		n += next - from;
		from = next;
	}
	if (n && lines[n - 1] != '\n')
		lines[n++] = '\n';
	return n;
}

/* The lines of all keys but `tasks`; NULL where keys do not begin lines of their own. */
static char *text_beside_tasks(const char *text, size_t size, const struct yaml_node *root)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of the order of bytes */
	size_t n = 0, skip = size > 3 && !memcmp(text, mark, 3) ? 3 : 0;
	char *lines = calloc(size + 2, 1);

	sim_assert(lines);
	for (const struct yaml_link *l = root->first; l; l = l->next) {
		size_t from = line_start(text, size, l->key->line);
		size_t to = l->next ? line_start(text, size, l->next->key->line) : size;

		from = max(from, skip);
		if (l->key->column != 1 || memchr(text + from, '\0', to - from)) {
			free(lines);
			return NULL;
		}
		if (is_tasks(l->key->text))
			continue;
		n = add_lines(lines, n, text, from, to);
	}
	return lines;
}

/* The text with blanks for all else, so that places in the YAML are places in the file. */
static char *blank_copy(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	sim_assert(copy);
	for (size_t i = 0; i < size; i++)
		copy[i] = text[i] == '\n' ? '\n' : ' ';
	return copy;
}

void scenario_yaml_of_syz_add(struct yaml_of_syz *y, size_t at, size_t size)
{
	sim_assert(at + size <= y->size);
	if (!y->in_place) {
		y->in_place = blank_copy(y->text, y->size);
		y->alone = calloc(y->size + 2, 1);
		sim_assert(y->alone);
	}
	memcpy(y->in_place + at, y->text + at, size);
	memcpy(y->alone + y->n_alone, y->text + at, size);
	y->n_alone += size;
	y->alone[y->n_alone++] = '\n';
	y->end = min(at + size + 1, y->size);
}

void scenario_yaml_of_syz_free(struct yaml_of_syz *y)
{
	free(y->in_place);
	free(y->alone);
	y->in_place = y->alone = NULL;
}

bool scenario_read_yaml_of_syz(struct scenario *s, struct yaml_of_syz *y,
			       struct scenario_error *err)
{
	struct reader r = {.s = s, .err = err, .file = s->path};
	struct yaml_doc doc;

	if (!y->in_place)
		return true;
	if (y->end > SCENARIO_FILE_MAX)
		return scenario_error_at(err, 1, 1,
					 "YAML up to byte %zu, expected it in the first %lu",
					 y->end, SCENARIO_FILE_MAX);
	if (scenario_yaml_read(&doc, y->in_place, y->end, err))
		read_beside_tasks(&r, doc.root);
	scenario_yaml_free(&doc);
	free(s->yaml);
	s->yaml = y->alone;
	y->alone = NULL;
	return !err->text[0];
}

/* --- files --- */

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

static void name_of(const char *path, char *name, size_t size)
{
	static const char *const ends[] = {".yaml", ".syz"};
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strlen(base);
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends_with(base, ends[i]))
			len = strlen(base) - strlen(ends[i]);
	}
	snprintf(name, size, "%.*s", (int)len, base);
}

void scenario_set_path(struct scenario *s, const char *path, struct scenario_error *err)
{
	memset(err, 0, sizeof(*err));
	snprintf(err->file, sizeof(err->file), "%.255s", path);
	s->path = strdup(path);
	sim_assert(s->path);
	name_of(path, s->name, sizeof(s->name));
}

struct scenario *scenario_parse(const char *name, const char *text, size_t size,
				struct scenario_error *err)
{
	struct scenario *s = calloc(1, sizeof(*s));
	struct reader r = {.s = s, .err = err, .file = name};
	struct yaml_doc doc;

	sim_assert(s);
	s->is_story = true;
	scenario_set_path(s, name, err);
	s->content_hash = scenario_hash(0, text, size);
	if (size > SCENARIO_FILE_MAX)
		scenario_error_at(err, 1, 1, "%zu bytes, expected at most %lu", size,
				  SCENARIO_FILE_MAX);
	else if (scenario_yaml_read(&doc, text, size, err))
		read_top(&r, doc.root);
	if (!err->text[0])
		s->yaml = text_beside_tasks(text, size, doc.root);
	if (size <= SCENARIO_FILE_MAX)
		scenario_yaml_free(&doc);
	if (!err->text[0])
		return s;
	scenario_free(s);
	return NULL;
}

/* Whether a line begins so. */
static bool has_line(const char *text, size_t size, const char *begins)
{
	size_t n = strlen(begins);
	const char *at = text, *end = text + size, *eol;

	for (; (size_t)(end - at) >= n; at = eol + 1) {
		if (!memcmp(at, begins, n))
			return true;
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			break;
	}
	return false;
}

/*
 * Whether text whose name does not tell is a syzkaller program: its first line that says
 * something begins with a call, "name(", "name$variant(" or "r0 = name(". Or a crash log.
 */
static bool looks_like_syz(const char *text, size_t size)
{
	static const char mark[] = "executing program";
	size_t at = 0, end, paren;

	if (memmem(text, size, mark, sizeof(mark) - 1) && !has_line(text, size, "tasks:"))
		return true;
	while (at < size && (strchr(" \t\r\n", text[at]) || text[at] == '#')) {
		if (text[at] == '#') {
			const char *eol = memchr(text + at, '\n', size - at);

			at = eol ? (size_t)(eol - text) : size;
		} else {
			at++;
		}
	}
	for (end = at; end < size && text[end] != '\n' && text[end] != ':';)
		end++;
	for (paren = at; paren < end && text[paren] != '(';)
		paren++;
	return paren > at && paren < end && text[at] != '{' && text[at] != '[';
}

/* Other names may be anything: crash logs have none of their own. */
static bool is_yaml(const char *name)
{
	return ends_with(name, ".yaml") || ends_with(name, ".yml");
}

static struct scenario *parse(const char *name, const char *text, size_t size,
			      const struct scenario_how *how, struct scenario_error *err)
{
	struct scenario *s;

	if (ends_with(name, ".c")) {
		memset(err, 0, sizeof(*err));
		snprintf(err->file, sizeof(err->file), "%.255s", name);
		scenario_error_at(err, 0, 0, "C source, expected a scenario or a program: compile it, "
					     "and run it with `iommulab exec`");
		return NULL;
	}
	if (!is_yaml(name) && (ends_with(name, ".syz") || looks_like_syz(text, size)))
		return scenario_parse_syz(name, text, size, how, err);
	s = scenario_parse(name, text, size, err);
	if (!s || !how->threads_all || read_threads_all(s, err))
		return s;
	scenario_free(s);
	return NULL;
}

struct scenario *scenario_read_how(const char *path, const struct scenario_how *how,
				   struct scenario_error *err)
{
	struct scenario *s = NULL;
	char found[HOST_PATH_MAX], why[128];
	char *text;
	size_t size, max = is_yaml(path) ? SCENARIO_FILE_MAX : SYZ_TEXT_MAX;

	memset(err, 0, sizeof(*err));
	snprintf(err->file, sizeof(err->file), "%.255s", path);
	scenario_find(path, "", found, sizeof(found));
	if (!host_file_read(found, max, &text, &size, why, sizeof(why))) {
		scenario_error_at(err, 0, 0, "%s", why);
		return NULL;
	}
	if (size)
		s = parse(found, text, size, how, err);
	else
		scenario_error_at(err, 1, 1, "empty, expected a scenario");
	free(text);
	return s;
}

struct scenario *scenario_read(const char *path, struct scenario_error *err)
{
	return scenario_read_how(path, &(struct scenario_how){0}, err);
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	free(s->ops);
	free(s->edges);
	call_program_free(s->program);
	free(s->expect_title);
	free(s->about);
	free(s->yaml);
	free(s->path);
	free(s);
}

void scenario_error_print(const struct scenario_error *err, char *buf, size_t size)
{
	const char *file = strcmp(err->file, "-") == 0 ? "standard input" : err->file;

	if (err->line)
		snprintf(buf, size, "%s:%u:%u: %s", file, err->line, err->column, err->text);
	else
		snprintf(buf, size, "%s: %s", file, err->text);
}
