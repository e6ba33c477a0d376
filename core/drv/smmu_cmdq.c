// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's command queue (Arm IHI 0070, 4).
 *
 * Each issue ends with a CMD_SYNC; its issuer polls CONS until that is behind.
 * When hardware stops at a command (GERROR.CMDQ_ERR), whoever sees it first puts
 * a CMD_SYNC in the place of an illegal one and acknowledges.
 */
#include "core/drv/smmu_priv.h"

#define ENTRIES (1ULL << SMMU_CMDQ_LG2)

static void put(struct smmu_cmdq *q, u64 at, const struct smmu_cmd *cmd)
{
	for (u32 i = 0; i < 2; i++)
		WRITE_ONCE(*smmu_word(q->pa, at % BIT_ULL(q->lg2) * 2 + i), cmd->w[i]);
}

/* q->lock held. The part of CONS that hardware has is its low lg2 + 1 bits. */
static void read_cons(struct smmu_iommu *iommu)
{
	struct smmu_cmdq *q = &iommu->cmdq;
	u64 mask = BIT_ULL(q->lg2 + 1) - 1;

	q->cons += (smmu_read(iommu, SMMU_CMDQ_CONS) - q->cons) & mask;
}

/* q->lock held. */
static void handle_error(struct smmu_iommu *iommu)
{
	struct smmu_cmdq *q = &iommu->cmdq;
	u32 active = smmu_read(iommu, SMMU_GERROR) ^ smmu_read(iommu, SMMU_GERRORN), error;

	if (!(active & GERROR_CMDQ))
		return;
	read_cons(iommu);
	error = smmu_read(iommu, SMMU_CMDQ_CONS) >> CMDQ_CONS_ERR & 0x7f;
	if (error == CERROR_ILL) {
		WARN_ON(1);
		put(q, q->cons, &(struct smmu_cmd){{CMD_SYNC}});
	}
	/* An abort is transient, a time-out of devices is what a retried CMD_SYNC ends. */
	smmu_write(iommu, SMMU_GERRORN, smmu_read(iommu, SMMU_GERRORN) ^ GERROR_CMDQ);
}

/* Until the counter cons is beyond pos. q->lock held on entry and return. */
static void wait_behind(struct smmu_iommu *iommu, u64 pos, unsigned long *flags)
{
	struct smmu_cmdq *q = &iommu->cmdq;

	read_cons(iommu);
	while (q->cons <= pos) {
		handle_error(iommu);
		spin_unlock_irqrestore(&q->lock, *flags);
		cpu_relax();
		spin_lock_irqsave(&q->lock, *flags);
		read_cons(iommu);
	}
}

void smmu_cmdq_issue(struct smmu_iommu *iommu, const struct smmu_cmd *cmd, u32 n)
{
	struct smmu_cmdq *q = &iommu->cmdq;
	unsigned long flags;
	u64 sync;

	spin_lock_irqsave(&q->lock, flags);
	while (q->prod + n + 1 - q->cons > BIT_ULL(q->lg2))
		wait_behind(iommu, q->cons, &flags);
	for (u32 i = 0; i < n; i++)
		put(q, q->prod + i, &cmd[i]);
	sync = q->prod + n;
	put(q, sync, &(struct smmu_cmd){{CMD_SYNC}});
	q->prod = sync + 1;
	smmu_write(iommu, SMMU_CMDQ_PROD, (u32)(q->prod & (BIT_ULL(q->lg2 + 1) - 1)));
	wait_behind(iommu, sync, &flags);
	spin_unlock_irqrestore(&q->lock, flags);
}

int smmu_cmdq_create(struct smmu_iommu *iommu)
{
	struct smmu_cmdq *q = &iommu->cmdq;

	q->lg2 = min(iommu->idr1 >> IDR1_CMDQS & 0x1f, SMMU_CMDQ_LG2);
	q->prod = q->cons = 0;
	q->pa = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!q->pa)
		return -ENOMEM;
	smmu_write64(iommu, SMMU_CMDQ_BASE, q->pa | q->lg2);
	smmu_write(iommu, SMMU_CMDQ_PROD, 0);
	smmu_write(iommu, SMMU_CMDQ_CONS, 0);
	return 0;
}

void smmu_cmdq_destroy(struct smmu_iommu *iommu)
{
	frame_free(this_world(), iommu->cmdq.pa, 0);
}

/* --- commands --- */

static void issue1(struct smmu_iommu *iommu, u64 w0, u64 w1)
{
	smmu_cmdq_issue(iommu, &(struct smmu_cmd){{w0, w1}}, 1);
}

void smmu_sync_ste(struct smmu_iommu *iommu, u32 sid)
{
	issue1(iommu, CMD_CFGI_STE | (u64)sid << CMD0_SID, BIT_ULL(CMD1_LEAF));
}

void smmu_sync_cd(struct smmu_iommu *iommu, u32 sid)
{
	issue1(iommu, CMD_CFGI_CD | (u64)sid << CMD0_SID, BIT_ULL(CMD1_LEAF));
}

void smmu_flush_everything(struct smmu_iommu *iommu)
{
	const struct smmu_cmd all[] = {
		{{CMD_CFGI_STE_RANGE, 31}},
		{{CMD_TLBI_NSNH_ALL, 0}},
	};

	smmu_cmdq_issue(iommu, all, ARRAY_SIZE(all));
}

void smmu_tlb_domain(struct smmu_domain *sd)
{
	if (sd->stage2)
		issue1(sd->iommu, CMD_TLBI_S12_VMALL | (u64)sd->tag << CMD0_VMID, 0);
	else
		issue1(sd->iommu, CMD_TLBI_NH_ASID | (u64)sd->tag << CMD0_ASID, 0);
}

static u64 tlbi_word0(const struct smmu_domain *sd)
{
	if (sd->stage2)
		return CMD_TLBI_S2_IPA | (u64)sd->tag << CMD0_VMID;
	return CMD_TLBI_NH_VA | (u64)sd->tag << CMD0_ASID;
}

#define BATCH 64u

/* A command for each page. */
static void tlb_pages(struct smmu_domain *sd, u64 start, u64 n, u64 pgsize, bool leaf)
{
	struct smmu_cmd cmd[BATCH];
	u64 w0 = tlbi_word0(sd);

	while (n) {
		u32 k = (u32)min(n, (u64)BATCH);

		for (u32 i = 0; i < k; i++)
			cmd[i] = (struct smmu_cmd){{w0, (start + i * pgsize) | leaf}};
		smmu_cmdq_issue(sd->iommu, cmd, k);
		start += k * pgsize;
		n -= k;
	}
}

/* Range invalidation: (NUM + 1) << SCALE granules at a time, the odd ones first. */
static void tlb_ranges(struct smmu_domain *sd, u64 start, u64 n, bool leaf)
{
	struct smmu_cmd cmd[BATCH];
	u32 k = 0;

	while (n) {
		u32 scale = min(bit_lowest(n), 31u);
		u64 num = min(n >> scale & 0x1f, 32ULL);

		/* One granule alone needs no range; that encoding is reserved (4.4.1.1). */
		if (num == 1 && !scale)
			cmd[k++] = (struct smmu_cmd){{tlbi_word0(sd), start | leaf}};
		else
			cmd[k++] = (struct smmu_cmd){
				{tlbi_word0(sd) | (num - 1) << CMD0_NUM | (u64)scale << CMD0_SCALE,
				 start | leaf | 1ULL << CMD1_TG}};
		start += (num << scale) * SMMU_PAGE;
		n -= num << scale;
	}
	smmu_cmdq_issue(sd->iommu, cmd, k);
}

#define PAGES_MAX 512u /* more, without ranges: the whole domain */

void smmu_tlb_range(struct smmu_domain *sd, u64 start, u64 last, u64 pgsize, bool leaf)
{
	u64 from = start & ~(SMMU_PAGE - 1), n = ((last - from) >> 12) + 1;

	if (sd->iommu->idr3 & BIT(IDR3_RIL)) {
		tlb_ranges(sd, from, n, leaf);
		return;
	}
	pgsize = max(pgsize, SMMU_PAGE);
	from = start & ~(pgsize - 1);
	n = (last - from) / pgsize + 1;
	if (n > PAGES_MAX)
		smmu_tlb_domain(sd);
	else
		tlb_pages(sd, from, n, pgsize, leaf);
}
