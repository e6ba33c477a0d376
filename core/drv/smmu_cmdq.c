// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's command queue (Arm IHI 0070, 4).
 *
 * Each issue ends with a CMD_SYNC; its issuer polls the word in memory that these
 * write their numbers to, or, where the SMMU has no messages, CONS.
 * When hardware stops at a command (GERROR.CMDQ_ERR), whoever sees it first puts
 * a CMD_SYNC in the place of an illegal one and acknowledges.
 *
 * A queue that is closed takes nothing: an instance that is off has nothing cached, and
 * a domain that outlives it (user space's) is given up without it.
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

static struct smmu_cmd sync_command(const struct smmu_cmdq *q, u32 number)
{
	if (!q->sync_pa)
		return (struct smmu_cmd){{CMD_SYNC}};
	return (struct smmu_cmd){
		{CMD_SYNC | 1ULL << CMD0_SYNC_CS | (u64)number << CMD0_SYNC_DATA, q->sync_pa}};
}

#define LATE_POLLS 500u /* hardware has gone on, the number is still not there */

/* Until the number, or a later one, is in the word: pos is the CMD_SYNC's place. */
static void wait_number(struct smmu_iommu *iommu, u32 number, u64 pos)
{
	struct smmu_cmdq *q = &iommu->cmdq;
	unsigned long flags;
	u32 late = 0;

	while ((s32)(READ_ONCE(*(u32 *)smmu_word(q->sync_pa, 0)) - number) < 0) {
		spin_lock_irqsave(&q->lock, flags);
		handle_error(iommu);
		read_cons(iommu);
		late += q->cons > pos;
		spin_unlock_irqrestore(&q->lock, flags);
		if (WARN_ON(late > LATE_POLLS)) /* Linux: "CMD_SYNC timeout" */
			return;
		cpu_relax();
	}
}

void smmu_cmdq_issue(struct smmu_iommu *iommu, const struct smmu_cmd *cmd, u32 n)
{
	struct smmu_cmdq *q = &iommu->cmdq;
	struct smmu_cmd end;
	unsigned long flags;
	u32 number = 0;
	u64 sync;

	if (bug_on(BUG_SMMU_CMDSYNC_MSIDATA_ORDER))
		number = (u32)atomic_inc_return(&q->next_sync);
	spin_lock_irqsave(&q->lock, flags);
	if (q->closed) {
		spin_unlock_irqrestore(&q->lock, flags);
		return;
	}
	atomic_inc(&q->issuers);
	if (!bug_on(BUG_SMMU_CMDSYNC_MSIDATA_ORDER)) {
		/* Numbers are in the order of the queue, so the word only grows. */
		number = (u32)atomic_inc_return(&q->next_sync);
	}
	while (q->prod + n + 1 - q->cons > BIT_ULL(q->lg2))
		wait_behind(iommu, q->cons, &flags);
	for (u32 i = 0; i < n; i++)
		put(q, q->prod + i, &cmd[i]);
	sync = q->prod + n;
	end = sync_command(q, number);
	put(q, sync, &end);
	q->prod = sync + 1;
	smmu_write(iommu, SMMU_CMDQ_PROD, (u32)(q->prod & (BIT_ULL(q->lg2 + 1) - 1)));
	if (!q->sync_pa)
		wait_behind(iommu, sync, &flags);
	spin_unlock_irqrestore(&q->lock, flags);
	if (q->sync_pa)
		wait_number(iommu, number, sync);
	atomic_dec(&q->issuers);
}

void smmu_cmdq_close(struct smmu_iommu *iommu)
{
	struct smmu_cmdq *q = &iommu->cmdq;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	q->closed = true;
	spin_unlock_irqrestore(&q->lock, flags);
	while (atomic_read_acquire(&q->issuers))
		cpu_relax();
}

int smmu_cmdq_create(struct smmu_iommu *iommu)
{
	struct smmu_cmdq *q = &iommu->cmdq;

	q->lg2 = min(iommu->idr1 >> IDR1_CMDQS & 0x1f, SMMU_CMDQ_LG2);
	q->prod = q->cons = 0;
	q->pa = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!q->pa)
		return -ENOMEM;
	q->sync_pa = 0;
	if (iommu->idr0 & BIT(IDR0_MSI)) {
		q->sync_pa = frame_alloc(this_world(), 0, FRAME_ZERO);
		if (!q->sync_pa) {
			frame_free(this_world(), q->pa, 0);
			q->pa = 0;
			return -ENOMEM;
		}
	}
	atomic_set(&q->next_sync, 0);
	smmu_write64(iommu, SMMU_CMDQ_BASE, q->pa | q->lg2);
	smmu_write(iommu, SMMU_CMDQ_PROD, 0);
	smmu_write(iommu, SMMU_CMDQ_CONS, 0);
	spin_lock(&q->lock);
	q->closed = false;
	spin_unlock(&q->lock);
	return 0;
}

void smmu_cmdq_destroy(struct smmu_iommu *iommu)
{
	frame_free(this_world(), iommu->cmdq.pa, 0);
	if (iommu->cmdq.sync_pa)
		frame_free(this_world(), iommu->cmdq.sync_pa, 0);
}

/* --- commands --- */

static void issue1(struct smmu_iommu *iommu, u64 w0, u64 w1)
{
	smmu_cmdq_issue(iommu, &(struct smmu_cmd){{w0, w1}}, 1);
}

void smmu_sync_ste(struct smmu_iommu *iommu, u32 sid, u32 ssid)
{
	(void)ssid;
	issue1(iommu, CMD_CFGI_STE | (u64)sid << CMD0_SID, BIT_ULL(CMD1_LEAF));
}

void smmu_sync_l1(struct smmu_iommu *iommu, u32 sid)
{
	issue1(iommu, CMD_CFGI_STE | (u64)sid << CMD0_SID, 0);
}

void smmu_sync_cd(struct smmu_iommu *iommu, u32 sid, u32 ssid)
{
	issue1(iommu, CMD_CFGI_CD | (u64)sid << CMD0_SID | (u64)ssid << CMD0_SSID,
	       BIT_ULL(CMD1_LEAF));
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

/* The level that a leaf of this size is at, as a hint for hardware; 0: none. */
static u64 ttl_of(u64 pgsize)
{
	return pgsize == SMMU_PAGE ? 3 : 0;
}

/*
 * Range invalidation: (NUM + 1) << SCALE granules at a time, the odd ones first.
 * One granule alone needs its level, or no range: else the encoding is reserved
 * (4.4.1.1).
 */
static void tlb_ranges(struct smmu_domain *sd, u64 start, u64 size, u64 pgsize, bool leaf)
{
	struct smmu_cmd cmd[BATCH];
	u64 w0 = tlbi_word0(sd), n = size >> 12, ttl = leaf && n == 1 ? ttl_of(pgsize) : 0;
	u32 k = 0;

	for (u64 left = size, run; left; left -= run) {
		u32 scale = n ? min(bit_lowest(n), 31u) : 0;
		u64 num = min(n >> scale & 0x1f, 32ULL);

		run = (num << scale) * SMMU_PAGE;
		if (k == BATCH) {
			smmu_cmdq_issue(sd->iommu, cmd, k);
			k = 0;
		}
		if (num == 1 && !scale && !leaf)
			cmd[k++] = (struct smmu_cmd){{w0, start}};
		else if (num == 1 && !scale && n != 1)
			cmd[k++] = (struct smmu_cmd){{w0, start | leaf}};
		else
			cmd[k++] = (struct smmu_cmd){
				{w0 | ((num - 1) & 0x1f) << CMD0_NUM | (u64)scale << CMD0_SCALE,
				 start | leaf | ttl << CMD1_TTL | 1ULL << CMD1_TG}};
		start += run;
		n -= num << scale;
	}
	smmu_cmdq_issue(sd->iommu, cmd, k);
}

#define PAGES_MAX 512u /* more, without ranges: the whole domain */

static void tlb_range(struct smmu_domain *sd, u64 start, u64 size, u64 pgsize, bool leaf)
{
	u64 n;

	if (sd->iommu->idr3 & BIT(IDR3_RIL)) {
		tlb_ranges(sd, start & ~(SMMU_PAGE - 1), size, pgsize, leaf);
		return;
	}
	pgsize = max(pgsize, SMMU_PAGE);
	size += start & (pgsize - 1);
	start &= ~(pgsize - 1);
	n = (size + pgsize - 1) / pgsize;
	if (n > PAGES_MAX)
		smmu_tlb_domain(sd);
	else
		tlb_pages(sd, start, n, pgsize, leaf);
}

void smmu_tlb_range(struct smmu_domain *sd, u64 start, u64 size, u64 pgsize, bool leaf)
{
	tlb_range(sd, start, size, pgsize, leaf);
	/* What both stages gave is known by addresses of the first: all of it goes. */
	if (sd->nest_parent)
		issue1(sd->iommu, CMD_TLBI_NH_ALL | (u64)sd->tag << CMD0_VMID, 0);
}

/* --- devices' translation caches --- */

#define ATC_ALL 52u /* SIZE: all addresses */

/* A power of two of pages that has [start, last] in it. */
static u64 atc_word1(u64 start, u64 last)
{
	u64 differ = (start ^ last) >> 12;
	u32 size = differ ? bit_highest(differ) + 1 : 0;

	if (size >= ATC_ALL)
		return ATC_ALL;
	return (start & ~((SMMU_PAGE << size) - 1)) | size;
}

static u32 atc_add(struct smmu_cmd *cmd, u32 k, const struct smmu_master *m, u64 w1)
{
	for (u32 i = 0; i < m->n_sid && k < BATCH; i++)
		cmd[k++] = (struct smmu_cmd){{CMD_ATC_INV | (u64)m->sid[i] << CMD0_SID, w1}};
	return k;
}

void smmu_atc_master(struct smmu_master *m)
{
	struct smmu_cmd cmd[BATCH];

	smmu_cmdq_issue(m->iommu, cmd, atc_add(cmd, 0, m, ATC_ALL));
}

/* At most BATCH streams, as a machine has at most 64 functions. */
void smmu_atc_domain(struct smmu_domain *sd, u64 start, u64 last)
{
	struct smmu_cmd cmd[BATCH];
	struct smmu_ats *a;
	u64 w1 = atc_word1(start, last);
	u32 k = 0;

	spin_lock(&sd->ats_lock);
	list_for_each_entry(a, &sd->ats_masters, node)
		k = atc_add(cmd, k, a->master, a->all ? ATC_ALL : w1);
	spin_unlock(&sd->ats_lock);
	if (k)
		smmu_cmdq_issue(sd->iommu, cmd, k);
}
