// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine that clients find (--machine FILE): a scenario's. What its tasks do is
 * done before the first call of a client, one operation after the other.
 */
#include "tools/exec/exec.h"

#include "hw/board/board.h"
#include "sim/base/assert.h"
#include "tools/output/output.h"

#include <stdio.h>

static const struct machine none;

bool exec_machine_read(struct exec_session *s, const char *path)
{
	const struct scenario *m;

	s->machine = cli_read_scenario(path, (struct scenario_how){0});
	m = s->machine;
	for (u32 i = 0; m && i < m->n_ops; i++) {
		if (!m->ops[i].call)
			continue;
		cli_fail("--machine: %s:%u:%u: a system call, expected operations on the machine "
			 "only: calls are the program's", path, m->ops[i].line, m->ops[i].column);
		return false;
	}
	return m;
}

void exec_machine_boot(struct exec_session *s)
{
	const struct machine *m = s->machine ? &s->machine->machine : &none;
	char err[BOARD_ERR_SIZE];

	if (s->machine && !board_build(s->world, m, err, sizeof(err)))
		sim_fatal("%s: %s", s->machine->path, err);
	if (!s->kernel->foreign)
		board_hold_stores(s->world);
	s->world->kernel = (void *)(uintptr_t)s->kernel;
	s->kernel->boot(s->world, m);
}

bool exec_machine_setup(struct exec_session *s)
{
	const struct scenario *m = s->machine;
	char text[128];

	for (u32 i = 0; m && i < m->n_ops; i++) {
		const struct scenario_op *op = &m->ops[i];
		long ret = scenario_op_perform(s->kernel, &op->op);
		const char *name = scenario_errno_name(ret);

		if (op->has_ret ? ret == op->ret : ret >= 0)
			continue;
		scenario_op_print(m, i, text, sizeof(text));
		cli_fail("--machine: %s:%u:%u: %s gave %s%s (%ld)", m->path, op->line, op->column,
			 text, name ? "-" : "", name ? name : "no such result", ret);
		return false;
	}
	if (s->sysfs && !exec_sysfs_fill(s)) {
		cli_fail("exec: what is below /sys cannot be written to %s", exec_sysfs_root(s));
		return false;
	}
	return true;
}
