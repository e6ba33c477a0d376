// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quick way against the long way, as tests/hw/vtd/test_quick.c has it for
 * VT-d: the same requests, writes and commands to two models that differ in
 * quick= only, and each answer, all memory and all registers are the same.
 */
#include "hw/iommu/hw.h"
#include "hw/smmuv3/smmuv3_regs.h"
#include "sim/base/bits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 64u
#define RAM (PAGES * 4096u)
#define STREAMS 1ULL
#define CDS 2ULL /* a page with 4 substreams for each stream */
#define COMMANDS 6ULL
#define EVENTS 7ULL
#define TABLES 8u
#define OPERATIONS 60000u

struct side {
	struct hw_env e;
	struct hw_iommu *h;
};

struct pair {
	struct side s[2]; /* quick, and not */
	u64 random, answered;
	u32 prod;
	bool calm;  /* many pages, and little that changes: sets are full */
	bool local; /* hardly a page is global */
};

static u64 next(struct pair *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random * 0x2545f4914f6cdd1dULL;
}

static u32 below(struct pair *p, u32 n)
{
	return (u32)((next(p) >> 32) * n >> 32);
}

static u64 pick(struct pair *p, const u64 *of, u32 n)
{
	return of[below(p, n)];
}

static void word(struct pair *p, u64 pa, u64 value)
{
	for (u32 i = 0; i < 2; i++)
		memcpy(p->s[i].e.ram + pa, &value, 8);
}

static void reg(struct pair *p, u64 off, u32 size, u64 value)
{
	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->mmio_write(p->s[i].h, off, size, value);
}

static void work(struct pair *p)
{
	for (u32 i = 0; i < 2; i++) {
		/* The quick one in one go, the other step by step. */
		if (i == 0)
			hw_drain(p->s[i].h);
		for (u32 n = 0; p->s[i].h->ops->work(p->s[i].h); n++)
			cr_assert_lt(n + (i == 0) * 10000, 10000u);
	}
}

/* A descriptor of either stage; bit 7 is "read only" in one and "writable" in the other. */
static u64 descriptor(struct pair *p)
{
	static const u64 odd[] = {1, 2, 4, 1 << 6, 1 << 7, 1 << 10, 1 << 11, 1ULL << 51,
				  1ULL << 52, 1ULL << 53, 1ULL << 54, 1ULL << 59, 1ULL << 61,
				  1ULL << 62, 1ULL << 44, 1ULL << 20, 0x3c};
	u64 d = (u64)(TABLES + below(p, PAGES - TABLES)) << 12;

	/* Nothing is mapped there. */
	if (below(p, 24) == 0)
		return below(p, 2) ? 0 : d;
	d |= 3 | 1 << 6 | 3 << 8 | 1 << 10 | (u64)below(p, 2) << 7 | (u64)below(p, 8) << 2 |
	     (p->local || below(p, 3) ? 1 << 11 : 0);
	if (below(p, 24) == 0)
		d ^= pick(p, odd, ARRAY_SIZE(odd));
	return d;
}

static u64 address(struct pair *p)
{
	static const u64 regions[] = {0, 0x200000, 0x40000000, 0x7fff40000000, 0x8000000000,
				      0xffff800000000000, 0xffffffffc0000000, 1ULL << 52};
	u64 region = below(p, 4) ? regions[below(p, 3)] : pick(p, regions, ARRAY_SIZE(regions));

	return region + ((u64)below(p, p->calm ? 200 : 24) << 12) + below(p, 4096);
}

static u64 table(struct pair *p, u32 first)
{
	return (u64)(TABLES + first + below(p, 2)) << 12;
}

static void stream(struct pair *p, u32 sid)
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

static void context(struct pair *p, u32 sid, u32 ssid)
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

static void command(struct pair *p, u64 low, u64 high)
{
	u64 at = (COMMANDS << 12) + (p->prod & 15) * 16;

	word(p, at, low);
	word(p, at + 8, high);
	p->prod = (p->prod + 1) & 31;
	reg(p, SMMU_CMDQ_PROD, 4, p->prod);
	work(p);
}

static void invalidate(struct pair *p)
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
static void second(struct pair *p)
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

static void configure(struct pair *p)
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
static void take_events(struct pair *p)
{
	const struct side *a = &p->s[0], *b = &p->s[1];

	cr_assert_eq(memcmp(a->e.ram + (EVENTS << 12), b->e.ram + (EVENTS << 12), 4096), 0);
	for (u64 sid = 0; sid < 4 && !below(p, 8); sid++)
		command(p, CMD_STALL_TERM | sid << 32, 0);
	reg(p, SMMU_EVENTQ_CONS + SMMU_PAGE1, 4,
	    a->h->ops->mmio_read(a->h, SMMU_EVENTQ_PROD + SMMU_PAGE1, 4));
	work(p);
}

static void ask(struct pair *p)
{
	struct hw_req req = {.addr = address(p), .sid = below(p, 2) ? 0 : below(p, 4),
			     .pasid = HW_NO_PASID, .access = (u16)(1 + below(p, 3))};
	struct hw_resp r[2];

	if (below(p, 3) == 0)
		req.pasid = below(p, 4);
	if (below(p, 10) == 0)
		req.access = (u16)below(p, 128);
	if (below(p, 60) == 0)
		req.kind = (u8)below(p, 3);
	memset(r, 0x5a, sizeof(r));
	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->translate(p->s[i].h, &req, &r[i]);
	cr_assert(r[0].pa == r[1].pa && r[0].lg2 == r[1].lg2 && r[0].access == r[1].access &&
			  r[0].status == r[1].status && r[0].global == r[1].global &&
			  r[0].no_snoop == r[1].no_snoop && r[0].reads == r[1].reads &&
			  r[0].tag == r[1].tag && r[0].entry == r[1].entry,
		  "sid %u pasid %x addr %llx access %x: %llx/%u/%x/%u/%u/%u, long %llx/%u/%x/%u/%u/%u",
		  req.sid, req.pasid, (unsigned long long)req.addr, req.access,
		  (unsigned long long)r[0].pa, r[0].lg2, r[0].access, r[0].status, r[0].reads,
		  r[0].entry, (unsigned long long)r[1].pa, r[1].lg2, r[1].access, r[1].status,
		  r[1].reads, r[1].entry);
	p->answered += r[0].status == HW_OK;
	if (r[0].status == HW_ABORT && !below(p, 4))
		take_events(p);
}

static void operation(struct pair *p)
{
	u32 kind = below(p, 1000);

	if (kind < 950 || (p->calm && below(p, 40)))
		ask(p);
	else if (kind < 975)
		word(p, (TABLES + below(p, PAGES - TABLES)) * 4096ULL + below(p, 24) * 8,
		     descriptor(p));
	else if (kind < 985)
		invalidate(p);
	else if (kind < 999)
		configure(p);
	else
		take_events(p);
}

static void same_memory(const struct pair *p)
{
	cr_assert_eq(memcmp(p->s[0].e.ram, p->s[1].e.ram, RAM), 0);
	for (u64 off = 0; off < 0x200; off += 4)
		cr_assert_eq(p->s[0].h->ops->mmio_read(p->s[0].h, off, 4),
			     p->s[1].h->ops->mmio_read(p->s[1].h, off, 4));
}

/* quick: 1, or 2, without vector instructions */
static void run(const char *options, u32 quick, u64 seed)
{
	struct pair p = {.random = seed, .local = seed & 1};
	char text[256], err[200] = "";

	for (u32 i = 0; i < 2; i++) {
		struct side *s = &p.s[i];

		s->e = (struct hw_env){.ram = calloc(1, RAM), .ram_size = RAM};
		snprintf(text, sizeof(text), "%s,quick=%u", options, i ? 0 : quick);
		s->h = hw_smmuv3_ops.create(&s->e, text, err, sizeof(err));
		cr_assert(s->h && s->e.ram, "%s", err);
	}
	for (u64 pa = TABLES * 4096; pa < RAM; pa += 8)
		word(&p, pa, descriptor(&p));
	second(&p);
	for (u32 sid = 0; sid < 4; sid++) {
		stream(&p, sid);
		for (u32 ssid = 0; ssid < 4; ssid++)
			context(&p, sid, ssid);
	}
	reg(&p, SMMU_STRTAB_BASE, 8, STREAMS << 12);
	reg(&p, SMMU_STRTAB_BASE_CFG, 4, 2);
	reg(&p, SMMU_CMDQ_BASE, 8, COMMANDS << 12 | 4);
	reg(&p, SMMU_EVENTQ_BASE, 8, EVENTS << 12 | 4);
	reg(&p, SMMU_CR0, 4, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN);
	work(&p);
	for (u32 i = 0; i < OPERATIONS; i++) {
		p.calm = i / 4096 % 2;
		operation(&p);
		if (i % 4096 == 0)
			same_memory(&p);
	}
	same_memory(&p);
	cr_assert_gt(p.answered, OPERATIONS / 16);
	for (u32 i = 0; i < 2; i++) {
		p.s[i].h->ops->destroy(p.s[i].h);
		free(p.s[i].e.ram);
	}
}

/* 17 of them, 1,020,000 operations for each test. */
static const char *const all[] = {
	"cache=none", "cache=none,config=1", "cache=none,config=1,httu=0", "cache=infinite",
	"cache=infinite,walkcache=0", "cache=infinite,config=0", "cache=sets,entries=64",
	"cache=sets,entries=64,walkcache=0", "cache=sets,entries=64,httu=0",
	"cache=sets,entries=64,replace=random", "cache=sets,entries=64,xnx=0,walkcache=0",
	"cache=sets,entries=4096", "cache=sets,entries=4096,walkcache=0", "cache=tiny",
	"cache=sets,entries=64,prefetch=1", "cache=sets,entries=128,persona=maxinv",
	"cache=sets,entries=64,oas=40",
};

Test(smmuv3_quick, is_as_the_long_way)
{
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		run(all[i], 1, 0x9e3779b97f4a7c15ULL + i);
}

Test(smmuv3_quick, is_so_without_vectors)
{
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		run(all[i], 2, 0x1234567 + i);
}
