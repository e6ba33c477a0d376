// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUv3's stream table and context descriptors (Arm IHI 0070, 5.2, 5.4).
 *
 * Hardware fetches an entry in pieces of 8 bytes at any time, so an entry goes
 * from one meaning to another in steps, each of which is an entry with one of
 * the two: words that nobody looks at first, then the one word that decides,
 * then what nobody looks at any more. Where two words would have to change
 * at once the entry is made invalid meanwhile.
 */
#include "core/drv/smmu_priv.h"

#define WORDS 8u
#define FIELDS(hi, lo) (((1ULL << ((hi) - (lo)) << 1) - 1) << (lo))
#define STE_V 1ULL
#define STRW_EL1 0ULL
#define STRTAB_ADDR FIELDS(51, 6)
#define L2_ORDER 2 /* 256 entries of 64 bytes */

/* --- changing an entry under hardware's eyes --- */

struct entry {
	u64 pa;
	/* Which bits hardware looks at in an entry of this content. */
	void (*used)(const u64 w[WORDS], u64 used[WORDS]);
	/* Hardware forgets what it has fetched of it for these streams. */
	void (*sync)(struct smmu_iommu *iommu, u32 sid, u32 ssid);
	struct smmu_iommu *iommu;
	const u32 *sid;
	u32 n_sid, ssid;
};

static void ste_used(const u64 w[WORDS], u64 used[WORDS])
{
	u64 config = w[0] >> STE0_CONFIG & 7;

	for (u32 i = 0; i < WORDS; i++)
		used[i] = 0;
	used[0] = STE_V;
	if (!(w[0] & STE_V))
		return;
	used[0] |= 7ULL << STE0_CONFIG;
	if (config == SMMU_CFG_BYPASS)
		used[1] |= FIELDS(46, 32) | FIELDS(51, 48);
	if (config == SMMU_CFG_S1 || config == SMMU_CFG_NESTED) {
		used[0] |= FIELDS(5, 4) | FIELDS(51, 6) | FIELDS(63, 59);
		used[1] |= FIELDS(7, 0) | BIT_ULL(STE1_S1STALLD) | FIELDS(31, 28);
		/* Also alone stage 1 is tagged by the VMID (5.2). */
		used[2] |= FIELDS(15, 0);
	}
	if (config == SMMU_CFG_S2 || config == SMMU_CFG_NESTED) {
		used[1] |= FIELDS(29, 28) | FIELDS(45, 44) | BIT_ULL(STE1_MEV);
		used[2] |= FIELDS(15, 0) | FIELDS(58, 32);
		used[3] |= FIELDS(51, 4);
	}
}

static void cd_used(const u64 w[WORDS], u64 used[WORDS])
{
	for (u32 i = 0; i < WORDS; i++)
		used[i] = 0;
	used[0] = BIT_ULL(CD0_V);
	if (!(w[0] & BIT_ULL(CD0_V)))
		return;
	used[0] = ~0ULL;
	used[1] = ~0ULL;
	used[3] = ~0ULL; /* word 2 is TTB1: EPD1 is set in all of ours */
}

static void write_words(const struct entry *e, const u64 w[WORDS], u32 from, u32 n)
{
	bool changed = false;

	for (u32 i = from; i < from + n; i++) {
		u64 *p = smmu_word(e->pa, i);

		if (READ_ONCE(*p) == w[i])
			continue;
		WRITE_ONCE(*p, w[i]);
		changed = true;
	}
	for (u32 i = 0; changed && i < e->n_sid; i++)
		e->sync(e->iommu, e->sid[i], e->ssid);
}

/*
 * What can be written at once: the target's bits where the present content
 * does not use them. Gives the words that then still differ in a used bit.
 */
static u32 quiet_update(const struct entry *e, const u64 target[WORDS], u64 quiet[WORDS])
{
	u64 now[WORDS], now_used[WORDS], used[WORDS];
	u32 differ = 0;

	for (u32 i = 0; i < WORDS; i++)
		now[i] = READ_ONCE(*smmu_word(e->pa, i));
	e->used(now, now_used);
	e->used(target, used);
	for (u32 i = 0; i < WORDS; i++) {
		quiet[i] = (now[i] & now_used[i]) | (target[i] & used[i] & ~now_used[i]);
		if ((quiet[i] & used[i]) != target[i])
			differ |= BIT(i);
	}
	return differ;
}

static void write_entry(const struct entry *e, const u64 target[WORDS])
{
	u64 quiet[WORDS];
	u32 differ = quiet_update(e, target, quiet);

	if (bug_on(BUG_SMMU_STE_NOT_HITLESS)) {
		/* Whatever hardware makes of the words in between. */
		write_words(e, target, 0, WORDS);
	} else if (differ && !(differ & (differ - 1))) {
		u32 word = bit_lowest(differ);

		/* The word that decides may hold bits of which both make use: it goes alone. */
		quiet[word] = READ_ONCE(*smmu_word(e->pa, word));
		write_words(e, quiet, 0, WORDS);
		write_words(e, target, word, 1);
		write_words(e, target, 0, WORDS);
	} else if (differ) {
		u64 none[WORDS] = {0};

		write_words(e, none, 0, 1);
		write_words(e, target, 1, WORDS - 1);
		write_words(e, target, 0, 1);
	} else {
		write_words(e, target, 0, WORDS);
	}
}

/* --- the stream table --- */

static u64 ste_pa(struct smmu_iommu *iommu, u32 sid)
{
	u64 l1;

	if (!iommu->two_level)
		return iommu->strtab + sid * 64ULL;
	l1 = READ_ONCE(*smmu_word(iommu->strtab, sid >> SMMU_SPLIT));
	return (l1 & STRTAB_ADDR) + (sid & (BIT(SMMU_SPLIT) - 1)) * 64ULL;
}

/* Streams that nobody was probed for: aborted, silently where hardware can. */
static void fill_abort(u64 table, u32 n)
{
	for (u32 i = 0; i < n; i++)
		*smmu_word(table, i * WORDS) = STE_V | SMMU_CFG_ABORT << STE0_CONFIG;
}

static u32 order_of(u64 bytes)
{
	u32 order = 0;

	while ((SMMU_PAGE << order) < bytes)
		order++;
	return order;
}

int smmu_strtab_create(struct smmu_iommu *iommu)
{
	u32 bits = min(iommu->idr1 >> IDR1_SIDSIZE & 0x3f, SMMU_SID_BITS_MAX), cfg = bits;

	iommu->sid_bits = bits;
	iommu->two_level = (iommu->idr0 >> IDR0_ST_LEVEL & 3) && bits > SMMU_SPLIT;
	iommu->strtab_order = order_of(iommu->two_level ? 8ULL << (bits - SMMU_SPLIT)
							: 64ULL << bits);
	iommu->strtab = frame_alloc(this_world(), iommu->strtab_order, FRAME_ZERO);
	if (!iommu->strtab)
		return -ENOMEM;
	if (iommu->two_level)
		cfg |= SMMU_SPLIT << STRTAB_CFG_SPLIT | 1u << STRTAB_CFG_FMT;
	else
		fill_abort(iommu->strtab, 1u << bits);
	smmu_write64(iommu, SMMU_STRTAB_BASE, iommu->strtab);
	smmu_write(iommu, SMMU_STRTAB_BASE_CFG, cfg);
	return 0;
}

void smmu_strtab_destroy(struct smmu_iommu *iommu)
{
	for (u32 i = 0; iommu->two_level && i < 1u << (iommu->sid_bits - SMMU_SPLIT); i++) {
		u64 l1 = READ_ONCE(*smmu_word(iommu->strtab, i));

		if (l1)
			frame_free(this_world(), l1 & STRTAB_ADDR, L2_ORDER);
	}
	frame_free(this_world(), iommu->strtab, iommu->strtab_order);
	iommu->strtab = 0;
}

static int l2_create(struct smmu_iommu *iommu, u32 sid)
{
	u64 *l1 = smmu_word(iommu->strtab, sid >> SMMU_SPLIT);
	u64 table = frame_alloc(this_world(), L2_ORDER, FRAME_ZERO);
	bool used = false;

	if (!table)
		return -ENOMEM;
	fill_abort(table, 1u << SMMU_SPLIT);
	spin_lock(&iommu->lock);
	if (!READ_ONCE(*l1)) {
		WRITE_ONCE(*l1, table | (SMMU_SPLIT + 1));
		used = true;
	}
	spin_unlock(&iommu->lock);
	if (!used)
		frame_free(this_world(), table, L2_ORDER);
	else
		smmu_sync_l1(iommu, sid);
	return 0;
}

int smmu_master_prepare(struct smmu_master *m)
{
	int ret = 0;

	for (u32 i = 0; i < m->n_sid && !ret; i++) {
		if (m->sid[i] >> m->iommu->sid_bits)
			ret = -ERANGE;
		else if (m->iommu->two_level)
			ret = l2_create(m->iommu, m->sid[i]);
	}
	if (ret)
		return ret;
	m->cd = frame_alloc(this_world(), 0, FRAME_ZERO);
	return m->cd ? 0 : -ENOMEM;
}

void smmu_master_release(struct smmu_master *m)
{
	frame_free(this_world(), m->cd, 0);
}

/* --- what a domain is to hardware --- */

/* IDR5.OAS and its like: an address width's encoding. */
static u64 size_code(u32 bits)
{
	static const u8 widths[] = {32, 36, 40, 42, 44, 48, 52};
	u32 i = 0;

	while (i + 1 < ARRAY_SIZE(widths) && widths[i] < bits)
		i++;
	return i;
}

/* Inner and outer write-back, inner shareable: IRGN or its like, ORGN, SH from bit at on. */
static u64 walk_attributes(u32 at)
{
	return 1ULL << at | 1ULL << (at + 2) | 3ULL << (at + 4);
}

enum stall_model { STALL_OR_TERMINATE, STALL_NEVER, STALL_FORCED };

static enum stall_model stall_model(const struct smmu_iommu *iommu)
{
	return iommu->idr0 >> IDR0_STALL_MODEL & 3;
}

/* Memory types by core/pt's indexes: non-cacheable, write-back, device. */
#define MAIR 0x04ff44ULL

static void make_cd(const struct smmu_master *m, const struct smmu_domain *sd, u64 w[WORDS])
{
	u32 ia = (u32)bit_highest(sd->pt.ia_last) + 1;

	for (u32 i = 0; i < WORDS; i++)
		w[i] = 0;
	w[0] = (64ULL - ia) << CD0_T0SZ | walk_attributes(8) | 1ULL << CD0_EPD1 |
	       1ULL << CD0_V | size_code(sd->iommu->oas) << CD0_IPS | 1ULL << CD0_AA64 |
	       1ULL << CD0_R | 1ULL << CD0_A | 1ULL << CD0_ASET | (u64)sd->tag << CD0_ASID;
	if (sd->pt.features & PT_DIRTY)
		w[0] |= 1ULL << CD0_HA | 1ULL << CD0_HD;
	if (stall_model(sd->iommu) == STALL_FORCED ||
	    (sd->domain.iopf_handler && !m->ats && stall_model(sd->iommu) == STALL_OR_TERMINATE))
		w[0] |= 1ULL << CD0_S;
	w[1] = sd->pt.root;
	w[3] = MAIR;
}

/* What requests without a PASID get where there are descriptors for others: STE.S1DSS. */
enum s1dss { S1DSS_TERMINATE, S1DSS_BYPASS, S1DSS_SSID0 };

static void make_s1_ste(const struct smmu_master *m, enum s1dss dss, u64 w[WORDS])
{
	w[0] = STE_V | SMMU_CFG_S1 << STE0_CONFIG | m->cd;
	/* CIR, COR, CSH as for walks; a stream that asks for pages must not stall. */
	w[1] = walk_attributes(2) | STRW_EL1 << STE1_STRW;
	if (stall_model(m->iommu) == STALL_OR_TERMINATE && m->ats)
		w[1] |= 1ULL << STE1_S1STALLD;
	w[0] |= (u64)m->ssid_bits << STE0_S1CDMAX;
	w[1] |= (u64)dss << STE1_S1DSS;
	if (m->ats)
		w[1] |= 1ULL << STE1_EATS;
}

static void make_s2_ste(const struct smmu_master *m, const struct smmu_domain *sd, u64 w[WORDS])
{
	u32 ia = (u32)bit_highest(sd->pt.ia_last) + 1;

	w[0] = STE_V | SMMU_CFG_S2 << STE0_CONFIG;
	w[1] = 1ULL << STE1_SHCFG; /* as the transaction says */
	if (m->ats)
		w[1] |= 1ULL << STE1_EATS;
	w[2] = sd->tag | (64ULL - ia) << STE2_S2T0SZ | (sd->pt.levels - 2) << STE2_S2SL0 |
	       walk_attributes(STE2_S2SL0 + 2) | size_code(sd->iommu->oas) << STE2_S2PS |
	       1ULL << STE2_S2AA64 | 1ULL << STE2_S2PTW | 1ULL << STE2_S2R;
	if (sd->pt.features & PT_DIRTY)
		w[2] |= 1ULL << STE2_S2HA | 1ULL << STE2_S2HD;
	if (stall_model(sd->iommu) == STALL_FORCED)
		w[2] |= 1ULL << STE2_S2S;
	w[3] = sd->pt.root;
}

/* On its parent, as far as the guest has said that it is there. */
static void make_vsmmu_ste(const struct smmu_master *m, const struct smmu_domain *sd, u64 w[WORDS])
{
	u64 config = smmu_ste_config(sd);

	if (config == SMMU_CFG_ABORT) {
		w[0] = STE_V | SMMU_CFG_ABORT << STE0_CONFIG;
		return;
	}
	make_s2_ste(m, sd->vsmmu->s2, w);
	if (config == SMMU_CFG_S1) {
		if (!sd->ste_ats)
			w[1] &= ~(3ULL << STE1_EATS);
		smmu_make_nested_ste(sd, w);
		/* custom: who cannot be resumed does not stall, whatever the guest wants. */
		if (stall_model(m->iommu) == STALL_OR_TERMINATE && m->ats)
			w[1] |= 1ULL << STE1_S1STALLD;
	}
}

static void make_ste(const struct smmu_master *m, const struct smmu_domain *sd, u64 w[WORDS])
{
	for (u32 i = 0; i < WORDS; i++)
		w[i] = 0;
	if (sd && sd->vsmmu) {
		make_vsmmu_ste(m, sd, w);
	} else if (m->n_pasids && sd == &m->iommu->blocked) {
		make_s1_ste(m, S1DSS_TERMINATE, w);
	} else if (m->n_pasids && sd == &m->iommu->identity) {
		make_s1_ste(m, S1DSS_BYPASS, w);
	} else if (!sd || sd == &m->iommu->blocked) {
		w[0] = STE_V | SMMU_CFG_ABORT << STE0_CONFIG;
	} else if (sd == &m->iommu->identity) {
		w[0] = STE_V | SMMU_CFG_BYPASS << STE0_CONFIG;
		w[1] = 1ULL << STE1_SHCFG;
	} else if (sd->stage2) {
		make_s2_ste(m, sd, w);
	} else {
		make_s1_ste(m, m->ssid_bits ? S1DSS_SSID0 : S1DSS_TERMINATE, w);
	}
}

/* No stream uses the descriptor now: the next domain begins with none. */
static void clear_cd(struct smmu_master *m)
{
	const u64 none[WORDS] = {0};

	write_words(&(struct entry){.pa = m->cd, .sync = smmu_sync_cd, .iommu = m->iommu,
				    .sid = m->sid, .n_sid = m->n_sid},
		    none, 0, WORDS);
}

static void write_stes(struct smmu_master *m, struct smmu_domain *sd)
{
	u64 w[WORDS];

	make_ste(m, sd, w);
	for (u32 i = 0; i < m->n_sid; i++)
		write_entry(&(struct entry){.pa = ste_pa(m->iommu, m->sid[i]), .used = ste_used,
					    .sync = smmu_sync_ste, .iommu = m->iommu,
					    .sid = &m->sid[i], .n_sid = 1},
			    w);
}

void smmu_master_set(struct smmu_master *m, struct smmu_domain *sd)
{
	u64 w[WORDS];
	bool s1 = sd && sd != &m->iommu->blocked && sd != &m->iommu->identity && !sd->stage2 &&
		  !sd->vsmmu;

	if (s1) {
		/* Streams that already use the descriptor see it change under them. */
		make_cd(m, sd, w);
		write_entry(&(struct entry){.pa = m->cd, .used = cd_used, .sync = smmu_sync_cd,
					    .iommu = m->iommu, .sid = m->sid, .n_sid = m->n_sid},
			    w);
	}
	write_stes(m, sd);
	if (!s1)
		clear_cd(m);
}

void smmu_master_set_pasid(struct smmu_master *m, u32 ssid, struct smmu_domain *sd)
{
	const struct entry e = {.pa = m->cd + ssid * WORDS * 8ULL, .used = cd_used,
				.sync = smmu_sync_cd, .iommu = m->iommu, .sid = m->sid,
				.n_sid = m->n_sid, .ssid = ssid};
	u64 w[WORDS] = {0};

	if (sd) {
		make_cd(m, sd, w);
		write_entry(&e, w);
	} else {
		write_words(&e, w, 0, WORDS);
	}
	/* The first PASID, and the last, change what the stream's entry is. */
	write_stes(m, m->domain);
}
