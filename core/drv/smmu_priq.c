// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's queue of page requests (Arm IHI 0070, 8.1): read in the interrupt's
 * thread, answered by CMD_PRI_RESP.
 *
 * custom: Linux's driver logs page requests and denies them. Here they go the way of
 * stalled transactions. While the queue overflows hardware answers by itself; when it
 * is empty again, what was collected of groups is dropped: their last requests may be
 * among those.
 */
#include "core/drv/smmu_priv.h"
#include "sim/kapi/printk.h"

/* Lines and vectors of instances that are VT-d's; an index has one kind. */
#define VECTOR_BASE 0xa0u
#define LINE_BASE 32u
#define RECORD_WORDS 2u

bool smmu_has_priq(const struct smmu_iommu *iommu)
{
	return iommu->idr0 & BIT(IDR0_PRI) && iommu->idr0 & BIT(IDR0_ATS);
}

/* --- answers --- */

/* code: CMD_PRI_RESP's: 0 failure, 1 invalid, 2 success. */
static void respond(struct smmu_iommu *iommu, u64 w0, u32 group, u64 code)
{
	const struct smmu_cmd cmd = {{CMD_PRI_RESP | w0,
				      (u64)group << CMD1_PRI_GROUP | code << CMD1_PRI_RESP}};

	smmu_cmdq_issue(iommu, &cmd, 1);
}

static u64 response_word(u64 sid, u64 ssv, u64 ssid)
{
	return sid << CMD0_SID | (ssv ? 1ULL << CMD0_SSV | ssid << CMD0_SSID : 0);
}

void smmu_pri_answer(struct smmu_master *m, const struct iopf_group *group, u32 code)
{
	static const u8 codes[] = {
		[IOMMU_PAGE_RESP_SUCCESS] = 2,
		[IOMMU_PAGE_RESP_INVALID] = 1,
		[IOMMU_PAGE_RESP_FAILURE] = 0,
	};
	const struct iommu_fault_page_request *prm = &group->last.prm;

	respond(m->iommu,
		response_word(m->sid[0], prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID,
			      prm->pasid),
		prm->grpid, codes[code]);
}

/* --- requests --- */

static bool bit_of(u64 word, u32 bit)
{
	return word >> bit & 1;
}

static struct iommu_fault_page_request decode(const u64 *r)
{
	struct iommu_fault_page_request prm = {
		.grpid = r[1] >> PRIQ1_GROUP & 0x1ff,
		.addr = r[1] & ~(SMMU_PAGE - 1),
	};

	prm.perm |= bit_of(r[0], PRIQ0_READ) ? IOMMU_FAULT_PERM_READ : 0;
	prm.perm |= bit_of(r[0], PRIQ0_WRITE) ? IOMMU_FAULT_PERM_WRITE : 0;
	prm.perm |= bit_of(r[0], PRIQ0_EXEC) ? IOMMU_FAULT_PERM_EXEC : 0;
	prm.perm |= bit_of(r[0], PRIQ0_PRIV) ? IOMMU_FAULT_PERM_PRIV : 0;
	prm.flags |= bit_of(r[0], PRIQ0_LAST) ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0;
	if (bit_of(r[0], PRIQ0_SSV)) {
		prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
		prm.pasid = r[0] >> PRIQ0_SSID & 0xfffff;
	}
	return prm;
}

static void handle_record(struct smmu_iommu *iommu, const u64 *r)
{
	struct iommu_fault_page_request prm = decode(r);
	bool last = prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	u32 sid = (u32)r[0];
	struct smmu_master *m;

	/* A stop marker. */
	if (last && !(prm.perm & (IOMMU_FAULT_PERM_READ | IOMMU_FAULT_PERM_WRITE)))
		return;
	mutex_lock(&iommu_core()->report_lock);
	m = smmu_find_master(iommu, sid);
	if (m && m->pri) {
		iommu_report_device_fault(m->dev, &prm);
	} else {
		pr_err_ratelimited("arm-smmu-v3: unexpected PRI request received: 0x%08x\n", sid);
		if (last)
			respond(iommu, response_word(sid, bit_of(r[0], PRIQ0_SSV), prm.pasid),
				prm.grpid, 0);
	}
	mutex_unlock(&iommu_core()->report_lock);
}

/* The queue is empty. What CONS is to say: hardware may go on. */
static u32 end_overflow(struct smmu_iommu *iommu, u32 prod)
{
	if ((prod ^ smmu_read(iommu, SMMU_PAGE1 + SMMU_PRIQ_CONS)) & Q_OVERFLOW) {
		pr_err_ratelimited("arm-smmu-v3: PRIQ overflow detected -- requests lost\n");
		iopf_queue_discard_partial(&iommu->iommu.iopf);
	}
	return prod & Q_OVERFLOW;
}

static irqreturn_t priq_irq(int irq, void *data)
{
	(void)irq;
	(void)data;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t priq_thread(int irq, void *data)
{
	struct smmu_iommu *iommu = data;
	u32 mask = BIT(iommu->priq_lg2 + 1) - 1, index = BIT(iommu->priq_lg2) - 1;
	u32 prod = smmu_read(iommu, SMMU_PAGE1 + SMMU_PRIQ_PROD);
	u32 seen = smmu_read(iommu, SMMU_PAGE1 + SMMU_PRIQ_CONS) & Q_OVERFLOW;

	(void)irq;
	while ((prod ^ iommu->priq_cons) & mask) {
		u64 r[RECORD_WORDS];

		for (u32 i = 0; i < RECORD_WORDS; i++)
			r[i] = READ_ONCE(*smmu_word(iommu->priq,
						    (iommu->priq_cons & index) * RECORD_WORDS + i));
		handle_record(iommu, r);
		iommu->priq_cons = (iommu->priq_cons + 1) & mask;
		smmu_write(iommu, SMMU_PAGE1 + SMMU_PRIQ_CONS, iommu->priq_cons | seen);
		prod = smmu_read(iommu, SMMU_PAGE1 + SMMU_PRIQ_PROD);
	}
	smmu_write(iommu, SMMU_PAGE1 + SMMU_PRIQ_CONS,
		   iommu->priq_cons | end_overflow(iommu, prod));
	return IRQ_HANDLED;
}

/* --- life --- */

int smmu_priq_create(struct smmu_iommu *iommu)
{
	if (!smmu_has_priq(iommu))
		return 0;
	iommu->priq_lg2 = min(iommu->idr1 >> IDR1_PRIQS & 0x1f, SMMU_PRIQ_LG2);
	iommu->priq_cons = 0;
	iommu->priq = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!iommu->priq)
		return -ENOMEM;
	smmu_write64(iommu, SMMU_PRIQ_BASE, iommu->priq | iommu->priq_lg2);
	smmu_write(iommu, SMMU_PAGE1 + SMMU_PRIQ_PROD, 0);
	smmu_write(iommu, SMMU_PAGE1 + SMMU_PRIQ_CONS, 0);
	return 0;
}

int smmu_priq_irq(struct smmu_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index, data = VECTOR_BASE + iommu->index;
	int ret;

	if (!iommu->priq)
		return 0;
	ret = request_threaded_irq(line, priq_irq, priq_thread, IRQF_ONESHOT, "arm-smmu-v3-priq",
				   iommu);
	if (ret)
		return ret;
	if (!(iommu->idr0 & BIT(IDR0_MSI))) {
		drv_wire(iommu->index, SMMU_WIRE_PRIQ, line);
		return 0;
	}
	if (io_vector_bind(this_world(), drv_doorbell(), data, line)) {
		free_irq(line, iommu);
		return -ENOSPC;
	}
	smmu_write64(iommu, SMMU_PRIQ_IRQ_CFG0, drv_doorbell());
	smmu_write(iommu, SMMU_PRIQ_IRQ_CFG1, data);
	return 0;
}

void smmu_priq_destroy(struct smmu_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index;

	if (!iommu->priq)
		return;
	if (iommu->idr0 & BIT(IDR0_MSI))
		io_vector_unbind(this_world(), drv_doorbell(), VECTOR_BASE + iommu->index);
	else
		drv_wire(iommu->index, SMMU_WIRE_PRIQ, IO_NONE);
	free_irq(line, iommu);
}
