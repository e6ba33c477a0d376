// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register file (11.4): a row says which bits software can write, which it
 * clears by writing 1, and what a write does. Registers of a capability that is
 * not there read as 0. Accesses of 4 bytes, or of 8 to registers and pairs.
 */
#include "hw/vtd/vtd_priv.h"

#define ALL 0xffffffffffffffffULL
#define EVENT(off, knob)                                                              \
	{off, 4, VTD_ECTL_IM, 0, knob, write_event}, {off + 4, 4, 0xffffffffULL, 0, knob, NULL}, \
	{off + 8, 4, 0xfffffffcULL, 0, knob, NULL}, {off + 12, 4, 0xffffffffULL, 0, knob, NULL}
#define IQT_WRITABLE 0x7fff0ULL
#define FSTS_CLEARS (VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)
#define NEEDS(knob) offsetof(struct vtd_knobs, knob)

struct row {
	u16 off;
	u8 bytes;
	u64 writable, clears;
	u16 needs;  /* offset in struct vtd_knobs; 0: always there */
	/* half: 1 low 4 bytes, 2 high, 3 both were written. value: what was written. */
	void (*written)(struct vtd *v, u32 half, u64 value);
};

static void write_event(struct vtd *v, u32 half, u64 value);
static void write_gcmd(struct vtd *v, u32 half, u64 value);
static void write_ccmd(struct vtd *v, u32 half, u64 value);
static void write_iotlb(struct vtd *v, u32 half, u64 value);
static void write_status(struct vtd *v, u32 half, u64 value);
static void write_ics(struct vtd *v, u32 half, u64 value);
static void write_prs(struct vtd *v, u32 half, u64 value);

static const struct row rows[] = {
	{VTD_VER, 4, 0, 0, 0, NULL},
	{VTD_CAP, 8, 0, 0, 0, NULL},
	{VTD_ECAP, 8, 0, 0, 0, NULL},
	{VTD_GCMD, 4, 0, 0, 0, write_gcmd},
	{VTD_GSTS, 4, 0, 0, 0, NULL},
	{VTD_RTADDR, 8, ~0x3ffULL, 0, 0, NULL},
	{VTD_CCMD, 8, ~(3ULL << VTD_CCMD_CAIG_SHIFT) & ~(0x1ffffffULL << 34), 0, 0, write_ccmd},
	{VTD_FSTS, 4, 0, FSTS_CLEARS, 0, write_status},
	EVENT(VTD_FECTL, 0),
	{VTD_IQH, 8, 0, 0, NEEDS(qi), NULL},
	{VTD_IQT, 8, IQT_WRITABLE, 0, NEEDS(qi), NULL},
	{VTD_IQA, 8, ~0x7f8ULL, 0, NEEDS(qi), NULL},
	{VTD_ICS, 4, 0, VTD_ICS_IWC, NEEDS(qi), write_ics},
	EVENT(VTD_IECTL, NEEDS(qi)),
	{VTD_IQERCD, 8, 0, 0, NEEDS(qi), NULL},
	{VTD_IRTA, 8, ~0x7f0ULL, 0, NEEDS(ir), NULL},
	{VTD_PQH, 8, 0x7ffe0, 0, NEEDS(prs), NULL},
	{VTD_PQT, 8, 0x7ffe0, 0, NEEDS(prs), NULL},
	{VTD_PQA, 8, ~0xff8ULL, 0, NEEDS(prs), NULL},
	{VTD_PRS, 4, 0, VTD_PRS_PPR | VTD_PRS_PRO, NEEDS(prs), write_prs},
	EVENT(VTD_PECTL, NEEDS(prs)),
	{VTD_IVA, 8, ~0xf80ULL, 0, 0, NULL},
	{VTD_IOTLB, 8, ~(7ULL << VTD_IOTLB_IAIG_SHIFT) & ~0xffffffffULL, 0, 0, write_iotlb},
};

/* --- events (5.1.6, 7.3) --- */

static void send_event(struct vtd *v, u32 ctl)
{
	struct hw_env *e = v->h.env;

	if (e->msi)
		e->msi(e, vtd_get(v, ctl + 8) | (u64)vtd_get(v, ctl + 12) << 32,
		       vtd_get(v, ctl + 4));
}

void vtd_event(struct vtd *v, u32 ctl)
{
	if (vtd_get(v, ctl) & VTD_ECTL_IM)
		vtd_set(v, ctl, vtd_get(v, ctl) | (u32)VTD_ECTL_IP);
	else
		send_event(v, ctl);
}

void vtd_event_clear(struct vtd *v, u32 ctl)
{
	vtd_set(v, ctl, vtd_get(v, ctl) & ~(u32)VTD_ECTL_IP);
}

static void write_event(struct vtd *v, u32 half, u64 value)
{
	static const u32 ctls[] = {VTD_FECTL, VTD_IECTL, VTD_PECTL};

	(void)half;
	(void)value;
	for (u32 i = 0; i < ARRAY_SIZE(ctls); i++) {
		if ((vtd_get(v, ctls[i]) & (VTD_ECTL_IM | VTD_ECTL_IP)) != VTD_ECTL_IP)
			continue;
		vtd_event_clear(v, ctls[i]);
		send_event(v, ctls[i]);
	}
}

static void write_status(struct vtd *v, u32 half, u64 value)
{
	(void)half;
	(void)value;
	vtd_status_written(v);
}

static void write_ics(struct vtd *v, u32 half, u64 value)
{
	(void)half;
	(void)value;
	if (!(vtd_get(v, VTD_ICS) & VTD_ICS_IWC))
		vtd_event_clear(v, VTD_IECTL);
}

static void write_prs(struct vtd *v, u32 half, u64 value)
{
	(void)half;
	(void)value;
	vtd_prq_status_written(v);
}

/* --- global commands (11.4.4) --- */

static void set_root(struct vtd *v)
{
	u64 root = vtd_get64(v, VTD_RTADDR);

	v->root = root & v->addr_mask;
	v->ttm = (u8)vtd_bits(root, VTD_RTADDR_TTM_SHIFT, 2);
	vtd_front_void(v);
	if (!v->k.esrtps)
		return;
	vtd_drop_context(v, 1, 0, 0, 0);
	vtd_drop_pasid(v, 3, 0, 0);
	vtd_drop_iotlb(v, 1, 0, 0, 0, false);
}

static void set_irta(struct vtd *v)
{
	u64 irta = vtd_get64(v, VTD_IRTA);

	v->ir_table = irta & v->addr_mask;
	v->ir_size = 2u << (irta & VTD_IRTA_S);
	v->eime = v->k.eim && (irta & VTD_IRTA_EIME);
	if (v->k.esirtps)
		vtd_drop_iec(v, true, 0, 0);
}

/* Switches that follow the written value. */
static u32 switches(const struct vtd *v)
{
	u32 bits = (u32)VTD_G_TE;

	bits |= v->k.qi ? (u32)VTD_G_QIE : 0;
	bits |= v->k.ir ? (u32)(VTD_G_IRE | VTD_G_CFI) : 0;
	return bits;
}

static void do_gcmd(struct vtd *v, u32 value)
{
	u32 old = vtd_get(v, VTD_GSTS), status = (old & ~switches(v)) | (value & switches(v));

	if (value & VTD_G_SRTP) {
		set_root(v);
		status |= (u32)VTD_G_SRTP;
	}
	if ((value & VTD_G_SIRTP) && v->k.ir) {
		set_irta(v);
		status |= (u32)VTD_G_SIRTP;
	}
	if ((old ^ status) & VTD_G_QIE)
		vtd_inv_enable(v, status & VTD_G_QIE);
	if ((old ^ status) & VTD_G_TE)
		vtd_front_void(v);
	v->te = status & VTD_G_TE;
	vtd_set(v, VTD_GSTS, status);
}

static void write_gcmd(struct vtd *v, u32 half, u64 value)
{
	u32 changed = ((u32)value ^ vtd_get(v, VTD_GSTS)) & switches(v);

	(void)half;
	changed |= (u32)value & (u32)(VTD_G_SRTP | VTD_G_SIRTP | VTD_G_WBF);
	if (changed & (changed - 1))
		vtd_protocol(v, "GCMD: more than one command at once", value, vtd_get(v, VTD_GSTS));
	if (v->k.late) {
		if (v->late_done)
			vtd_protocol(v, "GCMD: the last command is not done yet", value,
				     vtd_get(v, VTD_GSTS));
		v->late_gcmd = (u32)value;
		v->late_done = 1;
		return;
	}
	do_gcmd(v, (u32)value);
}

static void write_ccmd(struct vtd *v, u32 half, u64 value)
{
	(void)value;
	if (!(half & 2) || !(vtd_get64(v, VTD_CCMD) & VTD_CCMD_ICC))
		return;
	if (v->k.late)
		v->late_ccmd = true;
	else
		vtd_ccmd(v);
}

static void write_iotlb(struct vtd *v, u32 half, u64 value)
{
	(void)value;
	if (!(half & 2) || !(vtd_get64(v, VTD_IOTLB) & VTD_IOTLB_IVT))
		return;
	if (v->k.late)
		v->late_iotlb = true;
	else
		vtd_iotlb_command(v);
}

bool vtd_late_work(struct vtd *v)
{
	if (v->late_done) {
		v->late_done = 0;
		do_gcmd(v, v->late_gcmd);
		return true;
	}
	if (v->late_ccmd && vtd_drained(v, v->stamp)) {
		v->late_ccmd = false;
		vtd_ccmd(v);
		return true;
	}
	if (v->late_iotlb && vtd_drained(v, v->stamp)) {
		v->late_iotlb = false;
		vtd_iotlb_command(v);
		return true;
	}
	return false;
}

bool vtd_late_pending(const struct vtd *v)
{
	return v->late_done || ((v->late_ccmd || v->late_iotlb) && vtd_drained(v, v->stamp));
}

/* --- accesses --- */

static const struct row *row_of(const struct vtd *v, u32 off)
{
	u32 i = off < VTD_ROWS_END ? v->row_at[off / 4] : 0;

	return i ? &rows[i - 1] : NULL;
}

/* Which row each word belongs to, and what the registers hold at power-on. */
void vtd_regs_make(struct vtd *v)
{
	static_assert(ARRAY_SIZE(rows) < 255, "a row's number fits a byte");

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		u32 value;

		sim_assert(row->off + row->bytes <= VTD_ROWS_END);
		memcpy(&value, (const char *)&v->k + row->needs, sizeof(value));
		if (row->needs && !value)
			continue;
		for (u32 at = row->off; at < (u32)row->off + row->bytes; at += 4)
			v->row_at[at / 4] = (u8)(i + 1);
	}
	/* Version 6.0 has all that the model has. */
	vtd_set(v, VTD_VER, 0x60);
	vtd_set64(v, VTD_CAP, vtd_cap(&v->k));
	vtd_set64(v, VTD_ECAP, vtd_ecap(&v->k));
	vtd_set(v, VTD_FECTL, (u32)VTD_ECTL_IM);
	vtd_set(v, VTD_IECTL, v->k.qi ? (u32)VTD_ECTL_IM : 0);
	vtd_set(v, VTD_PECTL, v->k.prs ? (u32)VTD_ECTL_IM : 0);
	memcpy(v->power_on, v->r, sizeof(v->power_on));
}

/* Nothing else is ever written. */
void vtd_regs_reset(struct vtd *v)
{
	memcpy(v->r, v->power_on, sizeof(v->power_on));
	memset(&v->r[VTD_FRCD / 4], 0, 16 * v->k.nfr);
}

static bool is_record(const struct vtd *v, u32 off)
{
	return off >= VTD_FRCD && off < VTD_FRCD + 16 * v->k.nfr;
}

static bool good_access(u64 off, u32 size)
{
	return (size == 4 || size == 8) && off <= VTD_MMIO_SIZE - size && !(off & (size - 1));
}

u64 vtd_mmio_read(struct hw_iommu *h, u64 off, u32 size)
{
	struct vtd *v = container_of(h, struct vtd, h);
	u64 value = 0;

	if (!good_access(off, size))
		return 0;
	for (u32 i = 0; i < size / 4; i++) {
		u32 at = (u32)off + 4 * i;

		if (row_of(v, at) || is_record(v, at))
			value |= (u64)vtd_get(v, at) << (32 * i);
	}
	return value;
}

/* Bits of one 4-byte half; what follows of it is for the row's function. */
static void store(struct vtd *v, const struct row *row, u32 off, u32 value)
{
	u32 high = (off - row->off) * 8, old = vtd_get(v, off);
	u32 writable = (u32)(row->writable >> high), clears = (u32)(row->clears >> high);

	old = (old & ~writable) | (value & writable);
	vtd_set(v, off, old & ~(value & clears));
}

static void write_half(struct vtd *v, u32 off, u32 value)
{
	const struct row *row = row_of(v, off);

	if (is_record(v, off))
		vtd_record_write(v, off, value);
	if (!row)
		return;
	store(v, row, off, value);
	if (row->written)
		row->written(v, off == row->off ? 1 : 2, value);
}

void vtd_mmio_write(struct hw_iommu *h, u64 off, u32 size, u64 value)
{
	struct vtd *v = container_of(h, struct vtd, h);
	const struct row *row;

	/* The queue's tail: nothing follows of it but that there is work. */
	if (off == VTD_IQT && size == 8 && v->k.qi) {
		vtd_set64(v, VTD_IQT, value & IQT_WRITABLE);
		return;
	}
	if (!good_access(off, size)) {
		vtd_protocol(v, "MMIO: not 4 or 8 aligned bytes of the register page", off, size);
		return;
	}
	row = row_of(v, (u32)off);
	if (size == 8 && row && row->bytes == 8 && row->off == off) {
		u64 old = (vtd_get64(v, (u32)off) & ~row->writable) | (value & row->writable);

		vtd_set64(v, (u32)off, old & ~(value & row->clears));
		if (row->written)
			row->written(v, 3, value);
		return;
	}
	write_half(v, (u32)off, (u32)value);
	if (size == 8)
		write_half(v, (u32)off + 4, (u32)(value >> 32));
}
