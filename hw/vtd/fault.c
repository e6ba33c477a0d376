// SPDX-License-Identifier: GPL-2.0-only
/*
 * Primary fault logging (7.2): records in a ring, its overflow, the status
 * register, and the fault event.
 */
#include "hw/vtd/vtd_priv.h"

#define STATUS_EVENTS (VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)

static u32 record_at(u32 i)
{
	return VTD_FRCD + 16 * i;
}

static bool record_full(const struct vtd *v, u32 i)
{
	return vtd_get64(v, record_at(i) + 8) & VTD_FRCD_F;
}

/* 7.1.3: faults of the root table, and of getting at the context table, ignore FPD. */
bool vtd_qualified(u8 reason)
{
	static const u8 always[] = {VTD_FR_ROOT_P,	  VTD_FR_ROOT_ACCESS, VTD_FR_ROOT_RESERVED,
				    VTD_FR_CONTEXT_ACCESS, VTD_FR_TTM,	       VTD_FR_TTM_PASID,
				    VTD_FR_TTM_PAGE,	  VTD_FR_S_ROOT_ACCESS, VTD_FR_S_ROOT_P,
				    VTD_FR_S_ROOT_RESERVED, VTD_FR_S_CTX_ACCESS};

	return memchr(always, reason, sizeof(always)) == NULL;
}

/* 7.2.1: a new condition interrupts only if none was there. */
void vtd_status_set(struct vtd *v, u32 bits)
{
	u32 old = vtd_get(v, VTD_FSTS);

	vtd_set(v, VTD_FSTS, old | bits);
	if ((bits & ~old & STATUS_EVENTS) && !(old & STATUS_EVENTS))
		vtd_event(v, VTD_FECTL);
}

void vtd_status_written(struct vtd *v)
{
	if (!(vtd_get(v, VTD_FSTS) & STATUS_EVENTS))
		vtd_event_clear(v, VTD_FECTL);
}

/* A write to the last word of a record: F is cleared by 1. */
void vtd_record_write(struct vtd *v, u32 off, u32 value)
{
	u32 status = vtd_get(v, VTD_FSTS);

	if ((off & 15) != 12 || !(value & VTD_BIT(31)))
		return;
	vtd_set(v, off, vtd_get(v, off) & ~(u32)VTD_BIT(31));
	for (u32 i = 0; i < v->k.nfr; i++) {
		if (record_full(v, i))
			return;
	}
	vtd_set(v, VTD_FSTS, status & ~(u32)VTD_FSTS_PPF);
	vtd_status_written(v);
}

static bool collapses(const struct vtd *v, u32 sid)
{
	for (u32 i = 0; v->k.collapse && i < v->k.nfr; i++) {
		if (record_full(v, i) && (vtd_get(v, record_at(i) + 8) & 0xffff) == sid)
			return true;
	}
	return false;
}

/* 7.2.1: after an overflow nothing is recorded until software has seen it. */
static bool lost(const struct vtd *v)
{
	return vtd_get(v, VTD_FSTS) & VTD_FSTS_PFO;
}

static void record(struct vtd *v, u64 low, u64 high)
{
	u32 i = v->next_record, status = vtd_get(v, VTD_FSTS);

	if (lost(v) || collapses(v, high & 0xffff))
		return;
	if (record_full(v, i)) {
		vtd_set(v, VTD_FSTS, status | VTD_FSTS_PFO);
		return;
	}
	vtd_set64(v, record_at(i), low);
	vtd_set64(v, record_at(i) + 8, high | VTD_FRCD_F);
	v->next_record = i + 1 == v->k.nfr ? 0 : i + 1;
	if (status & VTD_FSTS_PPF)
		return;
	vtd_set(v, VTD_FSTS, (status & ~0xff00u) | i << VTD_FSTS_FRI_SHIFT);
	vtd_status_set(v, VTD_FSTS_PPF);
}

/* 11.4.11: T1 and T2 say write 00, page request 01, read 10. */
void vtd_fault(struct vtd *v, const struct hw_req *req, u8 reason, bool page_request)
{
	u64 high = req->sid | (u64)reason << VTD_FRCD_FR_SHIFT |
		   (u64)req->kind << VTD_FRCD_AT_SHIFT;

	vtd_fact(v, HW_FACT_FAULT, req->sid | (u64)req->pasid << 32, req->addr, reason, 0);
	if (lost(v))
		return;
	if (page_request)
		high |= VTD_FRCD_T2;
	else if (!(req->access & HW_WRITE))
		high |= VTD_FRCD_T1;
	if (req->pasid != HW_NO_PASID) {
		high |= VTD_FRCD_PP | (u64)(req->pasid & 0xfffff) << VTD_FRCD_PV_SHIFT;
		high |= req->access & HW_EXEC ? VTD_FRCD_EXE : 0;
		high |= req->access & HW_PRIV ? VTD_FRCD_PRIV : 0;
	}
	record(v, req->addr & ~0xfffULL, high);
}

void vtd_ir_fault(struct vtd *v, u32 sid, u32 index, u8 reason)
{
	vtd_fact(v, HW_FACT_FAULT, sid | (u64)HW_NO_PASID << 32, index, reason, 0);
	record(v, (u64)(index & 0xffff) << VTD_FRCD_IR_INDEX_SHIFT,
	       (sid & 0xffff) | (u64)reason << VTD_FRCD_FR_SHIFT);
}
