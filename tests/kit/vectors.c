// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of vectors: blocks, tables, rows; each vector in a world of its own.
 */
#include "tests/kit/vectors_priv.h"

#include "sim/base/bits.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (4u << 20)
#define LINES_MAX 65536u
#define BLOCKS_MAX 256u

static bool tokens_of(struct vec *v, struct vec_line *l, u32 i)
{
	const char *from = v->line[i], *to = v->line[i + 1];

	v->number = i + 1;
	while (to > from && (to[-1] == '\n' || to[-1] == '\r'))
		to--;
	return vec_tokens(v, l, i + 1, from, (size_t)(to - from));
}

static struct vec_block *find_block(struct vec *v, const char *name, bool table)
{
	for (u32 i = 0; i < v->n_blocks; i++) {
		if (strcmp(v->block[i].name, name) == 0 && v->block[i].table == table)
			return &v->block[i];
	}
	return NULL;
}

static bool set_param(struct vec *v, struct vec_scope *s, u32 i, const struct vec_token *t,
		      const char *value)
{
	if (strlen(value) >= sizeof(s->value[0]))
		return vec_error(v, t->column, "a value of more than %zu characters",
				 sizeof(s->value[0]) - 1);
	strcpy(s->value[i], value);
	return true;
}

/* The parameters of a block or table: "name" or "name=default". */
static bool read_params(struct vec *v, struct vec_block *b, const struct vec_line *l)
{
	for (u32 i = 2; i < l->n; i++) {
		const struct vec_token *t = &l->token[i];
		char *equal = strchr(t->text, '=');
		u32 n = b->params.n;

		if (n == VEC_PARAMS)
			return vec_error(v, t->column, "more than %u parameters", VEC_PARAMS);
		if (equal)
			*equal = 0;
		if (!*t->text || strlen(t->text) >= sizeof(b->params.name[0]))
			return vec_error(v, t->column, "a parameter's name has 1 to %zu characters",
					 sizeof(b->params.name[0]) - 1);
		strcpy(b->params.name[n], t->text);
		b->has_default[n] = equal;
		if (equal && !set_param(v, &b->params, n, t, equal + 1))
			return false;
		b->params.n++;
	}
	return true;
}

/* Index of the line with the `end` that belongs to what begins before `from`. */
static bool find_end(struct vec *v, struct vec_line *l, u32 from, u32 *at)
{
	u32 number = v->number;

	for (u32 i = from; i < v->n_lines; i++) {
		if (!tokens_of(v, l, i))
			return false;
		if (l->n && !l->token[0].quoted && strcmp(l->token[0].text, "end") == 0) {
			*at = i;
			return true;
		}
	}
	v->number = number;
	return vec_error(v, 1, "it has no end");
}

static bool read_block(struct vec *v, const struct vec_line *l, struct vec_line *scratch, u32 *i)
{
	struct vec_block *b = &v->block[v->n_blocks];
	u32 head = *i;

	if (v->n_blocks == BLOCKS_MAX)
		return vec_error(v, 1, "more than %u blocks", BLOCKS_MAX);
	if (l->n < 2 || strlen(l->token[1].text) >= sizeof(b->name))
		return vec_error(v, l->token[0].column, "expected a name behind it");
	memset(b, 0, sizeof(*b));
	b->table = strcmp(l->token[0].text, "table") == 0;
	strcpy(b->name, l->token[1].text);
	if (find_block(v, b->name, b->table))
		return vec_error(v, l->token[1].column, "'%s' is there already", b->name);
	if (!read_params(v, b, l) || !find_end(v, scratch, head + 1, i))
		return false;
	b->first = head + 1;
	b->last = *i;
	v->n_blocks++;
	return true;
}

/* --- vectors --- */

static bool run_lines(struct vec *v, u32 first, u32 last, const struct vec_scope *scope, u32 depth);

static bool use(struct vec *v, const struct vec_line *l, const struct vec_scope *scope, u32 depth)
{
	const struct vec_block *b = l->n > 1 ? find_block(v, l->token[1].text, false) : NULL;
	struct vec_scope *inner;
	bool given[VEC_PARAMS] = {false}, ok = true;
	u32 number = v->number;

	if (!b)
		return vec_error(v, l->token[0].column, "use: expected a block's name");
	if (depth == VEC_DEPTH)
		return vec_error(v, l->token[0].column, "blocks in blocks deeper than %u", VEC_DEPTH);
	inner = malloc(sizeof(*inner));
	if (!inner)
		return vec_error(v, 1, "no memory");
	*inner = b->params;
	inner->outer = scope;
	for (u32 i = 2; ok && i < l->n; i++) {
		const struct vec_token *t = &l->token[i];
		char *equal = strchr(t->text, '=');
		u32 p = 0;

		if (equal)
			*equal = 0;
		while (p < inner->n && strcmp(inner->name[p], t->text))
			p++;
		if (!equal || p == inner->n)
			ok = vec_error(v, t->column, "'%s' is no parameter of %s", t->text, b->name);
		else
			ok = set_param(v, inner, p, t, equal + 1);
		if (ok)
			given[p] = true;
	}
	for (u32 p = 0; ok && p < inner->n; p++) {
		if (!given[p] && !b->has_default[p])
			ok = vec_error(v, l->token[0].column, "%s needs %s=", b->name,
				       inner->name[p]);
	}
	ok = ok && run_lines(v, b->first, b->last, inner, depth + 1);
	free(inner);
	if (ok)
		v->number = number;
	return ok;
}

static bool own_options(struct vec *v, const struct vec_line *l)
{
	if (l->n != 2 || v->started || strlen(l->token[1].text) >= sizeof(v->own_options))
		return vec_error(v, l->token[0].column,
				 "expected one text, before all other statements");
	strcpy(v->own_options, l->token[1].text);
	return true;
}

static bool run_line(struct vec *v, struct vec_line *raw, struct vec_line *l,
		     const struct vec_scope *scope, u32 depth)
{
	if (!vec_substitute(v, l, raw, scope) || !l->n)
		return !l->n && !v->failed;
	if (strcmp(l->token[0].text, "use") == 0)
		return use(v, l, scope, depth);
	if (strcmp(l->token[0].text, "options") == 0)
		return own_options(v, l);
	return vec_statement(v, l);
}

static bool run_lines(struct vec *v, u32 first, u32 last, const struct vec_scope *scope, u32 depth)
{
	struct vec_line *raw = malloc(2 * sizeof(*raw)), *l = raw + 1;
	bool ok = raw || vec_error(v, 1, "no memory");

	for (u32 i = first; ok && i < last; i++)
		ok = tokens_of(v, raw, i) && (!raw->n || run_line(v, raw, l, scope, depth));
	free(raw);
	return ok;
}

/* As often as it is run: nobody watches (models have quick ways for that); somebody does. */
static void run_once(struct vec *v, u32 first, u32 last, const struct vec_scope *scope,
		     const char *title)
{
	snprintf(v->title, sizeof(v->title), "%s%s", title, v->watched ? " (watched)" : "");
	strcpy(v->own_options, v->options);
	run_lines(v, first, last, scope, 0);
	vec_finish(v);
	v->title[0] = 0;
}

/* head: vector "title" spec "section", or row TABLE "title" spec "section" values. */
static bool run_vector(struct vec *v, u32 first, u32 last, const struct vec_scope *scope,
		       const char *title)
{
	u32 number = v->number;

	/* Of a twist, one that notices is enough. */
	if (v->twist && v->r->failed)
		return true;
	v->failed = v->watched = v->unfit = v->expects = false;
	run_once(v, first, last, scope, title);
	if (v->dry && !v->failed && !v->expects)
		vec_error(v, 1, "it expects nothing");
	v->watched = !v->dry && !v->failed && !v->twist;
	if (v->watched)
		run_once(v, first, last, scope, title);
	v->number = number;
	if (!v->dry && v->unfit)
		return true;
	if (!v->dry) {
		v->r->vectors++;
		v->r->failed += v->failed;
		return true;
	}
	return !v->failed;
}

static bool head_good(struct vec *v, const struct vec_line *l, u32 at)
{
	if (l->n >= at + 3 && l->token[at].quoted && !strcmp(l->token[at + 1].text, "spec") &&
	    l->token[at + 2].quoted && *l->token[at + 2].text)
		return true;
	return vec_error(v, l->token[0].column, "expected \"title\" spec \"section\"");
}

static bool do_vector(struct vec *v, const struct vec_line *l, struct vec_line *scratch, u32 *i)
{
	u32 head = *i, number = v->number;

	if (!head_good(v, l, 1))
		return false;
	if (l->n != 4)
		return vec_error(v, l->token[4].column, "nothing is expected here");
	if (!find_end(v, scratch, head + 1, i))
		return false;
	v->number = number;
	return run_vector(v, head + 1, *i, NULL, l->token[1].text);
}

static bool do_row(struct vec *v, const struct vec_line *l)
{
	const struct vec_block *b = l->n > 1 ? find_block(v, l->token[1].text, true) : NULL;
	struct vec_scope *s;
	bool ok = true;

	if (!b)
		return vec_error(v, l->token[0].column, "row: expected a table's name");
	if (!head_good(v, l, 2))
		return false;
	if (l->n - 5 > b->params.n)
		return vec_error(v, l->token[5 + b->params.n].column, "%s has %u values", b->name,
				 b->params.n);
	s = malloc(sizeof(*s));
	if (!s)
		return vec_error(v, 1, "no memory");
	*s = b->params;
	s->outer = NULL;
	for (u32 p = 0; ok && p < s->n; p++) {
		if (5 + p < l->n)
			ok = set_param(v, s, p, &l->token[5 + p], l->token[5 + p].text);
		else if (!b->has_default[p])
			ok = vec_error(v, l->token[0].column, "%s needs a value for %s", b->name,
				       s->name[p]);
	}
	ok = ok && run_vector(v, b->first, b->last, s, l->token[2].text);
	free(s);
	return ok;
}

/* --- files --- */

static bool do_const(struct vec *v, const struct vec_line *l)
{
	struct vec_name *n = &v->name[v->n_names];
	u64 value;

	if (l->n != 3 || strlen(l->token[1].text) >= sizeof(n->name))
		return vec_error(v, l->token[0].column, "expected const NAME NUMBER");
	if (v->n_names == VEC_NAMES)
		return vec_error(v, 1, "more than %u consts", VEC_NAMES);
	if (!vec_number(v, &l->token[2], l->token[2].text, &value))
		return false;
	strcpy(n->name, l->token[1].text);
	n->value = value;
	v->n_names++;
	return true;
}

static bool do_ram(struct vec *v, const struct vec_line *l)
{
	u64 size;

	if (l->n != 2 || !vec_number(v, &l->token[1], l->token[1].text, &size))
		return vec_error(v, l->token[0].column, "expected ram BYTES");
	if (size < 4096 || size > VEC_RAM_MAX || size % 4096)
		return vec_error(v, l->token[1].column, "expected 4K to 64M, whole pages");
	v->ram_size = size;
	return true;
}

static bool do_top(struct vec *v, struct vec_line *l, struct vec_line *scratch, u32 *i)
{
	const char *word = l->token[0].text;

	if (strcmp(word, "model") == 0)
		return (l->n == 2 && strcmp(l->token[1].text, v->ops->name) == 0) ||
		       vec_error(v, l->token[0].column, "expected model %s", v->ops->name);
	if (strcmp(word, "options") == 0) {
		if (l->n != 2 || strlen(l->token[1].text) >= sizeof(v->options))
			return vec_error(v, l->token[0].column, "expected options \"TEXT\"");
		strcpy(v->options, l->token[1].text);
		return true;
	}
	if (strcmp(word, "ram") == 0)
		return do_ram(v, l);
	if (strcmp(word, "const") == 0)
		return do_const(v, l);
	if (strcmp(word, "block") == 0 || strcmp(word, "table") == 0)
		return read_block(v, l, scratch, i);
	if (strcmp(word, "vector") == 0)
		return do_vector(v, l, scratch, i);
	if (strcmp(word, "row") == 0)
		return do_row(v, l);
	return vec_error(v, l->token[0].column,
			 "'%s': expected model, options, ram, const, block, table, vector or row", word);
}

static bool run_file(struct vec *v, bool dry)
{
	struct vec_line *l = malloc(2 * sizeof(*l));
	bool ok = l || vec_error(v, 1, "no memory"), first = true;

	v->dry = dry;
	v->n_names = v->n_blocks = 0;
	v->options[0] = 0;
	v->ram_size = 16u << 20;
	for (u32 i = 0; ok && i < v->n_lines; i++) {
		v->failed = false;
		ok = tokens_of(v, l, i);
		if (!ok || !l->n)
			continue;
		if (first && strcmp(l->token[0].text, "model"))
			ok = vec_error(v, l->token[0].column, "the first statement has to be model");
		first = false;
		ok = ok && do_top(v, l, l + 1, &i);
	}
	free(l);
	return ok;
}

static bool split(struct vec *v, const char *text, size_t size)
{
	v->line = calloc(LINES_MAX + 1, sizeof(*v->line));
	v->block = calloc(BLOCKS_MAX, sizeof(*v->block));
	if (!v->line || !v->block)
		return vec_error(v, 1, "no memory");
	if (size > FILE_MAX)
		return vec_error(v, 1, "more than %u bytes", FILE_MAX);
	for (const char *p = text, *end = text + size; p < end; v->n_lines++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (v->n_lines == LINES_MAX)
			return vec_error(v, 1, "more than %u lines", LINES_MAX);
		v->line[v->n_lines] = p;
		p = nl ? nl + 1 : end;
	}
	v->line[v->n_lines] = text + size;
	return true;
}

static void run_text(const struct hw_iommu_ops *ops, const char *name, const char *text,
		     size_t size, const struct vectors_twist *twist, struct vectors_report *r)
{
	struct vec *v = calloc(1, sizeof(*v));

	if (!v) {
		r->bad = true;
		return;
	}
	v->ops = ops;
	v->file = name;
	v->r = r;
	v->twist = twist;
	v->dry = true;
	if (split(v, text, size) && run_file(v, true))
		run_file(v, false);
	free(v->line);
	free(v->block);
	free(v);
}

void vectors_run_text(const struct hw_iommu_ops *ops, const char *name, const char *text,
		      size_t size, struct vectors_report *r)
{
	run_text(ops, name, text, size, NULL, r);
}

static int is_vectors(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 4 && strcmp(d->d_name + len - 4, ".vec") == 0;
}

static void run_path(const struct hw_iommu_ops *ops, const char *path,
		     const struct vectors_twist *twist, struct vectors_report *r)
{
	char *text = malloc(FILE_MAX + 1);
	FILE *f = fopen(path, "rb");
	size_t size = 0;

	if (f && text)
		size = fread(text, 1, FILE_MAX + 1, f);
	if (!f || !text || ferror(f))
		r->bad = true;
	else
		run_text(ops, path, text, size, twist, r);
	if (f)
		fclose(f);
	free(text);
}

void vectors_run_twisted(const struct hw_iommu_ops *ops, const char *dir,
			 const struct vectors_twist *twist, struct vectors_report *r)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_vectors, alphasort);

	if (n <= 0)
		r->bad = true;
	for (int i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		run_path(ops, path, twist, r);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

void vectors_run_dir(const struct hw_iommu_ops *ops, const char *dir, struct vectors_report *r)
{
	vectors_run_twisted(ops, dir, NULL, r);
}
