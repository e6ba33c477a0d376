// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where PASIDs of a device lead, as a driver of an accelerator does it: processes'
 * memory and domains.
 *
 * A device's record holds its bindings, one per process, and its PASIDs until they are
 * undone or the device loses its IOMMU. By the record's lock.
 */
#include "core/boot/boot_priv.h"

#include "hw/bus/bus.h"
#include "sim/user/mm.h"
#include "sim/user/user.h"

long boot_op_sva_bind(struct boot_user *u, struct device *dev, const u64 *arg)
{
	struct mm_struct *mm;
	struct iommu_sva *sva;
	long ret = -ESRCH;

	if (arg[1] >= ARRAY_SIZE(u->sva))
		return -EINVAL;
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
	return ret;
}

static long unbind(struct boot_user *u, u64 process)
{
	struct iommu_sva *sva = u->sva[process];

	if (!sva)
		return -ENOENT;
	u->sva[process] = NULL;
	iommu_sva_unbind_device(sva);
	return 0;
}

long boot_op_sva_unbind(struct boot_user *u, struct device *dev, const u64 *arg)
{
	(void)dev;
	return arg[1] < ARRAY_SIZE(u->sva) ? unbind(u, arg[1]) : -EINVAL;
}

/* --- domains --- */

/* Where pasid leads, or (slot NULL) a place to note it; NULL: none. */
static struct boot_pasid *find(struct boot_user *u, const struct boot_slot *slot, u64 pasid)
{
	for (u32 i = 0; i < ARRAY_SIZE(u->pasid); i++) {
		if (u->pasid[i].slot == slot && (!slot || u->pasid[i].pasid == pasid))
			return &u->pasid[i];
	}
	return NULL;
}

static long attach(struct boot_user *u, struct device *dev, u64 domain, struct boot_pasid to)
{
	struct boot_pasid *place = find(u, NULL, 0);
	struct boot_slot *slot = boot_slot_get(domain);
	long ret = -ENOSPC;

	if (!slot)
		return -ENOENT;
	if (place)
		ret = iommu_attach_device_pasid(slot->domain, dev, to.pasid, NULL);
	if (ret) {
		boot_slot_put(slot);
	} else {
		*place = to;
		place->slot = slot;
	}
	return ret;
}

static void detach(struct boot_pasid *place, struct device *dev)
{
	struct enqcmd_pasid *p = place->of_vm ? enqcmd_leave(place->vm, place->vpasid) : NULL;
	struct boot_slot *slot = place->slot;

	iommu_detach_device_pasid(slot->domain, dev, place->pasid);
	if (p)
		enqcmd_put(p);
	place->slot = NULL;
	boot_slot_put(slot);
}

long boot_op_attach_pasid(struct boot_user *u, struct device *dev, const u64 *arg)
{
	if (arg[2] > ~0u || dev->dead)
		return -EINVAL;
	return attach(u, dev, arg[1], (struct boot_pasid){.pasid = (u32)arg[2]});
}

long boot_op_detach_pasid(struct boot_user *u, struct device *dev, const u64 *arg)
{
	struct boot_pasid *place = NULL;

	if (arg[1] < OP_DOMAINS_MAX)
		place = find(u, &boot_state()->slot[arg[1]], arg[2]);
	if (!place || place->of_vm)
		return -ENOENT;
	detach(place, dev);
	return 0;
}

/* --- ENQCMD of virtual machines --- */

/* A device that user space owns is the guest's as it is; others are shared by the host's driver. */
long boot_op_enqcmd_map(struct boot_user *u, struct device *dev, const u64 *arg)
{
	struct boot_pasid to = {.of_vm = true, .vm = (u32)arg[2], .vpasid = (u32)arg[3]};
	long ret;

	if (arg[2] >= ENQCMD_VMS || arg[3] > ~0u || dev->dead)
		return -EINVAL;
	ret = enqcmd_join(to.vm, to.vpasid, dev, u->n_claims);
	if (ret < 0)
		return ret;
	to.pasid = (u32)ret;
	ret = attach(u, dev, arg[1], to);
	if (!ret)
		return to.pasid;
	enqcmd_put(enqcmd_leave(to.vm, to.vpasid));
	return ret;
}

long boot_op_enqcmd_unmap(struct boot_user *u, struct device *dev, const u64 *arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(u->pasid); i++) {
		struct boot_pasid *place = &u->pasid[i];

		if (!place->slot || !place->of_vm || place->vm != arg[1] ||
		    place->vpasid != arg[2])
			continue;
		detach(place, dev);
		return 0;
	}
	return -ENOENT;
}

/* The descriptor has left the guest: whatever becomes of the table, it carries its PASID. */
long boot_op_enqcmd(const u64 *arg)
{
	struct bus_req r = {.addr = arg[3], .access = HW_READ};
	struct device *dev = boot_device_get(arg[0]);
	struct enqcmd_pasid *p = NULL;
	long ret = -ENOENT;
	u32 value = 0;

	if (!dev)
		return -ENODEV;
	if (!drv_hardware() || !bus_has(bus_of(this_world()), dev->index))
		ret = -EOPNOTSUPP;
	else if (arg[2] <= ~0u)
		p = enqcmd_submit((u32)min(arg[1], (u64)ENQCMD_VMS), (u32)arg[2]);
	if (p) {
		r.pasid = enqcmd_host_pasid(p);
		ret = bus_dma(bus_of(this_world()), dev->index, &r, &value, sizeof(value));
		ret = ret == HW_OK ? (long)value : -EFAULT;
		enqcmd_put(p);
	}
	put_device(dev);
	return ret;
}

/* --- the kernel's own accesses --- */

static long access_op(const u64 *arg, u32 *value, bool write)
{
	struct iommu_pasid_access a = {.addr = arg[2], .len = sizeof(*value), .buf = value,
				       .pasid = (u32)min(arg[1], (u64)~0u), .write = write};
	struct device *dev = boot_device_get(arg[0]);
	long ret;

	if (!dev)
		return -ENODEV;
	ret = iommu_pasid_access(dev, &a);
	put_device(dev);
	return ret;
}

long boot_op_pasid_read(const u64 *arg)
{
	u32 value = 0;
	long ret = access_op(arg, &value, false);

	return ret ? ret : value;
}

long boot_op_pasid_write(const u64 *arg)
{
	u32 value = (u32)arg[3];

	return access_op(arg, &value, true);
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
