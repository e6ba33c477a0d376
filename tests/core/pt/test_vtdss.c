// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/vtdss.h"

#define TWIN_FORMAT PT_VTDSS
#define TWIN_IA 48
#define TWIN_PROT (PT_READ | PT_WRITE)
#define TWIN_FEATURES (PT_SPLIT | PT_DIRTY | PT_SNOOP)
#include "tests/core/pt/twin.h"

/* VT-d 4.1, section 9.8: bits 62:52 and 2 to 6, 10 are not ours to use here. */
static struct twin_entry twin_decode(u64 e, u32 level, u32 features)
{
	bool leaf = level == 1 || e >> 7 & 1;
	u64 keep = 0x000ffffffffff000ULL | 3;
	struct twin_entry d = {
		.present = (e & 3) != 0, .leaf = leaf, .pa = e & 0x000ffffffffff000ULL};

	if (leaf)
		keep |= (features & PT_DIRTY ? 3 << 8 : 0) | (level > 1 ? 1 << 7 : 0) | 1 << 11;
	else
		keep |= 1ULL << 52;
	d.valid = !(e & ~keep) && (leaf || (e & 3) == 3) &&
		  (!leaf || !(features & PT_SNOOP) || e >> 11 & 1);
	d.prot = leaf ? (e & 1 ? PT_READ : 0) | (e & 2 ? PT_WRITE : 0) : 0;
	d.dirty = e >> 9 & 1;
	return d;
}

static u64 twin_hw_write(u64 e)
{
	return e | 1 << 9 | 1 << 8;
}

TWIN_TESTS(vtdss)
