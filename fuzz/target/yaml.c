// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of scenario files: any bytes give a scenario or one error with a
 * place. What was read is looked through and printed, operation by operation.
 */
#include "scenarios/engine/scenario.h"
#include "sim/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_error(const struct scenario_error *err)
{
	sim_assert(err->text[0]);
	sim_assert(memchr(err->text, '\0', sizeof(err->text)));
	sim_assert(!strchr(err->text, '\n'));
}

static void check_machine(const struct machine *m)
{
	sim_assert(m->n_iommus <= MACHINE_IOMMUS_MAX && m->n_buses <= MACHINE_BUSES_MAX);
	sim_assert(m->n_devices <= MACHINE_DEVICES_MAX && m->n_resv <= MACHINE_RESV_MAX);
	for (u32 i = 0; i < m->n_buses; i++)
		sim_assert(m->bus[i].iommu == MACHINE_NONE || m->bus[i].iommu < m->n_iommus);
	for (u32 i = 0; i < m->n_devices; i++) {
		const struct machine_device *d = &m->device[i];

		sim_assert(d->bus < m->n_buses);
		sim_assert(d->alias_of == MACHINE_NONE || d->alias_of < m->n_devices);
		sim_assert(d->n_iommus <= MACHINE_DEVICE_IOMMUS_MAX);
		sim_assert(d->n_ids <= MACHINE_DEVICE_IDS_MAX);
		for (u32 k = 0; k < d->n_iommus; k++)
			sim_assert(d->iommus[k] < m->n_iommus);
	}
	for (u32 i = 0; i < m->n_resv; i++)
		sim_assert(m->resv[i].device < m->n_devices);
}

/* What a call stores and takes lies in the program's memory, names are slots. */
static void check_call(const struct scenario *s, const struct call *c)
{
	const struct call_program *p = s->program;

	if (!c)
		return;
	sim_assert(c >= p->call && c < p->call + p->n && c->n_args <= CALL_ARGS_MAX);
	sim_assert(p->n <= s->n_ops);
	for (u32 i = 0; i < c->n_in; i++)
		sim_assert(c->in[i].addr >= p->area[0].addr &&
			   c->in[i].addr + c->in[i].size <= p->area[0].addr + p->area[0].size);
	for (u32 i = 0; i < c->n_out; i++)
		sim_assert(c->out[i].result < p->n_results && c->out[i].addr >= p->area[0].addr);
	for (u32 i = 0; i < c->n_args; i++)
		sim_assert(c->arg[i].result == CALL_NO_RESULT || c->arg[i].result < p->n_results);
}

static void check_tasks(const struct scenario *s)
{
	u32 at = 0;
	char text[256];

	sim_assert(s->n_tasks <= SCENARIO_TASKS_MAX && s->n_ops <= SCENARIO_OPS_MAX);
	for (u32 i = 0; i < s->n_tasks; i++) {
		sim_assert(s->task[i].first == at && s->task[i].name[0]);
		at += s->task[i].n;
	}
	sim_assert(at == s->n_ops);
	for (u32 i = 0; i < s->n_ops; i++) {
		sim_assert(s->ops[i].op.code < OP_CODES && s->ops[i].line);
		scenario_op_print(s, i, text, sizeof(text));
		sim_assert(!strncmp(text, scenario_op_name(s, i), strlen(scenario_op_name(s, i))));
		check_call(s, s->ops[i].call);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct scenario_error err;
	struct scenario *s;

	s = scenario_parse("fuzz.yaml", (const char *)data, size, &err);
	if (!s) {
		check_error(&err);
		return 0;
	}
	check_machine(&s->machine);
	check_tasks(s);
	scenario_free(s);
	return 0;
}
