// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue: records, overflow and its acknowledgement, merging (7.2 to 7.4).
 */
#include "hw/smmuv3/smmu_priv.h"

/* The queue as its registers say it is now. */
struct ring {
	u32 lg2, prod; /* log2 of its records; index */
	u32 unread;    /* how the index and CONS differ, wrap included; 0: it is empty */
};

static struct ring ring_of(const struct hw_smmuv3 *h)
{
	u32 lg2 = min(FIELD(h->reg[R_EVENTQ_BASE], 0, 5), (u32)h->cap.evtqs);
	u32 prod = (u32)h->reg[R_EVENTQ_PROD];

	return (struct ring){lg2, prod, (prod ^ (u32)h->reg[R_EVENTQ_CONS]) & ((2u << lg2) - 1)};
}

static bool full(const struct ring *r)
{
	return r->unread == 1u << r->lg2;
}

static bool enabled(const struct hw_smmuv3 *h)
{
	return (h->reg[R_CR0ACK] & CR0_EVENTQEN) &&
	       !((h->reg[R_GERROR] ^ h->reg[R_GERRORN]) & GERROR_EVENTQ_ABT);
}

bool smmu_eventq_writable(const struct hw_smmuv3 *h)
{
	const struct ring r = ring_of(h);

	return enabled(h) && !full(&r);
}

static bool put(struct hw_smmuv3 *h, const struct ring *r, const u64 rec[4])
{
	u64 base = h->reg[R_EVENTQ_BASE] & 0x000fffffffffffe0ull & h->oa_mask;
	u32 mask = (1u << r->lg2) - 1;

	/* No point until the index is there: another walk may have an event too. */
	base &= ~((32ull << r->lg2) - 1);
	if (!smmu_write_words(h, base + 32ull * (r->prod & mask), rec, 4)) {
		smmu_gerror(h, GERROR_EVENTQ_ABT);
		return false;
	}
	h->reg[R_EVENTQ_PROD] = (r->prod & ~0xfffffu) | ((r->prod + 1) & (mask << 1 | 1));
	if (!r->unread)
		smmu_irq(h, IRQ_OF_EVENTQ);
	return true;
}

/* The queue is writable. false: the write was aborted, the record is lost. */
bool smmu_event_write(struct hw_smmuv3 *h, const u64 rec[4])
{
	const struct ring r = ring_of(h);

	return put(h, &r, rec);
}

/* May this record stand for one that lies in the queue unread (7.3.1)? */
static bool merged(const struct hw_smmuv3 *h, const struct ring *r, const u64 rec[4])
{
	u32 mask = (2u << r->lg2) - 1;
	bool unread = ((h->last_prod ^ (u32)h->reg[R_EVENTQ_CONS]) & mask) &&
		      !((h->last_prod ^ (u32)h->reg[R_EVENTQ_PROD]) & mask);
	bool page = (rec[0] & 0xff) >= F_WALK_EABT || (rec[0] & 0xff) == F_TRANSL_FORBIDDEN;
	u64 ignored = page ? 0xfff : 0;

	return unread && rec[0] == h->last_event[0] &&
	       rec[1] == h->last_event[1] && rec[3] == h->last_event[3] &&
	       !((rec[2] ^ h->last_event[2]) & ~ignored);
}

/* A record that is not of a stalled transaction: it may get lost. */
void smmu_event(struct hw_smmuv3 *h, const u64 rec[4], bool merges)
{
	const struct ring r = ring_of(h);

	if (!enabled(h))
		return;
	if (h->cap.merge && merges && h->last_merges && merged(h, &r, rec))
		return;
	if (full(&r)) {
		if (!((h->reg[R_EVENTQ_PROD] ^ h->reg[R_EVENTQ_CONS]) & Q_OVERFLOW))
			h->reg[R_EVENTQ_PROD] ^= Q_OVERFLOW;
		return;
	}
	if (!put(h, &r, rec))
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
	case F_TRANSL_FORBIDDEN:
		rec[1] = (u64)!write << EVT1_RNW;
		rec[2] = req->addr;
		return;
	case F_BAD_ATS_TREQ: /* has no RnW (7.3.6) */
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

/* The same of a plain read or write that stage 1 refuses. */
void smmu_record_plain(const struct hw_req *req, u8 event, u64 rec[4])
{
	rec[0] = event | (u64)req->sid << EVT0_SID;
	if (req->pasid != HW_NO_PASID)
		rec[0] |= 1ull << EVT0_SSV | (u64)(req->pasid & 0xfffff) << EVT0_SSID;
	rec[1] = (u64)!(req->access & HW_WRITE) << EVT1_RNW | (u64)CLASS_IN << EVT1_CLASS;
	rec[2] = req->addr;
	rec[3] = 0;
}
