// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices themselves: binding, who has one open, the claim and the domain.
 */
#include "core/vdpa/vdpa_priv.h"

static struct vdpa_state *here(void)
{
	return iommu_core()->vdpa;
}

void vdpa_init(struct iommu_core *core)
{
	struct vdpa_state *s = kzalloc(sizeof(*s), GFP_KERNEL | __GFP_NOFAIL);

	core->vdpa = s;
	mutex_init(&s->lock);
}

void vdpa_fini(struct iommu_core *core)
{
	mutex_destroy(&core->vdpa->lock);
}

/* --- one open file at a time --- */

struct vdpa_device *vdpa_device_get(unsigned long index, bool odp)
{
	struct vdpa_state *s = here();
	struct vdpa_device *v;

	if (index >= MACHINE_DEVICES_MAX)
		return ERR_PTR(-ENOENT);
	mutex_lock(&s->lock);
	v = s->device[index];
	if (!v || v->odp != odp)
		v = ERR_PTR(-ENOENT);
	else if (v->opened)
		v = ERR_PTR(-EBUSY);
	else
		v->opened = true;
	mutex_unlock(&s->lock);
	return v;
}

void vdpa_device_put(struct vdpa_device *v)
{
	mutex_lock(&here()->lock);
	v->opened = false;
	complete(&v->closed);
	mutex_unlock(&here()->lock);
}

/* dup: -ENOTSUPP: an IOMMU that does not see processors' caches. */
struct iommu_domain *vdpa_domain_new(struct vdpa_device *v)
{
	struct iommu_domain *domain;
	int ret = iommu_device_claim_dma_owner(v->dev, v);

	if (ret)
		return ERR_PTR(ret);
	if (!device_iommu_capable(v->dev, IOMMU_CAP_CACHE_COHERENCY)) {
		ret = -EOPNOTSUPP;
		goto err_release;
	}
	domain = iommu_paging_domain_alloc(v->dev);
	ret = (int)PTR_ERR_OR_ZERO(domain);
	if (ret)
		goto err_release;
	ret = iommu_attach_device(domain, v->dev);
	if (!ret)
		return domain;
	iommu_domain_free(domain);
err_release:
	iommu_device_release_dma_owner(v->dev);
	return ERR_PTR(ret);
}

void vdpa_domain_free(struct vdpa_device *v, struct iommu_domain *domain)
{
	iommu_detach_device(domain, v->dev);
	iommu_domain_free(domain);
	iommu_device_release_dma_owner(v->dev);
}

/* --- binding --- */

static int probe(struct device *dev, bool odp)
{
	struct vdpa_state *s = here();
	struct vdpa_device *v;

	if (!dev->iommu_group)
		return -ENODEV;
	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return -ENOMEM;
	v->dev = dev;
	v->odp = odp;
	init_completion(&v->closed);
	dev_set_drvdata(dev, v);
	mutex_lock(&s->lock);
	s->device[dev->index] = v;
	mutex_unlock(&s->lock);
	return 0;
}

static int vdpa_probe(struct device *dev)
{
	return probe(dev, false);
}

static int odp_probe(struct device *dev)
{
	return probe(dev, true);
}

/* As vhost-vdpa's: waits until nobody has it open. */
static void vdpa_remove(struct device *dev)
{
	struct vdpa_device *v = dev_get_drvdata(dev);
	struct vdpa_state *s = here();

	mutex_lock(&s->lock);
	s->device[dev->index] = NULL;
	while (v->opened) {
		mutex_unlock(&s->lock);
		wait_for_completion(&v->closed);
		mutex_lock(&s->lock);
	}
	mutex_unlock(&s->lock);
	kfree(v);
}

void vdpa_drivers_init(struct device_driver *drv)
{
	drv[KERNEL_DRIVER_vhost_vdpa].probe = vdpa_probe;
	drv[KERNEL_DRIVER_vhost_vdpa].remove = vdpa_remove;
	drv[KERNEL_DRIVER_demo_odp].probe = odp_probe;
	drv[KERNEL_DRIVER_demo_odp].remove = vdpa_remove;
}
