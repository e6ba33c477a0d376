// SPDX-License-Identifier: GPL-2.0-only
#include "tools/bench/pt_peers.h"

#include "sim/base/assert.h"

#include <stdlib.h>
#include <string.h>

/* --- walk --- */

#define TABLES_MAX 8192
#define LEVELS 4
#define ADDR 0x000ffffffffff000ULL
#define PS BIT_ULL(7)

struct peer_walk {
	u64 (*table)[512];
	u32 n, n_free, free[TABLES_MAX];
};

static u64 *new_table(struct peer_walk *w)
{
	u32 i = w->n_free ? w->free[--w->n_free] : w->n++;

	sim_assert(i < TABLES_MAX);
	memset(w->table[i], 0, sizeof(w->table[i]));
	return w->table[i];
}

struct peer_walk *bench_walk_create(void)
{
	struct peer_walk *w = calloc(1, sizeof(*w));

	sim_assert(w);
	w->table = aligned_alloc(4096, TABLES_MAX * sizeof(*w->table));
	sim_assert(w->table);
	new_table(w);
	return w;
}

void bench_walk_destroy(struct peer_walk *w)
{
	free(w->table);
	free(w);
}

/* The entry of iova at `level`, or NULL where there is no table for it. */
static __attribute__((noinline)) u64 *walk_to(struct peer_walk *w, u64 iova, u32 level, bool make)
{
	u64 *table = w->table[0], *entry;

	for (u32 at = LEVELS;; at--) {
		entry = &table[iova >> (12 + (at - 1) * 9) & 511];
		if (at == level)
			return entry;
		if (!(*entry & 3)) {
			if (!make)
				return NULL;
			*entry = (u64)(uintptr_t)new_table(w) | 3;
		} else if (*entry & PS) {
			return NULL;
		}
		table = (u64 *)(uintptr_t)(*entry & ADDR);
	}
}

static u32 level_of(u64 pgsize)
{
	return 1 + (bit_lowest(pgsize) - 12) / 9;
}

bool bench_walk_map(struct peer_walk *w, u64 iova, u64 pa, u64 pgsize, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		u64 *entry = walk_to(w, iova + i * pgsize, level_of(pgsize), true);

		if (!entry || *entry)
			return false;
		*(volatile u64 *)entry = (pa + i * pgsize) | 3 | (pgsize > 4096 ? PS : 0);
	}
	return true;
}

/* Gives a table back when a request covers its range. */
u64 bench_walk_unmap(struct peer_walk *w, u64 iova, u64 pgsize, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		u64 *entry = walk_to(w, iova + i * pgsize, level_of(pgsize), false);

		if (!entry || !(*entry & 3))
			return i * pgsize;
		*(volatile u64 *)entry = 0;
	}
	if (pgsize == 4096 && !(iova & 0x1fffff) && count == 512) {
		u64 *entry = walk_to(w, iova, 2, false);

		w->free[w->n_free++] = (u32)((u64 (*)[512])(uintptr_t)(*entry & ADDR) - w->table);
		*entry = 0;
	}
	return count * pgsize;
}

u64 bench_walk_lookup(const struct peer_walk *w, u64 iova)
{
	const u64 *entry = walk_to((struct peer_walk *)(uintptr_t)w, iova, 1, false);

	return entry && *entry & 3 ? (*entry & ADDR) | (iova & 4095) : 0;
}

/* --- hash --- */

struct peer_hash {
	u64 mask;
	struct {
		u64 key, pa; /* key: page number + 1, 0 = empty */
	} slot[];
};

struct peer_hash *bench_hash_create(u64 n)
{
	u64 slots = 2ULL << bit_highest(n * 2 - 1);
	struct peer_hash *h = calloc(1, sizeof(*h) + slots * sizeof(h->slot[0]));

	sim_assert(h);
	h->mask = slots - 1;
	return h;
}

void bench_hash_destroy(struct peer_hash *h)
{
	free(h);
}

static inline u64 place(const struct peer_hash *h, u64 key)
{
	return key * 0x9e3779b97f4a7c15ULL >> 20 & h->mask;
}

bool bench_hash_map(struct peer_hash *h, u64 iova, u64 pa, u64 pgsize, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		u64 key = (iova + i * pgsize) / 4096 + 1, at = place(h, key);

		while (h->slot[at].key) {
			if (h->slot[at].key == key)
				return false;
			at = (at + 1) & h->mask;
		}
		h->slot[at].key = key;
		h->slot[at].pa = pa + i * pgsize;
	}
	return true;
}

static inline u64 find(const struct peer_hash *h, u64 key)
{
	u64 at = place(h, key);

	while (h->slot[at].key && h->slot[at].key != key)
		at = (at + 1) & h->mask;
	return at;
}

/* Those behind the hole move up, so that no search ends too early. */
static void close_hole(struct peer_hash *h, u64 hole)
{
	u64 at = hole;

	for (;;) {
		h->slot[hole].key = 0;
		do {
			at = (at + 1) & h->mask;
			if (!h->slot[at].key)
				return;
		} while (((at - place(h, h->slot[at].key)) & h->mask) < ((at - hole) & h->mask));
		h->slot[hole] = h->slot[at];
		hole = at;
	}
}

u64 bench_hash_unmap(struct peer_hash *h, u64 iova, u64 pgsize, u64 count)
{
	for (u64 i = 0; i < count; i++) {
		u64 at = find(h, (iova + i * pgsize) / 4096 + 1);

		if (!h->slot[at].key)
			return i * pgsize;
		close_hole(h, at);
	}
	return count * pgsize;
}

u64 bench_hash_lookup(const struct peer_hash *h, u64 iova)
{
	u64 at = find(h, iova / 4096 + 1);

	return h->slot[at].key ? h->slot[at].pa | (iova & 4095) : 0;
}

/* --- list --- */

struct range {
	u64 first, last;
	u32 prev, next;
};

/* [0] is the anchor above everything; `of` finds a range by its first pfn. */
struct peer_list {
	u64 limit;
	u32 free, *of;
	struct range range[];
};

struct peer_list *bench_list_create(u64 n, u64 limit)
{
	struct peer_list *l = calloc(1, sizeof(*l) + (n + 2) * sizeof(l->range[0]));

	sim_assert(l);
	l->of = calloc(limit + 1, sizeof(*l->of));
	sim_assert(l->of);
	l->limit = limit;
	l->range[0].first = limit + 1;
	for (u32 i = 1; i < n + 1; i++)
		l->range[i].next = i + 1;
	l->free = 1;
	return l;
}

void bench_list_destroy(struct peer_list *l)
{
	free(l->of);
	free(l);
}

static void insert(struct peer_list *l, u32 above, u64 first, u64 size)
{
	u32 r = l->free;

	l->free = l->range[r].next;
	l->range[r] = (struct range){first, first + size - 1, l->range[above].prev, above};
	if (l->range[r].prev)
		l->range[l->range[r].prev].next = r;
	l->range[above].prev = r;
	l->of[first] = r;
}

void bench_list_fill(struct peer_list *l, u64 n, u64 size, u64 *pfn)
{
	u32 above = 0;

	for (u64 i = 0; i < n; i++) {
		pfn[i] = (l->range[above].first - size) & ~(size - 1);
		insert(l, above, pfn[i], size);
		above = l->of[pfn[i]];
	}
}

u64 bench_list_alloc(struct peer_list *l, u64 size)
{
	u32 above = 0;
	u64 first = 0;

	for (;; above = l->range[above].prev) {
		u32 below = l->range[above].prev;
		u64 bottom = below ? l->range[below].last + 1 : 1;

		first = (l->range[above].first - size) & ~(size - 1);
		if (l->range[above].first >= size && first >= bottom)
			break;
		if (!below)
			return 0;
	}
	insert(l, above, first, size);
	return first;
}

void bench_list_free(struct peer_list *l, u64 pfn)
{
	u32 r = l->of[pfn];

	l->range[l->range[r].next].prev = l->range[r].prev;
	if (l->range[r].prev)
		l->range[l->range[r].prev].next = l->range[r].next;
	l->range[r].next = l->free;
	l->free = r;
}
