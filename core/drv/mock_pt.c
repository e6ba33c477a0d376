// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU's page table: extents of at most 64 pages of one size.
 *
 * An unmap clears bits and frees extents that have become empty, so it never
 * needs memory. It stops at a hole and in the middle of a larger page, as a
 * table walk would. A map of more pages than an extent takes does part of it.
 * The table is bounded (MOCK_EXTENTS_MAX), so that no program can make a walk
 * of it long.
 */
#include "core/drv/mock_priv.h"

static u64 page_mask(u64 first, u64 n)
{
	return n >= 64 ? ~0ULL : ((1ULL << n) - 1) << first;
}

/* The extent with a present page at iova. */
static struct mock_extent *find(struct mock_domain *md, u64 iova)
{
	struct mock_extent *e;

	list_for_each_entry(e, &md->extents, list) {
		u64 page = (iova - e->iova) / e->pgsize;

		if (iova >= e->iova && page < MOCK_PAGES_MAX && e->present >> page & 1)
			return e;
	}
	return NULL;
}

/* Whether any page in [iova, last] is present. */
static bool overlaps(struct mock_domain *md, u64 iova, u64 last)
{
	struct mock_extent *e;

	list_for_each_entry(e, &md->extents, list) {
		u64 e_last = e->iova + ((u64)(bit_highest(e->present) + 1) * e->pgsize - 1);
		u64 lo = max(iova, e->iova), hi = min(last, e_last);

		if (lo > hi)
			continue;
		lo = (lo - e->iova) / e->pgsize;
		hi = (hi - e->iova) / e->pgsize;
		if (e->present & page_mask(lo, hi - lo + 1))
			return true;
	}
	return false;
}

/* signature given */
static int mock_map_pages(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
			  size_t pgcount, int prot, size_t *mapped)
{
	struct mock_domain *md = to_mock_domain(domain);
	u64 n = min(pgcount, (size_t)MOCK_PAGES_MAX), last;
	u32 lg2 = md->iommu->fw->aperture_lg2;
	struct mock_extent *e;
	int ret;

	if (__builtin_add_overflow(iova, n * pgsize - 1, &last) || (lg2 < 64 && last >> lg2))
		return -ERANGE;
	e = kmalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	*e = (struct mock_extent){
		.iova = iova, .pa = paddr, .pgsize = pgsize, .present = page_mask(0, n),
		.prot = prot};
	spin_lock(&md->iommu->lock);
	ret = overlaps(md, iova, last) ? -EEXIST : 0;
	if (!ret && md->n_extents == MOCK_EXTENTS_MAX)
		ret = -ENOMEM;
	if (ret) {
		spin_unlock(&md->iommu->lock);
		kfree(e);
		return ret;
	}
	md->n_extents++;
	list_add_tail(&e->list, &md->extents);
	fact(PTE_MAP, domain->id, iova, paddr, n * pgsize);
	spin_unlock(&md->iommu->lock);
	*mapped = n * pgsize;
	return 0;
}

/* Clears whole pages of one extent from iova on; gives the bytes. */
static u64 clear_run(struct mock_extent *e, u64 iova, u64 size)
{
	u64 first = (iova - e->iova) / e->pgsize, n = 0;

	if ((iova - e->iova) % e->pgsize)
		return 0;
	while (n < size / e->pgsize && first + n < MOCK_PAGES_MAX && e->present >> (first + n) & 1)
		n++;
	e->present &= ~page_mask(first, n);
	return n * e->pgsize;
}

static size_t mock_unmap_pages(struct iommu_domain *domain, u64 iova, size_t pgsize,
			       size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct mock_domain *md = to_mock_domain(domain);
	u64 size = (u64)pgsize * pgcount, done = 0;

	(void)gather; /* nothing is kept anywhere */
	spin_lock(&md->iommu->lock);
	while (done < size) {
		struct mock_extent *e = find(md, iova + done);
		u64 run = e ? clear_run(e, iova + done, size - done) : 0;

		if (!run)
			break;
		if (!e->present) {
			list_del(&e->list);
			md->n_extents--;
			kfree(e);
		}
		done += run;
	}
	if (done)
		fact(PTE_UNMAP, domain->id, iova, done);
	spin_unlock(&md->iommu->lock);
	return done;
}

bool mock_pt_walk(struct mock_domain *md, u64 iova, int prot, u64 *pa)
{
	struct mock_extent *e = find(md, iova);

	if (!e || (e->prot & prot) != prot)
		return false;
	*pa = e->pa + (iova - e->iova);
	return true;
}

static u64 mock_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	struct mock_domain *md = to_mock_domain(domain);
	u64 pa = 0;

	spin_lock(&md->iommu->lock);
	mock_pt_walk(md, iova, 0, &pa);
	spin_unlock(&md->iommu->lock);
	return pa;
}

static void mock_domain_free(struct iommu_domain *domain)
{
	struct mock_domain *md = to_mock_domain(domain);
	struct mock_extent *e, *next;

	spin_lock(&md->iommu->lock);
	list_for_each_entry_safe(e, next, &md->extents, list)
		kfree(e);
	spin_unlock(&md->iommu->lock);
	kfree(md);
}

static bool mock_enforce_cache_coherency(struct iommu_domain *domain)
{
	(void)domain;
	return true;
}

const struct iommu_domain_ops mock_paging_ops = {
	.attach_dev = mock_attach,
	.map_pages = mock_map_pages,
	.unmap_pages = mock_unmap_pages,
	.iova_to_phys = mock_iova_to_phys,
	.enforce_cache_coherency = mock_enforce_cache_coherency,
	.free = mock_domain_free,
};

const struct iommu_domain_ops mock_identity_ops = {.attach_dev = mock_attach};
const struct iommu_domain_ops mock_blocked_ops = {.attach_dev = mock_attach};

struct mock_domain *mock_domain_create(struct mock_iommu *iommu)
{
	struct mock_domain *md = kzalloc(sizeof(*md), GFP_KERNEL);

	if (!md)
		return NULL;
	md->iommu = iommu;
	INIT_LIST_HEAD(&md->extents);
	iommu_domain_init(&md->domain, IOMMU_DOMAIN_UNMANAGED, iommu->iommu.ops, &mock_paging_ops,
			  iommu->fw->pgsize_bitmap);
	md->domain.geometry.aperture_end = ~0ULL >> (64 - iommu->fw->aperture_lg2);
	return md;
}
