/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two models side by side: the same memory, writes, requests and registers, and one is
 * to do what the other does, another way.
 */
#pragma once

#include "hw/iommu/hw.h"

struct side {
	struct hw_env e;
	struct hw_iommu *h;
	u64 told, facts; /* a test's own */
};

struct pair {
	struct side s[2];
	u64 random, ram; /* bytes of memory of each, in pages */
};

/* A model that differs from the other in quick= only: as said, and 0. */
void sides_make(struct pair *p, const struct hw_iommu_ops *ops, const char *options, u32 quick);
void sides_free(struct pair *p);

/* --- numbers: p->random is the seed, not 0 --- */

u64 next(struct pair *p);
/* Less than n. */
u32 below(struct pair *p, u32 n);
u64 pick(struct pair *p, const u64 *of, u32 n);

/* --- what both get --- */

void word(struct pair *p, u64 pa, u64 value);
void reg(struct pair *p, u64 off, u32 size, u64 value);
/* The first in one go, the other step by step. */
void work(struct pair *p);

/* --- what both say: the same --- */

struct hw_resp same_answer(struct pair *p, const struct hw_req *req);
/* All of memory, and registers below end. */
void same_memory(const struct pair *p, u64 end);
