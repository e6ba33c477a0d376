// SPDX-License-Identifier: GPL-2.0-only
#include "sim/trace/trace.h"

#include "sim/kapi/mutex.h"
#include "sim/kapi/slab.h"
#include "sim/world/world.h"
#include "tests/sim/trace/trace_hooked.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "tests/sim/trace/test_trace.c"

/* --- names --- */

static __attribute__((noinline)) u64 return_address(void)
{
	return (u64)(uintptr_t)__builtin_return_address(0);
}

static inline __attribute__((always_inline)) u64 inlined_here(u32 *line)
{
	u64 pc = return_address();

	*line = __LINE__ - 2;
	__asm__ volatile("" ::: "memory");
	return pc;
}

static __attribute__((noinline)) u64 outer(u32 *line, u32 *call_line)
{
	*call_line = __LINE__ + 1;
	u64 pc = inlined_here(line);

	__asm__ volatile("" ::: "memory");
	return pc;
}

Test(trace, a_pc_has_function_file_and_line_inlined_ones_too)
{
	struct trace_frame frames[8];
	u32 line, call_line, n;
	u64 pc = outer(&line, &call_line);

	n = trace_frames(pc, frames, 8);
	cr_assert_geq(n, 2);
	cr_assert_str_eq(frames[0].function, "inlined_here");
	cr_assert_str_eq(frames[0].file, FILE_NAME);
	cr_assert_eq(frames[0].line, line);
	cr_assert(frames[0].inlined);
	cr_assert_str_eq(frames[1].function, "outer");
	cr_assert_str_eq(frames[1].file, FILE_NAME);
	cr_assert_eq(frames[1].line, call_line);
	cr_assert_not(frames[1].inlined);
}

Test(trace, asking_again_gives_the_same)
{
	struct trace_frame once[8], again[8];
	u32 line, call_line;
	u64 pc = outer(&line, &call_line);
	u32 n = trace_frames(pc, once, 8);

	cr_assert_eq(trace_frames(pc, again, 8), n);
	for (u32 i = 0; i < n; i++) {
		cr_assert_str_eq(once[i].function, again[i].function);
		cr_assert_eq(once[i].line, again[i].line);
	}
	cr_assert_eq(trace_frames(pc, again, 1), 1, "no more than there is room for");
}

Test(trace, an_address_outside_the_program_has_one_frame)
{
	struct trace_frame frame;

	cr_assert_eq(trace_frames(0x10, &frame, 1), 1);
	cr_assert_str_eq(frame.function, "?");
}

Test(trace, a_site_does_not_depend_on_the_load_address)
{
	u32 line, call_line;
	u64 pc = outer(&line, &call_line);

	cr_assert_lt(trace_site(pc), 1UL << 32);
	cr_assert_eq(trace_site(pc) - trace_site((u64)(uintptr_t)outer),
		     pc - (u64)(uintptr_t)outer);
}

Test(trace, the_build_id_is_sixteen_digits)
{
	const char *id = trace_build_id();

	cr_assert_eq(strlen(id), 16);
	cr_assert_eq(strspn(id, "0123456789abcdef"), 16);
	cr_assert_str_neq(id, "0000000000000000", "the program has been linked with --build-id");
}

/* --- a world that takes a lock and touches its heap --- */

static struct {
	struct world *w;
	struct mutex *lock;
	u64 *cell;
} t;

static void boot(struct world *w, void *self)
{
	(void)w;
	(void)self;
	t.lock = kzalloc(sizeof(*t.lock), GFP_KERNEL);
	t.cell = kzalloc(sizeof(*t.cell), GFP_KERNEL);
	mutex_init(t.lock);
}

static void body(void *arg)
{
	(void)arg;
	mutex_lock(t.lock);
	trace_store(t.cell, 3);
	trace_store(t.cell, trace_load(t.cell) + 1);
	mutex_unlock(t.lock);
	kfree(kmalloc(40, GFP_KERNEL));
}

static void start(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "worker", body, NULL, 0);
}

static void load(void)
{
	struct world_program p = {.boot = boot, .start = start};

	t.w = world_create(0);
	world_load(t.w, &p);
}

static void run(void)
{
	struct world_run r = {.seed = 1};

	world_run(t.w, &r);
	cr_assert_null(r.finding);
}

/* What the printer writes in one run; the caller's to free(). */
static char *printed(enum trace_format format)
{
	struct trace_printer *p;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	load();
	p = trace_print_to(t.w, out, format);
	run();
	trace_print_end(p);
	run();
	fclose(out);
	return text;
}

Test(trace, facts_as_text)
{
	char *text = printed(TRACE_TEXT);

	cr_assert(strstr(text, " lock lock=heap+0x"), "%s", text);
	cr_assert(strstr(text, " alloc object=heap+0x"), "%s", text);
	cr_assert(strstr(text, " size=40 flags=0x"), "%s", text);
	cr_assert(strstr(text, " T2:"), "%s", text);
	cr_assert(strstr(text, " at " FILE_NAME ":"), "%s", text);
	cr_assert(strstr(text, " (body)\n"), "%s", text);
	free(text);
}

Test(trace, facts_as_json_lines)
{
	char *text = printed(TRACE_JSON);
	u32 lines = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		size_t len = strlen(line);

		cr_assert_eq(strncmp(line, "{\"step\":", 8), 0, "%s", line);
		cr_assert_eq(line[len - 1], '}', "%s", line);
	}
	cr_assert_gt(lines, 5);
	free(text);
}

Test(trace, a_printer_that_was_ended_is_silent)
{
	char *text = printed(TRACE_TEXT);
	char *exits = strstr(text, " exit task=2");

	cr_assert_not_null(exits);
	cr_assert_null(strstr(exits + 1, " exit task=2"), "the second run was printed too");
	free(text);
}

Test(trace, a_fact_without_arguments_and_one_of_each_kind)
{
	struct fact f = {.kind = FACT_BLOCK,
			 .arg = {(u64)(uintptr_t) "here", HEAP_BASE + HEAP_SLOT + 0x40, (u64)-1}};
	char text[128];

	trace_fact_text(&f, text, sizeof(text));
	cr_assert_str_eq(text, "block what=here object=heap+0x40 owner=-1");
	trace_fact_text(&f, text, 9);
	cr_assert_str_eq(text, "block wh", "cut where there is no more room");
}

/* --- the recorder --- */

static void need_hooks(void)
{
	if (!IOMMULAB_HOOKS)
		cr_skip_test("this build has no access hooks");
}

static const struct trace_entry *first_access(const struct trace_record *r)
{
	for (u32 i = 0; i < r->n; i++) {
		if (trace_record_entry(r, i)->is_access)
			return trace_record_entry(r, i);
	}
	return NULL;
}

Test(trace, a_record_has_accesses_and_facts_with_their_stacks)
{
	const struct trace_entry *e;
	struct trace_record *r;
	struct trace_frame frame;

	need_hooks();
	load();
	r = trace_record_start(t.w, 1000);
	run();
	trace_record_stop(r);
	world_destroy(t.w);
	e = first_access(r);
	cr_assert_not_null(e);
	cr_assert_eq(e->access.addr, (u64)(uintptr_t)t.cell);
	cr_assert_eq(e->access.flags & OP_WRITE, OP_WRITE);
	cr_assert_eq(e->task, 2);
	cr_assert_str_eq(r->task_name[2], "worker");
	cr_assert_eq(trace_record_at(r, 2, (u32)e->op), e);
	cr_assert_eq(trace_record_find(r, 2, (u32)e->op), e);
	cr_assert(trace_first_frame(e->pc, e->n_pcs, &frame));
	cr_assert_str_eq(frame.function, "trace_store");
	cr_assert(trace_first_frame(e->pc + 1, e->n_pcs - 1, &frame));
	cr_assert_str_eq(frame.function, "body");
	trace_record_free(r);
}

Test(trace, locks_in_a_record_have_their_names)
{
	struct trace_record *r;
	u32 named = 0, before = 0;

	load();
	r = trace_record_start(t.w, 1000);
	run();
	trace_record_stop(r);
	for (u32 i = 0; i < r->n; i++) {
		const struct trace_entry *e = trace_record_entry(r, i);

		cr_assert_geq(e->step, before);
		before = e->step;
		if (!e->is_access && e->fact.kind == FACT_LOCK_ACQUIRED)
			named += !strcmp(e->lock_name, "t.lock");
	}
	cr_assert_geq(named, 1);
	trace_record_free(r);
}

Test(trace, a_small_record_keeps_the_newest)
{
	struct trace_record *all, *few;

	load();
	all = trace_record_start(t.w, 1000);
	run();
	trace_record_stop(all);
	few = trace_record_start(t.w, 4);
	run();
	trace_record_stop(few);
	cr_assert_gt(all->n, 4);
	cr_assert_eq(few->n, 4);
	cr_assert_eq(few->seen, all->seen);
	for (u32 i = 0; i < 4; i++) {
		const struct trace_entry *a = trace_record_entry(all, all->n - 4 + i);
		const struct trace_entry *b = trace_record_entry(few, i);

		cr_assert_eq(a->step, b->step);
		cr_assert_eq(a->op, b->op);
		cr_assert_eq(a->is_access, b->is_access);
	}
	cr_assert_null(trace_record_find(few, 7, 1));
	trace_record_free(all);
	trace_record_free(few);
}
