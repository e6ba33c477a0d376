// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario as a program: each task of the file is a task of the world that
 * performs its operations one after the other and looks at what they gave.
 */
#include "scenarios/engine/scenario.h"

#include "hw/board/board.h"
#include "sim/access/access.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/kapi/kapi.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

void scenario_ret_print(long ret, char *buf, size_t size)
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
	scenario_ret_print(ret, got, sizeof(got));
	scenario_ret_print(s->ops[i].ret, want, sizeof(want));
	f = oracle_finding(w, "expectation", "expectation failed: %s gave %s, expected %s", op, got,
			   want);
	if (!f)
		return;
	finding_here(f, "Result seen", (u64)(uintptr_t)__builtin_return_address(0));
	finding_printf(f, "%s:%u:%u\n", s->path, s->ops[i].line, s->ops[i].column);
	oracle_report(w, f);
}

long scenario_op_perform(const struct kernel *k, const struct op *op)
{
	/* Their edges do it (scenarios/engine/signals.c). */
	if (op->code == OP_signal || op->code == OP_wait)
		return 0;
	if (op->code >= OP_BOARD_FIRST && !k->endpoints)
		return board_op(this_world(), op);
	return k->op(this_world(), op);
}

static long do_op(struct scenario_program *p, const struct scenario_op *op)
{
	long ret;

	if (!op->call)
		return scenario_op_perform(p->kernel, &op->op);
	ret = call_perform(&p->calls, op->call);
	if (p->performed)
		p->performed(p->performed_self, op->call, ret);
	return ret;
}

static void perform(struct scenario_program *p, u32 i)
{
	const struct scenario_op *op = &p->scenario->ops[i];
	const char *name = scenario_op_name(p->scenario, i);
	u64 first = op->call ? op->call->arg[0].value : op->op.arg[0];
	u64 effect = op->call ? FACT_MAY_CHANGE : op_effect(op->op.code);
	long ret;

	fact(OP_BEGIN, (u64)(uintptr_t)name, i, first, effect);
	ret = do_op(p, op);
	fact(OP_END, (u64)(uintptr_t)name, i, (u64)ret, effect);
	if (p->rets)
		p->rets[i] = ret;
	/* With all calls at once most results are open. */
	if (op->has_ret && !p->any_ret && !p->scenario->threads_all && ret != op->ret)
		expectation_failed(this_world(), p->scenario, i, ret);
}

/* --- operations that wait for others --- */

static struct scenario_start *task_of(struct scenario_program *p, u32 op)
{
	const struct scenario *s = p->scenario;
	u32 i = 0;

	while (op >= s->task[i].first + s->task[i].n)
		i++;
	return &p->start[i];
}

/* Op i is over or left out: whoever has waited for it alone goes on. */
static void ended(struct scenario_program *p, u32 i)
{
	const struct scenario_op *op = &p->scenario->ops[i];

	for (u32 e = op->first_edge; e < op->first_edge + op->n_edges; e++) {
		u32 after = p->scenario->edges[e].after;
		struct scenario_start *start = task_of(p, after);

		if (start->spawned->state == TASK_DEAD)
			continue;
		/* The result is read from memory that no hook sees: an edge by hand. */
		access_fork(current_task, start->spawned);
		p->missing[after]--;
		if (!p->missing[after] && start->waits && start->next == after) {
			start->waits = false;
			sched_wake(start->spawned);
		}
	}
}

static void await(struct scenario_start *start, u32 i)
{
	start->next = i;
	while (start->program->missing[i]) {
		start->waits = true;
		current_task->flags |= TASK_OUTSIDE;
		sched_block("what it needs", NULL, -1, 0);
	}
	current_task->flags &= ~(u32)TASK_OUTSIDE;
}

static bool is_dropped(const struct scenario_program *p, u32 op)
{
	return p->drop && p->drop[op / 64] >> (op % 64) & 1;
}

static void task_body(void *arg)
{
	struct scenario_start *start = arg;
	struct scenario_program *p = start->program;
	const struct scenario_task *t = &p->scenario->task[start->task];

	for (u32 i = t->first; i < t->first + t->n; i++) {
		await(start, i);
		if (!is_dropped(p, i))
			perform(p, i);
		ended(p, i);
	}
	kapi_task_exit_check();
}

static void program_boot(struct world *w, void *self)
{
	struct scenario_program *p = self;
	char err[BOARD_ERR_SIZE];

	if (!board_build(w, &p->scenario->machine, err, sizeof(err)))
		sim_fatal("%s: %s", p->scenario->path, err);
	if (!p->kernel->foreign)
		board_hold_stores(w);
	w->kernel = (void *)(uintptr_t)p->kernel;
	p->kernel->boot(w, &p->scenario->machine);
	if (p->scenario->program)
		call_run_boot(&p->calls, w);
}

static bool does_nothing(const struct scenario_program *p, const struct scenario_task *t)
{
	for (u32 i = t->first; i < t->first + t->n; i++) {
		if (!is_dropped(p, i))
			return false;
	}
	return true;
}

/* How many ops each op waits for; those of tasks without any are over from the start. */
static void count_missing(struct scenario_program *p)
{
	const struct scenario *s = p->scenario;

	memset(p->missing, 0, s->n_ops * sizeof(*p->missing));
	for (u32 t = 0; t < s->n_tasks; t++) {
		const struct scenario_task *task = &s->task[t];
		bool nothing = does_nothing(p, task);

		for (u32 i = task->first; !nothing && i < task->first + task->n; i++) {
			const struct scenario_op *op = &s->ops[i];

			for (u32 e = op->first_edge; e < op->first_edge + op->n_edges; e++)
				p->missing[s->edges[e].after]++;
		}
	}
}

static void program_start(struct world *w, void *self)
{
	struct scenario_program *p = self;
	const struct scenario *s = p->scenario;

	for (u32 i = 0; p->rets && i < s->n_ops; i++)
		p->rets[i] = LONG_MIN;
	if (s->program)
		call_run_begin(&p->calls);
	if (s->n_edges)
		count_missing(p);
	for (u32 i = 0; i < s->n_tasks; i++) {
		struct scenario_start *start = &p->start[i];

		start->program = p;
		start->task = i;
		start->next = s->task[i].first;
		start->waits = p->missing[start->next];
		start->spawned = sched_spawn(w->sched, s->task[i].name, task_body, start, 0);
		if (does_nothing(p, &s->task[i]))
			sched_skip(start->spawned);
		else if (start->waits)
			sched_hold(start->spawned, "what it needs");
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
	memset(sp->missing, 0, sizeof(sp->missing));
	if (sp->scenario->program)
		call_run_init(&sp->calls, sp->scenario->program, sp->kernel);
}

void scenario_program_fini(struct scenario_program *sp)
{
	if (sp->scenario && sp->scenario->program)
		call_run_fini(&sp->calls);
}

void scenario_program_change(struct scenario_program *sp, const struct scenario *s)
{
	scenario_program_fini(sp);
	sp->scenario = s;
	memset(sp->missing, 0, sizeof(sp->missing));
	call_run_init(&sp->calls, s->program, sp->kernel);
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

const char *scenario_op_name(const struct scenario *s, u32 i)
{
	const struct call *c = s->ops[i].call;

	return !c ? op_rows[s->ops[i].op.code].name : c->name ? c->name : "call";
}

void scenario_op_print(const struct scenario *s, u32 i, char *buf, size_t size)
{
	const struct op *op = &s->ops[i].op;
	const struct op_row *row = &op_rows[op->code];
	u32 n = 0;
	size_t at;

	if (s->ops[i].call) {
		call_text(s->program, s->ops[i].call, buf, size);
		return;
	}
	while (n < OP_ARGS_MAX && row->arg[n].type != OPARG_NONE)
		n++;
	/* Left out at the end, and where 0 would mean something. */
	while (n && row->arg[n - 1].type == OPARG_NUM_OPT && op->arg[n - 1] == OP_NONE)
		n--;
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
