// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a dma-buf: they lie where its exporter says, and nobody pins them. The exporter
 * may take them back (a device is reset, or its registers turned off): what maps them in
 * whatever domain goes, for good, while the areas stay. Whoever wants them again maps them
 * again.
 *
 * The tracker has each domain that an area of these pages is in, since who takes them back
 * holds the dma-buf's resv and pages->mutex, not what protects a space's list of domains.
 */
#include "core/dmabuf/dma_buf.h"
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

/* tracker, phys: pages->mutex. */
struct iopt_dmabuf {
	struct dma_buf_attachment *attach;
	struct phys_vec phys; /* len 0: taken back */
	struct list_head tracker;
};

struct iopt_dmabuf_track {
	struct list_head elm;
	struct iopt_area *area;
	struct iommu_domain *domain;
};

static void taken_back(struct dma_buf_attachment *attach)
{
	struct iopt_pages *pages = attach->importer_priv;
	struct iopt_dmabuf *d = pages->dmabuf;
	struct iopt_dmabuf_track *track;

	mutex_lock(&pages->mutex);
	if (d->phys.len) {
		list_for_each_entry(track, &d->tracker, elm)
			iopt_area_unmap_part(track->area, track->domain,
					     iopt_area_length(track->area));
		d->phys.len = 0;
	}
	mutex_unlock(&pages->mutex);
}

/* dup: whoever takes them back finds the attachment, so where they lie is asked after it. */
static int attach(struct iopt_pages *pages, struct dma_buf *dmabuf)
{
	struct iopt_dmabuf *d = pages->dmabuf;
	int rc;

	d->attach = dma_buf_attach(dmabuf, taken_back, pages);
	if (IS_ERR(d->attach)) {
		rc = (int)PTR_ERR(d->attach);
		d->attach = NULL;
		return rc;
	}
	mutex_lock(&dmabuf->resv);
	rc = dmabuf->ops->phys(dmabuf, &d->phys);
	mutex_unlock(&dmabuf->resv);
	return rc;
}

struct iopt_pages *iopt_alloc_dmabuf_pages(struct dma_buf *dmabuf, u64 start, unsigned long length,
					   bool writable)
{
	struct iopt_pages *pages;
	int rc = -ENOMEM;

	if (dmabuf->size <= start + length - 1)
		return ERR_PTR(-EINVAL);
	pages = iopt_alloc_pages(NULL, start, length, writable);
	if (IS_ERR(pages))
		return pages;
	/* A class of its own: mmap_lock may be held where resv is taken, and inside of others. */
	mutex_destroy(&pages->mutex);
	mutex_init(&pages->mutex);
	pages->account_mode = IOPT_PAGES_ACCOUNT_NONE;
	pages->dmabuf = kzalloc(sizeof(*pages->dmabuf), GFP_KERNEL_ACCOUNT);
	if (pages->dmabuf) {
		INIT_LIST_HEAD(&pages->dmabuf->tracker);
		rc = attach(pages, dmabuf);
	}
	if (!rc)
		return pages;
	iopt_put_pages(pages);
	return ERR_PTR(rc);
}

void iopt_dmabuf_release(struct iopt_pages *pages)
{
	struct iopt_dmabuf *d = pages->dmabuf;

	if (d->attach)
		dma_buf_detach(d->attach);
	WARN_ON(!list_empty(&d->tracker));
	kfree(d);
}

bool iopt_dmabuf_revoked(const struct iopt_pages *pages)
{
	lockdep_assert_held(&pages->mutex);
	return !pages->dmabuf->phys.len;
}

/* --- domains --- */

/* Registers: not cached. Small pages, where an area may be unmapped in parts. */
static int map(struct iopt_area *area, struct iopt_pages *pages, struct iommu_domain *domain)
{
	unsigned long start = iopt_area_start_byte(area, iopt_area_iova(area));
	u64 phys = pages->dmabuf->phys.paddr + pages->uptr + start;
	unsigned long length = iopt_area_length(area), done = 0;
	bool small = READ_ONCE(area->iopt->disable_large_pages);

	while (done < length) {
		unsigned long size = small ? min(PAGE_SIZE, length - done) : length;
		int rc = iommu_map(domain, iopt_area_iova(area) + done, phys + done, size,
				   area->iommu_prot | IOMMU_MMIO);

		if (rc) {
			iopt_area_unmap_part(area, domain, done);
			return rc;
		}
		done += size;
	}
	return 0;
}

int iopt_dmabuf_map_area(struct iopt_area *area, struct iopt_pages *pages,
			 struct iommu_domain *domain)
{
	struct iopt_dmabuf_track *track = kzalloc(sizeof(*track), GFP_KERNEL_ACCOUNT);
	int rc = 0;

	lockdep_assert_held(&pages->mutex);
	if (!track)
		return -ENOMEM;
	if (pages->dmabuf->phys.len)
		rc = map(area, pages, domain);
	if (rc) {
		kfree(track);
		return rc;
	}
	track->area = area;
	track->domain = domain;
	list_add_tail(&track->elm, &pages->dmabuf->tracker);
	return 0;
}

void iopt_dmabuf_unmap_area(struct iopt_area *area, struct iopt_pages *pages,
			    struct iommu_domain *domain)
{
	struct iopt_dmabuf_track *track;

	lockdep_assert_held(&pages->mutex);
	if (pages->dmabuf->phys.len)
		iopt_area_unmap_part(area, domain, iopt_area_length(area));
	list_for_each_entry(track, &pages->dmabuf->tracker, elm) {
		if (track->area != area || track->domain != domain)
			continue;
		list_del(&track->elm);
		kfree(track);
		return;
	}
	WARN_ON(true);
}
