// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt remapping (5.1) and posting (5.2): a write to the interrupt range
 * becomes an entry of the table, checked against who sent it, and an interrupt.
 */
#include "hw/vtd/vtd_priv.h"

#define ADDR_FORMAT VTD_BIT(4)
#define ADDR_SHV VTD_BIT(3)
#define ADDR_HANDLE15 VTD_BIT(2)
#define PID_WORDS 4 /* of the pending bits; then control, then reserved */

struct interrupt {
	struct vtd *v;
	u64 irte[2];
	u32 sid, index;
	u8 reason;
};

static bool fail(struct interrupt *i, u8 reason)
{
	i->reason = reason;
	return false;
}

static bool good_sid(const struct interrupt *i)
{
	static const u16 masks[] = {0xffff, 0xfffb, 0xfff9, 0xfff8};
	u32 want = (u32)vtd_bits(i->irte[1], 0, 16), svt = (u32)vtd_bits(i->irte[1], 18, 2);
	u32 mask = masks[vtd_bits(i->irte[1], 16, 2)], bus = i->sid >> 8;

	if (svt == 1)
		return (i->sid & mask) == (want & mask);
	return svt != 2 || (bus >= want >> 8 && bus <= (want & 0xff));
}

/* 9.9, 9.10: reserved fields of either format. */
static bool reserved_clear(const struct interrupt *i)
{
	const struct vtd *v = i->v;
	u64 low = i->irte[0], high = i->irte[1], bad;

	if (vtd_bits(high, 18, 2) == 3)
		return false;
	if (low & VTD_IRTE_IM) {
		bad = low & (0xfcULL | 0x3000ULL | vtd_bits(~0ULL, 0, 14) << 24);
		bad |= high & vtd_bits(~0ULL, 0, 12) << 20;
		return v->k.pi && !bad;
	}
	bad = low & (0x7000ULL | 0xff000000ULL);
	bad |= v->eime ? 0 : low & 0xffff00ff00000000ULL;
	return !bad && !(high >> 20);
}

/* The entry, at once as 16 bytes (5.1.5), from the cache or the table. */
static bool fetch(struct interrupt *i)
{
	struct vtd *v = i->v;
	const struct hw_cache_entry *e = hw_cache_find(v->iec, v->iec_space, i->index);
	struct hw_cache_entry fill = {.space = v->iec_space, .addr = i->index};
	u64 pa = v->ir_table + 16ULL * i->index;
	struct hw_cache_word word[2];

	if (e) {
		i->irte[0] = e->value;
		i->irte[1] = e->extra;
		return true;
	}
	hw_point(v->h.env, "vtd: interrupt entry");
	if (!vtd_load(v, pa, &i->irte[0]) || !vtd_load(v, pa + 8, &i->irte[1]))
		return fail(i, VTD_FR_IR_ACCESS);
	vtd_fact(v, HW_FACT_WALK_WORD, pa, i->irte[0], i->sid, i->index);
	vtd_fact(v, HW_FACT_WALK_WORD, pa + 8, i->irte[1], i->sid, i->index);
	/* 6.1: what is not present or wrong is only cached with caching mode. */
	if (!((i->irte[0] & VTD_P) && reserved_clear(i)) && !v->k.policy.negative)
		return true;
	fill.value = i->irte[0];
	fill.extra = i->irte[1];
	word[0] = (struct hw_cache_word){pa, fill.value};
	word[1] = (struct hw_cache_word){pa + 8, fill.extra};
	hw_cache_fill(v->iec, &fill, word, 2);
	return true;
}

/* 5.2.3: note the vector in the posted descriptor; notify if nobody has been yet. */
static bool post(struct interrupt *i)
{
	struct vtd *v = i->v;
	u64 pid = (i->irte[1] >> 32 << 32) | (i->irte[0] >> 38 << 6), word, control;
	u32 vector = (u32)vtd_bits(i->irte[0], 16, 8), dest;
	bool urgent = i->irte[0] & VTD_IRTE_URG;

	hw_point(v->h.env, "vtd: posted descriptor");
	if (!vtd_load(v, pid + vector / 64 * 8, &word) || !vtd_load(v, pid + 32, &control))
		return fail(i, VTD_FR_IR_PID_ACCESS);
	if (control & (0xfffcULL | vtd_bits(~0ULL, 0, 8) << 24))
		return fail(i, VTD_FR_IR_PID_RESERVED);
	vtd_store(v, pid + vector / 64 * 8, word | VTD_BIT(vector % 64), 8);
	if ((control & VTD_PID_ON) || ((control & VTD_PID_SN) && !urgent))
		return true;
	vtd_store(v, pid + 32, control | VTD_PID_ON, 8);
	dest = (u32)(control >> 32);
	if (!v->eime)
		dest = dest >> 8 & 0xff;
	if (v->h.env->deliver)
		v->h.env->deliver(v->h.env, dest, (u32)vtd_bits(control, 16, 8));
	return true;
}

static bool deliver(struct interrupt *i)
{
	struct vtd *v = i->v;
	u32 dest = (u32)(i->irte[0] >> 32);

	if (i->irte[0] & VTD_IRTE_IM)
		return post(i);
	if (!v->eime)
		dest = dest >> 8 & 0xff;
	if (v->h.env->deliver)
		v->h.env->deliver(v->h.env, dest, (u32)vtd_bits(i->irte[0], 16, 8));
	return true;
}

/* 5.1.3 */
static bool remap(struct interrupt *i, const struct hw_req *req)
{
	const struct vtd *v = i->v;
	u64 addr = req->addr;

	i->index = (u32)vtd_bits(addr, 5, 15) | (addr & ADDR_HANDLE15 ? 0x8000 : 0);
	if (addr & 3)
		return fail(i, VTD_FR_IR_REQUEST);
	if (addr & ADDR_SHV) {
		if (req->data >> 16)
			return fail(i, VTD_FR_IR_REQUEST);
		i->index += req->data & 0xffff;
	}
	if (i->index >= v->ir_size)
		return fail(i, VTD_FR_IR_INDEX);
	if (!fetch(i))
		return false;
	if (!(i->irte[0] & VTD_P))
		return fail(i, VTD_FR_IR_P);
	if (!reserved_clear(i))
		return fail(i, VTD_FR_IR_RESERVED);
	if (!good_sid(i))
		return fail(i, VTD_FR_IR_SID);
	return deliver(i);
}

/* 5.1.2.1, 5.1.4: compatibility format passes only where both CFIS and EIME say so. */
static bool compatibility(struct interrupt *i, const struct hw_req *req)
{
	const struct vtd *v = i->v;

	if ((vtd_get(v, VTD_GSTS) & VTD_G_IRE) &&
	    (v->eime || !(vtd_get(v, VTD_GSTS) & VTD_G_CFI)))
		return fail(i, VTD_FR_IR_COMPAT);
	if (v->h.env->deliver)
		v->h.env->deliver(v->h.env, (u32)vtd_bits(req->addr, 12, 8), req->data & 0xff);
	return true;
}

void vtd_interrupt(struct vtd *v, const struct hw_req *req, struct hw_resp *resp)
{
	struct interrupt i = {.v = v, .sid = req->sid};
	bool remaps = (vtd_get(v, VTD_GSTS) & VTD_G_IRE) && (req->addr & ADDR_FORMAT), done;

	memset(resp, 0, sizeof(*resp));
	resp->status = HW_ABORT;
	/* 3.14: reads of the range and translated requests to it are no interrupts. */
	if (!(req->access & HW_WRITE) || req->kind == HW_TRANSLATED)
		return;
	done = remaps ? remap(&i, req) : compatibility(&i, req);
	if (done) {
		resp->status = HW_INTERRUPT;
		return;
	}
	/* FPD of the entry holds for what was found wrong after it was read. */
	if (i.reason >= VTD_FR_IR_P && i.reason != VTD_FR_IR_ACCESS &&
	    i.reason != VTD_FR_IR_COMPAT && (i.irte[0] & VTD_FPD))
		return;
	vtd_ir_fault(v, req->sid, i.index, i.reason);
}
