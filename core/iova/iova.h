/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O virtual addresses: which page frame numbers (pfn) of a domain are free.
 *
 * Below, struct iova_space: bitmaps of three levels. A word is 64 pfns, an arena
 * 64 words, a region 64 arenas; above a word, a bit per order says that a free,
 * aligned run of that order may be below. Such a bit is set when something is
 * freed and cleared by a search that finds nothing, so an allocation looks at
 * three words whatever the population is. The runs freed last are kept at hand
 * and handed out first, without the levels above. No locks.
 *
 * Above, struct iova_domain: the space under a lock, magazines of small sizes in
 * front of it (per CPU in Linux, per IOVA_CPUS tasks here), reserved ranges, and
 * a flush queue, in which freed addresses wait for their invalidation.
 *
 * custom: Linux keeps a red-black tree of what is in use. Both hand out high
 * addresses first (here: after what was freed last; of the regions in use, then of
 * a new one); runs are aligned to their size rounded up to a power of two. Here a
 * request is also rounded: to a power of two up to 64 pfns, to words up to an
 * arena, to arenas up to a region, which is the most there is (1 GiB with pages of
 * 4K). At most IOVA_REGIONS_MAX regions are in use. The depot of full magazines is
 * bounded instead of trimmed by a timer.
 */
#pragma once

#include "sim/kapi/atomic.h"
#include "sim/kapi/spinlock.h"
#include "sim/kapi/timer.h"

#define IOVA_ORDERS 7            /* runs of 1 to 64 pfns have their own bits */
#define IOVA_ARENA_LG2 12
#define IOVA_REGION_LG2 18
#define IOVA_REGIONS_MAX 64
#define IOVA_RESERVED_MAX 32
#define IOVA_RECENT 16           /* of each order */

/* pfns base to base + 4095. Owned by its region. */
struct iova_arena {
	u64 free[64];            /* bit per pfn */
	u64 may[IOVA_ORDERS];    /* bit per word: an aligned run may be there */
	u64 full;                /* bit per word: all of it is free */
};

/* Owned by its space. An arena that is not there is free unless `full` says it is not. */
struct iova_region {
	u64 base;
	u64 may[IOVA_ORDERS];    /* bit per arena */
	u64 words;               /* bit per arena: a whole free word may be there */
	u64 full;                /* bit per arena: all of it is free */
	struct iova_arena *arena[64];
};

/* Where regions and arenas come from. alloc() gives zeroed memory or NULL. */
struct iova_memory {
	void *(*alloc)(size_t size);
	void (*free)(const void *p);
};

struct iova_space {
	const struct iova_memory *memory;
	u64 start_pfn;           /* nothing below is handed out */
	u64 n_regions;
	struct iova_region *region[IOVA_REGIONS_MAX]; /* highest base first */
	u64 hint[IOVA_ORDERS];   /* the regions before this one have no such run */
	u64 hint_most;           /* no hint is larger */
	/*
	 * Runs of each order that were freed last, first to be handed out again: free
	 * in their words, but nothing above says so yet.
	 */
	u64 n_recent[IOVA_ORDERS];
	struct iova_recent {
		u64 last;  /* pfn of the run */
		u64 mask;  /* its bits in */
		u64 *word; /* of an arena, which stays while this is here */
	} recent[IOVA_ORDERS][IOVA_RECENT];
	u64 n_reserved;
	struct {
		u64 first, last;
	} reserved[IOVA_RESERVED_MAX];
	u64 in_use;              /* pfns handed out, rounded as they were */
};

#define IOVA_NONE (~0ULL)

void iova_space_init(struct iova_space *s, u64 start_pfn, const struct iova_memory *memory);
void iova_space_fini(struct iova_space *s);
/*
 * [first, last] is never handed out; nothing of it is in use. -EINVAL: last is
 * below first; -ENOSPC: IOVA_RESERVED_MAX ranges, or a part is in use; -ENOMEM.
 */
int iova_space_reserve(struct iova_space *s, u64 first, u64 last);
/* size pfns, all at most limit; the first of them, or IOVA_NONE. size > 0. */
u64 iova_space_alloc(struct iova_space *s, u64 size, u64 limit);
/* What iova_space_alloc() gave, with its size. False, and nothing done: it is not in use. */
bool iova_space_free(struct iova_space *s, u64 pfn, u64 size);

/* --- the domain --- */

#define IOVA_CPUS 4
#define IOVA_CACHE_ORDERS 6      /* runs of 1 to 32 pfns */
#define IOVA_MAGAZINE_MAX 127
#define IOVA_DEPOT_MAX 8         /* magazines of an order */
#define IOVA_FQ_SIZE 256
#define IOVA_FQ_TIMEOUT_MS 10

struct iova_magazine;
struct iova_domain;

struct iova_domain_cfg {
	u32 granule_lg2;         /* of a pfn, bytes */
	u64 start_pfn;
	u32 magazine;            /* entries, at most IOVA_MAGAZINE_MAX; 0: no caches */
};

struct iova_cpu {
	spinlock_t lock;         /* of loaded and prev, by order */
	struct iova_magazine *loaded[IOVA_CACHE_ORDERS], *prev[IOVA_CACHE_ORDERS];
};

/* What a flush queue needs of its owner. */
struct iova_fq_ops {
	/* Invalidates all of the domain, and waits. */
	void (*flush)(void *arg);
	/* After it: gives back tables that an unmap has gathered (pt_gather.free). */
	void (*release)(void *arg, u64 tables);
};

struct iova_fq;

/* Owned by a DMA cookie. */
struct iova_domain {
	spinlock_t lock;         /* space */
	struct iova_space space;
	u32 granule_lg2, magazine;
	struct iova_cpu cpu[IOVA_CPUS];
	spinlock_t depot_lock;   /* depot, n_depot; inside no other */
	struct iova_magazine *depot[IOVA_CACHE_ORDERS];
	u32 n_depot[IOVA_CACHE_ORDERS];
	struct iova_fq *fq;      /* NULL: none; published once, see iova_fq_init() */
};

void iova_domain_init(struct iova_domain *d, const struct iova_domain_cfg *cfg);
/* Ends the flush queue (what waits in it is flushed), frees everything. */
void iova_domain_fini(struct iova_domain *d);
/* Bytes. Errors of iova_space_reserve(); an empty range is no error and reserves nothing. */
int iova_reserve(struct iova_domain *d, u64 start, u64 length);
/*
 * An address for `size` bytes, none of them above last; 0 = none. After a failure
 * all magazines are emptied, and it is tried once more.
 */
u64 iova_alloc(struct iova_domain *d, u64 size, u64 last);
void iova_free(struct iova_domain *d, u64 iova, u64 size);
/* Magazines, depot: everything goes back to the space. */
void iova_drop_caches(struct iova_domain *d);

/*
 * From here on iova_fq_queue() defers. -ENOMEM: it does not, and the domain goes
 * on as before. Two callers: the second changes nothing.
 */
int iova_fq_init(struct iova_domain *d, const struct iova_fq_ops *ops, void *arg);
static inline bool iova_fq_ready(struct iova_domain *d)
{
	return smp_load_acquire(&d->fq) != NULL;
}

/*
 * [iova, iova + size) was unmapped and is not yet invalidated: it is freed, and
 * `tables` released, after the flush that the queue's timer (IOVA_FQ_TIMEOUT_MS)
 * or a full queue makes. iova_fq_ready() was true.
 */
void iova_fq_queue(struct iova_domain *d, u64 iova, u64 size, u64 tables);
/* Now: at teardown, and before addresses run out. */
void iova_fq_flush(struct iova_domain *d);
