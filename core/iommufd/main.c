// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu: the context, its table of objects, and the way of an ioctl.
 *
 * An object's id is reserved first, invisible to lookups. What can fail is done
 * then, the copy of the id to user space included; the last step publishes the
 * object. From there on any thread that guesses the id may destroy it.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"
#include "sim/kapi/jiffies.h"
#include "sim/kapi/printk.h"

#include <string.h>

#define ENOIOCTLCMD 515

/* --- objects --- */

static const struct object_ops {
	void (*destroy)(struct iommufd_object *obj);
	/* Before publication, with the lock that the creator holds; NULL: destroy. */
	void (*abort)(struct iommufd_object *obj);
} object_ops[IOMMUFD_OBJ_TYPES] = {
	[IOMMUFD_OBJ_DEVICE] = {iommufd_device_destroy, NULL},
	[IOMMUFD_OBJ_HWPT_PAGING] = {iommufd_hwpt_paging_destroy, iommufd_hwpt_paging_abort},
	[IOMMUFD_OBJ_HWPT_NESTED] = {iommufd_hwpt_nested_destroy, NULL},
	[IOMMUFD_OBJ_IOAS] = {iommufd_ioas_destroy, NULL},
	[IOMMUFD_OBJ_ACCESS] = {iommufd_access_destroy_object, NULL},
	[IOMMUFD_OBJ_FAULT] = {iommufd_fault_destroy, NULL},
	[IOMMUFD_OBJ_SELFTEST] = {iommufd_selftest_destroy, NULL},
	[IOMMUFD_OBJ_VIOMMU] = {iommufd_viommu_destroy, NULL},
	[IOMMUFD_OBJ_VDEVICE] = {iommufd_vdevice_destroy, iommufd_vdevice_abort},
	[IOMMUFD_OBJ_VEVENTQ] = {iommufd_veventq_destroy, iommufd_veventq_abort},
	[IOMMUFD_OBJ_HW_QUEUE] = {iommufd_hw_queue_destroy, NULL},
};

struct iommufd_object *_iommufd_object_alloc(struct iommufd_ctx *ictx, size_t size,
					     enum iommufd_object_type type)
{
	struct iommufd_object *obj = kzalloc(size, GFP_KERNEL_ACCOUNT);
	int rc;

	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->type = type;
	refcount_set(&obj->shortterm_users, 1);
	refcount_set(&obj->users, 1);
	rc = xa_alloc(&ictx->objects, &obj->id, NULL, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (!rc)
		return obj;
	kfree(obj);
	return ERR_PTR(rc);
}

void iommufd_object_finalize(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	WARN_ON(xa_store(&ictx->objects, obj->id, obj, GFP_KERNEL));
}

void iommufd_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	WARN_ON(xa_erase(&ictx->objects, obj->id));
	kfree(obj);
}

void iommufd_object_abort_and_destroy(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	const struct object_ops *ops = &object_ops[obj->type];

	(ops->abort ? ops->abort : ops->destroy)(obj);
	iommufd_object_abort(ictx, obj);
}

/* users first, shortterm_users then: putting goes the same way. */
bool iommufd_lock_obj(struct iommufd_object *obj)
{
	if (!refcount_inc_not_zero(&obj->users))
		return false;
	if (refcount_inc_not_zero(&obj->shortterm_users))
		return true;
	refcount_dec(&obj->users);
	return false;
}

struct iommufd_object *iommufd_get_object(struct iommufd_ctx *ictx, u32 id,
					  enum iommufd_object_type type)
{
	if (iommufd_should_fail())
		return ERR_PTR(-ENOENT);
	return iommufd_find_object(ictx, id, type);
}

struct iommufd_object *iommufd_find_object(struct iommufd_ctx *ictx, u32 id,
					   enum iommufd_object_type type)
{
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (!obj || (type != IOMMUFD_OBJ_ANY && obj->type != type) || !iommufd_lock_obj(obj))
		obj = ERR_PTR(-ENOENT);
	xa_unlock(&ictx->objects);
	return obj;
}

void iommufd_put_object(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	/* users first: who destroys has seen it go when it waits for the other. */
	refcount_dec(&obj->users);
	if (refcount_dec_and_test(&obj->shortterm_users))
		wake_up_all(&ictx->destroy_wait);
}

#define DESTROY_WAIT_MS 60000

/* Gives up the table's short-term reference and waits for those of calls. */
static int wait_shortterm(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	if (refcount_dec_and_test(&obj->shortterm_users))
		return 0;
	if (wait_event_timeout(ictx->destroy_wait, !refcount_read(&obj->shortterm_users),
			       msecs_to_jiffies(DESTROY_WAIT_MS)))
		return 0;
	pr_crit("Time out waiting for iommufd object to become free\n");
	refcount_inc(&obj->shortterm_users);
	return -EBUSY;
}

/* Out of the table, if nobody but the table uses it. With xa_lock. */
static int take_out(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	if (!refcount_dec_if_one(&obj->users))
		return -EBUSY;
	__xa_erase(&ictx->objects, obj->id);
	if (ictx->vfio_ioas && &ictx->vfio_ioas->obj == obj)
		ictx->vfio_ioas = NULL;
	return 0;
}

static void destroy_object(struct iommufd_object *obj)
{
	object_ops[obj->type].destroy(obj);
	kfree(obj);
}

static void destroy_user(struct iommufd_ctx *ictx, struct iommufd_object *obj, bool tombstone)
{
	int rc = wait_shortterm(ictx, obj);

	if (rc) {
		/* What counts wrong stays until the context is closed. */
		refcount_dec(&obj->users);
		return;
	}
	xa_lock(&ictx->objects);
	refcount_dec(&obj->users);
	rc = take_out(ictx, obj);
	if (rc)
		refcount_set(&obj->shortterm_users, 1);
	else if (tombstone)
		__xa_store(&ictx->objects, obj->id, XA_ZERO_ENTRY, GFP_ATOMIC);
	xa_unlock(&ictx->objects);
	if (!WARN_ON(rc))
		destroy_object(obj);
}

void iommufd_object_destroy_user(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	destroy_user(ictx, obj, false);
}

void iommufd_object_tombstone_user(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	destroy_user(ictx, obj, true);
}

/* The object has left the table; a put that has done the first of its two steps is waited for. */
static int destroy_taken(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	int rc = 0;

	if (bug_on(BUG_IOMMUFD_PUT_OBJECT_UAF)) {
		/* Nobody uses it, so nobody is believed to look at it. */
	} else {
		rc = wait_shortterm(ictx, obj);
	}
	if (!rc)
		destroy_object(obj);
	return rc;
}

void iommufd_object_put_and_try_destroy(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	int rc;

	xa_lock(&ictx->objects);
	refcount_dec(&obj->users);
	rc = take_out(ictx, obj);
	xa_unlock(&ictx->objects);
	if (!rc)
		destroy_taken(ictx, obj);
}

/* Historic: DESTROY is a user of its own for a moment. With xa_lock, which is dropped. */
static void use_for_a_moment(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	refcount_inc(&obj->users);
	xa_unlock(&ictx->objects);
	xa_lock(&ictx->objects);
	refcount_dec(&obj->users);
}

static int iommufd_destroy(struct iommufd_ucmd *ucmd)
{
	const struct iommu_destroy *cmd = ucmd->cmd;
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommufd_object *obj;
	int rc = -ENOENT;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, cmd->id);
	if (obj && bug_on(BUG_IOMMUFD_DESTROY_ELEVATES_REF))
		use_for_a_moment(ictx, obj);
	if (obj)
		rc = take_out(ictx, obj);
	xa_unlock(&ictx->objects);
	return rc ? rc : destroy_taken(ictx, obj);
}

/* --- the context --- */

int iommufd_open(struct file *file)
{
	struct iommufd_ctx *ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);

	if (!ictx)
		return -ENOMEM;
	ictx->account_mode = IOPT_PAGES_ACCOUNT_USER;
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1);
	xa_init(&ictx->groups);
	init_waitqueue_head(&ictx->destroy_wait);
	init_rwsem(&ictx->ioas_creation_lock);
	mutex_init(&ictx->mmaps_lock);
	INIT_LIST_HEAD(&ictx->mmaps);
	ictx->file = file;
	file->private_data = ictx;
	return 0;
}

/* Leaves go first; each pass makes new ones. */
static void iommufd_release(struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;
	struct iommufd_object *obj;
	unsigned long index;
	bool progress = true;

	while (progress) {
		progress = false;
		xa_for_each(&ictx->objects, index, obj) {
			if (!refcount_dec_if_one(&obj->users))
				continue;
			progress = true;
			xa_erase(&ictx->objects, index);
			destroy_object(obj);
		}
	}
	/* Tombstones may be left, objects may not. */
	index = 0;
	WARN_ON(xa_find(&ictx->objects, &index, ~0UL));
	WARN_ON(!xa_empty(&ictx->groups));
	xa_destroy(&ictx->objects);
	xa_destroy(&ictx->groups);
	mutex_destroy(&ictx->mmaps_lock);
	kfree(ictx);
}

void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}

void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}

/* --- ioctls --- */

/* As large as any call's struct; a multiple of 8 for alignment. */
union ucmd_buffer {
	struct iommu_hwpt_alloc hwpt;
	struct iommu_hwpt_get_dirty_bitmap dirty;
	struct iommu_test_cmd test;
};

#define end_of(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
#define CALL(nr, fn, type, last_required)                                              \
	[IOMMUFD_CMD_##nr - IOMMUFD_CMD_BASE] = {fn, sizeof(struct type),              \
						  end_of(struct type, last_required)}

static const struct iommufd_call {
	int (*execute)(struct iommufd_ucmd *ucmd);
	u32 size, min_size;
} calls[] = {
	CALL(DESTROY, iommufd_destroy, iommu_destroy, id),
	CALL(IOAS_ALLOC, iommufd_ioas_alloc_ioctl, iommu_ioas_alloc, out_ioas_id),
	CALL(IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas, iommu_ioas_allow_iovas, allowed_iovas),
	CALL(IOAS_COPY, iommufd_ioas_copy, iommu_ioas_copy, src_iova),
	CALL(IOAS_IOVA_RANGES, iommufd_ioas_iova_ranges, iommu_ioas_iova_ranges,
	     out_iova_alignment),
	CALL(IOAS_MAP, iommufd_ioas_map, iommu_ioas_map, iova),
	CALL(IOAS_UNMAP, iommufd_ioas_unmap, iommu_ioas_unmap, length),
	CALL(OPTION, iommufd_option, iommu_option, val64),
	CALL(VFIO_IOAS, iommufd_vfio_ioas, iommu_vfio_ioas, __reserved),
	CALL(HWPT_ALLOC, iommufd_hwpt_alloc, iommu_hwpt_alloc, __reserved),
	CALL(GET_HW_INFO, iommufd_get_hw_info, iommu_hw_info, __reserved),
	CALL(HWPT_SET_DIRTY_TRACKING, iommufd_hwpt_set_dirty_tracking,
	     iommu_hwpt_set_dirty_tracking, __reserved),
	CALL(HWPT_GET_DIRTY_BITMAP, iommufd_hwpt_get_dirty_bitmap, iommu_hwpt_get_dirty_bitmap,
	     data),
	CALL(HWPT_INVALIDATE, iommufd_hwpt_invalidate, iommu_hwpt_invalidate, __reserved),
	CALL(FAULT_QUEUE_ALLOC, iommufd_fault_alloc, iommu_fault_alloc, out_fault_fd),
	CALL(IOAS_MAP_FILE, iommufd_ioas_map_file, iommu_ioas_map_file, iova),
	CALL(VIOMMU_ALLOC, iommufd_viommu_alloc_ioctl, iommu_viommu_alloc, out_viommu_id),
	CALL(VDEVICE_ALLOC, iommufd_vdevice_alloc_ioctl, iommu_vdevice_alloc, virt_id),
	CALL(VEVENTQ_ALLOC, iommufd_veventq_alloc, iommu_veventq_alloc, out_veventq_fd),
	CALL(IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, iommu_ioas_change_process,
	     __reserved),
	CALL(HW_QUEUE_ALLOC, iommufd_hw_queue_alloc, iommu_hw_queue_alloc, length),
	CALL(IOAS_NOIOMMU_GET_PA, iommufd_ioas_noiommu_get_pa, iommu_ioas_noiommu_get_pa,
	     out_phys),
	[IOMMUFD_TEST_NR - IOMMUFD_CMD_BASE] = {iommufd_test, sizeof(struct iommu_test_cmd),
						end_of(struct iommu_test_cmd, last)},
};

static long iommufd_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct iommufd_ctx *ictx = file->private_data;
	u32 nr = cmd & 0xff;
	union ucmd_buffer buf;
	struct iommufd_ucmd ucmd = {.ictx = ictx, .ubuffer = arg, .cmd = &buf};
	const struct iommufd_call *call;
	int ret;

	if (nr < IOMMUFD_CMD_BASE || nr - IOMMUFD_CMD_BASE >= ARRAY_SIZE(calls))
		return iommufd_vfio_ioctl(ictx, cmd, arg);
	if (copy_from_user(&ucmd.user_size, u64_to_user_ptr(arg), sizeof(u32)))
		return -EFAULT;
	call = &calls[nr - IOMMUFD_CMD_BASE];
	if (!call->execute || cmd != IOMMUFD_IO(nr))
		return -ENOIOCTLCMD;
	if (ucmd.user_size < call->min_size)
		return -EINVAL;
	ret = copy_struct_from_user(&buf, call->size, u64_to_user_ptr(arg), ucmd.user_size);
	return ret ? ret : call->execute(&ucmd);
}

const struct file_operations iommufd_fops = {
	.name = "iommu",
	.ioctl = iommufd_ioctl,
	.mmap = iommufd_mmap,
	.release = iommufd_release,
	.mode = 0020660, /* a character device */
	.seekable = true,
};

struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	if (file->op != &iommufd_fops)
		return ERR_PTR(-EBADFD);
	get_file(file);
	return file->private_data;
}

struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget((u32)fd);
	struct iommufd_ctx *ictx;

	if (!file)
		return ERR_PTR(-EBADF);
	ictx = iommufd_ctx_from_file(file);
	fput(file);
	return ictx;
}
