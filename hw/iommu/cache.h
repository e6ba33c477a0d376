/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache of all models: translations, contexts, PASID entries, stream table
 * entries, table pointers, interrupt entries; one instance each.
 *
 * A key is (space, addr, lg2). A space is what the hardware tags with (domain
 * and PASID, ASID and VMID, ...), interned from a 64-bit word of the model's
 * making; dropping a whole space is O(1) (a generation). Drops are exact: what
 * lies outside of their scope stays. The policy decides what is kept.
 *
 * Each entry has its provenance: up to HW_PROV_MAX words of tables (address
 * and value as read) that it was made from, when the instance keeps them.
 */
#pragma once

#include "hw/iommu/hw.h"

#define HW_PROV_MAX 32

enum hw_cache_kind {
	HW_CACHE_INFINITE, /* keeps everything: the best detector of a missing drop */
	HW_CACHE_SETS,     /* set associative, as fast hardware */
	HW_CACHE_TINY,     /* 4 entries */
	HW_CACHE_NONE,     /* keeps nothing */
};

enum hw_cache_replace { HW_REPLACE_LRU, HW_REPLACE_RANDOM };

struct hw_cache_policy {
	enum hw_cache_kind kind;
	enum hw_cache_replace replace;
	u32 entries;    /* of HW_CACHE_SETS: power of two, 64 to 1 Mi; 8 ways */
	bool prefetch;  /* the model also fills the next page */
	bool speculate; /* the model may fill any reachable entry when env->choose says so */
	bool negative;  /* non-present entries are cached, where the architecture allows it */
	bool provenance;
	bool says_entries, says_replace; /* given, not the default */
};

struct hw_cache_word {
	u64 pa, value;
};

/* What a look-up gives. */
struct hw_cache_entry {
	u64 value;      /* the model's: address and permissions */
	u64 addr;       /* aligned to 1 << lg2 */
	u64 extra;      /* the model's second word */
	u32 id;         /* serial number of its fill; never 0 */
	u32 space : 24;
	u32 lg2 : 8;    /* 0 to 63 */
};

struct hw_cache;

/*
 * Reads one option of a model, "key=value" cut in two, into *p: cache=infinite,
 * sets, tiny or none; entries=N; replace=lru or random; prefetch, speculate,
 * negative, provenance = 0 or 1. 1: taken, 0: no such key, -1: no such value.
 */
int hw_cache_option(struct hw_cache_policy *p, const char *key, const char *value);
/* What of *p would do nothing, one line; NULL: all of it means something. */
const char *hw_cache_contradiction(const struct hw_cache_policy *p);

/* The key that "key=value,key=value" has twice, and its length; NULL: there is none. */
const char *hw_option_twice(const char *options, size_t *len);

/*
 * HW_REPLACE_RANDOM asks env->choose, or, where there is none, a generator that
 * a reset starts anew. The cache publishes no facts: its model does.
 */
struct hw_cache *hw_cache_create(struct hw_env *e, const char *name,
				 const struct hw_cache_policy *policy);
void hw_cache_destroy(struct hw_cache *c);
/* Empty, power-on; O(touched). */
void hw_cache_reset(struct hw_cache *c);

/*
 * The space of a tag word, made if it is new. Never 0. There are at most
 * HW_SPACES_MAX: beyond, those without live entries are recycled, and if there
 * are none, one of them is dropped. So who keeps a space's number over another
 * hw_space() compares hw_space_tag() when he comes back.
 */
#define HW_SPACES_MAX 65535u
u32 hw_space(struct hw_cache *c, u64 tag);
/* Only if it exists, else 0. */
u32 hw_space_find(const struct hw_cache *c, u64 tag);
u64 hw_space_tag(const struct hw_cache *c, u32 space);

/*
 * The entry that covers addr, smallest size first, or NULL. Valid until the next
 * fill or drop, and for three further look-ups. Space 0 holds nothing.
 */
const struct hw_cache_entry *hw_cache_find(struct hw_cache *c, u32 space, u64 addr);
/*
 * A fill replaces an entry of the same key; e->id is not looked at, the low bits
 * of e->addr are cleared. prov: n words, copied if kept. Gives its id. (After
 * 2^32 fills the entries that live are numbered anew, in order.)
 */
u32 hw_cache_fill(struct hw_cache *c, const struct hw_cache_entry *e,
		  const struct hw_cache_word *prov, u32 n);

/*
 * n entries that cover addr, of sizes that are not there for it: as that many fills. Not of a
 * cache that keeps provenance.
 */
void hw_cache_fill_around(struct hw_cache *c, u32 space, u64 addr, u32 n, const u8 *lg2,
			  const u64 *value);

/* Entries of the space that overlap [addr, last]. */
void hw_cache_drop_range(struct hw_cache *c, u32 space, u64 addr, u64 last);
void hw_cache_drop_space(struct hw_cache *c, u32 space);
void hw_cache_drop_all(struct hw_cache *c);
/* Spaces whose tag satisfies (tag & mask) == match. */
void hw_cache_drop_tags(struct hw_cache *c, u64 mask, u64 match);
/* Entries for which fn is true; a scan, in order of fill. */
void hw_cache_drop_if(struct hw_cache *c,
		      bool (*fn)(void *arg, const struct hw_cache_entry *e, u64 tag), void *arg);
/* Likewise of the entry of one byte at addr, if there is one. */
void hw_cache_drop_one_if(struct hw_cache *c, u32 space, u64 addr,
			  bool (*fn)(void *arg, const struct hw_cache_entry *e, u64 tag),
			  void *arg);

/* Words that entry id was made from; 0 if it is gone or none were kept. */
u32 hw_cache_provenance(const struct hw_cache *c, u32 id,
			struct hw_cache_word word[HW_PROV_MAX]);
u64 hw_cache_count(const struct hw_cache *c);
