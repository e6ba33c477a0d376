// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMUv3 as a model among others: made, reset, driven one step at a time.
 */
#include "hw/smmuv3/smmu_priv.h"

#include "sim/base/assert.h"

#include <stdlib.h>

static void destroy(struct hw_iommu *base)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	smmu_cache_destroy(h);
	hw_free(h->stall);
	hw_free(h);
}

static void reset(struct hw_iommu *base)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	smmu_regs_reset(h);
	smmu_cache_reset(h);
	h->n_pending = 0;
	h->serial = 0;
	h->invalidated = false;
	if (h->n_atc)
		memset(h->atc, 0, sizeof(h->atc));
	h->n_atc = 0;
	h->atc_seq = 0;
	h->atc_failed = false;
	if (h->n_stalled)
		memset(h->stall, 0, h->cap.stallmax * sizeof(*h->stall));
	h->n_stalled = h->stall_hand = 0;
	memset(h->last_event, 0, sizeof(h->last_event));
	h->last_merges = false;
}

static const struct hw_iommu_ops *quick_ops(bool vectors, bool caching);

static struct hw_iommu *create(struct hw_env *e, const char *options, char *err, size_t err_size)
{
	struct smmu_caps cap;
	struct hw_cache_policy policy;
	struct hw_smmuv3 *h;

	if (!smmu_options(&cap, &policy, options, err, err_size))
		return NULL;
	h = hw_calloc(1, sizeof(*h));
	sim_assert(h);
	h->base.ops = &hw_smmuv3_ops;
	h->base.env = e;
	h->base.incoherent = h->base.unsnooped = !cap.cohacc;
	h->base.evict = cap.evict;
	h->cap = cap;
	h->policy = policy;
	h->policy.provenance |= e->provenance;
	h->stall = hw_calloc(cap.stallmax + 1u, sizeof(*h->stall));
	sim_assert(h->stall);
	smmu_regs_make(h);
	smmu_commands_make(h);
	smmu_cache_create(h);
	if (h->quick)
		h->base.ops = quick_ops(cap.quick == 1, h->caching);
	reset(&h->base);
	return &h->base;
}

/* --- steps --- */

enum step { STEP_ACK, STEP_COMPLETE, STEP_COMMAND, STEP_FILL, STEP_STALL, STEPS };

static u32 possible(const struct hw_smmuv3 *h, enum step can[STEPS])
{
	u32 n = 0;

	if (h->ack_late)
		can[n++] = STEP_ACK;
	if (h->n_pending)
		can[n++] = STEP_COMPLETE;
	if (smmu_command_ready((struct hw_smmuv3 *)h))
		can[n++] = STEP_COMMAND;
	if (h->n_inflight)
		can[n++] = STEP_FILL;
	if (h->n_stalled && smmu_eventq_writable(h) && smmu_stalls_waiting(h))
		can[n++] = STEP_STALL;
	return n;
}

static u32 made_of(struct hw_iommu *base, u32 entry, struct hw_cache_word *word)
{
	return hw_cache_provenance(((struct hw_smmuv3 *)base)->cache[CACHE_TLB], entry, word);
}

static bool pending(struct hw_iommu *base)
{
	enum step can[STEPS];

	return possible((struct hw_smmuv3 *)base, can);
}

static bool work(struct hw_iommu *base)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	enum step can[STEPS];
	u32 n, i = 0;

	/* Without choice the first of what is possible. */
	if (h->n_pending && !h->ack_late && !base->env->choose) {
		smmu_complete_one(h);
		return true;
	}
	n = possible(h, can);
	if (!n)
		return false;
	if (n > 1 && base->env->choose)
		i = base->env->choose(base->env, n);
	switch (can[i]) {
	case STEP_ACK:
		return smmu_acknowledge(h);
	case STEP_COMPLETE:
		smmu_complete_one(h);
		return true;
	case STEP_COMMAND:
		return smmu_command(h);
	case STEP_FILL:
		return smmu_retire_inflight(h, false);
	default:
		return smmu_stalls_deliver(h);
	}
}

static void drain(struct hw_iommu *base)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	if (!h->ack_late && !h->n_inflight && !h->n_stalled && smmu_commands_drain(h))
		return;
	while (work(base))
		;
}

/* Of stage 1 alone its tables, too: with stage 2 they would have to be found through it. */
static bool ahead(const struct hw_iommu *base, const struct hw_req *req, struct hw_ahead *a)
{
	const struct hw_smmuv3 *h = (const struct hw_smmuv3 *)base;
	const struct smmu_lane *l = &h->lane[smmu_ctx_index(req->sid, req->pasid)];
	const struct smmu_tt *tt;
	u32 stride;

	if (l->who != smmu_who(req) || l->gen != h->cfg_gen)
		return false;
	tt = &l->ctx->cd.tt[(req->addr >> 55 & 1) & !l->ctx->cd.tt[0].one];
	if (tt->off)
		return false;
	stride = tt->lg2g - 3u;
	*a = (struct hw_ahead){.cache = {h->cache[CACHE_TLB], h->cache[CACHE_WALK]},
			       .space = {tt->space, tt->walk}, .table = tt->ttb,
			       .next = h->oa_mask & (~0ULL << tt->lg2g),
			       .reach = (1ULL << tt->ia) - 1, .page = tt->lg2g,
			       .shift = (u8)(tt->lg2g + (3 - tt->level) * stride),
			       .stride = (u8)(l->ctx->s2 ? 0 : stride)};
	return true;
}

#define OPS(how)                                                                       \
	{                                                                              \
		.name = "smmuv3", .mmio_size = SMMU_MMIO_SIZE, .create = create,        \
		.destroy = destroy, .reset = reset, .mmio_read = smmu_mmio_read,        \
		.mmio_write = smmu_mmio_write, .translate = (how), .work = work,        \
		.page_request = smmu_page_request, .atc_done = smmu_atc_done,           \
		.timeout = smmu_timeout, .walk = smmu_ground_truth, .pending = pending, \
		.drain = drain, .ahead = ahead, .made_of = made_of,                     \
	}

const struct hw_iommu_ops hw_smmuv3_ops = OPS(smmu_translate);

static const struct hw_iommu_ops *quick_ops(bool vectors, bool caching)
{
	static const struct hw_iommu_ops ops[2][2] = {
		{OPS(smmu_bare_scalar), OPS(smmu_bare_avx2)},
		{OPS(smmu_translate_scalar), OPS(smmu_translate_avx2)},
	};

	vectors = vectors && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
	return &ops[caching][vectors];
}
