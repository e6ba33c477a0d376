// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the program says while it works, and what it leaves behind.
 */
#include "scenarios/explore/report.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- progress --- */

static bool progress_shown;

static void show_progress(void *self, const struct explore_progress *p)
{
	u64 ms = p->elapsed_ms ? p->elapsed_ms : 1;
	char most[32] = "";

	(void)self;
	if (p->runs_max < ~0ULL >> 1)
		snprintf(most, sizeof(most), " of %llu", (unsigned long long)p->runs_max);
	fprintf(stderr, "\r\033[K%llu%s runs, %llu/s, %llu findings, %llu.%llu s",
		(unsigned long long)p->runs, most, (unsigned long long)(p->runs * 1000 / ms),
		(unsigned long long)p->findings, (unsigned long long)(p->elapsed_ms / 1000),
		(unsigned long long)(p->elapsed_ms / 100 % 10));
	fflush(stderr);
	progress_shown = true;
}

void cli_progress_begin(struct explore_options *o)
{
	if (host_is_terminal(stderr))
		o->progress = show_progress;
}

void cli_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

/* --- JSON --- */

/* What a call that succeeded stored for its caller, by name. */
static struct json_object *outputs_json(const struct scenario *s, u32 op, const long *rets,
					const struct call_results *values)
{
	const struct call *c = s->ops[op].call;
	struct json_object *o;

	if (!c || rets[op] == LONG_MIN || call_failed(rets[op]))
		return NULL;
	o = json_object_new_object();
	for (u32 i = 0; values && i < c->n_out; i++) {
		u32 slot = c->out[i].result;
		const char *name = slot < s->program->n_results && s->program->result_name ?
				   s->program->result_name[slot] : NULL;
		char number[24];

		if (slot >= s->program->n_results || !values->is_set[slot])
			continue;
		snprintf(number, sizeof(number), "%u", slot);
		json_object_object_add(o, name ? name : number,
				       json_object_new_int64((int64_t)values->value[slot]));
	}
	return o;
}

struct json_object *cli_calls_json(const struct scenario *s, const long *rets,
				   const struct call_results *values)
{
	struct json_object *calls = json_object_new_array();

	for (u32 t = 0; t < s->n_tasks; t++) {
		for (u32 i = s->task[t].first; i < s->task[t].first + s->task[t].n; i++) {
			struct json_object *call = json_object_new_object();
			const char *name = scenario_errno_name(rets[i]);
			char text[160];

			scenario_op_print(s, i, text, sizeof(text));
			json_object_object_add(call, "task", json_object_new_string(s->task[t].name));
			json_object_object_add(call, "name", json_object_new_string(
						       scenario_op_name(s, i)));
			json_object_object_add(call, "text", json_object_new_string(text));
			json_object_object_add(call, "reached",
					       json_object_new_boolean(rets[i] != LONG_MIN));
			json_object_object_add(call, "ret", rets[i] >= 0 ?
					       json_object_new_int64(rets[i]) : NULL);
			json_object_object_add(call, "errno",
					       name ? json_object_new_string(name) : NULL);
			json_object_object_add(call, "outputs", outputs_json(s, i, rets, values));
			json_object_array_add(calls, call);
		}
	}
	return calls;
}

/* Members that the report has and the document does not have yet. */
static void take_members(struct json_object *doc, struct json_object *report)
{
	json_object_object_foreach(report, key, value)
	{
		if (!json_object_object_get_ex(doc, key, NULL))
			json_object_object_add(doc, key, json_object_get(value));
	}
}

void cli_json_add_finding(struct json_object *doc, const struct explore_finding *f,
			  const struct scenario *s)
{
	struct json_object *report = report_json(f, s);
	char *recipe = report_recipe(f), hash[24];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)f->hash);
	json_object_object_add(doc, "title", json_object_new_string(f->finding.title));
	json_object_object_add(doc, "oracle", json_object_new_string(f->finding.oracle));
	json_object_object_add(doc, "recipe", json_object_new_string(recipe));
	json_object_object_add(doc, "trace_hash", json_object_new_string(hash));
	json_object_object_add(doc, "switches", json_object_new_int64(f->switches));
	json_object_object_add(doc, "calls", cli_calls_json(s, f->rets, f->values));
	take_members(doc, report);
	json_object_put(report);
	free(recipe);
}

/* --- --out --- */

int cli_publish(const struct explore_finding *f, const struct scenario *s, const char *dir)
{
	struct json_object *doc = cli_json_new("finding");
	char *text = NULL, *recipe = report_recipe(f), made[HOST_PATH_MAX];
	char *program = report_program(s, f->recipe.drop);
	const char *json;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	sim_assert(out);
	report_print(out, f, s);
	fclose(out);
	cli_json_add_finding(doc, f, s);
	json = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_NOSLASHESCAPE);
	ok = host_dir_publish(dir, "finding",
			      (struct host_file[]){{"recipe", recipe, strlen(recipe)},
						   {"report.txt", text, size},
						   {"report.json", json, strlen(json)},
						   {"program.syz", program,
						    program ? strlen(program) : 0}},
			      program ? 4 : 3, made);
	json_object_put(doc);
	free(text);
	free(program);
	free(recipe);
	if (!ok)
		return cli_fail("--out: %s cannot be written", dir);
	fprintf(stderr, "iommulab: finding in %s\n", made);
	return CLI_OK;
}
