/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What page tables are measured against; written for that, and nothing else.
 *
 * walk: VT-d second stage, 4 levels, the way drivers had it for long: for each
 * page of a request a walk from the top, a look at the entry, a store; an unmap
 * walks for each page, too.
 * hash: pages in an open hash of 16-byte slots, linear probing, at most half full.
 * list: an allocator of addresses that keeps what is in use in one sorted list
 * and searches it for a gap from the top, as a tree without a notion of gaps does.
 */
#pragma once

#include "sim/base/bits.h"

struct peer_walk;
struct peer_walk *bench_walk_create(void);
void bench_walk_destroy(struct peer_walk *w);
bool bench_walk_map(struct peer_walk *w, u64 iova, u64 pa, u64 pgsize, u64 count);
u64 bench_walk_unmap(struct peer_walk *w, u64 iova, u64 pgsize, u64 count);
u64 bench_walk_lookup(const struct peer_walk *w, u64 iova);

struct peer_hash;
/* Room for n pages. */
struct peer_hash *bench_hash_create(u64 n);
void bench_hash_destroy(struct peer_hash *h);
bool bench_hash_map(struct peer_hash *h, u64 iova, u64 pa, u64 pgsize, u64 count);
u64 bench_hash_unmap(struct peer_hash *h, u64 iova, u64 pgsize, u64 count);
u64 bench_hash_lookup(const struct peer_hash *h, u64 iova);

struct peer_list;
struct peer_list *bench_list_create(u64 n, u64 limit);
void bench_list_destroy(struct peer_list *l);
/* As n allocations in an empty list would leave it, without their searches. */
void bench_list_fill(struct peer_list *l, u64 n, u64 size, u64 *pfn);
/* A pfn for size pfns, or 0. */
u64 bench_list_alloc(struct peer_list *l, u64 size);
void bench_list_free(struct peer_list *l, u64 pfn);
