// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quick way against the long way, as tests/hw/vtd/test_quick.c has it for
 * VT-d: the same requests, writes and commands to two models that differ in
 * quick= only, and each answer, all memory and all registers are the same.
 */
#include "tests/hw/smmuv3/quick_bed.h"

static void run(const char *options, u32 quick, u64 seed)
{
	struct pair p;

	begin(&p, options, quick, seed);
	now.local = seed & 1;
	for (u64 pa = TABLES * 4096; pa < RAM; pa += 8)
		change(&p, pa);
	second(&p);
	for (u32 sid = 0; sid < 4; sid++) {
		stream(&p, sid);
		for (u32 ssid = 0; ssid < 4; ssid++)
			context(&p, sid, ssid);
	}
	turn_on(&p);
	for (u32 i = 0; i < OPERATIONS; i++) {
		now.aim.calm = i / 4096 % 2;
		now.aim.far = i / 8192 % 2;
		operation(&p);
		if (i % 4096 == 0)
			same_memory(&p, REGISTERS);
	}
	same_memory(&p, REGISTERS);
	cr_assert_gt(now.answered, OPERATIONS / 16);
	sides_free(&p);
}

/* 22 of them, 1,320,000 operations for each test. */
static const char *const all[] = {
	"cache=none", "cache=none,config=1", "cache=none,config=1,httu=0", "cache=infinite",
	"cache=infinite,walkcache=0", "cache=infinite,config=0", "cache=sets,entries=64",
	"cache=sets,entries=64,walkcache=0", "cache=sets,entries=64,httu=0",
	"cache=sets,entries=64,replace=random", "cache=sets,entries=64,xnx=0,walkcache=0",
	"cache=sets,entries=4096", "cache=sets,entries=4096,walkcache=0", "cache=tiny",
	"cache=sets,entries=64,prefetch=1", "cache=sets,entries=128,persona=maxinv",
	"cache=sets,entries=64,oas=40", "cache=sets,entries=64,tlb=0", "cache=infinite,tlb=0",
	"cache=sets,entries=4096,tlb=0", "cache=sets,entries=4096,tlb=0,walkcache=0",
	"cache=sets,entries=64,tlb=0,httu=0",
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

/* What is told ahead of requests changes nothing, and nothing is written for it. */
Test(smmuv3_quick, is_so_of_what_was_told)
{
	static const char *const some[] = {
		"cache=none", "cache=tiny", "cache=infinite", "cache=sets,entries=64",
		"cache=sets,entries=4096", "cache=sets,entries=64,replace=random",
	};

	for (u32 i = 0; i < ARRAY_SIZE(some); i++) {
		memset(&told, 0, sizeof(told));
		told_begin(&told);
		run(some[i], 1, 0xabcdef01 + i);
		told_end(&told);
		cr_assert_gt(told.asked, 500u);
		/* The first two keep no configuration. */
		if (i > 1)
			cr_assert_gt(told.known, told.asked / 8);
	}
}

/* --- one page of both stages, and every bit of the words that lead to it --- */

#define FIRST 16ULL  /* pages of stage 1's tables, the last one last */
#define SECOND 20ULL /* of stage 2's: the last ones are for tables, and for two pages */
#define MIDDLE_PAGE (5ULL << 21 | 7 << 12)

static void tree(struct pair *p, u64 page)
{
	for (u64 i = 0; i < 3; i++)
		word(p, (page + i) << 12, (page + i + 1) << 12 | 3);
}

static void forget(struct pair *p)
{
	command(p, CMD_CFGI_STE_RANGE, 31);
	command(p, CMD_TLBI_NSNH_ALL, 0);
}

/* ps: how long addresses are that both stages may give, as in STE and CD. */
static void one_page(struct pair *p, u64 ps)
{
	const u64 s1 = 3 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 11;
	const u64 s2 = 3 | 0xf << 2 | 3 << 6 | 3 << 8 | 1 << 10;

	memset(p->s[0].e.ram, 0, RAM);
	memset(p->s[1].e.ram, 0, RAM);
	word(p, (STREAMS << 12) + 16, 1 | 16ULL << STE2_S2T0SZ | 2ULL << STE2_S2SL0 |
					      ps << STE2_S2PS | 1ULL << STE2_S2AA64 |
					      1ULL << STE2_S2R);
	word(p, (STREAMS << 12) + 24, SECOND << 12);
	word(p, STREAMS << 12, 1 | 7ULL << STE0_CONFIG | CDS << 12);
	word(p, (CDS << 12) + 8, FIRST << 12);
	word(p, (CDS << 12) + 24, 0xff);
	word(p, CDS << 12, 16ULL | 1ULL << CD0_EPD1 | 1ULL << CD0_V | ps << CD0_IPS |
				   1ULL << CD0_AA64 | 1ULL << CD0_A | 1ULL << CD0_R |
				   1ULL << CD0_ASID);
	tree(p, FIRST);
	word(p, (FIRST + 3) << 12, MIDDLE_PAGE | s1);
	word(p, ((FIRST + 3) << 12) + 8, (MIDDLE_PAGE + (1 << 21)) | s1);
	tree(p, SECOND);
	/* Tables and the CD are where they are; the two pages apart. */
	for (u64 i = 0; i < 24; i++)
		word(p, ((SECOND + 3) << 12) + i * 8, i << 12 | s2);
	for (u64 i = 0; i < 2; i++) {
		word(p, ((SECOND + 2) << 12) + (5 + i) * 8, (SECOND + 4 + i) << 12 | 3);
		word(p, ((SECOND + 4 + i) << 12) + 7 * 8, (40 + i) << 12 | s2);
	}
	forget(p);
}

static struct hw_resp ask_at(struct pair *p, u64 addr, u16 access)
{
	const struct hw_req req = {.addr = addr, .pasid = HW_NO_PASID, .access = access};

	return same_answer(p, &req);
}

/* Reads and writes of both pages, in turns, and then twice each: the first one last. */
static void ask_all(struct pair *p)
{
	for (u32 i = 0; i < 12; i++)
		ask_at(p, (u64)(i < 4 ? i & 1 : ~i >> 1 & 1) << 12,
		       (u16)(i & 5 ? HW_WRITE : HW_READ));
}

static void each_bit(const char *options, u64 ps)
{
	const u64 at[] = {((SECOND + 3) << 12) + (FIRST + 3) * 8, (FIRST + 3) << 12,
			  ((SECOND + 4) << 12) + 7 * 8, (SECOND + 2) << 12,
			  ((SECOND + 2) << 12) + 5 * 8, ((SECOND + 2) << 12) + 6 * 8,
			  (FIRST + 2) << 12, ((SECOND + 5) << 12) + 7 * 8};
	const u64 of_second = (SECOND + 5) << 12;
	struct pair p;

	begin(&p, options, 1, 1);
	turn_on(&p);
	for (u32 i = 0; i < ARRAY_SIZE(at) * 64; i++) {
		struct hw_resp r;
		u64 was;

		one_page(&p, ps);
		r = ask_at(&p, 0, HW_WRITE);
		cr_assert(r.status == HW_OK && r.pa == 40 << 12);
		/* The two pages need not be permitted the same. */
		memcpy(&was, p.s[0].e.ram + ((SECOND + 4) << 12) + 7 * 8, 8);
		if (i & 1)
			word(&p, ((SECOND + 4) << 12) + 7 * 8, was & ~(u64)(1 << 7));
		ask_all(&p);
		/* The page that it is for, by what was known of the other one; and again. */
		forget(&p);
		for (u32 n = 0; n < 8; n++)
			ask_at(&p, (u64)((at[i / 64] >= of_second) ^ (n < 4 && n & 1)) << 12,
			       HW_READ);
		memcpy(&was, p.s[0].e.ram + at[i / 64], 8);
		word(&p, at[i / 64], was ^ 1ULL << i % 64);
		ask_at(&p, (u64)(at[i / 64] >= of_second) << 12, i & 1 ? HW_WRITE : HW_READ);
		ask_all(&p);
		forget(&p);
		ask_all(&p);
		word(&p, at[i / 64], was);
		ask_all(&p);
		same_memory(&p, REGISTERS);
	}
	sides_free(&p);
}

Test(smmuv3_quick, minds_each_bit_of_a_page_of_both_stages)
{
	for (u64 ps = 2; ps <= 5; ps += 3) {
		each_bit("cache=sets,entries=64,tlb=0", ps);
		each_bit("cache=sets,entries=64", ps);
		each_bit("cache=none,config=1", ps);
	}
}

/* What is of interest is rare. */
Test(smmuv3_quick, is_so_where_only_tables_are_kept)
{
	for (u32 i = 0; i < 12; i++)
		run("cache=sets,entries=64,tlb=0", 1, 0xfeed0000 + i);
}

static struct hw_cache *cache_of(const struct pair *p, u32 side, u32 cache)
{
	return ((struct hw_smmuv3 *)p->s[side].h)->cache[cache];
}

/* The same tags, and the same way of each set is the oldest. */
static void same_ages(struct pair *p)
{
	for (u32 i = CACHE_TLB; i <= CACHE_WALK; i++) {
		const struct hw_cache *quick = cache_of(p, 0, i), *slow = cache_of(p, 1, i);

		cr_assert_eq(memcmp(quick->set, slow->set,
				    (quick->set_mask + 1) * sizeof(*quick->set)), 0);
	}
}

static void ask_of(struct pair *p, u32 sid, u64 addr)
{
	struct hw_req req = {.addr = addr, .sid = sid, .pasid = HW_NO_PASID, .access = HW_READ};

	if (below(p, 8) == 0)
		req.access = (u16)below(p, below(p, 8) ? 8 : 128);
	if (below(p, 200) == 0)
		req.kind = (u8)below(p, 3);
	same_answer(p, &req);
}

/* By the registers. */
static void look_up(struct pair *p, u64 addr)
{
	u64 par;

	reg(p, SMMU_GATOS_SID, 8, 0);
	reg(p, SMMU_GATOS_ADDR, 8, (addr & ~0xfffULL) | 3 << ATOS_ADDR_TYPE | 1 << ATOS_ADDR_RNW);
	reg(p, SMMU_GATOS_CTRL, 4, ATOS_RUN);
	work(p);
	par = p->s[0].h->ops->mmio_read(p->s[0].h, SMMU_GATOS_PAR, 8);
	cr_assert_eq(par, p->s[1].h->ops->mmio_read(p->s[1].h, SMMU_GATOS_PAR, 8));
	cr_assert_eq(par & 1, 0);
}

static void ask_page(struct pair *p, u32 sid, u64 addr)
{
	const struct hw_req req = {.addr = addr, .sid = sid, .pasid = HW_NO_PASID,
				   .access = HW_READ};

	cr_assert_eq(same_answer(p, &req).status, HW_OK);
}

static u32 watched[2];

static void quick_point(struct hw_env *e, const char *why)
{
	(void)e;
	(void)why;
	watched[0]++;
}

static void long_point(struct hw_env *e, const char *why)
{
	(void)e;
	(void)why;
	watched[1]++;
}

static u64 quick_flushed(struct hw_env *e, u64 pa)
{
	u64 value;

	watched[0]++;
	memcpy(&value, e->ram + pa, 8);
	return value;
}

static u64 long_flushed(struct hw_env *e, u64 pa)
{
	u64 value;

	watched[1]++;
	memcpy(&value, e->ram + pa, 8);
	return value;
}

/* From now on somebody has moments in between, or memory that is flushed; or nobody has. */
static void watch(struct pair *p, u32 how)
{
	p->s[0].e.point = how == 1 ? quick_point : NULL;
	p->s[1].e.point = how == 1 ? long_point : NULL;
	p->s[0].e.read_flushed = how == 2 ? quick_flushed : NULL;
	p->s[1].e.read_flushed = how == 2 ? long_flushed : NULL;
}

#define OTHER 28ULL /* of stream 2: stage 1's tables, the last one last */
#define PAGE_OF_ALL (((SECOND + 4) << 12) + 7 * 8)

/* Streams 1 and 2: stage 1 alone; and the same stage 2, but pages of other ranges. */
static void other_streams(struct pair *p)
{
	const u64 s1 = 3 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 11;
	u64 cd;

	for (u32 i = 0; i < 2; i++) {
		u8 *ram = p->s[i].e.ram;

		memcpy(ram + ((CDS + 1) << 12), ram + (CDS << 12), 64);
		memcpy(ram + ((CDS + 2) << 12), ram + (CDS << 12), 64);
		memcpy(ram + (STREAMS << 12) + 128, ram + (STREAMS << 12), 64);
	}
	word(p, (STREAMS << 12) + 64, 1 | 5ULL << STE0_CONFIG | (CDS + 1) << 12);
	word(p, (STREAMS << 12) + 128, 1 | 7ULL << STE0_CONFIG | (CDS + 2) << 12);
	memcpy(&cd, p->s[0].e.ram + (CDS << 12), 8);
	word(p, (CDS + 2) << 12, cd ^ 3ULL << CD0_ASID);
	word(p, ((CDS + 2) << 12) + 8, OTHER << 12);
	tree(p, OTHER);
	for (u64 i = 0; i < 32; i++)
		word(p, ((OTHER + 2) << 12) + i * 8,
		     ((OTHER + 3) << 12 | 3) + (i ? (1 + i * 3 % 31) << 21 : 0));
	for (u64 i = 0; i < 512; i++)
		word(p, ((OTHER + 3) << 12) + i * 8,
		     s1 | (7 + (i + 3) % 8) << 12 | (1 + i * 5 % 31) << 21);
}

/* Stage 2 of 32 ranges: the last tables of stage 1 where they are, and eight pages. */
static void ranges_below(struct pair *p, bool dirty)
{
	u64 leaf, last, page;

	memcpy(&leaf, p->s[0].e.ram + ((SECOND + 3) << 12) + (FIRST + 3) * 8, 8);
	last = leaf + ((OTHER - FIRST) << 12);
	word(p, ((SECOND + 4) << 12) + (FIRST + 3) * 8, leaf);
	for (u64 i = 0; i < 4; i++)
		word(p, ((SECOND + 3) << 12) + (OTHER + i) * 8, last - ((3 - i) << 12));
	word(p, ((SECOND + 4) << 12) + (OTHER + 3) * 8, last);
	memcpy(&page, p->s[0].e.ram + PAGE_OF_ALL, 8);
	for (u64 i = 0; i < 8; i++)
		word(p, PAGE_OF_ALL + i * 8, (page + (i << 12)) | (dirty ? 1ULL << 51 : 0));
	for (u64 i = 1; i < 32; i++)
		word(p, ((SECOND + 2) << 12) + i * 8, (SECOND + 4) << 12 | 3);
}

/* Something else than a request. */
static void meanwhile(struct pair *p, u64 range, u64 addr, bool dirty)
{
	u64 leaf, at;

	if (below(p, 64) == 0)
		look_up(p, aim_range(&now.aim, p, range) << 21);
	else if (below(p, 256) == 0)
		command(p, CMD_TLBI_NH_VA | 1ULL << 48 | 1ULL << 32,
			(addr & ~0xfffULL) | below(p, 2));
	else if (below(p, 256) == 0)
		watch(p, below(p, 3));
	else if (below(p, 64) == 0)
		take_events(p);
	if (!dirty || below(p, 32) || p->s[0].e.point)
		return;
	/* A page is not yet dirty. */
	at = PAGE_OF_ALL + below(p, 8) * 8ULL;
	memcpy(&leaf, p->s[0].e.ram + at, 8);
	word(p, at, leaf & ~(1ULL << 7));
	if (below(p, 2))
		command(p, CMD_TLBI_S12_VMALL, 0);
}

/* Pages of 31 ranges in 31 others, and so are their tables. */
static void ranges_made(struct pair *p, bool dirty)
{
	u64 leaf;

	turn_on(p);
	one_page(p, 5);
	memcpy(&leaf, p->s[0].e.ram + ((FIRST + 3) << 12), 8);
	for (u64 i = 0; i < 512; i++)
		word(p, ((FIRST + 3) << 12) + i * 8,
		     (leaf & 0xfff) | (7 + i % 8) << 12 | (1 + i * 7 % 31) << 21);
	for (u64 i = 1; i < 32; i++) {
		memcpy(&leaf, p->s[0].e.ram + ((FIRST + 2) << 12), 8);
		word(p, ((FIRST + 2) << 12) + i * 8, leaf + ((1 + i * 11 % 31) << 21));
	}
	ranges_below(p, dirty);
	if (dirty) {
		memcpy(&leaf, p->s[0].e.ram + (STREAMS << 12) + 16, 8);
		word(p, (STREAMS << 12) + 16, leaf | 3ULL << STE2_S2HD);
	}
	other_streams(p);
	forget(p);
}

/* Entries have the same tags before and after they are dropped, and soon no ids are left. */
static void wear(struct pair *p, bool ids)
{
	for (u32 i = 0; i < 2; i++) {
		struct hw_cache *tlb = cache_of(p, i, CACHE_TLB);

		tlb->salts = 0;
		if (ids)
			hw_cache_wind(tlb, 0xfffff000, tlb->epoch);
	}
}

/* By few sets: what is oldest is the same. */
static void many_ranges(const char *options, u32 variant)
{
	bool turns = variant & 1, dirty = variant & 2, worn = variant & 4;
	struct pair p;
	u64 range = 0;
	u32 sid = 0;

	begin(&p, options, 1, 1 + variant);
	ranges_made(&p, dirty);
	if (worn)
		wear(&p, true);
	for (u32 i = 0; i < OPERATIONS; i++) {
		u64 page = turns ? aim_two_pages(&now.aim, &p, 31) : aim_page(&now.aim, &p);
		u64 addr = range << 21 | page << 12;

		/* In some of the time few ranges, of which much is remembered; or many pages. */
		if (i / 8192 % 2 == 0)
			range = aim_range(&now.aim, &p, range);
		else if (below(&p, 4) == 0)
			range = below(&p, 3);
		if (i / 4096 % 4 == 3)
			addr = range << 21 | (u64)below(&p, 512) << 12;
		if (below(&p, 4) == 0)
			sid = below(&p, 3) ? 0 : 1 + below(&p, 2);
		if (worn)
			wear(&p, false);
		meanwhile(&p, range, addr, dirty);
		ask_of(&p, sid, addr);
		if (!((struct hw_smmuv3 *)p.s[0].h)->nests)
			same_ages(&p);
	}
	cr_assert_eq(watched[0], watched[1]);
	same_memory(&p, REGISTERS);
	sides_free(&p);
}

/* Intermediate addresses that differ in a bit which no tag of the TLB has. */
Test(smmuv3_quick, tells_far_pages_from_near_ones)
{
	const u64 far = 1ULL << TAG_BITS << 12, below_far = 32;
	u64 s1, s2;
	struct pair p;

	begin(&p, "cache=sets,entries=64", 1, 1);
	turn_on(&p);
	one_page(&p, 5);
	memcpy(&s1, p.s[0].e.ram + ((FIRST + 3) << 12), 8);
	memcpy(&s2, p.s[0].e.ram + ((SECOND + 4) << 12) + 7 * 8, 8);
	tree(&p, below_far);
	word(&p, (SECOND << 12) + (far >> 39) * 8, (below_far + 1) << 12 | 3);
	word(&p, ((below_far + 2) << 12) + 5 * 8, (below_far + 3) << 12 | 3);
	for (u64 i = 0; i < 128; i++) {
		word(&p, ((SECOND + 4) << 12) + (7 + i) * 8, s2 + (i % 8 << 12));
		word(&p, ((below_far + 3) << 12) + (7 + i) * 8, s2 + ((8 + i % 8) << 12));
	}
	for (u64 i = 0; i < 512; i++)
		word(&p, ((FIRST + 3) << 12) + i * 8,
		     (s1 + (i / 2 % 128 << 12)) | (i & 1 ? far : 0));
	forget(&p);
	for (u32 i = 0; i < OPERATIONS; i++)
		ask_page(&p, 0, (u64)below(&p, below(&p, 4) ? 32 : 512) << 12);
	sides_free(&p);
}

/* One goes on where it was before the other came, and then to where that one was. */
Test(smmuv3_quick, takes_no_stream_for_another)
{
	struct pair p;

	begin(&p, "cache=sets,entries=4096,tlb=0", 1, 1);
	ranges_made(&p, false);
	for (u32 n = 0; n < 4000; n++) {
		u64 page = (u64)below(&p, 512) << 12;
		u64 range[] = {(u64)below(&p, 32) << 21, (u64)below(&p, 32) << 21};
		u32 sid = n & 2;

		for (u32 i = 0; i < 10; i++) {
			bool other = i >= 3 && i < 7;

			ask_page(&p, other ? 2 - sid : sid, range[other || i > 7] | page);
		}
	}
	sides_free(&p);
}

/* 248 pages one after the other, of one range before and after stage 1; streams 0 and 2. */
static void pages_in_a_row(struct pair *p, const char *options)
{
	u64 s1, s2, cd;

	begin(p, options, 1, 1);
	turn_on(p);
	one_page(p, 5);
	memcpy(&s1, p->s[0].e.ram + ((FIRST + 3) << 12), 8);
	memcpy(&s2, p->s[0].e.ram + PAGE_OF_ALL, 8);
	for (u64 i = 0; i < 248; i++) {
		word(p, ((FIRST + 3) << 12) + i * 8, s1 + (i << 12));
		word(p, PAGE_OF_ALL + i * 8, s2 + (i % 8 << 12));
	}
	for (u64 i = 0; i < 64; i += 8) {
		u64 e;

		memcpy(&e, p->s[0].e.ram + (STREAMS << 12) + i, 8);
		word(p, (STREAMS << 12) + 128 + i, i ? e : 1 | 7ULL << STE0_CONFIG |
								   (CDS + 2) << 12);
		memcpy(&cd, p->s[0].e.ram + (CDS << 12) + i, 8);
		word(p, ((CDS + 2) << 12) + i, i ? cd : cd ^ 3ULL << CD0_ASID);
	}
	forget(p);
}

/* A block for a while, which the TLB knows from another stream, in place of a table. */
Test(smmuv3_quick, finds_a_block_that_another_stream_has_met)
{
	const u64 at = ((SECOND + 2) << 12) + 5 * 8;
	struct pair p;
	u64 table;

	pages_in_a_row(&p, "cache=sets,entries=64,walkcache=0");
	memcpy(&table, p.s[0].e.ram + at, 8);
	for (u64 round = 0; round < 64; round++) {
		for (u64 i = 0; i < 100; i++) {
			ask_page(&p, i < 60 ? 2 : 0, i << 12);
			ask_page(&p, 0, i << 12);
		}
		word(&p, at, 1 | 0xf << 2 | 3 << 6 | 3 << 8 | 1 << 10);
		ask_page(&p, 2, (100 + round) << 12);
		word(&p, at, table);
		/* Known ones, which neither the front nor the quick way of before says. */
		ask_page(&p, 0, (99 - round % 8) << 12);
		ask_page(&p, 0, (91 - round % 8) << 12);
		ask_page(&p, 0, (83 - round % 8) << 12);
		for (u64 i = 200; i < 208; i++)
			ask_page(&p, 0, i << 12);
		same_ages(&p);
		command(&p, CMD_TLBI_NSNH_ALL, 0);
	}
	sides_free(&p);
}

/* Each page takes two of the TLB's ids; there is one left, or none. */
static void last_ids(const char *options)
{
	for (u32 left = 250; left < 254; left++) {
		struct pair p;

		pages_in_a_row(&p, options);
		for (u32 i = 0; i < 2; i++)
			hw_cache_wind(cache_of(&p, i, CACHE_TLB), ~left, 1);
		for (u64 i = 0; i < 248; i++) {
			ask_page(&p, 0, i << 12);
			same_ages(&p);
		}
		sides_free(&p);
	}
}

Test(smmuv3_quick, has_the_same_pages_where_ids_end)
{
	last_ids("cache=sets,entries=64");
	last_ids("cache=sets,entries=64,walkcache=0");
}

#define ROWS 16u
#define MIXED 124u
/* Ranges of pages in a row, by two last tables of stage 1; all of them are one of stage 2. */
static void rows_of_pages(struct pair *p, const char *options)
{
	u64 leaf, table;

	pages_in_a_row(p, options);
	memcpy(&table, p->s[0].e.ram + ((FIRST + 2) << 12), 8);
	memcpy(&leaf, p->s[0].e.ram + ((SECOND + 3) << 12) + (FIRST + 3) * 8, 8);
	for (u64 i = 0; i < 4; i++)
		word(p, ((SECOND + 3) << 12) + (OTHER + i) * 8,
		     leaf + ((OTHER + i - FIRST - 3) << 12));
	/* Stream 2 has the last tables the other way round. */
	tree(p, OTHER);
	word(p, ((CDS + 2) << 12) + 8, OTHER << 12);
	for (u64 i = 0; i < ROWS; i++) {
		word(p, ((FIRST + 2) << 12) + i * 8, table + ((i & 1) * (OTHER - FIRST) << 12));
		word(p, ((OTHER + 2) << 12) + i * 8, table + ((~i & 1) * (OTHER - FIRST) << 12));
	}
	/* From MIXED on each one is another kind of memory than the last. */
	for (u64 i = 0; i < 248; i++) {
		memcpy(&leaf, p->s[0].e.ram + ((FIRST + 3) << 12) + i * 8, 8);
		leaf |= i >= MIXED && i & 1 ? 1 << 2 : 0;
		word(p, ((FIRST + 3) << 12) + i * 8, leaf);
		word(p, ((OTHER + 3) << 12) + i * 8, leaf ^ 1 << 7);
	}
	/* Stream 1: stage 1 alone. */
	for (u64 i = 0; i < 64; i += 8) {
		memcpy(&leaf, p->s[0].e.ram + (CDS << 12) + i, 8);
		word(p, ((CDS + 1) << 12) + i, leaf);
	}
	word(p, (STREAMS << 12) + 64, 1 | 5ULL << STE0_CONFIG | (CDS + 1) << 12);
	forget(p);
}

static void ask_in_row(struct pair *p, u64 range, u32 n)
{
	while (n--)
		ask_of(p, 0, range << 21 | (u64)below(p, 248) << 12);
}

/* Something that a row goes by is not what it was, for a while. */
static void row_changes(struct pair *p, u64 range)
{
	const u64 table = range & 1 ? OTHER + 3 : FIRST + 3;
	const u64 at[] = {((SECOND + 3) << 12) + table * 8, (table << 12) + below(p, 248) * 8ULL,
			  PAGE_OF_ALL + below(p, 248) * 8ULL, ((FIRST + 2) << 12) + range * 8,
			  (SECOND + 2) << 12, ((SECOND + 2) << 12) + 5 * 8};
	u64 was, which = pick(p, at, ARRAY_SIZE(at)), page = (which & 0xfff) / 8 - 7;

	ask_in_row(p, range, 6);
	memcpy(&was, p->s[0].e.ram + which, 8);
	word(p, which, was ^ 1ULL << (below(p, 4) ? below(p, 64) : 12 + below(p, 2)));
	if (below(p, 8) == 0)
		command(p, CMD_TLBI_NH_VA | 1ULL << CMD0_ASID | 1ULL << CMD0_VMID,
			range << 21 | (u64)below(p, 248) << 12);
	if (below(p, 8) == 0)
		command(p, CMD_PREFETCH_ADDR | 2ULL << CMD0_SID, (u64)below(p, 248) << 12);
	/* The page, if it is one of stage 1; else what has it as an intermediate one. */
	if (which >> 12 == table)
		ask_of(p, 0, range << 21 | (which & 0xff8) << 9);
	else if (which >> 12 == PAGE_OF_ALL >> 12)
		ask_of(p, 0, range << 21 | page << 12);
	ask_in_row(p, range, 6);
	ask_in_row(p, below(p, ROWS), 6);
	word(p, which, was);
	if (below(p, 2))
		forget(p);
}

/* So many others are filled that the pages of the row's tables are in the TLB no more. */
static void row_gives_way(struct pair *p, u64 range)
{
	ask_in_row(p, range, 6);
	for (u64 i = MIXED; i < 248 && range & 1; i++)
		ask_at(p, (range ^ 1) << 21 | i << 12, HW_READ);
	for (u64 i = MIXED; i < 248 && !(range & 1); i++)
		command(p, CMD_PREFETCH_ADDR | 1ULL << CMD0_SID, i << 12);
	ask_in_row(p, range, 6);
}

/* All of the TLB is in use, and each page takes the place of two. */
static void rows(const char *options)
{
	struct pair p;
	u64 range = 0;
	u32 sid = 0;

	rows_of_pages(&p, options);
	for (u32 i = 0; i < OPERATIONS; i++) {
		/* Eight further is another one of the same trail, and of the same set. */
		if (below(&p, 8) == 0)
			range = below(&p, 4) ? range ^ 8 : below(&p, ROWS);
		if (below(&p, 64) == 0)
			sid = sid ? 0 : 2 * below(&p, 2);
		if (below(&p, 256) == 0)
			row_changes(&p, range);
		if (below(&p, 512) == 0)
			row_gives_way(&p, range);
		ask_of(&p, sid, range << 21 | (u64)below(&p, 248) << 12);
		same_ages(&p);
	}
	same_memory(&p, REGISTERS);
	sides_free(&p);
}

Test(smmuv3_quick, is_so_of_pages_of_both_stages_in_a_row)
{
	rows("cache=sets,entries=64");
	rows("cache=sets,entries=256");
	rows("cache=sets,entries=64,walkcache=0");
}

Test(smmuv3_quick, forgets_the_same_tables)
{
	for (u32 variant = 0; variant < 8; variant++) {
		many_ranges("cache=sets,entries=64,tlb=0", variant);
		many_ranges("cache=sets,entries=256,tlb=0", variant);
		many_ranges("cache=sets,entries=64,replace=random,tlb=0", variant);
		many_ranges("cache=sets,entries=64", variant);
		many_ranges("cache=sets,entries=64,walkcache=0", variant);
		many_ranges("cache=sets,entries=64,cohacc=0", variant);
	}
}
