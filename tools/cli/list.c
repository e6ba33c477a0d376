// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab list: what there is to name on the command line and in a file.
 */
#include "core/uapi/op.h"
#include "core/uapi/uapi.h"
#include "sim/base/bits.h"
#include "sim/sched/policy.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* Rows of name and text; printed at once or collected for --json. */
struct list {
	struct json_object *rows; /* NULL: print */
};

static void row(struct list *l, const char *name, const char *text)
{
	struct json_object *o;

	if (!l->rows) {
		printf("%-34s %s\n", name, text);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "about", json_object_new_string(text));
	json_object_array_add(l->rows, o);
}

/* A folded text as one line. */
static void one_line(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		to[n++] = *from == '\n' ? ' ' : *from;
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static void scenario_row(void *arg, const char *path)
{
	struct scenario_error err;
	struct scenario *s = scenario_read(path, &err);
	char text[1024];

	if (s)
		one_line(s->about ? s->about : "", text, sizeof(text));
	else
		scenario_error_print(&err, text, sizeof(text));
	row(arg, s ? s->name : path, text);
	scenario_free(s);
}

static void list_scenarios(struct list *l)
{
	scenario_each(".", scenario_row, l);
	scenario_each("story", scenario_row, l);
	scenario_each("historic", scenario_row, l);
	scenario_each("hosted", scenario_row, l);
}

static void list_bugs(struct list *l)
{
	for (int i = 0; i < BUG_N; i++)
		row(l, bug_rows[i].id, bug_rows[i].sentence);
}

static void list_oracles(struct list *l)
{
	for (const struct oracle *const *o = oracle_table; *o; o++)
		row(l, (*o)->name, (*o)->help);
}

static void list_policies(struct list *l)
{
	for (const struct policy *const *p = policy_table; *p; p++)
		row(l, (*p)->name, (*p)->help);
}

static void machine_row(void *arg, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(base) - strlen(".yaml")), base);
	row(arg, name, path);
}

static void list_machines(struct list *l)
{
	scenario_each("machine", machine_row, l);
}

/* Fields that a program gives: lengths and constants follow by themselves. */
static void add_fields(char *name, size_t size, const struct uapi_field *field, u32 n, bool flat)
{
	for (u32 i = 0; i < n; i++) {
		const struct uapi_type *t = &field[i].type;
		size_t at = strlen(name);

		if (t->kind == UAPI_PAD || t->kind == UAPI_CONST || (t->kind == UAPI_LEN && !t->of))
			continue;
		if (flat && t->kind == UAPI_PTR && t->to->kind == UAPI_STRUCT)
			add_fields(name, size, t->to->layout->field, t->to->layout->n, false);
		else
			snprintf(name + at, size - at, "%s%s", strchr(name, ':') ? ", " : ": ",
				 field[i].name);
	}
}

static void list_verbs(struct list *l)
{
	for (u32 i = 0; i < uapi_calls_n; i++) {
		const struct uapi_call *c = &uapi_calls[i];
		char name[256];

		if (!c->verb)
			continue;
		snprintf(name, sizeof(name), "%s", c->verb);
		add_fields(name, sizeof(name), c->arg, c->n_args, true);
		row(l, name, c->doc);
	}
}

static void list_operations(struct list *l)
{
	for (int i = 0; i < OP_CODES; i++) {
		char name[128];
		size_t at = (size_t)snprintf(name, sizeof(name), "%s", op_rows[i].name);

		for (int k = 0; k < OP_ARGS_MAX && op_rows[i].arg[k].type != OPARG_NONE; k++) {
			bool optional = op_rows[i].arg[k].type == OPARG_NUM_OPT;

			at += (size_t)snprintf(name + at, sizeof(name) - at, "%s%s%s%s",
					       k ? ", " : ": ", optional ? "[" : "",
					       op_rows[i].arg[k].name, optional ? "]" : "");
		}
		row(l, name, op_rows[i].doc);
	}
	list_verbs(l);
}

static void add_word(char *to, size_t size, const char *word)
{
	size_t n = strlen(to);

	if (!strstr(to, word))
		snprintf(to + n, size - n, "%s%s", n ? " " : "", word);
}

/* Resources that stand in the type: those that the call takes and those that it gives. */
static void resources(const struct uapi_type *t, bool out, char *takes, char *gives, size_t size)
{
	out |= t->dir == UAPI_OUT;
	if (t->kind == UAPI_RES) {
		if (!out)
			add_word(takes, size, t->resource->name);
		if (out || t->dir == UAPI_INOUT)
			add_word(gives, size, t->resource->name);
	}
	for (u32 i = 0; t->kind == UAPI_STRUCT && i < t->layout->n; i++)
		resources(&t->layout->field[i].type, out, takes, gives, size);
	if (t->to)
		resources(t->to, out, takes, gives, size);
}

/* "0x3b81, at least 12 bytes; fd_iommufd -> ioas_handle: Make an empty I/O address space." */
static void list_calls(struct list *l)
{
	for (u32 i = 0; i < uapi_calls_n; i++) {
		const struct uapi_call *c = &uapi_calls[i];
		char text[512], takes[128] = "", gives[128] = "", size[32] = "";

		for (u32 k = 0; k < c->n_args; k++)
			resources(&c->arg[k].type, false, takes, gives, sizeof(takes));
		if (c->ret)
			add_word(gives, sizeof(gives), c->ret->name);
		if (c->min_size)
			snprintf(size, sizeof(size), ", at least %u bytes", c->min_size);
		snprintf(text, sizeof(text), "%s%llx%s%s%s%s%s: %s", c->cmd ? "0x" : "call 0x",
			 (unsigned long long)(c->cmd ? c->cmd : (u64)labs(c->nr)), size,
			 takes[0] ? "; " : "", takes, gives[0] ? " -> " : "", gives, c->doc);
		row(l, c->name, text);
	}
}

static const struct {
	const char *name;
	void (*list)(struct list *l);
} lists[] = {
	{"scenarios", list_scenarios}, {"bugs", list_bugs},	    {"oracles", list_oracles},
	{"policies", list_policies},   {"machines", list_machines}, {"operations", list_operations},
	{"calls", list_calls},
};

int cli_list(struct cli *c)
{
	const char *names[ARRAY_SIZE(lists)], *near;
	struct list l = {.rows = c->o.json ? json_object_new_array() : NULL};

	if (c->n_args != 1)
		return cli_fail("list: expected one of scenarios, bugs, oracles, policies, machines, "
				"operations, calls");
	for (u32 i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_object *doc;

		names[i] = lists[i].name;
		if (strcmp(c->args[0], lists[i].name) != 0)
			continue;
		lists[i].list(&l);
		if (!c->o.json)
			return CLI_OK;
		doc = cli_json_new("list");
		json_object_object_add(doc, "what", json_object_new_string(lists[i].name));
		json_object_object_add(doc, "rows", l.rows);
		return cli_json_write(doc, c->o.json);
	}
	near = scenario_did_you_mean(c->args[0], names, ARRAY_SIZE(lists));
	return cli_fail("list: unknown '%s', expected scenarios, bugs, oracles, policies, machines, "
			"operations or calls%s%s%s", c->args[0], near ? " (did you mean '" : "",
			near ? near : "", near ? "'?)" : "");
}
