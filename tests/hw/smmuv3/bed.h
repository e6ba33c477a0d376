/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test bed: memory, an SMMU, and tables written by hand.
 *
 *   0x10000  command queue    0x20000  event queue    0x30000  PRI queue
 *   0x40000  stream table (linear, 64 entries)
 *   0x50000  CDs of stream N at 0x50000 + N * 0x1000
 *   0x80000  stage 1 tables   0xc0000  stage 2 tables
 */
#pragma once

#include "hw/iommu/hw.h"
#include "hw/smmuv3/smmuv3_regs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define BED_RAM (16u << 20)
#define BED_CMDQ 0x10000ull
#define BED_EVTQ 0x20000ull
#define BED_PRIQ 0x30000ull
#define BED_STRTAB 0x40000ull
#define BED_CD 0x50000ull
#define BED_S1 0x80000ull
#define BED_S2 0xc0000ull
#define PAGE_RW (0x3ull | 1ull << 6 | 1ull << 10 | 1ull << 11 | 3ull << 8)

struct bed {
	struct hw_env env;
	struct hw_iommu *h;
	struct hw_msg msg[64];
	u32 n_msgs, n_wires[4], n_msis, n_resumed;
	u64 msi_addr;
	u32 msi_data;
	u16 resumed_tag;
	bool resumed_retry;
	u32 prod;
	u64 table;     /* next free table page */
	void (*point)(struct bed *b, const char *why);
	u32 points;
};

static struct bed *bed_of(struct hw_env *e)
{
	return e->owner;
}

static inline void bed_send(struct hw_env *e, const struct hw_msg *m)
{
	bed_of(e)->msg[bed_of(e)->n_msgs++ % 64] = *m;
}

static inline void bed_wire(struct hw_env *e, u32 n, bool level)
{
	bed_of(e)->n_wires[n] += level;
}

static inline void bed_msi(struct hw_env *e, u64 addr, u32 data)
{
	bed_of(e)->n_msis++;
	bed_of(e)->msi_addr = addr;
	bed_of(e)->msi_data = data;
}

static inline void bed_resume(struct hw_env *e, u16 tag, bool retry)
{
	bed_of(e)->n_resumed++;
	bed_of(e)->resumed_tag = tag;
	bed_of(e)->resumed_retry = retry;
}

static inline void bed_point(struct hw_env *e, const char *why)
{
	bed_of(e)->points++;
	if (bed_of(e)->point)
		bed_of(e)->point(bed_of(e), why);
}

static inline u64 *bed_word(struct bed *b, u64 pa)
{
	return (u64 *)(b->env.ram + pa);
}

static inline void bed_w32(struct bed *b, u64 off, u64 v)
{
	b->h->ops->mmio_write(b->h, off, 4, v);
}

static inline void bed_w64(struct bed *b, u64 off, u64 v)
{
	b->h->ops->mmio_write(b->h, off, 8, v);
}

static inline u64 bed_r32(struct bed *b, u64 off)
{
	return b->h->ops->mmio_read(b->h, off, 4);
}

static inline void bed_idle(struct bed *b)
{
	for (u32 i = 0; b->h->ops->work(b->h); i++)
		cr_assert(i < 100000, "work() does not end");
}

/* Sends one command; it is not worked on yet. */
static inline void bed_send_command(struct bed *b, u64 w0, u64 w1)
{
	u64 *slot = bed_word(b, BED_CMDQ + 16 * (b->prod & 0x3f));

	slot[0] = w0;
	slot[1] = w1;
	b->prod = (b->prod + 1) & 0x7f;
	bed_w32(b, SMMU_CMDQ_PROD, b->prod);
}

static inline void bed_command(struct bed *b, u64 w0, u64 w1)
{
	bed_send_command(b, w0, w1);
	bed_idle(b);
}

static inline void bed_program(struct bed *b)
{
	bed_w64(b, SMMU_CMDQ_BASE, BED_CMDQ | 6);
	bed_w64(b, SMMU_EVENTQ_BASE, BED_EVTQ | 4);
	bed_w64(b, SMMU_PRIQ_BASE, BED_PRIQ | 2);
	bed_w64(b, SMMU_STRTAB_BASE, BED_STRTAB);
	bed_w32(b, SMMU_STRTAB_BASE_CFG, 6);
	bed_w32(b, SMMU_CR2, CR2_RECINVSID);
	bed_w32(b, SMMU_IRQ_CTRL, 7);
	bed_w32(b, SMMU_CR0, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN | CR0_PRIQEN);
	b->table = BED_S1;
	bed_idle(b);
}

static inline void bed_open(struct bed *b, const char *options)
{
	char err[200] = "";

	memset(b, 0, sizeof(*b));
	b->env = (struct hw_env){.ram = calloc(1, BED_RAM), .ram_size = BED_RAM, .owner = b,
				 .wire = bed_wire, .msi = bed_msi, .send = bed_send,
				 .resume = bed_resume};
	cr_assert(b->env.ram);
	b->h = hw_smmuv3_ops.create(&b->env, options, err, sizeof(err));
	cr_assert(b->h, "%s", err);
	bed_program(b);
}

static inline void bed_close(struct bed *b)
{
	b->h->ops->destroy(b->h);
	free(b->env.ram);
}

static inline u64 *bed_ste(struct bed *b, u32 sid)
{
	return bed_word(b, BED_STRTAB + sid * 64ull);
}

static inline u64 *bed_cd(struct bed *b, u32 sid, u32 ssid)
{
	return bed_word(b, BED_CD + sid * 0x1000ull + ssid * 64ull);
}

static inline u64 bed_new_table(struct bed *b)
{
	u64 t = b->table;

	b->table += 0x1000;
	memset(b->env.ram + t, 0, 0x1000);
	return t;
}

/* A 48-bit stage 1 of 4K, 4 levels, for stream sid; the table's address. */
static inline u64 bed_s1(struct bed *b, u32 sid, u16 asid)
{
	u64 ttb = bed_new_table(b), *ste = bed_ste(b, sid), *cd = bed_cd(b, sid, 0);

	ste[1] = 0;
	ste[0] = 1 | 5ull << STE0_CONFIG | (BED_CD + sid * 0x1000ull);
	cd[0] = 16ull | 1ull << CD0_EPD1 | 1ull << CD0_V | 5ull << CD0_IPS | 1ull << CD0_AA64 |
		1ull << CD0_R | 1ull << CD0_A | (u64)asid << CD0_ASID;
	cd[1] = ttb;
	cd[3] = 0xff;
	return ttb;
}

/* Maps one page (level 3) or block; makes the tables on the way. */
static inline u64 *bed_map(struct bed *b, u64 ttb, u64 va, u64 desc, u32 level)
{
	u64 at = ttb;

	for (u32 l = 0; l < level; l++) {
		u64 *slot = bed_word(b, at + (va >> (39 - 9 * l) & 511) * 8);

		if (!*slot)
			*slot = bed_new_table(b) | 3;
		at = *slot & 0xfffffffff000ull;
	}
	at += (va >> (39 - 9 * level) & 511) * 8;
	*bed_word(b, at) = desc;
	return bed_word(b, at);
}

static inline struct hw_resp bed_dma(struct bed *b, u32 sid, u64 addr, u16 access)
{
	struct hw_req q = {.addr = addr, .sid = sid, .pasid = HW_NO_PASID, .access = access};
	struct hw_resp r;

	b->h->ops->translate(b->h, &q, &r);
	return r;
}

static inline struct hw_resp bed_walk(struct bed *b, u32 sid, u64 addr, u16 access)
{
	struct hw_req q = {.addr = addr, .sid = sid, .pasid = HW_NO_PASID, .access = access};
	struct hw_resp r;

	b->h->ops->walk(b->h, &q, &r);
	return r;
}

/* The oldest event, or 0; it is taken from the queue. */
static inline u64 bed_event(struct bed *b, u64 rec[4])
{
	u32 prod = (u32)bed_r32(b, SMMU_PAGE1 + SMMU_EVENTQ_PROD);
	u32 cons = (u32)bed_r32(b, SMMU_PAGE1 + SMMU_EVENTQ_CONS);

	if (!((prod ^ cons) & 0x1f))
		return 0;
	memcpy(rec, bed_word(b, BED_EVTQ + 32 * (cons & 15)), 32);
	bed_w32(b, SMMU_PAGE1 + SMMU_EVENTQ_CONS,
		((cons + 1) & 0x1f) | (cons & Q_OVERFLOW));
	return rec[0] & 0xff;
}
