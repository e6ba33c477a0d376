// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts that come again: what the words of an STE and a CD mean is known beside the
 * context that was made of them, also when that is void. The long way, which reads and
 * decodes them each time, says the same.
 */
#include "tests/hw/smmuv3/quick_bed.h"

/* As it is in memory, whatever the caches have. */
static void same_truth(struct pair *p, const struct hw_req *req)
{
	struct hw_resp r[2];

	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->walk(p->s[i].h, req, &r[i]);
	cr_assert(r[0].pa == r[1].pa && r[0].status == r[1].status && r[0].lg2 == r[1].lg2 &&
			  r[0].access == r[1].access && r[0].reads == r[1].reads,
		  "sid %x pasid %x addr %llx: %llx/%u/%u, long %llx/%u/%u", req->sid, req->pasid,
		  (unsigned long long)req->addr, (unsigned long long)r[0].pa, r[0].status,
		  r[0].reads, (unsigned long long)r[1].pa, r[1].status, r[1].reads);
}

/*
 * Four streams that are what the first four of the table are. PASID 1 of one and PASID 2 of
 * another have the same slot: 31 times the PASID, exclusive or the stream.
 */
static const u32 kin[4] = {40, 9, 41, 8};

static void ask_kin(struct pair *p)
{
	struct hw_req req = {.addr = address(p), .sid = kin[below(p, 4)], .access = HW_READ,
			     .pasid = below(p, 4) ? below(p, 4) : HW_NO_PASID};
	struct hw_resp r = same_answer(p, &req);

	now.answered += r.status == HW_OK;
	same_truth(p, &req);
	if (r.status != HW_OK && !below(p, 4))
		take_events(p);
}

/* Everything is as new, but for memory; now and then EL2 is another one. */
static void anew(struct pair *p, u64 streams)
{
	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->reset(p->s[i].h);
	now.prod = 0;
	reg(p, SMMU_CR2, 4, below(p, 2) ? CR2_E2H : 0);
	turn_on_with(p, streams, 6);
}

/* One of few: an entry has the same words again and again, and others in between. */
static void few(struct pair *p)
{
	u32 n = below(p, 4), ssid = below(p, 4);
	u64 random = p->random, ste = STREAMS << 12;

	p->random = 1 + below(p, 3);
	if (random >> 40 & 1)
		stream(p, n);
	else
		context(p, n, ssid);
	if (random >> 41 & 1)
		word(p, ste + n * 64 + 8, 2 | 2ULL << STE1_STRW);
	p->random = random;
	for (u32 i = 0; i < 64; i += 8) {
		u64 w;

		memcpy(&w, p->s[0].e.ram + ste + n * 64 + i, 8);
		word(p, ste + kin[n] * 64 + i, w);
	}
	second(p);
	/* Often without: then what was kept still counts. */
	if (below(p, 2))
		command(p, CMD_CFGI_STE | (u64)kin[n] << 32, 1);
	if (below(p, 2))
		command(p, CMD_CFGI_CD | (u64)ssid << 12 | (u64)kin[n] << 32, 1);
	if (below(p, 2))
		invalidate(p);
}

static void come_again(const char *options, u64 seed)
{
	struct pair p;

	begin(&p, options, 1, seed);
	for (u64 pa = TABLES * 4096; pa < RAM; pa += 8)
		change(&p, pa);
	second(&p);
	turn_on_with(&p, STREAMS << 12, 6);
	for (u32 i = 0; i < OPERATIONS / 2; i++) {
		if (!below(&p, 12))
			few(&p);
		/* Where nothing is, no stream has an entry; then it has one again. */
		for (u32 j = !below(&p, 100) ? 1 + below(&p, 2) : 0; j; j--) {
			anew(&p, j == 2 ? 1ULL << 40 : STREAMS << 12);
			ask_kin(&p);
		}
		ask_kin(&p);
	}
	same_memory(&p, REGISTERS);
	cr_assert_gt(now.answered, OPERATIONS / 64);
	sides_free(&p);
}

Test(smmuv3_again, knows_a_context_again_by_its_words)
{
	static const char *const some[] = {
		"cache=none,hyp=1", "cache=none,config=1,hyp=1", "cache=infinite,hyp=1",
		"cache=sets,entries=64,hyp=1", "cache=sets,entries=64,config=0,hyp=1",
		"cache=sets,entries=64,provenance=1,hyp=1", "cache=tiny,hyp=1",
	};

	for (u32 i = 0; i < ARRAY_SIZE(some); i++)
		come_again(some[i], 0x51ed2701 + i);
}
