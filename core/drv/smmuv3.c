// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMUv3 driver: binding to an instance, and its devices.
 *
 * Deliberately not here (docs/CAVEATS.md): walkers that do not see the
 * processor's caches (IDR0.COHACC = 0 is refused), granules other than 4K, PASIDs of
 * devices with ATS.
 */
#include "core/drv/smmu_priv.h"

#define MSI_IOVA_BASE 0x8000000ULL
#define MSI_IOVA_LENGTH 0x100000ULL

#define CR0_POLL 1000u /* reads of CR0ACK before giving up */

static struct smmu_iommu *to_smmu(struct iommu_device *iommu)
{
	return container_of(iommu, struct smmu_iommu, iommu);
}

/* --- devices --- */

static int smmu_of_xlate(struct device *dev, u32 id)
{
	return iommu_fwspec_add_ids(dev, &id, 1);
}

/* As firmware leaves it ATS may be on: it is turned on with the domain that is for it. */
static bool master_ats(const struct smmu_iommu *iommu, struct device *dev)
{
	if (!dev_fw(dev)->ats || !dev_is_pci(dev))
		return false;
	drv_ats_set(dev, false);
	return iommu->idr0 & BIT(IDR0_ATS) && (iommu->idr0 >> IDR0_STALL_MODEL & 3) != 2;
}

static struct iommu_device *smmu_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct smmu_iommu *iommu = to_smmu(iommu_from_fwnode(fwspec->iommu_fwnode));
	struct smmu_master *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned long n;
	int ret;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->iommu = iommu;
	m->dev = dev;
	m->ats = master_ats(iommu, dev);
	m->pri = m->ats && dev_fw(dev)->pri && smmu_has_priq(iommu);
	m->ats_link[0].master = m->ats_link[1].master = m;
	n = min(smp_load_acquire(&fwspec->num_ids), (unsigned long)MACHINE_DEVICE_IDS_MAX);
	for (u32 i = 0; i < n; i++)
		m->sid[m->n_sid++] = fwspec->ids[i];
	if (iommu->idr0 & BIT(IDR0_S1P) && !m->ats && dev_fw(dev)->pasid)
		m->ssid_bits = min(iommu->idr1 >> IDR1_SSIDSIZE & 0x1f, SMMU_SSID_BITS);
	ret = smmu_master_prepare(m);
	if (ret) {
		kfree(m);
		return ERR_PTR(ret);
	}
	iommu->iommu.max_pasids = 1u << SMMU_SSID_BITS;
	dev_iommu_priv_set(dev, m);
	mutex_lock(&iommu_core()->report_lock);
	list_add_tail(&m->node, &iommu->masters);
	mutex_unlock(&iommu_core()->report_lock);
	return &iommu->iommu;
}

static void smmu_release_device(struct device *dev)
{
	struct smmu_master *m = dev_iommu_priv_get(dev);

	mutex_lock(&iommu_core()->report_lock);
	list_del(&m->node);
	mutex_unlock(&iommu_core()->report_lock);
	iopf_release_device(dev);
	smmu_master_detach(m);
	smmu_master_release(m);
	kfree(m);
}

static struct iommu_group *smmu_device_group(struct device *dev)
{
	return dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
}

static struct smmu_iommu *dev_smmu(struct device *dev)
{
	struct smmu_master *m = dev_iommu_priv_get(dev);

	return m->iommu;
}

static struct iommu_domain *smmu_identity_domain(struct device *dev)
{
	return &dev_smmu(dev)->identity.domain;
}

static struct iommu_domain *smmu_blocked_domain(struct device *dev)
{
	return &dev_smmu(dev)->blocked.domain;
}

static bool smmu_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY ||
	       (cap == IOMMU_CAP_DIRTY_TRACKING && smmu_can_track(dev_smmu(dev)));
}

/* dup: messages are translated: they get a window, unless the machine gives one. */
static void smmu_get_resv_regions(struct device *dev, struct list_head *list)
{
	struct iommu_resv_region *region;

	drv_get_resv_regions(dev, list);
	list_for_each_entry(region, list, list) {
		if (region->type == IOMMU_RESV_SW_MSI)
			return;
	}
	region = iommu_alloc_resv_region(MSI_IOVA_BASE, MSI_IOVA_LENGTH, IOMMU_RESV_SW_MSI);
	if (region)
		list_add_tail(&region->list, list);
}

/* The registers themselves; which of them user space may go by is said in the uAPI's text. */
static void *smmu_hw_info(struct device *dev, u32 *length, u32 *type)
{
	static const u32 idr[] = {SMMU_IDR0, SMMU_IDR1, SMMU_IDR2, SMMU_IDR3, SMMU_IDR4, SMMU_IDR5};
	struct smmu_iommu *iommu = dev_smmu(dev);
	struct iommu_hw_info_arm_smmuv3 *info;

	if (*type != 0 && *type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	for (u32 i = 0; i < ARRAY_SIZE(idr); i++)
		info->idr[i] = smmu_read(iommu, idr[i]);
	info->iidr = smmu_read(iommu, SMMU_IIDR);
	info->aidr = smmu_read(iommu, SMMU_AIDR);
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	return info;
}

static const struct iommu_ops smmu_ops = {
	.probe_device = smmu_probe_device,
	.release_device = smmu_release_device,
	.device_group = smmu_device_group,
	.of_xlate = smmu_of_xlate,
	.get_resv_regions = smmu_get_resv_regions,
	.is_attach_deferred = drv_is_attach_deferred,
	.def_domain_type = drv_def_domain_type,
	.domain_alloc_paging = smmu_domain_alloc_paging,
	.domain_alloc_user = smmu_domain_alloc_user,
	.capable = smmu_capable,
	.identity_domain = smmu_identity_domain,
	.blocked_domain = smmu_blocked_domain,
	.page_response = smmu_page_response,
	.hw_info = smmu_hw_info,
	.user_pasid_table = true,
	.get_viommu_size = smmu_viommu_size,
	.viommu_init = smmu_viommu_init,
};

/* --- instances --- */

static void *smmu_create(struct iommu_core *core, u32 index)
{
	struct smmu_iommu *iommu = kzalloc(sizeof(*iommu), GFP_KERNEL | __GFP_NOFAIL);

	iommu->fw = &core->machine->iommu[index];
	iommu->index = index;
	iommu->mmio = drv_mmio(index);
	iommu->iommu.ops = &smmu_ops;
	iommu->iommu.fwnode = iommu_fwnode(core, index);
	iommu->iommu.index = index;
	spin_lock_init(&iommu->lock);
	INIT_LIST_HEAD(&iommu->masters);
	iopf_queue_init(&iommu->iommu.iopf);
	spin_lock_init(&iommu->cmdq.lock);
	ida_init(&iommu->asids);
	ida_init(&iommu->vmids);
	smmu_domains_init(iommu);
	return iommu;
}

/* What is on while the instance works, but for translation itself. */
static u32 queues_on(const struct smmu_iommu *iommu)
{
	return CR0_CMDQEN | CR0_EVENTQEN | (iommu->priq ? CR0_PRIQEN : 0);
}

static int set_cr0(struct smmu_iommu *iommu, u32 v)
{
	smmu_write(iommu, SMMU_CR0, v);
	for (u32 i = 0; i < CR0_POLL; i++) {
		if (smmu_read(iommu, SMMU_CR0ACK) == v)
			return 0;
		cpu_relax();
	}
	return -ETIMEDOUT;
}

static int read_capabilities(struct smmu_iommu *iommu)
{
	static const u8 oas[] = {32, 36, 40, 42, 44, 48, 52, 56};

	iommu->idr0 = smmu_read(iommu, SMMU_IDR0);
	iommu->idr1 = smmu_read(iommu, SMMU_IDR1);
	iommu->idr3 = smmu_read(iommu, SMMU_IDR3);
	iommu->idr5 = smmu_read(iommu, SMMU_IDR5);
	iommu->oas = min((u32)oas[iommu->idr5 >> IDR5_OAS & 7], 48u);
	if (!(iommu->idr0 & (BIT(IDR0_S1P) | BIT(IDR0_S2P))) ||
	    !(iommu->idr0 & BIT(IDR0_COHACC)) || !(iommu->idr5 & BIT(IDR5_GRAN4K)))
		return -ENODEV;
	return 0;
}

/* Everything off; what hardware kept from before is dropped once commands work. */
static int start_queues(struct smmu_iommu *iommu)
{
	int ret;

	smmu_write(iommu, SMMU_CR1, 0xd75); /* tables and queues: write-back, inner shareable */
	smmu_write(iommu, SMMU_CR2, CR2_PTM | CR2_RECINVSID);
	ret = set_cr0(iommu, CR0_CMDQEN);
	if (ret)
		return ret;
	smmu_flush_everything(iommu);
	return set_cr0(iommu, queues_on(iommu));
}

static void free_memory(struct smmu_iommu *iommu)
{
	if (iommu->evtq)
		frame_free(this_world(), iommu->evtq, 0);
	if (iommu->priq)
		frame_free(this_world(), iommu->priq, 0);
	if (iommu->cmdq.pa)
		smmu_cmdq_destroy(iommu);
	if (iommu->strtab)
		smmu_strtab_destroy(iommu);
	iommu->evtq = iommu->priq = iommu->cmdq.pa = 0;
}

static int start(struct smmu_iommu *iommu)
{
	int ret = read_capabilities(iommu);

	ret = ret ? ret : set_cr0(iommu, 0);
	ret = ret ? ret : smmu_strtab_create(iommu);
	ret = ret ? ret : smmu_cmdq_create(iommu);
	ret = ret ? ret : smmu_evtq_create(iommu);
	ret = ret ? ret : smmu_priq_create(iommu);
	ret = ret ? ret : start_queues(iommu);
	ret = ret ? ret : smmu_priq_irq(iommu);
	if (ret)
		goto err;
	ret = smmu_evtq_irq(iommu);
	if (ret)
		goto err_priq;
	ret = set_cr0(iommu, queues_on(iommu) | CR0_SMMUEN);
	if (!ret)
		return 0;
	smmu_evtq_destroy(iommu);
err_priq:
	smmu_priq_destroy(iommu);
err:
	free_memory(iommu);
	return ret;
}

static void stop(struct smmu_iommu *iommu)
{
	smmu_cmdq_close(iommu);
	WARN_ON(set_cr0(iommu, 0));
	smmu_write(iommu, SMMU_IRQ_CTRL, 0);
	smmu_evtq_destroy(iommu);
	smmu_priq_destroy(iommu);
	free_memory(iommu);
}

static int smmu_bind(void *instance)
{
	struct smmu_iommu *iommu = instance;
	int ret = start(iommu);

	if (ret)
		return ret;
	ret = iommu_device_register(&iommu->iommu, &smmu_ops);
	if (ret)
		stop(iommu);
	return ret;
}

static void smmu_unbind(void *instance)
{
	struct smmu_iommu *iommu = instance;

	iommu_device_unregister(&iommu->iommu);
	stop(iommu);
}

/* As before a reboot: DMA is aborted from now on, as GBPA says. */
static bool smmu_shutdown(void *instance)
{
	struct smmu_iommu *iommu = instance;

	smmu_write(iommu, SMMU_GBPA, GBPA_UPDATE | GBPA_ABORT);
	while (smmu_read(iommu, SMMU_GBPA) & GBPA_UPDATE)
		cpu_relax();
	WARN_ON(set_cr0(iommu, queues_on(iommu)));
	return false;
}

const struct iommu_driver smmuv3_driver = {
	.model = "smmuv3",
	.create = smmu_create,
	.bind = smmu_bind,
	.unbind = smmu_unbind,
	.shutdown = smmu_shutdown,
};
