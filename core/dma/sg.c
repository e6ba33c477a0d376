// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of buffers.
 *
 * All entries of a trusted device lie in one range of addresses, each from the
 * beginning of a page on; where the joined pages would be cut by the device's
 * boundary, the entry moves up to it. Then neighbours without a gap become one
 * segment. Lengths are summed in 64 bits: a list may have 4 GiB and more.
 */
#include "core/dma/dma_priv.h"

#include "sim/kapi/errno.h"

static u64 aligned_length(const struct dma_space *s, const struct dma_sg *sg)
{
	u64 g = dma_granule(s);

	return ALIGN((sg->phys & (g - 1)) + sg->length, g);
}

/* Where the entry of that length begins, `at` being the first place left. */
static u64 place(const struct dma_device *d, u64 at, u64 length)
{
	u64 boundary = d->cfg.boundary;

	if (boundary && (at & boundary) + length - 1 > boundary && length - 1 <= boundary)
		return (at | boundary) + 1;
	return at;
}

static bool is_valid(const struct dma_device *d, const struct dma_sg *sg, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		if (!sg[i].length || (sg[i].peer && d->cfg.untrusted))
			return false;
		if (!sg[i].peer && !frames_contains(sg[i].phys, sg[i].length))
			return false;
	}
	return n > 0;
}

static u64 total_length(const struct dma_device *d, const struct dma_sg *sg, u32 n)
{
	u64 at = 0;

	for (u32 i = 0; i < n; i++) {
		u64 length = aligned_length(d->cfg.space, &sg[i]);

		if (!sg[i].peer)
			at = place(d, at, length) + length;
	}
	return at;
}

/* Whether `more` bytes can be added to the segment. */
static bool fits(const struct dma_device *d, const struct dma_sg *seg, u32 more)
{
	u64 boundary = d->cfg.boundary;

	if (bug_on(BUG_DMA_SG_LEN_OVERFLOW)) {
		if (seg->dma_length + more > d->cfg.max_segment)
			return false;
	} else {
		if ((u64)seg->dma_length + more > d->cfg.max_segment)
			return false;
	}
	return !boundary || (seg->dma_address & boundary) + seg->dma_length + more - 1 <= boundary;
}

/* Entry i as a segment of its own, with the peer's address: no IOMMU sees it. */
static void peer_segment(struct dma_sg *sg, u32 i, u32 k)
{
	sg[k].dma_address = sg[i].phys;
	if (bug_on(BUG_DMA_P2P_SG_LEN)) {
		/* The list's first entry is at hand. */
		sg[k].dma_length = sg[0].length;
	} else {
		sg[k].dma_length = sg[i].length;
	}
}

/* Segments of the entries in a range from iova on; returns their number. */
static int join(const struct dma_device *d, struct dma_sg *sg, u32 n, u64 iova)
{
	u64 g = dma_granule(d->cfg.space), at = 0, end = 0;
	u32 k = 0;

	for (u32 i = 0; i < n; i++) {
		u64 length = aligned_length(d->cfg.space, &sg[i]), addr;
		struct dma_sg *last = k && !sg[i - 1].peer ? &sg[k - 1] : NULL;

		if (sg[i].peer) {
			peer_segment(sg, i, k++);
			continue;
		}
		at = place(d, at, length);
		addr = iova + at + (sg[i].phys & (g - 1));
		at += length;
		if (last && addr == end && fits(d, last, sg[i].length)) {
			last->dma_length += sg[i].length;
		} else {
			sg[k].dma_address = addr;
			sg[k].dma_length = sg[i].length;
			k++;
		}
		end = addr + sg[i].length;
	}
	return (int)k;
}

static void unmap_each(struct dma_device *d, const struct dma_sg *sg, u32 n,
		       enum dma_data_direction dir)
{
	for (u32 i = 0; i < n; i++)
		if (!sg[i].peer)
			dma_unmap_page(d, sg[i].dma_address, sg[i].dma_length, dir);
}

/* Each by itself: direct, or through the pool. */
static int map_each(struct dma_device *d, struct dma_sg *sg, u32 n, enum dma_data_direction dir)
{
	for (u32 i = 0; i < n; i++) {
		if (sg[i].peer) {
			peer_segment(sg, i, i);
			continue;
		}
		sg[i].dma_address = dma_map_page(d, sg[i].phys, sg[i].length, dir);
		sg[i].dma_length = sg[i].length;
		if (sg[i].dma_address != DMA_MAPPING_ERROR)
			continue;
		unmap_each(d, sg, i, dir);
		return -EIO;
	}
	return (int)n;
}

/* Unmaps the entries before `n` in the range, and gives all of it back. */
static void unmap_range(struct dma_device *d, const struct dma_sg *sg, u32 n, u64 iova, u64 total)
{
	struct dma_space *s = d->cfg.space;
	struct iommu_iotlb_gather g;
	u64 at = 0;

	iommu_iotlb_gather_init(&g);
	g.queued = s->deferred;
	for (u32 i = 0; i < n; i++) {
		u64 length = aligned_length(s, &sg[i]);

		if (sg[i].peer)
			continue;
		at = place(d, at, length);
		WARN_ON(iommu_unmap_fast(s->domain, iova + at, length, &g) != length);
		at += length;
	}
	if (g.queued) {
		iova_fq_queue(&s->iovad, iova, total, g.freelist);
	} else {
		iommu_iotlb_sync(s->domain, &g);
		iova_free(&s->iovad, iova, total);
	}
}

/* Bytes mapped from iova on, with the gaps of place(); -EIO: none, and iova is given back. */
static s64 map_range(struct dma_device *d, const struct dma_sg *sg, u32 n, u64 iova, int prot)
{
	struct dma_space *s = d->cfg.space;
	u64 at = 0;

	for (u32 i = 0; i < n; i++) {
		u64 length = aligned_length(s, &sg[i]);

		if (sg[i].peer)
			continue;
		at = place(d, at, length);
		if (iommu_map(s->domain, iova + at, sg[i].phys & ~(dma_granule(s) - 1), length,
			      prot)) {
			unmap_range(d, sg, i, iova, total_length(d, sg, n));
			return -EIO;
		}
		at += length;
	}
	return (s64)at;
}

int dma_map_sg(struct dma_device *d, struct dma_sg *sg, u32 n, enum dma_data_direction dir)
{
	struct dma_space *s = d->cfg.space;
	u64 total, iova;
	s64 mapped;

	if (!is_valid(d, sg, n))
		return -EINVAL;
	if (!s || d->cfg.untrusted)
		return map_each(d, sg, n, dir);
	total = total_length(d, sg, n);
	if (!total)
		return join(d, sg, n, 0);
	/* Aligned to its size rounded up, so boundaries fall where they fall from 0 on. */
	iova = dma_space_alloc(s, total, d->cfg.mask);
	if (!iova)
		return -EIO;
	mapped = map_range(d, sg, n, iova, dma_prot(dir));
	if (bug_on(BUG_DMA_MAP_RESULT_TRUNC)) {
		int result = (int)mapped;

		mapped = result;
	}
	if (mapped < 0)
		return -EIO;
	return join(d, sg, n, iova);
}

void dma_unmap_sg(struct dma_device *d, struct dma_sg *sg, u32 n, enum dma_data_direction dir)
{
	struct dma_space *s = d->cfg.space;

	u32 first = 0;

	if (!s || d->cfg.untrusted) {
		unmap_each(d, sg, n, dir);
		return;
	}
	/* Those before the first one in the range are a segment each. */
	while (first < n && sg[first].peer)
		first++;
	if (first < n)
		unmap_range(d, sg, n, sg[first].dma_address & ~(dma_granule(s) - 1),
			    total_length(d, sg, n));
}
