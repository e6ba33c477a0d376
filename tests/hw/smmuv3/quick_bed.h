/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two SMMUs side by side (tests/kit/pair.h), one of them without the quick ways: streams,
 * contexts, tables and commands at random, and requests that are to have the same answers.
 */
#pragma once

#include "hw/smmuv3/smmu_priv.h"
#include "sim/base/bits.h"
#include "tests/hw/told.h"
#include "tests/kit/aim.h"

#include <criterion/criterion.h>
#include <string.h>

#define PAGES AIM_PAGES
#define RAM (PAGES * 4096u)
#define REGISTERS 0x200
#define STREAMS 1ULL
#define CDS 2ULL /* a page with 4 substreams for each stream */
#define COMMANDS 6ULL
#define EVENTS 7ULL
#define TABLES AIM_TABLES
#define OPERATIONS 60000u

static struct told told; /* the quick one is, before it is asked */
static struct {
	struct aim aim;
	u64 answered;
	u32 prod;
	bool local; /* hardly a page is global */
} now;

/* In the entries of tables: valid, permissions, accessed, dirty, and what is reserved. */
static const u64 bits_of_words[] = {0, 1, 2, 6, 7, 8, 10, 11, 51, 52, 53, 54, 59, 61, 62, 44};

/* A descriptor of either stage; bit 7 is "read only" in one and "writable" in the other. */
static inline u64 descriptor(struct pair *p, u64 pa)
{
	static const u64 odd[] = {1, 2, 4, 1 << 6, 1 << 7, 1 << 10, 1 << 11, 1ULL << 51,
				  1ULL << 52, 1ULL << 53, 1ULL << 54, 1ULL << 59, 1ULL << 61,
				  1ULL << 62, 1ULL << 44, 1ULL << 20, 0x3c};
	u64 d = (u64)(TABLES + below(p, PAGES - TABLES)) << 12, at = pa >> 3 & 511;

	/* Where only leaves lie, of pages in several 2 MiB. */
	if (at >= 2 && at <= 5)
		d += (u64)below(p, 4) << 24;
	/* Nothing is mapped there. */
	if (below(p, 24) == 0)
		return below(p, 2) ? 0 : d;
	d |= 3 | 1 << 6 | 3 << 8 | 1 << 10 | (u64)below(p, 2) << 7 | (u64)below(p, 8) << 2 |
	     (now.local || below(p, 3) ? 1 << 11 : 0);
	if (below(p, 24) == 0)
		d ^= pick(p, odd, ARRAY_SIZE(odd));
	return d;
}

static inline void change(struct pair *p, u64 pa)
{
	word(p, pa, descriptor(p, pa));
}

static inline u64 address(struct pair *p)
{
	static const u64 regions[] = {0, 0x200000, 0x40000000, 0x7fff40000000, 0x8000000000,
				      0xffff800000000000, 0xffffffffc0000000, 1ULL << 52};
	u64 region;

	if (now.aim.far && below(p, 40))
		return aim_far_address(&now.aim, p);
	region = below(p, 4) ? regions[below(p, 3)] : pick(p, regions, ARRAY_SIZE(regions));
	return region + ((u64)below(p, now.aim.calm ? 200 : 24) << 12) + below(p, 4096);
}

static inline u64 table(struct pair *p, u32 first)
{
	return (u64)(TABLES + first + below(p, 2)) << 12;
}

static inline void stream(struct pair *p, u32 sid)
{
	static const u64 kinds[] = {5, 5, 7, 7, 7, 6, 4, 0};
	u64 at = (STREAMS << 12) + sid * 64, kind = pick(p, kinds, ARRAY_SIZE(kinds));
	bool small = !below(p, 8);

	word(p, at + 8, (2 | (below(p, 12) ? 0 : 3ULL << STE1_PRIVCFG) |
			 (below(p, 12) ? 0 : 2ULL << STE1_INSTCFG)));
	word(p, at + 16, below(p, 2) | (small ? 25ULL : 16ULL) << STE2_S2T0SZ |
				 (small ? 1ULL : 2ULL) << STE2_S2SL0 | 5ULL << STE2_S2PS |
				 1ULL << STE2_S2AA64 | 1ULL << STE2_S2R |
				 (below(p, 8) ? 0 : 1ULL << STE2_S2PTW) |
				 (below(p, 6) ? 0 : 3ULL << STE2_S2HD));
	word(p, at + 24, table(p, 2));
	word(p, at, (u64)!!below(p, 20) | kind << STE0_CONFIG | (CDS + sid) << 12 |
			    (below(p, 2) ? 2ULL << STE0_S1CDMAX : 0));
}

static inline void context(struct pair *p, u32 sid, u32 ssid)
{
	u64 at = ((CDS + sid) << 12) + ssid * 64, w;

	w = (below(p, 8) ? 16ULL : 25ULL) | 16ULL << CD0_T1SZ | 2ULL << CD0_TG1 |
	    (below(p, 2) ? 1ULL << CD0_EPD1 : 0) | (u64)!!below(p, 20) << CD0_V | 5ULL << CD0_IPS |
	    1ULL << CD0_AA64 | 1ULL << CD0_A | (u64)below(p, 3) << CD0_ASID;
	w |= below(p, 6) ? 1ULL << CD0_R : 0;
	w |= below(p, 16) ? 0 : 1ULL << CD0_S;
	w |= below(p, 10) ? 0 : 1ULL << CD0_TBI0;
	w |= below(p, 10) ? 0 : 1ULL << CD0_WXN;
	w |= below(p, 10) ? 0 : 1ULL << CD0_PAN;
	w |= below(p, 5) ? 0 : 3ULL << CD0_HD;
	w |= below(p, 10) ? 0 : 1ULL << CD0_AFFD;
	word(p, at + 8, table(p, 0) | (below(p, 8) ? 0 : 1ULL << CD1_HAD));
	word(p, at + 16, table(p, 0));
	word(p, at + 24, 0x00ff440c0004bbffULL);
	word(p, at, w);
}

static inline void command(struct pair *p, u64 low, u64 high)
{
	u64 at = (COMMANDS << 12) + (now.prod & 15) * 16;

	word(p, at, low);
	word(p, at + 8, high);
	now.prod = (now.prod + 1) & 31;
	reg(p, SMMU_CMDQ_PROD, 4, now.prod);
	work(p);
}

static inline void invalidate(struct pair *p)
{
	static const u64 kinds[] = {
		CMD_TLBI_NH_ALL, CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA,  CMD_TLBI_NH_VA,
		CMD_TLBI_NH_VA,  CMD_TLBI_NH_VAA,  CMD_TLBI_S2_IPA, CMD_TLBI_S2_IPA,
		CMD_TLBI_S12_VMALL, CMD_TLBI_NSNH_ALL};
	u64 kind = pick(p, kinds, ARRAY_SIZE(kinds)), high = below(p, 2);

	if (kind == CMD_TLBI_S2_IPA)
		high |= (u64)below(p, PAGES) << 12;
	else if (kind == CMD_TLBI_NH_VA || kind == CMD_TLBI_NH_VAA)
		high |= address(p) & ~0xfffULL;
	command(p, kind | (u64)below(p, 2) << 32 | (u64)below(p, 3) << 48, high);
}

/* Stage 2 leads CDs to themselves, with four levels and with three. */
static inline void second(struct pair *p)
{
	const u64 bits = 3 | 0xf << 2 | 3 << 6 | 3 << 8 | 1 << 10;

	word(p, (TABLES + 2) * 4096ULL, (TABLES + 4) * 4096ULL | 3);
	word(p, (TABLES + 3) * 4096ULL, (TABLES + 4) * 4096ULL | 3);
	word(p, (TABLES + 4) * 4096ULL, (TABLES + 5) * 4096ULL | 3);
	word(p, (TABLES + 5) * 4096ULL, (TABLES + 6) * 4096ULL | 3);
	for (u64 cd = CDS; cd < CDS + 4; cd++) {
		word(p, (TABLES + 5) * 4096ULL + cd * 8, cd << 12 | bits);
		word(p, (TABLES + 6) * 4096ULL + cd * 8, cd << 12 | bits);
	}
}

static inline void configure(struct pair *p)
{
	u32 sid = below(p, 4), ssid = below(p, 4);

	second(p);
	if (below(p, 2))
		stream(p, sid);
	else
		context(p, sid, ssid);
	/* Often without: then what was kept still counts. */
	if (below(p, 3) == 0)
		command(p, CMD_CFGI_STE | (u64)sid << 32, below(p, 2));
	else if (below(p, 2))
		command(p, CMD_CFGI_CD | (u64)ssid << 12 | (u64)sid << 32, below(p, 2));
}

/* What is in the queue is the same; then it is empty, and nothing is stalled. */
static inline void take_events(struct pair *p)
{
	const struct side *a = &p->s[0], *b = &p->s[1];

	cr_assert_eq(memcmp(a->e.ram + (EVENTS << 12), b->e.ram + (EVENTS << 12), 4096), 0);
	for (u64 sid = 0; sid < 4 && !below(p, 8); sid++)
		command(p, CMD_STALL_TERM | sid << 32, 0);
	reg(p, SMMU_EVENTQ_CONS + SMMU_PAGE1, 4,
	    a->h->ops->mmio_read(a->h, SMMU_EVENTQ_PROD + SMMU_PAGE1, 4));
	work(p);
}

static inline void ask(struct pair *p)
{
	struct hw_req req = {.addr = address(p),
			     .sid = below(p, now.aim.far ? 12 : 2) ? 0 : below(p, 4),
			     .pasid = HW_NO_PASID, .access = (u16)(1 + below(p, 3))};
	struct hw_resp r;

	if (below(p, now.aim.far ? 12 : 3) == 0)
		req.pasid = below(p, 4);
	if (below(p, 10) == 0)
		req.access = (u16)below(p, 128);
	if (below(p, 60) == 0)
		req.kind = (u8)below(p, 3);
	if (told.first && !below(p, 16))
		told_among(&told, &now.aim, p, &req);
	r = same_answer(p, &req);
	now.answered += r.status == HW_OK;
	if (r.status == HW_ABORT && !below(p, 4))
		take_events(p);
}

static inline void operation(struct pair *p)
{
	u32 kind = below(p, 1000);

	if (kind < (now.aim.far ? 800 : 950) || (now.aim.calm && below(p, 40)) ||
	    (now.aim.far && kind > 980 && below(p, 6)))
		ask(p);
	else if (kind < 975 && now.aim.far)
		aim_disturb(&now.aim, p);
	else if (kind < 975)
		change(p, aim_used_word(&now.aim, p));
	else if (kind < 985)
		invalidate(p);
	else if (kind < 999)
		configure(p);
	else
		take_events(p);
}

/* quick: 1, or 2, without vector instructions */
static inline void begin(struct pair *p, const char *options, u32 quick, u64 seed)
{
	memset(&now, 0, sizeof(now));
	now.aim = (struct aim){.address = address, .ask = ask, .bits = bits_of_words,
			       .n_bits = ARRAY_SIZE(bits_of_words)};
	*p = (struct pair){.random = seed, .ram = RAM};
	sides_make(p, &hw_smmuv3_ops, options, quick);
}

/* Where the table of streams is, and how many it has, log2. */
static inline void turn_on_with(struct pair *p, u64 streams, u32 lg2)
{
	reg(p, SMMU_STRTAB_BASE, 8, streams);
	reg(p, SMMU_STRTAB_BASE_CFG, 4, lg2);
	reg(p, SMMU_CMDQ_BASE, 8, COMMANDS << 12 | 4);
	reg(p, SMMU_EVENTQ_BASE, 8, EVENTS << 12 | 4);
	reg(p, SMMU_CR0, 4, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN);
	work(p);
}

static inline void turn_on(struct pair *p)
{
	turn_on_with(p, STREAMS << 12, 2);
}
