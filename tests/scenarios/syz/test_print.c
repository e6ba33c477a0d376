// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed reads back as the same program, and prints the same again:
 * for programs as people and syzkaller write them, and for thousands made at
 * random from the table.
 */
#include "scenarios/call/program.h"
#include "scenarios/syz/syz.h"
#include "sim/base/bits.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct call_program *parse(const char *text)
{
	struct syz_error err;
	struct call_program *p = syz_parse(text, strlen(text), NULL, &err);

	cr_assert(p, "%u:%u: %s\n%s", err.line,
		  err.column, err.text, text);
	return p;
}

static void same(const struct call_program *p, const struct call_program *q, const char *text,
		 const char *from)
{
	char why[128];

	cr_assert(syz_equal(p, q, why), "%s\n%s\nmade from\n%s", why, text, from);
}

/*
 * The program, printed. Read again it is the same; printed from there, it is
 * the same text from then on (memory that two pointers share may be said
 * in other pieces the second time).
 */
static char *round_trip(const struct call_program *p, const char *from)
{
	char *text = syz_print(p), *again, *third;
	struct call_program *q = parse(text), *r;

	same(p, q, text, from);
	again = syz_print(q);
	r = parse(again);
	same(p, r, again, from);
	third = syz_print(r);
	cr_assert_str_eq(again, third);
	free(again);
	free(third);
	call_program_free(q);
	call_program_free(r);
	return text;
}

static void same_text(const char *text, const char *wanted)
{
	struct call_program *p = parse(text);
	char *printed = round_trip(p, text);

	cr_assert_str_eq(printed, wanted);
	free(printed);
	call_program_free(p);
}

Test(print, committed_programs_print_as_they_are)
{
	struct dirent *e;
	DIR *d = opendir("scenarios/program");
	u32 n = 0;

	cr_assert(d);
	while ((e = readdir(d))) {
		const struct syz_options strict = {.strict = true};
		char path[300], text[8192];
		struct call_program *p;
		struct syz_error err;
		FILE *f;
		size_t size;

		if (!strstr(e->d_name, ".syz"))
			continue;
		snprintf(path, sizeof(path), "scenarios/program/%s", e->d_name);
		f = fopen(path, "r");
		cr_assert(f);
		size = fread(text, 1, sizeof(text), f);
		fclose(f);
		p = syz_parse(text, size, &strict, &err);
		cr_assert(p, "%s:%u:%u: %s", path, err.line, err.column, err.text);
		free(round_trip(p, text));
		call_program_free(p);
		n++;
	}
	closedir(d);
	cr_assert_geq(n, 5);
}

/* A pointer to where text has its data region is a number: 0x7f... in text is somewhere else. */
Test(print, bytes_that_are_an_address_of_text_stay_what_they_are)
{
	static const char *const texts[] = {
		"readv(0x3, &(0x7f0000000000)=\"65010000007f00000800000000000000\", 0x1)\n",
		"readv(0x3, &(0x7f0000000000)=\"650100ff007f00000800000000000000\", 0x1)\n",
		"mmap(0x7f0000001000, 0x1000, 0x3, 0x32, 0xffffffffffffffff, 0x0)\nclose(0x3)\n",
		"read(0x3, 0x7f0000000165, 0x8)\n"};

	for (u32 i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct call_program *p = parse(texts[i]);

		free(round_trip(p, texts[i]));
		call_program_free(p);
	}
}

/* Its two pointers meet: the second begins where the first one's memory goes on. */
Test(print, pointers_into_each_others_bytes_settle)
{
	static const char text[] = "ppoll(0x3, 0x7, &(0x0), 0x3)\n";
	struct call_program *p = parse(text);

	free(round_trip(p, text));
	call_program_free(p);
}

/* They were calls of their own once, printed as what is none. */
Test(print, unknown_variants_of_our_own_calls_come_back)
{
	static const char *const texts[] = {"syz_store$()\nclose(0x3)\n",
					    "r1 = syz_store$()\nopenat$vfio(0x0)\n",
					    "syz_fetch$x(&(0x7f0000000000)=<r0=>0x0, 8)\nclose(r0)\n",
					    "syz_store$x(&(0x7f0000000000)=0x1)\nclose(0x3)\n"};

	for (u32 i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct call_program *p = parse(texts[i]);

		free(round_trip(p, texts[i]));
		call_program_free(p);
	}
}

Test(print, typed_text_comes_back)
{
	static const char *const lines[] = {
		"r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000)='/dev/iommu\\x00', 0x2, "
		"0x0)\n",
		"ioctl$IOMMU_IOAS_UNMAP$ALL(0x3, 0x3b86, &(0x7f0000000040)={0x18, 0x1})\n",
		"ioctl$IOMMU_TEST_OP_MOCK_DOMAIN(0x3, 0x3ba0, &(0x7f0000000040)={0x48, 0x2, 0x1, "
		"0x0, <r0=>0x0, <r1=>0x0, <r2=>0x0})\n",
		"ioctl$IOMMU_IOAS_MAP(0x3, 0x3b85, &(0x7f0000000040)={0x28, 0x7, 0x0, 0x9, "
		"&(0x7f0000001000)=\"0102\"/0x1000, 0x1000})\n",
		"ioctl$IOMMU_HWPT_ALLOC$NONE(0x3, 0x3b89, &(0x7f0000000040)={0x30, 0x1, 0x2, 0x1, "
		"0x0, 0x0, 0x0, 0x0, 0x0, 0x5})\n",
		"ioctl$IOMMU_IOAS_MAP$PAGES(0x3, 0x3b85, &(0x20000040)={0x28, 0x7, 0x0, 0x0, "
		"&(0x7f0000ffc000/0x4000)=nil, 0x4000})\n",
		"ioctl$VFIO_DEVICE_SET_IRQS$EVENTFD(0x3, 0x3b6e, &(0x7f0000000040)={0x18, 0x24, 0x2, "
		"0x0, 0x1, [0x5]})\n",
		"read(0x3, &(0x7f0000000040)=\"\"/0x28, 0x28)\n",
		"ioctl(0x3, 0xae80, &(0x7f0000000040)=\"deadbeef\")\n",
		"ioctl$IOMMU_DESTROY$ioas(0x3, 0x3b80, 0xffffffffffffffff)\n",
		"close(0x3) (fail_nth: 7, async, rerun: 32)\n",
	};

	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		same_text(lines[i], lines[i]);
}

Test(print, processes_are_in_comments)
{
	static const char text[] =
		"r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000)='/dev/iommu\\x00', 0x2, "
		"0x0)\n"
		"# iommulab: process 1 begins, a copy of 0\n"
		"# iommulab: process 1\n"
		"close(r0)\n"
		"# iommulab: process 2 begins, a copy of 1\n"
		"# iommulab: process 1 ends\n"
		"# iommulab: process 2\n"
		"close(0x4) (async)\n"
		"close(r0)\n";
	static const char *const bad[] = {"0", "32", "1 ended", "-1", "", "1 begins, a copy of 40"};
	struct call_program *p = parse(text);
	struct syz_error err;
	char line[128];

	same_text(text, text);
	cr_assert_eq(p->n, 7);
	cr_assert_eq(p->call[1].nr, CALL_NR_FORK);
	cr_assert_eq(p->call[1].arg[0].value, 1);
	cr_assert_eq(p->call[2].process, 1);
	cr_assert_eq(p->call[3].process, 1);
	cr_assert_eq(p->call[3].arg[0].value, 2);
	cr_assert_eq(p->call[4].nr, CALL_NR_EXIT_GROUP);
	cr_assert_eq(p->call[5].process, 2);
	cr_assert_eq(p->call[6].process, 0, "a comment is for one call");
	call_program_free(p);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "# iommulab: process %s\nclose(0x3)\n", bad[i]);
		cr_assert_null(syz_parse(line, strlen(line), NULL, &err), "%s", line);
		cr_assert_eq(err.line, 1);
	}
}

Test(print, threads_and_memory_are_in_comments)
{
	static const char text[] =
		"# iommulab: memory 0x555555556000 0x3000\n"
		"r0 = dup(0x3)\n"
		"# iommulab: thread 1, after 1\n"
		"close(r0)\n"
		"# iommulab: thread 2\n"
		"# iommulab: process 1 begins, a copy of 0\n"
		"# iommulab: thread 7, after 2 3\n"
		"# iommulab: process 1\n"
		"close(0x4)\n"
		"close(0x5)\n";
	static const char *const bad[] = {
		"thread -1",         "thread 1024",         "thread x",      "thread 1, after 1",
		"thread 1, after 0", "memory 0x1000",       "memory 0x800 0x1000",
		"memory 0x1000 0x0", "memory 0x1000 0x1001", "memory 0x1000 0x2000000",
		"memory 0x7ffffffff000 0x2000",
	};
	struct call_program *p = parse(text);
	struct syz_error err;
	char line[128];

	same_text(text, text);
	cr_assert_eq(p->n, 5);
	cr_assert_eq(p->n_areas, 2, "the text's own region, too");
	cr_assert_eq(p->area[0].addr, 0x555555556000);
	cr_assert_eq(p->area[0].size, 0x3000);
	cr_assert_eq(p->call[1].thread, 1);
	cr_assert_eq(p->call[1].n_after, 1);
	cr_assert_eq(p->call[1].after[0], 0);
	cr_assert_eq(p->call[2].thread, 2);
	cr_assert_eq(p->call[3].thread, 7);
	cr_assert_eq(p->call[3].process, 1);
	cr_assert_eq(p->call[3].after[1], 2);
	cr_assert_eq(p->call[4].thread, 0, "a comment is for one call");
	call_program_free(p);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "# iommulab: %s\nclose(0x3)\n", bad[i]);
		cr_assert_null(syz_parse(line, strlen(line), NULL, &err), "%s", line);
		cr_assert_eq(err.line, 1);
	}
}

Test(print, results_are_numbered_by_their_first_use)
{
	same_text("r17 = dup(0x3)\nr4 = dup(r17)\nclose(r4/0x2+0x1)\nclose(r17)\n",
		  "r0 = dup(0x3)\nr1 = dup(r0)\nclose(r1/0x2+0x1)\nclose(r0)\n");
}

Test(print, what_no_type_describes_is_bytes)
{
	same_text("ioctl$IOMMU_DESTROY$ioas(0x3, 0x3b80, &(0x7f0000000040)=ANY=[@ANYBLOB=\"0800\"])\n",
		  "ioctl$IOMMU_DESTROY$ioas(0x3, 0x3b80, &(0x7f0000000040)=ANY=[@ANYBLOB=\"0800\"])\n");
	same_text("r0 = dup(0x3)\nioctl$IOMMU_DESTROY(0x3, 0x3b80, &(0x7f0000000040)="
		  "ANY=[@ANYRES16=r0, @ANYRESHEX=r0])\n",
		  "r0 = dup(0x3)\n"
		  "ioctl$IOMMU_DESTROY(0x3, 0x3b80, &(0x7f0000000040)="
		  "ANY=[@ANYRES16=r0, @ANYRESHEX=r0])\n");
	same_text("syz_fetch(&(0x7f0000000200)=<r3=>0xffffffffffffffff, 0x4)\nclose(0x3)\nclose(r3)\n",
		  "syz_fetch(&(0x7f0000000200)=<r0=>0xffffffffffffffff, 0x4)\nclose(0x3)\nclose(r0)\n");
}

/* A recorded client: raw numbers, structs as one piece of memory, no rows. */
Test(print, recorded_calls_get_types)
{
	u32 alloc[3] = {12, 0, 0}, op[18] = {72, 7, 4, 0, 0, 0, 0x1000, 0, 0x1000};
	struct call_in in[] = {
		{.addr = SYZ_BASE + 0x100, .size = 12, .data = (u8 *)alloc},
		{.addr = SYZ_BASE + 0x200, .size = 72, .data = (u8 *)op},
		{.addr = SYZ_BASE, .size = 11, .data = (const u8 *)"/dev/iommu"},
	};
	struct call_out out = {SYZ_BASE + 0x108, 4, 1};
#define C(v) {.value = (v), .result = CALL_NO_RESULT, .div = 1}
	struct call calls[] = {
		{.nr = 257, .arg = {C(0xffffffffffffff9c), C(SYZ_BASE), C(2), C(0)}, .n_args = 4,
		 .in = &in[2], .n_in = 1, .result = 0},
		{.nr = 16, .arg = {{.result = 0}, C(0x3b81), C(SYZ_BASE + 0x100)}, .n_args = 3,
		 .in = &in[0], .n_in = 1, .out = &out, .n_out = 1, .result = CALL_NO_RESULT},
		{.nr = 16, .arg = {{.result = 0}, C(0x3ba0), C(SYZ_BASE + 0x200)}, .n_args = 3,
		 .in = &in[1], .n_in = 1, .result = CALL_NO_RESULT},
	};
#undef C
	char *names[2] = {NULL, NULL};
	u64 defaults[2] = {~0ULL, 0};
	struct call_program p = {.call = calls, .n = 3, .n_results = 2, .result_name = names,
				 .result_default = defaults};
	char *text = syz_print(&p);

	cr_assert_str_eq(text,
		"r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000)='/dev/iommu\\x00', 0x2, 0x0)\n"
		"ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &(0x7f0000000100)={0xc, 0x0, <r1=>0x0})\n"
		"ioctl$IOMMU_TEST_OP_ACCESS_PAGES(r0, 0x3ba0, &(0x7f0000000200)={0x48, 0x7, 0x4, 0x0, "
		"0x0, 0x0, 0x1000, 0x1000})\n");
	call_program_free(parse(text));
	free(text);
}

Test(print, differences_are_seen)
{
	static const char *const pairs[][2] = {
		{"close(0x3)", "close(0x4)"},
		{"close(0x3)", "close(0x3) (async)"},
		{"close(0x3)", "dup(0x3)"},
		{"close(0x3)", "close(0x3)\nclose(0x3)"},
		{"r0 = dup(0x3)\nclose(r0)", "r0 = dup(0x3)\nclose(r0+0x1)"},
		{"r0 = dup(0x3)\nr1 = dup(0x3)\nclose(r0)", "r0 = dup(0x3)\nr1 = dup(0x3)\nclose(r1)"},
		{"write(0x3, &(0x7f0000000000)='a', 0x1)", "write(0x3, &(0x7f0000000000)='b', 0x1)"},
		{"write(0x3, &(0x7f0000000000)='a', 0x1)", "write(0x3, &(0x7f0000000000)='aa', 0x1)"},
		{"ioctl$IOMMU_IOAS_ALLOC(0x3, 0x3b81, &(0x7f0000000000)={0xc, 0x0, <r0=>0x0})",
		 "ioctl$IOMMU_IOAS_ALLOC(0x3, 0x3b81, &(0x7f0000000000)={0xc, 0x0, 0x0})"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct call_program *a = parse(pairs[i][0]), *b = parse(pairs[i][1]);
		char why[128];

		cr_assert(!syz_equal(a, b, why), "%s", pairs[i][0]);
		cr_assert(why[0]);
		cr_assert(syz_equal(a, a, why));
		call_program_free(a);
		call_program_free(b);
	}
}

/* --- random programs --- */

struct maker {
	u64 seed;
	char text[1 << 16];
	size_t n;
	u32 results;
};

static u64 draw(struct maker *m, u64 n)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (m->seed >> 33) % n;
}

__attribute__((format(printf, 2, 3))) static void say(struct maker *m, const char *format, ...)
{
	va_list args;

	if (m->n + 256 > sizeof(m->text))
		return;
	va_start(args, format);
	m->n += (size_t)vsnprintf(m->text + m->n, 256, format, args);
	va_end(args);
}

static void say_number(struct maker *m, u32 size)
{
	static const u64 some[] = {0, 1, 7, 0x48, 0x1000, 0x7fffffff, ~0ULL, 0x1000000};
	u64 v = draw(m, 3) ? some[draw(m, ARRAY_SIZE(some))] : draw(m, 1 << 30) << draw(m, 34);

	say(m, "0x%llx", (unsigned long long)(size < 8 ? v & ((1ULL << size * 8) - 1) : v));
}

static void say_typed(struct maker *m, const struct uapi_type *t, bool out);

static void say_data(struct maker *m)
{
	u64 n = draw(m, 24);
	bool hex = draw(m, 2);

	say(m, hex ? "\"" : "'");
	for (u64 i = 0; i < n; i++)
		say(m, hex ? "%02x" : draw(m, 5) ? "%c" : "\\x%02x",
		    (u32)(hex ? draw(m, 256) : 'a' + draw(m, 26)));
	say(m, hex ? "\"" : "'");
	if (!draw(m, 4))
		say(m, "/0x%llx", (unsigned long long)draw(m, 80));
}

static void say_any(struct maker *m)
{
	static const char *const pieces[] = {"@ANYRES16=", "@ANYRES32=", "@ANYRES64=",
					     "@ANYRESDEC=", "@ANYRESHEX="};

	say(m, "ANY=[");
	for (u64 n = draw(m, 4) + 1; n; n--) {
		if (draw(m, 2) && m->results) {
			say(m, "%sr%u", pieces[draw(m, ARRAY_SIZE(pieces))],
			    (u32)draw(m, m->results));
		} else {
			say(m, "@ANYBLOB=");
			say_data(m);
		}
		say(m, n > 1 ? ", " : "]");
	}
}

static void say_pointer(struct maker *m, const struct uapi_type *t)
{
	u64 addr = SYZ_BASE_TEXT + draw(m, 64) * 0x40;

	switch (draw(m, 12)) {
	case 0:
		say(m, "0x%llx", -(unsigned long long)draw(m, 5));
		return;
	case 1:
		say(m, "&(0x%llx)", (unsigned long long)addr);
		return;
	case 2:
		say(m, "&(0x%llx)=", (unsigned long long)addr);
		say_any(m);
		return;
	case 3:
		addr = SYZ_BASE_OLD + draw(m, 4) * 0x100;
	}
	if (draw(m, 9))
		say(m, "&(0x%llx)=", (unsigned long long)addr);
	else
		say(m, "&AUTO=");
	say_typed(m, t->to, false);
}

static void say_struct(struct maker *m, const struct uapi_struct *l, bool out)
{
	u64 n = draw(m, 3) ? l->n : draw(m, l->n + 1);
	const char *comma = "";

	say(m, "{");
	for (u32 i = 0; i < n; i++) {
		if (l->field[i].type.kind == UAPI_PAD)
			continue;
		say(m, "%s", comma);
		comma = ", ";
		say_typed(m, &l->field[i].type, out);
	}
	say(m, "}");
}

static void say_scalar(struct maker *m, const struct uapi_type *t, bool out)
{
	if (out && t->kind == UAPI_RES && t->size <= 8 && draw(m, 4)) {
		say(m, "<r%u=>0x0", m->results++);
		return;
	}
	if (m->results && (t->kind == UAPI_RES ? draw(m, 4) != 0 : !draw(m, 12)))
		say(m, "r%u", (u32)draw(m, m->results));
	else if (t->kind == UAPI_CONST && draw(m, 8))
		say(m, "0x%llx", (unsigned long long)t->def);
	else if (t->kind == UAPI_LEN && draw(m, 2))
		say(m, "AUTO");
	else
		say_number(m, t->size);
}

static void say_typed(struct maker *m, const struct uapi_type *t, bool out)
{
	out |= t->dir == UAPI_OUT;
	switch (t->kind) {
	case UAPI_PTR:
		say_pointer(m, t);
		break;
	case UAPI_VMA:
		say(m, "&(0x7f0000%03llx000/0x%llx000)=nil", (unsigned long long)draw(m, 0xf00),
		    (unsigned long long)draw(m, 4) + 1);
		break;
	case UAPI_STRING:
	case UAPI_BUFFER:
		say_data(m);
		break;
	case UAPI_ARRAY:
		say(m, "[");
		for (u64 n = t->n ? t->n : draw(m, 4); n; n--) {
			say_typed(m, t->to, out);
			say(m, n > 1 ? ", " : "");
		}
		say(m, "]");
		break;
	case UAPI_STRUCT:
		say_struct(m, t->layout, out);
		break;
	default:
		say_scalar(m, t, out);
	}
}

static void say_call(struct maker *m, const struct uapi_call *c)
{
	if (c->ret && draw(m, 5))
		say(m, "r%u = ", m->results++);
	say(m, "%s(", c->name);
	for (u32 i = 0; i < c->n_args; i++) {
		say(m, i ? ", " : "");
		say_typed(m, &c->arg[i].type, false);
	}
	say(m, ")%s\n", draw(m, 6) ? "" : draw(m, 2) ? " (async)" : " (fail_nth: 3, rerun: 4)");
}

/* Every row by itself, then programs of 2 to 17 calls. */
Test(print, random_programs_of_all_rows_are_stable, .timeout = 60)
{
	static struct maker m;
	u32 typed = 0;

	for (u32 i = 0; i < 6000; i++) {
		u64 n = i < uapi_calls_n * 8 ? 1 : 2 + i % 16;
		struct call_program *p;
		char *text;

		m = (struct maker){.seed = i};
		for (u64 k = 0; k < n; k++)
			say_call(&m, &uapi_calls[n == 1 ? i % uapi_calls_n :
						 draw(&m, uapi_calls_n)]);
		if (!strncmp(m.text, "syz_", 4) && n == 1)
			continue;
		p = parse(m.text);
		text = round_trip(p, m.text);
		typed += !strstr(text, "syz_store") && !strstr(text, "ANY=");
		free(text);
		call_program_free(p);
	}
	cr_assert_gt(typed, 1500, "%u programs were printed with types alone", typed);
}
