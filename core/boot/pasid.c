// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes' memory bound to devices, as a driver of an accelerator does it.
 *
 * A device's record holds its bindings, one per process, until they are undone or the
 * device loses its IOMMU. By the record's lock.
 */
#include "core/boot/boot_priv.h"

#include "sim/user/mm.h"
#include "sim/user/user.h"

long boot_op_sva_bind(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	struct boot_user *u;
	struct mm_struct *mm;
	struct iommu_sva *sva;
	long ret = -ESRCH;

	if (!dev)
		return -ENODEV;
	if (arg[1] >= ARRAY_SIZE(u->sva)) {
		put_device(dev);
		return -EINVAL;
	}
	u = &boot_state()->user[dev->index];
	mutex_lock(&u->lock);
	mm = process_mm_get((u32)arg[1]);
	if (u->sva[arg[1]]) {
		ret = -EBUSY;
	} else if (mm) {
		sva = iommu_sva_bind_device(dev, mm);
		ret = IS_ERR(sva) ? PTR_ERR(sva) : (long)iommu_sva_get_pasid(sva);
		if (!IS_ERR(sva))
			u->sva[arg[1]] = sva;
	}
	if (mm)
		mmput(mm);
	mutex_unlock(&u->lock);
	put_device(dev);
	return ret;
}

/* With the record's lock. */
static long unbind(struct boot_user *u, u64 process)
{
	struct iommu_sva *sva = u->sva[process];

	if (!sva)
		return -ENOENT;
	u->sva[process] = NULL;
	iommu_sva_unbind_device(sva);
	return 0;
}

long boot_op_sva_unbind(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	struct boot_user *u;
	long ret = -EINVAL;

	if (!dev)
		return -ENODEV;
	u = &boot_state()->user[dev->index];
	mutex_lock(&u->lock);
	if (arg[1] < ARRAY_SIZE(u->sva))
		ret = unbind(u, arg[1]);
	mutex_unlock(&u->lock);
	put_device(dev);
	return ret;
}

void boot_sva_end(struct boot_user *u)
{
	for (u32 i = 0; i < ARRAY_SIZE(u->sva); i++)
		unbind(u, i);
}
