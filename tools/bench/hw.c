// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of what all hardware models share: the cache, against a general hash
 * table whose drops walk over all; and a device's DMA through the fabric,
 * against the bare access.
 */
#include "hw/bus/bus.h"
#include "hw/iommu/cache.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/mem/frames.h"
#include "tools/bench/bench.h"
#include "tools/bench/peers.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 65536u
#define SPACES 64u
#define FAR_PAGES (1ULL << 30) /* nothing is cached from there on */

/* --- the cache --- */

struct tlb {
	struct hw_cache *c;
	u32 space;
	u64 *page;  /* a random order of all pages; each entry's value leads to the next */
	u64 at, sink;
};

static struct hw_env no_env;
static struct bench_general *table;

static void tlb_make(struct tlb *t)
{
	struct hw_cache_policy p = {.kind = HW_CACHE_SETS, .entries = ENTRIES};
	u64 *next_of = calloc(ENTRIES, sizeof(*next_of));
	u64 x = 1;

	sim_assert(next_of);
	table = bench_general_create();
	t->c = hw_cache_create(&no_env, "bench", &p);
	t->space = hw_space(t->c, 1);
	t->page = calloc(ENTRIES, sizeof(*t->page));
	sim_assert(t->page);
	for (u32 i = 0; i < ENTRIES; i++)
		t->page[i] = (u64)i << 12;
	for (u32 i = ENTRIES - 1; i; i--) {
		u64 old = t->page[i];
		u32 j;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		j = (u32)((x >> 33) % (i + 1));
		t->page[i] = t->page[j];
		t->page[j] = old;
	}
	for (u32 i = 0; i < ENTRIES; i++) {
		u64 addr = t->page[i], next = t->page[(i + 1) % ENTRIES];
		struct hw_cache_entry e = {.value = next, .addr = addr, .lg2 = 12,
					   .space = t->space};

		hw_cache_fill(t->c, &e, NULL, 0);
		next_of[addr >> 12] = next;
	}
	/* Made in another order than they are asked for. */
	for (u32 i = 0; i < ENTRIES; i++)
		bench_general_fill(table, i, next_of[i]);
	free(next_of);
	sim_assert(hw_cache_count(t->c) == ENTRIES);
}

static void hit_run(void *arg, u64 n)
{
	struct tlb *t = arg;

	while (n--)
		t->sink += hw_cache_find(t->c, t->space, t->page[t->at++ % ENTRIES])->value;
}

static void hit_general(void *arg, u64 n)
{
	struct tlb *t = arg;

	while (n--)
		t->sink += bench_general_find(table, t->page[t->at++ % ENTRIES]);
}

static void chase_run(void *arg, u64 n)
{
	struct tlb *t = arg;
	u64 addr = t->page[0];

	while (n--)
		addr = hw_cache_find(t->c, t->space, addr)->value;
	t->sink += addr;
}

static void chase_general(void *arg, u64 n)
{
	struct tlb *t = arg;
	u64 addr = t->page[0];

	while (n--)
		addr = bench_general_find(table, addr);
	t->sink += addr;
}

/* Pages that are not cached: the same probes, and the cache stays full. */
static void drop_run(void *arg, u64 n)
{
	struct tlb *t = arg;

	while (n--) {
		u64 addr = (t->page[t->at++ % ENTRIES] >> 12 | FAR_PAGES) << 12;

		hw_cache_drop_range(t->c, t->space, addr, addr + 4095);
	}
}

static void range_run(void *arg, u64 n)
{
	struct tlb *t = arg;

	while (n--) {
		u64 addr = (t->page[t->at++ % ENTRIES] >> 12 | FAR_PAGES) << 12;

		hw_cache_drop_range(t->c, t->space, addr, addr + 64 * 4096 - 1);
	}
}

static void walk_run(void *arg, u64 n)
{
	struct tlb *t = arg;

	while (n--)
		t->sink += bench_general_walk(table, FAR_PAGES + t->at++, FAR_PAGES + 64);
}

/* A space with 16 entries among 65,536, of which the range has none: the column is read. */
static void scan_run(void *arg, u64 n)
{
	struct tlb *t = arg;
	u32 few = hw_space(t->c, 2);

	while (n--)
		hw_cache_drop_range(t->c, few, FAR_PAGES << 12, (2 * FAR_PAGES) << 12);
}

static void space_run(void *arg, u64 n)
{
	struct tlb *t = arg;
	u32 space[SPACES];

	for (u32 i = 0; i < SPACES; i++)
		space[i] = hw_space(t->c, 100 + i);
	while (n--)
		hw_cache_drop_space(t->c, space[t->at++ % SPACES]);
}

static void all_run(void *arg, u64 n)
{
	struct tlb *t = arg;

	while (n--)
		hw_cache_drop_all(t->c);
}

struct tlb_row {
	const char *name, *against;
	void (*ours)(void *arg, u64 n);
	void (*base)(void *arg, u64 n);
	double must; /* times the comparator; absolute targets are in the comments */
};

#define TABLE_NAME "a general hash table"
#define WALK "a walk over a hash table"

/* In this order: the scan's space takes some entries from the first, the last one empties it. */
static const struct tlb_row tlb_rows[] = {
	/* 8 ns */
	{"iotlb: hit, 64 Ki entries", TABLE_NAME, hit_run, hit_general, 1},
	/* 20 ns */
	{"iotlb: hit, each leads to the next", TABLE_NAME, chase_run, chase_general, 0.8},
	/* 8 ns, 120 ns, 3 us, 2 ns, 2 ns */
	{"iotlb: drop one page", WALK, drop_run, walk_run, 1e-4},
	{"iotlb: drop a range of 64 pages", WALK, range_run, walk_run, 1e-3},
	{"iotlb: drop a range, by scan", WALK, scan_run, walk_run, 3e-2},
	{"iotlb: drop a space", WALK, space_run, walk_run, 2e-5},
	{"iotlb: drop all", WALK, all_run, walk_run, 2e-5},
};

static void few_fill(struct tlb *t)
{
	u32 few = hw_space(t->c, 2);

	for (u64 i = 0; i < 16; i++) {
		struct hw_cache_entry e = {.addr = (i * 37) << 12, .lg2 = 12, .space = few};

		hw_cache_fill(t->c, &e, NULL, 0);
	}
}

static void bench_iotlb(struct bench *b)
{
	struct tlb t = {.at = 0};

	tlb_make(&t);
	for (u32 i = 0; i < ARRAY_SIZE(tlb_rows); i++) {
		const struct tlb_row *r = &tlb_rows[i];
		struct bench_loop ours = {r->ours, &t}, base = {r->base, &t};
		struct bench_sample m[2];

		if (r->ours == scan_run)
			few_fill(&t);
		bench_measure(b, &ours, &base, m);
		bench_add(b, &(struct bench_row){.name = r->name, .unit = "ns", .against = r->against,
						 .value = m[0].median, .spread = m[0].spread,
						 .baseline = m[1].median,
						 .kind = BENCH_RATIO_AT_MOST, .limit = r->must});
	}
	hw_cache_destroy(t.c);
	bench_general_destroy(table);
	free(t.page);
}

/* --- a device's DMA, without translation: what the fabric costs --- */

struct dma {
	struct world *w;
	struct fabric *f;
	struct machine m;
	u64 pa, sink;
};

static void dma_run(void *arg, u64 n)
{
	struct dma *d = arg;
	struct bus_req r = {.pasid = HW_NO_PASID, .access = HW_READ};

	for (u64 i = 0; i < n; i++) {
		u64 v;

		r.addr = d->pa + (i & 511) * 8;
		bus_dma(d->f, 0, &r, &v, sizeof(v));
		d->sink += v;
	}
}

static void phys_run(void *arg, u64 n)
{
	struct dma *d = arg;

	for (u64 i = 0; i < n; i++) {
		u64 v;

		io_phys_read(d->w, d->pa + (i & 511) * 8, &v, sizeof(v));
		d->sink += v;
	}
}

static void bench_fabric(struct bench *b)
{
	struct dma d = {.w = world_create(0)};
	struct bench_loop ours = {dma_run, &d}, base = {phys_run, &d};
	struct bench_sample m[2];

	d.m.n_buses = 1;
	d.m.n_devices = 1;
	machine_bus_init(&d.m.bus[0]);
	machine_device_init(&d.m.device[0]);
	d.m.device[0].bus = 0;
	d.f = bus_create(d.w, &d.m);
	d.pa = 0x100000;
	bench_measure(b, &ours, &base, m);
	bench_add(b, &(struct bench_row){.name = "DMA of 8 bytes, no IOMMU", .unit = "ns",
					 .against = "the bare access", .value = m[0].median,
					 .spread = m[0].spread, .baseline = m[1].median});
	world_destroy(d.w);
}

const struct bench_entry bench_hw_entries[] = {
	{"iotlb", "the cache of the hardware models: hits and drops", false, bench_iotlb},
	{"fabric", "a device's access to memory", false, bench_fabric},
	{NULL, NULL, false, NULL},
};
