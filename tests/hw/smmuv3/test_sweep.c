// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever is written to registers and memory, in whatever width: no crash, no
 * endless loop, no assertion. Every offset, every width, queue indexes of all
 * values, memory at random. SWEEP_WRITES says how many writes (200,000).
 */
#include "hw/iommu/hw.h"
#include "hw/smmuv3/smmuv3_regs.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define RAM (1u << 20)

static u64 state;

static u64 next(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u32 pick(u32 n)
{
	return (u32)(next() % n);
}

static u32 choose(struct hw_env *e, u32 n)
{
	(void)e;
	return pick(n);
}

static u32 resumed;

static void resume(struct hw_env *e, u16 tag, bool retry)
{
	(void)e;
	(void)tag;
	resumed += retry;
}

static u16 itag;

static void message(struct hw_env *e, const struct hw_msg *m)
{
	(void)e;
	itag = m->itag;
}

/* Values that mean something more often than noise does. */
static u64 value(void)
{
	u64 v = next();

	switch (pick(8)) {
	case 0:
		return v;
	case 1:
		return v & 0xff;
	case 2:
		return v & (RAM - 1);
	case 3:
		return (v & (RAM - 1) & ~0xfffull) | pick(64);
	case 4:
		return 1ull << pick(64);
	case 5:
		return ~0ull << pick(64);
	case 6:
		return v & 0x1f;
	default:
		return (v & (RAM - 1) & ~0xfffull) | 3 | 1u << 10 | pick(2) << 6;
	}
}

static void store(struct hw_env *e, u64 pa, u64 v)
{
	memcpy(e->ram + (pa & (RAM - 8) & ~7ull), &v, 8);
}

/* A word of a table that leads on. */
static void plant(struct hw_env *e)
{
	u64 page = (next() & (RAM - 1)) & ~0xfffull, at = page + 64ull * pick(64);

	switch (pick(5)) {
	case 0: /* STE */
		store(e, at, 1 | (u64)(4 + pick(4)) << 1 | (next() & (RAM - 64)) |
				     (u64)pick(4) << 4 | (u64)pick(22) << 59);
		store(e, at + 8, next() & 0x00030000c8080003ull);
		store(e, at + 16, 1ull << 51 | (u64)(16 + pick(24)) << 32 | (u64)pick(4) << 38 |
				  (u64)pick(4) << 46 | 5ull << 48 | (next() & (0x7full << 53)) |
				  pick(4));
		store(e, at + 24, next() & (RAM - 16));
		break;
	case 1: /* CD */
		store(e, at, (16 + pick(24)) | pick(4) << 6 | pick(4) << 22 |
			     (u64)(16 + pick(24)) << 16 | 1ull << 31 | 5ull << 32 | 1ull << 41 |
			     (next() & 0x70fd40004000ull) | (u64)pick(4) << 48);
		store(e, at + 8, next() & (RAM - 16));
		store(e, at + 16, next() & (RAM - 16));
		break;
	case 2: /* command */
		for (u32 i = 0; i < 16; i++)
			store(e, page + 16 * i, (value() & ~0xffull) | pick(0x74));
		break;
	default:
		for (u32 i = 0; i < 4; i++)
			store(e, page + 8ull * pick(512), value());
	}
}

/* Outcomes seen: a sweep in which all is refused tests little. */
static u32 seen[8], walked;

static void dma(struct hw_iommu *h)
{
	struct hw_req q = {.addr = pick(2) ? value() : next() & 0xfffffffff,
			   .sid = pick(40), .access = (u16)pick(64),
			   .kind = (u8)(pick(2) ? 0 : pick(3)), .no_fault_report = (u8)!pick(8),
			   .pasid = pick(3) ? HW_NO_PASID : pick(1 << pick(21))};
	struct hw_resp r;

	h->ops->translate(h, &q, &r);
	cr_assert(r.status <= HW_AGAIN);
	seen[r.status]++;
	walked += r.status == HW_OK && r.reads > 3;
	h->ops->walk(h, &q, &r);
	cr_assert(r.status <= HW_AGAIN);
}

static void endpoint(struct hw_iommu *h)
{
	struct hw_page_request p = {.addr = value(), .sid = pick(80), .pasid = HW_NO_PASID,
				    .group = (u16)pick(512), .access = (u8)pick(16),
				    .last = (u8)pick(2)};

	if (pick(2))
		p.pasid = pick(1 << 20);
	switch (pick(4)) {
	case 0:
		h->ops->timeout(h);
		break;
	case 1:
		h->ops->atc_done(h, pick(2) ? itag : (u16)next());
		break;
	default:
		h->ops->page_request(h, &p);
	}
}

/*
 * Streams that translate: entries at 0x40000, CDs at 0x50000, sixteen pages of
 * tables at 0x60000 that lead to each other and to anywhere.
 */
static void plant_streams(struct hw_env *e)
{
	for (u64 sid = 0; sid < 32; sid++) {
		u64 ste = 0x40000 + 64 * sid, cd = 0x50000 + 256 * sid, tg = pick(4);

		store(e, ste, 1 | (u64)(4 + pick(4)) << 1 | cd | (u64)pick(3) << 59);
		store(e, ste + 8, (next() & 0x0003000020080003ull) | (u64)pick(3) << 28);
		store(e, ste + 16, 1ull << 51 | (u64)(24 + pick(6)) << 32 |
				   (u64)(pick(4) ? 1 : pick(3)) << 38 |
				   (u64)(pick(4) ? 0 : pick(3)) << 46 | 5ull << 48 |
				   (next() & (0x67ull << 53)) | pick(4));
		store(e, ste + 24, 0x60000 | pick(16) << 12);
		for (u64 i = 0; i < 4; i++) {
			store(e, cd + 64 * i, (16 + pick(16)) | tg << 6 | pick(2) << 14 | 1 << 22 |
					      (u64)(16 + pick(16)) << 16 | pick(2) << 30 |
					      1ull << 31 | 5ull << 32 | 1ull << 41 |
					      (next() & 0x7df800000000ull & ~(1ull << 41)) |
					      1ull << 41 | (u64)pick(4) << 48);
			store(e, cd + 64 * i + 8, 0x60000 | pick(16) << 12 | pick(2) << 1);
			store(e, cd + 64 * i + 16, 0x60000 | pick(16) << 12 | pick(2) << 1);
		}
	}
	for (u64 at = 0x60000; at < 0x70000; at += 8) {
		u64 to = pick(3) ? 0x60000 | pick(16) << 12 : next() & (RAM - 1) & ~0xfffull;

		store(e, at, to | (pick(8) ? 3 : pick(4)) | (next() & 0xfcull) |
			     (u64)pick(4) << 10 | (next() & 0x7ff8000000000000ull));
	}
}

/* Something that runs: enabled, with its queues in memory. */
static void enable(struct hw_iommu *h)
{
	static const u32 base[] = {SMMU_CMDQ_BASE, SMMU_EVENTQ_BASE, SMMU_PRIQ_BASE};

	h->ops->mmio_write(h, SMMU_CR0, 4, 0);
	for (u32 i = 0; i < 3; i++)
		h->ops->mmio_write(h, base[i], 8, (next() & (RAM - 1) & ~0xfffull) | pick(8));
	h->ops->mmio_write(h, SMMU_STRTAB_BASE, 8,
			   pick(4) ? 0x40000 : next() & (RAM - 1) & ~0xfffull);
	h->ops->mmio_write(h, SMMU_STRTAB_BASE_CFG, 4,
			   pick(4) ? 6 : pick(12) | pick(12) << STRTAB_CFG_SPLIT |
						 pick(3) << STRTAB_CFG_FMT);
	h->ops->mmio_write(h, SMMU_CR2, 4, pick(16));
	h->ops->mmio_write(h, SMMU_IRQ_CTRL, 4, pick(8));
	h->ops->mmio_write(h, SMMU_CR0, 4, 0xf | pick(2) << 4);
}

static void one_write(struct hw_iommu *h, u32 n)
{
	static const u8 width[] = {1, 2, 4, 8};
	/* In turn every offset that may hold a register, and some that do not. */
	u64 off = n % 4 ? (n / 4) % 0x140 : next() % (SMMU_MMIO_SIZE + 16);

	if (pick(3) == 0)
		off += SMMU_PAGE1;
	h->ops->mmio_write(h, off, width[pick(4)], value());
	h->ops->mmio_read(h, off, width[pick(4)]);
	if (n % 16 == 0) {
		static const u16 index[] = {SMMU_CMDQ_PROD, SMMU_CMDQ_CONS, SMMU_EVENTQ_CONS,
					    SMMU_EVENTQ_PROD, SMMU_PRIQ_CONS, SMMU_PRIQ_PROD};

		h->ops->mmio_write(h, index[pick(6)], 4, n / 16 % 0x200 | pick(2) << 31);
	}
	if (n % 8 == 0)
		enable(h);
	if (n % 4096 == 0)
		h->ops->mmio_write(h, SMMU_GERRORN, 4, h->ops->mmio_read(h, SMMU_GERROR, 4));
}

static void sweep(const char *options, u32 writes, u64 seed)
{
	struct hw_env env = {.ram = calloc(1, RAM), .ram_size = RAM, .choose = choose,
			     .send = message, .resume = resume};
	char err[200];
	struct hw_iommu *h;

	state = seed;
	cr_assert(env.ram);
	h = hw_smmuv3_ops.create(&env, options, err, sizeof(err));
	cr_assert(h, "%s", err);
	for (u32 n = 0; n < writes; n++) {
		if (n % 128 == 0)
			plant_streams(&env);
		one_write(h, n);
		plant(&env);
		dma(h);
		endpoint(h);
		for (u32 i = pick(8); i && h->ops->work(h); i--)
			;
		if (n % 10000 == 9999) {
			u32 steps = 0;

			h->ops->mmio_write(h, SMMU_GERRORN, 4,
					   h->ops->mmio_read(h, SMMU_GERROR, 4));
			while (h->ops->work(h))
				cr_assert(++steps < 1u << 21, "work() does not end");
		}
		if (n % 1024 == 1023)
			h->ops->reset(h);
	}
	cr_assert(seen[HW_OK] > writes / 100 && seen[HW_STALLED] > 10 && walked > 50,
		  "%u through, %u stalled, %u walked", seen[HW_OK], seen[HW_STALLED], walked);
	h->ops->destroy(h);
	free(env.ram);
}

static u32 writes(void)
{
	const char *n = getenv("SWEEP_WRITES");

	return n ? (u32)strtoul(n, NULL, 10) : 200000;
}

Test(sweep, everything_on)
{
	sweep("cache=infinite,inflight=1,merge=1,late=1,speculate=1,prefetch=1", writes() / 4, 1);
}

Test(sweep, small_caches)
{
	sweep("cache=sets,entries=64,replace=random,stall=2,stallmax=3,provenance=1", writes() / 4, 2);
}

Test(sweep, other_sizes)
{
	sweep("cache=tiny,oas=52,gran=64k+4k,sid=32,ssid=20,persona=tx2,ns1ats=1", writes() / 4, 3);
}

Test(sweep, nothing_kept)
{
	sweep("cache=none,oas=32,ssid=0,httu=1,xnx=0,vmw=1,persona=maxinv", writes() / 4, 4);
}
