// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue: records, overflow and its acknowledgement, merging (7.2 to 7.4).
 */
#include "hw/smmuv3/smmu_priv.h"

static u32 lg2_of(const struct hw_smmuv3 *h)
{
	return min(FIELD(h->reg[R_EVENTQ_BASE], 0, 5), (u32)h->cap.evtqs);
}

static u32 index_mask(const struct hw_smmuv3 *h)
{
	return (2u << lg2_of(h)) - 1;
}

static bool full(const struct hw_smmuv3 *h)
{
	u32 mask = index_mask(h), wrap = 1u << lg2_of(h);

	return (((u32)h->reg[R_EVENTQ_PROD] ^ (u32)h->reg[R_EVENTQ_CONS]) & mask) == wrap;
}

static bool enabled(const struct hw_smmuv3 *h)
{
	return (h->reg[R_CR0ACK] & CR0_EVENTQEN) &&
	       !((h->reg[R_GERROR] ^ h->reg[R_GERRORN]) & GERROR_EVENTQ_ABT);
}

bool smmu_eventq_writable(const struct hw_smmuv3 *h)
{
	return enabled(h) && !full(h);
}

/* The queue is writable. false: the write was aborted, the record is lost. */
bool smmu_event_write(struct hw_smmuv3 *h, const u64 rec[4])
{
	u32 lg2 = lg2_of(h), mask = index_mask(h), prod = (u32)h->reg[R_EVENTQ_PROD];
	u64 base = h->reg[R_EVENTQ_BASE] & 0x000fffffffffffe0ull & h->oa_mask;
	bool was_empty = !((prod ^ (u32)h->reg[R_EVENTQ_CONS]) & mask);

	/* No point until the index is there: another walk may have an event too. */
	base &= ~((32ull << lg2) - 1);
	if (!smmu_write_words(h, base + 32ull * (prod & (mask >> 1)), rec, 4)) {
		smmu_gerror(h, GERROR_EVENTQ_ABT);
		return false;
	}
	h->reg[R_EVENTQ_PROD] = (prod & ~0xfffffu) | ((prod + 1) & mask);
	if (was_empty)
		smmu_irq(h, IRQ_OF_EVENTQ);
	return true;
}

/* May this record stand for one that lies in the queue unread (7.3.1)? */
static bool merged(struct hw_smmuv3 *h, const u64 rec[4], bool merges)
{
	u32 mask = index_mask(h);
	bool unread = ((h->last_prod ^ (u32)h->reg[R_EVENTQ_CONS]) & mask) &&
		      !((h->last_prod ^ (u32)h->reg[R_EVENTQ_PROD]) & mask);
	bool page = (rec[0] & 0xff) >= F_WALK_EABT || (rec[0] & 0xff) == F_TRANSL_FORBIDDEN;
	u64 ignored = page ? 0xfff : 0;

	return h->cap.merge && merges && h->last_merges && unread && rec[0] == h->last_event[0] &&
	       rec[1] == h->last_event[1] && rec[3] == h->last_event[3] &&
	       !((rec[2] ^ h->last_event[2]) & ~ignored);
}

/* A record that is not of a stalled transaction: it may get lost. */
void smmu_event(struct hw_smmuv3 *h, const u64 rec[4], bool merges)
{
	if (!enabled(h))
		return;
	if (merged(h, rec, merges))
		return;
	if (full(h)) {
		if (!((h->reg[R_EVENTQ_PROD] ^ h->reg[R_EVENTQ_CONS]) & Q_OVERFLOW))
			h->reg[R_EVENTQ_PROD] ^= Q_OVERFLOW;
		return;
	}
	if (!smmu_event_write(h, rec))
		return;
	memcpy(h->last_event, rec, sizeof(h->last_event));
	h->last_prod = (u32)h->reg[R_EVENTQ_PROD];
	h->last_merges = merges;
}

/* What the fault of a walk looks like in the queue (7.3). */
void smmu_record(const struct smmu_walk *w, const struct hw_req *req, u64 rec[4])
{
	const struct smmu_fault *f = &w->f;
	bool write = w->access & HW_WRITE, instr = w->access & (HW_EXEC | HW_INSTR);

	rec[0] = f->event | (u64)w->sid << EVT0_SID;
	rec[1] = rec[2] = rec[3] = 0;
	if (w->pasid != HW_NO_PASID)
		rec[0] |= 1ull << EVT0_SSV | (u64)(w->pasid & 0xfffff) << EVT0_SSID;
	switch (f->event) {
	case C_BAD_SUBSTREAMID:
		rec[0] &= ~(1ull << EVT0_SSV); /* always valid: no such flag */
		return;
	case F_STE_FETCH:
	case F_CD_FETCH:
		rec[3] = f->fetch & 0x00fffffffffffff8ull;
		return;
	case F_BAD_ATS_TREQ:
	case F_TRANSL_FORBIDDEN:
		rec[1] = (u64)!write << EVT1_RNW;
		rec[2] = req->addr;
		return;
	}
	if (f->event < F_WALK_EABT)
		return;
	rec[1] = (u64)!write << EVT1_RNW | (u64)(instr && !write) << EVT1_IND |
		 (u64)!!(w->access & HW_PRIV) << EVT1_PNU | (u64)f->s2 << EVT1_S2 |
		 (u64)f->class << EVT1_CLASS;
	rec[2] = req->addr;
	if (f->event == F_WALK_EABT)
		rec[3] = f->fetch & 0x00fffffffffffff8ull;
	else if (f->s2)
		rec[3] = f->ipa & 0x00fffffffffff000ull;
	if (f->event == F_PERMISSION && f->s2 && f->class == CLASS_TT)
		rec[1] |= (u64)f->ttrnw << EVT1_TTRNW;
}
