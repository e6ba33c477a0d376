// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of a vIOMMU's events, read through a file.
 *
 * A queue holds `depth` events. What comes then is lost: one record without data
 * stands at the end and tells so; the sequence numbers tell how many.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define IOMMU_VEVENTQ_TYPE_DEFAULT 0u
#define IOMMU_VEVENTQ_FLAG_LOST_EVENTS 1u
#define VEVENTQ_MAX_DEPTH (1u << 19)

struct vevent {
	struct list_head node;
	struct iommufd_vevent_header header;
	u32 len;
	u8 data[];
};

static struct iommufd_veventq *find_veventq(struct iommufd_viommu *viommu, u32 type)
{
	struct iommufd_veventq *q;

	list_for_each_entry(q, &viommu->veventqs, node) {
		if (q->type == type)
			return q;
	}
	return NULL;
}

/* With q->lock: the lost-events record counts what comes after it. */
static void append(struct iommufd_veventq *q, struct vevent *event)
{
	struct vevent *lost = q->lost;

	q->sequence = q->sequence == INT_MAX ? 0 : q->sequence + 1;
	if (!event) {
		lost->header.sequence = q->sequence;
		list_move_tail(&lost->node, &q->deliver);
	} else {
		list_del_init(&lost->node);
		event->header.sequence = q->sequence;
		list_add_tail(&event->node, &q->deliver);
		q->num_events++;
	}
}

/* dup: -EOPNOTSUPP: no queue of the type; -ENOMEM: told as lost. */
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, u32 type, const void *data,
				u32 len)
{
	struct vevent *event = kzalloc(sizeof(*event) + len, GFP_NOWAIT), *spare = NULL;
	struct iommufd_veventq *q;
	int rc = -EOPNOTSUPP;

	down_read(&viommu->veventqs_rwsem);
	q = find_veventq(viommu, type);
	if (q) {
		rc = event ? 0 : -ENOMEM;
		if (event) {
			event->len = len;
			memcpy(event->data, data, len);
		}
		spin_lock(&q->lock);
		if (event && q->num_events == q->depth)
			spare = event;
		append(q, spare ? NULL : event);
		spin_unlock(&q->lock);
		wake_up_interruptible(&q->wait_queue);
	} else {
		spare = event;
	}
	up_read(&viommu->veventqs_rwsem);
	kfree(spare);
	return rc;
}

/* --- the file --- */

/* Room that an event without data needs. */
static u64 head_size(void)
{
	/* Historic: that of a pointer, here of 32 bits. */
	return bug_on(BUG_IOMMUFD_VEVENTQ_HDR_SIZE) ? 4 : sizeof(struct iommufd_vevent_header);
}

/* Copies the first event to room bytes at `to`: bytes, 0: none or no room, or -errno. */
static long read_event(struct iommufd_veventq *q, u64 to, u64 room, bool first)
{
	const u64 head = sizeof(struct iommufd_vevent_header);
	struct iommufd_vevent_header header;
	struct vevent *event = NULL;
	u32 len;

	spin_lock(&q->lock);
	if (!list_empty(&q->deliver)) {
		event = list_first_entry(&q->deliver, struct vevent, node);
		header = event->header;
		len = event->len;
		if (head_size() + len <= room) {
			list_del_init(&event->node);
			q->num_events -= event != q->lost;
		}
	}
	spin_unlock(&q->lock);
	if (!event)
		return 0;
	if (head_size() + len > room)
		return first && head <= room ? -EINVAL : 0;
	if (copy_to_user(u64_to_user_ptr(to), &header, head) ||
	    (len && copy_to_user(u64_to_user_ptr(to + head), event->data, len))) {
		spin_lock(&q->lock);
		list_add(&event->node, &q->deliver);
		q->num_events += event != q->lost;
		spin_unlock(&q->lock);
		return -EFAULT;
	}
	if (event != q->lost)
		kfree(event);
	return (long)(head + len);
}

static s64 veventq_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct iommufd_veventq *q = file->private_data;
	u64 done = 0;
	long got;

	if (*pos)
		return -ESPIPE;
	if (count < head_size())
		return -EINVAL;
	/* custom: one reader at a time. */
	mutex_lock(&q->mutex);
	do {
		got = read_event(q, buf + done, count - done, !done);
		done += got > 0 ? (u64)got : 0;
	} while (got > 0);
	mutex_unlock(&q->mutex);
	return done ? (s64)done : got;
}

static u32 veventq_poll(struct file *file, struct poll_table *wait)
{
	struct iommufd_veventq *q = file->private_data;
	u32 mask = 0;

	poll_wait(file, &q->wait_queue, wait);
	spin_lock(&q->lock);
	if (!list_empty(&q->deliver))
		mask |= POLLIN | POLLRDNORM;
	spin_unlock(&q->lock);
	return mask;
}

static void veventq_release(struct file *file)
{
	struct iommufd_veventq *q = file->private_data;
	struct iommufd_ctx *ictx = q->viommu->ictx;

	refcount_dec(&q->obj.users);
	iommufd_ctx_put(ictx);
}

static const struct file_operations veventq_fops = {
	.name = "[iommufd-viommu-event]",
	.read = veventq_read,
	.poll = veventq_poll,
	.release = veventq_release,
	.mode = 0600,
};

/* --- the object --- */

/* With viommu->veventqs_rwsem for writing. */
void iommufd_veventq_abort(struct iommufd_object *obj)
{
	struct iommufd_veventq *q = container_of(obj, struct iommufd_veventq, obj);
	struct vevent *event, *next;

	lockdep_assert_held_write(&q->viommu->veventqs_rwsem);
	list_for_each_entry_safe(event, next, &q->deliver, node) {
		list_del(&event->node);
		if (event != q->lost)
			kfree(event);
	}
	kfree(q->lost);
	list_del(&q->node);
	mutex_destroy(&q->mutex);
	refcount_dec(&q->viommu->obj.users);
}

void iommufd_veventq_destroy(struct iommufd_object *obj)
{
	struct iommufd_viommu *viommu = container_of(obj, struct iommufd_veventq, obj)->viommu;

	down_write(&viommu->veventqs_rwsem);
	iommufd_veventq_abort(obj);
	up_write(&viommu->veventqs_rwsem);
}

static int make_file(struct iommufd_veventq *q)
{
	int fd;

	q->filep = anon_inode_getfile(&veventq_fops, q, O_RDWR);
	if (IS_ERR(q->filep))
		return (int)PTR_ERR(q->filep);
	refcount_inc(&q->obj.users);
	iommufd_ctx_get(q->viommu->ictx);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		fput(q->filep);
	return fd;
}

static struct iommufd_veventq *new_veventq(struct iommufd_ctx *ictx,
					   struct iommufd_viommu *viommu,
					   const struct iommu_veventq_alloc *cmd)
{
	struct vevent *lost = kzalloc(sizeof(*lost), GFP_KERNEL_ACCOUNT);
	struct iommufd_veventq *q;

	if (!lost)
		return ERR_PTR(-ENOMEM);
	q = iommufd_object_alloc(ictx, q, IOMMUFD_OBJ_VEVENTQ);
	if (IS_ERR(q)) {
		kfree(lost);
		return q;
	}
	lost->header.flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
	INIT_LIST_HEAD(&lost->node);
	q->lost = lost;
	q->type = cmd->type;
	q->depth = cmd->veventq_depth;
	q->sequence = INT_MAX; /* the first event has number 0 */
	q->viommu = viommu;
	refcount_inc(&viommu->obj.users);
	INIT_LIST_HEAD(&q->deliver);
	spin_lock_init(&q->lock);
	mutex_init(&q->mutex);
	init_waitqueue_head(&q->wait_queue);
	list_add_tail(&q->node, &viommu->veventqs);
	return q;
}

/* With viommu->veventqs_rwsem for writing. */
static int build_veventq(struct iommufd_ucmd *ucmd, struct iommufd_viommu *viommu)
{
	struct iommu_veventq_alloc *cmd = ucmd->cmd;
	struct iommufd_veventq *q;
	int fd, rc;

	if (find_veventq(viommu, cmd->type))
		return -EEXIST;
	q = new_veventq(ucmd->ictx, viommu, cmd);
	if (IS_ERR(q))
		return (int)PTR_ERR(q);
	fd = make_file(q);
	rc = fd < 0 ? fd : 0;
	if (rc)
		goto err_abort;
	cmd->out_veventq_id = q->obj.id;
	cmd->out_veventq_fd = (u32)fd;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc)
		goto err_fd;
	iommufd_object_finalize(ucmd->ictx, &q->obj);
	fd_install((u32)fd, q->filep);
	return 0;

err_fd:
	put_unused_fd((u32)fd);
	fput(q->filep);
err_abort:
	iommufd_object_abort_and_destroy(ucmd->ictx, &q->obj);
	return rc;
}

int iommufd_veventq_alloc(struct iommufd_ucmd *ucmd)
{
	const struct iommu_veventq_alloc *cmd = ucmd->cmd;
	struct iommufd_viommu *viommu;
	int rc;

	if (cmd->flags || cmd->__reserved || cmd->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!cmd->veventq_depth)
		return -EINVAL;
	if (cmd->veventq_depth > VEVENTQ_MAX_DEPTH && !bug_on(BUG_IOMMUFD_VEVENTQ_DEPTH))
		return -EINVAL;
	viommu = (void *)iommufd_get_object(ucmd->ictx, cmd->viommu_id, IOMMUFD_OBJ_VIOMMU);
	if (IS_ERR(viommu))
		return (int)PTR_ERR(viommu);
	down_write(&viommu->veventqs_rwsem);
	rc = build_veventq(ucmd, viommu);
	up_write(&viommu->veventqs_rwsem);
	iommufd_put_object(ucmd->ictx, &viommu->obj);
	return rc;
}
