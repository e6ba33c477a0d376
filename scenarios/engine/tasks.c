// SPDX-License-Identifier: GPL-2.0-only
/*
 * The `tasks:` section: each entry of a task is one row of ops.def, or a system
 * call (verbs.c).
 *
 *	{probe: nic0}                                   first argument alone
 *	{claim: {device: nic0, owner: vm1, ret: EBUSY}} all by name
 *	{probe: nic0, ret: ENODEV, repeat: 3}           beside the verb
 *	deferred                                        no argument at all
 */
#include "scenarios/engine/verbs_priv.h"

#include "hw/board/board.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/kapi/errno.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- error numbers --- */

static const struct {
	const char *name;
	int number;
} kernel_errors[] = {
	{"ERESTARTSYS", ERESTARTSYS},
	{"EPROBE_DEFER", EPROBE_DEFER},
	{"EOPENSTALE", EOPENSTALE},
	{"ENOTSUPP", ENOTSUPP},
};

/* "EBUSY" -> 16; 0 if there is no such error. */
static int errno_of(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(kernel_errors); i++) {
		if (strcmp(name, kernel_errors[i].name) == 0)
			return kernel_errors[i].number;
	}
	for (int e = 1; e < 256; e++) {
		const char *host = strerrorname_np(e);

		if (host && strcmp(name, host) == 0)
			return e;
	}
	return 0;
}

const char *scenario_errno_name(long ret)
{
	for (u32 i = 0; i < ARRAY_SIZE(kernel_errors); i++) {
		if (ret == -kernel_errors[i].number)
			return kernel_errors[i].name;
	}
	return ret < 0 && ret > -256 ? strerrorname_np((int)-ret) : NULL;
}

/* --- arguments by type --- */

/* A name that the program makes up: its index, added at first sight; -1 after an error. */
static int made_up(struct reader *r, const struct yaml_node *v, char (*names)[MACHINE_NAME_LEN],
		   u32 max, u32 *n)
{
	char name[MACHINE_NAME_LEN];

	if (!read_name(r, v, "a name", name))
		return -1;
	for (u32 i = 0; i < *n; i++) {
		if (strcmp(names[i], name) == 0)
			return (int)i;
	}
	if (*n == max) {
		read_error(r, v, "more than %u different names here, expected fewer", max);
		return -1;
	}
	strcpy(names[*n], name);
	return (int)(*n)++;
}

static void arg_none(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	(void)arg;
	read_error(r, v, "an argument, expected none");
}

static void arg_iommu(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	*arg = read_iommu_ref(r, v);
}

static void arg_device(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	*arg = read_device_ref(r, v);
}

static void arg_domain(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	int i = made_up(r, v, r->s->domain_names, OP_DOMAINS_MAX, &r->s->n_domains);

	*arg = i < 0 ? 0 : (u64)i;
}

static void arg_owner(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	int i = made_up(r, v, r->s->owner_names, OP_OWNERS_MAX, &r->s->n_owners);

	*arg = (u64)(i + 1);
}

static void arg_driver(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	struct words w = {kernel_driver_names, KERNEL_DRIVERS_N};
	int i = read_word(r, v, &w, "driver");

	*arg = i < 0 ? 0 : (u64)i;
}

static void arg_number(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	read_number(r, v, 0, ~0ULL, arg);
}

static void arg_domtype(struct reader *r, const struct yaml_node *v, u64 *arg)
{
	struct words w = {op_domtype_names, OP_DOMTYPES};
	int i = read_word(r, v, &w, "domain type");

	*arg = i < 0 ? 0 : (u64)i;
}

static const struct {
	void (*read)(struct reader *r, const struct yaml_node *v, u64 *arg);
	bool optional;
} arg_types[] = {
	[OPARG_NONE] = {arg_none, true},
	[OPARG_IOMMU] = {arg_iommu, false},
	[OPARG_DEVICE] = {arg_device, false},
	[OPARG_DOMAIN] = {arg_domain, false},
	[OPARG_OWNER] = {arg_owner, false},
	[OPARG_DRIVER] = {arg_driver, false},
	[OPARG_NUM] = {arg_number, false},
	[OPARG_NUM_OPT] = {arg_number, true},
	[OPARG_SIZE] = {arg_number, false},
	[OPARG_DOMTYPE] = {arg_domtype, false},
};

/* --- one operation --- */

static void read_ret(struct reader *r, const struct yaml_node *v, struct scenario_op *op)
{
	u64 n;
	int e;

	if (op->has_ret) {
		read_error(r, v, "'ret' is here twice, expected it once");
		return;
	}
	op->has_ret = true;
	if (!read_kind(r, v, YAML_TEXT, "an error's name or a number"))
		return;
	e = errno_of(v->text[0] == '-' ? v->text + 1 : v->text);
	if (e) {
		op->ret = -e;
		return;
	}
	if (v->text[0] < '0' || v->text[0] > '9') {
		read_error(r, v, "unknown error '%s', expected a name as EBUSY, 0 or a positive number",
			   scenario_quote(v->text, v->len).text);
		return;
	}
	if (read_number(r, v, 0, LONG_MAX, &n))
		op->ret = (long)n;
}

static int arg_find(const struct op_row *row, const char *name)
{
	for (int i = 0; i < OP_ARGS_MAX; i++) {
		if (row->arg[i].type != OPARG_NONE && strcmp(row->arg[i].name, name) == 0)
			return i;
	}
	return -1;
}

static void unknown_arg(struct reader *r, const struct yaml_node *key, const struct op_row *row)
{
	const char *names[OP_ARGS_MAX + 1], *near;
	char list[128] = "";
	u32 n = 0;

	for (int i = 0; i < OP_ARGS_MAX; i++) {
		if (row->arg[i].type != OPARG_NONE)
			names[n++] = row->arg[i].name;
	}
	names[n++] = "ret";
	for (u32 i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 !i ? "" : i + 1 == n ? " or " : ", ", names[i]);
	near = scenario_did_you_mean(key->text, names, n);
	read_error(r, key, "unknown key '%s' in %s, expected %s%s%s%s",
		   scenario_quote(key->text, key->len).text, row->name, list,
		   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static void read_args(struct reader *r, const struct yaml_node *at, const struct yaml_node *v,
		      struct scenario_op *op)
{
	const struct op_row *row = &op_rows[op->op.code];
	const struct yaml_node *node[OP_ARGS_MAX] = {NULL};
	char text[128];
	u32 given = 0, bad;

	for (int i = 0; op->op.code >= OP_BOARD_FIRST && i < OP_ARGS_MAX; i++) {
		if (row->arg[i].type == OPARG_NUM_OPT)
			op->op.arg[i] = OP_NONE;
	}
	if (v && v->kind == YAML_MAP) {
		for (const struct yaml_link *l = v->first; l; l = l->next) {
			int i = arg_find(row, l->key->text);

			if (i >= 0) {
				given |= 1U << i;
				node[i] = l->value;
				arg_types[row->arg[i].type].read(r, l->value, &op->op.arg[i]);
			} else if (strcmp(l->key->text, "ret") == 0) {
				read_ret(r, l->value, op);
			} else {
				unknown_arg(r, l->key, row);
			}
		}
	} else if (v && !read_is_null(v)) {
		given = 1;
		arg_types[row->arg[0].type].read(r, v, &op->op.arg[0]);
	}
	for (int i = 0; i < OP_ARGS_MAX; i++) {
		if (!arg_types[row->arg[i].type].optional && !(given >> i & 1))
			read_error(r, at, "no '%s' for %s, expected one", row->arg[i].name,
				   row->name);
	}
	if (!r->err->text[0] && !board_check_op(&r->s->machine, &op->op, &bad, text,
						     sizeof(text)))
		read_error(r, node[bad] ? node[bad] : at, "%s", text);
}

static void unknown_verb(struct reader *r, const struct yaml_node *v)
{
	const char **names = calloc(OP_CODES + uapi_calls_n, sizeof(*names)), *near;
	u32 n = 0;

	sim_assert(names);
	for (u32 i = 0; i < OP_CODES; i++)
		names[n++] = op_rows[i].name;
	for (u32 i = 0; i < uapi_calls_n; i++) {
		if (uapi_calls[i].verb)
			names[n++] = uapi_calls[i].verb;
	}
	near = scenario_did_you_mean(v->text, names, n);
	free(names);
	read_error(r, v, "unknown operation '%s', expected one of `iommulab list operations`%s%s%s",
		   scenario_quote(v->text, v->len).text, near ? " (did you mean '" : "",
		   near ? near : "", near ? "'?)" : "");
}

/* The verb and its arguments (NULL: none) into *op; false after an error. */
static bool read_verb(struct reader *r, const struct yaml_node *verb, const struct yaml_node *v,
		      struct scenario_op *op)
{
	const struct uapi_call *row;
	int code = op_find(verb->text);

	if (code >= 0) {
		op->op.code = (u16)code;
		read_args(r, verb, v, op);
		return true;
	}
	row = verb_find(verb->text);
	if (!row) {
		unknown_verb(r, verb);
		return false;
	}
	verb_read(r, row, verb, v, op);
	if (!v || v->kind != YAML_MAP)
		return true;
	for (const struct yaml_link *l = v->first; l; l = l->next) {
		if (strcmp(l->key->text, "ret") == 0)
			read_ret(r, l->value, op);
		else if (strcmp(l->key->text, "as") == 0)
			verb_read_as(r, l->value, op);
	}
	return true;
}

/* Keys beside the verb; false: it is none of them. */
static bool read_beside(struct reader *r, const struct yaml_link *l, struct scenario_op *op,
			u64 *repeat)
{
	if (strcmp(l->key->text, "ret") == 0)
		read_ret(r, l->value, op);
	else if (strcmp(l->key->text, "repeat") == 0)
		read_number(r, l->value, 1, SCENARIO_OPS_MAX, repeat);
	else
		return false;
	return true;
}

/* One entry; false: it is none (an error, or `process: NAME`, which holds for those behind it). */
static bool read_op(struct reader *r, const struct yaml_node *v, struct scenario_op *op,
		    u64 *repeat)
{
	const struct yaml_node *as = NULL, *fail = NULL;
	bool found = false;

	*repeat = 1;
	memset(op, 0, sizeof(*op));
	op->line = v->line;
	op->column = v->column;
	if (v->kind == YAML_TEXT && v->len && !read_is_null(v))
		return read_verb(r, v, NULL, op);
	if (!read_kind(r, v, YAML_MAP, "an operation: {probe: nic0}"))
		return false;
	if (v->n == 1 && strcmp(v->first->key->text, "process") == 0) {
		u32 process = verb_process(r, v->first->value, false);

		r->verbs->in_process = process;
		return false;
	}
	for (const struct yaml_link *l = v->first; l && !r->err->text[0]; l = l->next) {
		if (read_beside(r, l, op, repeat))
			continue;
		if (strcmp(l->key->text, "as") == 0)
			as = l->value;
		else if (strcmp(l->key->text, "fail_nth") == 0)
			fail = l->value;
		else if (found)
			read_error(r, l->key, "second operation '%s' in one entry, expected a list "
				   "entry of its own", scenario_quote(l->key->text, l->key->len).text);
		else
			found = read_verb(r, l->key, l->value, op);
	}
	if (as && found)
		verb_read_as(r, as, op);
	if (fail && found)
		verb_read_fail(r, fail, op);
	/* Who waits wants it to come: a time-out is another result than that. */
	if (found && !op->call && !op->has_ret && board_waits(op->op.code))
		op->has_ret = true;
	if (!found)
		read_error(r, v, "no operation in this entry, expected one as {probe: nic0}");
	return found;
}

static void add_ops(struct reader *r, const struct yaml_node *at, const struct scenario_op *op,
		    u64 repeat)
{
	struct scenario *s = r->s;

	if (repeat > SCENARIO_OPS_MAX - s->n_ops) {
		read_error(r, at, "more than %d operations, expected fewer", SCENARIO_OPS_MAX);
		return;
	}
	for (u64 i = 0; i < repeat; i++) {
		s->ops[s->n_ops] = *op;
		if (i && op->call)
			s->ops[s->n_ops].call = verb_again(r, op->call);
		s->n_ops++;
	}
}

static void read_task(struct reader *r, const struct yaml_link *l)
{
	struct scenario *s = r->s;
	struct scenario_task *t = &s->task[s->n_tasks];
	char name[MACHINE_NAME_LEN];

	if (s->n_tasks == SCENARIO_TASKS_MAX) {
		read_error(r, l->key, "more than %d tasks, expected fewer", SCENARIO_TASKS_MAX);
		return;
	}
	if (!read_name(r, l->key, "a task's name", name))
		return;
	if (strlen(name) >= TASK_NAME_LEN) {
		read_error(r, l->key, "task name of %zu letters, expected at most %d", strlen(name),
			   TASK_NAME_LEN - 1);
		return;
	}
	strcpy(t->name, name);
	t->first = s->n_ops;
	s->n_tasks++;
	if (r->verbs)
		r->verbs->in_process = 0;
	if (!read_kind(r, l->value, YAML_LIST, "a list of operations"))
		return;
	if (!l->value->n)
		read_error(r, l->value, "an empty task, expected at least one operation");
	for (const struct yaml_link *e = l->value->first; e && !r->err->text[0]; e = e->next) {
		struct scenario_op op;
		u64 repeat;

		if (read_op(r, e->value, &op, &repeat) && !r->err->text[0])
			add_ops(r, e->value, &op, repeat);
	}
	t->n = s->n_ops - t->first;
}

void read_tasks(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	struct scenario *s = member;

	(void)aux;
	if (!read_kind(r, v, YAML_MAP, "a mapping of tasks"))
		return;
	if (!v->n)
		read_error(r, v, "no task, expected at least one");
	s->ops = calloc(SCENARIO_OPS_MAX, sizeof(*s->ops));
	sim_assert(s->ops);
	for (const struct yaml_link *l = v->first; l && !r->err->text[0]; l = l->next)
		read_task(r, l);
	verb_end(r);
	if (!r->err->text[0])
		read_signals(r);
}
