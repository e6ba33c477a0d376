// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VT-d model under writes of every width to every offset, every queue index,
 * and random memory: no crash, no endless work(), no assertion; and the same
 * again is the same. SWEEP_WRITES: how many writes (soak: 10,000,000).
 */
#include "hw/iommu/hw.h"
#include "hw/vtd/vtd_regs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define RAM (1u << 20)
#define STEPS_MAX 20000u

struct world {
	struct hw_env e;
	struct hw_iommu *h;
	u64 random, hash;
	u16 itag;
};

static u64 next(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

static void note(struct world *w, u64 x)
{
	w->hash = (w->hash ^ x) * 0x100000001b3ULL;
}

static void on_msi(struct hw_env *e, u64 addr, u32 data)
{
	note(e->owner, addr ^ data);
}

static void on_send(struct hw_env *e, const struct hw_msg *m)
{
	struct world *w = e->owner;

	w->itag = m->itag;
	note(w, m->addr ^ m->sid);
}

static void on_deliver(struct hw_env *e, u32 dest, u32 vector)
{
	note(e->owner, (u64)dest << 32 | vector);
}

static u32 on_choose(struct hw_env *e, u32 n)
{
	return (u32)(next(e->owner) % n);
}

/* Others write memory, and sometimes drive the model, in the middle of a walk. */
static void on_point(struct hw_env *e, const char *why)
{
	struct world *w = e->owner;
	u64 x = next(w);

	(void)why;
	if (x % 61 == 0)
		memcpy(e->ram + (x >> 20) % (RAM / 8) * 8, &x, 8);
	if (x % 67 == 0)
		w->h->ops->work(w->h);
	if (x % 71 == 0)
		w->h->ops->atc_done(w->h, w->itag);
}

/* Words that look like entries: pointers into memory, few bits besides. */
static void fill_ram(struct world *w)
{
	for (u32 i = 0; i < RAM / 8; i++) {
		u64 x = next(w), word;

		word = (x >> 8 & (RAM - 1) & ~0xfffULL) | (x & 0xff & next(w)) | 3;
		if (x % 7 == 0)
			word = x;
		if (x % 5 == 0)
			word = x >> 40 & 0x3ff;
		memcpy(w->e.ram + 8 * i, &word, 8);
	}
}

static void put(struct world *w, u64 at, u64 word)
{
	memcpy(w->e.ram + at, &word, 8);
}

static void plant_queues(struct world *w);

/*
 * Tables that translate, then a few bits of them turned over: root 0x80000, contexts
 * 0x81000 or 0x82000, PASID directory 0x84000, PASID table 0x85000, and one page
 * 0x90000 that is every table of both stages, for each entry points to it.
 */
static void plant(struct world *w)
{
	static const u64 pe[][3] = {{0x41, 0x800001, 0x90000}, {0x90089, 0x800002, 0},
				    {0x900c9, 0x800003, 0x90000}, {0x101, 1, 0},
				    {0x90289, 0x800002, 0}, {0x902c9, 0x800001, 0x90080}};
	bool scalable = next(w) % 4;

	memset(w->e.ram + 0x80000, 0, 0x11000);
	for (u32 i = 0; i < 4; i++) {
		put(w, 0x80000 + 16 * i, scalable ? 0x82001 : 0x81001);
		put(w, 0x80008 + 16 * i, scalable ? 0x82001 : 0);
	}
	for (u32 i = 0; i < 256; i++) {
		put(w, 0x81000 + 16 * i, 0x90001 | i % 3 << 2);
		put(w, 0x81008 + 16 * i, 0x102 + 0x100 * (i % 4));
	}
	for (u32 i = 0; i < 128; i++) {
		put(w, 0x82000 + 32 * i, 0x8401d);
		put(w, 0x82008 + 32 * i, i % 8);
	}
	for (u32 i = 0; i < 512; i++) {
		put(w, 0x84000 + 8 * i, 0x85001);
		put(w, 0x90000 + 8 * i, i % 9 ? 0x90007 | (next(w) & 0x60) : 0x90067);
	}
	for (u32 i = 0; i < 64; i++) {
		for (u32 k = 0; k < 3; k++)
			put(w, 0x85000 + 64 * i + 8 * k, pe[i % 6][k]);
	}
	for (u64 x = next(w), n = x % 5; n; n--, x = next(w))
		w->e.ram[0x80000 + (x >> 8) % 0x11000] ^= (u8)(1 << (x >> 40 & 7));
	w->h->ops->mmio_write(w->h, VTD_RTADDR, 8, 0x80000 | scalable << VTD_RTADDR_TTM_SHIFT);
	w->h->ops->mmio_write(w->h, VTD_PQA, 8, 0xa0000);
	plant_queues(w);
	w->h->ops->mmio_write(w->h, VTD_GCMD, 4,
			      VTD_G_SRTP | VTD_G_TE | VTD_G_QIE | VTD_G_IRE);
	while (w->h->ops->work(w->h))
		;
}

/* A queue of descriptors that are nearly right, and a table of interrupts. */
static void plant_queues(struct world *w)
{
	static const u64 fields[] = {0,		     0x3ffff00000030, 0xffff00f0, 0xffff001f0000,
				     0xffff10000010, 0xffffffff000000f0, 0xfffffffff0030,
				     0xfffffffff0030, 0xffffffffff01f0,	 0xfffffffff0010};

	for (u32 i = 0; i < 128; i++) {
		u64 x = next(w), type = x % 10;

		put(w, 0xb0000 + 32 * i, type | (next(w) & fields[type]));
		put(w, 0xb0008 + 32 * i,
		    type == VTD_INV_WAIT ? 0xd0000 : next(w) & (type == 9 ? 0xff8 : 0xfffff045));
		put(w, 0xb0010 + 32 * i, 0);
		put(w, 0xb0018 + 32 * i, 0);
	}
	for (u32 i = 0; i < 256; i++) {
		bool posted = i % 3 == 0;

		put(w, 0xc0000 + 16 * i, posted ? 0x318001ULL | 0xd0000ULL << 32 : 0x120000310001);
		put(w, 0xc0008 + 16 * i, i % 4 ? 0 : 0x70010);
	}
	w->h->ops->mmio_write(w->h, VTD_GCMD, 4, 0);
	w->h->ops->mmio_write(w->h, VTD_FSTS, 4, 0xff);
	w->h->ops->mmio_write(w->h, VTD_IQA, 8, 0xb0800);
	w->h->ops->mmio_write(w->h, VTD_IQT, 8, next(w) & 0xfe0);
	w->h->ops->mmio_write(w->h, VTD_IRTA, 8, 0xc0007);
	w->h->ops->mmio_write(w->h, VTD_GCMD, 4, VTD_G_SIRTP);
}

static void one_write(struct world *w, u32 i)
{
	static const u8 widths[] = {4, 8, 4, 8, 1, 2};
	u32 size = widths[next(w) % sizeof(widths)], off;
	u64 value = next(w);

	/* All offsets in turn, then mostly those that drive queues. */
	if (i % 3 == 0)
		off = i / 3 % (VTD_MMIO_SIZE + 64);
	else
		off = (u32)(value >> 50) % 0x100;
	if (value % 3 == 0)
		value = next(w) & (RAM - 1);
	if (value % 4 == 0)
		value = next(w) & 0x7ffe0;
	/* TTM scalable and a queue of wide descriptors, more often than chance gives. */
	if (off == VTD_RTADDR || off == VTD_IQA) {
		u64 low = off == VTD_IQA ? 0x800 : next(w) & 0xc00;

		value = (next(w) & (RAM - 1) & ~0xfffULL) | low;
	}
	if (off == VTD_GCMD)
		value |= next(w) & 0x86000000;
	w->h->ops->mmio_write(w->h, off, size, value);
	note(w, w->h->ops->mmio_read(w->h, off, size));
}

static void one_request(struct world *w)
{
	u64 x = next(w);
	struct hw_req req = {.addr = next(w) >> (x % 53), .sid = (u32)(x >> 8) & 0x3ff,
			     .pasid = x % 3 ? HW_NO_PASID : (u32)(x >> 32) & 0xfffff,
			     .access = (u16)(x >> 16 & 127), .kind = (u8)(x % 97 % 3),
			     .data = (u32)(x >> 24)};
	struct hw_resp resp, truth;

	if (x % 5 == 0)
		req.pasid &= 0x3f;
	if (x % 11 == 0)
		req.addr = 0xfee00000 | (x >> 12 & 0x1ff4);
	w->h->ops->walk(w->h, &req, &truth);
	w->h->ops->translate(w->h, &req, &resp);
	cr_assert(resp.status == HW_OK || resp.status == HW_ABORT || resp.status == HW_INTERRUPT);
	note(w, resp.pa ^ resp.status ^ (u64)resp.reads << 8 ^ truth.status);
}

static void one_page(struct world *w)
{
	u64 x = next(w);
	struct hw_page_request r = {.addr = x & ~0xfffULL, .sid = (u32)(x >> 8) & 0x3ff,
				    .pasid = x % 3 ? HW_NO_PASID : (u32)(x >> 32) & 0xfffff,
				    .group = (u16)x & 0x1ff, .access = (u8)(x >> 16 & 15),
				    .last = (u8)(x >> 20 & 1)};

	w->h->ops->page_request(w->h, &r);
}

static u64 sweep(const char *options, u64 seed, u32 writes)
{
	struct world w = {.random = seed, .hash = seed};
	char err[128];
	u64 hash;

	w.e = (struct hw_env){.ram = malloc(RAM), .ram_size = RAM, .owner = &w, .msi = on_msi,
			      .send = on_send, .deliver = on_deliver, .choose = on_choose,
			      .point = on_point};
	w.h = hw_vtd_ops.create(&w.e, options, err, sizeof(err));
	cr_assert(w.h, "%s", err);
	fill_ram(&w);
	for (u32 i = 0; i < writes; i++) {
		u32 steps = 0;

		if (i % 64 == 0)
			plant(&w);
		one_write(&w, i);
		if (i % 4 == 0)
			one_request(&w);
		if (i % 16 == 0)
			one_page(&w);
		if (i % 8 == 0) {
			while (w.h->ops->work(w.h))
				cr_assert(++steps < STEPS_MAX, "work() goes on and on");
		}
		if (i % 1024 == 0)
			w.h->ops->timeout(w.h);
		if (i % 65536 == 65535)
			w.h->ops->reset(w.h);
	}
	hash = w.hash;
	w.h->ops->destroy(w.h);
	free(w.e.ram);
	return hash;
}

static const char *const sets[] = {
	"",
	"cm=1,sagaw=57",
	"scalable=0,cache=tiny",
	"cache=sets,entries=64,replace=random,prefetch=1,speculate=1,provenance=1",
	"cache=none,late=1",
	"qi=0,nfr=1",
	"race=1,strict=1,collapse=1,atom=16",
	"nfr=128,haw=52,ats=0,ir=0",
};

Test(vtd_sweep, nothing_that_is_written_breaks_the_model)
{
	const char *text = getenv("SWEEP_WRITES");
	u32 n = sizeof(sets) / sizeof(sets[0]);
	u32 writes = (text ? (u32)strtoul(text, NULL, 10) : 200000) / n;

	for (u32 i = 0; i < n; i++)
		sweep(sets[i], 0x9e3779b97f4a7c15ULL + i, writes);
}

Test(vtd_sweep, the_same_again_is_the_same)
{
	cr_expect_eq(sweep("", 1, 5000), sweep("", 1, 5000));
	cr_expect_neq(sweep("", 1, 5000), sweep("", 2, 5000));
}

/* Each head and tail that a register can hold, in a queue of waits without effect. */
Test(vtd_sweep, every_tail_ends)
{
	struct world w = {.random = 1};
	char err[128];

	w.e = (struct hw_env){.ram = calloc(1, RAM), .ram_size = RAM, .owner = &w};
	w.h = hw_vtd_ops.create(&w.e, NULL, err, sizeof(err));
	cr_assert(w.h, "%s", err);
	for (u32 i = 0; i < RAM / 32; i++)
		w.e.ram[32 * i] = VTD_INV_WAIT;
	for (u32 size = 0; size < 8; size++) {
		u64 bytes = 4096ULL << size;

		w.h->ops->mmio_write(w.h, VTD_GCMD, 4, 0);
		w.h->ops->mmio_write(w.h, VTD_IQT, 8, 0);
		w.h->ops->mmio_write(w.h, VTD_IQA, 8, VTD_IQA_DW | size);
		w.h->ops->mmio_write(w.h, VTD_GCMD, 4, VTD_G_QIE);
		for (u64 tail = 0; tail < 0x80000; tail += 16 + 4080 * (size > 1)) {
			u32 steps = 0;

			w.h->ops->mmio_write(w.h, VTD_IQT, 8, tail);
			while (w.h->ops->work(w.h))
				cr_assert(++steps <= 2 * bytes / 32 + 2);
			if (tail >= bytes || tail & 16) {
				cr_assert(w.h->ops->mmio_read(w.h, VTD_FSTS, 4) & VTD_FSTS_IQE);
				w.h->ops->mmio_write(w.h, VTD_FSTS, 4, VTD_FSTS_IQE);
			} else {
				cr_assert_eq(w.h->ops->mmio_read(w.h, VTD_IQH, 8), tail);
			}
		}
	}
	w.h->ops->destroy(w.h);
	free(w.e.ram);
}
