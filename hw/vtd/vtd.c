// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VT-d model from outside: made, reset, driven.
 */
#include "hw/vtd/vtd_priv.h"

#include <stdio.h>
#include <stdlib.h>

static void reset(struct hw_iommu *h)
{
	struct vtd *v = container_of(h, struct vtd, h);

	vtd_front_void(v);
	v->te = false;
	v->nested = false;
	v->ttm = VTD_TTM_LEGACY;
	v->root = 0;
	v->inv_epoch = 0;
	v->stamp = 0;
	v->n_walks = 0;
	v->ir_table = 0;
	v->ir_size = 0;
	v->eime = false;
	v->next_record = 0;
	v->n_cmds = 0;
	v->serial = 0;
	v->itags = 0;
	memset(v->itag_sid, 0, sizeof(v->itag_sid));
	v->late_gcmd = 0;
	v->late_done = 0;
	v->late_ccmd = false;
	v->late_iotlb = false;
	v->n_pages = 0;
	vtd_caches_reset(v);
	vtd_regs_reset(v);
}

static const struct hw_iommu_ops *quick_ops(const struct vtd *v);

static struct hw_iommu *create(struct hw_env *e, const char *options, char *err, size_t err_size)
{
	struct vtd_knobs k;
	struct vtd *v;

	if (!vtd_knobs_read(&k, options, err, err_size))
		return NULL;
	v = hw_calloc(1, sizeof(*v));
	sim_assert(v);
	v->h.env = e;
	v->h.incoherent = !k.coherent;
	v->h.unsnooped = !k.coherent || (k.scalable && !k.smpwc);
	v->h.evict = (u8)k.evict;
	k.policy.provenance |= e->provenance;
	v->k = k;
	/* Pages of it are only there once they are written. */
	v->dev_block = hw_calloc(VTD_DEVICES + 1, sizeof(*v->dev));
	sim_assert(v->dev_block);
	v->dev = (struct vtd_dev *)ALIGN((uintptr_t)v->dev_block, sizeof(*v->dev));
	/* A front entry would live on where the cache below keeps nothing, or little. */
	v->keeps = k.policy.kind != HW_CACHE_NONE;
	v->pages = v->keeps && k.iotlb;
	v->binds = k.policy.kind == HW_CACHE_INFINITE || k.policy.kind == HW_CACHE_SETS;
	v->front_on = v->binds && v->pages;
	v->quick = k.quick && !k.policy.provenance && !k.policy.prefetch && !k.policy.speculate &&
		   !k.fragment && (v->binds || !v->keeps);
	v->h.ops = v->quick ? quick_ops(v) : &hw_vtd_ops;
	if (v->quick && v->keeps) {
		v->lane = hw_calloc(VTD_LANES, sizeof(*v->lane));
		sim_assert(v->lane);
	}
	if (v->quick && !v->keeps) {
		v->memo = hw_calloc(VTD_MEMOS, sizeof(*v->memo));
		v->trail = hw_block_alloc(VTD_TRAILS * sizeof(*v->trail));
		sim_assert(v->memo && v->trail);
	}
	vtd_reserved_bits(v);
	vtd_regs_make(v);
	v->inv_types = vtd_inv_types(&v->k);
	vtd_caches_create(v);
	vtd_lanes_void(v);
	reset(&v->h);
	return &v->h;
}

static void destroy(struct hw_iommu *h)
{
	struct vtd *v;

	if (!h)
		return;
	v = container_of(h, struct vtd, h);
	vtd_caches_destroy(v);
	hw_free(v->lane);
	hw_nests_destroy(v->nests);
	hw_free(v->memo);
	hw_free(v->trail);
	hw_free(v->dev_block);
	hw_free(v);
}

static bool work(struct hw_iommu *h)
{
	struct vtd *v = container_of(h, struct vtd, h);
	struct hw_env *e = h->env;

	if (v->k.late && vtd_late_work(v))
		return true;
	/* Page requests on their way are overtaken, but by a wait with PD (7.10). */
	if (v->n_pages && !(e->choose && vtd_inv_pending(v) && e->choose(e, 2)))
		return vtd_prq_work(v);
	return vtd_inv_work(v);
}

static void drain(struct hw_iommu *h)
{
	struct vtd *v = container_of(h, struct vtd, h);

	if (!v->k.late && !v->n_pages && vtd_inv_drain(v))
		return;
	while (work(h))
		;
}

static u32 made_of(struct hw_iommu *h, u32 entry, struct hw_cache_word *word)
{
	return hw_cache_provenance(container_of(h, struct vtd, h)->iotlb, entry, word);
}

static bool pending(struct hw_iommu *h)
{
	const struct vtd *v = container_of(h, struct vtd, h);

	return vtd_late_pending(v) || v->n_pages || vtd_inv_pending(v);
}

/* Of one stage its tables, too: those of two would have to be found through each other. */
static bool ahead(const struct hw_iommu *h, const struct hw_req *req, struct hw_ahead *a)
{
	const struct vtd *v = container_of(h, struct vtd, h);
	const struct vtd_binding *b;
	const struct vtd_cfg *c;
	u32 levels;

	if (req->sid >= VTD_DEVICES || !v->te)
		return false;
	b = &v->dev[req->sid].bind;
	c = &b->cfg;
	if (b->gen != v->cfg_gen || b->pasid != req->pasid || c->mode == VTD_MODE_PASS)
		return false;
	levels = c->mode == VTD_MODE_SS ? c->ss_levels : c->fs_levels;
	*a = (struct hw_ahead){.cache = {v->iotlb, v->psc}, .space = {b->space, b->psc_space},
			       .table = c->mode == VTD_MODE_SS ? c->ss_root : c->fs_root,
			       .next = v->addr_mask, .reach = (1ULL << (12 + 9 * levels)) - 1,
			       .shift = (u8)(3 + 9 * levels), .page = 12,
			       .stride = c->mode == VTD_MODE_NESTED ? 0 : 9};
	return true;
}

#define OPS(how)                                                                       \
	{                                                                              \
		.name = "vtd", .mmio_size = VTD_MMIO_SIZE, .create = create,            \
		.destroy = destroy, .reset = reset, .mmio_read = vtd_mmio_read,         \
		.mmio_write = vtd_mmio_write, .translate = (how), .work = work,         \
		.page_request = vtd_page_request, .atc_done = vtd_atc_done,             \
		.timeout = vtd_timeout, .walk = vtd_pure_walk, .pending = pending,      \
		.drain = drain, .ahead = ahead, .made_of = made_of,                     \
	}

const struct hw_iommu_ops hw_vtd_ops = OPS(vtd_translate);

static const struct hw_iommu_ops *quick_ops(const struct vtd *v)
{
	static const struct hw_iommu_ops ops[3][2] = {
		{OPS(vtd_bare_scalar), OPS(vtd_bare_avx2)},
		{OPS(vtd_tables_scalar), OPS(vtd_tables_avx2)},
		{OPS(vtd_translate_scalar), OPS(vtd_translate_avx2)},
	};

	bool vectors = v->k.quick == 1 && __builtin_cpu_supports("avx2") &&
		       __builtin_cpu_supports("bmi2");

	return &ops[v->keeps + v->pages][vectors];
}
