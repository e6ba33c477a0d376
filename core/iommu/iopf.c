// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: collected into groups, handed to the handler of the attachment,
 * answered once. Follows Linux's io-pgfault.c.
 *
 * A request that is not the last of its group waits in the device's list of
 * partial ones and needs no answer. Group ids alone tell what belongs together,
 * as in Linux; PASIDs are not compared. No reference to the handle is taken:
 * whoever detaches must have seen the last report.
 */
#include "core/iommu/iommu_priv.h"

/* Of a device whose page requests are on. Owned by dev->iommu. */
struct iommu_fault_param {
	struct mutex lock;
	struct list_head partial; /* of iopf_fault; lock */
};

int iommu_dev_enable_iopf(struct device *dev)
{
	struct iommu_fault_param *param;

	if (!dev_iommu_ops(dev)->page_response)
		return -ENODEV;
	if (dev->iommu->fault_param)
		return -EBUSY;
	param = kzalloc(sizeof(*param), GFP_KERNEL);
	if (!param)
		return -ENOMEM;
	mutex_init(&param->lock);
	INIT_LIST_HEAD(&param->partial);
	smp_store_release(&dev->iommu->fault_param, param);
	return 0;
}

static void free_faults(struct list_head *list, const struct iopf_fault *but)
{
	struct iopf_fault *fault, *next;

	list_for_each_entry_safe(fault, next, list, list) {
		list_del(&fault->list);
		if (fault != but)
			kfree(fault);
	}
}

void iommu_dev_disable_iopf(struct device *dev)
{
	struct iommu_fault_param *param = dev->iommu->fault_param;

	WRITE_ONCE(dev->iommu->fault_param, NULL);
	free_faults(&param->partial, NULL);
	mutex_destroy(&param->lock);
	kfree(param);
}

static int keep_partial(struct iommu_fault_param *param, const struct iommu_fault_page_request *prm)
{
	struct iopf_fault *fault = kzalloc(sizeof(*fault), GFP_KERNEL);

	if (!fault)
		return -ENOMEM;
	fault->prm = *prm;
	mutex_lock(&param->lock);
	list_add_tail(&fault->list, &param->partial);
	mutex_unlock(&param->lock);
	return 0;
}

/* The partial requests of the id, in the order of arrival, and the last. */
static void collect(struct iommu_fault_param *param, struct iopf_group *group)
{
	struct iopf_fault *fault, *next;

	mutex_lock(&param->lock);
	list_for_each_entry_safe(fault, next, &param->partial, list) {
		if (fault->prm.grpid != group->last.prm.grpid)
			continue;
		list_del(&fault->list);
		list_add_tail(&fault->list, &group->faults);
		group->fault_count++;
	}
	mutex_unlock(&param->lock);
	list_add_tail(&group->last.list, &group->faults);
	group->fault_count++;
}

/* With a PASID of user space's own tables it is the RID's attachment that handles it. */
static struct iommu_attach_handle *find_handle(struct device *dev,
					       const struct iommu_fault_page_request *prm)
{
	bool has_pasid = prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	struct iommu_attach_handle *handle = NULL;

	if (has_pasid)
		handle = iommu_attach_handle_get(dev->iommu_group, prm->pasid);
	if (!handle) {
		handle = iommu_attach_handle_get(dev->iommu_group, IOMMU_NO_PASID);
		if (handle && has_pasid &&
		    (!dev_iommu_ops(dev)->user_pasid_table ||
		     handle->domain->type != IOMMU_DOMAIN_NESTED))
			handle = NULL;
	}
	return handle && handle->domain->iopf_handler ? handle : NULL;
}

void iommu_report_device_fault(struct device *dev, const struct iommu_fault_page_request *prm)
{
	struct iommu_fault_param *param = smp_load_acquire(&dev->iommu->fault_param);
	struct iopf_group *group, abort = {.dev = dev, .fault_count = 1};

	if (!param)
		return;
	if (!(prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)) {
		keep_partial(param, prm);
		return;
	}
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group) {
		/* The device gets its answer, memory or not. */
		iopf_group_response(&abort, IOMMU_PAGE_RESP_INVALID);
		return;
	}
	INIT_LIST_HEAD(&group->faults);
	group->last.prm = *prm;
	group->dev = get_device(dev);
	collect(param, group);
	group->attach_handle = find_handle(dev, prm);
	if (group->attach_handle && !group->attach_handle->domain->iopf_handler(group))
		return;
	iopf_group_response(group, IOMMU_PAGE_RESP_INVALID);
	iopf_free_group(group);
}

void iopf_group_response(struct iopf_group *group, enum iommu_page_response_code code)
{
	WARN_ON(group->answered);
	group->answered = true;
	dev_iommu_ops(group->dev)->page_response(group->dev, group, code);
}

void iopf_free_group(struct iopf_group *group)
{
	WARN_ON(!group->answered);
	free_faults(&group->faults, &group->last);
	put_device(group->dev);
	kfree(group);
}

void iopf_drain(void)
{
	struct iommu_core *core = iommu_core();

	mutex_lock(&core->report_lock);
	mutex_unlock(&core->report_lock);
	flush_workqueue(system_wq);
}
