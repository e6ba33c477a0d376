// SPDX-License-Identifier: GPL-2.0-only
/*
 * The domain: magazines in front of the space, as Linux's rcache.
 *
 * A CPU frees into `loaded`; when that is full, `prev` takes its place if it is
 * empty, else `loaded` goes to the depot (or, if that is full, back to the space)
 * and a new one comes. It allocates from `loaded`, then `prev`, then one of the
 * depot. Entries above the limit of an allocation are left where they are.
 *
 * Locks: cpu->lock, then depot_lock, then lock.
 */
#include "core/iova/iova.h"

#include "core/iova/iova_priv.h"
#include "sim/kapi/errno.h"
#include "sim/kapi/slab.h"
#include "sim/sched/sched.h"

struct iova_magazine {
	u64 n;
	struct iova_magazine *next; /* in the depot */
	u64 pfn[];
};

static void *zeroed(size_t size)
{
	return kzalloc(size, GFP_ATOMIC);
}

static const struct iova_memory kernel_memory = {zeroed, kfree};

void iova_domain_init(struct iova_domain *d, const struct iova_domain_cfg *cfg)
{
	spin_lock_init(&d->lock);
	spin_lock_init(&d->depot_lock);
	iova_space_init(&d->space, max(cfg->start_pfn, 1UL), &kernel_memory);
	d->granule_lg2 = cfg->granule_lg2;
	d->magazine = min(cfg->magazine, (u32)IOVA_MAGAZINE_MAX);
	d->fq = NULL;
	for (u32 order = 0; order < IOVA_CACHE_ORDERS; order++) {
		d->depot[order] = NULL;
		d->n_depot[order] = 0;
	}
	for (u32 i = 0; i < IOVA_CPUS; i++) {
		spin_lock_init(&d->cpu[i].lock);
		for (u32 order = 0; order < IOVA_CACHE_ORDERS; order++)
			d->cpu[i].loaded[order] = d->cpu[i].prev[order] = NULL;
	}
}

u32 iova_this_cpu(void)
{
	return current_task->id % IOVA_CPUS;
}

static u32 order_of(u64 n)
{
	return n <= 1 ? 0 : bit_highest(n - 1) + 1;
}

static u64 pfns_of(const struct iova_domain *d, u64 size)
{
	return (size + BIT_ULL(d->granule_lg2) - 1) >> d->granule_lg2;
}

/* --- magazines --- */

static void magazine_empty(struct iova_domain *d, struct iova_magazine *m, u32 order)
{
	if (!m)
		return;
	spin_lock(&d->lock);
	for (u64 i = 0; i < m->n; i++)
		WARN_ON(!iova_space_free(&d->space, m->pfn[i], 1ULL << order));
	spin_unlock(&d->lock);
	kfree(m);
}

/* The topmost entry that is at most limit, or IOVA_NONE. */
static u64 magazine_pop(struct iova_magazine *m, u32 order, u64 limit)
{
	if (!m)
		return IOVA_NONE;
	for (u64 i = m->n; i--;) {
		u64 pfn = m->pfn[i];

		if (pfn + BIT_ULL(order) - 1 > limit)
			continue;
		m->pfn[i] = m->pfn[--m->n];
		return pfn;
	}
	return IOVA_NONE;
}

static bool magazine_push(struct iova_domain *d, struct iova_magazine *m, u64 pfn)
{
	if (!m || m->n == d->magazine)
		return false;
	m->pfn[m->n++] = pfn;
	return true;
}

static struct iova_magazine *depot_take(struct iova_domain *d, u32 order)
{
	struct iova_magazine *m;

	spin_lock(&d->depot_lock);
	m = d->depot[order];
	if (m) {
		d->depot[order] = m->next;
		d->n_depot[order]--;
	}
	spin_unlock(&d->depot_lock);
	return m;
}

/* False: the depot has enough. */
static bool depot_put(struct iova_domain *d, struct iova_magazine *m, u32 order)
{
	bool room;

	spin_lock(&d->depot_lock);
	room = d->n_depot[order] < IOVA_DEPOT_MAX;
	if (room) {
		m->next = d->depot[order];
		d->depot[order] = m;
		d->n_depot[order]++;
	}
	spin_unlock(&d->depot_lock);
	return room;
}

static u64 cache_alloc(struct iova_domain *d, u32 order, u64 limit)
{
	struct iova_cpu *cpu = &d->cpu[iova_this_cpu()];
	struct iova_magazine *m;
	u64 pfn;

	spin_lock(&cpu->lock);
	pfn = magazine_pop(cpu->loaded[order], order, limit);
	if (pfn == IOVA_NONE)
		pfn = magazine_pop(cpu->prev[order], order, limit);
	if (pfn == IOVA_NONE) {
		m = depot_take(d, order);
		if (m) {
			/* Both of ours are empty, or above the limit. */
			if (cpu->loaded[order] && !depot_put(d, cpu->loaded[order], order))
				magazine_empty(d, cpu->loaded[order], order);
			cpu->loaded[order] = m;
			pfn = magazine_pop(m, order, limit);
		}
	}
	spin_unlock(&cpu->lock);
	return pfn;
}

static bool cache_free(struct iova_domain *d, u64 pfn, u32 order)
{
	struct iova_cpu *cpu = &d->cpu[iova_this_cpu()];
	struct iova_magazine *full, *m;
	bool done;

	spin_lock(&cpu->lock);
	done = magazine_push(d, cpu->loaded[order], pfn);
	if (!done && cpu->prev[order] && cpu->prev[order]->n < d->magazine) {
		m = cpu->prev[order];
		cpu->prev[order] = cpu->loaded[order];
		cpu->loaded[order] = m;
		done = magazine_push(d, m, pfn);
	}
	if (!done) {
		m = kzalloc(sizeof(*m) + d->magazine * sizeof(m->pfn[0]), GFP_ATOMIC);
		if (m) {
			full = cpu->prev[order];
			cpu->prev[order] = cpu->loaded[order];
			cpu->loaded[order] = m;
			if (full && !depot_put(d, full, order))
				magazine_empty(d, full, order);
			done = magazine_push(d, m, pfn);
		}
	}
	spin_unlock(&cpu->lock);
	return done;
}

static void cpu_drop_caches(struct iova_domain *d, struct iova_cpu *cpu)
{
	for (u32 order = 0; order < IOVA_CACHE_ORDERS; order++) {
		struct iova_magazine *loaded, *prev;

		spin_lock(&cpu->lock);
		loaded = cpu->loaded[order];
		prev = cpu->prev[order];
		cpu->loaded[order] = cpu->prev[order] = NULL;
		spin_unlock(&cpu->lock);
		magazine_empty(d, loaded, order);
		magazine_empty(d, prev, order);
	}
}

void iova_drop_caches(struct iova_domain *d)
{
	struct iova_magazine *m;

	for (u32 i = 0; i < IOVA_CPUS; i++)
		cpu_drop_caches(d, &d->cpu[i]);
	for (u32 order = 0; order < IOVA_CACHE_ORDERS; order++) {
		while ((m = depot_take(d, order)))
			magazine_empty(d, m, order);
	}
}

/* --- allocation --- */

int iova_reserve(struct iova_domain *d, u64 start, u64 length)
{
	u64 last;
	int ret;

	if (bug_on(BUG_IOVA_ZERO_LEN_RESERVE)) {
		last = start + length - 1;
	} else if (!length) {
		return 0;
	} else if (__builtin_add_overflow(start, length - 1, &last)) {
		return -EINVAL;
	}
	iova_drop_caches(d);
	spin_lock(&d->lock);
	ret = iova_space_reserve(&d->space, start >> d->granule_lg2, last >> d->granule_lg2);
	spin_unlock(&d->lock);
	return ret;
}

static u64 space_alloc(struct iova_domain *d, u64 n, u64 limit)
{
	u64 pfn;

	spin_lock(&d->lock);
	pfn = iova_space_alloc(&d->space, n, limit);
	spin_unlock(&d->lock);
	return pfn;
}

u64 iova_alloc(struct iova_domain *d, u64 size, u64 last)
{
	u64 n = pfns_of(d, size), limit = (last - (BIT_ULL(d->granule_lg2) - 1)) >> d->granule_lg2;
	u32 order = order_of(n);
	u64 pfn = IOVA_NONE;

	if (!size || last < BIT_ULL(d->granule_lg2) - 1)
		return 0;
	if (order < IOVA_CACHE_ORDERS && d->magazine)
		pfn = cache_alloc(d, order, limit);
	if (pfn == IOVA_NONE)
		pfn = space_alloc(d, n, limit);
	if (pfn == IOVA_NONE) {
		/* What waits for its flush, or lies in magazines, may be what is missing. */
		iova_fq_flush(d);
		if (bug_on(BUG_IOVA_RCACHE_OFFLINE_CPU)) {
			/* The CPU that last freed some may be offline by now. */
			cpu_drop_caches(d, &d->cpu[iova_this_cpu()]);
		} else {
			iova_drop_caches(d);
		}
		pfn = space_alloc(d, n, limit);
	}
	return pfn == IOVA_NONE ? 0 : pfn << d->granule_lg2;
}

void iova_free(struct iova_domain *d, u64 iova, u64 size)
{
	u64 n = pfns_of(d, size), pfn = iova >> d->granule_lg2;
	u32 order = order_of(n);

	if (order < IOVA_CACHE_ORDERS && d->magazine && cache_free(d, pfn, order))
		return;
	spin_lock(&d->lock);
	WARN_ON(!iova_space_free(&d->space, pfn, n));
	spin_unlock(&d->lock);
}

void iova_domain_fini(struct iova_domain *d)
{
	iova_fq_fini(d);
	iova_drop_caches(d);
	spin_lock(&d->lock);
	iova_space_fini(&d->space);
	spin_unlock(&d->lock);
}
