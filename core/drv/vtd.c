// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VT-d driver: binding to an instance, and its devices.
 *
 * Deliberately not here (docs/CAVEATS.md): walkers that do not see the
 * processor's caches (ECAP.C = 0 is refused), interrupt remapping, page requests
 * without a PASID.
 */
#include "core/drv/vtd_priv.h"

static struct vtd_iommu *to_vtd(struct iommu_device *iommu)
{
	return container_of(iommu, struct vtd_iommu, iommu);
}

/* --- devices --- */

static int vtd_of_xlate(struct device *dev, u32 id)
{
	return iommu_fwspec_add_ids(dev, &id, 1);
}

/* Its table of PASIDs is that of all devices behind its id: it has to be alone there. */
static bool can_have_pasids(const struct vtd_device *d)
{
	const struct iommu_core *core = iommu_core();

	if (!d->iommu->scalable || !(d->iommu->ecap & VTD_ECAP_PASID) || d->n_sid != 1 ||
	    !dev_fw(d->dev)->pasid || !dev_is_pci(d->dev))
		return false;
	for (u32 i = 0; i < core->machine->n_devices; i++) {
		if (i != d->dev->index && core->requester[i] == d->sid[0])
			return false;
	}
	return true;
}

static struct vtd_device *device_create(struct vtd_iommu *iommu, struct device *dev,
					struct iommu_fwspec *fwspec)
{
	struct vtd_device *d = kzalloc(sizeof(*d), GFP_KERNEL);
	unsigned long n;

	if (!d)
		return NULL;
	d->iommu = iommu;
	d->dev = dev;
	INIT_LIST_HEAD(&d->tag);
	d->ats = dev_fw(dev)->ats && iommu->ecap & VTD_ECAP_DT;
	n = min(smp_load_acquire(&fwspec->num_ids), (unsigned long)MACHINE_DEVICE_IDS_MAX);
	for (u32 i = 0; i < n; i++)
		d->sid[d->n_sid++] = fwspec->ids[i] & 0xffff;
	d->pasid = can_have_pasids(d);
	d->pri = d->pasid && d->ats && dev_fw(dev)->pri && iommu->ecap & VTD_ECAP_PRS;
	dev->iommu->no_pasids = !d->pasid;
	return d;
}

void vtd_ats_enable(struct vtd_device *d)
{
	if (d->ats && !d->ats_on)
		drv_ats_set(d->dev, true);
	d->ats_on = d->ats;
}

/* As the machine's description wants it: each device has to be probed twice. */
static int prepare(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;

	if (iommu->fw->fail_probe && !(iommu->tried & BIT_ULL(d->dev->index))) {
		iommu->tried |= BIT_ULL(d->dev->index);
		return -EPROBE_DEFER;
	}
	return vtd_tables_prepare(d);
}

static struct iommu_device *vtd_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct vtd_iommu *iommu = to_vtd(iommu_from_fwnode(fwspec->iommu_fwnode));
	struct vtd_device *d = device_create(iommu, dev, fwspec);
	int ret;

	if (!d)
		return ERR_PTR(-ENOMEM);
	ret = prepare(d);
	if (ret) {
		if (bug_on(BUG_VTD_RBTREE_REMOVE_UNINIT)) {
			/* It is taken out of where it has not come to yet. */
			list_del(&d->node);
		}
		kfree(d);
		return ERR_PTR(ret);
	}
	if (bug_on(BUG_VTD_DEVTLB_TAG_MISSING)) {
		/* Its driver, or the first attach, is early enough. */
	} else {
		vtd_ats_enable(d);
	}
	dev_iommu_priv_set(dev, d);
	return &iommu->iommu;
}

static void ats_disable(struct vtd_device *d)
{
	if (d->ats_on)
		drv_ats_set(d->dev, false);
	d->ats_on = false;
}

static void vtd_release_device(struct device *dev)
{
	struct vtd_device *d = dev_iommu_priv_get(dev);
	struct vtd_domain *own = d->domain;

	iopf_release_device(dev);
	if (bug_on(BUG_VTD_ATS_TAG_UAF)) {
		/* The domain is asked to forget a device TLB that is off. */
		ats_disable(d);
		vtd_device_detach(d);
	} else {
		vtd_device_detach(d);
		ats_disable(d);
	}
	/* Who reports its page requests has it in hand. */
	mutex_lock(&iommu_core()->report_lock);
	vtd_tables_release(d);
	mutex_unlock(&iommu_core()->report_lock);
	/* Nothing of it is under way. */
	vtd_qi_submit(d->iommu, NULL, 0);
	if (bug_on(BUG_VTD_PRIVATE_DOMAIN_UAF)) {
		/* The domain was this device's, and others behind its bridge are forgotten. */
		if (own && own->domain.type & __IOMMU_DOMAIN_PAGING)
			vtd_paging_ops.free(&own->domain);
	}
	kfree(d);
}

static struct iommu_group *vtd_device_group(struct device *dev)
{
	return dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
}

static struct iommu_domain *vtd_identity_domain(struct device *dev)
{
	struct vtd_device *d = dev_iommu_priv_get(dev);

	return d->iommu->ecap & VTD_ECAP_PT ? &d->iommu->identity.domain : NULL;
}

static struct iommu_domain *vtd_blocked_domain(struct device *dev)
{
	struct vtd_device *d = dev_iommu_priv_get(dev);

	return &d->iommu->blocked.domain;
}

static bool vtd_capable(struct device *dev, enum iommu_cap cap)
{
	struct vtd_device *d = dev_iommu_priv_get(dev);

	/* Accesses snoop because devices say so; nothing here makes them. */
	return cap == IOMMU_CAP_CACHE_COHERENCY ||
	       (cap == IOMMU_CAP_DIRTY_TRACKING && vtd_can_track(d->iommu));
}

static void *vtd_hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct vtd_device *d = dev_iommu_priv_get(dev);
	struct iommu_hw_info_vtd *info;

	if (*type != 0 && *type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	info->flags = IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17;
	info->cap_reg = d->iommu->cap;
	info->ecap_reg = d->iommu->ecap;
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	return info;
}

static const struct iommu_ops vtd_ops = {
	.probe_device = vtd_probe_device,
	.release_device = vtd_release_device,
	.device_group = vtd_device_group,
	.of_xlate = vtd_of_xlate,
	.get_resv_regions = drv_get_resv_regions,
	.is_attach_deferred = drv_is_attach_deferred,
	.def_domain_type = drv_def_domain_type,
	.domain_alloc_paging = vtd_domain_alloc_paging,
	.domain_alloc_user = vtd_domain_alloc_user,
	.domain_alloc_sva = vtd_domain_alloc_sva,
	.page_response = vtd_answer_pages,
	.capable = vtd_capable,
	.hw_info = vtd_hw_info,
	.identity_domain = vtd_identity_domain,
	.blocked_domain = vtd_blocked_domain,
};

/* --- instances --- */

static void *vtd_create(struct iommu_core *core, u32 index)
{
	struct vtd_iommu *iommu = kzalloc(sizeof(*iommu), GFP_KERNEL | __GFP_NOFAIL);

	iommu->fw = &core->machine->iommu[index];
	iommu->index = index;
	iommu->mmio = drv_mmio(index);
	iommu->iommu.ops = &vtd_ops;
	iommu->iommu.fwnode = iommu_fwnode(core, index);
	iommu->iommu.index = index;
	spin_lock_init(&iommu->lock);
	spin_lock_init(&iommu->qi.lock);
	INIT_LIST_HEAD(&iommu->devices);
	ida_init(&iommu->dids);
	init_waitqueue_head(&iommu->prq.wait);
	iopf_queue_init(&iommu->iommu.iopf);
	vtd_domains_init(iommu);
	return iommu;
}

/* Levels of second-stage tables: the most that the instance walks, 4 if it can. */
static u32 pick_levels(u64 cap)
{
	u32 sagaw = (u32)(cap >> VTD_CAP_SAGAW_SHIFT) & 0x1f;

	return sagaw & 4 ? 4 : sagaw & 8 ? 5 : sagaw & 2 ? 3 : 0;
}

static u32 pasids_of(const struct vtd_iommu *iommu)
{
	u32 bits = (u32)(iommu->ecap >> VTD_ECAP_PSS_SHIFT & 0x1f) + 1;

	if (!iommu->scalable || !(iommu->ecap & VTD_ECAP_PASID))
		return 0;
	return min(1u << min(bits, 20u), VTD_PASIDS);
}

static int read_capabilities(struct vtd_iommu *iommu)
{
	iommu->cap = vtd_read64(iommu, VTD_CAP);
	iommu->ecap = vtd_read64(iommu, VTD_ECAP);
	iommu->levels = pick_levels(iommu->cap);
	iommu->n_records = (u32)(iommu->cap >> VTD_CAP_NFR_SHIFT & 0xff) + 1;
	iommu->scalable = iommu->ecap & VTD_ECAP_SMTS && iommu->ecap & VTD_ECAP_SSTS;
	iommu->iommu.max_pasids = pasids_of(iommu);
	if (!iommu->levels || !(iommu->ecap & VTD_ECAP_QI) || !(iommu->ecap & VTD_ECAP_C))
		return -ENODEV;
	return 0;
}

static void set_root(struct vtd_iommu *iommu)
{
	u64 mode = iommu->scalable ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;

	vtd_write64(iommu, VTD_RTADDR, iommu->root | mode << VTD_RTADDR_TTM_SHIFT);
	vtd_command(iommu, VTD_G_SRTP, true);
	vtd_flush_context_all(iommu);
	if (iommu->scalable)
		vtd_qi_submit(iommu, &(struct vtd_desc){{VTD_INV_PASID_CACHE | 3ULL << 4}}, 1);
	vtd_flush_iotlb_all(iommu);
}

static void stop(struct vtd_iommu *iommu)
{
	vtd_command(iommu, VTD_G_TE, false);
	vtd_prq_disable(iommu);
	vtd_faults_disable(iommu);
	vtd_qi_disable(iommu);
	vtd_tables_destroy(iommu);
}

static int start(struct vtd_iommu *iommu)
{
	int ret = read_capabilities(iommu);

	if (ret)
		return ret;
	ret = vtd_tables_create(iommu);
	if (ret)
		return ret;
	ret = vtd_qi_enable(iommu);
	if (ret)
		goto err_tables;
	ret = vtd_faults_enable(iommu);
	if (ret)
		goto err_qi;
	ret = vtd_prq_enable(iommu);
	if (ret)
		goto err_faults;
	set_root(iommu);
	vtd_command(iommu, VTD_G_TE, true);
	return 0;

err_faults:
	vtd_faults_disable(iommu);
err_qi:
	vtd_qi_disable(iommu);
err_tables:
	vtd_tables_destroy(iommu);
	return ret;
}

static int vtd_bind(void *instance)
{
	struct vtd_iommu *iommu = instance;
	int ret = start(iommu);

	if (ret)
		return ret;
	ret = iommu_device_register(&iommu->iommu, &vtd_ops);
	if (ret)
		stop(iommu);
	return ret;
}

static void vtd_unbind(void *instance)
{
	struct vtd_iommu *iommu = instance;

	iommu_device_unregister(&iommu->iommu);
	stop(iommu);
}

/* As before a reboot: what comes next must find DMA untranslated. */
static bool vtd_shutdown(void *instance)
{
	vtd_command(instance, VTD_G_TE, false);
	return false;
}

static const u32 saved_regs[] = {VTD_FECTL, VTD_FEDATA, VTD_FEADDR, VTD_FEUADDR};

/* Devices sleep already: nothing is under way while translation is off. */
static void sleep_and_wake(struct vtd_iommu *iommu, u32 *saved)
{
	for (u32 i = 0; i < ARRAY_SIZE(saved_regs); i++)
		saved[i] = vtd_read32(iommu, saved_regs[i]);
	vtd_flush_context_all(iommu);
	vtd_flush_iotlb_all(iommu);
	vtd_command(iommu, VTD_G_TE, false);
	/* Firmware has had the unit: it may be as after a reset. */
	set_root(iommu);
	for (u32 i = ARRAY_SIZE(saved_regs); i-- > 0;)
		vtd_write32(iommu, saved_regs[i], saved[i]);
	vtd_command(iommu, VTD_G_TE, true);
}

static void vtd_suspend(void *instance)
{
	struct vtd_iommu *iommu = instance;

	if (bug_on(BUG_VTD_SUSPEND_ALLOC)) {
		u32 *saved = kcalloc(ARRAY_SIZE(saved_regs), sizeof(*saved), GFP_KERNEL);

		if (saved)
			sleep_and_wake(iommu, saved);
		kfree(saved);
	} else {
		sleep_and_wake(iommu, iommu->saved);
	}
}

const struct iommu_driver vtd_driver = {
	.model = "vtd",
	.create = vtd_create,
	.bind = vtd_bind,
	.unbind = vtd_unbind,
	.shutdown = vtd_shutdown,
	.suspend = vtd_suspend,
};
