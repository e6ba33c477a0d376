// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoints as their drivers see them, behind an IOMMU of one table.
 */
#include "hw/dev/dev.h"
#include "tests/hw/bus/toy_iommu.h"

#include "sim/base/bits.h"
#include "sim/mem/frames.h"
#include "tests/kit/program.h"

#define IOVA 0x40000000ULL
#define MSI 0xfee00000ULL
#define ALL (HW_READ | HW_WRITE)
#define PAGES 8

static struct machine m;
static struct fabric *f;
static u64 pa[PAGES], bar;
static const char *model;

static void boot(void)
{
	char err[256] = "";

	memset(&m, 0, sizeof(m));
	m.n_iommus = m.n_buses = m.n_devices = 1;
	machine_iommu_init(&m.iommu[0]);
	machine_bus_init(&m.bus[0]);
	machine_device_init(&m.device[0]);
	m.device[0].bus = 0;
	m.device[0].bdf = 8;
	m.device[0].n_iommus = 1;
	f = bus_create(w, &m);
	cr_assert(bus_iommu_add(f, 0, &toy_ops, "", err, sizeof(err)));
	cr_assert(dev_create(f, 0, dev_find(model), err, sizeof(err)), "%s", err);
	bar = bus_bar_pa(f, 0, 0);
	for (u32 i = 0; i < PAGES; i++)
		pa[i] = frame_alloc(w, 0, FRAME_ZERO);
}

static void begin(void)
{
	for (u32 i = 0; i < PAGES; i++) {
		toy_map(IOVA + i * 4096, pa[i], HW_NO_PASID, ALL);
		memset(frame_ptr(w, pa[i]), 0, 4096);
	}
	toy_map(MSI, MSI, HW_NO_PASID, ALL);
	bus_msi_set(f, 0, MSI, 0x51);
}

static void *page(u32 i)
{
	return frame_ptr(w, pa[i]);
}

static u64 iova(u32 i)
{
	return IOVA + i * 4096;
}

static void reg_write(u64 off, u32 size, u64 value)
{
	io_write(w, bar + off, size, value);
}

static u64 reg_read(u64 off, u32 size)
{
	return io_read(w, bar + off, size);
}

static void test(const char *name, void (*task)(void *))
{
	model = name;
	load(.boot = boot, .begin = begin, .task = {task});
	run_clean(30);
}

/* --- the copy engine --- */

struct copy {
	u64 from, to;
	u32 len;
	u16 op, flags;
	u64 status;
};

static void copy(void *arg)
{
	struct copy *ring = page(0);
	u64 *status = page(1);

	(void)arg;
	for (u32 i = 0; i < 4096; i++)
		((u8 *)page(2))[i] = (u8)(i * 3);
	/* A copy over a page's end, a fill, one that faults, one of no known kind. */
	ring[0] = (struct copy){iova(2) + 8, iova(3) + 2048, 4000, 0, 3, iova(1)};
	ring[1] = (struct copy){0x1122334455667788, iova(5), 20, 1, 2, iova(1) + 8};
	ring[2] = (struct copy){iova(2), 0x90000000, 16, 0, 3, iova(1) + 16};
	ring[3] = (struct copy){0, 0, 5, 9, 2, iova(1) + 24};
	reg_write(0x18, 8, iova(0));
	reg_write(0x20, 8, 3);
	reg_write(0x08, 8, 1);
	reg_write(0x28, 8, 4);
	while (reg_read(0x40, 8) < 4)
		sched_yield_now();
	while (!status[3])
		sched_yield_now();
	cr_assert_arr_eq((u8 *)page(3) + 2048, (u8 *)page(2) + 8, 2048);
	cr_assert_arr_eq(page(4), (u8 *)page(2) + 8 + 2048, 4000 - 2048);
	cr_assert_eq(*(u64 *)page(5), 0x1122334455667788);
	cr_assert_eq(((u32 *)page(5))[4], 0x55667788);
	cr_assert_eq(((u32 *)page(5))[5], 0);
	cr_assert(status[0] == 1 && status[1] == 1 && status[2] == 2 && status[3] == 2);
	cr_assert_eq(reg_read(0x10, 4), 2);
	cr_assert_eq(reg_read(0x30, 4), 4);
	cr_assert_eq(io_message_count(w), 2);
	reg_write(0x10, 4, 2);
	cr_assert_eq(reg_read(0x10, 4), 0);
	cr_assert_eq(bus_post_errors(f, 0), 0);
}

Test(dev, the_copy_engine_works_off_its_ring)
{
	test("copy-engine", copy);
}

/* --- the network card --- */

struct packet {
	u64 addr;
	u16 len, flags;
	u32 cookie;
};

static void nic(void *arg)
{
	struct packet *tx = page(0), *rx = page(1);

	(void)arg;
	for (u32 i = 0; i < 1500; i++)
		((u8 *)page(2))[i] = (u8)(i * 5);
	tx[0] = (struct packet){iova(2), 1500, 0, 11};
	tx[1] = (struct packet){0x90000000, 64, 0, 12};
	tx[2] = (struct packet){iova(2), 64, 0, 13};
	tx[3] = (struct packet){iova(2), 64, 0, 14};
	rx[0] = (struct packet){iova(3), 2048, 0, 21};
	rx[1] = (struct packet){iova(4), 32, 0, 22};
	reg_write(0x40, 8, iova(0));
	reg_write(0x48, 8, 3);
	reg_write(0x80, 8, iova(1));
	reg_write(0x88, 8, 3);
	reg_write(0x90, 8, 2);
	reg_write(0x08, 8, 3);
	reg_write(0x50, 8, 4);
	while (!tx[3].flags)
		sched_yield_now();
	/* The last has no room to be received. */
	while (reg_read(0x18, 8) < 2)
		sched_yield_now();
	bus_flush(f, 0);
	cr_assert(tx[0].flags == 1 && tx[1].flags == 2 && tx[2].flags == 1 && tx[3].flags == 1);
	cr_assert(rx[0].flags == 1 && rx[0].len == 1500 && rx[0].cookie == 21);
	cr_assert_eq(rx[1].flags, 2, "it had too little room");
	cr_assert_arr_eq(page(3), page(2), 1500);
	cr_assert_eq(reg_read(0x20, 8), 2);
	cr_assert_eq(io_message_count(w), 6);
}

Test(dev, the_card_receives_what_it_sends)
{
	test("ring-nic", nic);
}

/* --- storage --- */

struct command {
	u32 opcode_cid, nsid;
	u64 reserved, metadata, prp1, prp2;
	u32 cdw[6];
};

static u32 sq_tail[2], cq_head[2];

static u16 submit(u32 q, struct command c)
{
	struct command *sq = page(q ? 2 : 0);
	volatile u16 *done = (u16 *)((u8 *)page(q ? 3 : 1) + 16 * (cq_head[q] % 8));
	u16 phase = !(cq_head[q] / 8 & 1), status;

	c.opcode_cid |= (0x100u + cq_head[q]) << 16;
	sq[sq_tail[q]] = c;
	sq_tail[q] = (sq_tail[q] + 1) % 8;
	reg_write(0x1000 + 8 * q, 4, sq_tail[q]);
	while ((done[7] & 1) != phase)
		sched_yield_now();
	cr_assert_eq(done[6], 0x100 + cq_head[q]);
	cr_assert_eq(done[5], q);
	status = done[7] >> 1;
	cq_head[q]++;
	reg_write(0x1004 + 8 * q, 4, cq_head[q] % 8);
	return status;
}

static void enable(void)
{
	memset(sq_tail, 0, sizeof(sq_tail));
	memset(cq_head, 0, sizeof(cq_head));
	reg_write(0x24, 4, 7 << 16 | 7);
	reg_write(0x28, 8, iova(0));
	reg_write(0x30, 8, iova(1));
	reg_write(0x14, 4, 1);
	while (!(reg_read(0x1c, 4) & 1))
		sched_yield_now();
}

static void storage(void *arg)
{
	struct command identify = {.opcode_cid = 6, .prp1 = iova(4), .cdw = {1}};
	struct command cq = {.opcode_cid = 5, .prp1 = iova(3), .cdw = {7 << 16 | 1, 3}};
	struct command sq = {.opcode_cid = 1, .prp1 = iova(2), .cdw = {7 << 16 | 1, 1 << 16 | 1}};
	struct command wr = {.opcode_cid = 1, .prp1 = iova(4) + 1024, .prp2 = iova(5),
			     .cdw = {10, 0, 8}};
	struct command rd = {.opcode_cid = 2, .prp1 = iova(6), .prp2 = iova(7), .cdw = {10, 0, 8}};
	struct command bad = wr;

	(void)arg;
	enable();
	cr_assert_eq(submit(0, identify), 0);
	cr_assert_arr_eq((u8 *)page(4) + 24, "iommulab storage", 16);
	cr_assert_eq(submit(0, sq), 0x100, "its completion queue is not there");
	cr_assert_eq(submit(0, cq), 0);
	cr_assert_eq(submit(0, cq), 0x101, "it is there already");
	cr_assert_eq(submit(0, sq), 0);
	for (u32 i = 0; i < 2 * 4096; i++)
		((u8 *)page(4 + i / 4096))[i % 4096] = (u8)(i * 7 + i / 256);
	cr_assert_eq(submit(1, wr), 0);
	cr_assert_eq(submit(1, rd), 0);
	cr_assert_arr_eq(page(6), (u8 *)page(4) + 1024, 3072);
	cr_assert_arr_eq((u8 *)page(6) + 3072, page(5), 1024);
	cr_assert_arr_eq(page(7), (u8 *)page(5) + 1024, 512);
	bad.cdw[0] = 255;
	cr_assert_eq(submit(1, bad), 0x80, "beyond the last block");
	bad = wr;
	bad.prp2 = 0x90000000;
	cr_assert_eq(submit(1, bad), 4, "data that cannot be reached");
	bad.opcode_cid = 0x77;
	cr_assert_eq(submit(1, bad), 1);
	for (u32 i = 0; i < 12; i++)
		cr_assert_eq(submit(1, rd), 0, "around the ring");
	cr_assert_eq(submit(0, (struct command){.opcode_cid = 4, .cdw = {1}}), 0x101, "in use");
	cr_assert_eq(submit(0, (struct command){.opcode_cid = 0, .cdw = {1}}), 0);
	cr_assert_eq(submit(0, (struct command){.opcode_cid = 4, .cdw = {1}}), 0);
	bus_flush(f, 0);
	cr_assert_gt(io_message_count(w), 20);
}

Test(dev, storage_reads_what_was_written)
{
	test("queue-storage", storage);
}

/* --- any registers, any memory --- */

static void random_registers(void *arg)
{
	struct choice ch;

	choice_seed(&ch, (u64)(uintptr_t)arg);
	for (u32 i = 0; i < PAGES * 512; i++) {
		u64 *word = (u64 *)page(i / 512) + i % 512;

		*word = choice_word(&ch, CHOICE_DATA) & 0xffff000f;
		if (choice_below(&ch, CHOICE_DATA, 3))
			*word = iova(choice_below(&ch, CHOICE_DATA, 9));
	}
	for (u32 i = 0; i < 2000; i++) {
		u32 size = 1u << choice_below(&ch, CHOICE_DATA, 4);
		u64 off = choice_below(&ch, CHOICE_DATA, 4) ?
				  choice_below(&ch, CHOICE_DATA, 24) * 8 :
				  0x1000 + choice_below(&ch, CHOICE_DATA, 12) * 4;
		u64 v = choice_below(&ch, CHOICE_DATA, 2) ?
				iova(choice_below(&ch, CHOICE_DATA, 9)) :
				choice_word(&ch, CHOICE_DATA) >> choice_below(&ch, CHOICE_DATA, 64);

		reg_write(off & ~((u64)size - 1), size, v);
		reg_read(off, size);
	}
	reg_write(0x08, 8, 0);
	reg_write(0x14, 4, 0);
}

Test(dev, whatever_is_written_to_registers_and_rings_has_an_end)
{
	static const char *const models[] = {"copy-engine", "ring-nic", "queue-storage"};

	for (u32 i = 0; i < ARRAY_SIZE(models); i++) {
		model = models[i];
		for (u64 seed = 1; seed <= 5; seed++) {
			load(.boot = boot, .begin = begin, .task = {random_registers},
			     .arg = {(void *)(uintptr_t)seed});
			for (u64 k = 1; k <= 10; k++) {
				struct world_run r = run(k);

				assert_clean(&r);
			}
		}
	}
}
