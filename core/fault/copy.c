// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own access to what a device reaches by a PASID: a driver that writes
 * a completion for a device which could not, or emulates one of its registers.
 *
 * As the device would get it: a process's page is faulted in, a domain's must be
 * mapped. The group's mutex keeps the attachment meanwhile.
 */
#include "core/fault/fault_priv.h"
#include "sim/kapi/bug.h"
#include "sim/mem/frames.h"
#include "sim/user/mm.h"

#include <string.h>

/* One piece within a page, which is there. */
static void copy_frame(u64 pa, void *buf, size_t len, bool write)
{
	char *frame = frame_ptr(this_world(), pa);

	if (write)
		frame_note_write(this_world(), pa, len);
	if (write)
		memcpy(frame, buf, len);
	else
		memcpy(buf, frame, len);
}

static int copy_domain(struct iommu_domain *domain, u64 addr, void *buf, size_t len, bool write)
{
	u64 pa = iommu_iova_to_phys(domain, addr);

	if (!pa || !frames_contains(pa, len))
		return -EFAULT;
	copy_frame(pa, buf, len, write);
	return 0;
}

static int copy_mm(struct mm_struct *mm, u64 addr, void *buf, size_t len, bool write)
{
	struct page *page;
	int ret = -EFAULT;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	mmap_read_lock(mm);
	page = mm_fault(mm, addr & PAGE_MASK, write ? FOLL_WRITE : 0);
	if (page && !IS_ERR(page)) {
		copy_frame(page_to_phys(page) + offset_in_page(addr), buf, len, write);
		ret = 0;
	}
	mmap_read_unlock(mm);
	mmput(mm);
	return ret;
}

static int copy(struct iommu_domain *domain, const struct iommu_pasid_access *a)
{
	char *buf = a->buf;
	int ret = 0;

	for (u64 done = 0; !ret && done < a->len;) {
		u64 at = a->addr + done, n = min(a->len - done, PAGE_SIZE - offset_in_page(at));

		if (domain->type == IOMMU_DOMAIN_SVA)
			ret = copy_mm(iommu_sva_mm(domain), at, buf + done, n, a->write);
		else
			ret = copy_domain(domain, at, buf + done, n, a->write);
		done += n;
	}
	return ret;
}

int iommu_pasid_access(struct device *dev, const struct iommu_pasid_access *a)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommu_domain *domain;
	int ret = -ENOENT;

	if (!group)
		return -ENODEV;
	domain = iommu_pasid_domain_lock(group, a->pasid);
	if (domain)
		ret = a->addr + a->len < a->addr ? -EFAULT : copy(domain, a);
	iommu_pasid_domain_unlock(group);
	iommu_group_put(group);
	return ret;
}
