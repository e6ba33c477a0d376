// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario as a program: each task of the file is a task of the world that
 * performs its operations one after the other and looks at what they gave.
 */
#include "scenarios/engine/scenario.h"

#include "sim/base/bits.h"
#include "sim/kapi/kapi.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static void ret_text(long ret, char *buf, size_t size)
{
	const char *name = scenario_errno_name(ret);

	if (name)
		snprintf(buf, size, "-%s", name);
	else
		snprintf(buf, size, "%ld", ret);
}

/* A result other than the file's `ret:` ends the run. */
static void expectation_failed(struct world *w, const struct scenario *s, u32 i, long ret)
{
	char op[128], got[32], want[32];
	struct finding *f;

	scenario_op_print(s, i, op, sizeof(op));
	ret_text(ret, got, sizeof(got));
	ret_text(s->ops[i].ret, want, sizeof(want));
	f = oracle_finding(w, "expectation", "expectation failed: %s gave %s, expected %s", op, got,
			   want);
	if (!f)
		return;
	finding_here(f, "Result seen", (u64)(uintptr_t)__builtin_return_address(0));
	finding_printf(f, "%s:%u:%u\n", s->path, s->ops[i].line, s->ops[i].column);
	oracle_report(w, f);
}

static void perform(struct scenario_program *p, u32 i)
{
	const struct scenario_op *op = &p->scenario->ops[i];
	struct world *w = this_world();
	const char *name = op_rows[op->op.code].name;
	long ret;

	fact(OP_BEGIN, (u64)(uintptr_t)name, i, op->op.arg[0]);
	ret = p->kernel->op(w, &op->op);
	fact(OP_END, (u64)(uintptr_t)name, i, (u64)ret);
	if (p->rets)
		p->rets[i] = ret;
	if (op->has_ret && ret != op->ret)
		expectation_failed(w, p->scenario, i, ret);
}

static void task_body(void *arg)
{
	struct scenario_start *start = arg;
	struct scenario_program *p = start->program;
	const struct scenario_task *t = &p->scenario->task[start->task];

	for (u32 i = t->first; i < t->first + t->n; i++) {
		if (!p->drop || !(p->drop[i / 64] >> (i % 64) & 1))
			perform(p, i);
	}
	kapi_task_exit_check();
}

static void program_boot(struct world *w, void *self)
{
	struct scenario_program *p = self;

	w->kernel = (void *)(uintptr_t)p->kernel;
	p->kernel->boot(w, &p->scenario->machine);
}

static void program_start(struct world *w, void *self)
{
	struct scenario_program *p = self;
	const struct scenario *s = p->scenario;

	for (u32 i = 0; p->rets && i < s->n_ops; i++)
		p->rets[i] = LONG_MIN;
	for (u32 i = 0; i < s->n_tasks; i++) {
		p->start[i].program = p;
		p->start[i].task = i;
		sched_spawn(w->sched, s->task[i].name, task_body, &p->start[i], 0);
	}
}

static void program_shutdown(struct world *w, void *self)
{
	struct scenario_program *p = self;

	p->kernel->shutdown(w);
}

void scenario_program_init(struct world_program *p, struct scenario_program *sp)
{
	p->boot = program_boot;
	p->start = program_start;
	p->shutdown = program_shutdown;
	p->self = sp;
}

/* --- text of an operation --- */

static void arg_text(const struct scenario *s, enum op_arg_type type, u64 arg, char *buf,
		     size_t size)
{
	const struct machine *m = &s->machine;
	const char *name = NULL;

	switch (type) {
	case OPARG_IOMMU:
		name = arg < m->n_iommus ? m->iommu[arg].name : NULL;
		break;
	case OPARG_DEVICE:
		name = arg < m->n_devices ? m->device[arg].name : NULL;
		break;
	case OPARG_DOMAIN:
		name = arg < s->n_domains ? s->domain_names[arg] : NULL;
		break;
	case OPARG_OWNER:
		name = arg && arg <= s->n_owners ? s->owner_names[arg - 1] : NULL;
		break;
	case OPARG_DRIVER:
		name = arg < KERNEL_DRIVERS_N ? kernel_driver_names[arg] : NULL;
		break;
	case OPARG_DOMTYPE:
		name = arg < OP_DOMTYPES ? op_domtype_names[arg] : NULL;
		break;
	case OPARG_NONE:
	case OPARG_NUM:
	case OPARG_NUM_OPT:
	case OPARG_SIZE:
		break;
	}
	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, arg < 4096 ? "%llu" : "0x%llx", (unsigned long long)arg);
}

void scenario_op_print(const struct scenario *s, u32 i, char *buf, size_t size)
{
	const struct op *op = &s->ops[i].op;
	const struct op_row *row = &op_rows[op->code];
	u32 n = 0;
	size_t at;

	while (n < OP_ARGS_MAX && row->arg[n].type != OPARG_NONE)
		n++;
	snprintf(buf, size, "%s", row->name);
	for (u32 k = 0; k < n; k++) {
		char text[64];

		arg_text(s, row->arg[k].type, op->arg[k], text, sizeof(text));
		at = strlen(buf);
		if (n == 1)
			snprintf(buf + at, size - at, ": %s", text);
		else
			snprintf(buf + at, size - at, "%s%s: %s%s", k ? ", " : ": {",
				 row->arg[k].name, text, k + 1 == n ? "}" : "");
	}
}
