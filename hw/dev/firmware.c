// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose behaviour is a program for x86-64, AArch64 or RISC-V, run by
 * Unicorn. Its loads and stores in the DMA window are requests on the fabric.
 *
 * The emulator runs on a stack of its own. Where it needs the outside (a DMA,
 * or its slice of instructions is used up) it switches back to the device's
 * task, which does what is asked (and may block there, for as long as a stalled
 * transaction or a page request takes) and switches in again with the data. So
 * nothing is ever restarted in the middle of an instruction.
 *
 * Unicorn cuts an 8-byte access to a device into two halves: a hook that comes
 * first sees the whole, does the DMA, and the halves are served from what it
 * got. Emulation starts at most STARTS_MAX times before the engine is made
 * anew, since each start costs it memory that only closing gives back; so does
 * code that is changed and executed again, which is therefore rationed, too.
 *
 * Clocks and sources of chance of the emulator are the host's: an instruction
 * that reads one is a fault, or no run would be like the other.
 */
#include "hw/dev/firmware_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/sched/fiber_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#if IOMMULAB_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define ID 0x31574653ULL /* "SFW1" */
#define STACK_SIZE (512u << 10)
#define STARTS_MAX 10000u
#define NOWHERE (~0ULL)    /* where it would end by itself: no program gets there */
#define SLICE 2000u        /* instructions between two moments at which others may run */
#define BUDGET 2000000u    /* instructions of a start; DMAs count for 100 */
#define DMA_COST 100u
#define REWRITE_COST 20000u /* a store into code: it has to be translated again */
#define REWRITES_MAX 1000u  /* of one run */
#define PAGE_LG2 12
#define LINE_LG2 6
#define SRAM_LINES (FW_SRAM_SIZE >> LINE_LG2)
#define SRAM_PAGES (FW_SRAM_SIZE >> PAGE_LG2)

/* Registers in the BAR, as words. Firmware sees ARG0 and up at FW_REGS_BASE. */
enum reg { REG_ID, REG_CONTROL, REG_STATUS, REG_EXIT, REG_ARG0, REG_ARG3 = REG_ARG0 + 3, REG_PASID,
	   REG_FAULT, REG_MAILBOX, REG_DMAS, REGS_N };
enum fw_reg { FW_ARG0, FW_MAILBOX = 4, FW_INTERRUPT, FW_EXIT, FW_DMA_STATUS, FW_HIGH };

#define STATUS_RUNNING 1u
#define STATUS_ENDED 2u
#define STATUS_FAULTED 4u

/* REG_FAULT: an error of the emulator (uc_err), or */
#define FAULT_BUDGET 0x100u
#define FAULT_UNALIGNED 0x101u
#define FAULT_CLOCK 0x102u
#define FAULT_REWRITE 0x103u

enum want { WANT_NOTHING, WANT_TURN, WANT_READ, WANT_WRITE };

struct firmware {
	struct dev dev;
	struct fw_image *image;
	uc_engine *uc;
	uc_context *start;
	u8 *stack, *sram;
	u64 reg[REGS_N];
	/* the two contexts; each is valid while the other runs */
	void *inner, *outer;
	bool begun, running, stopping;
	u32 starts, slice;
	u64 spent, high, dma_status;
	u64 dirty;       /* bit per page of sram */
	u64 code[SRAM_LINES / 64]; /* bit per line of sram that has been executed as it is */
	u32 rewrites, all_rewrites; /* of this run, of this engine */
	u64 block, block_size;      /* what is being executed */
	/* what the emulator asks for */
	enum want want;
	u64 addr, data;
	u32 size;
	/* what the hook has already done of an access that comes in halves */
	u64 latch_addr, latch_data;
	u32 latch_size;
	bool latch_write;
#if IOMMULAB_ASAN
	const void *outer_bottom;
	size_t outer_size;
#endif
};

static struct firmware *of(struct dev *d)
{
	return (struct firmware *)d;
}

/* --- switching --- */

static struct firmware *beginning; /* handed to a fiber's first function, at once */

static void enter(struct firmware *f)
{
#if IOMMULAB_ASAN
	void *fake;

	__sanitizer_start_switch_fiber(&fake, f->stack, STACK_SIZE);
	beginning = f;
	sched_fiber_switch(&f->outer, f->inner);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#else
	beginning = f;
	sched_fiber_switch(&f->outer, f->inner);
#endif
}

/* From the emulator's stack: asks, and comes back when it has been done. */
static void leave(struct firmware *f, enum want want)
{
	f->want = want;
#if IOMMULAB_ASAN
	void *fake;

	__sanitizer_start_switch_fiber(&fake, f->outer_bottom, f->outer_size);
	sched_fiber_switch(&f->inner, f->outer);
	__sanitizer_finish_switch_fiber(fake, &f->outer_bottom, &f->outer_size);
#else
	sched_fiber_switch(&f->inner, f->outer);
#endif
}

static void emulate(void)
{
	struct firmware *f = beginning;

#if IOMMULAB_ASAN
	__sanitizer_finish_switch_fiber(NULL, &f->outer_bottom, &f->outer_size);
#endif
	for (;;) {
		uc_err err = uc_emu_start(f->uc, f->image->entry, NOWHERE, 0, 0);

		if (err != UC_ERR_OK && !f->stopping)
			f->reg[REG_FAULT] = (u64)err;
		f->running = false;
		leave(f, WANT_NOTHING);
	}
}

/* --- the emulator's side --- */

static void stop(struct firmware *f, u64 fault)
{
	if (fault && !f->reg[REG_FAULT])
		f->reg[REG_FAULT] = fault;
	f->stopping = true;
	uc_emu_stop(f->uc);
}

static void spend(struct firmware *f, u32 n)
{
	f->spent += n;
	f->slice += n;
	if (f->spent > BUDGET) {
		stop(f, FAULT_BUDGET);
	} else if (f->slice > SLICE) {
		f->slice = 0;
		leave(f, WANT_TURN);
		/* Reset or stopped in the meantime. */
		if (f->stopping)
			uc_emu_stop(f->uc);
	}
}

static void on_block(uc_engine *uc, u64 addr, u32 size, void *user)
{
	struct firmware *f = user;

	(void)uc;
	f->block = addr;
	f->block_size = size;
	if (!f->stopping)
		spend(f, 1 + size / 4);
}

/* --- instructions whose result is the host's --- */

static bool x86_is_clock(const u8 *p, u32 size)
{
	static const u8 prefix[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e,
				    0x36, 0x3e, 0x26, 0x64, 0x65};

	while (size && (memchr(prefix, *p, sizeof(prefix)) || (*p & 0xf0) == 0x40)) {
		p++;
		size--;
	}
	if (size < 2 || p[0] != 0x0f)
		return false;
	if (p[1] == 0x31 || p[1] == 0x33) /* RDTSC, RDPMC */
		return true;
	if (size < 3)
		return false;
	/* RDTSCP; RDRAND and RDSEED */
	return (p[1] == 0x01 && p[2] == 0xf9) || (p[1] == 0xc7 && p[2] >= 0xf0);
}

static bool arm_is_clock(const u8 *p, u32 size)
{
	u32 insn, crn;

	if (size != 4)
		return false;
	memcpy(&insn, p, 4);
	if ((insn & 0xfff00000) != 0xd5300000) /* MRS */
		return false;
	crn = insn >> 12 & 15;
	/* Timers and counters; RNDR and RNDRRS. */
	return crn == 14 || crn == 9 || (insn & 0xffffffc0) == 0xd53b2400;
}

static bool riscv_is_clock(const u8 *p, u32 size)
{
	u32 insn;

	if (size != 4)
		return false;
	memcpy(&insn, p, 4);
	/* CSRR* of cycle, time, instret, of what they count, of the machine's as well */
	return (insn & 0x7f) == 0x73 && insn >> 12 & 3 &&
	       ((insn >> 28 == 0xc && (insn >> 20 & 0xff) < 0xa0) ||
		(insn >> 28 == 0xb && (insn >> 20 & 0xff) < 0xa0));
}

static void mark_code(struct firmware *f, u64 off, u32 size)
{
	for (u64 l = off >> LINE_LG2; l <= (off + size - 1) >> LINE_LG2; l++)
		f->code[l / 64] |= 1ULL << (l & 63);
}

/* Comes before each instruction. */
static void on_code(uc_engine *uc, u64 addr, u32 size, void *user)
{
	static bool (*const is_clock[FW_ARCHS])(const u8 *p, u32 size) = {
		[FW_X86_64] = x86_is_clock, [FW_AARCH64] = arm_is_clock,
		[FW_RISCV64] = riscv_is_clock};
	struct firmware *f = user;
	u64 off = addr - FW_SRAM_BASE;

	(void)uc;
	/* The emulator gives a wild size for what it cannot decode. */
	if (f->stopping || !size || size > 16 || off >= FW_SRAM_SIZE || size > FW_SRAM_SIZE - off)
		return;
	mark_code(f, off, size);
	if (is_clock[f->image->arch](f->sram + off, size))
		stop(f, FAULT_CLOCK);
}

static void do_dma(struct firmware *f, enum want want, u64 addr, u32 size, u64 data)
{
	f->addr = f->high << FW_DMA_LG2 | addr;
	f->size = size;
	f->data = data;
	leave(f, want);
	if (f->stopping)
		uc_emu_stop(f->uc);
	else
		spend(f, DMA_COST);
}

/* Comes before the access, with its true size. */
/* signature given */
static bool on_dma(uc_engine *uc, uc_mem_type type, u64 addr, int size, s64 value, void *user)
{
	struct firmware *f = user;
	bool write = type == UC_MEM_WRITE;

	(void)uc;
	f->latch_size = 0;
	if (f->stopping)
		return true;
	if (size != 1 && size != 2 && size != 4 && size != 8) {
		stop(f, FAULT_UNALIGNED);
		return true;
	}
	if (addr & ((u64)size - 1)) {
		stop(f, FAULT_UNALIGNED);
		return true;
	}
	do_dma(f, write ? WANT_WRITE : WANT_READ, addr - FW_DMA_BASE, (u32)size, (u64)value);
	f->latch_addr = addr - FW_DMA_BASE;
	f->latch_size = (u32)size;
	f->latch_data = f->data;
	f->latch_write = write;
	return true;
}

static bool latched(const struct firmware *f, u64 off, u32 size, bool write)
{
	return f->latch_write == write && off - f->latch_addr < f->latch_size &&
	       size <= f->latch_size - (off - f->latch_addr);
}

static u64 window_read(uc_engine *uc, u64 off, unsigned size, void *user)
{
	struct firmware *f = user;

	(void)uc;
	if (f->stopping || !latched(f, off, size, false))
		return ~0ULL;
	return f->latch_data >> (8 * (off - f->latch_addr));
}

static void window_write(uc_engine *uc, u64 off, unsigned size, u64 value, void *user)
{
	/* The hook has written the whole. */
	(void)uc;
	(void)off;
	(void)size;
	(void)value;
	(void)user;
}

static u64 regs_read(uc_engine *uc, u64 off, unsigned size, void *user)
{
	struct firmware *f = user;
	u64 i = off / 8, v = 0;

	(void)uc;
	if (i <= FW_ARG0 + 3)
		v = f->reg[REG_ARG0 + i];
	else if (i == FW_DMA_STATUS)
		v = f->dma_status;
	return dev_reg_get(v, off, size);
}

static void regs_write(uc_engine *uc, u64 off, unsigned size, u64 value, void *user)
{
	struct firmware *f = user;
	u64 i = off / 8;

	(void)uc;
	if (f->stopping)
		return;
	if (i == FW_MAILBOX) {
		f->reg[REG_MAILBOX] = dev_reg_set(f->reg[REG_MAILBOX], off, size, value);
	} else if (i == FW_HIGH && !(off & 7)) {
		f->high = value & ((1ULL << (64 - FW_DMA_LG2)) - 1);
	} else if (i == FW_INTERRUPT && !(off & 7)) {
		f->size = 0;
		leave(f, WANT_WRITE);
		if (f->stopping)
			uc_emu_stop(f->uc);
		else
			spend(f, DMA_COST);
	} else if (i == FW_EXIT && !(off & 7)) {
		f->reg[REG_EXIT] = value;
		stop(f, 0);
	}
}

/* Whether code that has been executed lies in [off, off + size): from now on no more. */
static bool unmark_code(struct firmware *f, u64 off, u64 size)
{
	bool was = false;

	for (u64 l = off >> LINE_LG2; l <= (off + size - 1) >> LINE_LG2 && l < SRAM_LINES; l++) {
		was = was || f->code[l / 64] >> (l & 63) & 1;
		f->code[l / 64] &= ~(1ULL << (l & 63));
	}
	return was;
}

/* signature given */
static bool on_store(uc_engine *uc, uc_mem_type type, u64 addr, int size, s64 value, void *user)
{
	struct firmware *f = user;
	u64 first = (addr - FW_SRAM_BASE) >> PAGE_LG2;
	u64 last = (addr + (u64)size - 1 - FW_SRAM_BASE) >> PAGE_LG2;

	(void)uc;
	(void)type;
	(void)value;
	for (u64 p = first; p <= last && p < SRAM_PAGES; p++)
		f->dirty |= 1ULL << p;
	if (f->stopping || !unmark_code(f, addr - FW_SRAM_BASE, (u64)size))
		return true;
	f->all_rewrites++;
	/* The emulator would have to leave the block in the middle of the store. */
	if (addr - f->block < f->block_size || f->block - addr < (u64)size)
		stop(f, FAULT_REWRITE);
	else if (++f->rewrites > REWRITES_MAX)
		stop(f, FAULT_BUDGET);
	else
		spend(f, REWRITE_COST);
	return true;
}

/* --- the engine --- */

_Static_assert(SRAM_PAGES <= 64, "a word of dirty bits");

static const struct {
	uc_arch arch;
	uc_mode mode;
	int sp;
} engines[FW_ARCHS] = {
	[FW_X86_64] = {UC_ARCH_X86, UC_MODE_64, UC_X86_REG_RSP},
	[FW_AARCH64] = {UC_ARCH_ARM64, UC_MODE_ARM, UC_ARM64_REG_SP},
	[FW_RISCV64] = {UC_ARCH_RISCV, UC_MODE_RISCV64, UC_RISCV_REG_SP},
};

static void engine_close(struct firmware *f)
{
	if (f->start)
		uc_context_free(f->start);
	if (f->uc)
		uc_close(f->uc);
	f->start = NULL;
	f->uc = NULL;
}

static bool engine_hooks(struct firmware *f)
{
	uc_hook h;

	return uc_hook_add(f->uc, &h, UC_HOOK_BLOCK, on_block, f, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(f->uc, &h, UC_HOOK_CODE, on_code, f, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(f->uc, &h, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, on_dma, f, FW_DMA_BASE,
			   2 * FW_DMA_BASE - 1) == UC_ERR_OK &&
	       uc_hook_add(f->uc, &h, UC_HOOK_MEM_WRITE, on_store, f, FW_SRAM_BASE,
			   FW_SRAM_BASE + FW_SRAM_SIZE - 1) == UC_ERR_OK;
}

static bool engine_open(struct firmware *f)
{
	u64 sp = FW_SRAM_BASE + FW_SRAM_SIZE - 16;
	int arch = (int)f->image->arch;

	if (uc_open(engines[arch].arch, engines[arch].mode, &f->uc) != UC_ERR_OK)
		return false;
	if (uc_mem_map_ptr(f->uc, FW_SRAM_BASE, FW_SRAM_SIZE, UC_PROT_ALL, f->sram) != UC_ERR_OK ||
	    uc_mem_write(f->uc, FW_SRAM_BASE, f->image->sram, FW_SRAM_SIZE) != UC_ERR_OK ||
	    uc_mmio_map(f->uc, FW_REGS_BASE, 4096, regs_read, f, regs_write, f) != UC_ERR_OK ||
	    uc_mmio_map(f->uc, FW_DMA_BASE, FW_DMA_BASE, window_read, f, window_write, f) !=
		    UC_ERR_OK ||
	    !engine_hooks(f) || uc_reg_write(f->uc, engines[arch].sp, &sp) != UC_ERR_OK ||
	    uc_context_alloc(f->uc, &f->start) != UC_ERR_OK ||
	    uc_context_save(f->uc, f->start) != UC_ERR_OK) {
		engine_close(f);
		return false;
	}
	f->starts = 0;
	f->all_rewrites = 0;
	f->dirty = 0;
	return true;
}

/* --- the device's side --- */

/* Does what the emulator asked for, in the device's task. */
static void serve(struct firmware *f)
{
	u32 pasid = (u32)f->reg[REG_PASID];

	f->reg[REG_DMAS]++;
	if (f->want == WANT_WRITE && !f->size) {
		bus_interrupt(f->dev.fabric, f->dev.fn);
	} else if (f->want == WANT_WRITE) {
		f->dma_status = dev_write(&f->dev, f->addr, pasid, &f->data, f->size) != HW_OK;
	} else {
		u64 data = 0;

		f->dma_status = dev_read(&f->dev, f->addr, pasid, &data, f->size) != HW_OK;
		f->data = data;
	}
}

static void begin(struct firmware *f)
{
	f->stopping = false;
	f->running = true;
	f->spent = 0;
	f->slice = 0;
	f->high = 0;
	f->dma_status = 0;
	f->want = WANT_NOTHING;
	f->latch_size = 0;
	f->reg[REG_STATUS] = STATUS_RUNNING;
	f->reg[REG_FAULT] = 0;
	f->reg[REG_EXIT] = 0;
	f->starts++;
	uc_context_restore(f->uc, f->start);
	if (!f->begun) {
		f->inner = sched_fiber_prepare(f->stack, STACK_SIZE, emulate);
		f->begun = true;
	}
}

static void finish(struct firmware *f)
{
	f->reg[REG_STATUS] = f->reg[REG_FAULT] ? STATUS_FAULTED : STATUS_ENDED;
	f->reg[REG_CONTROL] = 0;
}

static bool fw_step(struct dev *d)
{
	struct firmware *f = of(d);
	bool was_running = f->reg[REG_STATUS] & STATUS_RUNNING;

	if (!f->running && !was_running) {
		if (!(f->reg[REG_CONTROL] & 1))
			return false;
		begin(f);
	}
	/* Switched off while it ran. */
	if (!(f->reg[REG_CONTROL] & 1))
		f->stopping = true;
	enter(f);
	while (f->running && (f->want == WANT_READ || f->want == WANT_WRITE)) {
		serve(f);
		enter(f);
	}
	if (!f->running)
		finish(f);
	return true;
}

static u64 fw_read(struct dev *d, u64 off, u32 size)
{
	struct firmware *f = of(d);

	return off / 8 < REGS_N ? dev_reg_get(f->reg[off / 8], off, size) : 0;
}

static void fw_write(struct dev *d, u64 off, u32 size, u64 value)
{
	static const u64 mask[REGS_N] = {
		[REG_CONTROL] = 1, [REG_ARG0] = ~0ULL, [REG_ARG0 + 1] = ~0ULL,
		[REG_ARG0 + 2] = ~0ULL, [REG_ARG3] = ~0ULL, [REG_PASID] = 0x800fffff,
		[REG_MAILBOX] = ~0ULL};
	struct firmware *f = of(d);
	u64 i = off / 8;

	if (i < REGS_N && mask[i])
		f->reg[i] = dev_reg_set(f->reg[i], off, size, value) & mask[i];
}

/* Brings an emulation that a run has left behind to its end, then its memory as it was. */
static void fw_reset(struct dev *d)
{
	struct firmware *f = of(d);

	f->stopping = true;
	while (f->running)
		enter(f);
	f->stopping = false;
	memset(f->reg, 0, sizeof(f->reg));
	f->reg[REG_ID] = ID;
	f->rewrites = 0;
	memset(f->code, 0, sizeof(f->code));
	if (f->starts > STARTS_MAX || f->all_rewrites > REWRITES_MAX) {
		engine_close(f);
		sim_assert(engine_open(f));
		return;
	}
	for (; f->dirty; f->dirty &= f->dirty - 1) {
		u64 at = (u64)__builtin_ctzll(f->dirty) << PAGE_LG2;

		uc_mem_write(f->uc, FW_SRAM_BASE + at, f->image->sram + at, 1u << PAGE_LG2);
	}
}

static void fw_destroy(struct dev *d)
{
	struct firmware *f = of(d);

	f->stopping = true;
	while (f->running)
		enter(f);
	engine_close(f);
	hw_free(f->stack);
	hw_free(f->sram);
	hw_free(f->image);
}

static bool fw_create(struct dev *d, const struct machine_device *m, char *err, size_t err_size)
{
	struct firmware *f = of(d);

	f->image = hw_calloc(1, sizeof(*f->image));
	f->stack = hw_aligned_alloc(4096, STACK_SIZE);
	f->sram = hw_aligned_alloc(4096, FW_SRAM_SIZE);
	sim_assert(f->image && f->stack && f->sram);
	if (!m->firmware[0]) {
		snprintf(err, err_size, "no 'firmware', expected the path of an ELF or raw file");
	} else if (fw_load(f->image, m->firmware, m->arch, err, err_size)) {
		if (engine_open(f))
			return true;
		snprintf(err, err_size, "the emulator does not start: %u.%u", UC_VERSION_MAJOR,
			 UC_VERSION_MINOR);
	}
	hw_free(f->stack);
	hw_free(f->sram);
	hw_free(f->image);
	return false;
}

const struct dev_model dev_firmware = {
	.name = "firmware", .bar_size = 4096, .state_size = sizeof(struct firmware),
	.create = fw_create, .destroy = fw_destroy, .reset = fw_reset,
	.read = fw_read, .write = fw_write, .step = fw_step,
};
