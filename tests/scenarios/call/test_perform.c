// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call stores, gets and fetches, on a kernel that says what it saw.
 */
#include "scenarios/call/program.h"

#include "sim/base/bits.h"
#include "tests/kit/fake.h"
#include "tests/kit/program.h"

#include <errno.h>
#include <stdlib.h>

#define CONST(v) {.value = (v), .result = CALL_NO_RESULT}
#define SLOT(r, def) {.value = (def), .result = (r)}

static struct call_program p = {.n_results = 4};
static struct call_run r;
static struct call calls[8];
static u32 n_calls;
static long rets[8];

static void perform_all(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < n_calls; i++)
		rets[i] = call_perform(&r, &calls[i]);
}

/* The calls in one task, in a fresh kernel. */
static void perform(u32 n)
{
	struct world_run run;

	p.call = calls;
	p.n = n_calls = n;
	fake_reset();
	call_run_init(&r, &p, &kernel_fake);
	load(.task = {perform_all});
	run = run_with(.seed = 1);
	assert_clean(&run);
}

Test(perform, results_travel_from_call_to_call)
{
	static struct call_out out[] = {{FAKE_BASE + 8, 4, 1}};

	calls[0] = (struct call){.nr = FAKE_ALLOC, .arg = {CONST(FAKE_BASE + 8)}, .n_args = 1,
				 .out = out, .n_out = 1, .result = CALL_NO_RESULT};
	calls[1] = (struct call){.nr = FAKE_ECHO, .arg = {SLOT(1, 77)}, .n_args = 1, .result = 2};
	calls[2] = (struct call){.nr = FAKE_ECHO, .n_args = 1, .result = 3,
				 .arg = {{.value = 9, .result = 2, .div = 1, .add = 41}}};
	perform(3);
	cr_expect_eq(rets[0], 0);
	cr_expect_eq(rets[1], 1);
	cr_expect_eq(rets[2], 42);
	cr_expect(r.is_set[3] && r.result[3] == 42);
	call_run_fini(&r);
}

Test(perform, a_failed_call_gives_nothing)
{
	static struct call_out out[] = {{FAKE_BASE, 4, 1}};

	calls[0] = (struct call){.nr = FAKE_FAIL, .arg = {CONST(EBUSY)}, .n_args = 1,
				 .out = out, .n_out = 1, .result = 0};
	calls[1] = (struct call){.nr = FAKE_ECHO, .arg = {SLOT(1, 77)}, .n_args = 1,
				 .result = CALL_NO_RESULT};
	perform(2);
	cr_expect_eq(rets[0], -EBUSY);
	cr_expect(!r.is_set[0] && !r.is_set[1]);
	cr_expect_eq(rets[1], 77, "the default stands for what is not there");
	call_run_fini(&r);
}

Test(perform, stores_bytes_values_bits_and_text)
{
	static const u8 bytes[] = {1, 2, 3};
	static struct call_in in[] = {
		{.kind = CALL_IN_DATA, .addr = FAKE_BASE, .size = 3, .data = bytes},
		{.kind = CALL_IN_VALUE, .addr = FAKE_BASE + 4, .size = 2, .value = CONST(0x1234)},
		{.kind = CALL_IN_BITS, .addr = FAKE_BASE + 4, .size = 2, .shift = 4, .bits = 4,
		 .value = CONST(0xf)},
		{.kind = CALL_IN_DEC, .addr = FAKE_BASE + 16, .size = 20, .value = CONST(42)},
		{.kind = CALL_IN_HEX, .addr = FAKE_BASE + 64, .size = 18, .value = CONST(42)},
	};
	u16 word;

	calls[0] = (struct call){.nr = FAKE_ECHO, .in = in, .n_in = ARRAY_SIZE(in),
				 .result = CALL_NO_RESULT};
	perform(1);
	memcpy(&word, &fake_memory[0][4], 2);
	cr_expect_eq(memcmp(fake_memory[0], bytes, 3), 0);
	cr_expect_eq(word, 0x12f4);
	cr_expect_eq(memcmp(&fake_memory[0][16], "00000000000000000042", 20), 0);
	cr_expect_eq(memcmp(&fake_memory[0][64], "0x000000000000002a", 18), 0);
	call_run_fini(&r);
}

Test(perform, nothing_in_a_program_is_trusted)
{
	static struct call_in in[] = {
		{.kind = CALL_IN_DATA, .addr = 0xdeadUL << 32, .size = 8, .data = (const u8 *)"12345678"},
		{.kind = CALL_IN_DATA, .addr = FAKE_BASE, .size = ~0ULL, .data = (const u8 *)""},
		{.kind = CALL_IN_VALUE, .addr = FAKE_BASE, .size = 3, .value = CONST(5)},
		{.kind = CALL_IN_BITS, .addr = FAKE_BASE, .size = 4, .shift = 30, .bits = 9},
		{.kind = CALL_IN_VALUE, .addr = FAKE_BASE, .size = 8, .value = SLOT(99, 7)},
	};
	static struct call_out out[] = {{~0ULL, 8, 0}, {FAKE_BASE, 8, 1000}, {FAKE_BASE, 5, 1}};

	calls[0] = (struct call){.nr = FAKE_ECHO, .in = in, .n_in = ARRAY_SIZE(in), .out = out,
				 .n_out = ARRAY_SIZE(out), .result = 12345, .n_args = 60,
				 .rerun = ~0U};
	calls[1] = (struct call){.nr = FAKE_ECHO, .process = 12345, .result = CALL_NO_RESULT};
	calls[2] = (struct call){.nr = -1, .result = 2};
	perform(3);
	cr_expect_eq(rets[0], 0);
	cr_expect_eq(fake_memory[0][0], 7);
	cr_expect_eq(fake_n_seen, 64, "reruns are bounded");
	cr_expect_eq(rets[1], -ESRCH);
	cr_expect(rets[2] == 0 && r.is_set[2] && !r.is_set[0] && !r.is_set[1]);
	call_run_fini(&r);
}

Test(perform, only_the_asked_call_fails)
{
	calls[0] = (struct call){.nr = FAKE_KMALLOC, .result = CALL_NO_RESULT};
	calls[1] = (struct call){.nr = FAKE_KMALLOC, .fail_nth = 1, .result = CALL_NO_RESULT};
	calls[2] = (struct call){.nr = FAKE_KMALLOC, .fail_nth = 2, .result = CALL_NO_RESULT};
	calls[3] = (struct call){.nr = FAKE_KMALLOC, .result = CALL_NO_RESULT};
	perform(4);
	cr_expect_eq(rets[0], 0);
	cr_expect_eq(rets[1], -ENOMEM);
	cr_expect_eq(rets[2], 0, "it has no second failure point");
	cr_expect_eq(rets[3], 0, "and the next call none of its own");
	call_run_fini(&r);
}

Test(perform, children_have_the_numbers_the_program_gave)
{
	calls[0] = (struct call){.nr = CALL_NR_FORK, .arg = {CONST(7)}, .n_args = 1,
				 .result = CALL_NO_RESULT};
	calls[1] = (struct call){.nr = FAKE_ECHO, .process = 7, .arg = {CONST(5)}, .n_args = 1,
				 .result = CALL_NO_RESULT};
	calls[2] = (struct call){.nr = CALL_NR_EXIT_GROUP, .process = 7, .result = CALL_NO_RESULT};
	calls[3] = (struct call){.nr = FAKE_ECHO, .process = 7, .result = CALL_NO_RESULT};
	calls[4] = (struct call){.nr = CALL_NR_FORK, .arg = {CONST(0)}, .n_args = 1,
				 .result = CALL_NO_RESULT};
	perform(5);
	cr_expect_eq(rets[0], 7);
	cr_expect_eq(rets[1], 5);
	cr_expect_eq(fake_seen[0].process, 1, "the kernel's own number");
	cr_expect_eq(rets[2], 0);
	cr_expect_eq(rets[3], -ESRCH);
	cr_expect_eq(rets[4], -EINVAL);
	call_run_fini(&r);
}

static bool odd(void *self, const struct call *c)
{
	(void)self;
	return c->line % 2;
}

Test(perform, parts_and_text)
{
	static char *names[] = {NULL, (char *)(uintptr_t)"r1", NULL, NULL};
	struct call_program *part;
	char text[80];

	p.call = calls;
	p.n = 3;
	p.result_name = names;
	for (u32 i = 0; i < 3; i++)
		calls[i] = (struct call){.line = i + 1, .name = "dup"};
	part = call_program_part(&p, odd, NULL);
	cr_expect(part->n == 2 && part->call[1].line == 3);
	free(part);
	calls[0].n_args = 2;
	calls[0].arg[0] = (struct call_value)SLOT(1, 0);
	calls[0].arg[1] = (struct call_value)CONST(0x20);
	call_text(&p, &calls[0], text, sizeof(text));
	cr_expect_str_eq(text, "dup(r1, 32)");
	call_text(&p, &calls[0], text, 7);
	cr_expect_str_eq(text, "dup(r1");
}
