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
#include "core/fault/fault.h"
#include "sim/kapi/bug.h"
#include "sim/kapi/historic.h"
#include "sim/kapi/rcu.h"
#include "sim/kapi/refcount.h"

/* Of a device whose page requests are on. users: dev->iommu, reports, groups. */
struct iommu_fault_param {
	struct mutex lock;
	refcount_t users;
	struct rcu_head rcu;
	struct list_head node;    /* iopf_queue.devices; its lock */
	u32 enabled;              /* how often; the queue's lock */
	struct list_head partial; /* of iopf_fault; lock */
	struct list_head faults;  /* of iopf_group.pending; lock */
};

void iopf_queue_init(struct iopf_queue *queue)
{
	mutex_init(&queue->lock);
	INIT_LIST_HEAD(&queue->devices);
}

/* --- the device's record --- */

static void respond(struct iopf_group *group, enum iommu_page_response_code code)
{
	dev_iommu_ops(group->dev)->page_response(group->dev, group, code);
}

static struct iommu_fault_param *param_get(struct device *dev)
{
	struct iommu_fault_param *param;

	rcu_read_lock();
	param = rcu_dereference(dev->iommu->fault_param);
	if (param && !refcount_inc_not_zero(&param->users))
		param = NULL;
	rcu_read_unlock();
	return param;
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

static void param_put(struct iommu_fault_param *param)
{
	if (!refcount_dec_and_test(&param->users))
		return;
	/* A report that began before it was turned off may have left some. */
	free_faults(&param->partial, NULL);
	mutex_destroy(&param->lock);
	kfree_rcu(param, rcu);
}

static struct iopf_queue *queue_of(struct device *dev)
{
	return &dev->iommu->iommu_dev->iopf;
}

static struct iommu_fault_param *param_new(void)
{
	struct iommu_fault_param *param = kzalloc(sizeof(*param), GFP_KERNEL);

	if (!param)
		return NULL;
	mutex_init(&param->lock);
	refcount_set(&param->users, 1);
	INIT_LIST_HEAD(&param->partial);
	INIT_LIST_HEAD(&param->faults);
	return param;
}

int iommu_dev_enable_iopf(struct device *dev)
{
	struct iopf_queue *queue = queue_of(dev);
	struct iommu_fault_param *param;

	if (!dev_iommu_ops(dev)->page_response)
		return -ENODEV;
	mutex_lock(&queue->lock);
	param = rcu_dereference_protected(dev->iommu->fault_param, true);
	if (!param) {
		param = param_new();
		if (param) {
			list_add_tail(&param->node, &queue->devices);
			rcu_assign_pointer(dev->iommu->fault_param, param);
		}
	}
	if (param)
		param->enabled++;
	mutex_unlock(&queue->lock);
	return param ? 0 : -ENOMEM;
}

/* Whoever has a group frees it as before; its answer finds that there is one already. */
static void answer_pending(struct iommu_fault_param *param)
{
	struct iopf_group *group, *next;

	mutex_lock(&param->lock);
	free_faults(&param->partial, NULL);
	list_for_each_entry_safe(group, next, &param->faults, pending) {
		list_del_init(&group->pending);
		respond(group, IOMMU_PAGE_RESP_INVALID);
		group->removed = true;
		if (bug_on(BUG_SVA_UNBIND_PENDING_IOPF) ||
		    bug_on(BUG_IOMMUFD_IOPF_GROUP_DOUBLE_OWNER)) {
			/* As if no handler knew it. */
			group->answered = true;
			iopf_free_group(group);
		}
	}
	mutex_unlock(&param->lock);
}

/* With the queue's lock. */
static void remove_device(struct device *dev, struct iommu_fault_param *param)
{
	list_del(&param->node);
	rcu_assign_pointer(dev->iommu->fault_param, NULL);
	answer_pending(param);
	param_put(param);
}

void iommu_dev_disable_iopf(struct device *dev)
{
	struct iopf_queue *queue = queue_of(dev);
	struct iommu_fault_param *param;

	mutex_lock(&queue->lock);
	param = rcu_dereference_protected(dev->iommu->fault_param, true);
	if (!WARN_ON(!param) && !--param->enabled)
		remove_device(dev, param);
	mutex_unlock(&queue->lock);
}

void iopf_release_device(struct device *dev)
{
	struct iopf_queue *queue = queue_of(dev);
	struct iommu_fault_param *param;

	mutex_lock(&queue->lock);
	param = rcu_dereference_protected(dev->iommu->fault_param, true);
	if (param)
		remove_device(dev, param);
	mutex_unlock(&queue->lock);
}

void iopf_queue_discard_partial(struct iopf_queue *queue)
{
	struct iommu_fault_param *param;

	mutex_lock(&queue->lock);
	list_for_each_entry(param, &queue->devices, node) {
		mutex_lock(&param->lock);
		free_faults(&param->partial, NULL);
		mutex_unlock(&param->lock);
	}
	mutex_unlock(&queue->lock);
}

/* --- reports --- */

static void keep_partial(struct iommu_fault_param *param,
			 const struct iommu_fault_page_request *prm)
{
	struct iopf_fault *fault = kzalloc(sizeof(*fault), GFP_KERNEL);

	/* Without it the last one's answer still ends the group. */
	if (!fault)
		return;
	fault->prm = *prm;
	mutex_lock(&param->lock);
	list_add_tail(&fault->list, &param->partial);
	mutex_unlock(&param->lock);
}

/* The partial requests of the id, in the order of arrival, and the last. */
static void collect(struct iommu_fault_param *param, struct iopf_group *group)
{
	struct iopf_fault *fault, *next;

	mutex_lock(&param->lock);
	list_add_tail(&group->pending, &param->faults);
	list_for_each_entry_safe(fault, next, &param->partial, list) {
		if (fault->prm.grpid != group->last.prm.grpid)
			continue;
		list_del(&fault->list);
		list_add_tail(&fault->list, &group->faults);
		group->fault_count++;
	}
	list_add_tail(&group->last.list, &group->faults);
	group->fault_count++;
	mutex_unlock(&param->lock);
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

/* dup: the device gets its answer, memory or not, record or not. */
static void refuse(struct device *dev, const struct iommu_fault_page_request *prm)
{
	struct iopf_group abort = {.dev = dev, .fault_count = 1, .last = {.prm = *prm}};

	if (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE)
		respond(&abort, IOMMU_PAGE_RESP_INVALID);
}

static void report_last(struct device *dev, struct iommu_fault_param *param,
			const struct iommu_fault_page_request *prm)
{
	struct iopf_group *group = kzalloc(sizeof(*group), GFP_KERNEL);

	if (!group) {
		refuse(dev, prm);
		return;
	}
	INIT_LIST_HEAD(&group->faults);
	group->last.prm = *prm;
	group->dev = get_device(dev);
	refcount_inc(&param->users);
	group->param = param;
	collect(param, group);
	group->attach_handle = find_handle(dev, prm);
	if (group->attach_handle && !group->attach_handle->domain->iopf_handler(group))
		return;
	iopf_group_response(group, IOMMU_PAGE_RESP_INVALID);
	iopf_free_group(group);
}

void iommu_report_device_fault(struct device *dev, const struct iommu_fault_page_request *prm)
{
	struct iommu_fault_param *param = param_get(dev);

	if (!param)
		refuse(dev, prm);
	else if (!(prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE))
		keep_partial(param, prm);
	if (param && (prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE ||
		      bug_on(BUG_IOPF_LOST_RETURN)))
		report_last(dev, param, prm);
	if (param)
		param_put(param);
}

void iopf_group_response(struct iopf_group *group, enum iommu_page_response_code code)
{
	struct iommu_fault_param *param = group->param;

	WARN_ON(group->answered);
	group->answered = true;
	mutex_lock(&param->lock);
	if (!list_empty(&group->pending)) {
		list_del_init(&group->pending);
		respond(group, code);
	}
	mutex_unlock(&param->lock);
}

void iopf_free_group(struct iopf_group *group)
{
	WARN_ON(!group->answered);
	if (group->removed && bug_on(BUG_IOPF_REMOVE_LEAK))
		return; /* the queue's now, which has forgotten it */
	free_faults(&group->faults, &group->last);
	param_put(group->param);
	put_device(group->dev);
	kfree(group);
}

void iopf_sync(void)
{
	struct iommu_core *core = iommu_core();

	mutex_lock(&core->report_lock);
	mutex_unlock(&core->report_lock);
}

void iopf_drain(void)
{
	iopf_sync();
	flush_workqueue(system_wq);
}
