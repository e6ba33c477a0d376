// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's event queue (Arm IHI 0070, 7.2): records are read in the interrupt's
 * thread, an overflow is acknowledged with the new CONS. A stalled transaction is a
 * page request; it goes on, or ends, with the answer.
 */
#include "core/drv/smmu_priv.h"
#include "sim/kapi/printk.h"

#define VECTOR_BASE 0x80u
#define LINE_BASE 48u
#define RECORD_WORDS 4u

static void resume(struct smmu_iommu *iommu, u64 sid, u64 stag, u64 action)
{
	const struct smmu_cmd cmd = {{CMD_RESUME | sid << CMD0_SID | 1ULL << action, stag}};

	smmu_cmdq_issue(iommu, &cmd, 1);
}

/* Without page requests a group is one stalled transaction; its number is the tag. */
void smmu_page_response(struct device *dev, const struct iopf_group *group, u32 code)
{
	struct smmu_master *m = dev_iommu_priv_get(dev);

	if (m->pri)
		smmu_pri_answer(m, group, code);
	else
		resume(m->iommu, m->sid[0], group->last.prm.grpid,
		       code == IOMMU_PAGE_RESP_SUCCESS ? CMD0_RESUME_AC : CMD0_RESUME_AB);
}

/* Devices with ATS ask for pages, others stall; a shared id tells nobody who it was. */
bool smmu_can_fault(const struct smmu_master *m)
{
	const struct smmu_iommu *iommu = m->iommu;
	bool stalls = (iommu->idr0 >> IDR0_STALL_MODEL & 3) != 1;

	return m->n_sid == 1 && iommu->idr0 & BIT(IDR0_S1P) && (m->ats ? m->pri : stalls);
}

struct smmu_master *smmu_find_master(struct smmu_iommu *iommu, u32 sid)
{
	struct smmu_master *m;

	list_for_each_entry(m, &iommu->masters, node) {
		/* Aliases share an id: who has answered is not known. */
		if (m->n_sid == 1 && m->sid[0] == sid)
			return m;
	}
	return NULL;
}

/* Who is waited for is told; of a stall that nobody can be told of the transaction ends. */
static void report_stall(struct smmu_iommu *iommu, const u64 *r)
{
	u32 sid = (u32)(r[0] >> EVT0_SID), stag = r[1] >> EVT1_STAG & 0xffff;
	struct iommu_fault_page_request prm = {
		.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
		.grpid = stag,
		.perm = r[1] >> EVT1_RNW & 1 ? IOMMU_FAULT_PERM_READ : IOMMU_FAULT_PERM_WRITE,
		.addr = r[2],
	};
	struct smmu_master *m;

	if (r[0] >> EVT0_SSV & 1) {
		prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
		prm.pasid = r[0] >> EVT0_SSID & 0xfffff;
	}
	mutex_lock(&iommu_core()->report_lock);
	m = smmu_find_master(iommu, sid);
	if (m && bug_on(BUG_IOPF_REPORT_VS_RELEASE)) {
		/* Who releases the device does not wait. */
		mutex_unlock(&iommu_core()->report_lock);
		iommu_report_device_fault(m->dev, &prm);
		return;
	}
	if (m)
		iommu_report_device_fault(m->dev, &prm);
	else
		resume(iommu, sid, stag, CMD0_RESUME_AB);
	mutex_unlock(&iommu_core()->report_lock);
}

/* dup: what a guest can have caused by its own tables, and not by its parent's. */
static bool is_guests(const u64 *r)
{
	const u64 types = BIT_ULL(C_BAD_STE) | BIT_ULL(F_STREAM_DISABLED) |
			  BIT_ULL(C_BAD_SUBSTREAMID) | BIT_ULL(C_BAD_CD) |
			  BIT_ULL(F_TRANSLATION) | BIT_ULL(F_ADDR_SIZE) | BIT_ULL(F_ACCESS) |
			  BIT_ULL(F_PERMISSION);
	u32 type = r[0] & 0xff;

	return type < 64 && types >> type & 1 && !(r[1] >> EVT1_S2 & 1);
}

static bool report_to_guest(struct smmu_iommu *iommu, const u64 *r)
{
	struct smmu_master *m;
	bool told = false;

	mutex_lock(&iommu_core()->report_lock);
	m = smmu_find_master(iommu, (u32)(r[0] >> EVT0_SID));
	if (m && m->vsmmu)
		told = smmu_vsmmu_report(m, r);
	mutex_unlock(&iommu_core()->report_lock);
	return told;
}

static void report(struct smmu_iommu *iommu, const u64 *r)
{
	u32 sid = (u32)(r[0] >> EVT0_SID), type = r[0] & 0xff;

	if (type >= F_TRANSLATION && type <= F_PERMISSION && r[1] >> EVT1_STALL & 1) {
		report_stall(iommu, r);
		return;
	}
	fact(IOMMU_FAULT, iommu->index, sid, r[2] & ~(SMMU_PAGE - 1), type);
	if (is_guests(r) && report_to_guest(iommu, r))
		return;
	pr_err_ratelimited("arm-smmu-v3: event 0x%02x received: %016llx %016llx %016llx %016llx\n",
			   type, (unsigned long long)r[0], (unsigned long long)r[1],
			   (unsigned long long)r[2], (unsigned long long)r[3]);
}

/* What CONS is to say of an overflow that PROD tells of. */
static u32 ack(struct smmu_iommu *iommu, u32 prod)
{
	if (bug_on(BUG_SMMU_OVFL_ACK)) {
		/* Not now: hardware goes on thinking that it has told us. */
		return smmu_read(iommu, SMMU_EVENTQ_CONS) & Q_OVERFLOW;
	} else {
		(void)iommu;
		return prod & Q_OVERFLOW;
	}
}

static irqreturn_t evtq_irq(int irq, void *data)
{
	(void)irq;
	(void)data;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t evtq_thread(int irq, void *data)
{
	struct smmu_iommu *iommu = data;
	u32 mask = BIT(iommu->evtq_lg2 + 1) - 1, index = BIT(iommu->evtq_lg2) - 1;
	u32 prod = smmu_read(iommu, SMMU_EVENTQ_PROD);

	(void)irq;
	while ((prod ^ iommu->evtq_cons) & mask) {
		u64 r[RECORD_WORDS];

		for (u32 i = 0; i < RECORD_WORDS; i++)
			r[i] = READ_ONCE(*smmu_word(iommu->evtq,
						    (iommu->evtq_cons & index) * RECORD_WORDS + i));
		iommu->evtq_cons = (iommu->evtq_cons + 1) & mask;
		smmu_write(iommu, SMMU_EVENTQ_CONS, iommu->evtq_cons | ack(iommu, prod));
		report(iommu, r);
		prod = smmu_read(iommu, SMMU_EVENTQ_PROD);
	}
	smmu_write(iommu, SMMU_EVENTQ_CONS, iommu->evtq_cons | ack(iommu, prod));
	return IRQ_HANDLED;
}

int smmu_evtq_create(struct smmu_iommu *iommu)
{
	iommu->evtq_lg2 = min(iommu->idr1 >> IDR1_EVENTQS & 0x1f, SMMU_EVTQ_LG2);
	iommu->evtq_cons = 0;
	iommu->evtq = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!iommu->evtq)
		return -ENOMEM;
	smmu_write64(iommu, SMMU_EVENTQ_BASE, iommu->evtq | iommu->evtq_lg2);
	smmu_write(iommu, SMMU_PAGE1 + SMMU_EVENTQ_PROD, 0);
	smmu_write(iommu, SMMU_PAGE1 + SMMU_EVENTQ_CONS, 0);
	return 0;
}

int smmu_evtq_irq(struct smmu_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index, data = VECTOR_BASE + iommu->index;
	int ret = request_threaded_irq(line, evtq_irq, evtq_thread, IRQF_ONESHOT,
				       "arm-smmu-v3-evtq", iommu);

	if (ret)
		return ret;
	if (iommu->idr0 & BIT(IDR0_MSI)) {
		ret = io_vector_bind(this_world(), drv_doorbell(), data, line);
		if (ret) {
			free_irq(line, iommu);
			return -ENOSPC;
		}
		smmu_write64(iommu, SMMU_EVENTQ_IRQ_CFG0, drv_doorbell());
		smmu_write(iommu, SMMU_EVENTQ_IRQ_CFG1, data);
	} else {
		drv_wire(iommu->index, SMMU_WIRE_EVTQ, line);
	}
	smmu_write(iommu, SMMU_IRQ_CTRL, IRQ_EVENTQ | (iommu->priq ? IRQ_PRIQ : 0));
	return 0;
}

void smmu_evtq_destroy(struct smmu_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index;

	if (iommu->idr0 & BIT(IDR0_MSI))
		io_vector_unbind(this_world(), drv_doorbell(), VECTOR_BASE + iommu->index);
	else
		drv_wire(iommu->index, SMMU_WIRE_EVTQ, IO_NONE);
	free_irq(line, iommu);
}
