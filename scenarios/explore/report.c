// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/explore/report.h"

#include "scenarios/explore/report_priv.h"
#include "sim/base/assert.h"
#include "sim/base/lockmode.h"

#include <stdlib.h>
#include <string.h>

#define RULE "==================================================================\n"

/* --- places --- */

static bool is_ours(const struct trace_frame *f)
{
	return !strncmp(f->file, "sim/", 4) || f->file[0] == '?';
}

/* What runs the program: of no interest below it. */
static bool is_driver(const struct trace_frame *f)
{
	return !strncmp(f->file, "scenarios/", 10);
}

u32 report_frames(const u64 *pcs, u32 n, struct trace_frame *frames)
{
	struct trace_frame at[REPORT_FRAMES_MAX];
	u32 total = 0, end = 0;

	for (u32 i = 0; i < n; i++) {
		u32 depth = trace_frames(pcs[i], at, REPORT_FRAMES_MAX);

		for (u32 j = 0; j < depth && total < REPORT_FRAMES_MAX; j++) {
			if (!total && is_ours(&at[j]))
				continue;
			frames[total++] = at[j];
			if (!is_ours(&at[j]) && !is_driver(&at[j]))
				end = total;
		}
	}
	return end;
}

u32 report_step(const struct trace_record *r, u32 task, u64 op)
{
	const struct trace_entry *e = r && op ? trace_record_find(r, task, (u32)op) : NULL;

	return e ? e->step : 0;
}

const char *report_task_name(const struct trace_record *r, u32 task)
{
	if (!r || task >= SCHED_TASKS_MAX || !r->task_name[task][0])
		return task ? "task" : "main";
	return r->task_name[task];
}

/* --- the title --- */

static void complete_spot(struct finding_spot *s, const struct trace_record *r)
{
	const struct trace_entry *e;

	if (s->n > 1 || !s->op)
		return;
	e = trace_record_find(r, s->task, (u32)s->op);
	if (!e || !e->n_pcs)
		return;
	s->n = min(e->n_pcs, (u32)MEM_STACK_MAX);
	memcpy(s->pc, e->pc, s->n * sizeof(s->pc[0]));
	s->op = e->op;
}

static void function_of(const struct finding *f, u32 spot, char *name, size_t size)
{
	struct trace_frame frame = {.function = "?"};

	if (spot < f->n_spots && f->spot[spot].n)
		trace_first_frame(f->spot[spot].pc, f->spot[spot].n, &frame);
	snprintf(name, size, "%s", frame.function[0] ? frame.function : "?");
}

static void replace(char *title, const char *mark, const char *name)
{
	char text[FINDING_TITLE_MAX];
	char *at = strstr(title, mark);

	if (!at)
		return;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - title), title, name, at + 2);
	memcpy(title, text, sizeof(text));
}

void report_resolve_title(struct finding *f, const struct trace_record *r)
{
	char first[64], second[64];

	for (u32 i = 0; r && i < f->n_spots; i++)
		complete_spot(&f->spot[i], r);
	function_of(f, 0, first, sizeof(first));
	function_of(f, 1, second, sizeof(second));
	/* A race is named in alphabetical order, whichever access came last. */
	if (strstr(f->title, "%F / %G") && strcmp(first, second) > 0) {
		replace(f->title, "%F", second);
		replace(f->title, "%G", first);
		return;
	}
	replace(f->title, "%F", first);
	replace(f->title, "%G", second);
}

/* --- the parts of the text --- */

static void print_stack(FILE *out, const struct finding_spot *s)
{
	struct trace_frame frames[REPORT_FRAMES_MAX];
	u32 n = report_frames(s->pc, s->n, frames);

	for (u32 i = 0; i < n; i++)
		fprintf(out, " %-36s %s:%u%s\n", frames[i].function, frames[i].file, frames[i].line,
			frames[i].inlined ? " [inline]" : "");
	if (!n)
		fprintf(out, " (no stack)\n");
}

static void print_who(FILE *out, const struct trace_record *r, u32 task, u64 op)
{
	u32 step = report_step(r, task, op);

	fprintf(out, "task %s/T%u", report_task_name(r, task), task);
	if (step)
		fprintf(out, " (step %u)", step);
	else if (!task)
		fprintf(out, " (before the run)");
}

/* The access, or whatever it was, and where the run was at that moment. */
static void print_first_spot(FILE *out, const struct finding *f, const struct trace_record *r)
{
	const struct finding_spot *s = &f->spot[0];
	u32 step;

	if (!f->n_spots)
		return;
	step = report_step(r, s->task, s->op);
	fprintf(out, "%s", s->what);
	if (f->addr)
		fprintf(out, " at addr 0x%llx", (unsigned long long)f->addr);
	fprintf(out, " by task %s/T%u\n\n", report_task_name(r, s->task), s->task);
	fprintf(out, "PID: T%u Comm: %s  step %llu/%llu  vtime %llu.%06llus\n", s->task,
		report_task_name(r, s->task), (unsigned long long)(step ? step : f->step),
		(unsigned long long)f->step, (unsigned long long)(f->time_ns / 1000000000),
		(unsigned long long)(f->time_ns / 1000 % 1000000));
	print_stack(out, s);
}

static void print_spots(FILE *out, const struct finding *f, const struct trace_record *r)
{
	for (u32 i = 1; i < f->n_spots; i++) {
		fprintf(out, "\n%s by ", f->spot[i].what);
		print_who(out, r, f->spot[i].task, f->spot[i].op);
		fprintf(out, ":\n");
		print_stack(out, &f->spot[i]);
	}
}

static const char *mode_name(u32 mode)
{
	if (mode & LOCK_MUTEX)
		return "mutex";
	if (mode & LOCK_SPIN)
		return "spinlock";
	if (mode & LOCK_RWSEM)
		return mode & LOCK_READ ? "rwsem, read" : "rwsem, write";
	return "ordering";
}

/* The first frame outside sim/ of where it was taken; the record knows more than the pc. */
static bool taken_at(const struct finding *f, u32 i, const struct trace_record *r,
		     struct trace_frame *frame)
{
	const struct trace_entry *e;

	if (trace_first_frame(&f->held[i].pc, 1, frame))
		return true;
	e = r ? trace_record_find(r, f->held[i].task, (u32)f->held[i].op) : NULL;
	return e && trace_first_frame(e->pc, e->n_pcs, frame);
}

static void print_held(FILE *out, const struct finding *f, const struct trace_record *r)
{
	struct trace_frame frame;

	fprintf(out, "\nLocks held:%s\n", f->n_held ? "" : " none");
	for (u32 i = 0; i < f->n_held; i++) {
		fprintf(out, " T%u %s: %s", f->held[i].task, report_task_name(r, f->held[i].task),
			f->held[i].name);
		if (f->held[i].subclass)
			fprintf(out, "/%u", f->held[i].subclass);
		fprintf(out, " (%s)", mode_name(f->held[i].mode));
		if (taken_at(f, i, r, &frame))
			fprintf(out, ", taken at %s:%u (%s)", frame.file, frame.line,
				frame.function);
		fputc('\n', out);
	}
}

static void race_side(const struct finding_spot *s, char *buf, size_t size)
{
	struct trace_frame frame;

	if (!trace_first_frame(s->pc, s->n, &frame))
		snprintf(frame.file, sizeof(frame.file), "?");
	snprintf(buf, size, "T%u %s at %s:%u", s->task, s->what, frame.file, frame.line);
}

static void print_race(FILE *out, const struct finding *f)
{
	char one[256], other[256];

	if (strcmp(f->oracle, "race") || f->n_spots < 2)
		return;
	race_side(&f->spot[1], one, sizeof(one));
	race_side(&f->spot[0], other, sizeof(other));
	fprintf(out, "\nRacing accesses: %s  ||  %s  no happens-before\n", one, other);
}

/* Of a race: whether directed replays made both orders happen, with KCSAN's evidence. */
static void print_confirm(FILE *out, const struct explore_confirm *c)
{
	int digits = 2 * (int)min(c->size, 8U);

	if (!c->tried)
		return;
	if (!c->confirmed) {
		fprintf(out, "Unconfirmed (happens-before only): %s\n", c->why);
		return;
	}
	fprintf(out, "Confirmed: both orders were run");
	if (c->valued && c->before != c->after)
		fprintf(out, "; value changed: 0x%0*llx -> 0x%0*llx", digits,
			(unsigned long long)c->before, digits, (unsigned long long)c->after);
	else if (c->valued)
		fprintf(out, "; the value stayed 0x%0*llx", digits,
			(unsigned long long)c->before);
	fputc('\n', out);
}

/* --- the recipe --- */

char *report_recipe(const struct explore_finding *f)
{
	size_t size = (f->n_earlier + 1) * (RECIPE_TEXT_MAX + 3);
	char *text = malloc(size);
	size_t at = 0;

	sim_assert(text);
	for (u32 i = 0; i < f->n_earlier; i++) {
		recipe_print(&f->earlier[i], text + at, RECIPE_TEXT_MAX);
		at += strlen(text + at);
		at += (size_t)snprintf(text + at, 4, " + ");
	}
	recipe_print(&f->recipe, text + at, RECIPE_TEXT_MAX);
	return text;
}

static void print_reproduce(FILE *out, const struct explore_finding *f)
{
	char *text = malloc(RECIPE_TEXT_MAX);

	sim_assert(text);
	recipe_print(&f->found, text, RECIPE_TEXT_MAX);
	fprintf(out, "\nReproduce: %u of %u replays gave the same run, hash %016llx\n",
		f->replays_same, f->replays, (unsigned long long)f->hash);
	if (f->finding.needs_carry)
		fprintf(out, "Rests on %u earlier run%s: the recipe names them in order.\n",
			f->n_earlier, f->n_earlier == 1 ? "" : "s");
	if (f->run)
		fprintf(out, "Found by: policy %s, run %llu (%llu.%03llu ms); as it was met: %s\n",
			f->found.policy, (unsigned long long)f->run,
			(unsigned long long)(f->found_us / 1000),
			(unsigned long long)(f->found_us % 1000), text);
	free(text);
	text = report_recipe(f);
	fprintf(out, RULE "replay: iommulab replay '%s'\n", text);
	free(text);
}

void report_print(FILE *out, const struct explore_finding *f, const struct scenario *s)
{
	fprintf(out, RULE "%s\n", f->finding.title);
	print_first_spot(out, &f->finding, f->record);
	print_spots(out, &f->finding, f->record);
	print_held(out, &f->finding, f->record);
	print_race(out, &f->finding);
	print_confirm(out, &f->confirm);
	if (f->finding.text[0])
		fprintf(out, "\n%s", f->finding.text);
	report_table_print(out, f, s);
	print_reproduce(out, f);
}

void report_print_met(FILE *out, const struct finding *found)
{
	struct finding f = *found;

	report_resolve_title(&f, NULL);
	fprintf(out, "%s\n%s", f.title, f.text);
	for (u32 i = 0; i < f.n_spots; i++) {
		const struct finding_spot *spot = &f.spot[i];

		fprintf(out, "%s by task %u:\n", spot->what, spot->task);
		for (u32 k = 0; k < spot->n; k++) {
			struct trace_frame frame[8];
			u32 n = trace_frames(spot->pc[k], frame, 8);

			for (u32 j = 0; j < n; j++)
				fprintf(out, " %s %s:%u\n", frame[j].function, frame[j].file,
					frame[j].line);
		}
	}
}
