// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers (6): where they are, what is writable and when, and the few that do
 * something. Fields of what is not advertised read as zero.
 */
#include "hw/smmuv3/smmu_priv.h"

enum guard {
	RO, RW,
	IF_SMMUEN, IF_CMDQEN, IF_EVENTQEN, IF_PRIQEN, /* writable while that is 0 */
	IF_IRQ_GERROR, IF_IRQ_EVENTQ, IF_IRQ_PRIQ,
	IF_ATOS,
};

struct reg {
	u16 off;
	u8 size, id, guard;
};

static const struct reg regs[] = {
	{SMMU_IDR0, 4, R_IDR0, RO},
	{SMMU_IDR1, 4, R_IDR1, RO},
	{SMMU_IDR2, 4, R_IDR2, RO},
	{SMMU_IDR3, 4, R_IDR3, RO},
	{SMMU_IDR4, 4, R_IDR4, RO},
	{SMMU_IDR5, 4, R_IDR5, RO},
	{SMMU_IIDR, 4, R_IIDR, RO},
	{SMMU_AIDR, 4, R_AIDR, RO},
	{SMMU_CR0, 4, R_CR0, RW},
	{SMMU_CR0ACK, 4, R_CR0ACK, RO},
	{SMMU_CR1, 4, R_CR1, RW},
	{SMMU_CR2, 4, R_CR2, IF_SMMUEN},
	{SMMU_STATUSR, 4, R_STATUSR, RO},
	{SMMU_GBPA, 4, R_GBPA, RW},
	{SMMU_AGBPA, 4, R_AGBPA, RO},
	{SMMU_IRQ_CTRL, 4, R_IRQ_CTRL, RW},
	{SMMU_IRQ_CTRLACK, 4, R_IRQ_CTRLACK, RO},
	{SMMU_GERROR, 4, R_GERROR, RO},
	{SMMU_GERRORN, 4, R_GERRORN, RW},
	{SMMU_GERROR_IRQ_CFG0, 8, R_GERROR_CFG0, IF_IRQ_GERROR},
	{SMMU_GERROR_IRQ_CFG1, 4, R_GERROR_CFG1, IF_IRQ_GERROR},
	{SMMU_GERROR_IRQ_CFG2, 4, R_GERROR_CFG2, IF_IRQ_GERROR},
	{SMMU_STRTAB_BASE, 8, R_STRTAB_BASE, IF_SMMUEN},
	{SMMU_STRTAB_BASE_CFG, 4, R_STRTAB_BASE_CFG, IF_SMMUEN},
	{SMMU_CMDQ_BASE, 8, R_CMDQ_BASE, IF_CMDQEN},
	{SMMU_CMDQ_PROD, 4, R_CMDQ_PROD, RW},
	{SMMU_CMDQ_CONS, 4, R_CMDQ_CONS, IF_CMDQEN},
	{SMMU_EVENTQ_BASE, 8, R_EVENTQ_BASE, IF_EVENTQEN},
	{SMMU_EVENTQ_PROD, 4, R_EVENTQ_PROD, IF_EVENTQEN},
	{SMMU_EVENTQ_CONS, 4, R_EVENTQ_CONS, RW},
	{SMMU_EVENTQ_IRQ_CFG0, 8, R_EVENTQ_CFG0, IF_IRQ_EVENTQ},
	{SMMU_EVENTQ_IRQ_CFG1, 4, R_EVENTQ_CFG1, IF_IRQ_EVENTQ},
	{SMMU_EVENTQ_IRQ_CFG2, 4, R_EVENTQ_CFG2, IF_IRQ_EVENTQ},
	{SMMU_PRIQ_BASE, 8, R_PRIQ_BASE, IF_PRIQEN},
	{SMMU_PRIQ_PROD, 4, R_PRIQ_PROD, IF_PRIQEN},
	{SMMU_PRIQ_CONS, 4, R_PRIQ_CONS, RW},
	{SMMU_PRIQ_IRQ_CFG0, 8, R_PRIQ_CFG0, IF_IRQ_PRIQ},
	{SMMU_PRIQ_IRQ_CFG1, 4, R_PRIQ_CFG1, IF_IRQ_PRIQ},
	{SMMU_PRIQ_IRQ_CFG2, 4, R_PRIQ_CFG2, IF_IRQ_PRIQ},
	{SMMU_GATOS_CTRL, 4, R_GATOS_CTRL, IF_ATOS},
	{SMMU_GATOS_SID, 8, R_GATOS_SID, IF_ATOS},
	{SMMU_GATOS_ADDR, 8, R_GATOS_ADDR, IF_ATOS},
	{SMMU_GATOS_PAR, 8, R_GATOS_PAR, RO},
};

/* The indexes of the output queues are in page 1; page 0 may show them too. */
static u64 canonical(const struct hw_smmuv3 *h, u64 off)
{
	u64 low = off & 0xffff;
	bool index = (low & ~4ull) == SMMU_EVENTQ_PROD || (low & ~4ull) == SMMU_PRIQ_PROD;

	if (!index)
		return off;
	if (h->cap.persona == PERSONA_TX2)
		return off;
	if (off < SMMU_PAGE1)
		return h->cap.page0 ? off : SMMU_MMIO_SIZE;
	return low;
}

static const struct reg *find(const struct hw_smmuv3 *h, u64 off)
{
	u32 low = 0, high = ARRAY_SIZE(regs);

	off = canonical(h, off);
	if (off < SMMU_REGS_END)
		return h->reg_at[off / 4] ? &regs[h->reg_at[off / 4] - 1] : NULL;
	while (low < high) {
		u32 mid = (low + high) / 2;

		if (off < regs[mid].off)
			high = mid;
		else if (off >= (u64)regs[mid].off + regs[mid].size)
			low = mid + 1;
		else
			return &regs[mid];
	}
	return NULL;
}

/* --- what is advertised --- */

static void identify(struct hw_smmuv3 *h)
{
	const struct smmu_caps *c = &h->cap;
	static const u8 oas_code[] = {[32 - 32] = 0, [36 - 32] = 1, [40 - 32] = 2, [42 - 32] = 3,
				      [44 - 32] = 4, [48 - 32] = 5, [52 - 32] = 6};

	h->reg[R_IDR0] = (u64)c->s2p << IDR0_S2P | (u64)c->s1p << IDR0_S1P | 2ull << IDR0_TTF |
			 (u64)c->cohacc << IDR0_COHACC | (u64)c->httu << IDR0_HTTU |
			 (u64)c->hyp << IDR0_HYP | (u64)c->ats << IDR0_ATS |
			 (u64)c->ns1ats << IDR0_NS1ATS | (u64)c->asid16 << IDR0_ASID16 |
			 (u64)c->msi << IDR0_MSI | (u64)c->sev << IDR0_SEV |
			 (u64)c->atos << IDR0_ATOS | (u64)c->pri << IDR0_PRI |
			 (u64)c->vmw << IDR0_VMW | (u64)c->vmid16 << IDR0_VMID16 |
			 (u64)c->cd2l << IDR0_CD2L | 2ull << IDR0_TTENDIAN |
			 (u64)c->ats << IDR0_ATSRECERR | (u64)c->stall << IDR0_STALL_MODEL |
			 (u64)c->term << IDR0_TERM_MODEL | (u64)c->st2 << IDR0_ST_LEVEL;
	h->reg[R_IDR1] = (u64)c->sid << IDR1_SIDSIZE | (u64)c->ssid << IDR1_SSIDSIZE |
			 (u64)(c->pri ? c->priqs : 0) << IDR1_PRIQS |
			 (u64)c->evtqs << IDR1_EVENTQS | (u64)c->cmdqs << IDR1_CMDQS |
			 (u64)c->ovr << IDR1_ATTR_PERMS_OVR;
	h->reg[R_IDR3] = (u64)c->had << IDR3_HAD | (u64)c->xnx << IDR3_XNX |
			 (u64)c->ril << IDR3_RIL | (u64)c->bbml << IDR3_BBML;
	h->reg[R_IDR5] = (u64)oas_code[c->oas - 32] << IDR5_OAS |
			 (u64)!!(c->gran & TG_4K) << IDR5_GRAN4K |
			 (u64)!!(c->gran & TG_16K) << IDR5_GRAN16K |
			 (u64)!!(c->gran & TG_64K) << IDR5_GRAN64K |
			 (u64)(c->oas == 52) << IDR5_VAX |
			 (u64)(c->stall == 1 ? 0 : c->stallmax) << IDR5_STALL_MAX;
	h->reg[R_AIDR] = 2; /* SMMUv3.2 */
}

static u32 cr0_mask(const struct smmu_caps *c)
{
	return CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN | (c->pri ? CR0_PRIQEN : 0) |
	       (c->ats ? CR0_ATSCHK : 0) | (c->vmw ? 7u << CR0_VMW : 0);
}

/* Bits that exist. */
static void masks(struct hw_smmuv3 *h)
{
	const struct smmu_caps *c = &h->cap;
	u64 *m = h->mask, oa = h->oa_mask & 0x000fffffffffffffull, msi = c->msi ? ~0ull : 0;
	u32 sid = c->sid == 32 ? ~0u : (1u << c->sid) - 1;

	m[R_CR0] = cr0_mask(c);
	m[R_CR1] = 0xfff;
	m[R_CR2] = (c->hyp ? CR2_E2H : 0) | CR2_RECINVSID | CR2_PTM |
		   (c->ats ? CR2_REC_CFG_ATS : 0);
	m[R_GBPA] = c->ovr ? 0x001f3f1f : 0x00103f1f;
	m[R_IRQ_CTRL] = IRQ_GERROR | IRQ_EVENTQ | (c->pri ? IRQ_PRIQ : 0);
	m[R_GERRORN] = 0xfd;
	m[R_STRTAB_BASE] = (oa & ~0x3full) | 1ull << 62;
	m[R_STRTAB_BASE_CFG] = 0x7ff | (c->st2 ? 3u << STRTAB_CFG_FMT : 0);
	m[R_CMDQ_BASE] = m[R_EVENTQ_BASE] = oa | 1ull << 62;
	m[R_CMDQ_PROD] = 0xfffff;
	m[R_CMDQ_CONS] = 0x7f0fffff;
	m[R_EVENTQ_PROD] = m[R_EVENTQ_CONS] = 0xfffff | Q_OVERFLOW;
	m[R_GERROR_CFG0] = m[R_EVENTQ_CFG0] = oa & ~3ull & msi;
	m[R_GERROR_CFG1] = m[R_EVENTQ_CFG1] = 0xffffffff & msi;
	m[R_GERROR_CFG2] = m[R_EVENTQ_CFG2] = 0x3f & msi;
	if (c->pri) {
		m[R_PRIQ_BASE] = m[R_CMDQ_BASE];
		m[R_PRIQ_PROD] = m[R_PRIQ_CONS] = m[R_EVENTQ_PROD];
		m[R_PRIQ_CFG0] = m[R_EVENTQ_CFG0];
		m[R_PRIQ_CFG1] = m[R_EVENTQ_CFG1];
		m[R_PRIQ_CFG2] = m[R_EVENTQ_CFG2] | PRIQ_IRQ_CFG2_LO;
	}
	if (c->atos) {
		m[R_GATOS_CTRL] = ATOS_RUN;
		m[R_GATOS_SID] = sid | (u64)((1u << c->ssid) - 1) << 32 |
				 (u64)!!c->ssid << ATOS_SID_SSV;
		m[R_GATOS_ADDR] = ~0x3full;
	}
}

/* What the options decide, once. */
void smmu_regs_make(struct hw_smmuv3 *h)
{
	static_assert(ARRAY_SIZE(regs) < 255, "a row's number fits a byte");

	for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
		for (u32 at = regs[i].off; at < (u32)regs[i].off + regs[i].size; at += 4) {
			if (at < SMMU_REGS_END)
				h->reg_at[at / 4] = (u8)(i + 1);
		}
	}
	h->oa_bits = h->cap.oas;
	h->oa_mask = (1ull << h->oa_bits) - 1;
	identify(h);
	masks(h);
	memcpy(h->power_on, h->reg, sizeof(h->reg));
}

void smmu_regs_reset(struct hw_smmuv3 *h)
{
	memcpy(h->reg, h->power_on, sizeof(h->reg));
	smmu_commands_place(h);
	h->ack_late = false;
}

/* --- reads and writes --- */

u64 smmu_mmio_read(struct hw_iommu *base, u64 off, u32 size)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	const struct reg *r;

	if ((size != 4 && size != 8) || off >= SMMU_MMIO_SIZE || (off & (size - 1)))
		return 0;
	r = find(h, off);
	if (size == 8 && (!r || r->size == 4))
		return smmu_mmio_read(base, off, 4) | smmu_mmio_read(base, off + 4, 4) << 32;
	if (!r)
		return 0;
	if (size == 8)
		return h->reg[r->id];
	return off % 8 && r->size == 8 ? h->reg[r->id] >> 32 : (u32)h->reg[r->id];
}

static bool writable(const struct hw_smmuv3 *h, u8 guard)
{
	u64 either = h->reg[R_CR0] | h->reg[R_CR0ACK];
	u64 irq = h->reg[R_IRQ_CTRL] | h->reg[R_IRQ_CTRLACK];

	switch (guard) {
	case RO:
		return false;
	case IF_SMMUEN:
		return !(either & CR0_SMMUEN);
	case IF_CMDQEN:
		return !(either & CR0_CMDQEN);
	case IF_EVENTQEN:
		return !(either & CR0_EVENTQEN);
	case IF_PRIQEN:
		return !(either & CR0_PRIQEN);
	case IF_IRQ_GERROR:
		return !(irq & IRQ_GERROR);
	case IF_IRQ_EVENTQ:
		return !(irq & IRQ_EVENTQ);
	case IF_IRQ_PRIQ:
		return !(irq & IRQ_PRIQ);
	case IF_ATOS:
		return !(h->reg[R_GATOS_CTRL] & ATOS_RUN);
	default:
		return true;
	}
}

static void take_cr0(struct hw_smmuv3 *h)
{
	u64 was = h->reg[R_CR0ACK], is = h->reg[R_CR0];

	h->reg[R_CR0ACK] = is;
	/* What was stalled ends where translation ends. */
	if ((was & ~is) & CR0_SMMUEN) {
		smmu_stalls_end(h, true, 0);
		h->reg[R_GATOS_CTRL] = 0;
	}
	if ((was ^ is) & (CR0_SMMUEN | CR0_ATSCHK)) {
		smmu_contexts_void(h);
		smmu_front_drop(h);
	}
}

/* What software waits for after a write: done at once, or by work(). */
bool smmu_acknowledge(struct hw_smmuv3 *h)
{
	if (!h->ack_late)
		return false;
	h->ack_late = false;
	h->reg[R_IRQ_CTRLACK] = h->reg[R_IRQ_CTRL];
	h->reg[R_GBPA] &= ~(u64)GBPA_UPDATE;
	if (h->reg[R_CR0] != h->reg[R_CR0ACK])
		take_cr0(h);
	if (h->reg[R_GATOS_CTRL] & ATOS_RUN)
		smmu_atos_run(h);
	return true;
}

static void settle(struct hw_smmuv3 *h)
{
	h->ack_late = true;
	if (!h->cap.late)
		smmu_acknowledge(h);
}

static void write_cr1(struct hw_smmuv3 *h, u64 value)
{
	u64 either = h->reg[R_CR0] | h->reg[R_CR0ACK], may = 0;

	if (!(either & CR0_SMMUEN))
		may |= 0xfc0;
	if (!(either & (CR0_CMDQEN | CR0_EVENTQEN | CR0_PRIQEN)))
		may |= 0x03f;
	h->reg[R_CR1] = (h->reg[R_CR1] & ~may) | (value & may);
}

static void write_reg(struct hw_smmuv3 *h, const struct reg *r, u64 value)
{
	value &= h->mask[r->id];
	switch (r->id) {
	case R_CR0:
		/* Fields under way keep what they were first told. */
		if (h->reg[R_CR0] == h->reg[R_CR0ACK])
			h->reg[R_CR0] = value;
		settle(h);
		return;
	case R_CR1:
		write_cr1(h, value);
		return;
	case R_IRQ_CTRL:
		h->reg[R_IRQ_CTRL] = value;
		settle(h);
		return;
	case R_CMDQ_CONS:
		/* ERR is the SMMU's. */
		h->reg[R_CMDQ_CONS] = value;
		return;
	case R_GATOS_CTRL:
		h->reg[R_GATOS_CTRL] = value;
		if (value & ATOS_RUN)
			settle(h);
		return;
	case R_CMDQ_BASE:
		h->reg[R_CMDQ_BASE] = value;
		smmu_commands_place(h);
		return;
	case R_STRTAB_BASE:
	case R_STRTAB_BASE_CFG:
	case R_CR2:
		h->reg[r->id] = value;
		smmu_contexts_void(h);
		return;
	default:
		h->reg[r->id] = value;
	}
}

static void write_gbpa(struct hw_smmuv3 *h, u64 value)
{
	if (!(value & GBPA_UPDATE) || (h->reg[R_GBPA] & GBPA_UPDATE))
		return;
	h->reg[R_GBPA] = (value & h->mask[R_GBPA]) | GBPA_UPDATE;
	smmu_front_drop(h);
	settle(h);
}

static __attribute__((noinline)) void write_any(struct hw_iommu *base, u64 off, u32 size,
						u64 value)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;
	const struct reg *r;
	u64 old;

	if ((size != 4 && size != 8) || off >= SMMU_MMIO_SIZE || (off & (size - 1)))
		return;
	r = find(h, off);
	if (size == 8 && (!r || r->size == 4)) {
		write_any(base, off, 4, (u32)value);
		write_any(base, off + 4, 4, value >> 32);
		return;
	}
	if (!r || !writable(h, r->guard))
		return;
	if (r->id == R_GBPA) {
		write_gbpa(h, (u32)value);
		return;
	}
	old = h->reg[r->id];
	if (size == 4 && r->size == 8)
		value = off % 8 ? (old & 0xffffffff) | value << 32 :
				  (old & ~0xffffffffull) | (u32)value;
	write_reg(h, r, r->size == 4 ? (u32)value : value);
}

void smmu_mmio_write(struct hw_iommu *base, u64 off, u32 size, u64 value)
{
	struct hw_smmuv3 *h = (struct hw_smmuv3 *)base;

	/* A tail of 4 bytes: nothing guards it, and nothing follows. */
	if (off == SMMU_CMDQ_PROD && size == 4)
		h->reg[R_CMDQ_PROD] = value & h->mask[R_CMDQ_PROD];
	else
		write_any(base, off, size, value);
}
