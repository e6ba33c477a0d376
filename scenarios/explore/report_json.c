// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/explore/report_priv.h"

#include <json-c/json.h>
#include <stdlib.h>

#define ADD(object, name, value) json_object_object_add(object, name, value)

static struct json_object *number(u64 v)
{
	return json_object_new_uint64(v);
}

static struct json_object *hex(u64 v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
	return json_object_new_string(text);
}

static struct json_object *frame_json(const struct trace_frame *f)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "function", json_object_new_string(f->function));
	ADD(o, "file", json_object_new_string(f->file));
	ADD(o, "line", number(f->line));
	ADD(o, "inlined", json_object_new_boolean(f->inlined));
	return o;
}

static struct json_object *stack_json(const u64 *pcs, u32 n)
{
	struct json_object *list = json_object_new_array();
	struct trace_frame frames[REPORT_FRAMES_MAX];
	u32 depth = report_frames(pcs, n, frames);

	for (u32 i = 0; i < depth; i++)
		json_object_array_add(list, frame_json(&frames[i]));
	return list;
}

static struct json_object *spots_json(const struct finding *f, const struct trace_record *r)
{
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < f->n_spots; i++) {
		const struct finding_spot *s = &f->spot[i];
		struct json_object *o = json_object_new_object();

		ADD(o, "what", json_object_new_string(s->what));
		ADD(o, "task", number(s->task));
		ADD(o, "task_name", json_object_new_string(report_task_name(r, s->task)));
		ADD(o, "op", number(s->op));
		ADD(o, "step", number(report_step(r, s->task, s->op)));
		ADD(o, "stack", stack_json(s->pc, s->n));
		json_object_array_add(list, o);
	}
	return list;
}

/* "file:line (function)" of each spot: what makes two findings the same. */
static struct json_object *sites_json(const struct finding *f)
{
	struct json_object *list = json_object_new_array();
	struct trace_frame at;
	char text[192];

	for (u32 i = 0; i < f->n_spots; i++) {
		if (!f->spot[i].n || !trace_first_frame(f->spot[i].pc, f->spot[i].n, &at))
			continue;
		snprintf(text, sizeof(text), "%s:%u (%s)", at.file, at.line, at.function);
		json_object_array_add(list, json_object_new_string(text));
	}
	return list;
}

static struct json_object *held_json(const struct finding *f)
{
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < f->n_held; i++) {
		struct json_object *o = json_object_new_object();

		ADD(o, "task", number(f->held[i].task));
		ADD(o, "name", json_object_new_string(f->held[i].name));
		ADD(o, "subclass", number(f->held[i].subclass));
		ADD(o, "mode", hex(f->held[i].mode));
		ADD(o, "taken", stack_json(&f->held[i].pc, 1));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *rows_json(const struct explore_finding *f, const struct scenario *s)
{
	struct json_object *list = json_object_new_array();
	u32 n;
	struct report_row *rows = report_rows(f, s, &n);

	for (u32 i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		ADD(o, "step", number(rows[i].step));
		ADD(o, "task", number(rows[i].task));
		ADD(o, "text", json_object_new_string(rows[i].text));
		ADD(o, "times", number(rows[i].times));
		ADD(o, "skipped_before", number(rows[i].skipped));
		ADD(o, "switch", number(rows[i].switch_number));
		json_object_array_add(list, o);
	}
	free(rows);
	return list;
}

/* Of a data race, else null. */
static struct json_object *confirm_json(const struct explore_confirm *c)
{
	struct json_object *o;

	if (!c->tried)
		return NULL;
	o = json_object_new_object();
	ADD(o, "confirmed", json_object_new_boolean(c->confirmed));
	ADD(o, "order_as_found", json_object_new_boolean(c->as_found));
	ADD(o, "order_reversed", json_object_new_boolean(c->reversed));
	ADD(o, "runs", number(c->runs));
	ADD(o, "why_not", c->confirmed ? NULL : json_object_new_string(c->why));
	if (c->valued) {
		ADD(o, "value_before", hex(c->before));
		ADD(o, "value_after", hex(c->after));
		ADD(o, "value_size", number(c->size));
	}
	return o;
}

static void add_recipes(struct json_object *o, const struct explore_finding *f)
{
	char *text = report_recipe(f);

	ADD(o, "recipe", json_object_new_string(text));
	recipe_print(&f->found, text, RECIPE_TEXT_MAX);
	ADD(o, "recipe_found", json_object_new_string(text));
	free(text);
}

struct json_object *report_json(const struct explore_finding *f, const struct scenario *s)
{
	struct json_object *o = json_object_new_object();
	const struct finding *fi = &f->finding;
	char hash[24];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)f->hash);
	ADD(o, "oracle", json_object_new_string(fi->oracle));
	ADD(o, "title", json_object_new_string(fi->title));
	ADD(o, "text", json_object_new_string(fi->text));
	ADD(o, "sites", sites_json(fi));
	ADD(o, "address", hex(fi->addr));
	ADD(o, "step", number(fi->step));
	ADD(o, "time_ns", number(fi->time_ns));
	ADD(o, "spots", spots_json(fi, f->record));
	ADD(o, "held", held_json(fi));
	ADD(o, "confirmation", confirm_json(&f->confirm));
	ADD(o, "interleaving", rows_json(f, s));
	add_recipes(o, f);
	ADD(o, "earlier_runs", number(f->n_earlier));
	ADD(o, "trace_hash", json_object_new_string(hash));
	ADD(o, "policy", json_object_new_string(f->found.policy));
	ADD(o, "run", number(f->run));
	ADD(o, "replays", number(f->replays));
	ADD(o, "replays_same", number(f->replays_same));
	ADD(o, "switches_before", number(f->switches_before));
	ADD(o, "switches", number(f->switches));
	ADD(o, "chances_before", number(f->chances_before));
	ADD(o, "chances", number(f->chances));
	ADD(o, "ops_before", number(f->ops_before));
	ADD(o, "ops", number(f->ops));
	ADD(o, "shrink_runs", number(f->shrink_runs));
	ADD(o, "shrink_us", number(f->shrink_us));
	ADD(o, "found_us", number(f->found_us));
	return o;
}
