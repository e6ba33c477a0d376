// SPDX-License-Identifier: GPL-2.0-only
#include "core/pt/fmt/x86.h"

#define TWIN_FORMAT PT_X86
#define TWIN_BARE
#define TWIN_IA 57
#define TWIN_PROT (PT_WRITE | PT_NOEXEC | PT_PRIV)
#define TWIN_FEATURES (PT_SPLIT | PT_DIRTY)
#include "tests/core/pt/twin.h"

/* SDM volume 3, section 4.5: P, R/W, U/S, A, D, PS, XD; G, PWT, PCD and PAT are not used. */
static struct twin_entry twin_decode(u64 e, u32 level, u32 features)
{
	bool leaf = level == 1 || e >> 7 & 1;
	struct twin_entry d = {.present = e & 1, .leaf = leaf, .pa = e & 0x000ffffffffff000ULL};
	u64 keep = 0x000ffffffffff000ULL | 1 | 2 | 4 | 1 << 5;

	if (leaf)
		keep |= 1 << 6 | (level > 1 ? 1 << 7 : 0) | 1ULL << 63;
	else
		keep |= 1 << 11;
	d.valid = !(e & ~keep) && e >> 5 & 1 && (leaf || (e & 6) == 6) &&
		  (!leaf || features & PT_DIRTY || (e >> 6 & 1) == (e >> 1 & 1));
	if (leaf)
		d.prot = (e & 2 ? PT_WRITE : 0) | (e >> 63 ? PT_NOEXEC : 0) | (e & 4 ? 0 : PT_PRIV);
	d.dirty = e >> 6 & 1;
	return d;
}

static u64 twin_hw_write(u64 e)
{
	return e | 1 << 6;
}

TWIN_TESTS(x86)
