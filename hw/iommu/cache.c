// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills, drops, growth and reset of the cache; cache_layout.h says how it lies.
 */
#include "hw/iommu/cache_layout.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define INFINITE_LG2_SETS 7
#define ENTRIES_MIN 64u
#define ENTRIES_MAX (1u << 20)
#define TINY_WAYS 4

void *cache_alloc(size_t n, size_t size)
{
	size_t bytes = (n * size + 63) & ~(size_t)63;
	void *p = hw_aligned_alloc(64, bytes);

	sim_assert(p);
	return memset(p, 0, bytes);
}

/* --- options --- */

struct option_word {
	const char *word;
	u32 value;
};

static int option_of(const struct option_word *w, const char *value)
{
	for (; w->word; w++) {
		if (strcmp(w->word, value) == 0)
			return (int)w->value;
	}
	return -1;
}

static int entries_of(struct hw_cache_policy *p, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || n < ENTRIES_MIN || n > ENTRIES_MAX ||
	    (n & (n - 1)))
		return -1;
	p->entries = (u32)n;
	p->says_entries = true;
	return 1;
}

const char *hw_option_twice(const char *options, size_t *len)
{
	for (const char *at = options, *next; at && *at; at = next) {
		const char *end = strchr(at, ',');

		next = end ? end + 1 : NULL;
		*len = strcspn(at, "=,");
		for (const char *old = options; *len && old < at; old = strchr(old, ',') + 1) {
			if (strcspn(old, "=,") == *len && !memcmp(old, at, *len))
				return at;
		}
	}
	return NULL;
}

int hw_cache_option(struct hw_cache_policy *p, const char *key, const char *value)
{
	static const struct option_word kinds[] = {{"infinite", HW_CACHE_INFINITE},
						   {"sets", HW_CACHE_SETS},
						   {"tiny", HW_CACHE_TINY},
						   {"none", HW_CACHE_NONE},
						   {NULL, 0}};
	static const struct option_word how[] = {
		{"lru", HW_REPLACE_LRU}, {"random", HW_REPLACE_RANDOM}, {NULL, 0}};
	static const struct option_word flags[] = {{"0", 0}, {"1", 1}, {NULL, 0}};
	struct {
		const char *key;
		bool *flag;
	} flag[] = {{"prefetch", &p->prefetch},
		    {"speculate", &p->speculate},
		    {"negative", &p->negative},
		    {"provenance", &p->provenance}};
	int v;

	if (strcmp(key, "entries") == 0)
		return entries_of(p, value);
	if (strcmp(key, "cache") == 0) {
		v = option_of(kinds, value);
		p->kind = v < 0 ? p->kind : (enum hw_cache_kind)v;
		return v < 0 ? -1 : 1;
	}
	if (strcmp(key, "replace") == 0) {
		v = option_of(how, value);
		p->replace = v < 0 ? p->replace : (enum hw_cache_replace)v;
		p->says_replace = true;
		return v < 0 ? -1 : 1;
	}
	for (u32 i = 0; i < ARRAY_SIZE(flag); i++) {
		if (strcmp(key, flag[i].key) != 0)
			continue;
		v = option_of(flags, value);
		*flag[i].flag = v < 0 ? *flag[i].flag : v;
		return v < 0 ? -1 : 1;
	}
	return 0;
}

const char *hw_cache_contradiction(const struct hw_cache_policy *p)
{
	bool none = p->kind == HW_CACHE_NONE;

	if (p->says_entries && p->kind != HW_CACHE_SETS)
		return "entries needs cache=sets";
	if (p->says_replace && (none || p->kind == HW_CACHE_INFINITE))
		return "replace needs cache=sets or cache=tiny";
	if (none && (p->prefetch || p->speculate || p->negative))
		return "prefetch, speculate and negative need a cache";
	return NULL;
}

/* --- its memory --- */

static void free_slots(struct hw_cache *c)
{
	hw_free(c->block);
}

/* At least two sets: a scan looks at two of them at once. One block: see hw_block_alloc(). */
static void alloc_slots(struct hw_cache *c, u32 lg2_sets)
{
	u32 sets = 1u << lg2_sets, room = max(sets, 2u);
	struct {
		void *at;
		size_t bytes;
	} part[] = {{&c->set, sizeof(*c->set)},
		    {&c->slot, WAYS * sizeof(*c->slot)},
		    {&c->addr, WAYS * sizeof(*c->addr)},
		    {&c->column, WAYS * sizeof(*c->column)},
		    {&c->touched_bit, sizeof(u64) / 8},
		    {&c->touched, sizeof(*c->touched)},
		    {&c->extra, WAYS * sizeof(*c->extra)}};
	size_t bytes = 0;
	char *block;

	for (u32 i = 0; i < ARRAY_SIZE(part); i++)
		bytes += ALIGN(part[i].bytes * room + 64, 64ULL);
	block = hw_block_alloc(bytes);
	sim_assert(block);
	c->block = block;
	for (u32 i = 0; i < ARRAY_SIZE(part); i++) {
		memcpy(part[i].at, &block, sizeof(block));
		block += ALIGN(part[i].bytes * room + 64, 64ULL);
	}
	c->set_mask = sets - 1;
	c->shift = c->grows ? 64 - lg2_sets : 0;
	c->far = !c->grows && c->set_mask >= (1u << TAG_SHIFT) - 1 ? 1ULL << TAG_BITS : 0;
	c->n_slots = sets * WAYS;
	c->n_touched = 0;
	c->used = 0;
}

static void clear_touched(struct hw_cache *c)
{
	for (u32 i = 0; i < c->n_touched; i++) {
		u32 set = c->touched[i];

		c->set[set] = (struct cache_set){0};
		memset(c->column + (size_t)set * WAYS, 0, WAYS * sizeof(*c->column));
		c->touched_bit[set / 64] = 0;
	}
	c->n_touched = 0;
	c->used = 0;
}

struct hw_cache *hw_cache_create(struct hw_env *e, const char *name,
				 const struct hw_cache_policy *policy)
{
	struct hw_cache *c = hw_calloc(1, sizeof(*c));
	u32 lg2_sets = 0;

	sim_assert(c);
	c->env = e;
	c->name = name;
	c->policy = *policy;
	c->ways = policy->kind == HW_CACHE_TINY ? TINY_WAYS : WAYS;
	c->grows = policy->kind == HW_CACHE_INFINITE;
	c->keeps_age = !c->grows && policy->replace == HW_REPLACE_LRU;
	c->usual = c->grows || policy->kind == HW_CACHE_SETS;
	c->plain = c->usual && !policy->provenance;
	c->probe = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ?
			   &cache_probe_avx2 : &cache_probe_scalar;
	if (c->grows)
		lg2_sets = INFINITE_LG2_SETS;
	if (policy->kind == HW_CACHE_SETS) {
		u32 n = policy->entries;

		sim_assert(n >= ENTRIES_MIN && n <= ENTRIES_MAX && !(n & (n - 1)));
		lg2_sets = (u32)__builtin_ctz(n / WAYS);
	}
	alloc_slots(c, lg2_sets);
	hw_cache_reset(c);
	return c;
}

void hw_cache_destroy(struct hw_cache *c)
{
	if (!c)
		return;
	free_slots(c);
	hw_free(c->space);
	hw_free(c->head);
	hw_free(c->scratch);
	hw_free(c->log.rec);
	hw_free(c->log.word);
	hw_free(c);
}

static void has_second_words(struct hw_cache *c, bool has)
{
	u32 full = c->plain && c->keeps_age ? c->n_slots : 0xffffffffu;

	c->has_extra = has;
	c->full = has ? 0xffffffffu : full;
	c->full_second = has ? full : 0xffffffffu;
}

void hw_cache_reset(struct hw_cache *c)
{
	clear_touched(c);
	cache_spaces_reset(c);
	c->serial = 0;
	c->live = 0;
	has_second_words(c, false);
	c->random = 1;
	c->log.n_recs = 0;
	c->log.n_words = 0;
}

void hw_cache_scalar(struct hw_cache *c)
{
	c->probe = &cache_probe_scalar;
}

/* --- all that live --- */

static int by_number(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

u64 *cache_scratch(struct hw_cache *c, u32 n)
{
	if (c->scratch_max < n) {
		hw_free(c->scratch);
		c->scratch_max = (size_t)n * 2;
		c->scratch = cache_alloc(c->scratch_max, sizeof(*c->scratch));
	}
	return c->scratch;
}

u32 cache_gather(struct hw_cache *c)
{
	u32 n = 0;

	cache_scratch(c, c->live);
	for (u32 i = 0; i < c->n_touched; i++) {
		u32 first = c->touched[i] * WAYS;

		for (u32 slot = first; slot < first + WAYS; slot++) {
			if (*cache_tag(c, slot) > TAG_GONE && cache_alive(c, slot))
				c->scratch[n++] = (u64)c->slot[slot].id << 32 | slot;
		}
	}
	sim_assert(n == c->live);
	if (n)
		qsort(c->scratch, n, sizeof(*c->scratch), by_number);
	return n;
}

/* Ids are used up: those that live get the first ones. Dead ones must not look alive. */
static void renumber(struct hw_cache *c)
{
	u32 n = cache_gather(c);

	cache_log_clean(c);
	for (u32 i = 0; i < c->n_touched; i++) {
		u32 first = c->touched[i] * WAYS;

		for (u32 slot = first; slot < first + WAYS; slot++) {
			if (*cache_tag(c, slot) <= TAG_GONE || cache_alive(c, slot))
				continue;
			*cache_tag(c, slot) = c->grows ? TAG_GONE : TAG_EMPTY;
			c->used -= !c->grows;
		}
	}
	c->version++;
	for (u32 i = 1; i <= c->n_spaces; i++)
		c->space[i].floor = 0;
	for (u32 i = 0; i < n; i++)
		c->slot[(u32)c->scratch[i]].id = i + 1;
	c->serial = n;
	cache_log_renumber(c);
}

void hw_cache_wind(struct hw_cache *c, u32 serial, u32 epoch)
{
	sim_assert(!c->live && serial >= c->serial && epoch >= c->epoch);
	c->version++;
	c->serial = serial;
	c->epoch = epoch;
}

/* --- slots for new entries --- */

static void occupy(struct hw_cache *c, u32 slot, u64 key)
{
	cache_set_touched(c, slot / WAYS);
	c->used += *cache_tag(c, slot) == TAG_EMPTY;
	*cache_tag(c, slot) = cache_tag_of(key);
}

static void put(struct hw_cache *c, u32 slot, const struct hw_cache_entry *e)
{
	c->slot[slot] = (struct cache_slot){
		e->value, e->id, cache_slot_key(c, e->space, e->addr >> e->lg2, e->lg2)};
	cache_keep_addr(c, slot, e->addr);
	c->column[slot] = (u16)e->space;
	if (e->extra && !c->has_extra) {
		/* So far nobody has kept them. */
		has_second_words(c, true);
		for (u32 i = 0; i < c->n_touched; i++) {
			u64 *extra = c->extra + (size_t)c->touched[i] * WAYS;

			memset(extra, 0, WAYS * sizeof(*extra));
		}
	}
	if (c->has_extra)
		c->extra[slot] = e->extra;
}

static u32 open_slot(struct hw_cache *c, u64 key)
{
	for (u32 set = cache_set(c, key);; set = (set + 1) & c->set_mask) {
		const u32 *tags = c->set[set].tag;
		u32 m = c->probe->match(tags, TAG_EMPTY) | c->probe->match(tags, TAG_GONE);

		if (m)
			return set * WAYS + (u32)__builtin_ctz(m);
	}
}

/* Puts all that live into a table in which they fill at most three eighths. */
static void rehash(struct hw_cache *c)
{
	u32 n = cache_gather(c), lg2_sets = (u32)__builtin_ctz(c->n_slots / WAYS);
	struct hw_cache_entry *e = hw_malloc((n + 1) * sizeof(*e));

	sim_assert(e);
	for (u32 i = 0; i < n; i++)
		e[i] = cache_entry(c, (u32)c->scratch[i]);
	if ((u64)n * 8 > (u64)c->n_slots * 3) {
		free_slots(c);
		alloc_slots(c, lg2_sets + 1);
	} else {
		clear_touched(c);
	}
	for (u32 i = 0; i < n; i++) {
		u64 key = cache_key(&c->space[e[i].space], e[i].addr >> e[i].lg2, e[i].lg2);
		u32 slot = open_slot(c, key);

		occupy(c, slot, key);
		put(c, slot, &e[i]);
	}
	hw_free(e);
}

static u32 choose_way(struct hw_cache *c)
{
	if (c->env && c->env->choose)
		return c->env->choose(c->env, c->ways);
	c->random = cache_mix(c->random);
	return (u32)(c->random % c->ways);
}

/* The way that all others are younger than: its row is empty. */
static u32 oldest_way(const struct hw_cache *c, u32 set)
{
	u64 used = c->set[set].age;
	u32 oldest = 0, least = WAYS + 1;

	if (c->ways == WAYS) {
		u64 empty = (used - 0x0101010101010101ULL) & ~used & 0x8080808080808080ULL;

		if (likely(empty))
			return (u32)__builtin_ctzll(empty) / 8;
	}
	for (u32 way = 0; way < c->ways; way++) {
		u64 row = used >> (8 * way) & ((1u << c->ways) - 1);
		u32 older = (u32)__builtin_popcountll(row);

		if (older < least) {
			least = older;
			oldest = way;
		}
	}
	return oldest;
}

static u32 set_slot(struct hw_cache *c, u64 key)
{
	u32 set = cache_set(c, key), first = set * WAYS, all = (1u << c->ways) - 1;
	u32 m = c->probe->match(c->set[set].tag, TAG_EMPTY) & all;
	u32 way;

	if (m)
		return first + (u32)__builtin_ctz(m);
	for (way = 0; c->used > c->live && way < c->ways; way++) {
		if (!cache_alive(c, first + way))
			return first + way;
	}
	way = c->keeps_age ? oldest_way(c, set) : choose_way(c);
	cache_kill(c, first + way);
	return first + way;
}

static u32 new_slot(struct hw_cache *c, u64 key)
{
	if (!c->grows)
		return set_slot(c, key);
	if ((u64)(c->used + 1) * 4 > (u64)c->n_slots * 3)
		rehash(c);
	return open_slot(c, key);
}

static __attribute__((noinline)) u32 fill_slow(struct hw_cache *c, const struct hw_cache_entry *e)
{
	struct cache_space *s = &c->space[e->space];
	struct hw_cache_entry new = *e;
	u64 vpn = e->addr >> e->lg2;
	u32 slot;

	if (c->serial == 0xffffffffu)
		renumber(c);
	if (c->policy.kind == HW_CACHE_NONE)
		return ++c->serial;
	cache_revive(c, s);
	slot = c->probe->exact(c, e->space, vpn, e->lg2);
	if (slot == NO_SLOT) {
		u64 key = cache_key(s, vpn, e->lg2);

		slot = new_slot(c, key);
		occupy(c, slot, key);
		cache_size_used(c, s, e->lg2);
		s->live++;
		c->live++;
	}
	new.addr = vpn << e->lg2;
	new.id = ++c->serial;
	put(c, slot, &new);
	if (c->keeps_age)
		cache_touch(c, slot);
	return c->serial;
}

u32 hw_cache_fill(struct hw_cache *c, const struct hw_cache_entry *e,
		  const struct hw_cache_word *prov, u32 n)
{
	u32 id;

	sim_assert(e->space && e->space <= c->n_spaces && e->lg2 < 64);
	id = c->probe->fill(c, e);
	if (unlikely(!id))
		id = fill_slow(c, e);
	if (c->policy.provenance && c->policy.kind != HW_CACHE_NONE) {
		struct hw_cache_entry new = *e;

		new.addr = e->addr >> e->lg2 << e->lg2;
		new.id = id;
		cache_log_add(c, &new, prov, n);
	}
	return id;
}

void hw_cache_fill_around(struct hw_cache *c, u32 space, u64 addr, u32 n, const u8 *lg2,
			  const u64 *value)
{
	sim_assert(space && space <= c->n_spaces && !c->policy.provenance);
	for (u32 i = c->probe->around(c, space, addr, n, lg2, value); i < n; i++) {
		struct hw_cache_entry e = {.value = value[i], .addr = addr, .space = space,
					   .lg2 = lg2[i]};

		hw_cache_fill(c, &e, NULL, 0);
	}
}

/* --- look-up and drops --- */

const struct hw_cache_entry *hw_cache_find(struct hw_cache *c, u32 space, u64 addr)
{
	/* Mostly it is asked for in vain where nothing is. */
	return c->space[space].live ? c->probe->find(c, space, addr) : NULL;
}

void hw_cache_drop_range(struct hw_cache *c, u32 space, u64 addr, u64 last)
{
	const struct cache_space *s = &c->space[space];

	if (s->epoch == c->epoch && s->live)
		c->probe->drop(c, space, addr, last);
}

void hw_cache_drop_if(struct hw_cache *c,
		      bool (*fn)(void *arg, const struct hw_cache_entry *e, u64 tag), void *arg)
{
	u32 n = c->live ? cache_gather(c) : 0;

	for (u32 i = 0; i < n; i++) {
		u32 slot = (u32)c->scratch[i];
		struct hw_cache_entry e = cache_entry(c, slot);

		if (fn(arg, &e, c->space[e.space].tag))
			cache_kill(c, slot);
	}
}

void hw_cache_drop_one_if(struct hw_cache *c, u32 space, u64 addr,
			  bool (*fn)(void *arg, const struct hw_cache_entry *e, u64 tag),
			  void *arg)
{
	u32 slot = c->probe->exact(c, space, addr, 0);
	struct hw_cache_entry e;

	if (slot == NO_SLOT)
		return;
	e = cache_entry(c, slot);
	if (fn(arg, &e, c->space[space].tag))
		cache_kill(c, slot);
}

u64 hw_cache_count(const struct hw_cache *c)
{
	return c->live;
}
