// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a source id to its context entry: root table, context table, the cache
 * over both (9.1 to 9.4).
 */
#include "hw/vtd/vtd_priv.h"

static bool fail(struct vtd_walk *w, u8 reason)
{
	w->reason = reason;
	return false;
}

/* Whether a table's address lies below the host address width. */
static bool pointer_good(const struct vtd *v, u64 word)
{
	return !(word & ~v->addr_mask & ~0xfffULL);
}

static bool legacy_root(struct vtd_walk *w, u64 *table)
{
	struct vtd *v = w->v;
	u64 root[2];

	if (!vtd_read_words(w, v->root + (w->req->sid >> 8) * 16, root, 2))
		return fail(w, VTD_FR_ROOT_ACCESS);
	if (!(root[0] & VTD_P))
		return fail(w, VTD_FR_ROOT_P);
	if ((root[0] & 0xffe) || root[1] || !pointer_good(v, root[0]))
		return fail(w, VTD_FR_ROOT_RESERVED);
	*table = root[0] & v->addr_mask;
	return true;
}

static bool legacy_fetch(struct vtd_walk *w, u64 word[2])
{
	u64 table;

	if (!legacy_root(w, &table))
		return false;
	if (!vtd_read_words(w, table + (w->req->sid & 0xff) * 16, word, 2))
		return fail(w, VTD_FR_CONTEXT_ACCESS);
	w->fpd = word[0] & VTD_FPD;
	if (!(word[0] & VTD_P))
		return fail(w, VTD_FR_CONTEXT_P);
	/* Of the bits without a meaning 70:67 are software's. */
	if ((word[0] & 0xff0) || (word[1] & VTD_BIT(7)) || word[1] >> 24 ||
	    !pointer_good(w->v, word[0]))
		return fail(w, VTD_FR_CONTEXT_RESERVED);
	return vtd_context_good(w->v, word) || fail(w, VTD_FR_CONTEXT_INVALID);
}

/* A root entry of scalable mode has a table for each half of a bus. */
static bool scalable_fetch(struct vtd_walk *w, u64 word[2])
{
	struct vtd *v = w->v;
	u32 sid = w->req->sid;
	u64 root, ctx[4];

	if (!vtd_read(w, v->root + (sid >> 8) * 16 + (sid & 0x80 ? 8 : 0), v->k.coherent, &root))
		return fail(w, VTD_FR_S_ROOT_ACCESS);
	if (!(root & VTD_P))
		return fail(w, VTD_FR_S_ROOT_P);
	if ((root & 0xffe) || !pointer_good(v, root))
		return fail(w, VTD_FR_S_ROOT_RESERVED);
	if (!vtd_read_words(w, (root & v->addr_mask) + (sid & 0x7f) * 32, ctx, 4))
		return fail(w, VTD_FR_S_CTX_ACCESS);
	w->fpd = ctx[0] & VTD_FPD;
	if (!(ctx[0] & VTD_P))
		return fail(w, VTD_FR_S_CTX_P);
	if ((ctx[0] & 0x1e0) || ctx[1] >> 21 || ctx[2] || ctx[3] || !pointer_good(v, ctx[0]) ||
	    (!v->k.ats && (ctx[0] & VTD_SCTX_DTE)) || (!v->k.prs && (ctx[0] & VTD_SCTX_PRE)) ||
	    (!v->k.pasid && (ctx[0] & VTD_SCTX_PASIDE)) ||
	    (!v->k.rps && (ctx[1] & VTD_SCTX_RID_PASID)) ||
	    (!v->k.rprivs && (ctx[1] & VTD_SCTX_RID_PRIV)))
		return fail(w, VTD_FR_S_CTX_RESERVED);
	word[0] = ctx[0];
	word[1] = ctx[1];
	return true;
}

static void fill(struct vtd_walk *w, const u64 word[2])
{
	struct hw_cache_entry e = {.space = w->v->ctx_space, .addr = w->req->sid};

	if (!vtd_may_fill(w) || !w->v->keeps)
		return;
	if (w->reason) {
		/* 6.1: in caching mode also what is not present or wrong, as domain 0. */
		if (!w->v->k.policy.negative)
			return;
		e.value = w->fpd ? VTD_FPD : 0;
		e.extra = (u64)w->reason << 56;
	} else {
		e.value = word[0];
		e.extra = word[1];
	}
	vtd_fill(w, w->v->ctx, &e);
}

/* The two words of a context entry that say anything. */
bool vtd_fetch_context(struct vtd_walk *w, u64 word[2])
{
	struct vtd *v = w->v;
	const struct hw_cache_entry *e = NULL;
	bool ok;

	if (!w->pure && v->keeps)
		e = hw_cache_find(v->ctx, v->ctx_space, w->req->sid);
	if (e) {
		word[0] = e->value;
		word[1] = e->extra;
		w->fpd = word[0] & VTD_FPD;
		return word[0] & VTD_P || fail(w, (u8)(word[1] >> 56));
	}
	ok = v->ttm == VTD_TTM_LEGACY ? legacy_fetch(w, word) : scalable_fetch(w, word);
	fill(w, word);
	return ok;
}
