// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's invalidation queue (specification, 6.5.2).
 *
 * Each submission ends with a wait descriptor that writes a status word; its
 * submitter polls that word. Entries come back in order: one that is done is
 * free when all before it are. When hardware stops with a time-out (ITE) it has
 * dropped the waits in flight: their submitters submit again, but for the one
 * whose device did not answer: it is told. When hardware stops at a descriptor
 * that it cannot take (IQE), that one is replaced by one that it can, and its
 * submitter is told.
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

static u32 *status_of(struct vtd_qi *qi, u32 at)
{
	return (u32 *)frame_ptr(this_world(), qi->status) + at;
}

static bool is_done(struct vtd_qi *qi, u32 at)
{
	return READ_ONCE(*status_of(qi, at)) == STATUS_DONE;
}

/* Whether the submitter of this entry needs it no longer. */
static bool reclaimable(struct vtd_qi *qi, u32 at)
{
	if (bug_on(BUG_VTD_QI_ZERO_DESC_RECLAIM)) {
		/* What hardware has done is free, also if nobody has seen it yet. */
		return qi->state[at] == VTD_QI_DONE || is_done(qi, at);
	} else {
		return qi->state[at] == VTD_QI_DONE;
	}
}

static void reclaim(struct vtd_qi *qi)
{
	while (qi->tail != qi->head && reclaimable(qi, qi->tail)) {
		qi->state[qi->tail] = VTD_QI_FREE;
		if (bug_on(BUG_VTD_QI_ZERO_DESC_RECLAIM)) {
			/* One word says both, done and free. */
			WRITE_ONCE(*status_of(qi, qi->tail), 0);
		}
		qi->tail = (qi->tail + 1) % VTD_QI_ENTRIES;
		qi->free++;
	}
}

static struct vtd_desc wait_desc(struct vtd_qi *qi, u32 at)
{
	return (struct vtd_desc){{VTD_INV_WAIT | VTD_WAIT_SW | (u64)STATUS_DONE << 32,
				  qi->status + at * 4ULL}};
}

static u64 first_word(struct vtd_qi *qi, u32 at)
{
	return READ_ONCE(*vtd_word(qi->pa, at * BIT(qi->lg2 - 3)));
}

/* A device has not answered: what hardware had fetched by then, it has given up. */
static void abort_waits(struct vtd_iommu *iommu)
{
	struct vtd_qi *qi = &iommu->qi;
	u32 head = (u32)(vtd_read64(iommu, VTD_IQH) >> qi->lg2) % VTD_QI_ENTRIES;
	u32 silent = vtd_read32(iommu, VTD_IQERCD + 4) & 0xffff;

	for (u32 i = qi->tail; i != head; i = (i + 1) % VTD_QI_ENTRIES) {
		u64 w = first_word(qi, i);

		if (qi->state[i] != VTD_QI_IN_USE)
			continue;
		qi->state[i] = VTD_QI_ABORT;
		if ((w & 0xf) == VTD_INV_DEVTLB && (w >> 32 & 0xffff) == silent)
			qi->state[i] = VTD_QI_SILENT;
	}
}

/* What a time-out means for who has submitted these n and a wait. 0: it has not met them. */
static int aborted(struct vtd_qi *qi, u32 first, u32 n)
{
	int ret = 0;

	for (u32 i = 0; i < n; i++) {
		enum vtd_qi_state state = qi->state[(first + i) % VTD_QI_ENTRIES];

		if (state == VTD_QI_ABORT || state == VTD_QI_SILENT)
			ret = state == VTD_QI_SILENT || ret == -ETIMEDOUT ? -ETIMEDOUT : -EAGAIN;
	}
	if (qi->state[(first + n) % VTD_QI_ENTRIES] == VTD_QI_ABORT && !ret)
		ret = -EAGAIN;
	if (bug_on(BUG_VTD_DEVTLB_DEAD_DEVICE)) {
		/* Once more: it may just have been slow. */
		return ret ? -EAGAIN : 0;
	} else {
		return ret;
	}
}

/* The same, if the wait is among what hardware has given up: it never ends. */
static int wait_aborted(struct vtd_qi *qi, u32 first, u32 n)
{
	return qi->state[(first + n) % VTD_QI_ENTRIES] == VTD_QI_ABORT ? aborted(qi, first, n) : 0;
}

/* qi->lock held. What stopped the queue, if it concerns us: -EAGAIN, -ETIMEDOUT, -EINVAL. */
static int check_fault(struct vtd_iommu *iommu, u32 first, u32 n)
{
	struct vtd_qi *qi = &iommu->qi;
	int ret = wait_aborted(qi, first, n);
	u32 fsts, at;

	if (ret)
		return ret;
	fsts = vtd_read32(iommu, VTD_FSTS);
	if (fsts & VTD_FSTS_ICE)
		vtd_write32(iommu, VTD_FSTS, VTD_FSTS_ICE);
	if (fsts & VTD_FSTS_ITE) {
		abort_waits(iommu);
		vtd_write32(iommu, VTD_FSTS, VTD_FSTS_ITE);
		return wait_aborted(qi, first, n);
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

/* n descriptors and their wait, in the ring. */
struct batch {
	u32 first, n;
	unsigned long flags;
};

/* qi->lock is held on entry and return, and given up in between. */
static int wait_done(struct vtd_iommu *iommu, struct batch *b)
{
	struct vtd_qi *qi = &iommu->qi;
	u32 at = (b->first + b->n) % VTD_QI_ENTRIES;
	int ret = 0, fault;

	while (!is_done(qi, at)) {
		fault = check_fault(iommu, b->first, b->n);
		if (fault == -EAGAIN || fault == -ETIMEDOUT)
			return fault;
		ret = fault ? fault : ret;
		spin_unlock_irqrestore(&qi->lock, b->flags);
		cpu_relax();
		spin_lock_irqsave(&qi->lock, b->flags);
	}
	/* Hardware may have given up what stands before a wait that it had not fetched yet. */
	fault = aborted(qi, b->first, b->n);
	return fault ? fault : ret;
}

/* qi->lock is held on return, with room for n more and a wait, unless it is closed. */
static void lock_with_room(struct vtd_qi *qi, u32 n, unsigned long *flags)
{
	spin_lock_irqsave(&qi->lock, *flags);
	while (!qi->closed && qi->free < n + 2) {
		spin_unlock_irqrestore(&qi->lock, *flags);
		cpu_relax();
		spin_lock_irqsave(&qi->lock, *flags);
	}
}

/* qi->lock held. n entries at the head, which are hardware's from now on. */
static void append(struct vtd_iommu *iommu, const struct vtd_desc *desc, u32 n)
{
	struct vtd_qi *qi = &iommu->qi;

	for (u32 i = 0; i < n; i++) {
		put(qi, (qi->head + i) % VTD_QI_ENTRIES, &desc[i]);
		qi->state[(qi->head + i) % VTD_QI_ENTRIES] = VTD_QI_IN_USE;
	}
	qi->head = (qi->head + n) % VTD_QI_ENTRIES;
	qi->free -= n;
}

static void append_wait(struct vtd_iommu *iommu)
{
	struct vtd_qi *qi = &iommu->qi;
	struct vtd_desc wait = wait_desc(qi, qi->head);

	WRITE_ONCE(*status_of(qi, qi->head), 0);
	append(iommu, &wait, 1);
	vtd_write64(iommu, VTD_IQT, (u64)qi->head << qi->lg2);
}

/* qi->lock held: its entries are free once all before them are. */
static void give_back(struct vtd_qi *qi, u32 first, u32 n)
{
	for (u32 i = 0; i < n; i++)
		qi->state[(first + i) % VTD_QI_ENTRIES] = VTD_QI_DONE;
	reclaim(qi);
}

static int submit_once(struct vtd_iommu *iommu, const struct vtd_desc *desc, u32 n)
{
	struct vtd_qi *qi = &iommu->qi;
	struct batch b = {.n = n};
	int ret;

	lock_with_room(qi, n, &b.flags);
	/* A domain that outlives its instance (user space's): nothing is cached any more. */
	if (qi->closed) {
		spin_unlock_irqrestore(&qi->lock, b.flags);
		return 0;
	}
	b.first = qi->head;
	append(iommu, desc, n);
	append_wait(iommu);
	ret = wait_done(iommu, &b);
	give_back(qi, b.first, n + 1);
	spin_unlock_irqrestore(&qi->lock, b.flags);
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

/* Historic: nobody waits. */
static void post(struct vtd_iommu *iommu, const struct vtd_desc *desc, u32 n)
{
	struct vtd_qi *qi = &iommu->qi;
	unsigned long flags;
	u32 first;

	lock_with_room(qi, n, &flags);
	if (!qi->closed) {
		first = qi->head;
		append(iommu, desc, n);
		vtd_write64(iommu, VTD_IQT, (u64)qi->head << qi->lg2);
		give_back(qi, first, n);
	}
	spin_unlock_irqrestore(&qi->lock, flags);
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
	spin_lock(&qi->lock);
	qi->closed = false;
	spin_unlock(&qi->lock);
	return 0;
}

/* Nothing more is submitted, and all that was is done. */
static void qi_close(struct vtd_qi *qi)
{
	unsigned long flags;

	spin_lock_irqsave(&qi->lock, flags);
	qi->closed = true;
	while (qi->free < VTD_QI_ENTRIES) {
		spin_unlock_irqrestore(&qi->lock, flags);
		cpu_relax();
		spin_lock_irqsave(&qi->lock, flags);
	}
	spin_unlock_irqrestore(&qi->lock, flags);
}

void vtd_qi_disable(struct vtd_iommu *iommu)
{
	qi_close(&iommu->qi);
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

void vtd_qi_drain_pages(struct vtd_iommu *iommu)
{
	u64 drain = iommu->ecap & VTD_ECAP_PDS ? VTD_WAIT_PD : 0;

	submit1(iommu, VTD_INV_WAIT | VTD_WAIT_FN | drain, 0);
}

void vtd_flush_iotlb_all(struct vtd_iommu *iommu)
{
	submit1(iommu, VTD_INV_IOTLB | G_GLOBAL << 4 | IOTLB_DRAIN, 0);
}

void vtd_flush_iotlb_domain(struct vtd_iommu *iommu, u32 did)
{
	submit1(iommu, VTD_INV_IOTLB | G_DOMAIN << 4 | IOTLB_DRAIN | (u64)did << 16, 0);
}

void vtd_flush_entry(struct vtd_iommu *iommu, u32 did, u32 sid)
{
	u64 pasid = VTD_INV_PASID_CACHE | 1ULL << 4 | (u64)did << 16 | (u64)VTD_NO_PASID << 32;
	const struct vtd_desc desc[] = {
		{{iommu->scalable ? pasid : VTD_INV_CONTEXT | G_FINE << 4 | (u64)did << 16 |
						    (u64)sid << 32}},
		{{VTD_INV_IOTLB | G_DOMAIN << 4 | IOTLB_DRAIN | (u64)did << 16}},
	};

	if (bug_on(BUG_RISCV_IODIR_NOINVAL)) {
		/* The table has changed: that is all. */
	} else if (bug_on(BUG_AMD_KDUMP_OLD_DOMAIN)) {
		/* The entry is told, what was translated by way of it is not. */
		WARN_ON(vtd_qi_submit(iommu, &desc[0], 1));
	} else if (bug_on(BUG_AMD_ATTACH_NO_WAIT)) {
		post(iommu, desc, 2);
	} else {
		/* In this order: the old entry would go on filling the IOTLB. */
		WARN_ON(vtd_qi_submit(iommu, &desc[0], 1));
		WARN_ON(vtd_qi_submit(iommu, &desc[1], 1));
	}
}

/* The smallest power of two of pages that there are as many of, as a logarithm of bytes. */
static u32 count_lg2(u64 start, u64 last)
{
	u64 more = (last >> 12) - (start >> 12);

	return 12 + (more ? (u32)bit_highest(more) + 1 : 0);
}

/* The smallest aligned power of two that covers [start, last], in bytes, as its logarithm. */
static u32 cover_lg2(u64 start, u64 last)
{
	u64 differ = (start ^ last) | (VTD_PAGE - 1);

	return (u32)bit_highest(differ) + 1;
}

/* The block of pages to name for [start, last]: its size as a logarithm; its start. */
static u32 block_of(u64 start, u64 last, u64 *addr)
{
	u32 lg2 = cover_lg2(start, last);

	*addr = lg2 < 64 ? start & ~(BIT_ULL(lg2) - 1) : 0;
	if (bug_on(BUG_VTD_PSI_ALIGNED_PAGES)) {
		/* The start of the block, but the size of what was asked for. */
		return count_lg2(start, last);
	} else {
		return lg2;
	}
}

void vtd_flush_iotlb_range(struct vtd_iommu *iommu, u32 did, u64 start, u64 last, bool leaf)
{
	u32 mamv = (u32)(iommu->cap >> VTD_CAP_MAMV_SHIFT) & 0x3f;
	u64 addr;
	u32 am;

	if (bug_on(BUG_VTD_PSI_MASK_UNALIGNED)) {
		/* As many pages, wherever they begin: hardware ignores the low bits. */
		addr = start & ~(VTD_PAGE - 1);
		am = count_lg2(start, last) - 12;
	} else {
		am = block_of(start, last, &addr) - 12;
	}
	if (!(iommu->cap & VTD_CAP_PSI) || am > mamv) {
		vtd_flush_iotlb_domain(iommu, did);
		return;
	}
	submit1(iommu, VTD_INV_IOTLB | G_FINE << 4 | IOTLB_DRAIN | (u64)did << 16,
		addr | (leaf ? VTD_IVA_IH : 0) | am);
}

void vtd_flush_dev_iotlb(struct vtd_iommu *iommu, u32 sid, u64 start, u64 last)
{
	u32 lg2 = cover_lg2(start, last);
	u64 addr = start & ~(VTD_PAGE - 1);
	int ret;

	/* A range is told by the lowest 0 above bit 12: ones below it (PCIe, 10.3.1). */
	if (lg2 > 12)
		addr = (start & ~(BIT_ULL(lg2 - 1) * 2 - 1)) | (BIT_ULL(lg2 - 1) - VTD_PAGE) | 1;
	/* One that does not answer has gone, or is about to: nobody can do more. */
	ret = vtd_qi_submit(iommu, &(struct vtd_desc){{VTD_INV_DEVTLB | (u64)sid << 32, addr}}, 1);
	WARN_ON(ret && ret != -ETIMEDOUT);
}

/* --- descriptors for a PASID --- */

void vtd_flush_piotlb(struct vtd_iommu *iommu, const struct vtd_pasid_tag *t, u32 did, u64 start,
		      u64 last, bool leaf)
{
	u32 mamv = (u32)(iommu->cap >> VTD_CAP_MAMV_SHIFT) & 0x3f;
	u64 addr, word = VTD_INV_PASID_IOTLB | (u64)did << 16 | (u64)t->pasid << 32;
	u32 am = block_of(start, last, &addr) - 12;

	if (am > mamv)
		submit1(iommu, word | G_DOMAIN << 4, 0);
	else
		submit1(iommu, word | G_FINE << 4, addr | (leaf ? VTD_IVA_IH : 0) | am);
}

void vtd_flush_pasid_dev_iotlb(const struct vtd_pasid_tag *t, u64 start, u64 last)
{
	const struct vtd_device *d = t->d;
	u32 lg2 = cover_lg2(start, last);
	struct vtd_desc desc = {{VTD_INV_PASID_DEVTLB | (u64)d->sid[0] << 16 |
				 (u64)t->pasid << 32, start & ~(VTD_PAGE - 1)}};
	int ret;

	/* As without a PASID, but that S has another place. */
	if (lg2 > 12)
		desc.w[1] = (start & ~(BIT_ULL(lg2 - 1) * 2 - 1)) |
			    (BIT_ULL(lg2 - 1) - VTD_PAGE) | VTD_BIT(11);
	if (bug_on(BUG_VTD_DEVTLB_NO_PASID)) {
		vtd_flush_dev_iotlb(d->iommu, d->sid[0], start, last);
		return;
	}
	ret = vtd_qi_submit(d->iommu, &desc, 1);
	WARN_ON(ret && ret != -ETIMEDOUT);
}
