// SPDX-License-Identifier: GPL-2.0-only
/*
 * What program text means: the stores, arguments and results of each call.
 */
#include "scenarios/call/program.h"
#include "scenarios/syz/syz.h"
#include "sim/base/bits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

static char notes[4096];

static void keep(void *self, const struct syz_note *n)
{
	size_t at = strlen(notes);

	(void)self;
	snprintf(notes + at, sizeof(notes) - at, "%u: %s\n", n->line, n->text);
}

static struct call_program *parse(const char *text)
{
	const struct syz_options o = {.note = keep};
	struct syz_error err;
	struct call_program *p;

	notes[0] = '\0';
	p = syz_parse(text, strlen(text), &o, &err);
	cr_assert(p, "%u:%u: %s", err.line, err.column, err.text);
	return p;
}

static void fails(const char *text, bool strict, u32 line, u32 column, const char *wanted)
{
	const struct syz_options o = {.strict = strict};
	struct syz_error err;

	cr_assert_null(syz_parse(text, strlen(text), &o, &err), "%s", text);
	cr_assert(strstr(err.text, wanted), "%s: '%s'", text, err.text);
	cr_assert_eq(err.line, line, "%s: line %u", text, err.line);
	cr_assert_eq(err.column, column, "%s: column %u", text, err.column);
}

/* Bytes [addr, addr + n) as the call's stores leave them; what is not stored is 0xee. */
static void memory(const struct call *c, u64 addr, u8 *to, u64 n)
{
	memset(to, 0xee, n);
	for (u32 i = 0; i < c->n_in; i++) {
		const struct call_in *in = &c->in[i];

		for (u64 k = 0; k < in->size; k++) {
			const u8 *from = in->kind == CALL_IN_DATA ? in->data
								  : (const u8 *)&in->value.value;

			if (in->addr + k >= addr && in->addr + k < addr + n)
				to[in->addr + k - addr] = from[k];
		}
	}
}

static u64 word(const struct call *c, u64 offset, u32 size)
{
	u64 v = 0;

	memory(c, SYZ_BASE + offset, (u8 *)&v, size);
	return v;
}

Test(parse, fields_left_out_have_their_defaults_and_padding_is_not_stored)
{
	struct call_program *p = parse(
		"ioctl$IOMMU_IOAS_UNMAP$ALL(0xffffffffffffffff, 0x3b86, &(0x7f0000000040)={0x18})\n"
		"ioctl$IOMMU_TEST_OP_MOCK_DOMAIN(0x3, 0x3ba0, &(0x7f0000000080)={0x48})\n"
		"ioctl$IOMMU_HWPT_ALLOC$NONE(0x3, 0x3b89, &(0x7f0000000100)={0x28})\n");

	cr_assert_eq(word(&p->call[0], 0x40, 4), 0x18);
	cr_assert_eq(word(&p->call[0], 0x50, 8), ~0ULL);
	cr_assert_eq(word(&p->call[1], 0x84, 4), 2, "the op is the row's");
	cr_assert_eq(word(&p->call[1], 0x90, 4), 0xeeeeeeee, "only the kernel writes it");
	cr_assert_eq(word(&p->call[1], 0xa0, 4), 0xeeeeeeee, "padding");
	cr_assert_eq(word(&p->call[2], 0x120, 8), SYZ_BASE, "a pointer to its default");
	cr_assert_eq(word(&p->call[2], 0x128, 4), 0xeeeeeeee, "younger than syzkaller's struct");
	cr_assert_eq(p->call[0].arg[0].value, ~0ULL);
	cr_assert_eq(p->call[0].arg[2].value, SYZ_BASE + 0x40);
	call_program_free(p);
}

Test(parse, a_pointer_alone_points_at_the_default)
{
	struct call_program *p =
		parse("r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000), 0x0, 0x0)\n");
	u8 path[12];

	memory(&p->call[0], SYZ_BASE, path, 12);
	cr_assert_arr_eq(path, "/dev/iommu\0\xee", 12);
	cr_assert_eq(p->call[0].nr, 257);
	cr_assert_eq(p->call[0].result, 0);
	cr_assert_eq(p->result_default[0], ~0ULL);
	cr_assert_str_eq(p->result_name[0], "r0");
	call_program_free(p);
}

Test(parse, results_flow_and_are_captured)
{
	struct call_program *p = parse(
		"r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000), 0x0, 0x0)\n"
		"ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &(0x7f0000000040)={0xc, 0x0, <r1=>0x0})\n"
		"ioctl$IOMMU_DESTROY$ioas(r0, 0x3b80, &(0x7f0000000080)={0x8, r1/0x2+0x3})\n"
		"ioctl$IOMMU_DESTROY$ioas(r7, 0x3b80, &(0x7f0000000080)={0x8, r8})\n");
	const struct call_value *v = &p->call[2].in[1].value;

	cr_assert_eq(p->call[1].n_out, 1);
	cr_assert_eq(p->call[1].out[0].addr, SYZ_BASE + 0x48);
	cr_assert_eq(p->call[1].out[0].size, 4);
	cr_assert_eq(p->call[1].out[0].result, 1);
	cr_assert_eq(p->call[1].arg[0].result, 0);
	cr_assert(v->result == 1 && v->div == 2 && v->add == 3);
	cr_assert_eq(p->call[3].arg[0].value, ~0ULL, "not given yet: the default of an fd");
	cr_assert_eq(p->call[3].arg[0].result, CALL_NO_RESULT);
	cr_assert_str_eq(notes, "4: 'r7' is given by no call before this\n"
				"4: 'r8' is given by no call before this\n");
	call_program_free(p);
}

Test(parse, special_pointers_and_both_bases)
{
	struct call_program *p = parse(
		"ioctl$IOMMU_IOAS_MAP(0x3, 0x3b85, 0x0)\n"
		"ioctl$IOMMU_IOAS_MAP(0x3, 0x3b85, 0xffffffffffffffff)\n"
		"ioctl$IOMMU_IOAS_MAP(0x3, 0x3b85, 0xfffffffffffffffe)\n"
		"munmap(&(0x7f0000ffc123/0x1001)=nil, AUTO)\n"
		"ioctl$IOMMU_DESTROY(0x3, 0x3b80, &(0x20000100)={0x8, 0x5})\n"
		"ioctl$IOMMU_DESTROY(0x3, 0x3b80, &(0x200000000100)={0x8, 0x5})\n");

	cr_assert_eq(p->call[0].arg[2].value, 0);
	cr_assert_eq(p->call[1].arg[2].value, ~0ULL);
	cr_assert_eq(p->call[2].arg[2].value, 0x9999999999999999);
	cr_assert_eq(p->call[3].arg[0].value, SYZ_BASE + 0xffc000);
	cr_assert_eq(p->call[3].arg[1].value, 0x2000);
	cr_assert_eq(p->call[4].arg[2].value, 0x20000100);
	cr_assert_eq(p->call[5].arg[2].value, SYZ_BASE + 0x100);
	cr_assert_eq(p->n_areas, 2);
	cr_assert(p->area[0].addr == SYZ_BASE && p->area[1].addr == SYZ_BASE_OLD);
	call_program_free(p);
}

Test(parse, squashed_structs_are_bytes_with_results)
{
	struct call_program *p = parse(
		"r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000), 0x0, 0x0)\n"
		"ioctl$IOMMU_DESTROY$ioas(r0, 0x3b80, &(0x7f0000000040)=ANY=[@ANYBLOB=\"0800\", "
		"@ANYRES16=0x7, @ANYRES32=<r1=>r0, @ANYRESDEC=r0, @ANYRESHEX, @ANYRESOCT=r0, "
		"@ANYPTR64=&(0x7f0000000800)=ANY=[@ANYBLOB='xy'], @ANYBLOB=\"ff\"/3])\n");
	const struct call *c = &p->call[1];
	static const struct {
		enum call_in_kind kind;
		u64 offset, size;
	} wanted[] = {{CALL_IN_DATA, 0x40, 2}, {CALL_IN_VALUE, 0x42, 2}, {CALL_IN_VALUE, 0x44, 4},
		      {CALL_IN_DEC, 0x48, 20}, {CALL_IN_HEX, 0x5c, 18}, {CALL_IN_OCT, 0x6e, 23},
		      {CALL_IN_DATA, 0x800, 2}, {CALL_IN_VALUE, 0x85, 8}, {CALL_IN_DATA, 0x8d, 3}};

	cr_assert_eq(c->n_in, ARRAY_SIZE(wanted));
	for (u32 i = 0; i < c->n_in; i++) {
		cr_assert_eq(c->in[i].kind, wanted[i].kind, "%u", i);
		cr_assert_eq(c->in[i].addr, SYZ_BASE + wanted[i].offset, "%u", i);
		cr_assert_eq(c->in[i].size, wanted[i].size, "%u", i);
	}
	cr_assert_eq(c->in[7].value.value, SYZ_BASE + 0x800);
	cr_assert_eq(c->out[0].addr, SYZ_BASE + 0x44);
	cr_assert_arr_eq(c->in[8].data, "\xff\0\0", 3);
	call_program_free(p);
}

static void base64(const u8 *from, size_t n, char *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		u32 v = (u32)from[i] << 16 | (i + 1 < n ? (u32)from[i + 1] << 8 : 0) |
			(i + 2 < n ? from[i + 2] : 0);

		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*to++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*to = '\0';
}

/* A call with `size` zeroes, compressed. */
static char *packed_call(size_t size)
{
	uLongf n = compressBound(size);
	u8 *zeroes = calloc(1, size), *packed = malloc(n);
	char *text = malloc(n * 2 + 256);
	int at = sprintf(text, "write(0x3, &(0x7f0000000000)=\"$");

	cr_assert_eq(compress(packed, &n, zeroes, size), Z_OK);
	base64(packed, n, text + at);
	strcat(text, "\", 0x4)\n");
	free(zeroes);
	free(packed);
	return text;
}

Test(parse, data_in_each_form)
{
	char *packed = packed_call(70000);
	struct call_program *p = parse("write(0x3, &(0x7f0000000000)='a\\x41\\n\\\\\\'\\\"', 0x4)\n"
				       "write(0x3, &(0x7f0000000000)=\"0aFf\"/4, AUTO)\n"
				       "write(0x3, &(0x7f0000000000)=\"01020304\"/2, AUTO)\n"
				       "read(0x3, &(0x7f0000000000)=\"\"/40, 0x28)\n");

	cr_assert_eq(p->call[0].in[0].size, 6);
	cr_assert_arr_eq(p->call[0].in[0].data, "aA\n\\'\"", 6);
	cr_assert_arr_eq(p->call[1].in[0].data, "\x0a\xff\0\0", 4);
	cr_assert_eq(p->call[1].arg[2].value, 4);
	cr_assert_eq(p->call[2].in[0].size, 2);
	cr_assert_eq(p->call[3].n_in, 0);
	call_program_free(p);
	p = parse(packed);
	cr_assert_eq(p->call[0].in[0].size, 70000);
	call_program_free(p);
	free(packed);
	packed = packed_call(SYZ_REGION + 1);
	fails(packed, false, 1, 32, "more than 16 MiB");
	free(packed);
	fails("write(0x3, &(0x7f0000000000)=\"$AAAA\", 0x4)", false, 1, 32, "zlib");
	fails("write(0x3, &(0x7f0000000000)=\"$!\", 0x4)", false, 1, 32, "base64");
	fails("write(0x3, &(0x7f0000000000)=\"012\", 0x4)", false, 1, 31, "even number");
	fails("write(0x3, &(0x7f0000000000)='\\q', 0x4)", false, 1, 32, "escape");
}

Test(parse, lengths_are_computed_where_asked)
{
	struct call_program *p = parse(
		"ioctl$IOMMU_IOAS_ALLOW_IOVAS(0x3, 0x3b82, &(0x7f0000000000)={AUTO, 0x1, AUTO, 0x0, "
		"&(0x7f0000000040)=[{0x0, 0x1}, {0x3, 0x5}, {}]})\n"
		"ioctl$IOMMU_IOAS_MAP(0x3, 0x3b85, &AUTO={AUTO, 0x7, 0x1, 0x0, &AUTO='LLLL'/28, AUTO})\n"
		"ioctl$IOMMU_HWPT_ALLOC$NONE(0x3, 0x3b89, &(0x7f0000000000)={AUTO, 0x1})\n"
		"write$iommufd_fault(0x3, &(0x7f0000000000)=[{0x1, 0x1}, {0x2}], AUTO)\n");

	cr_assert_eq(word(&p->call[0], 0, 4), 24);
	cr_assert_eq(word(&p->call[0], 8, 4), 3);
	cr_assert_eq(p->call[1].in[0].value.value, 40);
	cr_assert_eq(word(&p->call[2], 0, 4), 40, "without what syzkaller does not know");
	cr_assert_eq(p->call[3].arg[2].value, 16);
	call_program_free(p);
}

Test(parse, names_drift)
{
	struct call_program *p = parse(
		"ioctl$IOMMU_DESTROY$device(0x3, 0x3b80, &(0x7f0000000000)={0x8, 0x5})\n"
		"ioctl$KVM_RUN(0x3, 0xae80, 0x0)\n"
		"r1 = openat$kvm(0xffffffffffffff9c, &(0x7f0000000000)='/dev/kvm\\x00', 0x0, 0x0)\n"
		"r2 = syz_genetlink_get_family_id$nl80211(&(0x7f0000000000), 0xffffffffffffffff)\n"
		"sendmsg$foo(r1, &(0x7f0000000000)={<r3=>0x0})\n"
		"close(r2)\n"
		"close(r3)\n");

	cr_assert_eq(p->n, 5);
	cr_assert_str_eq(p->call[0].row->name, "ioctl$IOMMU_DESTROY");
	cr_assert_str_eq(p->call[0].name, "ioctl$IOMMU_DESTROY$device");
	cr_assert_eq(word(&p->call[0], 4, 4), 5);
	cr_assert_str_eq(p->call[1].row->name, "ioctl");
	cr_assert_eq(p->call[1].arg[1].value, 0xae80);
	cr_assert_str_eq(p->call[2].row->name, "openat");
	cr_assert_eq(p->call[3].arg[0].value, ~0ULL);
	cr_assert_eq(p->call[3].line, 6);
	cr_assert_str_eq(notes,
			 "1: unknown variant ioctl$IOMMU_DESTROY$device, taken for ioctl$IOMMU_DESTROY\n"
			 "2: unknown variant ioctl$KVM_RUN, taken for ioctl\n"
			 "3: unknown variant openat$kvm, taken for openat\n"
			 "4: pseudo-syscall 'syz_genetlink_get_family_id$nl80211': skipped\n"
			 "5: unknown call 'sendmsg$foo': skipped\n");
	call_program_free(p);
}

Test(parse, properties_comments_and_headers)
{
	struct call_program *p = parse(
		"# {Threaded:true Repeat:true Procs:1 Fault:true FaultCall:1 FaultNth:3}\n"
		"\n"
		"close(0x3) (async, rerun: 32) # a comment\r\n"
		"  close ( 0x4 )( fail_nth: 7 )\n"
		"close(0x5)\n");
	struct call_program *q = parse(
		"#{\"threaded\":true,\"fault\":true,\"fault_call\":0,\"fault_nth\":0}\n"
		"close(0x3) (bogus: 1)\n");

	cr_assert(p->call[0].async && p->call[0].rerun == 32 && !p->call[0].fail_nth);
	cr_assert(!p->call[1].async && p->call[1].fail_nth == 4, "the header's fault, from 0");
	cr_assert_eq(p->call[1].line, 4);
	cr_assert_eq(p->call[1].column, 3);
	cr_assert_eq(q->call[0].fail_nth, 1);
	cr_assert(strstr(notes, "unknown property 'bogus'"));
	call_program_free(p);
	call_program_free(q);
}

/* What is meant for us and not understood is said: a mark that is lost may change the run. */
Test(parse, comments_for_us_that_are_not_known_are_noted)
{
	struct call_program *p = parse(
		"# iommulab: thraed 1\n"
		"#iommulab: ret 0\n"
		"# iommulab:yaml bugs: []\n"
		"# iommulab: yamls\n"
		"# iommulab: yaml\n"
		"# iommulab is what replays it; iommulab: ret 0\n"
		"close(0x3)\n");

	cr_assert(strstr(notes, "1: comment '# iommulab: thraed 1' is not known: passed over"));
	cr_assert(strstr(notes, "\n2: comment") && strstr(notes, "\n3: comment") &&
		  strstr(notes, "\n4: comment"));
	cr_assert(!strstr(notes, "\n5: ") && !strstr(notes, "\n6: "), "%s", notes);
	call_program_free(p);
	fails("close(0x3)\n # iommulab: rets 0\nclose(0x4)\n", true, 2, 2, "is not known");
	p = parse("close(0x3)\n# executing program\n# iommulab: x\nclose(0x4)\n"
		  "# executing program\nclose(0x5)\n");
	cr_assert_str_eq(notes, "");
	call_program_free(p);
}

Test(parse, crash_logs_hold_several_programs)
{
	static const char log[] =
		"[   10.0] console\n"
		"2026/01/01 00:00:00 executing program 0:\n"
		"close(0x1)\n"
		"[   11.0][ T1] BUG: something\n"
		"close(0x7)\n"
		"2026/01/01 00:00:01 executing program 3 (fault-call:0 fault-nth:1):\n"
		"close(0x2)\n"
		"\n"
		"close(0x3)\n"
		"[   12.0][ T1] BUG: KASAN: something\n"
		"close(0x4)\n";
	struct syz_options o = {.program = 1};
	struct syz_error err;
	struct call_program *p = syz_parse(log, strlen(log), &o, &err);

	cr_assert_eq(p->n, 1);
	cr_assert_eq(p->call[0].arg[0].value, 1);
	call_program_free(p);
	p = parse(log);
	cr_assert_eq(p->n, 2);
	cr_assert_eq(p->call[0].arg[0].value, 2);
	cr_assert_eq(p->call[0].fail_nth, 2);
	cr_assert_eq(p->call[1].arg[0].value, 3);
	call_program_free(p);
	o.program = 3;
	cr_assert_null(syz_parse(log, strlen(log), &o, &err));
	cr_assert_str_eq(err.text, "program 3 is asked, there are 2");
}

Test(parse, bad_text_is_one_line_with_its_place)
{
	fails("", false, 1, 1, "no calls");
	fails("close(0x3", false, 1, 10, "the end of the line, expected ',' or ')'");
	fails("close(0x3)\nclose(0xg)\n", false, 2, 7, "'0xg', expected a number");
	fails("close(0x10000000000000000)", false, 1, 7, "does not fit in 64 bits");
	fails("close(09)", false, 1, 7, "expected a number");
	fails("close(0x3) 0x4", false, 1, 12, "expected the end of the line");
	fails("close(&(0x7f0000000000)='abc)", false, 1, 25, "data without an end");
	fails("close(r0/0x0)", false, 1, 7, "division by 0");
	fails("r0 = = 4", false, 1, 6, "expected a name");
	fails("close(\x01)", false, 1, 7, "byte 0x01");
	fails("close(0x3)\nfoo(0x3)", true, 2, 1, "unknown call 'foo'");
	fails("close()", true, 1, 1, "0 arguments, expected 1");
	fails("close(0x1, 0x2)", true, 1, 1, "2 arguments, expected 1");
	fails("close(r0)", true, 1, 7, "given by no call");
	fails("close({})", true, 1, 7, "a struct, expected a number or a result");
	fails("close(0x1) (async: 1, what)", true, 1, 23, "unknown property");
}

static double seconds(const char *text, size_t size, struct syz_error *err)
{
	struct timespec a, b;
	struct call_program *p;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	p = syz_parse(text, size, NULL, err);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	call_program_free(p);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* `head`, then `part` over and over up to `size`. */
static char *repeated(const char *head, const char *part, size_t size)
{
	char *text = malloc(size + 1);
	size_t n = strlen(head), step = strlen(part);

	memcpy(text, head, n);
	for (; n + step <= size; n += step)
		memcpy(text + n, part, step);
	memset(text + n, ' ', size - n);
	return text;
}

Test(parse, hostile_text_is_answered_soon)
{
	static const struct {
		const char *head, *part, *wanted;
	} rows[] = {
		{"close(", "{", "more than 64 values in each other"},
		{"close(", "&(0x7f0000000000)=", "more than 64 values in each other"},
		{"close(", "@a=", "more than 64 values in each other"},
		{"close(", "0x1,", "more than 131072 values"},
		{"close(", "a", "a name of"},
		{"#", "x", "no calls"},
		{"", "\n", "no calls"},
		{"", "close(0x1)\n", "more than 1024 calls"},
		{"", "x()\n", "more than 1024 unknown calls"},
		{"", "r0 = x(<r1=>r2)\n", "more than 1024 unknown calls"},
		{"", "executing program 1\n", "no calls"},
		{"close('", "\\x00", "data without an end"},
		{"close(", "[[],", "more than 64 values in each other"},
		{"close(0x", "0", "a name of"},
		{"", "close(", "expected ',' or ')'"},
		{"", "dup(dup)\n", "more than 1024 calls"},
	};

	/* A quadratic reader would take hours; sanitizers take their share. */
	const double limit = IOMMULAB_ASAN ? 20 : 2;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = repeated(rows[i].head, rows[i].part, 10 << 20);
		struct syz_error err;

		cr_expect_lt(seconds(text, 10 << 20, &err), limit, "%s", rows[i].part);
		cr_expect(strstr(err.text, rows[i].wanted), "%s: %s", rows[i].part, err.text);
		free(text);
	}
}

Test(parse, text_above_the_limit_is_refused)
{
	char *text = repeated("", "\n", SYZ_TEXT_MAX + 1);
	struct syz_error err;

	cr_assert_null(syz_parse(text, SYZ_TEXT_MAX + 1, NULL, &err));
	cr_assert(strstr(err.text, "at most 16 MiB"));
	free(text);
}

Test(parse, results_that_name_themselves_have_defaults)
{
	struct call_program *p = parse("r0 = dup(r0)\n"
				       "r0 = dup(r0)\n"
				       "ioctl$IOMMU_DESTROY(r0, 0x3b80, &(0x7f0000000000)={r1, <r1=>r1})\n");

	cr_assert_eq(p->call[0].result, 0);
	cr_assert_eq(p->call[0].arg[0].result, CALL_NO_RESULT);
	cr_assert_eq(p->call[1].arg[0].result, 0, "the one before");
	cr_assert_eq(p->call[2].arg[0].result, 1);
	cr_assert_eq(p->call[2].in[0].value.result, CALL_NO_RESULT);
	cr_assert_eq(p->call[2].in[1].value.result, CALL_NO_RESULT, "it is there after the call");
	call_program_free(p);
}
