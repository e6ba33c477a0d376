// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest driver's own dma-bufs: pages of memory, taken back when user space says so.
 *
 * custom: DMABUF_GET returns the file's number, as the kernel's test of it expects; Linux
 * 7.3.4 makes the file and returns 0.
 */
#include "core/dmabuf/dma_buf.h"
#include "core/iommufd/selftest.h"

#include "sim/user/mm.h"

#define LENGTH_MAX (512 * PAGE_SIZE)

/* revoked: the dma-buf's resv. */
struct test_dmabuf {
	struct page *memory;
	u64 length;
	bool revoked;
};

static int phys(struct dma_buf *dmabuf, struct phys_vec *to)
{
	const struct test_dmabuf *t = dmabuf->priv;

	if (t->revoked)
		return -ENODEV;
	*to = (struct phys_vec){page_to_phys(t->memory), t->length};
	return 0;
}

static void drop(struct test_dmabuf *t)
{
	if (t->memory)
		put_page(t->memory);
	kfree(t);
}

static void release(struct dma_buf *dmabuf)
{
	drop(dmabuf->priv);
}

static const struct dma_buf_ops test_ops = {.phys = phys, .release = release};

static struct dma_buf *make(u64 length, u32 open_flags)
{
	struct test_dmabuf *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct dma_buf *dmabuf = ERR_PTR(-ENOMEM);

	if (!t)
		return dmabuf;
	t->length = length;
	t->memory = alloc_pages(length > PAGE_SIZE ? bit_highest(length / PAGE_SIZE - 1) + 1 : 0,
				true);
	if (t->memory)
		dmabuf = dma_buf_export(&test_ops, length, open_flags, t);
	if (IS_ERR(dmabuf))
		drop(t);
	return dmabuf;
}

int iommufd_test_dmabuf_get(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 length = PAGE_ALIGN((u64)cmd->dmabuf_get.length);
	struct dma_buf *dmabuf;
	int fd;

	if (!dma_buf_known())
		return -EOPNOTSUPP;
	if (!length || length > LENGTH_MAX)
		return -EINVAL;
	dmabuf = make(length, cmd->dmabuf_get.open_flags);
	if (IS_ERR(dmabuf))
		return (int)PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, cmd->dmabuf_get.open_flags);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

int iommufd_test_dmabuf_revoke(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct dma_buf *dmabuf;
	int rc = -EOPNOTSUPP;

	if (!dma_buf_known())
		return -EOPNOTSUPP;
	dmabuf = dma_buf_get(cmd->dmabuf_revoke.dmabuf_fd);
	if (IS_ERR(dmabuf))
		return (int)PTR_ERR(dmabuf);
	if (dmabuf->ops == &test_ops) {
		struct test_dmabuf *t = dmabuf->priv;

		mutex_lock(&dmabuf->resv);
		t->revoked = cmd->dmabuf_revoke.revoked;
		/* dup: what was mapped goes, whichever way it was. */
		dma_buf_invalidate_mappings(dmabuf);
		mutex_unlock(&dmabuf->resv);
		rc = 0;
	}
	dma_buf_put(dmabuf);
	return rc;
}
