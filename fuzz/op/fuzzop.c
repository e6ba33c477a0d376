// SPDX-License-Identifier: GPL-2.0-only
/*
 * From bytes to a program and back. Operations are dealt out to tasks in the
 * order of their records; a task keeps its own order.
 */
#include "fuzz/op/fuzzop_priv.h"

#include "scenarios/explore/recipe.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <string.h>

/* Arguments are whole: nothing may depend on what earlier runs have taught. */
const struct fuzzop_policy fuzzop_policies[FUZZOP_POLICIES] = {
	{"", ""},         {"rw", "1"},      {"rw", "3"},       {"rw", "8"},       {"rw", "20"},
	{"rw", "64"},     {"pos", ""},      {"pct", "2,100"},  {"pct", "2,600"},  {"pct", "3,300"},
	{"pct", "3,2000"}, {"pct", "5,600"}, {"list", ""},      {"list", ""},
};

static const u8 task_counts[16] = {2, 1, 3, 4, 2, 3, 4, 2, 2, 3, 4, 3, 5, 6, 7, 8};

static size_t cut(size_t at, size_t n, size_t size)
{
	return n < size - at ? at + n : size;
}

void fuzzop_layout(struct fuzzop_layout *l, const u8 *bytes, size_t size)
{
	size_t ops, sched;

	memset(l, 0, sizeof(*l));
	l->size = size;
	if (size < FUZZOP_HEAD) {
		l->machine = l->ops = l->sched = l->data = size;
		return;
	}
	ops = min(bytes[FUZZOP_HEAD_OPS], FUZZOP_OPS_MAX) * (size_t)FUZZOP_RECORD;
	sched = bytes[FUZZOP_HEAD_SCHED_LOW] | (size_t)bytes[FUZZOP_HEAD_SCHED_HIGH] << 8;
	l->machine = FUZZOP_HEAD;
	l->ops = cut(l->machine, bytes[FUZZOP_HEAD_MACHINE], size);
	l->sched = cut(l->ops, ops, size);
	l->data = cut(l->sched, sched, size);
}

/* --- one operation --- */

#define OPARG_TYPES (OPARG_DOMTYPE + 1)

/* How many values an argument has, and what the first is. */
struct arg_range {
	u32 n, first;
	const char *what;
};

static void arg_ranges(struct arg_range *range, const struct machine *m)
{
	range[OPARG_NONE] = (struct arg_range){.n = 1};
	range[OPARG_IOMMU] = (struct arg_range){m->n_iommus, 0, "this IOMMU"};
	range[OPARG_DEVICE] = (struct arg_range){m->n_devices, 0, "this device"};
	range[OPARG_DOMAIN] = (struct arg_range){FUZZOP_DOMAINS, 0, "this many domains"};
	range[OPARG_OWNER] = (struct arg_range){FUZZOP_OWNERS, 1, "this many owners"};
	range[OPARG_DRIVER] = (struct arg_range){KERNEL_DRIVERS_N, 0, "this driver"};
	range[OPARG_DOMTYPE] = (struct arg_range){OP_DOMTYPES, 0, "this type of domain"};
}

static u64 code_arg(struct fuzzop_codec *c, struct fuzzop_codec *data,
		    const struct arg_range *range, enum op_arg_type type, u64 v)
{
	u64 at;

	if (type == OPARG_NUM || type == OPARG_NUM_OPT)
		return fuzzop_code_num(c, data, v);
	if (type == OPARG_SIZE)
		return fuzzop_code_size(c, data, v);
	range += type;
	at = v - range->first;
	return range->first + fuzzop_code(c, at > 255 ? 256 : (u32)at, range->n, range->what);
}

static void code_op(struct fuzzop_codec *c, struct fuzzop_codec *data,
		    const struct arg_range *range, struct op *op)
{
	op->code = (u16)fuzzop_code(c, op->code, OP_CORE_CODES, "");
	for (u32 i = 0; i < OP_ARGS_MAX; i++)
		op->arg[i] = code_arg(c, data, range, op_rows[op->code].arg[i].type, op->arg[i]);
}

/* --- decoding --- */

/*
 * Domains and owners are numbered by first use, as the reader of YAML does:
 * so a program and its printed form are the same to the last bit.
 */
static void number_names(struct scenario *s)
{
	u32 domain[FUZZOP_DOMAINS] = {0}, owner[FUZZOP_OWNERS + 1] = {0};

	for (u32 i = 0; i < s->n_ops; i++) {
		struct op *op = &s->ops[i].op;

		for (u32 k = 0; k < OP_ARGS_MAX; k++) {
			enum op_arg_type type = op_rows[op->code].arg[k].type;
			u64 *v = &op->arg[k];

			if (type == OPARG_DOMAIN) {
				if (!domain[*v])
					domain[*v] = ++s->n_domains;
				*v = domain[*v] - 1;
			} else if (type == OPARG_OWNER) {
				if (!owner[*v])
					owner[*v] = ++s->n_owners;
				*v = owner[*v];
			}
		}
	}
}

/*
 * Records lie in input order; here each task gets its own, in that order. A
 * task without any does not exist; a program without any runs the deferred
 * probes, since a scenario file needs an operation.
 */
static void deal_out(struct fuzzop *p, const struct op *all, const u8 *task, u32 n)
{
	struct scenario *s = &p->scenario;
	u32 wanted = s->n_tasks;

	s->n_tasks = 0;
	s->n_ops = 0;
	s->ops = p->ops;
	for (u32 t = 0; t < wanted; t++) {
		u32 first = s->n_ops;

		for (u32 i = 0; i < n; i++) {
			if (task[i] == t)
				p->ops[s->n_ops++] = (struct scenario_op){.op = all[i]};
		}
		if (s->n_ops == first)
			continue;
		s->task[s->n_tasks].first = first;
		s->task[s->n_tasks].n = s->n_ops - first;
		s->n_tasks++;
	}
}

static void decode_ops(struct fuzzop *p, const u8 *bytes, size_t size, struct fuzzop_codec *data)
{
	struct op all[FUZZOP_OPS_MAX] = {{.code = OP_deferred}};
	u8 task[FUZZOP_OPS_MAX] = {0};
	u32 n = (u32)(size / FUZZOP_RECORD);
	struct arg_range range[OPARG_TYPES];

	arg_ranges(range, &p->scenario.machine);
	for (u32 i = 0; i < n; i++) {
		struct fuzzop_codec c = {.in = bytes + i * FUZZOP_RECORD, .n = FUZZOP_RECORD};

		task[i] = (u8)fuzzop_code(&c, 0, p->scenario.n_tasks, "");
		code_op(&c, data, range, &all[i]);
	}
	deal_out(p, all, task, n ? n : 1);
	number_names(&p->scenario);
}

/* A record: task, operation (two bytes; top bit: at a block, yield or end), target. */
static void decode_points(struct switch_point *point, u32 n, const u8 *bytes, u32 n_tasks)
{
	for (u32 i = 0; i < n; i++, bytes += FUZZOP_POINT) {
		struct switch_point p = {
			.task = bytes[0] % n_tasks,
			.to = bytes[3] % n_tasks,
			.op = 1 + (bytes[1] | (u32)(bytes[2] & 127) << 8),
			.why = bytes[2] & 128 ? WHY_BLOCK : WHY_PREEMPT,
		};
		u32 at = i;

		/* The policy wants each task's points in order. */
		for (; at && point[at - 1].op > p.op; at--)
			point[at] = point[at - 1];
		point[at] = p;
	}
}

/* Daemons that the kernel starts may be meant too: they come behind the tasks. */
static void decode_list(struct fuzzop *p, const u8 *bytes, size_t size)
{
	struct switch_point point[FUZZOP_POINTS_MAX];
	u32 n = (u32)min(size / FUZZOP_POINT, (size_t)FUZZOP_POINTS_MAX);

	decode_points(point, n, bytes, SCHED_FIRST_TASK + p->scenario.n_tasks + 2);
	recipe_points_print(point, n, p->arg, sizeof(p->arg));
}

static void decode_run(struct fuzzop *p, const struct fuzzop_layout *l, const u8 *bytes)
{
	const u8 *seed = bytes + FUZZOP_HEAD_SEED;
	const struct fuzzop_policy *row;
	struct world_run *r = &p->run;

	p->policy = bytes[FUZZOP_HEAD_POLICY] % FUZZOP_POLICIES;
	row = &fuzzop_policies[p->policy];
	r->seed = seed[0] | (u64)seed[1] << 8 | (u64)seed[2] << 16 | (u64)seed[3] << 24;
	r->fault_nth = bytes[FUZZOP_HEAD_FAULT];
	r->poison = bytes[FUZZOP_HEAD_POISON];
	r->policy_arg = row->arg;
	if (!*row->name)
		return;
	r->policy = policy_find(row->name, strlen(row->name));
	sim_assert(r->policy);
	if (!strcmp(row->name, "list")) {
		decode_list(p, bytes + l->sched, l->data - l->sched);
		r->policy_arg = p->arg;
		return;
	}
	r->bytes[CHOICE_SCHED] = bytes + l->sched;
	r->n_bytes[CHOICE_SCHED] = l->data - l->sched;
}

/* name0, name1, ... */
static void number(char *to, const char *stem, u32 i)
{
	size_t n = strlen(stem);

	memcpy(to, stem, n);
	to[n] = (char)('0' + i);
	to[n + 1] = '\0';
}

static void name_all(struct scenario *s)
{
	memcpy(s->name, "fuzz", 5);
	for (u32 i = 0; i < s->n_tasks; i++)
		number(s->task[i].name, "task", i);
	for (u32 i = 0; i < s->n_domains; i++)
		number(s->domain_names[i], "dom", i);
	for (u32 i = 0; i < s->n_owners; i++)
		number(s->owner_names[i], "owner", i);
}

void fuzzop_decode(struct fuzzop *p, const u8 *bytes, size_t size)
{
	static const u8 nothing[FUZZOP_HEAD];
	struct fuzzop_codec machine, data;
	struct fuzzop_layout l;

	if (size < FUZZOP_HEAD) {
		bytes = nothing;
		size = FUZZOP_HEAD;
	}
	fuzzop_layout(&l, bytes, size);
	machine = (struct fuzzop_codec){.in = bytes + l.machine, .n = l.ops - l.machine};
	data = (struct fuzzop_codec){.in = bytes + l.data, .n = l.size - l.data};
	memset(&p->scenario, 0, sizeof(p->scenario));
	memset(&p->run, 0, sizeof(p->run));
	p->arg[0] = '\0';
	p->scenario.n_tasks = task_counts[bytes[FUZZOP_HEAD_TASKS] & 15];
	fuzzop_code_machine(&machine, &p->scenario.machine, &data);
	decode_ops(p, bytes + l.ops, l.sched - l.ops, &data);
	name_all(&p->scenario);
	decode_run(p, &l, bytes);
}

/* --- encoding --- */

static u8 task_count_byte(u32 n)
{
	u8 i = 0;

	while (i < 15 && task_counts[i] != n)
		i++;
	return i;
}

static const char *too_much(const struct scenario *s, const struct fuzzop_choice *c)
{
	if (s->program)
		return "system calls";
	if (!s->machine.n_devices || !s->machine.n_iommus)
		return "a machine without devices or IOMMUs";
	if (!s->n_tasks || s->n_tasks > FUZZOP_TASKS_MAX)
		return "this many tasks";
	if (s->n_ops > FUZZOP_OPS_MAX)
		return "this many operations";
	if (c->policy >= FUZZOP_POLICIES || c->n_sched > 0xffff)
		return "this schedule";
	return NULL;
}

static void encode_head(const struct scenario *s, const struct fuzzop_choice *c, u8 *bytes)
{
	memset(bytes, 0, FUZZOP_HEAD);
	bytes[FUZZOP_HEAD_MACHINE] = FUZZOP_MACHINE_BYTES;
	bytes[FUZZOP_HEAD_OPS] = (u8)s->n_ops;
	bytes[FUZZOP_HEAD_SCHED_LOW] = (u8)c->n_sched;
	bytes[FUZZOP_HEAD_SCHED_HIGH] = (u8)(c->n_sched >> 8);
	bytes[FUZZOP_HEAD_TASKS] = task_count_byte(s->n_tasks);
	bytes[FUZZOP_HEAD_POLICY] = (u8)c->policy;
	bytes[FUZZOP_HEAD_FAULT] = c->fault_nth;
	bytes[FUZZOP_HEAD_POISON] = c->poison;
	for (u32 i = 0; i < 4; i++)
		bytes[FUZZOP_HEAD_SEED + i] = (u8)(c->seed >> 8 * i);
}

static void encode_ops(const struct scenario *s, struct fuzzop_codec *c, struct fuzzop_codec *data)
{
	struct arg_range range[OPARG_TYPES];

	arg_ranges(range, &s->machine);
	for (u32 t = 0; t < s->n_tasks; t++) {
		for (u32 i = 0; i < s->task[t].n; i++) {
			struct op op = s->ops[s->task[t].first + i].op;

			fuzzop_code(c, t, 256, "");
			code_op(c, data, range, &op);
		}
	}
}

size_t fuzzop_encode(const struct scenario *s, const struct fuzzop_choice *c, u8 *bytes,
		     size_t max, const char **why)
{
	u8 raw[(FUZZOP_RESV_MAX + FUZZOP_OPS_MAX) * OP_ARGS_MAX * 8];
	struct fuzzop_codec data = {.encode = true, .out = raw, .n = sizeof(raw)};
	struct fuzzop_codec body = {.encode = true, .out = bytes + FUZZOP_HEAD};
	struct machine machine = s->machine;
	size_t fixed = FUZZOP_HEAD + FUZZOP_MACHINE_BYTES + s->n_ops * (size_t)FUZZOP_RECORD;

	*why = too_much(s, c);
	if (!*why && fixed + c->n_sched > max)
		*why = "more bytes than there is room for";
	if (*why)
		return 0;
	encode_head(s, c, bytes);
	memset(body.out, 0, FUZZOP_MACHINE_BYTES);
	body.n = FUZZOP_MACHINE_BYTES;
	fuzzop_code_machine(&body, &machine, &data);
	body.at = FUZZOP_MACHINE_BYTES;
	body.n = max - FUZZOP_HEAD;
	encode_ops(s, &body, &data);
	*why = body.why ? body.why : data.why;
	if (!*why && fixed + c->n_sched + data.at > max)
		*why = "more bytes than there is room for";
	if (*why)
		return 0;
	if (c->n_sched)
		memcpy(bytes + fixed, c->sched, c->n_sched);
	memcpy(bytes + fixed + c->n_sched, raw, data.at);
	return fixed + c->n_sched + data.at;
}
