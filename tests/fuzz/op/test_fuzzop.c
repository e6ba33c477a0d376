// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/op/fuzzop.h"

#include "sim/base/bits.h"
#include "sim/choice/choice.h"

#include <criterion/criterion.h>
#include <string.h>

#define INPUT_MAX 600

static struct fuzzop a, b;
static u8 bytes[FUZZOP_BYTES_MAX], again[FUZZOP_BYTES_MAX];
static char yaml[FUZZOP_YAML_MAX];

static size_t draw(struct choice *c, u8 *to)
{
	size_t n = choice_below(c, CHOICE_DATA, INPUT_MAX);

	for (size_t i = 0; i < n; i++)
		to[i] = (u8)choice_below(c, CHOICE_DATA, 256);
	return n;
}

static void check_machine(const struct machine *m)
{
	cr_assert(m->n_iommus >= 1 && m->n_iommus <= FUZZOP_IOMMUS_MAX);
	cr_assert(m->n_buses >= 1 && m->n_buses <= FUZZOP_BUSES_MAX);
	cr_assert(m->n_devices >= 1 && m->n_devices <= FUZZOP_DEVICES_MAX);
	cr_assert(m->n_resv <= FUZZOP_RESV_MAX);
	for (u32 i = 0; i < m->n_resv; i++) {
		u64 length = m->resv[i].length;

		cr_assert(m->resv[i].type > MACHINE_RESV_DIRECT_RELAXABLE ||
			  length <= BIT_ULL(30) || length >= BIT_ULL(57));
	}
	for (u32 i = 0; i < m->n_buses; i++) {
		cr_assert(m->bus[i].iommu == MACHINE_NONE || m->bus[i].iommu < m->n_iommus);
		cr_assert(m->bus[i].parent == MACHINE_NONE || m->bus[i].parent < i);
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		cr_assert(m->device[i].bus < m->n_buses);
		cr_assert(m->device[i].alias_of == MACHINE_NONE || m->device[i].alias_of < i);
		for (u32 k = 0; k < m->device[i].n_iommus; k++)
			cr_assert(m->device[i].iommus[k] < m->n_iommus);
	}
}

static void check_arg(const struct scenario *s, enum op_arg_type type, u64 v)
{
	switch (type) {
	case OPARG_IOMMU:
		cr_assert(v < s->machine.n_iommus);
		break;
	case OPARG_DEVICE:
		cr_assert(v < s->machine.n_devices);
		break;
	case OPARG_DOMAIN:
		cr_assert(v < s->n_domains && s->n_domains <= FUZZOP_DOMAINS);
		break;
	case OPARG_OWNER:
		cr_assert(v >= 1 && v <= s->n_owners && s->n_owners <= FUZZOP_OWNERS);
		break;
	case OPARG_DRIVER:
		cr_assert(v < KERNEL_DRIVERS_N);
		break;
	case OPARG_DOMTYPE:
		cr_assert(v < OP_DOMTYPES);
		break;
	default:
		break;
	}
}

static void check_program(const struct fuzzop *p)
{
	const struct scenario *s = &p->scenario;
	u32 at = 0;

	check_machine(&s->machine);
	cr_assert(s->n_tasks >= 1 && s->n_tasks <= FUZZOP_TASKS_MAX);
	cr_assert(s->n_ops >= 1 && s->n_ops <= FUZZOP_OPS_MAX);
	for (u32 i = 0; i < s->n_tasks; i++) {
		cr_assert(s->task[i].n >= 1 && s->task[i].first == at);
		at += s->task[i].n;
	}
	cr_assert_eq(at, s->n_ops);
	for (u32 i = 0; i < s->n_ops; i++) {
		cr_assert(s->ops[i].op.code < OP_CODES && !s->ops[i].has_ret);
		for (u32 k = 0; k < OP_ARGS_MAX; k++)
			check_arg(s, op_rows[s->ops[i].op.code].arg[k].type, s->ops[i].op.arg[k]);
	}
	cr_assert(p->policy < FUZZOP_POLICIES);
}

static void check_same_ops(const struct scenario *x, const struct scenario *y)
{
	cr_assert_eq(x->n_tasks, y->n_tasks);
	cr_assert_eq(x->n_ops, y->n_ops);
	for (u32 i = 0; i < x->n_tasks; i++)
		cr_assert_eq(x->task[i].n, y->task[i].n);
	for (u32 i = 0; i < x->n_ops; i++) {
		cr_assert_eq(x->ops[i].op.code, y->ops[i].op.code);
		cr_assert_arr_eq(x->ops[i].op.arg, y->ops[i].op.arg, sizeof(x->ops[i].op.arg));
	}
}

Test(fuzzop, any_bytes_are_a_program_within_bounds)
{
	struct choice c;

	choice_seed(&c, 1);
	for (u32 i = 0; i < 100000; i++) {
		fuzzop_decode(&a, bytes, draw(&c, bytes));
		check_program(&a);
	}
	fuzzop_decode(&a, NULL, 0);
	check_program(&a);
}

Test(fuzzop, decoding_depends_on_the_bytes_alone)
{
	struct choice c;

	choice_seed(&c, 2);
	for (u32 i = 0; i < 2000; i++) {
		size_t n = draw(&c, bytes);

		memset(&a, (int)i, sizeof(a));
		memset(&b, (int)~i, sizeof(b));
		fuzzop_decode(&a, bytes, n);
		fuzzop_decode(&b, bytes, n);
		cr_assert_arr_eq(&a.scenario.machine, &b.scenario.machine,
				 sizeof(a.scenario.machine));
		check_same_ops(&a.scenario, &b.scenario);
		cr_assert_str_eq(a.run.policy_arg, b.run.policy_arg);
		cr_assert_eq(a.run.seed, b.run.seed);
	}
}

Test(fuzzop, what_is_encoded_decodes_to_the_same)
{
	struct choice c;

	choice_seed(&c, 3);
	for (u32 i = 0; i < 20000; i++) {
		struct fuzzop_choice choice = {.seed = i};
		const char *why;
		size_t n;

		fuzzop_decode(&a, bytes, draw(&c, bytes));
		choice.policy = a.policy;
		choice.fault_nth = (u8)a.run.fault_nth;
		choice.poison = a.run.poison;
		choice.sched = a.run.bytes[CHOICE_SCHED];
		choice.n_sched = a.run.n_bytes[CHOICE_SCHED];
		n = fuzzop_encode(&a.scenario, &choice, again, sizeof(again), &why);
		cr_assert(n, "not encoded: %s", why);
		fuzzop_decode(&b, again, n);
		cr_assert_arr_eq(&a.scenario.machine, &b.scenario.machine,
				 sizeof(a.scenario.machine));
		check_same_ops(&a.scenario, &b.scenario);
		cr_assert_eq(a.policy, b.policy);
		cr_assert_eq(a.run.fault_nth, b.run.fault_nth);
		cr_assert_eq(a.run.poison, b.run.poison);
		cr_assert_eq(b.run.seed, i);
		cr_assert_eq(a.run.n_bytes[CHOICE_SCHED], b.run.n_bytes[CHOICE_SCHED]);
		if (a.run.n_bytes[CHOICE_SCHED])
			cr_assert_arr_eq(a.run.bytes[CHOICE_SCHED], b.run.bytes[CHOICE_SCHED],
					 a.run.n_bytes[CHOICE_SCHED]);
	}
}

Test(fuzzop, what_is_printed_reads_as_the_same_scenario)
{
	struct choice c;

	choice_seed(&c, 4);
	for (u32 i = 0; i < 2000; i++) {
		struct scenario_error err;
		struct scenario *s;

		fuzzop_decode(&a, bytes, draw(&c, bytes));
		cr_assert(fuzzop_print(&a, "KASAN: \"quoted\" \\ title", yaml, sizeof(yaml)));
		s = scenario_parse("x.yaml", yaml, strlen(yaml), &err);
		cr_assert(s, "%u:%u: %s\n%s", err.line, err.column, err.text, yaml);
		cr_assert_arr_eq(&a.scenario.machine, &s->machine, sizeof(s->machine), "%s", yaml);
		check_same_ops(&a.scenario, s);
		cr_assert_str_eq(s->expect_title, "KASAN: \"quoted\" \\ title");
		scenario_free(s);
	}
}

Test(fuzzop, a_changed_byte_of_one_stream_leaves_the_others)
{
	struct fuzzop_layout l;
	size_t n = 0;

	for (u32 seed = 0; seed < 40; seed++)
		n = fuzzop_mutate(bytes, n, sizeof(bytes), seed);
	fuzzop_layout(&l, bytes, n);
	cr_assert(l.ops > l.machine && l.sched > l.ops);
	fuzzop_decode(&a, bytes, n);
	bytes[l.ops + 1]++;
	fuzzop_decode(&b, bytes, n);
	cr_assert_arr_eq(&a.scenario.machine, &b.scenario.machine, sizeof(a.scenario.machine));
	cr_assert_eq(a.run.n_bytes[CHOICE_SCHED], b.run.n_bytes[CHOICE_SCHED]);
	cr_assert_eq(a.run.bytes[CHOICE_SCHED], b.run.bytes[CHOICE_SCHED]);
	cr_assert_eq(a.run.seed, b.run.seed);
}

Test(fuzzop, a_scenario_that_bytes_cannot_say_is_refused_with_a_reason)
{
	struct fuzzop_choice choice = {0};
	const char *why = NULL;

	fuzzop_decode(&a, NULL, 0);
	a.scenario.machine.bus[0].parent = 7;
	cr_assert_eq(fuzzop_encode(&a.scenario, &choice, bytes, sizeof(bytes), &why), 0);
	cr_assert(why && *why);
	fuzzop_decode(&a, NULL, 0);
	a.scenario.n_tasks = 9;
	cr_assert_eq(fuzzop_encode(&a.scenario, &choice, bytes, sizeof(bytes), &why), 0);
	cr_assert_str_eq(why, "this many tasks");
	fuzzop_decode(&a, NULL, 0);
	cr_assert_eq(fuzzop_encode(&a.scenario, &choice, bytes, 50, &why), 0);
	cr_assert(fuzzop_encode(&a.scenario, &choice, bytes, sizeof(bytes), &why) > 0);
}

Test(fuzzop, a_mutant_depends_on_its_arguments_alone_and_fits)
{
	size_t n = 0, m = 0;

	for (u32 seed = 0; seed < 20000; seed++) {
		size_t max = seed % 100 == 99 ? 64 : 4096;

		memcpy(again, bytes, n);
		m = fuzzop_mutate(again, n, max, seed);
		n = fuzzop_mutate(bytes, n, max, seed);
		cr_assert_eq(n, m);
		cr_assert(n <= max);
		cr_assert_arr_eq(bytes, again, n);
		fuzzop_decode(&a, bytes, n);
		check_program(&a);
	}
}
