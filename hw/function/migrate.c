// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of a function that migrates: a page of registers of its user's, and the page
 * of its host's that controls it.
 */
#include "hw/function/function_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define REGS 64u
#define STATUS 0x06u
#define STATUS_INTX 8u

enum level { RUNS, QUIET, STILL };

/* What is saved. */
struct state {
	u8 bar0[REGS], user[REGS];
	u32 dma;       /* what was asked of REG_DMA while it was quiet; 0: nothing */
	u32 interrupt; /* of REG_INTERRUPT, + 1 */
	u32 intx;
};
_Static_assert(sizeof(struct state) == FUNCTION_STATE_SIZE, "as the header says");

struct function_mig {
	u8 user[REGS], window[FUNCTION_STATE_SIZE];
	u32 level, dma, interrupt;
	u64 log_start;
	u32 log_n, log_shift, log_index;
	u32 log[FUNCTION_LOG_PAGES / 32];
};

struct function_mig *function_mig_new(void)
{
	struct function_mig *mig = calloc(1, sizeof(*mig));

	sim_assert(mig);
	return mig;
}

void function_mig_reset(struct function *f)
{
	memset(f->mig, 0, sizeof(*f->mig));
}

bool function_mig_still(const struct function *f)
{
	return f->mig && f->mig->level == STILL;
}

bool function_mig_defers(struct function *f, u64 off, u32 value)
{
	struct function_mig *mig = f->mig;

	if (!mig || mig->level == RUNS)
		return false;
	if (off == REG_DMA)
		mig->dma = value;
	else if (off == REG_INTERRUPT)
		mig->interrupt = value + 1;
	return off == REG_DMA || off == REG_INTERRUPT;
}

void function_mig_log(struct function *f, u64 iova)
{
	struct function_mig *mig = f->mig;
	u64 page = (iova - mig->log_start) >> mig->log_shift;

	if (iova >= mig->log_start && page < mig->log_n)
		mig->log[page / 32] |= 1u << page % 32;
}

/* --- control --- */

static void save(struct function *f)
{
	struct function_mig *mig = f->mig;
	struct state s = {.dma = mig->dma, .interrupt = mig->interrupt,
			  .intx = f->config[STATUS] & STATUS_INTX};

	memcpy(s.bar0, f->bar[0], REGS);
	memcpy(s.user, mig->user, REGS);
	memcpy(mig->window, &s, sizeof(s));
}

static void load(struct function *f)
{
	struct function_mig *mig = f->mig;
	struct state s;

	memcpy(&s, mig->window, sizeof(s));
	f->bar_is_new = false;
	memcpy(f->bar[0], s.bar0, REGS);
	memcpy(mig->user, s.user, REGS);
	mig->dma = s.dma;
	mig->interrupt = s.interrupt;
	f->config[STATUS] = (u8)((f->config[STATUS] & ~STATUS_INTX) | (s.intx & STATUS_INTX));
}

static void set_level(struct function *f, u32 level)
{
	struct function_mig *mig = f->mig;
	u32 dma = mig->dma, interrupt = mig->interrupt;

	mig->level = min(level, (u32)STILL);
	if (level != RUNS)
		return;
	mig->dma = mig->interrupt = 0;
	if (dma)
		function_dma(f, dma != 1);
	if (interrupt)
		function_interrupt(f, interrupt - 1);
}

static u32 take_word(struct function_mig *mig)
{
	u32 *word, value;

	if (mig->log_index >= ARRAY_SIZE(mig->log))
		return 0;
	word = &mig->log[mig->log_index];
	value = *word;
	*word = 0;
	return value;
}

static void control_write(struct function *f, u32 off, u32 value)
{
	struct function_mig *mig = f->mig;

	if (off >= FUNCTION_WINDOW && off - FUNCTION_WINDOW + 4 <= sizeof(mig->window))
		memcpy(&mig->window[off - FUNCTION_WINDOW], &value, 4);
	else if (off == FUNCTION_COMMAND && value == 1)
		save(f);
	else if (off == FUNCTION_COMMAND && value == 2)
		load(f);
	else if (off == FUNCTION_LEVEL)
		set_level(f, value);
	else if (off == FUNCTION_LOG_LOW)
		mig->log_start = (mig->log_start & ~0xffffffffULL) | value;
	else if (off == FUNCTION_LOG_HIGH)
		mig->log_start = (mig->log_start & 0xffffffffULL) | (u64)value << 32;
	else if (off == FUNCTION_LOG_SHIFT)
		mig->log_shift = value & 63;
	else if (off == FUNCTION_LOG_INDEX)
		mig->log_index = value;
	if (off == FUNCTION_LOG_N) {
		mig->log_n = min(value, FUNCTION_LOG_PAGES);
		memset(mig->log, 0, sizeof(mig->log));
	}
}

static u32 control_read(struct function *f, u32 off)
{
	struct function_mig *mig = f->mig;
	u32 value = 0;

	if (off >= FUNCTION_WINDOW && off - FUNCTION_WINDOW + 4 <= sizeof(mig->window))
		memcpy(&value, &mig->window[off - FUNCTION_WINDOW], 4);
	else if (off == FUNCTION_LEVEL)
		value = mig->level;
	else if (off == FUNCTION_SIZE)
		value = FUNCTION_STATE_SIZE;
	else if (off == FUNCTION_LOG_WORD)
		value = take_word(mig);
	return value;
}

/* --- the BAR; control answers to 4 bytes --- */

static u64 bar_read(void *arg, u64 off, u32 size)
{
	struct function *f = arg;
	u64 value = 0;

	if (!function_decodes(f))
		return ~0ULL;
	if (off >= FUNCTION_CONTROL)
		return size == 4 ? control_read(f, (u32)off - FUNCTION_CONTROL) : 0;
	if (off + size <= REGS)
		memcpy(&value, f->mig->user + off, size);
	return value;
}

static void bar_write(void *arg, u64 off, u32 size, u64 value)
{
	struct function *f = arg;

	if (!function_decodes(f))
		return;
	if (off >= FUNCTION_CONTROL) {
		if (size == 4)
			control_write(f, (u32)off - FUNCTION_CONTROL, (u32)value);
	} else if (off + size <= REGS && f->mig->level != STILL) {
		memcpy(f->mig->user + off, &value, size);
	}
}

const struct io_ops function_mig_ops = {bar_read, bar_write};
