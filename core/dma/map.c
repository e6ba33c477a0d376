// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spaces, single buffers, coherent memory.
 */
#include "core/dma/dma_priv.h"

#include "sim/kapi/err.h"
#include "sim/kapi/errno.h"

#include <string.h>

#define LAST_32 0xffffffffULL
#define MAGAZINE 15

/* --- spaces --- */

static void space_flush(void *arg)
{
	struct dma_space *s = arg;

	iommu_flush_iotlb_all(s->domain);
}

/* Tables stay on the gather's list of the driver until a sync that flushes nothing more. */
static void space_release(void *arg, u64 tables)
{
	struct dma_space *s = arg;
	struct iommu_iotlb_gather g;

	iommu_iotlb_gather_init(&g);
	g.freelist = tables;
	g.n_tables = 1;
	iommu_iotlb_sync(s->domain, &g);
}

static const struct iova_fq_ops fq_ops = {space_flush, space_release};

struct dma_space *dma_space_create(struct iommu_domain *domain, bool deferred)
{
	struct dma_space *s;

	if (!(READ_ONCE(domain->type) & __IOMMU_DOMAIN_PAGING))
		return ERR_PTR(-EINVAL);
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->domain = domain;
	iova_domain_init(&s->iovad, &(struct iova_domain_cfg){
					    .granule_lg2 = bit_lowest(domain->pgsize_bitmap),
					    .start_pfn = 1, .magazine = MAGAZINE});
	/* dup: without memory for the queue the domain is strict. */
	s->deferred = deferred && !iova_fq_init(&s->iovad, &fq_ops, s);
	return s;
}

void dma_space_destroy(struct dma_space *s)
{
	if (!s)
		return;
	iova_domain_fini(&s->iovad);
	kfree(s);
}

u64 dma_space_alloc(struct dma_space *s, u64 size, u64 mask)
{
	u64 iova = 0;

	mask = min(mask, s->domain->geometry.aperture_end);
	if (mask > LAST_32 && !READ_ONCE(s->beyond_32)) {
		iova = iova_alloc(&s->iovad, size, LAST_32);
		if (!iova)
			WRITE_ONCE(s->beyond_32, true);
	}
	return iova ? iova : iova_alloc(&s->iovad, size, mask);
}

void dma_space_unmap(struct dma_space *s, u64 iova, u64 size, bool strict)
{
	struct iommu_iotlb_gather g;

	iommu_iotlb_gather_init(&g);
	if (bug_on(BUG_DMA_FQ_UNINIT)) {
		/* Lazy is the system's default: this domain may be one that is not. */
		g.queued = !strict;
	} else {
		g.queued = s->deferred && !strict;
	}
	WARN_ON(iommu_unmap_fast(s->domain, iova, size, &g) != size);
	if (g.queued) {
		iova_fq_queue(&s->iovad, iova, size, g.freelist);
	} else {
		iommu_iotlb_sync(s->domain, &g);
		iova_free(&s->iovad, iova, size);
	}
}

int dma_device_init(struct dma_device *d, const struct dma_device_cfg *cfg)
{
	if (cfg->untrusted && (!cfg->space || !cfg->pool ||
			       dma_granule(cfg->space) != FRAME_SIZE))
		return -EINVAL;
	if (cfg->boundary & (cfg->boundary + 1))
		return -EINVAL;
	d->cfg = *cfg;
	d->cfg.mask = cfg->mask ? cfg->mask : ~0ULL;
	d->cfg.max_segment = cfg->max_segment ? cfg->max_segment : 1u << 16;
	return 0;
}

/* --- one buffer --- */

static bool is_memory(u64 phys, size_t size)
{
	return size && frames_contains(phys, size);
}

static u64 map_direct(const struct dma_device *d, u64 phys, size_t size)
{
	return phys + (size - 1) <= d->cfg.mask ? phys : DMA_MAPPING_ERROR;
}

/* One end of a buffer, within one page, through the pool. */
static int map_end(struct dma_device *d, u64 iova, u64 phys, u64 size, int prot)
{
	u64 page = dma_pool_get(d->cfg.pool, phys, (u32)size, prot);
	int ret;

	if (!page)
		return -ENOSPC;
	ret = iommu_map(d->cfg.space->domain, iova, page, FRAME_SIZE, prot);
	if (ret)
		dma_pool_put(d->cfg.pool, page);
	return ret;
}

/* What one page of the range has for its bytes of the buffer. */
struct piece {
	u64 iova, phys, size; /* iova of its page; phys and size of the buffer's part */
	bool bounced;
};

/* The piece from `at` bytes on: an end within a page, or all whole pages. Its size is not 0. */
static void next_piece(struct piece *p, u64 iova, u64 phys, u64 size, u64 at)
{
	u64 first = (phys + at) & (FRAME_SIZE - 1), left = size - at;

	p->phys = phys + at;
	p->iova = iova + ((phys & (FRAME_SIZE - 1)) + at) - first;
	p->bounced = first || left < FRAME_SIZE;
	if (p->bounced)
		p->size = min(left, FRAME_SIZE - first);
	else
		p->size = ALIGN_DOWN(left, FRAME_SIZE);
}

/* Gives back the pool's pages of [iova, iova + size), which is no longer mapped. */
static void put_pages(struct dma_pool *pool, const u64 page[2])
{
	for (u32 i = 0; i < 2; i++) {
		if (page[i])
			dma_pool_put(pool, page[i]);
	}
}

/* The pool's pages at both ends of a mapping; 0 where there is none. */
static void find_pages(struct dma_device *d, u64 addr, u64 size, u64 page[2])
{
	u64 at[2] = {addr, addr + size - 1};

	for (u32 i = 0; i < 2; i++) {
		u64 pa = iommu_iova_to_phys(d->cfg.space->domain, at[i]) & ~(FRAME_SIZE - 1);

		page[i] = dma_pool_has(d->cfg.pool, pa) ? pa : 0;
	}
	if (page[1] == page[0])
		page[1] = 0;
}

/*
 * Historic: first page, whole pages, last page, whether there are any; what fails
 * is taken back from the second page on.
 */
static int map_in_three(struct dma_device *d, u64 iova, u64 phys, u64 size, int prot)
{
	struct iommu_domain *domain = d->cfg.space->domain;
	u64 first = min(ALIGN(phys + 1, FRAME_SIZE) - phys, size), last;
	u64 middle = ALIGN_DOWN(size - first, FRAME_SIZE), at = iova + FRAME_SIZE;
	int ret = map_end(d, iova, phys, first, prot);

	if (ret || first == size)
		return ret;
	last = size - first - middle;
	ret = middle ? iommu_map(domain, at, phys + first, middle, prot) : -EINVAL;
	if (!ret && last)
		ret = map_end(d, at + middle, phys + first + middle, last, prot);
	if (ret)
		iommu_unmap(domain, at, ALIGN(size - first, FRAME_SIZE));
	return ret;
}

static int map_untrusted(struct dma_device *d, u64 iova, u64 phys, u64 size, int prot)
{
	struct iommu_domain *domain = d->cfg.space->domain;
	u64 at = 0, page[2] = {0, 0};
	struct piece p;
	int ret = 0;

	while (at < size && !ret) {
		next_piece(&p, iova, phys, size, at);
		if (p.bounced)
			ret = map_end(d, p.iova, p.phys, p.size, prot);
		else
			ret = iommu_map(domain, p.iova, p.phys, p.size, prot);
		at += ret ? 0 : p.size;
	}
	if (!ret || !at)
		return ret;
	/* What was mapped so far ends with a page. */
	find_pages(d, iova + (phys & (FRAME_SIZE - 1)), at, page);
	iommu_unmap(domain, iova, ALIGN((phys & (FRAME_SIZE - 1)) + at, FRAME_SIZE));
	put_pages(d->cfg.pool, page);
	return ret;
}

u64 dma_map_page(struct dma_device *d, u64 phys, size_t size, enum dma_data_direction dir)
{
	struct dma_space *s = d->cfg.space;
	u64 iova, offset, length;
	int ret;

	if (!is_memory(phys, size))
		return DMA_MAPPING_ERROR;
	if (!s)
		return map_direct(d, phys, size);
	offset = phys & (dma_granule(s) - 1);
	length = ALIGN(offset + size, dma_granule(s));
	iova = dma_space_alloc(s, length, d->cfg.mask);
	if (!iova)
		return DMA_MAPPING_ERROR;
	if (d->cfg.untrusted && bug_on(BUG_DMA_SWIOTLB_ZERO_MIDDLE))
		ret = map_in_three(d, iova, phys, size, dma_prot(dir));
	else if (d->cfg.untrusted)
		ret = map_untrusted(d, iova, phys, size, dma_prot(dir));
	else
		ret = iommu_map(s->domain, iova, phys - offset, length, dma_prot(dir));
	if (!ret)
		return iova + offset;
	iova_free(&s->iovad, iova, length);
	return DMA_MAPPING_ERROR;
}

void dma_unmap_page(struct dma_device *d, u64 addr, size_t size, enum dma_data_direction dir)
{
	struct dma_space *s = d->cfg.space;
	u64 page[2] = {0, 0}, offset, length;

	if (!s)
		return;
	offset = addr & (dma_granule(s) - 1);
	length = ALIGN(offset + size, dma_granule(s));
	dma_sync_for_cpu(d, addr, size, dir);
	if (d->cfg.untrusted)
		find_pages(d, addr, size, page);
	dma_space_unmap(s, addr - offset, length, d->cfg.untrusted);
	put_pages(d->cfg.pool, page);
}

static void sync_buffer(struct dma_device *d, u64 addr, size_t size, bool to_device)
{
	if (!d->cfg.untrusted)
		return;
	for (u64 at = addr, next; at < addr + size; at = next) {
		u64 pa = iommu_iova_to_phys(d->cfg.space->domain, at);

		next = min((at | (FRAME_SIZE - 1)) + 1, addr + size);
		if (dma_pool_has(d->cfg.pool, pa))
			dma_pool_copy(d->cfg.pool, pa, next - at, to_device);
	}
}

void dma_sync_for_cpu(struct dma_device *d, u64 addr, size_t size, enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		sync_buffer(d, addr, size, false);
}

/* dup: also from the device's direction: the processor may have written to it. */
void dma_sync_for_device(struct dma_device *d, u64 addr, size_t size, enum dma_data_direction dir)
{
	(void)dir;
	sync_buffer(d, addr, size, true);
}

/* --- coherent memory --- */

static u32 order_for(size_t size)
{
	u64 frames = (size + FRAME_SIZE - 1) >> FRAME_LG2;

	return frames <= 1 ? 0 : bit_highest(frames - 1) + 1;
}

u64 dma_alloc_coherent(struct dma_device *d, size_t size, u64 *addr)
{
	struct dma_space *s = d->cfg.space;
	u32 order = order_for(size);
	u64 phys;

	*addr = DMA_MAPPING_ERROR;
	if (!size || order > FRAME_ORDER_MAX)
		return 0;
	/* A page of the domain may be several frames. */
	if (s)
		order = max(order, s->iovad.granule_lg2 - FRAME_LG2);
	phys = frame_alloc(this_world(), order, FRAME_ZERO);
	if (!phys)
		return 0;
	*addr = dma_map_page(d, phys, FRAME_SIZE << order, DMA_BIDIRECTIONAL);
	if (*addr != DMA_MAPPING_ERROR)
		return phys;
	frame_free(this_world(), phys, order);
	return 0;
}

void dma_free_coherent(struct dma_device *d, size_t size, u64 phys, u64 addr)
{
	struct dma_space *s = d->cfg.space;
	u32 order = order_for(size);

	if (s)
		order = max(order, s->iovad.granule_lg2 - FRAME_LG2);
	dma_unmap_page(d, addr, FRAME_SIZE << order, DMA_BIDIRECTIONAL);
	frame_free(this_world(), phys, order);
}
