// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request from its arrival to its answer (3.14, 4.2, 7.1): the front cache, the
 * interrupt range, configuration, IOTLB, walk, and what is answered on a fault.
 */
#include "hw/vtd/vtd_priv.h"

/* --- begin and end --- */

void vtd_walk_begin(struct vtd *v, struct vtd_walk *w, const struct hw_req *req)
{
	const struct hw_env *e = v->h.env;

	memset(w, 0, offsetof(struct vtd_walk, word));
	w->v = v;
	w->req = req;
	w->epoch = v->inv_epoch;
	w->cfg.pasid = HW_NO_PASID;
	w->no_write = v->k.nwfs && (req->access & HW_NO_WRITE);
	if (req->kind != HW_TRANSLATION_REQUEST)
		w->access = req->access & (HW_READ | HW_WRITE | HW_EXEC);
	w->watched = e->point || e->fact || e->read_flushed || v->k.policy.provenance || v->memo;
	/* Nobody runs in between if nobody is asked. */
	if (e->point && v->n_walks < VTD_WALKS) {
		w->stamp = ++v->stamp;
		v->walk_stamp[v->n_walks++] = w->stamp;
	}
}

void vtd_walk_end(struct vtd *v, struct vtd_walk *w)
{
	for (u32 i = 0; w->stamp && i < v->n_walks; i++) {
		if (v->walk_stamp[i] != w->stamp)
			continue;
		v->walk_stamp[i] = v->walk_stamp[--v->n_walks];
		return;
	}
}

/* --- the IOTLB --- */

bool vtd_is_quick(const struct vtd *v, const struct vtd_cfg *c)
{
	return v->quick && c->mode != VTD_MODE_PASS && !c->priv && !c->ere;
}

static u32 bound_space(struct vtd *v, struct vtd_binding *b)
{
	if (likely(b->space && hw_space_tag(v->iotlb, b->space) == b->cfg.tag))
		return b->space;
	b->space = hw_space(v->iotlb, b->cfg.tag);
	b->quick_gen = vtd_is_quick(v, &b->cfg) ? b->gen : 0;
	return b->space;
}

static bool is_bound(const struct vtd *v, const struct vtd_binding *b, const struct hw_req *req)
{
	return b->gen == v->cfg_gen && b->pasid == req->pasid;
}

static u32 iotlb_space(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct vtd_binding *b = &v->dev[w->req->sid].bind;

	if (!is_bound(v, b, w->req) || !v->front_on)
		return hw_space(v->iotlb, w->cfg.tag);
	return bound_space(v, b);
}

/* 1: it answers; -1: it says that there is a fault; 0: to the tables. */
static int iotlb_find(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	const struct hw_cache_entry *e = hw_cache_find(v->iotlb, iotlb_space(w), w->req->addr);
	u32 flags;
	u8 denied;

	if (!e)
		return 0;
	flags = (u32)(e->value & VTD_F_MASK);
	if (flags & VTD_F_NEGATIVE) {
		w->reason = (u8)e->extra;
		w->paged = true;
		/* In legacy mode what is absent is named by the access, whoever came first. */
		if (w->reason == VTD_FR_READ || w->reason == VTD_FR_WRITE)
			w->reason = w->access & HW_WRITE ? VTD_FR_WRITE : VTD_FR_READ;
		return -1;
	}
	denied = vtd_denied(w, flags);
	if (denied && v->k.strict) {
		w->reason = denied;
		w->paged = true;
		return -1;
	}
	/* What a cached entry does not permit, or has not made dirty, the tables decide. */
	if (denied || ((w->access & HW_WRITE) && !(flags & VTD_F_DIRTY)))
		return 0;
	if (w->req->kind == HW_TRANSLATION_REQUEST && !(flags & VTD_F_DIRTY) && !w->no_write &&
	    (vtd_allowed(w, flags) & HW_WRITE))
		return 0;
	w->flags = flags;
	w->lg2 = (u8)e->lg2;
	w->entry = e->id;
	w->pa = (e->value & ~VTD_F_MASK) + (w->req->addr - e->addr);
	return 1;
}

static bool interrupt_range(u64 addr)
{
	return addr >= VTD_INTERRUPT_BASE && addr <= VTD_INTERRUPT_LAST;
}

static void iotlb_fill(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct hw_cache_entry e = {.addr = w->req->addr >> w->lg2 << w->lg2, .lg2 = w->lg2};

	if (!vtd_may_fill(w) || !v->pages)
		return;
	/* 4.2.x lets an implementation keep large pages in pieces. */
	if (w->v->k.fragment) {
		e.lg2 = 12;
		e.addr = w->req->addr & ~0xfffULL;
	}
	e.space = iotlb_space(w);
	e.value = (w->pa >> e.lg2 << e.lg2) | w->flags;
	if (interrupt_range(w->req->addr))
		e.value |= VTD_F_CLOSER;
	w->entry = vtd_fill(w, v->iotlb, &e);
}

/*
 * 6.1: caching mode is the second stage's. What a first stage lacks is never kept, so that
 * a guest whose first stage is walked by hardware need not tell of what it maps. Nor is what
 * only this access may not do (write, or set A or D): of others the tables say something else.
 */
static bool second_stage_lacks_it(const struct vtd_walk *w)
{
	if (w->reason == VTD_FR_S_SS_AD)
		return false;
	return w->cfg.mode == VTD_MODE_SS ||
	       (w->reason >= VTD_FR_S_SS_ACCESS && w->reason <= VTD_FR_S_SS_ROOT);
}

static void iotlb_fill_negative(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct hw_cache_entry e = {.addr = w->req->addr & ~0xfffULL, .lg2 = 12};

	if (!v->k.policy.negative || !v->pages || !vtd_may_fill(w) || w->quiet ||
	    !second_stage_lacks_it(w))
		return;
	e.space = iotlb_space(w);
	e.value = VTD_F_NEGATIVE | VTD_F_CLOSER;
	e.extra = w->reason;
	vtd_fill(w, v->iotlb, &e);
}

/* --- the tables --- */

static bool walk_again(struct vtd_walk *w)
{
	for (u32 i = 0; i < VTD_RETRIES; i++) {
		if (vtd_walk_tables(w))
			return true;
		if (!w->changed)
			return false;
	}
	w->reason = w->cfg.mode == VTD_MODE_SS ? VTD_FR_S_SS_AD : VTD_FR_FS_AD_UPDATE;
	return false;
}

/* The entry of another page, as hardware may fetch it early. Nothing is seen of it. */
static void fill_early(struct vtd_walk *w, u64 addr)
{
	struct hw_req req = *w->req;
	struct vtd_walk *early;
	struct vtd_walk copy;

	req.addr = addr;
	req.access = HW_READ | (req.access & HW_PRIV);
	copy = *w;
	early = &copy;
	early->req = &req;
	early->access = HW_READ;
	early->quiet = true;
	early->n_words = 0;
	if (vtd_walk_tables(early))
		iotlb_fill(early);
}

static void speculate(struct vtd_walk *w)
{
	struct vtd *v = w->v;
	struct hw_env *e = v->h.env;
	u64 next = (w->req->addr >> w->lg2 << w->lg2) + (1ULL << w->lg2);

	if (v->k.policy.prefetch)
		fill_early(w, next);
	/* Any page of the 64 around it, by choice: so near that choice comes upon them. */
	if (v->k.policy.speculate && e->choose && e->choose(e, 2))
		fill_early(w, (w->req->addr & ~0x3ffffULL) | (u64)e->choose(e, 64) << 12);
}

static bool by_tables(struct vtd_walk *w)
{
	if (!w->pure && w->v->pages) {
		int found = iotlb_find(w);

		if (found)
			return found > 0;
	}
	if (!walk_again(w)) {
		if (w->paged)
			iotlb_fill_negative(w);
		return false;
	}
	if (!w->pure) {
		iotlb_fill(w);
		if (unlikely(w->v->k.policy.prefetch || w->v->k.policy.speculate))
			speculate(w);
	}
	return true;
}

static bool pass_through(struct vtd_walk *w)
{
	const struct vtd *v = w->v;
	u64 addr = w->req->addr;

	w->pa = addr;
	w->lg2 = 12;
	w->flags = VTD_F_ALL | VTD_F_DIRTY;
	if (addr >> v->k.haw || addr >> v->k.sagaw)
		w->reason = w->cfg.legacy ? VTD_FR_BEYOND_WIDTH : VTD_FR_S_WIDTH;
	else if (interrupt_range(addr))
		w->reason = w->cfg.legacy ? VTD_FR_INTERRUPT_ADDR : VTD_FR_S_INTERRUPT;
	return !w->reason;
}

/* 9.6: whether the entry lets requests be privileged or execute. */
static bool rights(struct vtd_walk *w)
{
	const struct hw_req *req = w->req;

	w->priv = (req->access & HW_PRIV) || w->cfg.priv;
	if ((req->access & HW_EXEC) && !w->cfg.ere)
		w->reason = VTD_FR_S_ERE;
	else if (w->priv && !w->cfg.sre)
		w->reason = VTD_FR_S_SRE;
	return !w->reason;
}

/* False: with a reason, or none in abort mode. */
static bool run(struct vtd_walk *w)
{
	const struct vtd *v = w->v;

	if (v->ttm == VTD_TTM_ABORT && v->k.adms)
		return false;
	if (!vtd_config(w))
		return false;
	if (w->req->kind == HW_TRANSLATED)
		return vtd_translated_check(w);
	if (w->req->kind == HW_TRANSLATION_REQUEST && !vtd_translated_check(w))
		return false;
	if ((w->req->access & (HW_PRIV | HW_EXEC) || w->cfg.priv) && !w->cfg.legacy && !rights(w))
		return false;
	if (w->cfg.mode == VTD_MODE_PASS)
		return pass_through(w);
	return by_tables(w);
}

/* --- the answer --- */

static void answer(struct vtd_walk *w, bool ok, struct hw_resp *resp)
{
	const struct hw_req *req = w->req;

	memset(resp, 0, sizeof(*resp));
	resp->reads = (u8)min(w->reads, 255u);
	if (!ok) {
		resp->status = HW_ABORT;
		if (req->kind == HW_TRANSLATION_REQUEST && vtd_recoverable(w->reason)) {
			resp->status = HW_OK;
			resp->lg2 = 12;
		} else if (w->reason && !w->pure && !req->no_fault_report &&
			   (!(w->fpd || w->cfg.fpd) || !vtd_qualified(w->reason))) {
			vtd_fault(w->v, req, w->reason, false);
		}
		return;
	}
	resp->pa = w->pa;
	resp->lg2 = w->lg2;
	resp->entry = w->entry;
	resp->access = (u8)vtd_allowed(w, w->flags);
	if (!w->cfg.ere)
		resp->access &= (u8)~HW_EXEC;
	/* 3.9: a page, or the PASID entry, may demand snooping whatever the device says. */
	resp->no_snoop = (req->access & HW_NO_SNOOP) && !(w->flags & VTD_F_SNP) &&
			 !w->cfg.pgsnp;
	if (req->kind == HW_TRANSLATION_REQUEST)
		vtd_ats_done(w, resp);
}

static void pass_all(const struct hw_req *req, struct hw_resp *resp)
{
	memset(resp, 0, sizeof(*resp));
	/* 3.13: while remapping is off, only requests without PASID and AT pass. */
	if (req->pasid != HW_NO_PASID || req->kind != HW_UNTRANSLATED) {
		resp->status = HW_ABORT;
		return;
	}
	resp->pa = req->addr;
	resp->lg2 = 12;
	resp->access = HW_READ | HW_WRITE;
}

static bool is_interrupt(const struct hw_req *req)
{
	return interrupt_range(req->addr) && req->pasid == HW_NO_PASID;
}

/* --- pages that are not there --- */

/* Whether nobody hears of a plain request, or runs in between. */
static bool is_plain(const struct vtd *v, const struct hw_req *req)
{
	const struct hw_env *e = v->h.env;
	u32 how;

	/* access, kind and no_fault_report at once: reads and writes */
	memcpy(&how, &req->access, sizeof(how));
	return v->lane && !(how & ~3u) && !e->point && !e->fact && !e->read_flushed &&
	       !v->k.policy.negative;
}

/*
 * The fault of a page that the second stage does not have, without the preparations of
 * a walk; the caches are asked in the same order. False: it is not so simple, and
 * nothing has happened that the long way would not do again.
 */
static bool absent(struct vtd *v, struct vtd_binding *b, const struct hw_req *req, u32 reads,
		   struct hw_resp *resp)
{
	u32 n;

	if (req->addr >= b->absent_limit ||
	    hw_cache_find(v->iotlb, bound_space(v, b), req->addr))
		return false;
	n = vtd_absent(v, b, req->addr);
	if (!n)
		return false;
	vtd_absent_answer(v, &b->cfg, req, reads + n, resp);
	return true;
}

static void long_way(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd_binding *b = &v->dev[req->sid].bind;
	bool ok = true, plain = is_plain(v, req), bound = is_bound(v, b, req);
	struct vtd_walk w;

	w.reads = 0;
	if (!plain || !bound)
		vtd_walk_begin(v, &w, req);
	if (plain && !bound && !(v->ttm == VTD_TTM_ABORT && v->k.adms)) {
		ok = vtd_config(&w);
		bound = is_bound(v, b, req);
	}
	if (plain && ok && bound) {
		if (absent(v, b, req, w.reads, resp))
			return;
		if (!w.reads)
			vtd_walk_begin(v, &w, req);
	}
	ok = ok && run(&w);
	answer(&w, ok, resp);
	vtd_walk_end(v, &w);
	if (!ok)
		return;
	vtd_fact(v, HW_FACT_TRANSLATE, req->sid | (u64)req->pasid << 32, req->addr, resp->pa,
		 req->access);
	if (w.cfg.mode != VTD_MODE_PASS)
		vtd_front_fill(&w, resp);
}

void vtd_translate_slow(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	if (unlikely(req->sid >= VTD_DEVICES ||
		     (req->pasid != HW_NO_PASID && req->pasid > 0xfffff))) {
		memset(resp, 0, sizeof(*resp));
		resp->status = HW_ABORT;
		return;
	}
	if (unlikely(is_interrupt(req)) && req->kind != HW_TRANSLATION_REQUEST) {
		vtd_interrupt(v, req, resp);
		return;
	}
	if (!v->te) {
		pass_all(req, resp);
		return;
	}
	hw_nests_settle(v->nests);
	v->youngest = NULL;
	long_way(v, req, resp);
}

/* Options that leave nothing to the quick way. */
void vtd_translate(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);

	if (req->sid >= VTD_DEVICES ||
	    !vtd_front_hit(vtd_front_of(v, req), vtd_who(v, req), req, resp))
		vtd_translate_slow(v, req, resp);
}

void vtd_pure_walk(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp)
{
	struct vtd *v = container_of(h, struct vtd, h);
	struct vtd_walk w;
	bool ok;

	memset(resp, 0, sizeof(*resp));
	if (req->sid >= VTD_DEVICES || (req->pasid != HW_NO_PASID && req->pasid > 0xfffff) ||
	    is_interrupt(req)) {
		resp->status = is_interrupt(req) && (req->access & HW_WRITE) ? HW_INTERRUPT :
										 HW_ABORT;
		return;
	}
	if (!v->te) {
		pass_all(req, resp);
		return;
	}
	vtd_walk_begin(v, &w, req);
	vtd_walk_end(v, &w);
	w.pure = true;
	w.watched = w.quiet = v->h.env->read_flushed && v->h.env->truth_flushed;
	ok = run(&w);
	answer(&w, ok, resp);
}
