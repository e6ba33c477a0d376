// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/call/program.h"

#include "sim/base/assert.h"

#include <stdlib.h>

struct call_program *call_program_part(const struct call_program *p,
				       bool (*keep)(void *self, const struct call *c), void *self)
{
	struct call_program *part = malloc(sizeof(*part) + p->n * sizeof(*part->call));

	sim_assert(part);
	*part = *p;
	part->call = (struct call *)(part + 1);
	part->n = 0;
	for (u32 i = 0; i < p->n; i++) {
		if (keep(self, &p->call[i]))
			part->call[part->n++] = p->call[i];
	}
	return part;
}

void call_program_free(struct call_program *p)
{
	if (!p)
		return;
	for (u32 i = 0; i < p->n; i++) {
		for (u32 k = 0; k < p->call[i].n_in; k++)
			free((void *)(uintptr_t)p->call[i].in[k].data);
		free((void *)(uintptr_t)p->call[i].name);
		free(p->call[i].in);
		free(p->call[i].out);
		free(p->call[i].after);
	}
	for (u32 i = 0; i < p->n_results && p->result_name; i++)
		free(p->result_name[i]);
	free(p->call);
	free(p->result_name);
	free(p->result_default);
	free(p->area);
	free(p);
}
