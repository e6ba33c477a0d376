// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's bytes. Every part has its fixed place whether the machine has
 * it or not, so that a changed count shifts nothing; all zero is the smallest
 * machine: one IOMMU, one bus, one device, every default.
 *
 * What the reader of YAML would refuse cannot come out: parents and aliases
 * name earlier entries, addresses on a bus are made unique, reserved regions
 * are not empty and end within 64 bits. Direct ones have at most 1 GiB, but where
 * they are beyond every aperture.
 */
#include "fuzz/op/fuzzop_priv.h"

#include "sim/base/bits.h"

#include <assert.h>
#include <string.h>

#define WIDE_ID "a stream id above 0xffff"
#define TOO_LARGE BIT_ULL(57) /* beyond every aperture: refused at once */

static const char *const models[] = {"mock", "mock-smmu"};

static const u64 pgsizes[] = {
	BIT(12) | BIT(21),           BIT(12), BIT(16), BIT(12) | BIT(21) | BIT(30),
	BIT(14) | BIT(25), BIT(21), BIT(12) | BIT(63),
};

static const u32 apertures[] = {48, 32, 39, 57};

enum layout {
	IOMMU_BYTES = 5,
	BUS_BYTES = 3,
	DEVICE_BYTES = 12 + 2 * MACHINE_DEVICE_IDS_MAX,
	RESV_BYTES = 4,
	AT_IOMMUS = 4, /* behind the counts */
	AT_BUSES = AT_IOMMUS + FUZZOP_IOMMUS_MAX * IOMMU_BYTES,
	AT_DEVICES = AT_BUSES + FUZZOP_BUSES_MAX * BUS_BYTES,
	AT_RESV = AT_DEVICES + FUZZOP_DEVICES_MAX * DEVICE_BYTES,
	AT_END = AT_RESV + FUZZOP_RESV_MAX * RESV_BYTES,
};
static_assert(AT_END == FUZZOP_MACHINE_BYTES && AT_END < 256, "the head has one byte for it");

enum iommu_flags { IOMMU_DEFERRED = 1, IOMMU_NO_BLOCKING = 2, IOMMU_FAIL_PROBE = 4 };
enum bus_flags { BUS_PLATFORM = 1, BUS_ACPI = 2, BUS_NO_ACS = 4, BUS_ALIAS = 8 };
enum device_flags { DEVICE_BRIDGE = 1, DEVICE_UNTRUSTED = 2, DEVICE_ABSENT = 4 };

static void set_text(char *to, const char *text)
{
	memcpy(to, text, strlen(text) + 1);
}

static u32 index_of_model(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(models); i++)
		if (!strcmp(models[i], name))
			return i;
	return ARRAY_SIZE(models);
}

static u32 index_of(const u64 *table, u32 n, u64 v)
{
	u32 i = 0;

	while (i < n && table[i] != v)
		i++;
	return i;
}

static u32 aperture_index(u32 lg2)
{
	u32 i = 0;

	while (i < ARRAY_SIZE(apertures) && apertures[i] != lg2)
		i++;
	return i;
}

/* An index that may be missing: 0 = none, else 1 + index. */
static u32 code_option(struct fuzzop_codec *c, u32 v, u32 n, const char *what)
{
	u32 b = fuzzop_code(c, v == MACHINE_NONE ? 0 : v + 1, n + 1, what);

	return b ? b - 1 : MACHINE_NONE;
}

static void code_iommu(struct fuzzop_codec *c, struct machine_iommu *x)
{
	u32 flags = (x->deferred_attach ? IOMMU_DEFERRED : 0) |
		    (x->no_blocking ? IOMMU_NO_BLOCKING : 0) |
		    (x->fail_probe ? IOMMU_FAIL_PROBE : 0);
	u32 i;

	i = fuzzop_code(c, index_of_model(x->model), ARRAY_SIZE(models), "this IOMMU model");
	set_text(x->model, models[i % ARRAY_SIZE(models)]);
	i = index_of(pgsizes, ARRAY_SIZE(pgsizes), x->pgsize_bitmap);
	i = fuzzop_code(c, i, ARRAY_SIZE(pgsizes), "these page sizes");
	x->pgsize_bitmap = pgsizes[i % ARRAY_SIZE(pgsizes)];
	i = fuzzop_code(c, aperture_index(x->aperture_lg2), ARRAY_SIZE(apertures),
			"this aperture");
	x->aperture_lg2 = apertures[i % ARRAY_SIZE(apertures)];
	x->default_domain = fuzzop_code(c, x->default_domain, MACHINE_DOMAIN_BLOCKED + 1,
					"this default domain");
	flags = fuzzop_code(c, flags, 8, "");
	x->deferred_attach = flags & IOMMU_DEFERRED;
	x->no_blocking = flags & IOMMU_NO_BLOCKING;
	x->fail_probe = flags & IOMMU_FAIL_PROBE;
}

/* The first byte is 0 for the first IOMMU, since most buses have one. */
static void code_bus_iommu(struct fuzzop_codec *c, struct machine_bus *x, u32 n_iommus)
{
	u32 v = x->iommu == MACHINE_NONE ? n_iommus : x->iommu;

	v = fuzzop_code(c, v, n_iommus + 1, "this bus's IOMMU");
	x->iommu = v == n_iommus ? MACHINE_NONE : v;
}

static void code_bus(struct fuzzop_codec *c, struct machine *m, u32 i)
{
	struct machine_bus *x = &m->bus[i];
	u32 flags = (x->kind == MACHINE_BUS_PLATFORM ? BUS_PLATFORM : 0) |
		    (x->firmware == MACHINE_FW_ACPI ? BUS_ACPI : 0) |
		    (x->acs ? 0 : BUS_NO_ACS) | (x->alias ? BUS_ALIAS : 0);

	flags = fuzzop_code(c, flags, 16, "");
	code_bus_iommu(c, x, m->n_iommus);
	x->parent = code_option(c, x->parent, i, "a bus before its parent");
	x->firmware = flags & BUS_ACPI ? MACHINE_FW_ACPI : MACHINE_FW_OF;
	x->kind = flags & BUS_PLATFORM ? MACHINE_BUS_PLATFORM : MACHINE_BUS_PCI;
	/* Those of PCI are errors of the file elsewhere: the bits mean nothing there. */
	if (x->kind == MACHINE_BUS_PLATFORM)
		flags &= ~(u32)(BUS_NO_ACS | BUS_ALIAS);
	x->acs = !(flags & BUS_NO_ACS);
	x->alias = flags & BUS_ALIAS;
}

static u32 driver_index(const char *name)
{
	for (u32 i = 0; i < KERNEL_DRIVERS_N; i++)
		if (!strcmp(kernel_driver_names[i], name))
			return i;
	return *name ? KERNEL_DRIVERS_N : MACHINE_NONE;
}

static bool bdf_taken(const struct machine *m, u32 i)
{
	for (u32 j = 0; j < i; j++)
		if (m->device[j].bus == m->device[i].bus && m->device[j].bdf == m->device[i].bdf)
			return true;
	return false;
}

/* Relative to (bus, slot i + 1), so that 0 is free in most machines. */
static void code_bdf(struct fuzzop_codec *c, struct machine *m, u32 i)
{
	struct machine_device *x = &m->device[i];
	u32 usual = x->bus << 8 | (i + 1) << 3;
	u32 low, high, v = x->bdf ^ usual;

	low = fuzzop_code(c, v & 255, 256, "");
	high = fuzzop_code(c, v >> 8, 256, WIDE_ID);
	if (c->encode)
		return;
	x->bdf = (low | high << 8) ^ usual;
	while (bdf_taken(m, i))
		x->bdf = (x->bdf + 8) & 0xffff;
}

static bool follows_bus(const struct machine *m, const struct machine_device *x)
{
	u32 iommu = m->bus[x->bus].iommu;

	if (iommu == MACHINE_NONE)
		return x->n_iommus == 0;
	return x->n_iommus == 1 && x->iommus[0] == iommu;
}

static void code_device_iommus(struct fuzzop_codec *c, struct machine *m,
			       struct machine_device *x)
{
	bool usual = c->encode && follows_bus(m, x);
	u32 n = usual ? 0 : x->n_iommus;

	if (c->encode && !usual && !n)
		c->why = "a device without its bus's IOMMU";
	n = fuzzop_code(c, n, MACHINE_DEVICE_IOMMUS_MAX + 1, "");
	for (u32 i = 0; i < MACHINE_DEVICE_IOMMUS_MAX; i++) {
		u32 v = i < n ? x->iommus[i] : 0;

		v = fuzzop_code(c, v, m->n_iommus, "");
		if (!c->encode && i < n)
			x->iommus[i] = v;
	}
	if (c->encode)
		return;
	x->n_iommus = n;
	if (!n && m->bus[x->bus].iommu != MACHINE_NONE) {
		x->n_iommus = 1;
		x->iommus[0] = m->bus[x->bus].iommu;
	}
}

static void code_device_ids(struct fuzzop_codec *c, struct machine_device *x)
{
	x->n_ids = fuzzop_code(c, x->n_ids, MACHINE_DEVICE_IDS_MAX + 1, "");
	for (u32 i = 0; i < x->n_ids; i++) {
		u32 low = fuzzop_code(c, x->ids[i] & 255, 256, "");

		x->ids[i] = low | fuzzop_code(c, x->ids[i] >> 8, 256, WIDE_ID) << 8;
	}
}

static void code_device(struct fuzzop_codec *c, struct machine *m, u32 i)
{
	struct machine_device *x = &m->device[i];
	u32 flags = (x->bridge ? DEVICE_BRIDGE : 0) | (x->untrusted ? DEVICE_UNTRUSTED : 0) |
		    (x->absent ? DEVICE_ABSENT : 0);
	u32 driver;

	x->bus = fuzzop_code(c, x->bus, m->n_buses, "");
	driver = code_option(c, c->encode ? driver_index(x->driver) : 0, KERNEL_DRIVERS_N,
			     "this driver");
	set_text(x->driver, driver < KERNEL_DRIVERS_N ? kernel_driver_names[driver] : "");
	flags = fuzzop_code(c, flags, 8, "");
	x->bridge = flags & DEVICE_BRIDGE;
	x->untrusted = flags & DEVICE_UNTRUSTED;
	x->absent = flags & DEVICE_ABSENT;
	x->alias_of = code_option(c, x->alias_of, i, "a device before its alias");
	code_bdf(c, m, i);
	code_device_iommus(c, m, x);
	code_device_ids(c, x);
}

/*
 * Each attachment maps the whole of a direct region: of half a TiB it takes so
 * long that a program of a few of them passes for one that never ends.
 */
static bool is_direct(u32 type)
{
	return type == MACHINE_RESV_DIRECT || type == MACHINE_RESV_DIRECT_RELAXABLE;
}

static void code_resv(struct fuzzop_codec *c, struct machine *m, struct machine_resv *x,
		      struct fuzzop_codec *data)
{
	x->device = fuzzop_code(c, x->device, m->n_devices, "");
	x->type = fuzzop_code(c, x->type, MACHINE_RESV_SW_MSI + 1, "");
	x->start = fuzzop_code_num(c, data, x->start);
	x->length = fuzzop_code_size(c, data, x->length);
	if (c->encode)
		return;
	if (!x->length || x->start + (x->length - 1) < x->start)
		x->length = 1;
	if (is_direct(x->type) && x->length > BIT_ULL(30) && x->length < TOO_LARGE)
		x->length = BIT_ULL(30);
}

static void set_name(char *to, const char *stem, u32 i)
{
	size_t n = strlen(stem);

	memcpy(to, stem, n);
	to[n] = (char)('0' + i);
	to[n + 1] = '\0';
}

/* The counts stand; what is there gets its name and its defaults. */
static void init(struct machine *m)
{
	for (u32 i = 0; i < m->n_iommus; i++) {
		machine_iommu_init(&m->iommu[i]);
		set_name(m->iommu[i].name, "iommu", i);
	}
	for (u32 i = 0; i < m->n_buses; i++) {
		machine_bus_init(&m->bus[i]);
		set_name(m->bus[i].name, "bus", i);
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		machine_device_init(&m->device[i]);
		set_name(m->device[i].name, "dev", i);
	}
}

static u32 code_count(struct fuzzop_codec *c, u32 v, u32 first, u32 max, const char *what)
{
	return first + fuzzop_code(c, v - first, max - first + 1, what);
}

static void code_counts(struct fuzzop_codec *c, struct machine *m)
{
	m->n_iommus = code_count(c, m->n_iommus, 1, FUZZOP_IOMMUS_MAX, "this many IOMMUs");
	m->n_buses = code_count(c, m->n_buses, 1, FUZZOP_BUSES_MAX, "this many buses");
	m->n_devices = code_count(c, m->n_devices, 1, FUZZOP_DEVICES_MAX, "this many devices");
	m->n_resv = code_count(c, m->n_resv, 0, FUZZOP_RESV_MAX, "this many reserved regions");
}

void fuzzop_code_machine(struct fuzzop_codec *c, struct machine *m, struct fuzzop_codec *data)
{
	if (!c->encode)
		memset(m, 0, sizeof(*m));
	code_counts(c, m);
	if (c->why)
		return;
	if (!c->encode)
		init(m);
	for (u32 i = 0; i < m->n_iommus; i++) {
		c->at = AT_IOMMUS + i * IOMMU_BYTES;
		code_iommu(c, &m->iommu[i]);
	}
	for (u32 i = 0; i < m->n_buses; i++) {
		c->at = AT_BUSES + i * BUS_BYTES;
		code_bus(c, m, i);
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		c->at = AT_DEVICES + i * DEVICE_BYTES;
		code_device(c, m, i);
	}
	for (u32 i = 0; i < m->n_resv; i++) {
		c->at = AT_RESV + i * RESV_BYTES;
		code_resv(c, m, &m->resv[i], data);
	}
}
