/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The algorithm, for the format whose header was included before. It makes
 * `const struct pt_fmt pt_fmt_NAME` (ALGO_FMT names another: the formats' tests
 * compile it once more). The state of a walk is in scalars, never in structs
 * passed by value.
 */
#pragma once

#include "core/pt/fill.h"
#include "core/pt/fmt/algo_tables.h"
#include "sim/bug/bug.h"
#include "sim/base/world.h"

/* --- map --- */

static ALWAYS_INLINE void fill_entries(struct pt *pt, u64 *p, u32 n, u64 first, u64 step)
{
	if (!IOMMULAB_HOOKS) {
		pt_fill(p, n, first, step, pt->wide);
	} else {
		for (u32 i = 0; i < n; i += CHUNK) {
			WRITE_ONCE(p[i], first + i * step);
			pt_fill(p + i + 1, min(n - i, CHUNK) - 1, first + (i + 1) * step, step,
				pt->wide);
		}
	}
	flushed(pt, p, n);
}

/* False: some entry is in use, nothing was written. */
static ALWAYS_INLINE bool fill_new_entries(struct pt *pt, u64 *p, u32 n, u64 first, u64 step)
{
	if (!IOMMULAB_HOOKS) {
		if (!pt_fill_new(p, n, first, step, pt->wide))
			return false;
		flushed(pt, p, n);
		return true;
	}
	if (!pt_is_zero(p, n, pt->wide))
		return false;
	fill_entries(pt, p, n, first, step);
	return true;
}

/* Tables without any entry make room for large pages; 0, or -EEXIST. */
static int replace_tables(struct pt *pt, u64 iova, u64 *table, u32 n, u32 level)
{
	u64 *p = &table[index_of(pt, iova, level)];

	for (u32 i = 0; i < n; i++) {
		u64 e = READ_ONCE(p[i]);

		if (e & F_PRESENT && (f_leaf(e, level) ||
				      info_of(pt, table_at(pt, f_table_pa(e)))->live))
			return -EEXIST;
	}
	for (u32 i = 0; i < n; i++) {
		u64 e = READ_ONCE(p[i]);

		if (!(e & F_PRESENT))
			continue;
		WRITE_ONCE(p[i], 0);
		flushed(pt, &p[i], 1);
		info_of(pt, table)->live--;
		cursors_forget(pt, f_table_pa(e) >> FRAME_LG2);
		if (pt->sync_walks)
			pt->sync_walks(pt->arg, iova + ((u64)i << SHIFT(level)),
				       1ULL << SHIFT(level));
		table_free(pt, table_at(pt, f_table_pa(e)));
	}
	return 0;
}

/* n leaves into one table. */
static ALWAYS_INLINE int map_run(struct pt *pt, u64 iova, u64 *table, u32 level, u64 first, u32 n)
{
	struct frame_info *info = info_of(pt, table);
	u32 i = index_of(pt, iova, level);
	u64 *p = &table[i];

	if (n == 1) {
		if (unlikely(READ_ONCE(*p)) &&
		    (level == 1 || replace_tables(pt, iova, table, 1, level)))
			return -EEXIST;
		WRITE_ONCE(*p, first);
		flushed(pt, p, 1);
	} else {
		if (!info->live)
			fill_entries(pt, p, n, first, f_step(level));
		else if (fill_new_entries(pt, p, n, first, f_step(level)))
			;
		else if (level == 1 || replace_tables(pt, iova, table, n, level))
			return -EEXIST;
		else
			fill_entries(pt, p, n, first, f_step(level));
	}
	info->live += (u16)n;
	frame_span(info, i, i + n);
	return 0;
}

/*
 * All of a table that is not there yet: nobody sees it before it is full, and
 * nothing need be cleared. False: there is one, or no memory.
 */
static bool map_whole(struct pt *pt, u64 iova, u64 first)
{
	u64 *parent = upper_quick(pt, iova), *entry, *table;
	int err;

	if (!parent)
		parent = table_reach(pt, iova, 2, &err);
	if (!parent)
		return false;
	entry = &parent[index_of(pt, iova, 2)];
	if (READ_ONCE(*entry))
		return false;
	table = table_new(pt, FRAME_DIRTY);
	if (!table)
		return false;
	pt_fill(table, ENTRIES, first, f_step(1), pt->wide);
	info_of(pt, table)->live = ENTRIES;
	if (f_table_pa(install(pt, entry, parent, table)) == (u64)((char *)table - pt->frames))
		return true;
	table_free(pt, table);
	return false;
}

/* The entries of one table, or those up to where the output address changes its form. */
static ALWAYS_INLINE u32 run_length(const struct pt *pt, u64 iova, u64 pa, u32 level, u64 n)
{
	u64 room = entries_of(pt, level) - index_of(pt, iova, level);

	if (F_OA_MAX > 48 && F_PG_LG2 == 16)
		room = min(room, ((1ULL << 48) - (pa & ((1ULL << 48) - 1))) >> SHIFT(level));
	return (u32)min(n, room);
}

/* One table's worth of n entries; how many were done, or a negative error. */
static ALWAYS_INLINE s64 map_table(struct pt *pt, u64 iova, u64 pa, u32 level, u64 first, u64 n)
{
	u32 run = run_length(pt, iova, pa, level, n);
	u64 *table;
	int err;

	if (level == 1 && run == ENTRIES && map_whole(pt, iova, first))
		return run;
	table = level == 1 ? leaf_quick(pt, iova) : level == 2 ? upper_quick(pt, iova) : NULL;
	if (!table)
		table = table_reach(pt, iova, level, &err);
	if (unlikely(!table))
		return err;
	err = map_run(pt, iova, table, level, first, run);
	return err ? err : (s64)run;
}

/* n entries of `level` from iova on; hint: F_CONTIG_BIT or 0. */
static __attribute__((noinline)) int map_tables(struct pt *pt, u64 iova, u64 pa, u64 n, u32 how,
						size_t *mapped)
{
	u32 level = how >> 24, prot = how & 0xffff;
	u64 hint = how & 0x10000 ? F_CONTIG_BIT : 0, done = 0;

	while (done < n) {
		u64 at = done << SHIFT(level);
		u64 first = f_make_leaf(pa + at, level, prot, (u32)pt->features) | hint;
		s64 run = map_table(pt, iova + at, pa + at, level, first, n - done);

		if (run < 0) {
			*mapped = at;
			return (int)run;
		}
		done += (u64)run;
	}
	*mapped = n << SHIFT(level);
	return 0;
}

/* Whether count pages of 2^lg2 bytes from addr on end within last. */
static ALWAYS_INLINE bool within(u64 addr, u32 lg2, size_t count, u64 last)
{
	return addr <= last && count - 1 <= (last - addr) >> lg2;
}

/* signature given */
static APART int map_any(struct pt *pt, u64 iova, u64 pa, u64 pgsize, size_t count, u32 prot,
			 size_t *mapped)
{
	u32 lg2, level, run_lg2;

	*mapped = 0;
	if (unlikely(!(pgsize & pt->pgsizes) || pgsize & (pgsize - 1) ||
		     (iova | pa) & (pgsize - 1) || !(prot & (PT_READ | PT_WRITE))))
		return -EINVAL;
	if (unlikely(!count))
		return 0;
	lg2 = bit_lowest(pgsize);
	if (unlikely(!within(iova, lg2, count, pt->ia_last) ||
		     !within(pa, lg2, count, pt->oa_last)))
		return -ERANGE;
	level = 1 + (lg2 - F_PG_LG2) / F_BITS;
	run_lg2 = (lg2 - F_PG_LG2) % F_BITS;
	return map_tables(pt, iova, pa, (u64)count << run_lg2,
			  level << 24 | (run_lg2 ? 0x10000 : 0) | prot, mapped);
}

/*
 * The table for n entries of `level`, if they are all in one that a cursor knows:
 * that is what most maps are. NULL: map_any() knows what else it is.
 */
/* signature given */
static ALWAYS_INLINE u64 *map_quick(struct pt *pt, u64 iova, u64 pa, size_t n, u32 level, u32 prot)
{
	if (unlikely((iova | pa) & ((1ULL << SHIFT(level)) - 1) || pt->flush ||
		     !(prot & (PT_READ | PT_WRITE)) ||
		     !within(iova, SHIFT(level), n, pt->ia_last) ||
		     !within(pa, SHIFT(level), n, pt->oa_last)))
		return NULL;
	return level == 1 ? leaf_quick(pt, iova) : upper_quick(pt, iova);
}

/* One page of `level`; false: nothing was done. */
static ALWAYS_INLINE bool map_one(struct pt *pt, u64 iova, u64 pa, u32 level, u32 prot)
{
	u64 *table = map_quick(pt, iova, pa, 1, level, prot);
	u32 i = iova >> SHIFT(level) & (ENTRIES - 1);

	if (unlikely(!table || READ_ONCE(table[i])))
		return false;
	WRITE_ONCE(table[i], f_make_leaf(pa, level, prot, (u32)pt->features));
	info_of(pt, table)->live++;
	frame_span(info_of(pt, table), i, i + 1);
	return true;
}

#if !IOMMULAB_HOOKS
/* Small pages, all in one table, on a machine with AVX2. */
/* signature given */
static APART WIDE int map_wide(struct pt *pt, u64 iova, u64 pa, u64 pgsize, size_t count, u32 prot,
			       size_t *mapped)
{
	u64 *table = map_quick(pt, iova, pa, count, 1, prot);
	u32 i = iova >> F_PG_LG2 & (ENTRIES - 1), n = (u32)count;
	struct frame_info *info;

	if (unlikely(!table))
		return map_any(pt, iova, pa, pgsize, count, prot, mapped);
	info = info_of(pt, table);
	if (info->live && unlikely(!wide_is_zero(&table[i], n)))
		return map_any(pt, iova, pa, pgsize, count, prot, mapped);
	wide_fill(&table[i], n, f_make_leaf(pa, 1, prot, (u32)pt->features), f_step(1));
	info->live += (u16)n;
	frame_span(info, i, i + n);
	*mapped = count << F_PG_LG2;
	return 0;
}
#endif

/* signature given */
static int algo_map(struct pt *pt, u64 iova, u64 pa, u64 pgsize, size_t count, u32 prot,
		    size_t *mapped)
{
	bool done = false;

	if (count == 1) {
		if (pgsize == TABLE_BYTES)
			done = map_one(pt, iova, pa, 1, prot);
		else if (pgsize == 1ULL << SHIFT(2) && pgsize & pt->pgsizes)
			done = map_one(pt, iova, pa, 2, prot);
		if (likely(done)) {
			*mapped = pgsize;
			return 0;
		}
	}
#if !IOMMULAB_HOOKS
	/* Above 48 bits entries of 64K do not follow each other. */
	if (pgsize == TABLE_BYTES && count < ENTRIES && pt->wide && F_PG_LG2 < 16 &&
	    (iova >> F_PG_LG2 & (ENTRIES - 1)) + count <= ENTRIES)
		return map_wide(pt, iova, pa, pgsize, count, prot, mapped);
#endif
	return map_any(pt, iova, pa, pgsize, count, prot, mapped);
}

/* --- unmap --- */

struct unmap {
	struct pt *pt;
	u64 at, end; /* what is left: [at, end) */
	struct pt_gather *g;
	bool stop;
};

static ALWAYS_INLINE void gathered(struct pt_gather *g, u64 iova, u64 size, u64 pgsize)
{
	g->start = min(g->start, iova);
	g->last = max(g->last, iova + size - 1);
	/* 0, for none, becomes the largest. */
	g->pgsize = min(g->pgsize - 1, pgsize - 1) + 1;
}

/* Zeroes entries that have one bit of `set` and none of `clear`, n at most; how many. */
static ALWAYS_INLINE u32 clear_those(struct pt *pt, u64 *p, u32 n, u64 set, u64 clear)
{
	u32 i = 0, run = 1;

	if (!IOMMULAB_HOOKS) {
		i = pt_clear_run(p, n, set, clear, pt->wide);
	} else {
		while (i < n && run) {
			u64 e = READ_ONCE(p[i]);

			if (!(e & set) || e & clear)
				break;
			WRITE_ONCE(p[i], 0);
			run = pt_clear_run(p + i + 1, min(n - i, CHUNK) - 1, set, clear,
					   pt->wide) + 1;
			i += run;
			run = run == CHUNK;
		}
	}
	flushed(pt, p, i);
	return i;
}

/* Present leaves of level 1 without a hint. */
static ALWAYS_INLINE u32 clear_entries(struct pt *pt, u64 *p, u32 n)
{
	return clear_those(pt, p, n, F_PRESENT, F_CONTIG_BIT);
}

/* The entry of a table whose range is unmapped as a whole. */
static ALWAYS_INLINE void unlink_table(struct pt *pt, struct pt_gather *g, u64 *table, u32 i,
				       u64 *below)
{
	u64 frame = (u64)((char *)below - pt->frames) >> FRAME_LG2;

	WRITE_ONCE(table[i], 0);
	flushed(pt, &table[i], 1);
	info_of(pt, table)->live--;
	cursors_forget(pt, frame);
	info_of(pt, below)->next = (u32)g->free;
	g->free = frame;
	g->n_tables++;
}

/* n entries, all of [iova, iova + size), are invalid now: hardware forgets what they were. */
static void broken(struct pt *pt, u64 *entry, u32 n, u64 iova, u64 size)
{
	flushed(pt, entry, n);
	if (pt->sync_walks)
		pt->sync_walks(pt->arg, iova, size);
}

/* Makes a large page's entry a table of the next smaller ones; 0 or -ENOMEM. */
static int split_entry(struct unmap *u, u64 *entry, u64 e, u32 level)
{
	struct pt *pt = u->pt;
	u64 *below = table_new(pt, FRAME_DIRTY), block = 1ULL << SHIFT(level), made;

	if (!below)
		return -ENOMEM;
	pt_fill(below, ENTRIES, f_smaller(e, level), f_step(level - 1), pt->wide);
	flushed(pt, below, ENTRIES);
	info_of(pt, below)->live = ENTRIES;
	made = f_make_table((u64)((char *)below - pt->frames));
	if (cmpxchg(entry, e, pt->features & PT_BREAK ? 0 : made) != e) {
		table_free(pt, below);
		return 0; /* somebody else's; whatever it is now is looked at again */
	}
	if (pt->features & PT_BREAK) {
		broken(pt, entry, 1, u->at & ~(block - 1), block);
		WRITE_ONCE(*entry, made);
	}
	flushed(pt, entry, 1);
	if (unlikely(pt->flush))
		settle(pt, entry, made);
	gathered(u->g, u->at & ~(block - 1), block, block);
	return 0;
}

/* Takes bits of an entry that hardware may mark meanwhile; what it was. */
static u64 entry_take(u64 *entry, u64 bits, bool dirty)
{
	u64 e = READ_ONCE(*entry), old;

	for (;;) {
		u64 to = e & ~bits;

		old = cmpxchg(entry, e, dirty ? f_make_dirty(to) : to);
		if (old == e)
			return e;
		e = old;
	}
}

#define RUN_MAX 128u /* of 16K pages */

/* As split_run(), by way of entries that are invalid: none of them is marked meanwhile. */
static void break_run(struct pt *pt, u64 *entry, u32 n, u64 iova, u64 size)
{
	u64 kept[RUN_MAX];
	bool dirty = false;

	for (u32 k = 0; k < n; k++) {
		kept[k] = entry_take(&entry[k], ~0ULL, false);
		dirty |= f_dirty(kept[k]);
	}
	broken(pt, entry, n, iova, size);
	for (u32 k = 0; k < n; k++) {
		u64 e = kept[k] & ~F_CONTIG_BIT;

		WRITE_ONCE(entry[k], dirty ? f_make_dirty(e) : e);
	}
}

/*
 * The entries of a run lose their hint and are pages of their own; what one knows, all know:
 * hardware marks one entry of a run and then writes to all of it. Once the last hint is gone
 * it marks each by itself, so what was marked by then is all that can be missing.
 */
static void split_run(struct unmap *u, u64 *table, u32 i, u32 level)
{
	u32 n = 1u << f_contig_lg2(level), first = i & ~(n - 1);
	u64 size = 1ULL << SHIFT(level);
	bool dirty = false;

	if (u->pt->features & PT_BREAK && n <= RUN_MAX)
		break_run(u->pt, &table[first], n, u->at & ~(size * n - 1), size * n);
	for (u32 k = first; k < first + n && !(u->pt->features & PT_BREAK); k++)
		dirty |= f_dirty(entry_take(&table[k], F_CONTIG_BIT, false));
	for (u32 k = first; dirty && k < first + n; k++)
		entry_take(&table[k], 0, true);
	flushed(u->pt, &table[first], n);
	gathered(u->g, u->at & ~((size << f_contig_lg2(level)) - 1),
		 size << f_contig_lg2(level), size);
}

/* The leaf at u->at, in table[i]. */
static void unmap_leaf(struct unmap *u, u64 *table, u32 i, u64 e, u32 level)
{
	u32 run_lg2 = e & F_CONTIG_BIT ? f_contig_lg2(level) : 0, n = 1u << run_lg2;
	u64 size = 1ULL << (SHIFT(level) + run_lg2);
	bool middle = u->at & (size - 1), part = middle || u->end - u->at < size;

	if (part && u->pt->features & PT_SPLIT) {
		if (run_lg2)
			split_run(u, table, i, level);
		else
			u->stop = split_entry(u, &table[i], e, level) != 0;
		return;
	}
	if (middle) {
		u->stop = true;
		return;
	}
	for (u32 k = i; k < i + n; k++)
		WRITE_ONCE(table[k], 0);
	flushed(u->pt, &table[i], n);
	info_of(u->pt, table)->live -= (u16)n;
	if (bug_set_has(u->pt->world->bug, BUG_PGT_SHORT_GATHER)) {
		/* What was asked for, though all of the page goes. */
		gathered(u->g, u->at, min(size, u->end - u->at), size);
	} else {
		gathered(u->g, u->at, size, size);
	}
	u->at += size;
}

/* As many leaves without a hint as there are, in one go. */
static ALWAYS_INLINE void unmap_run(struct unmap *u, u64 *table, u32 i, u32 level)
{
	u64 size = 1ULL << SHIFT(level);
	u32 n = (u32)min((u->end - u->at) >> SHIFT(level),
			 (u64)(entries_of(u->pt, level) - i)), done;

	if (u->at & (size - 1))
		return;
	if (level == 1)
		done = clear_entries(u->pt, &table[i], n);
	else
		done = clear_those(u->pt, &table[i], n, F_LEAF_SET, F_LEAF_CLEAR);
	if (!done)
		return;
	info_of(u->pt, table)->live -= (u16)done;
	gathered(u->g, u->at, done * size, size);
	u->at += done * size;
}

static void unmap_in(struct unmap *u, u64 *table, u32 level);

/* The table below table[i], which holds u->at. */
static void unmap_below(struct unmap *u, u64 *table, u32 i, u64 e, u32 level)
{
	u64 *below = table_at(u->pt, f_table_pa(e)), size = 1ULL << SHIFT(level);
	bool covered = !(u->at & (size - 1)) && u->end - u->at >= size;

	if (covered && level == 2 && info_of(u->pt, below)->live == ENTRIES) {
		unlink_table(u->pt, u->g, table, i, below);
		gathered(u->g, u->at, size, TABLE_BYTES);
		u->at += size;
		return;
	}
	if (level == 2 && !covered)
		passed(u->pt, u->at, below, 1);
	unmap_in(u, below, level - 1);
	if (covered && !u->stop && !info_of(u->pt, below)->live)
		unlink_table(u->pt, u->g, table, i, below);
}

/* From u->at to the end of the table's range, or u->end. */
static void unmap_in(struct unmap *u, u64 *table, u32 level)
{
	u64 span = (u64)entries_of(u->pt, level) << SHIFT(level);
	u64 last = (u->at & ~(span - 1)) + (span - 1);

	while (!u->stop && u->at < u->end && u->at <= last) {
		u32 i = index_of(u->pt, u->at, level);
		u64 e;

		if (level <= F_LEAF_LEVEL_MAX)
			unmap_run(u, table, i, level);
		if (u->at >= u->end || u->at > last)
			break;
		i = index_of(u->pt, u->at, level);
		e = READ_ONCE(table[i]);
		if (!(e & F_PRESENT))
			u->stop = true;
		else if (f_leaf(e, level))
			unmap_leaf(u, table, i, e, level);
		else
			unmap_below(u, table, i, e, level);
	}
}

static __attribute__((noinline)) u64 unmap_slow(struct pt *pt, u64 iova, u64 size,
						struct pt_gather *g)
{
	struct unmap u = {.pt = pt, .at = iova, .end = iova + size, .g = g};

	unmap_in(&u, table_at(pt, pt->root), (u32)pt->levels);
	return u.at - iova;
}

/* A small page, in a table that a cursor knows; false: nothing was done. */
static ALWAYS_INLINE bool unmap_one(struct pt *pt, u64 iova, struct pt_gather *g)
{
	u32 i = iova >> F_PG_LG2 & (ENTRIES - 1);
	u64 *table, e;

	if (unlikely(iova & (TABLE_BYTES - 1) || iova > pt->ia_last || pt->flush))
		return false;
	table = leaf_quick(pt, iova);
	if (unlikely(!table))
		return false;
	e = READ_ONCE(table[i]);
	if (unlikely(!(e & F_PRESENT) || e & F_CONTIG_BIT))
		return false;
	WRITE_ONCE(table[i], 0);
	info_of(pt, table)->live--;
	gathered(g, iova, TABLE_BYTES, TABLE_BYTES);
	return true;
}

/* The range of one entry of level 2, likewise: a large page, or all of a full table. */
static ALWAYS_INLINE bool unmap_large(struct pt *pt, u64 iova, struct pt_gather *g)
{
	u64 size = 1ULL << SHIFT(2), *table, *below, e;
	u32 i = iova >> SHIFT(2) & (ENTRIES - 1);

	if (unlikely(iova & (size - 1) || !within(iova, SHIFT(2), 1, pt->ia_last) || pt->flush))
		return false;
	table = upper_quick(pt, iova);
	if (unlikely(!table))
		return false;
	e = READ_ONCE(table[i]);
	if (unlikely(!(e & F_PRESENT)))
		return false;
	if (f_leaf(e, 2)) {
		if (e & F_CONTIG_BIT)
			return false;
		WRITE_ONCE(table[i], 0);
		info_of(pt, table)->live--;
		gathered(g, iova, size, size);
		return true;
	}
	below = table_at(pt, f_table_pa(e));
	if (info_of(pt, below)->live != ENTRIES)
		return false;
	unlink_table(pt, g, table, i, below);
	gathered(g, iova, size, TABLE_BYTES);
	return true;
}

/* Small pages in one table, less than all of it: as many bytes as go at once. */
static ALWAYS_INLINE u64 unmap_few(struct pt *pt, u64 iova, u32 n, struct pt_gather *g)
{
	u64 *table = leaf_quick(pt, iova);

	if (unlikely(!table))
		table = table_find(pt, iova, 1);
	if (unlikely(!table))
		return 0;
	n = clear_entries(pt, &table[index_of(pt, iova, 1)], n);
	if (unlikely(!n))
		return 0;
	info_of(pt, table)->live -= (u16)n;
	gathered(g, iova, (u64)n << F_PG_LG2, TABLE_BYTES);
	return (u64)n << F_PG_LG2;
}

/* Pages of level 2, all in one table: as many bytes as go at once. */
static ALWAYS_INLINE u64 unmap_larges(struct pt *pt, u64 iova, u32 n, struct pt_gather *g)
{
	u64 *table = upper_quick(pt, iova);

	if (unlikely(!table))
		return 0;
	n = clear_those(pt, &table[iova >> SHIFT(2) & (ENTRIES - 1)], n, F_LEAF_SET, F_LEAF_CLEAR);
	if (unlikely(!n))
		return 0;
	info_of(pt, table)->live -= (u16)n;
	gathered(g, iova, (u64)n << SHIFT(2), 1ULL << SHIFT(2));
	return (u64)n << SHIFT(2);
}

static APART u64 unmap_any(struct pt *pt, u64 iova, u64 pgsize, size_t count, struct pt_gather *g)
{
	u64 size = pgsize * count, done = 0;

	if (unlikely(!count || !pgsize || pgsize & (pgsize - 1) || iova & (TABLE_BYTES - 1) ||
		     pgsize < TABLE_BYTES ||
		     !within(iova, bit_lowest(pgsize), count, pt->ia_last)))
		return 0;
	if (size < 1ULL << SHIFT(2) && index_of(pt, iova, 1) + (size >> F_PG_LG2) <= ENTRIES)
		done = unmap_few(pt, iova, (u32)(size >> F_PG_LG2), g);
	else if (pgsize == 1ULL << SHIFT(2) && F_LEAF_LEVEL_MAX > 1 && !(iova & (pgsize - 1)) &&
		 (iova >> SHIFT(2) & (ENTRIES - 1)) + count <= ENTRIES)
		done = unmap_larges(pt, iova, (u32)count, g);
	if (likely(done == size))
		return done;
	return done + unmap_slow(pt, iova + done, size - done, g);
}

/* Apart, so that an unmap of a page need not save what only these use. */
static APART u64 unmap_more(struct pt *pt, u64 iova, u64 pgsize, size_t count, struct pt_gather *g)
{
	u64 size = 1ULL << SHIFT(2);

	if (((pgsize == TABLE_BYTES && count == ENTRIES) || (pgsize == size && count == 1)) &&
	    likely(unmap_large(pt, iova, g)))
		return size;
	return unmap_any(pt, iova, pgsize, count, g);
}

static u64 algo_unmap(struct pt *pt, u64 iova, u64 pgsize, size_t count, struct pt_gather *g)
{
	if (pgsize == TABLE_BYTES && count == 1 && likely(unmap_one(pt, iova, g)))
		return TABLE_BYTES;
	return unmap_more(pt, iova, pgsize, count, g);
}

/* --- looking --- */

static bool algo_lookup(struct pt *pt, u64 iova, u64 *pa)
{
	const u64 *entry;
	u32 level = (u32)pt->levels, shift = SHIFT(level);
	u64 e;

	if (unlikely(iova > pt->ia_last))
		return false;
	entry = &table_at(pt, pt->root)[iova >> shift];
	for (;;) {
		e = READ_ONCE(*entry);
		if (!(e & F_PRESENT))
			return false;
		if (f_leaf(e, level))
			break;
		level--;
		shift -= F_BITS;
		entry = &table_at(pt, f_table_pa(e))[iova >> shift & (ENTRIES - 1)];
	}
	*pa = f_pa(e, level) | (iova & ((1ULL << SHIFT(level)) - 1));
	return true;
}

static u32 algo_walk(struct pt *pt, u64 iova, struct pt_step step[PT_LEVELS_MAX])
{
	u64 *table = table_at(pt, pt->root);
	u32 n = 0;

	if (iova > pt->ia_last)
		return 0;
	for (u32 level = (u32)pt->levels;; level--) {
		u64 *entry = &table[index_of(pt, iova, level)], e = READ_ONCE(*entry);

		step[n] = (struct pt_step){.level = level, .entry = e,
					   .entry_pa = (u64)((char *)entry - pt->frames),
					   .present = e & F_PRESENT};
		step[n].leaf = step[n].present && f_leaf(e, level);
		if (!step[n].present || step[n].leaf)
			return n + 1;
		table = table_at(pt, f_table_pa(e));
		n++;
	}
}

/* --- dirty --- */

static bool make_clean(u64 *entry)
{
	u64 e = READ_ONCE(*entry), old;

	while (f_dirty(e)) {
		old = cmpxchg(entry, e, f_make_clean(e));
		if (old == e)
			return true;
		e = old; /* hardware has set something else meanwhile */
	}
	return false;
}

/* The page of table[i] at `at`, whose part in [at, last] is asked for; where the next begins. */
static u64 dirty_leaf(struct pt *pt, u64 *table, u64 at, u64 last, u32 level,
		      const struct pt_dirty *how)
{
	u32 i = index_of(pt, at, level);
	u32 run_lg2 = READ_ONCE(table[i]) & F_CONTIG_BIT ? f_contig_lg2(level) : 0;
	u32 first = i & ~((1u << run_lg2) - 1);
	u64 size = 1ULL << (SHIFT(level) + run_lg2), begin = at & ~(size - 1);
	bool dirty = false;

	for (u32 k = first; k < first + (1u << run_lg2); k++) {
		if (how->keep)
			dirty |= f_dirty(READ_ONCE(table[k]));
		else
			dirty |= make_clean(&table[k]);
	}
	if (dirty) {
		how->record(how->arg, at, min(begin + (size - 1), last) - at + 1);
		if (!how->keep) {
			flushed(pt, &table[first], 1u << run_lg2);
			gathered(how->g, begin, size, size);
		}
	}
	return begin + size;
}

static u64 dirty_in(struct pt *pt, u64 *table, u64 at, u64 last, u32 level,
		    const struct pt_dirty *how)
{
	u64 span = (u64)entries_of(pt, level) << SHIFT(level);
	u64 end = (at & ~(span - 1)) + (span - 1);

	/* The last page may end where numbers do: then `at` comes round to 0. */
	for (u64 begin = at; at <= last && at <= end && at >= begin;) {
		u64 e = READ_ONCE(table[index_of(pt, at, level)]);

		if (!(e & F_PRESENT))
			at = (at | ((1ULL << SHIFT(level)) - 1)) + 1;
		else if (f_leaf(e, level))
			at = dirty_leaf(pt, table, at, last, level, how);
		else
			at = dirty_in(pt, table_at(pt, f_table_pa(e)), at, last, level - 1, how);
	}
	return at;
}

static int algo_dirty(struct pt *pt, u64 iova, u64 size, const struct pt_dirty *how)
{
	if (!(pt->features & PT_DIRTY))
		return -EINVAL;
	if (!size)
		return 0;
	if (iova > pt->ia_last || size - 1 > pt->ia_last - iova)
		return -ERANGE;
	dirty_in(pt, table_at(pt, pt->root), iova, iova + (size - 1), (u32)pt->levels, how);
	return 0;
}

/* --- begin and end --- */

static u64 all_pgsizes(u32 ia_bits, u32 levels, u32 features)
{
	u64 sizes = 0;

	for (u32 level = 1; level <= min(levels, (u32)F_LEAF_LEVEL_MAX); level++) {
		u32 lg2 = SHIFT(level), run_lg2 = lg2 + f_contig_lg2(level);

		if (lg2 < ia_bits)
			sizes |= 1ULL << lg2;
		if (features & PT_CONTIG && run_lg2 > lg2 && run_lg2 < ia_bits)
			sizes |= 1ULL << run_lg2;
	}
	return sizes;
}

/* How many levels, and how many entries the top table has: its tables may be concatenated. */
static void shape(struct pt *pt, u32 ia_bits)
{
	u32 levels = max((u32)F_LEVELS_MIN, (ia_bits - F_PG_LG2 + F_BITS - 1) / F_BITS);
	s32 top = (s32)ia_bits - (s32)SHIFT(levels);

	if (levels > F_LEVELS_MIN && top > 0 && top <= F_CONCAT_LG2_MAX) {
		levels--;
		top += F_BITS;
	}
	pt->levels = levels;
	pt->root_entries = max(1ULL << max(top, 0), (u64)ENTRIES);
	pt->root_order = TABLE_ORDER + (top > F_BITS ? (u32)top - F_BITS : 0);
}

static int algo_init(struct pt *pt, const struct pt_cfg *cfg)
{
	u32 oa_bits = cfg->oa_bits ? cfg->oa_bits : F_OA_MAX, ia_bits = cfg->ia_bits;
	u64 sizes;

	if (ia_bits > F_IA_MAX || ia_bits <= F_PG_LG2 + 4 || oa_bits > F_OA_MAX || oa_bits < 32 ||
	    cfg->features & ~(u32)F_FEATURES)
		return -EINVAL;
	if (F_LOWER_HALF && ia_bits != 48 && ia_bits != 57)
		return -EINVAL;
	shape(pt, ia_bits);
	sizes = all_pgsizes(ia_bits, (u32)pt->levels, cfg->features);
	if (cfg->pgsizes & ~sizes || (cfg->pgsizes && !(cfg->pgsizes & TABLE_BYTES)))
		return -EINVAL;
	pt->pgsizes = cfg->pgsizes ? cfg->pgsizes : sizes;
	pt->ia_last = (1ULL << (ia_bits - F_LOWER_HALF)) - 1;
	pt->table_order = TABLE_ORDER;
	pt->oa_last = (1ULL << oa_bits) - 1;
	pt->features = cfg->features;
	pt->cursor = pt->upper = CURSOR_NONE;
	pt->root = frame_alloc(pt->world, (u32)pt->root_order, FRAME_SPAN);
	return pt->root ? 0 : -ENOMEM;
}

static void free_below(struct pt *pt, u64 *table, u32 level)
{
	struct frame_info *info = info_of(pt, table);

	for (u32 i = info->lo; level > 1 && i < info->hi; i++) {
		u64 e = READ_ONCE(table[i]), *below = table_at(pt, f_table_pa(e));

		if (!(e & F_PRESENT) || f_leaf(e, level))
			continue;
		free_below(pt, below, level - 1);
		table_free(pt, below);
	}
}

static void algo_destroy(struct pt *pt)
{
	free_below(pt, table_at(pt, pt->root), (u32)pt->levels);
	frame_free(pt->world, pt->root, (u32)pt->root_order);
}

extern const struct pt_fmt ALGO_FMT;
const struct pt_fmt ALGO_FMT = {
	.name = ALGO_STRING(F_NAME),
	.init = algo_init,
	.destroy = algo_destroy,
	.map = algo_map,
	.unmap = algo_unmap,
	.lookup = algo_lookup,
	.walk = algo_walk,
	.dirty = algo_dirty,
	.make_leaf = f_make_leaf,
};
