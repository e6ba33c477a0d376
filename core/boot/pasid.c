// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where PASIDs of a device lead, as a driver of an accelerator does it: processes'
 * memory and domains.
 *
 * A device's record holds its bindings, one per process, and its PASIDs until they are
 * undone or the device loses its IOMMU. By the record's lock.
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

/* --- domains --- */

/* With the record's lock: where pasid leads, or (slot NULL) a place to note it; NULL: none. */
static struct boot_pasid *find(struct boot_user *u, const struct boot_slot *slot, u64 pasid)
{
	for (u32 i = 0; i < ARRAY_SIZE(u->pasid); i++) {
		if (u->pasid[i].slot == slot && (!slot || u->pasid[i].pasid == pasid))
			return &u->pasid[i];
	}
	return NULL;
}

static long attach(struct boot_user *u, struct device *dev, const u64 *arg)
{
	struct boot_pasid *place = find(u, NULL, 0);
	struct boot_slot *slot = boot_slot_get(arg[1]);
	long ret = -ENOSPC;

	if (!slot)
		return -ENOENT;
	if (place)
		ret = iommu_attach_device_pasid(slot->domain, dev, (u32)arg[2], NULL);
	if (ret)
		boot_slot_put(slot);
	else
		*place = (struct boot_pasid){slot, (u32)arg[2]};
	return ret;
}

static void detach(struct boot_pasid *place, struct device *dev)
{
	struct boot_slot *slot = place->slot;

	iommu_detach_device_pasid(slot->domain, dev, place->pasid);
	place->slot = NULL;
	boot_slot_put(slot);
}

long boot_op_attach_pasid(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	struct boot_user *u;
	long ret = -EINVAL;

	if (!dev)
		return -ENODEV;
	u = &boot_state()->user[dev->index];
	mutex_lock(&u->lock);
	if (arg[2] <= ~0u && !dev->dead)
		ret = attach(u, dev, arg);
	mutex_unlock(&u->lock);
	put_device(dev);
	return ret;
}

long boot_op_detach_pasid(const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	struct boot_pasid *place = NULL;
	struct boot_user *u;

	if (!dev)
		return -ENODEV;
	u = &boot_state()->user[dev->index];
	mutex_lock(&u->lock);
	if (arg[1] < OP_DOMAINS_MAX)
		place = find(u, &boot_state()->slot[arg[1]], arg[2]);
	if (place)
		detach(place, dev);
	mutex_unlock(&u->lock);
	put_device(dev);
	return place ? 0 : -ENOENT;
}

void boot_pasids_end(struct boot_user *u, struct device *dev)
{
	for (u32 i = 0; i < ARRAY_SIZE(u->sva); i++)
		unbind(u, i);
	for (u32 i = 0; i < ARRAY_SIZE(u->pasid); i++) {
		if (u->pasid[i].slot)
			detach(&u->pasid[i], dev);
	}
}
