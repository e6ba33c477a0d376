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

/* The other device behind this id, if it is in a domain. */
static struct vtd_device *alias_of(const struct vtd_device *d, u32 sid, bool in_domain)
{
	struct vtd_device *o;

	list_for_each_entry(o, &d->iommu->devices, node)
		for (u32 i = 0; o != d && i < o->n_sid; i++)
			if (o->sid[i] == sid && (o->domain || !in_domain))
				return o;
	return NULL;
}

/* A directory of one table, which holds the one PASID that we use. */
static struct vtd_pasids *pasids_create(void)
{
	struct vtd_pasids *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	p->dir = frame_alloc(this_world(), 0, FRAME_ZERO);
	p->table = frame_alloc(this_world(), 0, FRAME_ZERO);
	if (p->dir && p->table) {
		WRITE_ONCE(*vtd_word(p->dir, 0), p->table | VTD_P);
		return p;
	}
	if (p->dir)
		frame_free(this_world(), p->dir, 0);
	if (p->table)
		frame_free(this_world(), p->table, 0);
	kfree(p);
	return NULL;
}

static void pasids_free(struct vtd_pasids *p)
{
	frame_free(this_world(), p->dir, 0);
	frame_free(this_world(), p->table, 0);
	kfree(p);
}

static void scalable_context_set(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;

	u64 how = VTD_P | (d->ats ? VTD_SCTX_DTE : 0) | (d->pasid ? VTD_SCTX_PASIDE : 0) |
		  (d->pri ? VTD_SCTX_PRE : 0);

	for (u32 i = 0; i < d->n_sid; i++) {
		u64 *e = context_of(iommu, d->sid[i]);

		WRITE_ONCE(e[1], VTD_NO_PASID);
		WRITE_ONCE(e[0], d->pasids->dir | how);
		if (iommu->cap & VTD_CAP_CM)
			vtd_flush_context(iommu, 0, d->sid[i]);
	}
}

static void scalable_context_clear(struct vtd_device *d)
{
	for (u32 i = 0; i < d->n_sid; i++) {
		u64 *e = context_of(d->iommu, d->sid[i]);

		WRITE_ONCE(e[0], 0);
		vtd_flush_context(d->iommu, 0, d->sid[i]);
		WRITE_ONCE(e[1], 0);
	}
}

/* The table is that of whoever is behind the same id. fresh: one that may be used; what is left. */
static struct vtd_pasids *pasids_join(struct vtd_device *d, struct vtd_pasids *fresh)
{
	struct vtd_device *other = d->n_sid ? alias_of(d, d->sid[0], false) : NULL;

	if (other) {
		d->pasids = other->pasids;
		d->pasids->users++;
		return fresh;
	}
	d->pasids = fresh;
	d->pasids->users = 1;
	scalable_context_set(d);
	return NULL;
}

int vtd_tables_prepare(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;
	struct vtd_pasids *fresh = NULL;
	int ret = 0;

	for (u32 i = 0; i < d->n_sid && !ret; i++)
		ret = context_table_create(iommu, d->sid[i]);
	if (ret)
		return ret;
	if (iommu->scalable) {
		fresh = pasids_create();
		if (!fresh)
			return -ENOMEM;
	}
	spin_lock(&iommu->lock);
	if (fresh)
		fresh = pasids_join(d, fresh);
	list_add_tail(&d->node, &iommu->devices);
	spin_unlock(&iommu->lock);
	if (fresh)
		pasids_free(fresh);
	return 0;
}

/* iommu->lock held. NULL: the table stays, or there is none. */
static struct vtd_pasids *pasids_leave(struct vtd_device *d)
{
	struct vtd_pasids *p = d->pasids;

	if (!p)
		return NULL;
	d->pasids = NULL;
	p->users--;
	if (bug_on(BUG_VTD_ALIAS_SHARED_PASID_TABLE)) {
		/* The id's context entry goes with the first device. */
		scalable_context_clear(d);
	} else {
		if (!p->users)
			scalable_context_clear(d);
	}
	return p->users ? NULL : p;
}

void vtd_tables_release(struct vtd_device *d)
{
	struct vtd_iommu *iommu = d->iommu;
	struct vtd_pasids *p;

	spin_lock(&iommu->lock);
	p = pasids_leave(d);
	list_del(&d->node);
	spin_unlock(&iommu->lock);
	if (p)
		pasids_free(p);
}

/* --- legacy mode: the context entry is the attachment --- */

static void legacy_words(struct vtd_device *d, struct vtd_domain *vd, u64 e[2])
{
	struct vtd_iommu *iommu = d->iommu;

	/* Address widths are told by levels - 2, also where nothing is walked (9.3). */
	e[1] = (u64)vd->did << VTD_CTX_DID_SHIFT | (iommu->levels - 2);
	if (vd == &iommu->identity)
		e[0] = VTD_P | VTD_TT_PASS << VTD_CTX_TT_SHIFT;
	else if (d->ats)
		e[0] = VTD_P | vd->pt.root | VTD_TT_DEVICE << VTD_CTX_TT_SHIFT;
	else
		e[0] = VTD_P | vd->pt.root | VTD_TT_UNTRANSLATED << VTD_CTX_TT_SHIFT;
}

static void legacy_set(struct vtd_device *d, u32 sid, struct vtd_domain *vd)
{
	u64 *e = context_of(d->iommu, sid), word[2];

	legacy_words(d, vd, word);
	WRITE_ONCE(e[1], word[1]);
	WRITE_ONCE(e[0], word[0]);
	if (d->iommu->cap & VTD_CAP_CM) {
		vtd_flush_context(d->iommu, 0, sid);
		vtd_flush_iotlb_domain(d->iommu, vd->did);
	}
}

static void legacy_clear(struct vtd_device *d, u32 sid)
{
	u64 *e = context_of(d->iommu, sid);
	u32 did = (u32)(READ_ONCE(e[1]) >> VTD_CTX_DID_SHIFT) & 0xffff;

	if (!(READ_ONCE(e[0]) & VTD_P))
		return;
	WRITE_ONCE(e[0], 0);
	if (bug_on(BUG_VTD_CONTEXT_CLEAR_TORN)) {
		/* All of it goes at once, or so it looks from here. */
		WRITE_ONCE(e[1], 0);
		vtd_flush_entry(d->iommu, did, sid);
	} else {
		/* The other half stays until hardware has forgotten the first. */
		vtd_flush_entry(d->iommu, did, sid);
		WRITE_ONCE(e[1], 0);
	}
	if (d->ats_on)
		vtd_flush_dev_iotlb(d->iommu, sid, 0, ~0ULL);
}

/* --- scalable mode: the PASID table entry is --- */

static u64 *pasid_entry(struct vtd_device *d)
{
	return vtd_word(d->pasids->table, VTD_NO_PASID * 8);
}

/* User space's first stage: 48 bits wide, or 57. */
static u64 nested_word(const struct iommu_hwpt_vtd_s1 *s1)
{
	u64 w = s1->pgtbl_addr & ENTRY_ADDR;

	w |= s1->addr_width == 57 ? 1ULL << VTD_PE2_FSPM_SHIFT : 0;
	w |= s1->flags & IOMMU_VTD_S1_EAFE ? VTD_PE2_EAFE : 0;
	if (s1->flags & IOMMU_VTD_S1_SRE)
		w |= VTD_PE2_SRE | (s1->flags & IOMMU_VTD_S1_WPE ? VTD_PE2_WPE : 0);
	return w;
}

/* Words 0 to 2; the others are 0. Of a process's first stage only user requests: SRE stays 0. */
static void pasid_words(struct vtd_device *d, struct vtd_domain *vd, u64 e[3])
{
	struct vtd_iommu *iommu = d->iommu;
	u64 aw = (u64)(iommu->levels - 2) << VTD_PE0_AW_SHIFT;

	e[0] = VTD_P | (vd->tracks ? VTD_PE0_SSADE : 0);
	e[1] = vd->did | (iommu->ecap & VTD_ECAP_SMPWCS ? VTD_PE1_PWSNP : 0);
	e[2] = 0;
	if (vd == &iommu->identity) {
		e[0] |= aw | VTD_PGTT_PASS << VTD_PE0_PGTT_SHIFT;
	} else if (vd->s2) {
		e[0] |= aw | vd->s2->pt.root | (u64)VTD_PGTT_NESTED << VTD_PE0_PGTT_SHIFT;
		e[0] |= vd->s2->tracks ? VTD_PE0_SSADE : 0;
		e[2] = nested_word(&vd->s1);
	} else if (vd->first_stage) {
		/* FSPM: 0 is four levels. */
		e[0] |= VTD_PGTT_FS << VTD_PE0_PGTT_SHIFT;
		e[2] = vd->pt.root;
	} else {
		e[0] |= aw | vd->pt.root | VTD_PGTT_SS << VTD_PE0_PGTT_SHIFT;
	}
}

/* The word with P last. */
static void write_pasid(u64 *e, const u64 word[3])
{
	if (READ_ONCE(e[2]) != word[2])
		WRITE_ONCE(e[2], word[2]);
	WRITE_ONCE(e[1], word[1]);
	WRITE_ONCE(e[0], word[0]);
}

static void pasid_set(struct vtd_device *d, struct vtd_domain *vd)
{
	struct vtd_iommu *iommu = d->iommu;
	u64 *e = pasid_entry(d), word[3];

	pasid_words(d, vd, word);
	write_pasid(e, word);
	if (iommu->cap & VTD_CAP_CM) {
		/* What was not present was kept as domain 0's. */
		vtd_flush_pasid(iommu, 0, VTD_NO_PASID);
		vtd_flush_iotlb_domain(iommu, vd->did);
	}
}

static void pasid_forget(struct vtd_device *d, u32 did)
{
	vtd_flush_entry(d->iommu, did, d->sid[0]);
	for (u32 i = 0; d->ats_on && i < d->n_sid; i++)
		vtd_flush_dev_iotlb(d->iommu, d->sid[i], 0, ~0ULL);
}

static void pasid_clear(struct vtd_device *d)
{
	u64 *e = pasid_entry(d);
	u32 did = (u32)(READ_ONCE(e[1]) & VTD_PE1_DID);

	if (!(READ_ONCE(e[0]) & VTD_P))
		return;
	WRITE_ONCE(e[0], 0);
	if (bug_on(BUG_VTD_PASID_CLEAR_TORN)) {
		/* As memset() would: whoever has read the first word reads zeros behind it. */
		WRITE_ONCE(e[1], 0);
		pasid_forget(d, did);
	} else {
		pasid_forget(d, did);
		WRITE_ONCE(e[1], 0);
	}
	if (READ_ONCE(e[2]))
		WRITE_ONCE(e[2], 0);
}

/* Historic: a present entry is overwritten where it stands, and then invalidated. */
static void pasid_replace(struct vtd_device *d, struct vtd_domain *vd)
{
	u64 *e = pasid_entry(d), word[3];
	u32 did = (u32)(READ_ONCE(e[1]) & VTD_PE1_DID);

	if (!(READ_ONCE(e[0]) & VTD_P))
		return;
	pasid_words(d, vd, word);
	WRITE_ONCE(e[0], word[0]);
	WRITE_ONCE(e[1], word[1]);
	pasid_forget(d, did);
}

/* --- other PASIDs: an entry each --- */

void vtd_pasid_set(struct vtd_device *d, u32 pasid, struct vtd_domain *vd)
{
	struct vtd_iommu *iommu = d->iommu;
	u64 *e = vtd_word(d->pasids->table, pasid * 8), word[3];

	pasid_words(d, vd, word);
	write_pasid(e, word);
	if (iommu->cap & VTD_CAP_CM) {
		vtd_flush_pasid(iommu, 0, pasid);
		vtd_flush_iotlb_domain(iommu, vd->did);
	}
}

/* The entry was `was`. */
static void other_pasid_forget(const struct vtd_pasid_tag *t, u32 did, u64 was)
{
	const struct vtd_device *d = t->d;

	vtd_flush_pasid(d->iommu, did, t->pasid);
	if ((was >> VTD_PE0_PGTT_SHIFT & 7) == VTD_PGTT_FS)
		vtd_flush_piotlb(d->iommu, t, did, 0, ~0ULL, false);
	else
		vtd_flush_iotlb_domain(d->iommu, did);
	if (d->ats_on)
		vtd_flush_pasid_dev_iotlb(t, 0, ~0ULL);
}

void vtd_pasid_track(struct vtd_device *d, u32 pasid, bool on)
{
	u64 *e = vtd_word(d->pasids->table, pasid * 8), now = READ_ONCE(e[0]);
	u32 did = (u32)(READ_ONCE(e[1]) & VTD_PE1_DID);

	if (!(now & VTD_P))
		return;
	/* One word, which hardware only reads: it has the old one or the new one. */
	WRITE_ONCE(e[0], on ? now | VTD_PE0_SSADE : now & ~VTD_PE0_SSADE);
	if (pasid == VTD_NO_PASID)
		pasid_forget(d, did);
	else
		other_pasid_forget(&(struct vtd_pasid_tag){.d = d, .pasid = pasid}, did, now);
}

void vtd_pasid_clear(struct vtd_device *d, u32 pasid)
{
	u64 *e = vtd_word(d->pasids->table, pasid * 8);
	u32 did = (u32)(READ_ONCE(e[1]) & VTD_PE1_DID);
	u64 was = READ_ONCE(e[0]);

	if (!(was & VTD_P))
		return;
	WRITE_ONCE(e[0], 0);
	other_pasid_forget(&(struct vtd_pasid_tag){.d = d, .pasid = pasid}, did, was);
	WRITE_ONCE(e[1], 0);
	WRITE_ONCE(e[2], 0);
}

/* The entry is about to be set to vd: nobody must read it. */
static void pasid_vacate(struct vtd_device *d, struct vtd_domain *vd)
{
	if (vd && bug_on(BUG_VTD_PASID_OVERWRITE_PRESENT)) {
		/* Who sets it up does not look at what is there. */
	} else if (vd && bug_on(BUG_VTD_PASID_REPLACE_TORN)) {
		pasid_replace(d, vd);
	} else {
		pasid_clear(d);
	}
}

/* --- what is common --- */

/* What the entry must hold to lead to vd: then somebody behind the same id is there already. */
static bool leads_to(struct vtd_device *d, u32 sid, struct vtd_domain *vd)
{
	u64 word[3] = {0}, *e = d->iommu->scalable ? pasid_entry(d) : context_of(d->iommu, sid);

	if (!vd || vd == &d->iommu->blocked)
		return false;
	if (d->iommu->scalable)
		pasid_words(d, vd, word);
	else
		legacy_words(d, vd, word);
	if (bug_on(BUG_VTD_ALIAS_CONTEXT_ORDER)) {
		/* Cleared and set again, whoever uses it meanwhile. */
		return false;
	} else {
		return READ_ONCE(e[0]) == word[0] && READ_ONCE(e[1]) == word[1] &&
		       (!word[2] || READ_ONCE(e[2]) == word[2]);
	}
}

/* A device that leaves does not take the entry away from the others behind its id. */
static bool still_used(struct vtd_device *d, u32 sid)
{
	if (bug_on(BUG_VTD_REAL_DMA_ALIAS)) {
		return false;
	} else {
		return alias_of(d, sid, true);
	}
}

void vtd_device_clear(struct vtd_device *d, struct vtd_domain *vd)
{
	struct vtd_domain *next = vd == &d->iommu->blocked ? NULL : vd;
	u32 n = d->iommu->scalable ? min(d->n_sid, 1u) : d->n_sid;

	for (u32 i = 0; i < n; i++) {
		if (leads_to(d, d->sid[i], vd) || (!vd && still_used(d, d->sid[i])))
			continue;
		if (d->iommu->scalable)
			pasid_vacate(d, next);
		else
			legacy_clear(d, d->sid[i]);
	}
}

void vtd_device_set(struct vtd_device *d, struct vtd_domain *vd)
{
	u32 n = d->iommu->scalable ? min(d->n_sid, 1u) : d->n_sid;

	for (u32 i = 0; vd != &d->iommu->blocked && i < n; i++) {
		if (leads_to(d, d->sid[i], vd))
			continue;
		if (d->iommu->scalable)
			pasid_set(d, vd);
		else
			legacy_set(d, d->sid[i], vd);
	}
}
