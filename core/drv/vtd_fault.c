// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's primary faults (specification, 7.3): records are read from where the
 * status says the first is, each is given back by writing its F, and the
 * overflow flag is cleared last, so that nothing is lost silently.
 */
#include "core/drv/vtd_priv.h"
#include "sim/kapi/printk.h"

#define VECTOR_BASE 0x40u
#define LINE_BASE 32u

static u32 record_reg(struct vtd_iommu *iommu, u32 i)
{
	return (u32)((iommu->cap >> VTD_CAP_FRO_SHIFT & 0x3ff) * 16) + i * 16;
}

static void report(struct vtd_iommu *iommu, u64 lo, u64 hi)
{
	u32 sid = hi & 0xffff, reason = (u32)(hi >> VTD_FRCD_FR_SHIFT) & 0xff;

	fact(IOMMU_FAULT, iommu->index, sid, lo & ~(VTD_PAGE - 1), reason);
	pr_err_ratelimited("DMAR: [DMA %s] Request device [%02x:%02x.%x] fault addr %llx [fault "
			   "reason 0x%02x]\n",
			   hi & VTD_FRCD_T1 ? "Read" : "Write", sid >> 8, sid >> 3 & 31, sid & 7,
			   (unsigned long long)(lo & ~(VTD_PAGE - 1)), reason);
}

static irqreturn_t vtd_fault(int irq, void *data)
{
	struct vtd_iommu *iommu = data;
	u32 fsts = vtd_read32(iommu, VTD_FSTS);
	u32 at = fsts >> VTD_FSTS_FRI_SHIFT & 0xff;

	(void)irq;
	/* Bounded: hardware may go on recording while we read. */
	for (u32 i = 0; fsts & VTD_FSTS_PPF && i < iommu->n_records; i++) {
		u32 reg = record_reg(iommu, at);
		u64 hi = vtd_read64(iommu, reg + 8);

		if (!(hi & VTD_FRCD_F))
			break;
		report(iommu, vtd_read64(iommu, reg), hi);
		vtd_write32(iommu, reg + 12, (u32)(VTD_FRCD_F >> 32));
		at = (at + 1) % iommu->n_records;
	}
	vtd_write32(iommu, VTD_FSTS, VTD_FSTS_PFO);
	return IRQ_HANDLED;
}

int vtd_faults_enable(struct vtd_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index, data = VECTOR_BASE + iommu->index;
	int ret = request_irq(line, vtd_fault, 0, "dmar", iommu);

	if (ret)
		return ret;
	ret = io_vector_bind(this_world(), VTD_INTERRUPT_BASE, data, line);
	if (ret) {
		free_irq(line, iommu);
		return -ENOSPC;
	}
	vtd_write32(iommu, VTD_FEDATA, data);
	vtd_write32(iommu, VTD_FEADDR, VTD_INTERRUPT_BASE);
	vtd_write32(iommu, VTD_FEUADDR, 0);
	vtd_write32(iommu, VTD_FECTL, 0);
	return 0;
}

void vtd_faults_disable(struct vtd_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index;

	vtd_write32(iommu, VTD_FECTL, (u32)VTD_ECTL_IM);
	io_vector_unbind(this_world(), VTD_INTERRUPT_BASE, VECTOR_BASE + iommu->index);
	free_irq(line, iommu);
}
