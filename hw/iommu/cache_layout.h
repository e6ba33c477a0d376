/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the cache lies in memory. Slots in sets of 8; per slot a tag of 4 bytes (the
 * tags of a set and its age are one line of the processor's cache), an entry, and the
 * number of its space in a column of 2-byte words, for scans.
 *
 * A tag is a fingerprint: the page number mixed with the salt of its space, so
 * that a space that gets a new salt has lost its entries at once. Equal tags are
 * not yet equal keys: space and size are compared too, and the entry must be
 * younger than its space's last drop (its id above `floor`), so that it has the
 * same salt. Then 31 bits of the page number are equal, and those that choose the
 * set: enough for pages that are not far, which a view knows as `exact`; of others the
 * address is kept and looked at. A dead entry keeps its slot until somebody needs it.
 *
 * What a hit needs lies together in 16 bytes: 64 Ki entries with their tags are
 * 1.5 MiB, and a hit or a fill needs two lines; addresses that are kept and second words
 * lie apart.
 *
 * Infinite is the same with open addressing from set to set, and growth.
 */
#pragma once

#include "hw/iommu/cache.h"
#include "sim/base/bits.h"

#include <assert.h>

#define WAYS 8
#define NO_SLOT 0xffffffffu
#define TAG_EMPTY 0u
#define TAG_GONE 1u         /* emptied, but others may lie behind it */
#define TAG_USED (1u << 31)
#define TAG_SHIFT 3         /* bits of a key that at least choose the set, where tags are exact */
#define TAG_BITS (31 + TAG_SHIFT)

struct cache_space {
	u64 tag, salt;
	u64 sizes;  /* bit per lg2 that may be in use */
	u32 floor;  /* entries with ids up to it are dead */
	u32 live;
	u32 epoch;  /* not the cache's: everything in it is dead */
	u16 next;   /* in its chain */
	u16 head;   /* which chain that is */
};

/*
 * What a space is, for who asks it again and again: good as long as the cache's
 * version is the same, that is until a space is dropped, made anew, or has entries of
 * another size. Only of spaces that are empty, or have one size.
 */
struct cache_view {
	u64 version;
	u64 fixed;  /* the key of page 0 */
	u64 exact;  /* addresses below it are told apart by their tags */
	u32 key;    /* of slots that are not far */
	u32 floor;
};

#define CACHE_VIEW_EMPTY 0xff000000u

/* A slot's key: space, lg2 from bit 24, and whether tag and set do not tell the page number. */
#define SLOT_FAR (1u << 23)
#define SLOT_SPACE (SLOT_FAR - 1)

struct cache_set {
	u32 tag[WAYS];
	u64 age;    /* bit 8 a + b: way a was used after way b */
	u64 unused[3];
};
static_assert(sizeof(struct cache_set) == 64, "a set is a line");

struct cache_slot {
	u64 value;
	u32 id;
	u32 key; /* see cache_slot_key() */
};

struct cache_prov {
	u64 addr;
	size_t at;  /* first word in the log */
	u32 id, space;
	u8 lg2, n;
};

struct cache_log {
	struct cache_prov *rec; /* ascending ids */
	struct hw_cache_word *word;
	size_t n_recs, recs_max, n_words, words_max;
};

struct cache_probe;

struct hw_cache {
	struct cache_set *set;
	struct cache_slot *slot;
	struct cache_space *space;
	const struct cache_probe *probe;
	u32 set_mask, shift;  /* shift: of a hashed place; 0: the low bits are it */
	u64 far;              /* page numbers from here on are not told by tag and set */
	u32 epoch;
	/* Live, when a fill takes the oldest way, without and with second words; ~0: never. */
	u32 full, full_second;
	u64 version;          /* of what a view of a space depends on; see cache_quick.h */
	bool grows, keeps_age;
	bool has_extra;       /* some entry's second word is not 0 */
	bool plain;           /* entries are kept, in 8 ways, without provenance */
	bool usual;           /* entries are kept, in 8 ways */
	u32 turn;
	struct hw_cache_entry found[4]; /* the last answers, in turns */
	/* Cold. */
	u64 *addr;            /* of slots that are far */
	u64 *extra;
	u16 *column;
	u64 *touched_bit;
	u32 *touched, n_touched;
	u32 n_slots, ways;
	u32 serial;           /* the last id */
	u32 used;             /* slots whose tag is not TAG_EMPTY */
	u32 live;
	u64 salts, random;
	u16 *head;            /* chains of spaces */
	u32 n_spaces, spaces_max, hand;
	u64 *scratch;
	size_t scratch_max;
	struct cache_log log;
	void *block;          /* sets to extra lie in it */
	struct hw_env *env;
	const char *name;
	struct hw_cache_policy policy;
};

/* The work that a vector unit can do; two of them, which must agree. */
struct cache_probe {
	/* The slot of exactly this key, or NO_SLOT. */
	u32 (*exact)(const struct hw_cache *c, u32 space, u64 vpn, u32 lg2);
	const struct hw_cache_entry *(*find)(struct hw_cache *c, u32 space, u64 addr);
	/* Fills a key that is not there, where that is easy; gives its id. 0: nothing was done. */
	u32 (*fill)(struct hw_cache *c, const struct hw_cache_entry *e);
	/* As fill, of several sizes that cover addr, where there is room; gives how many. */
	u32 (*around)(struct hw_cache *c, u32 space, u64 addr, u32 n, const u8 *lg2,
		      const u64 *value);
	/* Kills entries of the space that overlap [addr, last], size by size or by a scan. */
	void (*drop)(struct hw_cache *c, u32 space, u64 addr, u64 last);
	/* Kills entries of the space that overlap [addr, last], by the column. */
	void (*scan)(struct hw_cache *c, u32 space, u64 addr, u64 last);
	/* Bit per way of the set whose tag is this one. */
	u32 (*match)(const u32 *tags, u32 tag);
};

extern const struct cache_probe cache_probe_scalar, cache_probe_avx2;

/* For tests: from now on without vector instructions; the next id; the next epoch. */
void hw_cache_scalar(struct hw_cache *c);
void hw_cache_wind(struct hw_cache *c, u32 serial, u32 epoch);

static inline u64 cache_mix(u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static inline u64 cache_key(const struct cache_space *s, u64 vpn, u32 lg2)
{
	return vpn ^ s->salt ^ (u64)lg2 * 0x9e3779b97f4a7c15ULL;
}

static inline u32 cache_slot_key(const struct hw_cache *c, u32 space, u64 vpn, u32 lg2)
{
	return space | lg2 << 24 | (vpn >= c->far ? SLOT_FAR : 0);
}

static inline u32 cache_tag_of(u64 key)
{
	return (u32)(key >> TAG_SHIFT) | TAG_USED;
}

static inline u32 *cache_tag(const struct hw_cache *c, u32 slot)
{
	return &c->set[slot / WAYS].tag[slot % WAYS];
}

static inline u32 cache_set(const struct hw_cache *c, u64 key)
{
	if (c->shift)
		return (u32)(key * 0x9e3779b97f4a7c15ULL >> c->shift) & c->set_mask;
	return (u32)key & c->set_mask;
}

static inline u32 cache_space_of(const struct hw_cache *c, u32 slot)
{
	return c->slot[slot].key & SLOT_SPACE;
}

/* A size that the space has not had so far changes the version. Without a branch. */
static inline void cache_size_used(struct hw_cache *c, struct cache_space *s, u32 lg2)
{
	c->version += ~s->sizes >> lg2 & 1;
	s->sizes |= 1ULL << lg2;
}

static inline bool cache_alive(const struct hw_cache *c, u32 slot)
{
	const struct cache_space *s = &c->space[cache_space_of(c, slot)];

	return s->epoch == c->epoch && c->slot[slot].id > s->floor;
}

/* Whether a slot whose key is that of this address, as its tag and set are, has it. */
static inline bool cache_has_addr(const struct hw_cache *c, u32 slot, u64 addr)
{
	return likely(!(c->slot[slot].key & SLOT_FAR)) || c->addr[slot] == addr;
}

static inline void cache_keep_addr(struct hw_cache *c, u32 slot, u64 addr)
{
	if (unlikely(c->slot[slot].key & SLOT_FAR))
		c->addr[slot] = addr;
}

/* The address of an entry that is alive: its space has the salt that it was filled with. */
static inline u64 cache_addr_of(const struct hw_cache *c, u32 slot)
{
	u32 key = c->slot[slot].key, lg2 = key >> 24;
	u64 place;

	if (key & SLOT_FAR)
		return c->addr[slot];
	place = (u64)(*cache_tag(c, slot) & ~TAG_USED) << TAG_SHIFT |
		(slot / WAYS & ((1u << TAG_SHIFT) - 1));
	return ((place ^ cache_key(&c->space[key & SLOT_SPACE], 0, lg2)) &
		((1ULL << TAG_BITS) - 1)) << lg2;
}

static inline struct hw_cache_entry cache_entry(const struct hw_cache *c, u32 slot)
{
	const struct cache_slot *s = &c->slot[slot];

	return (struct hw_cache_entry){.value = s->value, .addr = cache_addr_of(c, slot),
				       .extra = c->has_extra ? c->extra[slot] : 0, .id = s->id,
				       .space = s->key & SLOT_SPACE, .lg2 = s->key >> 24};
}

/* By way: what a use of it adds to its set's age, and what it leaves of it. */
#define CACHE_AGE(way) {0xffULL << (8 * (way)), ~(0x0101010101010101ULL << (way))}
static const struct cache_age {
	u64 row, rest;
} cache_age[WAYS] = {CACHE_AGE(0), CACHE_AGE(1), CACHE_AGE(2), CACHE_AGE(3),
		     CACHE_AGE(4), CACHE_AGE(5), CACHE_AGE(6), CACHE_AGE(7)};

/* The way is now the youngest of its set: after all others, and none after it. */
static inline void cache_touch_in(struct hw_cache *c, u32 set, u32 way)
{
	c->set[set].age = (c->set[set].age | cache_age[way].row) & cache_age[way].rest;
}

static inline void cache_touch(struct hw_cache *c, u32 slot)
{
	cache_touch_in(c, slot / WAYS, slot % WAYS);
}

/* A slot that is touched again and again: what that does to its set's age. */
struct cache_way {
	u64 row, column;
	u32 set, slot;
};

static inline struct cache_way cache_way_of(const struct hw_cache *c, u32 slot)
{
	u32 way = slot % WAYS;

	if (!c->keeps_age)
		return (struct cache_way){.slot = slot};
	return (struct cache_way){.row = 0xffULL << (8 * way), .slot = slot, .set = slot / WAYS,
				  .column = 0x0101010101010101ULL << way};
}

static inline void cache_touch_way(struct hw_cache *c, const struct cache_way *w)
{
	c->set[w->set].age = (c->set[w->set].age | w->row) & ~w->column;
}

/* Without a branch: after a reset it would be guessed wrong. There is room for one more. */
static inline void cache_set_touched(struct hw_cache *c, u32 set)
{
	u64 *bits = &c->touched_bit[set / 64];

	c->touched[c->n_touched] = set;
	c->n_touched += ~*bits >> set % 64 & 1;
	*bits |= 1ULL << set % 64;
}

static inline void cache_kill(struct hw_cache *c, u32 slot)
{
	c->space[cache_space_of(c, slot)].live--;
	c->live--;
	if (c->grows) {
		*cache_tag(c, slot) = TAG_GONE;
	} else {
		*cache_tag(c, slot) = TAG_EMPTY;
		c->used--;
	}
}

/* Gives a space whose entries are dead by an older epoch its place in this one. */
void cache_revive(struct hw_cache *c, struct cache_space *s);
void cache_spaces_reset(struct hw_cache *c);

/* Room for n words, until it is asked for again; the cache's own work needs it, too. */
u64 *cache_scratch(struct hw_cache *c, u32 n);
/* Slots of live entries in order of fill: id << 32 | slot. Lies in c->scratch. */
u32 cache_gather(struct hw_cache *c);
void *cache_alloc(size_t n, size_t size);

void cache_log_add(struct hw_cache *c, const struct hw_cache_entry *e,
		   const struct hw_cache_word *w, u32 n);
/* Forgets what dead entries were made from. */
void cache_log_clean(struct hw_cache *c);
/* After a clean-up: ids have changed, their order has not. */
void cache_log_renumber(struct hw_cache *c);
