// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts as text or as JSON, one line each:
 *
 *	   57 T2:17 lock lock=heap+0xa40 class=0x8 mode=0x1 subclass=0 at core/a.c:12 (f)
 *	{"step":57,"task":2,"op":17,"fact":"LOCK_ACQUIRE","lock":"heap+0xa40",...}
 *
 * Nothing printed depends on where the program or its libraries were loaded.
 */
#include "sim/trace/trace.h"

#include "sim/base/assert.h"

#include <stdlib.h>
#include <string.h>

#define ARG_TEXT 96
#define WALK_MAX 32

struct trace_printer {
	struct world *world;
	FILE *out;
	enum trace_format format;
};

/* How an argument is written is the last letter of its name. */
enum arg_kind { ARG_NUMBER, ARG_HEAP, ARG_HEX, ARG_STRING };

static enum arg_kind kind_of(const char *name, size_t *len)
{
	static const char marks[] = {[ARG_HEAP] = '*', [ARG_HEX] = '%', [ARG_STRING] = '$'};
	size_t n = strlen(name);

	for (u32 k = ARG_HEAP; k <= ARG_STRING; k++) {
		if (n && name[n - 1] == marks[k]) {
			*len = n - 1;
			return k;
		}
	}
	*len = n;
	return ARG_NUMBER;
}

static void address_text(u64 a, char *buf, size_t size)
{
	if (a - HEAP_BASE < HEAP_END - HEAP_BASE)
		snprintf(buf, size, "heap+0x%llx",
			 (unsigned long long)((a - HEAP_BASE) % HEAP_SLOT));
	else if (a - STACK_BASE < WORLD_SLOTS * STACK_SLOT)
		snprintf(buf, size, "stack+0x%llx",
			 (unsigned long long)((a - STACK_BASE) % STACK_SLOT));
	else if (a < 0x10000000)
		snprintf(buf, size, "0x%llx", (unsigned long long)a);
	else
		snprintf(buf, size, "outside");
}

static void arg_text(enum arg_kind kind, u64 v, char *buf, size_t size)
{
	switch (kind) {
	case ARG_NUMBER:
		snprintf(buf, size, "%lld", (long long)v);
		break;
	case ARG_HEAP:
		address_text(v, buf, size);
		break;
	case ARG_HEX:
		snprintf(buf, size, "0x%llx", (unsigned long long)v);
		break;
	case ARG_STRING:
		snprintf(buf, size, "%s", v ? (const char *)(uintptr_t)v : "");
		break;
	}
}

void trace_fact_text(const struct fact *f, char *buf, size_t size)
{
	const struct fact_row *row = &fact_rows[f->kind];
	size_t at = (size_t)snprintf(buf, size, "%s", row->text);
	char text[ARG_TEXT];
	size_t len;

	for (u32 i = 0; i < 4 && row->arg[i][0]; i++) {
		enum arg_kind kind = kind_of(row->arg[i], &len);

		if (at >= size)
			return;
		arg_text(kind, f->arg[i], text, sizeof(text));
		at += (size_t)snprintf(buf + at, size - at, " %.*s=%s", (int)len, row->arg[i],
				       text);
	}
}

static void json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((u8)*s < 0x20)
			fprintf(out, "\\u%04x", (u8)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void print_json(struct trace_printer *p, const struct fact *f,
		       const struct trace_frame *at)
{
	const struct fact_row *row = &fact_rows[f->kind];
	char text[ARG_TEXT];
	size_t len;

	fprintf(p->out, "{\"step\":%llu,\"task\":%u,\"op\":%llu,\"fact\":\"%s\"",
		(unsigned long long)sched_steps(p->world->sched), f->task,
		(unsigned long long)f->op, row->name);
	for (u32 i = 0; i < 4 && row->arg[i][0]; i++) {
		enum arg_kind kind = kind_of(row->arg[i], &len);

		fprintf(p->out, ",\"%.*s\":", (int)len, row->arg[i]);
		arg_text(kind, f->arg[i], text, sizeof(text));
		if (kind == ARG_NUMBER)
			fprintf(p->out, "%s", text);
		else
			json_string(p->out, text);
	}
	if (at) {
		fprintf(p->out, ",\"file\":");
		json_string(p->out, at->file);
		fprintf(p->out, ",\"line\":%u,\"function\":", at->line);
		json_string(p->out, at->function);
	}
	fprintf(p->out, "}\n");
}

static void print_text(struct trace_printer *p, const struct fact *f,
		       const struct trace_frame *at)
{
	char text[4 * ARG_TEXT];

	trace_fact_text(f, text, sizeof(text));
	fprintf(p->out, "%6llu T%u:%llu %s", (unsigned long long)sched_steps(p->world->sched),
		f->task, (unsigned long long)f->op, text);
	if (at)
		fprintf(p->out, " at %s:%u (%s)", at->file, at->line, at->function);
	fputc('\n', p->out);
}

static void print(void *self, const struct fact *f)
{
	struct trace_printer *p = self;
	struct trace_frame frame;
	u64 pcs[WALK_MAX];
	u32 n = sched_stack(pcs, WALK_MAX);
	const struct trace_frame *at = trace_first_frame(pcs, n, &frame) ? &frame : NULL;

	if (p->format == TRACE_JSON)
		print_json(p, f, at);
	else
		print_text(p, f, at);
}

struct trace_printer *trace_print_to(struct world *w, FILE *out, enum trace_format format)
{
	struct trace_printer *p = calloc(1, sizeof(*p));

	sim_assert(p);
	trace_names_load();
	p->world = w;
	p->out = out;
	p->format = format;
	fact_subscribe(w->fact, FACT_ALL, print, p);
	return p;
}

void trace_print_end(struct trace_printer *p)
{
	if (!p)
		return;
	fact_unsubscribe(p->world->fact, print, p);
	free(p);
}
