// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PRI queue: page requests of endpoints, overflow with automatic responses,
 * responses of software (8.1, 8.2, 4.5.2).
 */
#include "hw/smmuv3/smmu_priv.h"

static u32 lg2_of(const struct hw_smmuv3 *h)
{
	return min(FIELD(h->reg[R_PRIQ_BASE], 0, 5), (u32)h->cap.priqs);
}

static void respond(struct hw_smmuv3 *h, const struct hw_page_request *r, u8 code, bool pasid)
{
	struct hw_env *e = h->base.env;
	struct hw_msg m = {.kind = HW_MSG_PRG_RESPONSE, .code = code, .group = r->group,
			   .sid = r->sid, .pasid = pasid ? r->pasid : HW_NO_PASID};

	if (e->send)
		e->send(e, &m);
}

/* Overflow: the endpoint may try again. A PASID is handed back if the STE says so. */
static void overflow_response(struct hw_smmuv3 *h, const struct hw_page_request *r)
{
	const struct hw_req req = {.addr = r->addr, .sid = r->sid, .pasid = HW_NO_PASID};
	struct smmu_walk w;
	const struct smmu_ste *ste;

	if (r->pasid == HW_NO_PASID || !h->cap.ssid) {
		respond(h, r, HW_PRG_SUCCESS, false);
		return;
	}
	smmu_begin(&w, h, &req, false);
	w.points = false;
	smmu_resolve(&w);
	ste = &w.ctx->ste;
	if (!ste->bad) {
		respond(h, r, HW_PRG_SUCCESS, ste->ppar);
		return;
	}
	if ((h->reg[R_CR2] & CR2_REC_CFG_ATS) &&
	    (ste->bad != C_BAD_STREAMID || (h->reg[R_CR2] & CR2_RECINVSID))) {
		u64 rec[4];

		w.pasid = r->pasid;
		w.f.event = ste->bad;
		smmu_record(&w, &req, rec);
		smmu_event(h, rec, true);
	}
	respond(h, r, HW_PRG_FAILURE, false);
}

static bool write_request(struct hw_smmuv3 *h, const struct hw_page_request *r)
{
	u32 lg2 = lg2_of(h), mask = (2u << lg2) - 1, prod = (u32)h->reg[R_PRIQ_PROD];
	u64 base = h->reg[R_PRIQ_BASE] & 0x000fffffffffffe0ull & h->oa_mask, size = 16ull << lg2;
	bool was_empty = !((prod ^ (u32)h->reg[R_PRIQ_CONS]) & mask);
	bool last_only = h->reg[R_PRIQ_CFG2] & PRIQ_IRQ_CFG2_LO;
	u64 rec[2] = {r->sid, (r->addr & ~0xfffull) | (r->group & 0x1ff)};

	rec[0] |= (u64)!!(r->access & HW_READ) << PRIQ0_READ |
		  (u64)!!(r->access & HW_WRITE) << PRIQ0_WRITE |
		  (u64)!!(r->access & HW_EXEC) << PRIQ0_EXEC |
		  (u64)!!(r->access & HW_PRIV) << PRIQ0_PRIV | (u64)!!r->last << PRIQ0_LAST;
	if (r->pasid != HW_NO_PASID)
		rec[0] |= 1ull << PRIQ0_SSV | (u64)(r->pasid & 0xfffff) << PRIQ0_SSID;
	if (size > 32)
		base &= ~(size - 1);
	if (!smmu_write_words(h, base + 16ull * (prod & (mask >> 1)), rec, 2)) {
		smmu_gerror(h, GERROR_PRIQ_ABT);
		return false;
	}
	h->reg[R_PRIQ_PROD] = (prod & ~0xfffffu) | ((prod + 1) & mask);
	if (last_only ? r->last : was_empty)
		smmu_irq(h, IRQ_OF_PRIQ);
	return true;
}

void smmu_page_request(struct hw_iommu *base, const struct hw_page_request *r)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	bool marker = r->last && !(r->access & (HW_READ | HW_WRITE));
	u32 mask = (2u << lg2_of(h)) - 1, wrap = 1u << lg2_of(h), both = CR0_PRIQEN | CR0_SMMUEN;
	bool full;

	if (!h->cap.pri || (h->reg[R_CR0ACK] & both) != both ||
	    ((h->reg[R_GERROR] ^ h->reg[R_GERRORN]) & GERROR_PRIQ_ABT)) {
		if (!marker)
			respond(h, r, HW_PRG_FAILURE, false);
		return;
	}
	full = (((u32)h->reg[R_PRIQ_PROD] ^ (u32)h->reg[R_PRIQ_CONS]) & mask) == wrap;
	if (full && !((h->reg[R_PRIQ_PROD] ^ h->reg[R_PRIQ_CONS]) & Q_OVERFLOW))
		h->reg[R_PRIQ_PROD] ^= Q_OVERFLOW;
	if ((h->reg[R_PRIQ_PROD] ^ h->reg[R_PRIQ_CONS]) & Q_OVERFLOW) {
		if (r->last && !marker)
			overflow_response(h, r);
		return;
	}
	if (!write_request(h, r) && !marker)
		respond(h, r, HW_PRG_FAILURE, false);
}

/* CMD_PRI_RESP. */
void smmu_pri_response(struct hw_smmuv3 *h, const u64 w[2])
{
	static const u8 code[4] = {HW_PRG_FAILURE, HW_PRG_INVALID, HW_PRG_SUCCESS, HW_PRG_FAILURE};
	struct hw_page_request r = {
		.sid = (u32)(w[0] >> CMD0_SID),
		.pasid = FIELD(w[0], CMD0_SSID, 20),
		.group = (u16)FIELD(w[1], CMD1_PRI_GROUP, 9),
	};

	if (smmu_enabled(h))
		respond(h, &r, code[FIELD(w[1], CMD1_PRI_RESP, 2)],
			FLAG(w[0], CMD0_SSV) && h->cap.ssid);
}
