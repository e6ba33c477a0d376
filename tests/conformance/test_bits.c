// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both directions of every capability: the vectors are run on a model that has one less,
 * or one more, than they ask for. Of those written for a model with it some must notice
 * that it is gone, of those for a model without it some that it is there; and by what
 * the model does, for what the capability registers read does not count here.
 */
#include "hw/vtd/vtd_regs.h"
#include "sim/base/bits.h"
#include "tests/kit/vectors.h"

#include <criterion/criterion.h>

#define BELOW_VTD 0x18    /* VER, CAP, ECAP */
#define BELOW_SMMUV3 0x1c /* IDR0 to IDR5, IIDR */

struct row {
	u32 off;
	u64 bits;
	const char *less, *more; /* put behind the options of a vector */
	/* Others that need it, or lie in the same field, change with it. */
	bool along;
	const char *number; /* nothing depends on it: why */
};

#define ONE(off, bits, less, more) {off, bits, less, more, false, NULL}
#define ALONG(off, bits, less, more) {off, bits, less, more, true, NULL}
#define NUMBER(off, bits, less, more, why) {off, bits, less, more, false, why}

static const struct row vtd[] = {
	ONE(0x08, 7, "nd=0", "nd=6"),
	NUMBER(0x08, 1ULL << 4, "rwbf=0", "rwbf=1", "there is no write buffer"),
	ONE(0x08, 1ULL << 7, "cm=0", "cm=1"),
	ONE(0x08, 0x3f1f00, "sagaw=39", "sagaw=48"),
	ONE(0x08, 0x3f1f00, "sagaw=48", "sagaw=57"),
	NUMBER(0x08, 1ULL << 22, "zlr=0", "zlr=1", "no request has length 0"),
	ONE(0x08, 1ULL << 34, "sp=0", "sp=1"),
	ONE(0x08, 1ULL << 35, "sp=1", "sp=2"),
	ALONG(0x08, 1ULL << 39, "psi=0,mamv=0", "psi=1,mamv=0"),
	ONE(0x08, 0xffULL << 40, "nfr=1", "nfr=8"),
	ONE(0x08, 0x3fULL << 48, "mamv=1", "mamv=18"),
	NUMBER(0x08, 1ULL << 54, "dwd=0", "dwd=1", "draining is the bus's"),
	NUMBER(0x08, 1ULL << 55, "drd=0", "drd=1", "draining is the bus's"),
	ONE(0x08, 1ULL << 56, "fl1gp=0", "fl1gp=1"),
	ONE(0x08, 1ULL << 59, "pi=0", "pi=1"),
	ONE(0x08, 1ULL << 60, "fl5=0", "fl5=1"),
	ONE(0x08, 1ULL << 62, "esirtps=0", "esirtps=1"),
	ONE(0x08, 1ULL << 63, "esrtps=0", "esrtps=1"),
	ONE(0x10, 1ULL << 0, "coherent=0", "coherent=1"),
	ALONG(0x10, 1ULL << 1, "qi=0", "qi=1,ats=0,ir=0,scalable=0"),
	ALONG(0x10, 1ULL << 2, "ats=0", "ats=1,prs=0"),
	ALONG(0x10, 1ULL << 3, "ir=0", "ir=1,eim=0,pi=0,mhmv=0,esirtps=0"),
	ONE(0x10, 1ULL << 4, "eim=0", "eim=1"),
	ONE(0x10, 1ULL << 6, "pt=0", "pt=1"),
	ONE(0x10, 1ULL << 7, "sc=0", "sc=1"),
	ONE(0x10, 0xfULL << 20, "mhmv=0", "mhmv=15"),
	ONE(0x10, 1ULL << 26, "nest=0", "nest=1"),
	ALONG(0x10, 1ULL << 29, "prs=0", "prs=1,pds=0"),
	ONE(0x10, 1ULL << 30, "ers=0", "ers=1"),
	ALONG(0x10, 1ULL << 31, "srs=0", "srs=1,rprivs=0"),
	ONE(0x10, 1ULL << 33, "nwfs=0", "nwfs=1"),
	ONE(0x10, 1ULL << 34, "eafs=0", "eafs=1"),
	ONE(0x10, 0x1fULL << 35, "pasid=10", "pasid=20"),
	ALONG(0x10, 1ULL << 40, "pasid=0", "pasid=20,srs=0,ers=0"),
	ONE(0x10, 1ULL << 42, "pds=0", "pds=1"),
	ALONG(0x10, 1ULL << 43, "scalable=0", "scalable=1"),
	ONE(0x10, 1ULL << 45, "ssads=0", "ssads=1"),
	ALONG(0x10, 1ULL << 46, "ss=0", "ss=1,nest=0,ssads=0"),
	ALONG(0x10, 1ULL << 47, "fs=0", "fs=1,nest=0,fl5=0,fl1gp=0,eafs=0"),
	ONE(0x10, 1ULL << 48, "smpwc=0", "smpwc=1"),
	ONE(0x10, 1ULL << 49, "rps=0", "rps=1"),
	ONE(0x10, 1ULL << 52, "adms=0", "adms=1"),
	ONE(0x10, 1ULL << 53, "rprivs=0", "rprivs=1"),
};

static const struct row smmuv3[] = {
	ALONG(0x00, 1u << 0, "s2p=0,vmid16=0,vmw=0", "s2p=1,vmid16=0,vmw=0"),
	ALONG(0x00, 1u << 1, "s1p=0,ssid=0,cd2l=0,hyp=0,asid16=0",
	      "s1p=1,ssid=0,cd2l=0,hyp=0,asid16=0"),
	ONE(0x00, 1u << 4, "cohacc=0", "cohacc=1"),
	ONE(0x00, 3u << 6, "httu=0", "httu=1"),
	ONE(0x00, 3u << 6, "httu=1", "httu=2"),
	ONE(0x00, 1u << 9, "hyp=0", "hyp=1"),
	ALONG(0x00, 1u << 10, "ats=0,pri=0,ns1ats=0", "ats=1,pri=0,ns1ats=0"),
	ONE(0x00, 1u << 11, "ns1ats=0", "ns1ats=1"),
	ONE(0x00, 1u << 12, "asid16=0", "asid16=1"),
	ONE(0x00, 1u << 13, "msi=0", "msi=1"),
	NUMBER(0x00, 1u << 14, "sev=0", "sev=1", "nobody waits for events"),
	ONE(0x00, 1u << 15, "atos=0", "atos=1"),
	ALONG(0x00, 1u << 16, "pri=0", "pri=1"),
	ONE(0x00, 1u << 17, "vmw=0", "vmw=1"),
	ONE(0x00, 1u << 18, "vmid16=0", "vmid16=1"),
	ONE(0x00, 1u << 19, "cd2l=0", "cd2l=1"),
	ALONG(0x00, 3u << 24, "stall=1", "stall=0"),
	ALONG(0x00, 3u << 24, "stall=0", "stall=2"),
	ONE(0x00, 1u << 26, "term=0", "term=1"),
	ONE(0x00, 3u << 27, "st2=0", "st2=1"),
	ONE(0x04, 0x3f, "sid=8", "sid=16"),
	ONE(0x04, 0x1f << 6, "ssid=1", "ssid=20"),
	ALONG(0x04, 0x1f << 6, "ssid=0,cd2l=0", "ssid=20,cd2l=0"),
	ONE(0x04, 0x1f << 11, "priqs=1", "priqs=7"),
	ONE(0x04, 0x1f << 16, "evtqs=1", "evtqs=7"),
	ONE(0x04, 0x1f << 21, "cmdqs=1", "cmdqs=8"),
	ONE(0x04, 1u << 26, "ovr=0", "ovr=1"),
	ONE(0x0c, 1u << 2, "had=0", "had=1"),
	ONE(0x0c, 1u << 4, "xnx=0", "xnx=1"),
	ONE(0x0c, 1u << 10, "ril=0", "ril=1"),
	NUMBER(0x0c, 3u << 11, "bbml=0", "bbml=1", "no TLB has conflicts"),
	NUMBER(0x0c, 3u << 11, "bbml=1", "bbml=2", "no TLB has conflicts"),
	ALONG(0x14, 7, "oas=32", "oas=36"),
	ALONG(0x14, 7, "oas=36", "oas=40"),
	ALONG(0x14, 7, "oas=40", "oas=48"),
	ALONG(0x14, 7, "oas=48", "oas=52"),
	ALONG(0x14, 3u << 10, "oas=48", "oas=52"),
	ONE(0x14, 1u << 4, "gran=16k+64k", "gran=4k+16k+64k"),
	ONE(0x14, 1u << 5, "gran=4k+64k", "gran=4k+16k+64k"),
	ONE(0x14, 1u << 6, "gran=4k+16k", "gran=4k+16k+64k"),
	ONE(0x14, 0xffffu << 16, "stallmax=1", "stallmax=32"),
};

/* A hundred thousand models are made, and to make one takes 30 times as long there. */
#define SLOW "in asan the vectors alone are run"

static void twist(const struct hw_iommu_ops *ops, const char *dir, const struct row *row,
		  const char *options)
{
	static struct vectors_report r;
	const struct vectors_twist t = {.options = options, .bits = row->bits, .off = row->off,
					.size = ops == &hw_vtd_ops ? 8 : 4, .along = row->along,
					.below = ops == &hw_vtd_ops ? BELOW_VTD : BELOW_SMMUV3};

	r = (struct vectors_report){0};
	vectors_run_twisted(ops, dir, &t, &r);
	cr_expect(!r.bad && r.vectors, "%s %s: for no vector", ops->name, options);
	cr_expect(!r.failed == !!row->number, "%s %s: %s of %u vectors noticed%s", ops->name,
		  options, r.failed ? "some" : "none", r.vectors, r.failed ? r.text : "");
}

static void all(const struct hw_iommu_ops *ops, const char *dir, const struct row *row, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		twist(ops, dir, &row[i], row[i].less);
		twist(ops, dir, &row[i], row[i].more);
	}
}

Test(conformance, each_bit_of_vtd_is_noticed_both_ways)
{
	if (IOMMULAB_ASAN)
		cr_skip_test(SLOW);
	all(&hw_vtd_ops, "tests/conformance/vtd", vtd, ARRAY_SIZE(vtd));
}

Test(conformance, each_bit_of_smmuv3_is_noticed_both_ways)
{
	if (IOMMULAB_ASAN)
		cr_skip_test(SLOW);
	all(&hw_smmuv3_ops, "tests/conformance/smmuv3", smmuv3, ARRAY_SIZE(smmuv3));
}

/* Bits that are advertised, by some options at least, and no row speaks of. */
static u64 unspoken(const struct hw_iommu_ops *ops, const struct row *row, u32 n, u32 off, u32 size)
{
	struct hw_env env = {0};
	u64 seen = 0, spoken = 0;
	char err[256];

	for (u32 i = 0; i < 2 * n; i++) {
		const char *options = i % 2 ? row[i / 2].more : row[i / 2].less;
		struct hw_iommu *h = ops->create(&env, options, err, sizeof(err));

		if (row[i / 2].off == off)
			spoken |= row[i / 2].bits;
		seen |= h ? ops->mmio_read(h, off, size) : 0;
		if (h)
			ops->destroy(h);
	}
	return seen & ~spoken;
}

static void fixed(const struct hw_iommu_ops *ops, u32 off, u64 bits)
{
	bool is_vtd = ops == &hw_vtd_ops;
	u64 rest = unspoken(ops, is_vtd ? vtd : smmuv3,
			    is_vtd ? ARRAY_SIZE(vtd) : ARRAY_SIZE(smmuv3), off, is_vtd ? 8 : 4);

	cr_expect_eq(rest, bits, "%s %#x: %#llx, not %#llx", ops->name, off,
		     (unsigned long long)rest, (unsigned long long)bits);
}

Test(conformance, each_bit_that_is_advertised_has_a_row)
{
	fixed(&hw_vtd_ops, 0x08, (u64)VTD_FRCD / 16 << VTD_CAP_FRO_SHIFT);
	fixed(&hw_vtd_ops, 0x10, (u64)VTD_IVA / 16 << VTD_ECAP_IRO_SHIFT);
	/* TTF and TTENDIAN, always the same; ATSRECERR, which is ATS. */
	fixed(&hw_smmuv3_ops, 0x00, 2u << 2 | 2u << 21 | 1u << 23);
	for (u32 off = 0x04; off <= 0x14; off += 4)
		fixed(&hw_smmuv3_ops, off, 0);
}
