// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs: their files, and who has them.
 */
#include "core/dmabuf/dma_buf.h"

#include "core/iommu/iommu.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/lockdep.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/uaccess.h"
#include "sim/user/file.h"

#include <fcntl.h>

#define DMA_BUF_IOCTL_SYNC 0x40086200u
#define DMA_BUF_SYNC_RW 3u
#define DMA_BUF_SYNC_END 4u

bool dma_buf_known(void)
{
	return iommu_since(SINCE_DMABUF) || bug_on(BUG_IOMMUFD_DMABUF_DESTROY_ORDER) ||
	       bug_on(BUG_VFIO_DMABUF_CLOSE_WINDOW) || bug_on(BUG_VFIO_DMABUF_DOUBLE_FREE);
}

/* --- the file --- */

/* Processors' caches are coherent: what is begun and ended is only looked at. */
static long sync_ioctl(struct file *file, u32 cmd, u64 arg)
{
	u64 flags;

	(void)file;
	if (cmd != DMA_BUF_IOCTL_SYNC)
		return -ENOTTY;
	if (copy_from_user(&flags, (void *)(uintptr_t)arg, sizeof(flags)))
		return -EFAULT;
	if (flags & ~(u64)(DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END) || !(flags & DMA_BUF_SYNC_RW))
		return -EINVAL;
	return 0;
}

/* dup: how long it is, and back to the start. */
static s64 llseek(struct file *file, s64 offset, int whence)
{
	const struct dma_buf *dmabuf = file->private_data;

	if ((whence != 0 && whence != 2) || offset)
		return -EINVAL;
	return whence ? (s64)dmabuf->size : 0;
}

/* No exporter here lets processors map it. */
static int no_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	(void)vma;
	return -EINVAL;
}

static u32 ready(struct file *file, struct poll_table *wait)
{
	(void)file;
	(void)wait;
	return POLLIN | POLLOUT;
}

static void release(struct file *file)
{
	struct dma_buf *dmabuf = file->private_data;

	dmabuf->ops->release(dmabuf);
	mutex_destroy(&dmabuf->resv);
	kfree(dmabuf);
}

static const struct file_operations dma_buf_fops = {
	.name = "dmabuf",
	.ioctl = sync_ioctl,
	.poll = ready,
	.llseek = llseek,
	.mmap = no_mmap,
	.release = release,
	.mode = 0600,
};

struct dma_buf *dma_buf_export(const struct dma_buf_ops *ops, u64 size, u32 flags, void *priv)
{
	struct dma_buf *dmabuf = kzalloc(sizeof(*dmabuf), GFP_KERNEL);

	if (!dmabuf)
		return ERR_PTR(-ENOMEM);
	dmabuf->file = anon_inode_getfile(&dma_buf_fops, dmabuf, flags & (O_ACCMODE | O_NONBLOCK));
	if (IS_ERR(dmabuf->file)) {
		long rc = PTR_ERR(dmabuf->file);

		kfree(dmabuf);
		return ERR_PTR(rc);
	}
	dmabuf->ops = ops;
	dmabuf->size = size;
	dmabuf->priv = priv;
	mutex_init(&dmabuf->resv);
	INIT_LIST_HEAD(&dmabuf->attachments);
	return dmabuf;
}

int dma_buf_fd(struct dma_buf *dmabuf, u32 flags)
{
	int fd = get_unused_fd_flags(flags);

	if (fd >= 0)
		fd_install((u32)fd, dmabuf->file);
	return fd;
}

struct dma_buf *dma_buf_of(const struct file *file)
{
	return file->op == &dma_buf_fops ? file->private_data : NULL;
}

struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = fget((u32)fd);
	struct dma_buf *dmabuf = file ? dma_buf_of(file) : NULL;

	if (!file)
		return ERR_PTR(-EBADF);
	if (!dmabuf)
		fput(file);
	return dmabuf ? dmabuf : ERR_PTR(-EINVAL);
}

void dma_buf_put(struct dma_buf *dmabuf)
{
	fput(dmabuf->file);
}

/* --- importers --- */

struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  void (*invalidate)(struct dma_buf_attachment *attach),
					  void *importer_priv)
{
	struct dma_buf_attachment *attach = kzalloc(sizeof(*attach), GFP_KERNEL);
	int rc = 0;

	if (!attach)
		return ERR_PTR(-ENOMEM);
	attach->dmabuf = dmabuf;
	attach->invalidate = invalidate;
	attach->importer_priv = importer_priv;
	if (dmabuf->ops->attach)
		rc = dmabuf->ops->attach(dmabuf, attach);
	if (rc) {
		kfree(attach);
		return ERR_PTR(rc);
	}
	get_file(dmabuf->file);
	mutex_lock(&dmabuf->resv);
	list_add(&attach->node, &dmabuf->attachments);
	mutex_unlock(&dmabuf->resv);
	return attach;
}

void dma_buf_detach(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;

	mutex_lock(&dmabuf->resv);
	list_del(&attach->node);
	mutex_unlock(&dmabuf->resv);
	kfree(attach);
	dma_buf_put(dmabuf);
}

void dma_buf_invalidate_mappings(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach;

	lockdep_assert_held(&dmabuf->resv);
	list_for_each_entry(attach, &dmabuf->attachments, node)
		attach->invalidate(attach);
}
