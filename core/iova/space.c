// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bitmaps. Orders up to 6 are runs within a word; more words than one are
 * runs of `full` bits in an arena, more arenas than one in a region.
 */
#include "core/iova/iova.h"

#include "sim/kapi/errno.h"

#include <string.h>

#define WORD_LG2 6
#define ARENA (1ULL << IOVA_ARENA_LG2)
#define REGION (1ULL << IOVA_REGION_LG2)

/* Positions that are aligned to 2^order in a word. */
static const u64 aligned[IOVA_ORDERS] = {
	~0ULL, 0x5555555555555555ULL, 0x1111111111111111ULL, 0x0101010101010101ULL,
	0x0001000100010001ULL, 0x0000000100000001ULL, 1ULL,
};

/* A run of each order, from bit 0; how many pfns that are. */
static const u64 run_of[IOVA_ORDERS] = {1, 3, 15, 0xff, 0xffff, 0xffffffff, ~0ULL};
static const u64 pfns_in[IOVA_ORDERS] = {1, 2, 4, 8, 16, 32, 64};

/* The order of the run for so many pfns; NO_ORDER: a run within a word will not do. */
#define NO_ORDER IOVA_ORDERS
#define FOUR(x) x, x, x, x
static const u8 order_for[65] = {
	NO_ORDER, 0, 1, 2, 2, FOUR(3), FOUR(4), FOUR(4),
	FOUR(5), FOUR(5), FOUR(5), FOUR(5),
	FOUR(6), FOUR(6), FOUR(6), FOUR(6), FOUR(6), FOUR(6), FOUR(6), FOUR(6),
};

/* Keeps what is rare, and its registers, out of what is not. */
#define APART __attribute__((noinline))

/* n bits from the lowest; n in 1 to 64. */
static inline u64 low_bits(u64 n)
{
	return ~0ULL >> (64 - n);
}

/* First positions of the aligned free runs of 2^order in a word. */
static inline __attribute__((always_inline)) u64 runs_in(u64 word, u32 order)
{
	if (likely(!order))
		return word;
	for (u32 k = 0; k < order; k++)
		word &= word >> (1u << k);
	return word & aligned[order];
}

static inline u32 order_of(u64 n)
{
	return n <= 1 ? 0 : bit_highest(n - 1) + 1;
}

void iova_space_init(struct iova_space *s, u64 start_pfn, const struct iova_memory *memory)
{
	memset(s, 0, sizeof(*s));
	s->memory = memory;
	s->start_pfn = start_pfn;
}

void iova_space_fini(struct iova_space *s)
{
	for (u32 i = 0; i < s->n_regions; i++) {
		for (u32 k = 0; k < 64; k++) {
			if (s->region[i]->arena[k])
				s->memory->free(s->region[i]->arena[k]);
		}
		s->memory->free(s->region[i]);
	}
	s->n_regions = 0;
}

/* --- making regions and arenas --- */

/* Takes [first, last] of the arena, as far as it lies in it. */
static void arena_take(struct iova_arena *a, u64 base, u64 first, u64 last)
{
	first = max(first, base);
	last = min(last, base + ARENA - 1);
	for (u64 pfn = first; pfn <= last && first <= last;) {
		u32 word = (u32)(pfn - base) / 64, bit = pfn % 64;
		u64 n = min(last - pfn + 1, (u64)(64 - bit));

		a->free[word] &= ~(low_bits(n) << bit);
		a->full &= ~BIT_ULL(word);
		pfn += n;
	}
}

static void arena_reserve(const struct iova_space *s, struct iova_arena *a, u64 base)
{
	if (s->start_pfn > base)
		arena_take(a, base, base, s->start_pfn - 1);
	for (u32 i = 0; i < s->n_reserved; i++)
		arena_take(a, base, s->reserved[i].first, s->reserved[i].last);
}

static struct iova_arena *arena_make(struct iova_space *s, struct iova_region *r, u32 k)
{
	struct iova_arena *a = s->memory->alloc(sizeof(*a));

	if (!a)
		return NULL;
	memset(a, 0xff, sizeof(*a));
	arena_reserve(s, a, r->base + k * ARENA);
	r->arena[k] = a;
	return a;
}

static bool is_reserved(const struct iova_space *s, u64 first, u64 last)
{
	if (first < s->start_pfn)
		return true;
	for (u32 i = 0; i < s->n_reserved; i++) {
		if (s->reserved[i].first <= last && s->reserved[i].last >= first)
			return true;
	}
	return false;
}

/* The place among the regions for that base, which is the region's if it is there. */
static inline u32 region_place(const struct iova_space *s, u64 base)
{
	u32 i = 0;

	while (i < s->n_regions && s->region[i]->base > base)
		i++;
	return i;
}

/* The region that pfn lies in, or NULL. */
static inline struct iova_region *region_of(const struct iova_space *s, u64 pfn)
{
	u64 base = pfn & ~(REGION - 1);
	u32 at = region_place(s, base);

	return at < s->n_regions && s->region[at]->base == base ? s->region[at] : NULL;
}

static inline u32 arena_index(u64 pfn)
{
	return (u32)(pfn >> IOVA_ARENA_LG2) % 64;
}

static inline u32 word_index(u64 pfn)
{
	return pfn / 64 % 64;
}

static struct iova_region *region_make(struct iova_space *s, u64 base)
{
	u32 at = region_place(s, base);
	struct iova_region *r;

	if (s->n_regions == IOVA_REGIONS_MAX)
		return NULL;
	r = s->memory->alloc(sizeof(*r));
	if (!r)
		return NULL;
	r->base = base;
	r->words = r->full = ~0ULL;
	memset(r->may, 0xff, sizeof(r->may));
	for (u32 k = 0; k < 64; k++) {
		u64 first = base + k * ARENA;

		if (is_reserved(s, first, first + ARENA - 1))
			r->full &= ~BIT_ULL(k);
	}
	memmove(&s->region[at + 1], &s->region[at], (s->n_regions - at) * sizeof(s->region[0]));
	s->region[at] = r;
	s->n_regions++;
	for (u32 k = 0; k < IOVA_ORDERS; k++)
		s->hint[k] = min(s->hint[k], (u64)at);
	return r;
}

/* --- allocation --- */

/* Arenas that [base, limit] holds as a whole, and, if `partly`, the one that it ends in. */
static inline u64 arenas_below(const struct iova_region *r, u64 limit, bool partly)
{
	u64 n;

	if (limit - r->base >= REGION - 1)
		return ~0ULL;
	n = (limit - r->base + 1 + (partly ? ARENA - 1 : 0)) >> IOVA_ARENA_LG2;
	return n ? low_bits(n) : 0;
}

static inline u64 words_below(u64 base, u64 limit, bool partly)
{
	u64 n;

	if (limit - base >= ARENA - 1)
		return ~0ULL;
	n = (limit - base + 1 + (partly ? 63 : 0)) >> WORD_LG2;
	return n ? low_bits(n) : 0;
}

/* A run of 2^order within one word of the arena. */
static inline u64 arena_alloc(struct iova_arena *a, u64 base, u32 order, u64 limit)
{
	u64 words = a->may[order] & words_below(base, limit, true);

	while (words) {
		u32 i = bit_highest(words), bit;
		u64 first = base + i * 64, runs = runs_in(a->free[i], order);
		bool whole = limit - first >= 63;

		if (!whole)
			runs &= low_bits(limit - first + 1) >> ((1u << order) - 1);
		if (runs) {
			bit = bit_highest(runs);
			a->free[i] &= ~(low_bits(1ULL << order) << bit);
			a->may[order] &= ~((u64)(whole && !runs_in(a->free[i], order)) << i);
			a->full &= ~BIT_ULL(i);
			return first + bit;
		}
		if (whole)
			a->may[order] &= ~BIT_ULL(i);
		words &= ~BIT_ULL(i);
	}
	return IOVA_NONE;
}

static inline u64 region_alloc(struct iova_space *s, struct iova_region *r, u32 order, u64 limit)
{
	u64 arenas = r->may[order] & arenas_below(r, limit, true);

	while (arenas) {
		u32 k = bit_highest(arenas);
		struct iova_arena *a = r->arena[k];
		u64 base = r->base + k * ARENA, pfn;

		if (!a)
			a = arena_make(s, r, k);
		if (!a)
			return IOVA_NONE;
		pfn = arena_alloc(a, base, order, limit);
		if (pfn != IOVA_NONE) {
			r->full &= ~BIT_ULL(k);
			return pfn;
		}
		if (!a->may[order])
			r->may[order] &= ~BIT_ULL(k);
		arenas &= ~BIT_ULL(k);
	}
	return IOVA_NONE;
}

/* The highest position of n set bits in a row, aligned to n rounded up; 64 = none. */
static u32 find_run(u64 bits, u64 n)
{
	u32 order = order_of(n);

	bits = runs_in(bits, order);
	if (!bits)
		return 64;
	return bit_highest(bits);
}

/* n words of one arena. */
static u64 region_alloc_words(struct iova_space *s, struct iova_region *r, u64 n, u64 limit)
{
	u64 arenas = r->words & arenas_below(r, limit, true);

	for (; arenas; arenas &= ~BIT_ULL(bit_highest(arenas))) {
		u32 k = bit_highest(arenas), i;
		u64 base = r->base + k * ARENA;
		struct iova_arena *a = r->arena[k] ? r->arena[k] : arena_make(s, r, k);

		if (!a)
			return IOVA_NONE;
		if (!a->full) {
			r->words &= ~BIT_ULL(k);
			continue;
		}
		i = find_run(a->full & words_below(base, limit, false), n);
		if (i == 64)
			continue;
		memset(&a->free[i], 0, n * sizeof(u64));
		a->full &= ~(low_bits(n) << i);
		r->full &= ~BIT_ULL(k);
		return base + i * 64;
	}
	return IOVA_NONE;
}

/* n arenas of the region: these do without their records. */
static u64 region_alloc_arenas(struct iova_space *s, struct iova_region *r, u64 n, u64 limit)
{
	u32 k = find_run(r->full & arenas_below(r, limit, false), n);
	u64 mask;

	if (k == 64)
		return IOVA_NONE;
	mask = low_bits(n) << k;
	for (u64 left = mask; left; left &= left - 1) {
		u32 i = bit_lowest(left);

		if (r->arena[i])
			s->memory->free(r->arena[i]);
		r->arena[i] = NULL;
	}
	r->full &= ~mask;
	r->words &= ~mask;
	for (u32 order = 0; order < IOVA_ORDERS; order++)
		r->may[order] &= ~mask;
	return r->base + k * ARENA;
}

static inline u64 alloc_in(struct iova_space *s, struct iova_region *r, u64 size, u64 limit)
{
	if (size <= 64)
		return region_alloc(s, r, order_of(size), limit);
	if (size <= ARENA)
		return region_alloc_words(s, r, (size + 63) / 64, limit);
	return region_alloc_arenas(s, r, (size + ARENA - 1) / ARENA, limit);
}

static inline u64 rounded(u64 size)
{
	if (size <= 64)
		return 1ULL << order_of(size);
	return size <= ARENA ? ALIGN(size, 64) : ALIGN(size, ARENA);
}

/* From the region that the limit lies in, downwards; those that are not there are made. */
static u64 alloc_from_top(struct iova_space *s, u64 size, u64 limit)
{
	u64 base = limit & ~(REGION - 1);

	for (;; base -= REGION) {
		u32 at = region_place(s, base);
		struct iova_region *r = at < s->n_regions ? s->region[at] : NULL;
		u64 pfn;

		if (!r || r->base != base)
			r = region_make(s, base);
		if (!r)
			return IOVA_NONE;
		pfn = alloc_in(s, r, size, limit);
		if (pfn != IOVA_NONE || base <= s->start_pfn || !base)
			return pfn;
	}
}

static void settle_all(struct iova_space *s);

/* By the bitmaps. */
static u64 by_bitmaps(struct iova_space *s, u64 size, u64 limit)
{
	u64 pfn = IOVA_NONE, order = order_of(size);

	/* The common case: some region wholly below the limit has it. */
	if (order < IOVA_ORDERS && s->n_regions &&
	    limit >= s->region[0]->base + (REGION - 1) &&
	    limit - s->region[0]->base < 2 * REGION) {
		for (u64 i = s->hint[order]; i < s->n_regions && pfn == IOVA_NONE; i++) {
			pfn = region_alloc(s, s->region[i], (u32)order, limit);
			s->hint[order] = i;
			s->hint_most = max(s->hint_most, i);
		}
	}
	if (pfn == IOVA_NONE) {
		settle_all(s);
		pfn = alloc_from_top(s, size, limit);
	}
	return pfn;
}

static inline bool is_taken(const struct iova_recent *recent)
{
	return ~*recent->word & recent->mask;
}

/* None is at hand, or it will not do. */
static APART u64 alloc_slow(struct iova_space *s, u64 size, u64 limit)
{
	u32 order = order_of(size);
	u64 pfn, n;

	if (!size || size > REGION || limit < s->start_pfn)
		return IOVA_NONE;
	if (order < IOVA_ORDERS && s->n_recent[order]) {
		for (n = s->n_recent[order]; n && is_taken(&s->recent[order][n - 1]);)
			n--;
		if (n != s->n_recent[order]) {
			s->n_recent[order] = n;
			return iova_space_alloc(s, size, limit);
		}
	}
	pfn = by_bitmaps(s, size, limit);
	if (pfn != IOVA_NONE)
		s->in_use += rounded(size);
	return pfn;
}

/* The word was free as a whole, and the levels above may know it. */
static APART u64 no_longer_full(struct iova_space *s, u64 pfn)
{
	struct iova_region *r = region_of(s, pfn);
	u32 k = arena_index(pfn);

	r->arena[k]->full &= ~BIT_ULL(word_index(pfn));
	r->full &= ~BIT_ULL(k);
	return pfn;
}

u64 iova_space_alloc(struct iova_space *s, u64 size, u64 limit)
{
	struct iova_recent *recent;
	u64 n, word;
	u32 order;

	if (unlikely(size > 64))
		return alloc_slow(s, size, limit);
	order = order_for[size];
	if (unlikely(order == NO_ORDER || !s->n_recent[order]))
		return alloc_slow(s, size, limit);
	n = s->n_recent[order] - 1;
	recent = &s->recent[order][n];
	word = *recent->word;
	/* Others may have found it by way of the bitmaps. */
	if (unlikely(recent->last > limit || ~word & recent->mask))
		return alloc_slow(s, size, limit);
	s->n_recent[order] = n;
	*recent->word = word ^ recent->mask;
	s->in_use += pfns_in[order];
	if (unlikely(word == ~0ULL))
		return no_longer_full(s, recent->last - pfns_in[order] + 1);
	return recent->last - pfns_in[order] + 1;
}

/* --- release --- */

/*
 * Tells the levels above of free runs in a word. No branches on what is free in
 * it: under churn they would be as good as random.
 */
static inline void arena_tell(struct iova_region *r, u32 k, u32 i)
{
	struct iova_arena *a = r->arena[k];
	u64 word = a->free[i], w = word;
	u64 was = a->may[0] & a->may[1] & a->may[2] & a->may[3];

	a->may[0] |= (u64)(w != 0) << i;
	w &= w >> 1 & aligned[1];
	a->may[1] |= (u64)(w != 0) << i;
	w &= w >> 2 & aligned[2];
	a->may[2] |= (u64)(w != 0) << i;
	w &= w >> 4 & aligned[3];
	a->may[3] |= (u64)(w != 0) << i;
	w &= w >> 8 & aligned[4];
	a->may[4] |= (u64)(w != 0) << i;
	w &= w >> 16 & aligned[5];
	a->may[5] |= (u64)(w != 0) << i;
	a->may[6] |= (u64)(word == ~0ULL) << i;
	if (unlikely(!was)) {
		for (u32 o = 0; o < 4; o++)
			r->may[o] |= (u64)(a->may[o] != 0) << k;
	}
	r->may[4] |= (u64)(a->may[4] != 0) << k;
	r->may[5] |= (u64)(a->may[5] != 0) << k;
	r->may[6] |= (u64)(a->may[6] != 0) << k;
	a->full |= (u64)(word == ~0ULL) << i;
	r->words |= (u64)(a->full != 0) << k;
	r->full |= (u64)(a->full == ~0ULL) << k;
}

/* The first n of the runs that were freed lately are told of above. */
static APART void settle(struct iova_space *s, u32 order, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		u64 pfn = s->recent[order][i].last;
		u32 at = region_place(s, pfn & ~(REGION - 1));

		arena_tell(s->region[at], arena_index(pfn), word_index(pfn));
		if (at < s->hint_most) {
			for (u32 o = 0; o < IOVA_ORDERS; o++)
				s->hint[o] = min(s->hint[o], (u64)at);
			s->hint_most = at;
		}
	}
	s->n_recent[order] -= n;
	memmove(s->recent[order], s->recent[order] + n,
		s->n_recent[order] * sizeof(s->recent[order][0]));
}

static void settle_all(struct iova_space *s)
{
	for (u32 order = 0; order < IOVA_ORDERS; order++) {
		if (s->n_recent[order])
			settle(s, order, s->n_recent[order]);
	}
}

static void arena_free_words(struct iova_region *r, u32 k, struct iova_arena *a, u32 i, u64 n)
{
	memset(&a->free[i], 0xff, n * sizeof(u64));
	for (u32 o = 0; o < IOVA_ORDERS; o++) {
		a->may[o] |= low_bits(n) << i;
		r->may[o] |= BIT_ULL(k);
	}
	a->full |= low_bits(n) << i;
	r->words |= BIT_ULL(k);
	if (a->full == ~0ULL)
		r->full |= BIT_ULL(k);
}

static bool words_in_use(const struct iova_arena *a, u32 i, u64 n)
{
	for (u64 w = i; w < i + n; w++) {
		if (a->free[w])
			return false;
	}
	return true;
}

/* More than a word of it. */
static bool region_free(struct iova_region *r, u64 at, u64 size)
{
	u32 k = (u32)(at >> IOVA_ARENA_LG2), bit = (u32)(at & (ARENA - 1));
	struct iova_arena *a = r->arena[k];

	if (size > ARENA) {
		u64 n = (size + ARENA - 1) / ARENA, mask;

		if (bit || k + n > 64)
			return false;
		mask = low_bits(n) << k;
		if ((r->full | r->words) & mask || a)
			return false;
		r->full |= mask;
		r->words |= mask;
		for (u32 o = 0; o < IOVA_ORDERS; o++)
			r->may[o] |= mask;
		return true;
	}
	if (a) {
		u64 n = (size + 63) / 64;

		if (bit % 64 || bit / 64 + n > 64 || !words_in_use(a, bit / 64, n))
			return false;
		arena_free_words(r, k, a, bit / 64, n);
		return true;
	}
	return false;
}

/* A run within a word is noted only: the next allocation of its size likely asks for it. */
static inline bool free_run(struct iova_space *s, struct iova_region *r, u64 pfn, u32 order)
{
	u64 mask = run_of[order] << pfn % 64, n = s->n_recent[order], *word;
	struct iova_arena *a = r->arena[arena_index(pfn)];
	struct iova_recent *recent = &s->recent[order][n];

	if (unlikely(!a || pfn & (pfns_in[order] - 1)))
		return false;
	word = &a->free[word_index(pfn)];
	if (unlikely(*word & mask))
		return false;
	*word |= mask;
	*recent = (struct iova_recent){pfn + pfns_in[order] - 1, mask, word};
	s->n_recent[order] = n + 1;
	s->in_use -= pfns_in[order];
	return true;
}

static APART bool free_slow(struct iova_space *s, u64 pfn, u64 size)
{
	u64 base = pfn & ~(REGION - 1);
	u32 at = region_place(s, base), order = order_of(size);

	if (!size || size > REGION || at == s->n_regions || s->region[at]->base != base)
		return false;
	if (order < IOVA_ORDERS) {
		if (s->n_recent[order] == IOVA_RECENT)
			settle(s, order, IOVA_RECENT / 2);
		return free_run(s, s->region[at], pfn, order);
	}
	if (!region_free(s->region[at], pfn - base, size))
		return false;
	if (at < s->hint_most) {
		for (u32 k = 0; k < IOVA_ORDERS; k++)
			s->hint[k] = min(s->hint[k], (u64)at);
		s->hint_most = at;
	}
	s->in_use -= rounded(size);
	return true;
}

bool iova_space_free(struct iova_space *s, u64 pfn, u64 size)
{
	struct iova_region *r = s->region[0]; /* most spaces have one */
	u32 order;

	if (unlikely(size > 64 || !r || r->base != (pfn & ~(REGION - 1))))
		return free_slow(s, pfn, size);
	order = order_for[size];
	if (unlikely(order == NO_ORDER || s->n_recent[order] == IOVA_RECENT))
		return free_slow(s, pfn, size);
	return free_run(s, r, pfn, order);
}

/* --- reserved ranges --- */

static bool region_takes(struct iova_space *s, struct iova_region *r, u64 first, u64 last)
{
	for (u32 k = 0; k < 64; k++) {
		u64 base = r->base + k * ARENA;

		if (base > last || base + ARENA - 1 < first)
			continue;
		if (r->arena[k])
			arena_take(r->arena[k], base, first, last);
		else if (!(r->full & BIT_ULL(k)) && !is_reserved(s, base, base + ARENA - 1))
			return false; /* handed out as a whole */
		r->full &= ~BIT_ULL(k);
	}
	return true;
}

static bool in_use(const struct iova_space *s, u64 first, u64 last)
{
	for (u32 i = 0; i < s->n_regions; i++) {
		const struct iova_region *r = s->region[i];

		for (u64 pfn = max(first, r->base); pfn <= min(last, r->base + REGION - 1); pfn++) {
			const struct iova_arena *a = r->arena[(pfn - r->base) / ARENA];

			if (a && !(a->free[pfn % ARENA / 64] >> pfn % 64 & 1) &&
			    !is_reserved(s, pfn, pfn))
				return true;
		}
	}
	return false;
}

int iova_space_reserve(struct iova_space *s, u64 first, u64 last)
{
	if (last < first)
		return -EINVAL;
	if (s->n_reserved == IOVA_RESERVED_MAX || in_use(s, first, last))
		return -ENOSPC;
	settle_all(s);
	for (u32 i = 0; i < s->n_regions; i++) {
		if (!region_takes(s, s->region[i], first, last))
			return -ENOSPC;
	}
	s->reserved[s->n_reserved].first = first;
	s->reserved[s->n_reserved].last = last;
	s->n_reserved++;
	return 0;
}
