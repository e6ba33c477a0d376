// SPDX-License-Identifier: GPL-2.0-only
#include "tests/kit/aim.h"

#include <string.h>

u64 aim_far_address(struct aim *a, struct pair *p)
{
	if (below(p, 3) == 0)
		a->range = (u64)below(p, 2) + 8 * (u64)below(p, below(p, 5) ? 5 : 12);
	return (a->range << 21) + ((u64)below(p, 6) << 12) + below(p, 4096);
}

/* The second stage's word of a page that tables may lie in. */
static u64 word_of_page(struct pair *p)
{
	u64 table = AIM_TABLES + 2 + below(p, 2);

	for (u32 level = 0; level < 3; level++) {
		memcpy(&table, p->s[0].e.ram + table * 4096, 8);
		table = table >> 12 & (AIM_PAGES - 1);
	}
	return table * 4096 + (AIM_TABLES + below(p, AIM_PAGES - AIM_TABLES)) * 8ULL;
}

u64 aim_used_word(const struct aim *a, struct pair *p)
{
	u64 table = (AIM_TABLES + below(p, AIM_PAGES - AIM_TABLES)) * 4096ULL;

	if (!a->far)
		return table + below(p, 24) * 8;
	if (below(p, 2))
		return word_of_page(p);
	return table + (a->address(p) >> (12 + 9 * below(p, 4)) & 511) * 8;
}

void aim_disturb(const struct aim *a, struct pair *p)
{
	u64 pa = aim_used_word(a, p), bit = 1ULL << pick(p, a->bits, a->n_bits);
	u64 was, is;

	for (u32 i = 0; i < 4; i++)
		a->ask(p);
	memcpy(&was, p->s[0].e.ram + pa, 8);
	word(p, pa, was ^ bit);
	for (u32 i = 0; i < 4; i++)
		a->ask(p);
	memcpy(&is, p->s[0].e.ram + pa, 8);
	word(p, pa, is ^ bit);
}

u64 aim_range(struct aim *a, struct pair *p, u64 last)
{
	if (!a->few || below(p, 512) == 0) {
		a->range = below(p, 32);
		a->few = 4 + below(p, 20);
	}
	if (below(p, 3))
		return last;
	return below(p, 64) ? (a->range + 5 * below(p, a->few)) % 32 : below(p, 32);
}

u64 aim_page(struct aim *a, struct pair *p)
{
	if (below(p, 3) == 0)
		a->page = below(p, below(p, 64) ? 4 : 64);
	return a->page;
}

u64 aim_two_pages(struct aim *a, struct pair *p, u32 n)
{
	if (below(p, 6) == 0)
		a->two[below(p, 2)] = below(p, n);
	return a->two[below(p, 2)];
}
