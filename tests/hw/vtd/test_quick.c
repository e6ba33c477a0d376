// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quick way against the long way: two models with the same options but for
 * quick=, the same memory, the same random requests, writes, invalidations and
 * registers. Each answer is the same in all of its fields, and so are memory and
 * registers: what was read, filled, forgotten, faulted and marked.
 *
 * Memory is small and every word of its tables leads to some page of it, so that
 * any address has a walk; bits that matter are wrong now and then.
 */
#include "hw/vtd/vtd_priv.h"
#include "sim/base/bits.h"
#include "tests/hw/told.h"
#include "tests/kit/aim.h"

#include <criterion/criterion.h>
#include <string.h>

#define PAGES AIM_PAGES
#define RAM (PAGES * 4096u)
#define REGISTERS 0x400
#define ROOT 1ULL
#define CONTEXT 2ULL /* of scalable mode: two halves, pages 2 and 3 */
#define DIRECTORY 4ULL
#define PASIDS 5ULL
#define QUEUE 6ULL
#define TABLES AIM_TABLES
#define OPERATIONS 60000u

static struct told told; /* the quick one is, before it is asked */
static struct {
	struct aim aim;
	u64 tail, answered;
	u32 ttm;
} now;

/* In the entries of tables: valid, permissions, accessed, dirty, and what is reserved. */
static const u64 bits_of_words[] = {0, 1, 2, 5, 6, 7, 8, 9, 11, 63};

/* An entry of a table of either stage. */
static u64 entry(struct pair *p, u64 pa)
{
	static const u64 odd[] = {VTD_SS_R, VTD_SS_W, VTD_FS_US, VTD_SS_A, VTD_FS_A, VTD_SS_D,
				  VTD_FS_D, VTD_SS_PS, VTD_SS_SNP, VTD_FS_XD, VTD_FS_EA,
				  1ULL << 51, 1ULL << 40};
	u64 e = (u64)(TABLES + below(p, PAGES - TABLES)) << 12, at = pa >> 3 & 511;

	/* Where only leaves lie, of pages in several 2 MiB. */
	if (at >= 2 && at <= 5)
		e += (u64)below(p, 4) << 24;
	/* Nothing is mapped there. */
	if (below(p, 24) == 0)
		return below(p, 2) ? 0 : e;
	e |= VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A | VTD_FS_D | VTD_SS_A | VTD_SS_D;
	if (below(p, 24) == 0)
		e ^= pick(p, odd, ARRAY_SIZE(odd));
	return e;
}

static void change(struct pair *p, u64 pa)
{
	word(p, pa, entry(p, pa));
}

static u64 address(struct pair *p)
{
	static const u64 regions[] = {0, 0x200000, 0x40000000, 0x7fff40000000, 0xfee00000,
				      0xfef00000, 0x8000000000, 0xffff800000000000, 1ULL << 52};
	u64 region;

	if (now.aim.far && below(p, 40))
		return aim_far_address(&now.aim, p);
	region = below(p, 4) ? regions[below(p, 3)] : pick(p, regions, ARRAY_SIZE(regions));
	return region + ((u64)below(p, now.aim.calm ? 200 : 24) << 12) + below(p, 4096);
}

static const u16 sids[] = {8, 9, 0x85, 0x105};

static void legacy_context(struct pair *p, u16 sid)
{
	u64 root = pick(p, (const u64[]){TABLES, TABLES + 1}, 2) << 12, tt = below(p, 12) ? 0 : 2;
	u64 levels = tt == 2 || !below(p, 8) ? 3 : 2;
	u64 at = (CONTEXT << 12) + (sid & 0xff) * 16;

	word(p, at + 8, levels | (u64)below(p, 3) << VTD_CTX_DID_SHIFT);
	word(p, at, root | tt << VTD_CTX_TT_SHIFT | (below(p, 20) ? VTD_P : 0) |
			    (below(p, 6) ? 0 : VTD_FPD));
}

static void pasid_entry(struct pair *p, u32 pasid)
{
	static const u64 types[] = {VTD_PGTT_FS, VTD_PGTT_SS, VTD_PGTT_NESTED, VTD_PGTT_NESTED,
				    VTD_PGTT_PASS};
	u64 at = (PASIDS << 12) + (pasid & 63) * 64, type = pick(p, types, ARRAY_SIZE(types));
	u64 rare = (!below(p, 6) ? VTD_PE0_SSADE : 0) | (below(p, 20) ? VTD_P : 0);

	word(p, at + 8, below(p, 3) | (below(p, 8) ? VTD_PE1_PWSNP : 0));
	word(p, at + 16, (u64)(TABLES + below(p, 2)) << 12 | (below(p, 3) ? 0 : VTD_PE2_SRE) |
				 (below(p, 8) ? 0 : VTD_PE2_ERE) |
				 (below(p, 8) ? 0 : VTD_PE2_EAFE) |
				 (below(p, 2) ? 0 : VTD_PE2_NXE) | (below(p, 4) ? 0 : VTD_PE2_WPE) |
				 (below(p, 6) ? 0 : 1 << VTD_PE2_FSPM_SHIFT));
	word(p, at, rare | (below(p, 8) ? 2ULL : 3ULL) << VTD_PE0_AW_SHIFT |
			    type << VTD_PE0_PGTT_SHIFT | (u64)(TABLES + 2 + below(p, 2)) << 12);
}

static void scalable_context(struct pair *p, u16 sid)
{
	u64 at = ((CONTEXT + (sid & 0x80 ? 1 : 0)) << 12) + (sid & 0x7f) * 32;

	word(p, at + 8, below(p, 4));
	word(p, at, DIRECTORY << 12 | VTD_SCTX_PASIDE | (below(p, 2) ? VTD_SCTX_DTE : 0) |
			    (below(p, 20) ? VTD_P : 0));
}

static void configure(struct pair *p)
{
	if (now.ttm == VTD_TTM_LEGACY)
		legacy_context(p, sids[below(p, ARRAY_SIZE(sids))]);
	else if (below(p, 2))
		scalable_context(p, sids[below(p, ARRAY_SIZE(sids))]);
	else
		pasid_entry(p, below(p, 4));
}

/* A root table of the mode, contexts of all, translation on. */
static void root(struct pair *p)
{
	now.ttm = below(p, 2) ? VTD_TTM_LEGACY : VTD_TTM_SCALABLE;
	for (u32 i = 0; i < 512; i++) {
		word(p, (CONTEXT << 12) + i * 8, 0);
		word(p, ((CONTEXT + 1) << 12) + i * 8, 0);
	}
	for (u32 bus = 0; bus < 2; bus++) {
		bool half = now.ttm == VTD_TTM_SCALABLE;

		word(p, (ROOT << 12) + bus * 16, CONTEXT << 12 | VTD_P);
		word(p, (ROOT << 12) + bus * 16 + 8, half ? (CONTEXT + 1) << 12 | VTD_P : 0);
	}
	word(p, DIRECTORY << 12, PASIDS << 12 | VTD_P);
	for (u32 i = 0; i < 12; i++)
		configure(p);
	reg(p, VTD_RTADDR, 8, ROOT << 12 | (u64)now.ttm << VTD_RTADDR_TTM_SHIFT);
	reg(p, VTD_GCMD, 4, VTD_G_QIE | VTD_G_SRTP);
	reg(p, VTD_GCMD, 4, VTD_G_QIE | (below(p, 16) ? VTD_G_TE : 0));
	work(p);
}

static void invalidate(struct pair *p)
{
	u64 did = (u64)below(p, 3) << 16, g = 1 + below(p, 3), high = 0;
	static const u64 types[] = {VTD_INV_IOTLB, VTD_INV_IOTLB, VTD_INV_IOTLB, VTD_INV_CONTEXT,
				    VTD_INV_PASID_CACHE, VTD_INV_PASID_IOTLB};
	u64 type = pick(p, types, ARRAY_SIZE(types)), low = type | g << 4 | did;

	if (type == VTD_INV_IOTLB)
		high = (address(p) & ~0xfffULL) | below(p, 3);
	else if (type == VTD_INV_CONTEXT)
		low |= (u64)pick(p, (const u64[]){8, 9, 0x85}, 3) << 32;
	else
		low |= (u64)below(p, 4) << 32;
	word(p, (QUEUE << 12) + now.tail, low);
	word(p, (QUEUE << 12) + now.tail + 8, high);
	now.tail = (now.tail + 16) & 0xfff;
	reg(p, VTD_IQT, 8, now.tail);
	work(p);
	/* A descriptor that was wrong stops the queue: on from the next. */
	if (p->s[0].h->ops->mmio_read(p->s[0].h, VTD_FSTS, 4) & VTD_FSTS_IQE) {
		reg(p, VTD_GCMD, 4, VTD_G_TE);
		reg(p, VTD_FSTS, 4, VTD_FSTS_IQE);
		now.tail = 0;
		reg(p, VTD_IQT, 8, 0);
		reg(p, VTD_GCMD, 4, VTD_G_QIE | VTD_G_TE);
		work(p);
	}
}

/* The records of both sides are the same; then there is room again. */
static void take_faults(struct pair *p)
{
	for (u64 off = VTD_FRCD; off < VTD_FRCD + 16 * 8; off += 8)
		cr_assert_eq(p->s[0].h->ops->mmio_read(p->s[0].h, off, 8),
			     p->s[1].h->ops->mmio_read(p->s[1].h, off, 8));
	for (u64 off = VTD_FRCD + 12; off < VTD_FRCD + 16 * 8; off += 16)
		reg(p, off, 4, 1ULL << 31);
	reg(p, VTD_FSTS, 4, VTD_FSTS_PFO);
}

/* What both answer: the address, or ~0: none. */
static u64 address_of(struct pair *p, const struct hw_req *req)
{
	struct hw_resp r = same_answer(p, req);

	return r.status == HW_OK ? r.pa : ~0ULL;
}

static void ask(struct pair *p)
{
	struct hw_req req = {.addr = address(p), .sid = 8, .pasid = HW_NO_PASID,
			     .access = (u16)(1 + below(p, 3))};
	u64 pa;

	if (below(p, now.aim.far ? 12 : 2) == 0)
		req.sid = sids[below(p, ARRAY_SIZE(sids))];
	if (now.ttm == VTD_TTM_SCALABLE && below(p, now.aim.far ? 12 : 3) == 0)
		req.pasid = below(p, 4);
	if (below(p, 40) == 0)
		req.access = (u16)below(p, 128);
	if (below(p, 60) == 0)
		req.kind = (u8)below(p, 3);
	if (told.first && !below(p, 16))
		told_among(&told, &now.aim, p, &req);
	pa = address_of(p, &req);
	now.answered += pa != ~0ULL;
	if (pa == ~0ULL && !below(p, 4))
		take_faults(p);
}

static void operation(struct pair *p)
{
	u32 kind = below(p, 1000);

	if (kind < (now.aim.far ? 800 : 950) || (now.aim.calm && below(p, 40)) ||
	    (now.aim.far && kind > 980 && below(p, 6)))
		ask(p);
	else if (kind < 975 && now.aim.far)
		aim_disturb(&now.aim, p);
	else if (kind < 975)
		change(p, aim_used_word(&now.aim, p));
	else if (kind < 990)
		invalidate(p);
	else if (kind < 999)
		configure(p);
	else
		root(p);
}

/*
 * Where little changes, what is wrong would stay so for long: above all the first entries
 * of tables, by which nearly all addresses go.
 */
static void mend(struct pair *p)
{
	const u64 good = VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A | VTD_SS_A;

	root(p);
	for (u64 page = TABLES; now.aim.far && page < PAGES; page++)
		word(p, page * 4096, (TABLES + below(p, PAGES - TABLES)) << 12 | good);
}

/* quick: 1, or 2, without vector instructions */
static void begin(struct pair *p, const char *options, u32 quick, u64 seed)
{
	memset(&now, 0, sizeof(now));
	now.aim = (struct aim){.address = address, .ask = ask, .bits = bits_of_words,
			       .n_bits = ARRAY_SIZE(bits_of_words)};
	*p = (struct pair){.random = seed, .ram = RAM};
	sides_make(p, &hw_vtd_ops, options, quick);
}

static void run(const char *options, u32 quick, u64 seed)
{
	struct pair p;

	begin(&p, options, quick, seed);
	for (u64 pa = TABLES * 4096; pa < RAM; pa += 8)
		change(&p, pa);
	reg(&p, VTD_IQA, 8, QUEUE << 12);
	reg(&p, VTD_GCMD, 4, VTD_G_QIE);
	root(&p);
	for (u32 i = 0; i < OPERATIONS; i++) {
		now.aim.calm = i / 4096 % 2;
		now.aim.far = i / 8192 % 2;
		if (i % 4096 == 0)
			mend(&p);
		operation(&p);
		if (i % 4096 == 0)
			same_memory(&p, REGISTERS);
	}
	same_memory(&p, REGISTERS);
	cr_assert_gt(now.answered, OPERATIONS / 4);
	sides_free(&p);
}

/* 20 of them, 1,200,000 operations for each test. */
static const char *const all[] = {
	"cache=none", "cache=none,atom=16", "cache=none,coherent=0", "cache=none,strict=1",
	"cache=infinite", "cache=infinite,negative=1,cm=1", "cache=infinite,strict=1",
	"cache=sets,entries=64", "cache=sets,entries=64,strict=1", "cache=sets,entries=64,race=1",
	"cache=sets,entries=64,replace=random", "cache=sets,entries=256,negative=1,cm=1",
	"cache=sets,entries=4096", "cache=sets,entries=64,fs=0,nest=0,eafs=0,fl5=0,fl1gp=0",
	"cache=tiny", "cache=sets,entries=64,prefetch=1", "cache=infinite,fragment=1",
	"cache=sets,entries=64,iotlb=0", "cache=infinite,iotlb=0", "cache=sets,entries=4096,iotlb=0",
};

Test(vtd_quick, is_as_the_long_way)
{
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		run(all[i], 1, 0x9e3779b97f4a7c15ULL + i);
}

Test(vtd_quick, is_so_without_vectors)
{
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		run(all[i], 2, 0x1234567 + i);
}

/* Nested ones are a tenth of them, and what is of interest is rare. */
static void forgotten(const char *options, u64 seed)
{
	for (u32 i = 0; i < 24; i++)
		run(options, 1, seed + i);
}

Test(vtd_quick, is_so_of_tables_that_are_forgotten)
{
	forgotten("cache=sets,entries=64", 0xfeed0000);
}

Test(vtd_quick, is_so_where_only_tables_are_kept)
{
	forgotten("cache=sets,entries=64,iotlb=0", 0xfeed0000);
}

/* What is told ahead of requests changes nothing, and nothing is written for it. */
Test(vtd_quick, is_so_of_what_was_told)
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

/* --- one nested page, and every bit of the words that lead to it --- */

#define FIRST 16ULL  /* pages of the first stage's tables, leaf last */
#define SECOND 20ULL /* of the second stage's: the last two are for tables, and for pages */
#define GUEST_PAGE (5ULL << 21 | 7 << 12)

static void tree(struct pair *p, u64 page, u64 bits)
{
	for (u64 i = 0; i < 3; i++)
		word(p, (page + i) << 12, (page + i + 1) << 12 | bits);
}

static void forget(struct pair *p)
{
	now.ttm = VTD_TTM_SCALABLE;
	reg(p, VTD_RTADDR, 8, ROOT << 12 | (u64)VTD_TTM_SCALABLE << VTD_RTADDR_TTM_SHIFT);
	reg(p, VTD_GCMD, 4, VTD_G_SRTP);
	reg(p, VTD_GCMD, 4, VTD_G_TE);
	work(p);
}

static void one_page(struct pair *p)
{
	const u64 fs = VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A | VTD_FS_D, ss = 3;

	memset(p->s[0].e.ram, 0, RAM);
	memset(p->s[1].e.ram, 0, RAM);
	word(p, ROOT << 12, CONTEXT << 12 | VTD_P);
	word(p, (CONTEXT << 12) + 8 * 32, DIRECTORY << 12 | VTD_SCTX_PASIDE | VTD_P);
	word(p, DIRECTORY << 12, PASIDS << 12 | VTD_P);
	word(p, (PASIDS << 12) + 8, 1 | VTD_PE1_PWSNP);
	word(p, (PASIDS << 12) + 16, FIRST << 12);
	word(p, PASIDS << 12, VTD_P | 2ULL << VTD_PE0_AW_SHIFT |
				      (u64)VTD_PGTT_NESTED << VTD_PE0_PGTT_SHIFT | SECOND << 12);
	tree(p, FIRST, fs);
	word(p, (FIRST + 3) << 12, GUEST_PAGE | fs);
	word(p, ((FIRST + 3) << 12) + 8, (GUEST_PAGE + (1 << 21)) | fs);
	tree(p, SECOND, ss);
	/* Tables of the first stage are where they are; the guest's two pages apart. */
	for (u64 i = 0; i < 8; i++)
		word(p, ((SECOND + 3) << 12) + (FIRST + i) * 8, (FIRST + i) << 12 | ss);
	for (u64 i = 0; i < 2; i++) {
		word(p, ((SECOND + 2) << 12) + (5 + i) * 8, (SECOND + 4 + i) << 12 | ss);
		word(p, ((SECOND + 4 + i) << 12) + 7 * 8, (40 + i) << 12 | ss);
	}
	forget(p);
}

static u64 ask_at(struct pair *p, u64 addr, u16 access)
{
	const struct hw_req req = {.addr = addr, .sid = 8, .pasid = HW_NO_PASID,
				   .access = access};

	return address_of(p, &req);
}

/* Reads and writes (once neither) of both pages, in turns, then twice each: the first last. */
static void ask_all(struct pair *p)
{
	for (u32 i = 0; i < 12; i++)
		ask_at(p, (u64)(i < 4 ? i & 1 : ~i >> 1 & 1) << 12,
		       (u16)(i == 8 ? 0 : i & 5 ? HW_WRITE : HW_READ));
}

static void each_bit(const char *options)
{
	const u64 at[] = {((SECOND + 3) << 12) + (FIRST + 3) * 8, (FIRST + 3) << 12,
			  ((SECOND + 4) << 12) + 7 * 8, (SECOND + 2) << 12,
			  ((SECOND + 2) << 12) + 5 * 8, ((SECOND + 2) << 12) + 6 * 8,
			  (FIRST + 2) << 12, ((SECOND + 5) << 12) + 7 * 8};
	const u64 of_second = (SECOND + 5) << 12;
	struct pair p;

	begin(&p, options, 1, 1);
	for (u32 i = 0; i < ARRAY_SIZE(at) * 64; i++) {
		u64 was;

		one_page(&p);
		cr_assert_eq(ask_at(&p, 0, HW_WRITE), 40 << 12);
		/* The two pages need not be permitted the same. */
		memcpy(&was, p.s[0].e.ram + ((SECOND + 4) << 12) + 7 * 8, 8);
		if (i & 1)
			word(&p, ((SECOND + 4) << 12) + 7 * 8, was & ~(u64)(VTD_SS_W));
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
		/* A page in the range of interrupts is none. */
		word(&p, at[i / 64], i & 2 ? was : (was & 0xfff) | 0xfee00000);
		ask_all(&p);
		same_memory(&p, REGISTERS);
	}
	sides_free(&p);
}

Test(vtd_quick, minds_each_bit_of_a_nested_page)
{
	each_bit("cache=sets,entries=64,iotlb=0");
	each_bit("cache=sets,entries=64");
	each_bit("cache=none");
}

/* Each bit of each word of memory that is not 0, by what is known of both pages. */
static void each_bit_of_a_walk(const char *options)
{
	struct pair p;
	u64 was, n = 0;

	begin(&p, options, 1, 1);
	one_page(&p);
	for (u64 pa = 0; pa < RAM; pa += 8) {
		memcpy(&was, p.s[0].e.ram + pa, 8);
		for (u32 bit = 0; was && bit < 64; bit++, n++) {
			ask_all(&p);
			word(&p, pa, was ^ 1ULL << bit);
			ask_all(&p);
			word(&p, pa, was);
			if (bit % 8 == 0)
				take_faults(&p);
		}
	}
	cr_assert_gt(n, 20 * 64);
	same_memory(&p, REGISTERS);
	sides_free(&p);
}

Test(vtd_quick, minds_each_bit_of_a_walk_without_caches)
{
	each_bit_of_a_walk("cache=none");
	each_bit_of_a_walk("cache=none,haw=52");
}

/* Memory is as it was, but it is another root that counts; or none. */
Test(vtd_quick, minds_registers_without_caches)
{
	struct pair p;

	begin(&p, "cache=none", 1, 1);
	one_page(&p);
	ask_all(&p);
	cr_assert_eq(ask_at(&p, 0, HW_READ), 40 << 12);
	reg(&p, VTD_RTADDR, 8, 50 << 12 | (u64)VTD_TTM_SCALABLE << VTD_RTADDR_TTM_SHIFT);
	reg(&p, VTD_GCMD, 4, VTD_G_TE | VTD_G_SRTP);
	cr_assert_eq(ask_at(&p, 0, HW_READ), ~0ULL);
	forget(&p);
	cr_assert_eq(ask_at(&p, 0, HW_READ), 40 << 12);
	reg(&p, VTD_GCMD, 4, 0);
	cr_assert_eq(ask_at(&p, 0, HW_READ), 0);
	sides_free(&p);
}

static bool ask_as(struct pair *p, u16 sid, u32 pasid, u64 addr)
{
	const struct hw_req req = {.addr = addr, .sid = sid, .pasid = pasid, .access = HW_READ};

	return address_of(p, &req) != ~0ULL;
}

#define OTHERS 48ULL /* a directory, its PASIDs, four tables */

/* Device 9 has 32 ranges of the first stage alone. */
static void one_stage(struct pair *p)
{
	const u64 fs = VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A | VTD_FS_D;
	const u64 tables = OTHERS + 2;

	word(p, (CONTEXT << 12) + 9 * 32, OTHERS << 12 | VTD_SCTX_PASIDE | VTD_P);
	word(p, OTHERS << 12, (OTHERS + 1) << 12 | VTD_P);
	word(p, ((OTHERS + 1) << 12) + 8, 2);
	word(p, ((OTHERS + 1) << 12) + 16, tables << 12);
	word(p, (OTHERS + 1) << 12, VTD_P | (u64)VTD_PGTT_FS << VTD_PE0_PGTT_SHIFT);
	tree(p, tables, fs);
	for (u64 i = 0; i < 32; i++)
		word(p, ((tables + 2) << 12) + i * 8, (tables + 3) << 12 | fs);
	for (u64 i = 0; i < 512; i++)
		word(p, ((tables + 3) << 12) + i * 8, 42 << 12 | fs);
}

/* Device 9 is nested by the same tables, in another domain; 8 has to mark what it uses. */
static void nested_twice(struct pair *p, const char *options)
{
	const u64 fs = VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A | VTD_FS_D | VTD_FS_EA;
	const u64 read = VTD_FS_P | VTD_FS_US | VTD_FS_A, leaves = (FIRST + 3) << 12;
	const u64 pe0 = VTD_P | 2ULL << VTD_PE0_AW_SHIFT | SECOND << 12 |
			(u64)VTD_PGTT_NESTED << VTD_PE0_PGTT_SHIFT;

	begin(p, options, 1, 1);
	one_page(p);
	word(p, (CONTEXT << 12) + 9 * 32, OTHERS << 12 | VTD_SCTX_PASIDE | VTD_P);
	word(p, OTHERS << 12, (OTHERS + 1) << 12 | VTD_P);
	word(p, ((OTHERS + 1) << 12) + 8, 2 | VTD_PE1_PWSNP);
	word(p, ((OTHERS + 1) << 12) + 16, FIRST << 12);
	word(p, (OTHERS + 1) << 12, pe0);
	word(p, (PASIDS << 12) + 16, FIRST << 12 | VTD_PE2_EAFE);
	word(p, PASIDS << 12, pe0 | VTD_PE0_SSADE);
	/* Three ranges by the same last table. */
	word(p, ((FIRST + 2) << 12) + 8, leaves | fs);
	word(p, ((FIRST + 2) << 12) + 16, leaves | fs);
	word(p, leaves, GUEST_PAGE | fs);
	word(p, leaves + 8, (GUEST_PAGE + (1 << 21)) | fs);
	word(p, leaves + 16, GUEST_PAGE | read);
	word(p, leaves + 24, (GUEST_PAGE + (1 << 21)) | read);
	word(p, leaves + 32, (GUEST_PAGE + 4096) | fs);
	word(p, leaves + 40, (GUEST_PAGE + 4096) | fs);
	word(p, ((SECOND + 4) << 12) + 8 * 8, 42 << 12 | VTD_SS_R);
	forget(p);
	for (u32 i = 0; i < 8; i++) {
		ask_as(p, 8, HW_NO_PASID, (u64)(i & 2) << 21 | (i & 1) << 12);
		ask_as(p, 9, HW_NO_PASID, 1 << 21 | (i & 1) << 12);
	}
}

static bool may_write(struct pair *p, u64 addr)
{
	const struct hw_req req = {.addr = addr, .sid = 9, .pasid = HW_NO_PASID,
				   .access = HW_WRITE};

	return address_of(p, &req) != ~0ULL;
}

/* What an entry means for device 9, which may not use it so, is not what it means for 8. */
Test(vtd_quick, takes_no_device_for_another)
{
	const char *options = "cache=sets,entries=64,iotlb=0";
	struct pair p;

	/* Of the first stage: in 8's range, where 9 knows the second stage of the page. */
	nested_twice(&p, options);
	cr_assert(ask_as(&p, 9, HW_NO_PASID, 1 << 21 | 4096));
	cr_assert(ask_as(&p, 8, HW_NO_PASID, 0));
	cr_assert_not(may_write(&p, 3 << 12));
	cr_assert(ask_as(&p, 8, HW_NO_PASID, 2 << 21));
	cr_assert(ask_as(&p, 8, HW_NO_PASID, 2 << 12));
	same_memory(&p, REGISTERS);
	sides_free(&p);
	/* Of the second: in 9's range, where 8 knows the second stage of the page. */
	nested_twice(&p, options);
	cr_assert(ask_as(&p, 9, HW_NO_PASID, 1 << 21));
	cr_assert(ask_as(&p, 8, HW_NO_PASID, 0));
	cr_assert_not(may_write(&p, 1 << 21 | 4 << 12));
	cr_assert(ask_as(&p, 8, HW_NO_PASID, 2 << 21 | 4096));
	cr_assert(ask_as(&p, 8, HW_NO_PASID, 5 << 12));
	same_memory(&p, REGISTERS);
	sides_free(&p);
}

static void same_sets(const struct hw_cache *a, const struct hw_cache *b)
{
	cr_assert_eq(memcmp(a->set, b->set, (a->set_mask + 1) * sizeof(*a->set)), 0);
}

/* The same tags, and the same way of each set is the oldest, once all uses are told of. */
static void same_ages(struct pair *p)
{
	const struct vtd *quick = (struct vtd *)p->s[0].h, *slow = (struct vtd *)p->s[1].h;

	hw_nests_settle(quick->nests);
	same_sets(quick->psc, slow->psc);
	same_sets(quick->iotlb, slow->iotlb);
}

/* How often each side said that another may run, or asked for memory that is flushed. */
static u32 watched[2];

static void point(struct hw_env *e, const char *why)
{
	(void)why;
	++*(u32 *)e->owner;
}

static u64 flushed(struct hw_env *e, u64 pa)
{
	u64 value;

	++*(u32 *)e->owner;
	memcpy(&value, e->ram + pa, 8);
	return value;
}

/* From now on somebody has moments in between, or memory that is flushed; or nobody has. */
static void watch(struct pair *p, u32 how)
{
	for (u32 i = 0; i < 2; i++) {
		p->s[i].e.owner = &watched[i];
		p->s[i].e.point = how == 1 ? point : NULL;
		p->s[i].e.read_flushed = how == 2 ? flushed : NULL;
	}
}

/*
 * Pages of 31 ranges in 31 others, and so are their tables, by few sets: what is oldest is
 * the same.
 */
static void many_ranges(const char *options, bool turns)
{
	struct pair p;
	u64 leaf, range = 0;

	begin(&p, options, 1, 1);
	one_page(&p);
	one_stage(&p);
	memcpy(&leaf, p.s[0].e.ram + ((FIRST + 3) << 12), 8);
	for (u64 i = 0; i < 512; i++)
		word(&p, ((FIRST + 3) << 12) + i * 8,
		     (leaf & 0xfff) | 7 << 12 | (1 + i * 7 % 31) << 21);
	word(&p, ((SECOND + 4) << 12) + (FIRST + 3) * 8, (FIRST + 3) << 12 | 3);
	for (u64 i = 1; i < 32; i++) {
		memcpy(&leaf, p.s[0].e.ram + ((FIRST + 2) << 12), 8);
		word(&p, ((FIRST + 2) << 12) + i * 8, leaf + ((1 + i * 11 % 31) << 21));
		word(&p, ((SECOND + 2) << 12) + i * 8, (SECOND + 4) << 12 | 3);
	}
	for (u32 i = 0; i < OPERATIONS; i++) {
		u16 sid = below(&p, turns ? 16 : 3) ? 8 : 9;
		u64 page = turns ? aim_two_pages(&now.aim, &p, 31) : aim_page(&now.aim, &p);

		/* In some of the time few ranges, much remembered; or those of one set. */
		range = i / 8192 % 2 ? below(&p, 3) * (i / 16384 % 2 ? 8 : 1) :
				       aim_range(&now.aim, &p, range);
		/* Or many pages that are of one range, or of two, after the first stage. */
		if (i / 4096 % 4 == 3)
			page = (below(&p, 8) == 0) + 31 * below(&p, 16);
		if (below(&p, 256) == 0)
			watch(&p, below(&p, 3));
		ask_as(&p, sid, HW_NO_PASID, range << 21 | page << 12);
		if (below(&p, 8) == 0)
			same_ages(&p);
	}
	cr_assert_eq(watched[0], watched[1]);
	cr_assert_gt(watched[0], 0);
	sides_free(&p);
}

Test(vtd_quick, forgets_the_same_tables)
{
	for (u32 turns = 0; turns < 2; turns++) {
		many_ranges("cache=sets,entries=64,iotlb=0", turns);
		many_ranges("cache=sets,entries=256,iotlb=0", turns);
		many_ranges("cache=sets,entries=64,replace=random,iotlb=0", turns);
		many_ranges("cache=sets,entries=64", turns);
	}
}

/* --- more address spaces than the cache of tables has numbers for --- */

#define OF_MANY 48ULL /* two directories, each with its page of PASIDs, all alike */
#define PASIDS_OF_ONE 32768u
#define RANGES 32u

/* Beside the nested one: devices 9 and 10, whose PASIDs all lead to the first stage alone. */
static void many_spaces_made(struct pair *p)
{
	for (u64 i = 0; i < 2; i++) {
		u64 at = (CONTEXT << 12) + (9 + i) * 32, page = OF_MANY + 2 * i;

		word(p, at, page << 12 | 2ULL << VTD_SCTX_PDTS_SHIFT | VTD_SCTX_PASIDE | VTD_P);
		for (u64 n = 0; n < 512; n++)
			word(p, (page << 12) + n * 8, (page + 1) << 12 | VTD_P);
		for (u64 n = 0; n < 64; n++) {
			u64 entry = ((page + 1) << 12) + n * 64;

			word(p, entry + 8, 2 + i);
			word(p, entry + 16, FIRST << 12);
			word(p, entry, VTD_P | (u64)VTD_PGTT_FS << VTD_PE0_PGTT_SHIFT);
		}
	}
}

/* Pages of a range of the nested device. */
static void ask_nested(struct pair *p, u64 range, u64 first)
{
	for (u64 i = 0; i < 6; i++)
		cr_assert(ask_as(p, 8, HW_NO_PASID, range << 21 | (first + i) << 12));
}

/* All ranges lead to one table, in which the two pages take turns. */
static void ranges_made(struct pair *p)
{
	u64 leaf[2], table;

	memcpy(leaf, p->s[0].e.ram + ((FIRST + 3) << 12), sizeof(leaf));
	for (u64 i = 2; i < 12; i++)
		word(p, ((FIRST + 3) << 12) + i * 8, leaf[i & 1]);
	memcpy(&table, p->s[0].e.ram + ((FIRST + 2) << 12), 8);
	for (u64 range = 1; range < RANGES; range++)
		word(p, ((FIRST + 2) << 12) + range * 8, table);
}

/*
 * All numbers are in use when one more is asked for, by a request whose tables then are
 * not there: one number is taken away, the last one, and nothing is filled. Which tables
 * the quick way finds in a cache this full is a matter of chance: hence many ranges.
 */
static void last_number(const char *options)
{
	const u32 most = HW_SPACES_MAX - 2;
	struct pair p;

	begin(&p, options, 1, 1);
	one_page(&p);
	ranges_made(&p);
	many_spaces_made(&p);
	for (u32 i = 0; i < most; i++)
		cr_assert(ask_as(&p, (u16)(9 + i / PASIDS_OF_ONE), i % PASIDS_OF_ONE, 0), "%u", i);
	for (u64 range = 0; range < RANGES; range++) {
		ask_nested(&p, range, 0);
		cr_assert_not(ask_as(&p, 10, most % PASIDS_OF_ONE, 1ULL << 40));
		ask_nested(&p, range, 6);
	}
	sides_free(&p);
}

Test(vtd_quick, forgets_tables_whose_number_is_taken_away)
{
	last_number("cache=infinite");
}

Test(vtd_quick, forgets_them_where_only_tables_are_kept)
{
	last_number("cache=infinite,iotlb=0");
}
