// SPDX-License-Identifier: GPL-2.0-only
#include "core/uapi/uapi.h"

#include <criterion/criterion.h>
#include <string.h>

static void check_type(const char *where, const struct uapi_type *t);

static void check_layout(const struct uapi_struct *s)
{
	u64 at = 0;

	cr_assert(s->n && s->symbol[0] && s->name[0]);
	cr_assert_geq(s->size, s->was, "%s", s->symbol);
	for (u32 i = 0; i < s->n; i++) {
		const struct uapi_field *f = &s->field[i];

		cr_assert_geq(f->offset, at, "%s.%s overlaps", s->symbol, f->name);
		cr_assert_leq(f->offset + f->type.size, s->size, "%s.%s", s->symbol, f->name);
		at = f->offset + f->type.size;
		check_type(s->symbol, &f->type);
		if (f->type.kind == UAPI_LEN && f->type.of)
			cr_assert(uapi_field_find(s, f->type.of), "%s.%s", s->symbol, f->name);
		if (f->extra && i + 1 < s->n)
			cr_assert(s->field[i + 1].extra, "%s: extra fields are the last", s->symbol);
	}
}

static void check_type(const char *where, const struct uapi_type *t)
{
	switch (t->kind) {
	case UAPI_PTR:
		cr_assert_eq(t->size, 8, "%s", where);
		cr_assert(t->to, "%s", where);
		check_type(where, t->to);
		break;
	case UAPI_ARRAY:
		cr_assert_eq(t->size, t->n * t->to->size, "%s", where);
		check_type(where, t->to);
		break;
	case UAPI_STRUCT:
		cr_assert(t->size == t->layout->size || t->size == 0, "%s: %u", where, t->size);
		break;
	case UAPI_RES:
		cr_assert(t->resource, "%s", where);
		break;
	case UAPI_STRING:
	case UAPI_BUFFER:
		break;
	case UAPI_CONST:
		cr_assert(t->size == 8 || t->def >> t->size * 8 == 0, "%s", where);
		break;
	default:
		cr_assert(t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8, "%s", where);
	}
}

Test(uapi, the_table_is_consistent)
{
	for (u32 i = 0; i < uapi_structs_n; i++)
		check_layout(uapi_structs[i]);
	for (u32 i = 0; i < uapi_calls_n; i++) {
		const struct uapi_call *c = &uapi_calls[i];

		cr_assert(c->doc[0] && c->doc[strlen(c->doc) - 1] == '.', "%s", c->name);
		cr_assert_eq(uapi_call_find(c->name), c, "%s is there twice", c->name);
		if (c->verb)
			cr_assert_eq(uapi_verb_find(c->verb), c, "%s is there twice", c->verb);
		cr_assert_eq(c->nr == 16 && c->n_args >= 2 && c->cmd, c->cmd_name != NULL, "%s",
			     c->name);
		for (u32 k = 0; k < c->n_args; k++) {
			cr_assert_eq(c->arg[k].type.size, 8);
			check_type(c->name, &c->arg[k].type);
		}
		if (c->min_size) {
			cr_assert(uapi_call_layout(c), "%s", c->name);
			cr_assert_leq(c->min_size, uapi_call_layout(c)->size, "%s", c->name);
		}
	}
}

Test(uapi, resources_know_their_parents)
{
	const struct uapi_type *ioas = &uapi_call_layout(uapi_verb_find("IOMMU_IOAS_MAP"))
						->field[2].type;
	const struct uapi_type *any = &uapi_call_layout(uapi_verb_find("IOMMU_DESTROY"))
						->field[1].type;

	cr_assert(uapi_resource_fits(ioas->resource, any->resource));
	cr_assert(!uapi_resource_fits(any->resource, ioas->resource));
	cr_assert(uapi_resource_fits(any->resource, any->resource));
	for (u32 i = 0; i < uapi_resources_n; i++)
		cr_assert(uapi_resource_fits(&uapi_resources[i], &uapi_resources[i]));
}

static const char *name_of(u64 cmd, const u32 *words, u64 size)
{
	const struct uapi_call *c = uapi_call_of(16, cmd, (const u8 *)words, size);

	return c ? c->name : "none";
}

Test(uapi, raw_calls_get_the_row_whose_constants_fit)
{
	u32 words[18] = {72, 7};

	cr_assert_str_eq(name_of(0x3ba0, words, 72), "ioctl$IOMMU_TEST_OP_ACCESS_PAGES");
	words[1] = 15;
	cr_assert_str_eq(name_of(0x3ba0, words, 72), "ioctl$IOMMU_TEST_OP_TRIGGER_IOPF");
	words[3] = 1; /* junk in a reserved field */
	cr_assert_str_eq(name_of(0x3ba0, words, 72), "ioctl$IOMMU_TEST_OP_TRIGGER_IOPF");
	cr_assert_str_eq(name_of(0x3b80, words, 72), "ioctl$IOMMU_DESTROY");
	cr_assert_str_eq(name_of(0x3b80, NULL, 0), "ioctl$IOMMU_DESTROY");
	words[6] = 0xdead;
	cr_assert_str_eq(name_of(0x3b89, words, 48), "ioctl$IOMMU_HWPT_ALLOC$TEST");
	words[6] = 0;
	cr_assert_str_eq(name_of(0x3b89, words, 48), "ioctl$IOMMU_HWPT_ALLOC$NONE");
	words[1] = 0x20006;
	cr_assert_str_eq(name_of(0x3b75, words, 32), "ioctl$VFIO_DEVICE_FEATURE$DMA_LOGGING_START");
	cr_assert_str_eq(name_of(0x1234, words, 32), "ioctl");
	cr_assert_str_eq(uapi_call_of(257, 0, (const u8 *)"/dev/iommu", 11)->name, "openat$iommufd");
	cr_assert_str_eq(uapi_call_of(257, 0, (const u8 *)"/dev/null", 10)->name, "openat");
	cr_assert_str_eq(uapi_call_of(0, 0, NULL, 0)->name, "read");
	cr_assert_null(uapi_call_of(9999, 0, NULL, 0));
}
