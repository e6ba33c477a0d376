// SPDX-License-Identifier: GPL-2.0-only
/*
 * Version deltas: calls that are younger than 6.12, by a part of their names.
 */
#include "tools/cli/diff_priv.h"

#include "sim/base/bits.h"
#include "sim/kapi/errno.h"

#include <stdlib.h>
#include <string.h>

static const struct delta {
	const char *part, *since;
	u32 version;
} deltas[] = {
	{"IOMMU_IOAS_MAP_FILE", "6.13", 0x060d},
	{"VIOMMU", "6.13", 0x060d},
	{"VDEVICE", "6.13", 0x060d},
	{"DEV_CHECK_CACHE", "6.13", 0x060d},
	{"IOAS_CHANGE_PROCESS", "6.14", 0x060e},
	{"VEVENT", "6.15", 0x060f},
	{"veventq", "6.15", 0x060f},
	{"PASID", "6.15", 0x060f},
	{"HW_QUEUE", "6.17", 0x0611},
	{"DMABUF", "6.19", 0x0613},
	{"DMA_BUF", "6.19", 0x0613},
	{"NOIOMMU_GET_PA", "7.1", 0x0701},
};

const char *cli_diff_since(const char *call, u32 *version)
{
	for (u32 i = 0; i < ARRAY_SIZE(deltas); i++) {
		if (strstr(call, deltas[i].part)) {
			*version = deltas[i].version;
			return deltas[i].since;
		}
	}
	return NULL;
}

#define BAR_BELOW_0 "the tree takes a negative offset of an ioeventfd for one of a BAR below 0"
#define NO_DMABUFS "a hosted tree has no dma-bufs"
#define NOT_ITS_OWN "the tree's selftest driver takes any device for one of its own"

/*
 * Differences of a run or of a call: parts of the call's text or of a finding's title.
 * after: only if the program has such a call, too. ours: only where our own core gives
 * this. leads: objects are there on one side only, so that the rest of the program differs.
 */
static const struct known {
	const char *call, *title; /* NULL: any call; no title */
	const char *with;	  /* another part of the call; NULL: none */
	const char *why, *after;
	long ours;
	bool leads, fields; /* fields: of what it has written, not of its result */
} known[] = {
	{.title = "WARNING in arm_lpae_map_pages",
	 .why = "type1 checks no mapping against a domain that comes later, once only mediated "
		"devices were there: the tree's page tables warn of the address, ours refuse it"},
	{.title = "BUG: domain freed under a device in iommu_domain_free",
	 .why = "a replacement does not look at the table's owner: a device came to one of another "
		"IOMMU's driver, and keeps translating by it when it goes"},
	{.title = "in iommufd_test_trigger_vevent", .why = NOT_ITS_OWN},
	{.title = "in iommufd_test_dev_check_cache", .why = NOT_ITS_OWN},
	{.title = "in mock_domain_nop_attach", .after = "VFIO_DEVICE_ATTACH", .why = NOT_ITS_OWN},
	{.title = "WARNING in __up_", .after = "VFIO_DEVICE_BIND", .why = NOT_ITS_OWN},
	{.title = "BUG: spinlock bad magic in rwsem_down_", .after = "VFIO_DEVICE_BIND",
	 .why = NOT_ITS_OWN},
	{.call = "IOMMU_TEST_OP_DEV_CHECK_CACHE", .ours = -EINVAL, .after = "VFIO_DEVICE_BIND",
	 .why = NOT_ITS_OWN},
	{.call = "IOMMU_IOAS_MAP_FILE", .ours = -EINVAL, .leads = true,
	 .why = "the tree takes any file where nothing is pinned, /dev/iommu itself, too"},
	{.title = "BUG: memory leak in _kmalloc_noprof",
	 .why = "a file of /dev/iommu that is mapped into itself is never given up"},
	{.title = "WARNING in get_area", .after = "offset=-1", .why = BAR_BELOW_0},
	{.call = "VFIO_DEVICE_IOEVENTFD", .ours = -EINVAL, .after = "offset=-1",
	 .why = BAR_BELOW_0},
	/* The first 256 bytes of configuration space. */
	{.call = ", 0x700000000",
	 .why = "the machines put a function's registers at different addresses"},
	{.call = "IOMMU_IOAS_NOIOMMU_GET_PA", .fields = true,
	 .why = "memory lies at other physical addresses, in other pieces"},
	{.call = "IOMMU_TEST_OP_DMABUF", .leads = true, .why = NO_DMABUFS},
	{.call = "VFIO_DEVICE_FEATURE$DMA_BUF", .leads = true, .why = NO_DMABUFS},
	{.call = "VFIO_DEVICE_FEATURE_DMA_BUF", .leads = true, .why = NO_DMABUFS},
	/* By its number, 11, in flags of any call on features. */
	{.call = "VFIO_DEVICE_FEATURE(", .with = "000b}", .leads = true, .why = NO_DMABUFS},
	{.call = "VFIO_DEVICE_FEATURE(", .with = "{flags=11}", .leads = true, .why = NO_DMABUFS},
};

static bool has_call(const struct scenario *s, const char *part)
{
	char call[160];

	for (u32 i = 0; i < s->n_ops; i++) {
		scenario_op_print(s, i, call, sizeof(call));
		if (strstr(call, part))
			return true;
	}
	return false;
}

static bool matches(const struct diff *d, const struct known *k, const struct explore_difference *x,
		    const char *call)
{
	if (k->after && !has_call(d->s, k->after))
		return false;
	if ((k->ours && x->first_ret != k->ours) || (k->fields && !x->field))
		return false;
	if (k->title)
		return x->op >= d->s->n_ops && strstr(d->seen[1].title, k->title);
	return strstr(call, k->call) && (!k->with || strstr(call, k->with));
}

/* What our core answers differently since a version: the rows of core/iommu/since.def. */
static const struct row {
	u32 version;
	const char *parts, *doc;
} rows[] = {
#define LINUX_6_12 0x060c
#define LINUX_7_3 0x0703
#define SINCE(sym, number, calls, text) {number, calls, text},
#include "core/iommu/since.def"
#undef SINCE
};

static bool has_part(const char *call, const char *parts)
{
	char part[64];

	for (; *parts; parts += *parts == ' ') {
		size_t n = strcspn(parts, " ");

		snprintf(part, sizeof(part), "%.*s", (int)n, parts);
		if (strstr(call, part))
			return true;
		parts += n;
	}
	return false;
}

/* The rows between the two versions that may show in the call; NULL: none. */
static const char *delta(struct diff *d, const char *call)
{
	u32 a = cli_diff_version(d->kernel[0]), b = cli_diff_version(d->kernel[1]);
	size_t n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if (r->version <= min(a, b) || r->version > max(a, b) || !has_part(call, r->parts))
			continue;
		n += (size_t)snprintf(d->why + n, sizeof(d->why) - n, "%ssince %u.%u: %s",
				      n ? "; or " : "", r->version >> 8, r->version & 0xff, r->doc);
		if (n >= sizeof(d->why))
			break;
	}
	return n ? d->why : NULL;
}

const char *cli_diff_known(struct diff *d, const struct explore_difference *x, const char *call)
{
	u32 version;
	const char *since = x->op < d->s->n_ops ? cli_diff_since(call, &version) : NULL;

	if (d->led)
		return "follows from the one before";
	for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
		if (!matches(d, &known[i], x, call))
			continue;
		d->led = known[i].leads;
		return known[i].why;
	}
	if (since && version > min(cli_diff_version(d->kernel[0]), cli_diff_version(d->kernel[1])))
		return since;
	since = x->op < d->s->n_ops ? delta(d, call) : NULL;
	d->led |= since != NULL;
	return since;
}

u32 cli_diff_version(const struct kernel *k)
{
	const char *at = strpbrk(k->name, "0123456789");
	char *end;
	unsigned long major;

	/* Our own without a number answers as 6.12. */
	if (!at)
		return 0x060c;
	major = strtoul(at, &end, 10);
	return (u32)(major << 8 | (*end == '.' ? strtoul(end + 1, NULL, 10) : 0));
}
