// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card whose wire leads back to itself: what it sends it receives. A
 * transmit and a receive ring of 16-byte descriptors. docs/hardware.md has its
 * registers.
 */
#include "hw/dev/dev.h"

#include "sim/base/bits.h"

#include <string.h>

#define ID 0x3143494eULL /* "NIC1" */
#define RING_LG2_MAX 12
#define FRAME_MAX 2048u

enum reg { REG_ID, REG_CONTROL, REG_PASID, REG_DROPPED, REG_ERRORS,
	   REG_TX_BASE = 8, REG_TX_LG2, REG_TX_TAIL, REG_TX_HEAD,
	   REG_RX_BASE = 16, REG_RX_LG2, REG_RX_TAIL, REG_RX_HEAD, REGS_N };

#define CONTROL_RUN 1u
#define CONTROL_INTERRUPT 2u

struct descriptor {
	u64 addr;
	u16 len;   /* RX: room; the device writes back what came */
	u16 flags; /* bit 0: done, bit 1: failed; written by the device */
	u32 cookie;
};

#define DONE 1u
#define FAILED 2u

struct ring_nic {
	struct dev dev;
	u64 reg[REGS_N];
};

static u64 nic_read(struct dev *d, u64 off, u32 size)
{
	struct ring_nic *n = (struct ring_nic *)d;

	return off / 8 < REGS_N ? dev_reg_get(n->reg[off / 8], off, size) : 0;
}

static void nic_write(struct dev *d, u64 off, u32 size, u64 value)
{
	static const u64 mask[REGS_N] = {
		[REG_CONTROL] = 3, [REG_PASID] = 0x800fffff,
		[REG_TX_BASE] = ~15ULL, [REG_TX_LG2] = 15, [REG_TX_TAIL] = 0xffff,
		[REG_RX_BASE] = ~15ULL, [REG_RX_LG2] = 15, [REG_RX_TAIL] = 0xffff};
	struct ring_nic *n = (struct ring_nic *)d;
	u64 i = off / 8;

	if (i >= REGS_N || !mask[i])
		return;
	n->reg[i] = dev_reg_set(n->reg[i], off, size, value) & mask[i];
	n->reg[REG_TX_LG2] = min(n->reg[REG_TX_LG2], (u64)RING_LG2_MAX);
	n->reg[REG_RX_LG2] = min(n->reg[REG_RX_LG2], (u64)RING_LG2_MAX);
}

static u64 place(const struct ring_nic *n, u32 ring, u64 *mask)
{
	*mask = (1ULL << n->reg[ring + 1]) - 1;
	return n->reg[ring] + (n->reg[ring + 3] & *mask) * sizeof(struct descriptor);
}

static bool ring_empty(const struct ring_nic *n, u32 ring)
{
	u64 mask;

	place(n, ring, &mask);
	return (n->reg[ring + 3] & mask) == (n->reg[ring + 2] & mask);
}

static bool take(struct ring_nic *n, u32 ring, struct descriptor *d)
{
	u64 mask, where = place(n, ring, &mask);

	return dev_read(&n->dev, where, (u32)n->reg[REG_PASID], d, sizeof(*d)) == HW_OK;
}

static void give_back(struct ring_nic *n, u32 ring, struct descriptor *d, u16 flags)
{
	u64 mask, where = place(n, ring, &mask);

	d->flags = flags;
	n->reg[REG_ERRORS] += !!(flags & FAILED);
	dev_post(&n->dev, where, (u32)n->reg[REG_PASID], d, sizeof(*d));
	n->reg[ring + 3] = (n->reg[ring + 3] + 1) & mask;
	if (n->reg[REG_CONTROL] & CONTROL_INTERRUPT)
		bus_interrupt(n->dev.fabric, n->dev.fn);
}

static void receive(struct ring_nic *n, const u8 *frame, u16 len)
{
	struct descriptor d = {0};

	if (ring_empty(n, REG_RX_BASE)) {
		n->reg[REG_DROPPED]++;
		return;
	}
	if (!take(n, REG_RX_BASE, &d)) {
		give_back(n, REG_RX_BASE, &d, FAILED);
		return;
	}
	if (d.len < len) {
		n->reg[REG_DROPPED]++;
		give_back(n, REG_RX_BASE, &d, FAILED);
		return;
	}
	/* Data, descriptor and interrupt are posted writes: they arrive in this order. */
	dev_post(&n->dev, d.addr, (u32)n->reg[REG_PASID], frame, len);
	d.len = len;
	give_back(n, REG_RX_BASE, &d, DONE);
}

static bool nic_step(struct dev *dev)
{
	struct ring_nic *n = (struct ring_nic *)dev;
	struct descriptor d = {0};
	u8 frame[FRAME_MAX];

	if (!(n->reg[REG_CONTROL] & CONTROL_RUN) || ring_empty(n, REG_TX_BASE))
		return false;
	if (!take(n, REG_TX_BASE, &d) || !d.len || d.len > FRAME_MAX ||
	    dev_read(dev, d.addr, (u32)n->reg[REG_PASID], frame, d.len) != HW_OK) {
		give_back(n, REG_TX_BASE, &d, FAILED);
		return true;
	}
	give_back(n, REG_TX_BASE, &d, DONE);
	receive(n, frame, d.len);
	return true;
}

static void nic_reset(struct dev *d)
{
	struct ring_nic *n = (struct ring_nic *)d;

	memset(n->reg, 0, sizeof(n->reg));
	n->reg[REG_ID] = ID;
}

const struct dev_model dev_ring_nic = {
	.name = "ring-nic", .class = 0x020000, .bar_size = 4096,
	.state_size = sizeof(struct ring_nic),
	.reset = nic_reset, .read = nic_read, .write = nic_write, .step = nic_step,
};
