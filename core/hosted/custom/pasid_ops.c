// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the operations of core/uapi/ops.def on PASIDs: a process's memory
 * bound to a device (SVA), a domain attached to one of its PASIDs.
 *
 * What the program holds is kept here, so that a device is not unplugged under
 * it, which the tree takes for a bug of its caller, and so that it is given
 * back when the program ends.
 * False: of what a driver does before it lets a device use a PASID there is
 * only what the IOMMU driver asks for.
 */
#include "core/hosted/custom/machine.h"
#include "core/hosted/custom/mm.h"

#include <linux/iommu.h>
#include <linux/sched/mm.h>

#define BONDS_MAX 32

/* A device's PASID: of a process (sva), or of a domain. */
static struct bond {
	bool used, coming; /* coming: taken, not there yet */
	unsigned long device;
	unsigned int process;
	struct iommu_sva *sva;
	struct iommu_domain *domain;
	unsigned int slot; /* of the domain */
	u32 pasid;
} bonds[BONDS_MAX];

static struct device *device_of(const struct bond *b)
{
	return hosted_machine.device[b->device].dev;
}

bool hosted_pasid_in_use(unsigned long device)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		if (bonds[i].used && bonds[i].device == device)
			return true;
	}
	return false;
}

bool hosted_pasid_has_domain(unsigned int slot)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		if (bonds[i].used && bonds[i].domain && bonds[i].slot == slot)
			return true;
	}
	return false;
}

static struct bond *new_bond(unsigned long device)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		if (!bonds[i].used) {
			bonds[i] = (struct bond){.used = true, .coming = true, .device = device};
			return &bonds[i];
		}
	}
	return NULL;
}

/* --- SVA --- */

/* What a driver says before the first binding, on trees where it has to. */
static int enable(struct device *dev)
{
#if HOSTED_HAS_DEV_FEATURES
	/* Where there are no page requests, a driver would pin what the device uses. */
	iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);
	return iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
#else
	return 0;
#endif
}

static void disable(struct device *dev)
{
#if HOSTED_HAS_DEV_FEATURES
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA);
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
#endif
}

static bool last_of(unsigned long device)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		if (bonds[i].used && bonds[i].device == device && !bonds[i].domain)
			return false;
	}
	return true;
}

static long bind(struct bond *b, bool first)
{
	struct device *dev = device_of(b);
	int ret = first ? enable(dev) : 0;

	if (ret)
		return ret;
	b->sva = iommu_sva_bind_device(dev, current->mm);
	if (IS_ERR(b->sva)) {
		ret = PTR_ERR(b->sva);
		b->sva = NULL;
		return ret;
	}
	return iommu_sva_get_pasid(b->sva);
}

long hosted_op_sva_bind(const unsigned long *arg)
{
	bool first = last_of(arg[0]);
	struct bond *b = new_bond(arg[0]);
	long ret = -ESRCH;

	if (!b)
		return -ENOSPC;
	b->process = arg[1];
	if (hosted_process_enter(b->process)) {
		ret = hosted_table_make(current->mm) ? bind(b, first) : -ENOMEM;
		hosted_process_leave(b->process);
	}
	b->used = ret >= 0;
	if (!b->used && last_of(arg[0]))
		disable(hosted_machine.device[arg[0]].dev);
	b->coming = false;
	return ret;
}

static void unbind(struct bond *b)
{
	b->coming = true;
	iommu_sva_unbind_device(b->sva);
	b->used = false;
	if (last_of(b->device))
		disable(device_of(b));
}

long hosted_op_sva_unbind(const unsigned long *arg)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		struct bond *b = &bonds[i];

		if (b->used && !b->coming && b->sva && b->device == arg[0] &&
		    b->process == arg[1]) {
			unbind(b);
			return 0;
		}
	}
	return -ENOENT;
}

/* --- domains --- */

long hosted_pasid_attach(struct iommu_domain *domain, const unsigned long *arg)
{
	struct bond *b = new_bond(arg[0]);
	long ret;

	if (!b)
		return -ENOSPC;
	b->domain = domain;
	b->slot = arg[1];
	b->pasid = arg[2];
	ret = iommu_attach_device_pasid(domain, device_of(b), b->pasid, NULL);
	b->used = !ret;
	b->coming = false;
	return ret;
}

static void detach(struct bond *b)
{
	b->coming = true;
	iommu_detach_device_pasid(b->domain, device_of(b), b->pasid);
	b->used = false;
}

long hosted_pasid_detach(const unsigned long *arg)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		struct bond *b = &bonds[i];

		if (b->used && !b->coming && b->domain && b->device == arg[0] &&
		    b->slot == arg[1] && b->pasid == arg[2]) {
			detach(b);
			return 0;
		}
	}
	return -EINVAL;
}

void hosted_pasid_end(void)
{
	for (int i = 0; i < BONDS_MAX; i++) {
		struct bond *b = &bonds[i];

		if (b->used && b->sva)
			unbind(b);
		else if (b->used)
			detach(b);
	}
}
