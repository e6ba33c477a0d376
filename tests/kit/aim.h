/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a random test of two models (pair.h) aims at: addresses that have many
 * tables in small caches, and the words of just those tables.
 */
#pragma once

#include "tests/kit/pair.h"

/* Memory is small: any page from AIM_TABLES on is a table, and what a table leads to. */
#define AIM_PAGES 64u
#define AIM_TABLES 8u

struct aim {
	u64 range, page; /* the last ones */
	u64 two[2];      /* pages that take turns */
	u32 few;   /* ranges that are asked for again and again */
	bool calm; /* many pages, and little that changes: sets are full */
	bool far;  /* addresses that have many tables */
	/* The test's own: any address, a request, and the bits that matter in an entry. */
	u64 (*address)(struct pair *p);
	void (*ask)(struct pair *p);
	const u64 *bits;
	u32 n_bits;
};

/* Of many tables in few sets, some again and again: small caches of them forget the oldest. */
u64 aim_far_address(struct aim *a, struct pair *p);
/* Where a table has a word that is used. */
u64 aim_used_word(const struct aim *a, struct pair *p);
/* One bit of such a word is another for a while, with requests before and meanwhile. */
void aim_disturb(const struct aim *a, struct pair *p);
/*
 * A few of 32 ranges of 2 MiB for some time, such that tables of all of them are kept; now and
 * then another one, for which something has to be forgotten.
 */
u64 aim_range(struct aim *a, struct pair *p, u64 last);
/* A page of a range: each is of another 2 MiB after the first stage. */
u64 aim_page(struct aim *a, struct pair *p);
/* As aim_page(), of n: two take turns for a while. */
u64 aim_two_pages(struct aim *a, struct pair *p, u32 n);
