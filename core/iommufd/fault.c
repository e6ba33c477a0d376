// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault queues: page requests that user space answers, through a file.
 *
 * A group is in deliver until a read takes it, in response (by cookie) until a
 * write answers it; whoever detaches answers what is left in either.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"
#include "sim/kapi/workqueue.h"

#include <fcntl.h>

int iommufd_fault_iopf_enable(struct iommufd_device *idev)
{
	int rc = 0;

	mutex_lock(&idev->iopf_lock);
	if (!idev->iopf_enabled)
		rc = iommu_dev_enable_iopf(idev->dev);
	if (!rc)
		idev->iopf_enabled++;
	mutex_unlock(&idev->iopf_lock);
	return rc;
}

void iommufd_fault_iopf_disable(struct iommufd_device *idev)
{
	mutex_lock(&idev->iopf_lock);
	if (!WARN_ON(!idev->iopf_enabled) && !--idev->iopf_enabled)
		iommu_dev_disable_iopf(idev->dev);
	mutex_unlock(&idev->iopf_lock);
}

struct iommufd_attach_handle *iommufd_handle_new(struct iommufd_device *idev, bool iopf)
{
	struct iommufd_attach_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);
	int rc = iopf && handle ? iommufd_fault_iopf_enable(idev) : 0;

	if (!handle)
		return ERR_PTR(-ENOMEM);
	if (rc) {
		kfree(handle);
		return ERR_PTR(rc);
	}
	handle->idev = idev;
	return handle;
}

void iommufd_handle_free(struct iommufd_attach_handle *handle, bool iopf)
{
	if (iopf)
		iommufd_fault_iopf_disable(handle->idev);
	kfree(handle);
}

struct iommufd_attach_handle *iommufd_handle_of(struct iommufd_device *idev, u32 pasid)
{
	struct iommu_attach_handle *handle = iommu_attach_handle_get(idev->igroup->group, pasid);

	return handle ? to_iommufd_handle(handle) : NULL;
}

int iommufd_fault_iopf_handler(struct iopf_group *group)
{
	struct iommufd_hw_pagetable *hwpt = group->attach_handle->domain->fault_data;
	struct iommufd_fault *fault = hwpt->fault;

	spin_lock(&fault->lock);
	list_add_tail(&group->node, &fault->deliver);
	spin_unlock(&fault->lock);
	wake_up_interruptible(&fault->wait_queue);
	return 0;
}

static void answer(struct iopf_group *group, enum iommu_page_response_code code)
{
	iopf_group_response(group, code);
	iopf_free_group(group);
}

/* What came through handle, or (NULL) everything, is answered INVALID. mutex held, or alone. */
static void answer_all(struct iommufd_fault *fault, const struct iommu_attach_handle *handle)
{
	struct iopf_group *group, *next;
	unsigned long index;
	LIST_HEAD(taken);

	spin_lock(&fault->lock);
	list_for_each_entry_safe(group, next, &fault->deliver, node) {
		if (!handle || group->attach_handle == handle)
			list_move_tail(&group->node, &taken);
	}
	spin_unlock(&fault->lock);
	list_for_each_entry_safe(group, next, &taken, node) {
		list_del(&group->node);
		answer(group, IOMMU_PAGE_RESP_INVALID);
	}
	if (bug_on(BUG_IOMMUFD_FAULT_DESTROY_LEFTOVERS))
		return; /* user space has it, and will answer */
	xa_for_each(&fault->response, index, group) {
		if (handle && group->attach_handle != handle)
			continue;
		xa_erase(&fault->response, index);
		answer(group, IOMMU_PAGE_RESP_INVALID);
	}
}

void iommufd_auto_response_faults(struct iommufd_hw_pagetable *hwpt,
				  struct iommufd_attach_handle *handle)
{
	/* Who reports now may have the handle in hand. */
	iopf_sync();
	mutex_lock(&hwpt->fault->mutex);
	answer_all(hwpt->fault, &handle->handle);
	mutex_unlock(&hwpt->fault->mutex);
}

void iommufd_fault_destroy(struct iommufd_object *obj)
{
	struct iommufd_fault *fault = container_of(obj, struct iommufd_fault, obj);

	answer_all(fault, NULL);
	xa_destroy(&fault->response);
	mutex_destroy(&fault->mutex);
}

/* --- the file --- */

static struct iopf_group *fetch(struct iommufd_fault *fault)
{
	struct iopf_group *group = NULL;

	spin_lock(&fault->lock);
	if (!list_empty(&fault->deliver)) {
		group = list_first_entry(&fault->deliver, struct iopf_group, node);
		list_del(&group->node);
	}
	spin_unlock(&fault->lock);
	return group;
}

static void restore(struct iommufd_fault *fault, struct iopf_group *group)
{
	spin_lock(&fault->lock);
	list_add(&group->node, &fault->deliver);
	spin_unlock(&fault->lock);
}

#define RECORD sizeof(struct iommu_hwpt_pgfault)

static int copy_group(const struct iopf_group *group, u64 to)
{
	const struct iommufd_device *idev = to_iommufd_handle(group->attach_handle)->idev;
	const struct iopf_fault *fault;

	list_for_each_entry(fault, &group->faults, list) {
		struct iommu_hwpt_pgfault record = {
			.flags = fault->prm.flags,
			.dev_id = idev->obj.id,
			.pasid = fault->prm.pasid,
			.grpid = fault->prm.grpid,
			.perm = fault->prm.perm,
			.addr = fault->prm.addr,
			.cookie = group->cookie,
		};

		if (copy_to_user(u64_to_user_ptr(to), &record, sizeof(record)))
			return -EFAULT;
		to += sizeof(record);
	}
	return 0;
}

/* Takes one group into room bytes at `to`: bytes, 0: there is none, or -errno: it stays. */
static long read_group(struct iommufd_fault *fault, u64 to, u64 room)
{
	struct iopf_group *group = fetch(fault);
	long rc;

	if (!group)
		return 0;
	rc = -EINVAL;
	if (group->fault_count * RECORD > room)
		goto err_restore;
	rc = xa_alloc(&fault->response, &group->cookie, group, xa_limit_32b, GFP_KERNEL);
	if (rc)
		goto err_restore;
	rc = copy_group(group, to);
	if (!rc)
		return (long)(group->fault_count * RECORD);
	xa_erase(&fault->response, group->cookie);
err_restore:
	restore(fault, group);
	return rc;
}

/* dup: whole groups; an error only if the first cannot be read. */
static s64 fault_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct iommufd_fault *fault = file->private_data;
	u64 done = 0;
	long got;

	if (*pos || count % RECORD)
		return -ESPIPE;
	mutex_lock(&fault->mutex);
	do {
		got = read_group(fault, buf + done, count - done);
		done += got > 0 ? (u64)got : 0;
		/* Historic: an error ends only the loop over the records of one group. */
	} while (got > 0 || (got == -EFAULT && bug_on(BUG_IOMMUFD_FAULT_READ_SPIN)));
	mutex_unlock(&fault->mutex);
	return done ? (s64)done : got;
}

/* Answers one group; 0 or -errno. */
static int write_one(struct iommufd_fault *fault, u64 from)
{
	struct iommu_hwpt_page_response response;
	struct iopf_group *group;

	if (copy_from_user(&response, u64_to_user_ptr(from), sizeof(response)))
		return -EFAULT;
	if (response.code > IOMMU_PAGE_RESP_INVALID)
		return -EINVAL;
	group = xa_erase(&fault->response, response.cookie);
	if (!group)
		return -EINVAL;
	answer(group, response.code);
	return 0;
}

static s64 fault_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	const u64 size = sizeof(struct iommu_hwpt_page_response);
	struct iommufd_fault *fault = file->private_data;
	u64 done = 0;
	int rc = 0;

	if (*pos || count % size)
		return -ESPIPE;
	mutex_lock(&fault->mutex);
	while (done < count && !rc) {
		rc = write_one(fault, buf + done);
		if (!rc)
			done += size;
	}
	mutex_unlock(&fault->mutex);
	return done ? (s64)done : rc;
}

static u32 fault_poll(struct file *file, struct poll_table *wait)
{
	struct iommufd_fault *fault = file->private_data;
	u32 mask = POLLOUT;

	poll_wait(file, &fault->wait_queue, wait);
	spin_lock(&fault->lock);
	if (!list_empty(&fault->deliver))
		mask |= POLLIN | POLLRDNORM;
	spin_unlock(&fault->lock);
	return mask;
}

static void fault_release(struct file *file)
{
	struct iommufd_fault *fault = file->private_data;
	struct iommufd_ctx *ictx = fault->ictx; /* fault may go with the count */

	refcount_dec(&fault->obj.users);
	iommufd_ctx_put(ictx);
}

static const struct file_operations fault_fops = {
	.name = "[iommufd-pgfault]",
	.read = fault_read,
	.write = fault_write,
	.poll = fault_poll,
	.release = fault_release,
	.mode = 0600,
};

/* The file holds a user of fault and the context; at most one holds the file. */
static int make_file(struct iommufd_fault *fault)
{
	int fd;

	fault->filep = anon_inode_getfile(&fault_fops, fault, O_RDWR);
	if (IS_ERR(fault->filep))
		return (int)PTR_ERR(fault->filep);
	refcount_inc(&fault->obj.users);
	iommufd_ctx_get(fault->ictx);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		fput(fault->filep);
	if (fd < 0 && bug_on(BUG_IOMMUFD_FAULT_ALLOC_DOUBLE_PUT)) {
		/* What the file's release has done. */
		refcount_dec(&fault->obj.users);
		iommufd_ctx_put(fault->ictx);
	}
	return fd;
}

/* Historic: the file of an allocation that failed is given up later, by a worker. */
struct late_fput {
	struct work_struct work;
	struct file *file;
};

static void do_late_fput(struct work_struct *work)
{
	struct late_fput *late = container_of(work, struct late_fput, work);

	fput(late->file);
	kfree(late);
}

static void fput_abandoned(struct file *file)
{
	struct late_fput *late;

	if (!bug_on(BUG_IOMMUFD_ABORT_FPUT_UAF)) {
		fput(file);
		return;
	}
	late = kzalloc(sizeof(*late), GFP_KERNEL | __GFP_NOFAIL);
	late->file = file;
	INIT_WORK(&late->work, do_late_fput);
	schedule_work(&late->work);
}

int iommufd_fault_alloc(struct iommufd_ucmd *ucmd)
{
	struct iommu_fault_alloc *cmd = ucmd->cmd;
	struct iommufd_fault *fault;
	int fd, rc;

	if (cmd->flags)
		return -EOPNOTSUPP;
	fault = iommufd_object_alloc(ucmd->ictx, fault, IOMMUFD_OBJ_FAULT);
	if (IS_ERR(fault))
		return (int)PTR_ERR(fault);
	fault->ictx = ucmd->ictx;
	INIT_LIST_HEAD(&fault->deliver);
	xa_init_flags(&fault->response, XA_FLAGS_ALLOC1);
	mutex_init(&fault->mutex);
	spin_lock_init(&fault->lock);
	init_waitqueue_head(&fault->wait_queue);
	fd = make_file(fault);
	rc = fd < 0 ? fd : 0;
	if (rc)
		goto err_abort;
	cmd->out_fault_id = fault->obj.id;
	cmd->out_fault_fd = (u32)fd;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		goto err_fd;
	iommufd_object_finalize(ucmd->ictx, &fault->obj);
	fd_install((u32)fd, fault->filep);
	return 0;

err_fd:
	put_unused_fd((u32)fd);
	fput_abandoned(fault->filep);
err_abort:
	iommufd_object_abort_and_destroy(ucmd->ictx, &fault->obj);
	return rc;
}
