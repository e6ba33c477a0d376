// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared virtual addressing: a process's memory as a domain of one PASID.
 *
 * A process has one PASID for all devices, from its first binding to the end of its
 * memory's record: nobody else gets it while a device may still work for it.
 *
 * custom: hardware cannot walk the tables of sim/user's processes. The domain has its
 * own: empty at first, an entry comes with each page request that is handled, and goes
 * before the process's own does (mm_notifier). Both with mmap_lock held.
 */
#include "core/fault/fault_priv.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/rcu.h"
#include "sim/user/mm.h"

/* A process that has, or had, a binding. Owned by its mm. Lists: sva_lock. */
struct iommu_mm {
	struct mm_notifier notifier;
	struct list_head node;    /* core->sva_mms */
	struct mm_struct *mm;
	u32 pasid;
	struct list_head domains; /* sva_domain.node; also mm->mmap_lock */
	struct list_head handles; /* iommu_sva.node */
};

/* Of one process and all devices of one instance. users: sva_lock. */
struct sva_domain {
	struct list_head node;
	struct iommu_domain *domain;
	struct iommu_mm *imm;
	struct mutex map_lock;
	u32 users;
};

struct iommu_sva {
	struct iommu_attach_handle handle;
	struct list_head node;
	struct iommu_mm *imm;
	struct sva_domain *domain;
	struct device *dev;
	u32 users;
};

/* --- the process's side --- */

static void invalidate_domain(struct sva_domain *d, u64 start, u64 end)
{
	mutex_lock(&d->map_lock);
	for (u64 at = start; at < end; at += PAGE_SIZE) {
		if (iommu_iova_to_phys(d->domain, at))
			iommu_unmap(d->domain, at, PAGE_SIZE);
	}
	mutex_unlock(&d->map_lock);
}

/* The widest that is looked at page by page: what programs here map is smaller. */
#define RANGE_MAX (64ULL << 20)

/* The process ends; its bindings are still there. */
static void historic_exit(struct iommu_mm *imm)
{
	if (bug_on(BUG_SVA_PASID_EARLY_FREE))
		iommu_free_global_pasid(imm->pasid);
	if (bug_on(BUG_SVA_DRAIN_IN_ATOMIC)) {
		/* Those who are told of a release are readers. */
		rcu_read_lock();
		iopf_drain();
		rcu_read_unlock();
	}
}

static void sva_invalidate(struct mm_notifier *n, unsigned long start, unsigned long end)
{
	struct iommu_mm *imm = container_of(n, struct iommu_mm, notifier);
	struct sva_domain *d;

	if (end - start >= TASK_SIZE)
		historic_exit(imm);
	list_for_each_entry(d, &imm->domains, node) {
		struct vm_area_struct *vma;

		if (end - start <= RANGE_MAX) {
			invalidate_domain(d, start, end);
			continue;
		}
		for_each_vma_range(vma, imm->mm, start, end)
			invalidate_domain(d, max(start, vma->node.start),
					  min(end, vma->node.last + 1));
	}
}

/* The process's memory and all bindings have gone: so has the PASID. */
static void sva_free(struct mm_notifier *n)
{
	struct iommu_mm *imm = container_of(n, struct iommu_mm, notifier);
	struct iommu_core *core = iommu_core();

	WARN_ON(!list_empty(&imm->domains) || !list_empty(&imm->handles));
	mutex_lock(&core->sva_lock);
	list_del(&imm->node);
	mutex_unlock(&core->sva_lock);
	if (!bug_on(BUG_SVA_PASID_REF_LEAK) && !bug_on(BUG_SVA_PASID_EARLY_FREE) &&
	    !bug_on(BUG_PASID_IMMEDIATE_REUSE))
		iommu_free_global_pasid(imm->pasid);
	kfree(imm);
}

/* With sva_lock. */
static struct iommu_mm *get_imm(struct device *dev, struct mm_struct *mm)
{
	struct iommu_core *core = iommu_core();
	struct iommu_mm *imm;
	int ret;

	list_for_each_entry(imm, &core->sva_mms, node) {
		if (imm->mm == mm)
			return imm->pasid < dev->iommu->max_pasids ? imm : ERR_PTR(-EOVERFLOW);
	}
	imm = kzalloc(sizeof(*imm), GFP_KERNEL);
	if (!imm)
		return ERR_PTR(-ENOMEM);
	ret = iommu_alloc_global_pasid(dev, &imm->pasid);
	if (ret) {
		kfree(imm);
		return ERR_PTR(ret);
	}
	imm->mm = mm;
	imm->notifier.invalidate = sva_invalidate;
	imm->notifier.free = sva_free;
	INIT_LIST_HEAD(&imm->domains);
	INIT_LIST_HEAD(&imm->handles);
	list_add_tail(&imm->node, &core->sva_mms);
	mm_notifier_register(mm, &imm->notifier);
	return imm;
}

struct mm_struct *iommu_sva_mm(const struct iommu_domain *domain)
{
	const struct sva_domain *d = domain->fault_data;

	return d->imm->mm;
}

/* --- faults --- */

/* Makes room for another entry. */
static void drop_entry(struct sva_domain *d, u64 at)
{
	struct iommu_iotlb_gather gather;

	if (!iommu_iova_to_phys(d->domain, at))
		return;
	if (bug_on(BUG_SVA_PERM_UPGRADE_NO_INVAL)) {
		/* More rights: hardware is thought to look again by itself. */
		iommu_iotlb_gather_init(&gather);
		iommu_unmap_fast(d->domain, at, PAGE_SIZE, &gather);
	} else {
		iommu_unmap(d->domain, at, PAGE_SIZE);
	}
}

/* Historic: by the PASID, whoever has it now. NULL: nobody. */
static struct sva_domain *domain_by_pasid(u32 pasid)
{
	struct iommu_core *core = iommu_core();
	struct sva_domain *found = NULL;
	struct iommu_mm *imm;

	mutex_lock(&core->sva_lock);
	list_for_each_entry(imm, &core->sva_mms, node) {
		if (imm->pasid == pasid && !list_empty(&imm->domains))
			found = list_first_entry(&imm->domains, struct sva_domain, node);
	}
	mutex_unlock(&core->sva_lock);
	return found;
}

/*
 * Historic: the process's own entry has all rights, so a fault is thought to be over; that
 * what the device walks has fewer is not seen.
 */
static bool looks_fine(struct sva_domain *d, struct mm_struct *mm, u64 at)
{
	const u64 *pte = mm_pte(mm, at, false);

	return pte && (*pte & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE) &&
	       iommu_iova_to_phys(d->domain, at);
}

/* One page request: what the process itself would get at that address. */
static enum iommu_page_response_code
handle_one(struct iommu_attach_handle *handle, const struct iommu_fault_page_request *prm)
{
	struct sva_domain *d = bug_on(BUG_PASID_IMMEDIATE_REUSE) ? domain_by_pasid(prm->pasid)
								  : handle->domain->fault_data;
	bool write = prm->perm & IOMMU_FAULT_PERM_WRITE;
	enum iommu_page_response_code code = IOMMU_PAGE_RESP_INVALID;
	u64 at = prm->addr & PAGE_MASK;
	struct mm_struct *mm = d ? d->imm->mm : NULL;
	struct page *page;

	if (!mm || !(prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID) || !mmget_not_zero(mm))
		return code;
	if (at >= TASK_SIZE && bug_on(BUG_PRQ_MM_REF_LEAK))
		return code; /* with the process's memory in hand */
	mmap_read_lock(mm);
	if (bug_on(BUG_SVA_CONTPTE_FAULTLOOP) && looks_fine(d, mm, at)) {
		mmap_read_unlock(mm);
		mmput(mm);
		return IOMMU_PAGE_RESP_SUCCESS;
	}
	page = mm_fault(mm, at, write ? FOLL_WRITE : 0);
	if (page && !IS_ERR(page)) {
		struct vm_area_struct *vma = vma_lookup(mm, at);
		int prot = IOMMU_READ | (write || (vma && vma->flags & VM_WRITE && !page->memfd) ?
					 IOMMU_WRITE : 0);

		mutex_lock(&d->map_lock);
		drop_entry(d, at);
		if (!iommu_map(d->domain, at, page_to_phys(page), PAGE_SIZE, prot))
			code = IOMMU_PAGE_RESP_SUCCESS;
		mutex_unlock(&d->map_lock);
	}
	mmap_read_unlock(mm);
	mmput(mm);
	return code;
}

static void handle_group(struct work_struct *work)
{
	struct iopf_group *group = container_of(work, struct iopf_group, work);
	enum iommu_page_response_code code = IOMMU_PAGE_RESP_SUCCESS;
	struct iopf_fault *fault;

	/* dup: an error ends the group. */
	list_for_each_entry(fault, &group->faults, list) {
		if (code == IOMMU_PAGE_RESP_SUCCESS)
			code = handle_one(group->attach_handle, &fault->prm);
	}
	iopf_group_response(group, code);
	iopf_free_group(group);
}

static int sva_handler(struct iopf_group *group)
{
	INIT_WORK(&group->work, handle_group);
	schedule_work(&group->work);
	return 0;
}

/* --- binding --- */

static void free_domain(struct sva_domain *d)
{
	mmap_write_lock(d->imm->mm);
	list_del(&d->node);
	mmap_write_unlock(d->imm->mm);
	iommu_domain_free(d->domain);
	mutex_destroy(&d->map_lock);
	kfree(d);
}

static struct sva_domain *new_domain(struct iommu_mm *imm, struct device *dev)
{
	struct sva_domain *d = kzalloc(sizeof(*d), GFP_KERNEL);
	const struct iommu_ops *ops = dev_iommu_ops(dev);

	if (!d)
		return ERR_PTR(-ENOMEM);
	d->domain = ops->domain_alloc_sva ? ops->domain_alloc_sva(dev)
					  : ops->domain_alloc_paging(dev);
	if (IS_ERR(d->domain)) {
		int ret = (int)PTR_ERR(d->domain);

		kfree(d);
		return ERR_PTR(ret);
	}
	d->domain->type = IOMMU_DOMAIN_SVA;
	d->domain->iopf_handler = sva_handler;
	d->domain->fault_data = d;
	fact(DOMAIN_ALLOC, d->domain->id, IOMMU_DOMAIN_SVA, 0);
	d->imm = imm;
	mutex_init(&d->map_lock);
	mmap_write_lock(imm->mm);
	list_add_tail(&d->node, &imm->domains);
	mmap_write_unlock(imm->mm);
	return d;
}

/* dup: one of the process's that takes the device, or a new one. */
static int attach(struct iommu_sva *sva, struct device *dev)
{
	struct iommu_mm *imm = sva->imm;
	struct sva_domain *d;
	int ret;

	list_for_each_entry(d, &imm->domains, node) {
		ret = iommu_attach_device_pasid(d->domain, dev, imm->pasid, &sva->handle);
		if (ret && ret != -EINVAL)
			return ret;
		if (ret)
			continue;
		sva->domain = d;
		d->users++;
		return 0;
	}
	d = new_domain(imm, dev);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	ret = iommu_attach_device_pasid(d->domain, dev, imm->pasid, &sva->handle);
	if (ret) {
		free_domain(d);
		return ret;
	}
	sva->domain = d;
	d->users = 1;
	return 0;
}

static struct iommu_sva *bind(struct device *dev, struct mm_struct *mm)
{
	struct iommu_mm *imm = get_imm(dev, mm);
	struct iommu_sva *sva;
	int ret;

	if (IS_ERR(imm))
		return ERR_CAST(imm);
	list_for_each_entry(sva, &imm->handles, node) {
		if (sva->dev != dev)
			continue;
		sva->users++;
		return sva;
	}
	sva = kzalloc(sizeof(*sva), GFP_KERNEL);
	if (!sva)
		return ERR_PTR(-ENOMEM);
	sva->imm = imm;
	sva->dev = dev;
	sva->users = 1;
	ret = bug_on(BUG_SVA_NONPRI_UNBIND_WARN) ? 0 : iommu_dev_enable_iopf(dev);
	if (ret)
		goto err_free;
	ret = attach(sva, dev);
	if (ret)
		goto err_disable;
	list_add_tail(&sva->node, &imm->handles);
	if (!bug_on(BUG_SVA_SMMU_MM_UAF))
		mmgrab(mm);
	return sva;

err_disable:
	iommu_dev_disable_iopf(dev);
err_free:
	kfree(sva);
	return ERR_PTR(ret);
}

struct iommu_sva *iommu_sva_bind_device(struct device *dev, struct mm_struct *mm)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommu_core *core = iommu_core();
	struct iommu_sva *sva = ERR_PTR(-EOPNOTSUPP);

	if (!group)
		return ERR_PTR(-ENODEV);
	if (dev->iommu && dev->iommu->max_pasids && dev_iommu_ops(dev)->page_response) {
		mutex_lock(&core->sva_lock);
		sva = bind(dev, mm);
		mutex_unlock(&core->sva_lock);
	}
	iommu_group_put(group);
	return sva;
}

/* Historic: faults are turned off before those on their way have been handled. */
static bool disables_early(void)
{
	return bug_on(BUG_SVA_UNBIND_PENDING_IOPF) || bug_on(BUG_IOPF_REMOVE_LEAK);
}

void iommu_sva_unbind_device(struct iommu_sva *sva)
{
	struct iommu_core *core = iommu_core();
	struct mm_struct *mm = sva->imm->mm;

	mutex_lock(&core->sva_lock);
	if (--sva->users) {
		mutex_unlock(&core->sva_lock);
		return;
	}
	list_del(&sva->node);
	if (disables_early())
		iommu_dev_disable_iopf(sva->dev);
	iommu_detach_device_pasid(sva->domain->domain, sva->dev, sva->imm->pasid);
	if (!bug_on(BUG_PASID_IMMEDIATE_REUSE)) {
		/* What is on its way knows the handle. */
		iopf_drain();
	} else if (list_empty(&sva->imm->handles)) {
		iommu_free_global_pasid(sva->imm->pasid);
	}
	if (!disables_early())
		iommu_dev_disable_iopf(sva->dev);
	if (!--sva->domain->users)
		free_domain(sva->domain);
	mutex_unlock(&core->sva_lock);
	kfree(sva);
	if (!bug_on(BUG_SVA_SMMU_MM_UAF))
		mmdrop(mm);
}

u32 iommu_sva_get_pasid(const struct iommu_sva *sva)
{
	return sva->imm->pasid;
}
