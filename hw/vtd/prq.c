// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests (7.4 to 7.7): the queue in memory, its overflow, its event, and
 * the answers that hardware gives itself when software will not see a request.
 */
#include "hw/vtd/vtd_priv.h"

#define SLOT 32u

static u32 queue_bytes(const struct vtd *v)
{
	return 4096u << (vtd_get64(v, VTD_PQA) & 7);
}

/* A stop marker, last of nothing and for no access, waits for no response (PCIe 10.4.1.2.1). */
static void respond(struct vtd *v, const struct hw_page_request *r, u8 code)
{
	struct hw_msg m = {.kind = HW_MSG_PRG_RESPONSE, .code = code, .group = r->group,
			   .sid = r->sid, .pasid = r->pasid};
	bool marker = !(r->access & (HW_READ | HW_WRITE));

	if (r->last && !marker && v->h.env->send)
		v->h.env->send(v->h.env, &m);
}

/* 7.4.1: false: the request is answered or dropped. */
static bool allowed(struct vtd *v, const struct hw_page_request *r)
{
	struct hw_req req = {.addr = r->addr, .sid = r->sid, .pasid = r->pasid,
			     .access = r->access};
	struct vtd_walk w;
	bool ok = false;

	vtd_walk_begin(v, &w, &req);
	if (v->ttm == VTD_TTM_LEGACY)
		w.reason = VTD_FR_TTM_PAGE;
	else if (!(v->ttm == VTD_TTM_ABORT && v->k.adms))
		ok = vtd_config(&w);
	if (ok && !w.cfg.pre) {
		w.reason = VTD_FR_S_PRE;
		ok = false;
	}
	vtd_walk_end(v, &w);
	if (ok)
		return true;
	if (w.reason && (!(w.fpd || w.cfg.fpd) || !vtd_qualified(w.reason)))
		vtd_fault(v, &req, w.reason, true);
	respond(v, r, w.reason == VTD_FR_S_PRE ? HW_PRG_INVALID : HW_PRG_FAILURE);
	return false;
}

static void status_set(struct vtd *v, u32 bit)
{
	u32 old = vtd_get(v, VTD_PRS);

	vtd_set(v, VTD_PRS, old | bit);
	if (!(old & bit))
		vtd_event(v, VTD_PECTL);
}

void vtd_prq_status_written(struct vtd *v)
{
	if (!vtd_get(v, VTD_PRS))
		vtd_event_clear(v, VTD_PECTL);
}

/* 7.4.1: the request as software sees it. */
static void enqueue(struct vtd *v, const struct hw_page_request *r)
{
	u32 size = queue_bytes(v), head = (u32)vtd_get64(v, VTD_PQH) & (size - 1);
	u32 tail = (u32)vtd_get64(v, VTD_PQT) & (size - 1), next = (tail + SLOT) & (size - 1);
	u64 at = (vtd_get64(v, VTD_PQA) & ~0xfffULL) + tail, word[4] = {1, 0, 0, 0};

	/* 7.4.2: full; the last request of a group is answered, so that the device asks again. */
	if ((vtd_get(v, VTD_PRS) & VTD_PRS_PRO) || next == head) {
		status_set(v, VTD_PRS_PRO);
		respond(v, r, HW_PRG_SUCCESS);
		return;
	}
	word[0] |= (u64)(r->sid & 0xffff) << 16;
	if (r->pasid != HW_NO_PASID)
		word[0] |= VTD_BIT(8) | (u64)(r->pasid & 0xfffff) << 32;
	word[0] |= r->access & HW_EXEC ? VTD_BIT(52) : 0;
	word[0] |= r->access & HW_PRIV ? VTD_BIT(53) : 0;
	word[1] = (r->addr & ~0xfffULL) | (u64)(r->group & 0x1ff) << 3 | (r->last ? 4 : 0);
	word[1] |= (r->access & HW_READ ? 1 : 0) | (r->access & HW_WRITE ? 2 : 0);
	for (u32 i = 0; i < ARRAY_SIZE(word); i++)
		vtd_store(v, at + 8 * i, word[i], 8);
	vtd_set64(v, VTD_PQT, next);
	status_set(v, VTD_PRS_PPR);
}

void vtd_page_request(struct hw_iommu *h, const struct hw_page_request *r)
{
	struct vtd *v = container_of(h, struct vtd, h);
	struct hw_env *e = h->env;

	if (r->sid >= VTD_DEVICES || (r->pasid != HW_NO_PASID && r->pasid > 0xfffff))
		return;
	/* Without the capability, or while remapping is off, nobody listens (7.4.1). */
	if (!v->k.prs || !v->te) {
		respond(v, r, HW_PRG_FAILURE);
		return;
	}
	if (!allowed(v, r))
		return;
	if (v->n_pages || (e->choose && v->n_pages < VTD_LATE_PAGES && e->choose(e, 4) == 1)) {
		if (v->n_pages < VTD_LATE_PAGES) {
			v->page[v->n_pages++] = *r;
			return;
		}
		while (vtd_prq_work(v))
			;
	}
	enqueue(v, r);
}

/* A page request that was still on its way. */
bool vtd_prq_work(struct vtd *v)
{
	struct hw_page_request r;

	if (!v->n_pages)
		return false;
	r = v->page[0];
	memmove(v->page, v->page + 1, --v->n_pages * sizeof(v->page[0]));
	enqueue(v, &r);
	return true;
}

/* 7.7.1 */
void vtd_page_response(struct vtd *v, const struct vtd_cmd *c)
{
	struct hw_msg m = {.kind = HW_MSG_PRG_RESPONSE};

	m.code = (u8)vtd_bits(c->d[0], 12, 4);
	m.sid = (u32)vtd_bits(c->d[0], 16, 16);
	m.pasid = vtd_bits(c->d[0], 4, 1) ? (u32)vtd_bits(c->d[0], 32, 20) : HW_NO_PASID;
	m.group = (u16)vtd_bits(c->d[1], 3, 9);
	if (v->h.env->send)
		v->h.env->send(v->h.env, &m);
}
