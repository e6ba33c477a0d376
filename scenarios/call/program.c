// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/call/program.h"

#include <stdlib.h>

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
	}
	for (u32 i = 0; i < p->n_results && p->result_name; i++)
		free(p->result_name[i]);
	free(p->call);
	free(p->result_name);
	free(p->result_default);
	free(p->area);
	free(p);
}
