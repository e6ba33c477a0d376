// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of a model: what it advertises, how it caches, which errata it has.
 */
#include "hw/smmuv3/smmu_priv.h"

#include <stdio.h>
#include <stdlib.h>

struct number {
	const char *name;
	size_t at;
	u32 least, most, usual;
};

#define NUMBER(field, least, most, usual) \
	{#field, offsetof(struct smmu_caps, field), least, most, usual}

static const struct number numbers[] = {
	NUMBER(s1p, 0, 1, 1),      NUMBER(s2p, 0, 1, 1),     NUMBER(cohacc, 0, 1, 1),
	NUMBER(httu, 0, 2, 2),     NUMBER(hyp, 0, 1, 1),     NUMBER(ats, 0, 1, 1),
	NUMBER(ns1ats, 0, 1, 0),   NUMBER(asid16, 0, 1, 1),  NUMBER(vmid16, 0, 1, 1),
	NUMBER(msi, 0, 1, 1),      NUMBER(sev, 0, 1, 1),     NUMBER(atos, 0, 1, 1),
	NUMBER(pri, 0, 1, 1),      NUMBER(vmw, 0, 1, 0),     NUMBER(cd2l, 0, 1, 1),
	NUMBER(stall, 0, 2, 0),    NUMBER(term, 0, 1, 0),    NUMBER(st2, 0, 1, 1),
	NUMBER(ovr, 0, 1, 1),      NUMBER(had, 0, 1, 1),     NUMBER(xnx, 0, 1, 1),
	NUMBER(ril, 0, 1, 1),      NUMBER(bbml, 0, 2, 0),    NUMBER(page0, 0, 1, 1),
	NUMBER(late, 0, 1, 0),     NUMBER(merge, 0, 1, 0),   NUMBER(inflight, 0, 1, 0),
	NUMBER(sid, 1, 32, 16),    NUMBER(ssid, 0, 20, 20),  NUMBER(cmdqs, 1, 19, 8),
	NUMBER(evtqs, 1, 19, 7),   NUMBER(priqs, 1, 19, 7),  NUMBER(walkcache, 0, 1, 1),
	NUMBER(quick, 0, 2, 1),    NUMBER(tlb, 0, 1, 1),
	NUMBER(config, 0, 1, 1),   NUMBER(evict, 0, HW_EVICT_MAX, HW_EVICT_UNSAID),
};

struct word {
	const char *name;
	u32 value;
};

static const struct word sizes[] = {{"32", 32}, {"36", 36}, {"40", 40}, {"42", 42},
				    {"44", 44}, {"48", 48}, {"52", 52}, {NULL, 0}};
static const struct word granules[] = {
	{"4k", TG_4K}, {"16k", TG_16K}, {"64k", TG_64K}, {NULL, 0}};
static const struct word personas[] = {
	{"none", PERSONA_NONE}, {"tegra264", PERSONA_TEGRA264}, {"hi1610", PERSONA_HI1610},
	{"tx2", PERSONA_TX2},   {"maxinv", PERSONA_MAXINV},     {NULL, 0}};

static int word_of(const struct word *w, const char *name)
{
	for (; w->name; w++) {
		if (strcmp(w->name, name) == 0)
			return (int)w->value;
	}
	return -1;
}

static bool number_of(const char *text, u32 least, u32 most, u32 *n)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9' || strlen(text) > 6)
		return false;
	v = strtoul(text, &end, 10);
	*n = (u32)v;
	return !*end && v >= least && v <= most;
}

static bool granules_of(struct smmu_caps *cap, char *value)
{
	u32 all = 0;

	while (value) {
		char *plus = strchr(value, '+');
		int one;

		if (plus)
			*plus++ = 0;
		one = word_of(granules, value);
		if (one < 0)
			return false;
		all |= (u32)one;
		value = plus;
	}
	cap->gran = (u8)all;
	return true;
}

/* 1: taken, 0: no such key, -1: no such value. */
static int take(struct smmu_caps *cap, struct hw_cache_policy *policy, const char *key,
		char *value)
{
	u32 n;
	int w;

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(numbers[i].name, key) != 0)
			continue;
		if (!number_of(value, numbers[i].least, numbers[i].most, &n))
			return -1;
		*((u8 *)cap + numbers[i].at) = (u8)n;
		return 1;
	}
	if (strcmp(key, "stallmax") == 0) {
		if (!number_of(value, 1, 65535, &n))
			return -1;
		cap->stallmax = (u16)n;
		return 1;
	}
	if (strcmp(key, "gran") == 0)
		return granules_of(cap, value) ? 1 : -1;
	if (strcmp(key, "oas") == 0) {
		w = word_of(sizes, value);
		cap->oas = (u8)w;
		return w < 0 ? -1 : 1;
	}
	if (strcmp(key, "persona") == 0) {
		w = word_of(personas, value);
		cap->persona = (u8)w;
		return w < 0 ? -1 : 1;
	}
	return hw_cache_option(policy, key, value);
}

/* Sets that the architecture does not allow. */
static const char *contradiction(const struct smmu_caps *c)
{
	const struct {
		bool bad;
		const char *why;
	} rule[] = {
		{!c->s1p && !c->s2p, "s1p=0 and s2p=0: one stage at least is needed"},
		{c->ssid && !c->s1p, "ssid needs s1p=1"},
		{c->cd2l && !c->ssid, "cd2l=1 needs ssid above 0"},
		{c->hyp && !c->s1p, "hyp=1 needs s1p=1"},
		{c->asid16 && !c->s1p, "asid16=1 needs s1p=1"},
		{c->vmid16 && !c->s2p, "vmid16=1 needs s2p=1"},
		{c->pri && !c->ats, "pri=1 needs ats=1"},
		{c->ns1ats && !c->ats, "ns1ats=1 needs ats=1"},
		{c->vmw && !c->s2p, "vmw=1 needs s2p=1"},
		{c->sid >= 7 && !c->st2, "sid of 7 or more needs st2=1"},
		{c->oas == 52 && !(c->gran & TG_64K), "oas=52 needs gran=64k"},
		{c->stall == 1 && c->stallmax != 0, "stallmax needs stall=0 or stall=2"},
		{c->cohacc && c->evict != HW_EVICT_UNSAID, "evict needs cohacc=0"},
		{c->persona == PERSONA_TX2 && !c->page0, "persona=tx2 needs page0=1"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rule); i++) {
		if (rule[i].bad)
			return rule[i].why;
	}
	return NULL;
}

/* What follows from what was said and not said. */
static void follow(struct smmu_caps *c, u64 said)
{
	const struct {
		size_t at;
		bool off;
	} rule[] = {
		{offsetof(struct smmu_caps, ssid), !c->s1p},
		{offsetof(struct smmu_caps, hyp), !c->s1p},
		{offsetof(struct smmu_caps, asid16), !c->s1p},
		{offsetof(struct smmu_caps, vmid16), !c->s2p},
		{offsetof(struct smmu_caps, pri), !c->ats},
		{offsetof(struct smmu_caps, cd2l), !c->ssid || !c->s1p},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rule); i++) {
		if (rule[i].off && !(said >> rule[i].at & 1))
			*((u8 *)c + rule[i].at) = 0;
	}
}

static u64 said_bit(const char *key)
{
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(numbers[i].name, key) == 0)
			return 1ull << numbers[i].at;
	}
	return 0;
}

static bool one_option(struct smmu_caps *cap, struct hw_cache_policy *policy, char *one,
		       char *err, size_t err_size)
{
	char *value = strchr(one, '=');
	int took;

	if (!value) {
		snprintf(err, err_size, "smmuv3: option '%.40s': expected key=value", one);
		return false;
	}
	*value++ = 0;
	took = take(cap, policy, one, value);
	if (!took)
		snprintf(err, err_size, "smmuv3: unknown option '%.40s'", one);
	else if (took < 0)
		snprintf(err, err_size, "smmuv3: option '%.40s' has no value '%.40s'", one, value);
	return took > 0;
}

bool smmu_options(struct smmu_caps *cap, struct hw_cache_policy *policy, const char *text,
		  char *err, size_t err_size)
{
	size_t len;
	const char *why, *twice = hw_option_twice(text, &len);
	char copy[512];
	u64 said = 0;

	memset(cap, 0, sizeof(*cap));
	memset(policy, 0, sizeof(*policy));
	policy->entries = 4096;
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		*((u8 *)cap + numbers[i].at) = (u8)numbers[i].usual;
	cap->oas = 48;
	cap->gran = TG_4K | TG_16K | TG_64K;
	text = text ? text : "";
	if (strlen(text) >= sizeof(copy)) {
		snprintf(err, err_size, "smmuv3: more than %zu characters of options", sizeof(copy));
		return false;
	}
	if (twice) {
		snprintf(err, err_size, "smmuv3: '%.*s' is here twice", (int)min(len, (size_t)40),
			 twice);
		return false;
	}
	if (*text && text[strlen(text) - 1] == ',') {
		snprintf(err, err_size, "smmuv3: a comma ends the options");
		return false;
	}
	strcpy(copy, text);
	for (char *at = copy, *next; at && *at; at = next) {
		next = strchr(at, ',');
		if (next)
			*next++ = 0;
		if (!one_option(cap, policy, at, err, err_size))
			return false;
		said |= said_bit(at);
	}
	follow(cap, said);
	if (policy->kind == HW_CACHE_NONE && !(said & 1ull << offsetof(struct smmu_caps, config)))
		cap->config = 0;
	/* 3.17: what is not valid is never kept by a TLB. */
	why = policy->negative ? "no TLB keeps what is not there: negative=0" : contradiction(cap);
	why = why ? why : hw_cache_contradiction(policy);
	if (why) {
		snprintf(err, err_size, "smmuv3: %s", why);
		return false;
	}
	if (!cap->stallmax && cap->stall != 1)
		cap->stallmax = 32;
	return true;
}
