// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver's device gets: the space of its group's default domain.
 */
#include "core/dma/dma_priv.h"

#include "sim/kapi/err.h"
#include "sim/kapi/errno.h"

#define POOL_LG2 3

/* Owned by the domain's cookie. */
struct dma_domain {
	struct dma_space *space;
	struct dma_pool pool;
	struct mutex lock; /* making the pool */
	bool has_pool;
};

static void domain_free(void *p)
{
	struct dma_domain *dd = p;

	dma_space_destroy(dd->space);
	if (dd->has_pool)
		dma_pool_fini(&dd->pool);
	kfree(dd);
}

/* custom: as in Linux only the regions of the device that comes first. */
static int reserve(struct dma_space *s, struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(list);
	int ret;

	ret = iova_reserve(&s->iovad, IOMMU_DMA_SLOTS_BASE, IOMMU_DMA_SLOTS_SIZE);
	iommu_get_resv_regions(dev, &list);
	list_for_each_entry(region, &list, list) {
		if (!ret)
			ret = iova_reserve(&s->iovad, region->start, region->length);
	}
	iommu_put_resv_regions(&list);
	return ret;
}

static struct dma_domain *domain_make(struct iommu_domain *domain, struct device *dev)
{
	struct dma_domain *dd = kzalloc(sizeof(*dd), GFP_KERNEL);
	int ret;

	if (!dd)
		return ERR_PTR(-ENOMEM);
	mutex_init(&dd->lock);
	dd->space = dma_space_create(domain, READ_ONCE(domain->type) & __IOMMU_DOMAIN_DMA_FQ);
	if (IS_ERR(dd->space)) {
		ret = (int)PTR_ERR(dd->space);
		kfree(dd);
		return ERR_PTR(ret);
	}
	ret = reserve(dd->space, dev);
	if (!ret)
		return dd;
	domain_free(dd);
	return ERR_PTR(ret);
}

/* The cookie's, made by the first that comes. */
static struct dma_domain *domain_init(struct iommu_dma_cookie *cookie,
				      struct iommu_domain *domain, struct device *dev)
{
	struct dma_domain *dd = cookie->dma;

	if (dd)
		return dd;
	dd = domain_make(domain, dev);
	if (!IS_ERR(dd)) {
		cookie->dma_free = domain_free;
		cookie->dma = dd;
	}
	return dd;
}

static struct dma_domain *domain_get(struct iommu_domain *domain, struct device *dev)
{
	struct iommu_dma_cookie *cookie = domain->iova_cookie;
	struct dma_domain *dd;

	if (bug_on(BUG_IOVA_DOMAIN_DOUBLE_INIT)) {
		/* Probes of two devices of the group do not know of each other. */
		return domain_init(cookie, domain, dev);
	} else {
		mutex_lock(&cookie->dma_lock);
		dd = domain_init(cookie, domain, dev);
		mutex_unlock(&cookie->dma_lock);
		return dd;
	}
}

static int pool_get(struct dma_domain *dd)
{
	int ret = 0;

	mutex_lock(&dd->lock);
	if (!dd->has_pool)
		ret = dma_pool_init(&dd->pool, POOL_LG2);
	dd->has_pool = !ret;
	mutex_unlock(&dd->lock);
	return ret;
}

int dma_setup(struct device *dev, struct dma_device *d)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);
	struct dma_device_cfg cfg = {.max_segment = ~0u};
	struct dma_domain *dd;
	int ret = 0;

	if (IS_ERR(domain))
		return (int)PTR_ERR(domain);
	if (!domain)
		return dma_device_init(d, &cfg);
	dd = domain_get(domain, dev);
	if (IS_ERR(dd))
		return (int)PTR_ERR(dd);
	cfg.space = dd->space;
	if (dev_fw(dev)->untrusted) {
		ret = pool_get(dd);
		cfg.untrusted = true;
		cfg.pool = &dd->pool;
	}
	return ret ? ret : dma_device_init(d, &cfg);
}
