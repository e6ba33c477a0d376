// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy engine: a ring of 32-byte descriptors in memory, worked off in order,
 * a page at most a step. docs/hardware.md has its registers.
 */
#include "hw/dev/dev.h"

#include "sim/base/bits.h"

#include <string.h>

#define ID 0x31594f43ULL /* "COY1" */
#define RING_LG2_MAX 12
#define COPY_MAX (1u << 20)
#define PAGE 4096u

enum reg { REG_ID, REG_CONTROL, REG_STATUS, REG_BASE, REG_LG2, REG_TAIL, REG_HEAD, REG_PASID,
	   REG_DONE, REG_ERROR, REGS_N };

#define CONTROL_RUN 1u
#define STATUS_ERROR 2u

struct descriptor {
	u64 from, to;
	u32 len;
	u16 op, flags;
	u64 status; /* address of a word that gets 1 (done) or 2 (failed) */
};

enum op { OP_COPY, OP_FILL, OP_NOP };
#define FLAG_INTERRUPT 1u
#define FLAG_STATUS 2u

struct copy_engine {
	struct dev dev;
	u64 reg[REGS_N];
	bool busy;
	struct descriptor now;
	u32 at;
};

static u64 ce_read(struct dev *d, u64 off, u32 size)
{
	struct copy_engine *c = (struct copy_engine *)d;

	if (off / 8 == REG_STATUS)
		return dev_reg_get(c->reg[REG_STATUS] | c->busy, off, size);
	return off / 8 < REGS_N ? dev_reg_get(c->reg[off / 8], off, size) : 0;
}

static void ce_write(struct dev *d, u64 off, u32 size, u64 value)
{
	static const u64 mask[REGS_N] = {
		[REG_CONTROL] = CONTROL_RUN, [REG_BASE] = ~31ULL, [REG_LG2] = 15,
		[REG_TAIL] = 0xffff, [REG_PASID] = 0x800fffff};
	struct copy_engine *c = (struct copy_engine *)d;
	u64 i = off / 8;

	if (i >= REGS_N)
		return;
	if (i == REG_STATUS)
		c->reg[i] &= ~(dev_reg_set(0, off, size, value) & STATUS_ERROR);
	else if (mask[i])
		c->reg[i] = dev_reg_set(c->reg[i], off, size, value) & mask[i];
	c->reg[REG_LG2] = min(c->reg[REG_LG2], (u64)RING_LG2_MAX);
}

static u64 ring_mask(const struct copy_engine *c)
{
	return (1ULL << c->reg[REG_LG2]) - 1;
}

static void complete(struct copy_engine *c, bool ok, u64 where)
{
	u64 word = ok ? 1 : 2;

	if (!ok) {
		c->reg[REG_STATUS] |= STATUS_ERROR;
		c->reg[REG_ERROR] = where;
	}
	if (c->now.flags & FLAG_STATUS)
		dev_post(&c->dev, c->now.status, (u32)c->reg[REG_PASID], &word, sizeof(word));
	if (c->now.flags & FLAG_INTERRUPT)
		bus_interrupt(c->dev.fabric, c->dev.fn);
	c->reg[REG_HEAD] = (c->reg[REG_HEAD] + 1) & ring_mask(c);
	c->reg[REG_DONE]++;
	c->busy = false;
}

static void fetch(struct copy_engine *c)
{
	u64 where = c->reg[REG_BASE] + (c->reg[REG_HEAD] & ring_mask(c)) * sizeof(c->now);

	if (dev_read(&c->dev, where, (u32)c->reg[REG_PASID], &c->now, sizeof(c->now)) != HW_OK) {
		/* Nothing is known of it: it is skipped, and whoever waits sees the error. */
		memset(&c->now, 0, sizeof(c->now));
		complete(c, false, where);
		return;
	}
	c->at = 0;
	c->busy = true;
}

/* One piece, within a page at both ends. */
static void copy_piece(struct copy_engine *c)
{
	u64 from = c->now.from + c->at, to = c->now.to + c->at;
	u32 pasid = (u32)c->reg[REG_PASID];
	u32 len = c->now.len - c->at;
	u8 buf[PAGE];

	len = min(len, PAGE - (u32)(to & (PAGE - 1)));
	if (c->now.op == OP_COPY)
		len = min(len, PAGE - (u32)(from & (PAGE - 1)));
	for (u32 i = 0; c->now.op == OP_FILL && i < len; i++)
		buf[i] = (u8)(c->now.from >> (8 * ((c->at + i) & 7)));
	if (c->now.op == OP_COPY && dev_read(&c->dev, from, pasid, buf, len) != HW_OK) {
		complete(c, false, from);
		return;
	}
	if (dev_write(&c->dev, to, pasid, buf, len) != HW_OK) {
		complete(c, false, to);
		return;
	}
	c->at += len;
	if (c->at == c->now.len)
		complete(c, true, 0);
}

static bool ce_step(struct dev *d)
{
	struct copy_engine *c = (struct copy_engine *)d;

	if (!(c->reg[REG_CONTROL] & CONTROL_RUN))
		return false;
	if (!c->busy) {
		if (c->reg[REG_HEAD] == (c->reg[REG_TAIL] & ring_mask(c)))
			return false;
		fetch(c);
		return true;
	}
	if (c->now.op > OP_NOP || c->now.len > COPY_MAX)
		complete(c, false, 0);
	else if (c->now.op == OP_NOP || !c->now.len)
		complete(c, true, 0);
	else
		copy_piece(c);
	return true;
}

static void ce_reset(struct dev *d)
{
	struct copy_engine *c = (struct copy_engine *)d;

	memset(c->reg, 0, sizeof(c->reg));
	c->reg[REG_ID] = ID;
	c->busy = false;
}

const struct dev_model dev_copy_engine = {
	.name = "copy-engine", .bar_size = 4096, .state_size = sizeof(struct copy_engine),
	.reset = ce_reset, .read = ce_read, .write = ce_write, .step = ce_step,
};
