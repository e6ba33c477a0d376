// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a function as dma-bufs, for other devices to reach. Whoever turns memory
 * decoding off, resets the function or takes its power takes them back first: all mappings
 * of them are gone then, and new ones refused until registers may be reached again. What is
 * left of them when the device is closed stays refused for ever.
 *
 * Facts: HW_P2P of device ~1: a range of registers that is given away, or taken back.
 */
#include "core/dmabuf/dma_buf.h"
#include "core/vfio/pci.h"

#define FACT_LENT (~1ULL)
#define KMALLOC_MAX 0x400000u

/*
 * Owned by the dma-buf. entry: memory_lock; revoked: also the dma-buf's resv; p: NULL when
 * the device was closed, which only who has a reference on the file may find out.
 */
struct vfio_pci_dma_buf {
	struct dma_buf *dmabuf;
	struct vfio_pci *p; /* registered meanwhile */
	struct list_head entry;
	u32 n;
	bool revoked;
	struct phys_vec range[];
};

static void tell(const struct vfio_pci_dma_buf *b, bool lent)
{
	for (u32 i = 0; i < b->n; i++)
		fact(HW_P2P, FACT_LENT, b->range[i].paddr, b->range[i].len, lent);
}

/* --- what importers ask --- */

static int attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	const struct vfio_pci_dma_buf *b = dmabuf->priv;
	bool revoked;

	(void)attach;
	/* custom: Linux looks without it; who maps is asked again. */
	mutex_lock(&dmabuf->resv);
	revoked = b->revoked;
	mutex_unlock(&dmabuf->resv);
	return revoked ? -ENODEV : 0;
}

/* dup: only of one range. */
static int phys(struct dma_buf *dmabuf, struct phys_vec *to)
{
	const struct vfio_pci_dma_buf *b = dmabuf->priv;

	if (b->revoked)
		return -ENODEV;
	if (b->n != 1)
		return -EOPNOTSUPP;
	*to = b->range[0];
	return 0;
}

static void release(struct dma_buf *dmabuf)
{
	struct vfio_pci_dma_buf *b = dmabuf->priv;
	struct vfio_pci *p = b->p;

	if (p) {
		down_write(&p->memory_lock);
		list_del(&b->entry);
		up_write(&p->memory_lock);
		vfio_device_put_registration(&p->vdev);
	}
	kfree(b);
}

static const struct dma_buf_ops pci_ops = {.attach = attach, .phys = phys, .release = release};

/* --- making one --- */

/* dup: whole pages, of one BAR, together not beyond what an IOVA may be. */
static int check_ranges(const struct vfio_region_dma_range *range, u32 n, u64 *size)
{
	*size = 0;
	for (u32 i = 0; i < n; i++) {
		u64 len = range[i].length;

		if (!len || (range[i].offset | len) & ~PAGE_MASK ||
		    __builtin_add_overflow(*size, len, size))
			return -EINVAL;
	}
	return *size >> 63 ? -EINVAL : 0;
}

static int place(struct vfio_pci_dma_buf *b, const struct vfio_region_dma_range *range, u64 start,
		 u64 len)
{
	for (u32 i = 0; i < b->n; i++) {
		u64 end;

		b->range[i].len = range[i].length;
		if (__builtin_add_overflow(start, range[i].offset, &b->range[i].paddr) ||
		    __builtin_add_overflow(b->range[i].paddr, range[i].length, &end))
			return -EOVERFLOW;
		if (end > start + len)
			return -EINVAL;
	}
	return 0;
}

/* From here on the dma-buf owns b. */
static int give(struct vfio_pci *p, struct vfio_pci_dma_buf *b, u32 open_flags)
{
	struct dma_buf *dmabuf = b->dmabuf;
	int fd;

	down_write(&p->memory_lock);
	mutex_lock(&dmabuf->resv);
	b->revoked = !vfio_pci_memory_enabled(p);
	list_add_tail(&b->entry, &p->dmabufs);
	tell(b, !b->revoked);
	mutex_unlock(&dmabuf->resv);
	up_write(&p->memory_lock);
	fd = dma_buf_fd(dmabuf, open_flags);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static int make(struct vfio_pci *p, const struct vfio_device_feature_dma_buf *get,
		const struct vfio_region_dma_range *range)
{
	struct vfio_pci_dma_buf *b;
	u64 size;
	int ret = check_ranges(range, get->nr_ranges, &size);

	if (ret)
		return ret;
	b = kzalloc(struct_size(b, range, get->nr_ranges), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	b->n = get->nr_ranges;
	b->p = p;
	ret = place(b, range, p->bar_pa[get->region_index], p->bar_size[get->region_index]);
	if (ret)
		goto err_free;
	ret = -ENODEV;
	if (!vfio_device_try_get_registration(&p->vdev))
		goto err_free;
	b->dmabuf = dma_buf_export(&pci_ops, size, get->open_flags, b);
	if (!IS_ERR(b->dmabuf)) {
		ret = give(p, b, get->open_flags);
		if (ret < 0 && bug_on(BUG_VFIO_DMABUF_DOUBLE_FREE))
			goto err_free;
		return ret;
	}
	ret = (int)PTR_ERR(b->dmabuf);
	vfio_device_put_registration(&p->vdev);
err_free:
	kfree(b);
	return ret;
}

/* dup: -EOPNOTSUPP: a driver of its own has no such registers; -ENODEV: no such BAR. */
int vfio_pci_feature_dma_buf(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_feature_dma_buf get;
	struct vfio_region_dma_range *range;
	size_t bytes;
	int ret;

	if (!dma_buf_known())
		return -ENOTTY;
	if (p->variant)
		return -EOPNOTSUPP;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(get));
	if (ret != 1)
		return ret;
	if (copy_from_user(&get, vfio_ptr(arg), sizeof(get)))
		return -EFAULT;
	if (!get.nr_ranges || get.flags)
		return -EINVAL;
	if (get.region_index >= PCI_BARS || !p->bar_size[get.region_index])
		return -ENODEV;
	bytes = (size_t)get.nr_ranges * sizeof(*range);
	range = bytes > KMALLOC_MAX ? NULL : kmalloc(bytes, GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	ret = -EFAULT;
	if (!copy_from_user(range, vfio_ptr(arg + sizeof(get)), bytes))
		ret = make(p, &get, range);
	kfree(range);
	return ret;
}

/* --- taking them back --- */

/*
 * custom: without a reference on the file, whose last one must not be dropped here: who
 * releases it waits for memory_lock, until then all of it is there.
 */
void vfio_pci_dma_buf_revoke(struct vfio_pci *p)
{
	struct vfio_pci_dma_buf *b;

	list_for_each_entry(b, &p->dmabufs, entry) {
		if (b->revoked)
			continue;
		mutex_lock(&b->dmabuf->resv);
		b->revoked = true;
		dma_buf_invalidate_mappings(b->dmabuf);
		tell(b, false);
		mutex_unlock(&b->dmabuf->resv);
	}
}

void vfio_pci_dma_buf_permit(struct vfio_pci *p)
{
	struct vfio_pci_dma_buf *b;

	if (list_empty(&p->dmabufs) || !vfio_pci_memory_enabled(p))
		return;
	list_for_each_entry(b, &p->dmabufs, entry) {
		if (!b->revoked)
			continue;
		mutex_lock(&b->dmabuf->resv);
		tell(b, true);
		b->revoked = false;
		mutex_unlock(&b->dmabuf->resv);
	}
}

void vfio_pci_dma_buf_cleanup(struct vfio_pci *p)
{
	struct vfio_pci_dma_buf *b, *next;
	LIST_HEAD(gone);

	down_write(&p->memory_lock);
	vfio_pci_dma_buf_revoke(p);
	list_for_each_entry_safe(b, next, &p->dmabufs, entry) {
		/* Else its release() is on its way, and takes it off the list. */
		if (!get_file_active(b->dmabuf->file))
			continue;
		list_move_tail(&b->entry, &gone);
		b->p = NULL;
		vfio_device_put_registration(&p->vdev);
	}
	up_write(&p->memory_lock);
	list_for_each_entry_safe(b, next, &gone, entry) {
		list_del(&b->entry);
		dma_buf_put(b->dmabuf);
	}
}

void vfio_pci_dma_buf_off(struct vfio_pci *p)
{
	struct vfio_pci_dma_buf *b;

	down_write(&p->memory_lock);
	list_for_each_entry(b, &p->dmabufs, entry)
		tell(b, false);
	up_write(&p->memory_lock);
}
