// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory, registers and tables of a model that is alone.
 */
#include "tools/bench/bed.h"

#include "hw/smmuv3/smmuv3_regs.h"
#include "hw/vtd/vtd_regs.h"
#include "sim/base/assert.h"

#include <stdlib.h>

#define ADDR 0x000ffffffffff000ULL
#define QUEUE_MASK 0xfffULL

/* Accessed and dirty are set: the rows measure reads. */
const struct bed_format bed_vtd_ss = {VTD_SS_R | VTD_SS_W, VTD_SS_R | VTD_SS_W};
const struct bed_format bed_vtd_fs = {
	VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A,
	VTD_FS_P | VTD_FS_RW | VTD_FS_US | VTD_FS_A | VTD_FS_D,
};
/* Table or page; user, inner shareable, accessed, not global. */
const struct bed_format bed_smmu_s1 = {3, 3 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 11};
/* Write-back, read and write, inner shareable, accessed. */
const struct bed_format bed_smmu_s2 = {3, 3 | 0xf << 2 | 3 << 6 | 3 << 8 | 1 << 10};

void bed_open(struct bed *b, const struct hw_iommu_ops *ops, const char *options, u64 ram)
{
	char err[200] = "";

	*b = (struct bed){.used = BED_PAGE};
	b->env.ram = calloc(1, ram);
	b->env.ram_size = ram;
	b->env.owner = b;
	sim_assert(b->env.ram);
	b->h = ops->create(&b->env, options, err, sizeof(err));
	if (!b->h)
		sim_fatal("bench: %s", err);
}

void bed_close(struct bed *b)
{
	b->h->ops->destroy(b->h);
	free(b->env.ram);
}

u64 bed_take(struct bed *b)
{
	u64 pa = b->used;

	sim_assert(pa + BED_PAGE <= b->env.ram_size);
	b->used += BED_PAGE;
	return pa;
}

/* --- tables --- */

void bed_map(struct bed *b, const struct bed_format *f, u64 root, u64 addr, u64 pa)
{
	u64 table = root;

	for (u32 shift = 39; shift > 12; shift -= 9) {
		u64 *e = bed_word(b, table + (addr >> shift & 511) * 8);

		if (!*e)
			*e = bed_take(b) | f->table;
		table = *e & ADDR;
	}
	*bed_word(b, table + (addr >> 12 & 511) * 8) = pa | f->leaf;
}

u64 *bed_leaf(struct bed *b, u64 root, u64 addr)
{
	u64 table = root;

	for (u32 shift = 39; shift > 12; shift -= 9) {
		table = *bed_word(b, table + (addr >> shift & 511) * 8) & ADDR;
		if (!table)
			return NULL;
	}
	return bed_word(b, table + (addr >> 12 & 511) * 8);
}

/* --- VT-d --- */

static void idle(struct bed *b)
{
	for (u32 i = 0; b->h->ops->work(b->h); i++)
		sim_assert(i < 4096);
}

void bed_vtd_on(struct bed *b, u64 root_table, u32 ttm)
{
	const struct hw_iommu_ops *ops = b->h->ops;

	b->queue = bed_take(b);
	b->tail = 0;
	ops->mmio_write(b->h, VTD_IQA, 8, b->queue);
	ops->mmio_write(b->h, VTD_GCMD, 4, VTD_G_QIE);
	ops->mmio_write(b->h, VTD_RTADDR, 8, root_table | ttm << VTD_RTADDR_TTM_SHIFT);
	ops->mmio_write(b->h, VTD_GCMD, 4, VTD_G_QIE | VTD_G_SRTP);
	ops->mmio_write(b->h, VTD_GCMD, 4, VTD_G_QIE | VTD_G_TE);
	idle(b);
}

void bed_vtd_context(struct bed *b, u64 root_table, u16 sid, u16 did, u64 tables)
{
	u64 *root = bed_word(b, root_table + (sid >> 8) * 16ULL), *ctx;

	if (!*root)
		*root = bed_take(b) | VTD_P;
	ctx = bed_word(b, (*root & ADDR) + (sid & 255) * 16ULL);
	ctx[1] = 2 | (u64)did << VTD_CTX_DID_SHIFT; /* 4 levels */
	ctx[0] = tables | VTD_P;
}

void bed_vtd_nested(struct bed *b, u64 root_table, u16 sid, u64 first, u64 second)
{
	u64 ctx = bed_take(b), dir = bed_take(b), table = bed_take(b);
	u64 *pe = bed_word(b, table);

	*bed_word(b, root_table + (sid >> 8) * 16ULL + (sid & 0x80 ? 8 : 0)) = ctx | VTD_P;
	*bed_word(b, ctx + (sid & 0x7f) * 32ULL) = dir | VTD_P;
	*bed_word(b, dir) = table | VTD_P;
	pe[0] = VTD_P | 2 << VTD_PE0_AW_SHIFT | (u64)VTD_PGTT_NESTED << VTD_PE0_PGTT_SHIFT | second;
	pe[1] = 1 | VTD_PE1_PWSNP; /* domain 1 */
	pe[2] = VTD_PE2_SRE | first;
}

void bed_vtd_invalidate(struct bed *b, u64 low, u64 high)
{
	u64 *d = bed_word(b, b->queue + b->tail);

	d[0] = low;
	d[1] = high;
	b->tail = (b->tail + 16) & QUEUE_MASK;
	b->h->ops->mmio_write(b->h, VTD_IQT, 8, b->tail);
	hw_drain(b->h);
}

/* --- SMMUv3 --- */

#define LG2_COMMANDS 8

void bed_smmu_cd(struct bed *b, u64 cd, u16 asid, u64 tables)
{
	u64 *w = bed_word(b, cd);

	w[1] = tables;
	w[3] = 0xff;
	w[0] = 16ULL | 1ULL << CD0_EPD1 | 1ULL << CD0_V | 5ULL << CD0_IPS | 1ULL << CD0_AA64 |
	       1ULL << CD0_R | 1ULL << CD0_A | (u64)asid << CD0_ASID;
}

void bed_smmu_stream(struct bed *b, u64 strtab, u32 sid, u64 cd)
{
	*bed_word(b, strtab + sid * 64ULL) = 1 | 5ULL << STE0_CONFIG | cd;
}

void bed_smmu_start(struct bed *b, u64 strtab)
{
	const struct hw_iommu_ops *ops = b->h->ops;

	b->queue = bed_take(b);
	b->tail = 0;
	ops->mmio_write(b->h, SMMU_EVENTQ_BASE, 8, bed_take(b) | 4);
	ops->mmio_write(b->h, SMMU_CMDQ_BASE, 8, b->queue | LG2_COMMANDS);
	ops->mmio_write(b->h, SMMU_STRTAB_BASE, 8, strtab);
	ops->mmio_write(b->h, SMMU_STRTAB_BASE_CFG, 4, 6);
	ops->mmio_write(b->h, SMMU_CR0, 4, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN);
	idle(b);
}

void bed_smmu_command(struct bed *b, u64 low, u64 high)
{
	u64 *w = bed_word(b, b->queue + (b->tail & ((1 << LG2_COMMANDS) - 1)) * 16);

	w[0] = low;
	w[1] = high;
	b->tail = (b->tail + 1) & ((2 << LG2_COMMANDS) - 1);
	b->h->ops->mmio_write(b->h, SMMU_CMDQ_PROD, 4, b->tail);
	hw_drain(b->h);
}

void bed_smmu_on(struct bed *b, u32 sid, u64 first, u64 second)
{
	const struct hw_iommu_ops *ops = b->h->ops;
	u64 strtab = bed_take(b), cds = bed_take(b), *ste = bed_word(b, strtab + sid * 64ULL);
	u64 evtq = bed_take(b);

	bed_smmu_cd(b, cds, 7, first);
	ste[0] = 1 | (second ? 7ULL : 5ULL) << STE0_CONFIG | cds;
	if (second) {
		/* VMID 9; 48 bits from level 0. */
		ste[2] = 9 | 16ULL << STE2_S2T0SZ | 2ULL << STE2_S2SL0 | 5ULL << STE2_S2PS |
			 1ULL << STE2_S2AA64 | 1ULL << STE2_S2R;
		ste[3] = second;
	}
	ops->mmio_write(b->h, SMMU_EVENTQ_BASE, 8, evtq | 4);
	ops->mmio_write(b->h, SMMU_STRTAB_BASE, 8, strtab);
	ops->mmio_write(b->h, SMMU_STRTAB_BASE_CFG, 4, 6);
	ops->mmio_write(b->h, SMMU_CR0, 4, CR0_SMMUEN | CR0_EVENTQEN);
	idle(b);
}
