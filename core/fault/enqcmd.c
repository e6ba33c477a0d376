// SPDX-License-Identifier: GPL-2.0-only
/*
 * ENQCMD of virtual machines: the processor puts a PASID of the host into a work
 * descriptor, which it finds in the VM's table under the PASID that the guest has
 * written. What is not there is an exit to the host.
 *
 * The table is the VM's, not the device's: a guest's PASID is the same one of the
 * host for all its devices. A mediated device takes whichever the host gives; one
 * that is assigned as it is has the guest's own PASID table, so there the two must
 * be the same number. A VM may mix both as long as one number serves.
 *
 * A PASID of the host is parked when its translation has gone: nobody gets it before
 * the devices have left it and the last descriptor that carries it has come through.
 */
#include "core/fault/fault.h"
#include "sim/kapi/bug.h"

struct enqcmd_pasid {
	u32 pasid;
	u32 users;   /* devices, descriptors. core->enq_lock */
	u32 devices; /* core->enq_mutex */
};

void enqcmd_init(struct iommu_core *core)
{
	mutex_init(&core->enq_mutex);
	spin_lock_init(&core->enq_lock);
	for (u32 i = 0; i < ENQCMD_VMS; i++)
		xa_init(&core->enq_table[i]);
}

void enqcmd_fini(struct iommu_core *core)
{
	for (u32 i = 0; i < ENQCMD_VMS; i++) {
		WARN_ON(!xa_empty(&core->enq_table[i]));
		xa_destroy(&core->enq_table[i]);
	}
	mutex_destroy(&core->enq_mutex);
}

/* The host's PASID for a device that cannot, or can, take another one than the guest's. */
static int alloc_pasid(struct device *dev, u32 vpasid, bool physical, u32 *pasid)
{
	int ret;

	if (!physical)
		return iommu_alloc_global_pasid(dev, pasid);
	if (!vpasid || vpasid >= dev->iommu->max_pasids)
		return -EINVAL;
	ret = ida_alloc_range(&iommu_core()->pasid_ida, vpasid, vpasid, GFP_KERNEL);
	*pasid = vpasid;
	return ret == -ENOSPC ? -EBUSY : min(ret, 0);
}

static struct enqcmd_pasid *new_pasid(struct xarray *table, struct device *dev, u32 vpasid,
				      bool physical)
{
	struct enqcmd_pasid *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int ret = p ? alloc_pasid(dev, vpasid, physical, &p->pasid) : -ENOMEM;

	if (ret)
		goto err_free;
	ret = xa_insert(table, vpasid, p, GFP_KERNEL);
	if (!ret)
		return p;
	iommu_free_global_pasid(p->pasid);
err_free:
	kfree(p);
	return ERR_PTR(ret);
}

static struct enqcmd_pasid *join(struct xarray *table, struct device *dev, u32 vpasid,
				 bool physical)
{
	struct enqcmd_pasid *p = xa_load(table, vpasid);

	if (!p)
		return new_pasid(table, dev, vpasid, physical);
	if (physical && p->pasid != vpasid)
		return ERR_PTR(-EBUSY);
	return p->pasid < dev->iommu->max_pasids ? p : ERR_PTR(-EOVERFLOW);
}

int enqcmd_join(u32 vm, u32 vpasid, struct device *dev, bool physical)
{
	struct iommu_core *core = iommu_core();
	struct enqcmd_pasid *p;
	int ret;

	if (vm >= ENQCMD_VMS)
		return -EINVAL;
	if (!dev->iommu || !dev->iommu->max_pasids)
		return -EOPNOTSUPP;
	mutex_lock(&core->enq_mutex);
	p = join(&core->enq_table[vm], dev, vpasid, physical);
	ret = (int)PTR_ERR_OR_ZERO(p);
	if (!ret) {
		p->devices++;
		spin_lock(&core->enq_lock);
		p->users++;
		spin_unlock(&core->enq_lock);
		ret = (int)p->pasid;
	}
	mutex_unlock(&core->enq_mutex);
	return ret;
}

struct enqcmd_pasid *enqcmd_leave(u32 vm, u32 vpasid)
{
	struct iommu_core *core = iommu_core();
	struct enqcmd_pasid *p;

	mutex_lock(&core->enq_mutex);
	p = xa_load(&core->enq_table[vm], vpasid);
	if (!WARN_ON(!p) && !--p->devices) {
		/* From now on the guest's ENQCMD exits. */
		spin_lock(&core->enq_lock);
		xa_erase(&core->enq_table[vm], vpasid);
		spin_unlock(&core->enq_lock);
	}
	mutex_unlock(&core->enq_mutex);
	return p;
}

struct enqcmd_pasid *enqcmd_submit(u32 vm, u32 vpasid)
{
	struct iommu_core *core = iommu_core();
	struct enqcmd_pasid *p;

	if (vm >= ENQCMD_VMS)
		return NULL;
	spin_lock(&core->enq_lock);
	p = xa_load(&core->enq_table[vm], vpasid);
	/* Between its making and its first device nobody has it. */
	if (p && p->users)
		p->users++;
	else
		p = NULL;
	spin_unlock(&core->enq_lock);
	return p;
}

u32 enqcmd_host_pasid(const struct enqcmd_pasid *p)
{
	return p->pasid;
}

void enqcmd_put(struct enqcmd_pasid *p)
{
	struct iommu_core *core = iommu_core();
	bool last;

	spin_lock(&core->enq_lock);
	last = !--p->users;
	spin_unlock(&core->enq_lock);
	if (!last)
		return;
	iommu_free_global_pasid(p->pasid);
	kfree(p);
}
