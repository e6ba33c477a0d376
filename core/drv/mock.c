// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU driver, in two models.
 *
 * mock: instances are found through the core's list, groups through the
 * core's knowledge of the machine. mock-smmu: as the Arm drivers, it keeps the
 * group of each stream in its own table, may be asked for a device before its
 * own binding is complete, and has work to do once a device is set up.
 *
 * iommu->lock protects the stream table and all page tables of the instance.
 * No attach needs memory, so that none fails but for a foreign domain.
 */
#include "core/drv/mock_priv.h"

#include <string.h>

static struct mock_iommu *to_mock(struct iommu_device *iommu)
{
	return container_of(iommu, struct mock_iommu, iommu);
}

/* --- attach --- */

static void ste_set(struct mock_ste *ste, struct mock_domain *md)
{
	struct mock_domain *old = ste->domain;

	if (old)
		old->attached--;
	ste->domain = md;
	if (md)
		md->attached++;
}

int mock_attach(struct iommu_domain *domain, struct device *dev)
{
	struct mock_master *master = dev_iommu_priv_get(dev);
	struct mock_domain *md = to_mock_domain(domain);
	struct mock_iommu *iommu = master->iommu;

	if (md->iommu != iommu)
		return -EINVAL;
	spin_lock(&iommu->lock);
	for (u32 i = 0, n = master->n_ste; i < n; i++)
		ste_set(master->ste[i], md);
	spin_unlock(&iommu->lock);
	return 0;
}

static struct mock_iommu *dev_mock(struct device *dev)
{
	struct mock_master *master = dev_iommu_priv_get(dev);

	return master->iommu;
}

static struct iommu_domain *mock_domain_alloc_paging(struct device *dev)
{
	struct mock_domain *md = mock_domain_create(dev_mock(dev));

	return md ? &md->domain : ERR_PTR(-ENOMEM);
}

static struct iommu_domain *mock_identity_domain(struct device *dev)
{
	return &dev_mock(dev)->identity.domain;
}

static struct iommu_domain *mock_blocked_domain(struct device *dev)
{
	struct mock_iommu *iommu = dev_mock(dev);

	return iommu->fw->no_blocking ? NULL : &iommu->blocked.domain;
}

/* --- devices --- */

static int mock_of_xlate(struct device *dev, u32 id)
{
	return iommu_fwspec_add_ids(dev, &id, 1);
}

/* The instance among those whose binding is complete; NULL if it is not yet. */
static struct mock_iommu *smmu_find_bound(const struct fwnode_handle *fwnode)
{
	struct iommu_core *core = iommu_core();
	struct mock_iommu *iommu, *found = NULL;

	spin_lock(&core->drv_lock);
	list_for_each_entry(iommu, &core->drv_bound, bound)
		if (iommu->iommu.fwnode == fwnode)
			found = iommu;
	spin_unlock(&core->drv_lock);
	return found;
}

static struct mock_iommu *smmu_find(const struct fwnode_handle *fwnode)
{
	if (bug_on(BUG_CORE_SMMU_REGISTERED_NOT_BOUND)) {
		/* Not on the driver's list until its own probe is over. */
		return smmu_find_bound(fwnode);
	} else {
		struct iommu_device *iommu = iommu_from_fwnode(fwnode);

		return iommu ? to_mock(iommu) : NULL;
	}
}

static struct mock_ste *ste_find(struct mock_iommu *iommu, u32 sid)
{
	for (u32 i = 0; i < iommu->n_ste; i++)
		if (iommu->ste[i].sid == sid)
			return &iommu->ste[i];
	return NULL;
}

static struct mock_master *master_create(struct mock_iommu *iommu, struct iommu_fwspec *fwspec)
{
	struct mock_master *master = kzalloc(sizeof(*master), GFP_KERNEL);
	unsigned long n;

	if (!master)
		return NULL;
	master->iommu = iommu;
	n = min(smp_load_acquire(&fwspec->num_ids), (unsigned long)MACHINE_DEVICE_IDS_MAX);
	spin_lock(&iommu->lock);
	for (u32 i = 0; i < n; i++) {
		struct mock_ste *ste = ste_find(iommu, fwspec->ids[i]);

		if (!ste)
			continue;
		ste->users++;
		master->ste[master->n_ste++] = ste;
	}
	spin_unlock(&iommu->lock);
	return master;
}

static struct iommu_device *probe_on(struct mock_iommu *iommu, struct device *dev,
				     struct iommu_fwspec *fwspec)
{
	struct mock_master *master;

	if (iommu->fw->fail_probe && !(iommu->tried & BIT(dev->index))) {
		iommu->tried |= BIT(dev->index);
		return ERR_PTR(-EPROBE_DEFER);
	}
	master = master_create(iommu, fwspec);
	if (!master)
		return ERR_PTR(-ENOMEM);
	dev_iommu_priv_set(dev, master);
	return &iommu->iommu;
}

static struct iommu_device *mock_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	return probe_on(to_mock(iommu_from_fwnode(fwspec->iommu_fwnode)), dev, fwspec);
}

static struct iommu_device *smmu_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	return probe_on(smmu_find(fwspec->iommu_fwnode), dev, fwspec);
}

static void mock_release_device(struct device *dev)
{
	struct mock_master *master = dev_iommu_priv_get(dev);
	struct mock_iommu *iommu = master->iommu;

	spin_lock(&iommu->lock);
	for (u32 i = 0; i < master->n_ste; i++) {
		struct mock_ste *ste = master->ste[i];

		if (--ste->users)
			continue;
		ste_set(ste, NULL);
		ste->released = true;
		WRITE_ONCE(ste->group, NULL);
	}
	spin_unlock(&iommu->lock);
	if (iommu->smmu)
		fact(GROUP_STREAM, OP_NONE, iommu->iommu.index, 0, dev->index);
	kfree(master);
}

static struct iommu_group *smmu_device_group(struct device *dev)
{
	struct mock_master *master = dev_iommu_priv_get(dev);
	struct iommu_group *group = NULL;

	for (u32 i = 0; i < master->n_ste; i++) {
		struct iommu_group *other = smp_load_acquire(&master->ste[i]->group);

		if (group && other && other != group)
			return ERR_PTR(-EINVAL); /* its streams are those of two groups */
		group = group ? group : other;
	}
	if (group)
		group = iommu_group_ref_get(group);
	else
		group = dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
	if (IS_ERR(group))
		return group;
	for (u32 i = 0; i < master->n_ste; i++) {
		smp_store_release(&master->ste[i]->group, group);
		fact(GROUP_STREAM, iommu_group_id(group), master->iommu->iommu.index,
		     master->ste[i]->sid, dev->index);
	}
	return group;
}

/* Where the MSI doorbell may go: looks at the group's reserved regions. */
static void smmu_probe_finalize(struct device *dev)
{
	LIST_HEAD(regions);

	iommu_get_group_resv_regions(dev->iommu_group, &regions);
	iommu_put_resv_regions(&regions);
}

#define MOCK_OPS                                             \
	.release_device = mock_release_device,               \
	.of_xlate = mock_of_xlate,                           \
	.get_resv_regions = drv_get_resv_regions,           \
	.is_attach_deferred = drv_is_attach_deferred,        \
	.def_domain_type = drv_def_domain_type,              \
	.domain_alloc_paging = mock_domain_alloc_paging,     \
	.identity_domain = mock_identity_domain,             \
	.blocked_domain = mock_blocked_domain,               \
	.capable = drv_capable

static const struct iommu_ops mock_ops = {
	MOCK_OPS,
	.probe_device = mock_probe_device,
	.device_group = pci_device_group,
};

static const struct iommu_ops mock_smmu_ops = {
	MOCK_OPS,
	.probe_device = smmu_probe_device,
	.probe_finalize = smmu_probe_finalize,
	.device_group = smmu_device_group,
};

/* --- instances --- */

static bool names_iommu(const struct machine_device *d, u32 iommu)
{
	for (u32 i = 0; i < d->n_iommus; i++)
		if (d->iommus[i] == iommu)
			return true;
	return false;
}

static void ste_add(struct mock_iommu *iommu, u32 sid)
{
	if (!ste_find(iommu, sid))
		iommu->ste[iommu->n_ste++] = (struct mock_ste){.sid = sid};
}

static void fill_stream_table(struct iommu_core *core, struct mock_iommu *iommu)
{
	const struct machine *m = core->machine;

	for (u32 i = 0; i < m->n_devices; i++) {
		const struct machine_device *d = &m->device[i];

		if (!names_iommu(d, iommu->iommu.index))
			continue;
		for (u32 k = 0; k < stream_count(d); k++)
			ste_add(iommu, stream_id(core, i, k));
	}
}

static void init_static_domain(struct mock_iommu *iommu, struct mock_domain *md, unsigned type,
			       const struct iommu_domain_ops *ops)
{
	md->iommu = iommu;
	INIT_LIST_HEAD(&md->extents);
	iommu_domain_init(&md->domain, type, iommu->iommu.ops, ops, 0);
}

static void *mock_create(struct iommu_core *core, u32 index)
{
	u32 ids = core->machine->n_devices * MACHINE_DEVICE_IDS_MAX;
	struct mock_iommu *iommu =
		kzalloc(struct_size(iommu, ste, ids), GFP_KERNEL | __GFP_NOFAIL);

	iommu->fw = &core->machine->iommu[index];
	iommu->smmu = !strcmp(iommu->fw->model, "mock-smmu");
	iommu->iommu.ops = iommu->smmu ? &mock_smmu_ops : &mock_ops;
	iommu->iommu.fwnode = iommu_fwnode(core, index);
	iommu->iommu.index = index;
	spin_lock_init(&iommu->lock);
	init_static_domain(iommu, &iommu->identity, IOMMU_DOMAIN_IDENTITY, &mock_identity_ops);
	init_static_domain(iommu, &iommu->blocked, IOMMU_DOMAIN_BLOCKED, &mock_blocked_ops);
	fill_stream_table(core, iommu);
	return iommu;
}

static void hw_switch(struct mock_iommu *iommu, bool on, bool down)
{
	spin_lock(&iommu->lock);
	iommu->hw_on = on;
	iommu->hw_down = down;
	spin_unlock(&iommu->lock);
}

static void bound_list_add(struct mock_iommu *iommu)
{
	struct iommu_core *core = iommu_core();

	spin_lock(&core->drv_lock);
	list_add_tail(&iommu->bound, &core->drv_bound);
	spin_unlock(&core->drv_lock);
}

static void bound_list_del(struct mock_iommu *iommu)
{
	struct iommu_core *core = iommu_core();

	spin_lock(&core->drv_lock);
	list_del(&iommu->bound);
	spin_unlock(&core->drv_lock);
}

static int mock_bind(void *instance)
{
	struct mock_iommu *iommu = instance;
	int ret;

	hw_switch(iommu, true, false);
	ret = iommu_device_register(&iommu->iommu, iommu->iommu.ops);
	if (ret)
		hw_switch(iommu, false, false);
	else
		bound_list_add(iommu);
	return ret;
}

static void mock_unbind(void *instance)
{
	struct mock_iommu *iommu = instance;

	bound_list_del(iommu);
	iommu_device_unregister(&iommu->iommu);
	hw_switch(iommu, false, false);
}

static bool mock_shutdown(void *instance)
{
	struct mock_iommu *iommu = instance;

	hw_switch(iommu, true, true);
	if (bug_on(BUG_CORE_SHUTDOWN_UNREGISTER)) {
		bound_list_del(iommu);
		iommu_device_unregister_live(&iommu->iommu);
		return true;
	} else {
		/* Groups and domains stay: drivers may still be at work. */
		return false;
	}
}

#define MOCK_DRIVER                 \
	.create = mock_create,      \
	.bind = mock_bind,          \
	.unbind = mock_unbind,      \
	.shutdown = mock_shutdown,  \
	.dma = mock_hw_dma,         \
	.translate = mock_hw_translate

const struct iommu_driver mock_driver = {.model = "mock", MOCK_DRIVER};
const struct iommu_driver mock_smmu_driver = {.model = "mock-smmu", MOCK_DRIVER};
