// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file: its lines, headers and the programs in it; which row a call is.
 */
#include "scenarios/syz/syz_priv.h"
#include "scenarios/call/program.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_IOCTL 16
#define MARK "executing program"

/* --- which row --- */

static const struct uapi_call *row_of_ioctl(struct syz *s, const struct syz_line *l)
{
	u32 cmd = l->arg ? s->node[l->arg].next : 0;

	if (!cmd || s->node[cmd].kind != NODE_INT)
		return uapi_call_find("ioctl");
	return uapi_call_of(NR_IOCTL, s->node[cmd].value, NULL, 0);
}

/*
 * Names drift: an unknown variant of an ioctl is what its number says, one of
 * another call what the plain call is.
 */
static const struct uapi_call *row_of(struct syz *s, const struct syz_line *l)
{
	char name[SYZ_NAME_MAX + 1], *dollar;
	const struct uapi_call *row;

	memcpy(name, s->text + l->name, l->name_n);
	name[l->name_n] = '\0';
	row = uapi_call_find(name);
	dollar = strchr(name, '$');
	if (row || !dollar)
		return row;
	*dollar = '\0';
	row = strcmp(name, "ioctl") ? uapi_call_find(name) : row_of_ioctl(s, l);
	*dollar = '$';
	if (row)
		syz_note(s, l->name, "unknown variant %s, taken for %s", name, row->name);
	return row;
}

/* What a skipped call would have given has its default. */
static void skip(struct syz *s, const struct syz_line *l)
{
	bool pseudo = l->name_n > 4 && !memcmp(s->text + l->name, "syz_", 4);

	s->process = 0;
	if (++s->skipped > SYZ_CALLS_MAX)
		syz_fail(s, l->name, "more than %d unknown calls", SYZ_CALLS_MAX);
	syz_note(s, l->name, "%s '%.*s': skipped", pseudo ? "pseudo-syscall" : "unknown call",
		 (int)l->name_n, s->text + l->name);
	if (l->var_n)
		syz_define(s, l->var, l->var_n, 0, false);
	for (u32 i = 1; i < s->n_nodes && !s->failed; i++)
		if (s->node[i].def_n)
			syz_define(s, s->node[i].def, s->node[i].def_n, 0, false);
}

/* --- calls --- */

static void drop_call(struct call *c)
{
	for (u32 i = 0; i < c->n_in; i++)
		free((void *)(uintptr_t)c->in[i].data);
	free((void *)(uintptr_t)c->name);
	free(c->in);
	free(c->out);
	free(c->after);
	*c = (struct call){.result = CALL_NO_RESULT};
}

bool syz_has_room(struct syz *s, u32 at)
{
	if (s->p->n >= SYZ_CALLS_MAX) {
		syz_fail(s, at, "more than %d calls", SYZ_CALLS_MAX);
		return false;
	}
	s->p->call = syz_grow(s->p->call, s->p->n, &s->max_calls, sizeof(*s->p->call));
	return true;
}

static void finish_call(struct syz *s, const struct syz_line *l, const struct uapi_call *row)
{
	struct call_program *p = s->p;
	struct call *c = s->call;

	if (!syz_has_room(s, l->name))
		return;
	c->process = s->process;
	s->process = 0;
	syz_take_thread(s, c);
	c->nr = row->nr;
	c->row = row;
	c->name = strndup(s->text + l->name, l->name_n);
	c->line = s->line;
	c->column = l->name - s->line_at + 1;
	c->async = l->async;
	c->fail_nth = l->fail_nth;
	c->rerun = l->rerun;
	p->call[p->n++] = *c;
	*c = (struct call){.result = CALL_NO_RESULT};
	s->max_in = 0;
	s->max_out = 0;
	s->own_results = p->n_results;
}

/* Whatever its variant: an unknown one is taken for the call itself. */
static bool is_called(const struct syz *s, const struct syz_line *l, const char *name)
{
	const char *text = s->text + l->name, *variant = memchr(text, '$', l->name_n);
	size_t n = variant ? (size_t)(variant - text) : l->name_n;

	return n == strlen(name) && !memcmp(text, name, n);
}

static void call(struct syz *s, const struct syz_line *l)
{
	const struct uapi_call *row;

	if (is_called(s, l, "syz_fetch")) {
		syz_type_fetch(s, l);
		return;
	}
	row = row_of(s, l);
	if (!row) {
		skip(s, l);
		return;
	}
	if (is_called(s, l, "syz_store")) {
		struct syz_line store = *l;

		if (l->var_n)
			syz_note(s, l->name, "a store has no result");
		store.var_n = 0;
		syz_type_call(s, &store, row); /* the next call's */
		return;
	}
	syz_type_call(s, l, row);
	if (s->failed)
		return;
	finish_call(s, l, row);
}

/* --- headers: only what changes a run; faults as they were written until 2021 --- */

static bool find_number(const char *text, u32 n, const char *key, long *value)
{
	const char *at = memmem(text, n, key, strlen(key));
	long v = 0;

	if (!at)
		return false;
	at += strlen(key);
	while (at < text + n && (*at == ':' || *at == ' ' || *at == '"'))
		at++;
	if (at == text + n || *at < '0' || *at > '9')
		return false;
	for (; at < text + n && *at >= '0' && *at <= '9' && v < 1000000; at++)
		v = v * 10 + (*at - '0');
	*value = v;
	return true;
}

struct old_fault {
	bool there;
	long call, nth;
};

static void old_fault(struct old_fault *f, const char *text, u32 n)
{
	static const char *const keys[][3] = {
		{"Fault:true", "FaultCall", "FaultNth"},
		{"\"fault\":true", "\"fault_call\"", "\"fault_nth\""},
		{"fault-call:", "fault-call", "fault-nth"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		long call = 0, nth = 0;

		if (!memmem(text, n, keys[i][0], strlen(keys[i][0])))
			continue;
		if (!find_number(text, n, keys[i][1], &call))
			continue;
		find_number(text, n, keys[i][2], &nth);
		*f = (struct old_fault){true, call, nth};
	}
}

/* --- lines --- */

static void next_line(struct syz *s, u32 at)
{
	const char *end = memchr(s->text + at, '\n', s->size - at);

	s->at = at;
	s->line_at = at;
	s->end = end ? (u32)(end - s->text) : s->size;
	s->line++;
}

static bool blank(struct syz *s)
{
	while (s->at < s->end && strchr(" \t\r", s->text[s->at]) && s->text[s->at])
		s->at++;
	return s->at == s->end;
}

static bool marked(const struct syz *s)
{
	return memmem(s->text + s->line_at, s->end - s->line_at, MARK, sizeof(MARK) - 1);
}

/* Number of programs in a crash log; 0: it is none. */
static u32 count_marks(const struct syz *s)
{
	const char *at = s->text, *end = s->text + s->size;
	u32 n = 0;

	while ((at = memmem(at, (size_t)(end - at), MARK, sizeof(MARK) - 1))) {
		at += sizeof(MARK) - 1;
		n++;
	}
	return n;
}

/* A line of a log that is no call ends the program. */
static bool line_of_log(struct syz *s, struct syz_line *l)
{
	struct syz_error kept = *s->err;

	if (syz_read_line(s, l))
		return true;
	s->failed = false;
	*s->err = kept;
	return false;
}

static void read_all(struct syz *s, u32 marks, struct old_fault *fault)
{
	u32 wanted = s->o->program ? s->o->program : marks, seen = 0;
	bool within = !marks;

	for (u32 at = 0; at < s->size && !s->failed; at = s->end + 1) {
		struct syz_line l;

		next_line(s, at);
		if (marks && marked(s)) {
			within = ++seen == wanted;
			if (within)
				old_fault(fault, s->text + s->line_at, s->end - s->line_at);
			continue;
		}
		if (!within || blank(s))
			continue;
		if (s->text[s->at] == '#') {
			old_fault(fault, s->text + s->line_at, s->end - s->line_at);
			syz_comment(s);
			continue;
		}
		if (!marks && !syz_read_line(s, &l))
			break;
		if (marks && !line_of_log(s, &l))
			within = false;
		if (within)
			call(s, &l);
	}
}

static void finish(struct syz *s, const struct old_fault *fault)
{
	struct call_program *p = s->p;

	if (s->failed)
		return;
	if (!p->n) {
		syz_fail(s, s->line_at, "no calls in it");
		return;
	}
	if (s->call->n_in || s->call->n_out)
		syz_note(s, s->line_at, "stores without a call after them: dropped");
	if (fault->there && (u32)fault->call < p->n)
		p->call[fault->call].fail_nth = (u32)fault->nth + 1;
	p->area = syz_grow(p->area, p->n_areas + 1, &s->max_areas, sizeof(*p->area));
	if (s->used_base || !s->used_old)
		p->area[p->n_areas++] = (struct call_area){SYZ_BASE, SYZ_REGION};
	if (s->used_old)
		p->area[p->n_areas++] = (struct call_area){SYZ_BASE_OLD, SYZ_REGION};
}

struct call_program *syz_parse(const char *text, size_t size, const struct syz_options *o,
			       struct syz_error *err)
{
	static const struct syz_options none;
	struct call next = {.result = CALL_NO_RESULT};
	struct syz s = {.text = text,
			.size = (u32)size,
			.o = o ? o : &none,
			.err = err,
			.call = &next,
			.auto_at = 0x100000};
	struct old_fault fault = {0};
	u32 marks;

	*err = (struct syz_error){.line = 1, .column = 1};
	s.line = 1; /* what is wrong with the whole is said of its first line */
	if (size > SYZ_TEXT_MAX) {
		syz_fail(&s, 0, "a text of %zu bytes, expected at most 16 MiB", size);
		return NULL;
	}
	s.p = calloc(1, sizeof(*s.p));
	sim_assert(s.p);
	marks = count_marks(&s);
	if (s.o->program > (marks ? marks : 1))
		syz_fail(&s, 0, "program %u is asked, there are %u", s.o->program,
			 marks ? marks : 1);
	s.line = 0;
	read_all(&s, marks, &fault);
	s.line += !s.line;
	finish(&s, &fault);
	drop_call(&next);
	free(s.after);
	free(s.node);
	free(s.var);
	if (s.failed) {
		call_program_free(s.p);
		return NULL;
	}
	return s.p;
}
