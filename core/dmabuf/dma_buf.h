/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dma-bufs: files that stand for memory which one driver has (the exporter) and another
 * gives to its hardware (the importer). The exporter may take the memory back at any time:
 * it invalidates, and every importer has let go when that returns.
 *
 * custom: of what importers may ask for there is only where the memory lies (ops->phys),
 * as iommufd asks VFIO; no scatter lists, no fences, so an invalidation waits for nobody.
 *
 * resv: whether memory is there; the attachments. It is taken outside of whatever an
 * importer needs to let go, and inside of whatever an exporter holds to take away.
 */
#pragma once

#include "sim/base/list.h"
#include "sim/kapi/mutex.h"

struct file;
struct dma_buf;
struct dma_buf_attachment;

struct phys_vec {
	u64 paddr, len;
};

struct dma_buf_ops {
	/* NULL: always. -errno: this importer does not get it. */
	int (*attach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
	/* With resv held. -ENODEV: taken back; -EOPNOTSUPP: not in one piece. */
	int (*phys)(struct dma_buf *dmabuf, struct phys_vec *phys);
	void (*release)(struct dma_buf *dmabuf); /* the last reference has gone */
};

/* Owned by its file. attachments: resv. */
struct dma_buf {
	const struct dma_buf_ops *ops;
	struct file *file;
	u64 size;
	void *priv;
	struct mutex resv;
	struct list_head attachments;
};

/* Owned by the importer. */
struct dma_buf_attachment {
	struct list_head node;
	struct dma_buf *dmabuf;
	void (*invalidate)(struct dma_buf_attachment *attach); /* with resv held */
	void *importer_priv;
};

/* Whether this kernel has any. custom: a historic defect of theirs brings them along. */
bool dma_buf_known(void);
/* One reference, a file without a number; -ENOMEM: priv is still the caller's. */
struct dma_buf *dma_buf_export(const struct dma_buf_ops *ops, u64 size, u32 flags, void *priv);
/* Its number; the reference moves into the table. -EMFILE. */
int dma_buf_fd(struct dma_buf *dmabuf, u32 flags);
/* NULL: the file is of another kind. */
struct dma_buf *dma_buf_of(const struct file *file);
/* With a reference. -EBADF: no such file; -EINVAL: another kind. */
struct dma_buf *dma_buf_get(int fd);
void dma_buf_put(struct dma_buf *dmabuf);
/* With a reference of its own. -ENOMEM, or what the exporter says. */
struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf,
					  void (*invalidate)(struct dma_buf_attachment *attach),
					  void *importer_priv);
void dma_buf_detach(struct dma_buf_attachment *attach);
/* With resv held. */
void dma_buf_invalidate_mappings(struct dma_buf *dmabuf);
