/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The algorithm's tables: where they are, how they are made, found and kept at
 * hand. Part of algo.h.
 *
 * Two cursors say where the last map or unmap has been: pt->cursor which leaf
 * table, pt->upper which table of level 2 (unless that is the root). Each is one
 * word, the range's number << 20 | the frame's number, so that it changes as one;
 * CURSOR_NONE belongs to no range. Whoever takes a table out of the tree empties
 * the cursor that names it.
 */
#pragma once

#include "core/pt/pt.h"
#include "sim/kapi/atomic.h"
#include "sim/kapi/errno.h"

#ifndef F_NAME
#include "core/pt/fmt/mock.h"
#endif

#define ALGO_GLUE_(name) pt_fmt_##name
#define ALGO_GLUE(name) ALGO_GLUE_(name)
#ifndef ALGO_FMT
#define ALGO_FMT ALGO_GLUE(F_NAME)
#endif
#define ALGO_STRING_(name) #name
#define ALGO_STRING(name) ALGO_STRING_(name)

#define ENTRIES (1u << F_BITS)
#define TABLE_ORDER (F_PG_LG2 - FRAME_LG2)
#define TABLE_BYTES (1UL << F_PG_LG2)
#define SHIFT(level) (F_PG_LG2 + ((level) - 1) * F_BITS)
#define CURSOR_SHIFT 20
#define CURSOR_FRAME ((1u << CURSOR_SHIFT) - 1)
#define CURSOR_NONE (~0ULL)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define APART __attribute__((noinline, unused))

/* Entries that hooked code writes between two moments of choice. */
#define CHUNK 8u

_Static_assert(FRAMES_N <= 1 << CURSOR_SHIFT, "the cursor holds a frame number");

static ALWAYS_INLINE u64 *table_at(const struct pt *pt, u64 pa)
{
	u64 *table = (u64 *)(pt->frames + pa);

	if (!table)
		__builtin_unreachable();
	return table;
}

static ALWAYS_INLINE u64 frame_of(const struct pt *pt, const u64 *table)
{
	return (u64)((const char *)table - pt->frames) >> FRAME_LG2;
}

static ALWAYS_INLINE struct frame_info *info_of(const struct pt *pt, const u64 *table)
{
	return &pt->info[frame_of(pt, table)];
}

static ALWAYS_INLINE u32 index_of(const struct pt *pt, u64 iova, u32 level)
{
	u64 i = iova >> SHIFT(level);

	return (u32)(level == pt->levels ? i : i & (ENTRIES - 1));
}

static ALWAYS_INLINE u32 entries_of(const struct pt *pt, u32 level)
{
	return level == pt->levels ? (u32)pt->root_entries : ENTRIES;
}

static ALWAYS_INLINE void flushed(const struct pt *pt, const u64 *entry, u32 n)
{
	if (unlikely(pt->flush))
		pt->flush(pt->arg, entry, n * sizeof(*entry));
}

static u64 *table_new(struct pt *pt, u32 flags)
{
	u64 pa = frame_alloc(pt->world, TABLE_ORDER, flags);

	return pa ? table_at(pt, pa) : NULL;
}

static void table_free(struct pt *pt, u64 *table)
{
	frame_free(pt->world, (u64)((char *)table - pt->frames), TABLE_ORDER);
}

/*
 * As cmpxchg(). Where no hooks are, nobody comes between: a world belongs to one
 * thread, and its tasks change only at hooks and in the floor's calls.
 */
static ALWAYS_INLINE u64 entry_exchange(u64 *entry, u64 old, u64 new)
{
	u64 e;

	if (IOMMULAB_HOOKS)
		return cmpxchg(entry, old, new);
	e = READ_ONCE(*entry);
	if (e == old)
		WRITE_ONCE(*entry, new);
	return e;
}

/*
 * The entry says that hardware sees the table: its maker set the bit once it had
 * been written back; who comes between does that work again.
 */
static void settle(struct pt *pt, u64 *entry, u64 e)
{
	if (e & F_SW_SYNC)
		return;
	flushed(pt, entry, 1);
	entry_exchange(entry, e, e | F_SW_SYNC);
}

/* Puts a table into an empty entry; the entry that is there now. */
static u64 install(struct pt *pt, u64 *entry, u64 *parent, u64 *table)
{
	u64 e = f_make_table((u64)((char *)table - pt->frames)), old;

	flushed(pt, table, ENTRIES);
	old = entry_exchange(entry, 0ULL, e);
	if (old)
		return old;
	info_of(pt, parent)->live++;
	frame_span(info_of(pt, parent), (u32)(entry - parent), (u32)(entry - parent) + 1);
	if (unlikely(pt->flush))
		settle(pt, entry, e);
	return e;
}

/* The table below entry, made if need be. NULL: *err says why. */
static APART u64 *table_make(struct pt *pt, u64 *entry, u64 *parent, int *err)
{
	u64 *table = table_new(pt, FRAME_SPAN), e;

	*err = -ENOMEM;
	if (!table)
		return NULL;
	e = install(pt, entry, parent, table);
	if (likely(f_table_pa(e) == (u64)((char *)table - pt->frames)))
		return table;
	/* Somebody was faster; what is there now may as well be a leaf. */
	table_free(pt, table);
	return NULL;
}

/* --- cursors --- */

static ALWAYS_INLINE u64 *cursor_get(const struct pt *pt, const u64 *cursor, u64 range)
{
	u64 c = READ_ONCE(*cursor);

	if (c >> CURSOR_SHIFT != range)
		return NULL;
	return table_at(pt, (c & CURSOR_FRAME) << FRAME_LG2);
}

static ALWAYS_INLINE void cursor_set(struct pt *pt, u64 *cursor, u64 range, const u64 *table)
{
	WRITE_ONCE(*cursor, range << CURSOR_SHIFT | frame_of(pt, table));
}

/* The table leaves the tree. */
static ALWAYS_INLINE void cursors_forget(struct pt *pt, u64 frame)
{
	if ((READ_ONCE(pt->cursor) & CURSOR_FRAME) == frame)
		WRITE_ONCE(pt->cursor, CURSOR_NONE);
	if ((READ_ONCE(pt->upper) & CURSOR_FRAME) == frame)
		WRITE_ONCE(pt->upper, CURSOR_NONE);
}

/* The table of level 2 that holds the entry of iova, if a cursor knows it. */
static ALWAYS_INLINE u64 *upper_quick(const struct pt *pt, u64 iova)
{
	return cursor_get(pt, &pt->upper, iova >> SHIFT(3));
}

/* The same of level 1, or one step below the cursor of level 2. */
static ALWAYS_INLINE u64 *leaf_quick(struct pt *pt, u64 iova)
{
	u64 *table = cursor_get(pt, &pt->cursor, iova >> SHIFT(2)), e;

	if (likely(table))
		return table;
	table = upper_quick(pt, iova);
	if (!table)
		return NULL;
	e = READ_ONCE(table[iova >> SHIFT(2) & (ENTRIES - 1)]);
	if (unlikely(!(e & F_PRESENT) || f_leaf(e, 2)))
		return NULL;
	table = table_at(pt, f_table_pa(e));
	cursor_set(pt, &pt->cursor, iova >> SHIFT(2), table);
	return table;
}

/* A walk for iova has come to this table. */
static ALWAYS_INLINE void passed(struct pt *pt, u64 iova, u64 *table, u32 level)
{
	if (level == 2 && pt->levels > 2)
		cursor_set(pt, &pt->upper, iova >> SHIFT(3), table);
	if (level == 1)
		cursor_set(pt, &pt->cursor, iova >> SHIFT(2), table);
}

/* The table of `level` that holds the entry of iova, made if need be. NULL: *err says why. */
static APART u64 *table_reach(struct pt *pt, u64 iova, u32 level, int *err)
{
	u64 *table = table_at(pt, pt->root), *entry;
	u32 at = (u32)pt->levels, shift = SHIFT(at);

	for (entry = &table[iova >> shift]; at > level;
	     entry = &table[iova >> shift & (ENTRIES - 1)]) {
		u64 *below, e;

		while (unlikely(!((e = READ_ONCE(*entry)) & F_PRESENT))) {
			below = table_make(pt, entry, table, err);
			if (!below && !(READ_ONCE(*entry) & F_PRESENT))
				return NULL;
		}
		if (unlikely(f_leaf(e, at))) {
			*err = -EEXIST;
			return NULL;
		}
		if (unlikely(pt->flush))
			settle(pt, entry, e);
		table = table_at(pt, f_table_pa(e));
		at--;
		shift -= F_BITS;
		passed(pt, iova, table, at);
	}
	return table;
}

/* The same if it is there, and no large page in its place. */
static APART u64 *table_find(struct pt *pt, u64 iova, u32 level)
{
	u64 *table = table_at(pt, pt->root);
	u32 at = (u32)pt->levels, shift = SHIFT(at);

	for (; at > level;) {
		u64 i = iova >> shift, e;

		e = READ_ONCE(table[at == pt->levels ? i : i & (ENTRIES - 1)]);
		if (!(e & F_PRESENT) || f_leaf(e, at))
			return NULL;
		table = table_at(pt, f_table_pa(e));
		at--;
		shift -= F_BITS;
		passed(pt, iova, table, at);
	}
	return table;
}
