// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that a queue holds in one go, beside the same step by step: two models of the same
 * options and memory get the same random commands, good and bad, some at a time. What
 * they tell, send and write, and every register, is the same.
 */
#include "hw/smmuv3/smmuv3_regs.h"
#include "hw/vtd/vtd_regs.h"
#include "sim/base/bits.h"
#include "tests/kit/pair.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define RAM (64u * 4096u)
#define QUEUE 0x4000u
#define TABLES 0x8000u
#define ENTRIES 256u
#define ROUNDS 20000u

static u32 tail, errors;
static bool smmu;

static void tell(struct hw_env *e, u64 what)
{
	struct side *s = e->owner;

	s->told = (s->told ^ what) * 0x100000001b3ULL;
}

static void heard(struct hw_env *e, enum hw_fact f, const u64 arg[4])
{
	struct side *s = e->owner;

	s->facts++;
	tell(e, f);
	for (u32 i = 0; i < 4; i++)
		tell(e, arg[i]);
}

static void sent(struct hw_env *e, const struct hw_msg *m)
{
	tell(e, m->itag | (u64)m->sid << 16 | (u64)m->lg2 << 48);
	tell(e, m->addr);
}

static void msi(struct hw_env *e, u64 addr, u32 data)
{
	tell(e, addr ^ (u64)data << 40);
}

static void wire(struct hw_env *e, u32 n, bool level)
{
	tell(e, n * 2 + level);
}

static u64 get(struct pair *p, u32 off)
{
	return p->s[0].h->ops->mmio_read(p->s[0].h, off, 4);
}

static void start(struct pair *p)
{
	tail = 0;
	for (u32 i = 0; i < 2; i++)
		p->s[i].h->ops->reset(p->s[i].h);
	if (smmu) {
		reg(p, SMMU_CMDQ_BASE, 8, QUEUE | 8);
		reg(p, SMMU_STRTAB_BASE, 8, TABLES);
		reg(p, SMMU_STRTAB_BASE_CFG, 4, 4);
		reg(p, SMMU_IRQ_CTRL, 4, 7);
		reg(p, SMMU_CR0, 4, CR0_SMMUEN | CR0_CMDQEN);
	} else {
		reg(p, VTD_IECTL, 4, 0);
		reg(p, VTD_FECTL, 4, 0);
		reg(p, VTD_IQA, 8, QUEUE | (below(p, 4) ? 0 : 1) | (below(p, 40) ? 0 : VTD_IQA_DW));
		reg(p, VTD_RTADDR, 8, TABLES);
		reg(p, VTD_GCMD, 4, VTD_G_SRTP);
		reg(p, VTD_GCMD, 4, VTD_G_QIE);
		reg(p, VTD_GCMD, 4, VTD_G_QIE | VTD_G_TE);
	}
	work(p);
}

/* Mostly good; what is not there, and bits that must not be, come as well. */
static void vtd_command(struct pair *p, u64 at)
{
	u64 type = below(p, 60) ? 1 + below(p, 5) : below(p, 32), low, high = 0;

	if (type > 3 && type < 6 && below(p, 2))
		type = 2;
	low = (type & 15) | (type & 16) << 5 | (u64)(below(p, 50) ? 1 + below(p, 3) : 0) << 4 |
	      (u64)below(p, 4) << 16;
	if (type == VTD_INV_IOTLB)
		high = (u64)below(p, 16) << 12 | below(p, 4) | (u64)below(p, 2) << 6;
	if (type == VTD_INV_CONTEXT)
		low |= (u64)below(p, 16) << 32 | (u64)below(p, 4) << 48;
	if (type == VTD_INV_DEVTLB)
		low = type | (u64)below(p, 16) << 32;
	if (type == VTD_INV_IEC)
		low = type | (u64)below(p, 2) << 4 | (u64)below(p, 16) << 32;
	if (type == VTD_INV_WAIT) {
		low = type | (u64)below(p, 8) << 4 | (u64)below(p, 99) << 32;
		high = 0x2000 + below(p, 64) * 4;
	}
	word(p, at, below(p, 200) ? low : low ^ 1ULL << below(p, 64));
	word(p, at + 8, high);
}

static void smmu_command(struct pair *p, u64 at)
{
	static const u8 known[] = {CMD_CFGI_STE, CMD_CFGI_STE_RANGE, CMD_CFGI_CD, CMD_CFGI_CD_ALL,
				   CMD_TLBI_NH_ALL, CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA,
				   CMD_TLBI_NH_VA, CMD_TLBI_NH_VAA, CMD_TLBI_S12_VMALL,
				   CMD_TLBI_S2_IPA, CMD_TLBI_NSNH_ALL, CMD_TLBI_EL2_ALL,
				   CMD_PREFETCH_CONFIG, CMD_PREFETCH_ADDR, CMD_ATC_INV, CMD_SYNC,
				   CMD_SYNC, CMD_RESUME, CMD_STALL_TERM};
	u64 low = below(p, 300) ? known[below(p, ARRAY_SIZE(known))] : below(p, 256), high = 0;

	low |= (u64)below(p, 4) << 32 | (u64)below(p, 4) << 48;
	if (low >> 4 == CMD_TLBI_NH_ALL >> 4 || (low & 0xff) == CMD_CFGI_STE_RANGE)
		high = (u64)below(p, 16) << 12 | below(p, 8);
	if ((low & 0xff) == CMD_SYNC) {
		low = CMD_SYNC | (u64)below(p, 3) << CMD0_SYNC_CS;
		high = below(p, 2) ? 0x2000 + below(p, 64) * 4 : 0;
	}
	word(p, at, low);
	word(p, at + 8, high);
}

static void same(const struct pair *p)
{
	const struct side *a = &p->s[0], *b = &p->s[1];

	cr_assert_eq(a->told, b->told);
	cr_assert_eq(a->facts, b->facts);
	for (u32 off = 0; off < 0x300; off += 4)
		cr_assert_eq(a->h->ops->mmio_read(a->h, off, 4), b->h->ops->mmio_read(b->h, off, 4),
			     "register %x", off);
	cr_assert_eq(memcmp(a->e.ram + 0x2000, b->e.ram + 0x2000, 4096), 0);
}

/* Several at once; the tail is told when all of them are there. */
static void some_commands(struct pair *p)
{
	u32 n = 1 + below(p, 6);

	for (u32 i = 0; i < n; i++) {
		u64 at = QUEUE + tail % ENTRIES * 16;

		if (smmu)
			smmu_command(p, at);
		else
			vtd_command(p, at);
		tail = (tail + 1) % (smmu ? 2 * ENTRIES : ENTRIES);
	}
	if (smmu)
		reg(p, SMMU_CMDQ_PROD, 4, tail);
	else
		reg(p, VTD_IQT, 8, tail * 16);
	work(p);
}

static bool is_stuck(struct pair *p)
{
	if (smmu)
		return (get(p, SMMU_CMDQ_CONS) & 0x1ff) != tail;
	return get(p, VTD_IQH) != tail * 16;
}

static void run(bool is_smmu, const char *options, bool facts)
{
	const struct hw_iommu_ops *ops = is_smmu ? &hw_smmuv3_ops : &hw_vtd_ops;
	struct pair p = {.random = 1 + facts, .ram = RAM};
	char err[200] = "";

	for (u32 i = 0; i < 2; i++) {
		struct side *s = &p.s[i];

		s->e = (struct hw_env){.ram = calloc(1, RAM), .ram_size = RAM, .owner = s,
				       .send = sent, .msi = msi, .wire = wire,
				       .fact = facts ? heard : NULL};
		s->h = ops->create(&s->e, options, err, sizeof(err));
		cr_assert(s->h && s->e.ram, "%s", err);
	}
	smmu = is_smmu;
	errors = 0;
	start(&p);
	for (u32 i = 0; i < ROUNDS; i++) {
		some_commands(&p);
		for (u32 tag = 0; !below(&p, 4) && tag < 32; tag++) {
			p.s[0].h->ops->atc_done(p.s[0].h, (u16)tag);
			p.s[1].h->ops->atc_done(p.s[1].h, (u16)tag);
			work(&p);
		}
		same(&p);
		if (is_stuck(&p) && below(&p, 4)) {
			errors++;
			start(&p);
		}
	}
	cr_assert_gt(errors, 100u);
	cr_assert_lt(errors, ROUNDS / 2);
	cr_assert(!facts || p.s[0].facts > ROUNDS * 2);
	sides_free(&p);
}

Test(drain, is_as_step_by_step_on_vtd)
{
	run(false, "ats=1", true);
	run(false, "cache=sets,ats=1", false);
	run(false, "ats=1,ir=0,psi=0", true);
}

Test(drain, is_as_step_by_step_on_smmuv3)
{
	run(true, "", true);
	run(true, "cache=sets,hyp=1", false);
	run(true, "persona=hi1610,s2p=0", true);
	run(true, "persona=maxinv", true);
}
