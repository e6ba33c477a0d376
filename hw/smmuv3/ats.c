// SPDX-License-Identifier: GPL-2.0-only
/*
 * ATS: translation requests, translated transactions, and invalidations of what
 * endpoints hold, with their time-out (3.9, 4.5.1, 13.6, 13.7).
 */
#include "hw/smmuv3/smmu_priv.h"

/* Split-stage only while translated transactions are checked. */
static u32 effective_eats(const struct hw_smmuv3 *h, const struct smmu_ste *ste)
{
	if (ste->config == 4 || ste->eats == 3)
		return 0;
	return ste->eats == 2 && !(h->reg[R_CR0ACK] & CR0_ATSCHK) ? 0 : ste->eats;
}

static void forbid(struct smmu_walk *w, const struct hw_req *req, u8 event)
{
	u64 rec[4];

	w->f.event = event;
	if (smmu_overtaken(w) || req->no_fault_report || w->truth)
		return;
	smmu_fact(w->h, HW_FACT_FAULT, (u64)w->pasid << 32 | w->sid, req->addr, event, 0);
	smmu_record(w, req, rec);
	smmu_event(w->h, rec, false);
}

/* Configuration errors: completer abort, recorded only if software wants that. */
static void config_error(struct smmu_walk *w, const struct hw_req *req, u8 event, bool invsid)
{
	u64 cr2 = w->h->reg[R_CR2];

	if ((cr2 & CR2_REC_CFG_ATS) &&
	    (event != C_BAD_STREAMID || !invsid || (cr2 & CR2_RECINVSID)))
		forbid(w, req, event);
}

static void complete(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	u32 perms = (u32)w->value >> (w->access & HW_PRIV ? 0 : 3) & 7;

	resp->status = HW_OK;
	resp->pa = w->pa;
	resp->lg2 = w->lg2;
	/* Execution is granted to who asks for it and may read; never alone (13.7). */
	if (!(req->access & HW_EXEC) || !(perms & HW_READ))
		perms &= HW_READ | HW_WRITE;
	if ((w->value & V_DIRTY) && w->no_write)
		perms &= ~(u32)HW_WRITE;
	resp->access = (u8)perms;
	if (perms)
		return;
	resp->pa = 0;
	resp->lg2 = w->h->cap.gran & TG_4K ? 12 : w->h->cap.gran & TG_16K ? 14 : 16;
}

void smmu_ats_request(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	const struct smmu_ste *ste;
	u8 event = smmu_resolve(w);

	ste = &w->ctx->ste;
	resp->status = HW_ABORT;
	if (!ste->bad && !(ste->config & 4))
		return;
	if (!ste->bad && !effective_eats(w->h, ste)) {
		forbid(w, req, F_BAD_ATS_TREQ);
		return;
	}
	w->ats = true;
	w->need = 0;
	w->no_write = req->access & HW_NO_WRITE;
	w->atomic_dirty = !w->no_write;
	if (!event) {
		w->stage1_only = effective_eats(w->h, ste) == 2;
		event = smmu_translate_walk(w);
		/* 13.6.3: the address stays intermediate, the permissions are of both. */
		if (!event && w->stage1_only) {
			struct smmu_leaf leaf;

			event = smmu_s2(w, ste, w->pa, CLASS_IN, &leaf);
			w->value &= event ? 0 : leaf.value | ~(u64)PERM_ALL;
			w->lg2 = event ? w->lg2 : (u8)min((u32)w->lg2, leaf.lg2);
		}
	}
	if (event >= F_TRANSLATION) {
		w->value = 0;
		event = 0;
	}
	if (event)
		config_error(w, req, event, true);
	else
		complete(w, req, resp);
}

static void pass(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	if (req->addr & ~w->h->oa_mask)
		return;
	resp->status = HW_OK;
	resp->pa = req->addr;
	resp->lg2 = 12;
	resp->access = HW_READ | HW_WRITE | HW_EXEC;
}

void smmu_ats_translated(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	const struct smmu_ste *ste;
	u32 eats;
	u8 event;

	resp->status = HW_ABORT;
	if (!(w->h->reg[R_CR0ACK] & CR0_ATSCHK)) {
		pass(w, req, resp);
		return;
	}
	/* Without PASIDTT the PASID of a translated transaction does not count. */
	w->pasid = HW_NO_PASID;
	smmu_resolve(w);
	ste = &w->ctx->ste;
	if (ste->bad) {
		config_error(w, req, ste->bad, false);
		return;
	}
	if (!(ste->config & 4))
		return;
	eats = effective_eats(w->h, ste);
	if (!eats) {
		forbid(w, req, F_TRANSL_FORBIDDEN);
		return;
	}
	if (eats == 1) {
		pass(w, req, resp);
		return;
	}
	w->f.event = 0;
	w->access &= (u8)~HW_PRIV;
	w->need = smmu_need_of[w->access & 63];
	w->stage2_only = true;
	event = smmu_translate_walk(w);
	if (event)
		smmu_fail(w, req, resp);
	else
		smmu_answer(w, req, resp);
}

/* --- invalidations that endpoints have not answered --- */

/* false: all tags are in use, the command has to wait. */
bool smmu_atc_invalidate(struct hw_smmuv3 *h, const u64 w[2])
{
	struct hw_env *e = h->base.env;
	u32 size = FIELD(w[1], CMD1_SIZE, 6), i = 0;
	bool ssv = FLAG(w[0], CMD0_SSV) && h->cap.ssid;
	struct hw_msg m = {.kind = HW_MSG_ATC_INV, .sid = (u32)(w[0] >> CMD0_SID),
			   .pasid = ssv ? FIELD(w[0], CMD0_SSID, 20) : HW_NO_PASID,
			   .global = ssv && FLAG(w[0], CMD0_G), .lg2 = (u8)(12 + size)};

	if (!smmu_enabled(h) || !e->send)
		return true;
	while (i < ATC_MAX && h->atc[i].used)
		i++;
	if (i == ATC_MAX)
		return false;
	m.addr = size >= 52 ? 0 : w[1] & ~((4096ull << size) - 1);
	m.itag = (u16)(h->atc_seq++ << 5 | i);
	h->atc[i] = (struct smmu_atc){m.itag, true};
	h->n_atc++;
	e->send(e, &m);
	return true;
}

void smmu_atc_done(struct hw_iommu *base, u16 itag)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	struct smmu_atc *a = &h->atc[itag % ATC_MAX];

	if (a->used && a->itag == itag) {
		a->used = false;
		h->n_atc--;
	}
}

/* The root complex gives up: the next CMD_SYNC says so (3.9.1.4). */
void smmu_timeout(struct hw_iommu *base)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	h->atc_failed |= smmu_atc_busy(h);
	for (u32 i = 0; i < ATC_MAX; i++)
		h->atc[i].used = false;
	h->n_atc = 0;
}
