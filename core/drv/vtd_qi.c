// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's invalidation queue (specification, 6.5.2).
 *
 * Each submission ends with a wait descriptor that writes a status word; its
 * submitter polls that word. Entries come back in order: one that is done is
 * free when all before it are. When hardware stops with a time-out (ITE) it has
 * dropped the waits in flight: their submitters submit again. When it stops at
 * a descriptor that it cannot take (IQE), that one is replaced by one that it
 * can, and its submitter is told.
 */
#include "core/drv/vtd_priv.h"

#include <string.h>

#define STATUS_DONE 2u
/* Granularities (bits 5:4) of descriptors. */
#define G_GLOBAL 1ULL
#define G_DOMAIN 2ULL
#define G_FINE 3ULL
#define IOTLB_DRAIN (3ULL << 6) /* reads and writes */

static void put(struct vtd_qi *qi, u32 at, const struct vtd_desc *desc)
{
	u32 words = BIT(qi->lg2 - 3);

	for (u32 i = 0; i < words; i++)
		WRITE_ONCE(*vtd_word(qi->pa, at * words + i), desc->w[i]);
}

static void reclaim(struct vtd_qi *qi)
{
	while (qi->state[qi->tail] == VTD_QI_DONE || qi->state[qi->tail] == VTD_QI_ABORT) {
		qi->state[qi->tail] = VTD_QI_FREE;
		qi->tail = (qi->tail + 1) % VTD_QI_ENTRIES;
		qi->free++;
	}
}

static u32 *status_of(struct vtd_qi *qi, u32 at)
{
	return (u32 *)frame_ptr(this_world(), qi->status) + at;
}

static struct vtd_desc wait_desc(struct vtd_qi *qi, u32 at)
{
	return (struct vtd_desc){{VTD_INV_WAIT | VTD_WAIT_SW | (u64)STATUS_DONE << 32,
				  qi->status + at * 4ULL}};
}

static void abort_waits(struct vtd_qi *qi)
{
	for (u32 i = qi->tail; i != qi->head; i = (i + 1) % VTD_QI_ENTRIES)
		if (qi->state[i] == VTD_QI_IN_USE)
			qi->state[i] = VTD_QI_ABORT;
}

/* qi->lock held. What stopped the queue, if it concerns us: -EAGAIN, -EINVAL. */
static int check_fault(struct vtd_iommu *iommu, u32 first, u32 n)
{
	struct vtd_qi *qi = &iommu->qi;
	u32 fsts, at;

	if (qi->state[(first + n) % VTD_QI_ENTRIES] == VTD_QI_ABORT)
		return -EAGAIN;
	fsts = vtd_read32(iommu, VTD_FSTS);
	if (fsts & VTD_FSTS_ICE)
		vtd_write32(iommu, VTD_FSTS, VTD_FSTS_ICE);
	if (fsts & VTD_FSTS_ITE) {
		abort_waits(qi);
		vtd_write32(iommu, VTD_FSTS, VTD_FSTS_ITE);
		return qi->state[(first + n) % VTD_QI_ENTRIES] == VTD_QI_ABORT ? -EAGAIN : 0;
	}
	if (!(fsts & VTD_FSTS_IQE))
		return 0;
	at = (u32)(vtd_read64(iommu, VTD_IQH) >> qi->lg2) % VTD_QI_ENTRIES;
	if ((at - first) % VTD_QI_ENTRIES > n)
		return 0; /* another's: it polls, too */
	put(qi, at, &(struct vtd_desc){{VTD_INV_WAIT | VTD_WAIT_FN}});
	vtd_write32(iommu, VTD_FSTS, VTD_FSTS_IQE);
	return -EINVAL;
}

/* qi->lock is held on entry and return, and given up in between. */
static int wait_done(struct vtd_iommu *iommu, u32 first, u32 n, unsigned long *flags)
{
	struct vtd_qi *qi = &iommu->qi;
	u32 at = (first + n) % VTD_QI_ENTRIES;
	int ret = 0, fault;

	while (READ_ONCE(*status_of(qi, at)) != STATUS_DONE) {
		fault = check_fault(iommu, first, n);
		if (fault == -EAGAIN)
			return fault;
		ret = fault ? fault : ret;
		spin_unlock_irqrestore(&qi->lock, *flags);
		cpu_relax();
		spin_lock_irqsave(&qi->lock, *flags);
	}
	return ret;
}

static int submit_once(struct vtd_iommu *iommu, const struct vtd_desc *desc, u32 n)
{
	struct vtd_qi *qi = &iommu->qi;
	unsigned long flags;
	struct vtd_desc wait;
	u32 first, at;
	int ret;

	spin_lock_irqsave(&qi->lock, flags);
	while (qi->free < n + 2) {
		spin_unlock_irqrestore(&qi->lock, flags);
		cpu_relax();
		spin_lock_irqsave(&qi->lock, flags);
	}
	first = qi->head;
	at = (first + n) % VTD_QI_ENTRIES;
	for (u32 i = 0; i < n; i++)
		put(qi, (first + i) % VTD_QI_ENTRIES, &desc[i]);
	for (u32 i = 0; i <= n; i++)
		qi->state[(first + i) % VTD_QI_ENTRIES] = VTD_QI_IN_USE;
	WRITE_ONCE(*status_of(qi, at), 0);
	wait = wait_desc(qi, at);
	put(qi, at, &wait);
	qi->head = (at + 1) % VTD_QI_ENTRIES;
	qi->free -= n + 1;
	vtd_write64(iommu, VTD_IQT, (u64)qi->head << qi->lg2);
	ret = wait_done(iommu, first, n, &flags);
	for (u32 i = 0; i <= n; i++)
		qi->state[(first + i) % VTD_QI_ENTRIES] = VTD_QI_DONE;
	reclaim(qi);
	spin_unlock_irqrestore(&qi->lock, flags);
	return ret;
}

int vtd_qi_submit(struct vtd_iommu *iommu, const struct vtd_desc *desc, u32 n)
{
	int ret;

	do {
		ret = submit_once(iommu, desc, n);
	} while (ret == -EAGAIN);
	return ret;
}

static void qi_free(struct vtd_qi *qi)
{
	if (qi->pa)
		frame_free(this_world(), qi->pa, VTD_QI_ORDER);
	if (qi->status)
		frame_free(this_world(), qi->status, 0);
	qi->pa = qi->status = 0;
}

void vtd_command(struct vtd_iommu *iommu, u64 bit, bool on)
{
	u32 keep = (u32)(VTD_G_TE | VTD_G_QIE | VTD_G_IRE | VTD_G_EAFL | VTD_G_CFI);
	u32 now = vtd_read32(iommu, VTD_GSTS) & keep;

	vtd_write32(iommu, VTD_GCMD, on ? now | (u32)bit : now & ~(u32)bit);
	while (!(vtd_read32(iommu, VTD_GSTS) & bit) == on)
		cpu_relax();
}

int vtd_qi_enable(struct vtd_iommu *iommu)
{
	struct vtd_qi *qi = &iommu->qi;

	qi->lg2 = iommu->scalable ? 5 : 4;
	qi->head = qi->tail = 0;
	qi->free = VTD_QI_ENTRIES;
	memset(qi->state, VTD_QI_FREE, sizeof(qi->state));
	qi->pa = frame_alloc(this_world(), VTD_QI_ORDER, FRAME_ZERO);
	qi->status = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!qi->pa || !qi->status) {
		qi_free(qi);
		return -ENOMEM;
	}
	vtd_write64(iommu, VTD_IQT, 0);
	/* QS: 2^QS frames of 16-byte entries hold as many as 2^(QS + 1) of 32-byte ones. */
	vtd_write64(iommu, VTD_IQA, qi->pa | (iommu->scalable ? VTD_IQA_DW | 1 : 0));
	vtd_command(iommu, VTD_G_QIE, true);
	return 0;
}

void vtd_qi_disable(struct vtd_iommu *iommu)
{
	vtd_command(iommu, VTD_G_QIE, false);
	qi_free(&iommu->qi);
}

/* --- descriptors --- */

static void submit1(struct vtd_iommu *iommu, u64 w0, u64 w1)
{
	WARN_ON(vtd_qi_submit(iommu, &(struct vtd_desc){{w0, w1}}, 1));
}

void vtd_flush_context_all(struct vtd_iommu *iommu)
{
	submit1(iommu, VTD_INV_CONTEXT | G_GLOBAL << 4, 0);
}

void vtd_flush_context(struct vtd_iommu *iommu, u32 did, u32 sid)
{
	submit1(iommu, VTD_INV_CONTEXT | G_FINE << 4 | (u64)did << 16 | (u64)sid << 32, 0);
}

void vtd_flush_pasid(struct vtd_iommu *iommu, u32 did, u32 pasid)
{
	submit1(iommu, VTD_INV_PASID_CACHE | 1ULL << 4 | (u64)did << 16 | (u64)pasid << 32, 0);
}

void vtd_flush_iotlb_all(struct vtd_iommu *iommu)
{
	submit1(iommu, VTD_INV_IOTLB | G_GLOBAL << 4 | IOTLB_DRAIN, 0);
}

void vtd_flush_iotlb_domain(struct vtd_iommu *iommu, u32 did)
{
	submit1(iommu, VTD_INV_IOTLB | G_DOMAIN << 4 | IOTLB_DRAIN | (u64)did << 16, 0);
}

/* The smallest aligned power of two that covers [start, last], in bytes, as its logarithm. */
static u32 cover_lg2(u64 start, u64 last)
{
	u64 differ = (start ^ last) | (VTD_PAGE - 1);

	return (u32)bit_highest(differ) + 1;
}

void vtd_flush_iotlb_range(struct vtd_iommu *iommu, u32 did, u64 start, u64 last, bool leaf)
{
	u32 mamv = (u32)(iommu->cap >> VTD_CAP_MAMV_SHIFT) & 0x3f;
	u32 lg2 = cover_lg2(start, last), am = lg2 - 12;

	if (!(iommu->cap & VTD_CAP_PSI) || am > mamv) {
		vtd_flush_iotlb_domain(iommu, did);
		return;
	}
	submit1(iommu, VTD_INV_IOTLB | G_FINE << 4 | IOTLB_DRAIN | (u64)did << 16,
		(start & ~(BIT_ULL(lg2) - 1)) | (leaf ? VTD_IVA_IH : 0) | am);
}

void vtd_flush_dev_iotlb(struct vtd_iommu *iommu, u32 sid, u64 start, u64 last)
{
	u32 lg2 = cover_lg2(start, last);
	u64 addr = start & ~(VTD_PAGE - 1);

	/* A range is told by the lowest 0 above bit 12: ones below it (PCIe, 10.3.1). */
	if (lg2 > 12)
		addr = (start & ~(BIT_ULL(lg2 - 1) * 2 - 1)) | (BIT_ULL(lg2 - 1) - VTD_PAGE) | 1;
	submit1(iommu, VTD_INV_DEVTLB | (u64)sid << 32, addr);
}
