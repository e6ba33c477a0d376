// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's page requests (specification, 7.4 to 7.11): a ring that hardware fills, read
 * in the interrupt's thread; answers go by the invalidation queue.
 *
 * The thread gives entries back when it has reported them: what stands between head
 * and tail has not reached its handler. When the ring was full hardware answers what
 * comes by itself until software says that it has room again; what was collected of
 * groups by then is dropped, since their last requests may be among those.
 */
#include "core/drv/vtd_priv.h"
#include "sim/kapi/printk.h"

/* Lines and vectors of instances that are SMMUs; an index has one kind. */
#define VECTOR_BASE 0x50u
#define LINE_BASE 48u
#define SLOT 32u
#define RING_BYTES 4096u

/* A request as it lies in the ring (7.4.1.1). */
struct request {
	u64 w[2];
};

static u32 sid_of(const struct request *r)
{
	return r->w[0] >> 16 & 0xffff;
}

static u32 pasid_of(const struct request *r)
{
	return r->w[0] >> 32 & 0xfffff;
}

#define HAS_PASID(r) ((r)->w[0] >> 8 & 1)
#define IS_EXEC(r) ((r)->w[0] >> 52 & 1)
#define IS_PRIV(r) ((r)->w[0] >> 53 & 1)
#define IS_READ(r) ((r)->w[1] & 1)
#define IS_WRITE(r) ((r)->w[1] >> 1 & 1)
#define IS_LAST(r) ((r)->w[1] >> 2 & 1)
#define GROUP_OF(r) ((u32)((r)->w[1] >> 3 & 0x1ff))
#define ADDR_OF(r) ((r)->w[1] & ~(VTD_PAGE - 1))

static struct request read_slot(struct vtd_iommu *iommu, u32 at)
{
	struct request r;

	for (u32 i = 0; i < ARRAY_SIZE(r.w); i++)
		r.w[i] = READ_ONCE(*vtd_word(iommu->prq.pa, at / 8 + i));
	return r;
}

/* --- answers --- */

static void respond(struct vtd_iommu *iommu, u32 sid, const u32 *pasid, u32 group, u64 code)
{
	struct vtd_desc desc = {{VTD_INV_PAGE_RESPONSE | code << 12 | (u64)sid << 16,
				 (u64)group << 3}};

	if (pasid)
		desc.w[0] |= VTD_BIT(4) | (u64)*pasid << 32;
	/* A device that is silent elsewhere stops nobody here: submitted again by the queue. */
	vtd_qi_submit(iommu, &desc, 1);
}

void vtd_answer_pages(struct device *dev, const struct iopf_group *group, u32 code)
{
	static const u8 codes[] = {
		[IOMMU_PAGE_RESP_SUCCESS] = 0,
		[IOMMU_PAGE_RESP_INVALID] = 1,
		[IOMMU_PAGE_RESP_FAILURE] = 15,
	};
	const struct iommu_fault_page_request *prm = &group->last.prm;
	bool has_pasid = prm->flags & IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	struct vtd_device *d = dev_iommu_priv_get(dev);

	respond(d->iommu, d->sid[0], has_pasid ? &prm->pasid : NULL, prm->grpid, codes[code]);
}

/* --- requests --- */

/* dup: why nobody can be told of it; NULL: somebody can. */
static const char *bad_request(const struct request *r)
{
	if (!HAS_PASID(r))
		return "Page request without PASID";
	if ((ADDR_OF(r) + (1ULL << 47)) >> 48)
		return "Address is not canonical";
	if (IS_PRIV(r) && (IS_READ(r) || IS_WRITE(r)))
		return "Page request in Privilege Mode";
	if (IS_EXEC(r) && IS_READ(r))
		return "Execution request not supported";
	return NULL;
}

/* report_lock held: the device stays. Aliases share an id: who has asked is not known. */
static struct vtd_device *find_device(struct vtd_iommu *iommu, u32 sid)
{
	struct vtd_device *d, *found = NULL;

	spin_lock(&iommu->lock);
	list_for_each_entry(d, &iommu->devices, node) {
		if (d->pri && d->sid[0] == sid)
			found = d;
	}
	spin_unlock(&iommu->lock);
	return found;
}

static void report(struct device *dev, const struct request *r)
{
	struct iommu_fault_page_request prm = {
		.flags = IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
			 IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID,
		.pasid = pasid_of(r),
		.grpid = GROUP_OF(r),
		.addr = ADDR_OF(r),
	};

	prm.flags |= IS_LAST(r) ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0;
	prm.perm |= IS_READ(r) ? IOMMU_FAULT_PERM_READ : 0;
	prm.perm |= IS_WRITE(r) ? IOMMU_FAULT_PERM_WRITE : 0;
	prm.perm |= IS_EXEC(r) ? IOMMU_FAULT_PERM_EXEC : 0;
	prm.perm |= IS_PRIV(r) ? IOMMU_FAULT_PERM_PRIV : 0;
	iommu_report_device_fault(dev, &prm);
}

static void handle_slot(struct vtd_iommu *iommu, const struct request *r)
{
	const char *why = bad_request(r);
	u32 pasid = pasid_of(r);
	struct vtd_device *d;

	/* A stop marker: the device will ask for nothing more. */
	if (IS_LAST(r) && !IS_READ(r) && !IS_WRITE(r))
		return;
	mutex_lock(&iommu_core()->report_lock);
	d = why ? NULL : find_device(iommu, sid_of(r));
	if (d) {
		report(d->dev, r);
	} else {
		pr_err_ratelimited("DMAR: %s: %016llx %016llx\n", why ? why : "unknown device",
				   (unsigned long long)r->w[0], (unsigned long long)r->w[1]);
		if (IS_LAST(r) || bug_on(BUG_PRQ_INVALID_RESPONSE))
			respond(iommu, sid_of(r), HAS_PASID(r) ? &pasid : NULL, GROUP_OF(r), 1);
	}
	mutex_unlock(&iommu_core()->report_lock);
}

/* Hardware takes requests again once the ring is empty. */
static void end_overflow(struct vtd_iommu *iommu)
{
	if (!(vtd_read32(iommu, VTD_PRS) & VTD_PRS_PRO))
		return;
	pr_err_ratelimited("DMAR: PRQ overflow detected\n");
	if (vtd_read64(iommu, VTD_PQH) != vtd_read64(iommu, VTD_PQT))
		return;
	iopf_queue_discard_partial(&iommu->iommu.iopf);
	vtd_write32(iommu, VTD_PRS, VTD_PRS_PRO);
}

static irqreturn_t prq_irq(int irq, void *data)
{
	(void)irq;
	(void)data;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t prq_thread(int irq, void *data)
{
	struct vtd_iommu *iommu = data;
	u32 head, tail;

	(void)irq;
	/* First, so that what comes from now on is told again. */
	vtd_write32(iommu, VTD_PRS, VTD_PRS_PPR);
	tail = (u32)vtd_read64(iommu, VTD_PQT) % RING_BYTES;
	head = (u32)vtd_read64(iommu, VTD_PQH) % RING_BYTES;
	while (head != tail) {
		struct request r = read_slot(iommu, head);

		handle_slot(iommu, &r);
		head = (head + SLOT) % RING_BYTES;
	}
	vtd_write64(iommu, VTD_PQH, tail);
	end_overflow(iommu);
	wake_up_all(&iommu->prq.wait);
	return IRQ_HANDLED;
}

/* --- detaching --- */

/* Whether a request of the device and PASID has not been reported yet. */
static bool in_ring(struct vtd_iommu *iommu, u32 sid, u32 pasid)
{
	u32 tail = (u32)vtd_read64(iommu, VTD_PQT) % RING_BYTES;
	u32 head = (u32)vtd_read64(iommu, VTD_PQH) % RING_BYTES;

	for (; head != tail; head = (head + SLOT) % RING_BYTES) {
		struct request r = read_slot(iommu, head);

		if (HAS_PASID(&r) && sid_of(&r) == sid && pasid_of(&r) == pasid)
			return true;
	}
	return false;
}

/*
 * 7.11: what is on its way is in the ring, or answered, once a wait descriptor that
 * drains page requests is done. custom: Linux looks into the ring first and drains
 * then; here nothing of the PASID is left when it is given to somebody else.
 */
void vtd_prq_drain(struct vtd_device *d, u32 pasid)
{
	struct vtd_iommu *iommu = d->iommu;

	if (!d->pri || !iommu->prq.pa)
		return;
	vtd_qi_drain_pages(iommu);
	wait_event(iommu->prq.wait, !in_ring(iommu, d->sid[0], pasid) &&
					    !(vtd_read32(iommu, VTD_PRS) & VTD_PRS_PRO));
	iopf_sync();
}

/* --- life --- */

int vtd_prq_enable(struct vtd_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index, data = VECTOR_BASE + iommu->index;
	int ret;

	if (!iommu->scalable || !(iommu->ecap & VTD_ECAP_PRS))
		return 0;
	iommu->prq.pa = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!iommu->prq.pa)
		return -ENOMEM;
	ret = request_threaded_irq(line, prq_irq, prq_thread, IRQF_ONESHOT, "dmar-prq", iommu);
	if (ret)
		goto err_ring;
	ret = io_vector_bind(this_world(), VTD_INTERRUPT_BASE, data, line) ? -ENOSPC : 0;
	if (ret)
		goto err_irq;
	vtd_write32(iommu, VTD_PEDATA, data);
	vtd_write32(iommu, VTD_PEADDR, VTD_INTERRUPT_BASE);
	vtd_write32(iommu, VTD_PEUADDR, 0);
	vtd_write64(iommu, VTD_PQH, 0);
	vtd_write64(iommu, VTD_PQT, 0);
	vtd_write64(iommu, VTD_PQA, iommu->prq.pa);
	vtd_write32(iommu, VTD_PRS, VTD_PRS_PPR | VTD_PRS_PRO);
	vtd_write32(iommu, VTD_PECTL, 0);
	return 0;

err_irq:
	free_irq(line, iommu);
err_ring:
	frame_free(this_world(), iommu->prq.pa, 0);
	iommu->prq.pa = 0;
	return ret;
}

void vtd_prq_disable(struct vtd_iommu *iommu)
{
	u32 line = LINE_BASE + iommu->index;

	if (!iommu->prq.pa)
		return;
	vtd_write32(iommu, VTD_PECTL, (u32)VTD_ECTL_IM);
	io_vector_unbind(this_world(), VTD_INTERRUPT_BASE, VECTOR_BASE + iommu->index);
	free_irq(line, iommu);
	vtd_write64(iommu, VTD_PQA, 0);
	frame_free(this_world(), iommu->prq.pa, 0);
	iommu->prq.pa = 0;
}
