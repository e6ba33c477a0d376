// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stories do with hardware, before and beside drivers: one function per
 * row of ops.def.
 */
#include "hw/board/board.h"

#include "hw/function/function.h"
#include "sim/base/bits.h"
#include "sim/kapi/errno.h"
#include "sim/kapi/preempt.h"
#include "sim/mem/frames.h"

#include <string.h>

#define POLLS_MAX 20000u
#define PAGE 4096u

static bool has_device(const struct fabric *f, u64 device)
{
	return device < MACHINE_DEVICES_MAX && bus_has(f, (u32)device);
}

static u32 pasid_of(u64 arg)
{
	/* Left out, it is 0: a PASID that drivers keep for themselves. */
	return arg == OP_NONE || !arg ? HW_NO_PASID : (u32)arg & 0xfffff;
}

static u32 size_of(u64 arg, u32 usual)
{
	return arg == OP_NONE || (arg != 1 && arg != 2 && arg != 4 && arg != 8) ? usual : (u32)arg;
}

static struct bus_req request(u64 iova, u64 pasid, u16 access)
{
	return (struct bus_req){.addr = iova, .pasid = pasid_of(pasid), .access = access};
}

static long result(enum hw_status status, long ok)
{
	if (status == HW_OK)
		return ok;
	return status == HW_STALLED ? -EAGAIN : -EFAULT;
}

/* A value as an operation's result: never mistaken for an error. */
static long positive(u64 value)
{
	return (long)(value & 0x7fffffffffffffffULL);
}

/* --- DMA --- */

static long op_dma_read(struct fabric *f, const u64 *arg)
{
	struct bus_req r = request(arg[1], arg[2], HW_READ);
	u32 value = 0;
	enum hw_status status = bus_dma(f, (u32)arg[0], &r, &value, sizeof(value));

	return result(status, value);
}

static long op_dma_write(struct fabric *f, const u64 *arg)
{
	struct bus_req r = request(arg[1], arg[3], HW_WRITE);
	u32 value = (u32)arg[2];

	return result(bus_dma(f, (u32)arg[0], &r, &value, sizeof(value)), 0);
}

static long op_dma_post(struct fabric *f, const u64 *arg)
{
	struct bus_req r = request(arg[1], arg[3], HW_WRITE);
	u32 value = (u32)arg[2];

	bus_post(f, (u32)arg[0], &r, &value, sizeof(value));
	return 0;
}

/* How stories name what a request carries: bits of hw_access, and these. */
#define ATTR_ACCESS (HW_READ | HW_WRITE | HW_EXEC | HW_PRIV | HW_INSTR | HW_NO_SNOOP)
#define ATTR_RELAXED 0x100u
#define ATTR_POSTED 0x200u
#define ATTR_NO_ATS 0x400u
#define ATTR_ALL (ATTR_ACCESS | ATTR_RELAXED | ATTR_POSTED | ATTR_NO_ATS)

bool board_attributes(u64 a)
{
	return !(a & ~(u64)ATTR_ALL) && !(a & HW_READ) != !(a & HW_WRITE) &&
	       !(a & ATTR_POSTED && a & HW_READ);
}

static long op_dma_request(struct fabric *f, const u64 *arg)
{
	struct bus_req r = request(arg[1], arg[3], (u16)(arg[2] & ATTR_ACCESS));
	u32 value = 0xffffffff;
	enum hw_status status;

	if (!board_attributes(arg[2]))
		return -EINVAL;
	r.relaxed = arg[2] & ATTR_RELAXED;
	r.no_ats = arg[2] & ATTR_NO_ATS;
	if (arg[2] & ATTR_POSTED) {
		bus_post(f, (u32)arg[0], &r, &value, sizeof(value));
		return 0;
	}
	status = bus_dma(f, (u32)arg[0], &r, &value, sizeof(value));
	return result(status, r.access & HW_READ ? value : 0);
}

static long op_dma_flush(struct fabric *f, const u64 *arg)
{
	bus_flush(f, (u32)arg[0]);
	return bus_post_errors(f, (u32)arg[0]);
}

static long op_dma_copy(struct fabric *f, const u64 *arg)
{
	u64 size = min(arg[3], (u64)BOARD_COPY_MAX);
	u8 buf[PAGE];

	for (u64 at = 0; at < size; at += PAGE) {
		struct bus_req from = request(arg[1] + at, OP_NONE, HW_READ);
		struct bus_req to = request(arg[2] + at, OP_NONE, HW_WRITE);
		u64 len = min(size - at, (u64)PAGE);
		enum hw_status status = bus_dma(f, (u32)arg[0], &from, buf, len);

		if (status == HW_OK)
			status = bus_dma(f, (u32)arg[0], &to, buf, len);
		if (status != HW_OK)
			return result(status, 0);
	}
	return 0;
}

static long op_ats(struct fabric *f, const u64 *arg)
{
	bool write = arg[3] != OP_NONE && arg[3];
	struct bus_req r = request(arg[1], arg[2], write ? HW_READ | HW_WRITE : HW_READ);
	struct hw_resp resp;
	enum hw_status status = bus_ats(f, (u32)arg[0], &r, &resp);

	return result(status, resp.access & (HW_READ | HW_WRITE));
}

static long op_page_request(struct fabric *f, const u64 *arg)
{
	u64 pages = arg[3] == OP_NONE ? 1 : arg[3];
	struct bus_req r[BUS_PAGES_MAX];
	enum hw_status status;
	u8 code = 0;

	if (!pages || pages > BUS_PAGES_MAX)
		return -EINVAL;
	for (u32 i = 0; i < pages; i++)
		r[i] = request(arg[1] + (u64)i * PAGE, arg[2], HW_READ | HW_WRITE);
	status = bus_page_group(f, (u32)arg[0], r, (u32)pages, &code);
	return result(status, code);
}

/* --- registers and memory, as software --- */

static long op_mmio_read(struct fabric *f, const u64 *arg)
{
	u64 base = bus_iommu_base(f, (u32)arg[0]);

	return positive(io_read(bus_world(f), base + arg[1], size_of(arg[2], 4)));
}

static long op_mmio_write(struct fabric *f, const u64 *arg)
{
	u64 base = bus_iommu_base(f, (u32)arg[0]);

	io_write(bus_world(f), base + arg[1], size_of(arg[3], 4), arg[2]);
	return 0;
}

static long poll_io(struct fabric *f, u64 pa, u64 mask, u64 want)
{
	for (u32 i = 0; i < POLLS_MAX; i++) {
		if ((io_read(bus_world(f), pa, 4) & mask) == want)
			return 0;
		sched_yield_now();
	}
	return -ETIMEDOUT;
}

static long op_mmio_wait(struct fabric *f, const u64 *arg)
{
	return poll_io(f, bus_iommu_base(f, (u32)arg[0]) + arg[1], arg[2], arg[3]);
}

static long op_mmio_agree(struct fabric *f, const u64 *arg)
{
	u64 base = bus_iommu_base(f, (u32)arg[0]);

	for (u32 i = 0; i < POLLS_MAX; i++) {
		u64 a = io_read(bus_world(f), base + arg[1], 4);

		if (!((a ^ io_read(bus_world(f), base + arg[2], 4)) & arg[3]))
			return 0;
		sched_yield_now();
	}
	return -ETIMEDOUT;
}

static bool is_memory(u64 addr, u32 size)
{
	return addr && !(addr & (size - 1)) && frames_contains(addr, size);
}

static u64 load(const struct world *w, u64 addr, u32 size)
{
	u64 v = 0;

	memcpy(&v, frame_ptr(w, addr), size);
	return v;
}

static long op_mem_read(struct fabric *f, const u64 *arg)
{
	u32 size = size_of(arg[1], 4);

	if (!is_memory(arg[0], size))
		return -EINVAL;
	sched_point(frame_ptr(bus_world(f), arg[0]), size, OP_READ | OP_MARKED | OP_SHARED);
	return positive(load(bus_world(f), arg[0], size));
}

static long op_mem_write(struct fabric *f, const u64 *arg)
{
	u32 size = size_of(arg[2], 8);

	if (!is_memory(arg[0], size))
		return -EINVAL;
	sched_point(frame_ptr(bus_world(f), arg[0]), size, OP_WRITE | OP_MARKED | OP_SHARED);
	frame_note_write(bus_world(f), arg[0], size);
	if (size == 8)
		memcpy(frame_ptr(bus_world(f), arg[0]), &arg[1], 8);
	else
		memcpy(frame_ptr(bus_world(f), arg[0]), &arg[1], size);
	return 0;
}

static long op_mem_wait(struct fabric *f, const u64 *arg)
{
	if (!is_memory(arg[0], 4))
		return -EINVAL;
	for (u32 i = 0; i < POLLS_MAX; i++) {
		if ((load(bus_world(f), arg[0], 4) & arg[1]) == arg[2])
			return 0;
		sched_yield_now();
	}
	return -ETIMEDOUT;
}

static long op_mem_flush(struct fabric *f, const u64 *arg)
{
	return bus_flush_lines(f, arg[0], arg[1]) ? 0 : -EINVAL;
}

/* --- devices, as their drivers --- */

static long op_dev_read(struct fabric *f, const u64 *arg)
{
	u64 pa = bus_bar_pa(f, (u32)arg[0], 0);

	if (!pa)
		return -ENODEV;
	return positive(io_read(bus_world(f), pa + arg[1], size_of(arg[2], 8)));
}

static long op_dev_write(struct fabric *f, const u64 *arg)
{
	u64 pa = bus_bar_pa(f, (u32)arg[0], 0);

	if (!pa)
		return -ENODEV;
	io_write(bus_world(f), pa + arg[1], size_of(arg[3], 8), arg[2]);
	return 0;
}

static long op_dev_wait(struct fabric *f, const u64 *arg)
{
	u64 pa = bus_bar_pa(f, (u32)arg[0], 0);

	return pa ? poll_io(f, pa + arg[1], arg[2], arg[3]) : -ENODEV;
}

static long op_msi_set(struct fabric *f, const u64 *arg)
{
	bus_msi_set(f, (u32)arg[0], arg[1], (u32)arg[2]);
	return 0;
}

static long op_msi_wait(struct fabric *f, const u64 *arg)
{
	for (u32 i = 0; i < POLLS_MAX; i++) {
		if (io_message_count(bus_world(f)) >= arg[0])
			return 0;
		sched_yield_now();
	}
	return -ETIMEDOUT;
}

static long config_read(struct world *w, u32 rid, const u64 *arg)
{
	return positive(io_config_read(w, rid, (u32)arg[1], size_of(arg[2], 4)));
}

static long config_write(struct world *w, u32 rid, const u64 *arg)
{
	io_config_write(w, rid, (u32)arg[1], size_of(arg[3], 4), (u32)arg[2]);
	return 0;
}

static long op_config_read(struct fabric *f, const u64 *arg)
{
	return config_read(bus_world(f), bus_device(f, (u32)arg[0])->bdf, arg);
}

static long op_config_write(struct fabric *f, const u64 *arg)
{
	return config_write(bus_world(f), bus_device(f, (u32)arg[0])->bdf, arg);
}

/* On a machine without a fabric: of plain functions there is configuration space. */
static long plain_op(struct world *w, const struct op *op)
{
	u32 rid;

	if (op->code != OP_config_read && op->code != OP_config_write)
		return -EOPNOTSUPP;
	if (!function_rid(w, op->arg[0], &rid))
		return -ENODEV;
	return op->code == OP_config_read ? config_read(w, rid, op->arg) :
					    config_write(w, rid, op->arg);
}

static long (*const handlers[])(struct fabric *f, const u64 *arg) = {
	[OP_dma_read - OP_BOARD_FIRST] = op_dma_read,
	[OP_dma_write - OP_BOARD_FIRST] = op_dma_write,
	[OP_dma_post - OP_BOARD_FIRST] = op_dma_post,
	[OP_dma_flush - OP_BOARD_FIRST] = op_dma_flush,
	[OP_dma_copy - OP_BOARD_FIRST] = op_dma_copy,
	[OP_ats - OP_BOARD_FIRST] = op_ats,
	[OP_page_request - OP_BOARD_FIRST] = op_page_request,
	[OP_mmio_read - OP_BOARD_FIRST] = op_mmio_read,
	[OP_mmio_write - OP_BOARD_FIRST] = op_mmio_write,
	[OP_mmio_wait - OP_BOARD_FIRST] = op_mmio_wait,
	[OP_mmio_agree - OP_BOARD_FIRST] = op_mmio_agree,
	[OP_mem_read - OP_BOARD_FIRST] = op_mem_read,
	[OP_mem_write - OP_BOARD_FIRST] = op_mem_write,
	[OP_mem_wait - OP_BOARD_FIRST] = op_mem_wait,
	[OP_dev_read - OP_BOARD_FIRST] = op_dev_read,
	[OP_dev_write - OP_BOARD_FIRST] = op_dev_write,
	[OP_dev_wait - OP_BOARD_FIRST] = op_dev_wait,
	[OP_msi_set - OP_BOARD_FIRST] = op_msi_set,
	[OP_msi_wait - OP_BOARD_FIRST] = op_msi_wait,
	[OP_config_read - OP_BOARD_FIRST] = op_config_read,
	[OP_config_write - OP_BOARD_FIRST] = op_config_write,
	[OP_mem_flush - OP_BOARD_FIRST] = op_mem_flush,
	[OP_dma_request - OP_BOARD_FIRST] = op_dma_request,
};

bool board_waits(u32 code)
{
	return code == OP_mmio_wait || code == OP_mmio_agree || code == OP_mem_wait ||
	       code == OP_dev_wait || code == OP_msi_wait;
}

static bool is_of_iommu(u16 code)
{
	return op_rows[code].arg[0].type == OPARG_IOMMU;
}

long board_op(struct world *w, const struct op *op)
{
	struct fabric *f = bus_of(w);
	u32 i = op->code - OP_BOARD_FIRST;

	if (op->code < OP_BOARD_FIRST || i >= ARRAY_SIZE(handlers))
		return -ENOSYS;
	if (!f)
		return plain_op(w, op);
	if (is_of_iommu(op->code) && !bus_iommu(f, (u32)min(op->arg[0], (u64)MACHINE_IOMMUS_MAX)))
		return -ENODEV;
	if (op_rows[op->code].arg[0].type == OPARG_DEVICE && !has_device(f, op->arg[0]))
		return -ENODEV;
	return handlers[i](f, op->arg);
}
