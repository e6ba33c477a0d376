// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as programs of system calls: whatever they are, what is made of them is a program
 * that says what the table says, and uses only what earlier calls have given.
 */
#include "fuzz/op/callgen.h"

#include "core/uapi/uapi.h"
#include "scenarios/syz/syz.h"
#include "sim/choice/choice.h"

#include <criterion/criterion.h>
#include <string.h>

#define INPUT_MAX 600
#define PROGRAMS 2000
#define TEXT_MAX 2000
#define RESULTS_MAX 256

static u8 bytes[INPUT_MAX];

static size_t draw(struct choice *c)
{
	size_t n = choice_below(c, CHOICE_DATA, INPUT_MAX);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (u8)choice_below(c, CHOICE_DATA, 256);
	return n;
}

/* What is stored at addr, before values of results are put there. */
static const u8 *stored(const struct call *c, u64 addr, u64 size)
{
	for (u32 i = 0; i < c->n_in; i++) {
		const struct call_in *in = &c->in[i];

		if (in->kind == CALL_IN_DATA && addr >= in->addr &&
		    addr + size <= in->addr + in->size)
			return in->data + (addr - in->addr);
	}
	return NULL;
}

static u64 word(const u8 *at, u32 size)
{
	u64 v = 0;

	memcpy(&v, at, size);
	return v;
}

/* Constants of the struct at addr are there; how many. */
static u32 check_constants(const struct call *c, const struct uapi_struct *s, u64 addr)
{
	u32 n = 0;

	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *f = &s->field[i];
		const u8 *at = stored(c, addr + f->offset, f->type.size);

		if (s->is_union || f->extra || f->type.kind != UAPI_CONST || !f->type.size || !at ||
		    f->type.dir == UAPI_OUT || f->type.bits)
			continue;
		cr_assert_eq(word(at, f->type.size), f->type.def, "%s: %s", c->name, f->name);
		n++;
	}
	return n;
}

static void check_value(const struct call *c, const struct call_value *v, const bool *given)
{
	cr_assert(v->result == CALL_NO_RESULT || given[v->result],
		  "%s uses what nobody has given", c->name);
}

static u32 check_call(const struct call *c, bool *given)
{
	u32 n = 0;

	cr_assert(c->row && c->nr == c->row->nr && c->n_args == c->row->n_args);
	for (u32 i = 0; i < c->n_args; i++) {
		const struct uapi_type *t = &c->row->arg[i].type;

		check_value(c, &c->arg[i], given);
		if (t->kind == UAPI_CONST)
			cr_assert_eq(c->arg[i].value, t->def, "%s", c->name);
		if (t->kind == UAPI_PTR && t->to->kind == UAPI_STRUCT && c->arg[i].value)
			n += check_constants(c, t->to->layout, c->arg[i].value);
	}
	for (u32 i = 0; i < c->n_in; i++) {
		cr_assert(c->in[i].addr >= SYZ_BASE &&
			  c->in[i].addr + c->in[i].size <= SYZ_BASE + SYZ_REGION);
		if (c->in[i].kind == CALL_IN_VALUE)
			check_value(c, &c->in[i].value, given);
	}
	for (u32 i = 0; i < c->n_out; i++)
		given[c->out[i].result] = true;
	if (c->result != CALL_NO_RESULT)
		given[c->result] = true;
	return n;
}

Test(callgen, any_bytes_are_a_program_of_the_table)
{
	struct choice c;
	u32 constants = 0, calls = 0;

	choice_seed(&c, 11);
	for (u32 round = 0; round < PROGRAMS; round++) {
		struct call_program *p = fuzzop_calls(bytes, draw(&c));
		bool given[RESULTS_MAX] = {false};

		cr_assert_leq(p->n_results, RESULTS_MAX);
		for (u32 i = 0; i < p->n; i++)
			constants += check_call(&p->call[i], given);
		calls += p->n;
		call_program_free(p);
	}
	cr_assert_gt(constants, 0u);
	cr_assert_gt(calls, PROGRAMS * 5);
}

static bool stores_result(const struct call *c, u32 result)
{
	for (u32 i = 0; i < c->n_in; i++) {
		if (c->in[i].kind == CALL_IN_VALUE && c->in[i].value.result == result)
			return true;
	}
	return false;
}

Test(callgen, each_program_begins_with_an_ioas_and_a_device)
{
	struct call_program *p = fuzzop_calls(bytes, 0);
	const struct call *open, *alloc, *device;

	cr_assert_eq(p->n, 3u);
	open = &p->call[0];
	alloc = &p->call[1];
	device = &p->call[2];
	cr_assert_str_eq(open->name, "openat$iommufd");
	cr_assert_str_eq((const char *)stored(open, open->arg[1].value, 1), "/dev/iommu");
	cr_assert_str_eq(alloc->name, "ioctl$IOMMU_IOAS_ALLOC");
	cr_assert_eq(alloc->arg[0].result, open->result, "not the file that was opened");
	/* The size of the struct, as the kernel asks for it. */
	cr_assert_eq(word(stored(alloc, alloc->arg[2].value, 4), 4), alloc->row->min_size);
	cr_assert_eq(alloc->n_out, 1u);
	cr_assert_str_eq(device->name, "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN");
	cr_assert(stores_result(device, alloc->out[0].result), "it is not put onto the IOAS");
	call_program_free(p);
}

Test(callgen, a_program_depends_on_the_bytes_alone)
{
	static char first[TEXT_MAX], second[TEXT_MAX];
	struct choice c;
	struct call_program *p, *q;

	choice_seed(&c, 12);
	for (u32 round = 0; round < 200; round++) {
		size_t n = draw(&c);

		p = fuzzop_calls(bytes, n);
		q = fuzzop_calls(bytes, n);
		cr_assert_eq(p->n, q->n);
		for (u32 i = 0; i < p->n; i++) {
			call_text(p, &p->call[i], first, sizeof(first));
			call_text(q, &q->call[i], second, sizeof(second));
			cr_assert_str_eq(first, second);
			cr_assert_eq(p->call[i].async, q->call[i].async);
		}
		call_program_free(p);
		call_program_free(q);
	}
}
