// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: an IOMMU driver for the scenario's machine. Page tables are the
 * tree's own (io-pgtable, 64-bit LPAE stage 1); groups come from the tree's
 * pci_device_group() or from shared stream ids.
 *
 * False: there is no hardware: an attach only notes the domain, an
 * invalidation waits for look-ups, DMA is a look-up in the page table.
 */
#include "core/hosted/custom/machine.h"

#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

/* Of drivers/base, which keeps them to itself. */
int device_driver_attach(const struct device_driver *drv, struct device *dev);
void device_driver_detach(struct device *dev);

struct hosted_domain {
	struct iommu_domain domain;
	struct hosted_iommu *iommu;
	struct io_pgtable_ops *table;
};

static struct hosted_iommu *iommu_of(struct device *dev)
{
	struct hosted_device *hd = hosted_device_of(dev);

	if (!hd || hd->d.iommu >= hosted_machine.n_iommus)
		return NULL;
	return &hosted_machine.iommu[hd->d.iommu];
}

static struct hosted_domain *domain_of(struct iommu_domain *domain)
{
	return container_of(domain, struct hosted_domain, domain);
}

/* --- domains --- */

/* As an invalidation does: what the devices look up now is not what is being freed. */
static void wait_for_walks(void)
{
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		while (hosted_machine.device[i].walking)
			hosted_floor->yield();
	}
}

static void tlb_flush_all(void *cookie)
{
	wait_for_walks();
}

static void tlb_flush_walk(unsigned long iova, size_t size, size_t granule, void *cookie)
{
	wait_for_walks();
}

static const struct iommu_flush_ops flush_ops = {
	.tlb_flush_all = tlb_flush_all,
	.tlb_flush_walk = tlb_flush_walk,
};

/* Newer trees say which domain is left, too. */
#if HOSTED_HAS_ATTACH_OLD
#define ATTACH_ARGS struct iommu_domain *domain, struct device *dev, struct iommu_domain *old
#else
#define ATTACH_ARGS struct iommu_domain *domain, struct device *dev
#endif

static int attach_paging(ATTACH_ARGS)
{
	struct hosted_device *hd = hosted_device_of(dev);

	if (domain_of(domain)->iommu != iommu_of(dev))
		return -EINVAL;
	hosted_floor->release(hd);
	WRITE_ONCE(hd->domain, domain);
	wait_for_walks();
	return 0;
}

static int attach_static(ATTACH_ARGS)
{
	WRITE_ONCE(hosted_device_of(dev)->domain, domain);
	wait_for_walks();
	return 0;
}

/* signature given */
static int map_pages(struct iommu_domain *domain, unsigned long iova, phys_addr_t pa,
		     size_t pgsize, size_t n, int prot, gfp_t gfp, size_t *mapped)
{
	struct io_pgtable_ops *t = domain_of(domain)->table;

	return t->map_pages(t, iova, pa, pgsize, n, prot, gfp, mapped);
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova, size_t pgsize, size_t n,
			  struct iommu_iotlb_gather *gather)
{
	struct io_pgtable_ops *t = domain_of(domain)->table;

	return t->unmap_pages(t, iova, pgsize, n, gather);
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct io_pgtable_ops *t = domain_of(domain)->table;

	return t->iova_to_phys(t, iova);
}

static bool enforce_cache_coherency(struct iommu_domain *domain)
{
	return true;
}

/* A device that still uses it has lost its translation under its feet. */
static void free_paging(struct iommu_domain *domain)
{
	struct hosted_domain *d = domain_of(domain);

	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (hd->domain == domain)
			hosted_finding(HOSTED_CALLER, "BUG: domain freed under a device in %F",
				       "device %s still translates by it", hd->d.name);
	}
	free_io_pgtable_ops(d->table);
	kfree(d);
}

static const struct iommu_domain_ops paging_ops = {
	.attach_dev = attach_paging,
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.iova_to_phys = iova_to_phys,
	.enforce_cache_coherency = enforce_cache_coherency,
	.free = free_paging,
};

static const struct iommu_domain_ops static_ops = {.attach_dev = attach_static};
static struct iommu_domain identity_domain = {.type = IOMMU_DOMAIN_IDENTITY, .ops = &static_ops};
static struct iommu_domain blocked_domain = {.type = IOMMU_DOMAIN_BLOCKED, .ops = &static_ops};

static struct iommu_domain *alloc_paging(struct device *dev)
{
	struct hosted_iommu *u = iommu_of(dev);
	struct hosted_domain *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	struct io_pgtable_cfg cfg = {
		.pgsize_bitmap = u->d.pgsize_bitmap,
		.ias = min(u->d.aperture_lg2, 48U),
		.oas = 48,
		.coherent_walk = true,
		.tlb = &flush_ops,
	};

	if (!d)
		return ERR_PTR(-ENOMEM);
	d->table = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &cfg, d);
	if (!d->table) {
		kfree(d);
		return ERR_PTR(-ENOMEM);
	}
	d->iommu = u;
	d->domain.type = IOMMU_DOMAIN_UNMANAGED;
	d->domain.ops = &paging_ops;
	d->domain.pgsize_bitmap = cfg.pgsize_bitmap;
	d->domain.geometry.aperture_end = (1UL << cfg.ias) - 1;
	d->domain.geometry.force_aperture = true;
	return &d->domain;
}

/* A device without a domain of its own reaches all memory, as before any attach. */
static void *look_up(struct hosted_device *hd, u64 iova, unsigned long size)
{
	struct iommu_domain *domain = READ_ONCE(hd->domain);
	phys_addr_t pa = iova;

	if (domain == &blocked_domain)
		return NULL;
	hosted_floor->acquire(hd);
	hd->walking++;
	if (domain && domain != &identity_domain)
		pa = iova_to_phys(domain, iova);
	hd->walking--;
	if (!pa || PHYS_PFN(pa) != PHYS_PFN(pa + size - 1) || PHYS_PFN(pa) >= max_mapnr)
		return NULL;
	return page_address(pfn_to_page(PHYS_PFN(pa))) + offset_in_page(pa);
}

int hosted_dma(struct hosted_device *hd, const struct hosted_access *a)
{
	void *at;

	if (hd->d.iommu < hosted_machine.n_iommus &&
	    hosted_machine.iommu[hd->d.iommu].d.model != FLOOR_MODEL_MOCK) {
		unsigned int epoch = 0, endpoint = hosted_pci_endpoint(hd, &epoch);

		return hosted_floor->dma(&(struct floor_dma){
			.iommu = hd->d.iommu, .sid = hosted_requester(hd), .pasid = a->pasid,
			.addr = a->iova, .buf = a->buf, .size = a->size, .write = a->write,
			.pages = a->pages,
			.endpoint = endpoint, .epoch = epoch});
	}
	at = a->pasid == FLOOR_NONE && !a->pages ? look_up(hd, a->iova, a->size) : NULL;
	if (!at)
		return -EFAULT;
	memcpy(a->write ? at : a->buf, a->write ? a->buf : at, a->size);
	return 0;
}

/* --- devices --- */

static bool capable_of(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY || cap == IOMMU_CAP_NOEXEC ||
	       cap == IOMMU_CAP_ENFORCE_CACHE_COHERENCY || cap == IOMMU_CAP_DEFERRED_FLUSH;
}

/* While it registers, only to who does that: nobody sees it half made. */
static bool is_there(const struct hosted_iommu *u)
{
	return u && (READ_ONCE(u->registered) || READ_ONCE(u->registrar) == current);
}

static struct iommu_device *probe_device(struct device *dev)
{
	struct hosted_device *hd = hosted_device_of(dev);
	struct hosted_iommu *u = iommu_of(dev);

	if (!is_there(u))
		return ERR_PTR(-ENODEV);
	if (u->d.fail_probe && !hd->probe_failed) {
		hd->probe_failed = true;
		return ERR_PTR(-EPROBE_DEFER);
	}
	dev_iommu_priv_set(dev, hd);
	return &u->iommu;
}

static void release_device(struct device *dev)
{
	WRITE_ONCE(hosted_device_of(dev)->domain, NULL);
}

static bool shares_stream(const struct floor_device *a, const struct floor_device *b)
{
	for (unsigned int i = 0; i < a->n_ids; i++) {
		for (unsigned int k = 0; k < b->n_ids; k++) {
			if (a->ids[i] == b->ids[k])
				return true;
		}
	}
	return false;
}

/* A platform device is with those whose ids it shares; PCI without ACS, with its bus. */
static bool is_with(const struct hosted_device *a, const struct hosted_device *b)
{
	if (a == b || a->d.iommu != b->d.iommu)
		return false;
	if (a->d.bus == b->d.bus && hosted_machine.bus[a->d.bus].pci &&
	    !hosted_machine.bus[a->d.bus].acs)
		return true;
	return shares_stream(&a->d, &b->d);
}

static struct iommu_group *device_group(struct device *dev)
{
	struct hosted_device *hd = hosted_device_of(dev);

	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *other = &hosted_machine.device[i];
		struct iommu_group *group;

		if (!other->dev || !is_with(hd, other))
			continue;
		group = iommu_group_get(other->dev);
		if (group)
			return group;
	}
	return dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
}

static const enum iommu_resv_type resv_types[] = {
	[FLOOR_RESV_DIRECT] = IOMMU_RESV_DIRECT,
	[FLOOR_RESV_DIRECT_RELAXABLE] = IOMMU_RESV_DIRECT_RELAXABLE,
	[FLOOR_RESV_RESERVED] = IOMMU_RESV_RESERVED,
	[FLOOR_RESV_MSI] = IOMMU_RESV_MSI,
	[FLOOR_RESV_SW_MSI] = IOMMU_RESV_SW_MSI,
};

#define MSI_WINDOW 0xfee00000UL
#define MSI_WINDOW_SIZE 0x100000UL

static void add_region(struct list_head *list, const struct floor_resv *r)
{
	int prot = r->type < FLOOR_RESV_RESERVED ? IOMMU_READ | IOMMU_WRITE : 0;
	struct iommu_resv_region *region =
		iommu_alloc_resv_region(r->start, r->length, prot, resv_types[r->type], GFP_KERNEL);

	if (region)
		list_add_tail(&region->list, list);
}

/* What the machine says; a device without a MSI window of its own has x86's. */
static void get_resv_regions(struct device *dev, struct list_head *list)
{
	static const struct floor_resv window = {
		.start = MSI_WINDOW, .length = MSI_WINDOW_SIZE, .type = FLOOR_RESV_MSI};
	struct hosted_device *hd = hosted_device_of(dev);
	bool has_window = false;

	for (int i = 0; i < hosted_machine.n_resv; i++) {
		const struct floor_resv *r = &hosted_machine.resv[i];

		if (r->device != hd - hosted_machine.device)
			continue;
		has_window |= r->type == FLOOR_RESV_MSI || r->type == FLOOR_RESV_SW_MSI;
		add_region(list, r);
	}
	if (!has_window)
		add_region(list, &window);
}

static bool is_attach_deferred(struct device *dev)
{
	return iommu_of(dev)->d.deferred_attach;
}

static int def_domain_type(struct device *dev)
{
	struct hosted_iommu *u = iommu_of(dev);

	return u->d.default_domain == FLOOR_DOMAIN_IDENTITY ? IOMMU_DOMAIN_IDENTITY : 0;
}

static const struct iommu_ops driver_ops = {
	.capable = capable_of,
	.domain_alloc_paging = alloc_paging,
	.probe_device = probe_device,
	.release_device = release_device,
	.device_group = device_group,
	.get_resv_regions = get_resv_regions,
	.is_attach_deferred = is_attach_deferred,
	.def_domain_type = def_domain_type,
	.default_domain_ops = &paging_ops,
	.identity_domain = &identity_domain,
	.blocked_domain = &blocked_domain,
	.owner = THIS_MODULE,
};

/* --- instances --- */

/*
 * An IOMMU is a platform device, and registered while its driver is bound. What
 * is behind it has a link to it, as firmware's descriptions make one: drivers
 * wait for their IOMMU, and leave it before it goes.
 */
static int bind_iommu(struct platform_device *pdev)
{
	struct hosted_iommu *u = &hosted_machine.iommu[pdev->id];
	int ret;

	memset(&u->iommu, 0, sizeof(u->iommu));
	u->iommu.fwnode = &u->fwnode;
	WRITE_ONCE(u->registrar, current);
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		if (hosted_machine.device[i].d.iommu == pdev->id)
			hosted_iommu_describe(&hosted_machine.device[i]);
	}
	ret = iommu_device_register(&u->iommu, &u->ops, NULL);
	WRITE_ONCE(u->registrar, NULL);
	hosted_floor->release(u);
	WRITE_ONCE(u->registered, !ret);
	return ret;
}

static void unbind_iommu(struct platform_device *pdev)
{
	struct hosted_iommu *u = &hosted_machine.iommu[pdev->id];

	WRITE_ONCE(u->registered, false);
	iommu_device_unregister(&u->iommu);
}

static struct platform_driver iommu_driver = {
	.driver.name = "hosted-iommu",
	.probe = bind_iommu,
	.remove = unbind_iommu,
};

static int add_hardware(struct hosted_iommu *u)
{
	int ret;

	u->hw = platform_device_alloc("hosted-iommu", u - hosted_machine.iommu);
	if (!u->hw)
		return -ENOMEM;
	ret = hosted_override(&u->hw->dev, "none");
	return ret ? ret : platform_device_add(u->hw);
}

/*
 * The tree's mock driver takes every device that firmware does not describe, so
 * each IOMMU has a fwnode, and its operations are found by it from the start.
 */
int hosted_iommu_boot(void)
{
	int ret = platform_driver_register(&iommu_driver);

	if (!ret)
		ret = hosted_registers_boot();
	for (int i = 0; i < hosted_machine.n_iommus && !ret; i++) {
		struct hosted_iommu *u = &hosted_machine.iommu[i];

		fwnode_init(&u->fwnode, NULL);
		if (u->d.model == FLOOR_MODEL_SMMUV3)
			ret = hosted_smmuv3_add(u);
		if (u->d.model != FLOOR_MODEL_MOCK)
			continue;
		u->ops = driver_ops;
#if HOSTED_HAS_OPS_PGSIZE
		u->ops.pgsize_bitmap = u->d.pgsize_bitmap;
#endif
		if (u->d.no_blocking)
			u->ops.blocked_domain = NULL;
		u->firmware.fwnode = &u->fwnode;
		ret = iommu_device_register(&u->firmware, &u->ops, NULL);
		if (!ret)
			ret = add_hardware(u);
	}
	return ret;
}

void hosted_iommu_describe(struct hosted_device *hd)
{
	struct hosted_iommu *u = iommu_of(hd->dev);
	int ret = 0;

	mutex_lock(&iommu_probe_device_lock);
	if (hd->dev && !hd->going && is_there(u)) {
		if (u->d.model == FLOOR_MODEL_SMMUV3)
			ret = hosted_smmuv3_describe(u, hd);
		else if (u->d.model == FLOOR_MODEL_MOCK)
			ret = iommu_fwspec_init(hd->dev, &u->fwnode);
	}
	if (ret)
		pr_err("%s: no fwspec\n", hd->d.name);
	mutex_unlock(&iommu_probe_device_lock);
}

bool hosted_iommu_is_there(const struct hosted_device *hd)
{
	struct hosted_iommu *u = &hosted_machine.iommu[hd->d.iommu];

	if (hd->d.iommu >= hosted_machine.n_iommus || !READ_ONCE(u->registered))
		return false;
	hosted_floor->acquire(u);
	return true;
}

void hosted_iommu_link(struct device *dev)
{
	struct hosted_iommu *u = iommu_of(dev);

	if (u && u->hw && !device_link_add(dev, &u->hw->dev, DL_FLAG_AUTOPROBE_CONSUMER))
		pr_err("%s: no link to its IOMMU\n", dev_name(dev));
}

int hosted_iommu_ready(struct hosted_iommu *u)
{
	int ret;

	if (u->ready || !u->hw || u->d.model != FLOOR_MODEL_SMMUV3)
		return 0;
	ret = hosted_override(&u->hw->dev, "arm-smmu-v3");
	u->ready = !ret;
	return ret;
}

/* The tree's own driver finds its device; what was there before is told of it. */
static int register_model(struct hosted_iommu *u)
{
	int ret;

	if (!u->hw)
		return u->registered ? -EBUSY : -ENODEV;
	ret = hosted_iommu_ready(u);
	if (!ret)
		ret = device_attach(&u->hw->dev);
	if (ret != 1)
		return ret < 0 ? ret : -ENODEV;
	hosted_floor->release(u);
	WRITE_ONCE(u->registered, true);
	for (int i = 0; i < hosted_machine.n_devices; i++) {
		struct hosted_device *hd = &hosted_machine.device[i];

		if (!hd->dev || iommu_of(hd->dev) != u)
			continue;
		hosted_iommu_describe(hd);
		ret = iommu_probe_device(hd->dev);
		if (ret)
			pr_err("%s: not taken by its IOMMU: %d\n", hd->d.name, ret);
	}
	return 0;
}

int hosted_iommu_register(struct hosted_iommu *u)
{
	if (u->d.model != FLOOR_MODEL_MOCK)
		return register_model(u);
	return device_driver_attach(&iommu_driver.driver, &u->hw->dev);
}

int hosted_iommu_unregister(struct hosted_iommu *u)
{
	if (!u->hw || !u->hw->dev.driver)
		return -ENODEV;
	if (u->d.model != FLOOR_MODEL_MOCK)
		WRITE_ONCE(u->registered, false);
	device_driver_detach(&u->hw->dev);
	return 0;
}
