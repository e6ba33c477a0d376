// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls in YAML: what is stored where, and what is refused.
 */
#include "scenarios/engine/scenario.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scenario_error err;

static struct scenario *parse(const char *ops)
{
	static char text[8192];
	int n = snprintf(text, sizeof(text),
			 "tasks:\n  t:\n%s", ops);

	return scenario_parse("verbs.yaml", text, (size_t)n, &err);
}

static struct scenario *accept(const char *ops)
{
	struct scenario *s = parse(ops);

	cr_assert(s, "%u:%u: %s", err.line, err.column, err.text);
	cr_assert(s->program);
	return s;
}

static void refuse(const char *ops, const char *what)
{
	struct scenario *s = parse(ops);

	cr_expect(!s, "accepted: %s", ops);
	cr_expect(strstr(err.text, what), "'%s' is not in '%s'", what, err.text);
	cr_expect(err.line > 2 && err.column);
	scenario_free(s);
}

static const u8 *stored_at(const struct call *c, u64 addr, u64 *size)
{
	for (u32 k = 0; k < c->n_in; k++) {
		if (c->in[k].kind == CALL_IN_DATA && c->in[k].addr == addr) {
			*size = c->in[k].size;
			return c->in[k].data;
		}
	}
	return NULL;
}

/* The first bytes that call i stores at the address of its argument. */
static const u8 *stored(const struct scenario *s, u32 i, u32 arg, u64 *size)
{
	return stored_at(s->ops[i].call, s->ops[i].call->arg[arg].value, size);
}

#define OPEN "  - {open: /dev/iommu, as: fd0}\n"
#define ALLOC "  - {IOMMU_IOAS_ALLOC: {fd: fd0, out_ioas_id: ioas0}, ret: 0}\n"

Test(verbs, a_struct_is_laid_out)
{
	struct scenario *s = accept(OPEN ALLOC
		"  - IOMMU_IOAS_MAP:\n"
		"      fd: fd0\n"
		"      ioas_id: ioas0\n"
		"      flags: [IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_WRITEABLE]\n"
		"      length: 64K\n"
		"      iova: iova0\n");
	const struct call *map = s->ops[2].call, *alloc = s->ops[1].call;
	const u8 *bytes;
	u64 size = 0, at = map->arg[2].value, n;

	cr_expect_eq(alloc->nr, 16);
	cr_expect_eq(alloc->arg[1].value, 0x3b81);
	cr_expect(alloc->arg[0].result == 0 && alloc->n_out == 1 && alloc->out[0].size == 4);
	cr_expect_eq(alloc->out[0].addr, alloc->arg[2].value + 8);
	bytes = stored(s, 2, 2, &size);
	cr_assert(bytes && size == 40);
	cr_expect_eq(*(const u32 *)bytes, 40, "the size is the struct's");
	cr_expect_eq(*(const u32 *)(bytes + 4), 6, "flags by name");
	memcpy(&n, bytes + 24, 8);
	cr_expect_eq(n, 0x10000);
	memcpy(&n, bytes + 16, 8);
	cr_expect(n % 4096 == 0 && n >= s->program->area[0].addr &&
		  n + 0x10000 <= s->program->area[0].addr + s->program->area[0].size,
		  "what is mapped has memory of that length");
	/* The IOAS' id and the IOVA come from results, the IOVA goes back into its own. */
	cr_expect_eq(map->n_in, 3);
	cr_expect(map->in[1].addr == at + 8 && map->in[1].value.result == alloc->out[0].result);
	cr_expect(map->n_out == 1 && map->out[0].addr == at + 32 && map->out[0].size == 8);
	cr_expect_str_eq(s->program->result_name[map->out[0].result], "iova0");
	scenario_free(s);
}

Test(verbs, what_a_field_points_at_is_laid_out_too)
{
	struct scenario *s = accept(OPEN ALLOC
		"  - IOMMU_IOAS_ALLOW_IOVAS: {fd: fd0, ioas_id: ioas0,\n"
		"      allowed_iovas: [{start: 0, last: 0xfff}, {start: 1M, last: 0x1fffff}]}\n"
		"  - {IOMMU_IOAS_ALLOW_IOVAS: {fd: fd0, ioas_id: 7, allowed_iovas: 0xdead0000}}\n");
	const struct call *c = s->ops[2].call;
	const u8 *bytes;
	u64 size = 0, at, n;

	bytes = stored(s, 2, 2, &size);
	cr_assert(bytes && size == 24);
	cr_expect_eq(*(const u32 *)(bytes + 8), 2, "two ranges");
	memcpy(&at, bytes + 16, 8);
	bytes = stored_at(c, at, &size);
	cr_assert(bytes && size == 32);
	memcpy(&n, bytes + 16, 8);
	cr_expect_eq(n, 1 << 20);
	bytes = stored(s, 3, 2, &size);
	cr_assert(bytes);
	memcpy(&at, bytes + 16, 8);
	cr_expect_eq(at, 0xdead0000, "an address may be given");
	scenario_free(s);
}

Test(verbs, repeated_calls_are_calls_of_their_own)
{
	struct scenario *s = accept(OPEN "  - {close: fd0, repeat: 3}\n");

	cr_expect_eq(s->n_ops, 4);
	cr_expect_eq(s->program->n, 4);
	cr_expect_neq(s->ops[1].call, s->ops[2].call);
	cr_expect_eq(s->ops[3].call->arg[0].result, 0);
	scenario_free(s);
}

Test(verbs, processes_have_names)
{
	struct scenario *s = accept(OPEN "  - {fork: child}\n  - {process: child}\n"
				    "  - {close: fd0}\n  - exit\n  - {process: main}\n"
				    "  - {close: fd0}\n");

	cr_expect_eq(s->n_ops, 5);
	cr_expect_eq(s->ops[1].call->arg[0].value, 1);
	cr_expect_eq(s->ops[2].call->process, 1);
	cr_expect_eq(s->ops[3].call->process, 1);
	cr_expect_eq(s->ops[4].call->process, 0);
	scenario_free(s);
}

Test(verbs, bytes_and_texts)
{
	struct scenario *s = accept(OPEN "  - {write: {fd: fd0, data: hello}}\n"
				    "  - {write: {fd: fd0, data: [1, 2, 0xff]}}\n"
				    "  - {read: {fd: fd0, size: 100}}\n"
				    "  - {mmap: {length: 64K}, as: buf}\n"
				    "  - {write: {fd: fd0, data: {at: buf, offset: 4K}, size: 8}}\n"
				    "  - {poll: {fd: fd0, timeout: 5, revents: what}}\n");
	u64 size = 0;
	const u8 *bytes = stored(s, 1, 1, &size);

	cr_expect(bytes && size == 5 && !memcmp(bytes, "hello", 5));
	cr_expect_eq(s->ops[1].call->arg[2].value, 5);
	bytes = stored(s, 2, 1, &size);
	cr_expect(bytes && size == 3 && bytes[2] == 0xff);
	cr_expect(!stored(s, 3, 1, &size), "what is only written to is not stored");
	cr_expect_eq(s->ops[3].call->arg[2].value, 100);
	cr_expect_eq(s->ops[5].call->arg[1].add, 4096);
	cr_expect_eq(s->ops[5].call->arg[2].value, 8);
	cr_expect(s->ops[6].call->n_out == 1 && s->ops[6].call->out[0].size == 2);
	scenario_free(s);
}

/* ATTACH_IOMMUFD_PT leaves a page table's id where it has read an address space's. */
Test(verbs, a_handle_that_goes_in_and_out_keeps_the_value_that_an_entry_above_gave)
{
	struct scenario *s = accept(OPEN ALLOC
		"  - {open: /dev/vfio/devices/vfio0, as: dev}\n"
		"  - {VFIO_DEVICE_ATTACH_IOMMUFD_PT: {fd: dev, pt_id: ioas0}}\n"
		"  - {IOMMU_IOAS_UNMAP: {fd: fd0, ioas_id: ioas0, iova: 0, length: 4K}}\n"
		"  - {IOMMU_VFIO_IOAS: {fd: fd0, op: 0, ioas_id: compat}}\n");

	cr_assert_eq(s->ops[1].call->n_out, 1);
	cr_assert_eq(s->ops[3].call->n_out, 0);
	cr_assert_eq(s->ops[5].call->n_out, 1, "what nobody gave is given there");
	scenario_free(s);
}

Test(verbs, mistakes_are_named)
{
	refuse("  - {IOMMU_IOAS_ALOC: {fd: 3}}\n", "did you mean 'IOMMU_IOAS_ALLOC'");
	refuse(OPEN "  - {IOMMU_IOAS_ALLOC: {fd: fd0, out_ioas: x}}\n", "did you mean 'out_ioas_id'");
	refuse("  - {IOMMU_IOAS_ALLOC: {out_ioas_id: x}}\n", "no 'fd' for IOMMU_IOAS_ALLOC");
	refuse("  - {close: nobody}\n", "nothing gives 'nobody' a value");
	refuse(OPEN "  - {IOMMU_IOAS_MAP: {fd: fd0, ioas_id: 0, flags: [NO_SUCH]}}\n", "unknown flag");
	refuse(OPEN "  - {IOMMU_IOAS_MAP: {fd: fd0, ioas_id: 99999999999999999999}}\n",
	       "no number");
	refuse(OPEN "  - {IOMMU_IOAS_ALLOW_IOVAS: {fd: fd0, ioas_id: 0, allowed_iovas: [7]}}\n",
	       "expected a mapping of fields");
	refuse(OPEN "  - {read: {fd: fd0, size: 1T}}\n", "expected at most");
	refuse("  - {fork: }\n", "expected a process' name");
	refuse("  - {deferred: , as: x}\n", "'as' without a system call");
	refuse(OPEN "  - {IOMMU_DESTROY: [1, 2]}\n", "a list, expected the fields");
	refuse(OPEN "  - {close: fd0, IOMMU_DESTROY: {fd: fd0}}\n", "second operation");
}
