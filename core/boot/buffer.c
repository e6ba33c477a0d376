// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers' buffers: what a bound driver that uses the DMA API maps for its device,
 * by name. They go with the driver. A device may use an address at any time, also
 * one that is no longer its own.
 */
#include "core/boot/boot_priv.h"

#include "sim/mem/frames.h"

#include <string.h>

#define BUFFER_MAX ((1ULL << (FRAME_ORDER_MAX + FRAME_LG2)) - FRAME_SIZE)
#define PIECES_MAX 64u
#define PIECE_MAX 0x20000000ULL
#define FILL 0x5a /* what a new buffer holds */

/* With a reference and its lock; NULL: *ret says why. */
static struct device *bound_device(u64 index, int *ret)
{
	struct device *dev = boot_device_get(index);

	*ret = -ENODEV;
	if (!dev)
		return NULL;
	device_lock(dev);
	if (device_is_bound(dev) && !dev->driver->driver_managed_dma)
		return dev;
	device_unlock(dev);
	put_device(dev);
	return NULL;
}

static void unbound(struct device *dev)
{
	device_unlock(dev);
	put_device(dev);
}

/* The buffer called so if it is the device's (or, for `fresh`, becomes it); else NULL. */
static struct boot_buffer *buffer_of(const struct device *dev, u64 index, bool fresh)
{
	struct boot_state *b = boot_state();
	struct boot_buffer *buf;

	if (index >= OP_DOMAINS_MAX)
		return NULL;
	buf = &b->buffer[index];
	spin_lock(&b->table_lock);
	if (buf->owner != (fresh ? 0 : dev->index + 1))
		buf = NULL;
	else if (fresh)
		buf->owner = dev->index + 1;
	spin_unlock(&b->table_lock);
	return buf;
}

static void buffer_put(struct boot_buffer *buf)
{
	struct boot_state *b = boot_state();

	spin_lock(&b->table_lock);
	buf->owner = 0;
	spin_unlock(&b->table_lock);
}

static int map_pages(struct device *dev, struct boot_buffer *buf)
{
	u64 bytes = ALIGN(buf->offset + buf->size, FRAME_SIZE), addr;

	buf->order = bytes > FRAME_SIZE ? bit_highest((bytes >> FRAME_LG2) - 1) + 1 : 0;
	buf->phys = frame_alloc(this_world(), buf->order, 0);
	if (!buf->phys)
		return -ENOMEM;
	memset(frame_ptr(this_world(), buf->phys), FILL, FRAME_SIZE << buf->order);
	addr = dma_map_page(&buf->dma, buf->phys + buf->offset, buf->size, buf->dir);
	if (addr == DMA_MAPPING_ERROR) {
		frame_free(this_world(), buf->phys, buf->order);
		return -EIO;
	}
	fact(DMA_MAP, dev->index, addr, buf->size, !buf->dma.cfg.space);
	WRITE_ONCE(buf->addr, addr);
	return 0;
}

static long map_op(const u64 *arg, enum dma_data_direction dir)
{
	u64 offset = arg[3] == OP_NONE ? 0 : arg[3];
	struct boot_buffer *buf;
	struct device *dev;
	int ret;

	if (!arg[2] || arg[2] > BUFFER_MAX || offset >= FRAME_SIZE)
		return -EINVAL;
	dev = bound_device(arg[0], &ret);
	if (!dev)
		return ret;
	buf = buffer_of(dev, arg[1], true);
	ret = buf ? dma_setup(dev, &buf->dma) : -EEXIST;
	if (!ret) {
		buf->offset = (u32)offset;
		buf->size = arg[2];
		buf->dir = dir;
		ret = map_pages(dev, buf);
	}
	if (ret && buf)
		buffer_put(buf);
	unbound(dev);
	return ret;
}

long boot_op_buf_map(const u64 *arg)
{
	return map_op(arg, DMA_BIDIRECTIONAL);
}

long boot_op_buf_receive(const u64 *arg)
{
	return map_op(arg, DMA_FROM_DEVICE);
}

/* The pieces are all the same memory: only addresses matter. peer: at the end, may be NULL. */
static long map_list(struct boot_buffer *buf, u32 n, u32 length, const struct dma_sg *peer)
{
	long sum = 0;
	int segments;

	buf->sg = kcalloc(n + 1, sizeof(*buf->sg), GFP_KERNEL);
	if (!buf->sg)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++)
		buf->sg[i] = (struct dma_sg){.phys = FRAME_LOOSE_BASE, .length = length};
	if (peer)
		buf->sg[n++] = *peer;
	segments = dma_map_sg(&buf->dma, buf->sg, n, DMA_BIDIRECTIONAL);
	if (segments < 0) {
		kfree(buf->sg);
		return segments;
	}
	buf->phys = 0;
	buf->n_sg = n;
	WRITE_ONCE(buf->addr, buf->sg[0].dma_address);
	for (int i = 0; i < segments; i++)
		sum += buf->sg[i].dma_length;
	return sum;
}

static long list_op(const u64 *arg, u32 n, u32 length, const struct dma_sg *peer)
{
	struct boot_buffer *buf;
	struct device *dev;
	long ret;
	int err;

	dev = bound_device(arg[0], &err);
	if (!dev)
		return err;
	buf = buffer_of(dev, arg[1], true);
	ret = buf ? dma_setup(dev, &buf->dma) : -EEXIST;
	if (!ret)
		ret = map_list(buf, n, length, peer);
	if (ret < 0 && buf)
		buffer_put(buf);
	unbound(dev);
	return ret;
}

long boot_op_buf_map_sg(const u64 *arg)
{
	if (!arg[2] || arg[2] > PIECES_MAX || !arg[3] || arg[3] > PIECE_MAX)
		return -EINVAL;
	return list_op(arg, (u32)arg[2], (u32)arg[3], NULL);
}

/* Whether the two are below one switch that turns requests between them round. */
static bool are_peers(const struct machine *m, u64 a, u64 b)
{
	u32 bus;

	if (a >= m->n_devices || b >= m->n_devices || a == b)
		return false;
	bus = m->device[a].bus;
	return bus == m->device[b].bus && m->bus[bus].kind == MACHINE_BUS_PCI && !m->bus[bus].acs;
}

long boot_op_buf_map_p2p(const u64 *arg)
{
	struct dma_sg peer = {.length = (u32)arg[3], .peer = true};
	const struct machine *m = iommu_core()->machine;

	if (!arg[3] || arg[3] > FRAME_SIZE || !drv_hardware() || !are_peers(m, arg[0], arg[2]))
		return -EINVAL;
	peer.phys = drv_bar(&m->device[arg[2]]);
	return peer.phys ? list_op(arg, 1, FRAME_SIZE, &peer) : -ENXIO;
}

/* device_lock held. Gives the first bytes that the driver finds. */
static long buffer_end(struct device *dev, struct boot_buffer *buf)
{
	u32 first = 0;

	if (buf->phys) {
		fact(DMA_UNMAP, dev->index, buf->addr, buf->size, !buf->dma.cfg.space);
		dma_unmap_page(&buf->dma, buf->addr, buf->size, buf->dir);
		memcpy(&first, (char *)frame_ptr(this_world(), buf->phys) + buf->offset,
		       min(buf->size, (u64)sizeof(first)));
		frame_free(this_world(), buf->phys, buf->order);
	} else {
		dma_unmap_sg(&buf->dma, buf->sg, buf->n_sg, DMA_BIDIRECTIONAL);
		kfree(buf->sg);
	}
	buffer_put(buf);
	return first;
}

long boot_op_buf_unmap(const u64 *arg)
{
	struct boot_buffer *buf;
	int err;
	struct device *dev = bound_device(arg[0], &err);
	long ret;

	if (!dev)
		return err;
	buf = buffer_of(dev, arg[1], false);
	ret = buf ? buffer_end(dev, buf) : -ENOENT;
	unbound(dev);
	return ret;
}

void boot_buffers_end(struct device *dev)
{
	for (u32 i = 0; i < OP_DOMAINS_MAX; i++) {
		struct boot_buffer *buf = buffer_of(dev, i, false);

		if (buf)
			buffer_end(dev, buf);
	}
}

static long access_op(const u64 *arg, u32 *value, bool write)
{
	struct device *dev = boot_device_get(arg[0]);
	u64 addr;
	int ret = -ENOENT;

	if (!dev)
		return -ENODEV;
	addr = arg[1] < OP_DOMAINS_MAX ? READ_ONCE(boot_state()->buffer[arg[1]].addr) : 0;
	if (addr)
		ret = drv_bus_access(dev, (addr & ~(FRAME_SIZE - 1)) + arg[2], value, write);
	put_device(dev);
	return ret;
}

long boot_op_buf_dma_read(const u64 *arg)
{
	u32 value = 0;
	long ret = access_op(arg, &value, false);

	return ret ? ret : value;
}

long boot_op_buf_dma_write(const u64 *arg)
{
	u32 value = (u32)arg[3];

	return access_op(arg, &value, true);
}
