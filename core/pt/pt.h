/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables: one algorithm (core/pt/fmt/algo.h), compiled per format.
 *
 * A table lives in frames (sim/mem/frames.h). Levels are counted from the leaf:
 * level 1 holds the smallest pages. The words:
 *
 *	iova, last   an input address; `last` is inclusive
 *	pa           a physical (output) address
 *	page         what one leaf, or one run under a contiguous hint, maps
 *	table        a block of frames with entries; entry: one word of it
 *	gather       what an unmap leaves to be invalidated, and the tables that
 *	             may only be given back after that
 *
 * Concurrency, as the kernel's page tables have it:
 *
 *	pt_map_pages, pt_unmap_pages   in parallel for disjoint ranges, no lock;
 *	                               tables are installed by cmpxchg, the loser
 *	                               of two goes on with the winner's
 *	the same for one range         never: that is the caller's to prevent
 *	pt_lookup, pt_walk             with maps of any range; with unmaps only
 *	                               while the caller keeps the tables (their
 *	                               gather is not released)
 *	pt_dirty_read                  as pt_lookup
 *	pt_init, pt_destroy            alone
 *
 * An unmap that covers the range of a whole table gives the table back; one that
 * only happens to empty it does not, since another map may be on its way into
 * it. Entries are written by single stores that hooked code announces (the first
 * of each eight); tables' counters change together with them, between two
 * moments of choice.
 *
 * Deliberately not here: output addresses of more than 48 bits with AArch64's 4K
 * and 16K granules (LPA2), the upper half of the input range (TTBR1 and canonical
 * addresses above it: the caller takes the base off), execute-only mappings.
 */
#pragma once

#include "sim/mem/frames.h"

/* Same values as Linux's IOMMU_READ and so on. */
enum pt_prot {
	PT_READ = 1,
	PT_WRITE = 2,
	PT_CACHE = 4,   /* coherent with the processor's caches */
	PT_NOEXEC = 8,
	PT_MMIO = 16,   /* a device's registers */
	PT_PRIV = 32,   /* for privileged accesses only, where the format tells */
};

enum pt_feature {
	PT_CONTIG = 1,  /* AArch64's contiguous hint: more page sizes */
	PT_SPLIT = 2,   /* an unmap of part of a large page splits it (io-pgtable up to 6.12) */
	PT_DIRTY = 4,   /* hardware marks what is written: writable pages begin clean */
	PT_SNOOP = 8,   /* VT-d second stage: SNP in each leaf */
	PT_GLOBAL = 16, /* AArch64 stage 1: no nG; x86: G */
	/*
	 * AArch64: a split makes what it splits invalid, calls sync_walks() for it, and only
	 * then writes what comes in its place (break-before-make): for hardware below level 2 of
	 * FEAT_BBM. Who accesses it meanwhile faults; nobody may unmap there at the same time.
	 */
	PT_BREAK = 32,
};

enum pt_format {
	PT_VTDSS,  /* VT-d second stage, 3 to 5 levels */
	PT_X86,    /* VT-d first stage, x86-64: 4 or 5 levels, lower half */
	PT_A64S1_4K, PT_A64S1_16K, PT_A64S1_64K,
	PT_A64S2_4K, PT_A64S2_16K, PT_A64S2_64K,
	PT_MOCK,
	PT_FORMATS,
};

struct pt_cfg {
	enum pt_format format;
	u32 ia_bits, oa_bits; /* of input and output addresses; oa 0: all the format has */
	u32 features;         /* enum pt_feature */
	u64 pgsizes;          /* bit per page size to use; 0: all that format and features have */
	/* A walker that does not see the caches: [p, p + size) was written. NULL: it does. */
	void (*flush)(void *arg, const void *p, size_t size);
	/*
	 * A map has put a large page in the place of an empty table: whatever hardware
	 * keeps of entries above leaves in [iova, iova + size) must be gone on return.
	 * NULL: nothing is kept.
	 */
	void (*sync_walks)(void *arg, u64 iova, u64 size);
	void *arg;
};

/*
 * Filled by pt_unmap_pages() and pt_dirty_read(); one unmap may go on with the
 * gather of another. Owned by the caller.
 */
struct pt_gather {
	u64 start, last;  /* what to invalidate; empty while start > last */
	u64 pgsize;       /* the smallest page that was unmapped, 0 = none */
	u64 n_tables;     /* tables unlinked: entries above leaves are stale, too */
	u64 free;         /* their frame numbers, linked by frame_info.next; 0 = none */
};
#define PT_GATHER_EMPTY {.start = ~0ULL}

struct pt_fmt;
struct pt_dirty;

/*
 * Embedded by a domain, which owns it. Constant after pt_init() but for the
 * cursors: the leaf table used last, and the table of level 2.
 */
struct pt {
	const struct pt_fmt *fmt;
	struct world *world;
	char *frames;    /* what physical address 0 is */
	struct frame_info *info; /* of its frame; the world's */
	u64 root;        /* pa of the top table */
	u64 ia_last, oa_last;
	u64 pgsizes;
	u64 levels;
	u64 root_entries;
	u64 features;
	u64 wide;        /* the machine has AVX2 */
	u64 cursor, upper;
	void (*flush)(void *arg, const void *p, size_t size);
	void (*sync_walks)(void *arg, u64 iova, u64 size);
	void *arg;
	u64 root_order, table_order; /* frames, log2 */
};

/* A step of pt_walk(). */
struct pt_step {
	u32 level;
	bool leaf, present;
	u64 entry_pa; /* where the entry is */
	u64 entry;
};
#define PT_LEVELS_MAX 5

/*
 * Makes an empty table. -EINVAL: widths, page sizes or features that the format
 * has not; -ENOMEM.
 */
int pt_init(struct pt *pt, const struct pt_cfg *cfg);
/* The same with the format's code given, in a world in which no task runs (tests, benchmarks). */
int pt_init_as(struct pt *pt, const struct pt_cfg *cfg, const struct pt_fmt *fmt, struct world *w);
/* Of those below PT_FORMATS. */
const struct pt_fmt *pt_format(enum pt_format format);
/* Gives all tables back at once; hardware no longer uses them. */
void pt_destroy(struct pt *pt);

/* What pt_dirty_read() is to do with pages that were written. */
struct pt_dirty {
	/* A page, or its part within the range, is dirty. */
	void (*record)(void *arg, u64 iova, u64 size);
	void *arg;
	bool keep;           /* leave them dirty */
	struct pt_gather *g; /* pages made clean, to be invalidated; may be NULL with keep */
};

/* A compiled format. */
struct pt_fmt {
	const char *name;
	int (*init)(struct pt *pt, const struct pt_cfg *cfg);
	void (*destroy)(struct pt *pt);
	int (*map)(struct pt *pt, u64 iova, u64 pa, u64 pgsize, size_t count, u32 prot,
		   size_t *mapped);
	u64 (*unmap)(struct pt *pt, u64 iova, u64 pgsize, size_t count, struct pt_gather *g);
	bool (*lookup)(struct pt *pt, u64 iova, u64 *pa);
	u32 (*walk)(struct pt *pt, u64 iova, struct pt_step step[PT_LEVELS_MAX]);
	int (*dirty)(struct pt *pt, u64 iova, u64 size, const struct pt_dirty *how);
	u64 (*make_leaf)(u64 pa, u32 level, u32 prot, u32 features);
};

/*
 * Maps count pages of pgsize from iova to pa; *mapped is the bytes done, also on
 * failure (the caller takes these back: pt_map() does). -EINVAL: no such page
 * size, not aligned to it, or prot has neither PT_READ nor PT_WRITE; -ERANGE:
 * beyond what the table takes or gives; -EEXIST: something is mapped there;
 * -ENOMEM. An empty table in the way of a large page is replaced.
 */
/* signature given */
static inline int pt_map_pages(struct pt *pt, u64 iova, u64 pa, u64 pgsize, size_t count,
			       u32 prot, size_t *mapped)
{
	return pt->fmt->map(pt, iova, pa, pgsize, count, prot, mapped);
}

/*
 * Unmaps pages of any size in [iova, iova + pgsize * count), up to the first
 * hole; bytes unmapped. A large page that the range ends in is removed as a
 * whole, and counts as a whole, so the result may be more than was asked for
 * (with PT_SPLIT it is split instead); one that the range begins in the middle
 * of ends the unmap. The gather covers all that was removed.
 */
static inline u64 pt_unmap_pages(struct pt *pt, u64 iova, u64 pgsize, size_t count,
				 struct pt_gather *g)
{
	return pt->fmt->unmap(pt, iova, pgsize, count, g);
}

/* Where iova leads; false: nowhere. */
static inline bool pt_lookup(struct pt *pt, u64 iova, u64 *pa)
{
	return pt->fmt->lookup(pt, iova, pa);
}

/* As Linux's iova_to_phys(): 0 if nothing is mapped there. */
static inline u64 pt_iova_to_phys(struct pt *pt, u64 iova)
{
	u64 pa;

	return pt->fmt->lookup(pt, iova, &pa) ? pa : 0;
}

/* The entries that a walk for iova meets, top first; how many. iova is within ia_bits. */
static inline u32 pt_walk(struct pt *pt, u64 iova, struct pt_step step[PT_LEVELS_MAX])
{
	return pt->fmt->walk(pt, iova, step);
}

/*
 * Tells of each dirty page in [iova, iova + size) and makes it clean. A run under
 * a contiguous hint is dirty if any entry is. -EINVAL: the table does not track
 * (PT_DIRTY); -ERANGE.
 */
static inline int pt_dirty_read(struct pt *pt, u64 iova, u64 size, const struct pt_dirty *how)
{
	return pt->fmt->dirty(pt, iova, size, how);
}

/* Gives the gathered tables back, after the invalidation, and empties the gather. */
void pt_gather_release(struct pt *pt, struct pt_gather *g);

/*
 * All or nothing: [iova, iova + size) to pa in pages as large as alignment lets
 * them be (Linux: iommu_map()). Errors as pt_map_pages(). What a failure takes
 * back is in the gather: hardware may have looked meanwhile.
 */
int pt_map(struct pt *pt, u64 iova, u64 pa, u64 size, u32 prot, struct pt_gather *g);
/* Unmaps to the first hole (Linux: iommu_unmap()); bytes, possibly more than size. */
u64 pt_unmap(struct pt *pt, u64 iova, u64 size, struct pt_gather *g);
/* The page size for the next run of [iova, iova + size), and how many pages. */
u64 pt_pgsize(u64 pgsizes, u64 iova, u64 pa, u64 size, size_t *count);
