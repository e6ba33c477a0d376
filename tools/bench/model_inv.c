// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of invalidations through the models: a descriptor or command in the queue,
 * the tail, and work until it has had its effect. The IOTLB is full and stays so. What the
 * cache alone takes for it are the rows `iotlb`, which have the targets.
 *
 * And of a topology: tables of 64 Ki devices.
 */
#include "tools/bench/bed.h"

#include "hw/smmuv3/smmuv3_regs.h"
#include "hw/vtd/vtd_regs.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "tools/bench/peers.h"

#include <stdlib.h>
#include <string.h>

#define PAGES 65536u
#define DOMAINS 64u
#define SID 8
#define FAR (1ULL << 44) /* nothing is cached there */
#define GRANULE_DOMAIN 2
#define GRANULE_PAGES 3

struct invalidations {
	struct bed bed;
	struct bench_general *hash;
	u64 root_table, root, at, sink;
	bool smmu;
};

static void touch(struct invalidations *v, u16 sid, u64 addr)
{
	struct hw_req req = {.addr = addr, .sid = sid, .pasid = HW_NO_PASID, .access = HW_READ};
	struct hw_resp resp;

	v->bed.h->ops->translate(v->bed.h, &req, &resp);
	sim_assert(resp.status == HW_OK);
	v->sink += resp.pa;
}

static void setup(struct invalidations *v)
{
	const struct bed_format *f = v->smmu ? &bed_smmu_s1 : &bed_vtd_ss;

	bed_open(&v->bed, v->smmu ? &hw_smmuv3_ops : &hw_vtd_ops, "cache=sets,entries=65536",
		 16 << 20);
	v->hash = bench_general_create();
	v->root = bed_take(&v->bed);
	v->root_table = bed_take(&v->bed);
	for (u64 i = 0; i < PAGES; i++) {
		u64 addr = BED_BASE + i * BED_PAGE;

		bed_map(&v->bed, f, v->root, addr, addr);
		bench_general_fill(v->hash, addr >> 12, addr);
	}
	/* Device SID has domain 1; the others one each, in which nothing is cached. */
	if (v->smmu) {
		u64 cd = bed_take(&v->bed);

		bed_smmu_cd(&v->bed, cd, 1, v->root);
		bed_smmu_stream(&v->bed, v->root_table, SID, cd);
		bed_smmu_start(&v->bed, v->root_table);
	} else {
		for (u32 i = 0; i < DOMAINS; i++)
			bed_vtd_context(&v->bed, v->root_table, (u16)(SID + i), (u16)(1 + i),
					v->root);
		bed_vtd_on(&v->bed, v->root_table, VTD_TTM_LEGACY);
	}
	for (u64 i = 0; i < PAGES; i++)
		touch(v, SID, BED_BASE + i * BED_PAGE);
}

/* 1 << am pages of domain 1; by range where SMMUv3 has more than one. */
static void pages_inv(struct invalidations *v, u64 addr, u64 am)
{
	u64 num = am ? ((1ULL << am) - 1) << CMD0_NUM : 0, range = am ? 1 << CMD1_TG : 0;

	if (v->smmu)
		bed_smmu_command(&v->bed, CMD_TLBI_NH_VA | num | 1ULL << CMD0_ASID, addr | range);
	else
		bed_vtd_invalidate(&v->bed, VTD_INV_IOTLB | GRANULE_PAGES << 4 | 1ULL << 16,
				   addr | am);
}

static void domain_inv(struct invalidations *v, u64 domain)
{
	if (v->smmu)
		bed_smmu_command(&v->bed, CMD_TLBI_NH_ASID | domain << CMD0_ASID, 0);
	else
		bed_vtd_invalidate(&v->bed,
				   VTD_INV_IOTLB | GRANULE_DOMAIN << 4 | domain << 16, 0);
}

static void page_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--)
		pages_inv(v, FAR + (v->at++ & 0xffff) * BED_PAGE, 0);
}

static void range_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--)
		pages_inv(v, FAR + (v->at++ & 0xffff) * 64 * BED_PAGE, 6);
}

static void domain_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--)
		domain_inv(v, 2 + v->at++ % (DOMAINS - 1));
}

static void walk_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--)
		v->sink += bench_general_walk(v->hash, (FAR >> 12) + v->at++, (FAR >> 12) + 64);
}

/* --- unmap: the leaf is cleared, the page is dropped --- */

static void unmap_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--) {
		u64 addr = BED_BASE + (v->at++ % PAGES) * BED_PAGE;
		u64 *leaf = bed_leaf(&v->bed, v->root, addr), old = *leaf;

		*leaf = 0;
		pages_inv(v, addr, 0);
		*leaf = old;
	}
}

static void unmap_alone(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--) {
		u64 addr = BED_BASE + (v->at++ % PAGES) * BED_PAGE;
		u64 *leaf = bed_leaf(&v->bed, v->root, addr), old = *leaf;

		*(volatile u64 *)leaf = 0;
		*(volatile u64 *)leaf = old;
	}
}

/* --- topology --- */

#define DEVICES 65536u

struct node {
	struct node *left, *right;
	u64 *group, *context;
	u32 rid;
};

static u16 nth_rid(u32 i)
{
	return (u16)(i * 40503u); /* odd: each once */
}

static void insert(struct node **at, u32 rid)
{
	struct node *n = malloc(sizeof(*n));

	sim_assert(n);
	while (*at)
		at = rid < (*at)->rid ? &(*at)->left : &(*at)->right;
	*n = (struct node){.rid = rid, .group = malloc(64), .context = malloc(16)};
	sim_assert(n->group && n->context);
	n->group[0] = rid >> 3;
	n->context[0] = rid;
	*at = n;
}

static void take_down(struct node *n)
{
	if (!n)
		return;
	take_down(n->left);
	take_down(n->right);
	free(n->group);
	free(n->context);
	free(n);
}

/* As software has it that allocates each device, its group's member and its context. */
static void tree_run(void *arg, u64 n)
{
	(void)arg;
	while (n--) {
		struct node *root = NULL;

		for (u32 i = 0; i < DEVICES; i++)
			insert(&root, nth_rid(i));
		take_down(root);
	}
}

/* The model anew, root and context tables for each device. */
static void topology_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--) {
		struct bed *b = &v->bed;
		u64 used = b->used, table;

		b->h->ops->reset(b->h);
		table = bed_take(b);
		memset(bed_word(b, table), 0, (DEVICES / 256 + 2) * BED_PAGE);
		for (u32 i = 0; i < DEVICES; i++)
			bed_vtd_context(b, table, nth_rid(i), (u16)(1 + i % DOMAINS), v->root);
		bed_vtd_on(b, table, VTD_TTM_LEGACY);
		b->used = used;
	}
}

/* Each device asks once: the model makes its records, a context is read for each. */
static void first_run(void *arg, u64 n)
{
	struct invalidations *v = arg;

	while (n--) {
		topology_run(v, 1);
		for (u32 i = 0; i < DEVICES; i++)
			touch(v, nth_rid(i), BED_BASE);
	}
}

/* --- rows --- */

struct row {
	const char *name, *unit, *against;
	void (*ours)(void *arg, u64 n);
	void (*base)(void *arg, u64 n);
	double must, scale; /* nanoseconds per unit */
};

#define WALK "a walk over a hash table of 64 Ki entries"
#define TREE "a tree, three allocations for each device"

/* In this order: the last ones empty the caches. A topology: 500 us over 10.9 ms. */
static const struct row vtd_rows[] = {
	{"VT-d: queue, one page", "ns", WALK, page_run, walk_run, 0, 1},
	{"VT-d: queue, 64 pages", "ns", WALK, range_run, walk_run, 0, 1},
	{"VT-d: queue, a domain", "ns", WALK, domain_run, walk_run, 0, 1},
	{"VT-d: unmap 4K, queue, one page", "ns", "the walk and the stores alone", unmap_run,
	 unmap_alone, 0, 1},
	{"VT-d: topology of 64 Ki devices", "us", TREE, topology_run, tree_run, 500. / 10900, 1000},
	{"VT-d: topology, each asks once", "us", TREE, first_run, tree_run, 0, 1000},
};

static const struct row smmu_rows[] = {
	{"SMMUv3: queue, one page", "ns", WALK, page_run, walk_run, 0, 1},
	{"SMMUv3: queue, 64 pages", "ns", WALK, range_run, walk_run, 0, 1},
	{"SMMUv3: queue, an ASID", "ns", WALK, domain_run, walk_run, 0, 1},
	{"SMMUv3: unmap 4K, queue, one page", "ns", "the walk and the stores alone", unmap_run,
	 unmap_alone, 0, 1},
};

static void rows_of(struct bench *b, bool smmu, const struct row *rows, u32 n)
{
	struct invalidations v = {.smmu = smmu};

	setup(&v);
	for (u32 i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct bench_loop ours = {r->ours, &v}, base = {r->base, &v};
		struct bench_sample m[2];

		bench_measure(b, &ours, &base, m);
		bench_add(b, &(struct bench_row){
				     .name = r->name, .unit = r->unit, .against = r->against,
				     .value = m[0].median / r->scale, .spread = m[0].spread,
				     .baseline = m[1].median / r->scale,
				     .kind = r->must > 0 ? BENCH_RATIO_AT_MOST : BENCH_FREE,
				     .limit = r->must});
	}
	bench_general_destroy(v.hash);
	bed_close(&v.bed);
}

static void bench_vtd_inv(struct bench *b)
{
	rows_of(b, false, vtd_rows, ARRAY_SIZE(vtd_rows));
}

static void bench_smmu_inv(struct bench *b)
{
	rows_of(b, true, smmu_rows, ARRAY_SIZE(smmu_rows));
}

const struct bench_entry bench_model_inv_entries[] = {
	{"vtd-queue", "invalidations through VT-d's queue; a topology of 64 Ki devices", false,
	 bench_vtd_inv},
	{"smmu-queue", "invalidations through SMMUv3's command queue", false, bench_smmu_inv},
	{NULL, NULL, false, NULL},
};
