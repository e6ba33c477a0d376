// SPDX-License-Identifier: GPL-2.0-only
/*
 * A decoded program as the file that `iommulab run` takes: what differs from
 * the reader's defaults, in the reader's order.
 */
#include "fuzz/op/fuzzop_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RUNS 20000 /* what `iommulab run` may take to find it again */

struct text {
	char *buf;
	size_t size, at; /* at >= size: it did not fit */
};

static void say(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->at >= t->size)
		return;
	va_start(ap, fmt);
	t->at += (size_t)vsnprintf(t->buf + t->at, t->size - t->at, fmt, ap);
	va_end(ap);
}

static void say_flag(struct text *t, bool on, const char *key)
{
	if (on)
		say(t, ", %s: true", key);
}

static void print_iommu(struct text *t, const struct machine_iommu *x)
{
	static const char *const domains[] = {"dma", "identity", "blocked"};
	struct machine_iommu usual;

	machine_iommu_init(&usual);
	say(t, "    %s: {model: %s", x->name, x->model);
	if (x->pgsize_bitmap != usual.pgsize_bitmap) {
		const char *glue = "";

		say(t, ", pgsizes: [");
		for (u64 bits = x->pgsize_bitmap; bits; bits &= bits - 1, glue = ", ")
			say(t, "%s0x%llx", glue, (unsigned long long)(bits & -bits));
		say(t, "]");
	}
	if (x->aperture_lg2 != usual.aperture_lg2)
		say(t, ", aperture: %u", x->aperture_lg2);
	if (x->default_domain != usual.default_domain)
		say(t, ", default_domain: %s", domains[x->default_domain]);
	say_flag(t, x->deferred_attach, "deferred_attach");
	say_flag(t, x->no_blocking, "no_blocking");
	say_flag(t, x->fail_probe, "fail_probe");
	say(t, "}\n");
}

static void print_bus(struct text *t, const struct machine *m, const struct machine_bus *x)
{
	say(t, "    %s: {kind: %s", x->name, x->kind == MACHINE_BUS_PCI ? "pci" : "platform");
	if (x->iommu != MACHINE_NONE)
		say(t, ", iommu: %s", m->iommu[x->iommu].name);
	if (x->parent != MACHINE_NONE)
		say(t, ", parent: %s", m->bus[x->parent].name);
	if (!x->acs)
		say(t, ", acs: false");
	say_flag(t, x->alias, "alias");
	if (x->firmware == MACHINE_FW_ACPI)
		say(t, ", firmware: acpi");
	say(t, "}\n");
}

static void print_device_lists(struct text *t, const struct machine *m,
			       const struct machine_device *x)
{
	u32 usual = m->bus[x->bus].iommu;

	if (x->n_iommus && !(x->n_iommus == 1 && x->iommus[0] == usual)) {
		say(t, ", iommus: [");
		for (u32 i = 0; i < x->n_iommus; i++)
			say(t, "%s%s", i ? ", " : "", m->iommu[x->iommus[i]].name);
		say(t, "]");
	}
	if (x->n_ids) {
		say(t, ", ids: [");
		for (u32 i = 0; i < x->n_ids; i++)
			say(t, "%s0x%x", i ? ", " : "", x->ids[i]);
		say(t, "]");
	}
}

static void print_device(struct text *t, const struct machine *m, const struct machine_device *x)
{
	const struct machine_bus *bus = &m->bus[x->bus];

	say(t, "    %s: {bus: %s, ", x->name, bus->name);
	if (bus->kind == MACHINE_BUS_PCI)
		say(t, "bdf: \"%02x:%02x.%x\"", x->bdf >> 8, x->bdf >> 3 & 31, x->bdf & 7);
	else
		say(t, "sid: 0x%x", x->bdf);
	if (x->driver[0])
		say(t, ", driver: %s", x->driver);
	print_device_lists(t, m, x);
	if (x->alias_of != MACHINE_NONE)
		say(t, ", alias_of: %s", m->device[x->alias_of].name);
	say_flag(t, x->bridge, "bridge");
	say_flag(t, x->untrusted, "untrusted");
	say_flag(t, x->absent, "absent");
	say(t, "}\n");
}

static void print_machine(struct text *t, const struct machine *m)
{
	static const char *const types[] = {"direct", "direct-relaxable", "reserved", "msi",
					    "sw-msi"};

	say(t, "machine:\n  iommus:\n");
	for (u32 i = 0; i < m->n_iommus; i++)
		print_iommu(t, &m->iommu[i]);
	say(t, "  buses:\n");
	for (u32 i = 0; i < m->n_buses; i++)
		print_bus(t, m, &m->bus[i]);
	say(t, "  devices:\n");
	for (u32 i = 0; i < m->n_devices; i++)
		print_device(t, m, &m->device[i]);
	if (m->n_resv)
		say(t, "  reserved:\n");
	for (u32 i = 0; i < m->n_resv; i++) {
		const struct machine_resv *x = &m->resv[i];

		say(t, "    - {device: %s, start: 0x%llx, length: 0x%llx, type: %s}\n",
		    m->device[x->device].name, (unsigned long long)x->start,
		    (unsigned long long)x->length, types[x->type]);
	}
}

static void print_tasks(struct text *t, const struct scenario *s)
{
	char op[256];

	say(t, "tasks:\n");
	for (u32 i = 0; i < s->n_tasks; i++) {
		say(t, "  %s:%s\n", s->task[i].name, s->task[i].n ? "" : " []");
		for (u32 k = 0; k < s->task[i].n; k++) {
			scenario_op_print(s, s->task[i].first + k, op, sizeof(op));
			say(t, "    - {%s}\n", op);
		}
	}
}

static void print_bugs(struct text *t, const struct bug_set *bugs)
{
	const char *glue = "bugs: [";

	for (u32 i = 0; i < BUG_N; i++) {
		if (!bug_set_has(bugs, i))
			continue;
		say(t, "%s%s", glue, bug_rows[i].id);
		glue = ", ";
	}
	if (*glue == ',')
		say(t, "]\n");
}

/* A double-quoted YAML scalar; titles are plain ASCII. */
static void print_quoted(struct text *t, const char *text)
{
	say(t, "\"");
	for (; *text; text++)
		say(t, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	say(t, "\"");
}

bool fuzzop_print(const struct fuzzop *p, const char *title, char *buf, size_t size)
{
	struct text t = {buf, size, 0};

	say(&t, "about: A program that a fuzzer made.\n");
	print_machine(&t, &p->scenario.machine);
	print_tasks(&t, &p->scenario);
	print_bugs(&t, &p->scenario.bugs);
	if (title) {
		say(&t, "expect: {finding: ");
		print_quoted(&t, title);
		say(&t, "}\n");
	}
	say(&t, "explore: {runs: %d}\n", RUNS);
	return t.at < t.size;
}
