// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values: what earlier calls gave, the newest most often; numbers from small
 * lists by the field's name, so that calls meet; now and then anything.
 */
#include "fuzz/op/deep_values.h"

#include "sim/base/bits.h"

#include <string.h>

#define NUMBERS_MAX 10
#define RESOURCES_MAX 64

/* What a field of that name is in calls whose name has `call` in it (NULL: in any). */
static const struct numbers {
	const char *call, *field;
	u32 n;
	u64 value[NUMBERS_MAX];
} numbers[] = {
	{"VFIO_SET_IOMMU", "arg", 8, {3, 3, 3, 3, 1, 1, 6, 8}},
	{"CHECK_EXTENSION", "arg", 9, {1, 2, 3, 4, 6, 8, 9, 10, 11}},
	{"HWPT_ALLOC$NONE", "flags", 10, {0, 0, 1, 1, 2, 3, 4, 0, 1, 0}},
	{"HWPT_ALLOC$TEST", "flags", 5, {0, 0, 0, 4, 4}},
	{"HWPT_ALLOC$NONE", "data_len", 8, {0, 0, 0, 0, 0, 0, 0, 4}},
	{"HWPT_ALLOC", "iotlb", 4, {0, 1, 0xadad1234, 7}},
	{"MOCK_DOMAIN_FLAGS", "dev_flags", 8, {0, 1, 2, 4, 4, 4, 5, 8}},
	{"DIRTY_TRACKING", "flags", 4, {1, 1, 1, 0}},
	{"DIRTY_BITMAP", "flags", 4, {0, 0, 1, 2}},
	{"TEST_OP_DIRTY", "flags", 4, {0, 1, 2, 3}},
	{"HW_INFO", "flags", 6, {0, 0, 0, 0, 1, 2}},
	{"VFIO_DEVICE_BIND", "flags", 8, {0, 0, 0, 0, 0, 0, 0, 1}},
	{"VFIO_DEVICE_ATTACH", "flags", 8, {0, 0, 0, 0, 0, 0, 1, 2}},
	{"VFIO_DEVICE_DETACH", "flags", 8, {0, 0, 0, 0, 0, 0, 1, 2}},
	{"MAP_DMA", "flags", 8, {3, 3, 3, 1, 2, 3, 4, 0}},
	{"UNMAP_DMA", "flags", 8, {0, 0, 0, 0, 0, 2, 4, 6}},
	{"DIRTY_PAGES", "flags", 6, {1, 1, 2, 4, 3, 8}},
	{"IOAS_MAP", "flags", 10, {7, 7, 7, 6, 6, 5, 3, 4, 2, 0}},
	{"IOAS_COPY", "flags", 10, {7, 7, 7, 6, 6, 5, 3, 4, 2, 0}},
	{"ACCESS_RW", "flags", 6, {0, 1, 4, 5, 0, 1}},
	{"RW$syz", "flags", 4, {0x10000, 0x10001, 0x10005, 0x10004}},
	{"ACCESS_PAGES", "flags", 3, {0, 1, 1}},
	{"PAGES$syz", "flags", 3, {0x10000, 0x10001, 0x10001}},
	{"CREATE_ACCESS", "flags", 3, {0, 1, 1}},
	{"SET_IRQS", "flags", 10, {0x21, 0x22, 0x24, 0x9, 0x11, 0xa, 0x12, 0x24, 0x14, 0x41}},
	{"openat", "flags", 6, {2, 2, 2, 0x802, 0x80002, 0}},
	{"openat$", "mode", 1, {0}},
	{"eventfd2", "flags", 4, {0x800, 0x800, 0x800, 0x80801}},
	{"VEVENTQ_ALLOC", "type", 6, {0xbeefbeef, 0xbeefbeef, 0xbeefbeef, 0xbeefbeef, 0, 1}},
	{"HW_QUEUE_ALLOC", "type", 5, {0xdeadbeef, 0xdeadbeef, 0xdeadbeef, 0, 1}},
	{"poll", "timeout", 3, {0, 0, 1}},
	{"64$vfio_device", "pos", 0, {0}},
	{NULL, "page_size", 8, {4096, 4096, 4096, 2048, 2048, 8192, 0x200000, 1}},
	{NULL, "pgsize", 6, {4096, 4096, 4096, 4096, 8192, 2048}},
	{NULL, "refs", 4, {0, 1, 2, 3}},
	{NULL, "limit", 5, {65536, 4096, 1, 0, 128}},
	{NULL, "pasid", 7, {1, 1, 2, 3, 100, 0, 0xfffff}},
	{NULL, "nth_area", 4, {0, 0, 1, 2}},
	{NULL, "offset", 6, {0, 0, 0x800, 0x1000, 0x1001, 0x3000}},
	{NULL, "val64", 4, {0, 1, 2, 1}},
	{NULL, "op", 4, {0, 1, 0, 2}},
	{NULL, "index", 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
	{NULL, "count", 6, {0, 1, 1, 1, 2, 3}},
	{NULL, "grpid", 3, {1, 2, 0}},
	{NULL, "code", 4, {0, 1, 0, 2}},
	{NULL, "virt_id", 4, {1, 2, 1, 0}},
	{NULL, "veventq_depth", 4, {1, 2, 16, 0}},
	{NULL, "cache_id", 5, {0, 1, 2, 3, 4}},
	{NULL, "vdev_id", 3, {1, 2, 0}},
	{NULL, "iotlb_id", 5, {0, 1, 2, 3, 4}},
	{NULL, "entry_len", 4, {8, 8, 12, 4}},
};

static u32 below(struct gen *g, u32 n)
{
	return (callgen_pick(g) | callgen_pick(g) << 8) % n;
}

static bool one_in(struct gen *g, u32 n)
{
	return !below(g, n);
}

static bool named(const char *name, const char *part)
{
	return name && strstr(name, part);
}

/* --- results --- */

bool deep_has(struct gen *g, const struct uapi_resource *res)
{
	for (; g->looked_at < g->p->n_results; g->looked_at++) {
		for (u32 i = 0; i < uapi_resources_n; i++) {
			if (uapi_resource_fits(g->slot[g->looked_at], &uapi_resources[i]))
				g->have |= 1ULL << i;
		}
	}
	return g->have >> (res - uapi_resources) & 1;
}

static struct call_value slot(const struct uapi_resource *res, u32 i)
{
	return (struct call_value){.result = i, .value = res->def};
}

static struct call_value deep_resource(struct gen *g, const struct uapi_resource *res)
{
	u32 fit[RESOURCES_MAX], n = 0, b = below(g, 100);

	/* What Linux lets be mapped and we do not: other files, itself among them. */
	if (strstr(g->c->name, "MAP_FILE") && !strcmp(res->name, "fd"))
		res = uapi_call_find("memfd_create")->ret;
	if (b == 0)
		return (struct call_value){.value = below(g, 12), .result = CALL_NO_RESULT};
	for (u32 i = g->p->n_results; i-- > 0 && n < RESOURCES_MAX;) {
		if (b < 4 ? g->slot[i]->size == res->size : uapi_resource_fits(g->slot[i], res))
			fit[n++] = i;
	}
	if (!n)
		return (struct call_value){.value = res->def, .result = CALL_NO_RESULT};
	return slot(res, fit[b < 60 ? 0 : below(g, n)]);
}

/* --- numbers --- */

static const struct numbers *numbers_of(const char *call, const char *field)
{
	for (u32 i = 0; field && i < ARRAY_SIZE(numbers); i++) {
		const struct numbers *n = &numbers[i];

		if (!strcmp(n->field, field) && (!n->call || strstr(call, n->call)))
			return n;
	}
	return NULL;
}

/* Mostly one of four places; some are half a page off. */
static u64 iova(struct gen *g)
{
	u64 at = CALLGEN_IOVA + (u64)below(g, 4) * 0x4000;
	u32 b = below(g, 16);

	if (b == 0)
		return at + 0x800;
	if (b == 1)
		return at + 1;
	if (b == 2)
		return (u64)below(g, 4) << 62;
	if (b < 6)
		return at + (u64)below(g, 4) * 0x1000;
	return at;
}

static u64 length(struct gen *g)
{
	static const u64 odd[] = {0, 1, 0x800, 0x1800, 0x200000, ~0ULL, 64, 0x7ffffffffffff000};

	if (one_in(g, 12))
		return odd[below(g, ARRAY_SIZE(odd))];
	return 0x1000ULL << below(g, 4);
}

/* A place in a region of a PCI function, or in what a device without regions reaches. */
static u64 position(struct gen *g)
{
	if (one_in(g, 3))
		return iova(g);
	return (u64)below(g, 10) << 40 | (below(g, 3) ? below(g, 64) * 4 : below(g, 0x1100));
}

static u64 anything(struct gen *g)
{
	static const u64 some[] = {0, 1, 2, 3, 4, 8, 64, 4096, 0xffffffff, ~0ULL, 0x80000000};

	return some[below(g, ARRAY_SIZE(some))];
}

static u64 or_ed(struct gen *g, const struct uapi_flags *f)
{
	u64 all = 0;

	for (u32 i = 0; i < f->n; i++)
		all |= below(g, 2) ? f->value[i].value : 0;
	return all;
}

static u64 deep_number(struct gen *g, const struct uapi_type *t, const char *name)
{
	const struct numbers *n = numbers_of(g->c->name, name);

	if (t->kind == UAPI_CONST)
		return !one_in(g, 64) || t->size > 8 ? t->def : anything(g);
	if (t->kind == UAPI_VMA)
		return CALLGEN_PAGES + (u64)below(g, 16) * 0x1000;
	if (one_in(g, 48))
		return anything(g);
	if (named(name, "pos"))
		return position(g);
	if (n)
		return n->value[below(g, n->n)];
	if (t->kind == UAPI_FLAGS && t->flags)
		return or_ed(g, t->flags);
	if (t->flags && t->flags->n)
		return t->flags->value[below(g, t->flags->n)].value;
	if (named(name, "iova") || named(name, "start") || named(name, "addr"))
		return iova(g);
	if (named(name, "last"))
		return iova(g) | 0xfff;
	if (named(name, "length") || named(name, "size") || named(name, "len"))
		return length(g);
	return anything(g);
}

/* --- names --- */

static const char *deep_string(struct gen *g, const char *def)
{
	static const char *const nodes[] = {"/dev/vfio/devices/vfio0", "/dev/vfio/devices/vfio1",
					    "/dev/vfio/devices/vfio2", "/dev/vfio/devices/vfio3",
					    "/dev/vfio/devices/vfio4", "/dev/vfio/devices/vfio9"};
	static const char *const groups[] = {"/dev/vfio/0", "/dev/vfio/1", "/dev/vfio/2",
					     "/dev/vfio/3", "/dev/vfio/2", "/dev/vfio/7"};
	static const char *const devices[] = {"0000:00:01.0", "0000:00:02.0", "dma0", "dma1",
					      "mdev0", "nobody"};
	u32 b = below(g, 40) % 6;

	if (!def)
		return one_in(g, 2) ? "/dev/vfio/vfio" : "/dev/iommu";
	if (!strncmp(def, "/dev/vfio/devices", 17))
		return nodes[b];
	if (!strcmp(def, "/dev/vfio/0"))
		return groups[b];
	if (!strcmp(def, "0000:00:01.0"))
		return devices[b];
	return def;
}

/* --- calls --- */

void deep_begin(struct gen *g, u64 seed, u32 calls)
{
	static const struct gen_how how = {deep_resource, deep_number, deep_string};

	*g = (struct gen){.p = callgen_program(calls), .how = &how,
			  .random = hash_mix(0x1234567, seed)};
}

void deep_look(struct gen *g, u32 n)
{
	const struct uapi_call *row = uapi_call_find("ioctl$IOMMU_TEST_OP_MD_CHECK_REFS");
	u64 fd = 0;

	for (u32 i = 0; i < g->p->n_results && !fd; i++)
		fd = g->slot[i] && !strcmp(g->slot[i]->name, "fd_iommufd") ? i + 1 : 0;
	callgen_add(g, row);
	if (fd)
		g->c->arg[0] = slot(g->slot[fd - 1], (u32)fd - 1);
	for (u32 i = 0; i < g->c->n_in; i++) {
		u64 words[9] = {(u64)4 << 32 | 72, 0, 0x1000,
				CALLGEN_PAGES + (u64)(n / 2) * 0x1000, n % 2};

		if (g->c->in[i].kind == CALL_IN_DATA && g->c->in[i].size == sizeof(words))
			memcpy((u8 *)(uintptr_t)g->c->in[i].data, words, sizeof(words));
	}
}

bool deep_is_rare(const char *name)
{
	static const char *const rare[] = {"close", "dup2", "dup3", "read", "readv", "ppoll",
					   "ioctl", "open", "openat", "fcntl$dupfd"};

	for (u32 i = 0; i < ARRAY_SIZE(rare); i++) {
		if (!strcmp(name, rare[i]))
			return true;
	}
	return false;
}
