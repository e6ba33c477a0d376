/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What caches of translations are measured against: a general hash table as
 * emulators have it, with functions for hash and equality, three arrays, and
 * keys and values allocated one by one; leaves are looked for by level. A drop
 * walks over all of it.
 */
#pragma once

#include "sim/base/types.h"

struct bench_general;
struct bench_general *bench_general_create(void);
void bench_general_destroy(struct bench_general *t);
void bench_general_fill(struct bench_general *t, u64 vpn, u64 value);
/* The value of the leaf at addr, or 0. */
u64 bench_general_find(struct bench_general *t, u64 addr);
/* How many lie in the range of page numbers: each is looked at. */
u32 bench_general_walk(struct bench_general *t, u64 first, u64 last);
