// SPDX-License-Identifier: GPL-2.0-only
#include "tests/kit/pair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define STEPS_MAX 100000u

void sides_make(struct pair *p, const struct hw_iommu_ops *ops, const char *options, u32 quick)
{
	char text[256], err[200] = "";

	for (u32 i = 0; i < 2; i++) {
		struct side *s = &p->s[i];

		s->e = (struct hw_env){.ram = aligned_alloc(PAGE, p->ram), .ram_size = p->ram};
		memset(s->e.ram, 0, p->ram);
		snprintf(text, sizeof(text), "%s,quick=%u", options, i ? 0 : quick);
		s->h = ops->create(&s->e, text, err, sizeof(err));
		cr_assert(s->h && s->e.ram, "%s", err);
	}
}

void sides_free(struct pair *p)
{
	for (u32 i = 0; i < 2; i++) {
		p->s[i].h->ops->destroy(p->s[i].h);
		free(p->s[i].e.ram);
	}
}

u64 next(struct pair *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random * 0x2545f4914f6cdd1dULL;
}

u32 below(struct pair *p, u32 n)
{
	return (u32)((next(p) >> 32) * n >> 32);
}

u64 pick(struct pair *p, const u64 *of, u32 n)
{
	return of[below(p, n)];
}

void word(struct pair *p, u64 pa, u64 value)
{
	for (u32 i = 0; i < 2; i++)
		memcpy(p->s[i].e.ram + pa, &value, 8);
}

void reg(struct pair *p, u64 off, u32 size, u64 value)
{
	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->mmio_write(p->s[i].h, off, size, value);
}

void work(struct pair *p)
{
	hw_drain(p->s[0].h);
	cr_assert(!p->s[0].h->ops->work(p->s[0].h), "not all is done");
	for (u32 n = 0; p->s[1].h->ops->work(p->s[1].h); n++)
		cr_assert_lt(n, STEPS_MAX);
}

struct hw_resp same_answer(struct pair *p, const struct hw_req *req)
{
	struct hw_resp r[2];

	memset(r, 0x5a, sizeof(r));
	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->translate(p->s[i].h, req, &r[i]);
	cr_assert(r[0].pa == r[1].pa && r[0].lg2 == r[1].lg2 && r[0].access == r[1].access &&
			  r[0].status == r[1].status && r[0].global == r[1].global &&
			  r[0].no_snoop == r[1].no_snoop && r[0].reads == r[1].reads &&
			  r[0].tag == r[1].tag && r[0].entry == r[1].entry,
		  "sid %x pasid %x addr %llx access %x: %llx/%u/%x/%u/%u/%u, long %llx/%u/%x/%u/%u/%u",
		  req->sid, req->pasid, (unsigned long long)req->addr, req->access,
		  (unsigned long long)r[0].pa, r[0].lg2, r[0].access, r[0].status, r[0].reads,
		  r[0].entry, (unsigned long long)r[1].pa, r[1].lg2, r[1].access, r[1].status,
		  r[1].reads, r[1].entry);
	return r[0];
}

void same_memory(const struct pair *p, u64 end)
{
	cr_assert_eq(memcmp(p->s[0].e.ram, p->s[1].e.ram, p->ram), 0);
	for (u64 off = 0; off < end; off += 4)
		cr_assert_eq(p->s[0].h->ops->mmio_read(p->s[0].h, off, 4),
			     p->s[1].h->ops->mmio_read(p->s[1].h, off, 4), "register %llx",
			     (unsigned long long)off);
}
