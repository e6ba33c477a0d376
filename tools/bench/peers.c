// SPDX-License-Identifier: GPL-2.0-only
/*
 * A general hash table, written to be measured against.
 */
#include "tools/bench/peers.h"

#include "sim/base/assert.h"

#include <stdlib.h>

#define TABLE 131071u

struct key {
	u64 vpn;
	u32 source, pasid, level;
};

struct bench_general {
	u32 hash[TABLE];
	struct key *key[TABLE];
	u64 *value[TABLE];
	u32 (*hash_of)(const struct key *k);
	bool (*equal)(const struct key *a, const struct key *b);
};

static u32 hash_of(const struct key *k)
{
	u64 h = k->vpn | (u64)k->source << 40 | (u64)k->level << 56 | (u64)k->pasid << 36;

	return (u32)((h >> 32) ^ (h & 0xffffffff));
}

static bool keys_equal(const struct key *a, const struct key *b)
{
	return a->vpn == b->vpn && a->source == b->source && a->level == b->level &&
	       a->pasid == b->pasid;
}

static u32 place_of(const struct bench_general *table, const struct key *k)
{
	u32 hash = table->hash_of(k), at = hash % TABLE;

	hash = hash < 2 ? 2 : hash;
	for (u32 step = 1; table->hash[at]; at = (at + step++) % TABLE) {
		if (table->hash[at] == hash && table->equal(table->key[at], k))
			break;
	}
	return at;
}

void bench_general_fill(struct bench_general *table, u64 vpn, u64 value)
{
	struct key *k = malloc(sizeof(*k));
	u64 *v = malloc(sizeof(*v) * 6); /* of an entry with domain, mask, permissions, ... */
	u32 at, hash;

	sim_assert(k && v);
	*k = (struct key){vpn, 1, 0, 1};
	*v = value;
	at = place_of(table, k);
	hash = table->hash_of(k);
	table->hash[at] = hash < 2 ? 2 : hash;
	table->key[at] = k;
	table->value[at] = v;
}

/* By level, the leaf first: these are all leaves. */
u64 bench_general_find(struct bench_general *table, u64 addr)
{
	for (u32 level = 1; level <= 3; level++) {
		struct key k = {addr >> (3 + 9 * level), 1, 0, level};
		u32 at = place_of(table, &k);

		if (table->hash[at])
			return *table->value[at];
	}
	return 0;
}

/* All that lie in the range: none does, but each must be looked at. */
u32 bench_general_walk(struct bench_general *table, u64 first, u64 last)
{
	u32 n = 0;

	for (u32 at = 0; at < TABLE; at++) {
		if (table->hash[at])
			n += table->key[at]->vpn >= first && table->key[at]->vpn <= last;
	}
	return n;
}

struct bench_general *bench_general_create(void)
{
	struct bench_general *table;

	table = calloc(1, sizeof(*table));
	sim_assert(table);
	table->hash_of = hash_of;
	table->equal = keys_equal;
	return table;
}

void bench_general_destroy(struct bench_general *table)
{
	for (u32 at = 0; at < TABLE; at++) {
		free(table->key[at]);
		free(table->value[at]);
	}
	free(table);
}
