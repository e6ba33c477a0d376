// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab topo: the machine of a scenario as Graphviz. Buses are boxes that
 * hold their devices; IOMMUs stand outside, dashed lines lead to them.
 */
#include "tools/cli/cli.h"

#include <string.h>

static void print_device(const struct machine *m, const struct machine_device *d)
{
	bool pci = m->bus[d->bus].kind == MACHINE_BUS_PCI;
	char address[32];

	if (pci)
		snprintf(address, sizeof(address), "%02x:%02x.%x", d->bdf >> 8, d->bdf >> 3 & 31,
			 d->bdf & 7);
	else
		snprintf(address, sizeof(address), "sid 0x%x", d->bdf);
	printf("\t\t\"%s\" [label=\"%s\\n%s%s%s%s%s\"%s];\n", d->name, d->name, address,
	       d->driver[0] ? "\\n" : "", d->driver, d->bridge ? "\\nbridge" : "",
	       d->untrusted ? "\\nuntrusted" : "", d->absent ? ", style=dashed" : "");
}

static void print_bus(const struct machine *m, u32 i)
{
	const struct machine_bus *b = &m->bus[i];

	printf("\tsubgraph \"cluster_%s\" {\n\t\tlabel=\"%s (%s%s%s)\";\n", b->name, b->name,
	       b->kind == MACHINE_BUS_PCI ? "pci" : "platform",
	       b->kind == MACHINE_BUS_PCI && !b->acs ? ", no acs" : "", b->alias ? ", alias" : "");
	printf("\t\t\"bus %s\" [label=\"\", shape=point];\n", b->name);
	for (u32 k = 0; k < m->n_devices; k++) {
		if (m->device[k].bus == i)
			print_device(m, &m->device[k]);
	}
	printf("\t}\n");
	if (b->parent != MACHINE_NONE)
		printf("\t\"bus %s\" -> \"bus %s\";\n", m->bus[b->parent].name, b->name);
}

static void print_links(const struct machine *m)
{
	for (u32 i = 0; i < m->n_devices; i++) {
		const struct machine_device *d = &m->device[i];

		for (u32 k = 0; k < d->n_iommus; k++)
			printf("\t\"%s\" -> \"%s\" [style=dashed];\n", d->name,
			       m->iommu[d->iommus[k]].name);
		if (d->alias_of != MACHINE_NONE)
			printf("\t\"%s\" -> \"%s\" [style=dotted, label=alias];\n", d->name,
			       m->device[d->alias_of].name);
	}
}

int cli_topo(struct cli *c)
{
	struct scenario_error err;
	struct scenario *s;
	char text[1024];

	if (c->n_args != 1)
		return cli_fail("topo: %d arguments, expected one FILE", c->n_args);
	s = scenario_read(c->args[0], &err);
	if (!s) {
		scenario_error_print(&err, text, sizeof(text));
		return cli_fail("%s", text);
	}
	printf("digraph \"%s\" {\n\tnode [shape=box];\n", s->name);
	for (u32 i = 0; i < s->machine.n_iommus; i++)
		printf("\t\"%s\" [shape=hexagon, label=\"%s\\n%s\"];\n", s->machine.iommu[i].name,
		       s->machine.iommu[i].name, s->machine.iommu[i].model);
	for (u32 i = 0; i < s->machine.n_buses; i++)
		print_bus(&s->machine, i);
	print_links(&s->machine);
	printf("}\n");
	scenario_free(s);
	return CLI_OK;
}
