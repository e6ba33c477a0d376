// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address translation operations by register (9.1): a probe of what a
 * transaction would meet, which records nothing.
 */
#include "hw/smmuv3/smmu_priv.h"

#define INV_REQ 0xff
#define INV_STAGE 0xfe

static void fault(struct hw_smmuv3 *h, u32 code, u32 reason, u64 faddr)
{
	h->reg[R_GATOS_PAR] = 1 | (u64)reason << ATOS_PAR_REASON |
			      (u64)code << ATOS_PAR_FAULTCODE | (faddr & 0x00fffffffffff000ull);
}

static void report(struct hw_smmuv3 *h, const struct smmu_walk *w, u32 type)
{
	const struct smmu_fault *f = &w->f;
	u32 reason = !f->s2 ? 0 : 1u + f->class;
	bool related = f->event >= F_TRANSLATION && f->event <= F_PERMISSION;

	if (f->event < F_WALK_EABT) {
		fault(h, f->event, 0, 0);
		return;
	}
	/* Asked for stage 1 only: what stage 2 denies is an abort of the fetch. */
	if (type == 1 && f->s2) {
		fault(h, f->class == CLASS_CD ? F_CD_FETCH : F_WALK_EABT, 0, 0);
		return;
	}
	fault(h, f->event, reason, type == 3 && related && f->s2 ? f->ipa : 0);
}

static void success(struct hw_smmuv3 *h, const struct smmu_walk *w)
{
	u64 par = w->pa & 0x00fffffffffff000ull;
	u64 attr = w->value >> V_ATTR & 0xff, sh = w->value >> V_SH & 3;

	if (w->lg2 > 12) {
		par &= ~((1ull << w->lg2) - 1);
		par |= 1ull << (w->lg2 - 1) | 1ull << ATOS_PAR_SIZE;
	}
	h->reg[R_GATOS_PAR] = par | attr << ATOS_PAR_ATTR | sh << ATOS_PAR_SH;
}

static bool request_legal(const struct hw_smmuv3 *h, u32 type, bool ssv)
{
	if (type == 0 || !smmu_enabled(h))
		return false;
	if ((type & 1) && !h->cap.s1p)
		return false;
	if ((type & 2) && !h->cap.s2p)
		return false;
	return !(type == 2 && ssv);
}

/* One attempt; w->again: an invalidation completed meanwhile. */
static void probe(struct hw_smmuv3 *h, struct smmu_walk *w, u64 addr)
{
	u32 type = FIELD(addr, ATOS_ADDR_TYPE, 2);
	u8 event = smmu_resolve(w);

	if (w->ctx->ste.bad) {
		fault(h, w->ctx->ste.bad, 0, 0);
		return;
	}
	if ((w->ctx->ste.config & 4) == 0 || (type & ~w->ctx->ste.config)) {
		fault(h, INV_STAGE, 0, 0);
		return;
	}
	/* HTTUI: the flags of the tables stay as they are. */
	if (FLAG(addr, ATOS_ADDR_HTTUI))
		w->truth = true;
	w->stage1_only = type == 1;
	w->stage2_only = type == 2;
	if (type == 2) {
		w->f.event = 0;
		event = 0;
	}
	if (!event)
		event = smmu_translate_walk(w);
	if (event)
		report(h, w, type);
	else
		success(h, w);
}

void smmu_atos_run(struct hw_smmuv3 *h)
{
	u64 addr = h->reg[R_GATOS_ADDR], sid = h->reg[R_GATOS_SID];
	u32 type = FIELD(addr, ATOS_ADDR_TYPE, 2);
	bool ssv = FLAG(sid, ATOS_SID_SSV);
	struct hw_req req = {.addr = addr & ~0xfffull, .sid = (u32)sid, .no_fault_report = 1,
			     .pasid = ssv ? FIELD(sid, 32, 20) : HW_NO_PASID};
	struct smmu_walk w;

	req.access = FLAG(addr, ATOS_ADDR_RNW) ? HW_READ : HW_WRITE;
	if (FLAG(addr, ATOS_ADDR_IND) && FLAG(addr, ATOS_ADDR_RNW))
		req.access |= HW_INSTR;
	if (FLAG(addr, ATOS_ADDR_PNU))
		req.access |= HW_PRIV;
	h->reg[R_GATOS_CTRL] &= ~(u64)ATOS_RUN;
	if (!request_legal(h, type, ssv)) {
		fault(h, INV_REQ, 0, 0);
		return;
	}
	for (u32 i = 0;; i++) {
		smmu_begin(&w, h, &req, false);
		w.points &= i < 4;
		probe(h, &w, addr);
		if (!smmu_overtaken(&w))
			break;
	}
}
