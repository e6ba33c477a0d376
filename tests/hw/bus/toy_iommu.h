/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOMMU of one table of pages, for tests of the fabric: it translates,
 * aborts, stalls, answers page requests and sends invalidations as told.
 */
#pragma once

#include "hw/bus/bus.h"
#include "sim/base/bits.h"

#include <string.h>

#define TOY_PAGES 32

struct toy_page {
	u64 iova, pa; /* iova: page number */
	u32 pasid;
	u8 access;
};

static struct toy {
	struct hw_iommu h;
	struct toy_page page[TOY_PAGES];
	u32 n_pages;
	bool stalls;      /* instead of aborting */
	u16 next_tag;
	u32 again;        /* so often HW_AGAIN first */
	/* what it has to do */
	u16 resume_tag;
	bool resume_due, resume_retry;
	struct hw_page_request asked[64];
	u32 n_asked, n_messages, most_asked;
	u8 response;      /* to all groups, */
	u8 response_many; /* to those of several pages */
	bool maps_on_request;
	u32 n_done, n_timeouts, n_translated, n_translated_pasid, n_requests;
	u16 last_itag;
} toy;

static struct toy_page *toy_find(u64 addr, u32 pasid)
{
	for (u32 i = 0; i < toy.n_pages; i++) {
		if (toy.page[i].iova == addr >> 12 && toy.page[i].pasid == pasid)
			return &toy.page[i];
	}
	return NULL;
}

static void toy_map(u64 iova, u64 pa, u32 pasid, u8 access)
{
	struct toy_page *p = toy_find(iova, pasid);

	if (!p)
		p = &toy.page[toy.n_pages++];
	*p = (struct toy_page){iova >> 12, pa & ~4095ULL, pasid, access};
}

static struct hw_iommu *toy_create(struct hw_env *e, const char *options, char *err, size_t size)
{
	(void)err;
	(void)size;
	if (options && strcmp(options, "bad") == 0)
		return NULL;
	memset(&toy, 0, sizeof(toy));
	toy.h.env = e;
	return &toy.h;
}

static void toy_destroy(struct hw_iommu *h)
{
	(void)h;
}

static void toy_reset(struct hw_iommu *h)
{
	struct hw_env *e = h->env;

	memset(&toy, 0, sizeof(toy));
	toy.h.env = e;
}

static u64 toy_mmio_read(struct hw_iommu *h, u64 off, u32 size)
{
	(void)h;
	(void)size;
	return off;
}

static void toy_mmio_write(struct hw_iommu *h, u64 off, u32 size, u64 value)
{
	(void)h;
	(void)off;
	(void)size;
	(void)value;
}

static void toy_translate(struct hw_iommu *h, const struct hw_req *q, struct hw_resp *r)
{
	struct toy_page *p = toy_find(q->addr, q->pasid);
	u8 need = q->access & (HW_READ | HW_WRITE);

	(void)h;
	if (toy.again) {
		toy.again--;
		r->status = HW_AGAIN;
		return;
	}
	toy.n_requests++;
	r->status = HW_OK;
	r->lg2 = 12;
	if (q->kind == HW_TRANSLATED) {
		toy.n_translated++;
		toy.n_translated_pasid += q->pasid != HW_NO_PASID;
		r->pa = q->addr;
	} else if (q->kind == HW_TRANSLATION_REQUEST) {
		r->pa = p ? p->pa | (q->addr & 4095) : 0;
		r->access = p ? p->access : 0;
	} else if (p && (p->access & need) == need) {
		r->pa = p->pa | (q->addr & 4095);
		r->access = p->access;
	} else if (toy.stalls) {
		r->status = HW_STALLED;
		r->tag = toy.next_tag++;
	} else {
		r->status = HW_ABORT;
	}
}

/* The first group that has ended: mapped, if that is asked for, and answered. */
static bool toy_answer(struct hw_env *e)
{
	struct hw_msg m = {.kind = HW_MSG_PRG_RESPONSE};
	u32 last = 0, left = 0, n = 0;

	while (last < toy.n_asked && !toy.asked[last].last)
		last++;
	if (last == toy.n_asked)
		return false;
	m.sid = toy.asked[last].sid;
	m.pasid = toy.asked[last].pasid;
	m.group = toy.asked[last].group;
	for (u32 i = 0; i < toy.n_asked; i++)
		n += toy.asked[i].group == m.group;
	m.code = n > 1 && toy.response_many ? toy.response_many : toy.response;
	for (u32 i = 0; i < toy.n_asked; i++) {
		struct hw_page_request r = toy.asked[i];

		if (r.group != m.group)
			toy.asked[left++] = r;
		else if (toy.maps_on_request && m.code == HW_PRG_SUCCESS)
			toy_map(r.addr, r.addr + 0x100000, r.pasid, HW_READ | HW_WRITE);
	}
	toy.n_asked = left;
	e->send(e, &m);
	return true;
}

static bool toy_work(struct hw_iommu *h)
{
	if (toy_answer(h->env))
		return true;
	if (toy.resume_due) {
		toy.resume_due = false;
		h->env->resume(h->env, toy.resume_tag, toy.resume_retry);
		return true;
	}
	return false;
}

static void toy_page_request(struct hw_iommu *h, const struct hw_page_request *r)
{
	(void)h;
	toy.n_messages++;
	toy.asked[toy.n_asked++ % 64] = *r;
	toy.most_asked = max(toy.most_asked, toy.n_asked);
}

static void toy_atc_done(struct hw_iommu *h, u16 itag)
{
	(void)h;
	toy.n_done++;
	toy.last_itag = itag;
}

static void toy_timeout(struct hw_iommu *h)
{
	(void)h;
	toy.n_timeouts++;
}

static const struct hw_iommu_ops toy_ops = {
	.name = "toy", .mmio_size = 4096, .create = toy_create, .destroy = toy_destroy,
	.reset = toy_reset, .mmio_read = toy_mmio_read, .mmio_write = toy_mmio_write,
	.translate = toy_translate, .work = toy_work, .page_request = toy_page_request,
	.atc_done = toy_atc_done, .timeout = toy_timeout,
};
