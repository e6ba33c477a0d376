// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs about a theme: calls that open it, then calls by weight. A row counts
 * only where earlier calls gave what it needs, nine times in ten.
 */
#include "fuzz/op/deepgen.h"

#include "fuzz/op/callgen_priv.h"
#include "fuzz/op/deep_values.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_MIN 5
#define CALLS_MAX 40
#define LOOKS 6 /* calls at the end that look at pins */
#define ROWS_MAX 256
#define NEEDS_MAX 8
#define OPENING_MAX 6
#define PREFIXES_MAX 8
#define FILLED_PAGES 24
#define ALL_WEIGHT 2
#define THEME_WEIGHT 24

struct theme {
	const char *opening[OPENING_MAX];
	const char *part[PREFIXES_MAX]; /* of the names of its rows */
	bool pasid;
};

static const struct theme themes[] = {
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN"},
	 {"IOMMU_IOAS", "IOMMU_OPTION", "ADD_RESERVED", "MD_CHECK", "IOMMU_DESTROY", "MOCK_DOMAIN"},
	 false},
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_CREATE_ACCESS",
	  "ioctl$IOMMU_IOAS_MAP$PAGES", "ioctl$IOMMU_TEST_OP_ACCESS_PAGES"},
	 {"_ACCESS", "IOAS_MAP", "IOAS_UNMAP", "MOCK_DOMAIN", "MEMORY_LIMIT", "IOAS_COPY"}, false},
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN",
	  "ioctl$IOMMU_HWPT_ALLOC$NONE", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE"},
	 {"HWPT", "DIRTY", "MD_CHECK", "HW_INFO", "MOCK_DOMAIN", "IOAS_MAP", "IOMMU_DESTROY"},
	 false},
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN",
	  "ioctl$IOMMU_FAULT_QUEUE_ALLOC", "ioctl$IOMMU_HWPT_ALLOC$NONE",
	  "ioctl$IOMMU_HWPT_ALLOC$TEST"},
	 {"FAULT", "IOPF", "iommufd_fault", "HWPT_ALLOC", "REPLACE", "IOMMU_DESTROY", "poll"},
	 false},
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_VFIO_IOAS$SET",
	  "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN", "ioctl$IOMMU_VFIO_IOMMU_MAP_DMA"},
	 {"IOMMU_VFIO", "IOAS", "MD_CHECK"}, false},
	{{"openat$vfio", "openat$vfio_group", "ioctl$VFIO_GROUP_SET_CONTAINER",
	  "ioctl$VFIO_SET_IOMMU", "ioctl$VFIO_IOMMU_MAP_DMA$PAGES"},
	 {"$VFIO_IOMMU", "VFIO_GROUP", "VFIO_SET_IOMMU", "VFIO_CHECK", "64$vfio", "vfio_group"},
	 false},
	{{"openat$iommufd", "openat$vfio_cdev", "ioctl$VFIO_DEVICE_BIND_IOMMUFD",
	  "ioctl$IOMMU_IOAS_ALLOC", "ioctl$VFIO_DEVICE_ATTACH_IOMMUFD_PT",
	  "ioctl$IOMMU_IOAS_MAP$PAGES"},
	 {"_IOMMUFD", "IOMMU_IOAS", "HWPT", "HW_INFO", "64$vfio", "vfio_cdev", "IOMMU_DESTROY"},
	 false},
	{{"openat$iommufd", "openat$vfio_cdev", "ioctl$VFIO_DEVICE_BIND_IOMMUFD", "eventfd2"},
	 {"$VFIO_DEVICE_GET", "$VFIO_DEVICE_SET", "RESET", "FEATURE", "64$vfio", "eventfd",
	  "IOEVENTFD", "VFIO_DEVICE_"},
	 false},
	{{"openat$vfio", "openat$vfio_group", "ioctl$VFIO_GROUP_SET_CONTAINER",
	  "ioctl$VFIO_SET_IOMMU", "ioctl$VFIO_GROUP_GET_DEVICE_FD", "eventfd2"},
	 {"$VFIO_DEVICE_GET", "$VFIO_DEVICE_SET", "RESET", "64$vfio", "VFIO_GROUP", "$VFIO_IOMMU",
	  "FEATURE"},
	 false},
	{{"openat$iommufd", "openat$vfio_group", "ioctl$IOMMU_IOAS_ALLOC",
	  "ioctl$VFIO_GROUP_SET_CONTAINER", "ioctl$VFIO_GROUP_GET_DEVICE_FD",
	  "ioctl$IOMMU_VFIO_IOMMU_MAP_DMA"},
	 {"VFIO_GROUP", "IOMMU_VFIO", "IOMMU_IOAS", "64$vfio", "_IOMMUFD"}, false},
	{{"openat$iommufd"},
	 {"openat", "dup", "fcntl", "close", "read", "write", "poll", "memfd"}, false},
	{{"openat$iommufd"}, {"$"}, false},
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS",
	  "ioctl$IOMMU_HWPT_ALLOC$NONE", "ioctl$IOMMU_TEST_OP_PASID_ATTACH"},
	 {"PASID", "HWPT_ALLOC", "REPLACE", "IOMMU_DESTROY", "IOAS_MAP"}, true},
	{{"openat$iommufd", "ioctl$IOMMU_IOAS_ALLOC", "ioctl$IOMMU_TEST_OP_MOCK_DOMAIN",
	  "ioctl$IOMMU_HWPT_ALLOC$NONE", "ioctl$IOMMU_VIOMMU_ALLOC$TEST"},
	 {"VIOMMU", "VDEVICE", "VEVENT", "veventq", "IOMMU_DESTROY", "CHECK_CACHE", "HWPT_ALLOC$T",
	  "HW_QUEUE"},
	 true},
};

struct row {
	const struct uapi_call *call;
	u32 need[NEEDS_MAX], n; /* resources, by their place in the table */
};

#define THEMES ARRAY_SIZE(themes)

struct deepgen {
	struct gen g;
	struct deepgen_how how;
	struct row row[ROWS_MAX];
	u32 n_rows;
	u8 weight[THEMES][ROWS_MAX];
	const struct uapi_call *opening[THEMES][OPENING_MAX]; /* without those left out */
};

/* --- what rows need --- */

static void add_need(struct row *r, const struct uapi_resource *res)
{
	u32 index = (u32)(res - uapi_resources);

	for (u32 i = 0; i < r->n; i++) {
		if (r->need[i] == index)
			return;
	}
	if (r->n < NEEDS_MAX)
		r->need[r->n++] = index;
}

static void needs_of(struct row *r, const struct uapi_field *field, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		const struct uapi_type *t = &field[i].type;

		if (t->kind == UAPI_PTR && t->to->kind == UAPI_STRUCT)
			needs_of(r, t->to->layout->field, t->to->layout->n);
		else if (t->kind == UAPI_PTR)
			t = t->to;
		if (t->kind == UAPI_RES && t->dir != UAPI_OUT && !field[i].extra)
			add_need(r, t->resource);
	}
}

/* Whether a result so far may stand for each need. */
static bool ready(struct deepgen *d, const struct row *r)
{
	for (u32 i = 0; i < r->n; i++) {
		if (!deep_has(&d->g, &uapi_resources[r->need[i]]))
			return false;
	}
	return true;
}

static void collect(struct deepgen *d)
{
	u32 n;
	const struct uapi_call *const *rows = callgen_rows(&n);

	for (u32 i = 0; i < n && d->n_rows < ROWS_MAX; i++) {
		struct row *r = &d->row[d->n_rows];

		if (d->how.leave_out && d->how.leave_out(d->how.self, rows[i]->name))
			continue;
		*r = (struct row){.call = rows[i]};
		needs_of(r, rows[i]->arg, rows[i]->n_args);
		d->n_rows++;
	}
}

/* --- which call comes next --- */

static bool part_of(const struct theme *t, const char *name)
{
	for (u32 i = 0; i < PREFIXES_MAX && t->part[i]; i++) {
		if (strstr(name, t->part[i]))
			return true;
	}
	return false;
}

static void weigh(struct deepgen *d, u32 theme)
{
	for (u32 i = 0; i < d->n_rows; i++) {
		const char *name = d->row[i].call->name;

		d->weight[theme][i] = part_of(&themes[theme], name) ? THEME_WEIGHT : ALL_WEIGHT;
		if (deep_is_rare(name))
			d->weight[theme][i] = 1;
	}
}

static const struct uapi_call *choose(struct deepgen *d, const u8 *weights)
{
	bool any = callgen_pick(&d->g) < 20;
	u32 sum = 0, at, weight[ROWS_MAX];

	for (u32 i = 0; i < d->n_rows; i++) {
		weight[i] = any || ready(d, &d->row[i]) ? weights[i] : 0;
		sum += weight[i];
	}
	at = (callgen_pick(&d->g) | callgen_pick(&d->g) << 8) % (sum ? sum : 1);
	for (u32 i = 0; i < d->n_rows; i++) {
		if (at < weight[i])
			return d->row[i].call;
		at -= weight[i];
	}
	return d->row[0].call;
}

static bool is_there(const struct deepgen *d, const struct uapi_call *call)
{
	for (u32 i = 0; i < d->n_rows; i++) {
		if (d->row[i].call == call)
			return true;
	}
	return false;
}

static void find_opening(struct deepgen *d, u32 theme)
{
	u32 n = 0;

	for (u32 i = 0; i < OPENING_MAX && themes[theme].opening[i]; i++) {
		const struct uapi_call *call = uapi_call_find(themes[theme].opening[i]);

		sim_assert(call);
		if (is_there(d, call))
			d->opening[theme][n++] = call;
	}
}

static void open_theme(struct deepgen *d, u32 theme)
{
	for (u32 i = 0; i < OPENING_MAX && d->opening[theme][i]; i++)
		callgen_add(&d->g, d->opening[theme][i]);
}

static u32 choose_theme(struct deepgen *d)
{
	u32 theme;

	do
		theme = callgen_pick(&d->g) % THEMES;
	while (themes[theme].pasid && !d->how.pasid);
	return theme;
}

/* --- the program --- */

/* Each page that is mapped has bytes of its own: what reads it is told which it was. */
static void fill_pages(struct call_program *p)
{
	struct call *c = &p->call[0];
	struct call_in *in = calloc(c->n_in + FILLED_PAGES, sizeof(*in));

	sim_assert(in);
	for (u32 i = 0; i < FILLED_PAGES; i++) {
		u64 *bytes = malloc(2 * sizeof(*bytes));

		sim_assert(bytes);
		bytes[0] = hash_mix(7, i);
		bytes[1] = hash_mix(8, i);
		in[i] = (struct call_in){.kind = CALL_IN_DATA, .size = 16, .data = (u8 *)bytes,
					 .addr = CALLGEN_PAGES + i * 0x1000 + (i & 1) * 0x800};
	}
	memcpy(in + FILLED_PAGES, c->in, c->n_in * sizeof(*in));
	free(c->in);
	c->in = in;
	c->n_in += FILLED_PAGES;
}

struct deepgen *deepgen_new(const struct deepgen_how *how)
{
	struct deepgen *d = calloc(1, sizeof(*d));

	sim_assert(d);
	d->how = *how;
	collect(d);
	for (u32 i = 0; i < THEMES; i++) {
		weigh(d, i);
		find_opening(d, i);
	}
	return d;
}

void deepgen_free(struct deepgen *d)
{
	free(d);
}

struct call_program *deepgen_program(struct deepgen *d, u64 seed)
{
	struct call_program *p;
	u32 theme, n;

	deep_begin(&d->g, seed, CALLS_MAX + LOOKS + OPENING_MAX);
	p = d->g.p;
	theme = choose_theme(d);
	n = CALLS_MIN + callgen_pick(&d->g) % (CALLS_MAX - CALLS_MIN + 1);
	open_theme(d, theme);
	while (p->n < n) {
		if (callgen_pick(&d->g) < 5 && p->n + OPENING_MAX < n)
			open_theme(d, choose_theme(d));
		else
			callgen_add(&d->g, choose(d, d->weight[theme]));
	}
	for (u32 i = 0; i < LOOKS; i++)
		deep_look(&d->g, i);
	fill_pages(p);
	return p;
}
