// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices without an IOMMU, as 7.3 takes them: page tables that nobody walks. An IOAS that
 * such a device is attached to pins its memory as for any other, and IOAS_NOIOMMU_GET_PA
 * tells where it lies, to who programs the device with physical addresses.
 *
 * custom: the table is an array of pages under a lock; Linux's has the format of AMD's.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

#define CHUNK_N 64UL
#define PAGE_SIZES (PAGE_MASK & (BIT(52) - 1))

/* ent: a page's address, and 1; 0: nothing is mapped. */
struct chunk {
	u32 used;
	u64 ent[CHUNK_N];
};

/* chunks: by page / CHUNK_N; with what they point to: lock, a leaf. */
struct noiommu_domain {
	struct iommu_domain domain;
	struct mutex lock;
	struct xarray chunks;
};

static struct noiommu_domain *to_noiommu(struct iommu_domain *domain)
{
	return container_of(domain, struct noiommu_domain, domain);
}

/* --- pages; lock held --- */

static int set_page(struct noiommu_domain *d, unsigned long index, u64 paddr)
{
	struct chunk *chunk = xa_load(&d->chunks, index / CHUNK_N);

	if (!chunk) {
		chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);
		if (!chunk)
			return -ENOMEM;
		if (xa_err(xa_store(&d->chunks, index / CHUNK_N, chunk, GFP_KERNEL))) {
			kfree(chunk);
			return -ENOMEM;
		}
	}
	if (WARN_ON(chunk->ent[index % CHUNK_N]))
		return -EADDRINUSE;
	chunk->ent[index % CHUNK_N] = paddr | 1;
	chunk->used++;
	return 0;
}

static bool clear_page(struct noiommu_domain *d, unsigned long index)
{
	struct chunk *chunk = xa_load(&d->chunks, index / CHUNK_N);

	if (!chunk || !chunk->ent[index % CHUNK_N])
		return false;
	chunk->ent[index % CHUNK_N] = 0;
	if (!--chunk->used) {
		xa_erase(&d->chunks, index / CHUNK_N);
		kfree(chunk);
	}
	return true;
}

/* --- domains --- */

/* signature given */
static int noiommu_map_pages(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
			     size_t pgcount, int prot, size_t *mapped)
{
	struct noiommu_domain *d = to_noiommu(domain);
	int rc = 0;

	(void)prot;
	mutex_lock(&d->lock);
	while (*mapped < pgsize * pgcount && !rc) {
		rc = set_page(d, (iova + *mapped) / PAGE_SIZE, paddr + *mapped);
		*mapped += rc ? 0 : PAGE_SIZE;
	}
	mutex_unlock(&d->lock);
	fact(PTE_MAP, domain->id, iova, paddr, *mapped);
	return rc;
}

static size_t noiommu_unmap_pages(struct iommu_domain *domain, u64 iova, size_t pgsize,
				  size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct noiommu_domain *d = to_noiommu(domain);
	size_t done = 0;

	(void)gather;
	mutex_lock(&d->lock);
	while (done < pgsize * pgcount && clear_page(d, (iova + done) / PAGE_SIZE))
		done += PAGE_SIZE;
	mutex_unlock(&d->lock);
	fact(PTE_UNMAP, domain->id, iova, done);
	return done;
}

/* 0: nothing is mapped. */
static u64 noiommu_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	struct noiommu_domain *d = to_noiommu(domain);
	unsigned long index = iova / PAGE_SIZE;
	struct chunk *chunk;
	u64 ent = 0;

	mutex_lock(&d->lock);
	chunk = xa_load(&d->chunks, index / CHUNK_N);
	if (chunk)
		ent = chunk->ent[index % CHUNK_N];
	mutex_unlock(&d->lock);
	return ent ? (ent & PAGE_MASK) | (iova & ~PAGE_MASK) : 0;
}

static void noiommu_free(struct iommu_domain *domain)
{
	struct noiommu_domain *d = to_noiommu(domain);

	WARN_ON(!xa_empty(&d->chunks));
	xa_destroy(&d->chunks);
	mutex_destroy(&d->lock);
	kfree(d);
}

static const struct iommu_domain_ops domain_ops = {
	.map_pages = noiommu_map_pages,
	.unmap_pages = noiommu_unmap_pages,
	.iova_to_phys = noiommu_iova_to_phys,
	.free = noiommu_free,
};

static struct iommu_domain *noiommu_alloc(struct device *dev, u32 flags,
					  struct iommu_domain *parent,
					  const struct iommu_user_data *data)
{
	struct noiommu_domain *d;

	(void)dev;
	if (flags || parent || data)
		return ERR_PTR(-EOPNOTSUPP);
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return ERR_PTR(-ENOMEM);
	iommu_domain_init(&d->domain, IOMMU_DOMAIN_UNMANAGED, &iommufd_noiommu_ops, &domain_ops,
			  PAGE_SIZES);
	mutex_init(&d->lock);
	xa_init(&d->chunks);
	return &d->domain;
}

const struct iommu_ops iommufd_noiommu_ops = {.domain_alloc_user = noiommu_alloc};

/* --- the call --- */

/* Bytes from iova on that lie one behind the other, at most so many and in the area. */
static u64 contiguous(struct iommu_domain *domain, u64 iova, u64 last, u64 most)
{
	u64 at = iova, phys = iommu_iova_to_phys(domain, iova);
	u64 length = min(PAGE_SIZE - iova % PAGE_SIZE, last - iova + 1);

	while (length < most && last - at >= PAGE_SIZE) {
		u64 next = iommu_iova_to_phys(domain, at + PAGE_SIZE);

		if (!next || next != phys + PAGE_SIZE)
			break;
		at += PAGE_SIZE;
		phys = next;
		length += PAGE_SIZE;
	}
	return min(length, most);
}

/* dup: in the domain that all of the space's were filled from: the first. */
static int get_phys(struct io_pagetable *iopt, struct iommu_ioas_noiommu_get_pa *cmd)
{
	struct iopt_area *area = iopt_area_iter_first(iopt, cmd->iova, cmd->iova);
	struct iommu_domain *domain;
	int rc = 0;

	if (!area || !area->pages)
		return -ENOENT;
	mutex_lock(&area->pages->mutex);
	domain = area->filled ? xa_load(&iopt->domains, 0) : NULL;
	if (area->pages->dmabuf && iopt_dmabuf_revoked(area->pages)) {
		rc = -EINVAL;
	} else if (!domain || domain->owner != &iommufd_noiommu_ops) {
		rc = -EOPNOTSUPP;
	} else {
		cmd->out_phys = iommu_iova_to_phys(domain, cmd->iova);
		cmd->length = contiguous(domain, cmd->iova, iopt_area_last_iova(area),
					 cmd->length);
	}
	mutex_unlock(&area->pages->mutex);
	return rc;
}

/* dup: -EOPNOTSUPP: the memory is not mapped for a device without an IOMMU. */
int iommufd_ioas_noiommu_get_pa(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_noiommu_get_pa *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	if (!iommu_since(SINCE_NOIOMMU_CDEV))
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (cmd->flags || cmd->__reserved)
		return -EOPNOTSUPP;
	if (!cmd->length)
		return -EINVAL;
	if (cmd->iova == ~0ULL)
		return -EOVERFLOW;
	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	down_read(&ioas->iopt.iova_rwsem);
	rc = get_phys(&ioas->iopt, cmd);
	up_read(&ioas->iopt.iova_rwsem);
	if (!rc)
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}
