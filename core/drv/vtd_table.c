// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's root, context and PASID tables (specification, 9.1 to 9.6).
 *
 * A present entry is changed by making it not present, invalidating what was
 * made of it, and only then writing the new one: the word with P last.
 */
#include "core/drv/vtd_priv.h"

#define CONTEXTS_SCALABLE 128u /* per half of a bus; 32 bytes each */
#define ENTRY_ADDR (~(VTD_PAGE - 1))

int vtd_tables_create(struct vtd_iommu *iommu)
{
	iommu->root = frame_alloc(this_world(), 0, FRAME_ZERO);
	return iommu->root ? 0 : -ENOMEM;
}

/* The root entry's word for this id: scalable mode has one for each half of a bus. */
static u64 *root_word(struct vtd_iommu *iommu, u32 sid)
{
	u32 bus = sid >> 8 & 0xff;
	u32 half = iommu->scalable && (sid & 0xff) >= CONTEXTS_SCALABLE;

	return vtd_word(iommu->root, bus * 2 + half);
}

void vtd_tables_destroy(struct vtd_iommu *iommu)
{
	for (u32 i = 0; i < 512; i++) {
		u64 e = READ_ONCE(*vtd_word(iommu->root, i));

		if (e & VTD_P)
			frame_free(this_world(), e & ENTRY_ADDR, 0);
	}
	frame_free(this_world(), iommu->root, 0);
	iommu->root = 0;
}

/* The id's context entry: word 0. Its table is there. */
static u64 *context_of(struct vtd_iommu *iommu, u32 sid)
{
	u64 table = READ_ONCE(*root_word(iommu, sid)) & ENTRY_ADDR;

	if (iommu->scalable)
		return vtd_word(table, sid % CONTEXTS_SCALABLE * 4);
	return vtd_word(table, (sid & 0xff) * 2);
}

/* Nobody attaches yet: two devices that make a table at once are told apart by the lock. */
static int context_table_create(struct vtd_iommu *iommu, u32 sid)
{
	u64 table = frame_alloc(this_world(), 0, FRAME_ZERO);
	bool used = false;

	if (!table)
		return -ENOMEM;
	spin_lock(&iommu->lock);
	if (!(READ_ONCE(*root_word(iommu, sid)) & VTD_P)) {
		WRITE_ONCE(*root_word(iommu, sid), table | VTD_P);
		used = true;
	}
	spin_unlock(&iommu->lock);
	if (!used)
		frame_free(this_world(), table, 0);
	return 0;
}

/* Scalable mode: a directory of one table, which holds the one PASID that we use. */
static int pasid_table_create(struct vtd_device *d)
{
	d->pasid_dir = frame_alloc(this_world(), 0, FRAME_ZERO);
	d->pasid_table = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (!d->pasid_dir || !d->pasid_table)
		return -ENOMEM;
	WRITE_ONCE(*vtd_word(d->pasid_dir, 0), d->pasid_table | VTD_P);
	return 0;
}

static void scalable_context_set(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;

	for (u32 i = 0; i < d->n_sid; i++) {
		u64 *e = context_of(iommu, d->sid[i]);

		WRITE_ONCE(e[1], VTD_NO_PASID);
		WRITE_ONCE(e[0], d->pasid_dir | (d->ats ? VTD_SCTX_DTE : 0) | VTD_P);
		if (iommu->cap & VTD_CAP_CM)
			vtd_flush_context(iommu, 0, d->sid[i]);
	}
}

static void scalable_context_clear(struct vtd_device *d)
{
	for (u32 i = 0; i < d->n_sid; i++) {
		u64 *e = context_of(d->iommu, d->sid[i]);

		WRITE_ONCE(e[0], 0);
		WRITE_ONCE(e[1], 0);
		vtd_flush_context(d->iommu, 0, d->sid[i]);
	}
}

int vtd_tables_prepare(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;
	int ret = 0;

	for (u32 i = 0; i < d->n_sid && !ret; i++)
		ret = context_table_create(iommu, d->sid[i]);
	if (ret || !iommu->scalable)
		return ret;
	ret = pasid_table_create(d);
	if (ret) {
		vtd_tables_release(d);
		return ret;
	}
	spin_lock(&iommu->lock);
	scalable_context_set(d);
	spin_unlock(&iommu->lock);
	return 0;
}

void vtd_tables_release(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;

	if (iommu->scalable && d->pasid_dir && d->pasid_table) {
		spin_lock(&iommu->lock);
		scalable_context_clear(d);
		spin_unlock(&iommu->lock);
	}
	if (d->pasid_dir)
		frame_free(this_world(), d->pasid_dir, 0);
	if (d->pasid_table)
		frame_free(this_world(), d->pasid_table, 0);
	d->pasid_dir = d->pasid_table = 0;
}

/* --- legacy mode: the context entry is the attachment --- */

static void legacy_set(struct vtd_device *d, u32 sid, struct vtd_domain *vd)
{
	struct vtd_iommu *iommu = d->iommu;
	u64 *e = context_of(iommu, sid), lo = VTD_P;
	/* Address widths are told by levels - 2, also where nothing is walked (9.3). */
	u64 hi = (u64)vd->did << VTD_CTX_DID_SHIFT | (iommu->levels - 2);

	if (vd == &iommu->identity)
		lo |= VTD_TT_PASS << VTD_CTX_TT_SHIFT;
	else if (d->ats)
		lo |= vd->pt.root | VTD_TT_DEVICE << VTD_CTX_TT_SHIFT;
	else
		lo |= vd->pt.root | VTD_TT_UNTRANSLATED << VTD_CTX_TT_SHIFT;
	WRITE_ONCE(e[1], hi);
	WRITE_ONCE(e[0], lo);
	if (iommu->cap & VTD_CAP_CM) {
		vtd_flush_context(iommu, 0, sid);
		vtd_flush_iotlb_domain(iommu, vd->did);
	}
}

static void legacy_clear(struct vtd_device *d, u32 sid)
{
	u64 *e = context_of(d->iommu, sid);
	u32 did = (u32)(READ_ONCE(e[1]) >> VTD_CTX_DID_SHIFT) & 0xffff;

	if (!(READ_ONCE(e[0]) & VTD_P))
		return;
	WRITE_ONCE(e[0], 0);
	WRITE_ONCE(e[1], 0);
	vtd_flush_context(d->iommu, did, sid);
	vtd_flush_iotlb_domain(d->iommu, did);
	if (d->ats)
		vtd_flush_dev_iotlb(d->iommu, sid, 0, ~0ULL);
}

/* --- scalable mode: the PASID table entry is --- */

static void pasid_set(struct vtd_device *d, struct vtd_domain *vd)
{
	struct vtd_iommu *iommu = d->iommu;
	u64 *e = vtd_word(d->pasid_table, VTD_NO_PASID * 8);
	u64 lo = VTD_P;

	if (vd == &iommu->identity)
		lo |= VTD_PGTT_PASS << VTD_PE0_PGTT_SHIFT;
	else
		lo |= vd->pt.root | VTD_PGTT_SS << VTD_PE0_PGTT_SHIFT;
	lo |= (u64)(iommu->levels - 2) << VTD_PE0_AW_SHIFT;
	WRITE_ONCE(e[1], vd->did | (iommu->ecap & VTD_ECAP_SMPWCS ? VTD_PE1_PWSNP : 0));
	WRITE_ONCE(e[0], lo);
	if (iommu->cap & VTD_CAP_CM) {
		vtd_flush_pasid(iommu, vd->did, VTD_NO_PASID);
		vtd_flush_iotlb_domain(iommu, vd->did);
	}
}

static void pasid_clear(struct vtd_device *d)
{
	u64 *e = vtd_word(d->pasid_table, VTD_NO_PASID * 8);
	u32 did = (u32)(READ_ONCE(e[1]) & VTD_PE1_DID);

	if (!(READ_ONCE(e[0]) & VTD_P))
		return;
	WRITE_ONCE(e[0], 0);
	WRITE_ONCE(e[1], 0);
	vtd_flush_pasid(d->iommu, did, VTD_NO_PASID);
	vtd_flush_iotlb_domain(d->iommu, did);
	for (u32 i = 0; d->ats && i < d->n_sid; i++)
		vtd_flush_dev_iotlb(d->iommu, d->sid[i], 0, ~0ULL);
}

void vtd_device_set(struct vtd_device *d, struct vtd_domain *vd)
{
	struct vtd_iommu *iommu = d->iommu;
	bool present = vd && vd != &iommu->blocked;

	if (iommu->scalable) {
		pasid_clear(d);
		if (present)
			pasid_set(d, vd);
		return;
	}
	for (u32 i = 0; i < d->n_sid; i++) {
		legacy_clear(d, d->sid[i]);
		if (present)
			legacy_set(d, d->sid[i], vd);
	}
}
