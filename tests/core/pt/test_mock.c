// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/mock.h"

#define TWIN_FORMAT PT_MOCK
#define TWIN_IA 36
#define TWIN_PROT (PT_READ | PT_WRITE)
#define TWIN_FEATURES (PT_SPLIT | PT_DIRTY | PT_CONTIG)
#include "tests/core/pt/twin.h"

static struct twin_entry twin_decode(u64 e, u32 level, u32 features)
{
	bool leaf = e >> 62 & 1;
	struct twin_entry d = {.present = e >> 63, .leaf = leaf, .pa = (e & 0xffffffffffULL) << 12};

	d.contig = leaf && e >> 57 & 1;
	d.valid = !(e >> 40 & 0x1ffff) && (leaf ? level <= 2 : !(e >> 59 & 7)) &&
		  (!d.contig || features & PT_CONTIG);
	d.prot = leaf ? (e >> 60 & 1 ? PT_READ : 0) | (e >> 61 & 1 ? PT_WRITE : 0) : 0;
	d.dirty = e >> 59 & 1;
	return d;
}

static u64 twin_hw_write(u64 e)
{
	return e | 1ULL << 59;
}

TWIN_TESTS(mock)
