// SPDX-License-Identifier: GPL-2.0-only
#include "sim/io/io.h"

#include "sim/kapi/irq.h"
#include "sim/mem/frames.h"
#include "tests/kit/program.h"

#define REGS 0xfed00000ULL

/* A piece of hardware: a write to register 0 starts n steps, register 8 counts them. */
static struct {
	u32 left, done, resets, polls;
	u32 n_irqs, max_between;
	u64 last_off, last_value;
	u32 last_size;
	bool write_seen;
} hw;

static u64 reg_read(void *arg, u64 off, u32 size)
{
	(void)arg;
	(void)size;
	hw.polls++;
	return off == 8 ? hw.done : 0x1122334455667788ULL >> (8 * (off & 7));
}

static void reg_write(void *arg, u64 off, u32 size, u64 value)
{
	(void)arg;
	hw.last_off = off;
	hw.last_size = size;
	hw.last_value = value;
	if (off == 0)
		hw.left += (u32)value;
}

static bool hw_step(void *arg)
{
	(void)arg;
	if (!hw.left)
		return false;
	hw.left--;
	hw.done++;
	if (!hw.left)
		io_message(w, 0xfee00000, 0x41);
	return true;
}

static void hw_reset(void *arg)
{
	(void)arg;
	hw.left = 0;
	hw.done = 0;
	hw.resets++;
}

static const struct io_ops reg_ops = {reg_read, reg_write};

static irqreturn_t handler(int irq, void *dev)
{
	(void)irq;
	(void)dev;
	hw.n_irqs++;
	return IRQ_HANDLED;
}

static void boot(void)
{
	const struct io_worker toy = {.name = "toy", .step = hw_step, .reset = hw_reset};
	u32 k = io_worker_add(w, &toy);
	struct io_region r = {REGS, 4096, &reg_ops, NULL, "toy", k};

	cr_assert(io_region_add(w, &r));
	cr_assert_not(io_region_add(w, &r), "it lies there already");
	r.pa = REGS - 8;
	cr_assert_not(io_region_add(w, &r), "it overlaps");
	r.pa = 0x1000;
	cr_assert_not(io_region_add(w, &r), "that is memory");
	r = (struct io_region){REGS + 4096, 4, &reg_ops, NULL, "small", IO_NONE};
	cr_assert(io_region_add(w, &r));
	cr_assert_eq(request_irq(7, handler, 0, "toy", &hw), 0);
}

/* A driver: binds the message, starts the hardware, polls until it is done. */
static void driver(void *arg)
{
	(void)arg;
	io_vector_bind(w, 0xfee00000, 0x41, 7);
	io_write(w, REGS, 4, 3);
	while (io_read(w, REGS + 8, 4) < 3)
		;
	cr_assert_eq(hw.left, 0);
}

static void begin(void)
{
	hw.n_irqs = 0;
	hw.polls = 0;
}

Test(io, a_poll_gives_way_and_the_hardware_works_in_steps)
{
	struct world_run r;

	load(.boot = boot, .begin = begin, .task = {driver});
	run_clean(300);
	r = run(5);
	assert_clean(&r);
	cr_assert_eq(hw.n_irqs, 1);
	cr_assert_eq(hw.done, 3);
	cr_assert_eq(io_message_count(w), 1);
	cr_assert_eq(io_message_seen(w, 0).irq, 7);
	/* Without preemption too, where nobody else gets a turn by chance. */
	r = run_with(.seed = 1);
	assert_clean(&r);
	cr_assert_lt(hw.polls, 100);
	cr_assert_gt(hw.resets, 300);
}

static void watcher(void *arg)
{
	(void)arg;
	for (int i = 0; i < 6; i++) {
		u64 done = io_read(w, REGS + 8, 4);

		if (done == 1 || done == 2)
			hw.max_between++;
		step();
	}
}

Test(io, the_steps_of_hardware_are_choices_of_the_schedule)
{
	hw.max_between = 0;
	load(.boot = boot, .begin = begin, .task = {driver, watcher});
	run_clean(300);
	cr_assert_gt(hw.max_between, 0, "nobody ever ran between two steps");
}

static void idle(void *arg)
{
	(void)arg;
	step();
}

Test(io, idle_hardware_has_no_task)
{
	struct world_run with, without;

	load(.boot = boot, .begin = begin, .task = {idle});
	with = run_with(.seed = 1);
	assert_clean(&with);
	load(.task = {idle});
	without = run_with(.seed = 1);
	cr_assert_eq(with.steps, without.steps);
	cr_assert_eq(with.hash, without.hash);
}

static void sizes(void *arg)
{
	(void)arg;
	for (u32 size = 1; size <= 8; size *= 2) {
		u64 all = size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;

		for (u64 off = 16; off < 24; off++) {
			u64 v = io_read(w, REGS + off, size);
			u64 want = 0x1122334455667788ULL >> (8 * (off & 7)) & all;

			want = off % size ? all : want;


			cr_assert_eq(v, want);
			hw.last_size = 0;
			io_write(w, REGS + off, size, ~0ULL);
			cr_assert_eq(hw.last_size, off % size ? 0 : size);
			cr_assert(off % size || (hw.last_off == off && hw.last_value == all));
		}
	}
	hw.last_size = 0;
	cr_assert_eq(io_read(w, REGS + 4096, 8), ~0ULL, "more than the region has");
	cr_assert_eq(io_read(w, REGS + 16, 3), 0xffffff);
	cr_assert_eq(io_read(w, 0xfffffffffffffff8ULL, 8), ~0ULL);
	cr_assert_eq(io_read(w, 0, 0), 0);
	io_write(w, REGS + 4096, 8, 1);
	io_write(w, 0xfeb00000, 4, 1);
	cr_assert_eq(hw.last_size, 0);
	cr_assert_eq(io_config_read(w, 8, 0, 4), 0xffffffff);
}

Test(io, accesses_that_fit_nothing_read_ones_and_write_nothing)
{
	struct world_run r;

	load(.boot = boot, .begin = begin, .task = {sizes});
	r = run_with(.seed = 1);
	assert_clean(&r);
}

static void physical(void *arg)
{
	u64 pa = frame_alloc(w, 0, FRAME_ZERO);
	u8 buf[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	u8 back[16];
	u32 data = 0x99;

	(void)arg;
	cr_assert(io_phys_write(w, pa + 100, buf, 16));
	cr_assert(io_phys_read(w, pa + 100, back, 16));
	cr_assert_arr_eq(buf, back, 16);
	frame_free(w, pa, 0);
	cr_assert(io_phys_write(w, REGS + 16, buf, 4), "peer-to-peer");
	cr_assert(hw.last_off == 16 && hw.last_size == 4 && hw.last_value == 0x04030201);
	cr_assert(io_phys_write(w, 0xfee01000, &data, 4));
	cr_assert_eq(io_message_seen(w, 0).data, 0x99);
	cr_assert_eq(io_message_seen(w, 0).irq, IO_NONE);
	cr_assert_not(io_phys_write(w, 0xfee01000, &data, 2));
	cr_assert_not(io_phys_write(w, 0xfeb00000, buf, 16));
	cr_assert_not(io_phys_read(w, 0xfeb00000, back, 16));
	cr_assert(back[0] == 0xff && back[15] == 0xff);
	cr_assert_not(io_phys_read(w, 1ULL << 60, back, 16));
}

Test(io, devices_reach_memory_registers_and_doorbells)
{
	struct world_run r;

	load(.boot = boot, .begin = begin, .task = {physical});
	r = run_with(.seed = 1);
	assert_clean(&r);
}
