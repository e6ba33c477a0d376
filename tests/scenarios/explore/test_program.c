// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario written as a .syz file reads as the same scenario: its tasks, what
 * waits for what, expected results and the YAML beside the tasks.
 */
#include "scenarios/explore/report.h"

#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                         \
	"about: two tasks\n"                         \
	"machine:\n"                                 \
	"  iommus: {smmu0: {model: mock}}\n"         \
	"  buses: {pci0: {kind: pci, iommu: smmu0}}\n" \
	"  devices: {nic0: {bus: pci0, bdf: \"00:01.0\"}}\n"
#define TAIL "bugs: [iommufd-mmap-ref-race]\nexplore: {runs: 7}\n"

static struct scenario *read_yaml(const char *text)
{
	struct scenario_error err;
	struct scenario *s = scenario_parse("a.yaml", text, strlen(text), &err);

	cr_assert(s, "%u:%u: %s", err.line, err.column, err.text);
	return s;
}

static struct scenario *read_syz(const char *text, struct scenario_error *err)
{
	return scenario_parse_syz("a.syz", text, strlen(text), &(struct scenario_how){0}, err);
}

/* The scenario of what is written of it. */
static struct scenario *again(const struct scenario *s, const u64 *drop)
{
	char *text = report_program(s, drop);
	struct scenario_error err;
	struct scenario *t;

	cr_assert(text);
	t = read_syz(text, &err);
	cr_assert(t, "%u:%u: %s in\n%s", err.line, err.column, err.text, text);
	free(text);
	return t;
}

static void same_text(const struct scenario *s, const struct scenario *t)
{
	char *a = report_program(s, NULL), *b = report_program(t, NULL);

	cr_assert_str_eq(a, b);
	free(a);
	free(b);
}

static const char two_tasks[] =
	HEAD
	"tasks:\n"
	"  main:\n"
	"    - {wait: made}\n"
	"    - {IOMMU_DESTROY: {fd: i, id: a}, ret: ENOENT}\n"
	"  other:\n"
	"    - {open: /dev/iommu, as: i}\n"
	"    - {IOMMU_IOAS_ALLOC: {fd: i, out_ioas_id: a}}\n"
	"    - {signal: made}\n"
	"    - {close: i}\n"
	TAIL;

Test(program, tasks_become_threads_in_an_order_that_waits_allow)
{
	struct scenario *s = read_yaml(two_tasks), *t = again(s, NULL);
	const struct call *destroy = NULL;

	cr_assert_eq(t->n_tasks, 2);
	cr_assert_eq(t->program->n, 4);
	for (u32 i = 0; i < t->program->n; i++) {
		if (strstr(t->program->call[i].name, "DESTROY"))
			destroy = &t->program->call[i];
	}
	cr_assert(destroy);
	cr_assert_eq(destroy->n_after, 1);
	cr_assert_str_eq(t->program->call[destroy->after[0]].name, "ioctl$IOMMU_IOAS_ALLOC");
	cr_assert(destroy->has_ret);
	cr_assert_eq(destroy->ret, -2);
	same_text(t, t);
	scenario_free(s);
	scenario_free(t);
}

Test(program, the_yaml_beside_tasks_comes_along)
{
	struct scenario *s = read_yaml(two_tasks), *t = again(s, NULL);

	cr_assert_str_eq(t->yaml, HEAD TAIL);
	cr_assert_str_eq(t->about, "two tasks");
	cr_assert_str_eq(t->machine.iommu[0].name, "smmu0");
	cr_assert_eq(memcmp(&t->bugs, &s->bugs, sizeof(s->bugs)), 0);
	cr_assert_eq(t->runs, 7);
	scenario_free(s);
	scenario_free(t);
}

/* A wait for a call that was left out is one for what came before that call. */
Test(program, a_call_that_is_left_out_hands_on_what_it_waited_for)
{
	struct scenario *s = read_yaml(
		"tasks:\n"
		"  one: [{open: /dev/iommu, as: i}, {signal: first}]\n"
		"  two: [{wait: first}, {eventfd2: {initval: 0, flags: 0}}, {signal: second}]\n"
		"  three: [{wait: second}, {IOMMU_IOAS_ALLOC: {fd: i}}]\n"), *t;
	u64 drop[SCENARIO_OPS_MAX / 64] = {1 << 3};

	t = again(s, drop);
	cr_assert_eq(t->program->n, 2);
	cr_assert_eq(t->program->call[1].n_after, 1);
	cr_assert_eq(t->program->call[1].after[0], 0);
	scenario_free(s);
	scenario_free(t);
}

/* One field goes in and comes out: the text must not use a name that it defines there. */
Test(program, a_result_that_is_given_again_gets_a_new_name)
{
	struct scenario *s = read_yaml(
		"tasks:\n"
		"  main:\n"
		"    - {open: /dev/iommu, as: i}\n"
		"    - {IOMMU_IOAS_ALLOC: {fd: i, out_ioas_id: a}}\n"
		"    - {IOMMU_IOAS_MAP: {fd: i, ioas_id: a, flags: 6, length: 4K, iova: at}}\n"
		"    - {IOMMU_IOAS_MAP: {fd: i, ioas_id: a, flags: 7, length: 4K, iova: at}}\n"
		"    - {IOMMU_IOAS_UNMAP: {fd: i, ioas_id: a, iova: at, length: 4K}}\n");
	char *text = report_program(s, NULL);

	cr_assert(strstr(text, "<r3=>r2"), "%s", text);
	free(text);
	scenario_free(s);
}

Test(program, what_is_no_system_call_is_said)
{
	struct scenario *s = read_yaml(
		HEAD
		"tasks:\n  main: [{open: /dev/iommu}, {probe: nic0}]\n");
	char *text = report_program(s, NULL);

	cr_assert(strstr(text, "# left out, for it is no system call: probe: nic0"), "%s",
		  text);
	free(text);
	scenario_free(s);
}

/* Lines that mean nothing alone do not come along, and that is said. */
Test(program, yaml_that_does_not_stand_alone_is_left_out)
{
	static const char *const texts[] = {
		"{bugs: [iommufd-split-itree], tasks: {main: [{open: /dev/iommu}]}}",
		" bugs: [iommufd-split-itree]\n tasks: {main: [{open: /dev/iommu}]}\n",
		"tasks: {main: [{open: &f /dev/iommu}]}\nabout: *f\n",
	};

	for (u32 i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct scenario *s = read_yaml(texts[i]), *t = again(s, NULL);
		char *text = report_program(s, NULL);

		cr_assert(strstr(text, "# left out: machine, bugs"), "%s", text);
		free(text);
		scenario_free(s);
		scenario_free(t);
	}
}

Test(program, marks_around_the_document_stay_behind)
{
	struct scenario *s = read_yaml("\xef\xbb\xbf" "about: x\ntasks: {main: [{open: /dev/iommu}]}\n"
				       "explore: {runs: 7}\n...\n");
	struct scenario *t = again(s, NULL);

	cr_assert_str_eq(t->yaml, "about: x\nexplore: {runs: 7}\n");
	scenario_free(s);
	scenario_free(t);
}

Test(program, the_first_process_may_end)
{
	struct scenario *s = read_yaml("tasks: {main: [exit]}"), *t = again(s, NULL);

	cr_assert_eq(t->program->n, 1);
	scenario_free(s);
	scenario_free(t);
}

/* One name that is signalled a hundred times: all of these calls come first. */
Test(program, a_call_may_wait_for_many)
{
	char text[16384], *at = text;
	struct scenario *s, *t;

	at += sprintf(at, "tasks:\n  one:\n    - {open: /dev/iommu, as: i}\n");
	for (u32 i = 0; i < 100; i++)
		at += sprintf(at, "    - {eventfd2: {initval: 0, flags: 0}}\n    - {signal: s}\n");
	at += sprintf(at, "  two:\n    - {wait: s}\n");
	sprintf(at, "    - {IOMMU_IOAS_ALLOC: {fd: i}}\n");
	s = read_yaml(text);
	t = again(s, NULL);
	cr_assert_eq(t->program->n, 102);
	cr_assert_eq(t->program->call[101].n_after, 100);
	same_text(t, t);
	scenario_free(s);
	scenario_free(t);
}

/* An `async` call begins when the one before it has ended, and beside those behind it. */
Test(program, async_calls_stay_where_they_are)
{
	static const char text[] =
		"r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000)='/dev/iommu\\x00', 0x2, 0x0)\n"
		"eventfd2(0x1, 0x0) (async)\n"
		"eventfd2(0x2, 0x0)\n"
		"eventfd2(0x3, 0x0) (async)\n"
		"close(r0)\n";
	u64 drop[SCENARIO_OPS_MAX / 64] = {0};
	struct scenario_error err;
	struct scenario *s = read_syz(text, &err), *t;
	char *out, why[128];

	cr_assert(s, "%s", err.text);
	t = again(s, NULL);
	cr_assert(syz_equal(s->program, t->program, why), "%s", why);
	scenario_free(t);
	for (u32 i = 0; i < s->n_ops; i++) /* whichever op it is */
		if (s->ops[i].call == &s->program->call[2])
			drop[0] = 1ULL << i;
	out = report_program(s, drop);
	cr_assert_null(strstr(out, "eventfd2(0x2"));
	cr_assert_lt(strstr(out, "eventfd2(0x1"), strstr(out, "eventfd2(0x3"));
	cr_assert_lt(strstr(out, "eventfd2(0x3"), strstr(out, "close("), "%s", out);
	free(out);
	scenario_free(s);
}

/* What is said of the other programs is not of the one that is run. */
Test(program, yaml_of_other_programs_in_a_log_does_not_count)
{
	static const char log[] =
		"# iommulab: yaml about: before all\n"
		"10:00:00 executing program 0:\n"
		"# iommulab: yaml about: first\n"
		"# iommulab: yaml explore: {runs: 3}\n"
		"close(0x3)\n"
		"10:00:01 executing program 0:\n"
		"# iommulab: yaml about: second\n"
		"# iommulab: yaml\n"
		"# iommulab: yaml explore: {runs: 5}\n"
		"close(0x4)\n"
		"[   12.345678] BUG: KASAN: use-after-free\n"
		"# iommulab: yaml bugs: [no-bug]\n";
	struct scenario_error err;
	struct scenario *s = read_syz(log, &err);

	cr_assert(s, "%u:%u: %s", err.line, err.column, err.text);
	cr_assert_str_eq(s->about, "second");
	cr_assert_eq(s->runs, 5);
	cr_assert_str_eq(s->yaml, "about: second\n\nexplore: {runs: 5}\n");
	scenario_free(s);
}

/* Places in YAML within comments are places in the file. */
Test(program, errors_of_the_yaml_have_their_place)
{
	static const struct {
		const char *text;
		u32 line, column;
		const char *what;
	} rows[] = {
		{"close(0x3)\n# iommulab: yaml bug: [x]\n", 2, 18, "unknown key 'bug' in the YAML of"},
		{"# iommulab: yaml tasks: {}\nclose(0x3)\n", 1, 18, "unknown key 'tasks'"},
		{"# iommulab: yaml bugs:\n# iommulab: yaml   [no-bug]\nclose(0x3)\n", 2, 21,
		 "unknown bug 'no-bug'"},
		{"# iommulab: yaml {\nclose(0x3)\n", 1, 0, ""},
		{"# iommulab: ret x\nclose(0x3)\n", 1, 0, "expected a number"},
		{"# iommulab: ret 4 4\nclose(0x3)\n", 1, 0, "expected a number"},
		{"close(0x3)\n# iommulab: thread 1 after 1\nclose(0x3)\n", 2, 0, "expected as 1, after"},
		{"close(0x3)\n# iommulab: thread 1, after 1,\nclose(0x3)\n", 2, 0, "blanks between"},
		{"close(0x3)\n# iommulab: thread 1, after 1 1\nclose(0x3)\n", 2, 1,
		 "more than the 1 calls before it"},
	};
	struct scenario_error err;

	for (u32 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_null(read_syz(rows[i].text, &err), "%s", rows[i].text);
		cr_assert(strstr(err.text, rows[i].what), "%s", err.text);
		cr_assert(rows[i].line == err.line || !rows[i].column, "line %u", err.line);
		cr_assert(!rows[i].column || rows[i].column == err.column, "%u:%u: %s", err.line,
			  err.column, err.text);
	}
}
