// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of IOMMU drivers, the binding of their instances, and what all of
 * them take from the machine's description.
 *
 * bind_lock is the device_lock of the instance itself: it serialises binding,
 * unbinding and shutdown.
 */
#include "core/drv/mock_priv.h"

#include <string.h>

static const struct iommu_driver *const drivers[] = {
	&mock_driver,
	&mock_smmu_driver,
	&vtd_driver,
	&smmuv3_driver,
};

static const struct iommu_driver *find(const char *model)
{
	for (u32 i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->model, model))
			return drivers[i];
	return NULL;
}

void drv_init(struct iommu_core *core)
{
	spin_lock_init(&core->drv_lock);
	INIT_LIST_HEAD(&core->drv_bound);
	for (u32 i = 0; i < core->machine->n_iommus; i++) {
		struct iommu_instance *in = &core->instance[i];

		mutex_init(&in->bind_lock);
		in->driver = find(core->machine->iommu[i].model);
		if (in->driver)
			in->data = in->driver->create(core, i);
	}
}

int drv_register(u32 index)
{
	struct iommu_instance *in = &iommu_core()->instance[index];
	int ret = -ENODEV;

	mutex_lock(&in->bind_lock);
	if (in->bound)
		ret = -EBUSY;
	else if (in->data)
		ret = in->driver->bind(in->data);
	if (!ret)
		in->bound = true;
	mutex_unlock(&in->bind_lock);
	return ret;
}

int drv_unregister(u32 index)
{
	struct iommu_instance *in = &iommu_core()->instance[index];
	int ret = -ENODEV;

	mutex_lock(&in->bind_lock);
	if (in->bound) {
		in->driver->unbind(in->data);
		in->bound = false;
		ret = 0;
	}
	mutex_unlock(&in->bind_lock);
	return ret;
}

int drv_shutdown(u32 index)
{
	struct iommu_instance *in = &iommu_core()->instance[index];
	int ret = -ENODEV;

	mutex_lock(&in->bind_lock);
	if (in->bound) {
		in->bound = !in->driver->shutdown(in->data);
		ret = 0;
	}
	mutex_unlock(&in->bind_lock);
	return ret;
}

int drv_suspend(u32 index)
{
	struct iommu_instance *in = &iommu_core()->instance[index];
	unsigned long flags;
	int ret = -ENODEV;

	mutex_lock(&in->bind_lock);
	if (in->bound)
		ret = in->driver->suspend ? 0 : -EOPNOTSUPP;
	if (!ret) {
		/* The last of all that sleeps: one processor, which is not interrupted. */
		local_irq_save(flags);
		in->driver->suspend(in->data);
		local_irq_restore(flags);
	}
	mutex_unlock(&in->bind_lock);
	return ret;
}

bool drv_dma(struct device *dev, u64 iova)
{
	const struct machine_device *fw = dev_fw(dev);
	struct iommu_instance *in;
	u64 pa = iova;

	if (fw->n_iommus) {
		in = &iommu_core()->instance[fw->iommus[0]];
		if (in->data && !in->driver->dma)
			return drv_bus_dma(dev, iova);
		if (in->data)
			return in->driver->dma(in->data, dev, iova, &pa);
	}
	fact(HW_DMA, dev->index, iova, pa, true);
	return true;
}

bool drv_translate(struct world *w, u32 device, u64 iova, bool write, u64 *pa)
{
	struct iommu_core *core = w->kernel;
	const struct machine_device *fw = &core->machine->device[device];
	struct iommu_instance *in;

	*pa = iova;
	if (!fw->n_iommus)
		return true;
	in = &core->instance[fw->iommus[0]];
	if (!in->data || !in->driver->translate)
		return true;
	return in->driver->translate(in->data, device, iova, write, pa);
}

/* --- what all drivers take from the machine --- */

static struct iommu_resv_region *resv_of(u32 index)
{
	const struct machine_resv *resv = &iommu_core()->machine->resv[index];

	return iommu_alloc_resv_region(resv->start, resv->length,
				       (enum iommu_resv_type)resv->type);
}

/* A region that another device's call has made, if one object is to serve all. */
static struct iommu_resv_region *resv_shared(u32 index)
{
	struct iommu_core *core = iommu_core();

	if (!core->shared_resv)
		core->shared_resv = resv_of(index);
	return core->shared_resv;
}

void drv_get_resv_regions(struct device *dev, struct list_head *list)
{
	const struct machine *m = iommu_core()->machine;

	for (u32 i = 0; i < m->n_resv; i++) {
		struct iommu_resv_region *region;

		if (m->resv[i].device != dev->index)
			continue;
		if (bug_on(BUG_CORE_RESV_SHARED_OBJECT))
			region = resv_shared(i);
		else
			region = resv_of(i);
		if (region)
			list_add_tail(&region->list, list);
	}
}

static const struct machine_iommu *fw_of(struct device *dev)
{
	return &iommu_core()->machine->iommu[dev->iommu->iommu_dev->index];
}

int drv_def_domain_type(struct device *dev)
{
	static const unsigned types[] = {
		[MACHINE_DOMAIN_DMA] = IOMMU_DOMAIN_DMA,
		[MACHINE_DOMAIN_IDENTITY] = IOMMU_DOMAIN_IDENTITY,
		[MACHINE_DOMAIN_BLOCKED] = IOMMU_DOMAIN_BLOCKED,
	};

	return (int)types[fw_of(dev)->default_domain];
}

bool drv_is_attach_deferred(struct device *dev)
{
	bool deferred = fw_of(dev)->deferred_attach;

	if (deferred)
		fact(ATTACH_DEFERRED, dev->index, true);
	return deferred;
}

bool drv_capable(struct device *dev, enum iommu_cap cap)
{
	(void)dev;
	return cap == IOMMU_CAP_CACHE_COHERENCY || cap == IOMMU_CAP_ENFORCE_CACHE_COHERENCY;
}
