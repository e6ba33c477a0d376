// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of page tables and of the allocator of addresses.
 *
 * A call is measured without its opposite: maps and unmaps go in chunks, one of
 * them timed. Ours and the comparators take turns, with the gates and samples of
 * tools/bench/measure.c.
 */
#include "core/iova/iova.h"
#include "core/pt/fill.h"
#include "core/pt/pt.h"
#include "sim/base/assert.h"
#include "sim/world/world.h"
#include "sim/host/host.h"
#include "tools/bench/bench.h"
#include "tools/bench/pt.h"
#include "tools/bench/pt_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT 2
#define PAGE 4096ULL
#define M2 (1ULL << 21)
#define CHUNKS 6
#define TRIES 40
#define TRIES_QUICK 4

/* --- time --- */

static inline u64 ticks(void)
{
	return __builtin_ia32_rdtsc();
}

double bench_best_chunk(const struct contender *c, u32 tries)
{
	u64 best = ~0ULL, any = ~0ULL;

	for (u32 i = 0, good = 0; i < tries && good < CHUNKS; i++) {
		u64 before = bench_gate(), start = ticks(), took, after;

		c->timed(c->self);
		took = ticks() - start;
		after = bench_gate();
		if (c->undo)
			c->undo(c->self);
		any = min(any, took);
		if (!bench_gates_quiet(before, after))
			continue;
		best = min(best, took);
		good++;
	}
	/* A machine that never is quiet still gets a figure; its spread tells. */
	return (double)(best == ~0ULL ? any : best) / bench_ticks_per_ns() / (double)c->calls;
}

static void contend(const struct bench *b, struct contender *c, u32 n, struct bench_sample *out)
{
	u32 samples = b->quick ? 3 : BENCH_SAMPLES, tries = b->quick ? TRIES_QUICK : TRIES;

	for (u32 s = 0; s < samples; s++) {
		for (u32 k = 0; k < n; k++)
			c[k].sample[s] = (c[k].chunk ? c[k].chunk : bench_best_chunk)(&c[k],
										      tries);
	}
	for (u32 k = 0; k < n; k++)
		out[k] = bench_median(c[k].sample, samples);
}

/* --- maps and unmaps --- */

struct tables {
	const struct work *work;
	struct world *world;
	struct pt pt;
	struct peer_walk *walk;
	struct peer_hash *hash;
	u64 *stores;
	u64 check;
};

#define BASE BENCH_PT_BASE
#define pa_of bench_pt_pa

static void ours_map(void *self)
{
	struct tables *t = self;
	const struct work *w = t->work;
	u64 iova = BASE;
	size_t mapped;

	for (u64 i = 0; i < w->calls; i++, iova += w->stride) {
		int ret = pt_map_pages(&t->pt, iova, pa_of(w, iova), w->pgsize, w->count,
				       PT_READ | PT_WRITE, &mapped);

		sim_assert(!ret);
	}
}

static void ours_unmap(void *self)
{
	struct tables *t = self;
	const struct work *w = t->work;
	struct pt_gather g = PT_GATHER_EMPTY;
	u64 iova = BASE;

	for (u64 i = 0; i < w->calls; i++, iova += w->stride) {
		t->check += pt_unmap_pages(&t->pt, iova, w->pgsize, w->count, &g);
		if (g.free)
			pt_gather_release(&t->pt, &g);
	}
}

/* By halves, so that no call covers a table. */
static void ours_unmap_keep(void *self)
{
	struct tables *t = self;
	const struct work *w = t->work;
	struct pt_gather g = PT_GATHER_EMPTY;
	u64 iova = BASE;

	for (u64 i = 0; i < w->calls; i++, iova += w->stride) {
		for (u64 k = 0; k < w->count; k++)
			pt_unmap_pages(&t->pt, iova + k * w->pgsize, w->pgsize, 1, &g);
	}
}

#define PEER(name)                                                                       \
	static void name##_map(void *self)                                               \
	{                                                                                \
		struct tables *t = self;                                                 \
		const struct work *w = t->work;                                          \
		u64 iova = BASE;                                                         \
                                                                                         \
		for (u64 i = 0; i < w->calls; i++, iova += w->stride) {                  \
			bool done = bench_##name##_map(t->name, iova, pa_of(w, iova),    \
						       w->pgsize, w->count);             \
                                                                                         \
			sim_assert(done);                                                \
		}                                                                        \
	}                                                                                \
	static void name##_unmap(void *self)                                             \
	{                                                                                \
		struct tables *t = self;                                                 \
		const struct work *w = t->work;                                          \
		u64 iova = BASE;                                                         \
                                                                                         \
		for (u64 i = 0; i < w->calls; i++, iova += w->stride)                    \
			t->check += bench_##name##_unmap(t->name, iova, w->pgsize,       \
							 w->count);                      \
	}

PEER(walk)
PEER(hash)

/* The stores alone, into as many tables as the others write to. */
static void store_map(void *self)
{
	struct tables *t = self;
	const struct work *w = t->work;
	bool wide = pt_has_wide();

	for (u64 i = 0; i < w->calls; i++) {
		u64 *p = t->stores + (i * w->stride / w->pgsize & 0x7fff);

		if (w->count == 1)
			*(volatile u64 *)p = i;
		else
			pt_fill(p, (u32)w->count, i, w->pgsize, wide);
	}
}

static void tables_up(struct tables *t, const struct work *w)
{
	struct pt_cfg cfg = {.format = PT_VTDSS, .ia_bits = 48};

	t->work = w;
	t->world = world_create(SLOT);
	sim_assert(!pt_init_as(&t->pt, &cfg, pt_format(PT_VTDSS), t->world));
	t->walk = bench_walk_create();
	t->hash = bench_hash_create(w->calls * w->count);
	t->stores = aligned_alloc(4096, (0x8000 + 512) * sizeof(u64));
	sim_assert(t->stores);
	memset(t->stores, 0, (0x8000 + 512) * sizeof(u64));
}

static void tables_down(struct tables *t)
{
	pt_destroy(&t->pt);
	world_destroy(t->world);
	bench_walk_destroy(t->walk);
	bench_hash_destroy(t->hash);
	free(t->stores);
}

enum { OURS, WALK, HASH, STORE, TREE };
#define PEERS (TREE + BENCH_TREE_TABLES)

/* The hosted tree's own page tables, of those that it has. */
static void add_tree_rows(struct bench *b, const struct work *w, const struct bench_sample *m)
{
	char name[64], against[96];

	for (u32 i = 0; i < BENCH_TREE_TABLES; i++) {
		const char *tree = bench_tree_name(i, against, sizeof(against));

		if (m[TREE + i].median <= 0)
			continue;
		snprintf(name, sizeof(name), "%s, %s", w->name, tree);
		bench_add(b, &(struct bench_row){
				     .name = name, .unit = "ns", .value = m[OURS].median,
				     .spread = m[OURS].spread, .baseline = m[TREE + i].median,
				     .against = against, .kind = BENCH_RATIO_AT_MOST, .limit = 1});
	}
}

static void add_rows(struct bench *b, const struct work *w, const struct bench_sample m[PEERS])
{
	char name[4][64];
	struct bench_row row = {.unit = "ns", .value = m[OURS].median, .spread = m[OURS].spread};

	snprintf(name[OURS], sizeof(name[0]), "%s", w->name);
	row.name = name[OURS];
	row.baseline = m[WALK].median;
	row.against = "a walk for each page";
	/* With hooks these are figures of the hooks. */
	row.kind = w->must > 0 && !IOMMULAB_HOOKS ? BENCH_AT_MOST : BENCH_FREE;
	row.limit = w->must;
	bench_add(b, &row);
	row.kind = BENCH_FREE;
	if (w->count == 1) {
		snprintf(name[HASH], sizeof(name[0]), "%s, hash", w->name);
		row.name = name[HASH];
		row.baseline = m[HASH].median;
		row.against = "pages in a hash";
		bench_add(b, &row);
	}
	snprintf(name[STORE], sizeof(name[0]), "%s, stores", w->name);
	row.name = name[STORE];
	row.baseline = m[STORE].median;
	row.against = "the stores of the entries alone";
	bench_add(b, &row);
	add_tree_rows(b, w, m);
}

static void bench_work(struct bench *b, const struct work *w)
{
	struct tables t = {.check = 0};
	void (*undo)(void *) = w->keep ? ours_unmap_keep : ours_unmap;
	struct contender c[PEERS] = {
		[OURS] = {ours_map, undo, &t, w->calls, NULL, {0}},
		[WALK] = {walk_map, walk_unmap, &t, w->calls, NULL, {0}},
		[HASH] = {hash_map, hash_unmap, &t, w->calls, NULL, {0}},
		[STORE] = {store_map, NULL, &t, w->calls, NULL, {0}},
	};
	struct bench_sample m[PEERS] = {{0}};
	u32 n = TREE + bench_tree_contend(w, &c[TREE]);

	tables_up(&t, w);
	/* Once before: tables are made, memory is touched. */
	for (u32 i = 0; i < STORE; i++) {
		c[i].timed(c[i].self);
		c[i].undo(c[i].self);
	}
	if (w->unmap) {
		for (u32 i = 0; i < STORE; i++) {
			c[i].undo = c[i].timed;
			c[i].timed(c[i].self);
		}
		c[OURS].timed = ours_unmap;
		c[WALK].timed = walk_unmap;
		c[HASH].timed = hash_unmap;
	}
	contend(b, c, n, m);
	add_rows(b, w, m);
	tables_down(&t);
}

#define APART (M2 + PAGE) /* another table each time */

static void bench_map(struct bench *b)
{
	static const struct work works[] = {
		{"map 4K x1", PAGE, 1, PAGE, 4096, false, true, 6},
		{"map 4K x1, other table each time", PAGE, 1, APART, 256, false, true, 8},
		{"map 4K x16", PAGE, 16, 16 * PAGE, 256, false, true, 12},
		{"map 4K x256", PAGE, 256, 256 * PAGE, 32, false, true, 110},
		{"map 4K x512, table included", PAGE, 512, M2, 32, false, false, 100},
		{"map 2M x1", M2, 1, M2, 256, false, true, 8},
		{"map 2M x16", M2, 16, 16 * M2, 16, false, true, 0},
	};

	bench_tree_open(b);
	for (u32 i = 0; i < ARRAY_SIZE(works); i++)
		bench_work(b, &works[i]);
	bench_tree_close();
}

static void bench_unmap(struct bench *b)
{
	static const struct work works[] = {
		{"unmap 4K x1", PAGE, 1, PAGE, 4096, true, false, 8},
		{"unmap 4K x1, other table each time", PAGE, 1, APART, 256, true, false, 0},
		{"unmap 4K x16", PAGE, 16, 16 * PAGE, 256, true, false, 0},
		{"unmap 4K x256", PAGE, 256, 256 * PAGE, 32, true, false, 0},
		{"unmap 4K x512, table included", PAGE, 512, M2, 32, true, false, 12},
		{"unmap 2M x1", M2, 1, M2, 256, true, false, 0},
		{"unmap 2M x16", M2, 16, 16 * M2, 16, true, false, 0},
	};

	bench_tree_open(b);
	for (u32 i = 0; i < ARRAY_SIZE(works); i++)
		bench_work(b, &works[i]);
	bench_tree_close();
}

/* --- lookups --- */

struct lookups {
	struct tables t;
	const u64 *order; /* random pages */
	u64 n, calls;
	u64 sum;
};

#define CALLS 4096

/* Independent: the next address is known. Dependent: it takes the last answer. */
#define LOOKUP(name, expr)                                                               \
	static void name##_free(void *self)                                              \
	{                                                                                \
		struct lookups *l = self;                                                \
		u64 sum = 0;                                                             \
                                                                                         \
		for (u64 i = 0; i < CALLS; i++) {                                        \
			u64 iova = BASE + l->order[i] * PAGE;                            \
                                                                                         \
			sum += (expr);                                                   \
		}                                                                        \
		*(volatile u64 *)&l->sum = sum;                                          \
	}                                                                                \
	static void name##_chain(void *self)                                             \
	{                                                                                \
		struct lookups *l = self;                                                \
		u64 zero = 0;                                                            \
                                                                                         \
		for (u64 i = 0; i < CALLS; i++) {                                        \
			u64 iova = BASE + l->order[i] * PAGE + zero;                     \
                                                                                         \
			zero = (expr);                                                   \
			__asm__ volatile("and $0, %0" : "+r"(zero));                     \
		}                                                                        \
		*(volatile u64 *)&l->sum = zero;                                         \
	}

LOOKUP(ours, pt_iova_to_phys(&l->t.pt, iova))
LOOKUP(walk, bench_walk_lookup(l->t.walk, iova))
LOOKUP(hash, bench_hash_lookup(l->t.hash, iova))

static void lookup_rows(struct bench *b, struct lookups *l, u64 pages, bool chain)
{
	struct contender c[] = {
		{chain ? ours_chain : ours_free, NULL, l, CALLS, NULL, {0}},
		{chain ? walk_chain : walk_free, NULL, l, CALLS, NULL, {0}},
		{chain ? hash_chain : hash_free, NULL, l, CALLS, NULL, {0}},
	};
	struct bench_sample m[3];
	char name[64];

	contend(b, c, 3, m);
	snprintf(name, sizeof(name), "iova to phys, %lu pages, %s", (unsigned long)pages,
		 chain ? "dependent" : "independent");
	bench_add(b, &(struct bench_row){.name = name, .unit = "ns", .value = m[0].median,
					 .spread = m[0].spread, .baseline = m[1].median,
					 .against = "a plain walk"});
	snprintf(name, sizeof(name), "iova to phys, %lu pages, %s, hash", (unsigned long)pages,
		 chain ? "dependent" : "independent");
	bench_add(b, &(struct bench_row){.name = name, .unit = "ns", .value = m[0].median,
					 .spread = m[0].spread, .baseline = m[2].median,
					 .against = "pages in a hash"});
}

static void bench_lookup(struct bench *b)
{
	static const u64 sizes[] = {512, 64 << 10, 1 << 20};
	u64 *order = malloc(CALLS * sizeof(*order)), state = 1;

	sim_assert(order);
	for (u32 k = 0; k < ARRAY_SIZE(sizes) - (b->quick ? 1 : 0); k++) {
		struct work w = {"", PAGE, 512, M2, sizes[k] / 512, false, false, 0};
		struct lookups l = {.order = order};

		for (u32 i = 0; i < CALLS; i++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			order[i] = (state >> 33) % sizes[k];
		}
		tables_up(&l.t, &w);
		ours_map(&l.t);
		walk_map(&l.t);
		hash_map(&l.t);
		lookup_rows(b, &l, sizes[k], false);
		lookup_rows(b, &l, sizes[k], true);
		tables_down(&l.t);
	}
	free(order);
}

/* --- addresses --- */

static void *zeroed(size_t size)
{
	return calloc(1, size);
}

static void given_back(const void *p)
{
	free((void *)(uintptr_t)p);
}

static const struct iova_memory host_memory = {zeroed, given_back};

#define LIMIT 0xfffffULL
#define PAIRS 512
#define PAIRS_LIST 8

struct addresses {
	struct iova_space space;
	struct peer_list *list;
	u64 live, size, at;
	u64 *ours, *theirs;
	u64 *at_hand;              /* of ours: those of this round, or all */
	u32 pick[PAIRS];           /* which are given back next */
	u32 order[PAIRS];          /* where these are at_hand */
	u32 *seen, round;
};

static void space_churn(void *self)
{
	struct addresses *a = self;

	for (u32 i = 0; i < PAIRS; i++) {
		u64 *pfn = &a->at_hand[a->order[i]];

		iova_space_free(&a->space, *pfn, a->size);
		*pfn = iova_space_alloc(&a->space, a->size, LIMIT);
	}
}

static void list_churn(void *self)
{
	struct addresses *a = self;

	for (u32 i = 0; i < PAIRS_LIST; i++) {
		u64 *pfn = &a->theirs[a->pick[i]];

		bench_list_free(a->list, *pfn);
		*pfn = bench_list_alloc(a->list, a->size);
	}
}

/* All of a burst is given back before any is taken again: what is kept at hand runs over. */
static void space_burst(void *self)
{
	struct addresses *a = self;

	for (u32 i = 0; i < PAIRS; i++)
		iova_space_free(&a->space, a->at_hand[a->order[i]], a->size);
	for (u32 i = 0; i < PAIRS; i++)
		a->at_hand[a->order[i]] = iova_space_alloc(&a->space, a->size, LIMIT);
}

static void list_burst(void *self)
{
	struct addresses *a = self;

	for (u32 i = 0; i < PAIRS_LIST; i++)
		bench_list_free(a->list, a->theirs[a->pick[i]]);
	for (u32 i = 0; i < PAIRS_LIST; i++)
		a->theirs[a->pick[i]] = bench_list_alloc(a->list, a->size);
}

/*
 * Others are given back next time. Of many, some are laid out beside each other,
 * each once: what it costs to find one's own addresses is not the allocator's.
 */
static void reorder(void *self)
{
	struct addresses *a = self;
	bool many = a->live >= 2 * PAIRS;

	for (u32 i = 0; many && i < PAIRS && a->round; i++)
		a->ours[a->pick[i]] = a->at_hand[i];
	a->round++;
	for (u32 i = 0; i < PAIRS; i++) {
		a->at = a->at * 6364136223846793005ULL + 1442695040888963407ULL;
		a->pick[i] = (u32)((a->at >> 33) % a->live);
		while (many && a->seen[a->pick[i]] == a->round)
			a->pick[i] = (a->pick[i] + 1) % (u32)a->live;
		a->seen[a->pick[i]] = a->round;
		a->order[i] = many ? i : a->pick[i];
	}
	for (u32 i = 0; many && i < PAIRS; i++)
		a->at_hand[i] = a->ours[a->pick[i]];
}

static void bench_iova_one(struct bench *b, u64 live, u64 size, bool burst)
{
	struct addresses a = {.live = live, .size = size, .at = 1};
	struct contender c[] = {
		{burst ? space_burst : space_churn, reorder, &a, PAIRS, NULL, {0}},
		{burst ? list_burst : list_churn, reorder, &a, PAIRS_LIST, NULL, {0}},
	};
	struct bench_sample m[2];
	char name[64];

	iova_space_init(&a.space, 1, &host_memory);
	a.list = bench_list_create(live + 1, LIMIT);
	a.ours = calloc(live, sizeof(u64));
	a.theirs = calloc(live, sizeof(u64));
	a.seen = calloc(live, sizeof(u32));
	a.at_hand = live < 2 * PAIRS ? a.ours : calloc(PAIRS, sizeof(u64));
	sim_assert(a.ours && a.theirs && a.at_hand && a.seen);
	for (u64 i = 0; i < live; i++)
		a.ours[i] = iova_space_alloc(&a.space, size, LIMIT);
	bench_list_fill(a.list, live, size, a.theirs);
	reorder(&a);
	contend(b, c, 2, m);
	snprintf(name, sizeof(name), "iova alloc+free, %lu pages, %lu live%s",
		 (unsigned long)size, (unsigned long)live, burst ? ", bursts" : "");
	bench_add(b, &(struct bench_row){.name = name, .unit = "ns", .value = m[0].median,
					 .spread = m[0].spread, .baseline = m[1].median,
					 .against = "a sorted list, first fit from the top",
					 .kind = IOMMULAB_HOOKS || burst ? BENCH_FREE :
									   BENCH_AT_MOST,
					 .limit = 8});
	free(a.seen);
	iova_space_fini(&a.space);
	bench_list_destroy(a.list);
	if (a.at_hand != a.ours)
		free(a.at_hand);
	free(a.ours);
	free(a.theirs);
}

static void bench_iova(struct bench *b)
{
	static const u64 live[] = {10, 1000, 10000, 100000};

	for (u32 i = 0; i < ARRAY_SIZE(live); i++)
		bench_iova_one(b, live[i], 1, false);
	bench_iova_one(b, 10000, 8, false);
	for (u32 i = 2; i < ARRAY_SIZE(live); i++)
		bench_iova_one(b, live[i], 1, true);
}

const struct bench_entry bench_pt_entries[] = {
	{"pt-map", "maps: page tables, against a walk for each page, a hash, the stores", false,
	 bench_map},
	{"pt-unmap", "unmaps, likewise", false, bench_unmap},
	{"pt-lookup", "iova to phys, independent and dependent", false, bench_lookup},
	{"iova", "addresses under random churn", false, bench_iova},
	{NULL, NULL, false, NULL},
};
