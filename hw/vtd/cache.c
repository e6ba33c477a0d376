// SPDX-License-Identifier: GPL-2.0-only
/*
 * The five caches of the model (6.2), and what each invalidation drops: exactly
 * what carries the tags that it names, never more.
 *
 * Context cache: key source id; the value knows its domain (legacy mode).
 * PASID cache: space source id, key PASID; extra knows the domain.
 * IOTLB and paging-structure caches: space of vtd_tag(). Interrupt entries: index.
 */
#include "hw/vtd/vtd_priv.h"

#define TAG_PASID_SHIFT 16
#define TAG_MODE_SHIFT 36
#define TAG_DID 0xffffULL
#define TAG_PASID (0xfffffULL << TAG_PASID_SHIFT)
#define TAG_MODE (3ULL << TAG_MODE_SHIFT)

enum { CACHE_CTX, CACHE_PASID, CACHE_IOTLB, CACHE_PSC, CACHE_IEC };

/* 6.2.1: second-stage mappings are tagged by domain, first-stage ones also by PASID. */
u64 vtd_tag(u16 did, u32 pasid, enum vtd_mode mode)
{
	u64 with = mode == VTD_MODE_FS || mode == VTD_MODE_NESTED ? pasid & 0xfffff : 0;

	return did | with << TAG_PASID_SHIFT | (u64)mode << TAG_MODE_SHIFT;
}

void vtd_caches_create(struct vtd *v)
{
	struct hw_env *e = v->h.env;
	const struct hw_cache_policy *p = &v->k.policy;

	v->ctx = hw_cache_create(e, "context", p);
	v->pasid = hw_cache_create(e, "pasid", p);
	v->iotlb = hw_cache_create(e, "iotlb", p);
	v->psc = hw_cache_create(e, "paging-structure", p);
	v->iec = hw_cache_create(e, "interrupt-entry", p);
}

void vtd_caches_destroy(struct vtd *v)
{
	hw_cache_destroy(v->ctx);
	hw_cache_destroy(v->pasid);
	hw_cache_destroy(v->iotlb);
	hw_cache_destroy(v->psc);
	hw_cache_destroy(v->iec);
}

void vtd_caches_reset(struct vtd *v)
{
	hw_nests_settle(v->nests);
	hw_cache_reset(v->ctx);
	hw_cache_reset(v->pasid);
	hw_cache_reset(v->iotlb);
	hw_cache_reset(v->psc);
	hw_cache_reset(v->iec);
	v->ctx_space = hw_space(v->ctx, 1);
	v->iec_space = hw_space(v->iec, 1);
}

/* --- the front --- */

struct vtd_dev *vtd_dev_touch(struct vtd *v, u32 sid)
{
	struct vtd_dev *d = &v->dev[sid];

	if (!d->touched) {
		d->touched = true;
		v->touched[v->n_touched++] = sid;
	}
	return d;
}

void vtd_lanes_void(struct vtd *v)
{
	for (u32 i = 0; v->lane && i < VTD_LANES; i++)
		v->lane[i].who = 0;
	v->hot = &v->nobody;
}

/* Of all lanes since numbers were given anew; where keys have it. */
u64 vtd_lane_number(struct vtd *v)
{
	if (unlikely(v->lanes_made == HW_NEST_OWNERS - 1)) {
		hw_nests_forget(v->nests);
		for (u32 i = 0; i < VTD_LANES; i++)
			v->lane[i].who = 0;
		v->lanes_made = 0;
	}
	return ++v->lanes_made << HW_NEST_RANGE_BITS;
}

/*
 * The number of a tag in the paging-structure caches. Where numbers run out one is taken
 * away together with its tables, which lanes may know.
 */
u32 vtd_psc_space(struct vtd *v, u64 tag)
{
	u64 version = v->psc->version;
	u32 space = hw_space(v->psc, tag);

	if (unlikely(v->psc->version != version))
		vtd_lanes_void(v);
	return space;
}

/* All that the front and the lanes know of pages is void. */
static void pages_void(struct vtd *v)
{
	v->front_gen += VTD_FRONT_GEN_ONE;
	if (v->front_gen <= 0xffff0000u)
		return;
	for (u32 i = 0; i < v->n_touched; i++)
		memset(v->dev[v->touched[i]].front, 0, sizeof(v->dev[0].front));
	vtd_lanes_void(v);
	v->front_gen = VTD_FRONT_GEN_ONE;
}

/* And what the bindings know. */
void vtd_front_void(struct vtd *v)
{
	v->cfg_gen++;
	pages_void(v);
}

void vtd_front_fill(struct vtd_walk *w, const struct hw_resp *resp)
{
	struct vtd *v = w->v;
	const struct hw_req *req = w->req;
	struct vtd_front *f;

	if (!v->front_on || v->h.env->fact || w->epoch != v->inv_epoch || req->sid >= VTD_DEVICES)
		return;
	if (req->kind != HW_UNTRANSLATED || (req->access & ~(HW_READ | HW_WRITE)) || w->priv)
		return;
	vtd_dev_touch(v, req->sid);
	f = vtd_front_of(v, req);
	f->page = req->addr & ~0xfffULL;
	f->who = vtd_who(v, req);
	f->pa = resp->pa & ~0xfffULL;
	f->lg2 = resp->lg2;
	f->access = resp->access;
	/* A write has to make the page dirty first. */
	f->deny = (s16)(~(resp->access & (HW_READ | HW_WRITE)) |
			(w->flags & VTD_F_DIRTY ? 0 : HW_WRITE));
	f->entry = w->entry;
}

/* --- fills --- */

/* A walk that an invalidation has overtaken must leave nothing behind (6.2.7). */
bool vtd_may_fill(const struct vtd_walk *w)
{
	return !w->pure && (w->epoch == w->v->inv_epoch || w->v->k.race);
}

static u32 cache_number(const struct vtd *v, const struct hw_cache *c)
{
	const struct hw_cache *all[] = {v->ctx, v->pasid, v->iotlb, v->psc, v->iec};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i] == c)
			return i;
	}
	return ARRAY_SIZE(all);
}

u32 vtd_fill(struct vtd_walk *w, struct hw_cache *c, struct hw_cache_entry *e)
{
	u32 id = hw_cache_fill(c, e, w->word, w->n_words);

	/* What its lane knows of tables is not good any more. */
	if (c == w->v->psc)
		w->v->hot = &w->v->nobody;
	if (unlikely(w->watched))
		vtd_fact(w->v, HW_FACT_FILL, cache_number(w->v, c), id, e->addr, e->value);
	return id;
}

/* --- drops --- */

static void dropped(struct vtd *v)
{
	v->inv_epoch++;
	vtd_front_void(v);
}

/* No configuration is dropped: the bindings are as good as before. */
static void dropped_pages(struct vtd *v)
{
	v->inv_epoch++;
	pages_void(v);
}

/* Nor is it of any device but one. */
static void dropped_device(struct vtd *v, u16 sid)
{
	if (v->dev[sid].touched)
		v->dev[sid].bind.gen = v->dev[sid].bind.quick_gen = 0;
	if (v->memo && v->memo[sid % VTD_MEMOS].sid == sid)
		v->memo[sid % VTD_MEMOS].gen = 0;
	dropped_pages(v);
}

static void drop_fact(struct vtd *v, u32 cache)
{
	vtd_fact(v, HW_FACT_DROP, cache, 0, v->serial, 0);
}

struct context_scope {
	u16 did, sid, mask;
	bool by_sid, legacy;
};

static bool context_matches(void *arg, const struct hw_cache_entry *e, u64 tag)
{
	const struct context_scope *s = arg;

	(void)tag;
	if (s->by_sid && (e->addr & s->mask) != (s->sid & s->mask))
		return false;
	return !s->legacy || vtd_bits(e->extra, VTD_CTX_DID_SHIFT, 16) == s->did;
}

/* 6.5.2.1; fm: 0 to 3, how many function bits do not count. */
void vtd_drop_context(struct vtd *v, u32 granularity, u16 did, u16 sid, u32 fm)
{
	static const u16 masks[] = {0xffff, 0xfffb, 0xfff9, 0xfff8};
	struct context_scope s = {.did = did, .sid = sid, .mask = masks[fm & 3],
				  .by_sid = granularity == 3, .legacy = v->ttm == VTD_TTM_LEGACY};

	if (s.by_sid && s.mask == 0xffff)
		dropped_device(v, sid);
	else
		dropped(v);
	drop_fact(v, CACHE_CTX);
	/* Entries of scalable mode have no domain: domain-selective is global there. */
	if (granularity == 1 || (granularity == 2 && !s.legacy))
		hw_cache_drop_all(v->ctx);
	else if (s.by_sid && s.mask == 0xffff)
		hw_cache_drop_one_if(v->ctx, v->ctx_space, sid, context_matches, &s);
	else
		hw_cache_drop_if(v->ctx, context_matches, &s);
}

struct pasid_scope {
	u32 pasid;
	u16 did;
	bool by_pasid;
};

/* pasid.c packs the domain so: high bits of value and of extra. */
static u16 pasid_did(const struct hw_cache_entry *e)
{
	return (u16)(e->value >> 52 | (e->extra >> 52 & 0xf) << 12);
}

static bool pasid_matches(void *arg, const struct hw_cache_entry *e, u64 tag)
{
	const struct pasid_scope *s = arg;

	(void)tag;
	return pasid_did(e) == s->did && (!s->by_pasid || e->addr == s->pasid);
}

/* 6.5.2.2 */
void vtd_drop_pasid(struct vtd *v, u32 granularity, u16 did, u32 pasid)
{
	struct pasid_scope s = {.did = did, .pasid = pasid, .by_pasid = granularity == 1};

	dropped(v);
	drop_fact(v, CACHE_PASID);
	if (granularity == 3)
		hw_cache_drop_all(v->pasid);
	else
		hw_cache_drop_if(v->pasid, pasid_matches, &s);
}

static void drop_range(struct hw_cache *c, u64 tag, u64 addr, u64 last)
{
	u32 space = hw_space_find(c, tag);

	if (space)
		hw_cache_drop_range(c, space, addr, last);
}

/*
 * 6.5.2.3: 1 global, 2 domain, 3 pages of a domain. The last also takes all
 * nested mappings of the domain: nobody knows which of them lie on these pages.
 */
void vtd_drop_iotlb(struct vtd *v, u32 granularity, u16 did, u64 addr, u64 last, bool hint)
{
	u64 ss = vtd_tag(did, 0, VTD_MODE_SS), nested = vtd_tag(did, 0, VTD_MODE_NESTED);

	dropped_pages(v);
	drop_fact(v, CACHE_IOTLB);
	if (granularity == 1) {
		hw_cache_drop_all(v->iotlb);
		hw_cache_drop_all(v->psc);
	} else if (granularity == 2) {
		hw_cache_drop_tags(v->iotlb, TAG_DID, did);
		hw_cache_drop_tags(v->psc, TAG_DID, did);
	} else {
		drop_range(v->iotlb, ss, addr, last);
		if (v->nested)
			hw_cache_drop_tags(v->iotlb, TAG_DID | TAG_MODE, nested);
		if (!hint)
			drop_range(v->psc, ss, addr, last);
	}
}

/* 6.5.2.4: tag_pasid: domain and PASID as vtd_tag() has them; last < addr: all. */
void vtd_drop_piotlb(struct vtd *v, u64 tag_pasid, u64 addr, u64 last, bool hint)
{
	static const enum vtd_mode modes[] = {VTD_MODE_FS, VTD_MODE_NESTED};

	dropped_pages(v);
	drop_fact(v, CACHE_IOTLB);
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		u64 tag = vtd_tag((u16)(tag_pasid & TAG_DID), (u32)(tag_pasid >> TAG_PASID_SHIFT),
				  modes[i]);

		if (last < addr) {
			hw_cache_drop_tags(v->iotlb, ~0ULL, tag);
			hw_cache_drop_tags(v->psc, ~0ULL, tag);
			continue;
		}
		drop_range(v->iotlb, tag, addr, last);
		if (!hint)
			drop_range(v->psc, tag, addr, last);
	}
}

/* 6.5.2.7: 1 << lg2 entries from index. */
void vtd_drop_iec(struct vtd *v, bool all, u32 index, u32 lg2)
{
	u64 first = index & ~((1ULL << lg2) - 1);

	drop_fact(v, CACHE_IEC);
	if (all)
		hw_cache_drop_all(v->iec);
	else
		hw_cache_drop_range(v->iec, v->iec_space, first, first + (1ULL << lg2) - 1);
}
