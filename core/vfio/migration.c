// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration, version 2, as user space sees it: states, and files that a device's state
 * goes through. What a state means for a device is its driver's affair.
 */
#include "core/vfio/vfio_priv.h"

#include <fcntl.h>

/*
 * By state, then by the state that is wanted: the next one on the way, as digits of
 * enum vfio_device_mig_state; 0 is ERROR: there is no way.
 */
static const char way[VFIO_DEVICE_NUM_STATES][VFIO_DEVICE_NUM_STATES + 1] = {
	[VFIO_DEVICE_STATE_ERROR] = "00000000",
	[VFIO_DEVICE_STATE_STOP] = "01534555",
	[VFIO_DEVICE_STATE_RUNNING] = "05255565",
	[VFIO_DEVICE_STATE_STOP_COPY] = "01131100",
	[VFIO_DEVICE_STATE_RESUMING] = "01114111",
	[VFIO_DEVICE_STATE_RUNNING_P2P] = "01211527",
	[VFIO_DEVICE_STATE_PRE_COPY] = "02272267",
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] = "05535567",
};

/* What a driver must support to have the state. */
static bool has_state(const struct vfio_device *vdev, u32 state)
{
	static const u32 flags[VFIO_DEVICE_NUM_STATES] = {
		[VFIO_DEVICE_STATE_ERROR] = ~0u,
		[VFIO_DEVICE_STATE_STOP] = VFIO_MIGRATION_STOP_COPY,
		[VFIO_DEVICE_STATE_RUNNING] = VFIO_MIGRATION_STOP_COPY,
		[VFIO_DEVICE_STATE_STOP_COPY] = VFIO_MIGRATION_STOP_COPY,
		[VFIO_DEVICE_STATE_RESUMING] = VFIO_MIGRATION_STOP_COPY,
		[VFIO_DEVICE_STATE_RUNNING_P2P] = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P,
		[VFIO_DEVICE_STATE_PRE_COPY] = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_PRE_COPY,
		[VFIO_DEVICE_STATE_PRE_COPY_P2P] = VFIO_MIGRATION_STOP_COPY |
						   VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY,
	};

	return state < VFIO_DEVICE_NUM_STATES &&
	       !(flags[state] & ~READ_ONCE(vdev->migration_flags));
}

/* States that the driver does not have are passed over. */
int vfio_mig_get_next_state(const struct vfio_device *vdev, u32 cur, u32 new, u32 *next)
{
	if (WARN_ON(!has_state(vdev, cur)) || !has_state(vdev, new))
		return -EINVAL;
	do {
		cur = (u32)(way[cur][new] - '0');
	} while ((cur != VFIO_DEVICE_STATE_ERROR || bug_on(BUG_VFIO_MIG_FSM_SPIN)) &&
		 !has_state(vdev, cur));
	*next = cur;
	return cur == VFIO_DEVICE_STATE_ERROR ? -EINVAL : 0;
}

int vfio_feature_migration(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_feature_migration mig = {.flags = vdev->migration_flags};
	int ret;

	if (!vdev->mig_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(mig));
	if (ret != 1)
		return ret;
	return copy_to_user(vfio_ptr(arg), &mig, sizeof(mig)) ? -EFAULT : 0;
}

/* The file's reference moves to the descriptor, or is given back. */
static int return_file(struct file *file, u64 arg, struct vfio_device_feature_mig_state *mig)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0) {
		fput(file);
		return fd;
	}
	mig->data_fd = fd;
	if (copy_to_user(vfio_ptr(arg), mig, sizeof(*mig))) {
		put_unused_fd((u32)fd);
		fput(file);
		return -EFAULT;
	}
	fd_install((u32)fd, file);
	return 0;
}

/* dup: user space is told, with -1, also when the state was not reached. */
int vfio_feature_mig_state(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_feature_mig_state mig;
	struct file *file = NULL;
	int ret;

	if (!vdev->mig_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_GET,
				 sizeof(mig));
	if (ret != 1)
		return ret;
	if (copy_from_user(&mig, vfio_ptr(arg), sizeof(mig)))
		return -EFAULT;
	if (flags & VFIO_DEVICE_FEATURE_GET) {
		ret = vdev->mig_ops->get_state(vdev, &mig.device_state);
		if (ret)
			return ret;
	} else {
		file = vdev->mig_ops->set_state(vdev, mig.device_state);
		if (!IS_ERR_OR_NULL(file))
			return return_file(file, arg, &mig);
	}
	mig.data_fd = -1;
	if (copy_to_user(vfio_ptr(arg), &mig, sizeof(mig)))
		return -EFAULT;
	return PTR_ERR_OR_ZERO(file);
}

int vfio_feature_mig_data_size(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_feature_mig_data_size size;
	int ret;

	if (!vdev->mig_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(size));
	if (ret != 1)
		return ret;
	ret = vdev->mig_ops->get_data_size(vdev, &size.stop_copy_length);
	if (ret)
		return ret;
	return copy_to_user(vfio_ptr(arg), &size, sizeof(size)) ? -EFAULT : 0;
}

/* dup: of 7.3. -EINVAL, not -ENOTTY, where there is no migration. */
int vfio_feature_precopy_info_v2(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	int ret;

	(void)arg;
	if (!(vdev->migration_flags & VFIO_MIGRATION_PRE_COPY))
		return -EINVAL;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);
	if (ret != 1)
		return ret;
	vdev->precopy_info_v2 = true;
	return 0;
}
