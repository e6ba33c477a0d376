// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command queue (3.5, 4, 7.1). A command is consumed when CONS passes it;
 * an invalidation is complete later. CMD_SYNC is consumed when all before it is
 * complete.
 */
#include "hw/smmuv3/smmu_priv.h"

enum need { ALWAYS, STAGE1, STAGE2, HYP, ATS, PRI, STALL };

struct command {
	u8 exists, need;
	bool address;  /* has the fields of range and level */
	bool later;    /* completes after it is consumed */
	bool ssec;
};

static const struct command commands[256] = {
	[CMD_PREFETCH_CONFIG] = {1, ALWAYS, .ssec = true},
	[CMD_PREFETCH_ADDR] = {1, ALWAYS, .ssec = true},
	[CMD_CFGI_STE] = {1, ALWAYS, .later = true, .ssec = true},
	[CMD_CFGI_STE_RANGE] = {1, ALWAYS, .later = true, .ssec = true},
	[CMD_CFGI_CD] = {1, STAGE1, .later = true, .ssec = true},
	[CMD_CFGI_CD_ALL] = {1, STAGE1, .later = true, .ssec = true},
	[CMD_TLBI_NH_ALL] = {1, STAGE1, .later = true},
	[CMD_TLBI_NH_ASID] = {1, STAGE1, .later = true},
	[CMD_TLBI_NH_VA] = {1, STAGE1, .address = true, .later = true},
	[CMD_TLBI_NH_VAA] = {1, STAGE1, .address = true, .later = true},
	[CMD_TLBI_EL2_ALL] = {1, HYP, .later = true},
	[CMD_TLBI_EL2_ASID] = {1, HYP, .later = true},
	[CMD_TLBI_EL2_VA] = {1, HYP, .address = true, .later = true},
	[CMD_TLBI_EL2_VAA] = {1, HYP, .address = true, .later = true},
	[CMD_TLBI_S12_VMALL] = {1, STAGE2, .later = true},
	[CMD_TLBI_S2_IPA] = {1, STAGE2, .address = true, .later = true},
	[CMD_TLBI_NSNH_ALL] = {1, ALWAYS, .later = true},
	[CMD_ATC_INV] = {1, ATS, .later = false},
	[CMD_PRI_RESP] = {1, PRI, .later = false},
	[CMD_RESUME] = {1, STALL, .ssec = true},
	[CMD_STALL_TERM] = {1, STALL, .ssec = true},
	[CMD_SYNC] = {1, ALWAYS, .later = false},
};

/* What the options decide, once. */
void smmu_commands_make(struct hw_smmuv3 *h)
{
	const struct smmu_caps *cap = &h->cap;

	h->needs = (u8)(1u << ALWAYS | (u32)!!cap->s1p << STAGE1 | (u32)!!cap->s2p << STAGE2 |
			(u32)!!cap->hyp << HYP | (u32)!!cap->ats << ATS | (u32)!!cap->pri << PRI |
			(u32)(cap->stall != 1) << STALL);
}

static bool legal(const struct hw_smmuv3 *h, const u64 w[2])
{
	const struct command *c = &commands[w[0] & 0xff];
	u32 ttl = FIELD(w[1], CMD1_TTL, 2), tg = FIELD(w[1], CMD1_TG, 2);

	if (!c->exists || !(h->needs >> c->need & 1))
		return false;
	if (c->ssec && FLAG(w[0], CMD0_SSEC))
		return false;
	if ((w[0] & 0xff) == CMD_PREFETCH_CONFIG && h->cap.persona == PERSONA_HI1610)
		return false;
	if ((w[0] & 0xff) == CMD_SYNC && FIELD(w[0], CMD0_SYNC_CS, 2) == 3)
		return false;
	if ((w[0] & 0xff) == CMD_PRI_RESP && FIELD(w[1], CMD1_PRI_RESP, 2) == 3)
		return false;
	if ((w[0] & 0xff) == CMD_ATC_INV && FIELD(w[1], CMD1_SIZE, 6) > 52)
		return false;
	if (!c->address || !h->cap.ril || !tg)
		return true;
	/* 4.4.1.1: a granule without range and without level has no purpose. */
	if (tg == 2 && ttl == 1)
		ttl = 0;
	return ttl || FIELD(w[0], CMD0_NUM, 5) || FIELD(w[0], CMD0_SCALE, 5);
}

/* --- the ring --- */

/* After a change of where the queue lies. */
void smmu_commands_place(struct hw_smmuv3 *h)
{
	u32 lg2 = min(FIELD(h->reg[R_CMDQ_BASE], 0, 5), (u32)h->cap.cmdqs);
	u64 size = 16ull << lg2, base = h->reg[R_CMDQ_BASE] & 0x000fffffffffffe0ull & h->oa_mask;

	h->ring_base = size > 32 ? base & ~(size - 1) : base;
	h->ring_mask = (2u << lg2) - 1;
}

static u64 slot_of(const struct hw_smmuv3 *h, u32 index)
{
	return h->ring_base + 16ull * (index & (h->ring_mask >> 1));
}

static void error(struct hw_smmuv3 *h, u32 code)
{
	u32 rd = (u32)h->reg[R_CMDQ_CONS] & 0xfffff;

	h->reg[R_CMDQ_CONS] = rd | code << CMDQ_CONS_ERR;
	smmu_gerror(h, GERROR_CMDQ);
}

static void illegal(struct hw_smmuv3 *h, const u64 w[2])
{
	if (h->base.env->fact)
		smmu_fact(h, HW_FACT_PROTOCOL,
			  (u64)(uintptr_t)"an illegal command in the command queue", w[0], w[1], 0);
	error(h, CERROR_ILL);
}

static void consume(struct hw_smmuv3 *h)
{
	u64 cons = h->reg[R_CMDQ_CONS];

	h->reg[R_CMDQ_CONS] = (cons & ~0xfffffull) | ((cons + 1) & h->ring_mask);
}

static bool nonempty(const struct hw_smmuv3 *h)
{
	u32 mask = h->ring_mask;

	return (h->reg[R_CR0ACK] & CR0_CMDQEN) &&
	       !((h->reg[R_GERROR] ^ h->reg[R_GERRORN]) & GERROR_CMDQ) &&
	       (h->reg[R_CMDQ_PROD] & mask) != (h->reg[R_CMDQ_CONS] & mask);
}

/* --- completion --- */

void smmu_complete_one(struct hw_smmuv3 *h)
{
	struct smmu_pending p = h->pending[0];

	h->n_pending--;
	if (h->n_pending)
		memmove(h->pending, h->pending + 1, h->n_pending * sizeof(p));
	/* Walks under way end first, so that what they fill is dropped too. */
	if (h->cap.persona != PERSONA_TEGRA264)
		smmu_retire_inflight(h, true);
	smmu_front_drop(h);
	smmu_invalidate(h, p.w);
	h->invalidated = true;
	smmu_fact(h, HW_FACT_COMMAND_DONE, p.w[0], p.serial, 0, 0);
}

static void signal_sync(struct hw_smmuv3 *h, const u64 w[2])
{
	struct hw_env *e = h->base.env;
	u64 addr = w[1] & 0x00fffffffffffffcull;

	if (FIELD(w[0], CMD0_SYNC_CS, 2) != 1)
		return;
	if (h->cap.msi && addr) {
		if (!smmu_msi_write(h, addr, (u32)(w[0] >> CMD0_SYNC_DATA)))
			smmu_gerror(h, GERROR_MSI_CMDQ_ABT);
	} else if (e->wire) {
		e->wire(e, WIRE_SYNC, true);
		e->wire(e, WIRE_SYNC, false);
	}
}

static bool sync(struct hw_smmuv3 *h, const u64 w[2])
{
	if (h->n_pending) {
		smmu_complete_one(h);
		return true;
	}
	if (smmu_atc_busy(h))
		return false;
	if (h->atc_failed) {
		h->atc_failed = false;
		error(h, CERROR_ATC_INV_SYNC);
		return true;
	}
	/* 7.2.1: what stalled under the old tables and was not told starts over. */
	if (h->invalidated)
		smmu_stalls_retry(h);
	h->invalidated = false;
	h->serial++;
	consume(h);
	smmu_fact(h, HW_FACT_SYNC, w[0], h->serial, 0, 0);
	signal_sync(h, w);
	return true;
}

static void at_once(struct hw_smmuv3 *h, const u64 w[2])
{
	u32 sid = (u32)(w[0] >> CMD0_SID);
	u32 pasid = FLAG(w[0], CMD0_SSV) ? FIELD(w[0], CMD0_SSID, 20) : HW_NO_PASID;

	switch (w[0] & 0xff) {
	case CMD_PREFETCH_CONFIG:
		smmu_prefetch(h, sid, pasid, ~0ull);
		break;
	case CMD_PREFETCH_ADDR:
		smmu_prefetch(h, sid, pasid, w[1] & ~0xfffull);
		break;
	case CMD_PRI_RESP:
		smmu_pri_response(h, w);
		break;
	case CMD_RESUME:
		smmu_resume(h, w);
		break;
	default:
		smmu_stalls_end(h, false, sid);
	}
	smmu_fact(h, HW_FACT_COMMAND_DONE, w[0], h->serial, 0, 0);
}

bool smmu_command_ready(struct hw_smmuv3 *h)
{
	u64 w[2];

	if (!nonempty(h))
		return false;
	if (h->n_pending || !smmu_atc_busy(h))
		return true;
	/* Nothing but an answer of an endpoint lets a CMD_SYNC go on. */
	return !smmu_read_words(h, slot_of(h, (u32)h->reg[R_CMDQ_CONS]), w, 2) ||
	       (w[0] & 0xff) != CMD_SYNC;
}

/* One command. false: it has to wait. */
bool smmu_command(struct hw_smmuv3 *h)
{
	const struct command *c;
	u64 w[2];

	if (!nonempty(h))
		return false;
	hw_point(h->base.env, "smmu: fetch of a command");
	if (!nonempty(h))
		return false;
	if (!smmu_read_words(h, slot_of(h, (u32)h->reg[R_CMDQ_CONS]), w, 2)) {
		error(h, CERROR_ABT);
		return true;
	}
	c = &commands[w[0] & 0xff];
	if (!legal(h, w)) {
		illegal(h, w);
		return true;
	}
	if ((w[0] & 0xff) == CMD_SYNC)
		return sync(h, w);
	if (c->later && h->n_pending == PENDING_MAX) {
		smmu_complete_one(h);
		return true;
	}
	if ((w[0] & 0xff) == CMD_ATC_INV && !smmu_atc_invalidate(h, w))
		return false;
	h->serial++;
	smmu_fact(h, HW_FACT_COMMAND, w[0], h->serial, w[1], 0);
	consume(h);
	if (c->later)
		h->pending[h->n_pending++] = (struct smmu_pending){{w[0], w[1]}, h->serial};
	else if ((w[0] & 0xff) != CMD_ATC_INV)
		at_once(h, w);
	return true;
}

/* One that is legal, and what it does is done later; of others it is not said. */
static inline bool plainly_later(const struct hw_smmuv3 *h, const u64 w[2])
{
	const struct command *c = &commands[w[0] & 0xff];

	return c->later && (h->needs >> c->need & 1) && !(c->ssec && FLAG(w[0], CMD0_SSEC)) &&
	       !(c->address && FIELD(w[1], CMD1_TG, 2));
}

/*
 * As smmu_command() and smmu_complete_one() in turns: without choice each invalidation is
 * complete before the next command is consumed. Other commands, and what is illegal, are
 * left to them.
 */
bool smmu_commands_drain(struct hw_smmuv3 *h)
{
	const struct hw_env *e = h->base.env;
	u32 mask = h->ring_mask, prod = (u32)h->reg[R_CMDQ_PROD] & mask, index;
	u64 size = 8ull * (mask + 1), ring = h->ring_base, w[2];

	if (e->point || e->choose || h->n_pending || !nonempty(h) || e->ram_size < size ||
	    ring > e->ram_size - size)
		return false;
	while ((index = (u32)h->reg[R_CMDQ_CONS] & mask) != prod) {
		memcpy(w, e->ram + ring + 16ull * (index & (mask >> 1)), 16);
		if (!plainly_later(h, w) && (!commands[w[0] & 0xff].later || !legal(h, w)))
			return false;
		h->serial++;
		if (unlikely(e->fact))
			smmu_fact(h, HW_FACT_COMMAND, w[0], h->serial, w[1], 0);
		h->reg[R_CMDQ_CONS] = (h->reg[R_CMDQ_CONS] & ~0xfffffull) | ((index + 1) & mask);
		smmu_front_drop(h);
		smmu_invalidate(h, w);
		h->invalidated = true;
		if (unlikely(e->fact))
			smmu_fact(h, HW_FACT_COMMAND_DONE, w[0], h->serial, 0, 0);
	}
	return true;
}
