/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A finding as a kernel developer reads it, and the same as JSON.
 *
 * The title line is one that syzbot's parsers know. Stacks begin at the first
 * frame outside sim/, as KASAN cuts its own frames. Task, operation and step
 * numbers are the same in all parts of a report and in the recipe.
 */
#pragma once

#include "scenarios/explore/explore.h"
#include "sim/trace/trace.h"

#include <stdio.h>

struct json_object;

/*
 * Completes a finding from the record of its run (NULL: from itself alone):
 * stacks of spots of which only (task, op) was known, then the functions in the
 * title.
 */
void report_resolve_title(struct finding *f, const struct trace_record *r);

/* The report as text, ending with the line `replay: iommulab replay '<recipe>'`. */
void report_print(FILE *out, const struct explore_finding *f, const struct scenario *s);
/* A finding of a run that no recipe gives again, as it was met: title, text, stacks. */
void report_print_met(FILE *out, const struct finding *found);

/* The caller's to json_object_put(). Its members: docs/ORACLES.md. */
struct json_object *report_json(const struct explore_finding *f, const struct scenario *s);

/* The recipe to replay it: f->earlier and f->recipe, joined. The caller's to free(). */
char *report_recipe(const struct explore_finding *f);

/*
 * The calls, but those of `drop` (may be NULL), as the text of a .syz file that
 * reads as the same scenario. NULL: no system calls; else free() it.
 */
char *report_program(const struct scenario *s, const u64 *drop);
