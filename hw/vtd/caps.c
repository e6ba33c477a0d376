// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of the model, what contradicts what, and the capability registers
 * and reserved bits that follow. An option that is not given follows those that
 * it needs: scalable=0 alone takes all of scalable mode away.
 */
#include "hw/vtd/vtd_priv.h"

#include <stdio.h>
#include <stdlib.h>

#define UNSET 0xffffffffu
#define KEY_MAX 24

struct knob {
	const char *key;
	u16 at;
	u32 least, most, normal;
	const char *needs; /* key of a knob that must not be 0 */
	const char *needs2;
};

#define KNOB(name, least, most, normal, ...) \
	{#name, offsetof(struct vtd_knobs, name), least, most, normal, __VA_ARGS__}

/* Those that are needed come first. */
static const struct knob knobs[] = {
	KNOB(sagaw, 39, 57, 48, NULL, NULL),
	KNOB(haw, 36, 52, 46, NULL, NULL),
	KNOB(nd, 0, 6, 6, NULL, NULL),
	KNOB(nfr, 1, 128, 8, NULL, NULL),
	KNOB(cm, 0, 1, 0, NULL, NULL),
	KNOB(rwbf, 0, 1, 0, NULL, NULL),
	KNOB(zlr, 0, 1, 1, NULL, NULL),
	KNOB(psi, 0, 1, 1, NULL, NULL),
	KNOB(mamv, 0, 48, 18, "psi", NULL),
	KNOB(sp, 0, 2, 2, NULL, NULL),
	KNOB(dwd, 0, 1, 1, NULL, NULL),
	KNOB(drd, 0, 1, 1, NULL, NULL),
	KNOB(esrtps, 0, 1, 1, NULL, NULL),
	KNOB(coherent, 0, 1, 1, NULL, NULL),
	KNOB(qi, 0, 1, 1, NULL, NULL),
	KNOB(pt, 0, 1, 1, NULL, NULL),
	KNOB(sc, 0, 1, 1, NULL, NULL),
	KNOB(adms, 0, 1, 1, NULL, NULL),
	KNOB(ats, 0, 1, 1, "qi", NULL),
	KNOB(ir, 0, 1, 1, "qi", NULL),
	KNOB(eim, 0, 1, 1, "ir", NULL),
	KNOB(pi, 0, 1, 1, "ir", NULL),
	KNOB(esirtps, 0, 1, 1, "ir", NULL),
	KNOB(mhmv, 0, 15, 15, "ir", NULL),
	KNOB(scalable, 0, 1, 1, "qi", NULL),
	KNOB(fs, 0, 1, 1, "scalable", NULL),
	KNOB(ss, 0, 1, 1, "scalable", NULL),
	KNOB(nest, 0, 1, 1, "fs", "ss"),
	KNOB(fl1gp, 0, 1, 1, "fs", NULL),
	KNOB(fl5, 0, 1, 1, "fs", NULL),
	KNOB(eafs, 0, 1, 1, "fs", NULL),
	KNOB(pasid, 0, 20, 20, "scalable", NULL),
	KNOB(rps, 0, 1, 1, "scalable", NULL),
	KNOB(smpwc, 0, 1, 1, "scalable", NULL),
	KNOB(ssads, 0, 1, 1, "ss", NULL),
	KNOB(srs, 0, 1, 1, "pasid", NULL),
	KNOB(ers, 0, 1, 1, "pasid", NULL),
	KNOB(rprivs, 0, 1, 1, "srs", NULL),
	KNOB(prs, 0, 1, 1, "ats", "scalable"),
	KNOB(pds, 0, 1, 1, "prs", NULL),
	KNOB(nwfs, 0, 1, 1, "ats", NULL),
	KNOB(atom, 8, 16, 8, NULL, NULL),
	KNOB(collapse, 0, 1, 0, NULL, NULL),
	KNOB(late, 0, 1, 0, NULL, NULL),
	KNOB(strict, 0, 1, 0, NULL, NULL),
	KNOB(race, 0, 1, 0, NULL, NULL),
	KNOB(fragment, 0, 1, 0, NULL, NULL),
	KNOB(iotlb, 0, 1, 1, NULL, NULL),
	KNOB(quick, 0, 2, 1, NULL, NULL),
	KNOB(evict, 0, HW_EVICT_MAX, HW_EVICT_UNSAID, NULL, NULL),
};

static u32 *knob_at(struct vtd_knobs *k, const struct knob *row)
{
	return (u32 *)((char *)k + row->at);
}

static const struct knob *knob_find(const char *key)
{
	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (strcmp(knobs[i].key, key) == 0)
			return &knobs[i];
	}
	return NULL;
}

/* One "key=value". */
static bool read_one(struct vtd_knobs *k, const char *key, const char *value, char *err,
		     size_t size)
{
	const struct knob *row = knob_find(key);
	unsigned long n;
	char *end;

	if (!row) {
		int done = hw_cache_option(&k->policy, key, value);

		if (done == 0)
			snprintf(err, size, "vtd: no option '%s'", key);
		else if (done < 0)
			snprintf(err, size, "vtd: '%s' is no value of %s", value, key);
		return done > 0;
	}
	n = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || n < row->least || n > row->most) {
		snprintf(err, size, "vtd: %s=%s: expected %u to %u", key, value, row->least,
			 row->most);
		return false;
	}
	*knob_at(k, row) = (u32)n;
	return true;
}

static bool read_all(struct vtd_knobs *k, const char *options, char *err, size_t size)
{
	while (options && *options) {
		char text[2 * KEY_MAX], *value;
		size_t len = strcspn(options, ",");

		if (len >= sizeof(text)) {
			snprintf(err, size, "vtd: an option of %zu characters, at most %zu", len,
				 sizeof(text) - 1);
			return false;
		}
		memcpy(text, options, len);
		text[len] = 0;
		value = strchr(text, '=');
		if (!value || value == text) {
			snprintf(err, size, "vtd: '%s': expected key=value", text);
			return false;
		}
		*value++ = 0;
		if (!read_one(k, text, value, err, size))
			return false;
		options += len;
		if (*options == ',' && !*++options) {
			snprintf(err, size, "vtd: a comma ends the options");
			return false;
		}
	}
	return true;
}

static const char *missing(struct vtd_knobs *k, const struct knob *row)
{
	const char *const needs[] = {row->needs, row->needs2};

	for (u32 i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i] && !*knob_at(k, knob_find(needs[i])))
			return needs[i];
	}
	return NULL;
}

static bool fill_in(struct vtd_knobs *k, char *err, size_t size)
{
	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++) {
		u32 *at = knob_at(k, &knobs[i]);
		const char *lacks = missing(k, &knobs[i]);

		if (*at == UNSET) {
			*at = lacks ? 0 : knobs[i].normal;
		} else if (*at && lacks) {
			snprintf(err, size, "vtd: %s=%u needs %s", knobs[i].key, *at, lacks);
			return false;
		}
	}
	return true;
}

static bool check(const struct vtd_knobs *k, char *err, size_t size)
{
	const char *text = NULL;

	if (k->sagaw != 39 && k->sagaw != 48 && k->sagaw != 57)
		text = "sagaw: expected 39, 48 or 57";
	else if (k->atom != 8 && k->atom != 16)
		text = "atom: expected 8 or 16";
	else if (k->scalable && !k->fs && !k->ss)
		text = "scalable=1 needs fs or ss";
	else if (k->policy.negative && !k->cm)
		text = "negative=1 needs cm=1";
	else if (k->evict != HW_EVICT_UNSAID && k->coherent && (k->smpwc || !k->scalable))
		text = "evict needs coherent=0 or smpwc=0";
	else
		text = hw_cache_contradiction(&k->policy);
	if (text)
		snprintf(err, size, "vtd: %s", text);
	return !text;
}

bool vtd_knobs_read(struct vtd_knobs *k, const char *options, char *err, size_t err_size)
{
	size_t len;
	const char *twice = hw_option_twice(options, &len);
	bool ok;

	if (twice) {
		snprintf(err, err_size, "vtd: '%.*s' is here twice", (int)min(len, (size_t)40), twice);
		return false;
	}
	memset(k, 0, sizeof(*k));
	k->policy.entries = 4096;
	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++)
		*knob_at(k, &knobs[i]) = UNSET;
	ok = read_all(k, options, err, err_size) && fill_in(k, err, err_size) &&
	     check(k, err, err_size);
	if (ok && k->cm && !(options && strstr(options, "negative=")))
		k->policy.negative = true;
	return ok;
}

static u64 on(u32 knob, u64 bits)
{
	return knob ? bits : 0;
}

u64 vtd_cap(const struct vtd_knobs *k)
{
	u64 sagaw = k->sagaw == 39 ? 2 : k->sagaw == 48 ? 6 : 14;

	return (u64)k->nd << VTD_CAP_ND_SHIFT | on(k->rwbf, VTD_CAP_RWBF) |
	       on(k->cm, VTD_CAP_CM) | sagaw << VTD_CAP_SAGAW_SHIFT |
	       (u64)(k->sagaw - 1) << VTD_CAP_MGAW_SHIFT | on(k->zlr, VTD_CAP_ZLR) |
	       (u64)(VTD_FRCD / 16) << VTD_CAP_FRO_SHIFT | on(k->sp >= 1, VTD_CAP_SSLPS_2M) |
	       on(k->sp >= 2, VTD_CAP_SSLPS_1G) | on(k->psi, VTD_CAP_PSI) |
	       (u64)(k->nfr - 1) << VTD_CAP_NFR_SHIFT | (u64)k->mamv << VTD_CAP_MAMV_SHIFT |
	       on(k->dwd, VTD_CAP_DWD) | on(k->drd, VTD_CAP_DRD) | on(k->fl1gp, VTD_CAP_FS1GP) |
	       on(k->pi, VTD_CAP_PI) | on(k->fl5, VTD_CAP_FS5LP) |
	       on(k->esirtps, VTD_CAP_ESIRTPS) | on(k->esrtps, VTD_CAP_ESRTPS);
}

u64 vtd_ecap(const struct vtd_knobs *k)
{
	u64 pss = k->pasid ? k->pasid - 1 : 0;

	return on(k->coherent, VTD_ECAP_C) | on(k->qi, VTD_ECAP_QI) | on(k->ats, VTD_ECAP_DT) |
	       on(k->ir, VTD_ECAP_IR) | on(k->eim, VTD_ECAP_EIM) | on(k->pt, VTD_ECAP_PT) |
	       on(k->sc, VTD_ECAP_SC) | (u64)(VTD_IVA / 16) << VTD_ECAP_IRO_SHIFT |
	       (u64)k->mhmv << VTD_ECAP_MHMV_SHIFT | on(k->nest, VTD_ECAP_NEST) |
	       on(k->prs, VTD_ECAP_PRS) | on(k->ers, VTD_ECAP_ERS) | on(k->srs, VTD_ECAP_SRS) |
	       on(k->nwfs, VTD_ECAP_NWFS) | on(k->eafs, VTD_ECAP_EAFS) |
	       pss << VTD_ECAP_PSS_SHIFT | on(k->pasid, VTD_ECAP_PASID) |
	       on(k->pds, VTD_ECAP_PDS) | on(k->scalable, VTD_ECAP_SMTS) |
	       on(k->ssads, VTD_ECAP_SSADS) | on(k->ss, VTD_ECAP_SSTS) |
	       on(k->fs, VTD_ECAP_FSTS) | on(k->smpwc, VTD_ECAP_SMPWCS) |
	       on(k->rps, VTD_ECAP_RPS) | on(k->adms, VTD_ECAP_ADMS) |
	       on(k->rprivs, VTD_ECAP_RPRIVS);
}

/* 9.7, 9.8: reserved bits of a present paging entry. NXE is checked where it is known. */
void vtd_reserved_bits(struct vtd *v)
{
	const struct vtd_knobs *k = &v->k;
	u64 high = vtd_bits(~0ULL << k->haw, 0, 52);

	v->addr_mask = vtd_bits(~0ULL, 0, k->haw) & ~0xfffULL;
	for (u32 level = 1; level <= 5; level++) {
		u64 offset = level > 1 ? vtd_bits(~0ULL << 12, 0, 12 + 9 * (level - 1)) : 0;
		bool ss_page = level == 1 || (level == 2 && k->sp >= 1) ||
			       (level == 3 && k->sp >= 2);
		bool fs_page = level <= 2 || (level == 3 && k->fl1gp);

		v->ss_reserved[level][0] = high | (level > 3 ? VTD_SS_PS : 0);
		v->ss_reserved[level][1] = high | offset | on(!ss_page, VTD_SS_PS) |
					   on(!k->sc, VTD_SS_SNP) | on(!k->ats, VTD_SS_TM);
		v->fs_reserved[level][0] = high | (level > 3 ? VTD_FS_PS : 0);
		/* Bit 12 of a large page is PAT. */
		v->fs_reserved[level][1] = high | (offset & ~VTD_BIT(12)) |
					   on(!fs_page, VTD_FS_PS);
	}
}
