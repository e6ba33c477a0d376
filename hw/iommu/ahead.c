// SPDX-License-Identifier: GPL-2.0-only
/*
 * What requests will need, fetched ahead. All requests of a group go down one level
 * before one of them goes on to the next, so that their loads overlap. Only loads and
 * prefetches: tables are whatever somebody left there, an entry that leads out of
 * memory ends that walk, and one that is no table leads to some word that is not needed.
 */
#include "hw/iommu/cache_quick.h"

#define GROUP 16u

/* A space of a cache; c is NULL where nothing can be fetched. */
struct look {
	const struct hw_cache *c;
	u64 fixed; /* the key of page 0 */
	u32 lg2;
};

static struct look look_of(const struct hw_cache *c, u32 space)
{
	const struct cache_space *s;
	struct look l = {0};

	if (!c || !c->usual || !space || space > c->n_spaces || !c->space[space].sizes)
		return l;
	s = &c->space[space];
	l.c = c;
	l.lg2 = (u32)__builtin_ctzll(s->sizes);
	l.fixed = cache_key(s, 0, l.lg2);
	return l;
}

static u64 key_of(const struct look *l, u64 addr)
{
	return addr >> l->lg2 ^ l->fixed;
}

static void fetch_sets(const struct look *l, const struct hw_req *req, u32 n)
{
	for (u32 i = 0; l->c && i < n; i++)
		__builtin_prefetch(&l->c->set[cache_set(l->c, key_of(l, req[i].addr))]);
}

/* The entries that answer, or that are replaced. */
static void fetch_entries(const struct look *l, const struct hw_req *req, u32 n)
{
	const struct hw_cache *c = l->c;

	for (u32 i = 0; c && i < n; i++) {
		u64 key = key_of(l, req[i].addr);
		u32 set = cache_set(c, key), slot;
		u32 match = c->probe->match(c->set[set].tag, cache_tag_of(key));

		slot = match ? set * WAYS + (u32)__builtin_ctz(match) : cache_quick_oldest(c, set);
		if (slot == NO_SLOT)
			continue;
		__builtin_prefetch(&c->slot[slot]);
	}
}

/* The last entry of each walk is fetched, not read. */
static void fetch_tables(const struct hw_env *e, const struct hw_ahead *a,
			 const struct hw_req *req, u32 n)
{
	const u64 limit = e->ram_size - 8, entries = (1ULL << a->stride) - 1;
	u64 at[GROUP];

	for (u32 i = 0; i < n; i++)
		at[i] = a->table + ((req[i].addr & a->reach) >> a->shift) * 8;
	for (u32 shift = a->shift; shift >= a->page + a->stride; shift -= a->stride) {
		for (u32 i = 0; i < n; i++) {
			u64 entry;

			if (at[i] > limit)
				continue;
			memcpy(&entry, e->ram + at[i], 8);
			at[i] = (entry & a->next) +
				(req[i].addr >> (shift - a->stride) & entries) * 8;
			if (at[i] <= limit)
				__builtin_prefetch(e->ram + at[i]);
		}
	}
}

static void prepare_group(const struct hw_iommu *h, const struct hw_req *req, u32 n)
{
	struct look look[HW_AHEAD_CACHES];
	struct hw_ahead a = {0};

	if (!h->ops->ahead(h, req, &a))
		return;
	for (u32 i = 0; i < HW_AHEAD_CACHES; i++) {
		look[i] = look_of(a.cache[i], a.space[i]);
		fetch_sets(&look[i], req, n);
	}
	if (a.stride)
		fetch_tables(h->env, &a, req, n);
	for (u32 i = 0; i < HW_AHEAD_CACHES; i++)
		fetch_entries(&look[i], req, n);
}

void hw_prepare(const struct hw_iommu *h, const struct hw_req *req, u32 n)
{
	const struct hw_env *e = h->env;
	u32 same;

	if (!h->ops->ahead || e->point || e->fact || e->read_flushed || e->ram_size < 8)
		return;
	for (; n; req += same, n -= same) {
		for (same = 1; same < min(n, GROUP); same++) {
			if (req[same].sid != req->sid || req[same].pasid != req->pasid)
				break;
		}
		prepare_group(h, req, same);
	}
}
