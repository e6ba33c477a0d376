// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transaction arrives. Pages that were just answered are answered again by
 * the front; everything else goes the long way.
 */
#include "hw/smmuv3/smmu_priv.h"

/* By enum hw_access: permissions it needs. Instruction fetches need no read. */
#define N1(a) (((a) & HW_WRITE ? HW_WRITE : 0) | \
	       ((a) & (HW_EXEC | HW_INSTR) ? ((a) & HW_WRITE ? 0 : HW_EXEC) : 0) | \
	       ((a) & HW_READ && !((a) & (HW_EXEC | HW_INSTR) && !((a) & HW_WRITE)) ? HW_READ : 0))
#define N2(a) ((u8)(N1(a) << ((a) & HW_PRIV ? 0 : 3)))
#define N8(a) N2(a), N2((a) + 1), N2((a) + 2), N2((a) + 3), N2((a) + 4), N2((a) + 5), \
	      N2((a) + 6), N2((a) + 7)

const u8 smmu_need_of[64] = {N8(0), N8(8), N8(16), N8(24), N8(32), N8(40), N8(48), N8(56)};

/* PRIVCFG and INSTCFG of the STE; what is written is never an instruction (13.1.2). */
static inline u8 overridden(const struct smmu_ste *ste, u8 access)
{
	if (unlikely(ste->privcfg & 2))
		access = (u8)((access & ~HW_PRIV) | (ste->privcfg == 3 ? HW_PRIV : 0));
	if (unlikely(ste->instcfg & 2))
		access = (u8)((access & ~(HW_EXEC | HW_INSTR)) |
			      (ste->instcfg == 3 ? HW_INSTR : 0));
	return access;
}

void smmu_begin(struct smmu_walk *w, struct hw_smmuv3 *h, const struct hw_req *req, bool truth)
{
	const struct hw_env *e = h->base.env;

	w->h = h;
	w->ctx = NULL;
	w->gen = h->gen;
	w->addr = req->addr;
	w->sid = req->sid;
	w->pasid = req->pasid;
	w->access = (u8)req->access;
	w->need = smmu_need_of[req->access & 63];
	w->reads = 0;
	w->truth = truth;
	w->points = e->point && !truth;
	w->slow = w->points || (e->fact && !truth) || (e->read_flushed && !h->cap.cohacc) ||
		  (h->policy.provenance && !truth);
	w->ats = w->no_write = w->atomic_dirty = w->again = false;
	w->stage1_only = w->stage2_only = false;
	w->f = (struct smmu_fault){0};
	w->entry = 0;
	w->extra = 0;
	w->n_prov = 0;
}

/* --- what becomes of it --- */

static void bypass(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	if (req->addr & ~w->h->oa_mask) {
		smmu_fault(w, F_ADDR_SIZE, false, CLASS_IN, 0);
		smmu_fail(w, req, resp);
		return;
	}
	resp->status = HW_OK;
	resp->pa = req->addr;
	resp->lg2 = 12;
	resp->access = HW_READ | HW_WRITE | HW_EXEC;
}

/* SMMUEN is 0: GBPA says what happens, and no event is recorded (3.4, 6.3.9.6). */
static void disabled(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	resp->status = HW_ABORT;
	if (req->kind == HW_UNTRANSLATED) {
		if ((w->h->reg[R_GBPA] & GBPA_ABORT) || (req->addr & ~w->h->oa_mask))
			return;
		bypass(w, req, resp);
		return;
	}
	w->f.event = req->kind == HW_TRANSLATED ? F_TRANSL_FORBIDDEN : F_BAD_ATS_TREQ;
	if (!w->truth && !req->no_fault_report) {
		u64 rec[4];

		smmu_record(w, req, rec);
		smmu_event(w->h, rec, false);
	}
}

/* Fault model of the stage that faulted (5.5). */
void smmu_fail(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_smmuv3 *h = w->h;
	const struct smmu_ctx *ctx = w->ctx;
	u8 event = w->f.event;
	bool related = event >= F_TRANSLATION && event <= F_PERMISSION;
	bool mev = ctx && !ctx->ste.bad ? ctx->ste.mev : true;
	bool record = true, stall = false;
	u64 rec[4];

	resp->status = HW_ABORT;
	if (smmu_overtaken(w) || w->truth || req->no_fault_report)
		return;
	smmu_fact(h, HW_FACT_FAULT, (u64)w->pasid << 32 | w->sid, req->addr, event, 0);
	if (related && w->f.s2) {
		stall = ctx->ste.s2s;
		record = stall || ctx->ste.s2r;
	} else if (related && ctx->s1 && !w->stage2_only) {
		stall = ctx->cd.s;
		record = stall || ctx->cd.r;
	}
	if (event == C_BAD_STREAMID)
		record = h->reg[R_CR2] & CR2_RECINVSID;
	smmu_record(w, req, rec);
	if (stall && req->kind == HW_UNTRANSLATED) {
		if (!smmu_stall(h, rec, resp))
			resp->status = HW_AGAIN;
		return;
	}
	if (record)
		smmu_event(h, rec, mev);
}

void smmu_answer(const struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	u32 perms = (u32)w->value >> (w->access & HW_PRIV ? 0 : 3) & 7;

	(void)req;
	resp->status = HW_OK;
	resp->pa = w->pa;
	resp->lg2 = w->lg2;
	resp->access = (u8)perms;
	resp->entry = w->entry;
}

/* The next access to this page need not come so far. */
static void remember(struct smmu_walk *w, const struct hw_req *req)
{
	struct hw_smmuv3 *h = w->h;
	const struct smmu_ste *ste = &w->ctx->ste;

	if (!h->front_on || !w->entry || h->base.env->fact || w->gen != h->gen)
		return;
	if (((ste->privcfg | ste->instcfg) & 2) || w->lg2 > 63)
		return;
	smmu_front_fill(h, req, w->pa, w->value, w->lg2, w->entry);
}

static void prefetch_next(struct smmu_walk *w, const struct hw_req *req)
{
	struct hw_smmuv3 *h = w->h;
	struct hw_env *e = h->base.env;
	u64 next = (req->addr | ((1ull << w->lg2) - 1)) + 1;

	if (w->entry || w->truth || w->lg2 > 40)
		return;
	if (h->policy.prefetch)
		smmu_prefetch(h, w->sid, w->pasid, next);
	if (h->policy.speculate && e->choose && e->choose(e, 2))
		smmu_prefetch(h, w->sid, w->pasid, next + ((u64)e->choose(e, 64) << 12));
}

/* What is asked for in the walk cache and the TLB first; 0: it is not so simple. */
static u32 absent_reads(struct smmu_walk *w, const struct hw_req *req)
{
	struct hw_smmuv3 *h = w->h;
	const struct smmu_ctx *ctx = w->ctx;
	const struct smmu_tt *tt;

	/* Only a context that is `quick` has a CD. */
	if (!h->caching || !ctx->quick)
		return 0;
	tt = &ctx->cd.tt[(req->addr >> 55 & 1) && !ctx->cd.tt[0].one];
	if (tt->tbi || tt->off ||
	    hw_cache_find(h->cache[CACHE_TLB], tt->space, req->addr) ||
	    hw_cache_find(h->cache[CACHE_TLB], tt->global, req->addr))
		return 0;
	return smmu_absent(h, ctx, req);
}

/*
 * A plain access that nobody watches to a page that is not there: without the walk's
 * preparations, its caches asked in the same order. False: it is not so.
 */
static bool absent(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	u32 how, n;

	if (w->slow)
		return false;
	if (w->truth) {
		n = smmu_absent_truth(w->h, w->ctx, req->addr);
	} else {
		/* access, kind and no_fault_report at once */
		memcpy(&how, &req->access, sizeof(how));
		n = how - 1 > 2 ? 0 : absent_reads(w, req);
	}
	w->reads = (u8)min(w->reads + n, 255u);
	resp->status = HW_ABORT;
	return n;
}

static void untranslated(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	u8 event = smmu_resolve(w);
	const struct smmu_ctx *ctx = w->ctx;

	if (unlikely(event)) {
		/* A config of "abort" speaks before anything that a CD could say. */
		smmu_fail(w, req, resp);
		return;
	}
	if (unlikely(!(ctx->ste.config & 4))) {
		resp->status = HW_ABORT;
		return;
	}
	w->access = overridden(&ctx->ste, w->access);
	w->need = smmu_need_of[w->access & 63];
	if (unlikely(!ctx->s1 && !ctx->s2)) {
		bypass(w, req, resp);
		return;
	}
	if (absent(w, req, resp))
		return;
	if (unlikely(smmu_translate_walk(w))) {
		smmu_fail(w, req, resp);
		return;
	}
	smmu_answer(w, req, resp);
	if (w->truth)
		return;
	remember(w, req);
	if (unlikely(w->h->policy.prefetch || w->h->policy.speculate))
		prefetch_next(w, req);
}

static void answer_once(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp)
{
	if (unlikely(!smmu_enabled(w->h)))
		disabled(w, req, resp);
	else if (likely(req->kind == HW_UNTRANSLATED))
		untranslated(w, req, resp);
	else if (req->kind == HW_TRANSLATION_REQUEST && w->h->cap.ats)
		smmu_ats_request(w, req, resp);
	else if (req->kind == HW_TRANSLATED && w->h->cap.ats)
		smmu_ats_translated(w, req, resp);
	else
		resp->status = HW_ABORT;
	resp->reads = w->reads;
}

/*
 * With points, an invalidation may complete while a walk is under way. The walk
 * is then done again: nothing that was read before may be used after.
 */
void smmu_translate_long(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp)
{
	struct smmu_walk w;

	for (u32 i = 0;; i++) {
		*resp = (struct hw_resp){0};
		smmu_begin(&w, h, req, false);
		/* Often enough disturbed: at last in one go. */
		w.points &= i < 4;
		answer_once(&w, req, resp);
		if (resp->status == HW_OK)
			smmu_overtaken(&w);
		if (!w.again)
			break;
	}
	if (h->base.env->fact && resp->status == HW_OK)
		smmu_fact(h, HW_FACT_TRANSLATE, (u64)req->pasid << 32 | req->sid, req->addr,
			  resp->pa, req->access);
}

/* Options that leave nothing to the quick way. */
void smmu_translate(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	if (!smmu_front_hit(h, smmu_front_of(h, req), smmu_who(req), req, resp))
		smmu_translate_long(h, req, resp);
}

/* The same walk of memory as it is, without caches and without effects. */
void smmu_ground_truth(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	struct hw_req quiet = *req;
	struct smmu_walk w;

	quiet.no_fault_report = 1;
	*resp = (struct hw_resp){0};
	smmu_begin(&w, h, &quiet, true);
	answer_once(&w, &quiet, resp);
}

/* CMD_PREFETCH_* and prefetching caches: fills, never faults. addr ~0: configuration only. */
void smmu_prefetch(struct hw_smmuv3 *h, u32 sid, u32 pasid, u64 addr)
{
	const struct hw_req req = {.addr = addr, .sid = sid, .pasid = pasid, .access = HW_READ,
				   .no_fault_report = 1};
	struct smmu_walk w;

	if (!smmu_enabled(h) || (!h->caching && !h->config_cache))
		return;
	smmu_begin(&w, h, &req, false);
	w.points = false;
	w.need = 0;
	if (smmu_resolve(&w) || addr == ~0ull || !(w.ctx->ste.config & 4))
		return;
	if (w.ctx->s1 || w.ctx->s2)
		smmu_translate_walk(&w);
}
