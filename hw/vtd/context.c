// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a context entry means: how requests of a device translate (3.4, 9.3, 9.4).
 */
#include "hw/vtd/vtd_priv.h"

static bool fail(struct vtd_walk *w, u8 reason)
{
	w->reason = reason;
	return false;
}

/* AW: 1, 2, 3 for 3, 4, 5 levels, those that SAGAW has. */
static bool width_good(const struct vtd *v, u32 aw)
{
	return aw >= 1 && aw <= 3 && 30 + 9 * aw <= v->k.sagaw;
}

/* 9.3: what a present entry may hold. */
bool vtd_context_good(const struct vtd *v, const u64 word[2])
{
	u32 tt = (u32)vtd_bits(word[0], VTD_CTX_TT_SHIFT, 2), aw = (u32)(word[1] & VTD_CTX_AW);

	if (tt == 3 || (tt == VTD_TT_DEVICE && !v->k.ats) || (tt == VTD_TT_PASS && !v->k.pt))
		return false;
	/* A pass-through entry names the widest width that there is. */
	if (!width_good(v, aw) || (tt == VTD_TT_PASS && 30 + 9 * aw != v->k.sagaw))
		return false;
	return !(vtd_bits(word[1], VTD_CTX_DID_SHIFT, 16) >> (4 + 2 * v->k.nd));
}

bool vtd_legacy_config(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct vtd_cfg *c = &w->cfg;
	u64 word[2];
	u32 tt;

	if (w->req->pasid != HW_NO_PASID)
		return fail(w, VTD_FR_TTM_PASID);
	if (!vtd_fetch_context(w, word))
		return false;
	tt = (u32)vtd_bits(word[0], VTD_CTX_TT_SHIFT, 2);
	*c = (struct vtd_cfg){.legacy = true, .pasid = HW_NO_PASID, .fpd = word[0] & VTD_FPD};
	c->did = (u16)vtd_bits(word[1], VTD_CTX_DID_SHIFT, 16);
	/* Again: it may have been cached in another mode. */
	if (!vtd_context_good(v, word))
		return fail(w, VTD_FR_CONTEXT_INVALID);
	c->dte = tt == VTD_TT_DEVICE;
	c->mode = tt == VTD_TT_PASS ? VTD_MODE_PASS : VTD_MODE_SS;
	c->ss_levels = (u8)((word[1] & VTD_CTX_AW) + 2);
	c->ss_root = word[0] & v->addr_mask;
	c->pwsnp = v->k.coherent;
	c->tag = vtd_tag(c->did, 0, c->mode);
	return true;
}

/* 9.4, and which PASID counts (3.4.3). */
static bool scalable_config(struct vtd_walk *w)
{
	const struct hw_req *req = w->req;
	bool has = req->pasid != HW_NO_PASID;
	u64 word[2];
	u32 pasid, dir_lg2;

	if (!vtd_fetch_context(w, word))
		return false;
	if (has && !(word[0] & VTD_SCTX_PASIDE))
		return fail(w, VTD_FR_S_PASIDE);
	pasid = has ? req->pasid : (u32)(word[1] & VTD_SCTX_RID_PASID);
	dir_lg2 = (u32)vtd_bits(word[0], VTD_SCTX_PDTS_SHIFT, 3) + 7;
	if (has && w->v->k.pasid < 20 && req->pasid >> w->v->k.pasid)
		return fail(w, VTD_FR_S_PASID_RANGE);
	if (pasid >> (dir_lg2 + 6))
		return fail(w, has ? VTD_FR_S_PASID_RANGE : VTD_FR_S_RID_PASID);
	if (!vtd_pasid_config(w, word, pasid))
		return false;
	w->cfg.dte = word[0] & VTD_SCTX_DTE;
	w->cfg.pre = word[0] & VTD_SCTX_PRE;
	w->cfg.priv = !has && (word[1] & VTD_SCTX_RID_PRIV);
	return true;
}

static void memo(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct vtd_memo *m = &v->memo[w->req->sid % VTD_MEMOS];

	if (w->pure || w->epoch != v->inv_epoch || w->n_words > VTD_MEMO_WORDS ||
	    w->n_words != w->reads || !vtd_is_quick(v, &w->cfg))
		return;
	m->gen = v->cfg_gen;
	m->sid = w->req->sid;
	m->pasid = w->req->pasid;
	m->n = w->n_words;
	memcpy(m->word, w->word, w->n_words * sizeof(w->word[0]));
	m->cfg = w->cfg;
}

static void bind(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct vtd_binding *b;

	if (v->memo)
		memo(w);
	if (w->pure || w->epoch != v->inv_epoch || !v->binds)
		return;
	b = &vtd_dev_touch(v, w->req->sid)->bind;
	b->gen = v->cfg_gen;
	b->pasid = w->req->pasid;
	b->space = 0;
	b->psc_space = 0;
	b->ss_space = 0;
	b->cfg = w->cfg;
	b->absent_limit = w->cfg.mode == VTD_MODE_SS && !w->cfg.priv ?
				  1ULL << (12 + 9 * w->cfg.ss_levels) : 0;
	/* Else the space of its pages has to be known, too. */
	b->quick_gen = !v->pages && vtd_is_quick(v, &b->cfg) ? b->gen : 0;
	if (v->lane)
		vtd_lane_of(v, w->req->sid)->who = 0;
}

bool vtd_config(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	const struct vtd_binding *b = &v->dev[w->req->sid].bind;
	bool ok = false;

	if (!w->pure && b->gen == v->cfg_gen && b->pasid == w->req->pasid) {
		w->cfg = b->cfg;
		w->fpd = b->cfg.fpd;
		return true;
	}
	if (v->ttm == VTD_TTM_LEGACY)
		ok = vtd_legacy_config(w);
	else if (v->ttm == VTD_TTM_SCALABLE && v->k.scalable)
		ok = scalable_config(w);
	else
		w->reason = VTD_FR_TTM;
	if (ok)
		bind(w);
	return ok;
}
